/* lib/binance_session: a world of connections made of callbacks, and what the session asks of it */
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

static struct binance_plan plan;
static struct binance_session *s;
static int64_t now, budget_wait;
static char log_text[1 << 16];
static size_t log_n;
static bool loud; /* news into the log as well */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_n += (size_t)vsnprintf(log_text + log_n, sizeof log_text - log_n, format, ap);
	va_end(ap);
	assert_true(log_n < sizeof log_text);
}

static int64_t may_connect(void *user)
{
	(void)user;
	return budget_wait;
}

static bool do_connect(void *user, unsigned conn, enum binance_tier tier)
{
	(void)user;
	note("connect%u%s ", conn, tier == BINANCE_TIER_PUBLIC ? "p" : tier == BINANCE_TIER_MARKET ? "m" : "");
	return true;
}

static void do_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	static const char *const words[] = { "send", "ping", "close", "kill" };

	(void)user;
	if (what == BINANCE_SEND)
		note("send%u:%zu ", conn, text.n);
	else
		note("%s%u ", words[what], conn);
}

static int64_t do_heard(void *user, unsigned conn)
{
	(void)user, (void)conn;
	return 0;
}

static void do_frame(void *user, size_t stream, struct span text, int64_t recv)
{
	(void)user, (void)recv;
	const char *id = memmem(text.p, text.n, "\"a\":", 4);
	if (!id)
		id = memmem(text.p, text.n, "\"u\":", 4);
	note("%s#%ld ", plan.stream[stream].name, id ? strtol(id + 4, NULL, 10) : -1);
}

static void do_news(void *user, const struct binance_news_item *item)
{
	static const char *const words[] = { "connecting", "failed", "live", "stale", "gap", "refused", "note" };

	(void)user;
	if (item->gap)
		note("gap(%lu,%lu) ", item->gap->last_id, item->gap->next_id);
	else if (loud)
		note("[%s%s%s: %s] ", words[item->topic], item->stream >= 0 ? " " : "",
		    item->stream >= 0 ? plan.stream[item->stream].name : "", item->detail);
}

static void do_ready(void *user)
{
	(void)user;
	note("ready ");
}

static void do_give_up(void *user)
{
	(void)user;
	note("give-up ");
}

static const struct binance_session_events events = { may_connect, do_connect, do_order, do_heard, do_frame, do_news,
	do_ready, do_give_up };

