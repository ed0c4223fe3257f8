load ../lib
bats_require_minimum_version 1.5.0

price() { # PAIR PRICE TS [SOURCE] [MARKET]
	printf '{"type":"price_update","symbol":"X","price":"%s","ts":%s,"pair":"%s","market":"%s","source":"%s"}\n' \
		"$2" "$3" "$1" "${5:-usdm}" "${4:-book}"
}

position() { # PAIR QTY ENTRY TS [MORE]
	printf '{"type":"position_update","symbol":"X","qty":"%s","entryPrice":"%s"%s,"ts":%s,"pair":"%s","market":"usdm"}\n' \
		"$2" "$3" "${5:-}" "$4" "$1"
}

snapshots() { grep -F '"type":"equity_snapshot"'; }

# --- options -------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-equity -h
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-equity "* ]]
	run --separate-stderr bnc-equity --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^bnc-equity\ [0-9.]+$ ]]
	run --separate-stderr sh -c 'bnc-equity --help >/dev/full'
	[ "$status" -eq 3 ]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	for call in "-x" "--nope" "-b" "-b abc" "-b 1,5" "-b 0x10" "-b 1e39" "-a" "-a US.DT" "-p" "--mark" "--mark last" \
		"--mark=" "--every" "--every soon" "--every -1" "--every 0.5ms" "--strict=1" "--revalue" \
		"--revalue soon"; do
		run --separate-stderr bnc-equity $call < <(price SOLUSDT 1 1)
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-equity:* ]]
		[[ ${stderr_lines[1]} == "usage: bnc-equity "* ]]
	done
	run --separate-stderr bnc-equity -a ''
	[ "$status" -eq 2 ]
	run --separate-stderr bnc-equity -b 1e39
	[ "${stderr_lines[0]}" = "bnc-equity: -b: '1e39': more than 38 digits" ]
}

# --- what comes out -------------------------------------------------------------------------------------------------

@test "a snapshot stands behind each line that changes equity, the lines themselves unchanged" {
	position SOLUSDT -12.5 143.1 1 >positions
	{
		price SOLUSDT 142.355 1790526538940
		echo '{"type":"heartbeat","ts":1790526538941}'
		price SOLUSDT 142.3550 1790526538942
		echo ' { "type" : "balance_update", "balance" : 10000.25, "asset":"\u0055SDT", "ts" : 1790526538943 , "market":"usdm","reason":"FUNDING_FEE"} '
		echo '{"type":"of tomorrow","x":[]}'
		position SOLUSDT 0 0 1790526538944
	} >in
	{
		sed -n 1p in
		echo '{"type":"equity_snapshot","balance":"10000","unrealizedPnl":"9.3125","equity":"10009.3125","ts":1790526538940,"asset":"USDT","positions":1}'
		sed -n 2,4p in
		echo '{"type":"equity_snapshot","balance":"10000.25","unrealizedPnl":"9.3125","equity":"10009.5625","ts":1790526538943,"asset":"USDT","positions":1}'
		sed -n 5,6p in
		echo '{"type":"equity_snapshot","balance":"10000.25","unrealizedPnl":"0","equity":"10000.25","ts":1790526538944,"asset":"USDT","positions":0}'
	} >expected
	run --separate-stderr bnc-equity -b 10000 -p positions in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff expected <(printf '%s\n' "$output")
	# the same from standard input, byte by byte, and through itself
	python3 -c 'import os, sys
for b in sys.stdin.buffer.read(): os.write(1, bytes([b]))' <in | bnc-equity -b 10000 -p positions | cmp - expected
	bnc-equity -b 10000 -p positions expected | grep -vF equity_snapshot | cmp - in
}

@test "a balance alone is told once, behind the first record" {
	{ price SOLUSDT 1 5; price SOLUSDT 2 6; } | bnc-equity --balance 1.50 | snapshots >out
	[ "$(cat out)" = '{"type":"equity_snapshot","balance":"1.5","unrealizedPnl":"0","equity":"1.5","ts":5,"asset":"USDT","positions":0}' ]
}

@test "pairs without a price are named until they have one" {
	{ position SOLUSDT 1 10 1; position ETHUSDT 1 10 2 ',"markPrice":"11"'; position 币安人生USDT 1 1 3; price SOLUSDT 12 4; price 币安人生USDT 3 5; } |
		bnc-equity | snapshots | jq -c '[.equity, .positions, .unpriced]' >out
	diff out - <<-'E'
		["0",1,["SOLUSDT"]]
		["1",2,["SOLUSDT"]]
		["1",3,["SOLUSDT","币安人生USDT"]]
		["3",3,["币安人生USDT"]]
		["5",3,null]
	E
}

