#include "bus_api.h"

#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "num.h"
#include "when.h"

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool bus_api_is_name(struct span s)
{
	if (s.n == 0 || s.n > BUS_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

static bool is_token(struct span t, bool wild, bool last)
{
	if (t.n == 0)
		return false;
	if (t.n == 1 && (*t.p == '*' || *t.p == '>'))
		return wild && (*t.p == '*' || last);
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] <= ' ' || t.p[i] > '~' || strchr("*>\"\\", t.p[i]))
			return false;
	return true;
}

bool bus_api_is_subject(struct span s, bool wild)
{
	struct span rest = s;

	if (s.n == 0 || s.n > BUS_SUBJECT_MAX)
		return false;
	while (rest.p) {
		struct span token = span_cut(rest, '.', &rest);
		if (!is_token(token, wild, rest.p == NULL))
			return false;
	}
	return true;
}

static bool is_server(struct span s, bool secret)
{
	const char *at = memrchr(s.p, '@', s.n);
	struct span port;
	uint64_t number;

	if (span_starts(s, SPAN("nats://")) || span_starts(s, SPAN("tls://")))
		s = (struct span){ s.p + 6 + (*s.p == 'n'), s.n - 6 - (*s.p == 'n') };
	if ((at && !secret) || memmem(s.p, s.n, "://", 3))
		return false;
	if (at)
		s = (struct span){ at + 1, s.n - (size_t)(at + 1 - s.p) };
	const char *colon = memrchr(s.p, ':', s.n);
	if (colon && !memchr(colon, ']', s.n - (size_t)(colon - s.p))) {
		port = (struct span){ colon + 1, s.n - (size_t)(colon + 1 - s.p) };
		s.n = (size_t)(colon - s.p);
		if (!num_u64(port, 1, 65535, &number))
			return false;
	}
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && !strchr("-._[:]", s.p[i]))
			return false;
	return s.n > 0;
}

bool bus_api_is_servers(struct span s, bool secret)
{
	struct span rest = s;
	unsigned n = 0;

	while (rest.p)
		if (++n > BUS_SERVERS_MAX || !is_server(span_cut(rest, ',', &rest), secret))
			return false;
	return n > 0;
}

/* ------------------------------------------------------------------------------------------------ requests */

#define TEXT(s) (int)(s).n, (s).p

size_t bus_api_stream_create(char *out, const struct bus_stream *s)
{
	int64_t max_bytes = s->max_bytes ? (int64_t)s->max_bytes : -1;

	return (size_t)snprintf(out, BUS_REQUEST_MAX,
	    "{\"name\":\"%.*s\",\"subjects\":[\"%.*s\"],\"retention\":\"limits\",\"discard\":\"old\",\"storage\":"
	    "\"file\","
	    "\"num_replicas\":%u,\"max_age\":%" PRId64 ",\"max_bytes\":%" PRId64
	    ",\"max_msgs\":-1,\"max_consumers\":-1,"
	    "\"max_msg_size\":-1,\"allow_direct\":true,\"duplicate_window\":%" PRId64 "}",
	    TEXT(s->name), TEXT(s->subject), s->replicas, 1000 * s->max_age, max_bytes, 1000 * s->duplicates);
}

size_t bus_api_stream_of(char *out, struct span subject)
{
	return (size_t)snprintf(out, BUS_REQUEST_MAX, "{\"subject\":\"%.*s\"}", TEXT(subject));
}

size_t bus_api_pull(char *out, unsigned batch, uint64_t bytes, int64_t expires, int64_t heartbeat)
{
	return (size_t)snprintf(out, BUS_REQUEST_MAX,
	    "{\"batch\":%u,\"max_bytes\":%" PRIu64 ",\"expires\":%" PRId64 ",\"idle_heartbeat\":%" PRId64 "}", batch,
	    bytes, 1000 * expires, 1000 * heartbeat);
}

