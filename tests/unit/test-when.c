/* lib/when: the times of lines of every kind, and times as people write them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "when.h"

#define US 1790526538940123LL
#define MS 1790526538940000LL

static struct when w;

static int64_t of(const char *line)
{
	char padded[1024] = { 0 };
	size_t n = strlen(line);

	memcpy(padded, line, n);
	padded[n] = '\n';
	return when_line(&w, (struct span){ padded, n });
}

static void lines(void **state)
{
	static const struct {
		const char *line;
		int64_t us;
	} cases[] = {
		{ "{\"recv\":1790526538940123,\"market\":\"usdm\",\"stream\":\"x\",\"data\":{\"E\":1}}", US },
		{ "{\"recv\": 1790526538940123}", US },
		{ "{\"market\":\"usdm\",\"data\":{\"E\":1},\"recv\":1790526538940123}", US },
		{ "{\"type\":\"heartbeat\",\"ts\":1790526538940}", MS },
		{ "{\"type\":\"heartbeat\",\"ts\":1790526538940,\"recv\":1790526538940123}", US },
		{ "{\"e\":\"bookTicker\",\"E\":1790526538940,\"s\":\"X\"}", MS },
		{ "{\"e\":\"trade\",\"E\":1790526538940123}", US }, /* timeUnit=MICROSECOND */
		{ "{\"stream\":\"x\",\"data\":{\"e\":\"trade\",\"E\":1790526538940}}", MS },
		{ "{\"stream\":\"x\",\"data\":[{\"E\":1790526538940},{\"E\":5}]}", MS },
		{ "{\"subscriptionId\":0,\"event\":{\"e\":\"executionReport\",\"E\":1790526538940}}", MS },
		{ "[{\"e\":\"24hrTicker\",\"E\":1790526538940}]", MS },
		{ "1790526538940123456 {\"u\":1}", US },
		{ "1790526538940123 {\"u\":1}", US },
		{ "1790526538940 {\"E\":7}", MS },
		{ "{\"ts\":0}", 0 },
		/* none */
		{ "{\"result\":null,\"id\":1}", WHEN_NEVER },
		{ "{\"u\":1,\"s\":\"X\"}", WHEN_NEVER },
		{ "{\"recv\":\"1790526538940123\"}", WHEN_NEVER },
		{ "{\"recv\":-1}", WHEN_NEVER },
		{ "{\"recv\":99999999999999999999,\"x\":1}", WHEN_NEVER },
		{ "{\"ts\":1.5}", WHEN_NEVER },
		{ "{\"data\":[]}", WHEN_NEVER },
		{ "{\"data\":[1]}", WHEN_NEVER },
		{ "[]", WHEN_NEVER },
		{ "12 {}", WHEN_NEVER },
		{ "17905265389401 {}", WHEN_NEVER },
		{ "", WHEN_NEVER },
		{ "hello", WHEN_NEVER },
		{ "{\"ts\":1790526538940", WHEN_NEVER },
		{ "{\"x\":{\"ts\":1790526538940,\"E\":1}}", WHEN_NEVER },
	};

	(void)state;
	when_open(&w);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (of(cases[i].line) != cases[i].us)
			print_error("%s\n", cases[i].line);
		assert_int_equal(of(cases[i].line), cases[i].us);
	}
}

static void parse(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-09-27T15:48:58.940123Z", 1790524138940123 },
		{ "2026-09-27t15:48:58.94z", 1790524138940000 },
		{ "2026-09-27 15:48:58Z", 1790524138000000 },
		{ "2026-09-27T17:18:58+01:30", 1790524138000000 },
		{ "2026-09-27T14:48:58-01:00", 1790524138000000 },
		{ "2026-09-27", 1790467200000000 },
		{ "2024-02-29", 1709164800000000 },
		{ "1790524138", 1790524138000000 },
		{ "1790524138.5", 1790524138500000 },
		{ "1790524138940", 1790524138940000 },
		{ "1790524138940123", 1790524138940123 },
		{ "1790524138940123456", 1790524138940123 },
		{ "0", 0 },
	};
	static const char *const bad[] = { "", "now", "2026-09", "2026-13-01", "2026-02-29", "2026-00-10", "2026-01-32",
		"2026-09-27T15:48:58", "2026-09-27T15:48Z", "2026-09-27T24:00:00Z", "2026-09-27T15:48:58.Z",
		"2026-09-27T15:48:58.1234567Z", "2026-09-27T15:48:58Zx", "2026-09-27T15:48:58+1:30", "-1", "1.", ".5",
		"17905241389401", "1790524138940.5", "1e9", "1970-01-01T00:00:00+00:01", " 0" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		int64_t us = -1;
		if (!when_parse(span_of(good[i].text), &us))
			print_error("%s\n", good[i].text);
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		int64_t us = -1;
		if (when_parse(span_of(bad[i]), &us))
			print_error("%s\n", bad[i]);
		assert_false(when_parse(span_of(bad[i]), &us));
	}
}

static void print(void **state)
{
	char text[WHEN_TEXT_MAX];
	int64_t us;

	(void)state;
	assert_int_equal(when_print(text, 1790524138940123, 6), 27);
	assert_string_equal(text, "2026-09-27T15:48:58.940123Z");
	when_print(text, 1790524138940123, 3);
	assert_string_equal(text, "2026-09-27T15:48:58.940Z");
	when_print(text, 1790524138940123, 0);
	assert_string_equal(text, "2026-09-27T15:48:58Z");
	for (int64_t t = 1; t < 253402300799000000; t = t * 3 + 1) { /* to the year 9999 */
		when_print(text, t, 6);
		assert_true(when_parse(span_of(text), &us));
		assert_int_equal(us, t);
	}
	when_print(text, INT64_MAX, 6); /* fits */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(parse),
		cmocka_unit_test(print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
