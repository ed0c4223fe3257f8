/* lib/binance_error: every code and status that is documented, and what replies come to */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_error.h"

#define SECOND 1000000LL

static struct binance_refusal r;

static bool reads(int status, int64_t retry_after, const char *body, int64_t server_ms)
{
	static char text[4096];
	size_t n = strlen(body);

	memcpy(text, body, n);
	memset(text + n, '\n', JSON_PAD);
	struct binance_reply reply = { status, retry_after, { text, n } };
	return binance_error_read(&r, &reply, server_ms);
}

/* binance 4.4: the whole table */
static void every_code(void **state)
{
	static const int codes[] = { -1000, -1001, -1003, -1006, -1007, -1008, -1021, -1022, -1100, -1102, -1120, -1121,
		-1125, -1130, -2014, -2015, -4021, -4109, -4166 };
	size_t n;

	(void)state;
	const struct binance_error *all = binance_errors(&n);
	assert_int_equal(n, sizeof codes / sizeof codes[0]);
	for (size_t i = 0; i < n; i++) {
		char body[100];
		const struct binance_error *e = binance_error(codes[i]);
		assert_non_null(e);
		assert_int_equal(e->code, codes[i]);
		assert_true(strlen(e->what_to_do) > 20);
		assert_non_null(strchr(e->what_to_do, ':')); /* what it is, and what to do */
		assert_int_not_equal(e->what_to_do[strlen(e->what_to_do) - 1], '.');
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(all[i].what_to_do, all[k].what_to_do);
		/* the sentence is told, whole, with the code and the exchange's own words */
		snprintf(body, sizeof body, "{\"code\":%d,\"msg\":\"Some words.\"}", codes[i]);
		assert_true(reads(400, -1, body, 0));
		assert_int_equal(r.remedy, e->remedy);
		assert_non_null(strstr(r.text, e->what_to_do));
		assert_non_null(strstr(r.text, "Some words."));
		snprintf(body, sizeof body, "HTTP 400, code %d: ", codes[i]);
		assert_memory_equal(r.text, body, strlen(body));
	}
	assert_null(binance_error(-1));
	assert_null(binance_error(0));
}

static void remedies(void **state)
{
	static const struct {
		int status;
		const char *body;
		enum binance_remedy remedy;
	} all[] = {
		{ 400, "{\"code\":-1021,\"msg\":\"x\"}", BINANCE_RESYNC },
		{ 400, "{\"code\":-1022,\"msg\":\"x\"}", BINANCE_GIVE_UP },
		{ 401, "{\"code\":-2014,\"msg\":\"x\"}", BINANCE_GIVE_UP },
		{ 401, "{\"code\":-2015,\"msg\":\"x\"}", BINANCE_GIVE_UP },
		{ 400, "{\"code\":-1125,\"msg\":\"x\"}", BINANCE_NEW_KEY },
		{ 400, "{\"code\":-1007,\"msg\":\"x\"}", BINANCE_RETRY },
		{ 500, "{\"code\":-1000,\"msg\":\"x\"}", BINANCE_RETRY },
		{ 503, "{\"code\":-1008,\"msg\":\"x\"}", BINANCE_RETRY },
		{ 429, "{\"code\":-1003,\"msg\":\"x\"}", BINANCE_WAIT },
		{ 418, "{\"code\":-1003,\"msg\":\"x\"}", BINANCE_WAIT },
		{ 400, "{\"code\":-1003,\"msg\":\"x\"}", BINANCE_WAIT },
		{ 429, "{\"code\":-1000,\"msg\":\"x\"}", BINANCE_WAIT }, /* a ban is one whatever comes with it */
		{ 451, "{\"code\":-1000,\"msg\":\"x\"}", BINANCE_GIVE_UP },
		{ 200, "{\"code\":-1021,\"msg\":\"x\"}", BINANCE_RESYNC },
		{ 200, "{\"code\":-9999,\"msg\":\"x\"}", BINANCE_GIVE_UP },
		{ 401, "", BINANCE_GIVE_UP },
		{ 403, "<html>", BINANCE_GIVE_UP },
		{ 404, "", BINANCE_GIVE_UP },
		{ 407, "", BINANCE_GIVE_UP },
		{ 408, "", BINANCE_RETRY },
		{ 418, "", BINANCE_WAIT },
		{ 425, "", BINANCE_RETRY },
		{ 429, "<html>", BINANCE_WAIT },
		{ 451, "<html>", BINANCE_GIVE_UP },
		{ 499, "", BINANCE_GIVE_UP },
		{ 500, "", BINANCE_RETRY },
		{ 502, "<html>", BINANCE_RETRY },
		{ 599, "", BINANCE_RETRY },
		{ 302, "", BINANCE_RETRY },
		{ 101, "", BINANCE_RETRY },
	};

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		assert_true(reads(all[i].status, -1, all[i].body, 0));
		if (r.remedy != all[i].remedy)
			fail_msg("%d %s: %d", all[i].status, all[i].body, r.remedy);
		assert_true(strlen(r.text) > 20);
	}
	reads(451, -1, "{\"code\":-2015,\"msg\":\"x\"}", 0);
	assert_non_null(strstr(r.text, "legal restriction"));
}

