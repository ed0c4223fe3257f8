#include "mock_private.h"

#include "mock_guard.h"
#include "mock_member.h"
#include "num.h"

struct call {
	struct mock_account *a;
	struct mock_ledger *l;
	enum mock_market market;
	const struct mock_request *r;
	int64_t now, wall_ms;
	struct mock_refusal why;
};

typedef int answer(struct mock_buf *b, struct call *c); /* the HTTP status; 400 and above: why says what */

/* --- sums of an asset ----------------------------------------------------------------------------------------------
 */

struct sums {
	struct dec unrealized, cross_unrealized, initial, cross_initial, maintenance, equity, available;
};

static void add_to(struct dec *sum, struct dec v)
{
	dec_add(*sum, v, sum);
}

static struct sums sums_of(const struct call *c, const struct mock_asset *asset)
{
	struct sums s = { .equity = asset->balance };

	for (size_t i = 0; i < c->l->positions; i++) {
		const struct mock_position *p = &c->l->position[i];
		if (&c->l->asset[p->asset] != asset)
			continue;
		struct dec mark = mock_ledger_mark(c->l, p, c->a->walk);
		struct dec unrealized = mock_ledger_unrealized(c->l, p, mark);
		struct dec initial = mock_ledger_initial(c->l, p, mark);
		add_to(&s.unrealized, unrealized);
		add_to(&s.initial, initial);
		add_to(&s.maintenance, mock_ledger_maintenance(c->l, p, mark));
		if (!p->isolated) {
			add_to(&s.cross_unrealized, unrealized);
			add_to(&s.cross_initial, initial);
		}
	}
	add_to(&s.equity, s.unrealized);
	s.available = mock_ledger_cross(c->l, asset);
	add_to(&s.available, s.cross_unrealized);
	dec_sub(s.available, s.cross_initial, &s.available);
	if (dec_sign(s.available) < 0)
		s.available = DEC_NIL;
	return s;
}

static void money(struct mock_buf *b, const char *key, struct dec v)
{
	mock_put_places(b, key, v, 8);
}

/* --- listen keys -----------------------------------------------------------------------------------------------------
 */

static int put_listen_key(struct mock_buf *b, const char *key)
{
	mock_put_text(b, "{\"listenKey\":", span_of(key));
	mock_put_char(b, '}');
	return 200;
}

static int listen_post(struct mock_buf *b, struct call *c)
{
	return put_listen_key(b, mock_account_listen(c->a, c->market, c->now));
}

static int listen_put(struct mock_buf *b, struct call *c)
{
	if (mock_account_keep(c->a, c->market, c->now))
		return put_listen_key(b, c->a->listen[c->market].key);
	mock_refuse(&c->why, 400, -1125, "This listenKey does not exist.");
	return 400;
}

static int listen_delete(struct mock_buf *b, struct call *c)
{
	mock_account_drop(c->a, c->market);
	mock_put_lit(b, "{}");
	return 200;
}

/* --- balances --------------------------------------------------------------------------------------------------------
 */

static void balance(struct mock_buf *b, const struct call *c, const struct mock_asset *asset)
{
	struct sums s = sums_of(c, asset);

	mock_put_text(b, "{\"accountAlias\":", SPAN(MOCK_ALIAS));
	mock_put_text(b, ",\"asset\":", span_of(asset->name));
	money(b, ",\"balance\":", asset->balance);
	if (c->market == MOCK_COINM)
		money(b, ",\"withdrawAvailable\":", s.available);
	money(b, ",\"crossWalletBalance\":", mock_ledger_cross(c->l, asset));
	money(b, ",\"crossUnPnl\":", s.cross_unrealized);
	money(b, ",\"availableBalance\":", s.available);
	if (c->market == MOCK_USDM) {
		money(b, ",\"maxWithdrawAmount\":", s.available);
		mock_put_truth(b, ",\"marginAvailable\":", true);
	}
	mock_put_number(b, ",\"updateTime\":", asset->ms);
	mock_put_char(b, '}');
}

