#include "binance_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "backoff.h"
#include "binance.h"
#include "binance_ids.h"
#include "num.h"

#define NONE (-1)
#define REASON_MAX 400
#define SECOND 1000000LL
#define ACK_US (10 * SECOND) /* the exchange acknowledges within a second */

enum conn_state {
	CONN_FREE,
	CONN_OPENING,
	CONN_SUBSCRIBING, /* up; SUBSCRIBE messages go out one after the other */
	CONN_LIVE,	  /* all are acknowledged */
	CONN_ENDING,	  /* given up by us; its `down` is due */
};

struct conn {
	enum conn_state state;
	int64_t since;	/* it is in this state */
	int64_t heard;	/* last message or pong */
	int64_t pinged; /* last ping of ours, 0 none since `heard` */
	int64_t age_due;
	bool leaving;	/* the server has said that it goes down */
	bool delivered; /* a good data frame */
	bool pending;	/* a SUBSCRIBE is not acknowledged yet */
	uint64_t id;	/* of the latest SUBSCRIBE */
	size_t from, upto;	 /* its streams */
	int64_t sent, send_due; /* when it went out; when the next may */
};

struct slot { /* one line of one route: a connection, and its successor for a while */
	const struct binance_route *route;
	unsigned line;
	int active, successor; /* connection, or NONE */
	struct backoff backoff;
	int64_t due;	    /* of the next attempt */
	bool ever;	    /* has been live */
	bool told_waiting;  /* for the connection budget */
	char reason[REASON_MAX]; /* of the latest failure */
};

struct watch { /* one stream */
	int64_t acked; /* 0: not yet */
	bool delivered, named;
};

struct binance_session {
	const struct binance_plan *plan;
	struct binance_session_options o;
	struct binance_session_events ev;
	void *user;
	struct binance_news news;
	struct arbiter *arbiter;
	struct slot *slot; /* owned; its connections are 2 * index and the one behind */
	unsigned slots;
	struct conn *conn;   /* owned */
	struct watch *watch; /* owned */
	uint64_t random;
	int64_t now;
	bool ready, paused, ending, gave_up;
	struct binance_session_counters counters;
	struct fields fields;
	char *text; /* owned: a copy of the message, padded as lib/json asks */
	char message[BINANCE_MESSAGE_MAX];
};

/* ---------------------------------------------------------------------------------------------- small things */

static struct slot *slot_of(struct binance_session *s, unsigned conn)
{
	return &s->slot[conn / 2];
}

/* what the arbiter calls this connection */
static unsigned line_of(struct binance_session *s, unsigned conn)
{
	return 2 * slot_of(s, conn)->line + conn % 2;
}

static void lines(struct binance_session *s, unsigned conn, size_t from, size_t upto, enum arbiter_state state)
{
	for (size_t i = from; i < upto; i++)
		arbiter_line(s->arbiter, i, line_of(s, conn), state, s->now);
}

static void all_lines(struct binance_session *s, unsigned conn, enum arbiter_state state)
{
	const struct binance_route *r = slot_of(s, conn)->route;

	lines(s, conn, r->first, r->first + r->n, state);
}

static void enter(struct binance_session *s, unsigned conn, enum conn_state state)
{
	s->conn[conn].state = state;
	s->conn[conn].since = s->now;
}

/* topic, stream (NONE: none), format and what it takes */
#define tell(s, ...) binance_news_tell(&(s)->news, (s)->now, __VA_ARGS__)

static void order(struct binance_session *s, unsigned conn, enum binance_order what)
{
	s->ev.order(s->user, conn, what, (struct span){ "", 0 });
}

/* "wss://host:443/public/stream", and which line where there are several */
struct place {
	char text[320];
};
static struct place place(const struct binance_session *s, const struct slot *t)
{
	struct place p;
	int n = snprintf(p.text, sizeof p.text, "%s%s", s->o.origin, binance_tier_path(t->route->tier).p);

	if (s->o.lines > 1 && n > 0 && (size_t)n < sizeof p.text)
		snprintf(p.text + n, sizeof p.text - (size_t)n, " (line %c)", 'A' + (int)t->line);
	return p;
}

