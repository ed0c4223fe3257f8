/* equity - wallet balance + unrealized PnL of all positions of one margin asset, kept up to date line by line.
 *
 * Pure: a function of the lines it was given. Exact: every sum is kept in exact decimals, so that the running total,
 * from which a position's old value is taken and to which its new one is added, is the total computed from scratch; the
 * cost of a line does not grow with the number of positions. What does not fit 38 digits refuses the line and leaves
 * the state as it was.
 *
 * Linear positions: qty x (price - entryPrice). COIN-M: qty x contractSize x (1/entryPrice - 1/price), cut off toward
 * zero at 8 decimals for each position, as the exchange prints it (binance 5.2). */
#ifndef BNC_EQUITY_H
#define BNC_EQUITY_H

#include "event.h"
#include "line.h"

/* Caps, beside PAIRS_MAX of pairs: an account can hold two positions a pair.
 * Full: prices of further pairs are not kept, further positions are refused. */
#define EQUITY_POSITIONS_MAX 4096
/* Pairs without a price are named in each snapshot, which must stay a line of at most 1 MiB. Full: refused. */
#define EQUITY_UNPRICED_MAX 1024

/* which prices value a position */
enum equity_mark {
	EQUITY_ANY,
	EQUITY_BOOK,
	EQUITY_MARK,
	EQUITY_TRADE,
};

struct equity_options {
	struct span asset; /* copied */
	enum equity_mark mark;
	int64_t every; /* ms of event time between two snapshots at least; 0: one for each change */
	bool revalue;  /* a position_update with its value behind a price that changes it, too */
	int64_t revalue_every; /* ms of event time between two of one position at least; 0: one for each change */
};

struct equity;

struct fast;

/* takes all the memory it will ever use; NULL: there is none, or the asset is longer than EVENT_NAME_MAX.
 * Free with equity_free. */
struct equity *equity_new(const struct equity_options *o);
void equity_free(struct equity *e);

/* Updates; their names are padded as those of a line are (PAIRS_PAD). false: *why is a constant sentence, the state is as it
 * was. What concerns another asset is no error. */
bool equity_set_balance(struct equity *e, struct dec balance, const char **why);
bool equity_balance(struct equity *e, const struct event_balance *b, const char **why);
bool equity_position(struct equity *e, const struct event_position *p, const char **why);
bool equity_price(struct equity *e, const struct event_tick *t, const char **why);

/* the state now; `unpriced` points into e. ts is the caller's */
struct event_equity equity_now(const struct equity *e);

/* One line of a stream: passed on, and behind it what has become due: revalued positions, and a snapshot. false: refused,
 * *why and *at say what and at which byte. */
bool equity_line(struct equity *e, struct span line, struct line_out *out, const char **why, size_t *at);

/* the same for lines from p on by the short way, as `fast` of lib/filter.h asks */
const char *equity_fast(struct equity *e, const char *p, const char *end, struct line_out *out, struct fast *run);

/* One line of a file of positions: position_update and balance_update are taken, other records skipped. */
bool equity_start_line(struct equity *e, struct span line, const char **why, size_t *at);

/* for counters */
struct equity_counts {
	uint64_t positions, unpriced, pairs, snapshots;
};
struct equity_counts equity_counts(const struct equity *e);

#endif
