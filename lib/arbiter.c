#include "arbiter.h"

#include <stdlib.h>

struct held {
	struct held *next;
	struct arbiter_event e;
	bool has_prev; /* prev is known: by the event itself, or by what its line brought before */
	bool joining;  /* the first one of its line */
	unsigned line;
	int64_t recv, since;
	size_t n;
	char payload[];
};

struct line {
	enum arbiter_state state;
	int64_t since; /* it is on */
	bool any;      /* has brought an event since it is on */
	uint64_t seen; /* the highest id it brought */
	unsigned met;  /* bit per line: both have brought one content */
};

/* An event that was printed, and which lines have brought its content. Packed, since most of the memory of a thousand
 * streams is these. */
struct __attribute__((packed)) recent {
	uint64_t id;
	uint8_t lines;
};
_Static_assert(ARBITER_LINES <= 8, "a bit for each line");

struct stream {
	bool any;    /* something with a number has been printed: last is one */
	bool any_hashed;
	bool broken; /* no line was on at some moment since */
	uint64_t last;
	int64_t last_time; /* the highest */
	int64_t last_recv;
	struct line line[ARBITER_LINES];
	struct held *held; /* by id, growing; owned */
	struct stream *next_holding, **holding; /* while there is one: among all that hold, and who points here */
	struct recent *recent; /* ring, owned; NULL until there is one */
	size_t recent_n;       /* ever put */
};

struct arbiter {
	struct arbiter_options o;
	struct arbiter_out out;
	void *user;
	struct arbiter_counters counters;
	size_t held_events, held_bytes;
	struct stream *holding, **holding_end; /* streams that hold something, in the order in which they began to */
	struct stream stream[];
};

struct arbiter *arbiter_new(const struct arbiter_options *o, const struct arbiter_out *out, void *user)
{
	struct arbiter *a;

	if (o->lines > ARBITER_LINES || o->streams > (SIZE_MAX - sizeof *a) / sizeof a->stream[0])
		return NULL;
	a = calloc(1, sizeof *a + o->streams * sizeof a->stream[0]);
	if (!a)
		return NULL;
	a->o = *o;
	a->out = *out;
	a->user = user;
	a->holding_end = &a->holding;
	return a;
}

/* it holds its first event */
static void begin_holding(struct arbiter *a, struct stream *s)
{
	s->holding = a->holding_end;
	*s->holding = s;
	s->next_holding = NULL;
	a->holding_end = &s->next_holding;
}

static void end_holding(struct arbiter *a, struct stream *s)
{
	*s->holding = s->next_holding;
	if (s->next_holding)
		s->next_holding->holding = s->holding;
	else
		a->holding_end = s->holding;
}

static void drop_held(struct arbiter *a, struct stream *s)
{
	struct held *h = s->held;

	s->held = h->next;
	a->held_events--;
	a->held_bytes -= h->n;
	free(h);
	if (!s->held)
		end_holding(a, s);
}

void arbiter_free(struct arbiter *a)
{
	if (!a)
		return;
	while (a->holding)
		drop_held(a, a->holding);
	for (size_t i = 0; i < a->o.streams; i++)
		free(a->stream[i].recent);
	free(a);
}

const struct arbiter_counters *arbiter_counters(const struct arbiter *a)
{
	return &a->counters;
}

size_t arbiter_held(const struct arbiter *a)
{
	return a->held_events;
}

static size_t number_of(const struct arbiter *a, const struct stream *s)
{
	return (size_t)(s - a->stream);
}

/* ------------------------------------------------------------------------------------------------ printing */

/* among the latest that were printed, the newest first; NULL: not there */
static struct recent *find_recent(const struct stream *s, uint64_t id)
{
	size_t n = s->recent_n < ARBITER_RECENT ? s->recent_n : ARBITER_RECENT;

	for (size_t i = 1; i <= n; i++) {
		struct recent *r = &s->recent[(s->recent_n - i) % ARBITER_RECENT];
		if (r->id == id)
			return r;
	}
	return NULL;
}

