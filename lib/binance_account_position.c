/* outboundAccountPosition of spot: the balances that may have changed, absolute: f is free, l is locked. */
#include "binance_user.h"

static void balance(struct binance_user *u, const struct fields *f)
{
	struct event_balance e = { .reason = SPAN(""), .has_parts = true };

	if (!binance_user_name(u, f, 'a', &e.asset, "no usable asset (B.a)") ||
	    !binance_user_number(u, f, 'f', &e.free, "free amount (B.f) is not a number") ||
	    !binance_user_number(u, f, 'l', &e.locked, "locked amount (B.l) is not a number"))
		return;
	if (dec_add(e.free, e.locked, &e.balance) == DEC_OK)
		binance_user_balance(u, &e);
	else
		binance_user_refuse(u, "free and locked (B.f, B.l) are too long for an exact sum");
}

static void rows(struct binance_user *u)
{
	binance_user_rows(u, u->event, 'B', balance, "balances (B) are not an array of objects");
}

void binance_account_position_parse(struct binance_user *u, const struct fields *f)
{
	u->market = EVENT_SPOT; /* nobody else sends it */
	if (binance_user_time(u, f))
		binance_user_change(u, rows);
}
