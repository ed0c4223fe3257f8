/* lib/scan: the wide loops against plain ones, at every alignment and length around a register */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "scan.h"

#define LENGTHS 70

static bool is_plain(unsigned char c)
{
	return c != '"' && c != '\\' && c >= 0x20 && c < 0x80;
}

/* n times `fill`, then `stop`, then the sentinel and the padding; memory ends right behind */
static char *run_of(size_t align, size_t n, char fill, char stop)
{
	char *p = malloc(align + n + 2 + JSON_PAD);

	assert_non_null(p);
	memset(p, '"', align);
	memset(p + align, fill, n);
	p[align + n] = stop;
	p[align + n + 1] = '\n';
	memset(p + align + n + 2, fill, JSON_PAD);
	return p;
}

static void plain_stops_at_the_first_other_byte(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t n = 0; n < LENGTHS; n++) {
			size_t align = (n * 7 + c) % 16;
			char *p = run_of(align, n, (char)(0x20 + (c + n) % 2), (char)c);
			size_t want = n + (is_plain((unsigned char)c) ? 1 : 0);
			assert_ptr_equal(scan_plain(p + align), p + align + want);
			free(p);
		}
	}
}

static void digits_stop_at_the_first_other_byte(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t n = 0; n < LENGTHS; n++) {
			size_t align = (n * 5 + c) % 16;
			char *p = run_of(align, n, (char)('0' + (c + n) % 10), (char)c);
			size_t want = n + (c >= '0' && c <= '9' ? 1 : 0);
			assert_ptr_equal(scan_digits(p + align), p + align + want);
			assert_int_equal(scan_is_digit((char)c), c >= '0' && c <= '9');
			free(p);
		}
	}
}

static void blanks_are_three(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char *p = run_of(1, 5, ' ', (char)c);
		bool blank = c == ' ' || c == '\t' || c == '\r';
		assert_ptr_equal(scan_blanks(p + 1), p + 6 + blank);
		free(p);
	}
}

/* ----------------------------------------------------------------------------------------------- strings */

/* what RFC 8259 and RFC 3629 say of the content of a string, byte by byte; the length taken, -1: wrong */
static long well_formed(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char from, to, low, high;
		int more;
	} leads[] = { { 0xc2, 0xdf, 0x80, 0xbf, 1 }, { 0xe0, 0xe0, 0xa0, 0xbf, 2 }, { 0xe1, 0xec, 0x80, 0xbf, 2 },
		{ 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 }, { 0xf0, 0xf0, 0x90, 0xbf, 3 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 3 }, { 0xf4, 0xf4, 0x80, 0x8f, 3 } };

	if (p[0] < 0x80)
		return p[0] >= 0x20 ? 1 : -1;
	for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
		if (p[0] < leads[i].from || p[0] > leads[i].to)
			continue;
		if ((size_t)leads[i].more >= n || p[1] < leads[i].low || p[1] > leads[i].high)
			return -1;
		for (int k = 2; k <= leads[i].more; k++)
			if (p[k] < 0x80 || p[k] > 0xbf)
				return -1;
		return 1 + leads[i].more;
	}
	return -1;
}

/* one string of `n` bytes behind `before` plain ones */
static void check_utf8(const unsigned char *bytes, size_t n, size_t before)
{
	char *text = run_of(0, before + n + 1, 'x', 'x');
	struct scan_error e = { NULL, NULL };
	bool escaped;
	bool good = true;

	memcpy(text + before, bytes, n);
	text[before + n] = '"';
	for (size_t i = 0; i < n && good;) {
		long step = well_formed(bytes + i, n - i);
		good = step > 0;
		i += (size_t)(step > 0 ? step : 1);
	}
	const char *end = scan_string(text, &escaped, &e);
	if ((end != NULL) != good)
		fail_msg("%02x %02x %02x %02x", bytes[0], bytes[1], bytes[2], bytes[3]);
	if (good)
		assert_ptr_equal(end, text + before + n);
	else
		assert_true(e.why && e.at >= text + before && e.at <= text + before + n);
	assert_false(escaped);
	free(text);
}

