/* binance_session - keeps the connections of a plan up and gives out each frame once. A pure state machine: what
 * happens comes in (up, message, pong, down, tick, each with its time), what is to be done goes out through callbacks.
 * It knows neither sockets nor clocks, nor how a frame is printed.
 *
 * Every route of the plan has `lines` connections. Each is replaced when it dies (after a wait), and before it dies
 * where that is announced: its successor is opened first, and the old one is closed when everything it brings comes
 * over the successor too. What both bring is given out once (lib/arbiter). */
#ifndef BNC_BINANCE_SESSION_H
#define BNC_BINANCE_SESSION_H

#include "arbiter.h"
#include "binance_news.h"
#include "binance_stream.h"

#define BINANCE_LINES_MAX (ARBITER_LINES / 2)	  /* each may have a successor for a while */
#define BINANCE_OPEN_US (40 * 1000000LL)	  /* for TCP, TLS and upgrade, several addresses tried */
#define BINANCE_FRAME_MAX ((1u << 20) - 128)	  /* bytes, so that a line stays below 1 MiB; a longer one is refused */

struct binance_session_options {
	unsigned lines;	 /* 1 to BINANCE_LINES_MAX */
	int64_t max_age; /* µs; up to 2 % are taken off it by chance, so that lines are not replaced in step */
	int64_t stale;	 /* µs */
	int64_t backoff_base, backoff_cap;
	uint64_t seed;	    /* for what is left to chance */
	const char *origin; /* "wss://host:port", for messages; must outlive the session */
};

enum binance_cause {
	BINANCE_DOWN_NETWORK,	  /* whatever is none of the others */
	BINANCE_DOWN_CERTIFICATE, /* people must mend it, or the clock */
	BINANCE_DOWN_HTTP,	  /* an answer other than 101 */
	BINANCE_DOWN_ASKED,	  /* after close or kill */
};

struct binance_down {
	enum binance_cause cause;
	int http;
	int64_t retry_after; /* s, -1: not said */
	const char *text;
};

enum binance_order { /* what a connection is asked for */
	BINANCE_SEND,
	BINANCE_PING,
	BINANCE_CLOSE, /* with a close frame */
	BINANCE_KILL,  /* without a word */
};

/* none of them may call the session */
struct binance_session_events {
	int64_t (*may_connect)(void *user); /* 0: yes, and it is counted; else ask again after so many µs */
	/* false: it could not even begin. Every one that began ends in one binance_session_down */
	bool (*connect)(void *user, unsigned conn, enum binance_tier tier);
	void (*order)(void *user, unsigned conn, enum binance_order what, struct span text); /* text: to send */
	int64_t (*heard)(void *user, unsigned conn); /* when the last byte of data or pong came, or 0 */

	/* a frame of the exchange, with its envelope, valid JSON, without line ends */
	void (*frame)(void *user, size_t stream, struct span text, int64_t recv);
	void (*news)(void *user, const struct binance_news_item *item);
	void (*ready)(void *user);   /* once: every route has all its subscriptions */
	void (*give_up)(void *user); /* trying again cannot help, and news has said why; nothing more is tried */
};

struct binance_session_counters {
	uint64_t received, refused, foreign, connects, reconnects, errors, pauses;
};

struct binance_session;

/* the plan is ready and outlives the session. NULL: out of memory. Owned: binance_session_free. */
struct binance_session *binance_session_new(const struct binance_plan *p, const struct binance_session_options *o,
    const struct binance_session_events *ev, void *user);
void binance_session_free(struct binance_session *s);

/* numbers of connections are below this */
unsigned binance_session_conns(const struct binance_session *s);

void binance_session_up(struct binance_session *s, unsigned conn, int64_t now);
void binance_session_message(struct binance_session *s, unsigned conn, struct span text, int64_t recv, int64_t now);
void binance_session_pong(struct binance_session *s, unsigned conn, int64_t now);
void binance_session_down(struct binance_session *s, unsigned conn, const struct binance_down *d, int64_t now);
void binance_session_tick(struct binance_session *s, int64_t now);

/* nobody takes the frames: drops all connections until binance_session_resume. why: for people */
void binance_session_pause(struct binance_session *s, const char *why, int64_t now);
void binance_session_resume(struct binance_session *s, const char *why, int64_t now);

/* the end: what is held is given out, all connections are closed, none is opened any more */
void binance_session_end(struct binance_session *s, int64_t now);
bool binance_session_ended(const struct binance_session *s); /* and all are down */

const struct binance_session_counters *binance_session_counters(const struct binance_session *s);
const struct arbiter_counters *binance_session_arbiter(const struct binance_session *s);
/* frames printed that line `line` (0 to lines - 1) brought first */
uint64_t binance_session_won(const struct binance_session *s, unsigned line);

#endif
