/* binance_call - what is said to the exchange about an account: requests over HTTPS, and how its events are asked for.
 * Pure: the signature comes in as text. Facts with their sources: bnc-wire(7) 3, 4.
 *
 * This is all the paths there are: it reads balances and positions, keeps a listen key, and can do nothing else. */
#ifndef BNC_BINANCE_CALL_H
#define BNC_BINANCE_CALL_H

#include <stdint.h>

#include "event.h"

#define BINANCE_RECV_WINDOW    5000		     /* ms that a request may take: the exchange's own default */
#define BINANCE_KEY_KEEP_US    (30 * 60 * 1000000LL) /* a listen key lives 60 minutes from the last time it was kept */
#define BINANCE_LISTEN_KEY_MAX 256		     /* bytes; the exchange's have 64 */
#define BINANCE_PATH_MAX       640
#define BINANCE_QUERY_MAX      100

enum binance_call {
	BINANCE_CALL_NONE,
	BINANCE_CALL_TIME,
	BINANCE_CALL_KEY_NEW,	/* not on spot */
	BINANCE_CALL_KEY_KEEP,	/* not on spot */
	BINANCE_CALL_BALANCES,	/* on spot all there is */
	BINANCE_CALL_POSITIONS, /* not on spot */
};

enum binance_verb { BINANCE_GET, BINANCE_POST, BINANCE_PUT };

struct binance_call_info {
	const char *path; /* NULL: this market has no such call */
	enum binance_verb verb;
	bool key;    /* with the header X-MBX-APIKEY */
	bool sealed; /* with recvWindow, timestamp and signature */
};

struct binance_call_info binance_call(enum event_market m, enum binance_call call);

/* "GET /fapi/v3/balance": for people */
#define BINANCE_CALL_NAME_MAX 48
void binance_call_name(char out[BINANCE_CALL_NAME_MAX], enum event_market m, enum binance_call call);

/* "recvWindow=5000&timestamp=1790526538965", what is signed of a sealed call; on spot without balances of zero */
size_t binance_call_query(char out[BINANCE_QUERY_MAX], enum event_market m, int64_t timestamp);

/* ------------------------------------------------------------------------------------------------ events */

enum binance_form {
	BINANCE_FORM_QUERY,	/* the listen key in the URL; on COIN-M in the path */
	BINANCE_FORM_SUBSCRIBE, /* the listen key in a SUBSCRIBE message; on spot, which has none, always a message */
};

/* where a connection for the events goes; out has BINANCE_PATH_MAX bytes. Returns its length. */
size_t binance_call_path(char *out, enum event_market m, enum binance_form form, struct span listen_key);

/* the same without what is secret in it, for people: "/private/ws" */
const char *binance_call_place(enum event_market m, enum binance_form form);

/* a listen key as the exchange makes them: letters and digits, so that it fits URLs and messages as it stands */
bool binance_call_is_listen_key(struct span key);

/* futures, BINANCE_FORM_SUBSCRIBE; out has BINANCE_CALL_MESSAGE_MAX bytes */
#define BINANCE_CALL_MESSAGE_MAX 1024
size_t binance_call_subscribe(char *out, struct span listen_key, uint64_t id);

/* spot: what is signed, and the message; api_key: printable ASCII, at most 256 bytes */
size_t binance_call_logon_text(char *out, struct span api_key, int64_t timestamp);
size_t binance_call_logon(char *out, struct span api_key, int64_t timestamp, struct span signature, uint64_t id);

#endif
