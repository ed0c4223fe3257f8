/* mock_api - the part of spot's WebSocket API that user data needs (bnc-wire(7) 3.5): session.logon, status and logout;
 * userDataStream.subscribe, subscribe.signature and unsubscribe; session.subscriptions; account.status; ping and time.
 */
#ifndef BNC_MOCK_API_H
#define BNC_MOCK_API_H

#include "mock_account.h"
#include "mock_conn.h"

/* c becomes a connection of the API; the account must outlive it */
void mock_api_begin(struct mock_conn *c, struct mock_account *a, int64_t wall_ms);

#endif
