#include "mock_payload.h"


/* --- members ------------------------------------------------------------------------------------------------- */

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

static void truth(struct mock_buf *b, const char *key, bool value)
{
	mock_put(b, span_of(key));
	mock_put(b, value ? SPAN("true") : SPAN("false"));
}

static void price(struct mock_buf *b, const struct mock_symbol *s, const char *key, int64_t v)
{
	decimal(b, key, v, s->price_places);
}

static void qty(struct mock_buf *b, const struct mock_symbol *s, const char *key, int64_t v)
{
	decimal(b, key, v, s->qty_places);
}

static void symbol(struct mock_buf *b, const struct mock_symbol *s, const char *key)
{
	text(b, key, span_of(s->name));
}

static void pair(struct mock_buf *b, const struct mock_symbol *s, const char *key)
{
	text(b, key, (struct span){ s->name, s->pair });
}

/* the product, at the end of an event: futures only, since the merge of 2026-06-30 */
static void end(struct mock_buf *b, const struct mock_symbol *s)
{
	if (s->market != MOCK_SPOT)
		number(b, ",\"st\":", s->market == MOCK_USDM ? 1 : 2);
	mock_put_char(b, '}');
}

/* --- events -------------------------------------------------------------------------------------------------- */

/* bnc-wire(7) 2.1 */
static void book_ticker(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	const struct mock_level *bid = &s->book.side[0][0];
	const struct mock_level *ask = &s->book.side[1][0];
	bool spot = s->market == MOCK_SPOT;

	number(b, spot ? "{\"u\":" : "{\"e\":\"bookTicker\",\"u\":", s->book.u);
	symbol(b, s, ",\"s\":");
	if (!spot)
		pair(b, s, ",\"ps\":");
	price(b, s, ",\"b\":", bid->price);
	qty(b, s, ",\"B\":", bid->qty);
	price(b, s, ",\"a\":", ask->price);
	qty(b, s, ",\"A\":", ask->qty);
	if (!spot) {
		number(b, ",\"T\":", s->engine_ms);
		number(b, ",\"E\":", mock_walk_ms(w));
	}
	end(b, s);
}

/* bnc-wire(7) 2.2; spot has s before a and a meaningless M, COIN-M's nq is not known to exist */
static void agg_trade(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	bool spot = s->market == MOCK_SPOT;

	number(b, "{\"e\":\"aggTrade\",\"E\":", mock_walk_ms(w));
	if (spot)
		symbol(b, s, ",\"s\":");
	number(b, ",\"a\":", s->agg.id);
	if (!spot)
		symbol(b, s, ",\"s\":");
	price(b, s, ",\"p\":", s->agg.price);
	qty(b, s, ",\"q\":", s->agg.qty);
	if (s->market == MOCK_USDM)
		qty(b, s, ",\"nq\":", s->agg.net);
	number(b, ",\"f\":", s->agg.first);
	number(b, ",\"l\":", s->agg.last);
	number(b, ",\"T\":", s->agg.ms);
	truth(b, ",\"m\":", s->agg.maker);
	if (spot)
		mock_put_lit(b, ",\"M\":true");
	end(b, s);
}

static void spot_trade(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	number(b, "{\"e\":\"trade\",\"E\":", mock_walk_ms(w));
	symbol(b, s, ",\"s\":");
	number(b, ",\"t\":", s->trade.id);
	price(b, s, ",\"p\":", s->trade.price);
	qty(b, s, ",\"q\":", s->trade.qty);
	number(b, ",\"T\":", s->trade.ms);
	truth(b, ",\"m\":", s->trade.maker);
	mock_put_lit(b, ",\"M\":true}");
}

/* bnc-wire(7) 2.3; a placeholder has p and q "0"; COIN-M's lacks st */
static void trade(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	bool placeholder = s->trade.qty == 0;

	if (s->market == MOCK_SPOT) {
		spot_trade(b, w, s);
		return;
	}
	number(b, "{\"e\":\"trade\",\"E\":", mock_walk_ms(w));
	number(b, ",\"T\":", s->trade.ms);
	symbol(b, s, ",\"s\":");
	number(b, ",\"t\":", s->trade.id);
	decimal(b, ",\"p\":", s->trade.price, placeholder ? 0 : s->price_places);
	decimal(b, ",\"q\":", s->trade.qty, placeholder ? 0 : s->qty_places);
	text(b, ",\"X\":", span_of(s->trade.kind));
	truth(b, ",\"m\":", s->trade.maker);
	mock_put(b, s->market == MOCK_COINM ? SPAN("}") : SPAN(",\"st\":1}"));
}

