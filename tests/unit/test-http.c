/* lib/http at a server made here, in a process of its own, so that nothing of what it has read is in this one's memory
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "http.h"

#define SECOND 1000000LL

static char dir[] = "/tmp/bnc-http.XXXXXX";
static char ca[60], other_ca[60], asked_path[60];
static pid_t server;
static unsigned port, old_port; /* the latter speaks TLS 1.1 alone */
static struct http *h;
static struct http_answer answer;

/* --------------------------------------------------------------------------------------------- the other side */

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *c = X509_new();
	X509V3_CTX x;

	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), (long)time(NULL));
	X509_gmtime_adj(X509_getm_notBefore(c), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c), 3600);
	X509_set_pubkey(c, key);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(c), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(c, X509_get_subject_name(c));
	X509V3_set_ctx(&x, c, c, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &x, NID_subject_alt_name, "IP:127.0.0.1");
	X509_add_ext(c, e, -1);
	X509_EXTENSION_free(e);
	X509_sign(c, key, EVP_sha256());
	return c;
}

static void write_certificate(const char *path, X509 *c)
{
	FILE *f = fopen(path, "w");

	assert_true(f && PEM_write_X509(f, c) && fclose(f) == 0);
}

static const char *reply_to(const char *request, char *big, size_t *n)
{
	static const char plain[] =
	    "HTTP/1.1 200 OK\r\nX-MBX-USED-WEIGHT-1M: 35\r\nContent-Length: 13\r\n\r\n{\"a\":\n1,\r\n2} ";
	static const char limit[] = "HTTP/1.1 429 Too Many\r\nretry-after: 7\r\nContent-Length: 0\r\n\r\n";
	static const char odd[] =
	    "HTTP/1.1 500 Odd\r\nRetry-After: soon\r\nX-MBX-USED-WEIGHT-1M: 3x\r\nContent-Length: 0\r\n\r\n";
	static const char away[] = "HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0\r\n\r\n";
	static const char none[] = "this is no HTTP\r\n\r\n";

	if (strstr(request, " /plain") || strstr(request, "SIGNATURE"))
		return *n = sizeof plain - 1, plain;
	if (strstr(request, " /limit"))
		return *n = sizeof limit - 1, limit;
	if (strstr(request, " /odd"))
		return *n = sizeof odd - 1, odd;
	if (strstr(request, " /away"))
		return *n = sizeof away - 1, away;
	if (strstr(request, " /none"))
		return *n = sizeof none - 1, none;
	size_t body = strstr(request, " /full") ? HTTP_BODY_MAX : HTTP_BODY_MAX + 1;
	int head = sprintf(big, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body);
	memset(big + head, 'x', body);
	return *n = (size_t)head + body, big;
}

static void serve_requests(SSL *s, int log)
{
	char request[8192];
	char *big = malloc(HTTP_BODY_MAX + 200);
	size_t have = 0, n;
	int got;

	while ((got = SSL_read(s, request + have, (int)(sizeof request - have - 1))) > 0) {
		have += (size_t)got;
		request[have] = '\0';
		if (!strstr(request, "\r\n\r\n"))
			continue;
		if (!strstr(request, "SIGNATURE"))
			(void)!write(log, request, have);
		have = 0;
		if (strstr(request, " /hang"))
			break;
		if (strstr(request, " /never")) {
			SSL_read(s, request, sizeof request);
			break;
		}
		const char *reply = reply_to(request, big, &n);
		for (size_t at = 0; at < n && (got = SSL_write(s, reply + at, (int)(n - at))) > 0;)
			at += (size_t)got;
	}
	free(big);
}

static int listen_anywhere(unsigned *where)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*where = ntohs(a.sin_port);
	return fd;
}

static SSL_CTX *make_context(X509 *c, EVP_PKEY *key, bool old)
{
	SSL_CTX *x = SSL_CTX_new(TLS_server_method());

	SSL_CTX_use_certificate(x, c);
	SSL_CTX_use_PrivateKey(x, key);
	if (old) {
		SSL_CTX_set_security_level(x, 0);
		SSL_CTX_set_max_proto_version(x, TLS1_1_VERSION);
	}
	return x;
}

