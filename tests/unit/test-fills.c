/* lib/fills: each fill once, whichever of its reports comes first, and as often as they come */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

#include "fills.h"

static struct fills f;

static int fresh(void **state)
{
	(void)state;
	memset(&f, 0x5a, sizeof f); /* opening alone makes it ready */
	fills_open(&f);
	return 0;
}

static struct fills_key key(int64_t id)
{
	return (struct fills_key){ EVENT_USDM, SPAN("SOLUSDT"), id, 7 };
}

static bool take(int64_t id)
{
	struct fills_key k = key(id);

	return fills_take(&f, &k);
}

/* a preview whose record is its id; nothing may have to leave for it */
static bool hold(int64_t id, int64_t ts)
{
	struct fills_key k = key(id);
	struct span left;
	char text[32];
	int n = snprintf(text, sizeof text, "%lld", (long long)id);
	bool new = fills_hold(&f, &k, ts, (struct span){ text, (size_t)n }, &left);

	memset(text, 'x', sizeof text); /* it has been copied */
	assert_int_equal(left.n, 0);
	return new;
}

static void assert_next(int64_t now, const char *want)
{
	struct span record = { NULL, 0 };
	bool any = fills_next(&f, now, &record);

	if (any != (want != NULL) || (any && !span_is(record, want)))
		fail_msg("%.*s instead of %s", (int)record.n, record.p, want ? want : "none");
}

/* ---------------------------------------------------------------------------------------------- the two reports */

static void the_full_report_takes_the_place_of_its_preview(void **state)
{
	(void)state;
	assert_true(hold(1, 1000));
	assert_int_equal(f.due, 2000);
	assert_true(take(1));
	assert_int_equal(f.due, INT64_MAX);
	assert_next(INT64_MAX, NULL);
}

static void behind_the_full_report_a_preview_is_a_copy(void **state)
{
	(void)state;
	assert_true(take(1));
	assert_false(hold(1, 1000));
	assert_next(INT64_MAX, NULL);
}

static void each_report_counts_once(void **state)
{
	(void)state;
	assert_true(hold(1, 1000));
	assert_false(hold(1, 1000));
	assert_false(hold(1, 5000)); /* and does not wait longer for it */
	assert_int_equal(f.due, 2000);
	assert_true(take(1));
	assert_false(take(1));
	assert_false(hold(1, 1000));
	assert_next(INT64_MAX, NULL);
}

static void a_preview_that_was_told_makes_the_full_report_a_copy(void **state)
{
	(void)state;
	assert_true(hold(1, 1000));
	assert_next(2000, "1");
	assert_false(take(1));
	assert_false(hold(1, 1000));
}

/* ------------------------------------------------------------------------------------------------------ time */

static void previews_wait_a_second_of_event_time(void **state)
{
	(void)state;
	assert_true(hold(1, 1000));
	assert_true(hold(2, 1500));
	assert_next(INT64_MIN, NULL);
	assert_next(1999, NULL);
	assert_next(2000, "1");
	assert_next(2000, NULL);
	assert_int_equal(f.due, 2500);
	assert_next(2499, NULL);
	assert_next(9000, "2");
	assert_next(INT64_MAX, NULL);
}

/* times go back between streams: what is due goes, in the order of arrival, past what is not */
static void what_is_due_does_not_wait_behind_what_is_not(void **state)
{
	(void)state;
	assert_true(hold(1, 9000));
	assert_true(hold(2, 1000));
	assert_true(hold(3, 1001));
	assert_true(hold(4, 500));
	assert_int_equal(f.due, 1500);
	assert_next(2001, "2");
	assert_next(2001, "3");
	assert_next(2001, "4");
	assert_next(2001, NULL);
	assert_int_equal(f.due, 10000);
	assert_true(hold(5, 0));
	assert_next(INT64_MAX, "1");
	assert_next(INT64_MAX, "5");
	assert_next(INT64_MAX, NULL);
}

static void the_end_of_time_is_no_trap(void **state)
{
	(void)state;
	assert_true(hold(1, INT64_MAX));
	assert_true(hold(2, INT64_MAX - 1000));
	assert_next(INT64_MAX - 1, NULL);
	assert_next(INT64_MAX, "1");
	assert_next(INT64_MAX, "2");
}

/* ------------------------------------------------------------------------------------------------------ room */

static void a_full_room_lets_the_oldest_go(void **state)
{
	struct fills_key k;
	struct span left;
	char want[32];

	(void)state;
	for (int64_t id = 1; id <= FILLS_WAITING; id++)
		assert_true(hold(id, 1000 - id));
	k = key(5);
	assert_false(fills_hold(&f, &k, 1, SPAN("again"), &left)); /* a copy makes nobody leave */
	assert_int_equal(left.n, 0);
	for (int64_t id = FILLS_WAITING + 1; id <= 3 * FILLS_WAITING; id++) {
		k = key(id);
		snprintf(want, sizeof want, "%lld", (long long)(id - FILLS_WAITING));
		char own[32];
		int n = snprintf(own, sizeof own, "%lld", (long long)id);
		assert_true(fills_hold(&f, &k, 1000 - id, (struct span){ own, (size_t)n }, &left));
		assert_true(span_is(left, want)); /* although a new one has come in */
		assert_false(take(id - FILLS_WAITING));
	}
	for (int64_t id = 2 * FILLS_WAITING + 1; id <= 3 * FILLS_WAITING; id++) {
		snprintf(want, sizeof want, "%lld", (long long)id);
		assert_next(INT64_MAX, want);
	}
	assert_next(INT64_MAX, NULL);
}

