/* lib/binance_follow: a world of connections and requests made of callbacks, and what is asked of it in which order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_follow.h"

#define SECOND 1000000LL
#define MINUTE (60 * SECOND)
#define SERVER 1790000000000LL /* ms there when it is 0 here */

static struct binance_follow *s;
static struct binance_follow_options options;
static int64_t now, budget_wait, skew; /* of the clock on the wall, µs that it is ahead */
static enum binance_call asked;
static int64_t asked_timestamp;
static char log_text[1 << 16], path[BINANCE_PATH_MAX], last_news[1000];
static size_t log_n;

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

static bool do_connect(void *user, unsigned conn, struct span text)
{
	(void)user;
	snprintf(path, sizeof path, "%.*s", (int)text.n, text.p);
	note("connect%u ", conn);
	return true;
}

static void do_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	static const char *const words[] = { "send", "ping", "close", "kill" };

	(void)user;
	note("%s%u", words[what], conn);
	if (what == BINANCE_SEND)
		note(":%.*s", (int)text.n, text.p);
	note(" ");
}

static int64_t do_heard(void *user, unsigned conn)
{
	(void)user, (void)conn;
	return 0;
}

static void do_logon(void *user, unsigned conn, int64_t timestamp, uint64_t id)
{
	(void)user;
	note("logon%u:%lu@%ld ", conn, (unsigned long)id, (long)(timestamp - SERVER));
}

static void do_request(void *user, enum binance_call call, int64_t timestamp)
{
	static const char *const words[] = { "none", "time", "new", "keep", "balances", "positions" };

	(void)user;
	assert_int_equal(asked, BINANCE_CALL_NONE); /* one at a time */
	asked = call;
	asked_timestamp = timestamp;
	note("?%s ", words[call]);
}

static void do_frame(void *user, struct span text, int64_t recv)
{
	const char *path_end = memchr(text.p + 11, '"', text.n - 11);

	(void)user, (void)recv;
	assert_memory_equal(text.p, "{\"stream\":\"", 11);
	if (text.p[11] == '/')
		note("[%.*s] ", (int)(path_end - text.p - 11), text.p + 11);
	else
		note("%.*s ", (int)(text.p + text.n - 1 - path_end - 9), path_end + 9);
}

static void do_news(void *user, const struct binance_news_item *item)
{
	static const char *const words[] = { "CONNECTING", "FAILED", "LIVE", "STALE", "GAP", "REFUSED", "" };

	(void)user;
	assert_int_equal(item->stream, -1);
	if (!*words[item->topic])
		return;
	snprintf(last_news, sizeof last_news, "%s", item->text);
	note("%s ", words[item->topic]);
	assert_null(strstr(item->text, "KEY")); /* never the listen key */
	if (item->topic == BINANCE_NEWS_GAP)
		assert_string_equal(item->state, "gap");
}

static void do_ready(void *user)
{
	(void)user;
	note("READY ");
}

static void do_give_up(void *user)
{
	(void)user;
	note("GIVE-UP ");
}

static void begin_market(enum event_market m)
{
	static const struct binance_follow_events events = { may_connect, do_connect, do_order, do_heard, do_logon,
		do_request, do_frame, do_news, do_ready, do_give_up };

	options.market = m;
	options.origin = "wss://h:443";
	options.requests = "https://h:443";
	now = 100 * SECOND;
	skew = budget_wait = 0;
	asked = BINANCE_CALL_NONE;
	log_text[log_n = 0] = '\0';
	s = binance_follow_new(&options, &events, NULL);
	assert_non_null(s);
}

static void as_usual(void)
{
	options = (struct binance_follow_options){ .check = 10 * MINUTE,
		.keep = 30 * MINUTE,
		.max_age = 100 * MINUTE,
		.stale = 2000 * MINUTE,
		.backoff_base = 1000,
		.backoff_cap = 2000,
		.seed = 7 };
}

static void done(void)
{
	binance_follow_free(s);
}

/* what has been asked for since the last time */
static void asks_for(const char *expected)
{
	if (strcmp(log_text, expected) != 0)
		fail_msg("expected: %s\n             was: %s", expected, log_text);
	log_text[log_n = 0] = '\0';
}

