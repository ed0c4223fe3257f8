/* pace - when a line of a recording is due, so that lines come as far apart as their times say, divided by a speed. Pure.
 *
 * Every line is placed from one anchor, so that nothing adds up over hours. A time that goes back a little (events of
 * several streams overtake each other) is due at once; one that goes back by PACE_BACK_US or more begins anew from there. */
#ifndef BNC_PACE_H
#define BNC_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_BACK_US 10000000LL
#define PACE_MAX     0u /* speed: as fast as it goes */

struct pace {
	uint64_t speed; /* thousandths; PACE_MAX */
	bool anchored;
	int64_t from, at; /* the anchor: the time of a line, and the monotonic time at which it was due */
	int64_t highest;  /* time of a line so far */
	int64_t last;	  /* when the line before was due */
};

void pace_open(struct pace *p, uint64_t speed);

/* the next line begins anew */
void pace_restart(struct pace *p);

/* A line with the time `us` (WHEN_NEVER: it has none and is due with the one before), now being the monotonic time: when
 * it is due. *back: its time began anew. Never less than what was returned before. */
int64_t pace_due(struct pace *p, int64_t us, int64_t now, bool *back);

#endif
