/* mock_ledger - what an account holds on one market: balances and positions, and what moves them. Pure.
 *
 * Money is kept with the 8 decimals that the exchange keeps, amounts cut off toward zero (bnc-wire(7) 5.1). An entry
 * price is a quotient: it has at most 14 decimals on USDⓈ-M and 8 on COIN-M, cut off, and stays what it is while a
 * position is reduced. A realized PnL follows from the entry price as it is printed. */
#ifndef BNC_MOCK_LEDGER_H
#define BNC_MOCK_LEDGER_H

#include "dec.h"
#include "mock_walk.h"

#define MOCK_ASSETS_MAX	   64
#define MOCK_POSITIONS_MAX 256

enum mock_side {
	MOCK_BOTH,
	MOCK_LONG,
	MOCK_SHORT,
};
const char *mock_side_word(enum mock_side side);

struct mock_asset {
	char name[MOCK_SYMBOL_MAX + 1];
	struct dec balance; /* wallet balance; on spot all of it, locked or not */
	struct dec locked;  /* spot */
	int64_t ms;	    /* of its last change */
};

struct mock_position {
	char symbol[MOCK_SYMBOL_MAX + 1];
	size_t asset; /* its margin asset's place */
	enum mock_side side;
	struct dec qty; /* signed; contracts on COIN-M */
	struct dec entry;
	struct dec realized; /* accumulated, before fees */
	struct dec last;     /* price of its last fill */
	struct dec fixed;    /* a mark price that was set; 0: none */
	struct dec isolated_wallet;
	bool isolated;
	int64_t leverage;
	int64_t ms;
};

struct mock_ledger {
	enum mock_market market;
	bool dual;	/* hedge mode: LONG and SHORT apart */
	bool multi;	/* multi-assets mode */
	struct dec fee; /* share of the value traded */
	struct mock_asset asset[MOCK_ASSETS_MAX];
	size_t assets;
	struct mock_position position[MOCK_POSITIONS_MAX];
	size_t positions;
};

struct mock_trade {
	struct span symbol;
	bool buy;
	enum mock_side side;
	struct dec qty, price;
	struct span fee_asset; /* empty: as usual, the margin asset; on spot what is received */
	bool fee_given;
	struct dec fee;

	/* filled by mock_ledger_fill */
	struct dec realized;
	struct mock_position *position;	 /* NULL on spot */
	struct mock_asset *money, *base; /* quote or margin asset; base: spot */
	struct mock_asset *fee_from;
};

void mock_ledger_init(struct mock_ledger *l, enum mock_market market);

/* found or added; NULL: no room, or a name that cannot be */
struct mock_asset *mock_ledger_asset(struct mock_ledger *l, struct span name);
struct mock_position *mock_ledger_position(struct mock_ledger *l, struct span symbol, enum mock_side side);
/* only found */
struct mock_position *mock_ledger_held(struct mock_ledger *l, struct span symbol, enum mock_side side);

/* Changes the ledger and fills the trade, or changes nothing and says why not. */
const char *mock_ledger_fill(struct mock_ledger *l, struct mock_trade *t, int64_t ms);
const char *mock_ledger_add(struct mock_asset *a, struct dec amount, int64_t ms);

/* of a position, at a mark price; 8 decimals, cut off */
struct dec mock_ledger_unrealized(const struct mock_ledger *l, const struct mock_position *p, struct dec mark);
/* its value: USDⓈ-M in the margin asset, COIN-M in the coin; signed */
struct dec mock_ledger_notional(const struct mock_ledger *l, const struct mock_position *p, struct dec mark);
/* the entry price moved by the fee, up for a long one, down for a short one (bnc-wire(7) 5.1) */
struct dec mock_ledger_break_even(const struct mock_ledger *l, const struct mock_position *p);
/* made up: half a percent of its value, without a sign */
struct dec mock_ledger_maintenance(const struct mock_ledger *l, const struct mock_position *p, struct dec mark);
/* its value by its leverage */
struct dec mock_ledger_initial(const struct mock_ledger *l, const struct mock_position *p, struct dec mark);
/* wallet balance less the isolated wallets */
struct dec mock_ledger_cross(const struct mock_ledger *l, const struct mock_asset *a);
/* the set one, else the walk's, else the last price paid */
struct dec mock_ledger_mark(const struct mock_ledger *l, const struct mock_position *p, const struct mock_walk *walk);

#endif
