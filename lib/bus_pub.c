#include "bus_pub.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "event.h"
#include "line.h"
#include "when.h"

/* The backlog is a ring of entries in the order of arrival, each with its id and text behind it. Places in it are
 * counted from the beginning of all times, so that they stay what they are while the ring turns. */
#define NOWHERE UINT64_MAX
#define NONE	UINT32_MAX
#define BUCKETS (2 * BUS_PUB_SUBJECTS)

enum state {
	WAITS,
	FLIES,
	DONE,
};

struct entry {
	uint64_t next; /* of the same subject; NOWHERE */
	uint64_t mark;
	uint32_t subject;
	uint32_t text_n;
	uint16_t id_n;
	uint8_t state;
	uint8_t gap; /* a record of ours */
};

struct subject {
	uint64_t head, tail; /* its entries that are not done with; NOWHERE: none */
	uint64_t missing;    /* lines left out since the last gap record */
	int64_t from, upto;  /* ms: when */
	uint32_t next;	     /* in its bucket, or of the free ones; index, NONE */
	uint8_t name_n;
	uint8_t stream_n;
	bool queued;  /* in the queue of those whose head may be sent */
	bool refused; /* by the store, not for want of room */
	char name[256];
	char stream[200];
};

struct slot {
	uint64_t pos; /* NOWHERE: free */
	int64_t due;
	uint32_t turn; /* of its use, part of the token */
	bool sent;     /* and not to be sent right now */
	bool before;   /* sent before */
};

struct bus_pub {
	struct bus_pub_options o;
	struct ring ring;
	uint64_t at; /* place of the oldest byte */
	uint64_t lines, mark;
	uint64_t own; /* ids of our own */

	struct subject *subject; /* owned */
	uint32_t *bucket;	 /* owned; index, NONE */
	uint32_t free_subject;
	uint32_t *queue; /* owned: a ring of subjects */
	uint32_t queue_at, queue_n;
	uint32_t lacking; /* subjects with missing > 0 */

	struct slot slot[BUS_PUB_WINDOW_MAX];
	uint32_t free_slot[BUS_PUB_WINDOW_MAX];
	uint32_t free_slots;
	unsigned flying;
	uint64_t flying_bytes;
	int64_t due; /* no slot is due before */
	bool dropping;
	struct bus_pub_counters counters;
};

/* ------------------------------------------------------------------------------------------------- whole */

struct bus_pub *bus_pub_new(const struct bus_pub_options *o)
{
	struct bus_pub *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->o = *o;
	p->due = INT64_MAX;
	p->subject = calloc(BUS_PUB_SUBJECTS, sizeof *p->subject);
	p->queue = calloc(BUS_PUB_SUBJECTS, sizeof *p->queue);
	p->bucket = malloc(BUCKETS * sizeof *p->bucket);
	if (!p->subject || !p->queue || !p->bucket || !ring_open(&p->ring, o->cap)) {
		bus_pub_free(p);
		return NULL;
	}
	memset(p->bucket, 0xff, BUCKETS * sizeof *p->bucket);
	for (uint32_t i = 0; i < BUS_PUB_SUBJECTS; i++)
		p->subject[i].next = i + 1 < BUS_PUB_SUBJECTS ? i + 1 : NONE;
	for (uint32_t i = 0; i < o->window; i++) {
		p->slot[i].pos = NOWHERE;
		p->free_slot[p->free_slots++] = o->window - 1 - i;
	}
	return p;
}

void bus_pub_free(struct bus_pub *p)
{
	if (!p)
		return;
	ring_close(&p->ring);
	free(p->subject);
	free(p->queue);
	free(p->bucket);
	free(p);
}

/* ------------------------------------------------------------------------------------------------- entries */

static struct entry *entry_at(const struct bus_pub *p, uint64_t pos)
{
	return (struct entry *)(void *)(p->ring.base + p->ring.at + (pos - p->at));
}

static size_t entry_bytes(size_t id_n, size_t text_n)
{
	return (sizeof(struct entry) + id_n + text_n + 7) / 8 * 8;
}

static struct span id_of(struct entry *e)
{
	return (struct span){ (char *)(e + 1), e->id_n };
}

static struct span text_of(struct entry *e)
{
	return (struct span){ (char *)(e + 1) + e->id_n, e->text_n };
}

