/* Requests as clients send them, and what is no request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mock_http.h"

#define UPGRADE                                                                                                        \
	"GET /public/stream?streams=a/b&x=1 HTTP/1.1\r\nHost: fstream.binance.com\r\nUPGRADE: WebSocket\r\n"           \
	"connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                           \
	"Sec-WebSocket-Version: 13\r\n\r\n"

static void an_upgrade_is_understood(void **state)
{
	struct mock_request r;
	struct span text = SPAN(UPGRADE "rest");

	(void)state;
	for (size_t n = 0; n < sizeof UPGRADE - 1; n++)
		assert_int_equal(mock_http_parse((struct span){ text.p, n }, &r), MOCK_HTTP_MORE);
	assert_int_equal(mock_http_parse(text, &r), MOCK_HTTP_REQUEST);
	assert_int_equal(r.size, sizeof UPGRADE - 1);
	assert_true(r.upgrade);
	assert_false(r.close);
	assert_true(span_is(r.method, "GET"));
	assert_true(span_is(r.path, "/public/stream"));
	assert_true(span_is(r.query, "streams=a/b&x=1"));
	assert_true(span_is(r.host, "fstream.binance.com"));
	assert_true(span_is(r.key, "dGhlIHNhbXBsZSBub25jZQ=="));
}

static void a_body_belongs_to_its_request(void **state)
{
	struct span text =
	    SPAN("POST /fapi/v1/listenKey HTTP/1.1\r\nContent-Length: 3\r\nX-MBX-APIKEY: k9 \r\n\r\na=bGET");
	struct mock_request r;

	(void)state;
	for (size_t n = 0; n < text.n - 3; n++)
		assert_int_equal(mock_http_parse((struct span){ text.p, n }, &r), MOCK_HTTP_MORE);
	assert_int_equal(mock_http_parse(text, &r), MOCK_HTTP_REQUEST);
	assert_true(span_is(r.body, "a=b"));
	assert_true(span_is(r.api_key, "k9"));
	assert_int_equal(r.size, text.n - 3);
	assert_int_equal(mock_http_parse(SPAN("GET / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), &r), MOCK_HTTP_BAD);
	assert_int_equal(mock_http_parse(SPAN("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"), &r), MOCK_HTTP_BAD);
	assert_int_equal(mock_http_parse(SPAN("GET / HTTP/1.1\r\n\r\n"), &r), MOCK_HTTP_REQUEST);
	assert_null(r.api_key.p);
}

static void without_one_of_its_parts_it_is_no_upgrade(void **state)
{
	static const char *const texts[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nConnection: upgrade\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n\r\n",
		"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: k\r\n\r\n",
		"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
	};
	struct mock_request r;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_int_equal(mock_http_parse(span_of(texts[i]), &r), MOCK_HTTP_REQUEST);
		assert_false(r.upgrade);
	}
}

static void nonsense_is_bad(void **state)
{
	static const char *const texts[] = { "\r\n\r\n", "hello\r\n\r\n", "GET x HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", "\x16\x03\x01\r\n\r\n" };
	struct mock_request r;
	char *flood = malloc(MOCK_HTTP_HEAD_MAX + 2);

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(mock_http_parse(span_of(texts[i]), &r), MOCK_HTTP_BAD);
	assert_non_null(flood);
	memset(flood, 'x', MOCK_HTTP_HEAD_MAX + 2);
	assert_int_equal(mock_http_parse((struct span){ flood, MOCK_HTTP_HEAD_MAX + 1 }, &r), MOCK_HTTP_BAD);
	free(flood);
}

static void percent_signs_are_undone(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(mock_http_decode(SPAN("%E7%89%9bx"), out, sizeof out), 4);
	assert_memory_equal(out, "\xe7\x89\x9bx", 4);
	assert_int_equal(mock_http_decode(SPAN("12345678"), out, sizeof out), 8);
	assert_int_equal(mock_http_decode(SPAN("123456789"), out, sizeof out), -1);
	assert_int_equal(mock_http_decode(SPAN("%"), out, sizeof out), -1);
	assert_int_equal(mock_http_decode(SPAN("%4"), out, sizeof out), -1);
	assert_int_equal(mock_http_decode(SPAN("%zz"), out, sizeof out), -1);
}

static void parameters_are_found(void **state)
{
	struct span v;

	(void)state;
	assert_true(mock_http_param(SPAN("a=1&streams=x@y/z&b"), SPAN("streams"), &v));
	assert_true(span_is(v, "x@y/z"));
	assert_false(mock_http_param(SPAN("streamsx=1&b"), SPAN("streams"), &v));
	assert_false(mock_http_param(SPAN("b"), SPAN("b"), &v));
	assert_false(mock_http_param((struct span){ NULL, 0 }, SPAN("b"), &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upgrade_is_understood),
		cmocka_unit_test(a_body_belongs_to_its_request),
		cmocka_unit_test(without_one_of_its_parts_it_is_no_upgrade),
		cmocka_unit_test(nonsense_is_bad),
		cmocka_unit_test(percent_signs_are_undone),
		cmocka_unit_test(parameters_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
