/* rec - what a recording is made of, besides its lines: the names of its files and the index at the end of each
 * (bnc-recording(5)). Pure: bytes and times come in as arguments. */
#ifndef BNC_REC_H
#define BNC_REC_H

#include <stdint.h>

#include "span.h"
#include "when.h"

/* ----------------------------------------------------------------------------------------------------- names
 * PREFIX-2026-11-22T10-00-00Z.ndjson.zst, with _1, _2 ... before the first dot where that name was taken already, and
 * .part behind it until the file is closed */

#define REC_PREFIX_MAX 200 /* bytes; a file name has 255 */
#define REC_NAME_MAX   256 /* with NUL */

struct rec_name {
	struct span prefix;
	int64_t second;	   /* of the start, since the epoch */
	uint64_t number;   /* 0: the first one of that second */
	bool part;
};

/* NUL-terminated; prefix: rec_is_prefix */
void rec_name_print(char out[REC_NAME_MAX], const struct rec_name *n);

/* also names of files that are not compressed, or by gzip. false: not the name of a recording */
bool rec_name_parse(struct span name, struct rec_name *n);

/* 1 to REC_PREFIX_MAX bytes, printable, no slash, neither dot nor minus at the start */
bool rec_is_prefix(struct span text);

/* Files of a directory that are taken for recordings: those that rec_name_parse takes, and whatever ends in .ndjson,
 * .ndjson.zst or .ndjson.gz, perhaps with .part */
bool rec_is_recording(struct span name);

/* their order: by time and number; those without a time first; equal ones by bytes. As for qsort(3) */
int rec_name_compare(struct span a, struct span b);

/* ----------------------------------------------------------------------------------------------------- index
 * A skippable frame of zstd behind all others: for each stretch of whole frames how long it is, what times its lines
 * have, and a footer by which it is found from the end of the file. */

#define REC_STRETCH_BYTES (32u << 10) /* packed; frames are gathered in a stretch until it has so many */

struct rec_stretch {
	uint64_t offset;   /* in the file */
	uint64_t packed;   /* bytes there */
	uint64_t bytes;	   /* of its lines */
	uint64_t lines;
	/* Times of its lines; a line without one has that of the line before. `first` is that of its first line; of all,
	 * low is the lowest, high the highest, last that of the last line. WHEN_NEVER: no time so far. */
	int64_t first, low, high, last;
};

struct rec_index {
	struct rec_stretch *stretch; /* owned */
	size_t n, cap;
};

void rec_index_close(struct rec_index *x); /* safe twice */

/* one more frame at the end, a stretch of its own or part of the last one; f->offset is filled in. false: no memory */
bool rec_index_add(struct rec_index *x, struct rec_stretch f);

/* bytes of the stretches together, packed */
uint64_t rec_index_end(const struct rec_index *x);

/* the skippable frame; NULL: no memory. Owned by the caller */
char *rec_index_print(const struct rec_index *x, size_t *n);

#define REC_FOOTER_BYTES 24u
/* The footer, which are the last bytes of a closed file: how many bytes the whole index has. false: no index there */
bool rec_footer_read(const char footer[REC_FOOTER_BYTES], uint64_t *n);

/* The skippable frame of a file of `size` bytes whose last ones it is; *x must be empty. false: it is damaged, does not
 * fit the file, or there is no memory */
bool rec_index_read(struct rec_index *x, struct span frame, uint64_t size);

#endif
