#include "binance_track.h"

#include <stdlib.h>

#include "jsonw.h"
#include "scan.h"
#include "when.h"

#define BUCKETS (2u * BINANCE_TRACK_STREAMS)

/* ------------------------------------------------------------------------------------------------- streams */

static bool is_named(const struct binance_track_stream *s, enum event_market m, struct span name)
{
	return s->market == m && span_eq((struct span){ s->name, s->n }, name);
}

/* where it is, or where it goes; there is always a free one */
static uint32_t *bucket_of(const struct binance_track *t, enum event_market m, struct span name)
{
	uint64_t b = span_hash(name, SPAN_HASH ^ (uint64_t)m);

	while (t->bucket[b % BUCKETS] && !is_named(&t->stream[t->bucket[b % BUCKETS] - 1], m, name))
		b++;
	return &t->bucket[b % BUCKETS];
}

long binance_track_find(const struct binance_track *t, enum event_market m, struct span name)
{
	return (long)*bucket_of(t, m, name) - 1;
}

static bool make_room(struct binance_track *t)
{
	size_t cap = t->cap ? 2 * t->cap : 64;
	void *more = t->streams < t->cap ? t->stream : realloc(t->stream, cap * sizeof *t->stream);

	if (!more)
		return false;
	t->cap = t->streams < t->cap ? t->cap : cap;
	t->stream = more;
	return true;
}

static bool add(struct binance_track *t, enum event_market m, struct span name)
{
	struct binance_track_stream s = { .market = m, .kind = binance_stream_kind(m, name), .n = name.n };

	if (t->streams > BINANCE_TRACK_STREAMS || !make_room(t) || !(s.name = malloc(name.n + 1)))
		return false;
	memcpy(s.name, name.p, name.n); /* a hostile one may hold a NUL */
	s.name[name.n] = '\0';
	t->stream[t->streams++] = s;
	*bucket_of(t, m, name) = (uint32_t)t->streams;
	return true;
}

bool binance_track_open(struct binance_track *t, enum event_market market)
{
	*t = (struct binance_track){ .market = market };
	fields_open(&t->fields, binance_slot);
	t->bucket = calloc(BUCKETS, sizeof *t->bucket);
	return t->bucket && add(t, EVENT_NO_MARKET, SPAN(""));
}

void binance_track_close(struct binance_track *t)
{
	for (size_t i = 0; i < t->streams; i++)
		free(t->stream[i].name);
	free(t->stream);
	free(t->bucket);
	*t = (struct binance_track){ .market = t->market };
}

/* --------------------------------------------------------------------------------------------------- names */

/* types of events whose streams have another word (binance 2) */
static struct span channel_of(struct span type)
{
	static const struct {
		struct span type, channel;
	} channels[] = {
		{ { "markPriceUpdate", 15 }, { "markPrice", 9 } },
		{ { "depthUpdate", 11 }, { "depth", 5 } },
		{ { "24hrTicker", 10 }, { "ticker", 6 } },
		{ { "24hrMiniTicker", 14 }, { "miniTicker", 10 } },
	};

	for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
		if (span_eq(type, channels[i].type))
			return channels[i].channel;
	return type;
}

/* "btcusdt@kline_1m", "!serverShutdown", "!ticker@arr"; empty: too long */
static struct span compose(struct binance_track *t, struct span symbol, struct span type, struct span more)
{
	struct span channel = channel_of(type);
	char *out = t->name;

	if (symbol.n + channel.n + more.n + 2 > sizeof t->name)
		return SPAN("");
	for (size_t i = 0; i < symbol.n; i++)
		*out++ = symbol.p[i] >= 'A' && symbol.p[i] <= 'Z' ? (char)(symbol.p[i] - 'A' + 'a') : symbol.p[i];
	*out++ = symbol.n ? '@' : '!';
	out = jsonw_raw(jsonw_raw(out, channel), more);
	return (struct span){ t->name, (size_t)(out - t->name) };
}

/* a string; empty: it is none */
static struct span string(const struct fields *f, unsigned slot)
{
	return fields_kind(f, slot) == JSON_STRING ? fields_text(f, slot) : SPAN("");
}

/* the same of an object inside the event */
static struct span string_in(const struct fields *f, unsigned slot, const char *key)
{
	struct json_val v = { .kind = JSON_NONE };

	if (fields_kind(f, slot) == JSON_OBJECT)
		v = json_find(fields_text(f, slot), key);
	return v.kind == JSON_STRING ? json_text(v) : SPAN("");
}

/* of a bare event; empty: it is none. Spot's bookTicker and its partial books have no type (binance 1.5), and the
 * latter no symbol either. */
static struct span name_of_event(struct binance_track *t)
{
	const struct fields *f = &t->fields;
	struct span type = string(f, 'e');

