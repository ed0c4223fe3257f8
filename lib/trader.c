#include "trader.h"

/* splitmix64: every seed is good, also zero */
static uint64_t roll(struct trader *t)
{
	uint64_t z = t->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static void wait(struct trader *t, int64_t ts)
{
	int64_t ms = TRADER_LEAST_MS + (int64_t)(roll(t) % TRADER_SPAN_MS);

	t->next = ts > INT64_MAX - ms ? INT64_MAX : ts + ms;
}

/* pairs do not follow each other: each has a start of its own */
static void begin(struct trader *t, uint64_t seed, const struct trader_view *v)
{
	t->begun = true;
	t->state = seed ^ span_hash(v->pair, SPAN_HASH + (uint64_t)v->market);
	wait(t, v->ts);
}

static void learn_decimals(struct trader *t, struct dec qty)
{
	qty = dec_strip(qty);
	if (qty.scale > t->decimals)
		t->decimals = qty.scale;
}

static struct dec lesser(struct dec a, struct dec b)
{
	return dec_cmp(a, b) < 0 ? a : b;
}

/* about TRADER_NOTIONAL, no more than the book shows, at least one of the last decimal; of coinm a contract */
static void choose_step(struct trader *t, const struct trader_view *v)
{
	struct dec least = { 1, t->decimals };

	t->step = (struct dec){ 1, 0 };
	if (v->market == EVENT_COINM)
		return;
	if (dec_div_trunc((struct dec){ TRADER_NOTIONAL, 0 }, v->ask, t->decimals, &t->step) != DEC_OK)
		t->step = least;
	t->step = lesser(t->step, lesser(v->bid_qty, v->ask_qty));
	if (dec_cmp(t->step, least) < 0)
		t->step = least;
}

bool trader_wants(struct trader *t, uint64_t seed, const struct trader_view *v, struct dec *qty)
{
	if (!t->begun)
		begin(t, seed, v);
	learn_decimals(t, v->bid_qty);
	learn_decimals(t, v->ask_qty);
	/* a jump back in time, as where two recordings follow each other, must not silence it */
	if (t->next - v->ts > TRADER_LEAST_MS + TRADER_SPAN_MS)
		wait(t, v->ts);
	if (v->ts < t->next)
		return false;
	if (t->step.m == 0)
		choose_step(t, v);
	wait(t, v->ts);
	int steps = (int)(roll(t) % (2 * TRADER_STEPS + 1)) - TRADER_STEPS;
	if (v->market == EVENT_SPOT && steps < 0)
		steps = -steps; /* what is not there cannot be sold */
	struct dec target;
	return dec_mul(t->step, (struct dec){ steps, 0 }, &target) == DEC_OK && dec_sub(target, v->held, qty) == DEC_OK &&
	    dec_sign(*qty) != 0;
}
