/* lib/binance_inbox and lib/binance_rows: what of events and answers is news, and what a reader ends up with in
 * whatever order they come */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_inbox.h"

static struct binance_inbox *b;
static struct binance_rows *rows;
static char given[1 << 20]; /* the data of all frames, a line each */
static size_t given_n;

static void on_frame(void *user, struct span text, int64_t recv)
{
	const char *data = memmem(text.p, text.n, ",\"data\":", 8);

	(void)user, (void)recv;
	assert_non_null(data);
	assert_memory_equal(text.p, "{\"stream\":\"", 11);
	size_t n = text.n - (size_t)(data + 8 - text.p) - 1;
	assert_true(given_n + n + 1 < sizeof given);
	memcpy(given + given_n, data + 8, n);
	given_n += n;
	given[given_n++] = '\n';
	given[given_n] = '\0';
}

static void open_inbox(enum event_market m)
{
	b = binance_inbox_new(m, on_frame, NULL);
	assert_non_null(b);
	rows = binance_inbox_rows(b);
	given[given_n = 0] = '\0';
}

static void close_inbox(void)
{
	binance_inbox_free(b);
}

static struct span padded(const char *text)
{
	static char buf[2 << 20];
	size_t n = strlen(text);

	memcpy(buf, text, n);
	memset(buf + n, '\n', JSON_PAD);
	return (struct span){ buf, n };
}

static bool event(const char *text)
{
	return binance_inbox_event(b, padded(text), 1);
}

static void gives(const char *expected)
{
	assert_string_equal(given, expected);
	given[given_n = 0] = '\0';
}

static void answer(enum binance_rows_part part, const char *text, uint64_t sent)
{
	const char *why = "";

	if (!binance_inbox_snapshot(b, part, "/path", padded(text), sent, 1, &why))
		fail_msg("%s", why);
}

static bool check(enum binance_rows_part part, const char *text, uint64_t sent)
{
	const char *why = "";

	return binance_rows_check(rows, part, padded(text), sent, &why);
}

#define BALANCES  BINANCE_ROWS_BALANCES
#define POSITIONS BINANCE_ROWS_POSITIONS
#define MARK	  binance_rows_mark(rows)

#define UPDATE(t, balances, positions)                                                                                 \
	"{\"e\":\"ACCOUNT_UPDATE\",\"T\":" #t ",\"E\":" #t ",\"a\":{\"B\":[" balances "],\"P\":[" positions            \
	"],\"m\":\"ORDER\"}}"
#define B(asset, wb) "{\"a\":\"" asset "\",\"wb\":\"" wb "\",\"bc\":\"0\"}"
#define P(symbol, amount, entry, side)                                                                                 \
	"{\"s\":\"" symbol "\",\"pa\":\"" amount "\",\"ep\":\"" entry "\",\"ps\":\"" side "\"}"
#define BALANCE(asset, balance, t) "{\"asset\":\"" asset "\",\"balance\":\"" balance "\",\"updateTime\":" #t "}"
#define POSITION(symbol, side, amount, entry, t)                                                                       \
	"{\"symbol\":\"" symbol "\",\"positionSide\":\"" side "\",\"positionAmt\":\"" amount                           \
	"\",\"entryPrice\":\"" entry "\",\"updateTime\":" #t "}"

/* ------------------------------------------------------------------------------------------------------- events */

