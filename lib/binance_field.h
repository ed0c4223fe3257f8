/* binance_field - the fields that many wire types share, read strictly. */
#ifndef BNC_BINANCE_FIELD_H
#define BNC_BINANCE_FIELD_H

#include "binance.h"

/* a number as the wire gives it (a string; a plain JSON number is taken as well), in canonical text: points into the
 * line or into scratch. false: missing, another type, no decimal */
bool binance_field_number(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out);

/* the same for prices and quantities, which are never below zero on this exchange */
bool binance_field_amount(const struct fields *f, unsigned slot, char scratch[DEC_TEXT_MAX], struct span *out);
static inline __attribute__((always_inline)) bool binance_field_price(const struct fields *f, unsigned slot,
    char scratch[DEC_TEXT_MAX], struct dec_text *out)
{
	enum json_kind kind = fields_kind(f, slot);

	return (kind == JSON_STRING || kind == JSON_INT || kind == JSON_NUMBER) &&
	    dec_canon(fields_text(f, slot), scratch, out) == DEC_OK && out->text.p[0] != '-';
}

/* E, T: ms since the epoch; 16 digits are µs (spot with timeUnit=MICROSECOND). false: missing or no such number */
bool binance_field_time(const struct fields *f, unsigned slot, int64_t *ms);

/* an id: JSON digits, kept as text (beyond 2^53 a double would lose some) */
bool binance_field_id(const struct fields *f, unsigned slot, struct span *out);

bool binance_field_bool(const struct fields *f, unsigned slot, bool *out);

/* the symbol of slot `s` into e->pair, escapes undone. false: missing, empty, too long, or with control characters,
 * quotes or backslashes in it */
bool binance_field_pair(const struct fields *f, unsigned slot, struct event_price *e);

/* when it happened: 'E' or the receive time `recv` (-1: not noted). false: *why says what is missing */
bool binance_field_event_time(const struct fields *f, int64_t recv, int64_t *ms, const char **why);

/* what every event has: pair from 's', ts from 'E' or the receive time. false: *why says which is missing */
bool binance_field_common(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why);

/* what trade and aggTrade share: p, q, m, and an id in slot `id` ('t' or 'a'); quantity 0 is BINANCE_NOTHING */
enum binance_result binance_field_fill(const struct fields *f, const struct binance_frame *frame, unsigned id,
    struct event_price *e, const char **why);

/* of a number in canonical text, as the above give it */
static inline bool binance_field_is_zero(struct span canonical)
{
	return canonical.n == 1 && canonical.p[0] == '0';
}

static inline enum binance_result binance_refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return BINANCE_REFUSED;
}

#endif
