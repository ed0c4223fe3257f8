load ../lib
bats_require_minimum_version 1.5.0

book() { # TS BID BIDQTY ASK ASKQTY
	printf '{"type":"price_update","symbol":"SOL","price":"1","ts":%s,"pair":"SOLUSDT","market":"usdm","source":"book","bid":"%s","bidQty":"%s","ask":"%s","askQty":"%s"}\n' \
		"$1" "$2" "$3" "$4" "$5"
}

order() { # ID SIDE QTY [MORE]
	printf '{"type":"order","id":"%s","symbol":"SOL","side":"%s","qty":"%s"%s}\n' "$1" "$2" "$3" "${4:-}"
}

cancel() { printf '{"type":"cancel","id":"%s"%s}\n' "$1" "${2:-}"; }

# what becomes of orders: fills as "id side qty@price", notices as their detail
story() {
	jq -r 'select(.simulated) | if .type == "trade_executed" then [.orderId, .side, .qty + "@" + .price] | join(" ") else .detail end'
}

# --- options -------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-paper -h
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-paper "* ]]
	run --separate-stderr bnc-paper --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^bnc-paper\ [0-9.]+$ ]]
	run --separate-stderr sh -c 'bnc-paper --help >/dev/full'
	[ "$status" -eq 3 ]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	for call in "-x" "--nope" "-o" "-a" "-a US.DT" "--fee-bps" "--fee-bps x" "--fee-bps 10001" "--fee-bps -10000.1" \
		"--fee-bps 0.000000001" "--fee-bps 1e39" "--demo" "--demo -1" "--demo x" "--demo 18446744073709551616" "--strict=1"; do
		run --separate-stderr bnc-paper $call < <(book 1 1 1 1 1)
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-paper:* ]]
		[[ ${stderr_lines[1]} == "usage: bnc-paper "* ]]
	done
}

# --- orders in the stream ---------------------------------------------------------------------------------------------

@test "lines pass unchanged, fills and notices behind what brought them about" {
	{ book 10 99 4 100 2; order a BUY 3; echo '{"type":"of tomorrow"}'; book 11 99 4 101 2; } >in
	{
		sed -n 1,2p in
		echo '{"type":"trade_executed","symbol":"SOL","side":"BUY","price":"100","qty":"2","ts":10,"pair":"SOLUSDT","market":"usdm","positionSide":"BOTH","fee":"0.1","feeAsset":"USDT","realizedPnl":"0","id":"1","orderId":"a","simulated":true}'
		sed -n 3,4p in
		echo '{"type":"trade_executed","symbol":"SOL","side":"BUY","price":"101","qty":"1","ts":11,"pair":"SOLUSDT","market":"usdm","positionSide":"BOTH","fee":"0.0505","feeAsset":"USDT","realizedPnl":"0","id":"2","orderId":"a","simulated":true}'
		echo '{"type":"status","state":"notice","ts":11,"stream":"paper","event":"ORDER","orderId":"a","detail":"order a: filled: BUY SOLUSDT, 3 of 3 filled","simulated":true}'
	} >expected
	run --separate-stderr bnc-paper in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff expected <(printf '%s\n' "$output")
	python3 -c 'import os, sys
for b in sys.stdin.buffer.read(): os.write(1, bytes([b]))' <in | bnc-paper | cmp - expected
}

@test "LIMIT, reduce-only, IOC, cancels and refusals" {
	{
		order z SELL 1 ',"reduceOnly":true'
		book 10 99 4 100 2
		order a BUY 1 ',"price":"98"'
		order b BUY 1 ',"price":"100.5"'
		order c SELL 5 ',"reduceOnly":true,"price":"99"'
		order d SELL 9 ',"timeInForce":"IOC"'
		book 11 97 4 98 1
		order e BUY 5 ',"price":"50"'
		order e BUY 5 ',"price":"51"'
		cancel e
		cancel e
		order f BUY much
		order g HOLD 5
	} | bnc-paper -v --fee-bps 0 2>err | story >out
	diff out - <<-'E'
		order z: refused: there is nothing that it would reduce
		b BUY 1@100
		order b: filled: BUY SOLUSDT, 1 of 1 filled
		c SELL 1@99
		order c: expired, nothing is left to reduce: SELL SOLUSDT, 1 of 5 filled
		d SELL 3@99
		order d: expired, no more can be filled at once: SELL SOLUSDT, 3 of 9 filled
		a BUY 1@98
		order a: filled: BUY SOLUSDT, 1 of 1 filled
		order e: refused: id is that of an open order
		order e: cancelled: BUY SOLUSDT, 0 of 5 filled
		order e: refused: no open order has that id
		order f: refused: qty is missing or no decimal number above zero
		order g: refused: side is neither BUY nor SELL
	E
	[ "$(cat err)" = "bnc-paper: in 13 out 27 refused 0 orders 5 rejected 5 ended 5 open 0 fills 4 pairs 1" ]
}

