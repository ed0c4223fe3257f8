#include "hub.h"

#include <stdio.h>
#include <stdlib.h>

#include "jsonw.h"
#include "line.h"
#include "num.h"

#define BUCKETS	   (2 * HUB_KEYS_MAX) /* of keys, by name */
#define NO_KEY	   UINT32_MAX
#define OVERHEAD   64 /* bytes that a line in a queue costs besides its own */
#define IDLE_QUEUE 64 /* entries: a queue that is longer is given back when it is empty */
#define SOURCE_MAX 16
#define CHANNELS   (1 + HUB_RATES_MAX) /* the first is that of every line */

/* A batch wakes every reader, and that costs the same however little is in it: some 50 µs of CPU where a bnc-tap and
 * websocketd stand behind the socket. So lines are gathered from one batch to the next, the longer the more readers there
 * are; what comes after a while of nothing goes at once. */
#define FEW_READERS 4		/* that need no such care */
#define GATHER_US   100		/* a reader */
#define GATHER_MAX  20000	/* µs */
#define ENOUGH	    (32u << 10) /* bytes that wait for no more */

const unsigned hub_latency_ms[HUB_BUCKETS] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 30000 };

/* a line with its '\n', for as many as hold it */
struct text {
	unsigned refs;
	uint64_t number;  /* in the order in which they came */
	uint64_t history; /* its number there, from 1; 0: it was not put there */
	enum event_type type;
	uint32_t n;
	char p[];
};

struct key {
	char *name; /* owned */
	size_t n;
	enum event_type type;
	struct text *newest;
	int64_t came;	    /* monotonic */
	int64_t history_ts; /* of its latest line there; -1: none, or it has no time */
};

/* what waits for a reader: a line, or the newest one of a key that is due when its turn comes */
struct entry {
	struct text *text; /* NULL: of the key */
	uint32_t key;
	bool free; /* of the snapshot: does not count against the reader */
};

/* lines that are due at the same time for all readers of one rate */
struct batch {
	struct text **text; /* owned, and a reference each */
	uint32_t *key;	    /* owned; NO_KEY: a kept line */
	size_t n, cap, bytes;
	uint64_t first; /* no line in it has a lower number */
};

struct channel {
	unsigned rate;
	size_t readers;
	struct hub_reader *first;
	struct batch now;    /* to be given with the next pump that is due */
	int64_t next;	     /* when one is: of `now` */
	struct batch later;  /* with a rate: the newest of each key, when that is due */
	uint32_t *place;     /* owned; with a rate: by key, 1 + where it stands in `later` */
	struct text **given; /* owned, and a reference each; by key: the newest that was due, which those behind get */
	int64_t due;	     /* of `later` */
};

struct hub_reader {
	struct hub_reader *next, **link;
	struct channel *channel;
	void *user;
	struct entry *queue; /* owned; a ring */
	size_t head, n, cap;
	size_t kept;	   /* bytes of lines there that count */
	uint64_t *waits;   /* owned; bit per key: it is in the queue */
	uint64_t known;	   /* lines up to this number were in its snapshot */
	struct text *rest; /* the line that was taken in part */
	size_t rest_at;
	bool last; /* nothing more comes: done when it has taken all */
	int64_t deadline;
};

struct hub {
	struct hub_options o;
	struct fields fields;
	struct key *key; /* owned */
	size_t keys;
	uint32_t *bucket; /* owned; name -> index + 1 */
	struct text **history; /* owned; a ring of o.history */
	size_t history_n;      /* ever put */
	struct channel channel[CHANNELS];
	size_t readers;
	struct hub_counters counters;
	uint64_t texts;	   /* so far */
	int64_t now, wall; /* of the latest call */
	bool ended;
	bool priced;
	int64_t price_came; /* monotonic */
	char source[SOURCE_MAX];
	size_t source_n;
};

/* ---------------------------------------------------------------------------------------------------- texts */

static struct text *new_text(struct hub *h, struct span line, enum event_type type)
{
	struct text *t = malloc(sizeof *t + line.n + 1);