/* ring_drop goes back to the first page when all is taken: places are counted on */
static void free_done(struct bus_pub *p)
{
	while (ring_used(&p->ring)) {
		struct entry *e = entry_at(p, p->at);
		if (e->state != DONE)
			return;
		size_t n = entry_bytes(e->id_n, e->text_n);
		p->mark = e->mark > p->mark ? e->mark : p->mark;
		p->lines--;
		p->at += n;
		ring_drop(&p->ring, n);
	}
}

/* ------------------------------------------------------------------------------------------------- subjects */

static uint32_t *bucket_of(const struct bus_pub *p, struct span name)
{
	uint64_t h = span_hash(name, SPAN_HASH);

	return &p->bucket[(h ^ h >> 32) % BUCKETS];
}

static struct span name_of(const struct subject *s)
{
	return (struct span){ s->name, s->name_n };
}

static uint32_t find(const struct bus_pub *p, struct span name)
{
	uint32_t i = *bucket_of(p, name);

	while (i != NONE && !span_eq(name_of(&p->subject[i]), name))
		i = p->subject[i].next;
	return i;
}

/* NONE: there are too many */
static uint32_t find_or_make(struct bus_pub *p, const struct bus_pub_line *l)
{
	uint32_t i = find(p, l->subject);

	if (i != NONE || p->free_subject == NONE)
		return i;
	i = p->free_subject;
	struct subject *s = &p->subject[i];
	p->free_subject = s->next;
	uint32_t *b = bucket_of(p, l->subject);
	*s = (struct subject){ .head = NOWHERE, .tail = NOWHERE, .next = *b, .name_n = (uint8_t)l->subject.n };
	*b = i;
	memcpy(s->name, l->subject.p, l->subject.n);
	if (l->stream.n && l->stream.n <= sizeof s->stream) {
		memcpy(s->stream, l->stream.p, l->stream.n);
		s->stream_n = (uint8_t)l->stream.n;
	}
	return i;
}

/* a subject of which nothing waits and nothing is missing is forgotten */
static void forget(struct bus_pub *p, uint32_t i)
{
	struct subject *s = &p->subject[i];

	if (s->head != NOWHERE || s->missing || s->queued)
		return;
	uint32_t *b = bucket_of(p, name_of(s));
	while (*b != i)
		b = &p->subject[*b].next;
	*b = s->next;
	s->next = p->free_subject;
	p->free_subject = i;
}

static void enqueue(struct bus_pub *p, uint32_t i)
{
	p->subject[i].queued = true;
	p->queue[(p->queue_at + p->queue_n++) % BUS_PUB_SUBJECTS] = i;
}

/* ------------------------------------------------------------------------------------------------- coming in */

static void append(struct bus_pub *p, uint32_t subject, struct span id, struct span text, uint64_t mark, bool gap)
{
	struct subject *s = &p->subject[subject];
	uint64_t pos = p->at + ring_used(&p->ring);
	struct entry *e = (struct entry *)(void *)ring_tail(&p->ring);

	*e = (struct entry){ .next = NOWHERE,
		.mark = mark,
		.subject = subject,
		.text_n = (uint32_t)text.n,
		.id_n = (uint16_t)id.n,
		.state = WAITS,
		.gap = gap };
	memcpy(e + 1, id.p, id.n);
	memcpy((char *)(e + 1) + id.n, text.p, text.n);
	ring_add(&p->ring, entry_bytes(id.n, text.n));
	p->lines++;
	if (s->tail != NOWHERE)
		entry_at(p, s->tail)->next = pos;
	s->tail = pos;
	if (s->head != NOWHERE)
		return;
	s->head = pos;
	enqueue(p, subject);
}

static struct span own_id(struct bus_pub *p, char out[48])
{
	return (struct span){ out, (size_t)snprintf(out, 48, "%016" PRIx64 "-%" PRIu64, p->o.run, ++p->own) };
}

static bool fits(const struct bus_pub *p, size_t n, size_t keep)
{
	return n + keep <= ring_free(&p->ring);
}

/* ------------------------------------------------------------------------------------------------- what is missing */

static void miss(struct bus_pub *p, uint32_t i, int64_t ms, bool refused)
{
	struct subject *s = &p->subject[i];

	if (s->missing++ == 0) {
		s->from = ms;
		s->refused = false;
		p->lacking++;
	}
	s->upto = ms;
	s->refused |= refused;
}

bool bus_pub_drop(struct bus_pub *p, const struct bus_pub_line *l, int64_t ms)
{
	uint32_t i = find_or_make(p, l);

	p->dropping = true;
	p->counters.dropped++;
	if (i != NONE)
		miss(p, i, ms, false);
	return i != NONE;
}

