/* lib/ring: order, both ends of the memory, sizes that cannot be */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ring.h"

static struct ring opened(size_t cap)
{
	struct ring r;

	assert_true(ring_open(&r, cap));
	return r;
}

static void a_new_ring_is_empty_and_rounded_up(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)state;
	for (size_t want = 1; want < 3 * page; want += page - 1) {
		struct ring r = opened(want);
		assert_int_equal(ring_used(&r), 0);
		assert_int_equal(ring_head(&r).n, 0);
		assert_true(ring_free(&r) >= want && ring_free(&r) % page == 0 && ring_free(&r) < want + page);
		ring_close(&r);
		assert_null(r.base);
		ring_close(&r);
	}
}

static void it_may_be_filled_to_the_last_byte_wherever_it_begins(void **state)
{
	struct ring r = opened(1);
	size_t cap = ring_free(&r);

	(void)state;
	for (size_t at = 0; at < cap; at++) {
		ring_add(&r, at + 1);
		ring_drop(&r, at);
		assert_int_equal(ring_used(&r), 1);
		memset(ring_tail(&r), (int)(at & 0x7f), cap - 1);
		ring_add(&r, cap - 1);
		assert_int_equal(ring_free(&r), 0);
		struct span s = ring_head(&r);
		assert_int_equal(s.n, cap);
		assert_int_equal(s.p[1], at & 0x7f);
		assert_int_equal(s.p[cap - 1], at & 0x7f);
		ring_drop(&r, cap);
		assert_int_equal(ring_used(&r), 0);
	}
	ring_close(&r);
}

/* the n-th byte of an endless pattern without a short period */
static char pattern(uint64_t n)
{
	return (char)((n * 0x9e3779b97f4a7c15ull) >> 56);
}

static void bytes_come_out_as_they_went_in(void **state)
{
	struct ring r = opened(1);
	uint64_t in = 0, out = 0;
	unsigned seed = 7;

	(void)state;
	while (out < 4000000) {
		size_t n = (size_t)rand_r(&seed) % (ring_free(&r) + 1);
		char *to = ring_tail(&r);
		for (size_t i = 0; i < n; i++)
			to[i] = pattern(in++);
		ring_add(&r, n);
		assert_int_equal(ring_used(&r), in - out);
		struct span s = ring_head(&r);
		size_t take = (size_t)rand_r(&seed) % (s.n + 1);
		for (size_t i = 0; i < take; i++)
			if (s.p[i] != pattern(out++))
				fail_msg("byte %llu is not what was put in", (unsigned long long)out - 1);
		ring_drop(&r, take);
	}
	ring_close(&r);
}

static size_t pages_held(void)
{
	unsigned long total, held;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &total, &held), 2);
	fclose(f);
	return held;
}

static void a_reader_who_keeps_up_needs_little_memory(void **state)
{
	struct ring r = opened(64u << 20);
	size_t before = pages_held();

	(void)state;
	for (int i = 0; i < 100000; i++) {
		memset(ring_tail(&r), 'x', 1000);
		ring_add(&r, 1000);
		ring_drop(&r, 400);
		ring_drop(&r, 600);
	}
	assert_true(pages_held() - before < 1024);
	ring_close(&r);
}

static void sizes_that_cannot_be(void **state)
{
	struct ring r;

	(void)state;
	assert_false(ring_open(&r, 0));
	assert_int_equal(errno, EINVAL);
	assert_null(r.base);
	assert_false(ring_open(&r, SIZE_MAX));
	assert_false(ring_open(&r, SIZE_MAX / 2));
	errno = 0;
	assert_false(ring_open(&r, SIZE_MAX / 8));
	assert_int_not_equal(errno, 0);
	ring_close(&r);
}

static void what_is_not_written_takes_no_memory(void **state)
{
	size_t before = pages_held();
	struct ring r = opened((size_t)1 << 32);

	(void)state;
	ring_tail(&r)[0] = 'x';
	ring_add(&r, 1);
	assert_true(pages_held() - before < 1024);
	ring_close(&r);
}

static void no_descriptor_is_kept(void **state)
{
	int before = dup(0);

	(void)state;
	close(before);
	struct ring r = opened(1);
	int after = dup(0);
	close(after);
	assert_int_equal(after, before);
	ring_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_ring_is_empty_and_rounded_up),
		cmocka_unit_test(it_may_be_filled_to_the_last_byte_wherever_it_begins),
		cmocka_unit_test(bytes_come_out_as_they_went_in),
		cmocka_unit_test(a_reader_who_keeps_up_needs_little_memory),
		cmocka_unit_test(sizes_that_cannot_be),
		cmocka_unit_test(what_is_not_written_takes_no_memory),
		cmocka_unit_test(no_descriptor_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
