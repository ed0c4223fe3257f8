#include "mock_ledger.h"

#include "mock_member.h"

#define MONEY_PLACES 8
#define ENTRY_PLACES 14 /* 313.20000000000005 (bnc-wire(7) 6.3) */
#define COINM_PLACES 8

static const char too_many_digits[] = "more digits than can be kept";

const char *mock_side_word(enum mock_side side)
{
	static const char *const words[] = { "BOTH", "LONG", "SHORT" };

	return words[side];
}

void mock_ledger_init(struct mock_ledger *l, enum mock_market market)
{
	*l = (struct mock_ledger){ .market = market };
	l->fee = market == MOCK_USDM	? (struct dec){ 4, 4 }
		 : market == MOCK_COINM ? (struct dec){ 5, 4 }
					: (struct dec){ 1, 3 };
}

/* --- names ---------------------------------------------------------------------------------------------------- */

struct mock_asset *mock_ledger_asset(struct mock_ledger *l, struct span name)
{
	for (size_t i = 0; i < l->assets; i++)
		if (span_is(name, l->asset[i].name))
			return &l->asset[i];
	if (name.n == 0 || name.n > MOCK_SYMBOL_MAX || !span_printable(name) || l->assets == MOCK_ASSETS_MAX)
		return NULL;
	struct mock_asset *a = &l->asset[l->assets++];
	*a = (struct mock_asset){ .balance = DEC_NIL };
	memcpy(a->name, name.p, name.n);
	return a;
}

struct mock_position *mock_ledger_held(struct mock_ledger *l, struct span symbol, enum mock_side side)
{
	for (size_t i = 0; i < l->positions; i++)
		if (l->position[i].side == side && span_is(symbol, l->position[i].symbol))
			return &l->position[i];
	return NULL;
}

static struct mock_asset *margin_of(struct mock_ledger *l, struct span symbol)
{
	struct span quote;
	struct span base = mock_walk_split(symbol, &quote);

	return mock_ledger_asset(l, l->market == MOCK_COINM ? base : quote);
}

struct mock_position *mock_ledger_position(struct mock_ledger *l, struct span symbol, enum mock_side side)
{
	struct mock_position *p = mock_ledger_held(l, symbol, side);

	if (p)
		return p;
	if (symbol.n == 0 || symbol.n > MOCK_SYMBOL_MAX || !span_printable(symbol) ||
	    l->positions == MOCK_POSITIONS_MAX)
		return NULL;
	struct mock_asset *asset = margin_of(l, symbol);
	if (!asset)
		return NULL;
	p = &l->position[l->positions++];
	*p = (struct mock_position){ .asset = (size_t)(asset - l->asset), .side = side, .leverage = 20 };
	memcpy(p->symbol, symbol.p, symbol.n);
	return p;
}

/* --- sums ------------------------------------------------------------------------------------------------------ */

static struct dec negated(struct dec a)
{
	return (struct dec){ -a.m, a.scale };
}

static struct dec magnitude(struct dec a)
{
	return dec_sign(a) < 0 ? negated(a) : a;
}

static bool add(struct dec a, struct dec b, struct dec *out)
{
	return dec_add(a, b, out) == DEC_OK;
}

static bool mul(struct dec a, struct dec b, struct dec *out)
{
	return dec_mul(a, b, out) == DEC_OK;
}

static struct dec contract(const char *symbol)
{
	return (struct dec){ mock_walk_contract(span_of(symbol)), 0 };
}

/* qty held from `entry` to `price`: USDⓈ-M qty x (price - entry); COIN-M qty x size x (price - entry) / (entry x
 * price), which is qty x size x (1/entry - 1/price) (bnc-wire(7) 5.2) */
static bool gain(
    enum mock_market market, const char *symbol, struct dec qty, struct dec entry, struct dec price, struct dec *out)
{
	struct dec rise, product, below;

	if (dec_sub(price, entry, &rise) != DEC_OK || !mul(qty, rise, &product))
		return false;
	if (market != MOCK_COINM)
		return dec_div_trunc(product, (struct dec){ 1, 0 }, MONEY_PLACES, out) == DEC_OK;
	if (dec_sign(product) == 0) {
		*out = DEC_NIL;
		return true;
	}
	return mul(product, contract(symbol), &product) && mul(entry, price, &below) &&
	       dec_div_trunc(product, below, MONEY_PLACES, out) == DEC_OK;
}

/* what qty is worth at `price`, with 8 decimals */
static bool worth(enum mock_market market, const char *symbol, struct dec qty, struct dec price, struct dec *out)
{
	struct dec product;

	if (market == MOCK_COINM)
		return mul(qty, contract(symbol), &product) &&
		       dec_div_trunc(product, price, MONEY_PLACES, out) == DEC_OK;
	return mul(qty, price, &product) && dec_div_trunc(product, (struct dec){ 1, 0 }, MONEY_PLACES, out) == DEC_OK;
}

