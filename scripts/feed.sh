#!/bin/bash
# feed.sh: the combined stream on standard output: records of bnc-event(5) and a heartbeat every five seconds.
# What it is made of is said by environment (the whole list is in bnc(7)):
#
#   BNC_SOURCE     live (default) | demo: bnc-mock on loopback, through the same client, TLS included | replay:PATH |
#                  bus: what others publish (default where BNC_BUS is set)
#   BNC_SYMBOLS    SOLUSDT (default), or several: "SOLUSDT ETHUSDT"; also stream names
#   BNC_CHANNELS   as bnc-stream -c      BNC_MARKET     as bnc-stream -m and bnc-normalize -m
#   BNC_BALANCE    10000 (default)       BNC_POSITIONS  file of position_update lines; demo has one position without
#   BNC_ASSET      as bnc-equity -a      BNC_BUFFER     8M (default, at most 240M), as bnc-stream --buffer
#   BNC_DEMO_RATE  demo: events a second and stream
#   BNC_SPEED      replay: as bnc-replay -x (1)
#   BNC_RECORD     live, demo: a directory where frames are recorded as they come
#   BNC_URL        live: another exchange, as bnc-stream -u; BNC_CACERT: and its certificate authority
#   BNC_KEY_FILE   live: the account of that key, as bnc-account --key-file; or BNC_API_KEY and BNC_API_SECRET. Balances,
#                  positions and trades are the account's then, and mark prices say what it is worth
#   BNC_PAPER      instead of an account: a file or FIFO of orders as bnc-paper -o, or demo:SEED (as a demo has without
#                  positions of its own; empty: none)
#   BNC_MARK       as bnc-equity --mark (any; an account's: mark, with paper trading: book)
#   BNC_BUS        servers of NATS, as bnc-pub -s, or with user:password@. Of live and demo: frames are published there, too
#   BNC_BUS_STREAM bnc (default), the stream there; BNC_BUS_REPLICAS, BNC_BUS_SPILL: as bnc-pub --replicas and --spill;
#                  BNC_BUS_CREDS, BNC_BUS_CACERT: as bnc-pub --creds and --cacert
#   BNC_BIN        where the programs are, in front of PATH; default ../build/bin or ../../bin beside this script
#
# With --check it starts nothing and only says what keeps it from starting. hub.sh gives the stream to any number of
# clients; by hand it goes on like this:
#
#   BNC_SOURCE=demo scripts/feed.sh | jq -r 'select(.type == "equity_snapshot").equity'
# shellcheck disable=SC2317 # frames and records are what the chosen source makes them
set -u -o pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
default_source
symbols=()
words symbols "${BNC_SYMBOLS:-SOLUSDT}"
# whatever kills this script ends its children too
ours=(setpriv --pdeathsig TERM)
market=(${BNC_MARKET:+-m "$BNC_MARKET"})
client=(-s --buffer "${BNC_BUFFER:-8M}" "${market[@]}" ${BNC_CHANNELS:+-c "$BNC_CHANNELS"})
bus=(--stream "${BNC_BUS_STREAM:-bnc}" ${BNC_BUS_CREDS:+--creds "$BNC_BUS_CREDS"} ${BNC_BUS_CACERT:+--cacert "$BNC_BUS_CACERT"})
scratch=

# --- where frames come from ----------------------------------------------------------------------------------------

live() {
	client+=(${BNC_URL:+-u "$BNC_URL"} ${BNC_CACERT:+--cacert "$BNC_CACERT"})
	if has_account; then
		frames() {
			pipe_secrets
			exec "${ours[@]}" "$here/account.sh" "${client[@]}" -- "${symbols[@]}"
		}
	else
		frames() { exec "${ours[@]}" bnc-stream "${client[@]}" -- "${symbols[@]}"; }
	fi
}

has_account() {
	[[ $BNC_SOURCE == live && -n ${BNC_KEY_FILE:-}${BNC_API_KEY:-} ]]
}