static void forget(void)
{
	log_text[log_n = 0] = '\0';
}

static void says(const char *words)
{
	if (!strstr(last_news, words))
		fail_msg("expected: %s\n             was: %s", words, last_news);
}

static void tick_after(int64_t us)
{
	now += us;
	binance_follow_tick(s, now);
}

static void reply_after(int64_t us, int status, int64_t retry_after, const char *body)
{
	static char text[1 << 16];
	size_t n = strlen(body);
	int64_t sent = now;

	memcpy(text, body, n);
	memset(text + n, '\n', JSON_PAD);
	now += us;
	struct binance_answer a = { .reply = { status, retry_after, { text, n } },
		.why = "no route to host",
		.sent = sent,
		.received = now,
		.recv = SERVER * 1000 + now + skew };
	assert_int_not_equal(asked, BINANCE_CALL_NONE);
	asked = BINANCE_CALL_NONE;
	binance_follow_answer(s, &a, now);
}

static void reply(int status, const char *body)
{
	reply_after(2000, status, -1, body);
}

static void time_reply(void)
{
	char text[100];

	assert_int_equal(asked, BINANCE_CALL_TIME);
	snprintf(text, sizeof text, "{\"serverTime\":%lld}", SERVER + (now + 1000) / 1000);
	reply(200, text);
}

static void key_reply(const char *key)
{
	char text[100];

	snprintf(text, sizeof text, "{\"listenKey\":\"%s\"}", key);
	reply(200, text);
}

static void up(unsigned conn)
{
	binance_follow_up(s, conn, now += 1000);
}

static void down(unsigned conn)
{
	const struct binance_down d = { BINANCE_DOWN_NETWORK, 0, -1, "reset" };

	binance_follow_down(s, conn, &d, now += 1000);
}

static void says_message(unsigned conn, const char *text)
{
	char padded[4096];
	size_t n = strlen(text);

	memcpy(padded, text, n);
	memset(padded + n, ' ', JSON_PAD);
	binance_follow_message(s, conn, (struct span){ padded, n }, now, now);
}

#define EVENT(i)      "{\"e\":\"x\",\"i\":" #i "}"
#define WALLET(t, wb) "{\"e\":\"ACCOUNT_UPDATE\",\"T\":" #t ",\"a\":{\"B\":[{\"a\":\"U\",\"wb\":\"" wb "\"}],\"P\":[]}}"
#define STATE(t, wb)  "[{\"asset\":\"U\",\"balance\":\"" wb "\",\"updateTime\":" #t "}]"

/* up to the first snapshot, given out */
static void live_on(enum event_market m)
{
	begin_market(m);
	tick_after(0);
	time_reply();
	if (m != EVENT_SPOT)
		key_reply("KEY1");
	tick_after(100000);
	up(0);
	if (m == EVENT_SPOT || options.form == BINANCE_FORM_SUBSCRIBE)
		says_message(0, "{\"result\":{},\"id\":\"1\"}");
	tick_after(0);
	reply(200, m == EVENT_SPOT ? "{\"balances\":[]}" : STATE(1, "1"));
	if (m != EVENT_SPOT)
		reply(200, "[]");
	forget();
}

/* ---------------------------------------------------------------------------------------------------- beginning */

static void one_thing_after_the_other(void **state)
{
	(void)state;
	as_usual();
	begin_market(EVENT_USDM);
	asks_for("");
	tick_after(0);
	asks_for("?time ");
	tick_after(SECOND);
	asks_for("");
	time_reply();
	asks_for("?new ");
	tick_after(SECOND);
	asks_for("");
	key_reply("KEY1");
	asks_for("");
	tick_after(1000);
	asks_for("CONNECTING connect0 ");
	assert_string_equal(path, "/private/ws?listenKey=KEY1&events=ACCOUNT_UPDATE/ORDER_TRADE_UPDATE/MARGIN_CALL/"
				  "ACCOUNT_CONFIG_UPDATE/listenKeyExpired");
	tick_after(1000);
	asks_for("");
	up(0);
	says_message(0, EVENT(1)); /* waits */
	tick_after(1000);
	asks_for("?balances ");
	assert_in_range(asked_timestamp - SERVER - now / 1000, 0, 1);
	says_message(0, WALLET(5, "5"));
	reply(200, STATE(4, "4"));
	asks_for("[/fapi/v3/balance] ?positions ");
	reply(200, "[]");
	asks_for("[/fapi/v3/positionRisk] " EVENT(1) " " WALLET(5, "5") " LIVE READY ");
	says("wss://h:443/private/ws: balances 1, positions 0");
	says_message(0, EVENT(2));
	asks_for(EVENT(2) " ");
	done();
}

