#!/bin/bash
# serve.sh: serves the stream at ws://localhost:8000/ws and the page at http://localhost:8000/, and owns all it starts.
#
#   usage: serve.sh [--ready-fd n]
#
#   BNC_PORT   default 8000      BNC_RUN   lock, socket, logs and the page's copy; default as in pipeline.sh
#   and the variables of hub.sh, pipeline.sh and feed.sh, which are handed on
#
# There is one feed, however many clients, and it goes on when there is none. /health is there only while prices are
# fresh, /health.json and /metrics always: files that the hub keeps, and that this script looks after, should the hub
# stand still. What ends is started again.
#
# It listens on loopback alone. For other machines: a TLS reverse proxy that asks who is there, and BNC_ALLOW_ORIGIN.
# Ends with its children on SIGTERM and SIGINT; exit 2 called wrongly, 3 could not start (port taken, running already).
set -u

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
default_source
export BNC_PORT=${BNC_PORT:-8000} BNC_SERVED=1
ready_fd=${BNC_READY_FD:-}
unset BNC_READY_FD
health_age=3000000 # microseconds; the hub writes it anew each second

arguments() {
	while (($#)); do
		case $1 in
		--ready-fd)
			shift
			ready_fd=${1:-none}
			;;
		--ready-fd=*) ready_fd=${1#*=} ;;
		-h | --help) printf 'usage: serve.sh [--ready-fd n]\n' && exit 0 ;;
		*) printf 'usage: serve.sh [--ready-fd n]\n' >&2 && exit 2 ;;
		esac
		shift
	done
	[[ ${ready_fd:-1} == +([0-9]) && -e /proc/$$/fd/${ready_fd:-2} ]] ||
		fail 2 "--ready-fd wants an open descriptor, not '$ready_fd'"
	[[ $BNC_PORT == [1-9]*([0-9]) && ${#BNC_PORT} -le 5 && $BNC_PORT -le 65535 ]] ||
		fail 2 "BNC_PORT is a port number, not '$BNC_PORT'"
	[[ $BNC_SOURCE == @(live|demo|bus|replay:?*) ]] ||
		fail 2 "BNC_SOURCE is live, demo, bus or replay:PATH, not '$BNC_SOURCE'"
	read_backoff
}

# --- what websocketd is given --------------------------------------------------------------------------------------

# A copy of our own: websocketd follows symbolic links out of its directory, serves dot files, hangs at a FIFO and lists
# a directory without index.html.
make_page() {
	local www=$BNC_RUN/www page dir
	rm -rf -- "$www"
	mkdir -m 700 -- "$www" || fail 3 "cannot write $www"
	for page in "$here/../web/dist" "$here/web"; do
		[[ -f $page/index.html ]] && cp -R -- "$page/." "$www/" && break
	done
	find "$www" -mindepth 1 \( -name '.*' -o ! -type f ! -type d \) -prune -exec rm -rf -- {} +
	[[ -f $www/index.html ]] || placeholder >"$www/index.html"
	while IFS= read -r dir; do
		[[ -f $dir/index.html ]] || : >"$dir/index.html"
	done < <(find "$www" -type d)
}

placeholder() {
	cat <<-E
		<!doctype html>
		<html lang="en">
		<meta charset="utf-8">
		<meta name="viewport" content="width=device-width">
		<title>bnc</title>
		<h1>bnc</h1>
		<p>The stream is served at <code>ws://localhost:$BNC_PORT/ws</code>: one JSON object a message, as bnc-event(5)
		describes them. The page that shows it is not part of this installation; a WebSocket client does:</p>
		<pre>python3 -m websockets ws://localhost:$BNC_PORT/ws</pre>
		</html>
	E
}

# The one style sheet that is no file of the page: lightweight-charts puts it beside its logo, which its licence asks to
# be left where it is. Another version of it, another hash: tests/web/real.test.mjs sees what the policy refuses.
CHART_STYLE="'sha256-3pRED1tOXas1FXFoPb9TGCjmYe9XQsmO9OV23khV2nY='"

# No --origin: websocketd would refuse every client that sends none, as command line clients do; pipeline.sh lets those
# pass and holds all others against its list. No --cgidir, ever: in 0.4.1 it runs programs for strangers.
websocketd_options() {
	local names=("${HANDED_ON[@]}")
	local host="localhost:$BNC_PORT" address="127.0.0.1:$BNC_PORT"
	mapfile -t -O ${#names[@]} names < <(compgen -e BNC_)
	options=(--address=127.0.0.1 --port="$BNC_PORT" --maxforks=64 --loglevel=error --staticdir="$BNC_RUN/www"
		--passenv="$(IFS=,; printf %s "${names[*]}")"
		--header-http="Content-Security-Policy: default-src 'self'; connect-src 'self' ws://$host ws://$address; \
style-src 'self' $CHART_STYLE; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
		--header-http="X-Content-Type-Options: nosniff"
		--header-http="X-Frame-Options: DENY"
		--header-http="Referrer-Policy: no-referrer"
		--header-http="Cache-Control: no-cache")
	# "localhost" is ::1 first: nobody else shall answer there
	if grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null; then
		options+=(--address='[::1]')
		addresses=2
	fi
}

# --- running it ----------------------------------------------------------------------------------------------------

# what is started: it logs to its own file, holds nothing of the caller's open, and ends when this script does
run() { # NAME COMMAND...
	local name=$1
	shift
	(
		open_log "$BNC_RUN/$name.log" || exit
		close_others ""
		[[ $name != hub ]] || pipe_secrets
		exec setpriv --pdeathsig TERM "$@" </dev/null >&2
	) &
	pid[$name]=$!
}

start_websocketd() { run websocketd websocketd "${options[@]}" "$here/pipeline.sh"; }
start_hub() { run hub setsid "$BASH" "$here/hub.sh" --www "$BNC_RUN/www"; }

# Somebody answers at the port: but is it ours, or the one that keeps ours from starting?
listens() {
	local inode links n=0
	links=$(find /proc/"${pid[websocketd]}"/fd -lname 'socket:*' -printf '%l\n' 2>/dev/null)
	while read -r inode; do
		[[ $'\n'$links$'\n' != *$'\n'"socket:[$inode]"$'\n'* ]] || ((n += 1))
	done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port="$(printf ':%04X$' "$BNC_PORT")" '$4 == "0A" && $2 ~ port { print $10 }')
	((n == addresses))
}

wait_until_listening() {
	local i
	for ((i = 0; i < 200; i++)); do
		listens && return
		running websocketd || return
		nap 0.05
	done
	return 1
}

tell_ready() {
	printf 'bnc: ws://localhost:%s/ws  page http://localhost:%s/  source %s  log %s\n' \
		"$BNC_PORT" "$BNC_PORT" "$BNC_SOURCE" "$BNC_RUN"
	if [[ -n $ready_fd ]]; then
		eval "printf '\n' >&$ready_fd; exec $ready_fd>&-"
		ready_fd=
	fi
}

finish() { # [STATUS]
	local name
	trap '' TERM INT HUP
	# websocketd's children see the end of their standard input and go within half a second; a stopped one sees nothing
	for name in websocketd hub; do
		running "$name" && kill -TERM "${pid[$name]}" && kill -CONT "${pid[$name]}"
	done 2>/dev/null
	wait
	exit "${1:-0}"
}

set_up() {
	close_others "$ready_fd"
	command -v websocketd >/dev/null || fail 3 "websocketd is not there: scripts/deps.sh installs it"
	find_programs
	need setpriv bnc-hub bnc-tap
	[[ -n ${BNC_FEED:-} ]] || (pipe_secrets && exec "$here/feed.sh" --check) || exit
	run_dir || fail 3 "$BNC_RUN is not a directory that is ours alone to write"
	exec {lock}>>"$BNC_RUN/serve.lock" || exit 3
	flock -n "$lock" || fail 3 "already running in $BNC_RUN: $(<"$BNC_RUN/serve.lock")"
	printf 'ws://localhost:%s/ws, process %s\n' "$BNC_PORT" $$ >"$BNC_RUN/serve.lock"
	trim_logs
	remove_left_overs
	make_page
	set_health_age
	websocketd_options
}

# all append, so that a log cut to nothing under their hands begins anew
trim_logs() {
	local file
	for file in "$BNC_RUN"/{websocketd,hub,feed,pipeline}.log; do
		! too_long "$file" || { cp -- "$file" "$file.old" && : >"$file"; }
	done
}

# A hub that stands still cannot say so itself: two seconds behind --stale nobody is told that all is well, whatever the
# nap of this script takes of them.
set_health_age() {
	local stale
	microseconds stale "${BNC_STALE:-5s}" || return 0 # the hub says what is wrong
	((stale + 1250000 >= health_age)) || health_age=$((stale + 1250000))
}

watch_health() {
	local written now
	written=$(LC_ALL=C stat -c %.6Y -- "$BNC_RUN/www/health" 2>/dev/null) || return 0
	clock now
	((now - ${written/./} <= health_age)) || rm -f -- "$BNC_RUN/www/health"
}

child_ended() { # NAME STATUS SECONDS
	(open_log "$BNC_RUN/$1.log"; printf 'serve.sh: %s has ended with status %d; again in %s s\n' "$1" "$2" "$3" >&2)
	# of a hub.sh that was killed: what is left of its group
	[[ $1 != hub ]] || kill -KILL -- "-${pid[hub]}" 2>/dev/null
}

main() {
	local lock options addresses=1 said
	arguments "$@"
	set_up
	trap finish TERM INT HUP
	said=$(stat -c %s -- "$BNC_RUN/websocketd.log" 2>/dev/null || echo 0)
	start hub
	start websocketd
	if ! wait_until_listening; then
		said=$(tail -c "+$((said + 1))" "$BNC_RUN/websocketd.log" 2>/dev/null | tail -n 1 | sed 's/.*| *//')
		printf 'serve.sh: %s\n' "${said:-websocketd did not start}" >&2
		finish 3
	fi
	tell_ready
	while :; do
		nap 0.5
		look_after websocketd
		look_after hub
		watch_health
		((SECONDS % 60)) || trim_logs
	done
}

main "$@"
