/* unpack - reads a file that may be compressed: plain, gzip or zstd, told apart by its first bytes.
 *
 * A zstd frame that says how long it is, and fits into what the caller offers, is given in one piece and only when its
 * checksum holds (so bnc-record writes them: bnc-recording(5)); a longer one, and gzip, are given as they are decoded.
 * Skippable frames are passed over. What cannot be decoded is told with the offset in the file: of the frame, or in one that
 * is given piece by piece how far it went; what stood before has been given by then. */
#ifndef BNC_UNPACK_H
#define BNC_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNPACK_FRAME_MAX ((1u << 20) + 1) /* offer so much, and bnc-record's frames come in one piece */

enum unpack_kind {
	UNPACK_UNKNOWN, /* nothing has been read yet */
	UNPACK_PLAIN,
	UNPACK_GZIP,
	UNPACK_ZSTD,
};

struct unpack {
	int fd; /* the caller's */
	enum unpack_kind kind;
	char *buf;	   /* owned: bytes of the file */
	size_t lo, hi;	   /* those not decoded yet */
	uint64_t offset;   /* of buf + lo in the file */
	uint64_t upto;	   /* reads no byte of the file from here on; UINT64_MAX: all */
	bool ended;	   /* the file has */
	void *decoder;	   /* owned: z_stream or ZSTD_DCtx, by kind */
	bool inside;	   /* a frame that is given as it is decoded */
	uint64_t skip;	   /* bytes of a skippable frame to come */
	uint64_t frame_at; /* where the frame begins that is being decoded */
	uint64_t given;	   /* bytes, over all files */
	uint64_t taken;	   /* bytes read, over all files */
	const char *why;   /* after UNPACK_BROKEN: a constant sentence */
	uint64_t at;	   /* and the offset in the file */
};

#define UNPACK_MORE   (-1L) /* nothing yet: call again when fd can be read */
#define UNPACK_FAILED (-2L) /* errno */
#define UNPACK_BROKEN (-3L) /* why, at */

/* false: out of memory */
bool unpack_open(struct unpack *u);
void unpack_close(struct unpack *u); /* safe twice */

/* starts a file at its first byte */
void unpack_attach(struct unpack *u, int fd);

/* Goes on at `offset` of a zstd file, where a frame begins, up to `upto`. false: errno */
bool unpack_range(struct unpack *u, uint64_t offset, uint64_t upto);

/* At most n bytes to p: > 0, 0 at the end, or one of the above; n >= UNPACK_FRAME_MAX for whole frames. `readable`: fd may
 * be read, once, without waiting, as a regular file always may; else only what has been read already is decoded. */
long unpack_read(struct unpack *u, char *p, size_t n, bool readable);

#endif
