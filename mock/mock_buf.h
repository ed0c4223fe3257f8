/* mock_buf - a queue of bytes with a cap, and the few ways in which the offline exchange writes text. */
#ifndef BNC_MOCK_BUF_H
#define BNC_MOCK_BUF_H

#include <stdint.h>

#include "span.h"

struct mock_buf {
	char *p; /* owned */
	size_t lo, hi;
	size_t cap;
	size_t max; /* bytes it may hold at most */
	bool full;  /* something did not fit: it stays so until mock_buf_clear, and what did not fit is missing */
};

static inline struct mock_buf mock_buf_of(size_t max)
{
	return (struct mock_buf){ .max = max };
}

static inline struct span mock_buf_span(const struct mock_buf *b)
{
	return (struct span){ b->p + b->lo, b->hi - b->lo };
}

static inline size_t mock_buf_len(const struct mock_buf *b)
{
	return b->hi - b->lo;
}

/* room for n more bytes at b->p + b->hi; false (and b->full) over the cap or without memory */
bool mock_buf_room(struct mock_buf *b, size_t n);
void mock_buf_take(struct mock_buf *b, size_t n); /* drops n bytes from the front */
void mock_buf_clear(struct mock_buf *b);
void mock_buf_free(struct mock_buf *b);

void mock_put(struct mock_buf *b, struct span s);
void mock_put_char(struct mock_buf *b, char c);
void mock_put_i64(struct mock_buf *b, int64_t v);
/* units / 10^decimals with all its decimals: 8455110, 2 -> 84551.10 */
void mock_put_dec(struct mock_buf *b, int64_t units, int decimals);
void mock_put_json_string(struct mock_buf *b, struct span s); /* with quotes and escapes */

#define mock_put_lit(b, literal) mock_put((b), SPAN(literal))

#endif
