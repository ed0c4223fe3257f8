/* lib/bus_sub: steps of the beginning, and what becomes of servers, consumers and messages that go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus_sub.h"
#include "json.h"

#define SECOND 1000000LL

static struct bus_sub s;
static int64_t now;
static struct bus_sub_request r;

static void begin(struct bus_sub_options o)
{
	now = 1000 * SECOND;
	o.subject = o.subject.n ? o.subject : SPAN("bnc.>");
	bus_sub_open(&s, &o);
	assert_false(bus_sub_next(&s, now, &r));
	bus_sub_up(&s, now);
}

/* the next request, and where it goes */
static void asks(const char *subject)
{
	assert_true(bus_sub_next(&s, now, &r));
	assert_string_equal(r.subject, subject);
}

static void asks_nothing(void)
{
	struct bus_sub_request none;

	assert_false(bus_sub_next(&s, now, &none));
}

static bool asked_for(const char *text)
{
	return memmem(r.text, r.text_n, text, strlen(text)) != NULL;
}

static void answer(const char *text)
{
	char padded[2048 + JSON_PAD] = "";
	size_t n = strlen(text);

	memcpy(padded, text, n);
	padded[n] = '\n';
	bus_sub_answer(&s, r.token, 0, (struct span){ padded, n }, now);
}

static void answer_stream(uint64_t first, uint64_t last)
{
	char text[200];

	snprintf(text, sizeof text,
	    "{\"type\":\"x\",\"config\":{\"name\":\"bnc\"},\"state\":{\"first_seq\":%llu,\"last_seq\":%llu}}",
	    (unsigned long long)first, (unsigned long long)last);
	answer(text);
}

static void answer_consumer(uint64_t delivered, uint64_t sequence, uint64_t floor, uint64_t pending, uint64_t start)
{
	char text[500];

	snprintf(text, sizeof text,
	    "{\"stream_name\":\"bnc\",\"config\":{\"ack_policy\":\"all\",\"filter_subject\":\"bnc.\\u003e\",\"opt_"
	    "start_seq\":%llu},"
	    "\"delivered\":{\"consumer_seq\":%llu,\"stream_seq\":%llu},\"ack_floor\":{\"consumer_seq\":0,\"stream_"
	    "seq\":%llu},"
	    "\"num_ack_pending\":%llu,\"num_pending\":%llu}",
	    (unsigned long long)start, (unsigned long long)delivered, (unsigned long long)sequence,
	    (unsigned long long)floor, (unsigned long long)(sequence - floor), (unsigned long long)pending);
	answer(text);
}

#define NOT_FOUND "{\"error\":{\"code\":404,\"err_code\":10014,\"description\":\"consumer not found\"}}"

static bool message(uint64_t sequence, uint64_t number, uint64_t pending)
{
	char reply[200];

	snprintf(reply, sizeof reply, "$JS.ACK.bnc.name.1.%llu.%llu.1790526538940000000.%llu",
	    (unsigned long long)sequence, (unsigned long long)number, (unsigned long long)pending);
	return bus_sub_message(&s, s.life, span_of(reply), now);
}

/* up to the first pull of a reader of all that is there, of sequences 1 to `last` */
static void running(uint64_t last)
{
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_ALL });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, last);
	assert_true(bus_sub_next(&s, now, &r));
	answer_consumer(0, 0, 0, last, 1);
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_LIVE);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(r.pull);
}

static void the_stream_is_looked_for(void **state)
{
	(void)state;
	begin((struct bus_sub_options){ .from = BUS_SUB_NEW });
	asks("$JS.API.STREAM.NAMES");
	assert_true(asked_for("{\"subject\":\"bnc.>\"}"));
	asks_nothing();
	answer("{\"streams\":null}");
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_WAIT);
	asks_nothing();
	now = bus_sub_due(&s);
	asks("$JS.API.STREAM.NAMES");
	answer("{\"streams\":[\"bnc\"]}");
	asks("$JS.API.STREAM.INFO.bnc");
}