/* bnc-wire(7) 2.4: E is a whole second, T the next funding time; delivery contracts have no rate */
static void mark_price(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	int64_t now = mock_walk_ms(w);

	number(b, "{\"e\":\"markPriceUpdate\",\"E\":", now - now % 1000);
	symbol(b, s, ",\"s\":");
	decimal(b, ",\"p\":", s->mark, 8);
	decimal(b, ",\"ap\":", s->mark, 8);
	decimal(b, ",\"P\":", s->settle, 8);
	decimal(b, ",\"i\":", s->index, 8);
	if (s->delivery)
		mock_put_lit(b, ",\"r\":\"\"");
	else
		decimal(b, ",\"r\":", s->rate, 8);
	number(b, ",\"T\":", s->delivery ? 0 : mock_walk_funding_ms(now));
	end(b, s);
}

/* before a member inside k: live frames of USDⓈ-M carry a blank after each comma there (bnc-wire(7) 2.5) */
static void next(struct mock_buf *b, const struct mock_symbol *s, const char *key)
{
	mock_put(b, s->market == MOCK_USDM ? SPAN(", \"") : SPAN(",\""));
	mock_put(b, span_of(key));
	mock_put_lit(b, "\":");
}

static void bar_times(struct mock_buf *b, const struct mock_symbol *s, const struct mock_bar *k, int interval)
{
	number(b, ",\"k\":{\"t\":", k->open_ms);
	next(b, s, "T");
	mock_put_i64(b, mock_walk_bar_end(interval, k->open_ms));
	next(b, s, "s");
	symbol(b, s, "");
	next(b, s, "i");
	text(b, "", span_of(mock_interval_word[interval]));
	next(b, s, "f");
	mock_put_i64(b, k->first_id);
	next(b, s, "L");
	mock_put_i64(b, k->last_id);
}

static void bar_values(struct mock_buf *b, const struct mock_symbol *s, const struct mock_bar *k)
{
	const struct {
		const char *key;
		int64_t units;
		int places;
	} prices[] = {
		{ "o", k->open, s->price_places },
		{ "c", k->close, s->price_places },
		{ "h", k->high, s->price_places },
		{ "l", k->low, s->price_places },
		{ "v", k->volume, s->qty_places },
	};

	for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
		next(b, s, prices[i].key);
		decimal(b, "", prices[i].units, prices[i].places);
	}
}

static void kline(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, int interval)
{
	const struct mock_bar *k = s->closing ? &s->ended[interval] : &s->bar[interval];

	number(b, "{\"e\":\"kline\",\"E\":", mock_walk_ms(w));
	symbol(b, s, ",\"s\":");
	bar_times(b, s, k, interval);
	bar_values(b, s, k);
	next(b, s, "n");
	mock_put_i64(b, k->count);
	next(b, s, "x");
	truth(b, "", s->closing);
	next(b, s, "q");
	decimal(b, "", k->quote, s->quote_places);
	next(b, s, "V");
	qty(b, s, "", k->taker_volume);
	next(b, s, "Q");
	decimal(b, "", k->taker_quote, s->quote_places);
	next(b, s, "B");
	mock_put_lit(b, "\"0\"}}");
}

/* bnc-wire(7) 2.7; spot's has no pair and no product */
static void mini_ticker(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	const struct mock_bar *d = &s->day;

	number(b, "{\"e\":\"24hrMiniTicker\",\"E\":", mock_walk_ms(w));
	symbol(b, s, ",\"s\":");
	if (s->market != MOCK_SPOT)
		pair(b, s, ",\"ps\":");
	price(b, s, ",\"c\":", d->close);
	price(b, s, ",\"o\":", d->open);
	price(b, s, ",\"h\":", d->high);
	price(b, s, ",\"l\":", d->low);
	qty(b, s, ",\"v\":", d->volume);
	decimal(b, ",\"q\":", d->quote, s->quote_places);
	end(b, s);
}

__extension__ typedef __int128 wide;

