/* scan - the byte loops under lib/json and lib/fields: strings, numbers, blanks, whole values, each fully checked.
 *
 * Every text ends in '\n', which no token may contain, so no loop needs a bound; JSON_PAD bytes behind it are readable,
 * so wide loads need none either. A function returns the byte behind what it took, or NULL after noting what is wrong. */
#ifndef BNC_SCAN_H
#define BNC_SCAN_H

#include "json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct scan_error {
	const char *why; /* constant sentence */
	const char *at;
};

#define scan_likely(x)   __builtin_expect(!!(x), 1)
#define scan_unlikely(x) __builtin_expect(!!(x), 0)

static inline const char *scan_fail(struct scan_error *e, const char *why, const char *at)
{
	e->why = why;
	e->at = at;
	return NULL;
}

/* How many bytes from p are none of '"', '\\', below 0x20 or above 0x7f; 16 at most. */
static inline unsigned scan_plain_16(const char *p)
{
#if defined(__SSE2__)
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i stop = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	/* the highest bit of a byte is set where it is above 0x7f or, 0x20 taken from it, it was below that */
	stop = _mm_or_si128(stop, _mm_or_si128(v, _mm_sub_epi8(v, _mm_set1_epi8(0x20))));
	return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(stop) | 1u << 16);
#else
	unsigned n = 0;

	while (n < 16 && p[n] != '"' && p[n] != '\\' && (unsigned char)p[n] >= 0x20 && (unsigned char)p[n] < 0x80)
		n++;
	return n;
#endif
}

/* the first byte from p that is one of them */
static inline const char *scan_plain(const char *p)
{
	unsigned n;

	while (scan_unlikely((n = scan_plain_16(p)) == 16))
		p += 16;
	return p + n;
}

static inline bool scan_is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

/* the first byte from p that is no digit */
static inline const char *scan_digits(const char *p)
{
#if defined(__SSE2__)
	for (;; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i value = _mm_sub_epi8(v, _mm_set1_epi8('0'));
		/* as unsigned bytes digits are 0..9 and everything else is above */
		__m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
		unsigned others = ~(unsigned)_mm_movemask_epi8(digit) & 0xffff;
		if (scan_likely(others != 0))
			return p + (unsigned)__builtin_ctz(others);
	}
#else
	while (scan_is_digit(*p))
		p++;
	return p;
#endif
}

static inline const char *scan_blanks(const char *p)
{
	while (scan_unlikely((unsigned char)*p <= ' ') && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* the closing quote of a string whose first byte is p, going on from a byte that is not plain */
const char *scan_string_slow(const char *p, bool *escaped, struct scan_error *e);

/* p behind the opening quote -> the closing quote */
static inline const char *scan_string(const char *p, bool *escaped, struct scan_error *e)
{
	*escaped = false;
	p = scan_plain(p);
	return scan_likely(*p == '"') ? p : scan_string_slow(p, escaped, e);
}

/* Is s UTF-8 without NUL, whatever else it is? s is followed by '\n'. NULL: no */
const char *scan_text(struct span s, struct scan_error *e);

/* p at '-' or a digit */
const char *scan_number(const char *p, uint8_t *kind, struct scan_error *e);

/* any value at p, which stands inside `outside` containers; containers are checked to their end */
const char *scan_value(const char *p, unsigned outside, struct json_val *v, struct scan_error *e);

/* p at the opening quote of a key -> the first byte of its value; *key is the text between the quotes */
static inline const char *scan_key(const char *p, struct json_val *key, struct scan_error *e)
{
	bool escaped;

	if (scan_unlikely(*p != '"'))
		return scan_fail(e, "a key was expected", p);
	const char *from = p + 1;
	p = scan_string(from, &escaped, e);
	if (scan_unlikely(!p))
		return NULL;
	*key = (struct json_val){ from, (uint32_t)(p - from), JSON_STRING, escaped };
	p = scan_blanks(p + 1);
	if (scan_unlikely(*p != ':'))
		return scan_fail(e, "':' was expected", p);
	return scan_blanks(p + 1);
}

#endif
