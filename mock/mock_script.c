#include "mock_script.h"

#include "mock_member.h"
#include "mock_user.h"
#include "num.h"

#define LEDGER_MAX (60u << 10) /* of the line in the log */

struct line {
	struct mock_account *a;
	struct mock_log *log;
	struct mock_ledger *l;
	enum mock_market market;
	struct span rest; /* behind the market */
	int64_t now, wall_ms;
};

/* the next word, or an empty span */
static struct span word(struct span *rest)
{
	struct span more;
	struct span s = span_cut(span_trim(*rest), ' ', &more);

	*rest = more.p ? span_trim(more) : (struct span){ s.p + s.n, 0 };
	return s;
}

static bool amount(struct line *i, struct dec *out)
{
	return dec_parse(word(&i->rest), out) == DEC_OK;
}

static bool side(struct span w, enum mock_side *out)
{
	for (int s = MOCK_BOTH; s <= MOCK_SHORT; s++) {
		if (!span_is(w, mock_side_word((enum mock_side)s)))
			continue;
		*out = (enum mock_side)s;
		return true;
	}
	return false;
}

static bool direction(struct span w, bool *buy)
{
	*buy = span_is(w, "BUY");
	return *buy || span_is(w, "SELL");
}

static const char *nothing_more(const struct line *i)
{
	return i->rest.n > 0 ? "there is more than it takes" : NULL;
}

/* SYMBOL and, in hedge mode, its side; of a position that there has been */
static struct mock_position *held(struct line *i)
{
	struct span symbol = word(&i->rest);
	struct span rest = i->rest;
	enum mock_side s = MOCK_BOTH;

	if (side(word(&rest), &s))
		i->rest = rest;
	struct mock_position *p = mock_ledger_held(i->l, symbol, s);
	for (int other = MOCK_LONG; !p && i->l->dual && other <= MOCK_SHORT; other++)
		p = mock_ledger_held(i->l, symbol, (enum mock_side)other);
	return p;
}

static const char no_position[] = "there is no such position";

/* --- the words --------------------------------------------------------------------------------------------------- */

/* fill MARKET SYMBOL BUY|SELL QTY PRICE [BOTH|LONG|SHORT] [ASSET[=FEE]] */
static const char *fill(struct line *i)
{
	struct mock_trade t = { .symbol = word(&i->rest) };
	struct span fee;

	if (!direction(word(&i->rest), &t.buy) || !amount(i, &t.qty) || !amount(i, &t.price))
		return "fill MARKET SYMBOL BUY|SELL QTY PRICE [BOTH|LONG|SHORT] [ASSET[=FEE]]";
	struct span rest = i->rest;
	if (side(word(&rest), &t.side))
		i->rest = rest;
	t.fee_asset = span_cut(word(&i->rest), '=', &fee);
	t.fee_given = fee.p != NULL;
	if (t.fee_given && dec_parse(fee, &t.fee) != DEC_OK)
		return "the fee is no number";
	const char *why = nothing_more(i);
	if (!why)
		why = mock_ledger_fill(i->l, &t, i->wall_ms);
	if (!why)
		mock_user_fill(i->a, i->market, &t, i->wall_ms);
	return why;
}

/* transfer MARKET ASSET AMOUNT */
static const char *transfer(struct line *i)
{
	struct span name = word(&i->rest);
	struct dec sum;

	if (!amount(i, &sum) || nothing_more(i))
		return "transfer MARKET ASSET AMOUNT";
	struct mock_asset *asset = mock_ledger_asset(i->l, name);
	if (!asset)
		return "no such asset";
	const char *why = mock_ledger_add(asset, sum, i->wall_ms);
	if (!why)
		mock_user_transfer(i->a, i->market, asset, sum, i->wall_ms);
	return why;
}

/* lock spot ASSET AMOUNT: of what is free; below zero it is free again */
static const char *lock(struct line *i)
{
	struct span name = word(&i->rest);
	struct dec sum, locked;

	if (i->market != MOCK_SPOT || !amount(i, &sum) || nothing_more(i))
		return "lock spot ASSET AMOUNT";
	struct mock_asset *asset = mock_ledger_asset(i->l, name);
	if (!asset || dec_add(asset->locked, sum, &locked) != DEC_OK)
		return "no such asset";
	if (dec_sign(locked) < 0 || dec_cmp(locked, asset->balance) > 0 || dec_cmp(mock_cut(locked, 8), locked))
		return "there is not so much";
	asset->locked = locked;
	asset->ms = i->wall_ms;
	mock_user_locked(i->a, asset, i->wall_ms);
	return NULL;
}

