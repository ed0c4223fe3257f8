/* binance_news - what a session has to tell: which of it is a status record, what people are told of it, and how often.
 * Pure: times come in as arguments, news go out through a callback. */
#ifndef BNC_BINANCE_NEWS_H
#define BNC_BINANCE_NEWS_H

#include "arbiter.h"
#include "binance_stream.h"
#include "rate.h"

#define BINANCE_DETAIL_MAX 800

enum binance_topic {
	BINANCE_NEWS_CONNECTING, /* the first attempt begins */
	BINANCE_NEWS_FAILED,	 /* there is no connection: why, and when the next attempt is due */
	BINANCE_NEWS_LIVE,	 /* a connection has all its subscriptions; or a stream that was named stale delivers */
	BINANCE_NEWS_STALE,	 /* a stream never delivers, a connection is dead, a request is refused */
	BINANCE_NEWS_GAP,
	BINANCE_NEWS_REFUSED, /* a frame that is none */
	BINANCE_NEWS_NOTE,    /* only for those who want to know it all */
};

struct binance_news_item {
	enum binance_topic topic;
	bool loud;	   /* people should be told; else only those who want to know it all */
	const char *state; /* of a status record: connecting, live, stale, gap; NULL: there is none */
	long stream;	   /* -1: none */
	const struct arbiter_gap *gap; /* BINANCE_NEWS_GAP */
	const char *detail;	       /* of the status record */
	const char *text;	       /* for people: the same, and what the keys of the record say */
};

struct binance_news {
	const struct binance_plan *plan;
	void (*out)(void *user, const struct binance_news_item *item); /* texts are valid during the call */
	void *user;
	bool failed; /* a failure has been told, and no success since */
	struct rate gaps, refusals;
};

void binance_news_open(struct binance_news *w, const struct binance_plan *p,
    void (*out)(void *user, const struct binance_news_item *item), void *user);

/* stream: of the plan, or -1: then there need be no plan. A gap may be told in words alone. */
void binance_news_tell(struct binance_news *w, int64_t now, enum binance_topic topic, long stream, const char *format,
    ...) __attribute__((format(printf, 5, 6)));
void binance_news_gap(struct binance_news *w, int64_t now, const struct arbiter_gap *gap);

/* Gaps and refusals that came too thick to be told one by one are summed up in time, and at the end: INT64_MAX. */
void binance_news_tick(struct binance_news *w, int64_t now);

/* "1.250 s" of a duration in µs */
struct binance_seconds {
	char p[32];
};
struct binance_seconds binance_seconds(int64_t us);

#endif
