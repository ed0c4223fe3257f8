/* lib/binance: what the events of an account give beyond what tests/wire shows line by line: fills that are told once,
 * sentences with an end, sizes of contracts */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../fuzz/subject.h"
#include "binance_user.h"

static struct subject *s;
static struct fills fills;

static int open_it(void **state)
{
	(void)state;
	s = subject_new(EVENT_USDM, false);
	fills_open(&fills);
	s->b.fills = &fills;
	return 0;
}

static int close_it(void **state)
{
	(void)state;
	subject_free(s);
	return 0;
}

/* ' stands for " */
static struct outcome take(const char *line)
{
	static char text[4096];
	size_t n = strlen(line);

	assert_true(n < sizeof text);
	for (size_t i = 0; i < n; i++)
		text[i] = line[i] == '\'' ? '"' : line[i];
	return subject_take(s, (struct span){ text, n });
}

static struct outcome take_lite(int id, int64_t ts)
{
	char line[256];

	snprintf(line, sizeof line,
	    "{'e':'TRADE_LITE','E':%lld,'s':'SOLUSDT','S':'BUY','L':'142.50','l':'2.0','t':%d,'i':9}", (long long)ts,
	    id);
	return take(line);
}

static struct outcome take_full(int id, int64_t ts)
{
	char line[256];

	snprintf(line, sizeof line,
	    "{'e':'ORDER_TRADE_UPDATE','E':%lld,'o':{'s':'SOLUSDT','S':'BUY','x':'TRADE','L':'142.5','l':'2','t':%d,'i'"
	    ":9,"
	    "'ps':'BOTH','n':'0.1','N':'USDT','rp':'3'}}",
	    (long long)ts, id);
	return take(line);
}

/* how many records, and which fills they tell of: "1+ 2 " is a full report of 1 and a preview of 2, "." anything else
 */
static void assert_told(struct outcome o, enum binance_result result, const char *want)
{
	char got[512] = "";
	size_t n = 0;

	for (struct span rest = o.records; rest.n;) {
		struct span line = span_cut(rest, '\n', &rest);
		struct json_val id = json_find(line, "id");
		bool fee = json_find(line, "fee").kind != JSON_NONE;
		if (id.kind == JSON_NONE)
			n += (size_t)snprintf(got + n, sizeof got - n, ". ");
		else
			n += (size_t)snprintf(got + n, sizeof got - n, "%.*s%s ", (int)id.n, id.p, fee ? "+" : "");
	}
	if (o.result != result || strcmp(got, want) != 0)
		fail_msg("%d '%s' instead of %d '%s'", (int)o.result, got, (int)result, want);
}

/* ----------------------------------------------------------------------------------------------------- fills */

static void a_fill_is_told_once_in_full(void **state)
{
	(void)state;
	assert_told(take_lite(1, 1000), BINANCE_RECORDS, ""); /* it will be */
	assert_told(take_full(1, 1000), BINANCE_RECORDS, "1+ ");
	assert_told(take_lite(1, 1000), BINANCE_NOTHING, "");
	assert_told(take_full(1, 1000), BINANCE_NOTHING, "");
	assert_told(take_full(2, 1000), BINANCE_RECORDS, "2+ ");
	assert_told(take_lite(2, 1000), BINANCE_NOTHING, "");
	assert_int_equal(s->b.copies, 3);
	assert_int_equal(s->b.records, 2);
	s->out.p = s->out.buf;
	binance_finish(&s->b, &s->out);
	assert_int_equal(line_pending(&s->out), 0);
}

