#include "mock_walk.h"

#include <stdlib.h>
#include <time.h>

#define GRID_US 50000 /* the common measure of every update speed */
#define E8	100000000LL

/* --- chance -------------------------------------------------------------------------------------------------- */

/* splitmix64 (Steele, Lea, Flood 2014): any seed is a good one */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* low <= result <= high */
static int64_t between(struct mock_symbol *s, int64_t low, int64_t high)
{
	return low + (int64_t)(draw(&s->random) % (uint64_t)(high - low + 1));
}

/* --- symbols ------------------------------------------------------------------------------------------------- */

struct shape {
	const char *base;
	int64_t cents; /* a plausible price */
	int price_places, qty_places;
	int64_t tick;
};

static const struct shape shapes[] = {
	{ "BTC", 8455100, 2, 3, 10 },
	{ "ETH", 313200, 2, 3, 1 },
	{ "SOL", 14235, 2, 2, 1 },
	{ "BNB", 91250, 2, 2, 1 },
	{ "XRP", 214, 4, 1, 1 },
	{ "DOGE", 18, 5, 0, 1 },
};

static const struct shape other = { "", 2000, 4, 1, 1 };

static const struct shape *shape_of(struct span name)
{
	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		if (span_starts(name, span_of(shapes[i].base)))
			return &shapes[i];
	return &other;
}

static int64_t power10(int n)
{
	int64_t v = 1;

	while (n-- > 0)
		v *= 10;
	return v;
}

bool mock_walk_is_coinm(struct span name)
{
	struct span tail;
	struct span pair = span_cut(name, '_', &tail);

	return tail.p && (span_ends(pair, SPAN("USD")) || span_ends(pair, SPAN("usd")));
}

struct span mock_walk_split(struct span name, struct span *quote)
{
	static const char *const quotes[] = { "FDUSD", "USDT", "USDC", "TUSD", "USD", "EUR", "TRY", "BTC", "ETH",
		"BNB" };
	struct span tail;
	struct span pair = span_cut(name, '_', &tail);

	for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++) {
		*quote = span_of(quotes[i]);
		if (pair.n > quote->n && span_ends(pair, *quote))
			return (struct span){ pair.p, pair.n - quote->n };
	}
	*quote = SPAN("");
	return pair;
}

int64_t mock_walk_contract(struct span name)
{
	return span_starts(name, SPAN("BTC")) ? 100 : 10;
}

static void split_name(struct mock_symbol *s, struct span name)
{
	struct span tail, quote;
	struct span pair = span_cut(name, '_', &tail);
	struct span base = mock_walk_split(name, &quote);

	s->pair = pair.n;
	s->delivery = tail.p && tail.n > 0 && tail.p[0] >= '0' && tail.p[0] <= '9';
	memcpy(s->quote, quote.p, quote.n + 1);
	memcpy(s->base, base.p, base.n);
}

/* units, ticks and steps of the three products (bnc-wire(7) 2.11, 6.3) */
static void shape_symbol(struct mock_symbol *s, const struct shape *shape)
{
	bool spot = s->market == MOCK_SPOT;
	int places = shape->price_places;

	s->price_places = spot ? 8 : s->market == MOCK_COINM && places > 1 ? places - 1 : places;
	s->qty_places = spot ? 8 : s->market == MOCK_COINM ? 0 : shape->qty_places;
	s->quote_places = s->market == MOCK_USDM ? s->price_places + s->qty_places : 8;
	s->tick = spot ? shape->tick * power10(8 - places) : s->market == MOCK_COINM ? 1 : shape->tick;
	s->step = spot ? power10(8 - shape->qty_places) : 1;
	s->contract = mock_walk_contract(span_of(s->name));
	int64_t unit = power10(s->price_places);
	s->start = unit >= 100 ? shape->cents * (unit / 100) : shape->cents / (100 / unit);
	s->start -= s->start % s->tick;
}

static void refill(struct mock_symbol *s)
{
	for (int side = 0; side < 2; side++)
		for (int k = 0; k < MOCK_LEVELS; k++)
			s->book.side[side][k].qty = between(s, 1, 5000) * s->step;
}

static void place_levels(struct mock_symbol *s, int64_t bid, int64_t ask)
{
	for (int k = 0; k < MOCK_LEVELS; k++) {
		s->book.side[0][k].price = bid - k * s->tick;
		s->book.side[1][k].price = ask + k * s->tick;
	}
}

