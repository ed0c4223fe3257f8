/* bnc-heartbeat - passes lines on and adds a heartbeat every few seconds, so that a reader can tell quiet from dead.
 *
 * Reads and writes lines of JSON objects, records or frames.
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "err.h"
#include "event_fast.h"
#include "filter.h"
#include "heartbeat.h"
#include "num.h"
#include "opt.h"

static const char usage_text[] =
    "usage: bnc-heartbeat [-hVv] [-i seconds] [--clock wall|event] [--strict] [--no-sandbox] [file ...]\n";

static const char options_text[] =
    "  -i, --interval seconds   time between two heartbeats (5); units ms, s, m, h, d\n"
    "      --clock wall|event   the clock on the wall, or the times in the lines (wall)\n"
    "      --strict             stop at the first refused line, exit 1\n"
    "      --no-sandbox         keep the rights that are not needed\n"
    "  -v, --verbose            counters on standard error at the end\n"
    "  -h, --help               this text\n"
    "  -V, --version            name and version\n";

struct opts {
	int64_t interval_ms;
	bool events;
	bool strict;
	bool verbose;
	char *const *files;
};

enum {
	OPT_CLOCK = 256,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "interval", required_argument, NULL, 'i' },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* whole milliseconds, since that is what ts can tell apart */
static int64_t interval(void)
{
	int64_t us;

	if (!num_duration(span_of(optarg), &us) || us < 1000 || us % 1000 != 0)
		opt_wrong("-i", "a duration of whole milliseconds");
	return us / 1000;
}

static bool take_option(void *opts, int c)
{
	static const char *const clocks[] = { "wall", "event", NULL };
	struct opts *o = opts;

	if (c == 'i')
		o->interval_ms = interval();
	else if (c == OPT_CLOCK)
		o->events = opt_word("--clock", clocks, "wall or event") == 1;
	else if (c == OPT_STRICT)
		o->strict = true;
	else if (c == 'v')
		o->verbose = true;
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvi:", longs, take_option };
	struct opts o = { .interval_ms = 5000 };

	o.files = opt_parse(&options, argc, argv, &o);
	return o;
}

struct state {
	struct heartbeat beat;
	struct fields fields;
	bool events;
	uint64_t beats;
};

static void put_heartbeat(struct state *s, struct line_out *out, int64_t ts)
{
	out->p = event_write_heartbeat(out->p, ts);
	out->lines++;
	s->beats++;
}

/* the line and, where its time has reached one (-1: it has none), a heartbeat */
static void pass(struct state *s, struct span line, int64_t ts, struct line_out *out)
{
	int64_t point;

	if (line_put(out, line) && ts >= 0 && heartbeat_reached(&s->beat, ts, &point))
		put_heartbeat(s, out, point);
}

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	struct state *s = state;
	int64_t ts = -1;

	if (!fields_take(&s->fields, line, &why->why, &why->at))
		return false;
	if (s->events && !heartbeat_time(&s->fields, &ts, &why->why)) {
		why->at = fields_has(&s->fields, EVENT_SLOT_TS) ? (size_t)(s->fields.v[EVENT_SLOT_TS].p - line.p) : 0;
		return false;
	}
	pass(s, line, ts, out);
	return true;
}

/* The lines up to one behind which there is a heartbeat go on in one piece. */
static const char *fast(void *state, const char *p, const char *end, struct line_out *out, struct fast *run)
{
	struct state *s = state;
	const char *from = p, *next;
	struct fast_moment point = fast_moment(s->beat.next);
	struct span ts;
	int64_t reached;
	bool due = false;

	while (!due) {
		enum event_fast_kind kind = event_fast_kind(p);
		fast_begin(run, p, kind);
		if ((next = event_fast_time(p, end, kind, &ts)) == NULL)
			break;
		p = fast_behind(run, p, next, kind);
		if (scan_unlikely(s->events && !fast_is_before(ts, &point))) {
			due = heartbeat_reached(&s->beat, fast_ms(ts), &reached);
			point = fast_moment(s->beat.next);
		}
	}
	if (p != from && line_pass(out, (struct span){ from, (size_t)(p - from) }, run->lines) && due &&
	    line_room(out, LINE_RECORD_MAX))
		put_heartbeat(s, out, reached);
	return p;
}

static int64_t due(void *state)
{
	const struct state *s = state;

	return s->beat.next;
}

static void tick(void *state, struct line_out *out)
{
	struct state *s = state;
	int64_t point;

	if (heartbeat_reached(&s->beat, clock_mono_us(), &point))
		put_heartbeat(s, out, clock_real_us() / 1000);
}

static void counters(void *state, char *text, size_t cap)
{
	const struct state *s = state;

	snprintf(text, cap, " heartbeats %" PRIu64, s->beats);
}

int main(int argc, char **argv)
{
	static struct state s; /* some hundred slots: not for the stack */

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	struct opts o = parse_args(argc, argv);

	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.no_sandbox = opt_no_sandbox(),
		.verbose = o.verbose,
		.state = &s,
		.line = on_line,
		.fast = fast,
		.counters = counters,
		.tell = err_warn,
	};
	fields_open(&s.fields, heartbeat_slot);
	s.events = o.events;
	if (o.events) {
		heartbeat_of_events(&s.beat, o.interval_ms);
	} else {
		int64_t interval = o.interval_ms < INT64_MAX / 1000 ? o.interval_ms * 1000 : INT64_MAX;
		heartbeat_from(&s.beat, interval, clock_mono_us());
		f.due = due;
		f.tick = tick;
	}
	return filter_run(&f);
}
