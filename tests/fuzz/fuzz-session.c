/* The message path of bnc-stream, from what a connection brings to what a reader is written: lib/binance_session and,
 * behind it, lib/outbox. A line of the input is a message for the connection that spoke last, or, where its first byte
 * is below ' ', something that happens; the byte behind says to whom or how much:
 *
 *   1 connection up, 2 down, 3 the next messages are of that connection, 4 time goes by, 5 a pong, 6 nobody takes
 *   frames, 7 they do again, 8 the exchange acknowledges what it was asked for last
 *
 * Nothing is asked of a connection that is not there, and what comes out are whole lines of JSON. */
#include "fuzz.h"

#include "binance_session.h"
#include "outbox.h"

#define FUZZ_SESSION_CONNS (4 * BINANCE_LINES_MAX)

static struct {
	struct binance_plan plan;
	struct binance_session *s;
	struct outbox box;
	bool there[FUZZ_SESSION_CONNS], up[FUZZ_SESSION_CONNS], leaving[FUZZ_SESSION_CONNS];
	uint64_t id; /* of the last request */
	unsigned id_conn, speaker;
	int64_t now;
	uint64_t frames;
} fuzz_session;

static int64_t fuzz_session_may_connect(void *user)
{
	(void)user;
	return 0;
}

static bool fuzz_session_connect(void *user, unsigned conn, enum binance_tier tier)
{
	(void)user, (void)tier;
	FUZZ_CHECK(conn < FUZZ_SESSION_CONNS && !fuzz_session.there[conn]);
	fuzz_session.there[conn] = true;
	fuzz_session.up[conn] = fuzz_session.leaving[conn] = false;
	return true;
}

static void fuzz_session_order(void *user, unsigned conn, enum binance_order what, struct span text)
{
	(void)user;
	FUZZ_CHECK(conn < FUZZ_SESSION_CONNS && fuzz_session.there[conn]);
	if (what == BINANCE_CLOSE || what == BINANCE_KILL)
		fuzz_session.leaving[conn] = true;
	if (what != BINANCE_SEND)
		return;
	struct span padded = subject_pad(text);
	struct json_val id = json_find(padded, "id");
	FUZZ_CHECK(fuzz_session.up[conn] && id.kind == JSON_INT);
	fuzz_session.id = strtoull(id.p, NULL, 10);
	fuzz_session.id_conn = conn;
	subject_unpad(padded);
}

static int64_t fuzz_session_heard(void *user, unsigned conn)
{
	(void)user, (void)conn;
	return fuzz_session.now - 1000000;
}

static void fuzz_session_frame(void *user, size_t stream, struct span text, int64_t recv)
{
	size_t top_n;

	(void)user;
	FUZZ_CHECK(stream < fuzz_session.plan.streams && text.n <= BINANCE_FRAME_MAX && !memchr(text.p, '\n', text.n));
	struct span padded = subject_pad(text), copy = { padded.p, padded.n + 1 };
	fuzz_passed(&copy, &top_n);
	subject_unpad(padded);
	fuzz_session.frames++;
	outbox_frame(&fuzz_session.box, stream, fuzz_session.plan.stream[stream].conflates, text, recv);
}

static void fuzz_session_news(void *user, const struct binance_news_item *item)
{
	(void)user;
	FUZZ_CHECK(item->stream < (long)fuzz_session.plan.streams && item->detail && item->text);
	for (const char *p = item->text; *p; p++)
		FUZZ_CHECK(*p != '\n');
}

static void fuzz_session_nothing(void *user)
{
	(void)user;
}

/* what the reader is written now, up to so many bytes */
static void fuzz_session_write(size_t room)
{
	static char text[1 << 21];
	static size_t n;
	struct span head;
	size_t top_n;

	while (room && (head = outbox_head(&fuzz_session.box)).n > 0) {
		size_t part = head.n < room ? head.n : room;
		FUZZ_CHECK(n + part <= sizeof text);
		memcpy(text + n, head.p, part);
		n += part;
		room -= part;
		outbox_drop(&fuzz_session.box, part);
		struct span rest = { text, n };
		while (rest.n && memchr(rest.p, '\n', rest.n))
			fuzz_passed(&rest, &top_n);
		memmove(text, rest.p, rest.n);
		n = rest.n;
	}
}

static void fuzz_session_down(unsigned conn, unsigned how)
{
	struct binance_down d = { (enum binance_cause)(how % 4), how % 4 == BINANCE_DOWN_HTTP ? 429 : 0, how % 3 - 1,
		"for a reason" };

	if (!fuzz_session.there[conn])
		return;
	if (fuzz_session.leaving[conn])
		d.cause = BINANCE_DOWN_ASKED;
	fuzz_session.there[conn] = fuzz_session.up[conn] = false;
	binance_session_down(fuzz_session.s, conn, &d, fuzz_session.now);
}

static void fuzz_session_message(unsigned conn, struct span text)
{
	if (!fuzz_session.up[conn] || text.n == 0)
		return;
	struct span padded = subject_pad(text);
	json_flatten((char *)(size_t)padded.p, padded.n);
	binance_session_message(fuzz_session.s, conn, padded, fuzz_session.now, fuzz_session.now);
	subject_unpad(padded);
}

