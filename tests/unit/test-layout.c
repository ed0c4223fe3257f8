/* lib/layout through lib/fields, which it is a part of: what is learned, what is not, and that it changes nothing */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/mutate.h"
#include "../fuzz/subject.h"

static struct fields warm;

static int open_warm(void **state)
{
	(void)state;
	fields_open(&warm, binance_slot);
	return 0;
}

/* as by the grammar: same result, same slots, same values, or same reason; true: read along a layout. The line stays
 * until the next one: values lie in it */
static bool take_span(struct span line)
{
	static struct fields fresh;
	static struct span padded;

	subject_unpad(padded);
	padded = subject_pad(line);
	fields_open(&fresh, binance_slot);
	bool want = fields_read(&fresh, padded);
	bool got = fields_read(&warm, padded);
	if (want != got)
		fail_msg("%.*s: %d instead of %d", (int)line.n, line.p, got, want);
	if (!want && (warm.at != fresh.at || strcmp(warm.why, fresh.why) != 0))
		fail_msg("%.*s: byte %zu: %s", (int)line.n, line.p, warm.at, warm.why);
	if (want)
		assert_true(memcmp(warm.seen, fresh.seen, sizeof warm.seen) == 0 && warm.entered == fresh.entered);
	for (unsigned slot = 0; want && slot < FIELDS_SLOTS; slot++)
		if (fields_has(&fresh, slot) && (fields_kind(&fresh, slot) != fields_kind(&warm, slot) ||
		    fresh.v[slot].p != warm.v[slot].p || !span_eq(fields_text(&fresh, slot), fields_text(&warm, slot))))
			fail_msg("%.*s: slot %u", (int)line.n, line.p, slot);
	return warm.layout.misses == 0;
}

static bool take(const char *line)
{
	return take_span(span_of(line));
}

static void a_line_teaches_those_that_look_like_it(void **state)
{
	(void)state;
	assert_false(take("{\"e\":\"bookTicker\",\"u\":7,\"s\":\"SOLUSDT\",\"b\":\"1.0\"}"));
	assert_true(take("{\"e\":\"bookTicker\",\"u\":123456,\"s\":\"BTCUSDT\",\"b\":\"-\"}"));
	assert_true(take("{\"e\":\"\",\"u\":1,\"s\":\"a string of more than sixteen bytes, and of more than thirty-two\",\"b\":\"\"}"));
	/* any value in place of one that is no string, and in place of a string none */
	assert_true(take("{\"e\":\"x\",\"u\":-0.5e7,\"s\":\"x\",\"b\":\"x\"}"));
	assert_true(take("{\"e\":\"x\",\"u\":[1,{\"s\":[]}],\"s\":\"x\",\"b\":\"x\"}"));
	assert_true(take("{\"e\":\"x\",\"u\":\"\\u0031\",\"s\":\"x\",\"b\":\"x\"}"));
	assert_true(take("{\"e\":\"x\",\"u\":null,\"s\":\"x\",\"b\":\"x\"}"));
	assert_false(take("{\"e\":\"x\",\"u\":7,\"s\":null,\"b\":\"x\"}"));
	/* escapes and what is beyond ASCII are for the grammar */
	assert_false(take("{\"e\":\"x\",\"u\":7,\"s\":\"\\u0041\",\"b\":\"x\"}"));
	assert_false(take("{\"e\":\"x\",\"u\":7,\"s\":\"\xe7\x89\x9b\",\"b\":\"x\"}"));
	assert_true(take("{\"e\":\"x\",\"u\":7,\"s\":\"x\",\"b\":\"x\"}"));
}

