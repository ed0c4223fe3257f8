/* lib/fast.h, and what is made of it: which lines take the short way, and that it leads to the same */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../fuzz/mutate.h"

#include "../fuzz/fuzz-fast.c"

#define BOOK(numbers) "{\"e\":\"bookTicker\",\"u\":400900217,\"s\":\"BNBUSDT\"," numbers ",\"T\":1568014460891,\"E\":1568014460893}"
#define NUMBERS       "\"b\":\"25.35190000\",\"B\":\"31.21000000\",\"a\":\"25.36520000\",\"A\":\"40.66000000\""
#define RECORD_OF(market, price, rest)                                                                                 \
	"{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"" price                                             \
	"\",\"ts\":1568014460893,\"pair\":\"SOLUSDT\",\"market\":\"" market "\",\"source\":\"book\"," rest "}"
#define RECORD(price, rest) RECORD_OF("usdm", price, rest)
#define REST		    "\"bid\":\"1\",\"bidQty\":\"2\",\"ask\":\"3\",\"askQty\":\"4\""

static struct subject *fast;

static int open_fast(void **state)
{
	(void)state;
	fast = subject_new(EVENT_USDM, false);
	return 0;
}

static int close_fast(void **state)
{
	(void)state;
	subject_free(fast);
	return 0;
}

/* does it take the short way? Whatever it does, it must be right */
static bool frame(const char *line, enum event_market market)
{
	struct span s = span_of(line);
	char *p = fuzz_fast_pad(s);
	struct fast run = { .usual = { 160 } };

	LLVMFuzzerTestOneInput((const uint8_t *)line, s.n);
	binance_open(&fast->b, market);
	fast->out.p = fast->out.buf;
	(void)binance_fast(&fast->b, p, p + s.n + 1, &fast->out, &run);
	free(p);
	return run.lines == 1;
}

static bool record(const char *line)
{
	struct span s = span_of(line);
	char *p = fuzz_fast_pad(s);
	struct event_fast tick;

	LLVMFuzzerTestOneInput((const uint8_t *)line, s.n);
	bool taken = event_fast_tick(p, p + s.n + 1, &tick) != NULL;
	free(p);
	return taken;
}

static bool time_of(const char *line)
{
	struct span s = span_of(line);
	char *p = fuzz_fast_pad(s);
	struct span ts;

	LLVMFuzzerTestOneInput((const uint8_t *)line, s.n);
	bool taken = event_fast_time(p, p + s.n + 1, event_fast_kind(p), &ts) != NULL;
	assert_true(!taken || fast_ms(ts) == 1568014460893);
	free(p);
	return taken;
}

static void frames_as_the_exchange_writes_them_take_it(void **state)
{
	(void)state;
	assert_true(frame(BOOK(NUMBERS), EVENT_USDM));
	assert_true(frame("{\"stream\":\"bnbusdt@bookTicker\",\"data\":" BOOK(NUMBERS) "}", EVENT_USDM));
	assert_true(frame("{\"recv\":1790526538968220,\"market\":\"usdm\",\"stream\":\"bnbusdt@bookTicker\",\"data\":" BOOK(
			      NUMBERS) "}",
	    EVENT_SPOT));
	assert_true(frame("{\"e\":\"bookTicker\",\"u\":9400900220,\"s\":\"MATICUSDT\",\"ps\":\"MATICUSDT\",\"b\":\"0.25\",\"B\":"
			  "\"767\",\"a\":\"0.26\",\"A\":\"0\",\"T\":1790526538938,\"E\":1790526538941,\"st\":1}",
	    EVENT_USDM));
	assert_true(frame("{\"e\":\"bookTicker\",\"u\":17242169,\"s\":\"BTCUSD_200626\",\"ps\":\"BTCUSD\",\"b\":\"9548.1\","
			  "\"B\":\"52\",\"a\":\"9548.5\",\"A\":\"11\",\"T\":1591268628155,\"E\":1591268628166,\"st\":2}",
	    EVENT_COINM));
}

