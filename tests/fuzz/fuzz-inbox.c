/* lib/binance_inbox on lines, each of them an event, both kinds of answer, and a refusal: what comes out are frames,
 * the secret is in none of them, and an event that has come is no news a second time */
#include "fuzz.h"

#include "binance_error.h"
#include "binance_inbox.h"

#define FUZZ_INBOX_KEY "BTC" /* which stands in many a seed */

static size_t fuzz_inbox_frames;

static void fuzz_inbox_frame(void *user, struct span text, int64_t recv)
{
	struct span padded = subject_pad(text);
	struct json r;
	struct json_val top;

	FUZZ_CHECK(user != NULL && recv == 7);
	FUZZ_CHECK(json_check(&r, padded, &top) && top.kind == JSON_OBJECT && top.n == text.n);
	FUZZ_CHECK(span_starts(text, SPAN("{\"stream\":\"")));
	FUZZ_CHECK(!memmem(text.p, text.n, FUZZ_INBOX_KEY, 3));
	FUZZ_CHECK(json_find(json_text(top), "data").kind == JSON_OBJECT ||
		   json_find(json_text(top), "data").kind == JSON_ARRAY);
	subject_unpad(padded);
	fuzz_inbox_frames++;
}

static void fuzz_inbox_answer(struct binance_inbox *b, struct span line)
{
	struct binance_rows *rows = binance_inbox_rows(b);
	struct binance_reply reply = { 400, -1, line };
	struct binance_refusal refusal;
	const char *why;

	binance_rows_check_begin(rows);
	for (enum binance_rows_part part = BINANCE_ROWS_BALANCES; part <= BINANCE_ROWS_POSITIONS; part++) {
		why = NULL;
		bool good = binance_rows_check(rows, part, line, binance_rows_mark(rows), &why);
		FUZZ_CHECK(good || why != NULL);
		size_t doubts = binance_rows_doubts(rows);
		size_t before = fuzz_inbox_frames;
		FUZZ_CHECK(binance_inbox_snapshot(b, part, "/path", line, binance_rows_mark(rows), 7, &why) == good);
		FUZZ_CHECK(good || fuzz_inbox_frames == before);
		FUZZ_CHECK(binance_rows_truths(rows) <= doubts);
		for (size_t i = 0; i < binance_rows_truths(rows); i++) {
			char text[BINANCE_ROWS_TEXT_MAX];
			binance_rows_truth(rows, i, text);
		}
	}
	FUZZ_CHECK(binance_error_read(&refusal, &reply, 0));
	FUZZ_CHECK(memchr(refusal.text, '\0', sizeof refusal.text) != NULL);
}

static void fuzz_inbox_event(struct binance_inbox *b, struct span line)
{
	struct json r;
	struct json_val top;

	if (!json_check(&r, line, &top) || top.kind != JSON_OBJECT)
		return;
	FUZZ_CHECK(binance_inbox_event(b, json_text(top), 7));
	size_t before = fuzz_inbox_frames;
	FUZZ_CHECK(binance_inbox_event(b, json_text(top), 7));
	FUZZ_CHECK(fuzz_inbox_frames == before);
}

static void fuzz_inbox_market(enum event_market m, struct span rest)
{
	static char user;
	struct binance_inbox *b = binance_inbox_new(m, fuzz_inbox_frame, &user);
	struct span line;
	bool held = false;

	if (!b)
		abort();
	binance_inbox_secret(b, SPAN(FUZZ_INBOX_KEY));
	while (fuzz_line(&rest, &line)) {
		struct span padded = subject_pad(line);
		fuzz_inbox_event(b, padded);
		fuzz_inbox_answer(b, padded);
		held = !held;
		if (held)
			binance_inbox_hold(b);
		else
			binance_inbox_release(b);
		subject_unpad(padded);
	}
	binance_inbox_release(b);
	binance_inbox_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };

	fuzz_inbox_market(EVENT_USDM, text);
	fuzz_inbox_market(EVENT_SPOT, text);
	return 0;
}
