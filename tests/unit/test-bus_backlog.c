/* lib/bus_backlog: lines wait in memory, then in files, then at the input; in order, and what is left out is told */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <glob.h>
#include <poll.h>
#include <unistd.h>

#include "bus_backlog.h"
#include "clock.h"
#include "line.h"

#define LONG   100000 /* bytes of a line, of which memory has room for some twenty */
#define LINES  80u
#define SECOND 1000000LL

static char dir[64], said[4096], text[LONG + 1];
static struct bus_backlog b;
static unsigned got[4 * LINES], n_got, gaps;
static char gap[1024];		/* the last one */
static uint64_t cap = 1u << 30; /* of files */
static const char *no;		/* why what comes back from them is refused */

static __attribute__((format(printf, 1, 2))) void tell(const char *format, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, format);
	vsnprintf(said + n, sizeof said - n, format, ap);
	va_end(ap);
}

static bool key(void *user, struct span line, struct bus_pub_line *l, const char **why, size_t *at)
{
	(void)user;
	if (no)
		*why = no, *at = 3;
	*l = (struct bus_pub_line){ .subject = SPAN("s"), .text = line };
	return !no;
}

static void open_it(const char *where, int64_t patience)
{
	const struct bus_backlog_options o = { .pub = { .cap = BUS_PUB_RESERVE + 2 * LINE_MAX_BYTES,
						   .window = 16,
						   .bytes = 4u << 20,
						   .ack_wait = SECOND,
						   .run = 7 },
		.dir = where,
		.cap = cap,
		.patience = patience,
		.key = key,
		.tell = tell };
	char why[512];

	said[0] = '\0';
	n_got = gaps = 0;
	assert_true(bus_backlog_open(&b, &o, why));
}

static enum bus_backlog_put put(unsigned i, bool last, int64_t now)
{
	struct bus_pub_line l;

	memset(text, ' ', LONG);
	snprintf(text, LONG, "%u", i);
	text[strlen(text)] = ' ';
	key(NULL, (struct span){ text, LONG }, &l, NULL, NULL);
	return bus_backlog_put(&b, &l, last, now);
}

/* files are written by a thread, which is waited for */
static void put_all(unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++)
		while (put(i, false, clock_mono_us()) == BUS_BACKLOG_HELD) {
			struct pollfd p = { .fd = bus_backlog_fd(&b), .events = POLLIN };
			poll(&p, 1, 1000);
			bus_backlog_tick(&b, clock_mono_us());
		}
}

/* the store takes one line; false: none waits */
static bool store_one(void)
{
	struct bus_pub_message m;

	if (!bus_pub_next(b.pub, clock_mono_us(), &m))
		return false;
	if (m.text.n == LONG)
		got[n_got++] = (unsigned)strtoul(m.text.p, NULL, 10);
	else
		snprintf(gap, sizeof gap, "%.*s", (int)m.text.n, m.text.p), gaps++;
	assert_true(bus_backlog_stored(&b, m.token, false, clock_mono_us()));
	return true;
}

static void store_all(void)
{
	for (unsigned idle = 0; !bus_backlog_empty(&b); idle++) {
		bus_backlog_tick(&b, clock_mono_us());
		if (store_one())
			idle = 0;
		else
			poll(NULL, 0, 1);
		assert_true(idle < 20000);
	}
}