static struct span gap_record(const struct subject *s, int64_t ms, char out[LINE_RECORD_MAX])
{
	char detail[200], from[WHEN_TEXT_MAX], upto[WHEN_TEXT_MAX];
	struct event_status e = { .state = SPAN("gap"), .ts = ms, .stream = { s->stream, s->stream_n } };

	when_print(from, s->from * 1000, 3);
	when_print(upto, s->upto * 1000, 3);
	snprintf(detail, sizeof detail, "%" PRIu64 " line%s not published between %s and %s: %s", s->missing,
	    s->missing == 1 ? "" : "s", from, upto, s->refused ? "the server refused them" : "the backlog was full");
	e.detail = span_of(detail);
	return (struct span){ out, (size_t)(event_write_status(out, &e) - out) - 1 };
}

static bool tell(struct bus_pub *p, uint32_t i, int64_t ms)
{
	struct subject *s = &p->subject[i];
	char text[LINE_RECORD_MAX], own[48];
	struct span record = gap_record(s, ms, text);

	if (!fits(p, entry_bytes(sizeof own, record.n), 0))
		return false;
	append(p, i, own_id(p, own), record, p->mark, true);
	s->missing = 0;
	p->lacking--;
	p->counters.gaps++;
	return true;
}

enum bus_pub_put bus_pub_put(struct bus_pub *p, const struct bus_pub_line *l, uint64_t mark, int64_t ms)
{
	size_t n = entry_bytes(l->id.n > 48 ? l->id.n : 48, l->text.n);
	char own[48];

	if (p->dropping)
		return BUS_PUB_CLOSED;
	if (!fits(p, n, BUS_PUB_RESERVE))
		return BUS_PUB_FULL;
	uint32_t i = find_or_make(p, l);
	if (i == NONE)
		return BUS_PUB_CROWDED;
	/* what it lacks stands in front of what it gets again */
	if (p->subject[i].missing && !tell(p, i, ms))
		return BUS_PUB_FULL;
	if (!fits(p, n, BUS_PUB_RESERVE))
		return BUS_PUB_FULL;
	append(p, i, l->id.n ? l->id : own_id(p, own), l->text, mark, false);
	p->counters.in++;
	return BUS_PUB_TAKEN;
}

bool bus_pub_mend(struct bus_pub *p, int64_t ms)
{
	bool was = p->dropping;

	if (p->dropping && ring_used(&p->ring) > p->ring.cap / 2)
		return false;
	p->dropping = false;
	for (uint32_t i = 0; p->lacking && i < BUS_PUB_SUBJECTS; i++)
		if (p->subject[i].missing && !tell(p, i, ms))
			break;
	return was;
}

bool bus_pub_dropping(const struct bus_pub *p)
{
	return p->dropping;
}

/* ------------------------------------------------------------------------------------------------- sending */

static uint32_t token_of(const struct bus_pub *p, uint32_t slot)
{
	return p->slot[slot].turn << 12 | slot;
}

/* NULL: nobody waits for it */
static struct slot *slot_of(struct bus_pub *p, uint32_t token)
{
	struct slot *s = &p->slot[token % BUS_PUB_WINDOW_MAX];

	return token % BUS_PUB_WINDOW_MAX < p->o.window && s->pos != NOWHERE && (s->turn << 12) == (token & ~0xfffu)
		   ? s
		   : NULL;
}

static void give(struct bus_pub *p, uint32_t slot, int64_t now, struct bus_pub_message *m)
{
	struct slot *s = &p->slot[slot];
	struct entry *e = entry_at(p, s->pos);

	*m = (struct bus_pub_message){ .subject = name_of(&p->subject[e->subject]),
		.id = id_of(e),
		.text = text_of(e),
		.token = token_of(p, slot),
		.again = s->before };
	p->counters.sent++;
	p->counters.again += s->before;
	s->sent = s->before = true;
	s->due = now + p->o.ack_wait;
	p->due = s->due < p->due ? s->due : p->due;
}

/* one whose answer did not come in time, or that is to be sent again */
static bool give_again(struct bus_pub *p, int64_t now, struct bus_pub_message *m)
{
	int64_t next = INT64_MAX;

	if (now < p->due)
		return false;
	for (uint32_t i = 0; i < p->o.window; i++) {
		struct slot *s = &p->slot[i];
		if (s->pos == NOWHERE)
			continue;
		if (now >= s->due) {
			give(p, i, now, m);
			return true; /* p->due stays: there may be more */
		}
		next = s->due < next ? s->due : next;
	}
	p->due = next;
	return false;
}

