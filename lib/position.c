#include "position.h"

#include "fills.h"
#include "num.h"
#include "pairs.h"
#include "symbol.h"

#include <stdlib.h>

/* BOTH, LONG, SHORT */
#define SIDES 3
enum { BOTH, LONG, SHORT };

/* what is held of a pair on one side */
struct leg {
	struct cost c;
	bool simulated; /* a paper trader has moved it */
};

struct pair {
	struct dec size; /* of a contract, inverse pairs only; 0: nobody has said, so it is the usual one */
	size_t n_symbol; /* the symbol is the beginning of the name; 0: it is the name */
	struct leg leg[SIDES];
};

struct wallet {
	char asset[EVENT_NAME_MAX];
	size_t n;
	enum event_market market;
	struct dec balance;
	bool simulated;
};

struct position {
	struct fields fields;
	char asset_text[EVENT_NAME_MAX];
	struct span asset;
	struct position_counts counts;
	struct fills seen;
	bool started; /* what was known at the start has been told */
	size_t n_wallets;
	struct wallet wallets[POSITION_WALLETS_MAX];
	char name[2 * EVENT_NAME_MAX]; /* of the pair of the record in hand */
	struct pairs names;
	struct pair pairs[PAIRS_MAX];
};

_Static_assert(POSITION_PAIRS_MAX == PAIRS_MAX, "as many as are told apart");

static bool refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return false;
}

struct position *position_new(struct span asset)
{
	/* untouched pages of calloc(3) cost nothing, so the caps are not what a run with ten pairs pays */
	struct position *b = asset.n <= EVENT_NAME_MAX ? calloc(1, sizeof *b) : NULL;

	if (!b)
		return NULL;
	fields_open(&b->fields, event_slot);
	memcpy(b->asset_text, asset.p, asset.n);
	b->asset = (struct span){ b->asset_text, asset.n };
	fills_open(&b->seen);
	return b;
}

void position_free(struct position *b)
{
	free(b);
}

/* ------------------------------------------------------------------------------------------------- wallets */

/* what a fill does to balances: sums by asset */
struct moves {
	struct {
		struct span asset;
		struct dec by;
	} of[POSITION_WALLETS];
	size_t n;
};

static bool move(struct moves *m, struct span asset, struct dec by)
{
	size_t i = 0;

	while (i < m->n && !span_eq(m->of[i].asset, asset))
		i++;
	if (i == m->n) {
		m->of[m->n].asset = asset;
		m->of[m->n++].by = DEC_NIL;
	}
	return dec_add(m->of[i].by, by, &m->of[i].by) == DEC_OK;
}

static struct wallet *find_wallet(struct position *b, struct span asset, enum event_market market)
{
	for (size_t i = 0; i < b->n_wallets; i++) {
		struct wallet *w = &b->wallets[i];
		if (w->market == market && span_eq((struct span){ w->asset, w->n }, asset))
			return w;
	}
	return NULL;
}

/* made where it is new. There is room. */
static struct wallet *take_wallet(struct position *b, struct span asset, enum event_market market)
{
	struct wallet *w = find_wallet(b, asset, market);

	if (!w) {
		w = &b->wallets[b->n_wallets++];
		memcpy(w->asset, asset.p, asset.n);
		w->n = asset.n;
		w->market = market;
	}
	return w;
}

struct dec position_balance(struct position *b, struct span asset, enum event_market market)
{
	struct wallet *w = find_wallet(b, asset, market);

	return w ? w->balance : DEC_NIL;
}

/* the balances that the moves come to; nothing has changed yet */
static bool sum_up(struct position *b, const struct moves *m, enum event_market market, struct dec *balance,
    const char **why)
{
	size_t fresh = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct wallet *w = find_wallet(b, m->of[i].asset, market);
		fresh += !w;
		if (dec_add(w ? w->balance : DEC_NIL, m->of[i].by, &balance[i]) != DEC_OK)
			return refuse(why, "qty gives a balance of more than 38 digits");
		balance[i] = dec_strip(balance[i]);
	}
	if (b->n_wallets + fresh > POSITION_WALLETS_MAX)
		return refuse(why, "asset is one too many: 2048 balances are kept");
	return true;
}

