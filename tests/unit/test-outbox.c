/* lib/outbox: what frames look like, what a slow reader gets, what is counted */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "outbox.h"

static struct outbox b;
static char got[1 << 16];

static void begin(struct outbox_options o)
{
	o.streams = o.streams ? o.streams : 4;
	o.cap = o.cap ? o.cap : 1 << 20;
	o.market = o.market ? o.market : EVENT_USDM;
	assert_true(outbox_open(&b, &o));
}

static int end(void **state)
{
	(void)state;
	outbox_close(&b);
	return 0;
}

/* a stream whose newest frame says it all, and one that needs all of them */
static void book(size_t stream, const char *text)
{
	outbox_frame(&b, stream, true, span_of(text), 7);
}

static void trade(size_t stream, const char *text)
{
	outbox_frame(&b, stream, false, span_of(text), 7);
}

/* the reader takes all of it, in bites of n */
static const char *take(size_t n)
{
	size_t at = 0;

	for (struct span s; (s = outbox_head(&b)).n > 0; at += s.n) {
		s.n = s.n < n ? s.n : n;
		assert_true(at + s.n < sizeof got);
		memcpy(got + at, s.p, s.n);
		outbox_drop(&b, s.n);
	}
	got[at] = '\0';
	assert_true(outbox_empty(&b));
	return got;
}

/* so much waits that the reader is behind */
static size_t fall_behind(void)
{
	size_t n = 0;

	for (; outbox_bytes(&b) < OUTBOX_BEHIND; n++)
		trade(3, "{\"x\":1}");
	return n;
}

/* reads what fall_behind() has left */
static void catch_up(size_t lines)
{
	while (lines > 0) {
		struct span s = outbox_head(&b);
		size_t n = (size_t)((const char *)memchr(s.p, '\n', s.n) + 1 - s.p);
		assert_non_null(memmem(s.p, n, "\"x\":1", 5));
		outbox_drop(&b, n);
		lines--;
	}
}

static void our_keys_stand_in_front(void **state)
{
	(void)state;
	begin((struct outbox_options){ .market = EVENT_SPOT });
	outbox_frame(&b, 0, false, SPAN("{\"stream\":\"s\",\"data\":{ }}"), 1790526538965462);
	outbox_frame(&b, 0, false, SPAN(" {\"stream\":\"s\"}"), 1790526538965463);
	outbox_line(&b, SPAN("{\"type\":\"status\"}\n"));
	assert_string_equal(take(5),
	    "{\"recv\":1790526538965462,\"market\":\"spot\",\"stream\":\"s\",\"data\":{ }}\n"
	    "{\"recv\":1790526538965463,\"market\":\"spot\",\"stream\":\"s\"}\n{\"type\":\"status\"}\n");
	assert_int_equal(b.counters.frames, 2);
}

static void raw_is_the_frame_alone(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true });
	trade(0, "{\"stream\":\"s\"}");
	assert_string_equal(take(100), "{\"stream\":\"s\"}\n");
}

static void time_does_not_go_back(void **state)
{
	(void)state;
	begin((struct outbox_options){ 0 });
	outbox_frame(&b, 0, false, SPAN("{\"a\":1}"), 50);
	outbox_frame(&b, 0, false, SPAN("{\"a\":2}"), 49);
	outbox_frame(&b, 0, false, SPAN("{\"a\":3}"), 51);
	assert_string_equal(take(100),
	    "{\"recv\":50,\"market\":\"usdm\",\"a\":1}\n{\"recv\":50,\"market\":\"usdm\",\"a\":2}\n"
	    "{\"recv\":51,\"market\":\"usdm\",\"a\":3}\n");
}

static void a_count_is_exact(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .count = 2 });
	trade(0, "{1}");
	assert_false(outbox_complete(&b));
	trade(0, "{2}");
	assert_true(outbox_complete(&b));
	trade(0, "{3}");
	outbox_line(&b, SPAN("end\n"));
	assert_string_equal(take(100), "{1}\n{2}\nend\n");
	assert_int_equal(b.counters.dropped, 0);
}

static void full_until_half_is_taken(void **state)
{
	const uint64_t cap = 1 << 16;

	(void)state;
	begin((struct outbox_options){ .raw = true, .cap = cap, .reserve = 4096 });
	assert_int_equal(outbox_level(&b), OUTBOX_SAME);
	while (outbox_bytes(&b) < cap) {
		assert_int_equal(outbox_level(&b), OUTBOX_SAME);
		trade(0, "{\"x\":1}");
	}
	assert_int_equal(outbox_level(&b), OUTBOX_FULL);
	assert_int_equal(outbox_level(&b), OUTBOX_SAME);
	outbox_drop(&b, outbox_bytes(&b) - cap / 2 - 1);
	assert_int_equal(outbox_level(&b), OUTBOX_SAME);
	outbox_drop(&b, 1);
	assert_int_equal(outbox_level(&b), OUTBOX_ROOM);
	assert_int_equal(outbox_level(&b), OUTBOX_SAME);
}

