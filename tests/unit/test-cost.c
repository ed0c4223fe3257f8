/* lib/cost: figures by hand, then random fills, after each of which nothing may be lost */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cost.h"

static const struct cost_contract linear;
static const struct cost_contract inverse = { .inverse = true, .size = { 100, 0 } };

static struct dec make(const char *text)
{
	struct dec d;

	assert_int_equal(dec_parse(span_of(text), &d), DEC_OK);
	return d;
}

static const char *show(struct dec d)
{
	static char texts[4][DEC_TEXT_MAX + 1];
	static unsigned next;
	char *text = texts[next++ % 4];

	*dec_print(text, d) = '\0';
	return text;
}

static struct cost c;
static struct dec realized;

static void fill(const struct cost_contract *k, const char *qty, const char *price)
{
	assert_int_equal(cost_fill(&c, k, make(qty), make(price), &c, &realized), DEC_OK);
}

static const char *entry(const struct cost_contract *k)
{
	struct dec d;

	assert_int_equal(cost_entry(&c, k, &d), DEC_OK);
	return show(d);
}

#define CHECK(k, qty_, entry_, realized_)                                                                              \
	do {                                                                                                           \
		assert_string_equal(show(c.qty), qty_);                                                                \
		assert_string_equal(entry(k), entry_);                                                                 \
		assert_string_equal(show(realized), realized_);                                                        \
	} while (0)

static void flat(void)
{
	c = (struct cost){ DEC_NIL, DEC_NIL, DEC_NIL };
}

static void opens_adds_reduces_closes_and_flips(void **state)
{
	(void)state;
	flat();
	fill(&linear, "2", "100");
	CHECK(&linear, "2", "100", "0");
	fill(&linear, "1", "106");
	CHECK(&linear, "3", "102", "0");
	fill(&linear, "-1", "110.5");
	CHECK(&linear, "2", "102", "8.5");
	fill(&linear, "-2", "101");
	CHECK(&linear, "0", "0", "-2");
	assert_int_equal(dec_sign(c.cost), 0);
	fill(&linear, "-2", "50");
	CHECK(&linear, "-2", "50", "0");
	fill(&linear, "-2", "40");
	CHECK(&linear, "-4", "45", "0");
	fill(&linear, "1", "46");
	CHECK(&linear, "-3", "45", "-1");
	/* the closed part is realized, the rest opens at the fill's own price */
	fill(&linear, "5", "44");
	CHECK(&linear, "2", "44", "3");
	fill(&linear, "-5", "47");
	CHECK(&linear, "-3", "47", "6");
}

/* a third of 10 has no end: what the cut leaves stays in the cost, and comes out at the end */
static void what_a_cut_leaves_is_kept(void **state)
{
	(void)state;
	flat();
	fill(&linear, "2", "1");
	fill(&linear, "1", "8");
	assert_string_equal(entry(&linear), "3.3333333333333333");
	fill(&linear, "-1", "0");
	assert_string_equal(show(realized), "-3.3333333333333333");
	assert_string_equal(show(c.cost), "6.6666666666666667");
	fill(&linear, "-1", "0");
	assert_string_equal(show(realized), "-3.3333333333333333");
	fill(&linear, "-1", "0");
	assert_string_equal(show(realized), "-3.3333333333333334");
	flat();
	fill(&linear, "-2", "1");
	fill(&linear, "-1", "8");
	fill(&linear, "1", "0");
	assert_string_equal(show(realized), "3.3333333333333333");
	assert_string_equal(show(c.cost), "-6.6666666666666667");
}

/* 0.02 x 313.20000000000005 and back (binance 5.1) */
static void fourteen_decimals(void **state)
{
	(void)state;
	flat();
	fill(&linear, "0.02", "313.20000000000005");
	assert_string_equal(entry(&linear), "313.20000000000005");
	fill(&linear, "-0.01", "313.19");
	assert_string_equal(show(realized), "-0.0001000000000005");
	assert_string_equal(entry(&linear), "313.20000000000005");
}

static void coins(void **state)
{
	(void)state;
	flat();
	/* an open contract tells its own price again */
	fill(&inverse, "7", "84551.1");
	CHECK(&inverse, "7", "84551.1", "0");
	fill(&inverse, "-3", "84000.1");
	CHECK(&inverse, "4", "84551.1", "-0.00002327");
	/* the example of the exchange's documents, realized (binance 5.2) */
	flat();
	fill(&inverse, "1", "11707.70000003");
	fill(&inverse, "-1", "11788.66626667");
	CHECK(&inverse, "0", "0", "0.00005866");
	assert_int_equal(dec_sign(c.rest), 1);
	flat();
	fill(&inverse, "-1", "11707.70000003");
	fill(&inverse, "1", "11788.66626667");
	CHECK(&inverse, "0", "0", "-0.00005866");
	/* the harmonic mean */
	flat();
	fill(&inverse, "1", "10000");
	fill(&inverse, "1", "40000");
	CHECK(&inverse, "2", "16000", "0");
	fill(&inverse, "-3", "20000");
	CHECK(&inverse, "-1", "20000", "0.0025");
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct cost before;
	struct dec d;

	(void)state;
	flat();
	fill(&linear, "3", "7");
	before = c;
	realized = make("42");
	assert_int_equal(cost_fill(&c, &linear, make("1e30"), make("1e9"), &c, &realized), DEC_RANGE);
	assert_int_equal(cost_fill(&c, &linear, make("-1e37"), make("11"), &c, &realized), DEC_RANGE);
	assert_int_equal(cost_fill(&c, &inverse, make("1"), DEC_NIL, &c, &realized), DEC_ZERO);
	assert_memory_equal(&c, &before, sizeof c);
	assert_string_equal(show(realized), "42");
	assert_int_equal(cost_of(&linear, make("1e37"), make("11"), &c), DEC_RANGE);
	assert_memory_equal(&c, &before, sizeof c);
	assert_int_equal(cost_of(&inverse, make("1"), DEC_NIL, &c), DEC_ZERO);
	/* next to nothing in coin has no entry price */
	assert_int_equal(cost_of(&inverse, make("1"), make("1e37"), &c), DEC_OK);
	assert_int_equal(cost_entry(&c, &inverse, &d), DEC_ZERO);
}

