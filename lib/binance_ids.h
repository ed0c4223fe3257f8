/* binance_ids - what makes two frames of a stream the same, and what proves that one is missing between them.
 *
 * aggTrade (a) and trade (t) count every event of their symbol; depth differences name the event before (futures: pu;
 * spot: U is one more than u before). bookTicker and partial books carry an update id that grows by jumps: copies and
 * order are known, holes are not. Everything else - kline, tickers, mark prices, arrays, liquidations - has no id of
 * its own, only a time that several events may share: there the bytes decide, which are the same over all connections. */
#ifndef BNC_BINANCE_IDS_H
#define BNC_BINANCE_IDS_H

#include "arbiter.h"
#include "binance.h"
#include "binance_stream.h"

/* f: the frame with its envelope, read with binance_slot. A frame without the ids of its kind is known by its bytes. */
void binance_ids_read(struct arbiter_event *e, enum binance_kind kind, enum event_market m, const struct fields *f);

/* what bytes are known by where there is no id: equal ones have the same */
uint64_t binance_ids_hash(struct span s);

/* events that a proven gap is short of; 0 where its ids do not tell */
uint64_t binance_ids_missing(enum binance_kind kind, const struct arbiter_gap *gap);

/* "3 events missing between 2026-11-24T10:20:30.123Z and 2026-11-24T10:20:31.000Z" */
#define BINANCE_GAP_TEXT_MAX 160
void binance_ids_gap_text(char text[BINANCE_GAP_TEXT_MAX], enum binance_kind kind, const struct arbiter_gap *gap);

/* the status record of a gap between two lines, with its '\n'; its ts is the time of the second. Returns the end. */
char *binance_ids_gap_record(char *out, struct span stream, enum binance_kind kind, const struct arbiter_gap *gap);

#endif
