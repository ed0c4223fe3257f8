/* lib/bus_api: names, subjects and servers, requests as they are sent, replies as they come */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus_api.h"
#include "json.h"

static char padded[4096 + JSON_PAD];

static struct span text(const char *s)
{
	size_t n = strlen(s);

	memset(padded, 0, sizeof padded);
	memcpy(padded, s, n);
	padded[n] = '\n';
	return (struct span){ padded, n };
}

static void names(void **state)
{
	(void)state;
	assert_true(bus_api_is_name(SPAN("bnc")));
	assert_true(bus_api_is_name(SPAN("A-b_9")));
	assert_true(bus_api_is_name(SPAN("12345678901234567890123456789012")));
	assert_false(bus_api_is_name(SPAN("123456789012345678901234567890123")));
	assert_false(bus_api_is_name(SPAN("")));
	assert_false(bus_api_is_name(SPAN("a.b")));
	assert_false(bus_api_is_name(SPAN("a b")));
	assert_false(bus_api_is_name(SPAN("a\"")));
}

static void subjects(void **state)
{
	static const char *const good[] = { "a", "a.b.c", "bnc.usdm.%2F", "$X.!a@b" };
	static const char *const wild[] = { "*", ">", "a.*.c", "a.>", "a.b*" };
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "a b", "a\tb", "a\"b", "a\\b", "\xc3\xa4",
		"a.>.b", "a.b>" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(bus_api_is_subject(span_of(good[i]), false));
	for (size_t i = 0; i < 4; i++) {
		assert_true(bus_api_is_subject(span_of(wild[i]), true));
		assert_false(bus_api_is_subject(span_of(wild[i]), false));
	}
	assert_false(bus_api_is_subject(span_of(wild[4]), true));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(bus_api_is_subject(span_of(bad[i]), true));
}

