/* lib/arbiter: single lines, two lines, holes, numberings that begin anew; and many random runs against a model */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arbiter.h"

#define MS 1000LL

static char log_text[1 << 20];
static size_t log_n;
static struct arbiter *a;
static int64_t now;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	log_n += (size_t)vsnprintf(log_text + log_n, sizeof log_text - log_n, format, ap);
	va_end(ap);
	assert_true(log_n < sizeof log_text);
}

static void on_print(void *user, size_t stream, unsigned line, struct span payload, int64_t recv)
{
	(void)user, (void)recv;
	note("%s%.*s/%u ", stream ? "s1:" : "", (int)payload.n, payload.p, line);
}

static void on_gap(void *user, const struct arbiter_gap *g)
{
	(void)user;
	note("%s", g->stream ? "s1:" : "");
	if (g->has_ids)
		note("%s(%lu,%lu) ", g->back ? "back" : g->proven ? "gap" : "maybe", g->last_id, g->next_id);
	else
		note("maybe ");
}

static const struct arbiter_options options = { .streams = 2,
	.lines = 4,
	.window = ARBITER_WINDOW_US,
	.join = ARBITER_JOIN_US };

static int start(void **state)
{
	static const struct arbiter_out out = { on_print, on_gap };

	(void)state;
	a = arbiter_new(&options, &out, NULL);
	log_n = 0;
	log_text[0] = '\0';
	now = 1000 * MS;
	return a ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	arbiter_free(a);
	return 0;
}

static void says(const char *expected)
{
	assert_string_equal(log_text, expected);
	log_n = 0;
	log_text[0] = '\0';
}

static void offer(size_t stream, unsigned line, enum arbiter_order order, uint64_t id, uint64_t prev, int64_t time)
{
	struct arbiter_event e = { .order = order, .id = id, .prev = prev, .time = time };
	char payload[24];
	int n = snprintf(payload, sizeof payload, "%lu", id);

	arbiter_offer(a, stream, line, &e, (struct span){ payload, (size_t)n }, now, now);
}

/* an event of a chain of step 1, of a jumping order, of a content */
#define chain(line, id) offer(0, line, ARBITER_CHAINED, id, (id)-1, (int64_t)(id))
#define jump(line, id)	offer(0, line, ARBITER_ORDERED, id, 0, (int64_t)(id))
#define hashed(line, id) offer(0, line, ARBITER_HASHED, id, 0, -1)

static void line(unsigned number, enum arbiter_state s)
{
	arbiter_line(a, 0, number, s, now);
}

static void a_single_line_holds_nothing(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	chain(0, 5), chain(0, 6), chain(0, 6), chain(0, 9), chain(0, 8), chain(0, 10);
	says("5/0 6/0 gap(6,9) 9/0 10/0 ");
	assert_int_equal(arbiter_held(a), 0);
	assert_int_equal(arbiter_counters(a)->copies, 1);
	assert_int_equal(arbiter_counters(a)->obsolete, 1);
	assert_int_equal(arbiter_counters(a)->gaps, 1);
	assert_int_equal(arbiter_counters(a)->won[0], 4);
}

static void copies_are_dropped_whoever_is_first(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	jump(0, 10), jump(1, 10), jump(1, 17), jump(0, 17), jump(0, 30), jump(0, 31), jump(1, 30), jump(1, 31);
	says("10/0 17/1 30/0 31/0 ");
	assert_int_equal(arbiter_counters(a)->copies, 4);
}

static void the_other_line_fills_a_hole(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(1, 1), chain(0, 4), chain(0, 5);
	says("1/0 ");
	assert_int_equal(arbiter_held(a), 2);
	chain(1, 2), chain(1, 3);
	says("2/1 3/1 4/0 5/0 ");
	assert_int_equal(arbiter_counters(a)->fills, 2);
	assert_int_equal(arbiter_held(a), 0);
	chain(1, 4), chain(1, 5), chain(1, 6);
	says("6/1 ");
}

