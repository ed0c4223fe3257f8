/* lib/hub: what late comers, slow readers and readers with a rate get, and what is counted; at last random runs against a
 * model */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "hub.h"

#define MS 1000LL
#define SECOND (1000 * MS)
#define WALL0 1790526538000000LL
#define ALL SIZE_MAX

static struct hub *h;
static int64_t now;

/* a reader that takes as many bytes as it is told to */
struct reader {
	struct hub_reader *r; /* NULL: it is over */
	size_t room;
	bool gone;
	bool done;
	bool forgets; /* what it has got, at once */
	size_t calls;
	char got[1 << 16];
	size_t n;
};
static struct reader one, two, three;

static ssize_t on_send(void *user, const struct iovec *iov, int n)
{
	struct reader *r = user;
	size_t k = 0;

	r->calls++;
	assert_true(n > 0 && n <= HUB_IOV_MAX);
	if (r->gone)
		return -1;
	for (int i = 0; i < n && r->room > 0; i++) {
		size_t part = iov[i].iov_len < r->room ? iov[i].iov_len : r->room;
		assert_true(iov[i].iov_len > 0 && r->n + part < sizeof r->got);
		memcpy(r->got + r->n, iov[i].iov_base, part);
		r->n += part;
		r->room -= r->room == ALL ? 0 : part;
		k += part;
		if (part < iov[i].iov_len)
			break;
	}
	r->n = r->forgets ? 0 : r->n;
	r->got[r->n] = '\0';
	return (ssize_t)k;
}

static void on_done(void *user)
{
	struct reader *r = user;

	assert_non_null(r->r);
	hub_reader_free(h, r->r);
	r->r = NULL;
	r->done = true;
}

static struct hub_options options(void)
{
	return (struct hub_options){ .history = 3, .queue = 4096, .max_line = 1 << 20, .stale = 5 * SECOND,
		.send = on_send, .done = on_done };
}

static void begin(struct hub_options o)
{
	hub_free(h);
	h = hub_new(&o);
	assert_non_null(h);
	now = 1000 * SECOND;
	memset(&one, 0, sizeof one);
	memset(&two, 0, sizeof two);
	memset(&three, 0, sizeof three);
}

static int start(void **state)
{
	(void)state;
	begin(options());
	return 0;
}

static int end(void **state)
{
	(void)state;
	hub_free(h);
	h = NULL;
	return 0;
}

static int64_t wall(void)
{
	return WALL0 + now;
}

static bool offer(const char *text, const char **why, size_t *at)
{
	static char line[(1 << 20) + 256];
	size_t n = strlen(text);

	assert_true(n + 128 < sizeof line);
	memcpy(line, text, n);
	line[n] = '\n';
	return hub_line(h, (struct span){ line, n }, now, wall(), why, at);
}

static void put(const char *text)
{
	const char *why;
	size_t at;

	assert_true(offer(text, &why, &at));
}

static void pump(void)
{
	hub_pump(h, now, wall());
}

static void give(const char *text)
{
	put(text);
	pump();
}

static void join(struct reader *r, unsigned rate, size_t room)
{
	r->room = room;
	r->r = hub_reader_new(h, rate, r, now, wall());
	assert_non_null(r->r);
	hub_reader_pump(h, r->r, now);
}

static void takes(struct reader *r, size_t room)
{
	r->room = room;
	hub_reader_pump(h, r->r, now);
}

static void forget(struct reader *r)
{
	r->n = 0;
	r->got[0] = '\0';
}

static void says(struct reader *r, const char *expected)
{
	assert_string_equal(r->got, expected);
	forget(r);
}

/* a status record of the hub at this moment */
static char *status(const char *state, const char *detail)
{
	static char text[4][512];
	static size_t at;
	char *p = text[at++ % 4];

	snprintf(p, sizeof text[0], "{\"type\":\"status\",\"state\":\"%s\",\"ts\":%lld,\"detail\":\"%s\"}\n", state,
	    (long long)(wall() / 1000), detail);
	return p;
}

#define LIVE  status("live", "from here on as it comes")
#define FIRST status("connecting", "from here on as it comes; no price has come yet")

/* what a reader has got, with LIVE or another border in it */
static char *joined(const char *before, const char *border, const char *behind)
{
	static char text[1 << 16];

	snprintf(text, sizeof text, "%s%s%s", before, border, behind);
	return text;
}

#define PRICE(pair, n) "{\"type\":\"price_update\",\"pair\":\"" pair "\",\"n\":" #n "}"
#define TRADE(pair, n) "{\"type\":\"trade_executed\",\"pair\":\"" pair "\",\"n\":" #n "}"
#define EQUITY(asset, ts) "{\"type\":\"equity_snapshot\",\"asset\":\"" asset "\",\"ts\":" #ts "}"
#define END(text) text "\n"

/* ------------------------------------------------------------------------------------------------ what is given */

static void lines_come_as_they_are_in_order(void **state)
{
	static const char *const lines[] = { " { \"a\" : [1, 2.50, \"\\u00e9é\"] } \t\r", "{}", PRICE("A", 1), PRICE("A", 2),
		"{\"type\":5}", "{\"type\":\"heartbeat\"}", TRADE("A", 3), PRICE("A", 4) };
	char expected[1024] = "";

	(void)state;
	join(&one, 0, ALL), join(&two, 0, ALL);
	says(&one, FIRST), says(&two, FIRST);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		put(lines[i]);
		strcat(strcat(expected, lines[i]), "\n");
		if (i % 3 == 2)
			pump();
	}
	pump();
	says(&one, expected), says(&two, expected);
	assert_int_equal(hub_counters(h)->conflated, 0);
}

/* several lines are one call of send, for each reader */
static void a_batch_is_given_in_one_piece(void **state)
{
	(void)state;
	join(&one, 0, ALL);
	one.calls = 0;
	put(PRICE("A", 1)), put(TRADE("A", 2)), put(PRICE("A", 3));
	assert_true(hub_due(h) <= now);
	pump();
	assert_int_equal(one.calls, 1);
	assert_int_equal(hub_due(h), INT64_MAX);
	pump();
	assert_int_equal(one.calls, 1);
}

/* the more readers, the longer lines are gathered, up to 20 ms; the first after silence goes at once */
static void many_readers_get_larger_batches(void **state)
{
	static struct reader more[300];
	int64_t due = 0;

	(void)state;
	for (size_t n = 0; n < 300; n++) {
		more[n].forgets = n > 0;
		join(&more[n], 0, ALL);
		now += SECOND;
		forget(&more[0]);
		give(PRICE("A", 1));
		says(&more[0], PRICE("A", 1) "\n");
		put(PRICE("A", 2)), put(TRADE("A", 3)), put(PRICE("A", 4));
		assert_true(hub_due(h) >= due || n == 0);
		assert_true(n >= 3 || hub_due(h) <= now);
		due = hub_due(h) - now;
		assert_true(due <= 20 * MS);
		more[0].calls = 0;
		pump();
		assert_true(due == 0 || more[0].n == 0);
		now += due;
		pump();
		assert_int_equal(more[0].calls, 1);
		says(&more[0], PRICE("A", 2) "\n" TRADE("A", 3) "\n" PRICE("A", 4) "\n");
	}
	assert_int_equal(due, 20 * MS);
	/* 32 KiB wait for no more */
	for (unsigned i = 0; more[0].n == 0; i++) {
		assert_true(i < 2000);
		give(TRADE("A", 5));
	}
	assert_true(more[0].n > 30000);
	for (size_t n = 0; n < 300; n++)
		hub_reader_free(h, more[n].r);
}

