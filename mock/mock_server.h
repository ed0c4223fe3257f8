/* mock_server - the loop: listens, looks after every connection, feeds them, carries out the script. One thread, no
 * call that waits but the one poll. */
#ifndef BNC_MOCK_SERVER_H
#define BNC_MOCK_SERVER_H

#include "mock_door.h"
#include "mock_feed.h"

#define MOCK_CONNS_MAX	1024
#define MOCK_SCRIPT_MAX 8192 /* bytes of a line of the script */

struct mock_server {
	/* filled by the owner between mock_server_init and mock_server_run */
	int listen_fd;
	int signals;	  /* readable when it is time to end */
	int script_fd;	  /* faults, line by line; -1 none */
	bool script_ends; /* the end of the script is the end */
	struct mock_rules rules;
	struct mock_door door;
	struct mock_feed feed;
	struct mock_hub hub;
	struct mock_log *log;
	struct mock_orders orders;
	struct mock_account *account; /* borrowed */
	void (*tell)(const char *format, ...)
	    __attribute__((format(printf, 1, 2))); /* for people: a line of the script that is wrong */

	struct mock_conn *conn[MOCK_CONNS_MAX];
	size_t conns;
	unsigned numbers; /* connections so far */
	bool refusing;	  /* not listening */
	bool mute;	  /* listening, and nothing is accepted */
	int filler[4];	  /* our own connections that fill the backlog then */
	size_t fillers;
	int64_t accept_at;    /* when refusing or mute ends */
	int64_t accept_after; /* descriptors had run out: not before */
	int64_t script_at;    /* `wait`: not before */
	struct mock_buf script;
	bool script_ended, stop;
	uint64_t served; /* by connections that are gone */
};

void mock_server_init(struct mock_server *s);

/* a listening socket on a numeric address; *port 0: a free one, told. -1: errno */
int mock_server_listen(const char *address, uint16_t *port);

/* a fault, from the command line (standing) or the script; false: no memory */
bool mock_server_order(struct mock_server *s, const struct mock_fault *f, bool standing);

/* until a signal, or the end of the script where that is the end */
void mock_server_run(struct mock_server *s);
void mock_server_close(struct mock_server *s);

#endif
