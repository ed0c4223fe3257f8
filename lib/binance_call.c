#include "binance_call.h"

#include <stdio.h>

#include "jsonw.h"
#include "num.h"

/* ------------------------------------------------------------------------------------------------- requests */

/* binance 3.1, 4.3: the listen key wants the API key alone, the state of an account a signature as well */
static const struct {
	enum event_market market;
	enum binance_call call;
	struct binance_call_info info;
} calls[] = {
	{ EVENT_USDM, BINANCE_CALL_TIME, { "/fapi/v1/time", BINANCE_GET, false, false } },
	{ EVENT_USDM, BINANCE_CALL_KEY_NEW, { "/fapi/v1/listenKey", BINANCE_POST, true, false } },
	{ EVENT_USDM, BINANCE_CALL_KEY_KEEP, { "/fapi/v1/listenKey", BINANCE_PUT, true, false } },
	{ EVENT_USDM, BINANCE_CALL_BALANCES, { "/fapi/v3/balance", BINANCE_GET, true, true } },
	{ EVENT_USDM, BINANCE_CALL_POSITIONS, { "/fapi/v3/positionRisk", BINANCE_GET, true, true } },
	{ EVENT_COINM, BINANCE_CALL_TIME, { "/dapi/v1/time", BINANCE_GET, false, false } },
	{ EVENT_COINM, BINANCE_CALL_KEY_NEW, { "/dapi/v1/listenKey", BINANCE_POST, true, false } },
	{ EVENT_COINM, BINANCE_CALL_KEY_KEEP, { "/dapi/v1/listenKey", BINANCE_PUT, true, false } },
	{ EVENT_COINM, BINANCE_CALL_BALANCES, { "/dapi/v1/balance", BINANCE_GET, true, true } },
	{ EVENT_COINM, BINANCE_CALL_POSITIONS, { "/dapi/v1/positionRisk", BINANCE_GET, true, true } },
	{ EVENT_SPOT, BINANCE_CALL_TIME, { "/api/v3/time", BINANCE_GET, false, false } },
	{ EVENT_SPOT, BINANCE_CALL_BALANCES, { "/api/v3/account", BINANCE_GET, true, true } },
};

struct binance_call_info binance_call(enum event_market m, enum binance_call call)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (calls[i].market == m && calls[i].call == call)
			return calls[i].info;
	return (struct binance_call_info){ .path = NULL };
}

void binance_call_name(char out[BINANCE_CALL_NAME_MAX], enum event_market m, enum binance_call call)
{
	static const char *const verbs[] = { "GET", "POST", "PUT" };
	struct binance_call_info info = binance_call(m, call);

	snprintf(out, BINANCE_CALL_NAME_MAX, "%s %s", verbs[info.verb], info.path ? info.path : "");
}

size_t binance_call_query(char out[BINANCE_QUERY_MAX], enum event_market m, int64_t timestamp)
{
	return (size_t)snprintf(out, BINANCE_QUERY_MAX, "%srecvWindow=%d&timestamp=%lld",
	    m == EVENT_SPOT ? "omitZeroBalances=true&" : "", BINANCE_RECV_WINDOW, (long long)timestamp);
}

/* --------------------------------------------------------------------------------------------------- events */

/* binance 3.2: names with '/' between; what is not named does not come */
#define EVENTS "ACCOUNT_UPDATE/ORDER_TRADE_UPDATE/MARGIN_CALL/ACCOUNT_CONFIG_UPDATE/listenKeyExpired"

size_t binance_call_path(char *out, enum event_market m, enum binance_form form, struct span listen_key)
{
	const char *place = binance_call_place(m, form);
	int n = (int)listen_key.n;

	if (m == EVENT_SPOT || form == BINANCE_FORM_SUBSCRIBE)
		return (size_t)snprintf(out, BINANCE_PATH_MAX, "%s", place);
	if (m == EVENT_COINM)
		return (size_t)snprintf(out, BINANCE_PATH_MAX, "%s/%.*s", place, n, listen_key.p);
	return (size_t)snprintf(out, BINANCE_PATH_MAX, "%s?listenKey=%.*s&events=" EVENTS, place, n, listen_key.p);
}

const char *binance_call_place(enum event_market m, enum binance_form form)
{
	if (m == EVENT_SPOT)
		return "/ws-api/v3";
	if (m == EVENT_COINM) /* no tiers there */
		return form == BINANCE_FORM_QUERY ? "/ws" : "/stream";
	return form == BINANCE_FORM_QUERY ? "/private/ws" : "/private/stream";
}

bool binance_call_is_listen_key(struct span key)
{
	for (size_t i = 0; i < key.n; i++)
		if (!((key.p[i] >= '0' && key.p[i] <= '9') || (key.p[i] >= 'A' && key.p[i] <= 'Z') ||
			(key.p[i] >= 'a' && key.p[i] <= 'z') || key.p[i] == '-' || key.p[i] == '_'))
			return false;
	return key.n > 0 && key.n <= BINANCE_LISTEN_KEY_MAX;
}

size_t binance_call_subscribe(char *out, struct span listen_key, uint64_t id)
{
	return (size_t)snprintf(out, BINANCE_CALL_MESSAGE_MAX,
	    "{\"method\":\"SUBSCRIBE\",\"params\":[\"%.*s\"],\"id\":%llu}", (int)listen_key.n, listen_key.p,
	    (unsigned long long)id);
}

size_t binance_call_logon_text(char *out, struct span api_key, int64_t timestamp)
{
	return (size_t)snprintf(out, BINANCE_CALL_MESSAGE_MAX, "apiKey=%.*s&recvWindow=%d&timestamp=%lld",
	    (int)api_key.n, api_key.p, BINANCE_RECV_WINDOW, (long long)timestamp);
}

size_t binance_call_logon(char *out, struct span api_key, int64_t timestamp, struct span signature, uint64_t id)
{
	char *o = jsonw_lit(out, "{\"id\":\"");

	o = num_print_u64(o, id);
	o = jsonw_lit(o, "\",\"method\":\"userDataStream.subscribe.signature\",\"params\":{\"apiKey\":");
	o = jsonw_string(o, api_key);
	o = jsonw_i64(jsonw_lit(o, ",\"recvWindow\":"), BINANCE_RECV_WINDOW);
	o = jsonw_i64(jsonw_lit(o, ",\"timestamp\":"), timestamp);
	o = jsonw_string(jsonw_lit(o, ",\"signature\":"), signature);
	return (size_t)(jsonw_lit(o, "}}") - out);
}
