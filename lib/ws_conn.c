/* A connection from ws_connect to its `down`. No `down` comes from within a call of the interface, nor from within one
 * of libwebsockets': connections that have ended wait in a list for the loop. */
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "proxy.h"
#include "ws_private.h"

#define CLOSE_US     800000   /* for the peer's last word; with a tick, within a second */
#define HANDSHAKE_US 15000000 /* for TLS and the answer to the upgrade together, however slowly they drip */

/* --------------------------------------------------------------------------------------------------- telling */

void ws_conn_say(const struct ws_conn *c, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n = snprintf(text, sizeof text, "%.100s:%u: ", c->host, (unsigned)c->port);

	va_start(ap, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	va_end(ap);
	c->w->ev.log(c->w->user, 1, text);
}

void ws_conn_cause(struct ws_conn *c, enum ws_cause cause, const char *format, ...)
{
	va_list ap;

	if (c->caused)
		return;
	c->caused = true;
	c->end.cause = cause;
	va_start(ap, format);
	vsnprintf(c->end.text, sizeof c->end.text, format, ap);
	va_end(ap);
	span_clean(c->end.text);
}

void *ws_tag(const struct ws_conn *c)
{
	return c->tag;
}

bool ws_is_up(const struct ws_conn *c)
{
	return c->state == WS_IS_UP;
}

int64_t ws_heard(const struct ws_conn *c)
{
	return c->heard;
}

/* ----------------------------------------------------------------------------------------------------- the end */

static void drop_dial(struct ws_conn *c)
{
	ws_unwatch(c->w, &c->watch);
	ws_dial_free(c->dial);
	c->dial = NULL;
}

static void unlink_conn(struct ws_conn *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
}

void ws_conn_end(struct ws_conn *c)
{
	if (c->state == WS_IS_ENDED)
		return;
	c->state = WS_IS_ENDED;
	drop_dial(c);
	ws_lws_let_go(c);
	unlink_conn(c);
	c->next = NULL;
	*c->w->last_ended = c;
	c->w->last_ended = &c->next;
}

void ws_conn_free(struct ws_conn *c)
{
	drop_dial(c);
	ws_lws_let_go(c);
	ws_send_drop(c);
	if (c->given >= 0)
		close(c->given);
	free(c->in.p);
	free(c->text);
	explicit_bzero(c->path, sizeof c->path); /* it may have a secret in it */
	free(c);
}

/* those that have ended by now; not those that end meanwhile, lest the network waits for ever */
void ws_conn_tell_ends(struct ws *w)
{
	struct ws_conn *c = w->ended;

	w->ended = NULL;
	w->last_ended = &w->ended;
	while (c) {
		struct ws_conn *next = c->next;
		w->ev.down(w->user, c, &c->end);
		ws_conn_free(c);
		c = next;
	}
}

void ws_conn_closing(struct ws_conn *c)
{
	if (c->state != WS_IS_UP)
		return;
	c->state = WS_IS_CLOSING;
	c->deadline = clock_mono_us() + CLOSE_US;
}

void ws_conn_close(struct ws_conn *c, int code)
{
	ws_conn_closing(c);
	c->want_close = true;
	c->close_code = code;
	ws_lws_want_write(c);
}

void ws_close(struct ws_conn *c, int code)
{
	if (c->state == WS_IS_CLOSING || c->state == WS_IS_ENDED)
		return;
	ws_conn_cause(c, WS_ASKED, "closed");
	if (c->state == WS_IS_UP)
		ws_conn_close(c, code);
	else
		ws_conn_end(c);
}

void ws_kill(struct ws_conn *c)
{
	ws_conn_cause(c, WS_ASKED, "dropped");
	ws_conn_end(c);
}

/* --------------------------------------------------------------------------------------------------- the beginning */

static void say_connected(const struct ws_conn *c, int fd)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof peer;
	char text[64] = "?";

	if (getpeername(fd, (struct sockaddr *)&peer, &n) == 0)
		(void)getnameinfo((struct sockaddr *)&peer, n, text, sizeof text, NULL, 0, NI_NUMERICHOST);
	ws_conn_say(c, "connected to %s", text);
}

static void hand_over(struct ws_conn *c)
{
	int fd = ws_dial_take(c->dial);

	drop_dial(c);
	say_connected(c, fd);
	c->state = WS_IS_HANDSHAKE;
	c->deadline = clock_mono_us() + HANDSHAKE_US;
	if (!ws_lws_take(c, fd)) {
		ws_conn_cause(c, WS_CONNECT, "libwebsockets does not take the connection");
		ws_conn_end(c);
	}
}

