/* bus_api - what is said to JetStream and what it answers: requests as text, replies taken apart (the reference of the
 * "JetStream wire API", docs.nats.io, as of nats-server 2.9). Pure.
 *
 * Names and subjects are checked once, by the two functions below, and stand in requests as they are. */
#ifndef BNC_BUS_API_H
#define BNC_BUS_API_H

#include <stdint.h>

#include "span.h"

#define BUS_NAME_MAX	32  /* bytes of a stream's or consumer's name */
#define BUS_SUBJECT_MAX 255 /* of a subject */
#define BUS_SERVERS_MAX 32
#define BUS_REQUEST_MAX 2048

/* 1 to BUS_NAME_MAX letters, digits, '-' and '_': what is a name everywhere, also as that of a file */
bool bus_api_is_name(struct span s);

/* Tokens with dots between, printable ASCII without blanks, quotes and backslashes; with `wild`, '*' is a whole token
 * and '>' the last one */
bool bus_api_is_subject(struct span s, bool wild);

/* Servers with commas between, so many at most, each "host[:port]" with nats:// or tls:// in front, or neither; with
 * `secret` perhaps "user:password@" or "token@", too. */
bool bus_api_is_servers(struct span s, bool secret);

struct bus_stream {		   /* one that is to be made */
	struct span name, subject; /* wild */
	unsigned replicas;
	int64_t max_age;    /* µs; 0: no end */
	uint64_t max_bytes; /* 0: no end */
	int64_t duplicates; /* µs: for so long an id is remembered */
};

/* each returns the length; out has BUS_REQUEST_MAX bytes */
size_t bus_api_stream_create(char *out, const struct bus_stream *s);
size_t bus_api_stream_of(char *out, struct span subject); /* which streams have it? */
size_t bus_api_pull(char *out, unsigned batch, uint64_t bytes, int64_t expires, int64_t heartbeat); /* µs */

enum bus_start {
	BUS_AT_SEQUENCE,
	BUS_AT_TIME,
	BUS_AT_LAST, /* the last message of each subject, then what comes */
};

struct bus_consumer {			   /* one that is to be made */
	struct span stream, name, subject; /* of all subjects: "" */
	bool durable;			   /* stays, and its messages are acknowledged: with one all before it */
	int64_t idle;			   /* µs: for others, how long it stays without a reader */
	enum bus_start start;
	uint64_t sequence;
	int64_t time; /* µs since the epoch */
};
size_t bus_api_consumer_create(char *out, const struct bus_consumer *c);

/* ------------------------------------------------------------------------------------------------- replies */

struct bus_error {
	int code; /* as of HTTP; 0: no error */
	struct span text;
};

/* Every text here is padded as lib/json asks. false: it is no reply of that kind. An error is told in *e, and then
 * the rest is not there. */
struct bus_ack {
	struct span stream;
	uint64_t sequence; /* 0: it has been heard of, but is not stored */
	bool duplicate;
};
bool bus_api_ack(struct span text, struct bus_ack *a, struct bus_error *e);

/* one or none: streams that have the subject; n: how many */
bool bus_api_streams(struct span text, struct span *name, uint64_t *n, struct bus_error *e);

/* does every subject that `narrow` matches, wild or not, match `wide`, too? */
bool bus_api_covers(struct span wide, struct span narrow);

struct bus_stream_state {
	uint64_t first, last; /* sequences; an empty stream has first == last + 1, or both 0 */
	bool covered;	      /* all that it has is of the subject in question */
};
bool bus_api_stream_state(struct span text, struct span subject, struct bus_stream_state *s, struct bus_error *e);

struct bus_consumer_state {
	uint64_t delivered, delivered_seq; /* how many were given out, and the sequence of the last one in the stream */
	uint64_t floor;			   /* up to here all is acknowledged */
	uint64_t pending;		   /* still to be given out */
	uint64_t start;			   /* the sequence that it was made for; 0: none */
	struct span subject;		   /* in `text` */
	bool acks_all;			   /* its policy */
	char text[BUS_SUBJECT_MAX + 1];
};
bool bus_api_consumer_state(struct span text, struct bus_consumer_state *s, struct bus_error *e);

/* "$JS.ACK.STREAM.CONSUMER.1.STREAM-SEQ.CONSUMER-SEQ.TIME.PENDING", the reply subject of a message that was given out,
 * also with a domain and an account in front of the stream. false: it is none */
struct bus_delivery {
	uint64_t sequence; /* in the stream */
	uint64_t number;   /* of the consumer's, from 1 */
	uint64_t pending;
};
bool bus_api_delivery(struct span reply, struct bus_delivery *d);

#endif