/* ------------------------------------------------------------------------------------------------- attempts */

static int free_half(const struct binance_session *s, const struct slot *t)
{
	unsigned first = 2 * (unsigned)(t - s->slot);

	for (unsigned c = first; c < first + 2; c++)
		if (s->conn[c].state == CONN_FREE)
			return (int)c;
	return NONE;
}

static void put_off(struct binance_session *s, struct slot *t, int64_t least)
{
	t->due = s->now + backoff_fail(&t->backoff, least, backoff_random(&s->random));
}

static bool within_budget(struct binance_session *s, struct slot *t)
{
	int64_t wait = s->ev.may_connect(s->user);

	if (wait == 0) {
		t->told_waiting = false;
		return true;
	}
	t->due = s->now + wait;
	if (wait >= SECOND && !t->told_waiting) {
		t->told_waiting = true;
		tell(s, BINANCE_NEWS_FAILED, NONE,
		    "%s: waiting %s: so many connections in a while is all that the exchange allows an address",
		    place(s, t).text, binance_seconds(wait).p);
	}
	return false;
}

static void attempt(struct binance_session *s, struct slot *t, int *which)
{
	int c = free_half(s, t);

	if (c == NONE || s->now < t->due || !within_budget(s, t))
		return;
	s->conn[c] = (struct conn){ .heard = s->now };
	enter(s, (unsigned)c, CONN_OPENING);
	s->counters.connects++;
	s->counters.reconnects += t->ever;
	if (which == &t->successor)
		tell(s, BINANCE_NEWS_NOTE, NONE, "%s: opening a successor", place(s, t).text);
	else if (!t->reason[0])
		tell(s, BINANCE_NEWS_CONNECTING, NONE, "connecting to %s", place(s, t).text);
	else
		tell(s, BINANCE_NEWS_NOTE, NONE, "connecting to %s again", place(s, t).text);
	if (!s->ev.connect(s->user, (unsigned)c, t->route->tier)) {
		enter(s, (unsigned)c, CONN_FREE);
		put_off(s, t, SECOND);
		return;
	}
	*which = c;
	t->due = s->now + SECOND; /* of a successor's successor, where servers go down one after the other */
	all_lines(s, (unsigned)c, ARBITER_OPENING);
}

/* --------------------------------------------------------------------------------------------- how they end */

static void give_up(struct binance_session *s, const struct slot *t, const char *why)
{
	s->gave_up = true;
	tell(s, BINANCE_NEWS_STALE, NONE, "%s: %s", place(s, t).text, why);
	s->ev.give_up(s->user);
}

/* do frames of the same streams come over another connection? */
static bool is_served(const struct binance_session *s, const struct slot *t)
{
	for (unsigned i = 0; i < s->slots; i++)
		if (s->slot[i].route == t->route && s->slot[i].active != NONE &&
		    s->conn[s->slot[i].active].state == CONN_LIVE)
			return true;
	return false;
}

/* the server has named a time: nobody goes there before it (binance 7 (16)) */
static void stay_away(struct binance_session *s, int64_t us)
{
	for (unsigned i = 0; i < s->slots; i++)
		if (s->slot[i].due < s->now + us)
			s->slot[i].due = s->now + us + (int64_t)(backoff_random(&s->random) % (uint64_t)(s->slot[i].backoff.base + 1));
}

/* what a failure means for the next attempt */
static void schedule(struct binance_session *s, struct slot *t, const struct binance_down *d)
{
	int64_t least = 0;
	const char *why = NULL;

	if (d && d->cause == BINANCE_DOWN_HTTP) {
		bool again = backoff_http(d->http, d->retry_after, &least, &why);
		snprintf(t->reason, sizeof t->reason, "%.200s: %s", d->text, why);
		if (!again && !is_served(s, t)) {
			give_up(s, t, t->reason);
			return;
		}
		if (!again) /* no reason to end */
			backoff_slow(&t->backoff);
		stay_away(s, least);
	} else if (d) {
		snprintf(t->reason, sizeof t->reason, "%.300s", d->text);
		if (d->cause == BINANCE_DOWN_CERTIFICATE)
			backoff_slow(&t->backoff);
	}
	put_off(s, t, least);
	tell(s, t->active == NONE ? BINANCE_NEWS_FAILED : BINANCE_NEWS_NOTE, NONE, "%s: %s; next attempt in %s",
	    place(s, t).text, t->reason, binance_seconds(t->due - s->now).p);
}

