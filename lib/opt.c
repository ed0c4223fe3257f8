#include "opt.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "backoff.h"
#include "budget.h"
#include "err.h"
#include "num.h"

static const char *usage = "";
static bool no_sandbox;

char *const *opt_parse(const struct opt *p, int argc, char **argv, void *o)
{
	int c;

	usage = p->usage;
	opterr = 0;
	while ((c = getopt_long(argc, argv, p->letters, p->longs, NULL)) != -1) {
		if (c == 'h')
			err_help(p->usage, p->help);
		if (c == 'V')
			err_version();
		if (c == OPT_NO_SANDBOX)
			no_sandbox = true;
		else if (!p->take(o, c)) {
			err_option(c, argv[optind - 1]);
			err_usage(usage);
		}
	}
	return argv + optind;
}

bool opt_no_sandbox(void)
{
	return no_sandbox;
}

void opt_no_operands(char *const *operands, const char *why)
{
	if (*operands)
		opt_usage("'%s': no operand is expected%s", *operands, why);
}

void opt_usage(const char *format, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	err_warn("%s", text);
	err_usage(usage);
}

void opt_wrong(const char *option, const char *what)
{
	opt_usage("%s: '%s' is not %s", option, optarg, what);
}

uint64_t opt_u64(const char *option, uint64_t min, uint64_t max, const char *what)
{
	uint64_t v;

	if (!num_u64(span_of(optarg), min, max, &v))
		opt_wrong(option, what);
	return v;
}

int64_t opt_duration(const char *option, int64_t least, const char *what)
{
	int64_t us;

	if (!num_duration(span_of(optarg), &us) || us < least || us > INT64_MAX / 4)
		opt_wrong(option, what);
	return us;
}

uint64_t opt_size(const char *option, uint64_t min, uint64_t max, const char *what)
{
	uint64_t bytes;

	if (!num_size(span_of(optarg), max, &bytes) || bytes < min)
		opt_wrong(option, what);
	return bytes;
}

struct dec opt_decimal(const char *option)
{
	struct dec d;
	enum dec_result r = dec_parse(span_of(optarg), &d);

	if (r != DEC_OK)
		opt_usage("%s: '%s': %s", option, optarg, dec_reason(r));
	return d;
}

/* the exchange writes assets in upper case; no blank or quote is part of one */
void opt_asset(const char *option, char asset[OPT_ASSET_MAX + 1])
{
	size_t n = strlen(optarg);
	bool fine = n > 0 && n <= OPT_ASSET_MAX;

	for (size_t i = 0; fine && i < n; i++) {
		unsigned char c = (unsigned char)optarg[i];
		asset[i] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
		fine = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
	}
	if (!fine)
		opt_wrong(option, "the name of an asset");
	asset[n] = '\0';
}

int opt_fd(const char *option)
{
	int fd = (int)opt_u64(option, 1, 1 << 20, "a descriptor");

	if (fcntl(fd, F_GETFD) < 0)
		opt_wrong(option, "an open descriptor");
	return fd;
}

enum event_market opt_market(const char *option)
{
	enum event_market m = event_market(span_of(optarg));

	if (m == EVENT_NO_MARKET)
		opt_usage("%s: '%s' is none of usdm, coinm, spot", option, optarg);
	return m;
}

size_t opt_word(const char *option, const char *const *words, const char *what)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(optarg, words[i]) == 0)
			return i;
	opt_wrong(option, what);
}

/* NULL: unset or empty */
static const char *unless_empty(const char *value)
{
	return value && *value ? value : NULL;
}

void opt_backoff(int64_t *base, int64_t *cap)
{
	const char *text = unless_empty(getenv("BNC_BACKOFF"));

	if (text && !backoff_parse(span_of(text), base, cap))
		err_die(ERR_USAGE, "BNC_BACKOFF: '%s' is not a duration, or two with a comma between", text);
}

bool opt_connect_limit(uint64_t *limit, int64_t *window)
{
	const char *text = unless_empty(getenv("BNC_CONNECT_LIMIT"));

	if (text && !budget_parse(span_of(text), limit, window))
		err_die(ERR_USAGE, "BNC_CONNECT_LIMIT: '%s' is not a number, '/' and a duration", text);
	return text != NULL;
}
