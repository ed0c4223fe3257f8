/* lib/event's readers on one record */
#include "fuzz.h"

#include "event.h"

static void fuzz_event_name(struct span s)
{
	FUZZ_CHECK(s.p != NULL && s.n > 0 && s.n <= EVENT_NAME_MAX);
}

/* a refusal begins with the key that it is about */
static void fuzz_event_why(bool ok, const char *why)
{
	struct span rest;

	if (ok)
		return;
	FUZZ_CHECK(why != NULL);
	struct span key = span_cut(span_of(why), ' ', &rest);
	FUZZ_CHECK(event_slot(key.p, key.n, 0) != FIELDS_SKIP);
}

static void fuzz_event_record(const struct fields *f)
{
	struct event_position p;
	struct event_balance b;
	struct event_tick t;
	const char *why = NULL;
	bool ok = event_read_position(f, &p, &why);

	fuzz_event_why(ok, why);
	if (ok) {
		fuzz_event_name(p.symbol);
		fuzz_event_name(p.pair);
		FUZZ_CHECK(
		    p.ts >= 0 && (span_is(p.side, "BOTH") || span_is(p.side, "LONG") || span_is(p.side, "SHORT")));
	}
	why = NULL;
	ok = event_read_balance(f, &b, &why);
	fuzz_event_why(ok, why);
	if (ok)
		fuzz_event_name(b.asset);
	why = NULL;
	ok = event_read_tick(f, &t, &why);
	fuzz_event_why(ok, why);
	if (ok) {
		fuzz_event_name(t.pair);
		FUZZ_CHECK(event_source_name(t.source).n > 0 && t.ts >= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fields f;
	struct span rest = { (const char *)data, size };
	struct span line;

	fields_open(&f, event_slot);
	while (fuzz_line(&rest, &line)) {
		struct span padded = subject_pad(line);
		if (fields_read(&f, padded)) {
			event_type(&f);
			fuzz_event_record(&f);
		}
		subject_unpad(padded);
	}
	return 0;
}