static void what_comes_too_late_is_no_copy(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	jump(0, 10), jump(1, 10), jump(0, 30); /* this line has left out 20, which nobody can know */
	jump(1, 20), jump(1, 30);
	chain(0, 31), chain(0, 33), chain(1, 33), chain(1, 32), chain(1, 33);
	says("10/0 30/0 31/0 gap(31,33) 33/0 ");
	assert_int_equal(arbiter_counters(a)->copies, 4);
	assert_int_equal(arbiter_counters(a)->obsolete, 2);
}

static void a_hole_of_both_lines_is_told_at_once(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(1, 1), chain(0, 4);
	says("1/0 ");
	chain(1, 4);
	says("gap(1,4) 4/0 ");
}

static void a_hole_that_nobody_fills_is_told_in_time(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(0, 4);
	now += ARBITER_WINDOW_US - 1;
	arbiter_tick(a, now);
	says("1/0 ");
	chain(0, 9);
	now += 1;
	arbiter_tick(a, now);
	says("gap(1,4) 4/0 ");
	now += ARBITER_WINDOW_US;
	arbiter_tick(a, now);
	says("gap(4,9) 9/0 ");
}

static void when_the_other_line_dies_holes_are_told(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(0, 4), chain(0, 6);
	line(1, ARBITER_OFF);
	says("1/0 gap(1,4) 4/0 gap(4,6) 6/0 ");
}

static void an_opening_line_is_waited_for(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_OPENING);
	chain(0, 1), chain(0, 3);
	says("1/0 ");
	line(1, ARBITER_OFF);
	says("gap(1,3) 3/0 ");
}

/* a successor may be served before the old line: nothing of the old one is lost then */
static void a_line_that_joins_ahead_waits_for_the_other(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_OPENING);
	jump(0, 10), jump(0, 45);
	line(1, ARBITER_ON);
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	jump(1, 50), jump(1, 52);
	says("10/0 45/0 ");
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	jump(0, 47), jump(0, 50);
	says("47/0 50/0 52/1 ");
	assert_true(arbiter_covers(a, 0, 1, 0, now));
	line(0, ARBITER_OFF);
	jump(1, 60);
	says("60/1 ");
	assert_int_equal(arbiter_counters(a)->gaps, 0);
}

/* a successor whose old line lags: what the old one still has comes, however late, and in order */
static void a_line_that_joins_ahead_has_patience(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(1, 9), chain(1, 10);
	now += ARBITER_JOIN_US - 1;
	arbiter_tick(a, now);
	chain(0, 2), chain(0, 3);
	says("1/0 2/0 3/0 ");
	now += 1;
	arbiter_tick(a, now);
	says("gap(3,9) 9/1 10/1 ");
	/* and only once: afterwards it is a line like the others */
	chain(1, 13);
	now += ARBITER_WINDOW_US;
	arbiter_tick(a, now);
	says("gap(10,13) 13/1 ");
}

static void a_line_that_joins_behind_is_in_step(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	jump(0, 10), jump(0, 45), jump(1, 45);
	assert_true(arbiter_covers(a, 0, 1, 0, now));
	jump(1, 46), jump(0, 46);
	says("10/0 45/0 46/1 ");
}

static void a_quiet_stream_is_covered_at_once(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_OPENING);
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	line(1, ARBITER_ON);
	now += ARBITER_WINDOW_US - 1; /* what is on its way over the old line had better come */
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	now += 1;
	assert_true(arbiter_covers(a, 0, 1, 0, now));
}

static void contents_tell_when_two_lines_have_met(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_OPENING), line(2, ARBITER_ON);
	hashed(0, 70), hashed(2, 70);
	line(1, ARBITER_ON);
	now += ARBITER_WINDOW_US;
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	hashed(1, 72); /* ahead of the old line, which still brings 71 */
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	hashed(0, 71);
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	hashed(2, 72);
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	hashed(0, 72);
	assert_true(arbiter_covers(a, 0, 1, 0, now));
	says("70/0 72/1 71/0 ");
	/* the next connection of that line has met nobody */
	line(1, ARBITER_OFF), line(1, ARBITER_ON);
	now += ARBITER_WINDOW_US;
	hashed(1, 80);
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	hashed(1, 72);
	assert_true(arbiter_covers(a, 0, 1, 0, now));
}

