/* bnc-mock - an exchange on loopback: the market streams of Binance over TLS, from a seeded random walk or a recording,
 * and an account with its events and signed calls, with faults on demand.
 *
 * Reads a script of faults and of what happens to the account; writes its port and what happens, as lines of JSON.
 *
 *     bnc-mock -p 8443 --ca-out ca.pem & bnc-stream -u wss://127.0.0.1:8443 --cacert ca.pem SOLUSDT | bnc-normalize
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "err.h"
#include "io.h"
#include "json.h"
#include "mock_server.h"
#include "num.h"
#include "opt.h"
#include "sandbox.h"

static const char usage_text[] =
    "usage: bnc-mock [-hVv] [-p port] [--listen address] [--plain] [--tls cert key] [--name host] [--ca-out file]\n"
    "                [--keep file] [-m usdm|coinm|spot|all] [--walk seed] [--symbols a,b] [--rate n] [--epoch ms]\n"
    "                [--file recording] [-x speed|max] [--loop] [--start-after n] [--ping-every d] [--pong-within d]\n"
    "                [--max-age d] [--age-cut close|drop] [--max-streams n] [--max-messages n] [--errors bare|wrapped]\n"
    "                [--account file] [--listen-key-age d] [--skew d] [--weight-limit n] [--ban d]\n"
    "                [--fault spec] [--stdin-eof-ends] [--served file] [--port-file file] [--ready-fd n]\n"
    "                [--no-sandbox]\n";

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
    "      --account file     an account: its key, balances and positions\n"
    "      --listen-key-age d  a listen key's life (60m)\n"
    "      --skew d           the exchange's clock is so much ahead, below zero behind (0)\n"
    "      --weight-limit n   of REST in a minute; 0: none (2400; spot 6000)\n"
    "      --ban d            for going on after 429 (120s)\n"
    "      --fault spec       a fault for every connection, as in the script; may be repeated\n"
    "      --stdin-eof-ends   end at the end of the script\n"
    "      --served file      write all that is served: connection, stream and payload, with tabs between\n"
    "      --port-file file   write the port there\n"
    "      --ready-fd n       write a newline to this descriptor when listening\n"
    "      --no-sandbox       keep the rights that are not needed\n"
    "  -v, --verbose          say on standard error where it listens\n"
    "  -h, --help             this text\n"
    "  -V, --version          name and version\n";

#define FAULTS_MAX  64
#define ACCOUNT_MAX 65536 /* bytes of --account */

struct opts {
	char **argv; /* --tls takes two words */
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
	const char *account;
	int64_t listen_age, ban;  /* µs; -1: as usual */
	int64_t weight_limit;	  /* -1: as usual */
	int64_t skew_ms;
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
	OPT_ACCOUNT,
	OPT_LISTEN_KEY_AGE,
	OPT_SKEW,
	OPT_WEIGHT_LIMIT,
	OPT_BAN,
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
	{ "account", required_argument, NULL, OPT_ACCOUNT },
	{ "listen-key-age", required_argument, NULL, OPT_LISTEN_KEY_AGE },
	{ "skew", required_argument, NULL, OPT_SKEW },
	{ "weight-limit", required_argument, NULL, OPT_WEIGHT_LIMIT },
	{ "ban", required_argument, NULL, OPT_BAN },
	{ "fault", required_argument, NULL, OPT_FAULT },
	{ "stdin-eof-ends", no_argument, NULL, OPT_STDIN_EOF_ENDS },
	{ "served", required_argument, NULL, OPT_SERVED },
	{ "port-file", required_argument, NULL, OPT_PORT_FILE },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static uint64_t number(const char *option, uint64_t min, uint64_t max)
{
	char what[64];

	snprintf(what, sizeof what, "a number from %" PRIu64 " to %" PRIu64, min, max);
	return opt_u64(option, min, max, what);
}

static int64_t duration(const char *option)
{
	return opt_duration(option, 0, "a duration");
}

static uint64_t thousandths(const char *option)
{
	uint64_t v;

	if (!num_thousandths(span_of(optarg), 1, 1000000000, &v))
		opt_wrong(option, "a number from 0.001 to 1000000");
	return v;
}

static enum mock_market market(void)
{
	static const char *const words[] = { "usdm", "coinm", "spot", "all", NULL };