static void good_replies(void **state)
{
	(void)state;
	assert_false(reads(200, -1, "{\"serverTime\":1}", 0));
	assert_false(reads(200, -1, "[]", 0));
	assert_false(reads(200, -1, "", 0));
	assert_false(reads(200, -1, "rubbish", 0)); /* for its reader to judge */
	assert_false(reads(200, -1, "{\"code\":200,\"msg\":\"success\"}", 0));
	assert_false(reads(200, -1, "{\"code\":\"-1\",\"msg\":\"x\"}", 0));
}

static void waits(void **state)
{
	static const char banned[] =
	    "{\"code\":-1003,\"msg\":\"Way too much request weight used; IP banned until 1790526600000. "
	    "Please use WebSocket.\"}";

	(void)state;
	reads(429, 7, "", 0);
	assert_int_equal(r.wait, 7 * SECOND);
	reads(418, 0, "", 0);
	assert_int_equal(r.wait, 0);
	reads(429, -1, "", 0);
	assert_int_equal(r.wait, 60 * SECOND);
	reads(418, -1, "", 0);
	assert_int_equal(r.wait, 120 * SECOND);
	reads(418, INT64_MAX, "", 0);
	assert_int_equal(r.wait, 7 * 24 * 3600 * SECOND);
	/* the end of a ban in words: the later of both counts */
	reads(418, -1, banned, 1790526540000);
	assert_int_equal(r.wait, 60 * SECOND);
	reads(418, 5, banned, 1790526540000);
	assert_int_equal(r.wait, 60 * SECOND);
	reads(418, 600, banned, 1790526540000);
	assert_int_equal(r.wait, 600 * SECOND);
	reads(418, -1, banned, 0); /* the time is not known */
	assert_int_equal(r.wait, 120 * SECOND);
	reads(418, -1, banned, 1790526600001); /* it is over */
	assert_int_equal(r.wait, 120 * SECOND);
	reads(418, -1, "{\"code\":-1003,\"msg\":\"until 17905266\"}", 1);
	assert_int_equal(r.wait, 120 * SECOND);
	reads(400, 9, "{\"code\":-1000,\"msg\":\"x\"}", 0);
	assert_int_equal(r.wait, 0);
}

static void words(void **state)
{
	char body[2000];

	(void)state;
	reads(400, -1, "{\"msg\":\"\\u0041 \\\"b\\\"\",\"code\":-4242}", 0);
	assert_string_equal(r.text, "HTTP 400, code -4242: A \"b\"");
	reads(400, -1, "{\"code\":-4242}", 0);
	assert_string_equal(r.text, "HTTP 400, code -4242: ");
	reads(400, -1, "{\"code\":-4242,\"msg\":[7]}", 0);
	assert_string_equal(r.text, "HTTP 400, code -4242: ");
	/* long ones are cut off between two characters, and the sentence is there all the same */
	int n = snprintf(body, sizeof body, "{\"code\":-1022,\"msg\":\"");
	for (int i = 0; i < 300; i++)
		n += snprintf(body + n, sizeof body - (size_t)n, "\303\244");
	snprintf(body + n, sizeof body - (size_t)n, "\"}");
	assert_true(reads(400, -1, body, 0));
	assert_non_null(strstr(r.text, "\303\244: the signature does not hold"));
	n = snprintf(body, sizeof body, "{\"code\":-1022,\"msg\":\"abc ");
	for (int i = 0; i < 300; i++)
		n += snprintf(body + n, sizeof body - (size_t)n, "\\u00e4");
	snprintf(body + n, sizeof body - (size_t)n, "\"}");
	assert_true(reads(400, -1, body, 0));
	assert_non_null(strstr(r.text, "abc "));
	assert_non_null(strstr(r.text, "registered with the key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code),
		cmocka_unit_test(remedies),
		cmocka_unit_test(good_replies),
		cmocka_unit_test(waits),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
