/* binance - frames of the exchange -> records. One wire type a file (binance_<type>), one table event name -> parser.
 * Facts with their sources: bnc-wire(7). */
#ifndef BNC_BINANCE_H
#define BNC_BINANCE_H

#include "event.h"
#include "fills.h"
#include "line.h"
#include "symbol.h"

/* Slots of a frame (lib/fields). A key of one letter goes to the slot of its character code, the rest here: those of
 * the envelope below FIELDS_OUTER and at depth 0 alone, so that a "stream" inside a payload cannot pose as one. */
enum binance_slot {
	BINANCE_RECV = 1, /* our envelope: µs since the epoch */
	BINANCE_MARKET,
	BINANCE_STREAM, /* the exchange's envelope */
	BINANCE_DATA,   /* entered */
	BINANCE_TYPE,   /* a record of bnc-event(5): passed through */
	BINANCE_RESULT,
	BINANCE_ID,
	BINANCE_ERROR,
	BINANCE_CODE,
	BINANCE_MSG,
	BINANCE_EVENT, /* the spot WebSocket API's wrapper {"event":{...}}, entered */

	BINANCE_LAST_UPDATE_ID = FIELDS_OUTER,
	BINANCE_BIDS,
	BINANCE_ASKS,
	BINANCE_PS, /* pair (since 2026-06); of the account: position side */
	BINANCE_ST, /* 1 USD-M, 2 COIN-M (since 2026-06) */
	BINANCE_PU, /* depthUpdate: u of the event before */

	/* events of the account */
	BINANCE_WB, /* wallet balance */
	BINANCE_CW, /* cross wallet balance */
	BINANCE_PA, /* position amount, signed */
	BINANCE_EP, /* entry price */
	BINANCE_MP, /* mark price */
	BINANCE_UP, /* unrealized PnL */
	BINANCE_MM, /* maintenance margin */
	BINANCE_RP, /* realized PnL of a fill, before its commission */
	BINANCE_AC, /* ACCOUNT_CONFIG_UPDATE: leverage of a pair */
	BINANCE_AI, /* there: mode of the account; ALGO_UPDATE: id of the order that came of it */
	BINANCE_AID, /* ALGO_UPDATE: its own id */
	BINANCE_TP, /* there: trigger price */
	BINANCE_RM, /* there: why it was rejected */

	/* answers of REST */
	BINANCE_ASSET,
	BINANCE_BALANCE,
	BINANCE_FREE,
	BINANCE_LOCKED,
	BINANCE_BALANCES,
	BINANCE_SYMBOL,
	BINANCE_POSITION_SIDE,
	BINANCE_POSITION_AMT,
	BINANCE_ENTRY_PRICE,
	BINANCE_MARK_PRICE,
	BINANCE_UNREALIZED_PROFIT, /* unRealizedProfit */
	BINANCE_UPDATE_TIME,

	BINANCE_SLOTS_END, /* slots of letters begin at 'A' */
};
_Static_assert(BINANCE_SLOTS_END <= 'A', "slots of names lie on those of letters");
unsigned binance_slot(const char *key, size_t n, int depth);

/* What a frame came to. */
enum binance_result {
	BINANCE_RECORDS, /* one record or more */
	BINANCE_PASS,    /* a record already, or (keep_unknown) a frame without one: the line goes on unchanged */
	BINANCE_NOTHING, /* nothing for a record: dropped and counted */
	BINANCE_REFUSED, /* breaks the contract of its type */
};

/* One event of the account, or one answer of REST, of one type: any number of records. What became of it is noted in
 * *a (binance_user.h); scratch for what is inside the event is a->b's `inner` and `leaf`. */
struct binance_user;
typedef void binance_user_parse(struct binance_user *a, const struct fields *f);

struct binance_type; /* a row of the table of types */

/* what surrounds an event */
struct binance_frame {
	enum event_market market;
	int64_t recv; /* ms since the epoch, -1 where nobody noted it */
	const struct binance_type *rest; /* what the answers of this REST path are; NULL: no such frame */
	struct fields *inner; /* scratch for an object inside the event: k of kline, o of forceOrder */
};

