/* lib/paper: books and orders by hand, what comes of them, and that nothing else does */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "paper.h"

#include "json.h"

static struct line_out out;
static struct paper *p;
static const char *why;
static size_t at;

static void make(const char *fee, bool demo, uint64_t seed)
{
	struct paper_options o = { .asset = SPAN("USDT"), .demo = demo, .seed = seed };

	assert_int_equal(dec_parse(span_of(fee), &o.fee_bps), DEC_OK);
	p = paper_new(&o);
	assert_non_null(p);
}

static int set_up(void **state)
{
	(void)state;
	make("0", false, 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	paper_free(p);
	return 0;
}

static struct span padded(const char *line)
{
	static char text[4096];
	size_t n = strlen(line);

	assert_true(n + JSON_PAD < sizeof text);
	for (size_t i = 0; i < n; i++)
		text[i] = line[i] == '\'' ? '"' : line[i];
	memset(text + n, '\n', JSON_PAD);
	return (struct span){ text, n };
}

static const char *told(void)
{
	static char text[1 << 20];
	size_t n = line_pending(&out);

	assert_true(n < sizeof text);
	for (size_t i = 0; i < n; i++)
		text[i] = out.buf[i] == '"' ? '\'' : out.buf[i];
	text[n] = '\0';
	return text;
}

/* all that comes out of a line, single quotes for double ones; NULL: refused */
static const char *feed(const char *line)
{
	out.p = out.buf;
	why = NULL;
	if (!paper_line(p, padded(line), &out, &why, &at)) {
		assert_non_null(why);
		return NULL;
	}
	return told();
}

/* what comes behind the line */
static const char *behind(const char *line)
{
	const char *all = feed(line);

	assert_non_null(all);
	assert_memory_equal(all, line, strlen(line));
	assert_int_equal(all[strlen(line)], '\n');
	return all + strlen(line) + 1;
}

#define BOOK(bid, bid_qty, ask, ask_qty, ts)                                                                           \
	"{'type':'price_update','symbol':'SOL','price':'1','ts':" ts ",'pair':'SOLUSDT','market':'usdm','source':'book'," \
	"'bid':'" bid "','bidQty':'" bid_qty "','ask':'" ask "','askQty':'" ask_qty "'}"
#define ORDER(id, side, qty, more) "{'type':'order','id':'" id "','symbol':'SOL','side':'" side "','qty':'" qty "'" more "}"
#define FILL(side, price, qty, ts, pnl, n, id)                                                                         \
	"{'type':'trade_executed','symbol':'SOL','side':'" side "','price':'" price "','qty':'" qty "','ts':" ts          \
	",'pair':'SOLUSDT','market':'usdm','positionSide':'BOTH','fee':'0','feeAsset':'USDT','realizedPnl':'" pnl         \
	"','id':'" n "','orderId':'" id "','simulated':true}\n"
#define NOTICE(id, ts, text)                                                                                           \
	"{'type':'status','state':'notice','ts':" ts ",'stream':'paper','event':'ORDER','orderId':'" id                   \
	"','detail':'order " id ": " text "','simulated':true}\n"

/* -------------------------------------------------------------------------------------------------- fills */

static void market_orders_take_what_is_shown(void **state)
{
	(void)state;
	assert_string_equal(behind(BOOK("99", "4", "100", "2", "10")), "");
	assert_string_equal(behind(ORDER("a", "BUY", "5", "")), FILL("BUY", "100", "2", "10", "0", "1", "a"));
	/* what was shown is used up; another order gets nothing of it */
	assert_string_equal(behind(ORDER("b", "BUY", "1", ",'ts':11")), "");
	/* the other side is untouched */
	assert_string_equal(behind(ORDER("c", "SELL", "1", "")),
	    FILL("SELL", "99", "1", "11", "-1", "2", "c") NOTICE("c", "11", "filled: SELL SOLUSDT, 1 of 1 filled"));
	/* a new book shows anew; first come, first served, at its own touch */
	assert_string_equal(behind(BOOK("99", "4", "101", "3.5", "12")),
	    FILL("BUY", "101", "3", "12", "0", "3", "a") NOTICE("a", "12", "filled: BUY SOLUSDT, 5 of 5 filled")
		FILL("BUY", "101", "0.5", "12", "0", "4", "b"));
	/* other sources and other pairs are no books of this one */
	assert_string_equal(behind("{'type':'price_update','symbol':'SOL','price':'1','ts':13,'pair':'SOLUSDT','market':'usdm',"
				   "'source':'trade','qty':'5','side':'BUY','id':'1'}"),
	    "");
	assert_string_equal(behind("{'type':'price_update','symbol':'SOL','price':'1','ts':13,'pair':'SOLUSDT','market':'spot',"
				   "'source':'book','bid':'1','bidQty':'9','ask':'2','askQty':'9'}"),
	    "");
	struct paper_counts c = paper_counts(p);
	assert_true(c.orders == 3 && c.fills == 4 && c.ended == 2 && c.open == 1 && c.rejected == 0 && c.pairs == 2);
}

static void limit_orders_rest(void **state)
{
	(void)state;
	behind(BOOK("99", "4", "100", "2", "10"));
	/* crossed when it comes: at the touch, which is better than its price; the rest rests at its own */
	assert_string_equal(
	    behind(ORDER("a", "BUY", "5", ",'price':'100.5'")), FILL("BUY", "100", "2", "10", "0", "1", "a"));
	assert_string_equal(behind(BOOK("99", "4", "100.51", "9", "11")), "");
	assert_string_equal(behind(BOOK("99", "4", "100.5", "1", "12")), FILL("BUY", "100.5", "1", "12", "0", "2", "a"));
	assert_string_equal(behind(BOOK("99", "4", "90", "1", "13")), FILL("BUY", "100.5", "1", "13", "0", "3", "a"));
	assert_string_equal(behind(ORDER("b", "SELL", "1", ",'orderType':'LIMIT','price':'120'")), "");
	assert_string_equal(behind(BOOK("120", "0.25", "121", "1", "14")), FILL("SELL", "120", "0.25", "14", "4.9375", "4", "b"));
	assert_string_equal(
	    behind("{'type':'cancel','id':'b'}"), NOTICE("b", "14", "cancelled: SELL SOLUSDT, 0.25 of 1 filled"));
	assert_string_equal(behind(BOOK("130", "9", "131", "9", "15")), "");
	assert_string_equal(behind("{'type':'cancel','id':'b'}"), NOTICE("b", "15", "refused: no open order has that id"));
	assert_int_equal(paper_counts(p).open, 1);
}

static void what_cannot_be_filled_at_once_expires(void **state)
{
	(void)state;
	/* without a book there is no at once yet */
	assert_string_equal(behind(ORDER("z", "BUY", "9", ",'timeInForce':'IOC'")), "");
	assert_string_equal(behind(BOOK("99", "4", "100", "2", "10")),
	    FILL("BUY", "100", "2", "10", "0", "1", "z")
		NOTICE("z", "10", "expired, no more can be filled at once: BUY SOLUSDT, 2 of 9 filled"));
	assert_string_equal(behind(ORDER("a", "SELL", "5", ",'price':'98','timeInForce':'IOC'")),
	    FILL("SELL", "99", "4", "10", "-2", "2", "a")
		NOTICE("a", "10", "expired, no more can be filled at once: SELL SOLUSDT, 4 of 5 filled"));
	behind(BOOK("99", "4", "100", "2", "11"));
	assert_string_equal(behind(ORDER("b", "SELL", "5", ",'price':'99.01','timeInForce':'IOC'")),
	    NOTICE("b", "11", "expired, no more can be filled at once: SELL SOLUSDT, 0 of 5 filled"));
	assert_string_equal(behind(ORDER("c", "SELL", "4", ",'price':'99','timeInForce':'IOC'")),
	    FILL("SELL", "99", "4", "11", "0", "3", "c") NOTICE("c", "11", "filled: SELL SOLUSDT, 4 of 4 filled"));
	assert_int_equal(paper_counts(p).open, 0);
}

static void an_order_may_come_before_its_book(void **state)
{
	(void)state;
	assert_string_equal(behind(ORDER("a", "BUY", "1", ",'price':'150'")), "");
	/* it meets its first book as if it came then */
	assert_string_equal(behind(BOOK("99", "4", "100", "2", "10")),
	    FILL("BUY", "100", "1", "10", "0", "1", "a") NOTICE("a", "10", "filled: BUY SOLUSDT, 1 of 1 filled"));
}

static void a_side_that_is_empty_fills_nothing(void **state)
{
	(void)state;
	behind(ORDER("a", "BUY", "1", ""));
	assert_string_equal(behind(BOOK("99", "4", "0", "0", "10")), "");
	assert_string_equal(behind(BOOK("99", "4", "0", "5", "11")), "");
	assert_string_equal(behind(BOOK("99", "4", "100", "0", "12")), "");
	assert_string_equal(behind(BOOK("99", "4", "100", "-3", "12")), "");
	/* a record without sizes shows no touch */
	assert_string_equal(behind("{'type':'price_update','symbol':'SOL','price':'100','ts':13,'source':'book','bid':'1'}"), "");
	assert_null(feed("{'type':'price_update','symbol':'SOL','price':'100','ts':13,'source':'book','bid':'x','bidQty':'1',"
			 "'ask':'2','askQty':'1'}"));
	assert_string_equal(why, "bid or bidQty is no decimal number");
	assert_null(feed("{'type':'price_update','symbol':'SOL','price':'100','ts':13,'source':'book','bid':'1','bidQty':'1',"
			 "'ask':'2','askQty':null}"));
	assert_string_equal(why, "ask or askQty is no decimal number");
	assert_int_equal(paper_counts(p).fills, 0);
}

/* --------------------------------------------------------------------------------------------- what is held */

static void reduce_only_reduces_only(void **state)
{
	(void)state;
	behind(BOOK("99", "4", "100", "9", "10"));
	assert_string_equal(behind(ORDER("a", "SELL", "1", ",'reduceOnly':true")),
	    NOTICE("a", "10", "refused: there is nothing that it would reduce"));
	behind(ORDER("b", "BUY", "3", ""));
	assert_string_equal(behind(ORDER("c", "BUY", "1", ",'reduceOnly':true")),
	    NOTICE("c", "10", "refused: there is nothing that it would reduce"));
	/* never more than is held, also where something else has reduced it meanwhile */
	assert_string_equal(behind(ORDER("d", "SELL", "9", ",'reduceOnly':true,'price':'110'")), "");
	assert_string_equal(behind(ORDER("e", "SELL", "1", "")),
	    FILL("SELL", "99", "1", "10", "-1", "2", "e") NOTICE("e", "10", "filled: SELL SOLUSDT, 1 of 1 filled"));
	assert_string_equal(behind(BOOK("111", "50", "112", "1", "11")),
	    FILL("SELL", "110", "2", "11", "20", "3", "d")
		NOTICE("d", "11", "expired, nothing is left to reduce: SELL SOLUSDT, 2 of 9 filled"));
	assert_string_equal(behind(ORDER("f", "SELL", "1", ",'reduceOnly':true")),
	    NOTICE("f", "11", "refused: there is nothing that it would reduce"));
	assert_int_equal(paper_counts(p).rejected, 3);
	assert_int_equal(paper_counts(p).orders, 3);
}

static void legs_of_hedge_mode(void **state)
{
	(void)state;
	behind(BOOK("99", "4", "100", "9", "10"));
	assert_string_equal(behind(ORDER("a", "SELL", "1", ",'positionSide':'LONG'")),
	    NOTICE("a", "10", "refused: there is nothing that it would reduce"));
	assert_non_null(strstr(behind(ORDER("b", "BUY", "2", ",'positionSide':'LONG'")), "'positionSide':'LONG'"));
	assert_non_null(strstr(behind(ORDER("c", "SELL", "1", ",'positionSide':'SHORT'")), "'positionSide':'SHORT'"));
	const char *got = behind(ORDER("d", "SELL", "9", ",'positionSide':'LONG'"));
	assert_non_null(strstr(got, "'qty':'2'"));
	assert_non_null(strstr(got, "expired, nothing is left to reduce: SELL SOLUSDT, 2 of 9 filled"));
	/* SELL is what SHORT opens with */
	assert_null(strstr(behind(ORDER("e", "SELL", "1", ",'positionSide':'SHORT'")), "refused"));
}

/* the same lines that bnc-position behind it reads */
static void what_others_tell_is_held(void **state)
{
	(void)state;
	behind("{'type':'position_update','symbol':'SOL','qty':'-2','entryPrice':'101','ts':1}");
	behind(BOOK("99", "4", "100", "9", "10"));
	assert_string_equal(behind(ORDER("a", "BUY", "5", ",'reduceOnly':true")),
	    FILL("BUY", "100", "2", "10", "2", "1", "a")
		NOTICE("a", "10", "expired, nothing is left to reduce: BUY SOLUSDT, 2 of 5 filled"));
	behind("{'type':'trade_executed','symbol':'SOL','side':'BUY','price':'90','qty':'1','ts':11,'id':'1'}");
	assert_string_equal(behind(ORDER("b", "SELL", "5", ",'reduceOnly':true,'timeInForce':'IOC'")),
	    FILL("SELL", "99", "1", "11", "9", "2", "b")
		NOTICE("b", "11", "expired, nothing is left to reduce: SELL SOLUSDT, 1 of 5 filled"));
	assert_null(feed("{'type':'position_update','symbol':'SOL','qty':'x','entryPrice':'101','ts':1}"));
	assert_string_equal(why, "qty is missing or no decimal number");
}

static void fees_are_exact(void **state)
{
	(void)state;
	paper_free(p);
	make("4.5", false, 0);
	behind("{'type':'price_update','symbol':'SOL','price':'1','ts':1,'pair':'SOLUSDC','market':'usdm','source':'book',"
	       "'bid':'142.35','bidQty':'1','ask':'142.36','askQty':'1'}");
	assert_non_null(strstr(behind("{'type':'order','pair':'SOLUSDC','side':'BUY','qty':'0.123'}"),
	    "'fee':'0.007879626','feeAsset':'USDC'"));
	behind("{'type':'price_update','symbol':'BTC','price':'1','ts':1,'pair':'BTCUSD_PERP','market':'coinm','source':'book',"
	       "'bid':'84551.1','bidQty':'9','ask':'84551.2','askQty':'9'}");
	/* 3 x 100 / 84551.2 x 0.00045 = 0.00000159666... */
	assert_non_null(strstr(behind("{'type':'order','pair':'BTCUSD_PERP','market':'coinm','side':'BUY','qty':'3'}"),
	    "'fee':'0.00000159','feeAsset':'BTC','realizedPnl':'0','id':'2','contractSize':'100','simulated':true}"));
	behind("{'type':'price_update','symbol':'BNB','price':'1','ts':1,'pair':'BNBUSDT','market':'spot','source':'book',"
	       "'bid':'600','bidQty':'9','ask':'600.5','askQty':'9'}");
	const char *got = behind("{'type':'order','pair':'BNBUSDT','market':'spot','side':'BUY','qty':'2','id':'s'}");
	assert_non_null(strstr(got, "'market':'spot','fee':'0.54045','feeAsset':'USDT','id':'3','orderId':'s','simulated':true}"));
	assert_null(strstr(got, "positionSide"));
}

/* ------------------------------------------------------------------------------------------------- orders */

static void refused_orders_are_told(void **state)
{
	(void)state;
	assert_string_equal(behind(ORDER("a", "BUY", "none", "")),
	    NOTICE("a", "0", "refused: qty is missing or no decimal number above zero"));
	assert_string_equal(behind("{'type':'order','ts':5}"),
	    "{'type':'status','state':'notice','ts':5,'stream':'paper','event':'ORDER','detail':'order: refused: pair and "
	    "symbol are missing','simulated':true}\n");
	behind(ORDER("b", "BUY", "1", ""));
	assert_string_equal(behind(ORDER("b", "BUY", "1", "")), NOTICE("b", "5", "refused: id is that of an open order"));
	/* without an id there may be many */
	assert_string_equal(behind("{'type':'order','symbol':'SOL','side':'BUY','qty':'1'}"), "");
	assert_string_equal(behind("{'type':'order','symbol':'SOL','side':'BUY','qty':'1'}"), "");
	/* one whose margin asset nobody knows, once it is to be filled */
	behind("{'type':'order','id':'q','pair':'NOQUOTE','side':'BUY','qty':'1'}");
	assert_string_equal(behind("{'type':'price_update','symbol':'NO','price':'1','ts':6,'pair':'NOQUOTE','source':'book',"
				   "'bid':'1','bidQty':'1','ask':'1','askQty':'1'}"),
	    NOTICE("q", "6", "refused: pair does not tell its margin asset"));
	assert_int_equal(paper_counts(p).open, 3);
}

static void there_are_caps(void **state)
{
	char line[256];

	(void)state;
	for (int i = 0; i <= PAPER_ORDERS_MAX; i++) {
		snprintf(line, sizeof line, "{'type':'order','id':'%d','symbol':'SOL','side':'BUY','qty':'1','price':'5'}", i);
		const char *got = behind(line);
		if (i < PAPER_ORDERS_MAX)
			assert_string_equal(got, "");
		else
			assert_non_null(strstr(got, "refused: 1024 orders are open"));
	}
	assert_non_null(strstr(behind("{'type':'cancel','id':'500'}"), "cancelled"));
	assert_string_equal(behind("{'type':'order','id':'n','symbol':'SOL','side':'BUY','qty':'1','price':'5'}"), "");
	assert_non_null(strstr(behind("{'type':'cancel','id':'1'}"), "cancelled"));
	/* in the order in which they came, those that were cancelled left out */
	assert_string_equal(behind(BOOK("1", "1", "5", "2.5", "7")),
	    FILL("BUY", "5", "1", "7", "0", "1", "0") NOTICE("0", "7", "filled: BUY SOLUSDT, 1 of 1 filled")
		FILL("BUY", "5", "1", "7", "0", "2", "2") NOTICE("2", "7", "filled: BUY SOLUSDT, 1 of 1 filled")
		FILL("BUY", "5", "0.5", "7", "0", "3", "3"));
	assert_int_equal(paper_counts(p).open, 1021);
	/* the last one and the first one go, and others take their places */
	assert_non_null(strstr(behind("{'type':'cancel','id':'n'}"), "cancelled"));
	assert_non_null(strstr(behind("{'type':'cancel','id':'3'}"), "0.5 of 1 filled"));
	assert_string_equal(behind("{'type':'order','id':'m','symbol':'SOL','side':'BUY','qty':'1','price':'6'}"), "");
	out.p = out.buf;
	assert_true(paper_line(p, padded(BOOK("1", "1", "6", "5000", "8")), &out, &why, &at));
	assert_int_equal(paper_counts(p).open, 1019);
	assert_int_equal(paper_counts(p).fills, 4);
}

static void pairs_have_a_cap(void **state)
{
	char line[256];

	(void)state;
	for (int i = 0; i < PAPER_PAIRS_MAX; i++) {
		snprintf(line, sizeof line, "{'type':'price_update','symbol':'P%d','price':'1','ts':1,'source':'book','bid':'1',"
					    "'bidQty':'1','ask':'1','askQty':'1'}", i);
		assert_string_equal(behind(line), "");
	}
	behind(BOOK("1", "1", "1", "1", "1")); /* passes, and is not kept */
	assert_string_equal(
	    behind(ORDER("a", "BUY", "1", "")), NOTICE("a", "1", "refused: pair is one too many: 8192 have been seen"));
}

/* ------------------------------------------------------------------------------------- orders beside the stream */

static void orders_from_elsewhere_take_effect_now(void **state)
{
	(void)state;
	behind(BOOK("99", "4", "100", "2", "10"));
	out.p = out.buf;
	assert_true(paper_order(p, padded(ORDER("a", "BUY", "1", ",'ts':99")), &out, &why, &at));
	assert_string_equal(told(), ORDER("a", "BUY", "1", ",'ts':99") "\n" FILL("BUY", "100", "1", "99", "0", "1", "a")
					NOTICE("a", "99", "filled: BUY SOLUSDT, 1 of 1 filled"));
	out.p = out.buf;
	assert_false(paper_order(p, padded("{'type':'heartbeat','ts':5}"), &out, &why, &at));
	assert_string_equal(why, "type is neither order nor cancel");
	assert_int_equal(at, 9);
	assert_false(paper_order(p, padded("[]"), &out, &why, &at));
	assert_int_equal(line_pending(&out), 0);
}

static void hold_back(const char *line)
{
	if (!paper_wait(p, padded(line), &why, &at))
		fail_msg("%s: %s", line, why);
}

static void orders_wait_for_their_time(void **state)
{
	(void)state;
	hold_back(ORDER("a", "BUY", "1", ",'ts':10"));
	hold_back(ORDER("b", "BUY", "1", ",'ts':12"));
	hold_back(ORDER("c", "BUY", "1", ",'ts':11")); /* older than the one before it: with that */
	hold_back("{'type':'cancel','id':'c','ts':20}");
	assert_false(paper_wait(p, padded(ORDER("a", "BUY", "1", "")), &why, &at));
	assert_string_equal(why, "ts is missing or no time in ms");
	assert_false(paper_wait(p, padded("{'type':'status','ts':5}"), &why, &at));
	assert_string_equal(behind(BOOK("99", "4", "100", "9", "9")), "");
	/* in front of the line, so that it meets the book before it */
	assert_string_equal(feed(BOOK("99", "4", "101", "9", "10")),
	    ORDER("a", "BUY", "1", ",'ts':10") "\n" FILL("BUY", "100", "1", "10", "0", "1", "a")
		NOTICE("a", "10", "filled: BUY SOLUSDT, 1 of 1 filled") BOOK("99", "4", "101", "9", "10") "\n");
	assert_string_equal(behind("{'type':'heartbeat','ts':11}"), "");
	assert_string_equal(feed("{'type':'heartbeat','ts':13}"),
	    ORDER("b", "BUY", "1", ",'ts':12") "\n" FILL("BUY", "101", "1", "12", "0", "2", "b")
		NOTICE("b", "12", "filled: BUY SOLUSDT, 1 of 1 filled") ORDER("c", "BUY", "1", ",'ts':11") "\n"
		FILL("BUY", "101", "1", "12", "0", "3", "c") NOTICE("c", "12", "filled: BUY SOLUSDT, 1 of 1 filled")
		"{'type':'heartbeat','ts':13}\n");
	assert_string_equal(behind("{'type':'of tomorrow'}"), "");
	assert_string_equal(feed("{'type':'of tomorrow','ts':20}"),
	    "{'type':'cancel','id':'c','ts':20}\n" NOTICE("c", "20", "refused: no open order has that id")
		"{'type':'of tomorrow','ts':20}\n");
	assert_string_equal(behind("{'type':'heartbeat','ts':99}"), "");
}

static void what_waits_has_a_cap(void **state)
{
	static char line[(1 << 20) + JSON_PAD];
	const char head[] = "{\"type\":\"order\",\"ts\":1,\"x\":\"";
	unsigned n = 0;

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, head, sizeof head - 1);
	memcpy(line + (1 << 20) - 2, "\"}", 2);
	memset(line + (1 << 20), '\n', JSON_PAD);
	while (paper_wait(p, (struct span){ line, 1 << 20 }, &why, &at))
		n++;
	assert_string_equal(why, "more than 16 MiB of orders");
	assert_int_equal(n, 15);
}

