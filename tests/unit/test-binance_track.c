/* lib/binance_track: which stream a line is of, by what it is known there, and how many streams there may be */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_track.h"

static struct binance_track t;
static struct binance_tracked out;

static int start(void **state)
{
	(void)state;
	return binance_track_open(&t, EVENT_USDM) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	binance_track_close(&t);
	binance_track_close(&t); /* twice does no harm */
	return 0;
}

static bool track(const char *line)
{
	static char text[1 << 16];
	size_t n = strlen(line);

	assert_true(n + 1 + JSON_PAD <= sizeof text);
	memcpy(text, line, n);
	memset(text + n, '\n', 1 + JSON_PAD);
	return binance_track_line(&t, (struct span){ text, n }, &out);
}

/* "usdm:btcusdt@aggTrade" of a frame; "-" of what is none */
static const char *name_of(const char *line)
{
	static char text[300];

	assert_true(track(line));
	if (out.what != BINANCE_TRACK_FRAME) {
		assert_int_equal(out.stream, BINANCE_TRACK_REST);
		return "-";
	}
	const struct binance_track_stream *s = &t.stream[out.stream];
	assert_int_equal(s->n, strlen(s->name));
	snprintf(text, sizeof text, "%s:%s", event_market_name(s->market).p, s->name);
	return text;
}

static void an_envelope_names_its_stream(void **state)
{
	(void)state;
	assert_string_equal(
	    name_of("{\"stream\":\"btcusdt@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\"}}"),
	    "usdm:btcusdt@depth@100ms");
	assert_string_equal(
	    name_of("{\"recv\":1,\"market\":\"spot\",\"stream\":\"btcusdt@trade\",\"data\":{\"e\":\"trade\"}}"),
	    "spot:btcusdt@trade");
	assert_string_equal(name_of("{\"data\":{},\"market\":\"coinm\",\"stream\":\"x@\\u0079\"}"), "coinm:x@y");
	assert_string_equal(name_of("1723161600002201584 {\"stream\":\"a@trade\",\"data\":{}}"), "usdm:a@trade");
	assert_string_equal(
	    name_of("{\"stream\":\"!markPrice@arr@1s\",\"data\":[{\"E\":1}]}"), "usdm:!markPrice@arr@1s");
	/* a stream inside the event is none */
	assert_string_equal(name_of("{\"data\":{\"stream\":\"x\",\"e\":\"trade\",\"s\":\"A\"}}"), "-");
}

