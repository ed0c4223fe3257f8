/* bnc-tap - the stream of a bnc-hub: what is known, and then what comes.
 *
 * Reads the socket of the hub; writes whole lines. It is what websocketd runs for each browser, and so takes what stands
 * on standard input as well, for nothing, and ends with it.
 *
 *     bnc-tap --rate 20 /run/user/1000/bnc.sock | jq -r 'select(.type == "equity_snapshot").equity'
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "event.h"
#include "hub.h"
#include "hub_socket.h"
#include "io.h"
#include "json.h"
#include "line.h"
#include "num.h"
#include "opt.h"
#include "sandbox.h"

static const char usage_text[] =
    "usage: bnc-tap [-hV] [--wait duration] [--rate hz] [--health|--metrics] [--no-sandbox] socket\n";

static const char options_text[] =
    "      --wait duration  for a hub that is not there (yet, or any more) (0)\n"
    "      --rate hz        so many updates of a price or of equity a second at most, 0 for every one (0)\n"
    "      --health         a line of JSON on how the stream is; exit 0 when prices are fresh, else 1\n"
    "      --metrics        the hub's counters in Prometheus' text format\n"
    "      --no-sandbox     keep the rights that are not needed\n"
    "  -h, --help           this text\n"
    "  -V, --version        name and version\n";

#define TRY_US	  20000LL   /* between two looks whether there is a hub */
#define REPLY_US  2000000LL /* for an answer */
#define BUF_BYTES (LINE_MAX_BYTES + (256u << 10))

struct opts {
	int64_t wait; /* µs */
	unsigned rate;
	const char *ask; /* health or metrics; NULL: the stream */
	const char *socket;
};

enum {
	OPT_WAIT = 256,
	OPT_RATE,
	OPT_HEALTH,
	OPT_METRICS,
};

static const struct option longs[] = {
	{ "wait", required_argument, NULL, OPT_WAIT },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "health", no_argument, NULL, OPT_HEALTH },
	{ "metrics", no_argument, NULL, OPT_METRICS },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if ((c == OPT_HEALTH || c == OPT_METRICS) && o->ask)
		opt_usage("one of --health and --metrics at a time");
	if (c == OPT_WAIT)
		o->wait = opt_duration("--wait", 0, "a duration");
	else if (c == OPT_RATE)
		o->rate = (unsigned)opt_u64("--rate", 0, HUB_RATE_MAX, "a number of Hz up to 1000");
	else if (c == OPT_HEALTH)
		o->ask = "health";
	else if (c == OPT_METRICS)
		o->ask = "metrics";
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hV", longs, take_option };
	struct opts o = { .wait = 0 };
	char *const *operands = opt_parse(&options, argc, argv, &o);

	if (!operands[0] || operands[1])
		opt_usage("one socket is to be named");
	o.socket = operands[0];
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

enum last { /* what the last line of the hub was */
	GOES_ON,
	ENDED,   /* that the stream has ended */
	CUT_OFF, /* that this reader took too little */
	REFUSED, /* that the hub does not serve it */
};

struct app {
	struct opts o;
	int hub; /* -1: no connection */
	int signals;
	int in; /* standard input, -1: it says nothing */
	struct io_out out;
	char *buf; /* owned */
	size_t n;  /* bytes there, the first `whole` of which are whole lines */
	size_t whole, written;
	bool torn;   /* the line before these was too long: what follows up to its end is nothing */
	bool heard;  /* this hub has said a line */
	bool full;   /* standard output takes nothing now */
	bool over;   /* a signal, the end of standard input, a reader that went away */
	bool failed; /* standard output */
	enum last last;
};

/* ------------------------------------------------------------------------------------------------- the hub */

static bool may_come(int error)
{
	return error == ENOENT || error == ECONNREFUSED || error == EAGAIN;
}

