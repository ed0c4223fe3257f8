/* Who may ask the offline exchange: signatures, the window of time, weight; and the file that says who there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "json.h"
#include "mock_guard.h"
#include "mock_private.h"

#define KEY    "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
#define SECRET "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

static struct mock_account account;

static const char *read_text(const char *text)
{
	static char copy[8192];

	mock_account_free(&account);
	mock_account_init(&account);
	memset(copy, 0, sizeof copy);
	memcpy(copy, text, strlen(text));
	return mock_account_read(&account, copy, strlen(text));
}

static void read_good(const char *text)
{
	const char *why = read_text(text);

	if (why)
		fail_msg("'%s': %s", text, why);
}

/* of the exchange's documents (bnc-wire(7) 4.2) */
static void the_published_signatures_are_good(void **state)
{
	static const char *const rows[][2] = {
		{ "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp="
		  "1499827319559",
		    "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71" },
		{ "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT&timeInForce=GTC&"
		  "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
		    "E1353EC6B14D888F1164AE9AF8228A3DBD508BC82EB867DB8AB6046442F33EF3" },
		{ "apiKey=" KEY "&price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&"
		  "timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
		    "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24" },
	};
	struct mock_signer s = { .secret = SECRET };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span text = span_of(rows[i][0]);
		struct span good = span_of(rows[i][1]);
		char bad[65];
		assert_true(mock_sign_good(&s, text, good));
		assert_false(mock_sign_good(&s, (struct span){ text.p, text.n - 1 }, good));
		assert_false(mock_sign_good(&s, text, (struct span){ good.p, good.n - 1 }));
		snprintf(bad, sizeof bad, "%s", rows[i][1]);
		bad[63] = bad[63] == '0' ? '1' : '0';
		assert_false(mock_sign_good(&s, text, span_of(bad)));
	}
	s.secret[0]++;
	assert_false(mock_sign_good(&s, span_of(rows[0][0]), span_of(rows[0][1])));
	s.secret[0] = '\0';
	assert_false(mock_sign_good(&s, span_of(rows[0][0]), span_of(rows[0][1])));
}

/* RFC 8032, 7.1, test 3: key, message af82, signature */
static void the_ed25519_signature_of_the_rfc_is_good(void **state)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
				  "MCowBQYDK2VwAyEA/FHNjmIYoaONpH7QAjDwWAgW7RO6MwOsXeuRFUiQgCU=\n"
				  "-----END PUBLIC KEY-----\n";
	static const char signature[] =
	    "YpHWV97sJAJIJ+acOr4BowzlSKKEdDpEXjaA19taw6wY/5tTjRbykK5n92CYTcZZSnwV6XFu0o3AJ77O6h7ECg==";
	struct mock_signer s = { .key = NULL };
	char bad[sizeof signature];

	(void)state;
	assert_false(mock_sign_key(&s, SPAN("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")));
	assert_true(mock_sign_key(&s, SPAN(pem)));
	assert_true(mock_sign_good(&s, SPAN("\xaf\x82"), SPAN(signature)));
	assert_false(mock_sign_good(&s, SPAN("\xaf\x83"), SPAN(signature)));
	memcpy(bad, signature, sizeof bad);
	bad[3] = 'x';
	assert_false(mock_sign_good(&s, SPAN("\xaf\x82"), span_of(bad)));
	bad[3] = '!';
	assert_false(mock_sign_good(&s, SPAN("\xaf\x82"), span_of(bad)));
	assert_false(mock_sign_good(&s, SPAN("\xaf\x82"), SPAN("")));
	mock_sign_free(&s);
}

static void asks(const char *timestamp, const char *window, int64_t wall_ms, bool spot, int code)
{
	struct mock_signed s = { .key = SPAN(KEY), .signature = SPAN("00"), .spot = spot };
	struct mock_refusal why;

	s.timestamp = span_of(timestamp);
	if (window)
		s.window = span_of(window);
	assert_false(mock_guard_signed(&account, &s, wall_ms, &why)); /* -1022: all but the signature is good */
	if (why.code != code)
		fail_msg(
		    "%s %s at %lld: %d, not %d", timestamp, window ? window : "-", (long long)wall_ms, why.code, code);
}

