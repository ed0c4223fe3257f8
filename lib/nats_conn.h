/* nats_conn - a connection to NATS servers, and the only place that knows libnats.
 *
 * It connects, and connects again, for as long as it is open; the servers named are tried in turn, and those that they
 * tell of. What happens is gathered in a queue, behind a descriptor to wait for: the library's threads never call the
 * program. The queue is capped; what does not fit is left out and counted, and whoever waits for it asks again. What
 * happens to the connection always fits.
 *
 * Nothing is kept while there is no connection. A write waits for a server that takes nothing for NATS_CONN_WRITE_US,
 * and no longer; then the connection is given up. One that says nothing for NATS_CONN_PING_US, asked twice, is, too. */
#ifndef BNC_NATS_CONN_H
#define BNC_NATS_CONN_H

#include <stdint.h>

#include "span.h"

#define NATS_CONN_WRITE_US  2000000LL
#define NATS_CONN_PING_US   2000000LL
#define NATS_CONN_DIAL_US   2000000LL	/* for a connection to come about, each server */
#define NATS_CONN_QUEUE	    65536	/* events that wait */
#define NATS_CONN_BYTES	    (64u << 20) /* and their bytes; one may be larger */

struct nats_conn_options {
	const char *urls;	/* with commas between; may hold "user:password@" */
	const char *creds;	/* file with a JWT and the seed that signs; NULL: none */
	const char *cacert;	/* file; NULL: the system's */
	const char *cert, *key; /* files, of the client; NULL: none */
	const char *name;	/* that servers show */
};

enum nats_conn_what {
	NATS_CONN_UP,
	NATS_CONN_DOWN,	   /* or not up yet. text: why, as far as the library says */
	NATS_CONN_CLOSED,  /* for good: it may not connect. text: why */
	NATS_CONN_ANSWER,  /* to a request: token, status, text */
	NATS_CONN_MESSAGE, /* of what is listened to: life, reply, status, text; with a status also token */
};

struct nats_conn_event {
	enum nats_conn_what what;
	unsigned life; /* as told to nats_conn_listen */
	uint64_t token;
	int status; /* of its header; 0: none */
	struct span reply;
	struct span text; /* padded as lib/json asks; with a status its description */
};

struct nats_conn;

/* The list of servers: `given`, or what NATS_URL says, or this machine's. That variable may hold a password, and is
 * wiped and taken out of the environment in any case, before any thread is made. Owned: nats_conn_forget. NULL: errno,
 * EINVAL where NATS_URL is no such list */
char *nats_conn_servers(const char *given);
void nats_conn_forget(char *servers); /* wipes it */

/* The last thing before nats_conn_open, whose threads it is for as well: gives up what a program with such a connection does
 * not need (lib/sandbox.h). It goes on reading the files of *o, which the library does for each connection, and
 * connecting to any port, since servers name others. dir: files are made, read and removed there; NULL: nowhere. off:
 * --no-sandbox. false: errno */
bool nats_conn_enter_sandbox(const struct nats_conn_options *o, const char *dir, bool off);

/* Starts threads: block signals before. It need not be connected yet. NULL: why[] */
struct nats_conn *nats_conn_open(const struct nats_conn_options *o, char why[256]);
void nats_conn_close(struct nats_conn *c);

int nats_conn_fd(const struct nats_conn *c); /* can be read while events wait */

/* The next event; its texts are good until the next call. false: none waits */
bool nats_conn_next(struct nats_conn *c, struct nats_conn_event *e);

/* All answers to `token` come as NATS_CONN_ANSWER. id, stream: headers by which a store knows a message again, and is
 * told which one it must be; empty: left out. false: it could not be sent now, *why says why; NULL: it will never be,
 * because it is longer than the server takes */
struct nats_conn_request {
	const char *subject;
	uint64_t token;
	struct span text, id, stream;
};
bool nats_conn_ask(struct nats_conn *c, const struct nats_conn_request *r, const char **why);

/* From now on NATS_CONN_MESSAGE comes for pulls of this life, and no more for those before. false: not now */
bool nats_conn_listen(struct nats_conn *c, unsigned life);
bool nats_conn_pull(struct nats_conn *c, const char *subject, struct span text, uint64_t token);

/* an empty message to a reply subject: received */
bool nats_conn_acknowledge(struct nats_conn *c, const char *reply);
/* the same, and waits until the server has it, for `wait` µs at most. false: that is not known */
bool nats_conn_acknowledge_surely(struct nats_conn *c, const char *reply, int64_t wait);

uint64_t nats_conn_left_out(struct nats_conn *c); /* events that did not fit, or that there was no memory for */

#endif
