/* bnc-stream - WebSocket client of the exchange: frames of the named streams, one a line, for as long as wanted.
 *
 * Reads the network; writes frames and, with -s, status records of bnc-event(5).
 *
 *     bnc-stream SOLUSDT | bnc-normalize | bnc-equity -b 10000 -p positions.ndjson | bnc-heartbeat
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backoff.h"
#include "binance_session.h"
#include "clock.h"
#include "err.h"
#include "event.h"
#include "opt.h"
#include "source.h"
#include "uplink.h"

static const char usage_text[] =
    "usage: bnc-stream [-hrsVv] [-m usdm|coinm|spot] [-c channel[,channel]] [-u url] [--cacert file] [-n count]\n"
    "                  [-t seconds] [--lines n] [--max-age duration] [--stale duration] [--on-full block|conflate]\n"
    "                  [--buffer size] [--ready-fd n] [--no-sandbox] symbol|stream ...\n";

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
    "      --no-sandbox         keep the rights that are not needed\n"
    "  -v, --verbose            say more on standard error; twice: libwebsockets' own words\n"
    "  -h, --help               this text\n"
    "  -V, --version            name and version\n";

#define SECOND 1000000LL
#define BUFFER_MIN (64u << 10)
#define BUFFER_MAX (4ull << 30)
/* beyond --buffer: what one more message may set free, so that nothing printed by the arbiter is ever dropped */
#define RESERVE (2u * (1u << 20) + ARBITER_HELD_BYTES + ARBITER_HELD_EVENTS * OUTBOX_KEYS_MAX)

