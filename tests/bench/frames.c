/* frames [-n lines] [-s seed] [-k symbols] [--mix] [--tick] [--ours] [--hostile] - frames of the exchange, one a line,
 * the same for the same options: no clock, no libc random numbers, no floating point.
 *
 * Raw bookTicker frames of USD-M symbols as the exchange's documents have them, all numbers with 8 decimals, a third of
 * them of the first 20 symbols: 159 bytes on average.
 *
 *     --mix      every type that a market stream has, and half of the symbols in the envelope of a combined stream
 *     --tick     as on the wire today: as many decimals as the symbol has, and the keys ps and st
 *     --ours     in the envelope that bnc-stream prints
 *     --hostile  the same keys and values, but the keys in another order on each line, and blanks between: nothing that
 *                learns how lines look can learn anything. What is made of them must not differ. */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "num.h"

#define SYMBOLS_MAX 5000
#define BUSY	    20 /* symbols that have a third of the traffic */
#define KEYS_MAX    32
#define OUT_BYTES   (1u << 20)
#define LINE_BYTES  4096
#define SHOWN	    8 /* decimals, without --tick */

enum kind { BOOK, AGG_TRADE, TRADE, MARK, KLINE, TICKER, MINI_TICKER, DEPTH, LIQUIDATION, KINDS };

static const struct {
	unsigned percent;
	const char *channel;
} kinds[KINDS] = {
	[BOOK] = { 70, "bookTicker" }, [AGG_TRADE] = { 14, "aggTrade" },     [TRADE] = { 3, "trade" },
	[MARK] = { 6, "markPrice@1s" }, [KLINE] = { 2, "kline_1m" },	     [TICKER] = { 1, "ticker" },
	[MINI_TICKER] = { 1, "miniTicker" }, [DEPTH] = { 2, "depth@100ms" }, [LIQUIDATION] = { 1, "forceOrder" },
};

struct symbol {
	char name[16], lower[16];
	unsigned decimals, quantity_decimals;
	int64_t price; /* in steps of 10^-decimals */
	uint64_t spread, trade, fill;
	bool wrapped;
};

struct frames {
	uint64_t lines, seed, symbols;
	bool mix, tick, ours, hostile;

	uint64_t random;
	uint64_t spite; /* random numbers of --hostile alone: the values do not depend on it */
	uint64_t update, time;
	struct symbol *symbol; /* owned */
};

/* ------------------------------------------------------------------------------------------------ random numbers */

static uint64_t next(uint64_t *state) /* xorshift64* */
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717u;
}

static uint64_t below(uint64_t *state, uint64_t n)
{
	return ((next(state) >> 32) * n) >> 32;
}

static uint64_t draw(struct frames *f, uint64_t n)
{
	return below(&f->random, n);
}

/* ---------------------------------------------------------------------------------------------------------- text */

/* an object that is being written: where each of its members begins, so that they can change places */
struct object {
	char *p; /* behind what is written */
	char *member[KEYS_MAX + 1];
	size_t members;
};

static char *put(char *p, const char *text)
{
	size_t n = strlen(text);

	memcpy(p, text, n);
	return p + n;
}

static char *put_decimal(const struct frames *f, char *p, int64_t steps, unsigned decimals)
{
	uint64_t unit = num_power_of_ten[decimals], part = (uint64_t)steps % unit;
	unsigned shown = f->tick ? decimals : SHOWN;

	p = num_print_u64(p, (uint64_t)steps / unit);
	if (shown == 0)
		return p;
	*p++ = '.';
	for (unsigned i = 0; i < shown; i++)
		p[i] = '0';
	for (unsigned i = decimals; i-- > 0; part /= 10)
		p[i] = (char)('0' + part % 10);
	return p + shown;
}

static void key(struct object *o, const char *name)
{
	o->member[o->members++] = o->p;
	*o->p++ = '"';
	o->p = put(o->p, name);
	o->p = put(o->p, "\":");
}