# the offline exchange on a free port of loopback, with a certificate authority of its own made at each start
demo() {
	local names options port=''
	[[ -z ${BNC_RUN:-} ]] || remove_left_overs
	scratch=$(mktemp -d "${BNC_RUN:-${TMPDIR:-/tmp}}/demo.$$.XXXXXX") || exit 3
	names=$(printf '%s\n' "${symbols[@]^^}" | sed '/^!/d; s/@.*//' | sort -u | paste -sd,)
	options=(-p 0 --ca-out "$scratch/ca.pem" --port-file "$scratch/port" --ready-fd 3 "${market[@]}"
		${names:+--symbols "$names"} ${BNC_DEMO_RATE:+--rate "$BNC_DEMO_RATE"})
	# a coprocess for its pipe alone: a line comes when the exchange listens, an end when it could not
	coproc exchange { exec "${ours[@]}" bnc-mock "${options[@]}" </dev/null 3>&1 >/dev/null; }
	{ IFS= read -r -t 10 <&"${exchange[0]:-}" && read -r port <"$scratch/port"; } 2>/dev/null
	[[ $port == [0-9]* ]] || fail 3 "bnc-mock did not start"
	client+=(-u "wss://127.0.0.1:$port" --cacert "$scratch/ca.pem")
	# a proxy is on the way to the world, not to here
	unset https_proxy HTTPS_PROXY all_proxy ALL_PROXY
	if [[ -z ${BNC_POSITIONS:-} && " ${symbols[*]^^}" == *" SOLUSDT"* && ${BNC_MARKET:-usdm} == usdm ]]; then
		demo_position >"$scratch/positions"
		BNC_POSITIONS=$scratch/positions
		BNC_PAPER=${BNC_PAPER-demo:1}
	fi
	frames() {
		status connecting "an offline exchange whose prices are made up: not the market" demo
		exec "${ours[@]}" bnc-stream "${client[@]}" -- "${symbols[@]}"
	}
}

# so that equity moves
demo_position() {
	printf '%s\n' '{"type":"position_update","symbol":"SOL","qty":"25","entryPrice":"140","ts":0,"pair":"SOLUSDT",'\
'"market":"usdm","positionSide":"BOTH","simulated":true}'
}

# what collectors publish, on other machines as a rule: what is known, then what comes
bus() {
	frames() {
		NATS_URL=$BNC_BUS exec "${ours[@]}" bnc-sub "${bus[@]}" --status --from last -- 'bnc.>'
	}
}

# --- the pipeline ------------------------------------------------------------------------------------------------

# what says that it is a recording stays outside of the filters, so that their output is the same every time
replayed() { # PATH
	local each result
	status live "a recording: not the market of now" replay
	bnc-replay -x "${BNC_SPEED:-1}" -- "$1" | as_replay | bnc-normalize "${market[@]}" | valued
	result=$? each=("${PIPESTATUS[@]}")
	if ((each[0] <= 1 && result <= 1)); then # 1: that is told already
		status end "the recording has ended$( ((each[0])) && echo ': it is damaged, or lines of it were refused')" replay
	fi
	return $result
}

# what was said when it was recorded, that this is the exchange, is not so any more
as_replay() {
	exec "${ours[@]}" env LC_ALL=C perl -pe \
		'BEGIN { $| = 1 } s/"source":"(?:live|demo)"/"source":"replay"/ if /^\{"type":"status"/'
}

# what they look like when they are read again with BNC_SOURCE=replay:DIRECTORY
recorded() {
	if [[ -n ${BNC_RECORD:-} ]]; then
		frames | "${ours[@]}" bnc-record -o "$BNC_RECORD" --tee
	else
		frames
	fi
}

# the same frames for other machines, where there is a bus; a bus that has gone holds nobody up here
published() {
	if [[ -n ${BNC_BUS:-} && $BNC_SOURCE != bus ]]; then
		recorded | NATS_URL=$BNC_BUS "${ours[@]}" bnc-pub "${bus[@]}" --dedupe --patience 0 "${market[@]}" --tee \
			${BNC_BUS_REPLICAS:+--replicas "$BNC_BUS_REPLICAS"} ${BNC_BUS_SPILL:+--spill "$BNC_BUS_SPILL"}
	else
		recorded
	fi
}

