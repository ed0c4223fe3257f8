#include "binance_field.h"

#include "num.h"
#include "scan.h"

#define MICROSECONDS_FROM 100000000000000LL /* as ms this would be the year 5138 */

bool binance_field_number(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out)
{
	enum json_kind kind = fields_kind(f, slot);

	if (kind != JSON_STRING && kind != JSON_INT && kind != JSON_NUMBER)
		return false;
	return dec_canon(fields_text(f, slot), scratch, out) == DEC_OK;
}

bool binance_field_amount(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out)
{
	return binance_field_number(f, slot, scratch, out) && out->p[0] != '-';
}

bool binance_field_time(const struct fields *f, unsigned slot, int64_t *ms)
{
	int64_t t;

	if (fields_kind(f, slot) != JSON_INT || !num_i64(fields_text(f, slot), 0, INT64_MAX, &t))
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

bool binance_field_common(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why)
{
	e->market = frame->market;
	if (scan_unlikely(!binance_field_pair(f, 's', e))) {
		*why = "no usable symbol (s)";
		return false;
	}
	if (scan_likely(binance_field_time(f, 'E', &e->ts)))
		return true;
	*why = fields_has(f, 'E') ? "event time (E) is not a time" : "no event time (E) and no receive time";
	e->ts = frame->recv;
	return !fields_has(f, 'E') && frame->recv >= 0;
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
	if (e->trade.qty.n == 1 && e->trade.qty.p[0] == '0')
		return BINANCE_NOTHING;
	e->source = EVENT_TRADE;
	return BINANCE_RECORDS;
}