static void dial_on(struct ws_conn *c, int64_t now)
{
	enum ws_dial_state state = ws_dial_step(c->dial, now);
	bool for_writing;
	int fd;

	switch (state) {
	case WS_DIAL_GOES_ON:
		fd = ws_dial_fd(c->dial, &for_writing);
		if (fd < 0 || !ws_watch(c->w, &c->watch, fd, for_writing ? EPOLLOUT : EPOLLIN))
			ws_unwatch(c->w, &c->watch);
		return;
	case WS_DIAL_UP:
		hand_over(c);
		return;
	case WS_DIAL_NO_ADDRESS:
	case WS_DIAL_FAILED:
		ws_conn_cause(c, state == WS_DIAL_NO_ADDRESS ? WS_RESOLVE : WS_CONNECT, "%s", ws_dial_why(c->dial));
		ws_conn_end(c);
		return;
	}
}

static void dial_ready(struct ws_watch *self, uint32_t events)
{
	(void)events;
	dial_on(self->owner, clock_mono_us());
}

static void begin(struct ws_conn *c)
{
	char why[256];
	struct proxy via;
	int64_t now = clock_mono_us();

	if (!proxy_pick(&via, getenv, span_of(c->host), c->port, c->tls, why)) {
		ws_conn_cause(c, WS_CONNECT, "%s", why);
		ws_conn_end(c);
		return;
	}
	if (via.kind != PROXY_NONE)
		ws_conn_say(c, "by way of proxy %s:%u", via.host, (unsigned)via.port);
	c->dial = ws_dial_start(&via, span_of(c->host), c->port, now);
	explicit_bzero(&via, sizeof via);
	if (!c->dial) {
		ws_conn_cause(c, WS_CONNECT, "out of memory");
		ws_conn_end(c);
		return;
	}
	c->state = WS_IS_DIALING;
	dial_on(c, now);
}

void ws_conn_begin_fresh(struct ws *w)
{
	if (!w->fresh)
		return;
	w->fresh = false;
	for (struct ws_conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		if (c->state == WS_IS_FRESH)
			begin(c);
	}
}

static bool only_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* what libwebsockets would get wrong in silence */
static const char *unfit(const struct ws_target *t)
{
	if (t->host.n == 0 || t->host.n > 253 || !only_printable(t->host))
		return "this is no name of a host";
	/* it cuts a name at its first ':', and checks no certificate against a name that is empty then */
	if (memchr(t->host.p, ':', t->host.n))
		return "a host with ':' in it is not supported";
	if (t->path.n > WS_PATH_MAX)
		return "the path is too long";
	if (t->path.n == 0 || t->path.p[0] != '/' || !only_printable(t->path))
		return "the path does not begin with '/', or has a blank in it";
	return NULL;
}

struct ws_conn *ws_connect(struct ws *w, const struct ws_target *t, void *tag)
{
	struct ws_conn *c = calloc(1, sizeof *c);
	const char *why = unfit(t);

	if (!c)
		return NULL;
	*c = (struct ws_conn){ .w = w,
		.tag = tag,
		.next = w->conns,
		.link = &w->conns,
		.port = t->port,
		.tls = t->tls,
		.watch = { dial_ready, c, -1 },
		.given = -1,
		.last_out = &c->out,
		.heard = clock_mono_us(),
		.end = { .retry_after = -1 } };
	if (w->conns)
		w->conns->link = &c->next;
	w->conns = c;
	if (why) {
		ws_conn_cause(c, WS_CONNECT, "%s", why);
		ws_conn_end(c);
		return c;
	}
	memcpy(c->host, t->host.p, t->host.n);
	memcpy(c->path, t->path.p, t->path.n);
	w->fresh = true;
	return c;
}

/* every tick */
void ws_conn_check(struct ws_conn *c, int64_t now)
{
	if (c->state == WS_IS_DIALING) {
		dial_on(c, now);
	} else if (c->state == WS_IS_HANDSHAKE && now >= c->deadline) {
		ws_conn_cause(c, WS_HANDSHAKE, "WebSocket handshake: no whole answer in time");
		ws_conn_end(c);
	} else if (c->state == WS_IS_CLOSING && now >= c->deadline) {
		ws_conn_end(c);
	}
}
