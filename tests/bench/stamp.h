/* stamp - the time at which a line was written, as a number that goes through a pipeline unharmed: the quantity of a
 * book's bid, "B" of a frame, "bidQty" of a record. And what became of the times: percentiles. */
#ifndef BNC_BENCH_STAMP_H
#define BNC_BENCH_STAMP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "span.h"

#define STAMP_BYTES 17		 /* "1000012345.678901" */
#define STAMP_PAST  1000000000ll /* seconds that make all of them equally long */
#define STAMPS_MAX  1000000

static inline void stamp_print(char *out, int64_t us)
{
	char text[48];

	snprintf(text, sizeof text, "%lld.%06lld", STAMP_PAST + (long long)(us / 1000000), (long long)(us % 1000000));
	memcpy(out, text, STAMP_BYTES);
}

/* µs, -1: the line has none. A record lacks the zeros at the end. */
static inline int64_t stamp_of(struct span line)
{
	static const char *const keys[] = { "\"bidQty\":\"", "\"B\":\"" };
	const char *end = line.p + line.n, *p = NULL;
	int64_t us = 0, unit = 1000000;

	for (size_t i = 0; !p && i < 2; i++) {
		p = memmem(line.p, line.n, keys[i], strlen(keys[i]));
		p = p ? p + strlen(keys[i]) : NULL;
	}
	if (!p)
		return -1;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		us = us * 10 + (*p - '0');
	us = (us - STAMP_PAST) * 1000000;
	if (p < end && *p == '.')
		for (p++; p < end && *p >= '0' && *p <= '9'; p++)
			us += (*p - '0') * (unit /= 10);
	return us;
}

struct stamps {
	size_t n;
	int64_t delay[STAMPS_MAX]; /* µs */
};

static inline void stamps_take(struct stamps *s, struct span line, int64_t now)
{
	int64_t sent = stamp_of(line);

	if (sent >= 0 && s->n < STAMPS_MAX)
		s->delay[s->n++] = now - sent;
}

static inline int stamps_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* "LINES P50 P99 MOST", µs, of all but the first tenth, when everything was still cold */
static inline void stamps_print(struct stamps *s)
{
	size_t cold = s->n / 10, n = s->n - cold;
	int64_t *d = s->delay + cold;

	if (n == 0) {
		puts("0 0 0 0");
		return;
	}
	qsort(d, n, sizeof *d, stamps_compare);
	printf("%zu %lld %lld %lld\n", s->n, (long long)d[n / 2], (long long)d[n * 99 / 100], (long long)d[n - 1]);
}

#endif
