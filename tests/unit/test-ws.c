/* lib/ws at real sockets: the offline exchange and its faults, servers and proxies made here, and the traps of
 * libwebsockets 4.1.6, each of which has a test of its own (trap_N_...) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "json.h"
#include "ws.h"

#define SECOND	1000000LL
#define PATIENCE (20 * SECOND) /* for what should come at once, on a machine that is busy */

static char dir[] = "/tmp/bnc-ws.XXXXXX";

/* ------------------------------------------------------------------------------- what is put in the library's way */

/* this program's definitions come before libc's, for libwebsockets as well */

static int64_t clock_ahead; /* µs that CLOCK_MONOTONIC is ahead, and time(2) */

time_t time(time_t *t)
{
	time_t now = (time_t)(syscall(SYS_time, NULL) + clock_ahead / SECOND);

	if (t)
		*t = now;
	return now;
}

int clock_gettime(clockid_t id, struct timespec *t)
{
	int error = (int)syscall(SYS_clock_gettime, id, t);

	if (error == 0 && id == CLOCK_MONOTONIC) {
		int64_t ns = t->tv_nsec + clock_ahead % SECOND * 1000;
		t->tv_sec += clock_ahead / SECOND + ns / 1000000000;
		t->tv_nsec = ns % 1000000000;
	}
	return error;
}

/* what the resolver says of x.test; a look-up that was given up may still read it when the next test begins */
enum answer {
	ONE_ADDRESS,
	NO_ANSWER,	/* until slow_lock is free */
	FIRST_REFUSES,	/* of two */
	FIRST_IS_SILENT /* it is deaf_port */
};
static _Atomic enum answer x_test;
static pthread_mutex_t slow_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned deaf_port;

typedef int resolve(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **found)
{
	const char *first = "127.0.0.1", *first_port = port;
	resolve *real;
	char deaf[8];

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (hints && hints->ai_flags & AI_NUMERICHOST)
		return real(name, port, hints, found);
	if (strcmp(name, "one.test") == 0)
		return real("127.0.0.1", port, hints, found);
	if (strcmp(name, "x.test") != 0)
		return EAI_NONAME;
	enum answer answer = x_test; /* clang 14 knows no switch of what is atomic */
	switch (answer) {
	case NO_ANSWER:
		pthread_mutex_lock(&slow_lock);
		pthread_mutex_unlock(&slow_lock);
		return real("127.0.0.1", port, hints, found);
	case FIRST_REFUSES:
		first = "127.0.0.2";
		break;
	case FIRST_IS_SILENT:
		snprintf(deaf, sizeof deaf, "%u", deaf_port);
		first_port = deaf;
		break;
	default:
		return real("127.0.0.1", port, hints, found);
	}
	int error = real(first, first_port, hints, found);
	return error ? error : real("127.0.0.1", port, hints, &(*found)->ai_next);
}

/* -------------------------------------------------------------------------------------------- the offline exchange */

static struct {
	pid_t pid;
	int script, told;
	unsigned port;
	char ca[64];
	char text[1 << 20]; /* all it has told */
	size_t n;
	size_t seen; /* what was waited for lies before that */
} exchange;

static const char *program(const char *name)
{
	static char path[PATH_MAX + 40];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	assert_true(n > 0);
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof path, "%s/bin/%s", self, name);
	return path;
}

/* until the exchange has told that, behind what was waited for before; false: not in time */
static bool told_within(const char *what, int64_t us)
{
	int64_t end = clock_real_us() + us;

	for (;;) {
		char *at = strstr(exchange.text + exchange.seen, what);
		char *line_end = at ? strchr(at, '\n') : NULL;
		if (line_end) {
			exchange.seen = (size_t)(line_end + 1 - exchange.text);
			return true;
		}
		struct pollfd p = { .fd = exchange.told, .events = POLLIN };
		int64_t left = (end - clock_real_us()) / 1000;
		if (left < 0 || poll(&p, 1, (int)left) <= 0)
			return false;
		ssize_t n = read(exchange.told, exchange.text + exchange.n, sizeof exchange.text - 1 - exchange.n);
		if (n <= 0)
			return false;
		exchange.n += (size_t)n;
		exchange.text[exchange.n] = '\0';
	}
}

static void wait_told(const char *what)
{
	if (!told_within(what, PATIENCE))
		fail_msg("the exchange did not tell %s, but:\n%s", what, exchange.text + exchange.seen);
}

static void write_all(int fd, const void *p, size_t n)
{
	for (const char *at = p; n > 0;) {
		ssize_t k = write(fd, at, n);
		assert_true(k > 0);
		at += k;
		n -= (size_t)k;
	}
}

/* gives it a line of its script, and waits until that is done */
static void order(const char *line)
{
	write_all(exchange.script, line, strlen(line));
	write_all(exchange.script, "\n", 1);
	wait_told("\"event\":\"order\"");
}

/* options with blanks between */
static void exec_exchange(int in, int out, const char *options)
{
	char *argv[24] = { (char *)(uintptr_t) "bnc-mock", (char *)(uintptr_t) "--ca-out", exchange.ca };
	char words[300];
	int n = 3;

	snprintf(words, sizeof words, "%s", options);
	for (char *rest = words; (argv[n] = strtok_r(rest, " ", &rest)) != NULL;)
		n++;
	dup2(in, 0);
	dup2(out, 1);
	execv(program("bnc-mock"), argv);
	_exit(127);
}

static void start_exchange(const char *options)
{
	int in[2], out[2];

	snprintf(exchange.ca, sizeof exchange.ca, "%s/ca.pem", dir);
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	exchange.pid = fork();
	assert_true(exchange.pid >= 0);
	if (exchange.pid == 0)
		exec_exchange(in[0], out[1], options);
	close(in[0]);
	close(out[1]);
	exchange.script = in[1];
	exchange.told = out[0];
	exchange.n = exchange.seen = 0;
	exchange.text[0] = '\0';
	wait_told("\n");
	exchange.port = (unsigned)strtoul(exchange.text, NULL, 10);
}

static void stop_exchange(void)
{
	if (exchange.pid <= 0)
		return;
	kill(exchange.pid, SIGTERM);
	waitpid(exchange.pid, NULL, 0);
	exchange.pid = 0;
	close(exchange.script);
	close(exchange.told);
}

/* ------------------------------------------------------------------------------------------------- the client */

struct line {
	struct ws_conn *c; /* NULL when down */
	unsigned ups, messages, pongs, downs;
	char text[70000]; /* of the latest message, or its beginning */
	size_t n;
	int64_t recv, down_at; /* clock_mono_us */
	struct ws_end end;
};

static struct ws *w;
static struct line a, b, z;
static unsigned ticks, idles;
static const unsigned *awaited;
static unsigned awaited_value;
static int64_t give_up;
static char last_log[600];
static void (*at_message)(struct line *l);
static int64_t last_recv;
static int fds_before;
static unsigned redial, redials; /* a port: who is down dials there, at once */

static void on_up(void *user, struct ws_conn *c)
{
	struct line *l = ws_tag(c);

	assert_ptr_equal(user, &exchange);
	assert_ptr_equal(l->c, c);
	assert_int_equal(l->ups++, 0);
	assert_true(ws_is_up(c));
}

static void on_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	struct line *l = ws_tag(c);
	volatile unsigned sum = 0;

	(void)user;
	assert_int_equal(l->ups, 1);
	assert_int_equal(l->downs, 0);
	assert_true(text.n > 0);
	l->messages++;
	l->n = text.n;
	memcpy(l->text, text.p, text.n < sizeof l->text ? text.n : sizeof l->text - 1);
	l->text[text.n < sizeof l->text ? text.n : sizeof l->text - 1] = '\0';
	l->recv = recv;
	assert_true(recv >= last_recv);
	last_recv = recv;
	/* what lib/json asks for: a line end behind it, and then room to look at */
	((char *)(uintptr_t)text.p)[text.n] = '\n';
	for (size_t i = 0; i < JSON_PAD; i++)
		if (text.p[text.n + i])
			sum++;
	if (at_message)
		at_message(l);
}

static void on_pong(void *user, struct ws_conn *c)
{
	struct line *l = ws_tag(c);

	(void)user;
	l->pongs++;
}

static void on_down(void *user, struct ws_conn *c, const struct ws_end *end)
{
	struct line *l = ws_tag(c);

	(void)user;
	assert_ptr_equal(l->c, c);
	assert_false(ws_is_up(c));
	assert_false(ws_send(c, SPAN("x")));
	assert_int_equal(end->was_up, l->ups);
	assert_true(*end->text);
	l->downs++;
	l->end = *end;
	l->down_at = clock_mono_us();
	l->c = NULL;
	if (redial) {
		struct ws_target t = {
			.host = SPAN("127.0.0.1"), .port = (uint16_t)redial, .tls = true, .path = SPAN("/")
		};
		l->downs = 0;
		l->c = ws_connect(w, &t, l);
		redials++;
	}
}

static void check(void)
{
	if ((awaited && *awaited >= awaited_value) || clock_real_us() >= give_up)
		ws_stop(w);
}

static void on_tick(void *user)
{
	(void)user;
	ticks++;
	check();
}

static void on_idle(void *user)
{
	(void)user;
	idles++;
	check();
}

static void on_log(void *user, int level, const char *text)
{
	(void)user;
	assert_true(level == 1 || level == 2);
	if (level == 1)
		snprintf(last_log, sizeof last_log, "%s", text);
}

