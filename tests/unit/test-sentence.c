/* lib/sentence: what fits, and where it is cut */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sentence.h"

static void they_end_between_characters(void **state)
{
	struct sentence t = { .n = 0 };
	char text[600];

	(void)state;
	memset(text, 'a', sizeof text);
	sentence_say(&t, (struct span){ text, 510 });
	sentence_say_lit(&t, "牛"); /* three bytes */
	assert_int_equal(t.n, 510);
	sentence_say_lit(&t, "b"); /* nothing may stand behind a gap */
	assert_int_equal(t.n, 510);
	t = (struct sentence){ .n = 0 };
	sentence_say(&t, (struct span){ text, 509 });
	sentence_say_lit(&t, "牛");
	assert_int_equal(t.n, 512);
	sentence_say_number(&t, (struct dec){ 7, 0 });
	assert_int_equal(t.n, 512);
	t = (struct sentence){ .n = 0 };
	sentence_say(&t, (struct span){ text, sizeof text });
	assert_int_equal(t.n, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_end_between_characters),
	};

	return cmocka_run_group_tests_name("sentence", tests, NULL, NULL);
}
