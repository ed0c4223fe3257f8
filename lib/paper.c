#include "paper.h"

#include "num.h"
#include "order.h"
#include "pairs.h"
#include "position.h"
#include "sentence.h"
#include "symbol.h"
#include "trader.h"

#include <stdlib.h>

#define FEE_DECIMALS 8 /* of a fee in coin, which is no finite decimal: cut off toward zero */

_Static_assert(PAPER_PAIRS_MAX == PAIRS_MAX, "as many as are told apart");

/* one side of the touch */
struct quote {
	struct dec price, shown, left; /* left: of what is shown, for further fills */
};

struct pair {
	bool shown; /* a book has been */
	struct quote bid, ask;
	size_t n_symbol;	/* the symbol is the beginning of the name; 0: nobody has said */
	uint16_t first, last;	/* open orders, in the order in which they came: index + 1, 0 none */
	struct trader trader;
};

struct open {
	uint16_t next; /* of its pair, or of those that are free */
	uint16_t id_n;
	char id[EVENT_NAME_MAX];
	int pair;
	struct span side; /* a constant */
	bool is_open;
	bool sell, limit, reduces, at_once, has_size;
	bool demo;  /* the trader's: its end is not told */
	bool rests; /* it has met a book */
	struct dec price, qty, left, size;
};

struct paper {
	struct fields fields, order_fields; /* of the line in hand, and of an order in front of it */
	char asset_text[EVENT_NAME_MAX];
	struct span asset;
	struct dec rate; /* of the fee */
	bool demo;
	uint64_t seed;
	int64_t now; /* ms: ts of the record taken last, -1: there was none */
	uint64_t demo_orders;
	struct paper_counts counts;
	struct position *account;
	char *script; /* orders that wait, each with its '\n'; owned */
	size_t script_n, script_room, script_at;
	int64_t script_due; /* ts of the next one */
	uint16_t free; /* orders: index + 1 */
	struct open orders[PAPER_ORDERS_MAX];
	struct pairs names;
	struct pair pairs[PAIRS_MAX];
};

static bool refuse(const char **why, const char *sentence)
{
	*why = sentence;
	return false;
}

struct paper *paper_new(const struct paper_options *o)
{
	/* untouched pages of calloc(3) cost nothing, so the caps are not what a run with ten pairs pays */
	struct paper *p = o->asset.n <= EVENT_NAME_MAX ? calloc(1, sizeof *p) : NULL;

	if (!p)
		return NULL;
	p->account = position_new(o->asset);
	if (!p->account || dec_mul(o->fee_bps, (struct dec){ 1, 4 }, &p->rate) != DEC_OK) {
		paper_free(p);
		return NULL;
	}
	fields_open(&p->fields, order_slot);
	fields_open(&p->order_fields, order_slot);
	memcpy(p->asset_text, o->asset.p, o->asset.n);
	p->asset = (struct span){ p->asset_text, o->asset.n };
	p->demo = o->demo;
	p->seed = o->seed;
	p->now = -1;
	for (uint16_t i = PAPER_ORDERS_MAX; i > 0; i--) {
		p->orders[i - 1].next = p->free;
		p->free = i;
	}
	return p;
}

void paper_free(struct paper *p)
{
	if (p) {
		position_free(p->account);
		free(p->script);
	}
	free(p);
}

static int64_t time_now(const struct paper *p)
{
	return p->now < 0 ? 0 : p->now;
}

/* ------------------------------------------------------------------------------------------------ telling */

/* "order a1: refused: ..." */
static void notice(const struct paper *p, struct span id, struct span what, struct span more, struct line_out *out)
{
	struct sentence t = { .n = 0 };

	if (!line_room(out, LINE_RECORD_MAX))
		return;
	sentence_say(&t, SPAN("order"));
	sentence_say(&t, id.n ? SPAN(" ") : SPAN(""));
	sentence_say(&t, id);
	sentence_say(&t, SPAN(": "));
	sentence_say(&t, what);
	sentence_say(&t, more);
	out->p = event_write_status(out->p,
	    &(struct event_status){ .state = SPAN("notice"),
		.ts = time_now(p),
		.stream = SPAN("paper"),
		.event = SPAN("ORDER"),
		.order_id = id,
		.detail = { t.p, t.n },
		.simulated = true });
	out->lines++;
}

static void reject(struct paper *p, struct span id, const char *why, struct line_out *out)
{
	p->counts.rejected++;
	notice(p, id, SPAN("refused: "), span_of(why), out);
}

