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

/* thousandths: digits with up to three decimals, "0.5" is 500; min <= value <= max */
bool num_thousandths(struct span s, uint64_t min, uint64_t max, uint64_t *out);

/* a size in bytes: digits and an optional k, M or G (powers of 1024) */
bool num_size(struct span s, uint64_t max, uint64_t *bytes);

extern const uint64_t num_power_of_ten[20]; /* 10^0 to 10^19 */

/* Eight characters as a word with the first one lowest, whatever the byte order of the machine. */
static inline uint64_t num_load(const char *p)
{
	uint64_t w;

	memcpy(&w, p, 8);
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? w : __builtin_bswap64(w);
}

static inline void num_store(char *p, uint64_t w)
{
	w = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? w : __builtin_bswap64(w);
	memcpy(p, &w, 8);
}

#define NUM_ZEROS 0x3030303030303030u /* "00000000" */

#define NUM_DIGITS 0x0f0f0f0f0f0f0f0fu /* of characters, their values */

/* The value of eight digits, each a byte from 0 to 9, or of the sums of two such: pairs, then fours, then eight in one
 * multiplication each. */
static inline uint32_t num_of_eight(uint64_t w)
{
	w = w * 2561 >> 8;
	w = (w & 0x00ff00ff00ff00ff) * 6553601 >> 16;
	return (uint32_t)((w & 0x0000ffff0000ffff) * 42949672960001 >> 32);
}

/* value < 10^8 as eight digits: halves, then quarters, then single digits side by side, each division a multiplication
 * that is right for numbers so small (10486 / 2^20 is 1 / 100, 103 / 2^10 is 1 / 10) */
static inline uint64_t num_as_eight(uint32_t value)
{
	uint64_t halves = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t tops = halves * 10486 >> 20 & 0x0000007f0000007f;
	uint64_t quarters = tops | (halves - 100 * tops) << 16;
	uint64_t tens = quarters * 103 >> 10 & 0x000f000f000f000f;

	return tens | (quarters - 10 * tens) << 8 | NUM_ZEROS;
}

/* value < 10^8 without zeros in front; eight bytes are written */
static inline char *num_print_short(char *out, uint32_t value)
{
	uint64_t w = num_as_eight(value);
	unsigned zeros = (unsigned)__builtin_ctzll((w ^ NUM_ZEROS) | 1ULL << 56) / 8; /* the last digit stays */

	num_store(out, w >> 8 * zeros);
	return out + 8 - zeros;
}

/* `value` as decimal digits at `out`, no NUL; returns the end. All of the 20 bytes may be written over. */
#define NUM_U64_MAX 20
char *num_print_u64(char *out, uint64_t value);

#endif
