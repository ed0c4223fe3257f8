/* The walk: the same seed gives the same bytes, ids rise as the exchange's do, depth events rebuild the book, and every
 * payload is JSON whose keys stand in the order of binance.md section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "json.h"
#include "mock_payload.h"
#include "num.h"

#define EPOCH 1790526480000LL

struct watch {
	struct mock_buf text; /* of the payload */
	uint64_t hash;
	uint64_t events;
	void (*see)(struct watch *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot);
	int64_t last[4];
	uint64_t seen[MOCK_MARKETS + 1][MOCK_SLOTS];
	struct mock_level book[2][256];
	size_t levels[2];
};

static void on_event(
    void *ctx, struct mock_walk *walk, struct mock_symbol *s, enum mock_market market, enum mock_slot slot)
{
	struct watch *w = ctx;

	mock_buf_clear(&w->text);
	mock_payload(&w->text, walk, s, market, slot);
	assert_false(w->text.full);
	struct span p = mock_buf_span(&w->text);
	for (size_t i = 0; i < p.n; i++)
		w->hash = (w->hash ^ (unsigned char)p.p[i]) * 0x100000001b3u;
	w->events++;
	w->seen[market][slot]++;
	/* the reader's sentinel */
	assert_true(mock_buf_room(&w->text, JSON_PAD + 1));
	memset(w->text.p + w->text.hi, 0, JSON_PAD + 1);
	w->text.p[w->text.hi] = '\n';
	if (w->see)
		w->see(w, s, market, slot);
}

static void run(struct watch *w, uint64_t seed, int64_t seconds)
{
	static const struct {
		const char *name;
		enum mock_market market;
	} symbols[] = {
		{ "SOLUSDT", MOCK_USDM },
		{ "BTCUSDT", MOCK_USDM },
		{ "\xe7\x89\x9b\xe6\x9d\xa5USDT", MOCK_USDM },
		{ "BTCUSD_PERP", MOCK_COINM },
		{ "BTCUSD_261225", MOCK_COINM },
		{ "SOLUSDT", MOCK_SPOT },
	};
	struct mock_walk walk;
	const char *why;

	w->text = mock_buf_of(1 << 20);
	w->hash = 0xcbf29ce484222325u;
	assert_true(mock_walk_open(&walk, seed, 20000, EPOCH));
	for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
		assert_true(mock_walk_add(&walk, span_of(symbols[i].name), symbols[i].market, &why));
	walk.event = on_event;
	walk.ctx = w;
	while (mock_walk_next(&walk) <= seconds * 1000000)
		mock_walk_run(&walk);
	mock_walk_close(&walk);
	mock_buf_free(&w->text);
}

static void a_seed_decides_everything(void **state)
{
	struct watch a = { .see = NULL };
	struct watch b = { .see = NULL };
	struct watch c = { .see = NULL };

	(void)state;
	run(&a, 7, 3);
	run(&b, 7, 3);
	run(&c, 8, 3);
	assert_int_equal(a.hash, b.hash);
	assert_int_equal(a.events, b.events);
	assert_true(a.hash != c.hash);
}

static void events_come_as_often_as_they_should(void **state)
{
	struct watch w = { .see = NULL };

	(void)state;
	run(&w, 1, 12);
	/* 20 a second and symbol, three symbols of USDⓈ-M */
	assert_in_range(w.seen[MOCK_USDM][MOCK_BOOK], 12 * 20 * 3 - 3, 12 * 20 * 3);
	assert_int_equal(w.seen[MOCK_USDM][MOCK_AGG], w.seen[MOCK_USDM][MOCK_BOOK]);
	assert_int_equal(w.seen[MOCK_USDM][MOCK_DEPTH + 1], 120 * 3);
	assert_int_equal(w.seen[MOCK_USDM][MOCK_DEPTH], 48 * 3);
	assert_int_equal(w.seen[MOCK_USDM][MOCK_DEPTH + 2], 24 * 3);
	assert_int_equal(w.seen[MOCK_USDM][MOCK_MARK_1S], 12 * 4); /* and the array */
	assert_int_equal(w.seen[MOCK_USDM][MOCK_MARK_3S], 4 * 4);
	assert_int_equal(w.seen[MOCK_USDM][MOCK_TICKER], 6 * 3 + 12);
	assert_int_equal(w.seen[MOCK_SPOT][MOCK_MARK_1S], 0);
	assert_int_equal(w.seen[MOCK_SPOT][MOCK_FORCE], 0);
	assert_int_equal(w.seen[MOCK_MARKETS][MOCK_BOOK], 2 * 5); /* !bookTicker */
	assert_true(w.seen[MOCK_USDM][MOCK_FORCE] > 0);
}

