/* lib/event: records as bnc-event(5) has them, written and read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "event.h"
#include "jsonw.h"
#include "line.h"

static char out[LINE_RECORD_MAX + 4096];
static struct fields f;
static struct span text;

static void assert_written(const char *end, const char *want)
{
	size_t n = (size_t)(end - out);

	if (n != strlen(want) || memcmp(out, want, n) != 0)
		fail_msg("\n  %.*s  instead of\n  %s", (int)n, out, want);
}

/* the line taken apart, in memory that ends behind the padding; ' stands for " */
static void take(const char *line)
{
	size_t n = strlen(line);
	char *p = realloc((void *)(size_t)text.p, n + 1 + JSON_PAD);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = line[i] == '\'' ? '"' : line[i];
	p[n] = '\n';
	memset(p + n + 1, '7', JSON_PAD);
	text = (struct span){ p, n };
	fields_open(&f, event_slot);
	if (!fields_read(&f, text))
		fail_msg("%s: %s", line, f.why);
}

static int free_text(void **state)
{
	(void)state;
	free((void *)(size_t)text.p);
	text = (struct span){ NULL, 0 };
	return 0;
}

static void assert_dec(struct dec d, const char *want)
{
	char digits[DEC_TEXT_MAX];
	size_t n = (size_t)(dec_print(digits, d) - digits);

	if (!span_is((struct span){ digits, n }, want))
		fail_msg("%.*s instead of %s", (int)n, digits, want);
}

/* ------------------------------------------------------------------------------------------------ names */

static void every_key_has_its_slot(void **state)
{
	static const struct {
		const char *key;
		unsigned slot;
	} keys[] = {
		{ "type", EVENT_SLOT_TYPE },
		{ "symbol", EVENT_SLOT_SYMBOL },
		{ "price", EVENT_SLOT_PRICE },
		{ "ts", EVENT_SLOT_TS },
		{ "pair", EVENT_SLOT_PAIR },
		{ "market", EVENT_SLOT_MARKET },
		{ "source", EVENT_SLOT_SOURCE },
		{ "qty", EVENT_SLOT_QTY },
		{ "entryPrice", EVENT_SLOT_ENTRY_PRICE },
		{ "markPrice", EVENT_SLOT_MARK_PRICE },
		{ "unrealizedPnl", EVENT_SLOT_UNREALIZED_PNL },
		{ "positionSide", EVENT_SLOT_POSITION_SIDE },
		{ "asset", EVENT_SLOT_ASSET },
		{ "balance", EVENT_SLOT_BALANCE },
		{ "reason", EVENT_SLOT_REASON },
		{ "contractSize", EVENT_SLOT_CONTRACT_SIZE },
		{ "recv", EVENT_SLOT_RECV },
	};
	unsigned seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		size_t n = strlen(keys[i].key);
		char other[32];
		assert_int_equal(event_slot(keys[i].key, n, 0), keys[i].slot);
		seen |= 1u << keys[i].slot;
		/* one letter changed, one less, one more: no key, wherever the letter stands */
		for (size_t j = 0; j < n; j++) {
			snprintf(other, sizeof other, "%s", keys[i].key);
			other[j] = (char)(other[j] ^ 0x20);
			assert_int_equal(event_slot(other, n, 0), FIELDS_SKIP);
		}
		assert_int_equal(event_slot(keys[i].key, n - 1, 0), FIELDS_SKIP);
		assert_int_equal(event_slot(keys[i].key + 1, n - 1, 0), FIELDS_SKIP);
		snprintf(other, sizeof other, "%sx", keys[i].key);
		assert_int_equal(event_slot(other, n + 1, 0), FIELDS_SKIP);
	}
	assert_int_equal(seen, (1u << EVENT_SLOT_COUNT) - 2);
	assert_int_equal(event_slot("", 0, 0), FIELDS_SKIP);
}

