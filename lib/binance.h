/* binance - frames of the exchange -> records. One wire type a file (binance_<type>), one table event name -> parser.
 * Facts with their sources: bnc-wire(7). */
#ifndef BNC_BINANCE_H
#define BNC_BINANCE_H

#include "event.h"
#include "line.h"
#include "symbol.h"

/* Slots of a frame (lib/fields). A key of one letter goes to the slot of its character code; the rest here.
 * Keys of the envelope exist at depth 0 alone, so that a "stream" inside a payload cannot pose as one. */
enum binance_slot {
	BINANCE_RECV = 1, /* our envelope: µs since the epoch */
	BINANCE_MARKET,
	BINANCE_STREAM, /* the exchange's envelope */
	BINANCE_DATA,
	BINANCE_TYPE, /* a record of bnc-event(5): passed through */
	BINANCE_RESULT,
	BINANCE_ID,
	BINANCE_ERROR,
	BINANCE_CODE,
	BINANCE_MSG,
	BINANCE_LAST_UPDATE_ID,
	BINANCE_BIDS,
	BINANCE_ASKS,
	BINANCE_PS, /* pair (since 2026-06) */
	BINANCE_ST, /* 1 USD-M, 2 COIN-M (since 2026-06) */
	BINANCE_PU, /* depthUpdate: u of the event before */
	BINANCE_EVENT, /* the spot WebSocket API's wrapper {"event":{...}} */
	BINANCE_AP,    /* average price */
};
unsigned binance_slot(const char *key, size_t n, int depth);

/* What a frame came to. */
enum binance_result {
	BINANCE_RECORDS, /* one record or more */
	BINANCE_PASS,    /* a record already, or (keep_unknown) a frame without one: the line goes on unchanged */
	BINANCE_NOTHING, /* nothing for a record: dropped and counted */
	BINANCE_REFUSED,
};

struct binance {
	enum event_market market;      /* of frames that do not say theirs */
	const struct symbols *symbols; /* NULL: split by the longest known quote asset */
	bool keep_unknown;
	struct fields fields;
	struct fields inner; /* rows of arrays, k of kline, o of forceOrder */
	uint64_t records, passed;
	uint64_t control, errors, depth, unknown, placeholder, other_market; /* dropped, by reason */
};

void binance_open(struct binance *b, enum event_market market);

/* one line -> records at out (line_put, line_room) */
enum binance_result binance_normalize(struct binance *b, struct span line, struct line_out *out, const char **why, size_t *at);

#endif
