/* binance_error - what the exchange means when it refuses, and what is to be done about it: by people, in a sentence,
 * and by the program. Pure. Codes and statuses: bnc-wire(7) 4.4. */
#ifndef BNC_BINANCE_ERROR_H
#define BNC_BINANCE_ERROR_H

#include <stdint.h>

#include "json.h"

enum binance_remedy {
	BINANCE_RETRY,	 /* the exchange's own trouble, or the network's: again, after a while */
	BINANCE_WAIT,	 /* too many requests: nothing at all for `wait` */
	BINANCE_RESYNC,	 /* the time in the request is wrong: measure the clock's offset */
	BINANCE_NEW_KEY, /* there is no such listen key */
	BINANCE_GIVE_UP, /* trying again cannot help */
};

struct binance_error {
	int code;
	enum binance_remedy remedy;
	const char *what_to_do; /* a sentence, without a full stop */
};

/* of a code that is known; NULL */
const struct binance_error *binance_error(int64_t code);
const struct binance_error *binance_errors(size_t *n); /* all of them */

struct binance_reply {
	int status;	     /* of HTTP, or of a reply of the WebSocket API */
	int64_t retry_after; /* s, -1: not said */
	struct span body;    /* padded as lib/json asks, line ends flattened; any bytes */
};

#define BINANCE_REFUSAL_MAX 500

struct binance_refusal {
	enum binance_remedy remedy;
	int64_t wait;			/* µs; BINANCE_WAIT: the time that was named, or what is usual */
	char text[BINANCE_REFUSAL_MAX]; /* "HTTP 401, code -2015: Invalid API-key...: what to do" */
};

/* true: it is a refusal. server_ms: the exchange's time, for a ban whose end is named; 0: not known */
bool binance_error_read(struct binance_refusal *r, const struct binance_reply *a, int64_t server_ms);

#endif
