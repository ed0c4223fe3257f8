#include "mock_receive.h"

#include "mock_send.h"
#include "mock_ws.h"

#define SECOND	    1000000LL
#define CODE_ABSENT 1005 /* RFC 6455 7.4.1: what a close frame without a code stands for */

/* a burst of 15 was served on futures, of 40 not (measured); spot allows 5 a second, pings and pongs included */
static bool too_often(struct mock_conn *c, unsigned opcode, int64_t now)
{
	bool spot = c->market == MOCK_SPOT;
	uint64_t most = c->rules->max_messages ? c->rules->max_messages : spot ? 5 : 15;
	uint64_t ring = sizeof c->message_at / sizeof c->message_at[0];

	if (opcode == MOCK_WS_CLOSE || (opcode == MOCK_WS_PONG && !spot))
		return false;
	if (c->api && opcode != MOCK_WS_PING && opcode != MOCK_WS_PONG) /* its requests have weight instead */
		return false;
	most = most < ring ? most : ring;
	int64_t oldest = c->messages >= most ? c->message_at[(c->messages - most) % ring] : INT64_MIN;
	c->message_at[c->messages++ % ring] = now;
	return oldest > now - SECOND;
}

/* a pong answers its ping and those before it; one that nobody asked for is allowed and proves nothing */
static void got_pong(struct mock_conn *c, struct span body)
{
	size_t i = c->pings;

	while (i > 0 && !span_is(body, c->ping[i - 1].text))
		i--;
	memmove(&c->ping[0], &c->ping[i], sizeof c->ping[0] * (c->pings - i));
	c->pings -= i;
	mock_log_begin(c->log, "pong", c->number);
	mock_log_text(c->log, "payload", body);
	mock_log_text(c->log, "answers", i > 0 ? SPAN("ping") : SPAN("nothing"));
	mock_log_end(c->log);
}

static void got_ping(struct mock_conn *c, struct span body)
{
	mock_log_begin(c->log, "ping", c->number);
	mock_log_end(c->log);
	if (!c->no_pong)
		mock_send_frame(c, MOCK_WS_PONG | MOCK_WS_FIN, body);
}

static void got_close(struct mock_conn *c, struct span body, int64_t now)
{
	c->close_code = body.n >= 2 ? (unsigned char)body.p[0] << 8 | (unsigned char)body.p[1] : CODE_ABSENT;
	if (c->state == MOCK_OPEN) {
		mock_send_frame(c, MOCK_WS_CLOSE | MOCK_WS_FIN, body);
		mock_conn_end_after(c, MOCK_END_NOTIFY, "the client closed", now);
	} else {
		mock_conn_end_after(c, MOCK_END_NOTIFY, c->why, now);
	}
}

static void got_data(struct mock_conn *c, const struct mock_ws_frame *f, struct span body, int64_t now)
{
	bool begun = c->message_opcode != 0;

	if (begun != (f->opcode == MOCK_WS_CONTINUATION)) {
		mock_send_close(c, 1002, SPAN("fragments out of order"), "fragments out of order", now);
		return;
	}
	if (!begun)
		c->message_opcode = f->opcode;
	mock_put(&c->message, body);
	if (c->message.full) {
		mock_send_close(c, 1009, SPAN("message too long"), "the client's message is too long", now);
	} else if (f->fin) {
		c->message_opcode = 0;
		c->on_text(c, mock_buf_span(&c->message), now);
		mock_buf_clear(&c->message);
	}
}

static void got_frame(struct mock_conn *c, const struct mock_ws_frame *f, struct span body, int64_t now)
{
	if (c->state == MOCK_CLOSING && f->opcode != MOCK_WS_CLOSE)
		return;
	if (too_often(c, f->opcode, now))
		mock_send_close(c, 1008, SPAN("Too many requests"), "too many requests", now);
	else if (f->opcode == MOCK_WS_CLOSE)
		got_close(c, body, now);
	else if (f->opcode == MOCK_WS_PING)
		got_ping(c, body);
	else if (f->opcode == MOCK_WS_PONG)
		got_pong(c, body);
	else
		got_data(c, f, body, now);
}

void mock_receive(struct mock_conn *c, int64_t now)
{
	while (c->state == MOCK_OPEN || c->state == MOCK_CLOSING) {
		struct mock_ws_frame f;
		const char *why;
		struct span bytes = mock_buf_span(&c->in);
		enum mock_ws_got got = mock_ws_parse(bytes, &f, &why);
		if (got == MOCK_WS_BAD || (got == MOCK_WS_HEAD && f.payload > MOCK_MESSAGE_MAX)) {
			mock_send_close(c, 1002, SPAN("protocol error"), "the client broke the protocol", now);
			c->state = c->state == MOCK_CLOSING ? MOCK_ENDING : c->state;
			return;
		}
		if (got == MOCK_WS_MORE || bytes.n < f.head + f.payload)
			return;
		char *body = c->in.p + c->in.lo + f.head;
		mock_ws_mask(body, (size_t)f.payload, f.mask);
		got_frame(c, &f, (struct span){ body, (size_t)f.payload }, now);
		mock_buf_take(&c->in, f.head + (size_t)f.payload);
	}
}
