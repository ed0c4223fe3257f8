#include "merge.h"

#include <stdlib.h>

#include "json.h"

#define BUCKETS	   (1u << 14)
#define CHAIN_LOOK 64 /* a line that is there more often than that is no mark to keep step by */
#define NONE	   UINT32_MAX

struct node {
	struct node *next, *prev;     /* in its source, by time */
	struct node *younger, *older; /* in its bucket */
	struct node *above, *below;   /* in its lane, by rank */
	uint64_t number;	      /* in the order in which they came from their source */
	struct merge_line line;	      /* text and tag are its own */
	char data[];		      /* the tag, then the text, padded */
};

struct source {
	struct node *first, *last;
	size_t lines, bytes;
	uint64_t number;  /* of the line to come */
	int64_t high;	  /* the highest time so far */
	int64_t received; /* the highest one of arrival */
	int64_t latest;	  /* time by which the line stands that came last */
	int64_t floor;	  /* the same of the line that went last */
	bool ended;
};

struct bucket { /* lines of some hashes, in the order in which they came */
	struct node *oldest, *youngest;
};

struct lane { /* the lines of one sequence in one source */
	struct node *lowest, *highest;
	struct node *open; /* the lowest one above all that have gone, or one below it */
};

struct merge {
	struct merge_options o;
	struct merge_counters counters;
	struct node *taken;	       /* owned; the line that went last */
	struct bucket bucket[BUCKETS]; /* of copies: all lines, by hash */
	struct lane *lane;	       /* of copies: source * sequences + sequence; owned */
	uint64_t *gone;		       /* of copies: the highest rank that has gone, by sequence; owned */
	struct source source[];
};

/* -------------------------------------------------------------------------------------------------- sources */

static bool take_lanes(struct merge *m)
{
	m->lane = calloc(m->o.sources * m->o.sequences + 1, sizeof *m->lane);
	m->gone = calloc(m->o.sequences + 1, sizeof *m->gone);
	return m->lane && m->gone;
}

struct merge *merge_new(const struct merge_options *o)
{
	struct merge *m;

	if (o->sources > MERGE_SOURCES)
		return NULL;
	m = calloc(1, sizeof *m + o->sources * sizeof m->source[0]);
	if (!m)
		return NULL;
	m->o = *o;
	for (unsigned i = 0; i < o->sources; i++) {
		struct source *s = &m->source[i];
		s->high = s->received = s->latest = s->floor = WHEN_NEVER;
	}
	if (o->copies && !take_lanes(m)) {
		merge_free(m);
		return NULL;
	}
	return m;
}

void merge_free(struct merge *m)
{
	if (!m)
		return;
	for (unsigned i = 0; i < m->o.sources; i++)
		for (struct node *n = m->source[i].first, *next; n; n = next) {
			next = n->next;
			free(n);
		}
	free(m->taken);
	free(m->lane);
	free(m->gone);
	free(m);
}

const struct merge_counters *merge_counters(const struct merge *m)
{
	return &m->counters;
}

static bool is_full(const struct source *s)
{
	return s->lines >= MERGE_LINES || s->bytes >= MERGE_BYTES;
}

/* How far the source has come: the exchange's times, and those of records, may be ahead of the arrival, but not by more
 * than the window. */
static int64_t reached(const struct merge *m, const struct source *s)
{
	int64_t high = s->high == WHEN_NEVER ? s->high : s->high - m->o.window;

	return s->received > high ? s->received : high;
}

/* Can no line that is still to come stand before the first one, or keep it waiting? */
static bool is_past(const struct merge *m, const struct source *s)
{
	if (s->first->line.time == WHEN_NEVER)
		return s->high != WHEN_NEVER;
	return reached(m, s) - s->first->line.time > m->o.window;
}

bool merge_wants(const struct merge *m, unsigned source)
{
	const struct source *s = &m->source[source];

	if (s->ended)
		return false;
	return !s->first || (m->o.copies && !is_past(m, s) && !is_full(s));
}

void merge_end(struct merge *m, unsigned source)
{
	m->source[source].ended = true;
}

bool merge_over(const struct merge *m, unsigned source)
{
	return m->source[source].ended && !m->source[source].first;
}