	if (!t)
		return NULL;
	*t = (struct text){ .refs = 1, .number = ++h->texts, .type = type, .n = (uint32_t)line.n + 1 };
	memcpy(t->p, line.p, line.n);
	t->p[line.n] = '\n';
	return t;
}

static struct text *hold(struct text *t)
{
	t->refs++;
	return t;
}

static void drop(struct text *t)
{
	if (t && --t->refs == 0)
		free(t);
}

static bool conflates(enum event_type type)
{
	return type == EVENT_PRICE_UPDATE || type == EVENT_EQUITY_SNAPSHOT;
}

/* ----------------------------------------------------------------------------------------------------- keys */

enum { SLOT_STATE = EVENT_SLOT_COUNT, SLOT_STREAM, SLOT_INTERVAL };

static unsigned slot(const char *key, size_t n, int depth)
{
	struct span name = { key, n };
	unsigned s = event_slot(key, n, depth);

	if (s != FIELDS_SKIP)
		return s;
	if (span_eq(name, SPAN("state")))
		return SLOT_STATE;
	if (span_eq(name, SPAN("stream")))
		return SLOT_STREAM;
	return span_eq(name, SPAN("interval")) ? SLOT_INTERVAL : FIELDS_SKIP;
}

static struct span string(const struct fields *f, unsigned s)
{
	struct span v = { NULL, 0 };

	return fields_kind(f, s) == JSON_STRING && event_string(f, s, &v) ? v : SPAN("");
}

/* what a key is made of, in this order; its name is all of them with a NUL behind each */
static const unsigned parts[] = { EVENT_SLOT_TYPE, EVENT_SLOT_MARKET, EVENT_SLOT_PAIR, EVENT_SLOT_SOURCE,
	EVENT_SLOT_POSITION_SIDE, EVENT_SLOT_ASSET, SLOT_STREAM, SLOT_INTERVAL };
#define PARTS	 (sizeof parts / sizeof parts[0])
#define KEY_NAME (PARTS * (EVENT_NAME_MAX + 1))

_Static_assert(PARTS == 1 + HUB_STREAM_NAMES, "the type, and then what hub_stream gives");

/* "" where the line has none; false: what it has is no name that could be printed */
static bool name_in(const struct fields *f, unsigned s, struct span *name)
{
	*name = SPAN("");
	return !fields_has(f, s) || (event_string(f, s, name) && span_printable(*name));
}

/* what tells it from others. 0: it cannot be told from others */
static size_t name_of(const struct fields *f, enum event_type type, char name[KEY_NAME])
{
	char *out = name;

	for (size_t i = 0; i < PARTS; i++) {
		struct span s = SPAN("");
		/* what a status record has in `source` is where it comes from, not what it is about */
		if (!(parts[i] == EVENT_SLOT_SOURCE && type == EVENT_STATUS) && !name_in(f, parts[i], &s))
			return 0;
		if (parts[i] == EVENT_SLOT_PAIR && s.n == 0 && !name_in(f, EVENT_SLOT_SYMBOL, &s))
			return 0;
		if (parts[i] == EVENT_SLOT_TYPE && s.n == 0)
			return 0;
		out = jsonw_raw(out, s);
		*out++ = '\0';
	}
	return (size_t)(out - name);
}

/* NO_KEY: it has no name, or is one too many, or no memory */
static uint32_t find_key(struct hub *h, const struct fields *f, enum event_type type)
{
	char name[KEY_NAME];
	size_t n = name_of(f, type, name);
	uint64_t b = span_hash((struct span){ name, n }, SPAN_HASH);

	if (n == 0)
		return NO_KEY;
	for (; h->bucket[b % BUCKETS]; b++) {
		const struct key *k = &h->key[h->bucket[b % BUCKETS] - 1];
		if (k->n == n && memcmp(k->name, name, n) == 0)
			return h->bucket[b % BUCKETS] - 1;
	}
	if (h->keys == HUB_KEYS_MAX)
		return NO_KEY;
	struct key *k = &h->key[h->keys];
	*k = (struct key){ .name = malloc(n), .n = n, .type = type, .history_ts = -1 };
	if (!k->name)
		return NO_KEY;
	memcpy(k->name, name, n);
	h->bucket[b % BUCKETS] = (uint32_t)++h->keys;
	return (uint32_t)h->keys - 1;
}

