load ../lib
bats_require_minimum_version 1.5.0

# Frames of an account as bnc-account prints them.

event() { # TIME EVENT: an event of USD-M that came two milliseconds later
	printf '{"recv":%s,"market":"usdm","stream":"userData","data":%s}\n' $((($1 + 2) * 1000)) "$2"
}

lite() { # TIME ID SIDE PRICE
	event "$1" '{"e":"TRADE_LITE","E":'"$1"',"T":'"$1"',"s":"BNBUSDT","q":"0.020","p":"0.00","m":false,"c":"mine","S":"'"$3"'","L":"'"$4"'","l":"0.020","t":'"$2"',"i":5884}'
}

full() { # TIME ID SIDE PRICE FEE PNL
	event "$1" '{"e":"ORDER_TRADE_UPDATE","T":'"$1"',"E":'"$1"',"o":{"s":"BNBUSDT","c":"mine","S":"'"$3"'","o":"MARKET","f":"GTC","q":"0.02","p":"0","ap":"'"$4"'","sp":"0","x":"TRADE","X":"FILLED","i":5884,"l":"0.02","z":"0.02","L":"'"$4"'","n":"'"$5"'","N":"USDT","T":'"$1"',"t":'"$2"',"b":"0","a":"0","m":false,"R":false,"wt":"CONTRACT_PRICE","ot":"MARKET","ps":"BOTH","cp":false,"rp":"'"$6"'","pP":false,"si":0,"ss":0}}'
}

wallet() { # TIME BALANCE QTY ENTRY
	event "$1" '{"e":"ACCOUNT_UPDATE","T":'"$1"',"E":'"$1"',"a":{"B":[{"a":"USDT","wb":"'"$2"'","cw":"'"$2"'","bc":"0"}],"P":[{"s":"BNBUSDT","pa":"'"$3"'","ep":"'"$4"'","cr":"0","up":"0","mt":"cross","iw":"0","ps":"BOTH","ma":"USDT","bep":"0"}],"m":"ORDER"}}'
}

# A round trip that somebody made: 0.02 BNB bought at 313.2 and sold at 313.19, for two fees and a small loss.
round_trip() {
	echo '{"recv":1583850770000000,"market":"usdm","stream":"/fapi/v3/balance","data":[{"asset":"USDT","balance":"24.30489058","updateTime":1583850760000}]}'
	echo '{"recv":1583850770100000,"market":"usdm","stream":"/fapi/v3/positionRisk","data":[]}'
	# early report, wallet, full report
	lite 1583850780000 101 BUY 313.20
	wallet 1583850780000 24.30238498 0.02 313.20000000000005
	full 1583850780001 101 BUY 313.2 0.00250560 0
	# and in the other order that has been seen
	lite 1583850785000 102 SELL 313.19
	full 1583850785000 102 SELL 313.19 0.00250551 -0.00020000
	wallet 1583850785001 24.29967947 0 0.00000
}

@test "a real round trip ends at the exchange's own balance, to the last digit" {
	round_trip | bnc-normalize -v >out 2>err
	[ "$(grep -c trade_executed out)" -eq 2 ]
	[ "$(jq -r 'select(.type == "balance_update") | .balance' out | tail -n 1)" = 24.29967947 ]
	[ "$(jq -r 'select(.type == "position_update") | .qty' out | tr '\n' ' ')" = "0.02 0 " ]
	[ "$(jq -r 'select(.type == "position_update") | .entryPrice' out | head -n 1)" = 313.20000000000005 ]
	# what the fills say adds up to what the wallet says
	/usr/bin/python3 - <<-'E'
		import decimal, json
		D, fills, balances = decimal.Decimal, [], []
		for record in map(json.loads, open("out")):
		    if record["type"] == "trade_executed":
		        fills.append(D(record["realizedPnl"]) - D(record["fee"]))
		    elif record["type"] == "balance_update":
		        balances.append(D(record["balance"]))
		assert balances[0] == D("24.30489058") and balances[0] + sum(fills) == balances[-1] == D("24.29967947")
	E
	grep -q ' records 7 .* copies 0 ' err
}

