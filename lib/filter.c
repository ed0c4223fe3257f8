#include "filter.h"

#include "clock.h"
#include "fast.h"
#include "outlet.h"
#include "refuse.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

_Static_assert(FAST_PAD <= LINE_PAD, "a short way may look behind what has been read");

/* the exit statuses of err.h, which prints and is therefore not for lib/ */
enum { DONE = 0, REFUSED = 1, BROKEN = 3 };

struct input {
	struct line_in in;
	const char *where; /* its name for messages, NULL where it is the only one */
	bool (*line)(void *state, struct span line, struct line_out *out, struct filter_why *why);
	const char *(*fast)(void *state, const char *p, const char *end, struct line_out *out, struct fast *run);
	struct fast short_way;
};

struct run {
	struct filter *f;
	struct input main, side; /* side.in.fd: -1 where there is none, or no more */
	struct outlet outlet; /* over also at the first refusal under strict: read no further */
	bool broken;	      /* something was told that makes the exit status BROKEN */
	uint64_t lines;
	struct refuse refused;
	struct sandbox sandbox;
};

/* ------------------------------------------------------------------------------------------------------ messages */

static void refuse(struct run *r, const struct input *i, struct filter_why why)
{
	refuse_line(&r->refused, i->where, i->in.number, why.at, why.why);
	r->outlet.over |= r->f->strict;
}

static void tell_counters(void *run)
{
	const struct run *r = run;
	char more[512] = "";

	if (r->f->counters)
		r->f->counters(r->f->state, more, sizeof more);
	r->f->tell("in %llu out %llu refused %llu%s", (unsigned long long)r->lines, (unsigned long long)r->outlet.out.lines,
	    (unsigned long long)r->refused.lines, more);
}

/* --------------------------------------------------------------------------------------------------------- lines */

static void take_line(struct run *r, const struct input *i, enum line_got got, struct span line)
{
	struct filter_why why = { "the line was not accepted", 0 };

	r->lines++;
	if (got == LINE_LONG)
		refuse(r, i, (struct filter_why){ "longer than 1 MiB", LINE_MAX_BYTES });
	else if (line.n == 0)
		refuse(r, i, (struct filter_why){ "an empty line", 0 });
	else if (!line_room(&r->outlet.out, line.n + 1 + LINE_RECORD_MAX))
		return;
	else if (!i->line(r->f->state, line, &r->outlet.out, &why) && !r->outlet.out.error)
		refuse(r, i, why);
}

/* the next lines, by the short way; false: the first of them has to take the long one */
static inline bool take_fast(struct run *r, struct input *i)
{
	struct line_in *in = &i->in;

	if (!i->fast || !line_is_fresh(in))
		return false;
	i->short_way.lines = 0;
	const char *end = i->fast(r->f->state, in->lo, in->hi, &r->outlet.out, &i->short_way);
	if (i->short_way.lines == 0)
		return false;
	lines_taken(in, end, i->short_way.lines);
	r->lines += i->short_way.lines;
	r->outlet.over |= r->outlet.out.error != 0;
	return true;
}

/* the next one by that; false: there is no whole one */
static bool take_next(struct run *r, struct input *i)
{
	struct span line;
	enum line_got got = line_next(&i->in, &line);

	if (got == LINE_EMPTY)
		return false;
	take_line(r, i, got, line);
	r->outlet.over |= r->outlet.out.error != 0;
	return true;
}

/* every whole line that has been read */
static void take_lines(struct run *r, struct input *i)
{
	while (!r->outlet.over && (take_fast(r, i) || take_next(r, i)))
		;
}

/* calls tick when it is due; the microsecond at which it is due again */
static int64_t tick(struct run *r)
{
	struct filter *f = r->f;
	struct line_out *out = &r->outlet.out;

	if (!f->due || !f->tick)
		return INT64_MAX;
	if (f->due(f->state) <= clock_mono_us() && line_room(out, LINE_RECORD_MAX))
		f->tick(f->state, out);
	return f->due(f->state);
}

static void broken_by_errno(struct run *r, const char *what)
{
	r->f->tell("%s:", what);
	r->outlet.over = r->broken = true;
}

/* one read(2) and the lines that it completes; false: it cannot be read any further, which is told */
static bool take_some(struct run *r, struct input *i, const char *name)
{
	if (line_fill(&i->in) < 0 && errno != EINTR && errno != EAGAIN) {
		r->f->tell("%s:", name);
		r->broken = true;
		return false;
	}
	take_lines(r, i);
	return true;
}

static void take_side(struct run *r)
{
	if (!take_some(r, &r->side, r->f->side_name) || r->side.in.ended)
		r->side.in.fd = -1; /* which poll(2) passes over */
}

/* until the input can be read; the end of the wait may also be that of the run */
static void await_input(struct run *r)
{
	struct pollfd fds[2 + OUTLET_FDS];
	bool ready = false;

	while (!r->outlet.over && !ready) {
		fds[0] = (struct pollfd){ .fd = r->main.in.fd, .events = POLLIN };
		fds[1] = (struct pollfd){ .fd = r->side.in.fd, .events = POLLIN };
		int k = outlet_wait(&r->outlet, fds, 2, tick(r));
		if (k < 0)
			broken_by_errno(r, "poll");
		if (k > 0 && fds[1].revents)
			take_side(r);
		ready = k > 0 && fds[0].revents;
	}
}