/* --------------------------------------------------------------------------------------------------- queues */

static bool grow(struct hub_reader *r)
{
	size_t cap = r->cap ? 2 * r->cap : 16;
	struct entry *more = malloc(cap * sizeof *more);

	if (!more)
		return false;
	for (size_t i = 0; i < r->n; i++)
		more[i] = r->queue[(r->head + i) % r->cap];
	free(r->queue);
	r->queue = more;
	r->cap = cap;
	r->head = 0;
	return true;
}

static bool is_waiting(const struct hub_reader *r, uint32_t key)
{
	return r->waits[key >> 6] >> (key & 63) & 1;
}

static void set_waiting(struct hub_reader *r, uint32_t key, bool on)
{
	uint64_t bit = 1ULL << (key & 63);

	r->waits[key >> 6] = on ? r->waits[key >> 6] | bit : r->waits[key >> 6] & ~bit;
}

static size_t cost(const struct entry *e)
{
	return e->text && !e->free ? e->text->n + OVERHEAD : 0;
}

/* false: no memory */
static bool push(struct hub_reader *r, struct entry e)
{
	if (r->n == r->cap && !grow(r))
		return false;
	r->queue[(r->head + r->n++) % r->cap] = e;
	r->kept += cost(&e);
	if (e.text)
		hold(e.text);
	else
		set_waiting(r, e.key, true);
	return true;
}

static struct text *text_of(const struct hub_reader *r, const struct entry *e)
{
	return e->text ? e->text : r->channel->given[e->key];
}

/* the first one goes; its text is the caller's */
static struct text *pop(struct hub_reader *r)
{
	struct entry *e = &r->queue[r->head];
	struct text *t = e->text ? e->text : hold(text_of(r, e));

	r->kept -= cost(e);
	if (!e->text)
		set_waiting(r, e->key, false);
	r->head = (r->head + 1) % r->cap;
	r->n--;
	return t;
}

static void empty(struct hub_reader *r)
{
	for (; r->n > 0; r->n--, r->head = (r->head + 1) % r->cap) {
		struct entry *e = &r->queue[r->head];
		if (e->text)
			drop(e->text);
		else
			set_waiting(r, e->key, false);
	}
	r->kept = 0;
	free(r->queue);
	r->queue = NULL;
	r->head = r->cap = 0;
}

static bool is_behind(const struct hub_reader *r)
{
	return r->n > 0 || r->rest;
}

/* -------------------------------------------------------------------------------------------------- records */

static struct text *status(struct hub *h, const char *state, const char *detail)
{
	char record[LINE_RECORD_MAX];
	struct event_status e = { .state = span_of(state),
		.ts = h->wall / 1000,
		.source = { h->source, h->source_n },
		.detail = span_of(detail) };
	const char *end = event_write_status(record, &e);

	return new_text(h, (struct span){ record, (size_t)(end - record) - 1 }, EVENT_STATUS);
}

/* no more lines for it, but a last word */
static void end_reader(const struct hub *h, struct hub_reader *r, struct text *word)
{
	if (r->last)
		return;
	if (word)
		push(r, (struct entry){ word, NO_KEY, true });
	r->last = true;
	r->deadline = h->now + HUB_CUT_US;
}

static void cut_off(struct hub *h, struct hub_reader *r)
{
	char detail[120];
	struct text *word;

	snprintf(detail, sizeof detail, "cut off: more than %zu bytes of lines that must not be left out were not taken",
	    h->o.queue);
	empty(r);
	word = status(h, "end", detail);
	end_reader(h, r, word);
	drop(word);
	h->counters.cut++;
}

/* --------------------------------------------------------------------------------------------------- giving */

static void count_out(struct hub *h, const struct text *t)
{
	h->counters.out[t->type]++;
	h->counters.out_bytes += t->n;
}