static void a_late_comer_gets_the_newest_of_each(void **state)
{
	(void)state;
	give(PRICE("A", 1)), give(TRADE("A", 2)), give(PRICE("B", 3)), give("{\"type\":\"heartbeat\",\"n\":4}");
	give(PRICE("A", 5)), give("{\"type\":\"heartbeat\",\"n\":6}"), give("{\"type\":\"new\",\"n\":7}"), give("{\"n\":8}");
	join(&one, 0, ALL);
	give(PRICE("A", 9));
	says(&one,
	    joined(PRICE("A", 5) "\n" TRADE("A", 2) "\n" PRICE("B", 3) "\n"
								       "{\"type\":\"heartbeat\",\"n\":6}\n{\"type\":\"new\",\"n\":7}\n",
		LIVE, PRICE("A", 9) "\n"));
}

/* each of them makes a line another line's neighbour, not its successor */
static void what_a_key_is_made_of(void **state)
{
	static const char *const lines[] = {
		"{\"type\":\"price_update\"}",
		"{\"type\":\"price_update\",\"pair\":\"A\"}",
		"{\"type\":\"price_update\",\"pair\":\"A\",\"market\":\"usdm\"}",
		"{\"type\":\"price_update\",\"pair\":\"A\",\"market\":\"spot\"}",
		"{\"type\":\"price_update\",\"pair\":\"A\",\"source\":\"book\"}",
		"{\"type\":\"price_update\",\"pair\":\"A\",\"source\":\"kline\",\"interval\":\"1m\"}",
		"{\"type\":\"price_update\",\"pair\":\"A\",\"source\":\"kline\",\"interval\":\"5m\"}",
		"{\"type\":\"position_update\",\"pair\":\"A\",\"positionSide\":\"LONG\"}",
		"{\"type\":\"position_update\",\"pair\":\"A\",\"positionSide\":\"SHORT\"}",
		"{\"type\":\"balance_update\",\"asset\":\"USDT\"}",
		"{\"type\":\"balance_update\",\"asset\":\"BNB\"}",
		"{\"type\":\"status\",\"state\":\"live\",\"stream\":\"a@trade\"}",
		"{\"type\":\"status\",\"state\":\"live\",\"stream\":\"b@trade\"}",
	};
	char expected[2048] = "";

	(void)state;
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
			give(lines[i]);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		strcat(strcat(expected, lines[i]), "\n");
	join(&one, 0, ALL);
	says(&one, joined(expected, LIVE, ""));
}

static void what_a_key_is_not_made_of(void **state)
{
	(void)state;
	give("{\"type\":\"price_update\",\"symbol\":\"S\",\"pair\":\"SX\",\"n\":1}");
	give("{\"type\":\"price_update\",\"symbol\":\"T\",\"pair\":\"SX\",\"n\":2}");
	/* without a pair it is the symbol */
	give("{\"type\":\"price_update\",\"symbol\":\"SX\",\"n\":3}"), give("{\"type\":\"price_update\",\"symbol\":\"S\",\"n\":4}");
	/* of a status record the source is where it comes from */
	give("{\"type\":\"status\",\"source\":\"demo\",\"n\":5}"), give("{\"type\":\"status\",\"source\":\"live\",\"n\":6}");
	/* the same name, written otherwise */
	give("{\"type\":\"price_upd\\u0061te\",\"symbol\":\"S\",\"n\":7}");
	join(&one, 0, ALL);
	assert_non_null(strstr(one.got, "\"n\":3}\n{\"type\":\"price_upd\\u0061te\",\"symbol\":\"S\",\"n\":7}\n"
					"{\"type\":\"status\",\"source\":\"live\",\"n\":6}\n"));
	assert_null(strstr(one.got, "\"n\":1}"));
	assert_null(strstr(one.got, "\"n\":2}"));
	assert_null(strstr(one.got, "\"n\":4}"));
	assert_null(strstr(one.got, "\"n\":5}"));
}

/* such lines are kept, and told apart by nobody */
static void what_has_no_key_is_kept_and_not_remembered(void **state)
{
	static char lines[9][512];
	char name[200], expected[4096] = "";

	(void)state;
	memset(name, 'x', sizeof name);
	name[129] = '\0';
	for (size_t i = 0; i < 2; i++)
		snprintf(lines[i], sizeof lines[i], "{\"type\":\"price_update\",\"pair\":\"%s%zu\"}", name, i);
	snprintf(lines[2], sizeof lines[2], "{\"type\":\"%s\"}", name);
	snprintf(lines[3], sizeof lines[3], "{\"type\":\"price_update\",\"symbol\":\"a\\u000ab\"}");
	snprintf(lines[4], sizeof lines[4], "{\"type\":\"price_update\",\"symbol\":\"a\\\"b\"}");
	snprintf(lines[5], sizeof lines[5], "{\"type\":\"price_update\",\"pair\":\"P\",\"market\":7}");
	snprintf(lines[6], sizeof lines[6], "{\"type\":\"equity_snapshot\",\"asset\":null}");
	snprintf(lines[7], sizeof lines[7], "{\"type\":\"\",\"pair\":\"P\"}");
	snprintf(lines[8], sizeof lines[8], "{\"type\":[\"price_update\"],\"pair\":\"P\"}");
	join(&one, 0, 0);
	for (size_t round = 0; round < 2; round++)
		for (size_t i = 0; i < 9; i++) {
			give(lines[i]);
			strcat(strcat(expected, lines[i]), "\n");
		}
	takes(&one, ALL);
	says(&one, joined(FIRST, "", expected));
	assert_int_equal(hub_counters(h)->conflated, 0);
	join(&two, 0, ALL);
	says(&two, LIVE);
}

/* names as long as they may be, in every part: room for all of them */
static void the_longest_names(void **state)
{
	static const char *const keys[] = { "type", "market", "pair", "source", "positionSide", "asset", "stream", "interval" };
	char line[2048] = "{", name[EVENT_NAME_MAX + 1];

	(void)state;
	memset(name, 'x', sizeof name);
	name[EVENT_NAME_MAX] = '\0';
	for (size_t i = 0; i < 8; i++)
		snprintf(line + strlen(line), sizeof line - strlen(line), "%s\"%s\":\"%s\"", i ? "," : "", keys[i], name);
	strcat(line, "}");
	give(line), give(line);
	join(&one, 0, ALL);
	strcat(line, "\n");
	says(&one, joined(line, FIRST, ""));
}

static void keys_beyond_the_cap_are_passed_on_and_not_remembered(void **state)
{
	struct hub_options o = options();
	char line[128];

	(void)state;
	o.queue = 1 << 20;
	begin(o);
	for (unsigned i = 0; i < HUB_KEYS_MAX; i++) {
		snprintf(line, sizeof line, "{\"type\":\"price_update\",\"pair\":\"P%u\"}", i);
		give(line);
	}
	join(&one, 5, 0);
	give(PRICE("X", 1)), give(PRICE("X", 2)), give(PRICE("P7", 3)), give(PRICE("P7", 4));
	now += SECOND;
	pump();
	size_t bytes = 0, lines = 0;
	bool has_x = false;
	while (one.r && bytes < 1 << 22) {
		size_t before = one.n;
		takes(&one, 30000);
		bytes += one.n - before;
		has_x |= strstr(one.got, "\"X\"") != NULL;
		for (size_t i = before; i < one.n; i++)
			lines += one.got[i] == '\n';
		if (one.n == before)
			break;
		if (lines <= HUB_KEYS_MAX)
			forget(&one);
	}
	assert_true(has_x);
	/* both of X, which are kept now, and the newer one of P7 when that is due */
	assert_int_equal(lines, HUB_KEYS_MAX + 1 + 2 + 1);
	assert_non_null(strstr(one.got, PRICE("X", 1) "\n" PRICE("X", 2) "\n"));
	assert_null(strstr(one.got, PRICE("P7", 3)));
	size_t at = 0, streams = 0;
	for (struct hub_stream s; hub_stream(h, &at, now, &s);)
		streams++;
	assert_int_equal(streams, HUB_KEYS_MAX);
}

