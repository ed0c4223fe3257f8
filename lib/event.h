/* event - the records of bnc-event(5): one JSON object a line.
 *
 * Numbers are kept as canonical decimal text (lib/dec: plain notation, no trailing zeros), because that is how a record
 * carries them; whoever computes parses. Strings are UTF-8 with escapes undone. Spans point into the line or the fields
 * that were read, or into the scratch of the struct, and die with them. */
#ifndef BNC_EVENT_H
#define BNC_EVENT_H

#include <stdint.h>

#include "dec.h"
#include "fields.h"

enum event_market {
	EVENT_NO_MARKET,
	EVENT_USDM,
	EVENT_COINM,
	EVENT_SPOT,
};

enum event_type {
	EVENT_OTHER, /* a type this module does not know, or none: pass it on */
	EVENT_PRICE_UPDATE,
	EVENT_HEARTBEAT,
	EVENT_POSITION_UPDATE,
	EVENT_TRADE_EXECUTED,
	EVENT_BALANCE_UPDATE,
	EVENT_EQUITY_SNAPSHOT,
	EVENT_STATUS,
};

enum event_source {
	EVENT_BOOK,   /* price: exact mid of best bid and ask */
	EVENT_TRADE,  /* price of the trade */
	EVENT_MARK,   /* mark price */
	EVENT_KLINE,  /* close of the bar */
	EVENT_TICKER, /* last price of the 24 h window */
};

#define EVENT_NAME_MAX 128 /* bytes of a symbol, pair or asset: 32 characters of 4 bytes (binance 6.2) */

/* which slot a key of a record goes to (lib/fields): every key of every type of bnc-event(5) */
enum event_slot {
	EVENT_SLOT_TYPE = 1,
	EVENT_SLOT_SYMBOL,
	EVENT_SLOT_PRICE,
	EVENT_SLOT_TS,
	EVENT_SLOT_PAIR,
	EVENT_SLOT_MARKET,
	EVENT_SLOT_SOURCE,
	EVENT_SLOT_QTY,
	EVENT_SLOT_ENTRY_PRICE,
	EVENT_SLOT_MARK_PRICE,
	EVENT_SLOT_UNREALIZED_PNL,
	EVENT_SLOT_POSITION_SIDE,
	EVENT_SLOT_ASSET,
	EVENT_SLOT_BALANCE,
	EVENT_SLOT_REASON,
	EVENT_SLOT_CONTRACT_SIZE, /* position_update of COIN-M, optional */
	EVENT_SLOT_RECV,          /* of a frame: bnc-heartbeat's second choice of a time */
	EVENT_SLOT_SIDE,
	EVENT_SLOT_FEE,
	EVENT_SLOT_FEE_ASSET,
	EVENT_SLOT_REALIZED_PNL,
	EVENT_SLOT_ID,
	EVENT_SLOT_ORDER_ID,
	EVENT_SLOT_SIMULATED,
	EVENT_SLOT_MORE,
	EVENT_SLOT_COUNT,
};
unsigned event_slot(const char *key, size_t n, int depth);

/* the type of the record that was taken apart */
enum event_type event_type(const struct fields *f);

/* "usdm", "coinm", "spot" <-> enum; EVENT_NO_MARKET for anything else */
enum event_market event_market(struct span name);
struct span event_market_name(enum event_market m);
struct span event_source_name(enum event_source s);

/* text of names: no control characters, quotes or backslashes (span_printable). JSONW_SHORT bytes can be read where a
 * text begins, however short it is. */
struct event_price {
	struct span symbol; /* "SOL" */
	struct span price;
	struct span ts;	  /* ms since the epoch, digits */
	struct span pair; /* "SOLUSDT" */
	enum event_market market;
	enum event_source source;
	union {
		struct {
			struct span bid, bid_qty, ask, ask_qty;
		} book;
		struct {
			struct span qty, id;
			bool sell; /* the aggressor sold */
		} trade;
		struct {
			struct span index_price, funding_rate; /* p == NULL: the frame has none */
			int64_t next_funding_ts;               /* 0: none */
		} mark;
		struct {
			struct span interval, open, high, low, volume;
			bool closed;
		} bar; /* EVENT_KLINE; EVENT_TICKER uses open, high, low, volume */
	};
	char scratch[6][DEC_TEXT_MAX]; /* for numbers whose wire text is not canonical */
};

/* a record and its '\n' at out, at most LINE_RECORD_MAX bytes; returns the end */
char *event_write_price(char *out, const struct event_price *e);
char *event_write_heartbeat(char *out, int64_t ts);