/* asks right away: the hub waits a moment for that */
static bool ask(struct app *a)
{
	char text[32];
	int n = a->o.ask ? snprintf(text, sizeof text, "%s\n", a->o.ask) : snprintf(text, sizeof text, "rate %u\n", a->o.rate);

	return send(a->hub, text, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool try_hub(struct app *a)
{
	a->hub = hub_socket_connect(a->o.socket);
	if (a->hub < 0)
		return false;
	if (ask(a))
		return true;
	close(a->hub);
	a->hub = -1;
	errno = ECONNREFUSED;
	return false;
}

/* --------------------------------------------------------------------------------------------- looking around */

/* A pipe, a socket or a terminal that ends is the sign that nobody wants more: so websocketd ends what it runs. Of a
 * file, or of /dev/null, the end says nothing. */
static int input_that_speaks(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0)
		return -1;
	return S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(STDIN_FILENO) ? STDIN_FILENO : -1;
}

/* a terminal that somebody else reads: a shell that runs this in the background */
static bool is_anothers(int in)
{
	pid_t front = tcgetpgrp(in);

	return front >= 0 && front != getpgrp();
}

/* what a browser sends is taken, so that it cannot block what websocketd does for it, and thrown away */
static void drain_input(struct app *a)
{
	char rest[65536];

	if (is_anothers(a->in)) {
		a->in = -1;
		return;
	}
	ssize_t k = read(a->in, rest, sizeof rest);
	a->over |= k == 0 || (k < 0 && errno != EAGAIN && errno != EINTR);
}

enum { HUB, INPUT, SIGNALS, OUTPUT, POLLED };

/* until something happens, `until` (clock_mono_us) at the latest; true: the hub can be read */
static bool await(struct app *a, int64_t until)
{
	struct pollfd fds[POLLED] = {
		[HUB] = { .fd = a->whole > a->written ? -1 : a->hub, .events = POLLIN },
		[INPUT] = { .fd = a->in, .events = POLLIN },
		[SIGNALS] = { .fd = a->signals, .events = POLLIN },
		[OUTPUT] = { .fd = a->out.fd, .events = a->full ? POLLOUT : 0 }, /* POLLERR and POLLHUP are always told */
	};
	int n = poll(fds, POLLED, clock_wait_ms(until));

	if (n <= 0)
		return false;
	if (fds[SIGNALS].revents)
		a->over |= io_signal(a->signals) != SIGUSR1;
	if (fds[INPUT].revents)
		drain_input(a);
	a->over |= (fds[OUTPUT].revents & (POLLERR | POLLHUP)) != 0;
	a->full &= fds[OUTPUT].revents == 0;
	return fds[HUB].revents != 0;
}

/* --------------------------------------------------------------------------------------------------- lines */

static void write_lines(struct app *a)
{
	while (a->written < a->whole && !a->full && !a->over) {
		ssize_t k = io_write(&a->out, a->buf + a->written, a->whole - a->written);
		if (k < 0) {
			a->over = true;
			a->failed = errno != EPIPE && errno != ECONNRESET;
			if (a->failed)
				err_warn("standard output:");
		}
		a->full = k == 0;
		a->written += k > 0 ? (size_t)k : 0;
	}
	if (a->written < a->whole)
		return;
	memmove(a->buf, a->buf + a->whole, a->n - a->whole);
	a->n -= a->whole;
	a->whole = a->written = 0;
}

/* is this the last word of a hub? */
static enum last last_word(struct span line)
{
	char text[LINE_RECORD_MAX + JSON_PAD] = "";

	if (line.n > LINE_RECORD_MAX || !span_starts(line, SPAN("{\"type\":\"status\",\"state\":\"end\"")))
		return GOES_ON;
	memcpy(text, line.p, line.n);
	text[line.n] = '\n';
	struct span detail = json_text(json_find((struct span){ text, line.n }, "detail"));
	return span_starts(detail, SPAN("cut off")) ? CUT_OFF : span_starts(detail, SPAN("refused")) ? REFUSED : ENDED;
}

static void skip_torn(struct app *a)
{
	const char *end = memchr(a->buf, '\n', a->n);
	size_t k = end ? (size_t)(end - a->buf) + 1 : a->n;

	memmove(a->buf, a->buf + k, a->n - k);
	a->n -= k;
	a->torn = !end;
}

static void find_lines(struct app *a)
{
	if (a->torn)
		skip_torn(a);
	const char *end = a->n ? memrchr(a->buf, '\n', a->n) : NULL;
	if (end) {
		a->whole = (size_t)(end - a->buf) + 1;
		const char *before = memrchr(a->buf, '\n', a->whole - 1);
		const char *from = before ? before + 1 : a->buf;
		a->last = last_word((struct span){ from, (size_t)(end - from) });
		a->heard = true;
	} else if (a->n == BUF_BYTES) {
		err_warn("%s: a line of more than %u bytes is left out: is that a hub?", a->o.socket, BUF_BYTES);
		a->n = 0;
		a->torn = true;
	}
}

/* false: the hub has gone, and with it the rest of a line that had begun */
static bool read_hub(struct app *a)
{
	ssize_t k = recv(a->hub, a->buf + a->n, BUF_BYTES - a->n, MSG_DONTWAIT);

	if (k < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (k <= 0) {
		a->n = 0;
		return false;
	}
	a->n += (size_t)k;
	find_lines(a);
	return true;
}

/* the hub's lines are the hub's; this one is told by who lost it */
static void tell_loss(struct app *a)
{
	struct event_status e = { .state = SPAN("connecting"),
		.ts = clock_real_us() / 1000,
		.detail = SPAN("the hub has gone: waiting for it to come back") };

	a->n = a->whole = (size_t)(event_write_status(a->buf, &e) - a->buf);
}

/* ------------------------------------------------------------------------------------------------ the stream */

/* lets the time pass; what is left to be written is written meanwhile */
static void rest(struct app *a, int64_t until)
{
	while (!a->over && clock_mono_us() < until) {
		await(a, until);
		write_lines(a);
	}
}

/* false: none came in time, errno */
static bool await_hub(struct app *a, int64_t until)
{
	while (!a->over && !try_hub(a)) {
		int error = errno;
		int64_t now = clock_mono_us();
		if (now >= until || !may_come(error)) {
			errno = error;
			return false;
		}
		rest(a, now + TRY_US < until ? now + TRY_US : until);
	}
	return true;
}

/* passes lines on until the hub has gone and all are written */
static void pass_on(struct app *a)
{
	bool there = true;

	a->heard = a->torn = false;
	a->last = GOES_ON;
	while (!a->over && there) {
		write_lines(a);
		if (!a->over && await(a, INT64_MAX) && a->whole == 0)
			there = read_hub(a);
	}
	close(a->hub);
	a->hub = -1;
}

/* Waits for a hub that is there again. One that hangs up without a word, again and again, is none that has come back. */
static int stream(struct app *a)
{
	int64_t until = clock_mono_us() + a->o.wait;

	while (!a->over) {
		if (!await_hub(a, until))
			err_die(ERR_SYSTEM, "%s:", a->o.socket);
		if (a->over)
			break;
		pass_on(a);
		if (a->over || a->last != GOES_ON)
			break;
		if (a->heard && a->o.wait > 0) {
			tell_loss(a);
			until = clock_mono_us() + a->o.wait;
		}
		if (clock_mono_us() >= until)
			err_die(ERR_SYSTEM, "%s: the hub has gone", a->o.socket);
		rest(a, clock_mono_us() + TRY_US);
	}
	if (a->last == REFUSED)
		err_warn("%s: the hub does not serve one more like this", a->o.socket);
	return a->failed || a->last == REFUSED ? ERR_SYSTEM : a->last == CUT_OFF ? ERR_DATA : ERR_OK;
}

/* ----------------------------------------------------------------------------------------------- an answer */

/* all that the hub says, to its end; false: it has not said all in time */
static bool read_answer(struct app *a, FILE *to)
{
	int64_t until = clock_mono_us() + REPLY_US;
	char text[65536];

	while (!a->over && clock_mono_us() < until) {
		if (!await(a, until))
			continue;
		ssize_t k = recv(a->hub, text, sizeof text, MSG_DONTWAIT);
		if (k > 0)
			fwrite(text, 1, (size_t)k, to);
		else if (k == 0)
			return true;
		else if (errno != EAGAIN && errno != EINTR)
			return false;
	}
	return false;
}

/* a reader that has gone wants nothing more */
static void print(struct span text)
{
	if ((fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0) && errno != EPIPE)
		err_die(ERR_SYSTEM, "standard output:");
}

static int question(struct app *a)
{
	static const char down[] =
	    "{\"status\":\"down\",\"ageMs\":null,\"streams\":[],\"readers\":0,\"uptime\":0,\"source\":\"\"}\n";
	bool health = strcmp(a->o.ask, "health") == 0;
	struct span text = { NULL, 0 };
	char *p = NULL;
	FILE *out = open_memstream(&p, &text.n);

	if (!out)
		err_die(ERR_SYSTEM, "memory:");
	a->in = a->out.fd = -1; /* who asks a question waits for the answer */
	bool there = await_hub(a, clock_mono_us() + a->o.wait);
	int error = errno;
	bool good = there && read_answer(a, out);
	fclose(out);
	text.p = p;
	good = good && span_starts(text, health ? SPAN("{\"status\":") : SPAN("# "));
	if (good || health)
		print(good ? text : SPAN(down));
	if (!good)
		err_warn("%s: %s", a->o.socket, there ? "the hub does not answer" : strerror(error));
	bool fresh = good && span_starts(text, SPAN("{\"status\":\"ok\""));
	free(p);
	return health ? (fresh ? ERR_OK : ERR_DATA) : good ? ERR_OK : ERR_SYSTEM;
}

/* hubs may come and go */
static void enter_sandbox(void)
{
	struct sandbox s;

	sandbox_open(&s, SANDBOX_LOCAL, opt_no_sandbox());
	if (!sandbox_enter(&s))
		err_die(ERR_SYSTEM, "the sandbox:");
}

int main(int argc, char **argv)
{
	static struct app a;

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	a.o = parse_args(argc, argv);
	a.hub = -1;
	a.signals = io_signals(false);
	a.buf = malloc(BUF_BYTES + JSON_PAD);
	if (a.signals < 0 || !a.buf)
		err_die(ERR_SYSTEM, "cannot start:");
	a.in = input_that_speaks();
	if (!a.o.ask)
		a.out = io_own_output(STDOUT_FILENO);
	enter_sandbox();
	return a.o.ask ? question(&a) : stream(&a);
}
