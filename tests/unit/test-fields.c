/* lib/fields, with a vocabulary of its own */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "fields.h"

enum {
	NAME = 1, /* the envelope's */
	INSIDE,	  /* entered */
	OTHER,	  /* entered too */
	ONE = FIELDS_OUTER,
	TWO,
	LAST = FIELDS_SLOTS - 1,
};

static unsigned slot(const char *key, size_t n, int depth)
{
	struct span s = { key, n };

	if (depth == 0 && span_is(s, "name"))
		return NAME;
	if (depth == 0 && span_is(s, "in"))
		return INSIDE | FIELDS_INTO;
	if (depth == 0 && span_is(s, "other"))
		return OTHER | FIELDS_INTO;
	if (span_is(s, "one") || span_is(s, "\xe7\x89\x9b"))
		return ONE;
	if (span_is(s, "t"))
		return TWO;
	return span_is(s, "last") ? LAST : FIELDS_SKIP;
}

static struct fields f;
static struct span text;

static bool take(const char *line)
{
	size_t n = strlen(line);
	char *p = realloc((void *)(size_t)text.p, n + 1 + JSON_PAD);

	assert_non_null(p);
	memcpy(p, line, n);
	p[n] = '\n';
	memset(p + n + 1, '"', JSON_PAD);
	text = (struct span){ p, n };
	return fields_read(&f, text);
}

static int open_fields(void **state)
{
	(void)state;
	fields_open(&f, slot);
	return 0;
}

static int free_text(void **state)
{
	(void)state;
	free((void *)(size_t)text.p);
	text = (struct span){ NULL, 0 };
	return 0;
}

static void assert_value(unsigned s, enum json_kind kind, const char *want)
{
	assert_int_equal(fields_kind(&f, s), kind);
	assert_int_equal(fields_has(&f, s), kind != JSON_NONE);
	if (want && !span_is(fields_text(&f, s), want))
		fail_msg("'%.*s' instead of '%s'", (int)fields_text(&f, s).n, fields_text(&f, s).p, want);
}

static void known_keys_are_kept(void **state)
{
	(void)state;
	assert_true(take("{\"one\":\"1.5\",\"t\":-7,\"last\":true,\"name\":\"n\",\"unknown\":5}"));
	assert_value(ONE, JSON_STRING, "1.5");
	assert_value(TWO, JSON_INT, "-7");
	assert_value(LAST, JSON_TRUE, "true");
	assert_value(NAME, JSON_STRING, "n");
	assert_value(FIELDS_SKIP, JSON_NONE, NULL);
	assert_true(take("{\"last\":null,\"t\":[1,{\"one\":2}],\"one\":{\"t\":3}}"));
	assert_value(LAST, JSON_NULL, "null");
	assert_value(TWO, JSON_ARRAY, "[1,{\"one\":2}]");
	assert_value(ONE, JSON_OBJECT, "{\"t\":3}");
	assert_value(NAME, JSON_NONE, NULL); /* of the line before */
	assert_true(take(" { \t } \r"));
	assert_value(ONE, JSON_NONE, NULL);
	assert_true(take("{\"t\":1e5,\"one\":0,\"last\":false}"));
	assert_value(TWO, JSON_NUMBER, "1e5");
	assert_value(ONE, JSON_INT, "0");
	assert_value(LAST, JSON_FALSE, "false");
}

static void the_last_of_twins_counts(void **state)
{
	(void)state;
	assert_true(take("{\"one\":1,\"t\":\"a\",\"one\":\"2\",\"t\":{}}"));
	assert_value(ONE, JSON_STRING, "2");
	assert_value(TWO, JSON_OBJECT, "{}");
	assert_true(take("{\"one\":\"\\u0031\",\"one\":\"x\"}"));
	assert_value(ONE, JSON_STRING, "x");
	assert_true(take("{\"one\":\"x\",\"\\u006fne\":\"\\u0031\"}"));
	assert_value(ONE, JSON_STRING, "1");
}

