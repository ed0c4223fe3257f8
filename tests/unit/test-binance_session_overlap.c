/* lib/binance_session with lib/arbiter: connections with delays of their own that replace each other and are cut, in a
 * simulated exchange, for hours of its time. What more than one connection brings comes out once, and nothing is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_session.h"

#define MS     1000LL
#define SECOND 1000000LL
#define PEERS  4
#define QUEUE  4096 /* messages on their way, a connection */
#define EVENTS 2000000
#define STREAMS 4
#define THIN 2 /* an event every 250 ms; of the others every 10 ms */

static const struct {
	const char *name, *event, *id;
} streams[STREAMS] = {
	{ "a@aggTrade", "aggTrade", "a" },
	{ "b@aggTrade", "aggTrade", "a" },
	{ "a@kline_1m", "kline", "n" },
	{ "c@bookTicker", "bookTicker", "u" },
};

enum message { ACK, SHUTDOWN, DATA };

static struct peer {
	bool begun, up, subscribed;
	int64_t up_at, since;
	int64_t delay; /* of everything that it sends */
	int64_t down_at; /* 0: not */
	struct {
		int64_t at;
		enum message what;
		unsigned stream, id;
	} queue[QUEUE];
	unsigned head, n;
} peers[PEERS];

static struct binance_plan plan;
static struct binance_session *s;
static int64_t now;
static unsigned last_id, first_out[STREAMS], last_out[STREAMS], gaps;
static unsigned char printed[STREAMS][EVENTS];
static uint64_t seed;
static int64_t most_delay;
static unsigned from, upto; /* streams that are asked for */

static int64_t rnd(int64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((seed >> 33) % (uint64_t)n);
}

/* ------------------------------------------------------------------------------------------------ the exchange */

static void post(struct peer *p, enum message what, unsigned stream, unsigned id)
{
	unsigned i = (p->head + p->n++) % QUEUE;

	assert_true(p->n < QUEUE);
	p->queue[i].at = now + p->delay + rnd(3 * MS);
	p->queue[i].what = what;
	p->queue[i].stream = stream;
	p->queue[i].id = id;
}

static void hear(unsigned conn)
{
	struct peer *p = &peers[conn];
	char text[200];
	int n;

	unsigned i = p->head;
	p->head = (p->head + 1) % QUEUE;
	p->n--;
	if (p->queue[i].what == ACK)
		n = snprintf(text, sizeof text, "{\"result\":null,\"id\":1}");
	else if (p->queue[i].what == SHUTDOWN)
		n = snprintf(text, sizeof text, "{\"e\":\"serverShutdown\",\"E\":1}");
	else
		n = snprintf(text, sizeof text, "{\"stream\":\"%s\",\"data\":{\"e\":\"%s\",\"E\":%u,\"%s\":%u}}",
		    streams[p->queue[i].stream].name, streams[p->queue[i].stream].event, p->queue[i].id,
		    streams[p->queue[i].stream].id, p->queue[i].id);
	binance_session_message(s, conn, (struct span){ text, (size_t)n }, now, now);
}

static void drop(struct peer *p)
{
	p->up = p->subscribed = false;
	p->n = 0;
	p->down_at = now + MS;
}

static void peer_step(unsigned conn)
{
	struct peer *p = &peers[conn];
	struct binance_down d = { BINANCE_DOWN_NETWORK, 0, -1, "it broke" };

	if (p->begun && !p->up && !p->down_at && now >= p->up_at) {
		p->up = true;
		binance_session_up(s, conn, now);
	}
	while (p->n > 0 && now >= p->queue[p->head].at)
		hear(conn);
	if (p->down_at && now >= p->down_at) {
		p->begun = false;
		p->down_at = 0;
		binance_session_down(s, conn, &d, now);
	}
}

static int64_t may_connect(void *user)
{
	(void)user;
	return 0;
}

static bool do_connect(void *user, unsigned conn, enum binance_tier tier)
{
	struct peer *p = &peers[conn];

	(void)user, (void)tier;
	*p = (struct peer){ .begun = true, .up_at = now + rnd(100 * MS), .since = now, .delay = rnd(most_delay) };
	return true;
}

static void do_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	struct peer *p = &peers[conn];

	(void)user, (void)text;
	if (what == BINANCE_SEND) {
		p->subscribed = true;
		p->since = now;
		post(p, ACK, 0, 0);
	} else if (what == BINANCE_CLOSE || what == BINANCE_KILL) {
		drop(p);
	}
}

static int64_t do_heard(void *user, unsigned conn)
{
	(void)user, (void)conn;
	return now;
}

static void do_frame(void *user, size_t stream, struct span text, int64_t recv)
{
	const char *comma = memrchr(text.p, ':', text.n);
	unsigned id = (unsigned)strtoul(comma + 1, NULL, 10);

	(void)user, (void)recv;
	assert_true(id > 0 && id < EVENTS);
	if (printed[stream][id])
		fail_msg("%s: %u came twice", plan.stream[stream].name, id);
	printed[stream][id] = 1;
	first_out[stream] = first_out[stream] && first_out[stream] < id ? first_out[stream] : id;
	last_out[stream] = last_out[stream] > id ? last_out[stream] : id;
}

