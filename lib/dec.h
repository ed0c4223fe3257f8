/* dec - exact decimals.
 * A value is m / 10^scale with |m| < 10^38 and 0 <= scale <= 38. Every operation is exact or says DEC_RANGE;
 * nothing wraps and nothing is rounded in silence. Only what is named _trunc rounds, and the name says how.
 * Why 38 digits: the longest product met on the wire is price x quantity, 12 + 18 digits (binance 6.3). */
#ifndef BNC_DEC_H
#define BNC_DEC_H

#include "num.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define DEC_MAX_SCALE 38
#define DEC_TEXT_MAX 48 /* sign, 39 digits, point, and room: dec_print never writes more */

__extension__ typedef __int128 dec_int;

struct dec {
	dec_int m;
	int scale;
};

enum dec_result {
	DEC_OK,
	DEC_SYNTAX, /* not a decimal number */
	DEC_RANGE,  /* more digits than 38, or a scale over 38 */
	DEC_ZERO,   /* division by zero */
};

#define DEC_NIL ((struct dec){ 0, 0 })

/* sign (+ or -), digits with leading zeros allowed, an optional point with digits on both sides, an optional
 * exponent: "0.00", "-7", "313.20000000000005", "1.0E8". Not: "", ".5", "5.", "1e", "0x1", blanks.
 * The result carries no trailing zeros. *out is untouched unless DEC_OK. */
enum dec_result dec_parse(struct span text, struct dec *out);

/* the same for text of a line: readable for DEC_PAD bytes from its start (lib/json asks for more) */
#define DEC_PAD 32
enum dec_result dec_parse_padded(struct span text, struct dec *out);

/* -1, 0, 1; exact for every pair of values */
int dec_cmp(struct dec a, struct dec b);
static inline bool dec_is(struct dec a, struct dec b)
{
	return a.scale == b.scale ? a.m == b.m : dec_cmp(a, b) == 0;
}

static inline int dec_sign(struct dec a)
{
	return (a.m > 0) - (a.m < 0);
}

/* *out may be one of the operands; it is untouched unless DEC_OK */
static inline enum dec_result dec_add(struct dec a, struct dec b, struct dec *out);
static inline enum dec_result dec_sub(struct dec a, struct dec b, struct dec *out);
static inline enum dec_result dec_mul(struct dec a, struct dec b, struct dec *out);
enum dec_result dec_halve(struct dec a, struct dec *out);

/* a / b cut off (toward zero) behind `places` decimals, 0 <= places <= 38 */
enum dec_result dec_div_trunc(struct dec a, struct dec b, int places, struct dec *out);

/* a x part / whole, cut off behind `places` decimals: |part| <= |whole|, and with as many decimals as part has whole still
 * has 38 digits at most, else DEC_RANGE. Only the result must fit, not the product on the way to it. */
enum dec_result dec_share_trunc(struct dec a, struct dec part, struct dec whole, int places, struct dec *out);

/* the same value without zeros at the end: a sum keeps the longest scale it has met, and with it fewer digits before
 * the point */
struct dec dec_strip(struct dec a);

/* shortest plain notation: no exponent, no trailing zeros, "0" for zero of either sign, no NUL; returns the end */
char *dec_print(char out[DEC_TEXT_MAX], struct dec a);

/* A number as it came, in the shortest plain notation. `text` is a part of what it was read from where that will do
 * (no copy), else it is in `scratch`. The hot path's way to pass a number on. Padded as above. */
struct dec_text {
	struct span text;
	bool plain;	 /* what dec_mean wants to know of most: */
	unsigned before; /* digits before the point, at most eight */
	uint64_t after;	 /* eight digits behind it, one a byte */
};
static inline enum dec_result dec_canon(struct span text, char scratch[DEC_TEXT_MAX], struct dec_text *out);

/* the exact mean of two amounts at `out`, in the notation of dec_print; *end is its end */
static inline enum dec_result dec_mean(const struct dec_text *a, const struct dec_text *b, char out[DEC_TEXT_MAX],
    char **end);

/* a sentence for a message; never NULL */
const char *dec_reason(enum dec_result r);

/* --------------------------------------------------------------------------------------------- the hot path, inline */