/* Every frame with a later time lets a preview go, in front of what it gives itself, whatever that is. */
static void later_frames_of_every_kind_let_previews_go(void **state)
{
	static const struct {
		const char *line;
		enum binance_result result;
		const char *told;
	} cases[] = {
		{ "{'e':'bookTicker','s':'SOLUSDT','b':'1','B':'1','a':'2','A':'1','E':2000}", BINANCE_RECORDS,
		    "1 . " },
		{ "{'e':'bookTicker','s':'SOLUSDT','b':'0','B':'1','a':'2','A':'1','E':2000}", BINANCE_NOTHING, "1 " },
		{ "{'e':'depthUpdate','s':'SOLUSDT','u':1,'b':[],'a':[],'E':2000}", BINANCE_NOTHING, "1 " },
		{ "{'e':'unheard','E':2000}", BINANCE_NOTHING, "1 " },
		{ "{'e':'unheard','E':1999}", BINANCE_NOTHING, "" },
		{ "{'e':'unheard','E':'2000'}", BINANCE_NOTHING, "" },
		{ "{'e':'bookTicker','s':'SOLUSDT','b':'1','B':'1','a':'2','A':'1','E':1999}", BINANCE_RECORDS, ". " },
		{ "[{'e':'unheard','E':1000},{'e':'unheard','E':2000}]", BINANCE_NOTHING, "1 " },
		{ "{'e':'ORDER_TRADE_UPDATE','E':2000,'o':{'x':'NEW'}}", BINANCE_NOTHING, "1 " },
		{ "{'e':'ACCOUNT_UPDATE','E':2000,'a':{'m':'ORDER','B':[{'a':'U','wb':'1'},{'a':'U','wb':'2'}]}}",
		    BINANCE_RECORDS, "1 . . " },
		{ "{'e':'ACCOUNT_UPDATE','E':2000,'a':{'m':'ORDER','B':[]}}", BINANCE_NOTHING, "1 " },
		{ "{'e':'ACCOUNT_UPDATE','E':2000}", BINANCE_REFUSED, "1 " },
		{ "{'e':'listenKeyExpired','E':2000}", BINANCE_RECORDS, "1 . " },
		/* the clock of this machine is not the exchange's */
		{ "{'recv':9000000,'stream':'/fapi/v3/balance','data':[{'asset':'U','balance':'1'}]}", BINANCE_RECORDS,
		    ". " },
		{ "{'type':'heartbeat','ts':2000}", BINANCE_PASS, "" },
		{ "{'result':null,'id':1}", BINANCE_NOTHING, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fills_open(&fills);
		assert_told(take_lite(1, 1000), BINANCE_RECORDS, "");
		assert_told(take(cases[i].line), cases[i].result, cases[i].told);
	}
}

static void a_late_full_report_still_takes_its_preview_with_it(void **state)
{
	(void)state;
	assert_told(take_lite(1, 1000), BINANCE_RECORDS, "");
	assert_told(take_lite(2, 1100), BINANCE_RECORDS, "");
	assert_told(take_lite(3, 5000), BINANCE_RECORDS, "1 2 ");
	assert_told(take_full(2, 5100), BINANCE_NOTHING, "");
	assert_told(take_full(4, 7000), BINANCE_RECORDS, "3 4+ ");
	assert_told(take_lite(5, 8000), BINANCE_RECORDS, "");
	assert_told(take_full(5, 99000), BINANCE_RECORDS, "5+ ");
}

static void the_room_of_previews_has_an_end(void **state)
{
	char want[32];

	(void)state;
	for (int id = 1; id <= 64; id++)
		assert_told(take_lite(id, 1000), BINANCE_RECORDS, "");
	for (int id = 65; id <= 300; id++) {
		snprintf(want, sizeof want, "%d ", id - 64);
		assert_told(take_lite(id, 1000), BINANCE_RECORDS, want);
	}
	assert_told(take_full(236, 1000), BINANCE_NOTHING, "");
	assert_told(take_full(237, 1000), BINANCE_RECORDS, "237+ ");
	uint64_t records = s->b.records;
	s->out.p = s->out.buf;
	binance_finish(&s->b, &s->out);
	assert_int_equal(s->b.records - records, 63);
	assert_int_equal(s->b.records, 300);
	assert_int_equal(s->b.copies, 1);
}

/* a preview waits as text, which may not be overwritten by what is written meanwhile, and knows its own market */
static void a_preview_waits_unharmed(void **state)
{
	static const char want[] =
	    "{\"type\":\"trade_executed\",\"symbol\":\"BTC\",\"side\":\"SELL\",\"price\":\"84551.1\","
	    "\"qty\":\"3\",\"ts\":1000,\"pair\":\"BTCUSD_PERP\",\"market\":\"coinm\",\"id\":\"5\","
	    "\"orderId\":\"9223372036854775807\"}\n";

	(void)state;
	assert_told(
	    take("{'market':'coinm','data':{'e':'TRADE_LITE','E':1000,'s':'BTCUSD_PERP','S':'SELL','L':'84551.10',"
		 "'l':'3','t':5,'i':9223372036854775807}}"),
	    BINANCE_RECORDS, "");
	assert_told(take_full(5, 1000), BINANCE_RECORDS, "5+ "); /* of another market and pair */
	struct outcome o = take("{'e':'unheard','E':3000}");
	assert_true(span_is(o.records, want));
}

static void longest_names_fit_a_waiting_preview(void **state)
{
	char line[512];

	(void)state;
	snprintf(line, sizeof line,
	    "{'e':'TRADE_LITE','E':1000,'s':'%0128d','S':'SELL','L':'-0','l':'%038d.5','t':%lld,'i':%lld}", 7, 3,
	    (long long)INT64_MAX, (long long)INT64_MAX);
	assert_told(take(line), BINANCE_RECORDS, "");
	struct outcome o = take("{'e':'unheard','E':3000}");
	assert_true(o.records.n > 400 && o.records.n < FILLS_TEXT_MAX);
	assert_true(o.records.p[o.records.n - 1] == '\n' && o.records.p[o.records.n - 2] == '}');
}

/* liquidations may have no id: none is taken for another */
static void fills_without_an_id_are_all_told(void **state)
{
	static const char line[] =
	    "{'e':'ORDER_TRADE_UPDATE','E':1,'o':{'s':'SOLUSDT','S':'BUY','x':'CALCULATED','L':'1',"
	    "'l':'2','t':0,'i':9,'ps':'BOTH','rp':'3'}}";

	(void)state;
	assert_told(take(line), BINANCE_RECORDS, ". ");
	assert_told(take(line), BINANCE_RECORDS, ". ");
	assert_int_equal(s->b.copies, 0);
}

/* two fills of one trade: its two orders */
static void who_trades_with_himself_has_two_fills(void **state)
{
	(void)state;
	assert_told(take_full(1, 1000), BINANCE_RECORDS, "1+ ");
	assert_told(
	    take("{'e':'ORDER_TRADE_UPDATE','E':1,'o':{'s':'SOLUSDT','S':'SELL','x':'TRADE','L':'142.5','l':'2',"
		 "'t':1,'i':10,'ps':'BOTH','n':'0.1','N':'USDT','rp':'3'}}"),
	    BINANCE_RECORDS, "1+ ");
}

static void kept_frames_are_those_that_tell_nothing(void **state)
{
	(void)state;
	s->b.keep_unknown = true;
	assert_told(take_lite(1, 1000), BINANCE_RECORDS, ""); /* waits */
	assert_told(take_lite(1, 1000), BINANCE_PASS, "");
	assert_told(take_full(1, 1000), BINANCE_RECORDS, "1+ ");
	assert_told(take_full(1, 1000), BINANCE_PASS, "");
	assert_told(take("{'e':'ORDER_TRADE_UPDATE','E':1,'o':{'x':'NEW'}}"), BINANCE_PASS, "");
}

/* a reason for a rejection of any length */
static void a_long_reason_is_cut(void **state)
{
	char line[2048], reason[1001];

	(void)state;
	memset(reason, 'r', sizeof reason);
	reason[1000] = '\0';
	snprintf(line, sizeof line,
	    "{'e':'ALGO_UPDATE','E':1,'o':{'aid':5,'S':'BUY','q':'1','s':'SOLUSDT','o':'STOP','tp':'1','X':'REJECTED','"
	    "rm':'%s'}}",
	    reason);
	struct outcome o = take(line);
	assert_int_equal(o.result, BINANCE_RECORDS);
	assert_int_equal(json_find(o.records, "detail").n, 512);
}

/* ------------------------------------------------------------------------------------------------- contracts */

static struct symbols *info(void)
{
	static const char text[] =
	    "{\"symbols\":[{\"symbol\":\"BTCUSD_PERP\",\"baseAsset\":\"XBT\",\"contractSize\":100},"
	    "{\"symbol\":\"SOLUSDT\",\"baseAsset\":\"SOL\",\"contractSize\":10},{\"symbol\":\"ETHUSD_PERP\","
	    "\"baseAsset\":\"ETH\"}]}";
	const char *why;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, sizeof text - 1), (ssize_t)sizeof text - 1);
	close(fds[1]);
	struct symbols *known = symbols_read(fds[0], &why);
	close(fds[0]);
	assert_non_null(known);
	return known;
}