static void news_go_through_as_they_are(void **state)
{
	static const char *const events[] = {
		("{\"e\":\"ACCOUNT_UPDATE\", \"E\":5,\"T\":5,\"a\":{\"m\":\"X\",\"P\":[ ],"
		 "\"B\":[ {\"a\":\"USDT\" ,\"wb\":\"1\"} ]},\"x\":[1]}"),
		"{\"e\":\"ORDER_TRADE_UPDATE\",\"T\":1,\"o\":{\"s\":\"SOLUSDT\"}}",
		"{\"e\":\"MARGIN_CALL\",\"E\":1}",
		"{\"e\":\"SOMETHING_NEW\",\"B\":[1],\"P\":{}}",
		"{\"e\":\"ACCOUNT_UPDATE\",\"T\":6,\"a\":{\"B\":[],\"P\":[],\"m\":\"MARGIN_TYPE_CHANGE\"}}",
		"{\"e\":\"ACCOUNT_UPDATE\",\"T\":6,\"a\":7}",
		"{\"e\":\"ACCOUNT_UPDATE\",\"T\":6,\"a\":{\"B\":7,\"P\":{}}}",
		"{\"e\":\"ACCOUNT_UPDATE\"}",
	};
	char expected[400];

	(void)state;
	open_inbox(EVENT_USDM);
	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
		assert_true(event(events[i]));
		snprintf(expected, sizeof expected, "%s\n", events[i]);
		gives(expected);
	}
	assert_int_equal(binance_rows_counters(rows)->malformed, 0);
	close_inbox();
}

static void old_rows_are_cut_out(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	event(UPDATE(10, B("USDT", "1") "," B("BNB", "2"), P("SOLUSDT", "3", "4", "BOTH")));
	given[given_n = 0] = '\0';
	/* all old; in part old: each place of a row; of the same time: news */
	event(UPDATE(9, B("USDT", "7"), P("SOLUSDT", "7", "7", "BOTH")));
	gives("");
	event(UPDATE(9, B("USDT", "7") "," B("BTC", "8"), P("SOLUSDT", "7", "7", "BOTH")));
	gives(UPDATE(9, B("BTC", "8"), "") "\n");
	event(UPDATE(9, B("ETH", "7") "," B("USDT", "8") "," B("BUSD", "9"), ""));
	gives(UPDATE(9, B("ETH", "7") "," B("BUSD", "9"), "") "\n");
	event(UPDATE(9, B("USDT", "8"), P("SOLUSDT", "5", "5", "LONG") "," P("SOLUSDT", "7", "7", "BOTH")));
	gives(UPDATE(9, "", P("SOLUSDT", "5", "5", "LONG")) "\n");
	event(UPDATE(10, B("USDT", "9"), P("SOLUSDT", "6", "4", "BOTH")));
	gives(UPDATE(10, B("USDT", "9"), P("SOLUSDT", "6", "4", "BOTH")) "\n");
	assert_int_equal(binance_rows_counters(rows)->cut, 2 + 2 + 1 + 2);
	assert_int_equal(binance_inbox_counters(b)->old, 1);
	close_inbox();
}

static void copies_are_dropped(void **state)
{
	char text[100], expected[120];

	(void)state;
	open_inbox(EVENT_USDM);
	event(UPDATE(10, B("USDT", "1"), ""));
	event(UPDATE(10, B("USDT", "1"), ""));
	gives(UPDATE(10, B("USDT", "1"), "") "\n");
	for (int i = 0; i < BINANCE_INBOX_COPIES; i++) {
		snprintf(text, sizeof text, "{\"e\":\"x\",\"i\":%d}", i);
		snprintf(expected, sizeof expected, "%s\n", text);
		event(text);
		gives(expected);
	}
	for (int i = 0; i < BINANCE_INBOX_COPIES; i++) {
		snprintf(text, sizeof text, "{\"e\":\"x\",\"i\":%d}", i);
		event(text);
	}
	gives("");
	assert_int_equal(binance_inbox_counters(b)->copies, 1 + BINANCE_INBOX_COPIES);
	close_inbox();
}

