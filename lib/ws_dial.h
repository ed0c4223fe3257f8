/* ws_dial - a TCP connection to a host, directly or by way of a proxy, without ever waiting.
 *
 * libwebsockets 4.1.6 resolves names on the thread of its loop, keeps the errno of a refused connection to itself, and
 * knows neither SOCKS nor https_proxy; so all of that happens here, before it has its say. Names are looked up in a
 * thread of their own, which is left alone when nobody wants its answer any more: it cannot be interrupted.
 *
 * Addresses are tried in their order, 5 s each; the whole takes 20 s at most. */
#ifndef BNC_WS_DIAL_H
#define BNC_WS_DIAL_H

#include <stdint.h>

#include "proxy.h"

#define WS_DIAL_ADDRESS_US 5000000
#define WS_DIAL_ALL_US     20000000

enum ws_dial_state {
	WS_DIAL_GOES_ON,
	WS_DIAL_UP,	    /* ws_dial_take() has the connection */
	WS_DIAL_NO_ADDRESS, /* of the host itself */
	WS_DIAL_FAILED,	    /* anything else, the proxy's own name included */
};

struct ws_dial;

/* host: a name or an IPv4 address. times: clock_mono_us. NULL: out of memory. Take the first step at once. */
struct ws_dial *ws_dial_start(const struct proxy *via, struct span host, uint16_t port, int64_t now);

/* at any time; a connection that has not been taken is closed */
void ws_dial_free(struct ws_dial *d);

/* goes as far as it can. Call it when the descriptor of ws_dial_fd() is ready, and every now and then for its
 * deadlines. Behind anything but WS_DIAL_GOES_ON it changes no more. */
enum ws_dial_state ws_dial_step(struct ws_dial *d, int64_t now);

/* what to wait for; another one after each step. -1: nothing */
int ws_dial_fd(const struct ws_dial *d, bool *for_writing);

/* why it failed, for people: "connection refused", "proxy localhost:3128: the proxy wants a login (407)" */
const char *ws_dial_why(const struct ws_dial *d);

/* the connection: non-blocking, close-on-exec, without Nagle's delay; the caller's from now on */
int ws_dial_take(struct ws_dial *d);

#endif
