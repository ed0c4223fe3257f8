/* paper - an exchange on paper: orders that are filled at the book that goes by, and nowhere else.
 *
 * Pure: a function of the lines and orders it was given. Of each pair it knows the touch: best bid and ask, and the
 * size shown there. An order that comes meets the book shown last (or, where there is none yet, the first one that
 * comes): a MARKET order, and a LIMIT order whose price allows it, is filled at the touch, up to the size shown. What
 * is left of it is filled by later books: of a MARKET order at their touch; of a LIMIT order, which rests now, at its
 * own price, when the other side has come to it. The size shown is used up by what it fills, and is new with each
 * book; orders of a pair are served in the order in which they came.
 *
 * Orders that reduce (reduceOnly; SELL of LONG, BUY of SHORT) fill no more than is held when they are filled. What is
 * held is what lib/position makes of the fills, and of position_update records that go by. */
#ifndef BNC_PAPER_H
#define BNC_PAPER_H

#include "dec.h"
#include "line.h"
#include "span.h"

#define PAPER_ORDERS_MAX 1024	     /* open at a time; full: refused */
#define PAPER_PAIRS_MAX	 8192	     /* as bnc-equity; full: books are not kept, orders refused */
#define PAPER_SCRIPT_MAX (16u << 20) /* bytes of orders that wait for their time; full: refused */

struct paper;

struct paper_options {
	struct span asset;   /* quote asset of records and orders that name no pair; copied */
	struct dec fee_bps;  /* of what is traded, in hundredths of a percent */
	bool demo;	     /* trades by itself (lib/trader) */
	uint64_t seed;
};

/* takes nearly all the memory it will ever use; NULL: there is none. Free with paper_free. */
struct paper *paper_new(const struct paper_options *o);
void paper_free(struct paper *p);

/* An order that waits: it takes effect in front of the first line whose ts is not older than its own. One whose ts is
 * older than that of the order before it takes effect with that. false: refused */
bool paper_wait(struct paper *p, struct span line, const char **why, size_t *at);

/* One line of the stream, orders among them: passed on, and what it brings about behind it. false: refused */
bool paper_line(struct paper *p, struct span line, struct line_out *out, const char **why, size_t *at);

/* an order from beside the stream, which takes effect now and is put into the stream. false: refused */
bool paper_order(struct paper *p, struct span line, struct line_out *out, const char **why, size_t *at);

/* for counters */
struct paper_counts {
	uint64_t orders;   /* that came, cancels not counted */
	uint64_t rejected; /* orders and cancels */
	uint64_t ended;	   /* filled, cancelled or given up */
	uint64_t fills, open, pairs;
};
struct paper_counts paper_counts(const struct paper *p);

#endif
