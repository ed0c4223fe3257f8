#include "equity.h"

#include "event_fast.h"
#include "jsonw.h"
#include "pairs.h"
#include "symbol.h"

#include <stdlib.h>

#define PNL_DECIMALS 8			    /* of an inverse position (binance 5.1, found by recomputation) */

#define TIDY_SCALE 8 /* of a coin's smallest part */

/* BOTH, LONG, SHORT */
#define SIDES 3

/* How the PnL of a pair is counted. */
enum kind {
	NEW,	 /* nobody has looked yet */
	FOREIGN, /* in another asset */
	UNKNOWN, /* in an asset that the pair's name does not tell */
	LINEAR,
	INVERSE,
};

struct position {
	struct dec qty, entry, size; /* size: of a contract, inverse pairs only */
	bool has_mark;
	struct dec mark; /* of its own update: its price as long as the pair has none */
	bool valued;
	struct dec pnl; /* when valued */
	bool simulated;
	bool revalued; /* its value was told since the position is what it is */
	struct dec told_pnl;
	int64_t told_ts;
	struct position *next_free;
};

struct pair {
	size_t n_symbol; /* the symbol is the beginning of the name */
	enum kind kind;
	bool priced;
	bool named; /* in the list of unpriced pairs */
	struct dec price;
	uint8_t n_text; /* > 0: it is still this text, which nobody has needed as a number yet */
	char text[FAST_WORD];
	struct position *held[SIDES];
};

struct equity {
	struct fields fields;
	char asset_text[EVENT_NAME_MAX];
	struct span asset;
	enum equity_mark mark;
	int64_t every;
	bool revalue;
	int64_t revalue_every;
	struct pair *moved; /* whose price the line in hand has changed; NULL: none */

	struct dec balance, pnl, total; /* total = balance + pnl, always */
	enum event_market wallet;	/* whose balance it is; EVENT_NO_MARKET: nobody has said */
	bool known;			/* a balance or a position has come: there is something to tell */
	bool simulated;			/* the balance is a paper trader's */
	uint64_t n_positions, n_simulated;
	struct span unpriced[EQUITY_UNPRICED_MAX]; /* in the order in which they came */
	size_t n_unpriced;

	bool more;    /* the record in hand is part of a change that goes on */
	bool changed; /* since the last snapshot */
	bool told;    /* there was one */
	int64_t told_ts;
	uint64_t snapshots;

	struct position *free;
	struct position positions[EQUITY_POSITIONS_MAX];
	struct pairs names;
	struct pair pairs[PAIRS_MAX]; /* by the numbers of their names */
};

static bool refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return false;
}

struct equity *equity_new(const struct equity_options *o)
{
	/* untouched pages of calloc(3) cost nothing, so the caps are not what a run with ten pairs pays */
	struct equity *e = o->asset.n <= EVENT_NAME_MAX ? calloc(1, sizeof *e) : NULL;

	if (!e)
		return NULL;
	fields_open(&e->fields, event_slot);
	memcpy(e->asset_text, o->asset.p, o->asset.n);
	e->asset = (struct span){ e->asset_text, o->asset.n };
	e->mark = o->mark;
	e->every = o->every;
	e->revalue = o->revalue;
	e->revalue_every = o->revalue_every;
	return e;
}

void equity_free(struct equity *e)
{
	free(e);
}

/* ----------------------------------------------------------------------------------------------------------- pairs */

/* A pair whose quote asset nobody knows counts where it ends in the very asset that was asked for. */
static enum kind kind_of(const struct equity *e, struct span pair, enum event_market market)
{
	struct span rest;
	struct span plain = span_cut(pair, '_', &rest);

	if (market == EVENT_COINM)
		return span_eq(symbol_base(NULL, pair), e->asset) ? INVERSE : FOREIGN;
	struct span quote = symbol_quote(pair);
	if (quote.n)
		return span_eq(quote, e->asset) ? LINEAR : FOREIGN;
	return plain.n > e->asset.n && span_ends(plain, e->asset) ? LINEAR : UNKNOWN;
}

