/* The offline exchange's own sums: against figures of the exchange, and against integers on random trades. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mock_ledger.h"
#include "mock_member.h"

static struct dec d(const char *text)
{
	struct dec v;

	if (dec_parse(span_of(text), &v) != DEC_OK)
		fail_msg("'%s' is no number", text);
	return v;
}

static void is(struct dec v, const char *text)
{
	char out[DEC_TEXT_MAX + 1];

	*dec_print(out, v) = '\0';
	assert_string_equal(out, text);
}

static struct mock_ledger *ledger(enum mock_market market, const char *fee)
{
	static struct mock_ledger l;

	mock_ledger_init(&l, market);
	l.fee = d(fee);
	return &l;
}

static void has(struct mock_ledger *l, const char *asset, const char *amount)
{
	assert_null(mock_ledger_add(mock_ledger_asset(l, span_of(asset)), d(amount), 1));
}

static const char *trade(struct mock_ledger *l, const char *symbol, bool buy, const char *qty, const char *price,
    enum mock_side side, struct mock_trade *t)
{
	*t = (struct mock_trade){
		.symbol = span_of(symbol), .buy = buy, .side = side, .qty = d(qty), .price = d(price)
	};
	return mock_ledger_fill(l, t, 7);
}

/* the captured round trip of bnc-wire(7) 5.3: two fees and a loss */
static void the_captured_round_trip_ends_at_the_captured_balance(void **state)
{
	struct mock_ledger *l = ledger(MOCK_USDM, "0.0004");
	struct mock_trade t;

	(void)state;
	has(l, "USDT", "24.30489058");
	t = (struct mock_trade){ .symbol = SPAN("BNBUSDT"), .buy = true, .qty = d("0.02"), .price = d("313.2") };
	assert_null(mock_ledger_fill(l, &t, 7));
	is(t.fee, "0.0025056");
	t = (struct mock_trade){ .symbol = SPAN("BNBUSDT"),
		.qty = d("0.02"),
		.price = d("313.19"),
		.fee_asset = SPAN("USDT"),
		.fee_given = true,
		.fee = d("0.00250551") };
	assert_null(mock_ledger_fill(l, &t, 7));
	is(t.realized, "-0.0002");
	is(l->asset[0].balance, "24.29967947");
	is(l->position[0].qty, "0");
	is(l->position[0].entry, "0");
	is(l->position[0].realized, "-0.0002");
}

