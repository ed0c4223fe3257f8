/* ws_frame - frames of WebSocket (RFC 6455, section 5) as a client reads and writes them: bytes only. */
#ifndef BNC_WS_FRAME_H
#define BNC_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8, /* from here on: of the connection itself, never longer than WS_CONTROL_MAX */
	WS_PING = 9,
	WS_PONG = 10,
};
#define WS_CONTROL_MAX 125

/* of a close frame (RFC 6455, 7.4.1), those that a client has reason to say */
enum ws_code {
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_TOO_BIG = 1009,
	WS_CODE_INTERNAL = 1011,
};

struct ws_frame {
	enum ws_opcode opcode;
	bool final;
	size_t head; /* bytes of it */
	uint64_t n;  /* of the payload behind it, below 2^63 */
};

enum ws_frame_got {
	WS_FRAME_HEAD, /* *f is what the bytes begin with */
	WS_FRAME_MORE, /* the head has not come whole */
	WS_FRAME_BAD,  /* no server that keeps to the RFC sends that */
};

/* n bytes from a server, at p. As nothing but frames was agreed on: no reserved bit, and no mask. A length in more bytes than
 * it takes is let pass, as others do: nothing depends on it. */
enum ws_frame_got ws_frame_read(const void *p, size_t n, struct ws_frame *f);

/* the head of a whole frame of a client in front of `payload`: gives where it begins, WS_FRAME_HEAD_MAX bytes earlier at
 * most. The payload is masked where it stands; the mask must be one that nobody foresees. */
#define WS_FRAME_HEAD_MAX 14
char *ws_frame_write(char *payload, size_t n, enum ws_opcode opcode, const unsigned char mask[4]);

#endif
