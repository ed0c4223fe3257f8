/* bnc-stream - WebSocket client of the exchange: frames of the named streams, one a line, for as long as wanted.
 *
 * Reads the network; writes frames and, with -s, status records of bnc-event(5).
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"
#include "binance_ids.h"
#include "binance_session.h"
#include "budget.h"
#include "clock.h"
#include "err.h"
#include "event.h"
#include "io.h"
#include "jsonw.h"
#include "num.h"
#include "ring.h"
#include "ws.h"

static const char usage_text[] =
    "usage: bnc-stream [-hrsVv] [-m usdm|coinm|spot] [-c channel[,channel]] [-u url] [--cacert file] [-n count]\n"
    "                  [-t seconds] [--lines n] [--max-age duration] [--stale duration] [--on-full block|conflate]\n"
    "                  [--buffer size] [--ready-fd n] symbol|stream ...\n";

static const char options_text[] =
    "  -m, --market market      usdm, coinm or spot (usdm)\n"
    "  -c, --channels list      what a symbol stands for: channels with commas between (bookTicker)\n"
    "  -u, --url url            live, testnet, demo or wss://host[:port] (live)\n"
    "      --cacert file        a further certificate authority\n"
    "  -r, --raw                the exchange's frames alone\n"
    "  -s, --status             status records among the frames\n"
    "  -n, --count count        end after so many frames\n"
    "  -t, --time seconds       end after so long\n"
    "      --lines n            so many connections at once, whichever is first counts (1, at most 4)\n"
    "      --max-age duration   replace a connection after that time (23h50m)\n"
    "      --stale duration     silence that is asked about and told (30s)\n"
    "      --on-full policy     when the reader is too slow: block or conflate (block)\n"
    "      --buffer size        that may wait for the reader (64M)\n"
    "      --ready-fd n         write a newline to this descriptor when all streams are subscribed to\n"
    "  -v, --verbose            say more on standard error; twice: libwebsockets' own words\n"
    "  -h, --help               this text\n"
    "  -V, --version            name and version\n";

#define SECOND 1000000LL
#define END_US SECOND		 /* for close frames, and for the reader after a signal */
#define BUFFER_MIN (64u << 10)
#define BUFFER_MAX (4ull << 30)
#define CONFLATE_FROM (64u << 10) /* bytes that wait: the reader is behind */
#define WRITE_BYTES (256u << 10)
#define ENVELOPE_MAX 64 /* bytes that we put before a frame */
/* beyond --buffer: what one more message may set free, so that nothing printed by the arbiter is ever dropped */
#define RESERVE (2u * (1u << 20) + ARBITER_HELD_BYTES + ARBITER_HELD_EVENTS * ENVELOPE_MAX)

struct opts {
	enum event_market market;
	const char *channels;
	const char *url;
	const char *cacert;
	bool raw, status, conflate;
	uint64_t count; /* 0: no end */
	int64_t time;	/* µs; 0: no end */
	unsigned lines;
	int64_t max_age, stale;
	uint64_t buffer;
	int ready_fd;
	int verbose;
	int64_t backoff_base, backoff_cap;
	bool limit_set; /* by environment: then it holds for this machine, too */
	uint64_t limit;
	int64_t limit_window;
	char *const *operands;
};

/* ------------------------------------------------------------------------------------------------- options */

enum {
	OPT_CACERT = 256,
	OPT_LINES,
	OPT_MAX_AGE,
	OPT_STALE,
	OPT_ON_FULL,
	OPT_BUFFER,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "market", required_argument, NULL, 'm' },
	{ "channels", required_argument, NULL, 'c' },
	{ "url", required_argument, NULL, 'u' },
	{ "cacert", required_argument, NULL, OPT_CACERT },
	{ "raw", no_argument, NULL, 'r' },
	{ "status", no_argument, NULL, 's' },
	{ "count", required_argument, NULL, 'n' },
	{ "time", required_argument, NULL, 't' },
	{ "lines", required_argument, NULL, OPT_LINES },
	{ "max-age", required_argument, NULL, OPT_MAX_AGE },
	{ "stale", required_argument, NULL, OPT_STALE },
	{ "on-full", required_argument, NULL, OPT_ON_FULL },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void wrong(const char *option, const char *text, const char *what)
{
	err_warn("%s: '%s' is not %s", option, text, what);
	err_usage(usage_text);
}

