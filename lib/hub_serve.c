#include "hub_serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "hub_report.h"
#include "hub_www.h"
#include "num.h"

#define EVENTS	    64
#define ASK_MAX	    64
#define SECOND	    1000000LL
#define PUMP_BYTES  (64u << 10) /* of input between two rounds of giving: what a socket takes at once */
#define LAST_US	    SECOND	/* for readers after a signal */
#define ASKERS	    16		/* clients besides readers */

enum state {
	ASKING,	   /* may still say what it wants */
	READING,   /* a reader of the hub */
	ANSWERING, /* gets `answer` and no more */
	GONE,	   /* closed; freed at the end of the round */
};

struct client {
	struct client *next, *prev;
	struct hub_serve *s;
	int fd;
	enum state state;
	struct hub_reader *reader;
	int64_t since;
	char ask[ASK_MAX];
	size_t asked;
	char *answer; /* owned */
	size_t answer_n, answered;
	uint32_t watched; /* events asked for */
};

struct hub_serve {
	struct hub_serve_options o;
	struct hub *hub;
	struct hub_socket *socket;
	struct line_in in;
	struct refuse refused;
	struct hub_www www;
	bool www_failed;
	int spare; /* a descriptor that is kept from clients, for the files of www */
	int epoll;
	struct client *first; /* all, the latest first */
	size_t clients, asking;
	struct client *gone;
	int64_t now, wall, began;
	int64_t tick_at;    /* next whole second */
	int64_t lonely;	    /* since when there is no reader */
	int64_t accept_at;  /* descriptors had run out: not before */
	bool in_is_file;    /* always readable, and nothing that epoll takes */
	bool in_waits;	    /* it can be read */
	bool input_over;
	bool ending;	    /* no more lines are given, and nobody comes any more */
	int64_t end_at;
	bool failed;
};

static void read_clocks(struct hub_serve *s)
{
	s->now = clock_mono_us();
	s->wall = clock_real_us();
}

/* ------------------------------------------------------------------------------------------------- clients */

static void watch(struct client *c, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (events != c->watched)
		epoll_ctl(c->s->epoll, EPOLL_CTL_MOD, c->fd, &e);
	c->watched = events;
}

static void close_client(struct client *c)
{
	struct hub_serve *s = c->s;

	if (c->state == GONE)
		return;
	s->asking -= c->state == ASKING;
	if (c->reader) {
		hub_reader_free(s->hub, c->reader);
		s->lonely = s->now;
	}
	close(c->fd);
	if (c->prev)
		c->prev->next = c->next;
	else
		s->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->state = GONE;
	c->next = s->gone;
	s->gone = c;
	s->clients--;
}

static void free_gone(struct hub_serve *s)
{
	while (s->gone) {
		struct client *c = s->gone;
		s->gone = c->next;
		free(c->answer);
		free(c);
	}
}

/* bytes taken, 0: none now, -1: it has gone; what is left is given when the socket takes more */
static ssize_t send_some(struct client *c, const struct iovec *iov, int n)
{
	struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n };
	size_t all = 0;
	ssize_t k;

	for (int i = 0; i < n; i++)
		all += iov[i].iov_len;
	do
		k = sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (k < 0 && errno == EINTR);
	if (k < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
		return -1;
	if (k < (ssize_t)all)
		watch(c, c->watched | EPOLLOUT);
	return k < 0 ? 0 : k;
}

static ssize_t on_send(void *client, const struct iovec *iov, int n)
{
	return send_some(client, iov, n);
}

static void on_done(void *client)
{
	close_client(client);
}

static void answer(struct client *c)
{
	while (c->answered < c->answer_n) {
		struct iovec iov = { c->answer + c->answered, c->answer_n - c->answered };
		ssize_t k = send_some(c, &iov, 1);
		if (k < 0)
			break;
		if (k == 0)
			return;
		c->answered += (size_t)k;
	}
	close_client(c);
}

/* ------------------------------------------------------------------------------------------------ requests */

static void leave_asking(struct client *c, enum state next)
{
	c->s->asking--;
	c->state = next;
}

static void start_answer(struct client *c, char *text, size_t n)
{
	leave_asking(c, ANSWERING);
	c->answer = text;
	c->answer_n = text ? n : 0;
	answer(c);
}

static void refuse_client(struct client *c, const char *detail)
{
	char text[LINE_RECORD_MAX];
	struct event_status e = { .state = SPAN("end"),
		.ts = c->s->wall / 1000,
		.source = hub_source(c->s->hub),
		.detail = span_of(detail) };
	size_t n = (size_t)(event_write_status(text, &e) - text);

	start_answer(c, strndup(text, n), n);
}

