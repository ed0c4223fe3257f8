/* bookTicker: best bid and ask. Spot sends it without e, E and T. A thin book may have an empty side: "0" or "0.00". */
#include "binance_field.h"

/* exact mid of two canonical numbers of a line into scratch */
static enum dec_result mid(struct span bid, struct span ask, char scratch[DEC_TEXT_MAX], struct span *out)
{
	struct dec b, a;
	enum dec_result r = dec_parse_padded(bid, &b);

	if (r == DEC_OK)
		r = dec_parse_padded(ask, &a);
	if (r != DEC_OK)
		return r;
	r = dec_add(b, a, &a);
	if (r == DEC_OK)
		r = dec_halve(a, &a);
	if (r == DEC_OK)
		*out = (struct span){ scratch, (size_t)(dec_print(scratch, a) - scratch) };
	return r;
}

static bool is_zero(struct span canonical)
{
	return canonical.n == 1 && canonical.p[0] == '0';
}

enum binance_result binance_book_ticker_parse(const struct fields *f, const struct binance_frame *frame,
    struct event_price *e, const char **why)
{
	if (!binance_field_common(f, frame, e, why))
		return BINANCE_REFUSED;
	if (!binance_field_amount(f, 'b', e->scratch[1], &e->book.bid))
		return binance_refuse(why, "bid price (b) is not a number from zero up");
	if (!binance_field_amount(f, 'B', e->scratch[2], &e->book.bid_qty))
		return binance_refuse(why, "bid quantity (B) is not a number from zero up");
	if (!binance_field_amount(f, 'a', e->scratch[3], &e->book.ask))
		return binance_refuse(why, "ask price (a) is not a number from zero up");
	if (!binance_field_amount(f, 'A', e->scratch[4], &e->book.ask_qty))
		return binance_refuse(why, "ask quantity (A) is not a number from zero up");
	if (is_zero(e->book.bid) || is_zero(e->book.ask))
		return BINANCE_NOTHING;
	if (mid(e->book.bid, e->book.ask, e->scratch[0], &e->price) != DEC_OK)
		return binance_refuse(why, "bid and ask are too long for an exact mid");
	e->source = EVENT_BOOK;
	return BINANCE_RECORDS;
}