static uint64_t parse_number(const char *option, const char *text, uint64_t min, uint64_t max, const char *what)
{
	uint64_t v;

	if (!num_u64(span_of(text), min, max, &v))
		wrong(option, text, what);
	return v;
}

static int64_t parse_duration(const char *option, const char *text, int64_t least)
{
	int64_t us;

	if (!num_duration(span_of(text), &us))
		wrong(option, text, "a duration");
	if (us < least || us > INT64_MAX / 4)
		wrong(option, text, "a duration that makes sense here");
	return us;
}

static enum event_market parse_market(const char *text)
{
	enum event_market m = event_market(span_of(text));

	if (m == EVENT_NO_MARKET)
		wrong("-m", text, "usdm, coinm or spot");
	return m;
}

static bool parse_on_full(const char *text)
{
	if (strcmp(text, "block") != 0 && strcmp(text, "conflate") != 0)
		wrong("--on-full", text, "block or conflate");
	return text[0] == 'c';
}

static uint64_t parse_buffer(const char *text)
{
	uint64_t bytes;

	if (!num_size(span_of(text), BUFFER_MAX, &bytes) || bytes < BUFFER_MIN)
		wrong("--buffer", text, "a size from 64k to 4G");
	return bytes;
}

static int parse_ready_fd(const char *text)
{
	int fd = (int)parse_number("--ready-fd", text, 1, 1 << 20, "a descriptor");

	if (fcntl(fd, F_GETFD) < 0)
		wrong("--ready-fd", text, "an open descriptor");
	return fd;
}

/* BNC_BACKOFF=500ms,30s and BNC_CONNECT_LIMIT=240/5m */
static void parse_environment(struct opts *o)
{
	const char *backoff = getenv("BNC_BACKOFF");
	const char *limit = getenv("BNC_CONNECT_LIMIT");
	struct span rest;

	if (backoff && *backoff) {
		struct span base = span_cut(span_of(backoff), ',', &rest);
		if (!num_duration(base, &o->backoff_base) || (rest.p && !num_duration(rest, &o->backoff_cap)))
			err_die(ERR_USAGE, "BNC_BACKOFF: '%s' is not a duration, or two with a comma between", backoff);
	}
	if (limit && *limit) {
		struct span count = span_cut(span_of(limit), '/', &rest);
		if (!num_u64(count, 1, BUDGET_SLOTS, &o->limit) || !rest.p || !num_duration(rest, &o->limit_window) ||
		    o->limit_window < 1)
			err_die(ERR_USAGE, "BNC_CONNECT_LIMIT: '%s' is not a number, '/' and a duration", limit);
		o->limit_set = true;
	}
}

/* options with a long name only; false: not one of them */
static bool long_option(struct opts *o, int c)
{
	switch (c) {
	case OPT_CACERT:
		o->cacert = optarg;
		return true;
	case OPT_LINES:
		o->lines = (unsigned)parse_number("--lines", optarg, 1, BINANCE_LINES_MAX, "a number from 1 to 4");
		return true;
	case OPT_MAX_AGE:
		o->max_age = parse_duration("--max-age", optarg, SECOND / 10);
		return true;
	case OPT_STALE:
		o->stale = parse_duration("--stale", optarg, SECOND / 10);
		return true;
	case OPT_ON_FULL:
		o->conflate = parse_on_full(optarg);
		return true;
	case OPT_BUFFER:
		o->buffer = parse_buffer(optarg);
		return true;
	case OPT_READY_FD:
		o->ready_fd = parse_ready_fd(optarg);
		return true;
	default:
		return false;
	}
}

