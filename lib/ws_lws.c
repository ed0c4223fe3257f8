/* libwebsockets 4.1.6, as Debian 12 has it, and what is to be avoided in it.
 *
 * It has no way to take over a connection as a client. So it is let connect to a door of our own, a UNIX socket, and
 * when it has, the real connection is put in the place of that one by dup3, and what it had said through the door is
 * said there. It never connects anywhere else: without the exchange there is nobody at the other end. A relay of bytes
 * would cost two copies of everything; its own proxying resolves names in the loop and knows HTTP alone.
 *
 * Not before lws_client_connect_via_info has returned: it begins TLS or sends the request itself, goes on for as long
 * as there are answers, and where the connection ends meanwhile it frees what it uses afterwards. Behind the door
 * nobody answers. */
#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "json.h"
#include "num.h"
#include "ws_private.h"

#define FDS_MAX	      256   /* descriptors in the loop: connections, and one for all of ours */
#define RECORD_BYTES  16384 /* a whole record of TLS */
#define HEADERS_BYTES 16384 /* of an answer to the upgrade; 4096 by default */
#define QUEUE_BYTES   (64u << 10)
#define SILENCE_S     5 /* of TLS, or of an answer to the upgrade */
#define CONNECT_S     20

/* ------------------------------------------------------------------------------------------------------ sending */

struct ws_out {
	struct ws_out *next;
	size_t n;
	unsigned char room[]; /* LWS_PRE, then the text: it is masked in place */
};

bool ws_send(struct ws_conn *c, struct span text)
{
	if (c->state != WS_IS_UP || c->queued > QUEUE_BYTES)
		return false;
	struct ws_out *o = malloc(sizeof *o + LWS_PRE + text.n);
	if (!o)
		return false;
	o->next = NULL;
	o->n = text.n;
	memcpy(o->room + LWS_PRE, text.p, text.n);
	*c->last_out = o;
	c->last_out = &o->next;
	c->queued += text.n;
	ws_lws_want_write(c);
	return true;
}

void ws_ping(struct ws_conn *c)
{
	if (c->state != WS_IS_UP)
		return;
	c->want_ping = true;
	ws_lws_want_write(c);
}

static void drop_oldest(struct ws_conn *c)
{
	struct ws_out *o = c->out;

	c->out = o->next;
	if (!c->out)
		c->last_out = &c->out;
	c->queued -= o->n;
	explicit_bzero(o->room, LWS_PRE + o->n); /* it may have been a secret */
	free(o);
}

void ws_lws_drop_queue(struct ws_conn *c)
{
	while (c->out)
		drop_oldest(c);
}

/* what the socket does not take of it, libwebsockets keeps */
static bool send_oldest(struct ws_conn *c)
{
	int n = lws_write(c->wsi, c->out->room + LWS_PRE, c->out->n, LWS_WRITE_TEXT);
	bool done = n >= 0 && (size_t)n >= c->out->n;

	drop_oldest(c);
	return done;
}

static bool send_ping(struct ws_conn *c)
{
	unsigned char room[LWS_PRE + 1];

	c->want_ping = false;
	return lws_write(c->wsi, room + LWS_PRE, 0, LWS_WRITE_PING) >= 0;
}

/* one write a call. -1: libwebsockets is to close */
static int write_something(struct ws_conn *c)
{
	bool done = true;

	if (c->want_close) {
		c->want_close = false;
		lws_close_reason(c->wsi, (enum lws_close_status)c->close_code, NULL, 0);
		return -1;
	}
	if (c->state != WS_IS_UP)
		return 0;
	if (c->want_ping)
		done = send_ping(c);
	else if (c->out)
		done = send_oldest(c);
	if (!done) {
		ws_conn_cause(c, WS_LOST, "the connection is lost: nothing can be sent");
		return -1;
	}
	if (c->want_ping || c->out)
		ws_lws_want_write(c);
	return 0;
}

void ws_lws_want_write(struct ws_conn *c)
{
	lws_callback_on_writable(c->wsi);
}

/* ---------------------------------------------------------------------------------------------------- receiving */

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

/* Nothing here lets libwebsockets close at once: where a chunk fills its buffer exactly, it would write past its end
 * (mended in 4.3.6). */