static void a_timestamp_has_a_window(void **state)
{
	(void)state;
	read_good("{\"apiKey\":\"" KEY "\",\"secret\":\"" SECRET "\"}");
	asks("1000000", NULL, 1000000, false, -1022);
	asks("1000999", NULL, 1000000, false, -1022);
	asks("1001000", NULL, 1000000, false, -1021);
	asks("1000000", NULL, 1005000, false, -1022);
	asks("1000000", NULL, 1005001, false, -1021);
	asks("1000000", "60000", 1060000, false, -1022);
	asks("1000000", "60000", 1060001, false, -1021);
	asks("1000000", "60001", 1000000, false, -1131);
	asks("1000000", "0", 1000001, false, -1021);
	asks("1000000", "-1", 1000000, false, -1102);
	asks("1000000", "5.5", 1000000, false, -1102);
	asks("1000000", "5.5", 1000005, true, -1022);
	asks("1000000", "5.5555", 1000000, true, -1102);
	asks("", NULL, 1000000, false, -1102);
	asks("1e6", NULL, 1000000, false, -1102);
	asks("1790526538940123", NULL, 1790526538941, true, -1022);
	asks("1790526538940123", NULL, 1790526538941, false, -1021);
}

static void keys_are_told_apart(void **state)
{
	static const struct {
		const char *key;
		int code;
	} rows[] = { { "", -2014 }, { "short", -2014 },
		{ "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8", -2014 },
		{ "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8B", -2015 },
		{ "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8!", -2014 } };
	struct mock_refusal why;

	(void)state;
	read_good("{\"apiKey\":\"" KEY "\"}");
	assert_true(mock_guard_key(&account, SPAN(KEY), &why));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_false(mock_guard_key(&account, span_of(rows[i].key), &why));
		assert_int_equal(why.code, rows[i].code);
		assert_int_equal(why.status, 401);
	}
	assert_false(mock_guard_key(&account, (struct span){ NULL, 0 }, &why));
	assert_int_equal(why.code, -2014);
	read_good("{}");
	assert_false(mock_guard_key(&account, (struct span){ NULL, 0 }, &why));
}

/* the query as it was sent, wherever the signature stands, and the body directly behind it */
static void what_is_signed_is_what_was_sent(void **state)
{
	static const char good[] = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
	static const char *const rows[][2] = {
		{ "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp="
		  "1499827319559&signature=",
		    "" },
		{ "signature=%s&symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&"
		  "timestamp=1499827319559",
		    "" },
		/* of the documents, half of it in the body */
		{ "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&recvWindow=5000&timestamp=1499827319559&"
		  "signature=",
		    "&x=1" },
	};
	struct mock_refusal why;

	(void)state;
	read_good("{\"apiKey\":\"" KEY "\",\"secret\":\"" SECRET "\"}");
	for (size_t i = 0; i < 3; i++) {
		char query[512];
		if (i == 1)
			snprintf(query, sizeof query, "signature=%s&%s", good, rows[1][0] + strlen("signature=%s&"));
		else
			snprintf(query, sizeof query, "%s%s", rows[i][0], good);
		struct mock_request r = { .query = span_of(query), .api_key = SPAN(KEY), .body = span_of(rows[i][1]) };
		assert_int_equal(mock_guard_request(&account, &r, false, 1499827319559, &why), i < 2);
	}
	assert_int_equal(why.code, -1022);
	struct mock_request none = { .query = SPAN("timestamp=1"), .api_key = SPAN(KEY) };
	assert_false(mock_guard_request(&account, &none, false, 1, &why));
	assert_int_equal(why.code, -1102);
	assert_non_null(strstr(why.message, "'signature'"));
	struct mock_request nothing = { .api_key = SPAN(KEY) };
	assert_false(mock_guard_request(&account, &nothing, false, 1, &why));
	assert_non_null(strstr(why.message, "'timestamp'"));
}

