/* mock_hub - which connections want which stream. One exchange, many connections: every subscriber of a stream is given
 * the same bytes. */
#ifndef BNC_MOCK_HUB_H
#define BNC_MOCK_HUB_H

#include "mock_walk.h"

struct mock_conn;

struct mock_stream {
	struct mock_stream *next; /* in its bucket */
	struct mock_stream *also; /* another stream behind the same slot of the walk */
	void **slot;		  /* of the walk, or NULL: only a recording can feed it */
	char *name;		  /* owned */
	enum mock_market market;
	struct mock_conn **conn; /* owned */
	size_t conns, cap;
};

#define MOCK_HUB_BUCKETS 1024

struct mock_hub {
	struct mock_stream *bucket[MOCK_HUB_BUCKETS];
	struct mock_walk *walk; /* borrowed */
	size_t live;		/* subscriptions that something can feed, of all connections */
};

/* NULL: no memory. A name is looked up exactly as it is given */
struct mock_stream *mock_hub_join(struct mock_hub *h, enum mock_market market, struct span name, struct mock_conn *c);
void mock_hub_leave(struct mock_hub *h, struct mock_stream *s, struct mock_conn *c);
struct mock_stream *mock_hub_find(const struct mock_hub *h, enum mock_market market, struct span name);

#endif