@test "assets are kept apart, and may be given in lower case" {
	{ position SOLUSDT 1 10 1; position SOLUSDC 1 20 1; price SOLUSDT 11 2; price SOLUSDC 23 2; } >in
	[ "$(bnc-equity in | snapshots | tail -n 1 | jq -r .equity)" = 1 ]
	[ "$(bnc-equity -a usdc in | snapshots | tail -n 1 | jq -r .equity)" = 3 ]
}

@test "inverse contracts are cut off toward zero at 8 decimals each" {
	local record='{"type":"position_update","symbol":"BTC","qty":"%s","entryPrice":"11707.70000003","ts":1,"pair":"%s","market":"coinm"}\n'
	{
		printf "$record" 1 BTCUSD_PERP
		printf "$record" -1 BTCUSD_261225
		price BTCUSD_PERP 11788.66626667 2 mark coinm
		price BTCUSD_261225 11788.66626667 3 mark coinm
	} | bnc-equity -a BTC | snapshots | jq -r .equity >out
	[ "$(tail -n 2 out | tr '\n' ' ')" = "0.00005866 0 " ]
}

@test "the source of prices can be chosen" {
	position SOLUSDT 1 0 1 >positions
	{ price SOLUSDT 1 1 book; price SOLUSDT 2 2 mark; price SOLUSDT 3 3 trade; price SOLUSDT 4 4 kline; } >in
	[ "$(bnc-equity -p positions in | snapshots | jq -r .equity | tr '\n' ' ')" = "1 2 3 4 " ]
	[ "$(bnc-equity -p positions --mark any in | snapshots | jq -r .equity | tr '\n' ' ')" = "1 2 3 4 " ]
	[ "$(bnc-equity -p positions --mark book in | snapshots | jq -r .equity | tr '\n' ' ')" = "1 " ]
	[ "$(bnc-equity -p positions --mark mark in | snapshots | jq -r .equity | tr '\n' ' ')" = "0 2 " ]
	[ "$(bnc-equity -p positions --mark trade in | snapshots | jq -r .equity | tr '\n' ' ')" = "0 3 " ]
}

@test "every: at most one snapshot in that much event time" {
	position SOLUSDT 1 0 1 >positions
	for ts in 1000 1400 1999 2000 2500 3700; do price SOLUSDT $ts $ts; done >in
	[ "$(bnc-equity -p positions --every 1s in | snapshots | jq -r .equity | tr '\n' ' ')" = "1000 2000 3700 " ]
	[ "$(bnc-equity -p positions --every 0 in | snapshots | wc -l)" -eq 6 ]
}

# --- the file of positions -------------------------------------------------------------------------------------------

@test "revalue: positions with what they gain, each at most once in that much event time" {
	{
		printf '%s\n' '{"type":"position_update","symbol":"SOL","qty":"2","entryPrice":"100","ts":1,"pair":"SOLUSDT"}' \
			'{"type":"position_update","symbol":"SOL","qty":-1,"entryPrice":90,"ts":1,"pair":"SOLUSDT","positionSide":"SHORT","simulated":true}'
		price SOLUSDT 101 1000
		price SOLUSDT 102 1500
		price BTCUSDT 60000 2500
		price SOLUSDT 103 2600
		price SOLUSDT 103 9000
		price SOLUSDT 104 3000
		echo '{"type":"position_update","symbol":"SOL","qty":"3","entryPrice":"100","ts":3001,"pair":"SOLUSDT"}'
		price SOLUSDT 105 3002
	} >in
	bnc-equity --revalue 1s in | jq -c 'select(.type == "position_update" and .markPrice) |
		[.ts, .symbol, .pair, .market, .positionSide, .qty, .entryPrice, .markPrice, .unrealizedPnl, .simulated]' >got
	cat got
	diff got - <<-'E'
		[1000,"SOL","SOLUSDT","usdm","BOTH","2","100","101","2",null]
		[1000,"SOL","SOLUSDT","usdm","SHORT","-1","90","101","-11",true]
		[2600,"SOL","SOLUSDT","usdm","BOTH","2","100","103","6",null]
		[2600,"SOL","SOLUSDT","usdm","SHORT","-1","90","103","-13",true]
		[3002,"SOL","SOLUSDT","usdm","BOTH","3","100","105","15",null]
	E
	# and what they sum up to is what the snapshot behind them says
	bnc-equity --revalue 0 in | jq -se '[.[] | select(.markPrice or .type == "equity_snapshot")] |
		[.[-3:][] | .unrealizedPnl] == ["15", "-15", "0"]'
	[ "$(bnc-equity in | grep -c markPrice)" -eq 0 ]
}

