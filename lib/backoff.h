/* backoff - how long to wait before the next attempt, and whether there is a point in one. Pure: the random number
 * comes in as an argument.
 *
 * Full jitter: a wait is anything between nothing and a ceiling, and the ceiling doubles with each failure up to a cap.
 * Many clients that lost one server at one moment so come back spread out, not in step. */
#ifndef BNC_BACKOFF_H
#define BNC_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

#define BACKOFF_BASE_US 500000LL /* first ceiling */
#define BACKOFF_CAP_US 30000000LL
#define BACKOFF_LEAST_US 1000LL /* of either, when they are set */

struct backoff {
	int64_t base, cap; /* µs */
	unsigned failures; /* since the last success */
};

void backoff_open(struct backoff *b, int64_t base, int64_t cap);

/* "500ms,30s", or the first of them alone. false: not that */
bool backoff_parse(struct span text, int64_t *base, int64_t *cap);

/* the next of a row of random numbers, for jitter, not for secrets (xorshift64*). state: not 0 */
uint64_t backoff_random(uint64_t *state);

/* one more failure: the wait in µs, at least `least`. `random`: 64 bits, all equally likely */
int64_t backoff_fail(struct backoff *b, int64_t least, uint64_t random);

/* the next waits start at the cap: for what only people mend, such as a certificate */
void backoff_slow(struct backoff *b);

/* it works: for a connection the first good data, not the handshake */
void backoff_reset(struct backoff *b);

/* What an HTTP answer in place of a connection asks for. true: try again, but not before *least µs. false: trying again
 * cannot help. *why is a constant sentence in either case. retry_after: seconds, -1 where the server did not say. */
bool backoff_http(int status, int64_t retry_after, int64_t *least, const char **why);

#endif