/* a thin stream: nothing comes while both lines are on, and the old one is let go in the end */
static void a_long_time_together_is_as_good_as_meeting(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	jump(0, 10);
	line(1, ARBITER_ON);
	now += ARBITER_STEP_US - 1;
	assert_false(arbiter_covers(a, 0, 1, 0, now));
	now += 1;
	assert_true(arbiter_covers(a, 0, 1, 0, now));
	line(0, ARBITER_OFF);
	jump(1, 50), jump(1, 70);
	says("10/0 50/1 70/1 ");
	assert_int_equal(arbiter_counters(a)->gaps, 0);
	/* too short a time, or a time without any line, proves nothing */
	line(0, ARBITER_ON);
	now += ARBITER_STEP_US - 1;
	line(1, ARBITER_OFF);
	jump(0, 90);
	line(0, ARBITER_OFF), line(1, ARBITER_ON);
	now += ARBITER_STEP_US;
	jump(1, 99);
	says("maybe(70,90) 90/0 maybe(90,99) 99/1 ");
}

static void an_outage_is_told_even_where_nothing_is_proven(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	jump(0, 10);
	line(0, ARBITER_OFF), line(2, ARBITER_OPENING), line(2, ARBITER_ON);
	jump(2, 90), jump(2, 95);
	says("10/0 maybe(10,90) 90/2 95/2 ");
}

static void an_outage_without_a_hole_is_no_gap(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	chain(0, 10);
	line(0, ARBITER_OFF), line(1, ARBITER_ON);
	chain(1, 11);
	line(1, ARBITER_OFF), line(0, ARBITER_ON);
	chain(0, 14);
	says("10/0 11/1 gap(11,14) 14/0 ");
}

static void contents_are_told_apart(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	hashed(0, 77), hashed(1, 77), hashed(1, 5), hashed(0, 5), hashed(0, 6);
	says("77/0 5/1 6/0 ");
	line(0, ARBITER_OFF), line(1, ARBITER_OFF), line(1, ARBITER_ON);
	hashed(1, 6), hashed(1, 9), hashed(1, 10);
	says("maybe 9/1 10/1 ");
	for (uint64_t i = 0; i < ARBITER_RECENT; i++)
		hashed(0, 1000 + i);
	log_n = 0;
	hashed(1, 1000), hashed(1, 999 + ARBITER_RECENT), hashed(1, 10);
	says("10/1 "); /* too long ago to be known */
}

