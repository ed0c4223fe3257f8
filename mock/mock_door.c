#include "mock_door.h"

#include <errno.h>
#include <sys/socket.h>

#include "mock_act.h"
#include "mock_api.h"
#include "mock_desk.h"
#include "mock_http.h"
#include "mock_receive.h"
#include "mock_send.h"
#include "mock_ws.h"

#define HANDSHAKE_US 10000000LL
#define NAME_BYTES   512

static const char html[] =
    "<html><head><title>refused</title></head><body><center><h1>refused</h1></center></body></html>\n";

/* --- TCP and TLS --------------------------------------------------------------------------------------------- */

static void tell_fault(struct mock_conn *c, const struct mock_fault *f)
{
	mock_log_begin(c->log, "fault", c->number);
	mock_log_text(c->log, "fault", span_of(f->word));
	mock_log_end(c->log);
}

void mock_door_accept(const struct mock_door *d, struct mock_conn *c, int64_t now)
{
	struct mock_seen seen = { .stage = MOCK_STAGE_TCP, .number = c->number };
	struct mock_order **from = NULL;
	struct mock_fault f;

	c->state = d->tls ? MOCK_SHAKING : MOCK_ASKING;
	c->deadline = now + HANDSHAKE_US;
	if (mock_orders_take(d->orders, &from, &seen, &f)) {
		tell_fault(c, &f);
		c->state = MOCK_ACCEPTED;
		c->tls_fault = (int)f.n;
		c->deadline = INT64_MAX;
		if (f.n == MOCK_TLS_RST) {
			c->end = MOCK_END_RST;
			mock_conn_end(c, "reset before TLS");
		}
		return;
	}
	if (!d->tls)
		return;
	SSL_CTX *ctx = mock_tls_ctx(d->tls, d->cert);
	c->link.ssl = ctx ? SSL_new(ctx) : NULL;
	if (!c->link.ssl || !SSL_set_fd(c->link.ssl, c->link.fd))
		mock_conn_end(c, "no TLS");
}