static int64_t power10(int n)
{
	int64_t v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

/* quote volume / volume: USDⓈ-M with the price's decimals, the others with 8. COIN-M: contracts * USD / coins */
static void weighted(struct mock_buf *b, const struct mock_symbol *s)
{
	const struct mock_bar *d = &s->day;
	wide w;

	if (s->market == MOCK_COINM) /* quote is coins at 8 decimals */
		w = d->quote ? (wide)d->volume * s->contract * 100000000 * 100000000 / d->quote : 0;
	else
		w = d->volume ? (wide)d->quote * power10(s->market == MOCK_SPOT ? 8 : 0) / d->volume : 0;
	decimal(b, ",\"w\":", (int64_t)w, s->market == MOCK_USDM ? s->price_places : 8);
}

/* bnc-wire(7) 2.6; spot's order has x, the best quotes and no product */
static void ticker(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	const struct mock_bar *d = &s->day;
	bool spot = s->market == MOCK_SPOT;
	int64_t now = mock_walk_ms(w);

	number(b, "{\"e\":\"24hrTicker\",\"E\":", now);
	symbol(b, s, ",\"s\":");
	if (!spot)
		pair(b, s, ",\"ps\":");
	price(b, s, ",\"p\":", d->close - d->open);
	decimal(b, ",\"P\":", (int64_t)((wide)(d->close - d->open) * 100000 / d->open), 3);
	weighted(b, s);
	if (spot)
		price(b, s, ",\"x\":", s->day_first);
	price(b, s, ",\"c\":", d->close);
	qty(b, s, ",\"Q\":", s->agg.qty);
	if (spot) {
		price(b, s, ",\"b\":", s->book.side[0][0].price);
		qty(b, s, ",\"B\":", s->book.side[0][0].qty);
		price(b, s, ",\"a\":", s->book.side[1][0].price);
		qty(b, s, ",\"A\":", s->book.side[1][0].qty);
	}
	price(b, s, ",\"o\":", d->open);
	price(b, s, ",\"h\":", d->high);
	price(b, s, ",\"l\":", d->low);
	qty(b, s, ",\"v\":", d->volume);
	decimal(b, ",\"q\":", d->quote, s->quote_places);
	number(b, ",\"O\":", d->open_ms);
	number(b, ",\"C\":", now - 1);
	number(b, ",\"F\":", d->first_id);
	number(b, ",\"L\":", d->last_id);
	number(b, ",\"n\":", d->count);
	end(b, s);
}

/* bnc-wire(7) 2.8: pair and product stand inside o */
static void force_order(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s)
{
	number(b, "{\"e\":\"forceOrder\",\"E\":", mock_walk_ms(w));
	symbol(b, s, ",\"o\":{\"s\":");
	text(b, ",\"S\":", s->force.sell ? SPAN("SELL") : SPAN("BUY"));
	mock_put_lit(b, ",\"o\":\"LIMIT\",\"f\":\"IOC\"");
	qty(b, s, ",\"q\":", s->force.qty);
	price(b, s, ",\"p\":", s->force.price);
	price(b, s, ",\"ap\":", s->force.average);
	mock_put_lit(b, ",\"X\":\"FILLED\"");
	qty(b, s, ",\"l\":", s->force.qty);
	qty(b, s, ",\"z\":", s->force.qty);
	number(b, ",\"T\":", s->force.ms - 300); /* seen: 136 to 1016 ms before E */
	pair(b, s, ",\"ps\":");
	end(b, s);
	mock_put_char(b, '}');
}

/* --- depth (bnc-wire(7) 2.9) ---------------------------------------------------------------------------------- */

static void level(struct mock_buf *b, const struct mock_symbol *s, int64_t at, int64_t quantity, bool *first)
{
	if (!*first)
		mock_put_char(b, ',');
	*first = false;
	price(b, s, "[", at);
	qty(b, s, ",", quantity);
	mock_put_char(b, ']');
}

static int64_t level_qty(const struct mock_level *side, int64_t at)
{
	for (int k = 0; k < MOCK_LEVELS; k++)
		if (side[k].price == at)
			return side[k].qty;
	return 0;
}

/* levels that changed or went since the event before, in rising order of price */
static void side_diff(struct mock_buf *b, const struct mock_symbol *s, int speed, int side)
{
	const struct mock_level *old = s->before[speed].side[side];
	const struct mock_level *now = s->seen[speed].side[side];
	int64_t low = side == 0 ? now[MOCK_LEVELS - 1].price : now[0].price;
	int64_t other = side == 0 ? old[MOCK_LEVELS - 1].price : old[0].price;
	int64_t high = side == 0 ? now[0].price : now[MOCK_LEVELS - 1].price;
	int64_t other_high = side == 0 ? old[0].price : old[MOCK_LEVELS - 1].price;
	bool first = true;

	low = low < other ? low : other;
	high = high > other_high ? high : other_high;
	mock_put_char(b, '[');
	for (int64_t at = low; at <= high; at += s->tick)
		if (level_qty(old, at) != level_qty(now, at))
			level(b, s, at, level_qty(now, at), &first);
	mock_put_char(b, ']');
}

static void depth_head(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, int speed)
{
	int64_t previous = s->before[speed].u;
	int64_t last = s->seen[speed].u;
	bool spot = s->market == MOCK_SPOT;

	number(b, "{\"e\":\"depthUpdate\",\"E\":", mock_walk_ms(w));
	if (!spot)
		number(b, ",\"T\":", s->engine_ms);
	symbol(b, s, ",\"s\":");
	if (!spot)
		pair(b, s, ",\"ps\":");
	/* on futures the counter is shared: U is some way above pu; on spot it is the next */
	number(b, ",\"U\":", spot || last - previous < 100 ? previous + 1 : previous + 98);
	number(b, ",\"u\":", last);
	if (!spot)
		number(b, ",\"pu\":", previous);
}

static void depth_diff(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, int speed)
{
	depth_head(b, w, s, speed);
	mock_put_lit(b, ",\"b\":");
	side_diff(b, s, speed, 0);
	mock_put_lit(b, ",\"a\":");
	side_diff(b, s, speed, 1);
	end(b, s);
}

static void side_top(struct mock_buf *b, const struct mock_symbol *s, int speed, int side, int levels)
{
	bool first = true;

	mock_put_char(b, '[');
	for (int k = 0; k < levels; k++)
		level(b, s, s->seen[speed].side[side][k].price, s->seen[speed].side[side][k].qty, &first);
	mock_put_char(b, ']');
}

/* the whole top of the book: on futures the same event type, on spot a shape without symbol and time */
static void depth_partial(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, int which)
{
	static const int levels[] = { 5, 10, 20 };
	int speed = which % MOCK_SPEEDS;
	int n = levels[which / MOCK_SPEEDS];

	if (s->market == MOCK_SPOT) {
		number(b, "{\"lastUpdateId\":", s->seen[speed].u);
		mock_put_lit(b, ",\"bids\":");
	} else {
		depth_head(b, w, s, speed);
		mock_put_lit(b, ",\"b\":");
	}
	side_top(b, s, speed, 0, n);
	mock_put(b, s->market == MOCK_SPOT ? SPAN(",\"asks\":") : SPAN(",\"a\":"));
	side_top(b, s, speed, 1, n);
	end(b, s);
}

/* --- which event --------------------------------------------------------------------------------------------- */

static void single(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, enum mock_slot slot)
{
	if (slot >= MOCK_KLINE)
		kline(b, w, s, (int)slot - MOCK_KLINE);
	else if (slot >= MOCK_PARTIAL)
		depth_partial(b, w, s, (int)slot - MOCK_PARTIAL);
	else if (slot >= MOCK_DEPTH)
		depth_diff(b, w, s, (int)slot - MOCK_DEPTH);
	else if (slot == MOCK_BOOK)
		book_ticker(b, w, s);
	else if (slot == MOCK_AGG)
		agg_trade(b, w, s);
	else if (slot == MOCK_TRADE)
		trade(b, w, s);
	else if (slot == MOCK_MARK_3S || slot == MOCK_MARK_1S)
		mark_price(b, w, s);
	else if (slot == MOCK_MINI)
		mini_ticker(b, w, s);
	else if (slot == MOCK_TICKER)
		ticker(b, w, s);
	else
		force_order(b, w, s);
}

/* a row without funding: T 0 and rate 0 (bnc-wire(7) 2.4, 2.12) */
static void old_row(struct mock_buf *b, const struct mock_walk *w)
{
	int64_t now = mock_walk_ms(w);

	number(b, "{\"e\":\"markPriceUpdate\",\"E\":", now - now % 1000);
	mock_put_lit(b,
	    ",\"s\":\"OLDUSDT\",\"p\":\"1.00000000\",\"ap\":\"1.00000000\",\"P\":\"1.00000000\",\"i\":\"1.00000000\","
	    "\"r\":\"0.00000000\",\"T\":0,\"st\":1}");
}

/* arrays of either futures host hold the rows of both products (bnc-wire(7) 1.3); tickers only what changed */
static void array(struct mock_buf *b, const struct mock_walk *w, enum mock_market market, enum mock_slot slot)
{
	bool marks = slot == MOCK_MARK_1S || slot == MOCK_MARK_3S;
	bool first = true;

	mock_put_char(b, '[');
	for (size_t i = 0; i < w->symbols; i++) {
		const struct mock_symbol *s = &w->symbol[i];
		if ((s->market == MOCK_SPOT) != (market == MOCK_SPOT) || !(marks || s->changed))
			continue;
		if (!first)
			mock_put_char(b, ',');
		first = false;
		single(b, w, s, slot);
	}
	if (marks) {
		mock_put(b, first ? SPAN("") : SPAN(","));
		old_row(b, w);
	}
	mock_put_char(b, ']');
}

void mock_payload(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, enum mock_market market,
    enum mock_slot slot)
{
	if (s)
		single(b, w, s, slot);
	else
		array(b, w, market, slot);
}
