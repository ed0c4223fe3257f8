/* bnc-merge - several sources of lines into one: as they come, by the times of the lines, or as redundant copies of one
 * feed, of which each event is written once.
 *
 * Reads files, FIFOs and standard input at the same time, also what is compressed; writes whole lines, unchanged.
 *
 *     bnc-merge --dedupe <(bnc-stream -s SOLUSDT) <(ssh elsewhere bnc-stream -s SOLUSDT) | bnc-normalize
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binance_merge.h"
#include "clock.h"
#include "err.h"
#include "merge.h"
#include "num.h"
#include "opt.h"
#include "outlet.h"
#include "rec_read.h"
#include "refuse.h"
#include "sandbox.h"
#include "scan.h"

#define TURN_BYTES (64u << 10) /* of lines of one source before it is the next one's turn */
#define SECOND	   1000000LL
#define WINDOW_MAX (3600 * SECOND)

static const char usage_text[] =
    "usage: bnc-merge [-hVv] [-m usdm|coinm|spot] [--by-time] [--dedupe[=window]]\n"
    "                 [--strict] [--no-sandbox] [file ...]\n";

static const char options_text[] =
    "  -m, --market usdm|coinm|spot  market of frames that do not say theirs (usdm)\n"
    "      --by-time                 in the order of the lines' times; else as they come\n"
    "      --dedupe[=window]         the files are copies of one feed: each event once, holes filled\n"
    "                                within the window (250ms); units us, ms, s, m, h\n"
    "      --strict                  stop at the first line that is refused and at the first damage, exit 1\n"
    "      --no-sandbox              keep the rights that are not needed\n"
    "  -v, --verbose                 counters on standard error at the end\n"
    "  -h, --help                    this text\n"
    "  -V, --version                 name and version\n";

struct opts {
	enum event_market market;
	bool by_time, dedupe;
	int64_t window; /* µs */
	bool strict, verbose;
	char *const *operands;
};

enum {
	OPT_BY_TIME = 256,
	OPT_DEDUPE,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "market", required_argument, NULL, 'm' },
	{ "by-time", no_argument, NULL, OPT_BY_TIME },
	{ "dedupe", optional_argument, NULL, OPT_DEDUPE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ------------------------------------------------------------------------------------------------- options */

static int64_t window(void)
{
	int64_t us;

	if (!optarg)
		return ARBITER_WINDOW_US;
	if (!num_duration(span_of(optarg), &us) || us > WINDOW_MAX)
		opt_wrong("--dedupe", "a duration of an hour at most");
	return us;
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'm')
		o->market = opt_market("-m");
	else if (c == OPT_BY_TIME)
		o->by_time = true;
	else if (c == OPT_DEDUPE)
		o->dedupe = true, o->window = window();
	else if (c == OPT_STRICT)
		o->strict = true;
	else if (c == 'v')
		o->verbose = true;
	else
		return false;
	return true;
}

static bool look_up(const char *operand, struct stat *st)
{
	return (strcmp(operand, "-") == 0 ? fstat(STDIN_FILENO, st) : stat(operand, st)) == 0;
}

/* two readers of one pipe would tear its lines */
static void check_twice(char *const *operands, char *const *this)
{
	bool standard = strcmp(*this, "-") == 0;
	struct stat st, other;
	bool pipe = look_up(*this, &st) && S_ISFIFO(st.st_mode);

	for (char *const *p = operands; p < this; p++)
		if ((standard && strcmp(*p, "-") == 0) ||
		    (pipe && look_up(*p, &other) && st.st_dev == other.st_dev && st.st_ino == other.st_ino))
			opt_usage("'%s' is named twice: its lines would be torn", *this);
}

static void check_operands(const struct opts *o)
{
	unsigned most = o->dedupe ? ARBITER_LINES : MERGE_SOURCES, n = 0;

	for (char *const *p = o->operands; *p; p++) {
		if (++n > most)
			opt_usage("more than %u files%s", most, o->dedupe ? " for --dedupe" : "");
		check_twice(o->operands, p);
	}
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvm:", longs, take_option };
	struct opts o = { .market = EVENT_USDM };

	o.operands = opt_parse(&options, argc, argv, &o);
	check_operands(&o);
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct source {
	struct rec_files files; /* one after the other */
	size_t next;
	const char *path; /* of the file that is being read */
	struct rec_read in;
	bool attached; /* a file is being read */
	bool waiting;  /* until in.in.fd can be read */
	bool ended;
};

struct app {
	struct opts o;
	struct source source[MERGE_SOURCES];
	unsigned sources;
	struct outlet outlet;
	bool by_time;
	struct merge *merge;	      /* by time, of unrelated sources; else NULL */
	struct binance_merge *dedupe; /* of copies of one feed; else NULL */
	struct refuse refused;
	struct rate gaps;
	uint64_t lines;	  /* read */
	uint64_t damaged; /* files */
	int64_t stood;	  /* µs for which the reader was waited for: the clock of the window stands still then */
	bool broken;	  /* exit 3 */
};

static const char *name_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : path;
}

