/* Answers of REST that say what an account holds, as bnc-account prints them. They are of the moment when they came;
 * updateTime is when a row last changed. */
#include "binance_user.h"

#define SNAPSHOT SPAN("SNAPSHOT")

/* false: refused */
static bool time_of_row(struct binance_user *u, const struct fields *f)
{
	u->ts = u->recv;
	if (u->recv >= 0 || binance_field_time(f, BINANCE_UPDATE_TIME, &u->ts))
		return true;
	return binance_user_refuse(u, "no receive time and no time of update (updateTime)");
}

void binance_rest_balance_parse(struct binance_user *u, const struct fields *f)
{
	struct event_balance e = { .reason = SNAPSHOT };

	if (time_of_row(u, f) && binance_user_name(u, f, BINANCE_ASSET, &e.asset, "no usable asset") &&
	    binance_user_number(u, f, BINANCE_BALANCE, &e.balance, "balance is not a number"))
		binance_user_balance(u, &e);
}

void binance_rest_position_parse(struct binance_user *u, const struct fields *f)
{
	struct event_position e = { .has_mark = true, .has_pnl = true };

	if (time_of_row(u, f) && binance_user_name(u, f, BINANCE_SYMBOL, &e.pair, "no usable symbol") &&
	    binance_user_side(u, f, BINANCE_POSITION_SIDE, &e.side, "positionSide is none of BOTH, LONG, SHORT") &&
	    binance_user_number(u, f, BINANCE_POSITION_AMT, &e.qty, "positionAmt is not a number") &&
	    binance_user_amount(u, f, BINANCE_ENTRY_PRICE, &e.entry_price, "entryPrice is not a number from zero up") &&
	    binance_user_amount(u, f, BINANCE_MARK_PRICE, &e.mark_price, "markPrice is not a number from zero up") &&
	    binance_user_number(u, f, BINANCE_UNREALIZED_PROFIT, &e.unrealized_pnl, "unRealizedProfit is not a number"))
		binance_user_position(u, &e);
}

static void spot_balance(struct binance_user *u, const struct fields *f)
{
	struct event_balance e = { .reason = SNAPSHOT, .has_parts = true };

	if (!binance_user_name(u, f, BINANCE_ASSET, &e.asset, "no usable asset (balances.asset)") ||
	    !binance_user_number(u, f, BINANCE_FREE, &e.free, "free amount (balances.free) is not a number") ||
	    !binance_user_number(u, f, BINANCE_LOCKED, &e.locked, "locked amount (balances.locked) is not a number"))
		return;
	if (dec_add(e.free, e.locked, &e.balance) == DEC_OK)
		binance_user_balance(u, &e);
	else
		binance_user_refuse(u, "free and locked of balances are too long for an exact sum");
}

void binance_rest_account_parse(struct binance_user *u, const struct fields *f)
{
	if (time_of_row(u, f))
		binance_user_rows(u, f, BINANCE_BALANCES, spot_balance, "balances are not an array of objects");
}