/* what of it stands in front of the reader, as far as one call may take */
static int gather(const struct hub_reader *r, struct iovec iov[HUB_IOV_MAX])
{
	int n = 0;

	if (r->rest)
		iov[n++] = (struct iovec){ r->rest->p + r->rest_at, r->rest->n - r->rest_at };
	for (size_t i = 0; i < r->n && n < HUB_IOV_MAX; i++) {
		struct text *t = text_of(r, &r->queue[(r->head + i) % r->cap]);
		iov[n++] = (struct iovec){ t->p, t->n };
	}
	return n;
}

/* k bytes of what stands in front have been taken */
static void taken(struct hub *h, struct hub_reader *r, size_t k)
{
	while (k > 0) {
		if (!r->rest) {
			r->rest = pop(r);
			r->rest_at = 0;
			count_out(h, r->rest);
		}
		size_t left = r->rest->n - r->rest_at;
		if (k < left) {
			r->rest_at += k;
			return;
		}
		k -= left;
		drop(r->rest);
		r->rest = NULL;
	}
}

/* gives what waits; false: the reader has gone */
static bool give_queue(struct hub *h, struct hub_reader *r)
{
	struct iovec iov[HUB_IOV_MAX];

	while (is_behind(r)) {
		int n = gather(r, iov);
		size_t all = 0;
		for (int i = 0; i < n; i++)
			all += iov[i].iov_len;
		ssize_t k = h->o.send(r->user, iov, n);
		if (k <= 0)
			return k == 0;
		taken(h, r, (size_t)k);
		if ((size_t)k < all)
			return true;
	}
	if (r->cap > IDLE_QUEUE)
		empty(r); /* a queue that was long once, if only for the snapshot, is not kept for ever */
	return true;
}

/* lines [from, b->n) of a batch wait for a reader that is behind */
static void queue_batch(struct hub *h, struct hub_reader *r, const struct batch *b, size_t from)
{
	for (size_t i = from; i < b->n && !r->last; i++) {
		uint32_t key = b->key[i];
		bool good = true;
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is text where n is not 0 */
		if (b->text[i]->number <= r->known)
			continue;
		if (key == NO_KEY)
			good = push(r, (struct entry){ b->text[i], NO_KEY, false });
		else if (is_waiting(r, key))
			h->counters.conflated++;
		else
			good = push(r, (struct entry){ NULL, key, false });
		if (!good || r->kept > h->o.queue)
			cut_off(h, r);
	}
}

/* the reader took k bytes of lines [i, b->n) of a batch, which were given to it in one piece */
static void took_of_batch(struct hub *h, struct hub_reader *r, const struct batch *b, size_t i, size_t k)
{
	for (; i < b->n && k >= b->text[i]->n; i++) {
		k -= b->text[i]->n;
		count_out(h, b->text[i]);
	}
	if (i < b->n && k > 0) {
		r->rest = hold(b->text[i]);
		r->rest_at = k;
		count_out(h, b->text[i++]);
	}
	queue_batch(h, r, b, i);
}

/* bytes: all of it, NULL where there is no memory for that. false: the reader has gone */
static bool give_batch(struct hub *h, struct hub_reader *r, const struct batch *b, char *bytes)
{
	if (r->last)
		return true;
	if (is_behind(r)) {
		queue_batch(h, r, b, 0);
		return true;
	}
	/* what was in its snapshot stands in front of `now`, and anywhere in `later`, where no key is twice */
	if (!bytes || (b == &r->channel->later && b->first <= r->known)) {
		queue_batch(h, r, b, 0);
		return give_queue(h, r);
	}
	size_t from = 0, skip = 0;
	for (; from < b->n && b->text[from]->number <= r->known; from++)
		skip += b->text[from]->n;
	if (from == b->n)
		return true;
	struct iovec iov = { bytes + skip, b->bytes - skip };
	ssize_t k = h->o.send(r->user, &iov, 1);
	if (k >= 0)
		took_of_batch(h, r, b, from, (size_t)k);
	return k >= 0;
}

/* ------------------------------------------------------------------------------------------------- channels */

static bool make_room(struct batch *b)
{
	if (b->n < b->cap)
		return true;
	size_t cap = b->cap ? 2 * b->cap : 64;
	struct text **text = realloc(b->text, cap * sizeof *text);
	if (text)
		b->text = text;
	uint32_t *key = realloc(b->key, cap * sizeof *key);
	if (key)
		b->key = key;
	b->cap = text && key ? cap : b->cap;
	return text && key;
}

