/* mock_send - what goes out on an open connection: frames, messages, and data through the faults that are on.
 * Everything is queued; nothing is sent once a close frame is. */
#ifndef BNC_MOCK_SEND_H
#define BNC_MOCK_SEND_H

#include "mock_conn.h"

void mock_send_frame(struct mock_conn *c, unsigned first, struct span payload);
void mock_send_text(struct mock_conn *c, struct span text); /* one message, in fragments where that fault is on */
void mock_send_close(
    struct mock_conn *c, int code, struct span reason, const char *why, int64_t now); /* code 0: none */
void mock_send_ping(struct mock_conn *c, int64_t now, int64_t wall_ms);

/* a message of data from its stream: through the faults that are on, wrapped where that is the style */
void mock_send_data(struct mock_conn *c, struct span stream, struct span payload, int64_t now);

/* the same for user data, which faults know by the name of the event and an envelope by `stream` */
void mock_send_event(struct mock_conn *c, struct span stream, struct span event, struct span payload, int64_t now);

#endif
