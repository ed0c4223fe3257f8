/* ORDER_TRADE_UPDATE: an order is accepted, changed, filled, ended; in the object o. It is a fill where x is TRADE, and
 * where a liquidation or deleveraging (CALCULATED) says a quantity. T of the order is not the event's: ts is E. */
#include "binance_user.h"

static const struct binance_deal_why deal_why = {
	.pair = "no usable symbol (o.s)",
	.side = "side (o.S) is neither BUY nor SELL",
	.price = "last price (o.L) is not a number from zero up",
	.qty = "last quantity (o.l) is not a number from zero up",
	.id = "trade id (o.t) is not an integer from zero up",
	.order = "order id (o.i) is not an integer from zero up",
};

static void fill(struct binance_user *u, const struct fields *o, bool traded)
{
	struct event_trade e = { .has_pnl = true };
	int64_t id, order;

	if (!binance_user_deal(u, o, &deal_why, &e, &id, &order) ||
	    !binance_user_side(
		u, o, BINANCE_PS, &e.position_side, "position side (o.ps) is none of BOTH, LONG, SHORT") ||
	    !binance_user_fee(u, o, &e, "fee (o.n) is not a number", "no usable fee asset (o.N)") ||
	    !binance_user_number(u, o, BINANCE_RP, &e.realized_pnl, "realized PnL (o.rp) is not a number"))
		return;
	if (!traded && id == 0)
		e.id = SPAN(""); /* a liquidation may come without one */
	if (dec_sign(e.qty) > 0)
		binance_user_fill(u, &e, id, order);
	else
		binance_user_order(u, o);
}

void binance_order_trade_update_parse(struct binance_user *u, const struct fields *f)
{
	const struct fields *o = &u->b->inner;
	struct span x;

	if (!binance_user_time(u, f) || !binance_user_inner(u, 'o', "no order (o)") ||
	    !binance_user_name(u, o, 'x', &x, "execution type (o.x) is not a word"))
		return;
	if (span_is(x, "TRADE") || span_is(x, "CALCULATED"))
		fill(u, o, span_is(x, "TRADE"));
	else
		binance_user_order(u, o);
}
