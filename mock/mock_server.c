#include "mock_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "mock_act.h"
#include "mock_control.h"
#include "mock_post.h"
#include "mock_receive.h"
#include "mock_script.h"
#include "mock_send.h"

#define BACKLOG	    128
#define NO_FDS_WAIT 100000 /* before the next accept, when descriptors have run out */

/* the exchange's clock */
static int64_t wall_ms_of(const struct mock_server *s)
{
	return clock_real_us() / 1000 + s->account->skew_ms;
}

/* --- listening ----------------------------------------------------------------------------------------------- */

static bool parse_address(const char *text, uint16_t port, struct sockaddr_storage *to, socklen_t *n)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		*n = sizeof *v4;
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		*n = sizeof *v6;
		return true;
	}
	errno = EINVAL;
	return false;
}

static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .v6 = { .sin6_port = 0 } };
	socklen_t n = sizeof a;

	if (getsockname(fd, &a.any, &n) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

void mock_server_init(struct mock_server *s)
{
	*s = (struct mock_server){
		.listen_fd = -1, .script_fd = -1, .accept_at = INT64_MAX, .script = mock_buf_of(MOCK_SCRIPT_MAX)
	};
}

int mock_server_listen(const char *address, uint16_t *port)
{
	struct sockaddr_storage a;
	socklen_t n;
	int on = 1;

	if (!parse_address(address, *port, &a, &n))
		return -1;
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, BACKLOG) == 0) {
		*port = port_of(fd);
		return fd;
	}
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static bool address_of(int fd, struct sockaddr_storage *a, socklen_t *n)
{
	*n = sizeof *a;
	memset(a, 0, sizeof *a);
	return getsockname(fd, (struct sockaddr *)a, n) == 0;
}

/* A socket that is bound and does not listen keeps the port and answers with RST. */
static void refuse(struct mock_server *s, int64_t until)
{
	struct sockaddr_storage a;
	socklen_t n;
	int on = 1;

	if (s->refusing || !address_of(s->listen_fd, &a, &n))
		return;
	close(s->listen_fd);
	s->listen_fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(s->listen_fd, (struct sockaddr *)&a, n) < 0)
		s->tell("the port is lost: %s", strerror(errno));
	s->refusing = true;
	s->accept_at = until;
}

/* The shortest backlog, filled by connections of our own: further SYNs go unanswered. */
static void go_mute(struct mock_server *s, int64_t until)
{
	struct sockaddr_storage a;
	socklen_t n;

	s->mute = true;
	s->accept_at = until;
	listen(s->listen_fd, 0);
	if (!address_of(s->listen_fd, &a, &n))
		return;
	while (s->fillers < sizeof s->filler / sizeof s->filler[0]) {
		int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return;
		s->filler[s->fillers++] = fd;
		if (connect(fd, (struct sockaddr *)&a, n) < 0 && errno != EINPROGRESS)
			return;
	}
}

/* one of our own, at the other end of fd */
static bool is_filler(const struct mock_server *s, int fd)
{
	struct sockaddr_storage peer, own;
	socklen_t n = sizeof peer;
	socklen_t m;

	memset(&peer, 0, sizeof peer);
	if (s->fillers == 0 || getpeername(fd, (struct sockaddr *)&peer, &n) < 0)
		return false;
	for (size_t i = 0; i < s->fillers; i++)
		if (address_of(s->filler[i], &own, &m) && m == n && memcmp(&own, &peer, n) == 0)
			return true;
	return false;
}

/* --- connections --------------------------------------------------------------------------------------------- */

static struct mock_conn *new_conn(struct mock_server *s, int fd)
{
	struct mock_conn *c = calloc(1, sizeof *c);
	int on = 1;

	if (!c)
		return NULL;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->link.fd = fd;
	c->number = ++s->numbers;
	c->rules = &s->rules;
	c->hub = &s->hub;
	c->log = s->log;
	c->on_text = mock_control;
	c->in = mock_buf_of(MOCK_MESSAGE_MAX + MOCK_CONN_IN_MAX + 3 * MOCK_CONN_RECORD);
	c->out = mock_buf_of(MOCK_QUEUE_MAX);
	c->message = mock_buf_of(MOCK_MESSAGE_MAX);
	c->silent_until = c->hold_until = c->lag_until = INT64_MIN;
	c->close_code = -1;
	return c;
}

