/* lib/equity: lines by hand, caps, and the running sum against a sum from scratch */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "equity.h"
#include "pairs.h"

static struct line_out out;
static const char *why;
static size_t at;

static struct equity *make(const char *asset, enum equity_mark mark, int64_t every)
{
	struct equity *e =
	    equity_new(&(struct equity_options){ .asset = span_of(asset), .mark = mark, .every = every });

	assert_non_null(e);
	return e;
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

/* What comes out behind the line itself: "" or a snapshot without its line end; NULL where the line is refused, and
 * then nothing must come out. Single quotes stand for double ones. */
static const char *feed(struct equity *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *feed(struct equity *e, const char *format, ...)
{
	static char line[2048], text[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
	for (char *p = line; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	out.p = out.buf;
	why = NULL;
	if (!equity_line(e, padded(line), &out, &why, &at)) {
		assert_non_null(why);
		assert_int_equal(line_pending(&out), 0);
		return NULL;
	}
	size_t n = strlen(line);
	assert_true(line_pending(&out) > n);
	assert_memory_equal(out.buf, line, n);
	assert_int_equal(out.buf[n], '\n');
	size_t rest = line_pending(&out) - n - 1;
	assert_true(rest < sizeof text);
	memcpy(text, out.buf + n + 1, rest);
	text[rest ? rest - 1 : 0] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '"' ? '\'' : *p;
	return text;
}

#define SNAPSHOT(balance, pnl, equity, ts, more)                                                                       \
	"{'type':'equity_snapshot','balance':'" balance "','unrealizedPnl':'" pnl "','equity':'" equity "','ts':" ts   \
	",'asset':'USDT'," more "}"
#define PRICE(pair, price, ts)                                                                                         \
	"{'type':'price_update','symbol':'X','price':'" price "','ts':" ts ",'pair':'" pair                            \
	"','market':'usdm','source':'book'}"
#define POSITION(pair, qty, entry, ts)                                                                                 \
	"{'type':'position_update','symbol':'X','qty':'" qty "','entryPrice':'" entry "','ts':" ts ",'pair':'" pair    \
	"','market':'usdm'}"

static struct dec number(const char *text)
{
	struct dec d;

	assert_int_equal(dec_parse(span_of(text), &d), DEC_OK);
	return d;
}

static void set_balance(struct equity *e, const char *text)
{
	assert_true(equity_set_balance(e, number(text), &why));
}

/* ------------------------------------------------------------------------------------------------------- snapshots */

static void a_short_position(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	set_balance(e, "10000.00");
	assert_string_equal(feed(e, POSITION("SOLUSDT", "-12.5", "143.1", "1")),
	    SNAPSHOT("10000", "0", "10000", "1", "'positions':1,'unpriced':['SOLUSDT']"));
	assert_string_equal(
	    feed(e, PRICE("SOLUSDT", "142.355", "2")), SNAPSHOT("10000", "9.3125", "10009.3125", "2", "'positions':1"));
	assert_string_equal(feed(e, PRICE("SOLUSDT", "142.3550", "3")), "");
	assert_string_equal(
	    feed(e, PRICE("SOLUSDT", "144.1", "4")), SNAPSHOT("10000", "-12.5", "9987.5", "4", "'positions':1"));
	assert_string_equal(
	    feed(e, POSITION("SOLUSDT", "0", "0", "5")), SNAPSHOT("10000", "0", "10000", "5", "'positions':0"));
	assert_string_equal(feed(e, PRICE("SOLUSDT", "150", "6")), "");
	equity_free(e);
}

/* the binary noise of the exchange's own entry prices stays what it is (binance 5.1) */
static void fourteen_decimals_are_exact(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	feed(e, POSITION("SOLUSDT", "0.02", "313.20000000000005", "1"));
	assert_string_equal(feed(e, PRICE("SOLUSDT", "313.19672593", "2")),
	    SNAPSHOT("0", "-0.000065481400001", "-0.000065481400001", "2", "'positions':1"));
	equity_free(e);
}

static void the_first_snapshot_waits_for_something_to_tell(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	assert_string_equal(feed(e, PRICE("SOLUSDT", "1", "1")), "");
	assert_string_equal(feed(e, POSITION("SOLUSDT", "0", "0", "2")), "");
	assert_string_equal(feed(e, "{'type':'heartbeat','ts':3}"), "");
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDC','balance':'5','ts':4}"), "");
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDT','balance':'5.50','ts':5}"),
	    SNAPSHOT("5.5", "0", "5.5", "5", "'positions':0"));
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDT','balance':'5.5','ts':6}"), "");
	equity_free(e);

	/* a balance from the command line is told behind the first line that has a time */
	e = make("USDT", EQUITY_ANY, 0);
	set_balance(e, "7");
	assert_string_equal(feed(e, "{'type':'of another kind','ts':1}"), "");
	assert_string_equal(feed(e, PRICE("ETHBTC", "1", "9")), SNAPSHOT("7", "0", "7", "9", "'positions':0"));
	equity_free(e);
}

/* a position that is closed and the balance that has what it realized are one change */
static void half_of_a_change_is_not_told(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);
	static const char closed[] = "{'type':'position_update','symbol':'SOL','qty':'0','entryPrice':'0','ts':3,'more':true}";

	(void)state;
	set_balance(e, "10");
	feed(e, PRICE("SOLUSDT", "11", "1"));
	feed(e, POSITION("SOLUSDT", "1", "10", "2"));
	assert_string_equal(feed(e, closed), "");
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'BNB','balance':'1','ts':3,'more':true}"), "");
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDT','balance':'11','ts':3}"),
	    SNAPSHOT("11", "0", "11", "3", "'positions':0"));
	/* where the other half never comes, whatever follows tells it */
	feed(e, POSITION("SOLUSDT", "1", "11", "4"));
	assert_string_equal(feed(e, closed), "");
	assert_string_equal(feed(e, "{'type':'heartbeat','ts':5}"), SNAPSHOT("11", "0", "11", "5", "'positions':0"));
	equity_free(e);
}