static struct span id_of(const struct open *o)
{
	return (struct span){ o->id, o->id_n };
}

/* ------------------------------------------------------------------------------------------------- orders */

static struct open *order_at(struct paper *p, uint16_t i)
{
	return i ? &p->orders[i - 1] : NULL;
}

static struct open *find_order(struct paper *p, struct span id)
{
	for (size_t i = 0; id.n > 0 && i < PAPER_ORDERS_MAX; i++)
		if (p->orders[i].is_open && span_eq(id_of(&p->orders[i]), id))
			return &p->orders[i];
	return NULL;
}

/* the last of its pair */
static struct open *add_order(struct paper *p, int at)
{
	struct pair *pair = &p->pairs[at];
	uint16_t i = p->free;
	struct open *o = order_at(p, i);

	if (!o)
		return NULL;
	p->free = o->next;
	*o = (struct open){ .pair = at, .is_open = true };
	if (pair->last)
		p->orders[pair->last - 1].next = i;
	else
		pair->first = i;
	pair->last = i;
	p->counts.open++;
	return o;
}

static void remove_order(struct paper *p, struct open *o)
{
	struct pair *pair = &p->pairs[o->pair];
	uint16_t i = (uint16_t)(o - p->orders + 1), before = 0;

	for (uint16_t k = pair->first; k != i; k = order_at(p, k)->next)
		before = k;
	if (before)
		order_at(p, before)->next = o->next;
	else
		pair->first = o->next;
	if (pair->last == i)
		pair->last = before;
	o->is_open = false;
	o->next = p->free;
	p->free = i;
	p->counts.open--;
	p->counts.ended++;
}

/* "order a1: cancelled: SELL SOLUSDT, 1 of 3 filled" */
static void end_order(struct paper *p, struct open *o, struct span how, struct line_out *out)
{
	struct sentence t = { .n = 0 };
	struct dec done;

	sentence_say(&t, o->sell ? SPAN("SELL ") : SPAN("BUY "));
	sentence_say(&t, pairs_name(&p->names, o->pair));
	sentence_say(&t, SPAN(", "));
	sentence_say_number(&t, dec_sub(o->qty, o->left, &done) == DEC_OK ? done : DEC_NIL);
	sentence_say(&t, SPAN(" of "));
	sentence_say_number(&t, o->qty);
	sentence_say(&t, SPAN(" filled"));
	if (!o->demo)
		notice(p, id_of(o), how, sentence_span(&t), out);
	remove_order(p, o);
}

/* -------------------------------------------------------------------------------------------------- fills */

static struct dec minus(struct dec a)
{
	return (struct dec){ -a.m, a.scale };
}

static struct dec lesser(struct dec a, struct dec b)
{
	return dec_cmp(a, b) < 0 ? a : b;
}

/* what an order that reduces can still reduce; below zero: there is nothing */
static struct dec reducible(const struct paper *p, const struct open *o)
{
	struct dec held = position_held(p->account, pairs_name(&p->names, o->pair),
	    pairs_market(&p->names, o->pair), o->side);

	return o->sell ? held : minus(held);
}

static struct span symbol_of(const struct paper *p, int at)
{
	struct span name = pairs_name(&p->names, at);

	return p->pairs[at].n_symbol ? (struct span){ name.p, p->pairs[at].n_symbol } : symbol_base(NULL, name);
}

/* of what was paid; of inverse contracts of the coin that they are worth */
static bool fee_of(const struct paper *p, const struct event_trade *t, struct dec *fee)
{
	if (dec_mul(t->qty, p->rate, fee) != DEC_OK)
		return false;
	if (!t->has_contract_size)
		return dec_mul(*fee, t->price, fee) == DEC_OK;
	return dec_mul(*fee, t->contract_size, fee) == DEC_OK &&
	    dec_div_trunc(*fee, t->price, FEE_DECIMALS, fee) == DEC_OK;
}

