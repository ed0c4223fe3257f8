/* arbiter - the same streams over several lines, given out once and in order (A/B line arbitration). Pure: ids, times
 * and bytes come in as arguments; what an id means is the caller's.
 *
 * Whichever line brings an event first wins; the others' copies are dropped. A hole that another line may still
 * fill holds what follows it back, for a window at most, or another time before the first event of a line; a hole that
 * stays is told. With a single line nothing is ever held. What is held is capped: beyond ARBITER_HELD_EVENTS or
 * ARBITER_HELD_BYTES the stream that wants to hold one more gives up its holes at once, so that nothing grows. */
#ifndef BNC_ARBITER_H
#define BNC_ARBITER_H

#include <stdint.h>

#include "span.h"

#define ARBITER_LINES 8
#define ARBITER_WINDOW_US 250000LL /* two lines of one exchange are some ms apart, some tens at busy times */
#define ARBITER_JOIN_US 2000000LL  /* a line that joins ahead of the others: they may lag, and to wait costs nothing */
#define ARBITER_HELD_EVENTS 4096
#define ARBITER_HELD_BYTES (8u << 20)
#define ARBITER_STEP_US 10000000LL /* a line that is on for so long has missed nothing of what came meanwhile */
#define ARBITER_RECENT 512 /* events remembered, a stream; a copy that comes later is not known as one */
#define ARBITER_BACK_MS 5000 /* ids that go back while times go on by so much are a new numbering */

struct arbiter_options {
	size_t streams;
	unsigned lines; /* ARBITER_LINES at most */
	int64_t window; /* µs: how long a hole may wait for another line; ARBITER_WINDOW_US */
	int64_t join;	/* the same before the first event of a line; ARBITER_JOIN_US */
};

enum arbiter_order {
	ARBITER_CHAINED, /* `prev` is the id of the event before: holes can be proven */
	ARBITER_ORDERED, /* ids grow by jumps: copies and order are known, holes are not */
	ARBITER_HASHED,	 /* id is a hash of the content: copies are known, nothing else */
};

struct arbiter_event {
	enum arbiter_order order;
	uint64_t id;
	uint64_t prev; /* ARBITER_CHAINED; less than id */
	int64_t time;  /* of the event in ms, -1 unknown */
	bool repeats;  /* ARBITER_HASHED: what a line brings twice are two events, else the second one is a copy */
};

enum arbiter_state {
	ARBITER_OFF,
	ARBITER_OPENING, /* about to bring the stream */
	ARBITER_ON,	 /* whatever the stream gives from now on comes over this line */
};

struct arbiter_gap {
	size_t stream;
	bool proven;   /* else: something may be missing, nobody can know */
	bool back;     /* ids began anew */
	bool has_ids;
	uint64_t last_id, next_id; /* last id before, first id after */
	uint64_t prev;		   /* proven: the id that should have been before next_id */
	int64_t last_recv, next_recv;
};

struct arbiter_out {
	/* an event to print, in order. payload: valid during the call */
	void (*print)(void *user, size_t stream, unsigned line, struct span payload, int64_t recv);
	/* always before the event behind the gap */
	void (*gap)(void *user, const struct arbiter_gap *gap);
};

struct arbiter_counters {
	uint64_t copies;   /* dropped: it was printed already */
	uint64_t obsolete; /* dropped: too late, a newer one was printed, and a gap told where it was proven */
	uint64_t fills;	   /* came late over another line and filled a hole */
	uint64_t gaps;
	uint64_t won[ARBITER_LINES]; /* printed, by line */
};

struct arbiter;

/* NULL: out of memory. Owned: arbiter_free. */
struct arbiter *arbiter_new(const struct arbiter_options *o, const struct arbiter_out *out, void *user);
void arbiter_free(struct arbiter *a);

/* what `line` is to `stream` from now on */
void arbiter_line(struct arbiter *a, size_t stream, unsigned line, enum arbiter_state state, int64_t now);

/* An event that `line` brought; prints, holds (a copy of payload) or drops it. recv: for `print`; now: µs, monotonic.
 * Whatever brings an event is ARBITER_ON. */
void arbiter_offer(struct arbiter *a, size_t stream, unsigned line, const struct arbiter_event *e, struct span payload,
    int64_t recv, int64_t now);

/* gives up holes whose time has passed; call it every 100 ms or so, or when it is due */
void arbiter_tick(struct arbiter *a, int64_t now);

/* the first moment at which a tick gives up a hole; INT64_MAX: nothing is held */
int64_t arbiter_due(const struct arbiter *a);

/* gives up all holes: the end */
void arbiter_flush(struct arbiter *a);

/* Does all of `stream` that the line `old` may still bring come over `line` as well? Then `old` can be let go without a
 * hole: both have brought the same event, or nothing waits for `old` any more; or `line` is on for the window
 * where `old` has never brought anything, and for ARBITER_STEP_US where nothing has come since. */
bool arbiter_covers(const struct arbiter *a, size_t stream, unsigned line, unsigned old, int64_t now);

const struct arbiter_counters *arbiter_counters(const struct arbiter *a);
size_t arbiter_held(const struct arbiter *a); /* events held back now */

#endif
