#include "binance_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "jsonw.h"
#include "num.h"

#define BUCKETS	   4096
#define NONE	   UINT32_MAX
#define VALUES_MAX (2 * DEC_TEXT_MAX + 24) /* two numbers and words */

struct key {
	enum binance_rows_part part;
	char name[EVENT_NAME_MAX]; /* asset or symbol */
	uint8_t n;
	char side[8]; /* of positions: BOTH, LONG, SHORT */
};

struct row {
	struct key key;
	int64_t time;	  /* ms; 0: none was said */
	struct dec a, b;  /* wallet balance; free and locked; amount and entry price */
	uint64_t touched; /* number of the event that said so, 0: an answer did */
	uint64_t listed;  /* number of the latest answer that has this row */
	uint32_t next;	  /* in its bucket */
};

/* a row as it stands in an event or an answer */
struct seen {
	struct key key;
	int64_t time;
	struct dec a, b;
	struct span text;
};

struct doubt {
	struct seen seen; /* its text is gone */
	bool missing;	  /* the answer does not have it */
	uint64_t sent;
	bool true_after_all;
	struct dec had_a, had_b; /* what was known then */
};

struct binance_rows {
	enum event_market market;
	struct row *row; /* owned */
	uint32_t rows, cap;
	uint32_t bucket[BUCKETS];
	uint64_t events, answers;
	struct doubt doubt[BINANCE_ROWS_DOUBTS];
	size_t doubts;
	char *piece; /* owned: BINANCE_ROWS_PIECE and a row */
	size_t piece_cap;
	struct binance_rows_counters counters;
};

/* --------------------------------------------------------------------------------------------------- reading */

static bool read_name(struct json_val v, char *out, size_t cap, uint8_t *n)
{
	int got = v.kind == JSON_STRING ? json_unescape(json_text(v), out, cap) : -1;

	*n = got > 0 ? (uint8_t)got : 0;
	return got > 0 && span_printable((struct span){ out, (size_t)got });
}

static bool read_number(struct json_val v, struct dec *out)
{
	return (v.kind == JSON_STRING || v.kind == JSON_INT || v.kind == JSON_NUMBER) &&
	       dec_parse(json_text(v), out) == DEC_OK;
}

/* a time in ms: an integer, or digits in quotes (binance 3.3); 0 where there is none */
static int64_t read_time(struct json_val v)
{
	int64_t t = 0;

	if (v.kind == JSON_INT || v.kind == JSON_STRING)
		(void)num_i64(json_text(v), 0, INT64_MAX, &t);
	return t;
}

static bool read_side(struct json_val v, char side[8])
{
	uint8_t n;

	if (v.kind == JSON_NONE) {
		memcpy(side, "BOTH", sizeof "BOTH");
		return true;
	}
	if (!read_name(v, side, 7, &n))
		return false;
	side[n] = '\0';
	return true;
}

/* the keys of a row, by where it stands */
struct shape {
	enum binance_rows_part part;
	const char *name, *side, *a, *b, *time; /* side, b and time may be NULL */
};

static const struct shape event_balance = { BINANCE_ROWS_BALANCES, "a", NULL, "wb", NULL, NULL };
static const struct shape event_position = { BINANCE_ROWS_POSITIONS, "s", "ps", "pa", "ep", NULL };
static const struct shape event_spot = { BINANCE_ROWS_BALANCES, "a", NULL, "f", "l", NULL };
static const struct shape answer_balance = { BINANCE_ROWS_BALANCES, "asset", NULL, "balance", NULL, "updateTime" };
static const struct shape answer_position = { BINANCE_ROWS_POSITIONS, "symbol", "positionSide", "positionAmt",
	"entryPrice", "updateTime" };
static const struct shape answer_spot = { BINANCE_ROWS_BALANCES, "asset", NULL, "free", "locked", NULL };

static bool read_row(struct seen *s, struct json_val v, const struct shape *shape, int64_t time)
{
	struct span text = json_text(v);

	*s = (struct seen){ .text = text, .time = time, .key.part = shape->part };
	if (v.kind != JSON_OBJECT ||
	    !read_name(json_find(text, shape->name), s->key.name, sizeof s->key.name, &s->key.n))
		return false;
	if (shape->side && !read_side(json_find(text, shape->side), s->key.side))
		return false;
	if (!read_number(json_find(text, shape->a), &s->a) ||
	    (shape->b && !read_number(json_find(text, shape->b), &s->b)))
		return false;
	if (shape->time)
		s->time = read_time(json_find(text, shape->time));
	return true;
}

