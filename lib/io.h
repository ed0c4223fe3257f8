/* io - file descriptors and signals. */
#ifndef BNC_IO_H
#define BNC_IO_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* opens /dev/null on whichever of 0, 1, 2 is closed, so that no socket can ever become "standard output". Standard
 * input and output are opened the wrong way round: using them fails (EBADF), so that a program whose output went
 * nowhere cannot end as if all were well. */
bool io_std_open(void);

/* blocks SIGTERM, SIGINT, SIGUSR1 and, when `hangup`, SIGHUP, ignores SIGPIPE and SIGXFSZ, and gives a non-blocking fd
 * that delivers them; -1 on error. Call it before any thread is made. */
int io_signals(bool hangup);
/* the next waiting signal of that fd, 0 when there is none */
int io_signal(int fd);

/* asks the kernel for a 256 KiB pipe where fd is a pipe; a refusal is nothing to tell (measured: the largest single
 * lever for copying; 1 MiB adds nothing measurable) */
void io_grow_pipe(int fd);

/* O_NONBLOCK belongs to the open file description, which standard output shares with the shell and perhaps with
 * standard error. A pipe or terminal is opened again through /proc for a description of our own, which then stands at `fd`; a socket is
 * left (send with MSG_DONTWAIT); a regular file must not be opened again (it has its own offset). */
struct io_out {
	int fd;
	bool socket;   /* use send(2) */
	bool nonblock; /* writes say EAGAIN instead of waiting */
	bool careful;  /* a pipe or terminal that could not be opened again: poll first, write one page at most */
};
struct io_out io_own_output(int fd);

/* one write: >= 0 bytes written, 0 also for "would block"; -1 with errno (EPIPE: the reader has gone) */
ssize_t io_write(const struct io_out *o, const void *p, size_t n);

/* readiness for a caller that waits on fd: one newline, then closed. fd < 0: nothing to do */
void io_ready(int fd);

/* 64 bits of the kernel's; where it gives none, of the clock and the process */
uint64_t io_random(void);

#endif
