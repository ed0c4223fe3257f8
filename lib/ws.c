/* The loop is libwebsockets'; the program's own descriptors (signals, standard output, the clock, dials) are in one
 * epoll set, which is one more descriptor of that loop. */
#include "ws.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "ws_private.h"

#define BATCH	3  /* rounds without waiting, while messages come */
#define WATCHES 32 /* served in one */

/* ------------------------------------------------------------------------------------------ descriptors of ours */

void ws_unwatch(struct ws *w, struct ws_watch *watch)
{
	if (watch->fd >= 0)
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
}

/* The descriptor may be another one with the number of one that was closed since: the kernel forgot that one then. */
bool ws_watch(struct ws *w, struct ws_watch *watch, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = watch };

	if (watch->fd != fd)
		ws_unwatch(w, watch);
	watch->fd = fd;
	if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &e) == 0)
		return true;
	if (errno == ENOENT && epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return true;
	watch->fd = -1;
	return false;
}

/* one at a time: whoever is called may take others out of the set */
void ws_serve_watches(struct ws *w)
{
	struct epoll_event e;

	for (int i = 0; i < WATCHES && epoll_wait(w->epoll, &e, 1, 0) == 1; i++) {
		struct ws_watch *watch = e.data.ptr;
		watch->ready(watch, e.events);
	}
}

struct ws_readable {
	struct ws_watch watch;
	struct ws *w;
	void (*call)(void *user);
	struct ws_readable *next;
};

static void readable_ready(struct ws_watch *self, uint32_t events)
{
	const struct ws_readable *r = self->owner;

	(void)events;
	r->call(r->w->user);
}

bool ws_watch_readable(struct ws *w, int fd, void (*ready)(void *user))
{
	struct ws_readable *r = calloc(1, sizeof *r);

	if (!r)
		return false;
	*r = (struct ws_readable){ .watch = { readable_ready, r, -1 }, .w = w, .call = ready, .next = w->readable };
	if (!ws_watch(w, &r->watch, fd, EPOLLIN)) {
		free(r);
		return false;
	}
	w->readable = r;
	return true;
}

static void output_ready(struct ws_watch *self, uint32_t events)
{
	struct ws *w = self->owner;

	if (events & (EPOLLERR | EPOLLHUP)) {
		ws_unwatch(w, self);
		w->gone(w->user);
	} else {
		ws_watch(w, self, self->fd, 0);
		w->writable(w->user);
	}
}

bool ws_watch_output(struct ws *w, int fd, void (*writable)(void *user), void (*gone)(void *user))
{
	w->writable = writable;
	w->gone = gone;
	return ws_watch(w, &w->output, fd, 0);
}

void ws_want_writable(struct ws *w)
{
	if (w->output.fd >= 0)
		ws_watch(w, &w->output, w->output.fd, EPOLLOUT);
}

/* ----------------------------------------------------------------------------------------------------- the loop */

static void clock_ready(struct ws_watch *self, uint32_t events)
{
	struct ws *w = self->owner;
	uint64_t times;
	int64_t now = clock_mono_us();

	(void)events;
	if (read(w->timer, &times, sizeof times) < 0)
		return;
	for (struct ws_conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		ws_conn_check(c, now);
	}
	w->ev.tick(w->user);
}

/* A round takes a few records of TLS of each connection, and the exchange sends each message in one of its own. Rounds that
 * do not wait cost a message alone one empty poll(2), and make of a burst few writes; but after so many records it is
 * written in any case, so that nobody waits for its end. */
static bool serve(struct ws *w)
{
	bool going;

	w->busy = false;
	going = ws_lws_round(w, !w->ended && !w->fresh);
	for (int i = 0; i < BATCH && going && w->busy && !w->stop; i++) {
		w->busy = false;
		going = ws_lws_round(w, false);
	}
	return going;
}

bool ws_run(struct ws *w)
{
	bool going = true;

	while (going && !w->stop) {
		ws_conn_begin_fresh(w);
		ws_conn_tell_ends(w);
		w->ev.idle(w->user);
		if (!w->stop)
			going = serve(w);
	}
	w->stop = false;
	return going;
}

void ws_stop(struct ws *w)
{
	w->stop = true;
}

/* ------------------------------------------------------------------------------------------------ open and close */

/* libwebsockets' own timers make it spin for the last millisecond before each; the kernel's do not */
static bool open_clock(struct ws *w)
{
	const struct itimerspec every = { .it_interval = { 0, WS_TICK_US * 1000 },
		.it_value = { 0, WS_TICK_US * 1000 } };

	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return w->epoll >= 0 && w->timer >= 0 && timerfd_settime(w->timer, 0, &every, NULL) == 0 &&
	    ws_watch(w, &w->clock, w->timer, EPOLLIN);
}

struct ws *ws_open(const struct ws_options *o, const struct ws_events *ev, void *user, char why[256])
{
	struct ws *w = calloc(1, sizeof *w);

	snprintf(why, 256, "out of memory");
	if (!w)
		return NULL;
	*w = (struct ws){ .ev = *ev,
		.user = user,
		.epoll = -1,
		.timer = -1,
		.door = -1,
		.clock = { clock_ready, w, -1 },
		.output = { output_ready, w, -1 },
		.last_ended = &w->ended };
	snprintf(w->agent, sizeof w->agent, "%s", o->user_agent ? o->user_agent : "");
	w->tls = ws_tls_open(o->cacert, why);
	if (w->tls && !open_clock(w))
		snprintf(why, 256, "the loop: %s", strerror(errno));
	else if (w->tls && !ws_lws_open(w, o->verbose))
		snprintf(why, 256, "libwebsockets: %s", strerror(errno));
	else if (w->tls)
		return w;
	ws_free(w);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void free_list(struct ws_conn *c)
{
	while (c) {
		struct ws_conn *next = c->next;
		ws_conn_free(c);
		c = next;
	}
}

void ws_free(struct ws *w)
{
	free_list(w->conns);
	free_list(w->ended);
	ws_lws_close(w);
	SSL_CTX_free(w->tls);
	while (w->readable) {
		struct ws_readable *r = w->readable;
		w->readable = r->next;
		free(r);
	}
	close_fd(w->door);
	close_fd(w->timer);
	close_fd(w->epoll);
	free(w);
}