static void open_loop_with(const char *cacert)
{
	static const struct ws_events events = { on_up, on_message, on_pong, on_down, on_tick, on_idle, on_log };
	struct ws_options o = { .cacert = cacert, .user_agent = "test-ws/1" };
	char why[256];

	w = ws_open(&o, &events, &exchange, why);
	if (!w)
		fail_msg("ws_open: %s", why);
}

static void open_loop(void)
{
	open_loop_with(exchange.ca);
}

static void run_for(int64_t us)
{
	awaited = NULL;
	give_up = clock_real_us() + us;
	ws_run(w);
}

/* the loop runs until the counter has that value */
static bool reached(const unsigned *counter, unsigned value, int64_t us)
{
	awaited = counter;
	awaited_value = value;
	give_up = clock_real_us() + us;
	ws_run(w);
	return *counter >= value;
}

static void wait_until(const unsigned *counter, unsigned value)
{
	if (!reached(counter, value, PATIENCE))
		fail_msg("a: up %u, messages %u, pongs %u, down %u (%s); b: up %u, messages %u, down %u (%s)", a.ups,
		    a.messages, a.pongs, a.downs, a.end.text, b.ups, b.messages, b.downs, b.end.text);
}

static void dial(struct line *l, const char *host, unsigned port, bool tls, const char *path)
{
	struct ws_target t = { .host = span_of(host), .port = (uint16_t)port, .tls = tls, .path = span_of(path) };

	memset(l, 0, sizeof *l);
	l->c = ws_connect(w, &t, l);
	assert_non_null(l->c);
	assert_int_equal(l->downs, 0);
	assert_ptr_equal(ws_tag(l->c), l);
}

/* a quiet connection to the exchange */
static void dial_exchange(struct line *l)
{
	dial(l, "127.0.0.1", exchange.port, true, "/public/stream");
}

static void be_up(struct line *l)
{
	dial_exchange(l);
	wait_until(&l->ups, 1);
	wait_told("\"event\":\"open\"");
}

static void be_down(struct line *l)
{
	wait_until(&l->downs, 1);
	assert_int_equal(l->downs, 1);
}

static void assert_end(const struct line *l, enum ws_cause cause, const char *text)
{
	if (l->end.cause != cause || !strstr(l->end.text, text))
		fail_msg("cause %d, '%s'; wanted %d, '%s'", (int)l->end.cause, l->end.text, (int)cause, text);
}

static void fails(struct line *l, enum ws_cause cause, const char *text)
{
	dial_exchange(l);
	be_down(l);
	assert_int_equal(l->ups, 0);
	assert_end(l, cause, text);
}

static int entries(const char *name)
{
	DIR *d = opendir(name);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int fds_open(void)
{
	return entries("/proc/self/fd");
}

static int set_up(void **state)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY",
		"ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	memset(&z, 0, sizeof z);
	ticks = idles = 0;
	at_message = NULL;
	clock_ahead = 0;
	x_test = ONE_ADDRESS;
	fds_before = fds_open();
	return 0;
}

/* no thread but this one, and the one that TSan has for itself as soon as there has been another */
static bool is_alone(void)
{
#ifdef __SANITIZE_THREAD__
	return entries("/proc/self/task") <= 4;
#else
	return entries("/proc/self/task") == 3;
#endif
}

static int tear_down(void **state)
{
	(void)state;
	if (w)
		ws_free(w);
	w = NULL;
	stop_exchange();
	int64_t end = clock_real_us() + PATIENCE;
	/* threads that were just let go may hold one a moment longer; and one that is left would count in the next test */
	while (fds_open() != fds_before || !is_alone())
		if (clock_real_us() > end) {
			print_error("%d descriptors are open, %d were before; %d threads\n", fds_open(), fds_before,
			    entries("/proc/self/task") - 2);
			return -1;
		}
	return 0;
}

/* --------------------------------------------------------------------------------------------- servers of our own */

static int listener(unsigned *port, int backlog)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static int connect_to(unsigned port, int flags)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

/* a port that answers no connection: its queue is full */
struct deaf {
	int fds[4];
	unsigned port;
};

static struct deaf be_deaf(void)
{
	struct deaf d;

	d.fds[0] = listener(&d.port, 0);
	for (int i = 1; i < 4; i++)
		d.fds[i] = connect_to(d.port, SOCK_NONBLOCK);
	return d;
}

static void hear_again(struct deaf *d)
{
	for (int i = 0; i < 4; i++)
		close(d->fds[i]);
}

/* a port where nobody listens */
static unsigned dead_port(void)
{
	unsigned port;

	close(listener(&port, 1));
	return port;
}

/* takes one connection, reads a request up to its empty line, answers with `answer`, if that is something, and holds
 * the connection until it is ended */
struct server {
	pthread_t thread;
	int fd;
	unsigned port;
	const char *answer;
	char request[8192];
};

