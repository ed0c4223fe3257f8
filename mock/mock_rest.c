#include "mock_rest.h"

static void text(struct mock_buf *b, const char *key, struct span value)
{
	mock_put(b, span_of(key));
	mock_put_json_string(b, value);
}

static void number(struct mock_buf *b, const char *key, int64_t value)
{
	mock_put(b, span_of(key));
	mock_put_i64(b, value);
}

static void decimal(struct mock_buf *b, const char *key, int64_t units, int places)
{
	mock_put(b, span_of(key));
	mock_put_char(b, '"');
	mock_put_dec(b, units, places);
	mock_put_char(b, '"');
}

/* bnc-wire(7) 6.1; the key order inside a filter varies on the exchange */
static void filters(struct mock_buf *b, const struct mock_symbol *s)
{
	mock_put_lit(b, ",\"filters\":[{\"filterType\":\"PRICE_FILTER\"");
	decimal(b, ",\"minPrice\":", s->tick, s->price_places);
	decimal(b, ",\"maxPrice\":", s->start * 50, s->price_places);
	decimal(b, ",\"tickSize\":", s->tick, s->price_places);
	decimal(b, "},{\"maxQty\":", s->step * 1000000, s->qty_places);
	decimal(b, ",\"minQty\":", s->step, s->qty_places);
	decimal(b, ",\"stepSize\":", s->step, s->qty_places);
	mock_put_lit(b, ",\"filterType\":\"LOT_SIZE\"}]");
}

static void futures_symbol(struct mock_buf *b, const struct mock_symbol *s)
{
	bool coinm = s->market == MOCK_COINM;

	text(b, "{\"symbol\":", span_of(s->name));
	text(b, ",\"pair\":", (struct span){ s->name, s->pair });
	text(b, ",\"contractType\":", s->delivery ? SPAN("CURRENT_QUARTER") : SPAN("PERPETUAL"));
	number(b, ",\"deliveryDate\":", s->delivery ? 1798185600000 : 4133404800000);
	mock_put_lit(b, ",\"onboardDate\":1569398400000");
	text(b, coinm ? ",\"contractStatus\":" : ",\"status\":", SPAN("TRADING"));
	if (coinm)
		number(b, ",\"contractSize\":", s->contract);
	mock_put_lit(b, ",\"maintMarginPercent\":\"2.5000\",\"requiredMarginPercent\":\"5.0000\"");
	text(b, ",\"baseAsset\":", span_of(s->base));
	text(b, ",\"quoteAsset\":", span_of(s->quote));
	text(b, ",\"marginAsset\":", span_of(coinm ? s->base : s->quote));
	number(b, ",\"pricePrecision\":", s->price_places);
	number(b, ",\"quantityPrecision\":", s->qty_places);
	mock_put_lit(b,
	    ",\"baseAssetPrecision\":8,\"quotePrecision\":8,\"underlyingType\":\"COIN\",\"underlyingSubType\":[],"
	    "\"triggerProtect\":\"0.0500\",\"liquidationFee\":\"0.012500\",\"marketTakeBound\":\"0.05\","
	    "\"maxMoveOrderLimit\":10000");
	filters(b, s);
	mock_put_lit(b, ",\"orderTypes\":[\"LIMIT\",\"MARKET\"],\"timeInForce\":[\"GTC\",\"IOC\",\"FOK\",\"GTX\"],"
			"\"permissionSets\":[]}");
}

static void spot_symbol(struct mock_buf *b, const struct mock_symbol *s)
{
	text(b, "{\"symbol\":", span_of(s->name));
	mock_put_lit(b, ",\"status\":\"TRADING\"");
	text(b, ",\"baseAsset\":", span_of(s->base));
	mock_put_lit(b, ",\"baseAssetPrecision\":8");
	text(b, ",\"quoteAsset\":", span_of(s->quote));
	mock_put_lit(b, ",\"quotePrecision\":8");
	filters(b, s);
	mock_put_lit(b, ",\"permissionSets\":[[\"SPOT\"]]}");
}

static void exchange_info(struct mock_buf *b, const struct mock_walk *w, enum mock_market market, int64_t wall_ms)
{
	bool first = true;

	number(b, "{\"timezone\":\"UTC\",\"serverTime\":", wall_ms);
	if (market == MOCK_USDM)
		mock_put_lit(b, ",\"futuresType\":\"U_MARGINED\"");
	mock_put_lit(b,
	    ",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1,"
	    "\"limit\":2400}],\"exchangeFilters\":[]");
	if (market != MOCK_SPOT)
		mock_put_lit(
		    b, ",\"assets\":[{\"asset\":\"USDT\",\"marginAvailable\":true,\"autoAssetExchange\":\"-10000\"}]");
	mock_put_lit(b, ",\"symbols\":[");
	for (size_t i = 0; i < w->symbols; i++) {
		const struct mock_symbol *s = &w->symbol[i];
		if (s->market != market)
			continue;
		if (!first)
			mock_put_char(b, ',');
		first = false;
		if (market == MOCK_SPOT)
			spot_symbol(b, s);
		else
			futures_symbol(b, s);
	}
	mock_put_lit(b, "]}");
}

int mock_rest(struct mock_buf *b, const struct mock_walk *w, struct span path, int64_t wall_ms)
{
	static const char *const roots[] = { "/fapi/v1/", "/dapi/v1/", "/api/v3/" };

	for (unsigned market = 0; market < MOCK_MARKETS; market++) {
		struct span root = span_of(roots[market]);
		if (!span_starts(path, root))
			continue;
		struct span name = { path.p + root.n, path.n - root.n };
		if (span_is(name, "time")) {
			number(b, "{\"serverTime\":", wall_ms);
			mock_put_char(b, '}');
		} else if (span_is(name, "ping")) {
			mock_put_lit(b, "{}");
		} else if (span_is(name, "exchangeInfo")) {
			exchange_info(b, w, (enum mock_market)market, wall_ms);
		} else {
			break;
		}
		return 200;
	}
	mock_put_lit(b, "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\n");
	return 404;
}