/* false: no memory */
static bool add(struct batch *b, struct text *t, uint32_t key)
{
	if (!make_room(b))
		return false;
	b->first = b->n == 0 ? t->number : b->first;
	b->text[b->n] = hold(t);
	b->key[b->n++] = key;
	b->bytes += t->n;
	return true;
}

static void replace(struct batch *b, size_t at, struct text *t)
{
	b->bytes += t->n;
	b->bytes -= b->text[at]->n;
	drop(b->text[at]);
	b->text[at] = hold(t);
}

static void clear(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		drop(b->text[i]);
	b->n = b->bytes = 0;
}

static void close_batch(struct batch *b)
{
	clear(b);
	free(b->text);
	free(b->key);
	*b = (struct batch){ .text = NULL };
}

/* µs, rounded up: never once more often */
static int64_t period(const struct channel *c)
{
	return (1000000 + c->rate - 1) / c->rate;
}

/* the newest line of a key waits until its rate allows it; false: no memory */
static bool put_later(struct hub *h, struct channel *c, struct text *t, uint32_t key)
{
	if (c->place[key]) {
		replace(&c->later, c->place[key] - 1, t);
		h->counters.conflated += c->readers;
		return true;
	}
	if (!add(&c->later, t, key))
		return false;
	c->place[key] = (uint32_t)c->later.n;
	return true;
}

/* false: no memory for it, and some readers do not get it */
static bool put(struct hub *h, struct text *t, uint32_t key)
{
	bool good = true;

	for (struct channel *c = h->channel; c < h->channel + CHANNELS; c++) {
		if (c->readers == 0)
			continue;
		if (c->rate > 0 && key != NO_KEY)
			good &= put_later(h, c, t, key);
		else
			good &= add(&c->now, t, key);
	}
	return good;
}

/* the lines of a batch in one piece; NULL: no memory. *owned: to be freed */
static char *flatten(const struct batch *b, char **owned)
{
	*owned = NULL;
	if (b->n == 1)
		return b->text[0]->p;
	char *p = *owned = malloc(b->bytes);
	for (size_t i = 0; p && i < b->n; i++) {
		memcpy(p, b->text[i]->p, b->text[i]->n);
		p += b->text[i]->n;
	}
	return *owned;
}

static bool is_done(const struct hub *h, const struct hub_reader *r)
{
	return (r->last && !is_behind(r)) || h->now >= r->deadline;
}

/* from here on these are the newest lines of their keys */
static void note_given(struct channel *c, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (b->key[i] == NO_KEY)
			continue;
		drop(c->given[b->key[i]]);
		c->given[b->key[i]] = hold(b->text[i]);
	}
}

static void give(struct hub *h, struct channel *c, struct batch *b)
{
	struct hub_reader *next;
	char *owned;

	if (b->n == 0)
		return;
	note_given(c, b);
	char *bytes = flatten(b, &owned);
	for (struct hub_reader *r = c->first; r; r = next) {
		next = r->next;
		if (!give_batch(h, r, b, bytes) || is_done(h, r))
			h->o.done(r->user);
	}
	free(owned);
	clear(b);
}

static void give_later(struct hub *h, struct channel *c)
{
	for (size_t i = 0; i < c->later.n; i++)
		c->place[c->later.key[i]] = 0;
	c->due = h->now + period(c);
	give(h, c, &c->later);
}

static int64_t gathers_for(const struct channel *c)
{
	int64_t us = c->readers <= FEW_READERS ? 0 : (int64_t)c->readers * GATHER_US;

	return us < GATHER_MAX ? us : GATHER_MAX;
}

static void give_now(struct hub *h, struct channel *c)
{
	c->next = h->now + gathers_for(c);
	give(h, c, &c->now);
}

/* a batch of kept lines and of ticks goes in that order: what is kept came first, or its tick is newer */
void hub_pump(struct hub *h, int64_t now, int64_t wall)
{
	h->now = now;
	h->wall = wall;
	for (struct channel *c = h->channel; c < h->channel + CHANNELS; c++) {
		bool later = c->later.n > 0 && (now >= c->due || h->ended);
		if (c->now.n > 0 && (later || h->ended || now >= c->next || c->now.bytes >= ENOUGH))
			give_now(h, c);
		if (later)
			give_later(h, c);
	}
}

