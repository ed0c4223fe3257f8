/* mock_post - brings an event of user data to the connections that may have it (bnc-wire(7) 3.2, 3.5). */
#ifndef BNC_MOCK_POST_H
#define BNC_MOCK_POST_H

#include "mock_account.h"
#include "mock_conn.h"

struct mock_letter {
	enum mock_market market;
	struct span event; /* its name */
	struct span payload;
};

/* USDⓈ-M: the private tier, and the living listen key subscribed to with this event; COIN-M: the living key; spot: a
 * subscription of the WebSocket API */
void mock_post(
    const struct mock_account *a, struct mock_conn *c, const struct mock_letter *l, int64_t now, int64_t wall_ms);

#endif