static int64_t floor_to(int64_t v, int64_t unit)
{
	return v - (v % unit + unit) % unit;
}

/* first millisecond of the month, UTC */
static int64_t month_start(int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm t;

	gmtime_r(&seconds, &t);
	t.tm_mday = 1;
	t.tm_hour = t.tm_min = t.tm_sec = 0;
	return (int64_t)timegm(&t) * 1000;
}

static int64_t bar_start(int interval, int64_t ms)
{
	if (interval == MOCK_INTERVALS - 1)
		return month_start(ms);
	int64_t monday = 4 * 86400000LL; /* the first Monday of 1970: bars of a week begin on Mondays */
	if (interval == MOCK_INTERVALS - 2)
		return floor_to(ms - monday, mock_interval_ms[interval]) + monday;
	return floor_to(ms, mock_interval_ms[interval]);
}

int64_t mock_walk_bar_end(int interval, int64_t open_ms)
{
	if (interval == MOCK_INTERVALS - 1)
		return month_start(open_ms + 32 * 86400000LL) - 1;
	return open_ms + mock_interval_ms[interval] - 1;
}

static void start_bar(struct mock_bar *b, int64_t open_ms, int64_t price)
{
	*b = (struct mock_bar){ open_ms, -1, -1, price, price, price, price, 0, 0, 0, 0, 0 };
}

/* 24 hours that lie behind us */
static void invent_day(struct mock_symbol *s)
{
	int64_t p = s->start;

	start_bar(&s->day, 0, p - between(s, -50, 50) * s->tick);
	s->day.close = p;
	s->day.high = (s->day.open > p ? s->day.open : p) + 80 * s->tick;
	s->day.low = (s->day.open < p ? s->day.open : p) - 80 * s->tick;
	s->day.first_id = s->trade.id - 1000;
	s->day.last_id = s->trade.id;
	s->day.count = 1001;
	s->day.volume = between(s, 100000, 900000) * s->step;
	s->day_first = s->day.open - s->tick;
}

/* what a trade is worth, in the units of `quote` */
static int64_t worth(const struct mock_symbol *s, int64_t price, int64_t qty)
{
	__extension__ typedef __int128 wide;

	if (s->market == MOCK_COINM)
		return (int64_t)((wide)qty * s->contract * E8 * power10(s->price_places) / price);
	wide product = (wide)price * qty;
	return (int64_t)(s->market == MOCK_SPOT ? product / E8 : product);
}

static void begin_time(struct mock_symbol *s, int64_t ms)
{
	s->engine_ms = ms;
	s->day.open_ms = floor_to(ms, 60000) - 86400000;
	for (int i = 0; i < MOCK_INTERVALS; i++)
		start_bar(&s->bar[i], bar_start(i, ms), s->start);
}

static void begin_symbol(struct mock_walk *w, struct mock_symbol *s)
{
	struct span name = span_of(s->name);

	s->random = span_hash(name, w->seed * 3 + (uint64_t)s->market + SPAN_HASH);
	s->start += between(s, -200, 200) * s->tick;
	s->trade.id = between(s, 1000000000, 8000000000);
	s->agg.id = between(s, 100000000, 3000000000);
	s->trade.price = s->start;
	s->trade.kind = "MARKET";
	refill(s);
	place_levels(s, s->start, s->start + s->tick);
	s->book.u = s->market == MOCK_SPOT ? between(s, 1000000, 90000000) : w->u;
	s->rate = between(s, -2000, 10000);
	s->mark = s->index = s->settle = s->start * power10(8 - s->price_places); /* until the first second is over */
	invent_day(s);
	s->day.quote = worth(s, s->day.close, s->day.volume);
	begin_time(s, w->epoch_ms);
	for (int i = 0; i < MOCK_SPEEDS; i++)
		s->seen[i] = s->before[i] = s->book;
}

void mock_walk_epoch(struct mock_walk *w, int64_t epoch_ms)
{
	w->epoch_ms = epoch_ms;
	for (size_t i = 0; i < w->symbols; i++)
		begin_time(&w->symbol[i], epoch_ms);
}

static bool good_name(struct span name)
{
	if (name.n == 0 || name.n > MOCK_SYMBOL_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		unsigned char c = (unsigned char)name.p[i];
		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'Z') && c != '_' && c < 0x80)
			return false;
	}
	return true;
}

