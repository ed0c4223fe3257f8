/* intake - the lines of standard input, for programs that are no filters: what is no text is refused, and after a signal
 * the line that has begun is the last one. */
#ifndef BNC_INTAKE_H
#define BNC_INTAKE_H

#include "line.h"
#include "refuse.h"

struct intake {
	struct line_in in;
	struct refuse refused;
	uint64_t lines; /* read, those that were refused, too */
	bool strict;	/* the first that is refused is the last one */
	bool stopped;	/* by intake_stop */
	bool over;	/* there are no more; the caller may say so, too */
};

/* false: no memory */
bool intake_open(struct intake *i, bool strict, void (*tell)(const char *format, ...)
    __attribute__((format(printf, 1, 2))));
void intake_close(struct intake *i);

/* one read(2). false: it failed, which is told, and it is over */
bool intake_read(struct intake *i);

/* the next line, good until the next call of intake_read. false: none now */
bool intake_next(struct intake *i, struct span *line);
/* has a whole one been read that intake_next would give? */
bool intake_waits(const struct intake *i);

/* the line that intake_next gave last, at that byte */
void intake_refuse(struct intake *i, size_t at, const char *why);

/* the line that has begun is the last one, and nothing is taken of what stands behind it */
void intake_stop(struct intake *i);

/* as the program ends: a line that was to be the last one and whose end did not come is refused */
void intake_end(struct intake *i);

#endif
