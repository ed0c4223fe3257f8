#include "filter.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* the exit statuses of err.h, which prints and is therefore not for lib/ */
enum { DONE = 0, REFUSED = 1, BROKEN = 3 };

/* refusals told: a burst of 20, then 5 a second, so that a broken feed cannot flood a log; the total comes at the end
 */
#define TELL_EACH_US  200000
#define TELL_BURST_US (20 * TELL_EACH_US)

/* how long a reader that takes nothing can hold up the end after a signal */
#define LAST_WAIT_US 1000000

struct run {
	struct filter *f;
	struct line_in in;
	struct line_out out;
	int signals;
	bool over; /* a signal, a lost reader, a failed write, or the first refusal under strict: read no further */
	bool signalled;	   /* SIGTERM or SIGINT came */
	bool broken;	   /* something was told that makes the exit status BROKEN */
	const char *where; /* name of the input for messages, NULL where there is only one */
	uint64_t lines, refused, hidden;
	int64_t credit, credited; /* µs of telling saved up, and when that was counted */
};

/* ------------------------------------------------------------------------------------------------------ messages */

static bool may_tell(struct run *r)
{
	int64_t now = clock_mono_us();

	r->credit += now - r->credited;
	r->credited = now;
	if (r->credit > TELL_BURST_US)
		r->credit = TELL_BURST_US;
	if (r->credit < TELL_EACH_US)
		return false;
	r->credit -= TELL_EACH_US;
	return true;
}

static void refuse(struct run *r, struct filter_why why)
{
	unsigned long long number = r->in.number;

	r->refused++;
	r->over = r->over || r->f->strict;
	if (!may_tell(r)) {
		r->hidden++;
		return;
	}
	if (r->where)
		r->f->tell("%s: line %llu: byte %zu: %s", r->where, number, why.at, why.why);
	else
		r->f->tell("line %llu: byte %zu: %s", number, why.at, why.why);
}

static void tell_total(const struct run *r)
{
	unsigned long long n = r->refused;
	const char *s = n == 1 ? "" : "s";

	if (n && r->hidden)
		r->f->tell("%llu line%s refused, %llu of them not shown", n, s, (unsigned long long)r->hidden);
	else if (n)
		r->f->tell("%llu line%s refused", n, s);
}

static void tell_counters(struct run *r)
{
	char more[512] = "";

	if (r->f->counters)
		r->f->counters(r->f->state, more, sizeof more);
	r->f->tell("in %llu out %llu refused %llu%s", (unsigned long long)r->lines, (unsigned long long)r->out.lines,
	    (unsigned long long)r->refused, more);
}

/* ------------------------------------------------------------------------------------------------------- signals */

/* takes what waits at the signal fd. The first SIGTERM or SIGINT gives a slow reader a second to take the rest, the
 * next one none. Also called in the middle of a wait for the reader, hence the shape. */
static bool answer_signals(void *run)
{
	struct run *r = run;
	int number;

	while ((number = io_signal(r->signals)) != 0) {
		if (number == SIGUSR1) {
			tell_counters(r);
			continue;
		}
		r->out.deadline = r->signalled ? 0 : clock_mono_us() + LAST_WAIT_US;
		r->over = r->signalled = true;
	}
	return true;
}

/* --------------------------------------------------------------------------------------------------------- lines */

static void take_line(struct run *r, enum line_got got, struct span line)
{
	struct filter_why why = { "the line was not accepted", 0 };

	r->lines++;
	if (got == LINE_LONG)
		refuse(r, (struct filter_why){ "longer than 1 MiB", LINE_MAX_BYTES });
	else if (line.n == 0)
		refuse(r, (struct filter_why){ "an empty line", 0 });
	else if (!line_room(&r->out, line.n + 1 + LINE_RECORD_MAX))
		return;
	else if (!r->f->line(r->f->state, line, &r->out, &why) && !r->out.error)
		refuse(r, why);
}

/* every whole line that has been read */
static void take_lines(struct run *r)
{
	struct span line;
	enum line_got got;

	while (!r->over && (got = line_next(&r->in, &line)) != LINE_EMPTY) {
		take_line(r, got, line);
		r->over = r->over || r->out.error != 0;
	}
}

/* calls tick when it is due; milliseconds until it is due again, for poll(2), -1: never */
static int tick(struct run *r)
{
	struct filter *f = r->f;

	if (!f->due || !f->tick)
		return -1;
	int64_t now = clock_mono_us();
	if (f->due(f->state) <= now && line_room(&r->out, LINE_RECORD_MAX))
		f->tick(f->state, &r->out);
	int64_t due = f->due(f->state);
	if (due == INT64_MAX)
		return -1;
	return due <= now ? 0 : due - now > 3600000000 ? 3600000 : (int)((due - now + 999) / 1000);
}