/* amount, mark, entry and what the exchange printed (bnc-wire(7) 5.1, 5.2) */
static void unrealized_pnl_is_cut_off_as_the_exchange_does_it(void **state)
{
	static const struct {
		enum mock_market market;
		const char *symbol, *qty, *mark, *entry, *pnl, *notional;
	} rows[] = {
		{ MOCK_USDM, "ADAUSDT", "30", "0.41047590", "0.385", "0.764277", "12.314277" },
		{ MOCK_USDM, "LTCUSDT", "-1", "49.72023376", "70.92841", "21.20817624", "-49.72023376" },
		{ MOCK_USDM, "BTCUSDT", "-0.003", "42832.79591057", "42976.6", "0.43141226", "-128.49838773" },
		{ MOCK_USDM, "BNBUSDT", "0.02", "313.19672593", "313.20000000000005", "-0.00006548", "6.26393451" },
		{ MOCK_COINM, "BTCUSD_PERP", "1", "11788.66626667", "11707.70000003", "0.00005866", "0.00848272" },
		{ MOCK_COINM, "BTCUSD_PERP", "-1", "11788.66626667", "11707.70000003", "-0.00005866", "-0.00848272" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct mock_ledger *l = ledger(rows[i].market, "0");
		struct mock_position *p = mock_ledger_position(l, span_of(rows[i].symbol), MOCK_BOTH);
		p->qty = d(rows[i].qty);
		p->entry = d(rows[i].entry);
		is(mock_ledger_unrealized(l, p, d(rows[i].mark)), rows[i].pnl);
		is(mock_ledger_notional(l, p, d(rows[i].mark)), rows[i].notional);
	}
}

static void break_even_prices_are_those_of_the_exchange(void **state)
{
	struct mock_ledger *l = ledger(MOCK_USDM, "0.0004");
	struct mock_position *p = mock_ledger_position(l, SPAN("LTCUSDT"), MOCK_BOTH);

	(void)state;
	is(mock_ledger_break_even(l, p), "0");
	p->qty = d("-1");
	p->entry = d("70.92841");
	is(mock_ledger_break_even(l, p), "70.900038636");
	l->fee = d("0.0005");
	p->qty = d("1");
	p->entry = d("80.19");
	is(mock_ledger_break_even(l, p), "80.230095");
}

static void a_position_is_opened_added_to_reduced_flipped_and_closed(void **state)
{
	struct mock_ledger *l = ledger(MOCK_USDM, "0");
	struct mock_trade t;

	(void)state;
	assert_null(trade(l, "SOLUSDT", true, "1", "140", MOCK_BOTH, &t));
	assert_null(trade(l, "SOLUSDT", true, "2", "141", MOCK_BOTH, &t));
	is(t.position->entry, "140.66666666666666");
	is(t.realized, "0");
	assert_null(trade(l, "SOLUSDT", false, "1.5", "150", MOCK_BOTH, &t));
	is(t.realized, "14"); /* 1.5 x 9.33333333333334, cut off at 8 decimals */
	is(t.position->entry, "140.66666666666666");
	is(t.position->qty, "1.5");
	assert_null(trade(l, "SOLUSDT", false, "4", "139", MOCK_BOTH, &t));
	is(t.realized, "-2.49999999");
	is(t.position->qty, "-2.5");
	is(t.position->entry, "139");
	assert_null(trade(l, "SOLUSDT", true, "2.5", "138.5", MOCK_BOTH, &t));
	is(t.realized, "1.25");
	is(t.position->entry, "0");
	is(l->asset[0].balance, "12.75000001");
	is(t.position->realized, "12.75000001");
	assert_int_equal(l->positions, 1);
	assert_int_equal(t.position->ms, 7);
}

static void hedge_mode_keeps_the_sides_apart(void **state)
{
	struct mock_ledger *l = ledger(MOCK_USDM, "0");
	struct mock_trade t;

	(void)state;
	l->dual = true;
	assert_non_null(trade(l, "SOLUSDT", true, "1", "140", MOCK_BOTH, &t));
	assert_null(trade(l, "SOLUSDT", true, "1", "140", MOCK_LONG, &t));
	assert_null(trade(l, "SOLUSDT", false, "3", "142", MOCK_SHORT, &t));
	is(mock_ledger_held(l, SPAN("SOLUSDT"), MOCK_LONG)->qty, "1");
	is(mock_ledger_held(l, SPAN("SOLUSDT"), MOCK_SHORT)->qty, "-3");
	assert_non_null(trade(l, "SOLUSDT", false, "1.1", "150", MOCK_LONG, &t));
	assert_non_null(trade(l, "SOLUSDT", true, "3.1", "150", MOCK_SHORT, &t));
	is(mock_ledger_held(l, SPAN("SOLUSDT"), MOCK_LONG)->qty, "1");
	assert_null(trade(l, "SOLUSDT", true, "3", "140", MOCK_SHORT, &t));
	is(t.realized, "6");
	l->dual = false;
	assert_non_null(trade(l, "SOLUSDT", true, "1", "140", MOCK_LONG, &t));
}

static void inverse_contracts_are_averaged_by_their_coins(void **state)
{
	struct mock_ledger *l = ledger(MOCK_COINM, "0.0005");
	struct mock_trade t;

	(void)state;
	has(l, "BTC", "1");
	assert_null(trade(l, "BTCUSD_PERP", true, "10", "80000", MOCK_BOTH, &t));
	is(t.fee, "0.00000625"); /* 1000 USD are 0.0125 BTC */
	assert_null(trade(l, "BTCUSD_PERP", true, "30", "90000", MOCK_BOTH, &t));
	is(t.position->entry, "87272.72727272"); /* 40 / (10/80000 + 30/90000) */
	assert_null(trade(l, "BTCUSD_PERP", false, "40", "88000", MOCK_BOTH, &t));
	is(t.realized, "0.00037878");
	is(l->asset[0].balance, "1.00033315");
	assert_non_null(trade(l, "BTCUSD_PERP", true, "1.5", "80000", MOCK_BOTH, &t));
}

static void spot_moves_two_balances_and_the_fee(void **state)
{
	struct mock_ledger *l = ledger(MOCK_SPOT, "0.001");
	struct mock_trade t;

	(void)state;
	has(l, "USDT", "1000");
	assert_null(trade(l, "SOLUSDT", true, "2", "140.5", MOCK_BOTH, &t));
	is(t.base->balance, "1.998");
	is(t.money->balance, "719");
	assert_null(trade(l, "SOLUSDT", false, "1.998", "150", MOCK_BOTH, &t));
	is(t.base->balance, "0");
	is(t.money->balance, "1018.4003");
	assert_non_null(trade(l, "SOLUSDT", false, "0.01", "150", MOCK_BOTH, &t));
	assert_non_null(trade(l, "SOLUSDT", true, "0.01", "150", MOCK_LONG, &t));
	/* a fee that cannot be paid undoes the rest */
	t = (struct mock_trade){
		.symbol = SPAN("SOLUSDT"), .buy = true, .qty = d("1"), .price = d("100"), .fee_asset = SPAN("BNB")
	};
	assert_non_null(mock_ledger_fill(l, &t, 8));
	is(mock_ledger_asset(l, SPAN("USDT"))->balance, "1018.4003");
	is(mock_ledger_asset(l, SPAN("SOL"))->balance, "0");
	/* what is locked cannot be spent */
	mock_ledger_asset(l, SPAN("USDT"))->locked = d("1000");
	assert_non_null(trade(l, "SOLUSDT", true, "1", "18.5", MOCK_BOTH, &t));
	assert_null(trade(l, "SOLUSDT", true, "1", "18.4", MOCK_BOTH, &t));
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
	struct mock_ledger *l = ledger(MOCK_USDM, "0.0004");
	struct mock_trade t;

	(void)state;
	has(l, "USDT", "5");
	assert_non_null(trade(l, "SOLUSDT", true, "0", "1", MOCK_BOTH, &t));
	assert_non_null(trade(l, "SOLUSDT", true, "1", "-1", MOCK_BOTH, &t));
	assert_non_null(
	    trade(l, "SOLUSDT", true, "10000000000000000000000000", "10000000000000000000000000", MOCK_BOTH, &t));
	assert_non_null(mock_ledger_add(mock_ledger_asset(l, SPAN("USDT")), d("0.000000001"), 1));
	is(l->asset[0].balance, "5");
	assert_null(mock_ledger_asset(l, SPAN("")));
	assert_null(mock_ledger_asset(l, SPAN("a\"b")));
	l->assets = MOCK_ASSETS_MAX;
	assert_null(mock_ledger_asset(l, SPAN("NEW")));
	l->positions = MOCK_POSITIONS_MAX;
	assert_null(mock_ledger_position(l, SPAN("XRPUSDT"), MOCK_BOTH));
}

/* prices in cents, quantities in hundredths, no fee: wallet and open value add up to what was paid, and the books of
 * integers agree, whatever the trades. Entry prices are averaged, so each reduction may lose what is cut off. */
static void random_trades_add_up(void **state)
{
	struct mock_ledger *l = ledger(MOCK_USDM, "0");
	uint64_t random = 88172645463325252u;
	__int128 flow = 0; /* 10^-4: what has been received less what has been paid */
	int64_t held = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		int64_t qty = (int64_t)(random % 500) + 1;
		int64_t price = (int64_t)(random / 1000 % 20000) + 5000;
		bool buy = random >> 63;
		struct mock_trade t = {
			.symbol = SPAN("SOLUSDT"), .buy = buy, .qty = { qty, 2 }, .price = { price, 2 }
		};
		assert_null(mock_ledger_fill(l, &t, i));
		held += buy ? qty : -qty;
		flow += (buy ? -1 : 1) * (__int128)qty * price;
		assert_int_equal(dec_cmp(t.position->qty, (struct dec){ held, 2 }), 0);
		assert_int_equal(dec_cmp(t.position->realized, l->asset[0].balance), 0);
	}
	struct mock_position *p = &l->position[0];
	struct dec value = DEC_NIL, wallet = DEC_NIL;
	assert_int_equal(dec_mul(p->qty, p->entry, &value), DEC_OK);
	assert_int_equal(dec_sub(l->asset[0].balance, value, &wallet), DEC_OK);
	struct dec off;
	assert_int_equal(dec_sub(wallet, (struct dec){ flow, 4 }, &off), DEC_OK);
	/* 20000 times less than 10^-8, and as much from the entries */
	assert_true(dec_cmp(off, d("0.0004")) < 0 && dec_cmp(off, d("-0.0004")) > 0);
}

