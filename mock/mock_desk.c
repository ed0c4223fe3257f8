#include "mock_desk.h"

#include "mock_guard.h"
#include "mock_private.h"
#include "mock_rest.h"

#define IDLE_US	 10000000LL /* a connection may do nothing for so long */
#define LAST_US	 2000000LL  /* and has so long to take the last answer */
#define BODY_MAX (4u << 20)

static const char html[] =
    "<html><head><title>refused</title></head><body><center><h1>refused</h1></center></body></html>\n";

struct reply {
	int status;
	struct mock_buf more; /* header lines */
	struct mock_buf body;
	bool as_html; /* whatever the body looks like */
	int64_t wait; /* µs before it is sent */
};

static void header(struct reply *to, const char *name, int64_t value)
{
	mock_put(&to->more, span_of(name));
	mock_put_lit(&to->more, ": ");
	mock_put_i64(&to->more, value);
	mock_put_lit(&to->more, "\r\n");
}

static void refuse(struct reply *to, const struct mock_refusal *why)
{
	mock_buf_clear(&to->body);
	to->status = why->status;
	mock_put_refusal(&to->body, why);
}

/* --- faults --------------------------------------------------------------------------------------------------------
 */

static void instead(struct reply *to, const struct mock_fault *f)
{
	struct mock_refusal why;

	mock_buf_clear(&to->body);
	to->status = (int)f->n;
	to->as_html = f->code == 0;
	if (f->more >= 0)
		header(to, "Retry-After", f->more);
	if (to->as_html) {
		mock_put(&to->body, span_of(html));
		return;
	}
	mock_refuse(&why, (int)f->n, (int)f->code, f->text);
	mock_put_refusal(&to->body, &why);
}

static void spoil(struct reply *to, enum mock_rest_bad how)
{
	size_t half = mock_buf_len(&to->body) / 2;

	if (how == MOCK_REST_CUT) {
		to->body.hi = to->body.lo + half;
		return;
	}
	mock_buf_clear(&to->body);
	if (how == MOCK_REST_HTML)
		mock_put(&to->body, span_of(html));
	else if (how == MOCK_REST_TEXT)
		mock_put_lit(&to->body, "nothing that is JSON");
	else if (how == MOCK_REST_ARRAY)
		mock_put_lit(&to->body, "[1,null,{\"balance\":{},\"asset\":7}]");
	to->as_html = how == MOCK_REST_HTML;
}

static void tell_fault(struct mock_conn *c, const struct mock_fault *f, struct span path)
{
	mock_log_begin(c->log, "fault", c->number);
	mock_log_text(c->log, "fault", span_of(f->word));
	mock_log_text(c->log, "path", path);
	mock_log_end(c->log);
}

/* all that wait for this request, in their order */
static void faults(const struct mock_door *d, struct mock_conn *c, const struct mock_request *r, struct reply *to)
{
	struct mock_seen seen = { .stage = MOCK_STAGE_REST, .number = c->number, .path = r->path };
	struct mock_order **from = NULL;
	struct mock_fault f;

	while (mock_orders_take(d->orders, &from, &seen, &f)) {
		tell_fault(c, &f, r->path);
		if (f.verb == MOCK_V_REST)
			instead(to, &f);
		else if (f.verb == MOCK_V_REST_BAD)
			spoil(to, (enum mock_rest_bad)f.n);
		else
			to->wait += f.us;
	}
}

/* true: the request is put off. It is looked at again when its time has come, without its fault. */
static bool put_off(const struct mock_door *d, struct mock_conn *c, const struct mock_request *r, int64_t now)
{
	struct mock_seen seen = { .stage = MOCK_STAGE_LAG, .number = c->number, .path = r->path };
	struct mock_order **from = NULL;
	struct mock_fault f;

	if (c->lag_until != INT64_MIN) {
		if (now < c->lag_until)
			return true;
		c->lag_until = INT64_MIN;
		return false;
	}
	if (!mock_orders_take(d->orders, &from, &seen, &f))
		return false;
	tell_fault(c, &f, r->path);
	c->lag_until = now + f.us;
	c->deadline = c->lag_until + IDLE_US;
	return true;
}

/* --- the answer ------------------------------------------------------------------------------------------------------
 */

static void answer(
    const struct mock_door *d, const struct mock_request *r, int64_t now, int64_t wall_ms, struct reply *to)
{
	bool spot = span_starts(r->path, SPAN("/api/"));
	struct mock_refusal why;
	int64_t retry_after;
	bool may = mock_guard_weight(d->account, spot, mock_private_weight(r), wall_ms, &why, &retry_after);

	header(to, "X-MBX-USED-WEIGHT-1M", d->account->weight[spot].used);
	if (!may) {
		header(to, "Retry-After", retry_after);
		refuse(to, &why);
		return;
	}
	to->status = d->keyed ? mock_private(&to->body, d->account, r, now, wall_ms) : 0;
	if (to->status == 0 && span_is(r->method, "GET"))
		to->status = mock_rest(&to->body, d->walk, r, wall_ms);
	else if (to->status == 0) {
		to->status = 400;
		mock_put(&to->body, span_of(html));
	}
}

static void tell(struct mock_conn *c, const struct mock_request *r, int status)
{
	mock_log_begin(c->log, "http", c->number);
	if (!span_is(r->method, "GET"))
		mock_log_text(c->log, "method", r->method);
	mock_log_text(c->log, "path", r->path);
	mock_log_number(c->log, "status", status);
	mock_log_end(c->log);
}

static void send(struct mock_conn *c, const struct mock_request *r, struct reply *to, int64_t now)
{
	struct span body = mock_buf_span(&to->body);
	bool json = !to->as_html && body.n > 0 && body.p[0] != '<';

	if (r->close)
		mock_put_lit(&to->more, "Connection: close\r\n");
	mock_http_answer(&c->out, to->status, mock_buf_span(&to->more),
	    json ? SPAN("application/json;charset=UTF-8") : SPAN("text/html"), body);
	if (r->close)
		mock_conn_end_after(c, MOCK_END_NOTIFY, "answered", now);
	c->deadline = now + to->wait + (r->close ? LAST_US : IDLE_US);
	if (to->wait > 0)
		c->hold_until = now + to->wait;
}

bool mock_desk(
    const struct mock_door *d, struct mock_conn *c, const struct mock_request *r, int64_t now, int64_t wall_ms)
{
	struct reply to = { .more = mock_buf_of(4096), .body = mock_buf_of(BODY_MAX) };

	if (put_off(d, c, r, now))
		return false;
	answer(d, r, now, wall_ms, &to);
	faults(d, c, r, &to);
	tell(c, r, to.status);
	send(c, r, &to, now);
	mock_buf_free(&to.more);
	mock_buf_free(&to.body);
	return true;
}
