#include "mock_api.h"

#include <stdlib.h>

#include "clock.h"
#include "json.h"
#include "mock_guard.h"
#include "mock_member.h"
#include "mock_private.h"
#include "mock_send.h"

#define PARAMS_MAX   32
#define VALUE_MAX    512
#define REPLY_MAX    (1u << 20)
#define CONNECT_COST 2
#define STREAMS_MAX  65535 /* subscriptions in the life of a connection */

struct param {
	struct span name;
	char value[VALUE_MAX];
	size_t n;
};

struct request {
	struct mock_conn *c;
	struct mock_account *a;
	int64_t now, wall_ms;
	struct span method, id; /* id: as it came, with its quotes */
	struct json_val params;
	struct param param[PARAMS_MAX];
	size_t count;
	struct mock_refusal why;
};

typedef bool act(struct request *r, struct mock_buf *result); /* false: why says what */

/* --- replies ---------------------------------------------------------------------------------------------------------
 */

static void rate_limits(struct mock_buf *b, const struct request *r)
{
	mock_put_lit(
	    b, ",\"rateLimits\":[{\"rateLimitType\":\"REQUEST_WEIGHT\",\"interval\":\"MINUTE\",\"intervalNum\":1");
	mock_put_number(b, ",\"limit\":", r->a->weight_limit[1]);
	mock_put_number(b, ",\"count\":", r->a->weight[1].used);
	mock_put_lit(b, "}]}");
}

static void reply(struct request *r, int status, const char *key, struct span body)
{
	struct mock_buf b = mock_buf_of(REPLY_MAX);

	mock_put_lit(&b, "{\"id\":");
	mock_put(&b, r->id.n > 0 ? r->id : SPAN("null"));
	mock_put_number(&b, ",\"status\":", status);
	mock_put(&b, span_of(key));
	mock_put(&b, body);
	rate_limits(&b, r);
	mock_send_text(r->c, mock_buf_span(&b));
	mock_buf_free(&b);
}

static void refuse(struct request *r)
{
	struct mock_buf b = mock_buf_of(REPLY_MAX);

	mock_put_refusal(&b, &r->why);
	reply(r, r->why.status, ",\"error\":", mock_buf_span(&b));
	mock_buf_free(&b);
}

/* --- parameters ------------------------------------------------------------------------------------------------------
 */

/* their values as text: that is what is signed */
static bool read_params(struct request *r)
{
	struct json in;
	struct json_val v;
	struct span key;

	if (r->params.kind == JSON_NONE)
		return true;
	if (r->params.kind != JSON_OBJECT)
		return false;
	json_enter_object(&in, json_text(r->params));
	while (json_next_member(&in, &key, &v)) {
		if (r->count == PARAMS_MAX)
			return false;
		struct param *p = &r->param[r->count++];
		p->name = key;
		int n = -1;
		if (v.kind == JSON_STRING) {
			n = json_unescape(json_text(v), p->value, VALUE_MAX);
		} else if (v.n <= VALUE_MAX) {
			memcpy(p->value, v.p, v.n);
			n = (int)v.n;
		}
		if (n < 0)
			return false;
		p->n = (size_t)n;
	}
	return true;
}

static struct span value_of(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (span_is(r->param[i].name, name))
			return (struct span){ r->param[i].value, r->param[i].n };
	return (struct span){ NULL, 0 };
}