# records -> records with paper trades, equity, and what is held with its value
valued() {
	if ((${#paper[@]})); then
		"${ours[@]}" bnc-paper "${paper[@]}" | "${ours[@]}" bnc-position "${wallet[@]}" | "${ours[@]}" bnc-equity "${equity[@]}"
	else
		exec "${ours[@]}" bnc-equity "${equity[@]}"
	fi
}

# what keeps the feed from starting is said before anything has been started
check() {
	local file=${BNC_SOURCE#replay:}
	((${#symbols[@]})) || fail 2 "BNC_SYMBOLS names no symbol"
	case $BNC_SOURCE in
	live) need bnc-stream ;;
	demo) need bnc-stream bnc-mock ;;
	bus)
		[[ -n ${BNC_BUS:-} ]] || fail 2 "BNC_SOURCE is bus, and BNC_BUS names no server"
		need bnc-sub
		;;
	replay:?*)
		[[ -r $file && -f $file ]] || compgen -G "$file/*.ndjson*" >/dev/null || fail 3 "cannot read the recording '$file'"
		need bnc-replay
		;;
	*) fail 2 "BNC_SOURCE is live, demo, bus or replay:PATH, not '$BNC_SOURCE'" ;;
	esac
	[[ -z ${BNC_POSITIONS:-} || -r $BNC_POSITIONS ]] || fail 3 "cannot read the positions in '$BNC_POSITIONS'"
	[[ -z ${BNC_RECORD:-} ]] || need bnc-record
	[[ -z ${BNC_BUS:-} ]] || need bnc-pub
	[[ -z ${BNC_PAPER:-} ]] || need bnc-paper bnc-position
	! has_account || need bnc-account bnc-merge
	! has_account || [[ -z ${BNC_PAPER:-} ]] || fail 2 "paper trading (BNC_PAPER) and a real account do not go together"
	need setpriv bnc-normalize bnc-equity bnc-heartbeat
}

start_of_equity() {
	local mark=any balance=${BNC_BALANCE:-10000}
	case ${BNC_PAPER:-} in
	'') paper=() ;;
	demo) paper=(--demo 1) ;;
	demo:*) paper=(--demo "${BNC_PAPER#demo:}") ;;
	*) paper=(-o "$BNC_PAPER") ;;
	esac
	((!${#paper[@]})) || mark=book
	! has_account || mark=mark balance=${BNC_BALANCE:-}
	wallet=(${balance:+-b "$balance"} ${BNC_POSITIONS:+-p "$BNC_POSITIONS"} ${BNC_ASSET:+-a "$BNC_ASSET"})
	equity=("${wallet[@]}" --mark "${BNC_MARK:-$mark}" --revalue 1s)
}

main() {
	local paper wallet equity result
	find_programs
	check
	start_of_equity
	if [[ ${1:-} == --check ]]; then
		# the filters know best what they take
		bnc-normalize "${market[@]}" </dev/null && bnc-equity "${equity[@]}" </dev/null &&
			{ ((!${#paper[@]})) || [[ ${paper[0]} != --demo ]] || bnc-paper "${paper[@]}" </dev/null; } &&
			{ [[ $BNC_SOURCE != replay:* ]] || bnc-replay -x "${BNC_SPEED:-1}" </dev/null; }
		exit
	fi
	trap tidy EXIT
	trap 'exit 0' TERM INT HUP
	if [[ $BNC_SOURCE == replay:* ]]; then
		replayed "${BNC_SOURCE#replay:}" | "${ours[@]}" bnc-heartbeat &
	else
		"$BNC_SOURCE"
		start_of_equity
		published | "${ours[@]}" bnc-normalize "${market[@]}" | valued | "${ours[@]}" bnc-heartbeat &
	fi
	# the pipeline, or the offline exchange: without either there is no feed
	wait -n
	result=$?
	# a reader that went away is a quiet end
	exit $((result == 141 ? 0 : result))
}

main "$@"