static void do_news(void *user, const struct binance_news_item *item)
{
	(void)user;
	gaps += item->gap != NULL;
	if (item->gap)
		print_message("# %s\n", item->text);
}

static void do_nothing(void *user)
{
	(void)user;
}

/* ------------------------------------------------------------------------------------------------------ the runs */

static void begin(unsigned lines, uint64_t start)
{
	static const struct binance_session_events events = { may_connect, do_connect, do_order, do_heard, do_frame,
		do_news, do_nothing, do_nothing };
	struct binance_session_options o = { .lines = lines, .max_age = 86400 * SECOND, .stale = 30 * SECOND,
		.backoff_base = SECOND / 10, .backoff_cap = SECOND / 2, .seed = start, .origin = "wss://h:1" };
	char why[256];

	seed = start;
	now = 5000 * SECOND;
	last_id = gaps = 0;
	memset(peers, 0, sizeof peers);
	memset(printed, 0, sizeof printed);
	memset(first_out, 0, sizeof first_out);
	memset(last_out, 0, sizeof last_out);
	binance_plan_open(&plan, EVENT_SPOT); /* one tier: two connections a line */
	for (unsigned i = from; i < upto; i++)
		assert_true(binance_plan_add(&plan, span_of(streams[i].name), SPAN("book"), why));
	assert_true(binance_plan_ready(&plan));
	s = binance_session_new(&plan, &o, &events, NULL);
	assert_non_null(s);
}

static bool is_sent(unsigned stream, unsigned id)
{
	return stream != THIN || id % 25 == 0 || upto - from == 1;
}

/* a millisecond */
static void step(void)
{
	now += MS;
	for (unsigned c = 0; c < PEERS; c++)
		peer_step(c);
	if (now % (100 * MS) == 0)
		binance_session_tick(s, now);
	if (now % (10 * MS) != 0)
		return;
	last_id++;
	for (unsigned c = 0; c < PEERS; c++)
		for (unsigned i = from; i < upto && peers[c].subscribed; i++)
			if (is_sent(i, last_id))
				post(&peers[c], DATA, i, last_id);
}

/* all that was sent between the first and the last that came did come */
static void end_run(void)
{
	binance_session_end(s, now);
	for (unsigned i = from; i < upto; i++) {
		unsigned p = i - from;
		assert_true(last_out[p] > last_id / 2);
		for (unsigned id = first_out[p]; id < last_out[p]; id++)
			if (!printed[p][id] && is_sent(i, id))
				fail_msg("%s: %u is lost", plan.stream[p].name, id);
	}
	assert_int_equal(gaps, 0);
	binance_session_free(s);
	binance_plan_close(&plan);
}

/* connections that live and have done so for long; the oldest of those, or PEERS */
static unsigned oldest(unsigned *n)
{
	unsigned which = PEERS;

	*n = 0;
	for (unsigned c = 0; c < PEERS; c++) {
		if (!peers[c].subscribed || now - peers[c].since < 3 * SECOND)
			continue;
		++*n;
		if (which == PEERS || peers[c].since < peers[which].since)
			which = c;
	}
	return which;
}

static void replace_a_thousand_times(void)
{
	unsigned n;

	most_delay = 1500 * MS; /* a successor may be that far ahead of its old connection, or behind it */
	begin(1, 1);
	for (unsigned told = 0; told < 1000;) {
		step();
		unsigned c = now % SECOND == 0 ? oldest(&n) : PEERS;
		if (c < PEERS && now - peers[c].since < 10 * SECOND) {
			post(&peers[c], SHUTDOWN, 0, 0);
			peers[c].since -= 100 * SECOND; /* once */
			told++;
		}
	}
	assert_in_range(binance_session_counters(s)->connects, 990, 1010);
	end_run();
}

static void a_thousand_successors_lose_and_double_nothing(void **state)
{
	(void)state;
	from = 0, upto = STREAMS;
	replace_a_thousand_times();
}

/* the bytes alone say what a frame is */
static void nor_do_they_where_frames_have_no_ids(void **state)
{
	(void)state;
	from = THIN, upto = THIN + 1;
	replace_a_thousand_times();
}

static void a_thousand_cuts_of_one_of_two_lines_lose_and_double_nothing(void **state)
{
	unsigned n;

	(void)state;
	from = 0, upto = STREAMS;
	most_delay = 200 * MS; /* lines that are further apart than the window would lose what only one has brought */
	begin(2, 2);
	for (unsigned cuts = 0; cuts < 1000;) {
		step();
		unsigned c = now % SECOND == 0 ? oldest(&n) : PEERS;
		if (n >= 2 && c < PEERS) {
			drop(&peers[c]);
			n = 0;
			cuts++;
		}
	}
	assert_in_range(binance_session_counters(s)->connects, 990, 1010);
	end_run();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thousand_successors_lose_and_double_nothing),
		cmocka_unit_test(nor_do_they_where_frames_have_no_ids),
		cmocka_unit_test(a_thousand_cuts_of_one_of_two_lines_lose_and_double_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
