/* lib/binance_merge: redundant sources as they come and by time, what is told of their holes, and their outages */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_merge.h"
#include "binance_track.h"
#include "json.h"

#define MS     1000LL
#define WINDOW (100 * MS)
#define AT     1790526538000000LL /* µs */

static struct binance_merge *m;
static char out[1 << 20];
static size_t out_n;
static char told[1024];
static int64_t now;

/* "a7" of trade 7 of symbol A, "(gap a@trade 3 6)" of a record, all else as it is; a blank between */
static void on_line(void *user, struct span line)
{
	char text[512], name[64], last[32] = "", next[32] = "";
	const char *p;
	int id;

	(void)user;
	snprintf(text, sizeof text, "%.*s", (int)line.n, line.p);
	const char *blank = out_n ? " " : "";
	if ((p = strstr(text, "\"e\":\"trade\",\"s\":\"")) &&
	    sscanf(p, "\"e\":\"trade\",\"s\":\"%1[A-Z]\",\"t\":%d", name, &id) == 2)
		out_n += (size_t)snprintf(out + out_n, sizeof out - out_n, "%s%c%d", blank, name[0] - 'A' + 'a', id);
	else if (strncmp(text, "{\"type\":\"status\",\"state\":\"gap\",\"ts\":", 35) == 0 &&
		 !strstr(text, "\"source\"") && (p = strstr(text, ",\"stream\":\""))) {
		sscanf(p, ",\"stream\":\"%63[^\"]\",\"lastId\":\"%31[0-9]\",\"nextId\":\"%31[0-9]\"", name, last, next);
		out_n += (size_t)snprintf(out + out_n, sizeof out - out_n, "%s(gap %s %s %s)", blank, name, last, next);
	} else
		out_n += (size_t)snprintf(out + out_n, sizeof out - out_n, "%s%s", blank, text);
	assert_true(out_n < sizeof out);
}

static void on_tell(void *user, const char *text)
{
	(void)user;
	snprintf(told, sizeof told, "%s", text);
}

static void begin(unsigned sources, bool by_time)
{
	static const struct binance_merge_out events = { on_line, on_tell };
	const struct binance_merge_options o = {
		.market = EVENT_USDM, .sources = sources, .window = WINDOW, .by_time = by_time
	};

	binance_merge_free(m);
	m = binance_merge_new(&o, &events, NULL);
	assert_non_null(m);
	out_n = 0;
	out[0] = told[0] = '\0';
	now = AT;
}

static int end(void **state)
{
	(void)state;
	binance_merge_free(m);
	binance_merge_free(NULL);
	m = NULL;
	return 0;
}

static void says(const char *expected)
{
	assert_string_equal(out, expected);
	out_n = 0;
	out[0] = '\0';
}

static struct span padded(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));
static struct span padded(const char *format, va_list ap)
{
	static char text[4096];
	int n = vsnprintf(text, sizeof text - JSON_PAD - 1, format, ap);

	memset(text + n, '\n', JSON_PAD + 1);
	return (struct span){ text, (size_t)n };
}

