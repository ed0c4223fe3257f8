/* lib/ws_tls: the name of a certificate is checked by ourselves, whatever libwebsockets has made of it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "ws_tls.h"

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_true(X509_add_ext(x, e, -1));
	X509_EXTENSION_free(e);
}

/* signs itself, is its own authority, and names one host, all hosts below another, and an address */
static X509 *certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();

	assert_non_null(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"common.test", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	extend(x, NID_basic_constraints, "critical,CA:TRUE");
	extend(x, NID_subject_alt_name, "DNS:right.test,DNS:*.wild.test,IP:127.0.0.1");
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static void shake(SSL *client, SSL *server)
{
	BIO *one, *other;

	assert_true(BIO_new_bio_pair(&one, 0, &other, 0));
	SSL_set_bio(client, one, one);
	SSL_set_bio(server, other, other);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 10 && !(SSL_is_init_finished(client) && SSL_is_init_finished(server)); i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	assert_true(SSL_is_init_finished(client));
}

static void only_what_the_certificate_names(void **state)
{
	static const char *const right[] = { "right.test", "RIGHT.test", "a.wild.test", "127.0.0.1" };
	static const char *const wrong[] = { "wrong.test", "right.test.evil", "ight.test", "wild.test", "a.b.wild.test", "127.0.0.2",
		"common.test", "::1", "" };
	char path[] = "/tmp/bnc-tls.XXXXXX";
	char why[256];
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = certificate(key);

	(void)state;
	assert_true(file && PEM_write_X509(file, x) && fclose(file) == 0);
	SSL_CTX *client_context = ws_tls_open(path, why);
	SSL_CTX *server_context = SSL_CTX_new(TLS_server_method());
	unlink(path);
	assert_non_null(client_context);
	assert_true(SSL_CTX_use_certificate(server_context, x) && SSL_CTX_use_PrivateKey(server_context, key));
	SSL *client = SSL_new(client_context), *server = SSL_new(server_context);
	assert_false(ws_tls_names(client, "right.test")); /* before there is a certificate */
	shake(client, server);

	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
		if (!ws_tls_names(client, right[i]))
			fail_msg("%s is refused", right[i]);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		if (ws_tls_names(client, wrong[i]))
			fail_msg("'%s' is taken", wrong[i]);
	assert_false(ws_tls_names(NULL, "right.test"));
	SSL_set_verify_result(client, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_false(ws_tls_names(client, "right.test"));

	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(client_context);
	SSL_CTX_free(server_context);
	X509_free(x);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(only_what_the_certificate_names) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
