/* lib/budget: limits, sharing between processes, files that are not as they should be */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "budget.h"

#define SECOND 1000000LL

static char dir[] = "/tmp/bnc-budget.XXXXXX";
static char run[64], file[80];
static char why[256];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(run, sizeof run, "%s/run", dir);
	snprintf(file, sizeof file, "%s/connections", run);
	return 0;
}

static int empty_dir(void **state)
{
	(void)state;
	unlink(file);
	rmdir(run);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static struct budget *open_it(struct budget *b, uint64_t limit, int64_t window)
{
	why[0] = '\0';
	if (!budget_open(b, run, "connections", limit, window, why))
		fail_msg("%s", why);
	return b;
}

static void the_limit_holds(void **state)
{
	struct budget b;

	(void)state;
	open_it(&b, 3, 10 * SECOND);
	assert_int_equal(budget_take(&b, 100 * SECOND), 0);
	assert_int_equal(budget_take(&b, 101 * SECOND), 0);
	assert_int_equal(budget_take(&b, 102 * SECOND), 0);
	assert_int_equal(budget_take(&b, 103 * SECOND), 7 * SECOND);
	assert_int_equal(budget_take(&b, 110 * SECOND - 1), 1);
	assert_int_equal(budget_take(&b, 110 * SECOND), 0);
	assert_int_equal(budget_take(&b, 110 * SECOND), SECOND);
	budget_close(&b);
}

static void it_outlives_the_process(void **state)
{
	struct budget b;

	(void)state;
	open_it(&b, 1, SECOND);
	int fd = b.fd;
	budget_close(&b);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	open_it(&b, 1, SECOND);
	assert_int_equal(budget_take(&b, 5 * SECOND), 0);
	budget_close(&b);
	open_it(&b, 1, SECOND);
	assert_int_equal(budget_take(&b, 5 * SECOND + 1), SECOND - 1);
	budget_close(&b);
}

static void processes_share_it(void **state)
{
	struct budget b;
	int taken = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			int n = 0;
			open_it(&b, 50, SECOND);
			for (int64_t wait; (wait = budget_take(&b, SECOND)) == 0 || wait == BUDGET_BUSY_US;)
				n += wait == 0;
			_exit(n);
		}
	}
	for (int i = 0, status; i < 4 && wait(&status) > 0; i++)
		taken += WEXITSTATUS(status);
	assert_int_equal(taken, 50);
}

