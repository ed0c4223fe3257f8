/* subject - what the fuzzers and the tests of lib/binance share: one line through binance_normalize, and all that can
 * be seen of what became of it. */
#ifndef BNC_TEST_SUBJECT_H
#define BNC_TEST_SUBJECT_H

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "binance.h"

struct subject {
	struct binance b;
	struct line_out out;
};

struct outcome {
	enum binance_result result;
	struct span records; /* in the subject's buffer: good until its next line */
	const char *why;     /* "" unless refused */
	size_t at;
};

static inline struct subject *subject_new(enum event_market market, bool keep_unknown)
{
	static int nowhere = -1;
	struct subject *s = calloc(1, sizeof *s);

	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!s || !line_out_open(&s->out, (struct io_out){ .fd = nowhere }, -1))
		abort();
	binance_open(&s->b, market);
	s->b.keep_unknown = keep_unknown;
	return s;
}

/* as if it had been made anew, but for the pages of its output */
static inline void subject_refresh(struct subject *s)
{
	enum event_market market = s->b.market;
	bool keep = s->b.keep_unknown;

	binance_open(&s->b, market);
	s->b.keep_unknown = keep;
}

static inline void subject_free(struct subject *s)
{
	line_out_close(&s->out);
	free(s);
}

/* The line is copied to memory that ends behind the padding which lib/json asks for, so that a sanitizer sees a read
 * beyond it. The padding is not zero: nothing may depend on it. */
static inline struct span subject_pad(struct span line)
{
	char *copy = malloc(line.n + 1 + JSON_PAD);

	if (!copy)
		abort();
	if (line.n)
		memcpy(copy, line.p, line.n);
	copy[line.n] = '\n';
	memset(copy + line.n + 1, '"', JSON_PAD);
	return (struct span){ copy, line.n };
}

static inline void subject_unpad(struct span line)
{
	free((void *)(size_t)line.p);
}

static inline struct outcome subject_take_padded(struct subject *s, struct span line)
{
	struct outcome o = { .why = "" };
	const char *why = NULL;
	size_t at = (size_t)-1;

	s->out.p = s->out.buf;
	o.result = binance_normalize(&s->b, line, &s->out, &why, &at);
	o.records = (struct span){ s->out.buf, (size_t)(s->out.p - s->out.buf) };
	if (o.result == BINANCE_REFUSED) {
		if (!why || at > line.n)
			abort();
		o.why = why;
		o.at = at;
	}
	return o;
}

static inline struct outcome subject_take(struct subject *s, struct span line)
{
	struct span padded = subject_pad(line);
	struct outcome o = subject_take_padded(s, padded);

	subject_unpad(padded);
	return o;
}

static inline bool outcome_eq(struct outcome a, struct outcome b)
{
	return a.result == b.result && span_eq(a.records, b.records) && strcmp(a.why, b.why) == 0 && a.at == b.at;
}

#endif
