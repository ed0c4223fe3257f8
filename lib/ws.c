/* How it is built, and why (libwebsockets 4.1.6):
 *
 * The connection to the host is made by lib/ws_dial, proxy and all, and libwebsockets gets it ready-made. It has no way
 * to take over a connection as a client, so it is let connect to a door of our own (a UNIX socket that nobody listens
 * to), and when it says that it has, LWS_CALLBACK_WSI_CREATE, the real connection is put in the place of that one by
 * dup3. It never connects anywhere else, so nothing can go wrong there unnoticed: without the exchange of descriptors
 * there is nobody at the other end.
 *
 * Our own descriptors (signals, standard output, the clock, dials) are in one epoll set, and that is one more descriptor
 * of libwebsockets' loop.
 *
 * No `down` comes from within a call of this interface, nor from within one of libwebsockets': connections that have
 * ended wait in a list for the loop. */
#include "ws.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "num.h"
#include "proxy.h"
#include "ws_dial.h"
#include "ws_tls.h"

#define FDS_MAX	       256 /* descriptors in the loop: connections, and one for all of ours */
#define RECORD_BYTES   16384
#define HEADERS_BYTES  16384 /* of an answer to the upgrade; 4096 by default */
#define QUEUE_BYTES    (64u << 10)
#define BATCH	       32      /* rounds without waiting, while messages come */
#define CLOSE_US       800000  /* for the peer's close frame; with a tick, within a second */
#define HANDSHAKE_US   15000000 /* for TLS and the answer to the upgrade together, however slowly they drip */
#define LWS_TIMEOUT_S  5	   /* for each of the two in silence */
#define LWS_CONNECT_S  20

/* a descriptor of ours in the epoll set */
struct watch {
	void (*ready)(struct watch *self, uint32_t events);
	void *owner;
	int fd; /* -1: not in the set */
};

struct readable { /* ws_watch_readable */
	struct watch watch;
	struct ws *w;
	void (*call)(void *user);
	struct readable *next;
};

struct ws {
	struct ws_events ev;
	void *user;
	char agent[64];
	struct lws_context *lws;
	struct lws_vhost *vhost;
	SSL_CTX *tls;
	int epoll, door, timer;
	char door_name[sizeof ((struct sockaddr_un *)0)->sun_path + 2]; /* "+@name" */
	struct watch clock, output;
	struct readable *readable;
	void (*writable)(void *user);
	void (*gone)(void *user);
	struct ws_conn *conns;
	struct ws_conn *ended, **last_ended; /* their `down` is due */
	bool fresh;			     /* some connection waits for its first step */
	bool busy;			     /* data have come in this round */
	bool stop;
	int64_t recv; /* of the latest message */
};

enum state { FRESH, DIALING, HANDSHAKE, UP, CLOSING, ENDED };

struct out {
	struct out *next;
	size_t n;
	unsigned char room[]; /* LWS_PRE, then the text: the library masks it in place */
};

struct ws_conn {
	struct ws *w;
	void *tag;
	struct ws_conn *next, **link; /* among w->conns; behind the end, among w->ended */
	enum state state;
	char host[256];
	char path[WS_PATH_MAX + 1];
	uint16_t port;
	bool tls;
	struct ws_dial *dial;
	struct watch watch; /* of the dial */
	struct lws *wsi;
	int given;    /* the connection on its way to libwebsockets; -1: not (any more) */
	bool request; /* the upgrade has been sent: TLS stands */
	char *text;   /* message so far, with room for JSON_PAD behind it */
	size_t n, cap;
	struct out *out, **last_out;
	size_t queued;
	bool want_ping, want_close;
	int close_code;
	int64_t heard, deadline; /* deadline of HANDSHAKE and CLOSING */
	bool caused;		 /* `end` says why; the first cause counts */
	struct ws_end end;
};

/* --------------------------------------------------------------------------------------------------- telling */

