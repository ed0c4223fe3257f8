#include "mock_hub.h"

#include <stdlib.h>

static size_t bucket_of(enum mock_market market, struct span name)
{
	return span_hash(name, SPAN_HASH + (uint64_t)market) % MOCK_HUB_BUCKETS;
}

struct mock_stream *mock_hub_find(const struct mock_hub *h, enum mock_market market, struct span name)
{
	struct mock_stream *s = h->bucket[bucket_of(market, name)];

	while (s && !(s->market == market && span_is(name, s->name)))
		s = s->next;
	return s;
}

/* where the walk says who wants the event behind a name; NULL: it has no such event. Mark prices and bars of either
 * kind of futures may be had on either host (bnc-wire(7) 1.3) */
static void **slot_of(struct mock_walk *w, enum mock_market market, struct span name)
{
	struct mock_name n;

	if (!mock_name_parse(name, market, &n))
		return NULL;
	if (n.all)
		return &w->user[market][n.slot];
	struct mock_symbol *s = mock_walk_find(w, n.symbol, market);
	bool either = n.slot == MOCK_MARK_1S || n.slot == MOCK_MARK_3S || n.slot >= MOCK_KLINE;
	if (!s && either && market != MOCK_SPOT)
		s = mock_walk_find(w, n.symbol, market == MOCK_USDM ? MOCK_COINM : MOCK_USDM);
	return s ? &s->user[n.slot] : NULL;
}

static struct mock_stream *add(struct mock_hub *h, enum mock_market market, struct span name)
{
	struct mock_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->name = strndup(name.p, name.n);
	if (!s->name) {
		free(s);
		return NULL;
	}
	s->market = market;
	size_t b = bucket_of(market, name);
	s->next = h->bucket[b];
	h->bucket[b] = s;
	s->slot = slot_of(h->walk, market, name);
	if (s->slot) {
		s->also = *s->slot;
		*s->slot = s;
	}
	return s;
}

static void drop(struct mock_hub *h, struct mock_stream *s)
{
	struct mock_stream **at = &h->bucket[bucket_of(s->market, span_of(s->name))];

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (s->slot && *s->slot == s) {
		*s->slot = s->also;
	} else if (s->slot) {
		struct mock_stream *other = *s->slot;
		while (other->also != s)
			other = other->also;
		other->also = s->also;
	}
	free(s->conn);
	free(s->name);
	free(s);
}

static bool room(struct mock_stream *s)
{
	if (s->conns < s->cap)
		return true;
	size_t cap = s->cap ? s->cap * 2 : 4;
	struct mock_conn **conn = realloc(s->conn, cap * sizeof(struct mock_conn *));
	if (!conn)
		return false;
	s->conn = conn;
	s->cap = cap;
	return true;
}

struct mock_stream *mock_hub_join(struct mock_hub *h, enum mock_market market, struct span name, struct mock_conn *c)
{
	struct mock_stream *s = mock_hub_find(h, market, name);

	if (!s)
		s = add(h, market, name);
	if (!s)
		return NULL;
	if (!room(s)) {
		if (s->conns == 0)
			drop(h, s);
		return NULL;
	}
	s->conn[s->conns++] = c;
	h->live++;
	return s;
}

void mock_hub_leave(struct mock_hub *h, struct mock_stream *s, struct mock_conn *c)
{
	for (size_t i = 0; i < s->conns; i++) {
		if (s->conn[i] != c)
			continue;
		memmove(s->conn + i, s->conn + i + 1, (s->conns - i - 1) * sizeof(struct mock_conn *));
		s->conns--;
		h->live--;
		break;
	}
	if (s->conns == 0)
		drop(h, s);
}
