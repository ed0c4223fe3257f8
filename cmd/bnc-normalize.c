/* bnc-normalize - frames of the exchange in, records of bnc-event(5) out.
 *
 * Reads what bnc-stream prints, bare frames, and recordings; writes one price_update per quote, trade, mark price or bar.
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "binance.h"
#include "err.h"
#include "filter.h"

static const char usage_text[] =
    "usage: bnc-normalize [-hVv] [-m usdm|coinm|spot] [--keep-unknown] [--strict]\n"
    "                     [--symbols file] [file ...]\n";

static const char options_text[] =
    "  -m, --market usdm|coinm|spot  market of frames that do not say theirs (usdm)\n"
    "      --keep-unknown            pass on frames that give no record\n"
    "      --strict                  stop at the first refused line, exit 1\n"
    "      --symbols file            an exchangeInfo answer: base assets as the exchange says\n"
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

static enum event_market parse_market(const char *text)
{
	enum event_market m = event_market(span_of(text));

	if (m == EVENT_NO_MARKET) {
		err_warn("-m: '%s' is none of usdm, coinm, spot", text);
		err_usage(usage_text);
	}
	return m;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "market", required_argument, NULL, 'm' },
		{ "keep-unknown", no_argument, NULL, OPT_KEEP_UNKNOWN },
		{ "strict", no_argument, NULL, OPT_STRICT },
		{ "symbols", required_argument, NULL, OPT_SYMBOLS },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct opts o = { .market = EVENT_USDM };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVvm:", longs, NULL)) != -1) {
		switch (c) {
		case 'm':
			o.market = parse_market(optarg);
			break;
		case OPT_KEEP_UNKNOWN:
			o.keep_unknown = true;
			break;
		case OPT_STRICT:
			o.strict = true;
			break;
		case OPT_SYMBOLS:
			o.symbols = optarg;
			break;
		case 'v':
			o.verbose++;
			break;
		case 'h':
			err_help(usage_text, options_text);
		case 'V':
			err_version();
		default:
			err_option(c, argv[optind - 1]);
			err_usage(usage_text);
		}
	}
	o.files = argv + optind;
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

static void counters(void *state, char *text, size_t cap)
{
	const struct binance *b = state;

	snprintf(text, cap,
	    " records %" PRIu64 " passed %" PRIu64 " control %" PRIu64 " errors %" PRIu64 " depth %" PRIu64
	    " liquidations %" PRIu64 " placeholders %" PRIu64 " othermarket %" PRIu64 " unknown %" PRIu64,
	    b->records, b->passed, b->control, b->errors, b->depth, b->liquidations, b->placeholder, b->other_market,
	    b->unknown);
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

	err_program(argv[0]);
	if (!io_std_open())
		return ERR_SYSTEM;
	struct opts o = parse_args(argc, argv);
	struct symbols *symbols = o.symbols ? read_symbols(o.symbols) : NULL;

	binance_open(&b, o.market);
	b.symbols = symbols;
	b.keep_unknown = o.keep_unknown;
	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.verbose = o.verbose > 0,
		.state = &b,
		.line = on_line,
		.counters = counters,
		.tell = err_warn,
	};
	int status = filter_run(&f);
	tell_result(&o, &b);
	symbols_free(symbols);
	return status;
}
