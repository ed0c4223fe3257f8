#include "mock_sign.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <strings.h>

#define HMAC_BYTES    32
#define HMAC_DIGITS   64
#define ED25519_BYTES 64
#define BASE64_CHARS  88 /* of 64 bytes */

bool mock_sign_key(struct mock_signer *s, struct span pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);

	EVP_PKEY_free(s->key);
	s->key = b ? PEM_read_bio_PUBKEY(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	if (s->key && EVP_PKEY_base_id(s->key) != EVP_PKEY_ED25519) {
		EVP_PKEY_free(s->key);
		s->key = NULL;
	}
	ERR_clear_error();
	return s->key != NULL;
}

void mock_sign_free(struct mock_signer *s)
{
	EVP_PKEY_free(s->key);
	s->key = NULL;
	OPENSSL_cleanse(s->secret, sizeof s->secret);
}

static bool good_hmac(const char *secret, struct span text, struct span signature)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE];
	char hex[HMAC_DIGITS];
	unsigned n = 0;

	if (signature.n != HMAC_DIGITS ||
	    !HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text.p, text.n, mac, &n))
		return false;
	for (size_t i = 0; i < HMAC_BYTES; i++) {
		hex[2 * i] = digits[mac[i] >> 4];
		hex[2 * i + 1] = digits[mac[i] & 15];
	}
	return strncasecmp(hex, signature.p, HMAC_DIGITS) == 0;
}

static bool good_ed25519(EVP_PKEY *key, struct span text, struct span signature)
{
	unsigned char raw[BASE64_CHARS]; /* EVP_DecodeBlock counts the padding as bytes */
	bool good = false;

	if (signature.n != BASE64_CHARS ||
	    EVP_DecodeBlock(raw, (const unsigned char *)signature.p, BASE64_CHARS) < ED25519_BYTES)
		return false;
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	if (m && EVP_DigestVerifyInit(m, NULL, NULL, NULL, key) == 1)
		good = EVP_DigestVerify(m, raw, ED25519_BYTES, (const unsigned char *)text.p, text.n) == 1;
	EVP_MD_CTX_free(m);
	ERR_clear_error();
	return good;
}

bool mock_sign_good(const struct mock_signer *s, struct span text, struct span signature)
{
	if (s->secret[0] && good_hmac(s->secret, text, signature))
		return true;
	return s->key && good_ed25519(s->key, text, signature);
}
