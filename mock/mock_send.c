#include "mock_send.h"

#include <stdlib.h>

#include "mock_ws.h"

#define CLOSE_WAIT_US 2000000LL /* for the client's close frame */

/* --- frames out ---------------------------------------------------------------------------------------------- */

void mock_send_frame(struct mock_conn *c, unsigned first, struct span payload)
{
	char head[MOCK_WS_HEAD_MAX];

	if (c->state != MOCK_OPEN)
		return;
	mock_put(&c->out, (struct span){ head, mock_ws_head(head, first, payload.n, NULL) });
	mock_put(&c->out, payload);
}

/* frames of c->split bytes, with a ping between the first two */
static void split_text(struct mock_conn *c, struct span text)
{
	unsigned opcode = MOCK_WS_TEXT;
	size_t at = 0;

	while (at < text.n || opcode == MOCK_WS_TEXT) {
		size_t n = text.n - at < c->split ? text.n - at : c->split;
		bool last = at + n == text.n;
		mock_send_frame(c, opcode | (last ? MOCK_WS_FIN : 0u), (struct span){ text.p + at, n });
		if (opcode == MOCK_WS_TEXT && !last)
			mock_send_frame(c, MOCK_WS_PING | MOCK_WS_FIN, SPAN("between"));
		opcode = MOCK_WS_CONTINUATION;
		at += n;
	}
}

void mock_send_text(struct mock_conn *c, struct span text)
{
	if (c->split > 0)
		split_text(c, text);
	else
		mock_send_frame(c, MOCK_WS_TEXT | MOCK_WS_FIN, text);
}

static size_t close_body(char body[MOCK_WS_CONTROL_MAX], int code, struct span reason)
{
	size_t n = reason.n < MOCK_WS_CONTROL_MAX - 2 ? reason.n : MOCK_WS_CONTROL_MAX - 2;

	if (code == 0)
		return 0;
	body[0] = (char)(unsigned char)((unsigned)code >> 8);
	body[1] = (char)(unsigned char)code;
	memcpy(body + 2, reason.p, n);
	return n + 2;
}

void mock_send_close(struct mock_conn *c, int code, struct span reason, const char *why, int64_t now)
{
	char body[MOCK_WS_CONTROL_MAX];

	if (c->state != MOCK_OPEN)
		return;
	mock_send_frame(c, MOCK_WS_CLOSE | MOCK_WS_FIN, (struct span){ body, close_body(body, code, reason) });
	c->state = MOCK_CLOSING;
	c->end = MOCK_END_NOTIFY;
	c->why = why;
	c->deadline = now + CLOSE_WAIT_US;
}

void mock_send_ping(struct mock_conn *c, int64_t now, int64_t wall_ms)
{
	struct mock_buf text = mock_buf_of(24);

	mock_put_i64(&text, wall_ms);
	if (c->pings == MOCK_PINGS) { /* the oldest stays: its time is the deadline's */
		memmove(&c->ping[1], &c->ping[2], sizeof c->ping[0] * (MOCK_PINGS - 2));
		c->pings--;
	}
	c->ping[c->pings].sent = now;
	memset(c->ping[c->pings].text, 0, sizeof c->ping[0].text);
	memcpy(c->ping[c->pings].text, text.p, mock_buf_len(&text));
	c->pings++;
	mock_send_frame(c, MOCK_WS_PING | MOCK_WS_FIN, mock_buf_span(&text));
	mock_buf_free(&text);
}

/* --- data ---------------------------------------------------------------------------------------------------- */

static bool takes(struct mock_count *n, struct span stream)
{
	if (n->left <= 0 || (n->stream[0] && !span_is(stream, n->stream)))
		return false;
	n->left--;
	return true;
}

static void wrap(struct mock_buf *b, struct span stream, struct span payload)
{
	mock_put_lit(b, "{\"stream\":");
	mock_put_json_string(b, stream);
	mock_put_lit(b, ",\"data\":");
	mock_put(b, payload);
	mock_put_char(b, '}');
}

static void serve(struct mock_conn *c, struct span stream, struct span payload)
{
	if (c->combined) {
		struct mock_buf b = mock_buf_of(MOCK_QUEUE_MAX);
		wrap(&b, stream, payload);
		mock_send_text(c, mock_buf_span(&b));
		mock_buf_free(&b);
	} else {
		mock_send_text(c, payload);
	}
	c->served++;
	mock_log_serve(c->log, c->number, stream, payload);
}

/* a line end where JSON allows one: behind the first comma (or at the end) */
static void serve_broken(struct mock_conn *c, struct span stream, struct span payload)
{
	struct mock_buf b = mock_buf_of(MOCK_QUEUE_MAX);
	const char *comma = memchr(payload.p, ',', payload.n);
	size_t head = comma ? (size_t)(comma - payload.p) + 1 : payload.n;

	mock_put(&b, (struct span){ payload.p, head });
	mock_put_char(&b, '\n');
	mock_put(&b, (struct span){ payload.p + head, payload.n - head });
	if (!b.full)
		serve(c, stream, mock_buf_span(&b));
	mock_buf_free(&b);
}

/* the messages kept for reordering, the latest first */
static void release(struct mock_conn *c)
{
	while (c->helds > 0) {
		struct mock_held *h = &c->held[--c->helds];
		serve(c, span_of(h->stream), (struct span){ h->payload, h->payload_n });
		free(h->stream);
		free(h->payload);
	}
}

static bool keep(struct mock_conn *c, struct span stream, struct span payload)
{
	struct mock_held *h = &c->held[c->helds];

	h->stream = strndup(stream.p, stream.n);
	h->payload = malloc(payload.n + 1);
	h->payload_n = payload.n;
	if (!h->stream || !h->payload) {
		free(h->stream);
		free(h->payload);
		return false;
	}
	memcpy(h->payload, payload.p, payload.n);
	c->helds++;
	return true;
}

void mock_send_event(struct mock_conn *c, struct span stream, struct span event, struct span payload, int64_t now)
{
	if (c->state != MOCK_OPEN || now < c->silent_until)
		return;
	if (takes(&c->drop, event))
		return;
	if (c->helds < MOCK_REORDER_MAX && takes(&c->reorder, event)) {
		if (keep(c, stream, payload) && c->reorder.left == 0)
			release(c);
		return;
	}
	bool twice = takes(&c->dup, event);
	if (takes(&c->newline, event))
		serve_broken(c, stream, payload);
	else
		serve(c, stream, payload);
	if (twice)
		serve(c, stream, payload);
}

void mock_send_data(struct mock_conn *c, struct span stream, struct span payload, int64_t now)
{
	mock_send_event(c, stream, stream, payload, now);
}