static void malformed_rows_are_passed_on(void **state)
{
	static const char odd[] =
	    "{\"e\":\"ACCOUNT_UPDATE\",\"T\":5,\"a\":{\"B\":[7,\"x\",null,{},{\"a\":\"USDT\"},{\"a\":\"U\",\"wb\":"
	    "\"1x\"},{\"a\":7,\"wb\":\"1\"}],\"P\":[{\"s\":\"SOLUSDT\",\"pa\":\"1\"}]}}";

	(void)state;
	open_inbox(EVENT_USDM);
	event(UPDATE(10, B("USDT", "1"), ""));
	given[given_n = 0] = '\0';
	event(odd);
	gives("{\"e\":\"ACCOUNT_UPDATE\",\"T\":5,\"a\":{\"B\":[7,\"x\",null,{},{\"a\":\"USDT\"},{\"a\":\"U\",\"wb\":"
	      "\"1x\"},{\"a\":7,"
	      "\"wb\":\"1\"}],\"P\":[{\"s\":\"SOLUSDT\",\"pa\":\"1\"}]}}\n");
	assert_int_equal(binance_rows_counters(rows)->malformed, 8);
	/* beside a row that is cut out they stay what they are */
	event("{\"e\":\"ACCOUNT_UPDATE\",\"T\":5,\"a\":{\"B\":[\"x\"," B("USDT", "2") ",\"y\"],\"P\":[]}}");
	gives("{\"e\":\"ACCOUNT_UPDATE\",\"T\":5,\"a\":{\"B\":[\"x\",\"y\"],\"P\":[]}}\n");
	close_inbox();
}

static void spot_events(void **state)
{
	(void)state;
	open_inbox(EVENT_SPOT);
	event("{\"e\":\"outboundAccountPosition\",\"E\":9,\"u\":10,\"B\":[{\"a\":\"BNB\",\"f\":\"1\",\"l\":\"2\"}]}");
	given[given_n = 0] = '\0';
	event("{\"e\":\"outboundAccountPosition\",\"E\":99,\"u\":9,\"B\":[{\"a\":\"BNB\",\"f\":\"0\",\"l\":\"0\"},{"
	      "\"a\":\"X\",\"f\":\"1\","
	      "\"l\":\"0\"}]}");
	gives("{\"e\":\"outboundAccountPosition\",\"E\":99,\"u\":9,\"B\":[{\"a\":\"X\",\"f\":\"1\",\"l\":\"0\"}]}\n");
	event("{\"e\":\"balanceUpdate\",\"E\":1,\"a\":\"BNB\",\"d\":\"-1\",\"T\":1}");
	gives("{\"e\":\"balanceUpdate\",\"E\":1,\"a\":\"BNB\",\"d\":\"-1\",\"T\":1}\n");
	close_inbox();
}

static void listen_keys_stay_inside(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	binance_inbox_secret(b, SPAN("SECRETKEY"));
	event("{\"e\":\"listenKeyExpired\",\"E\":\"17\",\"listenKey\":\"SECRETKEY\"}");
	gives("{\"e\":\"listenKeyExpired\",\"E\":\"17\"}\n");
	event("{\"listenKey\":\"another\",\"e\":\"listenKeyExpired\",\"E\":18,\"x\":{\"y\":[\"z\"]}}");
	gives("{\"e\":\"listenKeyExpired\",\"E\":18,\"x\":{\"y\":[\"z\"]}}\n");
	event("{\"e\":\"x\",\"why\":\"of SECRETKEY\"}");
	event("{\"e\":\"listenKeyExpired\",\"listen\\u004bey\":\"SECRETKEY\"}");
	gives("");
	assert_int_equal(binance_inbox_counters(b)->unfit, 2);
	close_inbox();
}

/* ------------------------------------------------------------------------------------------------------ waiting */

static void events_wait_for_the_snapshot(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	binance_inbox_hold(b);
	uint64_t sent = MARK;
	event(UPDATE(8, B("USDT", "8"), P("SOLUSDT", "1", "1", "BOTH"))); /* in the snapshot already */
	event("{\"e\":\"ORDER_TRADE_UPDATE\",\"T\":8}");
	event(UPDATE(12, "", P("SOLUSDT", "2", "1", "BOTH")));
	event(UPDATE(8, B("USDT", "8"), P("SOLUSDT", "1", "1", "BOTH"))); /* a copy */
	gives("");
	answer(BALANCES, "[" BALANCE("USDT", "8.5", 9) "]", sent);
	answer(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "1", "1", 8) "]", sent);
	gives("[" BALANCE("USDT", "8.5", 9) "]\n[" POSITION("SOLUSDT", "BOTH", "1", "1", 8) "]\n");
	binance_inbox_release(b);
	/* the balance was newer; the position of the same time may be said again */
	gives(UPDATE(8, "", P("SOLUSDT", "1", "1", "BOTH")) "\n{\"e\":\"ORDER_TRADE_UPDATE\",\"T\":8}\n" UPDATE(
	    12, "", P("SOLUSDT", "2", "1", "BOTH")) "\n");
	event("{\"e\":\"y\"}");
	gives("{\"e\":\"y\"}\n");
	close_inbox();
}

