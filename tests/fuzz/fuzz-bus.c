/* what a bus is told and what it says: a line as subject and id; and lines as all that a server answers to a reader of
 * it, which must never give out a message twice or out of order, nor stop asking */
#include "fuzz.h"

#include "binance_bus.h"
#include "bus_sub.h"

static void fuzz_bus_key(struct binance_bus *b, struct span line)
{
	struct binance_bus_key k;
	const char *why = NULL;
	size_t at = 0;

	if (!binance_bus_line(b, line, &k, &why, &at)) {
		FUZZ_CHECK(why != NULL && at <= line.n);
		return;
	}
	FUZZ_CHECK(bus_api_is_subject((struct span){ k.subject, k.subject_n }, false));
	FUZZ_CHECK(strlen(k.subject) == k.subject_n && strlen(k.id) >= k.id_n && k.id_n <= BINANCE_BUS_ID_MAX);
	/* it stands in a header */
	for (size_t i = 0; i < k.id_n; i++)
		FUZZ_CHECK(k.id[i] > ' ' && k.id[i] <= '~');
}

/* what a step is answered, where a line begins with "ok" */
static struct span fuzz_bus_good(enum bus_sub_step step)
{
	switch (step) {
	case BUS_SUB_FIND:
		return SPAN("{\"streams\":[\"bnc\"]}");
	case BUS_SUB_STREAM:
		return SPAN("{\"config\":{\"subjects\":[\"bnc.*\"]},\"state\":{\"first_seq\":3,\"last_seq\":90}}");
	case BUS_SUB_DELETE:
	case BUS_SUB_FREE:
		return SPAN("{\"success\":true}");
	default:
		return SPAN("{\"config\":{\"ack_policy\":\"all\",\"filter_subject\":\"bnc.>\"},\"num_pending\":5}");
	}
}

static void fuzz_bus_answer(struct bus_sub *s, struct span line, int64_t *now)
{
	struct bus_sub_request r;
	bool asked = bus_sub_next(s, *now, &r);

	if (asked && !r.pull) {
		struct span text = subject_pad(span_starts(line, SPAN("ok")) ? fuzz_bus_good(s->step) : line);
		bus_sub_answer(s, r.token, span_is(line, "503") ? 503 : 0, text, *now);
		subject_unpad(text);
	} else if (span_starts(line, SPAN("status"))) {
		int status = line.n > 6 ? 100 + (unsigned char)line.p[6] : 100;
		bus_sub_status(s, s->life, r.token, status, line, *now);
	} else {
		uint64_t before = s->last;
		bool placed = s->placed;
		if (bus_sub_message(s, s->life, line, *now))
			FUZZ_CHECK(!placed || s->last > before);
	}
	FUZZ_CHECK(bus_sub_due(s) < INT64_MAX);
	bus_sub_say(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bus_sub s;
	struct span rest = { (const char *)data, size }, line;
	struct binance_bus b;
	char why[256];
	int64_t now = 1000000;
	struct bus_sub_options o = { .subject = SPAN("bnc.>"), .from = (enum bus_sub_from)(size % 5), .sequence = 1 };

	o.durable = size % 2 ? SPAN("me") : SPAN("");
	FUZZ_CHECK(binance_bus_open(&b, SPAN("bnc.{market}.{type}.{pair}"), EVENT_USDM, true, why));
	bus_sub_open(&s, &o);
	bus_sub_up(&s, now);
	while (fuzz_line(&rest, &line)) {
		struct span padded = subject_pad(line);
		fuzz_bus_key(&b, padded);
		subject_unpad(padded);
		fuzz_bus_answer(&s, line, &now);
		now += line.n % 7 ? 1000 : BUS_SUB_SILENCE;
	}
	binance_bus_close(&b);
	return 0;
}