/* the connection brings nothing more; d NULL: we have ended it, and t->reason says why */
static void lost(struct binance_session *s, unsigned conn, const struct binance_down *d)
{
	struct slot *t = slot_of(s, conn);
	bool was_active = t->active == (int)conn;

	if (was_active) {
		t->active = t->successor;
		t->successor = NONE;
	} else {
		t->successor = NONE;
	}
	all_lines(s, conn, ARBITER_OFF);
	for (size_t i = t->route->first; t->active == NONE && i < t->route->first + t->route->n; i++)
		s->watch[i].acked = 0;
	if (s->ending || s->gave_up || s->paused)
		return;
	if (t->active != NONE && was_active)
		tell(s, BINANCE_NEWS_NOTE, NONE, "%s: %.300s; its successor goes on", place(s, t).text,
		    d ? d->text : t->reason);
	else
		schedule(s, t, d);
}

static void kill_conn(struct binance_session *s, unsigned conn)
{
	enter(s, conn, CONN_ENDING);
	lost(s, conn, NULL);
	order(s, conn, BINANCE_KILL);
}

static void close_conn(struct binance_session *s, unsigned conn)
{
	enter(s, conn, CONN_ENDING);
	order(s, conn, BINANCE_CLOSE);
}

void binance_session_down(struct binance_session *s, unsigned conn, const struct binance_down *d, int64_t now)
{
	bool expected = s->conn[conn].state == CONN_ENDING;

	s->now = now;
	enter(s, conn, CONN_FREE);
	if (!expected)
		lost(s, conn, d);
}

/* ----------------------------------------------------------------------------------------------- subscribing */

static void send_subscribe(struct binance_session *s, unsigned conn)
{
	struct conn *c = &s->conn[conn];

	c->from = c->upto;
	size_t n = binance_subscribe(s->message, s->plan, slot_of(s, conn)->route, c->from, ++c->id, &c->upto);
	c->pending = true;
	c->sent = s->now;
	c->send_due = s->now + binance_message_gap_us(s->plan->market);
	s->ev.order(s->user, conn, BINANCE_SEND, (struct span){ s->message, n });
}

void binance_session_up(struct binance_session *s, unsigned conn, int64_t now)
{
	struct conn *c = &s->conn[conn];
	uint64_t early = (uint64_t)s->o.max_age / 50;

	s->now = now;
	if (c->state != CONN_OPENING)
		return;
	enter(s, conn, CONN_SUBSCRIBING);
	c->heard = now;
	c->age_due = now + s->o.max_age - (int64_t)(early ? backoff_random(&s->random) % early : 0);
	c->upto = slot_of(s, conn)->route->first;
	send_subscribe(s, conn);
}

static void check_ready(struct binance_session *s)
{
	for (unsigned i = 0; i < s->slots; i++)
		if (s->slot[i].line == 0 && !s->slot[i].ever)
			return;
	if (!s->ready)
		s->ev.ready(s->user);
	s->ready = true;
}

static void all_acknowledged(struct binance_session *s, unsigned conn)
{
	struct slot *t = slot_of(s, conn);

	enter(s, conn, CONN_LIVE);
	t->ever = true;
	if (t->active == (int)conn)
		tell(s, BINANCE_NEWS_LIVE, NONE, "%s: %zu stream%s", place(s, t).text, t->route->n,
		    t->route->n > 1 ? "s" : "");
	t->reason[0] = '\0';
	check_ready(s);
}

static void acknowledged(struct binance_session *s, unsigned conn)
{
	struct conn *c = &s->conn[conn];
	const struct binance_route *r = slot_of(s, conn)->route;

	c->pending = false;
	lines(s, conn, c->from, c->upto, ARBITER_ON);
	for (size_t i = c->from; i < c->upto; i++)
		if (!s->watch[i].acked)
			s->watch[i].acked = s->now;
	if (c->upto == r->first + r->n)
		all_acknowledged(s, conn);
}

