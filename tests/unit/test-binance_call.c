/* lib/binance_call: what is said to the exchange about an account, to the byte, and that there is nothing else */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_call.h"
#include "binance_stream.h"

static void calls(void **state)
{
	static const struct {
		enum event_market market;
		enum binance_call call;
		const char *name;
		bool key, sealed;
	} all[] = {
		{ EVENT_USDM, BINANCE_CALL_TIME, "GET /fapi/v1/time", false, false },
		{ EVENT_USDM, BINANCE_CALL_KEY_NEW, "POST /fapi/v1/listenKey", true, false },
		{ EVENT_USDM, BINANCE_CALL_KEY_KEEP, "PUT /fapi/v1/listenKey", true, false },
		{ EVENT_USDM, BINANCE_CALL_BALANCES, "GET /fapi/v3/balance", true, true },
		{ EVENT_USDM, BINANCE_CALL_POSITIONS, "GET /fapi/v3/positionRisk", true, true },
		{ EVENT_COINM, BINANCE_CALL_KEY_NEW, "POST /dapi/v1/listenKey", true, false },
		{ EVENT_COINM, BINANCE_CALL_BALANCES, "GET /dapi/v1/balance", true, true },
		{ EVENT_COINM, BINANCE_CALL_POSITIONS, "GET /dapi/v1/positionRisk", true, true },
		{ EVENT_SPOT, BINANCE_CALL_TIME, "GET /api/v3/time", false, false },
		{ EVENT_SPOT, BINANCE_CALL_BALANCES, "GET /api/v3/account", true, true },
	};
	char name[BINANCE_CALL_NAME_MAX], query[BINANCE_QUERY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		binance_call_name(name, all[i].market, all[i].call);
		assert_string_equal(name, all[i].name);
		struct binance_call_info info = binance_call(all[i].market, all[i].call);
		assert_int_equal(info.key, all[i].key);
		assert_int_equal(info.sealed, all[i].sealed);
	}
	assert_null(binance_call(EVENT_SPOT, BINANCE_CALL_KEY_NEW).path);
	assert_null(binance_call(EVENT_SPOT, BINANCE_CALL_POSITIONS).path);
	size_t n = binance_call_query(query, EVENT_USDM, 1790526538965);
	assert_string_equal(query, "recvWindow=5000&timestamp=1790526538965");
	assert_int_equal(n, strlen(query));
	binance_call_query(query, EVENT_SPOT, 1790526538965);
	assert_string_equal(query, "omitZeroBalances=true&recvWindow=5000&timestamp=1790526538965");
}

static void paths(void **state)
{
	static const char events[] =
	    "&events=ACCOUNT_UPDATE/ORDER_TRADE_UPDATE/MARGIN_CALL/ACCOUNT_CONFIG_UPDATE/listenKeyExpired";
	char out[BINANCE_PATH_MAX], expected[BINANCE_PATH_MAX], key[BINANCE_LISTEN_KEY_MAX];

	(void)state;
	size_t n = binance_call_path(out, EVENT_USDM, BINANCE_FORM_QUERY, SPAN("Ab1"));
	snprintf(expected, sizeof expected, "/private/ws?listenKey=Ab1%s", events);
	assert_string_equal(out, expected);
	assert_int_equal(n, strlen(expected));
	binance_call_path(out, EVENT_USDM, BINANCE_FORM_SUBSCRIBE, SPAN("Ab1"));
	assert_string_equal(out, "/private/stream");
	binance_call_path(out, EVENT_COINM, BINANCE_FORM_QUERY, SPAN("Ab1"));
	assert_string_equal(out, "/ws/Ab1");
	binance_call_path(out, EVENT_COINM, BINANCE_FORM_SUBSCRIBE, SPAN("Ab1"));
	assert_string_equal(out, "/stream");
	binance_call_path(out, EVENT_SPOT, BINANCE_FORM_QUERY, SPAN(""));
	assert_string_equal(out, "/ws-api/v3");
	memset(key, 'x', sizeof key); /* the longest fits */
	n = binance_call_path(out, EVENT_USDM, BINANCE_FORM_QUERY, (struct span){ key, sizeof key });
	assert_true(n < sizeof out);
	assert_int_equal(strlen(out), n);
}

