/* num - integers and durations from people and from the wire, strictly.
 * The whole span must be the number: no blanks, no sign where none is allowed, nothing behind it. */
#ifndef BNC_NUM_H
#define BNC_NUM_H

#include <stdint.h>

#include "span.h"

/* decimal digits only, min <= value <= max; false leaves *out alone */
bool num_u64(struct span s, uint64_t min, uint64_t max, uint64_t *out);

/* the same with an optional leading '-' */
bool num_i64(struct span s, int64_t min, int64_t max, int64_t *out);

/* a duration in microseconds: digits with up to six decimals and a unit us, ms, s, m, h or d;
 * no unit means seconds. "250ms", "1.5s", "24h", "90" */
bool num_duration(struct span s, int64_t *us);

/* a size in bytes: digits and an optional k, M or G (powers of 1024) */
bool num_size(struct span s, uint64_t max, uint64_t *bytes);

extern const uint64_t num_power_of_ten[20]; /* 10^0 to 10^19 */

/* `value` as decimal digits at `out`, no NUL; returns the end. All of the 20 bytes may be written over. */
#define NUM_U64_MAX 20
char *num_print_u64(char *out, uint64_t value);

#endif