/* What nearly every number of the wire looks like: digits, at most eight on either side of one point, or of none. They
 * are taken as they stand in memory, so that hardly a branch depends on how many there are. */
struct dec_plain {
	unsigned whole;	   /* digits before the point, 1 to 8 */
	unsigned fraction; /* behind it, without zeros at the end */
	uint64_t after;	   /* eight digits behind the point as a word, missing ones as zeros; see num_of_eight */
};

/* a bit for each of the 16 bytes at p that is no digit; others may be set above them */
static inline unsigned dec_no_digits(const char *p)
{
#if defined(__SSE2__)
	__m128i value = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('0'));
	__m128i digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
	return ~(unsigned)_mm_movemask_epi8(digit);
#else
	unsigned bits = 0;

	for (size_t i = 0; i < 16; i++)
		bits |= (unsigned)((unsigned char)(p[i] - '0') > 9) << i;
	return bits;
#endif
}

/* the 1 to 8 digits behind the point as a word, missing ones as zeros */
static inline uint64_t dec_after(const char *p, unsigned n)
{
	unsigned missing = 64 - 8 * n; /* bits */

	return num_load(p) << missing >> missing & NUM_DIGITS;
}

/* how many of them there are without the zeros at the end */
static inline unsigned dec_digits(uint64_t after)
{
	return (71 - (unsigned)__builtin_clzll(after | 1)) / 8 - (after == 0);
}

/* t: readable for DEC_PAD bytes. false: something else, look closer */
static inline bool dec_look(struct span t, struct dec_plain *out)
{
	unsigned n = (unsigned)t.n;

	if (t.n - 1 >= 16)
		return false;
	unsigned others = dec_no_digits(t.p) << (32 - n); /* those of the text, moved to the top */
	if (others == 0) {
		*out = (struct dec_plain){ n, 0, 0 };
		return n <= 8;
	}
	unsigned whole = (unsigned)__builtin_ctz(others) - (32 - n);
	unsigned fraction = n - whole - 1;
	if ((others & (others - 1)) != 0 || ((whole - 1) | (fraction - 1)) > 7 || t.p[whole] != '.')
		return false;
	uint64_t after = dec_after(t.p + whole + 1, fraction);
	*out = (struct dec_plain){ whole, dec_digits(after), after };
	return true;
}

/* the 1 to 8 digits before the point, zeros in front of them */
static inline uint64_t dec_before(const char *p, unsigned n)
{
	return num_load(p) << (64 - 8 * n) & NUM_DIGITS;
}

enum dec_result dec_canon_odd(struct span text, char scratch[DEC_TEXT_MAX], struct dec_text *out);

static inline enum dec_result dec_canon(struct span text, char scratch[DEC_TEXT_MAX], struct dec_text *out)
{
	struct dec_plain n;

	if (__builtin_expect(!dec_look(text, &n) || ((text.p[0] == '0') & (n.whole > 1)), 0))
		return dec_canon_odd(text, scratch, out);
	*out = (struct dec_text){ { text.p, n.whole + n.fraction + (n.fraction > 0) }, true, n.whole, n.after };
	return DEC_OK;
}

/* ".125" for a row of eight digits behind the point, without the zeros at the end; nothing where there is nothing else.
 * Nine bytes are written whatever comes of it. */
static inline char *dec_print_after(char *out, uint64_t digits)
{
	*out = '.';
	num_store(out + 1, digits | NUM_ZEROS);
	return out + dec_digits(digits) + (digits != 0);
}

/* The mean of two rows of eight digits that stand behind the same whole; *rest: it has a ninth, a 5. The sum digit by digit:
 * 246 more in each byte, and a ten goes over to the next by itself; then half of each, and 5 for what is left of the one
 * before. */
static inline uint64_t dec_mean_of_digits(uint64_t a, uint64_t b, bool *rest)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t sum;
	bool over = __builtin_add_overflow(__builtin_bswap64(a), __builtin_bswap64(b) + 246 * ones, &sum);

	sum = (sum & 15 * ones) - 6 * (sum >> 4 & ones); /* where nothing went over there are six too many */
	uint64_t odd = sum & ones;
	*rest = odd & 1;
	return __builtin_bswap64((sum - odd) / 2 + 5 * (odd >> 8 | (uint64_t)over << 56));
}