/* an entry price without a position is nothing */
static bool is_zero(const struct seen *s)
{
	return dec_sign(s->a) == 0 && (s->key.part == BINANCE_ROWS_POSITIONS || dec_sign(s->b) == 0);
}

static bool holds_nothing(const struct row *w)
{
	return dec_sign(w->a) == 0 && (w->key.part == BINANCE_ROWS_POSITIONS || dec_sign(w->b) == 0);
}

/* --------------------------------------------------------------------------------------------------- what is known */

static uint32_t bucket_of(const struct key *k)
{
	uint64_t h = span_hash((struct span){ k->name, k->n }, SPAN_HASH ^ (uint64_t)k->part ^ (uint64_t)k->side[0] << 8);

	return (uint32_t)(h ^ h >> 32) % BUCKETS;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->part == b->part && a->n == b->n && memcmp(a->name, b->name, a->n) == 0 &&
	       strcmp(a->side, b->side) == 0;
}

static struct row *find(const struct binance_rows *r, const struct key *k)
{
	for (uint32_t i = r->bucket[bucket_of(k)]; i != NONE; i = r->row[i].next)
		if (same_key(&r->row[i].key, k))
			return &r->row[i];
	return NULL;
}

/* NULL: there is no room */
static struct row *add(struct binance_rows *r, const struct key *k)
{
	uint32_t b = bucket_of(k);

	if (r->rows == r->cap) {
		uint32_t cap = r->cap ? 2 * r->cap : 64;
		struct row *more = cap > BINANCE_ROWS_MAX ? NULL : realloc(r->row, cap * sizeof *more);
		if (!more) {
			r->counters.full++;
			return NULL;
		}
		r->row = more;
		r->cap = cap;
	}
	struct row *w = &r->row[r->rows];
	*w = (struct row){ .key = *k, .next = r->bucket[b] };
	r->bucket[b] = r->rows++;
	return w;
}

static void know(struct row *w, const struct seen *s, uint64_t touched)
{
	w->a = s->a;
	w->b = s->b;
	w->time = s->time > w->time ? s->time : w->time;
	w->touched = touched;
}

/* ------------------------------------------------------------------------------------------------------ events */

/* the event being copied, up to `at` */
struct copy {
	struct binance_rows *r;
	const char *at;
	char *out;
	int64_t time;
	size_t kept, cut;
};

static bool is_news(struct copy *c, struct json_val v, const struct shape *shape)
{
	struct binance_rows *r = c->r;
	struct seen s;

	if (!read_row(&s, v, shape, c->time)) {
		r->counters.malformed++;
		return true;
	}
	struct row *w = find(r, &s.key);
	if (w && s.time < w->time) {
		r->counters.cut++;
		return false;
	}
	w = w ? w : add(r, &s.key);
	if (w)
		know(w, &s, r->events);
	return true;
}

static void copy_up_to(struct copy *c, const char *to)
{
	c->out = (char *)memcpy(c->out, c->at, (size_t)(to - c->at)) + (to - c->at);
	c->at = to;
}

static void copy_rows(struct copy *c, struct json_val array, const struct shape *shape)
{
	struct json r;
	struct json_val v;
	bool first = true;

	if (array.kind != JSON_ARRAY || !json_enter_array(&r, json_text(array)))
		return;
	copy_up_to(c, array.p + 1);
	while (json_next_element(&r, &v)) {
		if (!is_news(c, v, shape)) {
			c->cut++;
			continue;
		}
		if (!first)
			*c->out++ = ',';
		first = false;
		c->at = v.p - (v.kind == JSON_STRING); /* whatever a row is, it is copied with its quotes */
		copy_up_to(c, v.p + v.n + (v.kind == JSON_STRING));
		c->kept++;
	}
	c->at = array.p + array.n - 1;
}

/* the arrays of an object in the order in which they stand, so that one pass copies it */
static void copy_arrays(struct copy *c, struct span object, const struct shape *balances, const struct shape *positions)
{
	struct json r;
	struct span key;
	struct json_val v;

	if (!json_enter_object(&r, object))
		return;
	while (json_next_member(&r, &key, &v)) {
		if (span_is(key, "B"))
			copy_rows(c, v, balances);
		else if (positions && span_is(key, "P"))
			copy_rows(c, v, positions);
	}
}

enum binance_rows_fate binance_rows_event(struct binance_rows *r, struct span event, char *out, size_t *n)
{
	struct json_val type = json_find(event, "e");
	struct copy c = { .r = r, .at = event.p, .out = out };