static void markets_and_forms(void **state)
{
	(void)state;
	as_usual();
	options.form = BINANCE_FORM_SUBSCRIBE;
	begin_market(EVENT_COINM);
	tick_after(0);
	time_reply();
	key_reply("KEY1");
	tick_after(0);
	forget();
	assert_string_equal(path, "/stream");
	up(0);
	asks_for("send0:{\"method\":\"SUBSCRIBE\",\"params\":[\"KEY1\"],\"id\":1} ");
	tick_after(1000);
	says_message(0, "{\"result\":null,\"id\":2}"); /* somebody else's */
	asks_for("");
	says_message(0, "{\"result\":null,\"id\":1}");
	tick_after(0);
	asks_for("?balances ");
	reply(200, "[]");
	reply(200, "[]");
	forget();
	says_message(0, "{\"stream\":\"KEY1\",\"data\":" EVENT(1) "}");
	asks_for(EVENT(1) " "); /* without its envelope, which is the key */
	done();

	begin_market(EVENT_SPOT);
	tick_after(0);
	time_reply();
	tick_after(0);
	assert_string_equal(path, "/ws-api/v3");
	forget();
	up(0);
	asks_for("logon0:1@100003 ");
	says_message(0, "{\"id\":\"1\",\"status\":200,\"result\":{\"subscriptionId\":0},\"rateLimits\":[]}");
	tick_after(0);
	asks_for("?balances ");
	reply(200, "{\"updateTime\":1,\"balances\":[]}");
	asks_for("[/api/v3/account] LIVE READY ");
	says_message(0, "{\"subscriptionId\":0,\"event\":" EVENT(1) "}");
	asks_for(EVENT(1) " ");
	done();
}

/* the acknowledgement was lost; an event says more */
static void events_before_the_reply(void **state)
{
	(void)state;
	as_usual();
	options.form = BINANCE_FORM_SUBSCRIBE;
	begin_market(EVENT_USDM);
	tick_after(0);
	time_reply();
	key_reply("KEY1");
	tick_after(0);
	up(0);
	forget();
	says_message(0, "{\"stream\":\"KEY1\",\"data\":" EVENT(1) "}");
	tick_after(0);
	asks_for("?balances ");
	reply(200, "[]");
	reply(200, "[]");
	assert_non_null(strstr(log_text, EVENT(1)));
	forget();
	done();
}

static void no_reply_to_the_subscription(void **state)
{
	(void)state;
	as_usual();
	options.form = BINANCE_FORM_SUBSCRIBE;
	begin_market(EVENT_USDM);
	tick_after(0);
	time_reply();
	key_reply("KEY1");
	tick_after(0);
	up(0);
	forget();
	tick_after(9 * SECOND);
	asks_for("");
	tick_after(2 * SECOND);
	asks_for("STALE FAILED kill0 ");
	down(0);
	tick_after(SECOND);
	asks_for("connect0 ");
	done();
}

static void once(void **state)
{
	(void)state;
	as_usual();
	options.once = true;
	begin_market(EVENT_USDM);
	tick_after(0);
	time_reply();
	reply(200, STATE(1, "1"));
	reply(200, "[]");
	asks_for("?time ?balances [/fapi/v3/balance] ?positions [/fapi/v3/positionRisk] READY ");
	tick_after(1000 * MINUTE); /* no connection, no check; only the time is asked for again */
	asks_for("?time ");
	done();
}

/* ------------------------------------------------------------------------------------------------------- time */