static void all_in_order(unsigned n)
{
	assert_int_equal(n_got, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(got[i], i);
}

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/bnc-backlog.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	cap = 1u << 30;
	no = NULL;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

/* ------------------------------------------------------------------------------------------------------- the tests */

static void what_memory_has_no_room_for_goes_through_files_in_order(void **state)
{
	(void)state;
	open_it(dir, 0);
	put_all(0, LINES);
	assert_true(b.spilled > LINES / 2 && b.spilled < LINES);
	store_all();
	all_in_order(LINES);
	assert_int_equal(bus_backlog_due(&b), INT64_MAX);
	assert_true(bus_backlog_give_back(&b, clock_mono_us()));
	assert_string_equal(said, "");
	bus_backlog_close(&b);
}

static void lines_that_come_meanwhile_do_not_overtake_the_files(void **state)
{
	(void)state;
	open_it(dir, 0);
	put_all(0, LINES / 2);
	for (unsigned i = 0; i < LINES / 4; i++)
		assert_true(store_one());
	put_all(LINES / 2, LINES);
	store_all();
	all_in_order(LINES);
	bus_backlog_close(&b);
}

static void what_is_not_stored_is_there_for_the_next_program(void **state)
{
	(void)state;
	open_it(dir, 0);
	put_all(0, LINES);
	for (unsigned i = 0; i < 5; i++)
		assert_true(store_one());
	assert_false(bus_backlog_give_back(&b, clock_mono_us()));
	assert_non_null(strstr(said, "are kept in "));
	bus_backlog_close(&b);

	unsigned before[5];
	memcpy(before, got, sizeof before);
	open_it(dir, 0);
	store_all();
	memmove(got + 5, got, n_got * sizeof got[0]);
	memcpy(got, before, sizeof before);
	n_got += 5;
	all_in_order(LINES);
	bus_backlog_close(&b);
}

static size_t files(void)
{
	char pattern[80];
	glob_t g;

	snprintf(pattern, sizeof pattern, "%s/*.zst*", dir);
	size_t n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
	globfree(&g);
	return n;
}

static void a_file_stays_until_all_of_it_is_stored(void **state)
{
	(void)state;
	open_it(dir, 0);
	put_all(0, LINES);
	while (b.spilling) {
		assert_true(store_one());
		bus_backlog_tick(&b, clock_mono_us());
	}
	bus_backlog_tick(&b, clock_mono_us());
	assert_true(n_got < LINES && files() > 0);
	store_all();
	bus_backlog_tick(&b, clock_mono_us());
	assert_int_equal(files(), 0);
	bus_backlog_close(&b);
}

/* the files have room for one line */
static void what_full_files_do_not_take_is_told_among_the_lines(void **state)
{
	static const char *const told[] = {
		"\"detail\":\"1 line not published: the files where they waited were full\"}",
		"\"detail\":\"2 lines not published: the files where they waited were full\"}"
	};

	(void)state;
	cap = 1;
	for (unsigned more = 1; more <= 2; more++) {
		unsigned n = 0;
		open_it(dir, 0);
		while (b.spilled == 0)
			put_all(n, n + 1), n++;
		put_all(n, n + more);
		assert_int_equal(b.spilled, 1);
		assert_non_null(strstr(said, "no room: lines are left out"));
		store_all();
		all_in_order(n);
		assert_int_equal(gaps, 1);
		assert_non_null(strstr(gap, told[more - 1]));
		assert_int_equal(b.left_out, more);
		assert_true(bus_backlog_give_back(&b, clock_mono_us()));
		bus_backlog_close(&b);
	}
}

/* as above, and the program ends before that is stored */
static void what_is_to_be_told_is_left_to_the_next_program(void **state)
{
	unsigned n = 0;

	(void)state;
	cap = 1;
	open_it(dir, 0);
	while (b.spilled == 0)
		put_all(n, n + 1), n++;
	put_all(n, n + 1);
	while (n_got < n) {
		bus_backlog_tick(&b, clock_mono_us());
		store_one();
	}
	bus_backlog_tick(&b, clock_mono_us());
	assert_int_equal(gaps, 0);
	assert_false(bus_backlog_give_back(&b, clock_mono_us()));
	bus_backlog_close(&b);
	open_it(dir, 0);
	store_all();
	assert_int_equal(n_got, 0);
	assert_int_equal(gaps, 1);
	bus_backlog_close(&b);
}

static void what_nobody_takes_is_no_reason_to_wait(void **state)
{
	(void)state;
	open_it(dir, 0);
	put_all(0, LINES);
	no = "not this one";
	store_all();
	assert_true(b.spilled > 0 && b.refused == b.spilled);
	assert_int_equal(n_got, LINES - b.spilled);
	assert_non_null(strstr(said, "byte 3: not this one"));
	bus_backlog_close(&b);
}

/* the number of the first line that was not taken */
static unsigned fill(int64_t now)
{
	unsigned i = 0;

	while (put(i, false, now) == BUS_BACKLOG_TAKEN)
		i++;
	return i;
}

static void without_files_input_is_held_for_as_long_as_there_is_patience(void **state)
{
	(void)state;
	int64_t now = 100 * SECOND;

	open_it(NULL, 5 * SECOND);
	unsigned i = fill(now);
	assert_int_equal(bus_backlog_patience(&b), now + 5 * SECOND);
	assert_int_equal(put(i, false, now + 5 * SECOND - 1), BUS_BACKLOG_HELD);
	assert_int_equal(put(i, false, now + 5 * SECOND), BUS_BACKLOG_TAKEN);
	assert_int_equal(bus_pub_counters(b.pub)->dropped, 1);
	assert_non_null(strstr(said, "lines are left out"));
	/* and told, where they would have stood */
	store_all();
	all_in_order(i);
	assert_int_equal(gaps, 1);
	assert_non_null(strstr(said, "lines are taken again"));
	bus_backlog_close(&b);
}

static void patience_begins_anew_with_what_is_stored(void **state)
{
	(void)state;
	int64_t now = 100 * SECOND;
	struct bus_pub_message m;

	open_it(NULL, 5 * SECOND);
	fill(now);
	assert_true(bus_pub_next(b.pub, now, &m));
	assert_true(bus_backlog_stored(&b, m.token, false, now + 4 * SECOND));
	assert_int_equal(bus_backlog_patience(&b), now + 9 * SECOND);
	bus_backlog_last(&b, now + 6 * SECOND);
	assert_int_equal(bus_backlog_patience(&b), now + 11 * SECOND);
	bus_backlog_close(&b);
}

static void at_the_end_there_is_no_time_to_wait(void **state)
{
	(void)state;
	open_it(NULL, 5 * SECOND);
	unsigned i = fill(SECOND);
	assert_int_equal(put(i, true, SECOND), BUS_BACKLOG_TAKEN);
	assert_int_equal(bus_pub_counters(b.pub)->dropped, 1);
	assert_false(bus_backlog_give_back(&b, SECOND));
	assert_non_null(strstr(said, "lines are not stored"));
	bus_backlog_close(&b);

	open_it(NULL, 5 * SECOND);
	assert_int_equal(put(0, true, SECOND), BUS_BACKLOG_TAKEN);
	assert_false(bus_backlog_give_back(&b, SECOND));
	assert_string_equal(said, "1 line is not stored");
	bus_backlog_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_memory_has_no_room_for_goes_through_files_in_order, begin, end),
		cmocka_unit_test_setup_teardown(lines_that_come_meanwhile_do_not_overtake_the_files, begin, end),
		cmocka_unit_test_setup_teardown(what_is_not_stored_is_there_for_the_next_program, begin, end),
		cmocka_unit_test_setup_teardown(a_file_stays_until_all_of_it_is_stored, begin, end),
		cmocka_unit_test_setup_teardown(what_full_files_do_not_take_is_told_among_the_lines, begin, end),
		cmocka_unit_test_setup_teardown(what_is_to_be_told_is_left_to_the_next_program, begin, end),
		cmocka_unit_test_setup_teardown(what_nobody_takes_is_no_reason_to_wait, begin, end),
		cmocka_unit_test(without_files_input_is_held_for_as_long_as_there_is_patience),
		cmocka_unit_test(patience_begins_anew_with_what_is_stored),
		cmocka_unit_test(at_the_end_there_is_no_time_to_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
