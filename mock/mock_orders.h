/* mock_orders - faults for connections that are still to come. */
#ifndef BNC_MOCK_ORDERS_H
#define BNC_MOCK_ORDERS_H

#include "mock_fault.h"

struct mock_order {
	struct mock_order *next;
	struct mock_fault fault;
};

struct mock_orders {
	struct mock_order *first; /* owned */
};

/* behind those that are there; false: no memory */
bool mock_orders_add(struct mock_orders *o, const struct mock_fault *f);
void mock_orders_clear(struct mock_orders *o);

/* what is known of a connection at a stage */
struct mock_seen {
	enum mock_stage stage;
	unsigned number;
	enum mock_tier tier; /* of the path; from MOCK_STAGE_HTTP on */
	bool user;	     /* it is for user data; from MOCK_STAGE_HTTP on */
	struct span path;    /* MOCK_STAGE_REST */
};

/* the first order at or behind *from (NULL: from the start) that is for this connection at this stage; it is copied to
 * *f, counted, and *from moves behind it. false: there is none */
bool mock_orders_take(
    struct mock_orders *o, struct mock_order ***from, const struct mock_seen *seen, struct mock_fault *f);

#endif