static void say(const struct ws_conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct ws_conn *c, const char *format, ...)
{
	char text[512];
	va_list ap;
	int n = snprintf(text, sizeof text, "%.100s:%u: ", c->host, (unsigned)c->port);

	va_start(ap, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	va_end(ap);
	c->w->ev.log(c->w->user, 1, text);
}

/* libwebsockets' log is one for the process */
static struct ws *log_to;

static void lws_says(int level, const char *line)
{
	char text[300];
	int n = (int)strcspn(line, "\n");

	(void)level;
	if (!log_to)
		return;
	snprintf(text, sizeof text, "libwebsockets: %.*s", n, line);
	log_to->ev.log(log_to->user, 2, text);
}

/* what comes from outside may hold anything */
static void clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static void cause(struct ws_conn *c, enum ws_cause why, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void cause(struct ws_conn *c, enum ws_cause why, const char *format, ...)
{
	va_list ap;

	if (c->caused)
		return;
	c->caused = true;
	c->end.cause = why;
	va_start(ap, format);
	vsnprintf(c->end.text, sizeof c->end.text, format, ap);
	va_end(ap);
	clean(c->end.text);
}

/* ------------------------------------------------------------------------------------------ descriptors of ours */

static void unwatch(struct ws *w, struct watch *watch)
{
	if (watch->fd >= 0)
		epoll_ctl(w->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	watch->fd = -1;
}

/* also for another descriptor than before, which may have the number of one that was closed since */
static bool watch_for(struct ws *w, struct watch *watch, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = watch };

	if (watch->fd != fd)
		unwatch(w, watch);
	watch->fd = fd;
	if (epoll_ctl(w->epoll, EPOLL_CTL_MOD, fd, &e) == 0)
		return true;
	if (errno == ENOENT && epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) == 0)
		return true;
	watch->fd = -1;
	return false;
}

/* one at a time: whoever is called may take others out of the set */
static void serve_watches(struct ws *w)
{
	struct epoll_event e;

	for (int i = 0; i < BATCH && epoll_wait(w->epoll, &e, 1, 0) == 1; i++) {
		struct watch *watch = e.data.ptr;
		watch->ready(watch, e.events);
	}
}

static void readable_ready(struct watch *self, uint32_t events)
{
	const struct readable *r = self->owner;

	(void)events;
	r->call(r->w->user);
}

bool ws_watch_readable(struct ws *w, int fd, void (*ready)(void *user))
{
	struct readable *r = calloc(1, sizeof *r);

	if (!r)
		return false;
	*r = (struct readable){ .watch = { readable_ready, r, -1 }, .w = w, .call = ready, .next = w->readable };
	if (!watch_for(w, &r->watch, fd, EPOLLIN)) {
		free(r);
		return false;
	}
	w->readable = r;
	return true;
}

static void output_ready(struct watch *self, uint32_t events)
{
	struct ws *w = self->owner;

	if (events & (EPOLLERR | EPOLLHUP)) {
		unwatch(w, self);
		w->gone(w->user);
	} else {
		watch_for(w, self, self->fd, 0);
		w->writable(w->user);
	}
}

bool ws_watch_output(struct ws *w, int fd, void (*writable)(void *user), void (*gone)(void *user))
{
	w->writable = writable;
	w->gone = gone;
	return watch_for(w, &w->output, fd, 0);
}

void ws_want_writable(struct ws *w)
{
	if (w->output.fd >= 0)
		watch_for(w, &w->output, w->output.fd, EPOLLOUT);
}

/* ------------------------------------------------------------------------------------------ ends of connections */

/* libwebsockets closes it on its own; what it still says of it is heard by nobody */
static void let_go(struct ws_conn *c)
{
	struct lws *wsi = c->wsi;

	c->wsi = NULL;
	if (!wsi)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
}

static void drop_dial(struct ws_conn *c)
{
	unwatch(c->w, &c->watch);
	ws_dial_free(c->dial);
	c->dial = NULL;
}

static void unlink_conn(struct ws_conn *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
}

static void end(struct ws_conn *c)
{
	if (c->state == ENDED)
		return;
	drop_dial(c);
	let_go(c);
	c->state = ENDED;
	unlink_conn(c);
	c->next = NULL;
	*c->w->last_ended = c;
	c->w->last_ended = &c->next;
}

/* libwebsockets has said its last word about it */
static void gone(struct ws_conn *c)
{
	lws_set_opaque_user_data(c->wsi, NULL);
	c->wsi = NULL;
	end(c);
}

static void free_conn(struct ws_conn *c)
{
	while (c->out) {
		struct out *o = c->out;
		c->out = o->next;
		free(o);
	}
	if (c->given >= 0)
		close(c->given);
	free(c->text);
	free(c);
}

/* those that have ended by now; not those that end or begin meanwhile, lest libwebsockets has to wait for ever */
static void tell_ends(struct ws *w)
{
	struct ws_conn *c = w->ended;

	w->ended = NULL;
	w->last_ended = &w->ended;
	while (c) {
		struct ws_conn *next = c->next;
		w->ev.down(w->user, c, &c->end);
		free_conn(c);
		c = next;
	}
}

static void start_close(struct ws_conn *c, int code)
{
	c->state = CLOSING;
	c->close_code = code;
	c->want_close = true;
	c->deadline = clock_mono_us() + CLOSE_US;
	lws_callback_on_writable(c->wsi);
}

void ws_close(struct ws_conn *c, int code)
{
	if (c->state == CLOSING || c->state == ENDED)
		return;
	cause(c, WS_ASKED, "closed");
	if (c->state == UP)
		start_close(c, code);
	else
		end(c);
}

void ws_kill(struct ws_conn *c)
{
	cause(c, WS_ASKED, "dropped");
	end(c);
}

/* ---------------------------------------------------------------------------------------------------- dialling */

/* "host" or "host:port": libwebsockets cuts the name for SNI and for the check at the first ':' */
static void host_header(char *out, size_t cap, const struct ws_conn *c)
{
	if (c->port == (c->tls ? 443 : 80))
		snprintf(out, cap, "%s", c->host);
	else
		snprintf(out, cap, "%s:%u", c->host, (unsigned)c->port);
}

/* nobody ever reads what came to the door */
static void empty_door(struct ws *w)
{
	for (int fd; (fd = accept4(w->door, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
		close(fd);
}

static void hand_over(struct ws_conn *c, int fd)
{
	/* the default policy hangs up after 310 s without a pong, however much data flows */
	static const lws_retry_bo_t no_policy = { .secs_since_valid_ping = 0 };
	char header[300];
	struct lws_client_connect_info i = { .context = c->w->lws,
		.vhost = c->w->vhost,
		.address = c->w->door_name,
		.port = c->port,
		.path = c->path,
		.host = header,
		/* NO_FOLLOW: it would follow a redirect to any host */
		.ssl_connection = (c->tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.local_protocol_name = "ws",
		.alpn = "http/1.1", /* or it offers h2, over which it has no WebSocket */
		.opaque_user_data = c,
		.retry_and_idle_policy = &no_policy,
		.pwsi = &c->wsi };

	host_header(header, sizeof header, c);
	empty_door(c->w);
	c->state = HANDSHAKE;
	c->deadline = clock_mono_us() + HANDSHAKE_US;
	c->given = fd;
	struct lws *wsi = lws_client_connect_via_info(&i);
	if (c->state == ENDED)
		return;
	if (wsi && c->given < 0)
		return;
	if (!wsi)
		c->wsi = NULL;
	cause(c, WS_CONNECT, "libwebsockets does not take the connection");
	end(c);
}

static void dial_on(struct ws_conn *c)
{
	enum ws_dial_state state = ws_dial_step(c->dial, clock_mono_us());
	bool for_writing;

	if (state == WS_DIAL_GOES_ON) {
		int fd = ws_dial_fd(c->dial, &for_writing);
		if (fd < 0 || !watch_for(c->w, &c->watch, fd, for_writing ? EPOLLOUT : EPOLLIN))
			unwatch(c->w, &c->watch);
	} else if (state == WS_DIAL_UP) {
		unwatch(c->w, &c->watch);
		int fd = ws_dial_take(c->dial);
		drop_dial(c);
		say(c, "connected");
		hand_over(c, fd);
	} else {
		cause(c, state == WS_DIAL_NO_ADDRESS ? WS_RESOLVE : WS_CONNECT, "%s", ws_dial_why(c->dial));
		end(c);
	}
}

static void dial_ready(struct watch *self, uint32_t events)
{
	(void)events;
	dial_on(self->owner);
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
	if (memchr(t->host.p, ':', t->host.n))
		return "a host with ':' in it is not supported";
	if (t->path.n > WS_PATH_MAX)
		return "the path is too long";
	if (!only_printable(t->path))
		return "the path has a blank or a control character in it";
	return NULL;
}

static void begin(struct ws_conn *c)
{
	char why[256];
	struct proxy via;

	if (!proxy_pick(&via, getenv, span_of(c->host), c->port, c->tls, why)) {
		cause(c, WS_CONNECT, "%s", why);
		end(c);
		return;
	}
	if (via.kind != PROXY_NONE)
		say(c, "by way of proxy %s:%u", via.host, (unsigned)via.port);
	c->dial = ws_dial_start(&via, span_of(c->host), c->port, clock_mono_us());
	explicit_bzero(&via, sizeof via);
	if (!c->dial) {
		cause(c, WS_CONNECT, "out of memory");
		end(c);
		return;
	}
	c->state = DIALING;
	dial_on(c);
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
		snprintf(c->host, sizeof c->host, "%.*s", (int)(t->host.n < 253 ? t->host.n : 253), t->host.p);
		cause(c, WS_CONNECT, "%s", why);
		end(c);
		return c;
	}
	memcpy(c->host, t->host.p, t->host.n);
	memcpy(c->path, t->path.p, t->path.n);
	w->fresh = true;
	return c;
}

static void begin_fresh(struct ws *w)
{
	w->fresh = false;
	for (struct ws_conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		if (c->state == FRESH)
			begin(c);
	}
}

/* --------------------------------------------------------------------------------------- an established connection */

void *ws_tag(const struct ws_conn *c)
{
	return c->tag;
}

bool ws_is_up(const struct ws_conn *c)
{
	return c->state == UP;
}

int64_t ws_heard(const struct ws_conn *c)
{
	return c->heard;
}

bool ws_send(struct ws_conn *c, struct span text)
{
	if (c->state != UP || c->queued > QUEUE_BYTES)
		return false;
	struct out *o = malloc(sizeof *o + LWS_PRE + text.n);
	if (!o)
		return false;
	o->next = NULL;
	o->n = text.n;
	memcpy(o->room + LWS_PRE, text.p, text.n);
	*c->last_out = o;
	c->last_out = &o->next;
	c->queued += text.n;
	lws_callback_on_writable(c->wsi);
	return true;
}

void ws_ping(struct ws_conn *c)
{
	if (c->state != UP)
		return;
	c->want_ping = true;
	lws_callback_on_writable(c->wsi);
}

/* the oldest of the queue; what the socket does not take of it, libwebsockets keeps */
static bool send_oldest(struct ws_conn *c)
{
	struct out *o = c->out;
	int n = lws_write(c->wsi, o->room + LWS_PRE, o->n, LWS_WRITE_TEXT);

	c->out = o->next;
	if (!c->out)
		c->last_out = &c->out;
	c->queued -= o->n;
	bool done = n >= 0 && (size_t)n >= o->n;
	free(o);
	return done;
}

/* one write a call. -1: libwebsockets is to close */
static int write_something(struct ws_conn *c)
{
	unsigned char ping[LWS_PRE + 1];
	bool done = true;

	if (c->want_close) {
		c->want_close = false;
		lws_close_reason(c->wsi, (enum lws_close_status)c->close_code, NULL, 0);
		return -1;
	}
	if (c->state != UP)
		return 0;
	if (c->want_ping) {
		c->want_ping = false;
		done = lws_write(c->wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) >= 0;
	} else if (c->out) {
		done = send_oldest(c);
	}
	if (!done) {
		cause(c, WS_LOST, "the connection is lost: nothing can be sent");
		return -1;
	}
	if (c->want_ping || c->out)
		lws_callback_on_writable(c->wsi);
	return 0;
}

static bool make_room(struct ws_conn *c, size_t n)
{
	size_t cap = c->cap ? c->cap : 4096;

	while (cap < n + JSON_PAD)
		cap *= 2;
	if (cap == c->cap)
		return true;
	char *more = realloc(c->text, cap);
	if (!more)
		return false;
	c->text = more;
	c->cap = cap;
	return true;
}

/* one message, one line: a line end in JSON is as good as a blank */
static void flatten(char *p, size_t n)
{
	for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL;)
		*p++ = ' ';
}

static void deliver(struct ws_conn *c)
{
	struct ws *w = c->w;
	int64_t now = clock_real_us();

	if (c->n == 0)
		return;
	w->recv = now > w->recv ? now : w->recv;
	flatten(c->text, c->n);
	memset(c->text + c->n, 0, JSON_PAD);
	w->ev.message(w->user, c, (struct span){ c->text, c->n }, w->recv);
}

/* Never lets libwebsockets close from here: before 4.3.6 that overruns its buffer when a chunk fills it exactly. */
static void receive(struct ws_conn *c, struct lws *wsi, const char *in, size_t len)
{
	size_t to_come = lws_remaining_packet_payload(wsi);

	c->heard = clock_mono_us();
	c->w->busy = true;
	if (c->state != UP)
		return;
	if (lws_is_first_fragment(wsi))
		c->n = 0;
	if (len > WS_MESSAGE_MAX - c->n || to_come > WS_MESSAGE_MAX - c->n - len) {
		cause(c, WS_TOO_LONG, "a message is longer than %u bytes", WS_MESSAGE_MAX);
		start_close(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
		return;
	}
	if (!make_room(c, c->n + len)) {
		cause(c, WS_LOST, "out of memory for a message");
		start_close(c, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION);
		return;
	}
	memcpy(c->text + c->n, in, len);
	c->n += len;
	if (lws_is_final_fragment(wsi))
		deliver(c);
}

static void established(struct ws_conn *c)
{
	c->state = UP;
	c->end.was_up = true;
	c->heard = clock_mono_us();
	say(c, "WebSocket is up");
	c->w->ev.up(c->w->user, c);
}

/* the peer's close frame; libwebsockets answers it */
static void peer_closes(struct ws_conn *c, const unsigned char *in, size_t len)
{
	if (len >= 2)
		c->end.close_code = in[0] << 8 | in[1];
	if (len > 2)
		cause(c, WS_CLOSED, "the server closed the connection (%d: %.*s)", c->end.close_code, (int)len - 2, (const char *)in + 2);
	else if (len == 2)
		cause(c, WS_CLOSED, "the server closed the connection (%d)", c->end.close_code);
	else
		cause(c, WS_CLOSED, "the server closed the connection (no code given)");
	if (c->state == UP) {
		c->state = CLOSING;
		c->deadline = clock_mono_us() + CLOSE_US;
	}
}

/* ------------------------------------------------------------------------------------------------ the handshake */

static int add_headers(struct ws_conn *c, struct lws *wsi, unsigned char **at, size_t len)
{
	const unsigned char *agent = (const unsigned char *)c->w->agent;

	c->request = true;
	if (!*agent)
		return 0;
	return lws_add_http_header_by_name(wsi, (const unsigned char *)"User-Agent:", agent, (int)strlen(c->w->agent), at, *at + len);
}

/* seconds or a date (RFC 9110, 10.2.3); -1: neither */
static int64_t parse_retry_after(const char *text)
{
	uint64_t seconds;
	struct tm tm = { .tm_isdst = 0 };

	if (num_u64(span_trim(span_of(text)), 0, INT32_MAX, &seconds))
		return (int64_t)seconds;
	if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return -1;
	int64_t left = (int64_t)timegm(&tm) - clock_real_us() / 1000000;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;
}

/* here only the answer's head can be read */
static void http_answer(struct ws_conn *c, struct lws *wsi)
{
	char text[64];

	c->end.http = (int)lws_http_client_http_response(wsi);
	if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_RETRY_AFTER) > 0)
		c->end.retry_after = parse_retry_after(text);
}

/* once more by ourselves: libwebsockets checks what is left of the name when it has cut it at a ':' */
static int check_name(struct ws_conn *c, struct lws *wsi)
{
	if (!c->tls || ws_tls_names(lws_get_ssl(wsi), c->host))
		return 0;
	cause(c, WS_CERTIFICATE, "certificate does not name %s", c->host);
	return -1;
}

static void handshake_failed(struct ws_conn *c, struct lws *wsi, const char *in, size_t len)
{
	char text[128];
	const char *failure = c->tls ? ws_tls_failure(lws_get_ssl(wsi)) : NULL;

	snprintf(text, sizeof text, "%.*s", in ? (int)strnlen(in, len) : 0, in ? in : "");
	if (c->tls && !c->request)
		cause(c, WS_TLS, "TLS handshake: %s", failure ? failure : *text ? text : "no answer");
	else if (c->end.http && c->end.http != 101)
		cause(c, WS_HTTP, "the server answers HTTP %d", c->end.http);
	else
		cause(c, WS_HANDSHAKE, "WebSocket handshake: %s", *text ? text : "no answer");
}

/* how a connection that was up came down without a close frame: TCP knows */
static void lost(struct ws_conn *c, struct lws *wsi)
{
	struct tcp_info info = { .tcpi_state = 0 };
	socklen_t n = sizeof info;
	const char *how = "";

	if (getsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_INFO, &info, &n) == 0)
		how = info.tcpi_state == TCP_CLOSE ? "reset" : info.tcpi_state == TCP_CLOSE_WAIT ? "closed" : "other";
	cause(c, WS_LOST, "the connection is lost (%s %d)", how, info.tcpi_state);
}

/* ------------------------------------------------------------------------------------ what libwebsockets calls */

/* the door's connection becomes the real one */
static int exchange(struct ws_conn *c, struct lws *wsi)
{
	int at = lws_get_socket_fd(wsi);

	if (c->given < 0)
		return 0;
	if (at >= 0 && dup3(c->given, at, O_CLOEXEC) == at) {
		close(c->given);
		c->given = -1;
	}
	return 0;
}

static int conn_event(struct ws_conn *c, struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_WSI_CREATE:
		return exchange(c, wsi);
	case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
		if (!len && !c->caused) {
			char text[200];
			ws_tls_explain(text, sizeof text, user, c->host);
			cause(c, WS_CERTIFICATE, "%s", text);
		}
		return 0; /* the verdict stays OpenSSL's */
	case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
		return add_headers(c, wsi, in, len);
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
		http_answer(c, wsi);
		return 0;
	case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
		return check_name(c, wsi);
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		established(c);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		receive(c, wsi, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		c->heard = clock_mono_us();
		c->w->ev.pong(c->w->user, c);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return write_something(c);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		peer_closes(c, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		handshake_failed(c, wsi, in, len);
		gone(c);
		return 0;
	/* an upgrade that is never answered ends with the first of these alone */
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY:
		if (c->end.was_up)
			lost(c, wsi);
		else
			handshake_failed(c, wsi, NULL, 0);
		gone(c);
		return 0;
	default:
		return 0;
	}
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	switch (reason) { /* without a connection, or with one that is made up */
	case LWS_CALLBACK_GET_THREAD_ID:
	case LWS_CALLBACK_PROTOCOL_INIT:
	case LWS_CALLBACK_PROTOCOL_DESTROY:
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS:
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		return 0;
	default:
		break;
	}
	struct ws_conn *c = wsi ? lws_get_opaque_user_data(wsi) : NULL;
	if (!c)
		return 0;
	c->wsi = wsi;
	return conn_event(c, wsi, reason, user, in, len);
}

static int on_watches(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_RAW_RX_FILE)
		serve_watches(lws_context_user(lws_get_context(wsi)));
	return 0;
}

/* ----------------------------------------------------------------------------------------------------- the loop */

static void check_deadline(struct ws_conn *c, int64_t now)
{
	if (c->state == DIALING) {
		dial_on(c);
	} else if (c->state == HANDSHAKE && now >= c->deadline) {
		cause(c, WS_HANDSHAKE, "WebSocket handshake: no whole answer in time");
		end(c);
	} else if (c->state == CLOSING && now >= c->deadline) {
		end(c);
	}
}

static void clock_ready(struct watch *self, uint32_t events)
{
	struct ws *w = self->owner;
	uint64_t times;
	int64_t now = clock_mono_us();

	(void)events;
	if (read(w->timer, &times, sizeof times) < 0)
		return;
	for (struct ws_conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		check_deadline(c, now);
	}
	w->ev.tick(w->user);
}

/* A record of TLS is a round of libwebsockets, and the exchange sends a message in each, so that a flush a round were a
 * write a message. Rounds that do not wait cost a message alone one empty poll(2), and a burst few writes. */
static void serve(struct ws *w)
{
	w->busy = false;
	lws_service(w->lws, w->ended || w->fresh ? -1 : 0);
	for (int i = 0; i < BATCH && w->busy && !w->stop; i++) {
		w->busy = false;
		lws_service(w->lws, -1);
	}
}

void ws_run(struct ws *w)
{
	while (!w->stop) {
		begin_fresh(w);
		tell_ends(w);
		w->ev.idle(w->user);
		if (!w->stop)
			serve(w);
	}
	w->stop = false;
}

void ws_stop(struct ws *w)
{
	w->stop = true;
}

/* ------------------------------------------------------------------------------------------------ open and close */

static bool open_clock(struct ws *w)
{
	const struct itimerspec every = { .it_interval = { 0, WS_TICK_US * 1000 }, .it_value = { 0, WS_TICK_US * 1000 } };

	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return w->epoll >= 0 && w->timer >= 0 && timerfd_settime(w->timer, 0, &every, NULL) == 0 &&
	    watch_for(w, &w->clock, w->timer, EPOLLIN);
}

/* the kernel chooses an abstract name that is free */
static bool open_door(struct ws *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	socklen_t n = sizeof a;

	w->door = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->door < 0 || bind(w->door, (struct sockaddr *)&a, sizeof a.sun_family) < 0 || listen(w->door, 16) < 0 ||
	    getsockname(w->door, (struct sockaddr *)&a, &n) < 0)
		return false;
	int name = (int)(n - offsetof(struct sockaddr_un, sun_path)) - 1;
	snprintf(w->door_name, sizeof w->door_name, "+@%.*s", name, a.sun_path + 1);
	return true;
}