static void settle(struct position *b, const struct moves *m, const struct dec *balance, const struct event_trade *t,
    struct position_fill *out)
{
	for (size_t i = 0; i < m->n; i++) {
		struct wallet *w = take_wallet(b, m->of[i].asset, t->market);
		w->balance = balance[i];
		w->simulated |= t->simulated;
		out->balance[out->balances++] = (struct event_balance){ .asset = { w->asset, w->n },
			.balance = w->balance,
			.market = t->market,
			.ts = t->ts,
			.reason = SPAN("ORDER"),
			.more = i + 1 < m->n,
			.simulated = w->simulated };
	}
}

bool position_set_balance(struct position *b, const struct event_balance *w, const char **why)
{
	enum event_market market = w->market == EVENT_NO_MARKET ? EVENT_USDM : w->market;

	if (!find_wallet(b, w->asset, market) && b->n_wallets == POSITION_WALLETS_MAX)
		return refuse(why, "asset is one too many: 2048 balances are kept");
	struct wallet *mine = take_wallet(b, w->asset, market);
	mine->balance = w->balance;
	mine->simulated = w->simulated;
	return true;
}

/* ---------------------------------------------------------------------------------------------------- pairs */

static int side_of(struct span side)
{
	return span_is(side, "LONG") ? LONG : span_is(side, "SHORT") ? SHORT : BOTH;
}

/* the asset that a pair is paid in; where nobody knows it, the very asset that was asked for, if the name ends in it */
static bool quote_of(const struct position *b, struct span pair, struct span *out)
{
	struct span rest;
	struct span plain = span_cut(pair, '_', &rest);

	*out = symbol_quote(pair);
	if (out->n == 0 && plain.n > b->asset.n && span_ends(plain, b->asset))
		*out = (struct span){ plain.p + plain.n - b->asset.n, b->asset.n };
	return out->n > 0;
}

static bool is_held(const struct pair *p, int but)
{
	for (int i = 0; i < SIDES; i++)
		if (i != but && dec_sign(p->leg[i].c.qty) != 0)
			return true;
	return false;
}

/* What a contract of the pair is, which a record may say: but not another one while something is held besides what it
 * replaces (`but`, -1: nothing). */
static bool contract_of(const struct position *b, int at, int but, bool has_size, struct dec size,
    struct cost_contract *k, const char **why)
{
	const struct pair *p = &b->pairs[at];

	k->inverse = pairs_market(&b->names, at) == EVENT_COINM;
	k->size = p->size;
	if (dec_sign(p->size) == 0)
		k->size = (struct dec){ (dec_int)symbol_usual_contract(pairs_name(&b->names, at)), 0 };
	if (!k->inverse || !has_size)
		return true;
	if (dec_sign(size) <= 0)
		return refuse(why, "contractSize is not above zero");
	if (!dec_is(size, k->size) && is_held(p, but))
		return refuse(why, "contractSize is not that of what is held");
	k->size = size;
	return true;
}

/* the pair of a record, its number at *at; its name and market are made full. The name stays good until the next one */
static bool find_pair(struct position *b, struct span symbol, struct span *pair, enum event_market *market, int *at,
    const char **why)
{
	if (!event_full_name(b->asset, symbol, pair, market, b->name))
		return refuse(why, "symbol is too long");
	*at = pairs_take(&b->names, *pair, *market);
	if (*at < 0)
		return refuse(why, "pair is one too many: 8192 have been seen");
	b->pairs[*at].n_symbol = span_starts(*pair, symbol) ? symbol.n : 0;
	return true;
}

/* the leg as a record */
static enum dec_result describe(const struct position *b, int at, int side, const struct leg *leg,
    const struct cost_contract *k, struct event_position *out)
{
	static const struct span sides[SIDES] = { { "BOTH", 4 }, { "LONG", 4 }, { "SHORT", 5 } };
	struct span name = pairs_name(&b->names, at);
	size_t n = b->pairs[at].n_symbol;

	*out = (struct event_position){ .pair = name,
		.symbol = n ? (struct span){ name.p, n } : name,
		.market = pairs_market(&b->names, at),
		.side = sides[side],
		.qty = leg->c.qty,
		.has_contract_size = k->inverse,
		.contract_size = k->size,
		.simulated = leg->simulated };
	return cost_entry(&leg->c, k, &out->entry_price);
}

