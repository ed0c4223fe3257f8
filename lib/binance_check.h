/* binance_check - what is missing in a recording: holes in the ids of the exchange, stream by stream, and events that
 * may be missing where the recording says so itself and ids cannot tell. Pure. */
#ifndef BNC_BINANCE_CHECK_H
#define BNC_BINANCE_CHECK_H

#include "binance_track.h"

struct binance_check {
	struct binance_track track;
	struct arbiter *arbiter; /* owned; with one line it holds nothing back and tells holes */
	size_t known;		 /* streams that the arbiter knows */
	void (*gap)(void *user, struct span record); /* a status record of bnc-event(5), without '\n' */
	void *user;
};

/* market: of frames that do not say theirs. false: out of memory */
bool binance_check_open(struct binance_check *c, enum event_market market,
    void (*gap)(void *user, struct span record), void *user);
void binance_check_close(struct binance_check *c); /* safe twice */

/* the next line, padded as lib/json asks; us: its time, WHEN_NEVER where it has none */
void binance_check_line(struct binance_check *c, struct span line, int64_t us);

size_t binance_check_streams(const struct binance_check *c);  /* that have come so far */
uint64_t binance_check_gaps(const struct binance_check *c);
uint64_t binance_check_copies(const struct binance_check *c); /* frames that had come before */

#endif
