/* mock_private - the REST calls of an account: listen keys, and the signed ones (bnc-wire(7) 3.1, 4.3). */
#ifndef BNC_MOCK_PRIVATE_H
#define BNC_MOCK_PRIVATE_H

#include "mock_account.h"
#include "mock_http.h"

/* appends the body; the HTTP status, 0: the path is none of these. now: monotonic, µs */
int mock_private(
    struct mock_buf *b, struct mock_account *a, const struct mock_request *r, int64_t now, int64_t wall_ms);

/* the weight of a request, also of those that need no account (bnc-wire(7) 4.3) */
int64_t mock_private_weight(const struct mock_request *r);

/* the body of /api/v3/account, which the WebSocket API has too */
void mock_private_spot(struct mock_buf *b, const struct mock_account *a, bool omit_zero);

#endif
