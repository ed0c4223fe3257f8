/* bnc-equity - wallet balance + unrealized PnL, as an equity_snapshot behind each record that changes it.
 *
 * Reads records of bnc-event(5): price_update, position_update, balance_update; passes all of them on.
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "equity.h"
#include "err.h"
#include "filter.h"
#include "num.h"

static const char usage_text[] =
    "usage: bnc-equity [-hVv] [-b balance] [-p positions-file] [-a asset]\n"
    "                  [--mark book|mark|trade|any] [--every duration] [--strict] [file ...]\n";

static const char options_text[] =
    "  -b, --balance balance           wallet balance to start from (0)\n"
    "  -p, --positions positions-file  position_update lines to start from\n"
    "  -a, --asset asset               margin asset (USDT)\n"
    "      --mark book|mark|trade|any  which prices value positions (any)\n"
    "      --every duration            at most one snapshot in that much event time (0: each change)\n"
    "      --strict                    stop at the first refused line, exit 1\n"
    "  -v, --verbose                   counters on standard error at the end\n"
    "  -h, --help                      this text\n"
    "  -V, --version                   name and version\n";

#define ASSET_MAX 32

struct opts {
	bool has_balance;
	struct dec balance;
	const char *positions;
	char asset[ASSET_MAX + 1];
	enum equity_mark mark;
	int64_t every_ms;
	bool strict;
	bool verbose;
	char *const *files;
};

enum {
	OPT_MARK = 256,
	OPT_EVERY,
	OPT_STRICT,
};

static struct dec parse_balance(const char *text)
{
	struct dec d;
	enum dec_result r = dec_parse(span_of(text), &d);

	if (r != DEC_OK) {
		err_warn("-b: '%s': %s", text, dec_reason(r));
		err_usage(usage_text);
	}
	return d;
}

/* the exchange writes assets in upper case; no blank or quote is part of one */
static void parse_asset(const char *text, char asset[ASSET_MAX + 1])
{
	size_t n = strlen(text);
	bool fine = n > 0 && n <= ASSET_MAX;

	for (size_t i = 0; fine && i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		asset[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
		fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
	}
	if (!fine) {
		err_warn("-a: '%s' is not the name of an asset", text);
		err_usage(usage_text);
	}
	asset[n] = '\0';
}

static enum equity_mark parse_mark(const char *text)
{
	static const struct {
		const char *name;
		enum equity_mark mark;
	} marks[] = {
		{ "any", EQUITY_ANY },
		{ "book", EQUITY_BOOK },
		{ "mark", EQUITY_MARK },
		{ "trade", EQUITY_TRADE },
	};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (strcmp(text, marks[i].name) == 0)
			return marks[i].mark;
	err_warn("--mark: '%s' is none of book, mark, trade, any", text);
	err_usage(usage_text);
}

static int64_t parse_every(const char *text)
{
	int64_t us;

	if (!num_duration(span_of(text), &us) || us % 1000 != 0) {
		err_warn("--every: '%s' is not a duration of whole milliseconds", text);
		err_usage(usage_text);
	}
	return us / 1000;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "balance", required_argument, NULL, 'b' },
		{ "positions", required_argument, NULL, 'p' },
		{ "asset", required_argument, NULL, 'a' },
		{ "mark", required_argument, NULL, OPT_MARK },
		{ "every", required_argument, NULL, OPT_EVERY },
		{ "strict", no_argument, NULL, OPT_STRICT },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct opts o = { .asset = "USDT" };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVvb:p:a:", longs, NULL)) != -1) {
		switch (c) {
		case 'b':
			o.balance = parse_balance(optarg);
			o.has_balance = true;
			break;
		case 'p':
			o.positions = optarg;
			break;
		case 'a':
			parse_asset(optarg, o.asset);
			break;
		case OPT_MARK:
			o.mark = parse_mark(optarg);
			break;
		case OPT_EVERY:
			o.every_ms = parse_every(optarg);
			break;
		case OPT_STRICT:
			o.strict = true;
			break;
		case 'v':
			o.verbose = true;
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

/* Equity from half of the positions would be a wrong number without a word: the first bad line is the end. */
static void read_positions(struct equity *e, const char *path)
{
	struct line_in in;
	struct span line;
	enum line_got got;
	const char *why;
	size_t at;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !line_in_open(&in))
		err_die(ERR_SYSTEM, "%s:", path);
	line_in_attach(&in, fd);
	while (!in.ended) {
		if (line_fill(&in) < 0)
			err_die(ERR_SYSTEM, "%s:", path);
		while ((got = line_next(&in, &line)) != LINE_EMPTY) {
			why = "longer than 1 MiB";
			at = LINE_MAX_BYTES;
			if (got == LINE_LONG || !equity_start_line(e, line, &why, &at))
				err_die(ERR_SYSTEM, "%s: line %" PRIu64 ": byte %zu: %s", path, in.number, at, why);
		}
	}
	line_in_close(&in);
	close(fd);
}

static struct equity *start(const struct opts *o)
{
	const char *why;
	struct equity *e =
	    equity_new(&(struct equity_options){ .asset = span_of(o->asset), .mark = o->mark, .every = o->every_ms });

	if (!e)
		err_die(ERR_SYSTEM, "cannot start:");
	if (o->positions)
		read_positions(e, o->positions);
	if (o->has_balance && !equity_set_balance(e, o->balance, &why))
		err_die(ERR_SYSTEM, "-b: %s", why);
	return e;
}

static bool on_line(void *state, struct span line, struct line_out *out, struct filter_why *why)
{
	return equity_line(state, line, out, &why->why, &why->at);
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
		return ERR_SYSTEM;
	struct opts o = parse_args(argc, argv);
	struct equity *e = start(&o);

	struct filter f = {
		.files = o.files,
		.strict = o.strict,
		.verbose = o.verbose,
		.state = e,
		.line = on_line,
		.counters = counters,
		.tell = err_warn,
	};
	int status = filter_run(&f);
	equity_free(e);
	return status;
}
