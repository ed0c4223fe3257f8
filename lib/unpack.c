#include "unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ZSTD_STATIC_LINKING_ONLY /* for the size of the longest frame header */
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define READ_BYTES (256u << 10)
/* a frame of one piece must stand in the buffer whole, however badly it compressed */
#define BUF_BYTES (READ_BYTES + ZSTD_COMPRESSBOUND(UNPACK_FRAME_MAX))
#define MAGIC_BYTES 4
#define SKIPPABLE_HEAD 8

/* what a decoder answers besides those of unpack.h */
#define AGAIN	(-10L) /* no byte, but one step on */
#define STARVED (-11L) /* no step without more of the file; never when that has ended */

bool unpack_open(struct unpack *u)
{
	*u = (struct unpack){ .fd = -1 };
	u->buf = malloc(BUF_BYTES);
	return u->buf != NULL;
}

static void drop_decoder(struct unpack *u)
{
	if (u->kind == UNPACK_GZIP && u->decoder) {
		inflateEnd(u->decoder);
		free(u->decoder);
	} else if (u->kind == UNPACK_ZSTD) {
		ZSTD_freeDCtx(u->decoder);
	}
	u->decoder = NULL;
}

void unpack_close(struct unpack *u)
{
	drop_decoder(u);
	free(u->buf);
	*u = (struct unpack){ .fd = -1 };
}

void unpack_attach(struct unpack *u, int fd)
{
	drop_decoder(u);
	*u = (struct unpack){ .fd = fd, .buf = u->buf, .upto = UINT64_MAX, .taken = u->taken, .given = u->given };
}

bool unpack_range(struct unpack *u, uint64_t offset, uint64_t upto)
{
	if (lseek(u->fd, (off_t)offset, SEEK_SET) < 0)
		return false;
	if (u->kind != UNPACK_ZSTD)
		drop_decoder(u);
	*u = (struct unpack){ .fd = u->fd,
		.kind = UNPACK_ZSTD,
		.buf = u->buf,
		.decoder = u->decoder,
		.offset = offset,
		.upto = upto,
		.taken = u->taken,
		.given = u->given };
	return true;
}

static size_t held(const struct unpack *u)
{
	return u->hi - u->lo;
}

static void drop(struct unpack *u, size_t n)
{
	u->lo += n;
	u->offset += n;
	if (u->lo == u->hi)
		u->lo = u->hi = 0;
}

static long broken(struct unpack *u, const char *why, uint64_t at)
{
	u->why = why;
	u->at = at;
	return UNPACK_BROKEN;
}

/* one read(2), also straight to the caller; what read(2) says, or UNPACK_MORE, UNPACK_FAILED */
static long take(struct unpack *u, char *p, size_t n)
{
	uint64_t left = u->upto - (u->offset + held(u));
	ssize_t k = read(u->fd, p, left < n ? (size_t)left : n);

	if (k < 0)
		return errno == EAGAIN || errno == EINTR ? UNPACK_MORE : UNPACK_FAILED;
	u->ended = k == 0;
	u->taken += (uint64_t)k;
	return (long)k;
}

static long fill(struct unpack *u)
{
	if (u->lo > 0 && u->hi + READ_BYTES > BUF_BYTES) {
		memmove(u->buf, u->buf + u->lo, held(u));
		u->hi -= u->lo;
		u->lo = 0;
	}
	long k = take(u, u->buf + u->hi, READ_BYTES);
	if (k > 0)
		u->hi += (size_t)k;
	return k;
}

/* ------------------------------------------------------------------------------------------------------ plain */

/* what was read to tell the kind; all else goes from the file to the caller */
static long rest_of_plain(struct unpack *u, char *p, size_t n)
{
	size_t k = held(u) < n ? held(u) : n;

	if (k == 0)
		return u->ended ? 0 : STARVED;
	memcpy(p, u->buf + u->lo, k);
	drop(u, k);
	return (long)k;
}

/* ------------------------------------------------------------------------------------------------------- gzip */

