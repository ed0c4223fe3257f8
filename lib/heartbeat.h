/* heartbeat - when a heartbeat is due. Pure: times come in as arguments, of either clock.
 *
 * Heartbeats stand on a grid, so that a late one does not shift those behind it: every `interval` from the start on the
 * wall clock, the multiples of `interval` since the epoch on the event clock (two halves of a recording then give the
 * heartbeats of the whole, but for the border). Points that were missed give one heartbeat, not one each: a gap of a
 * day must not give 17,280 of them. */
#ifndef BNC_HEARTBEAT_H
#define BNC_HEARTBEAT_H

#include "fields.h"

struct heartbeat {
	int64_t interval; /* the unit is the caller's: µs of the wall, ms of events */
	int64_t origin;	  /* of the grid */
	int64_t next;	  /* due then; INT64_MAX: never */
	bool running;	  /* false: the first time starts the grid and is no heartbeat */
};

/* interval > 0. From a start that is known: the first heartbeat is due at once. */
void heartbeat_from(struct heartbeat *h, int64_t interval, int64_t start);

/* Event clock: due behind the first time that reaches a point of the grid the time before had not reached. A time that
 * goes back never gives a heartbeat. */
void heartbeat_of_events(struct heartbeat *h, int64_t interval);

/* it is `now` (>= 0): is a heartbeat due? *point is the newest point of the grid that has been reached */
bool heartbeat_reached(struct heartbeat *h, int64_t now, int64_t *point);

/* for fields_open: of all keys of a record only those that tell its time */
unsigned heartbeat_slot(const char *key, size_t n, int depth);

/* the time of a line in ms: `ts` of a record, else `recv` of a frame, -1 where it has neither. false: a record whose
 * `ts` breaks the contract, *why says so. f: read with heartbeat_slot */
bool heartbeat_time(const struct fields *f, int64_t *ts, const char **why);

#endif