/* --------------------------------------------------------------------------------------------------- demo */

/* so many books of two pairs; the sum of all that comes out */
static uint64_t demo(uint64_t seed, int books)
{
	static const char *const pairs[] = { "SOLUSDT", "BTCUSDT" };
	uint64_t sum = 14695981039346656037ULL, walk = 1;
	char line[512];

	paper_free(p);
	make("5", true, seed);
	for (int i = 0; i < books; i++) {
		walk = walk * 6364136223846793005ULL + 1442695040888963407ULL;
		int price = 14235 + (int)(walk >> 60);
		snprintf(line, sizeof line,
		    "{'type':'price_update','symbol':'X','price':'1','ts':%d,'pair':'%s','source':'book','bid':'%d.1',"
		    "'bidQty':'0.5','ask':'%d.2','askQty':'0.5'}", 100 * i, pairs[i % 2], price, price);
		const char *got = behind(line);
		for (const char *c = got; *c; c++)
			sum = (sum ^ (unsigned char)*c) * 1099511628211ULL;
		assert_null(strstr(got, "status")); /* it is not told of its orders, its fills tell enough */
		assert_true(!*got || strstr(got, "'simulated':true"));
	}
	return sum;
}

static void the_demo_is_a_function_of_its_seed(void **state)
{
	(void)state;
	uint64_t sum = demo(7, 5000);
	struct paper_counts c = paper_counts(p);
	assert_true(c.fills > 100 && c.orders > 100 && c.rejected == 0);
	assert_true(demo(7, 5000) == sum);
	assert_true(demo(8, 5000) != sum);
}