static int start_of(char *out, size_t cap, const struct bus_consumer *c)
{
	char time[WHEN_TEXT_MAX];

	if (c->start == BUS_AT_LAST)
		return snprintf(out, cap, "\"deliver_policy\":\"last_per_subject\"");
	if (c->start == BUS_AT_SEQUENCE)
		return snprintf(
		    out, cap, "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":%" PRIu64, c->sequence);
	when_print(time, c->time, 6);
	return snprintf(out, cap, "\"deliver_policy\":\"by_start_time\",\"opt_start_time\":\"%s\"", time);
}

/* A durable one is kept like the stream; another lives in one server's memory and is made anew when that has gone. */
size_t bus_api_consumer_create(char *out, const struct bus_consumer *c)
{
	char start[128], kind[160], filter[BUS_SUBJECT_MAX + 32] = "";

	start_of(start, sizeof start, c);
	if (c->subject.n)
		snprintf(filter, sizeof filter, ",\"filter_subject\":\"%.*s\"", TEXT(c->subject));
	if (c->durable)
		snprintf(kind, sizeof kind,
		    "\"durable_name\":\"%.*s\",\"ack_policy\":\"all\",\"ack_wait\":30000000000,"
		    "\"max_ack_pending\":-1",
		    TEXT(c->name));
	else
		snprintf(kind, sizeof kind,
		    "\"ack_policy\":\"none\",\"inactive_threshold\":%" PRId64
		    ",\"mem_storage\":true,\"num_replicas\":1",
		    1000 * c->idle);
	return (size_t)snprintf(out, BUS_REQUEST_MAX,
	    "{\"stream_name\":\"%.*s\",\"config\":{\"name\":\"%.*s\",%s,%s%s,"
	    "\"replay_policy\":\"instant\",\"max_deliver\":-1}}",
	    TEXT(c->stream), TEXT(c->name), kind, start, filter);
}

/* ------------------------------------------------------------------------------------------------- replies */

static uint64_t number(struct span object, const char *key)
{
	struct json_val v = json_find(object, key);
	uint64_t n = 0;

	if (v.kind == JSON_INT)
		(void)num_u64(json_text(v), 0, UINT64_MAX, &n);
	return n;
}

static struct span text_of(struct span object, const char *key)
{
	struct json_val v = json_find(object, key);

	return v.kind == JSON_STRING ? json_text(v) : (struct span){ "", 0 };
}

static struct span object_of(struct span object, const char *key)
{
	struct json_val v = json_find(object, key);

	return v.kind == JSON_OBJECT ? json_text(v) : (struct span){ "{}\n", 2 };
}

/* false: no JSON object; *e says whether it is an error */
static bool read_reply(struct span text, struct bus_error *e)
{
	struct json r;
	struct json_val top;

	*e = (struct bus_error){ .code = 0 };
	if (!json_check(&r, text, &top) || top.kind != JSON_OBJECT)
		return false;
	if (json_find(text, "error").kind != JSON_OBJECT)
		return true;
	struct span error = object_of(text, "error");
	e->code = (int)(number(error, "code") % 1000);
	e->code = e->code ? e->code : 500;
	e->text = text_of(error, "description");
	return true;
}

bool bus_api_ack(struct span text, struct bus_ack *a, struct bus_error *e)
{
	if (!read_reply(text, e))
		return false;
	*a = (struct bus_ack){ .stream = text_of(text, "stream"),
		.sequence = number(text, "seq"),
		.duplicate = json_find(text, "duplicate").kind == JSON_TRUE };
	return e->code || a->stream.n > 0;
}

bool bus_api_streams(struct span text, struct span *name, uint64_t *n, struct bus_error *e)
{
	struct json r;
	struct json_val v, list;

	*n = 0;
	if (!read_reply(text, e))
		return false;
	list = json_find(text, "streams");
	if (list.kind != JSON_ARRAY) /* null: none */
		return true;
	json_enter_array(&r, json_text(list));
	while (json_next_element(&r, &v))
		if (v.kind == JSON_STRING && (*n)++ == 0)
			*name = json_text(v);
	return *n == 0 || bus_api_is_name(*name);
}

bool bus_api_covers(struct span wide, struct span narrow)
{
	struct span w, n;

	while (wide.p && narrow.p) {
		w = span_cut(wide, '.', &wide);
		n = span_cut(narrow, '.', &narrow);
		if (span_is(w, ">"))
			return true;
		if (span_is(n, ">") || (!span_is(w, "*") && !span_eq(w, n)))
			return false;
	}
	return !wide.p && !narrow.p;
}

/* the subjects of a stream's configuration; none are there where it is a copy of another: not known */
static bool all_covered(struct span config, struct span subject)
{
	struct json_val v, list = json_find(config, "subjects");
	char text[BUS_SUBJECT_MAX + 1];
	struct json r;
	unsigned n = 0;

	if (list.kind != JSON_ARRAY)
		return false;
	json_enter_array(&r, json_text(list));
	while (json_next_element(&r, &v)) {
		int k = v.kind == JSON_STRING ? json_unescape(json_text(v), text, sizeof text) : -1;
		if (k < 0 || !bus_api_covers(subject, (struct span){ text, (size_t)k }))
			return false;
		n++;
	}
	return n > 0;
}

bool bus_api_stream_state(struct span text, struct span subject, struct bus_stream_state *s, struct bus_error *e)
{
	if (!read_reply(text, e))
		return false;
	struct span state = object_of(text, "state");
	s->covered = all_covered(object_of(text, "config"), subject);
	s->first = number(state, "first_seq");
	s->last = number(state, "last_seq");
	return e->code || state.n > 2;
}

bool bus_api_consumer_state(struct span text, struct bus_consumer_state *s, struct bus_error *e)
{
	if (!read_reply(text, e))
		return false;
	struct span config = object_of(text, "config");
	struct span delivered = object_of(text, "delivered");
	*s = (struct bus_consumer_state){ .delivered = number(delivered, "consumer_seq"),
		.delivered_seq = number(delivered, "stream_seq"),
		.floor = number(object_of(text, "ack_floor"), "stream_seq"),
		.pending = number(text, "num_pending"),
		.start = number(config, "opt_start_seq"),
		.acks_all = span_is(text_of(config, "ack_policy"), "all") };
	/* the server writes '>' as an escape */
	int n = json_unescape(text_of(config, "filter_subject"), s->text, sizeof s->text);
	s->subject = (struct span){ s->text, n > 0 ? (size_t)n : 0 };
	return e->code || config.n > 2;
}

bool bus_api_delivery(struct span reply, struct bus_delivery *d)
{
	struct span token[12], rest = reply;
	size_t n = 0;

	while (rest.p && n < 12)
		token[n++] = span_cut(rest, '.', &rest);
	if ((n != 9 && n != 11 && n != 12) || !span_is(token[0], "$JS") || !span_is(token[1], "ACK"))
		return false;
	/* a domain and an account stand in front of the stream, a random token behind all */
	const struct span *t = n == 9 ? token + 4 : token + 6;
	return num_u64(t[1], 1, UINT64_MAX, &d->sequence) && num_u64(t[2], 1, UINT64_MAX, &d->number) &&
	       num_u64(t[4], 0, UINT64_MAX, &d->pending);
}