@test "revalue: a contract of a coin is worth coins" {
	{
		echo '{"type":"position_update","symbol":"BTC","qty":"1","entryPrice":"11707.70000003","ts":0,"pair":"BTCUSD_PERP","market":"coinm"}'
		price BTCUSD_PERP 11788.66626667 5 mark coinm
	} >in
	bnc-equity -a BTC --revalue 0 in | jq -se '.[-2] | .unrealizedPnl == "0.00005866" and .contractSize == "100" and .symbol == "BTC"'
}

@test "the positions file may be a record of everything; -b wins over its balance" {
	{
		price SOLUSDT 5 1
		position SOLUSDT 1 10 1 ',"markPrice":"12"'
		echo '{"type":"balance_update","asset":"USDT","balance":"7","ts":1}'
	} >positions
	[ "$(price XUSDT 1 2 | bnc-equity -p positions | snapshots | jq -r .equity)" = 9 ]
	[ "$(price XUSDT 1 2 | bnc-equity -b 1 -p positions | snapshots | jq -r .equity)" = 3 ]
	[ "$(price XUSDT 1 2 | bnc-equity -p <(cat positions) | snapshots | jq -r .equity)" = 9 ]
}

@test "a bad positions file ends the program before it has written anything" {
	{ position SOLUSDT 1 10 1; echo '{"type":"position_update","symbol":"SOL","qty":"ten"}'; } >positions
	run --separate-stderr bnc-equity -p positions < <(price SOLUSDT 1 1)
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[ "$stderr" = "bnc-equity: positions: line 2: byte 48: qty is missing or no decimal number" ]
	run --separate-stderr bnc-equity -p none </dev/null
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-equity: none: No such file or directory" ]
	run --separate-stderr bnc-equity -p . </dev/null
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-equity: .: Is a directory" ]
	{ head -c 1048577 /dev/zero | tr '\0' ' '; echo; } >positions
	run --separate-stderr bnc-equity -p positions </dev/null
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-equity: positions: line 1: byte 1048576: longer than 1 MiB" ]
}

# --- refusals ----------------------------------------------------------------------------------------------------------

@test "what breaks the contract is refused by number and byte, the lines around it are kept" {
	{
		price SOLUSDT 1 1
		echo '{"type":"price_update","symbol":"SOL","price":"1,5","ts":1}'
		echo '{"type":"price_update","symbol":"SOL","ts":1}'
		echo '{"type":"balance_update","asset":"USDT","balance":null,"ts":1}'
		echo '{"type":"position_update","symbol":"SOL","qty":"1","entryPrice":"1","ts":1,"positionSide":"UP"}'
		echo '{"type":"position_update","symbol":"SOL","qty":"1","entryPrice":"1","ts":1,"pair":"SOLXXX"}'
		echo 'no JSON'
		echo
		price SOLUSDT 2 2
	} >in
	run --separate-stderr bnc-equity in
	[ "$status" -eq 1 ]
	[ "$output" = "$(sed -n '1p;9p' in)" ]
	diff <(printf '%s\n' "$stderr") - <<-'E'
		bnc-equity: line 2: byte 47: price is missing or no decimal number
		bnc-equity: line 3: byte 0: price is missing or no decimal number
		bnc-equity: line 4: byte 50: balance is missing or no decimal number
		bnc-equity: line 5: byte 91: positionSide is none of BOTH, LONG, SHORT
		bnc-equity: line 6: byte 83: pair does not tell its margin asset
		bnc-equity: line 7: byte 0: not a JSON object
		bnc-equity: line 8: byte 0: an empty line
		bnc-equity: 7 lines refused
	E
	run --separate-stderr bnc-equity --strict in
	[ "$status" -eq 1 ]
	[ "$output" = "$(sed -n 1p in)" ]
}

@test "what does not fit is refused and changes nothing" {
	position SOLUSDT 1e20 1 1 >positions
	{ price SOLUSDT 2 1; price SOLUSDT 1e30 2; price SOLUSDT 3 3; } >in
	run --separate-stderr bnc-equity -p positions in
	[ "$status" -eq 1 ]
	[ "${stderr_lines[0]}" = "bnc-equity: line 2: byte 45: price gives an equity of more than 38 digits" ]
	[ "$(snapshots <<<"$output" | jq -r .equity | tr '\n' ' ')" = "100000000000000000000 200000000000000000000 " ]
}

