#!/bin/bash
# pipeline.sh: what websocketd starts for each client, also as  websocketd --port=8000 ./scripts/pipeline.sh
#
# First it decides whether this client is served at all: websocketd started like that listens on every address and takes
# every path, Host and Origin. Then it runs the feed in the one form that websocketd cannot orphan.
#
#   BNC_ALLOW_PEER    addresses besides loopback, as patterns: "10.0.0.* fd00::*"
#   BNC_ALLOW_ORIGIN  origins besides those of loopback: "https://bnc.example.org"; their host names are accepted too
#   BNC_RUN           where pipeline.log goes; default $XDG_RUNTIME_DIR/bnc, else /run/user/UID/bnc, else /tmp/bnc-UID
#   BNC_FEED          the program that makes the stream; default feed.sh beside this script, whose variables see there
#
# websocketd hands no variable on unless told: websocketd --passenv=PATH,BNC_SOURCE ...; serve.sh passes all of BNC_*.
set -u

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
feed=${BNC_FEED:-$here/feed.sh}

# --- may this client be served? ------------------------------------------------------------------------------------

# the last line that a refused client gets; nothing that it sent is repeated in it
refuse() { # DETAIL
	status end "$1"
	printf 'pipeline.sh: refused: %s (peer %.60q path %.60q host %.60q origin %.60q)\n' "$1" \
		"${REMOTE_ADDR:-}" "${PATH_INFO:-}" "${SERVER_NAME:-}" "${HTTP_ORIGIN:-}" >&2
	exit 0
}

matches() { # TEXT PATTERN...
	local text=$1 pattern
	shift
	for pattern; do
		# shellcheck disable=SC2053 # a pattern is meant
		[[ $text == $pattern ]] && return
	done
	return 1
}

check_client() {
	local peers origins
	words peers "${BNC_ALLOW_PEER:-}"
	words origins "${BNC_ALLOW_ORIGIN:-}"
	[[ ${PATH_INFO:-} == /ws ]] || refuse "nothing is at this path: the stream is at /ws"
	matches "${REMOTE_ADDR:-}" '127.*' ::1 "${peers[@]}" || refuse "this address may not connect"
	check_host
	# browsers always send it, command line clients seldom
	[[ -z ${HTTP_ORIGIN:-} ]] || check_origin
}

# A name that somebody else points at 127.0.0.1 (DNS rebinding) shows here. An address is no such name, but is of use
# only to peers beyond loopback.
check_host() {
	local hosts=(localhost 127.0.0.1 ::1) origin name=${SERVER_NAME:-}
	for origin in "${origins[@]}"; do
		origin=${origin#*://}
		origin=${origin%:+([0-9])}
		origin=${origin#'['}
		hosts+=("${origin%']'}")
	done
	((${#peers[@]})) && hosts+=('+([0-9]).+([0-9]).+([0-9]).+([0-9])' '*:*')
	matches "${name,,}" "${hosts[@]}" || refuse "this host name is not served"
}

check_origin() {
	local host allowed port=${SERVER_PORT:-}
	for host in localhost 127.0.0.1 '[::1]'; do
		origins+=("http://$host:$port" "https://$host:$port")
		# the port that a scheme implies is left out of an origin
		[[ $port != 80 ]] || origins+=("http://$host")
		[[ $port != 443 ]] || origins+=("https://$host")
	done
	for allowed in "${origins[@]}"; do
		[[ $HTTP_ORIGIN != "$allowed" ]] || return 0
	done
	refuse "pages of this origin may not connect"
}

# --- the feed ------------------------------------------------------------------------------------------------------

# Nothing that a client sent goes on: neither HTTP_* (a Proxy header makes HTTP_PROXY) nor the rest of CGI, nor names
# that no shell would take. Names alone are told to env: values may be secret, and arguments are for all to see. And a
# session of our own: websocketd signals its child alone, whose process group is websocketd's.
become_session() {
	local entry name drop=()
	while IFS= read -r -d '' entry; do
		name=${entry%%=*}
		[[ $name == BNC_* || " ${HANDED_ON[*]} " == *" $name "* ]] || drop+=(-u "$name")
	done </proc/self/environ
	exec setsid --wait env "${drop[@]}" "$BASH" "$here/pipeline.sh" --feed
}

# This process is what websocketd knows, and leads a process group of its own in which all the rest runs: first the
# watcher, then the feed, so that at no moment something runs unwatched.
run_feed() {
	local feed_pid result asked=
	close_others ""
	# rather than fill the disk a log stays at 256 MiB; a limit on files, also on the one in memory that bnc-stream
	# keeps for its --buffer
	ulimit -f $((256 << 10))
	trap '' INT HUP XFSZ
	trap '' TERM
	watch <&0 >/dev/null &
	trap - TERM
	setpriv --pdeathsig TERM "$feed" </dev/null &
	feed_pid=$!
	trap 'asked=1; kill -TERM "$feed_pid" 2>/dev/null' TERM
	exec </dev/null
	# a signal interrupts wait; a feed that has ended is there until wait has told its status
	until wait "$feed_pid"; result=$?; ! kill -0 "$feed_pid" 2>/dev/null; do :; done
	[[ -n $asked || $result == 0 ]] ||
		status end "the feed has ended with status $result: pipeline.log says why"
	# whatever the feed left behind; what does not listen is the watcher's
	trap '' TERM
	kill -TERM 0
	exit 0
}

# The end of standard input is the one sign that always comes: when the client goes, however it goes, and when
# websocketd ends or is killed. It must also be read all the time: a client that sends more than a pipe holds to a child
# that does not read freezes its own connection for ever. So one process does nothing else. The feed is told first and
# has a moment to end by itself; websocketd would kill its child, and nothing else, 0.85 s after.
watch() {
	trap : TERM
	cat
	trap '' TERM
	kill -TERM $$
	sleep 0.4
	kill -KILL 0
} 2>/dev/null

[[ ${1:-} != --feed ]] || run_feed

run_dir || unset BNC_RUN
# never to websocketd, which stops reading at a long line
if [[ ! -v BNC_RUN ]] || ! open_log "$BNC_RUN/pipeline.log"; then
	exec 2>/dev/null
fi
# by hand in a terminal it is the feed and nothing else
if [[ -n ${GATEWAY_INTERFACE:-}${REMOTE_ADDR:-} ]]; then
	check_client
elif [[ -t 0 ]]; then
	exec "$feed"
fi
become_session
