/* http - requests over HTTPS, one after the other, in a thread of their own, so that whoever asks goes on meanwhile.
 * The only includer of libcurl; it does not know what it carries.
 *
 * TLS 1.2 or newer with the authorities of lib/ws (SSL_CERT_FILE, SSL_CERT_DIR or the system's, and one file more); no
 * way to switch verification off; no redirect is followed, no other scheme than https spoken, no answer longer than
 * HTTP_BODY_MAX taken. Proxies: https_proxy, all_proxy and no_proxy, as libcurl reads them. Whatever libcurl has in
 * memory is wiped when it gives it back, since requests hold secrets. */
#ifndef BNC_HTTP_H
#define BNC_HTTP_H

#include <stdint.h>

#include "span.h"

#define HTTP_BODY_MAX	(4u << 20)
#define HTTP_URL_MAX	2048
#define HTTP_PAD	64	   /* readable bytes behind a body */
#define HTTP_CONNECT_US 10000000LL /* for name, TCP and TLS */
#define HTTP_TIMEOUT_US 20000000LL /* for all of it */

struct http; /* the thread, its connection, and the request it is at */

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT }; /* none of them has a body here */

enum http_cause {
	HTTP_ANSWERED,	  /* whatever the status */
	HTTP_NETWORK,	  /* no answer: name, connection, time, an answer that is none or too long */
	HTTP_CERTIFICATE, /* chain, date or name */
};

struct http_answer {
	enum http_cause cause;
	int status;	     /* 0: no answer */
	int64_t retry_after; /* s, -1: not said */
	int64_t weight;	     /* X-MBX-USED-WEIGHT-1M; -1: not said */
	struct span
	    body; /* line ends are blanks; '\n' and HTTP_PAD bytes in all behind it; until the next http_begin */
	int64_t sent, received; /* clock_mono_us */
	int64_t recv;		/* clock_real_us of the latter */
	char why[256];		/* for people where there is no answer; holds nothing of the request but the host */
};

struct http_options {
	/* a further CA file, perhaps with lists of revoked certificates; an unreadable one fails http_open. NULL: none */
	const char *cacert;
	const char *user_agent;
	int64_t timeout; /* µs for a request as a whole; 0: HTTP_TIMEOUT_US */
};

/* makes the thread; signals are to be blocked before. NULL: why[] says what failed */
struct http *http_open(const struct http_options *o, char why[256]);

/* Gives up what is going on; takes a second at most. false: the thread is stuck in a name look-up and stays behind with
 * its memory, so that the process should end by _exit(2). */
bool http_close(struct http *h);

/* readable while an answer waits to be taken */
int http_fd(const struct http *h);

/* One at a time: only when the answer before has been taken. url: "https://...", at most HTTP_URL_MAX bytes; header:
 * "Name: value", or empty for none. Both are copied, and wiped behind their use. false: out of memory, or too long */
bool http_begin(struct http *h, enum http_method method, struct span url, struct span header);

/* false: it is not there yet */
bool http_take(struct http *h, struct http_answer *a);

#endif
