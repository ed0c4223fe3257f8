#include "mock_buf.h"

#include <stdlib.h>

#include "jsonw.h"
#include "num.h"

#define FIRST_CAP 1024

static void pack(struct mock_buf *b)
{
	if (b->lo == 0)
		return;
	memmove(b->p, b->p + b->lo, b->hi - b->lo);
	b->hi -= b->lo;
	b->lo = 0;
}

bool mock_buf_room(struct mock_buf *b, size_t n)
{
	size_t len = b->hi - b->lo;

	if (b->full || n > b->max || len > b->max - n) {
		b->full = true;
		return false;
	}
	if (b->hi + n <= b->cap)
		return true;
	if (b->lo > 0)
		pack(b);
	if (b->hi + n <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < len + n)
		cap *= 2;
	char *p = realloc(b->p, cap);
	if (!p) {
		b->full = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void mock_buf_take(struct mock_buf *b, size_t n)
{
	b->lo += n;
	if (b->lo == b->hi)
		b->lo = b->hi = 0;
}

void mock_buf_clear(struct mock_buf *b)
{
	b->lo = b->hi = 0;
	b->full = false;
}

void mock_buf_free(struct mock_buf *b)
{
	free(b->p);
	*b = mock_buf_of(b->max);
}

void mock_put(struct mock_buf *b, struct span s)
{
	if (s.n == 0 || !mock_buf_room(b, s.n))
		return;
	memcpy(b->p + b->hi, s.p, s.n);
	b->hi += s.n;
}

void mock_put_char(struct mock_buf *b, char c)
{
	mock_put(b, (struct span){ &c, 1 });
}

void mock_put_i64(struct mock_buf *b, int64_t v)
{
	char text[24];

	mock_put(b, (struct span){ text, (size_t)(jsonw_i64(text, v) - text) });
}

void mock_put_dec(struct mock_buf *b, int64_t units, int decimals)
{
	char digits[24];
	uint64_t magnitude = units < 0 ? 0 - (uint64_t)units : (uint64_t)units;
	size_t n = (size_t)(num_print_u64(digits, magnitude) - digits);
	size_t places = (size_t)decimals;

	if (units < 0)
		mock_put_char(b, '-');
	if (n > places)
		mock_put(b, (struct span){ digits, n - places });
	else
		mock_put_char(b, '0');
	if (places == 0)
		return;
	mock_put_char(b, '.');
	for (size_t zeros = places; zeros > n; zeros--)
		mock_put_char(b, '0');
	size_t tail = n < places ? n : places;
	mock_put(b, (struct span){ digits + n - tail, tail });
}

void mock_put_json_string(struct mock_buf *b, struct span s)
{
	if (!mock_buf_room(b, JSONW_STRING_MAX(s.n)))
		return;
	b->hi = (size_t)(jsonw_string(b->p + b->hi, s) - b->p);
}
