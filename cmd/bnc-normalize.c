/* bnc-normalize - frames of the exchange in, records of bnc-event(5) out.
 *
 * Reads what bnc-stream and bnc-account print, bare frames, and recordings; writes one price_update per quote, trade, mark
 * price or bar, and what an account's events say of its positions, fills and balances.
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "binance.h"
#include "err.h"
#include "filter.h"
#include "opt.h"

static const char usage_text[] =
    "usage: bnc-normalize [-hVv] [-m usdm|coinm|spot] [--keep-unknown] [--strict]\n"
    "                     [--symbols file] [--no-sandbox] [file ...]\n";

static const char options_text[] =
    "  -m, --market usdm|coinm|spot  market of frames that do not say theirs (usdm)\n"
    "      --keep-unknown            pass on frames that give no record\n"
    "      --strict                  stop at the first refused line, exit 1\n"
    "      --symbols file            an exchangeInfo answer: base assets as the exchange says\n"
    "      --no-sandbox              keep the rights that are not needed\n"
    "  -v, --verbose                 counters on standard error at the end\n"
    "  -h, --help                    this text\n"
    "  -V, --version                 name and version\n";

struct opts {
	enum event_market market;
	bool keep_unknown;
	bool strict;
	int verbose;
	const char *symbols;
	char *const *files;
};

enum {
	OPT_KEEP_UNKNOWN = 256,
	OPT_STRICT,
	OPT_SYMBOLS,
};

static const struct option longs[] = {
	{ "market", required_argument, NULL, 'm' },
	{ "keep-unknown", no_argument, NULL, OPT_KEEP_UNKNOWN },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "symbols", required_argument, NULL, OPT_SYMBOLS },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (c == 'm')
		o->market = opt_market("-m");
	else if (c == OPT_KEEP_UNKNOWN)
		o->keep_unknown = true;
	else if (c == OPT_STRICT)
		o->strict = true;
	else if (c == OPT_SYMBOLS)
		o->symbols = optarg;
	else if (c == 'v')
		o->verbose++;
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvm:", longs, take_option };
	struct opts o = { .market = EVENT_USDM };

	o.files = opt_parse(&options, argc, argv, &o);
	return o;
}

static struct symbols *read_symbols(const char *path)
{
	const char *why;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		err_die(ERR_SYSTEM, "%s:", path);
	struct symbols *s = symbols_read(fd, &why);
	close(fd);
	if (!s)
		err_die(ERR_SYSTEM, "%s: %s", path, why);
	return s;
}

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	struct binance *b = state;

	switch (binance_normalize(b, line, out, &why->why, &why->at)) {
	case BINANCE_PASS:
		line_put(out, line);
		return true;
	case BINANCE_RECORDS:
	case BINANCE_NOTHING:
		return true;
	case BINANCE_REFUSED:
		break;
	}
	return false;
}

static const char *fast(void *state, const char *p, const char *end, struct line_out *out, struct fast *run)
{
	return binance_fast(state, p, end, out, run);
}

static void counters(void *state, char *text, size_t cap)
{
	const struct binance *b = state;

	snprintf(text, cap,
	    " records %" PRIu64 " passed %" PRIu64 " control %" PRIu64 " errors %" PRIu64 " depth %" PRIu64
	    " liquidations %" PRIu64 " placeholders %" PRIu64 " orders %" PRIu64 " copies %" PRIu64
	    " othermarket %" PRIu64 " unknown %" PRIu64,
	    b->records, b->passed, b->control, b->errors, b->depth, b->liquidations, b->placeholder, b->orders, b->copies,
	    b->other_market, b->unknown);
}

static void finish(void *state, struct line_out *out)
{
	binance_finish(state, out);
}

/* what would otherwise look like an empty recording */
static void tell_result(const struct opts *o, const struct binance *b)
{
	if (b->records == 0 && b->other_market > 0)
		err_warn("no record: %" PRIu64 " events are of another market than %s (-m)", b->other_market,
		    event_market_name(o->market).p);
}

int main(int argc, char **argv)
{
	static struct binance b; /* some hundred slots: not for the stack */
	static struct fills fills;

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	struct opts o = parse_args(argc, argv);
	struct symbols *symbols = o.symbols ? read_symbols(o.symbols) : NULL;

	binance_open(&b, o.market);
	b.symbols = symbols;
	fills_open(&fills);
	b.fills = &fills;
	b.keep_unknown = o.keep_unknown;
	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.no_sandbox = opt_no_sandbox(),
		.verbose = o.verbose > 0,
		.state = &b,
		.line = on_line,
		.fast = fast,
		.finish = finish,
		.counters = counters,
		.tell = err_warn,
	};
	int status = filter_run(&f);
	tell_result(&o, &b);
	symbols_free(symbols);
	return status;
}
