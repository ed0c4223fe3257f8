#include "mock_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#define DAY (24 * 3600L)

const char *mock_tls_why(void)
{
	static char text[256];
	unsigned long e = ERR_get_error();

	if (e == 0)
		return NULL;
	ERR_error_string_n(e, text, sizeof text);
	ERR_clear_error();
	return text;
}

bool mock_tls_word(struct span word, enum mock_cert *which)
{
	static const char *const words[MOCK_CERT_COUNT] = { "good", "wrong-name", "expired", "not-yet-valid",
		"self-signed", "unknown-ca", "tls1.1" };

	for (unsigned i = 0; i < MOCK_CERT_COUNT; i++) {
		if (span_is(word, words[i])) {
			*which = (enum mock_cert)i;
			return true;
		}
	}
	return false;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = e && X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static bool set_serial(X509 *cert)
{
	unsigned char bytes[8];
	int64_t serial = 0;

	if (RAND_bytes(bytes, sizeof bytes) != 1)
		return false;
	memcpy(&serial, bytes, sizeof serial);
	return ASN1_INTEGER_set_int64(X509_get_serialNumber(cert), serial & INT64_MAX) == 1;
}

/* a certificate without extensions: subject, issuer's name, validity in seconds from now */
static X509 *blank_cert(const char *subject, X509 *issuer, EVP_PKEY *key, long from, long until)
{
	X509 *cert = X509_new();

	if (!cert)
		return NULL;
	X509_NAME *name = X509_get_subject_name(cert);
	if (X509_set_version(cert, 2) && set_serial(cert) && X509_gmtime_adj(X509_getm_notBefore(cert), from) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), until) && X509_set_pubkey(cert, key) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0) &&
	    X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name))
		return cert;
	X509_free(cert);
	return NULL;
}

static X509 *make_ca(EVP_PKEY *key, const char *name)
{
	X509 *ca = blank_cert(name, NULL, key, -30 * DAY, 30 * DAY);

	if (ca && add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE") &&
	    add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	    add_extension(ca, ca, NID_subject_key_identifier, "hash") && X509_sign(ca, key, EVP_sha256()))
		return ca;
	X509_free(ca);
	return NULL;
}

static bool write_ca(const struct mock_tls *t, FILE *f, bool key)
{
	return (!key || PEM_write_PrivateKey(f, t->ca_key, NULL, NULL, 0, NULL, NULL) == 1) &&
	       PEM_write_X509(f, t->ca) == 1;
}

static bool write_and_close(const struct mock_tls *t, int fd, bool key)
{
	FILE *f = fdopen(fd, "w");

	if (!f) {
		close(fd);
		return false;
	}
	bool ok = write_ca(t, f, key);
	return fclose(f) == 0 && ok;
}

/* a pipe or a device: a file must not take its place */
static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* a temporary file beside `path`, then renamed: there is never half of it */
static bool write_whole(const struct mock_tls *t, const char *path, bool key)
{
	char temp[PATH_MAX];
	int n = snprintf(temp, sizeof temp, "%s.XXXXXX", path);

	if (n < 0 || (size_t)n >= sizeof temp) {
		errno = ENAMETOOLONG;
		return false;
	}
	int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return false;
	bool ok = key || fchmod(fd, 0644) == 0;
	if (write_and_close(t, fd, key) && ok && rename(temp, path) == 0)
		return true;
	int saved = errno;
	unlink(temp);
	errno = saved;
	return false;
}

bool mock_tls_write_ca(const struct mock_tls *t, const char *path)
{
	if (!is_special(path))
		return write_whole(t, path, false);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write_and_close(t, fd, false);
}

static bool read_kept(struct mock_tls *t, FILE *f)
{
	t->ca_key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	t->ca = t->ca_key ? PEM_read_X509(f, NULL, NULL, NULL) : NULL;
	fclose(f);
	return t->ca != NULL;
}

