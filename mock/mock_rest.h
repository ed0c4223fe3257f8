/* mock_rest - the REST answers that need no account: time, ping, exchangeInfo and depth of each product, premiumIndex of
 * the futures. */
#ifndef BNC_MOCK_REST_H
#define BNC_MOCK_REST_H

#include "mock_http.h"
#include "mock_walk.h"

/* appends the body; the HTTP status: 200; 400 with code and msg for parameters that cannot be; 404 with HTML for a path
 * that nobody serves */
int mock_rest(struct mock_buf *b, const struct mock_walk *w, const struct mock_request *r, int64_t wall_ms);

#endif
