#include "bus_backlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "event.h"
#include "json.h"
#include "line.h"

#define LINES_AT_ONCE 4096

static int64_t time_of_day(void)
{
	return clock_real_us() / 1000;
}

bool bus_backlog_open(struct bus_backlog *b, const struct bus_backlog_options *o, char why[512])
{
	*b = (struct bus_backlog){ .o = *o, .spill = { .lock = -1, .scanned = true } };
	if (o->dir && !bus_spill_open(&b->spill, o->dir, o->cap, o->pub.run, why))
		return false;
	b->spill.tell = o->tell;
	b->spilling = bus_spill_any(&b->spill);
	b->pub = bus_pub_new(&o->pub);
	if (!b->pub)
		snprintf(why, 512, "%s", "out of memory");
	return b->pub != NULL;
}

void bus_backlog_close(struct bus_backlog *b)
{
	bus_spill_close(&b->spill);
	bus_pub_free(b->pub);
	b->pub = NULL;
}

/* -------------------------------------------------------------------------------------------------- into the files */

/* What did not fit into the files is told among the lines when there is room again: of no stream, because nobody knows
 * any more of which it was. Returns its length, without line end. */
static size_t unspilled_record(const struct bus_backlog *b, char text[LINE_RECORD_MAX + JSON_PAD])
{
	struct event_status e = { .state = SPAN("gap"), .ts = time_of_day() };
	uint64_t n = b->unspilled + b->spill.lost;
	char detail[120];

	snprintf(detail, sizeof detail, "%" PRIu64 " line%s not published: %s", n, n == 1 ? "" : "s",
	    b->spill.failed ? "the files where they waited could not be written"
			    : "the files where they waited were full");
	e.detail = span_of(detail);
	memset(text, 0, LINE_RECORD_MAX + JSON_PAD);
	size_t end = (size_t)(event_write_status(text, &e) - text);
	return end - 1;
}

static void unspilled_is_told(struct bus_backlog *b)
{
	b->left_out += b->unspilled + b->spill.lost;
	b->unspilled = b->spill.lost = 0;
}

/* false: no room now, but there may be */
static bool to_spill(struct bus_backlog *b, struct span line, int64_t now)
{
	char text[LINE_RECORD_MAX + JSON_PAD];
	enum bus_spill_put got = BUS_SPILL_TAKEN;

	if (b->unspilled && !b->spill.failed) {
		got = bus_spill_put(&b->spill, (struct span){ text, unspilled_record(b, text) }, now);
		if (got == BUS_SPILL_TAKEN)
			unspilled_is_told(b);
	}
	if (got == BUS_SPILL_TAKEN)
		got = bus_spill_put(&b->spill, line, now);
	if (got == BUS_SPILL_BUSY)
		return false;
	b->spilling |= got == BUS_SPILL_TAKEN;
	b->spilled += got == BUS_SPILL_TAKEN;
	if (got == BUS_SPILL_FULL && b->unspilled++ == 0)
		b->o.tell("%s: no room: lines are left out", b->o.dir);
	return true;
}

/* ------------------------------------------------------------------------------------------------------- one line */

int64_t bus_backlog_patience(const struct bus_backlog *b)
{
	return (b->progress > b->held_at ? b->progress : b->held_at) + b->o.patience;
}

void bus_backlog_last(struct bus_backlog *b, int64_t now)
{
	b->held_at = now;
}

static enum bus_backlog_put put(struct bus_backlog *b, const struct bus_pub_line *l, bool last, int64_t now)
{
	/* behind what waits in files nothing may overtake them, also when a disk takes no more */
	bool files = b->o.dir && (!b->spill.failed || b->spilling);

	if (files && (b->spilling || b->unspilled))
		return to_spill(b, l->text, now) ? BUS_BACKLOG_TAKEN : BUS_BACKLOG_HELD;
	enum bus_pub_put got = bus_pub_put(b->pub, l, b->mark + 1, time_of_day());
	if (got == BUS_PUB_TAKEN) {
		b->own = ++b->mark;
		return BUS_BACKLOG_TAKEN;
	}
	if (got == BUS_PUB_CROWDED)
		return BUS_BACKLOG_CROWDED;
	if (got == BUS_PUB_FULL && files)
		return to_spill(b, l->text, now) ? BUS_BACKLOG_TAKEN : BUS_BACKLOG_HELD;
	if (got == BUS_PUB_FULL && !last && now < bus_backlog_patience(b))
		return BUS_BACKLOG_HELD;
	if (!bus_pub_dropping(b->pub))
		b->o.tell("the server takes nothing and the buffer is full: lines are left out");
	bus_pub_drop(b->pub, l, time_of_day());
	return BUS_BACKLOG_TAKEN;
}

