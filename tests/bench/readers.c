/* readers ws PORT N, readers unix PATH N [STOPPED] - N readers of one stream, for the benchmark of fan-out.
 *
 * ws: WebSocket clients of 127.0.0.1. unix: readers at the socket of a bnc-hub, and STOPPED more that read nothing.
 * Every message is checked: it is JSON; the records of one pair come in order and none twice; no trade_executed is
 * missing (feed.c says what numbers they bear).
 *
 * When all are connected it says "ready" on standard output and obeys lines of standard input:
 *     begin   counts from here, and says so: {}
 *     end MS  as soon as no message has come for so long, a line of JSON: what came since `begin`, and what was wrong
 *             since the start
 * Delays are from `sent` of a record to the return of the read that brought it; their buckets are 3 % wide. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "fields.h"
#include "num.h"

#define PAIRS	    100
#define READ_BYTES  (256u << 10)
#define REST_BYTES  (64u << 10) /* no message of the benchmark is longer */
#define FINE	    32		/* buckets of an octave */
#define BUCKETS	    (40 * FINE)
#define ANSWER_SECS 10

struct reader {
	int fd;
	char *rest; /* owned; a message that has come in part */
	size_t rest_n;
	bool counts; /* it reads, and is still there */
	uint64_t messages;
	uint64_t kept; /* number of the latest trade_executed; 0: none has come */
	uint64_t seq[PAIRS];
};

struct load {
	bool ws;
	struct reader *reader; /* owned */
	size_t readers, connected;
	int epoll;
	char *buf; /* owned; REST_BYTES + READ_BYTES and padding */
	struct fields fields;

	/* since `begin` */
	uint64_t messages, bytes;
	uint64_t delays[BUCKETS], delayed;
	int64_t first, last; /* clock_mono_us of the first and of the latest message */

