#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "proxy.h"
#include "sandbox.h"

#define END_US 1000000LL /* for close frames, and for the reader after a signal */
#define WRITE_BYTES (256u << 10)

/* --------------------------------------------------------------------------------------------------- output */

void source_frame(struct source *s, size_t stream, bool newest_only, struct span text, int64_t recv)
{
	outbox_frame(&s->box, stream, newest_only, text, recv);
	s->want_end |= outbox_complete(&s->box);
}

void source_status(struct source *s, struct event_status e)
{
	char text[8192];

	if (!s->o.status)
		return;
	e.ts = clock_real_us() / 1000;
	e.source = s->o.live ? SPAN("live") : SPAN("demo");
	outbox_line(&s->box, (struct span){ text, (size_t)(event_write_status(text, &e) - text) });
}

static void write_failed(struct source *s)
{
	char text[200];

	s->reader_gone = s->want_end = true;
	if (errno == EPIPE)
		return;
	s->failed = true;
	snprintf(text, sizeof text, "standard output: %s", strerror(errno));
	s->program->tell(text);
}

/* writes what the reader takes now */
static void flush(struct source *s)
{
	for (struct span w; !s->blocked && !s->reader_gone && (w = outbox_head(&s->box)).n > 0;) {
		ssize_t n = io_write(&s->to, w.p, w.n < WRITE_BYTES ? w.n : WRITE_BYTES);
		if (n > 0) {
			outbox_drop(&s->box, (size_t)n);
		} else if (n == 0) {
			s->blocked = true;
			if (s->watched)
				ws_want_writable(s->ws);
		} else {
			write_failed(s);
		}
	}
}

/* ------------------------------------------------------------------------------------------------------ end */

void source_done(struct source *s)
{
	s->want_end = true;
}

void source_fail(struct source *s)
{
	s->failed = s->want_end = true;
}

void source_ready(struct source *s)
{
	io_ready(s->o.ready_fd);
	s->o.ready_fd = -1;
}

static void begin_end(struct source *s)
{
	s->ending = true;
	s->end_at = clock_mono_us() + END_US;
	s->program->end(s->user);
	source_status(s, (struct event_status){ .state = SPAN("end"), .detail = span_of(s->detail ? s->detail : "") });
}

static void stop(struct source *s)
{
	if (!s->stopped)
		ws_stop(s->ws);
	s->stopped = true;
}

static void check_end(struct source *s)
{
	bool late = clock_mono_us() >= s->end_at;
	bool written = outbox_empty(&s->box) && (late || s->program->ended(s->user));

	if (s->reader_gone || written || (late && s->by_signal))
		stop(s);
}

/* what follows from what has just happened */
static void settle(struct source *s)
{
	if (s->want_end && !s->ending)
		begin_end(s);
	if (s->ending) {
		check_end(s);
		return;
	}
	enum outbox_level level = outbox_level(&s->box);
	if (level == OUTBOX_FULL)
		s->program->full(s->user);
	else if (level == OUTBOX_ROOM)
		s->program->room(s->user);
}

static void flush_and_settle(struct source *s)
{
	settle(s);
	flush(s);
	settle(s);
}

/* ------------------------------------------------------------------------------------------ what the loop tells */

static void on_up(void *user, struct ws_conn *c)
{
	struct source *s = user;

	if (!s->want_end)
		s->program->up(s->user, c);
	settle(s);
}

static void on_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	struct source *s = user;

	if (s->want_end)
		return;
	s->program->message(s->user, c, text, recv);
	settle(s);
}

static void on_pong(void *user, struct ws_conn *c)
{
	const struct source *s = user;

	if (!s->want_end)
		s->program->pong(s->user, c);
}

static void on_down(void *user, struct ws_conn *c, const struct ws_end *end)
{
	struct source *s = user;

	s->program->down(s->user, c, end);
	settle(s);
}

static void on_tick(void *user)
{
	struct source *s = user;
	int64_t now = clock_mono_us();

	s->want_end |= s->stop_at && now >= s->stop_at;
	s->blocked &= s->watched;
	if (!s->want_end)
		s->program->tick(s->user, now);
	flush_and_settle(s);
}

static void on_idle(void *user)
{
	flush_and_settle(user);
}

