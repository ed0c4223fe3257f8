/* ws - WebSocket client connections on libwebsockets' own event loop. The only includer of libwebsockets and
 * OpenSSL; it does not know what it carries. Single-threaded but for name resolution.
 *
 * Every ws_connect ends in exactly one `down`, whatever way the attempt or the connection dies; only what ws_free finds
 * ends without one. No `up`, `down` or `message` comes from within a call of this interface but ws_run. */
#ifndef BNC_WS_H
#define BNC_WS_H

#include <stdint.h>

#include "span.h"

struct ws;      /* the loop */
struct ws_conn; /* one attempt, and the connection it became; freed after `down` */

#define WS_MESSAGE_MAX (1u << 20) /* a longer message closes the connection with 1009 */
#define WS_PATH_MAX 1900          /* libwebsockets 4.1.6 cuts the request line at 2047 bytes, silently */

enum ws_cause {
	WS_RESOLVE,     /* the name has no address */
	WS_CONNECT,     /* refused, unreachable, timed out; a target or proxy that is of no use; a proxy that refuses */
	WS_TLS,         /* no TLS could be agreed on */
	WS_CERTIFICATE, /* chain, date or name; text says which */
	WS_HTTP,        /* an HTTP answer other than 101; http and retry_after are set */
	WS_HANDSHAKE,   /* no answer in time, or not one of a WebSocket server */
	WS_CLOSED,      /* the peer's close frame; close_code is what it said, 0: nothing */
	WS_LOST,        /* end of file, reset, cut in mid frame */
	WS_TOO_LONG,    /* a message over WS_MESSAGE_MAX */
	WS_ASKED,       /* ws_close or ws_kill */
};

struct ws_end {
	enum ws_cause cause;
	bool was_up;
	int http;            /* status of the answer to the upgrade, 0 where there was none */
	int64_t retry_after; /* seconds from now on, 0 to INT32_MAX; -1: not said */
	int close_code;
	char text[256]; /* for people, ASCII: "certificate of 127.0.0.1 has expired", "connection refused" */
};

struct ws_target {
	struct span host; /* name or IPv4 address; ':' is refused before anything is sent (lws trap 6) */
	uint16_t port;
	bool tls;
	struct span path; /* from '/' on, at most WS_PATH_MAX bytes, no blanks */
};

struct ws_events {
	void (*up)(void *user, struct ws_conn *c);
	/* A whole message of text (or of bytes: what is in it is the reader's to judge), put together from its
	 * fragments, 1 to WS_MESSAGE_MAX bytes, line ends replaced by blanks; JSON_PAD bytes behind it are readable,
	 * and text[n] may be written over, nothing else. UTF-8 is not checked. recv: CLOCK_REALTIME when its last byte
	 * was read, µs, never decreasing within a loop */
	void (*message)(void *user, struct ws_conn *c, struct span text, int64_t recv);
	void (*pong)(void *user, struct ws_conn *c);
	void (*down)(void *user, struct ws_conn *c, const struct ws_end *end);
	void (*tick)(void *user);  /* every WS_TICK_US */
	void (*idle)(void *user);  /* about to wait: flush */
	void (*log)(void *user, int level, const char *text); /* level 1: state changes, 2: libwebsockets' own words */
};
#define WS_TICK_US 100000

struct ws_options {
	/* a further CA file, perhaps with lists of revoked certificates; an unreadable one fails ws_open. NULL: none */
	const char *cacert;
	const char *user_agent; /* NULL: none */
	int verbose;		/* 2: libwebsockets' own words are given to `log` */
};

/* takes TLS context (system CAs, SSL_CERT_FILE, cacert; TLS 1.2 or newer) and loop; NULL: why[] says what failed.
 * http_proxy is taken out of the environment; https_proxy, all_proxy and no_proxy (either case) are obeyed, see
 * lib/proxy.h. One loop a process: libwebsockets' log knows no more. */
struct ws *ws_open(const struct ws_options *o, const struct ws_events *ev, void *user, char why[256]);
void ws_free(struct ws *w); /* not from within a callback */

/* starts an attempt; `tag` is the caller's. NULL only when out of memory. The `down` never comes before ws_connect
 * has returned. */
struct ws_conn *ws_connect(struct ws *w, const struct ws_target *t, void *tag);
void *ws_tag(const struct ws_conn *c);
bool ws_is_up(const struct ws_conn *c);
int64_t ws_heard(const struct ws_conn *c); /* clock_mono_us of the last byte of data or pong; of the attempt before */

/* queued; sent in order when the socket takes it. false: over 64 KiB wait already, or the connection is not up */
bool ws_send(struct ws_conn *c, struct span text);
void ws_ping(struct ws_conn *c);
void ws_close(struct ws_conn *c, int code); /* close frame, then `down` within a second */
void ws_kill(struct ws_conn *c);            /* at once, without a word */

/* fds of the program in the same loop; they stay the program's, and open until ws_free. readable: for signals, called
 * as long as there is something to read. writable: called once for each ws_want_writable, when fd takes bytes; `gone`
 * once, when its reader has hung up, also in silence. false: it cannot be waited for (a file, /dev/null) */
bool ws_watch_readable(struct ws *w, int fd, void (*ready)(void *user));
bool ws_watch_output(struct ws *w, int fd, void (*writable)(void *user), void (*gone)(void *user));
void ws_want_writable(struct ws *w);

/* runs until ws_stop; after each batch of messages, and before every wait, `idle` is called. false: the system lets it
 * go on no longer (errno) */
bool ws_run(struct ws *w);
void ws_stop(struct ws *w);

#endif
