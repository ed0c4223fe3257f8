/* reader [-t pem] [-d] port path - the floor under a WebSocket client: OpenSSL, the least of a handshake, and a parser
 * of frames that knows what a server of this benchmark sends. Subscribes to solusdt@bookTicker, and writes each message
 * as a line, until the server closes.
 *
 *     -t pem  TLS; the certificate must be that of the file
 *     -d      no lines; at the end "LINES P50 P99 MOST": the µs from the sending of a message (stamp.h) to its
 *             receipt */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "num.h"
#include "stamp.h"

#define READ_BYTES 16384 /* what SSL_read gives at most */
#define IN_BYTES   (256u << 10)

static const char subscribe[] = "{\"method\":\"SUBSCRIBE\",\"params\":[\"solusdt@bookTicker\"],\"id\":1}";

struct reader {
	int fd;
	SSL *tls;
	bool delays, up, over;
	char in[IN_BYTES], out[IN_BYTES + IN_BYTES];
	size_t have, lines_n;
	struct stamps stamps;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(3);
}

static void put(const struct reader *r, const void *p, size_t n)
{
	if ((r->tls ? SSL_write(r->tls, p, (int)n) : (int)send(r->fd, p, n, 0)) != (int)n)
		die("send");
}

static ssize_t get(struct reader *r)
{
	char *p = r->in + r->have;

	return r->tls ? SSL_read(r->tls, p, READ_BYTES) : recv(r->fd, p, READ_BYTES, 0);
}

static void dial(struct reader *r, uint16_t port, const char *pem)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (r->fd < 0 || connect(r->fd, (const struct sockaddr *)&a, sizeof a) != 0)
		die("connect");
	if (!pem)
		return;
	SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
	if (!tls || SSL_CTX_load_verify_locations(tls, pem, NULL) != 1)
		die(pem);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
	r->tls = SSL_new(tls);
	SSL_set_fd(r->tls, r->fd);
	if (SSL_connect(r->tls) != 1)
		die("SSL_connect");
}

static void ask(const struct reader *r, uint16_t port, const char *path)
{
	char request[1024];
	int n = snprintf(request, sizeof request,
	    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
	    path, port);

	put(r, request, (size_t)n);
}

static void send_subscribe(const struct reader *r)
{
	/* masked with zeros */
	char frame[6 + sizeof subscribe] = { (char)0x81, (char)(0x80 | (sizeof subscribe - 1)) };

	memcpy(frame + 6, subscribe, sizeof subscribe - 1);
	put(r, frame, 6 + sizeof subscribe - 1);
}

static void flush(struct reader *r)
{
	for (size_t done = 0; done < r->lines_n;) {
		ssize_t k = write(STDOUT_FILENO, r->out + done, r->lines_n - done);
		if (k <= 0)
			die("write");
		done += (size_t)k;
	}
	r->lines_n = 0;
}

static void take_message(struct reader *r, struct span text)
{
	if (memmem(text.p, text.n < 16 ? text.n : 16, "\"result\"", 8))
		return;
	if (r->delays) {
		stamps_take(&r->stamps, text, clock_mono_us());
		return;
	}
	memcpy(r->out + r->lines_n, text.p, text.n);
	r->lines_n += text.n;
	r->out[r->lines_n++] = '\n';
}

/* the frame at p of which `have` bytes are there; its length, 0: it is not whole yet */
static size_t take_frame(struct reader *r, const char *p, size_t have)
{
	const unsigned char *f = (const unsigned char *)p;
	size_t n, head = 2;

	if (have < 2)
		return 0;
	n = f[1] & 127;
	if (n == 126) {
		if (have < 4)
			return 0;
		n = (size_t)f[2] << 8 | f[3];
		head = 4;
	}
	if (have < head + n)
		return 0;
	r->over |= (f[0] & 15) == 8;
	if ((f[0] & 15) == 1)
		take_message(r, (struct span){ p + head, n });
	return head + n;
}

static void take(struct reader *r)
{
	size_t at = 0, n;

	if (!r->up) {
		const char *end = memmem(r->in, r->have, "\r\n\r\n", 4);
		if (!end)
			return;
		if (strncmp(r->in, "HTTP/1.1 101", 12) != 0)
			die("upgrade");
		r->up = true;
		at = (size_t)(end + 4 - r->in);
		send_subscribe(r);
	}
	while (!r->over && (n = take_frame(r, r->in + at, r->have - at)) > 0)
		at += n;
	r->have -= at;
	memmove(r->in, r->in + at, r->have);
	flush(r);
}

int main(int argc, char **argv)
{
	static struct reader r;
	const char *pem = NULL;
	uint64_t port;
	ssize_t k;
	int c;

	while ((c = getopt(argc, argv, "dt:")) != -1) {
		r.delays |= c == 'd';
		pem = c == 't' ? optarg : pem;
	}
	if (argc - optind != 2 || !num_u64(span_of(argv[optind]), 1, 65535, &port)) {
		fputs("usage: reader [-t pem] [-d] port path\n", stderr);
		return 2;
	}
	dial(&r, (uint16_t)port, pem);
	ask(&r, (uint16_t)port, argv[optind + 1]);
	while (!r.over && (k = get(&r)) > 0) {
		r.have += (size_t)k;
		take(&r);
	}
	if (r.delays)
		stamps_print(&r.stamps);
	return 0;
}
