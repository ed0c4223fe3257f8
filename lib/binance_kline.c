/* kline: a bar, in the object k. x is true once, when the bar is final. */
#include "binance_field.h"

static const char *parse_bar(const struct fields *k, struct event_price *e)
{
	if (!binance_field_amount(k, 'o', e->scratch[1], &e->bar.open))
		return "open (k.o) is not a number from zero up";
	if (!binance_field_amount(k, 'h', e->scratch[2], &e->bar.high))
		return "high (k.h) is not a number from zero up";
	if (!binance_field_amount(k, 'l', e->scratch[3], &e->bar.low))
		return "low (k.l) is not a number from zero up";
	if (!binance_field_amount(k, 'c', e->scratch[0], &e->price))
		return "close (k.c) is not a number from zero up";
	if (!binance_field_amount(k, 'v', e->scratch[4], &e->bar.volume))
		return "volume (k.v) is not a number from zero up";
	if (!binance_field_bool(k, 'x', &e->bar.closed))
		return "closed flag (k.x) is not a boolean";
	return NULL;
}

/* "1m", "1M", "12h": short and plain, it is printed as it came */
static bool parse_interval(const struct fields *k, struct span *out)
{
	if (fields_kind(k, 'i') != JSON_STRING)
		return false;
	*out = fields_text(k, 'i');
	return out->n > 0 && out->n <= 8 && span_printable(*out);
}

enum binance_result binance_kline_parse(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why)
{
	if (!binance_field_common(f, frame, e, why))
		return BINANCE_REFUSED;
	if (fields_kind(f, 'k') != JSON_OBJECT)
		return binance_refuse(why, "no bar (k)");
	fields_enter(frame->inner, f->v['k']);
	if (!parse_interval(frame->inner, &e->bar.interval))
		return binance_refuse(why, "interval (k.i) is not a short string");
	*why = parse_bar(frame->inner, e);
	if (*why)
		return BINANCE_REFUSED;
	e->source = EVENT_KLINE;
	return BINANCE_RECORDS;
}