static bool short_option(struct opts *o, int c)
{
	switch (c) {
	case 'm':
		o->market = parse_market(optarg);
		return true;
	case 'c':
		o->channels = optarg;
		return true;
	case 'u':
		o->url = optarg;
		return true;
	case 'r':
		o->raw = true;
		return true;
	case 's':
		o->status = true;
		return true;
	case 'n':
		o->count = parse_number("-n", optarg, 1, UINT64_MAX, "a number of frames");
		return true;
	case 't':
		o->time = parse_duration("-t", optarg, 1);
		return true;
	case 'v':
		o->verbose++;
		return true;
	default:
		return false;
	}
}

static struct opts parse_args(int argc, char **argv)
{
	struct opts o = { .market = EVENT_USDM,
		.channels = "bookTicker",
		.url = "live",
		.lines = 1,
		.max_age = BINANCE_MAX_AGE_US,
		.stale = 30 * SECOND,
		.buffer = 64u << 20,
		.ready_fd = -1,
		.backoff_base = BACKOFF_BASE_US,
		.backoff_cap = BACKOFF_CAP_US,
		.limit = BINANCE_CONNECTS,
		.limit_window = BINANCE_CONNECTS_US };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVvrsm:c:u:n:t:", longs, NULL)) != -1) {
		if (c == 'h')
			err_help(usage_text, options_text);
		if (c == 'V')
			err_version();
		if (!short_option(&o, c) && !long_option(&o, c)) {
			err_option(c, argv[optind - 1]);
			err_usage(usage_text);
		}
	}
	if (optind == argc) {
		err_warn("no symbol and no stream is named");
		err_usage(usage_text);
	}
	o.operands = argv + optind;
	parse_environment(&o);
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct link { /* a connection of the session, and what it is in the loop */
	unsigned number;
	struct ws_conn *conn; /* NULL: none */
};

struct newest { /* conflate: the frame of a stream that waits for the reader */
	char *text;
	size_t n, cap;
	int64_t recv;
	bool queued;
};

struct app {
	struct opts o;
	struct binance_endpoint endpoint;
	char origin[300];
	struct binance_plan plan;
	struct binance_session *session;
	struct ws *ws;
	struct link *link; /* owned */
	struct budget budget;
	bool counted; /* connections are counted in the budget */

	struct io_out to;
	struct ring ring;
	bool watched; /* the loop says when standard output takes more */
	bool blocked; /* it does not now */
	bool paused;  /* the buffer is full: there are no connections */
	struct newest *newest; /* owned, a stream each */
	size_t *queue;	       /* owned: streams whose newest frame waits, a ring of plan.streams */
	size_t queue_head, queue_n;
	uint64_t frames, conflated, dropped, pauses;
	int64_t last_recv;

	int signals;
	int64_t stop_at; /* -t */
	bool want_end, ending;
	int64_t end_at;	  /* no more waiting for close frames */
	bool by_signal;	  /* nor for the reader */
	bool reader_gone; /* nor for anything */
	bool stopped;
	const char *detail; /* of the end */
	enum err_status status;
	bool told_failure;

	int64_t tell_at; /* rate limit of refused frames */
	unsigned tell_n;
	uint64_t untold;
};

/* ------------------------------------------------------------------------------------------------- telling */

/* Standard error may be the pipe that nobody reads: then a message is left out rather than the exchange left alone. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
	char text[900];
	va_list ap;

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
		return;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	err_warn("%s", text);
}

static void put_line(struct app *a, const char *text, size_t n)
{
	if (ring_free(&a->ring) < n) {
		a->dropped++;
		return;
	}
	memcpy(ring_tail(&a->ring), text, n);
	ring_add(&a->ring, n);
}

/* a status record among the frames; stream < 0: none */
static void put_status(struct app *a, const char *state, long stream, const struct arbiter_gap *gap, const char *detail)
{
	char text[8192];
	struct event_status e = { .state = span_of(state),
		.ts = clock_real_us() / 1000,
		.source = a->endpoint.live ? SPAN("live") : SPAN("demo"),
		.detail = span_of(detail) };

	if (!a->o.status)
		return;
	if (stream >= 0)
		e.stream = (struct span){ a->plan.stream[stream].name, a->plan.stream[stream].n };
	if (gap && gap->has_ids) {
		e.has_ids = true;
		e.last_id = gap->last_id;
		e.next_id = gap->next_id;
	}
	put_line(a, text, (size_t)(event_write_status(text, &e) - text));
}

