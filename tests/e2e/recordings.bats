load ../lib
bats_require_minimum_version 1.5.0

# Recorded frames of the real exchange through the filters, against tests/tools/normalize.py and recordings-equity,
# which compute the same with a general JSON parser and decimals, line by line and byte by byte.

lines_of() { # FILE: a recording as lines
	have_shared "$1"
	case $1 in
	*.gz) zcat "$SHARED/$1" >in ;;
	*) cat "$SHARED/$1" >in ;;
	esac
}

# the same records, the same lines refused, the same counters; sets $status
agrees() { # MARKET
	status=0
	bnc-normalize -v -m "$1" <in >out 2>err || status=$?
	"$TOOLS/normalize.py" -m "$1" in >expected 2>expected.err
	cmp out expected
	diff <(sed -n 's/^bnc-normalize: line \([0-9]*\): .*/refused \1/p; s/^bnc-normalize: .*\(records [0-9]\)/\1/p' err) expected.err
	[ "$(bnc-normalize -m "$1" in 2>/dev/null | cksum)" = "$(cksum <out)" ]
}

counter() { # NAME
	sed -n "s/^bnc-normalize: .*\<$1 \([0-9]*\).*/\1/p" err
}

frames_of() { # EVENT: lines of the recording that carry it
	grep -c "\"e\":\"$1\"" in || true
}

@test "USD-M, 345 s: one price for each quote and each real trade, none refused" {
	lines_of hftbacktest/usdm_btcusdt_20240808.gz
	agrees usdm
	[ "$status" -eq 0 ]
	[ "$(grep -c '"source":"book"' out)" -eq 66089 ]
	[ "$(grep -c '"source":"book"' out)" -eq "$(frames_of bookTicker)" ]
	trades=$(grep '"e":"trade"' in | grep -vc '"X":"NA"')
	[ "$(grep -c '"source":"trade"' out)" -eq "$trades" ]
	[ "$trades" -eq 21313 ]
	[ "$(counter depth)" -eq 6552 ] # and one REST snapshot among them
	[ "$(wc -l <in)" -eq $((66089 + 21313 + 6552)) ]
	# by pipe, as one types it
	zcat "$SHARED/hftbacktest/usdm_btcusdt_20240808.gz" | bnc-normalize | cmp - expected
}

