/* executionReport of spot: an order is accepted, filled, ended. It is a fill where x is TRADE; N is null before one. */
#include "binance_user.h"

static const struct binance_deal_why deal_why = {
	.pair = "no usable symbol (s)",
	.side = "side (S) is neither BUY nor SELL",
	.price = "last price (L) is not a number from zero up",
	.qty = "last quantity (l) is not a number from zero up",
	.id = "trade id (t) is not an integer from zero up",
	.order = "order id (i) is not an integer from zero up",
};

static void fill(struct binance_user *u, const struct fields *f)
{
	struct event_trade e = { .position_side = SPAN("") };
	int64_t id, order;

	if (!binance_user_deal(u, f, &deal_why, &e, &id, &order) ||
	    !binance_user_fee(u, f, &e, "fee (n) is not a number", "no usable fee asset (N)"))
		return;
	if (dec_sign(e.qty) > 0)
		binance_user_fill(u, &e, id, order);
	else
		binance_user_order(u, f);
}

void binance_execution_report_parse(struct binance_user *u, const struct fields *f)
{
	struct span x;

	u->market = EVENT_SPOT; /* nobody else sends it */
	if (!binance_user_time(u, f) || !binance_user_name(u, f, 'x', &x, "execution type (x) is not a word"))
		return;
	if (span_is(x, "TRADE"))
		fill(u, f);
	else
		binance_user_order(u, f);
}
