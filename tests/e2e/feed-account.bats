# feed.sh with an account, and with paper trading
load ../lib
load stream
load account

FEED=$ROOT/scripts/feed.sh

bats_require_minimum_version 1.5.0

setup() {
	lib_setup
	export BNC_BIN=$BIN
}

# feed.sh on the exchange of `market`
feed() {
	export BNC_SOURCE=live BNC_URL=wss://127.0.0.1:$MOCK_PORT BNC_CACERT=$MOCK_CA
	start feed "$FEED" 8>&-
}

has_record() { jq -se "map(select($1)) | length > 0" <(grep -a '}$' feed.out) >/dev/null; }
record() { wait_for $PATIENCE has_record "$1"; }

# of all that this test has started, bnc-account too, which has wiped its own
nobody_shows_the_key() {
	local pid
	holders "$API_KEY" >shown
	holders "$API_SECRET" >>shown
	cat shown
	[ ! -s shown ]
	# nor would a core file
	for pid in $(awk '/\/(feed|account|hub)\.sh/ { print $1 }' <<<"$(left_over)"); do
		grep -q '^Max core file size *0 *0' "/proc/$pid/limits"
	done
}

@test "an account: balance, positions and trades, mark prices of what it holds, also of what comes later; equity by them" {
	has '"usdm":{"balances":{"USDT":"1000"},"positions":[{"symbol":"SOLUSDT","positionAmt":"2","entryPrice":"140.25"}]}'
	market --symbols SOLUSDT,ETHUSDT,BTCUSDT
	export BNC_KEY_FILE=$SCRATCH/key
	feed
	record '.type == "balance_update" and .asset == "USDT" and .balance == "1000"'
	record '.type == "price_update" and .source == "mark" and .pair == "SOLUSDT"'
	record '.type == "position_update" and .pair == "SOLUSDT" and .markPrice and .unrealizedPnl'
	run ! has_record '.source == "mark" and .pair == "ETHUSDT"'
	order 'fill usdm ETHUSDT SELL 0.5 3000'
	record '.type == "trade_executed" and .pair == "ETHUSDT" and .side == "SELL" and .fee == "0.6" and (.simulated | not)'
	record '.source == "mark" and .pair == "ETHUSDT"'
	record '.type == "equity_snapshot" and .positions == 2 and .balance == "999.4" and (.unpriced | not)'
	stop feed
	# equity is what balance, positions and the newest mark prices come to
	/usr/bin/python3 - <<-'P'
		import json
		from decimal import Decimal
		held, marks, checked = {}, {}, 0
		for line in open("feed.out"):
		    r = json.loads(line)
		    if r["type"] == "position_update" and "markPrice" not in r or r["type"] == "position_update" and r["pair"] not in held:
		        held[r["pair"]] = r
		    elif r["type"] == "price_update" and r["source"] == "mark":
		        marks[r["pair"]] = Decimal(r["price"])
		    elif r["type"] == "equity_snapshot" and held and all(p in marks for p in held):
		        pnl = sum(Decimal(p["qty"]) * (marks[p["pair"]] - Decimal(p["entryPrice"])) for p in held.values())
		        assert Decimal(r["unrealizedPnl"]) == pnl, (r, held, marks)
		        assert Decimal(r["equity"]) == Decimal(r["balance"]) + pnl
		        checked += 1
		assert checked >= 2 and len(held) == 2, checked
	P
}

@test "a key in the environment is for bnc-account alone; no output says it" {
	has "$USDM"
	market
	export BNC_API_KEY=$API_KEY BNC_API_SECRET=$API_SECRET
	feed
	unset BNC_API_KEY BNC_API_SECRET
	record '.type == "price_update" and .source == "mark"'
	[[ $(left_over) == *account.sh* ]]
	nobody_shows_the_key
	stop feed
	[ "$status" -eq 0 ]
	secretless feed.out feed.err
}

@test "nor does a process of the service, whichever script it begins with" {
	local begin
	has "$USDM"
	market
	mkfifo open
	exec 6<>open
	export BNC_SOURCE=live BNC_URL=wss://127.0.0.1:$MOCK_PORT BNC_CACERT=$MOCK_CA BNC_PORT BNC_IDLE=1s STDIN=open
	BNC_PORT=$(free_port)
	for begin in hub.sh pipeline.sh serve.sh "service.sh feed"; do
		# shellcheck disable=SC2086 # words are meant
		BNC_API_KEY=$API_KEY BNC_API_SECRET=$API_SECRET start service "$ROOT/scripts/"$begin 6>&- 8>&-
		wait_for $PATIENCE test -S run/hub.sock
		start tap bnc-tap run/hub.sock 6>&- 8>&-
		wait_for $PATIENCE grep -q '"source":"mark"' tap.out
		[[ $(left_over) == *account.sh* ]]
		nobody_shows_the_key
		stop tap
		stop service
		[ "$status" -eq 0 ]
		wait_for $PATIENCE eval '[[ $(left_over) != *hub.sh* ]]'
		secretless tap.out run/*.log service.out service.err
	done
	exec 6>&-
}

@test "what ends one part ends the feed: a key that is refused, an account that is killed" {
	has "$USDM"
	market
	with_key "$API_KEY" 0000000000000000000000000000000000000000000000000000000000000000
	export BNC_KEY_FILE=$SCRATCH/key
	feed
	wait_end feed 20
	cat feed.err
	[ "$status" -eq 3 ]
	grep -q '^bnc-account: ' feed.err
	with_key "$API_KEY" "$API_SECRET"
	feed
	record '.type == "position_update" and .pair == "SOLUSDT"'
	kill -KILL "$(awk '/bnc-account/ { print $1; exit }' <<<"$(left_over)")"
	wait_end feed 20
	[ "$status" -ne 0 ]
	stop mock
	wait_for 5 nothing_left
	[ -z "$(ls -d "$BNC_RUN"/account.* 2>/dev/null)" ]
}

@test "paper trading by orders of a FIFO: fills, positions and equity are in the stream, and say that they are simulated" {
	has "$USDM"
	market
	mkfifo orders
	export BNC_PAPER=$SCRATCH/orders BNC_BALANCE=5000
	feed
	record '.type == "price_update"'
	echo '{"type":"order","id":"a","symbol":"SOL","pair":"SOLUSDT","market":"usdm","side":"BUY","orderType":"MARKET","qty":"0.5"}' >orders
	record '.type == "trade_executed" and .qty == "0.5" and .simulated'
	record '.type == "position_update" and .qty == "0.5" and .markPrice and .simulated'
	record '.type == "equity_snapshot" and .positions == 1 and .simulated'
	stop feed
	[ "$status" -eq 0 ]
}

@test "paper trading and an account do not go together; a demo trades paper" {
	BNC_SOURCE=live BNC_KEY_FILE=key BNC_PAPER=demo run "$FEED" --check
	[[ $status == 2 && $output == "feed.sh: "*BNC_PAPER* ]]
	BNC_SOURCE=demo BNC_PAPER=demo:x run "$FEED" --check
	[[ $status == 2 && $output == "bnc-paper: --demo: "* ]]
	BNC_SOURCE=demo BNC_DEMO_RATE=200 start feed "$FEED"
	record '.type == "trade_executed" and .simulated'
	stop feed
}
