/* merge - lines of several sources in one order, by the times that they carry. Pure: lines and times come in as
 * arguments.
 *
 * Of the lines that stand first in their sources the one with the lowest time goes next, of equal ones that of the
 * source with the lowest number. The time of a line is the highest so far in its source, so that nothing changes places
 * inside a source; a line without a time has that of the line before.
 *
 * Sources that are copies of one feed are looked at for a window ahead, which does three things. A line that says when
 * it arrived, and stands behind one that arrived later, goes back to its place where that is no further away than the
 * window. A line that stands further back in another source waits for those before it there, and its copies follow it
 * at once: so lines of one time, or of none, come in the order of the source that has them all. And a line of a
 * sequence waits for those of a lower rank that other sources have. It waits for none that is later by more than the
 * window.
 *
 * What is looked at is capped: beyond MERGE_LINES or MERGE_BYTES of a source its first line goes out early. */
#ifndef BNC_MERGE_H
#define BNC_MERGE_H

#include <stdint.h>

#include "span.h"
#include "when.h"

#define MERGE_SOURCES 64
#define MERGE_LINES   16384
#define MERGE_BYTES   (8u << 20)

struct merge_options {
	unsigned sources; /* MERGE_SOURCES at most */
	bool copies;	  /* of one feed; what follows is theirs alone */
	int64_t window;	  /* in the unit of the times */
	size_t sequences; /* and the one that stands for none */
	size_t tag_bytes;
};

struct merge_line {
	unsigned source;
	struct span text;
	int64_t time;  /* from zero up, or WHEN_NEVER */
	bool received; /* that is when it arrived; else the exchange's time, or its record's */

	/* of copies alone */
	uint64_t hash;	 /* of text: the same line elsewhere has the same */
	size_t sequence; /* 0: none */
	uint64_t rank;
	const void *tag; /* the owner's; kept with the line */
};

struct merge_counters {
	uint64_t late;	/* put back into their places */
	uint64_t early; /* gone before their window was over, because of the caps */
};

struct merge;

/* NULL: out of memory. Owned: merge_free. */
struct merge *merge_new(const struct merge_options *o);
void merge_free(struct merge *m);

/* Must the source say more (merge_put, merge_end) before it is known which line is next? */
bool merge_wants(const struct merge *m, unsigned source);

/* its next line; takes a copy. false: out of memory */
bool merge_put(struct merge *m, const struct merge_line *l);
void merge_end(struct merge *m, unsigned source);
bool merge_over(const struct merge *m, unsigned source); /* it has ended, and all its lines have gone */

/* The next line, when no source is wanted. Its time is the one by which it stands there; text, padded as lib/json asks,
 * and tag are good until the next call. false: that was all */
bool merge_next(struct merge *m, struct merge_line *l);

const struct merge_counters *merge_counters(const struct merge *m);

#endif
