/* mock_sign - the two kinds of signature that the exchange verifies here (bnc-wire(7) 4.2): HMAC-SHA256 with a secret,
 * as hexadecimal digits, and Ed25519 with a public key, as base64. */
#ifndef BNC_MOCK_SIGN_H
#define BNC_MOCK_SIGN_H

#include <openssl/evp.h>

#include "span.h"

#define MOCK_SECRET_MAX 256

struct mock_signer {
	char secret[MOCK_SECRET_MAX + 1]; /* of HMAC; empty: none */
	EVP_PKEY *key;			  /* Ed25519; owned; NULL: none */
};

/* false: not an Ed25519 public key in PEM */
bool mock_sign_key(struct mock_signer *s, struct span pem);
void mock_sign_free(struct mock_signer *s);

/* The signature, percent-decoded, of the text. Hexadecimal digits count in either case. */
bool mock_sign_good(const struct mock_signer *s, struct span text, struct span signature);

#endif
