/* lib/rec: names and their order, the index there and back, and what a damaged one comes to */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rec.h"

static void names(void **state)
{
	static const char *const texts[] = {
		"bnc-2026-11-22T10-00-00Z.ndjson.zst",
		"bnc-2026-11-22T10-00-00Z.ndjson.zst.part",
		"bnc-2026-11-22T10-00-00Z_7.ndjson.zst",
		"btc_1-2026-11-22T10-00-00Z_12.ndjson.zst.part",
	};
	struct rec_name n;
	char text[REC_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_true(rec_name_parse(span_of(texts[i]), &n));
		rec_name_print(text, &n);
		assert_string_equal(text, texts[i]);
	}
	assert_true(span_is(n.prefix, "btc_1"));
	assert_int_equal(n.second, 1795341600);
	assert_int_equal(n.number, 12);
	assert_true(n.part);
	assert_true(rec_name_parse(SPAN("a-2026-11-22T10-00-00Z.ndjson.gz"), &n));
	assert_true(rec_name_parse(SPAN("a-2026-11-22T10-00-00Z.ndjson"), &n));
}

static void other_names(void **state)
{
	static const char *const bad[] = { "", "x.ndjson.zst", "-2026-11-22T10-00-00Z.ndjson.zst",
		"bnc-2026-11-22T10-00-00Z.zst", "bnc-2026-11-22T10:00:00Z.ndjson.zst", "bnc-2026-11-32T10-00-00Z.ndjson.zst",
		"bnc2026-11-22T10-00-00Z.ndjson.zst", "bnc-2026-11-22T10-00-00Z_0.ndjson.zst",
		"bnc-2026-11-22T10-00-00Z_.ndjson.zst", "bnc-2026-11-22T10-00-00Z.ndjson.zst.tmp",
		"bnc-2026-11-22T10-00-00Z_99999999999999999999.ndjson.zst", ".ndjson", "_1.ndjson" };
	struct rec_name n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (rec_name_parse(span_of(bad[i]), &n))
			print_error("%s\n", bad[i]);
		assert_false(rec_name_parse(span_of(bad[i]), &n));
	}
	assert_true(rec_is_recording(SPAN("x.ndjson")) && rec_is_recording(SPAN("x.ndjson.gz")) &&
		    rec_is_recording(SPAN("x.ndjson.zst.part")));
	assert_false(rec_is_recording(SPAN("x.json")) || rec_is_recording(SPAN(".x.ndjson")) ||
		     rec_is_recording(SPAN("x.zst")) || rec_is_recording(SPAN("x.ndjson.zst.tmp")));
	assert_false(rec_is_prefix(SPAN("")) || rec_is_prefix(SPAN("a/b")) || rec_is_prefix(SPAN(".a")) ||
		     rec_is_prefix(SPAN("-a")) || rec_is_prefix(SPAN("a\nb")));
}

static void order(void **state)
{
	static const char *const sorted[] = { "a.ndjson", "b.ndjson.gz", "z-2026-11-22T09-59-59Z.ndjson.zst",
		"b-2026-11-22T10-00-00Z.ndjson.zst", "c-2026-11-22T10-00-00Z.ndjson.zst.part",
		"a-2026-11-22T10-00-00Z_1.ndjson.zst", "a-2026-11-22T10-00-00Z_2.ndjson.zst",
		"a-2026-11-22T10-00-00Z_10.ndjson.zst", "a-2026-11-22T10-00-01Z.ndjson.zst" };
	size_t n = sizeof sorted / sizeof sorted[0];

	(void)state;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			int r = rec_name_compare(span_of(sorted[i]), span_of(sorted[k]));
			assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
		}
}

static struct rec_stretch frame(uint64_t packed, int64_t from, int64_t to)
{
	return (struct rec_stretch){ .packed = packed, .bytes = 10 * packed, .lines = 3, .first = from, .low = from,
		.high = to, .last = to };
}

static void frames_gather_in_stretches(void **state)
{
	struct rec_index x = { NULL, 0, 0 };

	(void)state;
	assert_true(rec_index_add(&x, frame(100, WHEN_NEVER, WHEN_NEVER)));
	assert_true(rec_index_add(&x, frame(100, 50, 60)));
	assert_true(rec_index_add(&x, frame(REC_STRETCH_BYTES, 40, 55)));
	assert_true(rec_index_add(&x, frame(7, 70, 80)));
	assert_int_equal(x.n, 2);
	assert_int_equal(x.stretch[0].packed, 200 + REC_STRETCH_BYTES);
	assert_int_equal(x.stretch[0].lines, 9);
	assert_int_equal(x.stretch[0].first, WHEN_NEVER);
	assert_int_equal(x.stretch[0].low, 40);
	assert_int_equal(x.stretch[0].high, 60);
	assert_int_equal(x.stretch[0].last, 55);
	assert_int_equal(x.stretch[1].offset, 200 + REC_STRETCH_BYTES);
	assert_int_equal(rec_index_end(&x), 207 + REC_STRETCH_BYTES);
	rec_index_close(&x);
}

static void there_and_back(void **state)
{
	struct rec_index x = { NULL, 0, 0 }, y = { NULL, 0, 0 };
	size_t n;
	uint64_t said;

	(void)state;
	for (int64_t i = 0; i < 1000; i++)
		assert_true(rec_index_add(&x, frame(REC_STRETCH_BYTES + (uint64_t)i, i * 1000, i * 1000 + 999)));
	char *text = rec_index_print(&x, &n);
	assert_true(rec_footer_read(text + n - REC_FOOTER_BYTES, &said));
	assert_int_equal(said, n);
	assert_true(rec_index_read(&y, (struct span){ text, n }, rec_index_end(&x) + n));
	assert_int_equal(y.n, x.n);
	assert_memory_equal(y.stretch, x.stretch, x.n * sizeof *x.stretch);
	rec_index_close(&y);
	/* of a file that is shorter or longer than it says */
	assert_false(rec_index_read(&y, (struct span){ text, n }, rec_index_end(&x) + n + 1));
	assert_false(rec_index_read(&y, (struct span){ text, n }, n));
	/* damaged at any place, cut at any place */
	for (size_t i = 0; i < n; i++) {
		text[i] ^= 0x10;
		assert_false(rec_index_read(&y, (struct span){ text, n }, rec_index_end(&x) + n));
		text[i] ^= 0x10;
	}
	for (size_t i = 0; i < n; i += 7)
		assert_false(rec_index_read(&y, (struct span){ text + i + 1, n - i - 1 }, rec_index_end(&x) + n));
	free(text);
	rec_index_close(&x);
}

static void an_index_of_nothing(void **state)
{
	struct rec_index x = { NULL, 0, 0 }, y = { NULL, 0, 0 };
	size_t n;

	(void)state;
	char *text = rec_index_print(&x, &n);
	assert_true(rec_index_read(&y, (struct span){ text, n }, n));
	assert_int_equal(y.n, 0);
	free(text);
	rec_index_close(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(other_names),
		cmocka_unit_test(order),
		cmocka_unit_test(frames_gather_in_stretches),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(an_index_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