	if (type.kind != JSON_STRING)
		return BINANCE_ROWS_WHOLE;
	r->events++;
	if (span_is(json_text(type), "ACCOUNT_UPDATE")) {
		struct json_val a = json_find(event, "a");
		c.time = read_time(json_find(event, "T"));
		if (a.kind == JSON_OBJECT)
			copy_arrays(&c, json_text(a), &event_balance, &event_position);
	} else if (span_is(json_text(type), "outboundAccountPosition")) {
		c.time = read_time(json_find(event, "u"));
		copy_arrays(&c, event, &event_spot, NULL);
	}
	if (c.cut == 0)
		return BINANCE_ROWS_WHOLE;
	if (c.kept == 0)
		return BINANCE_ROWS_NONE;
	copy_up_to(&c, event.p + event.n);
	*n = (size_t)(c.out - out);
	return BINANCE_ROWS_CUT;
}

/* ----------------------------------------------------------------------------------------------------- answers */

uint64_t binance_rows_mark(const struct binance_rows *r)
{
	return r->events;
}

/* the rows of an answer, one after the other */
struct walk {
	const struct shape *shape;
	struct json json;
	int64_t time; /* of all rows; 0: each has its own */
};

static bool walk_begin(
    struct walk *w, const struct binance_rows *r, enum binance_rows_part part, struct span answer, const char **why)
{
	struct json top_json;
	struct json_val top, rows;

	*w = (struct walk){ .shape = part == BINANCE_ROWS_POSITIONS ? &answer_position : &answer_balance };
	*why = "it is no JSON";
	if (answer.n == 0 || !json_check(&top_json, answer, &top))
		return false;
	rows = top;
	if (r->market == EVENT_SPOT) {
		*why = "it has no balances";
		if (top.kind != JSON_OBJECT)
			return false;
		rows = json_find(json_text(top), "balances");
		w->time = read_time(json_find(json_text(top), "updateTime"));
		w->shape = &answer_spot;
	}
	*why = r->market == EVENT_SPOT ? "its balances are no array" : "it is no array";
	return rows.kind == JSON_ARRAY && json_enter_array(&w->json, json_text(rows));
}

/* false: the end, or (*why) a row that cannot be read */
static bool walk_next(struct walk *w, struct seen *s, const char **why)
{
	struct json_val v;

	if (!json_next_element(&w->json, &v))
		return false;
	if (read_row(s, v, w->shape, w->time))
		return true;
	*why = w->shape->part == BINANCE_ROWS_POSITIONS
		   ? "a position in it has no proper symbol, side, amount or entry price"
		   : "a balance in it has no proper asset or amount";
	return false;
}

/* is every row what it should be? */
static bool walk_all(const struct binance_rows *r, enum binance_rows_part part, struct span answer, const char **why)
{
	struct walk w;
	struct seen s;

	if (!walk_begin(&w, r, part, answer, why))
		return false;
	*why = NULL;
	while (walk_next(&w, &s, why))
		;
	return *why == NULL;
}

/* is the row of an answer older than what is known? Of the same time, what an event has said meanwhile counts. */
static bool is_old(const struct row *w, const struct seen *s, uint64_t sent)
{
	if (s->time != 0 && s->time != w->time)
		return s->time < w->time;
	return w->touched > sent;
}

/* ---------------------------------------------------------------------------------------------------- snapshots */

struct giving {
	struct binance_rows *r;
	void (*piece)(void *user, struct span data);
	void *user;
	int64_t time; /* of spot's answer */
	size_t n;     /* bytes gathered */
	bool any, given;
};

static void open_piece(struct giving *g)
{
	char *o = g->r->piece;

	if (g->r->market == EVENT_SPOT)
		o = jsonw_lit(jsonw_i64(jsonw_lit(o, "{\"updateTime\":"), g->time), ",\"balances\":[");
	else
		o = jsonw_lit(o, "[");
	g->n = (size_t)(o - g->r->piece);
	g->any = false;
}

static void close_piece(struct giving *g)
{
	char *o = g->r->piece + g->n;

	o = g->r->market == EVENT_SPOT ? jsonw_lit(o, "]}") : jsonw_lit(o, "]");
	g->piece(g->user, (struct span){ g->r->piece, (size_t)(o - g->r->piece) });
	g->given = true;
	open_piece(g);
}

