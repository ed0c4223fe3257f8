#include "mock_rest.h"

#include "num.h"

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

static void side(struct mock_buf *b, const struct mock_symbol *s, int which, uint64_t levels)
{
	for (uint64_t k = 0; k < levels && k < MOCK_LEVELS; k++) {
		const struct mock_level *l = &s->book.side[which][k];
		decimal(b, k ? ",[" : "[", l->price, s->price_places);
		decimal(b, ",", l->qty, s->qty_places);
		mock_put_char(b, ']');
	}
}

/* its id is of the same series as u of the stream, so that a local book can be begun with it (bnc-wire(7) 2.9) */
static void depth(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, uint64_t levels)
{
	number(b, "{\"lastUpdateId\":", s->book.u);
	if (s->market != MOCK_SPOT) {
		number(b, ",\"E\":", mock_walk_ms(w));
		number(b, ",\"T\":", s->engine_ms);
	}
	if (s->market == MOCK_COINM) {
		text(b, ",\"symbol\":", span_of(s->name));
		text(b, ",\"pair\":", (struct span){ s->name, s->pair });
	}
	mock_put_lit(b, ",\"bids\":[");
	side(b, s, 0, levels);
	mock_put_lit(b, "],\"asks\":[");
	side(b, s, 1, levels);
	mock_put_lit(b, "]}");
}

static void premium_index(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	text(b, "{\"symbol\":", span_of(s->name));
	if (s->market == MOCK_COINM)
		text(b, ",\"pair\":", (struct span){ s->name, s->pair });
	decimal(b, ",\"markPrice\":", s->mark, 8);
	decimal(b, ",\"indexPrice\":", s->index, 8);
	decimal(b, ",\"estimatedSettlePrice\":", s->settle, 8);
	if (s->delivery) {
		mock_put_lit(b, ",\"lastFundingRate\":\"\",\"interestRate\":\"\",\"nextFundingTime\":0");
	} else {
		decimal(b, ",\"lastFundingRate\":", s->rate, 8);
		mock_put_lit(b, ",\"interestRate\":\"0.00010000\"");
		number(b, ",\"nextFundingTime\":", mock_walk_funding_ms(mock_walk_ms(w)));
	}
	number(b, ",\"time\":", mock_walk_ms(w));
	mock_put_char(b, '}');
}

/* of one symbol an object, but COIN-M always answers with an array */
static void premium_indexes(struct mock_buf *b, const struct mock_walk *w, enum mock_market market,
    const struct mock_symbol *only)
{
	bool array = !only || market == MOCK_COINM;
	bool first = true;

	if (array)
		mock_put_char(b, '[');
	for (size_t i = 0; i < w->symbols; i++) {
		const struct mock_symbol *s = &w->symbol[i];
		if (s->market != market || (only && s != only))
			continue;
		if (!first)
			mock_put_char(b, ',');
		first = false;
		premium_index(b, w, s);
	}
	if (array)
		mock_put_char(b, ']');
}

static int refuse(struct mock_buf *b, int64_t code, const char *message)
{
	number(b, "{\"code\":", code);
	text(b, ",\"msg\":", span_of(message));
	mock_put_char(b, '}');
	return 400;
}

/* the symbol that the query names, in any case; false: it names none that there is. *s NULL: it names none at all */
static bool asked_symbol(const struct mock_walk *w, enum mock_market market, struct span query, const struct mock_symbol **s)
{
	char name[4 * MOCK_SYMBOL_MAX];
	struct span value;

	*s = NULL;
	if (!mock_http_param(query, SPAN("symbol"), &value))
		return true;
	int n = mock_http_decode(value, name, sizeof name);
	if (n <= 0)
		return false;
	for (size_t i = 0; i < w->symbols && !*s; i++)
		if (w->symbol[i].market == market && span_eq(span_of(w->symbol[i].name), (struct span){ name, (size_t)n }))
			*s = &w->symbol[i];
	return *s != NULL;
}

static int answer(struct mock_buf *b, const struct mock_walk *w, enum mock_market market, struct span name,
    const struct mock_request *r, int64_t wall_ms)
{
	const struct mock_symbol *s;
	struct span limit;
	uint64_t levels = MOCK_LEVELS;

	if (span_is(name, "time")) {
		number(b, "{\"serverTime\":", wall_ms);
		mock_put_char(b, '}');
	} else if (span_is(name, "ping")) {
		mock_put_lit(b, "{}");
	} else if (span_is(name, "exchangeInfo")) {
		exchange_info(b, w, market, wall_ms);
	} else if (span_is(name, "depth")) {
		if (!asked_symbol(w, market, r->query, &s))
			return refuse(b, -1121, "Invalid symbol.");
		if (!s)
			return refuse(b, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.");
		if (mock_http_param(r->query, SPAN("limit"), &limit) && !num_u64(limit, 1, 5000, &levels))
			return refuse(b, -1130, "Data sent for parameter 'limit' is not valid.");
		depth(b, w, s, levels);
	} else if (span_is(name, "premiumIndex") && market != MOCK_SPOT) {
		if (!asked_symbol(w, market, r->query, &s))
			return refuse(b, -1121, "Invalid symbol.");
		premium_indexes(b, w, market, s);
	} else {
		return 404;
	}
	return 200;
}

int mock_rest(struct mock_buf *b, const struct mock_walk *w, const struct mock_request *r, int64_t wall_ms)
{
	static const char *const roots[] = { "/fapi/v1/", "/dapi/v1/", "/api/v3/" };
	int status = 404;

	for (unsigned market = 0; market < MOCK_MARKETS; market++) {
		struct span root = span_of(roots[market]);
		if (span_starts(r->path, root))
			status = answer(b, w, (enum mock_market)market, (struct span){ r->path.p + root.n, r->path.n - root.n }, r,
			    wall_ms);
	}
	if (status == 404)
		mock_put_lit(
		    b, "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>\n");
	return status;
}
