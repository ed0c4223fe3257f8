/* The short ways (lib/fast.h) beside the grammar: what binance_fast, event_fast_tick and event_fast_time take, they must
 * take as binance_normalize, event_read_tick and heartbeat_time do, and whole. Each line of the input is given to them for every market, and once
 * more as if not all of it had been read yet: its other bytes then stand behind the end, where nothing may be believed. */
#include "fuzz.h"

#include "event_fast.h"
#include "heartbeat.h"

/* the line and its '\n', padded as the short ways ask */
static char *fuzz_fast_pad(struct span line)
{
	char *copy = malloc(line.n + 1 + FAST_PAD);

	FUZZ_CHECK(copy != NULL);
	if (line.n)
		memcpy(copy, line.p, line.n);
	memset(copy + line.n, '\n', 1 + FAST_PAD);
	return copy;
}

static void fuzz_fast_frame(struct subject *grammar, struct subject *fast, struct span line)
{
	char *p = fuzz_fast_pad(line);
	const char *end = p + line.n + 1;
	struct fast run = { .usual = { line.n } };

	subject_refresh(grammar);
	subject_refresh(fast);
	fast->out.p = fast->out.buf;
	FUZZ_CHECK(binance_fast(&fast->b, p, end - 1, &fast->out, &run) == p && run.lines == 0);
	FUZZ_CHECK(fast->out.p == fast->out.buf && fast->b.records == 0);
	const char *next = binance_fast(&fast->b, p, end, &fast->out, &run);
	FUZZ_CHECK(run.lines == (next != p));
	if (run.lines) {
		struct outcome o = subject_take(grammar, line);
		struct span records = { fast->out.buf, (size_t)(fast->out.p - fast->out.buf) };
		FUZZ_CHECK(next == end && o.result == BINANCE_RECORDS && span_eq(o.records, records));
		FUZZ_CHECK(fast->b.records == 1 && grammar->b.records == 1);
	}
	free(p);
}

/* what bnc-heartbeat takes: any record with a time, whatever its price */
static void fuzz_fast_time(struct fields *f, struct span line)
{
	char *p = fuzz_fast_pad(line);
	const char *end = p + line.n + 1;
	enum event_fast_kind kind = event_fast_kind(p);
	struct span fast;
	int64_t grammar;
	const char *why;

	FUZZ_CHECK(!event_fast_time(p, end - 1, kind, &fast));
	const char *next = event_fast_time(p, end, kind, &fast);
	if (next) {
		fields_open(f, heartbeat_slot);
		FUZZ_CHECK(next == end && fields_read(f, (struct span){ p, line.n }));
		FUZZ_CHECK(heartbeat_time(f, &grammar, &why) && fast_ms(fast) == grammar);
	}
	free(p);
}

static void fuzz_fast_record(struct fields *f, struct span line)
{
	char *p = fuzz_fast_pad(line);
	const char *end = p + line.n + 1;
	struct event_fast fast;
	struct event_tick grammar;
	struct dec price;
	const char *why;

	FUZZ_CHECK(!event_fast_tick(p, end - 1, &fast));
	const char *next = event_fast_tick(p, end, &fast);
	if (next) {
		fields_open(f, event_slot);
		FUZZ_CHECK(next == end && fields_read(f, (struct span){ p, line.n }));
		FUZZ_CHECK(event_type(f) == EVENT_PRICE_UPDATE && event_read_tick(f, &grammar, &why));
		FUZZ_CHECK(fast.pair.p == grammar.pair.p && fast.pair.n == grammar.pair.n);
		FUZZ_CHECK(fast.symbol.p == grammar.symbol.p && fast.symbol.n == grammar.symbol.n);
		FUZZ_CHECK(fast.market == grammar.market && grammar.source == EVENT_BOOK && fast_ms(fast.ts) == grammar.ts);
		FUZZ_CHECK(dec_parse_padded(fast.price, &price) == DEC_OK);
		FUZZ_CHECK(price.m == grammar.price.m && price.scale == grammar.price.scale);
	}
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject *grammar[3], *fast[3];
	static struct fields f;
	struct span rest = { (const char *)data, size };
	struct span line;

	for (int i = 0; i < 3 && !grammar[i]; i++) {
		grammar[i] = subject_new(EVENT_USDM + (enum event_market)i, false);
		fast[i] = subject_new(EVENT_USDM + (enum event_market)i, false);
	}
	while (fuzz_line(&rest, &line)) {
		for (int i = 0; i < 3; i++)
			fuzz_fast_frame(grammar[i], fast[i], line);
		fuzz_fast_record(&f, line);
		fuzz_fast_time(&f, line);
	}
	return 0;
}
