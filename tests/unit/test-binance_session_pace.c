/* lib/binance_session: what it owes the exchange in time - bans that outlast a pause, messages apart, ages by chance */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_session.h"

#define SECOND 1000000LL
#define CONNS_MAX 80

static struct binance_plan plan;
static struct binance_session *s;
static int64_t now;
static unsigned connects[CONNS_MAX], sends[CONNS_MAX], named;

static int64_t may_connect(void *user)
{
	(void)user;
	return 0;
}

static bool do_connect(void *user, unsigned conn, enum binance_tier tier)
{
	(void)user, (void)tier;
	connects[conn]++;
	return true;
}

static void do_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	(void)user, (void)text;
	sends[conn] += what == BINANCE_SEND;
}

static int64_t do_heard(void *user, unsigned conn)
{
	(void)user, (void)conn;
	return now;
}

static void do_frame(void *user, size_t stream, struct span text, int64_t recv)
{
	(void)user, (void)stream, (void)text, (void)recv;
}

static void do_news(void *user, const struct binance_news_item *item)
{
	(void)user;
	named += item->topic == BINANCE_NEWS_STALE && item->stream >= 0;
}

static void do_nothing(void *user)
{
	(void)user;
}

static void begin(enum event_market market, unsigned lines, int64_t max_age, const char *operands)
{
	static const struct binance_session_events events = { may_connect, do_connect, do_order, do_heard, do_frame,
		do_news, do_nothing, do_nothing };
	struct binance_session_options o = { .lines = lines, .max_age = max_age, .stale = 30 * SECOND,
		.backoff_base = SECOND, .backoff_cap = 4 * SECOND, .seed = 42, .origin = "wss://h:1" };
	struct span rest = span_of(operands);
	char why[256];

	binance_plan_open(&plan, market);
	while (rest.p)
		assert_true(binance_plan_add(&plan, span_cut(rest, ' ', &rest), SPAN("book"), why));
	assert_true(binance_plan_ready(&plan));
	s = binance_session_new(&plan, &o, &events, NULL);
	assert_non_null(s);
}

static int start(void **state)
{
	(void)state;
	now = 5000 * SECOND;
	memset(connects, 0, sizeof connects);
	memset(sends, 0, sizeof sends);
	named = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	binance_session_free(s);
	s = NULL;
	binance_plan_close(&plan);
	return 0;
}

static void tick(int64_t us)
{
	now += us;
	binance_session_tick(s, now);
}

static void ack(unsigned conn, unsigned id)
{
	char text[100];
	int n = snprintf(text, sizeof text, "{\"result\":null,\"id\":%u}", id);

	binance_session_message(s, conn, (struct span){ text, (size_t)n }, now, now);
}

static void agg(unsigned conn, unsigned id)
{
	char text[200];
	int n = snprintf(text, sizeof text, "{\"stream\":\"a@aggTrade\",\"data\":{\"e\":\"aggTrade\",\"a\":%u}}", id);

	binance_session_message(s, conn, (struct span){ text, (size_t)n }, now, now);
}

static void down(unsigned conn, enum binance_cause cause, int http, int64_t retry_after)
{
	struct binance_down d = { cause, http, retry_after, "it broke" };

	binance_session_down(s, conn, &d, now);
}

static void a_ban_outlasts_a_reader_that_was_slow(void **state)
{
	(void)state;
	begin(EVENT_USDM, 1, 1000 * SECOND, "a@bookTicker a@aggTrade");
	tick(0);
	binance_session_up(s, 0, now);
	ack(0, 1);
	down(2, BINANCE_DOWN_HTTP, 418, 600);
	tick(SECOND);
	binance_session_pause(s, "nobody reads", now);
	down(0, BINANCE_DOWN_ASKED, 0, -1);
	tick(10 * SECOND);
	binance_session_resume(s, "somebody reads", now);
	for (int i = 0; i < 580; i++)
		tick(SECOND);
	/* nobody goes there before the time that the server has named, not even for another tier */
	assert_int_equal(connects[0] + connects[1] + connects[2] + connects[3], 2);
	for (int i = 0; i < 20; i++)
		tick(SECOND);
	assert_int_equal(connects[0] + connects[1] + connects[2] + connects[3], 4);
}