	return (enum mock_market)opt_word("-m", words, "usdm, coinm, spot or all");
}

static const char *host_name(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");

	if (n == 0 || text[n] != '\0' || n > 253)
		opt_wrong("--name", "a host name");
	return text;
}

static void add_fault(struct opts *o, const char *text)
{
	static struct mock_fault store[FAULTS_MAX];

	if (o->faults == FAULTS_MAX)
		opt_usage("--fault: at most %d", FAULTS_MAX);
	o->fault = store;
	const char *why = mock_fault_parse(span_of(text), &store[o->faults++]);
	if (why)
		opt_usage("--fault: '%s': %s", text, why);
}

/* --tls takes two words; getopt knows of one */
static void tls_files(struct opts *o)
{
	o->cert = optarg;
	if (!o->argv[optind])
		opt_usage("--tls needs two files, certificate and key");
	o->key = o->argv[optind++];
}

/* options that say what is served and how fast; false: it is none of them */
static bool source_option(struct opts *o, int c)
{
	switch (c) {
	case 'm':
		o->market = market();
		return true;
	case OPT_WALK:
		o->seed = number("--walk", 0, UINT64_MAX);
		return true;
	case OPT_SYMBOLS:
		o->symbols = optarg;
		return true;
	case OPT_RATE:
		o->rate = thousandths("--rate");
		return true;
	case OPT_EPOCH:
		o->epoch_ms = (int64_t)number("--epoch", 0, 4102444800000);
		o->epoch = true;
		return true;
	case OPT_FILE:
		o->file = optarg;
		return true;
	case 'x':
		o->speed = strcmp(optarg, "max") == 0 ? 0 : thousandths("-x");
		return true;
	case OPT_LOOP:
		o->loop = true;
		return true;
	case OPT_START_AFTER:
		o->start_after = number("--start-after", 0, 1000000);
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
		o->rules.ping_every = duration("--ping-every");
		return true;
	case OPT_PONG_WITHIN:
		o->rules.pong_within = duration("--pong-within");
		return true;
	case OPT_MAX_AGE:
		o->rules.max_age = duration("--max-age");
		return true;
	case OPT_AGE_CUT:
		o->rules.age_drops = opt_word("--age-cut", cuts, "close or drop") == 1;
		return true;
	case OPT_MAX_STREAMS:
		o->rules.max_streams = number("--max-streams", 1, 100000);
		return true;
	case OPT_MAX_MESSAGES:
		o->rules.max_messages = number("--max-messages", 1, 64);
		return true;
	case OPT_ERRORS:
		o->rules.errors_wrapped = opt_word("--errors", shapes, "bare or wrapped") == 1;
		return true;
	case OPT_FAULT:
		add_fault(o, optarg);
		return true;
	default:
		return false;
	}
}

/* an account and what holds for its requests; false: it is none of these */
static bool account_option(struct opts *o, int c)
{
	switch (c) {
	case OPT_ACCOUNT:
		o->account = optarg;
		return true;
	case OPT_LISTEN_KEY_AGE:
		o->listen_age = duration("--listen-key-age");
		return true;
	case OPT_SKEW:
		if (!mock_account_skew(span_of(optarg), &o->skew_ms))
			opt_wrong("--skew", "a duration of at most a day");
		return true;
	case OPT_WEIGHT_LIMIT:
		o->weight_limit = (int64_t)number("--weight-limit", 0, 1000000000);
		return true;
	case OPT_BAN:
		o->ban = duration("--ban");
		return true;
	default:
		return false;
	}
}

static const char *address(const char *text)
{
	struct in6_addr a;

	if (inet_pton(AF_INET, text, &a) != 1 && inet_pton(AF_INET6, text, &a) != 1)
		opt_wrong("--listen", "a numeric address");
	return text;
}

/* where it listens, and what it tells; false: it is none of them */
static bool place_option(struct opts *o, int c)
{
	switch (c) {
	case 'p':
		o->port = (uint16_t)number("-p", 0, 65535);
		return true;
	case OPT_LISTEN:
		o->address = address(optarg);
		return true;
	case OPT_PLAIN:
		o->plain = true;
		return true;
	case OPT_TLS:
		tls_files(o);
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
		o->ready_fd = opt_fd("--ready-fd");
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
	if (why)
		opt_usage("%s", why);
}

static bool take_option(void *opts, int c)
{
	struct opts *o = opts;

	return source_option(o, c) || rule_option(o, c) || account_option(o, c) || place_option(o, c);
}

static struct opts parse_args(int argc, char **argv)
{
	static const struct opt options = { usage_text, options_text, ":hVvp:m:x:", longs, take_option };
	struct opts o = { .argv = argv,
		.address = "127.0.0.1",
		.seed = 1,
		.rate = 10000,
		.speed = 1000,
		.start_after = 1,
		.listen_age = -1,
		.ban = -1,
		.weight_limit = -1,
		.ready_fd = -1,
		.rules = { .ping_every = -1, .pong_within = -1, .max_age = -1, .max_streams = 1024 } };

	opt_no_operands(opt_parse(&options, argc, argv, &o), "");
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
	opt_usage("--symbols: '%.*s': %s", (int)name.n, name.p, why);
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
		.tell = s->tell,
		.file = o->file && strcmp(o->file, "-") == 0 ? "standard input" : o->file,
		.market = o->market,
		.speed = o->speed,
		.start_after = o->start_after,
		.fixed_epoch = o->epoch,
		.loop = o->loop };
	mock_feed_open(&s->feed);
}

static void read_account(struct mock_account *a, const char *path)
{
	static char text[ACCOUNT_MAX + 1 + JSON_PAD];
	size_t n = 0;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && (got = read(fd, text + n, ACCOUNT_MAX + 1 - n)) > 0)
		n += (size_t)got;
	if (fd < 0 || got < 0)
		err_die(ERR_SYSTEM, "--account: %s:", path);
	close(fd);
	if (n > ACCOUNT_MAX)
		err_die(ERR_SYSTEM, "--account: %s: longer than %d bytes", path, ACCOUNT_MAX);
	const char *why = mock_account_read(a, text, n);
	explicit_bzero(text, sizeof text);
	if (why)
		err_die(ERR_SYSTEM, "--account: %s: %s", path, why);
}