/* without memory for it copies of contents are not known, and those of numbers not told from what comes too late */
static void remember(struct stream *s, uint64_t id, unsigned line)
{
	if (!s->recent)
		s->recent = calloc(ARBITER_RECENT, sizeof *s->recent);
	if (s->recent)
		s->recent[s->recent_n++ % ARBITER_RECENT] = (struct recent){ id, (uint8_t)(1u << line) };
}

static void print(struct arbiter *a, struct stream *s, const struct arbiter_event *e, unsigned line,
    struct span payload, int64_t recv)
{
	s->broken = false;
	if (e->order == ARBITER_HASHED) {
		s->any_hashed = true;
	} else {
		s->any = true;
		s->last = e->id;
	}
	s->last_time = e->time > s->last_time ? e->time : s->last_time;
	s->last_recv = recv;
	remember(s, e->id, line);
	a->counters.won[line]++;
	a->out.print(a->user, number_of(a, s), line, payload, recv);
}

static void tell_gap(struct arbiter *a, const struct stream *s, const struct arbiter_event *e, bool back, int64_t recv)
{
	struct arbiter_gap gap = { .stream = number_of(a, s),
		.proven = e->order == ARBITER_CHAINED && !back,
		.back = back,
		.has_ids = e->order != ARBITER_HASHED,
		.last_id = s->last,
		.next_id = e->id,
		.prev = e->prev,
		.last_recv = s->last_recv,
		.next_recv = recv };

	a->counters.gaps++;
	a->out.gap(a->user, &gap);
}

/* the first held event, in order or behind a gap that has just been told */
static void print_held(struct arbiter *a, struct stream *s)
{
	struct held *h = s->held;

	print(a, s, &h->e, h->line, (struct span){ h->payload, h->n }, h->recv);
	drop_held(a, s);
}

/* what follows the event printed last without a hole */
static void drain(struct arbiter *a, struct stream *s)
{
	while (s->held) {
		if (s->held->e.id <= s->last) {
			a->counters.copies++;
			drop_held(a, s);
		} else if (s->held->has_prev && s->held->e.prev <= s->last) {
			print_held(a, s);
		} else {
			return;
		}
	}
}

/* the hole before the first held event is not filled any more */
static void give_up_first(struct arbiter *a, struct stream *s)
{
	tell_gap(a, s, &s->held->e, false, s->held->recv);
	print_held(a, s);
	drain(a, s);
}

static void give_up_all(struct arbiter *a, struct stream *s)
{
	while (s->held)
		give_up_first(a, s);
}

/* ------------------------------------------------------------------------------------------------- holding */

/* may a line still bring something before `id`? */
static bool fillable(const struct arbiter *a, const struct stream *s, uint64_t id)
{
	for (unsigned i = 0; i < a->o.lines; i++) {
		const struct line *l = &s->line[i];
		if (l->state == ARBITER_OPENING || (l->state == ARBITER_ON && (!l->any || l->seen < id)))
			return true;
	}
	return false;
}

static void release_hopeless(struct arbiter *a, struct stream *s)
{
	while (s->held && !fillable(a, s, s->held->e.id))
		give_up_first(a, s);
}

/* puts h in its place, or drops it as a copy; false: that is one more than may be held */
static bool insert(struct arbiter *a, struct stream *s, struct held *h)
{
	struct held **at = &s->held;

	while (*at && (*at)->e.id < h->e.id)
		at = &(*at)->next;
	if (*at && (*at)->e.id == h->e.id) {
		a->counters.copies++;
		/* a copy may know what was before it where the first one does not */
		if (h->has_prev && !(*at)->has_prev) {
			(*at)->has_prev = true;
			(*at)->e.prev = h->e.prev;
		}
		free(h);
		return true;
	}
	if (!s->held)
		begin_holding(a, s);
	h->next = *at;
	*at = h;
	a->held_events++;
	a->held_bytes += h->n;
	return a->held_events <= ARBITER_HELD_EVENTS && a->held_bytes <= ARBITER_HELD_BYTES;
}

