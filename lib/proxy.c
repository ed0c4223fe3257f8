#include "proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

#include "num.h"

/* ----------------------------------------------------------------------------------------------- the address */

static bool refuse(char why[256], const char *reason)
{
	snprintf(why, 256, "%s", reason);
	return false;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return -1;
	return at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

/* percent-encoded -> bytes and a NUL; false: too long, a broken escape, or a NUL inside */
static bool decode(char out[PROXY_NAME_MAX + 1], struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%') {
			int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
			int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || n == PROXY_NAME_MAX)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return true;
}

/* a host as it may stand in a request: nothing in it that would end a line or a word */
static bool copy_host(char out[PROXY_NAME_MAX + 1], struct span s)
{
	if (s.n == 0 || s.n > PROXY_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("/\\@[]?#%", s.p[i]))
			return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static struct span last_cut(struct span s, char c, struct span *before)
{
	for (size_t i = s.n; i-- > 0;)
		if (s.p[i] == c) {
			*before = (struct span){ s.p, i };
			return (struct span){ s.p + i + 1, s.n - i - 1 };
		}
	*before = (struct span){ NULL, 0 };
	return s;
}

static bool parse_scheme(struct proxy *p, struct span *url, char why[256])
{
	static const struct {
		const char *name;
		enum proxy_kind kind;
	} schemes[] = { { "http", PROXY_HTTP }, { "socks5", PROXY_SOCKS5 }, { "socks5h", PROXY_SOCKS5H } };
	const char *mark = memmem(url->p, url->n, "://", 3);

	p->kind = PROXY_HTTP;
	if (!mark)
		return true;
	struct span scheme = { url->p, (size_t)(mark - url->p) };
	*url = (struct span){ mark + 3, url->n - scheme.n - 3 };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (scheme.n == strlen(schemes[i].name) && strncasecmp(scheme.p, schemes[i].name, scheme.n) == 0) {
			p->kind = schemes[i].kind;
			return true;
		}
	return refuse(why, "only http://, socks5:// and socks5h:// proxies are supported");
}

static bool parse_login(struct proxy *p, struct span login, char why[256])
{
	struct span password;
	struct span user = span_cut(login, ':', &password);

	p->login = true;
	if (!decode(p->user, user) || !decode(p->password, password))
		return refuse(why, "user or password is too long or badly encoded");
	if (p->kind == PROXY_HTTP && strchr(p->user, ':'))
		return refuse(why, "an HTTP proxy cannot be given a user with ':' in it");
	if (p->kind != PROXY_HTTP && (!*p->user || !*p->password))
		return refuse(why, "a SOCKS proxy takes a user with a password, or neither");
	return true;
}

/* "host", "host:port", "[address]" or "[address]:port" */
static bool parse_place(struct proxy *p, struct span s, char why[256])
{
	struct span host, port;
	uint64_t number = PROXY_PORT;

	if (s.n && s.p[0] == '[') {
		host = span_cut((struct span){ s.p + 1, s.n - 1 }, ']', &port);
		if (!port.p || (port.n && port.p[0] != ':'))
			return refuse(why, "no host and port");
		port = port.n ? (struct span){ port.p + 1, port.n - 1 } : (struct span){ NULL, 0 };
	} else {
		host = span_cut(s, ':', &port);
	}
	if (!copy_host(p->host, host))
		return refuse(why, "no host, or one that cannot be");
	if (port.p && !num_u64(port, 1, 65535, &number))
		return refuse(why, "the port is not a number from 1 to 65535");
	p->port = (uint16_t)number;
	return true;
}

bool proxy_parse(struct proxy *p, struct span url, char why[256])
{
	struct span login;

	*p = (struct proxy){ .kind = PROXY_NONE };
	url = span_trim(url);
	if (!parse_scheme(p, &url, why))
		return false;
	for (size_t i = 0; i < url.n; i++)
		if (strchr("/?#", url.p[i]))
			url.n = i;
	struct span place = last_cut(url, '@', &login);
	return (!login.p || parse_login(p, login, why)) && parse_place(p, place, why);
}

/* ---------------------------------------------------------------------------------------------- the exceptions */

static bool parse_ipv4(struct span s, uint32_t *address)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr in;

	if (s.n >= sizeof text)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, &in) != 1)
		return false;
	*address = ntohl(in.s_addr);
	return true;
}

