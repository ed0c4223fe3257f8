/* lib/equity on lines: what it passes on is unchanged, equity is balance plus PnL, and the same lines give the same
 * bytes a second time */
#include "fuzz.h"

#include "equity.h"

static struct dec fuzz_equity_number(struct span record, const char *key)
{
	struct json_val v = json_find(record, key);
	struct dec d;

	FUZZ_CHECK(v.kind == JSON_STRING && dec_parse(json_text(v), &d) == DEC_OK);
	return d;
}

static void fuzz_equity_snapshot(struct span record)
{
	struct span padded = subject_pad(record);
	struct dec sum;

	FUZZ_CHECK(span_is(json_text(json_find(padded, "type")), "equity_snapshot"));
	FUZZ_CHECK(json_find(padded, "ts").kind == JSON_INT && json_find(padded, "positions").kind == JSON_INT);
	FUZZ_CHECK(dec_add(fuzz_equity_number(padded, "balance"), fuzz_equity_number(padded, "unrealizedPnl"), &sum) ==
		   DEC_OK);
	FUZZ_CHECK(dec_cmp(sum, fuzz_equity_number(padded, "equity")) == 0);
	subject_unpad(padded);
}

static void fuzz_equity_line(struct equity *e, struct span line, struct line_out *out, uint64_t *sum)
{
	struct span padded = subject_pad(line);
	const char *why = NULL;
	size_t at = (size_t)-1;

	out->p = out->buf;
	bool ok = equity_line(e, padded, out, &why, &at);
	struct span text = { out->buf, (size_t)(out->p - out->buf) };
	for (size_t i = 0; i < text.n; i++)
		*sum = (*sum ^ (unsigned char)text.p[i]) * 1099511628211ULL;
	FUZZ_CHECK(ok || (text.n == 0 && why && at <= line.n));
	if (ok) {
		FUZZ_CHECK(text.n > line.n && memcmp(text.p, line.p, line.n) == 0 && text.p[line.n] == '\n');
		text = (struct span){ text.p + line.n + 1, text.n - line.n - 1 };
		if (text.n)
			fuzz_equity_snapshot(fuzz_record(&text));
		FUZZ_CHECK(text.n == 0);
	}
	subject_unpad(padded);
}

/* what all the lines came to */
static uint64_t fuzz_equity_run(struct span rest, const struct equity_options *o)
{
	static struct line_out out;
	struct equity *e = equity_new(o);
	uint64_t sum = 14695981039346656037ULL;
	struct span line;

	if (!out.buf)
		FUZZ_CHECK(line_out_open(&out, (struct io_out){ .fd = -1 }, -1));
	FUZZ_CHECK(e != NULL);
	while (fuzz_line(&rest, &line))
		if (line.n <= LINE_MAX_BYTES)
			fuzz_equity_line(e, line, &out, &sum);
	equity_free(e);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct equity_options o = { .asset = SPAN("USDT") };

	if (size && data[0] < ' ') {
		o.mark = (enum equity_mark)(data[0] % 4);
		o.every = data[0] / 4 % 2 ? 250 : 0;
		o.asset = data[0] / 8 ? SPAN("BTC") : SPAN("USDT");
		text = (struct span){ text.p + 1, text.n - 1 };
	}
	FUZZ_CHECK(fuzz_equity_run(text, &o) == fuzz_equity_run(text, &o));
	return 0;
}
