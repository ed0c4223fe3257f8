/* binance_inbox - what an account's connections and answers bring, on its way to a frame: copies are dropped, what
 * comes before the snapshot waits for it, rows that are old are cut out (binance_rows), secrets are taken out. Pure. */
#ifndef BNC_BINANCE_INBOX_H
#define BNC_BINANCE_INBOX_H

#include "binance_rows.h"

#define BINANCE_INBOX_HELD   (4u << 20) /* bytes of events that may wait for a snapshot */
#define BINANCE_INBOX_COPIES 1024	/* so many latest events are remembered by their bytes */

struct binance_inbox;

struct binance_inbox_counters {
	uint64_t events; /* that came */
	uint64_t copies; /* byte by byte like one of the latest */
	uint64_t old;	 /* without a row that is news */
	uint64_t frames; /* given out */
	uint64_t unfit;	 /* too long or too deep for a line, or with the listen key where it should not be */
	uint64_t lost;	 /* waited for a snapshot that took too long */
};

/* frame: {"stream":...,"data":...}, without line ends, valid during the call. NULL: out of memory. Owned. */
struct binance_inbox *binance_inbox_new(
    enum event_market m, void (*frame)(void *user, struct span text, int64_t recv), void *user);
void binance_inbox_free(struct binance_inbox *b);

/* the listen key of now; whatever has it inside is not given out */
void binance_inbox_secret(struct binance_inbox *b, struct span listen_key);

/* An event: an object, checked, padded; without its envelope. false: no room is left where it waits; all that waited is
 * lost, and the snapshot is to be taken anew. */
bool binance_inbox_event(struct binance_inbox *b, struct span event, int64_t recv);

/* events wait from now on; those that wait are given out, and further ones at once */
void binance_inbox_hold(struct binance_inbox *b);
void binance_inbox_release(struct binance_inbox *b);

/* a snapshot, as for binance_rows_snapshot, in frames of the stream `path` */
bool binance_inbox_snapshot(struct binance_inbox *b, enum binance_rows_part part, const char *path, struct span answer,
    uint64_t sent, int64_t recv, const char **why);

struct binance_rows *binance_inbox_rows(struct binance_inbox *b);
const struct binance_inbox_counters *binance_inbox_counters(const struct binance_inbox *b);

#endif
