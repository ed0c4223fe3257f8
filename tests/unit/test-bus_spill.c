/* lib/bus_spill: lines that wait in files come back in order, also those of a program that has gone, and files go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../fuzz/mutate.h"

#include "bus_spill.h"
#include "clock.h"

static char dir[64];
static struct bus_spill s;
static char why[512];
static unsigned told;
static uint64_t there; /* bytes in files */

static void tell(const char *format, ...)
{
	(void)format;
	told++;
}

static int begin(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/bnc-spill.XXXXXX");
	told = 0;
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

static void open_it(uint64_t cap)
{
	assert_true(bus_spill_open(&s, dir, cap, 7, why));
	s.tell = tell;
}

static enum bus_spill_put put(const char *text)
{
	enum bus_spill_put got;

	while ((got = bus_spill_put(&s, span_of(text), clock_mono_us())) == BUS_SPILL_BUSY) {
		struct pollfd p = { .fd = bus_spill_fd(&s), .events = POLLIN };
		poll(&p, 1, 1000);
		bus_spill_tick(&s, clock_mono_us());
	}
	return got;
}

static char ids[4][BUS_SPILL_ID_MAX];

static void gives(const char *text, uint64_t mark)
{
	struct span line;
	char id[BUS_SPILL_ID_MAX];

	assert_true(bus_spill_next(&s, &line, id));
	assert_true(span_is(line, text));
	bus_spill_mark(&s, mark);
	if (mark < 4)
		strcpy(ids[mark], id);
}

static void gives_nothing(void)
{
	struct span line;
	char id[BUS_SPILL_ID_MAX];

	assert_false(bus_spill_next(&s, &line, id));
}

static unsigned files_in(const char *where)
{
	unsigned n = 0;
	DIR *d = opendir(where);

	for (struct dirent *e; (e = readdir(d));)
		n += strstr(e->d_name, ".ndjson") != NULL;
	closedir(d);
	return n;
}

static unsigned files(void)
{
	return files_in(dir);
}

static void there_and_back(void **state)
{
	(void)state;
	open_it(1 << 30);
	assert_false(bus_spill_any(&s));
	assert_int_equal(put("1"), BUS_SPILL_TAKEN);
	assert_int_equal(put("2"), BUS_SPILL_TAKEN);
	assert_true(bus_spill_any(&s));
	gives("1", 1);
	/* and lines go on coming, behind those */
	assert_int_equal(put("3"), BUS_SPILL_TAKEN);
	gives("2", 2);
	gives("3", 3);
	gives_nothing();
	assert_false(bus_spill_any(&s));
	assert_string_not_equal(ids[1], ids[2]);
	assert_string_not_equal(ids[2], ids[3]);
	assert_int_equal(files(), 2);
	bus_spill_done(&s, 1);
	assert_int_equal(files(), 2); /* the second line of the first file is not done with */
	bus_spill_done(&s, 2);
	assert_int_equal(files(), 1);
	bus_spill_done(&s, 3);
	assert_int_equal(files(), 0);
	bus_spill_close(&s);
	assert_int_equal(told, 0);
}

static void what_is_done_with_at_the_end_goes(void **state)
{
	(void)state;
	for (uint64_t mark = 1; mark <= 2; mark++) {
		open_it(1 << 30);
		if (mark == 1)
			put("1"), put("2");
		gives("1", 1);
		gives("2", 2);
		gives_nothing();
		bus_spill_end(&s, mark);
		assert_int_equal(files(), mark < 2);
		bus_spill_close(&s);
	}
}

static void what_is_left_is_what_the_next_one_begins_with(void **state)
{
	char first[BUS_SPILL_ID_MAX];

	(void)state;
	open_it(1 << 30);
	put("3");
	gives("3", 3);
	strcpy(first, ids[3]);
	put("4");
	bus_spill_close(&s); /* nothing was done with */
	open_it(1 << 30);
	assert_true(bus_spill_any(&s));
	gives("3", 3);
	assert_string_equal(ids[3], first); /* it is known again */
	bus_spill_close(&s);
	/* what was in memory comes before, whatever has been written meanwhile */
	open_it(1 << 30);
	put("4b");
	assert_true(bus_spill_first(&s, SPAN("1"), clock_mono_us(), why));
	assert_true(bus_spill_first(&s, SPAN("2"), clock_mono_us(), why));
	assert_int_equal(files_in(s.first), 1);
	bus_spill_close(&s);
	open_it(1 << 30);
	put("5");
	gives("1", 1);
	gives("2", 2);
	gives("3", 3);
	gives("4", 4);
	gives("4b", 4);
	gives("5", 5);
	gives_nothing();
	bus_spill_done(&s, 5);
	assert_int_equal(files(), 0);
	bus_spill_close(&s);
}

/* a file of that name, with a line */
static void leave(const char *text, const char *name)
{
	char from[512], to[512];

	open_it(1 << 30);
	put(text);
	bus_spill_close(&s);
	DIR *d = opendir(dir);
	for (struct dirent *e; (e = readdir(d));)
		if (strstr(e->d_name, ".ndjson") && !strstr(e->d_name, "spill-000"))
			snprintf(from, sizeof from, "%s/%s", dir, e->d_name);
	closedir(d);
	snprintf(to, sizeof to, "%s/%s", dir, name);
	assert_int_equal(rename(from, to), 0);
}

static void a_clock_that_is_set_back_turns_nothing_round(void **state)
{
	(void)state;
	leave("1", "spill-0001790526538940-00000007-2026-09-27T16-28-58Z.ndjson.zst");
	leave("2", "spill-0001790526538941-00000007-2026-09-27T15-28-58Z.ndjson.zst");
	open_it(1 << 30);
	gives("1", 1);
	gives("2", 2);
	gives_nothing();
	bus_spill_close(&s);
}

static void two_do_not_share_one(void **state)
{
	struct bus_spill other;

	(void)state;
	open_it(1 << 30);
	assert_false(bus_spill_open(&other, dir, 1 << 30, 8, why));
	assert_non_null(strstr(why, "another program has it"));
	bus_spill_close(&other);
	bus_spill_close(&s);
	assert_false(bus_spill_open(&other, "/tmp/bnc-spill-not-there/x", 1 << 30, 8, why));
	bus_spill_close(&other);
}

static void it_has_a_cap(void **state)
{
	static char noise[60000];
	unsigned n = 0;

	(void)state;
	open_it(1 << 20);
	do {
		for (size_t i = 0; i + 1 < sizeof noise; i++)
			noise[i] = (char)(' ' + random() % 94);
		assert_true(++n < 400);
	} while (put(noise) == BUS_SPILL_TAKEN);
	assert_true(n > 10);
	assert_int_equal(put("1"), BUS_SPILL_FULL);
	struct span line;
	char id[BUS_SPILL_ID_MAX];
	uint64_t k = 0;
	while (bus_spill_next(&s, &line, id))
		bus_spill_mark(&s, ++k);
	assert_int_equal(k, n - 1);
	bus_spill_done(&s, k);
	assert_int_equal(put("1"), BUS_SPILL_TAKEN);
	bus_spill_close(&s);
}

static void damage_is_told_and_kept(void **state)
{
	char path[2048];

	(void)state;
	open_it(1 << 30);
	put("1");
	gives("1", 1);
	strcpy(path, s.file[0].path);
	bus_spill_close(&s);
	assert_int_equal(truncate(path, 10), 0);
	open_it(1 << 30);
	put("2");
	gives("2", 2);
	gives_nothing();
	bus_spill_done(&s, 2);
	assert_int_equal(told, 1);
	assert_int_equal(access(strcat(path, ".damaged"), F_OK), 0);
	assert_false(bus_spill_any(&s));
	bus_spill_close(&s);
}

/* a directory under the name of a file can be opened, and is none */
static void what_cannot_be_read_is_told_and_kept(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/spill.ndjson.zst", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	open_it(1 << 30);
	gives_nothing();
	assert_int_equal(told, 1);
	assert_true(s.unread);
	bus_spill_done(&s, 0);
	assert_int_equal(access(strcat(path, ".damaged"), F_OK), 0);
	assert_false(bus_spill_any(&s));
	bus_spill_close(&s);
}

static void what_cannot_be_seen_is_waited_for(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/first", dir);
	open_it(1 << 30);
	put("1");
	int64_t before = clock_mono_us();
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("first", path), 0); /* round and round */
	gives_nothing();
	gives_nothing();
	assert_int_equal(told, 1);
	assert_true(bus_spill_any(&s));
	assert_true(bus_spill_due(&s) > before && bus_spill_due(&s) < INT64_MAX);
	bus_spill_close(&s);
	/* nor does one begin that does not see what is there */
	assert_false(bus_spill_open(&s, dir, 1 << 30, 7, why));
	bus_spill_close(&s);
	assert_int_equal(unlink(path), 0);
	open_it(1 << 30);
	gives("1", 1);
	bus_spill_close(&s);
}

