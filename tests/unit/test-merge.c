/* lib/merge: sources that have nothing to do with each other, and copies of one feed; and many random runs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "merge.h"

static struct merge *m;

static uint64_t hash(struct span s)
{
	uint64_t h = 1469598103934665603u;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
	return h;
}

static void begin(unsigned sources, bool copies, int64_t window)
{
	const struct merge_options o = {
		.sources = sources, .copies = copies, .window = window, .sequences = 4, .tag_bytes = sizeof(int)
	};

	merge_free(m);
	m = merge_new(&o);
	assert_non_null(m);
}

static int end(void **state)
{
	(void)state;
	merge_free(m);
	m = NULL;
	return 0;
}

static void put_line(unsigned source, const char *text, int64_t time, bool received, size_t sequence, uint64_t rank)
{
	struct span s = span_of(text);
	int tag = text[0];
	struct merge_line l = { .source = source,
		.text = s,
		.time = time,
		.received = received,
		.hash = hash(s),
		.sequence = sequence,
		.rank = rank,
		.tag = &tag };

	assert_true(merge_put(m, &l));
}

/* a line that arrived then, one that does not say when, one without any time, one of a sequence */
#define put(source, text, time)		      put_line(source, text, time, true, 0, 0)
#define said(source, text, time)	      put_line(source, text, time, false, 0, 0)
#define never(source, text)		      put_line(source, text, WHEN_NEVER, false, 0, 0)
#define ranked(source, text, time, seq, rank) put_line(source, text, time, true, seq, rank)

/* all lines until a source is wanted or all are gone, a blank between; equal ones that follow each other once */
static const char *drain(unsigned sources)
{
	static char out[1 << 16];
	struct merge_line l;
	char last[64] = "";
	size_t n = 0;

	out[0] = '\0';
	for (;;) {
		for (unsigned i = 0; i < sources; i++)
			if (merge_wants(m, i))
				return out;
		if (!merge_next(m, &l))
			return out;
		char text[64];
		snprintf(text, sizeof text, "%.*s", (int)l.text.n, l.text.p);
		if (strcmp(text, last) != 0)
			n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", n ? " " : "", text);
		strcpy(last, text);
	}
}

static const char *all(unsigned sources)
{
	for (unsigned i = 0; i < sources; i++)
		merge_end(m, i);
	return drain(sources);
}

/* ------------------------------------------------------------------------------------- unrelated sources */

static void the_lowest_time_is_next(void **state)
{
	(void)state;
	begin(3, false, 0);
	assert_true(merge_wants(m, 0) && merge_wants(m, 1) && merge_wants(m, 2));
	put(0, "a", 5), put(1, "b", 3), put(2, "c", 3);
	assert_false(merge_wants(m, 0) || merge_wants(m, 1) || merge_wants(m, 2));
	assert_string_equal(drain(3), "b"); /* and who has given it is wanted */
	assert_true(merge_wants(m, 1) && !merge_wants(m, 0) && !merge_wants(m, 2));
	put(1, "d", 9);
	assert_string_equal(drain(3), "c");
	merge_end(m, 2);
	assert_false(merge_wants(m, 2));
	assert_true(merge_over(m, 2));
	assert_string_equal(drain(3), "a");
	merge_end(m, 0);
	merge_end(m, 1);
	assert_true(merge_over(m, 0) && !merge_over(m, 1));
	assert_string_equal(drain(3), "d");
	assert_true(merge_over(m, 1));
}

static void nothing_changes_places_inside_a_source(void **state)
{
	(void)state;
	begin(2, false, 1000);
	put(0, "a9", 9), put(0, "a1", 1), never(0, "a-"), put(0, "a10", 10);
	put(1, "b8", 8), put(1, "b9", 9), put(1, "b10", 10), put(1, "b11", 11);
	assert_string_equal(all(2), "b8 a9 a1 a- b9 a10 b10 b11");
	assert_int_equal(merge_counters(m)->late, 0);
}

