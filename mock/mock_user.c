#include "mock_user.h"

#include "mock_member.h"

#define EVENT_MAX (256u << 10)

/* --- an event begins and ends ---------------------------------------------------------------------------------- */

/* e,T,E on the wire for these (the documents print e,E,T) */
static struct mock_buf begin(const char *event, int64_t ms)
{
	struct mock_buf b = mock_buf_of(EVENT_MAX);

	mock_put_text(&b, "{\"e\":", span_of(event));
	mock_put_number(&b, ",\"T\":", ms);
	mock_put_number(&b, ",\"E\":", ms);
	return b;
}

static struct mock_buf begin_e_first(const char *event, int64_t ms)
{
	struct mock_buf b = mock_buf_of(EVENT_MAX);

	mock_put_text(&b, "{\"e\":", span_of(event));
	mock_put_number(&b, ",\"E\":", ms);
	return b;
}

static void send(struct mock_account *a, enum mock_market market, const char *event, struct mock_buf *b)
{
	if (!b->full)
		a->deliver(a->ctx, market, span_of(event), mock_buf_span(b));
	mock_buf_free(b);
}

static void alias(struct mock_buf *b, enum mock_market market)
{
	if (market == MOCK_COINM)
		mock_put_text(b, ",\"i\":", SPAN(MOCK_ALIAS));
}

/* --- ACCOUNT_UPDATE -------------------------------------------------------------------------------------------- */

static void balance(struct mock_buf *b, const struct mock_ledger *l, const struct mock_asset *asset, struct dec change)
{
	mock_put_text(b, "{\"a\":", span_of(asset->name));
	mock_put_amount(b, ",\"wb\":", asset->balance);
	mock_put_amount(b, ",\"cw\":", mock_ledger_cross(l, asset));
	mock_put_amount(b, ",\"bc\":", change);
	mock_put_char(b, '}');
}

static void position(
    struct mock_buf *b, const struct mock_account *a, const struct mock_ledger *l, const struct mock_position *p)
{
	struct dec mark = mock_ledger_mark(l, p, a->walk);

	mock_put_text(b, "{\"s\":", span_of(p->symbol));
	mock_put_amount(b, ",\"pa\":", p->qty);
	mock_put_amount(b, ",\"ep\":", p->entry);
	mock_put_amount(b, ",\"cr\":", p->realized);
	mock_put_amount(b, ",\"up\":", mock_ledger_unrealized(l, p, mark));
	mock_put_text(b, ",\"mt\":", p->isolated ? SPAN("isolated") : SPAN("cross"));
	mock_put_amount(b, ",\"iw\":", p->isolated_wallet);
	mock_put_text(b, ",\"ps\":", span_of(mock_side_word(p->side)));
	mock_put_text(b, ",\"ma\":", span_of(l->asset[p->asset].name));
	mock_put_amount(b, ",\"bep\":", mock_ledger_break_even(l, p));
	mock_put_char(b, '}');
}

/* on USDⓈ-M the one that changed, on COIN-M all of its margin asset */
static void positions(
    struct mock_buf *b, const struct mock_account *a, const struct mock_ledger *l, const struct mock_position *p)
{
	bool first = true;

	mock_put_lit(b, ",\"P\":[");
	for (size_t i = 0; p && i < l->positions; i++) {
		const struct mock_position *other = &l->position[i];
		if (other != p && (l->market == MOCK_USDM || other->asset != p->asset))
			continue;
		if (!first)
			mock_put_char(b, ',');
		first = false;
		position(b, a, l, other);
	}
	mock_put_char(b, ']');
}

struct update {
	const char *reason;
	const struct mock_asset *asset, *other; /* other: or NULL */
	struct dec change;
	const struct mock_position *position; /* or NULL */
	struct span symbol;		      /* behind a FUNDING_FEE, since 2026-08 */
};

static void account_update(struct mock_account *a, enum mock_market market, const struct update *u, int64_t ms)
{
	const struct mock_ledger *l = &a->ledger[market];
	struct mock_buf b = begin("ACCOUNT_UPDATE", ms);

	alias(&b, market);
	mock_put_lit(&b, ",\"a\":{\"B\":[");
	balance(&b, l, u->asset, u->change);
	if (u->other) {
		mock_put_char(&b, ',');
		balance(&b, l, u->other, DEC_NIL);
	}
	mock_put_char(&b, ']');
	positions(&b, a, l, u->position);
	mock_put_text(&b, ",\"m\":", span_of(u->reason));
	if (u->symbol.n > 0)
		mock_put_text(&b, ",\"S\":", u->symbol);
	mock_put_lit(&b, "}}");
	send(a, market, "ACCOUNT_UPDATE", &b);
}