/* of many in a short time, five and then one a second */
static void say_refused(struct app *a, const char *detail)
{
	int64_t now = clock_mono_us();

	if (now - a->tell_at >= SECOND) {
		a->tell_at = now;
		a->tell_n = a->tell_n >= 5 ? 4 : 0;
	}
	if (a->tell_n >= 5) {
		a->untold++;
		return;
	}
	a->tell_n++;
	if (a->untold)
		say("%s (and %" PRIu64 " before it)", detail, a->untold);
	else
		say("%s", detail);
	a->untold = 0;
}

static void on_news(void *user, enum binance_news what, long stream, const char *detail)
{
	static const char *const states[] = { "connecting", "connecting", "live", "stale", NULL, NULL };
	struct app *a = user;
	const char *name = stream >= 0 ? a->plan.stream[stream].name : "";
	const char *colon = stream >= 0 ? ": " : "";
	bool aloud = what == BINANCE_NEWS_FAILED || what == BINANCE_NEWS_STALE ||
	    (what == BINANCE_NEWS_LIVE && a->told_failure);

	if (what == BINANCE_NEWS_REFUSED)
		say_refused(a, detail);
	else if (aloud || a->o.verbose)
		say("%s%s%s%s", what == BINANCE_NEWS_LIVE ? "live: " : "", name, colon, detail);
	if (what == BINANCE_NEWS_FAILED)
		a->told_failure = true;
	if (what == BINANCE_NEWS_LIVE)
		a->told_failure = false;
	if (states[what])
		put_status(a, states[what], stream, NULL, detail);
}

/* "2026-11-24T10:20:30.123Z" */
static const char *when(char text[40], int64_t us)
{
	time_t t = (time_t)(us / SECOND);
	struct tm tm;
	size_t n = gmtime_r(&t, &tm) ? strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &tm) : 0;

	snprintf(text + n, 40 - n, ".%03dZ", (int)(us % SECOND / 1000));
	return text;
}

static void on_gap(void *user, const struct arbiter_gap *gap)
{
	struct app *a = user;
	const struct binance_stream *stream = &a->plan.stream[gap->stream];
	uint64_t missing = binance_ids_missing(stream->kind, gap);
	char from[40], upto[40], what[80], detail[256];

	if (missing)
		snprintf(what, sizeof what, "%" PRIu64 " event%s missing", missing, missing > 1 ? "s" : "");
	else
		snprintf(what, sizeof what, "%s", gap->back ? "ids began anew, events may be missing"
		    : gap->proven			    ? "events are missing"
							    : "events may be missing");
	snprintf(detail, sizeof detail, "%s between %s and %s", what, when(from, gap->last_recv), when(upto, gap->next_recv));
	if (gap->has_ids)
		say("gap: %s: last id %" PRIu64 ", next id %" PRIu64 ": %s", stream->name, gap->last_id, gap->next_id, detail);
	else
		say("gap: %s: %s", stream->name, detail);
	put_status(a, "gap", (long)gap->stream, gap, detail);
}

static void counters(struct app *a, char *text, size_t cap)
{
	const struct binance_session_counters *c = binance_session_counters(a->session);
	const struct arbiter_counters *r = binance_session_arbiter(a->session);
	int n = snprintf(text, cap,
	    "received %" PRIu64 ", out %" PRIu64 ", copies %" PRIu64 ", obsolete %" PRIu64 ", gaps %" PRIu64 ", late fills %" PRIu64
	    ", conflated %" PRIu64 ", dropped %" PRIu64 ", refused %" PRIu64 ", of other streams %" PRIu64 ", errors %" PRIu64
	    ", connects %" PRIu64 ", reconnects %" PRIu64 ", pauses %" PRIu64,
	    c->received, a->frames, r->copies, r->obsolete, r->gaps, r->fills, a->conflated, a->dropped, c->refused,
	    c->foreign, c->errors, c->connects, c->reconnects, a->pauses);

	for (unsigned i = 0; a->o.lines > 1 && i < a->o.lines && n > 0 && (size_t)n < cap; i++)
		n += snprintf(text + n, cap - (size_t)n, ", line %c first %" PRIu64, 'A' + (int)i, binance_session_won(a->session, i));
}