/* ---------------------------------------------------------------------------------------------------- the border */

static void the_border_says_how_the_stream_is(void **state)
{
	(void)state;
	join(&one, 0, ALL);
	says(&one, FIRST);
	hub_reader_free(h, one.r);
	give(PRICE("A", 1));
	now += 5 * SECOND;
	join(&one, 0, ALL);
	says(&one, joined(END(PRICE("A", 1)), LIVE, ""));
	hub_reader_free(h, one.r);
	now += 1;
	join(&one, 0, ALL);
	says(&one, joined(END(PRICE("A", 1)), status("stale", "from here on as it comes; prices are old"), ""));
	hub_end(h, true, "end", "over", now, wall());
	says(&one, status("end", "over"));
	join(&two, 0, ALL);
	says(&two,
	    joined(END(PRICE("A", 1)), status("end", "the stream has ended: nothing comes any more"), ""));
}

/* lines that wait for the next pump, or for a rate, are known to one who joins now */
static void who_joins_in_between_gets_nothing_twice(void **state)
{
	(void)state;
	put(PRICE("A", 1)), put(TRADE("A", 2)), put(PRICE("B", 3));
	join(&one, 0, ALL);
	put(PRICE("A", 4));
	join(&two, 0, ALL);
	put(TRADE("A", 5)), put(PRICE("A", 6)), put(PRICE("A", 7));
	join(&three, 0, ALL);
	forget(&three);
	pump();
	/* nor does one that keeps up miss a line */
#define BEHIND TRADE("A", 5) "\n" PRICE("A", 6) "\n" PRICE("A", 7) "\n"
	says(&one, joined(PRICE("A", 1) "\n" TRADE("A", 2) "\n" PRICE("B", 3) "\n", LIVE, PRICE("A", 4) "\n" BEHIND));
	says(&two, joined(PRICE("A", 4) "\n" TRADE("A", 2) "\n" PRICE("B", 3) "\n", LIVE, BEHIND));
	says(&three, "");
	assert_int_equal(hub_counters(h)->conflated, 0);
}

/* a snapshot that is not taken yet stays what it was, and what has come since follows it */
static void a_snapshot_is_of_one_moment(void **state)
{
	(void)state;
	give(PRICE("A", 1)), give(PRICE("B", 2));
	join(&one, 0, 10);
	give(PRICE("A", 3)), give(PRICE("A", 4));
	const char *border = LIVE;
	takes(&one, ALL);
	says(&one, joined(PRICE("A", 1) "\n" PRICE("B", 2) "\n", border, PRICE("A", 4) "\n"));
}

/* ------------------------------------------------------------------------------------------------------- history */

static void the_last_snapshots_of_equity(void **state)
{
	(void)state;
	give(EQUITY("U", 1)), give(EQUITY("U", 2)), give(EQUITY("U", 3)), give(EQUITY("U", 4)), give(EQUITY("U", 5));
	join(&one, 0, ALL);
	says(&one, joined(EQUITY("U", 3) "\n" EQUITY("U", 4) "\n" EQUITY("U", 5) "\n", FIRST, ""));
}

static void without_history_it_is_the_newest(void **state)
{
	struct hub_options o = options();

	(void)state;
	o.history = 0;
	begin(o);
	give(EQUITY("U", 1)), give(EQUITY("V", 2)), give(EQUITY("U", 3));
	join(&one, 0, ALL);
	says(&one, joined(EQUITY("U", 3) "\n" EQUITY("V", 2) "\n", FIRST, ""));
}

static void history_in_steps_and_the_newest_behind_it(void **state)
{
	struct hub_options o = options();

	(void)state;
	o.history_step = 1000;
	begin(o);
	give(EQUITY("U", 1000)), give(EQUITY("U", 1999)), give(EQUITY("U", 2000)), give(EQUITY("U", 2500));
	join(&one, 0, ALL);
	says(&one, joined(EQUITY("U", 1000) "\n" EQUITY("U", 2000) "\n" EQUITY("U", 2500) "\n", FIRST, ""));
	/* the newest may be one of them, time may go back, and a line without a time is taken */
	give(EQUITY("U", 3100)), give(EQUITY("U", 50)), give("{\"type\":\"equity_snapshot\",\"asset\":\"U\"}");
	join(&two, 0, ALL);
	says(&two,
	    joined(EQUITY("U", 3100) "\n" EQUITY("U", 50) "\n{\"type\":\"equity_snapshot\",\"asset\":\"U\"}\n", FIRST, ""));
}

/* the steps of one asset are not another's, and one that is older than the history is not forgotten */
static void history_of_several_assets(void **state)
{
	struct hub_options o = options();

	(void)state;
	o.history_step = 1000;
	begin(o);
	give(EQUITY("U", 1000)), give(EQUITY("V", 1001)), give(EQUITY("U", 1500)), give(EQUITY("V", 1501));
	join(&one, 0, ALL);
	says(&one,
	    joined(EQUITY("U", 1000) "\n" EQUITY("V", 1001) "\n" EQUITY("U", 1500) "\n" EQUITY("V", 1501) "\n", FIRST, ""));
	give(EQUITY("U", 3000)), give(EQUITY("U", 4000)), give(EQUITY("U", 5000));
	join(&two, 0, ALL);
	says(&two,
	    joined(EQUITY("U", 3000) "\n" EQUITY("U", 4000) "\n" EQUITY("U", 5000) "\n" EQUITY("V", 1501) "\n", FIRST, ""));
}

/* -------------------------------------------------------------------------------------------------- slow readers */

static void a_slow_reader_gets_the_newest_in_the_place_of_the_first(void **state)
{
	(void)state;
	join(&one, 0, ALL), join(&two, 0, ALL);
	forget(&one);
	one.room = 0;
	give(PRICE("A", 1)), give(TRADE("A", 2)), give(PRICE("B", 3)), give(PRICE("A", 4)), give(TRADE("A", 5));
	give(EQUITY("U", 6)), give(PRICE("A", 7)), give(EQUITY("U", 8)), give("{\"n\":9}");
	says(&one, "");
	takes(&one, ALL);
	says(&one,
	    PRICE("A", 7) "\n" TRADE("A", 2) "\n" PRICE("B", 3) "\n" TRADE("A", 5) "\n" EQUITY("U", 8) "\n{\"n\":9}\n");
	assert_int_equal(hub_counters(h)->conflated, 3);
	/* and then again each of them */
	give(PRICE("A", 10)), give(PRICE("A", 11));
	says(&one, PRICE("A", 10) "\n" PRICE("A", 11) "\n");
	assert_int_equal(hub_counters(h)->conflated, 3);
	assert_non_null(strstr(two.got, PRICE("A", 1) "\n" TRADE("A", 2) "\n" PRICE("B", 3) "\n" PRICE("A", 4) "\n"));
}

/* one batch with a price twice, of which a reader takes the first, a part of it, or nothing */
static void conflation_begins_inside_a_batch(void **state)
{
	const size_t n = strlen(END(PRICE("A", 1)));

	(void)state;
	join(&one, 0, ALL), join(&two, 0, ALL), join(&three, 0, ALL);
	forget(&one), forget(&two), forget(&three);
	one.room = 0, two.room = 5, three.room = n;
	put(PRICE("A", 1)), put(TRADE("A", 2)), put(PRICE("A", 3)), put(PRICE("A", 4));
	pump();
	takes(&one, ALL), takes(&two, ALL), takes(&three, ALL);
	says(&one, PRICE("A", 4) "\n" TRADE("A", 2) "\n");
	says(&two, PRICE("A", 1) "\n" TRADE("A", 2) "\n" PRICE("A", 4) "\n");
	says(&three, PRICE("A", 1) "\n" TRADE("A", 2) "\n" PRICE("A", 4) "\n");
	assert_int_equal(hub_counters(h)->conflated, 2 + 1 + 1);
}

