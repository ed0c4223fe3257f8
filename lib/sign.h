/* sign - signatures of requests: HMAC-SHA256 and Ed25519, by OpenSSL. The only includer of it beside lib/ws.
 *
 * What is signed, and with which kind of key, is the exchange's "Endpoint security" (its general information pages,
 * 2026-01; bnc-wire(7) 4.2): HMAC in lower-case hex, Ed25519 in base64. */
#ifndef BNC_SIGN_H
#define BNC_SIGN_H

#include "span.h"

struct sign; /* a secret, ready for use */

/* A PEM block is a private key in PKCS#8, Ed25519 alone; any other text is a secret for HMAC. The text stays the
 * caller's, who should wipe it. NULL: why[] is a sentence that holds nothing of the secret. */
struct sign *sign_open(struct span secret, char why[256]);
void sign_free(struct sign *s); /* and wipes it; NULL is fine */

/* "an HMAC secret", "an Ed25519 key" */
const char *sign_kind(const struct sign *s);

/* the signature of a text: 64 digits of hex, or 88 characters of base64; returns its length, 0 where OpenSSL fails */
#define SIGN_MAX 96
size_t sign_text(const struct sign *s, struct span text, char out[SIGN_MAX]);

/* the same as the value of a parameter: '+', '/' and '=' percent-encoded */
#define SIGN_QUERY_MAX (3 * SIGN_MAX)
size_t sign_query(const struct sign *s, struct span text, char out[SIGN_QUERY_MAX]);

#endif
