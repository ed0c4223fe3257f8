/* lib/pairs: numbers in the order of arrival, up to the cap */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "pairs.h"

static struct pairs p;

/* padded as pairs asks, with what belongs to no name */
static struct span padded(const char *name)
{
	static char text[8][EVENT_NAME_MAX + PAIRS_PAD];
	static unsigned next;
	char *at = text[next++ % 8];

	memset(at, 'x', sizeof text[0]);
	memcpy(at, name, strlen(name));
	return (struct span){ at, strlen(name) };
}

static void pairs_are_told_apart(void **state)
{
	(void)state;
	memset(&p, 0, sizeof p);
	assert_int_equal(pairs_find(&p, padded("SOLUSDT"), EVENT_USDM), -1);
	assert_int_equal(pairs_take(&p, padded("SOLUSDT"), EVENT_USDM), 0);
	assert_int_equal(pairs_take(&p, padded("SOLUSDT"), EVENT_SPOT), 1);
	assert_int_equal(pairs_take(&p, padded("SOLUSD"), EVENT_USDM), 2);
	assert_int_equal(pairs_take(&p, padded(""), EVENT_USDM), 3);
	assert_int_equal(pairs_find(&p, padded("SOLUSDT"), EVENT_USDM), 0);
	assert_int_equal(pairs_find(&p, padded("SOLUSDT"), EVENT_SPOT), 1);
	assert_int_equal(pairs_find(&p, padded("SOLUSDT"), EVENT_COINM), -1);
	assert_true(span_is(pairs_name(&p, 2), "SOLUSD"));
	assert_int_equal(p.n, 4);
}

static void there_is_a_cap(void **state)
{
	char name[32];
	struct span s = { name, 0 };

	(void)state;
	memset(&p, 0, sizeof p);
	for (int i = 0; i < PAIRS_MAX + 3; i++) {
		s.n = (size_t)snprintf(name, sizeof name, "P%dUSDT", i);
		assert_int_equal(pairs_take(&p, s, EVENT_USDM), i < PAIRS_MAX ? i : -1);
	}
	for (int i = 0; i < PAIRS_MAX; i++) {
		s.n = (size_t)snprintf(name, sizeof name, "P%dUSDT", i);
		assert_int_equal(pairs_take(&p, s, EVENT_USDM), i);
	}
	assert_int_equal(pairs_find(&p, s, EVENT_SPOT), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_are_told_apart),
		cmocka_unit_test(there_is_a_cap),
	};

	return cmocka_run_group_tests_name("pairs", tests, NULL, NULL);
}