/* where the owner says so, what a line brings twice are two events, each of them once */
static void contents_may_repeat(void **state)
{
	struct arbiter_event e = { .order = ARBITER_HASHED, .id = 7, .time = -1, .repeats = true };
	static const unsigned lines[] = { 0, 1, 0, 0, 1, 2, 1, 2, 2, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		arbiter_offer(a, 0, lines[i], &e, SPAN("7"), now, now);
	says("7/0 7/0 7/0 7/2 ");
	assert_int_equal(arbiter_counters(a)->copies, 6);
	hashed(0, 7), hashed(3, 7);
	says("");
	/* a line that begins anew may bring again what it brought before */
	line(2, ARBITER_OFF);
	arbiter_offer(a, 0, 2, &e, SPAN("7"), now, now);
	says("");
}

static void an_event_without_its_number_disturbs_nobody(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	hashed(0, UINT64_MAX), chain(0, 5), hashed(0, UINT64_MAX - 1), chain(0, 6), chain(0, 8);
	says("18446744073709551615/0 5/0 18446744073709551614/0 6/0 gap(6,8) 8/0 ");
}

static void a_new_numbering_after_an_outage_goes_on(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	offer(0, 0, ARBITER_ORDERED, 1000, 0, 50000);
	line(0, ARBITER_OFF), line(0, ARBITER_ON);
	offer(0, 0, ARBITER_ORDERED, 7, 0, 50100);
	offer(0, 0, ARBITER_ORDERED, 8, 0, 50101);
	says("1000/0 back(1000,7) 7/0 8/0 ");
	/* without times: only the first event of a line after an outage */
	offer(1, 0, ARBITER_ORDERED, 1000, 0, -1);
	arbiter_line(a, 1, 0, ARBITER_OFF, now), arbiter_line(a, 1, 0, ARBITER_ON, now);
	offer(1, 0, ARBITER_ORDERED, 3, 0, -1), offer(1, 0, ARBITER_ORDERED, 2, 0, -1);
	says("s1:1000/0 s1:back(1000,3) s1:3/0 ");
}

static void old_events_are_no_new_numbering(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	offer(0, 0, ARBITER_ORDERED, 1000, 0, 50000);
	line(1, ARBITER_OFF), line(1, ARBITER_ON);
	offer(0, 1, ARBITER_ORDERED, 990, 0, 49000); /* a line that lags */
	offer(0, 1, ARBITER_ORDERED, 991, 0, 50000 + ARBITER_BACK_MS);
	says("1000/0 ");
	offer(0, 1, ARBITER_ORDERED, 992, 0, 50001 + ARBITER_BACK_MS); /* this one does not lag */
	says("back(1000,992) 992/1 ");
}

static void chains_may_overlap(void **state)
{
	(void)state;
	line(0, ARBITER_ON);
	offer(0, 0, ARBITER_CHAINED, 160, 156, 1);
	offer(0, 0, ARBITER_CHAINED, 170, 158, 2); /* begins inside what is known */
	offer(0, 0, ARBITER_CHAINED, 180, 171, 3);
	says("160/0 170/0 gap(170,180) 180/0 ");
}

static void memory_is_capped(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1);
	for (uint64_t i = 0; i < ARBITER_HELD_EVENTS; i++)
		chain(0, 3 + i);
	assert_int_equal(arbiter_held(a), ARBITER_HELD_EVENTS);
	log_n = 0;
	chain(0, 3 + ARBITER_HELD_EVENTS);
	assert_int_equal(arbiter_held(a), 0);
	assert_int_equal(arbiter_counters(a)->gaps, 1);
	assert_memory_equal(log_text, "gap(1,3) 3/0 4/0 ", 17);
}

static void the_end_gives_everything_out(void **state)
{
	(void)state;
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(0, 3), chain(0, 7);
	arbiter_flush(a);
	says("1/0 gap(1,3) 3/0 gap(3,7) 7/0 ");
}

static void begin_with(int64_t window, int64_t join)
{
	static const struct arbiter_out out = { on_print, on_gap };
	struct arbiter_options o = options;

	o.window = window;
	o.join = join;
	arbiter_free(a);
	a = arbiter_new(&o, &out, NULL);
	assert_non_null(a);
}

static void the_window_is_the_owners(void **state)
{
	(void)state;
	begin_with(10 * MS, 30 * MS);
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(0, 4);
	now += 10 * MS - 1;
	arbiter_tick(a, now);
	says("1/0 ");
	now += 1;
	arbiter_tick(a, now);
	says("gap(1,4) 4/0 ");
	chain(1, 9);
	now += 30 * MS - 1;
	arbiter_tick(a, now);
	says("");
	now += 1;
	arbiter_tick(a, now);
	says("gap(4,9) 9/1 ");
	line(2, ARBITER_ON);
	assert_false(arbiter_covers(a, 0, 2, 3, now + 10 * MS - 1));
	assert_true(arbiter_covers(a, 0, 2, 3, now + 10 * MS));
	begin_with(0, 0);
	line(0, ARBITER_ON), line(1, ARBITER_ON);
	chain(0, 1), chain(0, 4);
	arbiter_tick(a, now);
	says("1/0 gap(1,4) 4/0 ");
}

