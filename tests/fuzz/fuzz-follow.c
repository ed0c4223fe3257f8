/* lib/binance_follow, which keeps bnc-account's state known, on an exchange that says what it likes. A line of the
 * input is a message of the connection that spoke last, or, where its first byte is below ' ', something that happens;
 * the byte behind says to whom or how much, and what follows is a body:
 *
 *   1 connection up, 2 down, 3 the next messages are of that one, 4 time goes by, 5 a pong,
 *   6 an answer to what was asked (status by the byte), 7 no answer, 8 the answer that is right
 *
 * One request at a time; nothing is asked of a connection that is not there; frames are JSON; the listen key is in no
 * frame and in nothing that people are told. */
#include "fuzz.h"

#include "binance_follow.h"

#define FUZZ_FOLLOW_KEY "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"

static struct {
	struct binance_follow *s;
	enum binance_call asked;
	bool there[BINANCE_FOLLOW_CONNS], up[BINANCE_FOLLOW_CONNS], leaving[BINANCE_FOLLOW_CONNS];
	unsigned speaker;
	bool spot;
	int64_t now;
	uint64_t frames;
} fuzz_follow;

static void fuzz_follow_secretless(struct span text)
{
	struct span key = binance_follow_listen_key(fuzz_follow.s);

	FUZZ_CHECK(!key.n || !memmem(text.p, text.n, key.p, key.n));
}

static int64_t fuzz_follow_may_connect(void *user)
{
	(void)user;
	return 0;
}

static bool fuzz_follow_connect(void *user, unsigned conn, struct span path)
{
	(void)user;
	FUZZ_CHECK(conn < BINANCE_FOLLOW_CONNS && !fuzz_follow.there[conn] && path.n && path.p[0] == '/');
	fuzz_follow.there[conn] = true;
	fuzz_follow.up[conn] = fuzz_follow.leaving[conn] = false;
	return true;
}

static void fuzz_follow_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	(void)user, (void)text;
	FUZZ_CHECK(conn < BINANCE_FOLLOW_CONNS && fuzz_follow.there[conn]);
	FUZZ_CHECK(what != BINANCE_SEND || fuzz_follow.up[conn]);
	if (what == BINANCE_CLOSE || what == BINANCE_KILL)
		fuzz_follow.leaving[conn] = true;
}

static int64_t fuzz_follow_heard(void *user, unsigned conn)
{
	(void)user, (void)conn;
	return fuzz_follow.now - 1000000;
}

static void fuzz_follow_logon(void *user, unsigned conn, int64_t timestamp, uint64_t id)
{
	(void)user, (void)timestamp, (void)id;
	FUZZ_CHECK(fuzz_follow.up[conn]);
}

static void fuzz_follow_request(void *user, enum binance_call call, int64_t timestamp)
{
	(void)user, (void)timestamp;
	FUZZ_CHECK(fuzz_follow.asked == BINANCE_CALL_NONE && call != BINANCE_CALL_NONE);
	fuzz_follow.asked = call;
}

static void fuzz_follow_frame(void *user, struct span text, int64_t recv)
{
	size_t top_n;

	(void)user, (void)recv;
	FUZZ_CHECK(!memchr(text.p, '\n', text.n));
	struct span padded = subject_pad(text), copy = { padded.p, padded.n + 1 };
	fuzz_passed(&copy, &top_n);
	subject_unpad(padded);
	fuzz_follow_secretless(text);
	fuzz_follow.frames++;
}

static void fuzz_follow_news(void *user, const struct binance_news_item *item)
{
	(void)user;
	FUZZ_CHECK(item->stream == -1 && item->text && !strchr(item->text, '\n'));
	if (fuzz_follow.s)
		fuzz_follow_secretless(span_of(item->text));
}

static void fuzz_follow_nothing(void *user)
{
	(void)user;
}

static void fuzz_follow_answer(int status, struct span body)
{
	struct binance_answer a = { .reply = { status, -1, subject_pad(body) },
		.why = "no answer",
		.sent = fuzz_follow.now - 1000,
		.received = fuzz_follow.now,
		.recv = 1790526538965462 };

	if (fuzz_follow.asked != BINANCE_CALL_NONE) {
		json_flatten((char *)(size_t)a.reply.body.p, a.reply.body.n);
		fuzz_follow.asked = BINANCE_CALL_NONE;
		binance_follow_answer(fuzz_follow.s, &a, fuzz_follow.now);
	}
	subject_unpad(a.reply.body);
}

static void fuzz_follow_right(void)
{
	static const char *const right[] = {
		"",
		"{\"serverTime\":1790526538965}",
		"{\"listenKey\":\"" FUZZ_FOLLOW_KEY "\"}",
		"{}",
		"[{\"asset\":\"USDT\",\"balance\":\"10\",\"updateTime\":5}]",
		("[{\"symbol\":\"SOLUSDT\",\"positionSide\":\"BOTH\",\"positionAmt\":\"1\",\"entryPrice\":\"2\","
		 "\"updateTime\":5}]"),
	};

	static const char spot[] =
	    "{\"updateTime\":5,\"balances\":[{\"asset\":\"BTC\",\"free\":\"1\",\"locked\":\"0\"}]}";

	if (fuzz_follow.spot && fuzz_follow.asked == BINANCE_CALL_BALANCES)
		fuzz_follow_answer(200, span_of(spot));
	else
		fuzz_follow_answer(200, span_of(right[fuzz_follow.asked]));
}