static void types(void **state)
{
	static const struct {
		const char *line;
		enum event_type type;
	} cases[] = {
		{ "{'type':'price_update'}", EVENT_PRICE_UPDATE },
		{ "{'type':'heartbeat'}", EVENT_HEARTBEAT },
		{ "{'type':'position_update'}", EVENT_POSITION_UPDATE },
		{ "{'type':'trade_executed'}", EVENT_TRADE_EXECUTED },
		{ "{'type':'balance_update'}", EVENT_BALANCE_UPDATE },
		{ "{'type':'equity_snapshot'}", EVENT_EQUITY_SNAPSHOT },
		{ "{'type':'status'}", EVENT_STATUS },
		{ "{'type':'statu\\u0073'}", EVENT_STATUS },
		{ "{'typ\\u0065':'status'}", EVENT_STATUS },
		{ "{'type':'order','type':'status'}", EVENT_STATUS },
		{ "{'type':'Status'}", EVENT_OTHER },
		{ "{'type':'status '}", EVENT_OTHER },
		{ "{'type':''}", EVENT_OTHER },
		{ "{'type':5}", EVENT_OTHER },
		{ "{'type':null}", EVENT_OTHER },
		{ "{'type':['status']}", EVENT_OTHER },
		{ "{'x':{'type':'status'}}", EVENT_OTHER },
		{ "{}", EVENT_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		take(cases[i].line);
		assert_int_equal(event_type(&f), cases[i].type);
	}
}

static void markets_and_sources(void **state)
{
	(void)state;
	assert_int_equal(event_market(SPAN("usdm")), EVENT_USDM);
	assert_int_equal(event_market(SPAN("coinm")), EVENT_COINM);
	assert_int_equal(event_market(SPAN("spot")), EVENT_SPOT);
	assert_int_equal(event_market(SPAN("")), EVENT_NO_MARKET);
	assert_int_equal(event_market(SPAN("USDM")), EVENT_NO_MARKET);
	assert_int_equal(event_market(SPAN("usdm ")), EVENT_NO_MARKET);
	for (enum event_market m = EVENT_USDM; m <= EVENT_SPOT; m++)
		assert_int_equal(event_market(event_market_name(m)), m);
	assert_true(span_is(event_source_name(EVENT_BOOK), "book") && span_is(event_source_name(EVENT_TRADE), "trade"));
	assert_true(span_is(event_source_name(EVENT_MARK), "mark") && span_is(event_source_name(EVENT_KLINE), "kline"));
	assert_true(span_is(event_source_name(EVENT_TICKER), "ticker"));
}

/* ------------------------------------------------------------------------------------------------ writing */

static struct event_price price(enum event_source source)
{
	return (struct event_price){ .symbol = SPAN("SOL"),
		.price = SPAN("142.355"),
		.ts = 1790526538940,
		.pair = SPAN("SOLUSDT"),
		.market = EVENT_USDM,
		.source = source };
}

static void prices_of_books_and_trades(void **state)
{
	struct event_price e = price(EVENT_BOOK);

	(void)state;
	e.book.bid = SPAN("142.35");
	e.book.bid_qty = SPAN("2.6");
	e.book.ask = SPAN("142.36");
	e.book.ask_qty = SPAN("5.3");
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142."
						   "355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
						   "\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"142.35\","
						   "\"bidQty\":\"2.6\",\"ask\":\"142.36\",\"askQty\":\"5.3\"}\n");
	e = price(EVENT_TRADE);
	e.market = EVENT_SPOT;
	e.trade.qty = SPAN("0.5");
	e.trade.id = SPAN("8389765739703625592");
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142."
						   "355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
						   "\"market\":\"spot\",\"source\":\"trade\",\"qty\":\"0.5\",\"side\":"
						   "\"BUY\",\"id\":\"8389765739703625592\"}\n");
	e.trade.sell = true;
	e.ts = 0;
	e.symbol = SPAN("\xe7\x89\x9b");
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"\xe7\x89\x9b\",\"price\":"
						   "\"142.355\",\"ts\":0,\"pair\":\"SOLUSDT\","
						   "\"market\":\"spot\",\"source\":\"trade\",\"qty\":\"0.5\",\"side\":"
						   "\"SELL\",\"id\":\"8389765739703625592\"}\n");
}

static void prices_of_marks(void **state)
{
	struct event_price e = price(EVENT_MARK);
	static const char head[] =
	    "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142.355\",\"ts\":1790526538940,"
	    "\"pair\":\"SOLUSDT\",\"market\":\"coinm\",\"source\":\"mark\"";
	char want[512];

	(void)state;
	e.market = EVENT_COINM;
	snprintf(want, sizeof want, "%s}\n", head);
	assert_written(event_write_price(out, &e), want);
	e.mark.next_funding_ts = 1790553600000;
	snprintf(want, sizeof want, "%s,\"nextFundingTs\":1790553600000}\n", head);
	assert_written(event_write_price(out, &e), want);
	e.mark.index_price = SPAN("142");
	e.mark.funding_rate = SPAN("-0.0001");
	snprintf(want, sizeof want,
	    "%s,\"indexPrice\":\"142\",\"fundingRate\":\"-0.0001\",\"nextFundingTs\":1790553600000}\n", head);
	assert_written(event_write_price(out, &e), want);
}