static int64_t integer(struct span object, const char *key)
{
	int64_t v = 0;

	assert_true(num_i64(json_text(json_find(object, key)), INT64_MIN, INT64_MAX, &v));
	return v;
}

static void see_ids(struct watch *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot)
{
	struct span p = mock_buf_span(&w->text);

	if (!s || market != MOCK_USDM || strcmp(s->name, "SOLUSDT") != 0)
		return;
	if (slot == MOCK_BOOK) {
		assert_true(integer(p, "u") > w->last[0]);
		w->last[0] = integer(p, "u");
		assert_true(integer(p, "E") >= integer(p, "T"));
	} else if (slot == MOCK_AGG) {
		assert_true(w->last[1] == 0 || integer(p, "a") == w->last[1] + 1);
		w->last[1] = integer(p, "a");
		assert_int_equal(integer(p, "l"), w->last[2]);
		assert_true(integer(p, "T") >= w->last[3]);
		w->last[3] = integer(p, "T");
	} else if (slot == MOCK_TRADE) {
		assert_true(w->last[2] == 0 || integer(p, "t") == w->last[2] + 1);
		w->last[2] = integer(p, "t");
	}
}

static void ids_rise(void **state)
{
	struct watch w = { .see = see_ids };

	(void)state;
	run(&w, 3, 20);
	assert_true(w.last[1] > 0);
}

static void see_json(struct watch *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot)
{
	struct json in;
	struct json_val v;
	struct span p = mock_buf_span(&w->text);

	(void)market;
	(void)slot;
	if (!json_check(&in, p, &v))
		fail_msg("%s in %.*s", in.why, (int)p.n, p.p);
	assert_int_equal(v.kind, s ? JSON_OBJECT : JSON_ARRAY);
}

static void every_payload_is_json(void **state)
{
	struct watch w = { .see = see_json };

	(void)state;
	run(&w, 5, 6);
	assert_true(w.events > 1000);
}

/* the keys of an object, with commas */
static void keys_of(struct span object, char *out, size_t cap)
{
	struct json in;
	struct json_val v;
	struct span key;
	size_t n = 0;

	json_enter_object(&in, object);
	while (json_next_member(&in, &key, &v) && n + key.n + 2 < cap) {
		if (n > 0)
			out[n++] = ',';
		memcpy(out + n, key.p, key.n);
		n += key.n;
	}
	out[n] = '\0';
}