/* as they come */
static void line(unsigned source, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(unsigned source, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	struct span text = padded(format, ap);
	va_end(ap);
	binance_merge_line(m, source, text, now, now);
}

/* by time, in ms behind AT */
static void timed(unsigned source, int ms, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void timed(unsigned source, int ms, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	struct span text = padded(format, ap);
	va_end(ap);
	assert_true(binance_merge_put(m, source, text, (AT + ms * MS) * 1000, true));
}

#define TRADE				    "{\"e\":\"trade\",\"s\":\"%c\",\"t\":%d}"
#define trade(source, symbol, id)	    line(source, TRADE, symbol, id)
#define timed_trade(source, ms, symbol, id) timed(source, ms, TRADE, symbol, id)
#define BOOK				    "{\"e\":\"bookTicker\",\"s\":\"%c\",\"u\":%d}"
#define GAP				    "{\"type\":\"status\",\"state\":\"gap\",\"ts\":1,\"source\":\"live\",\"stream\":\"%s\"}"

static void drain(unsigned sources)
{
	for (;;) {
		for (unsigned i = 0; i < sources; i++)
			if (binance_merge_wants(m, i))
				return;
		if (!binance_merge_next(m))
			return;
	}
}

static void to_the_end(unsigned sources)
{
	for (unsigned i = 0; i < sources; i++)
		binance_merge_end(m, i);
	drain(sources);
}

/* ------------------------------------------------------------------------------------------ as they come */

static void whoever_is_first_wins(void **state)
{
	(void)state;
	begin(2, false);
	trade(0, 'A', 1), trade(1, 'A', 1), trade(1, 'A', 2), trade(0, 'A', 2), trade(1, 'B', 1), trade(0, 'B', 1);
	line(0, "{\"type\":\"heartbeat\",\"ts\":1}"), line(1, "{\"type\":\"heartbeat\",\"ts\":1}"), line(1, "rubbish");
	line(1, "rubbish");
	says("a1 a2 b1 {\"type\":\"heartbeat\",\"ts\":1} rubbish");
	assert_int_equal(binance_merge_counters(m)->copies, 5);
	assert_int_equal(binance_merge_counters(m)->won[0], 2);
	assert_int_equal(binance_merge_counters(m)->won[1], 3);
	assert_null(binance_merge_order(m));
}

/* frames without an id: what one source brings twice came twice */
static void contents_of_frames_may_repeat(void **state)
{
	static const char mark[] = "{\"e\":\"markPriceUpdate\",\"s\":\"A\"}";

	(void)state;
	begin(2, false);
	line(0, mark), line(0, mark), line(1, mark), line(1, mark), line(1, mark), line(0, mark);
	assert_int_equal(binance_merge_counters(m)->copies, 3);
	assert_int_equal(binance_merge_counters(m)->won[0], 2);
}

static void a_hole_waits_for_another_source(void **state)
{
	(void)state;
	begin(2, false);
	trade(0, 'A', 1), trade(1, 'A', 1), trade(0, 'A', 4), trade(0, 'B', 7);
	says("a1 b7"); /* other streams do not wait */
	assert_int_equal(binance_merge_held(m), 1);
	assert_int_equal(binance_merge_due(m), now + WINDOW);
	now += WINDOW - 1;
	binance_merge_tick(m, now);
	trade(1, 'A', 2), trade(1, 'A', 3);
	says("a2 a3 a4");
	assert_int_equal(binance_merge_counters(m)->fills, 2);
	assert_int_equal(binance_merge_due(m), INT64_MAX);
}

static void a_hole_that_stays_is_told(void **state)
{
	(void)state;
	begin(2, false);
	trade(0, 'A', 1), trade(1, 'A', 1);
	now += 500 * MS;
	trade(0, 'A', 4), trade(0, 'A', 5);
	now += WINDOW;
	binance_merge_tick(m, now);
	says("a1 (gap a@trade 1 4) a4 a5");
	assert_string_equal(told,
	    "gap: a@trade: last id 1, next id 4: 2 events missing between 2026-09-27T16:28:58.000Z and "
	    "2026-09-27T16:28:58.500Z");
	/* and at the end */
	trade(1, 'A', 9);
	binance_merge_flush(m);
	says("(gap a@trade 5 9) a9");
}

/* the record to the byte; its time is that of the line behind the hole */
static void the_record_of_a_gap(void **state)
{
	static const struct binance_merge_out events = { on_line, on_tell };
	const struct binance_merge_options o = { .market = EVENT_SPOT, .sources = 1 };
	struct binance_merge *one = binance_merge_new(&o, &events, NULL);
	char text[200];

	(void)state;
	assert_non_null(one);
	begin(1, false);
	for (int id = 7; id <= 9; id += 2) {
		int n = snprintf(
		    text, sizeof text - JSON_PAD - 1, "{\"stream\":\"solusdt@trade\",\"data\":{\"t\":%d}}", id);
		memset(text + n, '\n', JSON_PAD + 1);
		binance_merge_line(one, 0, (struct span){ text, (size_t)n }, AT + id * MS + 999, 0);
	}
	binance_merge_free(one);
	says("{\"stream\":\"solusdt@trade\",\"data\":{\"t\":7}} (gap solusdt@trade 7 9) "
	     "{\"stream\":\"solusdt@trade\",\"data\":{\"t\":9}}");
	assert_string_equal(told, "gap: solusdt@trade: last id 7, next id 9: 1 event missing between "
				  "2026-09-27T16:28:58.007Z and 2026-09-27T16:28:58.009Z");
}

/* until it has brought something nobody knows what it has */
static void a_source_is_waited_for_before_its_first_line(void **state)
{
	(void)state;
	begin(2, false);
	trade(0, 'A', 1), trade(0, 'A', 3);
	says("a1");
	trade(1, 'A', 1), trade(1, 'A', 2);
	says("a2 a3");
	/* and in a stream that it has not brought yet */
	trade(0, 'B', 1), trade(0, 'B', 3);
	says("b1");
	trade(1, 'B', 2);
	says("b2 b3");
}

static void a_source_that_has_ended_is_not_waited_for(void **state)
{
	(void)state;
	begin(3, false);
	trade(0, 'A', 1), trade(1, 'A', 1), trade(0, 'A', 3);
	says("a1");
	binance_merge_end(m, 1);
	says("");
	binance_merge_end(m, 2);
	says("(gap a@trade 1 3) a3");
	trade(0, 'B', 1), trade(0, 'B', 4);
	says("b1 (gap b@trade 1 4) b4");
}

static void a_quote_that_is_ahead_of_the_others_waits(void **state)
{
	(void)state;
	begin(2, false);
	line(0, BOOK, 'A', 10), line(1, BOOK, 'A', 30);
	assert_int_equal(binance_merge_held(m), 1);
	line(0, BOOK, 'A', 20), line(0, BOOK, 'A', 30), line(0, BOOK, 'A', 40), line(1, BOOK, 'A', 35);
	assert_int_equal(binance_merge_held(m), 0);
	assert_int_equal(binance_merge_counters(m)->obsolete, 1);
	assert_int_equal(binance_merge_counters(m)->gaps, 0);
}

/* ------------------------------------------------------------------------------------------------ outages */

static void a_gap_of_one_source_that_another_covers_is_none(void **state)
{
	(void)state;
	begin(2, false);
	trade(0, 'A', 1), trade(1, 'A', 1), line(0, GAP, "a@trade"), trade(1, 'A', 2), trade(1, 'A', 3),
	    trade(0, 'A', 3), trade(0, 'A', 4);
	says("a1 a2 a3 a4");
	/* it is not waited for while it is out */
	line(0, GAP, "a@trade"), trade(1, 'A', 6);
	says("(gap a@trade 4 6) a6");
}

static void a_gap_that_nobody_covers_is_told_anew(void **state)
{
	(void)state;
	begin(2, false);
	line(0, BOOK, 'A', 10), line(1, BOOK, 'A', 10), line(0, GAP, "a@bookTicker"), line(1, GAP, "a@bookTicker");
	line(0, BOOK, 'A', 30);
	assert_int_equal(binance_merge_held(m), 0);
	says("{\"e\":\"bookTicker\",\"s\":\"A\",\"u\":10} (gap a@bookTicker 10 30) "
	     "{\"e\":\"bookTicker\",\"s\":\"A\",\"u\":30}");
	assert_non_null(strstr(told, "events may be missing"));
	line(1, BOOK, 'A', 30), line(1, BOOK, 'A', 40);
	says("{\"e\":\"bookTicker\",\"s\":\"A\",\"u\":40}");
}

/* a source that carries other streams proves nothing about this one, for however long */
static void a_source_without_the_stream_does_not_cover_it(void **state)
{
	(void)state;
	begin(2, false);
	line(0, BOOK, 'A', 10), line(1, BOOK, 'B', 5), line(0, BOOK, 'B', 5);
	now += 2 * ARBITER_STEP_US;
	line(0, GAP, "a@bookTicker"), line(0, BOOK, 'A', 30);
	now += WINDOW;
	binance_merge_tick(m, now);
	assert_int_equal(binance_merge_counters(m)->gaps, 1);
	/* about the other it does */
	line(0, GAP, "b@bookTicker"), line(1, BOOK, 'B', 6), line(0, BOOK, 'B', 7), line(1, BOOK, 'B', 7);
	assert_int_equal(binance_merge_counters(m)->gaps, 1);
	begin(2, true);
	timed(0, 0, BOOK, 'A', 10), timed(0, 5, GAP, "a@bookTicker"), timed(0, 6, BOOK, 'A', 30);
	timed(1, 0, BOOK, 'B', 5), timed(1, 9, BOOK, 'B', 6);
	to_the_end(2);
	assert_int_equal(binance_merge_counters(m)->gaps, 1);
}

static void a_gap_record_that_nobody_can_tell_anew_is_passed_on(void **state)
{
	(void)state;
	begin(2, false);
	/* of a stream whose frames do not come, but its records */
	line(0, GAP, "x@trade");
	says("{\"type\":\"status\",\"state\":\"gap\",\"ts\":1,\"source\":\"live\",\"stream\":\"x@trade\"}");
	line(1, GAP, "x@trade");
	says("");
	/* and of all streams */
	trade(0, 'A', 1), trade(1, 'A', 1);
	line(0, "{\"type\":\"status\",\"state\":\"gap\",\"ts\":2}");
	says("a1 {\"type\":\"status\",\"state\":\"gap\",\"ts\":2}");
}

static void without_a_connection_a_source_is_out_of_all_streams(void **state)
{
	(void)state;
	begin(2, false);
	trade(0, 'A', 1), trade(1, 'A', 1), trade(0, 'B', 1), trade(1, 'B', 1);
	line(0, "{\"type\":\"status\",\"state\":\"connecting\",\"ts\":1}");
	says("a1 b1 {\"type\":\"status\",\"state\":\"connecting\",\"ts\":1}");
	trade(1, 'A', 3), trade(1, 'B', 3);
	says("(gap a@trade 1 3) a3 (gap b@trade 1 3) b3");
	trade(0, 'A', 4), trade(1, 'A', 6);
	says("a4"); /* it is back, in this one */
	trade(1, 'B', 5);
	says("(gap b@trade 3 5) b5");
	/* the record goes on, also where it is about one stream */
	line(0, "{\"type\":\"status\",\"state\":\"connecting\",\"ts\":2,\"stream\":\"a@trade\"}");
	says("(gap a@trade 4 6) a6 {\"type\":\"status\",\"state\":\"connecting\",\"ts\":2,\"stream\":\"a@trade\"}");
	trade(1, 'A', 9);
	says("(gap a@trade 6 9) a9");
}

static void a_gap_is_of_the_stream_in_whatever_market(void **state)
{
	static const char book[] = "{\"market\":\"%s\",\"stream\":\"a@bookTicker\",\"data\":{\"u\":%d}}";

	(void)state;
	begin(1, false);
	for (unsigned i = EVENT_USDM; i <= EVENT_SPOT; i++)
		line(0, book, event_market_name((enum event_market)i).p, 5);
	line(0, GAP, "a@bookTicker");
	for (unsigned i = EVENT_USDM; i <= EVENT_SPOT; i++)
		line(0, book, event_market_name((enum event_market)i).p, 9);
	assert_int_equal(binance_merge_counters(m)->gaps, 3);
}

static void lines_of_too_many_streams_are_passed_on(void **state)
{
	(void)state;
	begin(2, false);
	for (int i = 0; i < BINANCE_TRACK_STREAMS; i++)
		line(0, "{\"stream\":\"s%d\",\"data\":{}}", i);
	out_n = 0;
	assert_string_equal(told, "");
	line(0, "{\"stream\":\"x\",\"data\":{}}"), line(1, "{\"stream\":\"x\",\"data\":{}}"),
	    line(1, "{\"stream\":\"s5\",\"data\":{}}");
	says("{\"stream\":\"x\",\"data\":{}} {\"stream\":\"x\",\"data\":{}}");
	assert_string_equal(told, "more than 16384 streams: copies of lines of further ones are not known");
	assert_int_equal(binance_merge_untracked(m), 2);
}

/* ------------------------------------------------------------------------------------------------ by time */

static void copies_of_a_recording_give_the_recording(void **state)
{
	(void)state;
	begin(2, true);
	timed_trade(0, 0, 'A', 1), timed_trade(0, 20, 'A', 3), timed(0, 30, "-"), timed_trade(0, 30, 'B', 2);
	timed_trade(1, 10, 'A', 2), timed_trade(1, 30, 'B', 1), timed_trade(1, 20, 'A', 3), timed_trade(1, 30, 'B', 2);
	to_the_end(2);
	says("a1 a2 a3 - b1 b2");
	assert_int_equal(binance_merge_counters(m)->copies, 2);
	assert_int_equal(binance_merge_order(m)->late, 1);
	assert_string_equal(told, "");
}

/* although the others go on, and the second one says much later that it has no more of it */
static void a_hole_is_told_in_its_place(void **state)
{
	(void)state;
	begin(2, true);
	timed_trade(0, 0, 'A', 1), timed_trade(0, 10, 'A', 4), timed_trade(0, 20, 'B', 1);
	timed_trade(1, 0, 'A', 1), timed_trade(1, 20, 'B', 1), timed_trade(1, 90, 'A', 5);
	to_the_end(2);
	says("a1 (gap a@trade 1 4) a4 b1 a5");
	assert_string_equal(told,
	    "gap: a@trade: last id 1, next id 4: 2 events missing between 2026-09-27T16:28:58.000Z and "
	    "2026-09-27T16:28:58.010Z");
	assert_int_equal(binance_merge_held(m), 0);
}

static void who_lags_fills_holes_of_trades_and_quotes(void **state)
{
	(void)state;
	begin(2, true);
	timed_trade(0, 0, 'A', 1), timed_trade(0, 10, 'A', 3), timed(0, 11, BOOK, 'Q', 10), timed(0, 12, BOOK, 'Q', 30);
	timed_trade(1, 50, 'A', 1), timed_trade(1, 55, 'A', 2), timed_trade(1, 60, 'A', 3), timed(1, 61, BOOK, 'Q', 10),
	    timed(1, 63, BOOK, 'Q', 20), timed(1, 64, BOOK, 'Q', 30);
	to_the_end(2);
	says("a1 a2 a3 {\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":10} {\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":20} "
	     "{\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":30}");
	assert_int_equal(binance_merge_counters(m)->gaps, 0);
}

static void who_lags_by_more_than_the_window_fills_none(void **state)
{
	(void)state;
	begin(2, true);
	timed_trade(0, 0, 'A', 1), timed_trade(0, 10, 'A', 3), timed_trade(0, 300, 'A', 4), timed_trade(0, 310, 'A', 6);
	timed_trade(1, 0, 'A', 1), timed_trade(1, 111, 'A', 2), timed_trade(1, 300, 'A', 4),
	    timed_trade(1, 410, 'A', 5);
	to_the_end(2);
	says("a1 (gap a@trade 1 3) a3 a4 a5 a6");
	assert_int_equal(binance_merge_counters(m)->obsolete, 1);
	assert_int_equal(binance_merge_counters(m)->copies, 2);
}

static void nothing_is_given_out_before_all_have_said_enough(void **state)
{
	(void)state;
	begin(2, true);
	timed_trade(0, 0, 'A', 1), timed_trade(0, 101, 'A', 2);
	assert_false(binance_merge_wants(m, 0));
	assert_true(binance_merge_wants(m, 1));
	timed_trade(1, 0, 'A', 1);
	assert_true(binance_merge_wants(m, 1));
	timed_trade(1, 101, 'A', 2);
	drain(2);
	says("a1");
}

/* recordings that follow each other have a time between them that none covers */
static void recordings_without_an_overlap_have_a_gap(void **state)
{
	(void)state;
	begin(2, true);
	timed_trade(0, 0, 'A', 1), timed(0, 1, BOOK, 'Q', 10), timed(0, 2, "{\"e\":\"kline\",\"s\":\"K\",\"E\":1}");
	timed_trade(1, 5000, 'A', 2), timed(1, 5001, BOOK, 'Q', 20),
	    timed(1, 5002, "{\"e\":\"kline\",\"s\":\"K\",\"E\":2}");
	to_the_end(2);
	says("a1 {\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":10} {\"e\":\"kline\",\"s\":\"K\",\"E\":1} a2 "
	     "(gap q@bookTicker 10 20) {\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":20} "
	     "(gap k@kline  ) {\"e\":\"kline\",\"s\":\"K\",\"E\":2}");
	/* where they overlap, if only in another stream, there is none */
	begin(2, true);
	timed(0, 1, BOOK, 'Q', 10), timed_trade(0, 20, 'A', 1);
	timed_trade(1, 10, 'B', 1), timed(1, 5001, BOOK, 'Q', 20);
	to_the_end(2);
	assert_int_equal(binance_merge_counters(m)->gaps, 0);
}

static void outages_hold_by_time_too(void **state)
{
	(void)state;
	begin(2, true);
	timed(0, 0, BOOK, 'Q', 10), timed(0, 5, GAP, "q@bookTicker"), timed(0, 20, BOOK, 'Q', 20);
	timed(1, 0, BOOK, 'Q', 10), timed(1, 6, GAP, "q@bookTicker"), timed(1, 20, BOOK, 'Q', 20);
	to_the_end(2);
	says("{\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":10} (gap q@bookTicker 10 20) "
	     "{\"e\":\"bookTicker\",\"s\":\"Q\",\"u\":20}");
	begin(2, true);
	timed(0, 0, BOOK, 'Q', 10), timed(0, 5, GAP, "q@bookTicker"), timed(0, 20, BOOK, 'Q', 30);
	timed(1, 0, BOOK, 'Q', 10), timed(1, 10, BOOK, 'Q', 20), timed(1, 20, BOOK, 'Q', 30);
	to_the_end(2);
	assert_int_equal(binance_merge_counters(m)->gaps, 0);
	assert_int_equal(binance_merge_counters(m)->obsolete, 0);
}