static void a_bare_event_is_named_by_type_and_symbol(void **state)
{
	static const char *const cases[][2] = {
		{ "{\"e\":\"aggTrade\",\"s\":\"BTCUSDT\",\"a\":1}", "usdm:btcusdt@aggTrade" },
		{ "{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1}", "usdm:btcusdt@trade" },
		{ "{\"e\":\"bookTicker\",\"s\":\"BTCUSDT_261225\",\"u\":1}", "usdm:btcusdt_261225@bookTicker" },
		{ "{\"u\":1,\"s\":\"BNBBTC\",\"b\":\"1\",\"B\":\"1\",\"a\":\"1\",\"A\":\"1\"}",
		    "usdm:bnbbtc@bookTicker" },
		{ "{\"e\":\"markPriceUpdate\",\"s\":\"BTCUSDT\"}", "usdm:btcusdt@markPrice" },
		{ "{\"e\":\"depthUpdate\",\"s\":\"BTCUSDT\"}", "usdm:btcusdt@depth" },
		{ "{\"e\":\"kline\",\"s\":\"BTCUSDT\",\"k\":{\"t\":1, \"i\":\"1M\"}}", "usdm:btcusdt@kline_1M" },
		{ "{\"e\":\"kline\",\"s\":\"BTCUSDT\",\"k\":7}", "usdm:btcusdt@kline" },
		{ "{\"e\":\"24hrTicker\",\"s\":\"BTCUSDT\"}", "usdm:btcusdt@ticker" },
		{ "{\"e\":\"24hrMiniTicker\",\"s\":\"BTCUSDT\"}", "usdm:btcusdt@miniTicker" },
		{ "{\"e\":\"forceOrder\",\"E\":1,\"o\":{\"s\":\"牛来USDT\"}}", "usdm:牛来usdt@forceOrder" },
		{ "{\"e\":\"serverShutdown\",\"E\":1}", "usdm:!serverShutdown" },
		{ "{\"event\":{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":9}}", "usdm:btcusdt@trade" },
		{ "{\"lastUpdateId\":160,\"bids\":[],\"asks\":[]}", "usdm:!depth" },
		{ "[{\"e\":\"24hrTicker\",\"s\":\"BTCUSDT\"},{\"e\":\"x\"}]", "usdm:!ticker@arr" },
		{ "1723161600002 {\"e\":\"trade\",\"s\":\"X\"}", "usdm:x@trade" },
		{ " \t{\"e\":\"trade\",\"s\":\"X\"}", "usdm:x@trade" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_string_equal(name_of(cases[i][0]), cases[i][1]);
}

static void what_is_no_frame_is_the_rest(void **state)
{
	static const char *const lines[] = { "", " ", "x", "null", "7", "{}", "[]", "[1]", "[{}]", "[{\"e\":1}]",
		"{\"e\":1}", "{\"e\":\"\"}", "{\"result\":null,\"id\":1}", "{\"error\":{\"code\":2,\"msg\":\"x\"}}",
		"{\"stream\":\"x@trade\"}", "{\"stream\":7,\"data\":{}}", "{\"stream\":\"\",\"data\":{}}",
		"{\"data\":{\"e\":\"trade\",\"s\":\"A\"}}", "{\"market\":\"moon\",\"stream\":\"x@trade\",\"data\":{}}",
		"{\"market\":7,\"stream\":\"x@trade\",\"data\":{}}", "{\"e\":\"trade\",\"s\":\"A\"",
		"{\"e\":\"trade\",\"s\":\"A\xff\"}", "[{\"e\":\"trade\"}", "12 {\"e\":\"trade\"}",
		"{\"type\":\"heartbeat\",\"ts\":1}", "{\"type\":\"price_update\",\"stream\":\"x@trade\",\"data\":{}}",
		"1723161600002 {\"type\":\"heartbeat\"}",
		"{\"type\":\"status\",\"state\":\"live\",\"stream\":\"x@trade\"}", "{\"type\":\"status\",\"state\":7}",
		"{\"type\":\"status\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (strcmp(name_of(lines[i]), "-") != 0)
			fail_msg("'%s' was taken for a frame", lines[i]);
		assert_int_equal(out.what, BINANCE_TRACK_LINE);
		assert_int_equal(out.event.order, ARBITER_HASHED);
		assert_int_equal(out.about.n, 0);
		/* by all bytes */
		assert_int_equal(out.event.id, binance_ids_hash(span_of(lines[i])));
	}
	assert_int_equal(t.streams, 1);
	assert_string_equal(t.stream[BINANCE_TRACK_REST].name, "");
}

static void events_have_their_ids(void **state)
{
	(void)state;
	assert_string_equal(name_of("{\"e\":\"aggTrade\",\"E\":5,\"s\":\"A\",\"a\":7}"), "usdm:a@aggTrade");
	assert_int_equal(out.event.order, ARBITER_CHAINED);
	assert_int_equal(out.event.id, 7);
	assert_int_equal(out.event.prev, 6);
	assert_int_equal(out.event.time, 5);
	assert_int_equal(t.stream[out.stream].kind, BINANCE_KIND_AGG_TRADE);
	name_of("{\"stream\":\"a@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"U\":5,\"u\":9,\"pu\":3}}");
	assert_int_equal(out.event.order, ARBITER_CHAINED);
	assert_int_equal(out.event.prev, 3);
	name_of("{\"market\":\"spot\",\"stream\":\"a@depth@100ms\",\"data\":{\"e\":\"depthUpdate\",\"U\":5,\"u\":9}}");
	assert_int_equal(out.event.prev, 4);
	name_of("{\"stream\":\"a@depth20\",\"data\":{\"e\":\"depthUpdate\",\"U\":5,\"u\":9,\"pu\":-1}}");
	assert_int_equal(out.event.order, ARBITER_ORDERED);
	assert_int_equal(t.stream[out.stream].kind, BINANCE_KIND_PARTIAL);
	name_of("{\"u\":11,\"s\":\"A\",\"b\":\"1\",\"B\":\"1\",\"a\":\"1\",\"A\":\"1\"}");
	assert_int_equal(out.event.order, ARBITER_ORDERED);
	assert_int_equal(out.event.id, 11);
}

/* what the exchange sent decides, not what a collector has put around it */
static void without_ids_the_event_is_known_by_its_bytes(void **state)
{
	uint64_t id;

	(void)state;
	name_of("{\"recv\":1,\"market\":\"usdm\",\"stream\":\"a@kline_1m\",\"data\":{\"e\":\"kline\",\"E\":1}}");
	assert_int_equal(out.event.order, ARBITER_HASHED);
	id = out.event.id;
	name_of("{\"recv\":2,\"market\":\"usdm\",\"stream\":\"a@kline_1m\",\"data\":{\"e\":\"kline\",\"E\":1}}");
	assert_int_equal(out.event.id, id);
	name_of("{\"e\":\"kline\",\"E\":1}");
	assert_int_equal(out.event.id, id);
	name_of("1723161600002 {\"e\":\"kline\",\"E\":1}");
	assert_int_equal(out.event.id, id);
	name_of("{\"event\":{\"e\":\"kline\",\"E\":1}}");
	assert_int_equal(out.event.id, id);
	name_of("{\"e\":\"kline\",\"E\":2}");
	assert_int_not_equal(out.event.id, id);
	name_of("1723161600002 [{\"e\":\"x\",\"E\":1}]");
	id = out.event.id;
	name_of("1723161600003 [{\"e\":\"x\",\"E\":1}]");
	assert_int_equal(out.event.id, id);
	/* a bare event that lacks its id, behind a frame whose bytes are gone */
	name_of("{\"e\":\"aggTrade\",\"s\":\"A\"}");
	assert_int_equal(out.event.id, binance_ids_hash(SPAN("{\"e\":\"aggTrade\",\"s\":\"A\"}")));
}

static void outages_are_read(void **state)
{
	(void)state;
	name_of("{\"type\":\"status\",\"state\":\"gap\",\"ts\":1,\"stream\":\"a@trade\",\"lastId\":\"1\"}");
	assert_int_equal(out.what, BINANCE_TRACK_GAP);
	assert_true(span_is(out.about, "a@trade"));
	name_of("{\"stream\":\"\\u0061@trade\",\"state\":\"gap\",\"type\":\"status\"}");
	assert_int_equal(out.what, BINANCE_TRACK_GAP);
	assert_true(span_is(out.about, "a@trade"));
	name_of("{\"type\":\"status\",\"state\":\"connecting\",\"ts\":1,\"detail\":\"x\"}");
	assert_int_equal(out.what, BINANCE_TRACK_CONNECTING);
	assert_int_equal(out.about.n, 0);
	name_of("1723161600002 {\"type\":\"status\",\"state\":\"gap\",\"ts\":1}");
	assert_int_equal(out.what, BINANCE_TRACK_GAP);
	assert_int_equal(t.streams, 1);
}

static void streams_are_numbered_as_they_come(void **state)
{
	(void)state;
	name_of("{\"e\":\"trade\",\"s\":\"A\"}");
	assert_int_equal(out.stream, 1);
	name_of("{\"e\":\"trade\",\"s\":\"B\"}");
	assert_int_equal(out.stream, 2);
	name_of("{\"market\":\"spot\",\"stream\":\"a@trade\",\"data\":{}}");
	assert_int_equal(out.stream, 3);
	name_of("{\"market\":\"usdm\",\"stream\":\"a@trade\",\"data\":{}}");
	assert_int_equal(out.stream, 1);
	assert_int_equal(binance_track_find(&t, EVENT_USDM, SPAN("b@trade")), 2);
	assert_int_equal(binance_track_find(&t, EVENT_SPOT, SPAN("a@trade")), 3);
	assert_int_equal(binance_track_find(&t, EVENT_COINM, SPAN("a@trade")), -1);
	assert_int_equal(binance_track_find(&t, EVENT_USDM, SPAN("")), -1);
	assert_int_equal(t.streams, 4);
}

static void there_is_an_end_to_streams(void **state)
{
	char line[100];

	(void)state;
	for (unsigned i = 0; i < BINANCE_TRACK_STREAMS; i++) {
		snprintf(line, sizeof line, "{\"e\":\"trade\",\"s\":\"S%u\",\"t\":1}", i);
		assert_true(track(line));
		assert_int_equal(out.stream, i + 1);
	}
	assert_false(track("{\"e\":\"trade\",\"s\":\"ONEMORE\",\"t\":1}"));
	assert_int_equal(t.streams, BINANCE_TRACK_STREAMS + 1);
	/* what is known stays so */
	assert_true(track("{\"e\":\"trade\",\"s\":\"S77\",\"t\":1}"));
	assert_int_equal(out.stream, 78);
	assert_true(track("{\"type\":\"heartbeat\"}"));
	assert_false(track("[{\"e\":\"new\"}]"));
}

static void names_have_a_length(void **state)
{
	char line[600], name[BINANCE_NAME_MAX + 2];

	(void)state;
	memset(name, 'x', sizeof name);
	name[BINANCE_NAME_MAX + 1] = '\0';
	snprintf(line, sizeof line, "{\"stream\":\"%s\",\"data\":{}}", name);
	assert_string_equal(name_of(line), "-");
	snprintf(line, sizeof line, "{\"e\":\"trade\",\"s\":\"%s\"}", name);
	assert_string_equal(name_of(line), "-");
	snprintf(line, sizeof line, "[{\"e\":\"%s\"}]", name);
	assert_string_equal(name_of(line), "-");
	name[BINANCE_NAME_MAX] = '\0';
	snprintf(line, sizeof line, "{\"stream\":\"%s\",\"data\":{}}", name);
	assert_true(track(line));
	assert_int_equal(out.what, BINANCE_TRACK_FRAME);
	name[BINANCE_NAME_MAX - 7] = '\0';
	snprintf(line, sizeof line, "{\"e\":\"trade\",\"s\":\"%s\"}", name);
	assert_true(track(line));
	assert_int_equal(out.what, BINANCE_TRACK_FRAME);
}

static void a_name_is_all_its_bytes(void **state)
{
	(void)state;
	assert_true(track("{\"stream\":\"a\\u0000b\",\"data\":{}}"));
	assert_int_equal(out.stream, 1);
	assert_int_equal(t.stream[1].n, 3);
	assert_memory_equal(t.stream[1].name, "a\0b", 4);
	assert_true(track("{\"stream\":\"a\\u0000c\",\"data\":{}}"));
	assert_int_equal(out.stream, 2);
	assert_true(track("{\"stream\":\"a\",\"data\":{}}"));
	assert_int_equal(out.stream, 3);
	assert_true(track("{\"stream\":\"a\\u0000b\",\"data\":{}}"));
	assert_int_equal(out.stream, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_envelope_names_its_stream, start, end),
		cmocka_unit_test_setup_teardown(a_bare_event_is_named_by_type_and_symbol, start, end),
		cmocka_unit_test_setup_teardown(what_is_no_frame_is_the_rest, start, end),
		cmocka_unit_test_setup_teardown(events_have_their_ids, start, end),
		cmocka_unit_test_setup_teardown(without_ids_the_event_is_known_by_its_bytes, start, end),
		cmocka_unit_test_setup_teardown(outages_are_read, start, end),
		cmocka_unit_test_setup_teardown(streams_are_numbered_as_they_come, start, end),
		cmocka_unit_test_setup_teardown(there_is_an_end_to_streams, start, end),
		cmocka_unit_test_setup_teardown(names_have_a_length, start, end),
		cmocka_unit_test_setup_teardown(a_name_is_all_its_bytes, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
