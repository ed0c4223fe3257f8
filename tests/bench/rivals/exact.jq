# jq -R: what bnc-normalize makes of a bookTicker, exactly, as far as jq can: numbers are taken apart into whole and
# eight decimals, each of which a double holds; a line that is no JSON is told, and reading goes on behind it.
def parts: split(".") | [(.[0] | tonumber), (((.[1] // "") + "00000000")[:8] | tonumber)];
def zeros: rtrimstr("0000") | rtrimstr("0000") | rtrimstr("00") | rtrimstr("0");
def trim: if index(".") then zeros | rtrimstr(".") else . end;
def mid($bid; $ask):
	($bid | parts) as $b | ($ask | parts) as $a | ($b[0] + $a[0]) as $whole
	| (($whole % 2 * 100000000 + $b[1] + $a[1]) * 5) as $billionths
	| "\(($whole - $whole % 2) / 2 + (if $billionths >= 1000000000 then 1 else 0 end))"
		+ "." + ("000000000\($billionths % 1000000000)" | .[-9:])
	| trim;
(try fromjson catch ("line \(input_line_number) is no JSON\n" | stderr | empty))
| select(.e == "bookTicker") | {
	type: "price_update", symbol: (.s | rtrimstr("USDT") | rtrimstr("USDC")), price: mid(.b; .a),
	ts: .E, pair: .s, market: "usdm", source: "book",
	bid: (.b | trim), bidQty: (.B | trim), ask: (.a | trim), askQty: (.A | trim)
}
