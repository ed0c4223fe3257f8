/* Requests, one at a time, in the order in which they are needed: the exchange's time, a listen key, the state of the
 * account. */
#include <stdio.h>

#include "binance_follow_private.h"
#include "num.h"

#define GRACE_US       (2 * SECOND) /* an event may be so much later than an answer that knows of it */
#define TIME_AGAIN_US  (3600 * SECOND)
#define TIME_MIN_MS    1483228800000LL /* 2017, when the exchange began, to 2100: what else it says is not the time */
#define TIME_MAX_MS    4102444800000LL
#define TIME_TRIES     3	    /* the first one pays for opening the connection, so that its middle says little */
#define ROUND_TRIP_US  (SECOND / 2) /* is good enough */
#define TELL_OFFSET_US SECOND

/* ---------------------------------------------------------------------------------------------------------- jobs */

void binance_follow_ask_job(struct binance_follow *s, enum binance_follow_job job)
{
	s->job = job;
	s->jobs++;
	s->part = 0;
	s->job_due = s->now;
	if (job == JOB_CHECK)
		binance_rows_check_begin(binance_inbox_rows(s->inbox));
}

static void end_job(struct binance_follow *s)
{
	s->job = JOB_NONE;
	s->check_due = s->now + s->o.check;
}

static void snapshot_done(struct binance_follow *s)
{
	struct binance_rows *r = binance_inbox_rows(s->inbox);

	s->counters.snapshots++;
	end_job(s);
	binance_inbox_release(s->inbox);
	if (!s->live && !s->o.once)
		tell(s, BINANCE_NEWS_LIVE, "%s: balances %zu, positions %zu", binance_follow_place(s).p,
		    binance_rows_held(r, BINANCE_ROWS_BALANCES), binance_rows_held(r, BINANCE_ROWS_POSITIONS));
	s->live = true;
	if (!s->ready)
		s->ev.ready(s->user);
	s->ready = true;
}

/* Events that did not come: what is known has been mended, but the connection that lost them will lose more. */
static void tell_differences(struct binance_follow *s)
{
	struct binance_rows *r = binance_inbox_rows(s->inbox);
	size_t n = binance_rows_truths(r);
	char text[BINANCE_ROWS_TEXT_MAX];

	for (size_t i = 0; i < n; i++) {
		binance_rows_truth(r, i, text);
		tell(s, BINANCE_NEWS_STALE, "an event has not come: %s", text);
	}
	s->counters.differences += n;
	if (n == 0)
		return;
	tell(s, BINANCE_NEWS_LIVE, "what is known is right again; replacing the connection");
	s->key_doubted = binance_follow_uses_key(s);
	if (s->active != NONE)
		s->conn[s->active].leaving = true;
}

static void check_done(struct binance_follow *s)
{
	s->counters.checks++;
	end_job(s);
	if (binance_rows_doubts(binance_inbox_rows(s->inbox)) == 0)
		return;
	s->job = JOB_GRACE;
	s->job_due = s->now + GRACE_US;
}

static void job_done(struct binance_follow *s)
{
	switch (s->job) {
	case JOB_SNAPSHOT:
		snapshot_done(s);
		break;
	case JOB_CHECK:
		check_done(s);
		break;
	case JOB_CONFIRM:
		end_job(s);
		tell_differences(s);
		break;
	case JOB_NONE:
	case JOB_GRACE:
		break;
	}
}

void binance_follow_ask_tick(struct binance_follow *s)
{
	if (s->job == JOB_GRACE && s->now >= s->job_due) {
		if (binance_rows_doubts(binance_inbox_rows(s->inbox)) > 0)
			binance_follow_ask_job(s, JOB_CONFIRM);
		else
			end_job(s);
	} else if (s->job == JOB_NONE && s->live && !s->o.once && s->now >= s->check_due) {
		binance_follow_ask_job(s, JOB_CHECK);
	}
}

/* ------------------------------------------------------------------------------------------------------ requests */

static unsigned parts(const struct binance_follow *s)
{
	return s->o.market == EVENT_SPOT ? 1 : 2;
}

static enum binance_call next_call(const struct binance_follow *s)
{
	if (!s->has_time || s->now >= s->time_due)
		return BINANCE_CALL_TIME;
	if (binance_follow_uses_key(s) && (s->key_n == 0 || s->key_doubted))
		return BINANCE_CALL_KEY_NEW;
	if (binance_follow_uses_key(s) && s->now >= s->keep_due)
		return BINANCE_CALL_KEY_KEEP;
	if (s->job != JOB_NONE && s->job != JOB_GRACE && s->now >= s->job_due)
		return s->part == 0 ? BINANCE_CALL_BALANCES : BINANCE_CALL_POSITIONS;
	return BINANCE_CALL_NONE;
}