static void *serve(void *arg)
{
	struct server *s = arg;
	size_t n = 0;
	int fd = accept(s->fd, NULL, NULL);

	while (fd >= 0 && n < sizeof s->request - 1 && !strstr(s->request, "\r\n\r\n")) {
		ssize_t k = read(fd, s->request + n, sizeof s->request - 1 - n);
		if (k <= 0)
			break;
		n += (size_t)k;
	}
	if (fd >= 0 && s->answer) {
		char rest[256];
		(void)!write(fd, s->answer, strlen(s->answer));
		while (read(fd, rest, sizeof rest) > 0)
			;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void start_server(struct server *s, const char *answer)
{
	memset(s, 0, sizeof *s);
	s->answer = answer;
	s->fd = listener(&s->port, 8);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void end_server(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

/* ------------------------------------------------------------------------------------------------------- opening */

static void it_opens_and_closes(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	wait_until(&ticks, 3);
	assert_true(idles > 0);
	ws_free(w);
	open_loop_with(NULL);
	wait_until(&ticks, 4);
}

static const char *refusal(const char *cacert)
{
	static const struct ws_events none;
	static char why[256];
	struct ws_options o = { .cacert = cacert };

	assert_null(ws_open(&o, &none, NULL, why));
	return why;
}

static void an_authority_that_cannot_be_read_is_an_error(void **state)
{
	char path[80], text[200];

	(void)state;
	snprintf(path, sizeof path, "%s/none.pem", dir);
	snprintf(text, sizeof text, "%s: No such file or directory", path);
	assert_string_equal(refusal(path), text);
	assert_string_equal(refusal("/dev/null"), "/dev/null: no certificate in PEM in it");
	assert_non_null(strstr(refusal(dir), dir));
}

/* -------------------------------------------------------------------------------------------------- messages */

static void a_message_comes_whole_with_its_time(void **state)
{
	int64_t before = clock_real_us();

	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	order("say {\"x\":1}");
	wait_until(&a.messages, 1);
	assert_string_equal(a.text, "{\"x\":1}");
	assert_true(a.recv >= before && a.recv <= clock_real_us());
	ws_close(a.c, 1000);
	ws_close(a.c, 1001); /* once is enough */
	be_down(&a);
	assert_end(&a, WS_ASKED, "closed");
	wait_told("\"why\":\"the client closed\",\"code\":1000");
}

static void without_tls_as_well(void **state)
{
	(void)state;
	start_exchange("--plain");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, false, "/public/ws/solusdt@bookTicker");
	wait_until(&a.messages, 2);
	ws_close(a.c, 1000);
	be_down(&a);
	assert_end(&a, WS_ASKED, "closed");
}

static void messages_of_every_kind(void **state)
{
	static const struct {
		const char *fault;
		const char *text; /* what is in it */
	} cases[] = {
		{ "newline", "" }, /* it counts from the next message of data on */
		{ "binary", "" },
		{ "bad-utf8", "" },
		{ "split 100", "\"e\"" },
		{ "ping 125", "\"e\"" },
		{ "pings 5", "\"e\"" },
		{ "pong", "\"e\"" },
		{ "empty", "\"e\"" },
		{ "empty-fragments", "" },
		{ "slow 2ms 20", "\"e\"" },
	};

	(void)state;
	start_exchange("--rate 50");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
	wait_until(&a.messages, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		unsigned before = a.messages;
		order(cases[i].fault);
		wait_until(&a.messages, before + 3);
		assert_null(memchr(a.text, '\n', a.n));
		assert_non_null(strstr(a.text, cases[i].text));
	}
	assert_int_equal(a.downs, 0);
	assert_true(a.pongs > 0);
}

static void a_line_end_becomes_a_blank(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	order("raw 81070a7b0a0a7d310a"); /* a message of "\n{\n\n}1\n" */
	wait_until(&a.messages, 1);
	assert_string_equal(a.text, " {  }1 ");
	order("raw 810081017b8100"); /* those of no bytes are no lines */
	wait_until(&a.messages, 2);
	run_for(SECOND / 20);
	assert_string_equal(a.text, "{");
	assert_int_equal(a.messages, 2);
}

static void fragments_with_pings_between(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	order("raw 01016189017000016200008a00800163810178010179800100");
	wait_until(&a.messages, 3);
	assert_int_equal(a.n, 2);
	assert_memory_equal(a.text, "y\0", 2);
	wait_told("\"payload\":\"p\"");
}

static unsigned boundary_messages;
static size_t boundary_wanted;

static void of_the_wanted_size(struct line *l)
{
	boundary_messages += l->n == boundary_wanted;
}

static void sizes_around_every_boundary(void **state)
{
	static const size_t sizes[] = { 125, 126, 127, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 1 << 20 };
	char text[40];

	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	at_message = of_the_wanted_size;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		boundary_wanted = sizes[i];
		boundary_messages = 0;
		snprintf(text, sizeof text, "huge %zu", sizes[i]);
		order(text);
		wait_until(&boundary_messages, 1);
	}
	order("huge 1048577");
	be_down(&a);
	assert_end(&a, WS_TOO_LONG, "a message is longer than 1048576 bytes");
	wait_told("\"code\":1009");
}

/* a line of a script, or a request, as long as need be */
static char big[50000];
static size_t big_n;

static const char *bigger(const char *text)
{
	size_t n = strlen(text);

	assert_true(big_n + n < sizeof big);
	memcpy(big + big_n, text, n + 1);
	big_n += n;
	return big;
}

/* these bytes, then one of them n times; the script takes 500 bytes a line */
static void order_bytes(const char *start, const char *byte, size_t n)
{
	big_n = 0;
	bigger("raw ");
	bigger(start);
	for (size_t i = 0; i < n; i++)
		bigger(byte);
	order(big);
}

#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ACCEPT	"Sec-WebSocket-Accept: %s\r\n"

/* a server without TLS that takes the upgrade and says these bytes, with its answer if they are few */
struct talker {
	pthread_t thread;
	int fd;
	unsigned port;
	const char *head; /* of the answer, %s for the key's other half */
	const char *bytes;
	size_t n;
	unsigned char answer[16]; /* the first bytes of what comes back */
};

/* RFC 6455, 4.2.2: gives how long the answer is */
static size_t put_answer(char *answer, size_t cap, const char *head, const char *request)
{
	static const char name[] = "Sec-WebSocket-Key: ";
	char text[100];
	unsigned char hash[20], accept[32];
	const char *key = strcasestr(request, name);

	if (!key)
		return 0;
	int n = snprintf(text, sizeof text, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + sizeof name - 1);
	EVP_Digest(text, (size_t)n, hash, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock(accept, hash, sizeof hash);
	const char *half = strstr(head, "%s");
	int before = (int)(half ? half - head : (long)strlen(head));
	return (size_t)snprintf(answer, cap, "%.*s%s%s", before, head, half ? (char *)accept : "", half ? half + 2 : "");
}

static void say(int fd, const char *p, size_t n)
{
	for (ssize_t k; n > 0 && (k = send(fd, p, n, MSG_NOSIGNAL)) > 0; n -= (size_t)k)
		p += k;
}

static void *talk(void *arg)
{
	struct talker *t = arg;
	char request[4096] = "", answer[1000];
	int fd = accept4(t->fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t k = 0; k < sizeof request - 1 && !strstr(request, "\r\n\r\n") && read(fd, request + k, 1) == 1;)
		k++;
	size_t n = put_answer(answer, 500, t->head, request);
	size_t with = t->n < 500 ? t->n : 0;
	memcpy(answer + n, t->bytes, with);
	say(fd, answer, n + with);
	say(fd, t->bytes + with, t->n - with);
	(void)!read(fd, t->answer, sizeof t->answer);
	close(fd);
	return NULL;
}

static void start_talking_behind(struct talker *t, const char *head, const char *bytes, size_t n)
{
	*t = (struct talker){ .head = head, .bytes = bytes, .n = n };
	t->fd = listener(&t->port, 8);
	assert_int_equal(pthread_create(&t->thread, NULL, talk, t), 0);
	dial(&a, "127.0.0.1", t->port, false, "/");
}

static void start_talking(struct talker *t, const char *bytes, size_t n)
{
	start_talking_behind(t, "HTTP/1.1 101 x\r\n" UPGRADE ACCEPT "\r\n", bytes, n);
}

static void end_talking(struct talker *t)
{
	pthread_join(t->thread, NULL);
	close(t->fd);
}

static char frames[3 << 20];
static size_t frames_n;

/* a frame head of so many bytes, as far as `bytes` of them */
static void put_frame(unsigned first, uint64_t n, size_t bytes)
{
	frames[frames_n++] = (char)first;
	frames[frames_n++] = 127;
	for (int shift = 56; shift >= 0; shift -= 8)
		frames[frames_n++] = (char)(n >> shift);
	memset(frames + frames_n, 0xfe, bytes);
	frames_n += bytes;
}

/* Where a chunk fills the library's own buffer exactly, nobody may let it close, nor may it check UTF-8. */
static void trap_1_a_chunk_that_fills_the_buffer(void **state)
{
	struct talker t;

	(void)state;
	open_loop_with(NULL);
	frames_n = 0;
	put_frame(0x81, 16384, 16384);
	put_frame(0x81, 32768, 32768);
	/* this one is refused at its first chunk, with more of them there already */
	put_frame(0x81, (1 << 20) + 1, 1 << 20);
	start_talking(&t, frames, frames_n);
	be_down(&a);
	assert_end(&a, WS_TOO_LONG, "a message is longer than 1048576 bytes");
	assert_int_equal(a.messages, 2);
	assert_int_equal(a.n, 32768);
	end_talking(&t);
	/* a close frame of ours, masked, with 1009 in it */
	assert_int_equal(t.answer[0], 0x88);
	assert_int_equal((t.answer[6] ^ t.answer[2]) << 8 | (t.answer[7] ^ t.answer[3]), 1009);
}

static void a_message_in_fragments_may_be_as_long_and_no_longer(void **state)
{
	struct talker t;

	(void)state;
	open_loop_with(NULL);
	for (size_t more = 0; more < 2; more++) {
		frames_n = 0;
		for (unsigned i = 0; i < 64; i++)
			put_frame(i == 0 ? 0x01 : 0x00, 16384, 16384);
		put_frame(0x80, more, more);
		put_frame(0x88, 0, 0);
		frames[frames_n - 9] = 0; /* a control frame has a short head */
		frames_n -= 8;
		start_talking(&t, frames, frames_n);
		be_down(&a);
		assert_int_equal(a.messages, 1 - more);
		assert_end(&a, more ? WS_TOO_LONG : WS_CLOSED, "");
		if (!more)
			assert_int_equal(a.n, WS_MESSAGE_MAX);
		end_talking(&t);
	}
}

static void a_frame_without_end(void **state)
{
	(void)state;
	start_exchange("--rate 500");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
	wait_until(&a.messages, 1);
	order("endless");
	be_down(&a);
	assert_end(&a, WS_TOO_LONG, "a message is longer");
}

static void trap_11_the_rest_of_a_burst_is_not_late(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	order_bytes("", "81017b", 300); /* in one record, */
	int64_t before = clock_real_us();
	wait_until(&a.messages, 300);
	for (int i = 0; i < 100; i++) /* and in a record each */
		order("say x");
	wait_until(&a.messages, 400);
	assert_true(clock_real_us() - before < 3 * SECOND);
}

static void idle_comes_once_for_many_messages(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	for (int i = 0; i < 200; i++)
		order("say x");
	unsigned before = idles;
	wait_until(&a.messages, 200);
	assert_true(idles - before < 50);
}

/* ------------------------------------------------------------------------------------------------------ sending */

static void a_long_request_goes_out_whole(void **state)
{
	char name[60];
	unsigned streams = 1;

	(void)state;
	start_exchange("--max-streams 4000");
	open_loop();
	be_up(&a);
	big_n = 0;
	bigger("{\"method\":\"SUBSCRIBE\",\"params\":[\"solusdt@bookTicker\"");
	for (; big_n < 40000; streams++) {
		snprintf(name, sizeof name, ",\"s%05zuusdt@aggTrade\"", big_n);
		bigger(name);
	}
	bigger("],\"id\":7}");
	assert_true(ws_send(a.c, span_of(big)));
	wait_until(&a.messages, 1);
	snprintf(name, sizeof name, "\"id\":7,\"params\":null,\"streams\":%u", streams);
	wait_told(name);
}

static void answers_in_order(struct line *l)
{
	char wanted[20];

	snprintf(wanted, sizeof wanted, "\"id\":%u", l->messages);
	if (!strstr(l->text, wanted))
		fail_msg("%s is not in %s", wanted, l->text);
}

static void what_waits_to_be_sent_has_an_end_and_an_order(void **state)
{
	static char text[30000];
	char ask[100];

	(void)state;
	start_exchange("--plain");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, false, "/public/stream");
	assert_false(ws_send(a.c, SPAN("too early")));
	ws_ping(a.c);
	wait_until(&a.ups, 1);
	memset(text, ' ', sizeof text);
	for (int i = 1; i <= 3; i++) {
		int n = snprintf(ask, sizeof ask, "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":%d}", i);
		memcpy(text + sizeof text - (size_t)n, ask, (size_t)n);
		assert_true(ws_send(a.c, (struct span){ text, sizeof text }));
	}
	assert_false(ws_send(a.c, SPAN("x")));
	at_message = answers_in_order;
	wait_until(&a.messages, 3);
	assert_true(ws_send(a.c, SPAN("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":4}")));
	wait_until(&a.messages, 4);
	assert_int_equal(a.pongs, 0);
}

static void pings_go_both_ways(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	int64_t heard = ws_heard(a.c);
	assert_true(heard > 0 && heard <= clock_mono_us());
	ws_ping(a.c);
	wait_until(&a.pongs, 1);
	wait_told("\"event\":\"ping\"");
	assert_true(ws_heard(a.c) > heard);
	order("ping 125");
	run_for(SECOND / 20);
	wait_told("\"event\":\"pong\"");
	order("pong");
	wait_until(&a.pongs, 2);
	/* one that is asked for behind a request comes all the same */
	heard = ws_heard(a.c);
	assert_true(ws_send(a.c, SPAN("{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1}")));
	ws_ping(a.c);
	wait_until(&a.pongs, 3);
	wait_until(&a.messages, 1);
	assert_true(ws_heard(a.c) > heard);
}

/* ---------------------------------------------------------------------------------------------------- the ends */

static void ends_of_a_connection(void **state)
{
	static const struct {
		const char *fault;
		enum ws_cause cause;
		int code;
		const char *text;
	} cases[] = {
		{ "cut fin", WS_LOST, 0, "the connection broke off" },
		{ "cut tls", WS_LOST, 0, "the connection broke off: no close frame" },
		{ "cut rst", WS_LOST, 0, "the connection broke off" },
		{ "cut mid-frame", WS_LOST, 0, "the connection broke off" },
		{ "cut mid-header", WS_LOST, 0, "the connection broke off" },
		{ "garbage", WS_LOST, 0, "the connection broke off: packet length too long" },
		{ "rsv", WS_LOST, 0, "what came is not WebSocket" },
		{ "bad-opcode", WS_LOST, 0, "what came is not WebSocket" },
		{ "stray", WS_LOST, 0, "what came is not WebSocket" },
		{ "raw 01016181016181", WS_LOST, 0, "what came is not WebSocket" },
		{ "long-control", WS_LOST, 0, "what came is not WebSocket" },
		{ "split-control", WS_LOST, 0, "what came is not WebSocket" },
		{ "bad-length", WS_LOST, 0, "what came is not WebSocket" },
		{ "masked", WS_LOST, 0, "what came is not WebSocket" },
		{ "huge", WS_TOO_LONG, 0, "a message is longer than 1048576 bytes" },
		{ "close none", WS_CLOSED, 0, "the server closed the connection" },
		{ "close 1000", WS_CLOSED, 1000, "the server closed the connection (1000)" },
		{ "close 1001 see you", WS_CLOSED, 1001, "the server closed the connection (1001: see you)" },
		{ "close 1008 too many", WS_CLOSED, 1008, "the server closed the connection (1008: too many)" },
		{ "close 1011", WS_CLOSED, 1011, "(1011)" },
		{ "close 3000", WS_CLOSED, 3000, "(3000)" },
		{ "close 1012 back soon", WS_CLOSED, 1012, "(1012: back soon)" },
		{ "close 1013 try later", WS_CLOSED, 1013, "(1013: try later)" },
		{ "close 4999", WS_CLOSED, 4999, "(4999)" },
		{ "raw 880503e81b0aff", WS_CLOSED, 1000, "(1000: ?\?\?)" },
	};

	(void)state;
	start_exchange("");
	open_loop();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		be_up(&a);
		order(cases[i].fault);
		be_down(&a);
		assert_end(&a, cases[i].cause, cases[i].text);
		assert_int_equal(a.end.close_code, cases[i].code);
		assert_true(a.end.was_up);
		assert_int_equal(a.end.retry_after, -1);
		assert_int_equal(a.messages, 0);
	}
}

static void a_close_is_over_within_a_second(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	order("half-open");
	int64_t before = clock_mono_us();
	ws_close(a.c, 1000);
	assert_false(ws_is_up(a.c));
	assert_false(ws_send(a.c, SPAN("x")));
	ws_close(a.c, 1000);
	be_down(&a);
	assert_end(&a, WS_ASKED, "closed");
	assert_true(a.down_at - before < 2 * SECOND);
}

static void what_comes_behind_a_close_is_not_told(void **state)
{
	(void)state;
	start_exchange("--rate 200");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
	wait_until(&a.messages, 5);
	unsigned before = a.messages;
	ws_close(a.c, 1000);
	be_down(&a);
	assert_int_equal(a.messages, before);
}

static void a_kill_says_nothing(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	be_up(&a);
	ws_kill(a.c);
	assert_int_equal(a.downs, 0); /* never from within */
	assert_false(ws_is_up(a.c));
	ws_kill(a.c);
	ws_close(a.c, 1000);
	ws_ping(a.c);
	int64_t before = clock_mono_us();
	be_down(&a);
	assert_true(a.down_at - before < SECOND / 20);
	assert_end(&a, WS_ASKED, "dropped");
	run_for(SECOND / 10);
	wait_told("\"why\":\"the client has gone\"");
}

static void kill_it(struct line *l)
{
	ws_kill(l->c);
}

static void close_it(struct line *l)
{
	ws_close(l->c, 1000);
}

static void an_end_may_be_asked_for_inside_a_message(void **state)
{
	void (*const ways[])(struct line *) = { kill_it, close_it };

	(void)state;
	start_exchange("");
	open_loop();
	for (int i = 0; i < 2; i++) {
		be_up(&a);
		at_message = ways[i];
		order_bytes("", "81017b", 50);
		be_down(&a);
		assert_end(&a, WS_ASKED, i == 0 ? "dropped" : "closed");
		assert_int_equal(a.messages, 1);
	}
}

static void an_end_may_be_asked_for_at_any_time(void **state)
{
	static const char *const faults[] = { "tls silent", "no-answer" };
	struct deaf deaf = be_deaf();

	(void)state;
	start_exchange("");
	open_loop();
	for (int kill = 0; kill < 2; kill++) {
		dial_exchange(&a); /* before its first step */
		kill ? ws_kill(a.c) : ws_close(a.c, 1000);
		be_down(&a);
		assert_end(&a, WS_ASKED, "");
		dial(&a, "127.0.0.1", deaf.port, true, "/"); /* while TCP waits */
		run_for(SECOND / 100);
		kill ? ws_kill(a.c) : ws_close(a.c, 1000);
		be_down(&a);
		assert_end(&a, WS_ASKED, "");
		for (int i = 0; i < 2; i++) { /* while TLS, or the answer to the upgrade, is waited for */
			order(faults[i]);
			dial_exchange(&a);
			run_for(SECOND / 20);
			wait_told("\"event\":\"fault\"");
			kill ? ws_kill(a.c) : ws_close(a.c, 1000);
			be_down(&a);
			assert_end(&a, WS_ASKED, "");
		}
	}
	hear_again(&deaf);
}

static void who_dials_again_at_once_leaves_the_clock_its_time(void **state)
{
	(void)state;
	open_loop_with(NULL);
	redial = dead_port();
	dial(&a, "127.0.0.1", redial, true, "/");
	wait_until(&ticks, 3);
	assert_true(redials > 3);
	redial = 0;
	be_down(&a);
}

/* ------------------------------------------------------------------------------------------------ the handshake */

static void answers_to_the_upgrade(void **state)
{
	static const struct {
		const char *fault;
		enum ws_cause cause;
		int http;
		int64_t retry_after;
		const char *text;
	} cases[] = {
		{ "http 429 retry-after=7", WS_HTTP, 429, 7, "the server answers HTTP 429" },
		{ "http 418 retry-after=0", WS_HTTP, 418, 0, "the server answers HTTP 418" },
		{ "http 403", WS_HTTP, 403, -1, "403" },
		{ "http 451", WS_HTTP, 451, -1, "451" },
		{ "http 400", WS_HTTP, 400, -1, "400" },
		{ "http 404", WS_HTTP, 404, -1, "404" },
		{ "http 500", WS_HTTP, 500, -1, "500" },
		{ "http 503 retry-after=120", WS_HTTP, 503, 120, "503" },
		{ "http 200", WS_HTTP, 200, -1, "200" },
		{ "bad-accept", WS_HANDSHAKE, 101, -1, "WebSocket handshake: Sec-WebSocket-Accept is wrong" },
		{ "extension", WS_HANDSHAKE, 101, -1, "WebSocket handshake: an extension that was not asked for" },
		{ "not-http", WS_HANDSHAKE, 0, -1, "WebSocket handshake: no answer in HTTP" },
		{ "hang-up", WS_HANDSHAKE, 0, -1, "WebSocket handshake: no answer in HTTP" },
		{ "headers 30000", WS_HANDSHAKE, 0, -1, "WebSocket handshake: problems parsing header" },
		{ "tls garbage", WS_TLS, 0, -1, "TLS handshake: wrong version number" },
		{ "tls close", WS_TLS, 0, -1, "TLS handshake: the server closed the connection" },
	};

	(void)state;
	start_exchange("");
	open_loop();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		order(cases[i].fault);
		fails(&a, cases[i].cause, cases[i].text);
		assert_int_equal(a.end.http, cases[i].http);
		assert_int_equal(a.end.retry_after, cases[i].retry_after);
		assert_false(a.end.was_up);
	}
	order("headers 12000");
	be_up(&a);
}

static void answers_that_are_no_upgrade(void **state)
{
	static const char *const rows[][2] = {
		{ "HTTP/1.1 101 x\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", "the answer has no Upgrade: websocket" },
		{ "HTTP/1.1 101 x\r\nUpgrade: websockets\r\nConnection: Upgrade\r\n" ACCEPT "\r\n", "no Upgrade: websocket" },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" ACCEPT "\r\n", "the answer has no Connection: Upgrade" },
		{ "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: up grade\r\n" ACCEPT "\r\n", "no Connection: Upgrade" },
		{ "HTTP/1.1 101 x\r\n" UPGRADE "\r\n", "the answer has no Sec-WebSocket-Accept" },
		{ "HTTP/1.1 101 x\r\n" UPGRADE "Sec-WebSocket-Accept: x%s\r\n\r\n", "Sec-WebSocket-Accept is wrong" },
		{ "HTTP/1.1 101 x\r\n" UPGRADE ACCEPT "Content-Length: 5\r\n\r\n", "the answer has a body" },
		{ "HTTP/1.1 101 x\r\n" UPGRADE ACCEPT "Transfer-Encoding: chunked\r\n\r\n", "the answer has a body" },
		{ "HTTP/1.1 abc x\r\n" UPGRADE ACCEPT "\r\n", "no answer in HTTP" },
		{ "HTTP/1.1 -101 x\r\n" UPGRADE ACCEPT "\r\n", "no answer in HTTP" },
	};
	struct talker t;

	(void)state;
	open_loop_with(NULL);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		start_talking_behind(&t, rows[i][0], "\x81\x02hi", 4);
		be_down(&a);
		end_talking(&t);
		assert_end(&a, WS_HANDSHAKE, rows[i][1]);
		assert_int_equal(a.messages, 0);
		assert_false(a.end.was_up);
	}
}

/* whatever its case and its order; and what comes in one packet with it is not lost */
static void answers_that_are(void **state)
{
	static const char *const heads[] = {
		"HTTP/1.1 101 x\r\n" UPGRADE ACCEPT "\r\n",
		"HTTP/1.1 101 x\r\nsec-websocket-accept: %s\r\nconnection: UPGRADE\r\nupgrade: WebSocket\r\n\r\n",
		"HTTP/1.1 101\r\nServer: x\r\nUpgrade:websocket\r\nConnection: keep-alive, Upgrade\r\n" ACCEPT "\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: h2c, websocket\r\nConnection:  Upgrade  \r\n" ACCEPT "\r\n",
	};
	static const char bytes[] = "\x81\x02hi\x01\x02pi\x89\x00\x80\x03\x65\x63\x65\x88\x00";
	struct talker t;

	(void)state;
	open_loop_with(NULL);
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		start_talking_behind(&t, heads[i], bytes, sizeof bytes - 1);
		be_down(&a);
		end_talking(&t);
		assert_end(&a, WS_CLOSED, "the server closed the connection");
		assert_int_equal(a.messages, 2);
		assert_int_equal(a.n, 5);
		assert_memory_equal(a.text, "piece", 5);
	}
}