static void tell_counters(void *app)
{
	const struct app *a = app;
	char more[512] = "";
	int n = 0;

	if (a->dedupe) {
		const struct arbiter_counters *c = binance_merge_counters(a->dedupe);
		n = snprintf(more, sizeof more,
		    " copies %" PRIu64 " obsolete %" PRIu64 " fills %" PRIu64 " gaps %" PRIu64
		    " held %zu untracked %" PRIu64,
		    c->copies, c->obsolete, c->fills, c->gaps, binance_merge_held(a->dedupe),
		    binance_merge_untracked(a->dedupe));
		for (unsigned i = 0; i < a->sources; i++)
			n += snprintf(more + n, sizeof more - (size_t)n, " won%u %" PRIu64, i + 1, c->won[i]);
	}
	if (a->dedupe && a->by_time)
		snprintf(more + n, sizeof more - (size_t)n, " late %" PRIu64 " early %" PRIu64,
		    binance_merge_order(a->dedupe)->late, binance_merge_order(a->dedupe)->early);
	err_warn("in %" PRIu64 " out %" PRIu64 " refused %" PRIu64 " damaged %" PRIu64 "%s", a->lines,
	    a->outlet.out.lines, a->refused.lines, a->damaged, more);
}

/* -------------------------------------------------------------------------------------------------- output */

static void put(void *app, struct span line)
{
	struct app *a = app;
	bool full = line_pending(&a->outlet.out) >= LINE_OUT_FLUSH; /* it may come to waiting */
	int64_t before = full ? clock_mono_us() : 0;

	if (!line_put(&a->outlet.out, line))
		a->outlet.over = true;
	if (full)
		a->stood += clock_mono_us() - before;
}

static void tell(void *app, const char *text)
{
	struct app *a = app;

	if (rate_take(&a->gaps, clock_mono_us()))
		err_warn("%s", text);
}

/* how many were not told one by one; at the end: INT64_MAX */
static void sum_up(struct app *a, int64_t now)
{
	uint64_t hidden = rate_hidden(&a->gaps, now);

	if (hidden)
		err_warn("gap: %" PRIu64 " more, not shown", hidden);
}

/* ------------------------------------------------------------------------------------------------- sources */

static void fail(struct app *a, const char *path)
{
	err_warn("%s:", name_of(path));
	a->broken = true; /* the other files are read all the same, as cat(1) does */
}

/* false: there is none any more */
static bool attach_next(struct app *a, struct source *s)
{
	while (s->next < s->files.n) {
		s->path = s->files.path[s->next++];
		s->attached = rec_read_attach(&s->in, s->path);
		if (s->attached) {
			io_grow_pipe(s->in.in.fd);
			return true;
		}
		fail(a, s->path);
	}
	return false;
}

static void refuse_long(struct app *a, const struct source *s)
{
	bool alone = a->sources == 1 && s->files.n == 1;

	a->lines++;
	refuse_line(&a->refused, alone ? NULL : name_of(s->path), s->in.in.number, LINE_MAX_BYTES, "longer than 1 MiB");
	a->outlet.over |= a->o.strict;
}

static void tell_damage(struct app *a, const struct source *s)
{
	err_warn("%s: breaks off at byte %" PRIu64 ": %s", name_of(s->path), s->in.unpack.at, s->in.unpack.why);
	a->damaged++;
	a->outlet.over |= a->o.strict;
}

static void end_source(struct app *a, unsigned i)
{
	struct source *s = &a->source[i];

	s->ended = true;
	rec_read_close(&s->in);
	if (a->merge)
		merge_end(a->merge, i);
	if (a->dedupe)
		binance_merge_end(a->dedupe, i);
}

enum got {
	GOT_LINE,
	GOT_MORE, /* time to look after the others */
	GOT_WAIT,
	GOT_END,
};

static enum got next_line(struct app *a, struct source *s, struct span *line, int64_t *us)
{
	while (!a->outlet.over && (s->attached || attach_next(a, s))) {
		switch (rec_read_next(&s->in, line, us)) {
		case REC_LINE:
			a->lines++;
			return GOT_LINE;
		case REC_LONG:
			refuse_long(a, s);
			return GOT_MORE;
		case REC_MORE:
			return GOT_MORE;
		case REC_WAIT:
			s->waiting = true;
			return GOT_WAIT;
		case REC_BROKEN:
			tell_damage(a, s);
			break;
		case REC_FAILED:
			fail(a, s->path);
			break;
		case REC_END:
			break;
		}
		s->attached = false;
	}
	return a->outlet.over ? GOT_MORE : GOT_END;
}

