/* err - exit statuses and one-line messages, for cmd/ and tests only: the rest of lib/ returns results. */
#ifndef BNC_ERR_H
#define BNC_ERR_H

enum err_status {
	ERR_OK = 0,     /* done */
	ERR_DATA = 1,   /* done, but some input was refused */
	ERR_USAGE = 2,  /* called wrongly */
	ERR_SYSTEM = 3, /* could not start or go on: I/O, network given up, disk full */
};

/* remembers the last path component of argv[0] for every later message */
void err_program(const char *argv0);
const char *err_name(void);

/* "program: message\n" on standard error, in one write. A format that ends in ':' gets the text of errno
 * appended. Control bytes become '?', so that hostile input cannot forge lines or move a cursor. */
void err_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* the same of a text as it is, unless that had to wait: standard error may be the pipe that nobody reads */
void err_try(const char *text);
_Noreturn void err_die(enum err_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* what getopt_long(":...") found wrong, c its answer ('?' or ':') and `word` argv[optind - 1], in one line */
void err_option(int c, const char *word);

/* the ends every program shares: usage on standard error and exit 2; usage and option list on standard
 * output and exit 0; name and version on standard output and exit 0 */
_Noreturn void err_usage(const char *usage);
_Noreturn void err_help(const char *usage, const char *options);
_Noreturn void err_version(void);

#endif
