#!/bin/bash
# feed.sh: the combined stream on standard output: records of bnc-event(5) and a heartbeat every five seconds.
# What it is made of is said by environment (the whole list is in bnc(7)):
#
#   BNC_SOURCE     live (default) | demo: bnc-mock on loopback, through the same client, TLS included | replay:FILE
#   BNC_SYMBOLS    SOLUSDT (default), or several: "SOLUSDT ETHUSDT"; also stream names
#   BNC_CHANNELS   as bnc-stream -c      BNC_MARKET     as bnc-stream -m and bnc-normalize -m
#   BNC_BALANCE    10000 (default)       BNC_POSITIONS  file of position_update lines; demo has one position without
#   BNC_ASSET      as bnc-equity -a      BNC_BUFFER     8M (default, at most 240M), as bnc-stream --buffer
#   BNC_RATE       demo: events a second and stream
#   BNC_URL        live: another exchange, as bnc-stream -u; BNC_CACERT: and its certificate authority
#   BNC_BIN        where the programs are, in front of PATH; default ../build/bin or ../../bin beside this script
#
# With --check it starts nothing and only says what keeps it from starting. A line is at most 4082 bytes long, its end
# included: websocketd gives that as one frame. A longer one (an equity_snapshot that names hundreds of positions
# without a price; what a recording may hold) is replaced by a status record that tells of it.
#
#   BNC_SOURCE=demo scripts/feed.sh | jq -r 'select(.type == "equity_snapshot").equity'
# shellcheck disable=SC2317 # frames and records are what the chosen source makes them
set -u -o pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
export BNC_SOURCE=${BNC_SOURCE:-live}
symbols=()
words symbols "${BNC_SYMBOLS:-SOLUSDT}"
# whatever kills this script ends its children too
ours=(setpriv --pdeathsig TERM)
market=(${BNC_MARKET:+-m "$BNC_MARKET"})
client=(-s --buffer "${BNC_BUFFER:-8M}" "${market[@]}" ${BNC_CHANNELS:+-c "$BNC_CHANNELS"})
scratch=

find_programs() {
	local dir
	for dir in "$here/../build/bin" "$here/../../bin"; do
		[[ ! -x $dir/bnc-heartbeat ]] || break
	done
	PATH=${BNC_BIN:-$dir}:$PATH
}

need() { # PROGRAM...
	local program
	for program; do
		command -v "$program" >/dev/null || fail 3 "$program is not there: make builds it, make install installs it"
	done
}

# --- where frames come from ----------------------------------------------------------------------------------------

live() {
	client+=(${BNC_URL:+-u "$BNC_URL"} ${BNC_CACERT:+--cacert "$BNC_CACERT"})
	frames() { exec "${ours[@]}" bnc-stream "${client[@]}" -- "${symbols[@]}"; }
}

# the offline exchange on a free port of loopback, with a certificate authority of its own made at each start
demo() {
	local names options port=''
	[[ -z ${BNC_RUN:-} ]] || remove_left_overs
	scratch=$(mktemp -d "${BNC_RUN:-${TMPDIR:-/tmp}}/demo.$$.XXXXXX") || exit 3
	names=$(printf '%s\n' "${symbols[@]^^}" | sed '/^!/d; s/@.*//' | sort -u | paste -sd,)
	options=(-p 0 --ca-out "$scratch/ca.pem" --port-file "$scratch/port" --ready-fd 3 "${market[@]}"
		${names:+--symbols "$names"} ${BNC_RATE:+--rate "$BNC_RATE"})
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
	fi
	frames() {
		status connecting "an offline exchange whose prices are made up: not the market" demo
		exec "${ours[@]}" bnc-stream "${client[@]}" -- "${symbols[@]}"
	}
}

# so that equity moves
demo_position() {
	printf '%s\n' '{"type":"position_update","symbol":"SOL","qty":"25","entryPrice":"140","markPrice":"140",'\
'"unrealizedPnl":"0","ts":0,"pair":"SOLUSDT","market":"usdm","positionSide":"BOTH"}'
}

# --- the pipeline ------------------------------------------------------------------------------------------------

# what says that it is a recording stays outside of the filters, so that their output is the same every time
recorded() { # FILE
	local each result
	status live "a recording: not the market of now" replay
	zcat -f -- "$1" | bnc-normalize "${market[@]}" | bnc-equity "${equity[@]}"
	result=$? each=("${PIPESTATUS[@]}")
	# a filter's 1: some lines were refused, and told
	((each[0] || result > 1)) || status end "the recording has ended" replay
	return $result
}

one_frame_a_line() {
	# shellcheck disable=SC2016 # these are Perl's variables
	exec "${ours[@]}" perl -ne '
		BEGIN { $| = 1; $SIG{PIPE} = sub { exit 0 } }
		if (length > 4082) {
			my $ts = /"ts":([0-9]{1,18})\b/ ? $1 : time . "000";
			my $type = /"type":"(\w{1,40})"/ ? " ($1)" : "";
			my $n = length;
			$_ = qq({"type":"status","state":"gap","ts":$ts,"detail":"a record of $n bytes$type ) .
			     qq(is left out: longer than a WebSocket frame"}\n);
		}
		print'
}

# whichever way this script ends, nothing that it started goes on
tidy() {
	local children=()
	trap '' TERM INT HUP
	read -r -a children <"/proc/$$/task/$$/children"
	((${#children[@]})) && kill -TERM "${children[@]}" 2>/dev/null
	wait
	[[ -z $scratch ]] || rm -rf -- "$scratch"
}

# what keeps the feed from starting is said before anything has been started
check() {
	local file=${BNC_SOURCE#replay:}
	((${#symbols[@]})) || fail 2 "BNC_SYMBOLS names no symbol"
	case $BNC_SOURCE in
	live) need bnc-stream ;;
	demo) need bnc-stream bnc-mock ;;
	replay:?*) [[ -f $file && -r $file ]] || fail 3 "cannot read the recording '$file'" ;;
	*) fail 2 "BNC_SOURCE is live, demo or replay:FILE, not '$BNC_SOURCE'" ;;
	esac
	[[ -z ${BNC_POSITIONS:-} || -r $BNC_POSITIONS ]] || fail 3 "cannot read the positions in '$BNC_POSITIONS'"
	need setpriv perl bnc-normalize bnc-equity bnc-heartbeat
}

start_of_equity() {
	equity=(-b "${BNC_BALANCE:-10000}" ${BNC_POSITIONS:+-p "$BNC_POSITIONS"} ${BNC_ASSET:+-a "$BNC_ASSET"})
}

main() {
	local equity result
	find_programs
	check
	start_of_equity
	if [[ ${1:-} == --check ]]; then
		# the filters know best what they take
		bnc-normalize "${market[@]}" </dev/null && bnc-equity "${equity[@]}" </dev/null
		exit
	fi
	trap tidy EXIT
	trap 'exit 0' TERM INT HUP
	if [[ $BNC_SOURCE == replay:* ]]; then
		recorded "${BNC_SOURCE#replay:}" | "${ours[@]}" bnc-heartbeat | one_frame_a_line &
	else
		"$BNC_SOURCE"
		start_of_equity
		frames | "${ours[@]}" bnc-normalize "${market[@]}" | "${ours[@]}" bnc-equity "${equity[@]}" |
			"${ours[@]}" bnc-heartbeat | one_frame_a_line &
	fi
	# the pipeline, or the offline exchange: without either there is no feed
	wait -n
	result=$?
	# a reader that went away is a quiet end
	exit $((result == 141 ? 0 : result))
}

main "$@"
