#include "dec.h"

__extension__ typedef unsigned __int128 wide;

#define DIGITS_MAX 38
#define SHORT_MAX  18 /* digits that fit an int64 whatever they are */

/* 10^0 .. 10^38 */
static wide power_of_ten(int n)
{
	return n <= 19 ? num_power_of_ten[n] : (wide)num_power_of_ten[19] * num_power_of_ten[n - 19];
}

static wide magnitude(dec_int m)
{
	return m < 0 ? (wide)0 - (wide)m : (wide)m;
}

/* m x 10^n; false: over 128 bits */
static bool raise(wide *m, int n)
{
	return n == 0 || (n <= DIGITS_MAX && !__builtin_mul_overflow(*m, power_of_ten(n), m));
}

struct dec dec_strip(struct dec a)
{
	int64_t m = (int64_t)a.m;

	if (m == a.m) { /* most are, and 64 bits divide faster */
		for (; a.scale > 0 && m % 10 == 0; a.scale--)
			m /= 10;
		return (struct dec){ m, m ? a.scale : 0 };
	}
	while (a.scale > 0 && a.m % 10 == 0) {
		a.m /= 10;
		a.scale--;
	}
	if (a.m == 0)
		a.scale = 0;
	return a;
}

/* the value of +-m / 10^scale; trailing zeros are given up where they are in the way */
static enum dec_result give(bool negative, wide m, int scale, struct dec *out)
{
	while (scale > 0 && (scale > DEC_MAX_SCALE || m >= power_of_ten(DIGITS_MAX)) && m % 10 == 0) {
		m /= 10;
		scale--;
	}
	if (m == 0)
		scale = 0;
	if (scale > DEC_MAX_SCALE || m >= power_of_ten(DIGITS_MAX))
		return DEC_RANGE;
	*out = (struct dec){ negative ? -(dec_int)m : (dec_int)m, scale };
	return DEC_OK;
}

/* ------------------------------------------------------------------------------------------------ text in */

static inline bool parse_plain(struct span t, struct dec *out)
{
	struct dec_plain n;

	if (!dec_look(t, &n))
		return false;
	*out = dec_of_plain(t.p, &n);
	return true;
}

/* the same without padding: an optional '-', at most SHORT_MAX digits, an optional point inside */
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
	if (power < -DEC_MAX_SCALE || power > DIGITS_MAX || (power > 0 && !raise(&d.m, (int)power)))
		return DEC_RANGE;
	return give(negative, d.m, power < 0 ? (int)-power : 0, out);
}

enum dec_result dec_parse(struct span text, struct dec *out)
{
	return parse_short(text, out) ? DEC_OK : parse_long(text, out);
}

enum dec_result dec_parse_padded(struct span text, struct dec *out)
{
	return parse_plain(text, out) ? DEC_OK : dec_parse(text, out);
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

/* Without a sign 128 bits hold every sum of two mantissas, and every aligned mantissa whose sum or difference with
 * another can fit. false: they do not, and the result may fit only when trailing zeros of a or b are given up. */
static bool add_aligned(struct dec a, struct dec b, enum dec_result *result, struct dec *out)
{
	int scale = a.scale > b.scale ? a.scale : b.scale;
	wide x = magnitude(a.m), y = magnitude(b.m);
	bool negative = a.m < 0;

	if (!raise(&x, scale - a.scale) || !raise(&y, scale - b.scale))
		return false;
	if (negative != (b.m < 0)) {
		negative ^= y > x;
		x = y > x ? y - x : x - y;
	} else if (__builtin_add_overflow(x, y, &x)) {
		return false;
	}
	*result = give(negative, x, scale, out);
	return true;
}

enum dec_result dec_add_large(const struct dec *a, const struct dec *b, struct dec *out)
{
	enum dec_result result;

	if (add_aligned(*a, *b, &result, out) || add_aligned(dec_strip(*a), dec_strip(*b), &result, out))
		return result;
	return DEC_RANGE;
}

/* Makes a product smaller: tens on either side, and a two of one with a five of the other, for as long as there is a
 * decimal to give up for each. Afterwards a product that does not fit has no trailing zero to lose. */
static void cancel_tens(dec_int *a, dec_int *b, int *scale)
{
	static const struct {
		int a, b;
	} pairs[] = { { 10, 1 }, { 1, 10 }, { 5, 2 }, { 2, 5 } };

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		while (*scale > 0 && *a % pairs[i].a == 0 && *b % pairs[i].b == 0 && *a && *b) {
			*a /= pairs[i].a;
			*b /= pairs[i].b;
			(*scale)--;
		}
}

enum dec_result dec_mul_large(const struct dec *a, const struct dec *b, struct dec *out)
{
	int scale = a->scale + b->scale;
	dec_int x = a->m, y = b->m, m;

