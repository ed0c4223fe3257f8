#include "ws_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* the latest failure of any connection. It is kept here because libwebsockets may free the connection's own state
 * before it says that the connection has failed. */
static struct {
	const SSL *tls;
	const char *why; /* constant text; NULL: none */
} latest;

static const char *error_text(unsigned long error)
{
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return "the server closed the connection";
	return ERR_reason_error_string(error);
}

/* OpenSSL's queue of errors is emptied by libwebsockets before it calls anybody, so it is looked at here: where a step
 * of the handshake ends, and where an alert comes or goes. errno is good for the former only. */
static void note_failure(const SSL *tls, int where, int value)
{
	bool alert = where & SSL_CB_ALERT;
	unsigned long error = ERR_peek_error();
	const char *why = NULL;

	if (where & SSL_CB_HANDSHAKE_START && latest.tls == tls)
		latest.why = NULL;
	bool bye = alert && where & SSL_CB_READ && (value & 0xff) == SSL3_AD_CLOSE_NOTIFY;
	if (!bye && (alert ? *SSL_alert_type_string(value) != 'F' : !(where & SSL_CB_EXIT) || value > 0))
		return;
	if (bye)
		why = SSL_is_init_finished(tls) ? "no close frame" : "the server closed the connection";
	else if (error)
		why = error_text(error);
	else if (alert)
		why = SSL_alert_desc_string_long(value);
	else if (errno == ECONNRESET || errno == EPIPE)
		why = "the server closed the connection";
	else if (errno && errno != EAGAIN && errno != EINTR)
		why = strerrordesc_np(errno);
	if (why) {
		latest.tls = tls;
		latest.why = why;
	}
}

const char *ws_tls_failure(const SSL *tls)
{
	const char *why = tls && tls != latest.tls ? NULL : latest.why;

	if (why)
		latest.why = NULL;
	return why;
}

static SSL_CTX *fail(SSL_CTX *c, char why[256], const char *what, const char *reason)
{
	SSL_CTX_free(c);
	snprintf(why, 256, "%.160s: %.80s", what, reason);
	ERR_clear_error();
	return NULL;
}

/* a file that is not there says so; one without a certificate has another trouble */
static const char *load_reason(void)
{
	unsigned long error = ERR_peek_error();

	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	return "no certificate in PEM in it";
}

/* lists of revoked certificates are looked at only when that is asked for; then no authority may be without one */
static void obey_revocations(SSL_CTX *c)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c);
	STACK_OF(X509_OBJECT) *known = X509_STORE_get0_objects(store);

	for (int i = 0; i < sk_X509_OBJECT_num(known); i++)
		if (X509_OBJECT_get_type(sk_X509_OBJECT_value(known, i)) == X509_LU_CRL) {
			X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
			return;
		}
}

SSL_CTX *ws_tls_open(const char *cacert, char why[256])
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (!c)
		return fail(c, why, "TLS", "cannot be set up");
	if (!SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION))
		return fail(c, why, "TLS", "1.2 is not there");
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	/* a store that is not there is no error here, only nobody to trust */
	if (!SSL_CTX_set_default_verify_paths(c))
		return fail(c, why, "TLS", "no memory for certificate authorities");
	ERR_clear_error();
	if (cacert && !SSL_CTX_load_verify_file(c, cacert))
		return fail(c, why, cacert, load_reason());
	obey_revocations(c);
	/* Never SSL_CTX_set_read_ahead: libwebsockets asks SSL_pending, which does not count records that were read and
	 * not yet taken apart, so the rest of a burst would wait for the next message. */
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_info_callback(c, note_failure);
	return c;
}

void ws_tls_explain(char *text, size_t cap, X509_STORE_CTX *chain, const char *host)
{
	const char *whose = X509_STORE_CTX_get_error_depth(chain) > 0 ? "authority of the certificate" : "certificate";
	int error = X509_STORE_CTX_get_error(chain);

	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		snprintf(text, cap, "%s of %.100s has expired", whose, host);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		snprintf(text, cap, "%s of %.100s is not yet valid", whose, host);
		break;
	case X509_V_ERR_CERT_REVOKED:
		snprintf(text, cap, "%s of %.100s is revoked", whose, host);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		snprintf(text, cap, "certificate does not name %.100s", host);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		snprintf(text, cap, "certificate of %.100s is self-signed", host);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		snprintf(text, cap, "certificate of %.100s is of an authority that is not known", host);
		break;
	default:
		snprintf(text, cap, "%s of %.100s: %s", whose, host, X509_verify_cert_error_string(error));
	}
}

bool ws_tls_names(SSL *tls, const char *host)
{
	X509 *certificate = tls ? SSL_get1_peer_certificate(tls) : NULL;
	bool right = certificate && SSL_get_verify_result(tls) == X509_V_OK &&
	    (X509_check_host(certificate, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ||
		X509_check_ip_asc(certificate, host, 0) == 1);

	X509_free(certificate);
	return right;
}
