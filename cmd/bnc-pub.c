/* bnc-pub - lines to NATS JetStream, one message each, and no line given up before the server says that it is stored.
 *
 * Reads lines of bnc-event(5), frames or records; writes messages, and with --tee the lines.
 *
 *     bnc-stream -s SOLUSDT | bnc-pub -s nats://bus1,nats://bus2,nats://bus3 --stream bnc --dedupe
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "binance_bus.h"
#include "bus_api.h"
#include "bus_backlog.h"
#include "clock.h"
#include "err.h"
#include "intake.h"
#include "nats_conn.h"
#include "num.h"
#include "opt_bus.h"
#include "sandbox.h"

static const char usage_text[] =
    "usage: bnc-pub [-hVv] [-s url[,url]] [--creds file] [--cacert file] [--cert file] [--key file] [--stream name]\n"
    "               [--replicas n] [--max-age duration] [--max-bytes size] [--subject template]\n"
    "               [-m usdm|coinm|spot] [--dedupe] [--window n] [--buffer size] [--patience duration]\n"
    "               [--spill dir] [--spill-max size] [--tee] [--strict] [--ready-fd n] [--no-sandbox]\n";

static const char options_text[] =
    "  -s, --server url[,url]    nats://host[:port] or tls://host[:port] (NATS_URL, else nats://127.0.0.1:4222)\n"
    "      --creds file          credentials: a JWT and the seed that signs for it\n"
    "      --cacert file         TLS, with this certificate authority\n"
    "      --cert file           TLS, with this certificate of our own\n"
    "      --key file            and its key\n"
    "      --stream name         where all must be stored; made where it is missing\n"
    "      --replicas n          of a stream that is made: on so many servers (1)\n"
    "      --max-age duration    of a stream that is made: messages are kept for so long, 0 for ever (24h)\n"
    "      --max-bytes size      of a stream that is made: and so many bytes of them, 0 without end (1G)\n"
    "      --subject template    of messages (bnc.{market}.{type}.{pair})\n"
    "  -m, --market market       of frames that do not say theirs: usdm, coinm or spot (usdm)\n"
    "      --dedupe              the same event, of whomever, is stored once\n"
    "      --window n            lines under way at a time (256)\n"
    "      --buffer size         that may wait for the server (64M)\n"
    "      --patience duration   with a full buffer input waits while something is stored in that time (5s)\n"
    "      --spill dir           what the buffer does not take waits in recordings there\n"
    "      --spill-max size      of them (1G)\n"
    "      --tee                 pass the lines on to standard output\n"
    "      --strict              stop at the first refused line, exit 1\n"
    "      --ready-fd n          write a newline to this descriptor when lines can be stored\n"
    "      --no-sandbox          keep the rights that are not needed\n"
    "  -v, --verbose             counters on standard error at the end\n"
    "  -h, --help                this text\n"
    "  -V, --version             name and version\n";

#define SECOND	       1000000LL
#define BUFFER_MIN     (4u << 20)
#define BUFFER_MAX     (4ull << 30)
#define SPILL_MIN      (1u << 20)
#define ACK_WAIT_US    (3 * SECOND)   /* for an acknowledgement; then once more */
#define AGAIN_US       (SECOND / 5)   /* what is not stored for now is tried again then */
#define ASK_US	       (2 * SECOND)   /* for answers about the stream */
#define DUPLICATES_US  (120 * SECOND) /* of a stream that is made: the server's own default */
#define LAST_US	       (900 * 1000LL) /* after a signal, for what is under way; the rest of the second is for the end */
#define EVENTS_AT_ONCE 1024
#define LINES_AT_ONCE  4096

struct opts {
	struct opt_bus bus;
	struct bus_stream stream; /* name.n == 0: whichever takes it */
	const char *subject;
	enum event_market market;
	bool dedupe;
	unsigned window;
	uint64_t buffer;
	int64_t patience;
	const char *spill;
	uint64_t spill_max;
	bool tee, strict, verbose;
	int ready_fd;
};