int64_t hub_due(const struct hub *h)
{
	int64_t due = INT64_MAX;

	for (const struct channel *c = h->channel; c < h->channel + CHANNELS; c++) {
		if (c->now.n > 0 && c->next < due)
			due = c->next;
		if (c->later.n > 0 && c->due < due)
			due = c->due;
	}
	return due;
}

/* ---------------------------------------------------------------------------------------------------- input */

static void remember(struct hub *h, uint32_t key, struct text *t)
{
	struct key *k = &h->key[key];

	drop(k->newest);
	k->newest = hold(t);
	k->came = h->now;
}

/* of each key at most one in each step of their own time */
static void keep_history(struct hub *h, struct key *k, struct text *t)
{
	int64_t ts = -1;

	if (h->o.history == 0)
		return;
	if (event_time(&h->fields, EVENT_SLOT_TS, &ts) && k->history_ts >= 0 && ts >= k->history_ts &&
	    ts - k->history_ts < h->o.history_step)
		return;
	k->history_ts = ts;
	struct text **place = &h->history[h->history_n++ % h->o.history];
	drop(*place);
	*place = hold(t);
	t->history = h->history_n;
}

static void note_price(struct hub *h)
{
	struct hub_counters *c = &h->counters;
	int64_t ts;
	size_t i = 0;

	h->priced = true;
	h->price_came = h->now;
	if (!event_time(&h->fields, EVENT_SLOT_TS, &ts))
		return;
	int64_t ms = h->wall / 1000 - ts;
	ms = ms < 0 ? 0 : ms;
	while (i < HUB_BUCKETS && ms > hub_latency_ms[i])
		i++;
	c->latency[i]++;
	c->latency_ms += (uint64_t)ms;
}

static void note_status(struct hub *h)
{
	struct span state = string(&h->fields, SLOT_STATE);
	struct span source = string(&h->fields, EVENT_SLOT_SOURCE);

	h->counters.gaps += span_is(state, "gap");
	h->counters.reconnects += span_is(state, "connecting");
	h->counters.stales += span_is(state, "stale");
	if (source.n == 0 || source.n > SOURCE_MAX || !span_printable(source))
		return;
	memcpy(h->source, source.p, source.n);
	h->source_n = source.n;
}

/* in the place of a line that is too long for its readers; false: no memory */
static bool tell_too_long(struct hub *h, size_t n)
{
	char detail[160];
	struct span type = string(&h->fields, EVENT_SLOT_TYPE);

	if (type.n == 0 || type.n > 40 || !span_printable(type))
		type = SPAN("of no short type");
	snprintf(detail, sizeof detail, "a record of %zu bytes (%.*s) is left out: longer than %zu", n, (int)type.n, type.p,
	    h->o.max_line);
	struct text *t = status(h, "gap", detail);
	bool good = t && put(h, t, NO_KEY);
	drop(t);
	h->counters.too_long++;
	return good;
}

/* false: no memory */
static bool take(struct hub *h, struct span line, enum event_type type)
{
	struct text *t = new_text(h, line, type);
	uint32_t key = t ? find_key(h, &h->fields, type) : NO_KEY;

	if (!t)
		return false;
	if (key != NO_KEY)
		remember(h, key, t);
	if (key != NO_KEY && type == EVENT_EQUITY_SNAPSHOT)
		keep_history(h, &h->key[key], t);
	bool good = put(h, t, conflates(type) ? key : NO_KEY);
	drop(t);
	return good;
}

static bool refuse(struct hub *h, const char **why, size_t *at, const char *reason, size_t where)
{
	*why = reason;
	*at = where;
	h->counters.refused++;
	return false;
}

