/* rec_read - the lines of a recording, one file after another: plain, gzip or zstd, closed or not (bnc-recording(5)).
 * Of a stretch of time it reads no more than the index says is needed, where there is one. */
#ifndef BNC_REC_READ_H
#define BNC_REC_READ_H

#include "line.h"
#include "rec.h"
#include "unpack.h"

struct rec_read {
	/* filled by the owner behind rec_read_open */
	int64_t from, to; /* lines whose time is from <= time < to; a line without a time has that of the line before, of the
			   * same file, and one before all times is earlier than any. INT64_MIN, INT64_MAX: all */
	bool timed;	  /* say the time of each line */
	bool readable;	  /* in.fd can be read now: to be said after REC_WAIT, where it is no regular file */

	struct line_in in; /* in.fd to wait for, in.number of the line for messages */
	struct unpack unpack; /* why and at, after REC_BROKEN; `taken`: bytes read so far */
	struct when when;
	struct rec_index index;
	size_t next; /* stretch to look at */
	bool regular, broken;
	int64_t us; /* time of the line given last */
};

enum rec_got {
	REC_LINE,   /* *line, padded as lib/json asks, and *us, WHEN_NEVER where it has none or `timed` is false */
	REC_LONG,   /* a line over the cap, left out */
	REC_MORE,   /* a piece of the file has been read: time to look after other things, then call again */
	REC_WAIT,   /* nothing now: until in.fd can be read */
	REC_END,
	REC_BROKEN, /* damaged from unpack.at on; what stood before has been given. The end */
	REC_FAILED, /* errno. The end */
};

/* false: out of memory */
bool rec_read_open(struct rec_read *r);
void rec_read_close(struct rec_read *r);

/* starts a file, and closes the one before; "-" is standard input. false: errno */
bool rec_read_attach(struct rec_read *r, const char *path);

enum rec_got rec_read_next(struct rec_read *r, struct span *line, int64_t *us);

/* The files that operands name: those themselves, and of a directory its recordings. Where all names tell a time they are
 * sorted by it, else they stay in the order of the operands, sorted inside each directory. */
struct rec_files {
	char **path; /* owned */
	size_t n, cap;
};

/* none: standard input alone. false: errno, *path is the one that could not be read */
bool rec_files_open(struct rec_files *f, char *const *operands, const char **path);
void rec_files_close(struct rec_files *f);

#endif
