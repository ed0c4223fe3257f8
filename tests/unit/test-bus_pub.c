/* lib/bus_pub: the window, order of a subject, what is sent again, what a full backlog leaves out and how that is told
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus_pub.h"

#define SECOND 1000000LL
#define CAP    (4u << 20)

static struct bus_pub *p;
static int64_t now;

static void begin(unsigned window, uint64_t bytes)
{
	now = 1000 * SECOND;
	p = bus_pub_new(&(struct bus_pub_options){
	    .cap = CAP, .window = window, .bytes = bytes, .ack_wait = 3 * SECOND, .run = 7 });
	assert_non_null(p);
	bus_pub_up(p, now);
}

static int end(void **state)
{
	(void)state;
	bus_pub_free(p);
	p = NULL;
	return 0;
}

static struct bus_pub_line line(const char *subject, const char *id, const char *text)
{
	return (struct bus_pub_line){ span_of(subject), span_of(id), SPAN("s@x"), span_of(text) };
}

static uint64_t marks;

static enum bus_pub_put put(const char *subject, const char *text)
{
	struct bus_pub_line l = line(subject, "", text);

	return bus_pub_put(p, &l, ++marks, 5);
}

/* the next message, which must have this text */
static uint32_t sends(const char *text)
{
	struct bus_pub_message m;

	assert_true(bus_pub_next(p, now, &m));
	assert_int_equal(m.text.n, strlen(text));
	assert_memory_equal(m.text.p, text, m.text.n);
	return m.token;
}

static void sends_nothing(void)
{
	struct bus_pub_message m;

	assert_false(bus_pub_next(p, now, &m));
}

static void stored(uint32_t token)
{
	assert_true(bus_pub_stored(p, token, false));
}

static void of_a_subject_one_at_a_time(void **state)
{
	(void)state;
	begin(8, 1 << 20);
	put("a", "a1");
	put("a", "a2");
	put("b", "b1");
	put("a", "a3");
	uint32_t a1 = sends("a1"), b1 = sends("b1");
	sends_nothing();
	stored(b1);
	sends_nothing();
	stored(a1);
	uint32_t a2 = sends("a2");
	sends_nothing();
	stored(a2);
	stored(sends("a3"));
	sends_nothing();
	assert_true(bus_pub_empty(p));
	assert_int_equal(bus_pub_bytes(p), 0);
	assert_int_equal(bus_pub_counters(p)->stored, 4);
}

static void the_window_is_kept(void **state)
{
	char subject[8];
	uint32_t token[3];

	(void)state;
	begin(3, 1 << 20);
	for (int i = 0; i < 9; i++) {
		snprintf(subject, sizeof subject, "s%d", i);
		put(subject, "x");
	}
	for (int i = 0; i < 3; i++)
		token[i] = sends("x");
	sends_nothing();
	assert_int_equal(bus_pub_flying(p), 3);
	stored(token[1]);
	sends("x");
	sends_nothing();
}

static void the_window_has_bytes_too_but_one_line_always_goes(void **state)
{
	(void)state;
	begin(8, 10);
	put("a", "0123456789abcdef");
	put("b", "12");
	put("c", "34");
	uint32_t a = sends("0123456789abcdef");
	sends_nothing();
	stored(a);
	sends("12");
	sends("34");
}

static void without_an_answer_it_goes_again_with_its_id(void **state)
{
	struct bus_pub_message first, again;
	struct bus_pub_line l = line("a", "usdm:x:1", "text");

	(void)state;
	begin(8, 1 << 20);
	assert_int_equal(bus_pub_put(p, &l, 1, 5), BUS_PUB_TAKEN);
	assert_true(bus_pub_next(p, now, &first));
	assert_false(first.again);
	assert_int_equal(bus_pub_due(p), now + 3 * SECOND);
	now += 3 * SECOND - 1;
	sends_nothing();
	now++;
	assert_true(bus_pub_next(p, now, &again));
	assert_true(again.again);
	assert_int_equal(again.token, first.token);
	assert_true(span_is(again.id, "usdm:x:1"));
	sends_nothing();
	/* the answer to either is the answer */
	stored(first.token);
	assert_false(bus_pub_stored(p, again.token, true));
	assert_true(bus_pub_empty(p));
	assert_int_equal(bus_pub_counters(p)->again, 1);
}

static void a_new_connection_sends_again_what_was_under_way_and_that_alone(void **state)
{
	(void)state;
	begin(8, 1 << 20);
	put("a", "a1");
	put("a", "a2");
	put("b", "b1");
	uint32_t a1 = sends("a1"), b1 = sends("b1");
	stored(b1);
	bus_pub_up(p, now);
	assert_int_equal(sends("a1"), a1);
	sends_nothing();
	stored(a1);
	sends("a2");
}

static void what_could_not_be_sent_waits_a_little(void **state)
{
	(void)state;
	begin(8, 1 << 20);
	put("a", "a1");
	uint32_t t = sends("a1");
	bus_pub_later(p, t, now, SECOND / 5);
	sends_nothing();
	assert_int_equal(bus_pub_due(p), now + SECOND / 5);
	now += SECOND / 5;
	assert_int_equal(sends("a1"), t);
}