static void escapes_are_undone(void **state)
{
	(void)state;
	assert_true(take("{\"\\u006f\\u006e\\u0065\":\"\\u0031\\u002e\\n\",\"\\u0074\":\"plain\",\"l\\u0061st\":"
			 "\"\\ud83d\\udc02\\/\"}"));
	assert_value(ONE, JSON_STRING, "1.\n");
	assert_value(TWO, JSON_STRING, "plain");
	assert_value(LAST, JSON_STRING, "\xf0\x9f\x90\x82/");
	assert_true(take("{\"\\u725b\":1}"));
	assert_value(ONE, JSON_INT, "1");
	assert_true(take("{\"\xe7\x89\x9b\":2}"));
	assert_value(ONE, JSON_INT, "2");
	assert_true(take("{\"in\":{\"on\\u0065\":\"\\u0041\"},\"nam\\u0065\":\"\\u0042\"}"));
	assert_value(ONE, JSON_STRING, "A");
	assert_value(NAME, JSON_STRING, "B");
}

/* a long string with escapes: as long as it is short enough it is there, and never a part of it */
static void long_escaped_strings_are_whole_or_nothing(void **state)
{
	char line[4096], plain[4096];

	(void)state;
	for (size_t n = 1; n < 700; n += 1 + n / 100) {
		int at = snprintf(line, sizeof line, "{\"t\":\"\\u0058");
		memset(line + at, 'x', n);
		snprintf(line + at + n, sizeof line - (size_t)at - n, "\",\"one\":\"%s\"}", "o\\u006b");
		assert_true(take(line));
		memset(plain, 'x', n + 1);
		plain[0] = 'X';
		plain[n + 1] = '\0';
		if (n + 1 <= FIELDS_STRING_MAX)
			assert_value(TWO, JSON_STRING, plain);
		else
			assert_int_not_equal(fields_kind(&f, TWO), JSON_STRING);
		assert_value(ONE, JSON_STRING, "ok");
	}
}

static void an_object_is_entered(void **state)
{
	(void)state;
	assert_true(take("{\"name\":\"n\",\"in\":{\"one\":1,\"t\":{\"one\":9},\"x\":0},\"y\":0}"));
	assert_value(INSIDE, JSON_OBJECT, "{\"one\":1,\"t\":{\"one\":9},\"x\":0}");
	assert_value(ONE, JSON_INT, "1");
	assert_value(TWO, JSON_OBJECT, "{\"one\":9}");
	assert_value(NAME, JSON_STRING, "n");
	/* anything else than an object is a value */
	assert_true(take("{\"in\":[1],\"one\":5}"));
	assert_value(INSIDE, JSON_ARRAY, "[1]");
	assert_value(ONE, JSON_INT, "5");
	assert_true(take("{\"one\":5,\"in\":\"text\"}"));
	assert_value(INSIDE, JSON_STRING, "text");
	assert_value(ONE, JSON_INT, "5");
	assert_true(take("{\"one\":5,\"in\":{ }}"));
	assert_value(INSIDE, JSON_OBJECT, "{ }");
	assert_value(ONE, JSON_NONE, NULL);
}

static void nothing_outside_poses_as_inside(void **state)
{
	static const char *const lines[] = {
		"{\"one\":1,\"t\":2,\"last\":3,\"in\":{\"one\":7}}",
		"{\"in\":{\"one\":7},\"one\":1,\"t\":2,\"last\":3}",
		"{\"t\":0,\"in\":{\"one\":7},\"last\":3}",
		"{\"in\":{\"t\":5},\"in\":{\"one\":7}}", /* the last of twins, whole */
		"{\"other\":{\"t\":5},\"in\":{\"one\":7}}",
		"{\"in\":{\"one\":1,\"one\":7},\"t\":[]}",
		"{\"in\":{\"one\":7,\"in\":{\"one\":1,\"t\":2}}}", /* entered at the top alone */
		"{\"in\":{\"one\":7,\"name\":\"no\"}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_true(take(lines[i]));
		assert_value(ONE, JSON_INT, "7");
		assert_value(TWO, JSON_NONE, NULL);
		assert_value(LAST, JSON_NONE, NULL);
		assert_value(NAME, JSON_NONE, NULL);
	}
	assert_true(take("{\"in\":{\"one\":7},\"name\":\"yes\"}"));
	assert_value(NAME, JSON_STRING, "yes");
}