static void the_shortest_way_counts(void **state)
{
	char text[100];

	(void)state;
	as_usual();
	options.once = true;
	begin_market(EVENT_USDM);
	tick_after(0);
	/* three seconds until the answer, the exchange's time of their end: half of it would be an error of 1.5 s */
	snprintf(text, sizeof text, "{\"serverTime\":%lld}", SERVER + (now + 3 * SECOND) / 1000);
	reply_after(3 * SECOND, 200, -1, text);
	asks_for("?time ?time ");
	time_reply();
	asks_for("?balances ");
	assert_in_range(asked_timestamp - SERVER - now / 1000, 0, 1);
	done();
	/* a way that stays long is taken in the end */
	begin_market(EVENT_USDM);
	tick_after(0);
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "{\"serverTime\":%lld}", SERVER + (now + SECOND) / 1000);
		reply_after(2 * SECOND, 200, -1, text);
	}
	asks_for("?time ?time ?time ?balances ");
	done();
}

static void a_clock_that_is_off(void **state)
{
	char text[100];

	(void)state;
	as_usual();
	options.once = true;
	begin_market(EVENT_USDM);
	skew = -3600 * SECOND;
	tick_after(0);
	snprintf(text, sizeof text, "{\"serverTime\":%lld}", SERVER + (now + 1000) / 1000);
	reply(200, text);
	says("the clock of this machine is 3600.000 s behind the exchange's; requests carry the exchange's time");
	assert_in_range(asked_timestamp - SERVER - now / 1000, 0, 1); /* it does not matter */
	done();
	skew = 0;
}

static void a_timestamp_is_refused(void **state)
{
	static const char refusal[] =
	    "{\"code\":-1021,\"msg\":\"Timestamp for this request is outside of the recvWindow.\"}";

	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(10 * MINUTE);
	asks_for("?balances ");
	reply(400, refusal);
	asks_for("STALE ?time ");
	says("code -1021");
	time_reply();
	asks_for("STALE ?balances "); /* the offset is told, though it is none */
	says("0.000 s");
	reply(400, refusal); /* once more: later, and not for ever faster */
	asks_for("STALE ");
	says("next attempt in");
	tick_after(10000);
	asks_for("?time ");
	time_reply();
	reply(200, STATE(1, "1"));
	reply(200, "[]");
	forget();
	tick_after(10 * MINUTE);
	reply(400, refusal); /* behind a success it is the first one again */
	says("measuring the exchange's time");
	done();

	begin_market(EVENT_USDM); /* at the beginning it is no use to go on */
	options.once = true;
	binance_follow_free(s);
	begin_market(EVENT_USDM);
	tick_after(0);
	time_reply();
	reply(400, refusal);
	time_reply();
	forget();
	reply(400, refusal);
	asks_for("STALE GIVE-UP ");
	says("measured just before");
	tick_after(MINUTE);
	asks_for("");
	done();
}

/* ------------------------------------------------------------------------------------------------- listen keys */

static void a_key_is_kept(void **state)
{
	(void)state;
	as_usual();
	options.check = 10000 * MINUTE;
	live_on(EVENT_USDM);
	tick_after(29 * MINUTE);
	asks_for("");
	tick_after(MINUTE);
	asks_for("?keep ");
	key_reply("KEY1");
	asks_for("");
	tick_after(29 * MINUTE);
	asks_for("");
	tick_after(MINUTE);
	asks_for("?time ");
	time_reply();
	asks_for("?keep ");
	reply(200, "{}"); /* an older answer */
	tick_after(MINUTE);
	asks_for("");
	done();
}

static void a_key_that_cannot_be_kept(void **state)
{
	(void)state;
	as_usual();
	options.check = 10000 * MINUTE;
	live_on(EVENT_USDM);
	tick_after(30 * MINUTE);
	reply(0, "");
	asks_for("?keep STALE ");
	tick_after(10000);
	asks_for("?new ");
	key_reply("KEY1"); /* the same: all is well */
	asks_for("LIVE ");
	tick_after(30 * MINUTE);
	asks_for("?time ");
	time_reply();
	asks_for("?keep ");
	reply(400, "{\"code\":-1125,\"msg\":\"This listenKey does not exist.\"}");
	asks_for("STALE ?new ");
	key_reply("KEY2"); /* another: nothing came since, nobody knows when */
	asks_for("STALE close0 ");
	tick_after(10000);
	asks_for("connect1 ");
	assert_non_null(strstr(path, "listenKey=KEY2&"));
	down(0);
	up(1);
	asks_for("GAP ");
	says("gap: fills between 2026-");
	tick_after(0);
	asks_for("?balances ");
	done();
}