/* a newer line that nobody has been given yet is not given before its time, and so not twice */
static void a_line_that_is_not_due_yet_comes_once(void **state)
{
	(void)state;
	join(&one, 0, ALL);
	forget(&one);
	one.room = 0;
	give(PRICE("A", 1));
	put(PRICE("A", 2));
	takes(&one, ALL);
	pump();
	says(&one, PRICE("A", 1) "\n" PRICE("A", 2) "\n");
}

/* whatever it takes at a time: lines are whole, kept ones complete, the last price is the newest */
static void bites_of_every_size(void **state)
{
	static const char *const tail = TRADE("A", 4) "\n" PRICE("A", 5) "\n";

	(void)state;
	for (size_t bite = 1; bite < 200; bite++) {
		begin(options());
		give(PRICE("B", 1));
		join(&one, 0, bite);
		for (size_t i = 0; i < 3; i++) {
			put(TRADE("A", 2)), put(PRICE("A", 3)), put(PRICE("B", 3));
			pump();
			takes(&one, bite);
		}
		put(TRADE("A", 4)), put(PRICE("A", 5));
		pump();
		size_t trades = 0, lines = 0;
		for (size_t before = one.n + 1; before != one.n;) {
			before = one.n;
			takes(&one, bite);
		}
		for (const char *p = one.got; *p; p = strchr(p, '\n') + 1) {
			assert_non_null(strchr(p, '\n'));
			trades += strncmp(p, TRADE("A", 2) "\n", strlen(END(TRADE("A", 2)))) == 0;
			lines++;
			assert_true(*p == '{' && strchr(p, '\n')[-1] == '}');
		}
		assert_int_equal(trades, 3);
		assert_true(lines >= 2 + 3 + 2);
		assert_true(strcmp(one.got + one.n - strlen(tail), tail) == 0 || strstr(one.got, PRICE("A", 5) "\n"));
	}
}

static void a_reader_that_has_gone_is_done(void **state)
{
	(void)state;
	join(&one, 0, ALL), join(&two, 0, ALL), join(&three, 0, 3);
	one.gone = three.gone = true;
	give(PRICE("A", 1));
	assert_true(one.done && !two.done && !three.done);
	assert_non_null(strstr(two.got, PRICE("A", 1)));
	takes(&three, ALL);
	assert_true(three.done);
	assert_int_equal(hub_readers(h), 1);
}

/* --------------------------------------------------------------------------------------------------- cutting off */

#define CUT "cut off: more than 4096 bytes of lines that must not be left out were not taken"

static void who_leaves_too_much_is_cut_off(void **state)
{
	size_t n = 0;

	(void)state;
	join(&one, 0, ALL), join(&two, 0, ALL);
	forget(&one);
	one.room = 5;
	for (; hub_counters(h)->cut == 0; n++) {
		give(TRADE("A", 1)), give(PRICE("A", 2));
		assert_false(one.done);
	}
	/* what a line costs besides its own bytes counts, what conflates does not */
	assert_int_equal(n, 1 + 4096 / (strlen(END(TRADE("A", 1))) + 64) + 1);
	now += 3 * SECOND;
	int64_t cut = now;
	give(TRADE("A", 9)), give(PRICE("A", 9));
	now = cut - 3 * SECOND;
	const char *word = status("end", CUT);
	now = cut;
	takes(&one, ALL);
	/* the line that had begun is finished, and then there is a last word */
	says(&one, joined(END(TRADE("A", 1)), word, ""));
	assert_true(one.done);
	assert_int_equal(hub_readers(h), 1);
	assert_int_equal(hub_counters(h)->cut, 1);
	give(PRICE("A", 10));
	assert_non_null(strstr(two.got, PRICE("A", 10)));
	assert_false(two.done);
}

static void the_last_word_is_not_waited_for_long(void **state)
{
	(void)state;
	join(&one, 0, 0);
	assert_int_equal(hub_reader_deadline(one.r), INT64_MAX);
	while (hub_counters(h)->cut == 0)
		give(TRADE("A", 1));
	assert_int_equal(hub_reader_deadline(one.r), now + HUB_CUT_US);
	now += HUB_CUT_US - 1;
	takes(&one, 3);
	assert_false(one.done);
	/* neither does the end of the input prolong it */
	int64_t due = hub_reader_deadline(one.r);
	join(&two, 0, ALL);
	hub_end(h, false, "end", "over", now, wall());
	assert_int_equal(hub_reader_deadline(one.r), due);
	now += 1;
	takes(&one, 3);
	assert_true(one.done);
}

/* prices of many keys, a snapshot, history: none of it counts */
static void what_conflates_and_the_snapshot_cut_nobody_off(void **state)
{
	struct hub_options o = options();
	char line[256];

	(void)state;
	o.history = 1000;
	begin(o);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof line, "{\"type\":\"trade_executed\",\"pair\":\"P%u\"}", i);
		give(line);
		snprintf(line, sizeof line, "{\"type\":\"equity_snapshot\",\"ts\":%u}", i);
		give(line);
	}
	join(&one, 0, 0);
	for (unsigned i = 0; i < 200; i++) {
		snprintf(line, sizeof line, "{\"type\":\"price_update\",\"pair\":\"P%u\"}", i);
		give(line), give(line);
	}
	assert_int_equal(hub_counters(h)->cut, 0);
	takes(&one, ALL);
	size_t lines = 0;
	for (size_t i = 0; i < one.n; i++)
		lines += one.got[i] == '\n';
	assert_int_equal(lines, 100 + 100 + 1 + 200);
}

/* --------------------------------------------------------------------------------------------------------- rates */

static void a_rate_is_kept_at_the_leading_edge(void **state)
{
	(void)state;
	join(&one, 10, ALL);
	forget(&one);
	/* the first at once, then the newest of each in each tenth of a second, in the order in which they first came */
	give(PRICE("A", 1));
	says(&one, PRICE("A", 1) "\n");
	give(PRICE("B", 2)), give(PRICE("A", 3)), give(PRICE("B", 4)), give(EQUITY("U", 5)), give(EQUITY("U", 6));
	says(&one, "");
	assert_int_equal(hub_due(h), now + 100 * MS);
	now += 100 * MS - 1;
	pump();
	says(&one, "");
	now += 1;
	pump();
	says(&one, PRICE("B", 4) "\n" PRICE("A", 3) "\n" EQUITY("U", 6) "\n");
	assert_int_equal(hub_due(h), INT64_MAX);
	assert_int_equal(hub_counters(h)->conflated, 2);
	/* and again at once after silence */
	now += 100 * MS;
	give(PRICE("A", 7));
	says(&one, PRICE("A", 7) "\n");
}

static void kept_lines_do_not_wait_for_a_rate(void **state)
{
	(void)state;
	join(&one, 1, ALL);
	forget(&one);
	give(PRICE("A", 1)), give(PRICE("A", 2)), give(TRADE("A", 3)), give("{\"n\":4}"), give("{\"type\":\"heartbeat\"}");
	says(&one, PRICE("A", 1) "\n" TRADE("A", 3) "\n{\"n\":4}\n{\"type\":\"heartbeat\"}\n");
	now += SECOND;
	pump();
	says(&one, PRICE("A", 2) "\n");
}