static void need_price(struct pair *p)
{
	if (p->n_text)
		(void)dec_parse((struct span){ p->text, p->n_text }, &p->price);
	p->n_text = 0;
}

/* the pair of that name, made where it is new; NULL: there are too many */
static FAST_INLINE struct pair *find_pair(struct equity *e, struct span name, enum event_market market)
{
	int at = pairs_take(&e->names, name, market);

	if (at < 0)
		return NULL;
	struct pair *p = &e->pairs[at];
	if (p->kind == NEW)
		p->kind = kind_of(e, name, market);
	return p;
}

static struct span name_of(const struct equity *e, const struct pair *p)
{
	return pairs_name(&e->names, (int)(p - e->pairs));
}

/* ---------------------------------------------------------------------------------------------------------- values */

static inline enum dec_result linear_pnl(const struct position *p, struct dec price, struct dec *out)
{
	struct dec gain;
	enum dec_result r = dec_sub(price, p->entry, &gain);

	return r == DEC_OK ? dec_mul(p->qty, gain, out) : r;
}

/* qty x size x (1/entry - 1/price) = qty x size x (price - entry) / (entry x price): one division, cut off once */
static enum dec_result inverse_pnl(const struct position *p, struct dec price, struct dec *out)
{
	struct dec gain, below;
	enum dec_result r = dec_sub(price, p->entry, &gain);

	if (r == DEC_OK)
		r = dec_mul(gain, p->size, &gain);
	if (r == DEC_OK)
		r = dec_mul(gain, p->qty, &gain);
	if (r == DEC_OK)
		r = dec_mul(p->entry, price, &below);
	return r == DEC_OK ? dec_div_trunc(gain, below, PNL_DECIMALS, out) : r;
}

static bool has_price(const struct pair *pair, const struct position *p)
{
	return pair->priced || p->has_mark;
}

/* what p gains at its price; 0 where it has none */
static FAST_INLINE enum dec_result value(const struct pair *pair, const struct position *p, struct dec *pnl)
{
	struct dec price = pair->priced ? pair->price : p->mark;

	*pnl = DEC_NIL;
	if (!has_price(pair, p))
		return DEC_OK;
	return pair->kind == INVERSE ? inverse_pnl(p, price, pnl) : linear_pnl(p, price, pnl);
}

/* A sum keeps the longest scale that it has met: where that is long it is looked whether it has to. Not always, since most
 * numbers end in no zero. */
static inline void tidy(struct dec *d)
{
	if (scan_unlikely(d->scale > TIDY_SCALE))
		*d = dec_strip(*d);
}

/* sum - gone + come */
static FAST_INLINE enum dec_result exchange(struct dec *sum, struct dec gone, struct dec come)
{
	enum dec_result r = dec_sub(*sum, gone, sum);

	if (r == DEC_OK)
		r = dec_add(*sum, come, sum);
	tidy(sum);
	return r;
}

/* takes balance and pnl over together with their sum, or nothing */
static FAST_INLINE bool settle(struct equity *e, struct dec balance, struct dec pnl)
{
	struct dec total;

	if (dec_add(balance, pnl, &total) != DEC_OK)
		return false;
	e->changed = e->changed || !dec_is(balance, e->balance) || !dec_is(pnl, e->pnl);
	e->balance = balance;
	e->pnl = pnl;
	e->total = total;
	tidy(&e->total);
	return true;
}

/* -------------------------------------------------------------------------------------------------- unpriced pairs */

static bool lacks_price(const struct pair *p)
{
	for (int i = 0; i < SIDES; i++)
		if (p->held[i] && !p->held[i]->valued)
			return true;
	return false;
}