enum { INPUT, SIGNALS, OUTPUT, POLLED };

static void broken_by_errno(struct run *r, const char *what)
{
	r->f->tell("%s:", what);
	r->over = r->broken = true;
}

/* Waits until the input can be read; what has gathered goes out first where that means waiting. Watches the reader
 * too: one that has gone would go unnoticed until the next line. The end of the wait may also be that of the run. */
static void await_input(struct run *r)
{
	struct pollfd fds[POLLED] = {
		[INPUT] = { .fd = r->in.fd, .events = POLLIN },
		[SIGNALS] = { .fd = r->signals, .events = POLLIN },
		[OUTPUT] = { .fd = r->out.to.fd }, /* POLLERR and POLLHUP are always told */
	};

	while (!r->over) {
		int wait = tick(r);
		int n = poll(fds, POLLED, line_pending(&r->out) ? 0 : wait);
		if (n < 0 && errno != EINTR)
			broken_by_errno(r, "poll");
		if (n < 0)
			continue;
		if (fds[SIGNALS].revents)
			answer_signals(r);
		if (fds[OUTPUT].revents & (POLLERR | POLLHUP))
			r->out.error = EPIPE;
		if (n == 0)
			line_flush(&r->out);
		r->over = r->over || r->out.error != 0;
		if (fds[INPUT].revents)
			return;
	}
}

/* -------------------------------------------------------------------------------------------------------- inputs */

/* one input, to its end */
static void take_input(struct run *r, int fd, const char *name)
{
	line_in_attach(&r->in, fd);
	io_grow_pipe(fd);
	while (!r->over && !r->in.ended) {
		await_input(r);
		if (r->over)
			return;
		if (line_fill(&r->in) < 0 && errno != EINTR && errno != EAGAIN) {
			r->f->tell("%s:", name);
			r->broken = true;
			return;
		}
		take_lines(r);
	}
}

static void take_operand(struct run *r, const char *operand, bool several)
{
	bool standard = strcmp(operand, "-") == 0;
	const char *name = standard ? "standard input" : operand;
	/* O_NONBLOCK: the open of a FIFO must not wait for its writer where no signal is heard; poll waits for it */
	int fd = standard ? STDIN_FILENO : open(operand, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		r->f->tell("%s:", name);
		r->broken = true; /* the other files are read all the same, as cat(1) does */
		return;
	}
	r->where = several ? name : NULL;
	take_input(r, fd, name);
	if (!standard)
		close(fd);
}

static void take_operands(struct run *r)
{
	char dash[] = "-";
	char *const standard_input[] = { dash, NULL };
	char *const *files = r->f->files && r->f->files[0] ? r->f->files : standard_input;

	for (size_t i = 0; files[i] && !r->over; i++)
		take_operand(r, files[i], files[1] != NULL);
}

/* ----------------------------------------------------------------------------------------------------- the whole */

static bool open_run(struct run *r, struct filter *f)
{
	*r = (struct run){ .f = f, .credit = TELL_BURST_US, .credited = clock_mono_us() };
	r->signals = io_signals(false);
	if (r->signals < 0)
		return false;
	io_grow_pipe(STDOUT_FILENO);
	if (!line_in_open(&r->in) || !line_out_open(&r->out, io_own_output(STDOUT_FILENO), r->signals))
		return false;
	r->out.woken = answer_signals;
	r->out.user = r;
	return true;
}

static void close_run(struct run *r)
{
	line_in_close(&r->in);
	line_out_close(&r->out);
	if (r->signals >= 0)
		close(r->signals);
}

/* the last write, and what a file system says only at close(2) */
static void close_output(struct run *r)
{
	if (!line_flush(&r->out))
		return;
	int copy = dup(r->out.to.fd);
	if (copy < 0 || close(copy) < 0)
		r->out.error = errno;
}

static int status_of(struct run *r)
{
	bool lost = r->out.error == EPIPE || r->out.error == ECONNRESET;

	if (r->out.error == ETIMEDOUT) {
		r->f->tell("standard output: the reader takes nothing; %zu bytes are lost", line_pending(&r->out));
		r->broken = true;
	} else if (r->out.error && !lost) {
		errno = r->out.error;
		broken_by_errno(r, "standard output");
	}
	tell_total(r);
	if (r->f->verbose)
		tell_counters(r);
	return r->broken ? BROKEN : lost ? DONE : r->refused ? REFUSED : DONE;
}

int filter_run(struct filter *f)
{
	struct run r;
	int status = BROKEN;

	if (open_run(&r, f)) {
		take_operands(&r);
		if (!r.over && f->finish && line_room(&r.out, LINE_RECORD_MAX))
			f->finish(f->state, &r.out);
		close_output(&r);
		status = status_of(&r);
	} else {
		f->tell("cannot start:");
	}
	close_run(&r);
	return status;
}