static void of_several_streams_none_is_taken(void **state)
{
	(void)state;
	begin((struct bus_sub_options){ .from = BUS_SUB_NEW });
	asks("$JS.API.STREAM.NAMES");
	answer("{\"streams\":[\"bnc\",\"other\"]}");
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_FAIL);
}

static void new_is_what_comes_behind_the_look(void **state)
{
	(void)state;
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_NEW });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(10, 41);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":42") && asked_for("\"ack_policy\":\"none\"") &&
		    asked_for("\"mem_storage\":true"));
	/* and stays so where the server goes before the first message */
	bus_sub_down(&s);
	asks_nothing();
	bus_sub_up(&s, now);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(10, 99);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":42"));
}

static void time_and_sequence_are_where_it_begins(void **state)
{
	(void)state;
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_TIME, .time = 1790526538965462 });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(10, 41);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_time\":\"2026-09-27T16:28:58.965462Z\""));
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_SEQUENCE, .sequence = 17 });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 5); /* it has not come so far */
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_NOTHING);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":17"));
}

static void messages_are_given_out_in_order_and_once(void **state)
{
	(void)state;
	running(100);
	assert_true(message(1, 1, 99));
	assert_true(message(2, 2, 98));
	assert_false(message(2, 3, 98)); /* given out once more */
	assert_true(message(5, 4, 95));	 /* 3 and 4 have other subjects */
	assert_int_equal(s.counters.repeated, 1);
	assert_int_equal(s.last, 5);
}

static void a_hole_is_never_jumped_over(void **state)
{
	(void)state;
	running(100);
	assert_true(message(1, 1, 99));
	unsigned life = s.life;
	assert_false(message(3, 3, 97)); /* the second was lost on the way */
	assert_int_not_equal(s.life, life);
	assert_false(message(4, 4, 96)); /* none of that consumer counts any more */
	now = bus_sub_due(&s);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":2"));
	answer_consumer(0, 1, 0, 99, 2);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(message(2, 1, 98));
	assert_true(message(3, 2, 97));
	assert_int_equal(s.counters.restarts, 1);
	assert_int_equal(s.counters.gaps, 0);
}

/* nothing may come behind it that would show the hole */
static void what_there_was_no_room_for_is_read_again(void **state)
{
	(void)state;
	running(2);
	assert_true(message(1, 1, 1));
	unsigned life = s.life;
	bus_sub_lost(&s, now);
	assert_int_not_equal(s.life, life);
	now = bus_sub_due(&s);
	asks("$JS.API.STREAM.INFO.bnc");
	bus_sub_lost(&s, now); /* an answer is missed, and asked for again */
	answer_stream(1, 2);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":2"));
	assert_int_equal(s.counters.restarts, 1);
}

static void two_pulls_at_a_time_and_no_more(void **state)
{
	(void)state;
	running(5000);
	asks_nothing();
	for (unsigned i = 1; i <= BUS_SUB_BATCH / 2; i++)
		assert_true(message(i, i, 5000 - i));
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	asks_nothing();
	for (unsigned i = BUS_SUB_BATCH / 2 + 1; i < BUS_SUB_BATCH + BUS_SUB_BATCH / 2; i++) {
		assert_true(message(i, i, 5000 - i));
		asks_nothing();
	}
	assert_true(message(768, 768, 5000 - 768));
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	asks_nothing();
}

static void a_pull_that_is_over_is_asked_anew(void **state)
{
	(void)state;
	running(0);
	uint64_t token = r.token;
	bus_sub_status(&s, s.life, token, 408, SPAN("Request Timeout"), now);
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	asks_nothing();
	/* what is said of the one before is said of nothing now */
	bus_sub_status(&s, s.life, token, 408, SPAN("Request Timeout"), now);
	asks_nothing();
	bus_sub_status(&s, s.life, r.token, 409, SPAN("Message Size Exceeds MaxBytes"), now);
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	assert_int_equal(s.counters.restarts, 0);
}

