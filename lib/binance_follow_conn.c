/* The connections that bring the events of an account, and what comes over them. */
#include <stdio.h>

#include "binance_follow_private.h"
#include "num.h"
#include "when.h"

#define ACK_US	   (10 * SECOND) /* the exchange acknowledges within a second */
#define OVERLAP_US (2 * SECOND)	 /* both connections are listened to before the old one is closed */
#define SETTLED_US (10 * SECOND) /* a connection that lives so long was worth opening */
#define ERROR_MAX  2048

/* ------------------------------------------------------------------------------------------------------ attempts */

static void enter(struct binance_follow *s, int conn, enum binance_follow_state state)
{
	s->conn[conn].state = state;
	s->conn[conn].since = s->now;
}

static void order(struct binance_follow *s, int conn, enum binance_order what)
{
	s->ev.order(s->user, (unsigned)conn, what, (struct span){ "", 0 });
}

/* no connection listens any more: events wait until a snapshot has been taken again */
static void went_deaf(struct binance_follow *s, int64_t since)
{
	if (s->gap_from == 0)
		s->gap_from = binance_follow_server_time(s, since);
	binance_inbox_hold(s->inbox);
	s->job = JOB_NONE;
	s->live = s->call_failed = false;
}

static void close_conn(struct binance_follow *s, int conn)
{
	enum binance_follow_state state = s->conn[conn].state;

	if (state == CONN_FREE || state == CONN_ENDING)
		return;
	enter(s, conn, CONN_ENDING);
	order(s, conn, state == CONN_OPENING ? BINANCE_KILL : BINANCE_CLOSE);
}

/* deaf_since: the last time that was sure to bring events */
void binance_follow_conn_close_all(struct binance_follow *s, int64_t deaf_since)
{
	bool listened = s->active != NONE && s->conn[s->active].state == CONN_LISTENING;

	for (int i = 0; i < BINANCE_FOLLOW_CONNS; i++)
		close_conn(s, i);
	s->active = s->successor = NONE;
	if (listened)
		went_deaf(s, deaf_since);
}

static void put_off(struct binance_follow *s, int64_t least)
{
	s->due = s->now + backoff_fail(&s->backoff, least, backoff_random(&s->random));
	s->due = s->due > s->away ? s->due : s->away;
}

static bool within_budget(struct binance_follow *s)
{
	int64_t wait = s->ev.may_connect(s->user);

	if (wait == 0) {
		s->told_waiting = false;
		return true;
	}
	s->due = s->now + wait;
	if (wait >= SECOND && !s->told_waiting) {
		s->told_waiting = true;
		tell(s, BINANCE_NEWS_FAILED,
		    "%s: waiting %s: so many connections in a while is all that the exchange allows an address",
		    binance_follow_place(s).p, binance_seconds(wait).p);
	}
	return false;
}

static int free_conn(const struct binance_follow *s)
{
	for (int i = 0; i < BINANCE_FOLLOW_CONNS; i++)
		if (s->conn[i].state == CONN_FREE)
			return i;
	return NONE;
}

static void attempt(struct binance_follow *s, int *which)
{
	char path[BINANCE_PATH_MAX];
	int c = free_conn(s);

	if (c == NONE || s->now < s->due || !within_budget(s))
		return;
	s->conn[c] = (struct binance_follow_conn){ .heard = s->now };
	enter(s, c, CONN_OPENING);
	s->counters.connects++;
	s->counters.reconnects += s->ever;
	if (which == &s->successor)
		tell(s, BINANCE_NEWS_NOTE, "%s: opening a successor", binance_follow_place(s).p);
	else
		tell(s, s->reason[0] ? BINANCE_NEWS_NOTE : BINANCE_NEWS_CONNECTING, "connecting to %s%s",
		    binance_follow_place(s).p, s->reason[0] ? " again" : "");
	size_t n = binance_call_path(path, s->o.market, s->o.form, binance_follow_listen_key(s));
	bool begun = s->ev.connect(s->user, (unsigned)c, (struct span){ path, n });
	explicit_bzero(path, sizeof path);
	if (!begun) {
		enter(s, c, CONN_FREE);
		put_off(s, SECOND);
		return;
	}
	*which = c;
	s->due = s->now + SECOND; /* of a successor's successor, where servers go down one after the other */
}

/* "2026-11-24T10:20:30.123Z" of a time of the exchange */
static struct binance_follow_text moment(int64_t us)
{
	struct binance_follow_text t = { "" };

	when_print(t.p, us > 0 ? us : 0, 3);
	return t;
}

