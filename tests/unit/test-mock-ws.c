/* Heads of frames and the handshake's hash, against RFC 6455's own examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_ws.h"

static void heads_have_the_rfcs_lengths(void **state)
{
	static const struct {
		uint64_t n;
		size_t head;
		unsigned char second;
	} rows[] = {
		{ 0, 2, 0 },
		{ 125, 2, 125 },
		{ 126, 4, 126 },
		{ 65535, 4, 126 },
		{ 65536, 10, 127 },
		{ 1ull << 40, 10, 127 },
		{ 1ull << 63 | 5, 10, 127 },
	};
	char out[MOCK_WS_HEAD_MAX];
	static const unsigned char mask[4] = { 1, 2, 3, 4 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_int_equal(mock_ws_head(out, MOCK_WS_FIN | MOCK_WS_TEXT, rows[i].n, NULL), rows[i].head);
		assert_int_equal((unsigned char)out[0], 0x81);
		assert_int_equal((unsigned char)out[1], rows[i].second);
		assert_int_equal(mock_ws_head(out, MOCK_WS_TEXT, rows[i].n, mask), rows[i].head + 4);
		assert_int_equal((unsigned char)out[1], rows[i].second | 0x80);
	}
	mock_ws_head(out, MOCK_WS_TEXT, 0x12345, NULL);
	assert_memory_equal(out, "\x01\x7f\0\0\0\0\0\x01\x23\x45", 10);
}

/* what mock_ws_head writes, mock_ws_parse reads; one byte less is not enough */
static void heads_come_back(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 125, 126, 65535, 65536, 1ull << 40 };
	static const unsigned char mask[4] = { 9, 8, 7, 6 };
	char out[MOCK_WS_HEAD_MAX];
	struct mock_ws_frame f;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t n = mock_ws_head(out, MOCK_WS_FIN | MOCK_WS_BINARY, sizes[i], mask);
		for (size_t k = 0; k < n; k++)
			assert_int_equal(mock_ws_parse((struct span){ out, k }, &f, &why), MOCK_WS_MORE);
		assert_int_equal(mock_ws_parse((struct span){ out, n }, &f, &why), MOCK_WS_HEAD);
		assert_int_equal(f.payload, sizes[i]);
		assert_int_equal(f.head, n);
		assert_int_equal(f.opcode, MOCK_WS_BINARY);
		assert_true(f.fin);
		assert_memory_equal(f.mask, mask, 4);
	}
}

static void what_a_client_may_not_send_is_bad(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{ "\x81\x02hi", 4 },		 /* not masked */
		{ "\xc1\x80\0\0\0\0", 6 },	 /* RSV1 */
		{ "\x83\x80\0\0\0\0", 6 },	 /* opcode 3 */
		{ "\x8b\x80\0\0\0\0", 6 },	 /* opcode 11 */
		{ "\x09\x80\0\0\0\0", 6 },	 /* a ping in pieces */
		{ "\x89\xfe\0\x7e\0\0\0\0", 8 }, /* a ping of 126 bytes */
	};
	struct mock_ws_frame f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *why = NULL;
		assert_int_equal(mock_ws_parse((struct span){ rows[i].bytes, rows[i].n }, &f, &why), MOCK_WS_BAD);
		assert_non_null(why);
	}
}

/* RFC 6455 5.7: a masked "Hello" */
static void the_rfcs_mask(void **state)
{
	char bytes[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
	struct mock_ws_frame f;
	const char *why;

	(void)state;
	assert_int_equal(mock_ws_parse((struct span){ bytes, 11 }, &f, &why), MOCK_WS_HEAD);
	mock_ws_mask(bytes + f.head, (size_t)f.payload, f.mask);
	assert_memory_equal(bytes + f.head, "Hello", 5);
}

/* RFC 6455 1.3 */
static void the_rfcs_key(void **state)
{
	char accept[MOCK_WS_ACCEPT_SIZE];

	(void)state;
	assert_true(mock_ws_accept(SPAN("dGhlIHNhbXBsZSBub25jZQ=="), accept));
	assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_false(mock_ws_accept(SPAN(""), accept));
	assert_false(
	    mock_ws_accept(SPAN("0123456789012345678901234567890123456789012345678901234567890123456789"), accept));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_have_the_rfcs_lengths),
		cmocka_unit_test(heads_come_back),
		cmocka_unit_test(what_a_client_may_not_send_is_bad),
		cmocka_unit_test(the_rfcs_mask),
		cmocka_unit_test(the_rfcs_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