static void begin(unsigned lines, const char *operands)
{
	struct binance_session_options o = { .lines = lines, .max_age = 1000 * SECOND, .stale = 30 * SECOND,
		.backoff_base = SECOND, .backoff_cap = 4 * SECOND, .seed = 42, .origin = "wss://h:1" };
	struct span rest = span_of(operands);
	char why[256];

	binance_plan_open(&plan, EVENT_USDM);
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
	budget_wait = 0;
	loud = false;
	log_n = 0;
	log_text[0] = '\0';
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

static void says(const char *expected)
{
	assert_string_equal(log_text, expected);
	log_n = 0;
	log_text[0] = '\0';
}

static void says_about(const char *words)
{
	if (!strstr(log_text, words))
		fail_msg("'%s' is not in: %s", words, log_text);
	log_n = 0;
	log_text[0] = '\0';
}

static void tick(int64_t us)
{
	now += us;
	binance_session_tick(s, now);
}

static void say_text(unsigned conn, const char *words)
{
	char text[1024];
	size_t n = strlen(words);

	for (size_t i = 0; i <= n; i++)
		text[i] = words[i] == '\'' ? '"' : words[i];
	binance_session_message(s, conn, (struct span){ text, n }, now, now);
}

static void say(unsigned conn, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(unsigned conn, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	say_text(conn, text);
}

#define ack(conn) say(conn, "{'result':null,'id':1}")
#define agg(conn, id) say(conn, "{'stream':'a@aggTrade','data':{'e':'aggTrade','E':%d,'a':%d}}", id, id)
#define book(conn, id) say(conn, "{'stream':'a@bookTicker','data':{'e':'bookTicker','E':%d,'u':%d}}", id, id)

static void down(unsigned conn, enum binance_cause cause, int http, int64_t retry_after)
{
	struct binance_down d = { cause, http, retry_after, "it broke" };

	binance_session_down(s, conn, &d, now);
}

/* one route, one line, connection 0 live */
static void live(const char *operand)
{
	begin(1, operand);
	tick(0);
	binance_session_up(s, 0, now);
	ack(0);
	log_n = 0;
	log_text[0] = '\0';
}

static void one_connection_a_tier(void **state)
{
	(void)state;
	begin(1, "a@aggTrade a");
	tick(0);
	says("connect0p connect2m ");
	binance_session_up(s, 2, now);
	binance_session_up(s, 0, now);
	says("send2:53 send0:55 ");
	ack(0);
	says("");
	ack(2);
	says("ready ");
	book(0, 7), agg(2, 9);
	says("a@bookTicker#7 a@aggTrade#9 ");
	/* a stream of the other tier was not asked for here */
	agg(0, 10);
	says("");
	assert_int_equal(binance_session_counters(s)->foreign, 1);
}

static void many_names_go_out_one_message_at_a_time(void **state)
{
	char operands[20000] = "";
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 150; i++)
		n += (size_t)snprintf(operands + n, sizeof operands - n, "%s%0100d%d@trade", i ? " " : "", 0, i);
	begin(1, operands);
	tick(0);
	binance_session_up(s, 0, now);
	says_about("send0:");
	plan.stream[0].quiet = true;
	say(0, "{'result':null,'id':7}"); /* not ours */
	tick(SECOND);
	ack(0);
	says("ready ");
}

static void it_waits_between_attempts_and_never_stops(void **state)
{
	unsigned connects = 0;

	(void)state;
	begin(1, "a@aggTrade");
	for (int i = 0; i < 4000; i++) {
		tick(100000);
		if (log_n) {
			connects++;
			log_n = 0;
			log_text[0] = '\0';
			down(0, BINANCE_DOWN_NETWORK, 0, -1);
		}
	}
	/* the ceiling is 4 s: 2 s on average */
	assert_in_range(connects, 130, 300);
}

static void the_first_frame_resets_the_wait(void **state)
{
	(void)state;
	begin(1, "a@aggTrade");
	for (int i = 0; i < 20; i++) {
		while (!log_n)
			tick(100000);
		binance_session_up(s, 0, now);
		ack(0);
		if (i == 19)
			agg(0, 1);
		log_n = 0;
		log_text[0] = '\0';
		loud = true;
		down(0, BINANCE_DOWN_NETWORK, 0, -1);
		assert_true(strstr(log_text, "it broke; next attempt in ") != NULL);
		double wait = strtod(strstr(log_text, "attempt in ") + 11, NULL);
		loud = false;
		log_n = 0;
		log_text[0] = '\0';
		assert_true(wait <= (i == 19 ? 1.0 : 4.0));
	}
}

static void retry_after_is_obeyed(void **state)
{
	(void)state;
	begin(1, "a@aggTrade");
	tick(0);
	says("connect0m ");
	down(0, BINANCE_DOWN_HTTP, 429, 50);
	for (int i = 0; i < 499; i++)
		tick(100000);
	says("");
	tick(1100000);
	says("connect0m ");
}

static void a_time_that_the_server_names_holds_for_all(void **state)
{
	(void)state;
	begin(2, "a@aggTrade a");
	tick(0);
	says("connect0p connect2p connect4m connect6m ");
	down(0, BINANCE_DOWN_NETWORK, 0, -1); /* due within a second */
	down(2, BINANCE_DOWN_HTTP, 429, 50);
	down(4, BINANCE_DOWN_NETWORK, 0, -1);
	down(6, BINANCE_DOWN_HTTP, 503, 55);
	for (int i = 0; i < 549; i++)
		tick(100000);
	says("");
	for (int i = 0; i < 12; i++)
		tick(100000);
	for (const char *const *p = (const char *const[]){ "connect0p", "connect2p", "connect4m", "connect6m", NULL };
	     *p; p++)
		assert_non_null(strstr(log_text, *p));
}

static void what_cannot_get_better_ends_it(void **state)
{
	static const int statuses[] = { 451, 403, 404, 400 };

	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		start(state);
		begin(1, "a@aggTrade");
		tick(0);
		log_n = 0;
		loud = true;
		down(0, BINANCE_DOWN_HTTP, statuses[i], -1);
		assert_memory_equal(log_text, "[stale: wss://h:1/market/stream: it broke: ", 43);
		says_about("] give-up ");
		tick(100 * SECOND);
		says("");
		binance_session_end(s, now);
		assert_true(binance_session_ended(s));
		if (i + 1 < sizeof statuses / sizeof statuses[0])
			end(state);
	}
}

