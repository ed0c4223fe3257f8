/* hub_serve - the loop of bnc-hub: lines from a descriptor into a hub, its readers at a socket, and every way to end.
 *
 * A client may first say a line: "rate HZ", "health" or "metrics"; one that says nothing within HUB_SERVE_ASK_US, or that
 * it will say nothing, is a reader of every line. What it says later does not matter. The last record that a client gets
 * which is not served begins its detail with "refused: ". */
#ifndef BNC_HUB_SERVE_H
#define BNC_HUB_SERVE_H

#include "hub.h"
#include "hub_socket.h"
#include "line.h"
#include "refuse.h"

#define HUB_SERVE_ASK_US 250000LL

struct hub_serve_options {
	struct hub_options hub; /* send and done are filled in here */
	size_t readers;		/* at most; some more may ask for health and metrics */
	bool linger;		/* goes on serving when the input has ended */
	int64_t idle;		/* µs without a reader after which it ends; 0: never */
	const char *www;	/* directory for hub_www, or NULL */
	bool strict;
	int signals; /* of io_signals */
	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

struct hub_serve;

/* in: lines; the socket is served, and closed when nobody is to come any more. NULL: errno, *what failed */
struct hub_serve *hub_serve_open(const struct hub_serve_options *o, struct hub_socket *socket, int in, const char **what);
void hub_serve_close(struct hub_serve *s);

/* until the input has ended and readers have taken all, or a signal, or nobody reads for too long. false: it could not go
 * on, which is told */
bool hub_serve_run(struct hub_serve *s);

uint64_t hub_serve_refused(const struct hub_serve *s); /* lines */
void hub_serve_counters(const struct hub_serve *s);    /* told, in one line */

#endif
