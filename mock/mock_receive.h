/* mock_receive - what a client sends on an open connection: whole frames out of c->in. */
#ifndef BNC_MOCK_RECEIVE_H
#define BNC_MOCK_RECEIVE_H

#include "mock_conn.h"

/* pings are answered, messages go to c->on_text, the limits are kept */
void mock_receive(struct mock_conn *c, int64_t now);

#endif
