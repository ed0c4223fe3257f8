/* lib/ws, and libwebsockets behind it, on what a server sends when the upgrade has been agreed on: frames of any kind,
 * over a connection on loopback. The first byte says in how many pieces it comes. What arrives are the messages that a
 * reader of the protocol's text (RFC 6455, 5.2) finds here, in their order, up to the first thing that is none; then
 * the connection ends, once.
 *
 * links: net */
#include "fuzz.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/socket.h>

#include "clock.h"
#include "ws.h"

#define FUZZ_WS_MESSAGES 4000
#define FUZZ_WS_TIME	 20000000LL

static struct {
	struct ws *ws;
	int listener;
	uint16_t port;
	sem_t served;	     /* the server has done with a connection */
	const uint8_t *data; /* what the server sends */
	size_t size, piece;
	struct span message[FUZZ_WS_MESSAGES]; /* that should come; owned */
	size_t messages, came;
	unsigned downs;
	int64_t begun;
} fuzz_ws;

/* ------------------------------------------------------------------------------------------------------ the server */

static void fuzz_ws_accept_key(const char *request, char out[64])
{
	static const char header[] = "Sec-WebSocket-Key: ", guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char hash[SHA_DIGEST_LENGTH];
	const char *key = strcasestr(request, header);
	char text[128];

	FUZZ_CHECK(key != NULL);
	key += sizeof header - 1;
	int n = snprintf(text, sizeof text, "%.*s%s", (int)strcspn(key, "\r\n"), key, guid);
	SHA1((const unsigned char *)text, (size_t)n, hash);
	EVP_EncodeBlock((unsigned char *)out, hash, sizeof hash);
}

static void fuzz_ws_send(int fd, const void *p, size_t n)
{
	for (const char *at = p; n;) {
		ssize_t k = send(fd, at, n, MSG_NOSIGNAL);
		if (k <= 0)
			return;
		at += k;
		n -= (size_t)k;
	}
}

static bool fuzz_ws_read_request(int fd, char *request, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap) {
		ssize_t k = recv(fd, request + n, cap - 1 - n, 0);
		if (k <= 0)
			return false;
		n += (size_t)k;
		request[n] = '\0';
		if (strstr(request, "\r\n\r\n"))
			return true;
	}
	return false;
}

static void fuzz_ws_serve_one(int fd)
{
	char request[8192], key[64], head[256];

	if (!fuzz_ws_read_request(fd, request, sizeof request))
		return;
	fuzz_ws_accept_key(request, key);
	int n = snprintf(head, sizeof head,
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	    "%s\r\n\r\n",
	    key);
	fuzz_ws_send(fd, head, (size_t)n);
	for (size_t at = 0; at < fuzz_ws.size; at += fuzz_ws.piece)
		fuzz_ws_send(
		    fd, fuzz_ws.data + at, fuzz_ws.size - at < fuzz_ws.piece ? fuzz_ws.size - at : fuzz_ws.piece);
	shutdown(fd, SHUT_WR);
	while (recv(fd, request, sizeof request, 0) > 0)
		;
}

static void *fuzz_ws_server(void *nothing)
{
	for (;;) {
		int fd = accept4(fuzz_ws.listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return nothing;
		fuzz_ws_serve_one(fd);
		close(fd);
		sem_post(&fuzz_ws.served);
	}
}

/* ----------------------------------------------------------------------------------------------- what should come */

struct fuzz_ws_frame {
	bool final;
	unsigned opcode;
	struct span payload;
};

/* false: it ends in the middle of a frame, or breaks the protocol */
static bool fuzz_ws_frame(struct span *rest, struct fuzz_ws_frame *f)
{
	const uint8_t *p = (const uint8_t *)rest->p;
	size_t head = 2;

	if (rest->n < 2 || p[0] & 0x70 || p[1] >> 7)
		return false;
	*f = (struct fuzz_ws_frame){ p[0] >> 7, p[0] & 15, { NULL, p[1] & 0x7f } };
	size_t more = f->payload.n == 126 ? 2 : f->payload.n == 127 ? 8 : 0;
	if (rest->n < head + more)
		return false;
	for (size_t i = 0; i < more; i++)
		f->payload.n = (i ? f->payload.n << 8 : 0) | p[head + i];
	head += more;
	if (f->payload.n > rest->n - head)
		return false;
	if (f->opcode >= 8 && (!f->final || (p[1] & 0x7f) > 125)) /* of control frames no other form of it, even of less */
		return false;
	f->payload.p = rest->p + head;
	*rest = (struct span){ f->payload.p + f->payload.n, rest->n - head - f->payload.n };
	return true;
}

static void fuzz_ws_expect(struct span text)
{
	char *copy;

	if (text.n == 0)
		return;
	copy = malloc(text.n);
	FUZZ_CHECK(copy != NULL && fuzz_ws.messages < FUZZ_WS_MESSAGES);
	memcpy(copy, text.p, text.n);
	for (size_t i = 0; i < text.n; i++)
		copy[i] = copy[i] == '\n' ? ' ' : copy[i];
	fuzz_ws.message[fuzz_ws.messages++] = (struct span){ copy, text.n };
}

static void fuzz_ws_foresee(struct span rest)
{
	char *text = malloc(rest.n + 1);
	struct fuzz_ws_frame f;
	bool inside = false;
	size_t n = 0;

	FUZZ_CHECK(text != NULL);
	while (fuzz_ws_frame(&rest, &f)) {
		if (f.opcode == 9 || f.opcode == 10)
			continue;
		if (f.opcode > 2 || (f.opcode == 0) != inside)
			break;
		memcpy(text + n, f.payload.p, f.payload.n);
		n += f.payload.n;
		inside = !f.final;
		if (f.final) {
			fuzz_ws_expect((struct span){ text, n });
			n = 0;
		}
	}
	free(text);
}

/* ------------------------------------------------------------------------------------------------------ the client */

static void fuzz_ws_up(void *user, struct ws_conn *c)
{
	(void)user, (void)c;
}

static void fuzz_ws_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	(void)user, (void)c;
	FUZZ_CHECK(recv > 0 && text.n > 0 && text.n <= WS_MESSAGE_MAX && fuzz_ws.downs == 0);
	FUZZ_CHECK(!memchr(text.p, '\n', text.n));
	((char *)(size_t)text.p)[text.n] = '\n';
	FUZZ_CHECK(fuzz_ws.came < fuzz_ws.messages && span_eq(text, fuzz_ws.message[fuzz_ws.came]));
	fuzz_ws.came++;
}