static bool is_wanted(const struct app *a, unsigned i)
{
	if (a->merge)
		return merge_wants(a->merge, i);
	return a->by_time ? binance_merge_wants(a->dedupe, i) : !a->source[i].ended;
}

/* ------------------------------------------------------------------------------------------------- waiting */

static int64_t now(const struct app *a)
{
	return clock_mono_us() - a->stood;
}

static int64_t due(const struct app *a)
{
	int64_t at = a->dedupe && !a->by_time ? binance_merge_due(a->dedupe) : INT64_MAX;

	return at == INT64_MAX ? at : at + a->stood;
}

/* Whoever can be read is; else what has gathered goes out, and then, where no source is ready, they are waited for. */
static int look_around(struct app *a, struct pollfd *fds, size_t n, bool ready)
{
	int64_t before = clock_mono_us();
	int k = outlet_wait(&a->outlet, fds, n, 0);

	a->stood += clock_mono_us() - before;
	sum_up(a, before);
	return k == 0 && !ready ? outlet_wait(&a->outlet, fds, n, due(a)) : k;
}

/* until a source that is wanted can be read, or something is due. false: the end */
static bool await(struct app *a)
{
	struct pollfd fds[MERGE_SOURCES + OUTLET_FDS];
	struct source *who[MERGE_SOURCES];
	size_t n = 0, left = 0, ready = 0;

	for (unsigned i = 0; i < a->sources; i++) {
		struct source *s = &a->source[i];
		left += !s->ended;
		ready += is_wanted(a, i) && !s->waiting;
		if (!is_wanted(a, i) || !s->waiting)
			continue;
		fds[n] = (struct pollfd){ .fd = s->in.in.fd, .events = POLLIN };
		who[n++] = s;
	}
	if (left == 0 || a->outlet.over)
		return false;
	int k = look_around(a, fds, n, ready > 0);
	if (k < 0)
		fail(a, "poll");
	for (size_t i = 0; i < n && k > 0; i++) {
		who[i]->in.readable = fds[i].revents != 0;
		who[i]->waiting = !who[i]->in.readable;
	}
	return k >= 0 && !a->outlet.over;
}

/* ------------------------------------------------------------------------------------------ as they come */

static void pass(struct app *a, unsigned i, struct span line, int64_t us)
{
	if (a->dedupe)
		binance_merge_line(a->dedupe, i, line, us == WHEN_NEVER ? clock_real_us() : us, now(a));
	else
		put(a, line);
}

/* what a source has, up to its share, so that none keeps the others waiting */
static void take_turn(struct app *a, unsigned i)
{
	struct source *s = &a->source[i];
	struct span line;
	int64_t us;
	enum got got = GOT_LINE;
	unsigned pieces = 0;

	for (size_t bytes = 0; !s->ended && !s->waiting && !a->outlet.over && bytes < TURN_BYTES && pieces < 2;) {
		got = next_line(a, s, &line, &us);
		if (got == GOT_END)
			end_source(a, i);
		if (got == GOT_LINE) {
			pass(a, i, line, us);
			bytes += line.n + 1;
		}
		pieces += got == GOT_MORE;
	}
}

static void run_as_they_come(struct app *a)
{
	do {
		for (unsigned i = 0; i < a->sources; i++)
			take_turn(a, i);
		if (a->dedupe) /* behind all that has come meanwhile */
			binance_merge_tick(a->dedupe, now(a));
	} while (await(a));
}

/* ------------------------------------------------------------------------------------------------- by time */

/* in ns, since those are what other collectors' times have; far beyond all times they become one */
static int64_t time_of(const struct when *w, struct span line, int64_t us)
{
	const int64_t most = INT64_MAX / 1000 - 1;
	uint64_t ns = 0;

	if (us == WHEN_NEVER)
		return us;
	if (w->received && scan_is_digit(line.p[0]) && line.n > 19 && line.p[19] == ' ')
		num_u64((struct span){ line.p + 16, 3 }, 0, 999, &ns);
	return (us < most ? us : most) * 1000 + (int64_t)ns;
}

static void take_in(struct app *a, unsigned i, struct span line, int64_t us)
{
	const struct when *w = &a->source[i].in.when;
	const struct merge_line l = { .source = i, .text = line, .time = time_of(w, line, us) };

	if (!(a->merge ? merge_put(a->merge, &l) : binance_merge_put(a->dedupe, i, line, l.time, w->received)))
		err_die(ERR_SYSTEM, "out of memory");
}

