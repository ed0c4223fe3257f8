/* What comes over a connection that is up: bytes to frames, frames to messages.
 *
 * Bytes stay where they were read to, and a message of one frame, as nearly all are, is given out where it stands. Only
 * one in pieces is put together somewhere else. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json.h"
#include "ws_frame.h"
#include "ws_private.h"

#define FIRST_BYTES (2 * WS_READ_BYTES)

/* ---------------------------------------------------------------------------------------------------------- room */

static bool grow(char **p, size_t *cap, size_t n)
{
	size_t more = *cap ? *cap : FIRST_BYTES;

	while (more < n)
		more *= 2;
	if (more == *cap)
		return true;
	char *larger = realloc(*p, more);
	if (!larger)
		return false;
	*p = larger;
	*cap = more;
	return true;
}

char *ws_receive_room(struct ws_conn *c)
{
	struct ws_in *in = &c->in;
	size_t rest = in->end - in->at;

	if (in->at && in->cap - in->end < WS_READ_BYTES + JSON_PAD) {
		memmove(in->p, in->p + in->at, rest);
		in->at = 0;
		in->end = rest;
	}
	if (!grow(&in->p, &in->cap, in->end + WS_READ_BYTES + JSON_PAD))
		return NULL;
	return in->p + in->end;
}

/* ------------------------------------------------------------------------------------------------------ messages */

/* one message, one line: a line end in JSON is as good as a blank */
static void flatten(char *p, size_t n)
{
	for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))) != NULL;)
		*p++ = ' ';
}

/* the byte behind it is of the next frame, perhaps, and the reader's for as long as he has the message */
static void deliver(struct ws_conn *c, char *p, size_t n)
{
	struct ws *w = c->w;
	char behind = p[n];

	if (n == 0)
		return;
	flatten(p, n);
	w->ev.message(w->user, c, (struct span){ p, n }, w->recv);
	p[n] = behind;
}

/* behind what must not come nothing else is read; the peer hears why */
static void give_up(struct ws_conn *c, enum ws_code code)
{
	c->in.deaf = true;
	if (c->state == WS_IS_UP)
		ws_conn_close(c, code);
}

static void no_websocket(struct ws_conn *c)
{
	ws_conn_cause(c, WS_LOST, "the connection broke off: what came is not WebSocket");
	give_up(c, WS_CODE_PROTOCOL);
}

static void too_long(struct ws_conn *c)
{
	ws_conn_cause(c, WS_TOO_LONG, "a message is longer than %u bytes", WS_MESSAGE_MAX);
	give_up(c, WS_CODE_TOO_BIG);
}

static bool is_too_long(const struct ws_conn *c, const struct ws_frame *f)
{
	size_t before = f->opcode == WS_CONTINUATION ? c->n : 0;

	return f->n > WS_MESSAGE_MAX - before;
}

static void take_piece(struct ws_conn *c, const struct ws_frame *f, const char *p)
{
	if (!grow(&c->text, &c->cap, c->n + f->n + JSON_PAD)) {
		ws_conn_cause(c, WS_LOST, "out of memory for a message");
		give_up(c, WS_CODE_INTERNAL);
		return;
	}
	memcpy(c->text + c->n, p, f->n);
	c->n += f->n;
	c->in.pieces = !f->final;
	if (!f->final)
		return;
	memset(c->text + c->n, 0, JSON_PAD);
	deliver(c, c->text, c->n);
	c->n = 0;
}

static void take_data(struct ws_conn *c, const struct ws_frame *f, char *p)
{
	if (f->final && f->opcode != WS_CONTINUATION)
		deliver(c, p, f->n);
	else
		take_piece(c, f, p);
}

/* -------------------------------------------------------------------------------------------------------- frames */

static void take_pong(struct ws_conn *c)
{
	c->heard = clock_mono_us();
	c->w->ev.pong(c->w->user, c);
}

/* may it stand in a close frame? (RFC 6455, 7.4) */
static bool may_be_said(int code)
{
	return code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006 && code != 1015;
}

/* the peer's last word, which is answered with the same code */
static void take_close(struct ws_conn *c, const char *p, size_t n)
{
	static const char what[] = "the server closed the connection";
	int code = n < 2 ? 0 : (unsigned char)p[0] << 8 | (unsigned char)p[1];

	c->in.deaf = true;
	c->in.closed = true;
	if (!c->caused)
		c->end.close_code = code;
	if (n > 2)
		ws_conn_cause(c, WS_CLOSED, "%s (%d: %.*s)", what, code, (int)n - 2, p + 2);
	else if (n == 2)
		ws_conn_cause(c, WS_CLOSED, "%s (%d)", what, code);
	else
		ws_conn_cause(c, WS_CLOSED, "%s", what);
	if (c->state == WS_IS_UP)
		ws_conn_close(c, n == 0 ? 0 : may_be_said(code) ? code : WS_CODE_PROTOCOL);
}

static void take_frame(struct ws_conn *c, const struct ws_frame *f, char *p)
{
	switch (f->opcode) {
	case WS_CONTINUATION:
	case WS_TEXT:
	case WS_BINARY:
		if (c->state == WS_IS_UP) /* what comes behind our last word is not wanted any more */
			take_data(c, f, p);
		break;
	case WS_PING:
		ws_send_pong(c, (struct span){ p, f->n });
		break;
	case WS_PONG:
		take_pong(c);
		break;
	case WS_CLOSE:
		take_close(c, p, f->n);
		break;
	}
}

/* the next one, if it has come whole; what is wrong with it shows by its head */
static bool next_frame(struct ws_conn *c)
{
	struct ws_in *in = &c->in;
	char *p = in->p + in->at;
	struct ws_frame f;
	enum ws_frame_got got = ws_frame_read(p, in->end - in->at, &f);

	if (got == WS_FRAME_MORE)
		return false;
	bool data = got == WS_FRAME_HEAD && f.opcode < WS_CLOSE;
	if (got == WS_FRAME_BAD || (data && (f.opcode == WS_CONTINUATION) != in->pieces)) {
		no_websocket(c);
		return false;
	}
	if (data && is_too_long(c, &f)) {
		too_long(c);
		return false;
	}
	if (data)
		c->heard = c->in.now;
	if (f.n > in->end - in->at - f.head)
		return false;
	in->at += f.head + f.n;
	take_frame(c, &f, p + f.head);
	return true;
}

void ws_receive(struct ws_conn *c, size_t n)
{
	struct ws_in *in = &c->in;
	int64_t now = clock_real_us();

	in->end += n;
	memset(in->p + in->end, 0, JSON_PAD);
	in->now = clock_mono_us();
	c->w->busy = true;
	c->w->recv = now > c->w->recv ? now : c->w->recv;
	while (c->state != WS_IS_ENDED && !in->deaf && next_frame(c))
		;
	if (in->deaf || in->at == in->end)
		in->at = in->end = 0;
}
