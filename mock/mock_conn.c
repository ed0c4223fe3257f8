#include "mock_conn.h"

#include <stdlib.h>

#include "mock_send.h"

#define SECOND	  1000000LL
#define LAST_WAIT (2 * SECOND) /* for what is queued to go out */

/* --- the end ------------------------------------------------------------------------------------------------- */

void mock_conn_end(struct mock_conn *c, const char *why)
{
	if (c->state == MOCK_DEAD)
		return;
	if (!c->why)
		c->why = why;
	c->state = MOCK_DEAD;
	mock_link_close(&c->link, c->end);
}

void mock_conn_end_after(struct mock_conn *c, enum mock_end how, const char *why, int64_t now)
{
	if (c->state == MOCK_DEAD)
		return;
	c->end = how;
	c->why = why;
	c->state = MOCK_ENDING;
	c->hold_until = INT64_MIN;
	c->deadline = now + LAST_WAIT;
}

static void forget_sub(struct mock_conn *c, struct mock_sub *s)
{
	if (s->stream)
		mock_hub_leave(c->hub, s->stream, c);
	free(s->name);
	free(s->events);
}

void mock_conn_free(struct mock_conn *c)
{
	mock_link_close(&c->link, c->end);
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

/* --- bytes --------------------------------------------------------------------------------------------------- */

void mock_conn_read(struct mock_conn *c)
{
	size_t n = MOCK_CONN_RECORD;

	for (size_t taken = 0; taken < MOCK_CONN_IN_MAX || mock_link_holds(&c->link);) {
		if (!mock_buf_room(&c->in, n)) {
			mock_conn_end(c, "the client's message is too long");
			return;
		}
		long got = mock_link_read(&c->link, c->in.p + c->in.hi, n);
		if (got < 0)
			mock_conn_end(c, "the client has gone");
		if (got <= 0)
			return;
		c->in.hi += (size_t)got;
		taken += (size_t)got;
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
		c->end = MOCK_END_RST;
		mock_conn_end(c, "too much was waiting for it");
		return;
	}
	size_t n = allowed(c, now);
	c->link.want_write = false;
	while (n > 0) {
		long put = mock_link_write(&c->link, mock_buf_span(&c->out).p, n);
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

bool mock_conn_flows(const struct mock_conn *c, int64_t now)
{
	return c->state == MOCK_OPEN && !c->half_open && now >= c->hold_until && now >= c->silent_until &&
	       c->drip_us == 0;
}

/* --- the clock ----------------------------------------------------------------------------------------------- */

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
	c->deadline = INT64_MAX;
	c->next_ping = ping_every(c) > 0 ? now + ping_every(c) : INT64_MAX;
	c->age_at = age > 0 ? now + age : INT64_MAX;
}

/* the close code at the 24 h cut is not known; clients have reported 1000 and 1001 */
void mock_conn_age(struct mock_conn *c, int64_t now)
{
	if (c->rules->age_drops)
		mock_conn_end_after(c, MOCK_END_FIN, "age", now);
	else
		mock_send_close(c, 1001, SPAN(""), "age", now);
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
		mock_send_close(c, 1008, SPAN("Pong timeout"), "no pong", now);
	if (now >= c->age_at)
		mock_conn_age(c, now);
	if (now >= c->next_ping) {
		c->next_ping = now + ping_every(c);
		if (!c->no_ping && !c->half_open)
			mock_send_ping(c, now, wall_ms);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t mock_conn_due(const struct mock_conn *c, int64_t now)
{
	int64_t due = c->deadline;

	if (c->lag_until != INT64_MIN)
		due = earlier(due, c->lag_until);
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

/* --- subscriptions ------------------------------------------------------------------------------------------- */

static struct mock_sub *find_sub(const struct mock_conn *c, struct span name)
{
	for (size_t i = 0; i < c->subs; i++)
		if (span_is(name, c->sub[i].name))
			return &c->sub[i];
	return NULL;
}

/* data comes only for a name of this tier, in the right case, that something can feed (bnc-wire(7) 1.2, 1.6) */
static struct mock_stream *live_stream(struct mock_conn *c, enum mock_market market, struct span name)
{
	struct span rest;
	struct span symbol = span_cut(name, '@', &rest);

	if (mock_name_is_key(name) || c->tier == MOCK_TIER_PRIVATE ||
	    (c->tier != MOCK_TIER_NONE && c->tier != mock_name_tier(name)))
		return NULL;
	for (size_t i = 0; i < symbol.n && symbol.p[0] != '!'; i++)
		if (symbol.p[i] >= 'A' && symbol.p[i] <= 'Z')
			return NULL;
	return mock_hub_join(c->hub, market, name, c);
}

/* its subscription, a new one where there is none; NULL: there are too many, or no memory */
static struct mock_sub *subscribe(struct mock_conn *c, struct span name)
{
	name.n = strnlen(name.p, name.n); /* names are strings here: what follows a NUL is gone */
	struct mock_sub *there = find_sub(c, name);
	if (there)
		return there;
	if (c->subs >= c->rules->max_streams)
		return NULL;
	if (c->subs == c->subs_cap) {
		size_t cap = c->subs_cap ? c->subs_cap * 2 : 8;
		struct mock_sub *sub = realloc(c->sub, cap * sizeof *sub);
		if (!sub)
			return NULL;
		c->sub = sub;
		c->subs_cap = cap;
	}
	struct mock_sub *s = &c->sub[c->subs];
	*s = (struct mock_sub){ .market = c->market };
	if (s->market == MOCK_MARKETS) {
		struct span rest;
		s->market = mock_walk_is_coinm(span_cut(name, '@', &rest)) ? MOCK_COINM : MOCK_SPOT;
	}
	s->name = strndup(name.p, name.n);
	if (!s->name)
		return NULL;
	s->stream = live_stream(c, s->market, name);
	c->user |= mock_name_is_key(name);
	c->subs++;
	return s;
}

bool mock_conn_subscribe(struct mock_conn *c, struct span name)
{
	return subscribe(c, name) != NULL;
}

bool mock_conn_listen(struct mock_conn *c, struct span key, struct span events)
{
	struct mock_sub *s = subscribe(c, key);

	if (!s)
		return false;
	free(s->events);
	s->events = events.p ? strndup(events.p, events.n) : NULL;
	s->silent = !s->events;
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