static void what_is_wrong_is_told_as_ever(void **state)
{
	static const char *const wrong[] = { "{\"e\":\"x\",\"u\":07,\"b\":\"x\"}", "{\"e\":\"x\",\"u\":7,\"b\":\"x\"",
		"{\"e\":\"x\",\"u\":7,\"b\":\"x\"}}", "{\"e\":\"x\",\"u\":7,\"b\":\"x\"} x", "{\"e\":\"x\",\"u\":,\"b\":\"x\"}",
		"{\"e\":\"x\",\"u\":7.,\"b\":\"x\"}", "{\"e\":\"x\",\"u\":7e,\"b\":\"x\"}", "{\"e\":\"x\",\"u\":\"7,\"b\":\"x\"}",
		"{\"e\":\"\x01\",\"u\":7,\"b\":\"x\"}", "{\"e\":\"\xff\",\"u\":7,\"b\":\"x\"}", "{\"e\":\"\\x\",\"u\":7,\"b\":\"x\"}",
		"{\"e\":\"x\",\"u\":[7,\"b\":\"x\"}", "{\"e\":\"x\",\"u\":tru,\"b\":\"x\"}", "{\"e\":\"x\",\"u\":7,\"b\":\"x",
		"{\"e\":\"x\",\"u\":7 ,\"b\":\"x\"}x", "{\"e\":\"x", "{\"e\":\"x\",\"u\":7", "" };

	(void)state;
	take("{\"e\":\"x\",\"u\":7,\"b\":\"x\"}");
	assert_true(take("{\"e\":\"x\",\"u\":7,\"b\":\"x\"}"));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(take(wrong[i]));
	assert_true(take("{\"e\":\"x\",\"u\":7,\"b\":\"x\"}"));
}

static void nesting_counts_along_a_layout(void **state)
{
	char line[2 * JSON_MAX_DEPTH + 64];

	(void)state;
	for (int inside = 0; inside < 2; inside++) {
		const char *head = inside ? "{\"data\":{\"u\":" : "{\"u\":";
		size_t own = inside ? 2 : 1;
		take(inside ? "{\"data\":{\"u\":1}}" : "{\"u\":1}");
		for (size_t n = JSON_MAX_DEPTH - own; n <= JSON_MAX_DEPTH - own + 1; n++) {
			char *p = (char *)memcpy(line, head, strlen(head)) + strlen(head);
			memset(p, '[', n);
			memset(p + n, ']', n);
			memset(p + 2 * n, '}', own);
			p[2 * n + own] = '\0';
			assert_int_equal(take(line), n + own <= JSON_MAX_DEPTH);
		}
	}
}

static void an_envelope_is_part_of_it(void **state)
{
	(void)state;
	take("{\"stream\":\"a@b\",\"data\":{\"e\":\"x\",\"s\":\"A\"},\"market\":\"usdm\"}");
	assert_true(take("{\"stream\":\"btcusdt@bookTicker\",\"data\":{\"e\":\"y\",\"s\":\"BB\"},\"market\":\"spot\"}"));
	assert_true(span_is(fields_text(&warm, BINANCE_DATA), "{\"e\":\"y\",\"s\":\"BB\"}"));
	/* what could be entered, but is no object, is for the grammar */
	for (int i = 0; i < 3; i++) {
		assert_false(take("{\"stream\":\"a@b\",\"data\":[{\"e\":\"x\"}],\"market\":\"usdm\"}"));
		assert_false(take("{\"stream\":\"a@b\",\"data\":null,\"market\":\"usdm\"}"));
	}
	/* outer keys behind it do not fill its slots, those in front of it are forgotten */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(take("{\"s\":\"no\",\"data\":{\"e\":\"x\"},\"b\":\"no\"}"), i);
		assert_false(fields_has(&warm, 's') || fields_has(&warm, 'b'));
	}
}

/* blanks, long keys, and escapes in keys are text like any other */
static void text_is_any_text(void **state)
{
	static const char *const lines[] = { " { \t\"e\" : \"x\" , \"u\":1\t} \r", "{}", " {\r} ",
		"{\"\\u0065\":\"x\"}", "{\"a key that is longer than sixteen bytes\":\"x\"}", "{\"sixteen bytes\":\"x\"}",
		"{\"seventeen byte\":\"x\"}", "{\"\xe7\x89\x9b\":1}", "{\"e\":1,\"e\":\"2\",\"e\":\"3\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_false(take(lines[i]));
		assert_true(take(lines[i]));
	}
}

/* a line {"kA":"v",...} of n members whose first key is its own */
static const char *line_of(size_t number, size_t n)
{
	static char line[8192];
	size_t at = (size_t)snprintf(line, sizeof line, "{\"k%zu\":\"v\"", number);

	while (--n)
		at += (size_t)snprintf(line + at, sizeof line - at, ",\"member %zu\":\"v\"", n);
	snprintf(line + at, sizeof line - at, "}");
	return line;
}

