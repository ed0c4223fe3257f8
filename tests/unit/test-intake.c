/* lib/intake: lines of standard input, what is no text refused, and the one that has begun the last after a stop */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "intake.h"

static struct intake in;
static int feed = -1; /* what is written there is read */
static char said[1024];

static __attribute__((format(printf, 1, 2))) void tell(const char *format, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, format);
	n += (size_t)vsnprintf(said + n, sizeof said - n, format, ap);
	va_end(ap);
	snprintf(said + n, sizeof said - n, "\n");
}

static void open_it(bool strict)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
	feed = fds[1];
	said[0] = '\0';
	assert_true(intake_open(&in, strict, tell));
}

static int close_it(void **state)
{
	(void)state;
	intake_close(&in);
	if (feed >= 0)
		close(feed);
	feed = -1;
	return 0;
}

static void write_it(const char *text)
{
	assert_int_equal(write(feed, text, strlen(text)), strlen(text));
}

static void gives(const char *text)
{
	struct span line;

	assert_true(intake_next(&in, &line));
	assert_true(span_is(line, text));
}

static void gives_nothing(bool over)
{
	struct span line;

	assert_false(intake_next(&in, &line));
	assert_false(intake_waits(&in));
	assert_int_equal(in.over, over);
}

static void whole_lines_are_given_and_the_end_is_seen(void **state)
{
	(void)state;
	open_it(false);
	gives_nothing(false);
	write_it("a\nb\nc");
	assert_true(intake_read(&in));
	assert_true(intake_waits(&in));
	gives("a");
	gives("b");
	gives_nothing(false);
	close(feed);
	feed = -1;
	assert_true(intake_read(&in));
	gives("c");
	gives_nothing(true);
	intake_end(&in);
	assert_int_equal(in.lines, 3);
	assert_string_equal(said, "");
}

static void what_is_no_text_is_refused_and_left_out(void **state)
{
	(void)state;
	open_it(false);
	write_it("a\nb\xff\nc\n");
	assert_true(intake_read(&in));
	gives("a");
	gives("c");
	assert_int_equal(in.lines, 3);
	assert_int_equal(in.refused.lines, 1);
	assert_non_null(strstr(said, "line 2: byte 1: "));
}

static void under_strict_it_is_the_last(void **state)
{
	(void)state;
	open_it(true);
	write_it("a\nb\xff\nc\n");
	assert_true(intake_read(&in));
	gives("a");
	gives_nothing(true);
}

static void what_the_program_refuses_has_the_number_of_its_line(void **state)
{
	(void)state;
	open_it(true);
	write_it("a\nb\nc\n");
	assert_true(intake_read(&in));
	gives("a");
	gives("b");
	intake_refuse(&in, 0, "no");
	assert_string_equal(said, "line 2: byte 0: no\n");
	gives_nothing(true);
}

static void after_a_stop_the_line_that_has_begun_is_the_last(void **state)
{
	(void)state;
	open_it(false);
	write_it("a\nb");
	assert_true(intake_read(&in));
	gives("a");
	gives_nothing(false);
	intake_stop(&in);
	write_it("c\nd\n");
	while (!intake_waits(&in))
		assert_true(intake_read(&in));
	gives("bc");
	gives_nothing(true);
	intake_end(&in);
	assert_int_equal(in.refused.lines, 0);
}

static void between_two_lines_a_stop_takes_no_more(void **state)
{
	(void)state;
	open_it(false);
	write_it("a\n");
	assert_true(intake_read(&in));
	intake_stop(&in);
	write_it("b\n");
	gives("a");
	assert_true(intake_read(&in));
	gives_nothing(true);
	intake_end(&in);
	assert_int_equal(in.refused.lines, 0);
}

static void a_line_whose_end_does_not_come_is_refused(void **state)
{
	(void)state;
	open_it(false);
	write_it("a");
	assert_true(intake_read(&in));
	intake_stop(&in);
	gives_nothing(false);
	intake_end(&in);
	assert_string_equal(said, "line 1: byte 0: its end did not come\n");
}

static void nothing_to_be_read_now_is_no_end(void **state)
{
	(void)state;
	open_it(false);
	assert_int_equal(fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK), 0);
	assert_true(intake_read(&in));
	gives_nothing(false);
	assert_string_equal(said, "");
	write_it("a\n");
	assert_true(intake_read(&in));
	gives("a");
}

static void an_input_that_breaks_is_told_by_errno(void **state)
{
	(void)state;
	open_it(false);
	close(STDIN_FILENO);
	assert_false(intake_read(&in));
	assert_string_equal(said, "standard input:\n");
	assert_true(in.over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(whole_lines_are_given_and_the_end_is_seen, close_it),
		cmocka_unit_test_teardown(what_is_no_text_is_refused_and_left_out, close_it),
		cmocka_unit_test_teardown(under_strict_it_is_the_last, close_it),
		cmocka_unit_test_teardown(what_the_program_refuses_has_the_number_of_its_line, close_it),
		cmocka_unit_test_teardown(after_a_stop_the_line_that_has_begun_is_the_last, close_it),
		cmocka_unit_test_teardown(between_two_lines_a_stop_takes_no_more, close_it),
		cmocka_unit_test_teardown(a_line_whose_end_does_not_come_is_refused, close_it),
		cmocka_unit_test_teardown(nothing_to_be_read_now_is_no_end, close_it),
		cmocka_unit_test_teardown(an_input_that_breaks_is_told_by_errno, close_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