static void accept_all(struct mock_server *s, int64_t now)
{
	while (s->conns < MOCK_CONNS_MAX) {
		int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EMFILE || errno == ENFILE))
			s->accept_after = now + NO_FDS_WAIT;
		if (fd < 0)
			return;
		struct mock_conn *c = is_filler(s, fd) ? NULL : new_conn(s, fd);
		if (!c) {
			close(fd);
			continue;
		}
		s->conn[s->conns++] = c;
		mock_log_begin(s->log, "accept", c->number);
		mock_log_end(s->log);
		mock_door_accept(&s->door, c, now);
	}
}

static void listen_again(struct mock_server *s, int64_t now)
{
	if (listen(s->listen_fd, BACKLOG) < 0)
		s->tell("cannot listen: %s", strerror(errno));
	s->refusing = s->mute = false;
	s->accept_at = INT64_MAX;
	accept_all(s, now);
	while (s->fillers > 0)
		close(s->filler[--s->fillers]);
}

static void tell_close(struct mock_server *s, const struct mock_conn *c)
{
	mock_log_begin(s->log, "close", c->number);
	mock_log_number(s->log, "served", (int64_t)c->served);
	mock_log_text(s->log, "why", span_of(c->why ? c->why : "the end"));
	if (c->close_code >= 0)
		mock_log_number(s->log, "code", c->close_code);
	mock_log_end(s->log);
	s->served += c->served;
}

static void bury(struct mock_server *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->conns; i++) {
		struct mock_conn *c = s->conn[i];
		if (c->state != MOCK_DEAD) {
			s->conn[kept++] = c;
			continue;
		}
		tell_close(s, c);
		mock_conn_free(c);
	}
	s->conns = kept;
}

static void look_after(struct mock_server *s, struct mock_conn *c, short events, int64_t now, int64_t wall_ms)
{
	if (events == 0 || c->half_open)
		return;
	if (c->state <= MOCK_ASKING) {
		mock_door_step(&s->door, c, now, wall_ms);
	} else if (c->state != MOCK_DEAD && (events & ~POLLOUT)) {
		mock_conn_read(c);
		mock_receive(c, now);
	}
}

/* --- the script
 * ------------------------------------------------------------------------------------------------------- */

static void tell_counts(struct mock_server *s)
{
	for (size_t i = 0; i < s->conns; i++) {
		const struct mock_conn *c = s->conn[i];
		mock_log_begin(s->log, "log", c->number);
		mock_log_number(s->log, "served", (int64_t)c->served);
		mock_log_number(s->log, "streams", (int64_t)c->subs);
		mock_log_number(s->log, "queued", (int64_t)mock_buf_len(&c->out));
		mock_log_end(s->log);
	}
}

static int64_t later(int64_t now, int64_t us)
{
	return us == MOCK_FAULT_FOREVER ? INT64_MAX : now + us;
}

static void server_fault(struct mock_server *s, const struct mock_fault *f, int64_t now)
{
	switch (f->verb) {
	case MOCK_V_REFUSE:
		refuse(s, later(now, f->us));
		break;
	case MOCK_V_LISTEN:
		listen_again(s, now);
		break;
	case MOCK_V_NO_ACCEPT:
		go_mute(s, later(now, f->us));
		break;
	case MOCK_V_CERT:
		s->door.cert = f->cert;
		break;
	case MOCK_V_WAIT:
		s->script_at = later(now, f->us);
		break;
	case MOCK_V_LOG:
		tell_counts(s);
		break;
	default: /* MOCK_V_CLEAR */
		mock_orders_clear(&s->orders);
		break;
	}
}

/* the connections that are open now */
static void fault_now(struct mock_server *s, const struct mock_fault *f, int64_t now)
{
	int64_t wall_ms = wall_ms_of(s);

	for (size_t i = 0; i < s->conns; i++) {
		struct mock_conn *c = s->conn[i];
		bool number = f->whom != MOCK_WHOM_NUMBER || f->count == c->number;
		bool kind = (f->tier < 0 || f->tier == (int)c->path_tier) && (!f->user || c->user);
		if (c->state == MOCK_OPEN && number && kind)
			mock_act(c, f, now, wall_ms);
	}
}

/* accepted, and not open yet */
static bool still_coming(const struct mock_server *s, unsigned number)
{
	for (size_t i = 0; i < s->conns; i++)
		if (s->conn[i]->number == number)
			return s->conn[i]->state < MOCK_OPEN;
	return false;
}

static void deliver(void *ctx, enum mock_market market, struct span event, struct span payload)
{
	struct mock_server *s = ctx;
	struct mock_letter letter = { market, event, payload };
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < s->conns; i++)
		mock_post(s->account, s->conn[i], &letter, now, wall_ms_of(s));
}

