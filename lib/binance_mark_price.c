/* markPriceUpdate: the price for unrealized PnL. T is the next funding time, 0 or absent when there is none;
 * r is "" for delivery contracts. */
#include "binance_field.h"

static bool is_empty_string(const struct fields *f, unsigned slot)
{
	return fields_kind(f, slot) == JSON_STRING && f->v[slot].n == 0;
}

/* a number that may be missing or ""; out->p == NULL then */
static bool optional_number(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out)
{
	*out = (struct span){ NULL, 0 };
	return !fields_has(f, slot) || is_empty_string(f, slot) || binance_field_number(f, slot, scratch, out);
}

enum binance_result binance_mark_price_parse(const struct fields *f, const struct binance_frame *frame,
    struct event_price *e, const char **why)
{
	if (!binance_field_common(f, frame, e, why))
		return BINANCE_REFUSED;
	if (!binance_field_amount(f, 'p', e->scratch[0], &e->price))
		return binance_refuse(why, "mark price (p) is not a number from zero up");
	if (!optional_number(f, 'i', e->scratch[1], &e->mark.index_price))
		return binance_refuse(why, "index price (i) is not a number");
	if (!optional_number(f, 'r', e->scratch[2], &e->mark.funding_rate))
		return binance_refuse(why, "funding rate (r) is not a number");
	e->mark.next_funding_ts = 0;
	if (fields_has(f, 'T') && !binance_field_time(f, 'T', &e->mark.next_funding_ts))
		return binance_refuse(why, "next funding time (T) is not a time");
	e->source = EVENT_MARK;
	return BINANCE_RECORDS;
}