static void prices_of_bars(void **state)
{
	struct event_price e = price(EVENT_KLINE);

	(void)state;
	e.bar.interval = SPAN("1M");
	e.bar.open = SPAN("1");
	e.bar.high = SPAN("2");
	e.bar.low = SPAN("0.5");
	e.bar.volume = SPAN("0");
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142."
						   "355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
						   "\"market\":\"usdm\",\"source\":\"kline\",\"interval\":\"1M\","
						   "\"open\":\"1\",\"high\":\"2\",\"low\":\"0.5\","
						   "\"volume\":\"0\",\"closed\":false}\n");
	e.bar.closed = true;
	assert_non_null(strstr((event_write_price(out, &e)[-1] = '\0', out), ",\"closed\":true}"));
	e.source = EVENT_TICKER;
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142."
						   "355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
						   "\"market\":\"usdm\",\"source\":\"ticker\",\"open\":\"1\",\"high\":"
						   "\"2\",\"low\":\"0.5\",\"volume\":\"0\"}\n");
}

static void heartbeats(void **state)
{
	(void)state;
	assert_written(event_write_heartbeat(out, 1790526540000), "{\"type\":\"heartbeat\",\"ts\":1790526540000}\n");
	assert_written(event_write_heartbeat(out, 0), "{\"type\":\"heartbeat\",\"ts\":0}\n");
	assert_written(event_write_heartbeat(out, INT64_MAX), "{\"type\":\"heartbeat\",\"ts\":9223372036854775807}\n");
}

static void snapshots(void **state)
{
	const struct span unpriced[] = { SPAN("SOLUSDT"), SPAN("\xe7\x89\x9bUSDT") };
	struct event_equity e = { .balance = { 1000000, 2 },
		.unrealized_pnl = { -93125, 4 },
		.ts = 1790526538940,
		.asset = SPAN("USDT"),
		.positions = 2 };

	(void)state;
	assert_int_equal(dec_add(e.balance, e.unrealized_pnl, &e.equity), DEC_OK);
	assert_written(event_write_equity(out, &e), "{\"type\":\"equity_snapshot\",\"balance\":\"10000\","
						    "\"unrealizedPnl\":\"-9.3125\",\"equity\":\"9990.6875\","
						    "\"ts\":1790526538940,\"asset\":\"USDT\",\"positions\":2}\n");
	e.unpriced = unpriced;
	e.n_unpriced = 2;
	assert_written(event_write_equity(out, &e), "{\"type\":\"equity_snapshot\",\"balance\":\"10000\","
						    "\"unrealizedPnl\":\"-9.3125\",\"equity\":\"9990.6875\","
						    "\"ts\":1790526538940,\"asset\":\"USDT\",\"positions\":2,"
						    "\"unpriced\":[\"SOLUSDT\",\"\xe7\x89\x9bUSDT\"]}\n");
	e.n_unpriced = 1;
	assert_non_null(strstr((event_write_equity(out, &e)[-1] = '\0', out), ",\"unpriced\":[\"SOLUSDT\"]}"));
}

static void statuses(void **state)
{
	struct event_status e = { .state = SPAN("live"), .ts = 5 };

	(void)state;
	assert_written(event_write_status(out, &e), "{\"type\":\"status\",\"state\":\"live\",\"ts\":5}\n");
	e = (struct event_status){ .state = SPAN("gap"),
		.ts = 1790526541000,
		.source = SPAN("live"),
		.stream = SPAN("solusdt@aggTrade"),
		.has_ids = true,
		.last_id = 3466782974,
		.next_id = UINT64_MAX,
		.detail = SPAN("15 \"events\" missing\n") };
	assert_written(event_write_status(out, &e), "{\"type\":\"status\",\"state\":\"gap\",\"ts\":1790526541000,"
						    "\"source\":\"live\",\"stream\":\"solusdt@aggTrade\","
						    "\"lastId\":\"3466782974\",\"nextId\":\"18446744073709551615\","
						    "\"detail\":\"15 \\\"events\\\" missing\\n\"}\n");
}

