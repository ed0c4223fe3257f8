#include "binance.h"

#include "binance_user.h"
#include "num.h"
#include "scan.h"
#include "when.h"

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

/* keys of two letters; those of every market event come first */
static unsigned pair_slot(const char *key)
{
#define IS(u, b) (key[0] == (u) && key[1] == (b))
	return IS('p', 's') ? BINANCE_PS
	    : IS('s', 't')  ? BINANCE_ST
	    : IS('p', 'u')  ? BINANCE_PU
	    : IS('w', 'b')  ? BINANCE_WB
	    : IS('c', 'w')  ? BINANCE_CW
	    : IS('p', 'a')  ? BINANCE_PA
	    : IS('e', 'p')  ? BINANCE_EP
	    : IS('m', 'p')  ? BINANCE_MP
	    : IS('u', 'p')  ? BINANCE_UP
	    : IS('m', 'm')  ? BINANCE_MM
	    : IS('r', 'p')  ? BINANCE_RP
	    : IS('a', 'c')  ? BINANCE_AC
	    : IS('a', 'i')  ? BINANCE_AI
	    : IS('t', 'p')  ? BINANCE_TP
	    : IS('r', 'm')  ? BINANCE_RM
			    : FIELDS_SKIP;
#undef IS
}

/* the length leaves a few names to compare */
static unsigned inner_slot(const char *key, size_t n)
{
#define IS(name) (memcmp(key, (name), sizeof(name) - 1) == 0)
	switch (n) {
	case 2:
		return pair_slot(key);
	case 3:
		return IS("aid") ? BINANCE_AID : FIELDS_SKIP;
	case 4:
		return IS("bids") ? BINANCE_BIDS : IS("asks") ? BINANCE_ASKS : IS("free") ? BINANCE_FREE : FIELDS_SKIP;
	case 5:
		return IS("asset") ? BINANCE_ASSET : FIELDS_SKIP;
	case 6:
		return IS("symbol") ? BINANCE_SYMBOL : IS("locked") ? BINANCE_LOCKED : FIELDS_SKIP;
	case 7:
		return IS("balance") ? BINANCE_BALANCE : FIELDS_SKIP;
	case 8:
		return IS("balances") ? BINANCE_BALANCES : FIELDS_SKIP;
	case 9:
		return IS("markPrice") ? BINANCE_MARK_PRICE : FIELDS_SKIP;
	case 10:
		return IS("entryPrice") ? BINANCE_ENTRY_PRICE : IS("updateTime") ? BINANCE_UPDATE_TIME : FIELDS_SKIP;
	case 11:
		return IS("positionAmt") ? BINANCE_POSITION_AMT : FIELDS_SKIP;
	case 12:
		return IS("lastUpdateId") ? BINANCE_LAST_UPDATE_ID
		    : IS("positionSide")  ? BINANCE_POSITION_SIDE
					  : FIELDS_SKIP;
	case 16:
		return IS("unRealizedProfit") ? BINANCE_UNREALIZED_PROFIT : FIELDS_SKIP;
	default:
		return FIELDS_SKIP;
	}
#undef IS
}

unsigned binance_slot(const char *key, size_t n, int depth)
{
	if (scan_likely(n == 1)) {
		unsigned char c = (unsigned char)key[0];
		return c >= 'A' && c <= 'z' ? c : FIELDS_SKIP;
	}
	unsigned slot = inner_slot(key, n);
	return slot == FIELDS_SKIP && depth == 0 ? outer_slot((struct span){ key, n }) : slot;
}

/* ------------------------------------------------------------------------------------------------- events */

