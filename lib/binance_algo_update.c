/* ALGO_UPDATE: a conditional order (they have a service of their own since 2025-12), in the object o. It may come
 * behind the fills of the order that it became; ai is that order's id, a string, "" before. */
#include "binance_user.h"

static bool say_name(
    struct binance_user *u, const struct fields *f, unsigned slot, struct sentence *s, const char *why)
{
	struct span name;

	if (!binance_user_name(u, f, slot, &name, why))
		return false;
	sentence_say_lit(s, " ");
	sentence_say(s, name);
	return true;
}

/* "what" and the text, where there is one */
static void say_optional(const struct fields *f, unsigned slot, struct sentence *s, struct span what)
{
	if (fields_kind(f, slot) != JSON_STRING || fields_text(f, slot).n == 0)
		return;
	sentence_say(s, what);
	sentence_say(s, fields_text(f, slot));
}

static bool say_number(struct binance_user *u, const struct fields *f, unsigned slot, struct sentence *s,
    struct span what, const char *why)
{
	struct dec d;

	if (!binance_user_number(u, f, slot, &d, why))
		return false;
	sentence_say(s, what);
	sentence_say_number(s, d);
	return true;
}

void binance_algo_update_parse(struct binance_user *u, const struct fields *f)
{
	const struct fields *o = &u->b->inner;
	struct sentence s = { .n = 0 };
	struct span id;
	int64_t n;

	if (!binance_user_time(u, f) || !binance_user_inner(u, 'o', "no order (o)") ||
	    !binance_user_id(u, o, BINANCE_AID, &id, &n, "id (o.aid) is not an integer from zero up"))
		return;
	sentence_say_lit(&s, "conditional order ");
	sentence_say(&s, id);
	sentence_say_lit(&s, ":");
	if (!say_name(u, o, 'S', &s, "side (o.S) is not a word") ||
	    !say_number(u, o, 'q', &s, SPAN(" "), "quantity (o.q) is not a number") ||
	    !say_name(u, o, 's', &s, "no usable symbol (o.s)") ||
	    !say_name(u, o, 'o', &s, "type (o.o) is not a word") ||
	    !say_number(u, o, BINANCE_TP, &s, SPAN(" at "), "trigger price (o.tp) is not a number"))
		return;
	sentence_say_lit(&s, " is");
	if (!say_name(u, o, 'X', &s, "status (o.X) is not a word"))
		return;
	say_optional(o, BINANCE_AI, &s, SPAN(", as order "));
	say_optional(o, BINANCE_RM, &s, SPAN(": "));
	binance_user_status(u, SPAN("notice"), &s);
}