static bool same_network(struct span item, uint32_t address)
{
	struct span bits;
	uint32_t network;
	uint64_t n = 32;

	if (!parse_ipv4(span_cut(item, '/', &bits), &network) || (bits.p && !num_u64(bits, 0, 32, &n)))
		return false;
	return n == 0 || (address ^ network) >> (32 - n) == 0;
}

static struct span without_last_dot(struct span s)
{
	return s.n && s.p[s.n - 1] == '.' ? (struct span){ s.p, s.n - 1 } : s;
}

static bool same_or_below(struct span item, struct span host)
{
	item = without_last_dot(item);
	host = without_last_dot(host);
	while (item.n && item.p[0] == '.')
		item = (struct span){ item.p + 1, item.n - 1 };
	if (item.n == 0 || host.n < item.n || strncasecmp(host.p + host.n - item.n, item.p, item.n) != 0)
		return false;
	return host.n == item.n || host.p[host.n - item.n - 1] == '.';
}

static bool item_names(struct span item, struct span host, uint16_t port)
{
	struct span behind;
	uint64_t only = port;
	uint32_t address;

	if (span_eq(item, SPAN("*")))
		return true;
	item = span_cut(item, ':', &behind);
	if (behind.p && (!num_u64(behind, 1, 65535, &only) || only != port))
		return false;
	return parse_ipv4(host, &address) ? same_network(item, address) : same_or_below(item, host);
}

bool proxy_excepted(struct span list, struct span host, uint16_t port)
{
	while (list.n) {
		size_t n = 0;
		while (n < list.n && list.p[n] != '\0' && !strchr(", \t", list.p[n]))
			n++;
		if (n && item_names((struct span){ list.p, n }, host, port))
			return true;
		n += n < list.n;
		list = (struct span){ list.p + n, list.n - n };
	}
	return false;
}

/* the first of the two names that is set to something; *name says which */
static const char *variable(char *(*env)(const char *), const char *lower, const char *upper, const char **name)
{
	const char *value = env(*name = lower);

	if (!value || !*value)
		value = env(*name = upper);
	return value && *value ? value : NULL;
}

bool proxy_pick(struct proxy *p, char *(*env)(const char *), struct span host, uint16_t port, bool tls, char why[256])
{
	const char *name, *no_name;
	const char *url = tls ? variable(env, "https_proxy", "HTTPS_PROXY", &name) : NULL;
	const char *list = variable(env, "no_proxy", "NO_PROXY", &no_name);
	char reason[256];

	*p = (struct proxy){ .kind = PROXY_NONE };
	if (!url)
		url = variable(env, "all_proxy", "ALL_PROXY", &name);
	if (!url || (list && proxy_excepted(span_of(list), host, port)))
		return true;
	if (proxy_parse(p, span_of(url), reason))
		return true;
	p->kind = PROXY_NONE;
	snprintf(why, 256, "%s: %.200s", name, reason);
	return false;
}

/* ----------------------------------------------------------------------------------------------- the handshake */

enum { HTTP_ANSWER, SOCKS_METHOD, SOCKS_LOGIN, SOCKS_REPLY, OVER };

#define HEAD_MAX 16384 /* bytes of an answer to CONNECT */

static enum proxy_step fail(struct proxy_talk *t, const char *why)
{
	t->stage = OVER;
	if (why != t->why)
		snprintf(t->why, sizeof t->why, "%s", why);
	return PROXY_FAILED;
}

static enum proxy_step done(struct proxy_talk *t)
{
	t->stage = OVER;
	return PROXY_DONE;
}

static void put(struct proxy_talk *t, const void *bytes, size_t n)
{
	memcpy(t->out + t->out_n, bytes, n);
	t->out_n += n;
}

static void put_text(struct proxy_talk *t, const char *text)
{
	put(t, text, strlen(text));
}

static void put_byte(struct proxy_talk *t, size_t byte)
{
	t->out[t->out_n++] = (char)byte;
}

/* one byte of length, then the text */
static void put_counted(struct proxy_talk *t, const char *text)
{
	put_byte(t, strlen(text));
	put_text(t, text);
}

