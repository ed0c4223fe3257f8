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
	EVENT_SLOT_COUNT,
};
unsigned event_slot(const char *key, size_t n, int depth);

/* the type of the record that was taken apart */
enum event_type event_type(const struct fields *f);

/* "usdm", "coinm", "spot" <-> enum; EVENT_NO_MARKET for anything else */
enum event_market event_market(struct span name);
struct span event_market_name(enum event_market m);
struct span event_source_name(enum event_source s);

/* text of names: no control characters, quotes or backslashes (span_printable) */
struct event_price {
	struct span symbol; /* "SOL" */
	struct span price;
	int64_t ts; /* ms since the epoch */
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
};
/* length grows with n_unpriced: LINE_RECORD_MAX + n_unpriced * JSONW_STRING_MAX(EVENT_NAME_MAX) at most */
char *event_write_equity(char *out, const struct event_equity *e);

struct event_status {
	struct span state; /* live, connecting, gap, stale, end */
	int64_t ts;
	struct span source; /* live, replay, demo; empty: left out */
	struct span stream; /* empty: left out */
	bool has_ids;
	uint64_t last_id, next_id; /* gap: last id before, first id after */
	struct span detail;        /* free text, at most 512 bytes are written; empty: left out */
};
char *event_write_status(char *out, const struct event_status *e);

/* a number of a record: a JSON string or a plain JSON number; false where it is neither, or no decimal */
bool event_number(const struct fields *f, unsigned slot, struct dec *out);
/* a string; false: not a string, or over EVENT_NAME_MAX bytes */
bool event_string(const struct fields *f, unsigned slot, struct span *out);
/* ts: a JSON integer (or a string of digits), >= 0 */
bool event_time(const struct fields *f, unsigned slot, int64_t *out);

/* what bnc-equity reads of a record; false: *why is a constant sentence that says which key breaks the contract */
struct event_position {
	struct span pair, symbol;
	enum event_market market;
	struct span side; /* BOTH, LONG, SHORT; BOTH where the key is absent */
	struct dec qty, entry_price;
	bool has_mark;
	struct dec mark_price;
	bool has_contract_size;
	struct dec contract_size;
	int64_t ts;
};
bool event_read_position(const struct fields *f, struct event_position *e, const char **why);

struct event_balance {
	struct span asset;
	struct dec balance;
	enum event_market market; /* EVENT_NO_MARKET: not said */
	int64_t ts;
};
bool event_read_balance(const struct fields *f, struct event_balance *e, const char **why);

struct event_tick {
	struct span pair, symbol; /* pair: what a position is matched by; symbol where there is no pair */
	enum event_market market;
	enum event_source source;
	struct dec price;
	int64_t ts;
};
bool event_read_tick(const struct fields *f, struct event_tick *e, const char **why);

#endif