/* what a stranger says at length is cut, between two characters, and the line keeps its bound */
static void long_details_are_cut_between_characters(void **state)
{
	char detail[4000];

	(void)state;
	for (size_t before = 0; before < 4; before++) {
		memset(detail, '\x01', sizeof detail);
		struct event_status e = { .state = SPAN("stale"),
			.ts = INT64_MIN,
			.has_ids = true,
			.last_id = UINT64_MAX,
			.next_id = UINT64_MAX,
			.stream = { detail, sizeof detail },
			.detail = { detail, sizeof detail },
			.source = SPAN("demo") };
		assert_true(event_write_status(out, &e) - out <= LINE_RECORD_MAX);
		memset(detail, 'x', before);
		for (size_t i = before; i + 3 <= sizeof detail; i += 3)
			memcpy(detail + i, "\xe7\x89\x9b", 3);
		char *end = event_write_status(out, &e);
		struct json r;
		struct json_val top;
		memset(end, '\n', JSON_PAD);
		assert_true(json_check(&r, (struct span){ out, (size_t)(end - 1 - out) }, &top));
		size_t n = json_find(json_text(top), "detail").n;
		assert_true(n <= 512 && n >= 510 && (n - before) % 3 == 0);
	}
}

/* the longest that each writer can be given */
static void records_keep_their_bound(void **state)
{
	char name[EVENT_NAME_MAX], number[DEC_TEXT_MAX];
	struct event_price e = { .ts = INT64_MAX, .market = EVENT_COINM };

	(void)state;
	memset(name, '\x01', sizeof name);
	memset(number, '9', sizeof number);
	struct span n = { number, sizeof number };
	e.symbol = e.pair = (struct span){ name, sizeof name };
	e.price = n;
	for (enum event_source s = EVENT_BOOK; s <= EVENT_TICKER; s++) {
		e.source = s;
		if (s == EVENT_BOOK) {
			e.book.bid = e.book.ask = e.book.bid_qty = e.book.ask_qty = n;
		} else if (s == EVENT_TRADE) {
			e.trade.qty = e.trade.id = n;
			e.trade.sell = true;
		} else if (s == EVENT_MARK) {
			e.mark.index_price = e.mark.funding_rate = n;
			e.mark.next_funding_ts = INT64_MIN;
		} else {
			e.bar.interval = SPAN("12345678");
			e.bar.open = e.bar.high = e.bar.low = e.bar.volume = n;
			e.bar.closed = false;
		}
		assert_true(event_write_price(out, &e) - out + 32 <= LINE_RECORD_MAX);
	}
}

/* ------------------------------------------------------------------------------------------------ reading */

static void numbers_are_strings_or_numbers(void **state)
{
	static const struct {
		const char *value;
		const char *want; /* NULL: none */
	} cases[] = {
		{ "'142.3550'", "142.355" },
		{ "142.3550", "142.355" },
		{ "'-0'", "0" },
		{ "-7", "-7" },
		{ "'1.0E8'", "100000000" },
		{ "1e-3", "0.001" },
		{ "'+5'", "5" },
		{ "'007'", "7" },
		{ "'1\\u0034'", "14" },
		{ "''", NULL },
		{ "' 1'", NULL },
		{ "'1,5'", NULL },
		{ "null", NULL },
		{ "true", NULL },
		{ "[1]", NULL },
		{ "{}", NULL },
		{ "'NaN'", NULL },
		{ "1e39", NULL },
		{ "'99999999999999999999999999999999999999'", "99999999999999999999999999999999999999" },
		{ "'999999999999999999999999999999999999999'", NULL },
		{ "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001" },
		{ "0.000000000000000000000000000000000000001", NULL },
	};
	char line[128];
	struct dec d;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(line, sizeof line, "{'price':%s}", cases[i].value);
		take(line);
		assert_int_equal(event_number(&f, EVENT_SLOT_PRICE, &d), cases[i].want != NULL);
		if (cases[i].want)
			assert_dec(d, cases[i].want);
	}
	assert_false(event_number(&f, EVENT_SLOT_QTY, &d));
}