static bool window_has_room(const struct bus_pub *p, const struct entry *e)
{
	return p->free_slots && (p->flying == 0 || p->flying_bytes + e->text_n <= p->o.bytes);
}

bool bus_pub_next(struct bus_pub *p, int64_t now, struct bus_pub_message *m)
{
	if (give_again(p, now, m))
		return true;
	if (p->queue_n == 0)
		return false;
	uint32_t subject = p->queue[p->queue_at];
	struct subject *s = &p->subject[subject];
	struct entry *e = entry_at(p, s->head);
	if (!window_has_room(p, e))
		return false;
	p->queue_at = (p->queue_at + 1) % BUS_PUB_SUBJECTS;
	p->queue_n--;
	s->queued = false;
	uint32_t slot = p->free_slot[--p->free_slots];
	p->slot[slot] = (struct slot){ .pos = s->head, .turn = p->slot[slot].turn + 1 };
	p->flying++;
	p->flying_bytes += e->text_n;
	e->state = FLIES;
	give(p, slot, now, m);
	return true;
}

void bus_pub_later(struct bus_pub *p, uint32_t token, int64_t now, int64_t wait)
{
	struct slot *s = slot_of(p, token);

	if (!s)
		return;
	s->due = now + wait;
	p->due = s->due < p->due ? s->due : p->due;
}

void bus_pub_up(struct bus_pub *p, int64_t now)
{
	for (uint32_t i = 0; i < p->o.window; i++)
		p->slot[i].due = now;
	p->due = now;
}

/* the line has been answered for; its subject's next one may go. Returns its subject. */
static uint32_t land(struct bus_pub *p, struct slot *slot, bool *gap)
{
	struct entry *e = entry_at(p, slot->pos);
	uint32_t i = e->subject;
	struct subject *s = &p->subject[i];

	*gap = e->gap;
	e->state = DONE;
	s->head = e->next;
	if (s->head == NOWHERE)
		s->tail = NOWHERE;
	else
		enqueue(p, i);
	p->flying--;
	p->flying_bytes -= e->text_n;
	slot->pos = NOWHERE;
	p->free_slot[p->free_slots++] = (uint32_t)(slot - p->slot);
	free_done(p);
	return i;
}

bool bus_pub_stored(struct bus_pub *p, uint32_t token, bool duplicate)
{
	struct slot *slot = slot_of(p, token);
	bool gap;

	if (!slot)
		return false;
	forget(p, land(p, slot, &gap));
	p->counters.stored++;
	p->counters.duplicates += duplicate;
	return true;
}

bool bus_pub_refused(struct bus_pub *p, uint32_t token, int64_t ms, struct span *subject)
{
	struct slot *slot = slot_of(p, token);
	bool gap;

	if (!slot)
		return false;
	uint32_t i = land(p, slot, &gap);
	*subject = name_of(&p->subject[i]);
	p->counters.refused++;
	if (!gap) /* of a gap record that is refused no other is made */
		miss(p, i, ms, true);
	else
		forget(p, i);
	return true;
}

int64_t bus_pub_due(const struct bus_pub *p)
{
	return p->flying ? p->due : INT64_MAX;
}

/* ------------------------------------------------------------------------------------------------- the state */

bool bus_pub_empty(const struct bus_pub *p)
{
	return p->lines == 0 && p->lacking == 0;
}

size_t bus_pub_bytes(const struct bus_pub *p)
{
	return ring_used(&p->ring);
}

uint64_t bus_pub_lines(const struct bus_pub *p)
{
	return p->lines;
}

unsigned bus_pub_flying(const struct bus_pub *p)
{
	return p->flying;
}

uint64_t bus_pub_mark(const struct bus_pub *p)
{
	return p->mark;
}

const struct bus_pub_counters *bus_pub_counters(const struct bus_pub *p)
{
	return &p->counters;
}

bool bus_pub_take_back(struct bus_pub *p, struct span *text, uint64_t *mark)
{
	while (ring_used(&p->ring)) {
		struct entry *e = entry_at(p, p->at);
		size_t n = entry_bytes(e->id_n, e->text_n);
		bool done = e->state == DONE;
		*mark = e->mark;
		*text = text_of(e); /* what ring_drop lets go of is written to no more */
		p->at += n;
		ring_drop(&p->ring, n);
		if (!done)
			return true;
	}
	return false;
}