static void a_refused_successor_is_no_end(void **state)
{
	(void)state;
	live("a@aggTrade");
	say(0, "{'e':'serverShutdown','E':1770123456789}");
	tick(SECOND);
	says("connect1m ");
	down(1, BINANCE_DOWN_HTTP, 403, -1);
	agg(0, 5);
	says("a@aggTrade#5 ");
}

static void the_budget_is_asked_first(void **state)
{
	(void)state;
	begin(1, "a@aggTrade");
	budget_wait = 5 * SECOND;
	loud = true;
	tick(0);
	says_about("waiting 5.000 s");
	budget_wait = 0;
	loud = false;
	tick(4 * SECOND);
	says("");
	tick(SECOND);
	says("connect0m ");
}

static void silence_is_asked_about_and_ends(void **state)
{
	(void)state;
	live("a@aggTrade");
	agg(0, 1);
	log_n = 0;
	log_text[0] = '\0';
	tick(14 * SECOND);
	says("");
	tick(SECOND);
	says("ping0 ");
	tick(5 * SECOND);
	says("");
	binance_session_pong(s, 0, now);
	tick(14 * SECOND);
	says("");
	tick(SECOND);
	says("ping0 ");
	tick(14 * SECOND);
	says("");
	loud = true;
	tick(SECOND);
	says_about("neither data nor pong for 30.000 s");
	loud = false;
	tick(2 * SECOND); /* the other half: the old one's end is not waited for */
	says("connect1m ");
	down(0, BINANCE_DOWN_ASKED, 0, -1);
	says("");
}

static void a_stream_that_never_delivers_is_named_once(void **state)
{
	(void)state;
	begin(1, "a@aggTrade b@aggTrade c@forceOrder");
	tick(0);
	binance_session_up(s, 0, now);
	ack(0);
	for (int i = 0; i < 29; i++) {
		agg(0, i + 1);
		tick(SECOND);
	}
	log_n = 0;
	log_text[0] = '\0';
	loud = true;
	tick(SECOND);
	says_about("[stale b@aggTrade: acknowledged 30.000 s ago");
	agg(0, 30);
	tick(5 * SECOND);
	says("a@aggTrade#30 ");
	say(0, "{'stream':'b@aggTrade','data':{'a':1}}");
	says("[live b@aggTrade: the first frame has come] b@aggTrade#1 ");
}

static void make_before_break(void **state)
{
	(void)state;
	live("a@aggTrade");
	agg(0, 1);
	now += 979 * SECOND; /* 2 % of the age are left to chance */
	binance_session_pong(s, 0, now);
	tick(0);
	log_n = 0;
	log_text[0] = '\0';
	now += 21 * SECOND;
	agg(0, 2);
	tick(0);
	says("a@aggTrade#2 connect1m ");
	agg(0, 3);
	binance_session_up(s, 1, now);
	agg(0, 4), agg(1, 4), agg(1, 5);
	tick(0);
	agg(0, 5), agg(0, 6);
	says("a@aggTrade#3 send1:53 a@aggTrade#4 a@aggTrade#5 a@aggTrade#6 ");
	ack(1);
	tick(0);
	says("close0 ");
	agg(0, 7); /* what still comes there comes here as well */
	agg(1, 6), agg(1, 7);
	says("a@aggTrade#7 ");
	down(0, BINANCE_DOWN_ASKED, 0, -1);
	assert_int_equal(binance_session_arbiter(s)->gaps, 0);
	assert_int_equal(binance_session_arbiter(s)->copies, 3);
}

static void the_three_notices_of_shutdown(void **state)
{
	static const char *const notices[] = { "{'e':'serverShutdown','E':1770123456789}",
		"{'stream':'!serverShutdown','data':{'e':'serverShutdown','E':1770123456789}}",
		"{'event':{'e':'serverShutdown','E':1770123456789}}" };

	for (size_t i = 0; i < 3; i++) {
		start(state);
		live("a@aggTrade");
		tick(2 * SECOND);
		says("");
		say_text(0, notices[i]);
		tick(0);
		says("connect1m ");
		tick(SECOND);
		says("");
		if (i < 2)
			end(state);
	}
}

static void a_quiet_stream_hands_over_soon_after_its_acknowledgement(void **state)
{
	(void)state;
	live("a@forceOrder");
	tick(SECOND);
	say(0, "{'e':'serverShutdown','E':1}");
	tick(0);
	binance_session_up(s, 1, now);
	tick(0);
	says("connect1m send1:55 ");
	ack(1);
	tick(ARBITER_WINDOW_US - 1);
	says("");
	tick(1);
	says("close0 ");
}

