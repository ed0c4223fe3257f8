/* lib/proxy: which proxy, which hosts go without one, and every byte of the handshakes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy.h"

static char why[256];

/* ---------------------------------------------------------------------------------------------- the environment */

static const char *const *variables; /* name, value, name, value ... NULL */

static char *env(const char *name)
{
	for (const char *const *v = variables; v && *v; v += 2)
		if (strcmp(v[0], name) == 0)
			return (char *)(uintptr_t)v[1];
	return NULL;
}

#define ENV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* "kind host:port", "-" for none, "! why" for a refusal */
static const char *pick(const char *const *vars, const char *host, uint16_t port, bool tls)
{
	static const char *const kinds[] = { "-", "http", "socks5", "socks5h" };
	static char text[600];
	struct proxy p;

	variables = vars;
	if (!proxy_pick(&p, env, span_of(host), port, tls, why)) {
		assert_int_equal(p.kind, PROXY_NONE);
		snprintf(text, sizeof text, "! %s", why);
	} else if (p.kind == PROXY_NONE) {
		return "-";
	} else {
		snprintf(text, sizeof text, "%s %s:%u", kinds[p.kind], p.host, (unsigned)p.port);
	}
	return text;
}

static void variables_come_in_curls_order(void **state)
{
	(void)state;
	assert_string_equal(pick(NULL, "h.test", 443, true), "-");
	assert_string_equal(pick(ENV("https_proxy", "http://a:1"), "h.test", 443, true), "http a:1");
	assert_string_equal(pick(ENV("HTTPS_PROXY", "http://a:1"), "h.test", 443, true), "http a:1");
	assert_string_equal(
	    pick(ENV("HTTPS_PROXY", "http://a:1", "https_proxy", "b:2"), "h.test", 443, true), "http b:2");
	assert_string_equal(pick(ENV("all_proxy", "socks5h://a:1"), "h.test", 443, true), "socks5h a:1");
	assert_string_equal(pick(ENV("ALL_PROXY", "socks5://a:1"), "h.test", 443, true), "socks5 a:1");
	assert_string_equal(pick(ENV("ALL_PROXY", "a:1", "HTTPS_PROXY", "b:2"), "h.test", 443, true), "http b:2");
	assert_string_equal(pick(ENV("ALL_PROXY", "a:1", "all_proxy", "b:2"), "h.test", 443, true), "http b:2");
	/* empty is unset */
	assert_string_equal(pick(ENV("https_proxy", "", "all_proxy", "b:2"), "h.test", 443, true), "http b:2");
	assert_string_equal(pick(ENV("https_proxy", ""), "h.test", 443, true), "-");
}

static void http_proxy_is_nobodys(void **state)
{
	(void)state;
	assert_string_equal(pick(ENV("http_proxy", "http://a:1"), "h.test", 80, false), "-");
	assert_string_equal(pick(ENV("http_proxy", "http://a:1", "HTTP_PROXY", "a:1"), "h.test", 443, true), "-");
	assert_string_equal(pick(ENV("https_proxy", "http://a:1"), "h.test", 80, false), "-");
	assert_string_equal(pick(ENV("all_proxy", "http://a:1"), "h.test", 80, false), "http a:1");
}

static void no_proxy_is_asked(void **state)
{
	(void)state;
	assert_string_equal(pick(ENV("https_proxy", "a:1", "no_proxy", "h.test"), "h.test", 443, true), "-");
	assert_string_equal(pick(ENV("https_proxy", "a:1", "NO_PROXY", "h.test"), "h.test", 443, true), "-");
	assert_string_equal(
	    pick(ENV("https_proxy", "a:1", "NO_PROXY", "h.test", "no_proxy", "x"), "h.test", 443, true), "http a:1");
	assert_string_equal(
	    pick(ENV("https_proxy", "a:1", "NO_PROXY", "h.test", "no_proxy", ""), "h.test", 443, true), "-");
	assert_string_equal(pick(ENV("all_proxy", "a:1", "no_proxy", "*"), "127.0.0.1", 80, false), "-");
	assert_string_equal(pick(ENV("all_proxy", "a:1"), "127.0.0.1", 80, false), "http a:1");
	/* who is excepted does not care whether the proxy can be used */
	assert_string_equal(pick(ENV("https_proxy", "ftp://a", "no_proxy", "h.test"), "h.test", 443, true), "-");
}