static int balances(struct mock_buf *b, struct call *c)
{
	for (size_t i = 0; i < c->l->assets; i++) {
		mock_put_char(b, i > 0 ? ',' : '[');
		balance(b, c, &c->l->asset[i]);
	}
	mock_put(b, c->l->assets > 0 ? SPAN("]") : SPAN("[]"));
	return 200;
}

/* --- the account -----------------------------------------------------------------------------------------------------
 */

static void account_asset(struct mock_buf *b, const struct call *c, const struct mock_asset *asset)
{
	struct sums s = sums_of(c, asset);

	mock_put_text(b, "{\"asset\":", span_of(asset->name));
	money(b, ",\"walletBalance\":", asset->balance);
	money(b, ",\"unrealizedProfit\":", s.unrealized);
	money(b, ",\"marginBalance\":", s.equity);
	money(b, ",\"maintMargin\":", s.maintenance);
	money(b, ",\"initialMargin\":", s.initial);
	money(b, ",\"positionInitialMargin\":", s.initial);
	money(b, ",\"openOrderInitialMargin\":", DEC_NIL);
	money(b, ",\"crossWalletBalance\":", mock_ledger_cross(c->l, asset));
	money(b, ",\"crossUnPnl\":", s.cross_unrealized);
	money(b, ",\"availableBalance\":", s.available);
	money(b, ",\"maxWithdrawAmount\":", s.available);
	if (c->market == MOCK_USDM)
		mock_put_truth(b, ",\"marginAvailable\":", true);
	mock_put_number(b, ",\"updateTime\":", asset->ms);
	mock_put_char(b, '}');
}

static void account_assets(struct mock_buf *b, const struct call *c)
{
	mock_put_lit(b, "\"assets\":[");
	for (size_t i = 0; i < c->l->assets; i++) {
		if (i > 0)
			mock_put_char(b, ',');
		account_asset(b, c, &c->l->asset[i]);
	}
	mock_put_char(b, ']');
}

static struct dec isolated_margin(const struct mock_position *p, struct dec unrealized)
{
	struct dec sum = DEC_NIL;

	if (p->isolated)
		dec_add(p->isolated_wallet, unrealized, &sum);
	return sum;
}

/* no entry and no mark price here on USDⓈ-M */
static void account_position(struct mock_buf *b, const struct call *c, const struct mock_position *p)
{
	struct dec mark = mock_ledger_mark(c->l, p, c->a->walk);
	struct dec unrealized = mock_ledger_unrealized(c->l, p, mark);

	mock_put_text(b, "{\"symbol\":", span_of(p->symbol));
	mock_put_text(b, ",\"positionSide\":", span_of(mock_side_word(p->side)));
	mock_put_amount(b, ",\"positionAmt\":", p->qty);
	money(b, ",\"unrealizedProfit\":", unrealized);
	money(b, ",\"isolatedMargin\":", isolated_margin(p, unrealized));
	money(b, ",\"notional\":", mock_ledger_notional(c->l, p, mark));
	money(b, ",\"isolatedWallet\":", p->isolated_wallet);
	money(b, ",\"initialMargin\":", mock_ledger_initial(c->l, p, mark));
	money(b, ",\"maintMargin\":", mock_ledger_maintenance(c->l, p, mark));
	mock_put_number(b, ",\"updateTime\":", p->ms);
	mock_put_char(b, '}');
}