static void requests_are_no_more_than_the_exchange_takes(void **state)
{
	static const struct {
		enum event_market market;
		int64_t apart;
	} cases[] = { { EVENT_USDM, SECOND / 5 }, { EVENT_SPOT, SECOND / 2 } };
	char operands[40000];

	(void)state;
	for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
		size_t n = 0;
		for (int i = 0; i < 200; i++)
			n += (size_t)snprintf(operands + n, sizeof operands - n, "%s%0180d%d@trade", i ? " " : "", 0, i);
		start(NULL);
		begin(cases[c].market, 1, 1000 * SECOND, operands);
		tick(0);
		binance_session_up(s, 0, now);
		assert_int_equal(sends[0], 1);
		ack(0, 1);
		tick(cases[c].apart - 1);
		assert_int_equal(sends[0], 1);
		tick(1);
		assert_int_equal(sends[0], 2);
		end(NULL);
	}
	begin(EVENT_USDM, 1, 1000 * SECOND, "a@trade");
}

static void only_the_reply_to_a_request_acknowledges_it(void **state)
{
	char operands[40000];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 200; i++)
		n += (size_t)snprintf(operands + n, sizeof operands - n, "%s%0180d%d@trade", i ? " " : "", 0, i);
	begin(EVENT_USDM, 1, 1000 * SECOND, operands);
	tick(0);
	binance_session_up(s, 0, now);
	ack(0, 2);
	tick(SECOND);
	assert_int_equal(sends[0], 1);
	ack(0, 1);
	tick(0);
	assert_int_equal(sends[0], 2);
}

/* connections that were opened together are not replaced together, and none later than its age */
static void ages_differ(void **state)
{
	int64_t opened, first = 0, last = 0;
	unsigned successors = 0;

	(void)state;
	begin(EVENT_USDM, 4, 1000 * SECOND, "a@aggTrade");
	tick(0);
	opened = now;
	for (unsigned c = 0; c < 8; c += 2) {
		binance_session_up(s, c, now);
		ack(c, 1);
	}
	for (int i = 0; i < 10000 && successors < 4; i++) {
		tick(SECOND / 10);
		unsigned n = connects[1] + connects[3] + connects[5] + connects[7];
		first = n && !successors ? now - opened : first;
		last = n > successors ? now - opened : last;
		successors = n;
	}
	assert_int_equal(successors, 4);
	assert_true(first >= 980 * SECOND && last <= 1000 * SECOND + SECOND / 10);
	assert_true(last - first >= SECOND / 2);
}

/* silence is counted from the acknowledgement that holds, not from one of a connection that is gone */
static void silence_begins_anew_with_each_acknowledgement(void **state)
{
	(void)state;
	begin(EVENT_USDM, 1, 1000 * SECOND, "a@aggTrade");
	tick(0);
	binance_session_up(s, 0, now);
	ack(0, 1);
	tick(20 * SECOND);
	down(0, BINANCE_DOWN_NETWORK, 0, -1);
	for (int i = 0; i < 50 && connects[0] + connects[1] < 2; i++)
		tick(SECOND / 10);
	unsigned c = connects[1] ? 1 : 0;
	binance_session_up(s, c, now);
	ack(c, 1);
	tick(29 * SECOND);
	assert_int_equal(named, 0);
	tick(SECOND);
	assert_int_equal(named, 1);
	tick(60 * SECOND);
	assert_int_equal(named, 1);
}

/* a certificate that is wrong will be so in a second: it is asked about at the slowest pace, from the first time on */
static void a_wrong_certificate_is_no_haste(void **state)
{
	int64_t waited = 0;
	const unsigned attempts = 40;

	(void)state;
	begin(EVENT_USDM, 1, 1000 * SECOND, "a@aggTrade");
	tick(0);
	for (unsigned i = 1; i <= attempts; i++) {
		/* what came before was good: without haste all the same */
		binance_session_up(s, 0, now);
		ack(0, 1);
		agg(0, i);
		down(0, BINANCE_DOWN_CERTIFICATE, 0, -1);
		while (connects[0] + connects[1] <= i)
			tick(SECOND / 10), waited += SECOND / 10;
	}
	/* 2 s on average of the cap of 4 s; of the base of 1 s it were half a second */
	assert_true(waited >= attempts * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_ban_outlasts_a_reader_that_was_slow, start, end),
		cmocka_unit_test_setup_teardown(requests_are_no_more_than_the_exchange_takes, start, end),
		cmocka_unit_test_setup_teardown(only_the_reply_to_a_request_acknowledges_it, start, end),
		cmocka_unit_test_setup_teardown(ages_differ, start, end),
		cmocka_unit_test_setup_teardown(a_wrong_certificate_is_no_haste, start, end),
		cmocka_unit_test_setup_teardown(silence_begins_anew_with_each_acknowledgement, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
