/* lib/pace: no drift, jumps back, times that are missing, every speed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pace.h"
#include "when.h"

#define SECOND 1000000LL
#define HOUR   (3600 * SECOND)

static bool back;

static void nothing_adds_up_over_hours(void **state)
{
	static const uint64_t speeds[] = { 1, 500, 1000, 1001, 50000, 7000003, 1000000000 };
	const int64_t t0 = 1790524138940123, start = 123456789;

	(void)state;
	for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
		struct pace p;
		int64_t now = start;
		pace_open(&p, speeds[i]);
		/* 333 µs apart for ten hours, and a program that is late by something each time */
		for (int64_t us = 0; us <= 10 * HOUR; us += 333 * 100) {
			int64_t due = pace_due(&p, t0 + us, now, &back);
			assert_int_equal(due, start + (int64_t)((__int128)us * 1000 / speeds[i]));
			assert_false(back);
			now = due + us % 7919;
		}
	}
}

static void a_little_back_is_due_at_once_and_shifts_nothing(void **state)
{
	struct pace p;

	(void)state;
	pace_open(&p, 1000);
	assert_int_equal(pace_due(&p, 100 * SECOND, 0, &back), 0);
	assert_int_equal(pace_due(&p, 101 * SECOND, 0, &back), SECOND);
	assert_int_equal(pace_due(&p, 101 * SECOND - PACE_BACK_US + 1, SECOND, &back), SECOND);
	assert_false(back);
	assert_int_equal(pace_due(&p, WHEN_NEVER, SECOND, &back), SECOND);
	assert_int_equal(pace_due(&p, 102 * SECOND, SECOND, &back), 2 * SECOND);
}

static void far_back_begins_anew(void **state)
{
	struct pace p;

	(void)state;
	pace_open(&p, 2000);
	pace_due(&p, 100 * SECOND, 5, &back);
	assert_int_equal(pace_due(&p, 110 * SECOND, 5, &back), 5 + 5 * SECOND);
	assert_int_equal(pace_due(&p, 50 * SECOND, 6 * SECOND, &back), 6 * SECOND);
	assert_true(back);
	assert_int_equal(pace_due(&p, 52 * SECOND, 6 * SECOND, &back), 7 * SECOND);
	assert_false(back);
}

static void what_was_missed_is_caught_up_with(void **state)
{
	struct pace p;

	(void)state;
	pace_open(&p, 1000);
	pace_due(&p, 100 * SECOND, 0, &back);
	/* the reader took nothing for a minute */
	assert_int_equal(pace_due(&p, 101 * SECOND, 60 * SECOND, &back), SECOND);
	assert_int_equal(pace_due(&p, 200 * SECOND, 60 * SECOND, &back), 100 * SECOND);
}

static void a_new_pass_begins_when_it_begins(void **state)
{
	struct pace p;

	(void)state;
	pace_open(&p, 1000);
	pace_due(&p, 100 * SECOND, 0, &back);
	pace_due(&p, 109 * SECOND, 0, &back);
	pace_restart(&p);
	assert_int_equal(pace_due(&p, 100 * SECOND, 9 * SECOND, &back), 9 * SECOND);
	assert_false(back);
	assert_int_equal(pace_due(&p, 101 * SECOND, 9 * SECOND, &back), 10 * SECOND);
}

static void ends_of_the_range(void **state)
{
	struct pace p;

	(void)state;
	pace_open(&p, PACE_MAX);
	assert_int_equal(pace_due(&p, 5, 1000, &back), 0);
	pace_open(&p, 1);
	pace_due(&p, 0, 0, &back);
	assert_int_equal(pace_due(&p, INT64_MAX, 0, &back), INT64_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_adds_up_over_hours),
		cmocka_unit_test(a_little_back_is_due_at_once_and_shifts_nothing),
		cmocka_unit_test(far_back_begins_anew),
		cmocka_unit_test(what_was_missed_is_caught_up_with),
		cmocka_unit_test(a_new_pass_begins_when_it_begins),
		cmocka_unit_test(ends_of_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