enum dec_result dec_mean_odd(const struct dec_text *a, const struct dec_text *b, char out[DEC_TEXT_MAX], char **end);

/* A bid and its ask mostly have the same digits before the point, and then so has their mean. */
static inline enum dec_result dec_mean(const struct dec_text *a, const struct dec_text *b, char out[DEC_TEXT_MAX],
    char **end)
{
	bool same = a->plain && b->plain && a->before == b->before &&
	    dec_before(a->text.p, a->before) == dec_before(b->text.p, b->before);

	if (__builtin_expect(!same, 0)) {
		struct dec_text left = *a, right = *b;
		return dec_mean_odd(&left, &right, out, end);
	}
	bool rest;
	uint64_t digits = dec_mean_of_digits(a->after, b->after, &rest);
	memcpy(out, a->text.p, 8);
	char *point = out + a->before;
	*end = dec_print_after(point, digits);
	if (rest) { /* a ninth digit, behind all eight of them */
		point[9] = '5';
		*end = point + 10;
	}
	return DEC_OK;
}

/* m x 10^n in 64 bits; false: it does not fit */
static inline bool dec_raise_small(dec_int m, int n, int64_t *out)
{
	*out = (int64_t)m;
	return *out == m && n <= 18 /* whose power fits */ &&
	    !__builtin_mul_overflow(*out, (int64_t)num_power_of_ten[n], out);
}

enum dec_result dec_add_large(const struct dec *a, const struct dec *b, struct dec *out);
enum dec_result dec_mul_large(const struct dec *a, const struct dec *b, struct dec *out);

/* The rest is handed copies, here and nowhere before: a number that is handed to another function has to be in memory, and
 * what fits shall stay in registers. */
static inline enum dec_result dec_by(enum dec_result (*f)(const struct dec *, const struct dec *, struct dec *),
    struct dec a, struct dec b, struct dec *out)
{
	struct dec large;
	enum dec_result r = f(&a, &b, &large);

	if (r == DEC_OK)
		*out = large;
	return r;
}

static inline enum dec_result dec_add(struct dec a, struct dec b, struct dec *out)
{
	int scale = a.scale > b.scale ? a.scale : b.scale;
	int64_t x, y, sum;
	bool small = dec_raise_small(a.m, scale - a.scale, &x) && dec_raise_small(b.m, scale - b.scale, &y) &&
	    !__builtin_add_overflow(x, y, &sum);

	if (__builtin_expect(!small, 0))
		return dec_by(dec_add_large, a, b, out);
	*out = (struct dec){ sum, scale };
	return DEC_OK;
}

static inline enum dec_result dec_mul(struct dec a, struct dec b, struct dec *out)
{
	int scale = a.scale + b.scale;
	int64_t x, y, product;
	bool small = dec_raise_small(a.m, 0, &x) && dec_raise_small(b.m, 0, &y) &&
	    !__builtin_mul_overflow(x, y, &product) && scale <= DEC_MAX_SCALE;

	if (__builtin_expect(!small, 0))
		return dec_by(dec_mul_large, a, b, out);
	*out = (struct dec){ product, product ? scale : 0 };
	return DEC_OK;
}

static inline enum dec_result dec_sub(struct dec a, struct dec b, struct dec *out)
{
	b.m = -b.m;
	return dec_add(a, b, out);
}

/* p: the digits before the point */
static inline struct dec dec_of_plain(const char *p, const struct dec_plain *n)
{
	uint64_t whole = num_of_eight(dec_before(p, n->whole));
	uint64_t after = num_of_eight(n->after << ((64 - 8 * n->fraction) & 63));

	return (struct dec){ (dec_int)(whole * num_power_of_ten[n->fraction] + after), (int)n->fraction };
}

/* the value of a text that is plain */
static inline struct dec dec_of_text(const struct dec_text *t)
{
	unsigned fraction = t->text.n > t->before ? (unsigned)t->text.n - t->before - 1 : 0;

	return dec_of_plain(t->text.p, &(struct dec_plain){ t->before, fraction, t->after });
}

#endif
