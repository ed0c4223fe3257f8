/* dec - exact decimals.
 * A value is m / 10^scale with |m| < 10^38 and 0 <= scale <= 38. Every operation is exact or says DEC_RANGE;
 * nothing wraps and nothing is rounded in silence. Only dec_div_trunc rounds, and its name says how.
 * Why 38 digits: the longest product met on the wire is price x quantity, 12 + 18 digits (binance 6.3). */
#ifndef BNC_DEC_H
#define BNC_DEC_H

#include "span.h"

#define DEC_MAX_SCALE 38
#define DEC_TEXT_MAX 48 /* sign, 39 digits, point, and room: dec_print never writes more */

__extension__ typedef __int128 dec_int;

struct dec {
	dec_int m;
	int scale;
};

enum dec_result {
	DEC_OK,
	DEC_SYNTAX, /* not a decimal number */
	DEC_RANGE,  /* more digits than 38, or a scale over 38 */
	DEC_ZERO,   /* division by zero */
};

#define DEC_NIL ((struct dec){ 0, 0 })

/* sign (+ or -), digits with leading zeros allowed, an optional point with digits on both sides, an optional
 * exponent: "0.00", "-7", "313.20000000000005", "1.0E8". Not: "", ".5", "5.", "1e", "0x1", blanks.
 * The result carries no trailing zeros. *out is untouched unless DEC_OK. */
enum dec_result dec_parse(struct span text, struct dec *out);

/* the same for text of a line: readable for DEC_PAD bytes from its start (lib/json asks for more) */
#define DEC_PAD 16
enum dec_result dec_parse_padded(struct span text, struct dec *out);

/* -1, 0, 1; exact for every pair of values */
int dec_cmp(struct dec a, struct dec b);

static inline int dec_sign(struct dec a)
{
	return (a.m > 0) - (a.m < 0);
}

/* *out may be one of the operands; it is untouched unless DEC_OK */
enum dec_result dec_add(struct dec a, struct dec b, struct dec *out);
enum dec_result dec_sub(struct dec a, struct dec b, struct dec *out);
enum dec_result dec_mul(struct dec a, struct dec b, struct dec *out);
enum dec_result dec_halve(struct dec a, struct dec *out);

/* a / b cut off (toward zero) behind `places` decimals, 0 <= places <= 38 */
enum dec_result dec_div_trunc(struct dec a, struct dec b, int places, struct dec *out);

/* shortest plain notation: no exponent, no trailing zeros, "0" for zero of either sign, no NUL; returns the end */
char *dec_print(char out[DEC_TEXT_MAX], struct dec a);

/* the shortest plain notation of a number as it came: a part of `text` where that will do (no copy), else
 * written to `scratch`. The hot path's way to pass a number on without computing with it. Padded as above. */
enum dec_result dec_canon(struct span text, char scratch[DEC_TEXT_MAX], struct span *out);

/* a sentence for a message; never NULL */
const char *dec_reason(enum dec_result r);

#endif
