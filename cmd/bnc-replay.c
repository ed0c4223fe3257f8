/* bnc-replay - gives back the lines of recordings, as far apart as they were or as fast as it goes.
 *
 * Reads files of bnc-record and of other collectors (bnc-recording(5)); writes their lines unchanged.
 *
 *     bnc-replay -x max ticks | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat --clock event
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "binance_check.h"
#include "clock.h"
#include "err.h"
#include "jsonw.h"
#include "num.h"
#include "opt.h"
#include "outlet.h"
#include "pace.h"
#include "rec_read.h"
#include "refuse.h"
#include "sandbox.h"

static const char usage_text[] =
    "usage: bnc-replay [-hVv] [-x speed|max] [--from time] [--to time] [--loop] [--check]\n"
    "                  [-m usdm|coinm|spot] [--strict] [--no-sandbox] [file|dir ...]\n";

static const char options_text[] =
    "  -x, --speed speed|max         so many times as fast as it was recorded, or as fast as it goes (1)\n"
    "      --from time               lines from that time on: 2026-11-22T10:00:00Z, or seconds since the epoch\n"
    "      --to time                 lines before that time\n"
    "      --loop                    begin anew at the end\n"
    "      --check                   what the files hold, what is missing, and where they are damaged\n"
    "  -m, --market usdm|coinm|spot  for --check: market of frames that do not say theirs (usdm)\n"
    "      --strict                  stop at the first line that is refused and at the first damage, exit 1\n"
    "      --no-sandbox              keep the rights that are not needed\n"
    "  -v, --verbose                 counters on standard error at the end\n"
    "  -h, --help                    this text\n"
    "  -V, --version                 name and version\n";

struct opts {
	uint64_t speed; /* thousandths, or PACE_MAX */
	int64_t from, to;
	bool loop, check, strict, verbose;
	enum event_market market;
	char *const *operands;
};

enum {
	OPT_FROM = 256,
	OPT_TO,
	OPT_LOOP,
	OPT_CHECK,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "speed", required_argument, NULL, 'x' },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "to", required_argument, NULL, OPT_TO },
	{ "loop", no_argument, NULL, OPT_LOOP },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "market", required_argument, NULL, 'm' },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ------------------------------------------------------------------------------------------------- options */

static uint64_t speed(void)
{
	uint64_t v;

	if (strcmp(optarg, "max") == 0)
		return PACE_MAX;
	if (!num_thousandths(span_of(optarg), 1, 1000000000, &v))
		opt_wrong("-x", "a number from 0.001 to 1000000, or max");
	return v;
}

static int64_t point(const char *option)
{
	int64_t us;

	if (!when_parse(span_of(optarg), &us))
		opt_wrong(option, "a time such as 2026-11-22T10:00:00Z, or seconds since the epoch");
	return us;
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'x')
		o->speed = speed();
	else if (c == OPT_FROM)
		o->from = point("--from");
	else if (c == OPT_TO)
		o->to = point("--to");
	else if (c == OPT_LOOP)
		o->loop = true;
	else if (c == OPT_CHECK)
		o->check = true;
	else if (c == 'm')
		o->market = opt_market("-m");
	else if (c == OPT_STRICT)
		o->strict = true;
	else if (c == 'v')
		o->verbose = true;
	else
		return false;
	return true;
}

static bool names_standard_input(char *const *operands)
{
	bool found = !*operands;

	for (; *operands; operands++)
		found |= strcmp(*operands, "-") == 0;
	return found;
}

