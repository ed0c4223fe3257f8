load ../lib
bats_require_minimum_version 1.5.0

fill() { # SIDE PRICE QTY TS [MORE]
	printf '{"type":"trade_executed","symbol":"SOL","side":"%s","price":"%s","qty":"%s","ts":%s,"pair":"SOLUSDT","market":"usdm"%s}\n' \
		"$1" "$2" "$3" "$4" "${5:-}"
}

balances() { jq -r 'select(.type == "balance_update") | [.asset, .balance] | join(" ")'; }

# --- options -------------------------------------------------------------------------------------------------------

@test "help and version go to standard output" {
	run --separate-stderr bnc-position -h
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} == "usage: bnc-position "* ]]
	run --separate-stderr bnc-position --version
	[ "$status" -eq 0 ]
	[[ $output =~ ^bnc-position\ [0-9.]+$ ]]
	run --separate-stderr sh -c 'bnc-position --help >/dev/full'
	[ "$status" -eq 3 ]
}

@test "wrong calls say why, read nothing and end with 2" {
	local call
	for call in "-x" "--nope" "-b" "-b abc" "-b 0x10" "-b 1e39" "-a" "-a US.DT" "-p" "-m" "-m moon" "--strict=1"; do
		run --separate-stderr bnc-position $call < <(fill BUY 1 1 1)
		echo "$call: $status $stderr"
		[ "$status" -eq 2 ]
		[ -z "$output" ]
		[[ ${stderr_lines[0]} == bnc-position:* ]]
		[[ ${stderr_lines[1]} == "usage: bnc-position "* ]]
	done
}

# --- what comes out -------------------------------------------------------------------------------------------------

@test "lines pass unchanged, and behind a fill stands what has come of it" {
	{
		echo ' { "type" : "price_update", "symbol":"SOL","price":1.50,"ts":1}'
		fill BUY 100 2 2 ',"fee":"0.01","feeAsset":"BNB"'
		echo '{"type":"of tomorrow","x":[]}'
	} >in
	{
		sed -n 1,2p in
		echo '{"type":"position_update","symbol":"SOL","qty":"2","entryPrice":"100","ts":2,"pair":"SOLUSDT","market":"usdm","positionSide":"BOTH","more":true}'
		echo '{"type":"balance_update","asset":"USDT","balance":"0","ts":2,"market":"usdm","reason":"ORDER","more":true}'
		echo '{"type":"balance_update","asset":"BNB","balance":"-0.01","ts":2,"market":"usdm","reason":"ORDER"}'
		sed -n 3p in
	} >expected
	run --separate-stderr bnc-position in
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	diff expected <(printf '%s\n' "$output")
	python3 -c 'import os, sys
for b in sys.stdin.buffer.read(): os.write(1, bytes([b]))' <in | bnc-position | cmp - expected
}

@test "the round trip of a real account ends at the exchange's own balance" {
	{
		fill BUY 313.2 0.02 1 ',"fee":"0.00250560","feeAsset":"USDT","realizedPnl":"0","id":"1"'
		fill SELL 313.19 0.02 2 ',"fee":"0.00250551","feeAsset":"USDT","realizedPnl":"-0.00020000","id":"2"'
	} >in
	run --separate-stderr bnc-position -v -b 24.30489058 in
	[ "$status" -eq 0 ]
	[[ $stderr == *"fills 2 copies 0 differing 0 positions 0 balances 1" ]]
	[ "$(balances <<<"$output" | tail -n 1)" = "USDT 24.29967947" ]
	# the same with what was held before in a file, and equity behind it
	echo '{"type":"balance_update","asset":"USDT","balance":"24.30489058","ts":0,"market":"usdm"}' >start
	bnc-position -p start in | bnc-equity | jq -r 'select(.type == "equity_snapshot") | [.balance, .equity] | join(" ")' >out
	diff out - <<-'E'
		24.30489058 24.30489058
		24.30238498 24.30238498
		24.29967947 24.29967947
	E
}

@test "equity never shows half of a change" {
	{
		echo '{"type":"price_update","symbol":"SOL","price":"100","ts":1}'
		fill BUY 100 10 2
		echo '{"type":"price_update","symbol":"SOL","price":"110","ts":3}'
		fill SELL 110 10 4 ',"fee":"1"'
	} | bnc-position -b 1000 | bnc-equity | jq -r 'select(.type == "equity_snapshot") | [.ts, .balance, .equity] | join(" ")' >out
	diff out - <<-'E'
		1 1000 1000
		2 1000 1000
		3 1000 1100
		4 1099 1099
	E
}

@test "what is known at the start is told, and -b replaces what the file says" {
	{
		echo '{"type":"balance_update","asset":"BTC","balance":"2","ts":0,"market":"coinm"}'
		echo '{"type":"balance_update","asset":"USDT","balance":"7","ts":0,"market":"usdm"}'
		echo '{"type":"heartbeat","ts":1}'
		echo '{"type":"position_update","symbol":"BTC","qty":"-3","entryPrice":"84551.1","ts":0,"pair":"BTCUSD_PERP","market":"coinm"}'
	} >start
	{
		echo '{"type":"position_update","symbol":"BTC","qty":"-3","entryPrice":"84551.1","ts":9,"pair":"BTCUSD_PERP","market":"coinm","positionSide":"BOTH","contractSize":"100","more":true}'
		echo '{"type":"balance_update","asset":"USDT","balance":"1000.5","ts":9,"market":"usdm","more":true}'
		echo '{"type":"balance_update","asset":"BTC","balance":"2","ts":9,"market":"coinm"}'
		echo '{"type":"heartbeat","ts":9}'
	} >expected
	echo '{"type":"heartbeat","ts":9}' | bnc-position -b 1000.50 -p start | diff expected -
	[ "$(echo '{"type":"heartbeat","ts":9}' | bnc-position -b 3 -m coinm -a btc | head -n 1)" = \
		'{"type":"balance_update","asset":"BTC","balance":"3","ts":9,"market":"coinm"}' ]
}