static bool open_gzip(struct unpack *u)
{
	z_stream *z = calloc(1, sizeof *z);

	if (!z || inflateInit2(z, 15 + 16) != Z_OK) {
		free(z);
		errno = ENOMEM;
		return false;
	}
	u->decoder = z;
	return true;
}

/* a member that ended may be followed by another one, or by the zeros of a tape (gzip(1)) */
static long begin_member(struct unpack *u)
{
	while (u->offset > 0 && held(u) > 0 && u->buf[u->lo] == '\0')
		drop(u, 1);
	if (held(u) == 0)
		return u->ended ? 0 : STARVED;
	inflateReset(u->decoder);
	u->inside = true;
	return AGAIN;
}

static long decode_gzip(struct unpack *u, char *p, size_t n)
{
	z_stream *z = u->decoder;

	if (!u->inside)
		return begin_member(u);
	uInt room = n > 1u << 30 ? 1u << 30 : (uInt)n;
	uInt had = (uInt)held(u);
	z->next_in = (Bytef *)u->buf + u->lo;
	z->avail_in = had;
	z->next_out = (Bytef *)p;
	z->avail_out = room;
	int r = inflate(z, Z_NO_FLUSH);
	drop(u, had - z->avail_in);
	if (r == Z_STREAM_END)
		u->inside = false;
	else if (r != Z_OK && r != Z_BUF_ERROR)
		return broken(u, r == Z_MEM_ERROR ? "out of memory" : "the gzip data is damaged", u->offset);
	if (z->avail_out < room)
		return (long)(room - z->avail_out);
	if (r == Z_STREAM_END || z->avail_in < had)
		return AGAIN;
	return u->ended ? broken(u, "the gzip data is cut off", u->offset) : STARVED;
}

/* ------------------------------------------------------------------------------------------------------- zstd */

static bool open_zstd(struct unpack *u)
{
	u->decoder = ZSTD_createDCtx();
	if (!u->decoder)
		errno = ENOMEM;
	return u->decoder != NULL;
}