static _Noreturn void serve(const int fd[2], X509 *c, EVP_PKEY *key)
{
	SSL_CTX *x[2] = { make_context(c, key, false), make_context(c, key, true) };
	struct pollfd p[2] = { { fd[0], POLLIN, 0 }, { fd[1], POLLIN, 0 } };
	int log = open(asked_path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	setpgid(0, 0);
	for (;;) {
		poll(p, 2, -1);
		int which = p[0].revents ? 0 : 1;
		int conn = accept(fd[which], NULL, NULL);
		if (fork() == 0) {
			SSL *s = SSL_new(x[which]);
			SSL_set_fd(s, conn);
			if (SSL_accept(s) == 1)
				serve_requests(s, log);
			_exit(0);
		}
		close(conn);
	}
}

static int set_up(void **state)
{
	int fd[2];

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(ca, sizeof ca, "%s/ca.pem", dir);
	snprintf(other_ca, sizeof other_ca, "%s/other.pem", dir);
	snprintf(asked_path, sizeof asked_path, "%s/asked", dir);
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
	X509 *c = make_certificate(key), *other = make_certificate(other_key);
	write_certificate(ca, c);
	write_certificate(other_ca, other);
	fd[0] = listen_anywhere(&port);
	fd[1] = listen_anywhere(&old_port);
	server = fork();
	if (server == 0)
		serve(fd, c, key);
	close(fd[0]);
	close(fd[1]);
	X509_free(c);
	X509_free(other);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other_key);
	return server > 0 ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[60];

	(void)state;
	kill(-server, SIGKILL);
	waitpid(server, NULL, 0);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

/* ------------------------------------------------------------------------------------------------------- this side */

static void begin_with(const char *cacert, int64_t timeout)
{
	const struct http_options o = { cacert, "test/1", timeout };
	char why[256];

	h = http_open(&o, why);
	if (!h)
		fail_msg("%s", why);
}

static void send_request(enum http_method method, const char *path, const char *header)
{
	char url[200];

	snprintf(url, sizeof url, "https://127.0.0.1:%u%s", port, path);
	assert_true(http_begin(h, method, span_of(url), span_of(header)));
	explicit_bzero(url, sizeof url);
}

static void wait_answer(void)
{
	struct pollfd p = { http_fd(h), POLLIN, 0 };

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(http_take(h, &answer));
	assert_false(http_take(h, &answer));
	assert_int_equal(poll(&p, 1, 0), 0);
}

static void ask(enum http_method method, const char *path, const char *header)
{
	send_request(method, path, header);
	wait_answer();
}

static void end(void)
{
	assert_true(http_close(h));
	h = NULL;
}

/* all requests since the last time, but those that are to be forgotten */
static const char *asked(void)
{
	static char text[1 << 16];
	FILE *f = fopen(asked_path, "r");

	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(truncate(asked_path, 0), 0);
	return text;
}

static void an_answer(void **state)
{
	int64_t before = clock_mono_us(), wall = clock_real_us();

	(void)state;
	begin_with(ca, 0);
	ask(HTTP_GET, "/plain?a=1", "X-MBX-APIKEY: abc");
	assert_int_equal(answer.cause, HTTP_ANSWERED);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.weight, 35);
	assert_int_equal(answer.retry_after, -1);
	assert_int_equal(answer.body.n, 13);
	assert_memory_equal(answer.body.p, "{\"a\": 1,  2} ", 13);
	for (size_t i = 0; i < HTTP_PAD; i++)
		assert_int_equal(answer.body.p[answer.body.n + i], '\n');
	assert_true(before <= answer.sent && answer.sent <= answer.received && answer.received <= clock_mono_us());
	assert_true(wall <= answer.recv && answer.recv <= clock_real_us());
	const char *request = asked();
	assert_memory_equal(request, "GET /plain?a=1 HTTP/1.1\r\n", 25);
	assert_non_null(strstr(request, "X-MBX-APIKEY: abc\r\n"));
	assert_non_null(strstr(request, "User-Agent: test/1\r\n"));

	ask(HTTP_GET, "/plain", "");
	assert_null(strstr(asked(), "APIKEY")); /* nothing is left for the next one */
	end();
}

static void methods(void **state)
{
	static const struct {
		enum http_method method;
		const char *word;
		bool body;
	} all[] = { { HTTP_POST, "POST", true }, { HTTP_PUT, "PUT", true }, { HTTP_GET, "GET", false },
		{ HTTP_POST, "POST", true } };

	(void)state;
	begin_with(ca, 0);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		ask(all[i].method, "/plain", "");
		assert_int_equal(answer.status, 200);
		const char *request = asked();
		assert_memory_equal(request, all[i].word, strlen(all[i].word));
		assert_int_equal(strstr(request, "Content-Length: 0\r\n") != NULL, all[i].body);
		assert_null(strstr(request, "Transfer-Encoding"));
		assert_null(strstr(request, "Expect:"));
	}
	end();
}

