/* uplink - where a session of the exchange (binance_session, binance_follow) and lib/ws meet: connections by the session's
 * numbers, what it asks of them, and how they ended in its words. New ones are counted together with those of other
 * programs at this address, where that is asked for. */
#ifndef BNC_UPLINK_H
#define BNC_UPLINK_H

#include "binance_session.h"
#include "budget.h"
#include "ws.h"

/* all zeros, but for what uplink_open sets: no connection, none counted */
struct uplink {
	struct ws *ws;
	struct ws_conn **conn; /* owned; by the session's numbers, NULL: none */
	struct budget budget;
	bool counted;
};

/* for so many connections at a time. ws outlives it. false: no memory */
bool uplink_open(struct uplink *u, struct ws *ws, size_t conns);
void uplink_close(struct uplink *u);

/* From here on at most `limit` new ones in `window` µs. false: why[], they are counted, but not with those of others */
bool uplink_count(struct uplink *u, uint64_t limit, int64_t window, char why[256]);

/* what a session's events of the same names ask for */
int64_t uplink_may_connect(struct uplink *u);
bool uplink_connect(struct uplink *u, unsigned conn, const struct ws_target *to);
void uplink_order(const struct uplink *u, unsigned conn, enum binance_order what, struct span text);
int64_t uplink_heard(const struct uplink *u, unsigned conn);

unsigned uplink_number(const struct uplink *u, const struct ws_conn *c);
/* c is down, and its number free: what the session is told. d->text is end's */
unsigned uplink_down(struct uplink *u, const struct ws_conn *c, const struct ws_end *end, struct binance_down *d);

#endif