/* funding MARKET SYMBOL [LONG|SHORT] AMOUNT: below zero it is paid */
static const char *funding(struct line *i)
{
	struct mock_position *p = i->market == MOCK_SPOT ? NULL : held(i);
	struct dec sum;

	if (!p)
		return no_position;
	if (!amount(i, &sum) || nothing_more(i))
		return "funding MARKET SYMBOL [LONG|SHORT] AMOUNT";
	const char *why = mock_ledger_add(&i->l->asset[p->asset], sum, i->wall_ms);
	if (why)
		return why;
	if (p->isolated)
		dec_add(p->isolated_wallet, sum, &p->isolated_wallet);
	p->ms = i->wall_ms;
	mock_user_funding(i->a, i->market, p, sum, i->wall_ms);
	return NULL;
}

/* leverage MARKET SYMBOL N: of all its sides */
static const char *leverage(struct line *i)
{
	struct span symbol = word(&i->rest);
	struct mock_position *p = NULL;
	uint64_t n;

	if (i->market == MOCK_SPOT || !num_u64(word(&i->rest), 1, 125, &n) || nothing_more(i))
		return "leverage usdm|coinm SYMBOL 1..125";
	for (size_t k = 0; k < i->l->positions; k++) {
		if (!span_is(symbol, i->l->position[k].symbol))
			continue;
		p = &i->l->position[k];
		p->leverage = (int64_t)n;
	}
	if (!p)
		p = mock_ledger_position(i->l, symbol, i->l->dual ? MOCK_LONG : MOCK_BOTH);
	if (!p)
		return "no such symbol";
	p->leverage = (int64_t)n;
	mock_user_leverage(i->a, i->market, p, i->wall_ms);
	return NULL;
}

/* multi-assets usdm on|off */
static const char *multi(struct line *i)
{
	struct span w = word(&i->rest);

	if (i->market != MOCK_USDM || (!span_is(w, "on") && !span_is(w, "off")) || nothing_more(i))
		return "multi-assets usdm on|off";
	i->l->multi = span_is(w, "on");
	mock_user_multi(i->a, i->market, i->wall_ms);
	return NULL;
}

/* margin-call MARKET SYMBOL [LONG|SHORT] */
static const char *margin_call(struct line *i)
{
	struct mock_position *p = i->market == MOCK_SPOT ? NULL : held(i);

	if (!p)
		return no_position;
	if (nothing_more(i))
		return "margin-call MARKET SYMBOL [LONG|SHORT]";
	mock_user_margin_call(i->a, i->market, p, i->wall_ms);
	return NULL;
}

/* algo MARKET SYMBOL STATE [BUY|SELL QTY TRIGGER [BOTH|LONG|SHORT]] */
static const char *algo(struct line *i)
{
	static const char *const states[] = { "NEW", "TRIGGERING", "TRIGGERED", "FINISHED", "CANCELED", "EXPIRED",
		"REJECTED" };
	const char *why = "algo MARKET SYMBOL NEW|TRIGGERING|TRIGGERED|FINISHED|CANCELED|EXPIRED|REJECTED "
			  "[BUY|SELL QTY TRIGGER [BOTH|LONG|SHORT]]";
	struct mock_algo o = { .symbol = word(&i->rest), .qty = { 1, 0 }, .trigger = { 1, 0 } };
	bool known = false;

	o.state = word(&i->rest);
	for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
		known |= span_is(o.state, states[k]);
	if (!known || i->market == MOCK_SPOT || o.symbol.n == 0 || o.symbol.n > MOCK_SYMBOL_MAX)
		return why;
	if (i->rest.n > 0 && (!direction(word(&i->rest), &o.buy) || !amount(i, &o.qty) || !amount(i, &o.trigger)))
		return why;
	if ((i->rest.n > 0 && !side(word(&i->rest), &o.side)) || nothing_more(i))
		return why;
	mock_user_algo(i->a, i->market, &o, i->wall_ms);
	return NULL;
}

/* mark MARKET SYMBOL PRICE: from now on */
static const char *mark(struct line *i)
{
	struct span symbol = word(&i->rest);
	struct dec price;
	bool found = false;

	if (i->market == MOCK_SPOT || !amount(i, &price) || dec_sign(price) <= 0 || nothing_more(i))
		return "mark usdm|coinm SYMBOL PRICE";
	for (size_t k = 0; k < i->l->positions; k++) {
		if (!span_is(symbol, i->l->position[k].symbol))
			continue;
		i->l->position[k].fixed = price;
		found = true;
	}
	return found ? NULL : no_position;
}

static void expire(struct mock_account *a, enum mock_market market, bool as_string, int64_t wall_ms)
{
	mock_user_expired(a, market, as_string, wall_ms);
	mock_account_drop(a, market);
}