/* of one margin asset: in single-asset mode the totals are USDT's (bnc-wire(7) 4.3) */
static void totals(struct mock_buf *b, const struct call *c)
{
	struct mock_asset none = { .name = "USDT" };
	const struct mock_asset *usdt = &none;

	for (size_t i = 0; i < c->l->assets; i++)
		if (strcmp(c->l->asset[i].name, "USDT") == 0)
			usdt = &c->l->asset[i];
	struct sums s = sums_of(c, usdt);
	money(b, "{\"totalInitialMargin\":", s.initial);
	money(b, ",\"totalMaintMargin\":", s.maintenance);
	money(b, ",\"totalWalletBalance\":", usdt->balance);
	money(b, ",\"totalUnrealizedProfit\":", s.unrealized);
	money(b, ",\"totalMarginBalance\":", s.equity);
	money(b, ",\"totalPositionInitialMargin\":", s.initial);
	money(b, ",\"totalOpenOrderInitialMargin\":", DEC_NIL);
	money(b, ",\"totalCrossWalletBalance\":", mock_ledger_cross(c->l, usdt));
	money(b, ",\"totalCrossUnPnl\":", s.cross_unrealized);
	money(b, ",\"availableBalance\":", s.available);
	money(b, ",\"maxWithdrawAmount\":", s.available);
}

static int usdm_account(struct mock_buf *b, struct call *c)
{
	bool first = true;

	totals(b, c);
	mock_put_char(b, ',');
	account_assets(b, c);
	mock_put_lit(b, ",\"positions\":[");
	for (size_t i = 0; i < c->l->positions; i++) {
		if (dec_sign(c->l->position[i].qty) == 0)
			continue;
		if (!first)
			mock_put_char(b, ',');
		first = false;
		account_position(b, c, &c->l->position[i]);
	}
	mock_put_lit(b, "]}");
	return 200;
}

static int account_config(struct mock_buf *b, struct call *c)
{
	mock_put_lit(b, "{\"feeTier\":0,\"canTrade\":true,\"canDeposit\":true,\"canWithdraw\":true");
	mock_put_truth(b, ",\"dualSidePosition\":", c->l->dual);
	mock_put_lit(b, ",\"updateTime\":0");
	mock_put_truth(b, ",\"multiAssetsMargin\":", c->l->multi);
	mock_put_lit(b, ",\"tradeGroupId\":-1}");
	return 200;
}

/* --- positions -------------------------------------------------------------------------------------------------------
 */

static void head_of_risk(struct mock_buf *b, const struct call *c, const struct mock_position *p, struct dec mark)
{
	mock_put_amount(b, ",\"positionAmt\":", p->qty);
	mock_put_amount(b, ",\"entryPrice\":", p->entry);
	mock_put_amount(b, ",\"breakEvenPrice\":", mock_ledger_break_even(c->l, p));
	money(b, ",\"markPrice\":", mark);
	money(b, ",\"unRealizedProfit\":", mock_ledger_unrealized(c->l, p, mark));
	mock_put_lit(b, ",\"liquidationPrice\":\"0\"");
}

static void risk_v3(struct mock_buf *b, const struct call *c, const struct mock_position *p)
{
	struct dec mark = mock_ledger_mark(c->l, p, c->a->walk);

	mock_put_text(b, "{\"symbol\":", span_of(p->symbol));
	mock_put_text(b, ",\"positionSide\":", span_of(mock_side_word(p->side)));
	head_of_risk(b, c, p, mark);
	mock_put_amount(b, ",\"isolatedMargin\":", isolated_margin(p, mock_ledger_unrealized(c->l, p, mark)));
	money(b, ",\"notional\":", mock_ledger_notional(c->l, p, mark));
	mock_put_text(b, ",\"marginAsset\":", span_of(c->l->asset[p->asset].name));
	mock_put_amount(b, ",\"isolatedWallet\":", p->isolated_wallet);
	money(b, ",\"initialMargin\":", mock_ledger_initial(c->l, p, mark));
	money(b, ",\"maintMargin\":", mock_ledger_maintenance(c->l, p, mark));
	money(b, ",\"positionInitialMargin\":", mock_ledger_initial(c->l, p, mark));
	mock_put_lit(b, ",\"openOrderInitialMargin\":\"0\",\"adl\":2,\"bidNotional\":\"0\",\"askNotional\":\"0\"");
	mock_put_number(b, ",\"updateTime\":", p->ms);
	mock_put_char(b, '}');
}