static void word(struct object *o, const char *name, const char *value)
{
	key(o, name);
	*o->p++ = '"';
	o->p = put(o->p, value);
	*o->p++ = '"';
}

static void literal(struct object *o, const char *name, const char *value)
{
	key(o, name);
	o->p = put(o->p, value);
}

static void integer(struct object *o, const char *name, uint64_t value)
{
	key(o, name);
	o->p = num_print_u64(o->p, value);
}

static void decimal(const struct frames *f, struct object *o, const char *name, int64_t steps, unsigned decimals)
{
	key(o, name);
	*o->p++ = '"';
	o->p = put_decimal(f, o->p, steps, decimals);
	*o->p++ = '"';
}

static char *blanks(struct frames *f, char *p)
{
	static const char *const some[] = { "", "", "", " ", " ", "  ", "\t", "\r" };

	return put(p, some[below(&f->spite, 8)]);
}

/* key, colon and value of a member with blanks around each */
static char *put_member(struct frames *f, char *p, const char *member, size_t n)
{
	size_t name = (size_t)((const char *)memchr(member + 1, '"', n) + 1 - member);

	p = blanks(f, p);
	memcpy(p, member, name);
	p = blanks(f, p + name);
	*p++ = ':';
	p = blanks(f, p);
	memcpy(p, member + name + 1, n - name - 1);
	return blanks(f, p + n - name - 1);
}

static void shuffle(struct frames *f, size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i-- > 1;) {
		size_t j = below(&f->spite, i + 1), had = order[i];
		order[i] = order[j];
		order[j] = had;
	}
}

/* "{", the members with commas between, "}", at p, where none of them lies */
static char *put_object(struct frames *f, char *p, struct object *o)
{
	size_t order[KEYS_MAX];

	o->member[o->members] = o->p;
	for (size_t i = 0; i < o->members; i++)
		order[i] = i;
	if (f->hostile)
		shuffle(f, order, o->members);
	*p++ = '{';
	for (size_t i = 0; i < o->members; i++) {
		const char *member = o->member[order[i]];
		size_t n = (size_t)(o->member[order[i] + 1] - member);
		if (i > 0)
			*p++ = ',';
		if (f->hostile) {
			p = put_member(f, p, member, n);
		} else {
			memcpy(p, member, n);
			p += n;
		}
	}
	*p++ = '}';
	return p;
}

/* -------------------------------------------------------------------------------------------------------- symbols */

static bool is_taken(const struct frames *f, const struct symbol *s)
{
	for (const struct symbol *other = f->symbol; other < s; other++)
		if (strcmp(other->name, s->name) == 0)
			return true;
	return false;
}

static void name_symbol(struct frames *f, struct symbol *s, size_t i)
{
	static const char *const busy[BUSY] = { "BTC", "ETH", "BNB", "SOL", "XRP", "DOGE", "ADA", "AVAX", "LINK",
		"1000PEPE", "1000SHIB", "DOT", "MATIC", "LTC", "TRX", "UNI", "ATOM", "ETC", "FIL", "APT" };

	do {
		char *p = s->name;
		if (i < BUSY)
			p = put(p, busy[i]);
		else
			for (uint64_t n = 2 + draw(f, 4); n > 0; n--)
				*p++ = (char)('A' + draw(f, 26));
		*put(p, i % 40 == 39 ? "USDC" : "USDT") = '\0';
	} while (is_taken(f, s));
	for (size_t at = 0; s->name[at]; at++)
		s->lower[at] = (char)(s->name[at] >= 'A' ? s->name[at] + 32 : s->name[at]);
}

