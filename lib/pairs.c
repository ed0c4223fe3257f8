#include "pairs.h"

int pairs_add(struct pairs *p, size_t slot, struct span name, enum event_market market)
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
