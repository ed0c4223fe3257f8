/* binance_rows - what is known of an account, row by row: a balance for each asset, a position for each symbol and
 * side; and what of an event or an answer is news. Pure.
 *
 * All values are absolute, so that the newest of each row is all there is to know, and order is a matter of each row
 * alone: its time is updateTime of a REST row, T of ACCOUNT_UPDATE, u of outboundAccountPosition (bnc-wire(7), 4.3). A
 * row that is older than what is known is cut out before anybody sees it; one of the same time is not, since several
 * events may share a millisecond. */
#ifndef BNC_BINANCE_ROWS_H
#define BNC_BINANCE_ROWS_H

#include <stdint.h>

#include "event.h"

#define BINANCE_ROWS_MAX    8192	 /* that are known; what comes beyond is passed on as it is */
#define BINANCE_ROWS_PIECE  (256u << 10) /* an answer is given out in pieces of about this many bytes */
#define BINANCE_ROWS_DOUBTS 64		 /* differences that are looked at closer; more are only counted */

struct binance_rows;

/* NULL: out of memory. Owned: binance_rows_free. */
struct binance_rows *binance_rows_new(enum event_market m);
void binance_rows_free(struct binance_rows *r);

enum binance_rows_part { BINANCE_ROWS_BALANCES, BINANCE_ROWS_POSITIONS };

/* ------------------------------------------------------------------------------------------------ events */

enum binance_rows_fate {
	BINANCE_ROWS_WHOLE, /* nothing is cut out */
	BINANCE_ROWS_CUT,   /* what is left is at out */
	BINANCE_ROWS_NONE,  /* nothing is left */
};

/* event: an object, checked, padded as lib/json asks; an event without rows is WHOLE. out has event.n bytes. */
enum binance_rows_fate binance_rows_event(struct binance_rows *r, struct span event, char *out, size_t *n);

/* ----------------------------------------------------------------------------------------------- answers */

/* Everything that an event says from here on is newer than an answer to a request that is sent now. */
uint64_t binance_rows_mark(const struct binance_rows *r);

/* An answer, padded; rows that are not zero, or were known, are given out with `piece`, as the data of a frame, once at
 * least. What is known and missing in the answer is given out as zero. sent: the mark of the request. false: nothing is
 * given out, *why is a constant sentence that says what is wrong with the answer. */
bool binance_rows_snapshot(struct binance_rows *r, enum binance_rows_part part, struct span answer, uint64_t sent,
    void (*piece)(void *user, struct span data), void *user, const char **why);

/* Compares an answer with what is known, which stays as it is: where they differ there is a doubt, until binance_rows_
 * doubts finds that an event has come that explains it. A check has several parts. */
void binance_rows_check_begin(struct binance_rows *r);
bool binance_rows_check(
    struct binance_rows *r, enum binance_rows_part part, struct span answer, uint64_t sent, const char **why);
size_t binance_rows_doubts(struct binance_rows *r);

/* Doubts that binance_rows_snapshot has found to be true since the check began: a sentence for the i-th of them. */
size_t binance_rows_truths(const struct binance_rows *r);
#define BINANCE_ROWS_TEXT_MAX 450
void binance_rows_truth(const struct binance_rows *r, size_t i, char text[BINANCE_ROWS_TEXT_MAX]);

struct binance_rows_counters {
	uint64_t cut;	    /* rows of events and answers that were old */
	uint64_t malformed; /* rows of events that could not be read: passed on */
	uint64_t full;	    /* rows beyond BINANCE_ROWS_MAX: passed on */
};
const struct binance_rows_counters *binance_rows_counters(const struct binance_rows *r);

/* how many are not zero */
size_t binance_rows_held(const struct binance_rows *r, enum binance_rows_part part);

#endif