static void a_consumer_that_has_gone_is_made_anew(void **state)
{
	static const struct {
		int status;
		const char *text;
	} ends[] = { { 409, "Consumer Deleted" }, { 409, "Leadership Change" }, { 503, "" } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		running(10);
		assert_true(message(1, 1, 9));
		bus_sub_status(&s, s.life, r.token, ends[i].status, span_of(ends[i].text), now);
		assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_WAIT);
		now = bus_sub_due(&s);
		asks("$JS.API.STREAM.INFO.bnc");
		answer_stream(1, 10);
		assert_true(bus_sub_next(&s, now, &r));
		assert_true(asked_for("\"opt_start_seq\":2"));
	}
}

static void a_consumer_that_nobody_makes_has_another_name_the_next_time(void **state)
{
	char subject[sizeof r.subject];

	(void)state;
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_ALL });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100);
	assert_true(bus_sub_next(&s, now, &r));
	strcpy(subject, r.subject);
	now = bus_sub_due(&s);
	asks_nothing();
	now = bus_sub_due(&s);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100);
	assert_true(bus_sub_next(&s, now, &r));
	assert_memory_equal(r.subject, subject, 40);
	assert_string_not_equal(r.subject, subject);
}

static void silence_is_not_waited_out(void **state)
{
	(void)state;
	running(0);
	now += BUS_SUB_SILENCE - 1;
	asks_nothing();
	bus_sub_status(&s, s.life, r.token, 100, SPAN("Idle Heartbeat"), now);
	now += BUS_SUB_SILENCE - 1;
	asks_nothing();
	now += 1;
	asks_nothing();
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_WAIT);
	assert_int_equal(s.counters.restarts, 1);
	/* and an answer that does not come is asked for again */
	now = bus_sub_due(&s);
	asks("$JS.API.STREAM.INFO.bnc");
	uint64_t token = r.token;
	now = bus_sub_due(&s);
	asks_nothing();
	now = bus_sub_due(&s);
	asks("$JS.API.STREAM.INFO.bnc");
	assert_int_not_equal(token, r.token);
	bus_sub_answer(&s, token, 503, SPAN(""), now); /* to the one before */
	assert_int_equal(s.step, BUS_SUB_STREAM);
}

static void what_the_stream_keeps_no_longer_is_told(void **state)
{
	(void)state;
	running(10);
	assert_true(message(1, 1, 9));
	bus_sub_down(&s);
	bus_sub_up(&s, now);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(6, 10);
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_GAP);
	assert_non_null(strstr(s.text, "keeps no longer, sequences 2 to 5"));
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":6"));
}

static void what_it_drops_before_a_slow_reader_is_told(void **state)
{
	(void)state;
	running(100);
	assert_true(message(1, 1, 99));
	assert_true(message(50, 2, 50));
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100); /* all is there: they were of other subjects */
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_NOTHING);
	assert_true(message(60, 3, 40));
	asks_nothing();
	now += BUS_SUB_LOOK_US / 2;
	bus_sub_status(&s, s.life, 1, 100, SPAN("Idle Heartbeat"), now);
	asks_nothing();
	now += BUS_SUB_LOOK_US / 2;
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(60, 100);
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_GAP);
	assert_non_null(strstr(s.text, "sequences 51 to 59"));
	assert_int_equal(s.counters.gaps, 1);
}

static void a_stream_that_begins_anew_is_told_and_read(void **state)
{
	(void)state;
	running(10);
	assert_true(message(1, 1, 9));
	assert_true(message(10, 2, 0));
	bus_sub_down(&s);
	bus_sub_up(&s, now);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 3);
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_GAP);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":1"));
}