static int by_name(const void *a, const void *b)
{
	const struct param *x = a;
	const struct param *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int order = memcmp(x->name.p, y->name.p, n);

	return order ? order : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* all but the signature, sorted by name, raw (bnc-wire(7) 4.2) */
static bool is_signed(struct request *r)
{
	struct mock_buf text = mock_buf_of(PARAMS_MAX * VALUE_MAX * 2);
	struct mock_signed s = { .key = value_of(r, "apiKey"),
		.timestamp = value_of(r, "timestamp"),
		.window = value_of(r, "recvWindow"),
		.signature = value_of(r, "signature"),
		.spot = true };
	char signature[VALUE_MAX];

	/* sorting moves the values */
	char key[VALUE_MAX], timestamp[VALUE_MAX], window[VALUE_MAX];
	struct {
		struct span *span;
		char *to;
	} kept[] = { { &s.key, key }, { &s.timestamp, timestamp }, { &s.window, window }, { &s.signature, signature } };
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		if (!kept[i].span->p)
			continue;
		memcpy(kept[i].to, kept[i].span->p, kept[i].span->n);
		kept[i].span->p = kept[i].to;
	}
	qsort(r->param, r->count, sizeof r->param[0], by_name);
	for (size_t i = 0; i < r->count; i++) {
		if (span_is(r->param[i].name, "signature"))
			continue;
		if (mock_buf_len(&text) > 0)
			mock_put_char(&text, '&');
		mock_put(&text, r->param[i].name);
		mock_put_char(&text, '=');
		mock_put(&text, (struct span){ r->param[i].value, r->param[i].n });
	}
	s.text = mock_buf_span(&text);
	bool good = mock_guard_signed(r->a, &s, r->wall_ms, &r->why);
	mock_buf_free(&text);
	return good;
}

/* --- methods ---------------------------------------------------------------------------------------------------------
 */

static void session(struct mock_buf *b, const struct request *r)
{
	const struct mock_conn *c = r->c;

	if (c->session.logged_on)
		mock_put_text(b, "{\"apiKey\":", span_of(r->a->api_key));
	else
		mock_put_lit(b, "{\"apiKey\":null");
	if (c->session.logged_on)
		mock_put_number(b, ",\"authorizedSince\":", r->wall_ms);
	else
		mock_put_lit(b, ",\"authorizedSince\":null");
	mock_put_number(b, ",\"connectedSince\":", c->session.opened_ms);
	mock_put_number(b, ",\"returnRateLimits\":true,\"serverTime\":", r->wall_ms);
	mock_put_truth(b, ",\"userDataStream\":", c->session.subscription >= 0);
	mock_put_char(b, '}');
}

/* Ed25519 keys only */
static bool log_on(struct request *r, struct mock_buf *b)
{
	if (!is_signed(r))
		return false;
	if (!r->a->signer.key || value_of(r, "signature").n == 64) {
		mock_refuse(&r->why, 400, -4056, "HMAC_SHA256 API key is not supported.");
		return false;
	}
	r->c->session.logged_on = true;
	session(b, r);
	return true;
}

static bool log_out(struct request *r, struct mock_buf *b)
{
	r->c->session.logged_on = false;
	session(b, r);
	return true;
}

static bool status(struct request *r, struct mock_buf *b)
{
	session(b, r);
	return true;
}

static bool open_stream(struct request *r, struct mock_buf *b)
{
	struct mock_conn *c = r->c;

	if (c->session.subscription >= 0 || c->session.subscriptions > STREAMS_MAX) {
		mock_refuse(&r->why, 400, -2035, "User Data Stream subscription already active.");
		return false;
	}
	c->session.subscription = c->session.subscriptions++;
	mock_put_number(b, "{\"subscriptionId\":", c->session.subscription);
	mock_put_char(b, '}');
	mock_log_begin(c->log, "user-subscribe", c->number);
	mock_log_number(c->log, "id", c->session.subscription);
	mock_log_end(c->log);
	return true;
}

static bool subscribe(struct request *r, struct mock_buf *b)
{
	if (r->c->session.logged_on)
		return open_stream(r, b);
	mock_refuse(&r->why, 401, -1002, "You are not authorized to execute this request.");
	return false;
}

static bool subscribe_signed(struct request *r, struct mock_buf *b)
{
	return is_signed(r) && open_stream(r, b);
}

static bool unsubscribe(struct request *r, struct mock_buf *b)
{
	struct span which = value_of(r, "subscriptionId");
	struct mock_buf own = mock_buf_of(32);

	mock_put_i64(&own, r->c->session.subscription);
	bool other = which.p && !span_eq(which, mock_buf_span(&own));
	mock_buf_free(&own);
	if (r->c->session.subscription < 0 || other) {
		mock_refuse(&r->why, 400, -2036, "User Data Stream subscription not active.");
		return false;
	}
	r->c->session.subscription = -1;
	mock_put_lit(b, "{}");
	return true;
}

static bool subscriptions(struct request *r, struct mock_buf *b)
{
	if (r->c->session.subscription < 0) {
		mock_put_lit(b, "[]");
		return true;
	}
	mock_put_number(b, "[{\"subscriptionId\":", r->c->session.subscription);
	mock_put_lit(b, "}]");
	return true;
}