/* --- orders on futures ------------------------------------------------------------------------------------------ */

static struct span side_of(bool buy)
{
	return buy ? SPAN("BUY") : SPAN("SELL");
}

static void client_id(struct mock_buf *b, const char *key, int64_t order_id)
{
	mock_put(b, span_of(key));
	mock_put_lit(b, "\"bnc-mock-");
	mock_put_i64(b, order_id);
	mock_put_char(b, '"');
}

/* of a limit order that fills at once and whole */
static void order_update(
    struct mock_account *a, enum mock_market market, const struct mock_trade *t, bool filled, int64_t ms)
{
	struct mock_buf b = begin("ORDER_TRADE_UPDATE", ms);
	struct dec qty = filled ? t->qty : DEC_NIL;
	struct dec price = filled ? t->price : DEC_NIL;

	alias(&b, market);
	mock_put_text(&b, ",\"o\":{\"s\":", t->symbol);
	client_id(&b, ",\"c\":", a->order_id);
	mock_put_text(&b, ",\"S\":", side_of(t->buy));
	mock_put_lit(&b, ",\"o\":\"LIMIT\",\"f\":\"GTC\"");
	mock_put_amount(&b, ",\"q\":", t->qty);
	mock_put_amount(&b, ",\"p\":", t->price);
	mock_put_amount(&b, ",\"ap\":", price);
	mock_put_lit(&b, ",\"sp\":\"0\"");
	mock_put(&b, filled ? SPAN(",\"x\":\"TRADE\",\"X\":\"FILLED\"") : SPAN(",\"x\":\"NEW\",\"X\":\"NEW\""));
	mock_put_number(&b, ",\"i\":", a->order_id);
	mock_put_amount(&b, ",\"l\":", qty);
	mock_put_amount(&b, ",\"z\":", qty);
	mock_put_amount(&b, ",\"L\":", price);
	if (market == MOCK_COINM)
		mock_put_text(&b, ",\"ma\":", span_of(t->money->name));
	mock_put_amount(&b, ",\"n\":", filled ? t->fee : DEC_NIL);
	mock_put_text(&b, ",\"N\":", span_of(t->fee_from->name));
	mock_put_number(&b, ",\"T\":", ms);
	mock_put_number(&b, ",\"t\":", filled ? a->trade_id : 0);
	mock_put_lit(&b, ",\"b\":\"0\",\"a\":\"0\",\"m\":false,\"R\":false,\"wt\":\"CONTRACT_PRICE\",\"ot\":\"LIMIT\"");
	mock_put_text(&b, ",\"ps\":", span_of(mock_side_word(t->side)));
	mock_put_lit(&b, ",\"cp\":false");
	mock_put_amount(&b, ",\"rp\":", filled ? t->realized : DEC_NIL);
	mock_put_lit(
	    &b, ",\"pP\":false,\"si\":0,\"ss\":0,\"V\":\"EXPIRE_MAKER\",\"pm\":\"NONE\",\"gtd\":0,\"er\":\"0\"}}");
	send(a, market, "ORDER_TRADE_UPDATE", &b);
}

/* with all decimals of the symbol, which ORDER_TRADE_UPDATE strips (bnc-wire(7) 3.3) */
static void trade_lite(struct mock_account *a, const struct mock_trade *t, int64_t ms)
{
	struct mock_buf b = begin_e_first("TRADE_LITE", ms);
	char lower[MOCK_SYMBOL_MAX];

	mock_lower(t->symbol, lower);
	const struct mock_symbol *s =
	    a->walk ? mock_walk_find(a->walk, (struct span){ lower, t->symbol.n }, MOCK_USDM) : NULL;
	int price_places = s && s->price_places > t->price.scale ? s->price_places : t->price.scale;
	int qty_places = s && s->qty_places > t->qty.scale ? s->qty_places : t->qty.scale;
	mock_put_number(&b, ",\"T\":", ms);
	mock_put_text(&b, ",\"s\":", t->symbol);
	mock_put_places(&b, ",\"q\":", t->qty, qty_places);
	mock_put_places(&b, ",\"p\":", t->price, price_places);
	mock_put_lit(&b, ",\"m\":false");
	client_id(&b, ",\"c\":", a->order_id);
	mock_put_text(&b, ",\"S\":", side_of(t->buy));
	mock_put_places(&b, ",\"L\":", t->price, price_places);
	mock_put_places(&b, ",\"l\":", t->qty, qty_places);
	mock_put_number(&b, ",\"t\":", a->trade_id);
	mock_put_number(&b, ",\"i\":", a->order_id);
	mock_put_char(&b, '}');
	send(a, MOCK_USDM, "TRADE_LITE", &b);
}