static bool open_lws(struct ws *w, int verbose)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "ws", .callback = on_lws, .rx_buffer_size = RECORD_BYTES },
		{ .name = "watches", .callback = on_watches },
		{ .name = NULL },
	};
	/* no extensions: permessage-deflate of 4.1.6 delivers the first uncompressed message for ever. No VALIDATE_UTF8: with
	 * it a server can write past the end of a buffer. */
	struct lws_context_creation_info i = { .port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.provided_client_ssl_ctx = w->tls,
		.pt_serv_buf_size = RECORD_BYTES,
		.max_http_header_data2 = HEADERS_BYTES,
		.fd_limit_per_thread = FDS_MAX,
		.timeout_secs = LWS_TIMEOUT_S,
		.connect_timeout_secs = LWS_CONNECT_S,
		.user = w,
		.gid = -1,
		.uid = -1 };

	log_to = w;
	lws_set_log_level(verbose >= 2 ? LLL_ERR | LLL_WARN | LLL_NOTICE | LLL_INFO : LLL_ERR, lws_says);
	unsetenv("http_proxy"); /* it would be obeyed for wss:// */
	w->lws = lws_create_context(&i);
	if (!w->lws)
		return false;
	w->vhost = lws_get_vhost_by_name(w->lws, "default");
	/* libwebsockets closes what it adopts */
	lws_sock_file_fd_type set = { .filefd = dup(w->epoll) };
	return set.filefd >= 0 && lws_adopt_descriptor_vhost(w->vhost, LWS_ADOPT_RAW_FILE_DESC, set, "watches", NULL);
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
	if (w->tls && (!open_clock(w) || !open_door(w)))
		snprintf(why, 256, "the loop: %s", strerror(errno));
	else if (w->tls && !open_lws(w, o->verbose))
		snprintf(why, 256, "libwebsockets does not start");
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

static void forget(struct ws_conn *c)
{
	drop_dial(c);
	if (c->wsi)
		lws_set_opaque_user_data(c->wsi, NULL);
	free_conn(c);
}

void ws_free(struct ws *w)
{
	for (struct ws_conn *c = w->conns, *next; c; c = next) {
		next = c->next;
		forget(c);
	}
	for (struct ws_conn *c = w->ended, *next; c; c = next) {
		next = c->next;
		free_conn(c);
	}
	if (w->lws)
		lws_context_destroy(w->lws);
	if (log_to == w)
		log_to = NULL;
	SSL_CTX_free(w->tls);
	for (struct readable *r = w->readable, *next; r; r = next) {
		next = r->next;
		free(r);
	}
	close_fd(w->door);
	close_fd(w->timer);
	close_fd(w->epoll);
	free(w);
}
