/* ws_upgrade - the key of an upgrade to WebSocket, and the answer that shows that it was understood as one (RFC 6455, 1.3
 * and 4.1). */
#ifndef BNC_WS_UPGRADE_H
#define BNC_WS_UPGRADE_H

#include <stdbool.h>

#define WS_KEY_BYTES 25 /* 16 bytes in base64, and a NUL */

/* another one each time */
void ws_upgrade_key(char key[WS_KEY_BYTES]);

/* is that the Sec-WebSocket-Accept that belongs to the key? */
bool ws_upgrade_accepts(const char *key, const char *accept);

#endif