static void report(struct client *c, void (*print)(FILE *out, const struct hub *h, int64_t uptime, int64_t now))
{
	const struct hub_serve *s = c->s;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out) {
		close_client(c);
		return;
	}
	print(out, s->hub, s->now - s->began, s->now);
	fclose(out);
	start_answer(c, text, n);
}

static void start_reading(struct client *c, unsigned rate)
{
	struct hub_serve *s = c->s;

	if (hub_readers(s->hub) >= s->o.readers) {
		refuse_client(c, "refused: there are as many readers as there may be");
		return;
	}
	c->reader = hub_reader_new(s->hub, rate, c, s->now, s->wall);
	if (!c->reader) {
		refuse_client(c, "refused: no memory for one more reader, or one more rate than there may be");
		return;
	}
	leave_asking(c, READING);
	hub_reader_pump(s->hub, c->reader, s->now);
}

static void obey(struct client *c, struct span request)
{
	struct span rest;
	uint64_t rate;

	request = span_trim(request);
	if (request.n == 0)
		start_reading(c, 0);
	else if (span_is(request, "health"))
		report(c, hub_report_health);
	else if (span_is(request, "metrics"))
		report(c, hub_report_metrics);
	else if (span_is(span_cut(request, ' ', &rest), "rate") && rest.p && num_u64(rest, 0, HUB_RATE_MAX, &rate))
		start_reading(c, (unsigned)rate);
	else
		refuse_client(c, "refused: not a request: rate HZ, health or metrics");
}

/* what a client says: its request, and then nothing that matters */
static void hear(struct client *c)
{
	char rest[256];
	bool asks = c->state == ASKING;
	size_t room = asks ? sizeof c->ask - c->asked : sizeof rest;
	ssize_t k = recv(c->fd, asks ? c->ask + c->asked : rest, room, MSG_DONTWAIT);

	if (k < 0) {
		if (errno != EAGAIN && errno != EINTR)
			close_client(c);
		return;
	}
	if (k == 0) /* it says no more, but may go on listening: when it has gone, EPOLLHUP tells */
		watch(c, c->watched & ~(uint32_t)(EPOLLIN | EPOLLRDHUP));
	if (!asks)
		return;
	c->asked += (size_t)k;
	const char *end = memchr(c->ask, '\n', c->asked);
	if (end || k == 0 || c->asked == sizeof c->ask)
		obey(c, (struct span){ c->ask, end ? (size_t)(end - c->ask) : c->asked });
}

/* ----------------------------------------------------------------------------------------------- accepting */

static void welcome(struct hub_serve *s, int fd)
{
	struct client *c = calloc(1, sizeof *c);
	struct epoll_event e = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

	if (!c || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) < 0) {
		free(c);
		close(fd);
		return;
	}
	*c = (struct client){ .s = s, .fd = fd, .since = s->now, .next = s->first, .watched = e.events };
	if (s->first)
		s->first->prev = c;
	s->first = c;
	s->clients++;
	s->asking++;
	if (s->clients > s->o.readers + ASKERS)
		refuse_client(c, "refused: there are as many clients as there may be");
}

static void accept_clients(struct hub_serve *s)
{
	for (;;) {
		int fd = accept4(s->socket->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			welcome(s, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK) {
			/* out of descriptors: who waits goes on waiting */
			s->o.tell("accept:");
			s->accept_at = s->now + SECOND;
			epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->socket->fd, NULL);
		}
		return;
	}
}

/* those that have said nothing for so long get everything; what they have said by now is heard first */
static void start_silent(struct hub_serve *s, int64_t patience)
{
	struct client *next;

	for (struct client *c = s->asking ? s->first : NULL; c; c = next) {
		next = c->next;
		if (c->state != ASKING || s->now - c->since < patience)
			continue;
		hear(c);
		if (c->state == ASKING)
			obey(c, (struct span){ c->ask, c->asked });
	}
}

/* --------------------------------------------------------------------------------------------------- input */

static void refuse_input(struct hub_serve *s, size_t at, const char *why)
{
	refuse_line(&s->refused, NULL, s->in.number, at, why);
	s->input_over |= s->o.strict;
}

