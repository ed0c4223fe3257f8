#include "outlet.h"

#include "clock.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

/* how long a reader that takes nothing can hold up the end after a signal */
#define LAST_WAIT_US 1000000

/* takes what waits at the signal fd. The first SIGTERM or SIGINT gives a slow reader a second to take the rest, the
 * next one none. Also called in the middle of a wait for the reader, hence the shape. */
static bool answer_signals(void *outlet)
{
	struct outlet *o = outlet;
	int number;

	while ((number = io_signal(o->signals)) != 0) {
		if (number == SIGUSR1) {
			o->counters(o->user);
			continue;
		}
		o->out.deadline = o->signalled ? 0 : clock_mono_us() + LAST_WAIT_US;
		o->over = o->signalled = true;
	}
	return true;
}

bool outlet_open(struct outlet *o, void (*counters)(void *user), void *user)
{
	*o = (struct outlet){ .counters = counters, .user = user };
	o->signals = io_signals(false);
	if (o->signals < 0)
		return false;
	io_grow_pipe(STDOUT_FILENO);
	if (!line_out_open(&o->out, io_own_output(STDOUT_FILENO), o->signals))
		return false;
	o->out.woken = answer_signals;
	o->out.user = o;
	return true;
}

void outlet_close(struct outlet *o)
{
	line_out_close(&o->out);
	if (o->signals >= 0)
		close(o->signals);
	o->signals = -1;
}

/* poll(2) to the microsecond, until `due` */
static int wait_for(struct pollfd *fds, size_t n, int64_t due)
{
	int64_t left = due == INT64_MAX ? 0 : due - clock_mono_us();
	struct timespec t = { .tv_sec = left > 0 ? left / 1000000 : 0, .tv_nsec = left > 0 ? left % 1000000 * 1000 : 0 };

	return ppoll(fds, n, due == INT64_MAX ? NULL : &t, NULL);
}

int outlet_wait(struct outlet *o, struct pollfd *fds, size_t n, int64_t due)
{
	struct pollfd *signals = &fds[n], *reader = &fds[n + 1];

	*signals = (struct pollfd){ .fd = o->signals, .events = POLLIN };
	*reader = (struct pollfd){ .fd = o->out.to.fd }; /* POLLERR and POLLHUP are always told */
	while (!o->over) {
		/* what has gathered goes out first where that means waiting */
		bool look = line_pending(&o->out) > 0;
		int k = wait_for(fds, n + OUTLET_FDS, look ? 0 : due);
		if (k < 0 && errno != EINTR)
			return -1;
		if (k < 0)
			continue;
		if (signals->revents)
			answer_signals(o);
		if (reader->revents & (POLLERR | POLLHUP))
			o->out.error = EPIPE;
		if (look && k == 0)
			line_flush(&o->out);
		o->over = o->over || o->out.error != 0;
		k -= (signals->revents != 0) + (reader->revents != 0);
		if (k > 0 || o->over || (!look && clock_mono_us() >= due))
			return o->over ? 0 : k;
	}
	return 0;
}

bool outlet_lost(const struct outlet *o)
{
	return o->out.error == EPIPE || o->out.error == ECONNRESET;
}

bool outlet_finish(struct outlet *o, void (*tell)(const char *format, ...))
{
	if (line_flush(&o->out)) {
		int copy = dup(o->out.to.fd);
		if (copy < 0 || close(copy) < 0)
			o->out.error = errno;
	}
	if (o->out.error == 0 || outlet_lost(o))
		return true;
	errno = o->out.error;
	if (errno == ETIMEDOUT)
		tell("standard output: the reader takes nothing; %zu bytes are lost", line_pending(&o->out));
	else
		tell("standard output:");
	return false;
}
