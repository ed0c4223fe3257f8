/* bnc-record - lines to compressed files that stay readable whatever happens to the program, the disk or the machine.
 *
 * Reads lines of any kind, frames as a rule; writes files as in bnc-recording(5), and with --tee passes the lines on.
 *
 *     bnc-stream -s SOLUSDT ETHUSDT | bnc-record -o ticks --tee | bnc-normalize
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "intake.h"
#include "num.h"
#include "opt.h"
#include "rec_write.h"
#include "sandbox.h"

static const char usage_text[] =
    "usage: bnc-record [-hVv] [-o dir] [--name prefix] [--rotate duration|size]\n"
    "                  [--level n] [--sync duration] [--tee] [--strict] [--ready-fd n] [--no-sandbox]\n";

static const char options_text[] =
    "  -o, --output dir              directory of the files, made where it is missing (.)\n"
    "      --name prefix             what the names of the files begin with (bnc)\n"
    "      --rotate duration|size    a new file at each multiple of that time, and when one has that size; \"1h,1G\" is\n"
    "                                both, 0 neither (1h)\n"
    "      --level n                 of zstd, 1 to 19 (3)\n"
    "      --sync duration           a line is on disk after that time (1s)\n"
    "      --tee                     pass the lines on to standard output\n"
    "      --strict                  stop at the first refused line, exit 1\n"
    "      --ready-fd n              write a newline to this descriptor when the first file is open\n"
    "      --no-sandbox              keep the rights that are not needed\n"
    "  -v, --verbose                 counters on standard error at the end\n"
    "  -h, --help                    this text\n"
    "  -V, --version                 name and version\n";

#define SYNC_LEAST_US  10000
#define ROTATE_LEAST_US 1000000
#define ROTATE_LEAST_BYTES (64u << 10)
#define LAST_LINE_US   1000000 /* after a signal: for the rest of a line, and for a reader */

struct opts {
	struct rec_write_options write;
	int64_t rotate; /* µs; 0: not by time */
	bool strict, verbose;
	int ready_fd;
};