static void an_old_connection_that_dies_early_is_replaced(void **state)
{
	(void)state;
	live("a@aggTrade");
	agg(0, 1);
	tick(SECOND);
	say(0, "{'e':'serverShutdown','E':1}");
	tick(0);
	down(0, BINANCE_DOWN_NETWORK, 0, -1);
	binance_session_up(s, 1, now);
	ack(1);
	agg(1, 4);
	says("a@aggTrade#1 connect1m send1:53 gap(1,4) a@aggTrade#4 ");
}

static void two_lines_lose_nothing_when_one_dies(void **state)
{
	(void)state;
	begin(2, "a@aggTrade");
	tick(0);
	says("connect0m connect2m ");
	binance_session_up(s, 0, now), binance_session_up(s, 2, now);
	ack(0), ack(2);
	log_n = 0;
	log_text[0] = '\0';
	agg(0, 1), agg(2, 1), agg(0, 2);
	down(0, BINANCE_DOWN_NETWORK, 0, -1);
	agg(2, 2), agg(2, 3);
	says("a@aggTrade#1 a@aggTrade#2 a@aggTrade#3 ");
	assert_int_equal(binance_session_won(s, 0), 2);
	assert_int_equal(binance_session_won(s, 1), 1);
}

static void errors_come_in_both_shapes(void **state)
{
	static const char *const replies[] = { "{'error':{'code':4,'msg':'Too many subscriptions'},'id':1}",
		"{'error':{'code':4,'msg':'Too many subscriptions'}}",
		"{'code':4,'msg':'Too many subscriptions','id':1}", "{'code':4,'msg':'Too many subscriptions'}" };

	for (size_t i = 0; i < 4; i++) {
		start(state);
		begin(1, "a@aggTrade");
		tick(0);
		binance_session_up(s, 0, now);
		log_n = 0;
		log_text[0] = '\0';
		loud = true;
		say_text(0, replies[i]);
		assert_non_null(strstr(
		    log_text, "[stale: wss://h:1/market/stream: the exchange refuses a request: code 4: Too many"));
		assert_non_null(strstr(log_text, "kill0"));
		if (i < 3)
			end(state);
	}
}

static void what_the_exchange_refuses_is_asked_for_slowly(void **state)
{
	unsigned connects = 0;

	(void)state;
	begin(1, "a@aggTrade");
	for (int i = 0; i < 4000; i++) {
		tick(100000);
		if (!log_n)
			continue;
		connects++;
		unsigned conn = strstr(log_text, "connect0") ? 0 : 1;
		binance_session_up(s, conn, now);
		agg(conn, (int)connects); /* resets the wait */
		say(conn, "{'error':{'code':4,'msg':'Too many subscriptions'}}");
		down(conn, BINANCE_DOWN_ASKED, 0, -1);
		log_n = 0;
		log_text[0] = '\0';
	}
	/* the ceiling is 4 s: 2 s on average; from the base it would be half a second */
	assert_in_range(connects, 130, 300);
}

static void an_error_about_nothing_of_ours_is_told(void **state)
{
	(void)state;
	live("a@aggTrade");
	loud = true;
	say(0, "{'error':'odd','id':9}");
	say(0, "{'code':-1,'msg':'x\\ny','id':9}");
	says("[stale: wss://h:1/market/stream: the exchange refuses a request: code ?: ] "
	     "[stale: wss://h:1/market/stream: the exchange refuses a request: code -1: x\ny] ");
}

static void no_acknowledgement_is_no_life(void **state)
{
	(void)state;
	begin(1, "a@aggTrade");
	tick(0);
	binance_session_up(s, 0, now);
	loud = true;
	tick(9 * SECOND);
	log_n = 0;
	log_text[0] = '\0';
	tick(SECOND);
	says_about("SUBSCRIBE was not acknowledged for 10.000 s");
}

static void data_says_more_than_an_acknowledgement(void **state)
{
	(void)state;
	begin(1, "a@aggTrade");
	tick(0);
	binance_session_up(s, 0, now);
	agg(0, 1);
	tick(10 * SECOND);
	says("connect0m send0:53 a@aggTrade#1 ready ");
}

