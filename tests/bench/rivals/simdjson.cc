/* What bnc-normalize makes of a bookTicker, by simdjson on demand: it does not look at what it is not asked for, so a
 * malformed line may pass. Symbols are taken to be without escapes, numbers to be below 9e10 with eight decimals. */
#include <simdjson.h>

#include "rival.h"

using simdjson::ondemand::document_stream;

static rival_text text_of(std::string_view s)
{
	return rival_text{ s.data(), s.size() };
}

static void take(rival *r, simdjson::ondemand::document_reference line)
{
	rival_book b;

	if (std::string_view(line["e"]) != "bookTicker")
		return;
	b.pair = text_of(line["s"]);
	b.bid = text_of(line["b"]);
	b.bid_qty = text_of(line["B"]);
	b.ask = text_of(line["a"]);
	b.ask_qty = text_of(line["A"]);
	b.time = line["E"];
	rival_record(r, &b);
}

int main()
{
	simdjson::ondemand::parser parser;
	rival r;
	size_t n;

	if (!rival_open(&r))
		return 3;
	while ((n = rival_fill(&r)) > 0) {
		document_stream lines = parser.iterate_many(r.in, n, RIVAL_BLOCK);
		for (auto line : lines)
			take(&r, line.value());
		rival_drop(&r, n);
	}
	rival_flush(&r);
	return 0;
}