static void an_object_that_was_handed_out_can_be_entered(void **state)
{
	static struct fields inner;
	struct json r;
	struct json_val v;

	(void)state;
	fields_open(&inner, slot);
	assert_true(take("{\"t\":{\"one\":\"\\u0041\",\"t\":[{\"one\":3}]},\"last\":[{\"one\":1},{\"t\":2}]}"));
	fields_enter(&inner, f.v[TWO]);
	assert_int_equal(fields_kind(&inner, ONE), JSON_STRING);
	assert_true(span_is(fields_text(&inner, ONE), "A"));
	assert_true(span_is(fields_text(&inner, TWO), "[{\"one\":3}]"));
	assert_true(json_enter_array(&r, fields_text(&f, LAST)));
	assert_true(json_next_element(&r, &v));
	fields_enter(&inner, v);
	assert_true(fields_has(&inner, ONE) && !fields_has(&inner, TWO));
	assert_true(json_next_element(&r, &v));
	fields_enter(&inner, v);
	assert_true(!fields_has(&inner, ONE) && fields_has(&inner, TWO));
	assert_value(TWO, JSON_OBJECT, NULL); /* the outer ones stay */
}

static void errors_say_where(void **state)
{
	static const struct {
		const char *line;
		size_t at;
		const char *why;
	} cases[] = {
		{ "", 0, "not a JSON object" },
		{ "  [1]", 2, "not a JSON object" },
		{ "5", 0, "not a JSON object" },
		{ "{", 1, "a key was expected" },
		{ "{\"one\"}", 6, "':' was expected" },
		{ "{\"one\":}", 7, "a value was expected" },
		{ "{\"one\":1", 8, "',' or '}' was expected" },
		{ "{\"one\":1,}", 9, "a key was expected" },
		{ "{\"one\":01}", 7, "bad number" },
		{ "{\"t\":1x}", 6, "',' or '}' was expected" },
		{ "{\"t\" 1}", 5, "':' was expected" },
		{ "{\"t\":\"\x01\"}", 6, "control character in a string" },
		{ "{\"zz\":[1,{\"t\":tru}]}", 14, "a value was expected" },
		{ "{\"in\":{\"one\":1]}", 14, "',' or '}' was expected" },
		{ "{\"in\":{\"one\":\"\xff\"}}", 14, "invalid UTF-8" },
		{ "{\"in\":{\"\\ud800\":1}}", 8, "half a surrogate pair" },
		{ "{}{}", 2, "more behind the object" },
		{ "{} \t,", 4, "more behind the object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_false(take(cases[i].line));
		if (f.at != cases[i].at || strcmp(f.why, cases[i].why) != 0)
			fail_msg("%s: byte %zu: %s", cases[i].line, f.at, f.why);
		/* and the next line is read as if nothing had been */
		assert_true(take("{\"one\":1}"));
		assert_value(ONE, JSON_INT, "1");
		assert_value(TWO, JSON_NONE, NULL);
	}
}

static void nesting_counts_from_the_line(void **state)
{
	char line[2 * JSON_MAX_DEPTH + 64];

	(void)state;
	for (int inside = 0; inside < 2; inside++) {
		const char *head = inside ? "{\"in\":{\"x\":" : "{\"x\":";
		for (size_t depth = JSON_MAX_DEPTH - 3; depth <= JSON_MAX_DEPTH + 2; depth++) {
			size_t own = inside ? 2 : 1;
			size_t n = depth - own;
			char *p = (char *)memcpy(line, head, strlen(head)) + strlen(head);
			memset(p, '[', n);
			memset(p + n, ']', n);
			memset(p + 2 * n, '}', own);
			p[2 * n + own] = '\0';
			assert_int_equal(take(line), depth <= JSON_MAX_DEPTH);
			if (depth > JSON_MAX_DEPTH)
				assert_int_equal(f.at, strlen(head) + JSON_MAX_DEPTH - own);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_keys_are_kept),
		cmocka_unit_test(the_last_of_twins_counts),
		cmocka_unit_test(escapes_are_undone),
		cmocka_unit_test(long_escaped_strings_are_whole_or_nothing),
		cmocka_unit_test(an_object_is_entered),
		cmocka_unit_test(nothing_outside_poses_as_inside),
		cmocka_unit_test(an_object_that_was_handed_out_can_be_entered),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(nesting_counts_from_the_line),
	};

	return cmocka_run_group_tests_name("fields", tests, open_fields, free_text);
}
