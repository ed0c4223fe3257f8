/* rec_write - lines to recordings that stay readable whatever happens (bnc-recording(5)).
 *
 * The caller fills blocks; threads pack each into a zstd frame of its own, and one more writes the frames in their
 * order, calls fdatasync(2), and opens and closes files. So neither packing nor a slow disk holds the caller up, until all
 * REC_WRITE_BLOCKS blocks wait: then there is no room, and it is to read no further. With `tee` the bytes can be taken
 * from the same blocks for somebody else, who may be as far behind as that.
 *
 * A file is NAME.part until it is closed, never one that was there before, and its frames are whole: what cannot be
 * written is cut off again. After the first error nothing more is written. */
#ifndef BNC_REC_WRITE_H
#define BNC_REC_WRITE_H

#include "rec.h"

#define REC_WRITE_BLOCKS 12u /* of 1 MiB of lines */
#define REC_WRITE_PACKERS 4u /* threads at most */

struct rec_write_options {
	const char *dir;	/* made where it is missing, its parent must be there */
	struct span prefix;	/* rec_is_prefix */
	uint64_t rotate_bytes;	/* a file is closed when it has so many; 0: never */
	int level;		/* of zstd, 1 to 19 */
	int64_t sync;		/* µs that a line may take until it is on disk */
	bool tee;
};

struct rec_write_counters {
	uint64_t lines, bytes; /* in files, on disk or on the way to it */
	uint64_t packed;       /* bytes there */
	uint64_t files;	       /* closed */
	uint64_t syncs;
	uint64_t lost; /* lines that were taken in and could not be written */
};

struct rec_write;

/* Makes the directory and the first file at once, so that what is wrong shows at once. NULL: why[] names object and
 * reason. */
struct rec_write *rec_write_open(const struct rec_write_options *o, char why[512]);

/* Next: starts threads, so that signals have been blocked before. false: why[], and all has been closed and freed */
bool rec_write_start(struct rec_write *w, char why[512]);

/* Closes what is open, waits for it, and frees everything. false: something was not written, why[] says what; the
 * counters, where not NULL, are the last ones. */
bool rec_write_close(struct rec_write *w, struct rec_write_counters *last, char why[512]);

/* Can be read when a block has become free or something has failed; rec_write_tick then. */
int rec_write_fd(const struct rec_write *w);

/* Passes on what is due (now: clock_mono_us). false: something could not be written, it is time to close. */
bool rec_write_tick(struct rec_write *w, int64_t now);

/* when it wants to be called without an event; INT64_MAX: not */
int64_t rec_write_due(const struct rec_write *w);

/* one line, which gets its '\n' here; at most LINE_MAX_BYTES. false: no room now */
bool rec_write_line(struct rec_write *w, struct span line, int64_t now);

/* the file ends here; the next line begins a new one */
void rec_write_rotate(struct rec_write *w, int64_t now);

/* Of what was written since it was opened, the bytes not yet taken by rec_write_drop, as far as they stand in one
 * piece. */
struct span rec_write_head(struct rec_write *w);
void rec_write_drop(struct rec_write *w, size_t n);

void rec_write_counters(struct rec_write *w, struct rec_write_counters *c);

#endif
