/* lib/heartbeat */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event.h"
#include "heartbeat.h"

static void first_at_once_then_on_the_grid(void **state)
{
	struct heartbeat h;
	int64_t point = 0;

	(void)state;
	heartbeat_from(&h, 100, 1007);
	assert_int_equal(h.next, 1007);
	assert_true(heartbeat_reached(&h, 1007, &point));
	assert_int_equal(point, 1007);
	assert_int_equal(h.next, 1107);
	assert_false(heartbeat_reached(&h, 1106, &point));
	/* a late one does not move the grid */
	assert_true(heartbeat_reached(&h, 1190, &point));
	assert_int_equal(point, 1107);
	assert_int_equal(h.next, 1207);
}

static void missed_points_give_one(void **state)
{
	struct heartbeat h;
	int64_t point = 0;

	(void)state;
	heartbeat_from(&h, 100, 0);
	assert_true(heartbeat_reached(&h, 0, &point));
	assert_true(heartbeat_reached(&h, 12345, &point));
	assert_int_equal(point, 12300);
	assert_false(heartbeat_reached(&h, 12399, &point));
	assert_true(heartbeat_reached(&h, 12400, &point));
	assert_int_equal(point, 12400);
}

static void events_start_the_grid_without_one(void **state)
{
	struct heartbeat h;
	int64_t point = 0;

	(void)state;
	heartbeat_of_events(&h, 5000);
	assert_false(heartbeat_reached(&h, 12000, &point));
	assert_false(heartbeat_reached(&h, 14999, &point));
	assert_true(heartbeat_reached(&h, 15000, &point));
	assert_int_equal(point, 15000);
	assert_true(heartbeat_reached(&h, 20001, &point));
	assert_int_equal(point, 20000);
}

static void time_going_back_gives_none(void **state)
{
	struct heartbeat h;
	int64_t point = 0;

	(void)state;
	heartbeat_of_events(&h, 5000);
	assert_false(heartbeat_reached(&h, 12000, &point));
	assert_false(heartbeat_reached(&h, 3000, &point));
	assert_true(heartbeat_reached(&h, 16000, &point));
	assert_false(heartbeat_reached(&h, 14000, &point));
	assert_false(heartbeat_reached(&h, 15500, &point));
	assert_true(heartbeat_reached(&h, 20000, &point));
}

/* the same times cut into two runs: the second repeats none and misses at most the one on the border */
static void any_cut_keeps_the_grid(void **state)
{
	static const int64_t times[] = { 4000, 5100, 7000, 9999, 10000, 10001, 31000, 30000, 34999, 35000 };
	enum { N = sizeof times / sizeof times[0] };
	int64_t whole[N];
	struct heartbeat h;

	(void)state;
	heartbeat_of_events(&h, 5000);
	for (size_t i = 0; i < N; i++)
		if (!heartbeat_reached(&h, times[i], &whole[i]))
			whole[i] = -1;
	assert_int_equal(whole[1], 5000);
	assert_int_equal(whole[4], 10000);
	assert_int_equal(whole[6], 30000);
	assert_int_equal(whole[9], 35000);
	for (size_t cut = 0; cut < N; cut++) {
		heartbeat_of_events(&h, 5000);
		for (size_t i = cut; i < N; i++) {
			int64_t point = -1;
			bool due = heartbeat_reached(&h, times[i], &point);
			if (i == cut)
				assert_false(due);
			else if (due)
				assert_int_equal(point, whole[i]);
		}
	}
}

static void the_end_of_time_is_no_overflow(void **state)
{
	struct heartbeat h;
	int64_t point = 0;

	(void)state;
	heartbeat_of_events(&h, 5000);
	assert_false(heartbeat_reached(&h, INT64_MAX, &point));
	assert_int_equal(h.next, INT64_MAX);
	heartbeat_from(&h, INT64_MAX, 10);
	assert_true(heartbeat_reached(&h, 10, &point));
	assert_int_equal(h.next, INT64_MAX);
	assert_false(heartbeat_reached(&h, 1000, &point));
}

static bool time_of(const char *line, int64_t *ts)
{
	static struct fields f;
	static char text[1024];
	const char *why = NULL;
	size_t n = strlen(line);

	memcpy(text, line, n);
	memset(text + n, '\n', JSON_PAD);
	fields_open(&f, heartbeat_slot);
	assert_true(fields_read(&f, (struct span){ text, n }));
	bool good = heartbeat_time(&f, ts, &why);
	assert_true(good || why);
	return good;
}

static void finds_the_time_of_a_line(void **state)
{
	int64_t ts;

	(void)state;
	assert_true(time_of("{\"type\":\"heartbeat\",\"ts\":17}", &ts));
	assert_int_equal(ts, 17);
	assert_true(time_of("{\"recv\":1790526538965462,\"data\":{\"ts\":3}}", &ts));
	assert_int_equal(ts, 1790526538965);
	assert_true(time_of("{\"ts\":4,\"recv\":1790526538965462}", &ts));
	assert_int_equal(ts, 4);
	assert_true(time_of("{\"type\":\"not ours\",\"ts\":\"soon\"}", &ts));
	assert_int_equal(ts, -1);
	assert_true(time_of("{}", &ts));
	assert_int_equal(ts, -1);
	assert_false(time_of("{\"type\":\"price_update\",\"ts\":\"soon\"}", &ts));
	assert_false(time_of("{\"type\":\"status\"}", &ts));
	assert_false(time_of("{\"type\":\"status\",\"ts\":-1}", &ts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_at_once_then_on_the_grid),
		cmocka_unit_test(missed_points_give_one),
		cmocka_unit_test(events_start_the_grid_without_one),
		cmocka_unit_test(time_going_back_gives_none),
		cmocka_unit_test(any_cut_keeps_the_grid),
		cmocka_unit_test(the_end_of_time_is_no_overflow),
		cmocka_unit_test(finds_the_time_of_a_line),
	};

	return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}