	if (__builtin_mul_overflow(x, y, &m)) {
		cancel_tens(&x, &y, &scale);
		if (__builtin_mul_overflow(x, y, &m))
			return DEC_RANGE;
	}
	return give(m < 0, magnitude(m), scale, out);
}

enum dec_result dec_halve(struct dec a, struct dec *out)
{
	wide m = magnitude(a.m);
	int64_t tenfold;

	if (dec_raise_small(a.m, 1, &tenfold) && a.scale < DEC_MAX_SCALE) {
		*out = tenfold % 20 == 0 ? (struct dec){ tenfold / 20, a.scale } : (struct dec){ tenfold / 2, a.scale + 1 };
		return DEC_OK;
	}
	if (m % 2 == 0)
		return give(a.m < 0, m / 2, a.scale, out);
	if (m >= power_of_ten(DIGITS_MAX) / 5)
		return DEC_RANGE; /* an odd mantissa times five ends in a five: no trailing zero to give up */
	return give(a.m < 0, m * 5, a.scale + 1, out);
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

/* q and `zeros` zeros behind it become one digit longer; zeros wait until a digit follows them */
static bool append_digit(wide *q, int *zeros, unsigned digit)
{
	if (digit == 0) {
		(*zeros)++;
		return true;
	}
	for (; *zeros >= 0; (*zeros)--) {
		if (*q >= power_of_ten(DIGITS_MAX - 1))
			return false;
		*q *= 10;
	}
	*zeros = 0;
	*q += digit;
	return true;
}

enum dec_result dec_div_trunc(struct dec a, struct dec b, int places, struct dec *out)
{
	if (b.m == 0)
		return DEC_ZERO;
	a = dec_strip(a);
	b = dec_strip(b);
	bool negative = (a.m < 0) != (b.m < 0);
	wide d = magnitude(b.m);
	wide q = magnitude(a.m) / d;
	wide r = magnitude(a.m) % d;
	int shift = places + b.scale - a.scale; /* a / b x 10^places = q.r x 10^shift */
	int zeros = 0;

	for (; shift > 0; shift--)
		if (!append_digit(&q, &zeros, next_digit(&r, d)))
			return DEC_RANGE;
	for (; shift < 0; shift++)
		q /= 10;
	for (; zeros > places; zeros--) {
		if (q >= power_of_ten(DIGITS_MAX - 1))
			return DEC_RANGE;
		q *= 10;
	}
	enum dec_result result = give(negative, q, places - zeros, out);
	if (result == DEC_OK)
		*out = dec_strip(*out);
	return result;
}

/* the same mantissas at one scale; false: over 128 bits */
static bool level(struct dec a, struct dec b, wide *x, wide *y)
{
	int scale = a.scale > b.scale ? a.scale : b.scale;

	*x = magnitude(a.m);
	*y = magnitude(b.m);
	return raise(x, scale - a.scale) && raise(y, scale - b.scale);
}

/* a x part / whole and the remainder, bit by bit from the top of a: what is kept never exceeds two wholes, while the
 * product of a and part may be twice as wide as 128 bits */
static wide share(wide a, wide part, wide whole, wide *remainder)
{
	wide q = 0, r = 0;

	for (int bit = 127; bit >= 0; bit--) {
		q <<= 1;
		r <<= 1;
		if (r >= whole)
			r -= whole, q++;
		if (a >> bit & 1)
			r += part;
		if (r >= whole)
			r -= whole, q++;
	}
	*remainder = r;
	return q;
}

enum dec_result dec_share_trunc(struct dec a, struct dec part, struct dec whole, int places, struct dec *out)
{
	wide p, d, r;
	int zeros = 0, scale = a.scale;