bool mock_server_order(struct mock_server *s, const struct mock_fault *f, bool standing)
{
	int64_t now = clock_mono_us();
	struct mock_fault order = *f;

	if (f->stage == MOCK_STAGE_SERVER) {
		server_fault(s, f, now);
		return true;
	}
	if (f->whom == MOCK_WHOM_ANY && standing) {
		order.whom = MOCK_WHOM_EACH;
	} else if (f->whom == MOCK_WHOM_ANY && f->stage < MOCK_STAGE_CONN) {
		order.whom = MOCK_WHOM_NEXT;
		order.count = 1;
	}
	if (f->stage == MOCK_STAGE_CONN && order.whom != MOCK_WHOM_NEXT)
		fault_now(s, &order, now);
	bool past = order.whom == MOCK_WHOM_NUMBER && order.count <= s->numbers && f->stage == MOCK_STAGE_CONN;
	if (order.whom == MOCK_WHOM_ANY || (past && !still_coming(s, (unsigned)order.count)))
		return true;
	return mock_orders_add(&s->orders, &order);
}

#define ECHO_MAX 500 /* of a script line: it is echoed so that its writer knows it again */

static void script_line(struct mock_server *s, struct span line)
{
	struct mock_fault f;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '%')
		return;
	const char *why = NULL;
	enum mock_scripted done = mock_script(s->account, s->log, line, clock_mono_us(), wall_ms_of(s), &why);
	if (done == MOCK_SCRIPT_OTHER)
		why = mock_fault_parse(line, &f);
	if (done == MOCK_SCRIPT_OTHER && !why && !mock_server_order(s, &f, false))
		why = "out of memory";
	mock_log_begin(s->log, why ? "refused" : "order", 0);
	mock_log_text(s->log, "line", (struct span){ line.p, line.n < ECHO_MAX ? line.n : ECHO_MAX });
	if (why) {
		mock_log_text(s->log, "why", span_of(why));
		s->tell("script: '%.*s': %s", (int)line.n, line.p, why);
	}
	mock_log_end(s->log);
}

static void read_script(struct mock_server *s)
{
	char chunk[4096];
	ssize_t n = read(s->script_fd, chunk, sizeof chunk);

	if (n > 0)
		mock_put(&s->script, (struct span){ chunk, (size_t)n });
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		s->script_ended = true;
		if (mock_buf_len(&s->script) > 0)
			mock_put_char(&s->script, '\n'); /* the last line may lack it */
	}
	if (s->script.full) {
		s->tell("script: a line is longer than %d bytes", MOCK_SCRIPT_MAX);
		mock_buf_clear(&s->script);
	}
}

static void run_script(struct mock_server *s, int64_t now)
{
	while (now >= s->script_at) {
		struct span all = mock_buf_span(&s->script);
		const char *end = all.n > 0 ? memchr(all.p, '\n', all.n) : NULL;
		if (!end)
			break;
		size_t n = (size_t)(end - all.p);
		char line[MOCK_SCRIPT_MAX];
		memcpy(line, all.p, n);
		mock_buf_take(&s->script, n + 1);
		script_line(s, (struct span){ line, n });
	}
	if (s->script_ended && s->script_ends && mock_buf_len(&s->script) == 0)
		s->stop = true;
}

/* --- the loop
 * ------------------------------------------------------------------------------------------------------------ */

