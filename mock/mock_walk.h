/* mock_walk - a seeded random walk over symbols that behaves like the exchange: one book, one id counter of the
 * matching system, trades, bars. Pure: simulated time goes on when it is told to, and the same seed and symbols give
 * the same events. Prices are integers in units of the symbol's last decimal. */
#ifndef BNC_MOCK_WALK_H
#define BNC_MOCK_WALK_H

#include "mock_name.h"

#define MOCK_SYMBOL_MAX	 64 /* bytes; the longest of the exchange has 17 */
#define MOCK_SYMBOLS_MAX 256
#define MOCK_LEVELS	 20
#define MOCK_SPEEDS	 3

struct mock_level {
	int64_t price;
	int64_t qty;
};

struct mock_book {
	struct mock_level side[2][MOCK_LEVELS]; /* 0 bids, 1 asks, best first */
	int64_t u;
};

struct mock_bar {
	int64_t open_ms;
	int64_t first_id, last_id;
	int64_t open, close, high, low;
	int64_t volume, quote; /* quantity units; price * quantity units, or base asset at 8 decimals (COIN-M) */
	int64_t taker_volume, taker_quote;
	int64_t count;
};

struct mock_symbol {
	char name[MOCK_SYMBOL_MAX + 1];
	char lower[MOCK_SYMBOL_MAX + 1];
	char base[MOCK_SYMBOL_MAX + 1];
	char quote[8];
	size_t pair; /* length of the pair at the start of the name: before '_' */
	enum mock_market market;
	bool delivery; /* BTCUSDT_261225: no funding */
	bool changed;  /* since the last !ticker@arr */
	int price_places, qty_places, quote_places;
	int64_t tick, step; /* in units of the last decimal */
	int64_t contract;   /* COIN-M: USD per contract */

	uint64_t random;
	int64_t start; /* bid at the beginning: the walk stays within half and double of it */
	struct mock_book book;
	struct mock_book seen[MOCK_SPEEDS];   /* as of the last depth event of each speed */
	struct mock_book before[MOCK_SPEEDS]; /* as of the one before that: what a diff is against */
	int64_t engine_ms;		      /* T of the last book change */
	struct {
		int64_t id, price, qty, ms;
		bool maker;
		const char *kind; /* X */
	} trade;
	struct {
		int64_t id, first, last, price, qty, net, ms;
		bool maker;
	} agg;
	struct {
		int64_t price, qty, average, ms;
		bool sell;
	} force;
	int64_t mark, index, settle, rate; /* 8 decimals */
	struct mock_bar bar[MOCK_INTERVALS];
	struct mock_bar ended[MOCK_INTERVALS]; /* the bar that has just closed, while its event is given */
	bool closing;			       /* the kline event being given is of `ended` */
	struct mock_bar day;
	int64_t day_first; /* first price before the window (x of spot's ticker) */

	void *user[MOCK_SLOTS]; /* the owner's: who wants this slot */
};

struct mock_walk {
	struct mock_symbol *symbol; /* owned */
	size_t symbols;
	uint64_t seed;
	int64_t epoch_ms; /* event time of the beginning; may be moved */
	int64_t now_us;	  /* since the beginning */
	uint64_t rate;	  /* book changes and trades a symbol in 1000 seconds */
	uint64_t turns;
	int64_t next_grid_us;
	int64_t u;			      /* the futures' shared counter of book updates */
	void *user[MOCK_MARKETS][MOCK_SLOTS]; /* streams of all symbols */

	/* an event has happened: the payload writer can be asked for it now, and only now. s NULL: an array of all
	 * symbols of that market; market MOCK_MARKETS: an object of s for the streams of all symbols on both futures
	 * hosts */
	void (*event)(
	    void *ctx, struct mock_walk *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot);
	void *ctx;
};

/* symbols are added in order before the first mock_walk_run; false: a name that cannot be, twice the same, too many or
 * no memory (*why) */
bool mock_walk_open(struct mock_walk *w, uint64_t seed, uint64_t rate, int64_t epoch_ms);
bool mock_walk_add(struct mock_walk *w, struct span name, enum mock_market market, const char **why);
/* moves the beginning; before the first mock_walk_run */
void mock_walk_epoch(struct mock_walk *w, int64_t epoch_ms);
void mock_walk_close(struct mock_walk *w);

int64_t mock_walk_next(const struct mock_walk *w); /* when the next thing happens, µs since the beginning */
void mock_walk_run(struct mock_walk *w);	   /* makes it happen */

static inline int64_t mock_walk_ms(const struct mock_walk *w)
{
	return w->epoch_ms + w->now_us / 1000;
}

/* when funding is next paid, every 8 hours */
static inline int64_t mock_walk_funding_ms(int64_t now_ms)
{
	const int64_t every = 8 * 3600 * 1000LL;

	return now_ms - now_ms % every + every;
}

/* the last millisecond of the bar that opens then */
int64_t mock_walk_bar_end(int interval, int64_t open_ms);

/* NULL: no such symbol on that market (exact, in lower case) */
struct mock_symbol *mock_walk_find(const struct mock_walk *w, struct span lower, enum mock_market market);

/* COIN-M names carry their product in them: btcusd_perp, BTCUSD_261225 */
bool mock_walk_is_coinm(struct span name);

/* BTCUSDT_261225: base BTC, quote USDT; a name that ends in no quote asset is all base */
struct span mock_walk_split(struct span name, struct span *quote);

/* USD of a COIN-M contract */
int64_t mock_walk_contract(struct span name);

#endif
