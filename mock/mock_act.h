/* mock_act - carries out the faults of an open connection. */
#ifndef BNC_MOCK_ACT_H
#define BNC_MOCK_ACT_H

#include "mock_conn.h"

/* now, or (f->at) when the connection has served so many messages */
void mock_act(struct mock_conn *c, const struct mock_fault *f, int64_t now, int64_t wall_ms);

/* carries out what waited for the number of messages served so far */
void mock_act_due(struct mock_conn *c, int64_t now, int64_t wall_ms);

#endif
