/* source - plumbing of a program that has connections on one side and a reader of lines on the other: the loop of
 * lib/ws, standard output and signals in it, a box for a slow reader, and every way to end. What lib/filter is for a
 * program between two pipes.
 *
 * It ends when the box has its count, when the time is over, when the reader has gone, at SIGTERM or SIGINT, or when the
 * program asks for it. Then the program closes its connections, what waits is written, and for that a reader has as long
 * as it takes, but a second after a signal, and none after a second one. */
#ifndef BNC_SOURCE_H
#define BNC_SOURCE_H

#include "event.h"
#include "io.h"
#include "outbox.h"
#include "ws.h"

struct source_program { /* what the program does; none may be NULL */
	/* of its connections, as in lib/ws; nothing comes any more when the end has begun */
	void (*up)(void *user, struct ws_conn *c);
	void (*message)(void *user, struct ws_conn *c, struct span text, int64_t recv);
	void (*pong)(void *user, struct ws_conn *c);
	void (*down)(void *user, struct ws_conn *c, const struct ws_end *end); /* this one does */

	void (*tick)(void *user, int64_t now); /* every WS_TICK_US */
	/* The reader is too slow, the box is full: drop the connections. And then: half of it has been taken. */
	void (*full)(void *user);
	void (*room)(void *user);
	void (*end)(void *user);   /* give out what is held back, close all connections */
	bool (*ended)(void *user); /* and all are down */
	void (*counters)(void *user); /* SIGUSR1 */
	void (*tell)(const char *text);
};

struct source_options {
	struct outbox_options box;
	struct ws_options ws;
	int64_t time; /* µs; 0: no end */
	int ready_fd; /* -1: none */
	bool status;  /* status records among the frames */
	bool live;    /* their source: live, else demo */
};

struct source {
	struct source_options o;
	const struct source_program *program;
	void *user;
	struct ws *ws;
	struct outbox box;

	struct io_out to;
	bool watched; /* the loop says when standard output takes more */
	bool blocked; /* it does not now */

	int signals;
	int64_t stop_at; /* of the time that is over; 0: never */
	bool want_end, ending, stopped;
	int64_t end_at;	    /* no more waiting for close frames */
	bool by_signal;	    /* nor for the reader */
	bool reader_gone;   /* nor for anything */
	bool failed;
	const char *detail; /* of the end */
	void (*readable)(void *user);
};

/* Takes signals, standard output, memory and the loop; before any thread is made. false: why[] says what failed. */
bool source_open(struct source *s, const struct source_options *o, const struct source_program *p, void *user,
    char why[256]);
void source_close(struct source *s);

/* a frame, as for outbox_frame */
void source_frame(struct source *s, size_t stream, bool newest_only, struct span text, int64_t recv);

/* a status record among the frames, where these are wanted; its ts and source are filled in */
void source_status(struct source *s, struct event_status e);

/* everything is subscribed to; counts once */
void source_ready(struct source *s);

/* One descriptor of the program's in the loop: ready is called as long as there is something to read, also when the end
 * has begun. Between source_open and source_run. false: it cannot be waited for (errno) */
bool source_watch(struct source *s, int fd, void (*ready)(void *user));

/* the program has done what it was for */
void source_done(struct source *s);

/* the program cannot go on */
void source_fail(struct source *s);

/* The last thing before source_run, but for threads: gives up what a program with these connections does not need
 * (lib/sandbox.h). It goes on looking up hosts, connecting to these or to the proxies that lead to them, and reading
 * what that and certificates need, and `cacert`, where it is still to be read. Where the way to one is through a proxy with
 * a password there is no core file either. off: --no-sandbox. false: errno */
struct source_peer {
	const char *host;
	uint16_t port;
	bool tls;
};
bool source_enter_sandbox(const struct source_peer *peers, size_t n, const char *cacert, bool off);

/* false: it failed; or, which is told, the loop or the output did, or bytes were left that no reader took */
bool source_run(struct source *s);

#endif