static void say_counters(struct app *a)
{
	char text[700];

	counters(a, text, sizeof text);
	say("%s", text);
}

/* --------------------------------------------------------------------------------------------------- output */

/* one frame, with our keys before it unless -r; false: -n has been reached */
static bool put_frame(struct app *a, struct span text, int64_t recv)
{
	if (a->want_end && a->o.count && a->frames == a->o.count)
		return false;
	if (ring_free(&a->ring) < text.n + ENVELOPE_MAX) {
		a->dropped++;
		return true;
	}
	char *from = ring_tail(&a->ring), *out = from;
	if (!a->o.raw) {
		/* one that was held back comes late, but time does not go back for a reader */
		a->last_recv = recv > a->last_recv ? recv : a->last_recv;
		out = jsonw_i64(jsonw_lit(out, "{\"recv\":"), a->last_recv);
		out = jsonw_raw(jsonw_lit(out, ",\"market\":\""), event_market_name(a->o.market));
		out = jsonw_lit(out, "\",");
		const char *brace = memchr(text.p, '{', text.n);
		text.n -= (size_t)(brace + 1 - text.p);
		text.p = brace + 1;
	}
	out = jsonw_raw(out, text);
	*out++ = '\n';
	ring_add(&a->ring, (size_t)(out - from));
	a->want_end |= ++a->frames == a->o.count;
	return true;
}

/* false: no memory, it has to go the usual way */
static bool keep_newest(struct app *a, size_t stream, struct span text, int64_t recv)
{
	struct newest *w = &a->newest[stream];

	if (w->cap < text.n) {
		char *more = realloc(w->text, text.n);
		if (!more)
			return false;
		w->text = more;
		w->cap = text.n;
	}
	memcpy(w->text, text.p, text.n);
	w->n = text.n;
	w->recv = recv;
	a->conflated += w->queued;
	if (!w->queued)
		a->queue[(a->queue_head + a->queue_n++) % a->plan.streams] = stream;
	w->queued = true;
	return true;
}

static void on_frame(void *user, size_t stream, struct span text, int64_t recv)
{
	struct app *a = user;

	if (a->o.conflate && a->plan.stream[stream].conflates &&
	    (a->newest[stream].queued || ring_used(&a->ring) >= CONFLATE_FROM) && keep_newest(a, stream, text, recv))
		return;
	put_frame(a, text, recv);
}

/* the newest frames that waited, while the reader is not behind */
static void take_newest(struct app *a)
{
	while (a->queue_n > 0 && ring_used(&a->ring) < CONFLATE_FROM) {
		struct newest *w = &a->newest[a->queue[a->queue_head]];
		if (!put_frame(a, (struct span){ w->text, w->n }, w->recv)) {
			a->queue_n = 0;
			return;
		}
		w->queued = false;
		a->queue_head = (a->queue_head + 1) % a->plan.streams;
		a->queue_n--;
	}
}

static void write_failed(struct app *a)
{
	if (errno != EPIPE) {
		err_warn("standard output:");
		a->status = ERR_SYSTEM;
	}
	a->reader_gone = true;
	a->want_end = true;
}

/* writes what the reader takes now */
static void flush(struct app *a)
{
	take_newest(a);
	while (!a->blocked && !a->reader_gone && ring_used(&a->ring) > 0) {
		struct span s = ring_head(&a->ring);
		ssize_t n = io_write(&a->to, s.p, s.n < WRITE_BYTES ? s.n : WRITE_BYTES);
		if (n < 0) {
			write_failed(a);
		} else if (n == 0) {
			a->blocked = true;
			if (a->watched)
				ws_want_writable(a->ws);
		} else {
			ring_drop(&a->ring, (size_t)n);
			take_newest(a);
		}
	}
}

