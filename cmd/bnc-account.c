/* bnc-account - what an account holds, and what happens to it: frames of its state and of its events, one a line, for
 * as long as wanted. It can read and nothing else.
 *
 * Reads the network and an API key; writes frames and, with -s, status records of bnc-event(5).
 *
 *     bnc-account --key-file key | bnc-normalize | bnc-equity
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backoff.h"
#include "binance_follow.h"
#include "clock.h"
#include "err.h"
#include "event.h"
#include "http.h"
#include "keys.h"
#include "num.h"
#include "opt.h"
#include "sandbox.h"
#include "sign.h"
#include "source.h"
#include "uplink.h"

static const char usage_text[] =
    "usage: bnc-account [-hsVv] [-m usdm|coinm|spot] [-u url] [--cacert file] [--key-file file]\n"
    "                   [--form query|subscribe] [--check duration] [--once] [-t seconds] [--max-age duration]\n"
    "                   [--stale duration] [--buffer size] [--ready-fd n] [--no-sandbox]\n";

static const char options_text[] =
    "  -m, --market market      usdm, coinm or spot (usdm)\n"
    "  -u, --url url            live, testnet, demo or wss://host[:port] (live)\n"
    "      --cacert file        a further certificate authority\n"
    "      --key-file file      the API key and its secret (BNC_API_KEY and BNC_API_SECRET)\n"
    "      --form form          how events are asked for: query or subscribe (query)\n"
    "      --check duration     how often requests check what is known (60s)\n"
    "      --once               the state of now, and the end\n"
    "  -s, --status             status records among the frames\n"
    "  -t, --time seconds       end after so long\n"
    "      --max-age duration   replace a connection after that time (23h50m)\n"
    "      --stale duration     silence that is asked about and told (30s)\n"
    "      --buffer size        that may wait for the reader (8M)\n"
    "      --ready-fd n         write a newline to this descriptor when the first snapshot is out\n"
    "      --no-sandbox         keep the rights that are not needed\n"
    "  -v, --verbose            say more on standard error; twice: libwebsockets' own words\n"
    "  -h, --help               this text\n"
    "  -V, --version            name and version\n";

#define SECOND	   1000000LL
#define BUFFER_MIN (64u << 10)
#define BUFFER_MAX (4ull << 30)
/* beyond --buffer: what may come at once, so that nothing of it is dropped: a snapshot, and what waited for it */
#define RESERVE	   (HTTP_BODY_MAX + BINANCE_INBOX_HELD + (2u << 20))
#define KEY_HEADER "X-MBX-APIKEY: "

struct opts {
	enum event_market market;
	const char *url;
	const char *key_file;
	struct source_options source;
	struct binance_follow_options account;
	bool limit_set; /* by environment: then it holds for this machine, too */
	uint64_t limit;
	int64_t limit_window;
};

/* ------------------------------------------------------------------------------------------------- options */

enum {
	OPT_CACERT = 256,
	OPT_KEY_FILE,
	OPT_FORM,
	OPT_CHECK,
	OPT_ONCE,
	OPT_MAX_AGE,
	OPT_STALE,
	OPT_BUFFER,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "market", required_argument, NULL, 'm' },
	{ "url", required_argument, NULL, 'u' },
	{ "cacert", required_argument, NULL, OPT_CACERT },
	{ "key-file", required_argument, NULL, OPT_KEY_FILE },
	{ "form", required_argument, NULL, OPT_FORM },
	{ "check", required_argument, NULL, OPT_CHECK },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "status", no_argument, NULL, 's' },
	{ "time", required_argument, NULL, 't' },
	{ "max-age", required_argument, NULL, OPT_MAX_AGE },
	{ "stale", required_argument, NULL, OPT_STALE },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* BNC_KEEP=30m: how long a listen key goes without a word */
