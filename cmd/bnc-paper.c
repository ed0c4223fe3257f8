/* bnc-paper - orders that are filled on paper, at the books that go by.
 *
 * Reads records of bnc-event(5), orders among them or in a file of their own; passes the records on and adds fills.
 *
 *     mkfifo orders
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-paper -o orders | bnc-position -b 10000 | bnc-equity
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"
#include "filter.h"
#include "opt.h"
#include "paper.h"

static const char usage_text[] =
    "usage: bnc-paper [-hVv] [-o orders] [-a asset] [--fee-bps n] [--demo seed] [--strict]\n"
    "                 [--no-sandbox] [file ...]\n";

static const char options_text[] =
    "  -o, --orders orders  a file or FIFO with orders, besides those in the stream\n"
    "  -a, --asset asset    quote asset of orders and records without a pair (USDT)\n"
    "      --fee-bps n      fee in hundredths of a percent of what is traded (5)\n"
    "      --demo seed      trade by itself; another seed, other trades\n"
    "      --strict         stop at the first refused line, exit 1\n"
    "      --no-sandbox     keep the rights that are not needed\n"
    "  -v, --verbose        counters on standard error at the end\n"
    "  -h, --help           this text\n"
    "  -V, --version        name and version\n";

#define FEE_MAX 10000 /* all that is traded */

struct opts {
	struct paper_options paper;
	char asset[OPT_ASSET_MAX + 1];
	const char *orders;
	bool strict;
	bool verbose;
	char *const *files;
};

enum {
	OPT_FEE_BPS = 256,
	OPT_DEMO,
	OPT_STRICT,
};

static const struct option longs[] = {
	{ "orders", required_argument, NULL, 'o' },
	{ "asset", required_argument, NULL, 'a' },
	{ "fee-bps", required_argument, NULL, OPT_FEE_BPS },
	{ "demo", required_argument, NULL, OPT_DEMO },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* a rebate is below zero. Eight decimals leave room for the digits of price and quantity */
static struct dec fee(void)
{
	static const struct dec most = { FEE_MAX, 0 }, least = { -FEE_MAX, 0 };
	struct dec d = dec_strip(opt_decimal("--fee-bps"));

	if (d.scale > 8 || dec_cmp(d, most) > 0 || dec_cmp(d, least) < 0)
		opt_wrong("--fee-bps", "a number from -10000 to 10000 with at most 8 decimals");
	return d;
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'o')
		o->orders = optarg;
	else if (c == 'a')
		opt_asset("-a", o->asset);
	else if (c == OPT_FEE_BPS)
		o->paper.fee_bps = fee();
	else if (c == OPT_DEMO)
		o->paper.seed = opt_u64("--demo", 0, UINT64_MAX, "a number from 0 up"), o->paper.demo = true;
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
	static const struct opt options = { usage_text, options_text, ":hVvo:a:", longs, take_option };
	struct opts o = { .paper = { .fee_bps = { 5, 0 } }, .asset = "USDT" };

	o.files = opt_parse(&options, argc, argv, &o);
	return o;
}

static bool waiting_order(void *state, struct span line, struct filter_why *why)
{
	return paper_wait(state, line, &why->why, &why->at);
}

/* Orders of a regular file wait for their time. Anything else is read as it comes, and its descriptor returned: -1
 * where there is none. A FIFO is opened for writing as well, so that it does not end when those who write to it do. */
static int open_orders(struct paper *p, const char *path)
{
	struct stat st = { .st_mode = 0 };

	if (!path)
		return -1;
	if (stat(path, &st) < 0)
		err_die(ERR_SYSTEM, "%s:", path);
	if (S_ISREG(st.st_mode)) {
		if (!filter_start(path, waiting_order, p, err_warn))
			exit(ERR_SYSTEM);
		return -1;
	}
	int fd = open(path, (S_ISFIFO(st.st_mode) ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && S_ISDIR(st.st_mode))
		errno = EISDIR;
	if (fd < 0 || S_ISDIR(st.st_mode))
		err_die(ERR_SYSTEM, "%s:", path);
	return fd;
}

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	return paper_line(state, line, out, &why->why, &why->at);
}

static bool on_order(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	return paper_order(state, line, out, &why->why, &why->at);
}

static void counters(void *state, char *text, size_t cap)
{
	struct paper_counts c = paper_counts(state);

	snprintf(text, cap,
	    " orders %" PRIu64 " rejected %" PRIu64 " ended %" PRIu64 " open %" PRIu64 " fills %" PRIu64
	    " pairs %" PRIu64,
	    c.orders, c.rejected, c.ended, c.open, c.fills, c.pairs);
}

int main(int argc, char **argv)
{
	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	struct opts o = parse_args(argc, argv);
	o.paper.asset = span_of(o.asset);
	struct paper *p = paper_new(&o.paper);
	if (!p)
		err_die(ERR_SYSTEM, "cannot start:");
	int orders = open_orders(p, o.orders);

	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.no_sandbox = opt_no_sandbox(),
		.verbose = o.verbose,
		.state = p,
		.line = on_line,
		.side_line = orders >= 0 ? on_order : NULL,
		.side = orders,
		.side_name = o.orders,
		.counters = counters,
		.tell = err_warn,
	};
	int status = filter_run(&f);
	paper_free(p);
	return status;
}
