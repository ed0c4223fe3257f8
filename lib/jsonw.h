/* jsonw - writes JSON to memory that the caller has made large enough. Nothing here checks room:
 * a writer of a line says how much it needs at most (JSONW_* below) and asks lib/line for it once. */
#ifndef BNC_JSONW_H
#define BNC_JSONW_H

#include <stdint.h>
#include <string.h>

#include "span.h"

#define JSONW_STRING_MAX(n) (6 * (n) + 2) /* every byte as \u00XX, and the quotes */

/* a literal, its length known to the compiler: becomes a few wide stores */
#define jsonw_lit(out, literal) ((char *)memcpy((out), (literal), sizeof(literal) - 1) + (sizeof(literal) - 1))

/* bytes as they are */
static inline char *jsonw_raw(char *out, struct span s)
{
	memcpy(out, s.p, s.n);
	return out + s.n;
}

char *jsonw_i64(char *out, int64_t value);

/* quotes around it, escapes for what RFC 8259 asks to escape; the span must be UTF-8 */
char *jsonw_string(char *out, struct span s);

#endif
