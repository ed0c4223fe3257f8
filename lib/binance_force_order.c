/* forceOrder: a liquidation, in the object o. At most the latest per symbol and second is sent, so volumes cannot be
 * summed. Checked and counted; no record carries it. */
#include "binance_field.h"

enum binance_result binance_force_order_parse(const struct fields *f, const struct binance_frame *frame,
    struct event_price *e, const char **why)
{
	struct fields *o = frame->inner;

	if (fields_kind(f, 'o') != JSON_OBJECT)
		return binance_refuse(why, "no order (o)");
	fields_enter(o, f->v['o']);
	if (!binance_field_pair(o, 's', e))
		return binance_refuse(why, "no usable symbol (o.s)");
	if (!binance_field_amount(o, 'p', e->scratch[0], &e->price))
		return binance_refuse(why, "price (o.p) is not a number from zero up");
	if (!binance_field_amount(o, 'q', e->scratch[1], &e->trade.qty))
		return binance_refuse(why, "quantity (o.q) is not a number from zero up");
	return BINANCE_NOTHING;
}
