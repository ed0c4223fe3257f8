/* span - a view of bytes that belong to somebody else.
 * A span dies with the buffer it points into; nothing here allocates. */
#ifndef BNC_SPAN_H
#define BNC_SPAN_H

#include <stdbool.h>
#include <stddef.h>
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

static inline bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool span_is(struct span a, const char *s)
{
	return span_eq(a, span_of(s));
}

static inline bool span_starts(struct span a, struct span head)
{
	return a.n >= head.n && memcmp(a.p, head.p, head.n) == 0;
}

static inline bool span_ends(struct span a, struct span tail)
{
	return a.n >= tail.n && memcmp(a.p + a.n - tail.n, tail.p, tail.n) == 0;
}

/* may stand between quotes as it is: no control character, no quote, no backslash */
bool span_printable(struct span s);

/* what stands before the first `c`; *rest is what stands behind it, or an empty span with p == NULL
 * where there is no `c` (then the whole of `s` is returned) */
struct span span_cut(struct span s, char c, struct span *rest);

/* s without leading and trailing blanks, tabs and line ends */
struct span span_trim(struct span s);

#endif
