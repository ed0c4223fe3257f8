/* lib/binance_stream: names, tiers, plans, hosts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_stream.h"

static char why[256];

/* the streams of one operand, blanks between; NULL: refused */
static const char *streams(enum event_market m, const char *operand, const char *channels)
{
	static char text[4096];
	struct binance_plan p;
	size_t n = 0;

	binance_plan_open(&p, m);
	bool ok = binance_plan_add(&p, span_of(operand), span_of(channels), why);
	text[0] = '\0';
	for (size_t i = 0; i < p.streams; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "", p.stream[i].name);
	binance_plan_close(&p);
	return ok ? text : NULL;
}

static void operands_become_streams(void **state)
{
	(void)state;
	assert_string_equal(streams(EVENT_USDM, "SOLUSDT", "bookTicker"), "solusdt@bookTicker");
	assert_string_equal(streams(EVENT_USDM, "solUSDT", "book,agg,mark,mini,kline_1M"),
	    "solusdt@bookTicker solusdt@aggTrade solusdt@markPrice@1s solusdt@miniTicker solusdt@kline_1M");
	assert_string_equal(streams(EVENT_USDM, "BTCUSDT@aggTrade", "bookTicker"), "btcusdt@aggTrade");
	assert_string_equal(streams(EVENT_USDM, "!markPrice@arr@1s", "book"), "!markPrice@arr@1s");
	assert_string_equal(streams(EVENT_USDM, "tradingSession", "book"), "tradingSession");
	assert_string_equal(streams(EVENT_USDM, "BTCUSDT_261225", "depth@100ms"), "btcusdt_261225@depth@100ms");
	assert_string_equal(streams(EVENT_USDM, "BTCUSDT_PERPETUAL@continuousKline_1m", "book"),
	    "btcusdt_perpetual@continuousKline_1m");
	assert_string_equal(streams(EVENT_COINM, "BTCUSD_PERP", "depth20"), "btcusd_perp@depth20");
	assert_string_equal(streams(EVENT_SPOT, "bnbbtc", "kline_1s,kline_1d@+08:00,ticker_4h"),
	    "bnbbtc@kline_1s bnbbtc@kline_1d@+08:00 bnbbtc@ticker_4h");
	/* ASCII letters only are lowered */
	assert_string_equal(streams(EVENT_USDM, "牛来USDT", "aggTrade"), "牛来usdt@aggTrade");
	assert_string_equal(streams(EVENT_USDM, "ÄUSDT@trade", "aggTrade"), "Äusdt@trade");
	/* what nobody knows may be new there */
	assert_string_equal(streams(EVENT_USDM, "SOLUSDT@newThing@1s", "book"), "solusdt@newThing@1s");
}