/* What must be known before the next line is, of one source. false: it is not, or it is time to look around */
static bool fill(struct app *a, unsigned i)
{
	struct span line;
	int64_t us;

	while (is_wanted(a, i) && !a->source[i].waiting) {
		enum got got = next_line(a, &a->source[i], &line, &us);
		if (got == GOT_MORE)
			return false;
		if (got == GOT_LINE)
			take_in(a, i, line, us);
		else if (got == GOT_END)
			end_source(a, i);
	}
	return !is_wanted(a, i);
}

static bool fill_all(struct app *a)
{
	bool full = true;

	for (unsigned i = 0; i < a->sources; i++)
		full &= fill(a, i); /* also when another one keeps us waiting */
	return full;
}

/* the next line; false: that was all */
static bool give(struct app *a)
{
	struct merge_line l;

	if (a->dedupe)
		return binance_merge_next(a->dedupe);
	if (!merge_next(a->merge, &l))
		return false;
	put(a, l.text);
	return true;
}

static void run_by_time(struct app *a)
{
	do {
		while (!a->outlet.over && fill_all(a) && give(a)) {
		}
	} while (await(a));
	/* after a signal, what has been read */
	for (unsigned i = 0; i < a->sources; i++)
		if (!a->source[i].ended)
			end_source(a, i);
	while (!a->outlet.out.error && give(a)) {
	}
}

/* --------------------------------------------------------------------------------------------------- whole */

static void open_source(struct app *a, char *operand)
{
	struct source *s = &a->source[a->sources++];
	char *const operands[] = { operand, NULL };
	const char *path;

	if (!rec_read_open(&s->in))
		err_die(ERR_SYSTEM, "cannot start:");
	s->in.timed = a->o.by_time || a->o.dedupe;
	if (!rec_files_open(&s->files, operands, &path)) {
		fail(a, path);
		rec_files_close(&s->files);
	} else if (s->files.n == 0) {
		err_warn("%s: no recordings are there", operand);
		a->broken = true;
	}
}

static bool all_regular(const struct app *a)
{
	struct stat st;

	for (unsigned i = 0; i < a->sources; i++)
		for (size_t k = 0; k < a->source[i].files.n; k++)
			if (look_up(a->source[i].files.path[k], &st) && !S_ISREG(st.st_mode))
				return false;
	return true;
}

static void set_up_order(struct app *a)
{
	static const struct binance_merge_out out = { put, tell };
	const struct opts *o = &a->o;

	/* files have no order of arrival */
	a->by_time = o->by_time || (o->dedupe && all_regular(a));
	const struct merge_options by_time = { .sources = a->sources };
	const struct binance_merge_options dedupe = { .market = o->market,
		.sources = a->sources,
		.window = o->window,
		.by_time = a->by_time };
	if (o->dedupe)
		a->dedupe = binance_merge_new(&dedupe, &out, a);
	else if (a->by_time)
		a->merge = merge_new(&by_time);
	if ((o->dedupe && !a->dedupe) || (a->by_time && !a->dedupe && !a->merge))
		err_die(ERR_SYSTEM, "out of memory");
}

static void set_up(struct app *a)
{
	static char dash[] = "-";

	if (!outlet_open(&a->outlet, tell_counters, a))
		err_die(ERR_SYSTEM, "cannot start:");
	refuse_open(&a->refused, err_warn);
	rate_open(&a->gaps, SECOND / 5, 50, clock_mono_us());
	if (!*a->o.operands)
		open_source(a, dash);
	for (char *const *p = a->o.operands; *p; p++)
		open_source(a, *p);
	set_up_order(a);
}

static int finish(struct app *a)
{
	if (a->dedupe && !a->outlet.out.error)
		binance_merge_flush(a->dedupe);
	a->broken |= !outlet_finish(&a->outlet, err_warn);
	sum_up(a, INT64_MAX);
	refuse_total(&a->refused);
	if (a->o.verbose)
		tell_counters(a);
	bool data = (a->refused.lines || a->damaged) && !outlet_lost(&a->outlet);
	for (unsigned i = 0; i < a->sources; i++) {
		rec_read_close(&a->source[i].in);
		rec_files_close(&a->source[i].files);
	}
	binance_merge_free(a->dedupe);
	merge_free(a->merge);
	outlet_close(&a->outlet);
	return a->broken ? ERR_SYSTEM : data ? ERR_DATA : ERR_OK;
}

int main(int argc, char **argv)
{
	static struct app a; /* as many readers as there may be sources: not for the stack */

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	a.o = parse_args(argc, argv);
	set_up(&a);
	if (!sandbox_enter_operands(a.o.operands, opt_no_sandbox()))
		err_die(ERR_SYSTEM, "the sandbox:");
	if (a.by_time)
		run_by_time(&a);
	else
		run_as_they_come(&a);
	return finish(&a);
}
