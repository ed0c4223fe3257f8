/* lib/fields by its two ways: what a line gives along a layout that was learned from others is what it gives by the
 * grammar. Every line of the input is given to a reader that has seen no other, and, twice, to one that has seen all of
 * those before it. The vocabularies are those of frames and of records. */
#include "fuzz.h"

#include "event.h"
#include "fields.h"

/* the same slots with the same values, or the same refusal; all point into the same line */
static void fuzz_fields_same(const struct fields *a, const struct fields *b, bool good)
{
	if (!good) {
		FUZZ_CHECK(a->why == b->why && a->at == b->at);
		return;
	}
	FUZZ_CHECK(a->seen[0] == b->seen[0] && a->seen[1] == b->seen[1] && a->entered == b->entered);
	FUZZ_CHECK(a->plain_n == b->plain_n);
	for (unsigned slot = 0; slot < FIELDS_SLOTS; slot++) {
		const struct json_val *v = &a->v[slot], *w = &b->v[slot];
		if (!fields_has(a, slot))
			continue;
		FUZZ_CHECK(v->p == w->p && v->n == w->n && v->kind == w->kind && v->escaped == w->escaped);
		FUZZ_CHECK(span_eq(fields_text(a, slot), fields_text(b, slot)));
	}
}

static void fuzz_fields_line(struct fields *fresh, struct fields *warm, fields_slot *slot, struct span line)
{
	struct span padded = subject_pad(line);

	fields_open(fresh, slot);
	bool good = fields_read(fresh, padded);
	for (int i = 0; i < 2; i++) {
		FUZZ_CHECK(fields_read(warm, padded) == good);
		fuzz_fields_same(fresh, warm, good);
	}
	subject_unpad(padded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static fields_slot *const slots[] = { binance_slot, event_slot };
	static struct fields fresh, warm;
	struct span line;

	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
		struct span rest = { (const char *)data, size };
		fields_open(&warm, slots[i]);
		while (fuzz_line(&rest, &line))
			fuzz_fields_line(&fresh, &warm, slots[i], line);
	}
	return 0;
}
