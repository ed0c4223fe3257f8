/* lib/position: lines by hand, caps, and what is refused */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "position.h"

static struct line_out out;
static struct position *b;
static const char *why;
static size_t at;

static int make(void **state)
{
	(void)state;
	b = position_new(SPAN("USDT"));
	return b == NULL;
}

static int unmake(void **state)
{
	(void)state;
	position_free(b);
	return 0;
}

static struct span padded(const char *line)
{
	static char text[4096];
	size_t n = strlen(line);

	assert_true(n + JSON_PAD < sizeof text);
	memcpy(text, line, n);
	memset(text + n, '\n', JSON_PAD);
	return (struct span){ text, n };
}

static char *quoted(char *text)
{
	for (char *p = text; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return text;
}

/* All that comes out, single quotes for double ones; NULL where the line is refused, and then nothing comes out. */
static const char *feed(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *feed(const char *format, ...)
{
	static char line[2048], text[8192];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	out.p = out.buf;
	why = NULL;
	if (!position_line(b, padded(quoted(line)), &out, &why, &at)) {
		assert_non_null(why);
		assert_int_equal(line_pending(&out), 0);
		return NULL;
	}
	size_t n = line_pending(&out);
	assert_true(n < sizeof text);
	memcpy(text, out.buf, n);
	text[n] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	return text;
}

/* the same without the line itself, which must be in front */
static const char *behind(const char *line)
{
	const char *all = feed("%s", line);

	assert_non_null(all);
	assert_memory_equal(all, line, strlen(line));
	return all + strlen(line) + 1;
}

#define TRADE(side, price, qty, more)                                                                                  \
	"{'type':'trade_executed','symbol':'SOL','side':'" side "','price':'" price "','qty':'" qty                    \
	"','ts':5,'pair':'SOLUSDT','market':'usdm'" more "}"
#define POSITION(qty, entry, side, end)                                                                                \
	"{'type':'position_update','symbol':'SOL','qty':'" qty "','entryPrice':'" entry                                \
	"','ts':5,'pair':'SOLUSDT','market':'usdm','positionSide':'" side "','more':true" end "}\n"
#define BALANCE(asset, balance, end)                                                                                   \
	"{'type':'balance_update','asset':'" asset "','balance':'" balance                                             \
	"','ts':5,'market':'usdm','reason':'ORDER'" end "}\n"

static void refused(const char *line, const char *sentence)
{
	assert_null(feed("%s", line));
	assert_string_equal(why, sentence);
}

/* --------------------------------------------------------------------------------------------------------- fills */

static void a_fill_is_followed_by_what_it_did(void **state)
{
	(void)state;
	assert_string_equal(behind(TRADE("BUY", "100", "2", ",'fee':'0.1','feeAsset':'USDT','id':'1'")),
	    POSITION("2", "100", "BOTH", "") BALANCE("USDT", "-0.1", ""));
	assert_string_equal(behind(TRADE("SELL", "103", "5", ",'fee':'0.2'")),
	    POSITION("-3", "103", "BOTH", "") BALANCE("USDT", "5.7", ""));
	assert_string_equal(behind(TRADE("BUY", "102", "3", ",'fee':'0.001','feeAsset':'BNB'")),
	    POSITION("0", "0", "BOTH", "") BALANCE("USDT", "8.7", ",'more':true") BALANCE("BNB", "-0.001", ""));
	struct position_counts c = position_counts(b);
	assert_int_equal(c.fills, 3);
	assert_int_equal(c.open, 0);
	assert_int_equal(c.wallets, 2);
}

/* two fees and a loss of a real account (binance 5.3) */
static void a_real_round_trip(void **state)
{
	(void)state;
	behind("{'type':'balance_update','asset':'USDT','balance':'24.30489058','ts':1,'market':'usdm'}");
	assert_string_equal(behind(TRADE("BUY", "313.2", "0.02",
				",'fee':'0.00250560','feeAsset':'USDT','realizedPnl':'0','id':'1'")),
	    POSITION("0.02", "313.2", "BOTH", "") BALANCE("USDT", "24.30238498", ""));
	assert_string_equal(behind(TRADE("SELL", "313.19", "0.02",
				",'fee':'0.00250551','feeAsset':'USDT','realizedPnl':'-0.00020000','id':'2'")),
	    POSITION("0", "0", "BOTH", "") BALANCE("USDT", "24.29967947", ""));
	assert_int_equal(position_counts(b).differing, 0);
}

static void legs_are_apart_and_do_not_flip(void **state)
{
	(void)state;
	behind(TRADE("BUY", "100", "2", ",'positionSide':'LONG'"));
	assert_string_equal(behind(TRADE("SELL", "110", "3", ",'positionSide':'SHORT'")),
	    POSITION("-3", "110", "SHORT", "") BALANCE("USDT", "0", ""));
	assert_string_equal(behind(TRADE("SELL", "101", "1.5", ",'positionSide':'LONG'")),
	    POSITION("0.5", "100", "LONG", "") BALANCE("USDT", "1.5", ""));
	refused(TRADE("SELL", "101", "0.50000001", ",'positionSide':'LONG'"), "qty is more than the LONG position");
	refused(TRADE("BUY", "101", "4", ",'positionSide':'SHORT'"), "qty is more than the SHORT position");
	assert_string_equal(behind(TRADE("BUY", "109", "3", ",'positionSide':'SHORT'")),
	    POSITION("0", "0", "SHORT", "") BALANCE("USDT", "4.5", ""));
	refused(TRADE("BUY", "1", "1", ",'positionSide':'SHORT'"), "qty is more than the SHORT position");
	assert_string_equal(behind(TRADE("SELL", "1", "1", "")),
	    POSITION("-1", "1", "BOTH", "") BALANCE("USDT", "4.5", ""));
	assert_int_equal(position_counts(b).open, 2);
}

static void a_copy_is_dropped(void **state)
{
	static const char first[] = TRADE("BUY", "100", "2", ",'id':'77','orderId':'5'");

	(void)state;
	behind(first);
	assert_string_equal(feed("%s", first), "");
	/* other orders, pairs and markets count for themselves; so does what has no id */
	behind(TRADE("SELL", "100", "1", ",'id':'77','orderId':'6'"));
	behind("{'type':'trade_executed','symbol':'SOL','side':'BUY','price':'1','qty':'1','ts':5,'pair':'SOLUSDC','id':77,"
	       "'orderId':5}");
	behind("{'type':'trade_executed','symbol':'SOL','side':'BUY','price':'1','qty':'1','ts':5,'pair':'SOLUSDT',"
	       "'market':'spot','id':'77','orderId':'5'}");
	behind(TRADE("BUY", "100", "2", ""));
	behind(TRADE("BUY", "100", "2", ""));
	assert_string_equal(feed("%s", first), "");
	assert_int_equal(position_counts(b).copies, 2);
	assert_string_equal(behind(TRADE("BUY", "100", "1", ",'id':'a name'")),
	    POSITION("6", "100", "BOTH", "") BALANCE("USDT", "0", ""));
	assert_string_equal(feed("%s", TRADE("BUY", "100", "1", ",'id':'a name'")), "");
	/* a copy of what closed a leg is a copy, not more than the leg */
	behind(TRADE("BUY", "1", "1", ",'positionSide':'LONG','id':'78'"));
	behind(TRADE("SELL", "1", "1", ",'positionSide':'LONG','id':'79'"));
	assert_string_equal(feed("%s", TRADE("SELL", "1", "1", ",'positionSide':'LONG','id':'79'")), "");
	/* what was refused has not been seen */
	refused(TRADE("SELL", "1", "1", ",'positionSide':'LONG','id':'80'"), "qty is more than the LONG position");
	behind(TRADE("BUY", "1", "1", ",'positionSide':'LONG','id':'81'"));
	behind(TRADE("SELL", "1", "1", ",'positionSide':'LONG','id':'80'"));
}

/* each run of a paper trader counts from 1 */
static void simulated_ids_count_with_their_time(void **state)
{
	static const char fill[] = "{'type':'trade_executed','symbol':'SOL','side':'BUY','price':'1','qty':'1','ts':%d,'pair':"
				   "'SOLUSDT','id':'1','orderId':'a','simulated':true}";

	(void)state;
	assert_non_null(feed(fill, 5));
	assert_string_equal(feed(fill, 5), "");
	assert_string_not_equal(feed(fill, 6), "");
	assert_int_equal(position_counts(b).fills, 2);
}

static void the_mark_of_a_simulation_stays(void **state)
{
	(void)state;
	behind(TRADE("BUY", "1", "1", ""));
	assert_string_equal(behind(TRADE("BUY", "1", "1", ",'simulated':true")),
	    POSITION("2", "1", "BOTH", ",'simulated':true") BALANCE("USDT", "0", ",'simulated':true"));
	assert_string_equal(behind(TRADE("BUY", "1", "1", ",'fee':'1','feeAsset':'BNB'")),
	    POSITION("3", "1", "BOTH", ",'simulated':true") BALANCE("USDT", "0", ",'more':true,'simulated':true")
		BALANCE("BNB", "-1", ""));
	/* until somebody tells what is */
	behind("{'type':'position_update','symbol':'SOL','qty':'3','entryPrice':'1','ts':5}");
	behind("{'type':'balance_update','asset':'USDT','balance':'9','ts':5}");
	assert_string_equal(
	    behind(TRADE("BUY", "1", "1", "")), POSITION("4", "1", "BOTH", "") BALANCE("USDT", "9", ""));
}

static void coins(void **state)
{
	static const char head[] = "{'type':'trade_executed','symbol':'BTC','side':'%s','price':'%s','qty':'%s','ts':5,'pair':"
				   "'BTCUSD_PERP','market':'coinm'%s}";

	(void)state;
	assert_non_null(strstr(feed(head, "BUY", "11707.70000003", "1", ",'fee':'0.00000427'"),
	    "'qty':'1','entryPrice':'11707.70000003','ts':5,'pair':'BTCUSD_PERP','market':'coinm','positionSide':'BOTH',"
	    "'contractSize':'100','more':true}\n{'type':'balance_update','asset':'BTC','balance':'-0.00000427','ts':5,"
	    "'market':'coinm','reason':'ORDER'}\n"));
	assert_non_null(strstr(feed(head, "SELL", "11788.66626667", "1", ""), "'balance':'0.00005439'"));
	assert_null(feed(head, "SELL", "0", "1", ""));
	assert_string_equal(why, "price is not above zero, and an inverse contract divides by it");
	assert_null(feed(head, "SELL", "1", "1", ",'contractSize':'0'"));
	assert_string_equal(why, "contractSize is not above zero");
	assert_non_null(strstr(feed(head, "SELL", "1", "1", ",'contractSize':'50'"), "'contractSize':'50'"));
	assert_null(feed(head, "SELL", "1", "1", ",'contractSize':'100'"));
	assert_string_equal(why, "contractSize is not that of what is held");
	assert_non_null(strstr(feed(head, "SELL", "1", "1", ""), "'qty':'-2','entryPrice':'1'"));
	/* a coin of another size */
	assert_non_null(strstr(feed("{'type':'trade_executed','symbol':'ADA','side':'BUY','price':'0.5','qty':'3','ts':5,"
				    "'pair':'ADAUSD_PERP','market':'coinm'}"),
	    "'contractSize':'10'"));
}

static void spot_moves_two_balances(void **state)
{
	static const char head[] = "{'type':'trade_executed','symbol':'BNB','side':'%s','price':'600.5','qty':'0.3','ts':5,"
				   "'pair':'BNBUSDT','market':'spot'%s}";

	(void)state;
	const char *got = feed(head, "BUY", ",'fee':'0.0003','feeAsset':'BNB'");
	assert_non_null(strstr(got, "'}\n{'type':'balance_update','asset':'BNB','balance':'0.2997','ts':5,'market':'spot',"
				    "'reason':'ORDER','more':true}\n"
				    "{'type':'balance_update','asset':'USDT','balance':'-180.15','ts':5,'market':'spot',"
				    "'reason':'ORDER'}\n"));
	assert_null(strstr(got, "position_update"));
	got = feed(head, "SELL", ",'fee':'0.5','feeAsset':'X'");
	assert_non_null(strstr(got, "'BNB','balance':'-0.0003'"));
	assert_non_null(strstr(got, "'USDT','balance':'0'"));
	assert_non_null(strstr(got, "'X','balance':'-0.5'"));
	/* the futures wallet is another one */
	assert_string_equal(
	    behind(TRADE("BUY", "1", "1", ",'fee':'1'")), POSITION("1", "1", "BOTH", "") BALANCE("USDT", "-1", ""));
	assert_int_equal(position_counts(b).open, 1);
}

static void what_it_says_itself_is_not_believed(void **state)
{
	(void)state;
	behind(TRADE("BUY", "3", "3", ""));
	behind(TRADE("SELL", "4", "1", ",'realizedPnl':'1.00000000999'"));
	assert_int_equal(position_counts(b).differing, 0);
	assert_string_equal(behind(TRADE("SELL", "4", "1", ",'realizedPnl':'0.99999999'")),
	    POSITION("1", "3", "BOTH", "") BALANCE("USDT", "2", ""));
	assert_int_equal(position_counts(b).differing, 1);
}

/* ------------------------------------------------------------------------------------------- what others tell */

static void updates_are_absolute(void **state)
{
	(void)state;
	behind(TRADE("BUY", "100", "2", ",'fee':'1'"));
	behind("{'type':'position_update','symbol':'SOL','qty':'-4','entryPrice':'50','ts':5,'pair':'SOLUSDT'}");
	behind("{'type':'balance_update','asset':'USDT','balance':'7','ts':5,'market':'usdm'}");
	behind("{'type':'balance_update','asset':'USDT','balance':'1000','ts':5,'market':'spot'}");
	assert_string_equal(
	    behind(TRADE("BUY", "49", "1", "")), POSITION("-3", "50", "BOTH", "") BALANCE("USDT", "8", ""));
	behind("{'type':'position_update','symbol':'SOL','qty':'0','entryPrice':'0','ts':5,'pair':'SOLUSDT'}");
	assert_int_equal(position_counts(b).open, 0);
	assert_string_equal(
	    behind(TRADE("BUY", "49", "1", "")), POSITION("1", "49", "BOTH", "") BALANCE("USDT", "8", ""));
	refused("{'type':'position_update','symbol':'SOL','qty':'-1','entryPrice':'5','ts':5,'positionSide':'LONG'}",
	    "qty of a LONG position is below zero");
	refused("{'type':'position_update','symbol':'SOL','qty':'1','entryPrice':'5','ts':5,'positionSide':'SHORT'}",
	    "qty of a SHORT position is above zero");
	refused("{'type':'position_update','symbol':'BTC','qty':'1','entryPrice':'0','ts':5,'pair':'BTCUSD_PERP','market':'"
		"coinm'}",
	    "entryPrice is not above zero, and an inverse contract divides by it");
}

/* what it has told itself, and comes back with an entry price that was cut off, must not cost a digit */
static void what_is_known_stays_exact(void **state)
{
	(void)state;
	behind(TRADE("BUY", "1", "2", ""));
	behind(TRADE("BUY", "8", "1", ""));
	behind("{'type':'position_update','symbol':'SOL','qty':'3','entryPrice':'3.3333333333333333','ts':5}");
	assert_string_equal(
	    behind(TRADE("SELL", "0", "3", "")), POSITION("0", "0", "BOTH", "") BALANCE("USDT", "-10", ""));
	behind("{'type':'position_update','symbol':'SOL','qty':'3','entryPrice':'3.3333333333333333','ts':5}");
	assert_string_equal(behind(TRADE("SELL", "0", "3", "")),
	    POSITION("0", "0", "BOTH", "") BALANCE("USDT", "-19.9999999999999999", ""));
}

static void start(const char *line)
{
	static char text[1024];

	snprintf(text, sizeof text, "%s", line);
	if (!position_start_line(b, padded(quoted(text)), &why, &at))
		fail_msg("%s", why);
}

/* whoever reads on knows as much, in front of the first record that has a time */
static void the_start_is_told(void **state)
{
	static char bad[] = "{'type':'position_update','symbol':'SOL','qty':'x','entryPrice':'1','ts':5}";

	(void)state;
	start("{'type':'balance_update','asset':'USDT','balance':'5','ts':5}");
	start("{'type':'position_update','symbol':'SOL','qty':'-2','entryPrice':'7','ts':5}");
	start("{'type':'position_update','symbol':'ETH','qty':'0','entryPrice':'7','ts':5}");
	start("{'type':'trade_executed','nothing':'of it is read'}");
	assert_false(position_start_line(b, padded(quoted(bad)), &why, &at));
	assert_string_equal(why, "qty is missing or no decimal number");
	assert_int_equal(at, strstr(bad, "\"x\"") + 1 - bad);
	assert_string_equal(feed("{'type':'of tomorrow'}"), "{'type':'of tomorrow'}\n");
	assert_string_equal(feed("{'type':'heartbeat','ts':9}"),
	    "{'type':'position_update','symbol':'SOL','qty':'-2','entryPrice':'7','ts':9,'pair':'SOLUSDT','market':'usdm',"
	    "'positionSide':'BOTH','more':true}\n"
	    "{'type':'balance_update','asset':'USDT','balance':'5','ts':9,'market':'usdm'}\n"
	    "{'type':'heartbeat','ts':9}\n");
	assert_string_equal(feed("{'type':'heartbeat','ts':10}"), "{'type':'heartbeat','ts':10}\n");
}

/* ------------------------------------------------------------------------------------------------------ refusals */

static void refusals_name_the_key(void **state)
{
	(void)state;
	refused("{'type':'trade_executed'}", "symbol is missing or no short string");
	refused(TRADE("HOLD", "1", "1", ""), "side is neither BUY nor SELL");
	refused(TRADE("BUY", "1", "0", ""), "qty is missing or no decimal number above zero");
	refused("{'type':'trade_executed','symbol':'X','pair':'NOQUOTE','side':'BUY','price':'1','qty':'1','ts':1}",
	    "pair does not tell its margin asset");
	refused("{'type':'trade_executed','symbol':'X','pair':'NOQUOTE','side':'BUY','price':'1','qty':'1','ts':1,"
		"'market':'spot'}",
	    "pair does not tell its quote asset");
	refused(TRADE("BUY", "1e30", "1e9", ""), "qty gives a position of more than 38 digits");
	behind(TRADE("BUY", "1", "1", ",'fee':'1e-30'"));
	refused(TRADE("BUY", "1", "1", ",'fee':'1e37'"), "qty gives a balance of more than 38 digits");
	assert_non_null(feed("{'type':'trade_executed','symbol':'X','side':'BUY','price':'1','qty':'1','ts':1}"));
	refused("{'type':'trade_executed','symbol':'SOL','side':'BUY','price':'1','qty':'1','ts':1", "',' or '}' was expected");
	assert_string_equal(
	    behind(TRADE("BUY", "1", "1", "")), POSITION("2", "1", "BOTH", "") BALANCE("USDT", "-0.000000000000000000000000000001", ""));
}

static void there_are_caps(void **state)
{
	static const char wallet[] = "{'type':'balance_update','asset':'A%d','balance':'1','ts':1}";
	static const char pair[] = "{'type':'position_update','symbol':'P%d','qty':'1','entryPrice':'1','ts':1}";

	(void)state;
	for (int i = 0; i < POSITION_WALLETS_MAX; i++)
		assert_non_null(feed(wallet, i));
	assert_null(feed(wallet, POSITION_WALLETS_MAX));
	assert_string_equal(why, "asset is one too many: 2048 balances are kept");
	assert_non_null(feed(wallet, 7));
	assert_null(feed("{'type':'trade_executed','symbol':'SOL','side':'BUY','price':'1','qty':'1','ts':1}"));
	assert_string_equal(why, "asset is one too many: 2048 balances are kept");
	/* SOLUSDT has been seen */
	for (int i = 0; i < POSITION_PAIRS_MAX - 1; i++)
		assert_non_null(feed(pair, i));
	assert_null(feed(pair, POSITION_PAIRS_MAX));
	assert_string_equal(why, "pair is one too many: 8192 have been seen");
	assert_non_null(feed(pair, 7));
	assert_int_equal(position_counts(b).open, POSITION_PAIRS_MAX - 1);
}

static int open_out(void **state)
{
	(void)state;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return fd < 0 || !line_out_open(&out, (struct io_out){ .fd = fd }, -1);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, make, unmake)
	const struct CMUnitTest tests[] = {
		EACH(a_fill_is_followed_by_what_it_did),
		EACH(a_real_round_trip),
		EACH(legs_are_apart_and_do_not_flip),
		EACH(a_copy_is_dropped),
		EACH(simulated_ids_count_with_their_time),
		EACH(the_mark_of_a_simulation_stays),
		EACH(coins),
		EACH(spot_moves_two_balances),
		EACH(what_it_says_itself_is_not_believed),
		EACH(updates_are_absolute),
		EACH(what_is_known_stays_exact),
		EACH(the_start_is_told),
		EACH(refusals_name_the_key),
		EACH(there_are_caps),
	};

	return cmocka_run_group_tests_name("position", tests, open_out, NULL);
}