static void listens(struct binance_follow *s, int conn)
{
	enter(s, conn, CONN_LISTENING);
	s->ever = true;
	if (s->active == conn && s->gap_from) {
		s->counters.gaps++;
		tell(s, BINANCE_NEWS_GAP, "fills between %s and %s may be missing", moment(s->gap_from).p,
		    moment(binance_follow_server_time(s, s->now)).p);
	}
	if (s->active == conn)
		s->gap_from = 0;
	s->reason[0] = '\0';
	binance_follow_ask_job(s, JOB_SNAPSHOT);
}

static void send_subscribe(struct binance_follow *s, int conn)
{
	char text[BINANCE_CALL_MESSAGE_MAX];
	struct binance_follow_conn *c = &s->conn[conn];

	enter(s, conn, CONN_SUBSCRIBING);
	c->id = ++s->id;
	if (s->o.market == EVENT_SPOT) {
		s->ev.logon(s->user, (unsigned)conn, binance_follow_timestamp(s), c->id);
		return;
	}
	size_t n = binance_call_subscribe(text, binance_follow_listen_key(s), c->id);
	s->ev.order(s->user, (unsigned)conn, BINANCE_SEND, (struct span){ text, n });
	explicit_bzero(text, sizeof text);
}

void binance_follow_up(struct binance_follow *s, unsigned conn, int64_t now)
{
	struct binance_follow_conn *c = &s->conn[conn];
	uint64_t early = (uint64_t)s->o.max_age / 50;

	s->now = now;
	if (c->state != CONN_OPENING)
		return;
	c->heard = now;
	c->age_due = now + s->o.max_age - (int64_t)(early ? backoff_random(&s->random) % early : 0);
	if (s->o.market == EVENT_SPOT || s->o.form == BINANCE_FORM_SUBSCRIBE)
		send_subscribe(s, (int)conn);
	else
		listens(s, (int)conn);
}

/* -------------------------------------------------------------------------------------------------- how they end */

/* the server has named a time: nobody goes there before it (binance 7 (16)) */
void binance_follow_conn_stay_away(struct binance_follow *s, int64_t us)
{
	int64_t until = s->now + us + (int64_t)(backoff_random(&s->random) % (uint64_t)(s->backoff.base + 1));

	s->away = s->away > until ? s->away : until;
	s->due = s->due > s->away ? s->due : s->away;
	s->call_due = s->call_due > s->away ? s->call_due : s->away;
}

/* what a failure means for the next attempt */
static void schedule(struct binance_follow *s, const struct binance_down *d)
{
	int64_t least = 0;
	const char *why = NULL;

	if (d && d->cause == BINANCE_DOWN_HTTP) {
		bool again = backoff_http(d->http, d->retry_after, &least, &why);
		snprintf(s->reason, sizeof s->reason, "%s: %.200s: %s", binance_follow_place(s).p, d->text, why);
		if (!again && s->active == NONE) {
			binance_follow_give_up(s, s->reason);
			return;
		}
		if (!again) /* no reason to end */
			backoff_slow(&s->backoff);
		if (least)
			binance_follow_conn_stay_away(s, least);
	} else if (d) {
		snprintf(s->reason, sizeof s->reason, "%s: %.300s", binance_follow_place(s).p, d->text);
		if (d->cause == BINANCE_DOWN_CERTIFICATE)
			backoff_slow(&s->backoff);
	}
	put_off(s, least);
	tell(s, s->active == NONE ? BINANCE_NEWS_FAILED : BINANCE_NEWS_NOTE, "%s; next attempt in %s", s->reason,
	    binance_seconds(s->due - s->now).p);
}

/* its successor, where there is one, takes its place */
static void leave(struct binance_follow *s, int conn)
{
	bool listened = s->active == conn && s->conn[conn].state == CONN_LISTENING;

	if (s->active == conn)
		s->active = s->successor;
	s->successor = NONE;
	bool served = s->active != NONE && s->conn[s->active].state == CONN_LISTENING;
	if (listened && !served)
		went_deaf(s, s->conn[conn].heard);
}

/* the connection brings nothing more; d NULL: we have ended it, and s->reason says why */
static void lost(struct binance_follow *s, int conn, const struct binance_down *d)
{
	bool was_active = s->active == conn;

	leave(s, conn);
	if (s->ending || s->gave_up || s->paused)
		return;
	if (was_active && s->active != NONE)
		tell(s, BINANCE_NEWS_NOTE, "%s: %.300s; its successor goes on", binance_follow_place(s).p,
		    d ? d->text : s->reason);
	else
		schedule(s, d);
}

static void kill_conn(struct binance_follow *s, int conn)
{
	enum binance_follow_state state = s->conn[conn].state;

	lost(s, conn, NULL);
	enter(s, conn, CONN_ENDING);
	order(s, conn, state == CONN_LISTENING ? BINANCE_CLOSE : BINANCE_KILL);
}

