#include "mock_feed.h"

#include <inttypes.h>

#include "mock_act.h"
#include "mock_payload.h"
#include "mock_send.h"

#define BUDGET	 512	 /* frames in one round: clients are looked after in between */
#define LATE_US	 1000000 /* what a stalled process catches up with at most */
#define RETRY_US 1000	 /* when clients have much waiting */

static void give(struct mock_feed *f, struct mock_stream *s, struct span payload)
{
	struct span name = span_of(s->name);

	for (size_t i = 0; i < s->conns; i++) {
		struct mock_conn *c = s->conn[i];
		mock_send_data(c, name, payload, f->now);
		if (c->armed)
			mock_act_due(c, f->now, f->wall_ms);
		mock_conn_flush(c, f->now); /* a message a TLS record, as the exchange sends them */
	}
}

/* --- the walk ------------------------------------------------------------------------------------------------ */

static bool wanted(const struct mock_stream *s)
{
	while (s && s->conns == 0)
		s = s->also;
	return s != NULL;
}

static void give_slot(struct mock_feed *f, struct mock_stream *s)
{
	while (s) {
		struct mock_stream *next = s->also;
		give(f, s, mock_buf_span(&f->payload));
		s = next;
	}
}

static void on_event(
    void *ctx, struct mock_walk *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot)
{
	struct mock_feed *f = ctx;
	struct mock_stream *first;
	struct mock_stream *second = NULL;

	if (market == MOCK_MARKETS) {
		first = w->user[MOCK_USDM][slot];
		second = w->user[MOCK_COINM][slot];
	} else {
		first = s ? s->user[slot] : w->user[market][slot];
	}
	if (!wanted(first) && !wanted(second))
		return;
	mock_buf_clear(&f->payload);
	mock_payload(&f->payload, w, s, market, slot);
	give_slot(f, first);
	give_slot(f, second);
}

/* simulated time at the moment `now` */
static int64_t simulated(const struct mock_feed *f, int64_t now)
{
	return (int64_t)((uint64_t)(now - f->began) / 1000 * f->speed) +
	       (now - f->began) % 1000 * (int64_t)f->speed / 1000;
}

static int64_t real(const struct mock_feed *f, int64_t simulated_us)
{
	return f->began +
	       (int64_t)((uint64_t)simulated_us / f->speed * 1000 +
			 (uint64_t)simulated_us % f->speed * 1000 / f->speed) +
	       1;
}

/* a process that stood still for long does not pour out what it missed */
static void forgive(struct mock_feed *f, int64_t due)
{
	int64_t late = f->now - due;

	if (late <= LATE_US)
		return;
	f->began += late;
	if (!f->fixed_epoch && !f->recording)
		f->walk->epoch_ms += late / 1000;
}

static void pump_walk(struct mock_feed *f)
{
	if (f->speed > 0)
		forgive(f, real(f, mock_walk_next(f->walk)));
	for (int i = 0; i < BUDGET; i++) {
		if (f->speed > 0 && mock_walk_next(f->walk) > simulated(f, f->now))
			return;
		mock_walk_run(f->walk);
	}
}

/* --- the recording ------------------------------------------------------------------------------------------- */

/* a frame that does not say its market belongs to whatever this exchange is */
static void give_take(struct mock_feed *f)
{
	const struct mock_take *t = &f->take;
	enum mock_market market = t->market == MOCK_MARKETS ? f->market : t->market;

	for (unsigned m = 0; m < MOCK_MARKETS; m++) {
		bool meant = market == MOCK_MARKETS || m == (unsigned)market;
		for (size_t i = 0; meant && i < t->names; i++) {
			struct mock_stream *s = mock_hub_find(f->hub, (enum mock_market)m, t->name[i]);
			if (s)
				give(f, s, t->payload);
		}
	}
}

