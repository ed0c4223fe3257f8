/* lib/binance_merge on lines of three sources, as they come and by time, and lib/binance_check on all of them. The
 * first byte of a line says whose it is, and whether time goes by before it. What comes out is a line of a source, none
 * more often than they bring it, or a record of a gap. */
#include "fuzz.h"

#include "binance_check.h"
#include "binance_merge.h"

#define FUZZ_MERGE_LINES   400
#define FUZZ_MERGE_SOURCES 3

static struct {
	struct span line[FUZZ_MERGE_LINES]; /* padded */
	unsigned times[FUZZ_MERGE_LINES];   /* that it may still come out */
	uint8_t source[FUZZ_MERGE_LINES];
	uint8_t wait[FUZZ_MERGE_LINES];
	size_t n;
} fuzz_merge;

static void fuzz_merge_gap(struct span record)
{
	struct span padded = subject_pad(record), copy = { padded.p, padded.n + 1 };

	fuzz_record(&copy);
	FUZZ_CHECK(span_is(json_text(json_find(padded, "type")), "status"));
	FUZZ_CHECK(span_is(json_text(json_find(padded, "state")), "gap"));
	subject_unpad(padded);
}

static void fuzz_merge_line(void *user, struct span line)
{
	(void)user;
	for (size_t i = 0; i < fuzz_merge.n; i++)
		if (fuzz_merge.times[i] && span_eq(fuzz_merge.line[i], line)) {
			fuzz_merge.times[i]--;
			return;
		}
	fuzz_merge_gap(line);
}

static void fuzz_merge_tell(void *user, const char *text)
{
	(void)user;
	FUZZ_CHECK(text && *text && !strchr(text, '\n'));
}

static void fuzz_merge_told(void *user, struct span record)
{
	(void)user;
	fuzz_merge_gap(record);
}

static void fuzz_merge_as_they_come(struct binance_merge *m)
{
	int64_t now = 1000000;

	for (size_t i = 0; i < fuzz_merge.n; i++) {
		now += fuzz_merge.wait[i] * 50000;
		binance_merge_tick(m, now);
		FUZZ_CHECK(binance_merge_due(m) > now);
		binance_merge_line(m, fuzz_merge.source[i], fuzz_merge.line[i], 1790526538965462 + now, now);
	}
	binance_merge_flush(m);
	FUZZ_CHECK(binance_merge_held(m) == 0);
}

static void fuzz_merge_put(struct binance_merge *m, size_t i, struct when *when)
{
	int64_t us = when_line(when, fuzz_merge.line[i]);
	const int64_t most = INT64_MAX / 1000 - 1;

	us = us == WHEN_NEVER ? us : (us < most ? us : most) * 1000;
	FUZZ_CHECK(binance_merge_put(m, fuzz_merge.source[i], fuzz_merge.line[i], us, when->received));
}

static void fuzz_merge_by_time(struct binance_merge *m, struct when *when)
{
	size_t at[FUZZ_MERGE_SOURCES] = { 0 };
	bool ended[FUZZ_MERGE_SOURCES] = { false };

	for (bool more = true; more;) {
		for (unsigned s = 0; s < FUZZ_MERGE_SOURCES; s++)
			while (!ended[s] && binance_merge_wants(m, s)) {
				while (at[s] < fuzz_merge.n && fuzz_merge.source[at[s]] != s)
					at[s]++;
				ended[s] = at[s] == fuzz_merge.n;
				if (ended[s])
					binance_merge_end(m, s);
				else
					fuzz_merge_put(m, at[s]++, when);
			}
		more = binance_merge_next(m);
	}
}

static void fuzz_merge_check(struct when *when)
{
	static struct binance_check c;

	FUZZ_CHECK(binance_check_open(&c, EVENT_USDM, fuzz_merge_told, NULL));
	for (size_t i = 0; i < fuzz_merge.n; i++)
		binance_check_line(&c, fuzz_merge.line[i], when_line(when, fuzz_merge.line[i]));
	FUZZ_CHECK(binance_check_copies(&c) <= fuzz_merge.n);
	binance_check_close(&c);
}

static void fuzz_merge_fill(struct span text)
{
	struct span line;

	for (fuzz_merge.n = 0; fuzz_merge.n < FUZZ_MERGE_LINES && fuzz_line(&text, &line);) {
		uint8_t how = line.n && line.p[0] > 0 && line.p[0] < ' ' ? (uint8_t)line.p[0] : (uint8_t)fuzz_merge.n;
		if (line.n && line.p[0] > 0 && line.p[0] < ' ')
			line = (struct span){ line.p + 1, line.n - 1 };
		fuzz_merge.source[fuzz_merge.n] = how % FUZZ_MERGE_SOURCES;
		fuzz_merge.wait[fuzz_merge.n] = how / FUZZ_MERGE_SOURCES % 8;
		fuzz_merge.times[fuzz_merge.n] = 1;
		fuzz_merge.line[fuzz_merge.n++] = subject_pad(line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct when when;
	const struct binance_merge_out out = { fuzz_merge_line, fuzz_merge_tell };

	if (!when.fields.slot)
		when_open(&when);
	fuzz_merge_fill((struct span){ (const char *)data, size });
	for (int by_time = 0; by_time < 2; by_time++) {
		struct binance_merge_options o = {
			.market = EVENT_USDM, .sources = FUZZ_MERGE_SOURCES, .window = 250000, .by_time = by_time
		};
		o.window *= by_time ? 1000 : 1;
		struct binance_merge *m = binance_merge_new(&o, &out, NULL);
		FUZZ_CHECK(m != NULL);
		for (size_t i = 0; i < fuzz_merge.n; i++)
			fuzz_merge.times[i] = 1;
		if (by_time)
			fuzz_merge_by_time(m, &when);
		else
			fuzz_merge_as_they_come(m);
		binance_merge_free(m);
	}
	fuzz_merge_check(&when);
	for (size_t i = 0; i < fuzz_merge.n; i++)
		subject_unpad(fuzz_merge.line[i]);
	return 0;
}