static void rubbish_is_refused(void **state)
{
	static const char *const rubbish[] = { "", "x", "[1]", "{", "{'stream':'a@aggTrade','data':{'a':1}} x",
		"{'stream':'a@aggTrade','data':{'s':'\xff'}}", "{'stream':'a@aggTrade','data':{'s':'a\nb'}}" };

	(void)state;
	live("a@aggTrade");
	for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++)
		say_text(0, rubbish[i]);
	says("");
	assert_int_equal(binance_session_counters(s)->refused, sizeof rubbish / sizeof rubbish[0]);
	/* a line end between tokens is legal */
	say(0, "{'stream':'a@aggTrade',\n'data':{'a':1}}\n");
	say(0, "{'stream':'\\u0061@aggTrade','data':{'a':2}}");
	says("a@aggTrade#1 a@aggTrade#2 ");
}

static void pause_and_resume(void **state)
{
	(void)state;
	live("a@aggTrade");
	agg(0, 1);
	binance_session_pause(s, "nobody reads", now);
	says("a@aggTrade#1 close0 ");
	agg(0, 2);
	down(0, BINANCE_DOWN_ASKED, 0, -1);
	tick(100 * SECOND);
	says("");
	binance_session_resume(s, "somebody reads", now);
	tick(0);
	says("connect0m ");
	assert_int_equal(binance_session_counters(s)->pauses, 1);
	binance_session_up(s, 0, now);
	ack(0);
	agg(0, 9);
	says("send0:53 gap(1,9) a@aggTrade#9 ");
}

static void the_end_closes_everything(void **state)
{
	(void)state;
	begin(2, "a@aggTrade");
	tick(0);
	binance_session_up(s, 0, now);
	ack(0);
	agg(0, 1), agg(0, 3); /* held: line B may fill it */
	log_n = 0;
	log_text[0] = '\0';
	binance_session_end(s, now);
	says("gap(1,3) a@aggTrade#3 close0 kill2 ");
	assert_false(binance_session_ended(s));
	down(0, BINANCE_DOWN_ASKED, 0, -1);
	down(2, BINANCE_DOWN_ASKED, 0, -1);
	assert_true(binance_session_ended(s));
	tick(100 * SECOND);
	says("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_connection_a_tier, start, end),
		cmocka_unit_test_setup_teardown(many_names_go_out_one_message_at_a_time, start, end),
		cmocka_unit_test_setup_teardown(it_waits_between_attempts_and_never_stops, start, end),
		cmocka_unit_test_setup_teardown(the_first_frame_resets_the_wait, start, end),
		cmocka_unit_test_setup_teardown(retry_after_is_obeyed, start, end),
		cmocka_unit_test_setup_teardown(a_time_that_the_server_names_holds_for_all, start, end),
		cmocka_unit_test_setup_teardown(what_cannot_get_better_ends_it, start, end),
		cmocka_unit_test_setup_teardown(a_refused_successor_is_no_end, start, end),
		cmocka_unit_test_setup_teardown(the_budget_is_asked_first, start, end),
		cmocka_unit_test_setup_teardown(silence_is_asked_about_and_ends, start, end),
		cmocka_unit_test_setup_teardown(a_stream_that_never_delivers_is_named_once, start, end),
		cmocka_unit_test_setup_teardown(make_before_break, start, end),
		cmocka_unit_test_setup_teardown(the_three_notices_of_shutdown, start, end),
		cmocka_unit_test_setup_teardown(a_quiet_stream_hands_over_soon_after_its_acknowledgement, start, end),
		cmocka_unit_test_setup_teardown(an_old_connection_that_dies_early_is_replaced, start, end),
		cmocka_unit_test_setup_teardown(two_lines_lose_nothing_when_one_dies, start, end),
		cmocka_unit_test_setup_teardown(errors_come_in_both_shapes, start, end),
		cmocka_unit_test_setup_teardown(what_the_exchange_refuses_is_asked_for_slowly, start, end),
		cmocka_unit_test_setup_teardown(an_error_about_nothing_of_ours_is_told, start, end),
		cmocka_unit_test_setup_teardown(no_acknowledgement_is_no_life, start, end),
		cmocka_unit_test_setup_teardown(data_says_more_than_an_acknowledgement, start, end),
		cmocka_unit_test_setup_teardown(rubbish_is_refused, start, end),
		cmocka_unit_test_setup_teardown(pause_and_resume, start, end),
		cmocka_unit_test_setup_teardown(the_end_closes_everything, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
