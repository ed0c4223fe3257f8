# What people write: prices are binary floating point, the first line that is no JSON ends it.
select(.e == "bookTicker") | {
	type: "price_update", symbol: (.s | rtrimstr("USDT") | rtrimstr("USDC")),
	price: (((.b | tonumber) + (.a | tonumber)) / 2 | tostring),
	ts: .E, pair: .s, market: "usdm", source: "book", bid: .b, bidQty: .B, ask: .a, askQty: .A
}
