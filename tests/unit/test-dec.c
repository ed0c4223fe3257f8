/* lib/dec: edges by hand, then thousands of seeded cases against python3's decimal module */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "dec.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])
#define NINES38	 "99999999999999999999999999999999999999"

static struct dec make(const char *text)
{
	struct dec d;

	assert_int_equal(dec_parse(span_of(text), &d), DEC_OK);
	return d;
}

static const char *show(struct dec d)
{
	static char text[DEC_TEXT_MAX];

	*dec_print(text, d) = '\0';
	return text;
}

static void reads_what_the_wire_brings(void **state)
{
	/* from binance's own answers and its users' traps: signs, zeros, 14 decimals, exponents */
	static const char *const pairs[][2] = {
		{ "0", "0" },
		{ "0.00", "0" },
		{ "-0.00", "0" },
		{ "-0", "0" },
		{ "+7", "7" },
		{ "-7.50", "-7.5" },
		{ "007", "7" },
		{ "-000.010", "-0.01" },
		{ "2.0", "2" },
		{ "100", "100" },
		{ "313.20000000000005", "313.20000000000005" },
		{ "0.00000001", "0.00000001" },
		{ "1.0E8", "100000000" },
		{ "1e-7", "0.0000001" },
		{ "12.5e1", "125" },
		{ "1.5E+2", "150" },
		{ "0e999999999", "0" },
		{ "423075730671.12853", "423075730671.12853" },
		{ "999999999999999999", "999999999999999999" },
		{ "9999999999999999999", "9999999999999999999" },
		{ NINES38, NINES38 },
		{ "-" NINES38, "-" NINES38 },
		{ "0." NINES38, "0." NINES38 },
		{ "1e37", "10000000000000000000000000000000000000" },
		{ "1e-38", "0.00000000000000000000000000000000000001" },
		{ "0.100000000000000000000000000000000000000000000000000000", "0.1" },
		{ "00000000000000000000000000000000000000000000000000000.5", "0.5" },
		{ "1000000000000000000000000000000000000000e-10", "100000000000000000000000000000" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++)
		assert_string_equal(show(make(pairs[i][0])), pairs[i][1]);
}

static void refuses_what_is_no_number(void **state)
{
	static const char *const bad[] = { "", "-", "+", ".", ".5", "5.", "1e", "1e+", "e5", "0x1", " 1", "1 ", "1,5",
		"--1", "1.2.3", "1e5.0", "NaN", "Infinity", "-.5", "1_000", "12a", "１" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct dec d = { 42, 1 };
		if (dec_parse(span_of(bad[i]), &d) != DEC_SYNTAX)
			fail_msg("'%s' is not refused", bad[i]);
		assert_true(d.m == 42 && d.scale == 1);
	}
	struct dec d = { 42, 1 };
	assert_int_equal(dec_parse((struct span){ "1\0", 2 }, &d), DEC_SYNTAX);
}

static void says_what_does_not_fit(void **state)
{
	static const char *const big[] = { "1" NINES38, "1e38", "1e39", "1e-39", "0." NINES38 "1", "1." NINES38,
		"1e99999999999999", "1e-99999999999999" };

	(void)state;
	for (size_t i = 0; i < COUNT(big); i++) {
		struct dec d = { 42, 1 };
		if (dec_parse(span_of(big[i]), &d) != DEC_RANGE)
			fail_msg("'%s' is taken", big[i]);
		assert_true(d.m == 42 && d.scale == 1);
	}
}

static void no_operation_wraps(void **state)
{
	struct dec max = make(NINES38);
	struct dec tiny = make("1e-38");
	struct dec out = { 42, 1 };

	(void)state;
	assert_int_equal(dec_add(max, make("1"), &out), DEC_RANGE);
	assert_int_equal(dec_sub(make("-" NINES38), make("1"), &out), DEC_RANGE);
	assert_int_equal(dec_add(max, tiny, &out), DEC_RANGE);
	assert_int_equal(dec_mul(max, make("10"), &out), DEC_RANGE);
	assert_int_equal(dec_mul(max, max, &out), DEC_RANGE);
	assert_int_equal(dec_mul(tiny, make("0.1"), &out), DEC_RANGE);
	assert_int_equal(dec_halve(max, &out), DEC_RANGE);
	assert_int_equal(dec_halve(tiny, &out), DEC_RANGE);
	assert_int_equal(dec_div_trunc(max, tiny, 0, &out), DEC_RANGE);
	assert_int_equal(dec_div_trunc(max, DEC_NIL, 8, &out), DEC_ZERO);
	assert_true(out.m == 42 && out.scale == 1);
}

static void computes_in_place(void **state)
{
	struct dec a = make("142.35");

	(void)state;
	assert_int_equal(dec_add(a, make("142.36"), &a), DEC_OK);
	assert_int_equal(dec_halve(a, &a), DEC_OK);
	assert_string_equal(show(a), "142.355");
	assert_int_equal(dec_sub(a, a, &a), DEC_OK);
	assert_string_equal(show(a), "0");
	assert_int_equal(dec_mul(make("0.02"), make("313.19672593"), &a), DEC_OK);
	assert_string_equal(show(a), "6.2639345186");
	/* volumes and money of 12 + 18 digits */
	assert_int_equal(dec_mul(make("423075730671.12853"), make("0.123456789012345678"), &a), DEC_OK);
	assert_string_equal(show(a), "52231571217.70950006057064672799334");
}

/* binance 5.2: 1 x 100 x (1/11707.70000003 - 1/11788.66626667) is printed as 0.00005866 */
static void cuts_toward_zero(void **state)
{
	struct dec gain, below, out;

	(void)state;
	assert_int_equal(dec_sub(make("11788.66626667"), make("11707.70000003"), &gain), DEC_OK);
	assert_int_equal(dec_mul(gain, make("100"), &gain), DEC_OK);
	assert_int_equal(dec_mul(make("11788.66626667"), make("11707.70000003"), &below), DEC_OK);
	assert_int_equal(dec_div_trunc(gain, below, 8, &out), DEC_OK);
	assert_string_equal(show(out), "0.00005866");
	gain.m = -gain.m;
	assert_int_equal(dec_div_trunc(gain, below, 8, &out), DEC_OK);
	assert_string_equal(show(out), "-0.00005866");
	assert_int_equal(dec_div_trunc(make("-1"), make("3"), 0, &out), DEC_OK);
	assert_string_equal(show(out), "0");
	assert_int_equal(dec_div_trunc(make("2"), make("-3"), 37, &out), DEC_OK);
	assert_string_equal(show(out), "-0.6666666666666666666666666666666666666");
}

/* the product of the first two needs 76 digits */
static void a_share_need_not_fit_on_the_way(void **state)
{
	struct dec out = make("4.2");

	(void)state;
	assert_int_equal(dec_share_trunc(make(NINES38), make("5e37"), make(NINES38), 0, &out), DEC_OK);
	assert_string_equal(show(out), "50000000000000000000000000000000000000");
	assert_int_equal(dec_share_trunc(make("10"), make("1"), make("3"), 4, &out), DEC_OK);
	assert_string_equal(show(out), "3.3333");
	assert_int_equal(dec_share_trunc(make("-10.66667"), make("2"), make("2.00"), 4, &out), DEC_OK);
	assert_string_equal(show(out), "-10.6666");
	assert_int_equal(dec_share_trunc(make("-10"), make("0"), make("3"), 16, &out), DEC_OK);
	assert_string_equal(show(out), "0");
	out = make("4.2");
	assert_int_equal(dec_share_trunc(make("1"), make("3.01"), make("3"), 4, &out), DEC_RANGE);
	assert_int_equal(dec_share_trunc(make("1"), make("0"), make("0"), 4, &out), DEC_ZERO);
	assert_true(out.m == 42 && out.scale == 1);
}

static void compares_unlike_scales(void **state)
{
	static const struct {
		const char *a, *b;
		int expected;
	} cases[] = {
		{ "1", "1.0", 0 },
		{ "1", "1.0000000000000000000000000000000000001", -1 },
		{ NINES38, "0." NINES38, 1 },
		{ "-" NINES38, "0." NINES38, -1 },
		{ "-1.5", "-1.25", -1 },
		{ "-0", "0.000", 0 },
		{ "0.1", "-0.1", 1 },
		{ "1e-38", "0", 1 },
		{ "1e37", "9999999999999999999999999999999999999.9", 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(dec_cmp(make(cases[i].a), make(cases[i].b)), cases[i].expected);
		assert_int_equal(dec_cmp(make(cases[i].b), make(cases[i].a)), -cases[i].expected);
	}
	/* the same value with zeros that arithmetic left behind */
	assert_int_equal(dec_cmp((struct dec){ 1500, 3 }, (struct dec){ 15, 1 }), 0);
}

/* text with DEC_PAD bytes behind it that must not be taken for a part of it */
static struct span padded(const char *text, char trap)
{
	static char room[2][512];
	static int turn;
	char *p = room[turn ^= 1];
	size_t n = strlen(text);

	assert_true(n + DEC_PAD <= sizeof room[0]);
	memset(p, trap, sizeof room[0]);
	memcpy(p, text, n);
	return (struct span){ p, n };
}

static void canonical_text_is_not_copied(void **state)
{
	static const char *const pairs[][2] = { { "142.3500", "142.35" }, { "5.000", "5" }, { "0.10", "0.1" },
		{ "-1.50", "-1.5" }, { "10", "10" }, { "0", "0" }, { "0.00", "0" } };
	static const char *const others[][2] = { { "-0.00", "0" }, { "007", "7" }, { "+1", "1" },
		{ "1.0E8", "100000000" }, { "-0", "0" } };
	char scratch[DEC_TEXT_MAX];
	struct dec_text out;

	(void)state;
	for (size_t i = 0; i < COUNT(pairs); i++) {
		struct span text = padded(pairs[i][0], '9');
		assert_int_equal(dec_canon(text, scratch, &out), DEC_OK);
		assert_true(out.text.p == text.p);
		assert_true(span_is(out.text, pairs[i][1]));
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(dec_canon(padded(others[i][0], '.'), scratch, &out), DEC_OK);
		assert_true(span_is(out.text, others[i][1]));
	}
	assert_int_equal(dec_canon(padded("5.", '0'), scratch, &out), DEC_SYNTAX);
	assert_int_equal(dec_canon(padded("1" NINES38, '0'), scratch, &out), DEC_RANGE);
}

static void every_reason_is_a_sentence(void **state)
{
	(void)state;
	for (int r = DEC_OK; r <= DEC_ZERO; r++)
		assert_true(strlen(dec_reason((enum dec_result)r)) > 3);
}

/* --------------------------------------------------------------------------------------------- against python3 */

#define PYTHON	 "/usr/bin/python3"
#define CASES	 6000
#define TEXT_MAX 128

/* A line "op|a|b|places|c" gives the exact answer, "SYNTAX", "ZERO" or "RANGE". An answer that fits without
 * its trailing zeros fits, whatever the aligned operands or the product had on the way. */
static const char oracle[] = "import re, sys\n"
			     "from decimal import Decimal, getcontext\n"
			     "getcontext().prec = 400\n"
			     "LIMIT = 10 ** 38\n"
			     "number = re.compile(r'[+-]?[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?\\Z')\n"
			     "def strip(d): return Decimal(0) if d == 0 else d.normalize()\n"
			     "def places(d): return max(0, -d.as_tuple().exponent)\n"
			     "def within(d, n): return n <= 38 and abs(int(d.scaleb(n))) < LIMIT\n"
			     "def say(d):\n"
			     "    d = strip(d)\n"
			     "    if d.adjusted() > 40 or not within(d, places(d)): return 'RANGE'\n"
			     "    return format(d, 'f')\n"
			     "def divide(x, y, n):\n"
			     "    if y == 0: return 'ZERO'\n"
			     "    a, b = int(x.scaleb(120)), int(y.scaleb(120))\n"
			     "    q = abs(a) * 10 ** n // abs(b) * (1 if (a < 0) == (b < 0) else -1)\n"
			     "    return say(Decimal(q).scaleb(-n))\n"
			     "def share(a, part, whole, n):\n"
			     "    if whole == 0: return 'ZERO'\n"
			     "    unit = max(places(part), places(whole))\n"
			     "    if abs(part) > abs(whole) or not within(whole, unit): return 'RANGE'\n"
			     "    return divide(a * part, whole, n)\n"
			     "def answer(op, x, y, n, z):\n"
			     "    if op == 's': return share(x, y, z, n)\n"
			     "    if op == '/': return divide(x, y, n)\n"
			     "    if op == 'c': return str((x > y) - (x < y))\n"
			     "    if op == 'h': return say(x / 2)\n"
			     "    if op == '*': return say(x * y)\n"
			     "    return say(x + y if op == '+' else x - y)\n"
			     "for line in sys.stdin:\n"
			     "    op, a, b, n, c = line.rstrip('\\n').split('|')\n"
			     "    if op == 'p': print(say(Decimal(a)) if number.match(a) else 'SYNTAX')\n"
			     "    else: print(answer(op, *(strip(Decimal(d)) for d in (a, b)), int(n), strip(Decimal(c))))\n";

static uint64_t seed = 20240607;

static unsigned roll(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static char *random_digits(char *out, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		*out++ = (char)('0' + (roll(3) ? roll(10) : roll(2) * 9));
	return out;
}

/* mostly of the wire's size, sometimes at the edge of 38 digits; `wild` ones may be beyond it, or no number */
static void random_text(char *out, bool wild)
{
	unsigned edge = roll(4) == 0;
	unsigned whole = 1 + roll(edge ? (wild ? 41 : 20) : 7);
	unsigned decimals = roll(edge ? (wild ? 41 : 18) : 9);

	if (roll(3) == 0)
		*out++ = '-';
	out = random_digits(out, whole);
	if (decimals || (wild && roll(40) == 0))
		*out++ = '.';
	out = random_digits(out, decimals);
	if (wild && roll(5) == 0) {
		*out++ = roll(2) ? 'e' : 'E';
		if (roll(2))
			*out++ = roll(2) ? '+' : '-';
		out = random_digits(out, roll(3));
	}
	if (wild && roll(30) == 0)
		*out++ = " .-x0"[roll(5)];
	*out = '\0';
}

struct test_case {
	char op;
	char a[TEXT_MAX], b[TEXT_MAX + 4], c[TEXT_MAX]; /* c: the whole of a share */
	int places;
};

static struct test_case random_case(void)
{
	struct test_case c = { .op = "pp+-*/chss"[roll(10)], .places = (int)roll(roll(4) ? 9 : 39) };

	random_text(c.a, c.op == 'p');
	random_text(c.b, false);
	random_text(c.c, false);
	if (c.op == 'c' && roll(4) == 0)
		snprintf(c.b, sizeof c.b, "%s%s", c.a, strchr(c.a, '.') ? "000" : ".0");
	return c;
}

/* python3 with the oracle; its answers come at the stream that is returned */
static FILE *ask_oracle(FILE *questions, pid_t *pid)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	rewind(questions);
	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		dup2(fileno(questions), STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		execl(PYTHON, PYTHON, "-c", oracle, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return fdopen(ends[0], "r");
}

/* text of a line is read another way, and means the same whatever stands behind it */
static void check_padded(const char *text, enum dec_result expected, struct dec value)
{
	static const char traps[] = "0.9\"";
	char scratch[DEC_TEXT_MAX];
	struct dec_text canonical;
	struct dec d;

	for (const char *trap = traps; *trap; trap++) {
		assert_int_equal(dec_parse_padded(padded(text, *trap), &d), expected);
		assert_int_equal(dec_canon(padded(text, *trap), scratch, &canonical), expected);
		if (expected != DEC_OK)
			continue;
		assert_int_equal(dec_cmp(d, value), 0);
		assert_int_equal(dec_parse(canonical.text, &d), DEC_OK);
		assert_int_equal(dec_cmp(d, value), 0);
		char shortest[DEC_TEXT_MAX];
		size_t n = (size_t)(dec_print(shortest, value) - shortest);
		assert_true(span_eq(canonical.text, (struct span){ shortest, n }));
	}
}

/* the mean of two texts is what the arithmetic says, whichever way it takes */
static void check_mean(const char *a, const char *b)
{
	char scratch[2][DEC_TEXT_MAX], text[DEC_TEXT_MAX];
	struct dec_text x, y;
	struct dec sum;
	char *end;

	if (dec_canon(padded(a, '7'), scratch[0], &x) != DEC_OK || dec_canon(padded(b, '7'), scratch[1], &y) != DEC_OK)
		return;
	struct dec first = make(a);
	enum dec_result r = dec_add(first, make(b), &sum);
	r = r == DEC_OK ? dec_halve(sum, &sum) : r;
	assert_int_equal(dec_mean(&x, &y, text, &end), r);
	if (r == DEC_OK) {
		*end = '\0';
		assert_string_equal(text, show(sum));
	}
}

static void means(void **state)
{
	static const char *const numbers[] = { "0", "1", "2", "9", "10", "0.5", "0.1", "0.00000001", "0.00000003",
		"99999999", "99999999.99999999", "99999998.99999999", "12345678.5", "1.23456789", "142.35", "142.36000000",
		"123456789", "100000000.1", "-3", "-0.5", "1e3", "0.000000001", "100000", "7.10000000", "0.99999999" };

	(void)state;
	for (size_t i = 0; i < COUNT(numbers); i++)
		for (size_t j = 0; j < COUNT(numbers); j++)
			check_mean(numbers[i], numbers[j]);
}

static const char *our_answer(const struct test_case *c)
{
	struct dec a, b = DEC_NIL, out = DEC_NIL;
	enum dec_result r = dec_parse(span_of(c->a), &a);

	check_padded(c->a, r, a);
	if (c->op != 'p')
		check_mean(c->a, c->b);
	if (c->op == 'p')
		out = r == DEC_OK ? a : out;
	else
		b = make(c->b);
	switch (c->op) {
	case '+':
		r = dec_add(a, b, &out);
		break;
	case '-':
		r = dec_sub(a, b, &out);
		break;
	case '*':
		r = dec_mul(a, b, &out);
		break;
	case '/':
		r = dec_div_trunc(a, b, c->places, &out);
		break;
	case 's':
		r = dec_share_trunc(a, b, make(c->c), c->places, &out);
		break;
	case 'h':
		r = dec_halve(a, &out);
		break;
	case 'c':
		out = (struct dec){ dec_cmp(a, b), 0 };
		break;
	default:
		break;
	}
	return r == DEC_OK ? show(out) : r == DEC_RANGE ? "RANGE" : r == DEC_ZERO ? "ZERO" : "SYNTAX";
}

static void agrees_with_python(void **state)
{
	static struct test_case cases[CASES];
	char answer[512];
	FILE *questions = tmpfile();
	pid_t pid;
	int status;

	(void)state;
	if (access(PYTHON, X_OK) != 0)
		skip();
	assert_non_null(questions);
	for (size_t i = 0; i < CASES; i++) {
		cases[i] = random_case();
		fprintf(questions, "%c|%s|%s|%d|%s\n", cases[i].op, cases[i].a, cases[i].b, cases[i].places,
		    cases[i].c);
	}
	assert_int_equal(fflush(questions), 0);
	FILE *answers = ask_oracle(questions, &pid);
	for (size_t i = 0; i < CASES; i++) {
		assert_non_null(fgets(answer, sizeof answer, answers));
		answer[strcspn(answer, "\n")] = '\0';
		const char *ours = our_answer(&cases[i]);
		if (strcmp(ours, answer) != 0)
			fail_msg("%s %c %s (%d places, %s): %s, but python says %s", cases[i].a, cases[i].op,
			    cases[i].b, cases[i].places, cases[i].c, ours, answer);
	}
	assert_null(fgets(answer, sizeof answer, answers));
	fclose(answers);
	fclose(questions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_the_wire_brings),
		cmocka_unit_test(refuses_what_is_no_number),
		cmocka_unit_test(says_what_does_not_fit),
		cmocka_unit_test(no_operation_wraps),
		cmocka_unit_test(computes_in_place),
		cmocka_unit_test(cuts_toward_zero),
		cmocka_unit_test(a_share_need_not_fit_on_the_way),
		cmocka_unit_test(compares_unlike_scales),
		cmocka_unit_test(canonical_text_is_not_copied),
		cmocka_unit_test(means),
		cmocka_unit_test(every_reason_is_a_sentence),
		cmocka_unit_test(agrees_with_python),
	};

	return cmocka_run_group_tests_name("dec", tests, NULL, NULL);
}