void binance_follow_ask_next(struct binance_follow *s)
{
	if (s->call != BINANCE_CALL_NONE || s->now < s->call_due || s->ending || s->gave_up || s->paused)
		return;
	s->call = next_call(s);
	if (s->call == BINANCE_CALL_NONE)
		return;
	s->counters.requests++;
	s->call_job = s->jobs;
	s->call_mark = binance_rows_mark(binance_inbox_rows(s->inbox));
	s->ev.request(s->user, s->call, binance_follow_timestamp(s));
}

static void put_off_calls(struct binance_follow *s, int64_t least)
{
	s->call_due = s->now + backoff_fail(&s->call_backoff, least, backoff_random(&s->random));
	s->call_due = s->call_due > s->away ? s->call_due : s->away;
}

static void again_later(struct binance_follow *s, const char *what, const char *why)
{
	put_off_calls(s, 0);
	s->call_failed = s->live;
	tell(s, binance_follow_trouble(s), "%s: %s; next attempt in %s", what, why,
	    binance_seconds(s->call_due - s->now).p);
}

/* the offset is measured, and the request is tried again, once */
static void resync(struct binance_follow *s, const char *what, const struct binance_refusal *r)
{
	bool again = s->resynced;
	char why[REASON_MAX];

	s->has_time = false;
	s->time_tries = 0;
	s->tell_offset = true;
	s->resynced = true;
	if (again && !s->ready) {
		snprintf(why, sizeof why, "%s: %s, although it was measured just before", what, r->text);
		binance_follow_give_up(s, why);
	} else if (again) {
		again_later(s, what, r->text);
	} else {
		tell(s, binance_follow_trouble(s), "%s: %s; measuring the exchange's time", what, r->text);
	}
}

/* what: "https://host:443: GET /fapi/v3/balance" */
void binance_follow_ask_refused(struct binance_follow *s, const char *what, const struct binance_refusal *r)
{
	char why[REASON_MAX + BINANCE_REFUSAL_MAX];

	switch (r->remedy) {
	case BINANCE_GIVE_UP:
		snprintf(why, sizeof why, "%s: %s", what, r->text);
		binance_follow_give_up(s, why);
		break;
	case BINANCE_WAIT:
		binance_follow_conn_stay_away(s, r->wait);
		s->call_failed = s->live;
		tell(s, binance_follow_trouble(s), "%s: %s; nothing is asked for %s", what, r->text,
		    binance_seconds(s->call_due - s->now).p);
		break;
	case BINANCE_RESYNC:
		resync(s, what, r);
		break;
	case BINANCE_NEW_KEY:
		s->key_doubted = true;
		tell(s, binance_follow_trouble(s), "%s: %s", what, r->text);
		break;
	case BINANCE_RETRY:
		again_later(s, what, r->text);
		break;
	}
}

/* ------------------------------------------------------------------------------------------------ the listen key */

void binance_follow_ask_forget_key(struct binance_follow *s)
{
	explicit_bzero(s->key, sizeof s->key);
	s->key_n = 0;
}

static void take_key(struct binance_follow *s, struct span key)
{
	bool other = s->key_n > 0 && !span_eq(key, binance_follow_listen_key(s));

	if (other) { /* since when the old one has been dead nobody knows */
		tell(s, binance_follow_trouble(s), "there is another listen key now: connecting with it");
		snprintf(s->reason, sizeof s->reason, "%s: another listen key", binance_follow_place(s).p);
		binance_follow_conn_close_all(s, s->key_good);
	}
	binance_follow_ask_forget_key(s);
	memcpy(s->key, key.p, key.n);
	s->key_n = key.n;
	binance_inbox_secret(s->inbox, key);
	s->key_doubted = false;
	s->key_good = s->now;
	s->keep_due = s->now + s->o.keep;
	s->counters.keys++;
}

/* ----------------------------------------------------------------------------------------------- what they bring */

static void tell_offset(struct binance_follow *s)
{
	int64_t by = s->offset < 0 ? -s->offset : s->offset;

	if (by >= TELL_OFFSET_US || s->tell_offset)
		tell(s, binance_follow_trouble(s),
		    "the clock of this machine is %s %s the exchange's; requests carry the exchange's time",
		    binance_seconds(by).p, s->offset < 0 ? "ahead of" : "behind");
	s->tell_offset = false;
}

