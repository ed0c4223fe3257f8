/* mock_control - SUBSCRIBE and its kin (bnc-wire(7) 1.6). */
#ifndef BNC_MOCK_CONTROL_H
#define BNC_MOCK_CONTROL_H

#include "mock_conn.h"

/* a text message of the client: answered on c */
void mock_control(struct mock_conn *c, struct span text, int64_t now);

/* {"code":..,"msg":..} or the same inside "error" */
void mock_control_error(struct mock_conn *c, bool wrapped, int64_t code, struct span message, struct span id);

#endif
