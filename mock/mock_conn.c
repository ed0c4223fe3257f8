#include "mock_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mock_ws.h"

#define SECOND	    1000000LL
#define CLOSE_WAIT  (2 * SECOND) /* for the client's close frame, or for what is queued to go out */
#define CODE_ABSENT 1005	 /* RFC 6455 7.4.1: what a close frame without a code stands for */

/* --- the end --------------------------------------------------------------------------------------------------- */

/* leftovers of the client in the socket would turn our FIN into an RST */
static void drain(int fd)
{
	char waste[4096];

	for (int i = 0; i < 64 && recv(fd, waste, sizeof waste, MSG_DONTWAIT) > 0; i++)
		;
}

static void hang_up(struct mock_conn *c)
{
	struct linger hard = { .l_onoff = 1, .l_linger = 0 };

	if (c->fd < 0)
		return;
	if (c->end == MOCK_CUT_RST)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	else if (c->ssl && c->end == MOCK_CUT_TLS && SSL_is_init_finished(c->ssl))
		SSL_shutdown(c->ssl);
	if (c->end != MOCK_CUT_RST)
		drain(c->fd);
	SSL_free(c->ssl);
	close(c->fd);
	c->ssl = NULL;
	c->fd = -1;
}

void mock_conn_end(struct mock_conn *c, const char *why)
{
	if (c->state == MOCK_DEAD)
		return;
	if (!c->why)
		c->why = why;
	c->state = MOCK_DEAD;
	hang_up(c);
}

void mock_conn_end_after(struct mock_conn *c, enum mock_cut how, const char *why, int64_t now)
{
	if (c->state == MOCK_DEAD)
		return;
	c->end = how;
	c->why = why;
	c->state = MOCK_ENDING;
	c->hold_until = INT64_MIN;
	c->deadline = now + CLOSE_WAIT;
}

static void forget_sub(struct mock_conn *c, struct mock_sub *s)
{
	if (s->stream)
		mock_hub_leave(c->hub, s->stream, c);
	free(s->name);
}

void mock_conn_free(struct mock_conn *c)
{
	hang_up(c);
	for (size_t i = 0; i < c->subs; i++)
		forget_sub(c, &c->sub[i]);
	free(c->sub);
	for (size_t i = 0; i < c->helds; i++) {
		free(c->held[i].stream);
		free(c->held[i].payload);
	}
	while (c->armed) {
		struct mock_armed *a = c->armed;
		c->armed = a->next;
		free(a);
	}
	mock_buf_free(&c->in);
	mock_buf_free(&c->out);
	mock_buf_free(&c->message);
	free(c);
}

/* --- transport -------------------------------------------------------------------------------------------------- */

/* what an SSL call wants before it can go on; false: it never will */
static bool wants(struct mock_conn *c, int result)
{
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		c->want_read = true;
		return true;
	case SSL_ERROR_WANT_WRITE:
		c->want_write = true;
		return true;
	default:
		return false;
	}
}