/* numbers as strings, and one with an exponent (bnc-wire(7) 6.3) */
static void risk_v2(struct mock_buf *b, const struct call *c, const struct mock_position *p)
{
	struct dec mark = mock_ledger_mark(c->l, p, c->a->walk);

	mock_put_text(b, "{\"symbol\":", span_of(p->symbol));
	head_of_risk(b, c, p, mark);
	mock_put_amount(b, ",\"leverage\":", (struct dec){ p->leverage, 0 });
	mock_put(b, c->market == MOCK_COINM ? SPAN(",\"maxQty\":\"250\"") : SPAN(",\"maxNotionalValue\":\"1.0E8\""));
	mock_put_text(b, ",\"marginType\":", p->isolated ? SPAN("isolated") : SPAN("cross"));
	money(b, ",\"isolatedMargin\":", isolated_margin(p, mock_ledger_unrealized(c->l, p, mark)));
	mock_put_lit(b, ",\"isAutoAddMargin\":\"false\"");
	mock_put_text(b, ",\"positionSide\":", span_of(mock_side_word(p->side)));
	if (c->market == MOCK_USDM)
		money(b, ",\"notional\":", mock_ledger_notional(c->l, p, mark));
	else
		money(b, ",\"notionalValue\":", mock_ledger_notional(c->l, p, mark));
	mock_put_amount(b, ",\"isolatedWallet\":", p->isolated_wallet);
	mock_put_number(b, ",\"updateTime\":", p->ms);
	mock_put_char(b, '}');
}

static bool asked_for(const struct call *c, const struct mock_position *p)
{
	struct span symbol = span_of(p->symbol);
	struct span value, tail;

	if (mock_http_param(c->r->query, SPAN("symbol"), &value) && !span_eq(value, symbol))
		return false;
	if (mock_http_param(c->r->query, SPAN("pair"), &value) && !span_eq(value, span_cut(symbol, '_', &tail)))
		return false;
	return !mock_http_param(c->r->query, SPAN("marginAsset"), &value) || span_is(value, c->l->asset[p->asset].name);
}

/* with an open position, or (v2) all that there are */
static void risks(struct mock_buf *b, const struct call *c, bool all,
    void (*put)(struct mock_buf *b, const struct call *c, const struct mock_position *p))
{
	bool first = true;

	mock_put_char(b, '[');
	for (size_t i = 0; i < c->l->positions; i++) {
		const struct mock_position *p = &c->l->position[i];
		if (!asked_for(c, p) || (!all && dec_sign(p->qty) == 0))
			continue;
		if (!first)
			mock_put_char(b, ',');
		first = false;
		put(b, c, p);
	}
	mock_put_char(b, ']');
}

static bool symbol_exists(const struct call *c, struct span name)
{
	char lower[MOCK_SYMBOL_MAX];

	for (size_t i = 0; i < c->l->positions; i++)
		if (span_is(name, c->l->position[i].symbol))
			return true;
	if (name.n > sizeof lower || !c->a->walk)
		return false;
	mock_lower(name, lower);
	return mock_walk_find(c->a->walk, (struct span){ lower, name.n }, c->market) != NULL;
}

static int position_risk(struct mock_buf *b, struct call *c)
{
	struct span symbol;
	bool v3 = span_starts(c->r->path, SPAN("/fapi/v3/"));

	if (mock_http_param(c->r->query, SPAN("symbol"), &symbol) && !symbol_exists(c, symbol)) {
		mock_refuse(&c->why, 400, -1121, "Invalid symbol.");
		return 400;
	}
	risks(b, c, !v3, v3 ? risk_v3 : risk_v2);
	return 200;
}