bool mock_walk_open(struct mock_walk *w, uint64_t seed, uint64_t rate, int64_t epoch_ms)
{
	struct mock_symbol *symbol = calloc(MOCK_SYMBOLS_MAX, sizeof *symbol);

	*w = (struct mock_walk){ .symbol = symbol, .seed = seed, .rate = rate, .epoch_ms = epoch_ms };
	w->next_grid_us = GRID_US;
	w->u = 11671659685961 + (int64_t)(seed % 1000000);
	return symbol != NULL;
}

void mock_walk_close(struct mock_walk *w)
{
	free(w->symbol);
	*w = (struct mock_walk){ 0 };
}

bool mock_walk_add(struct mock_walk *w, struct span name, enum mock_market market, const char **why)
{
	if (!good_name(name)) {
		*why = "not a symbol (capitals, digits, '_', at most 64 bytes)";
		return false;
	}
	struct mock_symbol *s = &w->symbol[w->symbols];
	if (w->symbols == MOCK_SYMBOLS_MAX) {
		*why = "too many symbols";
		return false;
	}
	*s = (struct mock_symbol){ .market = market };
	memcpy(s->name, name.p, name.n);
	mock_lower(name, s->lower);
	if (mock_walk_find(w, span_of(s->lower), market)) {
		*why = "the symbol is there already";
		return false;
	}
	split_name(s, name);
	shape_symbol(s, shape_of(name));
	begin_symbol(w, s);
	w->symbols++;
	return true;
}

struct mock_symbol *mock_walk_find(const struct mock_walk *w, struct span lower, enum mock_market market)
{
	for (size_t i = 0; i < w->symbols; i++)
		if (w->symbol[i].market == market && span_is(lower, w->symbol[i].lower))
			return &w->symbol[i];
	return NULL;
}

/* --- the book ------------------------------------------------------------------------------------------------ */

/* moves one side by n ticks: levels that come into sight get new quantities, the others keep theirs */
static void shift_side(struct mock_symbol *s, int side, int64_t best)
{
	struct mock_level *level = s->book.side[side];
	int64_t by = (best - level[0].price) / s->tick * (side == 0 ? 1 : -1); /* > 0: toward the other side */
	struct mock_level old[MOCK_LEVELS];

	memcpy(old, level, sizeof old);
	for (int k = 0; k < MOCK_LEVELS; k++) {
		int64_t from = k - by;
		level[k].price = best + (side == 0 ? -k : k) * s->tick;
		level[k].qty = from >= 0 && from < MOCK_LEVELS ? old[from].qty : between(s, 1, 5000) * s->step;
	}
}

static void move_book(struct mock_walk *w, struct mock_symbol *s)
{
	int64_t bid = s->book.side[0][0].price + between(s, -2, 2) * s->tick;
	int64_t lowest = s->start / 2 > 30 * s->tick ? s->start / 2 : 30 * s->tick;

	if (bid < lowest)
		bid += 3 * s->tick;
	if (bid > s->start * 2)
		bid -= 3 * s->tick;
	int64_t spread = between(s, 0, 7) == 0 ? between(s, 2, 4) : 1;
	shift_side(s, 0, bid);
	shift_side(s, 1, bid + spread * s->tick);
	s->book.side[between(s, 0, 1)][between(s, 0, 4)].qty = between(s, 1, 9000) * s->step;
	/* the futures' counter belongs to the matching system and jumps; spot counts by symbol */
	if (s->market == MOCK_SPOT)
		s->book.u += between(s, 1, 9);
	else
		s->book.u = w->u += between(s, 1, 900);
}

/* --- trades -------------------------------------------------------------------------------------------------- */

static void grow_bar(struct mock_bar *b, const struct mock_symbol *s)
{
	int64_t value = worth(s, s->trade.price, s->trade.qty);

	if (b->count == 0)
		b->first_id = s->trade.id;
	b->last_id = s->trade.id;
	b->count++;
	b->close = s->trade.price;
	b->high = b->high > b->close ? b->high : b->close;
	b->low = b->low < b->close ? b->low : b->close;
	b->volume += s->trade.qty;
	b->quote += value;
	if (!s->trade.maker) {
		b->taker_volume += s->trade.qty;
		b->taker_quote += value;
	}
}