static void copy_name(char to[MOCK_SYMBOL_MAX + 1], struct span name)
{
	memcpy(to, name.p, name.n);
	to[name.n] = '\0';
}

static void book(struct mock_account *a, enum mock_market market, const char *type, struct span symbol,
    const struct mock_asset *asset, struct dec amount, bool traded, int64_t ms)
{
	struct mock_income row = { .type = type, .amount = amount, .ms = ms, .trade_id = traded ? a->trade_id : 0 };

	if (dec_sign(amount) == 0)
		return;
	copy_name(row.symbol, symbol);
	copy_name(row.asset, span_of(asset->name));
	mock_account_income(a, market, &row);
}

static void fill_futures(struct mock_account *a, enum mock_market market, const struct mock_trade *t, int64_t ms)
{
	struct update u = { .reason = "ORDER",
		.asset = t->money,
		.other = t->fee_from == t->money ? NULL : t->fee_from,
		.position = t->position };

	book(a, market, "REALIZED_PNL", t->symbol, t->money, t->realized, true, ms);
	book(a, market, "COMMISSION", t->symbol, t->fee_from, (struct dec){ -t->fee.m, t->fee.scale }, true, ms);
	order_update(a, market, t, false, ms);
	if (market == MOCK_USDM)
		trade_lite(a, t, ms);
	account_update(a, market, &u, ms);
	order_update(a, market, t, true, ms);
}

/* --- spot -------------------------------------------------------------------------------------------------------- */

static void report(struct mock_account *a, const struct mock_trade *t, bool filled, int64_t ms)
{
	struct mock_buf b = begin_e_first("executionReport", ms);
	struct dec qty = filled ? t->qty : DEC_NIL;
	struct dec price = filled ? t->price : DEC_NIL;
	struct dec quote = DEC_NIL;

	dec_mul(qty, price, &quote);
	mock_put_text(&b, ",\"s\":", t->symbol);
	client_id(&b, ",\"c\":", a->order_id);
	mock_put_text(&b, ",\"S\":", side_of(t->buy));
	mock_put_lit(&b, ",\"o\":\"LIMIT\",\"f\":\"GTC\"");
	mock_put_places(&b, ",\"q\":", t->qty, 8);
	mock_put_places(&b, ",\"p\":", t->price, 8);
	mock_put_lit(&b, ",\"P\":\"0.00000000\",\"F\":\"0.00000000\",\"g\":-1,\"C\":\"\"");
	mock_put(&b, filled ? SPAN(",\"x\":\"TRADE\",\"X\":\"FILLED\"") : SPAN(",\"x\":\"NEW\",\"X\":\"NEW\""));
	mock_put_lit(&b, ",\"r\":\"NONE\"");
	mock_put_number(&b, ",\"i\":", a->order_id);
	mock_put_places(&b, ",\"l\":", qty, 8);
	mock_put_places(&b, ",\"z\":", qty, 8);
	mock_put_places(&b, ",\"L\":", price, 8);
	if (filled) {
		mock_put_places(&b, ",\"n\":", t->fee, 8);
		mock_put_text(&b, ",\"N\":", span_of(t->fee_from->name));
	} else {
		mock_put_lit(&b, ",\"n\":\"0\",\"N\":null");
	}
	mock_put_number(&b, ",\"T\":", ms);
	mock_put_number(&b, ",\"t\":", filled ? a->trade_id : -1);
	mock_put_number(&b, ",\"I\":", ++a->execution_id);
	mock_put_truth(&b, ",\"w\":", !filled);
	mock_put_lit(&b, ",\"m\":false");
	mock_put_truth(&b, ",\"M\":", filled);
	mock_put_number(&b, ",\"O\":", ms);
	mock_put_places(&b, ",\"Z\":", quote, 8);
	mock_put_places(&b, ",\"Y\":", quote, 8);
	mock_put_lit(&b, ",\"Q\":\"0.00000000\"");
	mock_put_number(&b, ",\"W\":", ms);
	mock_put_lit(&b, ",\"V\":\"EXPIRE_MAKER\"}");
	send(a, MOCK_SPOT, "executionReport", &b);
}