enum {
	OPT_STREAM = 256,
	OPT_REPLICAS,
	OPT_MAX_AGE,
	OPT_MAX_BYTES,
	OPT_SUBJECT,
	OPT_DEDUPE,
	OPT_WINDOW,
	OPT_BUFFER,
	OPT_PATIENCE,
	OPT_SPILL,
	OPT_SPILL_MAX,
	OPT_TEE,
	OPT_STRICT,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "server", required_argument, NULL, 's' },
	{ "creds", required_argument, NULL, OPT_BUS_CREDS },
	{ "cacert", required_argument, NULL, OPT_BUS_CACERT },
	{ "cert", required_argument, NULL, OPT_BUS_CERT },
	{ "key", required_argument, NULL, OPT_BUS_KEY },
	{ "stream", required_argument, NULL, OPT_STREAM },
	{ "replicas", required_argument, NULL, OPT_REPLICAS },
	{ "max-age", required_argument, NULL, OPT_MAX_AGE },
	{ "max-bytes", required_argument, NULL, OPT_MAX_BYTES },
	{ "subject", required_argument, NULL, OPT_SUBJECT },
	{ "market", required_argument, NULL, 'm' },
	{ "dedupe", no_argument, NULL, OPT_DEDUPE },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "patience", required_argument, NULL, OPT_PATIENCE },
	{ "spill", required_argument, NULL, OPT_SPILL },
	{ "spill-max", required_argument, NULL, OPT_SPILL_MAX },
	{ "tee", no_argument, NULL, OPT_TEE },
	{ "strict", no_argument, NULL, OPT_STRICT },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

/* ------------------------------------------------------------------------------------------------- options */

static bool take_stream_option(struct opts *o, int c)
{
	if (c == OPT_STREAM)
		o->stream.name = opt_bus_name("--stream");
	else if (c == OPT_REPLICAS)
		o->stream.replicas = (unsigned)opt_u64("--replicas", 1, 5, "a number from 1 to 5");
	else if (c == OPT_MAX_AGE)
		o->stream.max_age = opt_duration("--max-age", 0, "a duration");
	else if (c == OPT_MAX_BYTES)
		o->stream.max_bytes = opt_size("--max-bytes", 0, INT64_MAX, "a size");
	else if (c == OPT_SUBJECT)
		o->subject = optarg;
	else
		return false;
	return true;
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	if (opt_bus(&o->bus, c) || take_stream_option(o, c))
		return true;
	if (c == 'm')
		o->market = opt_market("-m");
	else if (c == OPT_DEDUPE)
		o->dedupe = true;
	else if (c == OPT_WINDOW)
		o->window = (unsigned)opt_u64("--window", 1, BUS_PUB_WINDOW_MAX, "a number from 1 to 4096");
	else if (c == OPT_BUFFER)
		o->buffer = opt_size("--buffer", BUFFER_MIN, BUFFER_MAX, "a size from 4M to 4G");
	else if (c == OPT_PATIENCE)
		o->patience = opt_duration("--patience", 0, "a duration");
	else if (c == OPT_SPILL)
		o->spill = optarg;
	else if (c == OPT_SPILL_MAX)
		o->spill_max = opt_size("--spill-max", SPILL_MIN, INT64_MAX, "a size from 1M");
	else if (c == OPT_TEE)
		o->tee = true;
	else if (c == OPT_STRICT)
		o->strict = true;
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
	static const struct opt options = { usage_text, options_text, ":hVvs:m:", longs, take_option };
	struct opts o = { .stream = { .replicas = 1,
			      .max_age = 24 * 3600 * SECOND,
			      .max_bytes = 1u << 30,
			      .duplicates = DUPLICATES_US },
		.subject = "bnc.{market}.{type}.{pair}",
		.market = EVENT_USDM,
		.window = 256,
		.buffer = 64u << 20,
		.patience = 5 * SECOND,
		.spill_max = 1u << 30,
		.ready_fd = -1 };

	opt_no_operands(opt_parse(&options, argc, argv, &o), ": lines come from standard input");
	opt_bus_done(&o.bus);
	if (o.spill && o.spill[0] == '\0')
		opt_usage("--spill: the name of a directory is empty");
	return o;
}

/* --------------------------------------------------------------------------------------------------- state */

enum stream_step { /* of the stream that is named */
	STREAM_LOOK,
	STREAM_MAKE,
	STREAM_THERE,
};

struct app {
	struct opts o;
	struct binance_bus bus;
	struct binance_bus_key key; /* of the line in hand */
	struct bus_backlog log;
	struct nats_conn *conn;
	struct intake in;
	int signals;

	bool up;
	bool down; /* and that has been told */
	enum stream_step step;
	uint32_t ask;	/* number of the request about the stream */
	int64_t ask_at; /* when it is asked, or asked again; INT64_MAX: not */
	bool ready;
	bool complained; /* that nothing is stored */
	char wild[BINANCE_BUS_SUBJECT_MAX + 1];

