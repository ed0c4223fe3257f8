#include "event.h"

#include "jsonw.h"
#include "num.h"
#include "sentence.h"

/* ------------------------------------------------------------------------------------------------ names */

/* a filter looks up every key of every line: the length leaves a few names to compare */
unsigned event_slot(const char *key, size_t n, int depth)
{
#define IS(name) (memcmp(key, (name), sizeof(name) - 1) == 0)
	(void)depth;
	switch (n) {
	case 2:
		return IS("ts") ? EVENT_SLOT_TS : IS("id") ? EVENT_SLOT_ID : FIELDS_SKIP;
	case 3:
		return IS("qty") ? EVENT_SLOT_QTY : IS("fee") ? EVENT_SLOT_FEE : FIELDS_SKIP;
	case 4:
		return IS("type") ? EVENT_SLOT_TYPE
		    : IS("pair")  ? EVENT_SLOT_PAIR
		    : IS("side")  ? EVENT_SLOT_SIDE
		    : IS("recv")  ? EVENT_SLOT_RECV
		    : IS("more")  ? EVENT_SLOT_MORE
				  : FIELDS_SKIP;
	case 5:
		return IS("price") ? EVENT_SLOT_PRICE : IS("asset") ? EVENT_SLOT_ASSET : FIELDS_SKIP;
	case 6:
		return IS("symbol") ? EVENT_SLOT_SYMBOL
		    : IS("market")  ? EVENT_SLOT_MARKET
		    : IS("source")  ? EVENT_SLOT_SOURCE
		    : IS("reason")  ? EVENT_SLOT_REASON
				    : FIELDS_SKIP;
	case 7:
		return IS("balance") ? EVENT_SLOT_BALANCE : IS("orderId") ? EVENT_SLOT_ORDER_ID : FIELDS_SKIP;
	case 8:
		return IS("feeAsset") ? EVENT_SLOT_FEE_ASSET : FIELDS_SKIP;
	case 9:
		return IS("markPrice") ? EVENT_SLOT_MARK_PRICE : IS("simulated") ? EVENT_SLOT_SIMULATED : FIELDS_SKIP;
	case 10:
		return IS("entryPrice") ? EVENT_SLOT_ENTRY_PRICE : FIELDS_SKIP;
	case 11:
		return IS("realizedPnl") ? EVENT_SLOT_REALIZED_PNL : FIELDS_SKIP;
	case 12:
		return IS("positionSide") ? EVENT_SLOT_POSITION_SIDE
		    : IS("contractSize")  ? EVENT_SLOT_CONTRACT_SIZE
					  : FIELDS_SKIP;
	case 13:
		return IS("unrealizedPnl") ? EVENT_SLOT_UNREALIZED_PNL : FIELDS_SKIP;
	default:
		return FIELDS_SKIP;
	}
#undef IS
}

enum event_type event_type(const struct fields *f)
{
	static const struct {
		struct span name;
		enum event_type type;
	} types[] = {
		{ { "price_update", 12 }, EVENT_PRICE_UPDATE },
		{ { "heartbeat", 9 }, EVENT_HEARTBEAT },
		{ { "position_update", 15 }, EVENT_POSITION_UPDATE },
		{ { "trade_executed", 14 }, EVENT_TRADE_EXECUTED },
		{ { "balance_update", 14 }, EVENT_BALANCE_UPDATE },
		{ { "equity_snapshot", 15 }, EVENT_EQUITY_SNAPSHOT },
		{ { "status", 6 }, EVENT_STATUS },
	};
	struct span name;

	if (!event_string(f, EVENT_SLOT_TYPE, &name))
		return EVENT_OTHER;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (span_eq(name, types[i].name))
			return types[i].type;
	return EVENT_OTHER;
}

/* see struct event_price about the room */
struct word {
	char text[JSONW_SHORT];
	size_t n;
};

static inline struct span word_span(const struct word *w)
{
	return (struct span){ w->text, w->n };
}

static const struct word markets[] = {
	[EVENT_NO_MARKET] = { "", 0 },
	[EVENT_USDM] = { "usdm", 4 },
	[EVENT_COINM] = { "coinm", 5 },
	[EVENT_SPOT] = { "spot", 4 },
};