static void limits(void **state)
{
	(void)state;
	begin_with(ca, 0);
	ask(HTTP_GET, "/limit", "");
	assert_int_equal(answer.status, 429);
	assert_int_equal(answer.retry_after, 7);
	assert_int_equal(answer.body.n, 0);
	ask(HTTP_GET, "/odd", "");
	assert_int_equal(answer.status, 500);
	assert_int_equal(answer.weight, -1);
	assert_int_equal(answer.retry_after, -1);
	end();
}

static void no_redirects(void **state)
{
	(void)state;
	(void)asked();
	begin_with(ca, 0);
	ask(HTTP_GET, "/away", "X-MBX-APIKEY: abc");
	assert_int_equal(answer.status, 302);
	assert_null(strstr(asked(), "/plain"));
	end();
}

static void sizes(void **state)
{
	char url[HTTP_URL_MAX + 2];

	(void)state;
	begin_with(ca, 0);
	ask(HTTP_GET, "/full", "");
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.n, HTTP_BODY_MAX);
	ask(HTTP_GET, "/more", "");
	assert_int_equal(answer.cause, HTTP_NETWORK);
	assert_int_equal(answer.status, 0);
	assert_int_equal(answer.body.n, 0);
	assert_string_equal(answer.why, "the answer is longer than 4194304 bytes");
	ask(HTTP_GET, "/plain", ""); /* and it goes on */
	assert_int_equal(answer.status, 200);
	memset(url, 'x', sizeof url);
	assert_false(http_begin(h, HTTP_GET, (struct span){ url, HTTP_URL_MAX + 1 }, SPAN("")));
	assert_false(http_begin(h, HTTP_GET, SPAN("https://h/"), (struct span){ url, 1000 }));
	end();
}

static void no_answer(const char *path, const char *words)
{
	ask(HTTP_GET, path, "");
	assert_int_equal(answer.cause, HTTP_NETWORK);
	assert_int_equal(answer.status, 0);
	if (!strstr(answer.why, words))
		fail_msg("%s: %s", path, answer.why);
}

static void no_answers(void **state)
{
	(void)state;
	begin_with(ca, 0);
	no_answer("/hang", "Empty reply from server");
	no_answer("/none", "HTTP/0.9");
	end();
	begin_with(ca, SECOND / 4);
	int64_t before = clock_mono_us();
	no_answer("/never", "timed out");
	assert_in_range(clock_mono_us() - before, SECOND / 5, 10 * SECOND);
	assert_true(http_begin(h, HTTP_GET, SPAN("https://127.0.0.1:1/secret?signature=abc"), SPAN("")));
	wait_answer();
	assert_int_equal(answer.status, 0);
	assert_null(strstr(answer.why, "secret"));
	assert_null(strstr(answer.why, "abc"));
	end();
}

static void one_at_a_time(void **state)
{
	(void)state;
	begin_with(ca, 0);
	send_request(HTTP_GET, "/plain", "");
	assert_false(http_begin(h, HTTP_GET, SPAN("https://127.0.0.1:1/"), SPAN("")));
	wait_answer();
	assert_int_equal(answer.status, 200);
	end();
}

static void given_up_at_once(void **state)
{
	(void)state;
	begin_with(ca, 0);
	send_request(HTTP_GET, "/never", "");
	struct pollfd p = { http_fd(h), POLLIN, 0 };
	assert_int_equal(poll(&p, 1, 300), 0);
	int64_t before = clock_mono_us();
	end();
	assert_in_range(clock_mono_us() - before, 0, SECOND);
	begin_with(ca, 0); /* never asked for anything */
	end();
	assert_true(http_close(NULL));
}

static void only_https(void **state)
{
	static const char *const urls[] = { "http://127.0.0.1/", "file:///etc/passwd", "ftp://127.0.0.1/", "nothing" };

	(void)state;
	begin_with(ca, 0);
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		assert_true(http_begin(h, HTTP_GET, span_of(urls[i]), SPAN("")));
		wait_answer();
		assert_int_equal(answer.cause, HTTP_NETWORK);
		assert_int_equal(answer.status, 0);
		assert_int_equal(answer.body.n, 0);
	}
	end();
}