static void put_free(struct mock_buf *b, const struct mock_asset *asset)
{
	struct dec left = DEC_NIL;

	dec_sub(asset->balance, asset->locked, &left);
	mock_put_text(b, "{\"a\":", span_of(asset->name));
	mock_put_places(b, ",\"f\":", left, 8);
	mock_put_places(b, ",\"l\":", asset->locked, 8);
	mock_put_char(b, '}');
}

/* of up to three assets, each told once */
static void account_position(struct mock_account *a, const struct mock_asset *const asset[3], int64_t ms)
{
	struct mock_buf b = begin_e_first("outboundAccountPosition", ms);

	mock_put_number(&b, ",\"u\":", ms);
	mock_put_lit(&b, ",\"B\":[");
	for (int i = 0; i < 3; i++) {
		bool told = !asset[i] || (i > 0 && asset[i] == asset[0]) || (i > 1 && asset[i] == asset[1]);
		if (told)
			continue;
		if (i > 0)
			mock_put_char(&b, ',');
		put_free(&b, asset[i]);
	}
	mock_put_lit(&b, "]}");
	send(a, MOCK_SPOT, "outboundAccountPosition", &b);
}

void mock_user_locked(struct mock_account *a, const struct mock_asset *asset, int64_t ms)
{
	account_position(a, (const struct mock_asset *const[3]){ asset, NULL, NULL }, ms);
}

static void fill_spot(struct mock_account *a, const struct mock_trade *t, int64_t ms)
{
	report(a, t, false, ms);
	report(a, t, true, ms);
	account_position(a, (const struct mock_asset *const[3]){ t->base, t->money, t->fee_from }, ms);
}

void mock_user_fill(struct mock_account *a, enum mock_market market, const struct mock_trade *t, int64_t ms)
{
	a->order_id++;
	a->trade_id++;
	if (market == MOCK_SPOT)
		fill_spot(a, t, ms);
	else
		fill_futures(a, market, t, ms);
}

/* --- money that no trade moves ----------------------------------------------------------------------------------- */

static void balance_update(struct mock_account *a, const struct mock_asset *asset, struct dec amount, int64_t ms)
{
	struct mock_buf b = begin_e_first("balanceUpdate", ms);

	mock_put_text(&b, ",\"a\":", span_of(asset->name));
	mock_put_places(&b, ",\"d\":", amount, 8);
	mock_put_number(&b, ",\"T\":", ms);
	mock_put_char(&b, '}');
	send(a, MOCK_SPOT, "balanceUpdate", &b);
}

void mock_user_transfer(
    struct mock_account *a, enum mock_market market, const struct mock_asset *asset, struct dec amount, int64_t ms)
{
	struct update u = { .reason = dec_sign(amount) < 0 ? "WITHDRAW" : "DEPOSIT", .asset = asset, .change = amount };

	if (market == MOCK_SPOT) {
		balance_update(a, asset, amount, ms);
		mock_user_locked(a, asset, ms);
		return;
	}
	book(a, market, "TRANSFER", SPAN(""), asset, amount, false, ms);
	account_update(a, market, &u, ms);
}

void mock_user_funding(
    struct mock_account *a, enum mock_market market, const struct mock_position *p, struct dec amount, int64_t ms)
{
	struct update u = { .reason = "FUNDING_FEE",
		.asset = &a->ledger[market].asset[p->asset],
		.change = amount,
		.position = p->isolated ? p : NULL, /* of a cross position the balance alone is told */
		.symbol = span_of(p->symbol) };

	book(a, market, "FUNDING_FEE", u.symbol, u.asset, amount, false, ms);
	account_update(a, market, &u, ms);
}

/* --- the account's settings, alarms, conditional orders ------------------------------------------------------------
 */

static struct mock_buf begin_config(int64_t ms)
{
	struct mock_buf b = begin_e_first("ACCOUNT_CONFIG_UPDATE", ms);

	mock_put_number(&b, ",\"T\":", ms);
	return b;
}

void mock_user_leverage(struct mock_account *a, enum mock_market market, const struct mock_position *p, int64_t ms)
{
	struct mock_buf b = begin_config(ms);

	mock_put_text(&b, ",\"ac\":{\"s\":", span_of(p->symbol));
	mock_put_number(&b, ",\"l\":", p->leverage);
	mock_put_lit(&b, "}}");
	send(a, market, "ACCOUNT_CONFIG_UPDATE", &b);
}

