/* lib/filter in a process of its own, at real pipes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "err.h"
#include "filter.h"

#define PATIENCE_MS 5000

/* ------------------------------------------------------------------------------------------- the filter under test */

/* passes lines on; "!..." is refused at byte 1, "-..." dropped, "*..." doubled */
static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	(void)state;
	if (line.p[0] == '!') {
		*why = (struct filter_why){ "an exclamation", 1 };
		return false;
	}
	if (line.p[0] == '*')
		line_put(out, line);
	if (line.p[0] != '-')
		line_put(out, line);
	return true;
}

static void on_finish(void *state, struct line_out *out)
{
	(void)state;
	line_put(out, SPAN("finish"));
}

static void on_counters(void *state, char *text, size_t cap)
{
	(void)state;
	snprintf(text, cap, " extra 7");
}

static int64_t next_tick;

static int64_t on_due(void *state)
{
	(void)state;
	return next_tick;
}

static void on_tick(void *state, struct line_out *out)
{
	(void)state;
	line_put(out, SPAN("tick"));
	next_tick += 20000;
}

struct run {
	pid_t pid;
	int in, out, err; /* our ends; -1 once closed */
};

static struct run start(struct filter f)
{
	int in[2], out[2], err[2];
	struct run r;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	r.pid = fork();
	assert_true(r.pid >= 0);
	if (r.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		closefrom(3);
		err_program("t");
		f.line = on_line;
		f.tell = err_warn;
		next_tick = clock_mono_us();
		_exit(filter_run(&f));
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	r.in = in[1];
	r.out = out[0];
	r.err = err[0];
	return r;
}

static void end_of(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void say(struct run *r, const char *text)
{
	size_t n = strlen(text);

	assert_int_equal(write(r->in, text, n), n);
}

/* what comes at fd until it holds `enough`, or to the end where that is NULL */
static const char *hear(int fd, const char *enough)
{
	static char text[1 << 20];
	size_t n = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t k = 1;

	text[0] = '\0';
	while (k > 0 && !(enough && strstr(text, enough))) {
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			fail_msg("nothing more came behind '%s'", text);
		k = read(fd, text + n, sizeof text - 1 - n);
		assert_true(k >= 0);
		n += (size_t)k;
		text[n] = '\0';
	}
	return text;
}

static int end(struct run *r)
{
	int status;
	int64_t until = clock_mono_us() + PATIENCE_MS * 1000;

	end_of(&r->in);
	end_of(&r->out);
	end_of(&r->err);
	while (waitpid(r->pid, &status, WNOHANG) == 0) {
		if (clock_mono_us() > until) {
			kill(r->pid, SIGKILL);
			waitpid(r->pid, &status, 0);
			fail_msg("the filter does not end");
		}
		usleep(1000);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* input in, everything out, exit status */
static int run_on(struct filter f, const char *input, char out[4096], char err[4096])
{
	struct run r = start(f);

	say(&r, input);
	end_of(&r.in);
	snprintf(out, 4096, "%s", hear(r.out, NULL));
	snprintf(err, 4096, "%s", hear(r.err, NULL));
	return end(&r);
}

static char out[4096], err[4096];

/* ---------------------------------------------------------------------------------------------------------- lines */

static void passes_and_finishes(void **state)
{
	(void)state;
	assert_int_equal(run_on((struct filter){ .finish = on_finish }, "a\n*b\n-c\nd", out, err), 0);
	assert_string_equal(out, "a\n*b\n*b\nd\nfinish\n");
	assert_string_equal(err, "");
	assert_int_equal(run_on((struct filter){ 0 }, "", out, err), 0);
	assert_string_equal(out, "");
}

static void refusals_are_numbered_and_totalled(void **state)
{
	(void)state;
	assert_int_equal(run_on((struct filter){ 0 }, "a\n!\n\nb\n!x", out, err), 1);
	assert_string_equal(out, "a\nb\n");
	assert_string_equal(err, "t: line 2: byte 1: an exclamation\nt: line 3: byte 0: an empty line\n"
				 "t: line 5: byte 1: an exclamation\nt: 3 lines refused\n");
	assert_int_equal(run_on((struct filter){ 0 }, "!\n", out, err), 1);
	assert_string_equal(err, "t: line 1: byte 1: an exclamation\nt: 1 line refused\n");
}

static void strict_stops_at_the_first(void **state)
{
	(void)state;
	assert_int_equal(run_on((struct filter){ .strict = true, .finish = on_finish }, "a\n!\nb\n!\n", out, err), 1);
	assert_string_equal(out, "a\nfinish\n");
	assert_string_equal(err, "t: line 2: byte 1: an exclamation\nt: 1 line refused\n");
}

/* 20 at once, then 5 a second: in a run of well under 2 s at most 30 are told, and the total is right */
static void many_refusals_are_not_all_told(void **state)
{
	static char input[3 * 500 + 1];
	unsigned told = 0, hidden = 0;

	(void)state;
	for (size_t i = 0; i < 500; i++)
		memcpy(input + 3 * i, "!x\n", 3);
	assert_int_equal(run_on((struct filter){ 0 }, input, out, err), 1);
	for (const char *p = err; (p = strstr(p, "an exclamation")) != NULL; p++)
		told++;
	assert_in_range(told, 20, 30);
	assert_int_equal(
	    sscanf(strstr(err, "t: 500 lines"), "t: 500 lines refused, %u of them not shown\n", &hidden), 1);
	assert_int_equal(told + hidden, 500);
}

static void over_the_cap_is_refused_and_the_rest_kept(void **state)
{
	static char name[] = "/tmp/bnc-test-filter.XXXXXX";
	static char block[LINE_MAX_BYTES + 1];
	int fd = mkstemp(name);
	char *files[] = { name, NULL };

	(void)state;
	memset(block, 'x', sizeof block);
	assert_int_equal(write(fd, "a\n", 2), 2);
	assert_int_equal(write(fd, block, sizeof block), sizeof block);
	assert_int_equal(write(fd, "\nb\n", 3), 3);
	close(fd);
	assert_int_equal(run_on((struct filter){ .files = files }, "", out, err), 1);
	unlink(name);
	assert_string_equal(out, "a\nb\n");
	assert_string_equal(err, "t: line 2: byte 1048576: longer than 1 MiB\nt: 1 line refused\n");
}

/* ---------------------------------------------------------------------------------------------------------- files */

static void files_come_in_order(void **state)
{
	char one[] = "/tmp/bnc-test-filter.XXXXXX";
	char *files[] = { one, (char[]){ "-" }, (char[]){ "/nowhere/at all" }, one, NULL };
	char expected[512];
	int fd = mkstemp(one);

	(void)state;
	assert_int_equal(write(fd, "f\n!\nlast", 8), 8);
	close(fd);
	assert_int_equal(run_on((struct filter){ .files = files }, "s\n!\n", out, err), 3);
	unlink(one);
	assert_string_equal(out, "f\nlast\ns\nf\nlast\n");
	snprintf(expected, sizeof expected,
	    "t: %s: line 2: byte 1: an exclamation\nt: standard input: line 2: byte 1: an exclamation\n"
	    "t: /nowhere/at all: No such file or directory\nt: %s: line 2: byte 1: an exclamation\nt: 3 lines "
	    "refused\n",
	    one, one);
	assert_string_equal(err, expected);
}

static void an_unreadable_file_is_told(void **state)
{
	char *files[] = { (char[]){ "/" }, NULL };

	(void)state;
	assert_int_equal(run_on((struct filter){ .files = files, .finish = on_finish }, "", out, err), 3);
	assert_string_equal(out, "finish\n");
	assert_string_equal(err, "t: /: Is a directory\n");
}

/* the open of a FIFO without a writer must not be deaf to signals, nor take it for empty */
static void a_fifo_waits_for_its_writer(void **state)
{
	char dir[] = "/tmp/bnc-test-filter.XXXXXX";
	char name[64];
	char *files[] = { name, NULL };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof name, "%s/fifo", dir);
	assert_int_equal(mkfifo(name, 0600), 0);

	struct run r = start((struct filter){ .files = files });
	int fd = open(name, O_WRONLY); /* returns when the filter has it open */
	assert_int_equal(write(fd, "a\n", 2), 2);
	assert_string_equal(hear(r.out, "a\n"), "a\n");
	close(fd);
	assert_string_equal(hear(r.out, NULL), "");
	assert_int_equal(end(&r), 0);

	r = start((struct filter){ .files = files, .due = on_due, .tick = on_tick });
	assert_non_null(strstr(hear(r.out, "tick\ntick\n"), "tick\ntick\n")); /* it waits, and ticks */
	kill(r.pid, SIGTERM);
	hear(r.out, NULL);
	assert_int_equal(end(&r), 0);
	unlink(name);
	rmdir(dir);
}

/* ---------------------------------------------------------------------------------------------------------- timing */

static void a_trickle_passes_at_once(void **state)
{
	struct run r = start((struct filter){ 0 });

	(void)state;
	for (int i = 0; i < 20; i++) {
		char line[16];
		snprintf(line, sizeof line, "line %d\n", i);
		say(&r, line);
		assert_string_equal(hear(r.out, line), line);
	}
	say(&r, "half");
	say(&r, " a line\n");
	assert_string_equal(hear(r.out, "\n"), "half a line\n");
	end_of(&r.in);
	assert_string_equal(hear(r.out, NULL), "");
	assert_int_equal(end(&r), 0);
}

/* lines that were there when the filter came to read go out in one write: the pipe has them all at once */
static void a_burst_goes_out_in_a_batch(void **state)
{
	static char text[64 * 32 + 1];
	struct run r = start((struct filter){ 0 });
	size_t n = 0;

	(void)state;
	for (int i = 0; i < 64; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "%d\n", i);
	say(&r, text);
	struct pollfd p = { .fd = r.out, .events = POLLIN };
	char got[sizeof text];
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(read(r.out, got, sizeof got), n);
	assert_memory_equal(got, text, n);
	end_of(&r.in);
	assert_int_equal(end(&r), 0);
}

static void ticks_come_without_lines_and_between_them(void **state)
{
	struct run r = start((struct filter){ .due = on_due, .tick = on_tick });

	(void)state;
	assert_string_equal(hear(r.out, "tick\n"), "tick\n");
	say(&r, "a\n");
	hear(r.out, "a\n");
	hear(r.out, "tick\n");
	hear(r.out, "tick\n");
	end_of(&r.in);
	hear(r.out, NULL);
	assert_int_equal(end(&r), 0);
}

/* --------------------------------------------------------------------------------------------------------- signals */

static void counters_on_request(void **state)
{
	struct run r = start((struct filter){ .counters = on_counters });

	(void)state;
	say(&r, "a\n*b\n-c\n!d\n*e\n");
	hear(r.out, "*e\n*e\n");
	hear(r.err, "an exclamation\n");
	kill(r.pid, SIGUSR1);
	assert_string_equal(hear(r.err, "extra 7\n"), "t: in 5 out 5 refused 1 extra 7\n");
	say(&r, "f\n");
	assert_string_equal(hear(r.out, "f\n"), "f\n");
	end_of(&r.in);
	assert_string_equal(hear(r.err, NULL), "t: 1 line refused\n");
	assert_int_equal(end(&r), 1);
}

static void verbose_counts_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(run_on((struct filter){ .verbose = true }, "a\n", out, err), 0);
	assert_string_equal(err, "t: in 1 out 1 refused 0\n");
}

static void a_signal_ends_behind_the_last_line(void **state)
{
	static const int numbers[] = { SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct run r = start((struct filter){ .finish = on_finish });
		say(&r, "a\nb\nhalf");
		assert_string_equal(hear(r.out, "b\n"), "a\nb\n");
		kill(r.pid, numbers[i]);
		assert_string_equal(hear(r.out, NULL), "finish\n"); /* what was held back is not lost */
		assert_string_equal(hear(r.err, NULL), "");
		assert_int_equal(end(&r), 0);
	}
}

/* more than the pipes hold, and nobody reads */
static void stuff(struct run *r)
{
	static char block[1 << 16];
	struct pollfd p = { .fd = r->in, .events = POLLOUT };

	memset(block, 'z', sizeof block);
	for (size_t i = 1; i < sizeof block; i += 64)
		block[i] = '\n';
	block[sizeof block - 1] = '\n';
	fcntl(r->in, F_SETFL, O_NONBLOCK);
	while (poll(&p, 1, 200) == 1)
		if (write(r->in, block, sizeof block) < 0)
			assert_int_equal(errno, EAGAIN);
}

static void a_reader_that_stands_still_cannot_hold_it(void **state)
{
	struct run r = start((struct filter){ 0 });

	(void)state;
	stuff(&r);
	kill(r.pid, SIGUSR1); /* heard in the middle of the wait */
	hear(r.err, "refused 0\n");
	int64_t from = clock_mono_us();
	kill(r.pid, SIGTERM);
	assert_non_null(strstr(hear(r.err, NULL), "t: standard output: the reader takes nothing; "));
	int64_t took = clock_mono_us() - from;
	assert_in_range(took, 900000, 2500000);
	assert_int_equal(end(&r), 3);
}

static void a_second_signal_does_not_wait(void **state)
{
	struct run r = start((struct filter){ 0 });

	(void)state;
	stuff(&r);
	int64_t from = clock_mono_us();
	kill(r.pid, SIGTERM);
	usleep(50000);
	kill(r.pid, SIGTERM);
	hear(r.err, NULL);
	assert_true(clock_mono_us() - from < 800000);
	assert_int_equal(end(&r), 3);
}

static void a_slow_reader_gets_all_after_a_signal(void **state)
{
	struct run r = start((struct filter){ 0 });
	const char *text;

	(void)state;
	stuff(&r);
	kill(r.pid, SIGTERM);
	text = hear(r.out, NULL);
	assert_true(strlen(text) > 100000);
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_int_equal(end(&r), 0);
}

/* ----------------------------------------------------------------------------------------------------- lost readers */

static void a_reader_that_went_is_a_quiet_end(void **state)
{
	struct run r = start((struct filter){ .finish = on_finish });

	(void)state;
	say(&r, "a\n");
	hear(r.out, "a\n");
	end_of(&r.out); /* while it waits for input: it ends without a further line */
	assert_string_equal(hear(r.err, NULL), "");
	assert_int_equal(end(&r), 0);
}

static void a_reader_that_goes_while_it_is_waited_for(void **state)
{
	struct run r = start((struct filter){ 0 });

	(void)state;
	stuff(&r);
	end_of(&r.out);
	assert_string_equal(hear(r.err, NULL), "");
	assert_int_equal(end(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_and_finishes),
		cmocka_unit_test(refusals_are_numbered_and_totalled),
		cmocka_unit_test(strict_stops_at_the_first),
		cmocka_unit_test(many_refusals_are_not_all_told),
		cmocka_unit_test(over_the_cap_is_refused_and_the_rest_kept),
		cmocka_unit_test(files_come_in_order),
		cmocka_unit_test(an_unreadable_file_is_told),
		cmocka_unit_test(a_fifo_waits_for_its_writer),
		cmocka_unit_test(a_trickle_passes_at_once),
		cmocka_unit_test(a_burst_goes_out_in_a_batch),
		cmocka_unit_test(ticks_come_without_lines_and_between_them),
		cmocka_unit_test(counters_on_request),
		cmocka_unit_test(verbose_counts_at_the_end),
		cmocka_unit_test(a_signal_ends_behind_the_last_line),
		cmocka_unit_test(a_reader_that_stands_still_cannot_hold_it),
		cmocka_unit_test(a_second_signal_does_not_wait),
		cmocka_unit_test(a_slow_reader_gets_all_after_a_signal),
		cmocka_unit_test(a_reader_that_went_is_a_quiet_end),
		cmocka_unit_test(a_reader_that_goes_while_it_is_waited_for),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