static void give(struct mock_walk *w, struct mock_symbol *s, enum mock_slot slot)
{
	w->event(w->ctx, w, s, s->market, slot);
}

static void give_trade(struct mock_walk *w, struct mock_symbol *s)
{
	s->trade.id++;
	s->trade.qty = between(s, 1, 400) * s->step;
	s->trade.kind = s->market != MOCK_SPOT && between(s, 0, 39) == 0 ? "RPI" : "MARKET";
	for (int i = 0; i < MOCK_INTERVALS; i++)
		grow_bar(&s->bar[i], s);
	grow_bar(&s->day, s);
	s->changed = true;
	give(w, s, MOCK_TRADE);
}

/* placeholder trades have an id and nothing else (bnc-wire(7) 2.3) */
static void give_placeholder(struct mock_walk *w, struct mock_symbol *s)
{
	int64_t price = s->trade.price;

	s->trade.id++;
	s->trade.kind = "NA";
	s->trade.price = s->trade.qty = 0;
	give(w, s, MOCK_TRADE);
	s->trade.price = price;
}

static void trade(struct mock_walk *w, struct mock_symbol *s)
{
	int64_t fills = between(s, 1, 3);
	int64_t delay = between(s, 0, 9) == 0 ? between(s, 0, 100) : 0;

	s->trade.maker = between(s, 0, 1) == 1; /* the buyer was maker: the aggressor sold, at the bid */
	s->trade.price = s->book.side[s->trade.maker ? 0 : 1][0].price;
	s->trade.ms = s->engine_ms;
	s->agg.id++;
	s->agg.first = s->trade.id + 1;
	s->agg.qty = s->agg.net = 0;
	for (int64_t i = 0; i < fills; i++) {
		give_trade(w, s);
		s->agg.qty += s->trade.qty;
		s->agg.net += s->trade.kind[0] == 'R' ? 0 : s->trade.qty;
	}
	s->agg.last = s->trade.id;
	s->agg.price = s->trade.price;
	s->agg.maker = s->trade.maker;
	/* an aggregate waits for more fills: its event is later than its trade */
	s->agg.ms = s->trade.ms - delay > s->agg.ms ? s->trade.ms - delay : s->agg.ms;
	give(w, s, MOCK_AGG);
	if (s->market == MOCK_USDM && between(s, 0, 59) == 0)
		give_placeholder(w, s);
}

/* at most the latest liquidation of a symbol in a second is told (bnc-wire(7) 2.8) */
static void liquidate(struct mock_walk *w, struct mock_symbol *s)
{
	bool due = between(s, 0, 39) == 0;
	int64_t now = mock_walk_ms(w);

	if (!due || s->market == MOCK_SPOT || now - s->force.ms < 1000)
		return;
	s->force.sell = between(s, 0, 1) == 1;
	s->force.average = s->trade.price;
	s->force.price = s->trade.price + (s->force.sell ? -20 : 20) * s->tick;
	s->force.qty = between(s, 10, 9000) * s->step;
	s->force.ms = now;
	give(w, s, MOCK_FORCE);
	w->event(w->ctx, w, s, MOCK_MARKETS, MOCK_FORCE);
}

/* one symbol's turn */
static void turn(struct mock_walk *w)
{
	struct mock_symbol *s = &w->symbol[w->turns % w->symbols];

	w->turns++;
	int64_t engine = mock_walk_ms(w) - between(s, 0, 1);
	s->engine_ms = engine > s->engine_ms ? engine : s->engine_ms;
	move_book(w, s);
	give(w, s, MOCK_BOOK);
	trade(w, s);
	liquidate(w, s);
}

/* --- what comes by the clock --------------------------------------------------------------------------------- */

static void mark(struct mock_symbol *s)
{
	int64_t to8 = power10(8 - s->price_places);
	int64_t middle = (s->book.side[0][0].price + s->book.side[1][0].price) / 2;

	s->mark = middle * to8 + between(s, 0, to8 - 1);
	s->index = s->mark + between(s, -9, 9) * (to8 * s->tick / 4 + 1);
	s->settle = s->mark + between(s, -9, 9) * (to8 * s->tick / 4 + 1);
	s->rate += between(s, -5, 5);
}

