#!/bin/bash
# pipeline.sh: what websocketd starts for each client, also as  websocketd --port=8000 ./scripts/pipeline.sh
#
# First it decides whether this client is served at all: websocketd started like that listens on every address and takes
# every path, Host and Origin. Then it becomes bnc-tap, at the hub that serve.sh runs; where nobody runs one, the first
# client starts it (hub.sh), and --idle after the last one has gone it ends.
#
#   BNC_ALLOW_PEER    addresses besides loopback, as patterns: "10.0.0.* fd00::*"
#   BNC_ALLOW_ORIGIN  origins besides those of loopback: "https://bnc.example.org"; their host names are accepted too
#   BNC_RATE          updates of a price or of equity a second at most; 20, and 0 for every one
#   BNC_IDLE          60s, of a hub that was started by a client
#   BNC_RUN           where the hub's socket and pipeline.log are; default $XDG_RUNTIME_DIR/bnc, else /run/user/UID/bnc,
#                     else /tmp/bnc-UID
#
# websocketd hands no variable on unless told: websocketd --passenv=PATH,BNC_SOURCE ...; serve.sh passes all of BNC_*.
set -u

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"

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

# --- the hub -------------------------------------------------------------------------------------------------------

# Nothing that a client sent goes on: neither HTTP_* (a Proxy header makes HTTP_PROXY) nor the rest of CGI, nor names
# that no shell would take. Names alone are told to env: values may be secret, and arguments are for all to see.
names_to_drop() {
	local entry name
	while IFS= read -r -d '' entry; do
		name=${entry%%=*}
		[[ $name == BNC_* || " ${HANDED_ON[*]} " == *" $name "* ]] || drop+=(-u "$name")
	done </proc/self/environ
}

answers() { bnc-tap --metrics "$socket" >/dev/null 2>&1; }

# Once, however many clients come at this moment: they wait for the lock, and find it there. It is none of this client's
# processes, and outlives it.
start_hub() {
	local lock ready
	exec {lock}>>"$BNC_RUN/hub.start" || refuse "$BNC_RUN cannot be written"
	flock -w 10 "$lock" || refuse "the feed is being started for too long"
	if ! answers; then
		exec {ready}< <(exec {lock}>&- && pipe_secrets && exec setsid env "${drop[@]}" "$BASH" "$here/hub.sh" \
			--idle "${BNC_IDLE:-60s}" --ready-fd 3 3>&1 >/dev/null </dev/null)
		read -r -t 10 <&"$ready" || refuse "the feed could not be started: pipeline.log and feed.log say why"
		exec {ready}<&-
	fi
	exec {lock}>&-
}

main() {
	local drop=() socket
	run_dir || refuse "there is no directory for the hub that is ours alone to write"
	# never to websocketd, which stops reading at a long line
	BNC_LOG='' open_log "$BNC_RUN/pipeline.log" || exec 2>/dev/null
	# by hand there is nobody to look at
	[[ -z ${GATEWAY_INTERFACE:-}${REMOTE_ADDR:-} ]] || check_client
	close_others ""
	find_programs
	names_to_drop
	socket=$BNC_RUN/hub.sock
	# where serve.sh runs the hub it is for nobody else to start one
	[[ -n ${BNC_SERVED:-} ]] || answers || start_hub
	# one process, which takes what the client sends, and ends with its standard input: so websocketd ends it
	exec env "${drop[@]}" bnc-tap --wait 60s --rate "${BNC_RATE:-20}" "$socket"
}

main
