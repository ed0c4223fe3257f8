/* lib/ws_frame: heads of frames byte by byte, what a client sends beside what the RFC shows; lib/ws_upgrade as well */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "ws_frame.h"
#include "ws_upgrade.h"

static void heads(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		struct ws_frame frame;
	} rows[] = {
		{ "\x81\x05Hello", 2, { WS_TEXT, true, 2, 5 } }, /* RFC 6455 5.7 */
		{ "\x01\x03Hel", 2, { WS_TEXT, false, 2, 3 } },
		{ "\x80\x02lo", 2, { WS_CONTINUATION, true, 2, 2 } },
		{ "\x89\x05Hello", 2, { WS_PING, true, 2, 5 } },
		{ "\x8a\x00", 2, { WS_PONG, true, 2, 0 } },
		{ "\x88\x7d", 2, { WS_CLOSE, true, 2, 125 } },
		{ "\x82\x7e\x01\x00", 4, { WS_BINARY, true, 4, 256 } },
		{ "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10, { WS_BINARY, true, 10, 65536 } },
		{ "\x81\x7e\x00\x01", 4, { WS_TEXT, true, 4, 1 } }, /* in more bytes than it takes */
		{ "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10, { WS_TEXT, true, 10, INT64_MAX } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ws_frame f;
		for (size_t n = 0; n < rows[i].n; n++)
			assert_int_equal(ws_frame_read(rows[i].bytes, n, &f), WS_FRAME_MORE);
		assert_int_equal(ws_frame_read(rows[i].bytes, rows[i].n, &f), WS_FRAME_HEAD);
		assert_int_equal(f.opcode, rows[i].frame.opcode);
		assert_int_equal(f.final, rows[i].frame.final);
		assert_int_equal(f.head, rows[i].frame.head);
		assert_int_equal(f.n, rows[i].frame.n);
	}
}

/* every first byte with every second one, and what the RFC says of them */
static void what_a_server_may_not_send_is_bad(void **state)
{
	(void)state;
	for (unsigned first = 0; first < 256; first++)
		for (unsigned second = 0; second < 256; second++) {
			unsigned opcode = first & 15, length = second & 127;
			const unsigned char bytes[10] = { (unsigned char)first, (unsigned char)second, 0, 0, 0, 0, 0, 1 };
			struct ws_frame f;
			bool control = opcode >= 8, reserved = first & 0x70, masked = second & 0x80;
			bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
			bool good = known && !reserved && !masked && (!control || (first & 0x80 && length <= 125));
			assert_int_equal(ws_frame_read(bytes, sizeof bytes, &f), good ? WS_FRAME_HEAD : WS_FRAME_BAD);
			if (!good) /* that much shows by two bytes */
				assert_int_equal(ws_frame_read(bytes, 2, &f), WS_FRAME_BAD);
		}
}

static void a_length_of_64_bits_has_no_sign(void **state)
{
	struct ws_frame f;

	(void)state;
	assert_int_equal(ws_frame_read("\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10, &f), WS_FRAME_BAD);
	assert_int_equal(ws_frame_read("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, &f), WS_FRAME_BAD);
}

/* RFC 6455 5.7: a masked "Hello" */
static void the_rfcs_mask(void **state)
{
	char room[WS_FRAME_HEAD_MAX + 5];
	char *payload = room + WS_FRAME_HEAD_MAX;

	(void)state;
	memcpy(payload, "Hello", 5);
	char *from = ws_frame_write(payload, 5, WS_TEXT, (const unsigned char *)"\x37\xfa\x21\x3d");
	assert_ptr_equal(from, payload - 6);
	assert_memory_equal(from, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
}

/* what is written has the shortest head, and once unmasked reads as what it was */
static void lengths_around_every_border(void **state)
{
	static const struct {
		size_t n, head;
	} rows[] = { { 0, 2 }, { 1, 2 }, { 125, 2 }, { 126, 4 }, { 127, 4 }, { 65535, 4 }, { 65536, 10 }, { 70001, 10 } };
	static const unsigned char mask[4] = { 1, 2, 3, 255 };
	static char room[WS_FRAME_HEAD_MAX + 70001];
	char *payload = room + WS_FRAME_HEAD_MAX;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ws_frame f;
		for (size_t k = 0; k < rows[i].n; k++)
			payload[k] = (char)(k * 7);
		char *from = ws_frame_write(payload, rows[i].n, WS_BINARY, mask);
		assert_ptr_equal(from, payload - 4 - rows[i].head);
		assert_true(from[1] & 0x80);
		from[1] = (char)(from[1] & 0x7f);
		assert_int_equal(ws_frame_read(from, rows[i].head, &f), WS_FRAME_HEAD);
		assert_int_equal(f.n, rows[i].n);
		assert_true(f.final && f.opcode == WS_BINARY);
		assert_memory_equal(payload - 4, mask, 4);
		for (size_t k = 0; k < rows[i].n; k++)
			assert_int_equal((unsigned char)payload[k] ^ mask[k % 4], (unsigned char)(k * 7));
	}
}

/* RFC 6455 1.3 */
static void the_rfcs_key(void **state)
{
	static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";

	(void)state;
	assert_true(ws_upgrade_accepts(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	assert_false(ws_upgrade_accepts(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo"));
	assert_false(ws_upgrade_accepts(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=="));
	assert_false(ws_upgrade_accepts(key, "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	assert_false(ws_upgrade_accepts(key, ""));
}

static void a_key_is_another_one_each_time(void **state)
{
	char one[WS_KEY_BYTES], other[WS_KEY_BYTES];

	(void)state;
	ws_upgrade_key(one);
	ws_upgrade_key(other);
	assert_int_equal(strlen(one), 24);
	assert_int_equal(strlen(other), 24);
	assert_string_not_equal(one, other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(what_a_server_may_not_send_is_bad),
		cmocka_unit_test(a_length_of_64_bits_has_no_sign),
		cmocka_unit_test(the_rfcs_mask),
		cmocka_unit_test(lengths_around_every_border),
		cmocka_unit_test(the_rfcs_key),
		cmocka_unit_test(a_key_is_another_one_each_time),
	};

	return cmocka_run_group_tests_name("ws_frame", tests, NULL, NULL);
}