static void close_bars(struct mock_walk *w, struct mock_symbol *s)
{
	int64_t now = mock_walk_ms(w);

	for (int i = 0; i < MOCK_INTERVALS; i++) {
		int64_t start = bar_start(i, now);
		if (start <= s->bar[i].open_ms)
			continue;
		s->ended[i] = s->bar[i];
		start_bar(&s->bar[i], start, s->ended[i].close);
		s->closing = true;
		give(w, s, MOCK_KLINE + (enum mock_slot)i);
		s->closing = false;
	}
}

static void give_bars(struct mock_walk *w, struct mock_symbol *s)
{
	for (int i = 0; i < MOCK_INTERVALS; i++)
		give(w, s, MOCK_KLINE + (enum mock_slot)i);
}

static void give_depth(struct mock_walk *w, struct mock_symbol *s, int speed)
{
	s->before[speed] = s->seen[speed];
	s->seen[speed] = s->book;
	for (int kind = 0; kind < 4; kind++)
		give(w, s, MOCK_DEPTH + (enum mock_slot)(3 * kind + speed));
}

/* the update speeds of bnc-wire(7) section 2, `n` grid steps since the beginning */
static void symbol_clock(struct mock_walk *w, struct mock_symbol *s, int64_t n)
{
	bool spot = s->market == MOCK_SPOT;

	close_bars(w, s);
	if (n % 2 == 0)
		give_depth(w, s, 1);
	if (n % (spot ? 20 : 5) == 0)
		give_depth(w, s, 0);
	if (n % 10 == 0 && !spot)
		give_depth(w, s, 2);
	if (n % (spot ? 40 : 5) == 0)
		give_bars(w, s);
	else if (spot && n % 20 == 0)
		give(w, s, MOCK_KLINE);
	if (n % 20 == 0 && !spot) {
		mark(s);
		give(w, s, MOCK_MARK_1S);
		if (n % 60 == 0)
			give(w, s, MOCK_MARK_3S);
	}
	if (n % (spot ? 20 : 40) == 0) {
		give(w, s, MOCK_MINI);
		give(w, s, MOCK_TICKER);
	}
}

/* !bookTicker: its update speed is 5 s by the kits' documents, one object a frame */
static void all_books(struct mock_walk *w)
{
	for (size_t i = 0; i < w->symbols; i++)
		if (w->symbol[i].market != MOCK_SPOT)
			w->event(w->ctx, w, &w->symbol[i], MOCK_MARKETS, MOCK_BOOK);
}

static void all_clock(struct mock_walk *w, int64_t n)
{
	if (n % 100 == 0)
		all_books(w);
	if (n % 20 != 0)
		return;
	for (unsigned market = 0; market < MOCK_MARKETS; market++) {
		w->event(w->ctx, w, NULL, (enum mock_market)market, MOCK_MINI);
		if (market == MOCK_SPOT)
			continue;
		w->event(w->ctx, w, NULL, (enum mock_market)market, MOCK_TICKER);
		w->event(w->ctx, w, NULL, (enum mock_market)market, MOCK_MARK_1S);
		if (n % 60 == 0)
			w->event(w->ctx, w, NULL, (enum mock_market)market, MOCK_MARK_3S);
	}
	for (size_t i = 0; i < w->symbols; i++)
		w->symbol[i].changed = false;
}

static void grid(struct mock_walk *w)
{
	int64_t n = w->next_grid_us / GRID_US;

	for (size_t i = 0; i < w->symbols; i++)
		symbol_clock(w, &w->symbol[i], n);
	all_clock(w, n);
	w->next_grid_us += GRID_US;
}

/* --- time ---------------------------------------------------------------------------------------------------- */

static int64_t next_turn_us(const struct mock_walk *w)
{
	__extension__ typedef unsigned __int128 wide;

	if (w->symbols == 0 || w->rate == 0)
		return INT64_MAX;
	return (int64_t)((wide)(w->turns + 1) * 1000000000u / ((wide)w->rate * w->symbols));
}

int64_t mock_walk_next(const struct mock_walk *w)
{
	int64_t t = next_turn_us(w);

	return t < w->next_grid_us ? t : w->next_grid_us;
}

void mock_walk_run(struct mock_walk *w)
{
	int64_t t = next_turn_us(w);

	if (t <= w->next_grid_us) {
		w->now_us = t;
		turn(w);
	} else {
		w->now_us = w->next_grid_us;
		grid(w);
	}
}