static void take_line(struct hub_serve *s, enum line_got got, struct span line)
{
	const char *why;
	size_t at;

	if (got == LINE_LONG) {
		hub_refused(s->hub);
		refuse_input(s, LINE_MAX_BYTES, "longer than 1 MiB");
	} else if (!hub_line(s->hub, line, s->now, s->wall, &why, &at))
		refuse_input(s, at, why);
}

static void take_lines(struct hub_serve *s)
{
	struct span line;
	enum line_got got;
	size_t bytes = 0;

	while (!s->input_over && (got = line_next(&s->in, &line)) != LINE_EMPTY) {
		take_line(s, got, line);
		bytes += line.n;
		if (bytes >= PUMP_BYTES) {
			hub_pump(s->hub, s->now, s->wall);
			bytes = 0;
		}
	}
	s->input_over |= s->in.ended;
}

static void read_input(struct hub_serve *s)
{
	s->in_waits = s->in_is_file;
	if (line_fill(&s->in) < 0 && errno != EINTR && errno != EAGAIN) {
		s->o.tell("standard input:");
		s->input_over = s->failed = true;
	}
	read_clocks(s);
	take_lines(s);
}

/* ----------------------------------------------------------------------------------------------------- end */

static void leave_input(struct hub_serve *s)
{
	s->input_over = true;
	s->in_waits = s->in_is_file = false;
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->in.fd, NULL);
}

/* readers get what is due to them, those too that have only just come, and nobody comes any more */
static void begin_end(struct hub_serve *s, const char *state, const char *detail, int64_t wait)
{
	if (s->ending)
		return;
	s->ending = true;
	s->end_at = s->now + wait;
	accept_clients(s);
	hub_socket_close(s->socket);
	start_silent(s, 0);
	hub_end(s->hub, false, state, detail, s->now, s->wall);
	leave_input(s);
}

static void input_has_ended(struct hub_serve *s)
{
	leave_input(s);
	if (s->o.linger && !s->failed)
		hub_end(s->hub, true, "end", "the stream has ended; its last state goes on being served", s->now, s->wall);
	else
		begin_end(s, "end", "the stream has ended", HUB_CUT_US);
}

static void on_signals(struct hub_serve *s)
{
	int number;

	while ((number = io_signal(s->o.signals)) != 0) {
		if (number == SIGUSR1) {
			hub_serve_counters(s);
			continue;
		}
		if (s->ending)
			s->end_at = s->now;
		begin_end(s, "connecting", "the hub goes down", LAST_US);
	}
}

/* -------------------------------------------------------------------------------------------------- seconds */

/* clients may take all descriptors that there are but for the spare one */
static void write_www(struct hub_serve *s)
{
	if (!s->o.www)
		return;
	if (s->spare >= 0)
		close(s->spare);
	bool good = hub_www_write(&s->www, s->hub, s->now - s->began, s->now);
	int error = errno;
	s->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	errno = error;
	if (!good && !s->www_failed)
		s->o.tell("%s:", s->o.www);
	s->www_failed = !good;
}

static bool is_overdue(const struct client *c, int64_t now)
{
	return c->reader ? now >= hub_reader_deadline(c->reader) : c->state == ANSWERING && now - c->since >= HUB_CUT_US;
}

static void close_overdue(struct hub_serve *s)
{
	struct client *next;

	for (struct client *c = s->first; c; c = next) {
		next = c->next;
		if (is_overdue(c, s->now))
			close_client(c);
	}
}

static void every_second(struct hub_serve *s)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = s->socket };

	if (s->now < s->tick_at)
		return;
	s->tick_at = s->now + SECOND;
	if (s->accept_at && s->now >= s->accept_at && !s->ending) {
		s->accept_at = 0;
		epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->socket->fd, &e);
	}
	write_www(s);
	close_overdue(s);
}

/* -------------------------------------------------------------------------------------------------- the loop */

static int wait_ms(const struct hub_serve *s)
{
	int64_t due = s->tick_at, pump = hub_due(s->hub);

	due = pump < due ? pump : due;
	if (s->asking && s->now + HUB_SERVE_ASK_US / 4 < due)
		due = s->now + HUB_SERVE_ASK_US / 4;
	if (s->ending && s->end_at < due)
		due = s->end_at;
	return s->in_waits || due <= s->now ? 0 : (int)((due - s->now + 999) / 1000);
}

static void on_client(struct client *c, uint32_t events)
{
	if (c->state != GONE && events & (EPOLLIN | EPOLLRDHUP))
		hear(c);
	if (c->state != GONE && events & EPOLLOUT) {
		watch(c, c->watched & ~(uint32_t)EPOLLOUT);
		if (c->state == READING)
			hub_reader_pump(c->s->hub, c->reader, c->s->now);
		else if (c->state == ANSWERING)
			answer(c);
	}
	if (c->state != GONE && events & (EPOLLHUP | EPOLLERR))
		close_client(c);
}