/* There is a hole before it, which another line may fill. `as`: without its payload. */
static void hold(struct arbiter *a, struct stream *s, const struct held *as, const char *payload)
{
	struct held *h = malloc(sizeof *h + as->n);

	if (h) {
		*h = *as;
		memcpy(h->payload, payload, as->n);
		if (!insert(a, s, h))
			give_up_all(a, s);
		return;
	}
	/* no memory: the holes are told, and the event goes on */
	give_up_all(a, s);
	if (as->e.id > s->last) {
		tell_gap(a, s, &as->e, false, as->recv);
		print(a, s, &as->e, as->line, (struct span){ payload, as->n }, as->recv);
	}
}

/* ------------------------------------------------------------------------------------------------ deciding */

/* Ids that go back begin a new numbering (an exchange restored, a test network reset) when times go on: at once where
 * no line was on in between, else after ARBITER_BACK_MS. Otherwise it is an old event once more. */
static bool began_anew(const struct stream *s, const struct line *l, const struct arbiter_event *e)
{
	if (e->id >= s->last)
		return false;
	if (e->time < 0 || s->last_time <= 0)
		return s->broken && !l->any;
	return e->time > s->last_time + (s->broken ? 0 : ARBITER_BACK_MS);
}

static void begin_anew(struct arbiter *a, struct stream *s, const struct arbiter_event *e, unsigned line,
    struct span payload, int64_t recv)
{
	give_up_all(a, s);
	for (unsigned i = 0; i < a->o.lines; i++)
		s->line[i].any = false;
	tell_gap(a, s, e, true, recv);
	print(a, s, e, line, payload, recv);
}

/* in order: what others brought and is older goes first, what waited for it behind it */
static void accept(struct arbiter *a, struct stream *s, const struct arbiter_event *e, unsigned line,
    struct span payload, int64_t recv)
{
	/* a proven hole, not just a line that has joined a moment ago */
	bool filled = s->held && s->held->has_prev && s->held->line != line && s->held->e.id > e->id;

	while (s->held && s->held->e.id < e->id)
		print_held(a, s);
	print(a, s, e, line, payload, recv);
	a->counters.fills += filled;
	drain(a, s);
}

static bool is_in_step(const struct line *l, int64_t now)
{
	return l->state == ARBITER_ON && now - l->since >= ARBITER_STEP_US;
}

/* Is it known what was before this event? A line leaves nothing out between two that it brings; and where it is on for
 * long and the stream was never without a line, its first one follows what was printed last. */
static bool know_prev(const struct stream *s, const struct line *l, struct arbiter_event *e, int64_t now)
{
	if (e->order == ARBITER_CHAINED)
		return true;
	e->prev = l->any ? l->seen : s->last;
	return l->any || (!s->broken && is_in_step(l, now));
}

static void offer_numbered(struct arbiter *a, struct stream *s, unsigned line, struct arbiter_event e,
    struct span payload, int64_t recv, int64_t now)
{
	struct line *l = &s->line[line];
	bool has_prev = know_prev(s, l, &e, now);

	if (s->any && began_anew(s, l, &e)) {
		begin_anew(a, s, &e, line, payload, recv);
	} else if (s->any && e.id <= s->last) {
		a->counters.copies += find_recent(s, e.id) != NULL;
		a->counters.obsolete += find_recent(s, e.id) == NULL;
	} else if (!s->any || (has_prev && e.prev <= s->last)) {
		accept(a, s, &e, line, payload, recv);
	} else {
		struct held h = { .e = e,
			.has_prev = has_prev,
			.joining = !l->any,
			.line = line,
			.recv = recv,
			.since = now,
			.n = payload.n };
		hold(a, s, &h, payload.p);
	}
	if (!l->any || e.id > l->seen)
		l->seen = e.id;
	l->any = true;
	release_hopeless(a, s);
}

/* one more line has brought it */
static void meet(struct arbiter *a, struct stream *s, struct recent *r, unsigned line)
{
	r->lines |= (uint8_t)(1u << line);
	for (unsigned i = 0; i < a->o.lines; i++)
		if (r->lines >> i & 1)
			s->line[i].met |= r->lines;
}

