#include "dec.h"

#include <stdint.h>

__extension__ typedef unsigned __int128 wide;

#define DIGITS_MAX 38
#define SHORT_MAX  18 /* digits that fit an int64 whatever they are */

/* 10^0 .. 10^38 */
static wide power_of_ten(int n)
{
	static const uint64_t small[] = {
		1ULL,
		10ULL,
		100ULL,
		1000ULL,
		10000ULL,
		100000ULL,
		1000000ULL,
		10000000ULL,
		100000000ULL,
		1000000000ULL,
		10000000000ULL,
		100000000000ULL,
		1000000000000ULL,
		10000000000000ULL,
		100000000000000ULL,
		1000000000000000ULL,
		10000000000000000ULL,
		100000000000000000ULL,
		1000000000000000000ULL,
		10000000000000000000ULL,
	};

	return n <= 19 ? small[n] : (wide)small[19] * small[n - 19];
}

static wide magnitude(dec_int m)
{
	return m < 0 ? (wide)0 - (wide)m : (wide)m;
}

static bool fits(dec_int m)
{
	return magnitude(m) < power_of_ten(DIGITS_MAX);
}

/* m x 10^n, checked */
static bool scale_up(dec_int m, int n, dec_int *out)
{
	return n <= DIGITS_MAX && !__builtin_mul_overflow(m, (dec_int)power_of_ten(n), out) && fits(*out);
}

static struct dec strip(struct dec a)
{
	while (a.scale > 0 && a.m % 10 == 0) {
		a.m /= 10;
		a.scale--;
	}
	if (a.m == 0)
		a.scale = 0;
	return a;
}

static enum dec_result give(dec_int m, int scale, struct dec *out)
{
	struct dec r = { m, scale };

	if (scale > DEC_MAX_SCALE)
		r = strip(r);
	if (r.scale > DEC_MAX_SCALE || !fits(r.m))
		return DEC_RANGE;
	*out = r;
	return DEC_OK;
}

/* ------------------------------------------------------------------------------------------------ text in */

/* What nearly every number of the wire looks like: an optional '-', at most SHORT_MAX digits, an optional point
 * inside. false: look closer. */
static bool parse_short(struct span t, struct dec *out)
{
	size_t i = t.n > 0 && t.p[0] == '-';
	size_t first = i;
	size_t point = 0;
	uint64_t m = 0;

	if (t.n == i || t.n > SHORT_MAX)
		return false;
	for (; i < t.n; i++) {
		unsigned digit = (unsigned char)t.p[i] - (unsigned)'0';
		if (digit <= 9)
			m = m * 10 + digit;
		else if (t.p[i] == '.' && !point && i > first)
			point = i;
		else
			return false;
	}
	int scale = point ? (int)(t.n - 1 - point) : 0;
	if (point && scale == 0)
		return false;
	while (scale > 0 && m % 10 == 0) {
		m /= 10;
		scale--;
	}
	*out = (struct dec){ first ? -(dec_int)m : (dec_int)m, scale };
	return true;
}

/* digits met so far: value = m x 10^(zeros - decimals); zeros at the end wait until a digit follows them */
struct digits {
	wide m;
	long zeros;
	long decimals;
	bool any;
	bool over;
};

static void take_digit(struct digits *d, unsigned digit, bool behind_point)
{
	d->any = true;
	d->decimals += behind_point;
	if (digit == 0) {
		d->zeros += d->m != 0;
		return;
	}
	for (; d->zeros >= 0; d->zeros--) {
		if (d->m >= power_of_ten(DIGITS_MAX - 1)) {
			d->over = true;
			break;
		}
		d->m *= 10;
	}
	d->zeros = 0;
	d->m += digit;
}

static const char *take_digits(struct digits *d, const char *p, const char *end, bool behind_point)
{
	d->any = false;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		take_digit(d, (unsigned)(*p - '0'), behind_point);
	return p;
}

/* "e8", "E-7" at p; what it says, cut at a size no value here survives */
static const char *take_exponent(const char *p, const char *end, long *exponent)
{
	bool negative = false;
	long e = 0;

	p++;
	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (p == end)
		return NULL;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return NULL;
		e = e < 100000 ? e * 10 + (*p - '0') : e;
	}
	*exponent = negative ? -e : e;
	return p;
}