static void on_log(void *user, int level, const char *text)
{
	const struct source *s = user;

	if (level <= s->o.ws.verbose)
		s->program->tell(text);
}

static void on_writable(void *user)
{
	struct source *s = user;

	s->blocked = false;
	flush_and_settle(s);
}

static void on_readable(void *user)
{
	struct source *s = user;

	s->readable(s->user);
	flush_and_settle(s);
}

static void on_gone(void *user)
{
	struct source *s = user;

	s->reader_gone = s->want_end = true;
	settle(s);
}

static void on_signal(void *user)
{
	struct source *s = user;

	for (int number; (number = io_signal(s->signals)) != 0;) {
		if (number == SIGUSR1) {
			s->program->counters(s->user);
			continue;
		}
		if (s->by_signal) /* the second one: at once */
			stop(s);
		s->by_signal = s->want_end = true;
		s->end_at = clock_mono_us() + END_US;
		s->detail = number == SIGINT ? "SIGINT" : "SIGTERM";
	}
	flush_and_settle(s);
}

/* ------------------------------------------------------------------------------------------------------- life */

static bool fail(char why[256], const char *what)
{
	snprintf(why, 256, "%s: %s", what, strerror(errno));
	return false;
}

bool source_open(struct source *s, const struct source_options *o, const struct source_program *p, void *user,
    char why[256])
{
	static const struct ws_events events = { on_up, on_message, on_pong, on_down, on_tick, on_idle, on_log };

	*s = (struct source){ .o = *o, .program = p, .user = user };
	s->signals = io_signals(false);
	if (s->signals < 0)
		return fail(why, "signals");
	s->to = io_own_output(STDOUT_FILENO);
	io_grow_pipe(STDOUT_FILENO);
	if (!outbox_open(&s->box, &o->box))
		return fail(why, "the buffer");
	s->ws = ws_open(&o->ws, &events, s, why);
	if (!s->ws)
		return false;
	if (!ws_watch_readable(s->ws, s->signals, on_signal))
		return fail(why, "signals");
	/* a file is always ready: there is nothing to watch */
	s->watched = (s->to.nonblock || s->to.careful) && ws_watch_output(s->ws, s->to.fd, on_writable, on_gone);
	return true;
}

bool source_watch(struct source *s, int fd, void (*ready)(void *user))
{
	s->readable = ready;
	return ws_watch_readable(s->ws, fd, on_readable);
}

void source_close(struct source *s)
{
	ws_free(s->ws);
	outbox_close(&s->box);
	close(s->signals);
}

/* Of the proxy, where one is in between. A variable that makes no sense is told by who dials. *secret: also where it wants
 * a password */
static uint16_t dialed_port(const struct source_peer *p, bool *secret)
{
	struct proxy via;
	char why[256];
	bool there = proxy_pick(&via, getenv, span_of(p->host), p->port, p->tls, why) && via.kind != PROXY_NONE;
	uint16_t port = there ? via.port : p->port;

	*secret |= there && via.login;
	explicit_bzero(&via, sizeof via);
	return port;
}

bool source_enter_sandbox(const struct source_peer *peers, size_t n, const char *cacert, bool off)
{
	struct sandbox s;
	bool secret = false;

	sandbox_open(&s, SANDBOX_OPEN | SANDBOX_THREADS | SANDBOX_NET, off);
	sandbox_names(&s);
	sandbox_certificates(&s, cacert);
	for (size_t i = 0; i < n; i++)
		sandbox_port(&s, dialed_port(&peers[i], &secret));
	return (!secret || sandbox_no_core()) && sandbox_enter(&s);
}

bool source_run(struct source *s)
{
	char text[100];

	s->stop_at = s->o.time ? clock_mono_us() + s->o.time : 0;
	if (!ws_run(s->ws)) {
		s->failed = true;
		snprintf(text, sizeof text, "the loop: %s", strerror(errno));
		s->program->tell(text);
	}
	if (!s->reader_gone && !outbox_empty(&s->box)) {
		s->failed = true;
		snprintf(text, sizeof text, "the reader takes nothing: %zu bytes are lost", outbox_bytes(&s->box));
		s->program->tell(text);
	}
	return !s->failed;
}
