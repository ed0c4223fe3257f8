#!/bin/bash
# service.sh: what the units of systemd run. It starts one thing, tells systemd when that is ready, and again and again
# that it is alive; bnc-service(7) says how the units are used.
#
#   usage: service.sh feed|record|web
#
#   feed     hub.sh: the stream of feed.sh at $BNC_RUN/hub.sock
#   record   bnc-stream into bnc-record, in $STATE_DIRECTORY; BNC_SYMBOLS, BNC_CHANNELS, BNC_MARKET, BNC_URL, BNC_CACERT
#            and BNC_BUFFER as in feed.sh, and
#            BNC_LINES    as bnc-stream --lines (1)     BNC_ROTATE    as bnc-record --rotate (1h)
#   web      serve.sh
#
# From systemd come $RUNTIME_DIRECTORY, where BNC_RUN is, $STATE_DIRECTORY, $NOTIFY_SOCKET, $WATCHDOG_USEC, and
# $CREDENTIALS_DIRECTORY with the file "key" that BNC_KEY_FILE names then. Without them, as in a
# container, it does the same and tells nobody.
#
# Alive means: the hub answers and lines have come since the time before (a feed beats every five seconds; a recording
# that is played has an end); bnc-stream and bnc-record both answer SIGUSR1; websocketd serves a /health.json that the
# hub has written anew. That prices are fresh is not asked for: a new start makes no exchange speak.
set -u

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
# of several the last one is the unit's own
[[ -z ${RUNTIME_DIRECTORY:-} ]] || export BNC_RUN=${RUNTIME_DIRECTORY##*:}
export BNC_LOG=${BNC_LOG:-stderr}
ours=(setpriv --pdeathsig TERM)
children=()
scratch=
last=       # what changes while something lives
stream=     # of a recording: both processes, what they say, and who of them has answered
recorder=
said=
answers=
counters=

tell() { # ASSIGNMENT...
	[[ -z ${NOTIFY_SOCKET:-} ]] || systemd-notify "$@"
}

# --- feed ----------------------------------------------------------------------------------------------------------

start_feed() {
	(pipe_secrets && exec "$here/feed.sh" --check) || exit
	run_dir || fail 3 "$BNC_RUN is not a directory that is ours alone to write"
	begin "$here/hub.sh"
}

alive_feed() {
	local metrics health
	metrics=$(bnc-tap --metrics "$BNC_RUN/hub.sock" 2>/dev/null) || return
	health=$(bnc-tap --health "$BNC_RUN/hub.sock" 2>/dev/null)
	says "$health"
	changed "$(grep '^bnc_hub_lines_in_total' <<<"$metrics")" || [[ ${BNC_SOURCE:-} == replay:* ]]
}

# --- web -----------------------------------------------------------------------------------------------------------

start_web() { begin "$here/serve.sh"; }

alive_web() {
	local conn line health=
	{ exec {conn}<>"/dev/tcp/127.0.0.1/${BNC_PORT:-8000}"; } 2>/dev/null || return
	printf 'GET /health.json HTTP/1.0\r\nHost: localhost:%s\r\n\r\n' "${BNC_PORT:-8000}" >&"$conn"
	while read -r -t 2 -u "$conn" line; do
		[[ $line != '{'* ]] || health=$line
	done
	exec {conn}>&-
	says "$health"
	[[ -n $health ]] && changed "$health"
}

# --- record --------------------------------------------------------------------------------------------------------

start_record() {
	local symbols=() client=(-s --buffer "${BNC_BUFFER:-64M}" --lines "${BNC_LINES:-1}" ${BNC_MARKET:+-m "$BNC_MARKET"}
		${BNC_CHANNELS:+-c "$BNC_CHANNELS"} ${BNC_URL:+-u "$BNC_URL"} ${BNC_CACERT:+--cacert "$BNC_CACERT"})
	[[ ${BNC_SOURCE:-live} == live ]] || fail 2 "only what is live is recorded, and BNC_SOURCE is '$BNC_SOURCE'"
	need bnc-stream bnc-record
	words symbols "${BNC_SYMBOLS:-SOLUSDT}"
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/service.XXXXXX") && mkfifo "$scratch/frames" || exit 3
	# What both say comes here first; held open, so that it has no end.
	exec {said}<> <(:)
	"${ours[@]}" bnc-stream "${client[@]}" -- "${symbols[@]}" </dev/null >"$scratch/frames" 2>&"$said" &
	children+=($!)
	stream=$!
	begin_with "$scratch/frames" bnc-record -o "${STATE_DIRECTORY:-.}" --rotate "${BNC_ROTATE:-1h}"
	recorder=${children[-1]}
}

alive_record() {
	local both=$answers
	answers=
	kill -USR1 "$stream" "$recorder"
	[[ $both == *stream* && $both == *record* ]]
}

# counters are an answer, all else is for people
hear() { # LINE
	case $1 in
	"bnc-record: in "*)
		answers+=' record'
		counters=${1#*: }
		;;
	"bnc-stream: received "*) answers+=' stream' ;;
	*) printf '%s\n' "$1" >&2 ;;
	esac
}