/* a type gives one price_update at most (price), or it is the account's */
static const struct binance_type {
	struct span name;
	binance_parse *price;
	binance_user_parse *user;
} types[] = {
	{ { "bookTicker", 10 }, binance_book_ticker_parse, NULL },
	{ { "aggTrade", 8 }, binance_agg_trade_parse, NULL },
	{ { "trade", 5 }, binance_trade_parse, NULL },
	{ { "markPriceUpdate", 15 }, binance_mark_price_parse, NULL },
	{ { "depthUpdate", 11 }, binance_depth_parse, NULL },
	{ { "kline", 5 }, binance_kline_parse, NULL },
	{ { "24hrTicker", 10 }, binance_ticker_parse, NULL },
	{ { "24hrMiniTicker", 14 }, binance_ticker_parse, NULL },
	{ { "forceOrder", 10 }, binance_force_order_parse, NULL },
	{ { "ACCOUNT_UPDATE", 14 }, NULL, binance_account_update_parse },
	{ { "ORDER_TRADE_UPDATE", 18 }, NULL, binance_order_trade_update_parse },
	{ { "TRADE_LITE", 10 }, NULL, binance_trade_lite_parse },
	{ { "executionReport", 15 }, NULL, binance_execution_report_parse },
	{ { "outboundAccountPosition", 23 }, NULL, binance_account_position_parse },
	{ { "MARGIN_CALL", 11 }, NULL, binance_margin_call_parse },
	{ { "ACCOUNT_CONFIG_UPDATE", 21 }, NULL, binance_account_config_parse },
	{ { "ALGO_UPDATE", 11 }, NULL, binance_algo_update_parse },
	{ { "balanceUpdate", 13 }, NULL, binance_balance_change_parse },
	{ { "externalLockUpdate", 18 }, NULL, binance_balance_change_parse },
	{ { "listenKeyExpired", 16 }, NULL, binance_stream_over_parse },
	{ { "eventStreamTerminated", 21 }, NULL, binance_stream_over_parse },
	{ { "STRATEGY_UPDATE", 15 }, NULL, binance_user_order },
	{ { "GRID_UPDATE", 11 }, NULL, binance_user_order },
	{ { "listStatus", 10 }, NULL, binance_user_order },
	{ { "CONDITIONAL_ORDER_TRIGGER_REJECT", 32 }, NULL, binance_user_order },
};

static const struct binance_type *type_of(struct span name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (span_eq(name, types[i].name))
			return &types[i];
	return NULL;
}

/* what has no e is known by its shape, or by the path that it answers */
static const struct binance_type spot_book_ticker = { { NULL, 0 }, binance_book_ticker_parse, NULL };
static const struct rest {
	struct span path;
	enum event_market market;
	struct binance_type type;
} rests[] = {
	{ { "/fapi/v3/balance", 16 }, EVENT_USDM, { { NULL, 0 }, NULL, binance_rest_balance_parse } },
	{ { "/fapi/v2/balance", 16 }, EVENT_USDM, { { NULL, 0 }, NULL, binance_rest_balance_parse } },
	{ { "/dapi/v1/balance", 16 }, EVENT_COINM, { { NULL, 0 }, NULL, binance_rest_balance_parse } },
	{ { "/fapi/v3/positionRisk", 21 }, EVENT_USDM, { { NULL, 0 }, NULL, binance_rest_position_parse } },
	{ { "/fapi/v2/positionRisk", 21 }, EVENT_USDM, { { NULL, 0 }, NULL, binance_rest_position_parse } },
	{ { "/dapi/v1/positionRisk", 21 }, EVENT_COINM, { { NULL, 0 }, NULL, binance_rest_position_parse } },
	{ { "/api/v3/account", 15 }, EVENT_SPOT, { { NULL, 0 }, NULL, binance_rest_account_parse } },
};

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

/* event time, -1: none */
static int64_t time_of(const struct fields *f)
{
	int64_t ms;

	return binance_field_time(f, 'E', &ms) ? ms : -1;
}

static enum binance_result user_event(struct binance *b, binance_user_parse *parse, const struct fields *f,
    const struct binance_frame *frame, struct line_out *out, const char **why, const char **at)
{
	struct binance_user u = {
		.b = b,
		.event = f,
		.market = frame->market,
		.recv = frame->recv,
		.now = time_of(f),
		.out = out,
		.result = BINANCE_NOTHING,
	};

	parse(&u, f);
	binance_user_told_by_time(b, u.now, out);
	if (u.result == BINANCE_REFUSED)
		*why = u.why;
	if (u.result == BINANCE_REFUSED && u.at)
		*at = u.at;
	return u.result;
}

