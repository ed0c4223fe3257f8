/* lib/hub_report: health and metrics of a hub that has seen something of everything, to the byte where that says more than
 * a parser would (tests/cli/bnc-hub.bats has one) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hub_report.h"
#include "json.h"

#define SECOND 1000000LL
#define WALL   1790526538000000LL

static struct hub *h;
static int64_t now;
static char *text; /* of the latest report */
static size_t text_n;

static ssize_t on_send(void *user, const struct iovec *iov, int n)
{
	size_t all = 0;

	(void)user;
	for (int i = 0; i < n; i++)
		all += iov[i].iov_len;
	return (ssize_t)all;
}

static void on_done(void *user)
{
	(void)user;
}

static int start(void **state)
{
	const struct hub_options o = { .queue = 4096, .max_line = 1024, .stale = 5 * SECOND, .send = on_send, .done = on_done };

	(void)state;
	now = 50 * SECOND;
	h = hub_new(&o);
	return h ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	hub_free(h);
	free(text);
	text = NULL;
	return 0;
}

static void put(const char *line)
{
	char padded[2048];
	size_t n = strlen(line), at;
	const char *why;

	memcpy(padded, line, n);
	padded[n] = '\n';
	hub_line(h, (struct span){ padded, n }, now, WALL + now, &why, &at);
	hub_pump(h, now, WALL + now);
}

static const char *report(void (*print)(FILE *out, const struct hub *hub, int64_t uptime, int64_t at), int64_t uptime)
{
	free(text);
	FILE *out = open_memstream(&text, &text_n);
	print(out, h, uptime, now);
	fclose(out);
	return text;
}

static const char *health(void)
{
	return report(hub_report_health, 3600 * SECOND + 999999);
}

static const char *metrics(void)
{
	return report(hub_report_metrics, 3600 * SECOND + 999999);
}

#define BOOK "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"pair\":\"SOLUSDT\",\"market\":\"usdm\",\"source\":\"book\"}"
#define BAR(i) "{\"type\":\"price_update\",\"pair\":\"SOLUSDT\",\"market\":\"usdm\",\"source\":\"kline\",\"interval\":\"" i "\"}"

static void health_before_anything_came(void **state)
{
	(void)state;
	assert_string_equal(health(),
	    "{\"status\":\"down\",\"ageMs\":null,\"streams\":[],\"readers\":0,\"uptime\":3600,\"source\":\"live\"}\n");
}

static void health_fresh_stale_and_down(void **state)
{
	(void)state;
	put(BOOK);
	put("{\"type\":\"status\",\"state\":\"live\",\"source\":\"replay\"}");
	struct hub_reader *r = hub_reader_new(h, 0, NULL, now, WALL);
	now += 12999;
	assert_string_equal(health(),
	    "{\"status\":\"ok\",\"ageMs\":12,\"streams\":[{\"market\":\"usdm\",\"pair\":\"SOLUSDT\",\"source\":\"book\",\"ageMs\":12}],"
	    "\"readers\":1,\"uptime\":3600,\"source\":\"replay\"}\n");
	hub_reader_free(h, r);
	now += 5 * SECOND;
	put("{\"type\":\"price_update\",\"symbol\":\"ETH\"}");
	now += 5 * SECOND + 1;
	assert_string_equal(health(),
	    "{\"status\":\"stale\",\"ageMs\":5000,\"streams\":[{\"market\":\"usdm\",\"pair\":\"SOLUSDT\",\"source\":\"book\","
	    "\"ageMs\":10013},{\"market\":\"\",\"pair\":\"ETH\",\"source\":\"\",\"ageMs\":5000}],"
	    "\"readers\":0,\"uptime\":3600,\"source\":\"replay\"}\n");
	put(BOOK);
	hub_end(h, true, "end", "over", now, WALL);
	assert_true(span_starts(span_of(health()), SPAN("{\"status\":\"down\",\"ageMs\":0,")));
}

/* a stream is one line, and no two of them have one name: a scrape with twins is refused */
static void streams_have_names_of_their_own(void **state)
{
	(void)state;
	put(BAR("1m")), put(BAR("5m")), put(BOOK);
	put("{\"type\":\"price_update\",\"pair\":\"P\",\"asset\":\"A\",\"stream\":\"s\",\"positionSide\":\"LONG\"}");
	assert_non_null(strstr(health(), "\"source\":\"kline\",\"interval\":\"1m\",\"ageMs\":0}"));
	assert_non_null(strstr(text, "\"source\":\"\",\"positionSide\":\"LONG\",\"asset\":\"A\",\"stream\":\"s\",\"ageMs\":0}"));
	now += 1234567;
	assert_non_null(strstr(metrics(),
	    "# TYPE bnc_hub_stream_age_seconds gauge\n"
	    "bnc_hub_stream_age_seconds{market=\"usdm\",pair=\"SOLUSDT\",source=\"kline\",interval=\"1m\"} 1.234\n"
	    "bnc_hub_stream_age_seconds{market=\"usdm\",pair=\"SOLUSDT\",source=\"kline\",interval=\"5m\"} 1.234\n"
	    "bnc_hub_stream_age_seconds{market=\"usdm\",pair=\"SOLUSDT\",source=\"book\"} 1.234\n"
	    "bnc_hub_stream_age_seconds{market=\"\",pair=\"P\",source=\"\",positionSide=\"LONG\",asset=\"A\",stream=\"s\"} 1.234\n"));
}