static void a_held_lock_does_not_hold_us_up(void **state)
{
	struct budget b;

	(void)state;
	open_it(&b, 2, SECOND);
	int other = open(file, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(budget_take(&b, SECOND), BUDGET_BUSY_US);
	close(other);
	assert_int_equal(budget_take(&b, SECOND), 0);
	budget_close(&b);
}

static void the_lock_is_held_for_a_moment_only(void **state)
{
	struct budget a, b;

	(void)state;
	open_it(&a, 3, SECOND);
	open_it(&b, 3, SECOND);
	assert_int_equal(budget_take(&a, SECOND), 0);
	assert_int_equal(budget_take(&b, SECOND), 0);
	assert_int_equal(budget_take(&a, SECOND), 0);
	assert_int_equal(budget_take(&b, SECOND), SECOND);
	budget_close(&a);
	budget_close(&b);
}

static void put(const void *bytes, size_t n)
{
	mkdir(run, 0700);
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

static void rubbish_in_the_file_is_survived(void **state)
{
	int64_t ahead[BUDGET_SLOTS];
	struct budget b;

	(void)state;
	put("cut", 3); /* what a crash may leave */
	open_it(&b, 2, SECOND);
	assert_int_equal(budget_take(&b, 10 * SECOND), 0);
	budget_close(&b);

	for (int i = 0; i < BUDGET_SLOTS; i++) /* the machine has been started anew */
		ahead[i] = 1000 * SECOND;
	put(ahead, sizeof ahead);
	open_it(&b, 2, SECOND);
	assert_int_equal(budget_take(&b, 10 * SECOND), 0);
	assert_int_equal(budget_take(&b, 10 * SECOND), 0);
	assert_int_equal(budget_take(&b, 10 * SECOND), SECOND);
	budget_close(&b);

	memset(ahead, 0xff, sizeof ahead);
	put(ahead, sizeof ahead);
	open_it(&b, 1, SECOND);
	assert_int_equal(budget_take(&b, 10 * SECOND), 0);
	budget_close(&b);
}

static void nobody_else_may_look(void **state)
{
	struct budget b;
	struct stat st;
	mode_t before = umask(0);

	(void)state;
	budget_close(open_it(&b, 1, SECOND));
	umask(before);
	assert_int_equal(stat(run, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void strangers_are_refused(void **state)
{
	struct budget b;

	(void)state;
	assert_int_equal(mkdir(run, 0700), 0);
	assert_int_equal(chmod(run, 0777), 0);
	assert_false(budget_open(&b, run, "connections", 1, SECOND, why));
	assert_non_null(strstr(why, "others may write"));
	/* and it counts for itself */
	assert_int_equal(budget_take(&b, SECOND), 0);
	assert_int_equal(budget_take(&b, SECOND), SECOND);
	assert_int_equal(chmod(run, 0700), 0);
	assert_int_equal(symlink("/dev/null", file), 0);
	assert_false(budget_open(&b, run, "connections", 1, SECOND, why));
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_false(budget_open(&b, run, "connections", 1, SECOND, why));
	assert_non_null(strstr(why, "not a file"));
	unlink(file);
	assert_false(budget_open(&b, "/proc/nowhere", "connections", 1, SECOND, why));
	assert_non_null(strstr(why, "/proc/nowhere: "));
	assert_false(budget_open(&b, "/dev/null", "connections", 1, SECOND, why));
	assert_non_null(strstr(why, "not a directory"));
}

static void settings_are_read(void **state)
{
	static const char *const wrong[] = { "", "7", "/", "7/", "/5m", "0/5m", "513/5m", "7/0", "7/soon", "7/5m/1" };
	uint64_t limit;
	int64_t window;

	(void)state;
	assert_true(budget_parse(SPAN("240/5m"), &limit, &window));
	assert_int_equal(limit, 240);
	assert_int_equal(window, 300 * SECOND);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(budget_parse(span_of(wrong[i]), &limit, &window));
}

/* the same place with and without a session of one's own */
static void one_place_for_all(void **state)
{
	char place[BUDGET_DIR_MAX], expected[80];

	(void)state;
	assert_int_equal(mkdir(run, 0700), 0);
	setenv("XDG_RUNTIME_DIR", run, 1);
	budget_dir(place);
	snprintf(expected, sizeof expected, "%s/bnc", run);
	assert_string_equal(place, expected);
	setenv("XDG_RUNTIME_DIR", "/proc/1", 1); /* not ours, unless we are root: then it is a directory all the same */
	if (geteuid() != 0) {
		budget_dir(place);
		assert_null(strstr(place, "/proc"));
	}
	/* one byte too long for it */
	char deep[BUDGET_DIR_MAX - 4 + 1];
	memset(deep, '/', sizeof deep - 1);
	deep[sizeof deep - 1] = '\0';
	memcpy(deep + sizeof deep - 1 - strlen(run), run, strlen(run));
	setenv("XDG_RUNTIME_DIR", deep, 1);
	budget_dir(place);
	assert_null(strstr(place, run));
	setenv("XDG_RUNTIME_DIR", deep + 1, 1);
	budget_dir(place);
	assert_non_null(strstr(place, run));
	unsetenv("XDG_RUNTIME_DIR");
	budget_dir(place);
	assert_true(strncmp(place, "/run/user/", 10) == 0 || strncmp(place, "/tmp/bnc-", 9) == 0);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	budget_dir(place);
	assert_int_equal(place[0], '/');
	unsetenv("XDG_RUNTIME_DIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_limit_holds, empty_dir),
		cmocka_unit_test_teardown(it_outlives_the_process, empty_dir),
		cmocka_unit_test_teardown(processes_share_it, empty_dir),
		cmocka_unit_test_teardown(a_held_lock_does_not_hold_us_up, empty_dir),
		cmocka_unit_test_teardown(the_lock_is_held_for_a_moment_only, empty_dir),
		cmocka_unit_test_teardown(rubbish_in_the_file_is_survived, empty_dir),
		cmocka_unit_test_teardown(nobody_else_may_look, empty_dir),
		cmocka_unit_test_teardown(strangers_are_refused, empty_dir),
		cmocka_unit_test(settings_are_read),
		cmocka_unit_test_teardown(one_place_for_all, empty_dir),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
