#include "binance.h"

#include "num.h"
#include "scan.h"

/* ------------------------------------------------------------------------------------------------- keys */

struct key {
	struct span name;
	unsigned slot;
};

/* keys of the envelope; what may be entered is */
static unsigned outer_slot(struct span key)
{
	static const struct key keys[] = {
		{ { "data", 4 }, BINANCE_DATA | FIELDS_INTO },
		{ { "stream", 6 }, BINANCE_STREAM },
		{ { "recv", 4 }, BINANCE_RECV },
		{ { "market", 6 }, BINANCE_MARKET },
		{ { "type", 4 }, BINANCE_TYPE },
		{ { "result", 6 }, BINANCE_RESULT },
		{ { "id", 2 }, BINANCE_ID },
		{ { "error", 5 }, BINANCE_ERROR },
		{ { "code", 4 }, BINANCE_CODE },
		{ { "msg", 3 }, BINANCE_MSG },
		{ { "event", 5 }, BINANCE_EVENT | FIELDS_INTO },
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (span_eq(key, keys[i].name))
			return keys[i].slot;
	return FIELDS_SKIP;
}

static unsigned inner_slot(struct span key)
{
	static const struct key keys[] = {
		{ { "ps", 2 }, BINANCE_PS },
		{ { "st", 2 }, BINANCE_ST },
		{ { "pu", 2 }, BINANCE_PU },
		{ { "lastUpdateId", 12 }, BINANCE_LAST_UPDATE_ID },
		{ { "bids", 4 }, BINANCE_BIDS },
		{ { "asks", 4 }, BINANCE_ASKS },
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (span_eq(key, keys[i].name))
			return keys[i].slot;
	return FIELDS_SKIP;
}

unsigned binance_slot(const char *key, size_t n, int depth)
{
	if (scan_likely(n == 1)) {
		unsigned char c = (unsigned char)key[0];
		return c >= 'A' && c <= 'z' ? c : FIELDS_SKIP;
	}
	struct span name = { key, n };
	unsigned slot = inner_slot(name);
	return slot == FIELDS_SKIP && depth == 0 ? outer_slot(name) : slot;
}

/* ------------------------------------------------------------------------------------------------- events */

static const struct {
	struct span name;
	binance_parse *parse;
} types[] = {
	{ { "bookTicker", 10 }, binance_book_ticker_parse },
	{ { "aggTrade", 8 }, binance_agg_trade_parse },
	{ { "trade", 5 }, binance_trade_parse },
	{ { "markPriceUpdate", 15 }, binance_mark_price_parse },
	{ { "depthUpdate", 11 }, binance_depth_parse },
	{ { "kline", 5 }, binance_kline_parse },
	{ { "24hrTicker", 10 }, binance_ticker_parse },
	{ { "24hrMiniTicker", 14 }, binance_ticker_parse },
	{ { "forceOrder", 10 }, binance_force_order_parse },
};

static binance_parse *parser_of(struct span name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (span_eq(name, types[i].name))
			return types[i].parse;
	return NULL;
}

/* spot's bookTicker has no e: it is known by its shape (binance 1.5) */
static bool looks_like_book_ticker(const struct fields *f)
{
	return fields_has(f, 'u') && fields_has(f, 's') && fields_has(f, 'b') && fields_has(f, 'B') && fields_has(f, 'a') &&
	    fields_has(f, 'A');
}

/* st says which product a row belongs to; the all-market streams of either host mix both (since 2026-06-30) */
static bool other_product(const struct fields *f, enum event_market market)
{
	if (scan_unlikely(!fields_has(f, BINANCE_ST) || fields_kind(f, BINANCE_ST) != JSON_INT))
		return false;
	struct span st = fields_text(f, BINANCE_ST);
	return (span_eq(st, SPAN("2")) && market == EVENT_USDM) || (span_eq(st, SPAN("1")) && market == EVENT_COINM);
}

static enum binance_result drop(uint64_t *counter)
{
	(*counter)++;
	return BINANCE_NOTHING;
}

static enum binance_result no_record(struct binance *b, binance_parse *parse)
{
	if (parse == binance_depth_parse)
		return drop(&b->depth);
	return drop(parse == binance_force_order_parse ? &b->liquidations : &b->placeholder);
}

/* one event that f holds -> at most one record */
static enum binance_result event(struct binance *b, const struct fields *f, const struct binance_frame *frame,
    struct line_out *out, const char **why)
{
	binance_parse *parse = NULL;

	if (scan_likely(fields_kind(f, 'e') == JSON_STRING))
		parse = parser_of(fields_text(f, 'e'));
	else if (fields_has(f, 'e'))
		return *why = "event type (e) is not a string", BINANCE_REFUSED;
	else if (looks_like_book_ticker(f))
		parse = binance_book_ticker_parse;
	else if (fields_has(f, BINANCE_LAST_UPDATE_ID))
		return drop(&b->depth);
	if (!parse)
		return drop(&b->unknown);
	if (other_product(f, frame->market))
		return drop(&b->other_market);
	enum binance_result r = parse(f, frame, &b->event, why);
	if (r == BINANCE_NOTHING)
		return no_record(b, parse);
	if (r != BINANCE_RECORDS)
		return r;
	if (!line_room(out, LINE_RECORD_MAX))
		return BINANCE_RECORDS; /* the writer has failed and says so itself */
	b->event.symbol = symbol_base(b->symbols, b->event.pair);
	out->p = event_write_price(out->p, &b->event);
	out->lines++;
	b->records++;
	return BINANCE_RECORDS;
}

/* every row of an array: sound rows give their records although another is refused */
static enum binance_result rows(struct binance *b, struct span array, const struct binance_frame *frame,
    struct line_out *out, const char **why, const char **at)
{
	enum binance_result result = BINANCE_NOTHING;
	struct json r;
	struct json_val v;

	if (!json_enter_array(&r, array))
		return *why = r.why, *at = r.at, BINANCE_REFUSED;
	while (json_next_element(&r, &v)) {
		enum binance_result one = BINANCE_REFUSED;
		const char *reason = "an element of the array is not an object";
		if (v.kind == JSON_OBJECT) {
			fields_enter(&b->row, v);
			one = event(b, &b->row, frame, out, &reason);
		}
		if (one == BINANCE_REFUSED && result != BINANCE_REFUSED) {
			*why = reason;
			*at = v.p;
		}
		if (one == BINANCE_REFUSED || (one == BINANCE_RECORDS && result == BINANCE_NOTHING))
			result = one;
	}
	return result;
}

/* -------------------------------------------------------------------------------------------------- lines */

/* what the envelope says of market and receive time; false: *why, and *at the value */
static bool envelope(const struct binance *b, struct binance_frame *frame, const char **why, const char **at)
{
	const struct fields *f = &b->fields;
	int64_t recv;

	if (fields_has(f, BINANCE_RECV)) {
		*at = f->v[BINANCE_RECV].p;
		*why = "receive time (recv) is not a time";
		if (fields_kind(f, BINANCE_RECV) != JSON_INT || !num_i64(fields_text(f, BINANCE_RECV), 0, INT64_MAX, &recv))
			return false;
		frame->recv = recv / 1000;
	}
	if (fields_has(f, BINANCE_MARKET)) {
		*at = f->v[BINANCE_MARKET].p;
		*why = "market is none of usdm, coinm, spot";
		frame->market = event_market(fields_text(f, BINANCE_MARKET));
		if (fields_kind(f, BINANCE_MARKET) != JSON_STRING || frame->market == EVENT_NO_MARKET)
			return false;
	}
	return true;
}

/* an object that carries no event of its own at the top */
static enum binance_result object(struct binance *b, struct binance_frame *frame, struct line_out *out,
    const char **why, const char **at)
{
	const struct fields *f = &b->fields;

	if (!envelope(b, frame, why, at))
		return BINANCE_REFUSED;
	switch (binance_control(f)) {
	case BINANCE_NO_CONTROL:
		break;
	case BINANCE_ERROR_REPLY:
		return drop(&b->errors);
	case BINANCE_REPLY:
	case BINANCE_SHUTDOWN:
		return drop(&b->control);
	}
	if (fields_kind(f, BINANCE_DATA) == JSON_ARRAY)
		return rows(b, fields_text(f, BINANCE_DATA), frame, out, why, at);
	if (fields_has(f, BINANCE_DATA) && fields_kind(f, BINANCE_DATA) != JSON_OBJECT) {
		*at = f->v[BINANCE_DATA].p;
		return *why = "data is neither an object nor an array", BINANCE_REFUSED;
	}
	*at = fields_has(f, BINANCE_DATA) ? f->v[BINANCE_DATA].p : *at;
	return event(b, f, frame, out, why);
}

/* a frame: an object or an array, nothing behind it */
static enum binance_result whole_frame(struct binance *b, struct span text, struct binance_frame *frame,
    struct line_out *out, const char **why, const char **at)
{
	struct json r;
	struct json_val v;

	*at = text.p;
	if (scan_likely(*scan_blanks(text.p) != '[')) {
		if (scan_unlikely(!fields_read(&b->fields, text))) {
			*why = b->fields.why;
			*at = text.p + b->fields.at;
			return BINANCE_REFUSED;
		}
		if (fields_kind(&b->fields, BINANCE_TYPE) == JSON_STRING)
			return BINANCE_PASS;
		return object(b, frame, out, why, at);
	}
	if (!json_check(&r, text, &v))
		return *why = r.why, *at = r.at, BINANCE_REFUSED;
	return rows(b, json_text(v), frame, out, why, at);
}

/* "<integer time> <frame>": 19 digits are ns, 16 µs, 13 ms. *rest is the frame; false: no such line */
static bool leading_time(struct span line, int64_t *ms, struct span *rest)
{
	struct span digits = span_cut(line, ' ', rest);
	int64_t unit = digits.n == 13 ? 1 : digits.n == 16 ? 1000 : digits.n == 19 ? 1000000 : 0;
	int64_t t;

	if (!rest->p || unit == 0 || !num_i64(digits, 0, INT64_MAX, &t))
		return false;
	*ms = t / unit;
	return true;
}

void binance_open(struct binance *b, enum event_market market)
{
	*b = (struct binance){ .market = market };
	fields_open(&b->fields, binance_slot);
	fields_open(&b->row, binance_slot);
	fields_open(&b->inner, binance_slot);
}

enum binance_result binance_normalize(struct binance *b, struct span line, struct line_out *out, const char **why,
    size_t *at)
{
	struct binance_frame frame = { .market = b->market, .recv = -1, .inner = &b->inner };
	struct span text = line;
	const char *where = line.p;

	if (line.n && scan_is_digit(line.p[0]) && !leading_time(line, &frame.recv, &text)) {
		*why = "neither a frame nor \"<time> <frame>\" with a time of 13, 16 or 19 digits";
		*at = 0;
		return BINANCE_REFUSED;
	}
	enum binance_result r = whole_frame(b, text, &frame, out, why, &where);
	if (r == BINANCE_REFUSED)
		*at = (size_t)(where - line.p);
	if (r == BINANCE_NOTHING && b->keep_unknown)
		r = BINANCE_PASS;
	b->passed += r == BINANCE_PASS;
	return r;
}
