/* mock_conn - one connection of a client: transport, frames in and out, subscriptions, and the faults that are on.
 * Times are microseconds of the monotonic clock unless a name says otherwise. */
#ifndef BNC_MOCK_CONN_H
#define BNC_MOCK_CONN_H

#include "mock_account.h"
#include "mock_fault.h"
#include "mock_hub.h"
#include "mock_link.h"
#include "mock_log.h"

#define MOCK_QUEUE_MAX	 (8u << 20) /* bytes that wait for a client; more: it is cut off */
#define MOCK_QUEUE_HIGH	 (1u << 20) /* -x max waits while a client has more waiting */
#define MOCK_MESSAGE_MAX (1u << 20) /* from a client */
#define MOCK_PINGS	 8	    /* pings whose answers are remembered */
#define MOCK_REORDER_MAX 64

/* what holds for all connections; -1 in a time: as the market has it */
struct mock_rules {
	int64_t ping_every, pong_within, max_age;
	uint64_t max_streams;
	uint64_t max_messages; /* a second; 0: as the market has it */
	bool age_drops;	       /* the age cut without close frame */
	bool errors_wrapped;
};

enum mock_state {
	MOCK_ACCEPTED, /* a TCP fault: nothing else happens */
	MOCK_SHAKING,  /* TLS */
	MOCK_ASKING,   /* HTTP */
	MOCK_OPEN,
	MOCK_CLOSING, /* our close frame is out: waiting for the client's */
	MOCK_ENDING,  /* what is queued goes out, then the end */
	MOCK_DEAD,    /* to be freed */
};

struct mock_sub {
	char *name;   /* owned */
	bool silent;  /* user data that never comes: a listen key whose events are not named, or in the path */
	char *events; /* user data: names with '/' between; owned; NULL: all */
	enum mock_market market;
	struct mock_stream *stream; /* NULL: acknowledged, and silent for ever */
};

struct mock_count { /* a fault on the next `left` messages of `stream` (empty: of any) */
	int64_t left;
	char stream[128];
};

struct mock_held {
	char *stream, *payload; /* owned */
	size_t payload_n;
};

struct mock_armed { /* a fault that waits for its number of messages */
	struct mock_armed *next;
	struct mock_fault fault;
};

struct mock_conn {
	unsigned number;
	struct mock_link link;
	enum mock_state state;
	int tls_fault;	   /* enum mock_tls_fault in MOCK_ACCEPTED */
	enum mock_end end; /* how it will end */
	const char *why;   /* it ended; a constant */

	void (*on_text)(struct mock_conn *c, struct span text, int64_t now); /* a message of the client */
	const struct mock_rules *rules;
	struct mock_hub *hub;
	struct mock_log *log;

	enum mock_market market; /* MOCK_MARKETS: each name says its own */
	enum mock_tier tier;
	enum mock_tier
	    path_tier; /* as the path says it: MOCK_TIER_NONE for an unrouted one, which acts as public on usdm */
	bool combined;
	bool user; /* user data, as the path says it */
	bool api;  /* the WebSocket API of spot */
	struct {
		bool logged_on;
		int64_t subscription, subscriptions; /* the one there is, -1 none; how many there have been */
		int64_t opened_ms;
	} session;		      /* of the WebSocket API */
	struct mock_account *account; /* borrowed; of the WebSocket API */

	struct mock_buf in, out, message;
	unsigned message_opcode; /* of the fragments in `message`; 0: none begun */
	struct mock_sub *sub;	 /* owned */
	size_t subs, subs_cap;
	uint64_t served; /* messages of data */
	int close_code;	 /* the client's; -1 none */

	int64_t deadline; /* of handshake or closing, INT64_MAX none */
	int64_t next_ping, age_at;
	struct {
		int64_t sent;
		char text[24]; /* the wall clock in ms: its payload */
	} ping[MOCK_PINGS];
	size_t pings;		/* unanswered */
	int64_t message_at[64]; /* when the latest messages came, a ring */
	uint64_t messages;

	int64_t lag_until; /* a REST request is left alone until then; INT64_MIN: none is */

	/* faults that are on */
	int64_t silent_until, hold_until;
	bool half_open, no_pong, no_ping, deaf, no_ack;
	int64_t drip_us, drip_bytes, drip_at;
	size_t split;
	struct mock_count drop, dup, newline, reorder;
	struct mock_held held[MOCK_REORDER_MAX];
	size_t helds;
	struct mock_armed *armed; /* owned */
};

#define MOCK_CONN_IN_MAX (64u << 10) /* read in one round, and what is left of a record of TLS then */
#define MOCK_CONN_RECORD (16u << 10)

/* reading and writing what can be; `now` as ever */
void mock_conn_read(struct mock_conn *c);
void mock_conn_flush(struct mock_conn *c, int64_t now);

/* the end, with its reason: at once, or behind what is queued */
void mock_conn_end(struct mock_conn *c, const char *why);
void mock_conn_end_after(struct mock_conn *c, enum mock_end how, const char *why, int64_t now);
void mock_conn_free(struct mock_conn *c);

/* the WebSocket is open; times begin */
void mock_conn_opened(struct mock_conn *c, int64_t now);
/* what is due by the clock: pings, deadlines, age. `wall_ms` for the ping's payload */
void mock_conn_clock(struct mock_conn *c, int64_t now, int64_t wall_ms);
/* when mock_conn_clock or mock_conn_flush wants to be called, INT64_MAX: not before something else happens */
int64_t mock_conn_due(const struct mock_conn *c, int64_t now);
void mock_conn_age(struct mock_conn *c, int64_t now);

/* acknowledged always; false: there are too many */
bool mock_conn_subscribe(struct mock_conn *c, struct span name);
/* user data of a listen key by the query of the private tier; events: p NULL: none are named, and none come (the
 * exchange's documents want them, bnc-wire(7) 3.2) */
bool mock_conn_listen(struct mock_conn *c, struct span key, struct span events);
void mock_conn_unsubscribe(struct mock_conn *c, struct span name);

/* data can flow: -x max waits for such connections only */
bool mock_conn_flows(const struct mock_conn *c, int64_t now);

#endif
