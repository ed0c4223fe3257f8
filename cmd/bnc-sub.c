/* bnc-sub - the messages of a NATS JetStream stream, one a line, in order, without loss or doubles.
 *
 * Reads what bnc-pub, or anybody, has stored; writes lines, and acknowledges what was written.
 *
 *     bnc-sub -s nats://bus1,nats://bus2,nats://bus3 --from last 'bnc.>' | bnc-normalize | bnc-hub hub.sock
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus_sub.h"
#include "clock.h"
#include "err.h"
#include "event.h"
#include "nats_conn.h"
#include "num.h"
#include "opt_bus.h"
#include "outlet.h"
#include "refuse.h"
#include "sandbox.h"
#include "scan.h"
#include "when.h"

static const char usage_text[] =
    "usage: bnc-sub [-ehVv] [-s url[,url]] [--creds file] [--cacert file] [--cert file] [--key file] [--stream name]\n"
    "               [--from new|last|all|time|seq:n] [--durable name] [-n count] [--status] [--ready-fd n]\n"
    "               [--no-sandbox] subject\n";

static const char options_text[] =
    "  -s, --server url[,url]  nats://host[:port] or tls://host[:port] (NATS_URL, else nats://127.0.0.1:4222)\n"
    "      --creds file        credentials: a JWT and the seed that signs for it\n"
    "      --cacert file       TLS, with this certificate authority\n"
    "      --cert file         TLS, with this certificate of our own\n"
    "      --key file          and its key\n"
    "      --stream name       the stream; else that which has the subject\n"
    "      --from where        the first line: new, last, all, a time, or seq:n (new)\n"
    "      --durable name      the server keeps the place under that name\n"
    "  -e, --end               end when all that is stored has been written\n"
    "  -n, --count count       end after so many lines\n"
    "      --status            status records among the lines\n"
    "      --ready-fd n        write a newline to this descriptor when messages can come\n"
    "      --no-sandbox        keep the rights that are not needed\n"
    "  -v, --verbose           counters on standard error at the end\n"
    "  -h, --help              this text\n"
    "  -V, --version           name and version\n";

#define LAST_WAIT_US   500000LL /* for the last acknowledgement, as the program ends */
#define LAST_AGAIN_US  20000LL	/* between two attempts at it */
#define AGAIN_US       100000LL /* after a request that could not be sent */
#define EVENTS_AT_ONCE 1024

struct opts {
	struct opt_bus bus;
	struct bus_sub_options sub;
	uint64_t count; /* 0: no end */
	bool end, status, verbose;
	int ready_fd;
};

enum {
	OPT_STREAM = 256,
	OPT_FROM,
	OPT_DURABLE,
	OPT_STATUS,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "server", required_argument, NULL, 's' },
	{ "creds", required_argument, NULL, OPT_BUS_CREDS },
	{ "cacert", required_argument, NULL, OPT_BUS_CACERT },
	{ "cert", required_argument, NULL, OPT_BUS_CERT },
	{ "key", required_argument, NULL, OPT_BUS_KEY },
	{ "stream", required_argument, NULL, OPT_STREAM },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "durable", required_argument, NULL, OPT_DURABLE },
	{ "end", no_argument, NULL, 'e' },
	{ "count", required_argument, NULL, 'n' },
	{ "status", no_argument, NULL, OPT_STATUS },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ------------------------------------------------------------------------------------------------- options */

