/* lib/binance_bus: subjects and ids of frames and records */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_bus.h"

static struct binance_bus b;
static struct binance_bus_key k;
static char why[256];

static void begin(const char *template)
{
	assert_true(binance_bus_open(&b, span_of(template), EVENT_USDM, true, why));
}

static int end(void **state)
{
	(void)state;
	binance_bus_close(&b);
	return 0;
}

static bool key(const char *text)
{
	static char line[8192 + JSON_PAD];
	const char *sentence;
	size_t at, n = strlen(text);

	memset(line, 0, sizeof line);
	memcpy(line, text, n);
	line[n] = '\n';
	return binance_bus_line(&b, (struct span){ line, n }, &k, &sentence, &at);
}

static void subject_of(const char *text, const char *subject)
{
	assert_true(key(text));
	assert_string_equal(k.subject, subject);
	assert_int_equal(k.subject_n, strlen(subject));
}

#define FRAME(stream, data)                                                                                            \
	"{\"recv\":1790526538965462,\"market\":\"usdm\",\"stream\":\"" stream "\",\"data\":" data "}"
#define PRICE                                                                                                          \
	"{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142.355\",\"ts\":1790526538940,\"pair\":"           \
	"\"SOLUSDT\",\"market\":\"usdm\",\"source\":\"book\"}"

static void subjects(void **state)
{
	(void)state;
	begin("bnc.{market}.{type}.{pair}");
	subject_of(FRAME("solusdt@bookTicker", "{\"u\":1}"), "bnc.usdm.bookTicker.SOLUSDT");
	subject_of(FRAME("btcusdt_261225@kline_1m", "{\"e\":\"kline\"}"), "bnc.usdm.kline_1m.BTCUSDT_261225");
	subject_of(FRAME("solusdt@markPrice@1s", "{\"e\":\"markPriceUpdate\"}"), "bnc.usdm.markPrice@1s.SOLUSDT");
	subject_of(FRAME("!ticker@arr", "[]"), "bnc.usdm.ticker@arr.-");
	subject_of(FRAME("userData", "{\"e\":\"ACCOUNT_UPDATE\"}"), "bnc.usdm.userData.-");
	subject_of(FRAME("/fapi/v3/balance", "[]"), "bnc.usdm.%2Ffapi%2Fv3%2Fbalance.-");
	subject_of("{\"e\":\"aggTrade\",\"E\":1,\"s\":\"SOLUSDT\",\"a\":7}", "bnc.usdm.aggTrade.SOLUSDT");
	subject_of("{\"recv\":1,\"market\":\"spot\",\"stream\":\"solusdt@trade\",\"data\":{\"t\":1}}",
	    "bnc.spot.trade.SOLUSDT");
	subject_of(PRICE, "bnc.usdm.price_update.SOLUSDT");
	subject_of("{\"type\":\"heartbeat\",\"ts\":1}", "bnc.-.heartbeat.-");
	subject_of("{\"type\":\"balance_update\",\"asset\":\"USDT\",\"balance\":\"1\",\"ts\":1,\"market\":\"usdm\"}",
	    "bnc.usdm.balance_update.USDT");
	subject_of("{\"type\":\"position_update\",\"symbol\":\"SOL\",\"qty\":\"1\"}", "bnc.-.position_update.SOL");
	subject_of("{\"type\":\"status\",\"state\":\"gap\",\"ts\":1,\"stream\":\"solusdt@trade\"}", "bnc.-.status.-");
	subject_of("{}", "bnc.-.-.-");
}

static void bytes_that_mean_something_are_written_otherwise(void **state)
{
	(void)state;
	begin("bnc.{market}.{type}.{pair}");
	subject_of("{\"type\":\"a.b*c>d e\\\"\\t\",\"pair\":\"\\u20ac\",\"market\":\"-\"}",
	    "bnc.%2D.a%2Eb%2Ac%3Ed%20e%22%09.%E2%82%AC");
	subject_of("{\"type\":\"\",\"pair\":\"100%\"}", "bnc.-.-.100%25");
	/* so that no name can pose as another */
	subject_of("{\"type\":\"a%2Eb\"}", "bnc.-.a%252Eb.-");
	subject_of("{\"type\":\"a-b\"}", "bnc.-.a-b.-");
	subject_of("{\"type\":7,\"pair\":null}", "bnc.-.-.-");
	subject_of("{\"type\":\"$JS\"}", "bnc.-.%24JS.-");
}

static void templates(void **state)
{
	static const char *const bad[] = {
		"", "bnc.", ".bnc", "bnc..x", "bnc.*", "bnc.>", "bnc.{x}", "bnc.{market", "bnc.market}", "b c",
		"bnc.\"",
		"{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}{pair}"
	};
	char wild[BINANCE_BUS_SUBJECT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_false(binance_bus_open(&b, span_of(bad[i]), EVENT_USDM, true, why));
		assert_true(why[0]);
		binance_bus_close(&b);
	}
	begin("x.{pair}.v2-{type}");
	subject_of(PRICE, "x.SOLUSDT.v2-price_update");
	binance_bus_wild(&b, wild);
	assert_string_equal(wild, "x.*.*");
	binance_bus_close(&b);
	begin("all");
	subject_of(PRICE, "all");
	binance_bus_wild(&b, wild);
	assert_string_equal(wild, "all");
	binance_bus_close(&b);
	begin("bnc.{market}.{type}.{pair}");
	binance_bus_wild(&b, wild);
	assert_string_equal(wild, "bnc.*.*.*");
}

