/* rate - how often something may be said, so that a broken feed cannot flood a log: a burst, and then a steady trickle.
 * Pure: the time comes in as an argument. */
#ifndef BNC_RATE_H
#define BNC_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct rate {
	int64_t each;	 /* µs between two, once the burst is used up */
	int64_t burst;	 /* so many at once */
	int64_t credit;	 /* µs saved up */
	int64_t at;	 /* when that was counted */
	uint64_t hidden; /* not said since the last one that was */
};

void rate_open(struct rate *r, int64_t each, int64_t burst, int64_t now);

/* may one more be said? false: it counts as hidden */
bool rate_take(struct rate *r, int64_t now);

/* how many were hidden, when that may be said; 0 where there is nothing to say, or not yet. INT64_MAX: the end */
uint64_t rate_hidden(struct rate *r, int64_t now);

#endif