/* puts the pair on the list or takes it off, as it is now */
static void list_unpriced(struct equity *e, struct pair *p)
{
	bool lacks = lacks_price(p);
	size_t i = 0;

	if (lacks == p->named)
		return;
	e->changed = true;
	p->named = lacks;
	if (lacks) {
		e->unpriced[e->n_unpriced++] = name_of(e, p);
		return;
	}
	while (e->unpriced[i].p != name_of(e, p).p)
		i++;
	e->n_unpriced--;
	memmove(&e->unpriced[i], &e->unpriced[i + 1], (e->n_unpriced - i) * sizeof e->unpriced[0]);
}

/* --------------------------------------------------------------------------------------------------------- balance */

bool equity_set_balance(struct equity *e, struct dec balance, const char **why)
{
	if (!settle(e, balance, e->pnl))
		return refuse(why, "balance gives an equity of more than 38 digits");
	e->known = true;
	return true;
}

/* The wallet is that of the first market that is named: a spot balance must not replace that of the futures wallet. */
bool equity_balance(struct equity *e, const struct event_balance *b, const char **why)
{
	bool other = e->wallet && b->market && b->market != e->wallet;

	if (other || !span_eq(b->asset, e->asset))
		return true;
	if (!equity_set_balance(e, b->balance, why))
		return false;
	if (b->market)
		e->wallet = b->market;
	e->simulated = b->simulated;
	return true;
}

/* -------------------------------------------------------------------------------------------------------- position */

static int side_of(struct span side)
{
	return span_is(side, "LONG") ? 1 : span_is(side, "SHORT") ? 2 : 0;
}

static struct dec contract_size(struct span name, const struct event_position *p)
{
	if (p->has_contract_size)
		return p->contract_size;
	return (struct dec){ (dec_int)symbol_usual_contract(name), 0 };
}

static struct position *take_position(struct equity *e)
{
	struct position *p = e->free;

	if (p)
		e->free = p->next_free;
	else
		p = &e->positions[e->n_positions]; /* none has been given back, so all before it are held */
	e->n_positions++;
	return p;
}

static void give_position(struct equity *e, struct position *p)
{
	p->next_free = e->free;
	e->free = p;
	e->n_positions--;
}

/* qty 0: the position is closed, or was never open */
static bool close_position(struct equity *e, struct pair *pair, int side, const char **why)
{
	struct position *p = pair->held[side];
	struct dec pnl = e->pnl;

	if (!p)
		return true;
	if (exchange(&pnl, p->pnl, DEC_NIL) != DEC_OK || !settle(e, e->balance, pnl))
		return refuse(why, "qty gives an equity of more than 38 digits");
	pair->held[side] = NULL;
	e->n_simulated -= p->simulated;
	give_position(e, p);
	e->changed = true;
	list_unpriced(e, pair);
	return true;
}

/* `fresh`, already valued, takes the place of what is held at that side */
static bool hold_position(struct equity *e, struct pair *pair, int side, const struct position *fresh, const char **why)
{
	struct position *p = pair->held[side];
	struct dec pnl = e->pnl;

	if (!p && e->n_positions == EQUITY_POSITIONS_MAX)
		return refuse(why, "more than 4096 positions");
	if (!fresh->valued && !pair->named && e->n_unpriced == EQUITY_UNPRICED_MAX)
		return refuse(why, "more than 1024 pairs without a price");
	if (exchange(&pnl, p ? p->pnl : DEC_NIL, fresh->pnl) != DEC_OK || !settle(e, e->balance, pnl))
		return refuse(why, "qty gives an equity of more than 38 digits");
	if (!p) {
		p = pair->held[side] = take_position(e);
		p->simulated = false;
		e->changed = true;
	}
	e->n_simulated += fresh->simulated;
	e->n_simulated -= p->simulated;
	*p = *fresh;
	e->known = true;
	list_unpriced(e, pair);
	return true;
}

