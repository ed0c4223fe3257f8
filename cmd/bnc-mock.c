/* bnc-mock - an exchange on loopback: the market streams of Binance over TLS, from a seeded random walk or a recording,
 * with faults on demand.
 *
 * Reads a script of faults; writes its port and what happens, as lines of JSON.
 *
 *     bnc-mock -p 8443 --ca-out ca.pem & bnc-stream -u wss://127.0.0.1:8443 --cacert ca.pem SOLUSDT | bnc-normalize
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "io.h"
#include "mock_server.h"
#include "num.h"

static const char usage_text[] =
    "usage: bnc-mock [-hVv] [-p port] [--listen address] [--plain] [--tls cert key] [--name host] [--ca-out file]\n"
    "                [--keep file] [-m usdm|coinm|spot|all] [--walk seed] [--symbols a,b] [--rate n] [--epoch ms]\n"
    "                [--file recording] [-x speed|max] [--loop] [--start-after n] [--ping-every d] [--pong-within d]\n"
    "                [--max-age d] [--age-cut close|drop] [--max-streams n] [--max-messages n] [--errors bare|wrapped]\n"
    "                [--fault spec] [--stdin-eof-ends] [--served file] [--port-file file] [--ready-fd n]\n";

static const char options_text[] =
    "  -p, --port port        listen there; 0: a free one (0); the port is the first line of output\n"
    "      --listen address   and on this numeric address (127.0.0.1)\n"
    "      --plain            without TLS\n"
    "      --tls cert key     this certificate (PEM) instead of one made at start\n"
    "      --name host        a further name in the certificate made at start\n"
    "      --ca-out file      write the authority of that certificate there\n"
    "      --keep file        keep that authority there, key and all, and take it from there at the next start\n"
    "  -m, --market market    usdm, coinm, spot or all (usdm)\n"
    "      --walk seed        the number that decides the random walk (1)\n"
    "      --symbols a,b      what it walks over (SOLUSDT,BTCUSDT,ETHUSDT)\n"
    "      --rate n           book changes and trades of a symbol in a second (10)\n"
    "      --epoch ms         event time begins then (now)\n"
    "      --file recording   serve these frames instead; -: standard input\n"
    "  -x, --speed speed      so many times faster, or max: as fast as it is read (1)\n"
    "      --loop             begin the recording again at its end\n"
    "      --start-after n    begin when there are so many subscriptions (1)\n"
    "      --ping-every d     time between two pings (180s; spot 20s)\n"
    "      --pong-within d    close when a ping is not answered for so long (600s; spot 60s)\n"
    "      --max-age d        a connection's life (24h)\n"
    "      --age-cut how      and its end: close (with a frame) or drop\n"
    "      --max-streams n    of a connection (1024)\n"
    "      --max-messages n   of a client in a second (15; spot 5)\n"
    "      --errors shape     of error replies: bare or wrapped\n"
    "      --fault spec       a fault for every connection, as in the script; may be repeated\n"
    "      --stdin-eof-ends   end at the end of the script\n"
    "      --served file      write all that is served: connection, stream and payload, with tabs between\n"
    "      --port-file file   write the port there\n"
    "      --ready-fd n       write a newline to this descriptor when listening\n"
    "  -v, --verbose          say on standard error where it listens\n"
    "  -h, --help             this text\n"
    "  -V, --version          name and version\n";

#define FAULTS_MAX 64

struct opts {
	uint16_t port;
	const char *address;
	bool plain;
	const char *cert, *key;
	const char *name;
	const char *ca_out;
	const char *keep;
	enum mock_market market;
	uint64_t seed;
	const char *symbols;
	uint64_t rate; /* in 1000 seconds */
	int64_t epoch_ms;
	bool epoch;
	const char *file;
	uint64_t speed; /* thousandths, 0 max */
	bool loop;
	uint64_t start_after;
	struct mock_rules rules;
	struct mock_fault *fault; /* owned by parse_args' static store */
	size_t faults;
	bool stdin_eof_ends;
	const char *served, *port_file;
	int ready_fd;
	bool verbose;
};

