/* outlet - standard output and signals of a program that has a loop of its own, and every way for it to end: what
 * lib/filter stands on, and what a program uses that reads otherwise than a filter does.
 *
 * What has been written to `out` goes out exactly when the program is about to wait. SIGUSR1 asks for the counters. The
 * program ends at SIGTERM or SIGINT behind what it has written, for which a slow reader has one second, and none
 * after a second signal. A reader that went away is a quiet end, also while there is nothing to write. */
#ifndef BNC_OUTLET_H
#define BNC_OUTLET_H

#include <poll.h>

#include "line.h"

struct outlet {
	struct line_out out;
	int signals;
	bool over;	/* a signal, a lost reader or a failed write: do nothing more */
	bool signalled; /* SIGTERM or SIGINT came */
	void (*counters)(void *user); /* SIGUSR1 */
	void *user;
};

/* takes signals, standard output and memory; before any thread is made. false: errno */
bool outlet_open(struct outlet *o, void (*counters)(void *user), void *user);
void outlet_close(struct outlet *o);

/* Waits until one of the n fds says what its `events` asks for, or until the microsecond `due` (clock_mono_us; INT64_MAX:
 * for ever). fds has room for OUTLET_FDS more behind them. > 0: how many of the n have something to say; 0: it
 * is due, or o->over; -1: errno. */
#define OUTLET_FDS 2
int outlet_wait(struct outlet *o, struct pollfd *fds, size_t n, int64_t due);

/* The last write, and what a file system says only at close(2). false: the output could not be written, or the reader
 * took nothing in its second after a signal; `tell` has been told so. A reader that went away is no failure. */
bool outlet_finish(struct outlet *o, void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2))));

/* the reader went away */
bool outlet_lost(const struct outlet *o);

#endif
