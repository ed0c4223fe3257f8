#include "json.h"

#include "scan.h"

static bool fail(struct json *r, const char *why, const char *at)
{
	r->why = why;
	r->at = at;
	r->p = NULL;
	return false;
}

/* takes over what a scan function found */
static bool took(struct json *r, const char *p, const struct scan_error *e)
{
	r->p = p;
	return p ? true : fail(r, e->why, e->at);
}

static void start(struct json *r, struct span text)
{
	*r = (struct json){ .p = scan_blanks(text.p), .from = text.p, .fresh = true };
}

bool json_check(struct json *r, struct span text, struct json_val *top)
{
	struct scan_error e;

	start(r, text);
	if (!took(r, scan_value(r->p, 0, top, &e), &e))
		return false;
	r->p = scan_blanks(r->p);
	return r->p == text.p + text.n || fail(r, "more behind the value", r->p);
}

static bool enter(struct json *r, struct span text, char open, const char *why)
{
	start(r, text);
	if (*r->p != open)
		return fail(r, why, r->p);
	r->p++;
	return true;
}

bool json_enter_object(struct json *r, struct span text)
{
	return enter(r, text, '{', "not an object");
}

bool json_enter_array(struct json *r, struct span text)
{
	return enter(r, text, '[', "not an array");
}

/* before a member: over the comma that is due, or past the closing byte; true: r->p stands at the member */
static bool advance(struct json *r, char close)
{
	if (!r->p || r->done)
		return false;
	r->p = scan_blanks(r->p);
	if (*r->p == close) {
		r->p++;
		r->done = true;
		return false;
	}
	if (!r->fresh) {
		if (*r->p != ',')
			return fail(r, "',' or the end was expected", r->p);
		r->p = scan_blanks(r->p + 1);
	}
	r->fresh = false;
	return true;
}

bool json_next_member(struct json *r, struct span *key, struct json_val *val)
{
	struct scan_error e;
	struct json_val name;

	if (!advance(r, '}') || !took(r, scan_key(r->p, &name, &e), &e))
		return false;
	*key = json_text(name);
	return took(r, scan_value(r->p, 1, val, &e), &e);
}

bool json_next_element(struct json *r, struct json_val *val)
{
	struct scan_error e;

	return advance(r, ']') && took(r, scan_value(r->p, 1, val, &e), &e);
}

bool json_close(struct json *r)
{
	if (!r->p)
		return false;
	r->p = scan_blanks(r->p);
	return *r->p == '\n' || fail(r, "more behind the value", r->p);
}

struct json_val json_find(struct span object, const char *key)
{
	struct json r;
	struct span name;
	struct json_val v;

	if (json_enter_object(&r, object))
		while (json_next_member(&r, &name, &v))
			if (span_is(name, key))
				return v;
	return (struct json_val){ NULL, 0, JSON_NONE, false };
}

/* ---------------------------------------------------------------------------------------------- strings */

/* the four hex digits at p, already checked */
static unsigned hex4(const char *p)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];
		value = value << 4 | (c <= '9' ? (unsigned)c - '0' : (unsigned)(c | 0x20) - 'a' + 10);
	}
	return value;
}

static size_t put_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

/* the escape at p (checked) as UTF-8; *took is its length in the text */
static size_t put_escape(char out[4], const char *p, size_t *took_bytes)
{
	static const char from[] = "bfnrt";
	static const char to[] = "\b\f\n\r\t";

	*took_bytes = 2;
	if (p[1] == 'u') {
		unsigned code = hex4(p + 2);
		*took_bytes = 6;
		if (code >= 0xd800 && code <= 0xdbff) {
			code = 0x10000 + ((code - 0xd800) << 10) + (hex4(p + 8) - 0xdc00);
			*took_bytes = 12;
		}
		return put_utf8(out, code);
	}
	const char *at = strchr(from, p[1]);
	out[0] = at ? to[at - from] : p[1];
	return 1;
}

int json_unescape(struct span raw, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < raw.n;) {
		char bytes[4];
		size_t step = 1;
		size_t len = 1;
		bytes[0] = raw.p[i];
		if (raw.p[i] == '\\')
			len = put_escape(bytes, raw.p + i, &step);
		if (len > cap - n)
			return -1;
		memcpy(out + n, bytes, len);
		n += len;
		i += step;
	}
	return (int)n;
}

void json_flatten(char *text, size_t n)
{
	for (char *p = text; (p = memchr(p, '\n', n - (size_t)(p - text))) != NULL;)
		*p = '\r';
}
