/* filter - the loop every filter runs: files or standard input -> a function a line -> standard output.
 *
 * Flushes exactly when about to wait, tells refusals (rate-limited, with a total), answers SIGUSR1 with a line of
 * counters, ends on SIGTERM and SIGINT behind the lines read so far (a reader that takes nothing can hold that up for
 * a second; the second signal ends it at once), takes a reader that went away as a quiet end, also while there is
 * nothing to write.
 * It prints through `tell` alone, so that lib/ stays silent. */
#ifndef BNC_FILTER_H
#define BNC_FILTER_H

#include "line.h"

struct fast;

struct filter_why {
	const char *why; /* constant sentence */
	size_t at;       /* byte offset inside the line */
};

struct filter {
	char *const *files; /* operands, NULL-terminated; none or "-" means standard input */
	bool strict;        /* stop at the first refused line */
	bool verbose;       /* the line of counters at the end as well */
	bool no_sandbox;    /* lib/sandbox.h: keep the rights that are not needed once the first operand is open */
	void *state;

	/* one line in, any number out by line_put / line_room. The line is padded as lib/json asks; room for it and for
	 * LINE_RECORD_MAX bytes more is there already. false: refused, *why says what and where */
	bool (*line)(void *state, struct span line, struct line_out *out, struct filter_why *why);

	/* optional: the same for lines that look as most do (lib/fast.h): takes those from p on, as many as it can, and counts
	 * them in `run`, from 0. Gives the byte behind the last '\n', which is not beyond `end`, or p where it took none. What comes then
	 * it does not take, or not yet: `line` gets it */
	const char *(*fast)(void *state, const char *p, const char *end, struct line_out *out, struct fast *run);

	/* optional: a descriptor beside the operands, whose lines are taken as they come, in front of those of the operands
	 * that can be read at the same time. Its end ends nothing. It stays the caller's */
	bool (*side_line)(void *state, struct span line, struct line_out *out, struct filter_why *why);
	int side;
	const char *side_name;

	/* optional: the microsecond (clock_mono_us) at which tick wants to be called, or INT64_MAX */
	int64_t (*due)(void *state);
	void (*tick)(void *state, struct line_out *out);

	/* optional: after the last line that was taken, also where a signal or strict made it the last: what has been
	 * held back goes out (not after a lost reader or a failed write) */
	void (*finish)(void *state, struct line_out *out);

	/* optional: further counters for SIGUSR1 as " name N name N", NUL-terminated */
	void (*counters)(void *state, char *text, size_t cap);

	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

/* Before that: every line of a file that tells what to start from. false: it cannot be read, or `line` refused one;
 * `tell` has been told so. Nothing behind such a line is read. */
bool filter_start(const char *path, bool (*line)(void *state, struct span line, struct filter_why *why), void *state,
    void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2))));

/* runs to the end; an exit status of err.h (0, 1 or 3) */
int filter_run(struct filter *f);

#endif
