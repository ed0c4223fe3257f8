/* TRADE_LITE: a fill, earlier than its ORDER_TRADE_UPDATE and in part: no fee, no realized PnL, no position side. */
#include "binance_user.h"

static const struct binance_deal_why deal_why = {
	.pair = "no usable symbol (s)",
	.side = "side (S) is neither BUY nor SELL",
	.price = "last price (L) is not a number from zero up",
	.qty = "last quantity (l) is not a number from zero up",
	.id = "trade id (t) is not an integer from zero up",
	.order = "order id (i) is not an integer from zero up",
};

void binance_trade_lite_parse(struct binance_user *u, const struct fields *f)
{
	struct event_trade e = { .position_side = SPAN("") };
	int64_t id, order;

	if (!binance_user_time(u, f) || !binance_user_deal(u, f, &deal_why, &e, &id, &order))
		return;
	if (dec_sign(e.qty) > 0)
		binance_user_preview(u, &e, id, order);
	else
		binance_user_order(u, f);
}
