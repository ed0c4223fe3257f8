/* mock_door - from an accepted TCP connection to an open WebSocket, or to whatever fault stands in the way. */
#ifndef BNC_MOCK_DOOR_H
#define BNC_MOCK_DOOR_H

#include "mock_account.h"
#include "mock_conn.h"
#include "mock_orders.h"

struct mock_door {
	struct mock_tls *tls; /* NULL: plain */
	enum mock_cert cert;
	enum mock_market market; /* MOCK_MARKETS: all of them */
	struct mock_orders *orders;
	const struct mock_walk *walk;
	struct mock_account *account; /* counts the weight of requests, whoever makes them */
	bool keyed;		      /* --account: it can be asked about */
};

/* a new connection: TLS is set up, or a fault of MOCK_STAGE_TCP */
void mock_door_accept(const struct mock_door *d, struct mock_conn *c, int64_t now);

/* something can be read or written in MOCK_ACCEPTED, MOCK_SHAKING or MOCK_ASKING */
void mock_door_step(const struct mock_door *d, struct mock_conn *c, int64_t now, int64_t wall_ms);

#endif
