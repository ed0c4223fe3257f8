/* mock_http - just enough HTTP/1.1: request heads in, answers out. */
#ifndef BNC_MOCK_HTTP_H
#define BNC_MOCK_HTTP_H

#include "mock_buf.h"

#define MOCK_HTTP_HEAD_MAX (32u << 10)
#define MOCK_HTTP_BODY_MAX (64u << 10)

struct mock_request { /* views into the bytes that were parsed */
	struct span method;
	struct span path;  /* as sent, before the '?' */
	struct span query; /* behind it, or p == NULL */
	struct span host;
	struct span key; /* Sec-WebSocket-Key */
	struct span api_key; /* X-MBX-APIKEY, or p == NULL */
	struct span body;
	bool upgrade;	 /* Upgrade: websocket, Connection: upgrade, version 13 */
	bool close;	 /* Connection: close */
	size_t size;	 /* of head and body */
};

enum mock_http_got {
	MOCK_HTTP_MORE,
	MOCK_HTTP_REQUEST,
	MOCK_HTTP_BAD,
};
enum mock_http_got mock_http_parse(struct span bytes, struct mock_request *r);

/* the value of `name` in a query string, still percent-encoded */
bool mock_http_param(struct span query, struct span name, struct span *value);

/* percent-decoding; the length, or -1 where it is ill-formed or longer than cap */
int mock_http_decode(struct span text, char *out, size_t cap);

/* a whole answer; `more` is further header lines, each with its CRLF */
void mock_http_answer(struct mock_buf *b, int status, struct span more, struct span type, struct span body);

/* 101 with this accept value and further header lines */
void mock_http_switch(struct mock_buf *b, struct span accept, struct span more);

const char *mock_http_reason(int status);

#endif
