/* order - what a paper trader is told to do: the lines `order` and `cancel` of bnc-event(5). */
#ifndef BNC_ORDER_H
#define BNC_ORDER_H

#include "event.h"

/* the slots of lib/event, those of orders, and those of a book */
enum order_slot {
	ORDER_SLOT_ORDER_TYPE = EVENT_SLOT_COUNT,
	ORDER_SLOT_REDUCE_ONLY,
	ORDER_SLOT_TIME_IN_FORCE,
	ORDER_SLOT_BID,
	ORDER_SLOT_BID_QTY,
	ORDER_SLOT_ASK,
	ORDER_SLOT_ASK_QTY,
};
unsigned order_slot(const char *key, size_t n, int depth);

struct order {
	bool cancel; /* of the order `id`; the rest is nothing then */
	struct span id; /* empty: none was given */
	struct span symbol, pair; /* as event_full_name wants them */
	enum event_market market;
	bool sell;
	bool limit; /* else at whatever the book shows */
	struct dec price; /* limit: above zero */
	struct dec qty;	  /* above zero */
	struct span side; /* BOTH, LONG, SHORT */
	bool reduce_only;
	bool at_once; /* what cannot be filled at once is given up */
	bool has_contract_size;
	struct dec contract_size;
};

/* it is an order or a cancel, well-formed or not */
bool order_is(const struct fields *f);

/* false: *why is a constant sentence that says what is wrong; o->id is good also then. Spans point into f or the line */
bool order_read(const struct fields *f, struct order *o, const char **why);

#endif
