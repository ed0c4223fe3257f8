/* lib/num */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "num.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static void reads_unsigned(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = { { "0", 0 }, { "007", 7 }, { "18446744073709551615", UINT64_MAX } };
	static const char *const bad[] = { "", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x1", "18446744073709551616",
		"99999999999999999999999", "１" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		uint64_t v = 12345;
		assert_true(num_u64(span_of(good[i].text), 0, UINT64_MAX, &v));
		assert_int_equal(v, good[i].value);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		uint64_t v = 12345;
		assert_false(num_u64(span_of(bad[i]), 0, UINT64_MAX, &v));
		assert_int_equal(v, 12345);
	}
}

static void keeps_ranges(void **state)
{
	uint64_t u = 99;
	int64_t i = 99;

	(void)state;
	assert_true(num_u64(SPAN("5"), 5, 7, &u));
	assert_true(num_u64(SPAN("7"), 5, 7, &u));
	assert_false(num_u64(SPAN("4"), 5, 7, &u));
	assert_false(num_u64(SPAN("8"), 5, 7, &u));
	assert_int_equal(u, 7);
	assert_true(num_i64(SPAN("-5"), -5, 5, &i));
	assert_int_equal(i, -5);
	assert_false(num_i64(SPAN("-6"), -5, 5, &i));
	assert_false(num_i64(SPAN("6"), -5, 5, &i));
	assert_int_equal(i, -5);
}

static void reads_signed_to_the_edges(void **state)
{
	int64_t v = 0;

	(void)state;
	assert_true(num_i64(SPAN("-9223372036854775808"), INT64_MIN, INT64_MAX, &v));
	assert_true(v == INT64_MIN);
	assert_true(num_i64(SPAN("9223372036854775807"), INT64_MIN, INT64_MAX, &v));
	assert_true(v == INT64_MAX);
	assert_false(num_i64(SPAN("-9223372036854775809"), INT64_MIN, INT64_MAX, &v));
	assert_false(num_i64(SPAN("9223372036854775808"), INT64_MIN, INT64_MAX, &v));
	assert_false(num_i64(SPAN("-"), INT64_MIN, INT64_MAX, &v));
	assert_false(num_i64(SPAN("--1"), INT64_MIN, INT64_MAX, &v));
	assert_true(num_i64(SPAN("-0"), INT64_MIN, INT64_MAX, &v));
	assert_int_equal(v, 0);
}

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "90", 90000000 },
		{ "250ms", 250000 },
		{ "1.5s", 1500000 },
		{ "0.000001", 1 },
		{ "7us", 7 },
		{ "0", 0 },
		{ "1.25ms", 1250 },
		{ "2m", 120000000 },
		{ "24h", 86400000000 },
		{ "1d", 86400000000 },
		{ "0.5d", 43200000000 },
	};
	static const char *const bad[] = { "", "s", "ms", "1.", ".5", "1.5.5s", "-1", "1 s", "1S", "1w", "0.0000001",
		"0.5us", "1.0000001s", "106751992d", "9223372036855", "9223372036854775808us", "1e3" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		int64_t us = -1;
		assert_true(num_duration(span_of(good[i].text), &us));
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		int64_t us = -1;
		if (num_duration(span_of(bad[i]), &us))
			fail_msg("'%s' was taken as %lld us", bad[i], (long long)us);
		assert_int_equal(us, -1);
	}
}

static void reads_sizes(void **state)
{
	uint64_t n = 1;

	(void)state;
	assert_true(num_size(SPAN("512"), UINT64_MAX, &n));
	assert_int_equal(n, 512);
	assert_true(num_size(SPAN("64k"), UINT64_MAX, &n));
	assert_int_equal(n, 65536);
	assert_true(num_size(SPAN("2M"), UINT64_MAX, &n));
	assert_int_equal(n, 2097152);
	assert_true(num_size(SPAN("1G"), UINT64_MAX, &n));
	assert_int_equal(n, 1073741824);
	assert_false(num_size(SPAN("k"), UINT64_MAX, &n));
	assert_false(num_size(SPAN("1kk"), UINT64_MAX, &n));
	assert_false(num_size(SPAN("2M"), 2097151, &n));
	assert_false(num_size(SPAN("17179869184G"), UINT64_MAX, &n));
	assert_int_equal(n, 1073741824);
}

static void prints(void **state)
{
	static const uint64_t values[] = { 0, 9, 10, 1790526538965462, UINT64_MAX };
	char got[21], expected[21];

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		*num_print_u64(got, values[i]) = '\0';
		snprintf(expected, sizeof expected, "%llu", (unsigned long long)values[i]);
		assert_string_equal(got, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_unsigned),
		cmocka_unit_test(keeps_ranges),
		cmocka_unit_test(reads_signed_to_the_edges),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(prints),
	};

	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
