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
		{ "side", EVENT_SLOT_SIDE },
		{ "fee", EVENT_SLOT_FEE },
		{ "feeAsset", EVENT_SLOT_FEE_ASSET },
		{ "realizedPnl", EVENT_SLOT_REALIZED_PNL },
		{ "id", EVENT_SLOT_ID },
		{ "orderId", EVENT_SLOT_ORDER_ID },
		{ "simulated", EVENT_SLOT_SIMULATED },
		{ "more", EVENT_SLOT_MORE },
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

/* texts of prices stand where some bytes more can be read */
#define PADDED(text) ((struct span){ text "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", sizeof(text) - 1 })

static struct event_price price(enum event_source source)
{
	return (struct event_price){ .symbol = PADDED("SOL"),
		.price = PADDED("142.355"),
		.ts = PADDED("1790526538940"),
		.pair = PADDED("SOLUSDT"),
		.market = EVENT_USDM,
		.source = source };
}

static void prices_of_books_and_trades(void **state)
{
	struct event_price e = price(EVENT_BOOK);

	(void)state;
	e.book.bid = PADDED("142.35");
	e.book.bid_qty = PADDED("2.6");
	e.book.ask = PADDED("142.36");
	e.book.ask_qty = PADDED("5.3");
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142."
						   "355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
						   "\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"142.35\","
						   "\"bidQty\":\"2.6\",\"ask\":\"142.36\",\"askQty\":\"5.3\"}\n");
	e = price(EVENT_TRADE);
	e.market = EVENT_SPOT;
	e.trade.qty = PADDED("0.5");
	e.trade.id = PADDED("8389765739703625592");
	assert_written(event_write_price(out, &e), "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"142."
						   "355\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
						   "\"market\":\"spot\",\"source\":\"trade\",\"qty\":\"0.5\",\"side\":"
						   "\"BUY\",\"id\":\"8389765739703625592\"}\n");
	e.trade.sell = true;
	e.ts = PADDED("0");
	e.symbol = PADDED("\xe7\x89\x9b");
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
	e.mark.index_price = PADDED("142");
	e.mark.funding_rate = PADDED("-0.0001");
	snprintf(want, sizeof want,
	    "%s,\"indexPrice\":\"142\",\"fundingRate\":\"-0.0001\",\"nextFundingTs\":1790553600000}\n", head);
	assert_written(event_write_price(out, &e), want);
}

static void prices_of_bars(void **state)
{
	struct event_price e = price(EVENT_KLINE);

	(void)state;
	e.bar.interval = PADDED("1M");
	e.bar.open = PADDED("1");
	e.bar.high = PADDED("2");
	e.bar.low = PADDED("0.5");
	e.bar.volume = PADDED("0");
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
	e.simulated = true;
	assert_non_null(strstr((event_write_equity(out, &e)[-1] = '\0', out), "USDT\"],\"simulated\":true}"));
	e.simulated = false;
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
	e = (struct event_status){
		.state = SPAN("notice"), .ts = 5, .event = SPAN("MARGIN_CALL"), .detail = SPAN("x")
	};
	assert_written(event_write_status(out, &e),
	    "{\"type\":\"status\",\"state\":\"notice\",\"ts\":5,\"event\":\"MARGIN_CALL\",\"detail\":\"x\"}\n");
	e.order_id = SPAN("a\"1");
	e.simulated = true;
	assert_written(event_write_status(out, &e), "{\"type\":\"status\",\"state\":\"notice\",\"ts\":5,"
						    "\"event\":\"MARGIN_CALL\",\"orderId\":\"a\\\"1\",\"detail\":\"x\","
						    "\"simulated\":true}\n");
}

/* ' stands for " in what is wanted */
static void assert_record(const char *end, const char *want)
{
	char quoted[1024];
	size_t n = strlen(want);

	assert_true(n < sizeof quoted);
	for (size_t i = 0; i <= n; i++)
		quoted[i] = want[i] == '\'' ? '"' : want[i];
	assert_written(end, quoted);
}

