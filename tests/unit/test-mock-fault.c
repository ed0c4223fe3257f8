/* The words of faults: what they mean, and which are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_fault.h"
#include "mock_orders.h"

static struct mock_fault parse(const char *line)
{
	struct mock_fault f;
	const char *why = mock_fault_parse(span_of(line), &f);

	if (why)
		fail_msg("'%s': %s", line, why);
	return f;
}

static void selectors_say_whom(void **state)
{
	struct mock_fault f = parse("cut");

	(void)state;
	assert_int_equal(f.whom, MOCK_WHOM_ANY);
	assert_int_equal(f.tier, -1);
	assert_int_equal(f.at, 0);
	f = parse(" #12 at 30 cut rst ");
	assert_int_equal(f.whom, MOCK_WHOM_NUMBER);
	assert_int_equal(f.count, 12);
	assert_int_equal(f.at, 30);
	assert_int_equal(f.n, MOCK_CUT_RST);
	f = parse("next 3 /market http 429 retry-after=7");
	assert_int_equal(f.whom, MOCK_WHOM_NEXT);
	assert_int_equal(f.count, 3);
	assert_int_equal(f.tier, MOCK_TIER_MARKET);
	assert_int_equal(f.n, 429);
	assert_int_equal(f.more, 7);
	f = parse("each next silence 5s");
	assert_int_equal(f.whom, MOCK_WHOM_NEXT);
	assert_int_equal(f.count, 1);
	assert_int_equal(f.us, 5000000);
	f = parse("each / close 1001 good bye");
	assert_int_equal(f.whom, MOCK_WHOM_EACH);
	assert_int_equal(f.tier, MOCK_TIER_NONE);
	assert_int_equal(f.n, 1001);
	assert_string_equal(f.text, "good bye");
}

static void arguments_have_their_kinds(void **state)
{
	(void)state;
	assert_int_equal(parse("silence").us, MOCK_FAULT_FOREVER);
	assert_int_equal(parse("close none").n, 0);
	assert_int_equal(parse("close").n, 1000);
	assert_int_equal(parse("huge").n, 2 << 20);
	assert_int_equal(parse("huge 64k").n, 65536);
	assert_int_equal(parse("slow 20ms").n, 1);
	assert_int_equal(parse("slow 20ms 7").n, 7);
	assert_int_equal(parse("slow 20ms 7").us, 20000);
	assert_int_equal(parse("cert expired").cert, MOCK_CERT_EXPIRED);
	assert_int_equal(parse("tls garbage").n, MOCK_TLS_GARBAGE);
	assert_int_equal(parse("drop").n, 1);
	assert_int_equal(parse("drop 5 solusdt@aggTrade").n, 5);
	assert_string_equal(parse("drop 5 solusdt@aggTrade").text, "solusdt@aggTrade");
	assert_int_equal(parse("error wrapped -1003 Way too much").n, 1);
	assert_int_equal(parse("error bare 2 x").more, 2);
	assert_string_equal(parse("error bare 2 Invalid request: x").text, "Invalid request: x");
	assert_string_equal(parse("http 302 location=https://evil.example/").text, "https://evil.example/");
	assert_int_equal(parse("raw 8100ff").text_n, 3);
	assert_memory_equal(parse("raw 8100ff").text, "\x81\0\xff", 3);
	assert_string_equal(parse("say {\"e\": \"x\"}").text, "{\"e\": \"x\"}");
	assert_int_equal(parse("shutdown api").n, 1);
}

static void nonsense_is_refused_with_a_reason(void **state)
{
	static const char *const lines[] = { "", "explode", "cut twice", "at cut", "at x cut", "#0 cut", "#x cut",
		"close x", "close 70000", "silence soon", "hold", "slow", "split", "split 0", "dup -1", "http",
		"http 99", "http 429 soon", "http 429 retry-after=x", "cert", "cert odd", "tls", "tls wrong", "headers",
		"huge 8M", "raw", "raw 8", "raw zz", "error", "error wrapped", "error odd 1 x", "half-open now",
		"/market tls rst", "at 5 http 429", "#1 refuse", "each cert expired", "wait", "refuse x", "heal me",
		"rest", "rest 99", "rest 429 soon", "rest 429 path=x", "rest 429 code=0 x", "rest-bad", "rest-bad odd",
		"rest-delay", "rest-delay 61s", "rest-delay 1s now", "rest-lag 1s path=x", "user rest 503",
		"/private rest 503", "user tls rst", "at 3 rest 503" };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		struct mock_fault f;
		if (!mock_fault_parse(span_of(lines[i]), &f))
			fail_msg("'%s' was taken", lines[i]);
	}
}

static bool take(struct mock_orders *o, enum mock_stage stage, unsigned number, enum mock_tier tier)
{
	struct mock_seen seen = { .stage = stage, .number = number, .tier = tier };
	struct mock_order **from = NULL;
	struct mock_fault f;

	return mock_orders_take(o, &from, &seen, &f);
}

static void orders_are_counted(void **state)
{
	struct mock_orders o = { NULL };
	struct mock_fault f = parse("next 2 /market http 429");

	(void)state;
	assert_true(mock_orders_add(&o, &f));
	f = parse("#7 cut");
	assert_true(mock_orders_add(&o, &f));
	assert_false(take(&o, MOCK_STAGE_HTTP, 1, MOCK_TIER_PUBLIC));
	assert_false(take(&o, MOCK_STAGE_TCP, 1, MOCK_TIER_NONE));
	assert_true(take(&o, MOCK_STAGE_HTTP, 1, MOCK_TIER_MARKET));
	assert_true(take(&o, MOCK_STAGE_HTTP, 2, MOCK_TIER_MARKET));
	assert_false(take(&o, MOCK_STAGE_HTTP, 3, MOCK_TIER_MARKET));
	assert_false(take(&o, MOCK_STAGE_CONN, 6, MOCK_TIER_PUBLIC));
	assert_true(take(&o, MOCK_STAGE_CONN, 7, MOCK_TIER_PUBLIC));
	assert_false(take(&o, MOCK_STAGE_CONN, 7, MOCK_TIER_PUBLIC));
	f = parse("each cut");
	assert_true(mock_orders_add(&o, &f));
	for (unsigned i = 1; i < 10; i++)
		assert_true(take(&o, MOCK_STAGE_CONN, i, MOCK_TIER_PUBLIC));
	mock_orders_clear(&o);
	assert_false(take(&o, MOCK_STAGE_CONN, 1, MOCK_TIER_PUBLIC));
}

static bool take_rest(struct mock_orders *o, enum mock_stage stage, const char *path)
{
	struct mock_seen seen = { .stage = stage, .number = 3, .path = span_of(path) };
	struct mock_order **from = NULL;
	struct mock_fault f;

	return mock_orders_take(o, &from, &seen, &f);
}

static void orders_for_requests_know_their_path(void **state)
{
	struct mock_orders o = { NULL };
	struct mock_fault f = parse("next 2 rest 429 retry-after=2 path=/fapi/v3/ code=-1003 Too many");

	(void)state;
	assert_int_equal(f.n, 429);
	assert_int_equal(f.more, 2);
	assert_int_equal(f.code, -1003);
	assert_string_equal(f.text, "Too many");
	assert_string_equal(f.path, "/fapi/v3/");
	assert_true(mock_orders_add(&o, &f));
	assert_false(take_rest(&o, MOCK_STAGE_REST, "/fapi/v1/listenKey"));
	assert_false(take_rest(&o, MOCK_STAGE_LAG, "/fapi/v3/balance"));
	assert_true(take_rest(&o, MOCK_STAGE_REST, "/fapi/v3/balance"));
	assert_true(take_rest(&o, MOCK_STAGE_REST, "/fapi/v3/account"));
	assert_false(take_rest(&o, MOCK_STAGE_REST, "/fapi/v3/balance"));
	f = parse("each rest-lag 20ms");
	assert_int_equal(f.us, 20000);
	assert_true(mock_orders_add(&o, &f));
	assert_true(take_rest(&o, MOCK_STAGE_LAG, "/any"));
	assert_false(take_rest(&o, MOCK_STAGE_REST, "/any"));
	mock_orders_clear(&o);
}

static void user_data_can_be_meant(void **state)
{
	struct mock_seen seen = { .stage = MOCK_STAGE_CONN, .number = 1, .tier = MOCK_TIER_NONE };
	struct mock_orders o = { NULL };
	struct mock_order **from = NULL;
	struct mock_fault f = parse("each user cut");

	(void)state;
	assert_true(f.user);
	assert_true(mock_orders_add(&o, &f));
	assert_false(mock_orders_take(&o, &from, &seen, &f));
	from = NULL;
	seen.user = true;
	assert_true(mock_orders_take(&o, &from, &seen, &f));
	mock_orders_clear(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_say_whom),
		cmocka_unit_test(arguments_have_their_kinds),
		cmocka_unit_test(nonsense_is_refused_with_a_reason),
		cmocka_unit_test(orders_are_counted),
		cmocka_unit_test(orders_for_requests_know_their_path),
		cmocka_unit_test(user_data_can_be_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
