#include "ws_dial.h"

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------------------- looking up names */

/* threads that have not ended: a resolver that never answers must not gather them for ever */
#define LOOKUPS_MAX 32
static atomic_uint lookups;

/* shared with its thread; whoever is last frees it */
struct lookup {
	pthread_mutex_t lock;
	bool done, unwanted;
	int ready; /* eventfd, written to when done; ours alone once unwanted */
	char host[PROXY_NAME_MAX + 1];
	char port[8];
	int error; /* of getaddrinfo */
	int system_error;
	struct addrinfo *found;
};

static void lookup_destroy(struct lookup *l)
{
	if (l->found)
		freeaddrinfo(l->found);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

static void *lookup_thread(void *arg)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct lookup *l = arg;
	int error = getaddrinfo(l->host, l->port, &hints, &l->found);
	int system_error = errno;

	pthread_mutex_lock(&l->lock);
	bool unwanted = l->unwanted;
	l->done = true;
	l->error = error;
	l->system_error = system_error;
	if (error)
		l->found = NULL;
	if (!unwanted)
		(void)eventfd_write(l->ready, 1);
	pthread_mutex_unlock(&l->lock);
	if (unwanted)
		lookup_destroy(l);
	atomic_fetch_sub(&lookups, 1);
	return NULL;
}

/* signals are for the program's own thread */
static bool run_detached(void *(*f)(void *), void *arg)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr) != 0)
		return false;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool done = atomic_fetch_add(&lookups, 1) < LOOKUPS_MAX && pthread_create(&thread, &attr, f, arg) == 0;
	if (!done)
		atomic_fetch_sub(&lookups, 1);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return done;
}

static struct lookup *lookup_start(const char *host, uint16_t port)
{
	struct lookup *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	snprintf(l->host, sizeof l->host, "%s", host);
	snprintf(l->port, sizeof l->port, "%u", (unsigned)port);
	l->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->ready >= 0 && run_detached(lookup_thread, l))
		return l;
	if (l->ready >= 0)
		close(l->ready);
	lookup_destroy(l);
	return NULL;
}

/* true: it has ended, and *error is an EAI_ number or 0; then what was found is the caller's */
static bool lookup_take(struct lookup *l, struct addrinfo **found, int *error, int *system_error)
{
	pthread_mutex_lock(&l->lock);
	bool done = l->done;
	if (done) {
		*found = l->found;
		*error = l->error;
		*system_error = l->system_error;
		l->found = NULL;
	}
	pthread_mutex_unlock(&l->lock);
	return done;
}

static void lookup_drop(struct lookup *l)
{
	pthread_mutex_lock(&l->lock);
	bool done = l->done;
	l->unwanted = true;
	close(l->ready);
	pthread_mutex_unlock(&l->lock);
	if (done)
		lookup_destroy(l);
}

/* ------------------------------------------------------------------------------------------------- the attempt */

enum stage { LOOK_UP_HOST, LOOK_UP, CONNECT, TALK, OVER };

struct ws_dial {
	enum stage stage;
	enum ws_dial_state state;
	struct proxy via;
	char host[PROXY_NAME_MAX + 1]; /* in the end; with socks5:// its address, once that is known */
	uint16_t port;
	struct lookup *lookup;
	struct addrinfo *found; /* owned */
	const struct addrinfo *next;
	unsigned tried;
	int fd;
	bool writing;
	int64_t give_up, give_up_address;
	struct proxy_talk talk;
	char why[320];
};

