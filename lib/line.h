/* line - lines in and lines out, in batches, with caps.
 *
 * In: read(2) lands on a page boundary and the unfinished line is carried to just before it (on AMD a read to
 * page+1..16 is three times slower). A line is at most LINE_MAX_BYTES; a longer one is given as LINE_LONG and its rest
 * skipped. Each line given is followed by '\n' and JSON_PAD readable bytes, also the last one of a file without
 * line end. Out: one buffer, written when the reader is about to wait or LINE_OUT_FLUSH bytes have gathered. When it is
 * full and the reader takes nothing, the writer waits: so the pipe before it fills and its writer waits in turn. */
#ifndef BNC_LINE_H
#define BNC_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "io.h"
#include "span.h"

#define LINE_MAX_BYTES (1u << 20)
#define LINE_READ_BYTES (256u << 10)
#define LINE_OUT_FLUSH (128u << 10)
#define LINE_OUT_BYTES (4u << 20)
#define LINE_RECORD_MAX (8u << 10) /* no record that bnc writes is longer */

enum line_got {
	LINE_ONE,   /* *line is a line, without its '\n' */
	LINE_LONG,  /* a line over the cap; *line is its beginning */
	LINE_EMPTY, /* no whole line in the buffer: line_fill */
};

struct line_in {
	int fd;
	long (*take)(void *user, char *p, size_t n); /* in place of read(2) where bytes come from somewhere else */
	void *user;
	size_t at_once; /* bytes of one read at most */
	bool ended;       /* end of file seen */
	bool skipping;    /* inside the rest of a line over the cap */
	char *map;        /* owned */
	char *base;       /* page boundary where read(2) puts bytes */
	char *lo, *hi;    /* unread bytes */
	char *nl;         /* no '\n' in [lo, nl) */
	uint64_t number;  /* of the line given last, from 1 */
	uint64_t offset;  /* byte offset of that line in its input */
	uint64_t next;    /* byte offset of lo */
};

bool line_in_open(struct line_in *in);            /* takes the buffer; errno on false */
/* the same for a `take` that wants to be offered `at_once` bytes; what it returns, line_fill returns */
bool line_in_open_for(struct line_in *in, size_t at_once, long (*take)(void *user, char *p, size_t n), void *user);
void line_in_attach(struct line_in *in, int fd);  /* starts a new input; fd stays the caller's */
void line_in_resume(struct line_in *in);          /* drops what is unread: the input goes on somewhere else */
void line_in_close(struct line_in *in);           /* gives the buffer back; safe twice */

/* one read(2): > 0 bytes, 0 end of input, -1 errno (EINTR, EAGAIN included). Only when line_next said LINE_EMPTY. */
long line_fill(struct line_in *in);
enum line_got line_next_slow(struct line_in *in, struct span *line);

/* Has a line not been looked at that begins at in->lo? Its bytes reach to in->hi, and LINE_PAD more are readable. */
#define LINE_PAD 4096
static inline bool line_is_fresh(const struct line_in *in)
{
	return !in->skipping && in->nl == in->lo && in->lo != in->hi;
}

/* that line, whose '\n' is in front of `end`, has been taken */
static inline void line_taken(struct line_in *in, const char *end)
{
	size_t n = (size_t)(end - in->lo);

	in->lo = in->nl = in->lo + n;
	in->number++;
	in->offset = in->next;
	in->next += n;
}

/* the same for `count` of them, of which nobody wants to know where the last began */
static inline void lines_taken(struct line_in *in, const char *end, uint64_t count)
{
	line_taken(in, end);
	in->number += count - 1;
}

/* the common case here: a whole line of the usual length that nobody has looked for */
static inline enum line_got line_next(struct line_in *in, struct span *line)
{
	char *from = in->lo;
	char *end = line_is_fresh(in) ? memchr(from, '\n', (size_t)(in->hi - from)) : NULL;

	if (__builtin_expect(!end || end - from > LINE_MAX_BYTES, 0))
		return line_next_slow(in, line);
	*line = (struct span){ from, (size_t)(end - from) };
	line_taken(in, end + 1);
	return LINE_ONE;
}

struct line_out {
	struct io_out to;
	char *buf; /* owned */
	char *p;   /* next free byte: writers fill from here and move it */
	char *end; /* of the buffer */
	int wake;  /* fd that interrupts a wait for a slow reader (signals), or -1 */
	int error; /* errno of the first failed write, 0 while all is well; EINTR: woken, ETIMEDOUT: the deadline */
	uint64_t lines; /* put by line_put; a writer that moves p itself adds its own */

	/* optional: called when `wake` can be read; it takes what is there. true: go on waiting. Without it, or on false,
	 * the write is given up */
	bool (*woken)(void *user);
	void *user;
	int64_t deadline; /* clock_mono_us at which a wait is given up; INT64_MAX: never. woken may bring it nearer */
};

bool line_out_open(struct line_out *out, struct io_out to, int wake);
void line_out_close(struct line_out *out);

/* room for n more bytes (n <= LINE_OUT_BYTES): flushes when there is none or LINE_OUT_FLUSH bytes wait. false: the write failed (out->error).
 * A caller that wrote less than it asked for simply moves out->p less. */
bool line_room_slow(struct line_out *out, size_t n);
static inline bool line_room(struct line_out *out, size_t n)
{
	bool there = !out->error && (size_t)(out->p - out->buf) < LINE_OUT_FLUSH && n <= (size_t)(out->end - out->p);

	return __builtin_expect(there, 1) || line_room_slow(out, n);
}

/* writes everything gathered, waiting for a slow reader; false: out->error */
bool line_flush(struct line_out *out);

static inline size_t line_pending(const struct line_out *out)
{
	return (size_t)(out->p - out->buf);
}

/* `count` lines of an input that go on as they are, each with its '\n', LINE_OUT_BYTES at most: many of them are not copied
 * but written at once; false as line_room */
bool line_pass(struct line_out *out, struct span lines, uint64_t count);

/* the line and its '\n'; false as line_room */
bool line_put(struct line_out *out, struct span line);

#endif