struct opts {
	enum event_market market;
	const char *channels;
	const char *url;
	struct source_options source;
	struct binance_session_options session;
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
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* false: not an option */
static bool take_option(void *opts, int c)
{
	static const char *const policies[] = { "block", "conflate", NULL };
	struct opts *o = opts;

	if (c == 'm')
		o->market = opt_market("-m");
	else if (c == 'c')
		o->channels = optarg;
	else if (c == 'u')
		o->url = optarg;
	else if (c == OPT_CACERT)
		o->source.ws.cacert = optarg;
	else if (c == 'r')
		o->source.box.raw = true;
	else if (c == 's')
		o->source.status = true;
	else if (c == 'n')
		o->source.box.count = opt_u64("-n", 1, UINT64_MAX, "a number of frames");
	else if (c == 't')
		o->source.time = opt_duration("-t", 1, "a duration");
	else if (c == OPT_LINES)
		o->session.lines = (unsigned)opt_u64("--lines", 1, BINANCE_LINES_MAX, "a number from 1 to 4");
	else if (c == OPT_MAX_AGE)
		o->session.max_age = opt_duration("--max-age", SECOND / 10, "a duration from 100ms");
	else if (c == OPT_STALE)
		o->session.stale = opt_duration("--stale", SECOND / 10, "a duration from 100ms");
	else if (c == OPT_ON_FULL)
		o->source.box.conflate = opt_word("--on-full", policies, "block or conflate") == 1;
	else if (c == OPT_BUFFER)
		o->source.box.cap = opt_size("--buffer", BUFFER_MIN, BUFFER_MAX, "a size from 64k to 4G");
	else if (c == OPT_READY_FD)
		o->source.ready_fd = opt_fd("--ready-fd");
	else if (c == 'v')
		o->source.ws.verbose++;
	else
		return false;
	return true;
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvrsm:c:u:n:t:", longs, take_option };
	struct opts o = { .market = EVENT_USDM,
		.channels = "bookTicker",
		.url = "live",
		.source = { .box = { .cap = 64u << 20, .reserve = RESERVE },
		    .ws = { .user_agent = "bnc-stream/" BNC_VERSION },
		    .ready_fd = -1 },
		.session = { .lines = 1,
		    .max_age = BINANCE_MAX_AGE_US,
		    .stale = 30 * SECOND,
		    .backoff_base = BACKOFF_BASE_US,
		    .backoff_cap = BACKOFF_CAP_US },
		.limit = BINANCE_CONNECTS,
		.limit_window = BINANCE_CONNECTS_US };

	o.operands = opt_parse(&options, argc, argv, &o);
	if (!*o.operands)
		opt_usage("no symbol and no stream is named");
	opt_backoff(&o.session.backoff_base, &o.session.backoff_cap);
	o.limit_set = opt_connect_limit(&o.limit, &o.limit_window);
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct app {
	struct opts o;
	struct binance_endpoint endpoint;
	struct binance_plan plan;
	struct binance_session *session;
	struct source source;
	struct uplink uplink;
};

/* ------------------------------------------------------------------------------------------------- telling */

static void on_news(void *user, const struct binance_news_item *item)
{
	struct app *a = user;
	struct event_status e = { .detail = span_of(item->detail) };

	if (outbox_complete(&a->source.box)) /* nothing is missing from what was asked for */
		return;
	if (item->loud || a->o.source.ws.verbose)
		err_try(item->text);
	if (!item->state)
		return;
	e.state = span_of(item->state);
	if (item->stream >= 0)
		e.stream = span_of(a->plan.stream[item->stream].name);
	if (item->gap && item->gap->has_ids) {
		e.has_ids = true;
		e.last_id = item->gap->last_id;
		e.next_id = item->gap->next_id;
	}
	source_status(&a->source, e);
}

static void say_counters(void *user)
{
	const struct app *a = user;
	const struct binance_session_counters *c = binance_session_counters(a->session);
	const struct arbiter_counters *r = binance_session_arbiter(a->session);
	const struct outbox_counters *b = &a->source.box.counters;
	char text[900];

	int n = snprintf(text, sizeof text,
	    "received %" PRIu64 ", out %" PRIu64 ", copies %" PRIu64 ", obsolete %" PRIu64 ", gaps %" PRIu64
	    ", late fills %" PRIu64 ", conflated %" PRIu64 ", dropped %" PRIu64 ", refused %" PRIu64
	    ", of other streams %" PRIu64 ", errors %" PRIu64 ", connects %" PRIu64 ", reconnects %" PRIu64
	    ", pauses %" PRIu64,
	    c->received, b->frames, r->copies, r->obsolete, r->gaps, r->fills, b->conflated, b->dropped, c->refused,
	    c->foreign, c->errors, c->connects, c->reconnects, c->pauses);
	for (unsigned i = 0; a->o.session.lines > 1 && i < a->o.session.lines; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, ", line %c first %" PRIu64, 'A' + (int)i,
		    binance_session_won(a->session, i));
	err_try(text);
}

/* --------------------------------------------------------------------------------- what the session asks for */

static int64_t on_may_connect(void *user)
{
	struct app *a = user;

	return uplink_may_connect(&a->uplink);
}

static bool on_connect(void *user, unsigned conn, enum binance_tier tier)
{
	struct app *a = user;
	struct ws_target t = { .host = span_of(a->endpoint.host),
		.port = a->endpoint.port,
		.tls = a->endpoint.tls,
		.path = binance_tier_path(tier) };

	return uplink_connect(&a->uplink, conn, &t);
}

static void on_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	const struct app *a = user;

	uplink_order(&a->uplink, conn, what, text);
}

static int64_t on_heard(void *user, unsigned conn)
{
	const struct app *a = user;

	return uplink_heard(&a->uplink, conn);
}

static void on_frame(void *user, size_t stream, struct span text, int64_t recv)
{
	struct app *a = user;

	source_frame(&a->source, stream, a->plan.stream[stream].conflates, text, recv);
}

static void on_ready(void *user)
{
	struct app *a = user;

	source_ready(&a->source);
}

static void on_give_up(void *user)
{
	struct app *a = user;

	source_fail(&a->source);
}

/* ------------------------------------------------------------------------------- what the session is told */

static void net_up(void *user, struct ws_conn *c)
{
	const struct app *a = user;

	binance_session_up(a->session, uplink_number(&a->uplink, c), clock_mono_us());
}

static void net_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	const struct app *a = user;

	binance_session_message(a->session, uplink_number(&a->uplink, c), text, recv, clock_mono_us());
}

static void net_pong(void *user, struct ws_conn *c)
{
	const struct app *a = user;

	binance_session_pong(a->session, uplink_number(&a->uplink, c), clock_mono_us());
}