static void somebody_tells_of_a_position(void **state)
{
	(void)state;
	assert_int_equal(cost_of(&linear, make("-12.5"), make("143.1"), &c), DEC_OK);
	assert_string_equal(show(c.cost), "-1788.75");
	assert_string_equal(entry(&linear), "143.1");
	assert_int_equal(cost_of(&linear, DEC_NIL, make("143.1"), &c), DEC_OK);
	assert_string_equal(entry(&linear), "0");
	assert_int_equal(cost_of(&inverse, make("-7"), make("84551.1"), &c), DEC_OK);
	assert_string_equal(entry(&inverse), "84551.1");
}

static uint64_t seed = 20261124;

static unsigned roll(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* flow of the pieces of a fill, from what the position was before and is after: what closed, and what opened */
static struct dec flow_of(const struct cost_contract *k, struct dec qty, struct dec price, struct dec before)
{
	struct dec open = { -before.m, before.scale }, first = qty, f, sum = DEC_NIL;
	bool flips = dec_sign(before) * dec_sign(qty) < 0 && dec_cmp(qty, open) * dec_sign(qty) > 0;

	if (flips)
		first = open;
	for (int i = 0; i <= flips; i++) {
		struct dec part = first;
		if (i > 0)
			assert_int_equal(dec_sub(qty, first, &part), DEC_OK);
		assert_int_equal(dec_mul(part, k->inverse ? k->size : price, &f), DEC_OK);
		if (k->inverse)
			assert_int_equal(dec_div_trunc(f, price, COST_COIN_DECIMALS, &f), DEC_OK);
		assert_int_equal(dec_add(sum, f, &sum), DEC_OK);
	}
	return sum;
}

static void check_identity(const struct cost_contract *k, struct dec flows, struct dec sum)
{
	struct dec right;

	assert_int_equal(k->inverse ? dec_add(c.cost, sum, &right) : dec_sub(c.cost, sum, &right), DEC_OK);
	assert_int_equal(dec_add(right, c.rest, &right), DEC_OK);
	if (dec_cmp(flows, right) != 0)
		fail_msg("flows %s, cost and realized %s", show(flows), show(right));
	assert_true(k->inverse || dec_sign(c.rest) == 0);
	assert_true(dec_sign(c.qty) == dec_sign(c.cost));
}

static void nothing_is_lost(void **state)
{
	(void)state;
	for (unsigned run = 0; run < 60; run++) {
		const struct cost_contract *k = run % 2 ? &inverse : &linear;
		struct dec flows = DEC_NIL, sum = DEC_NIL;
		unsigned flips = 0, closes = 0;
		flat();
		for (unsigned i = 0; i < 500; i++) {
			struct dec qty = { 1 + roll(9999), k->inverse ? 0 : (int)roll(4) }, before = c.qty;
			struct dec price = { 1000000 + roll(1000000), 4 };
			qty.m = roll(2) ? qty.m : -qty.m;
			if (roll(5) == 0 && dec_sign(before) != 0)
				qty = (struct dec){ -before.m, before.scale };
			if (!k->inverse && roll(4) == 0)
				price = (struct dec){ 31320000000000005 + roll(9), 14 };
			assert_int_equal(dec_add(flows, flow_of(k, qty, price, before), &flows), DEC_OK);
			assert_int_equal(cost_fill(&c, k, qty, price, &c, &realized), DEC_OK);
			assert_int_equal(dec_add(sum, realized, &sum), DEC_OK);
			check_identity(k, flows, sum);
			assert_true(dec_strip(realized).scale <= (k->inverse ? COST_PNL_DECIMALS : 18));
			flips += dec_sign(before) * dec_sign(c.qty) < 0;
			closes += dec_sign(c.qty) == 0;
		}
		assert_true(flips > 20 && closes > 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_adds_reduces_closes_and_flips),
		cmocka_unit_test(what_a_cut_leaves_is_kept),
		cmocka_unit_test(fourteen_decimals),
		cmocka_unit_test(coins),
		cmocka_unit_test(what_does_not_fit_changes_nothing),
		cmocka_unit_test(somebody_tells_of_a_position),
		cmocka_unit_test(nothing_is_lost),
	};

	return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
