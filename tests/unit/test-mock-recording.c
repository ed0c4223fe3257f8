/* Lines of recordings in every layout: when, which streams, which bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "json.h"
#include "mock_buf.h"
#include "mock_recording.h"

static bool read_line(const char *text, struct mock_take *t)
{
	static char copy[2048];
	size_t n = strlen(text);

	assert_true(n + JSON_PAD + 1 < sizeof copy);
	memset(copy, 0, sizeof copy);
	memcpy(copy, text, n);
	copy[n] = '\n';
	return mock_recording_line((struct span){ copy, n }, t);
}

static void check(const char *line, int64_t us, enum mock_market market, const char *names, const char *payload)
{
	struct mock_take t;
	struct mock_buf b = mock_buf_of(1024);

	if (!read_line(line, &t))
		fail_msg("refused: %s", line);
	for (size_t i = 0; i < t.names; i++) {
		if (i > 0)
			mock_put_char(&b, ' ');
		mock_put(&b, t.name[i]);
	}
	if (!span_is(mock_buf_span(&b), names))
		fail_msg("%.*s, not %s, from %s", (int)mock_buf_len(&b), b.p, names, line);
	assert_int_equal(t.us, us);
	assert_int_equal(t.market, market);
	assert_true(span_is(t.payload, payload));
	mock_buf_free(&b);
}

static void layouts(void **state)
{
	(void)state;
	check("{\"recv\":1790526538965462,\"market\":\"spot\",\"stream\":\"a@trade\",\"data\":{ \"e\" :1}}",
	    1790526538965462, MOCK_SPOT, "a@trade", "{ \"e\" :1}");
	check("{\"stream\":\"a@trade\",\"data\":{\"E\":1790526538940}}", 1790526538940000, MOCK_MARKETS, "a@trade",
	    "{\"E\":1790526538940}");
	check("1723161255030314667 {\"stream\":\"a@trade\",\"data\":{\"E\":5}}", 1723161255030314, MOCK_MARKETS,
	    "a@trade", "{\"E\":5}");
	check("1723161255030 {\"stream\":\"!x@arr\",\"data\":[ {\"E\":5}]}\r", 1723161255030000, MOCK_MARKETS, "!x@arr",
	    "[ {\"E\":5}]");
	check("  {\"e\":\"trade\",\"s\":\"SOLUSDT\"} ", -1, MOCK_MARKETS, "solusdt@trade",
	    "{\"e\":\"trade\",\"s\":\"SOLUSDT\"}");
}

static void bare_events_name_their_streams(void **state)
{
	static const struct {
		const char *event, *names;
	} rows[] = {
		{ "{\"e\":\"bookTicker\",\"s\":\"BTCUSD_PERP\"}", "btcusd_perp@bookTicker" },
		{ "{\"u\":7,\"s\":\"BNBUSDT\",\"b\":\"1\"}", "bnbusdt@bookTicker" },
		{ "{\"e\":\"aggTrade\",\"s\":\"\xe7\x89\x9bUSDT\"}", "\xe7\x89\x9busdt@aggTrade" },
		{ "{\"e\":\"markPriceUpdate\",\"s\":\"A\"}", "a@markPrice a@markPrice@1s" },
		{ "{\"e\":\"kline\",\"s\":\"A\",\"k\":{\"i\":\"1M\"}}", "a@kline_1M" },
		{ "{\"e\":\"24hrTicker\",\"s\":\"A\"}", "a@ticker" },
		{ "{\"e\":\"24hrMiniTicker\",\"s\":\"A\"}", "a@miniTicker" },
		{ "{\"e\":\"forceOrder\",\"o\":{\"s\":\"A\"}}", "a@forceOrder !forceOrder@arr" },
		{ "{\"e\":\"depthUpdate\",\"s\":\"A\"}", "a@depth a@depth@100ms a@depth@500ms" },
		{ "[{\"e\":\"markPriceUpdate\",\"s\":\"A\"}]", "!markPrice@arr !markPrice@arr@1s" },
		{ "[{\"e\":\"24hrTicker\",\"s\":\"A\"}]", "!ticker@arr" },
		{ "[{\"e\":\"24hrMiniTicker\",\"s\":\"A\"}]", "!miniTicker@arr" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(rows[i].event, -1, MOCK_MARKETS, rows[i].names, rows[i].event);
}

static void what_is_no_frame_is_left_out(void **state)
{
	static const char *const lines[] = { "", "   ", "hello", "17", "17 ", "{\"a\":1", "{\"result\":null,\"id\":1}",
		"[]", "[1]", "\"text\"", "17 18", "{\"e\":\"kline\"} x",
		"{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}" };
	struct mock_take t;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (read_line(lines[i], &t))
			fail_msg("taken: %s", lines[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(bare_events_name_their_streams),
		cmocka_unit_test(what_is_no_frame_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