void binance_follow_down(struct binance_follow *s, unsigned conn, const struct binance_down *d, int64_t now)
{
	bool expected = s->conn[conn].state == CONN_ENDING;

	s->now = now;
	if (!expected)
		lost(s, (int)conn, d);
	enter(s, (int)conn, CONN_FREE);
}

/* ------------------------------------------------------------------------------------------------------ messages */

static bool has_our_id(const struct binance_follow_conn *c, struct json_val id)
{
	uint64_t number;

	return (id.kind == JSON_INT || id.kind == JSON_STRING) && num_u64(json_text(id), 0, UINT64_MAX, &number) &&
	       number == c->id;
}

/* the exchange does not let us listen: what it says is judged as an answer to a request is */
static void refused_subscribe(struct binance_follow *s, int conn, struct json_val error, int status)
{
	char body[ERROR_MAX + JSON_PAD];
	struct binance_refusal r;
	size_t n = error.n < ERROR_MAX ? error.n : 0;
	char what[340];

	if (n)
		memcpy(body, error.p, n);
	memset(body + n, '\n', JSON_PAD);
	struct binance_reply reply = { status, -1, { body, n } };
	if (!binance_error_read(&r, &reply, binance_follow_timestamp(s)))
		snprintf(r.text, sizeof r.text, "an error without a reason");
	snprintf(what, sizeof what, "%s", binance_follow_place(s).p);
	snprintf(s->reason, sizeof s->reason, "%s: %s", what, r.text);
	if (r.remedy != BINANCE_GIVE_UP) {
		leave(s, conn);
		close_conn(s, conn);
		put_off(s, 0);
	}
	binance_follow_ask_refused(s, what, &r);
}

static void reply(struct binance_follow *s, int conn, struct span top)
{
	struct json_val error = json_find(top, "error");
	struct json_val status = json_find(top, "status");
	uint64_t number = 200;

	if (error.kind == JSON_NONE && json_find(top, "code").kind != JSON_NONE)
		error = (struct json_val){ top.p, (uint32_t)top.n, JSON_OBJECT, false };
	if (status.kind == JSON_INT)
		(void)num_u64(json_text(status), 0, 999, &number);
	if (s->conn[conn].state != CONN_SUBSCRIBING)
		return;
	if (error.kind == JSON_OBJECT || number >= 300)
		refused_subscribe(s, conn, error, number >= 300 ? (int)number : 400);
	else if (json_find(top, "result").kind != JSON_NONE && has_our_id(&s->conn[conn], json_find(top, "id")))
		listens(s, conn);
}

/* The stream has said so; everything before that has come, and nothing will (binance 3.3). */
static void key_expired(struct binance_follow *s)
{
	tell(s, binance_follow_trouble(s), "the listen key has expired: asking for a new one");
	snprintf(s->reason, sizeof s->reason, "%s: the listen key has expired", binance_follow_place(s).p);
	binance_follow_ask_forget_key(s);
	binance_follow_conn_close_all(s, s->now);
	put_off(s, 0);
}

static void start_over(struct binance_follow *s)
{
	s->counters.gaps++;
	tell(s, BINANCE_NEWS_GAP,
	    "so many events wait for the snapshot that they are dropped, fills among them; it is taken "
	    "anew");
	binance_follow_ask_job(s, JOB_SNAPSHOT);
}

static void event(struct binance_follow *s, int conn, struct span text, struct span type, int64_t recv)
{
	struct binance_follow_conn *c = &s->conn[conn];

	if (span_is(type, "serverShutdown")) {
		if (!c->leaving)
			tell(s, BINANCE_NEWS_NOTE, "%s: the server is about to go down", binance_follow_place(s).p);
		c->leaving = true;
		return;
	}
	if (c->state == CONN_SUBSCRIBING) /* the reply was lost on the way; an event says more */
		listens(s, conn);
	if (!binance_inbox_event(s->inbox, text, recv))
		start_over(s);
	if (span_is(type, "listenKeyExpired")) {
		key_expired(s);
	} else if (span_is(type, "eventStreamTerminated")) {
		snprintf(s->reason, sizeof s->reason, "%s: the exchange has ended the stream of events",
		    binance_follow_place(s).p);
		kill_conn(s, conn);
	}
}

/* an event that stands bare, in the envelope of a combined stream, or in that of the WebSocket API */
static bool find_event(struct span top, struct span *text, struct span *type)
{
	static const char *const envelopes[] = { "data", "event" };
	struct json_val e = json_find(top, "e");

	*text = top;
	for (size_t i = 0; e.kind != JSON_STRING && i < 2; i++) {
		struct json_val inner = json_find(top, envelopes[i]);
		if (inner.kind != JSON_OBJECT)
			continue;
		*text = json_text(inner);
		e = json_find(*text, "e");
	}
	*type = json_text(e);
	return e.kind == JSON_STRING;
}

