#include "binance_merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "binance_track.h"

/* By time nothing depends on the arbiter's clock: whoever brings a stream has been doing so for long, and holes are
 * given up at once. */
#define BY_TIME_SINCE 0
#define BY_TIME_NOW   ARBITER_STEP_US

enum source_state {
	SOURCE_AWAITED, /* has brought no frame yet */
	SOURCE_ON,
	SOURCE_ENDED,
};

struct source {
	enum source_state state;
	int64_t since; /* it is on */
};

/* what is known of a line; by time it is kept with it until its turn comes */
struct known {
	struct binance_tracked t;
	bool tracked; /* else it is of one stream too many */
};

struct binance_merge {
	struct binance_merge_options o;
	struct binance_merge_out out;
	void *user;
	struct binance_track track;
	struct merge *order; /* by time; else NULL */
	struct arbiter *arbiter;
	struct source source[ARBITER_LINES];
	uint8_t brought[BINANCE_TRACK_STREAMS + 1]; /* by stream: bit per source that has brought some of it */
	size_t streams;				    /* known to the arbiter */
	uint64_t untracked;
};

_Static_assert(ARBITER_LINES <= 8, "a bit of a byte per source");

/* --------------------------------------------------------------------------------------------------- output */

static void on_print(void *user, size_t stream, unsigned line, struct span payload, int64_t recv)
{
	struct binance_merge *m = user;

	(void)stream, (void)line, (void)recv;
	m->out.line(m->user, payload);
}

static void tell_gap(struct binance_merge *m, const struct binance_track_stream *s, const struct arbiter_gap *gap)
{
	char text[BINANCE_NAME_MAX + BINANCE_GAP_TEXT_MAX + 100], detail[BINANCE_GAP_TEXT_MAX], ids[80] = "";

	if (gap->has_ids)
		snprintf(ids, sizeof ids, "last id %" PRIu64 ", next id %" PRIu64 ": ", gap->last_id, gap->next_id);
	binance_ids_gap_text(detail, s->kind, gap);
	snprintf(text, sizeof text, "gap: %s: %s%s", s->name, ids, detail);
	m->out.tell(m->user, text);
}

static void on_gap(void *user, const struct arbiter_gap *gap)
{
	struct binance_merge *m = user;
	const struct binance_track_stream *s = &m->track.stream[gap->stream];
	char record[LINE_RECORD_MAX];
	const char *end = binance_ids_gap_record(record, (struct span){ s->name, s->n }, s->kind, gap);

	m->out.line(m->user, (struct span){ record, (size_t)(end - record) - 1 });
	tell_gap(m, s, gap);
}

/* -------------------------------------------------------------------------------------------------- sources */

/* BINANCE_TRACK_REST is none of these: what belongs to no stream leaves no gap */
static void open_stream(struct binance_merge *m, size_t stream)
{
	for (unsigned i = 0; i < m->o.sources; i++) {
		const struct source *s = &m->source[i];
		if (s->state == SOURCE_AWAITED)
			arbiter_line(m->arbiter, stream, i, ARBITER_OPENING, s->since);
		else if (s->state == SOURCE_ON)
			arbiter_line(m->arbiter, stream, i, ARBITER_ON, s->since);
	}
}

static void all_streams(struct binance_merge *m, unsigned source, enum arbiter_state state, int64_t since)
{
	for (size_t i = BINANCE_TRACK_REST + 1; i < m->streams; i++)
		arbiter_line(m->arbiter, i, source, state, since);
}

/* the source may have missed something of the stream; who has never brought any of it proves nothing */
static void take_out(struct binance_merge *m, unsigned source, size_t stream)
{
	for (unsigned i = 0; i < m->o.sources; i++)
		if (i != source && m->source[i].state == SOURCE_ON && !(m->brought[stream] >> i & 1))
			arbiter_line(m->arbiter, stream, i, ARBITER_OPENING, m->source[i].since);
	arbiter_line(m->arbiter, stream, source, ARBITER_OFF, 0);
}

/* true: it was about a stream whose gaps are told here */
static bool take_out_named(struct binance_merge *m, unsigned source, struct span name)
{
	static const enum event_market markets[] = { EVENT_USDM, EVENT_COINM, EVENT_SPOT };
	bool known = false;

	/* the record does not say the market */
	for (size_t i = 0; i < sizeof markets / sizeof markets[0]; i++) {
		long stream = binance_track_find(&m->track, markets[i], name);
		known |= stream >= 0;
		if (stream >= 0)
			take_out(m, source, (size_t)stream);
	}
	return known;
}

/* true: the record is not passed on */
static bool take_notice(struct binance_merge *m, unsigned source, const struct binance_tracked *t)
{
	if (t->about.n > 0)
		return take_out_named(m, source, t->about) && t->what == BINANCE_TRACK_GAP;
	for (size_t i = BINANCE_TRACK_REST + 1; i < m->streams; i++)
		take_out(m, source, i);
	return false;
}

static void start_source(struct binance_merge *m, unsigned source, int64_t since)
{
	m->source[source] = (struct source){ SOURCE_ON, since };
	all_streams(m, source, ARBITER_ON, since);
}

static void end_in_order(struct binance_merge *m, unsigned source)
{
	m->source[source].state = SOURCE_ENDED;
	all_streams(m, source, ARBITER_OFF, 0);
}

/* ---------------------------------------------------------------------------------------------------- lines */

static struct known look_at(struct binance_merge *m, struct span line)
{
	struct known k;

