/* blast [-n messages] [-s bytes] [-p messages] [-r rate] [-t pem] - a WebSocket server of market data that costs as
 * little as one can, so that what is measured is the client.
 *
 * Listens on loopback and prints the port. Clients are served one after the other: whatever they subscribe to, they get
 * an acknowledgement, then so many messages, a book of solusdt@bookTicker in the envelope of a combined stream, then a
 * close. The frames are built beforehand.
 *
 *     -n messages  for each client (100000)
 *     -s bytes     of a message (200)
 *     -p messages  in one TLS record, or one write(2) without TLS (1)
 *     -r rate      messages a second, each with the time of its sending in it (as fast as they are taken, without it)
 *     -t pem       TLS, with the certificate and the key of that file */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "num.h"
#include "stamp.h"

#define FIRST_UPDATE	100000000000ull
#define REQUEST_BYTES	8192
#define MESSAGE_MAX	65535
#define RECORD_MAX	16384 /* bytes of a TLS record */
#define PATIENCE_SECS	10    /* for what a client has to say */
#define UPDATE_DIGITS	12
#define CLOSE		8 /* opcode */

struct blast {
	uint64_t messages, bytes, per, rate;
	SSL_CTX *tls; /* NULL: none */

	char *frames; /* owned; `per` of them */
	size_t frame, update_at, stamp_at;
};

struct client {
	int fd;
	SSL *tls; /* NULL: none */
};

/* ----------------------------------------------------------------------------------------------------- transport */

