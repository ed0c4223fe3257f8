#include "binance_bus.h"

#include <inttypes.h>
#include <stdio.h>

#include "jsonw.h"

enum word {
	WORD_MARKET,
	WORD_TYPE,
	WORD_PAIR,
	WORDS,
};

static const char *const words[WORDS] = { "{market}", "{type}", "{pair}" };

static enum word word_of(struct span part)
{
	enum word w = WORD_MARKET;

	while (w < WORDS && !span_is(part, words[w]))
		w++;
	return w;
}

/* ------------------------------------------------------------------------------------------------- template */

static bool plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("*>\"\\{}", s.p[i]))
			return false;
	return true;
}

/* the next part of a template, a word or the text before one */
static struct span cut_part(struct span *rest)
{
	const char *end = rest->n ? memchr(rest->p, *rest->p == '{' ? '}' : '{', rest->n) : NULL;
	size_t n = !end ? rest->n : (size_t)(end - rest->p) + (*rest->p == '{');
	struct span part = { rest->p, n };

	*rest = (struct span){ rest->p + n, rest->n - n };
	return part;
}

static bool no_empty_token(struct span t)
{
	struct span rest = t;

	while (rest.p)
		if (span_cut(rest, '.', &rest).n == 0)
			return false;
	return true;
}

static bool read_template(struct binance_bus *b, struct span t, char why[256])
{
	struct span rest = t;

	while (rest.n) {
		struct span part = cut_part(&rest);
		if (b->parts == BINANCE_BUS_PARTS || (*part.p == '{' ? word_of(part) == WORDS : !plain(part))) {
			snprintf(why, 256, "'%.*s' is no part of a subject: text, {market}, {type} and {pair} are",
			    (int)(part.n < 60 ? part.n : 60), part.p);
			return false;
		}
		b->part[b->parts++] = part;
	}
	if (t.n == 0 || t.n > 100 || !no_empty_token(t)) {
		snprintf(why, 256, "between its dots a subject has text, and at most 100 bytes in all");
		return false;
	}
	return true;
}

bool binance_bus_open(struct binance_bus *b, struct span template, enum event_market market, bool ids, char why[256])
{
	why[0] = '\0';
	b->parts = 0;
	b->ids = ids;
	fields_open(&b->record, event_slot);
	return binance_track_open(&b->track, market) && read_template(b, template, why);
}

void binance_bus_close(struct binance_bus *b)
{
	binance_track_close(&b->track);
}

bool binance_bus_wild(const struct binance_bus *b, char out[BINANCE_BUS_SUBJECT_MAX + 1])
{
	bool word = false; /* the token has one, and so is a star as a whole */
	char *p = out;

	for (size_t i = 0; i < b->parts; i++)
		for (size_t k = 0; k < b->part[i].n; k++) {
			char c = b->part[i].p[k];
			if (c == '.') {
				*p++ = c;
				word = false;
			} else if (*b->part[i].p == '{' && !word) {
				while (p > out && p[-1] != '.')
					p--;
				*p++ = '*';
				word = true;
			} else if (!word) {
				*p++ = c;
			}
		}
	*p = '\0';
	return true;
}

/* -------------------------------------------------------------------------------------------------- subject */

static bool is_safe(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '@' ||
	       c == '-';
}

/* NULL: no room */
static char *put_name(char *out, const char *end, struct span name, bool upper)
{
	bool dash = span_is(name, "-");

	if (name.n == 0 && out < end)
		*out++ = '-';
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		if (end - out < 3)
			return NULL;
		if (upper && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		if (is_safe(c) && !dash)
			*out++ = c;
		else
			out += snprintf(out, 4, "%%%02X", (unsigned char)c);
	}
	return out;
}

struct names {
	struct span name[WORDS];
	bool upper; /* the pair is to be written so */
};

static bool put_subject(const struct binance_bus *b, struct binance_bus_key *k, const struct names *n)
{
	char *p = k->subject;
	const char *end = p + BINANCE_BUS_SUBJECT_MAX;

	for (size_t i = 0; p && i < b->parts; i++) {
		struct span part = b->part[i];
		enum word w = *part.p == '{' ? word_of(part) : WORDS;
		if (w != WORDS)
			p = put_name(p, end, n->name[w], w == WORD_PAIR && n->upper);
		else
			p = (size_t)(end - p) < part.n ? NULL : jsonw_raw(p, part);
	}
	if (!p)
		return false;
	*p = '\0';
	k->subject_n = (size_t)(p - k->subject);
	return true;
}