@test "fees, rebates and other quote assets" {
	{ book 10 99 4 100 2; order a BUY 0.3; } >in
	[ "$(bnc-paper --fee-bps 4.5 in | jq -r 'select(.fee) | .fee + " " + .feeAsset')" = "0.0135 USDT" ]
	[ "$(bnc-paper --fee-bps -0.00000001 in | jq -r 'select(.fee) | .fee')" = "-0.00000000003" ]
	[ "$(sed 's/"pair":"SOLUSDT",//' in | bnc-paper -a usdc | jq -r 'select(.fee) | .pair + " " + .feeAsset')" = "SOLUSDC USDC" ]
}

# --- orders beside it --------------------------------------------------------------------------------------------------

@test "orders of a file take effect in front of the first line that is not older" {
	{ order a BUY 1 ',"ts":11'; order b SELL 1 ',"ts":11'; cancel x ',"ts":13'; order l BUY 1 ',"ts":99'; } >orders
	for i in 10 11 12 13; do book $i $((i + 80)) 9 $((i + 90)) 9; done >in
	run --separate-stderr bnc-paper -o orders --fee-bps 0 in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	jq -r 'if .simulated then (.detail // .qty + "@" + .price) + " " + (.ts | tostring) else (.id // "book") + " " + (.ts | tostring) end' \
		<<<"$output" >out
	diff out - <<-'E'
		book 10
		a 11
		1@100 11
		order a: filled: BUY SOLUSDT, 1 of 1 filled 11
		b 11
		1@90 11
		order b: filled: SELL SOLUSDT, 1 of 1 filled 11
		book 11
		book 12
		x 13
		order x: refused: no open order has that id 13
		book 13
	E
	# what comes out, less what is simulated, gives the same once more
	grep -vF '"simulated":true' <<<"$output" | bnc-paper --fee-bps 0 | diff - <(printf '%s\n' "$output")
}

@test "a file that holds something else, or cannot be read, ends the program before it writes" {
	book 1 1 1 1 1 >in
	{ order a BUY 1 ',"ts":1'; order b BUY 1; } >orders
	run --separate-stderr bnc-paper -o orders in
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[ "$stderr" = "bnc-paper: orders: line 2: byte 0: ts is missing or no time in ms" ]
	cp in orders
	run --separate-stderr bnc-paper -o orders in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-paper: orders: line 1: byte 9: type is neither order nor cancel" ]
	echo '{"type":"order"' >orders
	run --separate-stderr bnc-paper -o orders in
	[ "$status" -eq 3 ]
	run --separate-stderr bnc-paper -o nowhere in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-paper: nowhere: No such file or directory" ]
	run --separate-stderr bnc-paper -o . in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-paper: .: Is a directory" ]
}

told() { grep -qF -- "$1" "$SCRATCH/paper.out"; }

@test "a FIFO: orders as they come, also after those who wrote to it have gone" {
	mkfifo in orders
	start paper bnc-paper --fee-bps 0 -o orders in
	exec 8>in
	book 10 99 4 100 2 >&8
	wait_for 5 told '"ts":10'
	order a BUY 1 >orders
	wait_for 5 told 'order a: filled'
	order b BUY 1.5 >orders
	wait_for 5 told '"orderId":"b"'
	cancel b >orders
	wait_for 5 told 'order b: cancelled: BUY SOLUSDT, 1 of 1.5 filled'
	{ echo 'no JSON'; echo '{"type":"heartbeat","ts":5}'; } >orders
	wait_for 5 grep -q "neither" "$SCRATCH/paper.err"
	book 11 99 4 100 2 >&8
	wait_for 5 told '"ts":11'
	# the end of the stream is the end, whoever may still write
	exec 9<>orders 8>&-
	wait_end paper 5
	exec 9>&-
	[ "$status" -eq 1 ]
	sed -n '1,2s/byte [0-9]*: .*//p' "$SCRATCH/paper.err" | diff - <(printf 'bnc-paper: orders: line %d: \n' 4 5)
	story <"$SCRATCH/paper.out" >out
	diff out - <<-'E'
		a BUY 1@100
		order a: filled: BUY SOLUSDT, 1 of 1 filled
		b BUY 1@100
		order b: cancelled: BUY SOLUSDT, 1 of 1.5 filled
	E
	# the orders stand in the stream, which so gives the same again
	grep -vF '"simulated":true' "$SCRATCH/paper.out" | bnc-paper --fee-bps 0 | cmp - "$SCRATCH/paper.out"
	[ -z "$(left_over)" ]
}

