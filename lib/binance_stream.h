/* binance_stream - names of streams, which tier carries them, hosts, limits, and the plan: operands of a user ->
 * streams -> connections. Pure. Facts with their sources: bnc-wire(7). */
#ifndef BNC_BINANCE_STREAM_H
#define BNC_BINANCE_STREAM_H

#include <stdint.h>

#include "event.h"

/* Limits of the exchange (its documents, and what was measured on it, as of 2026-10) and how far we go. */
#define BINANCE_CONN_STREAMS 200 /* of one connection; documented 1024, older documents and many clients 200 */
#define BINANCE_BATCH_NAMES 200	 /* in one SUBSCRIBE; 200 measured to be fine */
#define BINANCE_BATCH_BYTES (24u << 10)
#define BINANCE_CONNECTS 240 /* in BINANCE_CONNECTS_US; documented 300 per address, the rest is left to others */
#define BINANCE_CONNECTS_US (300 * 1000000LL)
#define BINANCE_MAX_AGE_US ((24 * 60 - 10) * 60 * 1000000LL) /* the exchange cuts at 24 h */
#define BINANCE_NAME_MAX 200 /* bytes of a stream name; the longest symbol has 17 characters of at most 4 bytes */
#define BINANCE_STREAMS_MAX 4000

/* between two messages of ours on one connection: 10 a second documented on futures, 5 on spot, where one in 250 ms was
 * cut off and one in 500 ms held */
int64_t binance_message_gap_us(enum event_market m);

enum binance_tier {
	BINANCE_TIER_NONE, /* spot and COIN-M have one endpoint for all */
	BINANCE_TIER_PUBLIC,
	BINANCE_TIER_MARKET,
};

/* what a stream carries, as far as its ids go (binance_ids) */
enum binance_kind {
	BINANCE_KIND_OTHER, /* known by its bytes alone */
	BINANCE_KIND_BOOK,  /* bookTicker of one symbol */
	BINANCE_KIND_AGG_TRADE,
	BINANCE_KIND_TRADE,
	BINANCE_KIND_DEPTH,   /* differences */
	BINANCE_KIND_PARTIAL, /* the best 5, 10 or 20 levels */
	BINANCE_KIND_MARK,    /* markPrice of one symbol */
};

/* of a stream's name as the exchange writes it; BINANCE_KIND_OTHER for a name that nobody knows */
enum binance_kind binance_stream_kind(enum event_market m, struct span name);

struct binance_stream {
	char *name; /* NUL-terminated UTF-8 */
	size_t n;
	enum binance_tier tier;
	enum binance_kind kind;
	bool known;	/* a channel of this program's list; else the exchange may acknowledge it and stay silent */
	bool quiet;	/* by nature: no alarm when nothing comes */
	bool conflates; /* the newest frame says it all: bookTicker and markPrice of one symbol */
};

struct binance_route { /* what one connection carries */
	enum binance_tier tier;
	size_t first, n; /* streams of the plan */
};

struct binance_plan {
	enum event_market market;
	struct binance_stream *stream; /* owned; by tier when ready */
	size_t streams, cap;
	struct binance_route *route; /* owned */
	size_t routes;
	uint32_t *bucket; /* owned; name -> index + 1 */
	size_t buckets;
};

void binance_plan_open(struct binance_plan *p, enum event_market m);
void binance_plan_close(struct binance_plan *p);

/* A symbol in any case (one stream a channel) or a stream name, whose symbol part is lowered. channels:
 * "book,aggTrade"; the exchange's own words, and book, agg, mark, mini for bookTicker, aggTrade, markPrice@1s,
 * miniTicker. What was asked for twice is there once. false: why[] says what is wrong with which name; errno is ENOMEM
 * where it is memory. */
bool binance_plan_add(struct binance_plan *p, struct span operand, struct span channels, char why[256]);

/* sorts by tier and deals out connections; false: out of memory */
bool binance_plan_ready(struct binance_plan *p);

/* the stream of that name, -1 for none; after binance_plan_ready */
long binance_plan_find(const struct binance_plan *p, struct span name);

/* the tier of fstream that carries a stream, the rule of 2026-04-23; the wrong one acknowledges and stays silent */
enum binance_tier binance_tier(enum event_market m, struct span name);
/* "/public/stream": short, because names go in SUBSCRIBE messages */
struct span binance_tier_path(enum binance_tier t);

/* {"method":"SUBSCRIBE","params":[...],"id":n} for streams from `from` up to the end of the route, as many as one
 * message takes; out has BINANCE_MESSAGE_MAX bytes. *upto is the first one left. Returns its length. */
#define BINANCE_MESSAGE_MAX (BINANCE_BATCH_BYTES + 6 * BINANCE_NAME_MAX + 128)
size_t binance_subscribe(char *out, const struct binance_plan *p, const struct binance_route *r, size_t from,
    uint64_t id, size_t *upto);

struct binance_endpoint {
	char host[254];
	char origin[280]; /* "wss://host:port" */
	uint16_t port;
	bool tls;
	bool live; /* the exchange's production host: its data is the market */
};

/* "live", "testnet", "demo", or a URL: wss://host[:port], ws:// only for this machine. false: why[] */
bool binance_endpoint(struct binance_endpoint *e, enum event_market m, struct span u, char why[256]);

/* the two of an account: where its events come from, and where its requests go ("https://host:port"). A URL stands for
 * both; keys go over TLS alone, so that it begins wss://. */
bool binance_endpoints(struct binance_endpoint *events, struct binance_endpoint *requests, enum event_market m,
    struct span u, char why[256]);

/* a host of this very machine */
bool binance_is_loopback(const struct binance_endpoint *e);

#endif