static void never_more_often_than_asked(void **state)
{
	static const unsigned rates[] = { 1, 3, 7, 30, 60, 144, 300, 999, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		begin(options());
		join(&one, rates[i], ALL);
		int64_t from = now;
		unsigned n = 0;
		for (; now < from + SECOND; now += 37) {
			forget(&one);
			give(PRICE("A", 1));
			n += one.n > 0;
		}
		assert_true(n <= rates[i] && n >= rates[i] - rates[i] / 10 - 1);
	}
}

static void rates_do_not_disturb_each_other(void **state)
{
	(void)state;
	join(&one, 0, ALL), join(&two, 10, ALL), join(&three, 2, ALL);
	forget(&one), forget(&two), forget(&three);
	give(PRICE("A", 1)), give(PRICE("A", 2));
	now += 100 * MS;
	give(PRICE("A", 3));
	now += 400 * MS;
	pump();
	says(&one, PRICE("A", 1) "\n" PRICE("A", 2) "\n" PRICE("A", 3) "\n");
	says(&two, PRICE("A", 1) "\n" PRICE("A", 3) "\n");
	says(&three, PRICE("A", 1) "\n" PRICE("A", 3) "\n");
}

/* who joins while others wait for their turn has what they wait for in its snapshot */
static void joining_while_a_rate_waits(void **state)
{
	(void)state;
	join(&one, 10, ALL);
	give(PRICE("A", 1)), give(PRICE("A", 2)), give(PRICE("B", 3));
	forget(&one);
	join(&two, 10, ALL);
	says(&two, joined(PRICE("A", 2) "\n" PRICE("B", 3) "\n", LIVE, ""));
	give(PRICE("B", 4));
	now += 100 * MS;
	pump();
	says(&one, PRICE("A", 2) "\n" PRICE("B", 4) "\n");
	says(&two, PRICE("B", 4) "\n");
}

/* slow, and with a rate: what is not due yet is not taken out of turn, and comes once */
static void a_slow_reader_with_a_rate(void **state)
{
	(void)state;
	join(&one, 10, ALL);
	forget(&one);
	one.room = 0;
	give(PRICE("A", 1));
	give(PRICE("A", 2)), give(PRICE("B", 3));
	takes(&one, ALL);
	says(&one, PRICE("A", 1) "\n");
	one.room = 0;
	now += 100 * MS;
	pump();
	give(PRICE("A", 4));
	now += 100 * MS;
	pump();
	give(PRICE("A", 5));
	takes(&one, ALL);
	says(&one, PRICE("A", 4) "\n" PRICE("B", 3) "\n");
	now += 100 * MS;
	pump();
	says(&one, PRICE("A", 5) "\n");
	assert_int_equal(hub_counters(h)->conflated, 1);
}

static void there_is_room_for_so_many_rates_and_always_for_none(void **state)
{
	struct hub_reader *r[HUB_RATES_MAX];

	(void)state;
	for (unsigned i = 0; i < HUB_RATES_MAX; i++)
		assert_non_null(r[i] = hub_reader_new(h, 1 + i, &two, now, wall()));
	assert_null(hub_reader_new(h, 100, &two, now, wall()));
	join(&three, 0, ALL);
	struct hub_reader *again = hub_reader_new(h, 5, &two, now, wall());
	assert_non_null(again);
	hub_reader_free(h, again);
	hub_reader_free(h, r[3]);
	assert_non_null(hub_reader_new(h, 100, &two, now, wall()));
	assert_int_equal(hub_readers(h), HUB_RATES_MAX + 1);
}

/* a rate that nobody has any more begins anew with its next reader */
static void a_rate_that_was_left_is_forgotten(void **state)
{
	(void)state;
	join(&one, 10, ALL);
	give(PRICE("A", 1)), give(PRICE("A", 2));
	hub_reader_free(h, one.r);
	assert_int_equal(hub_due(h), INT64_MAX);
	give(PRICE("A", 3));
	join(&two, 10, ALL);
	forget(&two);
	give(PRICE("A", 4));
	says(&two, PRICE("A", 4) "\n");
}

/* ----------------------------------------------------------------------------------------------------------- end */

static void at_the_end_readers_get_the_rest_and_are_done(void **state)
{
	(void)state;
	const char *first = FIRST;
	join(&one, 0, ALL), join(&two, 0, 5), join(&three, 1, ALL);
	give(PRICE("A", 1)), give(PRICE("A", 2)), put(TRADE("A", 3));
	forget(&one), forget(&three);
	hub_end(h, false, "end", "over", now, wall());
	const char *word = status("end", "over");
	says(&one, joined(END(TRADE("A", 3)), word, ""));
	/* what its rate has held back comes before the last word */
	says(&three, joined(TRADE("A", 3) "\n" PRICE("A", 2) "\n", word, ""));
	assert_true(one.done && three.done && !two.done);
	assert_int_equal(hub_reader_deadline(two.r), now + HUB_CUT_US);
	takes(&two, ALL);
	says(&two, joined(first, PRICE("A", 2) "\n" TRADE("A", 3) "\n", word));
	assert_true(two.done);
	assert_int_equal(hub_readers(h), 0);
	assert_int_equal(hub_health(h, now), HUB_DOWN);
}

/* a reader that has left as much as it may is not cut off for the last word */
static void the_end_cuts_nobody_off(void **state)
{
	(void)state;
	join(&one, 0, 0);
	for (size_t bytes = 0; bytes + strlen(END(TRADE("A", 1))) + 64 <= 4096; bytes += strlen(END(TRADE("A", 1))) + 64)
		give(TRADE("A", 1));
	assert_int_equal(hub_counters(h)->cut, 0);
	hub_end(h, false, "end", "over", now, wall());
	takes(&one, ALL);
	assert_non_null(strstr(one.got, status("end", "over")));
	assert_int_equal(hub_counters(h)->cut, 0);
}

static void who_takes_nothing_at_the_end_is_not_waited_for(void **state)
{
	(void)state;
	join(&one, 0, 0);
	hub_end(h, false, "end", "over", now, wall());
	assert_false(one.done);
	now += HUB_CUT_US;
	takes(&one, 1);
	assert_true(one.done);
}

static void lingering(void **state)
{
	(void)state;
	join(&one, 0, ALL);
	give(PRICE("A", 1));
	hub_end(h, true, "end", "over", now, wall());
	assert_false(one.done);
	assert_int_equal(hub_reader_deadline(one.r), INT64_MAX);
	join(&two, 20, ALL);
	assert_non_null(strstr(two.got, PRICE("A", 1) "\n{\"type\":\"status\",\"state\":\"end\""));
	forget(&one), forget(&two);
	hub_end(h, false, "connecting", "going", now, wall());
	says(&one, status("connecting", "going")), says(&two, status("connecting", "going"));
	assert_true(one.done && two.done);
}

/* ------------------------------------------------------------------------------------------------ what is refused */

static void what_is_no_object_is_refused(void **state)
{
	static const char *const lines[] = { "", "x", "[]", "{", "{} {}", "{\"a\":1,}", "{\"a\":\"\x80\"}", "\xef\xbb\xbf{}" };
	const char *why;
	size_t at;

	(void)state;
	join(&one, 0, ALL);
	forget(&one);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		why = NULL;
		assert_false(offer(lines[i], &why, &at));
		assert_non_null(why);
	}
	assert_false(offer("{\"a\":1 x}", &why, &at));
	assert_int_equal(at, 7);
	pump();
	says(&one, "");
	assert_int_equal(hub_counters(h)->refused, sizeof lines / sizeof lines[0] + 1);
}

