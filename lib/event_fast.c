/* The price_update of a book as bnc-normalize writes it, in one go: most lines that go from one filter to the next. See
 * lib/fast.h. */
#include "event.h"

#include "fast.h"

/* for two readers, each of which shall be one piece */
#define FAST_INLINE inline __attribute__((always_inline))

/* from the market to the first number of the book; nearly all are of one */
static FAST_INLINE const char *market(const char *p, enum event_market *m)
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

/* the numbers of the book are looked at as the strings that they are */
static FAST_INLINE const char *book(const char *p)
{
	const char *bid = p, *ask;

	FAST_TAKE(p, fast_string(p));
	size_t bid_n = (size_t)(p - bid);
	FAST_TAKE(p, fast_text(p, "\",\"bidQty\":\""));
	FAST_TAKE(p, fast_string(p));
	FAST_TAKE(p, fast_text(p, "\",\"ask\":\""));
	ask = p;
	FAST_TAKE(p, fast_string(p));
	p = ask + fast_expect((size_t)(p - ask), bid_n);
	FAST_TAKE(p, fast_text(p, "\",\"askQty\":\""));
	FAST_TAKE(p, fast_string(p));
	return fast_text(p, "\"}\n");
}

/* price: NULL where its value is of no interest, and it may be any text */
static FAST_INLINE const char *walk(const char *p, const char *end, struct event_tick *e,
    struct dec_text *price)
{
	struct span ts;

	FAST_TAKE(p, fast_text(p, "{\"type\":\"price_update\",\"symbol\":\""));
	FAST_TAKE(p, fast_name(p, &e->symbol));
	FAST_TAKE(p, fast_text(p, "\",\"price\":\""));
	FAST_TAKE(p, price ? fast_number(p, price) : fast_string(p));
	FAST_TAKE(p, fast_text(p, "\",\"ts\":"));
	FAST_TAKE(p, fast_time(p, &ts));
	FAST_TAKE(p, fast_text(p, ",\"pair\":\""));
	FAST_TAKE(p, fast_name(p, &e->pair));
	p = e->pair.p + fast_expect(e->pair.n, e->symbol.n + 4); /* USDT, and other coins that follow the dollar */
	FAST_TAKE(p, market(p, &e->market));
	FAST_TAKE(p, book(p));
	if (scan_unlikely(p > end || e->market == EVENT_NO_MARKET))
		return NULL;
	e->ts = fast_ms(ts);
	return p;
}

const char *event_fast_tick(const char *p, const char *end, struct event_tick *e)
{
	struct dec_text price;

	FAST_TAKE(p, walk(p, end, e, &price));
	e->price = dec_of_text(&price);
	e->source = EVENT_BOOK;
	return p;
}

const char *event_fast_time(const char *p, const char *end, int64_t *ts)
{
	struct event_tick e;

	FAST_TAKE(p, walk(p, end, &e, NULL));
	*ts = e.ts;
	return p;
}
