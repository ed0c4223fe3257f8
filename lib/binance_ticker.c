/* 24hrTicker and 24hrMiniTicker: the last 24 hours, c the last price. The mini form lacks change, average and ids,
 * none of which a record carries. */
#include "binance_field.h"

enum binance_result binance_ticker_parse(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why)
{
	if (!binance_field_common(f, frame, e, why))
		return BINANCE_REFUSED;
	if (!binance_field_amount(f, 'c', e->scratch[0], &e->price))
		return binance_refuse(why, "last price (c) is not a number from zero up");
	if (!binance_field_amount(f, 'o', e->scratch[1], &e->bar.open))
		return binance_refuse(why, "open (o) is not a number from zero up");
	if (!binance_field_amount(f, 'h', e->scratch[2], &e->bar.high))
		return binance_refuse(why, "high (h) is not a number from zero up");
	if (!binance_field_amount(f, 'l', e->scratch[3], &e->bar.low))
		return binance_refuse(why, "low (l) is not a number from zero up");
	if (!binance_field_amount(f, 'v', e->scratch[4], &e->bar.volume))
		return binance_refuse(why, "volume (v) is not a number from zero up");
	e->source = EVENT_TICKER;
	return BINANCE_RECORDS;
}