static void a_line_that_is_too_long_is_told_of(void **state)
{
	static const char *const types[] = { "\"trade_executed\"", "\"\\u0001\"", "7",
		"\"ttttttttttttttttttttttttttttttttttttttt\xc3\xa9\"" };
	static const char *const said[] = { "trade_executed", "of no short type", "of no short type", "of no short type" };
	struct hub_options o = options();
	char line[2048], detail[256];

	(void)state;
	o.max_line = 1024;
	begin(o);
	give(TRADE("A", 1));
	join(&one, 0, ALL), join(&two, 1, ALL);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		snprintf(line, sizeof line, "{\"type\":%s,\"pair\":\"A\",\"x\":\"%0*d\"}", types[i],
		    (int)(1025 - strlen(types[i]) - 27), 0);
		forget(&one), forget(&two);
		give(line);
		snprintf(detail, sizeof detail, "a record of %zu bytes (%s) is left out: longer than 1024", strlen(line), said[i]);
		says(&one, status("gap", detail)), says(&two, status("gap", detail));
		assert_int_equal(strlen(line), 1024 + 1);
	}
	assert_int_equal(hub_counters(h)->too_long, 4);
	/* it is not what a late comer is told either */
	join(&three, 0, ALL);
	says(&three, joined(END(TRADE("A", 1)), FIRST, ""));
	snprintf(line, sizeof line, "{\"type\":\"new\",\"x\":\"%0*d\"}", 1024 - 21, 0);
	assert_int_equal(strlen(line), 1024);
	give(line);
	assert_memory_equal(three.got, line, 1024);
}

/* ------------------------------------------------------------------------------------------------------- counted */

static void counters_and_health(void **state)
{
	const struct hub_counters *c = hub_counters(h);
	char line[256];

	(void)state;
	assert_int_equal(hub_health(h, now), HUB_DOWN);
	assert_int_equal(hub_age(h, now), -1);
	join(&one, 0, ALL), join(&two, 0, ALL);
	for (size_t i = 0; i < HUB_BUCKETS; i++) {
		snprintf(line, sizeof line, "{\"type\":\"price_update\",\"ts\":%lld}", (long long)(wall() / 1000 - hub_latency_ms[i]));
		give(line);
	}
	give("{\"type\":\"price_update\",\"ts\":0}"), give("{\"type\":\"price_update\",\"ts\":9000000000000}");
	give("{\"type\":\"price_update\"}");
	for (size_t i = 0; i <= HUB_BUCKETS; i++)
		assert_int_equal(c->latency[i], i == 0 ? 2 : 1);
	assert_int_equal(c->in[EVENT_PRICE_UPDATE], HUB_BUCKETS + 3);
	give("{\"type\":\"status\",\"state\":\"gap\",\"source\":\"demo\"}"), give("{\"type\":\"status\",\"state\":\"connecting\"}");
	give("{\"type\":\"status\",\"state\":\"stale\",\"source\":\"a\\nb\"}"), give("{\"type\":\"status\",\"state\":\"live\"}");
	assert_int_equal(c->gaps, 1), assert_int_equal(c->reconnects, 1), assert_int_equal(c->stales, 1);
	assert_int_equal(c->in[EVENT_STATUS], 4);
	assert_int_equal(c->out[EVENT_STATUS], 2 * 4 + 2); /* and the borders */
	assert_int_equal(c->out[EVENT_PRICE_UPDATE], 2 * (HUB_BUCKETS + 3));
	assert_true(span_is(hub_source(h), "demo"));
	assert_int_equal(c->out_bytes, one.n + two.n);
	assert_int_equal(c->in_bytes, one.n - (size_t)(strchr(one.got, '\n') + 1 - one.got));
	assert_int_equal(c->readers_ever, 2);
	now += 5 * SECOND;
	assert_int_equal(hub_health(h, now), HUB_OK);
	assert_int_equal(hub_age(h, now), 5 * SECOND);
	assert_int_equal(hub_health(h, now + 1), HUB_STALE);
}

static void every_stream_has_an_age(void **state)
{
	struct hub_stream s;
	size_t at = 0;

	(void)state;
	give("{\"type\":\"heartbeat\"}");
	give("{\"type\":\"price_update\",\"pair\":\"A\",\"market\":\"usdm\",\"source\":\"kline\",\"interval\":\"1m\"}");
	now += 7;
	give("{\"type\":\"price_update\",\"symbol\":\"S\"}"), give(TRADE("A", 1));
	now += 5;
	assert_true(hub_stream(h, &at, now, &s));
	assert_true(span_is(s.name[HUB_MARKET], "usdm") && span_is(s.name[HUB_PAIR], "A"));
	assert_true(span_is(s.name[HUB_SOURCE], "kline") && span_is(s.name[HUB_INTERVAL], "1m"));
	assert_true(s.name[HUB_ASSET].n == 0 && s.age == 12);
	assert_true(hub_stream(h, &at, now, &s));
	assert_true(span_is(s.name[HUB_PAIR], "S") && s.name[HUB_MARKET].n == 0 && s.age == 5);
	assert_false(hub_stream(h, &at, now, &s));
}

/* ------------------------------------------------------------------------------------------------------- memory */

#ifndef __SANITIZE_ADDRESS__
static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* readers that have taken nothing of 1 MB of kept lines, and of as many prices */
static void a_line_is_in_memory_once(void **state)
{
	enum { READERS = 1000 };
	static struct reader *many;
	struct hub_options o = options();
	char line[2048];

	(void)state;
	o.queue = 4 << 20;
	begin(o);
	many = calloc(READERS, sizeof *many); /* 64 MB that are never touched but for their heads */
	size_t before = in_use();
	for (size_t i = 0; i < READERS; i++)
		join(&many[i], 0, ALL);
	size_t joined_all = in_use();
	/* 2 KiB of bits, 200 bytes of a reader */
	assert_true(joined_all - before < READERS * 3000);
	for (size_t i = 0; i < READERS; i++)
		many[i].room = 0;
	for (size_t i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "{\"type\":\"trade_executed\",\"n\":%zu,\"x\":\"%01000d\"}", i, 0);
		give(line);
		snprintf(line, sizeof line, "{\"type\":\"price_update\",\"n\":%zu,\"x\":\"%01000d\"}", i, 0);
		give(line);
	}
	/* a line of each of the 1000 once, and 16 bytes a reader and line */
	assert_true(in_use() - joined_all < (2 << 20) + (size_t)READERS * 1024 * 16 + (2 << 20));
	for (size_t i = 0; i < READERS; i++) {
		many[i].gone = true;
		takes(&many[i], 0);
	}
	assert_true(in_use() < before + (1 << 16));
	free(many);
}

/* a snapshot is long, and its queue is not kept for ever */
static void a_queue_that_was_long_is_given_back(void **state)
{
	struct hub_options o = options();
	char line[128];

	(void)state;
	o.history = 1000;
	begin(o);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(line, sizeof line, "{\"type\":\"equity_snapshot\",\"ts\":%u}", i);
		give(line);
	}
	join(&one, 0, ALL);
	size_t before = in_use();
	forget(&one);
	join(&two, 0, ALL);
	assert_true(in_use() - before < 4096);
}

/* malloc(3) that gives nothing from a call on: the lines are told as refused, no reader gets half of anything */
static unsigned long mallocs, mallocs_good = ULONG_MAX;
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t of);
void *__libc_realloc(void *p, size_t n);

static bool may_have(void)
{
	return mallocs_good == ULONG_MAX || mallocs++ < mallocs_good;
}

void *malloc(size_t n)
{
	return may_have() ? __libc_malloc(n) : NULL;
}

void *calloc(size_t n, size_t of)
{
	return may_have() ? __libc_calloc(n, of) : NULL;
}

void *realloc(void *p, size_t n)
{
	return may_have() ? __libc_realloc(p, n) : NULL;
}

static const char *const some_lines[] = { PRICE("A", 1), TRADE("A", 2), EQUITY("U", 3), PRICE("B", 4), "{\"n\":5}",
	PRICE("A", 6), PRICE("B", 7) };

