/* fast - the words of lines that look as nearly all of their kind do, read in one go.
 *
 * A reader made of these (binance_fast.c, event_fast.h) takes a part of what lib/fields takes, and means the same by it; for
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

/* a reader shall be one piece with the loop around it */
#define FAST_INLINE inline __attribute__((always_inline))

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
static FAST_INLINE const char *fast_same(const char *p, const char *text, size_t n)
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

/* Texts that are passed over, to be looked at together behind the last of them: what stands between two of them is found
 * in the same place whatever they are, and it is one branch in place of one for each. */
struct fast_texts {
#if defined(__SSE2__)
	__m128i good; /* all bits, for as long as each was the one that was wanted */
#else
	bool bad;
#endif
};

static FAST_INLINE struct fast_texts fast_no_texts(void)
{
#if defined(__SSE2__)
	return (struct fast_texts){ _mm_set1_epi8(-1) };
#else
	return (struct fast_texts){ false };
#endif
}

/* p behind where the text, a literal, should stand */
#define fast_over(texts, p, literal) fast_over_bytes((texts), (p), literal FAST_FILL, sizeof(literal) - 1)
static FAST_INLINE const char *fast_over_bytes(struct fast_texts *texts, const char *p, const char *text, size_t n)
{
#if defined(__SSE2__)
	static const char behind[32] = { [16] = -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };

	for (size_t i = 0; i < n; i += 16) {
		size_t at = n < 16 || n - i >= 16 ? i : n - 16; /* the last sixteen overlap those before */
		__m128i there = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
		__m128i wanted = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
		__m128i same = _mm_cmpeq_epi8(there, wanted);
		if (n < 16)
			same = _mm_or_si128(same, _mm_loadu_si128((const __m128i *)(const void *)(behind + 16 - n)));
		texts->good = _mm_and_si128(texts->good, same);
	}
#else
	texts->bad |= memcmp(p, text, n) != 0;
#endif
	return p + n;
}

static FAST_INLINE bool fast_texts_good(const struct fast_texts *texts)
{
#if defined(__SSE2__)
	return _mm_movemask_epi8(texts->good) == 0xffff;
#else
	return !texts->bad;
#endif
}

/* n, of which the processor is told that it is `usual`: it goes on with that, while n is still being found out, and comes
 * back where it was wrong. What stands behind a word of any length has to wait for it otherwise, and so on to the end of
 * the line. Worth it where n hardly ever is another. To the compiler both would be the same, and it would take n; so what it
 * gets is a copy of which it knows nothing, and a branch that it cannot leave out. */
static FAST_INLINE size_t fast_expect(size_t n, size_t usual)
{
	size_t expected = usual;

	__asm__("" : "+r"(expected));
	if (scan_unlikely(n != usual)) {
		__asm__ volatile("");
		return n;
	}
	return expected;
}

/* a bit for each of the 16 bytes at p that is `c`, and none above them */
static inline unsigned fast_bytes(const char *p, char c)
{
#if defined(__SSE2__)
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(c)));
#else
	unsigned bits = 0;

	for (size_t i = 0; i < 16; i++)
		bits |= (unsigned)(p[i] == c) << i;
	return bits;
#endif
}

/* Lines in a row. Where the next one begins is known when the last word of this has been found, and each word when the one
 * before has been; so it is guessed as well, from the first '\n' near where one as long as the last of its kind ends. The
 * processor takes the guess, and begins with the next line while it is still finding the words of this one. */
#define FAST_KINDS 2
struct fast {
	uint64_t lines;		  /* that have been taken */
	size_t usual[FAST_KINDS]; /* bytes of the last of a kind */
	const char *guess;	  /* the end of the one in hand */
};

static FAST_INLINE void fast_begin(struct fast *f, const char *p, unsigned kind)
{
	size_t usual = f->usual[kind];

	p += usual < 16 ? 0 : usual - 16;
	f->guess = p + __builtin_ctz(fast_bytes(p, '\n') | fast_bytes(p + 16, '\n') << 16 | 1u << 31) + 1;
}

/* the line from p to `end` has been taken; gives where the next one begins */
static FAST_INLINE const char *fast_behind(struct fast *f, const char *p, const char *end, unsigned kind)
{
	f->usual[kind] = fast_expect((size_t)(end - p), (size_t)(f->guess - p));
	f->lines++;
	return p + f->usual[kind];
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

/* the same of digits and points, whatever number they are */
static inline const char *fast_figures(const char *p)
{
#if defined(__SSE2__)
	__m128i value = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('.'));
	__m128i good = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8('9' - '.')), value);
	return p + __builtin_ctz(~(unsigned)_mm_movemask_epi8(good) | 1u << 16);
#else
	size_t n = 0;

	while (n < 16 && p[n] >= '.' && p[n] <= '9')
		n++;
	return p + n;
#endif
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

/* times in order: their first eight digits and their last, the first of them highest */
struct fast_moment {
	uint64_t first, last;
};

static inline bool fast_is_before(struct span time, const struct fast_moment *m)
{
	uint64_t first = __builtin_bswap64(num_load(time.p));

	return first < m->first || (first == m->first && __builtin_bswap64(num_load(time.p + 5)) < m->last);
}

/* ms >= 0; one beyond all times of 13 digits where it has more */
static inline struct fast_moment fast_moment(int64_t ms)
{
	if (ms > 9999999999999)
		return (struct fast_moment){ UINT64_MAX, 0 };
	return (struct fast_moment){ __builtin_bswap64(num_as_eight((uint32_t)(ms / 100000))),
		__builtin_bswap64(num_as_eight((uint32_t)(ms % 100000000))) };
}

/* a number from zero up, up to the quote behind it, in any notation: dec_parse takes *text, which has FAST_WORD bytes at most */
static inline const char *fast_decimal(const char *p, struct span *text)
{
	unsigned others = dec_no_digits(p) | 3u << 16;
	unsigned whole = (unsigned)__builtin_ctz(others);
	unsigned n = whole;

	if (scan_likely(p[whole] == '.'))
		n = (unsigned)__builtin_ctz(others & (others - 1));
	*text = (struct span){ p, n };
	return scan_likely(whole > 0 && n != whole + 1) ? p + n : NULL;
}

/* a number from zero up, up to the quote behind it: *text is its shortest notation, see dec_canon */
static inline const char *fast_amount(const char *p, struct span *text)
{
	unsigned others = dec_no_digits(p) | 3u << 16;
	unsigned whole = (unsigned)__builtin_ctz(others);

	if (scan_unlikely(whole == 0 || (*p == '0' && whole > 1)))
		return NULL;
	if (p[whole] != '.') {
		*text = (struct span){ p, whole };
		return p + whole;
	}
	unsigned n = (unsigned)__builtin_ctz(others & (others - 1));
	unsigned last = 31 - (unsigned)__builtin_clz(~fast_bytes(p, '0') & ((1u << n) - 1)); /* the point, if no digit */
	*text = (struct span){ p, last + (last != whole) };
	return scan_likely(n > whole + 1) ? p + n : NULL;
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
