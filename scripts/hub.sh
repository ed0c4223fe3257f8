#!/bin/bash
# hub.sh: the stream of feed.sh for any number of clients on this machine, at $BNC_RUN/hub.sock, where bnc-tap reads it.
# serve.sh runs it; pipeline.sh does where nobody else has.
#
#   usage: hub.sh [--idle duration] [--www dir] [--ready-fd n]
#
#   BNC_FEED      the program that makes the stream; default feed.sh beside this script, whose variables see there
#   BNC_HISTORY   as bnc-hub --history (3600/1s)      BNC_STALE   as bnc-hub --stale (5s)
#   BNC_BACKOFF   1s,30s (default): the first and the longest wait before what has ended is started again
#   BNC_LOG       stderr: logs go to standard error instead of files, but for pipeline.log
#   BNC_RUN       where the socket and feed.log are; default $XDG_RUNTIME_DIR/bnc, else /run/user/UID/bnc, else
#                 /tmp/bnc-UID
#
# A feed that ends is started again, and so is a hub that is killed; clients are told, and keep their connections. With
# --idle it ends when there was no client for so long. A recording is played once, and its last state goes on being
# served.
set -u

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
default_source
feed=${BNC_FEED:-$here/feed.sh}
ready_fd=
hub=(bnc-hub --max-line 4081 --history "${BNC_HISTORY:-3600/1s}" --stale "${BNC_STALE:-5s}")

arguments() {
	while (($#)); do
		case $1 in
		--idle | --www) hub+=("$1" "${2:-}") ;;
		--ready-fd) ready_fd=${2:-} ;;
		*) printf 'usage: hub.sh [--idle duration] [--www dir] [--ready-fd n]\n' >&2 && exit 2 ;;
		esac
		shift "$(($# > 1 ? 2 : 1))"
	done
}

# Both hang at one pipe that this script holds open, so that a hub outlives its feed. They have asked for a signal when
# this script dies.
start_hub() {
	setpriv --pdeathsig TERM "${hub[@]}" ${ready_fd:+--ready-fd "$ready_fd"} "$BNC_RUN/hub.sock" <&"$lines" {lines}>&- &
	pid[hub]=$!
	[[ -z $ready_fd ]] || eval "exec $ready_fd>&-"
	ready_fd=
}

start_feed() {
	(export_secrets "${SECRETS[@]}" && exec setpriv --pdeathsig TERM "$feed" </dev/null >&"$lines" {lines}>&-) &
	pid[feed]=$!
}

child_ended() { # NAME STATUS SECONDS
	case $1:$2 in
	# idle, or somebody else's: nothing to come back for
	hub:[023]) finish "$2" ;;
	# a recording has an end
	feed:[01]) [[ $BNC_SOURCE == replay:* ]] && played=1 && return ;;
	esac
	printf 'hub.sh: the %s has ended with status %d; again in %s s\n' "$1" "$2" "$3" >&2
	if [[ $1 == feed ]]; then
		# behind what may be half a line
		{ echo && status connecting "the feed has ended with status $2: again in $3 s"; } >&"$lines"
	elif running feed; then
		# only from its beginning does a feed tell positions and balances
		kill -TERM "${pid[feed]}"
	fi
}

# Whichever way this script ends, nothing that it started goes on. It leads a process group (setsid), in which all the
# rest runs; what does not listen within a second, or stands still, is killed from outside of it.
finish() { # STATUS
	trap '' TERM INT HUP
	kill -TERM 0
	# shellcheck disable=SC2016 # the inner shell expands
	setsid "$BASH" -c 'sleep 1.2; kill -KILL -- "-$1"' bash $$ </dev/null >/dev/null 2>&1 &
	[[ -z ${pid[hub]:-} ]] || wait "${pid[hub]}"
	exit "$1"
}

# of its own process group
leads() {
	local stat
	read -r stat <"/proc/$$/stat"
	read -r _ _ stat _ <<<"${stat##*) }"
	((stat == $$))
}

main() {
	local lines played=
	leads || { pipe_secrets && exec setsid "$BASH" "$here/hub.sh" "$@"; }
	arguments "$@"
	find_programs
	need setpriv bnc-hub
	read_backoff
	run_dir || fail 3 "$BNC_RUN is not a directory that is ours alone to write"
	close_others "$ready_fd"
	open_log "$BNC_RUN/feed.log" || fail 3 "cannot write $BNC_RUN/feed.log"
	# rather than fill the disk a log stays at 256 MiB, and nobody dies of it
	trap '' XFSZ
	ulimit -f $((256 << 10))
	trap 'finish 0' TERM INT HUP
	exec {lines}<> <(:)
	start hub
	start feed
	while :; do
		nap 0.2
		look_after hub
		[[ -n $played ]] || look_after feed
	done
}

main "$@"
