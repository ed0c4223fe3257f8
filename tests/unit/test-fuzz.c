/* The entries of tests/fuzz on their seeds (every file of tests/wire, tests/hostile, tests/json and seeds/) and on
 * damaged copies of them, in a fixed sequence: what a fuzzer would do for hours, for a few seconds in make check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>

#include "../fuzz/mutate.h"

/* each entry under a name of its own */
int fuzz_json(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_json
#include "../fuzz/fuzz-json.c"
#undef LLVMFuzzerTestOneInput
int fuzz_normalize(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_normalize
#include "../fuzz/fuzz-normalize.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_twice_entry
int fuzz_twice_entry(const uint8_t *data, size_t size);
#include "../fuzz/fuzz-twice.c"
#undef LLVMFuzzerTestOneInput
int fuzz_dec(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_dec
#include "../fuzz/fuzz-dec.c"
#undef LLVMFuzzerTestOneInput
int fuzz_line_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_line_entry
#include "../fuzz/fuzz-line.c"
#undef LLVMFuzzerTestOneInput
int fuzz_event(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_event
#include "../fuzz/fuzz-event.c"
#undef LLVMFuzzerTestOneInput
int fuzz_equity(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_equity
#include "../fuzz/fuzz-equity.c"
#undef LLVMFuzzerTestOneInput

typedef int entry(const uint8_t *data, size_t size);

#define SEEDS_MAX  2000
#define SEED_BYTES 4000 /* a longer one is replayed, but not damaged */

static struct span seeds[SEEDS_MAX];
static size_t n_seeds;

static int add_seed(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	if (type != FTW_F)
		return 0;
	char *text = malloc((size_t)st->st_size + 1);
	FILE *file = fopen(path, "re");
	assert_true(text && file && n_seeds < SEEDS_MAX);
	size_t n = fread(text, 1, (size_t)st->st_size, file);
	assert_int_equal(n, st->st_size);
	fclose(file);
	seeds[n_seeds++] = (struct span){ text, n };
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* run from the root of the tree */
static int read_seeds(void **state)
{
	(void)state;
	assert_int_equal(nftw("tests/wire", add_seed, 8, FTW_PHYS), 0);
	assert_int_equal(nftw("tests/hostile", add_seed, 8, FTW_PHYS), 0);
	assert_int_equal(nftw("tests/json", add_seed, 8, FTW_PHYS), 0);
	assert_int_equal(nftw("tests/fuzz/seeds", add_seed, 8, FTW_PHYS), 0);
	assert_true(n_seeds > 1000);
	qsort(seeds, n_seeds, sizeof seeds[0], by_bytes);
	return 0;
}

static int free_seeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_seeds; i++)
		free((void *)(size_t)seeds[i].p);
	return 0;
}

static void replay(entry *take, unsigned copies)
{
	static char text[2 * SEED_BYTES + 4096];
	uint64_t seed = 20261124;

	for (size_t i = 0; i < n_seeds; i++) {
		take((const uint8_t *)seeds[i].p, seeds[i].n);
		for (unsigned k = 0; k < copies && seeds[i].n <= SEED_BYTES; k++) {
			struct span other = seeds[chance_below(&seed, n_seeds)];
			size_t n = 0;
			if (k % 2 && other.n < SEED_BYTES) { /* behind another line */
				memcpy(text, other.p, other.n);
				text[other.n] = '\n';
				n = other.n + 1;
			}
			memcpy(text + n, seeds[i].p, seeds[i].n);
			n = damage(text, n + seeds[i].n, sizeof text, &seed);
			take((const uint8_t *)text, n);
		}
	}
}

/* numbers by themselves, as the entries for them want them */
static void replay_numbers(entry *take)
{
	static const char *const numbers[] = { "0", "-0", "+1", "00.10", "1.5 -1.5", "1e38",
		"99999999999999999999999999999999999999", "99999999999999999999999999999999999999 1",
		"-99999999999999999999999999999999999999 0.5", "1e-38 3", "1e-38 1e37",
		"0.00000000000000000000000000000000000001 10000000000000000000000000000000000000", "1e39", "1.0E8 7",
		"313.20000000000005 -0.02", "18446744073709551615", "9223372036854775807", "-9223372036854775808",
		"1.5h", "250ms", "4M", "8388608 3", "1\n\n2", "\xff\x80\n\xff\x81\nx", "\xff\x7f\xff\x02\n",
		"\xff\xff\xff\xff", "1 0", "-7 2" };
	uint64_t seed = 7;
	char text[256];

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		size_t n = strlen(numbers[i]);
		take((const uint8_t *)numbers[i], n);
		for (int k = 0; k < 300; k++) {
			memcpy(text, numbers[i], n);
			size_t m = damage(text, n, sizeof text, &seed);
			take((const uint8_t *)text, m);
		}
	}
}

static void json_entry(void **state)
{
	(void)state;
	replay(fuzz_json, 12);
}

static void normalize_entry(void **state)
{
	(void)state;
	replay(fuzz_normalize, 6);
}

static void twice_entry(void **state)
{
	(void)state;
	replay(fuzz_twice_entry, 6);
}

static void dec_entry(void **state)
{
	(void)state;
	replay(fuzz_dec, 0);
	replay_numbers(fuzz_dec);
}

static void line_entry(void **state)
{
	(void)state;
	replay(fuzz_line_entry, 1);
	replay_numbers(fuzz_line_entry);
}

static void event_entry(void **state)
{
	(void)state;
	replay(fuzz_event, 10);
}

static void equity_entry(void **state)
{
	(void)state;
	replay(fuzz_equity, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_entry),
		cmocka_unit_test(normalize_entry),
		cmocka_unit_test(twice_entry),
		cmocka_unit_test(dec_entry),
		cmocka_unit_test(line_entry),
		cmocka_unit_test(event_entry),
		cmocka_unit_test(equity_entry),
	};

	return cmocka_run_group_tests_name("fuzz", tests, read_seeds, free_seeds);
}
