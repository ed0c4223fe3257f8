/* What people and the environment say: proxies, URLs, names of streams and of recordings, times, durations. And what a
 * proxy answers: the first line of the input is the text, the rest the answer. */
#include "fuzz.h"

#include "binance_stream.h"
#include "proxy.h"
#include "rec.h"
#include "when.h"

/* one line for people, without the secret */
static void fuzz_text_why(const char *why, size_t cap, struct span said)
{
	size_t n = strnlen(why, cap);

	FUZZ_CHECK(n > 0 && n < cap);
	/* what the other side says may be repeated */
	FUZZ_CHECK(!memmem(why, n, "SECRET", 6) || (said.n && memmem(said.p, said.n, "SECRET", 6)));
}

static struct span fuzz_text_proxy_url;

static char *fuzz_text_env(const char *name)
{
	static char text[1024];

	if (strcmp(name, "all_proxy") != 0 || fuzz_text_proxy_url.n >= sizeof text)
		return NULL;
	memcpy(text, fuzz_text_proxy_url.p, fuzz_text_proxy_url.n);
	text[fuzz_text_proxy_url.n] = '\0';
	return text;
}

/* the talk to its end: never a byte is asked for that the answer need not have */
static void fuzz_text_talk(const struct proxy *p, struct span answer)
{
	const struct span whole = answer;
	struct proxy_talk t;
	enum proxy_step step = PROXY_GOES_ON;

	if (!proxy_begin(&t, p, SPAN("stream.example"), 443))
		return;
	while (step == PROXY_GOES_ON) {
		struct span out = proxy_to_send(&t);
		if (out.n) {
			proxy_sent(&t, out.n > 3 ? out.n / 2 : out.n);
			continue;
		}
		size_t want = proxy_wants(&t);
		FUZZ_CHECK(want > 0);
		size_t n = want < answer.n ? want : answer.n;
		if (n == 0)
			return;
		step = proxy_got(&t, (struct span){ answer.p, n });
		answer = (struct span){ answer.p + n, answer.n - n };
	}
	if (step == PROXY_FAILED)
		fuzz_text_why(t.why, sizeof t.why, whole);
}

static void fuzz_text_proxy(struct span text, struct span answer)
{
	static const enum proxy_kind kinds[] = { PROXY_HTTP, PROXY_SOCKS5, PROXY_SOCKS5H };
	char why[256] = "";
	struct proxy p;

	memset(&p, 0x5a, sizeof p);
	if (proxy_parse(&p, text, why)) {
		FUZZ_CHECK(p.kind != PROXY_NONE && strnlen(p.host, sizeof p.host) < sizeof p.host && p.host[0]);
		FUZZ_CHECK(!p.login || strnlen(p.password, sizeof p.password) < sizeof p.password);
		fuzz_text_talk(&p, answer);
	} else {
		FUZZ_CHECK(why[0]);
	}
	proxy_excepted(text, SPAN("stream.example"), 443);
	proxy_excepted(text, SPAN("10.1.2.3"), 443);
	fuzz_text_proxy_url = text;
	(void)proxy_pick(&p, fuzz_text_env, SPAN("stream.example"), 443, true, why);
	for (size_t i = 0; i < 3; i++) {
		struct proxy plain = { .kind = kinds[i],
			.host = "proxy",
			.port = 1080,
			.login = text.n % 2,
			.user = "me",
			.password = "SECRET" };
		fuzz_text_talk(&plain, answer);
	}
}

static void fuzz_text_streams(struct span text)
{
	static const enum event_market markets[] = { EVENT_USDM, EVENT_COINM, EVENT_SPOT };
	char why[256], message[BINANCE_MESSAGE_MAX];
	struct binance_endpoint e, requests;
	struct binance_plan p;
	size_t upto;

	for (size_t i = 0; i < 3; i++) {
		if (!binance_endpoint(&e, markets[i], text, why))
			FUZZ_CHECK(strnlen(why, sizeof why) < sizeof why);
		else
			FUZZ_CHECK(e.host[0] && strnlen(e.origin, sizeof e.origin) < sizeof e.origin);
		binance_endpoints(&e, &requests, markets[i], text, why);
		binance_plan_open(&p, markets[i]);
		if (binance_plan_add(&p, text, SPAN("book,agg"), why) &&
		    binance_plan_add(&p, SPAN("btcusdt"), text, why) && binance_plan_ready(&p) && p.routes) {
			size_t n = binance_subscribe(message, &p, &p.route[0], p.route[0].first, 1, &upto);
			struct span whole = { message, n }, padded = subject_pad(whole);
			struct json r;
			struct json_val top;
			FUZZ_CHECK(n < sizeof message && json_check(&r, padded, &top) && upto > p.route[0].first);
			subject_unpad(padded);
		}
		binance_plan_close(&p);
	}
}

static void fuzz_text_times(struct span text)
{
	char printed[WHEN_TEXT_MAX];
	struct span frame;
	int64_t us, again;

	if (when_parse(text, &us) && us >= 0) {
		size_t n = when_print(printed, us, 6);
		FUZZ_CHECK(n < sizeof printed);
		FUZZ_CHECK(us > 253402300799000000 || (when_parse((struct span){ printed, n }, &again) && again == us));
	}
	if (when_cut(text, &us, &frame))
		FUZZ_CHECK(frame.p > text.p && frame.p + frame.n == text.p + text.n);
}

static void fuzz_text_names(struct span text)
{
	char printed[REC_NAME_MAX];
	struct rec_name name, again;

	FUZZ_CHECK(!rec_is_prefix(text) || (text.n > 0 && text.n <= REC_PREFIX_MAX));
	FUZZ_CHECK(rec_name_compare(text, text) == 0);
	if (!rec_name_parse(text, &name))
		return;
	FUZZ_CHECK(rec_is_recording(text));
	if (!rec_is_prefix(name.prefix))
		return;
	rec_name_print(printed, &name);
	FUZZ_CHECK(rec_name_parse(span_of(printed), &again) && span_eq(again.prefix, name.prefix) &&
		   again.second == name.second && again.number == name.number && again.part == name.part);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span answer, text = span_cut((struct span){ (const char *)data, size }, '\n', &answer);
	struct span padded = subject_pad(text);

	fuzz_text_proxy(padded, answer.p ? answer : SPAN(""));
	fuzz_text_streams(padded);
	fuzz_text_times(padded);
	fuzz_text_names(padded);
	subject_unpad(padded);
	return 0;
}