static void receive(struct ws_conn *c, struct lws *wsi, const char *in, size_t len)
{
	size_t to_come = lws_remaining_packet_payload(wsi);

	c->heard = clock_mono_us();
	c->w->busy = true;
	if (c->state != WS_IS_UP)
		return;
	if (lws_is_first_fragment(wsi))
		c->n = 0;
	if (len > WS_MESSAGE_MAX - c->n || to_come > WS_MESSAGE_MAX - c->n - len) {
		ws_conn_cause(c, WS_TOO_LONG, "a message is longer than %u bytes", WS_MESSAGE_MAX);
		ws_conn_close(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
		return;
	}
	if (!make_room(c, c->n + len)) {
		ws_conn_cause(c, WS_LOST, "out of memory for a message");
		ws_conn_close(c, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION);
		return;
	}
	memcpy(c->text + c->n, in, len);
	c->n += len;
	if (lws_is_final_fragment(wsi))
		deliver(c);
}

static void established(struct ws_conn *c)
{
	c->state = WS_IS_UP;
	c->end.was_up = true;
	c->heard = clock_mono_us();
	ws_conn_say(c, "WebSocket is up");
	c->w->ev.up(c->w->user, c);
}

static void pong(struct ws_conn *c)
{
	c->heard = clock_mono_us();
	c->w->ev.pong(c->w->user, c);
}

/* ------------------------------------------------------------------------------------------------ the handshake */

static void empty_door(struct ws *w)
{
	for (int fd; (fd = accept4(w->door, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
		close(fd);
}

/* the name before the ':' is also what goes into SNI, and what the certificate is checked against */
static void host_header(char *out, size_t cap, const struct ws_conn *c)
{
	if (c->port == (c->tls ? 443 : 80))
		snprintf(out, cap, "%s", c->host);
	else
		snprintf(out, cap, "%s:%u", c->host, (unsigned)c->port);
}

/* who came through the door: nobody but this process; -1: nobody */
static int let_in(const struct ws *w)
{
	for (int fd; (fd = accept4(w->door, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0; close(fd)) {
		struct ucred who = { .pid = 0 };
		socklen_t n = sizeof who;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 && who.pid == getpid())
			return fd;
	}
	return -1;
}

/* A connection that has ended already takes none of it; libwebsockets will see that for itself. */
static void say_again(int door, int fd)
{
	char said[4096];
	ssize_t n;

	while ((n = read(door, said, sizeof said)) > 0)
		if (send(fd, said, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
			break;
	explicit_bzero(said, sizeof said); /* the path may have a secret in it */
}

/* the door's connection becomes the real one */
static bool exchange(struct ws_conn *c)
{
	int at = lws_get_socket_fd(c->wsi);
	int door = let_in(c->w);

	if (door < 0)
		return false;
	say_again(door, c->given);
	close(door);
	if (at < 0 || dup3(c->given, at, O_CLOEXEC) != at)
		return false;
	close(c->given);
	c->given = -1;
	return true;
}

bool ws_lws_take(struct ws_conn *c, int fd)
{
	/* the default policy hangs up after 310 s without a pong, however much data come */
	static const lws_retry_bo_t no_policy = { .secs_since_valid_ping = 0 };
	char header[300];
	struct lws_client_connect_info i = { .context = c->w->lws,
		.vhost = c->w->vhost,
		.address = c->w->door_name,
		.port = c->port,
		.path = c->path,
		.host = header,
		/* a redirect would be followed to any host */
		.ssl_connection = (c->tls ? LCCSCF_USE_SSL : 0) | LCCSCF_HTTP_NO_FOLLOW_REDIRECT,
		.local_protocol_name = "ws",
		.alpn = "http/1.1", /* or h2 is offered, over which it has no WebSocket */
		.opaque_user_data = c,
		.retry_and_idle_policy = &no_policy,
		.pwsi = &c->wsi };

	host_header(header, sizeof header, c);
	empty_door(c->w);
	c->given = fd;
	if (!lws_client_connect_via_info(&i)) {
		c->wsi = NULL;
		return c->state == WS_IS_ENDED;
	}
	if (c->state == WS_IS_ENDED) {
		c->wsi = NULL;
		return true;
	}
	return exchange(c);
}

static int add_headers(struct ws_conn *c, struct lws *wsi, unsigned char **at, size_t len)
{
	const unsigned char *agent = (const unsigned char *)c->w->agent;
	int n = (int)strlen(c->w->agent);

	c->request = true;
	if (n == 0)
		return 0;
	return lws_add_http_header_by_name(wsi, (const unsigned char *)"User-Agent:", agent, n, at, *at + len);
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

/* the head of the answer can be read here, and nowhere else */
static void http_answer(struct ws_conn *c, struct lws *wsi)
{
	char text[64];

	c->end.http = (int)lws_http_client_http_response(wsi);
	if (lws_hdr_copy(wsi, text, sizeof text, WSI_TOKEN_HTTP_RETRY_AFTER) > 0)
		c->end.retry_after = parse_retry_after(text);
}

static void certificate_refused(struct ws_conn *c, X509_STORE_CTX *chain)
{
	char text[200];

	ws_tls_explain(text, sizeof text, chain, c->host);
	ws_conn_cause(c, WS_CERTIFICATE, "%s", text);
}

/* once more by ourselves, so that it does not depend on what libwebsockets makes of the name */
static int check_name(struct ws_conn *c, struct lws *wsi)
{
	if (!c->tls || ws_tls_names(lws_get_ssl(wsi), c->host))
		return 0;
	ws_conn_cause(c, WS_CERTIFICATE, "certificate does not name %s", c->host);
	return -1;
}

/* ----------------------------------------------------------------------------------------------------- the ends */

/* libwebsockets tells neither an end of TCP from what it does not understand, nor from silence; the kernel knows */
static bool tcp_has_ended(struct lws *wsi)
{
	struct tcp_info info = { .tcpi_state = TCP_ESTABLISHED };
	socklen_t n = sizeof info;

	return getsockopt(lws_get_socket_fd(wsi), IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
	    info.tcpi_state != TCP_ESTABLISHED;
}

static void lost(struct ws_conn *c, struct lws *wsi)
{
	const char *why = c->tls ? ws_tls_failure(lws_get_ssl(wsi)) : NULL;

	if (!why)
		why = tcp_has_ended(wsi) ? "no close frame" : "what came is not WebSocket";
	ws_conn_cause(c, WS_LOST, "the connection broke off: %s", why);
}

static void tls_failed(struct ws_conn *c, struct lws *wsi, const char *text)
{
	const char *why = ws_tls_failure(lws_get_ssl(wsi));

	if (!why && tcp_has_ended(wsi))
		why = "the server closed the connection";
	if (!why)
		why = *text && strncmp(text, "Timed out", 9) != 0 ? text : "no answer in time";
	ws_conn_cause(c, WS_TLS, "TLS handshake: %s", why);
}

static void upgrade_failed(struct ws_conn *c, struct lws *wsi, const char *text)
{
	bool ended = *text == '\0' && tcp_has_ended(wsi); /* while the request was being written */

	if (strncmp(text, "HS: ", 4) == 0)
		text += 4;
	if (c->end.http && c->end.http != 101)
		ws_conn_cause(c, WS_HTTP, "the server answers HTTP %d", c->end.http);
	else if (ended || strcmp(text, "read failed") == 0 || strcmp(text, "Closed before conn") == 0 ||
		 strcmp(text, "URI missing") == 0) /* the end, or something else than HTTP */
		ws_conn_cause(c, WS_HANDSHAKE, "WebSocket handshake: no answer in HTTP");
	else
		ws_conn_cause(c, WS_HANDSHAKE, "WebSocket handshake: %s", *text ? text : "no answer in time");
}

/* in: libwebsockets' reason, if it has one; its length may count a NUL */
static void handshake_failed(struct ws_conn *c, struct lws *wsi, const char *in, size_t len)
{
	char text[128];

	snprintf(text, sizeof text, "%.*s", in ? (int)strnlen(in, len) : 0, in ? in : "");
	if (c->tls && !c->request)
		tls_failed(c, wsi, text);
	else
		upgrade_failed(c, wsi, text);
}

/* the peer's close frame; libwebsockets answers it. What it does not know, 1012 and 1013 too, it shows as 1002. */
static void peer_closes(struct ws_conn *c, const unsigned char *in, size_t len)
{
	static const char what[] = "the server closed the connection";
	const char *reason = len > 2 ? (const char *)in + 2 : "";

	if (len >= 2)
		c->end.close_code = in[0] << 8 | in[1];
	if (len > 2)
		ws_conn_cause(c, WS_CLOSED, "%s (%d: %.*s)", what, c->end.close_code, (int)len - 2, reason);
	else if (len == 2)
		ws_conn_cause(c, WS_CLOSED, "%s (%d)", what, c->end.close_code);
	else
		ws_conn_cause(c, WS_CLOSED, "%s", what);
	ws_conn_closing(c);
}

/* it has said its last word about the connection */
static void ended(struct ws_conn *c, struct lws *wsi)
{
	lws_set_opaque_user_data(wsi, NULL);
	c->wsi = NULL;
	ws_conn_end(c);
}

void ws_lws_let_go(struct ws_conn *c)
{
	if (!c->wsi)
		return;
	lws_set_opaque_user_data(c->wsi, NULL);
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
	c->wsi = NULL;
}

/* ------------------------------------------------------------------------------------------------ what it calls */

static int on_connection(struct ws_conn *c, struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
    size_t len)
{
	switch (reason) {
	case LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION:
		if (len == 0)
			certificate_refused(c, user);
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
		pong(c);
		return 0;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		return write_something(c);
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		peer_closes(c, in, len);
		return 0;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		handshake_failed(c, wsi, in, len);
		ended(c, wsi);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP: /* all that is said when an upgrade is never answered */
	case LWS_CALLBACK_CLIENT_CLOSED:
	case LWS_CALLBACK_WSI_DESTROY: /* the last that can be said at all */
		if (c->end.was_up)
			lost(c, wsi);
		else
			handshake_failed(c, wsi, NULL, 0);
		ended(c, wsi);
		return 0;
	default:
		return 0;
	}
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct ws_conn *c;

	switch (reason) { /* without a connection, or with one that is made up */
	case LWS_CALLBACK_GET_THREAD_ID:
	case LWS_CALLBACK_PROTOCOL_INIT:
	case LWS_CALLBACK_PROTOCOL_DESTROY:
	case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS:
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		return 0;
	default:
		c = wsi ? lws_get_opaque_user_data(wsi) : NULL;
		return c ? on_connection(c, wsi, reason, user, in, len) : 0;
	}
}

static int on_watches(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	(void)user, (void)in, (void)len;
	if (reason == LWS_CALLBACK_RAW_RX_FILE)
		ws_serve_watches(lws_context_user(lws_get_context(wsi)));
	return 0;
}

/* ------------------------------------------------------------------------------------------------ open and close */

/* its log is one for the process */
static struct ws *log_to;

static void on_log(int level, const char *line)
{
	char text[300];

	(void)level;
	if (!log_to)
		return;
	snprintf(text, sizeof text, "libwebsockets: %.*s", (int)strcspn(line, "\n"), line);
	log_to->ev.log(log_to->user, 2, text);
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

static struct lws_context *new_context(struct ws *w)
{
	static const struct lws_protocols protocols[] = {
		{ .name = "ws", .callback = on_lws, .rx_buffer_size = RECORD_BYTES },
		{ .name = "watches", .callback = on_watches },
		{ .name = NULL },
	};
	/* no extensions: permessage-deflate delivers the first message that is not compressed for ever. No
	 * VALIDATE_UTF8: with it a server can write past the end of a buffer. */
	const struct lws_context_creation_info i = { .port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.provided_client_ssl_ctx = w->tls,
		.pt_serv_buf_size = RECORD_BYTES,
		.max_http_header_data2 = HEADERS_BYTES,
		.fd_limit_per_thread = FDS_MAX,
		.timeout_secs = SILENCE_S,
		.connect_timeout_secs = CONNECT_S, /* the longer one */
		.user = w,
		.gid = -1,
		.uid = -1 };

	unsetenv("http_proxy"); /* it would be obeyed, for wss:// too */
	return lws_create_context(&i);
}

bool ws_lws_open(struct ws *w, int verbose)
{
	log_to = w;
	lws_set_log_level(verbose >= 2 ? LLL_ERR | LLL_WARN | LLL_NOTICE | LLL_INFO : LLL_ERR, on_log);
	if (!open_door(w))
		return false;
	w->lws = new_context(w);
	if (!w->lws)
		return false;
	w->vhost = lws_get_vhost_by_name(w->lws, "default");
	/* what it adopts it closes */
	lws_sock_file_fd_type set = { .filefd = fcntl(w->epoll, F_DUPFD_CLOEXEC, 0) };
	return set.filefd >= 0 && lws_adopt_descriptor_vhost(w->vhost, LWS_ADOPT_RAW_FILE_DESC, set, "watches", NULL);
}

void ws_lws_close(struct ws *w)
{
	if (w->lws)
		lws_context_destroy(w->lws);
	w->lws = NULL;
	if (log_to == w)
		log_to = NULL;
}

bool ws_lws_round(struct ws *w, bool wait)
{
	return lws_service(w->lws, wait ? 0 : -1) >= 0;
}
