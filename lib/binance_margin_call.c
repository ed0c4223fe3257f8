/* MARGIN_CALL: positions that are near liquidation, in the array p; cw is there for cross positions alone. A notice for
 * each, so that none is lost behind another. Portfolio margin leaves out mp and mm. */
#include "binance_user.h"

/* "what" and the number, where it is there */
static bool say_optional(struct binance_user *u, const struct fields *f, unsigned slot, struct sentence *s,
    struct span what, const char *why)
{
	struct dec d;

	if (!fields_has(f, slot))
		return true;
	if (!binance_user_number(u, f, slot, &d, why))
		return false;
	sentence_say(s, what);
	sentence_say_number(s, d);
	return true;
}

static bool say_wallet(struct binance_user *u, struct sentence *s)
{
	return say_optional(
	    u, u->event, BINANCE_CW, s, SPAN(", cross wallet balance "), "cross wallet balance (cw) is not a number");
}

static void position(struct binance_user *u, const struct fields *f)
{
	struct sentence s = { .n = 0 };
	struct span pair, side;
	struct dec qty;

	if (!binance_user_name(u, f, 's', &pair, "no usable symbol (p.s)") ||
	    !binance_user_side(u, f, BINANCE_PS, &side, "position side (p.ps) is none of BOTH, LONG, SHORT") ||
	    !binance_user_number(u, f, BINANCE_PA, &qty, "position amount (p.pa) is not a number"))
		return;
	sentence_say_lit(&s, "margin call: ");
	sentence_say(&s, pair);
	sentence_say_lit(&s, " ");
	sentence_say(&s, side);
	sentence_say_lit(&s, " ");
	sentence_say_number(&s, qty);
	if (say_optional(u, f, BINANCE_MP, &s, SPAN(", mark price "), "mark price (p.mp) is not a number") &&
	    say_optional(u, f, BINANCE_UP, &s, SPAN(", unrealized PnL "), "unrealized PnL (p.up) is not a number") &&
	    say_optional(
		u, f, BINANCE_MM, &s, SPAN(", maintenance margin "), "maintenance margin (p.mm) is not a number") &&
	    say_wallet(u, &s))
		binance_user_status(u, SPAN("notice"), &s);
}

void binance_margin_call_parse(struct binance_user *u, const struct fields *f)
{
	struct sentence s = { .n = 0 };

	if (!binance_user_time(u, f))
		return;
	binance_user_rows(u, f, 'p', position, "positions (p) are not an array of objects");
	if (u->result == BINANCE_NOTHING) { /* no position is named: a call all the same */
		sentence_say_lit(&s, "margin call");
		if (say_wallet(u, &s))
			binance_user_status(u, SPAN("notice"), &s);
	}
}