@test "several files: messages name the file, numbers start anew" {
	price SOLUSDT 1 1 >a
	{ price SOLUSDT 2 2; echo bad; } >b
	run --separate-stderr bnc-equity -b 1 a b none
	[ "$status" -eq 3 ]
	[ "$(grep -cF price_update <<<"$output")" -eq 2 ]
	[ "${stderr_lines[0]}" = "bnc-equity: b: line 2: byte 0: not a JSON object" ]
	[ "${stderr_lines[1]}" = "bnc-equity: none: No such file or directory" ]
}

# --- ends ----------------------------------------------------------------------------------------------------------------

@test "output that cannot be written is no success" {
	price SOLUSDT 1 1 >in
	run --separate-stderr sh -c 'bnc-equity in >/dev/full'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-equity: standard output: No space left on device" ]
}

@test "a reader that went away ends it quietly" {
	price SOLUSDT 1 1 >in
	run --separate-stderr bash -c 'yes "$(cat in)" | bnc-equity -b 1 | head -n 1 >/dev/null; echo "${PIPESTATUS[1]}"'
	[ "$output" = 0 ]
	[ -z "$stderr" ]
}

@test "line and snapshot pass at once; SIGUSR1 counts; SIGTERM ends" {
	mkfifo in out
	STDIN=in start equity sh -c 'exec bnc-equity -b 1 >out'
	exec 5>in 6<out
	local line
	price SOLUSDT 1 1 >&5
	read -r -t $((5 * SLOW)) line <&6
	[[ $line == *price_update* ]]
	read -r -t $((5 * SLOW)) line <&6
	[[ $line == *equity_snapshot* ]]
	position SOLUSDT 1 1 2 >&5
	read -r -t $((5 * SLOW)) line <&6
	read -r -t $((5 * SLOW)) line <&6
	kill -USR1 "$equity_pid"
	wait_for 3 test -s equity.err
	[ "$(cat equity.err)" = "bnc-equity: in 2 out 4 refused 0 snapshots 2 positions 1 unpriced 0 pairs 1" ]
	stop equity TERM
	[ "$status" -eq 0 ]
	exec 5>&- 6<&-
}

# --- against another computation -------------------------------------------------------------------------------------------

@test "a day of quotes gives what python's decimals give" {
	have_shared hftbacktest/usdm_btcusdt_20240808.gz
	{ position BTCUSDT 0.123 61234.1234567890123 0; position BTCUSDT -1.5 60000 0 ',"positionSide":"SHORT"'; } >positions
	zcat "$SHARED/hftbacktest/usdm_btcusdt_20240808.gz" | head -n 20000 | bnc-normalize >records
	bnc-equity -b 1000.01 -p positions records | snapshots >out
	python3 - >expected <<-'E'
		import json
		from decimal import Decimal as D, getcontext
		getcontext().prec = 60
		held = [json.loads(line) for line in open("positions")]
		last = None
		for line in open("records"):
		    r = json.loads(line)
		    pnl = sum(D(h["qty"]) * (D(r["price"]) - D(h["entryPrice"])) for h in held)
		    if pnl != last:
		        text = lambda d: format(d.normalize(), "f")
		        print('{"type":"equity_snapshot","balance":"1000.01","unrealizedPnl":"%s","equity":"%s","ts":%d,"asset":"USDT","positions":2}'
		              % (text(pnl), text(pnl + D("1000.01")), r["ts"]))
		    last = pnl
	E
	[ "$(wc -l <out)" -gt 1000 ]
	cmp out expected
}