static void coinm_position(struct mock_buf *b, const struct call *c, const struct mock_position *p)
{
	struct dec mark = mock_ledger_mark(c->l, p, c->a->walk);

	mock_put_text(b, "{\"symbol\":", span_of(p->symbol));
	mock_put_amount(b, ",\"positionAmt\":", p->qty);
	money(b, ",\"initialMargin\":", mock_ledger_initial(c->l, p, mark));
	money(b, ",\"maintMargin\":", mock_ledger_maintenance(c->l, p, mark));
	money(b, ",\"unrealizedProfit\":", mock_ledger_unrealized(c->l, p, mark));
	money(b, ",\"positionInitialMargin\":", mock_ledger_initial(c->l, p, mark));
	mock_put_lit(b, ",\"openOrderInitialMargin\":\"0\"");
	mock_put_amount(b, ",\"leverage\":", (struct dec){ p->leverage, 0 });
	mock_put_truth(b, ",\"isolated\":", p->isolated);
	mock_put_text(b, ",\"positionSide\":", span_of(mock_side_word(p->side)));
	mock_put_places(b, ",\"entryPrice\":", p->entry, 8);
	mock_put_amount(b, ",\"breakEvenPrice\":", mock_ledger_break_even(c->l, p));
	mock_put_lit(b, ",\"maxQty\":\"250\"");
	money(b, ",\"notionalValue\":", mock_ledger_notional(c->l, p, mark));
	mock_put_amount(b, ",\"isolatedWallet\":", p->isolated_wallet);
	mock_put_number(b, ",\"updateTime\":", p->ms);
	mock_put_char(b, '}');
}

/* in hedge mode each symbol has a row BOTH, too; there are no totals */
static int coinm_account(struct mock_buf *b, struct call *c)
{
	bool first = true;

	mock_put_char(b, '{');
	account_assets(b, c);
	mock_put_lit(b, ",\"positions\":[");
	for (size_t i = 0; i < c->l->positions; i++) {
		const struct mock_position *p = &c->l->position[i];
		struct mock_position both = { .asset = p->asset, .side = MOCK_BOTH, .leverage = p->leverage };
		if (!first)
			mock_put_char(b, ',');
		first = false;
		memcpy(both.symbol, p->symbol, sizeof both.symbol);
		bool begins = p->side == MOCK_LONG ||
			      (p->side == MOCK_SHORT && !mock_ledger_held(c->l, span_of(p->symbol), MOCK_LONG));
		if (begins) {
			coinm_position(b, c, &both);
			mock_put_char(b, ',');
		}
		coinm_position(b, c, p);
	}
	mock_put_lit(b, "],\"canDeposit\":true,\"canTrade\":true,\"canWithdraw\":true,\"feeTier\":0,\"updateTime\":0}");
	return 200;
}

/* --- income ----------------------------------------------------------------------------------------------------------
 */

struct filter {
	struct span symbol, type;
	uint64_t from, to, limit;
};

static bool read_filter(struct call *c, struct filter *f)
{
	struct span v;
	struct span q = c->r->query;

	*f = (struct filter){ .to = (uint64_t)INT64_MAX, .limit = 100 };
	f->from = c->wall_ms > 7 * 86400000LL ? (uint64_t)(c->wall_ms - 7 * 86400000LL) : 0;
	mock_http_param(q, SPAN("symbol"), &f->symbol);
	mock_http_param(q, SPAN("incomeType"), &f->type);
	if (mock_http_param(q, SPAN("startTime"), &v) && !num_u64(v, 0, (uint64_t)INT64_MAX, &f->from))
		mock_refuse_parameter(&c->why, "startTime");
	else if (mock_http_param(q, SPAN("endTime"), &v) && !num_u64(v, 0, (uint64_t)INT64_MAX, &f->to))
		mock_refuse_parameter(&c->why, "endTime");
	else if (mock_http_param(q, SPAN("limit"), &v) && !num_u64(v, 1, 1000, &f->limit))
		mock_refuse(&c->why, 400, -1130, "Data sent for parameter 'limit' is not valid.");
	else
		return true;
	return false;
}