	part = dec_strip(part);
	whole = dec_strip(whole);
	if (whole.m == 0)
		return DEC_ZERO;
	if (!level(part, whole, &p, &d) || p > d || d >= power_of_ten(DIGITS_MAX))
		return DEC_RANGE;
	wide q = share(magnitude(a.m), p, d, &r);
	for (; scale < places; scale++)
		if (!append_digit(&q, &zeros, next_digit(&r, d)))
			return DEC_RANGE;
	for (; scale > places; scale--)
		q /= 10;
	enum dec_result result = give((a.m < 0) != ((part.m < 0) != (whole.m < 0)), q, places - zeros, out);
	if (result == DEC_OK)
		*out = dec_strip(*out);
	return result;
}

/* ----------------------------------------------------------------------------------------------- text out */

/* the digits of v, most significant first */
static char *print_digits(char *out, wide v)
{
	const wide half = power_of_ten(19);
	char text[20];

	if (v < half)
		return num_print_u64(out, (uint64_t)v);
	out = num_print_u64(out, (uint64_t)(v / half)); /* NOLINT(clang-analyzer-core.DivideZero): half is 10^19 */
	size_t n = (size_t)(num_print_u64(text, (uint64_t)(v % half)) - text);
	memset(out, '0', 19 - n);
	memcpy(out + 19 - n, text, n);
	return out + 19;
}

/* in units of 10^-8 */
static inline char *print_fraction(char *out, uint32_t fraction)
{
	return dec_print_after(out, num_as_eight(fraction) ^ NUM_ZEROS);
}

/* what most values are: at most eight digits on either side of the point */
static inline bool print_plain(char **out, struct dec a)
{
	const uint64_t limit = 100000000; /* 10^8 */

	if (a.scale > 8 || magnitude(a.m) >= limit * limit)
		return false;
	uint64_t m = (uint64_t)magnitude(a.m);
	uint64_t one = num_power_of_ten[a.scale];
	uint64_t whole = m / one;
	if (whole >= limit)
		return false;
	**out = '-';
	*out = num_print_short(*out + (a.m < 0), (uint32_t)whole);
	*out = print_fraction(*out, (uint32_t)((m - whole * one) * num_power_of_ten[8 - a.scale]));
	return true;
}

char *dec_print(char out[DEC_TEXT_MAX], struct dec a)
{
	if (print_plain(&out, a))
		return out;
	a = dec_strip(a);
	if (a.m < 0)
		*out++ = '-';
	char *end = print_digits(out, magnitude(a.m));
	if (a.scale == 0)
		return end;
	int missing = a.scale + 1 - (int)(end - out); /* zeros that a fraction needs in front */
	if (missing > 0) {
		memmove(out + missing, out, (size_t)(end - out));
		memset(out, '0', (size_t)missing);
		end += missing;
	}
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

/* the same for longer numbers, and with a sign */
static bool canon_signed(struct span t, struct span *out)
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

enum dec_result dec_canon_odd(struct span text, char scratch[DEC_TEXT_MAX], struct dec_text *out)
{
	struct dec d;

	out->plain = false;
	if (canon_signed(text, &out->text))
		return DEC_OK;
	enum dec_result r = dec_parse(text, &d);
	if (r == DEC_OK)
		out->text = (struct span){ scratch, (size_t)(dec_print(scratch, d) - scratch) };
	return r;
}

/* half of a sum, of which nine digits may stand behind the point; `behind` is in units of 10^-8 and may reach beyond 1 */
static inline char *mean_plain(char *out, uint32_t before, uint32_t behind)
{
	const uint32_t one = 100000000;

	before += behind >= one;
	behind -= behind >= one ? one : 0;
	behind += before & 1 ? one : 0; /* the half that is lost in front */
	out = num_print_short(out, before / 2);
	char *end = print_fraction(out, behind / 2);
	out[9] = '5'; /* behind all eight of them, where there is a rest */
	return behind & 1 ? out + 10 : end;
}

enum dec_result dec_mean_odd(const struct dec_text *a, const struct dec_text *b, char out[DEC_TEXT_MAX], char **end)
{
	struct dec x, y;

	if (a->plain && b->plain) {
		*end = mean_plain(out, num_of_eight(dec_before(a->text.p, a->before) + dec_before(b->text.p, b->before)),
		    num_of_eight(a->after + b->after));
		return DEC_OK;
	}
	enum dec_result r = dec_parse(a->text, &x);
	if (r == DEC_OK)
		r = dec_parse(b->text, &y);
	if (r == DEC_OK)
		r = dec_add(x, y, &x);
	if (r == DEC_OK)
		r = dec_halve(x, &x);
	if (r == DEC_OK)
		*end = dec_print(out, x);
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