/* qty of the order at a price: into the account, and told. false: *why, and nothing has happened */
static bool fill(struct paper *p, const struct open *o, struct dec qty, struct dec price, struct line_out *out,
    const char **why)
{
	char id[NUM_U64_MAX], symbol[EVENT_NAME_MAX];
	struct span name = symbol_of(p, o->pair);
	struct position_fill brought;
	struct event_trade t = { .pair = pairs_name(&p->names, o->pair),
		.symbol = { memcpy(symbol, name.p, name.n), name.n }, /* apart from the pair, which begins with it */
		.market = pairs_market(&p->names, o->pair),
		.position_side = o->side,
		.sell = o->sell,
		.price = price,
		.qty = qty,
		.ts = time_now(p),
		.has_contract_size = o->has_size,
		.contract_size = o->size,
		.order_id = id_of(o),
		.simulated = true };

	if (!position_trade(p->account, &t, &brought, why))
		return false;
	t.has_pnl = brought.has_position;
	t.realized_pnl = brought.realized;
	t.has_contract_size = brought.has_position && brought.position.has_contract_size;
	t.contract_size = brought.position.contract_size;
	/* the first balance is that of the margin asset; of spot the second is what was paid */
	t.fee_asset = brought.balance[t.market == EVENT_SPOT].asset;
	t.has_fee = fee_of(p, &t, &t.fee);
	t.fee_asset.n = t.has_fee ? t.fee_asset.n : 0;
	if (t.market == EVENT_SPOT)
		t.position_side = SPAN("");
	t.id = (struct span){ id, (size_t)(num_print_u64(id, ++p->counts.fills) - id) };
	if (line_room(out, LINE_RECORD_MAX)) {
		out->p = event_write_trade(out->p, &t);
		out->lines++;
	}
	return true;
}

/* how the book and the account let an order be filled: how much (zero: not now), at which price */
static struct dec fillable(const struct paper *p, const struct open *o, const struct quote *q, struct dec *price)
{
	struct dec qty = lesser(o->left, q->left);
	bool crossed = !o->limit || (o->sell ? dec_cmp(q->price, o->price) >= 0 : dec_cmp(q->price, o->price) <= 0);

	*price = o->limit && o->rests ? o->price : q->price;
	if (!crossed || dec_sign(q->price) <= 0 || dec_sign(qty) <= 0)
		return DEC_NIL;
	return o->reduces ? lesser(qty, reducible(p, o)) : qty;
}

/* one order at the book of its pair; it may end */
static void serve(struct paper *p, struct open *o, struct line_out *out)
{
	struct pair *pair = &p->pairs[o->pair];
	struct quote *q = o->sell ? &pair->bid : &pair->ask;
	struct dec price, qty = fillable(p, o, q, &price);
	const char *why = NULL;

	if (dec_sign(qty) > 0 && fill(p, o, qty, price, out, &why)) {
		dec_sub(q->left, qty, &q->left);
		dec_sub(o->left, qty, &o->left);
	}
	o->rests = true;
	if (why) {
		reject(p, id_of(o), why, out);
		remove_order(p, o);
	} else if (dec_sign(o->left) == 0) {
		end_order(p, o, SPAN("filled: "), out);
	} else if (o->reduces && dec_sign(reducible(p, o)) <= 0) {
		end_order(p, o, SPAN("expired, nothing is left to reduce: "), out);
	} else if (o->at_once) {
		end_order(p, o, SPAN("expired, no more can be filled at once: "), out);
	}
}

static void serve_all(struct paper *p, int at, struct line_out *out)
{
	uint16_t next;

	for (uint16_t i = p->pairs[at].first; i; i = next) {
		next = order_at(p, i)->next;
		serve(p, order_at(p, i), out);
	}
}

/* ------------------------------------------------------------------------------------- orders that come */

/* the span given is part of a line that goes; what stays is a constant */
static struct span side_constant(struct span side)
{
	return span_is(side, "LONG") ? SPAN("LONG") : span_is(side, "SHORT") ? SPAN("SHORT") : SPAN("BOTH");
}

/* in hedge mode the legs do not flip */
static bool is_reducing(const struct order *o)
{
	return o->reduce_only || (span_is(o->side, "LONG") && o->sell) || (span_is(o->side, "SHORT") && !o->sell);
}

static bool place(struct paper *p, const struct order *order, bool demo, struct line_out *out, const char **why)
{
	char text[2 * EVENT_NAME_MAX];
	struct span name = order->pair;
	enum event_market market = order->market;

	if (!demo && find_order(p, order->id))
		return refuse(why, "id is that of an open order");
	if (!event_full_name(p->asset, order->symbol, &name, &market, text))
		return refuse(why, "symbol is too long");
	int at = pairs_take(&p->names, name, market);
	if (at < 0)
		return refuse(why, "pair is one too many: 8192 have been seen");
	if (order->symbol.n && !p->pairs[at].n_symbol && span_starts(name, order->symbol))
		p->pairs[at].n_symbol = order->symbol.n;
	struct open *o = add_order(p, at);
	if (!o)
		return refuse(why, "1024 orders are open");
	memcpy(o->id, order->id.p, order->id.n);
	o->id_n = (uint16_t)order->id.n;
	o->demo = demo;
	o->side = side_constant(order->side);
	o->sell = order->sell;
	o->limit = order->limit;
	o->reduces = is_reducing(order);
	o->at_once = order->at_once;
	o->has_size = order->has_contract_size;
	o->price = order->price;
	o->qty = o->left = order->qty;
	o->size = order->contract_size;
	if (o->reduces && dec_sign(reducible(p, o)) <= 0) {
		remove_order(p, o);
		p->counts.ended--;
		return refuse(why, "there is nothing that it would reduce");
	}
	p->counts.orders++;
	if (p->pairs[at].shown)
		serve(p, o, out);
	return true;
}