/* each of these is one step off; some are as good, others no record at all */
static void others_do_not(void **state)
{
	static const char *const lines[] = {
		"", "{", "{}", "[" BOOK(NUMBERS) "]", " " BOOK(NUMBERS), BOOK(NUMBERS) " ", BOOK(NUMBERS) "}",
		BOOK(NUMBERS ",\"st\":2"), "{\"data\":" BOOK(NUMBERS) "}",
		"{\"stream\":\"bnbusdt@bookTicker\",\"data\":" BOOK(NUMBERS),
		"{\"stream\":\"a name that is longer than any of a stream\",\"data\":" BOOK(NUMBERS) "}",
		"{\"recv\":1790526538968220,\"market\":\"other\",\"stream\":\"x\",\"data\":" BOOK(NUMBERS) "}",
		"{\"recv\":0790526538968220,\"market\":\"usdm\",\"stream\":\"x\",\"data\":" BOOK(NUMBERS) "}",
		"{\"recv\":17905265389682201,\"market\":\"usdm\",\"stream\":\"x\",\"data\":" BOOK(NUMBERS) "}",
		BOOK("\"B\":\"31.21\",\"b\":\"25.35\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\": \"25.35\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":25.35,\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"0\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"25.35\",\"B\":\"31.21\",\"a\":\"0.00\",\"A\":\"40.66\""),
		BOOK("\"b\":\"025.35\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"-25.35\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"25.\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\".35\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"2.5.3\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"25,35\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"25.35e1\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"123456789.1\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"1.123456789\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		BOOK("\"b\":\"12345678.12345678\",\"B\":\"31.21\",\"a\":\"25.36\",\"A\":\"40.66\""),
		"{\"e\":\"bookTicker\",\"u\":0,\"s\":\"BNBUSDT\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"A\\u0042\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"\xe7\x89\x9bUSDT\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"ANAMEOF17LETTERS_\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":1568014460891,\"E\":156801446089}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893000}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":1568014460.89,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460.89}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":0568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":12345678901234567,\"s\":\"X\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":-568014460891,\"E\":1568014460893}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"E\":1568014460893,\"T\":1568014460891}",
		"{\"e\":\"bookTicker\",\"u\":1,\"s\":\"X\"," NUMBERS ",\"T\":1568014460891,\"E\":1568014460893,\"s\":\"Y\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (frame(lines[i], EVENT_USDM))
			fail_msg("taken: %s", lines[i]);
	assert_false(frame(BOOK(NUMBERS), EVENT_SPOT));
	assert_false(frame(BOOK(NUMBERS ",\"st\":1"), EVENT_COINM));
}

/* reports of fills wait for one another by the times of what comes in between */
static void none_does_while_a_fill_waits(void **state)
{
	static struct fills fills;
	char *p = fuzz_fast_pad(SPAN(BOOK(NUMBERS)));
	const char *end = p + strlen(BOOK(NUMBERS)) + 1;
	struct fast run = { .usual = { 160 } };

	(void)state;
	fills_open(&fills);
	binance_open(&fast->b, EVENT_USDM);
	fast->b.fills = &fills;
	fast->out.p = fast->out.buf;
	assert_ptr_equal(binance_fast(&fast->b, p, end, &fast->out, &run), end);
	fills.n = 1;
	assert_ptr_equal(binance_fast(&fast->b, p, end, &fast->out, &run), p);
	assert_int_equal(run.lines, 1);
	free(p);
}

/* many lines in one go, up to one that is another or whose end has not come: whatever their lengths, and wherever it was
 * guessed that they end */
static void lines_in_a_row(void **state)
{
	static const char *const pairs[] = { "A", "BNBUSDT", "1000000MOGUSDT", "XRPUSDT", "AVERYLONGNAMEUSD" };
	static char text[64u << 10];
	struct fast run = { .usual = { 0 } };
	char *end = text;
	uint64_t count = 0, seed = 3;

	(void)state;
	while (end < text + sizeof text - 1024 - FAST_PAD) {
		end += sprintf(end, "{\"e\":\"bookTicker\",\"u\":%llu,\"s\":\"%s\"," NUMBERS ",\"T\":1568014460891,"
				    "\"E\":1568014460893}\n", (unsigned long long)chance_below(&seed, 1000000) + 1,
		    pairs[chance_below(&seed, sizeof pairs / sizeof pairs[0])]);
		count++;
	}
	const char *last = end;
	end += sprintf(end, "{\"e\":\"aggTrade\"}\n");
	memset(end, '\n', FAST_PAD);
	binance_open(&fast->b, EVENT_USDM);
	fast->out.p = fast->out.buf;
	assert_ptr_equal(binance_fast(&fast->b, text, end, &fast->out, &run), last);
	assert_int_equal(run.lines, count);
	assert_int_equal(fast->b.records, count);

	run.lines = fast->b.records = 0;
	fast->out.p = fast->out.buf;
	const char *stop = binance_fast(&fast->b, text, last - 1, &fast->out, &run);
	assert_int_equal(run.lines, count - 1);
	assert_int_equal(fast->b.records, count - 1);
	assert_true(stop < last - 1 && stop[-1] == '\n' && memchr(stop, '\n', (size_t)(last - 1 - stop)) == NULL);
}

static void records_of_a_book_take_it(void **state)
{
	(void)state;
	assert_true(record(RECORD("142.35", REST)));
	assert_true(record(RECORD("0.00001234", REST)));
	assert_true(record(RECORD("12345678", REST)));
	assert_true(record(RECORD("007.50", REST)));
	assert_false(record(RECORD("7.", REST)));
	assert_false(record(RECORD(".5", REST)));
	assert_false(record(RECORD("7.5.1", REST)));
	assert_false(record(RECORD("7e1", REST)));
	assert_true(record(RECORD("1234567890.12345", REST)));
	assert_true(record(RECORD("1234567890123456", REST)));
	assert_false(record(RECORD("1234567890123456.", REST)));
	assert_false(record(RECORD("1234567890.123456", REST)));
	assert_true(record(RECORD("123456789", REST)));
	assert_false(record(RECORD("12345678901234567", REST)));
	assert_true(record(RECORD_OF("coinm", "1", REST)));
	assert_true(record(RECORD_OF("spot", "1", REST)));
	assert_false(record(RECORD_OF("other", "1", REST)));
	assert_false(record(RECORD("-1", REST)));
	assert_false(record(RECORD("", REST)));
	assert_false(record(RECORD("1", REST ",\"price\":\"2\"")));
	assert_false(record(RECORD("1", "\"bid\":\"1\",\"bidQty\":\"2\",\"ask\":\"3\",\"askQty\":\"\\u0034\"")));
	assert_false(record(RECORD("1", "\"bid\":\"1\",\"bidQty\":\"2\",\"ask\":\"3\",\"askQty\":4")));
	assert_false(record("{\"type\":\"heartbeat\",\"ts\":1568014460893}"));
}

static void for_their_time_alone_any_price_will_do(void **state)
{
	(void)state;
	assert_true(time_of(RECORD("142.35", REST)));
	assert_true(time_of(RECORD("123456789", REST)));
	assert_true(time_of(RECORD("", REST)));
	assert_true(time_of(RECORD("1.2/3", REST)));
	assert_false(time_of(RECORD("\\u0031", REST)));
	assert_false(time_of(RECORD("1\t", REST)));
	assert_false(time_of(RECORD("1", REST ",\"price\":\"2\"")));
	assert_false(time_of("{\"type\":\"heartbeat\",\"ts\":1568014460893}"));
}

#define SNAPSHOT(money, rest)                                                                                \
	"{\"type\":\"equity_snapshot\",\"balance\":\"10000\",\"unrealizedPnl\":\"" money "\",\"equity\":\"9980.51\"," \
	"\"ts\":1568014460893,\"asset\":\"USDT\"" rest "}"

static void and_snapshots(void **state)
{
	(void)state;
	assert_true(time_of(SNAPSHOT("-19.49", ",\"positions\":10")));
	assert_true(time_of(SNAPSHOT("0", ",\"positions\":1")));
	assert_true(time_of(SNAPSHOT("1234567890.12345", ",\"positions\":4096,\"simulated\":true")));
	assert_false(time_of(SNAPSHOT("1234567890.123456", ",\"positions\":10")));
	assert_false(time_of(SNAPSHOT("1", ",\"positions\":0")));
	assert_false(time_of(SNAPSHOT("1", "")));
	assert_false(time_of(SNAPSHOT("1", ",\"positions\":10,\"simulated\":false")));
	assert_false(time_of(SNAPSHOT("1", ",\"positions\":10,\"unpriced\":[\"BTCUSDT\"]")));
	assert_false(time_of(SNAPSHOT("1\"", ",\"positions\":10")));
	assert_false(time_of(SNAPSHOT("\\u0031", ",\"positions\":10")));
	assert_false(time_of("{\"type\":\"equity_report\",\"ts\":1568014460893}"));
}

/* whatever byte is another: what is still taken says the same to the grammar */
static void one_byte_off(void **state)
{
	static const char *const lines[] = { BOOK(NUMBERS), RECORD("142.35", REST),
		SNAPSHOT("-19.49", ",\"positions\":10,\"simulated\":true") };
	static const char bytes[] = "!\"0.,}\\z\n\x7f\x80";
	char line[512];

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		for (size_t at = 0; at < strlen(lines[i]); at++)
			for (size_t k = 0; k < sizeof bytes - 1; k++) {
				strcpy(line, lines[i]);
				line[at] = bytes[k];
				LLVMFuzzerTestOneInput((const uint8_t *)line, strlen(line));
			}
}

/* of a text passed over each byte counts, and none behind it */
static void texts_of_any_length(void **state)
{
	char text[64 + 16] = { 0 }, there[64 + 16];

	(void)state;
	for (size_t n = 1; n <= 64; n++) {
		memset(text, 0, sizeof text);
		memset(text, 'a', n);
		for (size_t at = 0; at <= n; at++) {
			struct fast_texts texts = fast_no_texts();
			memset(there, 'b', sizeof there);
			memset(there, 'a', n);
			there[at] = 'b';
			assert_ptr_equal(fast_over_bytes(&texts, there, text, n), there + n);
			assert_int_equal(fast_texts_good(&texts), at == n);
			(void)fast_over_bytes(&texts, text, text, n); /* a good one behind it changes nothing */
			assert_int_equal(fast_texts_good(&texts), at == n);
		}
	}
}

static void moments_are_in_order(void **state)
{
	static const int64_t limits[] = { 0, 1, 99999, 100000, 99999999, 100000000, 1568014460892, 1568014460893, 1568014460894,
		1568014500000, 1568014400000, 9999999999999, 10000000000000, INT64_MAX };
	static const int64_t times[] = { 1000000000000, 1568014460893, 1568014499999, 9999999999999 };
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
		for (size_t k = 0; k < sizeof times / sizeof times[0]; k++) {
			struct fast_moment m = fast_moment(limits[i]);
			sprintf(text, "%lld", (long long)times[k]);
			assert_int_equal(fast_is_before((struct span){ text, 13 }, &m), times[k] < limits[i]);
		}
}

/* any digits around any point: the mean and the texts are those of the long way */
static void numbers_of_any_length(void **state)
{
	struct subject *grammar = subject_new(EVENT_USDM, false);
	uint64_t seed = 7;
	size_t taken = 0;
	char line[512], number[4][24];

	(void)state;
	for (int round = 0; round < 200000; round++) {
		for (int i = 0; i < 4; i++) {
			size_t n = 1 + chance_below(&seed, 18);
			for (size_t k = 0; k < n; k++)
				number[i][k] = "0123456789000999"[chance_below(&seed, 16)];
			if (chance_percent(&seed, 90))
				number[i][chance_below(&seed, n)] = '.';
			number[i][n] = '\0';
			if (i == 2 && chance_percent(&seed, 60)) /* near each other, as they are */
				memcpy(number[2], number[0], strlen(number[0]) + 1);
			if (i == 2 && chance_percent(&seed, 60))
				number[2][strlen(number[2]) - 1] = (char)('0' + chance_below(&seed, 10));
		}
		snprintf(line, sizeof line, BOOK("\"b\":\"%s\",\"B\":\"%s\",\"a\":\"%s\",\"A\":\"%s\""), number[0], number[1],
		    number[2], number[3]);
		fuzz_fast_frame(grammar, fast, span_of(line));
		taken += fast->b.records;
	}
	subject_free(grammar);
	assert_true(taken > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_as_the_exchange_writes_them_take_it),
		cmocka_unit_test(others_do_not),
		cmocka_unit_test(none_does_while_a_fill_waits),
		cmocka_unit_test(lines_in_a_row),
		cmocka_unit_test(records_of_a_book_take_it),
		cmocka_unit_test(for_their_time_alone_any_price_will_do),
		cmocka_unit_test(and_snapshots),
		cmocka_unit_test(one_byte_off),
		cmocka_unit_test(texts_of_any_length),
		cmocka_unit_test(moments_are_in_order),
		cmocka_unit_test(numbers_of_any_length),
	};

	return cmocka_run_group_tests_name("fast", tests, open_fast, close_fast);
}