static void what_has_no_time_goes_with_the_line_before(void **state)
{
	(void)state;
	begin(2, false, 0);
	never(0, "head"), put(0, "a5", 5), never(0, "tail"), put(0, "a8", 8);
	put(1, "b4", 4), put(1, "b7", 7), never(1, "b-");
	assert_string_equal(all(2), "head b4 a5 tail b7 b- a8");
	begin(2, false, 0);
	never(0, "x"), never(1, "y"), never(0, "z"), put(0, "a", 0);
	assert_string_equal(all(2), "x z y a");
}

static void no_source_and_no_line_is_the_end(void **state)
{
	struct merge_line l;
	const struct merge_options o = { .sources = MERGE_SOURCES + 1 };

	(void)state;
	begin(0, false, 0);
	assert_false(merge_next(m, &l));
	begin(1, true, 0);
	merge_end(m, 0);
	assert_false(merge_next(m, &l));
	assert_null(merge_new(&o));
	merge_free(NULL);
}

/* against a stable sort by the highest time so far */
struct ref {
	int64_t high;
	unsigned source, number;
};

static int by_reference(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	if (x->high != y->high)
		return x->high < y->high ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static uint64_t seed;
static uint64_t rnd(uint64_t n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % n;
}

static void random_run(unsigned sources, unsigned lines)
{
	static struct ref refs[4096];
	static int64_t times[MERGE_SOURCES][64];
	unsigned given[MERGE_SOURCES] = { 0 }, taken[MERGE_SOURCES] = { 0 };
	size_t n = 0;

	begin(sources, false, 0);
	for (unsigned i = 0; i < sources; i++) {
		int64_t high = WHEN_NEVER;
		for (unsigned k = 0; k < lines; k++) {
			times[i][k] = rnd(8) == 0 ? WHEN_NEVER : (int64_t)(3 * k + rnd(12));
			high = times[i][k] > high ? times[i][k] : high;
			refs[n++] = (struct ref){ high, i, k };
		}
	}
	qsort(refs, n, sizeof refs[0], by_reference);
	for (size_t at = 0; at < n; at++) {
		struct merge_line l;
		for (unsigned i = 0; i < sources; i++) {
			if (merge_wants(m, i) && given[i] == lines)
				merge_end(m, i);
			else if (merge_wants(m, i))
				put(i, "line", times[i][given[i]++]);
			assert_false(merge_wants(m, i));
		}
		assert_true(merge_next(m, &l));
		assert_int_equal(l.source, refs[at].source);
		assert_int_equal(taken[l.source]++, refs[at].number);
		assert_int_equal(l.time, refs[at].high);
	}
}

static void random_sources(void **state)
{
	(void)state;
	for (seed = 1; seed < 200; seed += 2) {
		uint64_t keep = seed;
		random_run(1 + (unsigned)rnd(8), 1 + (unsigned)rnd(40));
		seed = keep;
	}
	random_run(MERGE_SOURCES, 60);
}

/* ------------------------------------------------------------------------------------------------- copies */

static void a_late_line_goes_back_to_its_place(void **state)
{
	(void)state;
	begin(1, true, 100);
	put(0, "a", 1000), put(0, "c", 1090), put(0, "b", 1010), put(0, "b2", 1010), put(0, "d", 1100);
	assert_true(merge_wants(m, 0));
	put(0, "e", 1101); /* now nothing can come before a */
	assert_string_equal(drain(1), "a");
	put(0, "f", 1190), put(0, "b3", 1090);
	assert_string_equal(all(1), "b b2 c b3 d e f");
	assert_int_equal(merge_counters(m)->late, 3);
	assert_int_equal(merge_counters(m)->early, 0);
}

static void what_is_later_than_the_window_stays(void **state)
{
	(void)state;
	begin(1, true, 100);
	put(0, "a", 1000), put(0, "b", 1100), put(0, "old", 999), put(0, "c", 1100), put(0, "edge", 1000);
	assert_string_equal(all(1), "a edge b old c");
	assert_int_equal(merge_counters(m)->late, 1);
	begin(1, true, 0);
	put(0, "a", 10), put(0, "b", 9), put(0, "c", 10);
	assert_string_equal(all(1), "a b c");
}

/* frames without a time of arrival, and records */
static void what_does_not_say_when_it_arrived_stays_with_the_line_before(void **state)
{
	(void)state;
	begin(1, true, 100);
	put(0, "a", 1000), put(0, "d", 1050), said(0, "heart", 1045), put(0, "b", 1010), said(0, "beat", 1012);
	never(0, "-"), put(0, "c", 1020), said(0, "e", 1060);
	assert_string_equal(all(1), "a b beat - c d heart e");
	begin(1, true, 100);
	said(0, "a", 1000), said(0, "b", 990), said(0, "c", 995), said(0, "d", 1001);
	assert_string_equal(all(1), "a b c d");
}

/* a record's time may run ahead of the arrival: that makes no line late */
static void times_of_records_do_not_close_the_window(void **state)
{
	(void)state;
	begin(1, true, 100);
	put(0, "a", 1000), said(0, "status", 1150), put(0, "b", 1001), put(0, "c", 990);
	assert_true(merge_wants(m, 0));
	assert_string_equal(all(1), "c a b status");
	/* but they go on where no other times come, and nothing waits for ever */
	begin(1, true, 100);
	put(0, "a", 1000), said(0, "x", 1200);
	assert_true(merge_wants(m, 0));
	said(0, "y", 1201);
	assert_false(merge_wants(m, 0));
}

static void copies_keep_each_other_in_step(void **state)
{
	(void)state;
	begin(2, true, 100);
	put(0, "b", 7), put(0, "c", 7), put(0, "e", 8);
	put(1, "a", 7), put(1, "b", 7), put(1, "d", 7), put(1, "e", 8);
	assert_string_equal(all(2), "a b c d e");
	/* without any time */
	begin(2, true, 100);
	never(0, "2"), never(0, "3"), never(0, "5"), never(0, "6");
	never(1, "1"), never(1, "2"), never(1, "4"), never(1, "5"), never(1, "7");
	assert_true(merge_wants(m, 0));
	assert_string_equal(all(2), "1 2 3 4 5 6 7");
	/* whatever the times say */
	begin(2, true, 100);
	said(0, "2", 50), said(0, "3", 51);
	said(1, "1", 60), said(1, "2", 50), said(1, "3", 51);
	assert_string_equal(all(2), "1 2 3");
	/* but not for longer than the window */
	begin(2, true, 100);
	said(0, "2", 50), said(0, "3", 51);
	said(1, "1", 151), said(1, "2", 51), said(1, "3", 51);
	assert_string_equal(all(2), "2 1 2 3");
	/* over a third one */
	begin(3, true, 100);
	put(0, "c", 7), put(1, "b", 7), put(1, "c", 7), put(2, "a", 7), put(2, "b", 7);
	assert_string_equal(all(3), "a b c");
	/* the first of them as well, whose own copy is late */
	begin(2, true, 1);
	put(0, "x", 9), put(1, "x", 5), put(1, "y", 6);
	assert_string_equal(all(2), "x y");
}

static void a_line_that_comes_twice_in_one_copy_does_no_harm(void **state)
{
	(void)state;
	begin(2, true, 100);
	put(0, "x", 1), put(0, "a", 2), put(0, "x", 3), put(0, "b", 4);
	put(1, "x", 1), put(1, "a", 2), put(1, "x", 3), put(1, "b", 4);
	assert_string_equal(all(2), "x a x b");
}

static void of_copies_that_contradict_each_other_the_odd_line_gives_way(void **state)
{
	(void)state;
	begin(2, true, 100);
	never(0, "1"), never(0, "2"), never(0, "3"), never(0, "4"), never(0, "ok");
	never(1, "ok"), never(1, "1"), never(1, "2"), never(1, "3"), never(1, "4");
	assert_string_equal(all(2), "ok 1 2 3 4 ok");
	begin(2, true, 100);
	put(0, "a", 5), put(0, "b", 5), put(1, "b", 5), put(1, "a", 5);
	assert_string_equal(all(2), "a b a");
}

static void a_sequence_is_kept_over_all_copies(void **state)
{
	(void)state;
	begin(2, true, 100);
	/* the second one lags by 20 */
	ranked(0, "A1", 10, 1, 1), ranked(0, "A4", 20, 1, 4), put(0, "x", 25);
	ranked(1, "B1", 30, 1, 1), ranked(1, "B2", 35, 1, 2), ranked(1, "B3", 38, 1, 3), ranked(1, "B5", 45, 1, 5);
	assert_string_equal(all(2), "A1 B1 B2 B3 A4 x B5");
	/* what has gone already, in whichever copy, is not waited for; other sequences are not either */
	begin(2, true, 100);
	ranked(0, "A1", 10, 1, 1), ranked(0, "A2", 11, 1, 2), ranked(0, "A3", 12, 1, 3), ranked(0, "C9", 13, 2, 9);
	ranked(1, "B1", 30, 1, 1), ranked(1, "B2", 31, 1, 2), ranked(1, "B3", 32, 1, 3), ranked(1, "D1", 33, 3, 1);
	assert_string_equal(all(2), "A1 A2 A3 C9 B1 B2 B3 D1");
	/* not even when an old one has gone a moment ago */
	begin(2, true, 5);
	ranked(0, "A1", 10, 1, 1), ranked(0, "A2", 11, 1, 2), ranked(0, "A3", 40, 1, 3);
	ranked(1, "B1", 20, 1, 1), put(1, "x", 26);
	merge_end(m, 0);
	assert_string_equal(drain(2), "A1 A2 B1");
	ranked(1, "B2", 41, 1, 2);
	assert_string_equal(all(2), "x A3 B2");
	/* one that was put back into its place */
	begin(2, true, 100);
	ranked(0, "A1", 10, 1, 1), ranked(0, "A4", 20, 1, 4);
	ranked(1, "B5", 30, 1, 5), ranked(1, "B2", 25, 1, 2);
	assert_string_equal(all(2), "A1 B2 A4 B5");
}

static void a_sequence_that_goes_back_in_its_own_source_is_left_alone(void **state)
{
	(void)state;
	begin(2, true, 100);
	ranked(0, "5", 10, 1, 5), ranked(0, "3", 11, 1, 3), ranked(0, "4", 12, 1, 4), ranked(0, "6", 13, 1, 6);
	merge_end(m, 1);
	assert_string_equal(all(2), "5 3 4 6");
	/* also where the other one has it in the same way */
	begin(2, true, 100);
	for (unsigned i = 0; i < 2; i++)
		ranked(i, "5", 10, 1, 5), ranked(i, "3", 11, 1, 3), ranked(i, "6", 13, 1, 6);
	assert_string_equal(all(2), "5 3 6");
}

static void what_is_looked_at_is_capped(void **state)
{
	struct merge_line l;

	(void)state;
	begin(2, true, 100);
	for (unsigned i = 0; i < MERGE_LINES; i++) {
		assert_true(merge_wants(m, 0));
		put(0, "x", 1000);
	}
	assert_false(merge_wants(m, 0));
	merge_end(m, 1);
	assert_true(merge_next(m, &l));
	assert_int_equal(merge_counters(m)->early, 1);
	/* what comes after all goes behind what has gone */
	put(0, "late", 990);
	assert_int_equal(merge_counters(m)->late, 1);
	assert_true(merge_next(m, &l));
	assert_int_equal(l.time, 1000);

	char *big = malloc(1 << 20);
	assert_non_null(big);
	memset(big, 'x', 1 << 20);
	big[(1 << 20) - 1] = '\0';
	begin(1, true, 100);
	size_t n = 0;
	for (; merge_wants(m, 0); n++)
		put(0, big, 1000);
	assert_int_equal(n, MERGE_BYTES / (1u << 20) + 1);
	free(big);
}

/* without any time no cap makes a line early: there is no window */
static void without_times_nothing_is_early(void **state)
{
	struct merge_line l;

	(void)state;
	begin(1, true, 100);
	while (merge_wants(m, 0))
		never(0, "x");
	assert_true(merge_next(m, &l));
	assert_int_equal(merge_counters(m)->early, 0);
}

static void a_line_keeps_its_tag_and_is_padded(void **state)
{
	struct merge_line l;
	int tag;

	(void)state;
	begin(1, true, 0);
	put(0, "hello", 1), put(0, "", 2);
	merge_end(m, 0);
	assert_true(merge_next(m, &l));
	memcpy(&tag, l.tag, sizeof tag);
	assert_int_equal(tag, 'h');
	for (size_t i = 0; i <= JSON_PAD; i++)
		assert_int_equal(l.text.p[l.text.n + i], '\n');
	assert_true(merge_next(m, &l));
	assert_int_equal(l.text.n, 0);
	assert_int_equal(l.text.p[0], '\n');
}

/* copies with different holes, one of them in disorder: all of it comes back, each line once, in order */
static void random_copies_run(unsigned copies, bool ranks)
{
	enum { N = 300 };
	static int64_t at[N], order[N];
	char expected[8 * N + 1] = "", text[16];
	size_t n = 0;

	begin(copies, true, 50);
	for (int i = 0; i < N; i++) {
		at[i] = (i ? at[i - 1] : 1000) + 1 + (int64_t)rnd(9);
		n += (size_t)snprintf(expected + n, sizeof expected - n, "%s%d", n ? " " : "", i);
	}
	for (unsigned c = 0; c < copies; c++) {
		/* by insertion, since the disorder is small */
		size_t k = 0;
		for (int i = 0; i < N; i++) {
			/* line i is in copy i % copies for certain */
			if ((unsigned)i % copies != c && rnd(3) == 0)
				continue;
			int64_t key = (at[i] + (c == 0 ? (int64_t)rnd(50) : 0)) * N + i;
			size_t p = k++;
			for (; p > 0 && order[p - 1] > key; p--)
				order[p] = order[p - 1];
			order[p] = key;
		}
		for (size_t p = 0; p < k; p++) {
			int i = (int)(order[p] % N);
			snprintf(text, sizeof text, "%d", i);
			ranked(c, text, at[i], ranks ? 1 + (size_t)i % 3 : 0, (uint64_t)i);
		}
	}
	assert_string_equal(all(copies), expected);
}

static void random_copies(void **state)
{
	(void)state;
	for (seed = 1; seed < 400; seed += 2) {
		uint64_t keep = seed;
		random_copies_run(2 + (unsigned)rnd(3), rnd(2));
		seed = keep;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_lowest_time_is_next, end),
		cmocka_unit_test_teardown(nothing_changes_places_inside_a_source, end),
		cmocka_unit_test_teardown(what_has_no_time_goes_with_the_line_before, end),
		cmocka_unit_test_teardown(no_source_and_no_line_is_the_end, end),
		cmocka_unit_test_teardown(random_sources, end),
		cmocka_unit_test_teardown(a_late_line_goes_back_to_its_place, end),
		cmocka_unit_test_teardown(what_is_later_than_the_window_stays, end),
		cmocka_unit_test_teardown(what_does_not_say_when_it_arrived_stays_with_the_line_before, end),
		cmocka_unit_test_teardown(times_of_records_do_not_close_the_window, end),
		cmocka_unit_test_teardown(copies_keep_each_other_in_step, end),
		cmocka_unit_test_teardown(a_line_that_comes_twice_in_one_copy_does_no_harm, end),
		cmocka_unit_test_teardown(of_copies_that_contradict_each_other_the_odd_line_gives_way, end),
		cmocka_unit_test_teardown(a_sequence_is_kept_over_all_copies, end),
		cmocka_unit_test_teardown(a_sequence_that_goes_back_in_its_own_source_is_left_alone, end),
		cmocka_unit_test_teardown(what_is_looked_at_is_capped, end),
		cmocka_unit_test_teardown(without_times_nothing_is_early, end),
		cmocka_unit_test_teardown(a_line_keeps_its_tag_and_is_padded, end),
		cmocka_unit_test_teardown(random_copies, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