static void certificates(void **state)
{
	const struct http_options missing = { "/nothing/ca.pem", "t", 0 }, empty = { "/dev/null", "t", 0 };
	char why[256], url[60];

	(void)state;
	assert_null(http_open(&missing, why));
	assert_string_equal(why, "/nothing/ca.pem: No such file or directory");
	assert_null(http_open(&empty, why));
	assert_string_equal(why, "/dev/null: no certificate in PEM in it");
	for (int i = 0; i < 2; i++) {
		begin_with(i ? other_ca : NULL, 0);
		ask(HTTP_GET, "/plain", "");
		assert_int_equal(answer.cause, HTTP_CERTIFICATE);
		assert_int_equal(answer.status, 0);
		end();
	}
	begin_with(ca, 0); /* another name than the certificate's */
	snprintf(url, sizeof url, "https://localhost:%u/plain", port);
	assert_true(http_begin(h, HTTP_GET, span_of(url), SPAN("")));
	wait_answer();
	assert_int_equal(answer.cause, HTTP_CERTIFICATE);
	snprintf(url, sizeof url, "https://127.0.0.1:%u/plain", old_port);
	assert_true(http_begin(h, HTTP_GET, span_of(url), SPAN("")));
	wait_answer();
	assert_int_equal(answer.status, 0); /* TLS 1.1 */
	end();

	setenv("SSL_CERT_FILE", ca, 1); /* instead of the system's, and beside a further one */
	for (int i = 0; i < 2; i++) {
		begin_with(i ? other_ca : NULL, 0);
		ask(HTTP_GET, "/plain", "");
		assert_int_equal(answer.status, 200);
		end();
	}
	unsetenv("SSL_CERT_FILE");
}

/* where in the writable memory of this process the text stands; the one place where it may is `except` */
static unsigned places_of(const char *text, size_t n, const char *except)
{
	static char block[1 << 20];
	char line[400], mode[8];
	unsigned long from, to;
	unsigned found = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY);

	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) != 3 || mode[1] != 'w')
			continue;
		for (unsigned long at = from; at < to; at += sizeof block - 4096) {
			size_t want = to - at < sizeof block ? to - at : sizeof block;
			ssize_t got = pread(mem, block, want, (off_t)at);
			for (char *p = block; got > 0 && (p = memmem(p, (size_t)(block + got - p), text, n)); p++) {
				unsigned long place = at + (unsigned long)(p - block);
				bool in_block =
				    place >= (unsigned long)block && place < (unsigned long)(block + sizeof block);
				found += !in_block && place != (unsigned long)except;
			}
		}
	}
	memset(block, 0, sizeof block);
	fclose(maps);
	close(mem);
	return found;
}

/* What was asked is nowhere in memory any more: neither here nor in what libcurl has given back. */
static void forgets(void **state)
{
	static char needle[2][33]; /* made here, so that it is in no other place */
	char path[80], header[80];

	(void)state;
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
	skip(); /* there memory has a shadow of terabytes */
#endif
	begin_with(ca, 0);
	ask(HTTP_GET, "/plain", ""); /* the connection stays */
	for (int i = 0; i < 3; i++) {
		for (size_t c = 0; c < 32; c++) {
			needle[0][c] = (char)('a' + (c * 7 + (size_t)i) % 26);
			needle[1][c] = (char)('A' + (c * 5 + (size_t)i) % 26);
		}
		snprintf(path, sizeof path, "/plain?SIGNATURE=%s", needle[0]);
		snprintf(header, sizeof header, "X-MBX-APIKEY: %s", needle[1]);
		ask(HTTP_GET, path, header);
		assert_int_equal(answer.status, 200);
		explicit_bzero(path, sizeof path);
		explicit_bzero(header, sizeof header);
	}
	ask(HTTP_GET, "/plain", ""); /* libcurl keeps the latest request until the next one */
	assert_int_equal(places_of(needle[1], 32, needle[1]), 0);
	end();
	assert_int_equal(places_of(needle[0], 32, needle[0]), 0);
	assert_int_equal(places_of(needle[1], 32, needle[1]), 0);
	snprintf(path, sizeof path, "%s", needle[0]);
	assert_int_equal(places_of(needle[0], 32, needle[0]), 1); /* it would have been found */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer),
		cmocka_unit_test(methods),
		cmocka_unit_test(limits),
		cmocka_unit_test(no_redirects),
		cmocka_unit_test(sizes),
		cmocka_unit_test(no_answers),
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(given_up_at_once),
		cmocka_unit_test(only_https),
		cmocka_unit_test(certificates),
		cmocka_unit_test(forgets),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