static void on_event(struct hub_serve *s, const struct epoll_event *e)
{
	if (e->data.ptr == &s->in)
		s->in_waits = true;
	else if (e->data.ptr == &s->o)
		on_signals(s);
	else if (e->data.ptr != s->socket)
		on_client(e->data.ptr, e->events);
	else if (!s->ending)
		accept_clients(s);
}

static bool is_over(struct hub_serve *s)
{
	if (s->ending)
		return s->clients == 0 || s->now >= s->end_at;
	if (!s->o.idle || s->clients > 0 || s->now - s->lonely < s->o.idle)
		return false;
	accept_clients(s); /* who comes in the last moment is not turned away */
	return s->clients == 0;
}

static bool one_round(struct hub_serve *s)
{
	struct epoll_event e[EVENTS];
	int n = epoll_wait(s->epoll, e, EVENTS, wait_ms(s));

	if (n < 0 && errno != EINTR) {
		s->o.tell("epoll_wait:");
		s->failed = true;
		return false;
	}
	read_clocks(s);
	for (int i = 0; i < n; i++)
		on_event(s, &e[i]);
	if (s->in_waits && !s->input_over) {
		read_input(s);
		if (s->input_over && !s->ending)
			input_has_ended(s);
	}
	hub_pump(s->hub, s->now, s->wall);
	start_silent(s, HUB_SERVE_ASK_US);
	every_second(s);
	free_gone(s);
	return !is_over(s);
}

bool hub_serve_run(struct hub_serve *s)
{
	read_clocks(s);
	s->lonely = s->now;
	while (one_round(s)) {
	}
	refuse_total(&s->refused);
	return !s->failed;
}

/* ---------------------------------------------------------------------------------------------------- whole */

static bool watch_fd(const struct hub_serve *s, int fd, const void *what)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = (void *)(uintptr_t)what };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static bool open_loop(struct hub_serve *s, int in, const char **what)
{
	*what = "the loop";
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0 || !watch_fd(s, s->o.signals, &s->o) || !watch_fd(s, s->socket->fd, s->socket))
		return false;
	*what = "standard input";
	s->in_is_file = !watch_fd(s, in, &s->in);
	s->in_waits = s->in_is_file;
	if (s->in_is_file && errno != EPERM)
		return false;
	line_in_attach(&s->in, in);
	io_grow_pipe(in);
	*what = s->o.www;
	return !s->o.www || hub_www_open(&s->www, s->o.www);
}

struct hub_serve *hub_serve_open(const struct hub_serve_options *o, struct hub_socket *socket, int in, const char **what)
{
	struct hub_serve *s = calloc(1, sizeof *s);

	*what = "memory";
	if (!s)
		return NULL;
	s->o = *o;
	s->o.hub.send = on_send;
	s->o.hub.done = on_done;
	s->socket = socket;
	s->epoll = s->spare = s->www.dir = -1;
	s->began = clock_mono_us();
	refuse_open(&s->refused, o->tell);
	s->hub = hub_new(&s->o.hub);
	if (s->hub && line_in_open(&s->in) && open_loop(s, in, what))
		return s;
	int error = errno;
	hub_serve_close(s);
	errno = error;
	return NULL;
}

void hub_serve_close(struct hub_serve *s)
{
	while (s->first)
		close_client(s->first);
	free_gone(s);
	hub_www_close(&s->www);
	hub_free(s->hub);
	line_in_close(&s->in);
	if (s->spare >= 0)
		close(s->spare);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}

uint64_t hub_serve_refused(const struct hub_serve *s)
{
	return s->refused.lines;
}

void hub_serve_counters(const struct hub_serve *s)
{
	const struct hub_counters *c = hub_counters(s->hub);
	uint64_t in = 0, out = 0;

	for (size_t i = 0; i < HUB_TYPES; i++) {
		in += c->in[i];
		out += c->out[i];
	}
	s->o.tell("in %" PRIu64 " out %" PRIu64 " refused %" PRIu64 " conflated %" PRIu64 " too long %" PRIu64
		  " readers %zu, so far %" PRIu64 ", cut off %" PRIu64,
	    in, out, c->refused, c->conflated, c->too_long, hub_readers(s->hub), c->readers_ever, c->cut);
}
