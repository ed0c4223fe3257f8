/* trader - somebody who trades so that there is something to see: a seeded choice, of no other merit.
 *
 * Every few seconds of event time it chooses how much it wants to hold of a pair: up to TRADER_STEPS steps long or
 * short, or nothing. So it opens, adds, reduces, closes and flips. A pure function of the seed and of what it is
 * shown. */
#ifndef BNC_TRADER_H
#define BNC_TRADER_H

#include "event.h"

#define TRADER_STEPS	3
#define TRADER_NOTIONAL 100  /* of the quote asset: what a step is about worth */
#define TRADER_LEAST_MS 2000 /* between two choices */
#define TRADER_SPAN_MS	6000 /* and up to so much more */

/* of one pair; all zeros: it has not begun */
struct trader {
	bool begun;
	uint64_t state;
	int64_t next;	 /* ms: of the next choice */
	int decimals;	 /* that quantities of the pair have */
	struct dec step; /* zero: not chosen yet */
};

/* what it sees: quantities and prices above zero */
struct trader_view {
	struct span pair;
	enum event_market market;
	int64_t ts;
	struct dec bid, bid_qty, ask, ask_qty;
	struct dec held; /* of the pair, signed */
};

/* true: *qty is to be bought, or sold where it is below zero, now */
bool trader_wants(struct trader *t, uint64_t seed, const struct trader_view *v, struct dec *qty);

#endif