static void an_answer_to_nobody_is_none(void **state)
{
	struct span subject;

	(void)state;
	begin(2, 1 << 20);
	assert_false(bus_pub_stored(p, 0, false));
	put("a", "a1");
	uint32_t t = sends("a1");
	assert_false(bus_pub_stored(p, t + 4096, false)); /* another use of the place */
	assert_false(bus_pub_stored(p, t ^ 1, false));
	assert_false(bus_pub_stored(p, 4095, false));
	assert_false(bus_pub_refused(p, 4095, 5, &subject));
	bus_pub_later(p, 4095, now, 1);
	stored(t);
	assert_false(bus_pub_stored(p, t, false));
}

static void ids_of_its_own_are_all_different(void **state)
{
	struct bus_pub_message m, n;

	(void)state;
	begin(8, 1 << 20);
	put("a", "same");
	put("b", "same");
	assert_true(bus_pub_next(p, now, &m));
	char id[64];
	memcpy(id, m.id.p, m.id.n);
	size_t n1 = m.id.n;
	assert_true(bus_pub_next(p, now, &n));
	assert_false(span_eq((struct span){ id, n1 }, n.id));
	assert_memory_equal(id, "0000000000000007-", 17);
}

static void marks_tell_how_far_it_has_come(void **state)
{
	(void)state;
	begin(8, 1 << 20);
	marks = 0;
	put("a", "1");
	put("b", "2");
	put("c", "3");
	uint32_t a = sends("1"), b = sends("2"), c = sends("3");
	stored(b);
	assert_int_equal(bus_pub_mark(p), 0);
	stored(a);
	assert_int_equal(bus_pub_mark(p), 2);
	stored(c);
	assert_int_equal(bus_pub_mark(p), 3);
}

static char big[64 << 10];

static unsigned fill(const char *subject)
{
	unsigned n = 0;

	memset(big, 'x', sizeof big - 1);
	while (put(subject, big) == BUS_PUB_TAKEN)
		n++;
	return n;
}

static void the_backlog_has_a_cap_and_what_is_left_out_is_told_in_its_place(void **state)
{
	struct bus_pub_message m;
	struct bus_pub_line l = line("a", "", "lost");

	(void)state;
	begin(8, 1 << 30);
	unsigned n = fill("a");
	assert_in_range(n, 50, 64);
	assert_true(bus_pub_bytes(p) <= CAP);
	assert_int_equal(put("a", big), BUS_PUB_FULL);
	assert_true(bus_pub_drop(p, &l, 60000));
	assert_true(bus_pub_dropping(p));
	/* a short line would fit, but then lines would come and go one by one */
	assert_int_equal(put("b", "1"), BUS_PUB_CLOSED);
	assert_true(bus_pub_drop(p, &l, 61000));
	l.subject = SPAN("b");
	assert_true(bus_pub_drop(p, &l, 62000));
	assert_false(bus_pub_mend(p, 63000));
	for (unsigned i = 0; i <= n / 2 + 1; i++)
		stored(sends(big));
	assert_true(bus_pub_mend(p, 64000));
	assert_false(bus_pub_mend(p, 65000));
	assert_int_equal(put("a", "after"), BUS_PUB_TAKEN);
	unsigned gaps = 0, after = 0;
	while (bus_pub_next(p, now, &m)) {
		const char *gap = memmem(m.text.p, m.text.n, "\"state\":\"gap\"", 13);
		gaps += gap != NULL;
		if (span_is(m.text, "after"))
			after = gaps;
		if (gap && span_is(m.subject, "a")) {
			assert_non_null(memmem(m.text.p, m.text.n, "\"stream\":\"s@x\"", 14));
			assert_non_null(memmem(m.text.p, m.text.n,
			    "2 lines not published between 1970-01-01T00:01:00.000Z and 1970-01-01T00:01:01.000Z: the "
			    "backlog was full",
			    104));
		}
		if (gap && span_is(m.subject, "b"))
			assert_non_null(memmem(m.text.p, m.text.n, "1 line not", 10));
		stored(m.token);
	}
	assert_int_equal(gaps, 2);
	assert_int_equal(after, 2);
	assert_true(bus_pub_empty(p));
	assert_int_equal(bus_pub_counters(p)->dropped, 3);
	assert_int_equal(bus_pub_counters(p)->gaps, 2);
}

static void what_the_server_refuses_is_told_too(void **state)
{
	struct bus_pub_message m;
	struct span subject;

	(void)state;
	begin(8, 1 << 20);
	put("a", "bad");
	put("a", "good");
	assert_true(bus_pub_refused(p, sends("bad"), 60000, &subject));
	assert_true(span_is(subject, "a"));
	assert_false(bus_pub_empty(p));
	stored(sends("good"));
	assert_false(bus_pub_mend(p, 61000)); /* nothing had been closed */
	assert_true(bus_pub_next(p, now, &m));
	assert_non_null(memmem(m.text.p, m.text.n, "the server refused them", 23));
	/* of a record that is refused as well no other is made */
	assert_true(bus_pub_refused(p, m.token, 60000, &subject));
	bus_pub_mend(p, 62000);
	sends_nothing();
	assert_true(bus_pub_empty(p));
}