static void simulated_parts_mark_the_whole(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);
	static const char position[] = "{'type':'position_update','symbol':'SOL','qty':'%d','entryPrice':'1','ts':1,"
				       "'markPrice':'1','simulated':%s}";

	(void)state;
	set_balance(e, "10");
	assert_string_equal(
	    feed(e, position, 1, "true"), SNAPSHOT("10", "0", "10", "1", "'positions':1,'simulated':true"));
	feed(e, position, 2, "true");
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDT','balance':'11','ts':2,'simulated':true}"),
	    SNAPSHOT("11", "0", "11", "2", "'positions':1,'simulated':true"));
	assert_string_equal(
	    feed(e, position, 0, "true"), SNAPSHOT("11", "0", "11", "1", "'positions':0,'simulated':true"));
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDT','balance':'12','ts':2}"),
	    SNAPSHOT("12", "0", "12", "2", "'positions':0"));
	feed(e, position, 1, "true");
	feed(e, position, 1, "false");
	assert_string_equal(feed(e, "{'type':'balance_update','asset':'USDT','balance':'13','ts':2}"),
	    SNAPSHOT("13", "0", "13", "2", "'positions':1"));
	equity_free(e);
}

static void every_holds_changes_back(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 1000);

	(void)state;
	feed(e, POSITION("SOLUSDT", "1", "100", "5000"));
	assert_string_equal(feed(e, PRICE("SOLUSDT", "101", "5999")), "");
	assert_string_equal(feed(e, PRICE("SOLUSDT", "102", "6000")), SNAPSHOT("0", "2", "2", "6000", "'positions':1"));
	assert_string_equal(feed(e, PRICE("SOLUSDT", "103", "6500")), "");
	/* behind the first record that is late enough, though it changes nothing itself */
	assert_string_equal(
	    feed(e, "{'type':'heartbeat','ts':7000}"), SNAPSHOT("0", "3", "3", "7000", "'positions':1"));
	assert_string_equal(feed(e, "{'type':'heartbeat','ts':9000}"), "");
	/* a recording of the day before follows */
	assert_string_equal(feed(e, PRICE("SOLUSDT", "104", "6001")), "");
	assert_string_equal(feed(e, PRICE("SOLUSDT", "105", "100")), SNAPSHOT("0", "5", "5", "100", "'positions':1"));
	equity_free(e);
}

