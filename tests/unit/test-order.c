/* lib/order: what an order may say, and what is said of one that is none */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "order.h"

static struct fields f;
static struct order o;
static const char *why;

static bool take(const char *line)
{
	static char text[2048];
	size_t n = strlen(line);

	for (size_t i = 0; i < n; i++)
		text[i] = line[i] == '\'' ? '"' : line[i];
	memset(text + n, '\n', JSON_PAD);
	fields_open(&f, order_slot);
	if (!fields_read(&f, (struct span){ text, n }))
		fail_msg("%s: %s", line, f.why);
	why = NULL;
	return order_is(&f) && order_read(&f, &o, &why);
}

#define ORDER(more) "{'type':'order','side':'BUY','qty':'1','symbol':'SOL'" more "}"

static void orders(void **state)
{
	(void)state;
	assert_true(take(ORDER("")));
	assert_true(!o.cancel && o.id.n == 0 && !o.sell && !o.limit && !o.reduce_only && !o.at_once && !o.has_contract_size);
	assert_true(span_is(o.symbol, "SOL") && o.pair.p == o.symbol.p && span_is(o.side, "BOTH"));
	assert_int_equal(o.market, EVENT_NO_MARKET);
	assert_true(take("{'qty':2.50,'reduceOnly':true,'id':7,'pair':'BTCUSD_PERP','market':'coinm','type':'order',"
			 "'side':'SELL','orderType':'LIMIT','price':84551.1,'positionSide':'SHORT','timeInForce':'IOC',"
			 "'contractSize':'100','more':1}"));
	assert_true(span_is(o.id, "7") && o.sell && o.limit && o.reduce_only && o.at_once && o.has_contract_size);
	assert_true(span_is(o.pair, "BTCUSD_PERP") && o.symbol.n == 0 && span_is(o.side, "SHORT"));
	assert_int_equal(dec_cmp(o.qty, (struct dec){ 25, 1 }), 0);
	assert_int_equal(dec_cmp(o.price, (struct dec){ 845511, 1 }), 0);
	/* a price alone makes it LIMIT */
	assert_true(take(ORDER(",'price':'5'")) && o.limit);
	assert_true(take(ORDER(",'orderType':'MARKET','timeInForce':'GTC','reduceOnly':'true'")) && !o.limit && o.reduce_only);
	assert_true(take(ORDER(",'reduceOnly':'false','positionSide':'BOTH','market':'spot'")) && !o.reduce_only);
	assert_true(take(ORDER(",'reduceOnly':false")) && !o.reduce_only);
}

static void cancels(void **state)
{
	(void)state;
	assert_true(take("{'type':'cancel','id':'a\\n1'}") && o.cancel && span_is(o.id, "a\n1"));
	assert_false(take("{'type':'cancel'}"));
	assert_string_equal(why, "id is missing");
	assert_false(take("{'type':'cancel','id':true}"));
	assert_string_equal(why, "id is no short string");
	assert_false(take("{'type':'trade_executed'}"));
	assert_null(why);
	assert_false(take("{'type':['order']}"));
	assert_null(why);
}

static void refusals(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "{'type':'order','side':'BUY','qty':'1'}", "pair and symbol are missing" },
		{ "{'type':'order','side':'BUY','qty':'1','symbol':''}", "symbol is no short string" },
		{ ORDER(",'pair':5"), "pair is no short string" },
		{ ORDER(",'market':'moon'"), "market is none of usdm, coinm, spot" },
		{ ORDER(",'market':'coinm'"), "pair is missing" },
		{ ORDER(",'side':'buy'"), "side is neither BUY nor SELL" },
		{ ORDER(",'qty':'0'"), "qty is missing or no decimal number above zero" },
		{ ORDER(",'qty':'-1'"), "qty is missing or no decimal number above zero" },
		{ ORDER(",'qty':'1e39'"), "qty is missing or no decimal number above zero" },
		{ ORDER(",'orderType':'STOP'"), "orderType is neither MARKET nor LIMIT" },
		{ ORDER(",'orderType':'LIMIT'"), "price is missing or no decimal number above zero" },
		{ ORDER(",'price':'0'"), "price is missing or no decimal number above zero" },
		{ ORDER(",'orderType':'MARKET','price':'5'"), "price is not for a MARKET order" },
		{ ORDER(",'positionSide':'MIDDLE'"), "positionSide is none of BOTH, LONG, SHORT" },
		{ ORDER(",'reduceOnly':'yes'"), "reduceOnly is neither true nor false" },
		{ ORDER(",'reduceOnly':1"), "reduceOnly is neither true nor false" },
		{ ORDER(",'market':'spot','positionSide':'LONG'"), "positionSide is not for spot" },
		{ ORDER(",'market':'spot','reduceOnly':true"), "reduceOnly is not for spot" },
		{ ORDER(",'timeInForce':'FOK'"), "timeInForce is neither GTC nor IOC" },
		{ ORDER(",'contractSize':'0'"), "contractSize is no decimal number above zero" },
		{ ORDER(",'id':{}"), "id is no short string" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_false(take(cases[i].line));
		assert_non_null(why);
		assert_string_equal(why, cases[i].why);
	}
	assert_false(take(ORDER(",'id':'x7','qty':'no'")));
	assert_true(span_is(o.id, "x7")); /* whose refusal it is can be told */
}

static void every_key_has_its_slot(void **state)
{
	static const char *const keys[] = { "bid", "ask", "bidQty", "askQty", "orderType", "reduceOnly", "timeInForce" };
	uint64_t seen = 0;

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		unsigned slot = order_slot(keys[i], strlen(keys[i]), 0);
		assert_true(slot >= EVENT_SLOT_COUNT && slot < FIELDS_SLOTS && !(seen >> slot & 1));
		seen |= 1ULL << slot;
		assert_int_equal(order_slot(keys[i], strlen(keys[i]) - 1, 0), FIELDS_SKIP);
	}
	assert_int_equal(order_slot("price", 5, 0), EVENT_SLOT_PRICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders),
		cmocka_unit_test(cancels),
		cmocka_unit_test(refusals),
		cmocka_unit_test(every_key_has_its_slot),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
