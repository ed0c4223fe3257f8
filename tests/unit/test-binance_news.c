/* lib/binance_news: what is loud, what is a record, and how many at once */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binance_news.h"

#define SECOND 1000000LL

static struct binance_plan plan;
static struct binance_news news;
static char said[1024];
static unsigned loud, records;

static void out(void *user, const struct binance_news_item *item)
{
	assert_ptr_equal(user, &plan);
	snprintf(said, sizeof said, "%s%s|%s|%s", item->loud ? "!" : "", item->state ? item->state : "-", item->detail,
	    item->text);
	loud += item->loud;
	records += item->state != NULL;
}

static int start(void **state)
{
	char why[256];

	(void)state;
	binance_plan_open(&plan, EVENT_USDM);
	if (!binance_plan_add(&plan, SPAN("SOLUSDT"), SPAN("agg"), why) || !binance_plan_ready(&plan))
		return -1;
	binance_news_open(&news, &plan, out, &plan);
	loud = records = 0;
	said[0] = '\0';
	return 0;
}

static int end(void **state)
{
	(void)state;
	binance_plan_close(&plan);
	return 0;
}

static void failures_are_loud_and_a_success_behind_one(void **state)
{
	(void)state;
	binance_news_tell(&news, 0, BINANCE_NEWS_CONNECTING, -1, "to %s", "x");
	assert_string_equal(said, "connecting|to x|to x");
	binance_news_tell(&news, 0, BINANCE_NEWS_LIVE, -1, "x");
	assert_string_equal(said, "live|x|live: x");
	for (int i = 0; i < 3; i++) {
		binance_news_tell(&news, 0, BINANCE_NEWS_FAILED, -1, "x: refused");
		assert_string_equal(said, "!connecting|x: refused|x: refused");
	}
	binance_news_tell(&news, 0, BINANCE_NEWS_LIVE, -1, "x");
	assert_string_equal(said, "!live|x|live: x");
	binance_news_tell(&news, 0, BINANCE_NEWS_LIVE, -1, "x");
	assert_string_equal(said, "live|x|live: x");
	binance_news_tell(&news, 0, BINANCE_NEWS_NOTE, -1, "x");
	assert_string_equal(said, "-|x|x");
}

static void a_stream_is_named_to_people(void **state)
{
	struct arbiter_gap gap = { .proven = true, .has_ids = true, .last_id = 5, .next_id = 9 };

	(void)state;
	binance_news_tell(&news, 0, BINANCE_NEWS_STALE, 0, "nothing");
	assert_string_equal(said, "!stale|nothing|solusdt@aggTrade: nothing");
	binance_news_gap(&news, 0, &gap);
	assert_string_equal(said, "!gap|3 events missing between 1970-01-01T00:00:00.000Z and 1970-01-01T00:00:00.000Z|"
				  "gap: solusdt@aggTrade: last id 5, next id 9: 3 events missing between "
				  "1970-01-01T00:00:00.000Z and 1970-01-01T00:00:00.000Z");
	gap.has_ids = gap.proven = false;
	binance_news_gap(&news, 0, &gap);
	assert_non_null(strstr(said, "|gap: solusdt@aggTrade: events may be missing"));
}

static void a_storm_is_summed_up_but_every_gap_is_a_record(void **state)
{
	struct arbiter_gap gap = { .proven = true };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		binance_news_gap(&news, 0, &gap);
		binance_news_tell(&news, 0, BINANCE_NEWS_REFUSED, -1, "odd");
	}
	assert_int_equal(records, 1000);
	assert_in_range(loud, 60, 80);
	loud = 0;
	binance_news_tick(&news, 0);
	assert_int_equal(loud, 0);
	binance_news_tick(&news, SECOND / 2);
	assert_string_equal(said, "!-|gap: 950 more, not shown|gap: 950 more, not shown");
	binance_news_tick(&news, INT64_MAX);
	assert_string_equal(said, "!-|refused: 980 more, not shown|refused: 980 more, not shown");
	assert_int_equal(loud, 2);
	binance_news_tick(&news, INT64_MAX);
	assert_int_equal(loud, 2);
}

static void long_words_are_cut(void **state)
{
	static char words[2 * BINANCE_DETAIL_MAX];

	(void)state;
	memset(words, 'x', sizeof words - 1);
	binance_news_tell(&news, 0, BINANCE_NEWS_LIVE, 0, "%s", words);
	assert_in_range(strlen(said), BINANCE_DETAIL_MAX, 2 * BINANCE_DETAIL_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(failures_are_loud_and_a_success_behind_one, start, end),
		cmocka_unit_test_setup_teardown(a_stream_is_named_to_people, start, end),
		cmocka_unit_test_setup_teardown(a_storm_is_summed_up_but_every_gap_is_a_record, start, end),
		cmocka_unit_test_setup_teardown(long_words_are_cut, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
