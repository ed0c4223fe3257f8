/* outbox - frames and status records on their way to a reader that may be slow. Pure: it takes lines, says what may be
 * written now, and when it is full; who writes, and what is done about a full box, is the caller's.
 *
 * Every frame is kept, in order, until it has been taken. With `conflate`, a frame whose stream needs only its newest
 * one waits apart while the reader is behind, and is replaced by the next one of its stream: that is counted. The
 * memory is `cap` + `reserve` bytes and, with conflate, one frame a stream; what does not fit is dropped and counted. */
#ifndef BNC_OUTBOX_H
#define BNC_OUTBOX_H

#include "event.h"
#include "ring.h"

#define OUTBOX_BEHIND (64u << 10) /* bytes that wait: from here on the reader is behind */
#define OUTBOX_KEYS_MAX 64	  /* bytes of our keys before a frame, and its line end */

struct outbox_options {
	enum event_market market;
	size_t streams;
	uint64_t cap;	 /* bytes that wait: full from here on, until half of it has been taken */
	size_t reserve;	 /* beyond it, for what still comes out of the pipeline then */
	uint64_t count;	 /* frames, and not one more; 0: no end */
	bool raw;	 /* the exchange's frames alone */
	bool conflate;
};

enum outbox_level {
	OUTBOX_SAME,
	OUTBOX_FULL, /* since the last question */
	OUTBOX_ROOM, /* half of it has been taken since it was full */
};

struct outbox_counters {
	uint64_t frames;    /* taken in */
	uint64_t conflated; /* replaced by a newer one */
	uint64_t dropped;   /* no room */
};

struct outbox_newest; /* the frame of a stream that waits apart */

struct outbox {
	struct outbox_options o;
	struct ring ring;
	struct outbox_newest *newest; /* owned, a stream each; NULL without conflate */
	size_t *queue;		      /* owned: streams whose newest frame waits, a ring of o.streams */
	size_t queue_head, queue_n;
	int64_t last_recv;
	bool full;
	struct outbox_counters counters;
};

/* false: out of memory */
bool outbox_open(struct outbox *b, const struct outbox_options *o);
void outbox_close(struct outbox *b);

/* A frame of the exchange: a JSON object without line ends. recv: µs since the epoch; where it is less than that of the
 * frame before, that one is written, so that time does not go back for a reader. newest_only: the newest frame of this
 * stream says it all. Behind the last one of `count` nothing is taken in. */
void outbox_frame(struct outbox *b, size_t stream, bool newest_only, struct span text, int64_t recv);

/* a record, with its line end */
void outbox_line(struct outbox *b, struct span line);

bool outbox_complete(const struct outbox *b); /* `count` frames are in */
bool outbox_empty(const struct outbox *b);

/* has it become full, or not so full any more? To be asked after frames came in and after some were taken. */
enum outbox_level outbox_level(struct outbox *b);

/* what may be written now; valid until the next call of another function. Empty: nothing waits */
struct span outbox_head(struct outbox *b);
void outbox_drop(struct outbox *b, size_t n); /* so much of it has been written */
size_t outbox_bytes(const struct outbox *b);  /* that wait */

#endif