bool equity_position(struct equity *e, const struct event_position *p, const char **why)
{
	char text[2 * EVENT_NAME_MAX];
	struct span name = p->pair;
	enum event_market market = p->market;
	struct position fresh = { .qty = p->qty,
		.entry = p->entry_price,
		.has_mark = p->has_mark,
		.mark = p->mark_price,
		.simulated = p->simulated };

	if (!event_full_name(e->asset, p->symbol, &name, &market, text))
		return refuse(why, "symbol is too long");
	struct pair *pair = find_pair(e, name, market);
	if (!pair)
		return refuse(why, "pair is one too many: 8192 have been seen");
	need_price(pair);
	if (pair->kind == FOREIGN)
		return true;
	if (pair->kind == UNKNOWN)
		return refuse(why, "pair does not tell its margin asset");
	if (dec_sign(p->qty) == 0)
		return close_position(e, pair, side_of(p->side), why);
	if (p->has_contract_size && dec_sign(p->contract_size) <= 0)
		return refuse(why, "contractSize is not above zero");
	fresh.size = contract_size(name, p);
	if (span_starts(name, p->symbol))
		pair->n_symbol = p->symbol.n;
	fresh.valued = has_price(pair, &fresh);
	switch (value(pair, &fresh, &fresh.pnl)) {
	case DEC_OK:
		return hold_position(e, pair, side_of(p->side), &fresh, why);
	case DEC_ZERO:
		return refuse(why, "entryPrice or price is zero, by which an inverse contract divides");
	default:
		return refuse(why, "qty gives a PnL of more than 38 digits");
	}
}

/* ----------------------------------------------------------------------------------------------------------- price */

static bool wanted(enum equity_mark mark, enum event_source source)
{
	switch (mark) {
	case EQUITY_BOOK:
		return source == EVENT_BOOK;
	case EQUITY_MARK:
		return source == EVENT_MARK;
	case EQUITY_TRADE:
		return source == EVENT_TRADE;
	case EQUITY_ANY:
		break;
	}
	return true;
}

static bool is_held(const struct pair *p)
{
	return p->held[0] || p->held[1] || p->held[2];
}

static bool counts(const struct pair *p)
{
	return p && p->kind != FOREIGN && p->kind != UNKNOWN;
}

/* FAST_WORD bytes of the text can be read */
static void keep_price(struct pair *p, struct span text)
{
	memcpy(p->text, text.p, sizeof p->text);
	p->n_text = (uint8_t)text.n;
	p->priced = true;
}

/* the positions of a pair at its new price: all of them, or none */
static enum dec_result reprice(struct equity *e, struct pair *pair)
{
	struct dec fresh[SIDES];
	struct dec pnl = e->pnl;
	enum dec_result r = DEC_OK;

	for (int i = 0; i < SIDES && r == DEC_OK; i++) {
		if (!pair->held[i])
			continue;
		r = value(pair, pair->held[i], &fresh[i]);
		if (r == DEC_OK)
			r = exchange(&pnl, pair->held[i]->pnl, fresh[i]);
	}
	if (r == DEC_OK && !settle(e, e->balance, pnl))
		r = DEC_RANGE;
	for (int i = 0; i < SIDES && r == DEC_OK; i++)
		if (pair->held[i]) {
			pair->held[i]->pnl = fresh[i];
			pair->held[i]->valued = true;
		}
	return r;
}

/* false: refused, *why says it */
static bool set_price(struct equity *e, struct pair *pair, struct dec price, const char **why)
{
	struct dec before = pair->price; /* what is held has a number: equity_position has needed it */
	bool priced_before = pair->priced;
	pair->n_text = 0;
	pair->price = price;
	pair->priced = true;
	if (!is_held(pair))
		return true;
	enum dec_result r = reprice(e, pair);
	if (r != DEC_OK) {
		pair->price = before;
		pair->priced = priced_before;
		return refuse(why, r == DEC_ZERO ? "price is zero, by which an inverse contract divides"
						 : "price gives an equity of more than 38 digits");
	}
	list_unpriced(e, pair);
	e->moved = pair;
	return true;
}

