/* bnc-heartbeat - passes lines on and adds a heartbeat every few seconds, so that a reader can tell quiet from dead.
 *
 * Reads and writes lines of JSON objects, records or frames.
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "clock.h"
#include "err.h"
#include "event.h"
#include "filter.h"
#include "heartbeat.h"
#include "num.h"

static const char usage_text[] =
    "usage: bnc-heartbeat [-hVv] [-i seconds] [--clock wall|event] [--strict] [file ...]\n";

static const char options_text[] =
    "  -i, --interval seconds   time between two heartbeats (5); units ms, s, m, h, d\n"
    "      --clock wall|event   the clock on the wall, or the times in the lines (wall)\n"
    "      --strict             stop at the first refused line, exit 1\n"
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

/* whole milliseconds, since that is what ts can tell apart */
static int64_t parse_interval(const char *text)
{
	int64_t us;

	if (!num_duration(span_of(text), &us) || us < 1000 || us % 1000 != 0) {
		err_warn("-i: '%s' is not a duration of whole milliseconds", text);
		err_usage(usage_text);
	}
	return us / 1000;
}

static bool parse_clock(const char *text)
{
	if (strcmp(text, "event") == 0)
		return true;
	if (strcmp(text, "wall") != 0) {
		err_warn("--clock: '%s' is neither wall nor event", text);
		err_usage(usage_text);
	}
	return false;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "clock", required_argument, NULL, OPT_CLOCK },
		{ "strict", no_argument, NULL, OPT_STRICT },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct opts o = { .interval_ms = 5000 };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVvi:", longs, NULL)) != -1) {
		switch (c) {
		case 'i':
			o.interval_ms = parse_interval(optarg);
			break;
		case OPT_CLOCK:
			o.events = parse_clock(optarg);
			break;
		case OPT_STRICT:
			o.strict = true;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'h':
			err_help(usage_text, options_text);
		case 'V':
			err_version();
		default:
			err_option(c, argv[optind - 1]);
			err_usage(usage_text);
		}
	}
	o.files = argv + optind;
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

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	struct state *s = state;
	int64_t ts = -1;
	int64_t point;

	if (!fields_read(&s->fields, line)) {
		*why = (struct filter_why){ s->fields.why, s->fields.at };
		return false;
	}
	if (s->events && !heartbeat_time(&s->fields, &ts, &why->why)) {
		why->at = fields_has(&s->fields, EVENT_SLOT_TS) ? (size_t)(s->fields.v[EVENT_SLOT_TS].p - line.p) : 0;
		return false;
	}
	if (line_put(out, line) && ts >= 0 && heartbeat_reached(&s->beat, ts, &point))
		put_heartbeat(s, out, point);
	return true;
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
		return ERR_SYSTEM;
	struct opts o = parse_args(argc, argv);

	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.verbose = o.verbose,
		.state = &s,
		.line = on_line,
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