static void hedged_sides_are_two_positions(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	feed(e, "{'type':'position_update','symbol':'SOL','qty':'2','entryPrice':'100','ts':1,'pair':'SOLUSDT','market'"
		":'usdm',"
		"'positionSide':'LONG'}");
	feed(e, "{'type':'position_update','symbol':'SOL','qty':'-1','entryPrice':'110','ts':1,'pair':'SOLUSDT','"
		"market':'usdm',"
		"'positionSide':'SHORT'}");
	assert_string_equal(feed(e, PRICE("SOLUSDT", "105", "2")), SNAPSHOT("0", "15", "15", "2", "'positions':2"));
	feed(e, "{'type':'position_update','symbol':'SOL','qty':'0','entryPrice':'0','ts':3,'pair':'SOLUSDT','market':'"
		"usdm',"
		"'positionSide':'LONG'}");
	assert_string_equal(feed(e, PRICE("SOLUSDT", "106", "4")), SNAPSHOT("0", "4", "4", "4", "'positions':1"));
	equity_free(e);
}

/* its own mark values a position until the pair has a price; absolute updates replace */
static void own_mark_until_there_is_a_price(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);
	static const char update[] =
	    "{'type':'position_update','symbol':'SOL','qty':'%s','entryPrice':'100','markPrice':'%s',"
	    "'unrealizedPnl':'-1','ts':1,'pair':'SOLUSDT','market':'usdm'}";

	(void)state;
	assert_string_equal(feed(e, update, "1", "101"), SNAPSHOT("0", "1", "1", "1", "'positions':1"));
	assert_string_equal(feed(e, update, "2", "102"), SNAPSHOT("0", "4", "4", "1", "'positions':1"));
	assert_string_equal(feed(e, PRICE("SOLUSDT", "103", "2")), SNAPSHOT("0", "6", "6", "2", "'positions':1"));
	assert_string_equal(feed(e, update, "3", "200"), SNAPSHOT("0", "9", "9", "1", "'positions':1"));
	/* opened after its price has come */
	feed(e, PRICE("ETHUSDT", "2001", "3"));
	assert_string_equal(
	    feed(e, POSITION("ETHUSDT", "1", "2000", "4")), SNAPSHOT("0", "10", "10", "4", "'positions':2"));
	equity_free(e);
}

static void unpriced_pairs_are_named_in_order(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	feed(e, POSITION("AUSDT", "1", "1", "1"));
	feed(e, POSITION("BUSDT", "1", "1", "1"));
	assert_string_equal(feed(e, POSITION("CUSDT", "1", "1", "1")),
	    SNAPSHOT("0", "0", "0", "1", "'positions':3,'unpriced':['AUSDT','BUSDT','CUSDT']"));
	assert_string_equal(feed(e, PRICE("BUSDT", "1", "2")),
	    SNAPSHOT("0", "0", "0", "2", "'positions':3,'unpriced':['AUSDT','CUSDT']"));
	assert_string_equal(feed(e, POSITION("AUSDT", "0", "0", "3")),
	    SNAPSHOT("0", "0", "0", "3", "'positions':2,'unpriced':['CUSDT']"));
	assert_string_equal(feed(e, PRICE("CUSDT", "3", "4")), SNAPSHOT("0", "2", "2", "4", "'positions':2"));
	equity_free(e);
}

static void the_source_of_prices_can_be_chosen(void **state)
{
	static const char *const sources[] = { "book", "trade", "mark", "kline", "ticker" };
	static const struct {
		enum equity_mark mark;
		const char *takes;
	} cases[] = { { EQUITY_ANY, "11111" }, { EQUITY_BOOK, "10000" }, { EQUITY_TRADE, "01000" },
		{ EQUITY_MARK, "00100" } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct equity *e = make("USDT", cases[i].mark, 0);
		feed(e, POSITION("SOLUSDT", "1", "100", "1"));
		for (unsigned s = 0; s < 5; s++) {
			const char *got = feed(e,
			    "{'type':'price_update','symbol':'SOL','price':'%u','ts':2,'pair':'SOLUSDT','market':'usdm'"
			    ",'source':'%s'}",
			    200 + s, sources[s]);
			assert_int_equal(*got != '\0', cases[i].takes[s] == '1');
		}
		equity_free(e);
	}
}