static bool passes(const struct filter *f, const struct mock_income *row)
{
	return (f->symbol.n == 0 || span_is(f->symbol, row->symbol)) &&
	       (f->type.n == 0 || span_is(f->type, row->type)) && (uint64_t)row->ms >= f->from &&
	       (uint64_t)row->ms <= f->to;
}

static void put_income(struct mock_buf *b, const struct mock_income *row)
{
	mock_put_text(b, "{\"symbol\":", span_of(row->symbol));
	mock_put_text(b, ",\"incomeType\":", span_of(row->type));
	mock_put_places(b, ",\"income\":", row->amount, 8);
	mock_put_text(b, ",\"asset\":", span_of(row->asset));
	mock_put_text(b, ",\"info\":", span_of(row->type));
	mock_put_number(b, ",\"time\":", row->ms);
	mock_put_number(b, ",\"tranId\":", row->tran_id);
	mock_put_lit(b, ",\"tradeId\":\"");
	if (row->trade_id > 0)
		mock_put_i64(b, row->trade_id);
	mock_put_lit(b, "\"}");
}

static int income(struct mock_buf *b, struct call *c)
{
	struct filter f;
	size_t ever = c->a->incomes[c->market];
	uint64_t told = 0;

	if (!read_filter(c, &f))
		return 400;
	mock_put_char(b, '[');
	for (size_t i = ever > MOCK_INCOME_MAX ? ever - MOCK_INCOME_MAX : 0; i < ever && told < f.limit; i++) {
		const struct mock_income *row = &c->a->income[c->market][i % MOCK_INCOME_MAX];
		if (!passes(&f, row))
			continue;
		if (told++ > 0)
			mock_put_char(b, ',');
		put_income(b, row);
	}
	mock_put_char(b, ']');
	return 200;
}

/* --- spot ------------------------------------------------------------------------------------------------------------
 */

void mock_private_spot(struct mock_buf *b, const struct mock_account *a, bool omit_zero)
{
	const struct mock_ledger *l = &a->ledger[MOCK_SPOT];
	bool first = true;
	int64_t latest = 0;

	mock_put_lit(b,
	    "{\"makerCommission\":10,\"takerCommission\":10,\"buyerCommission\":0,\"sellerCommission\":0,"
	    "\"commissionRates\":{\"maker\":\"0.00100000\",\"taker\":\"0.00100000\",\"buyer\":\"0.00000000\","
	    "\"seller\":\"0.00000000\"},\"canTrade\":true,\"canWithdraw\":true,\"canDeposit\":true,"
	    "\"brokered\":false,\"requireSelfTradePrevention\":false,\"preventSor\":false");
	for (size_t i = 0; i < l->assets; i++)
		latest = l->asset[i].ms > latest ? l->asset[i].ms : latest;
	mock_put_number(b, ",\"updateTime\":", latest);
	mock_put_lit(b, ",\"accountType\":\"SPOT\",\"balances\":[");
	for (size_t i = 0; i < l->assets; i++) {
		const struct mock_asset *asset = &l->asset[i];
		struct dec left = DEC_NIL;
		if (omit_zero && dec_sign(asset->balance) == 0)
			continue;
		dec_sub(asset->balance, asset->locked, &left);
		mock_put_text(b, first ? "{\"asset\":" : ",{\"asset\":", span_of(asset->name));
		first = false;
		money(b, ",\"free\":", left);
		money(b, ",\"locked\":", asset->locked);
		mock_put_char(b, '}');
	}
	mock_put_lit(b, "],\"permissions\":[\"SPOT\"],\"uid\":354937868}");
}

static int spot_account(struct mock_buf *b, struct call *c)
{
	struct span omit;

	mock_private_spot(
	    b, c->a, mock_http_param(c->r->query, SPAN("omitZeroBalances"), &omit) && span_is(omit, "true"));
	return 200;
}