/* in the order in which they began to wait, and each at its time */
static void what_is_held_is_due(void **state)
{
	(void)state;
	assert_int_equal(arbiter_due(a), INT64_MAX);
	for (size_t i = 0; i < 2; i++)
		for (unsigned l = 0; l < 2; l++)
			arbiter_line(a, i, l, ARBITER_ON, now);
	int64_t began = now;
	offer(1, 0, ARBITER_CHAINED, 1, 0, 1), offer(1, 0, ARBITER_CHAINED, 5, 4, 1);
	now += 10 * MS;
	chain(0, 1), chain(0, 4);
	now += 10 * MS;
	offer(1, 0, ARBITER_CHAINED, 9, 8, 1);
	says("s1:1/0 1/0 ");
	assert_int_equal(arbiter_due(a), began + ARBITER_WINDOW_US);
	arbiter_tick(a, began + ARBITER_WINDOW_US);
	says("s1:gap(1,5) s1:5/0 ");
	assert_int_equal(arbiter_due(a), began + 10 * MS + ARBITER_WINDOW_US);
	chain(1, 2), chain(1, 3);
	says("2/1 3/1 4/0 ");
	assert_int_equal(arbiter_due(a), began + 20 * MS + ARBITER_WINDOW_US);
	chain(0, 7);
	arbiter_flush(a);
	says("s1:gap(5,9) s1:9/0 gap(4,7) 7/0 ");
	assert_int_equal(arbiter_due(a), INT64_MAX);
	assert_int_equal(arbiter_held(a), 0);
}

static void what_is_held_at_the_end_is_no_leak(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		arbiter_line(a, i, 1, ARBITER_ON, now);
		offer(i, 0, ARBITER_CHAINED, 1, 0, 1), offer(i, 0, ARBITER_CHAINED, 5, 4, 1);
		offer(i, 0, ARBITER_CHAINED, 9, 8, 1);
	}
	assert_int_equal(arbiter_held(a), 4);
}

static void more_lines_than_there_are_bits_for_are_refused(void **state)
{
	static const struct arbiter_out out = { on_print, on_gap };
	struct arbiter_options o = options;

	(void)state;
	o.lines = ARBITER_LINES + 1;
	assert_null(arbiter_new(&o, &out, NULL));
	o.lines = ARBITER_LINES;
	o.streams = SIZE_MAX / 8;
	assert_null(arbiter_new(&o, &out, NULL));
}

/* ------------------------------------------------------------------------- random runs against a model */

