/* lib/span */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "span.h"

static void compares(void **state)
{
	(void)state;
	assert_true(span_eq(SPAN("abc"), span_of("abc")));
	assert_false(span_eq(SPAN("abc"), SPAN("abd")));
	assert_false(span_eq(SPAN("abc"), SPAN("ab")));
	assert_true(span_eq((struct span){ NULL, 0 }, SPAN("")));
	assert_true(span_is(SPAN("usdm"), "usdm"));
	assert_false(span_is(SPAN("usdm"), "usd"));
	assert_true(span_eq(SPAN("a\0b"), ((struct span){ "a\0b", 3 })));
}

static void finds_ends(void **state)
{
	(void)state;
	assert_true(span_starts(SPAN("solusdt"), SPAN("sol")));
	assert_true(span_starts(SPAN("solusdt"), SPAN("")));
	assert_false(span_starts(SPAN("so"), SPAN("sol")));
	assert_true(span_ends(SPAN("solusdt"), SPAN("usdt")));
	assert_true(span_ends(SPAN("usdt"), SPAN("usdt")));
	assert_false(span_ends(SPAN("sdt"), SPAN("usdt")));
}

static void cuts(void **state)
{
	struct span rest;

	(void)state;
	assert_true(span_is(span_cut(SPAN("a@b@c"), '@', &rest), "a"));
	assert_true(span_is(rest, "b@c"));
	assert_true(span_is(span_cut(SPAN("@b"), '@', &rest), ""));
	assert_true(span_is(rest, "b"));
	assert_true(span_is(span_cut(SPAN("a@"), '@', &rest), "a"));
	assert_true(rest.p != NULL && rest.n == 0);
	assert_true(span_is(span_cut(SPAN("abc"), '@', &rest), "abc"));
	assert_null(rest.p);
	assert_int_equal(span_cut((struct span){ NULL, 0 }, '@', &rest).n, 0);
	assert_null(rest.p);
}

static void trims(void **state)
{
	(void)state;
	assert_true(span_is(span_trim(SPAN(" \t\r\na b\n ")), "a b"));
	assert_int_equal(span_trim(SPAN(" \n ")).n, 0);
	assert_int_equal(span_trim((struct span){ NULL, 0 }).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(finds_ends),
		cmocka_unit_test(cuts),
		cmocka_unit_test(trims),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
