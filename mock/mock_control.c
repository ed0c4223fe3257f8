#include "mock_control.h"

#include <stdlib.h>

#include "json.h"
#include "mock_send.h"
#include "num.h"

#define NAME_MAX_BYTES 512	   /* of a stream name */
#define PARAMS_TOLD    (32u << 10) /* longer lists are not repeated in the log */
#define METHODS	       "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"

struct request {
	struct span text;
	struct json_val method, params, id;
	bool has_params;
};

void mock_control_error(struct mock_conn *c, bool wrapped, int64_t code, struct span message, struct span id)
{
	struct mock_buf b = mock_buf_of(MOCK_MESSAGE_MAX);

	mock_put(&b, wrapped ? SPAN("{\"error\":{\"code\":") : SPAN("{\"code\":"));
	mock_put_i64(&b, code);
	mock_put_lit(&b, ",\"msg\":");
	mock_put_json_string(&b, message);
	if (wrapped)
		mock_put_char(&b, '}');
	if (id.n > 0) {
		mock_put_lit(&b, ",\"id\":");
		mock_put(&b, id);
	}
	mock_put_char(&b, '}');
	mock_send_text(c, mock_buf_span(&b));
	mock_buf_free(&b);
}

static void refuse(struct mock_conn *c, int64_t code, struct span message, struct span id)
{
	mock_control_error(c, c->rules->errors_wrapped, code, message, id);
}

/* message, " at line 1 column N" */
static void refuse_at(struct mock_conn *c, int64_t code, struct span message, size_t column)
{
	struct mock_buf b = mock_buf_of(MOCK_MESSAGE_MAX);

	mock_put(&b, message);
	mock_put_lit(&b, " at line 1 column ");
	mock_put_i64(&b, (int64_t)column);
	refuse(c, code, mock_buf_span(&b), (struct span){ NULL, 0 });
	mock_buf_free(&b);
}

/* the id as it came: strings keep their quotes */
static struct span raw_id(const struct request *r)
{
	if (r->id.kind == JSON_STRING)
		return (struct span){ r->id.p - 1, r->id.n + 2 };
	return json_text(r->id);
}

static void reply(struct mock_conn *c, struct span result, const struct request *r)
{
	struct mock_buf b = mock_buf_of(MOCK_QUEUE_MAX);

	mock_put_lit(&b, "{\"result\":");
	mock_put(&b, result);
	mock_put_lit(&b, ",\"id\":");
	mock_put(&b, raw_id(r));
	mock_put_char(&b, '}');
	mock_send_text(c, mock_buf_span(&b));
	mock_buf_free(&b);
}

static void tell(struct mock_conn *c, const char *what, const struct request *r)
{
	mock_log_begin(c->log, what, c->number);
	mock_log_json(c->log, "id", raw_id(r));
	mock_log_json(c->log, "params", r->params.n <= PARAMS_TOLD ? json_text(r->params) : SPAN("null"));
	mock_log_number(c->log, "streams", (int64_t)c->subs);
	mock_log_end(c->log);
}

