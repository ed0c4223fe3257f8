#include "binance_ids.h"

#include <inttypes.h>
#include <stdio.h>

#include "num.h"
#include "when.h"

/* eight bytes at a time: arrays have hundreds of kB */
uint64_t binance_ids_hash(struct span s)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ s.n;

	for (; s.n >= 8; s.p += 8, s.n -= 8) {
		uint64_t w;
		memcpy(&w, s.p, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	for (; s.n > 0; s.p++, s.n--)
		h = (h ^ (unsigned char)*s.p) * 0x100000001b3u;
	return (h ^ h >> 29) * 0xc4ceb9fe1a85ec53u;
}

static bool id(const struct fields *f, unsigned slot, uint64_t *out)
{
	return fields_kind(f, slot) == JSON_INT && num_u64(fields_text(f, slot), 0, INT64_MAX, out);
}

/* counts by one */
static bool counted(struct arbiter_event *e, const struct fields *f, unsigned slot)
{
	if (!id(f, slot, &e->id) || e->id == 0)
		return false;
	e->order = ARBITER_CHAINED;
	e->prev = e->id - 1;
	return true;
}

static bool ordered(struct arbiter_event *e, const struct fields *f, unsigned slot)
{
	e->order = ARBITER_ORDERED;
	return id(f, slot, &e->id);
}

/* binance 2.9: pu on futures; on spot U == u before + 1 */
static bool depth(struct arbiter_event *e, const struct fields *f, enum event_market m)
{
	bool known = m == EVENT_SPOT ? id(f, 'U', &e->prev) && e->prev-- > 0 : id(f, BINANCE_PU, &e->prev);

	if (!known || !id(f, 'u', &e->id))
		return ordered(e, f, 'u');
	e->order = ARBITER_CHAINED;
	return e->prev < e->id;
}

static bool numbered(struct arbiter_event *e, enum binance_kind kind, enum event_market m, const struct fields *f)
{
	switch (kind) {
	case BINANCE_KIND_AGG_TRADE:
		return counted(e, f, 'a');
	case BINANCE_KIND_TRADE:
		return counted(e, f, 't');
	case BINANCE_KIND_BOOK:
		return ordered(e, f, 'u');
	case BINANCE_KIND_PARTIAL: /* pu may be -1 (seen on COIN-M); each frame is the whole top */
		return ordered(e, f, m == EVENT_SPOT ? BINANCE_LAST_UPDATE_ID : 'u');
	case BINANCE_KIND_DEPTH:
		return depth(e, f, m);
	case BINANCE_KIND_MARK:
	case BINANCE_KIND_OTHER:
		break;
	}
	return false;
}

void binance_ids_read(struct arbiter_event *e, enum binance_kind kind, enum event_market m, const struct fields *f)
{
	uint64_t ms;

	*e = (struct arbiter_event){ .time = -1 };
	if (id(f, 'E', &ms))
		e->time = (int64_t)ms;
	if (!numbered(e, kind, m, f))
		*e = (struct arbiter_event){ .order = ARBITER_HASHED,
			.id = binance_ids_hash(fields_text(f, BINANCE_DATA)),
			.time = e->time };
}

uint64_t binance_ids_missing(enum binance_kind kind, const struct arbiter_gap *gap)
{
	bool counts = kind == BINANCE_KIND_AGG_TRADE || kind == BINANCE_KIND_TRADE;

	return counts && gap->proven && gap->next_id > gap->last_id ? gap->next_id - gap->last_id - 1 : 0;
}

void binance_ids_gap_text(char text[BINANCE_GAP_TEXT_MAX], enum binance_kind kind, const struct arbiter_gap *gap)
{
	uint64_t missing = binance_ids_missing(kind, gap);
	char from[WHEN_TEXT_MAX], upto[WHEN_TEXT_MAX], what[60];

	if (missing)
		snprintf(what, sizeof what, "%" PRIu64 " event%s missing", missing, missing > 1 ? "s" : "");
	else if (gap->back)
		snprintf(what, sizeof what, "ids began anew, events may be missing");
	else
		snprintf(what, sizeof what, "events %s missing", gap->proven ? "are" : "may be");
	when_print(from, gap->last_recv, 3);
	when_print(upto, gap->next_recv, 3);
	snprintf(text, BINANCE_GAP_TEXT_MAX, "%s between %s and %s", what, from, upto);
}

char *binance_ids_gap_record(char *out, struct span stream, enum binance_kind kind, const struct arbiter_gap *gap)
{
	char detail[BINANCE_GAP_TEXT_MAX];
	struct event_status e = { .state = SPAN("gap"),
		.ts = gap->next_recv / 1000,
		.stream = stream,
		.has_ids = gap->has_ids,
		.last_id = gap->last_id,
		.next_id = gap->next_id };

	binance_ids_gap_text(detail, kind, gap);
	e.detail = span_of(detail);
	return event_write_status(out, &e);
}