bool mock_tls_open(struct mock_tls *t, const char *keep)
{
	FILE *f = keep ? fopen(keep, "re") : NULL;

	if (f)
		return read_kept(t, f);
	if (keep && errno != ENOENT)
		return false;
	t->ca_key = EVP_EC_gen("P-256");
	t->ca = t->ca_key ? make_ca(t->ca_key, "bnc-mock throw-away authority") : NULL;
	return t->ca && (!keep || write_whole(t, keep, true));
}

void mock_tls_close(struct mock_tls *t)
{
	for (unsigned i = 0; i < MOCK_CERT_COUNT; i++)
		SSL_CTX_free(t->ctx[i]);
	X509_free(t->ca);
	EVP_PKEY_free(t->ca_key);
	*t = (struct mock_tls){ 0 };
}

/* what the certificate stands for; `which` decides names, validity and who signs */
static X509 *make_leaf(const struct mock_tls *t, enum mock_cert which, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer)
{
	char names[512] = "DNS:evil.example";
	long from = which == MOCK_CERT_NOT_YET ? DAY : -10 * DAY;
	long until = which == MOCK_CERT_EXPIRED ? -DAY : 20 * DAY;

	if (which != MOCK_CERT_WRONG_NAME) {
		int n = snprintf(names, sizeof names, "IP:127.0.0.1,IP:::1,DNS:localhost%s%s", t->name ? ",DNS:" : "",
		    t->name ? t->name : "");
		if (n < 0 || (size_t)n >= sizeof names)
			return NULL;
	}
	X509 *leaf = blank_cert("bnc-mock", issuer, key, from, until);
	if (leaf && add_extension(leaf, issuer ? issuer : leaf, NID_subject_alt_name, names) &&
	    add_extension(leaf, issuer ? issuer : leaf, NID_ext_key_usage, "serverAuth") &&
	    X509_sign(leaf, signer, EVP_sha256()))
		return leaf;
	X509_free(leaf);
	return NULL;
}

static bool use_made_cert(struct mock_tls *t, SSL_CTX *ctx, enum mock_cert which)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	EVP_PKEY *other_key = which == MOCK_CERT_UNKNOWN_CA ? EVP_EC_gen("P-256") : NULL;
	X509 *other = other_key ? make_ca(other_key, "an authority nobody knows") : NULL;
	X509 *issuer = which == MOCK_CERT_SELF_SIGNED ? NULL : other ? other : t->ca;
	EVP_PKEY *signer = which == MOCK_CERT_SELF_SIGNED ? key : other ? other_key : t->ca_key;
	X509 *leaf = key && (which != MOCK_CERT_UNKNOWN_CA || other) ? make_leaf(t, which, key, issuer, signer) : NULL;

	bool ok = leaf && SSL_CTX_use_certificate(ctx, leaf) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;
	X509_free(leaf);
	X509_free(other);
	EVP_PKEY_free(other_key);
	EVP_PKEY_free(key);
	return ok;
}

static bool use_files(struct mock_tls *t, SSL_CTX *ctx)
{
	return SSL_CTX_use_certificate_chain_file(ctx, t->cert_file) == 1 &&
	       SSL_CTX_use_PrivateKey_file(ctx, t->key_file, SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_check_private_key(ctx) == 1;
}

/* Debian's OpenSSL refuses TLS 1.1 above security level 0 */
static bool only_tls11(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_1_VERSION) &&
	       SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION) && SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
}

static bool set_up(struct mock_tls *t, SSL_CTX *ctx, enum mock_cert which)
{
	bool files = t->cert_file && (which == MOCK_CERT_GOOD || which == MOCK_CERT_TLS11);

	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (which == MOCK_CERT_TLS11 ? !only_tls11(ctx) : !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
		return false;
	return files ? use_files(t, ctx) : use_made_cert(t, ctx, which);
}

SSL_CTX *mock_tls_ctx(struct mock_tls *t, enum mock_cert which)
{
	if (t->ctx[which])
		return t->ctx[which];
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (ctx && !set_up(t, ctx, which)) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	t->ctx[which] = ctx;
	return ctx;
}