static void give(struct giving *g, struct span text)
{
	if (g->any && g->n + text.n > BINANCE_ROWS_PIECE)
		close_piece(g);
	char *o = g->r->piece + g->n;
	if (g->any)
		*o++ = ',';
	o = (char *)memcpy(o, text.p, text.n) + text.n;
	g->n = (size_t)(o - g->r->piece);
	g->any = true;
}

/* room for the longest row that can be: the answer itself */
static bool make_piece(struct binance_rows *r, size_t answer)
{
	size_t want = BINANCE_ROWS_PIECE + answer + 4096;
	char *more = want > r->piece_cap ? realloc(r->piece, want) : r->piece;

	if (!more)
		return false;
	r->piece_cap = want > r->piece_cap ? want : r->piece_cap;
	r->piece = more;
	return true;
}

static bool differs(const struct row *w, const struct seen *s)
{
	if (!dec_is(w->a, s->a))
		return true;
	if (s->key.part == BINANCE_ROWS_BALANCES)
		return !dec_is(w->b, s->b);
	/* the entry price is not always written alike; so it counts only in what is new */
	return dec_sign(s->a) != 0 && s->time > w->time && !dec_is(w->b, s->b);
}

/* a doubt about this row is one no more */
static void confirm(struct binance_rows *r, const struct row *w, const struct seen *s)
{
	for (size_t i = 0; i < r->doubts; i++) {
		struct doubt *d = &r->doubt[i];
		if (!same_key(&d->seen.key, &s->key) || d->true_after_all)
			continue;
		d->true_after_all = true;
		d->had_a = w ? w->a : DEC_NIL;
		d->had_b = w ? w->b : DEC_NIL;
		d->seen.a = s->a;
		d->seen.b = s->b;
	}
}

static void snapshot_row(struct giving *g, const struct seen *s, uint64_t sent)
{
	struct binance_rows *r = g->r;
	struct row *w = find(r, &s->key);

	if (!w && is_zero(s))
		return;
	if (w)
		w->listed = r->answers;
	if (w && is_old(w, s, sent)) {
		r->counters.cut++;
		return;
	}
	if (!w || differs(w, s))
		confirm(r, w, s);
	w = w ? w : add(r, &s->key);
	if (w) {
		w->listed = r->answers;
		know(w, s, 0);
	}
	give(g, s->text);
}

/* the row that an answer would have if it had one */
static size_t zero_text(const struct binance_rows *r, const struct row *w, char *out)
{
	struct span name = { w->key.name, w->key.n };
	char *o = out;

	if (w->key.part == BINANCE_ROWS_POSITIONS) {
		o = jsonw_string(jsonw_lit(o, "{\"symbol\":"), name);
		o = jsonw_string(jsonw_lit(o, ",\"positionSide\":"), span_of(w->key.side));
		o = jsonw_lit(o, ",\"positionAmt\":\"0\",\"entryPrice\":\"0\",\"unRealizedProfit\":\"0\"");
	} else {
		o = jsonw_string(jsonw_lit(o, "{\"asset\":"), name);
		o = r->market == EVENT_SPOT ? jsonw_lit(o, ",\"free\":\"0\",\"locked\":\"0\"")
					    : jsonw_lit(o, ",\"balance\":\"0\",\"crossWalletBalance\":\"0\"");
	}
	if (r->market != EVENT_SPOT)
		o = jsonw_i64(jsonw_lit(o, ",\"updateTime\":"), w->time);
	return (size_t)(jsonw_lit(o, "}") - out);
}

static bool is_missing(const struct binance_rows *r, const struct row *w, enum binance_rows_part part, uint64_t sent)
{
	return w->key.part == part && w->listed != r->answers && !holds_nothing(w) && w->touched <= sent;
}

static void give_missing(struct giving *g, enum binance_rows_part part, uint64_t sent)
{
	struct binance_rows *r = g->r;
	char text[JSONW_STRING_MAX(EVENT_NAME_MAX) + 400];

	for (uint32_t i = 0; i < r->rows; i++) {
		struct row *w = &r->row[i];
		if (!is_missing(r, w, part, sent))
			continue;
		struct seen s = { .key = w->key, .time = w->time };
		confirm(r, w, &s);
		know(w, &s, 0);
		size_t n = zero_text(r, w, text);
		give(g, (struct span){ text, n });
	}
}