static void listen_keys(void **state)
{
	static const char *const bad[] = { "", "a b", "a&b", "a/b", "a\"b", "a%b", "a?b", "a#b", "\303\244" };
	char key[BINANCE_LISTEN_KEY_MAX + 1];

	(void)state;
	assert_true(
	    binance_call_is_listen_key(SPAN("pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1")));
	assert_true(binance_call_is_listen_key(SPAN("Az09-_")));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(binance_call_is_listen_key(span_of(bad[i])));
	memset(key, 'x', sizeof key);
	assert_true(binance_call_is_listen_key((struct span){ key, BINANCE_LISTEN_KEY_MAX }));
	assert_false(binance_call_is_listen_key((struct span){ key, BINANCE_LISTEN_KEY_MAX + 1 }));
}

static void says(const char *out, size_t n, const char *expected)
{
	assert_int_equal(n, strlen(expected));
	assert_memory_equal(out, expected, n);
}

static void messages(void **state)
{
	char out[BINANCE_CALL_MESSAGE_MAX], key[256], signature[96];

	(void)state;
	size_t n = binance_call_subscribe(out, SPAN("Ab1"), 7);
	says(out, n, "{\"method\":\"SUBSCRIBE\",\"params\":[\"Ab1\"],\"id\":7}");
	/* what is signed is sorted by name, and not percent-encoded (binance 4.2) */
	n = binance_call_logon_text(out, SPAN("abc"), 1747385641636);
	says(out, n, "apiKey=abc&recvWindow=5000&timestamp=1747385641636");
	n = binance_call_logon(out, SPAN("abc"), 1747385641636, SPAN("+/="), 3);
	says(out, n,
	    "{\"id\":\"3\",\"method\":\"userDataStream.subscribe.signature\",\"params\":{\"apiKey\":\"abc\","
	    "\"recvWindow\":5000,"
	    "\"timestamp\":1747385641636,\"signature\":\"+/=\"}}");
	memset(key, '"', sizeof key); /* the longest fits */
	memset(signature, '=', sizeof signature);
	n = binance_call_logon(
	    out, (struct span){ key, sizeof key }, INT64_MAX, (struct span){ signature, sizeof signature }, UINT64_MAX);
	assert_true(n <= sizeof out);
	n = binance_call_logon_text(out, (struct span){ key, sizeof key }, INT64_MAX);
	assert_true(n < sizeof out);
}

/* ------------------------------------------------------------------------------------------------------- hosts */

static void ends_at(enum event_market m, const char *url, const char *events, const char *requests, bool live)
{
	struct binance_endpoint e, r;
	char why[256];

	if (!binance_endpoints(&e, &r, m, span_of(url), why))
		fail_msg("%s: %s", url, why);
	assert_string_equal(e.origin, events);
	assert_string_equal(r.origin, requests);
	assert_int_equal(e.live, live);
	assert_true(e.tls && r.tls);
}

static void hosts(void **state)
{
	struct binance_endpoint e, r;
	char why[256];

	(void)state;
	ends_at(EVENT_USDM, "live", "wss://fstream.binance.com:443", "https://fapi.binance.com:443", true);
	ends_at(EVENT_COINM, "live", "wss://dstream.binance.com:443", "https://dapi.binance.com:443", true);
	ends_at(EVENT_SPOT, "live", "wss://ws-api.binance.com:443", "https://api.binance.com:443", true);
	ends_at(
	    EVENT_USDM, "testnet", "wss://fstream.binancefuture.com:443", "https://demo-fapi.binance.com:443", false);
	ends_at(
	    EVENT_COINM, "testnet", "wss://dstream.binancefuture.com:443", "https://demo-dapi.binance.com:443", false);
	ends_at(EVENT_SPOT, "testnet", "wss://ws-api.testnet.binance.vision:443", "https://testnet.binance.vision:443",
	    false);
	ends_at(EVENT_USDM, "demo", "wss://demo-fstream.binance.com:443", "https://demo-fapi.binance.com:443", false);
	ends_at(EVENT_SPOT, "demo", "wss://demo-ws-api.binance.com:443", "https://demo-api.binance.com:443", false);
	ends_at(EVENT_USDM, "wss://127.0.0.1:8443", "wss://127.0.0.1:8443", "https://127.0.0.1:8443", false);
	ends_at(EVENT_SPOT, "wss://example.org", "wss://example.org:443", "https://example.org:443", false);
	assert_false(binance_endpoints(&e, &r, EVENT_USDM, SPAN("ws://127.0.0.1:80"), why));
	assert_string_equal(why, "'ws://127.0.0.1:80' is not encrypted; keys go over TLS alone: wss://");
	assert_false(binance_endpoints(&e, &r, EVENT_USDM, SPAN("https://fapi.binance.com"), why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(paths),
		cmocka_unit_test(listen_keys),
		cmocka_unit_test(messages),
		cmocka_unit_test(hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