/* with "first" and without, so that it is each of them once */
static void a_directory_that_cannot_be_opened_is_waited_for(void **state)
{
	struct rlimit all, none = { .rlim_cur = 0 };
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/first", dir);
	for (unsigned i = 0; i < 2; i++) {
		open_it(1 << 30);
		put("1");
		bus_spill_close(&s);
		told = 0;
		open_it(1 << 30);
		if (i)
			assert_int_equal(rmdir(path), 0);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
		none.rlim_max = all.rlim_max;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		gives_nothing();
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
		assert_int_equal(told, 1);
		assert_true(bus_spill_any(&s));
		bus_spill_close(&s);
	}
}

static void what_cannot_be_removed_is_not_read_again(void **state)
{
	char path[2048];

	(void)state;
	open_it(1 << 30);
	put("1");
	gives("1", 1);
	gives_nothing();
	strcpy(path, s.file[0].path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	bus_spill_done(&s, 1);
	bus_spill_done(&s, 1);
	assert_int_equal(told, 1);
	assert_true(s.stuck);
	put("2");
	gives("2", 2);
	gives_nothing();
	assert_int_equal(rmdir(path), 0);
	bus_spill_done(&s, 2);
	assert_false(s.stuck);
	assert_int_equal(files(), 0);
	bus_spill_close(&s);
}

static int add_size(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)path, (void)where;
	there += type == FTW_F ? (uint64_t)st->st_size : 0;
	return 0;
}