/* ------------------------------------------------------------------------------------------------- messages */

/* a string value with its escapes undone; an empty span where it is none, or too long */
static struct span text_of(struct json_val v, char *scratch, size_t cap)
{
	if (v.kind != JSON_STRING)
		return (struct span){ "", 0 };
	if (!v.escaped)
		return json_text(v);
	int n = json_unescape(json_text(v), scratch, cap);
	return (struct span){ scratch, n < 0 ? 0 : (size_t)n };
}

static bool has_our_id(const struct binance_session *s, const struct conn *c)
{
	uint64_t id;

	return c->pending && fields_kind(&s->fields, BINANCE_ID) == JSON_INT &&
	    num_u64(fields_text(&s->fields, BINANCE_ID), 0, UINT64_MAX, &id) && id == c->id;
}

/* {"error":{"code":4,"msg":"..."},"id":n}, or code and msg at the top (binance 1.6); the id may be missing */
static void error_reply(struct binance_session *s, unsigned conn)
{
	char scratch[REASON_MAX];
	const struct fields *f = &s->fields;
	struct json_val code = { 0 }, msg = { 0 };
	struct slot *t = slot_of(s, conn);
	struct conn *c = &s->conn[conn];

	if (fields_kind(f, BINANCE_ERROR) == JSON_OBJECT) {
		code = json_find(fields_text(f, BINANCE_ERROR), "code");
		msg = json_find(fields_text(f, BINANCE_ERROR), "msg");
	} else if (fields_has(f, BINANCE_CODE) && fields_has(f, BINANCE_MSG)) {
		code = f->v[BINANCE_CODE];
		msg = f->v[BINANCE_MSG];
	}
	struct span text = text_of(msg, scratch, sizeof scratch);
	struct span number = code.kind == JSON_INT ? json_text(code) : SPAN("?");
	s->counters.errors++;
	snprintf(t->reason, sizeof t->reason, "the exchange refuses a request: code %.*s: %.*s",
	    (int)(number.n < 20 ? number.n : 20), number.p, (int)(text.n < 200 ? text.n : 200), text.p);
	tell(s, BINANCE_NEWS_STALE, NONE, "%s: %s", place(s, t).text, t->reason);
	/* what it refused is not there: begin anew, but slowly, since it may do so again */
	if (c->pending && (!fields_has(f, BINANCE_ID) || has_our_id(s, c) || fields_kind(f, BINANCE_ID) == JSON_NULL)) {
		backoff_slow(&t->backoff);
		kill_conn(s, conn);
	}
}

static void shutdown_notice(struct binance_session *s, unsigned conn)
{
	struct slot *t = slot_of(s, conn);

	if (s->conn[conn].leaving)
		return;
	s->conn[conn].leaving = true;
	tell(s, BINANCE_NEWS_NOTE, NONE, "%s: the server is about to go down", place(s, t).text);
}

static void delivered(struct binance_session *s, unsigned conn, size_t stream)
{
	struct watch *w = &s->watch[stream];

	if (!s->conn[conn].delivered) {
		s->conn[conn].delivered = true;
		backoff_reset(&slot_of(s, conn)->backoff);
	}
	if (w->named)
		tell(s, BINANCE_NEWS_LIVE, (long)stream, "the first frame has come");
	w->named = false;
	w->delivered = true;
}

static void data_frame(struct binance_session *s, unsigned conn, struct span text, int64_t recv)
{
	char scratch[BINANCE_NAME_MAX];
	const struct binance_route *r = slot_of(s, conn)->route;
	struct arbiter_event e;

	long i = binance_plan_find(s->plan, text_of(s->fields.v[BINANCE_STREAM], scratch, sizeof scratch));
	if (i < (long)r->first || i >= (long)(r->first + r->n)) {
		s->counters.foreign++;
		tell(s, BINANCE_NEWS_REFUSED, NONE, "%s: a frame of a stream that was not asked for",
		    place(s, slot_of(s, conn)).text);
		return;
	}
	s->counters.received++;
	delivered(s, conn, (size_t)i);
	binance_ids_read(&e, s->plan->stream[i].kind, s->plan->market, &s->fields);
	arbiter_offer(s->arbiter, (size_t)i, line_of(s, conn), &e, text, recv, s->now);
}