/* expire-key MARKET [string]: E as a string */
static const char *expire_key(struct line *i)
{
	struct span w = word(&i->rest);

	if ((w.n > 0 && !span_is(w, "string")) || nothing_more(i))
		return "expire-key MARKET [string]";
	if (i->market == MOCK_SPOT) {
		mock_user_expired(i->a, MOCK_SPOT, w.n > 0, i->wall_ms);
		return NULL;
	}
	if (!i->a->listen[i->market].alive)
		return "there is no living listen key";
	expire(i->a, i->market, w.n > 0, i->wall_ms);
	return NULL;
}

/* --- what it holds ----------------------------------------------------------------------------------------------- */

static void put_ledger(struct mock_buf *b, const struct mock_ledger *l)
{
	bool first = true;

	mock_put_lit(b, "{\"balances\":{");
	for (size_t k = 0; k < l->assets; k++) {
		if (k > 0)
			mock_put_char(b, ',');
		mock_put_json_string(b, span_of(l->asset[k].name));
		mock_put_amount(b, ":", l->asset[k].balance);
	}
	mock_put_lit(b, "},\"positions\":[");
	for (size_t k = 0; k < l->positions; k++) {
		const struct mock_position *p = &l->position[k];
		if (dec_sign(p->qty) == 0)
			continue;
		mock_put_text(b, first ? "{\"symbol\":" : ",{\"symbol\":", span_of(p->symbol));
		first = false;
		mock_put_text(b, ",\"positionSide\":", span_of(mock_side_word(p->side)));
		mock_put_amount(b, ",\"positionAmt\":", p->qty);
		mock_put_amount(b, ",\"entryPrice\":", p->entry);
		mock_put_char(b, '}');
	}
	mock_put_lit(b, "]}");
}

static const char *ledger(struct line *i)
{
	struct mock_buf b = mock_buf_of(LEDGER_MAX);

	mock_log_begin(i->log, "ledger", 0);
	for (unsigned m = 0; m < MOCK_MARKETS; m++) {
		mock_buf_clear(&b);
		put_ledger(&b, &i->a->ledger[m]);
		mock_log_json(i->log, mock_market_word((enum mock_market)m), mock_buf_span(&b));
	}
	mock_buf_free(&b);
	mock_log_end(i->log);
	return NULL;
}

/* skew DURATION, perhaps below zero */
static const char *skew(struct line *i)
{
	int64_t ms;

	if (!mock_account_skew(word(&i->rest), &ms) || nothing_more(i))
		return "skew [-]DURATION";
	i->a->skew_ms = ms;
	return NULL;
}

/* --- the table --------------------------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	bool market; /* one stands behind it */
	const char *(*carry_out)(struct line *i);
} words[] = {
	{ "fill", true, fill },
	{ "transfer", true, transfer },
	{ "lock", true, lock },
	{ "funding", true, funding },
	{ "leverage", true, leverage },
	{ "multi-assets", true, multi },
	{ "margin-call", true, margin_call },
	{ "algo", true, algo },
	{ "mark", true, mark },
	{ "expire-key", true, expire_key },
	{ "ledger", false, ledger },
	{ "skew", false, skew },
};

static bool market_of(struct span w, enum mock_market *out)
{
	for (unsigned m = 0; m < MOCK_MARKETS; m++) {
		if (!span_is(w, mock_market_word((enum mock_market)m)))
			continue;
		*out = (enum mock_market)m;
		return true;
	}
	return false;
}

enum mock_scripted mock_script(
    struct mock_account *a, struct mock_log *log, struct span line, int64_t now, int64_t wall_ms, const char **why)
{
	struct line i = { .a = a, .log = log, .rest = line, .now = now, .wall_ms = wall_ms };
	struct span w = word(&i.rest);

	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
		if (!span_is(w, words[k].word))
			continue;
		*why =
		    words[k].market && !market_of(word(&i.rest), &i.market) ? "behind it: usdm, coinm or spot" : NULL;
		i.l = &a->ledger[i.market];
		if (!*why)
			*why = words[k].carry_out(&i);
		return *why ? MOCK_SCRIPT_WRONG : MOCK_SCRIPT_DONE;
	}
	return MOCK_SCRIPT_OTHER;
}

void mock_script_clock(struct mock_account *a, int64_t now, int64_t wall_ms)
{
	for (unsigned m = 0; m <= MOCK_COINM; m++)
		if (a->listen[m].alive && now >= a->listen[m].until)
			expire(a, (enum mock_market)m, false, wall_ms);
}

int64_t mock_script_due(const struct mock_account *a)
{
	int64_t due = INT64_MAX;

	for (unsigned m = 0; m <= MOCK_COINM; m++)
		if (a->listen[m].alive && a->listen[m].until < due)
			due = a->listen[m].until;
	return due;
}
