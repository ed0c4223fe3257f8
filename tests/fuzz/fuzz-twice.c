/* What a line gives may not depend on the lines before it. The last line of the input is given to a fresh reader, to
 * one that has seen all the others, and once more to the latter: the same records, or the same refusal. This is what
 * keeps every shortcut honest that remembers how lines looked. */
#include "fuzz.h"

/* an outcome kept beyond the next line */
struct fuzz_twice {
	struct outcome o;
	char *records;
};

static struct fuzz_twice fuzz_twice_take(struct subject *s, struct span line)
{
	struct fuzz_twice t = { .o = subject_take(s, line) };

	t.records = malloc(t.o.records.n + 1);
	FUZZ_CHECK(t.records != NULL);
	if (t.o.records.n)
		memcpy(t.records, t.o.records.p, t.o.records.n);
	t.o.records.p = t.records;
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subject *fresh = subject_new(EVENT_USDM, false);
	struct subject *warm = subject_new(EVENT_USDM, false);
	struct span rest = { (const char *)data, size };
	struct span line = rest;

	while (fuzz_line(&rest, &line) && rest.p)
		subject_take(warm, line);
	struct fuzz_twice one = fuzz_twice_take(fresh, line);
	for (int i = 0; i < 2; i++) {
		struct fuzz_twice other = fuzz_twice_take(warm, line);
		FUZZ_CHECK(outcome_eq(one.o, other.o));
		free(other.records);
	}
	free(one.records);
	subject_free(warm);
	subject_free(fresh);
	return 0;
}
