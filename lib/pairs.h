/* pairs - numbers for the pairs that records are about: 0, 1, 2 ... in the order in which they first came. */
#ifndef BNC_PAIRS_H
#define BNC_PAIRS_H

#include "event.h"
#include "num.h"

#define PAIRS_MAX 8192 /* the exchange lists about 5,000 in all markets (binance 6.1) */
#define PAIRS_SLOTS (2 * PAIRS_MAX)
#define PAIRS_PAD 16 /* so many bytes can be read where a name begins, however short it is */

/* all zeros: empty */
struct pairs {
	size_t n;
	struct pairs_name {
		uint8_t n, market;
		char text[EVENT_NAME_MAX]; /* zeros behind it */
	} name[PAIRS_MAX];
	uint16_t slots[PAIRS_SLOTS]; /* of a hash table, at most half full. 0: free, else number + 1 */
};

/* A name as the table wants it: its first sixteen bytes as two words, zeros behind its end. Every price asks for its pair,
 * so no branch depends on how long the name is. */
struct pairs_key {
	uint64_t first, second;
	struct span name;
	unsigned form; /* its length and its market */
};

static inline unsigned pairs_form(size_t n, unsigned market)
{
	return (unsigned)n | market << 8;
}

static inline struct pairs_key pairs_key(struct span name, enum event_market market)
{
	/* all of the bits for as many bytes as are the name's, none for those behind */
	static const char kept[32] = { -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 };
	const char *mask = kept + 16 - (name.n < 16 ? name.n : 16);

	return (struct pairs_key){ num_load(name.p) & num_load(mask), num_load(name.p + 8) & num_load(mask + 8), name,
		pairs_form(name.n, market) };
}

static inline bool pairs_is(const struct pairs_name *there, const struct pairs_key *k)
{
	uint64_t other = (num_load(there->text) ^ k->first) | (num_load(there->text + 8) ^ k->second) |
	    (pairs_form(there->n, there->market) ^ k->form);

	return other == 0 && (k->name.n <= 16 || memcmp(there->text, k->name.p, k->name.n) == 0);
}

/* the slot that has it, or the free one that would */
static inline size_t pairs_slot(const struct pairs *p, const struct pairs_key *k)
{
	const uint64_t prime = 1099511628211ULL; /* FNV-1a, of words in place of bytes */
	uint64_t h = ((SPAN_HASH + k->form) ^ k->first) * prime;

	h = (h ^ (h >> 32) ^ k->second) * prime;
	size_t i = (size_t)(h ^ h >> 32) % PAIRS_SLOTS;
	while (p->slots[i] && !pairs_is(&p->name[p->slots[i] - 1], k))
		i = (i + 1) % PAIRS_SLOTS;
	return i;
}

/* the number of a pair, -1: it has none. name: at most EVENT_NAME_MAX bytes, PAIRS_PAD are readable */
static inline int pairs_find(const struct pairs *p, struct span name, enum event_market market)
{
	struct pairs_key k = pairs_key(name, market);

	return p->slots[pairs_slot(p, &k)] - 1;
}

int pairs_add(struct pairs *p, size_t slot, struct span name, enum event_market market); /* for the next one alone */

/* the same; it gets one. -1: there are PAIRS_MAX already */
static inline int pairs_take(struct pairs *p, struct span name, enum event_market market)
{
	struct pairs_key k = pairs_key(name, market);
	size_t slot = pairs_slot(p, &k);

	return p->slots[slot] ? p->slots[slot] - 1 : pairs_add(p, slot, name, market);
}

static inline struct span pairs_name(const struct pairs *p, int i)
{
	return (struct span){ p->name[i].text, p->name[i].n };
}

static inline enum event_market pairs_market(const struct pairs *p, int i)
{
	return (enum event_market)p->name[i].market;
}

#endif