enum event_market event_market(struct span name)
{
	for (enum event_market m = EVENT_USDM; m <= EVENT_SPOT; m++)
		if (span_eq(name, word_span(&markets[m])))
			return m;
	return EVENT_NO_MARKET;
}

struct span event_market_name(enum event_market m)
{
	return word_span(&markets[m]);
}

static const struct word sources[] = {
	[EVENT_BOOK] = { "book", 4 },
	[EVENT_TRADE] = { "trade", 5 },
	[EVENT_MARK] = { "mark", 4 },
	[EVENT_KLINE] = { "kline", 5 },
	[EVENT_TICKER] = { "ticker", 6 },
};

struct span event_source_name(enum event_source s)
{
	return word_span(&sources[s]);
}

static bool source_of(struct span name, enum event_source *out)
{
	for (enum event_source s = EVENT_BOOK; s <= EVENT_TICKER; s++)
		if (span_eq(name, word_span(&sources[s]))) {
			*out = s;
			return true;
		}
	return false;
}

/* ------------------------------------------------------------------------------------------------ writing */

/* ,"key":"text" for text that needs no escapes */
#define put_text(out, key, s) jsonw_lit(jsonw_short(jsonw_lit((out), ",\"" key "\":\""), (s)), "\"")

static char *put_number(char *out, struct dec d)
{
	*out++ = '"';
	out = dec_print(out, d);
	*out++ = '"';
	return out;
}

static char *put_book(char *out, const struct event_price *e)
{
	out = put_text(out, "bid", e->book.bid);
	out = put_text(out, "bidQty", e->book.bid_qty);
	out = put_text(out, "ask", e->book.ask);
	return put_text(out, "askQty", e->book.ask_qty);
}

static char *put_trade(char *out, const struct event_price *e)
{
	out = put_text(out, "qty", e->trade.qty);
	out = e->trade.sell ? jsonw_lit(out, ",\"side\":\"SELL\"") : jsonw_lit(out, ",\"side\":\"BUY\"");
	return put_text(out, "id", e->trade.id);
}

static char *put_mark(char *out, const struct event_price *e)
{
	if (e->mark.index_price.p)
		out = put_text(out, "indexPrice", e->mark.index_price);
	if (e->mark.funding_rate.p)
		out = put_text(out, "fundingRate", e->mark.funding_rate);
	if (e->mark.next_funding_ts)
		out = jsonw_i64(jsonw_lit(out, ",\"nextFundingTs\":"), e->mark.next_funding_ts);
	return out;
}

static char *put_bar(char *out, const struct event_price *e)
{
	if (e->source == EVENT_KLINE)
		out = put_text(out, "interval", e->bar.interval);
	out = put_text(out, "open", e->bar.open);
	out = put_text(out, "high", e->bar.high);
	out = put_text(out, "low", e->bar.low);
	out = put_text(out, "volume", e->bar.volume);
	if (e->source == EVENT_KLINE)
		out = e->bar.closed ? jsonw_lit(out, ",\"closed\":true") : jsonw_lit(out, ",\"closed\":false");
	return out;
}

char *event_write_price(char *out, const struct event_price *e)
{
	out = jsonw_short(jsonw_lit(out, "{\"type\":\"price_update\",\"symbol\":\""), e->symbol);
	out = jsonw_short(jsonw_lit(out, "\",\"price\":\""), e->price);
	out = jsonw_short(jsonw_lit(out, "\",\"ts\":"), e->ts);
	out = put_text(out, "pair", e->pair);
	out = put_text(out, "market", event_market_name(e->market));
	out = put_text(out, "source", event_source_name(e->source));
	switch (e->source) {
	case EVENT_BOOK:
		out = put_book(out, e);
		break;
	case EVENT_TRADE:
		out = put_trade(out, e);
		break;
	case EVENT_MARK:
		out = put_mark(out, e);
		break;
	case EVENT_KLINE:
	case EVENT_TICKER:
		out = put_bar(out, e);
		break;
	}
	return jsonw_lit(out, "}\n");
}