	struct span held; /* a line there is no room for yet, p == NULL: none */

	struct ring tee;
	struct io_out out;
	bool tee_full;
	bool ending;	 /* and that has been noticed */
	int64_t give_up; /* clock_mono_us */
	bool lost;	 /* the reader of --tee went away */
	bool broken;	 /* exit 3 */
};

#define ASK_TOKEN (UINT64_C(1) << 40) /* of requests about the stream */

static uint64_t refused_lines(const struct app *a)
{
	return a->in.refused.lines + a->log.refused;
}

static void tell_counters(const struct app *a)
{
	const struct bus_pub_counters *c = bus_pub_counters(a->log.pub);

	err_warn("in %" PRIu64 " stored %" PRIu64 " duplicates %" PRIu64 " refused %" PRIu64 " dropped %" PRIu64
		 " gaps %" PRIu64 " sent %" PRIu64 " again %" PRIu64 " spilled %" PRIu64 " waiting %" PRIu64
		 " bytes %zu",
	    a->in.lines, c->stored, c->duplicates, refused_lines(a) + c->refused, c->dropped + a->log.left_out, c->gaps,
	    c->sent, c->again, a->log.spilled, bus_pub_lines(a->log.pub), bus_pub_bytes(a->log.pub));
}

/* ------------------------------------------------------------------------------------------------ one line */

static bool tee_has_room(const struct app *a, size_t n)
{
	return !a->o.tee || a->lost || ring_free(&a->tee) > n;
}

static void put_tee(struct app *a, struct span line)
{
	if (!a->o.tee || a->lost)
		return;
	memcpy(ring_tail(&a->tee), line.p, line.n);
	ring_tail(&a->tee)[line.n] = '\n';
	ring_add(&a->tee, line.n + 1);
}

/* its subject, id and stream, good until the next line. false: it cannot be published */
static bool key_of(void *app, struct span text, struct bus_pub_line *l, const char **why, size_t *at)
{
	struct app *a = app;
	const struct binance_bus_key *k = &a->key;

	if (!binance_bus_line(&a->bus, text, &a->key, why, at))
		return false;
	*l = (struct bus_pub_line){
		.subject = { k->subject, k->subject_n }, .id = { k->id, k->id_n }, .stream = k->stream, .text = text
	};
	return true;
}

/* false: it is to be held, there is no room now */
static bool hand_on(struct app *a, const struct bus_pub_line *l, int64_t now)
{
	enum bus_backlog_put got = bus_backlog_put(&a->log, l, a->in.stopped, now);

	if (got == BUS_BACKLOG_CROWDED)
		intake_refuse(&a->in, 0, "one subject more than may wait");
	return got != BUS_BACKLOG_HELD;
}

/* the line that is held: published, refused, or still held */
static void offer(struct app *a, bool again, int64_t now)
{
	struct bus_pub_line l;
	const char *why = "";
	size_t at = 0;
	bool good = key_of(a, a->held, &l, &why, &at);

	if (!good)
		intake_refuse(&a->in, at, why);
	else if (!again)
		put_tee(a, a->held);
	if (!good || hand_on(a, &l, now))
		a->held.p = NULL;
}

/* what has been read, until there is no room. A line that is held is looked at again when it is its turn. */
static void take_lines(struct app *a, int64_t now)
{
	unsigned n = 0;

	do {
		bool again = a->held.p != NULL;
		if (!again && (!tee_has_room(a, LINE_MAX_BYTES) || !intake_next(&a->in, &a->held)))
			a->held.p = NULL;
		else
			offer(a, again, now);
	} while (!a->held.p && intake_waits(&a->in) && tee_has_room(a, LINE_MAX_BYTES) && ++n < LINES_AT_ONCE);
}

/* ------------------------------------------------------------------------------------------------ the server */

static void complain(struct app *a, const char *what, struct span text)
{
	if (a->complained)
		return;
	a->complained = true;
	err_warn("%s%.*s: lines are held and tried again", what, (int)(text.n < 200 ? text.n : 200), text.p);
}

static void is_ready(struct app *a, int64_t now)
{
	a->step = STREAM_THERE;
	a->ask_at = INT64_MAX;
	bus_pub_up(a->log.pub, now);
	if (a->ready)
		return;
	a->ready = true;
	io_ready(a->o.ready_fd);
}