static void an_odd_key(void **state)
{
	(void)state;
	as_usual();
	begin_market(EVENT_USDM);
	tick_after(0);
	time_reply();
	forget();
	key_reply("a&b=c");
	asks_for("FAILED ");
	says("no proper listen key");
	tick_after(10000);
	asks_for("?new ");
	done();
}

static void a_key_expires(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(MINUTE);
	says_message(0, "{\"e\":\"listenKeyExpired\",\"E\":\"1736996475556\",\"listenKey\":\"KEY1\"}");
	asks_for("{\"e\":\"listenKeyExpired\",\"E\":\"1736996475556\"} STALE close0 ");
	says_message(0, EVENT(9)); /* nothing more is heard there */
	tick_after(10000);
	asks_for("?new ");
	key_reply("KEY2");
	tick_after(10000);
	asks_for("connect1 ");
	assert_non_null(strstr(path, "listenKey=KEY2&"));
	down(0);
	up(1);
	says_message(1, WALLET(9, "9"));
	tick_after(0);
	reply(200, STATE(8, "8"));
	reply(200, "[]");
	asks_for("GAP ?balances [/fapi/v3/balance] ?positions [/fapi/v3/positionRisk] " WALLET(9, "9") " LIVE ");
	done();
}

/* ------------------------------------------------------------------------------------------------- connections */

static void a_connection_is_lost(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(MINUTE);
	says_message(0, EVENT(1));
	tick_after(MINUTE);
	down(0);
	asks_for(EVENT(1) " FAILED ");
	says("wss://h:443/private/ws: reset; next attempt in");
	tick_after(10000);
	asks_for("connect0 ");
	up(0);
	asks_for("GAP ");
	/* from the last that was heard there, to now */
	says("gap: fills between 2026-09-21T14:16:00.1");
	says_message(0, EVENT(2));
	tick_after(0);
	down(0); /* before the snapshot is there: what waits goes on waiting */
	forget();
	reply(200, STATE(7, "7")); /* of that connection: too old for the next */
	asks_for("");
	tick_after(10000);
	up(0);
	says_message(0, EVENT(3));
	tick_after(0);
	reply(200, STATE(8, "8"));
	reply(200, "[]");
	asks_for("connect0 GAP ?balances [/fapi/v3/balance] ?positions [/fapi/v3/positionRisk] " EVENT(2) " " EVENT(
	    3) " LIVE ");
	assert_int_equal(binance_follow_counters(s)->gaps, 2);
	done();
}

static void a_connection_is_replaced(void **state)
{
	(void)state;
	as_usual();
	options.max_age = 10 * MINUTE;
	options.check = 10000 * MINUTE;
	live_on(EVENT_USDM);
	tick_after(10 * MINUTE);
	asks_for("connect1 ");
	up(1);
	says_message(0, EVENT(1));
	says_message(1, EVENT(1));
	asks_for(EVENT(1) " "); /* from whichever, once, and without waiting for the snapshot */
	tick_after(0);
	says_message(1, EVENT(2));
	says_message(0, EVENT(2));
	reply(200, STATE(1, "1"));
	reply(200, "[]");
	asks_for("?balances " EVENT(2) " [/fapi/v3/balance] ?positions [/fapi/v3/positionRisk] ");
	tick_after(SECOND);
	asks_for("");
	tick_after(SECOND);
	asks_for("close0 ");
	says_message(0, EVENT(3));
	says_message(1, EVENT(4));
	asks_for(EVENT(4) " ");
	down(0);
	assert_int_equal(binance_follow_counters(s)->gaps, 0);
	/* the server goes down; and the old connection does so before the new one is ready */
	says_message(1, "{\"e\":\"serverShutdown\",\"E\":1}");
	tick_after(SECOND);
	asks_for("connect0 ");
	up(0);
	down(1);
	says_message(0, EVENT(5));
	asks_for(EVENT(5) " ");
	assert_int_equal(binance_follow_counters(s)->gaps, 0);
	done();
}