static void times_are_integers_from_zero(void **state)
{
	static const struct {
		const char *value;
		int64_t want; /* -1: none */
	} cases[] = {
		{ "0", 0 },
		{ "1790526538940", 1790526538940 },
		{ "'1790526538940'", 1790526538940 },
		{ "9223372036854775807", INT64_MAX },
		{ "9223372036854775808", -1 },
		{ "-1", -1 },
		{ "1.0", -1 },
		{ "1e3", -1 },
		{ "''", -1 },
		{ "' 1'", -1 },
		{ "'0x1'", -1 },
		{ "null", -1 },
		{ "true", -1 },
		{ "'\\u0035'", 5 },
	};
	char line[128];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t ts = -1;
		snprintf(line, sizeof line, "{'ts':%s}", cases[i].value);
		take(line);
		assert_int_equal(event_time(&f, EVENT_SLOT_TS, &ts), cases[i].want >= 0);
		assert_int_equal(ts, cases[i].want);
	}
}

static void strings_have_a_bound(void **state)
{
	char line[2 * EVENT_NAME_MAX];
	struct span s;

	(void)state;
	for (size_t n = EVENT_NAME_MAX - 1; n <= EVENT_NAME_MAX + 1; n++) {
		int at = snprintf(line, sizeof line, "{'asset':'");
		memset(line + at, 'x', n);
		snprintf(line + at + n, sizeof line - (size_t)at - n, "'}");
		take(line);
		assert_int_equal(event_string(&f, EVENT_SLOT_ASSET, &s), n <= EVENT_NAME_MAX);
	}
	take("{'asset':'\\u0055SD\\ud83d\\udc02'}");
	assert_true(event_string(&f, EVENT_SLOT_ASSET, &s) && span_is(s, "USD\xf0\x9f\x90\x82"));
	take("{'asset':5}");
	assert_false(event_string(&f, EVENT_SLOT_ASSET, &s));
	take("{'asset':''}");
	assert_true(event_string(&f, EVENT_SLOT_ASSET, &s) && s.n == 0);
}

static void positions(void **state)
{
	struct event_position e;
	const char *why = NULL;

	(void)state;
	take("{'type':'position_update','symbol':'SOL','qty':'-12.5','entryPrice':'143.1','markPrice':'142.355',"
	     "'unrealizedPnl':'9.3125','ts':1790526538940,'pair':'SOLUSDT','market':'usdm','positionSide':'SHORT'}");
	assert_true(event_read_position(&f, &e, &why));
	assert_true(span_is(e.symbol, "SOL") && span_is(e.pair, "SOLUSDT") && span_is(e.side, "SHORT"));
	assert_dec(e.qty, "-12.5");
	assert_dec(e.entry_price, "143.1");
	assert_true(e.has_mark && !e.has_contract_size);
	assert_dec(e.mark_price, "142.355");
	assert_int_equal(e.market, EVENT_USDM);
	assert_int_equal(e.ts, 1790526538940);
	take("{'ts':1,'entryPrice':1e1,'qty':0,'symbol':'BTC','contractSize':100,'market':'coinm','more':{}}");
	assert_true(event_read_position(&f, &e, &why));
	assert_true(span_is(e.pair, "BTC") && e.pair.p == e.symbol.p && span_is(e.side, "BOTH"));
	assert_true(!e.has_mark && e.has_contract_size);
	assert_dec(e.contract_size, "100");
	assert_dec(e.entry_price, "10");
	take("{'ts':1,'entryPrice':'1','qty':'1','symbol':'S'}");
	assert_true(event_read_position(&f, &e, &why));
	assert_int_equal(e.market, EVENT_NO_MARKET);
}

static void balances_and_ticks(void **state)
{
	struct event_balance b;
	struct event_tick t;
	const char *why = NULL;

	(void)state;
	take("{'type':'balance_update','asset':'USDT','balance':'-10000.10','ts':5,'market':'usdm','reason':'ORDER'}");
	assert_true(event_read_balance(&f, &b, &why));
	assert_true(span_is(b.asset, "USDT"));
	assert_dec(b.balance, "-10000.1");
	assert_int_equal(b.market, EVENT_USDM);
	assert_int_equal(b.ts, 5);
	take("{'asset':'U','balance':1,'ts':'5'}");
	assert_true(event_read_balance(&f, &b, &why));
	assert_int_equal(b.market, EVENT_NO_MARKET);
	take("{'symbol':'SOL','price':'1.50','ts':7,'pair':'SOLUSDT','market':'spot','source':'mark'}");
	assert_true(event_read_tick(&f, &t, &why));
	assert_true(span_is(t.pair, "SOLUSDT") && span_is(t.symbol, "SOL"));
	assert_dec(t.price, "1.5");
	assert_int_equal(t.source, EVENT_MARK);
	assert_int_equal(t.market, EVENT_SPOT);
	take("{'symbol':'SOL','price':1.5,'ts':7}");
	assert_true(event_read_tick(&f, &t, &why));
	assert_int_equal(t.source, EVENT_TRADE);
	assert_true(t.pair.p == t.symbol.p);
}

