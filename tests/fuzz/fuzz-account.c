/* lib/paper and, behind it, lib/position on lines: what comes in is passed on, unless it is refused; what comes out are
 * records, which the next program takes; and the same lines give the same bytes a second time */
#include "fuzz.h"

#include "paper.h"
#include "position.h"

struct fuzz_account {
	struct paper *paper;
	struct position *position;
	struct line_out out, behind;
	uint64_t sum;
};

static void fuzz_account_out(struct line_out *out)
{
	if (!out->buf)
		FUZZ_CHECK(line_out_open(out, (struct io_out){ .fd = -1 }, -1));
	out->p = out->buf;
}

/* one line that the paper trader wrote: refused, left out as a copy, or passed on */
static void fuzz_account_position(struct fuzz_account *a, struct span line)
{
	struct span padded = subject_pad(line);
	const char *why = NULL;
	size_t at = (size_t)-1, top_n;

	fuzz_account_out(&a->behind);
	bool ok = position_line(a->position, padded, &a->behind, &why, &at);
	struct span text = { a->behind.buf, (size_t)(a->behind.p - a->behind.buf) };
	FUZZ_CHECK(ok || (why && at <= line.n));
	while (text.n) {
		struct span record = fuzz_passed(&text, &top_n);
		for (size_t i = 0; i < record.n; i++)
			a->sum = (a->sum ^ (unsigned char)record.p[i]) * 1099511628211ULL;
	}
	struct position_counts c = position_counts(a->position);
	FUZZ_CHECK(c.open <= 3 * POSITION_PAIRS_MAX && c.wallets <= POSITION_WALLETS_MAX);
	subject_unpad(padded);
}

/* what came out has the line in it */
static bool fuzz_account_has(struct span text, struct span line)
{
	size_t top_n;

	while (text.n) {
		struct span record = fuzz_passed(&text, &top_n);
		if (span_eq(record, line))
			return true;
	}
	return false;
}

static void fuzz_account_line(struct fuzz_account *a, struct span line, bool beside)
{
	struct span padded = subject_pad(line);
	const char *why = NULL;
	size_t at = (size_t)-1, top_n;

	fuzz_account_out(&a->out);
	bool ok = beside ? paper_order(a->paper, padded, &a->out, &why, &at)
			 : paper_line(a->paper, padded, &a->out, &why, &at);
	struct span text = { a->out.buf, (size_t)(a->out.p - a->out.buf) };
	FUZZ_CHECK(ok ? fuzz_account_has(text, line) : why && at <= line.n);
	while (text.n)
		fuzz_account_position(a, fuzz_passed(&text, &top_n));
	struct paper_counts c = paper_counts(a->paper);
	FUZZ_CHECK(c.open <= PAPER_ORDERS_MAX && c.ended + c.open == c.orders);
	subject_unpad(padded);
}

static uint64_t fuzz_account_run(struct span rest, unsigned how)
{
	static struct line_out out, behind;
	struct paper_options o = { .asset = SPAN("USDT"), .fee_bps = { 45, 1 }, .demo = how & 1, .seed = 7 };
	struct fuzz_account a = { paper_new(&o), position_new(o.asset), out, behind, 14695981039346656037ULL };
	struct span line;
	const char *why;
	size_t at;

	FUZZ_CHECK(a.paper && a.position);
	for (unsigned n = 0; fuzz_line(&rest, &line); n++) {
		if (line.n > LINE_MAX_BYTES)
			continue;
		struct span padded = subject_pad(line);
		if (how & 2)
			paper_wait(a.paper, padded, &why, &at);
		subject_unpad(padded);
		fuzz_account_line(&a, line, how & 4 && n % 2);
	}
	paper_free(a.paper);
	position_free(a.position);
	out = a.out;
	behind = a.behind;
	return a.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	unsigned how = 0;

	if (size && data[0] < ' ') {
		how = data[0] % 8;
		text = (struct span){ text.p + 1, text.n - 1 };
	}
	FUZZ_CHECK(fuzz_account_run(text, how) == fuzz_account_run(text, how));
	return 0;
}
