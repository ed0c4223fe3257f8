/* The entries of tests/fuzz that feed more than a reader of one line: files, state machines, texts of people; on the
 * seeds: see tests/fuzz/replay.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../fuzz/replay.h"

/* each entry under a name of its own */
int fuzz_wire_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_wire_entry
#include "../fuzz/fuzz-wire.c"
#undef LLVMFuzzerTestOneInput
int fuzz_recording_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_recording_entry
#include "../fuzz/fuzz-recording.c"
#undef LLVMFuzzerTestOneInput
int fuzz_hub_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_hub_entry
#include "../fuzz/fuzz-hub.c"
#undef LLVMFuzzerTestOneInput
int fuzz_session_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_session_entry
#include "../fuzz/fuzz-session.c"
#undef LLVMFuzzerTestOneInput
int fuzz_follow_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_follow_entry
#include "../fuzz/fuzz-follow.c"
#undef LLVMFuzzerTestOneInput
int fuzz_keys_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_keys_entry
#include "../fuzz/fuzz-keys.c"
#undef LLVMFuzzerTestOneInput
int fuzz_merge_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_merge_entry
#include "../fuzz/fuzz-merge.c"
#undef LLVMFuzzerTestOneInput
int fuzz_text_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_text_entry
#include "../fuzz/fuzz-text.c"
#undef LLVMFuzzerTestOneInput
int fuzz_bus_entry(const uint8_t *data, size_t size);
#define LLVMFuzzerTestOneInput fuzz_bus_entry
#include "../fuzz/fuzz-bus.c"
#undef LLVMFuzzerTestOneInput

static void wire_entry(void **state)
{
	(void)state;
	replay_own(fuzz_wire_entry, "wire-", 300);
}

static void recording_entry(void **state)
{
	(void)state;
	replay(fuzz_recording_entry, 1);
	replay_own(fuzz_recording_entry, "recording-", 1500);
}

static void hub_entry(void **state)
{
	(void)state;
	replay(fuzz_hub_entry, 1);
	replay_own(fuzz_hub_entry, "hub-", 1500);
}

static void session_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_seeds; i++)
		if (strncmp(seeds[i].name, "session-", 8) == 0) {
			fuzz_session_entry((const uint8_t *)seeds[i].text.p, seeds[i].text.n);
			assert_true(fuzz_session.frames > 2); /* messages have come through */
		}
	replay_own(fuzz_session_entry, "session-", 700);
}

static void follow_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_seeds; i++)
		if (strncmp(seeds[i].name, "follow-", 7) == 0) {
			fuzz_follow_entry((const uint8_t *)seeds[i].text.p, seeds[i].text.n);
			assert_true(fuzz_follow.frames > 1); /* a snapshot, and events */
		}
	replay_own(fuzz_follow_entry, "follow-", 300);
}

static void keys_entry(void **state)
{
	(void)state;
	replay(fuzz_keys_entry, 1);
	replay_own(fuzz_keys_entry, "keys-", 2000);
}

static void merge_entry(void **state)
{
	(void)state;
	replay_own(fuzz_merge_entry, "merge-", 150);
	replay_own(fuzz_merge_entry, "session-", 30);
}

static void text_entry(void **state)
{
	(void)state;
	replay(fuzz_text_entry, 0);
	replay_own(fuzz_text_entry, "text-", 1000);
}

static void bus_entry(void **state)
{
	(void)state;
	replay(fuzz_bus_entry, 0);
	replay_own(fuzz_bus_entry, "bus-", 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire_entry),
		cmocka_unit_test(recording_entry),
		cmocka_unit_test(hub_entry),
		cmocka_unit_test(session_entry),
		cmocka_unit_test(follow_entry),
		cmocka_unit_test(keys_entry),
		cmocka_unit_test(merge_entry),
		cmocka_unit_test(text_entry),
		cmocka_unit_test(bus_entry),
	};

	return cmocka_run_group_tests_name("fuzz_worlds", tests, read_seeds, free_seeds);
}