enum bus_backlog_put bus_backlog_put(struct bus_backlog *b, const struct bus_pub_line *l, bool last, int64_t now)
{
	if (!b->holding)
		b->held_at = now;
	enum bus_backlog_put got = put(b, l, last, now);
	b->holding = got == BUS_BACKLOG_HELD;
	return got;
}

void bus_backlog_lose(struct bus_backlog *b)
{
	b->unspilled++;
}

bool bus_backlog_stored(struct bus_backlog *b, uint32_t token, bool duplicate, int64_t now)
{
	if (!bus_pub_stored(b->pub, token, duplicate))
		return false;
	b->progress = now;
	return true;
}

/* --------------------------------------------------------------------------------------------- back from the files */

/* where the files are empty, or of no use any more */
static void tell_unspilled(struct bus_backlog *b)
{
	char text[LINE_RECORD_MAX + JSON_PAD];
	struct bus_pub_line l;
	const char *why;
	size_t at;

	if (b->spilling || b->unspilled + b->spill.lost == 0)
		return;
	struct span record = { text, unspilled_record(b, text) };
	if (!b->o.key(b->o.user, record, &l, &why, &at))
		return;
	if (bus_pub_put(b->pub, &l, b->mark + 1, time_of_day()) != BUS_PUB_TAKEN)
		return;
	b->own = ++b->mark;
	unspilled_is_told(b);
}

/* the line in hand; false: no room for it */
static bool take_one_back(struct bus_backlog *b)
{
	struct bus_pub_line l;
	const char *why = "";
	size_t at;

	if (!b->o.key(b->o.user, b->back.line, &l, &why, &at)) {
		b->o.tell("%s: byte %zu: %s", b->back.id, at, why);
		b->refused++;
		return true;
	}
	if (!l.id.n)
		l.id = span_of(b->back.id);
	if (bus_pub_put(b->pub, &l, b->mark + 1, time_of_day()) != BUS_PUB_TAKEN)
		return false;
	bus_spill_mark(&b->spill, ++b->mark);
	return true;
}

/* as many lines as there is room for */
static void take_back(struct bus_backlog *b)
{
	unsigned n = 0;

	b->back_more = false;
	while (b->spilling && n++ < LINES_AT_ONCE) {
		if (!b->back.line.p && !bus_spill_next(&b->spill, &b->back.line, b->back.id)) {
			b->back.line.p = NULL;
			b->spilling = bus_spill_any(&b->spill);
			return;
		}
		if (!take_one_back(b))
			return;
		b->back.line.p = NULL;
	}
	b->back_more = b->spilling;
}

void bus_backlog_tick(struct bus_backlog *b, int64_t now)
{
	bus_spill_tick(&b->spill, now);
	bus_spill_done(&b->spill, bus_pub_mark(b->pub));
	if (bus_pub_mend(b->pub, time_of_day()))
		b->o.tell("lines are taken again");
	take_back(b);
	tell_unspilled(b);
}

bool bus_backlog_empty(const struct bus_backlog *b)
{
	return bus_pub_empty(b->pub) && !b->spilling && !b->unspilled;
}

int bus_backlog_fd(const struct bus_backlog *b)
{
	return bus_spill_fd(&b->spill);
}

int64_t bus_backlog_due(const struct bus_backlog *b)
{
	return b->back_more ? 0 : bus_spill_due(&b->spill);
}

/* ---------------------------------------------------------------------------------------------------------- the end */

/* Lines that came out of files stay there, but for what stands before others that did not. */
bool bus_backlog_give_back(struct bus_backlog *b, int64_t now)
{
	uint64_t kept = 0, lost = b->unspilled, mark;
	bool own = b->own > bus_pub_mark(b->pub), works = b->o.dir != NULL;
	struct span text;
	char why[512] = "";

	while (bus_pub_take_back(b->pub, &text, &mark)) {
		bool in_file = works && (!own || mark > b->own);
		if (!in_file)
			works = works && bus_spill_first(&b->spill, text, now, why);
		kept += works;
		lost += !works;
	}
	if (why[0])
		b->o.tell("%s", why);
	bus_spill_end(&b->spill, works && own ? b->own : 0);
	lost += b->spill.lost;
	kept -= kept < b->spill.lost ? kept : b->spill.lost;
	if (lost)
		b->o.tell("%" PRIu64 " line%s not stored", lost, lost == 1 ? " is" : "s are");
	if (kept || b->spilling)
		b->o.tell("lines that are not stored are kept in %s, for the next time", b->o.dir);
	return !kept && !lost && !b->spilling && !b->spill.failed && !b->spill.unread && !b->spill.stuck;
}
