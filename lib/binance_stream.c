#include "binance_stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "jsonw.h"
#include "num.h"

#define USDM (1u << EVENT_USDM)
#define COINM (1u << EVENT_COINM)
#define SPOT (1u << EVENT_SPOT)
#define FUTURES (USDM | COINM)

static bool refuse(char why[256], struct span name, const char *what)
{
	snprintf(why, 256, "'%.*s' %s", (int)(name.n < 120 ? name.n : 120), name.p, what);
	return false;
}

/* ------------------------------------------------------------------------------------------------ channels */

enum form { /* what may follow the word of a channel */
	FORM_BARE,
	FORM_MARK,     /* @1s */
	FORM_INTERVAL, /* an interval, on spot also @+08:00 behind it */
	FORM_WINDOW,   /* 1h, 4h or 1d */
	FORM_DEPTH,    /* 5, 10 or 20, and a speed */
};

enum {
	QUIET = 1,
	CONFLATES = 2,
};

struct channel {
	const char *word;
	unsigned markets;
	enum form form;
	enum binance_kind kind;
	unsigned flags;
};

/* behind <symbol>@ (binance 1.2, 1.4, 2.10) */
static const struct channel of_symbol[] = {
	{ "bookTicker", FUTURES | SPOT, FORM_BARE, BINANCE_KIND_BOOK, CONFLATES },
	{ "aggTrade", FUTURES | SPOT, FORM_BARE, BINANCE_KIND_AGG_TRADE, 0 },
	{ "trade", FUTURES | SPOT, FORM_BARE, BINANCE_KIND_TRADE, 0 },
	{ "markPrice", FUTURES, FORM_MARK, BINANCE_KIND_MARK, CONFLATES },
	{ "indexPrice", COINM, FORM_MARK, BINANCE_KIND_OTHER, 0 },
	{ "depth", FUTURES | SPOT, FORM_DEPTH, BINANCE_KIND_DEPTH, 0 },
	{ "rpiDepth@500ms", USDM, FORM_BARE, BINANCE_KIND_DEPTH, 0 },
	{ "kline_", FUTURES | SPOT, FORM_INTERVAL, BINANCE_KIND_OTHER, 0 },
	{ "continuousKline_", FUTURES, FORM_INTERVAL, BINANCE_KIND_OTHER, 0 },
	{ "indexPriceKline_", COINM, FORM_INTERVAL, BINANCE_KIND_OTHER, 0 },
	{ "markPriceKline_", COINM, FORM_INTERVAL, BINANCE_KIND_OTHER, 0 },
	{ "miniTicker", FUTURES | SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "ticker", FUTURES | SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "ticker_", SPOT, FORM_WINDOW, BINANCE_KIND_OTHER, 0 },
	{ "forceOrder", FUTURES, FORM_BARE, BINANCE_KIND_OTHER, QUIET },
	{ "compositeIndex", USDM, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "assetIndex", USDM, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "avgPrice", SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "referencePrice", SPOT, FORM_BARE, BINANCE_KIND_OTHER, QUIET },
	{ "blockTrade", SPOT, FORM_BARE, BINANCE_KIND_OTHER, QUIET },
};

/* names without a symbol */
static const struct channel of_all[] = {
	{ "!bookTicker", FUTURES, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "!markPrice@arr", FUTURES, FORM_MARK, BINANCE_KIND_OTHER, 0 },
	{ "!miniTicker@arr", FUTURES | SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "!ticker@arr", FUTURES, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "!ticker_1h@arr", SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "!ticker_4h@arr", SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "!ticker_1d@arr", SPOT, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "!forceOrder@arr", FUTURES, FORM_BARE, BINANCE_KIND_OTHER, QUIET },
	{ "!contractInfo", FUTURES, FORM_BARE, BINANCE_KIND_OTHER, QUIET },
	{ "!assetIndex@arr", USDM, FORM_BARE, BINANCE_KIND_OTHER, 0 },
	{ "tradingSession", USDM, FORM_BARE, BINANCE_KIND_OTHER, QUIET },
};