static void ask_stream(struct app *a, int64_t now)
{
	char subject[64], text[BUS_REQUEST_MAX];
	struct span name = a->o.stream.name;
	bool make = a->step == STREAM_MAKE;
	size_t n = make ? bus_api_stream_create(text, &a->o.stream) : 0;
	struct nats_conn_request r = { .subject = subject, .token = ASK_TOKEN | ++a->ask, .text = { text, n } };
	const char *why;

	snprintf(subject, sizeof subject, "$JS.API.STREAM.%s.%.*s", make ? "CREATE" : "INFO", (int)name.n, name.p);
	(void)nats_conn_ask(a->conn, &r, &why); /* or else once more */
	a->ask_at = now + ASK_US;
}

static void on_stream(struct app *a, const struct nats_conn_event *e, int64_t now)
{
	struct bus_stream_state state;
	struct bus_error error = { .code = 0 };
	bool good = !e->status && bus_api_stream_state(e->text, SPAN(">"), &state, &error);

	if (good && !error.code) {
		is_ready(a, now);
	} else if (good && error.code == 404 && a->step == STREAM_LOOK) {
		a->step = STREAM_MAKE;
		a->ask_at = now;
	} else {
		complain(a, "the stream cannot be had: ",
		    e->status ? SPAN("no server has JetStream")
		    : good    ? error.text
			      : SPAN("an answer that is none"));
		a->step = STREAM_LOOK;
		a->ask_at = now + ASK_US / 4;
	}
}

static void on_refused(struct app *a, uint32_t token, struct span why)
{
	struct span subject;
	char text[300];

	if (!bus_pub_refused(a->log.pub, token, clock_real_us() / 1000, &subject))
		return;
	snprintf(text, sizeof text, "%.*s: refused: %.*s", (int)(subject.n < 100 ? subject.n : 100), subject.p,
	    (int)(why.n < 150 ? why.n : 150), why.p);
	if (rate_take(&a->in.refused.rate, clock_mono_us()))
		err_warn("%s", text);
}

static void on_answer(struct app *a, const struct nats_conn_event *e, int64_t now)
{
	struct bus_ack ack;
	struct bus_error error;
	uint32_t token = (uint32_t)e->token;

	if (e->token & ASK_TOKEN) {
		if (e->token == (ASK_TOKEN | a->ask) && a->step != STREAM_THERE)
			on_stream(a, e, now);
	} else if (e->status) {
		complain(a, "no stream takes them", SPAN(""));
		bus_pub_later(a->log.pub, token, now, AGAIN_US);
	} else if (!bus_api_ack(e->text, &ack, &error) || error.code >= 500) {
		complain(a, "the server says: ", error.code ? error.text : SPAN("nothing that can be read"));
		bus_pub_later(a->log.pub, token, now, AGAIN_US);
	} else if (error.code) {
		on_refused(a, token, error.text);
	} else if (ack.sequence == 0) {
		/* heard of by a server that did not get it stored: not so soon */
		bus_pub_later(a->log.pub, token, now, AGAIN_US);
	} else if (bus_backlog_stored(&a->log, token, ack.duplicate, now)) {
		a->complained = false;
	}
}

static void on_up(struct app *a, int64_t now)
{
	if (a->down || a->o.verbose)
		err_warn("connected");
	a->up = true;
	a->down = false;
	a->step = a->o.stream.name.n ? STREAM_LOOK : STREAM_THERE;
	a->ask_at = now;
	if (a->step == STREAM_THERE)
		is_ready(a, now);
}

static void on_event(struct app *a, const struct nats_conn_event *e, int64_t now)
{
	if (e->what == NATS_CONN_UP) {
		on_up(a, now);
	} else if (e->what == NATS_CONN_ANSWER) {
		on_answer(a, e, now);
	} else if (e->what == NATS_CONN_DOWN) {
		a->up = false;
		a->down = true;
		a->ask_at = INT64_MAX;
		err_warn("the connection is down (%.*s): lines are held", (int)(e->text.n < 200 ? e->text.n : 200),
		    e->text.p);
	} else if (e->what == NATS_CONN_CLOSED) {
		err_warn(
		    "the server refuses the connection: %.*s", (int)(e->text.n < 200 ? e->text.n : 200), e->text.p);
		a->up = false;
		a->in.over = a->broken = true;
		a->give_up = 0;
	}
}

static void events(struct app *a, int64_t now)
{
	struct nats_conn_event e;

	for (unsigned n = 0; n < EVENTS_AT_ONCE && nats_conn_next(a->conn, &e); n++)
		on_event(a, &e, now);
}