char *event_write_heartbeat(char *out, int64_t ts)
{
	out = jsonw_i64(jsonw_lit(out, "{\"type\":\"heartbeat\",\"ts\":"), ts);
	return jsonw_lit(out, "}\n");
}

/* a key whose value may be absent, with the comma in front of it */
static char *put_name(char *out, struct span key, struct span value)
{
	return value.n ? jsonw_string(jsonw_raw(out, key), value) : out;
}

static char *put_more(char *out, bool more)
{
	return more ? jsonw_lit(out, ",\"more\":true") : out;
}

static char *put_end(char *out, bool simulated)
{
	return simulated ? jsonw_lit(out, ",\"simulated\":true}\n") : jsonw_lit(out, "}\n");
}

char *event_write_equity(char *out, const struct event_equity *e)
{
	out = put_number(jsonw_lit(out, "{\"type\":\"equity_snapshot\",\"balance\":"), e->balance);
	out = put_number(jsonw_lit(out, ",\"unrealizedPnl\":"), e->unrealized_pnl);
	out = put_number(jsonw_lit(out, ",\"equity\":"), e->equity);
	out = jsonw_i64(jsonw_lit(out, ",\"ts\":"), e->ts);
	out = jsonw_string(jsonw_lit(out, ",\"asset\":"), e->asset);
	out = num_print_u64(jsonw_lit(out, ",\"positions\":"), e->positions);
	if (e->n_unpriced) {
		out = jsonw_lit(out, ",\"unpriced\":[");
		for (size_t i = 0; i < e->n_unpriced; i++) {
			if (i)
				*out++ = ',';
			out = jsonw_string(out, e->unpriced[i]);
		}
		*out++ = ']';
	}
	return put_end(out, e->simulated);
}

char *event_write_position(char *out, const struct event_position *e)
{
	out = jsonw_string(jsonw_lit(out, "{\"type\":\"position_update\",\"symbol\":"), e->symbol);
	out = put_number(jsonw_lit(out, ",\"qty\":"), e->qty);
	out = put_number(jsonw_lit(out, ",\"entryPrice\":"), e->entry_price);
	if (e->has_mark)
		out = put_number(jsonw_lit(out, ",\"markPrice\":"), e->mark_price);
	if (e->has_pnl)
		out = put_number(jsonw_lit(out, ",\"unrealizedPnl\":"), e->unrealized_pnl);
	out = jsonw_i64(jsonw_lit(out, ",\"ts\":"), e->ts);
	out = put_name(out, SPAN(",\"pair\":"), e->pair);
	out = put_name(out, SPAN(",\"market\":"), event_market_name(e->market));
	out = put_name(out, SPAN(",\"positionSide\":"), e->side);
	if (e->has_contract_size)
		out = put_number(jsonw_lit(out, ",\"contractSize\":"), e->contract_size);
	return put_end(put_more(out, e->more), e->simulated);
}

char *event_write_balance(char *out, const struct event_balance *e)
{
	out = jsonw_string(jsonw_lit(out, "{\"type\":\"balance_update\",\"asset\":"), e->asset);
	out = put_number(jsonw_lit(out, ",\"balance\":"), e->balance);
	out = jsonw_i64(jsonw_lit(out, ",\"ts\":"), e->ts);
	out = put_name(out, SPAN(",\"market\":"), event_market_name(e->market));
	out = put_name(out, SPAN(",\"reason\":"), e->reason);
	if (e->has_parts) {
		out = put_number(jsonw_lit(out, ",\"free\":"), e->free);
		out = put_number(jsonw_lit(out, ",\"locked\":"), e->locked);
	}
	return put_end(put_more(out, e->more), e->simulated);
}

