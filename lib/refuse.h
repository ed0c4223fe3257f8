/* refuse - telling of lines that are left out: a burst of 20, then 5 a second, so that a broken feed cannot flood a log;
 * the total comes at the end. */
#ifndef BNC_REFUSE_H
#define BNC_REFUSE_H

#include <stddef.h>
#include <stdint.h>

#include "rate.h"

struct refuse {
	struct rate rate;
	uint64_t lines; /* refused */
	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

void refuse_open(struct refuse *r, void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2))));

/* where: name of the input, NULL where there is only one; number: of the line, from 1; at: byte offset inside it */
void refuse_line(struct refuse *r, const char *where, uint64_t number, size_t at, const char *why);

/* how many in all, where there are any */
void refuse_total(const struct refuse *r);

#endif