enum {
	OPT_LISTEN = 256,
	OPT_PLAIN,
	OPT_TLS,
	OPT_NAME,
	OPT_CA_OUT,
	OPT_KEEP,
	OPT_WALK,
	OPT_SYMBOLS,
	OPT_RATE,
	OPT_EPOCH,
	OPT_FILE,
	OPT_LOOP,
	OPT_START_AFTER,
	OPT_PING_EVERY,
	OPT_PONG_WITHIN,
	OPT_MAX_AGE,
	OPT_AGE_CUT,
	OPT_MAX_STREAMS,
	OPT_MAX_MESSAGES,
	OPT_ERRORS,
	OPT_FAULT,
	OPT_STDIN_EOF_ENDS,
	OPT_SERVED,
	OPT_PORT_FILE,
	OPT_READY_FD,
};

static const struct option longs[] = {
	{ "port", required_argument, NULL, 'p' },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "plain", no_argument, NULL, OPT_PLAIN },
	{ "tls", required_argument, NULL, OPT_TLS },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "ca-out", required_argument, NULL, OPT_CA_OUT },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "market", required_argument, NULL, 'm' },
	{ "walk", required_argument, NULL, OPT_WALK },
	{ "symbols", required_argument, NULL, OPT_SYMBOLS },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "epoch", required_argument, NULL, OPT_EPOCH },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "speed", required_argument, NULL, 'x' },
	{ "loop", no_argument, NULL, OPT_LOOP },
	{ "start-after", required_argument, NULL, OPT_START_AFTER },
	{ "ping-every", required_argument, NULL, OPT_PING_EVERY },
	{ "pong-within", required_argument, NULL, OPT_PONG_WITHIN },
	{ "max-age", required_argument, NULL, OPT_MAX_AGE },
	{ "age-cut", required_argument, NULL, OPT_AGE_CUT },
	{ "max-streams", required_argument, NULL, OPT_MAX_STREAMS },
	{ "max-messages", required_argument, NULL, OPT_MAX_MESSAGES },
	{ "errors", required_argument, NULL, OPT_ERRORS },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "stdin-eof-ends", no_argument, NULL, OPT_STDIN_EOF_ENDS },
	{ "served", required_argument, NULL, OPT_SERVED },
	{ "port-file", required_argument, NULL, OPT_PORT_FILE },
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

static uint64_t number(const char *option, const char *text, uint64_t min, uint64_t max)
{
	uint64_t v;

	if (!num_u64(span_of(text), min, max, &v)) {
		err_warn("%s: '%s' is not a number from %" PRIu64 " to %" PRIu64, option, text, min, max);
		err_usage(usage_text);
	}
	return v;
}

static int64_t duration(const char *option, const char *text)
{
	int64_t us;

	if (!num_duration(span_of(text), &us) || us > INT64_MAX / 4)
		wrong(option, text, "a duration");
	return us;
}

/* thousandths: "10", "0.5" */
static uint64_t thousandths(const char *option, const char *text)
{
	int64_t us;
	size_t n = strlen(text);

	/* a duration without a unit is seconds, exact to the microsecond */
	if (n == 0 || text[n - 1] < '0' || text[n - 1] > '9' || !num_duration(span_of(text), &us) || us % 1000 != 0 ||
	    us < 1000 || us > 1000000000000)
		wrong(option, text, "a number from 0.001 to 1000000");
	return (uint64_t)us / 1000;
}

static size_t choice(const char *option, const char *text, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	wrong(option, text, "one of the words it takes");
}

static enum mock_market market(const char *text)
{
	static const char *const words[] = { "usdm", "coinm", "spot", "all", NULL };

	return (enum mock_market)choice("-m", text, words);
}

static const char *host_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	if (n == 0 || text[n] != '\0' || n > 253)
		wrong("--name", text, "a host name");
	return text;
}

static void add_fault(struct opts *o, const char *text)
{
	static struct mock_fault store[FAULTS_MAX];

	if (o->faults == FAULTS_MAX) {
		err_warn("--fault: at most %d", FAULTS_MAX);
		err_usage(usage_text);
	}
	o->fault = store;
	const char *why = mock_fault_parse(span_of(text), &store[o->faults++]);
	if (why) {
		err_warn("--fault: '%s': %s", text, why);
		err_usage(usage_text);
	}
}

