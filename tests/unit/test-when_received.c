/* lib/when: is the time of a line that of its arrival? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "when.h"

static struct when w;

static bool received(const char *line)
{
	char padded[256] = { 0 };
	size_t n = strlen(line);

	memcpy(padded, line, n);
	padded[n] = '\n';
	when_line(&w, (struct span){ padded, n });
	return w.received;
}

static void a_time_in_front_and_recv_are(void **state)
{
	static const char *const lines[] = { "{\"recv\":5,\"data\":{\"E\":1}}", "{\"data\":{\"E\":1},\"recv\":5}",
		"{ \"recv\" : 5 }", "{\"type\":\"heartbeat\",\"ts\":7,\"recv\":5}", "1723161600002 {\"E\":1}",
		"1723161600002201584 [1]" };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (!received(lines[i]))
			fail_msg("%s", lines[i]);
}

/* each behind one that was */
static void other_times_are_not(void **state)
{
	static const char *const lines[] = { "{\"type\":\"heartbeat\",\"ts\":7}", "{\"e\":\"trade\",\"E\":7}",
		"{\"data\":{\"recv\":7,\"E\":7}}", "[{\"E\":7}]", "[{\"recv\":7}]", "{\"recv\":\"7\"}", "{}", "x", "",
		"12 {}", "{\"recv\":7" };

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_true(received("{\"recv\":5,\"x\":1}"));
		if (received(lines[i]))
			fail_msg("%s", lines[i]);
	}
}

static int open_it(void **state)
{
	(void)state;
	when_open(&w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_in_front_and_recv_are),
		cmocka_unit_test(other_times_are_not),
	};

	return cmocka_run_group_tests(tests, open_it, NULL);
}