static void a_reset_instead_of_tls(void **state)
{
	(void)state;
	start_exchange("");
	open_loop();
	for (int i = 0; i < 20; i++) {
		order("tls rst");
		dial_exchange(&a);
		be_down(&a);
		/* it may come before TLS has begun */
		if (a.end.cause == WS_CONNECT)
			assert_end(&a, WS_CONNECT, "connection reset by peer");
		else
			assert_end(&a, WS_TLS, "TLS handshake: the server closed the connection");
	}
}

/* what the request looks like, and how Retry-After is read */
static void serve_once(struct server *s, const char *answer, const char *path)
{
	start_server(s, answer);
	dial(&a, "127.0.0.1", s->port, false, path);
	be_down(&a);
	end_server(s);
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	static const char *const values[] = { "Thu, 01 Jan 1970 00:00:00 GMT", "soon", "-1", "99999999999999999999",
		"1.5", "  77 ", "Fri, 31 Dec 9999 23:59:59 GMT",
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };
	static const int64_t wanted[] = { 0, -1, -1, -1, -1, 77, INT32_MAX, -1 };
	struct server s;
	char answer[300], date[60];

	(void)state;
	open_loop_with(NULL);
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		snprintf(
		    answer, sizeof answer, "HTTP/1.1 503 x\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", values[i]);
		serve_once(&s, answer, "/");
		assert_end(&a, WS_HTTP, "503");
		assert_int_equal(a.end.retry_after, wanted[i]);
	}
	time_t later = (time_t)(clock_real_us() / SECOND) + 100;
	struct tm tm;
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&later, &tm));
	snprintf(answer, sizeof answer, "HTTP/1.1 429 x\r\nRetry-After: %s\r\n\r\n", date);
	serve_once(&s, answer, "/");
	assert_true(a.end.retry_after >= 90 && a.end.retry_after <= 100);
}