/* the mean of q1 at e1 and q2 at p2: by value, on COIN-M by the coins behind them */
static bool mean(enum mock_market market, struct dec q1, struct dec e1, struct dec q2, struct dec p2, struct dec *out)
{
	struct dec a, b, q, sum;

	if (!add(q1, q2, &q))
		return false;
	if (market != MOCK_COINM)
		return mul(q1, e1, &a) && mul(q2, p2, &b) && add(a, b, &sum) &&
		       dec_div_trunc(sum, q, ENTRY_PLACES, out) == DEC_OK;
	/* q / (q1/e1 + q2/p2) */
	return mul(q1, p2, &a) && mul(q2, e1, &b) && add(a, b, &sum) && mul(e1, p2, &a) && mul(a, q, &a) &&
	       dec_div_trunc(a, sum, COINM_PLACES, out) == DEC_OK;
}

/* --- fills ----------------------------------------------------------------------------------------------------- */

static const char *check(const struct mock_ledger *l, const struct mock_trade *t)
{
	if (dec_sign(t->qty) <= 0 || dec_sign(t->price) <= 0)
		return "quantity and price are above zero";
	if (l->market == MOCK_SPOT)
		return t->side == MOCK_BOTH ? NULL : "there are no positions on spot";
	if (l->market == MOCK_COINM && dec_cmp(mock_cut(t->qty, 0), t->qty) != 0)
		return "COIN-M trades whole contracts";
	if (l->dual != (t->side != MOCK_BOTH))
		return l->dual ? "hedge mode: LONG or SHORT" : "one-way mode: BOTH";
	return NULL;
}

/* the position behind the fill, in *to; `from` as it is */
static const char *move(
    const struct mock_ledger *l, const struct mock_position *from, struct mock_trade *t, struct mock_position *to)
{
	struct dec delta = t->buy ? t->qty : negated(t->qty);
	struct dec after;

	*to = *from;
	t->realized = DEC_NIL;
	if (!add(from->qty, delta, &after))
		return too_many_digits;
	if ((t->side == MOCK_LONG && dec_sign(after) < 0) || (t->side == MOCK_SHORT && dec_sign(after) > 0))
		return "there is not so much to reduce";
	bool closes = dec_sign(from->qty) * dec_sign(delta) < 0;
	bool flips = closes && dec_sign(after) * dec_sign(delta) > 0;
	bool good = true;
	if (closes) {
		struct dec closed = dec_cmp(magnitude(delta), magnitude(from->qty)) < 0 ? negated(delta) : from->qty;
		good = gain(l->market, from->symbol, closed, from->entry, t->price, &t->realized) &&
		       add(from->realized, t->realized, &to->realized);
	} else if (dec_sign(from->qty) != 0) {
		good = mean(l->market, from->qty, from->entry, delta, t->price, &to->entry);
	}
	if (flips || dec_sign(from->qty) == 0)
		to->entry = t->price;
	else if (dec_sign(after) == 0)
		to->entry = DEC_NIL;
	to->qty = after;
	to->last = t->price;
	return good ? NULL : too_many_digits;
}

static const char *commission(const struct mock_ledger *l, struct mock_trade *t, struct dec value)
{
	struct dec fee;

	if (t->fee_given)
		return dec_cmp(mock_cut(t->fee, MONEY_PLACES), t->fee) ? "a fee has at most 8 decimals" : NULL;
	if (!mul(magnitude(value), l->fee, &fee))
		return too_many_digits;
	t->fee = mock_cut(fee, MONEY_PLACES);
	return NULL;
}

static const char *fill_futures(struct mock_ledger *l, struct mock_trade *t, int64_t ms)
{
	struct mock_position *p = mock_ledger_position(l, t->symbol, t->side);
	struct mock_position moved;
	struct dec value, wallet, paid;

	if (!p)
		return "no such symbol";
	t->money = &l->asset[p->asset];
	t->fee_from = t->fee_asset.n > 0 ? mock_ledger_asset(l, t->fee_asset) : t->money;
	if (!t->fee_from)
		return "no such asset";
	const char *why = move(l, p, t, &moved);
	if (!why && !worth(l->market, p->symbol, t->qty, t->price, &value))
		why = too_many_digits;
	if (!why)
		why = commission(l, t, value);
	if (why)
		return why;
	if (!add(t->money->balance, t->realized, &wallet) ||
	    dec_sub(t->fee_from == t->money ? wallet : t->fee_from->balance, t->fee, &paid) != DEC_OK)
		return too_many_digits;
	t->money->balance = wallet;
	t->fee_from->balance = paid;
	t->money->ms = t->fee_from->ms = moved.ms = ms;
	*p = moved;
	t->position = p;
	return NULL;
}

static struct dec available(const struct mock_asset *a)
{
	struct dec left = DEC_NIL;

	return dec_sub(a->balance, a->locked, &left) == DEC_OK ? left : DEC_NIL;
}

