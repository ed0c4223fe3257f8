/* mock_tls - certificates made at start, good ones and every kind of wrong one.
 * The authority (EC P-256) lives as long as the process, and its key is written nowhere, unless it is to be kept. */
#ifndef BNC_MOCK_TLS_H
#define BNC_MOCK_TLS_H

#include <openssl/ssl.h>

#include "span.h"

enum mock_cert {
	MOCK_CERT_GOOD,
	MOCK_CERT_WRONG_NAME,
	MOCK_CERT_EXPIRED,
	MOCK_CERT_NOT_YET,
	MOCK_CERT_SELF_SIGNED,
	MOCK_CERT_UNKNOWN_CA,
	MOCK_CERT_TLS11, /* a good certificate, on a server that speaks nothing newer than TLS 1.1 */
	MOCK_CERT_COUNT,
};

struct mock_tls {
	EVP_PKEY *ca_key;
	X509 *ca;
	SSL_CTX *ctx[MOCK_CERT_COUNT]; /* made when first asked for */
	const char *name;	       /* a further name in good certificates, or NULL; borrowed */
	const char *cert_file;	       /* MOCK_CERT_GOOD comes from these files where they are given; borrowed */
	const char *key_file;
};

/* makes the authority; with `keep`, a file, takes it from there where there is one, else leaves it there (certificate
 * and key, for the owner's eyes only). false: mock_tls_why(), or errno where that is NULL */
bool mock_tls_open(struct mock_tls *t, const char *keep);
void mock_tls_close(struct mock_tls *t);

/* NULL: mock_tls_why() */
SSL_CTX *mock_tls_ctx(struct mock_tls *t, enum mock_cert which);

/* the authority's certificate as PEM: a temporary file beside `path`, then renamed. false: errno */
bool mock_tls_write_ca(const struct mock_tls *t, const char *path);

/* "good", "expired" ...; false for a word nobody knows */
bool mock_tls_word(struct span word, enum mock_cert *which);

/* OpenSSL's own text for the last thing that failed, a static buffer; NULL: OpenSSL knows of nothing */
const char *mock_tls_why(void);

#endif