static void end_of_recording(struct mock_feed *f, const char *event)
{
	f->ended = true;
	mock_log_begin(f->log, event, 0);
	mock_log_number(f->log, "frames", (int64_t)f->takes);
	mock_log_number(f->log, "bad", (int64_t)f->recording->bad);
}

static void end_recording(struct mock_feed *f)
{
	if (f->loop && mock_recording_rewind(f->recording)) {
		f->first = -1;
		return;
	}
	end_of_recording(f, "recording-end");
	mock_log_end(f->log);
}

/* what stood before the damage has been served; a loop would meet it again */
static void fail_recording(struct mock_feed *f)
{
	const struct mock_recording *r = f->recording;

	end_of_recording(f, "recording-failed");
	mock_log_number(f->log, "offset", (int64_t)r->at);
	mock_log_text(f->log, "why", span_of(r->why));
	mock_log_end(f->log);
	f->tell("%s: breaks off at byte %" PRIu64 ": %s", f->file, r->at, r->why);
}

/* the next frame of the recording stands in f->take; false: there is none now */
static bool fetch(struct mock_feed *f)
{
	if (f->have)
		return true;
	switch (mock_recording_next(f->recording, &f->take)) {
	case MOCK_RECORDING_ONE:
		f->have = true;
		f->takes++;
		break;
	case MOCK_RECORDING_WAIT:
		return false;
	case MOCK_RECORDING_END:
		end_recording(f);
		return false;
	case MOCK_RECORDING_FAILED:
		fail_recording(f);
		return false;
	}
	if (f->first < 0 && f->take.us >= 0) {
		f->first = f->take.us;
		f->began = f->now;
	}
	return true;
}

/* when the frame in f->take is due */
static int64_t take_due(const struct mock_feed *f)
{
	if (f->speed == 0 || f->take.us <= f->first)
		return f->now;
	return real(f, f->take.us - f->first);
}

static void pump_recording(struct mock_feed *f)
{
	for (int i = 0; i < BUDGET && !f->ended && fetch(f); i++) {
		int64_t due = take_due(f);
		forgive(f, due);
		if (due > f->now)
			return;
		f->have = false;
		give_take(f);
	}
}

/* --- both ---------------------------------------------------------------------------------------------------- */

void mock_feed_open(struct mock_feed *f)
{
	f->payload = mock_buf_of(4u << 20);
	f->first = -1;
	f->walk->event = on_event;
	f->walk->ctx = f;
}

void mock_feed_close(struct mock_feed *f)
{
	mock_buf_free(&f->payload);
}

static bool starts(struct mock_feed *f)
{
	if (!f->started && f->hub->live >= f->start_after) {
		f->started = true;
		f->began = f->now;
		if (!f->fixed_epoch)
			mock_walk_epoch(f->walk, f->wall_ms);
	}
	return f->started;
}

void mock_feed_pump(struct mock_feed *f, int64_t now, int64_t wall_ms)
{
	f->now = now;
	f->wall_ms = wall_ms;
	if (f->ended || !starts(f) || (f->speed == 0 && (f->crowded || f->hub->live == 0)))
		return;
	if (f->recording)
		pump_recording(f);
	else
		pump_walk(f);
}

/* for more of a recording that comes through a pipe */
static bool waits(const struct mock_feed *f)
{
	return f->recording && f->recording->waits;
}

int64_t mock_feed_due(const struct mock_feed *f, int64_t now)
{
	if (f->ended)
		return INT64_MAX;
	if (!f->started)
		return f->hub->live >= f->start_after ? now : INT64_MAX;
	if (f->speed == 0 && f->hub->live == 0)
		return INT64_MAX;
	if (f->speed == 0 && f->crowded)
		return now + RETRY_US;
	if (waits(f))
		return INT64_MAX;
	if (f->speed == 0)
		return now;
	if (!f->recording)
		return real(f, mock_walk_next(f->walk));
	return f->have ? take_due(f) : now;
}

int mock_feed_fd(const struct mock_feed *f)
{
	return f->started && !f->ended && waits(f) ? f->recording->fd : -1;
}