static const char *expected_keys(enum mock_market market, enum mock_slot slot)
{
	static const struct {
		enum mock_slot first, last;
		const char *keys[MOCK_MARKETS];
	} rows[] = {
		{ MOCK_BOOK, MOCK_BOOK, { "e,u,s,ps,b,B,a,A,T,E,st", "e,u,s,ps,b,B,a,A,T,E,st", "u,s,b,B,a,A" } },
		{ MOCK_AGG, MOCK_AGG,
		    { "e,E,a,s,p,q,nq,f,l,T,m,st", "e,E,a,s,p,q,f,l,T,m,st", "e,E,s,a,p,q,f,l,T,m,M" } },
		{ MOCK_TRADE, MOCK_TRADE, { "e,E,T,s,t,p,q,X,m,st", "e,E,T,s,t,p,q,X,m", "e,E,s,t,p,q,T,m,M" } },
		{ MOCK_MARK_3S, MOCK_MARK_1S, { "e,E,s,p,ap,P,i,r,T,st", "e,E,s,p,ap,P,i,r,T,st", NULL } },
		{ MOCK_MINI, MOCK_MINI, { "e,E,s,ps,c,o,h,l,v,q,st", "e,E,s,ps,c,o,h,l,v,q,st", "e,E,s,c,o,h,l,v,q" } },
		{ MOCK_TICKER, MOCK_TICKER,
		    { "e,E,s,ps,p,P,w,c,Q,o,h,l,v,q,O,C,F,L,n,st", "e,E,s,ps,p,P,w,c,Q,o,h,l,v,q,O,C,F,L,n,st",
			"e,E,s,p,P,w,x,c,Q,b,B,a,A,o,h,l,v,q,O,C,F,L,n" } },
		{ MOCK_FORCE, MOCK_FORCE, { "e,E,o", "e,E,o", NULL } },
		{ MOCK_DEPTH, MOCK_PARTIAL - 1,
		    { "e,E,T,s,ps,U,u,pu,b,a,st", "e,E,T,s,ps,U,u,pu,b,a,st", "e,E,s,U,u,b,a" } },
		{ MOCK_PARTIAL, MOCK_KLINE - 1,
		    { "e,E,T,s,ps,U,u,pu,b,a,st", "e,E,T,s,ps,U,u,pu,b,a,st", "lastUpdateId,bids,asks" } },
		{ MOCK_KLINE, MOCK_SLOTS - 1, { "e,E,s,k", "e,E,s,k", "e,E,s,k" } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (slot >= rows[i].first && slot <= rows[i].last)
			return rows[i].keys[market];
	return NULL;
}

static void see_keys(struct watch *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot)
{
	char keys[128];
	struct span p = mock_buf_span(&w->text);

	if (!s)
		return;
	keys_of(p, keys, sizeof keys);
	assert_string_equal(keys, expected_keys(s->market, slot));
	if (slot >= MOCK_KLINE) {
		keys_of(json_text(json_find(p, "k")), keys, sizeof keys);
		assert_string_equal(keys, "t,T,s,i,f,L,o,c,h,l,v,n,x,q,V,Q,B");
		/* the blanks inside k are USDⓈ-M's (binance.md 2.5) */
		assert_int_equal(memmem(p.p, p.n, ", \"T\":", 6) != NULL, s->market == MOCK_USDM);
	}
	if (slot == MOCK_FORCE) {
		keys_of(json_text(json_find(p, "o")), keys, sizeof keys);
		assert_string_equal(keys, "s,S,o,f,q,p,ap,X,l,z,T,ps,st");
	}
	(void)market;
}

static void keys_stand_in_the_exchanges_order(void **state)
{
	struct watch w = { .see = see_keys };

	(void)state;
	run(&w, 9, 12);
	assert_true(w.events > 1000);
}

/* "143.07" -> 14307: SOLUSDT has two decimals in either */
static int64_t hundredths(struct json_val v)
{
	int64_t n = 0;

	for (uint32_t i = 0; i < v.n; i++)
		if (v.p[i] != '.')
			n = n * 10 + (v.p[i] - '0');
	return n;
}

/* [price, qty] levels of `key` into one side of the book, by price; quantity 0 removes */
static void apply(struct watch *w, struct span event, const char *key, int side)
{
	struct json in, pair;
	struct json_val v, price, qty;

	json_enter_array(&in, json_text(json_find(event, key)));
	while (json_next_element(&in, &v)) {
		json_enter_array(&pair, json_text(v));
		assert_true(json_next_element(&pair, &price) && json_next_element(&pair, &qty));
		int64_t p = hundredths(price);
		int64_t q = hundredths(qty);
		size_t i = 0;
		while (i < w->levels[side] && w->book[side][i].price != p)
			i++;
		if (q == 0) {
			assert_true(i < w->levels[side]);
			w->book[side][i] = w->book[side][--w->levels[side]];
			continue;
		}
		if (i == w->levels[side])
			w->levels[side]++;
		assert_true(w->levels[side] < 256);
		w->book[side][i] = (struct mock_level){ p, q };
	}
}

static void same_book(struct watch *w, const struct mock_book *book)
{
	for (int side = 0; side < 2; side++) {
		assert_int_equal(w->levels[side], MOCK_LEVELS);
		for (size_t k = 0; k < MOCK_LEVELS; k++) {
			size_t i = 0;
			while (i < w->levels[side] && w->book[side][i].price != book->side[side][k].price)
				i++;
			assert_true(i < w->levels[side]);
			assert_int_equal(w->book[side][i].qty, book->side[side][k].qty);
		}
	}
}

static void see_depth(struct watch *w, struct mock_symbol *s, enum mock_market market, enum mock_slot slot)
{
	struct span p = mock_buf_span(&w->text);

	if (!s || market != MOCK_USDM || slot != MOCK_DEPTH + 1 || strcmp(s->name, "SOLUSDT") != 0)
		return;
	if (w->last[0] == 0) { /* as a snapshot would say it */
		w->levels[0] = w->levels[1] = MOCK_LEVELS;
		memcpy(w->book[0], s->before[1].side[0], sizeof s->before[1].side[0]);
		memcpy(w->book[1], s->before[1].side[1], sizeof s->before[1].side[1]);
	} else {
		assert_int_equal(integer(p, "pu"), w->last[0]);
	}
	assert_true(integer(p, "U") > integer(p, "pu") || integer(p, "u") == integer(p, "pu"));
	assert_true(integer(p, "u") >= integer(p, "pu"));
	w->last[0] = integer(p, "u");
	apply(w, p, "b", 0);
	apply(w, p, "a", 1);
	same_book(w, &s->book);
}

static void depth_events_rebuild_the_book(void **state)
{
	struct watch w = { .see = see_depth };

	(void)state;
	run(&w, 11, 20);
	assert_true(w.last[0] > 0);
}

static void bars_end_where_the_calendar_says(void **state)
{
	(void)state;
	assert_int_equal(mock_walk_bar_end(1, 1790526480000), 1790526539999);  /* binance.md 2.5 */
	assert_int_equal(mock_walk_bar_end(15, 1788220800000), 1790812799999); /* September 2026 */
	assert_int_equal(mock_walk_bar_end(15, 1801440000000), 1803859199999); /* February 2027 */
}

static void a_symbol_must_be_one(void **state)
{
	static const char *const bad[] = { "", "solusdt", "SOL USDT", "SOL\"USDT", "SOL/USDT",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUSDT" };
	struct mock_walk w;
	const char *why;

	(void)state;
	assert_true(mock_walk_open(&w, 1, 1000, EPOCH));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(mock_walk_add(&w, span_of(bad[i]), MOCK_USDM, &why));
	assert_true(mock_walk_add(&w, SPAN("SOLUSDT"), MOCK_USDM, &why));
	assert_false(mock_walk_add(&w, SPAN("SOLUSDT"), MOCK_USDM, &why));
	assert_true(mock_walk_add(&w, SPAN("SOLUSDT"), MOCK_SPOT, &why));
	assert_non_null(mock_walk_find(&w, SPAN("solusdt"), MOCK_SPOT));
	assert_null(mock_walk_find(&w, SPAN("SOLUSDT"), MOCK_SPOT));
	mock_walk_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_decides_everything),
		cmocka_unit_test(events_come_as_often_as_they_should),
		cmocka_unit_test(ids_rise),
		cmocka_unit_test(every_payload_is_json),
		cmocka_unit_test(keys_stand_in_the_exchanges_order),
		cmocka_unit_test(depth_events_rebuild_the_book),
		cmocka_unit_test(bars_end_where_the_calendar_says),
		cmocka_unit_test(a_symbol_must_be_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