static void there_is_an_end_of_room(void **state)
{
	(void)state;
	/* values */
	take(line_of(0, LAYOUT_NOTES));
	assert_true(take(line_of(0, LAYOUT_NOTES)));
	take(line_of(0, LAYOUT_NOTES + 1));
	assert_false(take(line_of(0, LAYOUT_NOTES + 1)));
	assert_true(take(line_of(0, LAYOUT_NOTES)));
	/* pieces: everything is forgotten, and learned again */
	open_warm(NULL);
	for (size_t i = 0; i < 2 * LAYOUT_PIECES / (LAYOUT_NOTES + 1); i++) {
		take(line_of(i, LAYOUT_NOTES));
		assert_in_range(warm.layout.n, 0, LAYOUT_PIECES);
	}
	assert_false(take(line_of(0, LAYOUT_NOTES)));
	/* others in one place */
	open_warm(NULL);
	for (size_t i = 0; i <= LAYOUT_OTHERS; i++)
		take(line_of(i, 1));
	assert_true(take(line_of(LAYOUT_OTHERS, 1)) && take(line_of(0, 1)));
	take(line_of(LAYOUT_OTHERS + 1, 1));
	assert_false(take(line_of(0, 1)));
}

/* Lines that are all new are hardly learned nor compared, and do not keep from learning what comes behind them. */
static void what_never_comes_again_is_not_worth_it(void **state)
{
	size_t learned = 0;

	(void)state;
	for (size_t i = 0; i < 20000; i++) {
		uint16_t before = warm.layout.n;
		take(line_of(i, 3));
		learned += warm.layout.n != before;
	}
	assert_in_range(learned, LAYOUT_CREDIT / LAYOUT_PRICE, LAYOUT_CREDIT / LAYOUT_PRICE + 20000 / LAYOUT_PRICE);
	size_t lines = 0;
	while (!take("{\"e\":\"x\",\"u\":7,\"b\":\"x\"}"))
		assert_true(++lines < 2 * LAYOUT_PRICE * LAYOUT_SELDOM);
	assert_true(take("{\"e\":\"y\",\"u\":8,\"b\":\"y\"}"));
}

/* lines of one look among broken copies of them */
static void damaged_copies(void **state)
{
	static const char *const looks[] = {
		"{\"e\":\"bookTicker\",\"u\":400900217,\"s\":\"BNBUSDT\",\"b\":\"25.35190000\",\"B\":\"31.21000000\","
		"\"a\":\"25.36520000\",\"A\":\"40.66000000\",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"recv\":1790526538965462,\"market\":\"usdm\",\"stream\":\"solusdt@aggTrade\",\"data\":{\"e\":\"aggTrade\","
		"\"E\":1568014460893,\"s\":\"SOLUSDT\",\"a\":5933014,\"p\":\"0.001\",\"q\":\"100\",\"m\":true}}",
		"{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142.355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\"}",
		"{\"e\":\"kline\",\"E\":1,\"s\":\"SOLUSDT\",\"k\":{\"o\":\"1\",\"x\":false},\"bids\":[[\"1\",\"2\"],[]]}",
	};
	uint64_t seed = 20261124;
	size_t along = 0, lines = 0;
	char text[2048];

	(void)state;
	for (size_t i = 0; i < 200000; i++) {
		const char *look = looks[chance_below(&seed, sizeof looks / sizeof looks[0])];
		size_t n = strlen(look);
		memcpy(text, look, n);
		if (chance_percent(&seed, 60))
			n = damage(text, n, sizeof text, &seed);
		along += take_span((struct span){ text, n });
		lines++;
	}
	assert_in_range(along, lines / 3, lines - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_line_teaches_those_that_look_like_it, open_warm),
		cmocka_unit_test_setup(what_is_wrong_is_told_as_ever, open_warm),
		cmocka_unit_test_setup(nesting_counts_along_a_layout, open_warm),
		cmocka_unit_test_setup(an_envelope_is_part_of_it, open_warm),
		cmocka_unit_test_setup(text_is_any_text, open_warm),
		cmocka_unit_test_setup(there_is_an_end_of_room, open_warm),
		cmocka_unit_test_setup(what_never_comes_again_is_not_worth_it, open_warm),
		cmocka_unit_test_setup(damaged_copies, open_warm),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
