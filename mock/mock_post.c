#include "mock_post.h"

#include "mock_act.h"
#include "mock_send.h"

#define WRAPPED_MAX (256u << 10)

/* Which name selects ALGO_UPDATE is not known: both that clients use do. */
static bool names(struct span name, struct span event)
{
	return span_eq(name, event) || (span_is(event, "ALGO_UPDATE") && span_is(name, "ALGO_ORDER_UPDATE"));
}

static bool listed(const char *events, struct span event)
{
	struct span list = span_of(events ? events : "");

	if (!events)
		return true;
	while (list.p)
		if (names(span_cut(list, '/', &list), event))
			return true;
	return false;
}

static bool carries(const struct mock_conn *c, enum mock_market market)
{
	if (market == MOCK_USDM)
		return c->path_tier == MOCK_TIER_PRIVATE;
	return c->path_tier == MOCK_TIER_NONE && !c->api && (c->market == MOCK_COINM || c->market == MOCK_MARKETS);
}

static void to_listeners(const struct mock_account *a, struct mock_conn *c, const struct mock_letter *l, int64_t now)
{
	const struct mock_listen *listen = &a->listen[l->market];

	if (!listen->alive || !carries(c, l->market))
		return;
	for (size_t i = 0; i < c->subs; i++) {
		const struct mock_sub *s = &c->sub[i];
		if (!s->silent && strcmp(s->name, listen->key) == 0 && listed(s->events, l->event))
			mock_send_event(c, span_of(s->name), l->event, l->payload, now);
	}
}

static void to_subscriber(struct mock_conn *c, const struct mock_letter *l, int64_t now)
{
	struct mock_buf b = mock_buf_of(WRAPPED_MAX);

	if (!c->api || c->session.subscription < 0)
		return;
	mock_put_lit(&b, "{\"subscriptionId\":");
	mock_put_i64(&b, c->session.subscription);
	mock_put_lit(&b, ",\"event\":");
	mock_put(&b, l->payload);
	mock_put_char(&b, '}');
	mock_send_event(c, SPAN("userDataStream"), l->event, mock_buf_span(&b), now);
	mock_buf_free(&b);
	if (span_is(l->event, "eventStreamTerminated"))
		c->session.subscription = -1;
}

void mock_post(
    const struct mock_account *a, struct mock_conn *c, const struct mock_letter *l, int64_t now, int64_t wall_ms)
{
	if (c->state != MOCK_OPEN)
		return;
	if (l->market == MOCK_SPOT)
		to_subscriber(c, l, now);
	else
		to_listeners(a, c, l, now);
	if (c->armed)
		mock_act_due(c, now, wall_ms);
	mock_conn_flush(c, now);
}