/* short for what is asked for most */
static const struct {
	const char *word, *channel;
} shorthands[] = {
	{ "book", "bookTicker" },
	{ "agg", "aggTrade" },
	{ "mark", "markPrice@1s" },
	{ "mini", "miniTicker" },
};

static bool is_one_of(struct span s, const char *const *words)
{
	for (; *words; words++)
		if (span_is(s, *words))
			return true;
	return false;
}

static bool is_interval(struct span s, enum event_market m)
{
	static const char *const intervals[] = { "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h",
		"1d", "3d", "1w", "1M", NULL };

	if (m == EVENT_SPOT && span_ends(s, SPAN("@+08:00")))
		s.n -= 7;
	return is_one_of(s, intervals) || (m == EVENT_SPOT && span_is(s, "1s"));
}

static bool is_depth(struct span s, enum event_market m)
{
	static const char *const levels[] = { "", "5", "10", "20", NULL };
	struct span speed;

	if (!is_one_of(span_cut(s, '@', &speed), levels))
		return false;
	return !speed.p || span_is(speed, "100ms") || (m != EVENT_SPOT && span_is(speed, "500ms")) ||
	    (m == EVENT_USDM && span_is(speed, "0ms"));
}

static bool fits(const struct channel *c, struct span rest, enum event_market m)
{
	static const char *const windows[] = { "1h", "4h", "1d", NULL };

	switch (c->form) {
	case FORM_BARE:
		return rest.n == 0;
	case FORM_MARK:
		return rest.n == 0 || span_is(rest, "@1s");
	case FORM_INTERVAL:
		return is_interval(rest, m);
	case FORM_WINDOW:
		return is_one_of(rest, windows);
	case FORM_DEPTH:
		return is_depth(rest, m);
	}
	return false;
}

/* the row whose word begins `text`, and whose form the rest has */
static const struct channel *find_channel(const struct channel *c, size_t n, struct span text, enum event_market m)
{
	for (; n > 0; c++, n--) {
		size_t k = strlen(c->word);
		if (text.n >= k && memcmp(text.p, c->word, k) == 0 &&
		    fits(c, (struct span){ text.p + k, text.n - k }, m))
			return c;
	}
	return NULL;
}

/* the same but for upper and lower case */
static const struct channel *find_in_other_case(const struct channel *c, size_t n, struct span text)
{
	for (; n > 0; c++, n--) {
		size_t k = strlen(c->word);
		if (text.n >= k && strncasecmp(text.p, c->word, k) == 0 && memcmp(text.p, c->word, k) != 0)
			return c;
	}
	return NULL;
}

/* depth5@100ms: each frame is the whole top of the book */
static enum binance_kind kind_of(const struct channel *c, struct span text)
{
	bool partial = c->kind == BINANCE_KIND_DEPTH && span_starts(text, SPAN("depth")) && text.n > 5 &&
	    text.p[5] >= '0' && text.p[5] <= '9';

	return partial ? BINANCE_KIND_PARTIAL : c->kind;
}

enum binance_kind binance_stream_kind(enum event_market m, struct span name)
{
	struct span channel;
	const struct channel *c = NULL;

	span_cut(name, '@', &channel);
	if (channel.p && name.p[0] != '!')
		c = find_channel(of_symbol, sizeof of_symbol / sizeof of_symbol[0], channel, m);
	return c ? kind_of(c, channel) : BINANCE_KIND_OTHER;
}

/* What the exchange would acknowledge and never serve is refused where that is certain. A word that nobody knows may be
 * new there: it is taken. */
static bool check_channel(struct binance_stream *s, const struct channel *table, size_t n, struct span text,
    enum event_market m, struct span name, char why[256])
{
	char what[160];
	const struct channel *c = find_channel(table, n, text, m);

	if (c && !(c->markets & 1u << m)) {
		snprintf(what, sizeof what, "is no stream of the %s market", event_market_name(m).p);
		return refuse(why, name, what);
	}
	if (c) {
		s->known = true;
		s->kind = kind_of(c, text);
		s->quiet = c->flags & QUIET;
		s->conflates = c->flags & CONFLATES;
		return true;
	}
	if (span_starts(text, SPAN("depth")) && span_ends(text, SPAN("@250ms")))
		return refuse(why, name, "would stay silent: 250 ms is what the bare name gives");
	if (span_starts(text, SPAN("kline_")) || span_starts(text, SPAN("continuousKline_")))
		return refuse(
		    why, name, "has no interval of this market (1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M)");
	c = find_in_other_case(table, n, text);
	if (c) {
		snprintf(what, sizeof what, "would stay silent: the exchange writes %s", c->word);
		return refuse(why, name, what);
	}
	return true;
}