static void a_snapshot_that_is_cut_is_taken_up_where_it_was(void **state)
{
	(void)state;
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_LAST });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("last_per_subject"));
	answer_consumer(0, 0, 0, 3, 0);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(message(40, 1, 2));
	bus_sub_down(&s);
	bus_sub_up(&s, now);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 101);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("last_per_subject"));
	answer_consumer(0, 0, 0, 3, 0);
	assert_true(bus_sub_next(&s, now, &r));
	assert_false(message(40, 1, 2));
	assert_true(message(90, 2, 1));
	assert_true(message(101, 3, 0));
	/* behind the snapshot every message counts */
	bus_sub_down(&s);
	bus_sub_up(&s, now);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 105);
	assert_true(bus_sub_next(&s, now, &r));
	assert_true(asked_for("\"opt_start_seq\":102"));
}

/* ------------------------------------------------------------------------------------------------- durable */

static void look(void)
{
	begin((struct bus_sub_options){ .stream = SPAN("bnc"), .from = BUS_SUB_ALL, .durable = SPAN("me") });
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100);
	asks("$JS.API.CONSUMER.INFO.bnc.me");
}

static void a_durable_one_that_is_missing_is_made(void **state)
{
	(void)state;
	look();
	answer(NOT_FOUND);
	asks("$JS.API.CONSUMER.INFO.bnc.me-next");
	answer(NOT_FOUND);
	asks("$JS.API.CONSUMER.DURABLE.CREATE.bnc.me");
	assert_true(asked_for("\"durable_name\":\"me\"") && asked_for("\"ack_policy\":\"all\"") &&
		    asked_for("\"opt_start_seq\":1"));
	answer_consumer(0, 0, 0, 100, 1);
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
}

static void a_durable_one_goes_on_where_it_was(void **state)
{
	(void)state;
	look();
	answer_consumer(17, 20, 20, 80, 1);
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	assert_string_equal(r.subject, "$JS.API.CONSUMER.MSG.NEXT.bnc.me");
	assert_true(message(21, 18, 79));
}

static void what_was_given_out_and_not_acknowledged_comes_again_at_once(void **state)
{
	(void)state;
	look();
	answer_consumer(17, 20, 15, 80, 1);
	asks("$JS.API.CONSUMER.DURABLE.CREATE.bnc.me-next");
	assert_true(asked_for("\"opt_start_seq\":16"));
	answer_consumer(0, 15, 15, 85, 16);
	asks("$JS.API.CONSUMER.DELETE.bnc.me");
	answer("{\"success\":true}");
	asks("$JS.API.CONSUMER.DURABLE.CREATE.bnc.me");
	assert_true(asked_for("\"opt_start_seq\":16"));
	answer_consumer(0, 15, 15, 85, 16);
	asks("$JS.API.CONSUMER.DELETE.bnc.me-next");
	answer("{\"success\":true}");
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	assert_true(message(16, 1, 84));
}

/* died between the deletion and what was to follow */
static void the_kept_place_is_found_again(void **state)
{
	(void)state;
	look();
	answer(NOT_FOUND);
	asks("$JS.API.CONSUMER.INFO.bnc.me-next");
	answer_consumer(0, 15, 15, 85, 16);
	asks("$JS.API.CONSUMER.DURABLE.CREATE.bnc.me");
	assert_true(asked_for("\"opt_start_seq\":16"));
	answer_consumer(0, 15, 15, 85, 16);
	asks("$JS.API.CONSUMER.DELETE.bnc.me-next");
	answer(NOT_FOUND);
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
}

static void a_cut_repeats_nothing_that_was_written(void **state)
{
	(void)state;
	look();
	answer_consumer(0, 0, 0, 100, 1);
	assert_true(bus_sub_next(&s, now, &r) && r.pull);
	assert_true(message(1, 1, 99));
	assert_true(message(2, 2, 98));
	bus_sub_down(&s);
	bus_sub_up(&s, now);
	asks("$JS.API.STREAM.INFO.bnc");
	answer_stream(1, 100);
	asks("$JS.API.CONSUMER.INFO.bnc.me");
	/* the third was lost on the way, and the second's acknowledgement, too */
	answer_consumer(3, 3, 1, 97, 1);
	asks("$JS.API.CONSUMER.DURABLE.CREATE.bnc.me-next");
	assert_true(asked_for("\"opt_start_seq\":3"));
}

