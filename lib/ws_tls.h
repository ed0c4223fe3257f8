/* ws_tls - what TLS has to hold for lib/ws: whom to trust, and whether a certificate is the right one.
 *
 * Verification has no switch. libwebsockets' own context is not used, because Debian's build of it also trusts what
 * lies in ../share, relative to the current directory. */
#ifndef BNC_WS_TLS_H
#define BNC_WS_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* TLS 1.2 or newer; the system's authorities (or SSL_CERT_FILE's, SSL_CERT_DIR's) and those of the file cacert, NULL
 * for none. Where one of these files has lists of revoked certificates (CRL), each authority must have one. NULL: why[]
 * says what failed, a file that cannot be read for one. Free with SSL_CTX_free, after its last user. */
SSL_CTX *ws_tls_open(const char *cacert, char why[256]);

/* for people, what X509_STORE_CTX has against a certificate: "certificate of HOST has expired" */
void ws_tls_explain(char *text, size_t cap, X509_STORE_CTX *chain, const char *host);

/* the peer's certificate was verified and names that host, a name or an address */
bool ws_tls_names(SSL *tls, const char *host);

/* why TLS failed on that connection, and forgets it: "wrong version number", "tlsv1 alert protocol version"; NULL: it
 * did not. tls NULL: on the connection whose end libwebsockets is telling, where its state is gone already */
const char *ws_tls_failure(const SSL *tls);

#endif