static void what_would_stay_silent_is_refused(void **state)
{
	static const struct {
		enum event_market m;
		const char *operand, *channels, *says;
	} cases[] = {
		{ EVENT_USDM, "SOLUSDT", "bookticker", "bookTicker" },
		{ EVENT_USDM, "SOLUSDT@AGGTRADE", "book", "aggTrade" },
		{ EVENT_USDM, "!MARKPRICE@arr", "book", "!markPrice@arr" },
		{ EVENT_USDM, "SOLUSDT@depth@250ms", "book", "250 ms" },
		{ EVENT_USDM, "SOLUSDT", "kline_1s", "interval" },
		{ EVENT_USDM, "SOLUSDT", "kline_", "interval" },
		{ EVENT_SPOT, "BNBBTC", "markPrice", "no stream of the spot market" },
		{ EVENT_SPOT, "!bookTicker", "book", "2022-12-07" },
		{ EVENT_SPOT, "!ticker@arr", "book", "2026-03-26" },
		{ EVENT_COINM, "BTCUSD_PERP@avgPrice", "book", "coinm" },
		{ EVENT_USDM, "", "book", "neither" },
		{ EVENT_USDM, "SOL/USDT", "book", "neither" },
		{ EVENT_USDM, "SOL USDT", "book", "neither" },
		{ EVENT_USDM, "SOL\"USDT@trade", "book", "not the name" },
		{ EVENT_USDM, "@trade", "book", "not the name" },
		{ EVENT_USDM, "SOLUSDT@", "book", "not the name" },
		{ EVENT_USDM, "SOLUSDT@tra de", "book", "not the name" },
		{ EVENT_USDM, "SOL\xff", "book", "neither" },
		{ EVENT_USDM, "SOL\xc0\x80", "book", "neither" },
		{ EVENT_USDM, "SOL\xed\xa0\x80", "book", "neither" },
		{ EVENT_USDM, "SOLUSDT", "", "not a channel" },
		{ EVENT_USDM, "SOLUSDT", "book,,trade", "not a channel" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (streams(cases[i].m, cases[i].operand, cases[i].channels))
			fail_msg("'%s' -c '%s' was taken", cases[i].operand, cases[i].channels);
		if (!strstr(why, cases[i].says))
			fail_msg("'%s': '%s' does not say '%s'", cases[i].operand, why, cases[i].says);
	}
}

static void long_names_are_refused(void **state)
{
	char name[BINANCE_NAME_MAX + 20];

	(void)state;
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = '\0';
	assert_null(streams(EVENT_USDM, name, "book"));
	name[BINANCE_NAME_MAX - 6] = '\0';
	assert_non_null(streams(EVENT_USDM, name, "trade"));
	assert_null(streams(EVENT_USDM, name, "aggTrade"));
}

static void tiers(void **state)
{
	static const struct {
		const char *name;
		enum binance_tier tier;
	} cases[] = {
		{ "solusdt@bookTicker", BINANCE_TIER_PUBLIC },
		{ "!bookTicker", BINANCE_TIER_PUBLIC },
		{ "solusdt@depth", BINANCE_TIER_PUBLIC },
		{ "solusdt@depth20@100ms", BINANCE_TIER_PUBLIC },
		{ "solusdt@rpiDepth@500ms", BINANCE_TIER_PUBLIC },
		{ "solusdt@trade", BINANCE_TIER_PUBLIC },
		{ "solusdt@aggTrade", BINANCE_TIER_MARKET },
		{ "solusdt@markPrice@1s", BINANCE_TIER_MARKET },
		{ "!markPrice@arr", BINANCE_TIER_MARKET },
		{ "solusdt@kline_1m", BINANCE_TIER_MARKET },
		{ "!forceOrder@arr", BINANCE_TIER_MARKET },
		{ "tradingSession", BINANCE_TIER_MARKET },
		{ "tradeusdt@ticker", BINANCE_TIER_MARKET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(binance_tier(EVENT_USDM, span_of(cases[i].name)), cases[i].tier);
		assert_int_equal(binance_tier(EVENT_SPOT, span_of(cases[i].name)), BINANCE_TIER_NONE);
		assert_int_equal(binance_tier(EVENT_COINM, span_of(cases[i].name)), BINANCE_TIER_NONE);
	}
	assert_true(span_is(binance_tier_path(BINANCE_TIER_PUBLIC), "/public/stream"));
	assert_true(span_is(binance_tier_path(BINANCE_TIER_MARKET), "/market/stream"));
	assert_true(span_is(binance_tier_path(BINANCE_TIER_NONE), "/stream"));
}

static void kinds_and_manners(void **state)
{
	static const struct {
		const char *name;
		enum binance_kind kind;
		bool quiet, conflates, known;
	} cases[] = {
		{ "a@bookTicker", BINANCE_KIND_BOOK, false, true, true },
		{ "!bookTicker", BINANCE_KIND_OTHER, false, false, true },
		{ "a@markPrice", BINANCE_KIND_MARK, false, true, true },
		{ "!markPrice@arr", BINANCE_KIND_OTHER, false, false, true },
		{ "a@depth@100ms", BINANCE_KIND_DEPTH, false, false, true },
		{ "a@depth10", BINANCE_KIND_PARTIAL, false, false, true },
		{ "a@rpiDepth@500ms", BINANCE_KIND_DEPTH, false, false, true },
		{ "a@aggTrade", BINANCE_KIND_AGG_TRADE, false, false, true },
		{ "a@trade", BINANCE_KIND_TRADE, false, false, true },
		{ "a@forceOrder", BINANCE_KIND_OTHER, true, false, true },
		{ "!contractInfo", BINANCE_KIND_OTHER, true, false, true },
		{ "a@somethingNew", BINANCE_KIND_OTHER, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct binance_plan p;
		binance_plan_open(&p, EVENT_USDM);
		assert_true(binance_plan_add(&p, span_of(cases[i].name), SPAN("book"), why));
		assert_int_equal(p.stream[0].kind, cases[i].kind);
		assert_int_equal(binance_stream_kind(EVENT_USDM, span_of(cases[i].name)), cases[i].kind);
		assert_int_equal(p.stream[0].quiet, cases[i].quiet);
		assert_int_equal(p.stream[0].conflates, cases[i].conflates);
		assert_int_equal(p.stream[0].known, cases[i].known);
		binance_plan_close(&p);
	}
}

static void names_that_nobody_asks_for_have_a_kind(void **state)
{
	(void)state;
	assert_int_equal(binance_stream_kind(EVENT_USDM, SPAN("btcusdt@depth@0ms")), BINANCE_KIND_DEPTH);
	assert_int_equal(binance_stream_kind(EVENT_SPOT, SPAN("btcusdt@depth")), BINANCE_KIND_DEPTH);
	assert_int_equal(binance_stream_kind(EVENT_SPOT, SPAN("btcusdt@depth5@100ms")), BINANCE_KIND_PARTIAL);
	assert_int_equal(binance_stream_kind(EVENT_SPOT, SPAN("btcusdt@depth@250ms")), BINANCE_KIND_OTHER);
	assert_int_equal(binance_stream_kind(EVENT_USDM, SPAN("btcusdt@trades")), BINANCE_KIND_OTHER);
	assert_int_equal(binance_stream_kind(EVENT_USDM, SPAN("!depth")), BINANCE_KIND_OTHER);
	assert_int_equal(binance_stream_kind(EVENT_USDM, SPAN("!x@depth")), BINANCE_KIND_OTHER);
	assert_int_equal(binance_stream_kind(EVENT_USDM, SPAN("")), BINANCE_KIND_OTHER);
	assert_int_equal(binance_stream_kind(EVENT_USDM, SPAN("@trade")), BINANCE_KIND_TRADE);
}

static void one_connection_a_tier(void **state)
{
	struct binance_plan p;

	(void)state;
	binance_plan_open(&p, EVENT_USDM);
	assert_true(binance_plan_add(&p, SPAN("btcusdt@aggTrade"), SPAN("bookTicker"), why));
	assert_true(binance_plan_add(&p, SPAN("SOLUSDT"), SPAN("bookTicker"), why));
	assert_true(binance_plan_add(&p, SPAN("solusdt@bookTicker"), SPAN("bookTicker"), why)); /* again */
	assert_true(binance_plan_ready(&p));
	assert_int_equal(p.streams, 2);
	assert_int_equal(p.routes, 2);
	assert_int_equal(p.route[0].tier, BINANCE_TIER_PUBLIC);
	assert_int_equal(p.route[1].tier, BINANCE_TIER_MARKET);
	assert_string_equal(p.stream[p.route[0].first].name, "solusdt@bookTicker");
	assert_int_equal(binance_plan_find(&p, SPAN("btcusdt@aggTrade")), 1);
	assert_int_equal(binance_plan_find(&p, SPAN("btcusdt@trade")), -1);
	binance_plan_close(&p);
}

static void many_streams_are_spread(void **state)
{
	static char out[BINANCE_MESSAGE_MAX];
	struct binance_plan p;
	char name[32];

	(void)state;
	binance_plan_open(&p, EVENT_USDM);
	for (int i = 0; i < 450; i++) {
		snprintf(name, sizeof name, "C%dUSDT", i);
		assert_true(binance_plan_add(&p, span_of(name), SPAN("book"), why));
	}
	assert_true(binance_plan_ready(&p));
	assert_int_equal(p.routes, 3);
	assert_int_equal(p.route[0].n, 200);
	assert_int_equal(p.route[2].n, 50);
	for (size_t i = 0; i < p.streams; i++)
		assert_int_equal(binance_plan_find(&p, (struct span){ p.stream[i].name, p.stream[i].n }), i);
	size_t upto, n = binance_subscribe(out, &p, &p.route[2], p.route[2].first, 7, &upto);
	assert_int_equal(upto, 450);
	assert_true(span_starts((struct span){ out, n }, SPAN("{\"method\":\"SUBSCRIBE\",\"params\":[\"c400usdt@bookTicker\",\"c401")));
	assert_true(span_ends((struct span){ out, n }, SPAN("\"c449usdt@bookTicker\"],\"id\":7}")));
	binance_plan_close(&p);
}

static void messages_stay_small(void **state)
{
	static char out[BINANCE_MESSAGE_MAX];
	struct binance_plan p;
	char name[BINANCE_NAME_MAX + 1];
	size_t upto, messages = 0;

	(void)state;
	binance_plan_open(&p, EVENT_SPOT);
	for (int i = 0; i < 200; i++) {
		int n = snprintf(name, sizeof name, "%03d", i);
		memset(name + n, 'x', sizeof name - 12);
		snprintf(name + BINANCE_NAME_MAX - 11, 12, "@bookTicker");
		assert_true(binance_plan_add(&p, span_of(name), SPAN("book"), why));
	}
	assert_true(binance_plan_ready(&p));
	for (size_t from = 0; from < p.streams; from = upto, messages++) {
		assert_true(binance_subscribe(out, &p, &p.route[0], from, messages, &upto) <= sizeof out);
		assert_true(upto > from);
	}
	assert_int_equal(messages, 2);
	assert_true(binance_message_gap_us(EVENT_SPOT) >= 500000);
	binance_plan_close(&p);
}

static void hosts(void **state)
{
	static const struct {
		enum event_market m;
		const char *url, *host;
		uint16_t port;
		bool tls, live;
	} cases[] = {
		{ EVENT_USDM, "live", "fstream.binance.com", 443, true, true },
		{ EVENT_COINM, "live", "dstream.binance.com", 443, true, true },
		{ EVENT_SPOT, "live", "stream.binance.com", 443, true, true },
		{ EVENT_USDM, "testnet", "fstream.binancefuture.com", 443, true, false },
		{ EVENT_SPOT, "demo", "demo-stream.binance.com", 9443, true, false },
		{ EVENT_USDM, "wss://127.0.0.1:8443", "127.0.0.1", 8443, true, false },
		{ EVENT_USDM, "wss://127.0.0.1:8443/", "127.0.0.1", 8443, true, false },
		{ EVENT_USDM, "wss://Example.org", "example.org", 443, true, false },
		{ EVENT_SPOT, "wss://data-stream.binance.vision", "data-stream.binance.vision", 443, true, true },
		{ EVENT_USDM, "ws://localhost:80", "localhost", 80, false, false },
	};
	static const char *const wrong[] = { "", "paper", "https://fstream.binance.com", "wss://", "wss://:443",
		"wss://[::1]:443", "wss://::1", "wss://h:0", "wss://h:65536", "wss://h:x", "wss://h:443/ws", "wss://h?x",
		"ws://example.org", "ws://fstream.binance.com", "wss://a b", "wss://user@h", "wss://h:443:1" };
	struct binance_endpoint e;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_true(binance_endpoint(&e, cases[i].m, span_of(cases[i].url), why));
		assert_string_equal(e.host, cases[i].host);
		assert_int_equal(e.port, cases[i].port);
		assert_int_equal(e.tls, cases[i].tls);
		assert_int_equal(e.live, cases[i].live);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (binance_endpoint(&e, EVENT_USDM, span_of(wrong[i]), why))
			fail_msg("'%s' was taken", wrong[i]);
	assert_true(binance_endpoint(&e, EVENT_USDM, SPAN("wss://127.1.2.3:1"), why) && binance_is_loopback(&e));
	assert_true(binance_endpoint(&e, EVENT_USDM, SPAN("wss://127.example.org"), why) && !binance_is_loopback(&e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operands_become_streams),
		cmocka_unit_test(what_would_stay_silent_is_refused),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(tiers),
		cmocka_unit_test(kinds_and_manners),
		cmocka_unit_test(names_that_nobody_asks_for_have_a_kind),
		cmocka_unit_test(one_connection_a_tier),
		cmocka_unit_test(many_streams_are_spread),
		cmocka_unit_test(messages_stay_small),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
