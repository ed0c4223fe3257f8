/* lib/arbiter: what is held back for the other line is bounded, in bytes as in events, for all streams together */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arbiter.h"

#define PAYLOAD (1u << 20)
#define STREAMS 4

static uint64_t printed[STREAMS], gaps[STREAMS];
static size_t bytes;

static void on_print(void *user, size_t stream, unsigned line, struct span payload, int64_t recv)
{
	(void)user, (void)line, (void)recv;
	printed[stream]++;
	bytes += payload.n;
}

static void on_gap(void *user, const struct arbiter_gap *gap)
{
	(void)user;
	gaps[gap->stream]++;
}

static void offer(struct arbiter *a, size_t stream, uint64_t id, struct span payload)
{
	struct arbiter_event e = { .order = ARBITER_CHAINED, .id = id, .prev = id - 1, .time = -1 };

	arbiter_offer(a, stream, 0, &e, payload, 0, 0);
}

static void big_events_are_not_held_beyond_the_bytes(void **state)
{
	static const struct arbiter_out out = { on_print, on_gap };
	const struct arbiter_options o = { .streams = STREAMS, .lines = 2, .window = ARBITER_WINDOW_US, .join = ARBITER_JOIN_US };
	struct arbiter *a = arbiter_new(&o, &out, NULL);
	char *text = calloc(1, PAYLOAD);
	struct span payload = { text, PAYLOAD };
	size_t most = 0;
	uint64_t offered = 0;

	(void)state;
	assert_non_null(a);
	assert_non_null(text);
	for (size_t i = 0; i < STREAMS; i++) {
		arbiter_line(a, i, 0, ARBITER_ON, 0);
		arbiter_line(a, i, 1, ARBITER_ON, 0);
		offer(a, i, 1, (struct span){ text, 1 });
	}
	/* behind a hole that the silent second line might fill */
	for (uint64_t id = 3; id < 23; id++)
		for (size_t i = 0; i < STREAMS; i++) {
			offer(a, i, id, payload);
			most = arbiter_held(a) > most ? arbiter_held(a) : most;
			offered++;
		}
	assert_true(most > 1);
	assert_true(most * PAYLOAD <= ARBITER_HELD_BYTES);
	arbiter_flush(a);
	assert_int_equal(arbiter_held(a), 0);
	/* nothing is lost by it, and each hole is told once */
	assert_int_equal(bytes, offered * PAYLOAD + STREAMS);
	for (size_t i = 0; i < STREAMS; i++) {
		assert_int_equal(printed[i], 21);
		assert_int_equal(gaps[i], 1);
	}
	arbiter_free(a);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(big_events_are_not_held_beyond_the_bytes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
