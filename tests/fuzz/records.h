/* records - what can be said of any line that bnc-normalize's function takes, and of the records that it gives */
#ifndef BNC_FUZZ_RECORDS_H
#define BNC_FUZZ_RECORDS_H

#include "fuzz.h"

/* a number of a record, which is a string in canonical notation */
static inline struct dec records_number(struct span record, const char *key)
{
	struct json_val v = json_find(record, key);
	char text[DEC_TEXT_MAX];
	struct dec d;

	FUZZ_CHECK(v.kind == JSON_STRING && dec_parse(json_text(v), &d) == DEC_OK);
	FUZZ_CHECK(span_eq((struct span){ text, (size_t)(dec_print(text, d) - text) }, json_text(v)));
	return d;
}

static inline void records_book(struct span record)
{
	struct dec twice, sum;

	if (!span_is(json_text(json_find(record, "source")), "book"))
		return;
	struct dec price = records_number(record, "price");
	FUZZ_CHECK(dec_sign(price) > 0);
	records_number(record, "bidQty");
	records_number(record, "askQty");
	FUZZ_CHECK(dec_add(records_number(record, "bid"), records_number(record, "ask"), &sum) == DEC_OK);
	FUZZ_CHECK(dec_add(price, price, &twice) == DEC_OK && dec_cmp(twice, sum) == 0);
}

/* what the readers of records say of one that is about an account; 0: no type of theirs */
static inline int records_read(struct span record, const char **why)
{
	static struct fields f;
	struct event_position position;
	struct event_balance balance;
	struct event_trade trade;

	fields_open(&f, event_slot);
	FUZZ_CHECK(fields_read(&f, record));
	switch (event_type(&f)) {
	case EVENT_POSITION_UPDATE:
		return event_read_position(&f, &position, why) ? 1 : -1;
	case EVENT_BALANCE_UPDATE:
		return event_read_balance(&f, &balance, why) ? 1 : -1;
	case EVENT_TRADE_EXECUTED:
		return event_read_trade(&f, &trade, why) ? 1 : -1;
	default:
		return 0;
	}
}

/* spot: the balance is the sum of its parts */
static inline void records_parts(struct span record)
{
	struct dec sum;

	if (json_find(record, "free").kind == JSON_NONE)
		return;
	struct dec free = records_number(record, "free");
	struct dec locked = records_number(record, "locked");
	FUZZ_CHECK(dec_add(free, locked, &sum) == DEC_OK);
	FUZZ_CHECK(dec_cmp(sum, records_number(record, "balance")) == 0);
}

static inline void records_account(struct span record)
{
	static const char *const numbers[] = { "qty", "entryPrice", "markPrice", "unrealizedPnl", "contractSize",
		"price", "fee", "realizedPnl", "balance" };
	const char *why = NULL;
	int read = records_read(record, &why);

	FUZZ_CHECK(read >= 0);
	if (read > 0) {
		FUZZ_CHECK(event_market(json_text(json_find(record, "market"))) != EVENT_NO_MARKET);
		for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
			if (json_find(record, numbers[i]).kind != JSON_NONE)
				records_number(record, numbers[i]);
		records_parts(record);
		return;
	}
	FUZZ_CHECK(span_is(json_text(json_find(record, "type")), "status"));
	FUZZ_CHECK(json_find(record, "event").n > 0 && json_find(record, "detail").n > 0);
}

static inline void records_price(struct span record)
{
	FUZZ_CHECK(json_find(record, "symbol").n > 0 && json_find(record, "pair").n > 0);
	FUZZ_CHECK(event_market(json_text(json_find(record, "market"))) != EVENT_NO_MARKET);
	records_number(record, "price");
	records_book(record);
}

static inline void records_record(struct span record, enum event_market market)
{
	struct span padded = subject_pad(record);
	struct subject *s = subject_new(market, false);

	FUZZ_CHECK(record.n < LINE_RECORD_MAX);
	FUZZ_CHECK(json_find(padded, "ts").kind == JSON_INT);
	if (span_is(json_text(json_find(padded, "type")), "price_update"))
		records_price(padded);
	else
		records_account(padded);
	FUZZ_CHECK(subject_take_padded(s, padded).result == BINANCE_PASS); /* a record is a record */
	subject_free(s);
	subject_unpad(padded);
}

static inline uint64_t records_count(const struct binance *b)
{
	return b->records + b->passed + b->control + b->errors + b->depth + b->liquidations + b->unknown +
	       b->placeholder + b->other_market + b->orders + b->copies;
}

/* what can be said of any line */
static inline void records_line(struct subject *s, struct span line)
{
	uint64_t before = records_count(&s->b);
	uint64_t records = s->b.records;
	struct outcome o = subject_take(s, line);
	uint64_t n = 0;

	FUZZ_CHECK(o.result != BINANCE_PASS || o.records.n == 0);
	FUZZ_CHECK(o.result != BINANCE_NOTHING || o.records.n == 0);
	FUZZ_CHECK(o.result != BINANCE_RECORDS || o.records.n > 0);
	FUZZ_CHECK(o.result == BINANCE_REFUSED || records_count(&s->b) > before || memchr(line.p, '[', line.n));
	for (; o.records.n; n++)
		records_record(fuzz_record(&o.records), s->b.market);
	FUZZ_CHECK(n == s->b.records - records);
}

#endif
