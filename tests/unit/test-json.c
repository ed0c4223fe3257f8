/* lib/json on the texts of tests/json: y_ must be accepted, n_ refused, i_ (where the grammar leaves a choice or allows
 * a limit) as tests/json/decided says; and the reader's own contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fields.h"
#include "json.h"

/* ------------------------------------------------------------------------------------------------- texts */

/* memory that ends behind the padding; head and tail stand around the text, '\n' in it is flattened */
static struct span make_text(const char *head, struct span s, const char *tail)
{
	size_t a = strlen(head), b = strlen(tail), n = a + s.n + b;
	char *p = malloc(n + 1 + JSON_PAD);

	assert_non_null(p);
	memcpy(p, head, a);
	if (s.n)
		memcpy(p + a, s.p, s.n);
	memcpy(p + a + s.n, tail, b);
	json_flatten(p, n);
	p[n] = '\n';
	memset(p + n + 1, '}', JSON_PAD); /* what is read there must not matter */
	return (struct span){ p, n };
}

static void free_text(struct span s)
{
	free((void *)(size_t)s.p);
}

static struct span slurp(const char *name)
{
	char path[512];
	char *p = malloc(1 << 20);

	assert_non_null(p);
	snprintf(path, sizeof path, "tests/json/%s", name);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	size_t n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return (struct span){ p, n };
}

/* Walks a text with the pull reader, containers with readers of their own. What is handed out has been checked. */
static bool walk(struct span text, unsigned depth)
{
	struct json r;
	struct json_val v;
	struct span key = { text.p, 0 };
	const char *behind = text.p;
	bool object = json_enter_object(&r, text);

	if (!object && !json_enter_array(&r, text))
		return false;
	while (object ? json_next_member(&r, &key, &v) : json_next_element(&r, &v)) {
		assert_true(key.p >= behind || !object);
		assert_true(v.p >= behind && v.p + v.n <= text.p + text.n && v.kind != JSON_NONE);
		assert_true(v.kind == JSON_STRING || v.n > 0);
		behind = v.p + v.n;
		if (v.kind == JSON_OBJECT || v.kind == JSON_ARRAY)
			assert_true(walk(json_text(v), depth + 1));
	}
	if (!json_ok(&r)) {
		assert_true(depth == 0);
		assert_non_null(r.why);
		assert_true(r.at >= text.p && r.at <= text.p + text.n);
		return false;
	}
	assert_false(object ? json_next_member(&r, &key, &v) : json_next_element(&r, &v));
	return depth > 0 || json_close(&r);
}

static bool is_container(struct span text)
{
	size_t i = 0;

	while (i < text.n && strchr(" \t\r", text.p[i]) && text.p[i])
		i++;
	return i < text.n && (text.p[i] == '{' || text.p[i] == '[');
}

static bool accepts(struct span text)
{
	struct json r;
	struct json_val top;
	bool ok = json_check(&r, text, &top);

	if (ok) {
		assert_true(json_ok(&r));
		assert_true(top.kind != JSON_NONE && top.p >= text.p && top.p + top.n <= text.p + text.n);
	} else {
		assert_non_null(r.why);
		assert_false(json_ok(&r));
		assert_true(r.at >= text.p && r.at <= text.p + text.n);
	}
	if (is_container(text) && walk(text, 0) != ok)
		fail_msg("the pull reader and json_check differ: %.*s", (int)text.n, text.p);
	return ok;
}

static unsigned no_slot(const char *key, size_t n, int depth)
{
	(void)key;
	(void)n;
	return depth == 0 ? 1 : FIELDS_SKIP;
}

static bool fields_accept(struct span text)
{
	static struct fields f;

	fields_open(&f, no_slot);
	bool ok = fields_read(&f, text);
	assert_true(ok || (f.why && f.at <= text.n));
	return ok;
}

/* ---------------------------------------------------------------------------------------------- the suite */

/* "name<TAB>accepted|refused<TAB>why" */
static bool decided(const char *name)
{
	static struct span table;
	size_t n = strlen(name) - strlen(".json");

	if (!table.p)
		table = slurp("decided");
	for (const char *p = table.p; p && p < table.p + table.n;
	     p = memchr(p, '\n', (size_t)(table.p + table.n - p)), p += p != NULL)
		if (strncmp(p, name, n) == 0 && p[n] == '\t')
			return strncmp(p + n + 1, "accepted\t", 9) == 0;
	fail_msg("%s is not in tests/json/decided", name);
	return false;
}

static bool expected(const char *name)
{
	return name[0] == 'i' ? decided(name) : name[0] == 'y';
}

/* what the text is worth as a value of an object: one level deeper */
static bool expected_inside(const char *name)
{
	return expected(name) && !strstr(name, "_128");
}