static bool cancel(struct paper *p, struct span id, struct line_out *out, const char **why)
{
	struct open *o = find_order(p, id);

	if (!o)
		return refuse(why, "no open order has that id");
	end_order(p, o, SPAN("cancelled: "), out);
	return true;
}

/* The order in f, which stands in the stream already. Its time, where it has one, does not turn the clock back. */
static void act(struct paper *p, const struct fields *f, struct line_out *out)
{
	struct order o;
	const char *why;
	int64_t ts;

	if (event_time(f, EVENT_SLOT_TS, &ts) && ts > p->now)
		p->now = ts;
	if (!order_read(f, &o, &why) || !(o.cancel ? cancel(p, o.id, out, &why) : place(p, &o, false, out, &why)))
		reject(p, o.id, why, out);
}

static bool read_order(struct fields *f, struct span line, const char **why, size_t *at)
{
	if (!fields_take(f, line, why, at))
		return false;
	if (order_is(f))
		return true;
	*why = "type is neither order nor cancel";
	*at = event_where(f, line, *why);
	return false;
}

bool paper_order(struct paper *p, struct span line, struct line_out *out, const char **why, size_t *at)
{
	if (!read_order(&p->order_fields, line, why, at))
		return false;
	if (line_put(out, line))
		act(p, &p->order_fields, out);
	return true;
}

/* -------------------------------------------------------------------------------------- orders that wait */

/* n more bytes, and the padding that lib/json reads over */
static bool grow_script(struct paper *p, size_t n)
{
	size_t room = p->script_room ? p->script_room : 64u << 10;

	while (room < p->script_n + n + JSON_PAD)
		room *= 2;
	if (room == p->script_room)
		return true;
	char *more = realloc(p->script, room);
	if (!more)
		return false;
	p->script = more;
	p->script_room = room;
	return true;
}

bool paper_wait(struct paper *p, struct span line, const char **why, size_t *at)
{
	int64_t ts;

	if (!read_order(&p->order_fields, line, why, at))
		return false;
	if (!event_time(&p->order_fields, EVENT_SLOT_TS, &ts)) {
		*why = "ts is missing or no time in ms";
		*at = event_where(&p->order_fields, line, *why);
		return false;
	}
	*at = 0;
	if (p->script_n + line.n + 1 > PAPER_SCRIPT_MAX)
		return refuse(why, "more than 16 MiB of orders");
	if (!grow_script(p, line.n + 1))
		return refuse(why, "out of memory");
	if (p->script_n == 0)
		p->script_due = ts;
	memcpy(p->script + p->script_n, line.p, line.n);
	p->script_n += line.n;
	p->script[p->script_n++] = '\n';
	memset(p->script + p->script_n, '\n', JSON_PAD);
	return true;
}

/* the order that is next; it stays taken apart until the next call. false: there is none */
static bool peek(struct paper *p, struct span *line)
{
	*line = (struct span){ p->script + p->script_at, p->script_n - p->script_at };
	if (line->n == 0)
		return false;
	line->n = (size_t)((const char *)memchr(line->p, '\n', line->n) - line->p);
	return fields_read(&p->order_fields, *line) && event_time(&p->order_fields, EVENT_SLOT_TS, &p->script_due);
}

/* the orders whose time has come by ts */
static void wake(struct paper *p, int64_t ts, struct line_out *out)
{
	struct span line;

	if (p->script_at == p->script_n || p->script_due > ts)
		return;
	while (peek(p, &line) && p->script_due <= ts && line_put(out, line)) {
		p->script_at += line.n + 1;
		act(p, &p->order_fields, out);
	}
}

/* -------------------------------------------------------------------------------------------------- books */

static bool read_quote(const struct fields *f, unsigned price, unsigned qty, struct quote *out)
{
	if (!event_number(f, price, &out->price) || !event_number(f, qty, &out->shown))
		return false;
	out->left = out->shown;
	return true;
}