static void every_pair_of_bytes_is_judged_right(void **state)
{
	static const unsigned char thirds[] = { 'a', 0x7f, 0x80, 0xbf, 0xc0, 0xff };

	(void)state;
	for (unsigned a = 0x20; a < 256; a++) {
		for (unsigned b = 0x20; b < 256; b++) {
			for (size_t t = 0; t < sizeof thirds; t++) {
				unsigned char bytes[5] = { (unsigned char)a, (unsigned char)b, thirds[t],
					thirds[(t * 5 + a) % 6], 'z' };
				if (memchr(bytes, '"', 5) || memchr(bytes, '\\', 5))
					continue;
				check_utf8(bytes, 1 + t % 5, (a + b) % 33);
				check_utf8(bytes, 5, b % 17);
			}
		}
	}
}

static void escapes_are_noted(void **state)
{
	struct scan_error e;
	bool escaped;

	(void)state;
	for (size_t n = 0; n < LENGTHS; n++) {
		char *p = run_of(0, n + 3, 'x', 'x');
		memcpy(p + n, "\\n\"", 3);
		assert_ptr_equal(scan_string(p, &escaped, &e), p + n + 2);
		assert_true(escaped);
		memcpy(p + n, "ab\"", 3);
		assert_ptr_equal(scan_string(p, &escaped, &e), p + n + 2);
		assert_false(escaped);
		memcpy(p + n, "\\\"x", 3); /* an escaped quote ends nothing */
		assert_null(scan_string(p, &escaped, &e));
		assert_string_equal(e.why, "string without end");
		assert_ptr_equal(e.at, p + n + 4);
		free(p);
	}
}

/* ----------------------------------------------------------------------------------------------- numbers */

static void numbers(void **state)
{
	static const struct {
		const char *text;
		long taken; /* -1: no number */
		uint8_t kind;
	} cases[] = {
		{ "0", 1, JSON_INT },
		{ "-0", 2, JSON_INT },
		{ "9223372036854775808", 19, JSON_INT },
		{ "0.0", 3, JSON_NUMBER },
		{ "1e5", 3, JSON_NUMBER },
		{ "-1.25E-07", 9, JSON_NUMBER },
		{ "10,", 2, JSON_INT },
		{ "10}", 2, JSON_INT },
		{ "10 ", 2, JSON_INT },
		{ "1.5]", 3, JSON_NUMBER },
		{ "1-2", 1, JSON_INT },
		{ "1.5.5", 3, JSON_NUMBER },
		{ "1e5e5", 3, JSON_NUMBER },
		{ "0x1", 1, JSON_INT },
		{ "-", -1, 0 },
		{ "-a", -1, 0 },
		{ "--1", -1, 0 },
		{ "01", -1, 0 },
		{ "-01", -1, 0 },
		{ "00", -1, 0 },
		{ "1.", -1, 0 },
		{ "1.e5", -1, 0 },
		{ "1e", -1, 0 },
		{ "1e+", -1, 0 },
		{ "1E-x", -1, 0 },
		{ ".5", -1, 0 },
		{ "-.5", -1, 0 },
	};
	struct scan_error e;
	uint8_t kind;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *p = run_of(0, strlen(cases[i].text), '9', '\n');
		memcpy(p, cases[i].text, strlen(cases[i].text));
		const char *end = scan_number(p, &kind, &e);
		if (cases[i].taken < 0) {
			assert_null(end);
			assert_string_equal(e.why, "bad number");
			assert_ptr_equal(e.at, p);
		} else {
			assert_int_equal(end - p, cases[i].taken);
			assert_int_equal(kind, cases[i].kind);
		}
		free(p);
	}
}

/* ------------------------------------------------------------------------------------------- whole values */