static void fuzz_ws_pong(void *user, struct ws_conn *c)
{
	(void)user, (void)c;
}

static void fuzz_ws_down(void *user, struct ws_conn *c, const struct ws_end *end)
{
	(void)user, (void)c;
	fuzz_ws.downs++;
	for (const char *p = end->text; *p; p++)
		FUZZ_CHECK(*p >= ' ' && *p <= '~');
	ws_stop(fuzz_ws.ws);
}

static void fuzz_ws_tick(void *user)
{
	(void)user;
	FUZZ_CHECK(clock_mono_us() - fuzz_ws.begun < FUZZ_WS_TIME);
}

static void fuzz_ws_idle(void *user)
{
	(void)user;
}

static void fuzz_ws_log(void *user, int level, const char *text)
{
	(void)user, (void)level, (void)text;
}

static void fuzz_ws_open(void)
{
	static const struct ws_events events = { fuzz_ws_up, fuzz_ws_message, fuzz_ws_pong, fuzz_ws_down, fuzz_ws_tick,
		fuzz_ws_idle, fuzz_ws_log };
	const struct ws_options o = { .verbose = 0 };
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof at;
	pthread_t thread;
	char why[256];

	unsetenv("all_proxy");
	unsetenv("ALL_PROXY");
	signal(SIGPIPE, SIG_IGN);
	FUZZ_CHECK(sem_init(&fuzz_ws.served, 0, 0) == 0);
	fuzz_ws.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(fuzz_ws.listener >= 0 && bind(fuzz_ws.listener, (struct sockaddr *)&at, sizeof at) == 0);
	FUZZ_CHECK(listen(fuzz_ws.listener, 4) == 0 && getsockname(fuzz_ws.listener, (struct sockaddr *)&at, &n) == 0);
	fuzz_ws.port = ntohs(at.sin_port);
	FUZZ_CHECK(pthread_create(&thread, NULL, fuzz_ws_server, NULL) == 0 && pthread_detach(thread) == 0);
	fuzz_ws.ws = ws_open(&o, &events, NULL, why);
	FUZZ_CHECK(fuzz_ws.ws != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ws_target t = { .host = SPAN("127.0.0.1"), .path = SPAN("/") };

	if (size == 0)
		return 0;
	if (!fuzz_ws.ws)
		fuzz_ws_open();
	fuzz_ws.data = data + 1;
	fuzz_ws.size = size - 1;
	fuzz_ws.piece = data[0] % 4 == 1 && size < 100 ? 1 : data[0] % 4 == 2 ? 1 + size / 3 : size;
	fuzz_ws.messages = fuzz_ws.came = 0;
	fuzz_ws.downs = 0;
	fuzz_ws_foresee((struct span){ (const char *)fuzz_ws.data, fuzz_ws.size });
	fuzz_ws.begun = clock_mono_us();
	struct ws_target target = t;
	target.port = fuzz_ws.port;
	FUZZ_CHECK(ws_connect(fuzz_ws.ws, &target, NULL) && ws_run(fuzz_ws.ws) && fuzz_ws.downs == 1);
	while (sem_wait(&fuzz_ws.served) < 0)
		;
	FUZZ_CHECK(fuzz_ws.came == fuzz_ws.messages);
	while (fuzz_ws.messages)
		free((void *)(size_t)fuzz_ws.message[--fuzz_ws.messages].p);
	return 0;
}
