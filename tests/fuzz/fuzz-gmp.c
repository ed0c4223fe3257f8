/* lib/dec against GMP's rationals: "A B C" with blanks between, read by a parser of this file's own. What lib/dec says
 * is right to the last digit; and it says that a result does not fit only where it does not.
 *
 * links: gmp */
#include "fuzz.h"

#include <gmp.h>

#include "dec.h"

#define FUZZ_GMP_DIGITS 60 /* longer texts are no test of arithmetic */

static size_t fuzz_gmp_digits(struct span s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
		n++;
	return n;
}

static void fuzz_gmp_power(mpz_t out, long n)
{
	mpz_ui_pow_ui(out, 10, (unsigned long)n);
}

/* m x 10^e */
static void fuzz_gmp_scale(mpq_t out, const mpz_t m, long e)
{
	mpz_t power;

	mpz_init(power);
	fuzz_gmp_power(power, e < 0 ? -e : e);
	mpq_set_z(out, m);
	mpz_mul(e < 0 ? mpq_denref(out) : mpq_numref(out), e < 0 ? mpq_denref(out) : mpq_numref(out), power);
	mpq_canonicalize(out);
	mpz_clear(power);
}

/* the grammar of dec_parse, once more. 1: a number, 0: none, -1: too long to be looked at */
static int fuzz_gmp_parse(struct span s, mpq_t out)
{
	char digits[2 * FUZZ_GMP_DIGITS + 2];
	size_t at = s.n && (s.p[0] == '-' || s.p[0] == '+'), after = 0, whole, n = 0;
	long e = 0;
	mpz_t m;

	whole = fuzz_gmp_digits(s, at);
	if (whole == 0)
		return 0;
	size_t point = at + whole;
	if (point < s.n && s.p[point] == '.') {
		after = fuzz_gmp_digits(s, point + 1);
		if (after == 0)
			return 0;
	}
	size_t end = point + (after ? after + 1 : 0);
	if (end < s.n && (s.p[end] == 'e' || s.p[end] == 'E')) {
		size_t sign = end + 1 < s.n && (s.p[end + 1] == '-' || s.p[end + 1] == '+');
		size_t k = fuzz_gmp_digits(s, end + 1 + sign);
		if (k == 0)
			return 0;
		if (k > 4)
			return end + 1 + sign + k == s.n ? -1 : 0;
		for (size_t i = 0; i < k; i++)
			e = 10 * e + (s.p[end + 1 + sign + i] - '0');
		e = s.p[end + 1] == '-' ? -e : e;
		end += 1 + sign + k;
	}
	if (end != s.n)
		return 0;
	if (whole > FUZZ_GMP_DIGITS || after > FUZZ_GMP_DIGITS)
		return -1;
	memcpy(digits, s.p + at, whole);
	memcpy(digits + whole, s.p + point + (after > 0), after);
	n = whole + after;
	digits[n] = '\0';
	mpz_init_set_str(m, digits, 10);
	if (s.p[0] == '-')
		mpz_neg(m, m);
	fuzz_gmp_scale(out, m, e - (long)after);
	mpz_clear(m);
	return 1;
}

static void fuzz_gmp_of(mpq_t out, struct dec d)
{
	dec_int m = d.m < 0 ? -d.m : d.m;
	mpz_t z, low;

	mpz_init_set_ui(z, (unsigned long)(m >> 64));
	mpz_init_set_ui(low, (unsigned long)m);
	mpz_mul_2exp(z, z, 64);
	mpz_add(z, z, low);
	if (d.m < 0)
		mpz_neg(z, z);
	fuzz_gmp_scale(out, z, -(long)d.scale);
	mpz_clear(low);
	mpz_clear(z);
}

/* it has a place among m / 10^scale with |m| < 10^38, 0 <= scale <= 38 */
static bool fuzz_gmp_fits(const mpq_t x)
{
	mpz_t power, rest, most;
	long scale = 0;

	mpz_init(power);
	mpz_init(rest);
	mpz_init(most);
	for (; scale <= DEC_MAX_SCALE; scale++) {
		fuzz_gmp_power(power, scale);
		mpz_mul(power, power, mpq_numref(x));
		if (mpz_divisible_p(power, mpq_denref(x)))
			break;
	}
	mpz_divexact(rest, power, mpq_denref(x));
	fuzz_gmp_power(most, 38);
	bool fits = scale <= DEC_MAX_SCALE && mpz_cmpabs(rest, most) < 0;
	mpz_clear(most);
	mpz_clear(rest);
	mpz_clear(power);
	return fits;
}

/* what lib/dec says of an operation is what it should be */
static void fuzz_gmp_is(enum dec_result r, struct dec got, const mpq_t should)
{
	mpq_t x;

	if (r == DEC_OK) {
		mpq_init(x);
		fuzz_gmp_of(x, got);
		FUZZ_CHECK(mpq_equal(x, should));
		FUZZ_CHECK(got.scale >= 0 && got.scale <= DEC_MAX_SCALE);
		mpq_clear(x);
	} else {
		FUZZ_CHECK(r == DEC_RANGE && !fuzz_gmp_fits(should));
	}
}