bool hub_line(struct hub *h, struct span line, int64_t now, int64_t wall, const char **why, size_t *at)
{
	h->now = now;
	h->wall = wall;
	if (!fields_read(&h->fields, line))
		return refuse(h, why, at, h->fields.why, h->fields.at);
	enum event_type type = event_type(&h->fields);
	h->counters.in[type]++;
	h->counters.in_bytes += line.n + 1;
	if (type == EVENT_PRICE_UPDATE)
		note_price(h);
	else if (type == EVENT_STATUS)
		note_status(h);
	bool good = line.n > h->o.max_line ? tell_too_long(h, line.n) : take(h, line, type);
	return good || refuse(h, why, at, "no memory for it", 0);
}

void hub_refused(struct hub *h)
{
	h->counters.refused++;
}

void hub_end(struct hub *h, bool linger, const char *state, const char *detail, int64_t now, int64_t wall)
{
	struct hub_reader *next;

	h->now = now;
	h->wall = wall;
	h->ended = true;
	hub_pump(h, now, wall); /* what a rate has held back does not come behind the last word */
	struct text *word = status(h, state, detail);
	if (linger && word)
		put(h, word, NO_KEY);
	for (struct channel *c = h->channel; !linger && c < h->channel + CHANNELS; c++)
		for (struct hub_reader *r = c->first; r; r = next) {
			next = r->next;
			end_reader(h, r, word);
			if (!give_queue(h, r) || is_done(h, r))
				h->o.done(r->user);
		}
	drop(word);
	hub_pump(h, now, wall);
}

/* -------------------------------------------------------------------------------------------------- readers */

static bool open_channel(struct channel *c, unsigned rate)
{
	c->rate = rate;
	c->due = c->next = 0;
	if (!c->given)
		c->given = calloc(HUB_KEYS_MAX, sizeof *c->given);
	if (rate > 0 && !c->place)
		c->place = calloc(HUB_KEYS_MAX, sizeof *c->place);
	return c->given && (rate == 0 || c->place);
}

/* the channel of a rate; NULL: there are too many, or no memory. There is always one for every line. */
static struct channel *channel_of(struct hub *h, unsigned rate)
{
	struct channel *none = NULL;

	for (struct channel *c = h->channel + (rate > 0); c < h->channel + (rate > 0 ? CHANNELS : 1); c++) {
		if (c->readers > 0 && c->rate == rate)
			return c;
		if (c->readers == 0 && !none)
			none = c;
	}
	return none && open_channel(none, rate) ? none : NULL;
}

static void close_channel(struct channel *c)
{
	close_batch(&c->now);
	close_batch(&c->later);
	for (size_t i = 0; c->given && i < HUB_KEYS_MAX; i++)
		drop(c->given[i]);
	free(c->given);
	free(c->place);
	*c = (struct channel){ .place = NULL };
}

static bool in_history(const struct hub *h, const struct text *t)
{
	return t->history && h->history_n - t->history < h->o.history;
}

/* the newest line of each key, of equity or of all else; false: no memory */
static bool push_newest(struct hub *h, struct hub_reader *r, bool equity)
{
	for (size_t i = 0; i < h->keys; i++) {
		struct text *t = h->key[i].newest;
		if (!t || (t->type == EVENT_EQUITY_SNAPSHOT) != equity || in_history(h, t))
			continue;
		if (!push(r, (struct entry){ t, NO_KEY, true }))
			return false;
	}
	return true;
}

/* what is known, for one who has seen nothing of it; false: no memory */
static bool push_snapshot(struct hub *h, struct hub_reader *r)
{
	size_t n = h->history_n < h->o.history ? h->history_n : h->o.history;
	bool good = push_newest(h, r, false);

	for (size_t i = h->history_n - n; good && i < h->history_n; i++)
		good = push(r, (struct entry){ h->history[i % h->o.history], NO_KEY, true });
	return good && push_newest(h, r, true);
}

/* between what was and what comes */
static bool push_border(struct hub *h, struct hub_reader *r)
{
	enum hub_health health = hub_health(h, h->now);
	struct text *t = h->ended ? status(h, "end", "the stream has ended: nothing comes any more") :
	    health == HUB_OK	  ? status(h, "live", "from here on as it comes") :
	    health == HUB_STALE	  ? status(h, "stale", "from here on as it comes; prices are old") :
				    status(h, "connecting", "from here on as it comes; no price has come yet");
	bool good = t && push(r, (struct entry){ t, NO_KEY, true });

	drop(t);
	return good;
}