/* ------------------------------------------------------------------------------------------------- frames */

/* one of the account's own, and answers to its requests, have no channel: what they say twice is said twice */
static bool of_market(struct span stream)
{
	return (stream.n && *stream.p == '!') || (stream.n && memchr(stream.p, '@', stream.n));
}

static void frame_id(struct binance_bus_key *k, const struct binance_track_stream *s, const struct arbiter_event *e)
{
	struct span market = event_market_name(s->market);
	char stream[3 * BINANCE_NAME_MAX + 4];
	const char *end = put_name(stream, stream + 3 * BINANCE_NAME_MAX, (struct span){ s->name, s->n }, false);
	int n;

	if (!end || end - stream > BINANCE_BUS_ID_MAX - 80)
		return;
	if (e->order == ARBITER_HASHED)
		n = snprintf(k->id, sizeof k->id, "%.*s:%.*s:%" PRId64 ":%016" PRIx64, (int)market.n, market.p,
		    (int)(end - stream), stream, e->time, e->id);
	else
		n = snprintf(k->id, sizeof k->id, "%.*s:%.*s:%" PRIu64, (int)market.n, market.p, (int)(end - stream),
		    stream, e->id);
	k->id_n = (size_t)n;
}

static bool frame(struct binance_bus *b, const struct binance_tracked *t, struct binance_bus_key *k)
{
	const struct binance_track_stream *s = &b->track.stream[t->stream];
	struct span name = { s->name, s->n }, channel;
	struct names n = { .name[WORD_MARKET] = event_market_name(s->market), .upper = true };

	k->stream = name;
	if (*name.p == '!') {
		n.name[WORD_TYPE] = (struct span){ name.p + 1, name.n - 1 };
	} else {
		n.name[WORD_PAIR] = span_cut(name, '@', &channel);
		n.name[WORD_TYPE] = channel;
		if (!channel.p) {
			n.name[WORD_TYPE] = name;
			n.name[WORD_PAIR].n = 0;
		}
	}
	if (b->ids && of_market(name))
		frame_id(k, s, &t->event);
	return put_subject(b, k, &n);
}

/* ------------------------------------------------------------------------------------------------- records */

static struct span string(const struct fields *f, unsigned slot)
{
	return fields_kind(f, slot) == JSON_STRING ? fields_text(f, slot) : (struct span){ "", 0 };
}

static bool is_id(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_safe(s.p[i]))
			return false;
	return s.n > 0 && s.n <= 64;
}

static void record_id(struct binance_bus_key *k, const struct fields *f, struct span line)
{
	struct span id =
	    fields_kind(f, EVENT_SLOT_ID) == JSON_INT ? fields_text(f, EVENT_SLOT_ID) : string(f, EVENT_SLOT_ID);

	if (is_id(id))
		k->id_n =
		    (size_t)snprintf(k->id, sizeof k->id, "%.*s:%016" PRIx64, (int)id.n, id.p, binance_ids_hash(line));
}

static bool record(struct binance_bus *b, struct span line, struct binance_bus_key *k)
{
	const struct fields *f = &b->record;
	struct names n = { .name[WORD_MARKET] = string(f, EVENT_SLOT_MARKET),
		.name[WORD_TYPE] = string(f, EVENT_SLOT_TYPE) };
	static const unsigned pair[] = { EVENT_SLOT_PAIR, EVENT_SLOT_SYMBOL, EVENT_SLOT_ASSET };

	for (size_t i = 0; i < 3 && n.name[WORD_PAIR].n == 0; i++)
		n.name[WORD_PAIR] = string(f, pair[i]);
	if (b->ids)
		record_id(k, f, line);
	return put_subject(b, k, &n);
}

bool binance_bus_line(struct binance_bus *b, struct span line, struct binance_bus_key *k, const char **why, size_t *at)
{
	struct binance_tracked t;
	bool good;

	k->id_n = 0;
	k->stream = SPAN("");
	*at = 0;
	if (!binance_track_line(&b->track, line, &t)) {
		*why = "one stream more than fit";
		return false;
	}
	if (t.what == BINANCE_TRACK_FRAME) {
		good = frame(b, &t, k);
	} else if (fields_read(&b->record, line)) {
		good = record(b, line, k);
	} else {
		*why = b->record.why;
		*at = b->record.at;
		return false;
	}
	if (!good)
		*why = "its names are too long for a subject";
	return good;
}
