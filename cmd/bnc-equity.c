/* bnc-equity - wallet balance + unrealized PnL, as an equity_snapshot behind each record that changes it.
 *
 * Reads records of bnc-event(5): price_update, position_update, balance_update; passes all of them on.
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "equity.h"
#include "err.h"
#include "filter.h"
#include "num.h"
#include "opt.h"

static const char usage_text[] =
    "usage: bnc-equity [-hVv] [-b balance] [-p positions-file] [-a asset]\n"
    "                  [--mark book|mark|trade|any] [--every duration] [--revalue duration] [--strict]\n"
    "                  [--no-sandbox] [file ...]\n";

static const char options_text[] =
    "  -b, --balance balance           wallet balance to start from (0)\n"
    "  -p, --positions positions-file  position_update lines to start from\n"
    "  -a, --asset asset               margin asset (USDT)\n"
    "      --mark book|mark|trade|any  which prices value positions (any)\n"
    "      --every duration            at most one snapshot in that much event time (0: each change)\n"
    "      --revalue duration          positions with their value, each at most once in that much event time\n"
    "      --strict                    stop at the first refused line, exit 1\n"
    "      --no-sandbox                keep the rights that are not needed\n"
    "  -v, --verbose                   counters on standard error at the end\n"
    "  -h, --help                      this text\n"
    "  -V, --version                   name and version\n";

struct opts {
	bool has_balance;
	struct dec balance;
	const char *positions;
	char asset[OPT_ASSET_MAX + 1];
	enum equity_mark mark;
	int64_t every_ms;
	bool revalue;
	int64_t revalue_ms;
	bool strict;
	bool verbose;
	char *const *files;
};

enum {
	OPT_MARK = 256,
	OPT_EVERY,
	OPT_REVALUE,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "balance", required_argument, NULL, 'b' },
	{ "positions", required_argument, NULL, 'p' },
	{ "asset", required_argument, NULL, 'a' },
	{ "mark", required_argument, NULL, OPT_MARK },
	{ "every", required_argument, NULL, OPT_EVERY },
	{ "revalue", required_argument, NULL, OPT_REVALUE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static enum equity_mark mark(void)
{
	static const char *const words[] = { "any", "book", "mark", "trade", NULL };
	static const enum equity_mark marks[] = { EQUITY_ANY, EQUITY_BOOK, EQUITY_MARK, EQUITY_TRADE };

	return marks[opt_word("--mark", words, "book, mark, trade or any")];
}

static int64_t whole_ms(const char *option)
{
	int64_t us;

	if (!num_duration(span_of(optarg), &us) || us % 1000 != 0)
		opt_wrong(option, "a duration of whole milliseconds");
	return us / 1000;
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'b')
		o->balance = opt_decimal("-b"), o->has_balance = true;
	else if (c == 'p')
		o->positions = optarg;
	else if (c == 'a')
		opt_asset("-a", o->asset);
	else if (c == OPT_MARK)
		o->mark = mark();
	else if (c == OPT_EVERY)
		o->every_ms = whole_ms("--every");
	else if (c == OPT_REVALUE)
		o->revalue_ms = whole_ms("--revalue"), o->revalue = true;
	else if (c == OPT_STRICT)
		o->strict = true;
	else if (c == 'v')
		o->verbose = true;
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvb:p:a:", longs, take_option };
	struct opts o = { .asset = "USDT" };

	o.files = opt_parse(&options, argc, argv, &o);
	return o;
}

static bool start_line(void *state, struct span line, struct filter_why *why)
{
	return equity_start_line(state, line, &why->why, &why->at);
}

static struct equity *start(const struct opts *o)
{
	const char *why;
	struct equity *e = equity_new(&(struct equity_options){ .asset = span_of(o->asset),
	    .mark = o->mark,
	    .every = o->every_ms,
	    .revalue = o->revalue,
	    .revalue_every = o->revalue_ms });

	if (!e)
		err_die(ERR_SYSTEM, "cannot start:");
	/* equity from half of the positions would be a wrong number without a word */
	if (o->positions && !filter_start(o->positions, start_line, e, err_warn))
		exit(ERR_SYSTEM);
	if (o->has_balance && !equity_set_balance(e, o->balance, &why))
		err_die(ERR_SYSTEM, "-b: %s", why);
	return e;
}

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	return equity_line(state, line, out, &why->why, &why->at);
}

static const char *fast(void *state, const char *p, const char *end, struct line_out *out, struct fast *run)
{
	return equity_fast(state, p, end, out, run);
}

static void counters(void *state, char *text, size_t cap)
{
	struct equity_counts c = equity_counts(state);

	snprintf(text, cap, " snapshots %" PRIu64 " positions %" PRIu64 " unpriced %" PRIu64 " pairs %" PRIu64,
	    c.snapshots, c.positions, c.unpriced, c.pairs);
}

int main(int argc, char **argv)
{
	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	struct opts o = parse_args(argc, argv);
	struct equity *e = start(&o);

	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.no_sandbox = opt_no_sandbox(),
		.verbose = o.verbose,
		.state = e,
		.line = on_line,
		.fast = fast,
		.counters = counters,
		.tell = err_warn,
	};
	int status = filter_run(&f);
	equity_free(e);
	return status;
}