static void decimals_are_printed_as_the_exchange_prints_them(void **state)
{
	static const struct {
		const char *value;
		int places;
		const char *text;
	} rows[] = { { "37.5", 8, "\"37.50000000\"" }, { "37", 8, "\"37.00000000\"" },
		{ "-0.000065481400001", 8, "\"-0.00006548\"" }, { "0", 8, "\"0.00000000\"" },
		{ "2317.3", 2, "\"2317.30\"" }, { "5", 0, "\"5\"" }, { "1.23456789", 8, "\"1.23456789\"" } };
	struct mock_buf b = mock_buf_of(100);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		mock_buf_clear(&b);
		mock_put_places(&b, "", d(rows[i].value), rows[i].places);
		mock_put_char(&b, '\0');
		assert_string_equal(mock_buf_span(&b).p, rows[i].text);
	}
	mock_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_captured_round_trip_ends_at_the_captured_balance),
		cmocka_unit_test(unrealized_pnl_is_cut_off_as_the_exchange_does_it),
		cmocka_unit_test(break_even_prices_are_those_of_the_exchange),
		cmocka_unit_test(a_position_is_opened_added_to_reduced_flipped_and_closed),
		cmocka_unit_test(hedge_mode_keeps_the_sides_apart),
		cmocka_unit_test(inverse_contracts_are_averaged_by_their_coins),
		cmocka_unit_test(spot_moves_two_balances_and_the_fee),
		cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
		cmocka_unit_test(random_trades_add_up),
		cmocka_unit_test(decimals_are_printed_as_the_exchange_prints_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