/* --------------------------------------------------------------------------------------------------- names */

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* bytes of the UTF-8 character at p, 0: none */
static size_t utf8(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t k = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
	uint32_t c = k <= 1 ? p[0] : p[0] & (0xffu >> (k + 1));

	if (k == 0 || k > n || p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < k; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	return c < least[k] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : k;
}

/* letters, digits, '_' and whatever is beyond ASCII; in a channel also what stream names are joined with */
static bool is_word(struct span s, const char *also)
{
	const unsigned char *p = (const unsigned char *)s.p;

	for (size_t i = 0, k; i < s.n; i += k) {
		k = utf8(p + i, s.n - i);
		bool ascii = p[i] < 0x80;
		bool plain =
		    (p[i] >= '0' && p[i] <= '9') || (lower(s.p[i]) >= 'a' && lower(s.p[i]) <= 'z') || p[i] == '_';
		if (k == 0 || (ascii && !plain && (p[i] == 0 || !strchr(also, p[i]))))
			return false;
	}
	return s.n > 0;
}

enum binance_tier binance_tier(enum event_market m, struct span name)
{
	static const char *const public[] = { "@bookTicker", "@depth", "@rpiDepth" };

	if (m != EVENT_USDM)
		return BINANCE_TIER_NONE;
	if (span_is(name, "!bookTicker") || span_ends(name, SPAN("@trade")))
		return BINANCE_TIER_PUBLIC;
	for (size_t i = 0; i < sizeof public / sizeof public[0]; i++)
		if (memmem(name.p, name.n, public[i], strlen(public[i])))
			return BINANCE_TIER_PUBLIC;
	return BINANCE_TIER_MARKET;
}

struct span binance_tier_path(enum binance_tier t)
{
	return t == BINANCE_TIER_PUBLIC ? SPAN("/public/stream")
	    : t == BINANCE_TIER_MARKET	? SPAN("/market/stream")
					: SPAN("/stream");
}

/* ---------------------------------------------------------------------------------------------------- plan */

void binance_plan_open(struct binance_plan *p, enum event_market m)
{
	*p = (struct binance_plan){ .market = m };
}

void binance_plan_close(struct binance_plan *p)
{
	for (size_t i = 0; i < p->streams; i++)
		free(p->stream[i].name);
	free(p->stream);
	free(p->route);
	free(p->bucket);
	*p = (struct binance_plan){ .market = p->market };
}

static bool is_planned(const struct binance_plan *p, struct span name)
{
	for (size_t i = 0; i < p->streams; i++)
		if (span_eq((struct span){ p->stream[i].name, p->stream[i].n }, name))
			return true;
	return false;
}

/* takes a copy of the name */
static bool append(struct binance_plan *p, struct binance_stream s, struct span name, char why[256])
{
	if (is_planned(p, name))
		return true;
	if (p->streams == BINANCE_STREAMS_MAX)
		return refuse(why, name, "is one stream too many");
	if (p->streams == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 64;
		void *more = realloc(p->stream, cap * sizeof *p->stream);
		if (!more)
			return refuse(why, name, "does not fit into memory");
		p->stream = more;
		p->cap = cap;
	}
	s.name = strndup(name.p, name.n);
	if (!s.name)
		return refuse(why, name, "does not fit into memory");
	s.n = name.n;
	s.tier = binance_tier(p->market, name);
	p->stream[p->streams++] = s;
	return true;
}

/* a whole stream name whose symbol part is in lower case already */
static bool add_name(struct binance_plan *p, struct span name, char why[256])
{
	struct binance_stream s = { 0 };
	struct span channel;
	struct span symbol = span_cut(name, '@', &channel);

	if (p->market == EVENT_SPOT && span_is(name, "!bookTicker"))
		return refuse(why, name, "is gone from spot since 2022-12-07");
	if (p->market == EVENT_SPOT && span_is(name, "!ticker@arr"))
		return refuse(why, name, "is gone from spot since 2026-03-26");
	bool all = name.n > 0 && (name.p[0] == '!' || !channel.p);
	if (!is_word(all ? name : symbol, all ? "!@+:." : "") || (!all && !is_word(channel, "@+:.")))
		return refuse(why, name, "is not the name of a stream");
	if (all && !check_channel(&s, of_all, sizeof of_all / sizeof of_all[0], name, p->market, name, why))
		return false;
	if (!all &&
	    !check_channel(&s, of_symbol, sizeof of_symbol / sizeof of_symbol[0], channel, p->market, name, why))
		return false;
	return append(p, s, name, why);
}

static struct span long_channel(struct span word)
{
	for (size_t i = 0; i < sizeof shorthands / sizeof shorthands[0]; i++)
		if (span_is(word, shorthands[i].word))
			return span_of(shorthands[i].channel);
	return word;
}

static bool add_symbol(struct binance_plan *p, struct span symbol, struct span channels, char why[256])
{
	char name[BINANCE_NAME_MAX];

	if (!is_word(symbol, ""))
		return refuse(why, symbol, "is neither a symbol nor the name of a stream");
	while (channels.p) {
		struct span channel = long_channel(span_cut(channels, ',', &channels));
		if (channel.n == 0)
			return refuse(why, channel, "is not a channel");
		if (symbol.n + 1 + channel.n > sizeof name)
			return refuse(why, symbol, "is too long");
		for (size_t i = 0; i < symbol.n; i++)
			name[i] = lower(symbol.p[i]);
		char *end = jsonw_raw(jsonw_lit(name + symbol.n, "@"), channel);
		if (!add_name(p, (struct span){ name, (size_t)(end - name) }, why))
			return false;
	}
	return true;
}

bool binance_plan_add(struct binance_plan *p, struct span operand, struct span channels, char why[256])
{
	char name[BINANCE_NAME_MAX];

	if (operand.n > sizeof name)
		return refuse(why, operand, "is too long");
	bool has_at = operand.n > 0 && memchr(operand.p, '@', operand.n);
	if (!has_at && !(operand.n > 0 && operand.p[0] == '!') && !span_is(operand, "tradingSession"))
		return add_symbol(p, operand, channels, why);
	bool in_symbol = operand.p[0] != '!' && has_at;
	for (size_t i = 0; i < operand.n; i++) {
		in_symbol = in_symbol && operand.p[i] != '@';
		name[i] = in_symbol ? lower(operand.p[i]) : operand.p[i];
	}
	return add_name(p, (struct span){ name, operand.n }, why);
}

static bool index_names(struct binance_plan *p)
{
	for (p->buckets = 64; p->buckets < 2 * p->streams;)
		p->buckets *= 2;
	p->bucket = calloc(p->buckets, sizeof *p->bucket);
	if (!p->bucket)
		return false;
	for (size_t i = 0; i < p->streams; i++) {
		size_t b = span_hash((struct span){ p->stream[i].name, p->stream[i].n }, SPAN_HASH);
		while (p->bucket[b & (p->buckets - 1)])
			b++;
		p->bucket[b & (p->buckets - 1)] = (uint32_t)i + 1;
	}
	return true;
}

/* stable: streams of a tier keep the order in which they were named */
static bool sort_by_tier(struct binance_plan *p)
{
	struct binance_stream *sorted = malloc((p->streams ? p->streams : 1) * sizeof *sorted);
	size_t n = 0;

	if (!sorted)
		return false;
	for (enum binance_tier t = BINANCE_TIER_NONE; t <= BINANCE_TIER_MARKET; t++)
		for (size_t i = 0; i < p->streams; i++)
			if (p->stream[i].tier == t)
				sorted[n++] = p->stream[i];
	free(p->stream);
	p->stream = sorted;
	p->cap = p->streams;
	return true;
}

bool binance_plan_ready(struct binance_plan *p)
{
	if (!sort_by_tier(p) || !index_names(p))
		return false;
	p->route = calloc(p->streams + 1, sizeof *p->route);
	if (!p->route)
		return false;
	for (size_t i = 0; i < p->streams; i++) {
		struct binance_route *r = p->routes ? &p->route[p->routes - 1] : NULL;
		if (!r || r->tier != p->stream[i].tier || r->n == BINANCE_CONN_STREAMS) {
			r = &p->route[p->routes++];
			*r = (struct binance_route){ .tier = p->stream[i].tier, .first = i };
		}
		r->n++;
	}
	return true;
}

long binance_plan_find(const struct binance_plan *p, struct span name)
{
	for (size_t b = span_hash(name, SPAN_HASH);; b++) {
		uint32_t i = p->bucket[b & (p->buckets - 1)];
		if (i == 0)
			return -1;
		if (span_eq((struct span){ p->stream[i - 1].name, p->stream[i - 1].n }, name))
			return (long)i - 1;
	}
}

/* ------------------------------------------------------------------------------------------------ messages */

int64_t binance_message_gap_us(enum event_market m)
{
	return m == EVENT_SPOT ? 500000 : 200000;
}

size_t binance_subscribe(char *out, const struct binance_plan *p, const struct binance_route *r, size_t from,
    uint64_t id, size_t *upto)
{
	size_t end = r->first + r->n;
	size_t i = from;
	char *o = jsonw_lit(out, "{\"method\":\"SUBSCRIBE\",\"params\":[");

	for (; i < end && i - from < BINANCE_BATCH_NAMES && o - out < (long)BINANCE_BATCH_BYTES; i++) {
		if (i > from)
			*o++ = ',';
		o = jsonw_string(o, (struct span){ p->stream[i].name, p->stream[i].n });
	}
	o = num_print_u64(jsonw_lit(o, "],\"id\":"), id);
	o = jsonw_lit(o, "}");
	*upto = i;
	return (size_t)(o - out);
}

/* --------------------------------------------------------------------------------------------------- hosts */

/* binance 1.1. Which of its testnets' names the exchange will keep is not known. */
struct preset {
	const char *word;
	enum event_market market;
	const char *host;
	uint16_t port;
};

static const struct preset presets[] = {
	{ "live", EVENT_USDM, "fstream.binance.com", 443 },
	{ "live", EVENT_COINM, "dstream.binance.com", 443 },
	{ "live", EVENT_SPOT, "stream.binance.com", 443 },
	{ "testnet", EVENT_USDM, "fstream.binancefuture.com", 443 },
	{ "testnet", EVENT_COINM, "dstream.binancefuture.com", 443 },
	{ "testnet", EVENT_SPOT, "stream.testnet.binance.vision", 443 },
	{ "demo", EVENT_USDM, "demo-fstream.binance.com", 443 },
	{ "demo", EVENT_COINM, "dstream.binancefuture.com", 443 },
	{ "demo", EVENT_SPOT, "demo-stream.binance.com", 9443 },
};

/* events of an account, where they do not come from the host of the streams: spot's WebSocket API (binance 3.5) */
static const struct preset event_presets[] = {
	{ "live", EVENT_SPOT, "ws-api.binance.com", 443 },
	{ "testnet", EVENT_SPOT, "ws-api.testnet.binance.vision", 443 },
	{ "demo", EVENT_SPOT, "demo-ws-api.binance.com", 443 },
};

static const struct preset request_presets[] = {
	{ "live", EVENT_USDM, "fapi.binance.com", 443 },
	{ "live", EVENT_COINM, "dapi.binance.com", 443 },
	{ "live", EVENT_SPOT, "api.binance.com", 443 },
	{ "testnet", EVENT_USDM, "demo-fapi.binance.com", 443 },
	{ "testnet", EVENT_COINM, "demo-dapi.binance.com", 443 },
	{ "testnet", EVENT_SPOT, "testnet.binance.vision", 443 },
	{ "demo", EVENT_USDM, "demo-fapi.binance.com", 443 },
	{ "demo", EVENT_COINM, "demo-dapi.binance.com", 443 },
	{ "demo", EVENT_SPOT, "demo-api.binance.com", 443 },
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool is_live_host(struct span host)
{
	static const char *const hosts[] = { "fstream.binance.com", "dstream.binance.com", "stream.binance.com",
		"data-stream.binance.vision", "ws-api.binance.com", NULL };

	return is_one_of(host, hosts);
}

static bool preset(struct binance_endpoint *e, const struct preset *table, size_t n, enum event_market m, struct span word)
{
	for (size_t i = 0; i < n; i++) {
		if (table[i].market != m || !span_is(word, table[i].word))
			continue;
		snprintf(e->host, sizeof e->host, "%s", table[i].host);
		e->port = table[i].port;
		e->tls = true;
		e->live = is_live_host(span_of(e->host));
		return true;
	}
	return false;
}

bool binance_is_loopback(const struct binance_endpoint *e)
{
	struct in_addr a;

	return strcmp(e->host, "localhost") == 0 ||
	       (inet_pton(AF_INET, e->host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127);
}

static bool is_host(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] == '-' || s.p[i] == '.' || (s.p[i] >= '0' && s.p[i] <= '9') ||
			(s.p[i] >= 'a' && s.p[i] <= 'z')))
			return false;
	return s.n > 0 && s.p[0] != '-' && s.p[0] != '.';
}