static void the_request(void **state)
{
	struct server s;
	char host[60];

	(void)state;
	open_loop_with(NULL);
	serve_once(&s, NULL, "/public/stream?x=1");
	assert_ptr_equal(strstr(s.request, "GET /public/stream?x=1 HTTP/1.1\r\n"), s.request);
	snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", s.port);
	assert_non_null(strstr(s.request, host));
	assert_non_null(strcasestr(s.request, "\r\nUser-Agent: test-ws/1\r\n"));
	assert_non_null(strcasestr(s.request, "\r\nUpgrade: websocket\r\n"));
	assert_non_null(strcasestr(s.request, "\r\nSec-WebSocket-Version: 13\r\n"));
	assert_null(strcasestr(s.request, "\r\nOrigin:"));
	assert_null(strcasestr(s.request, "\r\nSec-WebSocket-Protocol:"));
	assert_end(&a, WS_HANDSHAKE, "no answer in HTTP");
}

static void trap_2_no_extension_is_offered(void **state)
{
	struct server s;

	(void)state;
	open_loop_with(NULL);
	serve_once(&s, NULL, "/");
	assert_null(strcasestr(s.request, "extensions"));
	assert_null(strcasestr(s.request, "deflate"));
}

static void trap_3_a_path_goes_out_whole_or_not_at_all(void **state)
{
	struct server s;
	char line[2100];

	(void)state;
	open_loop_with(NULL);
	big_n = 0;
	bigger("/");
	while (big_n < WS_PATH_MAX)
		bigger("p");
	serve_once(&s, NULL, big);
	snprintf(line, sizeof line, "GET %.*s HTTP/1.1\r\n", WS_PATH_MAX, big);
	assert_ptr_equal(strstr(s.request, line), s.request);
	assert_non_null(strstr(s.request, "\r\n\r\n"));
	serve_once(&s, NULL, bigger("p"));
	assert_end(&a, WS_CONNECT, "the path is too long");
	assert_string_equal(s.request, "");
}

static void trap_6_a_host_with_a_colon_is_refused(void **state)
{
	static const char *const hosts[] = { "::1", "127.0.0.1:80", ":", "[::1]", "", "a b", "a\r\nX: y",
		"\xc3\xbc.test" };
	static const char *const paths[] = { "", "x", "/a b", "/a\r\nX: y", "/\x7f" };

	(void)state;
	start_exchange("");
	open_loop();
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		dial(&a, hosts[i], exchange.port, true, "/");
		be_down(&a);
		assert_end(&a, WS_CONNECT, i < 4 ? "':'" : "no name");
	}
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		dial(&a, "127.0.0.1", exchange.port, true, paths[i]);
		be_down(&a);
		assert_end(&a, WS_CONNECT, "the path");
	}
	assert_false(told_within("accept", SECOND / 20));
}

static void trap_8_redirects_are_not_followed(void **state)
{
	char fault[100];

	(void)state;
	start_exchange("");
	open_loop();
	snprintf(fault, sizeof fault, "http 302 location=https://127.0.0.1:%u/public/stream", exchange.port);
	order(fault);
	fails(&a, WS_HTTP, "the server answers HTTP 302");
	assert_int_equal(a.end.http, 302);
	wait_told("accept");
	run_for(SECOND / 10);
	assert_false(told_within("accept", 0));
}

/* ------------------------------------------------------------------------------------------------ certificates */

static void trap_13_wrong_certificates_say_what_is_wrong(void **state)
{
	static const struct {
		const char *order;
		enum ws_cause cause;
		const char *text;
	} cases[] = {
		{ "cert wrong-name", WS_CERTIFICATE, "certificate does not name 127.0.0.1" },
		{ "cert expired", WS_CERTIFICATE, "certificate of 127.0.0.1 has expired" },
		{ "cert not-yet-valid", WS_CERTIFICATE, "certificate of 127.0.0.1 is not yet valid" },
		{ "cert self-signed", WS_CERTIFICATE, "certificate of 127.0.0.1 is self-signed" },
		{ "cert unknown-ca", WS_CERTIFICATE, "certificate of 127.0.0.1 is of an authority that is not known" },
		{ "cert tls1.1", WS_TLS, "TLS handshake: tlsv1 alert protocol version" },
	};

	(void)state;
	start_exchange("");
	open_loop();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		order(cases[i].order);
		fails(&a, cases[i].cause, cases[i].text);
	}
	order("cert good");
	be_up(&a);
}

static void a_name_is_checked_as_well(void **state)
{
	(void)state;
	start_exchange("--name x.test");
	open_loop();
	dial(&a, "x.test", exchange.port, true, "/public/stream");
	wait_until(&a.ups, 1);
	/* the same address by another name */
	dial(&b, "one.test", exchange.port, true, "/public/stream");
	wait_until(&b.downs, 1);
	assert_end(&b, WS_CERTIFICATE, "certificate does not name one.test");
}

static void without_its_authority_nobody_is_trusted(void **state)
{
	(void)state;
	start_exchange("");
	open_loop_with(NULL);
	fails(&a, WS_CERTIFICATE, "of an authority that is not known");
	ws_free(w);
	setenv("SSL_CERT_FILE", exchange.ca, 1);
	open_loop_with(NULL);
	be_up(&a);
}

/* the authority lies in `name` the way OpenSSL finds it in a directory */
static void plant(const char *name)
{
	char path[300];
	FILE *in = fopen(exchange.ca, "re"), *out;

	assert_non_null(in);
	X509 *authority = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	assert_non_null(authority);
	snprintf(path, sizeof path, "%s/%08lx.0", name, X509_subject_name_hash(authority));
	out = fopen(path, "we");
	assert_non_null(out);
	assert_int_equal(PEM_write_X509(out, authority), 1);
	fclose(out);
	X509_free(authority);
}

