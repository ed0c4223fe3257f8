#include "io.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES (256 << 10)

bool io_std_open(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDWR };

	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", wrong_way[fd]) != fd)
			return false;
	return true;
}

int io_signals(bool hangup)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	if (hangup)
		sigaddset(&set, SIGHUP);
	/* SIGXFSZ: a file at its size limit is a write error (EFBIG) with a message, not a core */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return -1;
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int io_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

void io_grow_pipe(int fd)
{
	int now = fcntl(fd, F_GETPIPE_SZ);

	if (now > 0 && now < PIPE_BYTES)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
}

/* fd becomes a description of our own, non-blocking. false: not allowed (somebody else's pipe or terminal), or a pipe
 * whose reader has gone already (ENXIO): the old description stays */
static bool reopen_nonblocking(int fd)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return false;
	bool done = dup2(own, fd) == fd;
	close(own);
	return done;
}

struct io_out io_own_output(int fd)
{
	struct io_out o = { .fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return o;
	if (S_ISSOCK(st.st_mode)) {
		o.socket = true;
		o.nonblock = true;
	} else if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		o.nonblock = reopen_nonblocking(fd);
		o.careful = !o.nonblock;
	}
	return o;
}

/* 1: a write of one page will not wait, 0: it would */
static int takes_a_page(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0);
}

ssize_t io_write(const struct io_out *o, const void *p, size_t n)
{
	ssize_t k;

	if (o->careful) {
		if (takes_a_page(o->fd) <= 0)
			return 0;
		n = n > PIPE_BUF ? PIPE_BUF : n;
	}
	do
		k = o->socket ? send(o->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) : write(o->fd, p, n);
	while (k < 0 && errno == EINTR);
	return k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : k;
}

void io_ready(int fd)
{
	if (fd < 0)
		return;
	ssize_t k;
	do
		k = write(fd, "\n", 1);
	while (k < 0 && errno == EINTR);
	close(fd);
}

uint64_t io_random(void)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = (uint64_t)clock_real_us() ^ (uint64_t)getpid() << 40;
	return random;
}
