/* lib/hub_socket: what stands in the way of a socket, and what does not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub_socket.h"

static char dir[64], why[256], long_path[256];
static struct hub_socket s, other;

static int start(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/bnc-hub_socket.XXXXXX");
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	hub_socket_close(&s);
	hub_socket_close(&other);
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return chdir("/") || system(command);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode;
}

/* a socket of somebody else's; its descriptor */
static int foreign(const char *path, int type, bool listens)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listens && listen(fd, 0), 0);
	return fd;
}

static void refused(const char *path, const char *reason)
{
	char expected[600];

	assert_false(hub_socket_listen(&other, path, 0600, why));
	snprintf(expected, sizeof expected, "%.250s: %s", path, reason);
	expected[255] = '\0';
	assert_string_equal(why, expected);
	assert_int_equal(other.fd, -1);
	assert_int_equal(other.lock, -1);
}

static void a_socket_is_made_with_its_mode_and_goes(void **state)
{
	(void)state;
	mode_t mask = umask(0);
	assert_true(hub_socket_listen(&s, "s", 0600, why));
	assert_int_equal(mode_of("s"), S_IFSOCK | 0600);
	assert_int_equal(mode_of("s.lock"), S_IFREG | 0600);
	assert_true(hub_socket_listen(&other, "t", 0666, why));
	assert_int_equal(mode_of("t"), S_IFSOCK | 0666);
	assert_int_equal(umask(mask), 0);
	int client = hub_socket_connect("s");
	assert_true(client >= 0);
	assert_true((fcntl(client, F_GETFL) & O_NONBLOCK) && (fcntl(client, F_GETFD) & FD_CLOEXEC));
	assert_true((fcntl(s.fd, F_GETFL) & O_NONBLOCK) && (fcntl(s.fd, F_GETFD) & FD_CLOEXEC));
	close(client);
	hub_socket_close(&s);
	assert_int_equal(access("s", F_OK), -1);
	assert_int_equal(hub_socket_connect("s"), -1);
	assert_int_equal(errno, ENOENT);
	hub_socket_close(&s); /* twice */
}

static void one_at_a_time(void **state)
{
	(void)state;
	assert_true(hub_socket_listen(&s, "s", 0600, why));
	refused("s", "another hub serves it");
	assert_true(hub_socket_connect("s") >= 0);
	/* nor when the lock file has been removed meanwhile */
	unlink("s.lock");
	refused("s", "another program listens at it");
	assert_true(hub_socket_connect("s") >= 0);
	hub_socket_close(&s);
	assert_true(hub_socket_listen(&s, "s", 0600, why));
}

/* many that start at the same moment: one of them serves */
static void a_race(void **state)
{
	enum { RACERS = 20 };
	int go[2], status, won = 0;

	(void)state;
	close(foreign("s", SOCK_STREAM, true)); /* and something stale stands there */
	assert_int_equal(pipe(go), 0);
	for (int i = 0; i < RACERS; i++) {
		if (fork() > 0)
			continue;
		char c;
		close(go[1]);
		if (read(go[0], &c, 1) == 0 && hub_socket_listen(&s, "s", 0600, why)) {
			usleep(200000); /* until all have tried */
			_exit(hub_socket_connect("s") >= 0 ? 1 : 2);
		}
		_exit(0);
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < RACERS; i++) {
		assert_true(wait(&status) > 0 && WIFEXITED(status));
		assert_int_not_equal(WEXITSTATUS(status), 2);
		won += WEXITSTATUS(status);
	}
	assert_int_equal(won, 1);
}

static void a_stale_one_is_replaced(void **state)
{
	(void)state;
	close(foreign("s", SOCK_STREAM, true));
	assert_int_equal(hub_socket_connect("s"), -1);
	assert_int_equal(errno, ECONNREFUSED);
	assert_true(hub_socket_listen(&s, "s", 0600, why));
	assert_true(hub_socket_connect("s") >= 0);
	/* one that never listened is stale as well, and so is one of a hub that was killed */
	close(foreign("t", SOCK_STREAM, false));
	assert_true(hub_socket_listen(&other, "t", 0600, why));
	close(other.fd), close(other.lock);
	other.fd = other.lock = -1;
	other.ino = 0;
	assert_true(hub_socket_listen(&other, "t", 0600, why));
}

static void what_is_somebody_elses_stays(void **state)
{
	int fd = foreign("s", SOCK_STREAM, true);

	(void)state;
	refused("s", "another program listens at it");
	/* whose backlog is full */
	int waiting[8];
	for (size_t i = 0; i < 8; i++)
		waiting[i] = hub_socket_connect("s");
	assert_int_equal(waiting[7], -1);
	assert_int_equal(errno, EAGAIN);
	refused("s", "another program listens at it");
	for (size_t i = 0; i < 8; i++)
		if (waiting[i] >= 0)
			close(waiting[i]);
	assert_int_equal(mode_of("s") & S_IFMT, S_IFSOCK);
	close(fd);
	/* of another kind */
	fd = foreign("d", SOCK_DGRAM, false);
	refused("d", strerror(EPROTOTYPE));
	close(fd);
}

static void what_is_no_socket_stays(void **state)
{
	struct stat st;

	(void)state;
	close(open("file", O_CREAT | O_WRONLY, 0600));
	assert_int_equal(mkdir("dir", 0700) | mkfifo("fifo", 0600) | symlink("nowhere", "link"), 0);
	refused("file", "is there, and is no socket"), refused("dir", "is there, and is no socket");
	refused("fifo", "is there, and is no socket"), refused("link", "is there, and is no socket");
	assert_int_equal(mode_of("file") & S_IFMT, S_IFREG);
	assert_int_equal(mode_of("link") & S_IFMT, S_IFLNK);
	assert_int_equal(stat("nowhere", &st), -1);
	/* a link in the place of the lock is not followed */
	assert_int_equal(symlink("victim", "s.lock"), 0);
	assert_false(hub_socket_listen(&other, "s", 0600, why));
	assert_string_equal(why, "s.lock: Too many levels of symbolic links");
	assert_int_equal(stat("victim", &st), -1);
}

static void paths(void **state)
{
	(void)state;
	refused("", strerror(ENOENT));
	memset(long_path, 'x', 108);
	refused(long_path, strerror(ENAMETOOLONG));
	assert_int_equal(hub_socket_connect(long_path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	long_path[107] = '\0';
	assert_true(hub_socket_listen(&s, long_path, 0600, why));
	assert_true(hub_socket_connect(long_path) >= 0);
	assert_false(hub_socket_listen(&other, "none/s", 0600, why));
	assert_string_equal(why, "none/s.lock: No such file or directory");
}

/* what has taken the place of ours meanwhile is not removed */
static void only_ours_is_removed(void **state)
{
	(void)state;
	assert_true(hub_socket_listen(&s, "s", 0600, why));
	int keep = foreign("t", SOCK_STREAM, true);
	assert_int_equal(rename("t", "s"), 0);
	hub_socket_close(&s);
	assert_int_equal(mode_of("s") & S_IFMT, S_IFSOCK);
	int client = hub_socket_connect("s");
	assert_true(client >= 0);
	close(client);
	close(keep);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		T(a_socket_is_made_with_its_mode_and_goes),
		T(one_at_a_time),
		T(a_race),
		T(a_stale_one_is_replaced),
		T(what_is_somebody_elses_stays),
		T(what_is_no_socket_stays),
		T(paths),
		T(only_ours_is_removed),
	};

	s = other = (struct hub_socket){ .fd = -1, .lock = -1, .path = "" };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
