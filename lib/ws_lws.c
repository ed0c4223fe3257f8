/* libwebsockets 4.1.6, as Debian 12 has it, and what is to be avoided in it.
 *
 * It has no way to take over a connection as a client. So it is let connect to a door of our own, a UNIX socket, and
 * when it has, the real connection is put in the place of that one by dup3, and what it had said through the door is
 * said there. It never connects anywhere else: without the exchange there is nobody at the other end. A relay of bytes
 * would cost two copies of everything; its own proxying resolves names in the loop and knows HTTP alone.
 *
 * Not before lws_client_connect_via_info has returned: it begins TLS or sends the request itself, goes on for as long
 * as there are answers, and where the connection ends meanwhile it frees what it uses afterwards. Behind the door
 * nobody answers.
 *
 * To it the connection is one of HTTP: it sends the request of an upgrade and reads the head of the answer, and what
 * comes behind that is a body without end to it, of which it hands on the bytes. Its own WebSocket takes a payload byte
 * by byte through a state machine, three times as long as all the rest takes for messages of 2,000 bytes, and tells
 * neither 1012 nor 1013 from 1002. */
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
#include "num.h"
#include "ws_private.h"

#define FDS_MAX	      256   /* descriptors in the loop: connections, and one for all of ours */
#define READS	      8	    /* records of TLS, before others have their turn */
#define HEADERS_BYTES 16384 /* of an answer to the upgrade; 4096 by default */
#define SILENCE_S     5 /* of TLS, or of an answer to the upgrade */
#define CONNECT_S     20

/* ------------------------------------------------------------------------------------------------------ sending */

_Static_assert(LWS_PRE <= WS_ROOM, "what lws_write wants in front of a text");

bool ws_lws_write(struct ws_conn *c, char *p, size_t n)
{
	int taken = lws_write(c->wsi, (unsigned char *)p, n, LWS_WRITE_RAW); /* what the socket does not take it keeps */

	return taken >= 0 && (size_t)taken >= n;
}

void ws_lws_want_write(struct ws_conn *c)
{
	lws_callback_on_writable(c->wsi);
}

/* ---------------------------------------------------------------------------------------------------- receiving */

/* Bytes that came in one read with the head of the answer stand somewhere else. */
static int take_bytes(struct ws_conn *c, const char *in, size_t n)
{
	char *room = c->in.p + c->in.end;

	if (n > WS_READ_BYTES) {
		ws_conn_cause(c, WS_LOST, "libwebsockets reads more than it was asked to");
		return -1;
	}
	if (in != room)
		memcpy(room, in, n);
	c->got = n;
	ws_receive(c, n);
	return 0;
}

/* A record of TLS a read; the exchange sends each message in one of its own. 0: go on; -1: it has ended */
static int receive(struct ws_conn *c, struct lws *wsi)
{
	for (int i = 0; i < READS; i++) {
		char *room = ws_receive_room(c);
		int n = WS_READ_BYTES;
		if (!room) {
			ws_conn_cause(c, WS_LOST, "out of memory for a message");
			return -1;
		}
		c->got = 0;
		if (lws_http_client_read(wsi, &room, &n) < 0)
			return -1;
		if (c->got == 0 || c->state == WS_IS_ENDED)
			return 0;
		if (c->in.closed && !c->want_close)
			return -1;
	}
	return 0;
}

static void established(struct ws_conn *c)
{
	c->state = WS_IS_UP;
	c->end.was_up = true;
	c->heard = clock_mono_us();
	ws_conn_say(c, "WebSocket is up");
	c->w->ev.up(c->w->user, c);
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
		.method = "GET", /* not said, it would be a WebSocket of its own */
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

static bool add_header(struct lws *wsi, const char *name, const char *value, unsigned char **at, const unsigned char *end)
{
	return lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
		   (int)strlen(value), at, (unsigned char *)(size_t)end) == 0;
}

/* what it has written last is `connection: close`, which an upgrade must not say */
static bool take_back_close(unsigned char **at)
{
	static const char line[] = "connection: close\r\n";
	size_t n = sizeof line - 1;

	if (memcmp(*at - n, line, n) != 0)
		return false;
	*at -= n;
	return true;
}