	/* since the start */
	uint64_t torn, twice, missing, gone;
	int64_t quiet; /* µs: `end` waits for that; 0: nobody asked */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* -------------------------------------------------------------------------------------------------- delays */

static size_t bucket(uint64_t us)
{
	if (us < FINE)
		return us;
	int octave = 63 - __builtin_clzll(us);
	size_t b = (size_t)(octave - 4) * FINE + (us >> (octave - 5)) - FINE;
	return b < BUCKETS ? b : BUCKETS - 1;
}

/* the lower edge of a bucket */
static uint64_t bucket_us(size_t b)
{
	return b < FINE ? b : (FINE + b % FINE) << (b / FINE - 1);
}

/* µs that the share q of all delays does not exceed */
static uint64_t quantile(const struct load *l, double q)
{
	uint64_t left = (uint64_t)(q * (double)l->delayed);
	size_t b = 0;

	while (b < BUCKETS - 1 && l->delays[b] <= left)
		left -= l->delays[b++];
	return bucket_us(b);
}

/* ------------------------------------------------------------------------------------------------ messages */

enum { SLOT_PAIR = 1, SLOT_SEQ, SLOT_KEPT, SLOT_SENT };

static unsigned slot(const char *key, size_t n, int depth)
{
	static const char *const names[] = {
		[SLOT_PAIR] = "pair", [SLOT_SEQ] = "seq", [SLOT_KEPT] = "kept", [SLOT_SENT] = "sent"
	};

	(void)depth;
	for (unsigned i = SLOT_PAIR; i <= SLOT_SENT; i++)
		if (span_is((struct span){ key, n }, names[i]))
			return i;
	return FIELDS_SKIP;
}

static bool number(const struct fields *f, unsigned s, uint64_t *out)
{
	return fields_kind(f, s) == JSON_INT && num_u64(json_text(f->v[s]), 0, UINT64_MAX, out);
}

/* "P07USDT" */
static bool pair_of(const struct fields *f, uint64_t *pair)
{
	struct span name = fields_kind(f, SLOT_PAIR) == JSON_STRING ? fields_text(f, SLOT_PAIR) : SPAN("");

	return name.n > 3 && num_u64((struct span){ name.p + 1, 2 }, 0, PAIRS - 1, pair);
}

static void check_kept(struct load *l, struct reader *r, uint64_t kept)
{
	if (kept <= r->kept)
		l->twice++;
	else if (r->kept > 0)
		l->missing += kept - r->kept - 1;
	r->kept = kept > r->kept ? kept : r->kept;
}

static void check_price(struct load *l, struct reader *r, uint64_t pair, uint64_t seq)
{
	if (seq <= r->seq[pair])
		l->twice++;
	else
		r->seq[pair] = seq;
}

/* one message, followed by bytes that are ours to change and to read; now: since the epoch */
static void take(struct load *l, struct reader *r, char *p, size_t n, int64_t now)
{
	char behind = p[n];
	uint64_t seq, sent, kept, pair;

	p[n] = '\n';
	bool good = fields_read(&l->fields, (struct span){ p, n });
	p[n] = behind;
	l->messages++;
	l->bytes += n;
	r->messages++;
	if (!good) {
		l->torn++;
		return;
	}
	if (!number(&l->fields, SLOT_SEQ, &seq) || !number(&l->fields, SLOT_SENT, &sent) || !pair_of(&l->fields, &pair))
		return; /* what the hub says of itself */
	if (number(&l->fields, SLOT_KEPT, &kept))
		check_kept(l, r, kept);
	else
		check_price(l, r, pair, seq);
	l->delays[bucket(now > (int64_t)sent ? (uint64_t)now - sent : 0)]++;
	l->delayed++;
}

/* lines; bytes used */
static size_t take_lines(struct load *l, struct reader *r, char *p, size_t n, int64_t now)
{
	size_t at = 0;
	char *end;

	while ((end = memchr(p + at, '\n', n - at))) {
		size_t here = (size_t)(end - p);
		take(l, r, p + at, here - at, now);
		at = here + 1;
	}
	return at;
}

/* a ping of the server is answered, masked with zeros */
static void answer_ping(const struct reader *r, const char *p, size_t n)
{
	char pong[6 + 125] = { (char)0x8a, (char)(0x80 | n) };

	memcpy(pong + 6, p, n);
	if (send(r->fd, pong, 6 + n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		perror("pong");
}

/* frames; bytes used */
static size_t take_frames(struct load *l, struct reader *r, char *p, size_t n, int64_t now)
{
	size_t at = 0;

	while (n - at >= 2) {
		const unsigned char *f = (const unsigned char *)p + at;
		size_t head = 2, len = f[1] & 127;
		if (len == 126) {
			head = 4;
			len = n - at < head ? SIZE_MAX / 2 : (size_t)(f[2] << 8 | f[3]);
		}
		if (len == 127 || f[1] & 0x80) { /* the benchmark sends nothing so long, and no server may mask */
			l->torn++;
			return n;
		}
		if (n - at < head + len)
			break;
		if (f[0] == 0x81)
			take(l, r, p + at + head, len, now);
		else if (f[0] == 0x89 && len <= 125)
			answer_ping(r, p + at + head, len);
		else if (f[0] != 0x88)
			l->torn++; /* in pieces, or of another kind */
		at += head + len;
	}
	return at;
}

/* ------------------------------------------------------------------------------------------------- readers */

static void leave(struct load *l, struct reader *r)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, r->fd, NULL);
	r->counts = false;
	l->gone++;
}

static void read_some(struct load *l, struct reader *r)
{
	if (r->rest_n > 0)
		memcpy(l->buf, r->rest, r->rest_n);
	ssize_t k = recv(r->fd, l->buf + r->rest_n, READ_BYTES, MSG_DONTWAIT);
	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (k <= 0) {
		leave(l, r);
		return;
	}
	size_t n = r->rest_n + (size_t)k;
	size_t used = (l->ws ? take_frames : take_lines)(l, r, l->buf, n, clock_real_us());
	if (n - used > REST_BYTES) {
		l->torn++;
		used = n;
	}
	r->rest_n = n - used;
	char *rest = realloc(r->rest, r->rest_n + 1);
	if (!rest)
		die("memory");
	r->rest = memcpy(rest, l->buf + used, r->rest_n);
	l->last = clock_mono_us();
	l->first = l->first ? l->first : l->last;
}

static int connect_to(int family, const void *address, socklen_t n)
{
	struct timeval patience = { .tv_sec = ANSWER_SECS };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) < 0 ||
	    connect(fd, address, n) < 0)
		die("connect");
	return fd;
}

static void say(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(int fd, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		die("send");
}

/* false: refused. What comes behind the answer is the stream's */
static bool shake_hands(int fd, int port)
{
	char answer[2048];
	size_t n = 0;

	say(fd,
	    "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
	    port, port);
	while (n < sizeof answer && recv(fd, answer + n, 1, 0) == 1) {
		if (++n >= 4 && memcmp(answer + n - 4, "\r\n\r\n", 4) == 0)
			return memcmp(answer, "HTTP/1.1 101", 12) == 0;
	}
	return false;
}

static int open_ws(const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)atoi(port)) };
	int fd = connect_to(AF_INET, &a, sizeof a);

	if (shake_hands(fd, atoi(port)))
		return fd;
	close(fd);
	return -1;
}

static int open_unix(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		die(path);
	}
	memcpy(a.sun_path, path, strlen(path));
	int fd = connect_to(AF_UNIX, &a, sizeof a);
	say(fd, "rate 0\n");
	return fd;
}

