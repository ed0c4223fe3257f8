/* lib/json against Debian's jansson, which knows nothing of it: they agree on what is JSON, and on what is in it.
 * links: jansson
 *
 * Not compared, since jansson is of no use there: numbers that do not fit a double, NUL (it overlooks one behind a
 * number, and has no keys with it), and depths that only one of the two takes. */
#include "fuzz.h"

/* both have words for the kinds of values */
#define JSON_STRING THEIR_STRING
#define JSON_TRUE   THEIR_TRUE
#define JSON_FALSE  THEIR_FALSE
#define JSON_NULL   THEIR_NULL
#define JSON_OBJECT THEIR_OBJECT
#define JSON_ARRAY  THEIR_ARRAY
#include <jansson.h>
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL
#undef JSON_OBJECT
#undef JSON_ARRAY

static bool fuzz_jansson_same(struct json_val v, const json_t *j, int depth);

/* a string undone, in memory of its own */
static char *fuzz_jansson_plain(struct span raw, size_t *n)
{
	char *plain = malloc(raw.n + 1);

	FUZZ_CHECK(plain != NULL);
	int k = json_unescape(raw, plain, raw.n);
	FUZZ_CHECK(k >= 0);
	*n = (size_t)k;
	return plain;
}

static bool fuzz_jansson_number(struct json_val v, const json_t *j)
{
	char *text = strndup(v.p, v.n);

	FUZZ_CHECK(text != NULL);
	double d = strtod(text, NULL);
	free(text);
	return json_typeof(j) == JSON_REAL && json_real_value(j) == d;
}

/* the value of a key that comes last is what jansson keeps */
static bool fuzz_jansson_object(struct json_val v, const json_t *j, int depth)
{
	struct json r, behind;
	struct json_val value, later;
	struct span key, other;
	bool same = json_typeof(j) == THEIR_OBJECT && json_enter_object(&r, json_text(v));
	size_t kept = 0;

	while (same && json_next_member(&r, &key, &value)) {
		size_t n, m;
		char *name = fuzz_jansson_plain(key, &n);
		bool last = true;
		behind = r;
		while (last && json_next_member(&behind, &other, &later)) {
			char *name2 = fuzz_jansson_plain(other, &m);
			last = n != m || memcmp(name, name2, n) != 0;
			free(name2);
		}
		kept += last;
		const json_t *there = last ? json_object_getn(j, name, n) : NULL;
		same = !last || (there && fuzz_jansson_same(value, there, depth + 1));
		free(name);
	}
	return same && json_ok(&r) && kept == json_object_size(j);
}

static bool fuzz_jansson_array(struct json_val v, const json_t *j, int depth)
{
	struct json r;
	struct json_val value;
	size_t n = 0;
	bool same = json_typeof(j) == THEIR_ARRAY && json_enter_array(&r, json_text(v));

	for (; same && json_next_element(&r, &value); n++)
		same = n < json_array_size(j) && fuzz_jansson_same(value, json_array_get(j, n), depth + 1);
	return same && json_ok(&r) && n == json_array_size(j);
}

static bool fuzz_jansson_string(struct json_val v, const json_t *j)
{
	size_t n;
	char *plain = fuzz_jansson_plain(json_text(v), &n);
	bool same =
	    json_typeof(j) == THEIR_STRING && json_string_length(j) == n && memcmp(json_string_value(j), plain, n) == 0;

	free(plain);
	return same;
}

static bool fuzz_jansson_same(struct json_val v, const json_t *j, int depth)
{
	switch (v.kind) {
	case JSON_STRING:
		return fuzz_jansson_string(v, j);
	case JSON_INT:
	case JSON_NUMBER:
		return fuzz_jansson_number(v, j);
	case JSON_TRUE:
		return json_typeof(j) == THEIR_TRUE;
	case JSON_FALSE:
		return json_typeof(j) == THEIR_FALSE;
	case JSON_NULL:
		return json_typeof(j) == THEIR_NULL;
	case JSON_OBJECT:
		return fuzz_jansson_object(v, j, depth);
	case JSON_ARRAY:
		return fuzz_jansson_array(v, j, depth);
	default:
		return false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = subject_pad((struct span){ (const char *)data, size });
	struct json r;
	struct json_val top;
	json_error_t error;

	json_flatten((char *)(size_t)text.p, text.n);
	bool ours = json_check(&r, text, &top);
	json_t *theirs = json_loadb(text.p, text.n, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, &error);
	enum json_error_code code = theirs ? json_error_unknown : json_error_code(&error);
	bool apart = memchr(text.p, 0, text.n) || code == json_error_numeric_overflow ||
		     code == json_error_null_byte_in_key || code == json_error_stack_overflow ||
		     (!ours && strstr(r.why, "deep"));
	if (!apart) {
		FUZZ_CHECK(ours == (theirs != NULL));
		FUZZ_CHECK(!ours || fuzz_jansson_same(top, theirs, 0));
	}
	json_decref(theirs);
	subject_unpad(text);
	return 0;
}
