/* bnc-hub - one stream of lines for any number of local readers, each as fast as it is.
 *
 * Reads records of bnc-event(5); serves them at a Unix-domain socket, where bnc-tap reads.
 *
 *     bnc-stream -s SOLUSDT | bnc-normalize | bnc-heartbeat | bnc-hub /run/user/1000/bnc.sock
 */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "err.h"
#include "hub_serve.h"
#include "num.h"
#include "opt.h"
#include "sandbox.h"

static const char usage_text[] =
    "usage: bnc-hub [-hVv] [--history n[/duration]] [--max-clients n] [--queue size]\n"
    "               [--max-line size] [--stale duration] [--www dir] [--mode octal]\n"
    "               [--linger] [--idle duration] [--strict] [--ready-fd n] [--no-sandbox] socket\n";

static const char options_text[] =
    "      --history n[/duration]  equity snapshots that a late comer gets, so far apart at least (1000/0)\n"
    "      --max-clients n         readers at once (1024)\n"
    "      --queue size            of lines that must not be left out, for a slow reader (1M)\n"
    "      --max-line size         a status record in the place of longer lines (1M)\n"
    "      --stale duration        after which a price is not fresh any more (5s)\n"
    "      --www dir               files for a web server: health, health.json, metrics\n"
    "      --mode octal            of the socket (600)\n"
    "      --linger                go on serving when the input has ended\n"
    "      --idle duration         end when there was no reader for so long\n"
    "      --strict                stop at the first refused line, exit 1\n"
    "      --ready-fd n            write a newline to this descriptor when readers may come\n"
    "      --no-sandbox            keep the rights that are not needed\n"
    "  -v, --verbose               counters on standard error at the end\n"
    "  -h, --help                  this text\n"
    "  -V, --version               name and version\n";

struct opts {
	struct hub_serve_options serve;
	mode_t mode;
	bool verbose;
	int ready_fd;
	const char *socket;
};

enum {
	OPT_HISTORY = 256,
	OPT_MAX_CLIENTS,
	OPT_QUEUE,
	OPT_MAX_LINE,
	OPT_STALE,
	OPT_WWW,
	OPT_MODE,
	OPT_LINGER,
	OPT_IDLE,
	OPT_STRICT,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "history", required_argument, NULL, OPT_HISTORY },
	{ "max-clients", required_argument, NULL, OPT_MAX_CLIENTS },
	{ "queue", required_argument, NULL, OPT_QUEUE },
	{ "max-line", required_argument, NULL, OPT_MAX_LINE },
	{ "stale", required_argument, NULL, OPT_STALE },
	{ "www", required_argument, NULL, OPT_WWW },
	{ "mode", required_argument, NULL, OPT_MODE },
	{ "linger", no_argument, NULL, OPT_LINGER },
	{ "idle", required_argument, NULL, OPT_IDLE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static void take_history(struct hub_options *o)
{
	struct span step;
	struct span count = span_cut(span_of(optarg), '/', &step);
	uint64_t n;
	int64_t us = 0;

	if (!num_u64(count, 0, 1000000, &n) || (step.p && (!num_duration(step, &us) || us > INT64_MAX / 4)))
		opt_wrong("--history", "a number up to 1000000, perhaps with '/' and a duration");
	o->history = (size_t)n;
	o->history_step = us / 1000;
}

/* three octal digits: who may connect */
static mode_t mode(void)
{
	struct span s = span_of(optarg);
	unsigned v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.n != 3 || s.p[i] < '0' || s.p[i] > '7')
			opt_wrong("--mode", "three octal digits");
		v = v * 8 + (unsigned)(s.p[i] - '0');
	}
	if (s.n != 3)
		opt_wrong("--mode", "three octal digits");
	return (mode_t)v;
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;
	struct hub_serve_options *s = &o->serve;

	if (c == OPT_HISTORY)
		take_history(&s->hub);
	else if (c == OPT_MAX_CLIENTS)
		s->readers = opt_u64("--max-clients", 1, 100000, "a number from 1 to 100000");
	else if (c == OPT_QUEUE)
		s->hub.queue = opt_size("--queue", 4096, 1u << 30, "a size from 4k to 1G");
	else if (c == OPT_MAX_LINE)
		s->hub.max_line = opt_size("--max-line", 1024, LINE_MAX_BYTES, "a size from 1k to 1M");
	else if (c == OPT_STALE)
		s->hub.stale = opt_duration("--stale", 1000, "a duration from 1ms");
	else if (c == OPT_WWW)
		s->www = optarg;
	else if (c == OPT_MODE)
		o->mode = mode();
	else if (c == OPT_LINGER)
		s->linger = true;
	else if (c == OPT_IDLE)
		s->idle = opt_duration("--idle", 1, "a duration");
	else if (c == OPT_STRICT)
		s->strict = true;
	else if (c == OPT_READY_FD)
		o->ready_fd = opt_fd("--ready-fd");
	else if (c == 'v')
		o->verbose = true;
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVv", longs, take_option };
	struct opts o = { .serve = { .hub = { .history = 1000,
				       .queue = 1u << 20,
				       .max_line = LINE_MAX_BYTES,
				       .stale = 5000000 },
			      .readers = 1024,
			      .tell = err_warn },
		.mode = 0600,
		.ready_fd = -1 };
	char *const *operands = opt_parse(&options, argc, argv, &o);

	if (!operands[0] || operands[1])
		opt_usage("one socket is to be named");
	o.socket = operands[0];
	return o;
}

