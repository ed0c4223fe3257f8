/* event_fast - the price_update of a book, read and written in one go: most lines that go from one filter to the next. See
 * lib/fast.h; in line, since who uses it takes many lines in a row. */
#ifndef BNC_EVENT_FAST_H
#define BNC_EVENT_FAST_H

#include "event.h"
#include "fast.h"
#include "jsonw.h"

/* What event_write_price writes of a book, in two pieces: what returns from the first is where the price begins, and the
 * second wants its end. */
static FAST_INLINE char *event_fast_begin(char *out, struct span symbol)
{
	out = jsonw_short(jsonw_lit(out, "{\"type\":\"price_update\",\"symbol\":\""), symbol);
	return jsonw_lit(out, "\",\"price\":\"");
}

static FAST_INLINE char *event_fast_end(char *out, const struct event_price *e)
{
	out = jsonw_short(jsonw_lit(out, "\",\"ts\":"), e->ts);
	out = jsonw_short(jsonw_lit(out, ",\"pair\":\""), e->pair);
	if (scan_likely(e->market == EVENT_USDM)) {
		out = jsonw_lit(out, "\",\"market\":\"usdm");
	} else {
		out = jsonw_short(jsonw_lit(out, "\",\"market\":\""), event_market_name(e->market));
	}
	out = jsonw_short(jsonw_lit(out, "\",\"source\":\"book\",\"bid\":\""), e->book.bid);
	out = jsonw_short(jsonw_lit(out, "\",\"bidQty\":\""), e->book.bid_qty);
	out = jsonw_short(jsonw_lit(out, "\",\"ask\":\""), e->book.ask);
	out = jsonw_short(jsonw_lit(out, "\",\"askQty\":\""), e->book.ask_qty);
	return jsonw_lit(out, "\"}\n");
}

/* from the market to the first number of the book; nearly all are of one */
static FAST_INLINE const char *event_fast_market(const char *p, enum event_market *m)
{
	const char *usdm = fast_text(p, "\",\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"");
	struct span name;

	*m = EVENT_USDM;
	if (scan_likely(usdm != NULL))
		return usdm;
	FAST_TAKE(p, fast_text(p, "\",\"market\":\""));
	FAST_TAKE(p, fast_name(p, &name));
	*m = event_market(name);
	return fast_text(p, "\",\"source\":\"book\",\"bid\":\"");
}

/* The numbers of the book are looked at as the strings that they are. An ask is as long as its bid more often than not;
 * but where zeros at the end have been left out, not often enough to expect it. */
static FAST_INLINE const char *event_fast_book(struct fast_texts *t, const char *p)
{
	p = fast_over(t, fast_figures(p), "\",\"bidQty\":\"");
	p = fast_over(t, fast_figures(p), "\",\"ask\":\"");
	p = fast_over(t, fast_figures(p), "\",\"askQty\":\"");
	return fast_over(t, fast_figures(p), "\"}\n");
}

/* what a line says that takes the short way */
struct event_fast {
	struct span symbol, pair, price, ts;
	enum event_market market;
};

static FAST_INLINE const char *event_fast_walk(const char *p, const char *end, struct event_fast *e, bool any_price)
{
	struct fast_texts texts = fast_no_texts();

	FAST_TAKE(p, fast_text(p, "{\"type\":\"price_update\",\"symbol\":\""));
	FAST_TAKE(p, fast_name(p, &e->symbol));
	p = fast_over(&texts, p, "\",\"price\":\"");
	FAST_TAKE(p, any_price ? fast_figures(p) : fast_decimal(p, &e->price));
	p = fast_over(&texts, p, "\",\"ts\":");
	FAST_TAKE(p, fast_time(p, &e->ts));
	p = fast_over(&texts, p, ",\"pair\":\"");
	FAST_TAKE(p, fast_name(p, &e->pair));
	p = e->pair.p + fast_expect(e->pair.n, e->symbol.n + 4); /* USDT, and other coins that follow the dollar */
	FAST_TAKE(p, event_fast_market(p, &e->market));
	p = event_fast_book(&texts, p);
	return scan_unlikely(p > end || !fast_texts_good(&texts) || e->market == EVENT_NO_MARKET) ? NULL : p;
}

/* What event_read_tick does, for a line that looks as most do, p at its first byte and FAST_PAD bytes readable behind `end`:
 * gives the byte behind its '\n'. The price is one of FAST_WORD bytes at most, which dec_parse takes; fast_ms knows what
 * time ts is. NULL: it is another line, or not all of it is there; *e is of no use. */
static FAST_INLINE const char *event_fast_tick(const char *p, const char *end, struct event_fast *e)
{
	return event_fast_walk(p, end, e, false);
}

/* a sum of money, looked at as the string that it is */
static FAST_INLINE const char *event_fast_money(const char *p)
{
	return fast_figures(p + (*p == '-'));
}

/* an equity_snapshot of pairs that have a price */
static FAST_INLINE const char *event_fast_equity(const char *p, const char *end, struct span *ts)
{
	struct fast_texts texts = fast_no_texts();

	FAST_TAKE(p, fast_text(p, "{\"type\":\"equity_snapshot\",\"balance\":\""));
	p = fast_over(&texts, event_fast_money(p), "\",\"unrealizedPnl\":\"");
	p = fast_over(&texts, event_fast_money(p), "\",\"equity\":\"");
	p = fast_over(&texts, event_fast_money(p), "\",\"ts\":");
	FAST_TAKE(p, fast_time(p, ts));
	p = fast_over(&texts, p, ",\"asset\":\"");
	p = fast_over(&texts, fast_string(p), "\",\"positions\":");
	FAST_TAKE(p, fast_integer(p));
	if (*p == ',')
		p = fast_over(&texts, p, ",\"simulated\":true");
	p = fast_over(&texts, p, "}\n");
	return scan_unlikely(p > end || !fast_texts_good(&texts)) ? NULL : p;
}

/* what the line at p is, if it is one that event_fast_time takes */
enum event_fast_kind {
	EVENT_FAST_PRICE,
	EVENT_FAST_EQUITY,
};

static FAST_INLINE enum event_fast_kind event_fast_kind(const char *p)
{
	return p[sizeof "{\"type\":\"" - 1] == 'e' ? EVENT_FAST_EQUITY : EVENT_FAST_PRICE;
}

/* the same as event_fast_tick, also of a snapshot, for who wants no more than its time */
static FAST_INLINE const char *event_fast_time(const char *p, const char *end, enum event_fast_kind kind, struct span *ts)
{
	struct event_fast e;

	if (kind == EVENT_FAST_EQUITY)
		return event_fast_equity(p, end, ts);
	FAST_TAKE(p, event_fast_walk(p, end, &e, true));
	*ts = e.ts;
	return p;
}

#endif