static void read_keep(int64_t *keep)
{
	const char *text = getenv("BNC_KEEP");

	if (text && *text &&
	    (!num_duration(span_of(text), keep) || *keep < SECOND / 10 || *keep > INT64_MAX / 4))
		err_die(ERR_USAGE, "BNC_KEEP: '%s' is not a duration from 100ms", text);
}

/* false: not an option */
static bool take_option(void *opts, int c)
{
	static const char *const forms[] = { "query", "subscribe", NULL };
	struct opts *o = opts;

	if (c == 'm')
		o->market = opt_market("-m");
	else if (c == 'u')
		o->url = optarg;
	else if (c == OPT_CACERT)
		o->source.ws.cacert = optarg;
	else if (c == OPT_KEY_FILE)
		o->key_file = optarg;
	else if (c == OPT_FORM)
		o->account.form =
		    opt_word("--form", forms, "query or subscribe") == 1 ? BINANCE_FORM_SUBSCRIBE : BINANCE_FORM_QUERY;
	else if (c == OPT_CHECK)
		o->account.check = opt_duration("--check", SECOND, "a duration from 1s");
	else if (c == OPT_ONCE)
		o->account.once = true;
	else if (c == 's')
		o->source.status = true;
	else if (c == 't')
		o->source.time = opt_duration("-t", 1, "a duration");
	else if (c == OPT_MAX_AGE)
		o->account.max_age = opt_duration("--max-age", SECOND / 10, "a duration from 100ms");
	else if (c == OPT_STALE)
		o->account.stale = opt_duration("--stale", SECOND / 10, "a duration from 100ms");
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
	static const struct opt options = { usage_text, options_text, ":hVvsm:u:t:", longs, take_option };
	struct opts o = { .market = EVENT_USDM,
		.url = "live",
		.source = { .box = { .cap = 8u << 20, .reserve = RESERVE },
		    .ws = { .user_agent = "bnc-account/" BNC_VERSION },
		    .ready_fd = -1 },
		.account = { .check = 60 * SECOND,
		    .keep = BINANCE_KEY_KEEP_US,
		    .max_age = BINANCE_MAX_AGE_US,
		    .stale = 30 * SECOND,
		    .backoff_base = BACKOFF_BASE_US,
		    .backoff_cap = BACKOFF_CAP_US },
		.limit = BINANCE_CONNECTS,
		.limit_window = BINANCE_CONNECTS_US };

	opt_no_operands(opt_parse(&options, argc, argv, &o), "");
	opt_backoff(&o.account.backoff_base, &o.account.backoff_cap);
	o.limit_set = opt_connect_limit(&o.limit, &o.limit_window);
	read_keep(&o.account.keep);
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct app {
	struct opts o;
	struct binance_endpoint events, requests;
	struct keys keys; /* the API key; the secret is in `sign` alone */
	struct sign *sign;
	struct http *http;
	struct binance_follow *session;
	struct source source;
	struct uplink uplink;
	bool complete;	/* a snapshot is out */
	int64_t weight; /* of requests in this minute, as the exchange counts; -1: it has not said */
};

/* ------------------------------------------------------------------------------------------------- telling */

static void mask(char *text, struct span secret)
{
	for (char *p = text; secret.n && (p = memmem(p, strlen(p), secret.p, secret.n));)
		memset(p, '*', secret.n);
}

static struct app *the_app; /* say() is told no more than a text */

/* Whatever comes from outside may repeat what it was told. */
static void say(const char *text)
{
	char clean[2048];

	snprintf(clean, sizeof clean, "%s", text);
	mask(clean, span_of(the_app->keys.api_key));
	if (the_app->session)
		mask(clean, binance_follow_listen_key(the_app->session));
	err_try(clean);
}

static void on_news(void *user, const struct binance_news_item *item)
{
	struct app *a = user;
	char detail[BINANCE_DETAIL_MAX];

	if (item->loud || a->o.source.ws.verbose)
		say(item->text);
	if (!item->state)
		return;
	snprintf(detail, sizeof detail, "%s", item->detail);
	mask(detail, span_of(a->keys.api_key));
	mask(detail, binance_follow_listen_key(a->session));
	source_status(
	    &a->source, (struct event_status){
			    .state = span_of(item->state), .stream = SPAN("userData"), .detail = span_of(detail) });
}

static void say_counters(void *user)
{
	const struct app *a = user;
	const struct binance_follow_counters *c = binance_follow_counters(a->session);
	struct binance_inbox *inbox = binance_follow_inbox(a->session);
	const struct binance_inbox_counters *i = binance_inbox_counters(inbox);
	const struct binance_rows_counters *r = binance_rows_counters(binance_inbox_rows(inbox));
	const struct outbox_counters *b = &a->source.box.counters;
	char text[900];

	int n = snprintf(text, sizeof text,
	    "events %" PRIu64 ", out %" PRIu64 ", copies %" PRIu64 ", old %" PRIu64 ", rows cut %" PRIu64
	    ", rows passed on unread %" PRIu64 ", unfit %" PRIu64 ", lost %" PRIu64 ", dropped %" PRIu64
	    ", refused %" PRIu64 ", snapshots %" PRIu64 ", checks %" PRIu64 ", differences %" PRIu64 ", gaps %" PRIu64
	    ", requests %" PRIu64 ", failures %" PRIu64 ", listen keys %" PRIu64 ", connects %" PRIu64
	    ", reconnects %" PRIu64 ", pauses %" PRIu64,
	    i->events, b->frames, i->copies, i->old, r->cut, r->malformed + r->full, i->unfit, i->lost, b->dropped,
	    c->refused, c->snapshots, c->checks, c->differences, c->gaps, c->requests, c->failures, c->keys,
	    c->connects, c->reconnects, c->pauses);
	if (a->weight >= 0)
		snprintf(text + n, sizeof text - (size_t)n, ", weight %" PRId64, a->weight);
	say(text);
}

/* --------------------------------------------------------------------------------- what the session asks for */

static int64_t on_may_connect(void *user)
{
	struct app *a = user;

	return uplink_may_connect(&a->uplink);
}

static bool on_connect(void *user, unsigned conn, struct span path)
{
	struct app *a = user;
	struct ws_target t = { .host = span_of(a->events.host), .port = a->events.port, .tls = true, .path = path };

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

static void on_logon(void *user, unsigned conn, int64_t timestamp, uint64_t id)
{
	const struct app *a = user;
	struct span key = span_of(a->keys.api_key);
	char text[BINANCE_CALL_MESSAGE_MAX], signature[SIGN_MAX];

	size_t n = binance_call_logon_text(text, key, timestamp);
	size_t signed_n = sign_text(a->sign, (struct span){ text, n }, signature);
	n = binance_call_logon(text, key, timestamp, (struct span){ signature, signed_n }, id);
	on_order(user, conn, BINANCE_SEND, (struct span){ text, n });
	explicit_bzero(text, sizeof text);
	explicit_bzero(signature, sizeof signature);
}

/* "https://host:443/fapi/v3/balance?recvWindow=5000&timestamp=...&signature=..." */
static size_t make_url(const struct app *a, const struct binance_call_info *info, int64_t timestamp, char *url)
{
	char query[BINANCE_QUERY_MAX], signature[SIGN_QUERY_MAX];
	size_t n = (size_t)snprintf(url, HTTP_URL_MAX, "%s%s", a->requests.origin, info->path);

	if (!info->sealed)
		return n;
	size_t query_n = binance_call_query(query, a->o.market, timestamp);
	size_t signed_n = sign_query(a->sign, (struct span){ query, query_n }, signature);
	n += (size_t)snprintf(
	    url + n, HTTP_URL_MAX - n, "?%.*s&signature=%.*s", (int)query_n, query, (int)signed_n, signature);
	explicit_bzero(signature, sizeof signature);
	return n;
}

static void on_request(void *user, enum binance_call call, int64_t timestamp)
{
	static const enum http_method methods[] = {
		[BINANCE_GET] = HTTP_GET, [BINANCE_POST] = HTTP_POST, [BINANCE_PUT] = HTTP_PUT
	};
	struct app *a = user;
	struct binance_call_info info = binance_call(a->o.market, call);
	char url[HTTP_URL_MAX], header[sizeof KEY_HEADER + KEYS_API_KEY_MAX] = "";
	size_t n = make_url(a, &info, timestamp, url);

	if (info.key)
		snprintf(header, sizeof header, KEY_HEADER "%s", a->keys.api_key);
	/* one at a time, and short enough: it cannot be refused */
	(void)http_begin(a->http, methods[info.verb], (struct span){ url, n }, span_of(header));
	explicit_bzero(url, sizeof url);
	explicit_bzero(header, sizeof header);
}

static void on_frame(void *user, struct span text, int64_t recv)
{
	struct app *a = user;

	if (memmem(text.p, text.n, a->keys.api_key, strlen(a->keys.api_key)))
		say("a frame with the API key in it is left out");
	else
		source_frame(&a->source, 0, false, text, recv);
}

static void on_ready(void *user)
{
	struct app *a = user;

	a->complete = true;
	source_ready(&a->source);
	if (a->o.account.once)
		source_done(&a->source);
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

	binance_follow_up(a->session, uplink_number(&a->uplink, c), clock_mono_us());
}

static void net_message(void *user, struct ws_conn *c, struct span text, int64_t recv)
{
	const struct app *a = user;

	binance_follow_message(a->session, uplink_number(&a->uplink, c), text, recv, clock_mono_us());
}

static void net_pong(void *user, struct ws_conn *c)
{
	const struct app *a = user;

	binance_follow_pong(a->session, uplink_number(&a->uplink, c), clock_mono_us());
}

static void net_down(void *user, struct ws_conn *c, const struct ws_end *end)
{
	struct app *a = user;
	struct binance_down d;
	unsigned conn = uplink_down(&a->uplink, c, end, &d);

	binance_follow_down(a->session, conn, &d, clock_mono_us());
}

static void answer_there(void *user)
{
	struct app *a = user;
	struct http_answer h;

	if (!http_take(a->http, &h))
		return;
	struct binance_answer answer = { .reply = { h.status, h.retry_after, h.body },
		.why = h.why,
		.certificate = h.cause == HTTP_CERTIFICATE,
		.sent = h.sent,
		.received = h.received,
		.recv = h.recv };
	a->weight = h.weight >= 0 ? h.weight : a->weight;
	binance_follow_answer(a->session, &answer, clock_mono_us());
}

static void tick(void *user, int64_t now)
{
	const struct app *a = user;

	binance_follow_tick(a->session, now);
}

/* no connection is kept that nobody listens to */
static void full(void *user)
{
	const struct app *a = user;

	binance_follow_pause(a->session, "the reader is too slow: the buffer is full", clock_mono_us());
}

static void room(void *user)
{
	const struct app *a = user;

	binance_follow_resume(a->session, "the reader has taken half of the buffer", clock_mono_us());
}

static void end(void *user)
{
	const struct app *a = user;

	binance_follow_end(a->session, clock_mono_us());
}

static bool ended(void *user)
{
	const struct app *a = user;

	return binance_follow_ended(a->session);
}

/* -------------------------------------------------------------------------------------------------- set-up */

static void take_keys(struct app *a)
{
	char why[256], reason[256];

	bool good = keys_take_environment(&a->keys, why);
	if (a->o.key_file) {
		if (!keys_read_file(&a->keys, a->o.key_file, why))
			err_die(ERR_SYSTEM, "%s: %s", a->o.key_file, why);
	} else if (!good) {
		err_die(ERR_USAGE, "%s",
		    *why ? why : "no API key: set BNC_API_KEY and BNC_API_SECRET, or name a --key-file");
	}
	a->sign = sign_open(span_of(a->keys.secret), reason);
	explicit_bzero(a->keys.secret, sizeof a->keys.secret);
	if (!a->sign)
		err_die(ERR_SYSTEM, "%s: %s", a->o.key_file ? a->o.key_file : "BNC_API_SECRET", reason);
}

static void set_up_source(struct app *a)
{
	static const struct source_program program = { net_up, net_message, net_pong, net_down, tick, full, room, end,
		ended, say_counters, say };
	struct source_options *o = &a->o.source;
	char why[256];

	o->box.market = a->o.market;
	o->box.streams = 1;
	o->live = a->events.live;
	if (!source_open(&a->source, o, &program, a, why))
		err_die(ERR_SYSTEM, "%s", why);
}

static void set_up_requests(struct app *a)
{
	const struct http_options o = { .cacert = a->o.source.ws.cacert, .user_agent = a->o.source.ws.user_agent };
	char why[256];

	a->http = http_open(&o, why);
	if (!a->http)
		err_die(ERR_SYSTEM, "%s", why);
	if (!source_watch(&a->source, http_fd(a->http), answer_there))
		err_die(ERR_SYSTEM, "the loop:");
}

/* before requests begin their thread, for which certificates are read */
static void enter_sandbox(const struct app *a)
{
	const struct source_peer peers[] = { { a->events.host, a->events.port, a->events.tls },
		{ a->requests.host, a->requests.port, a->requests.tls } };

	if (!source_enter_sandbox(peers, 2, a->o.source.ws.cacert, opt_no_sandbox()))
		err_die(ERR_SYSTEM, "the sandbox:");
}

static void count_connections(struct app *a)
{
	char why[256];

	if (!a->o.limit_set && binance_is_loopback(&a->events))
		return;
	if (!uplink_count(&a->uplink, a->o.limit, a->o.limit_window, why))
		err_warn("connections are not counted together with other programs: %s", why);
}

static void set_up_session(struct app *a)
{
	static const struct binance_follow_events events = { on_may_connect, on_connect, on_order, on_heard, on_logon,
		on_request, on_frame, on_news, on_ready, on_give_up };
	struct binance_follow_options *o = &a->o.account;

	o->market = a->o.market;
	o->origin = a->events.origin;
	o->requests = a->requests.origin;
	o->seed = io_random();
	a->session = binance_follow_new(o, &events, a);
	if (!a->session || !uplink_open(&a->uplink, a->source.ws, BINANCE_FOLLOW_CONNS))
		err_die(ERR_SYSTEM, "out of memory");
}

/* false: a thread is left, which the end of the process takes with it */
static bool tear_down(struct app *a)
{
	bool whole = http_close(a->http);

	source_close(&a->source);
	binance_follow_free(a->session);
	a->session = NULL;
	sign_free(a->sign);
	keys_wipe(&a->keys);
	uplink_close(&a->uplink);
	return whole;
}

/* --once has given out its snapshot, or somebody wants no more of it */
static bool has_done_its_part(const struct app *a)
{
	if (!a->o.account.once || a->complete || a->source.by_signal || a->source.reader_gone)
		return true;
	err_warn("the time was over before there was a snapshot");
	return false;
}

int main(int argc, char **argv)
{
	static struct app a = { .weight = -1 };
	char why[256];

	err_program(argv[0]);
	the_app = &a;
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	if (!sandbox_no_core())
		err_die(ERR_SYSTEM, "core files cannot be switched off:");
	a.o = parse_args(argc, argv);
	if (!binance_endpoints(&a.events, &a.requests, a.o.market, span_of(a.o.url), why))
		opt_usage("-u: %s", why);
	take_keys(&a);
	set_up_source(&a);
	count_connections(&a);
	set_up_session(&a);
	enter_sandbox(&a);
	set_up_requests(&a);

	bool good = source_run(&a.source) && has_done_its_part(&a);
	if (a.o.source.ws.verbose)
		say_counters(&a);
	if (!tear_down(&a))
		_exit(good ? ERR_OK : ERR_SYSTEM);
	return good ? ERR_OK : ERR_SYSTEM;
}
