/* bnc-position - fills in, positions and balances behind them: average cost to the last digit.
 *
 * Reads records of bnc-event(5): trade_executed, position_update, balance_update; passes all of them on.
 *
 *     bnc-paper --demo 7 prices | bnc-position -b 10000 | bnc-equity | bnc-heartbeat
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "err.h"
#include "filter.h"
#include "opt.h"
#include "position.h"

static const char usage_text[] =
    "usage: bnc-position [-hVv] [-b balance] [-p positions-file] [-a asset]\n"
    "                    [-m usdm|coinm|spot] [--strict] [--no-sandbox] [file ...]\n";

static const char options_text[] =
    "  -b, --balance balance           wallet balance to start from (0)\n"
    "  -p, --positions positions-file  position_update and balance_update lines to start from\n"
    "  -a, --asset asset               asset of that balance, and of records without a pair (USDT)\n"
    "  -m, --market usdm|coinm|spot    market whose wallet that balance is (usdm)\n"
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
	enum event_market market;
	bool strict;
	bool verbose;
	char *const *files;
};

enum {
	OPT_STRICT = 256,
};

static const struct option longs[] = {
	{ "balance", required_argument, NULL, 'b' },
	{ "positions", required_argument, NULL, 'p' },
	{ "asset", required_argument, NULL, 'a' },
	{ "market", required_argument, NULL, 'm' },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'b')
		o->balance = opt_decimal("-b"), o->has_balance = true;
	else if (c == 'p')
		o->positions = optarg;
	else if (c == 'a')
		opt_asset("-a", o->asset);
	else if (c == 'm')
		o->market = opt_market("-m");
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
	static const struct opt options = { usage_text, options_text, ":hVvb:p:a:m:", longs, take_option };
	struct opts o = { .asset = "USDT", .market = EVENT_USDM };

	o.files = opt_parse(&options, argc, argv, &o);
	return o;
}

static bool start_line(void *state, struct span line, struct filter_why *why)
{
	return position_start_line(state, line, &why->why, &why->at);
}

static struct position *start(const struct opts *o)
{
	struct event_balance balance = { .asset = span_of(o->asset), .balance = o->balance, .market = o->market };
	struct position *b = position_new(span_of(o->asset));
	const char *why;

	/* first of all, so that it is told before the wallets of other markets; again below, so that it replaces what the
	 * file has of it */
	if (!b || (o->has_balance && !position_set_balance(b, &balance, &why)))
		err_die(ERR_SYSTEM, "cannot start:");
	/* half of the positions would give wrong numbers without a word */
	if (o->positions && !filter_start(o->positions, start_line, b, err_warn))
		exit(ERR_SYSTEM);
	if (o->has_balance)
		position_set_balance(b, &balance, &why);
	return b;
}

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	return position_line(state, line, out, &why->why, &why->at);
}

static void counters(void *state, char *text, size_t cap)
{
	struct position_counts c = position_counts(state);

	snprintf(text, cap,
	    " fills %" PRIu64 " copies %" PRIu64 " differing %" PRIu64 " positions %" PRIu64 " balances %" PRIu64,
	    c.fills, c.copies, c.differing, c.open, c.wallets);
}

int main(int argc, char **argv)
{
	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	struct opts o = parse_args(argc, argv);
	struct position *b = start(&o);

	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.no_sandbox = opt_no_sandbox(),
		.verbose = o.verbose,
		.state = b,
		.line = on_line,
		.counters = counters,
		.tell = err_warn,
	};
	int status = filter_run(&f);
	position_free(b);
	return status;
}
