#include "uplink.h"

#include <stdlib.h>

#include "clock.h"

bool uplink_open(struct uplink *u, struct ws *ws, size_t conns)
{
	u->ws = ws;
	u->conn = calloc(conns, sizeof(struct ws_conn *));
	return u->conn != NULL;
}

void uplink_close(struct uplink *u)
{
	if (u->counted)
		budget_close(&u->budget);
	free(u->conn);
	*u = (struct uplink){ 0 };
}

bool uplink_count(struct uplink *u, uint64_t limit, int64_t window, char why[256])
{
	char dir[BUDGET_DIR_MAX];

	u->counted = true;
	budget_dir(dir);
	return budget_open(&u->budget, dir, "connections", limit, window, why);
}

int64_t uplink_may_connect(struct uplink *u)
{
	return u->counted ? budget_take(&u->budget, clock_mono_us()) : 0;
}

bool uplink_connect(struct uplink *u, unsigned conn, const struct ws_target *to)
{
	u->conn[conn] = ws_connect(u->ws, to, &u->conn[conn]);
	return u->conn[conn] != NULL;
}

void uplink_order(const struct uplink *u, unsigned conn, enum binance_order what, struct span text)
{
	struct ws_conn *c = u->conn[conn];

	if (c && what == BINANCE_SEND)
		(void)ws_send(c, text); /* refused only when the connection is down, which is told by itself */
	else if (c && what == BINANCE_PING)
		ws_ping(c);
	else if (c && what == BINANCE_CLOSE)
		ws_close(c, 1000);
	else if (c)
		ws_kill(c);
}

int64_t uplink_heard(const struct uplink *u, unsigned conn)
{
	return u->conn[conn] ? ws_heard(u->conn[conn]) : 0;
}

unsigned uplink_number(const struct uplink *u, const struct ws_conn *c)
{
	return (unsigned)((struct ws_conn *const *)ws_tag(c) - u->conn);
}

static enum binance_cause cause_of(enum ws_cause cause)
{
	switch (cause) {
	case WS_CERTIFICATE:
		return BINANCE_DOWN_CERTIFICATE;
	case WS_HTTP:
		return BINANCE_DOWN_HTTP;
	case WS_ASKED:
		return BINANCE_DOWN_ASKED;
	default:
		return BINANCE_DOWN_NETWORK;
	}
}

unsigned uplink_down(struct uplink *u, const struct ws_conn *c, const struct ws_end *end, struct binance_down *d)
{
	unsigned conn = uplink_number(u, c);

	u->conn[conn] = NULL;
	*d = (struct binance_down){ cause_of(end->cause), end->http, end->retry_after, end->text };
	return conn;
}