static bool account(struct request *r, struct mock_buf *b)
{
	bool bare = r->c->session.logged_on && !value_of(r, "signature").p;

	if (!bare && !is_signed(r))
		return false;
	mock_private_spot(b, r->a, span_is(value_of(r, "omitZeroBalances"), "true"));
	return true;
}

static bool ping(struct request *r, struct mock_buf *b)
{
	(void)r;
	mock_put_lit(b, "{}");
	return true;
}

static bool server_time(struct request *r, struct mock_buf *b)
{
	mock_put_number(b, "{\"serverTime\":", r->wall_ms);
	mock_put_char(b, '}');
	return true;
}

static const struct {
	const char *method;
	int64_t weight;
	act *act;
} methods[] = {
	{ "session.logon", 2, log_on },
	{ "session.status", 2, status },
	{ "session.logout", 2, log_out },
	{ "session.subscriptions", 2, subscriptions },
	{ "userDataStream.subscribe", 2, subscribe },
	{ "userDataStream.subscribe.signature", 2, subscribe_signed },
	{ "userDataStream.unsubscribe", 2, unsubscribe },
	{ "account.status", 20, account },
	{ "ping", 1, ping },
	{ "time", 1, server_time },
};

static void carry_out(struct request *r)
{
	struct mock_buf result = mock_buf_of(REPLY_MAX);
	int64_t retry_after;

	mock_refuse(&r->why, 400, -1100, "Illegal characters found in a parameter.");
	bool done = false;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		if (!span_is(r->method, methods[i].method))
			continue;
		done = mock_guard_weight(r->a, true, methods[i].weight, r->wall_ms, &r->why, &retry_after) &&
		       read_params(r) && methods[i].act(r, &result);
	}
	mock_log_begin(r->c->log, "api", r->c->number);
	mock_log_text(r->c->log, "method", r->method);
	mock_log_number(r->c->log, "status", done ? 200 : r->why.status);
	mock_log_end(r->c->log);
	if (done)
		reply(r, 200, ",\"result\":", mock_buf_span(&result));
	else
		refuse(r);
	mock_buf_free(&result);
}

static bool read_request(struct request *r, struct span text)
{
	struct json in;
	struct json_val v;
	struct span key;

	if (!json_check(&in, text, &v) || v.kind != JSON_OBJECT)
		return false;
	json_enter_object(&in, json_text(v));
	while (json_next_member(&in, &key, &v)) {
		bool quoted = v.kind == JSON_STRING;
		if (span_is(key, "method") && quoted)
			r->method = json_text(v);
		else if (span_is(key, "id") && (quoted || v.kind == JSON_INT || v.kind == JSON_NULL))
			r->id = quoted ? (struct span){ v.p - 1, v.n + 2 } : json_text(v);
		else if (span_is(key, "params"))
			r->params = v;
	}
	return r->method.n > 0;
}

static void on_text(struct mock_conn *c, struct span text, int64_t now)
{
	char *copy = malloc(text.n + 1 + JSON_PAD);
	struct request *r = calloc(1, sizeof *r);

	if (copy && r) {
		*r = (struct request){
			.c = c, .a = c->account, .now = now, .wall_ms = clock_real_us() / 1000 + c->account->skew_ms
		};
		if (text.n > 0)
			memcpy(copy, text.p, text.n);
		json_flatten(copy, text.n);
		copy[text.n] = '\n';
		memset(copy + text.n + 1, 0, JSON_PAD);
		if (read_request(r, (struct span){ copy, text.n })) {
			carry_out(r);
		} else {
			mock_refuse(&r->why, 400, -1000, "Malformed request.");
			refuse(r);
		}
	}
	free(r);
	free(copy);
}

void mock_api_begin(struct mock_conn *c, struct mock_account *a, int64_t wall_ms)
{
	struct mock_refusal why;
	int64_t retry_after;

	c->api = true;
	c->account = a;
	c->on_text = on_text;
	c->session.opened_ms = wall_ms;
	c->session.subscription = -1;
	mock_guard_weight(a, true, CONNECT_COST, wall_ms, &why, &retry_after);
}