char *event_write_trade(char *out, const struct event_trade *e)
{
	out = jsonw_string(jsonw_lit(out, "{\"type\":\"trade_executed\",\"symbol\":"), e->symbol);
	out = e->sell ? jsonw_lit(out, ",\"side\":\"SELL\"") : jsonw_lit(out, ",\"side\":\"BUY\"");
	out = put_number(jsonw_lit(out, ",\"price\":"), e->price);
	out = put_number(jsonw_lit(out, ",\"qty\":"), e->qty);
	out = jsonw_i64(jsonw_lit(out, ",\"ts\":"), e->ts);
	out = put_name(out, SPAN(",\"pair\":"), e->pair);
	out = put_name(out, SPAN(",\"market\":"), event_market_name(e->market));
	out = put_name(out, SPAN(",\"positionSide\":"), e->position_side);
	if (e->has_fee)
		out = put_number(jsonw_lit(out, ",\"fee\":"), e->fee);
	out = put_name(out, SPAN(",\"feeAsset\":"), e->fee_asset);
	if (e->has_pnl)
		out = put_number(jsonw_lit(out, ",\"realizedPnl\":"), e->realized_pnl);
	out = put_name(out, SPAN(",\"id\":"), e->id);
	out = put_name(out, SPAN(",\"orderId\":"), e->order_id);
	if (e->has_contract_size)
		out = put_number(jsonw_lit(out, ",\"contractSize\":"), e->contract_size);
	return put_end(out, e->simulated);
}

/* at most max bytes of s, not cutting a UTF-8 character */
static struct span shorten(struct span s, size_t max)
{
	if (s.n <= max)
		return s;
	while (max && ((unsigned char)s.p[max] & 0xc0) == 0x80)
		max--;
	return (struct span){ s.p, max };
}

char *event_write_status(char *out, const struct event_status *e)
{
	out = jsonw_string(jsonw_lit(out, "{\"type\":\"status\",\"state\":"), e->state);
	out = jsonw_i64(jsonw_lit(out, ",\"ts\":"), e->ts);
	if (e->source.n)
		out = jsonw_string(jsonw_lit(out, ",\"source\":"), e->source);
	if (e->stream.n)
		out = jsonw_string(jsonw_lit(out, ",\"stream\":"), shorten(e->stream, SENTENCE_MAX));
	if (e->event.n)
		out = jsonw_string(jsonw_lit(out, ",\"event\":"), shorten(e->event, EVENT_NAME_MAX));
	if (e->has_ids) {
		out = num_print_u64(jsonw_lit(out, ",\"lastId\":\""), e->last_id);
		out = num_print_u64(jsonw_lit(out, "\",\"nextId\":\""), e->next_id);
		*out++ = '"';
	}
	out = put_name(out, SPAN(",\"orderId\":"), e->order_id);
	if (e->detail.n)
		out = jsonw_string(jsonw_lit(out, ",\"detail\":"), shorten(e->detail, SENTENCE_MAX));
	return put_end(out, e->simulated);
}

/* ------------------------------------------------------------------------------------------------ reading */

bool event_number(const struct fields *f, unsigned slot, struct dec *out)
{
	enum json_kind kind = fields_kind(f, slot);

	return (kind == JSON_STRING || kind == JSON_INT || kind == JSON_NUMBER) &&
	    dec_parse_padded(fields_text(f, slot), out) == DEC_OK;
}

bool event_string(const struct fields *f, unsigned slot, struct span *out)
{
	if (fields_kind(f, slot) != JSON_STRING)
		return false;
	*out = fields_text(f, slot);
	return out->n <= EVENT_NAME_MAX;
}

bool event_time(const struct fields *f, unsigned slot, int64_t *out)
{
	enum json_kind kind = fields_kind(f, slot);

	return (kind == JSON_STRING || kind == JSON_INT) && num_i64(fields_text(f, slot), 0, INT64_MAX, out);
}

size_t event_where(const struct fields *f, struct span line, const char *why)
{
	struct span rest;
	struct span key = span_cut(span_of(why), ' ', &rest);
	unsigned slot = f->slot(key.p, key.n, 0);

	return slot && fields_has(f, slot) ? (size_t)(f->v[slot].p - line.p) : 0;
}

static bool refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return false;
}

/* a name that must be there and not be empty */
static bool name(const struct fields *f, unsigned slot, struct span *out)
{
	return event_string(f, slot, out) && out->n > 0;
}

