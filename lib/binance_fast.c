/* The bookTicker of futures as Binance writes it, bare or in the envelopes of the exchange and of bnc-stream, from bytes to
 * record in one go: what most lines of most streams are. See lib/fast.h. */
#include "binance_field.h"

#include "event_fast.h"

/* what surrounds the event; see bnc-wire(7) */
struct wrap {
	enum event_market market;
	bool data; /* an envelope is open, and closes behind the event */
};

struct book {
	struct dec_text bid, ask;
	struct span bid_qty, ask_qty;
};

static const char *market(const char *p, struct wrap *w)
{
	struct span name;

	FAST_TAKE(p, fast_text(p, ",\"market\":\""));
	FAST_TAKE(p, fast_name(p, &name));
	w->market = event_market(name);
	return w->market == EVENT_NO_MARKET ? NULL : fast_text(p, "\",");
}

/* p behind the brace of the line -> behind that of the event */
static inline const char *open_envelope(const char *p, struct wrap *w)
{
	if (fast_text(p, "\"e\""))
		return p;
	w->data = true;
	if (fast_text(p, "\"recv\":")) {
		FAST_TAKE(p, fast_integer(p + 7));
		FAST_TAKE(p, market(p, w));
	}
	FAST_TAKE(p, fast_text(p, "\"stream\":\""));
	FAST_TAKE(p, fast_string(p));
	return fast_text(p, "\",\"data\":{");
}

/* the four numbers, from the quote in front of their keys */
static inline const char *book(struct fast_texts *t, const char *p, struct book *b)
{
	const char *bid, *ask;

	p = bid = fast_over(t, p, "\",\"b\":\"");
	FAST_TAKE(p, fast_number(p, &b->bid));
	size_t bid_n = (size_t)(p - bid);
	p = fast_over(t, p, "\",\"B\":\"");
	FAST_TAKE(p, fast_amount(p, &b->bid_qty));
	p = ask = fast_over(t, p, "\",\"a\":\"");
	FAST_TAKE(p, fast_number(p, &b->ask));
	p = ask + fast_expect((size_t)(p - ask), bid_n);
	p = fast_over(t, p, "\",\"A\":\"");
	return fast_amount(p, &b->ask_qty);
}

/* the product, where the frame says it, must be that of the market: the other one gives no record */
static inline const char *product(struct fast_texts *t, const char *p, enum event_market m)
{
	if (*p != ',')
		return p;
	return m == EVENT_COINM ? fast_over(t, p, ",\"st\":2") : fast_over(t, p, ",\"st\":1");
}

static inline const char *event(struct fast_texts *t, const char *p, const struct wrap *w, struct event_price *e,
    struct book *b, size_t *id_digits)
{
	struct span ignored;

	FAST_TAKE(p, fast_text(p, "\"e\":\"bookTicker\",\"u\":"));
	const char *id = p;
	FAST_TAKE(p, fast_integer(p));
	p = id + fast_expect((size_t)(p - id), *id_digits);
	*id_digits = (size_t)(p - id);
	p = fast_over(t, p, ",\"s\":\"");
	FAST_TAKE(p, fast_name(p, &e->pair));
	if (p[3] == 'p') {
		p = fast_over(t, p, "\",\"ps\":\"");
		FAST_TAKE(p, fast_name(p, &ignored));
	}
	FAST_TAKE(p, book(t, p, b));
	p = fast_over(t, p, "\",\"T\":");
	FAST_TAKE(p, fast_time(p, &ignored));
	p = fast_over(t, p, ",\"E\":");
	FAST_TAKE(p, fast_time(p, &e->ts));
	return product(t, p, w->market);
}

/* nearly all pairs end in USDT, and have no delivery */
static inline struct span base(const struct symbols *known, struct span pair)
{
	bool usdt = pair.n > 4 && memcmp(pair.p + pair.n - 4, "USDT", 4) == 0;

	if (scan_unlikely(known || !usdt || (fast_bytes(pair.p, '_') & ((1u << pair.n) - 1))))
		return symbol_base(known, pair);
	return (struct span){ pair.p, pair.n - 4 };
}

/* one line, for whose record there is room: gives the byte behind its '\n', or NULL */
static FAST_INLINE const char *take(struct binance *b, const char *p, const char *end, struct line_out *out)
{
	struct wrap w = { .market = b->market };
	struct fast_texts texts = fast_no_texts();
	struct event_price e;
	struct book book;

	if (scan_unlikely(*p != '{'))
		return NULL;
	FAST_TAKE(p, open_envelope(p + 1, &w));
	FAST_TAKE(p, event(&texts, p, &w, &e, &book, &b->id_digits));
	p = w.data ? fast_over(&texts, p, "}}\n") : fast_over(&texts, p, "}\n");
	bool empty = binance_field_is_zero(book.bid.text) || binance_field_is_zero(book.ask.text);
	if (scan_unlikely(p > end || !fast_texts_good(&texts) || empty || w.market == EVENT_SPOT))
		return NULL;
	e.market = w.market;
	e.book.bid = book.bid.text;
	e.book.ask = book.ask.text;
	e.book.bid_qty = book.bid_qty;
	e.book.ask_qty = book.ask_qty;
	char *mean = event_fast_begin(out->p, base(b->symbols, e.pair));
	(void)dec_mean(&book.bid, &book.ask, mean, &mean); /* of plain numbers there always is one */
	out->p = event_fast_end(mean, &e);
	return p;
}

const char *binance_fast(struct binance *b, const char *p, const char *end, struct line_out *out, struct fast *run)
{
	if (b->fills && b->fills->n > 0)
		return p;
	while (line_room(out, LINE_RECORD_MAX)) {
		fast_begin(run, p, 0);
		const char *next = take(b, p, end, out);
		if (!next)
			break;
		p = fast_behind(run, p, next, 0);
	}
	b->records += run->lines;
	out->lines += run->lines;
	return p;
}