static void check_together(const struct opts *o)
{
	if (o->from >= o->to)
		opt_usage("--from: not before --to");
	if (o->loop && names_standard_input(o->operands))
		opt_usage("--loop: standard input cannot be read again");
	if (o->loop && o->check)
		opt_usage("--loop and --check make no sense together");
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvm:x:", longs, take_option };
	struct opts o = { .speed = 1000, .from = INT64_MIN, .to = INT64_MAX, .market = EVENT_USDM };

	o.operands = opt_parse(&options, argc, argv, &o);
	o.speed = o.check ? PACE_MAX : o.speed;
	check_together(&o);
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct app {
	struct opts o;
	struct rec_files files;
	struct rec_read in;
	struct outlet outlet;
	struct pace pace;
	struct refuse refused;
	const char *path; /* of the file that is being read */
	uint64_t damaged; /* files */
	bool broken;	  /* exit 3 */

	struct binance_check check; /* --check */
	struct found {		    /* in the file that is being read */
		uint64_t lines;
		uint64_t gaps, copies; /* before it */
		int64_t low, high;     /* times; WHEN_NEVER: none */
		const char *why;       /* it breaks off, at: */
		uint64_t at;
	} found;
};

static const char *name_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void tell_counters(void *app)
{
	const struct app *a = app;

	err_warn("files %zu read %" PRIu64 " out %" PRIu64 " refused %" PRIu64 " damaged %" PRIu64, a->files.n,
	    a->in.unpack.taken, a->outlet.out.lines, a->refused.lines, a->damaged);
}

/* --------------------------------------------------------------------------------------------------- lines */

/* until the line is due */
static void await(struct app *a, int64_t us)
{
	struct pollfd none[OUTLET_FDS];
	bool back;
	int64_t now = clock_mono_us();
	int64_t due = pace_due(&a->pace, us, now, &back);

	if (back)
		err_warn("%s: times go back by more than %lld s at line %" PRIu64 ": bnc-merge --by-time puts recordings in order",
		    name_of(a->path), PACE_BACK_US / 1000000, a->in.in.number);
	while (!a->outlet.over && now < due) {
		outlet_wait(&a->outlet, none, 0, due);
		now = clock_mono_us();
	}
}

static void look_at(struct app *a, struct span line, int64_t us)
{
	struct found *f = &a->found;

	f->lines++;
	if (us != WHEN_NEVER) {
		f->low = f->low == WHEN_NEVER || us < f->low ? us : f->low;
		f->high = us > f->high ? us : f->high;
	}
	binance_check_line(&a->check, line, us);
}

static void give(struct app *a, struct span line, int64_t us)
{
	if (a->o.check) {
		look_at(a, line, us);
		return;
	}
	if (a->o.speed != PACE_MAX)
		await(a, us);
	if (!a->outlet.over && !line_put(&a->outlet.out, line))
		a->outlet.over = true;
}

static void refuse_long(struct app *a)
{
	refuse_line(&a->refused, a->files.n > 1 ? name_of(a->path) : NULL, a->in.in.number, LINE_MAX_BYTES,
	    "longer than 1 MiB");
	a->outlet.over |= a->o.strict;
}

static void tell_damage(struct app *a)
{
	err_warn("%s: breaks off at byte %" PRIu64 ": %s", name_of(a->path), a->in.unpack.at, a->in.unpack.why);
	a->damaged++;
	a->found.why = a->in.unpack.why;
	a->found.at = a->in.unpack.at;
	a->outlet.over |= a->o.strict;
}

static void tell_failure(struct app *a)
{
	err_warn("%s:", name_of(a->path));
	a->broken = true;
}

/* ------------------------------------------------------------------------------------------------ --check */

static void on_gap(void *app, struct span record)
{
	struct app *a = app;

	line_put(&a->outlet.out, record);
}

static void begin_report(struct app *a)
{
	const struct binance_check *c = &a->check;

	if (a->o.check)
		a->found = (struct found){ .gaps = binance_check_gaps(c),
			.copies = binance_check_copies(c),
			.low = WHEN_NEVER,
			.high = WHEN_NEVER };
}

/* ,"from":"...","to":"..." */
static int print_span(char *out, size_t cap, const struct found *f)
{
	char low[WHEN_TEXT_MAX], high[WHEN_TEXT_MAX];

	if (f->low == WHEN_NEVER)
		return 0;
	when_print(low, f->low, 6);
	when_print(high, f->high, 6);
	return snprintf(out, cap, ",\"from\":\"%s\",\"to\":\"%s\"", low, high);
}

/* a line of JSON for the file that has ended */
static void report(struct app *a)
{
	const struct found *f = &a->found;
	struct span name = span_of(name_of(a->path));
	char text[512];
	struct stat st;
	bool known = fstat(a->in.in.fd, &st) == 0 && S_ISREG(st.st_mode);

	int n = snprintf(text, sizeof text, ",\"bytes\":%lld,\"lines\":%" PRIu64, known ? (long long)st.st_size : 0, f->lines);
	n += print_span(text + n, sizeof text - (size_t)n, f);
	n += snprintf(text + n, sizeof text - (size_t)n, ",\"streams\":%zu,\"gaps\":%" PRIu64 ",\"copies\":%" PRIu64,
	    binance_check_streams(&a->check), binance_check_gaps(&a->check) - f->gaps,
	    binance_check_copies(&a->check) - f->copies);
	if (f->why)
		n += snprintf(text + n, sizeof text - (size_t)n, ",\"breaksAt\":%" PRIu64 ",\"why\":\"%s\"", f->at, f->why);
	if (!line_room(&a->outlet.out, JSONW_STRING_MAX(name.n) + sizeof text + 64))
		return;
	char *out = jsonw_string(jsonw_lit(a->outlet.out.p, "{\"type\":\"recording\",\"file\":"), name);
	out = jsonw_lit(jsonw_raw(out, (struct span){ text, (size_t)n }), "}\n");
	a->outlet.out.p = out;
	a->outlet.out.lines++;
}

/* -------------------------------------------------------------------------------------------------- files */

/* signals and the reader are looked after; fd: to wait for, -1: none */
static void look_around(struct app *a, int fd)
{
	struct pollfd fds[1 + OUTLET_FDS] = { { .fd = fd, .events = POLLIN } };

	outlet_wait(&a->outlet, fds, 1, fd < 0 ? 0 : INT64_MAX);
	a->in.readable = fd >= 0;
}

/* false: the file has ended */
static bool step(struct app *a)
{
	struct span line;
	int64_t us;

	switch (rec_read_next(&a->in, &line, &us)) {
	case REC_LINE:
		give(a, line, us);
		return true;
	case REC_LONG:
		refuse_long(a);
		return true;
	case REC_MORE:
		look_around(a, -1);
		return true;
	case REC_WAIT:
		look_around(a, a->in.in.fd);
		return true;
	case REC_BROKEN:
		tell_damage(a);
		return false;
	case REC_FAILED:
		tell_failure(a);
		return false;
	case REC_END:
		break;
	}
	return false;
}

static void play_file(struct app *a, const char *path)
{
	a->path = path;
	if (!rec_read_attach(&a->in, path)) {
		tell_failure(a); /* the other files are read all the same, as cat(1) does */
		return;
	}
	begin_report(a);
	while (!a->outlet.over && step(a)) {
	}
	if (a->o.check)
		report(a);
}

static void play(struct app *a)
{
	for (size_t i = 0; i < a->files.n && !a->outlet.over; i++)
		play_file(a, a->files.path[i]);
}

static void play_for_ever(struct app *a)
{
	uint64_t before;

	do {
		before = a->outlet.out.lines;
		pace_restart(&a->pace);
		play(a);
	} while (!a->outlet.over && a->outlet.out.lines > before); /* nothing to give would be a busy loop */
}

/* --------------------------------------------------------------------------------------------------- whole */

static void set_up(struct app *a)
{
	const char *path;

	if (!rec_files_open(&a->files, a->o.operands, &path))
		err_die(ERR_SYSTEM, "%s:", path);
	if (a->files.n == 0)
		err_die(ERR_SYSTEM, "%s: no recordings are there", path);
	if (!outlet_open(&a->outlet, tell_counters, a) || !rec_read_open(&a->in))
		err_die(ERR_SYSTEM, "cannot start:");
	refuse_open(&a->refused, err_warn);
	pace_open(&a->pace, a->o.speed);
	a->in.from = a->o.from;
	a->in.to = a->o.to;
	a->in.timed = a->o.check || a->o.speed != PACE_MAX;
	if (a->o.check && !binance_check_open(&a->check, a->o.market, on_gap, a))
		err_die(ERR_SYSTEM, "out of memory");
}

static int finish(struct app *a)
{
	a->broken |= !outlet_finish(&a->outlet, err_warn);
	refuse_total(&a->refused);
	if (a->o.verbose)
		tell_counters(a);
	bool data = (a->refused.lines || a->damaged) && !outlet_lost(&a->outlet);
	binance_check_close(&a->check);
	rec_read_close(&a->in);
	rec_files_close(&a->files);
	outlet_close(&a->outlet);
	return a->broken ? ERR_SYSTEM : data ? ERR_DATA : ERR_OK;
}

int main(int argc, char **argv)
{
	static struct app a; /* some hundred slots: not for the stack */

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	a.o = parse_args(argc, argv);
	set_up(&a);
	if (!sandbox_enter_operands(a.o.operands, opt_no_sandbox()))
		err_die(ERR_SYSTEM, "the sandbox:");
	if (a.o.loop)
		play_for_ever(&a);
	else
		play(&a);
	return finish(&a);
}