/* > 0 bytes, 0 nothing now, -1 the end */
static long receive(struct mock_conn *c, char *p, size_t n)
{
	if (c->ssl) {
		size_t got = 0;
		errno = 0;
		int r = SSL_read_ex(c->ssl, p, n, &got);
		return r == 1 ? (long)got : wants(c, r) ? 0 : -1;
	}
	ssize_t r = recv(c->fd, p, n, 0);
	if (r > 0)
		return r;
	return r < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static long deliver(struct mock_conn *c, const char *p, size_t n)
{
	if (c->ssl) {
		size_t put = 0;
		int r = SSL_write_ex(c->ssl, p, n, &put);
		return r == 1 ? (long)put : wants(c, r) ? 0 : -1;
	}
	ssize_t r = send(c->fd, p, n, MSG_NOSIGNAL);
	if (r >= 0)
		return r;
	c->want_write = errno == EAGAIN;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

void mock_conn_read(struct mock_conn *c)
{
	size_t most = MOCK_CONN_IN_MAX;

	while (most > 0 && c->state != MOCK_DEAD) {
		size_t n = most < 16384 ? most : 16384;
		if (!mock_buf_room(&c->in, n)) {
			mock_conn_end(c, "the client's message is too long");
			return;
		}
		long got = receive(c, c->in.p + c->in.hi, n);
		if (got < 0)
			mock_conn_end(c, "the client has gone");
		if (got <= 0)
			return;
		c->in.hi += (size_t)got;
		most -= (size_t)got;
	}
}

/* how much may go out now */
static size_t allowed(struct mock_conn *c, int64_t now)
{
	size_t n = mock_buf_len(&c->out);

	if (c->half_open || now < c->hold_until || (c->drip_us > 0 && now < c->drip_at))
		return 0;
	if (c->drip_us > 0 && n > 0) {
		c->drip_at = now + c->drip_us;
		return n < (size_t)c->drip_bytes ? n : (size_t)c->drip_bytes;
	}
	return n;
}

void mock_conn_flush(struct mock_conn *c, int64_t now)
{
	if (c->state == MOCK_DEAD || c->state <= MOCK_SHAKING)
		return;
	if (c->out.full) {
		c->end = MOCK_CUT_RST;
		mock_conn_end(c, "too much was waiting for it");
		return;
	}
	size_t n = allowed(c, now);
	c->want_write = false;
	while (n > 0) {
		long put = deliver(c, mock_buf_span(&c->out).p, n);
		if (put < 0)
			mock_conn_end(c, "the client has gone");
		if (put <= 0)
			return;
		mock_buf_take(&c->out, (size_t)put);
		n -= (size_t)put;
	}
	if (c->state == MOCK_ENDING && mock_buf_len(&c->out) == 0)
		mock_conn_end(c, c->why);
}

/* --- frames out --------------------------------------------------------------------------------------------------- */

void mock_conn_frame(struct mock_conn *c, unsigned first, struct span payload)
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
		mock_conn_frame(c, opcode | (last ? MOCK_WS_FIN : 0u), (struct span){ text.p + at, n });
		if (opcode == MOCK_WS_TEXT && !last)
			mock_conn_frame(c, MOCK_WS_PING | MOCK_WS_FIN, SPAN("between"));
		opcode = MOCK_WS_CONTINUATION;
		at += n;
	}
}

void mock_conn_text(struct mock_conn *c, struct span text)
{
	if (c->split > 0)
		split_text(c, text);
	else
		mock_conn_frame(c, MOCK_WS_TEXT | MOCK_WS_FIN, text);
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

void mock_conn_close(struct mock_conn *c, int code, struct span reason, const char *why, int64_t now)
{
	char body[MOCK_WS_CONTROL_MAX];

	if (c->state != MOCK_OPEN)
		return;
	mock_conn_frame(c, MOCK_WS_CLOSE | MOCK_WS_FIN, (struct span){ body, close_body(body, code, reason) });
	c->state = MOCK_CLOSING;
	c->end = MOCK_CUT_TLS;
	c->why = why;
	c->deadline = now + CLOSE_WAIT;
}

void mock_conn_ping(struct mock_conn *c, int64_t now, int64_t wall_ms)
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
	mock_conn_frame(c, MOCK_WS_PING | MOCK_WS_FIN, mock_buf_span(&text));
	mock_buf_free(&text);
}