struct hub_reader *hub_reader_new(struct hub *h, unsigned rate, void *user, int64_t now, int64_t wall)
{
	struct channel *c = channel_of(h, rate);
	struct hub_reader *r = c ? calloc(1, sizeof *r) : NULL;

	h->now = now;
	h->wall = wall;
	if (!r)
		return NULL;
	*r = (struct hub_reader){ .channel = c, .user = user, .known = h->texts, .deadline = INT64_MAX };
	r->waits = calloc(HUB_KEYS_MAX / 64, sizeof *r->waits);
	r->link = &c->first;
	r->next = c->first;
	if (c->first)
		c->first->link = &r->next;
	c->first = r;
	c->readers++;
	h->readers++;
	if (!r->waits || !push_snapshot(h, r) || !push_border(h, r)) {
		hub_reader_free(h, r);
		return NULL;
	}
	h->counters.readers_ever++;
	return r;
}

void hub_reader_free(struct hub *h, struct hub_reader *r)
{
	struct channel *c = r->channel;

	*r->link = r->next;
	if (r->next)
		r->next->link = r->link;
	if (--c->readers == 0)
		close_channel(c);
	h->readers--;
	drop(r->rest);
	if (r->waits)
		empty(r);
	free(r->waits);
	free(r);
}

void hub_reader_pump(struct hub *h, struct hub_reader *r, int64_t now)
{
	h->now = now;
	if (!give_queue(h, r) || is_done(h, r))
		h->o.done(r->user);
}

int64_t hub_reader_deadline(const struct hub_reader *r)
{
	return r->deadline;
}

/* ---------------------------------------------------------------------------------------------------- whole */

struct hub *hub_new(const struct hub_options *o)
{
	struct hub *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->o = *o;
	fields_open(&h->fields, slot);
	h->key = calloc(HUB_KEYS_MAX, sizeof *h->key);
	h->bucket = calloc(BUCKETS, sizeof *h->bucket);
	h->history = calloc(o->history + 1, sizeof *h->history);
	if (h->key && h->bucket && h->history)
		return h;
	hub_free(h);
	return NULL;
}

void hub_free(struct hub *h)
{
	if (!h)
		return;
	for (struct channel *c = h->channel; c < h->channel + CHANNELS; c++) {
		while (c->first) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): through its link it puts the next one there */
			hub_reader_free(h, c->first);
		close_channel(c);
	}
	for (size_t i = 0; i < h->keys; i++) {
		drop(h->key[i].newest);
		free(h->key[i].name);
	}
	for (size_t i = 0; i < h->o.history && h->history; i++)
		drop(h->history[i]);
	free(h->history);
	free(h->bucket);
	free(h->key);
	free(h);
}

/* ------------------------------------------------------------------------------------------------ what is known */

const struct hub_counters *hub_counters(const struct hub *h)
{
	return &h->counters;
}

size_t hub_readers(const struct hub *h)
{
	return h->readers;
}

int64_t hub_age(const struct hub *h, int64_t now)
{
	return h->priced ? now - h->price_came : -1;
}

enum hub_health hub_health(const struct hub *h, int64_t now)
{
	if (h->ended || !h->priced)
		return HUB_DOWN;
	return hub_age(h, now) <= h->o.stale ? HUB_OK : HUB_STALE;
}

struct span hub_source(const struct hub *h)
{
	return h->source_n ? (struct span){ h->source, h->source_n } : SPAN("live");
}

bool hub_stream(const struct hub *h, size_t *at, int64_t now, struct hub_stream *s)
{
	while (*at < h->keys && (h->key[*at].type != EVENT_PRICE_UPDATE || !h->key[*at].newest))
		++*at;
	if (*at == h->keys)
		return false;
	const struct key *k = &h->key[(*at)++];
	struct span rest = { k->name, k->n };
	span_cut(rest, '\0', &rest); /* the type */
	for (size_t i = 0; i < HUB_STREAM_NAMES; i++)
		s->name[i] = span_cut(rest, '\0', &rest);
	s->age = now - k->came;
	return true;
}