/* Of several measurements that of the shortest way counts: what the exchange says belongs to some moment of it. */
static bool take_time(struct binance_follow *s, const struct binance_answer *a)
{
	struct json_val v = json_find(a->reply.body, "serverTime");
	int64_t ms, way = a->received - a->sent;

	if (v.kind != JSON_INT || !num_i64(json_text(v), TIME_MIN_MS, TIME_MAX_MS, &ms))
		return false;
	if (s->time_tries == 0 || way < s->round_trip) {
		s->round_trip = way;
		s->server = ms * 1000;
		s->server_at = a->sent + way / 2;
		s->offset = s->server - (a->recv - way / 2);
	}
	if (++s->time_tries < TIME_TRIES && s->round_trip > ROUND_TRIP_US)
		return true;
	bool first = s->time_due == 0 || s->tell_offset;
	s->has_time = true;
	s->time_tries = 0;
	s->time_due = s->now + TIME_AGAIN_US;
	if (first)
		tell_offset(s);
	return true;
}

static bool take_key_answer(struct binance_follow *s, const struct binance_answer *a)
{
	struct json_val v = json_find(a->reply.body, "listenKey");

	if (v.kind == JSON_STRING && binance_call_is_listen_key(json_text(v))) {
		take_key(s, json_text(v));
		return true;
	}
	if (v.kind != JSON_NONE || s->call != BINANCE_CALL_KEY_KEEP)
		return false;
	s->key_good = s->now; /* older servers say {} (binance 3.1) */
	s->keep_due = s->now + s->o.keep;
	s->counters.keys++;
	return true;
}

static bool take_state(struct binance_follow *s, const struct binance_answer *a, const char **why)
{
	enum binance_rows_part part = s->part == 0 ? BINANCE_ROWS_BALANCES : BINANCE_ROWS_POSITIONS;
	bool good;

	if (s->call_job != s->jobs || s->job == JOB_NONE) /* asked for before the connection was lost */
		return true;
	if (s->job == JOB_CHECK)
		good = binance_rows_check(binance_inbox_rows(s->inbox), part, a->reply.body, s->call_mark, why);
	else
		good = binance_inbox_snapshot(
		    s->inbox, part, binance_call(s->o.market, s->call).path, a->reply.body, s->call_mark, a->recv, why);
	if (good && ++s->part == parts(s))
		job_done(s);
	return good;
}

/* false: *why says what is wrong with it */
static bool take_answer(struct binance_follow *s, const struct binance_answer *a, const char **why)
{
	struct json r;
	struct json_val top;
	bool object = json_check(&r, a->reply.body, &top) && top.kind == JSON_OBJECT;

	switch (s->call) {
	case BINANCE_CALL_TIME:
		*why = "it does not say the time";
		return object && take_time(s, a);
	case BINANCE_CALL_KEY_NEW:
	case BINANCE_CALL_KEY_KEEP:
		*why = "it has no proper listen key";
		return object && take_key_answer(s, a);
	case BINANCE_CALL_BALANCES:
	case BINANCE_CALL_POSITIONS:
		return take_state(s, a, why);
	case BINANCE_CALL_NONE:
		break;
	}
	return true;
}

static void answered(struct binance_follow *s)
{
	if (binance_call(s->o.market, s->call).sealed)
		s->resynced = false;
	if (!s->resynced) /* else the request that failed is still to be tried */
		backoff_reset(&s->call_backoff);
	if (s->call_failed)
		tell(s, BINANCE_NEWS_LIVE, "%s answers again", s->o.requests);
	s->call_failed = false;
}

static void judge_answer(struct binance_follow *s, const struct binance_answer *a)
{
	struct binance_refusal r = { .remedy = BINANCE_RETRY };
	char name[BINANCE_CALL_NAME_MAX], what[400];
	const char *why = NULL;

	binance_call_name(name, s->o.market, s->call);
	snprintf(what, sizeof what, "%s: %s", s->o.requests, name);
	if (a->reply.status == 0) {
		snprintf(r.text, sizeof r.text, "%.400s", a->why);
		if (a->certificate)
			backoff_slow(&s->call_backoff);
	} else if (binance_error_read(&r, &a->reply, binance_follow_timestamp(s))) {
		;
	} else if (take_answer(s, a, &why)) {
		answered(s);
		return;
	} else {
		snprintf(r.text, sizeof r.text, "an answer that is not what it should be: %s", why);
	}
	s->counters.failures++;
	if (s->call == BINANCE_CALL_KEY_KEEP && r.remedy == BINANCE_RETRY)
		s->key_doubted = true;
	binance_follow_ask_refused(s, what, &r);
}

void binance_follow_answer(struct binance_follow *s, const struct binance_answer *a, int64_t now)
{
	s->now = now;
	if (!s->ending && !s->gave_up)
		judge_answer(s, a);
	s->call = BINANCE_CALL_NONE;
	binance_follow_ask_next(s);
}
