/* lib/dec: laws that hold for any two numbers; "A B" with a blank between them */
#include "fuzz.h"

#include "dec.h"

static bool fuzz_dec_parse(struct span text, struct dec *out)
{
	struct span padded = subject_pad(text);
	char scratch[DEC_TEXT_MAX], print[DEC_TEXT_MAX];
	struct dec other = { 7, 7 };
	struct dec_text canonical;
	enum dec_result r = dec_parse(padded, out);

	FUZZ_CHECK(dec_parse_padded(padded, &other) == r);
	FUZZ_CHECK(dec_canon(padded, scratch, &canonical) == r);
	FUZZ_CHECK(dec_reason(r)[0] != '\0');
	if (r == DEC_OK) {
		struct span printed = { print, (size_t)(dec_print(print, *out) - print) };
		FUZZ_CHECK(dec_cmp(*out, other) == 0 && span_eq(printed, canonical.text));
		FUZZ_CHECK(dec_parse(printed, &other) == DEC_OK && dec_cmp(*out, other) == 0);
		FUZZ_CHECK(other.m == out->m && other.scale == out->scale);
	} else {
		FUZZ_CHECK(other.m == 7 && other.scale == 7);
	}
	subject_unpad(padded);
	return r == DEC_OK;
}

static void fuzz_dec_add(struct dec a, struct dec b)
{
	struct dec sum, same, back;
	enum dec_result r = dec_add(a, b, &sum);

	FUZZ_CHECK(dec_add(b, a, &same) == r);
	if (r == DEC_OK)
		FUZZ_CHECK(dec_cmp(sum, same) == 0 && dec_sub(sum, b, &back) == DEC_OK && dec_cmp(back, a) == 0);
	if (dec_sub(a, b, &sum) == DEC_OK)
		FUZZ_CHECK(dec_sign(sum) == dec_cmp(a, b));
	FUZZ_CHECK(dec_cmp(a, b) == -dec_cmp(b, a) && dec_cmp(a, a) == 0);
}

static void fuzz_dec_mul(struct dec a, struct dec b)
{
	struct dec product, same, half, whole;
	enum dec_result r = dec_mul(a, b, &product);

	FUZZ_CHECK(dec_mul(b, a, &same) == r);
	if (r == DEC_OK)
		FUZZ_CHECK(dec_cmp(product, same) == 0 && dec_sign(product) == dec_sign(a) * dec_sign(b));
	if (dec_halve(a, &half) == DEC_OK)
		FUZZ_CHECK(dec_add(half, half, &whole) == DEC_OK && dec_cmp(whole, a) == 0);
}

/* q x b does not reach beyond a, and less than one unit of the last place is missing */
static void fuzz_dec_div(struct dec a, struct dec b, int places)
{
	struct dec q, part, rest, unit = { 1, places };
	enum dec_result r = dec_div_trunc(a, b, places, &q);

	FUZZ_CHECK((r == DEC_ZERO) == (dec_sign(b) == 0));
	if (r != DEC_OK || dec_mul(q, b, &part) != DEC_OK || dec_sub(a, part, &rest) != DEC_OK)
		return;
	FUZZ_CHECK(dec_sign(rest) == 0 || dec_sign(rest) == dec_sign(a));
	if (dec_mul(unit, b, &unit) != DEC_OK)
		return;
	rest.m = rest.m < 0 ? -rest.m : rest.m;
	unit.m = unit.m < 0 ? -unit.m : unit.m;
	FUZZ_CHECK(dec_cmp(rest, unit) < 0);
}

/* the mean of two texts is what the arithmetic says */
static void fuzz_dec_mean(struct span a, struct span b)
{
	char scratch[2][DEC_TEXT_MAX], text[DEC_TEXT_MAX], want[DEC_TEXT_MAX];
	struct span first = subject_pad(a), second = subject_pad(b);
	struct dec_text x, y;
	struct dec sum, other;
	char *end;

	if (dec_canon(first, scratch[0], &x) == DEC_OK && dec_canon(second, scratch[1], &y) == DEC_OK &&
	    dec_parse(first, &sum) == DEC_OK && dec_parse(second, &other) == DEC_OK) {
		enum dec_result r = dec_add(sum, other, &sum);
		r = r == DEC_OK ? dec_halve(sum, &sum) : r;
		FUZZ_CHECK(dec_mean(&x, &y, text, &end) == r);
		FUZZ_CHECK(r != DEC_OK || span_eq((struct span){ text, (size_t)(end - text) },
		    (struct span){ want, (size_t)(dec_print(want, sum) - want) }));
	}
	subject_unpad(second);
	subject_unpad(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span second;
	struct span first = span_cut((struct span){ (const char *)data, size }, ' ', &second);
	struct dec a, b;

	if (!fuzz_dec_parse(first, &a))
		return 0;
	if (second.p)
		fuzz_dec_mean(first, second);
	if (!second.p || !fuzz_dec_parse(second, &b))
		b = (struct dec){ a.m / 3, a.scale / 2 };
	fuzz_dec_add(a, b);
	fuzz_dec_mul(a, b);
	fuzz_dec_div(a, b, (int)(size % (DEC_MAX_SCALE + 1)));
	return 0;
}