@test "spot: quotes without e and E take the time they were received" {
	lines_of hftbacktest/spot_btcusdt_20240809.gz
	agrees spot
	[ "$status" -eq 0 ]
	[ "$(grep -c '"source":"book"' out)" -eq "$(grep -c '@bookTicker"' in)" ]
	[ "$(grep -c '"source":"trade"' out)" -eq "$(frames_of trade)" ]
	[ "$(jq -r .market <out | sort -u)" = spot ]
	first=$(grep -m 1 '@bookTicker"' in)
	[ "$(grep -m 1 '"source":"book"' out | jq -r .ts)" = "${first:0:13}" ]
}

@test "COIN-M" {
	lines_of hftbacktest/cm_btcusd_perp_20240809.gz
	agrees coinm
	[ "$status" -eq 0 ]
	[ "$(grep -c '"source":"book"' out)" -eq "$(frames_of bookTicker)" ]
	[ "$(grep -c '"source":"trade"' out)" -eq "$(frames_of trade)" ]
	[ "$(jq -r '.symbol + " " + .pair' <out | sort -u)" = "BTC BTCUSD_PERP" ]
}

@test "USD-M with mark prices, times of receipt in microseconds" {
	lines_of hftbacktest_playground/usdm_btcusdt_20230404.dat.gz
	agrees usdm
	[ "$status" -eq 0 ]
	[ "$(grep -c '"source":"mark"' out)" -eq 99 ]
}

@test "USD-M combined frames of several symbols" {
	lines_of cryptofeed/BINANCE_FUTURES.ws.1.0.ndjson.gz
	agrees usdm
	[ "$status" -eq 0 ]
	[ "$(counter records)" -gt 700 ]
	[ "$(jq -r .source <out | sort -u | tr '\n' ' ')" = "book kline trade " ]
}

@test "COIN-M combined frames of ten symbols" {
	lines_of cryptofeed/BINANCE_DELIVERY.ws.1.0.ndjson.gz
	agrees coinm
	[ "$status" -eq 0 ]
	[ "$(counter records)" -gt 2000 ]
}

@test "collections of single frames: refused is exactly what breaks its contract" {
	local file market
	for file in crypto-msg-parser/binance_embedded go-binance/embedded; do
		lines_of "$file.ndjson"
		for market in usdm coinm spot; do
			agrees "$market"
			[ "$status" -eq 1 ]
		done
	done
	lines_of quantconnect/all_events.ndjson # of an account
	agrees usdm
	[ "$status" -eq 0 ]
	[ "$(counter records)" -eq 21 ]
	[ "$(counter orders)" -eq 15 ]
}

@test "an exchangeInfo of the exchange splits its own symbols as the guess does" {
	have_shared cryptofeed/BINANCE_FUTURES.0.fapi_v1_exchangeInfo.json
	lines_of hftbacktest_playground/usdm_btcusdt_20230404.dat.gz
	bnc-normalize --symbols "$SHARED/cryptofeed/BINANCE_FUTURES.0.fapi_v1_exchangeInfo.json" in >out
	bnc-normalize in | cmp - out
	/usr/bin/python3 - "$SHARED/cryptofeed/BINANCE_FUTURES.0.fapi_v1_exchangeInfo.json" <<-'P' >all
		import json, sys
		for s in json.load(open(sys.argv[1]))["symbols"]:
		    print(json.dumps({"e": "markPriceUpdate", "E": 1, "s": s["symbol"], "p": "1", "base": s["baseAsset"]}))
	P
	[ "$(wc -l <all)" -eq 122 ]
	bnc-normalize --symbols "$SHARED/cryptofeed/BINANCE_FUTURES.0.fapi_v1_exchangeInfo.json" all | jq -r .symbol >with
	jq -r .base all | diff - with
	bnc-normalize all | jq -r .symbol | diff - with
}

# --- and on into bnc-equity ------------------------------------------------------------------------------------------

position() { # PAIR SYMBOL QTY ENTRY MARKET [SIDE]
	printf '{"type":"position_update","symbol":"%s","qty":"%s","entryPrice":"%s","ts":1,"pair":"%s","market":"%s","positionSide":"%s"}\n' \
		"$2" "$3" "$4" "$1" "$5" "${6:-BOTH}"
}

equity_agrees() { # ASSET ARGS... on the records in `in`
	local asset=$1
	shift
	bnc-equity -b 12345.67890123 -p positions -a "$asset" "$@" in >out
	"$ROOT/tests/e2e/recordings-equity" -b 12345.67890123 -p positions -a "$asset" "${@%ms}" in >expected
	cmp out expected
	grep -vF '"type":"equity_snapshot"' out | cmp - in
}

@test "equity of USD-M positions, hedged, with an entry price of 14 decimals and a pair without a price" {
	lines_of hftbacktest/usdm_btcusdt_20240808.gz
	bnc-normalize in >records
	mv records in
	{
		position BTCUSDT BTC 0.020 61790.20000000000005 usdm LONG
		position BTCUSDT BTC -1.337 61800 usdm SHORT
		position ETHUSDT ETH 3 2600.1 usdm
	} >positions
	equity_agrees USDT
	[ "$(grep -cF '"unpriced":["ETHUSDT"]' out)" -gt 5000 ]
	equity_agrees USDT --mark trade
	equity_agrees USDT --every 250ms
}

@test "equity of COIN-M positions, cut off at 8 decimals each" {
	lines_of cryptofeed/BINANCE_DELIVERY.ws.1.0.ndjson.gz
	bnc-normalize -m coinm in >records
	mv records in
	mapfile -t pairs < <(jq -r 'select(.symbol == "BTC") | .pair' <in | sort -u)
	[ "${#pairs[@]}" -ge 1 ]
	for pair in "${pairs[@]}"; do
		position "$pair" BTC 7 57001.3 coinm LONG
		position "$pair" BTC -11 33333.33333333 coinm SHORT
	done >positions
	equity_agrees BTC
	[ "$(grep -cF equity_snapshot out)" -gt 10 ]
	mapfile -t pairs < <(jq -r 'select(.symbol == "ETH") | .pair' <in | sort -u)
	for pair in "${pairs[@]}"; do position "$pair" ETH 123456 1999.99 coinm; done >positions
	equity_agrees ETH
}

@test "equity of spot holdings" {
	lines_of hftbacktest/spot_btcusdt_20240809.gz
	bnc-normalize -m spot in >records
	mv records in
	position BTCUSDT BTC 0.12345678 60000.00000001 spot >positions
	equity_agrees USDT
	equity_agrees USDT --mark book
}
