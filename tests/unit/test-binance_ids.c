/* lib/binance_ids: frames as the exchange sends them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "binance_ids.h"

static struct arbiter_event read_frame(enum binance_kind kind, enum event_market m, const char *data)
{
	static struct fields f;
	static char text[4096];
	struct arbiter_event e;
	size_t n = strlen(data);

	memcpy(text, "{\"stream\":\"x@y\",\"data\":", 23);
	memcpy(text + 23, data, n);
	memset(text + 23 + n, '\n', JSON_PAD + 2);
	text[23 + n] = '}';
	fields_open(&f, binance_slot);
	assert_true(fields_read(&f, (struct span){ text, 24 + n }));
	binance_ids_read(&e, kind, m, &f);
	return e;
}

static void trades_are_counted(void **state)
{
	(void)state;
	struct arbiter_event e = read_frame(BINANCE_KIND_AGG_TRADE, EVENT_USDM,
	    "{\"e\":\"aggTrade\",\"E\":1790526539033,\"a\":3466782974,\"s\":\"BTCUSDT\",\"p\":\"84551.10\",\"f\":81,\"l\":83}");
	assert_int_equal(e.order, ARBITER_CHAINED);
	assert_int_equal(e.id, 3466782974);
	assert_int_equal(e.prev, 3466782973);
	assert_int_equal(e.time, 1790526539033);
	e = read_frame(BINANCE_KIND_TRADE, EVENT_SPOT, "{\"e\":\"trade\",\"E\":5,\"s\":\"BNBBTC\",\"t\":12345}");
	assert_int_equal(e.order, ARBITER_CHAINED);
	assert_int_equal(e.id, 12345);
}

static void books_have_jumping_ids(void **state)
{
	(void)state;
	struct arbiter_event e =
	    read_frame(BINANCE_KIND_BOOK, EVENT_SPOT, "{\"u\":400900217,\"s\":\"BNBUSDT\",\"b\":\"25.3\"}");
	assert_int_equal(e.order, ARBITER_ORDERED);
	assert_int_equal(e.id, 400900217);
	assert_int_equal(e.time, -1);
	e = read_frame(BINANCE_KIND_PARTIAL, EVENT_SPOT, "{\"lastUpdateId\":160,\"bids\":[],\"asks\":[]}");
	assert_int_equal(e.order, ARBITER_ORDERED);
	assert_int_equal(e.id, 160);
	e = read_frame(BINANCE_KIND_PARTIAL, EVENT_COINM, "{\"e\":\"depthUpdate\",\"U\":1,\"u\":7,\"pu\":-1}");
	assert_int_equal(e.order, ARBITER_ORDERED);
	assert_int_equal(e.id, 7);
}

static void depth_names_the_event_before(void **state)
{
	(void)state;
	struct arbiter_event e = read_frame(BINANCE_KIND_DEPTH, EVENT_USDM,
	    "{\"e\":\"depthUpdate\",\"E\":3,\"U\":11671659683245,\"u\":11671659687966,\"pu\":11671659683147}");
	assert_int_equal(e.order, ARBITER_CHAINED);
	assert_int_equal(e.id, 11671659687966);
	assert_int_equal(e.prev, 11671659683147);
	e = read_frame(BINANCE_KIND_DEPTH, EVENT_SPOT, "{\"e\":\"depthUpdate\",\"E\":3,\"U\":157,\"u\":160}");
	assert_int_equal(e.order, ARBITER_CHAINED);
	assert_int_equal(e.prev, 156);
	e = read_frame(BINANCE_KIND_DEPTH, EVENT_COINM, "{\"e\":\"depthUpdate\",\"E\":3,\"U\":157,\"u\":160,\"pu\":-1}");
	assert_int_equal(e.order, ARBITER_ORDERED);
}

static void the_rest_is_known_by_its_bytes(void **state)
{
	static const char *const frames[] = {
		"{\"e\":\"kline\",\"E\":5,\"k\":{\"t\":1,\"x\":false}}", "{\"e\":\"kline\",\"E\":5,\"k\":{\"t\":1,\"x\":true}}",
		"{\"e\":\"kline\",\"E\":6,\"k\":{\"t\":1,\"x\":true}}", "[{\"e\":\"markPriceUpdate\",\"E\":5}]", "[]", "{}", "7",
		"{\"e\":\"markPriceUpdate\",\"E\":5,\"p\":\"1.1\"}", "{\"e\":\"markPriceUpdate\",\"E\":5,\"p\":\"1.2\"}",
	};
	struct arbiter_event e[sizeof frames / sizeof frames[0]];

	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		e[i] = read_frame(BINANCE_KIND_MARK, EVENT_USDM, frames[i]);
		assert_int_equal(e[i].order, ARBITER_HASHED);
		assert_int_equal(e[i].id, read_frame(BINANCE_KIND_OTHER, EVENT_USDM, frames[i]).id);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(e[i].id, e[j].id);
	}
}

static void frames_without_their_ids_are_known_by_their_bytes(void **state)
{
	static const char *const frames[] = { "{\"e\":\"aggTrade\",\"a\":\"77\"}", "{\"e\":\"aggTrade\",\"a\":0}", "[1]",
		"{\"e\":\"aggTrade\",\"a\":-5}", "{\"e\":\"aggTrade\",\"a\":1.5}", "{\"e\":\"aggTrade\",\"a\":99999999999999999999}" };

	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
		assert_int_equal(read_frame(BINANCE_KIND_AGG_TRADE, EVENT_USDM, frames[i]).order, ARBITER_HASHED);
	assert_int_equal(read_frame(BINANCE_KIND_DEPTH, EVENT_SPOT, "{\"u\":\"x\"}").order, ARBITER_HASHED);
	assert_int_equal(read_frame(BINANCE_KIND_DEPTH, EVENT_SPOT, "{\"U\":9,\"u\":5}").order, ARBITER_HASHED);
}

static void what_is_missing(void **state)
{
	struct arbiter_gap gap = { .proven = true, .has_ids = true, .last_id = 10, .next_id = 16 };

	(void)state;
	assert_int_equal(binance_ids_missing(BINANCE_KIND_AGG_TRADE, &gap), 5);
	assert_int_equal(binance_ids_missing(BINANCE_KIND_TRADE, &gap), 5);
	assert_int_equal(binance_ids_missing(BINANCE_KIND_DEPTH, &gap), 0);
	gap.proven = false;
	assert_int_equal(binance_ids_missing(BINANCE_KIND_AGG_TRADE, &gap), 0);
}

static void a_gap_in_words(void **state)
{
	const int64_t at = 1790526538965462;
	struct arbiter_gap gap = { .proven = true, .has_ids = true, .last_id = 10, .next_id = 16, .last_recv = at,
		.next_recv = at + 1034538 };
	char text[BINANCE_GAP_TEXT_MAX];

	(void)state;
	binance_ids_gap_text(text, BINANCE_KIND_TRADE, &gap);
	assert_string_equal(text, "5 events missing between 2026-09-27T16:28:58.965Z and 2026-09-27T16:29:00.000Z");
	gap.next_id = 12;
	binance_ids_gap_text(text, BINANCE_KIND_TRADE, &gap);
	assert_memory_equal(text, "1 event missing between 2026", 28);
	binance_ids_gap_text(text, BINANCE_KIND_DEPTH, &gap);
	assert_memory_equal(text, "events are missing between 2026", 31);
	gap.proven = false;
	binance_ids_gap_text(text, BINANCE_KIND_BOOK, &gap);
	assert_memory_equal(text, "events may be missing between 2026", 34);
	gap.back = true;
	binance_ids_gap_text(text, BINANCE_KIND_BOOK, &gap);
	assert_memory_equal(text, "ids began anew, events may be missing between 2026", 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trades_are_counted),
		cmocka_unit_test(books_have_jumping_ids),
		cmocka_unit_test(depth_names_the_event_before),
		cmocka_unit_test(the_rest_is_known_by_its_bytes),
		cmocka_unit_test(frames_without_their_ids_are_known_by_their_bytes),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(a_gap_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