static void the_successor_is_too_late(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	says_message(0, "{\"e\":\"serverShutdown\",\"E\":1}");
	tick_after(SECOND);
	asks_for("connect1 ");
	down(0);
	asks_for("");
	up(1);
	asks_for("GAP ");
	says_message(1, EVENT(1));
	asks_for("");
	done();
}

static void silence(void **state)
{
	(void)state;
	as_usual();
	options.stale = 30 * SECOND;
	live_on(EVENT_USDM);
	tick_after(15 * SECOND);
	asks_for("ping0 ");
	binance_follow_pong(s, 0, now);
	tick_after(15 * SECOND); /* a quiet account is no alarm */
	asks_for("ping0 ");
	tick_after(15 * SECOND);
	asks_for("STALE FAILED close0 ");
	says("neither data nor pong for 30.000 s");
	done();
}

static void refused_connections(void **state)
{
	static const struct binance_down limit = { BINANCE_DOWN_HTTP, 429, 7, "HTTP 429" };
	static const struct binance_down place = { BINANCE_DOWN_HTTP, 451, -1, "HTTP 451" };

	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	down(0);
	tick_after(10000);
	forget();
	binance_follow_down(s, 0, &limit, now);
	asks_for("FAILED ");
	tick_after(6900000);
	asks_for("");
	tick_after(200000);
	asks_for("connect0 ");
	binance_follow_down(s, 0, &place, now);
	asks_for("STALE GIVE-UP ");
	says("a legal restriction");
	tick_after(MINUTE);
	asks_for("");
	done();
}

static void spot_logon_is_refused(void **state)
{
	(void)state;
	as_usual();
	begin_market(EVENT_SPOT);
	tick_after(0);
	time_reply();
	tick_after(0);
	up(0);
	forget();
	says_message(
	    0, "{\"id\":\"1\",\"status\":400,\"error\":{\"code\":-1021,\"msg\":\"Timestamp\"} ,\"rateLimits\":[]}");
	asks_for("close0 FAILED ");
	says("-1021");
	tick_after(10000);
	asks_for("?time ");
	time_reply();
	tick_after(10000);
	down(0);
	asks_for("FAILED connect1 ");
	up(1);
	forget();
	says_message(1, "{\"id\":\"2\",\"status\":400,\"error\":{\"code\":-1022,\"msg\":\"Signature\"}}");
	asks_for("STALE GIVE-UP ");
	says("the signature does not hold");
	done();
	begin_market(EVENT_SPOT); /* an error without anything in it */
	tick_after(0);
	time_reply();
	tick_after(0);
	up(0);
	says_message(0, "{\"id\":\"1\",\"status\":503}");
	says("HTTP 503");
	done();
}

static void messages_that_are_none(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	says_message(0, "rubbish");
	says_message(0, "[" EVENT(1) "]");
	says_message(0, "{\"e\":\"x\"");
	asks_for("REFUSED REFUSED REFUSED ");
	says_message(0, "{\"result\":null,\"id\":1}");
	says_message(0, "{\"error\":{\"code\":4,\"msg\":\"x\"},\"id\":19}");
	says_message(0, "{\"stream\":\"KEY1\",\"data\":7}");
	says_message(0, "{}");
	asks_for("");
	says_message(0, "{\"e\":\"eventStreamTerminated\",\"E\":1}");
	asks_for("{\"e\":\"eventStreamTerminated\",\"E\":1} FAILED close0 ");
	done();
}

static void the_connection_budget(void **state)
{
	(void)state;
	as_usual();
	begin_market(EVENT_USDM);
	budget_wait = 5 * SECOND;
	tick_after(0);
	time_reply();
	key_reply("KEY1");
	forget();
	tick_after(1000);
	asks_for("FAILED ");
	tick_after(4 * SECOND);
	budget_wait = 0;
	asks_for("");
	tick_after(SECOND);
	asks_for("CONNECTING connect0 ");
	done();
}

/* --------------------------------------------------------------------------------------------------- requests */

