/* binance_merge - the lines of redundant sources of one feed, each event given out once and in order, by lib/arbiter.
 * Pure: lines and times come in as arguments.
 *
 * A source may bring any stream, and is waited for, until it ends; from its first frame on it is taken to carry all
 * streams. A status record of a gap, or of a connection that is missing, takes it out of the streams in question until
 * it brings them again; and there a source that has never brought the stream does not stand in for it. Gap records of
 * streams whose frames come are not passed on: where no source fills the gap it is told anew.
 *
 * Lines are given out as they come; or by time, in the order of lib/merge, which looks a window ahead. What another
 * source may fill is known then, so that nothing is held and every hole is told in its place. */
#ifndef BNC_BINANCE_MERGE_H
#define BNC_BINANCE_MERGE_H

#include "arbiter.h"
#include "event.h"
#include "merge.h"

struct binance_merge_options {
	enum event_market market; /* of frames that do not say theirs */
	unsigned sources;	  /* ARBITER_LINES at most */
	int64_t window;		  /* µs: how late another source may fill a hole */
	bool by_time;
};

struct binance_merge_out {
	void (*line)(void *user, struct span line); /* a line of a source, or the record of a gap; without '\n' */
	void (*tell)(void *user, const char *text); /* for people: a gap; once: there are too many streams */
};

struct binance_merge;

/* NULL: out of memory. Owned: binance_merge_free. */
struct binance_merge *binance_merge_new(const struct binance_merge_options *o, const struct binance_merge_out *out,
    void *user);
void binance_merge_free(struct binance_merge *m);

/* As they come. line: padded as lib/json asks; recv: µs since the epoch, for gaps that are told; now: µs of a clock
 * that does not go back */
void binance_merge_line(struct binance_merge *m, unsigned source, struct span line, int64_t recv, int64_t now);
void binance_merge_tick(struct binance_merge *m, int64_t now); /* gives up holes whose time has passed */
int64_t binance_merge_due(const struct binance_merge *m);      /* when that is; INT64_MAX: nothing is held */
void binance_merge_flush(struct binance_merge *m);	       /* gives out all that is held */

/* By time: as lib/merge, with times in ns. false of the second: out of memory; of the third: that was all */
bool binance_merge_wants(const struct binance_merge *m, unsigned source);
bool binance_merge_put(struct binance_merge *m, unsigned source, struct span line, int64_t time, bool received);
bool binance_merge_next(struct binance_merge *m);

void binance_merge_end(struct binance_merge *m, unsigned source); /* no more comes of it */

const struct arbiter_counters *binance_merge_counters(const struct binance_merge *m);
const struct merge_counters *binance_merge_order(const struct binance_merge *m); /* by time; else NULL */
size_t binance_merge_held(const struct binance_merge *m);
uint64_t binance_merge_untracked(const struct binance_merge *m); /* lines of streams beyond BINANCE_TRACK_STREAMS */

#endif
