/* pairs - numbers for the pairs that records are about: 0, 1, 2 ... in the order in which they first came. */
#ifndef BNC_PAIRS_H
#define BNC_PAIRS_H

#include "event.h"

#define PAIRS_MAX 8192 /* the exchange lists about 5,000 in all markets (binance 6.1) */

/* all zeros: empty */
struct pairs {
	size_t n;
	struct pairs_name {
		uint8_t n, market;
		char text[EVENT_NAME_MAX];
	} name[PAIRS_MAX];
	uint16_t slots[2 * PAIRS_MAX]; /* of a hash table, at most half full. 0: free, else number + 1 */
};

/* the number of a pair, -1: it has none. name: at most EVENT_NAME_MAX bytes */
int pairs_find(const struct pairs *p, struct span name, enum event_market market);
/* the same; it gets one. -1: there are PAIRS_MAX already */
int pairs_take(struct pairs *p, struct span name, enum event_market market);

static inline struct span pairs_name(const struct pairs *p, int i)
{
	return (struct span){ p->name[i].text, p->name[i].n };
}

static inline enum event_market pairs_market(const struct pairs *p, int i)
{
	return (enum event_market)p->name[i].market;
}

#endif
