/* aggTrade: the fills of one taker order at one price within 100 ms; `a` counts by one per symbol. */
#include "binance_field.h"

enum binance_result binance_agg_trade_parse(const struct fields *f, const struct binance_frame *frame,
    struct event_price *e, const char **why)
{
	return binance_field_fill(f, frame, 'a', e, why);
}