static void fuzz_follow_down(unsigned conn, unsigned how)
{
	struct binance_down d = { (enum binance_cause)(how % 4), how % 4 == BINANCE_DOWN_HTTP ? 418 : 0, how % 3 - 1,
		"for a reason" };

	if (!fuzz_follow.there[conn])
		return;
	if (fuzz_follow.leaving[conn])
		d.cause = BINANCE_DOWN_ASKED;
	fuzz_follow.there[conn] = fuzz_follow.up[conn] = false;
	binance_follow_down(fuzz_follow.s, conn, &d, fuzz_follow.now);
}

static void fuzz_follow_happens(struct span line)
{
	static const int statuses[] = { 200, 400, 401, 403, 418, 429, 500, 503 };
	unsigned how = line.n > 1 ? (uint8_t)line.p[1] : 0, conn = how % BINANCE_FOLLOW_CONNS;

	switch (line.p[0]) {
	case 1:
		if (fuzz_follow.there[conn] && !fuzz_follow.up[conn]) {
			fuzz_follow.up[conn] = true;
			binance_follow_up(fuzz_follow.s, conn, fuzz_follow.now);
		}
		break;
	case 2:
		fuzz_follow_down(conn, how / 16);
		break;
	case 3:
		fuzz_follow.speaker = conn;
		break;
	case 4:
		fuzz_follow.now += how * how * 10000LL;
		binance_follow_tick(fuzz_follow.s, fuzz_follow.now);
		break;
	case 5:
		if (fuzz_follow.up[conn])
			binance_follow_pong(fuzz_follow.s, conn, fuzz_follow.now);
		break;
	case 6:
		fuzz_follow_answer(statuses[how % 8], line.n > 2 ? (struct span){ line.p + 2, line.n - 2 } : SPAN(""));
		break;
	case 7:
		fuzz_follow_answer(0, SPAN(""));
		break;
	default:
		fuzz_follow_right();
		break;
	}
}

static void fuzz_follow_message(struct span line)
{
	if (!fuzz_follow.up[fuzz_follow.speaker] || line.n == 0)
		return;
	struct span padded = subject_pad(line);
	json_flatten((char *)(size_t)padded.p, padded.n);
	binance_follow_message(fuzz_follow.s, fuzz_follow.speaker, padded, 1790526538965462, fuzz_follow.now);
	subject_unpad(padded);
}

static void fuzz_follow_begin(unsigned how)
{
	static const enum event_market markets[] = { EVENT_USDM, EVENT_COINM, EVENT_SPOT };
	static const struct binance_follow_events events = { fuzz_follow_may_connect, fuzz_follow_connect,
		fuzz_follow_order, fuzz_follow_heard, fuzz_follow_logon, fuzz_follow_request, fuzz_follow_frame,
		fuzz_follow_news, fuzz_follow_nothing, fuzz_follow_nothing };
	struct binance_follow_options o = { .market = markets[how % 3],
		.form = how / 4 % 2 ? BINANCE_FORM_SUBSCRIBE : BINANCE_FORM_QUERY,
		.once = how / 8 % 2,
		.check = 60000000,
		.keep = BINANCE_KEY_KEEP_US,
		.max_age = 3600000000,
		.stale = 30000000,
		.backoff_base = 1000,
		.backoff_cap = 100000,
		.seed = 7,
		.origin = "wss://h:1",
		.requests = "https://h:1" };

	memset(&fuzz_follow, 0, sizeof fuzz_follow);
	fuzz_follow.now = 1000000000;
	fuzz_follow.spot = o.market == EVENT_SPOT;
	fuzz_follow.s = binance_follow_new(&o, &events, NULL);
	FUZZ_CHECK(fuzz_follow.s != NULL);
	/* as far as it goes without trouble, so that a first message has a meaning */
	for (int i = 0; i < 8; i++) {
		fuzz_follow_happens((struct span){ (char[]){ 4, 5 }, 2 });
		fuzz_follow_right();
		fuzz_follow_happens((struct span){ (char[]){ 1, 0 }, 2 });
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size }, line;
	unsigned how = 0;

	if (size && data[0] >= 0x10 && data[0] < 0x20) {
		how = data[0] - 0x10u;
		rest = (struct span){ rest.p + 1, rest.n - 1 };
	}
	fuzz_follow_begin(how);
	while (fuzz_line(&rest, &line)) {
		fuzz_follow.now += 100;
		if (line.n && line.p[0] > 0 && line.p[0] <= 8)
			fuzz_follow_happens(line);
		else
			fuzz_follow_message(line);
	}
	binance_follow_end(fuzz_follow.s, fuzz_follow.now);
	for (unsigned conn = 0; conn < BINANCE_FOLLOW_CONNS; conn++)
		fuzz_follow_down(conn, 0);
	FUZZ_CHECK(binance_follow_ended(fuzz_follow.s));
	binance_follow_free(fuzz_follow.s);
	fuzz_follow.s = NULL;
	return 0;
}
