/* lib/sign against published signatures: the exchange's own examples (HMAC; its REST and WebSocket API documents,
 * recomputed with openssl(1)) and RFC 8032, 7.1 (Ed25519) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sign.h"

#define SECRET "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

static void hmac(void **state)
{
	static const char *const vectors[][2] = {
		{ "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp="
		  "1499827319559",
		    "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71" },
		{ "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&"
		  "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
		    "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3" },
		{ "apiKey=vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A&price=52000.00&quantity=0."
		  "01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
		    "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24" },
	};
	char why[256], out[SIGN_MAX], query[SIGN_QUERY_MAX];

	(void)state;
	struct sign *s = sign_open(span_of(SECRET), why);
	assert_non_null(s);
	assert_string_equal(sign_kind(s), "an HMAC secret");
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		assert_int_equal(sign_text(s, span_of(vectors[i][0]), out), 64);
		assert_memory_equal(out, vectors[i][1], 64);
		assert_int_equal(sign_query(s, span_of(vectors[i][0]), query), 64);
		assert_memory_equal(query, vectors[i][1], 64);
	}
	sign_free(s);
}

/* the key of RFC 8032's TEST 2 in PKCS#8; its message is one byte, 0x72 */
static const char ed25519_key[] = "-----BEGIN PRIVATE KEY-----\n"
				  "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7"
				  "\n-----END PRIVATE KEY-----\n";

static void ed25519(void **state)
{
	static const char expected[] =
	    "kqAJqfDUyrhyDoILX2QlQKKye1QWUD+Ps3YiI+vbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkWErsMAA==";
	static const char encoded[] =
	    "kqAJqfDUyrhyDoILX2QlQKKye1QWUD%2BPs3YiI%2BvbadoIWsHkPhWZbkWPNhPQ8R2MOHsurrQwKu6wDSkW"
	    "ErsMAA%3D%3D";
	char why[256], out[SIGN_MAX], query[SIGN_QUERY_MAX];

	(void)state;
	struct sign *s = sign_open(span_of(ed25519_key), why);
	assert_non_null(s);
	assert_string_equal(sign_kind(s), "an Ed25519 key");
	assert_int_equal(sign_text(s, SPAN("r"), out), sizeof expected - 1);
	assert_memory_equal(out, expected, sizeof expected - 1);
	assert_int_equal(sign_query(s, SPAN("r"), query), sizeof encoded - 1);
	assert_memory_equal(query, encoded, sizeof encoded - 1);
	/* every signature has 88 characters, and no byte beyond what was promised */
	for (int i = 0; i < 200; i++) {
		char text[20];
		memset(query, '#', sizeof query);
		int n = snprintf(text, sizeof text, "timestamp=%d", i);
		assert_int_equal(sign_text(s, (struct span){ text, (size_t)n }, out), 88);
		size_t len = sign_query(s, (struct span){ text, (size_t)n }, query);
		assert_in_range(len, 88 + 4, SIGN_QUERY_MAX - 4);
		assert_null(memchr(query, '#', len));
	}
	sign_free(s);
}

static void refused(const char *secret, const char *sentence)
{
	char why[256];

	assert_null(sign_open(span_of(secret), why));
	assert_string_equal(why, sentence);
}

static void other_keys(void **state)
{
	static const char cut[] = "no whole private key in PEM: is it cut off, or a public key?";
	char text[sizeof ed25519_key];

	(void)state;
	refused("", "the secret is empty");
	refused("-----BEGIN PRIVATE KEY-----\n"
		"MIIBVAIBADANBgkqhkiG9w0BAQEFAASCAT4wggE6AgEAAkEAqagS4omvWnA+cvrc\n"
		"63m1uBBaGfzfJKWDlSqSjKNH2THupIxeewf0ncFzxkmUDSscmlb1QqOcJ5H7XJuF\n"
		"GbRbDwIDAQABAkEAnY09BG2yj30fMW3wTSk47VcaJXoky4Z9fMANWlejuHlYIBij\n"
		"OlJMo1idzLSNbL1zsq3TmOCgzWOmyo0FkO+/0QIhANWvfDNVWTTXQffhjPmxRxMG\n"
		"+GVetBPlPPvJS9XweW7ZAiEAy0CYx5NgbHVXJz2APNsRpyfs7XPWL7hyiMWMR599\n"
		"OCcCICJm4TEGgZkfOrCksGSWpOGsUptHVuiJFHtY2gu0bmhpAiBCjsu5BxzbR22b\n"
		"zvrwcriMKXnfpEAublMrUK2IQsUJnwIgNKGrs19ndWELOSEjmvt3j+GrY4NNWSfl\n"
		"1ioIPvrMbM8=\n"
		"-----END PRIVATE KEY-----\n",
	    "an RSA key: only Ed25519 keys and HMAC secrets are supported");
	/* an elliptic curve that is another one */
	refused("-----BEGIN PRIVATE KEY-----\n"
		"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMdfHsn5TiGz5449V\n"
		"5mvk7ov6h62UULawwBQCS3bgH5ehRANCAASwqAoxptHxMLmtkgQaEVaaGk89Uj5J\n"
		"O08+ysVN1MuBktqhzYVotP7wIVlu0XF/tKje+dBeDLtWJmPEemMjkEfj\n"
		"-----END PRIVATE KEY-----\n",
	    "not an Ed25519 key: only these and HMAC secrets are supported");
	refused("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjqFZAQhiDcjgICCAAw\n"
		"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEJrKBYpQyrfaW8/HfdZUB7sEQGc0\n"
		"2fXpMK0roi60ZpDAdRq0iilzfDzvQc0YoL6GAWZC7xwv0stecxR5cP3VKj6jAE7W\n"
		"/riYC7d+HgQGWadmRYE=\n"
		"-----END ENCRYPTED PRIVATE KEY-----\n",
	    "the private key is encrypted: a key without a pass phrase is needed");
	/* cut off anywhere; without the last line end it is whole */
	for (size_t n = sizeof "-----BEGIN " - 1; n < sizeof ed25519_key - 2; n++) {
		memcpy(text, ed25519_key, n);
		text[n] = '\0';
		refused(text, cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac),
		cmocka_unit_test(ed25519),
		cmocka_unit_test(other_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
