/* ACCOUNT_CONFIG_UPDATE: the leverage of a pair (ac), or the mode of the account (ai). */
#include "binance_user.h"

static void leverage(struct binance_user *u)
{
	const struct fields *ac = &u->b->inner;
	struct sentence s = { .n = 0 };
	struct span pair, times;
	int64_t n;

	if (!binance_user_inner(u, BINANCE_AC, "leverage (ac) is not an object") ||
	    !binance_user_name(u, ac, 's', &pair, "no usable symbol (ac.s)") ||
	    !binance_user_id(u, ac, 'l', &times, &n, "leverage (ac.l) is not an integer from zero up"))
		return;
	sentence_say_lit(&s, "leverage of ");
	sentence_say(&s, pair);
	sentence_say_lit(&s, " is now ");
	sentence_say(&s, times);
	binance_user_status(u, SPAN("notice"), &s);
}

static void mode(struct binance_user *u)
{
	struct sentence s = { .n = 0 };
	bool on;

	if (!binance_user_inner(u, BINANCE_AI, "mode (ai) is not an object"))
		return;
	if (!binance_field_bool(&u->b->inner, 'j', &on)) {
		binance_user_refuse(u, "multi-assets mode (ai.j) is not a boolean");
		return;
	}
	sentence_say_lit(&s, "multi-assets mode is now ");
	sentence_say(&s, on ? SPAN("on") : SPAN("off"));
	binance_user_status(u, SPAN("notice"), &s);
}

void binance_account_config_parse(struct binance_user *u, const struct fields *f)
{
	if (!binance_user_time(u, f))
		return;
	if (!fields_has(f, BINANCE_AC) && !fields_has(f, BINANCE_AI))
		binance_user_refuse(u, "neither leverage (ac) nor mode (ai)");
	if (fields_has(f, BINANCE_AC))
		leverage(u);
	if (fields_has(f, BINANCE_AI))
		mode(u);
}