static uint64_t seed;
static uint64_t rnd(uint64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

enum { EVENTS = 300 };
static unsigned char printed[EVENTS + 2], named[EVENTS + 2];
static uint64_t newest;
static uint64_t step;

static void model_print(void *user, size_t stream, unsigned number, struct span payload, int64_t recv)
{
	char text[24] = { 0 };

	(void)user, (void)stream, (void)number, (void)recv;
	memcpy(text, payload.p, payload.n);
	uint64_t id = strtoull(text, NULL, 10) / step;
	assert_true(id > newest);
	newest = id;
	printed[id]++;
}

static void model_gap(void *user, const struct arbiter_gap *g)
{
	(void)user;
	for (uint64_t id = g->last_id / step + 1; id < g->next_id / step; id++)
		named[id]++;
}

/* two lines bring 1..EVENTS, each in order, each with a delay of its own; line l leaves out what lost says */
static void random_run(enum arbiter_order order, uint64_t lose)
{
	static const struct arbiter_out out = { model_print, model_gap };
	static bool lost[2][EVENTS + 2];
	uint64_t at[2] = { 1, 1 };

	for (unsigned l = 0; l < 2; l++)
		for (size_t i = 0; i < EVENTS + 2; i++)
			lost[l][i] = i > 1 && lose && rnd(lose) == 0;
	memset(printed, 0, sizeof printed);
	memset(named, 0, sizeof named);
	newest = 0;
	step = order == ARBITER_ORDERED ? 3 : 1;
	now = 0;
	const struct arbiter_options o = { .streams = 1, .lines = 2, .window = ARBITER_WINDOW_US, .join = ARBITER_JOIN_US };
	struct arbiter *m = arbiter_new(&o, &out, NULL);
	arbiter_line(m, 0, 0, ARBITER_ON, now), arbiter_line(m, 0, 1, ARBITER_ON, now);
	at[1] = order == ARBITER_ORDERED ? 1 + rnd(20) : 1; /* a line that joins later */
	while (at[0] <= EVENTS || at[1] <= EVENTS) {
		unsigned l = (unsigned)rnd(2);
		uint64_t id = at[l];
		if (id > EVENTS || id > at[1 - l] + 20 || (l == 1 && at[0] == 1))
			continue;
		at[l]++;
		now += 100;
		if (lost[l][id])
			continue;
		char payload[24];
		int n = snprintf(payload, sizeof payload, "%lu", id * step);
		struct arbiter_event e = { .order = order,
			.id = id * step,
			.prev = (id - 1) * step,
			.time = (int64_t)id };
		arbiter_offer(m, 0, l, &e, (struct span){ payload, (size_t)n }, now, now);
		arbiter_tick(m, now);
	}
	arbiter_flush(m);
	for (uint64_t id = 1; id <= EVENTS; id++) {
		bool both = lost[0][id] && lost[1][id];
		assert_true(printed[id] <= 1);
		/* at the very end nothing follows that could prove a hole */
		if (both && id < newest)
			assert_true(!printed[id] && (order != ARBITER_CHAINED || named[id] == 1));
		else if (!both)
			assert_true(printed[id] && !named[id]);
	}
	assert_int_equal(arbiter_held(m), 0);
	arbiter_free(m);
}

static void random_chains(void **state)
{
	(void)state;
	for (seed = 1; seed < 300; seed += 2) {
		uint64_t keep = seed;
		random_run(ARBITER_CHAINED, seed % 3 ? 5 + seed % 20 : 0);
		seed = keep;
	}
}

static void random_orders(void **state)
{
	(void)state;
	for (seed = 1; seed < 300; seed += 2) {
		uint64_t keep = seed;
		random_run(ARBITER_ORDERED, 0);
		seed = keep;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_single_line_holds_nothing, start, end),
		cmocka_unit_test_setup_teardown(copies_are_dropped_whoever_is_first, start, end),
		cmocka_unit_test_setup_teardown(the_other_line_fills_a_hole, start, end),
		cmocka_unit_test_setup_teardown(what_comes_too_late_is_no_copy, start, end),
		cmocka_unit_test_setup_teardown(a_hole_of_both_lines_is_told_at_once, start, end),
		cmocka_unit_test_setup_teardown(a_hole_that_nobody_fills_is_told_in_time, start, end),
		cmocka_unit_test_setup_teardown(when_the_other_line_dies_holes_are_told, start, end),
		cmocka_unit_test_setup_teardown(an_opening_line_is_waited_for, start, end),
		cmocka_unit_test_setup_teardown(a_line_that_joins_ahead_waits_for_the_other, start, end),
		cmocka_unit_test_setup_teardown(a_line_that_joins_ahead_has_patience, start, end),
		cmocka_unit_test_setup_teardown(a_line_that_joins_behind_is_in_step, start, end),
		cmocka_unit_test_setup_teardown(a_quiet_stream_is_covered_at_once, start, end),
		cmocka_unit_test_setup_teardown(contents_tell_when_two_lines_have_met, start, end),
		cmocka_unit_test_setup_teardown(a_long_time_together_is_as_good_as_meeting, start, end),
		cmocka_unit_test_setup_teardown(an_outage_is_told_even_where_nothing_is_proven, start, end),
		cmocka_unit_test_setup_teardown(an_outage_without_a_hole_is_no_gap, start, end),
		cmocka_unit_test_setup_teardown(contents_are_told_apart, start, end),
		cmocka_unit_test_setup_teardown(contents_may_repeat, start, end),
		cmocka_unit_test_setup_teardown(an_event_without_its_number_disturbs_nobody, start, end),
		cmocka_unit_test_setup_teardown(a_new_numbering_after_an_outage_goes_on, start, end),
		cmocka_unit_test_setup_teardown(old_events_are_no_new_numbering, start, end),
		cmocka_unit_test_setup_teardown(chains_may_overlap, start, end),
		cmocka_unit_test_setup_teardown(memory_is_capped, start, end),
		cmocka_unit_test_setup_teardown(the_end_gives_everything_out, start, end),
		cmocka_unit_test_setup_teardown(the_window_is_the_owners, start, end),
		cmocka_unit_test_setup_teardown(what_is_held_is_due, start, end),
		cmocka_unit_test_setup_teardown(what_is_held_at_the_end_is_no_leak, start, end),
		cmocka_unit_test_setup_teardown(more_lines_than_there_are_bits_for_are_refused, start, end),
		cmocka_unit_test(random_chains),
		cmocka_unit_test(random_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
