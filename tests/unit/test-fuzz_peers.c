/* The entries of tests/fuzz that hold our readers against somebody else's, jansson and GMP, and the one of lib/ws at real
 * sockets; on the seeds: see tests/fuzz/replay.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/replay.h"

/* each entry under a name of its own; the first one's library has names that lib/json has, too */
int fuzz_jansson_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_jansson_entry
#include "../fuzz/fuzz-jansson.c"
#undef LLVMFuzzerTestOneInput
int fuzz_gmp_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_gmp_entry
#include "../fuzz/fuzz-gmp.c"
#undef LLVMFuzzerTestOneInput
int fuzz_ws_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_ws_entry
#include "../fuzz/fuzz-ws.c"
#undef LLVMFuzzerTestOneInput

static void jansson_entry(void **state)
{
	(void)state;
	replay(fuzz_jansson_entry, 12);
}

/* three numbers of any size, often at a border of what fits */
static size_t random_numbers(char *out, uint64_t *seed)
{
	size_t n = 0;

	for (int i = 0; i < 3; i++) {
		size_t before = 1 + chance_below(seed, chance_percent(seed, 50) ? 39 : 8);
		size_t behind = chance_below(seed, chance_percent(seed, 50) ? 39 : 9);
		if (chance_percent(seed, 40))
			out[n++] = '-';
		bool nines = chance_percent(seed, 30);
		for (size_t k = 0; k < before + behind; k++) {
			if (k == before)
				out[n++] = '.';
			out[n++] = nines ? '9' : (char)('0' + chance_below(seed, 10));
		}
		out[n++] = ' ';
	}
	return n - 1;
}

static void gmp_entry(void **state)
{
	char text[3 * 82];
	uint64_t seed = 38;

	(void)state;
	replay_numbers(fuzz_gmp_entry);
	replay_own(fuzz_gmp_entry, "number-", 3000);
	for (int i = 0; i < 60000; i++) {
		size_t n = random_numbers(text, &seed);
		fuzz_gmp_entry((const uint8_t *)text, n);
	}
}

static void ws_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_seeds; i++)
		if (strcmp(seeds[i].name, "ws-messages") == 0) {
			fuzz_ws_entry((const uint8_t *)seeds[i].text.p, seeds[i].text.n);
			assert_int_equal(fuzz_ws.came, 3);
		}
	replay_own(fuzz_ws_entry, "ws-", 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jansson_entry),
		cmocka_unit_test(gmp_entry),
		cmocka_unit_test(ws_entry),
	};

	return cmocka_run_group_tests_name("fuzz_peers", tests, read_seeds, free_seeds);
}