@test "the same, each event twice and fills told in every order: the same records" {
	round_trip | bnc-normalize >expected
	round_trip | grep -v TRADE_LITE | bnc-normalize | cmp - expected
	round_trip | sed '/TRADE/p' | bnc-normalize -v 2>err | cmp - expected
	grep -q ' copies 4 ' err
	# the early report last
	{ round_trip | grep -v TRADE_LITE; round_trip | grep TRADE_LITE; } | bnc-normalize -v 2>err | cmp - expected
	grep -q ' copies 2 ' err
	# without our keys, in the exchange's envelope, behind a time
	round_trip | grep userData | jq -c .data | bnc-normalize | cmp - <(tail -n +2 expected)
	round_trip | grep userData | jq -c '{stream: "KEY", data: .data}' | bnc-normalize | cmp - <(tail -n +2 expected)
	round_trip | grep userData | jq -c .data | sed 's/^/1583850790000 /' | bnc-normalize | cmp - <(tail -n +2 expected)
}

alone() { # ID TIME: the record of an early report
	printf '{"type":"trade_executed","symbol":"BNB","side":"BUY","price":"313.2","qty":"0.02","ts":%s,"pair":"BNBUSDT","market":"usdm","id":"%s","orderId":"5884"}\n' "$2" "$1"
}

@test "an early report without its full one comes by itself: a second later, and at the end" {
	lite 1583850780000 101 BUY 313.20 >early
	bnc-normalize early | diff - <(alone 101 1583850780000)
	bnc-normalize - early </dev/null | diff - <(alone 101 1583850780000)
	quote() { printf '{"e":"bookTicker","u":1,"s":"BNBUSDT","b":"1","B":"1","a":"2","A":"1","E":%s}\n' "$1"; }
	quote 1583850780999 >soon
	quote 1583850781000 >later
	[ "$(bnc-normalize early soon | jq -r .type | tr '\n' ' ')" = "price_update trade_executed " ]
	[ "$(bnc-normalize early later | jq -r .type | tr '\n' ' ')" = "trade_executed price_update " ]
	# the full report that comes then is too late, and says so in the counters
	full 1583850780000 101 BUY 313.2 0.0025056 0 >late
	run --separate-stderr bnc-normalize -v early later late
	[ "${#lines[@]}" -eq 2 ]
	[[ $stderr == *" copies 1 "* ]]
	# a refused line that ends it (--strict) does not lose it
	echo bad >bad
	run --separate-stderr bnc-normalize --strict early bad later
	[ "$status" -eq 1 ]
	[ "$output" = "$(alone 101 1583850780000)" ]
}

@test "an early report that waits is not lost to a signal" {
	local signal
	for signal in TERM INT; do
		rm -f in.fifo
		mkfifo in.fifo
		STDIN=in.fifo start normalize bnc-normalize
		exec 5>in.fifo
		lite 1583850780000 101 BUY 313.20 >&5
		wallet 1583850780000 24.30238498 0.02 313.2 >&5
		wait_for 5 grep -q position_update normalize.out
		run ! grep -q trade_executed normalize.out
		stop normalize $signal
		exec 5>&-
		[ "$status" -eq 0 ]
		[ "$(tail -n 1 normalize.out)" = "$(alone 101 1583850780000)" ]
	done
}

@test "no more than 64 wait: the 65th makes the first come" {
	local id
	for id in {1..70}; do lite 1583850780000 "$id" BUY 313.20; done >in
	echo '{"type":"mark"}' >>in # passes at once
	bnc-normalize in >out
	diff out <(for id in {1..6}; do alone "$id" 1583850780000; done; echo '{"type":"mark"}'
		for id in {7..70}; do alone "$id" 1583850780000; done)
}

@test "the window of fills is the last 4096" {
	/usr/bin/python3 - >in <<-'E'
		def report(i):
		    print('{"e":"executionReport","E":1760946669043,"s":"BNBUSDT","S":"BUY","x":"TRADE","L":"1","l":"1","t":%d,"i":1}' % i)
		for i in range(4097):
		    report(i)
		report(1) # the oldest that is remembered
		report(0) # forgotten
	E
	bnc-normalize -m spot -v in >out 2>err
	grep -q ' records 4098 .* copies 1 ' err
	[ "$(tail -n 1 out | jq -r .id)" = 0 ]
}

