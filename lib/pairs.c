#include "pairs.h"

#define SLOTS (2 * PAIRS_MAX)

static size_t hash(struct span name, enum event_market market)
{
	uint64_t h = 14695981039346656037ULL + (uint64_t)market; /* FNV-1a */

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * 1099511628211ULL;
	return (size_t)(h ^ h >> 32) % SLOTS;
}

/* the slot that has it, or the free one that would */
static size_t slot_of(const struct pairs *p, struct span name, enum event_market market)
{
	size_t i = hash(name, market);

	while (p->slots[i]) {
		int at = p->slots[i] - 1;
		if (p->name[at].market == market && span_eq(pairs_name(p, at), name))
			break;
		i = (i + 1) % SLOTS;
	}
	return i;
}

int pairs_find(const struct pairs *p, struct span name, enum event_market market)
{
	return p->slots[slot_of(p, name, market)] - 1;
}

int pairs_take(struct pairs *p, struct span name, enum event_market market)
{
	size_t slot = slot_of(p, name, market);

	if (p->slots[slot] == 0 && p->n < PAIRS_MAX) {
		struct pairs_name *fresh = &p->name[p->n++];
		memcpy(fresh->text, name.p, name.n);
		fresh->n = (uint8_t)name.n;
		fresh->market = (uint8_t)market;
		p->slots[slot] = (uint16_t)p->n;
	}
	return p->slots[slot] - 1;
}
