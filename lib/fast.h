/* fast - the words of lines that look as nearly all of their kind do, read in one go.
 *
 * A reader made of these (binance_fast, event_fast) takes a part of what lib/fields takes, and means the same by it; for
 * anything else it gives NULL, and the line is read by the grammar. So it may be as choosy as it likes: no word is longer
 * than FAST_WORD, keys stand in one order, nothing is escaped.
 *
 * Each function takes the byte where something is expected and gives the one behind it, or NULL. A word ends at the first
 * byte that cannot be of it, or has got too long: whether that is the quote or the comma that must follow shows the text
 * that is asked for next, and one always is. Nothing is bounded by the
 * end of the buffer: FAST_PAD bytes behind it must be readable, and who has read to the end of a line looks whether it is
 * beyond. What stands there is no part of a line: a line is read only when it ends before. */
#ifndef BNC_FAST_H
#define BNC_FAST_H

#include "dec.h"
#include "scan.h"

#define FAST_WORD 16   /* bytes of a name or an integer */
#define FAST_PAD  1024 /* no reader looks farther, whatever stands there: a few dozen words */

/* hands on the NULL of one */
#define FAST_TAKE(p, taken)                  \
	do {                                 \
		(p) = (taken);               \
		if (scan_unlikely(!(p)))     \
			return NULL;         \
	} while (0)

/* p behind the text, a literal; what fills it up makes its bytes loadable sixteen at a time */
#define FAST_FILL "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define fast_text(p, literal) fast_same((p), literal FAST_FILL, sizeof(literal) - 1)
static inline __attribute__((always_inline)) const char *fast_same(const char *p, const char *text, size_t n)
{
	if (n <= 8) /* one word, most of which the compiler knows */
		return scan_likely((num_load(p) ^ num_load(text)) << (64 - 8 * n) == 0) ? p + n : NULL;
#if defined(__SSE2__)
	for (size_t i = 0; i < n; i += 16) {
		__m128i there = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
		__m128i wanted = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
		unsigned other = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(there, wanted)) ^ 0xffff;
		if (scan_unlikely((n - i >= 16 ? other : other & ((1u << (n - i)) - 1)) != 0))
			return NULL;
	}
	return p + n;
#else
	return memcmp(p, text, n) == 0 ? p + n : NULL;
#endif
}

/* n, of which the processor is told that it is `usual`: it goes on with that, while n is still being found out, and comes
 * back where it was wrong. What stands behind a word of any length has to wait for it otherwise, and so on to the end of
 * the line. Worth it where n hardly ever is another. */
static inline size_t fast_expect(size_t n, size_t usual)
{
	if (scan_unlikely(n != usual))
		return n;
	__asm__("" : "+r"(usual)); /* to the compiler both are the same, and it would take n */
	return usual;
}

/* the text of a string up to its quote, p at the first byte: gives the quote */
static inline const char *fast_name(const char *p, struct span *name)
{
	unsigned n = scan_plain_16(p);

	*name = (struct span){ p, n };
	return scan_likely(n > 0) ? p + n : NULL;
}

/* the same where only its end matters, and it may be twice as long */
static inline const char *fast_string(const char *p)
{
	unsigned n = scan_plain_16(p);

	if (n == 16)
		n += scan_plain_16(p + 16);
	return p + n;
}

/* an integer above zero: gives the byte behind its last digit */
static inline const char *fast_integer(const char *p)
{
	unsigned others = dec_no_digits(p) | 1u << 16;

	return scan_likely(*p > '0' && *p <= '9') ? p + __builtin_ctz(others) : NULL;
}

/* an integer of 13 digits: a time in ms until the year 2286 */
static inline const char *fast_time(const char *p, struct span *time)
{
	bool digits = (dec_no_digits(p) & 0x1fff) == 0;

	*time = (struct span){ p, 13 };
	return scan_likely(digits && *p != '0') ? p + 13 : NULL;
}

/* its value */
static inline int64_t fast_ms(struct span time)
{
	uint32_t first = num_of_eight(num_load(time.p) << 24 & NUM_DIGITS); /* five of them */
	uint32_t last = num_of_eight(num_load(time.p + 5) & NUM_DIGITS);

	return (int64_t)first * 100000000 + last;
}

/* what dec_canon calls plain, up to the quote behind it */
static inline const char *fast_number(const char *p, struct dec_text *out)
{
	unsigned others = dec_no_digits(p) | 1u << 16;
	unsigned whole = (unsigned)__builtin_ctz(others);
	unsigned n = whole;
	unsigned fraction = 0;
	uint64_t after = 0;

	unsigned most = 8 - 7 * (unsigned)(p[0] == '0'); /* digits before the point: no branch, numbers of both kinds mix */
	if (scan_unlikely(whole - 1 >= most))
		return NULL;
	if (scan_likely(p[whole] == '.')) {
		n = (unsigned)__builtin_ctz(others & (others - 1));
		unsigned digits = n - whole - 1;
		if (scan_unlikely(digits - 1 > 7))
			return NULL;
		after = dec_after(p + whole + 1, digits);
		fraction = dec_digits(after);
	}
	*out = (struct dec_text){ { p, whole + fraction + (fraction > 0) }, true, whole, after };
	return p + n;
}

#endif
