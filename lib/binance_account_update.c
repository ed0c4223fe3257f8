/* ACCOUNT_UPDATE: balances and positions that have changed, absolute, in the object a. B and P may be empty; of coinm
 * there is an account alias i at the top, too. up is of that moment. */
#include "binance_user.h"

static void balance(struct binance_user *u, const struct fields *f)
{
	const struct fields *update = &u->b->inner;
	struct event_balance e = { .reason = SPAN("") };

	if (binance_user_name(u, f, 'a', &e.asset, "no usable asset (a.B.a)") &&
	    binance_user_number(u, f, BINANCE_WB, &e.balance, "wallet balance (a.B.wb) is not a number") &&
	    binance_user_name(u, update, 'm', &e.reason, "reason (a.m) is not a name"))
		binance_user_balance(u, &e);
}

static void position(struct binance_user *u, const struct fields *f)
{
	struct event_position e = { .has_pnl = true };

	if (binance_user_name(u, f, 's', &e.pair, "no usable symbol (a.P.s)") &&
	    binance_user_number(u, f, BINANCE_PA, &e.qty, "position amount (a.P.pa) is not a number") &&
	    binance_user_amount(
		u, f, BINANCE_EP, &e.entry_price, "entry price (a.P.ep) is not a number from zero up") &&
	    binance_user_number(u, f, BINANCE_UP, &e.unrealized_pnl, "unrealized PnL (a.P.up) is not a number") &&
	    binance_user_side(u, f, BINANCE_PS, &e.side, "position side (a.P.ps) is none of BOTH, LONG, SHORT"))
		binance_user_position(u, &e);
}

static void rows(struct binance_user *u)
{
	const struct fields *update = &u->b->inner;

	if (fields_has(update, 'B'))
		binance_user_rows(u, update, 'B', balance, "balances (a.B) are not an array of objects");
	if (fields_has(update, 'P'))
		binance_user_rows(u, update, 'P', position, "positions (a.P) are not an array of objects");
}

void binance_account_update_parse(struct binance_user *u, const struct fields *f)
{
	const struct fields *update = &u->b->inner;

	if (!binance_user_time(u, f) || !binance_user_inner(u, 'a', "no account (a)"))
		return;
	if (fields_has(update, 'B') || fields_has(update, 'P'))
		binance_user_change(u, rows);
	else
		binance_user_refuse(u, "neither balances (a.B) nor positions (a.P)");
}