static bool put(const struct client *c, const char *p, size_t n)
{
	if (c->tls)
		return SSL_write(c->tls, p, (int)n) > 0;
	while (n > 0) {
		ssize_t k = send(c->fd, p, n, 0);
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool get(const struct client *c, void *p, size_t n)
{
	for (size_t have = 0; have < n;) {
		ssize_t k = c->tls ? SSL_read(c->tls, (char *)p + have, (int)(n - have))
				   : recv(c->fd, (char *)p + have, n - have, 0);
		if (k <= 0)
			return false;
		have += (size_t)k;
	}
	return true;
}

/* ----------------------------------------------------------------------------------------------------- handshake */

static bool read_request(const struct client *c, char request[REQUEST_BYTES])
{
	size_t n = 0;

	while (n < REQUEST_BYTES - 1 && get(c, request + n, 1)) {
		request[++n] = '\0';
		if (n >= 4 && memcmp(request + n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

static bool upgrade(const struct client *c)
{
	char request[REQUEST_BYTES], key[64], answer[256];
	unsigned char digest[SHA_DIGEST_LENGTH], accept[32];

	if (!read_request(c, request))
		return false;
	const char *at = strcasestr(request, "\r\nsec-websocket-key:");
	if (!at || sscanf(at + 20, " %24[^ \r]", key) != 1)
		return false;
	memcpy(key + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37); /* RFC 6455, 1.3 */
	SHA1((const unsigned char *)key, strlen(key), digest);
	EVP_EncodeBlock(accept, digest, sizeof digest);
	int n = snprintf(answer, sizeof answer,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	return put(c, answer, (size_t)n);
}

/* the opcode of one frame of the client, and its payload, unmasked; -1: it has gone, or sends more than it should */
static int read_frame(const struct client *c, char text[REQUEST_BYTES])
{
	unsigned char head[4], mask[4];

	if (!get(c, head, 2) || ((head[1] & 127) == 126 && !get(c, head + 2, 2)))
		return -1;
	size_t n = (head[1] & 127) == 126 ? (size_t)head[2] << 8 | head[3] : head[1] & 127;
	if (n >= REQUEST_BYTES || !get(c, mask, 4) || !get(c, text, n))
		return -1;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(text[i] ^ mask[i % 4]);
	text[n] = '\0';
	return head[0] & 15;
}

static bool acknowledge(const struct client *c)
{
	char text[REQUEST_BYTES], frame[128] = "\x81";
	unsigned long long id;

	do {
		if (read_frame(c, text) < 0)
			return false;
	} while (!strstr(text, "SUBSCRIBE") || sscanf(strstr(text, "\"id\"") ?: "", "\"id\":%llu", &id) != 1);
	int n = snprintf(frame + 2, sizeof frame - 2, "{\"result\":null,\"id\":%llu}", id);
	frame[1] = (char)n;
	return put(c, frame, 2 + (size_t)n);
}

/* ------------------------------------------------------------------------------------------------------ messages */

#define BEFORE_UPDATE "{\"stream\":\"solusdt@bookTicker\",\"data\":{\"e\":\"bookTicker\",\"u\":"
#define BEFORE_STAMP  ",\"s\":\"SOLUSDT\",\"b\":\"142.35\",\"B\":\""
#define BEFORE_REST   "\",\"a\":\"142.36\",\"A\":\"5.30\",\"T\":1790526538939,\"E\":1790526538940,\"x\":\""

/* one frame; false: a message cannot be that short */
static bool build_frame(struct blast *b, char *out)
{
	char *p = out + b->frame - b->bytes;

	if (b->bytes < sizeof BEFORE_UPDATE BEFORE_STAMP BEFORE_REST + UPDATE_DIGITS + STAMP_BYTES + 3)
		return false;
	memset(p, 'x', b->bytes);
	out[0] = (char)0x81;
	out[1] = (char)(b->bytes < 126 ? b->bytes : 126);
	if (b->bytes >= 126) {
		out[2] = (char)(b->bytes >> 8);
		out[3] = (char)b->bytes;
	}
	p = stpcpy(p, BEFORE_UPDATE);
	b->update_at = (size_t)(p - out);
	p = stpcpy(p + UPDATE_DIGITS, BEFORE_STAMP);
	b->stamp_at = (size_t)(p - out);
	stamp_print(p, 0);
	*stpcpy(p + STAMP_BYTES, BEFORE_REST) = 'x';
	memcpy(out + b->frame - 3, "\"}}", 3);
	return true;
}

static bool build(struct blast *b)
{
	b->frame = b->bytes + (b->bytes < 126 ? 2 : 4);
	b->frames = malloc(b->per * b->frame);
	if (!b->frames || b->per * b->frame > (b->per > 1 ? RECORD_MAX : SIZE_MAX))
		return false;
	for (size_t i = 0; i < b->per; i++)
		if (!build_frame(b, b->frames + i * b->frame))
			return false;
	return true;
}

static void sleep_until(int64_t us)
{
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
	}
}

static bool send_messages(const struct blast *b, const struct client *c)
{
	int64_t start = clock_mono_us();
	char digits[NUM_U64_MAX];

	for (uint64_t i = 0; i < b->messages;) {
		uint64_t n = b->per < b->messages - i ? b->per : b->messages - i;
		if (b->rate)
			sleep_until(start + (int64_t)(i * 1000000 / b->rate));
		for (uint64_t k = 0; k < n; k++) {
			char *frame = b->frames + k * b->frame;
			num_print_u64(digits, FIRST_UPDATE + i + k);
			memcpy(frame + b->update_at, digits, UPDATE_DIGITS);
			if (b->rate)
				stamp_print(frame + b->stamp_at, clock_mono_us());
		}
		if (!put(c, b->frames, n * b->frame))
			return false;
		i += n;
	}
	return put(c, "\x88\x02\x03\xe8", 4);
}

/* ------------------------------------------------------------------------------------------------------- clients */

static void serve(const struct blast *b, int fd)
{
	struct client c = { .fd = fd };
	char text[REQUEST_BYTES];
	int opcode = 0;

	if (b->tls) {
		c.tls = SSL_new(b->tls);
		SSL_set_fd(c.tls, fd);
	}
	if ((!c.tls || SSL_accept(c.tls) == 1) && upgrade(&c) && acknowledge(&c) && send_messages(b, &c))
		while (opcode >= 0 && opcode != CLOSE) /* it closes as well, and then waits for our end */
			opcode = read_frame(&c, text);
	SSL_free(c.tls);
	close(fd);
}

static int listen_somewhere(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, n) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&a, &n))
		return -1;
	printf("%u\n", ntohs(a.sin_port));
	return fflush(stdout) ? -1 : fd;
}

static SSL_CTX *open_tls(const char *pem)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (!tls || SSL_CTX_use_certificate_chain_file(tls, pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, pem, SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "blast: %s: no certificate with its key\n", pem);
		exit(3);
	}
	return tls;
}

static _Noreturn void usage(void)
{
	fputs("usage: blast [-n messages] [-s bytes] [-p messages] [-r rate] [-t pem]\n", stderr);
	exit(2);
}

static uint64_t number(uint64_t most)
{
	uint64_t n;

	if (!num_u64(span_of(optarg), 1, most, &n))
		usage();
	return n;
}

int main(int argc, char **argv)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECS };
	struct blast b = { .messages = 100000, .bytes = 200, .per = 1 };
	int c, one = 1;

	signal(SIGPIPE, SIG_IGN);
	while ((c = getopt(argc, argv, "n:s:p:r:t:")) != -1) {
		if (c == 'n')
			b.messages = number(1000000000);
		else if (c == 's')
			b.bytes = number(MESSAGE_MAX);
		else if (c == 'p')
			b.per = number(1000);
		else if (c == 'r')
			b.rate = number(1000000);
		else if (c == 't')
			b.tls = open_tls(optarg);
		else
			usage();
	}
	if (argv[optind] || !build(&b))
		usage();
	int listener = listen_somewhere();
	while (listener >= 0) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			break;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		serve(&b, fd);
	}
	return 3;
}