/* the longest name, and one beyond ASCII */
static void names_are_whole(void **state)
{
	char line[512], name[EVENT_NAME_MAX + 1] = "";

	(void)state;
	for (size_t i = 0; i < EVENT_NAME_MAX / 2; i++)
		strcat(name, "\xc3\xa9");
	snprintf(line, sizeof line, "{\"type\":\"price_update\",\"pair\":\"%s\"}", name);
	put(line);
	snprintf(line, sizeof line, "\"pair\":\"%s\",", name);
	assert_non_null(strstr(health(), line));
}

static void has(const char *line)
{
	char whole[256];

	snprintf(whole, sizeof whole, "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void metrics_of_everything(void **state)
{
	char line[512];
	struct hub_reader *r;

	(void)state;
	assert_null(strstr(metrics(), "bnc_hub_price_age_seconds"));
	has("bnc_hub_up 0");
	assert_non_null(r = hub_reader_new(h, 0, NULL, now, WALL));
	hub_reader_pump(h, r, now);
	put(BOOK), put("x"), put("{}"), put("{\"type\":\"heartbeat\"}"), put("{\"type\":\"position_update\"}");
	put("{\"type\":\"trade_executed\"}"), put("{\"type\":\"balance_update\"}"), put("{\"type\":\"equity_snapshot\"}");
	put("{\"type\":\"status\",\"state\":\"gap\"}"), put("{\"type\":\"status\",\"state\":\"gap\"}");
	put("{\"type\":\"status\",\"state\":\"connecting\"}"), put("{\"type\":\"status\",\"state\":\"stale\"}");
	for (unsigned i = 0; i < 3; i++) {
		snprintf(line, sizeof line, "{\"type\":\"price_update\",\"ts\":%lld}", (long long)((WALL + now) / 1000) - 7 - 100 * i);
		put(line);
	}
	put("{\"type\":\"price_update\",\"ts\":0}");
	now += 1500 * 1000;
	metrics();
	has("bnc_hub_up 1");
	has("bnc_hub_uptime_seconds 3600");
	has("bnc_hub_lines_in_total{type=\"other\"} 1");
	has("bnc_hub_lines_in_total{type=\"price_update\"} 5");
	has("bnc_hub_lines_in_total{type=\"heartbeat\"} 1");
	has("bnc_hub_lines_in_total{type=\"position_update\"} 1");
	has("bnc_hub_lines_in_total{type=\"trade_executed\"} 1");
	has("bnc_hub_lines_in_total{type=\"balance_update\"} 1");
	has("bnc_hub_lines_in_total{type=\"equity_snapshot\"} 1");
	has("bnc_hub_lines_in_total{type=\"status\"} 4");
	has("bnc_hub_lines_out_total{type=\"price_update\"} 5");
	has("bnc_hub_lines_out_total{type=\"status\"} 5");
	has("bnc_hub_lines_refused_total 1");
	has("bnc_hub_lines_too_long_total 0");
	has("bnc_hub_lines_conflated_total 0");
	has("bnc_hub_readers 1");
	has("bnc_hub_readers_served_total 1");
	has("bnc_hub_readers_cut_total 0");
	has("bnc_hub_gaps_total 2");
	has("bnc_hub_reconnects_total 1");
	has("bnc_hub_stales_total 1");
	has("bnc_hub_price_age_seconds 1.500");
	/* a histogram counts what is below each border */
	has("bnc_hub_exchange_latency_seconds_bucket{le=\"0.005\"} 0");
	has("bnc_hub_exchange_latency_seconds_bucket{le=\"0.010\"} 1");
	has("bnc_hub_exchange_latency_seconds_bucket{le=\"0.200\"} 2");
	has("bnc_hub_exchange_latency_seconds_bucket{le=\"0.500\"} 3");
	has("bnc_hub_exchange_latency_seconds_bucket{le=\"30.000\"} 3");
	has("bnc_hub_exchange_latency_seconds_bucket{le=\"+Inf\"} 4");
	has("bnc_hub_exchange_latency_seconds_count 4");
	snprintf(line, sizeof line, "bnc_hub_exchange_latency_seconds_sum %lld.%03lld", (WALL + 50 * SECOND) / SECOND,
	    321 + (WALL / 1000) % 1000);
	has(line);
	snprintf(line, sizeof line, "bnc_hub_bytes_in_total %llu", (unsigned long long)hub_counters(h)->in_bytes);
	has(line);
	hub_reader_free(h, r);
}

static void health_is_one_line_of_json(void **state)
{
	struct json_val v;
	struct json r;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		char line[128];
		snprintf(line, sizeof line, "{\"type\":\"price_update\",\"pair\":\"P%u\"}", i);
		put(line);
	}
	health();
	assert_ptr_equal(strchr(text, '\n'), text + text_n - 1);
	char *padded = malloc(text_n + JSON_PAD);
	memcpy(padded, text, text_n);
	memset(padded + text_n, 0, JSON_PAD);
	assert_true(json_check(&r, (struct span){ padded, text_n - 1 }, &v));
	assert_int_equal(v.kind, JSON_OBJECT);
	free(padded);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, end)
	const struct CMUnitTest tests[] = {
		T(health_before_anything_came),
		T(health_fresh_stale_and_down),
		T(streams_have_names_of_their_own),
		T(names_are_whole),
		T(metrics_of_everything),
		T(health_is_one_line_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