	k.tracked = binance_track_line(&m->track, line, &k.t);
	/* two frames of a source without an id are two, though their bytes be the same */
	k.t.event.repeats = k.t.what == BINANCE_TRACK_FRAME;
	for (; m->streams < m->track.streams; m->streams++)
		open_stream(m, m->streams);
	return k;
}

static void pass_untracked(struct binance_merge *m, struct span line)
{
	char text[100];

	m->out.line(m->user, line);
	if (m->untracked++ > 0)
		return;
	snprintf(text, sizeof text, "more than %d streams: copies of lines of further ones are not known",
	    BINANCE_TRACK_STREAMS);
	m->out.tell(m->user, text);
}

/* since: from when on its source brings the stream, if it did not before */
static void offer(struct binance_merge *m, unsigned source, const struct known *k, struct span line, int64_t recv,
    int64_t since, int64_t now)
{
	const struct binance_tracked *t = &k->t;

	if (!k->tracked) {
		pass_untracked(m, line);
		return;
	}
	if ((t->what == BINANCE_TRACK_GAP || t->what == BINANCE_TRACK_CONNECTING) && take_notice(m, source, t))
		return;
	if (t->what == BINANCE_TRACK_FRAME) {
		if (m->source[source].state == SOURCE_AWAITED)
			start_source(m, source, since);
		arbiter_line(m->arbiter, t->stream, source, ARBITER_ON, since);
		m->brought[t->stream] |= (uint8_t)(1u << source);
	}
	arbiter_offer(m->arbiter, t->stream, source, &t->event, line, recv, now);
}

void binance_merge_line(struct binance_merge *m, unsigned source, struct span line, int64_t recv, int64_t now)
{
	struct known k = look_at(m, line);

	offer(m, source, &k, line, recv, now, now);
}

void binance_merge_tick(struct binance_merge *m, int64_t now)
{
	arbiter_tick(m->arbiter, now);
}

int64_t binance_merge_due(const struct binance_merge *m)
{
	return arbiter_due(m->arbiter);
}

void binance_merge_flush(struct binance_merge *m)
{
	arbiter_flush(m->arbiter);
}

/* -------------------------------------------------------------------------------------------------- by time */

bool binance_merge_wants(const struct binance_merge *m, unsigned source)
{
	return merge_wants(m->order, source);
}

bool binance_merge_put(struct binance_merge *m, unsigned source, struct span line, int64_t time, bool received)
{
	const struct known k = look_at(m, line);
	bool numbered = k.tracked && k.t.what == BINANCE_TRACK_FRAME && k.t.event.order != ARBITER_HASHED;
	const struct merge_line l = { .source = source,
		.text = line,
		.time = time,
		.received = received,
		.hash = binance_ids_hash(line),
		.sequence = numbered ? k.t.stream : BINANCE_TRACK_REST,
		.rank = k.t.event.id,
		.tag = &k };

	return merge_put(m->order, &l);
}

bool binance_merge_next(struct binance_merge *m)
{
	struct merge_line l;
	struct known k;

	if (!merge_next(m->order, &l))
		return false;
	memcpy(&k, l.tag, sizeof k);
	if (k.t.about.n > 0) /* it points into what has been read meanwhile */
		k = look_at(m, l.text);
	offer(m, l.source, &k, l.text, l.time == WHEN_NEVER ? 0 : l.time / 1000, BY_TIME_SINCE, BY_TIME_NOW);
	arbiter_flush(m->arbiter);
	if (merge_over(m->order, l.source))
		end_in_order(m, l.source);
	return true;
}

void binance_merge_end(struct binance_merge *m, unsigned source)
{
	if (m->order)
		merge_end(m->order, source);
	if (!m->order || merge_over(m->order, source))
		end_in_order(m, source);
}

/* ---------------------------------------------------------------------------------------------------- whole */

static bool take_memory(struct binance_merge *m)
{
	static const struct arbiter_out events = { on_print, on_gap };
	const struct arbiter_options arbiter = { .streams = BINANCE_TRACK_STREAMS + 1,
		.lines = m->o.sources,
		.window = m->o.window,
		.join = m->o.window };
	const struct merge_options order = { .sources = m->o.sources,
		.copies = true,
		.window = m->o.window * 1000,
		.sequences = BINANCE_TRACK_STREAMS + 1,
		.tag_bytes = sizeof(struct known) };

	m->arbiter = arbiter_new(&arbiter, &events, m);
	m->order = m->o.by_time ? merge_new(&order) : NULL;
	return binance_track_open(&m->track, m->o.market) && m->arbiter && (m->order || !m->o.by_time);
}

struct binance_merge *binance_merge_new(const struct binance_merge_options *o, const struct binance_merge_out *out,
    void *user)
{
	struct binance_merge *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->o = *o;
	m->out = *out;
	m->user = user;
	m->streams = BINANCE_TRACK_REST + 1;
	if (!take_memory(m)) {
		binance_merge_free(m);
		return NULL;
	}
	return m;
}

void binance_merge_free(struct binance_merge *m)
{
	if (!m)
		return;
	merge_free(m->order);
	arbiter_free(m->arbiter);
	binance_track_close(&m->track);
	free(m);
}

const struct arbiter_counters *binance_merge_counters(const struct binance_merge *m)
{
	return arbiter_counters(m->arbiter);
}

const struct merge_counters *binance_merge_order(const struct binance_merge *m)
{
	return m->order ? merge_counters(m->order) : NULL;
}

size_t binance_merge_held(const struct binance_merge *m)
{
	return arbiter_held(m->arbiter);
}

uint64_t binance_merge_untracked(const struct binance_merge *m)
{
	return m->untracked;
}
