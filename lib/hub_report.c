#include "hub_report.h"

#include <inttypes.h>

#include "jsonw.h"

#define NAME_MAX JSONW_STRING_MAX(EVENT_NAME_MAX)

/* "text"; the names of streams hold nothing that JSON or a label of Prometheus would want escaped */
static void put_string(FILE *out, struct span s)
{
	char text[NAME_MAX];

	s.n = s.n > EVENT_NAME_MAX ? EVENT_NAME_MAX : s.n;
	const char *end = jsonw_string(text, s);
	fwrite(text, 1, (size_t)(end - text), out);
}

/* what a stream is called: market, pair and source always, the others where it has them */
static void put_names(FILE *out, const struct hub_stream *s, const char *before, const char *behind)
{
	static const char *const names[HUB_STREAM_NAMES] = { [HUB_MARKET] = "market",
		[HUB_PAIR] = "pair",
		[HUB_SOURCE] = "source",
		[HUB_POSITION_SIDE] = "positionSide",
		[HUB_ASSET] = "asset",
		[HUB_STREAM] = "stream",
		[HUB_INTERVAL] = "interval" };

	for (size_t i = 0; i < HUB_STREAM_NAMES; i++) {
		if (i > HUB_SOURCE && s->name[i].n == 0)
			continue;
		fprintf(out, "%s%s%s%s", i ? "," : "", before, names[i], behind);
		put_string(out, s->name[i]);
	}
}

/* ----------------------------------------------------------------------------------------------------- health */

static void put_stream(FILE *out, const struct hub_stream *s, bool first)
{
	fputs(first ? "{" : ",{", out);
	put_names(out, s, "\"", "\":");
	fprintf(out, ",\"ageMs\":%" PRId64 "}", s->age / 1000);
}

void hub_report_health(FILE *out, const struct hub *h, int64_t uptime, int64_t now)
{
	static const char *const words[] = { [HUB_OK] = "ok", [HUB_STALE] = "stale", [HUB_DOWN] = "down" };
	struct hub_stream s;
	int64_t age = hub_age(h, now);
	bool first = true;

	fprintf(out, "{\"status\":\"%s\",\"ageMs\":", words[hub_health(h, now)]);
	if (age < 0)
		fputs("null", out);
	else
		fprintf(out, "%" PRId64, age / 1000);
	fputs(",\"streams\":[", out);
	for (size_t at = 0; hub_stream(h, &at, now, &s); first = false)
		put_stream(out, &s, first);
	fprintf(out, "],\"readers\":%zu,\"uptime\":%" PRId64 ",\"source\":", hub_readers(h), uptime / 1000000);
	put_string(out, hub_source(h));
	fputs("}\n", out);
}

/* ---------------------------------------------------------------------------------------------------- metrics */

/* seconds with three decimals, from ms, without a float on the way */
static void put_seconds(FILE *out, uint64_t ms)
{
	fprintf(out, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP bnc_hub_%s %s\n# TYPE bnc_hub_%s %s\n", name, help, name, type);
}

static void number(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	fprintf(out, "bnc_hub_%s %" PRIu64 "\n", name, value);
}

static void by_type(FILE *out, const char *name, const char *help, const uint64_t count[HUB_TYPES])
{
	static const char *const types[HUB_TYPES] = { [EVENT_OTHER] = "other",
		[EVENT_PRICE_UPDATE] = "price_update",
		[EVENT_HEARTBEAT] = "heartbeat",
		[EVENT_POSITION_UPDATE] = "position_update",
		[EVENT_TRADE_EXECUTED] = "trade_executed",
		[EVENT_BALANCE_UPDATE] = "balance_update",
		[EVENT_EQUITY_SNAPSHOT] = "equity_snapshot",
		[EVENT_STATUS] = "status" };

	head(out, name, "counter", help);
	for (size_t i = 0; i < HUB_TYPES; i++)
		fprintf(out, "bnc_hub_%s{type=\"%s\"} %" PRIu64 "\n", name, types[i], count[i]);
}

static void ages(FILE *out, const struct hub *h, int64_t now)
{
	struct hub_stream s;

	head(out, "stream_age_seconds", "gauge", "Time since the newest price of a stream came.");
	for (size_t at = 0; hub_stream(h, &at, now, &s);) {
		fputs("bnc_hub_stream_age_seconds{", out);
		put_names(out, &s, "", "=");
		fputs("} ", out);
		put_seconds(out, (uint64_t)s.age / 1000);
		fputc('\n', out);
	}
}

static void latency(FILE *out, const struct hub_counters *c)
{
	uint64_t all = 0;

	head(out, "exchange_latency_seconds", "histogram",
	    "From the event time of a price to its arrival here, by the clocks of both machines.");
	for (size_t i = 0; i < HUB_BUCKETS; i++) {
		all += c->latency[i];
		fputs("bnc_hub_exchange_latency_seconds_bucket{le=\"", out);
		put_seconds(out, hub_latency_ms[i]);
		fprintf(out, "\"} %" PRIu64 "\n", all);
	}
	all += c->latency[HUB_BUCKETS];
	fprintf(out, "bnc_hub_exchange_latency_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", all);
	fputs("bnc_hub_exchange_latency_seconds_sum ", out);
	put_seconds(out, c->latency_ms);
	fprintf(out, "\nbnc_hub_exchange_latency_seconds_count %" PRIu64 "\n", all);
}

void hub_report_metrics(FILE *out, const struct hub *h, int64_t uptime, int64_t now)
{
	const struct hub_counters *c = hub_counters(h);
	int64_t age = hub_age(h, now);

	number(out, "up", "gauge", "Whether the newest price is fresh.", hub_health(h, now) == HUB_OK);
	number(out, "uptime_seconds", "gauge", "Time since the hub began.", (uint64_t)(uptime / 1000000));
	by_type(out, "lines_in_total", "Lines taken in.", c->in);
	by_type(out, "lines_out_total", "Lines given out, to all readers together.", c->out);
	number(out, "bytes_in_total", "counter", "Bytes taken in.", c->in_bytes);
	number(out, "bytes_out_total", "counter", "Bytes given out.", c->out_bytes);
	number(out, "lines_refused_total", "counter", "Lines that are no JSON object, or that there was no memory for.", c->refused);
	number(out, "lines_too_long_total", "counter", "Lines replaced by a status record that tells of them.", c->too_long);
	number(out, "lines_conflated_total", "counter", "Lines that a reader did not get because a newer one came.",
	    c->conflated);
	number(out, "readers", "gauge", "Readers now.", hub_readers(h));
	number(out, "readers_served_total", "counter", "Readers so far.", c->readers_ever);
	number(out, "readers_cut_total", "counter", "Readers cut off because they did not take what must not be left out.",
	    c->cut);
	number(out, "gaps_total", "counter", "Status records of a gap.", c->gaps);
	number(out, "reconnects_total", "counter", "Status records of a connection that is made anew.", c->reconnects);
	number(out, "stales_total", "counter", "Status records of silence.", c->stales);
	if (age >= 0) {
		head(out, "price_age_seconds", "gauge", "Time since the newest price came.");
		fputs("bnc_hub_price_age_seconds ", out);
		put_seconds(out, (uint64_t)age / 1000);
		fputc('\n', out);
	}
	ages(out, h, now);
	latency(out, c);
}
