/* bookTicker: best bid and ask. Spot sends it without e, E and T. A thin book may have an empty side: "0" or "0.00". */
#include "binance_field.h"

enum binance_result binance_book_ticker_parse(const struct fields *f, const struct binance_frame *frame,
    struct event_price *e, const char **why)
{
	struct dec_text bid, bid_qty, ask, ask_qty;
	char *end;

	if (!binance_field_common(f, frame, e, why))
		return BINANCE_REFUSED;
	if (!binance_field_price(f, 'b', e->scratch[1], &bid))
		return binance_refuse(why, "bid price (b) is not a number from zero up");
	if (!binance_field_price(f, 'B', e->scratch[2], &bid_qty))
		return binance_refuse(why, "bid quantity (B) is not a number from zero up");
	if (!binance_field_price(f, 'a', e->scratch[3], &ask))
		return binance_refuse(why, "ask price (a) is not a number from zero up");
	if (!binance_field_price(f, 'A', e->scratch[4], &ask_qty))
		return binance_refuse(why, "ask quantity (A) is not a number from zero up");
	if (binance_field_is_zero(bid.text) || binance_field_is_zero(ask.text))
		return BINANCE_NOTHING;
	if (dec_mean(&bid, &ask, e->scratch[0], &end) != DEC_OK)
		return binance_refuse(why, "bid and ask are too long for an exact mid");
	e->price = (struct span){ e->scratch[0], (size_t)(end - e->scratch[0]) };
	e->book.bid = bid.text;
	e->book.ask = ask.text;
	e->book.bid_qty = bid_qty.text;
	e->book.ask_qty = ask_qty.text;
	e->source = EVENT_BOOK;
	return BINANCE_RECORDS;
}
