/* binance_follow - keeps the events of an account coming and its state known. A pure state machine: what happens comes
 * in (up, message, pong, down, answer, tick, each with its time), what is to be done goes out through callbacks. It
 * knows neither sockets nor clocks, nor the secrets of the account, but the listen key.
 *
 * The order of things (bnc-wire(7) 3): the exchange's time; a listen key; a connection, whose events wait; a
 * snapshot by requests, given out before them; then everything as it comes. The listen key is kept alive; whatever ends
 * the connection, or the key, leads to a new one and a fresh snapshot, since nothing is ever sent again; and from time
 * to time a request checks that what is known is so, because a dead connection looks like a quiet account. */
#ifndef BNC_BINANCE_FOLLOW_H
#define BNC_BINANCE_FOLLOW_H

#include "binance_call.h"
#include "binance_error.h"
#include "binance_inbox.h"
#include "binance_news.h"
#include "binance_session.h"

#define BINANCE_FOLLOW_CONNS 2 /* one, and its successor for a while */

struct binance_follow_options {
	enum event_market market;
	enum binance_form form;
	bool once;	 /* the snapshot alone, without any connection */
	int64_t check;	 /* µs between two checks */
	int64_t keep;	 /* µs after which the listen key is kept: BINANCE_KEY_KEEP_US */
	int64_t max_age; /* µs; up to 2 % are taken off it by chance */
	int64_t stale;	 /* µs */
	int64_t backoff_base, backoff_cap;
	uint64_t seed;	      /* for what is left to chance */
	const char *origin;   /* "wss://host:port", for messages; these two must outlive the session */
	const char *requests; /* "https://host:port" */
};

/* what became of a request */
struct binance_answer {
	struct binance_reply reply; /* status 0: none came, and why says so */
	const char *why;
	bool certificate;	/* because of it */
	int64_t sent, received; /* µs, of the clock of all `now` */
	int64_t recv;		/* µs since the epoch, when it was received */
};

/* none of them may call the session */
struct binance_follow_events {
	int64_t (*may_connect)(void *user); /* 0: yes, and it is counted; else ask again after so many µs */
	/* false: it could not even begin. Every one that began ends in one binance_follow_down */
	bool (*connect)(void *user, unsigned conn, struct span path);
	void (*order)(void *user, unsigned conn, enum binance_order what, struct span text);
	int64_t (*heard)(void *user, unsigned conn);
	/* spot: sends binance_call_logon, sealed with that time */
	void (*logon)(void *user, unsigned conn, int64_t timestamp, uint64_t id);
	/* one at a time; ends in one binance_follow_answer, later. timestamp: of a sealed call */
	void (*request)(void *user, enum binance_call call, int64_t timestamp);

	void (*frame)(void *user, struct span text, int64_t recv);	/* {"stream":...,"data":...} */
	void (*news)(void *user, const struct binance_news_item *item); /* gap: in words alone; no stream */
	void (*ready)(void *user);   /* once: the first snapshot has been given out */
	void (*give_up)(void *user); /* trying again cannot help, and news has said why; nothing more is tried */
};

struct binance_follow_counters {
	uint64_t requests, failures; /* of the latter: refused, or without an answer */
	uint64_t snapshots, checks, differences;
	uint64_t keys; /* that were made or kept */
	uint64_t connects, reconnects, gaps, refused, pauses;
};

struct binance_follow;

/* NULL: out of memory. Owned: binance_follow_free. */
struct binance_follow *binance_follow_new(
    const struct binance_follow_options *o, const struct binance_follow_events *ev, void *user);
void binance_follow_free(struct binance_follow *s);

void binance_follow_up(struct binance_follow *s, unsigned conn, int64_t now);
void binance_follow_message(struct binance_follow *s, unsigned conn, struct span text, int64_t recv, int64_t now);
void binance_follow_pong(struct binance_follow *s, unsigned conn, int64_t now);
void binance_follow_down(struct binance_follow *s, unsigned conn, const struct binance_down *d, int64_t now);
void binance_follow_answer(struct binance_follow *s, const struct binance_answer *a, int64_t now);
void binance_follow_tick(struct binance_follow *s, int64_t now);

/* nobody takes the frames: drops the connections until binance_follow_resume. why: for people */
void binance_follow_pause(struct binance_follow *s, const char *why, int64_t now);
void binance_follow_resume(struct binance_follow *s, const char *why, int64_t now);

/* the end: what waits is given out, all connections are closed, nothing is asked any more */
void binance_follow_end(struct binance_follow *s, int64_t now);
bool binance_follow_ended(const struct binance_follow *s); /* and all are down */

/* the listen key of now, which no message may hold; empty: none */
struct span binance_follow_listen_key(const struct binance_follow *s);

const struct binance_follow_counters *binance_follow_counters(const struct binance_follow *s);
struct binance_inbox *binance_follow_inbox(struct binance_follow *s);

#endif
