/* cost - average-cost accounting of one position, to the last digit.
 *
 * A fill is a signed quantity at a price; its flow is what it moves: quantity x price for a linear contract, quantity
 * x contract size / price in coin for an inverse one (which is no finite decimal and is cut off toward zero at
 * COST_COIN_DECIMALS). `cost` is the sum of the flows of what is open. A fill that reduces takes its share of it, cost
 * x quantity / what is open, cut off toward zero at COST_DECIMALS (in coin: COST_COIN_DECIMALS); what the cut leaves
 * stays in the cost, and what closes the position takes all of it. So nothing is lost, and after every fill
 *
 *     linear:   sum of flows = cost - sum of realized
 *     inverse:  sum of flows = cost + sum of realized + rest
 *
 * holds exactly. An inverse contract realizes whole units of COST_PNL_DECIMALS, as the exchange does (binance 5.1 and
 * 5.2); `rest` is what its cuts have left, and is not carried into later fills. */
#ifndef BNC_COST_H
#define BNC_COST_H

#include "dec.h"

#define COST_DECIMALS	    16 /* of a share of the cost, and of an average entry price: cut off toward zero */
#define COST_COIN_DECIMALS  28 /* of a flow in coin: fine enough for an entry price to come back with 16 decimals */
#define COST_PNL_DECIMALS   8  /* of realized PnL in coin */

struct cost {
	struct dec qty;  /* open; negative: short */
	struct dec cost; /* of the same sign, or zero */
	struct dec rest; /* inverse contracts: see above */
};

/* How a pair is counted. */
struct cost_contract {
	bool inverse;
	struct dec size; /* inverse: of a contract, above zero */
};

/* The position after a fill of qty (negative: sold) at price, and what the fill realizes before its fee. A fill beyond
 * what is open closes it and opens the rest at its own price. DEC_ZERO: an inverse contract at price zero; DEC_RANGE:
 * it does not fit 38 digits. Then *out and *realized are untouched. out may be c. */
enum dec_result cost_fill(const struct cost *c, const struct cost_contract *k, struct dec qty, struct dec price,
    struct cost *out, struct dec *realized);

/* what qty at an average price of `entry` has cost: the position somebody else tells of */
enum dec_result cost_of(const struct cost_contract *k, struct dec qty, struct dec entry, struct cost *out);

/* the average entry price, cut off toward zero at COST_DECIMALS; 0 where nothing is open */
enum dec_result cost_entry(const struct cost *c, const struct cost_contract *k, struct dec *entry);

#endif