/* -------------------------------------------------------------------------------------------------------- inputs */

/* one input, to its end */
static void take_input(struct run *r, int fd, const char *name)
{
	bool good = true;

	line_in_attach(&r->main.in, fd);
	io_grow_pipe(fd);
	while (good && !r->outlet.over && !r->main.in.ended) {
		await_input(r);
		good = r->outlet.over || take_some(r, &r->main, name);
	}
}

static bool is_standard(const char *operand)
{
	return strcmp(operand, "-") == 0;
}

/* -1: it cannot be, which is told */
static int open_operand(struct run *r, const char *operand)
{
	/* O_NONBLOCK: the open of a FIFO must not wait for its writer where no signal is heard; poll waits for it */
	int fd = is_standard(operand) ? STDIN_FILENO : open(operand, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		r->f->tell("%s:", operand);
		r->broken = true; /* the other files are read all the same, as cat(1) does */
	}
	return fd;
}

static void take_operand(struct run *r, int fd, const char *operand, bool several)
{
	const char *name = is_standard(operand) ? "standard input" : operand;

	r->main.where = several || r->f->side_line ? name : NULL;
	take_input(r, fd, name);
	if (fd != STDIN_FILENO)
		close(fd);
}

/* The first operand is open: from here on only the others can be. */
static bool enter_sandbox(struct run *r, char *const *others)
{
	sandbox_open(&r->sandbox, sandbox_are_files(others) ? SANDBOX_OPEN | SANDBOX_LESS : 0, r->f->no_sandbox);
	sandbox_operands(&r->sandbox, others);
	return sandbox_enter(&r->sandbox);
}

/* after the last one there is no more to open */
static bool leave_files(struct run *r, char *const *others)
{
	return r->sandbox.may == 0 || sandbox_are_files(others) || sandbox_less(&r->sandbox, 0);
}

static void take_operands(struct run *r)
{
	char dash[] = "-";
	char *const standard_input[] = { dash, NULL };
	char *const *files = r->f->files && r->f->files[0] ? r->f->files : standard_input;

	for (size_t i = 0; files[i] && !r->outlet.over; i++) {
		const char *operand = files[i];
		int fd = open_operand(r, operand);
		if (!(i == 0 ? enter_sandbox(r, files + 1) : leave_files(r, files + i + 1)))
			broken_by_errno(r, "the sandbox");
		if (fd >= 0)
			take_operand(r, fd, operand, files[1] != NULL);
	}
}

/* ----------------------------------------------------------------------------------------------------- the start */

typedef bool start_line(void *state, struct span line, struct filter_why *why);

/* every whole line that has been read; false: one is refused */
static bool start_lines(struct line_in *in, start_line *take, void *state, struct filter_why *why)
{
	struct span line;
	enum line_got got;

	while ((got = line_next(in, &line)) != LINE_EMPTY) {
		*why = (struct filter_why){ "longer than 1 MiB", LINE_MAX_BYTES };
		if (got == LINE_LONG || !take(state, line, why))
			return false;
	}
	return true;
}

bool filter_start(const char *path, start_line *take, void *state, void (*tell)(const char *format, ...))
{
	struct line_in in = { .fd = -1 };
	struct filter_why why = { NULL, 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && line_in_open(&in), taken = true;

	line_in_attach(&in, fd);
	while (good && taken && !in.ended) {
		good = line_fill(&in) >= 0;
		taken = !good || start_lines(&in, take, state, &why);
	}
	if (!good)
		tell("%s:", path);
	if (!taken)
		tell("%s: line %llu: byte %zu: %s", path, (unsigned long long)in.number, why.at, why.why);
	line_in_close(&in);
	if (fd >= 0)
		close(fd);
	return good && taken;
}

/* ----------------------------------------------------------------------------------------------------- the whole */

static bool open_run(struct run *r, struct filter *f)
{
	*r = (struct run){ .f = f };
	r->main.line = f->line;
	r->main.fast = f->fast;
	r->side.line = f->side_line;
	r->side.where = f->side_name;
	refuse_open(&r->refused, f->tell);
	if (!outlet_open(&r->outlet, tell_counters, r) || !line_in_open(&r->main.in))
		return false;
	if (f->side_line && !line_in_open(&r->side.in))
		return false;
	r->side.in.fd = -1;
	if (f->side_line)
		line_in_attach(&r->side.in, f->side);
	return true;
}

static int finish(struct run *r)
{
	struct filter *f = r->f;
	struct outlet *o = &r->outlet;

	if (f->finish && o->out.error == 0 && line_room(&o->out, LINE_RECORD_MAX))
		f->finish(f->state, &o->out);
	r->broken |= !outlet_finish(o, f->tell);
	refuse_total(&r->refused);
	if (f->verbose)
		tell_counters(r);
	return r->broken ? BROKEN : r->refused.lines && !outlet_lost(o) ? REFUSED : DONE;
}

int filter_run(struct filter *f)
{
	struct run r;
	int status = BROKEN;

	if (open_run(&r, f)) {
		take_operands(&r);
		status = finish(&r);
	} else {
		f->tell("cannot start:");
	}
	line_in_close(&r.main.in);
	line_in_close(&r.side.in);
	outlet_close(&r.outlet);
	return status;
}