/* --- data --------------------------------------------------------------------------------------------------------- */

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
		mock_conn_text(c, mock_buf_span(&b));
		mock_buf_free(&b);
	} else {
		mock_conn_text(c, payload);
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

void mock_conn_data(struct mock_conn *c, struct span stream, struct span payload, int64_t now)
{
	if (c->state != MOCK_OPEN || now < c->silent_until)
		return;
	if (takes(&c->drop, stream))
		return;
	if (c->helds < MOCK_REORDER_MAX && takes(&c->reorder, stream)) {
		if (keep(c, stream, payload) && c->reorder.left == 0)
			release(c);
		return;
	}
	bool twice = takes(&c->dup, stream);
	if (takes(&c->newline, stream))
		serve_broken(c, stream, payload);
	else
		serve(c, stream, payload);
	if (twice)
		serve(c, stream, payload);
}

bool mock_conn_flows(const struct mock_conn *c, int64_t now)
{
	return c->state == MOCK_OPEN && !c->half_open && now >= c->hold_until && now >= c->silent_until &&
	       c->drip_us == 0;
}

/* --- frames in ---------------------------------------------------------------------------------------------------- */

/* a burst of 15 was served on futures, of 40 not (measured); spot allows 5 a second, pings and pongs included */
static bool too_often(struct mock_conn *c, unsigned opcode, int64_t now)
{
	bool spot = c->market == MOCK_SPOT;
	uint64_t most = c->rules->max_messages ? c->rules->max_messages : spot ? 5 : 15;
	uint64_t ring = sizeof c->message_at / sizeof c->message_at[0];

	if (opcode == MOCK_WS_CLOSE || (opcode == MOCK_WS_PONG && !spot))
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
		mock_conn_frame(c, MOCK_WS_PONG | MOCK_WS_FIN, body);
}

static void got_close(struct mock_conn *c, struct span body, int64_t now)
{
	c->close_code = body.n >= 2 ? (unsigned char)body.p[0] << 8 | (unsigned char)body.p[1] : CODE_ABSENT;
	if (c->state == MOCK_OPEN) {
		mock_conn_frame(c, MOCK_WS_CLOSE | MOCK_WS_FIN, body);
		mock_conn_end_after(c, MOCK_CUT_TLS, "the client closed", now);
	} else {
		mock_conn_end_after(c, MOCK_CUT_TLS, c->why, now);
	}
}

static void got_data(struct mock_conn *c, const struct mock_ws_frame *f, struct span body, int64_t now)
{
	bool begun = c->message_opcode != 0;

	if (begun != (f->opcode == MOCK_WS_CONTINUATION)) {
		mock_conn_close(c, 1002, SPAN("fragments out of order"), "fragments out of order", now);
		return;
	}
	if (!begun)
		c->message_opcode = f->opcode;
	mock_put(&c->message, body);
	if (c->message.full) {
		mock_conn_close(c, 1009, SPAN("message too long"), "the client's message is too long", now);
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
		mock_conn_close(c, 1008, SPAN("Too many requests"), "too many requests", now);
	else if (f->opcode == MOCK_WS_CLOSE)
		got_close(c, body, now);
	else if (f->opcode == MOCK_WS_PING)
		got_ping(c, body);
	else if (f->opcode == MOCK_WS_PONG)
		got_pong(c, body);
	else
		got_data(c, f, body, now);
}

void mock_conn_frames(struct mock_conn *c, int64_t now)
{
	while (c->state == MOCK_OPEN || c->state == MOCK_CLOSING) {
		struct mock_ws_frame f;
		const char *why;
		struct span bytes = mock_buf_span(&c->in);
		enum mock_ws_got got = mock_ws_parse(bytes, &f, &why);
		if (got == MOCK_WS_BAD || (got == MOCK_WS_HEAD && f.payload > MOCK_MESSAGE_MAX)) {
			mock_conn_close(c, 1002, SPAN("protocol error"), "the client broke the protocol", now);
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

/* --- the clock ------------------------------------------------------------------------------------------------------
 */

static int64_t ping_every(const struct mock_conn *c)
{
	int64_t usual = c->market == MOCK_SPOT ? 20 * SECOND : 180 * SECOND;

	return c->rules->ping_every >= 0 ? c->rules->ping_every : usual;
}

static int64_t pong_within(const struct mock_conn *c)
{
	int64_t usual = c->market == MOCK_SPOT ? 60 * SECOND : 600 * SECOND;

	return c->rules->pong_within >= 0 ? c->rules->pong_within : usual;
}

void mock_conn_opened(struct mock_conn *c, int64_t now)
{
	int64_t age = c->rules->max_age >= 0 ? c->rules->max_age : 24 * 3600 * SECOND;

	c->state = MOCK_OPEN;
	c->opened = now;
	c->deadline = INT64_MAX;
	c->next_ping = ping_every(c) > 0 ? now + ping_every(c) : INT64_MAX;
	c->age_at = age > 0 ? now + age : INT64_MAX;
}

/* the close code at the 24 h cut is not known; clients have reported 1000 and 1001 */
void mock_conn_age(struct mock_conn *c, int64_t now)
{
	if (c->rules->age_drops)
		mock_conn_end_after(c, MOCK_CUT_FIN, "age", now);
	else
		mock_conn_close(c, 1001, SPAN(""), "age", now);
}

void mock_conn_clock(struct mock_conn *c, int64_t now, int64_t wall_ms)
{
	if (c->state != MOCK_DEAD && now >= c->deadline) {
		mock_conn_end(c, c->why ? c->why : "it took too long");
		return;
	}
	if (c->state != MOCK_OPEN)
		return;
	if (c->pings > 0 && now - c->ping[0].sent >= pong_within(c))
		mock_conn_close(c, 1008, SPAN("Pong timeout"), "no pong", now);
	if (now >= c->age_at)
		mock_conn_age(c, now);
	if (now >= c->next_ping) {
		c->next_ping = now + ping_every(c);
		if (!c->no_ping && !c->half_open)
			mock_conn_ping(c, now, wall_ms);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t mock_conn_due(const struct mock_conn *c, int64_t now)
{
	int64_t due = c->deadline;

	if (c->state == MOCK_OPEN) {
		due = earlier(due, earlier(c->next_ping, c->age_at));
		if (c->pings > 0)
			due = earlier(due, c->ping[0].sent + pong_within(c));
	}
	if (mock_buf_len(&c->out) > 0 && !c->half_open) {
		if (c->hold_until > now)
			due = earlier(due, c->hold_until);
		else if (c->drip_us > 0)
			due = earlier(due, c->drip_at);
	}
	return due;
}

/* --- subscriptions -------------------------------------------------------------------------------------------------
 */

static struct mock_sub *find_sub(const struct mock_conn *c, struct span name)
{
	for (size_t i = 0; i < c->subs; i++)
		if (span_is(name, c->sub[i].name))
			return &c->sub[i];
	return NULL;
}

/* data comes only for a name of this tier, in the right case, that something can feed (binance.md 1.2, 1.6) */
static struct mock_stream *live_stream(struct mock_conn *c, enum mock_market market, struct span name)
{
	struct span rest;
	struct span symbol = span_cut(name, '@', &rest);

	if (c->tier == MOCK_TIER_PRIVATE || (c->tier != MOCK_TIER_NONE && c->tier != mock_name_tier(name)))
		return NULL;
	for (size_t i = 0; i < symbol.n && symbol.p[0] != '!'; i++)
		if (symbol.p[i] >= 'A' && symbol.p[i] <= 'Z')
			return NULL;
	return mock_hub_join(c->hub, market, name, c);
}

bool mock_conn_subscribe(struct mock_conn *c, struct span name)
{
	name.n = strnlen(name.p, name.n); /* names are strings here: what follows a NUL is gone */
	if (find_sub(c, name))
		return true;
	if (c->subs >= c->rules->max_streams)
		return false;
	if (c->subs == c->subs_cap) {
		size_t cap = c->subs_cap ? c->subs_cap * 2 : 8;
		struct mock_sub *sub = realloc(c->sub, cap * sizeof *sub);
		if (!sub)
			return false;
		c->sub = sub;
		c->subs_cap = cap;
	}
	struct mock_sub *s = &c->sub[c->subs];
	s->market = c->market;
	if (s->market == MOCK_MARKETS) {
		struct span rest;
		s->market = mock_walk_is_coinm(span_cut(name, '@', &rest)) ? MOCK_COINM : MOCK_SPOT;
	}
	s->name = strndup(name.p, name.n);
	if (!s->name)
		return false;
	s->stream = live_stream(c, s->market, name);
	c->subs++;
	return true;
}

void mock_conn_unsubscribe(struct mock_conn *c, struct span name)
{
	struct mock_sub *s = find_sub(c, name);

	if (!s)
		return;
	forget_sub(c, s);
	size_t i = (size_t)(s - c->sub);
	memmove(s, s + 1, (c->subs - i - 1) * sizeof *s);
	c->subs--;
}