/* ---------------------------------------------------------------------------------------------- assets and names */

static void other_assets_pass_uncounted(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	set_balance(e, "1");
	feed(e, "{'type':'heartbeat','ts':1}");
	assert_string_equal(feed(e, POSITION("SOLUSDC", "1", "1", "1")), "");
	assert_string_equal(feed(e, POSITION("ETHBTC", "1", "1", "1")), "");
	assert_string_equal(feed(e, "{'type':'position_update','symbol':'BTC','qty':'1','entryPrice':'1','ts':1,"
				    "'pair':'BTCUSD_PERP','market':'coinm'}"),
	    "");
	/* a delivery contract counts; the same name in another market is another pair */
	assert_non_null(strstr(feed(e, POSITION("BTCUSDT_261225", "1", "1", "1")), "'positions':1,'unpriced'"));
	assert_string_equal(feed(e, "{'type':'price_update','symbol':'BTC','price':'2','ts':2,'pair':'BTCUSDT_261225',"
				    "'market':'spot','source':'trade'}"),
	    "");
	assert_non_null(strstr(feed(e, PRICE("BTCUSDT_261225", "2", "3")), "'equity':'2','ts':3"));
	equity_free(e);
}

static void the_wallet_is_that_of_the_first_market(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);
	static const char update[] = "{'type':'balance_update','asset':'USDT','balance':'%d','ts':1%s}";

	(void)state;
	assert_non_null(strstr(feed(e, update, 1, ""), "'balance':'1'"));
	assert_non_null(strstr(feed(e, update, 2, ",'market':'usdm'"), "'balance':'2'"));
	assert_string_equal(feed(e, update, 3, ",'market':'spot'"), "");
	assert_non_null(strstr(feed(e, update, 4, ",'market':'usdm'"), "'balance':'4'"));
	assert_non_null(strstr(feed(e, update, 5, ""), "'balance':'5'"));
	equity_free(e);
}

/* records with nothing but the keys a person would write */
static void short_records_match(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	feed(e, "{'type':'position_update','symbol':'SOL','qty':2,'entryPrice':100.5,'ts':1}");
	assert_non_null(strstr(feed(e, "{'type':'price_update','symbol':'SOL','price':101,'ts':2}"), "'equity':'1'"));
	assert_non_null(strstr(feed(e, PRICE("SOLUSDT", "102", "3")), "'equity':'3'"));
	equity_free(e);
}

static void an_asset_nobody_knows(void **state)
{
	struct equity *e = make("ZZZ", EQUITY_ANY, 0);

	(void)state;
	assert_non_null(strstr(feed(e, POSITION("FOOZZZ", "1", "1", "1")), "'positions':1"));
	assert_null(feed(e, POSITION("FOOYYY", "1", "1", "1")));
	assert_string_equal(why, "pair does not tell its margin asset");
	assert_string_equal(feed(e, PRICE("FOOYYY", "1", "1")), "");
	equity_free(e);
}

