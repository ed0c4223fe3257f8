/* fuzz - what every entry of this directory begins with. An entry is a file fuzz-NAME.c with one function that takes
 * any bytes: it must not crash, and what it checks on the way must hold. tests/fuzz/run gives them to libFuzzer,
 * tests/unit/test-fuzz replays the seeds and damaged copies of them in make check. */
#ifndef BNC_FUZZ_H
#define BNC_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* holds, or the input is kept as one that breaks it */
#define FUZZ_CHECK(condition)                                                                                          \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* cuts the first line off *rest; false: there is none */
static inline bool fuzz_line(struct span *rest, struct span *line)
{
	if (!rest->p)
		return false;
	*line = span_cut(*rest, '\n', rest);
	return true;
}

/* One line that a program passed on: a JSON object, perhaps with blanks around it. It is taken off *text; `top` is the
 * length of the object. */
static inline struct span fuzz_passed(struct span *text, size_t *top_n)
{
	const char *end = text->n ? memchr(text->p, '\n', text->n) : NULL;

	FUZZ_CHECK(end != NULL);
	struct span line = { text->p, (size_t)(end - text->p) };
	*text = (struct span){ end + 1, text->n - line.n - 1 };
	struct span padded = subject_pad(line);
	struct json r;
	struct json_val top;
	FUZZ_CHECK(json_check(&r, padded, &top) && top.kind == JSON_OBJECT);
	*top_n = top.n;
	subject_unpad(padded);
	return line;
}

/* the same of one that it wrote itself: an object and nothing else */
static inline struct span fuzz_record(struct span *text)
{
	size_t top_n;
	struct span line = fuzz_passed(text, &top_n);

	FUZZ_CHECK(top_n == line.n);
	return line;
}

#endif