/* --tls takes two words; getopt knows of one */
static void tls_files(struct opts *o, int argc, char **argv)
{
	o->cert = optarg;
	if (optind >= argc) {
		err_warn("--tls needs two files, certificate and key");
		err_usage(usage_text);
	}
	o->key = argv[optind++];
}

/* options that say what is served and how fast; false: it is none of them */
static bool source_option(struct opts *o, int c)
{
	switch (c) {
	case 'm':
		o->market = market(optarg);
		return true;
	case OPT_WALK:
		o->seed = number("--walk", optarg, 0, UINT64_MAX);
		return true;
	case OPT_SYMBOLS:
		o->symbols = optarg;
		return true;
	case OPT_RATE:
		o->rate = thousandths("--rate", optarg);
		return true;
	case OPT_EPOCH:
		o->epoch_ms = (int64_t)number("--epoch", optarg, 0, 4102444800000);
		o->epoch = true;
		return true;
	case OPT_FILE:
		o->file = optarg;
		return true;
	case 'x':
		o->speed = strcmp(optarg, "max") == 0 ? 0 : thousandths("-x", optarg);
		return true;
	case OPT_LOOP:
		o->loop = true;
		return true;
	case OPT_START_AFTER:
		o->start_after = number("--start-after", optarg, 0, 1000000);
		return true;
	default:
		return false;
	}
}

/* the exchange's rules and the faults; false: it is none of them */
static bool rule_option(struct opts *o, int c)
{
	static const char *const cuts[] = { "close", "drop", NULL };
	static const char *const shapes[] = { "bare", "wrapped", NULL };

	switch (c) {
	case OPT_PING_EVERY:
		o->rules.ping_every = duration("--ping-every", optarg);
		return true;
	case OPT_PONG_WITHIN:
		o->rules.pong_within = duration("--pong-within", optarg);
		return true;
	case OPT_MAX_AGE:
		o->rules.max_age = duration("--max-age", optarg);
		return true;
	case OPT_AGE_CUT:
		o->rules.age_drops = choice("--age-cut", optarg, cuts) == 1;
		return true;
	case OPT_MAX_STREAMS:
		o->rules.max_streams = number("--max-streams", optarg, 1, 100000);
		return true;
	case OPT_MAX_MESSAGES:
		o->rules.max_messages = number("--max-messages", optarg, 1, 64);
		return true;
	case OPT_ERRORS:
		o->rules.errors_wrapped = choice("--errors", optarg, shapes) == 1;
		return true;
	case OPT_FAULT:
		add_fault(o, optarg);
		return true;
	default:
		return false;
	}
}

static const char *address(const char *text)
{
	struct in6_addr a;

	if (inet_pton(AF_INET, text, &a) != 1 && inet_pton(AF_INET6, text, &a) != 1)
		wrong("--listen", text, "a numeric address");
	return text;
}

/* where it listens, and what it tells; false: it is none of them */
static bool place_option(struct opts *o, int c, int argc, char **argv)
{
	switch (c) {
	case 'p':
		o->port = (uint16_t)number("-p", optarg, 0, 65535);
		return true;
	case OPT_LISTEN:
		o->address = address(optarg);
		return true;
	case OPT_PLAIN:
		o->plain = true;
		return true;
	case OPT_TLS:
		tls_files(o, argc, argv);
		return true;
	case OPT_NAME:
		o->name = host_name(optarg);
		return true;
	case OPT_CA_OUT:
		o->ca_out = optarg;
		return true;
	case OPT_KEEP:
		o->keep = optarg;
		return true;
	case OPT_STDIN_EOF_ENDS:
		o->stdin_eof_ends = true;
		return true;
	case OPT_SERVED:
		o->served = optarg;
		return true;
	case OPT_PORT_FILE:
		o->port_file = optarg;
		return true;
	case OPT_READY_FD:
		o->ready_fd = (int)number("--ready-fd", optarg, 1, 65535);
		if (fcntl(o->ready_fd, F_GETFD) < 0)
			wrong("--ready-fd", optarg, "an open descriptor");
		return true;
	case 'v':
		o->verbose = true;
		return true;
	default:
		return false;
	}
}