bool equity_price(struct equity *e, const struct event_tick *t, const char **why)
{
	char text[2 * EVENT_NAME_MAX];
	struct span name = t->pair;
	enum event_market market = t->market;

	if (!wanted(e->mark, t->source))
		return true;
	if (!event_full_name(e->asset, t->symbol, &name, &market, text))
		return refuse(why, "symbol is too long");
	struct pair *pair = find_pair(e, name, market);
	return !counts(pair) || set_price(e, pair, t->price, why);
}

/* ----------------------------------------------------------------------------------------------------------- lines */

struct event_equity equity_now(const struct equity *e)
{
	return (struct event_equity){
		.balance = e->balance,
		.unrealized_pnl = e->pnl,
		.equity = e->total,
		.asset = e->asset,
		.positions = e->n_positions,
		.unpriced = e->unpriced,
		.n_unpriced = e->n_unpriced,
		.simulated = e->simulated || e->n_simulated > 0,
	};
}

/* takes a record in; *ts is its time, -1 where it has none that we know */
static bool take(struct equity *e, enum event_type type, int64_t *ts, const char **why)
{
	union {
		struct event_tick tick;
		struct event_position position;
		struct event_balance balance;
	} u;

	switch (type) {
	case EVENT_PRICE_UPDATE:
		if (!event_read_tick(&e->fields, &u.tick, why))
			return false;
		*ts = u.tick.ts;
		return equity_price(e, &u.tick, why);
	case EVENT_POSITION_UPDATE:
		if (!event_read_position(&e->fields, &u.position, why))
			return false;
		*ts = u.position.ts;
		e->more = u.position.more;
		return equity_position(e, &u.position, why);
	case EVENT_BALANCE_UPDATE:
		if (!event_read_balance(&e->fields, &u.balance, why))
			return false;
		*ts = u.balance.ts;
		e->more = u.balance.more;
		return equity_balance(e, &u.balance, why);
	case EVENT_OTHER:
		return true;
	default:
		if (!event_time(&e->fields, EVENT_SLOT_TS, ts))
			*ts = -1;
		return true;
	}
}

/* is there something to tell, whatever the time? */
static bool may_be_due(const struct equity *e)
{
	return (e->changed || !e->told) && e->known && !e->more;
}

/* Held back by --every, a change is told behind the first record that is late enough. A jump back in time, as where two
 * recordings follow each other, must not silence it. */
static bool is_due(const struct equity *e, int64_t ts)
{
	if (ts < 0 || !may_be_due(e))
		return false;
	return !e->told || e->every == 0 || ts - e->told_ts >= e->every || e->told_ts - ts >= e->every;
}

static void tell(struct equity *e, int64_t ts, struct line_out *out)
{
	struct event_equity now = equity_now(e);

	if (!line_room(out, LINE_RECORD_MAX + e->n_unpriced * (JSONW_STRING_MAX(EVENT_NAME_MAX) + 1)))
		return;
	now.ts = ts;
	out->p = event_write_equity(out->p, &now);
	out->lines++;
	e->snapshots++;
	e->told = true;
	e->told_ts = ts;
	e->changed = false;
}

/* as is_due, for one position */
static bool is_revalued(const struct equity *e, const struct position *p, int64_t ts)
{
	int64_t since = ts - p->told_ts;

	if (!p->valued || (p->revalued && dec_is(p->pnl, p->told_pnl)))
		return false;
	return !p->revalued || since >= e->revalue_every || -since >= e->revalue_every;
}