struct dec position_held(const struct position *b, struct span pair, enum event_market market, struct span side)
{
	int at = pairs_find(&b->names, pair, market);

	return at < 0 ? DEC_NIL : b->pairs[at].leg[side_of(side)].c.qty;
}

/* ---------------------------------------------------------------------------------------------------- fills */

/* an id of the exchange is a number; any other text stands for one */
static int64_t number_of(struct span id)
{
	int64_t n;

	return num_i64(id, INT64_MIN, INT64_MAX, &n) ? n : (int64_t)span_hash(id, SPAN_HASH);
}

/* A paper trader counts from 1 each time, so that its fills are told apart by their time as well. */
static struct fills_key key_of(const struct event_trade *t)
{
	struct fills_key k = { t->market, t->pair, number_of(t->id), number_of(t->order_id) };

	if (t->simulated)
		k.order ^= (int64_t)((uint64_t)t->ts * 0x9e3779b97f4a7c15ULL);
	return k;
}

static struct dec minus(struct dec a)
{
	return (struct dec){ -a.m, a.scale };
}

/* the fee leaves the wallet of its own asset; where none is named, that of `usual` */
static bool pay_fee(struct moves *m, const struct event_trade *t, struct span usual)
{
	return !t->has_fee || move(m, t->fee_asset.n ? t->fee_asset : usual, minus(t->fee));
}

/* legs of hedge mode do not flip */
static bool fits_leg(const struct leg *leg, int side, const struct event_trade *t, const char **why)
{
	struct dec left;

	if (side == BOTH || (side == LONG) != t->sell)
		return true;
	if (dec_sub(side == LONG ? leg->c.qty : minus(leg->c.qty), t->qty, &left) == DEC_OK && dec_sign(left) >= 0)
		return true;
	return refuse(why, side == LONG ? "qty is more than the LONG position" : "qty is more than the SHORT position");
}

/* its own opinion of what it realized, where it has one */
static bool differs(const struct event_trade *t, struct dec realized)
{
	static const struct dec unit = { 1, 8 };
	struct dec off;

	if (!t->has_pnl)
		return false;
	if (dec_sub(realized, t->realized_pnl, &off) != DEC_OK)
		return true;
	return dec_cmp(dec_sign(off) < 0 ? minus(off) : off, unit) >= 0;
}

static bool trade_spot(struct position *b, const struct event_trade *t, struct position_fill *out, const char **why)
{
	struct dec balance[POSITION_WALLETS], paid;
	struct moves m = { .n = 0 };
	struct span quote;

	if (!quote_of(b, t->pair, &quote))
		return refuse(why, "pair does not tell its quote asset");
	struct span base = { t->pair.p, t->pair.n - quote.n };
	if (dec_mul(t->price, t->qty, &paid) != DEC_OK || !move(&m, base, t->sell ? minus(t->qty) : t->qty) ||
	    !move(&m, quote, t->sell ? paid : minus(paid)) || !pay_fee(&m, t, quote))
		return refuse(why, "qty gives an amount of more than 38 digits");
	if (!sum_up(b, &m, t->market, balance, why))
		return false;
	settle(b, &m, balance, t, out);
	return true;
}

/* the leg behind the fill; nothing has changed yet */
static bool count(const struct leg *before, const struct cost_contract *k, const struct event_trade *t,
    struct leg *after, struct dec *realized, const char **why)
{
	struct dec entry;
	enum dec_result r =
	    cost_fill(&before->c, k, t->sell ? minus(t->qty) : t->qty, t->price, &after->c, realized);

	after->simulated = before->simulated || t->simulated;
	if (r == DEC_OK)
		r = cost_entry(&after->c, k, &entry);
	if (r == DEC_RANGE)
		return refuse(why, "qty gives a position of more than 38 digits");
	return r == DEC_OK || refuse(why, "qty is next to nothing in coin at that price");
}

