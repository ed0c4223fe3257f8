#include "binance_field.h"

#include "jsonw.h"
#include "num.h"
#include "scan.h"

#define MICROSECONDS_FROM 100000000000000LL /* as ms this would be the year 5138 */

bool binance_field_number(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out)
{
	enum json_kind kind = fields_kind(f, slot);
	struct dec_text n = { .text = { NULL, 0 } };
	bool good = (kind == JSON_STRING || kind == JSON_INT || kind == JSON_NUMBER) &&
	    dec_canon(fields_text(f, slot), scratch, &n) == DEC_OK;

	*out = n.text;
	return good;
}

bool binance_field_amount(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out)
{
	struct dec_text n = { .text = { NULL, 0 } };
	bool good = binance_field_price(f, slot, scratch, &n);

	*out = n.text;
	return good;
}

bool binance_field_time(const struct fields *f, unsigned slot, int64_t *ms)
{
	int64_t t;

	if (fields_kind(f, slot) != JSON_INT || !num_i64(json_text(f->v[slot]), 0, INT64_MAX, &t))
		return false;
	*ms = t >= MICROSECONDS_FROM ? t / 1000 : t;
	return true;
}

bool binance_field_id(const struct fields *f, unsigned slot, struct span *out)
{
	int64_t id;

	if (fields_kind(f, slot) != JSON_INT || !num_i64(fields_text(f, slot), INT64_MIN, INT64_MAX, &id))
		return false;
	*out = fields_text(f, slot);
	return true;
}

bool binance_field_bool(const struct fields *f, unsigned slot, bool *out)
{
	enum json_kind kind = fields_kind(f, slot);

	*out = kind == JSON_TRUE;
	return kind == JSON_TRUE || kind == JSON_FALSE;
}

bool binance_field_pair(const struct fields *f, unsigned slot, struct event_price *e)
{
	if (fields_kind(f, slot) != JSON_STRING)
		return false;
	e->pair = fields_text(f, slot);
	return e->pair.n > 0 && e->pair.n <= EVENT_NAME_MAX && (!f->v[slot].escaped || span_printable(e->pair));
}

bool binance_field_event_time(const struct fields *f, int64_t recv, int64_t *ms, const char **why)
{
	if (scan_likely(binance_field_time(f, 'E', ms)))
		return true;
	*why = fields_has(f, 'E') ? "event time (E) is not a time" : "no event time (E) and no receive time";
	*ms = recv;
	return !fields_has(f, 'E') && recv >= 0;
}

/* ts as text: as it came where it has 13 digits, which are ms until the year 2286 */
static bool time_text(const struct fields *f, const struct binance_frame *frame, struct event_price *e, const char **why)
{
	int64_t ms;

	e->ts = json_text(f->v['E']);
	if (scan_likely(fields_kind(f, 'E') == JSON_INT && e->ts.n == 13 && e->ts.p[0] != '-'))
		return true;
	if (!binance_field_event_time(f, frame->recv, &ms, why))
		return false;
	e->ts = (struct span){ e->scratch[5], (size_t)(jsonw_i64(e->scratch[5], ms) - e->scratch[5]) };
	return true;
}

bool binance_field_common(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why)
{
	e->market = frame->market;
	if (scan_unlikely(!binance_field_pair(f, 's', e))) {
		*why = "no usable symbol (s)";
		return false;
	}
	return time_text(f, frame, e, why);
}

enum binance_result binance_field_fill(const struct fields *f, const struct binance_frame *frame, unsigned id,
    struct event_price *e, const char **why)
{
	if (!binance_field_common(f, frame, e, why))
		return BINANCE_REFUSED;
	if (!binance_field_amount(f, 'p', e->scratch[0], &e->price))
		return binance_refuse(why, "price (p) is not a number from zero up");
	if (!binance_field_amount(f, 'q', e->scratch[1], &e->trade.qty))
		return binance_refuse(why, "quantity (q) is not a number from zero up");
	if (!binance_field_bool(f, 'm', &e->trade.sell)) /* buyer was maker: the aggressor sold */
		return binance_refuse(why, "maker flag (m) is not a boolean");
	if (!binance_field_id(f, id, &e->trade.id))
		return binance_refuse(why, id == 'a' ? "aggregate id (a) is not an integer" : "trade id (t) is not an integer");
	if (binance_field_is_zero(e->trade.qty))
		return BINANCE_NOTHING;
	e->source = EVENT_TRADE;
	return BINANCE_RECORDS;
}