static enum dec_result parse_long(struct span t, struct dec *out)
{
	const char *p = t.p;
	const char *end = t.p + t.n;
	struct digits d = { 0 };
	bool negative = false;
	long exponent = 0;

	if (p < end && (*p == '-' || *p == '+'))
		negative = *p++ == '-';
	p = take_digits(&d, p, end, false);
	if (!d.any)
		return DEC_SYNTAX;
	if (p < end && *p == '.') {
		p = take_digits(&d, p + 1, end, true);
		if (!d.any)
			return DEC_SYNTAX;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p = take_exponent(p, end, &exponent);
		if (!p)
			return DEC_SYNTAX;
	}
	if (p != end)
		return DEC_SYNTAX;
	if (d.over)
		return DEC_RANGE;
	if (d.m == 0) {
		*out = DEC_NIL;
		return DEC_OK;
	}
	long power = d.zeros - d.decimals + exponent;
	dec_int m = negative ? -(dec_int)d.m : (dec_int)d.m;
	if (power < -DEC_MAX_SCALE || power > DIGITS_MAX || (power > 0 && !scale_up(m, (int)power, &m)))
		return DEC_RANGE;
	return give(m, power < 0 ? (int)-power : 0, out);
}

enum dec_result dec_parse(struct span text, struct dec *out)
{
	return parse_short(text, out) ? DEC_OK : parse_long(text, out);
}

/* ----------------------------------------------------------------------------------------------- arithmetic */

static void split(struct dec a, wide *whole, wide *fraction)
{
	wide m = magnitude(a.m);
	wide one = power_of_ten(a.scale);

	*whole = m / one;
	/* as 38 decimals: below 10^38, which fits */
	*fraction = m % one * power_of_ten(DEC_MAX_SCALE - a.scale);
}

int dec_cmp(struct dec a, struct dec b)
{
	int sign = dec_sign(a);
	wide whole_a, whole_b, part_a, part_b;

	if (sign != dec_sign(b))
		return sign < dec_sign(b) ? -1 : 1;
	if (a.scale == b.scale)
		return (a.m > b.m) - (a.m < b.m);
	split(a, &whole_a, &part_a);
	split(b, &whole_b, &part_b);
	if (whole_a != whole_b)
		return whole_a > whole_b ? sign : -sign;
	return part_a == part_b ? 0 : part_a > part_b ? sign : -sign;
}

/* both to the larger scale; where that does not fit, once more without trailing zeros */
static bool align(struct dec *a, struct dec *b)
{
	for (int attempt = 0; attempt < 2; attempt++) {
		struct dec *low = a->scale < b->scale ? a : b;
		struct dec *high = low == a ? b : a;
		dec_int m;
		if (scale_up(low->m, high->scale - low->scale, &m)) {
			*low = (struct dec){ m, high->scale };
			return true;
		}
		*a = strip(*a);
		*b = strip(*b);
	}
	return false;
}

enum dec_result dec_add(struct dec a, struct dec b, struct dec *out)
{
	if (a.scale != b.scale && !align(&a, &b))
		return DEC_RANGE;
	return give(a.m + b.m, a.scale, out); /* two values below 10^38 cannot overflow 2^127 */
}

enum dec_result dec_sub(struct dec a, struct dec b, struct dec *out)
{
	b.m = -b.m;
	return dec_add(a, b, out);
}

enum dec_result dec_mul(struct dec a, struct dec b, struct dec *out)
{
	dec_int m;

	if (__builtin_mul_overflow(a.m, b.m, &m) || !fits(m)) {
		a = strip(a);
		b = strip(b);
		if (__builtin_mul_overflow(a.m, b.m, &m))
			return DEC_RANGE;
	}
	return give(m, a.scale + b.scale, out);
}

enum dec_result dec_halve(struct dec a, struct dec *out)
{
	if (a.m % 2 == 0)
		return give(a.m / 2, a.scale, out);
	dec_int m;
	if (__builtin_mul_overflow(a.m, (dec_int)5, &m))
		return DEC_RANGE; /* an odd mantissa has no trailing zero to give up */
	return give(m, a.scale + 1, out);
}