/* the buffer is full: no connection is kept that nobody listens to */
static void watch_buffer(struct app *a)
{
	size_t used = ring_used(&a->ring);

	if (!a->paused && used >= a->o.buffer) {
		static const char why[] = "the reader is too slow: the buffer is full";
		a->paused = true;
		a->pauses++;
		say("%s; the connections are dropped until half of it is taken", why);
		put_status(a, "stale", -1, NULL, "the reader is too slow: the buffer is full, the connections are dropped");
		binance_session_pause(a->session, why, clock_mono_us());
	} else if (a->paused && used <= a->o.buffer / 2) {
		a->paused = false;
		put_status(a, "connecting", -1, NULL, "the reader has taken half of the buffer: connecting again");
		binance_session_resume(a->session, clock_mono_us());
	}
}

/* ----------------------------------------------------------------------------------------------------- end */

static void begin_end(struct app *a)
{
	int64_t now = clock_mono_us();

	a->ending = true;
	a->end_at = now + END_US;
	binance_session_end(a->session, now);
	put_status(a, "end", -1, NULL, a->detail ? a->detail : "");
}

static void stop(struct app *a)
{
	if (!a->stopped)
		ws_stop(a->ws);
	a->stopped = true;
}

/* what must not be done inside a callback of the session */
static void settle(struct app *a)
{
	if (a->want_end && !a->ending)
		begin_end(a);
	if (!a->ending)
		watch_buffer(a);
}

static void check_end(struct app *a)
{
	if (!a->ending || a->stopped)
		return;
	bool late = clock_mono_us() >= a->end_at;
	bool written = ring_used(&a->ring) == 0 && a->queue_n == 0;
	bool silent = binance_session_ended(a->session);

	if (a->reader_gone)
		stop(a);
	else if (written && (silent || late))
		stop(a);
	else if (late && a->by_signal)
		stop(a);
}

/* ---------------------------------------------------------------------------------------------- the network */

static int64_t on_may_connect(void *user)
{
	struct app *a = user;

	return a->counted ? budget_take(&a->budget, clock_mono_us()) : 0;
}

static bool on_connect(void *user, unsigned number, enum binance_tier tier)
{
	struct app *a = user;
	struct ws_target t = { .host = span_of(a->endpoint.host),
		.port = a->endpoint.port,
		.tls = a->endpoint.tls,
		.path = binance_tier_path(tier) };

	a->link[number].conn = ws_connect(a->ws, &t, &a->link[number]);
	return a->link[number].conn != NULL;
}

static void on_send(void *user, unsigned number, struct span text)
{
	struct app *a = user;

	/* refused only when the connection is down, which is told by itself */
	if (a->link[number].conn)
		(void)ws_send(a->link[number].conn, text);
}

static void on_ping(void *user, unsigned number)
{
	struct app *a = user;

	if (a->link[number].conn)
		ws_ping(a->link[number].conn);
}

static void on_close(void *user, unsigned number)
{
	struct app *a = user;

	if (a->link[number].conn)
		ws_close(a->link[number].conn, 1000);
}

static void on_kill(void *user, unsigned number)
{
	struct app *a = user;

	if (a->link[number].conn)
		ws_kill(a->link[number].conn);
}

static int64_t on_heard(void *user, unsigned number)
{
	struct app *a = user;

	return a->link[number].conn ? ws_heard(a->link[number].conn) : 0;
}

static void on_ready(void *user)
{
	struct app *a = user;

	io_ready(a->o.ready_fd);
	a->o.ready_fd = -1;
}

static void on_give_up(void *user, const char *why)
{
	struct app *a = user;

	say("%s", why);
	put_status(a, "stale", -1, NULL, why);
	a->status = ERR_SYSTEM;
	a->want_end = true;
}

static void net_up(void *user, struct ws_conn *c)
{
	struct app *a = user;
	const struct link *l = ws_tag(c);

	binance_session_up(a->session, l->number, clock_mono_us());
	settle(a);
}

