/* mock_link - the bytes of a connection: a non-blocking socket, with TLS or without. */
#ifndef BNC_MOCK_LINK_H
#define BNC_MOCK_LINK_H

#include <openssl/ssl.h>

#include "span.h"

struct mock_link {
	int fd;		 /* owned; -1: closed */
	SSL *ssl;	 /* owned; NULL: plain */
	bool want_write; /* it waits for room in the socket */
};

enum mock_end {
	MOCK_END_FIN,	 /* TCP alone */
	MOCK_END_NOTIFY, /* behind TLS's close_notify */
	MOCK_END_RST,
};

/* > 0 bytes, 0 nothing now, -1 the end, whatever kind */
long mock_link_read(struct mock_link *l, char *p, size_t n);
long mock_link_write(struct mock_link *l, const char *p, size_t n);
void mock_link_close(struct mock_link *l, enum mock_end how); /* safe twice */

/* bytes that TLS has taken from the socket already, where no poll(2) sees them */
bool mock_link_holds(const struct mock_link *l);

/* the server's side of the TLS handshake */
enum mock_link_shaken { MOCK_LINK_READY, MOCK_LINK_WAIT, MOCK_LINK_FAILED };
enum mock_link_shaken mock_link_shake(struct mock_link *l);

/* bytes past TLS, straight into the socket, as far as they fit */
void mock_link_send_below(const struct mock_link *l, const char *p, size_t n);

#endif
