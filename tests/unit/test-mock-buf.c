/* The queue's cap, and numbers as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_buf.h"

static void a_queue_has_its_cap(void **state)
{
	struct mock_buf b = mock_buf_of(10);

	(void)state;
	mock_put_lit(&b, "12345678");
	mock_put_lit(&b, "abc"); /* 11: none of it */
	assert_true(b.full);
	assert_true(span_is(mock_buf_span(&b), "12345678"));
	mock_buf_take(&b, 3);
	mock_put_lit(&b, "x"); /* what did not fit is missing, so nothing more may follow */
	assert_true(span_is(mock_buf_span(&b), "45678"));
	mock_buf_clear(&b);
	mock_put_lit(&b, "0123456789");
	assert_false(b.full);
	assert_true(span_is(mock_buf_span(&b), "0123456789"));
	mock_buf_free(&b);
}

static void what_is_taken_makes_room(void **state)
{
	struct mock_buf b = mock_buf_of(4096);
	char c = 'a';

	(void)state;
	for (int i = 0; i < 20000; i++) {
		mock_put_char(&b, c);
		if (mock_buf_len(&b) == 4096) {
			assert_int_equal(b.p[b.lo], 'a');
			mock_buf_take(&b, 4000);
		}
		c = 'a';
	}
	assert_false(b.full);
	mock_buf_free(&b);
}

static void decimals_keep_their_places(void **state)
{
	static const struct {
		int64_t units;
		int places;
		const char *text;
	} rows[] = {
		{ 8455110, 2, "84551.10" },
		{ 5, 2, "0.05" },
		{ -5, 2, "-0.05" },
		{ -1234, 2, "-12.34" },
		{ 0, 2, "0.00" },
		{ 0, 0, "0" },
		{ 100, 2, "1.00" },
		{ 42, 0, "42" },
		{ 1, 8, "0.00000001" },
		{ INT64_MAX, 8, "92233720368.54775807" },
		{ INT64_MIN, 8, "-92233720368.54775808" },
	};
	struct mock_buf b = mock_buf_of(64);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		mock_buf_clear(&b);
		mock_put_dec(&b, rows[i].units, rows[i].places);
		assert_true(span_is(mock_buf_span(&b), rows[i].text));
	}
	mock_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_has_its_cap),
		cmocka_unit_test(what_is_taken_makes_room),
		cmocka_unit_test(decimals_keep_their_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
