/* binance - frames of the exchange -> records. One wire type a file (binance_<type>), one table event name -> parser.
 * Facts with their sources: bnc-wire(7). */
#ifndef BNC_BINANCE_H
#define BNC_BINANCE_H

#include "event.h"
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
	BINANCE_PS, /* pair (since 2026-06) */
	BINANCE_ST, /* 1 USD-M, 2 COIN-M (since 2026-06) */
	BINANCE_PU, /* depthUpdate: u of the event before */
};
unsigned binance_slot(const char *key, size_t n, int depth);

/* What a frame came to. */
enum binance_result {
	BINANCE_RECORDS, /* one record or more */
	BINANCE_PASS,    /* a record already, or (keep_unknown) a frame without one: the line goes on unchanged */
	BINANCE_NOTHING, /* nothing for a record: dropped and counted */
	BINANCE_REFUSED, /* breaks the contract of its type */
};

/* what surrounds an event */
struct binance_frame {
	enum event_market market;
	int64_t recv; /* ms since the epoch, -1 where nobody noted it */
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

/* what a frame without an event is */
enum binance_control {
	BINANCE_NO_CONTROL,
	BINANCE_REPLY,    /* {"result":...,"id":n} */
	BINANCE_ERROR_REPLY, /* {"error":{...},"id":n} or {"code":n,"msg":"..."} */
	BINANCE_SHUTDOWN, /* serverShutdown: raw, combined, or as the WebSocket API wraps it */
};
enum binance_control binance_control(const struct fields *f);

struct binance {
	enum event_market market;      /* of frames that do not say theirs */
	const struct symbols *symbols; /* NULL: split by the longest known quote asset */
	bool keep_unknown;
	struct fields fields;
	struct fields row;   /* an element of an array payload */
	struct fields inner; /* an object inside an event */
	struct event_price event;
	uint64_t records, passed;
	uint64_t control, errors, depth, liquidations, unknown, placeholder, other_market; /* dropped, by reason */
};

void binance_open(struct binance *b, enum event_market market);

/* One line: a frame with or without envelopes, a bare event, an array of events, "<time> <frame>" with 13 (ms), 16 (µs)
 * or 19 (ns) digits, or a record. Records go to out; BINANCE_REFUSED may follow some, when rows of an array are sound and
 * others are not. *why is a constant sentence, *at the byte of the line. The line is padded as lib/json asks. */
enum binance_result binance_normalize(struct binance *b, struct span line, struct line_out *out, const char **why,
    size_t *at);

#endif
