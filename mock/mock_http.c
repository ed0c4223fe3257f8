#include "mock_http.h"

#include <strings.h>

#include "num.h"

static bool same_word(struct span a, struct span b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* a comma-separated header value holds the word */
static bool holds(struct span list, struct span word)
{
	while (list.p) {
		struct span item = span_trim(span_cut(list, ',', &list));
		if (same_word(item, word))
			return true;
	}
	return false;
}

static bool body_length(struct mock_request *r, struct span value)
{
	uint64_t n;

	if (!num_u64(value, 0, MOCK_HTTP_BODY_MAX, &n))
		return false;
	r->body.n = (size_t)n;
	return true;
}

static bool header(struct mock_request *r, struct span line, unsigned *marks)
{
	struct span value;
	struct span name = span_cut(line, ':', &value);

	if (!value.p || name.n == 0)
		return false;
	value = span_trim(value);
	if (same_word(name, SPAN("host")))
		r->host = value;
	else if (same_word(name, SPAN("x-mbx-apikey")))
		r->api_key = value;
	else if (same_word(name, SPAN("content-length")))
		return body_length(r, value);
	else if (same_word(name, SPAN("sec-websocket-key")))
		r->key = value;
	else if (same_word(name, SPAN("sec-websocket-version")))
		*marks |= span_is(value, "13") ? 1u : 0;
	else if (same_word(name, SPAN("upgrade")))
		*marks |= holds(value, SPAN("websocket")) ? 2u : 0;
	else if (same_word(name, SPAN("connection"))) {
		*marks |= holds(value, SPAN("upgrade")) ? 4u : 0;
		r->close = holds(value, SPAN("close"));
	}
	return true;
}

static bool request_line(struct mock_request *r, struct span line)
{
	struct span rest;
	struct span version;

	r->method = span_cut(line, ' ', &rest);
	struct span target = span_cut(rest, ' ', &version);
	r->path = span_cut(target, '?', &r->query);
	return r->method.n > 0 && r->path.n > 0 && r->path.p[0] == '/' && span_is(version, "HTTP/1.1");
}

enum mock_http_got mock_http_parse(struct span bytes, struct mock_request *r)
{
	const char *end = memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
	unsigned marks = 0;

	*r = (struct mock_request){ 0 };
	if (!end)
		return bytes.n > MOCK_HTTP_HEAD_MAX ? MOCK_HTTP_BAD : MOCK_HTTP_MORE;
	r->size = (size_t)(end - bytes.p) + 4;
	struct span rest = { bytes.p, r->size - 4 };
	struct span line = span_cut(rest, '\n', &rest);
	if (!request_line(r, span_trim(line)))
		return MOCK_HTTP_BAD;
	while (rest.p) {
		line = span_cut(rest, '\n', &rest);
		if (!header(r, span_trim(line), &marks))
			return MOCK_HTTP_BAD;
	}
	r->upgrade = marks == 7 && r->key.n > 0;
	if (bytes.n - r->size < r->body.n)
		return MOCK_HTTP_MORE;
	r->body.p = bytes.p + r->size;
	r->size += r->body.n;
	return MOCK_HTTP_REQUEST;
}

bool mock_http_param(struct span query, struct span name, struct span *value)
{
	while (query.p) {
		struct span pair = span_cut(query, '&', &query);
		struct span v;
		if (span_eq(span_cut(pair, '=', &v), name) && v.p) {
			*value = v;
			return true;
		}
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int mock_http_decode(struct span text, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '%') {
			int high = i + 2 < text.n ? hex_digit(text.p[i + 1]) : -1;
			int low = i + 2 < text.n ? hex_digit(text.p[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -1;
			c = (char)(unsigned char)(high << 4 | low);
			i += 2;
		}
		if (n == cap)
			return -1;
		out[n++] = c;
	}
	return (int)n;
}

const char *mock_http_reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 302:
		return "Found";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 408:
		return "Request Timeout";
	case 418:
		return "I'm a teapot";
	case 429:
		return "Too Many Requests";
	case 451:
		return "Unavailable For Legal Reasons";
	case 503:
		return "Service Unavailable";
	default:
		return "Other";
	}
}

void mock_http_answer(struct mock_buf *b, int status, struct span more, struct span type, struct span body)
{
	mock_put_lit(b, "HTTP/1.1 ");
	mock_put_i64(b, status);
	mock_put_char(b, ' ');
	mock_put(b, span_of(mock_http_reason(status)));
	mock_put_lit(b, "\r\nContent-Type: ");
	mock_put(b, type);
	mock_put_lit(b, "\r\nContent-Length: ");
	mock_put_i64(b, (int64_t)body.n);
	mock_put_lit(b, "\r\n");
	mock_put(b, more);
	mock_put_lit(b, "\r\n");
	mock_put(b, body);
}

void mock_http_switch(struct mock_buf *b, struct span accept, struct span more)
{
	mock_put_lit(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Accept: ");
	mock_put(b, accept);
	mock_put_lit(b, "\r\n");
	mock_put(b, more);
	mock_put_lit(b, "\r\n");
}