static void net_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	struct app *a = user;
	const struct link *l = ws_tag(c);

	if (a->want_end)
		return;
	binance_session_message(a->session, l->number, text, recv, clock_mono_us());
	settle(a);
}

static void net_pong(void *user, struct ws_conn *c)
{
	struct app *a = user;
	const struct link *l = ws_tag(c);

	binance_session_pong(a->session, l->number, clock_mono_us());
}

static enum binance_cause cause_of(const struct ws_end *end)
{
	switch (end->cause) {
	case WS_CERTIFICATE:
		return BINANCE_DOWN_CERTIFICATE;
	case WS_HTTP:
		return BINANCE_DOWN_HTTP;
	case WS_ASKED:
		return BINANCE_DOWN_ASKED;
	default:
		return BINANCE_DOWN_NETWORK;
	}
}

static void net_down(void *user, struct ws_conn *c, const struct ws_end *end)
{
	struct app *a = user;
	struct link *l = ws_tag(c);
	struct binance_down d = { cause_of(end), end->http, end->retry_after, end->text };

	l->conn = NULL;
	binance_session_down(a->session, l->number, &d, clock_mono_us());
	settle(a);
	check_end(a);
}

static void net_tick(void *user)
{
	struct app *a = user;
	int64_t now = clock_mono_us();

	if (a->stop_at && now >= a->stop_at)
		a->want_end = true;
	binance_session_tick(a->session, now);
	if (!a->watched)
		a->blocked = false;
	settle(a);
	flush(a);
	settle(a);
	check_end(a);
}

static void net_idle(void *user)
{
	struct app *a = user;

	flush(a);
	settle(a);
	check_end(a);
}

static void net_log(void *user, int level, const char *text)
{
	const struct app *a = user;

	if (level <= a->o.verbose)
		say("%s", text);
}

static void output_writable(void *user)
{
	struct app *a = user;

	a->blocked = false;
	net_idle(a);
}

static void output_gone(void *user)
{
	struct app *a = user;

	a->reader_gone = true;
	a->want_end = true;
	settle(a);
	check_end(a);
}

static void signals_readable(void *user)
{
	struct app *a = user;

	for (int number; (number = io_signal(a->signals)) != 0;) {
		if (number == SIGUSR1) {
			say_counters(a);
			continue;
		}
		if (a->by_signal) /* the second one: at once */
			stop(a);
		a->by_signal = true;
		a->want_end = true;
		a->end_at = clock_mono_us() + END_US;
		a->detail = number == SIGINT ? "SIGINT" : "SIGTERM";
	}
	net_idle(a);
}

/* -------------------------------------------------------------------------------------------------- set-up */

static void make_plan(struct app *a)
{
	char why[256];

	if (!binance_endpoint(&a->endpoint, a->o.market, span_of(a->o.url), why)) {
		err_warn("-u: %s", why);
		err_usage(usage_text);
	}
	snprintf(a->origin, sizeof a->origin, "%s://%s:%u", a->endpoint.tls ? "wss" : "ws", a->endpoint.host,
	    (unsigned)a->endpoint.port);
	binance_plan_open(&a->plan, a->o.market);
	for (char *const *p = a->o.operands; *p; p++)
		if (!binance_plan_add(&a->plan, span_of(*p), span_of(a->o.channels), why)) {
			err_warn("%s", why);
			err_usage(usage_text);
		}
	if (!binance_plan_ready(&a->plan))
		err_die(ERR_SYSTEM, "out of memory");
	for (size_t i = 0; i < a->plan.streams; i++)
		if (!a->plan.stream[i].known)
			say("%s: not a stream that this program knows; the exchange may stay silent about it", a->plan.stream[i].name);
}

static void set_up_output(struct app *a)
{
	a->to = io_own_output(STDOUT_FILENO);
	io_grow_pipe(STDOUT_FILENO);
	a->newest = calloc(a->plan.streams, sizeof *a->newest);
	a->queue = calloc(a->plan.streams, sizeof *a->queue);
	if (!a->newest || !a->queue || !ring_open(&a->ring, a->o.buffer + RESERVE))
		err_die(ERR_SYSTEM, "out of memory for --buffer");
}