static void start_sending(struct proxy_talk *t, int stage)
{
	t->stage = stage;
	t->out_at = t->out_n = t->in_n = 0;
}

static void put_base64(struct proxy_talk *t, const char *text, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)(unsigned char)text[i] << 16;
		v |= left > 1 ? (uint32_t)(unsigned char)text[i + 1] << 8 : 0;
		v |= left > 2 ? (unsigned char)text[i + 2] : 0;
		put_byte(t, (size_t)digits[v >> 18]);
		put_byte(t, (size_t)digits[v >> 12 & 63]);
		put_byte(t, (size_t)(left > 1 ? digits[v >> 6 & 63] : '='));
		put_byte(t, (size_t)(left > 2 ? digits[v & 63] : '='));
	}
}

static void say_connect(struct proxy_talk *t)
{
	char place[PROXY_NAME_MAX + 10], login[2 * PROXY_NAME_MAX + 2];
	bool v6 = strchr(t->host, ':') != NULL;

	snprintf(place, sizeof place, "%s%s%s:%u", v6 ? "[" : "", t->host, v6 ? "]" : "", (unsigned)t->port);
	start_sending(t, HTTP_ANSWER);
	put_text(t, "CONNECT ");
	put_text(t, place);
	put_text(t, " HTTP/1.1\r\nHost: ");
	put_text(t, place);
	if (t->p->login) {
		int n = snprintf(login, sizeof login, "%s:%s", t->p->user, t->p->password);
		put_text(t, "\r\nProxy-Authorization: Basic ");
		put_base64(t, login, (size_t)n);
	}
	put_text(t, "\r\n\r\n");
	t->head = 0;
	t->blank = true;
}

/* version 5, the methods we can: none, and user with password where there is one */
static void say_methods(struct proxy_talk *t)
{
	start_sending(t, SOCKS_METHOD);
	if (t->p->login)
		put(t, "\x05\x02\x00\x02", 4);
	else
		put(t, "\x05\x01\x00", 3);
}

static void say_login(struct proxy_talk *t)
{
	start_sending(t, SOCKS_LOGIN);
	put_byte(t, 1);
	put_counted(t, t->p->user);
	put_counted(t, t->p->password);
}

static void say_request(struct proxy_talk *t)
{
	unsigned char address[16];

	start_sending(t, SOCKS_REPLY);
	put(t, "\x05\x01\x00", 3);
	if (inet_pton(AF_INET, t->host, address) == 1) {
		put_byte(t, 1);
		put(t, address, 4);
	} else if (inet_pton(AF_INET6, t->host, address) == 1) {
		put_byte(t, 4);
		put(t, address, 16);
	} else {
		put_byte(t, 3);
		put_counted(t, t->host);
	}
	put_byte(t, t->port >> 8);
	put_byte(t, t->port & 0xff);
}

bool proxy_begin(struct proxy_talk *t, const struct proxy *p, struct span host, uint16_t port)
{
	*t = (struct proxy_talk){ .p = p, .stage = OVER, .port = port };
	if (!copy_host(t->host, host))
		return false;
	if (p->kind == PROXY_HTTP)
		say_connect(t);
	else
		say_methods(t);
	return true;
}

struct span proxy_to_send(const struct proxy_talk *t)
{
	return (struct span){ t->out + t->out_at, t->out_n - t->out_at };
}

void proxy_sent(struct proxy_talk *t, size_t n)
{
	t->out_at += n;
}

/* VER REP RSV ATYP and the first byte of the address say how long the reply is */
static size_t reply_size(const struct proxy_talk *t)
{
	if (t->in_n < 5)
		return 5;
	switch (t->in[3]) {
	case 1:
		return 4 + 4 + 2;
	case 4:
		return 4 + 16 + 2;
	default:
		return 4 + 1 + (unsigned char)t->in[4] + 2;
	}
}

size_t proxy_wants(const struct proxy_talk *t)
{
	switch (t->stage) {
	case HTTP_ANSWER: /* its length is known only at its end */
		return 1;
	case SOCKS_METHOD:
	case SOCKS_LOGIN:
		return 2 - t->in_n;
	case SOCKS_REPLY: /* a refusal may be cut short behind its second byte */
		return t->in_n < 2 ? 2 - t->in_n : reply_size(t) - t->in_n;
	default:
		return 0;
	}
}