/* what this event is a copy of, the newest first; NULL: of nothing */
static struct recent *find_original(const struct stream *s, unsigned line, const struct arbiter_event *e)
{
	size_t n = s->recent_n < ARBITER_RECENT ? s->recent_n : ARBITER_RECENT;

	if (!e->repeats)
		return find_recent(s, e->id);
	for (size_t i = 1; i <= n; i++) {
		struct recent *r = &s->recent[(s->recent_n - i) % ARBITER_RECENT];
		if (r->id == e->id && !(r->lines >> line & 1))
			return r;
	}
	return NULL;
}

static void offer_hashed(struct arbiter *a, struct stream *s, unsigned line, const struct arbiter_event *e,
    struct span payload, int64_t recv)
{
	struct recent *known = find_original(s, line, e);

	s->line[line].any = true;
	if (known) {
		a->counters.copies++;
		meet(a, s, known, line);
		return;
	}
	if (s->any_hashed && s->broken)
		tell_gap(a, s, e, false, recv);
	print(a, s, e, line, payload, recv);
}

void arbiter_offer(struct arbiter *a, size_t stream, unsigned line, const struct arbiter_event *e, struct span payload,
    int64_t recv, int64_t now)
{
	struct stream *s = &a->stream[stream];

	if (s->line[line].state != ARBITER_ON)
		arbiter_line(a, stream, line, ARBITER_ON, now);
	if (e->order == ARBITER_HASHED)
		offer_hashed(a, s, line, e, payload, recv);
	else
		offer_numbered(a, s, line, *e, payload, recv, now);
}

/* --------------------------------------------------------------------------------------------------- lines */

/* its next connection begins from nothing */
static void forget(struct arbiter *a, struct stream *s, unsigned line)
{
	size_t n = s->recent_n < ARBITER_RECENT ? s->recent_n : ARBITER_RECENT;

	s->line[line].any = false;
	s->line[line].met = 0;
	for (unsigned i = 0; i < a->o.lines; i++)
		s->line[i].met &= ~(1u << line);
	for (size_t i = 0; i < n; i++)
		s->recent[i].lines &= (uint8_t)~(1u << line);
}

void arbiter_line(struct arbiter *a, size_t stream, unsigned line, enum arbiter_state state, int64_t now)
{
	struct stream *s = &a->stream[stream];
	struct line *l = &s->line[line];
	bool on = false;

	if (state == ARBITER_ON) {
		l->since = l->state == ARBITER_ON ? l->since : now;
		l->state = state;
		return;
	}
	l->state = state;
	forget(a, s, line);
	for (unsigned i = 0; i < a->o.lines; i++)
		on |= s->line[i].state == ARBITER_ON;
	s->broken |= !on;
	release_hopeless(a, s);
}

/* until when the first hole of a stream that holds something is waited for */
static int64_t upto(const struct arbiter *a, const struct stream *s)
{
	return s->held->since + (s->held->joining ? a->o.join : a->o.window);
}

void arbiter_tick(struct arbiter *a, int64_t now)
{
	for (struct stream *s = a->holding, *next; s; s = next) {
		next = s->next_holding;
		while (s->held && now >= upto(a, s))
			give_up_first(a, s);
	}
}

int64_t arbiter_due(const struct arbiter *a)
{
	int64_t due = INT64_MAX;

	for (const struct stream *s = a->holding; s; s = s->next_holding)
		due = upto(a, s) < due ? upto(a, s) : due;
	return due;
}

void arbiter_flush(struct arbiter *a)
{
	while (a->holding)
		give_up_all(a, a->holding);
}

bool arbiter_covers(const struct arbiter *a, size_t stream, unsigned line, unsigned old, int64_t now)
{
	const struct stream *s = &a->stream[stream];
	const struct line *l = &s->line[line];

	if (l->state != ARBITER_ON)
		return false;
	if (is_in_step(l, now))
		return true;
	if (!s->line[old].any)
		return now - l->since >= a->o.window;
	/* contents have no order: only one that both have brought says where they are to each other. While a numbered
	 * event is held, the new line may be ahead */
	return l->any && (s->any ? !s->held : (l->met >> old & 1) != 0);
}