struct book {
	struct event_tick tick;
	bool shown;
	struct quote bid, ask;
};

static bool read_book(const struct fields *f, struct book *b, const char **why)
{
	b->shown = false;
	if (!event_read_tick(f, &b->tick, why))
		return false;
	if (b->tick.source != EVENT_BOOK || !fields_has(f, ORDER_SLOT_BID) || !fields_has(f, ORDER_SLOT_BID_QTY) ||
	    !fields_has(f, ORDER_SLOT_ASK) || !fields_has(f, ORDER_SLOT_ASK_QTY))
		return true; /* it shows no touch */
	if (!read_quote(f, ORDER_SLOT_BID, ORDER_SLOT_BID_QTY, &b->bid))
		return refuse(why, "bid or bidQty is no decimal number");
	if (!read_quote(f, ORDER_SLOT_ASK, ORDER_SLOT_ASK_QTY, &b->ask))
		return refuse(why, "ask or askQty is no decimal number");
	b->shown = true;
	return true;
}

static bool is_sound(const struct quote *q)
{
	return dec_sign(q->price) > 0 && dec_sign(q->shown) > 0;
}

/* the trader's turn */
static void trade(struct paper *p, int at, struct line_out *out)
{
	struct pair *pair = &p->pairs[at];
	struct trader_view v = { pairs_name(&p->names, at), pairs_market(&p->names, at), time_now(p),
		pair->bid.price, pair->bid.shown, pair->ask.price, pair->ask.shown, DEC_NIL };
	struct order o = { .symbol = SPAN(""), .pair = v.pair, .market = v.market, .side = SPAN("BOTH") };
	char id[8 + NUM_U64_MAX] = "demo-";
	const char *why;

	for (struct open *mine = order_at(p, pair->first); mine; mine = order_at(p, mine->next))
		if (mine->demo)
			return; /* what it wanted has not all been filled yet */
	v.held = v.market == EVENT_SPOT ? position_balance(p->account, symbol_of(p, at), v.market)
					: position_held(p->account, v.pair, v.market, o.side);
	if (!is_sound(&pair->bid) || !is_sound(&pair->ask) || !trader_wants(&pair->trader, p->seed, &v, &o.qty))
		return;
	o.sell = dec_sign(o.qty) < 0;
	o.qty = o.sell ? minus(o.qty) : o.qty;
	o.id = (struct span){ id, (size_t)(num_print_u64(id + 5, ++p->demo_orders) - id) };
	if (!place(p, &o, true, out, &why))
		reject(p, o.id, why, out);
}

static void show(struct paper *p, const struct book *b, struct line_out *out)
{
	char text[2 * EVENT_NAME_MAX];
	struct span name = b->tick.pair;
	enum event_market market = b->tick.market;
	int at = -1;

	if (event_full_name(p->asset, b->tick.symbol, &name, &market, text))
		at = pairs_take(&p->names, name, market);
	if (at < 0)
		return;
	struct pair *pair = &p->pairs[at];
	if (span_starts(name, b->tick.symbol))
		pair->n_symbol = b->tick.symbol.n;
	pair->shown = true;
	pair->bid = b->bid;
	pair->ask = b->ask;
	serve_all(p, at, out);
	if (p->demo)
		trade(p, at, out);
}

/* -------------------------------------------------------------------------------------------------- lines */

bool paper_line(struct paper *p, struct span line, struct line_out *out, const char **why, size_t *at)
{
	struct fields *f = &p->fields;
	struct position_fill fill_of_others;
	struct book b = { .shown = false };
	int64_t ts;

	if (!fields_take(f, line, why, at))
		return false;
	bool is_price = event_type(f) == EVENT_PRICE_UPDATE, good = !is_price || read_book(f, &b, why);
	if (good && event_time(f, EVENT_SLOT_TS, &ts)) {
		wake(p, ts, out);
		p->now = order_is(f) ? p->now : ts;
	}
	if (good && !is_price)
		good = position_take(p->account, f, &fill_of_others, why);
	if (!good) {
		*at = event_where(f, line, *why);
		return false;
	}
	if (!line_put(out, line))
		return true;
	if (b.shown)
		show(p, &b, out);
	if (order_is(f))
		act(p, f, out);
	return true;
}

struct paper_counts paper_counts(const struct paper *p)
{
	struct paper_counts c = p->counts;

	c.pairs = p->names.n;
	return c;
}