/* "proxy HOST:PORT: " before what the proxy has to do with */
static enum ws_dial_state fail(struct ws_dial *d, enum ws_dial_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static enum ws_dial_state fail(struct ws_dial *d, enum ws_dial_state state, const char *format, ...)
{
	va_list ap;
	int n = 0;

	if (d->via.kind != PROXY_NONE && state == WS_DIAL_FAILED)
		n = snprintf(d->why, sizeof d->why, "proxy %.100s:%u: ", d->via.host, (unsigned)d->via.port);
	va_start(ap, format);
	vsnprintf(d->why + n, sizeof d->why - (size_t)n, format, ap);
	va_end(ap);
	d->stage = OVER;
	return d->state = state;
}

static enum ws_dial_state fail_by_address(struct ws_dial *d, const char *reason)
{
	char text[100];

	snprintf(text, sizeof text, "%s", reason);
	/* "Connection refused" is a sentence of its own; "EOF" would be none of strerror's */
	if (islower((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
	if (d->tried > 1)
		return fail(d, WS_DIAL_FAILED, "%s (the last of %u addresses)", text, d->tried);
	return fail(d, WS_DIAL_FAILED, "%s", text);
}

/* an address needs no thread */
static struct addrinfo *numeric(const char *host, uint16_t port)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found;
	char text[8];

	snprintf(text, sizeof text, "%u", (unsigned)port);
	return getaddrinfo(host, text, &hints, &found) == 0 ? found : NULL;
}

static enum ws_dial_state look_up(struct ws_dial *d, enum stage stage, const char *host, uint16_t port)
{
	d->stage = stage;
	d->found = numeric(host, port);
	if (!d->found)
		d->lookup = lookup_start(host, port);
	if (!d->found && !d->lookup)
		return fail(d, WS_DIAL_NO_ADDRESS, "no address: too many names are being looked up already");
	return WS_DIAL_GOES_ON;
}

struct ws_dial *ws_dial_start(const struct proxy *via, struct span host, uint16_t port, int64_t now)
{
	struct ws_dial *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->via = *via;
	d->port = port;
	d->fd = -1;
	d->give_up = now + WS_DIAL_ALL_US;
	if (host.n >= sizeof d->host) {
		fail(d, WS_DIAL_NO_ADDRESS, "the name of the host is too long");
		return d;
	}
	memcpy(d->host, host.p, host.n);
	if (via->kind == PROXY_SOCKS5)
		look_up(d, LOOK_UP_HOST, d->host, port);
	else if (via->kind != PROXY_NONE)
		look_up(d, LOOK_UP, via->host, via->port);
	else
		look_up(d, LOOK_UP, d->host, port);
	return d;
}

static void drop_found(struct ws_dial *d)
{
	if (d->found)
		freeaddrinfo(d->found);
	d->found = NULL;
	d->next = NULL;
}

static void drop_connection(struct ws_dial *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void ws_dial_free(struct ws_dial *d)
{
	if (!d)
		return;
	if (d->lookup)
		lookup_drop(d->lookup);
	drop_found(d);
	drop_connection(d);
	explicit_bzero(d, sizeof *d); /* there may be a password in it */
	free(d);
}

/* ------------------------------------------------------------------------------------------------- its stages */

static enum ws_dial_state no_address(struct ws_dial *d, const char *reason)
{
	bool of_host = d->via.kind == PROXY_NONE || d->stage == LOOK_UP_HOST;

	return fail(d, of_host ? WS_DIAL_NO_ADDRESS : WS_DIAL_FAILED, "no address: %s", reason);
}

/* false: not yet, or it has failed */
static bool found_addresses(struct ws_dial *d, int64_t now)
{
	int error, system_error;

	if (!d->lookup)
		return true;
	if (!lookup_take(d->lookup, &d->found, &error, &system_error)) {
		if (now >= d->give_up)
			no_address(d, "no answer in time");
		return false;
	}
	lookup_drop(d->lookup);
	d->lookup = NULL;
	if (error)
		no_address(d, error == EAI_SYSTEM ? strerror(system_error) : gai_strerror(error));
	return !error;
}

/* socks5://: the proxy is to be given the address that we have found, and has to be found itself */
static void take_host_address(struct ws_dial *d)
{
	const struct addrinfo *a = d->found;

	if (getnameinfo(a->ai_addr, a->ai_addrlen, d->host, sizeof d->host, NULL, 0, NI_NUMERICHOST) != 0) {
		no_address(d, "none that can be given to a proxy");
		return;
	}
	drop_found(d);
	look_up(d, LOOK_UP, d->via.host, d->via.port);
}

static int open_socket(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

/* 0: connected; EINPROGRESS; else what went wrong */
static int try_address(struct ws_dial *d, const struct addrinfo *a, int64_t now)
{
	drop_connection(d);
	d->tried++;
	d->give_up_address = now + WS_DIAL_ADDRESS_US;
	d->fd = open_socket(a);
	if (d->fd < 0)
		return errno;
	d->writing = true;
	return connect(d->fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
}

static void try_next(struct ws_dial *d, int error, int64_t now)
{
	while (d->next) {
		const struct addrinfo *a = d->next;
		d->next = a->ai_next;
		error = try_address(d, a, now);
		if (error == 0 || error == EINPROGRESS)
			return;
	}
	fail_by_address(d, strerror(error));
}

/* On loopback a connect to a port where nobody listens may, once in a while, meet itself. */
static bool is_itself(int fd)
{
	struct sockaddr_storage a, b;
	socklen_t n = sizeof a, m = sizeof b;

	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	return getsockname(fd, (struct sockaddr *)&a, &n) == 0 && getpeername(fd, (struct sockaddr *)&b, &m) == 0 &&
	    n == m && memcmp(&a, &b, n) == 0;
}

static void connected(struct ws_dial *d)
{
	drop_found(d);
	if (d->via.kind == PROXY_NONE) {
		d->stage = OVER;
		d->state = WS_DIAL_UP;
	} else if (proxy_begin(&d->talk, &d->via, span_of(d->host), d->port)) {
		d->stage = TALK;
	} else {
		fail(d, WS_DIAL_FAILED, "%.100s is no name for a proxy", d->host);
	}
}

static void wait_for_connect(struct ws_dial *d, int64_t now)
{
	struct pollfd p = { .fd = d->fd, .events = POLLOUT };
	int error = 0;
	socklen_t n = sizeof error;

	if (poll(&p, 1, 0) <= 0) {
		if (now >= d->give_up || now >= d->give_up_address) {
			d->next = now >= d->give_up ? NULL : d->next;
			try_next(d, ETIMEDOUT, now);
		}
		return;
	}
	if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		error = errno;
	if (!error && is_itself(d->fd))
		error = ECONNREFUSED;
	if (error)
		try_next(d, error, now);
	else
		connected(d);
}

/* one send or one read; false: not now, or never again */
static bool talk_on(struct ws_dial *d)
{
	struct span s = proxy_to_send(&d->talk);
	char buffer[512];
	ssize_t n;

	d->writing = s.n > 0;
	if (s.n > 0) {
		n = send(d->fd, s.p, s.n, MSG_NOSIGNAL);
	} else {
		size_t want = proxy_wants(&d->talk);
		n = recv(d->fd, buffer, want < sizeof buffer ? want : sizeof buffer, 0);
	}
	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0) {
		fail(d, WS_DIAL_FAILED, "%s", n < 0 ? strerror(errno) : "the proxy closed the connection");
		return false;
	}
	if (s.n > 0) {
		proxy_sent(&d->talk, (size_t)n);
		return true;
	}
	enum proxy_step step = proxy_got(&d->talk, (struct span){ buffer, (size_t)n });
	if (step == PROXY_FAILED)
		fail(d, WS_DIAL_FAILED, "%s", d->talk.why);
	if (step == PROXY_DONE) {
		d->stage = OVER;
		d->state = WS_DIAL_UP;
	}
	return step == PROXY_GOES_ON;
}

static void talk(struct ws_dial *d, int64_t now)
{
	while (talk_on(d))
		;
	if (d->stage == TALK && now >= d->give_up)
		fail(d, WS_DIAL_FAILED, "no answer in time");
}

enum ws_dial_state ws_dial_step(struct ws_dial *d, int64_t now)
{
	if (d->stage == LOOK_UP_HOST && found_addresses(d, now))
		take_host_address(d);
	if (d->stage == LOOK_UP && found_addresses(d, now)) {
		d->next = d->found;
		d->stage = CONNECT;
		try_next(d, EADDRNOTAVAIL, now);
	}
	if (d->stage == CONNECT)
		wait_for_connect(d, now);
	if (d->stage == TALK)
		talk(d, now);
	return d->state;
}

int ws_dial_fd(const struct ws_dial *d, bool *for_writing)
{
	*for_writing = !d->lookup && d->writing;
	return d->lookup ? d->lookup->ready : d->fd;
}

const char *ws_dial_why(const struct ws_dial *d)
{
	return d->why;
}

int ws_dial_take(struct ws_dial *d)
{
	int fd = d->fd;

	d->fd = -1;
	return fd;
}
