/* mock_rest - the few REST answers that need no account: time, ping, exchangeInfo of each product. */
#ifndef BNC_MOCK_REST_H
#define BNC_MOCK_REST_H

#include "mock_buf.h"
#include "mock_walk.h"

/* appends the JSON body; the HTTP status: 200, or 404 for a path nobody serves (with an HTML body) */
int mock_rest(struct mock_buf *b, const struct mock_walk *w, struct span path, int64_t wall_ms);

#endif