static void open_reader(struct load *l, struct reader *r, const char *where, bool reads)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = r };

	r->fd = l->ws ? open_ws(where) : open_unix(where);
	if (r->fd < 0) {
		l->gone++;
		return;
	}
	l->connected++;
	r->counts = reads;
	if (reads && epoll_ctl(l->epoll, EPOLL_CTL_ADD, r->fd, &e) < 0)
		die("epoll");
}

/* ------------------------------------------------------------------------------------------------ commands */

static void begin(struct load *l)
{
	l->messages = l->bytes = l->delayed = 0;
	l->first = l->last = 0;
	memset(l->delays, 0, sizeof l->delays);
	for (size_t i = 0; i < l->readers; i++)
		l->reader[i].messages = 0;
}

static void report(const struct load *l)
{
	uint64_t least = UINT64_MAX, most = 0, kept = UINT64_MAX;
	struct rusage own;

	for (const struct reader *r = l->reader; r < l->reader + l->readers; r++) {
		if (!r->counts)
			continue;
		least = r->messages < least ? r->messages : least;
		most = r->messages > most ? r->messages : most;
		kept = r->kept < kept ? r->kept : kept;
	}
	getrusage(RUSAGE_SELF, &own);
	printf("{\"connected\":%zu,\"messages\":%llu,\"bytes\":%llu,\"least\":%llu,\"most\":%llu,\"kept\":%llu,",
	    l->connected, (unsigned long long)l->messages, (unsigned long long)l->bytes, (unsigned long long)least,
	    (unsigned long long)most, (unsigned long long)kept);
	printf("\"seconds\":%.6f,\"p50\":%.3f,\"p99\":%.3f,", (double)(l->last - l->first) / 1e6,
	    (double)quantile(l, 0.5) / 1e3, (double)quantile(l, 0.99) / 1e3);
	printf("\"cpu\":%.6f,", (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) +
				    (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec) / 1e6);
	printf("\"torn\":%llu,\"twice\":%llu,\"missing\":%llu,\"gone\":%llu}\n", (unsigned long long)l->torn,
	    (unsigned long long)l->twice, (unsigned long long)l->missing, (unsigned long long)l->gone);
	fflush(stdout);
}

/* one command; false: no more will come */
static bool obey(struct load *l)
{
	char text[64];
	ssize_t k = read(STDIN_FILENO, text, sizeof text);
	struct span ms, command = span_cut(span_trim((struct span){ text, k > 0 ? (size_t)k : 0 }), ' ', &ms);
	uint64_t quiet = 0;

	if (k <= 0)
		return false;
	if (span_is(command, "begin")) {
		begin(l);
		puts("{}");
		fflush(stdout);
	} else if (span_is(command, "end") && ms.p && num_u64(ms, 1, 60000, &quiet))
		l->quiet = (int64_t)quiet * 1000;
	return true;
}

static void loop(struct load *l)
{
	struct epoll_event e[64], commands = { .events = EPOLLIN, .data.ptr = NULL };

	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands) < 0)
		die("standard input");
	for (;;) {
		int n = epoll_wait(l->epoll, e, 64, l->quiet ? 10 : -1);
		for (int i = 0; i < n; i++) {
			if (e[i].data.ptr)
				read_some(l, e[i].data.ptr);
			else if (!obey(l))
				return;
		}
		if (l->quiet && clock_mono_us() - l->last >= l->quiet) {
			l->quiet = 0;
			report(l);
		}
	}
}

/* a descriptor a reader */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

int main(int argc, char **argv)
{
	static struct load l;
	bool ws = argc == 4 && strcmp(argv[1], "ws") == 0;
	bool local = (argc == 4 || argc == 5) && strcmp(argv[1], "unix") == 0;

	if (!ws && !local) {
		fputs("usage: readers ws port n | readers unix path n [stopped]\n", stderr);
		return 2;
	}
	size_t stopped = argc == 5 ? (size_t)atoi(argv[4]) : 0;
	l.ws = ws;
	l.readers = (size_t)atoi(argv[3]) + stopped;
	l.reader = calloc(l.readers, sizeof *l.reader);
	l.buf = malloc(REST_BYTES + READ_BYTES + JSON_PAD + 1);
	l.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!l.reader || !l.buf || l.epoll < 0)
		die("cannot start");
	fields_open(&l.fields, slot);
	raise_limit();
	for (size_t i = 0; i < l.readers; i++)
		open_reader(&l, &l.reader[i], argv[2], i >= stopped);
	puts("ready");
	fflush(stdout);
	loop(&l);
	return 0;
}