static void check_text(const char *name)
{
	struct span raw = slurp(name);
	struct span alone = make_text("", raw, "");
	struct span member = make_text("{\"zz\":", raw, "}");
	struct span element = make_text("[0,", raw, "]");

	if (accepts(alone) != expected(name))
		fail_msg("%s is %s", name, expected(name) ? "refused" : "accepted");
	if (accepts(member) != expected_inside(name) || fields_accept(member) != expected_inside(name))
		fail_msg("%s as a member is %s", name, expected_inside(name) ? "refused" : "accepted");
	if (accepts(element) != expected_inside(name))
		fail_msg("%s as an element is %s", name, expected_inside(name) ? "refused" : "accepted");
	free_text(alone);
	free_text(member);
	free_text(element);
	free_text(raw);
}

static void suite(void **state)
{
	unsigned seen[3] = { 0 };
	struct dirent *e;
	DIR *d = opendir("tests/json");

	(void)state;
	assert_non_null(d); /* run from the root of the tree */
	while ((e = readdir(d))) {
		const char *kind = strchr("yni", e->d_name[0]);
		if (!kind || e->d_name[1] != '_')
			continue;
		check_text(e->d_name);
		seen[kind - strchr("yni", 'y')]++;
	}
	closedir(d);
	assert_true(seen[0] >= 95 && seen[1] >= 188 && seen[2] >= 35);
}

/* a text that is cut anywhere is no text, and nothing behind the cut is looked at */
static void every_beginning_is_refused(void **state)
{
	static const char *const texts[] = {
		"{\"a\":[1,\"\\ud83d\\udc02\",{\"b\":null}],\"c\":-1.5e+10,\"d\":\"\xe7\x89\x9b\"}",
		"[true,false,null,\"\",0,{\"x\":{}},[[]]]",
		"\"\\u0041\\n\xf0\x9f\x90\x82 text that is longer than one register\""
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t n = strlen(texts[i]);
		for (size_t len = 0; len <= n; len++) {
			struct span text = make_text("", (struct span){ texts[i], len }, "");
			assert_int_equal(accepts(text), len == n);
			if (texts[i][0] == '{')
				assert_int_equal(fields_accept(text), len == n);
			free_text(text);
		}
	}
}

/* ------------------------------------------------------------------------------------------ the reader */

static void members_come_one_by_one(void **state)
{
	static const enum json_kind kinds[] = { JSON_STRING, JSON_STRING, JSON_INT, JSON_INT, JSON_NUMBER, JSON_NUMBER,
		JSON_TRUE, JSON_FALSE, JSON_NULL, JSON_OBJECT, JSON_ARRAY };
	static const char *const values[] = { "", "x\\n", "0", "-12", "1.0", "-1e9", "true", "false", "null",
		"{ \"y\": [1] }", "[ ]" };
	struct span text = make_text(" ",
	    SPAN("{ \"a\" : \"\" ,\"b\":\"x\\n\",\"c\":0,\"d\":-12,\"e\":1.0,\"f\":-1e9,\"g\":true,\"h\":false,"
		 "\"i\":null,\"j\":{ \"y\": [1] },\"a\" :\t[ ] }"),
	    " \r");
	struct json r;
	struct span key;
	struct json_val v;

	(void)state;
	assert_true(json_enter_object(&r, text));
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		assert_true(json_next_member(&r, &key, &v));
		assert_int_equal(key.n, 1);
		assert_int_equal(key.p[0], i == 10 ? 'a' : 'a' + (int)i);
		assert_int_equal(v.kind, kinds[i]);
		assert_true(span_is(json_text(v), values[i]));
		assert_int_equal(v.escaped, i == 1);
	}
	assert_false(json_next_member(&r, &key, &v));
	assert_true(json_ok(&r));
	assert_false(json_next_member(&r, &key, &v));
	assert_true(json_close(&r));
	assert_int_equal(json_find(text, "a").kind, JSON_STRING); /* the first of that name */
	assert_int_equal(json_find(text, "j").kind, JSON_OBJECT);
	assert_int_equal(json_find(text, "y").kind, JSON_NONE);
	assert_int_equal(json_find(text, "").kind, JSON_NONE);
	assert_int_equal(json_find(json_text(json_find(text, "j")), "y").kind, JSON_ARRAY);
	free_text(text);
}

static void elements_come_one_by_one(void **state)
{
	struct span text = make_text("", SPAN("[1 ,\t[2,3],\r{}, \"\\\"\"]"), "");
	struct json r;
	struct json_val v;

	(void)state;
	assert_true(json_enter_array(&r, text));
	assert_true(json_next_element(&r, &v) && v.kind == JSON_INT);
	assert_true(json_next_element(&r, &v) && v.kind == JSON_ARRAY && span_is(json_text(v), "[2,3]"));
	assert_true(json_next_element(&r, &v) && v.kind == JSON_OBJECT);
	assert_true(json_next_element(&r, &v) && v.kind == JSON_STRING && v.escaped && span_is(json_text(v), "\\\""));
	assert_false(json_next_element(&r, &v));
	assert_true(json_close(&r));
	free_text(text);
}

static void other_kinds_are_not_entered(void **state)
{
	static const char *const texts[] = { "", "1", "\"{}\"", "null", "x" };
	struct json r;
	struct json_val v;
	struct span key;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct span text = make_text("", span_of(texts[i]), "");
		assert_false(json_enter_object(&r, text));
		assert_false(json_ok(&r));
		assert_false(json_next_member(&r, &key, &v));
		assert_false(json_close(&r));
		assert_false(json_enter_array(&r, text));
		assert_false(json_next_element(&r, &v));
		assert_int_equal(json_find(text, "a").kind, JSON_NONE);
		free_text(text);
	}
}