/* --- the table -------------------------------------------------------------------------------------------------------
 */

struct row {
	const char *method, *path;
	enum mock_market market;
	int64_t weight;
	bool is_signed; /* else the key alone is asked for */
	answer *answer;
};

static const struct row rows[] = {
	{ "POST", "/fapi/v1/listenKey", MOCK_USDM, 1, false, listen_post },
	{ "PUT", "/fapi/v1/listenKey", MOCK_USDM, 1, false, listen_put },
	{ "DELETE", "/fapi/v1/listenKey", MOCK_USDM, 1, false, listen_delete },
	{ "POST", "/dapi/v1/listenKey", MOCK_COINM, 1, false, listen_post },
	{ "PUT", "/dapi/v1/listenKey", MOCK_COINM, 1, false, listen_put },
	{ "DELETE", "/dapi/v1/listenKey", MOCK_COINM, 1, false, listen_delete },
	{ "GET", "/fapi/v3/balance", MOCK_USDM, 5, true, balances },
	{ "GET", "/fapi/v2/balance", MOCK_USDM, 5, true, balances },
	{ "GET", "/fapi/v3/account", MOCK_USDM, 5, true, usdm_account },
	{ "GET", "/fapi/v3/positionRisk", MOCK_USDM, 5, true, position_risk },
	{ "GET", "/fapi/v2/positionRisk", MOCK_USDM, 5, true, position_risk },
	{ "GET", "/fapi/v1/accountConfig", MOCK_USDM, 5, true, account_config },
	{ "GET", "/fapi/v1/income", MOCK_USDM, 30, true, income },
	{ "GET", "/dapi/v1/balance", MOCK_COINM, 1, true, balances },
	{ "GET", "/dapi/v1/account", MOCK_COINM, 5, true, coinm_account },
	{ "GET", "/dapi/v1/positionRisk", MOCK_COINM, 1, true, position_risk },
	{ "GET", "/dapi/v1/income", MOCK_COINM, 20, true, income },
	{ "GET", "/api/v3/account", MOCK_SPOT, 20, true, spot_account },
};

static const struct row *row_of(const struct mock_request *r)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (span_is(r->path, rows[i].path) && span_is(r->method, rows[i].method))
			return &rows[i];
	return NULL;
}

/* 2 (to 50 levels), 5 (100), 10 (500), 20 (1000); without a limit 1 (measured) */
static int64_t depth_weight(const struct mock_request *r)
{
	struct span v;
	uint64_t levels;

	if (!mock_http_param(r->query, SPAN("limit"), &v) || !num_u64(v, 1, 5000, &levels))
		return 1;
	return levels <= 50 ? 2 : levels <= 100 ? 5 : levels <= 500 ? 10 : 20;
}

int64_t mock_private_weight(const struct mock_request *r)
{
	const struct row *row = row_of(r);
	struct span v;

	if (row)
		return row->weight;
	if (span_is(r->path, "/api/v3/exchangeInfo"))
		return 20;
	if (span_ends(r->path, SPAN("/depth")))
		return depth_weight(r);
	if (span_ends(r->path, SPAN("/premiumIndex")))
		return mock_http_param(r->query, SPAN("symbol"), &v) ? 1 : 10;
	return 1;
}

int mock_private(struct mock_buf *b, struct mock_account *a, const struct mock_request *r, int64_t now, int64_t wall_ms)
{
	const struct row *row = row_of(r);

	if (!row)
		return 0;
	struct call c = {
		.a = a, .l = &a->ledger[row->market], .market = row->market, .r = r, .now = now, .wall_ms = wall_ms
	};
	bool allowed = row->is_signed ? mock_guard_request(a, r, row->market == MOCK_SPOT, wall_ms, &c.why)
				      : mock_guard_key(a, r->api_key, &c.why);
	if (allowed && row->answer(b, &c) == 200)
		return 200;
	mock_put_refusal(b, &c.why);
	return c.why.status;
}