void mock_user_multi(struct mock_account *a, enum mock_market market, int64_t ms)
{
	struct mock_buf b = begin_config(ms);

	mock_put_truth(&b, ",\"ai\":{\"j\":", a->ledger[market].multi);
	mock_put_lit(&b, "}}");
	send(a, market, "ACCOUNT_CONFIG_UPDATE", &b);
}

void mock_user_margin_call(struct mock_account *a, enum mock_market market, const struct mock_position *p, int64_t ms)
{
	const struct mock_ledger *l = &a->ledger[market];
	struct dec mark = mock_ledger_mark(l, p, a->walk);
	struct mock_buf b = begin_e_first("MARGIN_CALL", ms);

	alias(&b, market);
	if (!p->isolated)
		mock_put_amount(&b, ",\"cw\":", mock_ledger_cross(l, &l->asset[p->asset]));
	mock_put_text(&b, ",\"p\":[{\"s\":", span_of(p->symbol));
	mock_put_text(&b, ",\"ps\":", span_of(mock_side_word(p->side)));
	mock_put_amount(&b, ",\"pa\":", p->qty);
	mock_put_text(&b, ",\"mt\":", p->isolated ? SPAN("ISOLATED") : SPAN("CROSSED"));
	mock_put_amount(&b, ",\"iw\":", p->isolated_wallet);
	mock_put_amount(&b, ",\"mp\":", mark);
	mock_put_amount(&b, ",\"up\":", mock_ledger_unrealized(l, p, mark));
	mock_put_amount(&b, ",\"mm\":", mock_ledger_maintenance(l, p, mark));
	mock_put_lit(&b, "}]}");
	send(a, market, "MARGIN_CALL", &b);
}

void mock_user_algo(struct mock_account *a, enum mock_market market, const struct mock_algo *algo, int64_t ms)
{
	bool engine = span_is(algo->state, "TRIGGERED") || span_is(algo->state, "FINISHED");
	struct mock_buf b = begin("ALGO_UPDATE", ms);

	if (span_is(algo->state, "NEW"))
		a->algo_id++;
	mock_put_lit(&b, ",\"o\":{\"caid\":\"bnc-mock-");
	mock_put_i64(&b, a->algo_id);
	mock_put_number(&b, "\",\"aid\":", a->algo_id);
	mock_put_text(&b, ",\"at\":\"CONDITIONAL\",\"o\":\"STOP_MARKET\",\"s\":", algo->symbol);
	mock_put_text(&b, ",\"S\":", side_of(algo->buy));
	mock_put_text(&b, ",\"ps\":", span_of(mock_side_word(algo->side)));
	mock_put_amount(&b, ",\"f\":\"GTC\",\"q\":", algo->qty);
	mock_put_text(&b, ",\"X\":", algo->state);
	mock_put_lit(&b, ",\"ai\":\"");
	if (engine)
		mock_put_i64(&b, a->order_id);
	mock_put(&b, engine ? SPAN("\",\"ap\":\"0\",\"aq\":\"0\",\"act\":\"MARKET\"") : SPAN("\""));
	mock_put_amount(&b, ",\"tp\":", algo->trigger);
	mock_put_lit(&b, ",\"p\":\"0\",\"V\":\"EXPIRE_MAKER\",\"wt\":\"CONTRACT_PRICE\",\"pm\":\"NONE\",\"cp\":false,"
			 "\"pP\":false,\"R\":false");
	mock_put_number(&b, ",\"tt\":", engine ? ms : 0);
	mock_put_lit(&b, ",\"gtd\":0");
	if (span_is(algo->state, "REJECTED"))
		mock_put_text(&b, ",\"rm\":", SPAN("Margin is insufficient."));
	mock_put_lit(&b, "}}");
	send(a, market, "ALGO_UPDATE", &b);
}

void mock_user_expired(struct mock_account *a, enum mock_market market, bool as_string, int64_t ms)
{
	const char *event = market == MOCK_SPOT ? "eventStreamTerminated" : "listenKeyExpired";
	struct mock_buf b = mock_buf_of(EVENT_MAX);

	mock_put_text(&b, "{\"e\":", span_of(event));
	mock_put_number(&b, as_string ? ",\"E\":\"" : ",\"E\":", ms);
	if (as_string)
		mock_put_char(&b, '"');
	if (market != MOCK_SPOT)
		mock_put_text(&b, ",\"listenKey\":", span_of(a->listen[market].key));
	mock_put_char(&b, '}');
	send(a, market, event, &b);
}