static void set_leg(struct position *b, int at, int side, const struct leg *leg, const struct cost_contract *k)
{
	struct pair *p = &b->pairs[at];

	b->counts.open += dec_sign(leg->c.qty) != 0;
	b->counts.open -= dec_sign(p->leg[side].c.qty) != 0;
	p->leg[side] = *leg;
	p->size = k->size;
}

static bool trade_future(struct position *b, const struct event_trade *t, int at, struct position_fill *out,
    const char **why)
{
	struct dec balance[POSITION_WALLETS];
	struct moves m = { .n = 0 };
	struct cost_contract k;
	struct leg after;
	struct span margin = symbol_base(NULL, t->pair);
	int side = side_of(t->position_side);
	const struct leg *leg = &b->pairs[at].leg[side];

	if (!contract_of(b, at, -1, t->has_contract_size, t->contract_size, &k, why) || !fits_leg(leg, side, t, why))
		return false;
	if (k.inverse && dec_sign(t->price) <= 0)
		return refuse(why, "price is not above zero, and an inverse contract divides by it");
	if (!k.inverse && !quote_of(b, t->pair, &margin))
		return refuse(why, "pair does not tell its margin asset");
	if (!count(leg, &k, t, &after, &out->realized, why))
		return false;
	if (!move(&m, margin, out->realized) || !pay_fee(&m, t, margin))
		return refuse(why, "fee gives an amount of more than 38 digits");
	if (!sum_up(b, &m, t->market, balance, why))
		return false;
	settle(b, &m, balance, t, out);
	set_leg(b, at, side, &after, &k);
	out->has_position = true;
	describe(b, at, side, &after, &k, &out->position);
	out->position.symbol = t->symbol;
	out->position.ts = t->ts;
	out->position.more = true; /* what it realized is not in the balance yet */
	return true;
}

bool position_trade(struct position *b, const struct event_trade *trade, struct position_fill *out, const char **why)
{
	struct event_trade t = *trade;
	int at;

	if (!find_pair(b, t.symbol, &t.pair, &t.market, &at, why))
		return false;
	struct fills_key key = key_of(&t);
	*out = (struct position_fill){ .copy = t.id.n > 0 && fills_known(&b->seen, &key) };
	if (out->copy) {
		b->counts.copies++;
		return true;
	}
	if (!(t.market == EVENT_SPOT ? trade_spot(b, &t, out, why) : trade_future(b, &t, at, out, why)))
		return false;
	if (t.id.n > 0)
		fills_take(&b->seen, &key);
	b->counts.fills++;
	b->counts.differing += out->has_position && differs(&t, out->realized);
	return true;
}

/* ------------------------------------------------------------------------------------------------- positions */

/* What is known already may stay: an entry price that was cut off when it was told must not replace the exact cost. */
static bool says_the_same(const struct leg *leg, const struct cost_contract *k, const struct event_position *p)
{
	struct dec entry;

	return dec_is(leg->c.qty, p->qty) && cost_entry(&leg->c, k, &entry) == DEC_OK &&
	    dec_is(entry, p->entry_price);
}

bool position_set(struct position *b, const struct event_position *p, const char **why)
{
	struct span name = p->pair;
	enum event_market market = p->market;
	struct cost_contract k;
	struct leg fresh = { .simulated = p->simulated };
	struct dec entry;
	int at, side = side_of(p->side);

	if (!find_pair(b, p->symbol, &name, &market, &at, why))
		return false;
	if (market == EVENT_SPOT)
		return true; /* what is held there are balances */
	if ((side == LONG && dec_sign(p->qty) < 0) || (side == SHORT && dec_sign(p->qty) > 0))
		return refuse(why, side == LONG ? "qty of a LONG position is below zero"
						: "qty of a SHORT position is above zero");
	if (!contract_of(b, at, side, p->has_contract_size, p->contract_size, &k, why))
		return false;
	if (k.inverse && dec_sign(p->qty) != 0 && dec_sign(p->entry_price) <= 0)
		return refuse(why, "entryPrice is not above zero, and an inverse contract divides by it");
	if (cost_of(&k, p->qty, p->entry_price, &fresh.c) != DEC_OK || cost_entry(&fresh.c, &k, &entry) != DEC_OK)
		return refuse(why, "qty gives a position of more than 38 digits");
	if (says_the_same(&b->pairs[at].leg[side], &k, p))
		fresh.c = b->pairs[at].leg[side].c;
	set_leg(b, at, side, &fresh, &k);
	return true;
}