@test "a mixed book of 100,000 events gives what python's decimals and fractions give" {
	local asset
	"$TOOLS/mixed-book" 3 100000 .
	[ "$(wc -l <events)" -eq 100000 ]
	for asset in USDT BTC; do
		bnc-equity -a $asset events | snapshots | jq -c 'if .unpriced then .unpriced |= sort else . end' >out
		[ "$(wc -l <out)" -gt 10000 ]
		cmp out $asset
	done
	# longs and shorts, both legs, inverse contracts, entry prices of 14 decimals
	[ "$(grep -c '"qty":"-.*"positionSide":"BOTH"' events)" -gt 1000 ]
	[ "$(grep -c '"positionSide":"SHORT"' events)" -gt 1000 ]
	[ "$(grep -c '"position_update".*"market":"coinm"' events)" -gt 1000 ]
	[ "$(grep -cE '"entryPrice":"[0-9]+\.[0-9]{14}"' events)" -gt 1000 ]
}

# --- lines that take the short way ----------------------------------------------------------------------------------

# others of the same meaning: no short way takes a line with a blank in it
otherwise() { sed 's/^{/{ /' "$1"; }

@test "records as bnc-normalize writes them give what others of the same meaning give" {
	"$BUILD/bench/frames" -n 5000 --tick --ours | bnc-normalize >records
	sed -nE 's/.*"pair":"([A-Z0-9]+)".*/\1/p' records | sort -u | head -n 20 | while read -r pair; do
		position "$pair" 2.5 1.25 1
	done >held
	local options
	for options in "" "--every 1s" "--revalue 1ms" "--mark trade" "-b 7 -a USDC"; do
		# shellcheck disable=SC2086 # words
		bnc-equity -p held $options records >short
		# shellcheck disable=SC2086
		otherwise records | bnc-equity -p held $options | sed 's/^{ /{/' >long
		cmp short long
	done
	[ "$(bnc-equity -p held records | snapshots | wc -l)" -gt 100 ]
}

@test "one that gives no number is refused by either way, and changes nothing" {
	local book='"market":"coinm","source":"book","bid":"0","bidQty":"1","ask":"0","askQty":"1"}'
	printf '{"type":"position_update","symbol":"BTC","qty":"1","entryPrice":"100","ts":1,"pair":"BTCUSD_PERP","market":"coinm"}\n' >held
	printf '{"type":"price_update","symbol":"BTC","price":"%s","ts":1790526540001,"pair":"BTCUSD_PERP",%s\n' \
		200 "$book" 0 "$book" 200 "$book" >records
	run --separate-stderr bnc-equity -a BTC -p held records
	[ "$status" -eq 1 ]
	[[ ${stderr_lines[0]} == "bnc-equity: line 2: byte "*"price is zero, by which an inverse contract divides" ]]
	[ "$(price_count <<<"$output")" -eq 2 ]
	local short=$output said=$stderr
	run --separate-stderr bnc-equity -a BTC -p held <(otherwise records)
	[ "${output//'{ "'/'{"'}" = "$short" ]
	[ "$(sed 's/byte [0-9]*/byte/' <<<"$stderr")" = "$(sed 's/byte [0-9]*/byte/' <<<"$said")" ]
}

price_count() { grep -c '"type":"price_update"'; }

# --- books, which take a way of their own ----------------------------------------------------------------------------

book() { # PRICE TS
	printf '{"type":"price_update","symbol":"SOL","price":"%s","ts":%s,"pair":"SOLUSDT","market":"usdm","source":"book","bid":"1","bidQty":"1","ask":"1","askQty":"1"}\n' "$@"
}

trade() { # PRICE TS
	printf '{"type":"price_update","price":"%s","symbol":"SOL","ts":%s,"pair":"SOLUSDT","market":"usdm","source":"trade","qty":"1","side":"BUY","id":"1"}\n' "$@"
}

position='{"type":"position_update","symbol":"SOL","qty":"2","entryPrice":"100","ts":1568014460900,"pair":"SOLUSDT","market":"usdm"}'

@test "a position is valued by the newest price that went by before it, whichever way that took" {
	pnl() { bnc-equity | jq -r 'select(.type == "equity_snapshot").unrealizedPnl'; }
	[ "$({ book 120.5 1568014460893 && echo "$position"; } | pnl)" = 41 ]
	[ "$({ book 110 1568014460893 && book 120.5 1568014460894 && echo "$position"; } | pnl)" = 41 ]
	[ "$({ book 110 1568014460893 && trade 120.5 1568014460894 && echo "$position"; } | pnl)" = 41 ]
	[ "$({ trade 110 1568014460893 && book 120.5 1568014460894 && echo "$position"; } | pnl)" = 41 ]
}

@test "lines are counted whichever way they take: a refused one has its number" {
	{ for i in 1 2 3 4 5; do book 1 1568014460893; done && echo '{"type":' && book 1 1568014460893 && echo x; } >lines
	run --separate-stderr bnc-equity -v lines
	[ "$status" -eq 1 ]
	[[ ${stderr_lines[0]} == "bnc-equity: line 6: "* && ${stderr_lines[1]} == "bnc-equity: line 8: "* ]]
	[[ $stderr == *"in 8 out 6 refused 2"* ]]
}