static void send_lines(struct app *a, int64_t now)
{
	struct bus_pub_message m;
	char subject[BINANCE_BUS_SUBJECT_MAX + 1];
	const char *why;

	if (a->up && now >= a->ask_at && a->step != STREAM_THERE)
		ask_stream(a, now);
	while (a->up && a->step == STREAM_THERE && bus_pub_next(a->log.pub, now, &m)) {
		snprintf(subject, sizeof subject, "%.*s", (int)m.subject.n, m.subject.p);
		struct nats_conn_request r = { subject, m.token, m.text, m.id, a->o.stream.name };
		if (nats_conn_ask(a->conn, &r, &why))
			continue;
		if (!why) {
			on_refused(a, m.token, SPAN("longer than the server takes"));
			continue;
		}
		bus_pub_later(a->log.pub, m.token, now, AGAIN_US);
		return;
	}
}

/* ------------------------------------------------------------------------------------------------------ tee */

static void reader_is_gone(struct app *a)
{
	a->lost = a->in.over = true;
	ring_drop(&a->tee, ring_used(&a->tee));
}

static void pass_tee(struct app *a)
{
	struct span s;

	while (a->o.tee && !a->lost && !a->tee_full && (s = ring_head(&a->tee)).n > 0) {
		ssize_t n = io_write(&a->out, s.p, s.n);
		if (n > 0)
			ring_drop(&a->tee, (size_t)n);
		a->tee_full = n == 0;
		if (n >= 0)
			continue;
		if (errno != EPIPE && errno != ECONNRESET) {
			err_warn("standard output:");
			a->broken = true;
		}
		reader_is_gone(a);
	}
}

static bool tee_is_empty(const struct app *a)
{
	return !a->o.tee || a->lost || ring_used(&a->tee) == 0;
}

/* ------------------------------------------------------------------------------------------------- the loop */