/* A copy, with what lib/json needs behind it. Line ends inside it - legal between tokens - become '\r' for the reader,
 * which refuses both inside strings, and blanks afterwards. */
static bool read_message(struct binance_session *s, struct span *text)
{
	if (text->n > BINANCE_FRAME_MAX)
		return false;
	memcpy(s->text, text->p, text->n);
	memset(s->text + text->n, '\n', JSON_PAD);
	text->p = s->text;
	json_flatten(s->text, text->n);
	if (!fields_read(&s->fields, *text))
		return false;
	for (char *p = s->text; (p = memchr(p, '\r', (size_t)(s->text + text->n - p)));)
		*p = ' ';
	return true;
}

void binance_session_message(struct binance_session *s, unsigned conn, struct span text, int64_t recv, int64_t now)
{
	struct conn *c = &s->conn[conn];

	s->now = now;
	if (c->state != CONN_SUBSCRIBING && c->state != CONN_LIVE)
		return;
	c->heard = now;
	c->pinged = 0;
	if (!read_message(s, &text)) {
		s->counters.refused++;
		if (text.n > BINANCE_FRAME_MAX)
			tell(s, BINANCE_NEWS_REFUSED, NONE, "%s: a message of %zu bytes, which is too long for a line",
			    place(s, slot_of(s, conn)).text, text.n);
		else
			tell(s, BINANCE_NEWS_REFUSED, NONE, "%s: a message that is no JSON object: %s",
			    place(s, slot_of(s, conn)).text, s->fields.why);
		return;
	}
	enum binance_control what = binance_control(&s->fields);
	if (what == BINANCE_SHUTDOWN)
		shutdown_notice(s, conn);
	else if (fields_has(&s->fields, BINANCE_STREAM) && fields_has(&s->fields, BINANCE_DATA))
		data_frame(s, conn, text, recv);
	else if (what == BINANCE_REPLY && has_our_id(s, c))
		acknowledged(s, conn);
	else if (what == BINANCE_ERROR_REPLY)
		error_reply(s, conn);
	else if (what != BINANCE_REPLY)
		s->counters.foreign++;
}

void binance_session_pong(struct binance_session *s, unsigned conn, int64_t now)
{
	s->now = now;
	s->conn[conn].heard = now;
	s->conn[conn].pinged = 0;
}

/* ----------------------------------------------------------------------------------------------------- time */

static void dead(struct binance_session *s, unsigned conn, const char *what, int64_t us)
{
	struct slot *t = slot_of(s, conn);

	snprintf(t->reason, sizeof t->reason, "%s for %s", what, binance_seconds(us).p);
	tell(s, BINANCE_NEWS_STALE, NONE, "%s: %s", place(s, t).text, t->reason);
	kill_conn(s, conn);
}

/* data or pongs must come; where they do not, we ask, but not more than once in 15 s (binance 7 (3), (17), (26)) */
static bool alive(struct binance_session *s, unsigned conn)
{
	struct conn *c = &s->conn[conn];
	int64_t bytes = s->ev.heard(s->user, conn);
	int64_t idle = s->now - (bytes > c->heard ? bytes : c->heard);

	if (idle >= s->o.stale) {
		dead(s, conn, "neither data nor pong", idle);
		return false;
	}
	if (idle >= s->o.stale / 2 && s->now - c->pinged >= s->o.stale / 2) {
		c->pinged = s->now;
		order(s, conn, BINANCE_PING);
	}
	return true;
}