static void what_does_not_fit_is_dropped_whole_and_counted(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .cap = 4096 });
	size_t room = ring_free(&b.ring);
	while (ring_free(&b.ring) >= 8 + OUTBOX_KEYS_MAX)
		trade(0, "{\"x\":1}");
	size_t used = outbox_bytes(&b);
	assert_true(used < room);
	trade(0, "{\"x\":1}");
	char long_line[2 * OUTBOX_KEYS_MAX];
	memset(long_line, 'x', sizeof long_line);
	outbox_line(&b, (struct span){ long_line, sizeof long_line });
	assert_int_equal(outbox_bytes(&b), used);
	assert_int_equal(b.counters.dropped, 2);
}

static void a_reader_that_keeps_up_costs_no_memory(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true });
	for (unsigned i = 0; i < 1000; i++) {
		trade(0, "{\"x\":1}");
		assert_ptr_equal(outbox_head(&b).p, b.ring.base);
		take(100);
	}
}

static void conflate_changes_nothing_for_a_reader_that_keeps_up(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .conflate = true });
	book(0, "{1}"), book(0, "{2}"), trade(1, "{3}"), book(0, "{4}");
	assert_string_equal(take(2), "{1}\n{2}\n{3}\n{4}\n");
	assert_int_equal(b.counters.conflated, 0);
}

static void conflate_keeps_the_newest_of_each_and_all_others(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .conflate = true });
	size_t n = fall_behind();
	book(0, "{\"old\":1}"), book(1, "{b1}"), trade(2, "{t1}"), book(0, "{a}"), trade(2, "{t2}"), book(0, "{a2}");
	catch_up(n);
	assert_string_equal(take(100), "{t1}\n{t2}\n{a2}\n{b1}\n");
	assert_int_equal(b.counters.conflated, 2);
	assert_int_equal(b.counters.frames, n + 4);
	/* and it goes on as before */
	book(0, "{a3}"), book(0, "{a4}");
	assert_string_equal(take(100), "{a3}\n{a4}\n");
}

static void what_waits_apart_counts_among_the_bytes(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .conflate = true });
	fall_behind();
	size_t n = outbox_bytes(&b);
	book(0, "{1}"), book(1, "{12}"), book(2, "{123}"), book(1, "{1234}");
	assert_int_equal(outbox_bytes(&b), n + 3 + 6 + 5);
}

static void conflate_never_turns_a_stream_round(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .conflate = true });
	size_t n = fall_behind();
	book(0, "{1}");
	/* the reader is not behind any more, but the first one still waits apart */
	b.ring.used -= 64, b.ring.at += 64;
	book(0, "{2}");
	assert_int_equal(b.counters.conflated, 1);
	catch_up(n - 8);
	assert_string_equal(take(100), "{2}\n");
}

static void conflate_ends_at_its_count(void **state)
{
	(void)state;
	begin((struct outbox_options){ .raw = true, .conflate = true });
	size_t n = fall_behind();
	b.o.count = n + 1;
	book(0, "{1}"), book(1, "{2}");
	assert_false(outbox_complete(&b));
	catch_up(n);
	assert_string_equal(take(100), "{1}\n");
	assert_true(outbox_complete(&b));
}

/* streams come and go for long: the queue of those that wait goes round */
static void every_stream_gets_its_turn(void **state)
{
	char expected[64], text[8];

	(void)state;
	begin((struct outbox_options){ .raw = true, .conflate = true });
	for (unsigned round = 0; round < 9; round++) {
		size_t n = fall_behind(), at = 0;
		for (unsigned i = 0; i < 3; i++) {
			unsigned stream = (round + i) % 3;
			snprintf(text, sizeof text, "{%u}", stream);
			book(stream, "{old}"), book(stream, text);
			at += (size_t)snprintf(expected + at, sizeof expected - at, "%s\n", text);
		}
		catch_up(n);
		assert_string_equal(take(100), expected);
	}
	assert_int_equal(b.counters.conflated, 27);
}

static void too_much_is_refused_at_the_start(void **state)
{
	struct outbox_options o = { .market = EVENT_USDM, .streams = 1, .cap = SIZE_MAX / 2 };

	(void)state;
	assert_false(outbox_open(&b, &o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(our_keys_stand_in_front, end),
		cmocka_unit_test_teardown(raw_is_the_frame_alone, end),
		cmocka_unit_test_teardown(time_does_not_go_back, end),
		cmocka_unit_test_teardown(a_count_is_exact, end),
		cmocka_unit_test_teardown(full_until_half_is_taken, end),
		cmocka_unit_test_teardown(what_does_not_fit_is_dropped_whole_and_counted, end),
		cmocka_unit_test_teardown(a_reader_that_keeps_up_costs_no_memory, end),
		cmocka_unit_test_teardown(conflate_changes_nothing_for_a_reader_that_keeps_up, end),
		cmocka_unit_test_teardown(conflate_keeps_the_newest_of_each_and_all_others, end),
		cmocka_unit_test_teardown(conflate_never_turns_a_stream_round, end),
		cmocka_unit_test_teardown(what_waits_apart_counts_among_the_bytes, end),
		cmocka_unit_test_teardown(conflate_ends_at_its_count, end),
		cmocka_unit_test_teardown(every_stream_gets_its_turn, end),
		cmocka_unit_test_teardown(too_much_is_refused_at_the_start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
