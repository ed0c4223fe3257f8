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

struct filter_why {
	const char *why; /* constant sentence */
	size_t at;       /* byte offset inside the line */
};

struct filter {
	char *const *files; /* operands, NULL-terminated; none or "-" means standard input */
	bool strict;        /* stop at the first refused line */
	bool verbose;       /* the line of counters at the end as well */
	void *state;

	/* one line in, any number out by line_put / line_room. The line is padded as lib/json asks; room for it and for
	 * LINE_RECORD_MAX bytes more is there already. false: refused, *why says what and where */
	bool (*line)(void *state, struct span line, struct line_out *out, struct filter_why *why);

	/* optional: the microsecond (clock_mono_us) at which tick wants to be called, or INT64_MAX */
	int64_t (*due)(void *state);
	void (*tick)(void *state, struct line_out *out);

	/* optional: after the last line (not after a signal or a lost reader) */
	void (*finish)(void *state, struct line_out *out);

	/* optional: further counters for SIGUSR1 as " name N name N", NUL-terminated */
	void (*counters)(void *state, char *text, size_t cap);

	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

/* runs to the end; an exit status of err.h (0, 1 or 3) */
int filter_run(struct filter *f);

#endif