static void containers_are_checked_to_their_end(void **state)
{
	static const struct {
		const char *text;
		long taken;
		uint8_t kind;
	} cases[] = {
		{ "{}x", 2, JSON_OBJECT },
		{ "[ ]]", 3, JSON_ARRAY },
		{ "[1,{\"a\":[true,null]},\"]\"],", 25, JSON_ARRAY },
		{ "\"a\",", 3, JSON_STRING },
		{ "true1", 4, JSON_TRUE },
		{ "null", 4, JSON_NULL },
		{ "falsy", -1, 0 },
		{ "[1}", -1, 0 },
		{ "{\"a\":1]", -1, 0 },
		{ "[[]", -1, 0 },
		{ "{\"a\"}", -1, 0 },
		{ "", -1, 0 },
		{ "]", -1, 0 },
	};
	struct scan_error e;
	struct json_val v;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = strlen(cases[i].text);
		char *p = run_of(0, n, '}', '\n');
		memcpy(p, cases[i].text, n);
		const char *end = scan_value(p, 0, &v, &e);
		if (cases[i].taken < 0) {
			assert_null(end);
			assert_true(e.why && e.at >= p && e.at <= p + n);
		} else {
			bool string = cases[i].kind == JSON_STRING;
			assert_int_equal(end - p, cases[i].taken);
			assert_int_equal(v.kind, cases[i].kind);
			assert_ptr_equal(v.p, p + string);
			assert_int_equal(v.n, cases[i].taken - 2 * string);
		}
		free(p);
	}
}

/* depth counts from the outermost, wherever the scan begins */
static void nesting_ends_at_128(void **state)
{
	struct scan_error e;
	struct json_val v;

	(void)state;
	for (unsigned outside = 0; outside < 4; outside++) {
		for (unsigned depth = 126; depth < 131; depth++) {
			char *p = run_of(0, 2 * depth, '[', '\n');
			memset(p + depth, ']', depth);
			bool fits = outside + depth <= JSON_MAX_DEPTH;
			assert_int_equal(scan_value(p, outside, &v, &e) != NULL, fits);
			if (!fits)
				assert_ptr_equal(e.at, p + JSON_MAX_DEPTH - outside);
			free(p);
		}
	}
}

static void keys(void **state)
{
	static const struct {
		const char *text;
		const char *key, *rest; /* rest: where the value begins; NULL: no key */
	} cases[] = {
		{ "\"a\":1", "a", "1" },
		{ "\"\" \t: \r 1", "", "1" },
		{ "\"a\\\"b\":1", "a\\\"b", "1" },
		{ "\"a\"1", NULL, NULL },
		{ "\"a", NULL, NULL },
		{ "a:1", NULL, NULL },
		{ "'a':1", NULL, NULL },
		{ "", NULL, NULL },
	};
	struct scan_error e;
	struct json_val key;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = strlen(cases[i].text);
		char *p = run_of(0, n, ':', '\n');
		memcpy(p, cases[i].text, n);
		const char *value = scan_key(p, &key, &e);
		assert_int_equal(value != NULL, cases[i].key != NULL);
		if (value) {
			assert_true(span_is(json_text(key), cases[i].key));
			assert_ptr_equal(value, p + n - strlen(cases[i].rest));
			assert_int_equal(key.escaped, strchr(cases[i].key, '\\') != NULL);
		}
		free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_stops_at_the_first_other_byte),
		cmocka_unit_test(digits_stop_at_the_first_other_byte),
		cmocka_unit_test(blanks_are_three),
		cmocka_unit_test(every_pair_of_bytes_is_judged_right),
		cmocka_unit_test(escapes_are_noted),
		cmocka_unit_test(numbers),
		cmocka_unit_test(containers_are_checked_to_their_end),
		cmocka_unit_test(nesting_ends_at_128),
		cmocka_unit_test(keys),
	};

	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
