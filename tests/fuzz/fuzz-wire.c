/* One event of one type, or one row of one answer: the first byte of a line says which, the rest is what stands in it
 * beside its name. So every byte that is tried is read by that type's own function, and none is spent on its name. */
#include "records.h"

#define FUZZ_WIRE_EVENT(market, name)                                                                                  \
	{                                                                                                              \
		market, "{\"e\":\"" name "\",", "}"                                                                    \
	}
#define FUZZ_WIRE_OF_SPOT(name)                                                                                        \
	{                                                                                                              \
		EVENT_SPOT, "{\"subscriptionId\":0,\"event\":{\"e\":\"" name "\",", "}}"                               \
	}
#define FUZZ_WIRE_ROW(market, path)                                                                                    \
	{                                                                                                              \
		market, "{\"stream\":\"" path "\",\"data\":[{", "}]}"                                                  \
	}

/* 'A' is the first one */
static const struct fuzz_wire_kind {
	enum event_market market;
	const char *before, *behind;
} fuzz_wire_kinds[] = {
	FUZZ_WIRE_EVENT(EVENT_USDM, "bookTicker"), /* A */
	FUZZ_WIRE_EVENT(EVENT_USDM, "aggTrade"),
	FUZZ_WIRE_EVENT(EVENT_USDM, "trade"),
	FUZZ_WIRE_EVENT(EVENT_USDM, "markPriceUpdate"),
	FUZZ_WIRE_EVENT(EVENT_USDM, "depthUpdate"), /* E */
	{ EVENT_USDM, "{\"e\":\"kline\",\"k\":{", "}}" },
	FUZZ_WIRE_EVENT(EVENT_USDM, "24hrTicker"),
	FUZZ_WIRE_EVENT(EVENT_USDM, "24hrMiniTicker"),
	{ EVENT_USDM, "{\"e\":\"forceOrder\",\"E\":1,\"o\":{", "}}" }, /* I */
	{ EVENT_SPOT, "{\"u\":1,", "}" },			       /* bookTicker */
	{ EVENT_SPOT, "{\"lastUpdateId\":1,", "}" },
	{ EVENT_USDM, "{\"e\":\"ACCOUNT_UPDATE\",\"E\":1,\"T\":1,\"a\":{", "}}" },
	{ EVENT_USDM, "{\"e\":\"ORDER_TRADE_UPDATE\",\"E\":1,\"T\":1,\"o\":{", "}}" }, /* M */
	{ EVENT_COINM, "{\"e\":\"ORDER_TRADE_UPDATE\",\"E\":1,\"T\":1,\"o\":{", "}}" },
	FUZZ_WIRE_EVENT(EVENT_USDM, "TRADE_LITE"),
	FUZZ_WIRE_OF_SPOT("executionReport"),
	FUZZ_WIRE_OF_SPOT("outboundAccountPosition"), /* Q */
	FUZZ_WIRE_EVENT(EVENT_USDM, "MARGIN_CALL"),
	FUZZ_WIRE_EVENT(EVENT_USDM, "ACCOUNT_CONFIG_UPDATE"),
	{ EVENT_USDM, "{\"e\":\"ALGO_UPDATE\",\"E\":1,\"T\":1,\"o\":{", "}}" },
	FUZZ_WIRE_OF_SPOT("balanceUpdate"), /* U */
	FUZZ_WIRE_OF_SPOT("externalLockUpdate"),
	FUZZ_WIRE_EVENT(EVENT_USDM, "listenKeyExpired"),
	FUZZ_WIRE_OF_SPOT("eventStreamTerminated"),
	FUZZ_WIRE_ROW(EVENT_USDM, "/fapi/v3/balance"), /* Y */
	FUZZ_WIRE_ROW(EVENT_COINM, "/dapi/v1/balance"),
	FUZZ_WIRE_ROW(EVENT_USDM, "/fapi/v3/positionRisk"), /* [ */
	FUZZ_WIRE_ROW(EVENT_COINM, "/dapi/v1/positionRisk"),
	{ EVENT_SPOT, "{\"stream\":\"/api/v3/account\",\"data\":{", "}}" },
	{ EVENT_USDM, "{\"stream\":\"!ticker@arr\",\"data\":[{\"e\":\"24hrTicker\",", "}]}" },
	{ EVENT_USDM, "{\"recv\":1790526538965462,\"market\":\"coinm\",\"stream\":\"s\",\"data\":{", "}}" },
};
#define FUZZ_WIRE_KINDS (sizeof fuzz_wire_kinds / sizeof fuzz_wire_kinds[0])

static void fuzz_wire_line(struct subject *s, const struct fuzz_wire_kind *k, struct span members)
{
	struct span before = span_of(k->before), behind = span_of(k->behind);
	size_t n = before.n + members.n + behind.n;
	char *line = malloc(n);

	FUZZ_CHECK(line != NULL);
	memcpy(line, before.p, before.n);
	memcpy(line + before.n, members.p, members.n);
	memcpy(line + before.n + members.n, behind.p, behind.n);
	records_line(s, (struct span){ line, n });
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = { (const char *)data, size };
	struct span line;
	struct subject *s[3] = { subject_new(EVENT_USDM, false), subject_new(EVENT_COINM, false),
		subject_new(EVENT_SPOT, false) };

	while (fuzz_line(&rest, &line)) {
		if (line.n == 0)
			continue;
		const struct fuzz_wire_kind *k = &fuzz_wire_kinds[(uint8_t)(line.p[0] - 'A') % FUZZ_WIRE_KINDS];
		struct subject *of = s[k->market == EVENT_USDM ? 0 : k->market == EVENT_COINM ? 1 : 2];
		fuzz_wire_line(of, k, (struct span){ line.p + 1, line.n - 1 });
	}
	for (size_t i = 0; i < 3; i++)
		subject_free(s[i]);
	return 0;
}