static void inverse_contracts(void **state)
{
	struct equity *e = make("BTC", EQUITY_ANY, 0);
	static const char update[] =
	    "{'type':'position_update','symbol':'BTC','qty':'%s','entryPrice':'11707.70000003',"
	    "'markPrice':'11788.66626667','ts':1,'pair':'BTCUSD_PERP','market':'coinm'%s}";

	(void)state;
	/* binance 5.2: printed as 0.00005866 */
	assert_non_null(strstr(feed(e, update, "1", ""), "'unrealizedPnl':'0.00005866'"));
	assert_non_null(strstr(feed(e, update, "-1", ""), "'unrealizedPnl':'-0.00005866'"));
	/* cut off once, behind all factors: 7 x 0.00005866348 */
	assert_non_null(strstr(feed(e, update, "7", ""), "'unrealizedPnl':'0.00041064'"));
	assert_non_null(strstr(feed(e, update, "1", ",'contractSize':'1000'"), "'unrealizedPnl':'0.00058663'"));
	assert_null(feed(e, update, "1", ",'contractSize':'0'"));
	assert_null(
	    feed(e, "{'type':'price_update','symbol':'BTC','price':'0','ts':1,'pair':'BTCUSD_PERP','market':'coinm'}"));
	assert_string_equal(why, "price is zero, by which an inverse contract divides");
	assert_null(
	    feed(e, "{'type':'position_update','symbol':'BTC','qty':'1','entryPrice':'0','markPrice':'1','ts':1,"
		    "'pair':'BTCUSD_PERP','market':'coinm'}"));
	equity_free(e);

	/* others than BTC: contracts of 10 USD. 10 x (1/20 - 1/25) */
	e = make("SOL", EQUITY_ANY, 0);
	assert_non_null(
	    strstr(feed(e, "{'type':'position_update','symbol':'SOL','qty':'1','entryPrice':'20','markPrice':'25',"
			   "'ts':1,'pair':'SOLUSD_PERP','market':'coinm'}"),
		"'unrealizedPnl':'0.1'"));
	equity_free(e);
}

/* -------------------------------------------------------------------------------------------------------- refusals */

static void says_which_key_and_where(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	assert_null(feed(e, "{'type':'price_update','symbol':'SOL','price':'x','ts':1}"));
	assert_string_equal(why, "price is missing or no decimal number");
	assert_int_equal(at, 47);
	assert_null(feed(e, "{'type':'price_update','symbol':'SOL','ts':1}"));
	assert_int_equal(at, 0);
	assert_null(feed(e, "{'type':'price_update',"));
	assert_int_equal(at, 23);
	assert_null(feed(e, "[]"));
	/* of types it does not read, nothing is asked */
	assert_string_equal(feed(e, "{'type':'trade_executed','ts':'never'}"), "");
	assert_string_equal(feed(e, "{'type':7}"), "");
	assert_string_equal(feed(e, "{}"), "");
	equity_free(e);
}

static void what_does_not_fit_leaves_the_state(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	set_balance(e, "1");
	feed(e, POSITION("SOLUSDT", "1.1e20", "1", "1"));
	assert_non_null(strstr(feed(e, PRICE("SOLUSDT", "2", "2")), "'unrealizedPnl':'110000000000000000000'"));
	assert_null(feed(e, PRICE("SOLUSDT", "1e30", "3")));
	assert_string_equal(why, "price gives an equity of more than 38 digits");
	assert_null(feed(e, PRICE("SOLUSDT", "0.00000000000000000000000000000000000001", "3")));
	assert_null(feed(e, "{'type':'balance_update','asset':'USDT','balance':'0.000000000000000001','ts':3}"));
	assert_null(feed(e, POSITION("ETHUSDT", "1e50", "1", "3")));
	assert_string_equal(why, "qty is missing or no decimal number");
	feed(e, PRICE("ETHUSDT", "1e30", "3"));
	assert_null(feed(e, POSITION("ETHUSDT", "1e30", "1", "3")));
	assert_string_equal(why, "qty gives a PnL of more than 38 digits");
	assert_string_equal(feed(e, "{'type':'heartbeat','ts':4}"), "");
	assert_non_null(
	    strstr(feed(e, PRICE("SOLUSDT", "1", "5")), "'balance':'1','unrealizedPnl':'0','equity':'1','ts':5"));
	equity_free(e);
}

static void the_pair_of_a_refused_price_stays_unpriced(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	feed(e, POSITION("SOLUSDT", "1e20", "1", "1"));
	assert_null(feed(e, PRICE("SOLUSDT", "1e30", "2")));
	assert_int_equal(equity_counts(e).unpriced, 1);
	assert_true(equity_start_line(e,
	    padded("{\"type\":\"position_update\",\"symbol\":\"SOL\",\"qty\":\"1\",\"entryPrice\":\"1\",\"markPrice\":"
		   "\"5\","
		   "\"ts\":0,\"pair\":\"SOLUSDT\",\"market\":\"usdm\"}"),
	    &why, &at));
	assert_int_equal(dec_cmp(equity_now(e).unrealized_pnl, number("4")), 0);
	assert_non_null(strstr(feed(e, PRICE("SOLUSDT", "1", "3")), "'positions':1}"));
	equity_free(e);
}

