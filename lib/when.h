/* when - the time that a line carries, whatever it is: a frame, a record, or "<time> <frame>".
 *
 * The first of these that is there: the time in front of a frame, `recv`, `ts`, the event time `E` of the exchange (of an
 * array: that of its first row). Microseconds since the epoch. */
#ifndef BNC_WHEN_H
#define BNC_WHEN_H

#include <stdint.h>

#include "fields.h"

#define WHEN_NEVER INT64_MIN /* no time */

struct when {
	struct fields fields;
	bool received; /* the time of the line asked for last is that of its arrival: in front of a frame, or `recv` */
};

void when_open(struct when *w);

/* the line is padded as lib/json asks; WHEN_NEVER: it carries none, or is no JSON */
int64_t when_line(struct when *w, struct span line);

/* "<integer time> <frame>", as other collectors write it: 19 digits are ns, 16 µs, 13 ms. *frame is what stands behind
 * the blank; false: no such line */
bool when_cut(struct span line, int64_t *us, struct span *frame);

/* what people write: RFC 3339 ("2026-11-22T10:00:00Z", with a fraction of up to six digits, a blank or t for the T, an
 * offset for the Z), a day alone, or seconds since the epoch with an optional fraction, and ms, µs, ns by their digits
 * (13, 16, 19). false: none of these */
bool when_parse(struct span text, int64_t *us);

/* "2026-11-22T10:00:00.123456Z" with 6 decimals, 3, or none and no point; NUL-terminated; returns its length. us >= 0 */
#define WHEN_TEXT_MAX 40
size_t when_print(char out[WHEN_TEXT_MAX], int64_t us, int decimals);

#endif
