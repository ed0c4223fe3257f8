/* The entries of tests/fuzz for what reads a line or a number, on the seeds: see tests/fuzz/replay.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/replay.h"

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
int fuzz_fields_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_fields_entry
#include "../fuzz/fuzz-fields.c"
#undef LLVMFuzzerTestOneInput
int fuzz_fast_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_fast_entry
#include "../fuzz/fuzz-fast.c"
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
int fuzz_account_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_account_entry
#include "../fuzz/fuzz-account.c"
#undef LLVMFuzzerTestOneInput
int fuzz_inbox_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_inbox_entry
#include "../fuzz/fuzz-inbox.c"
#undef LLVMFuzzerTestOneInput

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

static void fields_entry(void **state)
{
	(void)state;
	replay(fuzz_fields_entry, 12);
}

static void fast_entry(void **state)
{
	(void)state;
	replay(fuzz_fast_entry, 12);
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

static void account_entry(void **state)
{
	(void)state;
	replay(fuzz_account_entry, 2);
}

static void inbox_entry(void **state)
{
	(void)state;
	replay(fuzz_inbox_entry, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_entry),
		cmocka_unit_test(normalize_entry),
		cmocka_unit_test(twice_entry),
		cmocka_unit_test(fields_entry),
		cmocka_unit_test(fast_entry),
		cmocka_unit_test(dec_entry),
		cmocka_unit_test(line_entry),
		cmocka_unit_test(event_entry),
		cmocka_unit_test(equity_entry),
		cmocka_unit_test(account_entry),
		cmocka_unit_test(inbox_entry),
	};

	return cmocka_run_group_tests_name("fuzz", tests, read_seeds, free_seeds);
}