/* large prices have few decimals, small ones many */
static void price_symbol(struct frames *f, struct symbol *s, size_t i)
{
	static const struct {
		unsigned decimals, quantity_decimals;
		uint64_t low, high;
	} classes[] = {
		{ 2, 3, 3000000, 9900000 }, { 2, 2, 2000, 60000 }, { 3, 2, 1000, 90000 },
		{ 4, 1, 1000, 99000 },	    { 5, 1, 800, 99000 },  { 7, 0, 10000, 9000000 },
	};
	size_t class = i < 2 ? 0 : 1 + draw(f, 5);

	s->decimals = classes[class].decimals;
	s->quantity_decimals = classes[class].quantity_decimals;
	s->price = (int64_t)(classes[class].low + next(&f->random) % (classes[class].high - classes[class].low));
	s->spread = 1 + draw(f, 4);
	s->trade = 1000000 + draw(f, 900000000);
	s->fill = s->trade * 2;
	s->wrapped = f->mix && i % 2 == 1;
}

static void begin(struct frames *f)
{
	f->random = (f->seed * 0x9E3779B97F4A7C15u) | 1;
	f->spite = f->random ^ 0x5555555555555555u;
	for (int i = 0; i < 8; i++)
		next(&f->random);
	f->update = 400900217;
	f->time = f->tick || f->ours ? 1790526538938 : 1568014460891;
	f->symbol = calloc(f->symbols, sizeof *f->symbol);
	if (!f->symbol)
		exit(3);
	for (size_t i = 0; i < f->symbols; i++) {
		name_symbol(f, &f->symbol[i], i);
		price_symbol(f, &f->symbol[i], i);
	}
}

/* --------------------------------------------------------------------------------------------------------- frames */

static void price(const struct frames *f, struct object *o, const char *name, const struct symbol *s, int64_t off)
{
	decimal(f, o, name, s->price + off, s->decimals);
}

static void quantity(struct frames *f, struct object *o, const char *name, const struct symbol *s)
{
	decimal(f, o, name, (int64_t)(1 + draw(f, 200000)), s->quantity_decimals);
}

static void event_and_time(struct frames *f, struct object *o, const char *event)
{
	word(o, "e", event);
	integer(o, "E", f->time + 1 + draw(f, 4));
}

/* and the pair that a delivery contract would have apart from its name */
static void symbol_and_pair(const struct frames *f, struct object *o, const struct symbol *s)
{
	word(o, "s", s->name);
	if (f->tick)
		word(o, "ps", s->name);
}

static void book(struct frames *f, struct object *o, struct symbol *s)
{
	word(o, "e", "bookTicker");
	integer(o, "u", f->update);
	symbol_and_pair(f, o, s);
	price(f, o, "b", s, 0);
	quantity(f, o, "B", s);
	price(f, o, "a", s, (int64_t)(1 + draw(f, s->spread)));
	quantity(f, o, "A", s);
	integer(o, "T", f->time);
	integer(o, "E", f->time + 1 + draw(f, 4));
}

static void agg_trade(struct frames *f, struct object *o, struct symbol *s)
{
	uint64_t fills = 1 + draw(f, 4);

	event_and_time(f, o, "aggTrade");
	word(o, "s", s->name);
	integer(o, "a", ++s->trade);
	price(f, o, "p", s, 0);
	quantity(f, o, "q", s);
	integer(o, "f", s->fill);
	integer(o, "l", s->fill + fills - 1);
	s->fill += fills;
	integer(o, "T", f->time);
	literal(o, "m", draw(f, 2) ? "true" : "false");
}

static void trade(struct frames *f, struct object *o, struct symbol *s)
{
	event_and_time(f, o, "trade");
	integer(o, "T", f->time);
	word(o, "s", s->name);
	integer(o, "t", ++s->fill);
	price(f, o, "p", s, 0);
	quantity(f, o, "q", s);
	word(o, "X", "MARKET");
	literal(o, "m", draw(f, 2) ? "true" : "false");
}

static void mark(struct frames *f, struct object *o, struct symbol *s)
{
	word(o, "e", "markPriceUpdate");
	integer(o, "E", f->time / 1000 * 1000);
	word(o, "s", s->name);
	price(f, o, "p", s, 0);
	price(f, o, "i", s, -1);
	price(f, o, "P", s, 1);
	decimal(f, o, "r", (int64_t)(10000 + draw(f, 90000)), 8);
	integer(o, "T", f->time / 28800000 * 28800000 + 28800000);
}

