/* opt - the options of a program: getopt_long(3), and values that several programs take. For cmd/ alone, as err: what is
 * wrong is said in one line, then the usage, and the end is exit 2. */
#ifndef BNC_OPT_H
#define BNC_OPT_H

#include <getopt.h>
#include <stdint.h>

#include "event.h"

struct opt {
	const char *usage;   /* equal to the SYNOPSIS of the page */
	const char *help;    /* a line an option */
	const char *letters; /* of the short ones, as getopt(3) wants them; it begins with ':' and has h and V */
	const struct option *longs;
	bool (*take)(void *o, int c); /* one option, its value in optarg; false: it is none of the program's */
};

/* --no-sandbox, in the table of each program, and taken here */
#define OPT_NO_SANDBOX 1000
bool opt_no_sandbox(void); /* has it been given? */

/* Help and version are answered here. Returns the operands, NULL-terminated. */
char *const *opt_parse(const struct opt *p, int argc, char **argv, void *o);

/* for programs that take none */
void opt_no_operands(char *const *operands, const char *why);

_Noreturn void opt_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "OPTION: 'OPTARG' is not WHAT" */
_Noreturn void opt_wrong(const char *option, const char *what);

/* values of the option that is being taken, from optarg */
uint64_t opt_u64(const char *option, uint64_t min, uint64_t max, const char *what);
int64_t opt_duration(const char *option, int64_t least, const char *what); /* µs, below INT64_MAX / 4 */
uint64_t opt_size(const char *option, uint64_t min, uint64_t max, const char *what);
struct dec opt_decimal(const char *option);
#define OPT_ASSET_MAX 32
void opt_asset(const char *option, char asset[OPT_ASSET_MAX + 1]); /* letters and digits, in upper case */
int opt_fd(const char *option);			/* an open descriptor */
enum event_market opt_market(const char *option); /* usdm, coinm, spot */
size_t opt_word(const char *option, const char *const *words, const char *what); /* which of them; NULL ends the list */

/* What comes by environment. Where a variable is unset or empty everything stays as it is. */
void opt_backoff(int64_t *base, int64_t *cap);	  /* BNC_BACKOFF=500ms,30s */
bool opt_connect_limit(uint64_t *limit, int64_t *window); /* BNC_CONNECT_LIMIT=240/5m; is it set? */

/* What comes by environment. Where a variable is unset or empty everything stays as it is. */
void opt_backoff(int64_t *base, int64_t *cap);		      /* BNC_BACKOFF=500ms,30s */
bool opt_connect_limit(uint64_t *limit, int64_t *window); /* BNC_CONNECT_LIMIT=240/5m; is it set? */

#endif
