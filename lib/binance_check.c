#include "binance_check.h"

#include "line.h"
#include "when.h"

#define ONLY 0u /* line of the arbiter */

static void ignore(void *user, size_t stream, unsigned line, struct span payload, int64_t recv)
{
	(void)user, (void)stream, (void)line, (void)payload, (void)recv;
}

static void on_gap(void *user, const struct arbiter_gap *gap)
{
	const struct binance_check *c = user;
	const struct binance_track_stream *s = &c->track.stream[gap->stream];
	char record[LINE_RECORD_MAX];
	const char *end = binance_ids_gap_record(record, (struct span){ s->name, s->n }, s->kind, gap);

	c->gap(c->user, (struct span){ record, (size_t)(end - record) - 1 });
}

bool binance_check_open(struct binance_check *c, enum event_market market,
    void (*gap)(void *user, struct span record), void *user)
{
	static const struct arbiter_out out = { ignore, on_gap };
	const struct arbiter_options o = { .streams = BINANCE_TRACK_STREAMS + 1, .lines = 1 };

	*c = (struct binance_check){ .gap = gap, .user = user, .known = BINANCE_TRACK_REST + 1 };
	c->arbiter = arbiter_new(&o, &out, c);
	return binance_track_open(&c->track, market) && c->arbiter;
}

void binance_check_close(struct binance_check *c)
{
	arbiter_free(c->arbiter);
	c->arbiter = NULL;
	binance_track_close(&c->track);
}

/* whoever recorded it says that something may be missing; the next event tells whether something is */
static void take_notice(struct binance_check *c, struct span about)
{
	for (size_t i = BINANCE_TRACK_REST + 1; i < c->known; i++) {
		const struct binance_track_stream *s = &c->track.stream[i];
		if (about.n == 0 || span_eq(about, (struct span){ s->name, s->n }))
			arbiter_line(c->arbiter, i, ONLY, ARBITER_OFF, 0);
	}
}

void binance_check_line(struct binance_check *c, struct span line, int64_t us)
{
	struct binance_tracked t;

	if (!binance_track_line(&c->track, line, &t))
		return;
	for (; c->known < c->track.streams; c->known++)
		arbiter_line(c->arbiter, c->known, ONLY, ARBITER_ON, 0);
	if (t.what == BINANCE_TRACK_GAP || t.what == BINANCE_TRACK_CONNECTING)
		take_notice(c, t.about);
	else if (t.what == BINANCE_TRACK_FRAME)
		arbiter_offer(c->arbiter, t.stream, ONLY, &t.event, line, us == WHEN_NEVER ? 0 : us, 0);
}

size_t binance_check_streams(const struct binance_check *c)
{
	return c->known - BINANCE_TRACK_REST - 1;
}

uint64_t binance_check_gaps(const struct binance_check *c)
{
	return arbiter_counters(c->arbiter)->gaps;
}

uint64_t binance_check_copies(const struct binance_check *c)
{
	const struct arbiter_counters *n = arbiter_counters(c->arbiter);

	return n->copies + n->obsolete;
}