static void subscribe_on(struct binance_session *s, unsigned conn)
{
	struct conn *c = &s->conn[conn];
	int64_t most = s->o.stale < ACK_US ? s->o.stale : ACK_US;

	if (c->pending && s->now - c->sent >= most) {
		if (c->delivered) { /* the reply was lost on the way; data says more than a reply */
			acknowledged(s, conn);
			return;
		}
		dead(s, conn, "SUBSCRIBE was not acknowledged", s->now - c->sent);
	} else if (!c->pending && s->now >= c->send_due) {
		send_subscribe(s, conn);
	}
}

static void conn_tick(struct binance_session *s, int conn)
{
	if (conn == NONE)
		return;
	struct conn *c = &s->conn[conn];
	if (c->state == CONN_OPENING && s->now - c->since >= BINANCE_OPEN_US) {
		snprintf(slot_of(s, (unsigned)conn)->reason, REASON_MAX, "no connection within %s",
		    binance_seconds(s->now - c->since).p);
		kill_conn(s, (unsigned)conn);
	} else if (c->state == CONN_SUBSCRIBING || c->state == CONN_LIVE) {
		if (alive(s, (unsigned)conn) && c->state == CONN_SUBSCRIBING)
			subscribe_on(s, (unsigned)conn);
	}
}

/* does everything that the old connection brings come over its successor as well? */
static bool covered(const struct binance_session *s, const struct slot *t)
{
	unsigned old = 2 * t->line + (unsigned)t->active % 2;
	unsigned successor = 2 * t->line + (unsigned)t->successor % 2;

	for (size_t i = t->route->first; i < t->route->first + t->route->n; i++)
		if (!arbiter_covers(s->arbiter, i, successor, old, s->now))
			return false;
	return true;
}

static void hand_over(struct binance_session *s, struct slot *t)
{
	unsigned old = (unsigned)t->active;

	t->active = t->successor;
	t->successor = NONE;
	tell(s, BINANCE_NEWS_NOTE, NONE, "%s: the successor delivers; closing the old connection", place(s, t).text);
	all_lines(s, old, ARBITER_OFF);
	close_conn(s, old);
}

static void slot_tick(struct binance_session *s, struct slot *t)
{
	conn_tick(s, t->active);
	conn_tick(s, t->successor);
	if (s->gave_up)
		return;
	if (t->active == NONE) {
		attempt(s, t, &t->active);
		return;
	}
	const struct conn *c = &s->conn[t->active];
	if (t->successor == NONE && c->state == CONN_LIVE && (c->leaving || s->now >= c->age_due))
		attempt(s, t, &t->successor);
	if (t->successor == NONE || s->conn[t->successor].state != CONN_LIVE)
		return;
	if (covered(s, t))
		hand_over(s, t);
}

/* an acknowledgement proves nothing (binance 1.2, 1.6): only a frame does */
static void watch_streams(struct binance_session *s)
{
	for (size_t i = 0; i < s->plan->streams; i++) {
		struct watch *w = &s->watch[i];
		if (w->delivered || w->named || !w->acked || s->plan->stream[i].quiet || s->now - w->acked < s->o.stale)
			continue;
		w->named = true;
		tell(s, BINANCE_NEWS_STALE, (long)i,
		    "acknowledged %s ago, and nothing has come: is it listed, and on this market?",
		    binance_seconds(s->now - w->acked).p);
	}
}

void binance_session_tick(struct binance_session *s, int64_t now)
{
	s->now = now;
	if (s->ending || s->gave_up || s->paused)
		return;
	for (unsigned i = 0; i < s->slots && !s->gave_up; i++)
		slot_tick(s, &s->slot[i]);
	arbiter_tick(s->arbiter, now);
	watch_streams(s);
	binance_news_tick(&s->news, now);
}

/* ------------------------------------------------------------------------------------------- pause and end */

static void close_all(struct binance_session *s)
{
	for (unsigned i = 0; i < 2 * s->slots; i++) {
		enum conn_state state = s->conn[i].state;
		if (state == CONN_FREE || state == CONN_ENDING)
			continue;
		enter(s, i, CONN_ENDING);
		lost(s, i, NULL);
		order(s, i, state == CONN_OPENING ? BINANCE_KILL : BINANCE_CLOSE);
	}
}

