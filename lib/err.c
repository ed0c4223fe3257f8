#include "err.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef BNC_VERSION
#define BNC_VERSION "unknown"
#endif

static const char *program = "bnc";

void err_program(const char *argv0)
{
	if (!argv0 || !*argv0)
		return;
	const char *slash = strrchr(argv0, '/');
	program = slash ? slash + 1 : argv0;
}

const char *err_name(void)
{
	return program;
}

static void say(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

/* the message in one write, so that programs of one pipeline do not mix their lines */
static void say(const char *format, va_list ap)
{
	char line[1024];
	int saved = errno;
	size_t n;
	size_t cap = sizeof line - 1; /* one byte for the line end */

	int len = snprintf(line, cap, "%s: ", program);
	n = len < 0 ? 0 : (size_t)len < cap ? (size_t)len : cap - 1;
	len = vsnprintf(line + n, cap - n, format, ap);
	if (len > 0)
		n = n + (size_t)len < cap ? n + (size_t)len : cap - 1;
	size_t flen = strlen(format);
	if (flen && format[flen - 1] == ':') {
		len = snprintf(line + n, cap - n, " %s", strerror(saved));
		if (len > 0)
			n = n + (size_t)len < cap ? n + (size_t)len : cap - 1;
	}
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0) {
		/* nowhere left to say it */
	}
	errno = saved;
}

void err_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(format, ap);
	va_end(ap);
}

void err_try(const char *text)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT))
		err_warn("%s", text);
}

void err_die(enum err_status status, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say(format, ap);
	va_end(ap);
	exit((int)status);
}

void err_option(int c, const char *word)
{
	if (c == ':')
		err_warn("option '%s' needs an argument", word);
	else
		err_warn("option '%s' is not known, or takes no argument", word);
}

void err_usage(const char *usage)
{
	fputs(usage, stderr);
	exit(ERR_USAGE);
}

/* standard output, checked: `--help >/dev/full` must not look like success */
static _Noreturn void leave(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		err_die(ERR_SYSTEM, "standard output:");
	exit(ERR_OK);
}

void err_help(const char *usage, const char *options)
{
	printf("%s\n%s", usage, options);
	leave();
}

void err_version(void)
{
	printf("%s %s\n", program, BNC_VERSION);
	leave();
}
