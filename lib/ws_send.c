/* What goes out over a connection that is up: messages to frames, one each time the socket takes something. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "ws_private.h"

#define ROOM	    (WS_ROOM + WS_FRAME_HEAD_MAX) /* in front of a payload */
#define QUEUE_BYTES (64u << 10)

struct ws_out {
	struct ws_out *next;
	size_t n;
	char room[]; /* ROOM, then the text: it is masked in place */
};

bool ws_send(struct ws_conn *c, struct span text)
{
	if (c->state != WS_IS_UP || c->queued > QUEUE_BYTES)
		return false;
	struct ws_out *o = malloc(sizeof *o + ROOM + text.n);
	if (!o)
		return false;
	o->next = NULL;
	o->n = text.n;
	memcpy(o->room + ROOM, text.p, text.n);
	*c->last_out = o;
	c->last_out = &o->next;
	c->queued += text.n;
	ws_lws_want_write(c);
	return true;
}

void ws_ping(struct ws_conn *c)
{
	if (c->state != WS_IS_UP)
		return;
	c->want_ping = true;
	ws_lws_want_write(c);
}

/* of several that have not been answered yet the last one is (RFC 6455, 5.5.3) */
void ws_send_pong(struct ws_conn *c, struct span payload)
{
	if (c->state != WS_IS_UP)
		return;
	memcpy(c->pong, payload.p, payload.n);
	c->n_pong = payload.n;
	c->want_pong = true;
	ws_lws_want_write(c);
}

static void drop_oldest(struct ws_conn *c)
{
	struct ws_out *o = c->out;

	c->out = o->next;
	if (!c->out)
		c->last_out = &c->out;
	c->queued -= o->n;
	explicit_bzero(o->room, ROOM + o->n); /* it may have been a secret */
	free(o);
}

void ws_send_drop(struct ws_conn *c)
{
	while (c->out)
		drop_oldest(c);
}

/* a payload with ROOM in front of it */
static bool send_frame(struct ws_conn *c, enum ws_opcode opcode, char *payload, size_t n)
{
	unsigned char mask[4];

	if (RAND_bytes(mask, sizeof mask) != 1)
		return false;
	char *from = ws_frame_write(payload, n, opcode, mask);
	return ws_lws_write(c, from, (size_t)(payload + n - from));
}

static bool send_oldest(struct ws_conn *c)
{
	bool done = send_frame(c, WS_TEXT, c->out->room + ROOM, c->out->n);

	drop_oldest(c);
	return done;
}

static bool send_control(struct ws_conn *c, enum ws_opcode opcode, const char *payload, size_t n)
{
	char room[ROOM + WS_CONTROL_MAX];

	memcpy(room + ROOM, payload, n);
	return send_frame(c, opcode, room + ROOM, n);
}

/* the last word; where the peer has said its own, there is no more to wait for */
static bool send_close(struct ws_conn *c)
{
	const char code[2] = { (char)(c->close_code >> 8), (char)c->close_code };

	c->want_close = false;
	return send_control(c, WS_CLOSE, code, c->close_code ? 2 : 0) && !c->in.closed;
}

static bool send_one(struct ws_conn *c)
{
	if (c->want_pong) {
		c->want_pong = false;
		return send_control(c, WS_PONG, c->pong, c->n_pong);
	}
	if (c->want_ping) {
		c->want_ping = false;
		return send_control(c, WS_PING, "", 0);
	}
	return !c->out || send_oldest(c);
}

bool ws_send_next(struct ws_conn *c)
{
	if (c->want_close)
		return send_close(c);
	if (c->state != WS_IS_UP)
		return true;
	if (!send_one(c)) {
		ws_conn_cause(c, WS_LOST, "the connection is lost: nothing can be sent");
		return false;
	}
	if (c->want_pong || c->want_ping || c->out)
		ws_lws_want_write(c);
	return true;
}