#define OTHERS 32 /* descriptors besides those of readers */

/* Where there are too few, clients wait at the socket until others have gone. */
static void raise_limit(size_t readers)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= readers + OTHERS)
		return;
	l.rlim_cur = readers + OTHERS < l.rlim_max ? readers + OTHERS : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur < readers + OTHERS)
		err_warn("there may be %llu descriptors, too few for %zu readers", (unsigned long long)l.rlim_cur, readers);
}

/* The socket goes at the end; the files for a web server come and go, and with them /dev/null, which keeps a descriptor
 * free. */
static bool enter_sandbox(const struct opts *o)
{
	unsigned files = o->serve.www ? SANDBOX_OPEN | SANDBOX_MAKE : SANDBOX_REMOVE;
	struct sandbox s;
	char *path = strdup(o->socket);

	if (!path)
		return false;
	sandbox_open(&s, SANDBOX_ACCEPT | files, opt_no_sandbox());
	sandbox_path(&s, dirname(path), SANDBOX_REMOVE);
	free(path);
	if (o->serve.www) {
		sandbox_path(&s, o->serve.www, SANDBOX_MAKE);
		sandbox_path(&s, "/dev/null", SANDBOX_OPEN);
	}
	return sandbox_enter(&s);
}

int main(int argc, char **argv)
{
	struct hub_socket socket;
	const char *what;
	char why[256];

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	struct opts o = parse_args(argc, argv);
	o.serve.signals = io_signals(false);
	if (o.serve.signals < 0)
		err_die(ERR_SYSTEM, "signals:");
	raise_limit(o.serve.readers);
	if (!hub_socket_listen(&socket, o.socket, o.mode, why))
		err_die(ERR_SYSTEM, "%s", why);
	struct hub_serve *s = hub_serve_open(&o.serve, &socket, STDIN_FILENO, &what);
	if (s && !enter_sandbox(&o)) {
		int error = errno;
		hub_serve_close(s);
		s = NULL;
		what = "the sandbox";
		errno = error;
	}
	if (!s) {
		int error = errno;
		hub_socket_close(&socket);
		errno = error;
		err_die(ERR_SYSTEM, "%s:", what);
	}
	io_ready(o.ready_fd);

	bool good = hub_serve_run(s);
	if (o.verbose)
		hub_serve_counters(s);
	uint64_t refused = hub_serve_refused(s);
	hub_serve_close(s);
	hub_socket_close(&socket);
	return !good ? ERR_SYSTEM : refused ? ERR_DATA : ERR_OK;
}