/* what a reader got is lines, each of them at most once and in order, and all those that were not refused */
static void check_whole(const struct reader *r, const bool *refused)
{
	const char *p = r->got;

	for (size_t i = 0; i < sizeof some_lines / sizeof some_lines[0]; i++) {
		const char *found = strstr(p, some_lines[i]);
		if (!refused[i])
			assert_non_null(found);
		if (found)
			p = found + strlen(some_lines[i]);
	}
	for (p = r->got; *p; p = strchr(p, '\n') + 1)
		assert_true(*p == '{' && strchr(p, '\n') && strchr(p, '\n')[-1] == '}');
}

static void memory_runs_out(void **state)
{
	static struct reader slow;
	const char *why = NULL;
	size_t at;

	(void)state;
	for (unsigned long good = 0; good < 60; good++) {
		bool refused[sizeof some_lines / sizeof some_lines[0]];
		size_t n = 0;
		begin(options());
		memset(&slow, 0, sizeof slow);
		join(&one, 0, ALL), join(&two, 0, ALL), join(&slow, 10, ALL);
		forget(&one), forget(&two);
		two.room = 10;
		mallocs = 0;
		mallocs_good = good;
		for (size_t i = 0; i < sizeof some_lines / sizeof some_lines[0]; i++) {
			refused[i] = !offer(some_lines[i], &why, &at);
			n += refused[i];
			if (i % 3)
				pump();
		}
		three.r = hub_reader_new(h, 7, &three, now, wall());
		mallocs_good = ULONG_MAX;
		pump();
		assert_int_equal(hub_counters(h)->refused, n);
		check_whole(&one, refused);
		if (n)
			assert_string_equal(why, "no memory for it");
		/* a reader for whose queue there is none is cut off, and told so if that can be */
		if (two.r)
			takes(&two, ALL);
		assert_true(two.done == (hub_counters(h)->cut > 0));
		for (const char *p = two.got; *p; p = strchr(p, '\n') + 1)
			assert_true(*p == '{' && strchr(p, '\n') && strchr(p, '\n')[-1] == '}');
		now += SECOND;
		pump();
		hub_end(h, false, "end", "over", now, wall());
		for (const char *p = slow.got; *p; p = strchr(p, '\n') + 1)
			assert_true(*p == '{' && strchr(p, '\n') && strchr(p, '\n')[-1] == '}');
		assert_non_null(strstr(one.got, "\"over\""));
	}
}
#endif

/* ----------------------------------------------------------------------------- random runs against a model
 *
 * Readers come, take as many bytes as chance will have it, are stuck, and go; with and without a rate; while lines come of
 * a few keys, some to be kept. Each line has its number. Every byte that a reader gets is held against what it may get:
 * the snapshot of the moment in which it came, exactly; then lines that are whole, each at most once; of kept lines all,
 * in order, until it is cut off, which it is when, and only when, too much of them waits; of a key never an older one
 * behind a newer one; of a rate never more often than that; and at the end the newest of each key. */

enum { LINES = 300, KEYS = 6, READERS = 5 };

struct model_line {
	char text[256];
	size_t n; /* with its '\n' */
	int key;  /* -1: kept */
};

struct model_reader {
	struct hub_reader *r;
	bool used, done, cut;
	unsigned rate;
	bool always;	 /* takes everything at once */
	size_t room;
	size_t joined;	 /* lines that had come */
	size_t parsed;   /* whole lines looked at */
	bool live;	 /* behind the border */
	size_t next;	 /* the next line that may be a kept one */
	long seen[KEYS]; /* number of the latest line of a key, -1: none */
	int64_t when[KEYS]; /* of the latest one behind the border */
	bool ended;      /* it has had a last word */
	char part[1024]; /* of the line that is being taken */
	size_t part_n;
	size_t lines; /* since the border */
};

static struct model_line model[LINES];
static size_t lines_put, lines_pumped, lines_given, queue;
static bool ending;
static struct model_reader readers[READERS];
static uint64_t seed;
static uint64_t total_out;