/* one event that a price comes of -> at most one record */
static enum binance_result price_event(struct binance *b, binance_parse *parse, const struct fields *f,
    const struct binance_frame *frame, struct line_out *out, const char **why)
{
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

/* the type that e names; NULL: none, or none that we know */
static inline const struct binance_type *named_type(const struct fields *f)
{
	return scan_likely(fields_kind(f, 'e') == JSON_STRING) ? type_of(fields_text(f, 'e')) : NULL;
}

/* one event that f holds, of its named_type */
static enum binance_result event(struct binance *b, const struct binance_type *type, const struct fields *f,
    const struct binance_frame *frame, struct line_out *out, const char **why, const char **at)
{
	if (scan_unlikely(!type && fields_has(f, 'e') && fields_kind(f, 'e') != JSON_STRING))
		return *why = "event type (e) is not a string", BINANCE_REFUSED;
	if (scan_unlikely(!fields_has(f, 'e'))) {
		type = frame->rest ? frame->rest : looks_like_book_ticker(f) ? &spot_book_ticker : NULL;
		if (!type && fields_has(f, BINANCE_LAST_UPDATE_ID))
			return drop(&b->depth);
	}
	bool other = type && other_product(f, frame->market);
	if (scan_unlikely(type && type->user && !other))
		return user_event(b, type->user, f, frame, out, why, at);
	if (scan_unlikely(b->fills && b->fills->n > 0))
		binance_user_told_by_time(b, time_of(f), out);
	if (!type)
		return drop(&b->unknown);
	return other ? drop(&b->other_market) : price_event(b, type->price, f, frame, out, why);
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
		const char *where = v.p;
		if (v.kind == JSON_OBJECT) {
			fields_enter(&b->row, v);
			one = event(b, named_type(&b->row), &b->row, frame, out, &reason, &where);
		}
		if (one == BINANCE_REFUSED && result != BINANCE_REFUSED) {
			*why = reason;
			*at = where;
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

/* A frame of an answer of REST names its path where others name their stream. Its market is the path's. */
static void answer_of(const struct fields *f, struct binance_frame *frame)
{
	if (fields_kind(f, BINANCE_STREAM) != JSON_STRING)
		return;
	for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++)
		if (span_eq(fields_text(f, BINANCE_STREAM), rests[i].path)) {
			frame->rest = &rests[i].type;
			frame->market = rests[i].market;
		}
}

/* an object that carries no event of its own at the top */
static enum binance_result object(struct binance *b, struct binance_frame *frame, struct line_out *out,
    const char **why, const char **at)
{
	const struct fields *f = &b->fields;

	if (!envelope(b, frame, why, at))
		return BINANCE_REFUSED;
	const struct binance_type *type = named_type(f);
	switch (scan_likely(type != NULL) ? BINANCE_NO_CONTROL : binance_control(f)) {
	case BINANCE_NO_CONTROL:
		break;
	case BINANCE_ERROR_REPLY:
		return drop(&b->errors);
	case BINANCE_REPLY:
	case BINANCE_SHUTDOWN:
		return drop(&b->control);
	}
	if (scan_unlikely(!fields_has(f, 'e')))
		answer_of(f, frame);
	if (fields_has(f, BINANCE_DATA)) {
		if (fields_kind(f, BINANCE_DATA) == JSON_ARRAY)
			return rows(b, fields_text(f, BINANCE_DATA), frame, out, why, at);
		*at = f->v[BINANCE_DATA].p;
		if (fields_kind(f, BINANCE_DATA) != JSON_OBJECT)
			return *why = "data is neither an object nor an array", BINANCE_REFUSED;
	}
	return event(b, type, f, frame, out, why, at);
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

void binance_open(struct binance *b, enum event_market market)
{
	memset(b, 0, offsetof(struct binance, fields)); /* the rest is filled before it is read */
	b->market = market;
	fields_open(&b->fields, binance_slot);
	fields_open(&b->row, binance_slot);
	fields_open(&b->inner, binance_slot);
	fields_open(&b->leaf, binance_slot);
}

enum binance_result binance_normalize(struct binance *b, struct span line, struct line_out *out, const char **why,
    size_t *at)
{
	struct binance_frame frame = { .market = b->market, .recv = -1, .inner = &b->inner };
	struct span text = line;
	const char *where = line.p;

	if (line.n && scan_is_digit(line.p[0])) {
		int64_t us;
		if (!when_cut(line, &us, &text)) {
			*why = "neither a frame nor \"<time> <frame>\" with a time of 13, 16 or 19 digits";
			*at = 0;
			return BINANCE_REFUSED;
		}
		frame.recv = us / 1000;
	}
	enum binance_result r = whole_frame(b, text, &frame, out, why, &where);
	if (r == BINANCE_REFUSED)
		*at = (size_t)(where - line.p);
	if (r == BINANCE_NOTHING && b->keep_unknown)
		r = BINANCE_PASS;
	b->passed += r == BINANCE_PASS;
	return r;
}

void binance_finish(struct binance *b, struct line_out *out)
{
	binance_user_told_by_time(b, INT64_MAX, out);
}
