# bnc-account over time: listen keys, connections that are replaced or die, checks, slow readers

load ../lib
load stream
load account

bats_require_minimum_version 1.5.0

@test "a listen key that expires: another one, another connection, a snapshot" {
	has "$USDM"
	market
	account a
	is_live a
	order 'expire-key usdm' 'fill usdm SOLUSDT BUY 1 141' # nobody is told of that one
	is_live a 2
	same a usdm
	order 'expire-key usdm string'
	is_live a 3
	order 'fill usdm SOLUSDT BUY 1 141'
	gets a ORDER_TRADE_UPDATE 2
	same a usdm
	[[ $(keys_made) -eq 3 ]]
	jq -es 'map(select(.data.e? == "listenKeyExpired").data) | length == 2 and all(keys == ["E", "e"])' a.out
	has_said a 'the listen key has expired: asking for a new one'
	stop a
	secretless a.out a.err
}

@test "a listen key is kept, and outlives its time; one that was lost is replaced" {
	has "$USDM"
	export BNC_KEEP=300ms
	market --listen-key-age 1s
	account a
	is_live a
	kept() { (($(told http | jq -c 'select(.method == "PUT")' | wc -l) >= $1)); }
	wait_for $PATIENCE kept 5 # well behind the second that it would have lived
	order 'fill usdm SOLUSDT BUY 1 141'
	gets a ORDER_TRADE_UPDATE 2
	[[ $(count_state a live) -eq 1 ]]
	# the exchange does not know it any more; and then a trouble of its own
	order 'rest 400 code=-1125 This listenKey does not exist.'
	hears a 'code -1125: This listenKey does not exist.: the listen key has expired'
	order 'rest 500 path=/fapi/v1/listenKey'
	hears a 'HTTP 500'
	order 'fill usdm SOLUSDT BUY 1 141'
	gets a ORDER_TRADE_UPDATE 4
	same a usdm
	stop a
}

@test "a connection is replaced before its time, and no event is missing or twice" {
	local i
	has "$USDM"
	market
	account a --max-age 1s --check 1h
	is_live a
	for i in {1..25}; do
		order "transfer usdm USDT $i" 'wait 200ms'
	done
	order "fill usdm SOLUSDT SELL 1 141"
	gets a ORDER_TRADE_UPDATE 2
	same a usdm
	stop a
	(($(told open | wc -l) >= 2))
	[[ $(count_state a gap) -eq 0 && $(count_state a live) -eq 1 ]]
	[[ $(jq -c 'select(.data.e? == "ACCOUNT_UPDATE" and .data.a.m == "DEPOSIT") | .data.a.B[0].bc' a.out | xargs) == "$(seq -s' ' 25)" ]]
}

@test "a connection that brings nothing any more is found by the check" {
	has "$USDM"
	market
	account a --check 1s
	is_live a
	order 'user silence'
	order 'fill usdm SOLUSDT SELL 5 141'
	hears a 'an event has not come: SOLUSDT BOTH: the exchange has -3 at 141, known was 2 at 140.25'
	same a usdm
	# and it has another connection now, which works
	await open 2
	order 'fill usdm SOLUSDT SELL 1 141'
	gets a ORDER_TRADE_UPDATE 2
	same a usdm
	jq -es 'map(select(.type == "status").state) | index("stale") < rindex("live")' a.out
	stop a
}

@test "an account in motion is no alarm" {
	local i
	has "$USDM"
	market --weight-limit 0
	account a --check 1s
	is_live a
	for i in {1..300}; do
		order "transfer usdm USDT 1" 'wait 10ms'
	done
	gets a ACCOUNT_UPDATE 300
	same a usdm
	kill -USR1 "$a_pid"
	hears a 'checks [2-9].* differences 0, gaps 0'
	stop a
	[[ $(count_state a stale) -eq 0 ]]
}

@test "a half-open connection is found by its silence" {
	has "$USDM"
	market
	account a --stale 1s --check 1h
	is_live a
	order 'user half-open' 'fill usdm SOLUSDT SELL 5 141'
	hears a 'neither data nor pong for'
	is_live a 2
	same a usdm
	stop a
}

@test "ready when the first snapshot is out; --once is the snapshot alone" {
	has "$USDM"
	market
	order 'rest-delay 500ms path=/fapi/v3/positionRisk'
	start a bash -c 'exec bnc-account "$@" 9>ready' - "${url[@]}" --key-file key --ready-fd 9 8>&-
	await open 1
	[[ ! -s ready ]]
	wait_for $PATIENCE test -s ready
	[[ $(wc -c <ready) -eq 1 ]]
	[[ $(jq -r .stream a.out | xargs) == "/fapi/v3/balance /fapi/v3/positionRisk" ]]
	stop a
	local opened
	opened=$(events open)
	state >once.out
	[[ $(jq -r .stream once.out | xargs) == "/fapi/v3/balance /fapi/v3/positionRisk" ]]
	[[ $(events open) -eq $opened ]]
	[[ $(keys_made) -eq 1 ]]
}

@test "a reader that sleeps, and wakes" {
	has "$USDM"
	market
	mkfifo a.pipe
	start a bash -c 'exec bnc-account "${@:2}" >"$1"' - a.pipe "${url[@]}" --key-file key -s --check 1h --buffer 64k 8>&-
	exec 7<a.pipe
	await open 1
	for _ in {1..900}; do
		echo 'fill usdm SOLUSDT BUY 1 141'
	done >&8
	hears a 'the reader is too slow'
	order 'fill usdm BTCUSDT BUY 1 80000'
	awake a.out
	is_live a 2
	same a usdm
	stop a
}