/* a market that may be missing */
static bool optional_market(const struct fields *f, enum event_market *out)
{
	struct span text;

	*out = EVENT_NO_MARKET;
	if (!fields_has(f, EVENT_SLOT_MARKET))
		return true;
	if (!event_string(f, EVENT_SLOT_MARKET, &text))
		return false;
	*out = event_market(text);
	return *out != EVENT_NO_MARKET;
}

/* symbol is due; pair falls back to it */
static bool names(const struct fields *f, struct span *symbol, struct span *pair, const char **why)
{
	if (!name(f, EVENT_SLOT_SYMBOL, symbol))
		return refuse(why, "symbol is missing or no short string");
	*pair = *symbol;
	if (fields_has(f, EVENT_SLOT_PAIR) && !name(f, EVENT_SLOT_PAIR, pair))
		return refuse(why, "pair is no short string");
	return true;
}

static bool optional_number(const struct fields *f, unsigned slot, bool *has, struct dec *out)
{
	*has = fields_has(f, slot);
	return !*has || event_number(f, slot, out);
}

/* BOTH where the key is absent */
static bool position_side(const struct fields *f, struct span *out)
{
	*out = SPAN("BOTH");
	return !fields_has(f, EVENT_SLOT_POSITION_SIDE) ||
	    (event_string(f, EVENT_SLOT_POSITION_SIDE, out) &&
		(span_is(*out, "BOTH") || span_is(*out, "LONG") || span_is(*out, "SHORT")));
}

/* an id: a string, or a JSON integer; one that is absent has no bytes */
static bool optional_id(const struct fields *f, unsigned slot, struct span *out)
{
	enum json_kind kind = fields_kind(f, slot);

	*out = kind == JSON_NONE ? SPAN("") : fields_text(f, slot);
	return kind == JSON_NONE || ((kind == JSON_STRING || kind == JSON_INT) && out->n <= EVENT_NAME_MAX);
}

static bool has_more(const struct fields *f)
{
	return fields_kind(f, EVENT_SLOT_MORE) == JSON_TRUE;
}

static bool is_simulated(const struct fields *f)
{
	return fields_kind(f, EVENT_SLOT_SIMULATED) == JSON_TRUE;
}

bool event_read_position(const struct fields *f, struct event_position *e, const char **why)
{
	if (!names(f, &e->symbol, &e->pair, why))
		return false;
	if (!event_number(f, EVENT_SLOT_QTY, &e->qty))
		return refuse(why, "qty is missing or no decimal number");
	if (!event_number(f, EVENT_SLOT_ENTRY_PRICE, &e->entry_price))
		return refuse(why, "entryPrice is missing or no decimal number");
	if (!optional_number(f, EVENT_SLOT_MARK_PRICE, &e->has_mark, &e->mark_price))
		return refuse(why, "markPrice is no decimal number");
	if (!optional_number(f, EVENT_SLOT_CONTRACT_SIZE, &e->has_contract_size, &e->contract_size))
		return refuse(why, "contractSize is no decimal number");
	if (!event_time(f, EVENT_SLOT_TS, &e->ts))
		return refuse(why, "ts is missing or no time in ms");
	if (!optional_market(f, &e->market))
		return refuse(why, "market is none of usdm, coinm, spot");
	if (!position_side(f, &e->side))
		return refuse(why, "positionSide is none of BOTH, LONG, SHORT");
	e->has_pnl = false;
	e->more = has_more(f);
	e->simulated = is_simulated(f);
	return true;
}

bool event_full_name(struct span asset, struct span symbol, struct span *pair, enum event_market *market,
    char text[2 * EVENT_NAME_MAX])
{
	if (*market == EVENT_NO_MARKET)
		*market = EVENT_USDM;
	if (pair->p == symbol.p && pair->n == symbol.n && *market != EVENT_COINM) {
		memcpy(text, symbol.p, symbol.n);
		memcpy(text + symbol.n, asset.p, asset.n);
		*pair = (struct span){ text, symbol.n + asset.n };
	}
	return pair->n <= EVENT_NAME_MAX;
}