static void check_together(const struct opts *o)
{
	const char *why = NULL;

	if (o->plain && (o->cert || o->name))
		why = "--plain: no certificate is shown then, --tls and --name make no sense";
	else if (o->cert && (o->ca_out || o->name || o->keep))
		why = "--tls: no certificate is made then, --ca-out, --name and --keep make no sense";
	else if (o->loop && (!o->file || strcmp(o->file, "-") == 0))
		why = "--loop: needs --file and a file";
	if (why) {
		err_warn("%s", why);
		err_usage(usage_text);
	}
}

static struct opts parse_args(int argc, char **argv)
{
	struct opts o = { .address = "127.0.0.1",
		.seed = 1,
		.rate = 10000,
		.speed = 1000,
		.start_after = 1,
		.ready_fd = -1,
		.rules = { .ping_every = -1, .pong_within = -1, .max_age = -1, .max_streams = 1024 } };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":hVvp:m:x:", longs, NULL)) != -1) {
		if (c == 'h')
			err_help(usage_text, options_text);
		if (c == 'V')
			err_version();
		if (!source_option(&o, c) && !rule_option(&o, c) && !place_option(&o, c, argc, argv)) {
			err_option(c, argv[optind - 1]);
			err_usage(usage_text);
		}
	}
	if (optind < argc) {
		err_warn("'%s': no operand is expected", argv[optind]);
		err_usage(usage_text);
	}
	check_together(&o);
	return o;
}

/* --- set-up -------------------------------------------------------------------------------------------------- */

/* in any case, as bnc-stream takes them; the same one twice is one */
static void add_symbol(struct mock_walk *w, struct span name, enum mock_market market_)
{
	char upper[MOCK_SYMBOL_MAX], lower[MOCK_SYMBOL_MAX];
	const char *why = "it is too long";

	if (name.n <= MOCK_SYMBOL_MAX) {
		for (size_t i = 0; i < name.n; i++)
			upper[i] = name.p[i] >= 'a' && name.p[i] <= 'z' ? (char)(name.p[i] & ~0x20) : name.p[i];
		mock_lower(name, lower);
		if (mock_walk_find(w, (struct span){ lower, name.n }, market_) ||
		    mock_walk_add(w, (struct span){ upper, name.n }, market_, &why))
			return;
	}
	err_warn("--symbols: '%.*s': %s", (int)name.n, name.p, why);
	err_usage(usage_text);
}

/* COIN-M symbols say what they are; the others trade on USDⓈ-M and on spot. The arrays of either futures host hold both
 * products, so there is always one of COIN-M. */
static void add_symbols(struct mock_walk *w, const struct opts *o)
{
	struct span list = span_of(o->symbols		     ? o->symbols
				   : o->market == MOCK_COINM ? "BTCUSD_PERP,ETHUSD_PERP,SOLUSD_PERP"
							     : "SOLUSDT,BTCUSDT,ETHUSDT");
	bool coinm = false;

	while (list.p) {
		struct span name = span_cut(list, ',', &list);
		bool is_coinm = mock_walk_is_coinm(name);
		coinm |= is_coinm;
		if (is_coinm)
			add_symbol(w, name, MOCK_COINM);
		else if (o->market != MOCK_SPOT)
			add_symbol(w, name, MOCK_USDM);
		if (!is_coinm && (o->market == MOCK_SPOT || o->market == MOCK_MARKETS))
			add_symbol(w, name, MOCK_SPOT);
	}
	if (!coinm && o->market != MOCK_SPOT)
		add_symbol(w, SPAN("BTCUSD_PERP"), MOCK_COINM);
}

static _Noreturn void tls_failed(const char *option, const char *file)
{
	int saved = errno;
	const char *why = mock_tls_why();

	errno = saved;
	if (why)
		err_die(ERR_SYSTEM, "%s: %s: %s", option, file ? file : "TLS", why);
	err_die(ERR_SYSTEM, "%s: %s:", option, file ? file : "TLS");
}