/* why and where, for those that a message must be able to point at */
static void errors_say_where(void **state)
{
	static const struct {
		const char *text;
		const char *why;
		size_t at;
	} cases[] = {
		{ "", "unexpected end", 0 },
		{ "  ", "unexpected end", 2 },
		{ "[1,2", "',' or ']' was expected", 4 },
		{ "[1,]", "a value was expected", 3 },
		{ "{\"a\":1,}", "a key was expected", 7 },
		{ "{\"a\" 1}", "':' was expected", 5 },
		{ "{\"a\":1 \"b\":2}", "',' or '}' was expected", 7 },
		{ "[\"ab\\q\"]", "bad escape", 4 },
		{ "[\"ab\\u12x4\"]", "bad \\u escape", 4 },
		{ "[\"ab\\ud800\"]", "half a surrogate pair", 4 },
		{ "[\"ab\xff\"]", "invalid UTF-8", 4 },
		{ "[\"ab\x01\"]", "control character in a string", 4 },
		{ "[\"ab", "string without end", 4 },
		{ "[01]", "bad number", 1 },
		{ "[1] 2", "more behind the value", 4 },
		{ "tru", "a value was expected", 0 },
	};
	struct json r;
	struct json_val top;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span text = make_text("", span_of(cases[i].text), "");
		assert_false(json_check(&r, text, &top));
		assert_string_equal(r.why, cases[i].why);
		assert_int_equal((size_t)(r.at - r.from), cases[i].at);
		free_text(text);
	}
}

static void closing_wants_nothing_behind(void **state)
{
	struct span text = make_text("", SPAN("{} x"), "");
	struct json r;
	struct span key;
	struct json_val v;

	(void)state;
	assert_true(json_enter_object(&r, text));
	assert_false(json_next_member(&r, &key, &v));
	assert_true(json_ok(&r));
	assert_false(json_close(&r));
	assert_int_equal((size_t)(r.at - r.from), 3);
	free_text(text);
}

/* ----------------------------------------------------------------------------------------------- strings */

/* UTF-8 of a code point, written another way than lib/json's */
static size_t utf8_of(unsigned code, char out[4])
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	for (size_t i = n; i > 1; i--, code >>= 6)
		out[i - 1] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(n == 1 ? code : lead[n] | code);
	return n;
}

static void every_code_point_unescapes(void **state)
{
	char text[16], out[8], want[4];

	(void)state;
	for (unsigned code = 0; code <= 0x10ffff; code++) {
		if (code == 0xd800)
			code = 0xe000;
		if (code >= 0x10000)
			snprintf(text, sizeof text, "\\u%04X\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
			    0xdc00 + ((code - 0x10000) & 0x3ff));
		else
			snprintf(text, sizeof text, code % 2 ? "\\u%04x" : "\\u%04X", code);
		size_t n = utf8_of(code, want);
		int got = json_unescape(span_of(text), out, n);
		assert_int_equal(got, (int)n);
		assert_memory_equal(out, want, n);
		assert_int_equal(json_unescape(span_of(text), out, n - 1), -1);
	}
}

static void short_escapes_unescape(void **state)
{
	char out[64];

	(void)state;
	assert_int_equal(json_unescape(SPAN("\\\"\\\\\\/\\b\\f\\n\\r\\t"), out, sizeof out), 8);
	assert_memory_equal(out, "\"\\/\b\f\n\r\t", 8);
	assert_int_equal(json_unescape(SPAN("a\\u0041\xe7\x89\x9b\\/z"), out, sizeof out), 7);
	assert_memory_equal(out, "aA\xe7\x89\x9b/z", 7);
	assert_int_equal(json_unescape(SPAN("plain"), out, 5), 5);
	assert_int_equal(json_unescape(SPAN("plain"), out, 4), -1);
	assert_int_equal(json_unescape(SPAN(""), out, 0), 0);
	assert_int_equal(json_unescape(SPAN("\\\\u0041"), out, sizeof out), 6); /* a backslash, and u0041 */
	assert_memory_equal(out, "\\u0041", 6);
}

static void line_ends_are_flattened(void **state)
{
	char text[] = "\n{\n\n\"a\":1\r\n}\n";

	(void)state;
	json_flatten(text, sizeof text - 1);
	assert_string_equal(text, "\r{\r\r\"a\":1\r\r}\r");
	json_flatten(text, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suite),
		cmocka_unit_test(every_beginning_is_refused),
		cmocka_unit_test(members_come_one_by_one),
		cmocka_unit_test(elements_come_one_by_one),
		cmocka_unit_test(other_kinds_are_not_entered),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(closing_wants_nothing_behind),
		cmocka_unit_test(every_code_point_unescapes),
		cmocka_unit_test(short_escapes_unescape),
		cmocka_unit_test(line_ends_are_flattened),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
