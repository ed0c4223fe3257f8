/* proxy - which proxy leads to a host, and what is said to it: HTTP CONNECT, and SOCKS 5 (RFC 1928, 1929).
 *
 * Pure: the environment comes in as a function, bytes come in and go out as spans. Names of variables and exceptions
 * are curl's, but for http_proxy: it is never obeyed (neither for ws:// nor for wss://), because it is the one that a
 * request header "Proxy:" can set in a CGI program. Loopback is not special: no_proxy has to name it. */
#ifndef BNC_PROXY_H
#define BNC_PROXY_H

#include <stdint.h>

#include "span.h"

enum proxy_kind {
	PROXY_NONE,
	PROXY_HTTP,    /* http://: the proxy resolves the name */
	PROXY_SOCKS5,  /* socks5://: we resolve it, the proxy is given an address */
	PROXY_SOCKS5H, /* socks5h://: the proxy resolves it */
};

#define PROXY_NAME_MAX 255 /* of a host, a user, a password: a length is one byte in SOCKS */
#define PROXY_PORT 1080    /* where none is given, as in curl */

struct proxy {
	enum proxy_kind kind;
	char host[PROXY_NAME_MAX + 1]; /* name or address, without brackets */
	uint16_t port;
	bool login;
	char user[PROXY_NAME_MAX + 1], password[PROXY_NAME_MAX + 1];
};

/* for a name or IPv4 address and its port: https_proxy (tls only), then all_proxy, unless no_proxy names it; each in
 * lower case, then in upper case; empty is unset. `env` is getenv. PROXY_NONE: go there directly.
 * false: the variable is set and no use; why[] says what is wrong with it, never what is secret in it. */
bool proxy_pick(struct proxy *p, char *(*env)(const char *name), struct span host, uint16_t port, bool tls,
    char why[256]);

/* "[scheme://][user[:password]@]host[:port]"; no scheme is http. User and password may be percent-encoded. */
bool proxy_parse(struct proxy *p, struct span url, char why[256]);

/* does the list name that host? Items with commas or blanks between: a name (itself and what lies below it, a leading
 * dot changes nothing), an IPv4 address or network (10.0.0.0/8), each with an optional ":port"; "*" is every host */
bool proxy_excepted(struct span list, struct span host, uint16_t port);

/* --- the handshake: send what proxy_to_send() gives; when that is nothing, read up to proxy_wants() bytes and hand
 * them to proxy_got(); until it is done or has failed. Never a byte is asked for that belongs to the host behind it. */

enum proxy_step { PROXY_GOES_ON, PROXY_DONE, PROXY_FAILED };

struct proxy_talk {
	const struct proxy *p; /* must live as long as the talk */
	int stage;
	char out[1536];
	size_t out_at, out_n;
	char in[300]; /* SOCKS: the answer so far; HTTP: the beginning of its first line */
	size_t in_n;
	size_t head; /* HTTP: bytes of the whole head so far */
	bool blank;  /* HTTP: nothing yet in the current line */
	char host[PROXY_NAME_MAX + 1];
	uint16_t port;
	char why[160]; /* after PROXY_FAILED: "the proxy wants a login" */
};

/* host: a name or an address, v4 or v6. false: it cannot be said to a proxy (empty, too long, blanks in it) */
bool proxy_begin(struct proxy_talk *t, const struct proxy *p, struct span host, uint16_t port);
struct span proxy_to_send(const struct proxy_talk *t);
void proxy_sent(struct proxy_talk *t, size_t n);
size_t proxy_wants(const struct proxy_talk *t);
enum proxy_step proxy_got(struct proxy_talk *t, struct span bytes);

#endif
