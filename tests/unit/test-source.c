/* lib/source without connections: a program of its own in a process of its own, and a reader that reads, sleeps or goes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "source.h"

#define MS 1000LL

static struct source source;
static unsigned each_tick; /* frames that come */
static bool paused;
static int told; /* what the program says, a line each */

static char out[2 << 20], words[1 << 16];
static int status;

/* ------------------------------------------------------------------------------------------------- the program */

static void no_conn(void *user, struct ws_conn *c)
{
	(void)user, (void)c;
}

static void no_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	(void)user, (void)c, (void)text, (void)recv;
}

static void no_down(void *user, struct ws_conn *c, const struct ws_end *e)
{
	(void)user, (void)c, (void)e;
}

static void tell(const char *text)
{
	dprintf(told, "%s\n", text);
}

static void tick(void *user, int64_t now)
{
	char text[1000];

	(void)now;
	assert_ptr_equal(user, &source);
	memset(text, 'x', sizeof text);
	memcpy(text, "{\"stream\":\"", 11);
	memcpy(text + sizeof text - 2, "\"}", 2);
	for (unsigned i = 0; i < each_tick && !paused; i++)
		source_frame(&source, 0, false, (struct span){ text, sizeof text }, 1);
}

static void full(void *user)
{
	(void)user;
	paused = true;
	tell("full");
}

static void room(void *user)
{
	(void)user;
	paused = false;
	tell("room");
}

static void end(void *user)
{
	(void)user;
	tell("end");
}

static bool ended(void *user)
{
	(void)user;
	return true;
}

static void counters(void *user)
{
	(void)user;
	tell("counters");
}

static const struct source_program program = { no_conn, no_message, no_conn, no_down, tick, full, room, end, ended,
	counters, tell };

/* ------------------------------------------------------------------------------------------------- the reader */

static int from_program, from_words;
static pid_t child;

static void begin(struct source_options o, unsigned frames)
{
	int pipe_out[2], pipe_words[2];
	char why[256];

	o.box.market = EVENT_USDM;
	o.box.streams = 1;
	o.box.cap = o.box.cap ? o.box.cap : 1 << 20;
	o.box.reserve = 1 << 20;
	o.ready_fd = -1;
	assert_int_equal(pipe2(pipe_out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipe_words, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(pipe_out[1], STDOUT_FILENO);
		close(pipe_out[0]), close(pipe_out[1]), close(pipe_words[0]);
		told = pipe_words[1];
		each_tick = frames;
		if (!source_open(&source, &o, &program, &source, why))
			tell(why), _exit(9);
		bool good = source_run(&source);
		source_close(&source);
		_exit(good ? 0 : 3);
	}
	close(pipe_out[1]), close(pipe_words[1]);
	from_program = pipe_out[0];
	from_words = pipe_words[0];
}

static size_t read_all(int fd, char *text, size_t cap)
{
	size_t n = 0;

	for (ssize_t k; n < cap - 1 && (k = read(fd, text + n, cap - 1 - n)) > 0;)
		n += (size_t)k;
	text[n] = '\0';
	return n;
}

/* until these words have been said, on and on */
static void hear(const char *expected)
{
	static char said[1 << 12];
	size_t n = 0;

	do {
		ssize_t k = read(from_words, said + n, sizeof said - 1 - n);
		assert_true(k > 0);
		n += (size_t)k;
		said[n] = '\0';
	} while (!strstr(said, expected));
}

static void finish(bool reads)
{
	if (reads)
		read_all(from_program, out, sizeof out);
	else
		out[0] = '\0';
	read_all(from_words, words, sizeof words);
	waitpid(child, &status, 0);
	close(from_program), close(from_words);
}

static unsigned lines(void)
{
	unsigned n = 0;

	for (const char *p = out; (p = strchr(p, '\n')); p++)
		n++;
	return n;
}

/* -------------------------------------------------------------------------------------------------- the tests */

static void it_ends_with_its_count(void **state)
{
	(void)state;
	begin((struct source_options){ .box = { .count = 7 }, .status = true, .live = true }, 3);
	finish(true);
	assert_int_equal(status, 0);
	assert_int_equal(lines(), 8);
	assert_non_null(strstr(out, "}\n{\"type\":\"status\",\"state\":\"end\",\"ts\":"));
	assert_non_null(strstr(out, "\"source\":\"live\"}\n"));
	assert_string_equal(words, "end\n");
}

static void it_ends_with_its_time(void **state)
{
	int64_t before = clock_mono_us();

	(void)state;
	begin((struct source_options){ .time = 300 * MS }, 1);
	finish(true);
	assert_int_equal(status, 0);
	assert_true(clock_mono_us() - before >= 300 * MS);
	assert_in_range(lines(), 0, 4);
}

static void a_signal_ends_it_and_says_which(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin((struct source_options){ .status = true }, 1);
		assert_int_equal(read(from_program, out, 1), 1);
		kill(child, SIGUSR1);
		hear("counters\n");
		kill(child, signals[i]);
		finish(true);
		assert_int_equal(status, 0);
		assert_non_null(strstr(out, i ? "\"detail\":\"SIGINT\"}\n" : "\"detail\":\"SIGTERM\"}\n"));
		assert_non_null(strstr(out, "\"source\":\"demo\""));
	}
}

static void a_reader_that_goes_ends_it_in_silence(void **state)
{
	(void)state;
	for (unsigned frames = 0; frames < 2; frames++) {
		begin((struct source_options){ .status = true }, frames);
		if (frames)
			assert_int_equal(read(from_program, out, 1), 1);
		close(from_program);
		from_program = open("/dev/null", O_RDONLY | O_CLOEXEC);
		finish(true);
		assert_int_equal(status, 0);
		assert_string_equal(words, "end\n");
	}
}

static void a_slow_reader_is_told_of_and_gets_all(void **state)
{
	(void)state;
	begin((struct source_options){ .box = { .cap = 500000, .count = 1500 } }, 1000);
	hear("full\n");
	/* nothing comes now, however long; it goes on when half has been taken */
	assert_int_equal(read(from_program, out, 1), 1);
	finish(true);
	assert_int_equal(status, 0);
	assert_int_equal(lines(), 1500);
	assert_non_null(strstr(words, "room\n"));
}

static void a_reader_that_takes_nothing_is_not_waited_for_after_a_signal(void **state)
{
	(void)state;
	begin((struct source_options){ .box = { .cap = 500000 } }, 1000);
	hear("full\n");
	kill(child, SIGTERM);
	finish(false);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	assert_non_null(strstr(words, "end\nthe reader takes nothing: "));
	/* and a second signal ends it at once */
	begin((struct source_options){ .box = { .cap = 500000 } }, 1000);
	hear("full\n");
	kill(child, SIGTERM);
	hear("end\n");
	kill(child, SIGTERM);
	finish(false);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_ends_with_its_count),
		cmocka_unit_test(it_ends_with_its_time),
		cmocka_unit_test(a_signal_ends_it_and_says_which),
		cmocka_unit_test(a_reader_that_goes_ends_it_in_silence),
		cmocka_unit_test(a_slow_reader_is_told_of_and_gets_all),
		cmocka_unit_test(a_reader_that_takes_nothing_is_not_waited_for_after_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
