/* bus_pub - lines on their way to a store that acknowledges each: a backlog with a cap, a window of those that are
 * under way, and what is told when lines must be left out. Pure: it says what is to be sent and is told what came back;
 * who sends, and when the connection is up, is the caller's.
 *
 * Of one subject a single line is under way at a time, and the next one follows its acknowledgement: a server that
 * loses one and stores the next, as those of a cluster may while one of them goes, so cannot change their order. Lines
 * of different subjects go side by side, up to the window. A line is sent again, the same way and with the same id,
 * until it is acknowledged or refused.
 *
 * When the backlog is full, lines are left out until half of it is free; then each subject that lacks some is told so
 * by a gap record of bnc-event(5), in its place among the lines of that subject. */
#ifndef BNC_BUS_PUB_H
#define BNC_BUS_PUB_H

#include "ring.h"

#define BUS_PUB_WINDOW_MAX 4096u
#define BUS_PUB_SUBJECTS   16384u /* that have lines waiting or missing at a time */
#define BUS_PUB_RESERVE	   (1u << 16) /* of the backlog, for gap records */

struct bus_pub_options {
	uint64_t cap;	  /* bytes of the backlog, BUS_PUB_RESERVE and two lines of LINE_MAX_BYTES at least */
	unsigned window;  /* lines under way, 1 to BUS_PUB_WINDOW_MAX */
	uint64_t bytes;	  /* and how long they may be together; one is always allowed */
	int64_t ack_wait; /* µs: then a line is sent again */
	uint64_t run;	  /* random: what ids of the program's own begin with */
};

struct bus_pub_counters {
	uint64_t in;	     /* taken into the backlog */
	uint64_t stored;     /* acknowledged */
	uint64_t duplicates; /* of these the store had already */
	uint64_t sent;
	uint64_t again;	  /* of these, not for the first time */
	uint64_t dropped; /* left out: no room */
	uint64_t refused; /* by the store */
	uint64_t gaps;	  /* records of them */
};

struct bus_pub;

/* NULL: errno. Owned: bus_pub_free */
struct bus_pub *bus_pub_new(const struct bus_pub_options *o);
void bus_pub_free(struct bus_pub *p);

struct bus_pub_line {
	struct span subject; /* at most 255 bytes */
	struct span id;	     /* at most 400 bytes; empty: the program's own, which tells sent again from new */
	struct span stream;  /* for a gap record; may be empty */
	struct span text;
};

enum bus_pub_put {
	BUS_PUB_TAKEN,
	BUS_PUB_FULL,	 /* there is no room now: wait, or bus_pub_drop() */
	BUS_PUB_CLOSED,	 /* lines are being left out: bus_pub_drop() */
	BUS_PUB_CROWDED, /* a subject more than there may be: refuse it */
};
/* mark: a number that grows from line to line, by which bus_pub_mark() tells how far it has come. ms: time of day */
enum bus_pub_put bus_pub_put(struct bus_pub *p, const struct bus_pub_line *l, uint64_t mark, int64_t ms);

/* the line is left out, and so are all others until there is room again. ms: time of day. false: a subject more than
 * there may be: it is counted alone */
bool bus_pub_drop(struct bus_pub *p, const struct bus_pub_line *l, int64_t ms);

/* Gap records that are due are put among the lines. true: lines were left out up to now, and are taken again. */
bool bus_pub_mend(struct bus_pub *p, int64_t ms);
bool bus_pub_dropping(const struct bus_pub *p);

/* ------------------------------------------------------------------------------------------------- sending */

struct bus_pub_message {
	struct span subject, id, text;
	uint32_t token; /* names it to the functions below */
	bool again;
};

/* the next one to be sent now; valid until the next call of another function. false: none, or the window is full */
bool bus_pub_next(struct bus_pub *p, int64_t now, struct bus_pub_message *m);

/* it could not be sent, or the answer says that it is not stored, for now: again in `wait` µs */
void bus_pub_later(struct bus_pub *p, uint32_t token, int64_t now, int64_t wait);
/* stored. false: nobody waits for that any more */
bool bus_pub_stored(struct bus_pub *p, uint32_t token, bool duplicate);
/* the store will not have it: it is left out, which its subject is told. false: as above. *subject is the line's */
bool bus_pub_refused(struct bus_pub *p, uint32_t token, int64_t ms, struct span *subject);

/* a connection is there: what was under way is sent again, at once */
void bus_pub_up(struct bus_pub *p, int64_t now);

int64_t bus_pub_due(const struct bus_pub *p); /* when bus_pub_next has something without an event; INT64_MAX: not */

/* ------------------------------------------------------------------------------------------------- the state */

bool bus_pub_empty(const struct bus_pub *p);	  /* all is stored that was taken, and all is told */
size_t bus_pub_bytes(const struct bus_pub *p);	  /* of the backlog */
uint64_t bus_pub_lines(const struct bus_pub *p);  /* in it */
unsigned bus_pub_flying(const struct bus_pub *p); /* under way */
uint64_t bus_pub_mark(const struct bus_pub *p);	  /* of the line up to which all are done with */
const struct bus_pub_counters *bus_pub_counters(const struct bus_pub *p);

/* The lines that are not known to be stored, in order and with their marks, out of the backlog: for a file, when the
 * program ends. false: that was all. Afterwards nothing but bus_pub_counters and bus_pub_free. */
bool bus_pub_take_back(struct bus_pub *p, struct span *text, uint64_t *mark);

#endif