static bool weighs(int64_t weight, int64_t wall_ms, int status, int64_t retry)
{
	struct mock_refusal why = { .status = 200 };
	int64_t retry_after = 0;
	bool may = mock_guard_weight(&account, false, weight, wall_ms, &why, &retry_after);

	assert_int_equal(may, status == 200);
	assert_int_equal(may ? 200 : why.status, status);
	assert_int_equal(retry_after, retry);
	return may;
}

static void weight_is_counted_by_the_minute_and_warnings_are_meant(void **state)
{
	(void)state;
	read_good("{}");
	account.weight_limit[0] = 10;
	account.ban_ms = 5000;
	weighs(4, 60000, 200, 0);
	weighs(6, 119999, 200, 0);
	weighs(10, 120000, 200, 0); /* a new minute */
	weighs(1, 130500, 429, 50);
	weighs(1, 131000, 429, 49);
	weighs(1, 132000, 429, 48);
	weighs(1, 133000, 418, 5);
	weighs(1, 137999, 418, 1);
	assert_int_equal(account.weight[0].used, 15); /* what is refused costs its weight */
	account.weight_limit[0] = 100;
	weighs(1, 138000, 200, 0);
	account.weight_limit[0] = 0;
	weighs(1000000, 139000, 200, 0);
	assert_int_equal(account.weight[1].used, 0);
}

static void files_of_all_kinds(void **state)
{
	(void)state;
	read_good("{}");
	read_good(" {\"usdm\":{}}\n");
	read_good(
	    "{\"apiKey\":\"k\",\"secret\":\"s\",\"usdm\":{\"dual\":true,\"fee\":\"0.0004\",\"balances\":{\"USDT\":"
	    "\"1000.5\",\"BNB\":2},\"positions\":[{\"symbol\":\"SOLUSDT\",\"positionSide\":\"SHORT\",\"positionAmt\":"
	    "\"-2\",\"entryPrice\":\"313.20000000000005\",\"leverage\":10,\"marginType\":\"isolated\","
	    "\"isolatedWallet\":\"7.5\"}]},\n\"coinm\":{\"positions\":[{\"symbol\":\"BTCUSD_PERP\",\"positionAmt\":"
	    "\"3\","
	    "\"entryPrice\":\"84000\"}]},\"spot\":{\"balances\":{\"BTC\":\"1\"}}}");
	const struct mock_ledger *l = &account.ledger[MOCK_USDM];
	assert_true(l->dual);
	assert_int_equal(l->assets, 2);
	assert_int_equal(l->positions, 1);
	assert_int_equal(l->position[0].side, MOCK_SHORT);
	assert_int_equal(l->position[0].leverage, 10);
	assert_true(l->position[0].isolated);
	assert_int_equal(dec_cmp(mock_ledger_cross(l, &l->asset[0]), (struct dec){ 993, 0 }), 0);
	assert_string_equal(account.ledger[MOCK_COINM].asset[0].name, "BTC");
}