static void no_room_to_wait(void **state)
{
	static char text[100 << 10];
	int n = 0;

	(void)state;
	open_inbox(EVENT_USDM);
	binance_inbox_hold(b);
	do {
		memset(text, ' ', sizeof text - 1);
		memcpy(text, "{\"e\":\"x\"", 8);
		text[8 + sprintf(text + 8, ",\"i\":%d", n)] = ' ';
		text[sizeof text - 2] = '}';
		n++;
	} while (event(text));
	assert_in_range(n, BINANCE_INBOX_HELD / sizeof text, BINANCE_INBOX_HELD / sizeof text + 2);
	assert_int_equal(binance_inbox_counters(b)->lost, n);
	gives("");
	event("{\"e\":\"behind\"}"); /* there is room again */
	binance_inbox_release(b);
	gives("{\"e\":\"behind\"}\n");
	close_inbox();
}

/* ---------------------------------------------------------------------------------------------------- snapshots */

static void zero_rows(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	answer(
	    BALANCES, "[" BALANCE("USDT", "0.00000000", 0) "," BALANCE("BNB", "1", 1) "," BALANCE("X", "-0", 0) "]", 0);
	gives("[" BALANCE("BNB", "1", 1) "]\n");
	answer(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "0.000", "0.0", 0) "]", 0);
	gives("[]\n"); /* nothing is something that is told */
	/* what was known before is told when it is zero */
	answer(BALANCES, "[" BALANCE("BNB", "0", 2) "]", 0);
	gives("[" BALANCE("BNB", "0", 2) "]\n");
	close_inbox();
}

static void vanished_rows(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	answer(POSITIONS, "[" POSITION("SOLUSDT", "LONG", "1", "2", 5) "," POSITION("BTCUSDT", "BOTH", "1", "2", 6) "]",
	    0);
	answer(BALANCES, "[" BALANCE("USDT", "1", 7) "]", 0);
	given[given_n = 0] = '\0';
	uint64_t sent = MARK;
	/* while the answer is on its way a position comes that it cannot have */
	event(UPDATE(9, "", P("ETHUSDT", "1", "1", "BOTH")));
	given[given_n = 0] = '\0';
	answer(POSITIONS, "[" POSITION("BTCUSDT", "BOTH", "1", "2", 6) "]", sent);
	gives("[" POSITION("BTCUSDT", "BOTH", "1", "2",
	    6) ",{\"symbol\":\"SOLUSDT\",\"positionSide\":\"LONG\",\"positionAmt\":"
	       "\"0\",\"entryPrice\":\"0\",\"unRealizedProfit\":\"0\",\"updateTime\":5}]\n");
	answer(BALANCES, "[]", sent);
	gives("[{\"asset\":\"USDT\",\"balance\":\"0\",\"crossWalletBalance\":\"0\",\"updateTime\":7}]\n");
	answer(BALANCES, "[]", sent); /* told once */
	gives("[]\n");
	answer(POSITIONS, "[]", MARK); /* and this one is gone now */
	assert_non_null(strstr(given, "ETHUSDT"));
	close_inbox();
}

static void answers_older_than_events(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	uint64_t sent = MARK;
	event(UPDATE(10, B("USDT", "10"), P("SOLUSDT", "2", "1", "BOTH")));
	given[given_n = 0] = '\0';
	answer(BALANCES, "[" BALANCE("USDT", "9", 9) "]", sent);
	gives("[]\n");
	answer(BALANCES, "[" BALANCE("USDT", "9", 10) "]", sent); /* of the same ms, but asked for before it */
	gives("[]\n");
	answer(BALANCES, "[" BALANCE("USDT", "9", 0) "]", sent); /* of no time */
	gives("[]\n");
	answer(BALANCES, "[" BALANCE("USDT", "11", 11) "]", sent);
	gives("[" BALANCE("USDT", "11", 11) "]\n");
	answer(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "3", "1", 10) "]", MARK);
	gives("[" POSITION("SOLUSDT", "BOTH", "3", "1", 10) "]\n");
	close_inbox();
}