/* lines that hardly pack, faster than anybody could pack them: what waits for that counts */
static void nothing_goes_beyond_the_cap(void **state)
{
	const uint64_t cap = 1 << 20;
	uint64_t seed = 7;
	char line[4001];
	size_t taken = 0;
	enum bus_spill_put got = BUS_SPILL_TAKEN;

	(void)state;
	open_it(cap);
	while (got == BUS_SPILL_TAKEN && taken < 5000) {
		for (size_t i = 0; i < sizeof line - 1; i++)
			line[i] = (char)('!' + chance_below(&seed, 90));
		line[sizeof line - 1] = '\0';
		got = put(line);
		taken += got == BUS_SPILL_TAKEN;
	}
	assert_int_equal(got, BUS_SPILL_FULL);
	bus_spill_close(&s);
	there = 0;
	assert_int_equal(nftw(dir, add_size, 8, FTW_PHYS), 0);
	assert_true(there > cap / 2 && there <= cap + 2 * sizeof line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, begin, end),
		cmocka_unit_test_setup_teardown(what_is_done_with_at_the_end_goes, begin, end),
		cmocka_unit_test_setup_teardown(what_is_left_is_what_the_next_one_begins_with, begin, end),
		cmocka_unit_test_setup_teardown(two_do_not_share_one, begin, end),
		cmocka_unit_test_setup_teardown(a_clock_that_is_set_back_turns_nothing_round, begin, end),
		cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_opened_is_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(it_has_a_cap, begin, end),
		cmocka_unit_test_setup_teardown(nothing_goes_beyond_the_cap, begin, end),
		cmocka_unit_test_setup_teardown(damage_is_told_and_kept, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told_and_kept, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_seen_is_waited_for, begin, end),
		cmocka_unit_test_setup_teardown(what_cannot_be_removed_is_not_read_again, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
