# The whole way, as make demo goes it: the offline exchange, bnc-stream over TLS, the filters, websocketd, a client.
load ../lib

WS=$TOOLS/ws
# a sanitized build is slower
SLOW=${SAN:+5}
SLOW=${SLOW:-1}

setup() {
	lib_setup
	export BNC_BIN=$BIN BNC_PORT
	BNC_PORT=$(free_port)
}

serve() {
	start serve bash -c 'exec "$@" 9>ready' bash "$ROOT/scripts/serve.sh" --ready-fd 9
	wait_for 10 test -s ready
}

client() { "$WS" "ws://127.0.0.1:$BNC_PORT/ws" "$@"; }

@test "demo: prices, equity and heartbeats within seconds, and it says that it is no market" {
	export BNC_SOURCE=demo https_proxy=http://127.0.0.1:9 # needed for nothing here
	serve
	grep -q 'source demo' serve.out
	client --seconds $((3 * SLOW)) --until '"type":"price_update","symbol":"SOL"' --until '"type":"equity_snapshot"' \
		--until '"type":"status".*"source":"demo"' >out
	client --seconds $((5 * SLOW)) --until '"type":"heartbeat"' >>out
	# each message is a record, none is empty or longer than a frame, none claims to be live
	jq -e -s 'all(.[]; (.type | type) == "string" and (.ts | type) == "number")' out >/dev/null
	(($(awk 'length > 4082 || length == 0' out | wc -l) == 0))
	run ! grep '"source":"live"' out
}

@test "demo: equity moves with the price, exactly" {
	export BNC_SOURCE=demo BNC_BALANCE=5000 BNC_RATE=50
	serve
	client --seconds 4 >out
	/usr/bin/python3 - <<-'E'
		import json
		from decimal import Decimal
		price, seen = None, set()
		for line in open("out"):
		    r = json.loads(line)
		    if r["type"] == "price_update" and r["symbol"] == "SOL":
		        price = Decimal(r["price"])
		    elif r["type"] == "equity_snapshot" and price is not None:
		        assert Decimal(r["equity"]) == 5000 + 25 * (price - 140), (price, r)
		        assert Decimal(r["unrealizedPnl"]) == 25 * (price - 140), (price, r)
		        seen.add(r["equity"])
		assert len(seen) > 5, seen
	E
}

@test "demo: several symbols and streams, positions of one's own" {
	echo '{"type":"position_update","symbol":"ETH","qty":"-2","entryPrice":"1","markPrice":"1","unrealizedPnl":"0","ts":1,"pair":"ETHUSDT","market":"usdm","positionSide":"BOTH"}' >positions
	export BNC_SOURCE=demo BNC_SYMBOLS="SOLUSDT, ethusdt@aggTrade" BNC_POSITIONS=$SCRATCH/positions
	serve
	client --seconds $((5 * SLOW)) --until '"symbol":"SOL".*"source":"book"' --until '"symbol":"ETH".*"source":"trade"' \
		--until '"type":"equity_snapshot","balance":"10000","unrealizedPnl":"-' >/dev/null
}

@test "live without a network: clients are told, heartbeats go on" {
	# a proxy that is not there: nothing leaves this machine, wherever the test runs
	export BNC_SOURCE=live https_proxy
	https_proxy=http://127.0.0.1:$(free_port)
	serve
	client --seconds $((12 * SLOW)) --until '"type":"status","state":"connecting".*"source":"live".*next attempt' \
		--until '"type":"heartbeat"' >out
	client --seconds 7 >out
	(($(grep -c '"type":"heartbeat"' out) >= 2))
	jq -e -s 'all(.[]; .type == "heartbeat" or .type == "equity_snapshot" or (.type == "status" and .state == "connecting"))' out >/dev/null
}

@test "another exchange than Binance's own is never called live" {
	start_mock
	export BNC_SOURCE=live BNC_URL=wss://127.0.0.1:$MOCK_PORT BNC_CACERT=$MOCK_CA
	serve
	client --seconds $((5 * SLOW)) --until '"type":"status","state":"live".*"source":"demo"' --until '"symbol":"SOL"' >out
	run ! grep '"source":"live"' out
}

only_serve() {
	left=$(left_over)
	! grep -qE 'bnc-(mock|stream|normalize|equity|heartbeat)|pipeline|feed|cat' <<<"$left"
}

@test "40 clients of the demo that leave in every way leave nothing, neither processes nor files" {
	export BNC_SOURCE=demo
	serve
	run "$TOOLS/ws-cycles" "$BNC_PORT" 40
	echo "$output"
	((output >= 30))
	wait_for $((3 * SLOW)) only_serve
	# a feed that was killed before it could tidy up: the next one does
	local dirs=(run/demo.*) dir
	client --seconds $((3 * SLOW)) --until '"symbol":"SOL"' >/dev/null
	for dir in "${dirs[@]}"; do
		[[ ! -e $dir ]]
	done
}

@test "serve.sh killed while the demo runs: the offline exchange and all filters go" {
	export BNC_SOURCE=demo
	serve
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	wait_for $((5 * SLOW)) grep -q price_update client.out
	stop serve KILL
	wait_for 2 only_serve
	serve
	[[ -z $(compgen -G 'run/demo.*') ]]
}

@test "the offline exchange killed: the client is told by the end, and the next one is served" {
	export BNC_SOURCE=demo
	serve
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	wait_for $((5 * SLOW)) grep -q price_update client.out
	left=$(left_over)
	kill -KILL "$(awk '$2 == "bnc-mock" { print $1 }' <<<"$left")"
	wait_end client 5
	client --seconds $((3 * SLOW)) --until '"symbol":"SOL"' >/dev/null
}

@test "feed.sh by hand: ends with its reader, and with a signal" {
	export BNC_SOURCE=demo
	"$ROOT/scripts/feed.sh" | head -n 20 >out
	(($(wc -l <out) == 20))
	wait_for 2 nothing_left
	start feed "$ROOT/scripts/feed.sh"
	wait_for $((5 * SLOW)) grep -q price_update feed.out
	stop feed TERM
	((status == 0))
	wait_for 2 nothing_left
	[[ -z $(compgen -G 'demo.*') ]]
}