static void long_answers_come_in_pieces(void **state)
{
	static char text[2 << 20];
	size_t n = 1, frames = 0, total = 0;

	(void)state;
	open_inbox(EVENT_USDM);
	text[0] = '[';
	for (int i = 0; i < 3000; i++)
		n += (size_t)sprintf(text + n,
		    "%s{\"symbol\":\"S%dUSDT\",\"positionSide\":\"BOTH\",\"positionAmt\":\"1\",\"entryPrice\":"
		    "\"1\",\"fill\":\"%0180d\",\"updateTime\":1}",
		    i ? "," : "", i, i);
	strcpy(text + n, "]");
	answer(POSITIONS, text, 0);
	for (char *p = given, *nl; (nl = strchr(p, '\n')); p = nl + 1) {
		assert_in_range(nl - p, 100, BINANCE_ROWS_PIECE + 1000);
		assert_true(*p == '[' && nl[-1] == ']' && p[1] == '{');
		frames++;
	}
	for (char *p = given; (p = strstr(p, "\"symbol\"")); p++)
		total++;
	assert_int_equal(total, 3000);
	assert_in_range(frames, 3, 5);
	assert_int_equal(binance_rows_held(rows, POSITIONS), 3000);
	close_inbox();
}

static void spot_answers(void **state)
{
	const char *why = "";

	(void)state;
	open_inbox(EVENT_SPOT);
	answer(BALANCES,
	    "{\"uid\":7,\"updateTime\":5,\"balances\":[{\"asset\":\"A\",\"free\":\"0\",\"locked\":\"1\"},{\"asset\":"
	    "\"B\","
	    "\"free\":\"0\",\"locked\":\"0\"}],\"permissions\":[]}",
	    0);
	gives("{\"updateTime\":5,\"balances\":[{\"asset\":\"A\",\"free\":\"0\",\"locked\":\"1\"}]}\n");
	answer(BALANCES, "{\"updateTime\":6,\"balances\":[]}", 0);
	gives("{\"updateTime\":6,\"balances\":[{\"asset\":\"A\",\"free\":\"0\",\"locked\":\"0\"}]}\n");
	assert_false(binance_inbox_snapshot(b, BALANCES, "/x", padded("{\"a\":1}"), 0, 1, &why));
	assert_string_equal(why, "its balances are no array");
	assert_false(binance_inbox_snapshot(b, BALANCES, "/x", padded("[]"), 0, 1, &why));
	assert_string_equal(why, "it has no balances");
	close_inbox();
}

static void answers_that_are_none(void **state)
{
	static const char *const bad[] = { "", "x", "{}", "7", "[1]", "[{}]",
		"[" BALANCE("USDT", "1", 1) ",{\"asset\":\"BNB\"}]", "[{\"asset\":\"\",\"balance\":\"1\"}]",
		"[{\"asset\":\"U\",\"balance\":\"\"}]", "[{\"asset\":\"U\",\"balance\":null}]",
		"[" BALANCE("USDT", "1", 1) "] x", "[" BALANCE("USDT", "1", 1) };
	const char *why;

	(void)state;
	open_inbox(EVENT_USDM);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = NULL;
		assert_false(binance_inbox_snapshot(b, BALANCES, "/x", padded(bad[i]), 0, 1, &why));
		assert_non_null(why);
		assert_false(check(BALANCES, bad[i], 0));
	}
	assert_false(binance_inbox_snapshot(b, POSITIONS, "/x", padded("[" BALANCE("USDT", "1", 1) "]"), 0, 1, &why));
	gives(""); /* nothing of any was given out, nor is anything known */
	assert_int_equal(binance_rows_held(rows, BALANCES), 0);
	close_inbox();
}

