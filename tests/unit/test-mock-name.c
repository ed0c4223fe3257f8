/* Stream names: which tier carries them (binance.md 1.2), and which the exchange acknowledges and never serves (1.4).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_name.h"

static void tiers_follow_the_table(void **state)
{
	static const struct {
		const char *name;
		enum mock_tier tier;
	} rows[] = {
		{ "btcusdt@bookTicker", MOCK_TIER_PUBLIC },
		{ "!bookTicker", MOCK_TIER_PUBLIC },
		{ "btcusdt@depth", MOCK_TIER_PUBLIC },
		{ "btcusdt@depth20@100ms", MOCK_TIER_PUBLIC },
		{ "btcusdt@rpiDepth@500ms", MOCK_TIER_PUBLIC },
		{ "btcusdt@trade", MOCK_TIER_PUBLIC },
		{ "btcusdt@aggTrade", MOCK_TIER_MARKET },
		{ "btcusdt@markPrice@1s", MOCK_TIER_MARKET },
		{ "!markPrice@arr@1s", MOCK_TIER_MARKET },
		{ "btcusdt@kline_1m", MOCK_TIER_MARKET },
		{ "btcusdt_perpetual@continuousKline_1m", MOCK_TIER_MARKET },
		{ "!forceOrder@arr", MOCK_TIER_MARKET },
		{ "tradingSession", MOCK_TIER_MARKET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(mock_name_tier(span_of(rows[i].name)), rows[i].tier);
}

static void names_lead_to_slots(void **state)
{
	static const struct {
		const char *name;
		enum mock_market market;
		int slot;
		bool all;
	} rows[] = {
		{ "btcusdt@bookTicker", MOCK_USDM, MOCK_BOOK, false },
		{ "!bookTicker", MOCK_USDM, MOCK_BOOK, true },
		{ "btcusdt@markPrice", MOCK_USDM, MOCK_MARK_3S, false },
		{ "btcusdt@markPrice@1s", MOCK_COINM, MOCK_MARK_1S, false },
		{ "!markPrice@arr", MOCK_USDM, MOCK_MARK_3S, true },
		{ "btcusdt@depth", MOCK_USDM, MOCK_DEPTH, false },
		{ "btcusdt@depth@100ms", MOCK_USDM, MOCK_DEPTH + 1, false },
		{ "btcusdt@depth@500ms", MOCK_USDM, MOCK_DEPTH + 2, false },
		{ "btcusdt@depth20@100ms", MOCK_SPOT, MOCK_PARTIAL + 7, false },
		{ "btcusdt@kline_1m", MOCK_USDM, MOCK_KLINE + 1, false },
		{ "btcusdt@kline_1M", MOCK_USDM, MOCK_KLINE + 15, false },
		{ "btcusdt@kline_1s", MOCK_SPOT, MOCK_KLINE, false },
		{ "!miniTicker@arr", MOCK_SPOT, MOCK_MINI, true },
		{ "!forceOrder@arr", MOCK_COINM, MOCK_FORCE, true },
		{ "\xe7\x89\x9b\xe6\x9d\xa5usdt@trade", MOCK_USDM, MOCK_TRADE, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mock_name n;
		assert_true(mock_name_parse(span_of(rows[i].name), rows[i].market, &n));
		assert_int_equal(n.slot, rows[i].slot);
		assert_int_equal(n.all, rows[i].all);
	}
}

static void what_the_exchange_does_not_know_is_silent(void **state)
{
	static const struct {
		const char *name;
		enum mock_market market;
	} rows[] = {
		{ "BTCUSDT@bookTicker", MOCK_USDM },
		{ "btcusdt@bookticker", MOCK_USDM },
		{ "btcusdt@depth@250ms", MOCK_USDM },
		{ "btcusdt@depth@500ms", MOCK_SPOT },
		{ "btcusdt@depth7", MOCK_USDM },
		{ "btcusdt@kline_1s", MOCK_USDM },
		{ "btcusdt@kline_7m", MOCK_USDM },
		{ "btcusdt@aggTrade@100ms", MOCK_USDM },
		{ "btcusdt@markPrice", MOCK_SPOT },
		{ "btcusdt@forceOrder", MOCK_SPOT },
		{ "!bookTicker", MOCK_SPOT },
		{ "!ticker@arr", MOCK_SPOT },
		{ "!nothing@arr", MOCK_USDM },
		{ "btcusdt", MOCK_USDM },
		{ "@trade", MOCK_USDM },
		{ "", MOCK_USDM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mock_name n;
		assert_false(mock_name_parse(span_of(rows[i].name), rows[i].market, &n));
	}
}

static void only_ascii_is_lowered(void **state)
{
	char out[16];

	(void)state;
	mock_lower(SPAN("\xe7\x89\x9bUSDT_Z1"), out);
	assert_memory_equal(out, "\xe7\x89\x9busdt_z1", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiers_follow_the_table),
		cmocka_unit_test(names_lead_to_slots),
		cmocka_unit_test(what_the_exchange_does_not_know_is_silent),
		cmocka_unit_test(only_ascii_is_lowered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