/* x cut off toward zero behind so many decimals */
static void fuzz_gmp_cut(mpq_t x, int places)
{
	mpz_t power, q;

	mpz_init(power);
	mpz_init(q);
	fuzz_gmp_power(power, places);
	mpz_mul(q, mpq_numref(x), power);
	mpz_tdiv_q(q, q, mpq_denref(x));
	fuzz_gmp_scale(x, q, -(long)places);
	mpz_clear(q);
	mpz_clear(power);
}

static void fuzz_gmp_sums(struct dec a, struct dec b, const mpq_t x, const mpq_t y)
{
	struct dec out = DEC_NIL;
	mpq_t z;

	mpq_init(z);
	mpq_add(z, x, y);
	enum dec_result r = dec_add(a, b, &out);
	fuzz_gmp_is(r, out, z);
	mpq_sub(z, x, y);
	r = dec_sub(a, b, &out);
	fuzz_gmp_is(r, out, z);
	int cmp = mpq_cmp(x, y);
	FUZZ_CHECK(dec_cmp(a, b) == (cmp > 0) - (cmp < 0));
	mpq_mul(z, x, y);
	r = dec_mul(a, b, &out);
	fuzz_gmp_is(r, out, z);
	mpq_set_ui(z, 1, 2);
	mpq_mul(z, z, x);
	r = dec_halve(a, &out);
	fuzz_gmp_is(r, out, z);
	mpq_clear(z);
}

/* has it 38 digits at most with as many decimals as the other one needs? */
static bool fuzz_gmp_level(struct dec whole, struct dec part)
{
	whole = dec_strip(whole);
	part = dec_strip(part);
	mpq_t x;
	mpz_t most;

	mpq_init(x);
	mpz_init(most);
	fuzz_gmp_of(x, whole);
	fuzz_gmp_power(most, part.scale > whole.scale ? part.scale : whole.scale);
	mpz_mul(mpq_numref(x), mpq_numref(x), most);
	mpz_tdiv_q(mpq_numref(x), mpq_numref(x), mpq_denref(x));
	fuzz_gmp_power(most, 38);
	bool level = mpz_cmpabs(mpq_numref(x), most) < 0;
	mpz_clear(most);
	mpq_clear(x);
	return level;
}

static void fuzz_gmp_parts(
    struct dec a, struct dec b, struct dec c, const mpq_t x, const mpq_t y, const mpq_t v, int places)
{
	struct dec out = DEC_NIL;
	mpq_t z, size_y, size_v;

	mpq_init(z);
	mpq_init(size_y);
	mpq_init(size_v);
	enum dec_result r = dec_div_trunc(a, b, places, &out);
	FUZZ_CHECK((r == DEC_ZERO) == (mpq_sgn(y) == 0));
	if (mpq_sgn(y)) {
		mpq_div(z, x, y);
		fuzz_gmp_cut(z, places);
		fuzz_gmp_is(r, out, z);
	}
	mpq_abs(size_y, y);
	mpq_abs(size_v, v);
	r = dec_share_trunc(a, b, c, places, &out);
	if (mpq_sgn(v) && mpq_cmp(size_y, size_v) <= 0 && fuzz_gmp_level(c, b)) {
		mpq_mul(z, x, y);
		mpq_div(z, z, v);
		fuzz_gmp_cut(z, places);
		fuzz_gmp_is(r, out, z);
	} else {
		FUZZ_CHECK(r != DEC_OK);
	}
	mpq_clear(size_v);
	mpq_clear(size_y);
	mpq_clear(z);
}

/* false: no number, or one that does not fit, of which both are sure */
static bool fuzz_gmp_number(struct span text, struct dec *out, mpq_t x)
{
	struct span padded = subject_pad(text);
	char print[DEC_TEXT_MAX];
	mpq_t back;
	int is = fuzz_gmp_parse(text, x);
	enum dec_result r = dec_parse(padded, out);

	subject_unpad(padded);
	if (is < 0)
		return false;
	FUZZ_CHECK((r == DEC_SYNTAX) == (is == 0));
	if (is)
		fuzz_gmp_is(r, r == DEC_OK ? *out : DEC_NIL, x);
	if (r != DEC_OK)
		return false;
	/* and back */
	mpq_init(back);
	struct span printed = { print, (size_t)(dec_print(print, *out) - print) };
	FUZZ_CHECK(fuzz_gmp_parse(printed, back) == 1 && mpq_equal(back, x));
	mpq_clear(back);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size };
	struct dec d[3];
	mpq_t x[3];
	unsigned n = 0;

	for (size_t i = 0; i < 3; i++)
		mpq_init(x[i]);
	while (n < 3 && rest.p && fuzz_gmp_number(span_cut(rest, ' ', &rest), &d[n], x[n]))
		n++;
	if (n >= 2)
		fuzz_gmp_sums(d[0], d[1], x[0], x[1]);
	if (n >= 2) {
		unsigned third = n == 3 ? 2 : 0;
		fuzz_gmp_parts(d[0], d[1], d[third], x[0], x[1], x[third], (int)(size % (DEC_MAX_SCALE + 1)));
	}
	for (size_t i = 0; i < 3; i++)
		mpq_clear(x[i]);
	return 0;
}