@test "no record carries a listen key" {
	local key=pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1
	{
		echo '{"e":"listenKeyExpired","E":1736996475556,"listenKey":"'$key'"}'
		echo '{"stream":"'$key'","data":{"e":"listenKeyExpired","E":"1736996475556","listenKey":"'$key'"}}'
		round_trip | grep userData | jq -c "{stream: \"$key\", data: .data}"
		echo '{"stream":"'$key'","data":{"e":"ACCOUNT_UPDATE","E":1,"a":5}}'
	} >in
	run -1 --separate-stderr bnc-normalize in
	[ "$(grep -c '"state":"stale"' <<<"$output")" -eq 2 ]
	run ! grep -F "$key" <<<"$output$stderr"
}

@test "a snapshot of all three markets gives what bnc-equity needs" {
	cat >snapshot <<-'E'
		{"recv":1790526538965462,"market":"usdm","stream":"/fapi/v3/balance","data":[{"asset":"USDT","balance":"1000.5","updateTime":0},{"asset":"BNB","balance":"1","updateTime":0}]}
		{"recv":1790526538965463,"market":"usdm","stream":"/fapi/v2/positionRisk","data":[{"symbol":"BNBUSDT","positionAmt":"0.020","entryPrice":"313.20000000000005","markPrice":"313.19672593","unRealizedProfit":"-0.00006548","positionSide":"BOTH","maxNotionalValue":"1.0E8","updateTime":5},{"symbol":"ADAUSDT","positionAmt":"-30","entryPrice":"0.385","markPrice":"0.41047590","unRealizedProfit":"-0.76427700","positionSide":"SHORT","updateTime":5}]}
		{"recv":1790526538965464,"market":"coinm","stream":"/dapi/v1/balance","data":[{"asset":"BTC","balance":"0.5","updateTime":0}]}
		{"recv":1790526538965465,"market":"coinm","stream":"/dapi/v1/positionRisk","data":[{"symbol":"BTCUSD_PERP","positionAmt":"1","entryPrice":"11707.70000003","markPrice":"11788.66626667","unRealizedProfit":"0.00005866","positionSide":"BOTH","updateTime":5}]}
	E
	run --separate-stderr bnc-normalize snapshot
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 6 ]
	# 0.02 x (313.19672593 - 313.20000000000005) - 30 x (0.4104759 - 0.385) = -0.764342481400001
	[ "$(bnc-normalize snapshot | bnc-equity | grep equity_ | tail -n 1 | jq -r .equity)" = 999.735657518599999 ]
	[ "$(bnc-normalize snapshot | bnc-equity -a BTC | grep equity_ | tail -n 1 | jq -r .equity)" = 0.50005866 ]
}

@test "contractSize of coin-margined positions and fills, where --symbols knows it" {
	cat >info <<-'E'
		{"symbols":[{"symbol":"BTCUSD_PERP","pair":"BTCUSD","baseAsset":"BTC","contractSize":100},{"symbol":"SOLUSD_PERP","baseAsset":"SOL","contractSize":10}]}
	E
	cat >in <<-'E'
		{"e":"ACCOUNT_UPDATE","E":1,"i":"x","a":{"m":"ORDER","B":[],"P":[{"s":"BTCUSD_PERP","pa":"1","ep":"2","up":"0","ps":"BOTH"},{"s":"SOLUSD_PERP","pa":"1","ep":"2","up":"0","ps":"BOTH"},{"s":"XUSD_PERP","pa":"1","ep":"2","up":"0","ps":"BOTH"}]}}
		{"e":"ORDER_TRADE_UPDATE","E":1,"i":"x","o":{"s":"SOLUSD_PERP","S":"BUY","x":"TRADE","l":"1","L":"2","t":1,"i":1,"ps":"BOTH","rp":"0"}}
	E
	[ "$(bnc-normalize -m coinm --symbols info in | jq -r .contractSize | tr '\n' ' ')" = "100 10 null 10 " ]
	[ "$(bnc-normalize -m coinm in | jq -r .contractSize | tr '\n' ' ')" = "null null null null " ]
	[ "$(bnc-normalize --symbols info in | jq -r .contractSize | tr '\n' ' ')" = "null null null null " ]
}

