/* ws_private - what the parts of lib/ws share; nobody else includes it.
 *
 *   ws.c          the loop, and the program's own descriptors in it
 *   ws_conn.c     a connection from ws_connect to its `down`
 *   ws_dial.c     a TCP connection, by way of a proxy
 *   ws_tls.c      whom to trust
 *   ws_lws.c      everything that is said to libwebsockets, and what it says
 *   ws_upgrade.c  whether the server is one of WebSocket
 *   ws_receive.c  what comes from there on: frames to messages
 *   ws_send.c     what goes out
 *   ws_frame.c    frames, byte by byte */
#ifndef BNC_WS_PRIVATE_H
#define BNC_WS_PRIVATE_H

#include "ws.h"
#include "ws_dial.h"
#include "ws_frame.h"
#include "ws_tls.h"
#include "ws_upgrade.h"

struct lws;
struct lws_context;
struct lws_vhost;

/* a descriptor in the epoll set */
struct ws_watch {
	void (*ready)(struct ws_watch *self, uint32_t events);
	void *owner;
	int fd; /* -1: not in the set */
};

struct ws {
	struct ws_events ev;
	void *user;
	char agent[64];
	struct lws_context *lws;
	struct lws_vhost *vhost;
	SSL_CTX *tls;
	int epoll, timer, door;
	char door_name[120]; /* "+@" and its abstract name */
	struct ws_watch clock, output;
	struct ws_readable *readable; /* owned */
	void (*writable)(void *user);
	void (*gone)(void *user);
	struct ws_conn *conns;
	struct ws_conn *ended, **last_ended; /* their `down` is due */
	bool fresh;			     /* some connection waits for its first step */
	bool busy;			     /* data have come in this round */
	bool stop;
	int64_t recv; /* of the latest message */
};

/* bytes that have come, and are no whole frame yet */
#define WS_READ_BYTES 16384 /* a whole record of TLS */
struct ws_in {
	char *p; /* owned */
	size_t cap, at, end;
	bool pieces; /* of a message that goes on */
	bool closed; /* the peer has said its last word */
	bool deaf;   /* nothing more is to be understood */
	int64_t now; /* clock_mono_us of the last read */
};

enum ws_state { WS_IS_FRESH, WS_IS_DIALING, WS_IS_HANDSHAKE, WS_IS_UP, WS_IS_CLOSING, WS_IS_ENDED };

struct ws_conn {
	struct ws *w;
	void *tag;
	struct ws_conn *next, **link; /* among w->conns; behind the end, among w->ended */
	enum ws_state state;
	char host[256];
	char path[WS_PATH_MAX + 1];
	uint16_t port;
	bool tls;
	struct ws_dial *dial;
	struct ws_watch watch; /* of the dial */
	struct lws *wsi;
	int given;    /* the connection on its way to libwebsockets; -1: not (any more) */
	bool request; /* the upgrade has been sent: TLS stands */
	char key[WS_KEY_BYTES]; /* of the upgrade */
	struct ws_in in;
	size_t got; /* bytes of the read that is going on */
	char *text; /* a message in pieces so far, with room for JSON_PAD behind it; owned */
	size_t n, cap;
	struct ws_out *out, **last_out; /* what waits to be sent; owned */
	size_t queued;			/* bytes of it */
	bool want_ping, want_pong, want_close;
	char pong[WS_CONTROL_MAX];
	size_t n_pong;
	int close_code; /* 0: none is said */
	int64_t heard, deadline; /* deadline of WS_IS_HANDSHAKE and WS_IS_CLOSING */
	bool caused;		 /* `end` says why; the first cause counts */
	struct ws_end end;
};

/* --- ws.c */
bool ws_watch(struct ws *w, struct ws_watch *watch, int fd, uint32_t events); /* anew, or for other events */
void ws_unwatch(struct ws *w, struct ws_watch *watch);
void ws_serve_watches(struct ws *w);

/* --- ws_conn.c */
void ws_conn_say(const struct ws_conn *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ws_conn_cause(struct ws_conn *c, enum ws_cause cause, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ws_conn_closing(struct ws_conn *c); /* from now on only the peer's last word is waited for */
void ws_conn_close(struct ws_conn *c, int code);
void ws_conn_end(struct ws_conn *c); /* `down` is due; its cause is known */
void ws_conn_check(struct ws_conn *c, int64_t now);
void ws_conn_free(struct ws_conn *c);
void ws_conn_begin_fresh(struct ws *w);
void ws_conn_tell_ends(struct ws *w);

/* --- ws_receive.c */
char *ws_receive_room(struct ws_conn *c);	/* for WS_READ_BYTES; NULL: no memory */
void ws_receive(struct ws_conn *c, size_t n); /* so many have been put there */

/* --- ws_send.c */
void ws_send_pong(struct ws_conn *c, struct span payload); /* the answer to a ping, WS_CONTROL_MAX bytes at most */
bool ws_send_next(struct ws_conn *c);			   /* one frame; false: the connection is to end */
void ws_send_drop(struct ws_conn *c);			   /* all that waits */

/* --- ws_lws.c */
bool ws_lws_open(struct ws *w, int verbose);
void ws_lws_close(struct ws *w);
bool ws_lws_round(struct ws *w, bool wait); /* false: it cannot go on */
bool ws_lws_take(struct ws_conn *c, int fd); /* the connection, which is libwebsockets' from then on */
void ws_lws_let_go(struct ws_conn *c);	     /* it closes it on its own, and says no more */
void ws_lws_want_write(struct ws_conn *c);
/* WS_ROOM bytes in front of it may be written over, and what is there; false: it cannot be sent */
#define WS_ROOM 16
bool ws_lws_write(struct ws_conn *c, char *p, size_t n);

#endif