/* ------------------------------------------------------------------------------------------------------ in */

static struct node *make_node(const struct merge *m, const struct merge_line *l)
{
	size_t tag = m->o.copies ? m->o.tag_bytes : 0;
	struct node *n = malloc(sizeof *n + tag + l->text.n + 1 + JSON_PAD);

	if (!n)
		return NULL;
	*n = (struct node){ .line = *l };
	char *text = n->data + tag;
	if (tag)
		memcpy(n->data, l->tag, tag);
	memcpy(text, l->text.p, l->text.n);
	memset(text + l->text.n, '\n', 1 + JSON_PAD);
	n->line.tag = n->data;
	n->line.text.p = text;
	return n;
}

/* The time by which it stands in its source: behind all others, but for lines that arrived late, and what does not say
 * when it arrived stays with the line before it. */
static int64_t time_of(struct merge *m, const struct source *s, const struct merge_line *l)
{
	bool late = m->o.copies && l->received && l->time < s->high && reached(m, s) - l->time <= m->o.window;
	int64_t time = late || l->time >= s->high ? l->time : l->received ? s->high : s->latest;

	m->counters.late += late;
	return time > s->floor ? time : s->floor;
}

static void insert(struct source *s, struct node *n)
{
	struct node *before = s->last;

	while (before && before->line.time > n->line.time)
		before = before->prev;
	n->prev = before;
	n->next = before ? before->next : s->first;
	*(n->prev ? &n->prev->next : &s->first) = n;
	*(n->next ? &n->next->prev : &s->last) = n;
	s->lines++;
	s->bytes += n->line.text.n;
}

static struct bucket *bucket_of(struct merge *m, const struct node *n)
{
	return &m->bucket[n->line.hash % BUCKETS];
}

static void enter_bucket(struct merge *m, struct node *n)
{
	struct bucket *b = bucket_of(m, n);

	n->older = b->youngest;
	*(n->older ? &n->older->younger : &b->oldest) = n;
	b->youngest = n;
}

static struct lane *lane_of(const struct merge *m, unsigned source, size_t sequence)
{
	return &m->lane[source * m->o.sequences + sequence];
}

static void enter_lane(struct merge *m, struct node *n)
{
	struct lane *l = lane_of(m, n->line.source, n->line.sequence);
	struct node *below = l->highest;

	while (below && below->line.rank > n->line.rank)
		below = below->below;
	n->below = below;
	n->above = below ? below->above : l->lowest;
	*(n->below ? &n->below->above : &l->lowest) = n;
	*(n->above ? &n->above->below : &l->highest) = n;
	if (!l->open || n->line.rank < l->open->line.rank)
		l->open = n;
}

bool merge_put(struct merge *m, const struct merge_line *l)
{
	struct source *s = &m->source[l->source];
	struct node *n = make_node(m, l);

	if (!n)
		return false;
	n->line.time = s->latest = time_of(m, s, l);
	n->number = s->number++;
	s->high = l->time > s->high ? l->time : s->high;
	if (l->received && l->time > s->received)
		s->received = l->time;
	insert(s, n);
	if (!m->o.copies)
		return true;
	enter_bucket(m, n);
	if (l->sequence)
		enter_lane(m, n);
	return true;
}

/* ----------------------------------------------------------------------------------------------------- out */

/* a copy of the line that went last, which its source is in step with then */
static unsigned copy_of_last(const struct merge *m)
{
	for (unsigned i = 0; m->taken && i < m->o.sources; i++)
		if (m->source[i].first && m->source[i].first->line.hash == m->taken->line.hash)
			return i;
	return NONE;
}

static unsigned lowest(const struct merge *m)
{
	unsigned found = NONE;

	for (unsigned i = 0; i < m->o.sources; i++) {
		const struct node *n = m->source[i].first;
		if (n && (found == NONE || n->line.time < m->source[found].first->line.time))
			found = i;
	}
	return found;
}

/* nothing waits for longer than the window */
static bool is_near(const struct merge *m, const struct node *line, const struct node *other)
{
	if (line->line.time == WHEN_NEVER || other->line.time == WHEN_NEVER)
		return true;
	return other->line.time - line->line.time <= m->o.window;
}

