/* mock_desk - a REST request is answered: its weight is booked, faults stand in the way, the account's calls come
 * before those that anybody may make. */
#ifndef BNC_MOCK_DESK_H
#define BNC_MOCK_DESK_H

#include "mock_door.h"
#include "mock_http.h"

/* false: it is to be left alone until c->lag_until */
bool mock_desk(
    const struct mock_door *d, struct mock_conn *c, const struct mock_request *r, int64_t now, int64_t wall_ms);

#endif
