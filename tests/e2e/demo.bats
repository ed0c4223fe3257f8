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
	# nor is a position or an equity anybody's, from the first on
	jq -e -s 'map(select(.type == "equity_snapshot" or .type == "position_update")) | length > 0 and all(.simulated)' out >/dev/null
}

@test "demo: equity moves with the price, exactly" {
	export BNC_SOURCE=demo BNC_BALANCE=5000 BNC_DEMO_RATE=50 BNC_RATE=0 BNC_PAPER=
	serve
	client --seconds 4 | sed '1,/from here on/d' >out
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

# what runs but for serve.sh itself
others() {
	left=$(left_over)
	grep -E 'bnc-|pipeline|feed|hub.sh|cat' <<<"$left" || true
}
only_serve() { [[ -z $(others) ]]; }
taps() { grep -c bnc-tap <<<"$(others)" || true; }

@test "500 clients that leave in every way: one feed, one connection to the exchange, nothing is left" {
	start_mock
	export BNC_SOURCE=live BNC_URL=wss://127.0.0.1:$MOCK_PORT BNC_CACERT=$MOCK_CA
	serve
	client --seconds $((5 * SLOW)) --until '"symbol":"SOL"' >/dev/null
	local before after hub
	hub=$(awk '$2 == "bnc-hub" { print $1 }' <<<"$(others)")
	memory() { awk '/VmRSS/ { print $2 }' "/proc/$hub/status"; }
	before=$(memory)
	run "$TOOLS/ws-cycles" "$BNC_PORT" 500
	echo "$output"
	((output >= 300)) # 64 at a time
	wait_for $((3 * SLOW)) eval '[[ $(taps) == 0 ]]'
	after=$(memory)
	echo "hub: $before kB before, $after kB after"
	((after - before < 2000)) || [[ -n ${SAN:-} ]]
	(($(grep -c '"event":"accept"' mock.out) == 1))
	# the same processes as before
	[[ $(grep -c 'scripts/feed.sh' <<<"$(others)") == 1 ]]
}

@test "websocketd and pipeline.sh alone, 500 clients: one connection to the exchange, no process and no descriptor stays, memory is flat" {
	start_mock
	export BNC_SOURCE=live BNC_URL=wss://127.0.0.1:$MOCK_PORT BNC_CACERT=$MOCK_CA
	# the literal command, in the tree itself; what stands behind the port is for loopback and the exchange there
	start websocketd env -C "$ROOT" websocketd --port="$BNC_PORT" --address=127.0.0.1 --loglevel=error \
		--passenv=PATH,BNC_SOURCE,BNC_URL,BNC_CACERT,BNC_RUN,BNC_BIN ./scripts/pipeline.sh
	wait_for 5 eval '(exec 9<>"/dev/tcp/127.0.0.1/$BNC_PORT") 2>/dev/null'
	clients() { # HOW MANY: five at a time, each until it has a price
		local i running=()
		for i in 1 2 3 4 5; do
			client --seconds $((20 * SLOW)) --times $(($1 / 5)) --until '"symbol":"SOL"' 3>&- >/dev/null &
			running+=($!)
		done
		for i in "${running[@]}"; do
			wait "$i"
		done
	}
	local hub before memory after
	holds() { ls "/proc/$1/fd" | wc -l; }
	resident() { awk '/VmRSS/ { print $2 }' "/proc/$1/status"; }
	clients 50
	wait_for $((5 * SLOW)) eval '! pgrep -P "$websocketd_pid"'
	hub=$(awk '$2 == "bnc-hub" { print $1 }' <<<"$(others)")
	now_there() { left=$(left_over) && echo "$left" && holds "$websocketd_pid" && holds "$hub"; }
	before=$(now_there)
	memory=("$(resident "$websocketd_pid")" "$(resident "$hub")")
	clients 500
	# the same processes, not one more, with as many descriptors
	wait_for $((5 * SLOW)) eval '! pgrep -P "$websocketd_pid"'
	wait_for $((5 * SLOW)) eval '[[ $(now_there) == "$before" ]]'
	after=("$(resident "$websocketd_pid")" "$(resident "$hub")")
	echo "websocketd, hub: ${memory[*]} kB before, ${after[*]} kB after"
	# 2 kB a client of the hub's; of websocketd's 4 MB more are garbage, which Go does not collect before there is so much
	((after[0] - memory[0] < 4000 + 2000 && after[1] - memory[1] < 1000)) || [[ -n ${SAN:-} ]]
	(($(grep -c '"event":"accept"' mock.out) == 1 && $(grep -c '"event":"open"' mock.out) == 1))
}

@test "a page that is opened late has prices, positions and a curve of equity at once" {
	export BNC_SOURCE=demo
	serve
	client --seconds $((8 * SLOW)) --until '"symbol":"SOL"' --until '"type":"heartbeat"' >/dev/null
	sleep 3 # a curve has more than a point
	client --seconds 0.5 >out
	jq -e -s 'any(.type == "price_update") and any(.type == "status" and .source == "demo") and
		([.[] | select(.type == "equity_snapshot")] | length) >= 3' out
	# nothing twice, nothing torn
	jq -c 'select(.type == "equity_snapshot")' out | sort | uniq -d | cmp - /dev/null
}

@test "feed, hub and exchange killed at random 100 times: the client is told, and served again over the same connection" {
	[[ -z ${SAN:-} ]] || skip "the time of a sanitized start is no test of this"
	mkfifo orders
	exec 7<>orders
	export BNC_SOURCE=demo BNC_DEMO_RATE=50 BNC_RATE=0 BNC_PAPER=$SCRATCH/orders BNC_BACKOFF=10ms,50ms
	serve 7>&-
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 380 7>&-
	local what pid n killed=0 trades=0
	# since the last kill: another feed, and a price of it
	back() {
		awk -v n="$n" 'NR > n && /prices are made up/ { again = 1 } again && /price_update/ { found = 1; exit } END { exit !found }' client.out
	}
	bought() { grep -q "\"type\":\"trade_executed\".*\"orderId\":\"order-$killed\"" client.out; }
	wait_for 20 grep -q price_update client.out
	RANDOM=7
	while ((killed < 100)); do
		what=$((RANDOM % 3))
		pid=$(awk -v what="$what" '
			what == 0 && $2 == "bnc-mock" || what == 1 && $2 == "bnc-hub" || what == 2 && /scripts\/feed.sh/ { print $1; exit }' <<<"$(others)")
		n=$(wc -l <client.out)
		kill -KILL "$pid"
		((killed += 1))
		wait_for 20 back
		((killed % 5)) || {
			echo '{"type":"order","id":"order-'$killed'","symbol":"SOL","pair":"SOLUSDT","market":"usdm","side":"BUY","orderType":"MARKET","qty":"1"}' >&7
			wait_for 20 bought
			((trades += 1))
		}
	done
	exec 7>&-
	stop client
	jq -e -s 'all(type == "object")' client.out >/dev/null
	(($(grep -c '"state":"connecting"' client.out) >= 100))
	# of one price after the other, and of all trades and snapshots, none is given twice
	grep price_update client.out | uniq -d | cmp - /dev/null
	grep -E '"type":"(trade_executed|equity_snapshot)"' client.out | sort | uniq -d | cmp - /dev/null
	(($(grep -c trade_executed client.out) == trades && trades == 20))
}

@test "serve.sh killed while the demo runs: the offline exchange and all filters go" {
	export BNC_SOURCE=demo
	serve
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	wait_for $((5 * SLOW)) grep -q price_update client.out
	stop serve KILL
	wait_for 3 only_serve
	local left_behind=(run/demo.*) dir
	serve
	for dir in "${left_behind[@]}"; do
		[[ ! -e $dir ]]
	done
}

@test "the offline exchange killed: the client is told, and the feed comes back" {
	export BNC_SOURCE=demo
	serve
	start client "$WS" "ws://127.0.0.1:$BNC_PORT/ws" --seconds 60
	wait_for $((5 * SLOW)) grep -q price_update client.out
	left=$(left_over)
	kill -KILL "$(awk '$2 == "bnc-mock" { print $1 }' <<<"$left")"
	wait_for $((8 * SLOW)) grep -q 'the feed has ended' client.out
	wait_for $((8 * SLOW)) eval '[[ $(sed "1,/the feed has ended/d" client.out) == *price_update* ]]'
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