enum {
	POLL_SIGNALS,
	POLL_LISTEN,
	POLL_SCRIPT,
	POLL_FEED,
	POLL_LOG,
	POLL_CONNS,
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_due(const struct mock_server *s, int64_t now)
{
	int64_t due = earlier(mock_feed_due(&s->feed, now), s->accept_at);

	due = earlier(due, mock_script_due(s->account));
	if (mock_buf_len(&s->script) > 0 || now < s->script_at) /* until then nobody looks for more of it */
		due = earlier(due, s->script_at);
	if (now < s->accept_after)
		due = earlier(due, s->accept_after);
	for (size_t i = 0; i < s->conns; i++)
		due = earlier(due, mock_conn_due(s->conn[i], now));
	return due;
}

static short wants(const struct mock_conn *c, int64_t now)
{
	bool queued = mock_buf_len(&c->out) > 0 && c->state > MOCK_SHAKING;

	if (c->half_open)
		return 0;
	return (short)(POLLIN | (c->link.want_write || (queued && mock_conn_flows(c, now)) ? POLLOUT : 0));
}

static void wait_for_something(struct mock_server *s, struct pollfd *p, int64_t now)
{
	bool script = !s->script_ended && now >= s->script_at && mock_buf_len(&s->script) < MOCK_SCRIPT_MAX / 2;
	bool log = mock_buf_len(&s->log->buf) > 0;
	bool accepting = !s->refusing && !s->mute && s->conns < MOCK_CONNS_MAX && now >= s->accept_after;
	int64_t due = next_due(s, now);
	int64_t left = due <= now ? 0 : due - now;
	struct timespec t = { left / 1000000, left % 1000000 * 1000 };

	p[POLL_SIGNALS] = (struct pollfd){ .fd = s->signals, .events = POLLIN };
	p[POLL_LISTEN] = (struct pollfd){ .fd = accepting ? s->listen_fd : -1, .events = POLLIN };
	p[POLL_SCRIPT] = (struct pollfd){ .fd = script ? s->script_fd : -1, .events = POLLIN };
	p[POLL_FEED] = (struct pollfd){ .fd = mock_feed_fd(&s->feed), .events = POLLIN };
	p[POLL_LOG] = (struct pollfd){ .fd = log ? s->log->to.fd : -1, .events = POLLOUT };
	for (size_t i = 0; i < s->conns; i++)
		p[POLL_CONNS + i] = (struct pollfd){ .fd = s->conn[i]->half_open ? -1 : s->conn[i]->link.fd,
			.events = wants(s->conn[i], now) };
	if (ppoll(p, POLL_CONNS + s->conns, due == INT64_MAX ? NULL : &t, NULL) < 0)
		for (size_t i = 0; i < POLL_CONNS + s->conns; i++)
			p[i].revents = 0;
}

static void serve_conns(struct mock_server *s, const struct pollfd *p, size_t polled, int64_t now)
{
	int64_t wall_ms = wall_ms_of(s);

	for (size_t i = 0; i < polled; i++)
		look_after(s, s->conn[i], p[POLL_CONNS + i].revents, now, wall_ms);
	for (size_t i = 0; i < polled; i++)
		if (s->conn[i]->state == MOCK_ASKING && s->conn[i]->lag_until != INT64_MIN &&
		    now >= s->conn[i]->lag_until)
			mock_door_step(&s->door, s->conn[i], now, wall_ms);
	mock_script_clock(s->account, now, wall_ms);
	mock_feed_pump(&s->feed, now, wall_ms);
	s->feed.crowded = false;
	for (size_t i = 0; i < s->conns; i++) {
		struct mock_conn *c = s->conn[i];
		mock_conn_clock(c, now, wall_ms);
		mock_conn_flush(c, now);
		if (mock_conn_flows(c, now) && mock_buf_len(&c->out) > MOCK_QUEUE_HIGH)
			s->feed.crowded = true;
	}
	bury(s);
}

static void tell_counters(struct mock_server *s)
{
	uint64_t served = s->served;
	size_t queued = 0;

	for (size_t i = 0; i < s->conns; i++) {
		served += s->conn[i]->served;
		queued += mock_buf_len(&s->conn[i]->out);
	}
	s->tell("connections %u open %zu subscriptions %zu served %" PRIu64 " queued %zu", s->numbers, s->conns,
	    s->hub.live, served, queued);
}

/* true: it is time to end */
static bool take_signal(struct mock_server *s)
{
	int signal = io_signal(s->signals);

	if (signal == SIGUSR1)
		tell_counters(s);
	return signal == SIGTERM || signal == SIGINT;
}

void mock_server_run(struct mock_server *s)
{
	static struct pollfd p[POLL_CONNS + MOCK_CONNS_MAX];

	s->account->deliver = deliver;
	s->account->ctx = s;
	while (!s->stop) {
		mock_log_flush(s->log);
		wait_for_something(s, p, clock_mono_us());
		int64_t now = clock_mono_us();
		size_t polled = s->conns;
		if (p[POLL_SIGNALS].revents && take_signal(s))
			return;
		if (p[POLL_LISTEN].revents)
			accept_all(s, now);
		if (p[POLL_SCRIPT].revents)
			read_script(s);
		run_script(s, now);
		if (now >= s->accept_at)
			listen_again(s, now);
		serve_conns(s, p, polled, now);
	}
}

void mock_server_close(struct mock_server *s)
{
	int64_t now = clock_mono_us();

	for (size_t i = 0; i < s->conns; i++) {
		mock_send_close(s->conn[i], 1001, SPAN(""), "the exchange ends", now);
		mock_conn_flush(s->conn[i], now);
		mock_conn_end(s->conn[i], "the exchange ends");
	}
	bury(s);
	mock_log_begin(s->log, "end", 0);
	mock_log_number(s->log, "connections", s->numbers);
	mock_log_number(s->log, "served", (int64_t)s->served);
	mock_log_end(s->log);
	mock_orders_clear(&s->orders);
	mock_buf_free(&s->script);
	while (s->fillers > 0)
		close(s->filler[--s->fillers]);
	close(s->listen_fd);
}
