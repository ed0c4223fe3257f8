/* bnc-normalize's function on lines; the first byte says which market and whether frames without a record are kept */
#include "fuzz.h"

/* a number of a record, which is a string in canonical notation */
static struct dec fuzz_normalize_number(struct span record, const char *key)
{
	struct json_val v = json_find(record, key);
	char text[DEC_TEXT_MAX];
	struct dec d;

	FUZZ_CHECK(v.kind == JSON_STRING && dec_parse(json_text(v), &d) == DEC_OK);
	FUZZ_CHECK(span_eq((struct span){ text, (size_t)(dec_print(text, d) - text) }, json_text(v)));
	return d;
}

static void fuzz_normalize_book(struct span record)
{
	struct dec twice, sum;

	if (!span_is(json_text(json_find(record, "source")), "book"))
		return;
	struct dec price = fuzz_normalize_number(record, "price");
	FUZZ_CHECK(dec_sign(price) > 0);
	fuzz_normalize_number(record, "bidQty");
	fuzz_normalize_number(record, "askQty");
	FUZZ_CHECK(dec_add(fuzz_normalize_number(record, "bid"), fuzz_normalize_number(record, "ask"), &sum) == DEC_OK);
	FUZZ_CHECK(dec_add(price, price, &twice) == DEC_OK && dec_cmp(twice, sum) == 0);
}

static void fuzz_normalize_record(struct span record, enum event_market market)
{
	struct span padded = subject_pad(record);
	struct subject *s = subject_new(market, false);

	FUZZ_CHECK(record.n < LINE_RECORD_MAX);
	FUZZ_CHECK(span_is(json_text(json_find(padded, "type")), "price_update"));
	FUZZ_CHECK(json_find(padded, "symbol").n > 0 && json_find(padded, "pair").n > 0);
	FUZZ_CHECK(json_find(padded, "ts").kind == JSON_INT);
	FUZZ_CHECK(event_market(json_text(json_find(padded, "market"))) != EVENT_NO_MARKET);
	fuzz_normalize_number(padded, "price");
	fuzz_normalize_book(padded);
	FUZZ_CHECK(subject_take_padded(s, padded).result == BINANCE_PASS); /* a record is a record */
	subject_free(s);
	subject_unpad(padded);
}

static uint64_t fuzz_normalize_count(const struct binance *b)
{
	return b->records + b->passed + b->control + b->errors + b->depth + b->liquidations + b->unknown +
	       b->placeholder + b->other_market;
}

/* what can be said of any line */
static void fuzz_normalize_line(struct subject *s, struct span line)
{
	uint64_t before = fuzz_normalize_count(&s->b);
	uint64_t records = s->b.records;
	struct outcome o = subject_take(s, line);
	uint64_t n = 0;

	FUZZ_CHECK(o.result != BINANCE_PASS || o.records.n == 0);
	FUZZ_CHECK(o.result != BINANCE_NOTHING || o.records.n == 0);
	FUZZ_CHECK(o.result != BINANCE_RECORDS || o.records.n > 0);
	FUZZ_CHECK(o.result == BINANCE_REFUSED || fuzz_normalize_count(&s->b) > before || memchr(line.p, '[', line.n));
	for (; o.records.n; n++)
		fuzz_normalize_record(fuzz_record(&o.records), s->b.market);
	FUZZ_CHECK(n == s->b.records - records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum event_market markets[] = { EVENT_USDM, EVENT_COINM, EVENT_SPOT };
	struct span rest = { (const char *)data, size };
	struct span line;

	if (size == 0)
		return 0;
	struct subject *s = subject_new(markets[data[0] % 3], data[0] / 3 % 2);
	if (data[0] < ' ')
		rest = (struct span){ rest.p + 1, rest.n - 1 };
	while (fuzz_line(&rest, &line))
		fuzz_normalize_line(s, line);
	subject_free(s);
	return 0;
}
