/* mock_ws - RFC 6455 from the server's side: frame heads out and in, the answer to Sec-WebSocket-Key.
 * It can write every frame that the RFC forbids; that is what it is for. */
#ifndef BNC_MOCK_WS_H
#define BNC_MOCK_WS_H

#include <stdint.h>

#include "span.h"

enum {
	MOCK_WS_CONTINUATION = 0x0,
	MOCK_WS_TEXT = 0x1,
	MOCK_WS_BINARY = 0x2,
	MOCK_WS_CLOSE = 0x8,
	MOCK_WS_PING = 0x9,
	MOCK_WS_PONG = 0xA,
	MOCK_WS_RSV1 = 0x40, /* reserved, and never negotiated here */
	MOCK_WS_FIN = 0x80,
};

#define MOCK_WS_HEAD_MAX    14
#define MOCK_WS_CONTROL_MAX 125

/* writes the head of a frame whose first byte is `first` and whose payload has n bytes, with the mask key where
 * `mask` is given (a server must not mask, RFC 6455 5.1); returns its length */
size_t mock_ws_head(char out[MOCK_WS_HEAD_MAX], unsigned first, uint64_t n, const unsigned char *mask);

struct mock_ws_frame {
	unsigned opcode;
	bool fin;
	unsigned char mask[4];
	size_t head;	  /* bytes of the head */
	uint64_t payload; /* bytes behind it */
};

enum mock_ws_got {
	MOCK_WS_MORE, /* the head is not whole yet */
	MOCK_WS_HEAD, /* *f is filled */
	MOCK_WS_BAD,  /* not a frame that a client may send; *why says why */
};
enum mock_ws_got mock_ws_parse(struct span bytes, struct mock_ws_frame *f, const char **why);

/* the payload with the mask taken off (or put on), in place */
void mock_ws_mask(char *p, size_t n, const unsigned char mask[4]);

/* Sec-WebSocket-Accept for a key: 28 characters and a NUL (RFC 6455 4.2.2) */
#define MOCK_WS_ACCEPT_SIZE 29
bool mock_ws_accept(struct span key, char out[MOCK_WS_ACCEPT_SIZE]);

#endif
