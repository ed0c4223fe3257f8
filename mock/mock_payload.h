/* mock_payload - the bytes of an event as the exchange writes them in 2026: key order, blanks and decimals of
 * bnc-wire(7). */
#ifndef BNC_MOCK_PAYLOAD_H
#define BNC_MOCK_PAYLOAD_H

#include "mock_buf.h"
#include "mock_walk.h"

/* the event that mock_walk has just told; s NULL: an array of all symbols of that market */
void mock_payload(struct mock_buf *b, const struct mock_walk *w, const struct mock_symbol *s, enum mock_market market,
    enum mock_slot slot);

#endif