static uint32_t little_endian(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool is_skippable(const char *p)
{
	return (little_endian(p) & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

/* of a frame that is given as it is decoded */
static long decode_piece(struct unpack *u, char *p, size_t n)
{
	ZSTD_inBuffer in = { u->buf + u->lo, held(u), 0 };
	ZSTD_outBuffer out = { p, n, 0 };
	size_t r = ZSTD_decompressStream(u->decoder, &out, &in);

	if (ZSTD_isError(r))
		return broken(u, ZSTD_getErrorName(r), u->offset);
	drop(u, in.pos);
	u->inside = r != 0;
	if (out.pos > 0)
		return (long)out.pos;
	if (in.pos > 0 || !u->inside)
		return AGAIN;
	return u->ended ? broken(u, "the frame is cut off", u->offset) : STARVED;
}

/* a frame that fits: when all of it is there */
static long decode_whole(struct unpack *u, char *p, size_t n)
{
	const char *from = u->buf + u->lo;
	size_t packed = ZSTD_findFrameCompressedSize(from, held(u));

	if (ZSTD_isError(packed) && ZSTD_getErrorCode(packed) == ZSTD_error_srcSize_wrong)
		return u->ended ? broken(u, "the frame is cut off", u->frame_at) : STARVED;
	size_t got = ZSTD_isError(packed) ? packed : ZSTD_decompressDCtx(u->decoder, p, n, from, packed);
	if (ZSTD_isError(got))
		return broken(u, ZSTD_getErrorName(got), u->frame_at);
	drop(u, packed);
	return got > 0 ? (long)got : AGAIN;
}

/* its first bytes are in the buffer */
static long decode_frame(struct unpack *u, char *p, size_t n)
{
	unsigned long long size = ZSTD_getFrameContentSize(u->buf + u->lo, held(u));

	u->frame_at = u->offset;
	if (size == ZSTD_CONTENTSIZE_ERROR)
		return broken(u, "no zstd frame begins here", u->offset);
	/* the buffer holds it for certain only where it compressed no worse than it may */
	if (size != ZSTD_CONTENTSIZE_UNKNOWN && size <= n && held(u) + READ_BYTES <= BUF_BYTES)
		return decode_whole(u, p, n);
	ZSTD_DCtx_reset(u->decoder, ZSTD_reset_session_only);
	u->inside = true;
	return decode_piece(u, p, n);
}

static long skip(struct unpack *u)
{
	size_t n = u->skip < held(u) ? (size_t)u->skip : held(u);

	drop(u, n);
	u->skip -= n;
	if (u->skip == 0)
		return AGAIN;
	return u->ended ? broken(u, "a skippable frame is cut off", u->frame_at) : STARVED;
}

static long decode_zstd(struct unpack *u, char *p, size_t n)
{
	if (u->inside)
		return decode_piece(u, p, n);
	if (u->skip > 0)
		return skip(u);
	if (held(u) < ZSTD_FRAMEHEADERSIZE_MAX && !u->ended)
		return STARVED;
	if (held(u) == 0)
		return 0;
	if (held(u) < SKIPPABLE_HEAD) /* no frame is that short */
		return broken(u, "the frame is cut off", u->offset);
	if (!is_skippable(u->buf + u->lo))
		return decode_frame(u, p, n);
	u->frame_at = u->offset;
	u->skip = (uint64_t)little_endian(u->buf + u->lo + MAGIC_BYTES) + SKIPPABLE_HEAD;
	return AGAIN;
}

/* -------------------------------------------------------------------------------------------------------- all */

/* which kind the first bytes say; UNPACK_UNKNOWN: more of them are needed */
static enum unpack_kind kind_of(const struct unpack *u)
{
	const char *p = u->buf + u->lo;
	size_t n = held(u);

	if (n >= 2 && memcmp(p, "\x1f\x8b", 2) == 0)
		return UNPACK_GZIP;
	if (n >= MAGIC_BYTES && (little_endian(p) == ZSTD_MAGICNUMBER || is_skippable(p)))
		return UNPACK_ZSTD;
	/* all that was written before the end came */
	if (u->ended && n > 0 && n < MAGIC_BYTES && memcmp(p, "\x28\xb5\x2f\xfd", n) == 0)
		return UNPACK_ZSTD;
	/* a line of JSON, or one with a time in front, begins otherwise: it is not to wait for three more bytes */
	bool odd = n == 0 || p[0] == '\x1f' || p[0] == '\x28' || (p[0] & '\xf0') == '\x50';
	return odd && n < MAGIC_BYTES && !u->ended ? UNPACK_UNKNOWN : UNPACK_PLAIN;
}

static bool open_decoder(struct unpack *u)
{
	if (u->decoder || u->kind == UNPACK_PLAIN)
		return true;
	return u->kind == UNPACK_GZIP ? open_gzip(u) : open_zstd(u);
}

static long decode(struct unpack *u, char *p, size_t n)
{
	if (u->kind == UNPACK_UNKNOWN)
		u->kind = kind_of(u);
	if (u->kind == UNPACK_UNKNOWN)
		return STARVED;
	if (!open_decoder(u))
		return UNPACK_FAILED;
	if (u->kind == UNPACK_PLAIN)
		return rest_of_plain(u, p, n);
	return u->kind == UNPACK_GZIP ? decode_gzip(u, p, n) : decode_zstd(u, p, n);
}

static long count(struct unpack *u, long r)
{
	u->given += r > 0 ? (uint64_t)r : 0;
	return r;
}

long unpack_read(struct unpack *u, char *p, size_t n, bool readable)
{
	long r;

	for (;;) {
		do
			r = decode(u, p, n);
		while (r == AGAIN);
		if (r != STARVED)
			return count(u, r);
		if (!readable)
			return UNPACK_MORE;
		readable = false;
		if (u->kind == UNPACK_PLAIN) {
			r = take(u, p, n);
			u->offset += r > 0 ? (uint64_t)r : 0;
			return count(u, r);
		}
		r = fill(u);
		if (r < 0)
			return r;
	}
}
