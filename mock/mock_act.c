#include "mock_act.h"

#include <stdlib.h>

#include "mock_control.h"
#include "mock_send.h"
#include "mock_ws.h"

#define FIN_TEXT (MOCK_WS_FIN | MOCK_WS_TEXT)

static const char noise[] = "\x17\x03\x03\xff\xffthis is no record\x80\x7f\x01\x02\xfe\xff\x00\x10";

static struct span noise_span(void)
{
	return (struct span){ noise, sizeof noise - 1 };
}

/* a head that promises n bytes, and nothing of them */
static void promise(struct mock_conn *c, unsigned first, uint64_t n)
{
	char head[MOCK_WS_HEAD_MAX];

	mock_put(&c->out, (struct span){ head, mock_ws_head(head, first, n, NULL) });
}

static enum mock_end end_of(enum mock_cut how)
{
	if (how == MOCK_CUT_TLS)
		return MOCK_END_NOTIFY;
	return how == MOCK_CUT_RST ? MOCK_END_RST : MOCK_END_FIN;
}

static void cut(struct mock_conn *c, enum mock_cut how, int64_t now)
{
	if (how == MOCK_CUT_MID_FRAME) {
		promise(c, FIN_TEXT, 1000);
		mock_put_lit(&c->out, "{\"e\":\"cut in the middle");
	} else if (how == MOCK_CUT_MID_HEADER) {
		char head[MOCK_WS_HEAD_MAX];
		mock_put(&c->out, (struct span){ head, mock_ws_head(head, FIN_TEXT, 1000, NULL) - 1 });
	}
	mock_conn_end_after(c, end_of(how), "cut", now);
}

static void masked(struct mock_conn *c)
{
	static const unsigned char mask[4] = { 1, 2, 3, 4 };
	char text[] = "{\"e\":\"masked\"}";
	char head[MOCK_WS_HEAD_MAX];
	size_t n = sizeof text - 1;

	mock_put(&c->out, (struct span){ head, mock_ws_head(head, FIN_TEXT, n, mask) });
	mock_ws_mask(text, n, mask);
	mock_put(&c->out, (struct span){ text, n });
}

/* a message of n bytes that is JSON */
static void huge(struct mock_conn *c, size_t n)
{
	static const char head[] = "{\"e\":\"huge\",\"pad\":\"";
	size_t around = sizeof head - 1 + 2;
	struct mock_buf b = mock_buf_of(MOCK_QUEUE_MAX);

	mock_put_lit(&b, head);
	if (n > around && mock_buf_room(&b, n - around)) {
		memset(b.p + b.hi, 'x', n - around);
		b.hi += n - around;
	}
	mock_put_lit(&b, "\"}");
	mock_send_text(c, mock_buf_span(&b));
	mock_buf_free(&b);
}

/* serverShutdown in its three forms (bnc-wire(7) 1.7) */
static void shut_down(struct mock_conn *c, bool api, int64_t wall_ms)
{
	struct mock_buf b = mock_buf_of(256);

	mock_put(&b, api	   ? SPAN("{\"event\":")
		     : c->combined ? SPAN("{\"stream\":\"!serverShutdown\",\"data\":")
				   : SPAN(""));
	mock_put_lit(&b, "{\"e\":\"serverShutdown\",\"E\":");
	mock_put_i64(&b, wall_ms);
	mock_put(&b, api || c->combined ? SPAN("}}") : SPAN("}"));
	mock_send_text(c, mock_buf_span(&b));
	mock_buf_free(&b);
}

static void interleave(struct mock_conn *c)
{
	mock_send_frame(c, MOCK_WS_TEXT, SPAN("{\"e\":"));
	mock_send_frame(c, FIN_TEXT, SPAN("{\"e\":\"inside another\"}"));
	mock_send_frame(c, MOCK_WS_CONTINUATION | MOCK_WS_FIN, SPAN("\"torn\"}"));
}

static void empty_fragments(struct mock_conn *c)
{
	mock_send_frame(c, MOCK_WS_TEXT, SPAN(""));
	mock_send_frame(c, MOCK_WS_CONTINUATION, SPAN("{\"e\":\"in "));
	mock_send_frame(c, MOCK_WS_CONTINUATION, SPAN(""));
	mock_send_frame(c, MOCK_WS_CONTINUATION, SPAN("pieces\"}"));
	mock_send_frame(c, MOCK_WS_CONTINUATION | MOCK_WS_FIN, SPAN(""));
}

