/* listenKeyExpired and eventStreamTerminated: the account's stream is over although its connection stays open. E of the
 * first has been a string before 2026-05. The key is a secret of a kind: no record carries it. */
#include "binance_user.h"

#include "num.h"

/* E as a string of digits */
static bool time_as_text(const struct fields *f, int64_t *ms)
{
	uint64_t t;

	if (fields_kind(f, 'E') != JSON_STRING || !num_u64(fields_text(f, 'E'), 0, INT64_MAX, &t))
		return false;
	*ms = (int64_t)t;
	return true;
}

void binance_stream_over_parse(struct binance_user *u, const struct fields *f)
{
	struct sentence s = { .n = 0 };

	if (!time_as_text(f, &u->ts) && !binance_user_time(u, f))
		return;
	sentence_say_lit(&s, "the exchange has ended the stream of the account: ");
	if (span_is(fields_text(f, 'e'), "listenKeyExpired"))
		sentence_say_lit(&s, "its listen key has expired");
	else
		sentence_say_lit(&s, "it must be subscribed to again");
	binance_user_status(u, SPAN("stale"), &s);
}