static void remove_all_in(const char *name)
{
	char path[600];
	struct dirent *e;
	DIR *d = opendir(name);

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, "%s/%s", name, e->d_name);
		(void)unlink(path);
	}
	closedir(d);
	(void)rmdir(name);
}

static void trap_5_share_beside_the_current_directory_is_not_trusted(void **state)
{
	char share[80], here[80], back[PATH_MAX];

	(void)state;
	start_exchange("");
	assert_non_null(getcwd(back, sizeof back));
	snprintf(share, sizeof share, "%s/share", dir);
	snprintf(here, sizeof here, "%s/here", dir);
	assert_int_equal(mkdir(share, 0700) | mkdir(here, 0700), 0);
	plant(share);
	assert_int_equal(chdir(here), 0);
	open_loop_with(NULL);
	fails(&a, WS_CERTIFICATE, "of an authority that is not known");
	ws_free(w);
	/* and it would have been found there */
	setenv("SSL_CERT_DIR", share, 1);
	open_loop_with(NULL);
	be_up(&a);
	assert_int_equal(chdir(back), 0);
	remove_all_in(share);
	remove_all_in(here);
}

/* -------------------------------------------------------------------------------------- names, addresses, time */

static void refused_and_unknown(void **state)
{
	(void)state;
	x_test = FIRST_REFUSES;
	open_loop_with(NULL);
	dial(&a, "127.0.0.1", dead_port(), true, "/");
	dial(&b, "none.test", 443, true, "/");
	dial(&z, "x.test", dead_port(), true, "/");
	be_down(&a);
	be_down(&b);
	be_down(&z);
	assert_end(&a, WS_CONNECT, "connection refused");
	assert_string_equal(a.end.text, "connection refused");
	assert_end(&b, WS_RESOLVE, "no address: Name or service not known");
	assert_end(&z, WS_CONNECT, "connection refused (the last of 2 addresses)");
}

static void trap_9_a_slow_resolver_holds_nobody_up(void **state)
{
	(void)state;
	x_test = NO_ANSWER;
	pthread_mutex_lock(&slow_lock);
	start_exchange("--rate 100 --name x.test");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
	dial(&b, "x.test", exchange.port, true, "/public/stream");
	dial(&z, "x.test", exchange.port, true, "/public/stream");
	wait_until(&a.messages, 20);
	assert_int_equal(b.ups + b.downs, 0);
	/* who does not want to wait need not */
	ws_kill(z.c);
	be_down(&z);
	assert_end(&z, WS_ASKED, "dropped");
	pthread_mutex_unlock(&slow_lock);
	wait_until(&b.ups, 1);
}

static void a_resolver_that_never_answers_is_given_up(void **state)
{
	(void)state;
	x_test = NO_ANSWER;
	pthread_mutex_lock(&slow_lock);
	open_loop_with(NULL);
	dial(&a, "x.test", 443, true, "/");
	wait_until(&ticks, 2);
	clock_ahead = 21 * SECOND;
	be_down(&a);
	assert_end(&a, WS_RESOLVE, "no address: no answer in time");
	pthread_mutex_unlock(&slow_lock);
}

static void lookups_without_an_answer_do_not_gather(void **state)
{
	unsigned port = dead_port();

	(void)state;
	x_test = NO_ANSWER;
	pthread_mutex_lock(&slow_lock);
	open_loop_with(NULL);
	unsigned n = 0;
	for (; n < 100 && !a.downs; n++) {
		dial(&a, "x.test", port, true, "/");
		wait_until(&idles, idles + 2);
		if (!a.downs) {
			ws_kill(a.c);
			be_down(&a);
			assert_end(&a, WS_ASKED, "");
			a.downs = 0;
		}
	}
	assert_end(&a, WS_RESOLVE, "no address: too many names are being looked up already");
	assert_true(n > 20 && n <= 33); /* those of the test before may still be there */
	/* an address needs none */
	dial(&a, "127.0.0.1", port, true, "/");
	be_down(&a);
	assert_end(&a, WS_CONNECT, "connection refused");
	pthread_mutex_unlock(&slow_lock);
	int64_t end = clock_real_us() + PATIENCE;
	do {
		dial(&a, "x.test", port, true, "/");
		be_down(&a);
	} while (a.end.cause == WS_RESOLVE && clock_real_us() < end);
	assert_end(&a, WS_CONNECT, "connection refused");
}