static void sized_ping(struct mock_conn *c, int64_t n)
{
	char body[200];

	memset(body, 'p', sizeof body);
	mock_send_frame(c, MOCK_WS_PING | MOCK_WS_FIN, (struct span){ body, n < 200 ? (size_t)n : 200 });
}

static void pings(struct mock_conn *c, int64_t n)
{
	for (int64_t i = 1; i <= n; i++) {
		char body = (char)('0' + i % 10);
		mock_send_frame(c, MOCK_WS_PING | MOCK_WS_FIN, (struct span){ &body, 1 });
	}
}

static void set_count(struct mock_count *to, const struct mock_fault *f)
{
	size_t n = f->text_n < sizeof to->stream ? f->text_n : sizeof to->stream - 1;

	to->left = f->n;
	memcpy(to->stream, f->text, n);
	to->stream[n] = '\0';
}

static int64_t until(const struct mock_fault *f, int64_t now)
{
	return f->us == MOCK_FAULT_FOREVER ? INT64_MAX : now + f->us;
}

static void heal(struct mock_conn *c)
{
	c->silent_until = c->hold_until = INT64_MIN;
	c->half_open = c->no_pong = c->no_ping = c->deaf = c->no_ack = false;
	c->drip_us = 0;
	c->split = 0;
	c->drop.left = c->dup.left = c->newline.left = c->reorder.left = 0;
}

/* a state that lasts, behind what is queued already; false: it is none of these */
static bool mode(struct mock_conn *c, const struct mock_fault *f, int64_t now)
{
	switch (f->verb) {
	case MOCK_V_SILENCE:
		c->silent_until = until(f, now);
		return true;
	case MOCK_V_HOLD:
		c->hold_until = until(f, now);
		return true;
	case MOCK_V_HALF_OPEN:
		c->half_open = true;
		return true;
	case MOCK_V_NO_PONG:
		c->no_pong = true;
		return true;
	case MOCK_V_NO_PING:
		c->no_ping = true;
		return true;
	case MOCK_V_SUBSCRIBE_SILENCE:
		c->no_ack = true;
		return true;
	case MOCK_V_SLOW:
		c->drip_us = f->us;
		c->drip_bytes = f->n;
		c->drip_at = now;
		return true;
	case MOCK_V_SPLIT:
		c->split = (size_t)f->n;
		return true;
	case MOCK_V_HEAL:
		heal(c);
		return true;
	default:
		return false;
	}
}

/* something that happens to the next messages; false: it is none of these */
static bool countdown(struct mock_conn *c, const struct mock_fault *f)
{
	switch (f->verb) {
	case MOCK_V_DUP:
		set_count(&c->dup, f);
		return true;
	case MOCK_V_DROP:
		set_count(&c->drop, f);
		return true;
	case MOCK_V_NEWLINE:
		set_count(&c->newline, f);
		return true;
	case MOCK_V_REORDER:
		set_count(&c->reorder, f);
		if (c->reorder.left > MOCK_REORDER_MAX)
			c->reorder.left = MOCK_REORDER_MAX;
		return true;
	default:
		return false;
	}
}

/* frames that RFC 6455 forbids, and bytes that are no frames; false: it is none of these */
static bool broken_frame(struct mock_conn *c, const struct mock_fault *f)
{
	switch (f->verb) {
	case MOCK_V_GARBAGE:
		mock_link_send_below(&c->link, noise, sizeof noise - 1);
		return true;
	case MOCK_V_RSV:
		mock_send_frame(c, FIN_TEXT | MOCK_WS_RSV1, SPAN("{\"e\":\"rsv\"}"));
		return true;
	case MOCK_V_BAD_OPCODE:
		mock_send_frame(c, MOCK_WS_FIN | 0x3, SPAN("{\"e\":\"opcode 3\"}"));
		return true;
	case MOCK_V_STRAY:
		mock_send_frame(c, MOCK_WS_FIN | MOCK_WS_CONTINUATION, SPAN("{\"e\":\"stray\"}"));
		return true;
	case MOCK_V_INTERLEAVE:
		interleave(c);
		return true;
	case MOCK_V_LONG_CONTROL:
		sized_ping(c, 126);
		return true;
	case MOCK_V_SPLIT_CONTROL:
		mock_send_frame(c, MOCK_WS_PING, SPAN("half"));
		mock_send_frame(c, MOCK_WS_FIN | MOCK_WS_CONTINUATION, SPAN("half"));
		return true;
	case MOCK_V_ENDLESS:
		promise(c, FIN_TEXT, 1ull << 40);
		return true;
	case MOCK_V_BAD_LENGTH:
		promise(c, FIN_TEXT, 1ull << 63 | 5);
		mock_put(&c->out, noise_span());
		return true;
	case MOCK_V_MASKED:
		masked(c);
		return true;
	case MOCK_V_RAW:
		mock_put(&c->out, (struct span){ f->text, f->text_n });
		return true;
	default:
		return false;
	}
}

