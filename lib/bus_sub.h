/* bus_sub - reading a JetStream stream without loss, doubles or disorder, whatever becomes of servers and connections.
 * Pure: it says what is to be asked, and is told what came; the connection is the caller's.
 *
 * Messages are pulled, never more than two requests' worth at a time, so that memory is bounded whatever the server
 * does. Each carries its sequence in the stream and its number among those of its consumer: where a number is missing,
 * a message was lost on the way, and reading goes on behind the last good one with a consumer made anew.
 *
 * A durable consumer keeps the place on the server: what was written is acknowledged, with all before it. To make it
 * anew it must be deleted; meanwhile a second one, NAME-next, keeps the place, so that dying in between loses nothing.
 */
#ifndef BNC_BUS_SUB_H
#define BNC_BUS_SUB_H

#include "bus_api.h"

#define BUS_SUB_BATCH	  512u		       /* messages of a request */
#define BUS_SUB_BYTES	  (8u << 20)	       /* and their bytes; one message may be longer */
#define BUS_SUB_EXPIRES	  (30 * 1000000LL)     /* µs that a request stands */
#define BUS_SUB_HEARTBEAT (1 * 1000000LL)      /* µs of silence at most while it does */
#define BUS_SUB_SILENCE	  (3500 * 1000LL)      /* then nobody is there */
#define BUS_SUB_ANSWER	  (2 * 1000000LL)      /* µs for any other request */
#define BUS_SUB_LOOK_US	  (5 * 1000000LL)      /* between two looks at what the stream keeps no longer */
#define BUS_SUB_IDLE	  (5 * 60 * 1000000LL) /* that a consumer outlives its reader, where it is not durable */
#define BUS_SUB_WAIT_MIN  (100 * 1000LL)       /* µs between two attempts, doubled up to the other */
#define BUS_SUB_WAIT_MAX  (2 * 1000000LL)

enum bus_sub_from {
	BUS_SUB_NEW,
	BUS_SUB_LAST,
	BUS_SUB_ALL,
	BUS_SUB_TIME,
	BUS_SUB_SEQUENCE,
};

struct bus_sub_options {
	struct span stream;  /* empty: that which has the subject */
	struct span subject; /* wild */
	struct span durable; /* empty: none */
	enum bus_sub_from from;
	int64_t time;	   /* µs since the epoch */
	uint64_t sequence; /* of the first one wanted, from 1 */
	uint64_t run;	   /* random: part of the names of consumers */
};

enum bus_sub_say { /* what has happened, for people and for status records */
	BUS_SUB_SAY_NOTHING,
	BUS_SUB_SAY_LIVE, /* the consumer is there */
	BUS_SUB_SAY_GAP,  /* messages may be missing here: text */
	BUS_SUB_SAY_WAIT, /* it does not go on for now: text */
	BUS_SUB_SAY_FAIL, /* it cannot go on: text */
};

struct bus_sub_counters {
	uint64_t in;	   /* messages that came */
	uint64_t repeated; /* of these, seen before, and not given out */
	uint64_t gaps;
	uint64_t restarts; /* of the consumer */
	uint64_t pulls;
};

enum bus_sub_step {
	BUS_SUB_REST,	   /* until `due` */
	BUS_SUB_FIND,	   /* which stream has the subject? */
	BUS_SUB_STREAM,	   /* what is in it? */
	BUS_SUB_LOOK,	   /* how far is the durable consumer? */
	BUS_SUB_LOOK_NEXT, /* and the one that keeps its place */
	BUS_SUB_KEEP,	   /* the place, while it is made anew */
	BUS_SUB_DELETE,
	BUS_SUB_CREATE,
	BUS_SUB_FREE, /* the place that was kept */
	BUS_SUB_RUN,
};

struct bus_sub {
	struct bus_sub_options o;
	char stream[BUS_NAME_MAX + 1];
	bool up;
	enum bus_sub_step step;
	bool asked;    /* a request of this step is under way */
	uint32_t turn; /* of requests: answers to others are none */
	int64_t due;   /* of the rest, of an answer, of a message */
	int64_t wait;  /* the next rest */

	unsigned life; /* of consumers: messages for others are none */
	char consumer[BUS_NAME_MAX + 8];
	uint64_t last;	   /* sequence given out last; where none was, the one before the first */
	bool placed;	   /* `last` says where to go on */
	uint64_t number;   /* of the consumer's next message */
	uint64_t pending;  /* behind the last one, as far as is known */
	bool caught_up;	   /* nothing was pending at some time */
	uint64_t snapshot; /* messages of the snapshot that are still to come */
	bool kept;	   /* NAME-next is there */
	bool covered;	   /* the stream has nothing but what is asked for: no filter is needed */
	uint64_t first;	   /* of the stream, as last heard */
	uint64_t jump;	   /* the first sequence passed over since the stream was looked at; 0: none */
	int64_t look;	   /* when it may be looked at again */
	bool looking;
	struct {
		unsigned left; /* messages that may come for it */
		uint64_t turn;
	} pull[2];
	uint64_t pulls;

	enum bus_sub_say say;
	char text[300];
	struct bus_sub_counters counters;
};

void bus_sub_open(struct bus_sub *s, const struct bus_sub_options *o);

void bus_sub_up(struct bus_sub *s, int64_t now);
void bus_sub_down(struct bus_sub *s);

/* What is to be asked now. All that was given out must have been written by then. false: nothing. */
struct bus_sub_request {
	char subject[256];
	char text[BUS_REQUEST_MAX];
	size_t text_n;
	bool pull;	/* the answers are messages, for bus_sub_message; else one, for bus_sub_answer */
	unsigned life;	/* of a pull: where it is new, what was listened to is listened to no more */
	uint64_t token; /* to come back with the answer, or with what is said of the pull */
};
bool bus_sub_next(struct bus_sub *s, int64_t now, struct bus_sub_request *r);
int64_t bus_sub_due(const struct bus_sub *s);

/* status: the header's, 0 where there is none; text: padded as lib/json asks */
void bus_sub_answer(struct bus_sub *s, uint64_t token, int status, struct span text, int64_t now);

/* A message for a pull of that life. true: it is the next one, to be written and then acknowledged */
bool bus_sub_message(struct bus_sub *s, unsigned life, struct span reply, int64_t now);
/* what the server says of a pull in place of a message: 100 (it is alive), 404, 408, 409, 503 */
void bus_sub_status(struct bus_sub *s, unsigned life, uint64_t token, int status, struct span description, int64_t now);

/* something came that there was no room for: it is read again */
void bus_sub_lost(struct bus_sub *s, int64_t now);

/* what there is to say, once; text: s->text */
enum bus_sub_say bus_sub_say(struct bus_sub *s);

#endif