static void a_variable_that_is_no_use_is_named(void **state)
{
	(void)state;
	assert_string_equal(pick(ENV("https_proxy", "https://me:secret@a:1"), "h.test", 443, true),
	    "! https_proxy: only http://, socks5:// and socks5h:// proxies are supported");
	assert_string_equal(pick(ENV("ALL_PROXY", "socks4://a:1"), "h.test", 443, true),
	    "! ALL_PROXY: only http://, socks5:// and socks5h:// proxies are supported");
	assert_string_equal(pick(ENV("HTTPS_PROXY", "a:b"), "h.test", 443, true),
	    "! HTTPS_PROXY: the port is not a number from 1 to 65535");
}

/* ------------------------------------------------------------------------------------------------- its address */

static struct proxy parsed(const char *url)
{
	struct proxy p;

	if (!proxy_parse(&p, span_of(url), why))
		fail_msg("%s: %s", url, why);
	return p;
}

static void addresses_of_all_shapes(void **state)
{
	static const struct {
		const char *url;
		enum proxy_kind kind;
		const char *host;
		unsigned port;
		const char *user, *password; /* NULL: no login */
	} cases[] = {
		{ "http://proxy.test:3128", PROXY_HTTP, "proxy.test", 3128, NULL, NULL },
		{ "proxy.test:3128", PROXY_HTTP, "proxy.test", 3128, NULL, NULL },
		{ "proxy.test", PROXY_HTTP, "proxy.test", 1080, NULL, NULL },
		{ "HTTP://proxy.test/", PROXY_HTTP, "proxy.test", 1080, NULL, NULL },
		{ " http://proxy.test:80/a@b:c?x#y \n", PROXY_HTTP, "proxy.test", 80, NULL, NULL },
		{ "socks5://10.0.0.1", PROXY_SOCKS5, "10.0.0.1", 1080, NULL, NULL },
		{ "Socks5H://p:65535", PROXY_SOCKS5H, "p", 65535, NULL, NULL },
		{ "http://[::1]:3128", PROXY_HTTP, "::1", 3128, NULL, NULL },
		{ "[fe80::1]", PROXY_HTTP, "fe80::1", 1080, NULL, NULL },
		{ "http://me:secret@p:1", PROXY_HTTP, "p", 1, "me", "secret" },
		{ "me:secret@p:1", PROXY_HTTP, "p", 1, "me", "secret" },
		{ "http://me@p:1", PROXY_HTTP, "p", 1, "me", "" },
		{ "http://me:@p:1", PROXY_HTTP, "p", 1, "me", "" },
		{ "http://:@p:1", PROXY_HTTP, "p", 1, "", "" },
		{ "http://me:a:b@c@p:1", PROXY_HTTP, "p", 1, "me", "a:b@c" },
		{ "socks5h://m%65:%40%3a%2F%25%c3%BC@p", PROXY_SOCKS5H, "p", 1080, "me", "@:/%\xc3\xbc" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct proxy p = parsed(cases[i].url);
		assert_int_equal(p.kind, cases[i].kind);
		assert_string_equal(p.host, cases[i].host);
		assert_int_equal(p.port, cases[i].port);
		assert_int_equal(p.login, cases[i].user != NULL);
		assert_string_equal(p.user, cases[i].user ? cases[i].user : "");
		assert_string_equal(p.password, cases[i].password ? cases[i].password : "");
	}
}

static void addresses_that_cannot_be(void **state)
{
	static const char *const urls[] = { "", "http://", "http://:80", "http:///", "http://p:0", "http://p:65536",
		"http://p:", "http://p:8a", "http://p:-1", "http://[::1", "http://[::1]x", "http://[]:1",
		"http://p q:1", "http://p\r\nX:1", "http://p\x7f", "https://p:1", "socks4a://p:1", "://p:1",
		"http://socks5://p:1", "http://u%@p", "http://u%4@p", "http://u%4g@p", "http://u%\x10\x10@p",
		"http://u%00@p", "http://u:%00p@p", "http://a%3ab:c@p", "socks5://u@p", "socks5h://:pw@p",
		"http://p\xc3\xbc:1", "http://[p]q]:1" };

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct proxy p;
		why[0] = '\0';
		if (proxy_parse(&p, span_of(urls[i]), why))
			fail_msg("taken: '%s'", urls[i]);
		assert_true(*why);
		assert_null(strstr(why, "secret"));
	}
}