static void assert_size(const char *line, const char *size)
{
	struct outcome o = take(line);
	struct json_val v = json_find(o.records, "contractSize");

	assert_int_equal(o.result, BINANCE_RECORDS);
	if (size ? !span_is(json_text(v), size) : v.kind != JSON_NONE)
		fail_msg("%.*s", (int)o.records.n, o.records.p);
}

static void contract_sizes_are_those_of_the_exchange(void **state)
{
	struct symbols *known = info();

	(void)state;
	s->b.symbols = known;
	assert_size("{'market':'coinm','data':{'e':'ACCOUNT_UPDATE','E':1,'a':{'P':[{'s':'BTCUSD_PERP','pa':'1','ep':'"
		    "2','up':'0',"
		    "'ps':'BOTH'}]}}}",
	    "100");
	assert_size("{'stream':'/dapi/v1/positionRisk','recv':1000,'data':[{'symbol':'BTCUSD_PERP','positionAmt':'1',"
		    "'entryPrice':'2','markPrice':'2','unRealizedProfit':'0','positionSide':'BOTH'}]}",
	    "100");
	assert_size(
	    "{'market':'coinm','data':{'e':'ORDER_TRADE_UPDATE','E':1,'o':{'s':'BTCUSD_PERP','S':'BUY','x':'TRADE',"
	    "'L':'1','l':'2','t':1,'i':9,'ps':'BOTH','rp':'3'}}}",
	    "100");
	assert_size("{'market':'coinm','data':{'e':'ACCOUNT_UPDATE','E':1,'a':{'P':[{'s':'ETHUSD_PERP','pa':'1','ep':'"
		    "2','up':'0',"
		    "'ps':'BOTH'}]}}}",
	    NULL); /* the file does not say */
	assert_size(
	    "{'e':'ACCOUNT_UPDATE','E':1,'a':{'P':[{'s':'SOLUSDT','pa':'1','ep':'2','up':'0','ps':'BOTH'}]}}", NULL);
	s->b.symbols = NULL;
	assert_size("{'market':'coinm','data':{'e':'ACCOUNT_UPDATE','E':1,'a':{'P':[{'s':'BTCUSD_PERP','pa':'1','ep':'"
		    "2','up':'0',"
		    "'ps':'BOTH'}]}}}",
	    NULL);
	symbols_free(known);
}

