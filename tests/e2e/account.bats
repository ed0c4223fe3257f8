# bnc-account at an exchange that has an account: what a reader of its frames ends up with is what the exchange has,
# whatever happens in between

load ../lib
load stream
load account

bats_require_minimum_version 1.5.0

@test "what it holds, then what happens; -u serves requests and events" {
	has "$USDM"
	market
	account a
	is_live a
	# the snapshot first, and in it what is there
	jq -es 'map(select(.recv)) | .[0].stream == "/fapi/v3/balance" and (.[0].data | map(.asset) | sort) == ["BNB", "USDT"] and
		.[1].stream == "/fapi/v3/positionRisk" and .[1].data[0].symbol == "SOLUSDT"' a.out
	order 'fill usdm SOLUSDT BUY 1 141' 'wait 5ms' 'transfer usdm BNB -2' 'wait 5ms' 'funding usdm SOLUSDT -0.5'
	gets a ACCOUNT_UPDATE 3
	same a usdm
	[[ $(count_events a ORDER_TRADE_UPDATE) -eq 2 ]]
	# the exchange's own bytes behind our keys
	while read -r line; do
		[[ $line =~ ^\{\"recv\":[0-9]{16},\"market\":\"usdm\",\"stream\":\"userData\",\"data\":(\{\"e\".*\})\}$ ]]
		cut -f3 served | grep -qxF -- "${BASH_REMATCH[1]}"
	done < <(grep userData a.out | grep recv)
	stop a
	[[ $status -eq 0 && ! -s a.err ]]
	[[ $(states a | xargs) == "connecting live end" ]]
	jq -es 'map(select(.type == "status")) | all(.source == "demo")' a.out
	secretless a.out a.err
}

@test "the subscribe form, and both on COIN-M: the listen key is in no frame" {
	local form market symbol
	has "$USDM,\"coinm\":{\"balances\":{\"BTC\":\"0.5\"},\"positions\":[{\"symbol\":\"BTCUSD_PERP\",\"positionAmt\":\"-3\",\"entryPrice\":\"60000.1\"}]}"
	market -m all
	for market in usdm coinm; do
		[[ $market == usdm ]] && symbol=SOLUSDT || symbol=BTCUSD_PERP
		for form in query subscribe; do
			account a -m $market --form $form
			is_live a
			order "fill $market $symbol SELL 1 61000.5"
			gets a ORDER_TRADE_UPDATE 2
			same a $market
			stop a
			[[ $status -eq 0 && ! -s a.err ]]
			jq -es 'map(select(.recv).stream) | unique | length == 3' a.out
			secretless a.out a.err
		done
	done
	[[ $(told open | jq -r .path | cut -c1-8 | xargs) == "/private /private /ws/"*" /stream" ]]
	[[ $(told subscribe | wc -l) -eq 2 ]]
}

@test "spot, by the WebSocket API" {
	has '"spot":{"balances":{"USDT":"500","SOL":"1.5","BNB":"0"}}'
	market -m spot
	account a -m spot
	is_live a
	[[ $(jq -c 'select(.recv).data.balances | map(.asset)' a.out) == '["USDT","SOL"]' ]]
	order 'fill spot SOLUSDT BUY 1 141' 'wait 5ms' 'transfer spot BNB 3' 'wait 5ms' 'lock spot USDT 100'
	gets a outboundAccountPosition 3
	same a spot
	# the inner event, bare
	jq -es 'map(select(.stream == "userData" and .recv).data) | all(has("e") and (has("event") | not)) and
		any(.e == "balanceUpdate") and any(.e == "executionReport")' a.out
	stop a
	[[ $status -eq 0 && ! -s a.err ]]
	secretless a.out a.err
}

@test "hedge mode: LONG and SHORT apart" {
	has '"usdm":{"dual":true,"balances":{"USDT":"1000"},"positions":[
		{"symbol":"SOLUSDT","positionSide":"LONG","positionAmt":"2","entryPrice":"140"},
		{"symbol":"SOLUSDT","positionSide":"SHORT","positionAmt":"-3","entryPrice":"150"}]}'
	market
	account a
	is_live a
	order 'fill usdm SOLUSDT SELL 2 145 LONG' 'wait 5ms' 'fill usdm SOLUSDT BUY 1 145 SHORT' 'wait 5ms' \
		'fill usdm BTCUSDT BUY 0.1 80000.5 LONG'
	gets a ACCOUNT_UPDATE 3
	same a usdm
	stop a
}

@test "Ed25519: futures and spot" {
	has "$USDM"
	openssl genpkey -algorithm ed25519 -out ed.pem
	(umask 077 && { printf 'BNC_API_KEY=%s\n' "$API_KEY" && cat ed.pem; } >key)
	jq -n --arg key "$API_KEY" --rawfile public <(openssl pkey -in ed.pem -pubout) \
		'{apiKey: $key, publicKey: $public, usdm: {balances: {USDT: "7"}}, spot: {balances: {SOL: "8"}}}' >account.json
	market -m all
	state >usdm.out
	[[ $(jq -r '.data[]? | .asset + " " + .balance' usdm.out) == "USDT 7.00000000" ]]
	# signatures with every character of base64 in them
	for _ in {1..8}; do
		state >/dev/null
	done
	account a -m spot
	is_live a
	order 'transfer spot SOL 1'
	gets a outboundAccountPosition
	same a spot
	stop a
	[[ ! -s a.err ]]
	secretless a.out a.err
}

@test "a private stream that breaks, with fills while nobody listens" {
	local how
	has "$USDM"
	market
	account a --check 1h
	is_live a
	for how in 'user cut rst' 'user close 1001' 'user cut mid-frame'; do
		# the fills come behind the cut, and before the client can be back
		order '/private http 503' "$how" 'fill usdm SOLUSDT SELL 5 141' 'wait 5ms' 'fill usdm BTCUSDT BUY 0.2 80000' \
			'wait 5ms' 'transfer usdm USDT 100'
		is_live a $(($(count_state a live) + 1))
		same a usdm
	done
	# and a position that is closed meanwhile is told as zero
	order '/private http 503' 'user cut fin' 'fill usdm BTCUSDT SELL 0.6 81000'
	is_live a 5
	same a usdm
	jq -es 'map(select(.stream == "/fapi/v3/positionRisk"))[-1].data | any(.symbol == "BTCUSDT" and .positionAmt == "0")' a.out
	[[ $(count_state a gap) -eq 4 ]]
	jq -es 'map(select(.state == "gap")) | all(.detail | test("^fills between 20.*Z and 20.*Z may be missing$"))' a.out
	grep -q 'gap: fills between' a.err
	stop a
	secretless a.out a.err
}

@test "the same on COIN-M and spot, and by the subscribe form" {
	has "$USDM,\"coinm\":{\"balances\":{\"BTC\":\"0.5\"},\"positions\":[{\"symbol\":\"BTCUSD_PERP\",\"positionAmt\":\"-3\",\"entryPrice\":\"60000.1\"}]},\"spot\":{\"balances\":{\"USDT\":\"500\"}}"
	market -m all
	account u --form subscribe
	account c -m coinm
	account p -m spot
	is_live u && is_live c && is_live p
	order 'user cut rst' 'fill usdm SOLUSDT SELL 5 141' 'fill coinm BTCUSD_PERP BUY 1 61000' 'fill spot SOLUSDT BUY 1 141'
	is_live u 2 && is_live c 2 && is_live p 2
	order 'fill usdm SOLUSDT SELL 1 141' 'fill coinm BTCUSD_PERP BUY 5 61000' 'fill spot SOLUSDT SELL 0.5 141'
	gets u ORDER_TRADE_UPDATE 2 && gets c ORDER_TRADE_UPDATE 2 && gets p executionReport 2
	same u usdm && same c coinm && same p spot
	stop u
	stop c
	stop p
}

@test "events twice and in another order" {
	has "$USDM"
	market
	account a
	is_live a
	order 'user dup 4' 'fill usdm SOLUSDT BUY 1 141' 'wait 5ms' 'fill usdm SOLUSDT BUY 1 142'
	gets a ORDER_TRADE_UPDATE 4
	same a usdm
	# four transfers, and the last of them first
	order 'user reorder 4' 'transfer usdm USDT 1' 'wait 5ms' 'transfer usdm USDT 2' 'wait 5ms' 'transfer usdm USDT 3' \
		'wait 5ms' 'transfer usdm USDT 4'
	gets a ACCOUNT_UPDATE 3
	same a usdm
	# an old event with a row that is news all the same
	order 'user reorder 2' 'fill usdm SOLUSDT SELL 9 140' 'wait 5ms' 'transfer usdm USDT 5'
	same a usdm
	kill -USR1 "$a_pid"
	hears a 'copies [3-9]'
	has_said a 'old [3-9]' # three of the four transfers were old when they came
	stop a
	[[ $(jq -r 'select(.stream == "userData" and .recv) | .data | tojson' a.out | sort | uniq -d | wc -l) -eq 0 ]]
}

@test "events that come during a slow snapshot wait for it" {
	has "$USDM"
	market
	order 'rest-delay 1s path=/fapi/v3/balance'
	account a
	await open 1
	order 'fill usdm SOLUSDT BUY 1 141' 'wait 5ms' 'transfer usdm USDT 50'
	is_live a
	gets a ORDER_TRADE_UPDATE 2
	same a usdm
	# the other part, behind a break; answered at once and late
	order 'rest-delay 1s path=/fapi/v3/positionRisk' 'user cut rst'
	await open 2
	order 'fill usdm SOLUSDT SELL 9 141' 'wait 5ms' 'fill usdm SOLUSDT BUY 1 142'
	is_live a 2
	same a usdm
	order 'rest-lag 1s path=/fapi/v3/positionRisk' 'user cut rst'
	await open 3
	order 'fill usdm SOLUSDT SELL 1 141' 'wait 5ms' 'fill usdm ETHUSDT BUY 1 1420'
	is_live a 3
	same a usdm
	stop a
	# snapshots come before what waited
	[[ $(jq -r 'select(.recv).stream' a.out | head -n 2 | xargs) == "/fapi/v3/balance /fapi/v3/positionRisk" ]]
}