/* a copy of the line that stands behind others in its source */
static const struct node *copy_behind(struct merge *m, const struct node *line)
{
	uint64_t hash = line->line.hash;
	const struct node *n = bucket_of(m, line)->oldest;

	for (unsigned i = 0; n && i < CHAIN_LOOK; n = n->younger, i++)
		if (n->line.hash == hash && n->line.source != line->line.source && is_near(m, line, n) &&
		    m->source[n->line.source].first->line.hash != hash)
			return n;
	return NULL;
}

/* a line of its sequence that comes before it, and has not gone in another copy */
static const struct node *lower_rank(struct merge *m, const struct node *line)
{
	size_t sequence = line->line.sequence;

	for (unsigned i = 0; sequence && i < m->o.sources; i++) {
		struct lane *l = lane_of(m, i, sequence);
		while (l->open && l->open->line.rank <= m->gone[sequence])
			l->open = l->open->above;
		if (i != line->line.source && l->open && l->open->line.rank < line->line.rank &&
		    is_near(m, line, l->open))
			return l->open;
	}
	return NULL;
}

/* What must go before this first line of a source: the first line of another one; NULL: nothing. *lines: about how many
 * follow that one which must go as well. */
static const struct node *before(struct merge *m, const struct node *line, uint64_t *lines)
{
	const struct node *n = copy_behind(m, line);

	if (!n)
		n = lower_rank(m, line);
	if (!n)
		return NULL;
	const struct node *first = m->source[n->line.source].first;
	*lines = n->number > first->number ? n->number - first->number : 0;
	return first;
}

/* Whose first line need not wait for any. Where sources contradict each other, going round in a ring, the line that
 * would have to wait for most others goes first: it is the odd one. */
static unsigned in_step(struct merge *m, unsigned source)
{
	const struct node *at = m->source[source].first, *odd = at;
	uint64_t seen = 0, most = 0, lines;

	while (!(seen >> at->line.source & 1)) {
		seen |= 1ULL << at->line.source;
		const struct node *next = before(m, at, &lines);
		if (!next)
			return at->line.source;
		if (lines > most) {
			most = lines;
			odd = at;
		}
		at = next;
	}
	return odd->line.source;
}

static unsigned choose(struct merge *m)
{
	unsigned source = m->o.copies ? copy_of_last(m) : NONE;

	if (source != NONE)
		return source;
	source = lowest(m);
	return source != NONE && m->o.copies ? in_step(m, source) : source;
}

static void leave_bucket(struct merge *m, struct node *n)
{
	struct bucket *b = bucket_of(m, n);

	*(n->older ? &n->older->younger : &b->oldest) = n->younger;
	*(n->younger ? &n->younger->older : &b->youngest) = n->older;
}

static void leave_lane(struct merge *m, struct node *n)
{
	struct lane *l = lane_of(m, n->line.source, n->line.sequence);
	uint64_t *gone = &m->gone[n->line.sequence];

	*(n->below ? &n->below->above : &l->lowest) = n->above;
	*(n->above ? &n->above->below : &l->highest) = n->below;
	l->open = l->open == n ? n->above : l->open;
	*gone = n->line.rank > *gone ? n->line.rank : *gone;
}

static struct node *take_first(struct merge *m, struct source *s)
{
	struct node *n = s->first;

	s->first = n->next;
	*(n->next ? &n->next->prev : &s->last) = NULL;
	s->lines--;
	s->bytes -= n->line.text.n;
	s->floor = n->line.time;
	if (!m->o.copies)
		return n;
	leave_bucket(m, n);
	if (n->line.sequence)
		leave_lane(m, n);
	return n;
}

bool merge_next(struct merge *m, struct merge_line *l)
{
	unsigned source = choose(m);

	if (source == NONE)
		return false;
	struct source *s = &m->source[source];
	m->counters.early += m->o.copies && !s->ended && s->high != WHEN_NEVER && !is_past(m, s);
	free(m->taken);
	m->taken = take_first(m, s);
	*l = m->taken->line;
	return true;
}