static void from(struct bus_sub_options *o)
{
	static const char *const words[] = { "new", "last", "all" };
	static const enum bus_sub_from froms[] = { BUS_SUB_NEW, BUS_SUB_LAST, BUS_SUB_ALL };
	struct span text = span_of(optarg);

	for (size_t i = 0; i < 3; i++)
		if (span_is(text, words[i])) {
			o->from = froms[i];
			return;
		}
	if (span_starts(text, SPAN("seq:"))) {
		o->from = BUS_SUB_SEQUENCE;
		if (num_u64((struct span){ text.p + 4, text.n - 4 }, 1, INT64_MAX, &o->sequence))
			return;
	} else {
		o->from = BUS_SUB_TIME;
		if (when_parse(text, &o->time))
			return;
	}
	opt_wrong("--from", "new, last, all, a time, or seq: and a number");
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (opt_bus(&o->bus, c))
		return true;
	if (c == OPT_STREAM)
		o->sub.stream = opt_bus_name("--stream");
	else if (c == OPT_FROM)
		from(&o->sub);
	else if (c == OPT_DURABLE)
		o->sub.durable = opt_bus_name("--durable");
	else if (c == 'e')
		o->end = true;
	else if (c == 'n')
		o->count = opt_u64("-n", 1, UINT64_MAX, "a number of lines");
	else if (c == OPT_STATUS)
		o->status = true;
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
	static const struct opt options = { usage_text, options_text, ":hVves:n:", longs, take_option };
	struct opts o = { .sub = { .from = BUS_SUB_NEW }, .ready_fd = -1 };
	char *const *operands = opt_parse(&options, argc, argv, &o);

	if (!operands[0] || operands[1])
		opt_usage("one subject is to be named");
	if (!bus_api_is_subject(span_of(operands[0]), true))
		opt_usage("'%s' is not a subject", operands[0]);
	opt_bus_done(&o.bus);
	o.sub.subject = span_of(operands[0]);
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

struct app {
	struct opts o;
	struct bus_sub sub;
	struct nats_conn *conn;
	struct outlet to;
	struct refuse refused;

	uint64_t lines;
	char reply[256];   /* of the message taken last, where messages are acknowledged; "": none */
	bool owed;	   /* and that one is to be */
	uint64_t left_out; /* of what came, as last heard */
	int64_t again;	   /* a request could not be sent: not before; 0: go on */
	bool down;	   /* and that has been told */
	bool ready;
	bool over; /* all is done that was asked for */
	bool broken;
};

static void say_counters(void *app)
{
	const struct app *a = app;
	const struct bus_sub_counters *c = &a->sub.counters;

	err_warn("in %" PRIu64 " out %" PRIu64 " refused %" PRIu64 " repeated %" PRIu64 " gaps %" PRIu64
		 " restarts %" PRIu64 " pulls %" PRIu64 " pending %" PRIu64,
	    c->in, a->lines, a->refused.lines, c->repeated, c->gaps, c->restarts, c->pulls, a->sub.pending);
}

/* ------------------------------------------------------------------------------------------------- telling */

static void record(struct app *a, struct span state, const char *detail)
{
	struct event_status e = { .state = state, .ts = clock_real_us() / 1000, .detail = span_of(detail) };

	if (a->o.status && line_room(&a->to.out, LINE_RECORD_MAX))
		a->to.out.p = event_write_status(a->to.out.p, &e);
}

static void tell(struct app *a)
{
	enum bus_sub_say what = bus_sub_say(&a->sub);

	if (what == BUS_SUB_SAY_NOTHING)
		return;
	if (what != BUS_SUB_SAY_LIVE || a->o.verbose)
		err_warn("%s", a->sub.text);
	if (what == BUS_SUB_SAY_FAIL) {
		a->broken = a->over = true;
	} else if (what == BUS_SUB_SAY_LIVE) {
		record(a, SPAN("live"), a->sub.text);
		if (!a->ready)
			io_ready(a->o.ready_fd);
		a->ready = true;
	} else {
		record(a, what == BUS_SUB_SAY_GAP ? SPAN("gap") : SPAN("connecting"), a->sub.text);
	}
}

/* ------------------------------------------------------------------------------------------------ messages */

/* one that is no line is left out, and has been dealt with */
static bool is_line(struct app *a, struct span text)
{
	struct scan_error e = { NULL, NULL };
	const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
	const char *why = NULL;
	size_t at = 0;

	if (text.n == 0)
		why = "an empty message is no line";
	else if (text.n > LINE_MAX_BYTES)
		why = "longer than 1 MiB";
	else if (nl)
		why = "a line end inside a message", at = (size_t)(nl - text.p);
	else if (!scan_text(text, &e))
		why = e.why, at = (size_t)(e.at - text.p);
	if (why)
		refuse_line(&a->refused, "sequence", a->sub.last, at, why);
	return !why;
}

static void on_message(struct app *a, const struct nats_conn_event *e, int64_t now)
{
	if (e->status) {
		bus_sub_status(&a->sub, e->life, e->token, e->status, e->text, now);
		return;
	}
	if (a->over || !bus_sub_message(&a->sub, e->life, e->reply, now))
		return;
	tell(a);
	if (is_line(a, e->text)) {
		if (!line_put(&a->to.out, e->text))
			return;
		a->lines++;
		a->over |= a->o.count && a->lines == a->o.count;
	}
	if (a->o.sub.durable.n && e->reply.n < sizeof a->reply) {
		memcpy(a->reply, e->reply.p, e->reply.n + 1);
		a->owed = true;
	}
}

static void on_down(struct app *a, struct span why)
{
	char text[256];

	snprintf(text, sizeof text, "the connection is down: %.*s", (int)(why.n < 200 ? why.n : 200), why.p);
	if (!a->down) {
		err_warn("%s", text);
		record(a, SPAN("connecting"), text);
	}
	a->down = true;
	bus_sub_down(&a->sub);
}

static void on_event(struct app *a, const struct nats_conn_event *e, int64_t now)
{
	switch (e->what) {
	case NATS_CONN_UP:
		a->down = false;
		a->again = 0;
		bus_sub_up(&a->sub, now);
		break;
	case NATS_CONN_DOWN:
		on_down(a, e->text);
		break;
	case NATS_CONN_CLOSED:
		err_warn(
		    "the server refuses the connection: %.*s", (int)(e->text.n < 200 ? e->text.n : 200), e->text.p);
		a->over = a->broken = true;
		break;
	case NATS_CONN_ANSWER:
		bus_sub_answer(&a->sub, e->token, e->status, e->text, now);
		break;
	case NATS_CONN_MESSAGE:
		on_message(a, e, now);
		break;
	}
	tell(a);
}

static void events(struct app *a, int64_t now)
{
	struct nats_conn_event e;

	for (unsigned n = 0; n < EVENTS_AT_ONCE && !a->to.out.error && nats_conn_next(a->conn, &e); n++)
		on_event(a, &e, now);
	/* the last one of them might be followed by none that tells */
	uint64_t left_out = nats_conn_left_out(a->conn);
	if (left_out != a->left_out)
		bus_sub_lost(&a->sub, now);
	a->left_out = left_out;
	if (a->o.end && a->sub.caught_up)
		a->over = true;
}

/* ------------------------------------------------------------------------------------------------ requests */

/* what has been written is acknowledged; what a pull, or a consumer made anew, asks for begins behind it */
static bool write_and_acknowledge(struct app *a)
{
	if (!line_flush(&a->to.out))
		return false;
	if (a->owed && nats_conn_acknowledge(a->conn, a->reply))
		a->owed = false;
	return true;
}

static bool send_request(struct app *a, const struct bus_sub_request *r)
{
	struct span text = { r->text, r->text_n };
	const char *why;

	if (!r->pull) {
		/* replies of the consumer before are none of the next one's */
		if (a->sub.step == BUS_SUB_DELETE) {
			a->reply[0] = '\0';
			a->owed = false;
		}
		struct nats_conn_request ask = { .subject = r->subject, .token = r->token, .text = text };
		return nats_conn_ask(a->conn, &ask, &why);
	}
	static unsigned listening;
	if (listening != r->life && !nats_conn_listen(a->conn, r->life))
		return false;
	listening = r->life;
	return nats_conn_pull(a->conn, r->subject, text, r->token);
}

static void requests(struct app *a, int64_t now)
{
	struct bus_sub_request r;

	while (!a->over && now >= a->again && bus_sub_next(&a->sub, now, &r)) {
		tell(a);
		/* what could not be sent is asked once more when its answer is missing; or the connection is down */
		if (!write_and_acknowledge(a))
			return;
		if (!send_request(a, &r))
			a->again = now + AGAIN_US;
	}
	tell(a);
}

static int64_t due(const struct app *a)
{
	int64_t t = bus_sub_due(&a->sub);

	return t < a->again ? a->again : t;
}

static void run(struct app *a)
{
	int n = 0;

	while (!a->to.over && !a->over && n >= 0) {
		int64_t now = clock_mono_us();
		struct pollfd fds[1 + OUTLET_FDS] = { { .fd = nats_conn_fd(a->conn), .events = POLLIN } };
		events(a, now);
		requests(a, now);
		if (a->over || a->to.out.error)
			break;
		/* with nothing more to be read at once, what waits goes out, and is acknowledged */
		n = outlet_wait(&a->to, fds, 1, now);
		if (n == 0 && !a->to.over && write_and_acknowledge(a))
			n = outlet_wait(&a->to, fds, 1, due(a));
		if (n < 0)
			err_warn("poll:");
	}
	a->broken |= n < 0;
}

/* ---------------------------------------------------------------------------------------------------- whole */

static void set_up(struct app *a)
{
	const struct opt_bus *b = &a->o.bus;
	struct nats_conn_options o = {
		.creds = b->creds, .cacert = b->cacert, .cert = b->cert, .key = b->key, .name = "bnc-sub"
	};
	char why[256], *urls;

	if (!sandbox_no_core())
		err_die(ERR_SYSTEM, "core files cannot be switched off:");
	urls = nats_conn_servers(b->servers);
	if (!urls)
		err_die(errno == EINVAL ? ERR_USAGE : ERR_SYSTEM, "NATS_URL:");
	o.urls = urls;
	a->o.sub.run = io_random();
	bus_sub_open(&a->sub, &a->o.sub);
	refuse_open(&a->refused, err_warn);
	if (!outlet_open(&a->to, say_counters, a))
		err_die(ERR_SYSTEM, "cannot start:");
	if (!nats_conn_enter_sandbox(&o, NULL, opt_no_sandbox()))
		err_die(ERR_SYSTEM, "the sandbox:");
	a->conn = nats_conn_open(&o, why);
	if (!a->conn)
		err_die(ERR_SYSTEM, "%s", why);
	nats_conn_forget(urls);
}

/* Once more what has been acknowledged last: it may have gone with a connection. */
static void acknowledge_last(struct app *a)
{
	int64_t left, end = clock_mono_us() + LAST_WAIT_US;

	while ((left = end - clock_mono_us()) > 0) {
		if (nats_conn_acknowledge_surely(a->conn, a->reply, left))
			return;
		poll(NULL, 0, LAST_AGAIN_US / 1000);
	}
	err_warn("the server does not say that it keeps the place: what was written last may come again");
}

static int finish(struct app *a)
{
	bool written = outlet_finish(&a->to, err_warn) && !outlet_lost(&a->to);

	/* what a reader that has gone did not take is not acknowledged */
	if (written && a->reply[0])
		acknowledge_last(a);
	a->broken |= !written && !outlet_lost(&a->to);
	refuse_total(&a->refused);
	if (a->o.verbose)
		say_counters(a);
	nats_conn_close(a->conn);
	outlet_close(&a->to);
	return a->broken ? ERR_SYSTEM : a->refused.lines ? ERR_DATA : ERR_OK;
}

int main(int argc, char **argv)
{
	static struct app a;

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
	a.o = parse_args(argc, argv);
	set_up(&a);
	run(&a);
	return finish(&a);
}