/* ------------------------------------------------------------------------------------------------------- checks */

static void checks_that_find_nothing(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	event(UPDATE(10, B("USDT", "10"), P("SOLUSDT", "2", "1.50", "BOTH")));
	binance_rows_check_begin(rows);
	assert_true(check(BALANCES, "[" BALANCE("USDT", "10.000", 10) "," BALANCE("BNB", "0", 99) "]", MARK));
	assert_true(check(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "2.0", "1.5", 10) "]", MARK));
	assert_true(check(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "2", "1.50000000000001", 10) "]", MARK));
	assert_true(check(BALANCES, "[" BALANCE("USDT", "9", 9) "]", MARK)); /* older than what is known */
	assert_int_equal(binance_rows_doubts(rows), 0);
	close_inbox();
}

static void doubts_that_events_explain(void **state)
{
	(void)state;
	open_inbox(EVENT_USDM);
	event(UPDATE(10, B("USDT", "10"), P("SOLUSDT", "2", "1", "BOTH")));
	binance_rows_check_begin(rows);
	uint64_t sent = MARK;
	assert_true(check(BALANCES, "[" BALANCE("USDT", "11", 12) "," BALANCE("BNB", "5", 12) "]", sent));
	assert_true(check(POSITIONS, "[]", sent));
	assert_int_equal(binance_rows_doubts(rows), 3);
	event(UPDATE(11, B("USDT", "10.5"), "")); /* not yet as far */
	assert_int_equal(binance_rows_doubts(rows), 3);
	event(UPDATE(12, B("USDT", "11") "," B("BNB", "5"), ""));
	assert_int_equal(binance_rows_doubts(rows), 1);
	event(UPDATE(12, "", P("SOLUSDT", "0", "0", "BOTH")));
	assert_int_equal(binance_rows_doubts(rows), 0);
	close_inbox();
}

static void doubts_that_are_true(void **state)
{
	char text[BINANCE_ROWS_TEXT_MAX];

	(void)state;
	open_inbox(EVENT_USDM);
	event(UPDATE(10, B("USDT", "10"), P("SOLUSDT", "2", "1", "BOTH") "," P("ETHUSDT", "-1", "9", "SHORT")));
	given[given_n = 0] = '\0';
	binance_rows_check_begin(rows);
	assert_true(check(BALANCES, "[" BALANCE("USDT", "11", 12) "]", MARK));
	assert_true(check(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "3", "1.25", 12) "]", MARK));
	assert_int_equal(binance_rows_doubts(rows), 3);
	assert_int_equal(binance_rows_truths(rows), 0);
	/* meanwhile one has been explained, and something else has changed */
	event(UPDATE(12, B("USDT", "11"), ""));
	assert_int_equal(binance_rows_doubts(rows), 2);
	answer(BALANCES, "[" BALANCE("USDT", "12", 13) "]", MARK);
	answer(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "3", "1.25", 12) "]", MARK);
	assert_int_equal(binance_rows_truths(rows), 2);
	binance_rows_truth(rows, 0, text);
	assert_string_equal(text, "SOLUSDT BOTH: the exchange has 3 at 1.25, known was 2 at 1");
	binance_rows_truth(rows, 1, text);
	assert_string_equal(text, "ETHUSDT SHORT: the exchange has 0 at 0, known was -1 at 9");
	/* what is known is right now */
	binance_rows_check_begin(rows);
	assert_true(check(POSITIONS, "[" POSITION("SOLUSDT", "BOTH", "3", "1.25", 12) "]", MARK));
	assert_int_equal(binance_rows_doubts(rows), 0);
	close_inbox();
}

/* Whatever the order of events and answers, whatever comes twice: in the end a reader who takes the last of each row
 * has what the exchange has. */