static void start_lines(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	assert_true(equity_start_line(e, padded("{\"type\":\"heartbeat\",\"ts\":\"bad but not ours\"}"), &why, &at));
	assert_true(equity_start_line(e,
	    padded("{\"type\":\"position_update\",\"symbol\":\"SOL\",\"qty\":\"1\",\"entryPrice\":\"1\",\"ts\":0}"),
	    &why, &at));
	assert_true(equity_start_line(
	    e, padded("{\"type\":\"balance_update\",\"asset\":\"USDT\",\"balance\":\"3\",\"ts\":0}"), &why, &at));
	assert_int_equal(equity_counts(e).positions, 1);
	assert_false(
	    equity_start_line(e, padded("{\"type\":\"position_update\",\"symbol\":\"SOL\",\"qty\":true}"), &why, &at));
	assert_int_equal(at, 47);
	assert_false(equity_start_line(e, padded(""), &why, &at));
	equity_free(e);
}

/* ------------------------------------------------------------------------------------------------------------ caps */

static bool hold(struct equity *e, unsigned pair, const char *side, const char *qty, bool mark)
{
	char name[32];
	struct event_position p = {
		.pair = { name, (size_t)snprintf(name, sizeof name, "P%uUSDT", pair) },
		.symbol = SPAN("P"),
		.market = EVENT_USDM,
		.side = span_of(side),
		.qty = number(qty),
		.entry_price = number("1"),
		.has_mark = mark,
		.mark_price = number("2"),
	};

	return equity_position(e, &p, &why);
}

static void positions_have_a_cap(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	for (unsigned i = 0; i < EQUITY_POSITIONS_MAX; i++)
		assert_true(hold(e, i / 2, i % 2 ? "LONG" : "SHORT", "1", true));
	assert_false(hold(e, 0, "BOTH", "1", true));
	assert_string_equal(why, "more than 4096 positions");
	assert_int_equal(equity_counts(e).positions, EQUITY_POSITIONS_MAX);
	assert_true(hold(e, 5, "LONG", "2", true)); /* one that is held may change */
	assert_true(hold(e, 7, "LONG", "0", true));
	assert_true(hold(e, 0, "BOTH", "1", true)); /* and one that was closed makes room */
	assert_false(hold(e, 1, "BOTH", "1", true));
	struct event_equity now = equity_now(e);
	assert_int_equal(dec_cmp(now.unrealized_pnl, number("4097")), 0);
	equity_free(e);
}

static void unpriced_pairs_have_a_cap(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);

	(void)state;
	for (unsigned i = 0; i < EQUITY_UNPRICED_MAX; i++)
		assert_true(hold(e, i, "BOTH", "1", false));
	assert_false(hold(e, EQUITY_UNPRICED_MAX, "BOTH", "1", false));
	assert_string_equal(why, "more than 1024 pairs without a price");
	assert_true(hold(e, 3, "LONG", "1", false)); /* its pair is named already */
	assert_true(hold(e, EQUITY_UNPRICED_MAX, "BOTH", "1", true));
	/* the longest snapshot is a line that lib/line takes */
	out.p = out.buf;
	assert_true(equity_line(e, padded("{\"type\":\"heartbeat\",\"ts\":1}"), &out, &why, &at));
	assert_in_range(line_pending(&out), 8 * EQUITY_UNPRICED_MAX, LINE_MAX_BYTES);
	equity_free(e);
}

static void pairs_have_a_cap(void **state)
{
	struct equity *e = make("USDT", EQUITY_ANY, 0);
	struct event_tick t = { .symbol = SPAN("P"), .market = EVENT_USDM, .price = number("3") };
	char name[32];

	(void)state;
	for (unsigned i = 0; i <= PAIRS_MAX; i++) {
		t.pair = (struct span){ name, (size_t)snprintf(name, sizeof name, "P%uUSDT", i) };
		assert_true(equity_price(e, &t, &why));
	}
	assert_int_equal(equity_counts(e).pairs, PAIRS_MAX);
	assert_false(hold(e, PAIRS_MAX, "BOTH", "1", true));
	assert_string_equal(why, "pair is one too many: 8192 have been seen");
	assert_true(hold(e, PAIRS_MAX - 1, "BOTH", "1", true));
	assert_int_equal(dec_cmp(equity_now(e).unrealized_pnl, number("2")), 0);
	equity_free(e);
}