/* ------------------------------------------------------------------------------------------------------ keys */

/* every key of several letters has a slot of its own; no other text has one */
static void keys_have_slots_of_their_own(void **state)
{
	static const char *const inner[] = { "ps", "st", "pu", "wb", "cw", "pa", "ep", "mp", "up", "mm", "rp", "ac",
		"ai", "tp", "rm", "aid", "bids", "asks", "free", "asset", "symbol", "locked", "balance", "balances",
		"markPrice", "entryPrice", "updateTime", "positionAmt", "lastUpdateId", "positionSide",
		"unRealizedProfit" };
	static const char *const outer[] = { "data", "stream", "recv", "market", "type", "result", "id", "error",
		"code", "msg", "event" };
	bool seen[FIELDS_SLOTS] = { false };
	char other[32];

	(void)state;
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
		size_t n = strlen(inner[i]);
		unsigned slot = binance_slot(inner[i], n, 0);
		assert_in_range(slot, FIELDS_OUTER, 'A' - 1);
		assert_int_equal(binance_slot(inner[i], n, 1), slot);
		assert_false(seen[slot]);
		seen[slot] = true;
		for (size_t j = 0; j < n && n > 2; j++) {
			snprintf(other, sizeof other, "%s", inner[i]);
			other[j] ^= 0x20;
			assert_int_equal(binance_slot(other, n, 0), FIELDS_SKIP);
		}
		snprintf(other, sizeof other, "%sx", inner[i]);
		assert_int_equal(binance_slot(other, n + 1, 0), FIELDS_SKIP);
	}
	for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++) {
		size_t n = strlen(outer[i]);
		unsigned slot = binance_slot(outer[i], n, 0) & ~FIELDS_INTO;
		assert_in_range(slot, 1, FIELDS_OUTER - 1);
		assert_false(seen[slot]);
		seen[slot] = true;
		assert_int_equal(binance_slot(outer[i], n, 1), FIELDS_SKIP);
	}
	assert_int_equal(BINANCE_SLOTS_END - FIELDS_OUTER, sizeof inner / sizeof inner[0]);
	for (int a = 'a'; a <= 'z'; a++) /* of two letters */
		for (int b = 'a'; b <= 'z'; b++) {
			char name[2] = { (char)a, (char)b };
			unsigned slot = binance_slot(name, 2, 1);
			assert_true(slot == FIELDS_SKIP || seen[slot]);
			name[0] ^= 0x20;
			assert_int_equal(binance_slot(name, 2, 1), FIELDS_SKIP);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_fill_is_told_once_in_full, open_it, close_it),
		cmocka_unit_test_setup_teardown(later_frames_of_every_kind_let_previews_go, open_it, close_it),
		cmocka_unit_test_setup_teardown(a_late_full_report_still_takes_its_preview_with_it, open_it, close_it),
		cmocka_unit_test_setup_teardown(the_room_of_previews_has_an_end, open_it, close_it),
		cmocka_unit_test_setup_teardown(a_preview_waits_unharmed, open_it, close_it),
		cmocka_unit_test_setup_teardown(longest_names_fit_a_waiting_preview, open_it, close_it),
		cmocka_unit_test_setup_teardown(fills_without_an_id_are_all_told, open_it, close_it),
		cmocka_unit_test_setup_teardown(who_trades_with_himself_has_two_fills, open_it, close_it),
		cmocka_unit_test_setup_teardown(kept_frames_are_those_that_tell_nothing, open_it, close_it),
		cmocka_unit_test_setup_teardown(a_long_reason_is_cut, open_it, close_it),
		cmocka_unit_test_setup_teardown(contract_sizes_are_those_of_the_exchange, open_it, close_it),
		cmocka_unit_test(keys_have_slots_of_their_own),
	};

	return cmocka_run_group_tests_name("binance_user", tests, NULL, NULL);
}