void binance_session_pause(struct binance_session *s, const char *why, int64_t now)
{
	s->now = now;
	if (s->paused || s->ending)
		return;
	s->paused = true;
	s->counters.pauses++;
	tell(s, BINANCE_NEWS_STALE, NONE, "%s: the connections are dropped", why);
	close_all(s);
	for (unsigned i = 0; i < s->slots; i++)
		snprintf(s->slot[i].reason, REASON_MAX, "%s", why);
}

void binance_session_resume(struct binance_session *s, const char *why, int64_t now)
{
	s->now = now;
	s->paused = false;
	/* what was open is due since long; what waits, as after a 429, waits on */
	tell(s, BINANCE_NEWS_CONNECTING, NONE, "%s: connecting again", why);
}

void binance_session_end(struct binance_session *s, int64_t now)
{
	s->now = now;
	if (s->ending)
		return;
	s->ending = true;
	arbiter_flush(s->arbiter);
	binance_news_tick(&s->news, INT64_MAX);
	close_all(s);
}

bool binance_session_ended(const struct binance_session *s)
{
	for (unsigned i = 0; i < 2 * s->slots; i++)
		if (s->conn[i].state != CONN_FREE)
			return false;
	return s->ending || s->gave_up;
}

/* -------------------------------------------------------------------------------------------- life and sums */

static void on_print(void *user, size_t stream, unsigned line, struct span payload, int64_t recv)
{
	struct binance_session *s = user;

	(void)line;
	s->ev.frame(s->user, stream, payload, recv);
}

static void on_gap(void *user, const struct arbiter_gap *gap)
{
	struct binance_session *s = user;

	binance_news_gap(&s->news, s->now, gap);
}

static bool take_memory(struct binance_session *s)
{
	static const struct arbiter_out out = { on_print, on_gap };
	const struct binance_plan *p = s->plan;

	s->slots = (unsigned)p->routes * s->o.lines;
	s->slot = calloc(s->slots + 1, sizeof *s->slot);
	s->conn = calloc(2 * s->slots + 1, sizeof *s->conn);
	s->watch = calloc(p->streams + 1, sizeof *s->watch);
	s->text = malloc(BINANCE_FRAME_MAX + JSON_PAD);
	const struct arbiter_options arbiter = { .streams = p->streams,
		.lines = 2 * s->o.lines,
		.window = ARBITER_WINDOW_US,
		.join = ARBITER_JOIN_US };
	s->arbiter = arbiter_new(&arbiter, &out, s);
	return s->slot && s->conn && s->watch && s->text && s->arbiter;
}

struct binance_session *binance_session_new(const struct binance_plan *p, const struct binance_session_options *o,
    const struct binance_session_events *ev, void *user)
{
	struct binance_session *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->plan = p;
	s->o = *o;
	s->ev = *ev;
	s->user = user;
	s->random = o->seed | 1;
	fields_open(&s->fields, binance_slot);
	binance_news_open(&s->news, p, ev->news, user);
	if (!take_memory(s)) {
		binance_session_free(s);
		return NULL;
	}
	for (unsigned i = 0; i < s->slots; i++) {
		struct slot *t = &s->slot[i];
		*t = (struct slot){ .route = &p->route[i / o->lines],
			.line = i % o->lines,
			.active = NONE,
			.successor = NONE };
		backoff_open(&t->backoff, o->backoff_base, o->backoff_cap);
	}
	return s;
}

void binance_session_free(struct binance_session *s)
{
	if (!s)
		return;
	arbiter_free(s->arbiter);
	free(s->slot);
	free(s->conn);
	free(s->watch);
	free(s->text);
	free(s);
}

unsigned binance_session_conns(const struct binance_session *s)
{
	return 2 * s->slots;
}

const struct binance_session_counters *binance_session_counters(const struct binance_session *s)
{
	return &s->counters;
}

const struct arbiter_counters *binance_session_arbiter(const struct binance_session *s)
{
	return arbiter_counters(s->arbiter);
}

uint64_t binance_session_won(const struct binance_session *s, unsigned line)
{
	const struct arbiter_counters *c = arbiter_counters(s->arbiter);

	return c->won[2 * line] + c->won[2 * line + 1];
}