static void fuzz_session_happens(struct span line)
{
	unsigned how = line.n > 1 ? (uint8_t)line.p[1] : 0, conn = how % binance_session_conns(fuzz_session.s);
	char text[64];

	switch (line.p[0]) {
	case 1:
		if (fuzz_session.there[conn] && !fuzz_session.up[conn]) {
			fuzz_session.up[conn] = true;
			binance_session_up(fuzz_session.s, conn, fuzz_session.now);
		}
		break;
	case 2:
		fuzz_session_down(conn, how / 16);
		break;
	case 3:
		fuzz_session.speaker = conn;
		break;
	case 4:
		fuzz_session.now += how * how * 1000LL;
		binance_session_tick(fuzz_session.s, fuzz_session.now);
		break;
	case 5:
		if (fuzz_session.up[conn])
			binance_session_pong(fuzz_session.s, conn, fuzz_session.now);
		break;
	case 6:
		binance_session_pause(fuzz_session.s, "nobody reads", fuzz_session.now);
		break;
	case 7:
		binance_session_resume(fuzz_session.s, "they do", fuzz_session.now);
		break;
	case 8:
		snprintf(text, sizeof text, "{\"result\":null,\"id\":%llu}", (unsigned long long)fuzz_session.id);
		fuzz_session_message(fuzz_session.id_conn, span_of(text));
		break;
	default:
		break;
	}
}

/* a connection that is up and subscribed, so that messages have a meaning from the first one on */
static void fuzz_session_begin(unsigned how)
{
	static const struct binance_session_events events = { fuzz_session_may_connect, fuzz_session_connect,
		fuzz_session_order, fuzz_session_heard, fuzz_session_frame, fuzz_session_news, fuzz_session_nothing,
		fuzz_session_nothing };
	static const enum event_market markets[] = { EVENT_USDM, EVENT_SPOT };
	struct binance_session_options o = { .lines = 1 + how % 2,
		.max_age = 100000000,
		.stale = 30000000,
		.backoff_base = 1000,
		.backoff_cap = 100000,
		.seed = 7,
		.origin = "wss://h:1" };
	struct outbox_options box = { .market = markets[how / 2 % 2],
		.cap = 100000,
		.reserve = 2 << 20,
		.conflate = how / 4 % 2,
		.raw = how / 8 % 2 };
	char why[256];

	binance_plan_open(&fuzz_session.plan, box.market);
	FUZZ_CHECK(
	    binance_plan_add(&fuzz_session.plan, SPAN("solusdt"), SPAN("aggTrade,book,trade,depth,kline_1m"), why));
	FUZZ_CHECK(binance_plan_ready(&fuzz_session.plan));
	box.streams = fuzz_session.plan.streams;
	FUZZ_CHECK(outbox_open(&fuzz_session.box, &box));
	fuzz_session.now = 1000000000;
	fuzz_session.speaker = 0;
	fuzz_session.frames = 0;
	memset(fuzz_session.there, 0, sizeof fuzz_session.there);
	fuzz_session.s = binance_session_new(&fuzz_session.plan, &o, &events, NULL);
	FUZZ_CHECK(fuzz_session.s && binance_session_conns(fuzz_session.s) <= FUZZ_SESSION_CONNS);
	binance_session_tick(fuzz_session.s, fuzz_session.now);
	for (unsigned conn = 0; conn < binance_session_conns(fuzz_session.s); conn++) {
		fuzz_session_happens((struct span){ (char[]){ 1, (char)conn }, 2 });
		fuzz_session_happens((struct span){ (char[]){ 8 }, 1 });
		fuzz_session.speaker = fuzz_session.up[conn] ? conn : fuzz_session.speaker;
	}
	fuzz_session_happens((struct span){ (char[]){ 4, 20 }, 2 });
}

static void fuzz_session_end(void)
{
	binance_session_end(fuzz_session.s, fuzz_session.now);
	for (unsigned conn = 0; conn < binance_session_conns(fuzz_session.s); conn++)
		fuzz_session_down(conn, 0);
	FUZZ_CHECK(binance_session_ended(fuzz_session.s));
	fuzz_session_write(SIZE_MAX);
	FUZZ_CHECK(outbox_empty(&fuzz_session.box));
	binance_session_free(fuzz_session.s);
	outbox_close(&fuzz_session.box);
	binance_plan_close(&fuzz_session.plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size }, line;
	unsigned how = 0;

	if (size && data[0] >= 0x10 && data[0] < 0x20) {
		how = data[0] - 0x10u;
		rest = (struct span){ rest.p + 1, rest.n - 1 };
	}
	fuzz_session_begin(how);
	for (unsigned n = 0; fuzz_line(&rest, &line); n++) {
		fuzz_session.now += 100;
		if (line.n && line.p[0] > 0 && line.p[0] <= 8)
			fuzz_session_happens(line);
		else
			fuzz_session_message(fuzz_session.speaker, line);
		fuzz_session_write(how / 4 % 2 ? 20 : SIZE_MAX);
	}
	fuzz_session_end();
	return 0;
}