/* "wss://" or "ws://" cut off; false: neither */
static bool cut_scheme(struct span *rest, bool *tls)
{
	size_t n = span_starts(*rest, SPAN("wss://")) ? 6 : span_starts(*rest, SPAN("ws://")) ? 5 : 0;

	*tls = n == 6;
	*rest = (struct span){ rest->p + n, rest->n - n };
	return n > 0;
}

static bool read_url(struct binance_endpoint *e, struct span u, char why[256])
{
	struct span rest = u, port;
	uint64_t number;

	if (!cut_scheme(&rest, &e->tls))
		return refuse(why, u, "is neither live, testnet, demo nor a URL that begins wss://");
	if (span_ends(rest, SPAN("/")))
		rest.n--;
	if (memchr(rest.p, '/', rest.n) || memchr(rest.p, '?', rest.n))
		return refuse(why, u, "names a path; the stream decides that");
	if (memchr(rest.p, '[', rest.n))
		return refuse(
		    why, u, "is an IPv6 address, for which libwebsockets would not check the certificate: use a name");
	struct span host = span_cut(rest, ':', &port);
	if (host.n >= sizeof e->host)
		return refuse(why, u, "has too long a host name");
	for (size_t i = 0; i < host.n; i++)
		e->host[i] = lower(host.p[i]);
	if (!is_host((struct span){ e->host, host.n }))
		return refuse(why, u, "has no proper host name");
	if (port.p && !num_u64(port, 1, 65535, &number))
		return refuse(why, u, "has no proper port");
	e->port = port.p ? (uint16_t)number : e->tls ? 443 : 80;
	if (!e->tls && !binance_is_loopback(e))
		return refuse(why, u, "is not encrypted; ws:// is for this machine alone");
	e->live = e->tls && is_live_host((struct span){ e->host, host.n });
	return true;
}

static void name_origin(struct binance_endpoint *e, const char *scheme)
{
	snprintf(e->origin, sizeof e->origin, "%s://%s:%u", scheme, e->host, (unsigned)e->port);
}

bool binance_endpoint(struct binance_endpoint *e, enum event_market m, struct span u, char why[256])
{
	*e = (struct binance_endpoint){ 0 };
	if (!preset(e, presets, COUNT(presets), m, u) && !read_url(e, u, why))
		return false;
	name_origin(e, e->tls ? "wss" : "ws");
	return true;
}

bool binance_endpoints(struct binance_endpoint *events, struct binance_endpoint *requests, enum event_market m,
    struct span u, char why[256])
{
	*requests = (struct binance_endpoint){ 0 };
	if (!binance_endpoint(events, m, u, why))
		return false;
	if (!events->tls)
		return refuse(why, u, "is not encrypted; keys go over TLS alone: wss://");
	(void)preset(events, event_presets, COUNT(event_presets), m, u);
	name_origin(events, "wss");
	if (!preset(requests, request_presets, COUNT(request_presets), m, u))
		*requests = *events;
	name_origin(requests, "https");
	return true;
}
