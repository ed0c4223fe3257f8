#include "mock_name.h"

#define MINUTE 60000LL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *const mock_interval_word[MOCK_INTERVALS] = { "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h",
	"8h", "12h", "1d", "3d", "1w", "1M" };
const int64_t mock_interval_ms[MOCK_INTERVALS] = { 1000, MINUTE, 3 * MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,
	2 * HOUR, 4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY, 0 };

int mock_interval_of(struct span word)
{
	for (int i = 0; i < MOCK_INTERVALS; i++)
		if (span_is(word, mock_interval_word[i]))
			return i;
	return -1;
}

const char *mock_market_word(enum mock_market market)
{
	static const char *const words[] = { "usdm", "coinm", "spot", "all" };

	return words[market];
}

const char *mock_tier_word(enum mock_tier tier)
{
	static const char *const words[] = { "none", "public", "market", "private" };

	return words[tier];
}

void mock_lower(struct span s, char *out)
{
	for (size_t i = 0; i < s.n; i++)
		out[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i];
}

static bool holds(struct span s, struct span part)
{
	return memmem(s.p, s.n, part.p, part.n) != NULL;
}

enum mock_tier mock_name_tier(struct span name)
{
	if (span_is(name, "!bookTicker") || holds(name, SPAN("@bookTicker")) || holds(name, SPAN("@depth")) ||
	    holds(name, SPAN("@rpiDepth")) || span_ends(name, SPAN("@trade")))
		return MOCK_TIER_PUBLIC;
	return MOCK_TIER_MARKET;
}

/* the update speeds of depth streams: none, @100ms, and on futures @500ms; -1: no such speed (@250ms is none) */
static int depth_speed(struct span s, enum mock_market market)
{
	if (!s.p)
		return 0;
	if (span_is(s, "100ms"))
		return 1;
	return span_is(s, "500ms") && market != MOCK_SPOT ? 2 : -1;
}

/* -1 for another word, else the slot */
static int depth_slot(struct span word, struct span speed_word, enum mock_market market)
{
	static const char *const words[] = { "depth", "depth5", "depth10", "depth20" };
	int speed = depth_speed(speed_word, market);

	for (int i = 0; i < 4; i++)
		if (span_is(word, words[i]))
			return speed < 0 ? -1 : MOCK_DEPTH + 3 * i + speed;
	return -1;
}

static int kline_slot(struct span word, enum mock_market market)
{
	struct span head = SPAN("kline_");

	if (!span_starts(word, head))
		return -1;
	int i = mock_interval_of((struct span){ word.p + head.n, word.n - head.n });
	return i < 0 || (i == 0 && market != MOCK_SPOT) ? -1 : MOCK_KLINE + i;
}

static int mark_slot(struct span speed)
{
	return !speed.p ? MOCK_MARK_3S : span_is(speed, "1s") ? MOCK_MARK_1S : -1;
}

/* of a stream of one symbol */
static int single_slot(struct span word, struct span more, enum mock_market market)
{
	static const struct {
		const char *word;
		int slot;
	} plain[] = {
		{ "bookTicker", MOCK_BOOK },
		{ "aggTrade", MOCK_AGG },
		{ "trade", MOCK_TRADE },
		{ "miniTicker", MOCK_MINI },
		{ "ticker", MOCK_TICKER },
		{ "forceOrder", MOCK_FORCE },
	};

	if (span_is(word, "markPrice"))
		return market == MOCK_SPOT ? -1 : mark_slot(more);
	if (span_starts(word, SPAN("depth")))
		return depth_slot(word, more, market);
	if (more.p)
		return -1;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		if (span_is(word, plain[i].word))
			return plain[i].slot == MOCK_FORCE && market == MOCK_SPOT ? -1 : plain[i].slot;
	return kline_slot(word, market);
}

/* of a stream of all symbols; spot's !bookTicker and !ticker@arr are gone (2022-12-07, 2026-03-26) */
static int all_slot(struct span name, enum mock_market market)
{
	bool spot = market == MOCK_SPOT;

	if (span_is(name, "!miniTicker@arr"))
		return MOCK_MINI;
	if (spot)
		return -1;
	if (span_is(name, "!bookTicker"))
		return MOCK_BOOK;
	if (span_is(name, "!ticker@arr"))
		return MOCK_TICKER;
	if (span_is(name, "!forceOrder@arr"))
		return MOCK_FORCE;
	if (span_is(name, "!markPrice@arr"))
		return MOCK_MARK_3S;
	return span_is(name, "!markPrice@arr@1s") ? MOCK_MARK_1S : -1;
}

bool mock_name_is_key(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9'))
			return false;
	}
	return name.n == MOCK_LISTEN_KEY;
}

static bool has_upper(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return true;
	return false;
}

bool mock_name_parse(struct span name, enum mock_market market, struct mock_name *out)
{
	int slot;

	if (name.n > 0 && name.p[0] == '!') {
		slot = all_slot(name, market);
		*out = (struct mock_name){ .all = true };
	} else {
		struct span rest;
		struct span more = { NULL, 0 };
		struct span symbol = span_cut(name, '@', &rest);
		struct span word = rest.p ? span_cut(rest, '@', &more) : rest;
		slot = symbol.n == 0 || !rest.p || has_upper(symbol) ? -1 : single_slot(word, more, market);
		*out = (struct mock_name){ .symbol = symbol };
	}
	if (slot < 0)
		return false;
	out->slot = (enum mock_slot)slot;
	return true;
}