static uint64_t rnd(uint64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

static size_t next_kept(size_t from)
{
	while (from < lines_put && model[from].key >= 0)
		from++;
	return from;
}

static long newest_of(int key, size_t before)
{
	for (size_t i = before; i-- > 0;)
		if (model[i].key == key)
			return (long)i;
	return -1;
}

static void model_border(struct model_reader *r)
{
	assert_false(r->live);
	r->live = true;
	for (int k = 0; k < KEYS; k++) {
		assert_int_equal(r->seen[k], newest_of(k, r->joined));
		r->when[k] = INT64_MIN / 2;
	}
}

/* bytes of kept lines that wait for a reader, as the hub counts them: those of which not a byte has been taken. Of a line
 * that has hardly begun to be taken nobody knows which one it is: least or most */
static size_t model_waits(const struct model_reader *r, size_t given, bool least)
{
	const size_t front = strlen("{\"type\":\"");
	size_t sum = 0, i = next_kept(r->next);

	if (r->live && r->part_n > 0 && (r->part_n > front ? r->part[front] == 't' : least))
		i = next_kept(i + 1);
	for (; i < given; i = next_kept(i + 1))
		sum += model[i].n + 64;
	return sum;
}

static void model_cut(struct model_reader *r)
{
	r->cut = true;
	assert_true(model_waits(r, lines_pumped, false) > queue);
}

static void model_status(struct model_reader *r)
{
	assert_false(r->ended);
	if (!r->live && strstr(r->part, "from here on")) {
		model_border(r);
		return;
	}
	assert_non_null(strstr(r->part, "\"state\":\"end\""));
	r->ended = true;
	bool cut = strstr(r->part, "cut off") != NULL;
	if (cut && !r->cut)
		model_cut(r);
	assert_true(cut == r->cut && (r->live || r->cut));
}

/* a whole line has come */
static void model_take(struct model_reader *r)
{
	const char *number = strstr(r->part, "\"line\":");

	total_out++;
	r->parsed++;
	if (!number) {
		model_status(r);
		return;
	}
	size_t i = strtoul(number + 7, NULL, 10);
	const struct model_line *l = &model[i];
	assert_true(!r->ended && i < lines_put && l->n == r->part_n && memcmp(l->text, r->part, l->n) == 0);
	assert_int_equal(r->live, i >= r->joined);
	if (r->live && r->always && r->rate == 0)
		assert_int_equal(i, r->joined + r->lines);
	r->lines += r->live;
	if (l->key < 0) {
		/* of the snapshot: the newest of its type, which is one for all kept lines here */
		assert_int_equal(i, r->live ? next_kept(r->next) : (size_t)newest_of(-1, r->joined));
		r->next = r->live ? i + 1 : r->joined;
		return;
	}
	assert_true((long)i > r->seen[l->key]);
	r->seen[l->key] = (long)i;
	if (!r->live)
		return;
	if (r->always && r->rate > 0 && !ending)
		assert_true(now - r->when[l->key] >= 1000000 / (int64_t)r->rate);
	r->when[l->key] = now;
}

static void model_byte(struct model_reader *r, char c)
{
	assert_true(r->part_n < sizeof r->part - 1);
	r->part[r->part_n++] = c;
	r->part[r->part_n] = '\0';
	if (c != '\n')
		return;
	model_take(r);
	r->part_n = 0;
}

static ssize_t model_send(void *user, const struct iovec *iov, int n)
{
	struct model_reader *r = user;
	size_t k = 0;

	for (int i = 0; i < n; i++)
		for (size_t j = 0; j < iov[i].iov_len && r->room > 0; j++, k++) {
			model_byte(r, ((const char *)iov[i].iov_base)[j]);
			r->room--;
		}
	return (ssize_t)k;
}

static void model_done(void *user)
{
	struct model_reader *r = user;

	/* never in the middle of anything, and only after a last word */
	assert_true(r->ended && r->part_n == 0);
	r->done = true;
	hub_reader_free(h, r->r);
	r->r = NULL;
}

/* After lines have been given. Some may be held back to be given together: those of which that is not known do not count
 * for one that is not cut off. */
static void model_look(void)
{
	uint64_t cut = 0;

	for (size_t i = 0; i < READERS; i++) {
		struct model_reader *r = &readers[i];
		if (r->used && r->r && !r->cut && hub_reader_deadline(r->r) != INT64_MAX)
			model_cut(r);
		else if (r->used && r->r && !r->cut)
			assert_true(model_waits(r, lines_given, true) <= queue);
		cut += r->cut;
	}
	assert_true(hub_counters(h)->cut >= cut);
}

static void model_put(void)
{
	static const char *const what[] = { "\"price_update\",\"pair\":\"A\"", "\"price_update\",\"pair\":\"B\"",
		"\"price_update\",\"pair\":\"C\",\"source\":\"book\"", "\"price_update\",\"pair\":\"C\",\"source\":\"mark\"",
		"\"equity_snapshot\",\"asset\":\"U\"", "\"equity_snapshot\",\"asset\":\"V\"", "\"trade_executed\"" };
	struct model_line *l = &model[lines_put];
	size_t w = rnd(3) == 0 ? KEYS : rnd(KEYS);

	l->key = w == KEYS ? -1 : (int)w;
	l->n = (size_t)snprintf(l->text, sizeof l->text, "{\"type\":%s,\"line\":%zu,\"x\":\"%0*d\"}\n", what[w], lines_put,
	    1 + (int)rnd(90), 0);
	char line[512];
	memcpy(line, l->text, l->n);
	lines_put++;
	const char *why;
	size_t at;
	assert_true(hub_line(h, (struct span){ line, l->n - 1 }, now, wall(), &why, &at));
}

static void model_pump(void)
{
	lines_pumped = lines_put;
	hub_pump(h, now, wall());
	if (hub_due(h) == INT64_MAX)
		lines_given = lines_put;
	model_look();
}

static void model_join(struct model_reader *r, bool rates)
{
	static const unsigned some[] = { 0, 0, 10, 100, 1000 };

	*r = (struct model_reader){ .used = true, .joined = lines_put, .next = lines_put, .always = rnd(4) == 0 };
	r->rate = rates ? some[rnd(5)] : 0;
	r->room = r->always ? SIZE_MAX : rnd(3) ? rnd(400) : 0;
	for (int k = 0; k < KEYS; k++)
		r->seen[k] = -1;
	r->r = hub_reader_new(h, r->rate, r, now, wall());
	assert_non_null(r->r);
	if (rnd(2) || r->always)
		hub_reader_pump(h, r->r, now);
}

static void model_turn(struct model_reader *r, bool rates, bool leave)
{
	if (!r->used)
		model_join(r, rates);
	else if (!r->r)
		return;
	else if (leave && rnd(20) == 0) {
		hub_reader_free(h, r->r);
		r->used = false;
	} else if (!r->always) {
		r->room += rnd(4) ? rnd(60) : rnd(1500);
		hub_reader_pump(h, r->r, now);
	}
}

static void model_end(void)
{
	lines_pumped = lines_put;
	ending = true;
	hub_end(h, false, "end", "over", now, wall());
	for (size_t i = 0; i < READERS; i++) {
		struct model_reader *r = &readers[i];
		if (!r->used)
			continue;
		r->room = SIZE_MAX;
		if (r->r)
			hub_reader_pump(h, r->r, now);
		assert_true(r->done && r->ended && !r->r);
		if (r->cut)
			continue;
		assert_int_equal(next_kept(r->next), lines_put);
		for (int k = 0; k < KEYS; k++)
			assert_int_equal(r->seen[k], newest_of(k, lines_put));
	}
	assert_int_equal(hub_readers(h), 0);
}

static void random_run(bool rates, bool leave)
{
	struct hub_options o = options();

	o.history = 0;
	o.queue = queue;
	o.send = model_send;
	o.done = model_done;
	begin(o);
	memset(readers, 0, sizeof readers);
	lines_put = lines_pumped = lines_given = total_out = 0;
	ending = false;
	while (lines_put < LINES) {
		if (rnd(3))
			model_put();
		if (rnd(2))
			model_pump();
		if (rnd(2))
			model_turn(&readers[rnd(READERS)], rates, leave);
		now += (int64_t)rnd(rnd(10) ? 300 : 30000);
	}
	model_end();
	uint64_t out = 0, since = 0, got = 0;
	for (size_t t = 0; t < HUB_TYPES; t++)
		out += hub_counters(h)->out[t];
	if (!leave)
		assert_int_equal(out, total_out);
	/* what was not given was counted, where nobody was cut off or had a rate */
	for (size_t i = 0; i < READERS; i++) {
		since += readers[i].used ? LINES - readers[i].joined : 0;
		got += readers[i].used ? readers[i].lines : 0;
	}
	if (!leave && !rates && hub_counters(h)->cut == 0)
		assert_int_equal(since, got + hub_counters(h)->conflated);
}

static void random_readers(void **state)
{
	unsigned cut = 0;

	(void)state;
	for (uint64_t i = 1; i <= 400; i++) {
		seed = i;
		queue = i % 3 ? 4096 : 1 << 20;
		random_run(i % 2, i % 4 < 2);
		cut += hub_counters(h)->cut > 0;
	}
	/* both happen often enough to mean something */
	assert_true(cut > 100 && cut < 300);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		T(lines_come_as_they_are_in_order),
		T(a_batch_is_given_in_one_piece),
		T(many_readers_get_larger_batches),
		T(a_late_comer_gets_the_newest_of_each),
		T(what_a_key_is_made_of),
		T(what_a_key_is_not_made_of),
		T(what_has_no_key_is_kept_and_not_remembered),
		T(the_longest_names),
		T(keys_beyond_the_cap_are_passed_on_and_not_remembered),
		T(the_border_says_how_the_stream_is),
		T(who_joins_in_between_gets_nothing_twice),
		T(a_snapshot_is_of_one_moment),
		T(the_last_snapshots_of_equity),
		T(without_history_it_is_the_newest),
		T(history_in_steps_and_the_newest_behind_it),
		T(history_of_several_assets),
		T(a_slow_reader_gets_the_newest_in_the_place_of_the_first),
		T(conflation_begins_inside_a_batch),
		T(a_line_that_is_not_due_yet_comes_once),
		T(bites_of_every_size),
		T(a_reader_that_has_gone_is_done),
		T(who_leaves_too_much_is_cut_off),
		T(the_last_word_is_not_waited_for_long),
		T(what_conflates_and_the_snapshot_cut_nobody_off),
		T(a_rate_is_kept_at_the_leading_edge),
		T(kept_lines_do_not_wait_for_a_rate),
		T(never_more_often_than_asked),
		T(rates_do_not_disturb_each_other),
		T(joining_while_a_rate_waits),
		T(a_slow_reader_with_a_rate),
		T(there_is_room_for_so_many_rates_and_always_for_none),
		T(a_rate_that_was_left_is_forgotten),
		T(at_the_end_readers_get_the_rest_and_are_done),
		T(the_end_cuts_nobody_off),
		T(who_takes_nothing_at_the_end_is_not_waited_for),
		T(lingering),
		T(what_is_no_object_is_refused),
		T(a_line_that_is_too_long_is_told_of),
		T(counters_and_health),
		T(every_stream_has_an_age),
#ifndef __SANITIZE_ADDRESS__
		T(a_line_is_in_memory_once),
		T(a_queue_that_was_long_is_given_back),
		T(memory_runs_out),
#endif
		T(random_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