static void positions_are_written(void **state)
{
	struct event_position e = { .symbol = SPAN("SOL"),
		.pair = SPAN("SOLUSDT"),
		.market = EVENT_USDM,
		.side = SPAN("BOTH"),
		.qty = { -125, 1 },
		.entry_price = { 31320000000000005, 14 },
		.has_mark = true,
		.mark_price = { 142355, 3 },
		.has_pnl = true,
		.unrealized_pnl = { 93125, 4 },
		.ts = 1790526538940 };

	(void)state;
	assert_record(event_write_position(out, &e),
	    "{'type':'position_update','symbol':'SOL','qty':'-12.5','entryPrice':'313.20000000000005',"
	    "'markPrice':'142.355','unrealizedPnl':'9.3125','ts':1790526538940,'pair':'SOLUSDT','market':'usdm','positionSide':'BOTH'}\n");
	e = (struct event_position){ .symbol = SPAN("BTC"),
		.pair = SPAN("BTCUSD_PERP"),
		.market = EVENT_COINM,
		.side = SPAN("SHORT"),
		.has_contract_size = true,
		.contract_size = { 100, 0 },
		.more = true,
		.simulated = true };
	assert_record(event_write_position(out, &e),
	    "{'type':'position_update','symbol':'BTC','qty':'0','entryPrice':'0','ts':0,'pair':'BTCUSD_PERP',"
	    "'market':'coinm','positionSide':'SHORT','contractSize':'100','more':true,'simulated':true}\n");
	e = (struct event_position){ .symbol = SPAN("X\"") };
	assert_record(event_write_position(out, &e),
	    "{'type':'position_update','symbol':'X\\'','qty':'0','entryPrice':'0','ts':0}\n");
}

static void balances_are_written(void **state)
{
	struct event_balance e = { .asset = SPAN("USDT"), .balance = { 2429967947, 8 }, .ts = 7 };

	(void)state;
	assert_record(
	    event_write_balance(out, &e), "{'type':'balance_update','asset':'USDT','balance':'24.29967947','ts':7}\n");
	e.market = EVENT_SPOT;
	e.reason = SPAN("SNAPSHOT");
	e.has_parts = true;
	e.free = (struct dec){ 2429967947, 8 };
	e.simulated = true;
	assert_record(event_write_balance(out, &e),
	    "{'type':'balance_update','asset':'USDT','balance':'24.29967947','ts':7,'market':'spot',"
	    "'reason':'SNAPSHOT','free':'24.29967947','locked':'0','simulated':true}\n");
	e = (struct event_balance){ .asset = SPAN("BNB"), .more = true };
	assert_record(
	    event_write_balance(out, &e), "{'type':'balance_update','asset':'BNB','balance':'0','ts':0,'more':true}\n");
}

static void trades_are_written(void **state)
{
	struct event_trade e = { .symbol = SPAN("SOL"),
		.pair = SPAN("SOLUSDT"),
		.market = EVENT_USDM,
		.position_side = SPAN("BOTH"),
		.sell = true,
		.price = { 1431, 1 },
		.qty = { 125, 1 },
		.ts = 1790526530001,
		.has_fee = true,
		.fee = { 7155, 4 },
		.fee_asset = SPAN("USDT"),
		.has_pnl = true,
		.id = SPAN("702423109"),
		.order_id = SPAN("8389765739703625592") };

	(void)state;
	assert_record(event_write_trade(out, &e),
	    "{'type':'trade_executed','symbol':'SOL','side':'SELL','price':'143.1','qty':'12.5','ts':1790526530001,"
	    "'pair':'SOLUSDT','market':'usdm','positionSide':'BOTH','fee':'0.7155','feeAsset':'USDT','realizedPnl':'0',"
	    "'id':'702423109','orderId':'8389765739703625592'}\n");
	e = (struct event_trade){ .symbol = SPAN("BTC"),
		.price = { 2, 0 },
		.qty = { 3, 0 },
		.ts = 1,
		.has_contract_size = true,
		.contract_size = { 100, 0 },
		.simulated = true };
	assert_record(event_write_trade(out, &e),
	    "{'type':'trade_executed','symbol':'BTC','side':'BUY','price':'2','qty':'3','ts':1,'contractSize':'100',"
	    "'simulated':true}\n");
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
			.event = { detail, sizeof detail },
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
	struct event_price e = { .ts = PADDED("9223372036854775807"), .market = EVENT_COINM };

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
			e.bar.interval = PADDED("12345678");
			e.bar.open = e.bar.high = e.bar.low = e.bar.volume = n;
			e.bar.closed = false;
		}
		assert_true(event_write_price(out, &e) - out + 32 <= LINE_RECORD_MAX);
	}
	struct span longest = { name, sizeof name };
	struct dec d = { -1, 38 };
	struct event_trade t = { longest, longest, EVENT_COINM, longest, true, d, d, INT64_MIN, true, d, longest, true,
		d, longest, longest, true, d, true };
	assert_true(event_write_trade(out, &t) - out <= LINE_RECORD_MAX);
	struct event_position p = { longest, longest, EVENT_COINM, longest, d, d, true, d, true, d, true, d, INT64_MIN, true,
		true };
	assert_true(event_write_position(out, &p) - out <= LINE_RECORD_MAX);
	struct event_balance b = { longest, d, EVENT_COINM, INT64_MIN, longest, true, d, d, true, true };
	assert_true(event_write_balance(out, &b) - out <= LINE_RECORD_MAX);
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
	assert_true(!e.has_mark && e.has_contract_size && !e.more && !e.simulated);
	assert_dec(e.contract_size, "100");
	assert_dec(e.entry_price, "10");
	take("{'ts':1,'entryPrice':'1','qty':'1','symbol':'S','more':true,'simulated':true}");
	assert_true(event_read_position(&f, &e, &why));
	assert_int_equal(e.market, EVENT_NO_MARKET);
	assert_true(e.more && e.simulated);
}

