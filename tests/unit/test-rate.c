/* lib/rate: a burst, a trickle, and what was hidden */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rate.h"

#define SECOND 1000000LL

static unsigned take_many(struct rate *r, unsigned n, int64_t now)
{
	unsigned taken = 0;

	while (n-- > 0)
		taken += rate_take(r, now);
	return taken;
}

static void a_burst_and_then_a_trickle(void **state)
{
	struct rate r;
	unsigned taken = 0;

	(void)state;
	rate_open(&r, SECOND / 5, 20, 77);
	assert_int_equal(take_many(&r, 100, 77), 20);
	for (int64_t t = 77; t < 77 + 10 * SECOND; t += 1000)
		taken += rate_take(&r, t);
	assert_in_range(taken, 49, 50);
}

static void silence_saves_up_one_burst_and_no_more(void **state)
{
	struct rate r;

	(void)state;
	rate_open(&r, SECOND, 3, 0);
	assert_int_equal(take_many(&r, 9, 0), 3);
	assert_int_equal(take_many(&r, 9, 2 * SECOND), 2);
	assert_int_equal(take_many(&r, 9, 365 * 86400 * SECOND), 3);
	assert_int_equal(take_many(&r, 9, INT64_MAX), 3);
	/* also where some of it was left */
	rate_open(&r, SECOND, 3, 0);
	assert_true(rate_take(&r, 0));
	assert_int_equal(take_many(&r, 9, 2 * SECOND), 3);
}

static void what_was_hidden_is_told_once_and_in_its_turn(void **state)
{
	struct rate r;

	(void)state;
	rate_open(&r, SECOND, 2, 0);
	assert_int_equal(rate_hidden(&r, 0), 0);
	take_many(&r, 9, 0);
	assert_int_equal(rate_hidden(&r, SECOND / 2), 0);
	assert_int_equal(rate_hidden(&r, SECOND), 7);
	assert_int_equal(rate_hidden(&r, SECOND), 0);
	/* the telling itself used the turn */
	assert_false(rate_take(&r, SECOND));
	assert_int_equal(rate_hidden(&r, INT64_MAX), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_and_then_a_trickle),
		cmocka_unit_test(silence_saves_up_one_burst_and_no_more),
		cmocka_unit_test(what_was_hidden_is_told_once_and_in_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