static void records_have_a_bound(void **state)
{
	static char text[FILLS_TEXT_MAX + 1];
	struct fills_key k = key(1);
	struct span record, left;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_true(fills_hold(&f, &k, 1, (struct span){ text, FILLS_TEXT_MAX }, &left));
	assert_true(fills_next(&f, INT64_MAX, &record));
	assert_int_equal(record.n, FILLS_TEXT_MAX);
	assert_memory_equal(record.p, text, FILLS_TEXT_MAX);
}

/* ---------------------------------------------------------------------------------------------------- window */

static void each_part_of_a_key_tells_fills_apart(void **state)
{
	static char longest[2][EVENT_NAME_MAX];
	struct fills_key keys[] = {
		{ EVENT_USDM, SPAN("SOLUSDT"), 1, 7 },
		{ EVENT_COINM, SPAN("SOLUSDT"), 1, 7 },
		{ EVENT_SPOT, SPAN("SOLUSDT"), 1, 7 },
		{ EVENT_USDM, SPAN("SOLUSD"), 1, 7 },
		{ EVENT_USDM, SPAN("SOLUSDC"), 1, 7 },
		{ EVENT_USDM, SPAN("SOLUSDT"), 2, 7 },
		{ EVENT_USDM, SPAN("SOLUSDT"), 1LL << 32 | 1, 7 },
		{ EVENT_USDM, SPAN("SOLUSDT"), INT64_MAX, 7 },
		{ EVENT_USDM, SPAN("SOLUSDT"), 1, 8 }, /* who trades with himself */
		{ EVENT_USDM, SPAN("SOLUSDT"), 1, 0 },
		{ EVENT_USDM, { longest[0], EVENT_NAME_MAX }, 1, 7 },
		{ EVENT_USDM, { longest[1], EVENT_NAME_MAX }, 1, 7 },
	};
	size_t n = sizeof keys / sizeof keys[0];
	struct span left;

	(void)state;
	memset(longest, 'S', sizeof longest);
	longest[1][EVENT_NAME_MAX - 1] = 'T';
	for (size_t i = 0; i < n; i++)
		assert_true(fills_hold(&f, &keys[i], 1, SPAN("x"), &left));
	for (size_t i = 0; i < n; i++)
		assert_true(fills_take(&f, &keys[i]));
	for (size_t i = 0; i < n; i++)
		assert_false(fills_take(&f, &keys[i]));
	assert_int_equal(f.n, 0);
}

static void the_last_4096_are_remembered_and_no_more(void **state)
{
	(void)state;
	for (int64_t id = 0; id < 4096; id++)
		assert_true(take(id));
	for (int64_t id = 0; id < 4096; id++)
		assert_false(take(id)); /* a copy does not push anything out */
	assert_true(take(4096));
	assert_false(take(1));
	assert_true(take(0)); /* pushes out 1 */
	assert_true(take(1));
	assert_false(take(3));
	for (int64_t id = 10000; id < 30000; id++)
		assert_true(take(id));
	for (int64_t id = 30000 - 4096; id < 30000; id++)
		assert_false(take(id));
	assert_true(take(30000 - 4097));
}

/* against a window that is searched from end to end; few ids, so that most are in it */
static void the_window_is_that_of_a_plain_list(void **state)
{
	static int64_t list[4096];
	size_t count = 0, copies = 0;
	uint64_t seed = 20261124;

	(void)state;
	for (size_t round = 0; round < 40000; round++) {
		bool known = false;
		seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
		int64_t id =
		    (int64_t)(seed >> 40) % 6000 * (seed >> 33 & 1 ? 4096 : 1); /* some with the same low bits */
		for (size_t i = 0; i < 4096 && i < count && !known; i++)
			known = list[i] == id;
		assert_int_equal(take(id), !known);
		if (!known)
			list[count++ % 4096] = id;
		copies += known;
	}
	assert_true(copies > 5000 && count > 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_full_report_takes_the_place_of_its_preview, fresh),
		cmocka_unit_test_setup(behind_the_full_report_a_preview_is_a_copy, fresh),
		cmocka_unit_test_setup(each_report_counts_once, fresh),
		cmocka_unit_test_setup(a_preview_that_was_told_makes_the_full_report_a_copy, fresh),
		cmocka_unit_test_setup(previews_wait_a_second_of_event_time, fresh),
		cmocka_unit_test_setup(what_is_due_does_not_wait_behind_what_is_not, fresh),
		cmocka_unit_test_setup(the_end_of_time_is_no_trap, fresh),
		cmocka_unit_test_setup(a_full_room_lets_the_oldest_go, fresh),
		cmocka_unit_test_setup(records_have_a_bound, fresh),
		cmocka_unit_test_setup(each_part_of_a_key_tells_fills_apart, fresh),
		cmocka_unit_test_setup(the_last_4096_are_remembered_and_no_more, fresh),
		cmocka_unit_test_setup(the_window_is_that_of_a_plain_list, fresh),
	};

	return cmocka_run_group_tests_name("fills", tests, NULL, NULL);
}
