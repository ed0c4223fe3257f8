#include "mock_guard.h"

#include <inttypes.h>
#include <stdio.h>

#include "mock_member.h"
#include "num.h"

#define WINDOW_USUAL  5000
#define WINDOW_MAX    60000
#define AHEAD_MAX     1000 /* a timestamp is refused from here on */
#define SIGN_MAX      (8u << 10)
#define WARNINGS_MAX  2 /* requests behind a 429 that are only warned again; the next one is a ban */
#define MINUTE_MS     60000
#define FORMAT_LENGTH 64 /* of an API key */

void mock_refuse(struct mock_refusal *why, int status, int code, const char *message)
{
	why->status = status;
	why->code = code;
	snprintf(why->message, sizeof why->message, "%s", message);
}

void mock_refuse_parameter(struct mock_refusal *why, const char *name)
{
	why->status = 400;
	why->code = -1102;
	snprintf(why->message, sizeof why->message,
	    "Mandatory parameter '%s' was not sent, was empty/null, or malformed.", name);
}

void mock_put_refusal(struct mock_buf *b, const struct mock_refusal *why)
{
	mock_put_number(b, "{\"code\":", why->code);
	mock_put_text(b, ",\"msg\":", span_of(why->message));
	mock_put_char(b, '}');
}

/* --- key, time, signature --------------------------------------------------------------------------------------- */

static bool well_formed(struct span key)
{
	for (size_t i = 0; i < key.n; i++) {
		char c = key.p[i];
		if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			return false;
	}
	return key.n == FORMAT_LENGTH;
}

bool mock_guard_key(const struct mock_account *a, struct span key, struct mock_refusal *why)
{
	if (a->api_key[0] && span_is(key, a->api_key))
		return true;
	if (well_formed(key))
		mock_refuse(why, 401, -2015, "Invalid API-key, IP, or permissions for action.");
	else
		mock_refuse(why, 401, -2014, "API-key format invalid.");
	return false;
}

/* milliseconds; spot also takes microseconds, and a window with decimals */
static bool read_time(const struct mock_signed *s, int64_t *timestamp, int64_t *window, struct mock_refusal *why)
{
	struct span fraction;
	uint64_t n;

	if (!num_u64(s->timestamp, 1, (uint64_t)INT64_MAX, &n)) {
		mock_refuse_parameter(why, "timestamp");
		return false;
	}
	*timestamp = (int64_t)(s->spot && n > 100000000000000 ? n / 1000 : n);
	*window = WINDOW_USUAL;
	if (!s->window.p)
		return true;
	struct span whole = span_cut(s->window, '.', &fraction);
	uint64_t decimals = 0;
	if (!num_u64(whole, 0, (uint64_t)INT64_MAX, &n) ||
	    (fraction.p && !(s->spot && fraction.n <= 3 && num_u64(fraction, 0, 999, &decimals)))) {
		mock_refuse_parameter(why, "recvWindow");
		return false;
	}
	*window = (int64_t)n;
	return true;
}

static bool in_time(const struct mock_signed *s, int64_t wall_ms, struct mock_refusal *why)
{
	int64_t timestamp, window;

	if (!read_time(s, &timestamp, &window, why))
		return false;
	if (window > WINDOW_MAX)
		mock_refuse(why, 400, -1131, "recvWindow must be less than 60000");
	else if (timestamp >= wall_ms + AHEAD_MAX)
		mock_refuse(why, 400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.");
	else if (wall_ms - timestamp > window)
		mock_refuse(why, 400, -1021, "Timestamp for this request is outside of the recvWindow.");
	else
		return true;
	return false;
}

bool mock_guard_signed(
    const struct mock_account *a, const struct mock_signed *s, int64_t wall_ms, struct mock_refusal *why)
{
	bool known = mock_guard_key(a, s->key, why);

	if (!known && why->code == -2014)
		return false;
	if (s->timestamp.n == 0 || s->signature.n == 0) {
		mock_refuse_parameter(why, s->timestamp.n == 0 ? "timestamp" : "signature");
		return false;
	}
	if (!known || !in_time(s, wall_ms, why))
		return false;
	if (mock_sign_good(&a->signer, s->text, s->signature))
		return true;
	mock_refuse(why, 400, -1022, "Signature for this request is not valid.");
	return false;
}

/* the query as it was sent, without its signature, directly followed by the body */
static void put_signed_text(struct mock_buf *b, const struct mock_request *r)
{
	struct span rest = r->query;
	bool first = true;

	while (rest.p) {
		struct span pair = span_cut(rest, '&', &rest);
		if (span_starts(pair, SPAN("signature=")))
			continue;
		if (!first)
			mock_put_char(b, '&');
		first = false;
		mock_put(b, pair);
	}
	mock_put(b, r->body);
}

bool mock_guard_request(
    const struct mock_account *a, const struct mock_request *r, bool spot, int64_t wall_ms, struct mock_refusal *why)
{
	struct mock_buf text = mock_buf_of(SIGN_MAX);
	struct mock_signed s = { .key = r->api_key, .spot = spot };
	struct span sent = { NULL, 0 };
	char signature[256];

	mock_http_param(r->query, SPAN("timestamp"), &s.timestamp);
	mock_http_param(r->query, SPAN("recvWindow"), &s.window);
	if (mock_http_param(r->query, SPAN("signature"), &sent)) {
		int n = mock_http_decode(sent, signature, sizeof signature);
		s.signature = (struct span){ signature, n > 0 ? (size_t)n : 0 };
	}
	put_signed_text(&text, r);
	s.text = mock_buf_span(&text);
	bool good = !text.full && mock_guard_signed(a, &s, wall_ms, why);
	if (text.full)
		mock_refuse(why, 400, -1022, "Signature for this request is not valid.");
	mock_buf_free(&text);
	return good;
}

/* --- how much ---------------------------------------------------------------------------------------------------- */

static bool over(struct mock_weight *w, int64_t limit, int64_t wall_ms, struct mock_refusal *why, int64_t *retry_after)
{
	*retry_after = (w->until - wall_ms + 999) / 1000;
	if (w->banned) {
		mock_refuse(why, 418, -1003, "");
		snprintf(why->message, sizeof why->message,
		    "Way too much request weight used; IP banned until %" PRId64
		    ". Please use WebSocket Streams for live updates to avoid bans.",
		    w->until);
	} else {
		mock_refuse(why, 429, -1003, "");
		snprintf(why->message, sizeof why->message,
		    "Too many requests; current limit is %" PRId64
		    " request weight per 1 MINUTE. Please use WebSocket Streams for live updates.",
		    limit);
	}
	return false;
}

bool mock_guard_weight(
    struct mock_account *a, bool spot, int64_t weight, int64_t wall_ms, struct mock_refusal *why, int64_t *retry_after)
{
	struct mock_weight *w = &a->weight[spot];
	int64_t limit = a->weight_limit[spot];

	if (w->minute != wall_ms / MINUTE_MS) {
		w->minute = wall_ms / MINUTE_MS;
		w->used = 0;
	}
	if (w->until > 0 && wall_ms >= w->until) {
		w->until = w->warned = 0;
		w->banned = false;
	}
	w->used += weight;
	if (w->until > 0 && !w->banned && ++w->warned > WARNINGS_MAX) {
		w->banned = true;
		w->until = wall_ms + a->ban_ms;
	}
	if (w->until > 0)
		return over(w, limit, wall_ms, why, retry_after);
	if (limit == 0 || w->used <= limit)
		return true;
	w->until = (w->minute + 1) * MINUTE_MS;
	return over(w, limit, wall_ms, why, retry_after);
}