static void refused_requests(void **state)
{
	(void)state;
	as_usual();
	begin_market(EVENT_USDM);
	tick_after(0);
	forget();
	reply(0, "");
	asks_for("FAILED ");
	says("https://h:443: GET /fapi/v1/time: no route to host; next attempt in");
	tick_after(10000);
	asks_for("?time ");
	reply(502, "<html>");
	asks_for("FAILED ");
	tick_after(10000);
	reply(200, "{\"serverTime\":\"x\"}");
	asks_for("?time FAILED ");
	says("not what it should be: it does not say the time");
	tick_after(10000);
	reply_after(1000, 429, 30, "<html>");
	asks_for("?time FAILED ");
	says("nothing is asked for 30.0");
	tick_after(29 * SECOND);
	asks_for("");
	tick_after(2 * SECOND);
	reply_after(1000, 418, -1, "{\"code\":-1003,\"msg\":\"banned\"}");
	asks_for("?time FAILED ");
	tick_after(119 * SECOND);
	asks_for("");
	tick_after(2 * SECOND);
	asks_for("?time ");
	time_reply();
	asks_for("?new ");
	reply(401, "{\"code\":-2015,\"msg\":\"Invalid API-key, IP, or permissions for action.\"}");
	asks_for("STALE GIVE-UP ");
	says("https://h:443: POST /fapi/v1/listenKey: HTTP 401, code -2015: Invalid API-key");
	tick_after(10 * MINUTE);
	asks_for("");
	done();
}

/* what the server has said holds, whatever else fails meanwhile */
static void stays_away(void **state)
{
	static const struct binance_down limit = { BINANCE_DOWN_HTTP, 418, 60, "HTTP 418" };

	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(10 * MINUTE);
	reply_after(1000, 429, 30, "");
	down(0);
	asks_for("?balances STALE FAILED ");
	tick_after(29 * SECOND);
	asks_for("");
	tick_after(2 * SECOND);
	asks_for("connect0 ");
	binance_follow_down(s, 0, &limit, now);
	forget();
	tick_after(30 * MINUTE - 10 * MINUTE - 31 * SECOND); /* meanwhile the listen key was due */
	asks_for("connect0 ?keep ");
	reply(0, "");
	down(0);
	forget();
	tick_after(10000);
	asks_for("?new ");
	done();
}

static void malformed_snapshots(void **state)
{
	(void)state;
	as_usual();
	options.once = true;
	begin_market(EVENT_USDM);
	tick_after(0);
	time_reply();
	forget();
	reply(200, "");
	says("it is no JSON");
	tick_after(10000);
	reply(200, "{\"serverTime\":1}");
	says("it is no array");
	tick_after(10000);
	reply(200, "[{\"asset\":\"U\"}]");
	says("a balance in it has no proper asset or amount");
	tick_after(10000);
	forget();
	reply(200, STATE(1, "1"));
	reply(200, STATE(1, "1"));
	says("a position in it has no proper symbol");
	tick_after(10000);
	asks_for("[/fapi/v3/balance] ?positions FAILED ?positions ");
	reply(200, "[]");
	asks_for("[/fapi/v3/positionRisk] READY ");
	done();
}

/* ------------------------------------------------------------------------------------------------------ checks */

static void checks(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(10 * MINUTE);
	asks_for("?balances ");
	reply(200, STATE(1, "1.00"));
	asks_for("?positions ");
	reply(200, "[]");
	asks_for(""); /* all is as it is known: nothing is given out */
	tick_after(10 * MINUTE - 5000);
	asks_for("");
	tick_after(5000);
	asks_for("?balances ");
	/* an answer that knows more than the stream has brought yet: no alarm when the event comes */
	reply(200, STATE(7, "7"));
	reply(200, "[]");
	asks_for("?positions ");
	tick_after(SECOND);
	says_message(0, WALLET(7, "7"));
	forget();
	tick_after(SECOND);
	tick_after(MINUTE);
	asks_for("");
	assert_int_equal(binance_follow_counters(s)->differences, 0);
	assert_int_equal(binance_follow_counters(s)->checks, 2);
	done();
}

