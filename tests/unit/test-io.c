/* lib/io */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io.h"

/* what `body` returns in a process of its own */
static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int closed_ones_are_filled(void)
{
	char c;

	closefrom(0);
	if (!io_std_open())
		return 1;
	int next = open("/dev/null", O_RDONLY);
	if (next != 3)
		return 2;
	errno = 0;
	if (read(0, &c, 1) != -1 || errno != EBADF)
		return 3;
	errno = 0;
	if (write(1, "x", 1) != -1 || errno != EBADF)
		return 4;
	return write(2, "x", 1) == 1 ? 0 : 5;
}

static int open_ones_are_left(void)
{
	int ends[2];
	char c = 0;

	if (pipe(ends) < 0 || dup2(ends[0], 0) < 0 || dup2(ends[1], 1) < 0 || !io_std_open())
		return 1;
	return write(1, "y", 1) == 1 && read(0, &c, 1) == 1 && c == 'y' ? 0 : 2;
}

static void standard_fds(void **state)
{
	(void)state;
	assert_int_equal(in_child(closed_ones_are_filled), 0);
	assert_int_equal(in_child(open_ones_are_left), 0);
}

static int signals_come_as_numbers(void)
{
	int fd = io_signals(true);
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || io_signal(fd) != 0 || poll(&p, 1, 0) != 0)
		return 1;
	raise(SIGUSR1);
	if (poll(&p, 1, 0) != 1 || io_signal(fd) != SIGUSR1 || io_signal(fd) != 0)
		return 2;
	raise(SIGTERM);
	raise(SIGHUP);
	int both = io_signal(fd) + io_signal(fd);
	if (both != SIGTERM + SIGHUP)
		return 3;
	raise(SIGPIPE);
	raise(SIGXFSZ);
	return io_signal(fd);
}

static int hangup_kills_where_it_is_not_asked_for(void)
{
	signal(SIGHUP, SIG_DFL); /* nohup(1) may be around the tests */
	if (io_signals(false) < 0)
		return 1;
	raise(SIGHUP);
	return 2;
}

static void signals(void **state)
{
	int status;

	(void)state;
	assert_int_equal(in_child(signals_come_as_numbers), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(hangup_kills_where_it_is_not_asked_for());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
}

static void pipes_grow(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	io_grow_pipe(ends[1]);
	/* root and small users get it; a user at the soft limit keeps what there is */
	assert_true(fcntl(ends[0], F_GETPIPE_SZ) >= 4096);
	if (geteuid() == 0)
		assert_int_equal(fcntl(ends[0], F_GETPIPE_SZ), 256 << 10);
	io_grow_pipe(STDERR_FILENO);
	io_grow_pipe(-1);
	close(ends[0]);
	close(ends[1]);
}

/* the other holder of the description, as a shell holds ours, keeps waiting writes */
static void a_pipe_gets_a_description_of_its_own(void **state)
{
	static char block[1 << 16];
	int ends[2];
	ssize_t k;
	size_t total = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	int shared = dup(ends[1]);
	struct io_out o = io_own_output(ends[1]);
	assert_int_equal(o.fd, ends[1]);
	assert_true(o.nonblock);
	assert_false(o.socket);
	assert_true(fcntl(o.fd, F_GETFL) & O_NONBLOCK);
	assert_false(fcntl(shared, F_GETFL) & O_NONBLOCK);
	while ((k = io_write(&o, block, sizeof block)) > 0)
		total += (size_t)k;
	assert_int_equal(k, 0);
	assert_true(total >= 4096);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	errno = 0;
	assert_int_equal(io_write(&o, block, 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
	close(shared);
}

/* where the pipe cannot be opened again: never a write that waits */
static void a_careful_writer_does_not_wait(void **state)
{
	static char block[1 << 16];
	int ends[2];
	ssize_t k;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	struct io_out o = { .fd = ends[1], .careful = true };
	while ((k = io_write(&o, block, sizeof block)) > 0)
		assert_true(k <= 4096);
	assert_int_equal(k, 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(io_write(&o, block, 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
}

static void a_pipe_without_reader_is_left(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	struct io_out o = io_own_output(ends[1]);
	assert_int_equal(o.fd, ends[1]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(io_write(&o, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
}

static void a_socket_never_waits(void **state)
{
	static char block[1 << 16];
	int ends[2];
	ssize_t k;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	struct io_out o = io_own_output(ends[0]);
	assert_true(o.socket && o.nonblock);
	assert_false(fcntl(ends[0], F_GETFL) & O_NONBLOCK);
	while ((k = io_write(&o, block, sizeof block)) > 0)
		continue;
	assert_int_equal(k, 0);
	close(ends[1]);
	assert_int_equal(io_write(&o, block, 1), -1);
	close(ends[0]);
}

static void a_file_keeps_its_offset(void **state)
{
	char name[] = "/tmp/bnc-test-io.XXXXXX";
	char text[8] = "";
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, "one", 3), 3);
	struct io_out o = io_own_output(fd);
	assert_false(o.nonblock || o.socket || o.careful);
	assert_int_equal(io_write(&o, "two", 3), 3);
	assert_int_equal(pread(fd, text, 7, 0), 6);
	assert_string_equal(text, "onetwo");
	close(fd);
}

static void readiness_is_a_newline_and_the_end(void **state)
{
	int ends[2];
	char text[4];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	io_ready(ends[1]);
	assert_int_equal(read(ends[0], text, sizeof text), 1);
	assert_int_equal(text[0], '\n');
	assert_int_equal(read(ends[0], text, sizeof text), 0);
	close(ends[0]);
	io_ready(-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(standard_fds),
		cmocka_unit_test(signals),
		cmocka_unit_test(pipes_grow),
		cmocka_unit_test(a_pipe_gets_a_description_of_its_own),
		cmocka_unit_test(a_careful_writer_does_not_wait),
		cmocka_unit_test(a_pipe_without_reader_is_left),
		cmocka_unit_test(a_socket_never_waits),
		cmocka_unit_test(a_file_keeps_its_offset),
		cmocka_unit_test(readiness_is_a_newline_and_the_end),
	};

	return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