@test "a FIFO that nobody writes to does not hold up anything, nor does its absence of orders end anything" {
	mkfifo orders
	book 1 1 1 1 1 >in
	run --separate-stderr timeout $((10 * SLOW)) bnc-paper -o orders in
	[ "$status" -eq 0 ]
	diff in <(printf '%s\n' "$output")
	# /dev/null ends at once; the stream goes on
	run --separate-stderr timeout $((10 * SLOW)) bnc-paper -o /dev/null in
	[ "$status" -eq 0 ]
	diff in <(printf '%s\n' "$output")
}

@test "--strict ends at the first line that is refused, of the stream and of the orders" {
	mkfifo in orders
	{ book 1 1 1 1 1; echo nothing; book 2 1 1 1 1; } >lines
	run --separate-stderr bnc-paper --strict lines
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	start paper bnc-paper --strict -o orders in
	exec 8>in
	book 10 99 4 100 2 >&8
	wait_for 5 told '"ts":10'
	echo nothing >orders
	wait_end paper 5
	exec 8>&-
	[ "$status" -eq 1 ]
}

@test "SIGUSR1 tells the counters, SIGTERM ends it" {
	mkfifo in orders
	start paper bnc-paper -o orders in
	exec 8>in
	book 10 99 4 100 2 >&8
	order a BUY 1 ',"price":"5"' >orders
	wait_for 5 told '"id":"a"'
	wait_for 5 told '"ts":10'
	kill -USR1 "$paper_pid"
	wait_for 5 grep -qx "bnc-paper: in 2 out 2 refused 0 orders 1 rejected 0 ended 0 open 1 fills 0 pairs 1" "$SCRATCH/paper.err"
	stop paper
	exec 8>&-
	[ "$status" -eq 0 ]
	[ -z "$(left_over)" ]
}

# --- the demo ---------------------------------------------------------------------------------------------------------

chain() { bnc-paper --demo "${1:-7}" books | bnc-position -b 10000 | bnc-equity -a USDT; }

@test "a demo and its account give the same bytes each time, and equity is balance and unrealized PnL to the last digit" {
	"$TOOLS/fills" books 3 20000 >books
	chain >first
	chain >second
	cmp first second
	run ! cmp -s first <(chain 8)
	# every snapshot, computed from fills and books in fractions
	run "$TOOLS/fills" equity 10000 <first
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = "True ['BNBUSDT', 'BTCUSDT', 'BTCUSD_PERP', 'DOGEUSDT', 'SOLUSDT']" ]
	# the books have passed, and all else is marked
	grep -F '"type":"price_update"' first | cmp - books
	[ "$(grep -vF -e price_update -e '"simulated":true' first | jq -r .type | sort | uniq -c | tr -s ' ')" = \
		" 1 balance_update
 $(grep -c '"equity":"10000".*0}$' first) equity_snapshot" ]
	# several of each minute
	[ "$(grep -c trade_executed first)" -gt 500 ]
	run ! grep -q '"status"' first
}

@test "the end of the chain is right by decimal arithmetic, too" {
	"$TOOLS/fills" books 4 5000 >books
	chain >out
	run python3 - <<-'E'
		import json
		from decimal import Decimal, getcontext
		getcontext().prec = 60
		balance, held, mid, last = Decimal(10000), {}, {}, None
		for line in open("out"):
		    r = json.loads(line)
		    if r["type"] == "price_update":
		        mid[r["market"], r["pair"]] = (Decimal(r["bid"]) + Decimal(r["ask"])) / 2
		    elif r["type"] == "trade_executed" and r["market"] == "usdm":
		        balance += Decimal(r["realizedPnl"]) - Decimal(r["fee"])
		    elif r["type"] == "position_update":
		        held[r["market"], r["pair"]] = Decimal(r["qty"]), Decimal(r["entryPrice"])
		    elif r["type"] == "equity_snapshot":
		        last = r
		pnl = sum(q * (mid[k] - e) for k, (q, e) in held.items() if k[0] == "usdm")
		assert (Decimal(last["balance"]), Decimal(last["unrealizedPnl"]), Decimal(last["equity"])) == \
		    (balance, pnl, balance + pnl), (last, balance, pnl)
		print("equal")
	E
	echo "$output"
	[ "$output" = equal ]
}