/* a client that waits for TLS in vain */
static void stand_still(struct mock_conn *c)
{
	char waste[4096];
	ssize_t n = recv(c->link.fd, waste, sizeof waste, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		mock_conn_end(c, "the client has gone");
	if (n <= 0)
		return;
	if (c->tls_fault == MOCK_TLS_CLOSE)
		mock_conn_end(c, "closed in the TLS handshake");
	else if (c->tls_fault == MOCK_TLS_GARBAGE)
		mock_link_send_below(&c->link, "220 this is not TLS\r\n", 21);
}

static void shake(struct mock_conn *c)
{
	enum mock_link_shaken shaken = mock_link_shake(&c->link);

	if (shaken == MOCK_LINK_READY)
		c->state = MOCK_ASKING;
	if (shaken != MOCK_LINK_FAILED)
		return;
	const char *why = mock_tls_why();
	mock_log_begin(c->log, "tls", c->number);
	mock_log_text(c->log, "error", why ? span_of(why) : SPAN("the client has gone"));
	mock_log_end(c->log);
	mock_conn_end(c, "the TLS handshake failed");
}

/* --- where a path leads -------------------------------------------------------------------------------------- */

struct route {
	enum mock_market market;
	enum mock_tier tier, path_tier;
	bool combined;
	bool user;	   /* for user data, as far as the path tells */
	bool api;	   /* the WebSocket API of spot */
	struct span names; /* the rest of the path behind /ws/ */
};

/* cuts `head` off a path where a '/' or nothing follows it */
static bool step_in(struct span *path, struct span head)
{
	if (!span_starts(*path, head) || (path->n > head.n && path->p[head.n] != '/'))
		return false;
	path->p += head.n;
	path->n -= head.n;
	return true;
}

/* on the unrouted paths of a mock that is all exchanges, the Host may say which; else each name does */
static enum mock_market market_of_host(struct span host)
{
	if (span_starts(host, SPAN("fstream.")))
		return MOCK_USDM;
	if (span_starts(host, SPAN("dstream.")))
		return MOCK_COINM;
	if (span_starts(host, SPAN("stream.")) || span_starts(host, SPAN("data-stream.")))
		return MOCK_SPOT;
	return MOCK_MARKETS;
}

static bool find_route(const struct mock_door *d, const struct mock_request *r, struct route *to)
{
	struct span path = r->path;
	bool tiered = d->market == MOCK_USDM || d->market == MOCK_MARKETS;

	*to = (struct route){ .market = d->market };
	if (tiered && step_in(&path, SPAN("/public")))
		to->path_tier = MOCK_TIER_PUBLIC;
	else if (tiered && step_in(&path, SPAN("/market")))
		to->path_tier = MOCK_TIER_MARKET;
	else if (tiered && step_in(&path, SPAN("/private")))
		to->path_tier = MOCK_TIER_PRIVATE;
	if (d->market == MOCK_MARKETS)
		to->market = to->path_tier != MOCK_TIER_NONE ? MOCK_USDM : market_of_host(r->host);
	to->tier = to->path_tier;
	if (to->tier == MOCK_TIER_NONE && to->market == MOCK_USDM)
		to->tier = MOCK_TIER_PUBLIC; /* unrouted paths still answer, with the content of /public */
	if (d->keyed && (d->market == MOCK_SPOT || d->market == MOCK_MARKETS) && span_is(r->path, "/ws-api/v3")) {
		to->market = MOCK_SPOT;
		to->user = to->api = true;
		return true;
	}
	to->combined = step_in(&path, SPAN("/stream"));
	if (!to->combined && !step_in(&path, SPAN("/ws")))
		return false;
	if (path.n > 0)
		to->names = (struct span){ path.p + 1, path.n - 1 };
	to->user = to->path_tier == MOCK_TIER_PRIVATE || mock_name_is_key(to->names);
	return !to->combined || path.n == 0;
}

/* names with '/' between, percent-encoded; false: more than a connection may have */
static bool subscribe_list(struct mock_conn *c, struct span list)
{
	char name[NAME_BYTES];

	while (list.p) {
		struct span item = span_cut(list, '/', &list);
		int n = mock_http_decode(item, name, sizeof name);
		if (n > 0 && !mock_conn_subscribe(c, (struct span){ name, (size_t)n }))
			return false;
	}
	return true;
}

/* A listen key and the events that are wanted of it, as often as they come: listenKey=K&events=E/F. A key in the path
 * itself, or without events, is taken and stays silent (bnc-wire(7) 3.2, forms D and E). */
static bool listen_in(struct mock_conn *c, struct span query)
{
	char key[NAME_BYTES], events[NAME_BYTES];
	struct span wanted;

	for (size_t i = 0; i < c->subs; i++)
		c->sub[i].silent = true;
	while (query.p) {
		struct span value;
		struct span rest;
		if (!span_is(span_cut(span_cut(query, '&', &rest), '=', &value), "listenKey") || !value.p) {
			query = rest;
			continue;
		}
		int n = mock_http_decode(value, key, sizeof key);
		query = rest;
		int m = -1;
		if (query.p && span_is(span_cut(span_cut(query, '&', &rest), '=', &wanted), "events") && wanted.p)
			m = mock_http_decode(wanted, events, sizeof events);
		struct span list = { m < 0 ? NULL : events, m < 0 ? 0 : (size_t)m };
		if (n > 0 && !mock_conn_listen(c, (struct span){ key, (size_t)n }, list))
			return false;
	}
	return true;
}

/* --- answers ------------------------------------------------------------------------------------------------- */

static void fault_status(struct mock_conn *c, const struct mock_fault *f, int64_t now)
{
	struct mock_buf more = mock_buf_of(4096);

	mock_put_lit(&more, "Connection: close\r\n");
	if (f->more >= 0) {
		mock_put_lit(&more, "Retry-After: ");
		mock_put_i64(&more, f->more);
		mock_put_lit(&more, "\r\n");
	}
	if (f->text_n > 0) {
		mock_put_lit(&more, "Location: ");
		mock_put(&more, (struct span){ f->text, f->text_n });
		mock_put_lit(&more, "\r\n");
	}
	mock_http_answer(
	    &c->out, (int)f->n, mock_buf_span(&more), SPAN("text/html"), (struct span){ html, sizeof html - 1 });
	mock_buf_free(&more);
	mock_conn_end_after(c, MOCK_END_NOTIFY, "refused by HTTP", now);
}

static void switch_over(struct mock_conn *c, struct span key, struct span more)
{
	char accept[MOCK_WS_ACCEPT_SIZE];

	if (mock_ws_accept(key, accept))
		mock_http_switch(&c->out, span_of(accept), more);
}

static void long_head(struct mock_conn *c, struct span key, size_t n)
{
	struct mock_buf more = mock_buf_of(n + 64);

	mock_put_lit(&more, "X-Pad: ");
	if (mock_buf_room(&more, n)) {
		memset(more.p + more.hi, 'x', n);
		more.hi += n;
	}
	mock_put_lit(&more, "\r\n");
	switch_over(c, key, mock_buf_span(&more));
	mock_buf_free(&more);
}

/* true: the WebSocket opens all the same */
static bool fault_answer(struct mock_conn *c, const struct mock_request *r, const struct mock_fault *f, int64_t now)
{
	tell_fault(c, f);
	switch (f->verb) {
	case MOCK_V_HTTP:
		fault_status(c, f, now);
		return false;
	case MOCK_V_NO_ANSWER:
		c->deaf = true;
		c->deadline = INT64_MAX;
		return false;
	case MOCK_V_HANG_UP:
		mock_conn_end_after(c, MOCK_END_NOTIFY, "hung up before an answer", now);
		return false;
	case MOCK_V_NOT_HTTP:
		mock_put_lit(&c->out, "220 this is not HTTP\r\n\r\n");
		mock_conn_end_after(c, MOCK_END_NOTIFY, "not HTTP", now);
		return false;
	case MOCK_V_BAD_ACCEPT:
		mock_http_switch(&c->out, SPAN("AAAAAAAAAAAAAAAAAAAAAAAAAAA="), SPAN(""));
		return true;
	case MOCK_V_EXTENSION:
		switch_over(c, r->key, SPAN("Sec-WebSocket-Extensions: permessage-deflate\r\n"));
		return true;
	case MOCK_V_HEADERS:
		long_head(c, r->key, (size_t)f->n);
		return true;
	default:
		return true;
	}
}

static void too_many(struct mock_conn *c, int64_t now)
{
	mock_send_text(c, SPAN("{\"error\":{\"code\":4,\"msg\":\"Too many subscriptions\"}}"));
	mock_send_close(c, 1008, SPAN("Invalid request"), "too many subscriptions", now);
}

static void tell_open(struct mock_conn *c, struct span path)
{
	mock_log_begin(c->log, "open", c->number);
	mock_log_text(c->log, "market", span_of(mock_market_word(c->market)));
	mock_log_text(c->log, "tier", span_of(mock_tier_word(c->path_tier)));
	mock_log_text(c->log, "path", path);
	mock_log_text(c->log, "style", c->combined ? SPAN("combined") : SPAN("raw"));
	mock_log_number(c->log, "streams", (int64_t)c->subs);
	mock_log_end(c->log);
}

static void open_up(const struct mock_door *d, struct mock_conn *c, const struct mock_request *r,
    const struct route *to, int64_t now, int64_t wall_ms)
{
	struct mock_seen seen = {
		.stage = MOCK_STAGE_CONN, .number = c->number, .tier = c->path_tier, .user = c->user
	};
	struct mock_order **from = NULL;
	struct mock_fault f;
	struct span streams;

	mock_conn_opened(c, now);
	bool fits = subscribe_list(c, to->names);
	if (c->path_tier == MOCK_TIER_PRIVATE)
		fits = listen_in(c, r->query) && fits;
	if (fits && to->combined && mock_http_param(r->query, SPAN("streams"), &streams))
		fits = subscribe_list(c, streams);
	tell_open(c, r->path);
	if (!fits)
		too_many(c, now);
	while (mock_orders_take(d->orders, &from, &seen, &f))
		mock_act(c, &f, now, wall_ms);
}

static void upgrade(
    const struct mock_door *d, struct mock_conn *c, const struct mock_request *r, int64_t now, int64_t wall_ms)
{
	struct mock_order **from = NULL;
	struct mock_fault f;
	struct route to;

	if (!find_route(d, r, &to)) {
		mock_http_answer(&c->out, 404, SPAN("Connection: close\r\n"), SPAN("text/html"), span_of(html));
		mock_conn_end_after(c, MOCK_END_NOTIFY, "no such path", now);
		return;
	}
	c->market = to.market;
	c->tier = to.tier;
	c->path_tier = to.path_tier;
	c->combined = to.combined;
	c->user = to.user;
	if (to.api)
		mock_api_begin(c, d->account, wall_ms);
	struct mock_seen seen = {
		.stage = MOCK_STAGE_HTTP, .number = c->number, .tier = c->path_tier, .user = c->user
	};
	if (mock_orders_take(d->orders, &from, &seen, &f)) {
		if (!fault_answer(c, r, &f, now))
			return;
	} else {
		switch_over(c, r->key, SPAN(""));
	}
	open_up(d, c, r, &to, now, wall_ms);
}

static void ask(const struct mock_door *d, struct mock_conn *c, int64_t now, int64_t wall_ms)
{
	mock_conn_read(c);
	while (c->state == MOCK_ASKING && !c->deaf) {
		struct mock_request r;
		enum mock_http_got got = mock_http_parse(mock_buf_span(&c->in), &r);
		if (got == MOCK_HTTP_MORE)
			return;
		if (got == MOCK_HTTP_BAD) {
			mock_http_answer(&c->out, 400, SPAN("Connection: close\r\n"), SPAN("text/html"), span_of(html));
			mock_conn_end_after(c, MOCK_END_NOTIFY, "not a request", now);
			return;
		}
		if (r.upgrade)
			upgrade(d, c, &r, now, wall_ms);
		else if (!mock_desk(d, c, &r, now, wall_ms))
			return;
		mock_buf_take(&c->in, r.size);
	}
}

void mock_door_step(const struct mock_door *d, struct mock_conn *c, int64_t now, int64_t wall_ms)
{
	if (c->state == MOCK_ACCEPTED)
		stand_still(c);
	if (c->state == MOCK_SHAKING)
		shake(c);
	if (c->state == MOCK_ASKING)
		ask(d, c, now, wall_ms);
	if (c->state == MOCK_OPEN)
		mock_receive(c, now);
}