/* without a demo nothing happens that nobody asked for */
static void nothing_comes_of_itself(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++)
		assert_string_equal(behind(BOOK("99", "4", "100", "2", "100000")), "");
	assert_string_equal(behind("{'type':'balance_update','asset':'USDT','balance':'5','ts':1}"), "");
}

static int open_out(void **state)
{
	(void)state;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 || !line_out_open(&out, (struct io_out){ .fd = fd }, -1);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		EACH(market_orders_take_what_is_shown),
		EACH(limit_orders_rest),
		EACH(what_cannot_be_filled_at_once_expires),
		EACH(an_order_may_come_before_its_book),
		EACH(a_side_that_is_empty_fills_nothing),
		EACH(reduce_only_reduces_only),
		EACH(legs_of_hedge_mode),
		EACH(what_others_tell_is_held),
		EACH(fees_are_exact),
		EACH(refused_orders_are_told),
		EACH(there_are_caps),
		EACH(pairs_have_a_cap),
		EACH(orders_from_elsewhere_take_effect_now),
		EACH(orders_wait_for_their_time),
		EACH(what_waits_has_a_cap),
		EACH(the_demo_is_a_function_of_its_seed),
		EACH(nothing_comes_of_itself),
	};

	return cmocka_run_group_tests_name("paper", tests, open_out, NULL);
}