static char before[BINANCE_BUS_ID_MAX + 1];

static void id_of(const char *text, const char *id)
{
	assert_true(key(text));
	assert_string_equal(k.id, id);
	assert_int_equal(k.id_n, strlen(id));
}

static void keeps(const char *text)
{
	assert_true(key(text) && k.id_n);
	strcpy(before, k.id);
}

static void same(const char *text)
{
	assert_true(key(text) && k.id_n);
	assert_string_equal(k.id, before);
}

static void other(const char *text)
{
	assert_true(key(text) && k.id_n);
	assert_string_not_equal(k.id, before);
}

static void none(const char *text)
{
	assert_true(key(text));
	assert_int_equal(k.id_n, 0);
}

static void ids_of_frames(void **state)
{
	(void)state;
	begin("bnc.{market}.{type}.{pair}");
	id_of(FRAME("solusdt@bookTicker", "{\"e\":\"bookTicker\",\"u\":77,\"E\":5}"), "usdm:solusdt@bookTicker:77");
	id_of(FRAME("solusdt@aggTrade", "{\"e\":\"aggTrade\",\"a\":9,\"E\":5}"), "usdm:solusdt@aggTrade:9");
	id_of(FRAME("solusdt@trade", "{\"e\":\"trade\",\"t\":9,\"E\":5}"), "usdm:solusdt@trade:9");
	id_of(
	    FRAME("solusdt@depth", "{\"e\":\"depthUpdate\",\"U\":3,\"u\":9,\"pu\":2,\"E\":5}"), "usdm:solusdt@depth:9");
	/* the time when it came is not part of it */
	keeps(FRAME("solusdt@kline_1m", "{\"e\":\"kline\",\"E\":5,\"k\":{\"c\":\"1\"}}"));
	same("{\"recv\":1790526538999999,\"market\":\"usdm\",\"stream\":\"solusdt@kline_1m\",\"data\":{\"e\":\"kline\","
	     "\"E\":5,\"k\":{\"c\":\"1\"}}}");
	other(FRAME("solusdt@kline_1m", "{\"e\":\"kline\",\"E\":5,\"k\":{\"c\":\"2\"}}"));
	other(FRAME("solusdt@kline_1m", "{\"e\":\"kline\",\"E\":6,\"k\":{\"c\":\"1\"}}"));
	other(FRAME("solusdt@kline_5m", "{\"e\":\"kline\",\"E\":5,\"k\":{\"c\":\"1\"}}"));
	keeps(FRAME("solusdt@trade", "{\"e\":\"trade\",\"t\":9,\"E\":5}"));
	other(
	    "{\"recv\":1,\"market\":\"spot\",\"stream\":\"solusdt@trade\",\"data\":{\"e\":\"trade\",\"t\":9,\"E\":5}}");
	/* a snapshot of an account says the same again, and must be heard */
	none(FRAME("/fapi/v3/balance", "[]"));
	none(FRAME("userData", "{\"e\":\"ACCOUNT_UPDATE\",\"E\":5}"));
}

static void ids_of_records(void **state)
{
	(void)state;
	begin("bnc.{market}.{type}.{pair}");
	none(PRICE);
	none("{\"type\":\"heartbeat\",\"ts\":1}");
	none("{\"type\":\"status\",\"state\":\"gap\",\"ts\":1}");
	keeps("{\"type\":\"price_update\",\"pair\":\"SOLUSDT\",\"source\":\"trade\",\"id\":\"7\",\"price\":\"1\"}");
	same("{\"type\":\"price_update\",\"pair\":\"SOLUSDT\",\"source\":\"trade\",\"id\":\"7\",\"price\":\"1\"}");
	/* trades and their aggregates number themselves alike */
	other("{\"type\":\"price_update\",\"pair\":\"SOLUSDT\",\"source\":\"trade\",\"id\":\"7\",\"price\":\"2\"}");
	none("{\"type\":\"order\",\"id\":\"a b\\r\\nX: y\"}");
	binance_bus_close(&b);
	assert_true(binance_bus_open(&b, SPAN("bnc.{type}"), EVENT_USDM, false, why));
	none(FRAME("solusdt@trade", "{\"e\":\"trade\",\"t\":9,\"E\":5}"));
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const bad[] = { "", "7", "[1]", "{", "{\"a\":1}x", "\"text\"", "hello" };
	char longest[700];

	(void)state;
	begin("bnc.{market}.{type}.{pair}");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(key(bad[i]));
	snprintf(longest, sizeof longest, "{\"type\":\"%0250d\"}", 7);
	assert_false(key(longest));
	assert_true(key(PRICE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(subjects, end),
		cmocka_unit_test_teardown(bytes_that_mean_something_are_written_otherwise, end),
		cmocka_unit_test_teardown(templates, end),
		cmocka_unit_test_teardown(ids_of_frames, end),
		cmocka_unit_test_teardown(ids_of_records, end),
		cmocka_unit_test_teardown(what_is_no_object_is_refused, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
