/* ring - bytes that wait for their reader, first in, first out.
 *
 * One piece of memory is mapped twice, end to end, so that what waits and what is free are each one contiguous stretch
 * wherever they begin, and neither a message nor a write is ever split at the end of the buffer. Pages that were never
 * written to take no memory. */
#ifndef BNC_RING_H
#define BNC_RING_H

#include <assert.h>

#include "span.h"

struct ring {
	char *base; /* owned; NULL: not open */
	size_t cap;
	size_t at;   /* of the oldest byte; < cap */
	size_t used; /* <= cap */
};

/* takes room for at least `cap` bytes (1 or more), rounded up to pages. false with errno: no memory, or too large */
bool ring_open(struct ring *r, size_t cap);

/* gives it back; nothing on a ring that is not open */
void ring_close(struct ring *r);

static inline size_t ring_used(const struct ring *r)
{
	return r->used;
}

static inline size_t ring_free(const struct ring *r)
{
	return r->cap - r->used;
}

/* where the next bytes go: ring_free() of them may be written there, and count when ring_add() has said so */
static inline char *ring_tail(const struct ring *r)
{
	return r->base + r->at + r->used;
}

static inline void ring_add(struct ring *r, size_t n)
{
	assert(n <= ring_free(r));
	r->used += n;
}

/* all that waits, oldest first; valid until the next ring_drop() */
static inline struct span ring_head(const struct ring *r)
{
	return (struct span){ r->base + r->at, r->used };
}

/* the oldest n bytes have been taken */
static inline void ring_drop(struct ring *r, size_t n)
{
	assert(n <= r->used);
	r->used -= n;
	r->at += n;
	if (r->at >= r->cap)
		r->at -= r->cap;
	if (r->used == 0) /* so that a reader who keeps up needs the first pages alone */
		r->at = 0;
}

#endif