static void long_names_are_no_overflow(void **state)
{
	char asset[EVENT_NAME_MAX + 2];
	char symbol[EVENT_NAME_MAX + 1];

	(void)state;
	memset(asset, 'A', sizeof asset);
	memset(symbol, 'S', sizeof symbol);
	assert_null(equity_new(&(struct equity_options){ .asset = { asset, EVENT_NAME_MAX + 1 } }));
	struct equity *e = equity_new(&(struct equity_options){ .asset = { asset, EVENT_NAME_MAX } });
	assert_non_null(e);
	struct event_position p = { .qty = number("1"), .entry_price = number("1"), .side = SPAN("BOTH") };
	p.symbol = p.pair = (struct span){ symbol, EVENT_NAME_MAX };
	assert_false(equity_position(e, &p, &why));
	assert_string_equal(why, "symbol is too long");
	equity_free(e);
}

/* -------------------------------------------------------------------------------------- running sum against scratch */

#define PAIRS 6

struct model {
	bool inverse;
	const char (*names)[EVENT_NAME_MAX];
	bool priced[PAIRS];
	struct dec price[PAIRS];
	bool held[PAIRS][3], marked[PAIRS][3];
	struct dec qty[PAIRS][3], entry[PAIRS][3], mark[PAIRS][3];
	struct dec balance;
};

static uint64_t seed = 88172645463325252ULL;

