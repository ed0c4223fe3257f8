/* span - a view of bytes that belong to somebody else.
 * A span dies with the buffer it points into; nothing here allocates. */
#ifndef BNC_SPAN_H
#define BNC_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

/* the span of a string literal, its length known to the compiler */
#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })

static inline struct span span_of(const char *s)
{
	return (struct span){ s, strlen(s) };
}

/* FNV-1a of its bytes. from: SPAN_HASH, or that of something else it goes on from */
#define SPAN_HASH 14695981039346656037ULL
static inline uint64_t span_hash(struct span s, uint64_t from)
{
	for (size_t i = 0; i < s.n; i++)
		from = (from ^ (unsigned char)s.p[i]) * 1099511628211ULL;
	return from;
}

/* n equal bytes? Names are short, and two overlapping loads are cheaper than a call */
static inline bool span_same(const char *a, const char *b, size_t n)
{
	uint64_t a8[2], b8[2];
	uint32_t a4[2], b4[2];

	if (n > 16)
		return memcmp(a, b, n) == 0;
	if (n >= 8) {
		memcpy(&a8[0], a, 8);
		memcpy(&b8[0], b, 8);
		memcpy(&a8[1], a + n - 8, 8);
		memcpy(&b8[1], b + n - 8, 8);
		return ((a8[0] ^ b8[0]) | (a8[1] ^ b8[1])) == 0;
	}
	if (n >= 4) {
		memcpy(&a4[0], a, 4);
		memcpy(&b4[0], b, 4);
		memcpy(&a4[1], a + n - 4, 4);
		memcpy(&b4[1], b + n - 4, 4);
		return ((a4[0] ^ b4[0]) | (a4[1] ^ b4[1])) == 0;
	}
	return n == 0 || (a[0] == b[0] && a[n / 2] == b[n / 2] && a[n - 1] == b[n - 1]);
}

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && span_same(a.p, b.p, a.n);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

static inline bool span_starts(struct span a, struct span head)
{
	return a.n >= head.n && span_same(a.p, head.p, head.n);
}

static inline bool span_ends(struct span a, struct span tail)
{
	return a.n >= tail.n && span_same(a.p + a.n - tail.n, tail.p, tail.n);
}

/* whatever is not printable ASCII becomes '?': what comes from outside may hold anything */
void span_clean(char *text);

/* may stand between quotes as it is: no control character, no quote, no backslash */
bool span_printable(struct span s);

/* what stands before the first `c`; *rest is what stands behind it, or an empty span with p == NULL
 * where there is no `c` (then the whole of `s` is returned) */
struct span span_cut(struct span s, char c, struct span *rest);

/* s without leading and trailing blanks, tabs and line ends */
struct span span_trim(struct span s);

#endif
