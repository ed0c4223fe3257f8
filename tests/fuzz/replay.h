/* replay - what a program does that replays seeds in make check: every file of tests/wire, tests/hostile, tests/json,
 * tests/event and tests/fuzz/seeds, and damaged copies of them, in a fixed sequence: what a fuzzer would do for hours,
 * for a few seconds. Include it behind <cmocka.h>. */
#ifndef BNC_FUZZ_REPLAY_H
#define BNC_FUZZ_REPLAY_H

#include <ftw.h>

#include "mutate.h"

typedef int entry(const uint8_t *data, size_t size);

#define SEEDS_MAX  2000
#define SEED_BYTES 4000 /* a longer one is replayed, but not damaged */

static struct seed {
	struct span text; /* owned */
	char name[64];	  /* of the file */
} seeds[SEEDS_MAX];
static size_t n_seeds;

static int add_seed(const char *path, const struct stat *st, int type, struct FTW *where)
{
	if (type != FTW_F)
		return 0;
	char *text = malloc((size_t)st->st_size + 1);
	FILE *file = fopen(path, "re");
	assert_true(text && file && n_seeds < SEEDS_MAX);
	size_t n = fread(text, 1, (size_t)st->st_size, file);
	assert_int_equal(n, st->st_size);
	fclose(file);
	seeds[n_seeds].text = (struct span){ text, n };
	snprintf(seeds[n_seeds++].name, sizeof seeds[0].name, "%s", path + where->base);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	const struct span *x = &((const struct seed *)a)->text, *y = &((const struct seed *)b)->text;
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
	assert_int_equal(nftw("tests/event", add_seed, 8, FTW_PHYS), 0);
	assert_int_equal(nftw("tests/fuzz/seeds", add_seed, 8, FTW_PHYS), 0);
	assert_true(n_seeds > 1000);
	qsort(seeds, n_seeds, sizeof seeds[0], by_bytes);
	return 0;
}

static int free_seeds(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_seeds; i++)
		free((void *)(size_t)seeds[i].text.p);
	return 0;
}

/* one more copy, damaged; behind another one where that is given */
static void replay_damaged(entry *take, struct span text, struct span before, uint64_t *seed)
{
	static char copy[2 * SEED_BYTES + 4096];
	size_t n = 0;

	if (before.n && before.n < SEED_BYTES) {
		memcpy(copy, before.p, before.n);
		copy[before.n] = '\n';
		n = before.n + 1;
	}
	memcpy(copy + n, text.p, text.n);
	n = damage(copy, n + text.n, sizeof copy, seed);
	take((const uint8_t *)copy, n);
}

/* all seeds, and so many damaged copies of each */
static inline void replay(entry *take, unsigned copies)
{
	uint64_t seed = 20261124;

	for (size_t i = 0; i < n_seeds; i++) {
		struct span text = seeds[i].text;
		take((const uint8_t *)text.p, text.n);
		for (unsigned k = 0; k < copies && text.n <= SEED_BYTES; k++) {
			struct span other = seeds[chance_below(&seed, n_seeds)].text;
			replay_damaged(take, text, k % 2 ? other : (struct span){ NULL, 0 }, &seed);
		}
	}
}

/* the seeds whose names begin so, which speak this entry's own language, and so many damaged copies of each */
static inline void replay_own(entry *take, const char *prefix, unsigned copies)
{
	uint64_t seed = 20261126;
	unsigned found = 0;

	for (size_t i = 0; i < n_seeds; i++) {
		if (strncmp(seeds[i].name, prefix, strlen(prefix)) != 0)
			continue;
		found++;
		take((const uint8_t *)seeds[i].text.p, seeds[i].text.n);
		for (unsigned k = 0; k < copies && seeds[i].text.n <= SEED_BYTES; k++)
			replay_damaged(take, seeds[i].text, (struct span){ NULL, 0 }, &seed);
	}
	assert_true(found > 0);
}

/* numbers by themselves, as the entries for them want them */
static inline void replay_numbers(entry *take)
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

#endif