static void set_up_account(struct mock_account *a, const struct opts *o, const struct mock_walk *w)
{
	mock_account_init(a);
	a->walk = w;
	if (o->account)
		read_account(a, o->account);
	if (o->listen_age >= 0)
		a->listen_age = o->listen_age;
	if (o->ban >= 0)
		a->ban_ms = o->ban / 1000;
	if (o->weight_limit >= 0)
		a->weight_limit[0] = a->weight_limit[1] = o->weight_limit;
	a->skew_ms = o->skew_ms;
}

static uint16_t set_up_socket(struct mock_server *s, const struct opts *o)
{
	uint16_t port = o->port;

	s->listen_fd = mock_server_listen(o->address, &port);
	if (s->listen_fd < 0)
		err_die(ERR_SYSTEM, "%s port %u:", o->address, (unsigned)port);
	return port;
}

/* Certificates of --tls are read again for another kind of connection, the configuration of OpenSSL when it is first
 * needed; a fault may close the port and open it again. */
static void enter_sandbox(const struct opts *o, uint16_t port)
{
	const char *const files[] = { o->cert, o->key, "/etc/ssl" };
	struct sandbox s;

	sandbox_open(&s, SANDBOX_ACCEPT | SANDBOX_LISTEN | SANDBOX_OPEN, opt_no_sandbox());
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (files[i])
			sandbox_path(&s, files[i], SANDBOX_OPEN);
	sandbox_port(&s, port);
	if (!sandbox_enter(&s))
		err_die(ERR_SYSTEM, "the sandbox:");
}

static void ready(struct mock_server *s, const struct opts *o, uint16_t port)
{
	char line[8];
	int n = snprintf(line, sizeof line, "%u", (unsigned)port);

	if (o->port_file)
		write_port(o->port_file, port);
	enter_sandbox(o, port);
	mock_log_plain(s->log, (struct span){ line, (size_t)n });
	mock_log_flush(s->log);
	if (s->log->gone && errno != EPIPE && errno != ECONNRESET)
		err_die(ERR_SYSTEM, "standard output:");
	if (o->verbose)
		err_warn("listening on %s port %u", o->address, (unsigned)port);
	io_ready(o->ready_fd);
}

int main(int argc, char **argv)
{
	static struct mock_server s;
	static struct mock_walk walk;
	static struct mock_recording recording;
	static struct mock_account account;
	struct mock_tls tls = { 0 };
	struct mock_log log;

	err_program(argv[0]);
	if (!io_std_open())
		err_die(ERR_SYSTEM, "standard input, output or error:");
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
	set_up_account(&account, &o, &walk);
	s.account = &account;
	if (!o.plain || o.ca_out) /* a file asked for is written in any case */
		set_up_tls(&tls, &o);
	s.door = (struct mock_door){ .tls = o.plain ? NULL : &tls,
		.market = o.market,
		.orders = &s.orders,
		.walk = &walk,
		.account = &account,
		.keyed = o.account != NULL };
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
	mock_account_free(&account);
	mock_tls_close(&tls);
	if (!mock_log_close(&log))
		err_die(ERR_SYSTEM, "--served: %s:", o.served);
	return ERR_OK;
}
