#include "pairs.h"

#define SLOTS (2 * PAIRS_MAX)

/* FNV-1a of words in place of bytes: the last eight bytes, and before them every eight */
static size_t hash(struct span name, enum event_market market)
{
	uint64_t h = SPAN_HASH + (uint64_t)market;
	uint64_t word = 0;

	for (size_t i = 0; i + sizeof word < name.n; i += sizeof word) {
		memcpy(&word, name.p + i, sizeof word);
		h = (h ^ word) * 1099511628211ULL;
		h ^= h >> 32;
	}
	if (name.n >= sizeof word)
		memcpy(&word, name.p + name.n - sizeof word, sizeof word);
	else
		memcpy(&word, name.p, name.n);
	h = (h ^ word) * 1099511628211ULL;
	return (size_t)(h ^ h >> 32) % SLOTS;
}

/* the slot that has it, or the free one that would; in line, since every price asks */
static inline __attribute__((always_inline)) size_t slot_of(const struct pairs *p, struct span name, enum event_market market)
{
	size_t i = hash(name, market);

	for (; p->slots[i]; i = (i + 1) % SLOTS) {
		const struct pairs_name *there = &p->name[p->slots[i] - 1];
		if (there->market == market && span_eq((struct span){ there->text, there->n }, name))
			break;
	}
	return i;
}

int pairs_find(const struct pairs *p, struct span name, enum event_market market)
{
	return p->slots[slot_of(p, name, market)] - 1;
}

static int add(struct pairs *p, size_t slot, struct span name, enum event_market market)
{
	if (p->n == PAIRS_MAX)
		return -1;
	struct pairs_name *fresh = &p->name[p->n++];
	memcpy(fresh->text, name.p, name.n);
	fresh->n = (uint8_t)name.n;
	fresh->market = (uint8_t)market;
	p->slots[slot] = (uint16_t)p->n;
	return p->slots[slot] - 1;
}

int pairs_take(struct pairs *p, struct span name, enum event_market market)
{
	size_t slot = slot_of(p, name, market);

	return p->slots[slot] ? p->slots[slot] - 1 : add(p, slot, name, market);
}
