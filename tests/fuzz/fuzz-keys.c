/* A key file, of which people are told in one printable line; or, where the first byte is below 16, a reply that may be
 * a refusal: the byte says its status. */
#include "fuzz.h"

#include "binance_error.h"
#include "keys.h"

static void fuzz_keys_refusal(struct span text, unsigned how)
{
	static const int statuses[] = { 200, 400, 401, 403, 404, 408, 409, 418, 429, 451, 500, 502, 503, 0, 999, 101 };
	struct span padded = subject_pad(text);
	struct binance_refusal r;

	json_flatten((char *)(size_t)padded.p, padded.n);
	struct binance_reply a = { statuses[how], (int64_t)(text.n % 9) - 1, padded };
	memset(&r, 0x5a, sizeof r);
	if (binance_error_read(&r, &a, how % 2 ? 1790526538940 : 0)) {
		size_t n = strnlen(r.text, sizeof r.text);
		FUZZ_CHECK(r.remedy <= BINANCE_GIVE_UP && n > 0 && n < sizeof r.text);
		FUZZ_CHECK(r.remedy != BINANCE_WAIT || r.wait >= 0);
	}
	subject_unpad(padded);
}

static void fuzz_keys_file(struct span text)
{
	struct keys k;
	char why[256] = "";
	char *copy = malloc(text.n ? text.n : 1); /* exactly as long, so that a read beyond it is seen */

	FUZZ_CHECK(copy != NULL);
	if (text.n)
		memcpy(copy, text.p, text.n);
	memset(&k, 0x5a, sizeof k);
	if (keys_parse(&k, (struct span){ copy, text.n }, why)) {
		size_t key_n = strnlen(k.api_key, sizeof k.api_key), secret_n = strnlen(k.secret, sizeof k.secret);
		FUZZ_CHECK(key_n > 0 && key_n < sizeof k.api_key && secret_n > 0 && secret_n < sizeof k.secret);
		for (size_t i = 0; i < key_n; i++)
			FUZZ_CHECK(k.api_key[i] > ' ' && k.api_key[i] <= '~');
	} else {
		size_t n = strnlen(why, sizeof why);
		FUZZ_CHECK(n > 0 && n < sizeof why);
		for (size_t i = 0; i < n; i++)
			FUZZ_CHECK(why[i] >= ' ' && why[i] <= '~');
	}
	keys_wipe(&k);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };

	if (size && data[0] < 16)
		fuzz_keys_refusal((struct span){ text.p + 1, text.n - 1 }, data[0]);
	else
		fuzz_keys_file(text);
	return 0;
}
