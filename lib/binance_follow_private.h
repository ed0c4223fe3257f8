/* binance_follow_private - what the parts of binance_follow share; nobody else includes it.
 *
 *   binance_follow.c       time, pause, end, and what all need
 *   binance_follow_conn.c  connections, and what comes over them
 *   binance_follow_ask.c   requests: the exchange's time, the listen key, the state of the account */
#ifndef BNC_BINANCE_FOLLOW_PRIVATE_H
#define BNC_BINANCE_FOLLOW_PRIVATE_H

#include "backoff.h"
#include "binance_follow.h"

#define NONE	   (-1)
#define REASON_MAX 850
#define SECOND	   1000000LL

enum binance_follow_state {
	CONN_FREE,
	CONN_OPENING,
	CONN_SUBSCRIBING, /* up; a message of ours is not answered yet */
	CONN_LISTENING,
	CONN_ENDING, /* given up by us; its `down` is due */
};

struct binance_follow_conn {
	enum binance_follow_state state;
	int64_t since;	/* it is in this state */
	int64_t heard;	/* last message or pong */
	int64_t pinged; /* last ping of ours, 0 none since `heard` */
	int64_t age_due;
	bool leaving; /* it is to be replaced: the server has said so, or events did not come */
	uint64_t id;  /* of our message */
};

enum binance_follow_job { /* what the state of the account is asked for */
	JOB_NONE,
	JOB_SNAPSHOT, /* to be given out */
	JOB_CHECK,    /* to be compared */
	JOB_GRACE,    /* there is a difference: events may be on their way */
	JOB_CONFIRM,  /* and none came: to be given out, and told */
};

struct binance_follow {
	struct binance_follow_options o;
	struct binance_follow_events ev;
	void *user;
	struct binance_news news;
	struct binance_inbox *inbox; /* owned */
	int64_t now;
	uint64_t random;
	bool ready, live, paused, ending, gave_up;
	int64_t away; /* until then nothing is asked and nobody connects: the server has said so */
	struct binance_follow_counters counters;

	/* connections */
	struct binance_follow_conn conn[BINANCE_FOLLOW_CONNS];
	int active, successor; /* NONE */
	struct backoff backoff;
	int64_t due;	   /* of the next attempt */
	bool ever;	   /* one has listened */
	bool told_waiting; /* for the connection budget */
	int64_t gap_from;  /* the exchange's time, µs, from which on events may be missing; 0: none */
	uint64_t id;
	char reason[REASON_MAX]; /* of the latest failure */

	/* requests */
	enum binance_call call; /* that is under way */
	uint64_t call_job;	/* number of the job that it is for */
	uint64_t call_mark;	/* of the rows, when it was sent */
	struct backoff call_backoff;
	int64_t call_due;
	bool call_failed; /* while all else was well, and no success since */
	bool resynced;	  /* for the request that is tried again */

	/* the exchange's time */
	bool has_time, tell_offset;
	unsigned time_tries;
	int64_t server, server_at;  /* at this time of ours it was that time there, µs */
	int64_t offset, round_trip; /* of the clock on the wall */
	int64_t time_due;

	/* the listen key */
	char key[BINANCE_LISTEN_KEY_MAX];
	size_t key_n;	  /* 0: none */
	bool key_doubted; /* it could not be kept: perhaps there is another one */
	int64_t keep_due, key_good;

	/* the state of the account */
	enum binance_follow_job job;
	uint64_t jobs;
	unsigned part;
	int64_t job_due, check_due;

	char *text; /* owned: a copy of the message, padded as lib/json asks */
};

/* topic, format and what it takes */
#define tell(s, topic, ...) binance_news_tell(&(s)->news, (s)->now, (topic), NONE, __VA_ARGS__)

/* --- binance_follow.c */
bool binance_follow_uses_key(const struct binance_follow *s);
int64_t binance_follow_server_time(
    const struct binance_follow *s, int64_t at);		  /* µs, when it is `at` here; 0: not known */
int64_t binance_follow_timestamp(const struct binance_follow *s); /* ms, now */
void binance_follow_give_up(struct binance_follow *s, const char *why);

/* what goes wrong, told as what it is to the reader: not there yet, or not to be relied on */
enum binance_topic binance_follow_trouble(const struct binance_follow *s);

struct binance_follow_text {
	char p[48];
};
struct binance_follow_text binance_follow_seconds(int64_t us); /* "1.250 s" */

/* "wss://host:443/private/ws": never the path itself, which has the listen key */
struct binance_follow_place {
	char p[320];
};
struct binance_follow_place binance_follow_place(const struct binance_follow *s);

/* --- binance_follow_conn.c */
void binance_follow_conn_tick(struct binance_follow *s);
/* deaf_since: the last time that was sure to bring events */
void binance_follow_conn_close_all(struct binance_follow *s, int64_t deaf_since);
/* the server has named a time: nobody goes there before it (binance 7 (16)) */
void binance_follow_conn_stay_away(struct binance_follow *s, int64_t us);

/* --- binance_follow_ask.c */
void binance_follow_ask_tick(struct binance_follow *s);
void binance_follow_ask_next(struct binance_follow *s); /* whatever is due */
void binance_follow_ask_job(struct binance_follow *s, enum binance_follow_job job);
void binance_follow_ask_forget_key(struct binance_follow *s);
/* what: "https://host:443: GET /fapi/v3/balance" */
void binance_follow_ask_refused(struct binance_follow *s, const char *what, const struct binance_refusal *r);

#endif