bool binance_rows_snapshot(struct binance_rows *r, enum binance_rows_part part, struct span answer, uint64_t sent,
    void (*piece)(void *user, struct span data), void *user, const char **why)
{
	struct giving g = { .r = r, .piece = piece, .user = user };
	struct walk w;
	struct seen s;

	if (!walk_all(r, part, answer, why))
		return false;
	*why = "there is no memory for it";
	if (!make_piece(r, answer.n) || !walk_begin(&w, r, part, answer, why))
		return false;
	r->answers++;
	g.time = w.time;
	open_piece(&g);
	while (walk_next(&w, &s, why))
		snapshot_row(&g, &s, sent);
	give_missing(&g, part, sent);
	if (g.any || !g.given)
		close_piece(&g);
	return true;
}

/* ------------------------------------------------------------------------------------------------------- checks */

void binance_rows_check_begin(struct binance_rows *r)
{
	r->doubts = 0;
}

static void doubt(struct binance_rows *r, const struct seen *s, bool missing, uint64_t sent)
{
	if (r->doubts == BINANCE_ROWS_DOUBTS)
		return;
	r->doubt[r->doubts++] = (struct doubt){ .seen = *s, .missing = missing, .sent = sent };
}

bool binance_rows_check(
    struct binance_rows *r, enum binance_rows_part part, struct span answer, uint64_t sent, const char **why)
{
	struct walk w;
	struct seen s;

	if (!walk_all(r, part, answer, why) || !walk_begin(&w, r, part, answer, why))
		return false;
	r->answers++;
	while (walk_next(&w, &s, why)) {
		struct row *known = find(r, &s.key);
		if (known)
			known->listed = r->answers;
		if (known ? !is_old(known, &s, sent) && differs(known, &s) : !is_zero(&s))
			doubt(r, &s, false, sent);
	}
	for (uint32_t i = 0; i < r->rows; i++)
		if (is_missing(r, &r->row[i], part, sent)) {
			s = (struct seen){ .key = r->row[i].key };
			doubt(r, &s, true, sent);
		}
	return true;
}

/* has an event come since that says as much, or more? */
static bool is_explained(const struct binance_rows *r, const struct doubt *d)
{
	const struct row *w = find(r, &d->seen.key);

	if (!w || w->touched <= d->sent)
		return false;
	return d->missing || d->seen.time == 0 || is_old(w, &d->seen, d->sent) || !differs(w, &d->seen);
}

size_t binance_rows_doubts(struct binance_rows *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->doubts; i++)
		if (!is_explained(r, &r->doubt[i]))
			r->doubt[n++] = r->doubt[i];
	r->doubts = n;
	return n;
}

size_t binance_rows_truths(const struct binance_rows *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->doubts; i++)
		n += r->doubt[i].true_after_all;
	return n;
}

static void put_values(
    enum event_market m, enum binance_rows_part part, struct dec a, struct dec b, char out[VALUES_MAX])
{
	char first[DEC_TEXT_MAX + 1], second[DEC_TEXT_MAX + 1];

	*dec_print(first, a) = '\0';
	*dec_print(second, b) = '\0';
	if (part == BINANCE_ROWS_POSITIONS)
		snprintf(out, VALUES_MAX, "%s at %s", first, second);
	else if (m == EVENT_SPOT)
		snprintf(out, VALUES_MAX, "%s free and %s locked", first, second);
	else
		snprintf(out, VALUES_MAX, "%s", first);
}

void binance_rows_truth(const struct binance_rows *r, size_t i, char text[BINANCE_ROWS_TEXT_MAX])
{
	const struct doubt *d = r->doubt;
	char has[VALUES_MAX], had[VALUES_MAX];

	for (; !d->true_after_all || i-- > 0; d++)
		;
	const struct key *k = &d->seen.key;
	put_values(r->market, k->part, d->seen.a, d->seen.b, has);
	put_values(r->market, k->part, d->had_a, d->had_b, had);
	snprintf(text, BINANCE_ROWS_TEXT_MAX, "%.*s%s%s: the exchange has %s, known was %s", (int)k->n, k->name,
	    *k->side ? " " : "", k->side, has, had);
}

/* -------------------------------------------------------------------------------------------------------- life */

const struct binance_rows_counters *binance_rows_counters(const struct binance_rows *r)
{
	return &r->counters;
}

size_t binance_rows_held(const struct binance_rows *r, enum binance_rows_part part)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->rows; i++)
		n += r->row[i].key.part == part && !holds_nothing(&r->row[i]);
	return n;
}

struct binance_rows *binance_rows_new(enum event_market m)
{
	struct binance_rows *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->market = m;
	for (size_t i = 0; i < BUCKETS; i++)
		r->bucket[i] = NONE;
	return r;
}

void binance_rows_free(struct binance_rows *r)
{
	if (!r)
		return;
	free(r->row);
	free(r->piece);
	free(r);
}