static void a_dead_connection_looks_like_a_quiet_account(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(10 * MINUTE);
	reply(200, STATE(7, "7"));
	reply(200, "[]");
	forget();
	tick_after(SECOND);
	asks_for("");
	tick_after(SECOND);
	asks_for("?balances ");
	reply(200, STATE(8, "8")); /* again, and given out */
	reply(200, "[]");
	asks_for("[/fapi/v3/balance] ?positions [/fapi/v3/positionRisk] STALE LIVE ?new ");
	assert_int_equal(binance_follow_counters(s)->differences, 1);
	key_reply("KEY1");
	tick_after(0);
	asks_for("connect1 "); /* that connection is not to be trusted */
	up(1);
	tick_after(0);
	reply(200, STATE(8, "8"));
	reply(200, "[]");
	forget();
	tick_after(2 * SECOND);
	asks_for("close0 ");
	done();
}

static void a_check_that_fails(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	tick_after(10 * MINUTE);
	reply(500, "");
	asks_for("?balances STALE ");
	tick_after(10000);
	reply(200, STATE(1, "1"));
	asks_for("?balances LIVE ?positions ");
	says("https://h:443 answers again");
	done();
}

/* -------------------------------------------------------------------------------------------- pauses, the end */

static void nobody_reads(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	binance_follow_pause(s, "full", now);
	asks_for("STALE close0 ");
	down(0);
	tick_after(100 * MINUTE);
	asks_for("");
	binance_follow_resume(s, "room", now);
	tick_after(0);
	time_reply();
	key_reply("KEY1");
	tick_after(0);
	asks_for("CONNECTING connect0 ?time ?keep ");
	up(0);
	tick_after(0);
	asks_for("GAP ?balances ");
	done();
}

static void too_many_events_wait(void **state)
{
	static char text[200 << 10];

	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	down(0);
	tick_after(10000);
	up(0);
	tick_after(0);
	forget();
	for (int i = 0; i < 30; i++) {
		memset(text, ' ', sizeof text - 1);
		memcpy(text, "{\"e\":\"x\",\"i\":", 13);
		text[13] = (char)('0' + i / 10);
		text[14] = (char)('0' + i % 10);
		if (text[13] == '0')
			text[13] = ' ';
		text[sizeof text - 2] = '}';
		binance_follow_message(s, 0, (struct span){ text, sizeof text - 1 }, now, now);
	}
	asks_for("GAP ");
	says("dropped");
	reply(200, STATE(2, "2")); /* asked for before that: taken anew */
	asks_for("?balances ");
	done();
}

static void the_end(void **state)
{
	(void)state;
	as_usual();
	live_on(EVENT_USDM);
	assert_false(binance_follow_ended(s));
	tick_after(10 * MINUTE);
	forget();
	binance_follow_end(s, now);
	asks_for("close0 ");
	assert_false(binance_follow_ended(s));
	reply(500, ""); /* nothing is told, nothing asked any more */
	down(0);
	tick_after(MINUTE);
	asks_for("");
	assert_true(binance_follow_ended(s));
	done();
	binance_follow_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thing_after_the_other),
		cmocka_unit_test(markets_and_forms),
		cmocka_unit_test(events_before_the_reply),
		cmocka_unit_test(no_reply_to_the_subscription),
		cmocka_unit_test(once),
		cmocka_unit_test(the_shortest_way_counts),
		cmocka_unit_test(a_clock_that_is_off),
		cmocka_unit_test(a_timestamp_is_refused),
		cmocka_unit_test(a_key_is_kept),
		cmocka_unit_test(a_key_that_cannot_be_kept),
		cmocka_unit_test(an_odd_key),
		cmocka_unit_test(a_key_expires),
		cmocka_unit_test(a_connection_is_lost),
		cmocka_unit_test(a_connection_is_replaced),
		cmocka_unit_test(the_successor_is_too_late),
		cmocka_unit_test(silence),
		cmocka_unit_test(refused_connections),
		cmocka_unit_test(spot_logon_is_refused),
		cmocka_unit_test(messages_that_are_none),
		cmocka_unit_test(the_connection_budget),
		cmocka_unit_test(refused_requests),
		cmocka_unit_test(stays_away),
		cmocka_unit_test(malformed_snapshots),
		cmocka_unit_test(checks),
		cmocka_unit_test(a_dead_connection_looks_like_a_quiet_account),
		cmocka_unit_test(a_check_that_fails),
		cmocka_unit_test(nobody_reads),
		cmocka_unit_test(too_many_events_wait),
		cmocka_unit_test(the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
