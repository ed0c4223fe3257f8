/* trade (undocumented on futures): one fill. X "NA" with price and quantity 0 is a placeholder. */
#include "binance_field.h"

enum binance_result binance_trade_parse(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why)
{
	enum binance_result r = binance_field_fill(f, frame, 't', e, why);

	if (r == BINANCE_RECORDS && fields_kind(f, 'X') == JSON_STRING && span_is(fields_text(f, 'X'), "NA"))
		return BINANCE_NOTHING;
	return r;
}