struct event_equity {
	struct dec balance, unrealized_pnl, equity;
	int64_t ts;
	struct span asset;
	uint64_t positions;
	const struct span *unpriced; /* pairs without a price; n_unpriced may be 0 */
	size_t n_unpriced;
	bool simulated; /* the balance or a position is a paper trader's */
};
/* length grows with n_unpriced: LINE_RECORD_MAX + n_unpriced * JSONW_STRING_MAX(EVENT_NAME_MAX) at most */
char *event_write_equity(char *out, const struct event_equity *e);

struct event_status {
	struct span state; /* live, connecting, gap, stale, end, notice */
	int64_t ts;
	struct span source; /* live, replay, demo; empty: left out */
	struct span stream; /* empty: left out */
	struct span event;  /* notice: the exchange's name of the event that it stands for; empty: left out */
	bool has_ids;
	uint64_t last_id, next_id; /* gap: last id before, first id after */
	struct span order_id;	   /* notice of an order: its id; empty: left out */
	struct span detail;        /* free text, at most 512 bytes are written; empty: left out */
	bool simulated;
};
char *event_write_status(char *out, const struct event_status *e);

/* a number of a record: a JSON string or a plain JSON number; false where it is neither, or no decimal */
bool event_number(const struct fields *f, unsigned slot, struct dec *out);
/* a string; false: not a string, or over EVENT_NAME_MAX bytes */
bool event_string(const struct fields *f, unsigned slot, struct span *out);
/* ts: a JSON integer (or a string of digits), >= 0 */
bool event_time(const struct fields *f, unsigned slot, int64_t *out);

/* Sentences that refuse a record begin with the key they are about: where in the line its value stands, 0 where the key did
 * not come. */
size_t event_where(const struct fields *f, struct span line, const char *why);

/* what bnc-equity reads of a record; false: *why is a constant sentence that says which key breaks the contract */
struct event_position {
	struct span pair, symbol;
	enum event_market market;
	struct span side; /* BOTH, LONG, SHORT; BOTH where the key is absent */
	struct dec qty, entry_price;
	bool has_mark;
	struct dec mark_price;
	bool has_pnl;
	struct dec unrealized_pnl; /* written where has_pnl; not read */
	bool has_contract_size;
	struct dec contract_size;
	int64_t ts;
	bool more;	/* the record behind it belongs to the same change: what is known in between is half of it */
	bool simulated; /* a paper trader's: written and read */
};
bool event_read_position(const struct fields *f, struct event_position *e, const char **why);
char *event_write_position(char *out, const struct event_position *e);

/* The names that records of a pair are matched by. Without a market it is USD-M; without a pair, where `pair` is the very
 * span of `symbol`, it is the symbol quoted in `asset`, so that short records written by hand fit those of bnc-normalize.
 * `text` is what *pair may point into afterwards. false: longer than EVENT_NAME_MAX */
bool event_full_name(struct span asset, struct span symbol, struct span *pair, enum event_market *market,
    char text[2 * EVENT_NAME_MAX]);

struct event_balance {
	struct span asset;
	struct dec balance;
	enum event_market market; /* EVENT_NO_MARKET: not said */
	int64_t ts;
	struct span reason; /* empty: left out; not read */
	bool has_parts;	    /* spot: balance is their sum; written, not read */
	struct dec free, locked;
	bool more; /* as of a position */
	bool simulated;
};
bool event_read_balance(const struct fields *f, struct event_balance *e, const char **why);
char *event_write_balance(char *out, const struct event_balance *e);

/* A fill of the account's own. What it does not say has no bytes (spans) or is told by a has_. */
struct event_trade {
	struct span pair, symbol;
	enum event_market market;  /* EVENT_NO_MARKET: not said */
	struct span position_side; /* BOTH, LONG, SHORT; BOTH where the key is absent; empty when written: left out (spot) */
	bool sell;
	struct dec price, qty; /* qty > 0 */
	int64_t ts;
	bool has_fee;
	struct dec fee;	       /* positive: paid */
	struct span fee_asset; /* empty: not said */
	bool has_pnl;
	struct dec realized_pnl; /* before the fee */
	struct span id, order_id;
	bool has_contract_size;
	struct dec contract_size;
	bool simulated;
};
bool event_read_trade(const struct fields *f, struct event_trade *e, const char **why);
char *event_write_trade(char *out, const struct event_trade *e);

struct event_tick {
	struct span pair, symbol; /* pair: what a position is matched by; symbol where there is no pair */
	enum event_market market;
	enum event_source source;
	struct dec price;
	int64_t ts;
};
bool event_read_tick(const struct fields *f, struct event_tick *e, const char **why);

#endif