/* two balances, and the fee from what is received or from a third */
static const char *fill_spot(struct mock_ledger *l, struct mock_trade *t, int64_t ms)
{
	struct span quote;
	struct span base = mock_walk_split(t->symbol, &quote);
	struct dec value, got, given;

	t->base = mock_ledger_asset(l, base);
	t->money = mock_ledger_asset(l, quote);
	if (!t->base || !t->money)
		return "no such symbol";
	struct mock_asset *in = t->buy ? t->base : t->money;
	struct mock_asset *out = t->buy ? t->money : t->base;
	t->fee_from = t->fee_asset.n > 0 ? mock_ledger_asset(l, t->fee_asset) : in;
	if (!t->fee_from)
		return "no such asset";
	if (!mul(t->qty, t->price, &value))
		return too_many_digits;
	value = mock_cut(value, MONEY_PLACES);
	const char *why = commission(l, t, t->buy ? t->qty : value);
	if (why)
		return why;
	struct dec take = t->buy ? value : t->qty;
	if (dec_cmp(available(out), take) < 0)
		return "there is not so much";
	struct mock_asset was_in = *in, was_out = *out;
	if (!add(in->balance, t->buy ? t->qty : value, &got) || dec_sub(out->balance, take, &given) != DEC_OK)
		return too_many_digits;
	in->balance = got;
	out->balance = given;
	if (dec_cmp(available(t->fee_from), t->fee) < 0 || dec_sub(t->fee_from->balance, t->fee, &given) != DEC_OK) {
		*in = was_in;
		*out = was_out;
		return "there is not so much for the fee";
	}
	t->fee_from->balance = given;
	in->ms = out->ms = t->fee_from->ms = ms;
	return NULL;
}

const char *mock_ledger_fill(struct mock_ledger *l, struct mock_trade *t, int64_t ms)
{
	const char *why = check(l, t);

	if (why)
		return why;
	return l->market == MOCK_SPOT ? fill_spot(l, t, ms) : fill_futures(l, t, ms);
}

const char *mock_ledger_add(struct mock_asset *a, struct dec amount, int64_t ms)
{
	struct dec sum;

	if (dec_cmp(mock_cut(amount, MONEY_PLACES), amount))
		return "an amount has at most 8 decimals";
	if (!add(a->balance, amount, &sum))
		return too_many_digits;
	a->balance = sum;
	a->ms = ms;
	return NULL;
}

/* --- looked at ------------------------------------------------------------------------------------------------- */

struct dec mock_ledger_unrealized(const struct mock_ledger *l, const struct mock_position *p, struct dec mark)
{
	struct dec pnl = DEC_NIL;

	if (dec_sign(p->qty) != 0)
		gain(l->market, p->symbol, p->qty, p->entry, mark, &pnl);
	return pnl;
}

struct dec mock_ledger_notional(const struct mock_ledger *l, const struct mock_position *p, struct dec mark)
{
	struct dec value = DEC_NIL;

	if (dec_sign(p->qty) != 0)
		worth(l->market, p->symbol, p->qty, mark, &value);
	return value;
}

struct dec mock_ledger_break_even(const struct mock_ledger *l, const struct mock_position *p)
{
	struct dec fee = dec_sign(p->qty) < 0 ? negated(l->fee) : l->fee;
	struct dec factor, price;

	if (dec_sign(p->qty) == 0 || !add((struct dec){ 1, 0 }, fee, &factor) || !mul(p->entry, factor, &price))
		return DEC_NIL;
	return price;
}

/* its value by so many */
static struct dec share(const struct mock_ledger *l, const struct mock_position *p, struct dec mark, int64_t by)
{
	struct dec value = magnitude(mock_ledger_notional(l, p, mark));
	struct dec part = DEC_NIL;

	dec_div_trunc(value, (struct dec){ by, 0 }, MONEY_PLACES, &part);
	return part;
}

struct dec mock_ledger_maintenance(const struct mock_ledger *l, const struct mock_position *p, struct dec mark)
{
	return share(l, p, mark, 200);
}

struct dec mock_ledger_initial(const struct mock_ledger *l, const struct mock_position *p, struct dec mark)
{
	return share(l, p, mark, p->leverage);
}

struct dec mock_ledger_cross(const struct mock_ledger *l, const struct mock_asset *a)
{
	struct dec cross = a->balance;

	for (size_t i = 0; i < l->positions; i++)
		if (l->position[i].isolated && &l->asset[l->position[i].asset] == a)
			dec_sub(cross, l->position[i].isolated_wallet, &cross);
	return cross;
}

struct dec mock_ledger_mark(const struct mock_ledger *l, const struct mock_position *p, const struct mock_walk *walk)
{
	char lower[MOCK_SYMBOL_MAX];
	struct span name = span_of(p->symbol);

	if (dec_sign(p->fixed) > 0)
		return p->fixed;
	mock_lower(name, lower);
	const struct mock_symbol *s = walk ? mock_walk_find(walk, (struct span){ lower, name.n }, l->market) : NULL;
	if (s)
		return mock_cut((struct dec){ s->mark, 8 }, 8);
	return dec_sign(p->last) > 0 ? p->last : p->entry;
}