static void files_that_are_wrong(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "7", "{} x", "{\"odd\":1}", "{\"apiKey\":7}",
		"{\"apiKey\":\"\"}", "{\"secret\":\"s\"}", "{\"apiKey\":\"a\\u0000b\"}", "{\"publicKey\":\"x\"}",
		"{\"usdm\":[]}", "{\"usdm\":{\"dual\":1}}", "{\"usdm\":{\"fee\":\"2\"}}", "{\"usdm\":{\"fee\":\"x\"}}",
		"{\"usdm\":{\"balances\":[]}}", "{\"usdm\":{\"balances\":{\"USDT\":\"x\"}}}",
		"{\"usdm\":{\"balances\":{\"USDT\":\"0.000000001\"}}}", "{\"usdm\":{\"balances\":{\"\":\"1\"}}}",
		"{\"usdm\":{\"positions\":{}}}", "{\"usdm\":{\"positions\":[7]}}",
		"{\"usdm\":{\"positions\":[{\"symbol\":\"A\"}]}}",
		"{\"usdm\":{\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":\"0\"}]}}",
		"{\"usdm\":{\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":\"2\","
		"\"positionSide\":\"LONG\"}]}}",
		"{\"usdm\":{\"dual\":true,\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":"
		"\"2\"}]}}",
		"{\"usdm\":{\"dual\":true,\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":"
		"\"2\","
		"\"positionSide\":\"SHORT\"}]}}",
		"{\"usdm\":{\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":\"2\","
		"\"leverage\":\"126\"}]}}",
		"{\"usdm\":{\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":\"2\"},"
		"{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":\"2\"}]}}",
		"{\"usdm\":{\"positions\":[{\"symbol\":\"AUSDT\",\"positionAmt\":\"1\",\"entryPrice\":\"2\","
		"\"isolatedWallet\":\"1\"}]}}",
		"{\"spot\":{\"positions\":[]}}", "{\"spot\":{\"dual\":false}}" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (!read_text(texts[i]))
			fail_msg("'%s' was taken", texts[i]);
}

static void a_listen_key_lives_as_long_as_it_is_kept(void **state)
{
	char first[MOCK_LISTEN_KEY_SIZE];

	(void)state;
	read_good("{}");
	account.listen_age = 100;
	assert_false(mock_account_keep(&account, MOCK_USDM, 0));
	memcpy(first, mock_account_listen(&account, MOCK_USDM, 0), sizeof first);
	assert_true(mock_name_is_key(span_of(first)));
	assert_string_equal(mock_account_listen(&account, MOCK_USDM, 50), first);
	assert_int_equal(account.listen[MOCK_USDM].until, 150);
	assert_true(mock_account_keep(&account, MOCK_USDM, 120));
	assert_int_equal(account.listen[MOCK_USDM].until, 220);
	assert_string_not_equal(mock_account_listen(&account, MOCK_COINM, 50), first);
	mock_account_drop(&account, MOCK_USDM);
	assert_false(mock_account_keep(&account, MOCK_USDM, 130));
	assert_string_not_equal(mock_account_listen(&account, MOCK_USDM, 130), first);
}

static void requests_have_their_weight(void **state)
{
	static const struct {
		const char *method, *path, *query;
		int64_t weight;
	} rows[] = { { "POST", "/fapi/v1/listenKey", "", 1 }, { "GET", "/fapi/v3/balance", "", 5 },
		{ "GET", "/fapi/v1/income", "", 30 }, { "GET", "/dapi/v1/balance", "", 1 },
		{ "GET", "/api/v3/account", "", 20 }, { "GET", "/fapi/v1/time", "", 1 },
		{ "GET", "/fapi/v1/depth", "symbol=X", 1 }, { "GET", "/fapi/v1/depth", "limit=50", 2 },
		{ "GET", "/fapi/v1/depth", "limit=1000", 20 }, { "GET", "/fapi/v1/premiumIndex", "", 10 },
		{ "GET", "/fapi/v1/premiumIndex", "symbol=X", 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mock_request r = { .method = span_of(rows[i].method),
			.path = span_of(rows[i].path),
			.query = span_of(rows[i].query) };
		assert_int_equal(mock_private_weight(&r), rows[i].weight);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_signatures_are_good),
		cmocka_unit_test(the_ed25519_signature_of_the_rfc_is_good),
		cmocka_unit_test(a_timestamp_has_a_window),
		cmocka_unit_test(keys_are_told_apart),
		cmocka_unit_test(what_is_signed_is_what_was_sent),
		cmocka_unit_test(weight_is_counted_by_the_minute_and_warnings_are_meant),
		cmocka_unit_test(files_of_all_kinds),
		cmocka_unit_test(files_that_are_wrong),
		cmocka_unit_test(a_listen_key_lives_as_long_as_it_is_kept),
		cmocka_unit_test(requests_have_their_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