static void net_down(void *user, struct ws_conn *c, const struct ws_end *end)
{
	struct app *a = user;
	struct binance_down d;
	unsigned conn = uplink_down(&a->uplink, c, end, &d);

	binance_session_down(a->session, conn, &d, clock_mono_us());
}

static void tick(void *user, int64_t now)
{
	const struct app *a = user;

	binance_session_tick(a->session, now);
}

/* no connection is kept that nobody listens to */
static void full(void *user)
{
	const struct app *a = user;

	binance_session_pause(a->session, "the reader is too slow: the buffer is full", clock_mono_us());
}

static void room(void *user)
{
	const struct app *a = user;

	binance_session_resume(a->session, "the reader has taken half of the buffer", clock_mono_us());
}

static void end(void *user)
{
	const struct app *a = user;

	binance_session_end(a->session, clock_mono_us());
}

static bool ended(void *user)
{
	const struct app *a = user;

	return binance_session_ended(a->session);
}

/* -------------------------------------------------------------------------------------------------- set-up */

static void make_plan(struct app *a)
{
	char why[256];

	if (!binance_endpoint(&a->endpoint, a->o.market, span_of(a->o.url), why))
		opt_usage("-u: %s", why);
	binance_plan_open(&a->plan, a->o.market);
	for (char *const *p = a->o.operands; *p; p++) {
		errno = 0;
		if (binance_plan_add(&a->plan, span_of(*p), span_of(a->o.channels), why))
			continue;
		if (errno == ENOMEM)
			err_die(ERR_SYSTEM, "%s", why);
		opt_usage("%s", why);
	}
	if (!binance_plan_ready(&a->plan))
		err_die(ERR_SYSTEM, "out of memory");
	for (size_t i = 0; i < a->plan.streams; i++)
		if (!a->plan.stream[i].known)
			err_warn("%s: not a stream that this program knows; the exchange may stay silent about it",
			    a->plan.stream[i].name);
}

static void set_up_source(struct app *a)
{
	static const struct source_program program = { net_up, net_message, net_pong, net_down, tick, full, room, end,
		ended, say_counters, err_try };
	struct source_options *o = &a->o.source;
	char why[256];

	o->box.market = a->o.market;
	o->box.streams = a->plan.streams;
	o->live = a->endpoint.live;
	if (!source_open(&a->source, o, &program, a, why))
		err_die(ERR_SYSTEM, "%s", why);
}

static void count_connections(struct app *a)
{
	char why[256];

	if (!a->o.limit_set && binance_is_loopback(&a->endpoint))
		return;
	if (!uplink_count(&a->uplink, a->o.limit, a->o.limit_window, why))
		err_warn("connections are not counted together with other programs: %s", why);
}

static void set_up_session(struct app *a)
{
	static const struct binance_session_events events = { on_may_connect, on_connect, on_order, on_heard, on_frame,
		on_news, on_ready, on_give_up };
	struct binance_session_options *o = &a->o.session;

	o->origin = a->endpoint.origin;
	o->seed = io_random();
	a->session = binance_session_new(&a->plan, o, &events, a);
	if (!a->session || !uplink_open(&a->uplink, a->source.ws, binance_session_conns(a->session)))
		err_die(ERR_SYSTEM, "out of memory");
}

static void enter_sandbox(const struct app *a)
{
	const struct source_peer peer = { a->endpoint.host, a->endpoint.port, a->endpoint.tls };

	if (!source_enter_sandbox(&peer, 1, NULL, opt_no_sandbox()))
		err_die(ERR_SYSTEM, "the sandbox:");
}

static void tear_down(struct app *a)
{
	source_close(&a->source);
	binance_session_free(a->session);
	uplink_close(&a->uplink);
	binance_plan_close(&a->plan);
}

int main(int argc, char **argv)
{
	static struct app a;

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	a.o = parse_args(argc, argv);
	make_plan(&a);
	set_up_source(&a);
	count_connections(&a);
	set_up_session(&a);
	enter_sandbox(&a);

	bool good = source_run(&a.source);
	if (a.o.source.ws.verbose)
		say_counters(&a);
	tear_down(&a);
	return good ? ERR_OK : ERR_SYSTEM;
}