static void set_up_tls(struct mock_tls *t, const struct opts *o)
{
	t->name = o->name;
	t->cert_file = o->cert;
	t->key_file = o->key;
	if (!mock_tls_open(t, o->keep))
		tls_failed("--keep", o->keep);
	if (!mock_tls_ctx(t, MOCK_CERT_GOOD))
		tls_failed("--tls", o->cert);
	if (o->ca_out && !mock_tls_write_ca(t, o->ca_out))
		err_die(ERR_SYSTEM, "--ca-out: %s:", o->ca_out);
}

static void write_port(const char *path, uint16_t port)
{
	FILE *f = fopen(path, "we");

	if (!f || fprintf(f, "%u\n", (unsigned)port) < 0 || fclose(f) != 0)
		err_die(ERR_SYSTEM, "--port-file: %s:", path);
}

static void set_up_feed(struct mock_server *s, const struct opts *o, struct mock_walk *w, struct mock_recording *r)
{
	if (!mock_walk_open(w, o->seed, o->rate, o->epoch ? o->epoch_ms : clock_real_us() / 1000))
		err_die(ERR_SYSTEM, "out of memory");
	add_symbols(w, o);
	if (o->file && !mock_recording_open(r, o->file))
		err_die(ERR_SYSTEM, "--file: %s:", o->file);
	s->hub.walk = w;
	s->feed = (struct mock_feed){ .walk = w,
		.recording = o->file ? r : NULL,
		.hub = &s->hub,
		.log = s->log,
		.market = o->market,
		.speed = o->speed,
		.start_after = o->start_after,
		.fixed_epoch = o->epoch,
		.loop = o->loop };
	mock_feed_open(&s->feed);
}

static uint16_t set_up_socket(struct mock_server *s, const struct opts *o)
{
	uint16_t port = o->port;

	s->listen_fd = mock_server_listen(o->address, &port);
	if (s->listen_fd < 0)
		err_die(ERR_SYSTEM, "%s port %u:", o->address, (unsigned)port);
	return port;
}

static void ready(struct mock_server *s, const struct opts *o, uint16_t port)
{
	char line[8];
	int n = snprintf(line, sizeof line, "%u", (unsigned)port);

	if (o->port_file)
		write_port(o->port_file, port);
	mock_log_plain(s->log, (struct span){ line, (size_t)n });
	mock_log_flush(s->log);
	if (o->verbose)
		err_warn("listening on %s port %u", o->address, (unsigned)port);
	io_ready(o->ready_fd);
}

int main(int argc, char **argv)
{
	static struct mock_server s;
	static struct mock_walk walk;
	static struct mock_recording recording;
	struct mock_tls tls = { 0 };
	struct mock_log log;

	err_program(argv[0]);
	if (!io_std_open())
		return ERR_SYSTEM;
	struct opts o = parse_args(argc, argv);

	mock_server_init(&s);
	s.signals = io_signals(false);
	if (s.signals < 0)
		err_die(ERR_SYSTEM, "signals:");
	mock_log_open(&log, io_own_output(STDOUT_FILENO));
	if (o.served && !mock_log_served_to(&log, o.served))
		err_die(ERR_SYSTEM, "--served: %s:", o.served);
	s.log = &log;
	s.tell = err_warn;
	s.rules = o.rules;
	set_up_feed(&s, &o, &walk, &recording);
	if (!o.plain || o.ca_out) /* a file asked for is written in any case */
		set_up_tls(&tls, &o);
	s.door =
	    (struct mock_door){ .tls = o.plain ? NULL : &tls, .market = o.market, .orders = &s.orders, .walk = &walk };
	uint16_t port = set_up_socket(&s, &o);
	s.script_fd = STDIN_FILENO;
	s.script_ended = o.file && strcmp(o.file, "-") == 0; /* standard input is the recording's */
	s.script_ends = o.stdin_eof_ends;
	for (size_t i = 0; i < o.faults; i++)
		if (!mock_server_order(&s, &o.fault[i], true))
			err_die(ERR_SYSTEM, "out of memory");
	ready(&s, &o, port);

	mock_server_run(&s);

	mock_server_close(&s);
	mock_feed_close(&s.feed);
	if (o.file)
		mock_recording_close(&recording);
	mock_walk_close(&walk);
	mock_tls_close(&tls);
	if (!mock_log_close(&log))
		err_die(ERR_SYSTEM, "--served: %s:", o.served);
	return ERR_OK;
}