static void servers(void **state)
{
	static const char *const good[] = { "nats://127.0.0.1:4222", "localhost", "nats://a,tls://b:1,c:65535",
		"nats://[::1]:4222", "[::1]" };
	static const char *const bad[] = { "", "nats://", "nats://a:0", "nats://a:65536", "nats://a:x", "nats://a,",
		",a", "http://a", "a b", "nats://a/b", "http://me:x@a", "nats://nats://a" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(bus_api_is_servers(span_of(good[i]), false));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(bus_api_is_servers(span_of(bad[i]), true));
	assert_false(bus_api_is_servers(SPAN("nats://me:secret@a"), false));
	assert_false(bus_api_is_servers(SPAN("nats://a,nats://token@b"), false));
	assert_true(bus_api_is_servers(SPAN("nats://me:se/cr:et@a:4222,b"), true));
	char many[2 * BUS_SERVERS_MAX + 2] = "a";
	for (unsigned i = 1; i < BUS_SERVERS_MAX; i++)
		strcat(many, ",a");
	assert_true(bus_api_is_servers(span_of(many), false));
	strcat(many, ",a");
	assert_false(bus_api_is_servers(span_of(many), false));
}

static void covering(void **state)
{
	(void)state;
	assert_true(bus_api_covers(SPAN(">"), SPAN("a.b")));
	assert_true(bus_api_covers(SPAN("a.>"), SPAN("a.*.c")));
	assert_true(bus_api_covers(SPAN("a.*.c"), SPAN("a.*.c")));
	assert_true(bus_api_covers(SPAN("a.>"), SPAN("a.>")));
	assert_false(bus_api_covers(SPAN("a.>"), SPAN("a")));
	assert_false(bus_api_covers(SPAN("a.*"), SPAN("a.>")));
	assert_false(bus_api_covers(SPAN("a.b"), SPAN("a.*")));
	assert_false(bus_api_covers(SPAN("a.*"), SPAN("a.b.c")));
	assert_false(bus_api_covers(SPAN("a.>"), SPAN(">")));
	struct bus_stream_state s;
	struct bus_error e;
	assert_true(bus_api_stream_state(
	    text("{\"config\":{\"subjects\":[\"bnc.*.\\u003e\"]},\"state\":{\"first_seq\":3,\"last_seq\":9}}"),
	    SPAN("bnc.>"), &s, &e));
	assert_true(s.covered && s.first == 3 && s.last == 9);
	assert_true(bus_api_stream_state(
	    text("{\"config\":{\"subjects\":[\"bnc.*\",\"x\"]},\"state\":{\"first_seq\":3,\"last_seq\":9}}"),
	    SPAN("bnc.>"), &s, &e));
	assert_false(s.covered);
	assert_true(bus_api_stream_state(
	    text("{\"config\":{},\"state\":{\"first_seq\":3,\"last_seq\":9}}"), SPAN(">"), &s, &e));
	assert_false(s.covered);
}

static bool is_json(const char *s, size_t n)
{
	struct json r;
	struct json_val top;

	assert_int_equal(strlen(s), n);
	return json_check(&r, text(s), &top);
}

static void requests(void **state)
{
	char out[BUS_REQUEST_MAX];
	struct bus_stream s = { SPAN("bnc"), SPAN("bnc.*.*.*"), 3, 86400000000, 1 << 30, 120000000 };
	struct bus_consumer c = {
		.stream = SPAN("bnc"), .name = SPAN("me"), .subject = SPAN("bnc.>"), .idle = 300000000, .sequence = 7
	};

	(void)state;
	assert_true(is_json(out, bus_api_stream_create(out, &s)));
	assert_non_null(strstr(out, "\"num_replicas\":3,\"max_age\":86400000000000,\"max_bytes\":1073741824,"));
	s.max_age = 0;
	s.max_bytes = 0;
	assert_true(is_json(out, bus_api_stream_create(out, &s)));
	assert_non_null(strstr(out, "\"max_age\":0,\"max_bytes\":-1,"));
	assert_true(is_json(out, bus_api_stream_of(out, SPAN("bnc.>"))));
	assert_true(is_json(out, bus_api_pull(out, 512, 8 << 20, 30000000, 2000000)));
	assert_string_equal(
	    out, "{\"batch\":512,\"max_bytes\":8388608,\"expires\":30000000000,\"idle_heartbeat\":2000000000}");
	assert_true(is_json(out, bus_api_consumer_create(out, &c)));
	assert_non_null(strstr(out, "\"deliver_policy\":\"by_start_sequence\",\"opt_start_seq\":7"));
	c.start = BUS_AT_TIME;
	c.time = 1790526538965462;
	c.durable = true;
	assert_true(is_json(out, bus_api_consumer_create(out, &c)));
	assert_non_null(strstr(out, "\"opt_start_time\":\"2026-09-27T16:28:58.965462Z\""));
	assert_non_null(strstr(out, "\"durable_name\":\"me\",\"ack_policy\":\"all\""));
}

static void acknowledgements(void **state)
{
	struct bus_ack a;
	struct bus_error e;

	(void)state;
	assert_true(bus_api_ack(text("{\"stream\":\"bnc\",\"seq\":17}"), &a, &e));
	assert_true(e.code == 0 && a.sequence == 17 && !a.duplicate && span_is(a.stream, "bnc"));
	assert_true(bus_api_ack(text("{\"stream\":\"bnc\", \"seq\":17,\"duplicate\": true}"), &a, &e));
	assert_true(a.duplicate);
	/* heard of and not stored: no acknowledgement */
	assert_true(bus_api_ack(text("{\"stream\":\"bnc\",\"seq\":0,\"duplicate\":true}"), &a, &e));
	assert_int_equal(a.sequence, 0);
	assert_true(bus_api_ack(
	    text("{\"error\":{\"code\":503,\"err_code\":10077,\"description\":\"full\"},\"stream\":\"bnc\",\"seq\":0}"),
	    &a, &e));
	assert_true(e.code == 503 && span_is(e.text, "full"));
	assert_true(bus_api_ack(text("{\"error\":{}}"), &a, &e));
	assert_int_equal(e.code, 500);
	assert_false(bus_api_ack(text("{}"), &a, &e));
	assert_false(bus_api_ack(text(""), &a, &e));
	assert_false(bus_api_ack(text("{\"seq\":17"), &a, &e));
	assert_false(bus_api_ack(text("+OK"), &a, &e));
}

static void deliveries(void **state)
{
	struct bus_delivery d;

	(void)state;
	assert_true(bus_api_delivery(SPAN("$JS.ACK.bnc.me.1.70.8.1790526538965462000.9"), &d));
	assert_true(d.sequence == 70 && d.number == 8 && d.pending == 9);
	assert_true(bus_api_delivery(SPAN("$JS.ACK.hub.acc.bnc.me.1.71.9.1790526538965462000.9"), &d));
	assert_true(d.sequence == 71 && d.number == 9);
	assert_true(bus_api_delivery(SPAN("$JS.ACK._.acc.bnc.me.1.72.10.1790526538965462000.9.token"), &d));
	assert_int_equal(d.sequence, 72);
	assert_false(bus_api_delivery(SPAN("$JS.ACK.bnc.me.1.0.8.1.9"), &d));
	assert_false(bus_api_delivery(SPAN("$JS.ACK.bnc.me.1.70.-8.1.9"), &d));
	assert_false(bus_api_delivery(SPAN("$JS.NAK.bnc.me.1.70.8.1.9"), &d));
	assert_false(bus_api_delivery(SPAN("$JS.ACK.bnc.me.1.70.8.1"), &d));
	assert_false(bus_api_delivery(SPAN(""), &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(subjects),
		cmocka_unit_test(servers),
		cmocka_unit_test(covering),
		cmocka_unit_test(requests),
		cmocka_unit_test(acknowledgements),
		cmocka_unit_test(deliveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