static unsigned roll(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

/* sizes of the wire: up to 7 digits and that many decimals */
static struct dec random_number(bool negative, unsigned most_decimals)
{
	char text[64];
	unsigned decimals = 1 + roll(most_decimals);
	int n = snprintf(text, sizeof text, "%s%u.", negative ? "-" : "", 1 + roll(roll(2) ? 100 : 5000000));

	for (unsigned i = 0; i < decimals; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%u", roll(10));
	return number(text);
}

static struct dec value_of(const struct model *m, int pair, int side)
{
	struct dec price = m->priced[pair] ? m->price[pair] : m->mark[pair][side];
	struct dec gain, below;

	assert_int_equal(dec_sub(price, m->entry[pair][side], &gain), DEC_OK);
	assert_int_equal(dec_mul(gain, m->qty[pair][side], &gain), DEC_OK);
	if (!m->inverse)
		return gain;
	assert_int_equal(dec_mul(gain, number("100"), &gain), DEC_OK);
	assert_int_equal(dec_mul(price, m->entry[pair][side], &below), DEC_OK);
	assert_int_equal(dec_div_trunc(gain, below, 8, &gain), DEC_OK);
	return gain;
}

static void compare(const struct model *m, const struct equity *e)
{
	struct dec sum = DEC_NIL;
	struct event_equity now = equity_now(e);
	uint64_t held = 0;
	size_t unpriced = 0;

	for (int i = 0; i < PAIRS; i++) {
		bool lacks = false;
		for (int s = 0; s < 3; s++) {
			held += m->held[i][s];
			if (m->held[i][s] && (m->priced[i] || m->marked[i][s]))
				assert_int_equal(dec_add(sum, value_of(m, i, s), &sum), DEC_OK);
			else if (m->held[i][s])
				lacks = true;
		}
		unpriced += lacks;
	}
	assert_int_equal(dec_cmp(sum, now.unrealized_pnl), 0);
	assert_int_equal(dec_add(sum, m->balance, &sum), DEC_OK);
	assert_int_equal(dec_cmp(sum, now.equity), 0);
	assert_int_equal(dec_cmp(m->balance, now.balance), 0);
	assert_int_equal(now.positions, held);
	assert_int_equal(now.n_unpriced, unpriced);
}

static void random_price(struct model *m, struct equity *e)
{
	unsigned i = roll(PAIRS);
	struct event_tick t = { .pair = span_of(m->names[i]), .symbol = SPAN("X"), .price = random_number(false, 8) };

	t.market = m->inverse ? EVENT_COINM : EVENT_USDM;
	assert_true(equity_price(e, &t, &why));
	m->priced[i] = true;
	m->price[i] = t.price;
}

static void random_position(struct model *m, struct equity *e)
{
	static const char *const sides[] = { "BOTH", "LONG", "SHORT" };
	unsigned i = roll(PAIRS), s = roll(3);
	struct event_position p = { .pair = span_of(m->names[i]), .symbol = SPAN("X"), .side = span_of(sides[s]) };

	p.market = m->inverse ? EVENT_COINM : EVENT_USDM;
	p.entry_price = random_number(false, 14);
	p.qty = roll(3) ? random_number(roll(2), 4) : DEC_NIL;
	p.has_mark = roll(2);
	p.mark_price = random_number(false, 8);
	assert_true(equity_position(e, &p, &why));
	m->held[i][s] = dec_sign(p.qty) != 0;
	m->marked[i][s] = p.has_mark;
	m->qty[i][s] = p.qty;
	m->entry[i][s] = p.entry_price;
	m->mark[i][s] = p.mark_price;
}

static void random_balance(struct model *m, struct equity *e)
{
	struct event_balance b = { .asset = m->inverse ? SPAN("BTC") : SPAN("USDT"),
		.balance = random_number(roll(4) == 0, 12) };

	assert_true(equity_balance(e, &b, &why));
	m->balance = b.balance;
}

static void the_running_sum_is_the_sum(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct model m = { .inverse = round % 2 };
		/* padded as lib/pairs asks */
		static const char linear[PAIRS][EVENT_NAME_MAX] = { "SOLUSDT", "BTCUSDT", "1000PEPEUSDT", "BTCUSDT_261225",
			"0GUSDT", "币安人生USDT" };
		static const char inverse[PAIRS][EVENT_NAME_MAX] = { "BTCUSD_PERP", "BTCUSD_261225", "BTCUSD_270326",
			"BTCUSD_A", "BTCUSD_B", "BTCUSD" };
		m.names = m.inverse ? inverse : linear;
		struct equity *e = make(m.inverse ? "BTC" : "USDT", EQUITY_ANY, 0);
		for (int step = 0; step < 500; step++) {
			unsigned what = roll(10);
			if (what < 6)
				random_price(&m, e);
			else if (what < 9)
				random_position(&m, e);
			else
				random_balance(&m, e);
			compare(&m, e);
		}
		equity_free(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_position),
		cmocka_unit_test(fourteen_decimals_are_exact),
		cmocka_unit_test(the_first_snapshot_waits_for_something_to_tell),
		cmocka_unit_test(half_of_a_change_is_not_told),
		cmocka_unit_test(simulated_parts_mark_the_whole),
		cmocka_unit_test(every_holds_changes_back),
		cmocka_unit_test(hedged_sides_are_two_positions),
		cmocka_unit_test(own_mark_until_there_is_a_price),
		cmocka_unit_test(unpriced_pairs_are_named_in_order),
		cmocka_unit_test(the_source_of_prices_can_be_chosen),
		cmocka_unit_test(other_assets_pass_uncounted),
		cmocka_unit_test(the_wallet_is_that_of_the_first_market),
		cmocka_unit_test(short_records_match),
		cmocka_unit_test(an_asset_nobody_knows),
		cmocka_unit_test(inverse_contracts),
		cmocka_unit_test(says_which_key_and_where),
		cmocka_unit_test(what_does_not_fit_leaves_the_state),
		cmocka_unit_test(the_pair_of_a_refused_price_stays_unpriced),
		cmocka_unit_test(start_lines),
		cmocka_unit_test(positions_have_a_cap),
		cmocka_unit_test(unpriced_pairs_have_a_cap),
		cmocka_unit_test(pairs_have_a_cap),
		cmocka_unit_test(long_names_are_no_overflow),
		cmocka_unit_test(the_running_sum_is_the_sum),
	};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null < 0 || !line_out_open(&out, io_own_output(null), -1))
		return 1;
	return cmocka_run_group_tests_name("equity", tests, NULL, NULL);
}