/* One event of one type. BINANCE_RECORDS: *e is filled. BINANCE_NOTHING: a placeholder (an empty side, no trade).
 * BINANCE_REFUSED: *why is a constant sentence that names the field. */
typedef enum binance_result binance_parse(const struct fields *f, const struct binance_frame *frame,
    struct event_price *e, const char **why);

binance_parse binance_book_ticker_parse;
binance_parse binance_agg_trade_parse;
binance_parse binance_trade_parse;
binance_parse binance_mark_price_parse;
binance_parse binance_kline_parse;
binance_parse binance_ticker_parse; /* 24hrTicker and 24hrMiniTicker */
binance_parse binance_force_order_parse;
binance_parse binance_depth_parse;

/* those of the account */
binance_user_parse binance_account_update_parse;
binance_user_parse binance_order_trade_update_parse;
binance_user_parse binance_trade_lite_parse;
binance_user_parse binance_execution_report_parse;
binance_user_parse binance_account_position_parse; /* outboundAccountPosition */
binance_user_parse binance_margin_call_parse;
binance_user_parse binance_account_config_parse; /* ACCOUNT_CONFIG_UPDATE */
binance_user_parse binance_algo_update_parse;
binance_user_parse binance_balance_change_parse; /* balanceUpdate, externalLockUpdate */
binance_user_parse binance_stream_over_parse;    /* listenKeyExpired, eventStreamTerminated */
binance_user_parse binance_rest_balance_parse;   /* a row of /fapi/v3/balance and its like */
binance_user_parse binance_rest_position_parse;  /* a row of /fapi/v3/positionRisk and its like */
binance_user_parse binance_rest_account_parse;   /* /api/v3/account of spot */

/* what a frame without an event is */
enum binance_control {
	BINANCE_NO_CONTROL,
	BINANCE_REPLY,    /* {"result":...,"id":n} */
	BINANCE_ERROR_REPLY, /* {"error":{...},"id":n} or {"code":n,"msg":"..."} */
	BINANCE_SHUTDOWN, /* serverShutdown: raw, combined, or as the WebSocket API wraps it */
};
enum binance_control binance_control(const struct fields *f);

struct fast;

struct binance {
	enum event_market market;      /* of frames that do not say theirs */
	const struct symbols *symbols; /* NULL: split by the longest known quote asset */
	struct fills *fills;	       /* NULL: every report of a fill gives a record, also the second of the same */
	bool keep_unknown;
	uint64_t records, passed;
	/* dropped, by reason */
	uint64_t control, errors, depth, liquidations, unknown, placeholder, other_market;
	uint64_t orders; /* events of orders that are no fill */
	uint64_t copies; /* reports of fills that have been told */
	size_t id_digits; /* of the last update id that binance_fast has read: the next one is as long */

	struct fields fields;
	struct fields row;   /* an element of an array payload */
	struct fields inner; /* an object inside an event */
	struct fields leaf;  /* an element of an array inside an event */
	struct event_price event;
};

void binance_open(struct binance *b, enum event_market market);

/* One line: a frame with or without envelopes, a bare event, an array of events, "<time> <frame>" with 13 (ms), 16 (µs)
 * or 19 (ns) digits, or a record. Records go to out; BINANCE_REFUSED may follow some, when rows of an array are sound and
 * others are not. *why is a constant sentence, *at the byte of the line. The line is padded as lib/json asks. */
enum binance_result binance_normalize(struct binance *b, struct span line, struct line_out *out, const char **why,
    size_t *at);

/* The same for lines from p on that look as most do, as `fast` of lib/filter.h asks: each gives a record. */
const char *binance_fast(struct binance *b, const char *p, const char *end, struct line_out *out, struct fast *run);

/* No more lines come: what waits in b->fills goes out. */
void binance_finish(struct binance *b, struct line_out *out);

#endif