/* A copy, with what lib/json needs behind it: '\n', which cannot stand inside. */
static bool read_message(struct binance_follow *s, struct span *text, const char **why)
{
	struct json r;
	struct json_val top;

	*why = "too long";
	if (text->n > BINANCE_FRAME_MAX)
		return false;
	memcpy(s->text, text->p, text->n);
	memset(s->text + text->n, '\n', JSON_PAD);
	for (size_t i = 0; i < text->n; i++)
		if (s->text[i] == '\n' || s->text[i] == '\r')
			s->text[i] = ' ';
	*text = (struct span){ s->text, text->n };
	bool good = json_check(&r, *text, &top);
	*why = good ? "no object" : r.why;
	*text = good ? json_text(top) : *text;
	return good && top.kind == JSON_OBJECT;
}

void binance_follow_message(struct binance_follow *s, unsigned conn, struct span text, int64_t recv, int64_t now)
{
	struct binance_follow_conn *c = &s->conn[conn];
	struct span inner, type;
	const char *why;

	s->now = now;
	if (c->state != CONN_SUBSCRIBING && c->state != CONN_LISTENING)
		return;
	c->heard = now;
	c->pinged = 0;
	if (!read_message(s, &text, &why)) {
		s->counters.refused++;
		tell(s, BINANCE_NEWS_REFUSED, "%s: a message that is no JSON object: %s", binance_follow_place(s).p,
		    why);
		return;
	}
	if (find_event(text, &inner, &type))
		event(s, (int)conn, inner, type, recv);
	else
		reply(s, (int)conn, text);
}

void binance_follow_pong(struct binance_follow *s, unsigned conn, int64_t now)
{
	s->now = now;
	s->conn[conn].heard = now;
	s->conn[conn].pinged = 0;
}

/* ---------------------------------------------------------------------------------------------------------- time */

static void dead(struct binance_follow *s, int conn, const char *what, int64_t us)
{
	snprintf(s->reason, sizeof s->reason, "%s: %s for %s", binance_follow_place(s).p, what,
	    binance_seconds(us).p);
	tell(s, BINANCE_NEWS_STALE, "%s", s->reason);
	kill_conn(s, conn);
}

/* A quiet account is no alarm, but an answer to a ping must come; we do not ask more than once in 15 s (binance 7 (3),
 * (17), (26)). */
static bool alive(struct binance_follow *s, int conn)
{
	struct binance_follow_conn *c = &s->conn[conn];
	int64_t bytes = s->ev.heard(s->user, (unsigned)conn);
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

static void conn_tick(struct binance_follow *s, int conn)
{
	if (conn == NONE)
		return;
	const struct binance_follow_conn *c = &s->conn[conn];
	int64_t for_us = s->now - c->since;
	if (c->state == CONN_OPENING && for_us >= BINANCE_OPEN_US) {
		snprintf(s->reason, sizeof s->reason, "%s: no connection within %s", binance_follow_place(s).p,
		    binance_seconds(for_us).p);
		kill_conn(s, conn);
	} else if (c->state == CONN_SUBSCRIBING && for_us >= (s->o.stale < ACK_US ? s->o.stale : ACK_US)) {
		dead(s, conn, "no reply to the subscription", for_us);
	} else if ((c->state == CONN_SUBSCRIBING || c->state == CONN_LISTENING) && alive(s, conn)) {
		if (c->state == CONN_LISTENING && for_us >= SETTLED_US)
			backoff_reset(&s->backoff);
	}
}

static void hand_over(struct binance_follow *s)
{
	int old = s->active;

	s->active = s->successor;
	s->successor = NONE;
	tell(s, BINANCE_NEWS_NOTE, "%s: the successor listens; closing the old connection", binance_follow_place(s).p);
	close_conn(s, old);
}

static bool may_connect(const struct binance_follow *s)
{
	return !s->o.once && s->has_time && (!binance_follow_uses_key(s) || (s->key_n > 0 && !s->key_doubted));
}

void binance_follow_conn_tick(struct binance_follow *s)
{
	conn_tick(s, s->active);
	conn_tick(s, s->successor);
	if (s->gave_up)
		return;
	if (s->active == NONE) {
		if (may_connect(s))
			attempt(s, &s->active);
		return;
	}
	const struct binance_follow_conn *c = &s->conn[s->active];
	if (s->successor == NONE && c->state == CONN_LISTENING && (c->leaving || s->now >= c->age_due) &&
	    may_connect(s))
		attempt(s, &s->successor);
	if (s->successor == NONE || s->conn[s->successor].state != CONN_LISTENING)
		return;
	if (s->job != JOB_SNAPSHOT && s->now - s->conn[s->successor].since >= OVERLAP_US)
		hand_over(s);
}