static void what_is_too_long_is_refused(void **state)
{
	char url[600], name[256];
	struct proxy p;

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	snprintf(url, sizeof url, "http://%s:%s@h:1", name, name);
	p = parsed(url);
	assert_string_equal(p.user, name);
	assert_string_equal(p.password, name);
	snprintf(url, sizeof url, "http://%sx:y@h:1", name);
	assert_false(proxy_parse(&p, span_of(url), why));
	snprintf(url, sizeof url, "http://y:%sx@h:1", name);
	assert_false(proxy_parse(&p, span_of(url), why));
	snprintf(url, sizeof url, "http://%s:1", name);
	assert_string_equal(parsed(url).host, name);
	snprintf(url, sizeof url, "http://%sx:1", name);
	assert_false(proxy_parse(&p, span_of(url), why));
}

/* ----------------------------------------------------------------------------------------------- the exceptions */

static void exceptions(void **state)
{
	static const struct {
		const char *list, *host;
		unsigned port;
		bool excepted;
	} cases[] = {
		{ "", "h.test", 443, false },
		{ ",, ,", "h.test", 443, false },
		{ "h.test", "h.test", 443, true },
		{ "H.Test", "h.tEST", 443, true },
		{ ".h.test", "h.test", 443, true },
		{ "..h.test", "h.test", 443, true },
		{ "h.test.", "h.test", 443, true },
		{ "h.test", "h.test.", 443, true },
		{ "h.test", "a.h.test", 443, true },
		{ ".h.test", "a.b.h.test", 443, true },
		{ "h.test", "xh.test", 443, false },
		{ "h.test", "h.test.evil", 443, false },
		{ "a.h.test", "h.test", 443, false },
		{ ".", "h.test", 443, false },
		{ "x,h.test,y", "h.test", 443, true },
		{ "x, h.test\ty", "h.test", 443, true },
		{ "x h.test", "h.test", 443, true },
		{ "*", "h.test", 443, true },
		{ "x,*", "h.test", 443, true },
		{ "*.test", "h.test", 443, false },
		{ "h.test:443", "h.test", 443, true },
		{ "h.test:444", "h.test", 443, false },
		{ "h.test:", "h.test", 443, false },
		{ "h.test:x", "h.test", 443, false },
		{ "127.0.0.1", "127.0.0.1", 8443, true },
		{ "127.0.0.1:8443", "127.0.0.1", 8443, true },
		{ "127.0.0.1:1", "127.0.0.1", 8443, false },
		{ "0.0.1", "127.0.0.1", 8443, false },
		{ ".1", "127.0.0.1", 8443, false },
		{ "127.0.0.0/8", "127.9.9.9", 8443, true },
		{ "127.0.0.0/8", "128.0.0.1", 8443, false },
		{ "10.1.2.3/32", "10.1.2.3", 1, true },
		{ "10.1.2.3/31", "10.1.2.2", 1, true },
		{ "10.1.2.3/31", "10.1.2.1", 1, false },
		{ "0.0.0.0/0", "1.2.3.4", 1, true },
		{ "10.0.0.0/33", "10.0.0.0", 1, false },
		{ "10.0.0.0/", "10.0.0.0", 1, false },
		{ "10.0.0.0/8:1", "10.0.0.0", 1, true },
		{ "10.0.0.0/8", "ten.test", 1, false },
		{ "localhost", "127.0.0.1", 1, false },
		{ "::1", "127.0.0.1", 1, false },
		{ "[::1]", "h.test", 1, false },
		{ "test", "test", 1, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (proxy_excepted(span_of(cases[i].list), span_of(cases[i].host), (uint16_t)cases[i].port) !=
		    cases[i].excepted)
			fail_msg("no_proxy='%s', %s:%u", cases[i].list, cases[i].host, cases[i].port);
}

/* ------------------------------------------------------------------------------------------------ the handshake */

static struct proxy *proxy_of(const char *url)
{
	static struct proxy p;

	p = parsed(url);
	return &p;
}

static void say_exactly(struct proxy_talk *t, const void *bytes, size_t n)
{
	/* in two pieces, as a socket may take it */
	for (int i = 0; i < 2; i++) {
		struct span s = proxy_to_send(t);
		size_t half = i == 0 ? n / 2 : n - n / 2;
		assert_int_equal(s.n, i == 0 ? n : half);
		assert_memory_equal(s.p, (const char *)bytes + (i == 0 ? 0 : n / 2), half);
		proxy_sent(t, half);
	}
	assert_int_equal(proxy_to_send(t).n, 0);
}
#define SAYS(t, literal) say_exactly(t, literal, sizeof(literal) - 1)

/* hands over as much at a time as it asks for, or as there is; the last step. Asking for more than there is fails */
static enum proxy_step hear(struct proxy_talk *t, const void *bytes, size_t n, size_t at_once)
{
	enum proxy_step step = PROXY_GOES_ON;
	size_t at = 0;

	while (at < n && step == PROXY_GOES_ON) {
		size_t want = proxy_wants(t);
		assert_true(want > 0 && want <= n - at);
		want = want < at_once ? want : at_once;
		step = proxy_got(t, (struct span){ (const char *)bytes + at, want });
		at += want;
	}
	if (step == PROXY_DONE)
		assert_int_equal(at, n);
	return step;
}
#define HEARS(t, literal) hear(t, literal, sizeof(literal) - 1, 512)

static struct proxy_talk begun(const char *url, const char *host, uint16_t port)
{
	struct proxy_talk t;

	assert_true(proxy_begin(&t, proxy_of(url), span_of(host), port));
	return t;
}

static void connect_byte_for_byte(void **state)
{
	struct proxy_talk t = begun("http://p", "stream.test", 443);

	(void)state;
	SAYS(&t, "CONNECT stream.test:443 HTTP/1.1\r\nHost: stream.test:443\r\n\r\n");
	assert_int_equal(HEARS(&t, "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"), PROXY_DONE);
	assert_int_equal(proxy_wants(&t), 0);

	t = begun("http://p", "::1", 8443);
	SAYS(&t, "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n");
}

static void connect_with_a_login(void **state)
{
	struct proxy_talk t;

	(void)state;
	t = begun("http://Aladdin:open%20sesame@p", "h", 1); /* RFC 7617 */
	SAYS(
	    &t, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
	t = begun("http://test:123%C2%A3@p", "h", 1);
	SAYS(&t, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nProxy-Authorization: Basic dGVzdDoxMjPCow==\r\n\r\n");
	t = begun("http://a:b@p", "h", 1);
	SAYS(&t, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nProxy-Authorization: Basic YTpi\r\n\r\n");
	t = begun("http://a:bc@p", "h", 1);
	SAYS(&t, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nProxy-Authorization: Basic YTpiYw==\r\n\r\n");
	t = begun("http://a:bcd@p", "h", 1);
	SAYS(&t, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nProxy-Authorization: Basic YTpiY2Q=\r\n\r\n");
}

static void the_longest_of_everything_fits(void **state)
{
	char url[600], host[256];
	struct proxy_talk t;

	(void)state;
	memset(host, 'h', 255);
	host[255] = '\0';
	snprintf(url, sizeof url, "http://%s:%s@p:1", host, host);
	t = begun(url, host, 65535);
	struct span s = proxy_to_send(&t);
	assert_int_equal(s.n,
	    strlen("CONNECT :65535 HTTP/1.1\r\nHost: :65535\r\nProxy-Authorization: Basic \r\n\r\n") + 2 * 255 + 684);
	assert_true(span_ends(s, SPAN("\r\n\r\n")));
	snprintf(url, sizeof url, "socks5h://%s:%s@p:1", host, host);
	t = begun(url, host, 65535);
	SAYS(&t, "\x05\x02\x00\x02");
	assert_int_equal(HEARS(&t, "\x05\x02"), PROXY_GOES_ON);
	s = proxy_to_send(&t);
	assert_int_equal(s.n, 1 + 256 + 256);
	proxy_sent(&t, s.n);
	assert_int_equal(HEARS(&t, "\x01\x00"), PROXY_GOES_ON);
	s = proxy_to_send(&t);
	assert_int_equal(s.n, 4 + 256 + 2);
	assert_memory_equal(s.p, "\x05\x01\x00\x03\xff", 5);
	assert_memory_equal(s.p + s.n - 2, "\xff\xff", 2);
}

static void hosts_that_cannot_be_said(void **state)
{
	static const char *const hosts[] = { "", "a b", "a\r\nX: y", "a\n", "a/b", "[::1]", "a\x7f" };
	struct proxy_talk t;

	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		assert_false(proxy_begin(&t, proxy_of("http://p"), span_of(hosts[i]), 1));
		assert_int_equal(proxy_wants(&t), 0);
	}
	char longest[257];
	memset(longest, 'h', 256);
	longest[256] = '\0';
	assert_false(proxy_begin(&t, proxy_of("socks5h://p"), span_of(longest), 1));
}

static void answers_to_connect(void **state)
{
	static const struct {
		const char *answer, *why; /* NULL: done */
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", NULL },
		{ "HTTP/1.0 200\r\n\r\n", NULL },
		{ "HTTP/1.1 299 x\n\n", NULL },
		{ "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", NULL },
		{ "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n",
		    "the proxy wants a login (407)" },
		{ "HTTP/1.1 403 Forbidden\r\n\r\n", "the proxy refuses (403 Forbidden)" },
		{ "HTTP/1.1 502 a\x1b[2J\xff\r\n\r\n", "the proxy refuses (502 a [2J)" },
		{ "HTTP/1.1 301 x\r\nLocation: http://x/\r\n\r\n", "the proxy refuses (301 x)" },
		{ "HTTP/1.1 20\r\n\r\n", "what answers is no HTTP proxy" },
		{ "HTTP/1.1 2x0 \r\n\r\n", "what answers is no HTTP proxy" },
		{ "HTTP/2 200\r\n\r\n", "what answers is no HTTP proxy" },
		{ "HTTP/1.1\r\n\r\n", "what answers is no HTTP proxy" },
		{ "SSH-2.0-x\r\n\r\n", "what answers is no HTTP proxy" },
		{ "\r\n", "what answers is no HTTP proxy" },
		{ "\n", "what answers is no HTTP proxy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct proxy_talk t = begun("http://p", "h", 1);
		proxy_sent(&t, proxy_to_send(&t).n);
		enum proxy_step step = hear(&t, cases[i].answer, strlen(cases[i].answer), 512);
		assert_int_equal(step, cases[i].why ? PROXY_FAILED : PROXY_DONE);
		assert_string_equal(t.why, cases[i].why ? cases[i].why : "");
	}
	struct proxy_talk t = begun("http://u:v@p", "h", 1);
	assert_int_equal(HEARS(&t, "HTTP/1.1 407 x\r\n\r\n"), PROXY_FAILED);
	assert_string_equal(t.why, "the proxy does not take this login (407)");
}

static void an_answer_without_end_has_one(void **state)
{
	struct proxy_talk t = begun("http://p", "h", 1);
	enum proxy_step step = PROXY_GOES_ON;
	size_t n = 0;

	(void)state;
	step = HEARS(&t, "HTTP/1.1 200 OK\r\n");
	for (; step == PROXY_GOES_ON && n < 100000; n++)
		step = proxy_got(&t, SPAN("x"));
	assert_int_equal(step, PROXY_FAILED);
	assert_true(n <= 16384);
	t = begun("http://p", "h", 1);
	for (n = 0, step = PROXY_GOES_ON; step == PROXY_GOES_ON && n < 100000; n++)
		step = proxy_got(&t, SPAN("A: b\r\n"));
	assert_int_equal(step, PROXY_FAILED);
	assert_string_equal(t.why, "the proxy's answer has no end");
}

/* the first byte behind the handshake is the host's: it is never asked for */
static void nothing_is_read_beyond_the_answer(void **state)
{
	struct proxy_talk t = begun("http://p", "h", 1);
	static const char all[] = "HTTP/1.1 200 OK\r\n\r\n\x16\x03";
	size_t at = 0;

	(void)state;
	while (proxy_wants(&t)) {
		size_t n = proxy_wants(&t);
		proxy_got(&t, (struct span){ all + at, n });
		at += n;
	}
	assert_int_equal(at, sizeof all - 3);
	/* and if it were handed over all the same, it would be left alone */
	t = begun("http://p", "h", 1);
	assert_int_equal(proxy_got(&t, (struct span){ all, sizeof all - 1 }), PROXY_DONE);
}

static void socks_without_a_login(void **state)
{
	struct proxy_talk t = begun("socks5h://p", "stream.test", 443);

	(void)state;
	SAYS(&t, "\x05\x01\x00");
	assert_int_equal(HEARS(&t, "\x05\x00"), PROXY_GOES_ON);
	SAYS(&t, "\x05\x01\x00\x03\x0bstream.test\x01\xbb");
	assert_int_equal(HEARS(&t, "\x05\x00\x00\x01\x7f\x00\x00\x01\x1f\x90"), PROXY_DONE);
	assert_int_equal(proxy_wants(&t), 0);
}

static void socks_with_a_login(void **state)
{
	struct proxy_talk t = begun("socks5h://me:secret@p", "10.0.0.9", 8443);

	(void)state;
	SAYS(&t, "\x05\x02\x00\x02");
	assert_int_equal(HEARS(&t, "\x05\x02"), PROXY_GOES_ON);
	SAYS(&t, "\x01\x02me\x06secret");
	assert_int_equal(HEARS(&t, "\x01\x00"), PROXY_GOES_ON);
	SAYS(&t, "\x05\x01\x00\x01\x0a\x00\x00\x09\x20\xfb");
	assert_int_equal(HEARS(&t, "\x05\x00\x00\x03\x04host\x00\x00"), PROXY_DONE);
	/* it need not ask for what it is offered */
	t = begun("socks5h://me:secret@p", "10.0.0.9", 8443);
	proxy_sent(&t, 4);
	assert_int_equal(HEARS(&t, "\x05\x00"), PROXY_GOES_ON);
	SAYS(&t, "\x05\x01\x00\x01\x0a\x00\x00\x09\x20\xfb");
}

static void socks_to_an_address_of_version_6(void **state)
{
	struct proxy_talk t = begun("socks5://p", "2001:db8::1", 1);

	(void)state;
	proxy_sent(&t, 3);
	assert_int_equal(HEARS(&t, "\x05\x00"), PROXY_GOES_ON);
	SAYS(&t, "\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01");
	assert_int_equal(HEARS(&t, "\x05\x00\x00\x04" "0123456789abcdef" "\x00\x01"), PROXY_DONE);
}

static void replies_come_byte_by_byte(void **state)
{
	static const char *const replies[] = { "\x05\x00\x00\x01" "abcdPP", "\x05\x00\x00\x04" "0123456789abcdefPP",
		"\x05\x00\x00\x03\x01hPP", "\x05\x00\x00\x03\x00PP" };
	static const size_t sizes[] = { 10, 22, 8, 7 };

	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		struct proxy_talk t = begun("socks5h://p", "h", 1);
		assert_int_equal(hear(&t, "\x05\x00", 2, 1), PROXY_GOES_ON);
		assert_int_equal(hear(&t, replies[i], sizes[i], 1), PROXY_DONE);
	}
}

static void refusals_of_socks(void **state)
{
	static const struct {
		const char *url, *answers;
		size_t n;
		const char *why;
	} cases[] = {
		{ "socks5h://p", "\x05\xff", 2, "the proxy wants a login" },
		{ "socks5h://p", "\x05\x02", 2, "the proxy wants a login" },
		{ "socks5h://p", "HT", 2, "what answers is no SOCKS 5 proxy" },
		{ "socks5h://p", "\x04\x5a", 2, "what answers is no SOCKS 5 proxy" },
		{ "socks5h://u:v@p", "\x05\xff", 2, "the proxy does not take a login by password" },
		{ "socks5h://u:v@p", "\x05\x01", 2, "the proxy does not take a login by password" },
		{ "socks5h://u:v@p", "\x05\x02\x01\x01", 4, "the proxy does not take this login" },
		{ "socks5h://p", "\x05\x00\x05\x01", 4, "the proxy refuses: general failure" },
		{ "socks5h://p", "\x05\x00\x05\x02", 4, "the proxy refuses: not allowed by its rules" },
		{ "socks5h://p", "\x05\x00\x05\x03", 4, "the proxy refuses: network unreachable" },
		{ "socks5h://p", "\x05\x00\x05\x04", 4, "the proxy refuses: host unreachable" },
		{ "socks5h://p", "\x05\x00\x05\x05", 4, "the proxy refuses: connection refused" },
		{ "socks5h://p", "\x05\x00\x05\x06", 4, "the proxy refuses: time to live expired" },
		{ "socks5h://p", "\x05\x00\x05\x07", 4, "the proxy refuses: command not supported" },
		{ "socks5h://p", "\x05\x00\x05\x08", 4, "the proxy refuses: type of address not supported" },
		{ "socks5h://p", "\x05\x00\x05\x5b", 4, "the proxy refuses (code 91)" },
		{ "socks5h://p", "\x05\x00\x05\xff", 4, "the proxy refuses (code 255)" },
		{ "socks5h://p", "\x05\x00\x01\x00", 4, "what answers is no SOCKS 5 proxy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct proxy_talk t = begun(cases[i].url, "h", 1);
		assert_int_equal(hear(&t, cases[i].answers, cases[i].n, 512), PROXY_FAILED);
		assert_string_equal(t.why, cases[i].why);
		assert_int_equal(proxy_wants(&t), 0);
		assert_int_equal(proxy_got(&t, SPAN("more")), PROXY_GOES_ON);
	}
}

/* any bytes at all: it ends, and inside its own memory */
static void noise(void **state)
{
	static const char *const urls[] = { "http://p", "socks5h://p", "socks5h://u:v@p" };
	unsigned long long seed = 88172645463325252ull;

	(void)state;
	for (int round = 0; round < 30000; round++) {
		struct proxy_talk t = begun(urls[round % 3], "h", 1);
		enum proxy_step step = PROXY_GOES_ON;
		for (int i = 0; i < 600 && step == PROXY_GOES_ON; i++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			/* mostly what is likely to lead further */
			char c = seed % 4 ? "\x05\x00\x01\x02\x03\n\rH"[seed >> 8 & 7] : (char)(seed >> 16);
			step = proxy_got(&t, (struct span){ &c, 1 });
			assert_true(proxy_wants(&t) <= 300);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_come_in_curls_order),
		cmocka_unit_test(http_proxy_is_nobodys),
		cmocka_unit_test(no_proxy_is_asked),
		cmocka_unit_test(a_variable_that_is_no_use_is_named),
		cmocka_unit_test(addresses_of_all_shapes),
		cmocka_unit_test(addresses_that_cannot_be),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(exceptions),
		cmocka_unit_test(connect_byte_for_byte),
		cmocka_unit_test(connect_with_a_login),
		cmocka_unit_test(the_longest_of_everything_fits),
		cmocka_unit_test(hosts_that_cannot_be_said),
		cmocka_unit_test(answers_to_connect),
		cmocka_unit_test(an_answer_without_end_has_one),
		cmocka_unit_test(nothing_is_read_beyond_the_answer),
		cmocka_unit_test(socks_without_a_login),
		cmocka_unit_test(socks_with_a_login),
		cmocka_unit_test(socks_to_an_address_of_version_6),
		cmocka_unit_test(replies_come_byte_by_byte),
		cmocka_unit_test(refusals_of_socks),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
