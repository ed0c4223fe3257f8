#!/bin/bash
# account.sh: frames of the market, of an account, and the mark prices of what the account holds, on standard output.
# feed.sh runs it where there is a key; its arguments are those of bnc-stream.
#
#   BNC_KEY_FILE  as bnc-account --key-file; or BNC_API_KEY and BNC_API_SECRET
#   and BNC_MARKET, BNC_URL, BNC_CACERT as in feed.sh
#
# It ends, with everything that it started, as soon as one of its parts does: an account that is no longer watched must
# not look like one in which nothing happens.
set -u -o pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
# shellcheck source=scripts/common.sh
. "$here/common.sh"
# whatever kills this script ends its children too
ours=(setpriv --pdeathsig TERM)
exchange=(${BNC_MARKET:+-m "$BNC_MARKET"} ${BNC_URL:+-u "$BNC_URL"} ${BNC_CACERT:+--cacert "$BNC_CACERT"})
sources=(market account)
scratch=

account() {
	(export_secrets BNC_API_KEY BNC_API_SECRET && exec "${ours[@]}" bnc-account -s "${exchange[@]}" ${BNC_KEY_FILE:+--key-file "$BNC_KEY_FILE"} </dev/null) |
		"${ours[@]}" tee >(held >"$scratch/held")
}

# the pairs of which something is held, a line each time that one is told
held() {
	"${ours[@]}" bnc-normalize ${BNC_MARKET:+-m "$BNC_MARKET"} |
		"${ours[@]}" sed -un '/^{"type":"position_update"/!d; /"qty":"0"/d; s/.*"pair":"\([^"]*\)".*/\1/p'
}

# A pair that is new is subscribed to by a client for all of them. Names that come together cost one.
marks() {
	local pair client='' pairs=()
	trap 'exit 0' TERM INT HUP
	trap '[[ -z $client ]] || kill -TERM "$client"' EXIT
	while :; do
		if read -r -t 2 pair; then
			[[ " ${pairs[*]} " != *" $pair "* ]] || continue
			pairs+=("$pair")
			while read -r -t 0.2 pair; do
				[[ " ${pairs[*]} " == *" $pair "* ]] || pairs+=("$pair")
			done
			[[ -z $client ]] || { kill -TERM "$client" && wait "$client"; }
			"${ours[@]}" bnc-stream "${exchange[@]}" -- "${pairs[@]/%/@markPrice@1s}" </dev/null &
			client=$!
		elif (($? <= 128)); then # the end, and no timeout
			exit 3
		fi
		[[ -z $client ]] || kill -0 "$client" || exit 3
	done
}

main() {
	local merge ended result
	find_programs
	need setpriv bnc-stream bnc-account bnc-normalize bnc-merge
	trap tidy EXIT
	trap 'exit 0' TERM INT HUP
	scratch=$(mktemp -d "${BNC_RUN:-${TMPDIR:-/tmp}}/account.$$.XXXXXX") && mkfifo "$scratch"/{market,account,held,marks} ||
		exit 3
	account >"$scratch/account" &
	"${ours[@]}" bnc-stream "$@" </dev/null >"$scratch/market" &
	# what is on the spot market is worth its price: there is no other
	if [[ ${BNC_MARKET:-} == spot ]]; then
		cat <"$scratch/held" >/dev/null &
	else
		marks <"$scratch/held" >"$scratch/marks" &
		sources+=(marks)
	fi
	"${ours[@]}" bnc-merge "${sources[@]/#/$scratch/}" &
	merge=$!
	wait -n -p ended
	result=$?
	# a reader that went away ends the last of them, and all is well
	exit $((result == 0 && ended != merge ? 3 : result))
}

main "$@"