/* the names that records are matched by */
static void names_are_made_full(void **state)
{
	static const struct {
		const char *line, *pair;
		enum event_market market;
	} cases[] = {
		{ "{'symbol':'SOL','price':'1','ts':1}", "SOLUSDC", EVENT_USDM },
		{ "{'symbol':'SOL','price':'1','ts':1,'market':'spot'}", "SOLUSDC", EVENT_SPOT },
		{ "{'symbol':'SOL','price':'1','ts':1,'market':'coinm'}", "SOL", EVENT_COINM },
		{ "{'symbol':'SOL','price':'1','ts':1,'pair':'SOL'}", "SOL", EVENT_USDM },
		{ "{'symbol':'SOL','price':'1','ts':1,'pair':'SOLUSDT','market':'coinm'}", "SOLUSDT", EVENT_COINM },
	};
	char full[2 * EVENT_NAME_MAX], long_name[EVENT_NAME_MAX];
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct event_tick t;
		take(cases[i].line);
		assert_true(event_read_tick(&f, &t, &why));
		assert_true(event_full_name(SPAN("USDC"), t.symbol, &t.pair, &t.market, full));
		assert_true(span_is(t.pair, cases[i].pair));
		assert_int_equal(t.market, cases[i].market);
	}
	/* a symbol that is the beginning of its pair's own full is no pair left out */
	struct span pair = SPAN("SOLUSDT");
	enum event_market market = EVENT_SPOT;
	assert_true(event_full_name(SPAN("USDC"), (struct span){ pair.p, 3 }, &pair, &market, full));
	assert_true(span_is(pair, "SOLUSDT"));
	memset(long_name, 'A', sizeof long_name);
	pair = (struct span){ long_name, EVENT_NAME_MAX - 3 };
	assert_false(event_full_name(SPAN("USDC"), pair, &pair, &market, full));
	pair = (struct span){ long_name, EVENT_NAME_MAX - 4 };
	assert_true(event_full_name(SPAN("USDC"), pair, &pair, &market, full));
	assert_int_equal(pair.n, EVENT_NAME_MAX);
}

static void trades(void **state)
{
	struct event_trade e;
	const char *why = NULL;

	(void)state;
	take("{'type':'trade_executed','symbol':'SOL','side':'SELL','price':'143.10','qty':'12.5','ts':1790526530001,"
	     "'pair':'SOLUSDT','market':'usdm','positionSide':'LONG','fee':'-0.7155','feeAsset':'BNB',"
	     "'realizedPnl':'-2.5','id':'702423109','orderId':'8389765739703625592','simulated':true}");
	assert_true(event_read_trade(&f, &e, &why));
	assert_true(span_is(e.symbol, "SOL") && span_is(e.pair, "SOLUSDT") && span_is(e.position_side, "LONG"));
	assert_true(e.sell && e.has_fee && e.has_pnl && e.simulated && !e.has_contract_size);
	assert_dec(e.price, "143.1");
	assert_dec(e.qty, "12.5");
	assert_dec(e.fee, "-0.7155");
	assert_dec(e.realized_pnl, "-2.5");
	assert_true(span_is(e.fee_asset, "BNB") && span_is(e.id, "702423109"));
	assert_true(span_is(e.order_id, "8389765739703625592"));
	assert_int_equal(e.market, EVENT_USDM);
	assert_int_equal(e.ts, 1790526530001);
	take("{'ts':1,'qty':1,'price':0,'side':'BUY','symbol':'S','id':5,'orderId':8389765739703625592,"
	     "'simulated':false,'contractSize':10}");
	assert_true(event_read_trade(&f, &e, &why));
	assert_true(e.pair.p == e.symbol.p && span_is(e.position_side, "BOTH") && e.market == EVENT_NO_MARKET);
	assert_true(!e.sell && !e.has_fee && !e.has_pnl && !e.simulated && e.has_contract_size);
	assert_true(e.fee_asset.n == 0 && span_is(e.id, "5") && span_is(e.order_id, "8389765739703625592"));
	take("{'ts':1,'qty':1,'price':0,'side':'BUY','symbol':'S'}");
	assert_true(event_read_trade(&f, &e, &why));
	assert_true(e.id.n == 0 && e.order_id.n == 0);
}