/* letters, digits and, of a UUID, minus signs; at most 36 */
static bool is_short_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		if (!(ch >= '0' && ch <= '9') && !((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z') && ch != '-')
			return false;
	}
	return s.n > 0 && s.n <= 36;
}

/* An integer, unsigned on futures, or a short word; on spot also null. The documents of futures know no word there, but
 * Binance's own connectors send them (binance-futures-connector-python, README, "Request Id"). */
static bool good_id(const struct mock_conn *c, const struct request *r)
{
	int64_t i;
	uint64_t u;

	if (r->id.kind == JSON_STRING)
		return is_short_word(json_text(r->id));
	if (c->market != MOCK_SPOT)
		return r->id.kind == JSON_INT && num_u64(json_text(r->id), 0, UINT64_MAX, &u);
	return r->id.kind == JSON_NULL ||
	       (r->id.kind == JSON_INT && num_i64(json_text(r->id), INT64_MIN, INT64_MAX, &i));
}

static void too_many(struct mock_conn *c, int64_t now)
{
	mock_control_error(c, true, 4, SPAN("Too many subscriptions"), (struct span){ NULL, 0 });
	mock_send_close(c, 1008, SPAN("Invalid request"), "too many subscriptions", now);
}

/* false: the answer has been given */
static bool each_name(struct mock_conn *c, const struct request *r, bool on, int64_t now)
{
	struct json list;
	struct json_val v;
	char name[NAME_MAX_BYTES];

	json_enter_array(&list, json_text(r->params));
	while (json_next_element(&list, &v)) {
		int n = v.kind == JSON_STRING ? json_unescape(json_text(v), name, sizeof name) : -1;
		if (n < 0) {
			refuse(c, 2, SPAN("Invalid request: params must be stream names"), raw_id(r));
			return false;
		}
		struct span s = { name, (size_t)n };
		if (!on) {
			mock_conn_unsubscribe(c, s);
		} else if (!mock_conn_subscribe(c, s)) {
			too_many(c, now);
			return false;
		}
	}
	return true;
}

static void subscribe(struct mock_conn *c, const struct request *r, bool on, int64_t now)
{
	if (r->params.kind != JSON_ARRAY) {
		refuse(c, 2, SPAN("Invalid request: params must be stream names"), raw_id(r));
		return;
	}
	if (!each_name(c, r, on, now))
		return;
	tell(c, on ? "subscribe" : "unsubscribe", r);
	if (!c->no_ack)
		reply(c, SPAN("null"), r);
}

static void list(struct mock_conn *c, const struct request *r)
{
	struct mock_buf b = mock_buf_of(MOCK_QUEUE_MAX);

	mock_put_char(&b, '[');
	for (size_t i = 0; i < c->subs; i++) {
		if (i > 0)
			mock_put_char(&b, ',');
		mock_put_json_string(&b, span_of(c->sub[i].name));
	}
	mock_put_char(&b, ']');
	reply(c, mock_buf_span(&b), r);
	mock_buf_free(&b);
}

/* params[0] is "combined"; params[1] goes to *value */
static bool property(struct mock_conn *c, const struct request *r, size_t most, struct json_val *value)
{
	struct json in;
	struct json_val v;
	struct json_val first = { .kind = JSON_NONE };
	size_t n = 0;

	*value = first;
	if (r->params.kind == JSON_ARRAY) {
		json_enter_array(&in, json_text(r->params));
		while (json_next_element(&in, &v)) {
			if (n == 0)
				first = v;
			else if (n == 1)
				*value = v;
			n++;
		}
	}
	if (n > most)
		refuse(c, 2, SPAN("Invalid request: too many parameters"), (struct span){ NULL, 0 });
	else if (first.kind != JSON_STRING)
		refuse(c, 2, SPAN("Invalid request: property name must be a string"), raw_id(r));
	else if (!span_is(json_text(first), "combined"))
		refuse(c, 0, SPAN("Unknown property"), raw_id(r));
	else
		return true;
	return false;
}

static void set_property(struct mock_conn *c, const struct request *r)
{
	struct json_val v;

	if (!property(c, r, 2, &v))
		return;
	if (v.kind != JSON_TRUE && v.kind != JSON_FALSE) {
		refuse(c, 1, SPAN("Invalid value type: expected Boolean"), raw_id(r));
		return;
	}
	c->combined = v.kind == JSON_TRUE;
	reply(c, SPAN("null"), r);
}

static void get_property(struct mock_conn *c, const struct request *r)
{
	struct json_val v;

	if (property(c, r, 1, &v))
		reply(c, c->combined ? SPAN("true") : SPAN("false"), r);
}

static void unknown_method(struct mock_conn *c, const struct request *r)
{
	struct mock_buf b = mock_buf_of(MOCK_MESSAGE_MAX);

	mock_put_lit(&b, "Invalid request: unknown variant ");
	mock_put(&b, json_text(r->method));
	mock_put_lit(&b, ", expected one of " METHODS);
	refuse_at(c, 2, mock_buf_span(&b), (size_t)(r->method.p - r->text.p) + r->method.n + 1);
	mock_buf_free(&b);
}

static void carry_out(struct mock_conn *c, const struct request *r, int64_t now)
{
	struct span method = json_text(r->method);
	bool lists = span_is(method, "LIST_SUBSCRIPTIONS");
	bool subs = span_is(method, "SUBSCRIBE");
	bool unsubs = span_is(method, "UNSUBSCRIBE");
	bool sets = span_is(method, "SET_PROPERTY");
	bool gets = span_is(method, "GET_PROPERTY");

	if (r->method.kind == JSON_NONE)
		refuse_at(c, 2, SPAN("Invalid request: missing field `method`"), r->text.n);
	else if (!lists && !subs && !unsubs && !sets && !gets)
		unknown_method(c, r);
	else if (!good_id(c, r))
		refuse(c, 2, SPAN("Invalid request: request ID must be an unsigned integer"), raw_id(r));
	else if (subs || unsubs)
		subscribe(c, r, subs, now);
	else if (sets)
		set_property(c, r);
	else if (gets)
		get_property(c, r);
	else if (r->has_params)
		refuse(c, 2, SPAN("Invalid request: too many parameters"), (struct span){ NULL, 0 });
	else
		list(c, r);
}

static void read_request(struct mock_conn *c, struct span text, int64_t now)
{
	struct request r = { .text = text };
	struct json in;
	struct json_val v;
	struct span key;

	if (!json_check(&in, text, &v)) {
		refuse_at(c, 3, SPAN("Invalid JSON: expected value"), (size_t)(in.at - in.from) + 1);
		return;
	}
	if (v.kind == JSON_OBJECT) {
		json_enter_object(&in, text);
		while (json_next_member(&in, &key, &v)) {
			if (span_is(key, "method"))
				r.method = v;
			else if (span_is(key, "id"))
				r.id = v;
			else if (span_is(key, "params")) {
				r.params = v;
				r.has_params = true;
			}
		}
	}
	carry_out(c, &r, now);
}

void mock_control(struct mock_conn *c, struct span text, int64_t now)
{
	char *copy = malloc(text.n + 1 + JSON_PAD);

	if (!copy)
		return;
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	json_flatten(copy, text.n);
	copy[text.n] = '\n';
	memset(copy + text.n + 1, 0, JSON_PAD);
	read_request(c, (struct span){ copy, text.n }, now);
	free(copy);
}