# --- real events ------------------------------------------------------------------------------------------------------

@test "every recorded event of a real account is read" {
	have_shared quantconnect/all_events.ndjson
	local events=$SHARED/quantconnect/all_events.ndjson
	run --separate-stderr bnc-normalize -v "$events"
	[ "$status" -eq 0 ]
	[[ $stderr == *" refused 0 "*" copies 0 "*" unknown 0" ]]
	# each fill in it is told, with its fee; each event of a conditional order is a notice
	diff <(jq -r '.event // . | (.o // .) as $o | select(.e == "ORDER_TRADE_UPDATE" or .e == "executionReport") |
			select(($o | if type == "object" then .x else null end) == "TRADE" or .x == "TRADE") |
			(if .e == "executionReport" then . else .o end) | [.s, .S, .t, .i, .N] | join(" ")' "$events") \
		<(jq -r 'select(.type == "trade_executed") | [.pair, .side, .id, .orderId, .feeAsset] | join(" ")' <<<"$output")
	[ "$(grep -c '"e":"ALGO_UPDATE"' "$events")" -eq "$(grep -c '"event":"ALGO_UPDATE"' <<<"$output")" ]
	[ "$(jq -r 'select(.market == "spot") | .id' <<<"$output" | wc -l)" -eq 4 ]
}

@test "events of an account among another client's fixtures are read, but for those of options" {
	have_shared go-binance/embedded.ndjson
	local of_account='ACCOUNT_|ORDER_TRADE|TRADE_LITE|MARGIN_CALL|ALGO|listenKey|executionReport|outbound'
	grep -E "\"e\": *\"($of_account)" "$SHARED/go-binance/embedded.ndjson" >events
	[ "$(wc -l <events)" -ge 19 ]
	# of options: an array of orders, and no account
	jq -c 'select((.o | type) == "array" or (.e == "ACCOUNT_UPDATE" and (has("a") | not)))' events >options
	[ "$(wc -l <options)" -eq 3 ]
	run --separate-stderr bnc-normalize options
	[ "$status" -eq 1 ]
	[ -z "$output" ]
	jq -c 'select(((.o | type) == "array" or (.e == "ACCOUNT_UPDATE" and (has("a") | not))) | not)' events >rest
	run --separate-stderr bnc-normalize -v rest
	[ "$status" -eq 0 ]
	[[ $stderr == *" refused 0 "*" unknown 0" ]]
}

# --- times ------------------------------------------------------------------------------------------------------------

@test "frames of an account have the times that other programs go by" {
	round_trip >account
	printf '{"recv":%s000000,"market":"usdm","stream":"x","data":{"e":"unheard","E":1}}\n' 1583850769 1583850782 1583850790 >market
	# merged by time, the market's frames stand where they belong
	bnc-merge --by-time account market | grep -n unheard | cut -d: -f1 | tr '\n' ' ' >where
	[ "$(cat where)" = "1 7 11 " ]
	# and so do bare events by their own time
	grep userData account | jq -c .data >bare
	bnc-merge --by-time bare market | grep -n unheard | cut -d: -f1 | tr '\n' ' ' >where
	[ "$(cat where)" = "1 5 9 " ]
	# heartbeats on the clock of events, of frames and of records alike
	bnc-heartbeat -i 5 --clock event account | grep -c heartbeat >frames
	[ "$(cat frames)" -eq 2 ]
	bnc-normalize account | bnc-heartbeat -i 5 --clock event | grep -c heartbeat >records
	[ "$(cat records)" -eq 2 ]
	# replayed as far apart as they were
	[ "$(bnc-replay -x max --from 2020-03-10T14:33:04Z account | wc -l)" -eq 3 ]
	bnc-replay -x max account | cmp - account
}