/* ---------------------------------------------------------------------------------------------------- lines */

/* writes what a fill has brought about */
static void tell(const struct position_fill *f, struct line_out *out)
{
	if (f->has_position && line_room(out, LINE_RECORD_MAX)) {
		out->p = event_write_position(out->p, &f->position);
		out->lines++;
	}
	for (size_t i = 0; i < f->balances && line_room(out, LINE_RECORD_MAX); i++) {
		out->p = event_write_balance(out->p, &f->balance[i]);
		out->lines++;
	}
}

/* What was known at the start, in front of the first record that has a time, so that whoever reads on knows it too. */
static void tell_start(struct position *b, int64_t ts, struct line_out *out)
{
	struct event_position p;
	struct cost_contract k;
	const char *why;
	uint64_t left = b->counts.open + b->n_wallets; /* all of them are one change */

	b->started = true;
	for (int i = 0; i < (int)b->names.n * SIDES; i++) {
		const struct leg *leg = &b->pairs[i / SIDES].leg[i % SIDES];
		if (dec_sign(leg->c.qty) == 0 || !line_room(out, LINE_RECORD_MAX))
			continue;
		contract_of(b, i / SIDES, -1, false, DEC_NIL, &k, &why);
		describe(b, i / SIDES, i % SIDES, leg, &k, &p);
		p.ts = ts;
		p.more = --left > 0;
		out->p = event_write_position(out->p, &p);
		out->lines++;
	}
	for (size_t i = 0; i < b->n_wallets && line_room(out, LINE_RECORD_MAX); i++) {
		const struct wallet *w = &b->wallets[i];
		out->p = event_write_balance(out->p,
		    &(struct event_balance){ .asset = { w->asset, w->n },
			.balance = w->balance,
			.market = w->market,
			.ts = ts,
			.more = --left > 0,
			.simulated = w->simulated });
		out->lines++;
	}
}

bool position_take(struct position *b, const struct fields *f, struct position_fill *fill, const char **why)
{
	union {
		struct event_trade trade;
		struct event_position position;
		struct event_balance balance;
	} u;

	*fill = (struct position_fill){ .copy = false };
	switch (event_type(f)) {
	case EVENT_TRADE_EXECUTED:
		return event_read_trade(f, &u.trade, why) && position_trade(b, &u.trade, fill, why);
	case EVENT_POSITION_UPDATE:
		return event_read_position(f, &u.position, why) && position_set(b, &u.position, why);
	case EVENT_BALANCE_UPDATE:
		return event_read_balance(f, &u.balance, why) && position_set_balance(b, &u.balance, why);
	default:
		return true;
	}
}

bool position_line(struct position *b, struct span line, struct line_out *out, const char **why, size_t *at)
{
	struct position_fill fill;
	int64_t ts;

	if (!fields_take(&b->fields, line, why, at))
		return false;
	if (!b->started && event_time(&b->fields, EVENT_SLOT_TS, &ts))
		tell_start(b, ts, out);
	if (!position_take(b, &b->fields, &fill, why)) {
		*at = event_where(&b->fields, line, *why);
		return false;
	}
	if (!fill.copy && line_put(out, line))
		tell(&fill, out);
	return true;
}

bool position_start_line(struct position *b, struct span line, const char **why, size_t *at)
{
	struct position_fill fill;

	if (!fields_take(&b->fields, line, why, at))
		return false;
	enum event_type type = event_type(&b->fields);
	if ((type != EVENT_POSITION_UPDATE && type != EVENT_BALANCE_UPDATE) || position_take(b, &b->fields, &fill, why))
		return true;
	*at = event_where(&b->fields, line, *why);
	return false;
}

struct position_counts position_counts(const struct position *b)
{
	struct position_counts c = b->counts;

	c.wallets = b->n_wallets;
	return c;
}