static void on_signals(struct app *a)
{
	int number;

	while ((number = io_signal(a->signals)) != 0) {
		if (number == SIGUSR1) {
			tell_counters(a);
		} else {
			a->give_up = a->in.stopped ? 0 : clock_mono_us() + LAST_US;
			intake_stop(&a->in);
		}
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* when what is held has to be decided on, or the end comes */
static int64_t due(const struct app *a)
{
	int64_t t = earlier(a->give_up, earlier(a->ask_at, bus_backlog_due(&a->log)));

	if (a->up)
		t = earlier(t, bus_pub_due(a->log.pub));
	if (a->held.p || a->in.over)
		t = earlier(t, bus_backlog_patience(&a->log));
	return t;
}

enum { INPUT, SIGNALS, SERVER, READER, SPILL, POLLED };

static void await(struct app *a)
{
	bool takes = !a->in.over && !a->held.p && tee_has_room(a, LINE_MAX_BYTES);
	bool whole = takes && intake_waits(&a->in);
	struct pollfd fds[POLLED] = {
		[INPUT] = { .fd = takes && !whole ? STDIN_FILENO : -1, .events = POLLIN },
		[SIGNALS] = { .fd = a->signals, .events = POLLIN },
		[SERVER] = { .fd = nats_conn_fd(a->conn), .events = POLLIN },
		[READER] = { .fd = a->o.tee && !a->lost ? a->out.fd : -1, .events = a->tee_full ? POLLOUT : 0 },
		[SPILL] = { .fd = bus_backlog_fd(&a->log), .events = POLLIN },
	};

	if (poll(fds, POLLED, whole ? 0 : clock_wait_ms(due(a))) < 0) {
		if (errno == EINTR)
			return;
		/* what is held is told, or kept */
		err_warn("poll:");
		a->in.over = a->broken = true;
		a->give_up = 0;
		return;
	}
	if (fds[SIGNALS].revents)
		on_signals(a);
	a->tee_full &= fds[READER].revents == 0;
	if (fds[READER].revents & (POLLERR | POLLHUP) && tee_is_empty(a))
		reader_is_gone(a);
	if (fds[INPUT].revents)
		a->broken |= !intake_read(&a->in);
}

/* Has all been done that can be? Behind the last line whoever stores nothing has the same patience as before. */
static bool done(struct app *a, int64_t now)
{
	if (!a->in.over)
		return false;
	if (bus_backlog_empty(&a->log) && tee_is_empty(a))
		return true;
	if (now >= a->give_up)
		return true;
	if (!tee_is_empty(a))
		return false;
	return a->give_up == INT64_MAX && now >= bus_backlog_patience(&a->log);
}

static void run(struct app *a)
{
	for (;;) {
		int64_t now = clock_mono_us();
		events(a, now);
		bus_backlog_tick(&a->log, now);
		take_lines(a, now);
		a->in.over |= now >= a->give_up;
		send_lines(a, now);
		pass_tee(a);
		if (a->in.over && !a->ending) {
			a->ending = true;
			bus_backlog_last(&a->log, now);
		}
		if (done(a, now))
			return;
		await(a);
	}
}

/* ---------------------------------------------------------------------------------------------------- whole */

static void set_up_bus(struct app *a)
{
	char why[256];

	if (!binance_bus_open(&a->bus, span_of(a->o.subject), a->o.market, a->o.dedupe, why))
		err_die(why[0] ? ERR_USAGE : ERR_SYSTEM, "%s%s", why[0] ? "--subject: " : "out of memory", why);
	binance_bus_wild(&a->bus, a->wild);
	a->o.stream.subject = span_of(a->wild);
}

static void set_up_lines(struct app *a)
{
	const struct bus_backlog_options o = {
		.pub = { .cap = a->o.buffer,
		    .window = a->o.window,
		    .bytes = 4u << 20,
		    .ack_wait = ACK_WAIT_US,
		    .run = io_random() },
		.dir = a->o.spill,
		.cap = a->o.spill_max,
		.patience = a->o.patience,
		.key = key_of,
		.user = a,
		.tell = err_warn,
	};
	char why[512];

	if (!bus_backlog_open(&a->log, &o, why))
		err_die(ERR_SYSTEM, "%s%s", a->o.spill ? "--spill: " : "", why);
	if (!intake_open(&a->in, a->o.strict, err_warn))
		err_die(ERR_SYSTEM, "cannot start:");
	if (!a->o.tee)
		return;
	a->out = io_own_output(STDOUT_FILENO);
	io_grow_pipe(STDOUT_FILENO);
	if (!ring_open(&a->tee, LINE_OUT_BYTES))
		err_die(ERR_SYSTEM, "cannot start:");
}

static void set_up(struct app *a)
{
	const struct opt_bus *b = &a->o.bus;
	struct nats_conn_options o = {
		.creds = b->creds, .cacert = b->cacert, .cert = b->cert, .key = b->key, .name = "bnc-pub"
	};
	char why[256], *urls;

	if (!sandbox_no_core())
		err_die(ERR_SYSTEM, "core files cannot be switched off:");
	urls = nats_conn_servers(b->servers);
	if (!urls)
		err_die(errno == EINVAL ? ERR_USAGE : ERR_SYSTEM, "NATS_URL:");
	o.urls = urls;
	a->give_up = a->ask_at = INT64_MAX;
	a->signals = io_signals(false);
	if (a->signals < 0)
		err_die(ERR_SYSTEM, "cannot start:");
	set_up_bus(a);
	set_up_lines(a);
	if (!nats_conn_enter_sandbox(&o, a->o.spill, opt_no_sandbox()))
		err_die(ERR_SYSTEM, "the sandbox:");
	a->conn = nats_conn_open(&o, why);
	if (!a->conn)
		err_die(ERR_SYSTEM, "%s", why);
	nats_conn_forget(urls);
}

/* the line that is held: there is no more time for it */
static void let_go(struct app *a)
{
	struct bus_pub_line l;
	const char *why;
	size_t at;

	if (a->held.p && key_of(a, a->held, &l, &why, &at) &&
	    bus_backlog_put(&a->log, &l, true, clock_mono_us()) == BUS_BACKLOG_HELD)
		bus_backlog_lose(&a->log);
}

static int finish(struct app *a)
{
	uint64_t refused;

	intake_end(&a->in);
	let_go(a);
	if (!tee_is_empty(a)) {
		err_warn("standard output: the reader takes nothing; lines are lost on the way to it");
		a->broken = true;
	}
	if (a->o.verbose)
		tell_counters(a);
	refused = refused_lines(a) + bus_pub_counters(a->log.pub)->refused + bus_pub_counters(a->log.pub)->dropped;
	a->broken |= !bus_backlog_give_back(&a->log, clock_mono_us());
	refuse_total(&a->in.refused);
	nats_conn_close(a->conn);
	bus_backlog_close(&a->log);
	binance_bus_close(&a->bus);
	intake_close(&a->in);
	ring_close(&a->tee);
	return a->broken ? ERR_SYSTEM : refused || a->log.left_out ? ERR_DATA : ERR_OK;
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