static void revalue(struct equity *e, const struct pair *pair, int side, int64_t ts, struct line_out *out)
{
	static const struct span sides[SIDES] = { { "BOTH", 4 }, { "LONG", 4 }, { "SHORT", 5 } };
	struct position *p = pair->held[side];
	struct span name = name_of(e, pair);

	if (!p || !is_revalued(e, p, ts) || !line_room(out, LINE_RECORD_MAX))
		return;
	out->p = event_write_position(out->p,
	    &(struct event_position){ .pair = name,
		.symbol = pair->n_symbol ? (struct span){ name.p, pair->n_symbol } : name,
		.market = pairs_market(&e->names, (int)(pair - e->pairs)),
		.side = sides[side],
		.qty = p->qty,
		.entry_price = p->entry,
		.has_mark = true,
		.mark_price = pair->price,
		.has_pnl = true,
		.unrealized_pnl = p->pnl,
		.has_contract_size = pair->kind == INVERSE,
		.contract_size = p->size,
		.ts = ts,
		.simulated = p->simulated });
	out->lines++;
	p->revalued = true;
	p->told_pnl = p->pnl;
	p->told_ts = ts;
}

/* what is due behind the line that has been taken in and passed on */
static void follow(struct equity *e, int64_t ts, struct line_out *out)
{
	for (int side = 0; e->revalue && e->moved && side < SIDES; side++)
		revalue(e, e->moved, side, ts, out);
	if (is_due(e, ts))
		tell(e, ts, out);
}

bool equity_line(struct equity *e, struct span line, struct line_out *out, const char **why, size_t *at)
{
	int64_t ts = -1;

	e->moved = NULL;
	e->more = false;
	if (!fields_take(&e->fields, line, why, at))
		return false;
	if (!take(e, event_type(&e->fields), &ts, why)) {
		*at = event_where(&e->fields, line, *why);
		return false;
	}
	if (line_put(out, line))
		follow(e, ts, out);
	return true;
}

/* the price of a line that takes the short way; false: equity_line has to read it, and says why */
static inline bool take_fast(struct equity *e, const struct event_fast *t)
{
	struct pair *pair = find_pair(e, t->pair, t->market);
	struct dec price;
	const char *why;

	if (!counts(pair))
		return true;
	if (is_held(pair))
		return dec_parse_padded(t->price, &price) == DEC_OK && set_price(e, pair, price, &why);
	keep_price(pair, t->price);
	return true;
}

/* The lines up to one behind which something is due go on in one piece. */
const char *equity_fast(struct equity *e, const char *p, const char *end, struct line_out *out, struct fast *run)
{
	struct event_fast tick = { .market = EVENT_NO_MARKET };
	const char *from = p, *next;
	uint64_t passed = 0;
	bool counted = wanted(e->mark, EVENT_BOOK);

	e->moved = NULL;
	e->more = false;
	for (;;) {
		fast_begin(run, p, EVENT_FAST_PRICE);
		if ((next = event_fast_tick(p, end, &tick)) == NULL || (counted && !take_fast(e, &tick)))
			break;
		p = fast_behind(run, p, next, EVENT_FAST_PRICE);
		bool due = (e->revalue && e->moved) || (may_be_due(e) && is_due(e, fast_ms(tick.ts)));
		if (scan_likely(!due))
			continue;
		if (!line_pass(out, (struct span){ from, (size_t)(p - from) }, run->lines - passed))
			return p;
		follow(e, fast_ms(tick.ts), out);
		from = p;
		passed = run->lines;
		e->moved = NULL;
	}
	if (p != from)
		(void)line_pass(out, (struct span){ from, (size_t)(p - from) }, run->lines - passed);
	return p;
}

bool equity_start_line(struct equity *e, struct span line, const char **why, size_t *at)
{
	int64_t ts;

	if (!fields_take(&e->fields, line, why, at))
		return false;
	enum event_type type = event_type(&e->fields);
	if (type != EVENT_POSITION_UPDATE && type != EVENT_BALANCE_UPDATE)
		return true;
	if (take(e, type, &ts, why))
		return true;
	*at = event_where(&e->fields, line, *why);
	return false;
}

struct equity_counts equity_counts(const struct equity *e)
{
	return (struct equity_counts){ e->n_positions, e->n_unpriced, e->names.n, e->snapshots };
}