static void any_order(void **state)
{
	enum { ASSETS = 3, EVENTS = 60 };
	char text[400], part[ASSETS][64];
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 300; round++) {
		int value[ASSETS] = { 0 }, when[ASSETS] = { 0 }, order[EVENTS];
		static char events[EVENTS][400];
		open_inbox(EVENT_USDM);
		for (int t = 1; t <= EVENTS; t++) {
			int a = rand_r(&seed) % ASSETS;
			value[a] = rand_r(&seed) % 1000;
			when[a] = t;
			snprintf(events[t - 1], sizeof events[0],
			    "{\"e\":\"ACCOUNT_UPDATE\",\"T\":%d,\"a\":{\"B\":[{\"a\":\"A%d\",\"wb\":\"%d\"}],\"P\":[]}"
			    "}",
			    t, a, value[a]);
			order[t - 1] = t - 1;
		}
		for (int i = EVENTS - 1; i > 0; i--) {
			int k = rand_r(&seed) % (i + 1), swap = order[i];
			order[i] = order[k];
			order[k] = swap;
		}
		int asked = -1, seen = 0;
		uint64_t sent = 0;
		for (int i = 0; i < EVENTS; i++) {
			if (asked < 0 &&
			    rand_r(&seed) % 8 == 0) { /* what it answers knows at least what has come by now */
				asked = seen + rand_r(&seed) % (EVENTS - seen + 1);
				sent = MARK;
			} else if (asked >= 0 && rand_r(&seed) % 4 == 0) { /* and the answer comes later */
				int upto = asked, v[ASSETS] = { 0 }, w[ASSETS] = { 0 };
				asked = -1;
				for (int t = 1; t <= upto; t++) {
					int a, T;
					sscanf(strstr(events[t - 1], "\"T\":"), "\"T\":%d", &T);
					sscanf(strstr(events[t - 1], "{\"a\":\"A"), "{\"a\":\"A%d", &a);
					sscanf(strstr(events[t - 1], "wb\":\""), "wb\":\"%d", &v[a]);
					w[a] = T;
				}
				for (int a = 0; a < ASSETS; a++)
					snprintf(part[a], sizeof part[a],
					    "{\"asset\":\"A%d\",\"balance\":\"%d\",\"updateTime\":%d}", a, v[a], w[a]);
				snprintf(text, sizeof text, "[%s,%s,%s]", part[0], part[1], part[2]);
				answer(BALANCES, text, sent);
			}
			event(events[order[i]]);
			seen = order[i] + 1 > seen ? order[i] + 1 : seen;
			if (rand_r(&seed) % 4 == 0)
				event(events[order[rand_r(&seed) % (i + 1)]]);
		}
		for (int a = 0; a < ASSETS; a++) { /* the last that was given out */
			char name[2][20], *last = NULL;
			snprintf(name[0], sizeof name[0], "\"A%d\",\"wb\":\"", a);
			snprintf(name[1], sizeof name[1], "\"A%d\",\"balance\":\"", a);
			for (int k = 0; k < 2; k++)
				for (char *p = given; (p = strstr(p, name[k])); p++)
					last = p + strlen(name[k]) > last ? p + strlen(name[k]) : last;
			assert_int_equal(last ? atoi(last) : 0, when[a] ? value[a] : 0);
		}
		close_inbox();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(news_go_through_as_they_are),
		cmocka_unit_test(old_rows_are_cut_out),
		cmocka_unit_test(copies_are_dropped),
		cmocka_unit_test(malformed_rows_are_passed_on),
		cmocka_unit_test(spot_events),
		cmocka_unit_test(listen_keys_stay_inside),
		cmocka_unit_test(events_wait_for_the_snapshot),
		cmocka_unit_test(no_room_to_wait),
		cmocka_unit_test(zero_rows),
		cmocka_unit_test(vanished_rows),
		cmocka_unit_test(answers_older_than_events),
		cmocka_unit_test(long_answers_come_in_pieces),
		cmocka_unit_test(spot_answers),
		cmocka_unit_test(answers_that_are_none),
		cmocka_unit_test(checks_that_find_nothing),
		cmocka_unit_test(doubts_that_events_explain),
		cmocka_unit_test(doubts_that_are_true),
		cmocka_unit_test(any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
