/* fills - each fill of an account once, although the exchange tells of it twice: early and in part (a preview), then in
 * full, in either order; and both again where two connections overlap.
 *
 * A preview waits for its full report. It is given out by itself when event time has gone on by FILLS_WAIT_MS, when the
 * room is full, and at the end. What has been told is remembered for the last FILLS_WINDOW fills. Pure: no clock. */
#ifndef BNC_FILLS_H
#define BNC_FILLS_H

#include "event.h"

#define FILLS_WINDOW   4096u /* fills that are remembered */
#define FILLS_WAITING  64u   /* previews that wait at a time */
#define FILLS_WAIT_MS  1000  /* of event time */
#define FILLS_TEXT_MAX 1024u /* bytes of a preview's record: two names of EVENT_NAME_MAX, two numbers, two ids */

/* What tells a fill from any other. Ids count for each pair by itself. Who trades with himself has two fills of one id:
 * the orders tell them apart. */
struct fills_key {
	enum event_market market;
	struct span pair; /* at most EVENT_NAME_MAX bytes */
	int64_t id, order;
};

struct fills_told {
	int64_t id, order;
	uint16_t next; /* of those with the same hash, newest first: index + 1, 0 ends */
	uint8_t market;
	uint8_t pair_n;
	char pair[EVENT_NAME_MAX];
};

struct fills_preview {
	struct fills_told key;
	int64_t due; /* ms of event time */
	size_t n;
	char text[FILLS_TEXT_MAX];
};

struct fills {
	struct fills_told told[FILLS_WINDOW];		 /* a ring */
	size_t count;					 /* told so far */
	uint16_t first[FILLS_WINDOW];			 /* by hash: index + 1, 0: none */
	struct fills_preview waiting[FILLS_WAITING + 1]; /* one more, whose text is still being told */
	uint8_t arrived[FILLS_WAITING + 1]; /* indices of `waiting` in the order of arrival, the free ones behind n */
	size_t n;			    /* previews that wait */
	int64_t due;			    /* the earliest of theirs; INT64_MAX: none waits */
};

void fills_open(struct fills *f);

/* A full report came. true: it is new and to be told (a preview of it that waits is dropped); false: it has been told */
bool fills_take(struct fills *f, const struct fills_key *key);

/* it has been told; nothing changes */
bool fills_known(const struct fills *f, const struct fills_key *key);

/* A preview came at event time ts (ms); `record` is what is to be told of the fill if no more comes: at most
 * FILLS_TEXT_MAX bytes, copied. false: the fill has been told, or a preview of it waits. *left: the record of the
 * oldest preview, where that had to leave for want of room and is to be told now; n == 0: none had to */
bool fills_hold(struct fills *f, const struct fills_key *key, int64_t ts, struct span record, struct span *left);

/* Event time is `now`: the record of the oldest preview that is due by then, to be told now. false: none is.
 * Records that are handed out are good until the next call. */
bool fills_next(struct fills *f, int64_t now, struct span *record);

#endif