/* what is written, read again */
static void records_come_back(void **state)
{
	struct event_trade t = { .symbol = SPAN("SOL"),
		.pair = SPAN("SOLUSDT"),
		.market = EVENT_SPOT,
		.position_side = SPAN("SHORT"),
		.price = { 5, 8 },
		.qty = { 7, 0 },
		.simulated = true };
	struct event_position p = {
		.symbol = SPAN("SOL"), .pair = SPAN("SOLUSDT"), .side = SPAN("BOTH"), .simulated = true
	};
	struct event_balance b = { .asset = SPAN("USDT"), .balance = { -1, 38 }, .simulated = true };
	const char *why = NULL;

	(void)state;
	(event_write_trade(out, &t)[-1] = '\0');
	take(out);
	assert_true(event_read_trade(&f, &t, &why) && t.simulated && t.market == EVENT_SPOT && !t.has_fee);
	assert_dec(t.price, "0.00000005");
	(event_write_position(out, &p)[-1] = '\0');
	take(out);
	assert_true(event_read_position(&f, &p, &why) && p.simulated && span_is(p.side, "BOTH"));
	(event_write_balance(out, &b)[-1] = '\0');
	take(out);
	assert_true(event_read_balance(&f, &b, &why) && b.simulated);
	assert_dec(b.balance, "-0.00000000000000000000000000000000000001");
	take("{'asset':'U','balance':1,'ts':1,'simulated':'true'}"); /* a word is no boolean */
	assert_true(event_read_balance(&f, &b, &why) && !b.simulated);
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
	static const char *const trade[] = { "'symbol':'SOL'", "'side':'BUY'", "'price':'1'", "'qty':'1'", "'ts':1",
		"'pair':'P'", "'market':'usdm'", "'positionSide':'BOTH'", "'fee':'1'", "'feeAsset':'U'", "'realizedPnl':'1'",
		"'contractSize':'1'", "'id':'1'", "'orderId':'1'" };
	static const char *const bad_trade[] = { "'symbol':''", "'side':'Buy'", "'price':'x'", "'qty':'0'", "'ts':-1",
		"'pair':5", "'market':'moon'", "'positionSide':'both'", "'fee':''", "'feeAsset':5", "'realizedPnl':null",
		"'contractSize':[]", "'id':[]", "'orderId':1.5" };
	static const char *const trade_keys[] = { "symbol ", "side ", "price ", "qty ", "ts ", "pair ", "market ",
		"positionSide ", "fee ", "feeAsset ", "realizedPnl ", "contractSize ", "id or orderId ", "id or orderId " };
	struct event_trade deal;
	for (size_t i = 0; i <= sizeof trade / sizeof trade[0]; i++) { /* the last time all are sound */
		size_t at = (size_t)snprintf(line, sizeof line, "{'x':0");
		for (size_t j = 0; j < sizeof trade / sizeof trade[0]; j++)
			at += (size_t)snprintf(line + at, sizeof line - at, ",%s", i == j ? bad_trade[j] : trade[j]);
		snprintf(line + at, sizeof line - at, "}");
		take(line);
		why = "";
		bool sound = event_read_trade(&f, &deal, &why);
		assert_int_equal(sound, i == sizeof trade / sizeof trade[0]);
		if (!sound && strncmp(why, trade_keys[i], strlen(trade_keys[i])) != 0)
			fail_msg("%s: %s", bad_trade[i], why);
	}
	take("{'symbol':'S','side':'BUY','price':1,'qty':'-1','ts':1}");
	assert_false(event_read_trade(&f, &deal, &why));
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
		cmocka_unit_test(positions_are_written),
		cmocka_unit_test(balances_are_written),
		cmocka_unit_test(trades_are_written),
		cmocka_unit_test(long_details_are_cut_between_characters),
		cmocka_unit_test(records_keep_their_bound),
		cmocka_unit_test(numbers_are_strings_or_numbers),
		cmocka_unit_test(times_are_integers_from_zero),
		cmocka_unit_test(strings_have_a_bound),
		cmocka_unit_test(positions),
		cmocka_unit_test(names_are_made_full),
		cmocka_unit_test(trades),
		cmocka_unit_test(records_come_back),
		cmocka_unit_test(balances_and_ticks),
		cmocka_unit_test(broken_contracts_name_the_key),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, free_text);
}