static void subjects_have_a_cap_and_are_forgotten(void **state)
{
	char subject[16];
	struct bus_pub_message m;

	(void)state;
	begin(64, 1 << 20);
	for (unsigned i = 0; i < BUS_PUB_SUBJECTS; i++) {
		snprintf(subject, sizeof subject, "s%u", i);
		assert_int_equal(put(subject, "x"), BUS_PUB_TAKEN);
	}
	assert_int_equal(put("one.more", "x"), BUS_PUB_CROWDED);
	struct bus_pub_line l = line("one.more", "", "x");
	assert_false(bus_pub_drop(p, &l, 5));
	while (bus_pub_next(p, now, &m))
		stored(m.token);
	bus_pub_mend(p, 6);
	for (unsigned i = 0; i < 3 * BUS_PUB_SUBJECTS; i++) {
		snprintf(subject, sizeof subject, "t%u", i);
		assert_int_equal(put(subject, "x"), BUS_PUB_TAKEN);
		stored(sends("x"));
	}
}

static void what_is_not_stored_can_be_taken_back_in_order(void **state)
{
	struct span text;
	uint64_t mark;

	(void)state;
	begin(8, 1 << 20);
	marks = 0;
	put("a", "1");
	put("b", "2");
	put("a", "3");
	uint32_t a = sends("1");
	sends("2");
	stored(a);
	assert_true(bus_pub_take_back(p, &text, &mark));
	assert_true(span_is(text, "2") && mark == 2);
	assert_true(bus_pub_take_back(p, &text, &mark));
	assert_true(span_is(text, "3") && mark == 3);
	assert_false(bus_pub_take_back(p, &text, &mark));
}

/* Against a model: a server that stores, loses, answers late or not at all. Whatever it does, of each subject all lines
 * arrive in their order, once when told apart by their ids. */
#define SUBJECTS 7
static void any_server_gets_all_in_order(void **state)
{
	struct bus_pub_message m;
	unsigned written[SUBJECTS] = { 0 }, seen[SUBJECTS] = { 0 };
	char subject[8], text[24], stored_text[SUBJECTS][24] = { "" };
	uint32_t late[64];
	size_t n_late = 0;

	(void)state;
	srandom(11);
	begin(4, 1 << 20);
	for (int step = 0; step < 200000; step++) {
		unsigned s = (unsigned)random() % SUBJECTS;
		bool closing = step > 150000;
		if (!closing && random() % 10 == 0) {
			snprintf(subject, sizeof subject, "s%u", s);
			snprintf(text, sizeof text, "%u", written[s] + 1);
			if (put(subject, text) == BUS_PUB_TAKEN)
				written[s]++;
		}
		now += random() % (SECOND / 50);
		if (random() % 1000 == 0)
			bus_pub_up(p, now);
		if (n_late && random() % 3 == 0)
			bus_pub_stored(p, late[--n_late], false);
		while (bus_pub_next(p, now, &m)) {
			unsigned of = (unsigned)(m.subject.p[1] - '0');
			if (random() % 50 == 0)
				continue; /* lost on the way there */
			if (!span_is(m.text, stored_text[of])) {
				memcpy(stored_text[of], m.text.p, m.text.n);
				stored_text[of][m.text.n] = '\0';
				assert_int_equal(atoi(stored_text[of]), ++seen[of]);
			} else {
				assert_true(m.again);
			}
			if (random() % 50 == 0)
				continue; /* the answer is lost */
			if (n_late < 64 && random() % 2)
				late[n_late++] = m.token;
			else
				bus_pub_stored(p, m.token, false);
		}
	}
	assert_true(bus_pub_empty(p));
	for (int s = 0; s < SUBJECTS; s++) {
		assert_true(written[s] > 1000);
		assert_int_equal(seen[s], written[s]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(of_a_subject_one_at_a_time, end),
		cmocka_unit_test_teardown(the_window_is_kept, end),
		cmocka_unit_test_teardown(the_window_has_bytes_too_but_one_line_always_goes, end),
		cmocka_unit_test_teardown(without_an_answer_it_goes_again_with_its_id, end),
		cmocka_unit_test_teardown(a_new_connection_sends_again_what_was_under_way_and_that_alone, end),
		cmocka_unit_test_teardown(what_could_not_be_sent_waits_a_little, end),
		cmocka_unit_test_teardown(an_answer_to_nobody_is_none, end),
		cmocka_unit_test_teardown(ids_of_its_own_are_all_different, end),
		cmocka_unit_test_teardown(marks_tell_how_far_it_has_come, end),
		cmocka_unit_test_teardown(the_backlog_has_a_cap_and_what_is_left_out_is_told_in_its_place, end),
		cmocka_unit_test_teardown(what_the_server_refuses_is_told_too, end),
		cmocka_unit_test_teardown(subjects_have_a_cap_and_are_forgotten, end),
		cmocka_unit_test_teardown(what_is_not_stored_can_be_taken_back_in_order, end),
		cmocka_unit_test_teardown(any_server_gets_all_in_order, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