/* the sentence begins with the key it is about */
static void broken_contracts_name_the_key(void **state)
{
	static const char *const position[] = { "'symbol':'SOL'", "'qty':'1'", "'entryPrice':'1'", "'ts':1",
		"'pair':'P'", "'market':'usdm'", "'positionSide':'BOTH'", "'markPrice':'1'", "'contractSize':'1'" };
	static const char *const bad[] = { "'symbol':''", "'qty':'x'", "'entryPrice':null", "'ts':-1", "'pair':5",
		"'market':'moon'", "'positionSide':'both'", "'markPrice':''", "'contractSize':[]" };
	struct event_position e;
	struct event_balance b;
	struct event_tick t;
	char line[512], key[32];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		size_t at = (size_t)snprintf(line, sizeof line, "{'x':0");
		for (size_t j = 0; j < sizeof position / sizeof position[0]; j++)
			at += (size_t)snprintf(line + at, sizeof line - at, ",%s", i == j ? bad[j] : position[j]);
		snprintf(line + at, sizeof line - at, "}");
		take(line);
		why = "";
		assert_false(event_read_position(&f, &e, &why));
		snprintf(key, sizeof key, "%.*s ", (int)strcspn(bad[i] + 1, "'"), bad[i] + 1);
		assert_int_equal(strncmp(why, key, strlen(key)), 0);
	}
	static const char *const balances[] = { "{'balance':1,'ts':1}", "{'asset':'','balance':1,'ts':1}",
		"{'asset':'U','ts':1}", "{'asset':'U','balance':'1'}",
		"{'asset':'U','balance':'1','ts':1,'market':''}" };
	static const char *const balance_keys[] = { "asset ", "asset ", "balance ", "ts ", "market " };
	for (size_t i = 0; i < sizeof balances / sizeof balances[0]; i++) {
		take(balances[i]);
		assert_false(event_read_balance(&f, &b, &why));
		assert_int_equal(strncmp(why, balance_keys[i], strlen(balance_keys[i])), 0);
	}
	static const char *const ticks[] = { "{'price':1,'ts':1}", "{'symbol':'S','ts':1}", "{'symbol':'S','price':1}",
		"{'symbol':'S','price':1,'ts':1,'source':'news'}", "{'symbol':'S','price':1,'ts':1,'source':5}",
		"{'symbol':'S','price':1,'ts':1,'market':5}", "{'symbol':'S','price':1,'ts':1,'pair':''}" };
	static const char *const tick_keys[] = { "symbol ", "price ", "ts ", "source ", "source ", "market ", "pair " };
	for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
		take(ticks[i]);
		assert_false(event_read_tick(&f, &t, &why));
		assert_int_equal(strncmp(why, tick_keys[i], strlen(tick_keys[i])), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_has_its_slot),
		cmocka_unit_test(types),
		cmocka_unit_test(markets_and_sources),
		cmocka_unit_test(prices_of_books_and_trades),
		cmocka_unit_test(prices_of_marks),
		cmocka_unit_test(prices_of_bars),
		cmocka_unit_test(heartbeats),
		cmocka_unit_test(snapshots),
		cmocka_unit_test(statuses),
		cmocka_unit_test(long_details_are_cut_between_characters),
		cmocka_unit_test(records_keep_their_bound),
		cmocka_unit_test(numbers_are_strings_or_numbers),
		cmocka_unit_test(times_are_integers_from_zero),
		cmocka_unit_test(strings_have_a_bound),
		cmocka_unit_test(positions),
		cmocka_unit_test(balances_and_ticks),
		cmocka_unit_test(broken_contracts_name_the_key),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, free_text);
}
