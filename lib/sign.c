#include "sign.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>

#define SECRET_MAX    8192 /* of HMAC; the exchange's have 64 characters */
#define HMAC_BYTES    32
#define ED25519_BYTES 64

struct sign {
	EVP_PKEY *key; /* owned; NULL: HMAC */
	size_t n;
	unsigned char secret[]; /* of HMAC */
};

/* ---------------------------------------------------------------------------------------------------- secrets */

static struct sign *fail(struct sign *s, char why[256], const char *reason)
{
	sign_free(s);
	snprintf(why, 256, "%s", reason);
	ERR_clear_error();
	return NULL;
}

/* an encrypted key asks for a pass phrase, and nobody is here to type one */
static int no_pass_phrase(char *buf, int size, int for_writing, void *user)
{
	(void)buf, (void)size, (void)for_writing;
	*(bool *)user = true;
	return -1;
}

static struct sign *open_pem(struct span pem, char why[256])
{
	struct sign *s = calloc(1, sizeof *s);
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	bool encrypted = false;

	if (!s || !bio) {
		BIO_free(bio);
		return fail(s, why, "out of memory");
	}
	s->key = PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, &encrypted);
	BIO_free(bio);
	if (encrypted)
		return fail(s, why, "the private key is encrypted: a key without a pass phrase is needed");
	if (!s->key)
		return fail(s, why, "no whole private key in PEM: is it cut off, or a public key?");
	if (EVP_PKEY_get_base_id(s->key) == EVP_PKEY_RSA)
		return fail(s, why, "an RSA key: only Ed25519 keys and HMAC secrets are supported");
	if (EVP_PKEY_get_base_id(s->key) != EVP_PKEY_ED25519)
		return fail(s, why, "not an Ed25519 key: only these and HMAC secrets are supported");
	return s;
}

static struct sign *open_hmac(struct span secret, char why[256])
{
	struct sign *s = calloc(1, sizeof *s + secret.n);

	if (!s)
		return fail(s, why, "out of memory");
	s->n = secret.n;
	memcpy(s->secret, secret.p, secret.n);
	return s;
}

struct sign *sign_open(struct span secret, char why[256])
{
	if (secret.n == 0 || secret.n > SECRET_MAX)
		return fail(NULL, why, secret.n ? "the secret is too long" : "the secret is empty");
	return span_starts(secret, SPAN("-----BEGIN ")) ? open_pem(secret, why) : open_hmac(secret, why);
}

void sign_free(struct sign *s)
{
	if (!s)
		return;
	EVP_PKEY_free(s->key); /* wipes it */
	OPENSSL_cleanse(s, sizeof *s + s->n);
	free(s);
}

const char *sign_kind(const struct sign *s)
{
	return s->key ? "an Ed25519 key" : "an HMAC secret";
}

/* ------------------------------------------------------------------------------------------------- signatures */

static size_t sign_hmac(const struct sign *s, struct span text, char out[SIGN_MAX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!HMAC(EVP_sha256(), s->secret, (int)s->n, (const unsigned char *)text.p, text.n, mac, &n) ||
	    n != HMAC_BYTES)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		out[2 * i] = digits[mac[i] >> 4];
		out[2 * i + 1] = digits[mac[i] & 15];
	}
	return 2 * n;
}

static size_t sign_ed25519(const struct sign *s, struct span text, char out[SIGN_MAX])
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	unsigned char signature[ED25519_BYTES];
	size_t n = sizeof signature;
	bool good = c && EVP_DigestSignInit(c, NULL, NULL, NULL, s->key) == 1 &&
		    EVP_DigestSign(c, signature, &n, (const unsigned char *)text.p, text.n) == 1;

	EVP_MD_CTX_free(c);
	return good ? (size_t)EVP_EncodeBlock((unsigned char *)out, signature, (int)n) : 0;
}

size_t sign_text(const struct sign *s, struct span text, char out[SIGN_MAX])
{
	size_t n = s->key ? sign_ed25519(s, text, out) : sign_hmac(s, text, out);

	ERR_clear_error();
	return n;
}

size_t sign_query(const struct sign *s, struct span text, char out[SIGN_QUERY_MAX])
{
	char raw[SIGN_MAX];
	size_t n = sign_text(s, text, raw);
	char *o = out;

	for (size_t i = 0; i < n; i++) {
		if (raw[i] == '+' || raw[i] == '/' || raw[i] == '=')
			o += snprintf(o, 4, "%%%02X", (unsigned)raw[i]);
		else
			*o++ = raw[i];
	}
	return (size_t)(o - out);
}