static void bar(struct frames *f, struct object *o, struct symbol *s)
{
	char inner[LINE_BYTES];
	struct object k = { .p = inner };
	uint64_t start = f->time / 60000 * 60000;

	integer(&k, "t", start);
	integer(&k, "T", start + 59999);
	word(&k, "s", s->name);
	word(&k, "i", "1m");
	integer(&k, "f", s->fill);
	integer(&k, "L", s->fill + 40);
	price(f, &k, "o", s, 0);
	price(f, &k, "c", s, 1);
	price(f, &k, "h", s, 3);
	price(f, &k, "l", s, -3);
	quantity(f, &k, "v", s);
	integer(&k, "n", 41);
	literal(&k, "x", "false");
	quantity(f, &k, "q", s);
	quantity(f, &k, "V", s);
	quantity(f, &k, "Q", s);
	word(&k, "B", "0");
	event_and_time(f, o, "kline");
	word(o, "s", s->name);
	key(o, "k");
	o->p = put_object(f, o->p, &k);
}

static void day(struct frames *f, struct object *o, struct symbol *s)
{
	price(f, o, "c", s, 0);
	price(f, o, "o", s, -5);
	price(f, o, "h", s, 9);
	price(f, o, "l", s, -9);
	quantity(f, o, "v", s);
	quantity(f, o, "q", s);
}

static void ticker(struct frames *f, struct object *o, struct symbol *s)
{
	event_and_time(f, o, "24hrTicker");
	symbol_and_pair(f, o, s);
	decimal(f, o, "p", 5, s->decimals);
	word(o, "P", "1.211");
	price(f, o, "w", s, -2);
	quantity(f, o, "Q", s);
	day(f, o, s);
	integer(o, "O", f->time - 86400000);
	integer(o, "C", f->time);
	integer(o, "F", s->fill - 5000);
	integer(o, "L", s->fill);
	integer(o, "n", 5001);
}

static void mini_ticker(struct frames *f, struct object *o, struct symbol *s)
{
	event_and_time(f, o, "24hrMiniTicker");
	symbol_and_pair(f, o, s);
	day(f, o, s);
}

static void levels(struct frames *f, struct object *o, const char *name, const struct symbol *s, int64_t step)
{
	char *p;

	key(o, name);
	p = o->p;
	*p++ = '[';
	for (int64_t i = 1; i <= 2; i++) {
		p = put_decimal(f, put(p, i > 1 ? ",[\"" : "[\""), s->price + i * step, s->decimals);
		p = put_decimal(f, put(p, "\",\""), (int64_t)(1 + draw(f, 200000)), s->quantity_decimals);
		p = put(p, "\"]");
	}
	*p++ = ']';
	o->p = p;
}

static void depth(struct frames *f, struct object *o, struct symbol *s)
{
	event_and_time(f, o, "depthUpdate");
	integer(o, "T", f->time);
	symbol_and_pair(f, o, s);
	integer(o, "U", f->update - 2);
	integer(o, "u", f->update);
	integer(o, "pu", f->update - 3);
	levels(f, o, "b", s, -1);
	levels(f, o, "a", s, 1);
}

static void liquidation(struct frames *f, struct object *o, struct symbol *s)
{
	char inner[LINE_BYTES];
	struct object order = { .p = inner };

	word(&order, "s", s->name);
	word(&order, "S", "SELL");
	word(&order, "o", "LIMIT");
	word(&order, "f", "IOC");
	quantity(f, &order, "q", s);
	price(f, &order, "p", s, -2);
	price(f, &order, "ap", s, -1);
	word(&order, "X", "FILLED");
	quantity(f, &order, "l", s);
	quantity(f, &order, "z", s);
	integer(&order, "T", f->time);
	event_and_time(f, o, "forceOrder");
	key(o, "o");
	o->p = put_object(f, o->p, &order);
}

static enum kind pick_kind(struct frames *f)
{
	uint64_t at = draw(f, 100);

