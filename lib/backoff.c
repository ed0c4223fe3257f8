#include "backoff.h"

#include <stddef.h>

#include "num.h"

#define SECOND 1000000LL
#define RETRY_AFTER_MAX (7 * 24 * 3600) /* the longest ban the exchange documents is 3 days */

void backoff_open(struct backoff *b, int64_t base, int64_t cap)
{
	base = base < BACKOFF_LEAST_US ? BACKOFF_LEAST_US : base;
	*b = (struct backoff){ .base = base, .cap = cap < base ? base : cap };
}

bool backoff_parse(struct span text, int64_t *base, int64_t *cap)
{
	struct span rest;

	return num_duration(span_cut(text, ',', &rest), base) && (!rest.p || num_duration(rest, cap));
}

/* base * 2^failures, at most cap */
static int64_t ceiling(const struct backoff *b)
{
	int64_t c = b->base;

	for (unsigned i = 0; i < b->failures && c < b->cap; i++)
		c = c > b->cap / 2 ? b->cap : c * 2;
	return c < b->cap ? c : b->cap;
}

uint64_t backoff_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1du;
}

int64_t backoff_fail(struct backoff *b, int64_t least, uint64_t random)
{
	int64_t wait = (int64_t)(random % ((uint64_t)ceiling(b) + 1));

	if (b->failures < 64)
		b->failures++;
	/* a minimum that the server named holds for all its clients: spread behind it, too */
	return least > 0 ? least + wait : wait;
}

void backoff_slow(struct backoff *b)
{
	b->failures = 64;
}

void backoff_reset(struct backoff *b)
{
	b->failures = 0;
}

static const struct {
	int status;
	bool again;
	int64_t least; /* s */
	const char *why;
} answers[] = {
	/* binance 7 (16): stop completely while banned; 418 is the exchange's ban for having gone on after 429 */
	{ 429, true, 60, "too many requests from this address" },
	{ 418, true, 120, "this address is banned for a while: too many requests" },
	{ 408, true, 0, "the server waited too long for the request" },
	{ 425, true, 0, "too early" },
	/* binance 7 (25) */
	{ 451, false, 0, "not offered where this address is: a legal restriction, not a fault of the network" },
	{ 403, false, 0, "forbidden: the server refuses this address" },
	{ 401, false, 0, "the server asks for a login" },
	{ 404, false, 0, "there is no such path on that server" },
	{ 407, false, 0, "the proxy asks for a login" },
};

bool backoff_http(int status, int64_t retry_after, int64_t *least, const char **why)
{
	int64_t named = retry_after < 0 ? 0 : retry_after > RETRY_AFTER_MAX ? RETRY_AFTER_MAX : retry_after;

	*least = named * SECOND;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (answers[i].status != status)
			continue;
		/* what the server names counts; without it, what is usual */
		if (retry_after < 0)
			*least = answers[i].least * SECOND;
		*why = answers[i].why;
		return answers[i].again;
	}
	if (status >= 400 && status < 500) {
		*why = "the server refuses the request";
		return false;
	}
	*why = status >= 500  ? "the server has trouble"
	    : status >= 300 ? "the server points elsewhere, which is not followed"
			    : "no WebSocket is offered there";
	return true;
}
