# What the bats files about bnc-account share:  load account  (behind  load ../lib  and  load stream)
#
#   has ACCOUNT          writes the exchange's account ($SCRATCH/account.json): JSON of usdm, coinm, spot; sets its key
#   market ARGS...       the exchange with that account and a script, as exchange in stream.bash
#   account NAME ARGS... bnc-account on it in the background;  state ARGS...  in the foreground
#   is_live NAME [N]     waits until it has been live N times (1)
#   gets NAME EVENT [N]  waits until it has written N events of that type (1)
#   same NAME MARKET     what a reader of its frames ends up with is what the exchange has, or will be at once
#   secretless FILE...   fails where a key, a secret, a signature or a listen key stands in one, while the exchange is up

# shellcheck disable=SC2154,SC2034,SC2086 # set by lib.bash and stream.bash, and used where it is loaded

API_KEY=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A
API_SECRET=NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j

has() {
	printf '{"apiKey":"%s","secret":"%s",%s}\n' "$API_KEY" "$API_SECRET" "$1" >account.json
	with_key "$API_KEY" "$API_SECRET"
}

with_key() { # KEY SECRET
	(umask 077 && printf 'BNC_API_KEY=%s\nBNC_API_SECRET=%s\n' "$1" "$2" >key)
}

# what most tests begin with
USDM='"usdm":{"balances":{"USDT":"1000","BNB":"2"},"positions":[{"symbol":"SOLUSDT","positionAmt":"2","entryPrice":"140.25"}]}'

market() { exchange --account account.json "$@"; }

account() {
	local name=$1
	shift
	start "$name" bnc-account "${url[@]}" --key-file key -s "$@" 8>&-
}

state() { timeout 30 bnc-account "${url[@]}" --key-file key --once "$@" 3>&- 8>&-; }

count_state() { states "$1" | grep -cx "$2"; }
was() { (($(count_state "$1" "$2") >= $3)); }
is_live() { wait_for $PATIENCE was "$1" live "${2:-1}"; }

count_events() { grep -c "\"stream\":\"userData\",\"data\":{\"e\":\"$2\"" "$SCRATCH/$1.out"; }
has_got() { (($(count_events "$1" "$2") >= $3)); }
gets() { wait_for $PATIENCE has_got "$1" "$2" "${3:-1}"; }

asked_ledger() {
	local before
	before=$(events ledger)
	order ledger
	await ledger $((before + 1))
}

agrees() { "$ROOT/tests/e2e/account-check" "$2" "$SCRATCH/$1.out" "$SCRATCH/mock.out"; }
same() {
	asked_ledger
	wait_for $PATIENCE agrees "$1" "$2" >why || { cat why; return 1; }
}

# A living one is given out again to whoever asks with the same API key; the others stand in what has told their end.
listen_keys() {
	local api
	for api in fapi dapi; do
		curl -fsS --cacert "$MOCK_CA" -X POST -H "X-MBX-APIKEY: $API_KEY" "https://127.0.0.1:$MOCK_PORT/$api/v1/listenKey"
	done 2>/dev/null | grep -oE '"listenKey":"[^"]+"' | cut -d'"' -f4
	grep -ohE '"listenKey":"[^"]+"' "$SCRATCH/served" | cut -d'"' -f4
}

# how many the program has been given
keys_made() { told http | jq -c 'select(.method == "POST" and .status == 200)' | wc -l; }

secretless() { # FILE...
	local word keys
	keys=$(listen_keys)
	[[ -n $keys ]] || return 1
	for word in "$API_KEY" "$API_SECRET" "${API_SECRET:8:24}" signature= $keys; do
		if grep -aqF -- "$word" "$@"; then
			echo "'$word' stands in one of $*"
			return 1
		fi
	done
}