static const char no_http[] = "what answers is no HTTP proxy";
static const char no_socks[] = "what answers is no SOCKS 5 proxy";

/* the head is whole */
static enum proxy_step judge_connect(struct proxy_talk *t)
{
	struct span line = { t->in, t->in_n }, rest;
	uint64_t status;

	if (!span_starts(line, SPAN("HTTP/1.")))
		return fail(t, no_http);
	span_cut(line, ' ', &rest);
	if (rest.n < 3 || !num_u64((struct span){ rest.p, 3 }, 100, 999, &status))
		return fail(t, no_http);
	if (status >= 200 && status < 300)
		return done(t);
	if (status == 407)
		return fail(
		    t, t->p->login ? "the proxy does not take this login (407)" : "the proxy wants a login (407)");
	for (char *c = t->in; c < t->in + t->in_n; c++)
		*c = *c < ' ' || *c > '~' ? ' ' : *c;
	rest = span_trim(rest);
	snprintf(t->why, sizeof t->why, "the proxy refuses (%.*s)", (int)(rest.n < 80 ? rest.n : 80), rest.p);
	return fail(t, t->why);
}

static enum proxy_step http_byte(struct proxy_talk *t, char c)
{
	bool first_line = t->head == t->in_n;

	if (++t->head > HEAD_MAX)
		return fail(t, "the proxy's answer has no end");
	if (c == '\n') {
		if (t->blank)
			return judge_connect(t);
		t->blank = true;
		return PROXY_GOES_ON;
	}
	if (c != '\r')
		t->blank = false;
	/* one more byte has been counted than kept: so it stays when the line is full, or at an end */
	if (first_line && t->in_n < sizeof t->in)
		t->in[t->in_n++] = c;
	return PROXY_GOES_ON;
}

static enum proxy_step judge_method(struct proxy_talk *t)
{
	if (t->in[0] != 5)
		return fail(t, no_socks);
	if (t->in[1] == 0)
		say_request(t);
	else if (t->in[1] == 2 && t->p->login)
		say_login(t);
	else
		return fail(t, t->p->login ? "the proxy does not take a login by password" : "the proxy wants a login");
	return PROXY_GOES_ON;
}

static enum proxy_step judge_login(struct proxy_talk *t)
{
	if (t->in[1] != 0)
		return fail(t, "the proxy does not take this login");
	say_request(t);
	return PROXY_GOES_ON;
}

static enum proxy_step judge_reply(struct proxy_talk *t)
{
	static const char *const reasons[] = { NULL, "general failure", "not allowed by its rules",
		"network unreachable", "host unreachable", "connection refused", "time to live expired",
		"command not supported", "type of address not supported" };
	unsigned code = (unsigned char)t->in[1];

	if (t->in[0] != 5)
		return fail(t, no_socks);
	if (code == 0)
		return t->in_n < reply_size(t) ? PROXY_GOES_ON : done(t);
	if (code < sizeof reasons / sizeof *reasons)
		snprintf(t->why, sizeof t->why, "the proxy refuses: %s", reasons[code]);
	else
		snprintf(t->why, sizeof t->why, "the proxy refuses (code %u)", code);
	return fail(t, t->why);
}

static enum proxy_step socks_byte(struct proxy_talk *t, char c)
{
	t->in[t->in_n++] = c;
	if (t->in_n < 2)
		return PROXY_GOES_ON;
	switch (t->stage) {
	case SOCKS_METHOD:
		return judge_method(t);
	case SOCKS_LOGIN:
		return judge_login(t);
	default:
		return judge_reply(t);
	}
}

enum proxy_step proxy_got(struct proxy_talk *t, struct span bytes)
{
	enum proxy_step step = PROXY_GOES_ON;

	for (size_t i = 0; i < bytes.n && step == PROXY_GOES_ON && t->stage != OVER; i++)
		step = t->stage == HTTP_ANSWER ? http_byte(t, bytes.p[i]) : socks_byte(t, bytes.p[i]);
	return step;
}