@test "positions that cannot be read end the program before it writes" {
	echo '{"type":"heartbeat","ts":1}' >in
	printf '%s\n' '{"type":"heartbeat","ts":1}' '{"type":"position_update","symbol":"SOL","qty":"x","entryPrice":"1","ts":0}' >start
	run --separate-stderr bnc-position -p start in
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[ "$stderr" = "bnc-position: start: line 2: byte 48: qty is missing or no decimal number" ]
	run --separate-stderr bnc-position -p nowhere in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-position: nowhere: No such file or directory" ]
	run --separate-stderr bnc-position -p . in
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-position: .: Is a directory" ]
}

@test "a fill that is seen again is left out and counted" {
	{ fill BUY 1 1 1 ',"id":"5"'; fill BUY 1 1 2 ',"id":"5"'; fill BUY 1 1 3 ',"id":5'; fill SELL 1 1 4 ',"id":"6"'; } >in
	run --separate-stderr bnc-position -v in
	[ "$status" -eq 0 ]
	[ "$(grep -c trade_executed <<<"$output")" -eq 2 ]
	[[ $stderr == *" in 4 out 6 refused 0 fills 2 copies 2 differing 0 positions 0 balances 1" ]]
	# some thousand fills later it is new again
	{ sed -n 1p in; for i in {1000..5200}; do fill BUY 1 1 3 ",\"id\":\"$i\""; done; sed -n 1p in; } |
		bnc-position | grep -c trade_executed >count
	[ "$(cat count)" -eq 4203 ]
}

# --- refusals --------------------------------------------------------------------------------------------------------

@test "what breaks the contract is left out and told, and reading goes on" {
	{
		fill BUY 1 1 1
		fill BUY 1 nothing 2
		fill SELL 1 2 3 ',"positionSide":"LONG"'
		echo 'no JSON'
		echo
		fill BUY 1 1 4
	} >in
	run --separate-stderr bnc-position in
	[ "$status" -eq 1 ]
	[ "$(grep -c trade_executed <<<"$output")" -eq 2 ]
	[ "${stderr_lines[0]}" = "bnc-position: line 2: byte 72: qty is missing or no decimal number above zero" ]
	[ "${stderr_lines[1]}" = "bnc-position: line 3: byte 73: qty is more than the LONG position" ]
	[[ ${stderr_lines[2]} == "bnc-position: line 4: byte 0: "* ]]
	[ "${stderr_lines[3]}" = "bnc-position: line 5: byte 0: an empty line" ]
	[[ ${stderr_lines[4]} == "bnc-position: 4 lines refused" ]]
	run --separate-stderr bnc-position --strict in
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 3 ]
}

# --- against another accounting --------------------------------------------------------------------------------------

@test "nothing is lost in thirty thousand random fills, by an accounting in fractions" {
	local seed
	for seed in 11 12 13; do
		"$TOOLS/fills" make $seed 10000 >fills
		bnc-position -b 1000.5 fills >out
		run "$TOOLS/fills" check 1000.5 <out
		echo "$output"
		[ "$status" -eq 0 ]
		[[ $output == "10000 fills, "* ]]
	done
	# and it would be seen: one digit of one balance
	sed '30000s/\("balance":"[-0-9.]*\)[0-9]"/\17"/; 30001s/\("balance":"[-0-9.]*\)[0-9]"/\18"/; 30002s/\("entryPrice":"[-0-9.]*\)[0-9]"/\19"/' out >other
	run ! cmp -s out other
	run "$TOOLS/fills" check 1000.5 <other
	[ "$status" -ne 0 ]
}

# --- signals, pipes ---------------------------------------------------------------------------------------------------

@test "a fill passes at once; SIGUSR1 tells the counters; SIGTERM ends it" {
	mkfifo in
	start position bnc-position -b 5 in
	exec 8>in
	fill BUY 1 1 1 >&8
	wait_for 5 grep -q ORDER "$SCRATCH/position.out"
	kill -USR1 "$position_pid"
	wait_for 5 grep -qx "bnc-position: in 1 out 4 refused 0 fills 1 copies 0 differing 0 positions 1 balances 1" "$SCRATCH/position.err"
	stop position
	exec 8>&-
	[ "$status" -eq 0 ]
	[ "$(wc -l <"$SCRATCH/position.out")" -eq 4 ]
	[ -z "$(left_over)" ]
}

@test "a reader that goes away is a quiet end" {
	"$TOOLS/fills" make 1 20000 >fills
	run --separate-stderr bash -o pipefail -c 'bnc-position fills | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"'
	[ "$output" = 0 ]
	[ -z "$stderr" ]
	run --separate-stderr sh -c 'bnc-position fills >/dev/full'
	[ "$status" -eq 3 ]
	[ "$stderr" = "bnc-position: standard output: No space left on device" ]
}