static void the_process_ends_though_the_resolver_hangs(void **state)
{
	int64_t before = clock_real_us();
	int status = 0;

	(void)state;
	x_test = NO_ANSWER;
	pthread_mutex_lock(&slow_lock);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		open_loop_with(NULL);
		dial(&a, "x.test", 443, true, "/");
		run_for(SECOND / 10);
		ws_free(w);
		_exit(a.downs == 0 ? 42 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	pthread_mutex_unlock(&slow_lock);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	assert_true(clock_real_us() - before < 5 * SECOND);
}

static void trap_10_the_second_address_is_tried(void **state)
{
	struct deaf deaf = be_deaf();

	(void)state;
	deaf_port = deaf.port;
	start_exchange("--name x.test");
	open_loop();
	x_test = FIRST_REFUSES;
	dial(&a, "x.test", exchange.port, true, "/public/stream");
	wait_until(&a.ups, 1);
	x_test = FIRST_IS_SILENT;
	dial(&b, "x.test", exchange.port, true, "/public/stream");
	wait_until(&ticks, ticks + 2);
	assert_int_equal(b.ups, 0);
	clock_ahead = 5 * SECOND;
	wait_until(&b.ups, 1);
	hear_again(&deaf);
}

static void trap_4_silence_ends_in_time(void **state)
{
	struct deaf deaf = be_deaf();
	struct server s;

	(void)state;
	start_server(&s, "");
	start_exchange("");
	open_loop();
	order("tls silent");
	dial_exchange(&a);
	dial(&b, "127.0.0.1", s.port, false, "/"); /* which takes the upgrade and never answers */
	dial(&z, "127.0.0.1", deaf.port, true, "/");
	wait_until(&ticks, 3);
	wait_told("\"fault\":\"tls\"");
	assert_int_equal(a.downs + b.downs + z.downs, 0);
	clock_ahead = 6 * SECOND;
	be_down(&a);
	be_down(&b);
	be_down(&z);
	assert_end(&a, WS_TLS, "TLS handshake: no answer in time");
	assert_end(&b, WS_HANDSHAKE, "WebSocket handshake: no answer in time");
	assert_end(&z, WS_CONNECT, "connection timed out");
	end_server(&s);
	hear_again(&deaf);
}

/* libwebsockets would ping after 300 s, and hang up at 310 s without a pong; and at 370 s on who has kept the head of an
 * answer for so long */
static void trap_7_nobody_hangs_up_on_a_connection_that_lives(void **state)
{
	static const int64_t times[] = { 200, 301, 305, 309, 311, 320, 700, 90000 };

	(void)state;
	start_exchange("--rate 100 --ping-every 0");
	open_loop();
	dial(&a, "127.0.0.1", exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
	wait_until(&a.messages, 1);
	order("no-pong");
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		clock_ahead = times[i] * SECOND;
		wait_until(&a.messages, a.messages + 3);
		wait_until(&ticks, ticks + 1);
	}
	assert_int_equal(a.downs, 0);
	assert_false(told_within("\"event\":\"ping\"", 0));
}

/* ------------------------------------------------------------------------------------------------------ proxies */

enum manners { HTTP_GOOD, HTTP_LOGIN, HTTP_SAYS, SOCKS_GOOD, SOCKS_LOGIN, SOCKS_SAYS, SILENT, HANGS_UP };

struct proxy_server {
	pthread_t thread;
	int fd;
	unsigned port;
	enum manners manners;
	const char *says; /* instead of a tunnel */
	size_t says_n;
	char heard[1000]; /* what it was asked, as text */
};

static void read_exactly(int fd, void *p, size_t n)
{
	for (char *at = p; n > 0;) {
		ssize_t k = read(fd, at, n);
		if (k <= 0)
			return;
		at += k;
		n -= (size_t)k;
	}
}

/* byte by byte, as if the network were bad */
static void say_slowly(int fd, const char *p, size_t n)
{
	for (; n > 0; n--, p++)
		if (send(fd, p, 1, MSG_NOSIGNAL) != 1)
			return;
}

static void relay(int one, int other)
{
	struct pollfd p[2] = { { one, POLLIN, 0 }, { other, POLLIN, 0 } };
	char buffer[65536];

	while (poll(p, 2, -1) > 0)
		for (int i = 0; i < 2; i++) {
			if (!p[i].revents)
				continue;
			ssize_t n = read(p[i].fd, buffer, sizeof buffer);
			if (n <= 0 || send(p[!i].fd, buffer, (size_t)n, MSG_NOSIGNAL) != n)
				return;
		}
}

static void tunnel(int fd, const char *answer, size_t n)
{
	int to = connect_to(exchange.port, 0);

	say_slowly(fd, answer, n);
	relay(fd, to);
	close(to);
}

static void http_proxy(struct proxy_server *s, int fd)
{
	static const char good[] = "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n";
	size_t n = 0;

	while (n < sizeof s->heard - 1 && !strstr(s->heard, "\r\n\r\n") && read(fd, s->heard + n, 1) == 1)
		n++;
	if (s->manners == HTTP_SAYS)
		say_slowly(fd, s->says, s->says_n);
	else if (s->manners == HTTP_LOGIN && !strstr(s->heard, "\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"))
		say_slowly(fd, "HTTP/1.1 407 x\r\n\r\n", 18);
	else
		tunnel(fd, good, sizeof good - 1);
}

static bool socks_login(int fd)
{
	char login[11];

	say_slowly(fd, "\x05\x02", 2);
	read_exactly(fd, login, 11);
	bool good = memcmp(login, "\x01\x02me\x06secret", 11) == 0;
	say_slowly(fd, good ? "\x01\x00" : "\x01\x01", 2);
	return good;
}

static void socks_proxy(struct proxy_server *s, int fd)
{
	unsigned char head[5], methods[255], place[258];

	read_exactly(fd, head, 2);
	read_exactly(fd, methods, head[1]);
	if (s->manners == SOCKS_LOGIN) {
		if (!memchr(methods, 2, head[1]))
			say_slowly(fd, "\x05\xff", 2);
		if (!memchr(methods, 2, head[1]) || !socks_login(fd))
			return;
	} else {
		say_slowly(fd, "\x05\x00", 2);
	}
	read_exactly(fd, head, 5);
	size_t n = head[3] == 1 ? 3 : head[4];
	read_exactly(fd, place, n + 2);
	if (head[3] == 1)
		snprintf(s->heard, sizeof s->heard, "%d.%d.%d.%d", head[4], place[0], place[1], place[2]);
	else
		snprintf(s->heard, sizeof s->heard, "%.*s", (int)n, (char *)place);
	if (s->manners == SOCKS_SAYS)
		say_slowly(fd, s->says, s->says_n);
	else
		tunnel(fd, "\x05\x00\x00\x03\x04here\x00\x50", 11);
}

static void *proxy_thread(void *arg)
{
	struct proxy_server *s = arg;
	char byte;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (s->manners <= HTTP_SAYS)
		http_proxy(s, fd);
	else if (s->manners <= SOCKS_SAYS)
		socks_proxy(s, fd);
	else if (s->manners == SILENT)
		while (read(fd, &byte, 1) == 1)
			;
	else
		(void)!read(fd, &byte, 1);
	close(fd);
	return NULL;
}

static void start_proxy(struct proxy_server *s, enum manners manners)
{
	s->manners = manners;
	memset(s->heard, 0, sizeof s->heard);
	s->fd = listener(&s->port, 8);
	assert_int_equal(pthread_create(&s->thread, NULL, proxy_thread, s), 0);
}

static void end_proxy(struct proxy_server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static void set_proxy(const char *name, const char *before, const struct proxy_server *s)
{
	char url[200];

	snprintf(url, sizeof url, "%s%u", before, s->port);
	setenv(name, url, 1);
}

static void by_way_of_a_proxy(void **state)
{
	static const struct {
		enum manners manners;
		const char *variable, *url, *host, *heard;
	} cases[] = {
		{ HTTP_GOOD, "https_proxy", "http://127.0.0.1:", "127.0.0.1", "CONNECT 127.0.0.1:" },
		{ HTTP_GOOD, "HTTPS_PROXY", "one.test:", "x.test", "CONNECT x.test:" },
		{ HTTP_LOGIN, "all_proxy", "http://me:%73ecret@127.0.0.1:", "x.test", "CONNECT x.test:" },
		{ SOCKS_GOOD, "ALL_PROXY", "socks5h://127.0.0.1:", "x.test", "x.test" },
		{ SOCKS_GOOD, "https_proxy", "socks5h://x.test:", "127.0.0.1", "127.0.0.1" },
		{ SOCKS_LOGIN, "https_proxy", "socks5h://me:secret@127.0.0.1:", "x.test", "x.test" },
		{ SOCKS_GOOD, "https_proxy", "socks5://one.test:", "x.test", "127.0.0.1" },
	};
	struct proxy_server s = { .fd = -1 };

	(void)state;
	start_exchange("--name x.test");
	open_loop();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start_proxy(&s, cases[i].manners);
		set_proxy(cases[i].variable, cases[i].url, &s);
		dial(&a, cases[i].host, exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
		wait_until(&a.messages, 2);
		assert_ptr_equal(strstr(s.heard, cases[i].heard), s.heard);
		ws_close(a.c, 1000);
		be_down(&a);
		assert_end(&a, WS_ASKED, "closed");
		end_proxy(&s);
		unsetenv(cases[i].variable);
	}
}

static void proxies_that_refuse(void **state)
{
	static const struct {
		enum manners manners;
		const char *url, *says;
		size_t n;
		const char *text;
	} cases[] = {
		{ HTTP_LOGIN, "http://127.0.0.1:", NULL, 0, "the proxy wants a login (407)" },
		{ HTTP_LOGIN, "http://me:wrong@127.0.0.1:", NULL, 0, "the proxy does not take this login (407)" },
		{ HTTP_SAYS, "http://127.0.0.1:", "HTTP/1.1 403 Forbidden\r\n\r\n", 26,
		    "the proxy refuses (403 Forbidden)" },
		{ HTTP_SAYS, "http://127.0.0.1:", "220 mail\r\n\r\n", 12, "what answers is no HTTP proxy" },
		{ HTTP_SAYS, "http://127.0.0.1:", "HTTP/1.1 200", 12, "the proxy closed the connection" },
		{ SOCKS_LOGIN, "socks5h://127.0.0.1:", NULL, 0, "the proxy wants a login" },
		{ SOCKS_LOGIN, "socks5h://me:wrong1@127.0.0.1:", NULL, 0, "the proxy does not take this login" },
		{ SOCKS_SAYS, "socks5h://127.0.0.1:", "\x05\x05", 2, "the proxy refuses: connection refused" },
		{ SOCKS_SAYS, "socks5h://127.0.0.1:", "\x05\x00\x00\x01", 4, "the proxy closed the connection" },
		{ HANGS_UP, "http://127.0.0.1:", NULL, 0, "" },
	};
	struct proxy_server s = { .fd = -1 };
	char whose[60];

	(void)state;
	start_exchange("");
	open_loop();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		s.says = cases[i].says;
		s.says_n = cases[i].n;
		start_proxy(&s, cases[i].manners);
		set_proxy("https_proxy", cases[i].url, &s);
		fails(&a, WS_CONNECT, cases[i].text);
		snprintf(whose, sizeof whose, "proxy 127.0.0.1:%u: ", s.port);
		assert_ptr_equal(strstr(a.end.text, whose), a.end.text);
		assert_null(strstr(a.end.text, "wrong"));
		end_proxy(&s);
	}
}

static void proxies_that_are_not_there(void **state)
{
	struct proxy_server s = { .port = dead_port() };
	char text[100];

	(void)state;
	open_loop_with(NULL);
	set_proxy("https_proxy", "http://127.0.0.1:", &s);
	dial(&a, "far.test", 443, true, "/");
	be_down(&a);
	snprintf(text, sizeof text, "proxy 127.0.0.1:%u: connection refused", s.port);
	assert_end(&a, WS_CONNECT, text);
	setenv("https_proxy", "socks5h://none.test", 1);
	dial(&a, "far.test", 443, true, "/");
	be_down(&a);
	assert_end(&a, WS_CONNECT, "proxy none.test:1080: no address: Name or service not known");
	/* with socks5:// it is our business to find the host */
	setenv("https_proxy", "socks5://127.0.0.1", 1);
	dial(&a, "none.test", 443, true, "/");
	be_down(&a);
	assert_end(&a, WS_RESOLVE, "no address: Name or service not known");
	setenv("https_proxy", "https://me:secret@127.0.0.1", 1);
	dial(&a, "far.test", 443, true, "/");
	be_down(&a);
	assert_end(&a, WS_CONNECT, "https_proxy: only http://, socks5:// and socks5h:// proxies are supported");
}

static void a_proxy_that_says_nothing_is_given_up(void **state)
{
	struct proxy_server s = { .fd = -1 };

	(void)state;
	open_loop_with(NULL);
	start_proxy(&s, SILENT);
	set_proxy("https_proxy", "http://127.0.0.1:", &s);
	dial(&a, "far.test", 443, true, "/");
	wait_until(&ticks, 2);
	clock_ahead = 21 * SECOND;
	be_down(&a);
	assert_end(&a, WS_CONNECT, "no answer in time");
	end_proxy(&s);
}

static void a_proxy_changes_nothing_about_certificates(void **state)
{
	struct proxy_server s = { .fd = -1 };

	(void)state;
	start_exchange("");
	open_loop();
	start_proxy(&s, HTTP_GOOD);
	set_proxy("https_proxy", "http://127.0.0.1:", &s);
	dial(&a, "far.test", exchange.port, true, "/public/stream");
	be_down(&a);
	assert_end(&a, WS_CERTIFICATE, "certificate does not name far.test");
	end_proxy(&s);
}

static void trap_12_http_proxy_is_not_obeyed(void **state)
{
	struct proxy_server s = { .port = dead_port() };

	(void)state;
	set_proxy("http_proxy", "http://127.0.0.1:", &s);
	start_exchange("");
	open_loop();
	assert_null(getenv("http_proxy"));
	be_up(&a);
}

static void no_proxy_is_obeyed(void **state)
{
	struct proxy_server s = { .port = dead_port() };

	(void)state;
	set_proxy("https_proxy", "http://127.0.0.1:", &s);
	setenv("no_proxy", "x.test,127.0.0.1", 1);
	start_exchange("");
	open_loop();
	be_up(&a);
}

/* ------------------------------------------------------------------------------------- the program's descriptors */

static unsigned readable, writable, gone;
static int watched[2];

static void on_readable(void *user)
{
	char byte;

	assert_ptr_equal(user, &exchange);
	readable += read(watched[0], &byte, 1) == 1;
}

static void on_writable(void *user)
{
	assert_ptr_equal(user, &exchange);
	writable++;
}

static void on_gone(void *user)
{
	assert_ptr_equal(user, &exchange);
	gone++;
}

static void a_descriptor_that_can_be_read(void **state)
{
	(void)state;
	readable = 0;
	open_loop_with(NULL);
	assert_int_equal(pipe2(watched, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(ws_watch_readable(w, watched[0], on_readable));
	run_for(SECOND / 100);
	assert_int_equal(readable, 0);
	write_all(watched[1], "abc", 3);
	int64_t before = clock_real_us();
	wait_until(&readable, 3);
	assert_true(clock_real_us() - before < SECOND);
	close(watched[0]);
	close(watched[1]);
}

static void fill(int fd)
{
	char bytes[4096] = { 0 };

	while (write(fd, bytes, sizeof bytes) > 0)
		;
	assert_int_equal(errno, EAGAIN);
}

static void output_that_takes_no_more_and_then_does(void **state)
{
	char bytes[65536];

	(void)state;
	writable = gone = 0;
	open_loop_with(NULL);
	assert_int_equal(pipe2(watched, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(ws_watch_output(w, watched[1], on_writable, on_gone));
	run_for(SECOND / 50);
	assert_int_equal(writable, 0); /* nobody asked */
	ws_want_writable(w);
	wait_until(&writable, 1);
	run_for(SECOND / 50);
	assert_int_equal(writable, 1); /* once */
	fill(watched[1]);
	ws_want_writable(w);
	run_for(SECOND / 50);
	assert_int_equal(writable, 1);
	assert_true(read(watched[0], bytes, sizeof bytes) > 0);
	wait_until(&writable, 2);
	assert_int_equal(gone, 0);
	close(watched[0]);
	close(watched[1]);
}

static void a_reader_that_goes_is_noticed_in_silence(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		gone = 0;
		open_loop_with(NULL);
		if (kind == 0)
			assert_int_equal(pipe2(watched, O_NONBLOCK | O_CLOEXEC), 0);
		else
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, watched), 0);
		assert_true(ws_watch_output(w, watched[1], on_writable, on_gone));
		run_for(SECOND / 50);
		assert_int_equal(gone, 0);
		close(watched[0]);
		wait_until(&gone, 1);
		run_for(SECOND / 50);
		assert_int_equal(gone, 1);
		ws_want_writable(w);
		ws_free(w);
		w = NULL;
		/* it is the program's: still open */
		assert_true(fcntl(watched[1], F_GETFD) >= 0);
		close(watched[1]);
	}
}

static void a_file_cannot_be_watched(void **state)
{
	char path[80];

	(void)state;
	snprintf(path, sizeof path, "%s/file", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	open_loop_with(NULL);
	assert_false(ws_watch_output(w, fd, on_writable, on_gone));
	ws_want_writable(w);
	close(fd);
	fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_false(ws_watch_output(w, fd, on_writable, on_gone));
	close(fd);
	assert_false(ws_watch_output(w, 9999, on_writable, on_gone));
	assert_false(ws_watch_readable(w, 9999, on_readable));
	unlink(path);
}

/* ---------------------------------------------------------------------------------------------------- many, all */

static void many_connections_at_once(void **state)
{
	static struct line many[40];

	(void)state;
	start_exchange("--rate 20");
	open_loop();
	for (size_t i = 0; i < 40; i++)
		dial(&many[i], "127.0.0.1", exchange.port, true, "/public/stream?streams=solusdt@bookTicker");
	for (size_t i = 0; i < 40; i++)
		wait_until(&many[i].messages, 2);
	for (size_t i = 0; i < 40; i += 2)
		ws_close(many[i].c, 1000);
	order("cut");
	for (size_t i = 0; i < 40; i++)
		wait_until(&many[i].downs, 1);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(many[i].downs, 1);
}

/* what a child of the program would get, too */
static void nothing_is_inherited(void **state)
{
	bool before[256];

	(void)state;
	for (int fd = 0; fd < 256; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;
	start_exchange("");
	open_loop();
	be_up(&a);
	for (int fd = 0; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);
		if (!before[fd] && flags >= 0 && !(flags & FD_CLOEXEC))
			fail_msg("descriptor %d", fd);
	}
}

static void everything_may_be_freed_at_any_time(void **state)
{
	static struct line lines[10];
	struct proxy_server s = { .fd = -1 };
	struct deaf deaf = be_deaf();

	(void)state;
	x_test = NO_ANSWER;
	pthread_mutex_lock(&slow_lock);
	start_exchange("");
	open_loop();
	start_proxy(&s, SILENT);
	set_proxy("all_proxy", "socks5h://127.0.0.1:", &s);
	setenv("no_proxy", "127.0.0.1,x.test", 1);
	be_up(&lines[0]);
	assert_true(ws_send(lines[0].c, SPAN("{}")));
	ws_ping(lines[0].c);
	order("tls silent");
	dial_exchange(&lines[1]);
	run_for(SECOND / 50);
	wait_told("\"fault\":\"tls\"");
	order("no-answer");
	dial_exchange(&lines[2]);
	run_for(SECOND / 50);
	wait_told("\"event\":\"fault\"");
	be_up(&lines[3]);
	order("#4 half-open");
	ws_close(lines[3].c, 1000);
	dial(&lines[4], "x.test", 443, true, "/");
	dial(&lines[5], "127.0.0.1", deaf.port, true, "/");
	dial(&lines[6], "far.test", 443, true, "/");
	run_for(SECOND / 50);
	be_up(&lines[7]);
	order("raw 017e4000616161"); /* in the middle of a message */
	be_up(&lines[8]);
	ws_kill(lines[8].c);	  /* its `down` is due */
	dial_exchange(&lines[9]); /* before its first step */
	ws_free(w);
	w = NULL;
	pthread_mutex_unlock(&slow_lock);
	assert_int_equal(lines[8].downs + lines[0].downs, 0);
	end_proxy(&s);
	hear_again(&deaf);
}

/* --------------------------------------------------------------------------------------------------------- main */

static int make_dir(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	remove_all_in(dir);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(it_opens_and_closes),
		TEST(an_authority_that_cannot_be_read_is_an_error),
		TEST(a_message_comes_whole_with_its_time),
		TEST(without_tls_as_well),
		TEST(messages_of_every_kind),
		TEST(a_line_end_becomes_a_blank),
		TEST(fragments_with_pings_between),
		TEST(sizes_around_every_boundary),
		TEST(trap_1_a_chunk_that_fills_the_buffer),
		TEST(a_message_in_fragments_may_be_as_long_and_no_longer),
		TEST(a_frame_without_end),
		TEST(trap_11_the_rest_of_a_burst_is_not_late),
		TEST(idle_comes_once_for_many_messages),
		TEST(a_long_request_goes_out_whole),
		TEST(what_waits_to_be_sent_has_an_end_and_an_order),
		TEST(pings_go_both_ways),
		TEST(ends_of_a_connection),
		TEST(a_close_is_over_within_a_second),
		TEST(what_comes_behind_a_close_is_not_told),
		TEST(a_kill_says_nothing),
		TEST(an_end_may_be_asked_for_inside_a_message),
		TEST(an_end_may_be_asked_for_at_any_time),
		TEST(who_dials_again_at_once_leaves_the_clock_its_time),
		TEST(answers_to_the_upgrade),
		TEST(answers_that_are_no_upgrade),
		TEST(answers_that_are),
		TEST(a_reset_instead_of_tls),
		TEST(retry_after_is_seconds_or_a_date),
		TEST(the_request),
		TEST(trap_2_no_extension_is_offered),
		TEST(trap_3_a_path_goes_out_whole_or_not_at_all),
		TEST(trap_6_a_host_with_a_colon_is_refused),
		TEST(trap_8_redirects_are_not_followed),
		TEST(trap_13_wrong_certificates_say_what_is_wrong),
		TEST(a_name_is_checked_as_well),
		TEST(without_its_authority_nobody_is_trusted),
		TEST(trap_5_share_beside_the_current_directory_is_not_trusted),
		TEST(refused_and_unknown),
		TEST(trap_9_a_slow_resolver_holds_nobody_up),
		TEST(a_resolver_that_never_answers_is_given_up),
		TEST(lookups_without_an_answer_do_not_gather),
		TEST(the_process_ends_though_the_resolver_hangs),
		TEST(trap_10_the_second_address_is_tried),
		TEST(trap_4_silence_ends_in_time),
		TEST(trap_7_nobody_hangs_up_on_a_connection_that_lives),
		TEST(by_way_of_a_proxy),
		TEST(proxies_that_refuse),
		TEST(proxies_that_are_not_there),
		TEST(a_proxy_that_says_nothing_is_given_up),
		TEST(a_proxy_changes_nothing_about_certificates),
		TEST(trap_12_http_proxy_is_not_obeyed),
		TEST(no_proxy_is_obeyed),
		TEST(a_descriptor_that_can_be_read),
		TEST(output_that_takes_no_more_and_then_does),
		TEST(a_reader_that_goes_is_noticed_in_silence),
		TEST(a_file_cannot_be_watched),
		TEST(many_connections_at_once),
		TEST(nothing_is_inherited),
		TEST(everything_may_be_freed_at_any_time),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
