/* balanceUpdate of spot: a deposit, withdrawal or transfer; externalLockUpdate: a part is locked or let go. d is the
 * signed difference; the balance itself comes with an outboundAccountPosition. */
#include "binance_user.h"

void binance_balance_change_parse(struct binance_user *u, const struct fields *f)
{
	struct sentence s = { .n = 0 };
	struct span asset;
	struct dec d;

	if (!binance_user_time(u, f) || !binance_user_name(u, f, 'a', &asset, "no usable asset (a)") ||
	    !binance_user_number(u, f, 'd', &d, "difference (d) is not a number"))
		return;
	sentence_say(
	    &s, span_is(fields_text(f, 'e'), "balanceUpdate") ? SPAN("balance of ") : SPAN("locked balance of "));
	sentence_say(&s, asset);
	sentence_say_lit(&s, " changes by ");
	sentence_say_number(&s, d);
	binance_user_status(u, SPAN("notice"), &s);
}
