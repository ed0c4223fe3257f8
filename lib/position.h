/* position - the positions and balances of an account, kept up to date fill by fill.
 *
 * Pure: a function of the lines it was given. Futures: average cost to the last digit (lib/cost), one-way mode (BOTH)
 * and the two legs of hedge mode apart; what a fill realizes and its fee go into the wallet of the margin asset. Spot:
 * no position; what was bought and what was paid go into and out of two wallets. A fee in a third asset is that
 * asset's own affair. What does not fit 38 digits refuses the line and leaves the state as it was. */
#ifndef BNC_POSITION_H
#define BNC_POSITION_H

#include "cost.h"
#include "event.h"
#include "line.h"

/* Caps; what would be one too many is refused. The exchange lists about 5,000 pairs in all markets. */
#define POSITION_PAIRS_MAX   8192
#define POSITION_WALLETS_MAX 2048

struct position;

/* Takes all the memory it will ever use. asset: quote asset of records that name no pair, copied. NULL: there is none,
 * or the asset is longer than EVENT_NAME_MAX. Free with position_free. */
struct position *position_new(struct span asset);
void position_free(struct position *b);

/* What a fill has brought about. The spans point into the state and are good until the next call. */
#define POSITION_WALLETS 3 /* that one fill can move: of spot base, quote, and what the fee is paid in */
struct position_fill {
	bool copy;	     /* it has been seen before, and nothing was done */
	bool has_position;   /* not of spot */
	struct event_position position;
	struct dec realized; /* before the fee; of spot 0 */
	struct event_balance balance[POSITION_WALLETS];
	size_t balances;
};

/* Updates; false: *why is a constant sentence, the state is as it was. */
bool position_trade(struct position *b, const struct event_trade *t, struct position_fill *out, const char **why);
/* what somebody who knows says: absolute. Without a market it is USD-M */
bool position_set(struct position *b, const struct event_position *p, const char **why);
bool position_set_balance(struct position *b, const struct event_balance *w, const char **why);

/* what is open, signed; 0 where nothing is known of it. pair and market as event_full_name gives them */
struct dec position_held(const struct position *b, struct span pair, enum event_market market, struct span side);

/* what lies in a wallet; 0 where nothing is known of it */
struct dec position_balance(struct position *b, struct span asset, enum event_market market);

/* A record that somebody else has taken apart with slots of lib/event: the three types above are taken, what a fill has
 * brought about is at *fill; others are skipped. */
bool position_take(struct position *b, const struct fields *f, struct position_fill *fill, const char **why);

/* One line of a stream: passed on, and what a fill has brought about behind it; a copy of a fill is left out. What was
 * known before the first one that has a time is told in front of that. false: refused, *why and *at say what and
 * at which byte. */
bool position_line(struct position *b, struct span line, struct line_out *out, const char **why, size_t *at);

/* One line of a file of positions: position_update and balance_update are taken, other records skipped. */
bool position_start_line(struct position *b, struct span line, const char **why, size_t *at);

/* for counters */
struct position_counts {
	uint64_t fills, copies;
	uint64_t differing; /* fills whose own realizedPnl is another one, by 0.00000001 or more */
	uint64_t open, wallets;
};
struct position_counts position_counts(const struct position *b);

#endif
