/* lib/jsonw: what it writes, json reads back */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "jsonw.h"

static void integers(void **state)
{
	static const int64_t some[] = { 0, 1, -1, 9, 10, 99, 100, -100, 1790526538940, 9007199254740993, INT64_MAX,
		INT64_MIN, INT64_MAX - 1, INT64_MIN + 1, 9999999999999999, 10000000000000000, -9999999999999999,
		99999999, 100000000 };
	char out[32], want[32];

	(void)state;
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
		char *end = jsonw_i64(out, some[i]);
		int n = snprintf(want, sizeof want, "%" PRId64, some[i]);
		assert_int_equal(end - out, n);
		assert_memory_equal(out, want, (size_t)n);
	}
	/* every number of digits, around every power of ten */
	uint64_t power = 1;
	for (int digits = 1; digits <= 18; digits++, power *= 10) {
		for (int64_t around = -2; around <= 2; around++) {
			int64_t v = (int64_t)power + around;
			int n = snprintf(want, sizeof want, "%" PRId64, -v);
			assert_int_equal(jsonw_i64(out, -v) - out, n);
			assert_memory_equal(out, want, (size_t)n);
		}
	}
}

static void literals_and_raw_bytes(void **state)
{
	char out[32];
	char *p = jsonw_lit(out, "{\"a\":");

	(void)state;
	p = jsonw_raw(p, SPAN("1.50"));
	p = jsonw_raw(p, SPAN(""));
	p = jsonw_lit(p, "}");
	assert_int_equal(p - out, 10);
	assert_memory_equal(out, "{\"a\":1.50}", 10);
}

static void strings_are_escaped_where_they_must(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} cases[] = {
		{ { "", 0 }, "\"\"" },
		{ { "SOL", 3 }, "\"SOL\"" },
		{ { "a\"b\\c", 5 }, "\"a\\\"b\\\\c\"" },
		{ { "\b\f\n\r\t", 5 }, "\"\\b\\f\\n\\r\\t\"" },
		{ { "\0\1\x1f", 3 }, "\"\\u0000\\u0001\\u001f\"" },
		{ { "/\x7f'", 3 }, "\"/\x7f'\"" },
		{ { "\xe7\x89\x9b\xf0\x9f\x90\x82", 7 }, "\"\xe7\x89\x9b\xf0\x9f\x90\x82\"" },
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *end = jsonw_string(out, cases[i].in);
		assert_int_equal(end - out, strlen(cases[i].out));
		assert_memory_equal(out, cases[i].out, (size_t)(end - out));
	}
}

/* every byte below U+0080 at every place of a text: the bound holds, the reader gives the text back */
static void strings_come_back(void **state)
{
	char in[40], back[40];

	(void)state;
	for (size_t n = 0; n < sizeof in; n++) {
		for (unsigned c = 0; c < 0x80; c++) {
			memset(in, n % 3 ? 'x' : (char)c, sizeof in);
			in[n / 2] = (char)c;
			size_t cap = JSONW_STRING_MAX(n);
			char *text = malloc(cap + 1 + JSON_PAD);
			assert_non_null(text);
			char *end = jsonw_string(text, (struct span){ in, n });
			assert_true(end <= text + cap);
			*end = '\n';
			struct json r;
			struct json_val v;
			assert_true(json_check(&r, (struct span){ text, (size_t)(end - text) }, &v));
			assert_int_equal(v.kind, JSON_STRING);
			assert_int_equal(json_unescape(json_text(v), back, sizeof back), (int)n);
			assert_memory_equal(back, in, n);
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(literals_and_raw_bytes),
		cmocka_unit_test(strings_are_escaped_where_they_must),
		cmocka_unit_test(strings_come_back),
	};

	return cmocka_run_group_tests_name("jsonw", tests, NULL, NULL);
}
