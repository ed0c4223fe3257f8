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

/* bytes as they are; numbers and names are short, and two overlapping stores are cheaper than a call */
static inline char *jsonw_raw(char *out, struct span s)
{
	if (s.n >= 4 && s.n <= 8) {
		memcpy(out, s.p, 4);
		memcpy(out + s.n - 4, s.p + s.n - 4, 4);
	} else if (s.n > 8 && s.n <= 16) {
		memcpy(out, s.p, 8);
		memcpy(out + s.n - 8, s.p + s.n - 8, 8);
	} else if (s.n > 16) {
		memcpy(out, s.p, s.n);
	} else if (s.n) {
		out[0] = s.p[0];
		out[s.n / 2] = s.p[s.n / 2];
		out[s.n - 1] = s.p[s.n - 1];
	}
	return out + s.n;
}

/* the same where JSONW_SHORT bytes can be read and written whatever n is, as in and behind the texts of a line: hardly
 * one is longer, and how long it is decides no branch */
#define JSONW_SHORT 16
static inline char *jsonw_short(char *out, struct span s)
{
	memcpy(out, s.p, JSONW_SHORT);
	if (__builtin_expect(s.n > JSONW_SHORT, 0))
		memcpy(out + JSONW_SHORT, s.p + JSONW_SHORT, s.n - JSONW_SHORT);
	return out + s.n;
}

char *jsonw_i64(char *out, int64_t value);

/* quotes around it, escapes for what RFC 8259 asks to escape; the span must be UTF-8 */
char *jsonw_string(char *out, struct span s);

#endif