static void anothers_consumer_is_left_alone(void **state)
{
	(void)state;
	look();
	answer("{\"config\":{\"ack_policy\":\"explicit\",\"filter_subject\":\"bnc.>\"},\"delivered\":{\"consumer_seq\":"
	       "1}}");
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_FAIL);
	look();
	answer("{\"config\":{\"ack_policy\":\"all\",\"filter_subject\":\"other\"},\"delivered\":{\"consumer_seq\":1}}");
	assert_int_equal(bus_sub_say(&s), BUS_SUB_SAY_FAIL);
}

static void nonsense_is_survived(void **state)
{
	static const char *const texts[] = { "", "x", "[]", "{}", "{\"error\":{}}", "{\"error\":{\"code\":\"x\"}}",
		"{\"state\":7}", "{\"streams\":[7]}", "{\"error\":{\"code\":500,\"description\":\"no\"}}" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (int steps = 0; steps < 3; steps++) {
			begin((struct bus_sub_options){ .from = BUS_SUB_NEW });
			asks("$JS.API.STREAM.NAMES");
			if (steps > 0) {
				answer("{\"streams\":[\"bnc\"]}");
				asks("$JS.API.STREAM.INFO.bnc");
			}
			if (steps > 1) {
				answer_stream(1, 1);
				assert_true(bus_sub_next(&s, now, &r));
			}
			enum bus_sub_step step = s.step;
			answer(texts[i]);
			assert_true(s.step == BUS_SUB_REST || s.step == step);
			assert_true(bus_sub_due(&s) < INT64_MAX);
		}
	running(1);
	static const char *const replies[] = { "", "$JS.ACK", "$JS.ACK.a.b.1.0.1.1.1", "$JS.ACK.a.b.1.x.1.1.1",
		"_INBOX.a.b" };
	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
		assert_false(bus_sub_message(&s, s.life, span_of(replies[i]), now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stream_is_looked_for),
		cmocka_unit_test(of_several_streams_none_is_taken),
		cmocka_unit_test(new_is_what_comes_behind_the_look),
		cmocka_unit_test(time_and_sequence_are_where_it_begins),
		cmocka_unit_test(messages_are_given_out_in_order_and_once),
		cmocka_unit_test(a_hole_is_never_jumped_over),
		cmocka_unit_test(what_there_was_no_room_for_is_read_again),
		cmocka_unit_test(two_pulls_at_a_time_and_no_more),
		cmocka_unit_test(a_pull_that_is_over_is_asked_anew),
		cmocka_unit_test(a_consumer_that_has_gone_is_made_anew),
		cmocka_unit_test(a_consumer_that_nobody_makes_has_another_name_the_next_time),
		cmocka_unit_test(silence_is_not_waited_out),
		cmocka_unit_test(what_the_stream_keeps_no_longer_is_told),
		cmocka_unit_test(what_it_drops_before_a_slow_reader_is_told),
		cmocka_unit_test(a_stream_that_begins_anew_is_told_and_read),
		cmocka_unit_test(a_snapshot_that_is_cut_is_taken_up_where_it_was),
		cmocka_unit_test(a_durable_one_that_is_missing_is_made),
		cmocka_unit_test(a_durable_one_goes_on_where_it_was),
		cmocka_unit_test(what_was_given_out_and_not_acknowledged_comes_again_at_once),
		cmocka_unit_test(the_kept_place_is_found_again),
		cmocka_unit_test(a_cut_repeats_nothing_that_was_written),
		cmocka_unit_test(anothers_consumer_is_left_alone),
		cmocka_unit_test(nonsense_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