	if (span_is(type, "kline")) {
		struct span interval = string_in(f, 'k', "i");
		return compose(t, string(f, 's'), interval.n ? SPAN("kline_") : type, interval);
	}
	if (span_is(type, "forceOrder"))
		return compose(t, string_in(f, 'o', "s"), type, SPAN(""));
	if (type.n)
		return compose(t, string(f, 's'), type, SPAN(""));
	if (fields_has(f, 'u') && fields_has(f, 's') && fields_has(f, 'b') && fields_has(f, 'B') &&
	    fields_has(f, 'a') && fields_has(f, 'A'))
		return compose(t, string(f, 's'), SPAN("bookTicker"), SPAN(""));
	return fields_has(f, BINANCE_LAST_UPDATE_ID) ? SPAN("!depth") : SPAN("");
}

/* ---------------------------------------------------------------------------------------------------- lines */

/* no frame; what it says is in *out already */
static bool rest(struct span line, struct binance_tracked *out)
{
	out->stream = BINANCE_TRACK_REST;
	out->event = (struct arbiter_event){ .order = ARBITER_HASHED, .id = binance_ids_hash(line), .time = -1 };
	return true;
}

static bool place(struct binance_track *t, enum event_market m, struct span name, struct binance_tracked *out)
{
	long found = binance_track_find(t, m, name);

	out->what = BINANCE_TRACK_FRAME;
	if (found < 0 && !add(t, m, name))
		return false;
	out->stream = found < 0 ? t->streams - 1 : (size_t)found;
	return true;
}

/* the gaps and outages that bnc-stream tells (bnc-event(5)) */
static void read_record(const struct fields *f, struct span line, struct binance_tracked *out)
{
	struct json_val state = { .kind = JSON_NONE };

	if (span_is(fields_text(f, BINANCE_TYPE), "status"))
		state = json_find(line, "state");
	if (state.kind == JSON_STRING && span_is(json_text(state), "gap"))
		out->what = BINANCE_TRACK_GAP;
	else if (state.kind == JSON_STRING && span_is(json_text(state), "connecting"))
		out->what = BINANCE_TRACK_CONNECTING;
	else
		return;
	out->about = string(f, BINANCE_STREAM);
}

/* EVENT_NO_MARKET: it says one that nobody knows */
static enum event_market market_of(const struct binance_track *t)
{
	const struct fields *f = &t->fields;

	return fields_has(f, BINANCE_MARKET) ? event_market(string(f, BINANCE_MARKET)) : t->market;
}

/* what a bare event consists of, where an envelope has its data */
static void be_data(struct fields *f, struct span text)
{
	struct json_val all = { text.p, (uint32_t)text.n, JSON_OBJECT, false };

	if (fields_has(f, BINANCE_DATA))
		return;
	f->v[BINANCE_DATA] = fields_kind(f, BINANCE_EVENT) == JSON_OBJECT ? f->v[BINANCE_EVENT] : all;
	f->seen[0] |= 1ULL << BINANCE_DATA;
}

/* an object, with or without an envelope; text: without the time in front */
static bool object(struct binance_track *t, struct span line, struct span text, struct binance_tracked *out)
{
	struct fields *f = &t->fields;

	if (!fields_read(f, text))
		return rest(line, out);
	if (fields_kind(f, BINANCE_TYPE) == JSON_STRING) {
		read_record(f, text, out);
		return rest(line, out);
	}
	enum event_market m = market_of(t);
	struct span name = fields_has(f, BINANCE_DATA) ? string(f, BINANCE_STREAM) : name_of_event(t);
	if (m == EVENT_NO_MARKET || name.n == 0 || name.n > BINANCE_NAME_MAX)
		return rest(line, out);
	be_data(f, text);
	if (!place(t, m, name, out))
		return false;
	binance_ids_read(&out->event, t->stream[out->stream].kind, m, f);
	return true;
}

/* what a stream of all symbols sends on a connection that does not name streams */
static bool array(struct binance_track *t, struct span line, struct span text, struct binance_tracked *out)
{
	struct json r;
	struct json_val v, type = { .kind = JSON_NONE };

	if (!json_check(&r, text, &v))
		return rest(line, out);
	if (json_enter_array(&r, text) && json_next_element(&r, &v) && v.kind == JSON_OBJECT)
		type = json_find(json_text(v), "e");
	struct span name = type.kind == JSON_STRING ? compose(t, SPAN(""), json_text(type), SPAN("@arr")) : SPAN("");
	if (name.n == 0)
		return rest(line, out);
	out->event = (struct arbiter_event){ .order = ARBITER_HASHED, .id = binance_ids_hash(text), .time = -1 };
	return place(t, t->market, name, out);
}

bool binance_track_line(struct binance_track *t, struct span line, struct binance_tracked *out)
{
	struct span text = line;
	int64_t us;

	*out = (struct binance_tracked){ .what = BINANCE_TRACK_LINE, .about = SPAN("") };
	if (line.n && scan_is_digit(line.p[0]) && !when_cut(line, &us, &text))
		return rest(line, out);
	/* a text ends in '\n', so that there is a first byte */
	return *scan_blanks(text.p) == '[' ? array(t, line, text, out) : object(t, line, text, out);
}
