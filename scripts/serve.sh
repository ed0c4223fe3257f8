#!/bin/bash
# serve.sh: serves the stream at ws://localhost:8000/ws and the page at http://localhost:8000/, and owns all it starts.
#
#   usage: serve.sh [--ready-fd n]
#
#   BNC_PORT   default 8000      BNC_RUN   lock, logs and the page's copy; default as in pipeline.sh
#   and the variables of pipeline.sh and feed.sh, which are handed on
#
# It listens on loopback alone. For other machines: a TLS reverse proxy that asks who is there, and BNC_ALLOW_ORIGIN.
# Ends with its children on SIGTERM and SIGINT; exit 2 called wrongly, 3 could not start (port taken, running already).
set -u

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
export BNC_PORT=${BNC_PORT:-8000} BNC_SOURCE=${BNC_SOURCE:-live}
ready_fd=${BNC_READY_FD:-}
unset BNC_READY_FD
websocketd=
nap=

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
	[[ $BNC_SOURCE == @(live|demo|replay:?*) ]] ||
		fail 2 "BNC_SOURCE is live, demo or replay:FILE, not '$BNC_SOURCE'"
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

# No --origin: websocketd would refuse every client that sends none, as command line clients do; pipeline.sh lets those
# pass and holds all others against its list. No --cgidir, ever: in 0.4.1 it runs programs for strangers.
websocketd_options() {
	local names=("${HANDED_ON[@]}")
	local host="localhost:$BNC_PORT" address="127.0.0.1:$BNC_PORT"
	mapfile -t -O ${#names[@]} names < <(compgen -e BNC_)
	options=(--address=127.0.0.1 --port="$BNC_PORT" --maxforks=64 --loglevel=error --staticdir="$BNC_RUN/www"
		--passenv="$(IFS=,; printf %s "${names[*]}")"
		--header-http="Content-Security-Policy: default-src 'self'; connect-src 'self' ws://$host ws://$address; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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

start_websocketd() {
	(
		open_log "$log" || exit
		close_others ""
		exec setpriv --pdeathsig TERM websocketd "${options[@]}" "$here/pipeline.sh" </dev/null >&2
	) &
	websocketd=$!
}

# Somebody answers at the port: but is it ours, or the one that keeps ours from starting?
listens() {
	local inode links n=0
	links=$(find /proc/"$websocketd"/fd -lname 'socket:*' -printf '%l\n' 2>/dev/null)
	while read -r inode; do
		[[ $'\n'$links$'\n' != *$'\n'"socket:[$inode]"$'\n'* ]] || ((n += 1))
	done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
		awk -v port="$(printf ':%04X$' "$BNC_PORT")" '$4 == "0A" && $2 ~ port { print $10 }')
	((n == addresses))
}

running() { kill -0 "$websocketd" 2>/dev/null; }

wait_until_listening() {
	local i
	for ((i = 0; i < 200; i++)); do
		listens && return
		running || return
		sleep 0.05
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

finish() {
	trap '' TERM INT HUP
	[[ -z $nap ]] || kill "$nap" 2>/dev/null
	# its children see the end of their standard input and go within half a second; a stopped one sees nothing
	[[ -z $websocketd ]] || kill -TERM "$websocketd" 2>/dev/null
	[[ -z $websocketd ]] || kill -CONT "$websocketd" 2>/dev/null
	wait
	exit 0
}

set_up() {
	close_others "$ready_fd"
	command -v websocketd >/dev/null || fail 3 "websocketd is not there: scripts/deps.sh installs it"
	[[ -n ${BNC_FEED:-} ]] || "$here/feed.sh" --check || exit
	run_dir || fail 3 "$BNC_RUN is not a directory that is ours alone to write"
	log=$BNC_RUN/websocketd.log
	exec {lock}>>"$BNC_RUN/serve.lock" || exit 3
	flock -n "$lock" || fail 3 "already running in $BNC_RUN: $(<"$BNC_RUN/serve.lock")"
	printf 'ws://localhost:%s/ws, process %s\n' "$BNC_PORT" $$ >"$BNC_RUN/serve.lock"
	trim_logs
	remove_left_overs
	make_page
	websocketd_options
}

# all append, so that a log cut to nothing under their hands begins anew
trim_logs() {
	local file
	for file in "$log" "$BNC_RUN/pipeline.log"; do
		! too_long "$file" || { cp -- "$file" "$file.old" && : >"$file"; }
	done
}

wait_for_end() { # of websocketd; sets status
	local ended=
	while [[ $ended != "$websocketd" ]]; do
		rest 60
		# Bash would say "Killed" to the terminal
		wait -n -p ended "$websocketd" "$nap" 2>/dev/null
		status=$?
		trim_logs
	done
	kill "$nap"
}

rest() { # SECONDS
	setpriv --pdeathsig TERM sleep "$1" {lock}>&- &
	nap=$!
}

main() {
	local lock log options addresses=1 said status back=1 began
	arguments "$@"
	set_up
	trap finish TERM INT HUP
	said=$(stat -c %s -- "$log" 2>/dev/null || echo 0)
	start_websocketd
	if ! wait_until_listening; then
		said=$(tail -c "+$((said + 1))" "$log" | tail -n 1 | sed 's/.*| *//')
		fail 3 "${said:-websocketd did not start}"
	fi
	tell_ready
	while :; do
		began=$SECONDS
		wait_for_end
		((SECONDS - began < 60)) || back=1
		printf 'serve.sh: websocketd has ended with status %d; again in %d s\n' "$status" "$back" \
			>>"$log"
		rest "$back"
		wait "$nap"
		((back = back < 15 ? back * 2 : 30))
		start_websocketd
	done
}

main "$@"