/* the next decimal digit of r / d, and the remainder: r x 10 may not fit, so ten additions modulo d */
static unsigned next_digit(wide *r, wide d)
{
	unsigned digit = 0;
	wide sum = 0;

	for (int i = 0; i < 10; i++) {
		sum += *r;
		if (sum >= d) {
			sum -= d;
			digit++;
		}
	}
	*r = sum;
	return digit;
}

enum dec_result dec_div_trunc(struct dec a, struct dec b, int places, struct dec *out)
{
	if (b.m == 0)
		return DEC_ZERO;
	a = strip(a);
	b = strip(b);
	bool negative = (a.m < 0) != (b.m < 0);
	wide d = magnitude(b.m);
	wide q = magnitude(a.m) / d;
	wide r = magnitude(a.m) % d;
	int shift = places + b.scale - a.scale; /* a / b x 10^places = q.r x 10^shift */

	for (; shift > 0; shift--) {
		if (q >= power_of_ten(DIGITS_MAX - 1))
			return DEC_RANGE;
		q = q * 10 + next_digit(&r, d);
	}
	for (; shift < 0; shift++)
		q /= 10;
	*out = strip((struct dec){ negative ? -(dec_int)q : (dec_int)q, places });
	return DEC_OK;
}

/* ----------------------------------------------------------------------------------------------- text out */

/* the digits of v, most significant first, at least `least` of them */
static char *print_digits(char *out, wide v, int least)
{
	char text[40];
	int n = 0;

	while (v > UINT64_MAX) {
		text[n++] = (char)('0' + (int)(v % 10));
		v /= 10;
	}
	for (uint64_t low = (uint64_t)v; low; low /= 10)
		text[n++] = (char)('0' + low % 10);
	while (n < least)
		text[n++] = '0';
	while (n)
		*out++ = text[--n];
	return out;
}

char *dec_print(char out[DEC_TEXT_MAX], struct dec a)
{
	a = strip(a);
	if (a.m < 0)
		*out++ = '-';
	char *end = print_digits(out, magnitude(a.m), a.scale + 1);
	if (a.scale == 0)
		return end;
	char *point = end - a.scale;
	memmove(point + 1, point, (size_t)a.scale);
	*point = '.';
	return end + 1;
}

/* digits at p, all of [p, end) */
static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && (unsigned char)(*p - '0') <= 9)
		p++;
	return p;
}

/* canonical but for zeros at the end of the fraction? then the part of it that is canonical */
static bool canon_short(struct span t, struct span *out)
{
	const char *end = t.p + t.n;
	const char *first = t.p + (t.n > 0 && t.p[0] == '-');
	const char *p = skip_digits(first, end);

	if (p == first || (*first == '0' && p - first > 1) || t.n > DIGITS_MAX)
		return false;
	if (p < end) {
		const char *fraction = p + 1;
		if (*p != '.' || fraction == end || skip_digits(fraction, end) != end)
			return false;
		while (end > fraction && end[-1] == '0')
			end--;
		if (end == fraction)
			end = p;
	}
	if (first != t.p && *first == '0' && end - first == 1)
		return false; /* "-0" */
	*out = (struct span){ t.p, (size_t)(end - t.p) };
	return true;
}

enum dec_result dec_canon(struct span text, char scratch[DEC_TEXT_MAX], struct span *out)
{
	struct dec d;

	if (canon_short(text, out))
		return DEC_OK;
	enum dec_result r = dec_parse(text, &d);
	if (r == DEC_OK)
		*out = (struct span){ scratch, (size_t)(dec_print(scratch, d) - scratch) };
	return r;
}

const char *dec_reason(enum dec_result r)
{
	static const char *const reasons[] = {
		[DEC_OK] = "fine",
		[DEC_SYNTAX] = "not a decimal number",
		[DEC_RANGE] = "more than 38 digits",
		[DEC_ZERO] = "division by zero",
	};

	return reasons[r];
}
