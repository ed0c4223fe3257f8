/* lib/json, lib/jsonw and lib/fields on one text: they agree on what is JSON */
#include "fuzz.h"

#include "fields.h"
#include "jsonw.h"

static unsigned fuzz_json_slot(const char *key, size_t n, int depth)
{
	FUZZ_CHECK(n == 0 || key != NULL);
	if (depth == 0 && n == 1 && key[0] == 'd')
		return 1 | FIELDS_INTO;
	return n == 1 && (unsigned char)key[0] >= FIELDS_OUTER && (unsigned char)key[0] < FIELDS_SLOTS
		   ? (unsigned char)key[0]
		   : FIELDS_SKIP;
}

/* a string undone, written anew and read again is the same string */
static void fuzz_json_string(struct json_val v)
{
	char *plain = malloc(v.n + 1);
	char *text = malloc(JSONW_STRING_MAX(v.n) + 1 + JSON_PAD);
	char *again = malloc(v.n + 1);
	struct json r;
	struct json_val back;

	FUZZ_CHECK(plain && text && again);
	int n = json_unescape(json_text(v), plain, v.n);
	FUZZ_CHECK(n >= 0 && (v.escaped || (uint32_t)n == v.n));
	char *end = jsonw_string(text, (struct span){ plain, (size_t)n });
	*end = '\n';
	memset(end + 1, '"', JSON_PAD);
	FUZZ_CHECK(json_check(&r, (struct span){ text, (size_t)(end - text) }, &back) && back.kind == JSON_STRING);
	FUZZ_CHECK(json_unescape(json_text(back), again, v.n) == n && memcmp(plain, again, (size_t)n) == 0);
	free(again);
	free(text);
	free(plain);
}

/* the text taken apart member by member, down to its leaves; false: it is none */
static bool fuzz_json_walk(struct span text, int depth)
{
	struct json r;
	struct json_val v;
	struct span key;
	bool object = json_enter_object(&r, text);

	if (!object && !json_enter_array(&r, text))
		return false;
	while (object ? json_next_member(&r, &key, &v) : json_next_element(&r, &v)) {
		FUZZ_CHECK(v.p >= text.p && v.p + v.n <= text.p + text.n);
		if (v.kind == JSON_STRING)
			fuzz_json_string(v);
		if (v.kind == JSON_OBJECT || v.kind == JSON_ARRAY)
			FUZZ_CHECK(fuzz_json_walk(json_text(v), depth + 1));
	}
	FUZZ_CHECK(json_ok(&r) || depth == 0);
	FUZZ_CHECK(json_ok(&r) || (r.at >= text.p && r.at <= text.p + text.n));
	return json_ok(&r) && (depth > 0 || json_close(&r));
}

static void fuzz_json_text(struct span text)
{
	static struct fields f;
	struct json r;
	struct json_val top;
	bool ok = json_check(&r, text, &top);

	FUZZ_CHECK(ok || (r.why && r.at >= text.p && r.at <= text.p + text.n));
	if (ok && top.kind == JSON_STRING)
		fuzz_json_string(top);
	bool scalar = ok && top.kind != JSON_OBJECT && top.kind != JSON_ARRAY;
	FUZZ_CHECK(fuzz_json_walk(text, 0) == (ok && !scalar));
	fields_open(&f, fuzz_json_slot);
	bool taken = fields_read(&f, text);
	FUZZ_CHECK(taken == (ok && top.kind == JSON_OBJECT));
	FUZZ_CHECK(taken || (f.why && f.at <= text.n));
	for (unsigned slot = 1; taken && slot < FIELDS_SLOTS; slot++)
		if (fields_kind(&f, slot) == JSON_STRING)
			FUZZ_CHECK(fields_text(&f, slot).n <= f.v[slot].n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = subject_pad((struct span){ (const char *)data, size });

	json_flatten((char *)(size_t)text.p, text.n);
	fuzz_json_text(text);
	subject_unpad(text);
	return 0;
}
