/* lib/backoff: ceilings, jitter, and what HTTP answers mean */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backoff.h"

static void ceilings_double_up_to_the_cap(void **state)
{
	static const int64_t most[] = { 500000, 1000000, 2000000, 4000000, 8000000, 16000000, 30000000, 30000000 };
	struct backoff b;

	(void)state;
	backoff_open(&b, BACKOFF_BASE_US, BACKOFF_CAP_US);
	for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
		struct backoff same = b;
		assert_int_equal(backoff_fail(&same, 0, (uint64_t)most[i]), most[i]);
		same = b;
		assert_int_equal(backoff_fail(&same, 0, (uint64_t)most[i] + 1), 0);
		backoff_fail(&b, 0, 7);
	}
}

static void hundreds_of_failures_stay_at_the_cap(void **state)
{
	struct backoff b;

	(void)state;
	backoff_open(&b, 10000, 50000);
	for (int i = 0; i < 1000; i++)
		assert_in_range(backoff_fail(&b, 0, 0x9e3779b97f4a7c15u * (uint64_t)i), 0, 50000);
	assert_int_equal(backoff_fail(&b, 0, 50000), 50000);
	backoff_reset(&b);
	assert_int_equal(backoff_fail(&b, 0, 10000), 10000);
	assert_in_range(backoff_fail(&b, 0, UINT64_MAX), 0, 20000);
}

static void a_minimum_is_kept(void **state)
{
	struct backoff b;

	(void)state;
	backoff_open(&b, 1000, 1000);
	assert_int_equal(backoff_fail(&b, 7000000, 0), 7000000);
	assert_int_equal(backoff_fail(&b, 7000000, 1000), 7001000);
}

static void slow_starts_at_the_cap(void **state)
{
	struct backoff b;

	(void)state;
	backoff_open(&b, BACKOFF_BASE_US, BACKOFF_CAP_US);
	backoff_slow(&b);
	assert_int_equal(backoff_fail(&b, 0, BACKOFF_CAP_US), BACKOFF_CAP_US);
}

static void odd_settings_are_mended(void **state)
{
	struct backoff b;

	(void)state;
	backoff_open(&b, 0, 0);
	assert_int_equal(b.base, BACKOFF_LEAST_US);
	assert_int_equal(b.cap, BACKOFF_LEAST_US);
	backoff_open(&b, INT64_MAX / 2, INT64_MAX);
	for (int i = 0; i < 70; i++)
		assert_true(backoff_fail(&b, 0, UINT64_MAX / 3) >= 0);
}

static void http_answers(void **state)
{
	static const struct {
		int status;
		int64_t retry_after;
		bool again;
		int64_t least;
	} cases[] = {
		{ 429, -1, true, 60 }, { 429, 7, true, 7 }, { 429, 0, true, 0 }, { 418, -1, true, 120 },
		{ 418, 600, true, 600 }, { 429, 1LL << 50, true, 7 * 24 * 3600 }, { 503, -1, true, 0 },
		{ 503, 5, true, 5 }, { 500, -1, true, 0 }, { 200, -1, true, 0 }, { 302, -1, true, 0 },
		{ 408, -1, true, 0 }, { 451, -1, false, 0 }, { 403, -1, false, 0 }, { 400, -1, false, 0 },
		{ 404, -1, false, 0 }, { 401, -1, false, 0 }, { 407, -1, false, 0 }, { 499, -1, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *why = NULL;
		int64_t least = -1;
		assert_int_equal(backoff_http(cases[i].status, cases[i].retry_after, &least, &why), cases[i].again);
		assert_int_equal(least, cases[i].least * 1000000);
		assert_non_null(why);
	}
}

static void settings_are_read(void **state)
{
	static const char *const wrong[] = { "", ",", "often", "1s,", ",1s", "1s,2s,3s", "1s 2s", "-1s" };
	int64_t base = 7, cap = 9;

	(void)state;
	assert_true(backoff_parse(SPAN("500ms,30s"), &base, &cap));
	assert_int_equal(base, 500000);
	assert_int_equal(cap, 30000000);
	assert_true(backoff_parse(SPAN("2s"), &base, &cap));
	assert_int_equal(base, 2000000);
	assert_int_equal(cap, 30000000);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(backoff_parse(span_of(wrong[i]), &base, &cap));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ceilings_double_up_to_the_cap),
		cmocka_unit_test(hundreds_of_failures_stay_at_the_cap),
		cmocka_unit_test(a_minimum_is_kept),
		cmocka_unit_test(slow_starts_at_the_cap),
		cmocka_unit_test(odd_settings_are_mended),
		cmocka_unit_test(http_answers),
		cmocka_unit_test(settings_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
