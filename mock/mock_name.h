/* mock_name - stream names: which tier carries a name, and which events stand behind it (bnc-wire(7) of the project's
 * documents has the measurements; bnc-wire(7) the facts). */
#ifndef BNC_MOCK_NAME_H
#define BNC_MOCK_NAME_H

#include <stdint.h>

#include "span.h"

enum mock_market {
	MOCK_USDM,
	MOCK_COINM,
	MOCK_SPOT,
	MOCK_MARKETS, /* also: any of them */
};

enum mock_tier {
	MOCK_TIER_NONE, /* coinm and spot: everything on one */
	MOCK_TIER_PUBLIC,
	MOCK_TIER_MARKET,
	MOCK_TIER_PRIVATE,
};

#define MOCK_INTERVALS 16 /* 1s is spot's only */

/* one slot an event that can be subscribed to, for a symbol or (where it exists) for all symbols */
enum mock_slot {
	MOCK_BOOK,
	MOCK_AGG,
	MOCK_TRADE,
	MOCK_MARK_3S,
	MOCK_MARK_1S,
	MOCK_MINI,
	MOCK_TICKER,
	MOCK_FORCE,
	MOCK_DEPTH,		       /* + speed: 0 the default, 1 100 ms, 2 500 ms */
	MOCK_PARTIAL = MOCK_DEPTH + 3, /* + 3 * (0 five, 1 ten, 2 twenty levels) + speed */
	MOCK_KLINE = MOCK_PARTIAL + 9, /* + interval */
	MOCK_SLOTS = MOCK_KLINE + MOCK_INTERVALS,
};

struct mock_name {
	struct span symbol; /* as in the name, lower case; empty for all */
	bool all;
	enum mock_slot slot;
};

/* false: the exchange acknowledges the name and stays silent (upper case, @250ms, what it does not know) */
bool mock_name_parse(struct span name, enum mock_market market, struct mock_name *out);

/* the tier of fstream that carries a name, the rule of 2026-04-23 */
enum mock_tier mock_name_tier(struct span name);

#define MOCK_LISTEN_KEY 64 /* letters and digits (bnc-wire(7) 3.1) */
bool mock_name_is_key(struct span name);

const char *mock_market_word(enum mock_market market); /* "usdm" ..., "all" */
const char *mock_tier_word(enum mock_tier tier);       /* "public" ..., "none" */

/* "1m" ... and their length; the month's is 0, its bars follow the calendar */
extern const char *const mock_interval_word[MOCK_INTERVALS];
extern const int64_t mock_interval_ms[MOCK_INTERVALS];
int mock_interval_of(struct span word); /* -1: none */

/* ASCII letters lowered, the rest as it is (bnc-wire(7) 1.4); out has room for s.n bytes */
void mock_lower(struct span s, char *out);

#endif