static void a_source_without_lines_is_no_obstacle(void **state)
{
	(void)state;
	begin(3, true);
	binance_merge_end(m, 1);
	timed_trade(0, 0, 'A', 1), timed_trade(0, 500, 'A', 3);
	assert_true(binance_merge_wants(m, 2));
	to_the_end(3);
	says("a1 (gap a@trade 1 3) a3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(whoever_is_first_wins, end),
		cmocka_unit_test_teardown(contents_of_frames_may_repeat, end),
		cmocka_unit_test_teardown(a_hole_waits_for_another_source, end),
		cmocka_unit_test_teardown(a_hole_that_stays_is_told, end),
		cmocka_unit_test_teardown(the_record_of_a_gap, end),
		cmocka_unit_test_teardown(a_source_is_waited_for_before_its_first_line, end),
		cmocka_unit_test_teardown(a_source_that_has_ended_is_not_waited_for, end),
		cmocka_unit_test_teardown(a_quote_that_is_ahead_of_the_others_waits, end),
		cmocka_unit_test_teardown(a_gap_of_one_source_that_another_covers_is_none, end),
		cmocka_unit_test_teardown(a_gap_that_nobody_covers_is_told_anew, end),
		cmocka_unit_test_teardown(a_source_without_the_stream_does_not_cover_it, end),
		cmocka_unit_test_teardown(a_gap_record_that_nobody_can_tell_anew_is_passed_on, end),
		cmocka_unit_test_teardown(without_a_connection_a_source_is_out_of_all_streams, end),
		cmocka_unit_test_teardown(a_gap_is_of_the_stream_in_whatever_market, end),
		cmocka_unit_test_teardown(lines_of_too_many_streams_are_passed_on, end),
		cmocka_unit_test_teardown(copies_of_a_recording_give_the_recording, end),
		cmocka_unit_test_teardown(a_hole_is_told_in_its_place, end),
		cmocka_unit_test_teardown(who_lags_fills_holes_of_trades_and_quotes, end),
		cmocka_unit_test_teardown(who_lags_by_more_than_the_window_fills_none, end),
		cmocka_unit_test_teardown(nothing_is_given_out_before_all_have_said_enough, end),
		cmocka_unit_test_teardown(recordings_without_an_overlap_have_a_gap, end),
		cmocka_unit_test_teardown(outages_hold_by_time_too, end),
		cmocka_unit_test_teardown(a_source_without_lines_is_no_obstacle, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
