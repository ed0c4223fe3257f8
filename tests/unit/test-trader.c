/* lib/trader: a pure function of its seed and of what it sees, that trades both ways and not too often */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "trader.h"

struct tale {
	unsigned trades, buys, flat;
	int64_t closest; /* ms between two trades */
	struct dec most, least;
	uint64_t sum;
};

static struct tale run(uint64_t seed, struct span pair, enum event_market market, int steps)
{
	struct trader t = { .begun = false };
	struct tale tale = { .closest = INT64_MAX };
	struct trader_view v = { pair, market, 0, { 14235, 2 }, { 26, 1 }, { 14236, 2 }, { 53, 1 }, DEC_NIL };
	int64_t last = 0;
	struct dec qty;

	for (int i = 0; i < steps; i++) {
		v.ts += 100;
		if (!trader_wants(&t, seed, &v, &qty))
			continue;
		assert_true(dec_sign(qty) != 0);
		assert_int_equal(dec_add(v.held, qty, &v.held), DEC_OK);
		tale.closest = tale.trades && v.ts - last < tale.closest ? v.ts - last : tale.closest;
		last = v.ts;
		tale.trades++;
		tale.buys += dec_sign(qty) > 0;
		tale.flat += dec_sign(v.held) == 0;
		tale.most = dec_cmp(v.held, tale.most) > 0 ? v.held : tale.most;
		tale.least = dec_cmp(v.held, tale.least) < 0 ? v.held : tale.least;
		tale.sum = (tale.sum ^ (uint64_t)v.ts ^ (uint64_t)qty.m) * 1099511628211ULL;
	}
	return tale;
}

static void it_trades_both_ways(void **state)
{
	(void)state;
	struct tale t = run(7, SPAN("SOLUSDT"), EVENT_USDM, 10000);
	/* a thousand seconds, a choice every five, some of which change nothing */
	assert_in_range(t.trades, 120, 240);
	assert_in_range(t.buys, t.trades / 4, t.trades * 3 / 4);
	assert_true(t.flat > 5 && t.closest >= TRADER_LEAST_MS);
	/* 100 / 142.36, with the decimals that quantities have here */
	assert_int_equal(dec_cmp(t.most, (struct dec){ 21, 1 }), 0);
	assert_int_equal(dec_cmp(t.least, (struct dec){ -21, 1 }), 0);
}

static void nothing_but_the_seed_and_the_pair_matter(void **state)
{
	(void)state;
	uint64_t sum = run(7, SPAN("SOLUSDT"), EVENT_USDM, 3000).sum;
	assert_true(sum == run(7, SPAN("SOLUSDT"), EVENT_USDM, 3000).sum);
	assert_true(sum != run(8, SPAN("SOLUSDT"), EVENT_USDM, 3000).sum);
	assert_true(sum != run(7, SPAN("SOLUSDC"), EVENT_USDM, 3000).sum);
	assert_true(run(0, SPAN("SOLUSDT"), EVENT_USDM, 3000).trades > 30);
}

static void markets_have_their_steps(void **state)
{
	(void)state;
	struct tale t = run(7, SPAN("BTCUSD_PERP"), EVENT_COINM, 10000);
	assert_int_equal(dec_cmp(t.most, (struct dec){ 3, 0 }), 0);
	assert_int_equal(dec_cmp(t.least, (struct dec){ -3, 0 }), 0);
	/* of spot nothing is sold that is not there */
	t = run(7, SPAN("SOLUSDT"), EVENT_SPOT, 10000);
	assert_int_equal(dec_sign(t.least), 0);
	assert_true(t.trades > 50 && t.buys < t.trades);
}

static void steps_are_never_nothing(void **state)
{
	struct trader t = { .begun = false };
	struct trader_view v = { SPAN("BTCUSDT"), EVENT_USDM, 0, { 1, 0 }, { 1, 0 }, { 1, 0 }, { 1, 0 }, DEC_NIL };
	struct dec qty;

	(void)state;
	v.bid = v.ask = (struct dec){ 10000000, 0 }; /* dearer than what a step is worth, and whole quantities */
	for (v.ts = 0; !trader_wants(&t, 1, &v, &qty); v.ts += 1000)
		assert_true(v.ts < 1000000);
	assert_int_equal(dec_cmp(t.step, (struct dec){ 1, 0 }), 0);
}

static void a_jump_back_in_time_does_not_silence_it(void **state)
{
	struct trader t = { .begun = false };
	struct trader_view v = { SPAN("SOLUSDT"), EVENT_USDM, 0, { 1, 0 }, { 9, 0 }, { 1, 0 }, { 9, 0 }, DEC_NIL };
	struct dec qty;
	unsigned trades = 0;

	(void)state;
	for (v.ts = 1000000000; v.ts < 1000100000; v.ts += 500)
		trader_wants(&t, 1, &v, &qty);
	for (v.ts = 5; v.ts < 100000; v.ts += 500)
		trades += trader_wants(&t, 1, &v, &qty);
	assert_true(trades > 5);
	v.ts = INT64_MAX;
	trader_wants(&t, 1, &v, &qty);
	trader_wants(&t, 1, &v, &qty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_trades_both_ways),
		cmocka_unit_test(nothing_but_the_seed_and_the_pair_matter),
		cmocka_unit_test(markets_have_their_steps),
		cmocka_unit_test(steps_are_never_nothing),
		cmocka_unit_test(a_jump_back_in_time_does_not_silence_it),
	};

	return cmocka_run_group_tests_name("trader", tests, NULL, NULL);
}