	for (unsigned kind = 0;; at -= kinds[kind++].percent)
		if (at < kinds[kind].percent)
			return kind;
}

/* "stream", and what bnc-stream puts in front of it */
static void envelope(const struct frames *f, struct object *o, const struct symbol *s, enum kind kind)
{
	char name[64];

	if (f->ours) {
		integer(o, "recv", (f->time + 30) * 1000 + f->update % 1000);
		word(o, "market", "usdm");
	}
	snprintf(name, sizeof name, "%s@%s", s->lower, kinds[kind].channel);
	word(o, "stream", name);
}

static char *put_frame(struct frames *f, char *p)
{
	typedef void write_kind(struct frames *, struct object *, struct symbol *);
	static write_kind *const writes[KINDS] = { book, agg_trade, trade, mark, bar, ticker, mini_ticker, depth,
		liquidation };
	char inside[LINE_BYTES], outside[LINE_BYTES];
	struct object o = { .p = inside }, around = { .p = outside };
	bool busy = draw(f, 1000) < 333;
	struct symbol *s = &f->symbol[draw(f, busy && f->symbols > BUSY ? BUSY : f->symbols)];

	f->update += 1 + draw(f, 7);
	if (draw(f, 3) == 0)
		f->time += draw(f, 3);
	int64_t step = (int64_t)draw(f, 5) - 2;
	if (s->price + step > 10)
		s->price += step;
	enum kind kind = f->mix ? pick_kind(f) : BOOK;
	writes[kind](f, &o, s);
	if (f->tick && kind != KLINE && kind != LIQUIDATION)
		integer(&o, "st", 1);
	if (!s->wrapped && !f->ours)
		return put_object(f, p, &o);
	envelope(f, &around, s, kind);
	key(&around, "data");
	around.p = put_object(f, around.p, &o);
	/* the order of an envelope's keys is the exchange's to choose as well */
	return put_object(f, p, &around);
}

static bool write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(STDOUT_FILENO, p, n);
		if (k <= 0)
			return false;
		p += k;
		n -= (size_t)k;
	}
	return true;
}

static bool run(struct frames *f)
{
	static char out[OUT_BYTES + LINE_BYTES];
	char *p = out;

	for (uint64_t i = 0; i < f->lines; i++) {
		p = put_frame(f, p);
		*p++ = '\n';
		if (p >= out + OUT_BYTES) {
			if (!write_all(out, (size_t)(p - out)))
				return false;
			p = out;
		}
	}
	return write_all(out, (size_t)(p - out));
}

/* -------------------------------------------------------------------------------------------------------- options */

static _Noreturn void usage(void)
{
	fputs("usage: frames [-n lines] [-s seed] [-k symbols] [--mix] [--tick] [--ours] [--hostile]\n", stderr);
	exit(2);
}

static uint64_t number(uint64_t least, uint64_t most)
{
	uint64_t n;

	if (!num_u64(span_of(optarg), least, most, &n))
		usage();
	return n;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mix", no_argument, NULL, 'm' },
		{ "tick", no_argument, NULL, 't' },
		{ "ours", no_argument, NULL, 'o' },
		{ "hostile", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct frames f = { .lines = 100000, .seed = 20240607, .symbols = 200 };
	int c;

	while ((c = getopt_long(argc, argv, "n:s:k:", longs, NULL)) != -1) {
		if (c == 'n')
			f.lines = number(0, UINT64_MAX);
		else if (c == 's')
			f.seed = number(0, UINT64_MAX);
		else if (c == 'k')
			f.symbols = number(1, SYMBOLS_MAX);
		else if (c == 'm')
			f.mix = true;
		else if (c == 't')
			f.tick = true;
		else if (c == 'o')
			f.ours = true;
		else if (c == 'h')
			f.hostile = true;
		else
			usage();
	}
	if (argv[optind])
		usage();
	begin(&f);
	bool good = run(&f);
	free(f.symbol);
	return good ? 0 : 1;
}
