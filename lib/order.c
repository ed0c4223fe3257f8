#include "order.h"

unsigned order_slot(const char *key, size_t n, int depth)
{
	static const struct {
		struct span key;
		unsigned slot;
	} more[] = {
		{ { "bid", 3 }, ORDER_SLOT_BID },
		{ { "ask", 3 }, ORDER_SLOT_ASK },
		{ { "bidQty", 6 }, ORDER_SLOT_BID_QTY },
		{ { "askQty", 6 }, ORDER_SLOT_ASK_QTY },
		{ { "orderType", 9 }, ORDER_SLOT_ORDER_TYPE },
		{ { "reduceOnly", 10 }, ORDER_SLOT_REDUCE_ONLY },
		{ { "timeInForce", 11 }, ORDER_SLOT_TIME_IN_FORCE },
	};
	unsigned slot = event_slot(key, n, depth);

	for (size_t i = 0; slot == FIELDS_SKIP && i < sizeof more / sizeof more[0]; i++)
		if (span_eq((struct span){ key, n }, more[i].key))
			slot = more[i].slot;
	return slot;
}

static bool refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return false;
}

/* a word that is not empty; false where the key did not come, too */
static bool word(const struct fields *f, unsigned slot, struct span *out)
{
	return event_string(f, slot, out) && out->n > 0;
}

/* one of two words, or none: what stands for none is *second as it was */
static bool either(const struct fields *f, unsigned slot, const char *first, const char *second, bool *is_second)
{
	struct span s;

	if (!fields_has(f, slot))
		return true;
	if (!event_string(f, slot, &s) || !(span_is(s, first) || span_is(s, second)))
		return false;
	*is_second = span_is(s, second);
	return true;
}

static bool positive(const struct fields *f, unsigned slot, struct dec *out)
{
	return event_number(f, slot, out) && dec_sign(*out) > 0;
}

static bool is_type(const struct fields *f, const char *type)
{
	struct span s;

	return event_string(f, EVENT_SLOT_TYPE, &s) && span_is(s, type);
}

bool order_is(const struct fields *f)
{
	return is_type(f, "order") || is_type(f, "cancel");
}

/* a string, or a JSON integer */
static bool read_id(const struct fields *f, struct span *out)
{
	enum json_kind kind = fields_kind(f, EVENT_SLOT_ID);

	*out = SPAN("");
	if (kind == JSON_NONE && !fields_has(f, EVENT_SLOT_ID))
		return true;
	if ((kind != JSON_STRING && kind != JSON_INT) || fields_text(f, EVENT_SLOT_ID).n > EVENT_NAME_MAX)
		return false;
	*out = fields_text(f, EVENT_SLOT_ID);
	return true;
}

/* the pair, or the symbol alone, which is then both */
static bool read_names(const struct fields *f, struct order *o, const char **why)
{
	struct span market;

	if (fields_has(f, EVENT_SLOT_SYMBOL) && !word(f, EVENT_SLOT_SYMBOL, &o->symbol))
		return refuse(why, "symbol is no short string");
	o->pair = o->symbol;
	if (fields_has(f, EVENT_SLOT_PAIR) && !word(f, EVENT_SLOT_PAIR, &o->pair))
		return refuse(why, "pair is no short string");
	if (o->pair.n == 0)
		return refuse(why, "pair and symbol are missing");
	if (!fields_has(f, EVENT_SLOT_MARKET))
		return true;
	if (!event_string(f, EVENT_SLOT_MARKET, &market) || !(o->market = event_market(market)))
		return refuse(why, "market is none of usdm, coinm, spot");
	return o->market != EVENT_COINM || fields_has(f, EVENT_SLOT_PAIR) || refuse(why, "pair is missing");
}

static bool read_price(const struct fields *f, struct order *o, const char **why)
{
	bool priced = fields_has(f, EVENT_SLOT_PRICE);

	o->limit = priced;
	if (!either(f, ORDER_SLOT_ORDER_TYPE, "MARKET", "LIMIT", &o->limit))
		return refuse(why, "orderType is neither MARKET nor LIMIT");
	if (o->limit && !positive(f, EVENT_SLOT_PRICE, &o->price))
		return refuse(why, "price is missing or no decimal number above zero");
	return o->limit || !priced || refuse(why, "price is not for a MARKET order");
}

/* true, false, and the same as text, as the exchange's own requests have it */
static bool read_reduce_only(const struct fields *f, struct order *o)
{
	enum json_kind kind = fields_kind(f, ORDER_SLOT_REDUCE_ONLY);

	o->reduce_only = kind == JSON_TRUE;
	return kind == JSON_TRUE || kind == JSON_FALSE ||
	    either(f, ORDER_SLOT_REDUCE_ONLY, "false", "true", &o->reduce_only);
}

static bool read_side(const struct fields *f, struct order *o, const char **why)
{
	o->side = SPAN("BOTH");
	if (fields_has(f, EVENT_SLOT_POSITION_SIDE) &&
	    !(event_string(f, EVENT_SLOT_POSITION_SIDE, &o->side) &&
		(span_is(o->side, "BOTH") || span_is(o->side, "LONG") || span_is(o->side, "SHORT"))))
		return refuse(why, "positionSide is none of BOTH, LONG, SHORT");
	if (!read_reduce_only(f, o))
		return refuse(why, "reduceOnly is neither true nor false");
	if (o->market == EVENT_SPOT && !span_is(o->side, "BOTH"))
		return refuse(why, "positionSide is not for spot");
	return o->market != EVENT_SPOT || !o->reduce_only || refuse(why, "reduceOnly is not for spot");
}

bool order_read(const struct fields *f, struct order *o, const char **why)
{
	struct span side;

	*o = (struct order){ .cancel = is_type(f, "cancel") };
	if (!read_id(f, &o->id))
		return refuse(why, "id is no short string");
	if (o->cancel)
		return o->id.n > 0 || refuse(why, "id is missing");
	if (!read_names(f, o, why))
		return false;
	if (!event_string(f, EVENT_SLOT_SIDE, &side) || !(span_is(side, "BUY") || span_is(side, "SELL")))
		return refuse(why, "side is neither BUY nor SELL");
	o->sell = span_is(side, "SELL");
	if (!positive(f, EVENT_SLOT_QTY, &o->qty))
		return refuse(why, "qty is missing or no decimal number above zero");
	if (!read_price(f, o, why) || !read_side(f, o, why))
		return false;
	if (!either(f, ORDER_SLOT_TIME_IN_FORCE, "GTC", "IOC", &o->at_once))
		return refuse(why, "timeInForce is neither GTC nor IOC");
	o->has_contract_size = fields_has(f, EVENT_SLOT_CONTRACT_SIZE);
	if (o->has_contract_size && !positive(f, EVENT_SLOT_CONTRACT_SIZE, &o->contract_size))
		return refuse(why, "contractSize is no decimal number above zero");
	return true;
}