# A unit that loads a key has one in any case: "none" where the file is missing.
take_key() {
	local key=${CREDENTIALS_DIRECTORY:-}/key first
	read -r first 2>/dev/null <"$key" || [[ -n ${first:-} ]] || return
	[[ $first == none ]] || export BNC_KEY_FILE=$key
}

# --- all of them -----------------------------------------------------------------------------------------------------

# Starts what tells that it is ready, and waits for that.
begin() { begin_with /dev/null "$@"; }

begin_with() { # INPUT COMMAND...
	local input=$1 ready
	shift
	exec {ready}< <([[ $1 != *.sh ]] || pipe_secrets
		exec "${ours[@]}" "$@" --ready-fd 3 <"$input" 3>&1 >&2 2>&"${said:-2}")
	children+=($!)
	read -r -u "$ready" || end_of "$!"
	exec {ready}<&-
}

# a child has ended by itself: so does this, and everything else
end_of() { # PID
	wait "$1"
	exit $(($? > 0 ? $? : 3))
}

says() { # HEALTH
	[[ $1 =~ \"status\":\"([a-z]+)\" ]] && tell "STATUS=prices: ${BASH_REMATCH[1]}"
}

changed() { # TEXT
	[[ $1 != "$last" ]] && last=$1
}

# One after the other: what bnc-stream wrote last is recorded, too. bnc-record ends with its input.
end() { # STATUS
	trap '' TERM INT HUP
	for child in "${children[@]}"; do
		[[ $child == "$recorder" ]] || kill -TERM "$child" 2>/dev/null
		kill -CONT "$child" 2>/dev/null
		wait "$child"
	done
	while [[ -n $said ]] && IFS= read -r -t 0.1 -u "$said" line; do
		hear "$line"
	done
	[[ -z $scratch ]] || rm -rf -- "$scratch"
	exit "$1"
}

watch() { # NAME
	local every=$((${WATCHDOG_USEC:-60000000} / 4000000)) due line child
	due=$((SECONDS + (every > 0 ? every : 1)))
	while :; do
		if [[ -z $said ]]; then
			nap 0.5
		elif IFS= read -r -t 0.5 -u "$said" line; then
			hear "$line"
		fi
		for child in "${children[@]}"; do
			running_pid "$child" || end_of "$child"
		done
		((SECONDS >= due)) || continue
		due=$((SECONDS + (every > 0 ? every : 1)))
		! "alive_$1" || tell WATCHDOG=1
		[[ -z $counters ]] || tell "STATUS=$counters"
	done
}

running_pid() { kill -0 "$1" 2>/dev/null; }

main() {
	[[ $# == 1 && $1 == @(feed|record|web) ]] || { printf 'usage: service.sh feed|record|web\n' >&2 && exit 2; }
	find_programs
	need setpriv bnc-tap
	take_key
	trap 'end $?' EXIT
	trap 'exit 0' TERM INT HUP
	"start_$1"
	tell --ready "STATUS=begun"
	watch "$1"
}

main "$@"
