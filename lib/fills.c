#include "fills.h"

void fills_open(struct fills *f)
{
	f->count = f->n = 0;
	f->due = INT64_MAX;
	memset(f->first, 0, sizeof f->first);
	for (size_t i = 0; i <= FILLS_WAITING; i++)
		f->arrived[i] = (uint8_t)i;
}

/* ids count, so their low bits spread by themselves; those of several pairs must not lie on each other */
static size_t hash(const struct fills_told *k)
{
	uint64_t ids = (uint64_t)k->id * 0x9e3779b97f4a7c15ULL ^ (uint64_t)k->order;
	uint64_t h = span_hash((struct span){ k->pair, k->pair_n }, ids);

	return (size_t)(h >> 32 ^ h) % FILLS_WINDOW;
}

static bool same(const struct fills_told *a, const struct fills_told *b)
{
	return a->id == b->id && a->order == b->order && a->market == b->market && a->pair_n == b->pair_n &&
	       memcmp(a->pair, b->pair, a->pair_n) == 0;
}

static void keep_key(struct fills_told *k, const struct fills_key *key)
{
	*k = (struct fills_told){ .id = key->id, .order = key->order, .market = (uint8_t)key->market };
	k->pair_n = (uint8_t)(key->pair.n < EVENT_NAME_MAX ? key->pair.n : EVENT_NAME_MAX);
	memcpy(k->pair, key->pair.p, k->pair_n);
}

/* --------------------------------------------------------------------------------------------------- told */

static bool has_been_told(const struct fills *f, const struct fills_told *k)
{
	for (size_t i = f->first[hash(k)]; i; i = f->told[i - 1].next)
		if (same(&f->told[i - 1], k))
			return true;
	return false;
}

/* the oldest of all is the last of its hash */
static void forget(struct fills *f, size_t i)
{
	uint16_t *link = &f->first[hash(&f->told[i])];

	while (*link != i + 1)
		link = &f->told[*link - 1].next;
	*link = 0;
}

static void remember(struct fills *f, const struct fills_told *k)
{
	size_t i = f->count % FILLS_WINDOW;
	uint16_t *first = &f->first[hash(k)];

	if (f->count >= FILLS_WINDOW)
		forget(f, i);
	f->told[i] = *k;
	f->told[i].next = *first;
	*first = (uint16_t)(i + 1);
	f->count++;
}

/* ------------------------------------------------------------------------------------------------ waiting */

/* where in the order of arrival the preview of a fill stands; f->n: nowhere */
static size_t place_of(const struct fills *f, const struct fills_told *k)
{
	size_t at = 0;

	while (at < f->n && !same(&f->waiting[f->arrived[at]].key, k))
		at++;
	return at;
}

/* the preview at that place of the order; its room is the last to be taken again */
static struct span leave(struct fills *f, size_t at)
{
	uint8_t gone = f->arrived[at];

	memmove(f->arrived + at, f->arrived + at + 1, FILLS_WAITING - at);
	f->arrived[FILLS_WAITING] = gone;
	f->n--;
	f->due = INT64_MAX;
	for (size_t i = 0; i < f->n; i++)
		if (f->waiting[f->arrived[i]].due < f->due)
			f->due = f->waiting[f->arrived[i]].due;
	return (struct span){ f->waiting[gone].text, f->waiting[gone].n };
}

/* the same for one that is told without its full report */
static struct span tell(struct fills *f, size_t at)
{
	remember(f, &f->waiting[f->arrived[at]].key);
	return leave(f, at);
}

bool fills_take(struct fills *f, const struct fills_key *key)
{
	struct fills_told k;

	keep_key(&k, key);
	if (has_been_told(f, &k))
		return false;
	size_t at = place_of(f, &k);
	if (at < f->n)
		leave(f, at);
	remember(f, &k);
	return true;
}

bool fills_known(const struct fills *f, const struct fills_key *key)
{
	struct fills_told k;

	keep_key(&k, key);
	return has_been_told(f, &k);
}

bool fills_hold(struct fills *f, const struct fills_key *key, int64_t ts, struct span record, struct span *left)
{
	struct fills_told k;

	*left = (struct span){ NULL, 0 };
	keep_key(&k, key);
	if (has_been_told(f, &k) || place_of(f, &k) < f->n)
		return false;
	if (f->n == FILLS_WAITING)
		*left = tell(f, 0);
	struct fills_preview *p = &f->waiting[f->arrived[f->n++]];
	p->key = k;
	p->due = ts > INT64_MAX - FILLS_WAIT_MS ? INT64_MAX : ts + FILLS_WAIT_MS;
	p->n = record.n < FILLS_TEXT_MAX ? record.n : FILLS_TEXT_MAX;
	memcpy(p->text, record.p, p->n);
	f->due = p->due < f->due ? p->due : f->due;
	return true;
}

bool fills_next(struct fills *f, int64_t now, struct span *record)
{
	size_t at = 0;

	if (now < f->due)
		return false;
	while (at < f->n && f->waiting[f->arrived[at]].due > now)
		at++;
	if (at == f->n)
		return false;
	*record = tell(f, at);
	return true;
}
