#include "scan.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* four hex digits at p; -1 where they are not */
static int hex4(const char *p)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* p at the backslash of \uXXXX; a surrogate must come with its partner */
static const char *unicode_escape(const char *p, struct scan_error *e)
{
	int unit = hex4(p + 2);

	if (unit < 0)
		return scan_fail(e, "bad \\u escape", p);
	if (unit < 0xd800 || unit > 0xdfff)
		return p + 6;
	if (unit > 0xdbff || p[6] != '\\' || p[7] != 'u')
		return scan_fail(e, "half a surrogate pair", p);
	int low = hex4(p + 8);
	if (low < 0xdc00 || low > 0xdfff)
		return scan_fail(e, "half a surrogate pair", p);
	return p + 12;
}

static const char *escape(const char *p, struct scan_error *e)
{
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return p + 2;
	case 'u':
		return unicode_escape(p, e);
	default:
		return scan_fail(e, "bad escape", p);
	}
}

static bool follows(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* one character above U+007F: shortest form only, no surrogates, at most U+10FFFF (RFC 3629, section 4) */
static const char *utf8(const char *p, struct scan_error *e)
{
	unsigned char lead = (unsigned char)p[0];
	unsigned char second = (unsigned char)p[1];

	if (lead >= 0xc2 && lead <= 0xdf && follows(p[1]))
		return p + 2;
	if (lead >= 0xe0 && lead <= 0xef && follows(p[1]) && follows(p[2]) && !(lead == 0xe0 && second < 0xa0) &&
	    !(lead == 0xed && second > 0x9f))
		return p + 3;
	if (lead >= 0xf0 && lead <= 0xf4 && follows(p[1]) && follows(p[2]) && follows(p[3]) &&
	    !(lead == 0xf0 && second < 0x90) && !(lead == 0xf4 && second > 0x8f))
		return p + 4;
	return scan_fail(e, "invalid UTF-8", p);
}

const char *scan_string_slow(const char *p, bool *escaped, struct scan_error *e)
{
	while (p) {
		unsigned char c = (unsigned char)*p;
		if (c == '"')
			return p;
		if (c == '\n')
			return scan_fail(e, "string without end", p);
		if (c < 0x20)
			return scan_fail(e, "control character in a string", p);
		if (c == '\\') {
			*escaped = true;
			p = escape(p, e);
		} else {
			p = c < 0x80 ? scan_plain(p) : utf8(p, e);
		}
	}
	return NULL;
}

/* the first byte from p that is NUL or above 0x7f, or one behind `end` */
static const char *ascii(const char *p, const char *end)
{
#if defined(__SSE2__)
	for (; p < end; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* as signed bytes 1..0x7f are above 0 */
		unsigned others = ~(unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(v, _mm_setzero_si128())) & 0xffff;
		if (scan_unlikely(others != 0))
			return p + __builtin_ctz(others);
	}
#else
	while (p < end && *p != '\0' && (unsigned char)*p < 0x80)
		p++;
#endif
	return p;
}

const char *scan_text(struct span s, struct scan_error *e)
{
	const char *end = s.p + s.n;
	const char *p = ascii(s.p, end);

	while (p && p < end) {
		p = *p == '\0' ? scan_fail(e, "a NUL byte", p) : utf8(p, e);
		if (p)
			p = ascii(p, end);
	}
	return p;
}

const char *scan_number(const char *p, uint8_t *kind, struct scan_error *e)
{
	const char *from = p;

	*kind = JSON_INT;
	p += *p == '-';
	if (!scan_is_digit(*p))
		return scan_fail(e, "bad number", from);
	p = *p == '0' ? p + 1 : scan_digits(p);
	if (*p == '.') {
		*kind = JSON_NUMBER;
		if (!scan_is_digit(*++p))
			return scan_fail(e, "bad number", from);
		p = scan_digits(p);
	}
	if (*p == 'e' || *p == 'E') {
		*kind = JSON_NUMBER;
		p++;
		p += *p == '+' || *p == '-';
		if (!scan_is_digit(*p))
			return scan_fail(e, "bad number", from);
		p = scan_digits(p);
	}
	if (scan_is_digit(*p))
		return scan_fail(e, "bad number", from); /* 012 */
	return p;
}

static const char *word(const char *p, const char *text, size_t n, uint8_t kind, struct json_val *v, struct scan_error *e)
{
	if (memcmp(p, text, n) != 0)
		return scan_fail(e, "a value was expected", p);
	*v = (struct json_val){ p, (uint32_t)n, kind, false };
	return p + n;
}

/* a value that is no container */
static const char *scalar(const char *p, struct json_val *v, struct scan_error *e)
{
	const char *from = p;
	bool escaped;

	switch (*p) {
	case '"':
		p = scan_string(from + 1, &escaped, e);
		if (!p)
			return NULL;
		*v = (struct json_val){ from + 1, (uint32_t)(p - from - 1), JSON_STRING, escaped };
		return p + 1;
	case 't':
		return word(p, "true", 4, JSON_TRUE, v, e);
	case 'f':
		return word(p, "false", 5, JSON_FALSE, v, e);
	case 'n':
		return word(p, "null", 4, JSON_NULL, v, e);
	default:
		if (*p != '-' && !scan_is_digit(*p))
			return scan_fail(e, *p == '\n' ? "unexpected end" : "a value was expected", p);
		v->escaped = false;
		p = scan_number(p, &v->kind, e);
		v->p = from;
		v->n = p ? (uint32_t)(p - from) : 0;
		return p;
	}
}

/* the open containers around p, a bit each: object or array */
struct nest {
	uint64_t object[JSON_MAX_DEPTH / 64];
	unsigned depth;
	unsigned most; /* depth that is allowed here */
};

static bool nest_push(struct nest *n, bool object)
{
	if (n->depth == n->most)
		return false;
	uint64_t bit = 1ULL << (n->depth & 63);
	uint64_t *word_of = &n->object[n->depth >> 6];
	*word_of = object ? *word_of | bit : *word_of & ~bit;
	n->depth++;
	return true;
}

static bool nest_in_object(const struct nest *n)
{
	return n->object[(n->depth - 1) >> 6] >> ((n->depth - 1) & 63) & 1;
}

/* p behind a value: closes what ends there; at the end p stands at the next value, or depth is 0 */
static const char *after_value(const char *p, struct nest *nest, struct scan_error *e)
{
	struct json_val key;

	while (nest->depth) {
		bool object = nest_in_object(nest);
		p = scan_blanks(p);
		if (*p == ',') {
			p = scan_blanks(p + 1);
			return object ? scan_key(p, &key, e) : p;
		}
		if (*p != (object ? '}' : ']'))
			return scan_fail(e, object ? "',' or '}' was expected" : "',' or ']' was expected", p);
		p++;
		nest->depth--;
	}
	return p;
}

/* p at '{' or '[': one container deeper, up to its first value or behind an empty one */
static const char *open_container(const char *p, struct nest *nest, struct scan_error *e)
{
	bool object = *p == '{';
	struct json_val key;

	if (!nest_push(nest, object))
		return scan_fail(e, "nested too deep", p);
	p = scan_blanks(p + 1);
	if (*p == (object ? '}' : ']')) {
		nest->depth--;
		return after_value(p + 1, nest, e);
	}
	return object ? scan_key(p, &key, e) : p;
}

const char *scan_value(const char *p, unsigned outside, struct json_val *v, struct scan_error *e)
{
	struct nest nest;
	struct json_val inner;
	const char *from = p;

	if (*p != '{' && *p != '[')
		return scalar(p, v, e);
	nest = (struct nest){ .most = JSON_MAX_DEPTH - outside };
	p = open_container(p, &nest, e);
	while (p && nest.depth) {
		if (*p == '{' || *p == '[') {
			p = open_container(p, &nest, e);
		} else {
			p = scalar(p, &inner, e);
			if (p)
				p = after_value(p, &nest, e);
		}
	}
	if (p)
		*v = (struct json_val){ from, (uint32_t)(p - from), *from == '{' ? JSON_OBJECT : JSON_ARRAY, false };
	return p;
}
