#include "intake.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "scan.h"

/* after a stop byte by byte */
static long take(void *intake, char *p, size_t n)
{
	const struct intake *i = intake;

	return (long)read(STDIN_FILENO, p, i->stopped ? 1 : n);
}

bool intake_open(struct intake *i, bool strict, void (*tell)(const char *format, ...))
{
	*i = (struct intake){ .strict = strict };
	refuse_open(&i->refused, tell);
	io_grow_pipe(STDIN_FILENO);
	return line_in_open_for(&i->in, LINE_READ_BYTES, take, i);
}

void intake_close(struct intake *i)
{
	line_in_close(&i->in);
}

static bool begun(const struct intake *i)
{
	return i->in.hi > i->in.lo || i->in.skipping;
}

bool intake_read(struct intake *i)
{
	if (i->stopped && !begun(i))
		return true; /* that would be the next line */
	if (line_fill(&i->in) >= 0 || errno == EINTR || errno == EAGAIN)
		return true;
	i->refused.tell("standard input:");
	i->over = true;
	return false;
}

void intake_refuse(struct intake *i, size_t at, const char *why)
{
	refuse_line(&i->refused, NULL, i->in.number, at, why);
	i->over |= i->strict;
}

static bool is_text(struct intake *i, enum line_got got, struct span line)
{
	struct scan_error e = { NULL, NULL };

	if (got == LINE_LONG)
		intake_refuse(i, LINE_MAX_BYTES, "longer than 1 MiB");
	else if (!scan_text(line, &e))
		intake_refuse(i, (size_t)(e.at - line.p), e.why);
	else
		return true;
	return false;
}

bool intake_next(struct intake *i, struct span *line)
{
	enum line_got got;

	while (!i->over && (got = line_next(&i->in, line)) != LINE_EMPTY) {
		i->lines++;
		if (is_text(i, got, *line))
			return true;
	}
	i->over |= i->in.ended || (i->stopped && !begun(i));
	return false;
}

bool intake_waits(const struct intake *i)
{
	const struct line_in *in = &i->in;

	return !i->over && !in->skipping && in->hi > in->lo && memchr(in->lo, '\n', (size_t)(in->hi - in->lo));
}

void intake_stop(struct intake *i)
{
	i->stopped = true;
}

void intake_end(struct intake *i)
{
	if (!i->stopped || !begun(i))
		return;
	i->in.number++;
	intake_refuse(i, 0, "its end did not come");
}
