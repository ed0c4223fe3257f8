#include <stdio.h>
#include <stdlib.h>

#include "binance_follow_private.h"

/* ------------------------------------------------------------------------------------------------- what all need */

enum binance_topic binance_follow_trouble(const struct binance_follow *s)
{
	return s->live ? BINANCE_NEWS_STALE : BINANCE_NEWS_FAILED;
}

struct binance_follow_place binance_follow_place(const struct binance_follow *s)
{
	struct binance_follow_place p;

	snprintf(p.p, sizeof p.p, "%s%s", s->o.origin, binance_call_place(s->o.market, s->o.form));
	return p;
}

bool binance_follow_uses_key(const struct binance_follow *s)
{
	return s->o.market != EVENT_SPOT && !s->o.once;
}

int64_t binance_follow_server_time(const struct binance_follow *s, int64_t at)
{
	return s->has_time || s->server ? s->server + (at - s->server_at) : 0;
}

int64_t binance_follow_timestamp(const struct binance_follow *s)
{
	return binance_follow_server_time(s, s->now) / 1000;
}

struct span binance_follow_listen_key(const struct binance_follow *s)
{
	return (struct span){ s->key, s->key_n };
}

void binance_follow_give_up(struct binance_follow *s, const char *why)
{
	s->gave_up = true;
	tell(s, BINANCE_NEWS_STALE, "%s", why);
	s->ev.give_up(s->user);
}

/* ---------------------------------------------------------------------------------------------------------- time */

void binance_follow_tick(struct binance_follow *s, int64_t now)
{
	s->now = now;
	if (s->ending || s->gave_up || s->paused)
		return;
	if (s->o.once && s->jobs == 0)
		binance_follow_ask_job(s, JOB_SNAPSHOT);
	binance_follow_conn_tick(s);
	if (!s->gave_up)
		binance_follow_ask_tick(s);
	binance_follow_ask_next(s);
	binance_news_tick(&s->news, now);
}

/* ------------------------------------------------------------------------------------------------- pause and end */

void binance_follow_pause(struct binance_follow *s, const char *why, int64_t now)
{
	s->now = now;
	if (s->paused || s->ending)
		return;
	s->paused = true;
	s->counters.pauses++;
	tell(s, BINANCE_NEWS_STALE, "%s: the connections are dropped", why);
	binance_follow_conn_close_all(s, now);
	snprintf(s->reason, sizeof s->reason, "%s", why);
}

void binance_follow_resume(struct binance_follow *s, const char *why, int64_t now)
{
	s->now = now;
	s->paused = false;
	tell(s, BINANCE_NEWS_CONNECTING, "%s: connecting again", why);
}

void binance_follow_end(struct binance_follow *s, int64_t now)
{
	s->now = now;
	if (s->ending)
		return;
	s->ending = true;
	binance_inbox_release(s->inbox);
	binance_news_tick(&s->news, INT64_MAX);
	binance_follow_conn_close_all(s, now);
}

bool binance_follow_ended(const struct binance_follow *s)
{
	for (unsigned i = 0; i < BINANCE_FOLLOW_CONNS; i++)
		if (s->conn[i].state != CONN_FREE)
			return false;
	return s->ending || s->gave_up;
}

/* ------------------------------------------------------------------------------------------------- life and sums */

struct binance_follow *binance_follow_new(
    const struct binance_follow_options *o, const struct binance_follow_events *ev, void *user)
{
	struct binance_follow *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->o = *o;
	s->ev = *ev;
	s->user = user;
	s->random = o->seed | 1;
	s->active = s->successor = NONE;
	backoff_open(&s->backoff, o->backoff_base, o->backoff_cap);
	backoff_open(&s->call_backoff, o->backoff_base, o->backoff_cap);
	binance_news_open(&s->news, NULL, ev->news, user);
	s->text = malloc(BINANCE_FRAME_MAX + JSON_PAD);
	s->inbox = binance_inbox_new(o->market, ev->frame, user);
	if (!s->text || !s->inbox) {
		binance_follow_free(s);
		return NULL;
	}
	binance_inbox_hold(s->inbox);
	return s;
}

void binance_follow_free(struct binance_follow *s)
{
	if (!s)
		return;
	binance_inbox_free(s->inbox);
	if (s->text)
		explicit_bzero(s->text, BINANCE_FRAME_MAX + JSON_PAD);
	free(s->text);
	explicit_bzero(s, sizeof *s);
	free(s);
}

const struct binance_follow_counters *binance_follow_counters(const struct binance_follow *s)
{
	return &s->counters;
}

struct binance_inbox *binance_follow_inbox(struct binance_follow *s)
{
	return s->inbox;
}