enum {
	OPT_NAME = 256,
	OPT_ROTATE,
	OPT_LEVEL,
	OPT_SYNC,
	OPT_TEE,
	OPT_STRICT,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "rotate", required_argument, NULL, OPT_ROTATE },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "sync", required_argument, NULL, OPT_SYNC },
	{ "tee", no_argument, NULL, OPT_TEE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ------------------------------------------------------------------------------------------------- options */

static struct span prefix(void)
{
	if (!rec_is_prefix(span_of(optarg)))
		opt_wrong("--name", "a beginning for names of files");
	return span_of(optarg);
}

/* "1h", "100M", "1h,100M", "0". A unit tells which it is: m is minutes, M is mebibytes */
static void rotation(struct opts *o)
{
	struct span rest = span_of(optarg);
	int64_t us;
	uint64_t bytes;

	o->rotate = 0;
	o->write.rotate_bytes = 0;
	if (span_is(rest, "0"))
		return;
	while (rest.p) {
		struct span one = span_cut(rest, ',', &rest);
		if (o->rotate == 0 && num_duration(one, &us) && us >= ROTATE_LEAST_US && us < INT64_MAX / 4)
			o->rotate = us;
		else if (o->write.rotate_bytes == 0 && num_size(one, INT64_MAX, &bytes) && bytes >= ROTATE_LEAST_BYTES)
			o->write.rotate_bytes = bytes;
		else
			opt_wrong("--rotate", "a duration from 1s, a size from 64k, both with a comma between, or 0");
	}
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'o')
		o->write.dir = optarg;
	else if (c == OPT_NAME)
		o->write.prefix = prefix();
	else if (c == OPT_ROTATE)
		rotation(o);
	else if (c == OPT_LEVEL)
		o->write.level = (int)opt_u64("--level", 1, 19, "a number from 1 to 19");
	else if (c == OPT_SYNC)
		o->write.sync = opt_duration("--sync", SYNC_LEAST_US, "a duration from 10ms");
	else if (c == OPT_TEE)
		o->write.tee = true;
	else if (c == OPT_STRICT)
		o->strict = true;
	else if (c == OPT_READY_FD)
		o->ready_fd = opt_fd("--ready-fd");
	else if (c == 'v')
		o->verbose = true;
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvo:", longs, take_option };
	struct opts o = { .write = { .dir = ".", .prefix = SPAN("bnc"), .level = 3, .sync = 1000000 },
		.rotate = 3600000000LL,
		.ready_fd = -1 };

	opt_no_operands(opt_parse(&options, argc, argv, &o), ": lines come from standard input");
	if (o.write.dir[0] == '\0')
		opt_usage("-o: the name of a directory is empty");
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct app {
	struct opts o;
	struct rec_write *write;
	struct intake in;
	struct io_out out; /* --tee */
	int signals;

	struct span held; /* a line there is no room for yet; p == NULL: none */
	uint64_t let_go;  /* lines that were held when the writer failed */
	int64_t rotate_at; /* of the clock on the wall */
	bool full;	  /* standard output takes nothing now */
	int64_t give_up;  /* clock_mono_us: no more waiting, for lines and for the reader; INT64_MAX: never */
	bool lost;	  /* the reader of --tee went away */
	bool broken;	  /* exit 3 */
};

static void tell_counters(struct app *a, const struct rec_write_counters *c)
{
	err_warn("in %" PRIu64 " recorded %" PRIu64 " refused %" PRIu64 " lost %" PRIu64 " bytes %" PRIu64 " packed %" PRIu64
		 " files %" PRIu64 " syncs %" PRIu64,
	    a->in.lines, c->lines, a->in.refused.lines, c->lost, c->bytes, c->packed, c->files, c->syncs);
}

/* --------------------------------------------------------------------------------------------------- lines */

/* false: no room now */
static bool put_held(struct app *a, int64_t now)
{
	if (a->held.p && !rec_write_line(a->write, a->held, now))
		return false;
	a->held.p = NULL;
	return true;
}

/* what has been read, until there is no room */
static void take_lines(struct app *a)
{
	int64_t now = clock_mono_us();
	struct span line;

	while (put_held(a, now) && intake_next(&a->in, &line))
		a->held = line;
}

/* ---------------------------------------------------------------------------------------------------- tee */

/* a reader that went away needs the blocks no more */
static void reader_is_gone(struct app *a)
{
	struct span s;

	a->lost = a->in.over = true;
	while ((s = rec_write_head(a->write)).n > 0)
		rec_write_drop(a->write, s.n);
}

static void write_failed(struct app *a)
{
	if (errno != EPIPE && errno != ECONNRESET) {
		err_warn("standard output:");
		a->broken = true;
	}
	reader_is_gone(a);
}

static void pass_on(struct app *a)
{
	struct span s;

	while (a->o.write.tee && !a->full && (s = rec_write_head(a->write)).n > 0) {
		ssize_t n = a->lost ? (ssize_t)s.n : io_write(&a->out, s.p, s.n);
		if (n > 0)
			rec_write_drop(a->write, (size_t)n);
		else if (n == 0)
			a->full = true;
		else
			write_failed(a);
	}
}

static bool all_passed(const struct app *a)
{
	return !a->o.write.tee || a->lost || rec_write_head(a->write).n == 0;
}

/* ------------------------------------------------------------------------------------------------- events */

static void set_rotation(struct app *a, int64_t wall)
{
	a->rotate_at = a->o.rotate ? (wall / a->o.rotate + 1) * a->o.rotate : INT64_MAX;
}

static void on_signals(struct app *a)
{
	struct rec_write_counters c;
	int number;

	while ((number = io_signal(a->signals)) != 0) {
		if (number == SIGUSR1) {
			rec_write_counters(a->write, &c);
			tell_counters(a, &c);
		} else if (number == SIGHUP) {
			rec_write_rotate(a->write, clock_mono_us());
		} else {
			a->give_up = a->in.stopped ? 0 : clock_mono_us() + LAST_LINE_US;
			intake_stop(&a->in);
		}
	}
}

enum { INPUT, SIGNALS, WRITER, READER, POLLED };

/* until the next thing that is due by a clock, for poll(2) */
static int wait_ms(const struct app *a)
{
	int64_t due = rec_write_due(a->write);
	int64_t wall = a->rotate_at == INT64_MAX ? INT64_MAX : a->rotate_at - clock_real_us() + clock_mono_us();

	due = wall < due ? wall : due;
	return clock_wait_ms(a->give_up < due ? a->give_up : due);
}

static void await(struct app *a)
{
	bool reads = !a->in.over && !a->held.p;
	struct pollfd fds[POLLED] = {
		[INPUT] = { .fd = reads ? STDIN_FILENO : -1, .events = POLLIN },
		[SIGNALS] = { .fd = a->signals, .events = POLLIN },
		[WRITER] = { .fd = rec_write_fd(a->write), .events = POLLIN },
		[READER] = { .fd = a->o.write.tee && !a->lost ? a->out.fd : -1, .events = a->full ? POLLOUT : 0 },
	};

	if (poll(fds, POLLED, wait_ms(a)) < 0) {
		if (errno != EINTR)
			err_die(ERR_SYSTEM, "poll:");
		return;
	}
	if (fds[SIGNALS].revents)
		on_signals(a);
	a->full &= fds[READER].revents == 0; /* also when it has gone: the next write says so */
	if (fds[READER].revents & (POLLERR | POLLHUP) && all_passed(a))
		reader_is_gone(a);
	if (fds[INPUT].revents)
		a->broken |= !intake_read(&a->in);
}

/* the second after a signal is over */
static void give_up(struct app *a)
{
	a->give_up = INT64_MAX;
	a->in.over = true;
	if (all_passed(a))
		return;
	err_warn("standard output: the reader takes nothing; lines are lost on the way to it");
	a->broken = true;
	reader_is_gone(a);
}

/* what the clocks say */
static void keep_time(struct app *a)
{
	int64_t wall;

	if (!rec_write_tick(a->write, clock_mono_us())) {
		a->in.over = a->broken = true;
		a->let_go += a->held.p != NULL;
		a->held.p = NULL;
	}
	if (a->o.rotate && (wall = clock_real_us()) >= a->rotate_at) {
		rec_write_rotate(a->write, clock_mono_us());
		set_rotation(a, wall);
	}
	if (clock_mono_us() >= a->give_up)
		give_up(a);
}

static void run(struct app *a)
{
	for (;;) {
		keep_time(a);
		take_lines(a);
		pass_on(a);
		if (a->in.over && put_held(a, clock_mono_us()) && all_passed(a))
			return;
		await(a);
	}
}

/* --------------------------------------------------------------------------------------------------- whole */

/* the directory is there, and no thread yet */
static void enter_sandbox(struct app *a)
{
	struct sandbox s;

	sandbox_open(&s, SANDBOX_MAKE | SANDBOX_THREADS, opt_no_sandbox());
	sandbox_path(&s, a->o.write.dir, SANDBOX_MAKE);
	if (!sandbox_enter(&s)) {
		err_warn("the sandbox:");
		a->in.over = a->broken = true;
	}
}

static void set_up(struct app *a)
{
	char why[512];

	a->give_up = INT64_MAX;
	a->signals = io_signals(true);
	if (a->signals < 0 || !intake_open(&a->in, a->o.strict, err_warn))
		err_die(ERR_SYSTEM, "cannot start:");
	if (a->o.write.tee) {
		a->out = io_own_output(STDOUT_FILENO);
		io_grow_pipe(STDOUT_FILENO);
	}
	a->write = rec_write_open(&a->o.write, why);
	if (!a->write)
		err_die(ERR_SYSTEM, "%s", why);
	enter_sandbox(a);
	if (!rec_write_start(a->write, why))
		err_die(ERR_SYSTEM, "%s", why);
	set_rotation(a, clock_real_us());
	io_ready(a->o.ready_fd);
}

static int finish(struct app *a)
{
	struct rec_write_counters c;
	char why[512];

	intake_end(&a->in);
	if (!rec_write_close(a->write, &c, why)) {
		err_warn("%s", why);
		a->broken = true;
	}
	c.lost += a->let_go;
	if (c.lost)
		err_warn("%" PRIu64 " line%s not recorded", c.lost, c.lost == 1 ? " is" : "s are");
	refuse_total(&a->in.refused);
	if (a->o.verbose)
		tell_counters(a, &c);
	intake_close(&a->in);
	return a->broken ? ERR_SYSTEM : a->in.refused.lines ? ERR_DATA : ERR_OK;
}

int main(int argc, char **argv)
{
	static struct app a;

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	a.o = parse_args(argc, argv);
	set_up(&a);
	run(&a);
	return finish(&a);
}