/* the end of the connection; false: it is not that */
static bool ending(struct mock_conn *c, const struct mock_fault *f, int64_t now)
{
	switch (f->verb) {
	case MOCK_V_CLOSE:
		mock_send_close(c, (int)f->n, (struct span){ f->text, f->text_n }, "told to close", now);
		return true;
	case MOCK_V_CUT:
		cut(c, (enum mock_cut)f->n, now);
		return true;
	case MOCK_V_AGE:
		mock_conn_age(c, now);
		return true;
	default:
		return false;
	}
}

/* whole messages and control frames */
static void message(struct mock_conn *c, const struct mock_fault *f, int64_t wall_ms)
{
	switch (f->verb) {
	case MOCK_V_HUGE:
		huge(c, (size_t)f->n);
		break;
	case MOCK_V_BAD_UTF8:
		mock_send_text(c, SPAN("{\"e\":\"bad\xff\xc0utf8\"}"));
		break;
	case MOCK_V_BINARY:
		mock_send_frame(c, MOCK_WS_FIN | MOCK_WS_BINARY, SPAN("{\"e\":\"binary\"}"));
		break;
	case MOCK_V_EMPTY:
		mock_send_frame(c, FIN_TEXT, SPAN(""));
		break;
	case MOCK_V_EMPTY_FRAGMENTS:
		empty_fragments(c);
		break;
	case MOCK_V_PING:
		sized_ping(c, f->n < MOCK_WS_CONTROL_MAX ? f->n : MOCK_WS_CONTROL_MAX);
		break;
	case MOCK_V_PINGS:
		pings(c, f->n);
		break;
	case MOCK_V_PONG:
		mock_send_frame(c, MOCK_WS_FIN | MOCK_WS_PONG, SPAN("unasked"));
		break;
	case MOCK_V_SAY:
		mock_send_text(c, (struct span){ f->text, f->text_n });
		break;
	case MOCK_V_SHUTDOWN:
		shut_down(c, f->n == 1, wall_ms);
		break;
	case MOCK_V_ERROR:
		mock_control_error(
		    c, f->n == 1, f->more, (struct span){ f->text, f->text_n }, (struct span){ NULL, 0 });
		break;
	default:
		break;
	}
}

static void carry_out(struct mock_conn *c, const struct mock_fault *f, int64_t now, int64_t wall_ms)
{
	if (c->state != MOCK_OPEN)
		return;
	mock_log_begin(c->log, "fault", c->number);
	mock_log_text(c->log, "fault", span_of(f->word));
	mock_log_number(c->log, "served", (int64_t)c->served);
	mock_log_end(c->log);
	mock_conn_flush(c, now);
	if (!mode(c, f, now) && !countdown(c, f) && !broken_frame(c, f) && !ending(c, f, now))
		message(c, f, wall_ms);
}

void mock_act(struct mock_conn *c, const struct mock_fault *f, int64_t now, int64_t wall_ms)
{
	if (f->at <= 0 || c->served >= (uint64_t)f->at) {
		carry_out(c, f, now, wall_ms);
		return;
	}
	struct mock_armed *a = malloc(sizeof *a);
	if (!a)
		return;
	*a = (struct mock_armed){ .fault = *f };
	struct mock_armed **end = &c->armed;
	while (*end)
		end = &(*end)->next;
	*end = a;
}

void mock_act_due(struct mock_conn *c, int64_t now, int64_t wall_ms)
{
	struct mock_armed **at = &c->armed;

	while (*at) {
		struct mock_armed *a = *at;
		if (c->served < (uint64_t)a->fault.at) {
			at = &a->next;
			continue;
		}
		*at = a->next;
		carry_out(c, &a->fault, now, wall_ms);
		free(a);
	}
}