/* in $BNC_RUN, else $XDG_RUNTIME_DIR, else a directory of this user's own */
static void set_up_budget(struct app *a)
{
	const char *dir = getenv("BNC_RUN");
	char own[64], why[256];

	a->counted = a->o.limit_set || !binance_is_loopback(&a->endpoint);
	if (!a->counted)
		return;
	if (!dir || !*dir)
		dir = getenv("XDG_RUNTIME_DIR");
	if (!dir || !*dir) {
		snprintf(own, sizeof own, "/tmp/bnc-%u", (unsigned)geteuid());
		dir = own;
	}
	if (!budget_open(&a->budget, dir, "bnc-connections", a->o.limit, a->o.limit_window, why))
		say("connections are not counted together with other programs: %s", why);
}

static void set_up_session(struct app *a)
{
	static const struct binance_session_events events = { on_may_connect, on_connect, on_send, on_ping, on_close,
		on_kill, on_heard, on_frame, on_gap, on_news, on_ready, on_give_up };
	struct binance_session_options o = { .lines = a->o.lines,
		.max_age = a->o.max_age,
		.stale = a->o.stale,
		.backoff_base = a->o.backoff_base,
		.backoff_cap = a->o.backoff_cap,
		.origin = a->origin };

	if (getrandom(&o.seed, sizeof o.seed, 0) != (ssize_t)sizeof o.seed)
		o.seed = (uint64_t)clock_real_us() ^ (uint64_t)getpid() << 40;
	a->session = binance_session_new(&a->plan, &o, &events, a);
	if (!a->session)
		err_die(ERR_SYSTEM, "out of memory");
	unsigned n = binance_session_conns(a->session);
	a->link = calloc(n, sizeof *a->link);
	if (!a->link)
		err_die(ERR_SYSTEM, "out of memory");
	for (unsigned i = 0; i < n; i++)
		a->link[i].number = i;
}

static void set_up_loop(struct app *a)
{
	static const struct ws_events events = { net_up, net_message, net_pong, net_down, net_tick, net_idle, net_log };
	struct ws_options o = { .cacert = a->o.cacert, .user_agent = "bnc-stream/" BNC_VERSION, .verbose = a->o.verbose };
	char why[256];

	a->ws = ws_open(&o, &events, a, why);
	if (!a->ws)
		err_die(ERR_SYSTEM, "%s", why);
	if (!ws_watch_readable(a->ws, a->signals, signals_readable))
		err_die(ERR_SYSTEM, "cannot watch for signals");
	/* a file is always ready: there is nothing to watch */
	a->watched = (a->to.nonblock || a->to.careful) && ws_watch_output(a->ws, a->to.fd, output_writable, output_gone);
}

static void tear_down(struct app *a)
{
	ws_free(a->ws);
	binance_session_free(a->session);
	for (size_t i = 0; i < a->plan.streams; i++)
		free(a->newest[i].text);
	free(a->newest);
	free(a->queue);
	free(a->link);
	binance_plan_close(&a->plan);
	ring_close(&a->ring);
	if (a->counted)
		budget_close(&a->budget);
}

int main(int argc, char **argv)
{
	static struct app a;

	err_program(argv[0]);
	if (!io_std_open())
		return ERR_SYSTEM;
	a.o = parse_args(argc, argv);
	make_plan(&a);

	a.signals = io_signals(false); /* before the loop makes a thread */
	if (a.signals < 0)
		err_die(ERR_SYSTEM, "signals:");
	set_up_output(&a);
	set_up_budget(&a);
	set_up_session(&a);
	set_up_loop(&a);

	if (a.o.time)
		a.stop_at = clock_mono_us() + a.o.time;
	ws_run(a.ws);

	if (a.o.verbose)
		say_counters(&a);
	if (!a.reader_gone && ring_used(&a.ring) > 0) {
		err_warn("the reader takes nothing: %zu bytes are lost", ring_used(&a.ring));
		a.status = ERR_SYSTEM;
	}
	tear_down(&a);
	return a.status;
}