static int add_headers(struct ws_conn *c, struct lws *wsi, unsigned char **at, size_t len)
{
	const unsigned char *end = *at + len;

	c->request = true;
	ws_upgrade_key(c->key);
	bool good = take_back_close(at) && add_header(wsi, "Upgrade:", "websocket", at, end) &&
	    add_header(wsi, "Connection:", "Upgrade", at, end) &&
	    add_header(wsi, "Sec-WebSocket-Key:", c->key, at, end) &&
	    add_header(wsi, "Sec-WebSocket-Version:", "13", at, end) &&
	    (!*c->w->agent || add_header(wsi, "User-Agent:", c->w->agent, at, end));
	return good ? 0 : -1;
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

static bool has_header(struct lws *wsi, enum lws_token_indexes name)
{
	return lws_hdr_total_length(wsi, name) > 0;
}

/* is the word among those of a header, which are separated by commas? */
static bool says(struct lws *wsi, enum lws_token_indexes name, const char *word)
{
	char text[256], *rest = text;

	if (lws_hdr_copy(wsi, text, sizeof text, name) <= 0)
		return false;
	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		struct span s = span_trim(span_of(one));
		if (s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0)
			return true;
	}
	return false;
}

/* what is wrong with an answer of 101 (RFC 6455, 4.1), NULL: nothing */
static const char *upgrade_wrong(const struct ws_conn *c, struct lws *wsi)
{
	char accept[64];

	if (!says(wsi, WSI_TOKEN_UPGRADE, "websocket"))
		return "the answer has no Upgrade: websocket";
	if (!says(wsi, WSI_TOKEN_CONNECTION, "upgrade"))
		return "the answer has no Connection: Upgrade";
	if (!has_header(wsi, WSI_TOKEN_ACCEPT))
		return "the answer has no Sec-WebSocket-Accept";
	if (lws_hdr_copy(wsi, accept, sizeof accept, WSI_TOKEN_ACCEPT) < 0 || !ws_upgrade_accepts(c->key, accept))
		return "Sec-WebSocket-Accept is wrong";
	if (has_header(wsi, WSI_TOKEN_EXTENSIONS))
		return "an extension that was not asked for";
	if (has_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) || has_header(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING))
		return "the answer has a body";
	return NULL;
}

/* the head of the answer can be read here, and nowhere else */
static void http_answer(struct ws_conn *c, struct lws *wsi)
{
	char text[64];
	unsigned status = lws_http_client_http_response(wsi);

	c->end.http = status >= 100 && status <= 999 ? (int)status : 0;
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

/* -1: that is nobody to talk to */
static int check_answer(struct ws_conn *c, struct lws *wsi)
{
	const char *wrong;

	http_answer(c, wsi);
	if (c->end.http == 0)
		ws_conn_cause(c, WS_HANDSHAKE, "WebSocket handshake: no answer in HTTP");
	if (c->end.http != 101 || check_name(c, wsi) < 0)
		return -1;
	if ((wrong = upgrade_wrong(c, wsi)) == NULL)
		return 0;
	ws_conn_cause(c, WS_HANDSHAKE, "WebSocket handshake: %s", wrong);
	return -1;
}

/* ----------------------------------------------------------------------------------------------------- the ends */

/* libwebsockets does not tell an end of TCP from silence; the kernel knows */
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

	ws_conn_cause(c, WS_LOST, "the connection broke off: %s", why ? why : "no close frame");
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
	case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
		return check_answer(c, wsi);
	case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
		established(c);
		return 0;
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
		return receive(c, wsi);
	case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
		return take_bytes(c, in, len);
	case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
		return ws_send_next(c) ? 0 : -1;
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		handshake_failed(c, wsi, in, len);
		ended(c, wsi);
		return 0;
	case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
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
		{ .name = "ws", .callback = on_lws, .rx_buffer_size = WS_READ_BYTES },
		{ .name = "watches", .callback = on_watches },
		{ .name = NULL },
	};
	const struct lws_context_creation_info i = { .port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
		.provided_client_ssl_ctx = w->tls,
		.pt_serv_buf_size = WS_READ_BYTES,
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