bool event_read_balance(const struct fields *f, struct event_balance *e, const char **why)
{
	if (!name(f, EVENT_SLOT_ASSET, &e->asset))
		return refuse(why, "asset is missing or no short string");
	if (!event_number(f, EVENT_SLOT_BALANCE, &e->balance))
		return refuse(why, "balance is missing or no decimal number");
	if (!event_time(f, EVENT_SLOT_TS, &e->ts))
		return refuse(why, "ts is missing or no time in ms");
	if (!optional_market(f, &e->market))
		return refuse(why, "market is none of usdm, coinm, spot");
	e->reason = SPAN("");
	e->has_parts = false;
	e->more = has_more(f);
	e->simulated = is_simulated(f);
	return true;
}

static bool read_fee(const struct fields *f, struct event_trade *e, const char **why)
{
	e->fee_asset = SPAN("");
	if (!optional_number(f, EVENT_SLOT_FEE, &e->has_fee, &e->fee))
		return refuse(why, "fee is no decimal number");
	if (fields_has(f, EVENT_SLOT_FEE_ASSET) && !event_string(f, EVENT_SLOT_FEE_ASSET, &e->fee_asset))
		return refuse(why, "feeAsset is no short string");
	return true;
}

/* what was dealt: side, price and quantity */
static bool read_deal(const struct fields *f, struct event_trade *e, const char **why)
{
	struct span side;

	if (!event_string(f, EVENT_SLOT_SIDE, &side) || !(span_is(side, "BUY") || span_is(side, "SELL")))
		return refuse(why, "side is neither BUY nor SELL");
	e->sell = span_is(side, "SELL");
	if (!event_number(f, EVENT_SLOT_PRICE, &e->price))
		return refuse(why, "price is missing or no decimal number");
	if (!event_number(f, EVENT_SLOT_QTY, &e->qty) || dec_sign(e->qty) <= 0)
		return refuse(why, "qty is missing or no decimal number above zero");
	return true;
}

bool event_read_trade(const struct fields *f, struct event_trade *e, const char **why)
{
	if (!names(f, &e->symbol, &e->pair, why) || !read_deal(f, e, why) || !read_fee(f, e, why))
		return false;
	if (!event_time(f, EVENT_SLOT_TS, &e->ts))
		return refuse(why, "ts is missing or no time in ms");
	if (!optional_market(f, &e->market))
		return refuse(why, "market is none of usdm, coinm, spot");
	if (!position_side(f, &e->position_side))
		return refuse(why, "positionSide is none of BOTH, LONG, SHORT");
	if (!optional_number(f, EVENT_SLOT_REALIZED_PNL, &e->has_pnl, &e->realized_pnl))
		return refuse(why, "realizedPnl is no decimal number");
	if (!optional_number(f, EVENT_SLOT_CONTRACT_SIZE, &e->has_contract_size, &e->contract_size))
		return refuse(why, "contractSize is no decimal number");
	if (!optional_id(f, EVENT_SLOT_ID, &e->id) || !optional_id(f, EVENT_SLOT_ORDER_ID, &e->order_id))
		return refuse(why, "id or orderId is no short string");
	e->simulated = is_simulated(f);
	return true;
}

bool event_read_tick(const struct fields *f, struct event_tick *e, const char **why)
{
	struct span source;

	if (!names(f, &e->symbol, &e->pair, why))
		return false;
	if (!event_number(f, EVENT_SLOT_PRICE, &e->price))
		return refuse(why, "price is missing or no decimal number");
	if (!event_time(f, EVENT_SLOT_TS, &e->ts))
		return refuse(why, "ts is missing or no time in ms");
	if (!optional_market(f, &e->market))
		return refuse(why, "market is none of usdm, coinm, spot");
	e->source = EVENT_TRADE;
	if (fields_has(f, EVENT_SLOT_SOURCE) &&
	    (!event_string(f, EVENT_SLOT_SOURCE, &source) || !source_of(source, &e->source)))
		return refuse(why, "source is none of book, trade, mark, kline, ticker");
	return true;
}
