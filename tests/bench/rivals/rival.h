/* rival - what the programs on other JSON libraries share: standard input in blocks of whole lines, a record as
 * bnc-normalize writes it, and the plain arithmetic between. C and C++. */
#ifndef BNC_BENCH_RIVAL_H
#define BNC_BENCH_RIVAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RIVAL_BLOCK  (1u << 20)
#define RIVAL_PAD    64 /* readable bytes behind a block */
#define RIVAL_RECORD 1024
#define RIVAL_UNIT   100000000ll /* numbers are in 10^-8 */

struct rival_text {
	const char *p;
	size_t n;
};

struct rival_book {
	struct rival_text pair, bid, bid_qty, ask, ask_qty;
	uint64_t time;
};

struct rival {
	char *in, *out;
	size_t have, out_n;
};

static inline bool rival_open(struct rival *r)
{
	r->in = (char *)malloc(RIVAL_BLOCK + RIVAL_PAD);
	r->out = (char *)malloc(RIVAL_BLOCK + RIVAL_RECORD);
	r->have = r->out_n = 0;
	return r->in && r->out;
}

/* bytes of whole lines that are at r->in now, 0: the end */
static inline size_t rival_fill(struct rival *r)
{
	const char *last = NULL;

	while (!last) {
		ssize_t k = read(0, r->in + r->have, RIVAL_BLOCK - r->have);
		if (k <= 0)
			return 0;
		r->have += (size_t)k;
		last = (const char *)memrchr(r->in, '\n', r->have);
	}
	return (size_t)(last + 1 - r->in);
}

/* forgets the first n bytes */
static inline void rival_drop(struct rival *r, size_t n)
{
	r->have -= n;
	memmove(r->in, r->in + n, r->have);
}

static inline void rival_flush(struct rival *r)
{
	for (size_t done = 0; done < r->out_n;) {
		ssize_t k = write(1, r->out + done, r->out_n - done);
		if (k <= 0)
			exit(3);
		done += (size_t)k;
	}
	r->out_n = 0;
}

static inline int64_t rival_decimal(struct rival_text t)
{
	int64_t value = 0;
	size_t i = 0, places = 0;

	for (; i < t.n && t.p[i] != '.'; i++)
		value = value * 10 + (t.p[i] - '0');
	for (i++; i < t.n; i++, places++)
		value = value * 10 + (t.p[i] - '0');
	for (; places < 8; places++)
		value *= 10;
	return value;
}

static inline char *rival_put(char *o, const char *p, size_t n)
{
	memcpy(o, p, n);
	return o + n;
}

static inline char *rival_digits(char *o, uint64_t value, unsigned least)
{
	char text[24];
	unsigned n = 0;

	do
		text[n++] = (char)('0' + value % 10);
	while ((value /= 10) > 0 || n < least);
	while (n > 0)
		*o++ = text[--n];
	return o;
}

/* `places` decimals, without the zeros at the end */
static inline char *rival_print(char *o, uint64_t value, uint64_t unit, unsigned places)
{
	o = rival_digits(o, value / unit, 1);
	if (value % unit == 0)
		return o;
	*o++ = '.';
	o = rival_digits(o, value % unit, places);
	while (o[-1] == '0')
		o--;
	return o;
}

#define RIVAL_LIT(o, text) rival_put(o, text, sizeof text - 1)

static inline void rival_record(struct rival *r, const struct rival_book *b)
{
	int64_t bid = rival_decimal(b->bid), ask = rival_decimal(b->ask);
	char *o = r->out + r->out_n;
	size_t base = b->pair.n;

	if (base > 4 && (memcmp(b->pair.p + base - 4, "USDT", 4) == 0 || memcmp(b->pair.p + base - 4, "USDC", 4) == 0))
		base -= 4;
	o = rival_put(RIVAL_LIT(o, "{\"type\":\"price_update\",\"symbol\":\""), b->pair.p, base);
	o = rival_print(RIVAL_LIT(o, "\",\"price\":\""), (uint64_t)(bid + ask) * 5, RIVAL_UNIT * 10, 9);
	o = rival_digits(RIVAL_LIT(o, "\",\"ts\":"), b->time, 1);
	o = rival_put(RIVAL_LIT(o, ",\"pair\":\""), b->pair.p, b->pair.n);
	o = RIVAL_LIT(o, "\",\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"");
	o = rival_print(o, (uint64_t)bid, RIVAL_UNIT, 8);
	o = rival_print(RIVAL_LIT(o, "\",\"bidQty\":\""), (uint64_t)rival_decimal(b->bid_qty), RIVAL_UNIT, 8);
	o = rival_print(RIVAL_LIT(o, "\",\"ask\":\""), (uint64_t)ask, RIVAL_UNIT, 8);
	o = rival_print(RIVAL_LIT(o, "\",\"askQty\":\""), (uint64_t)rival_decimal(b->ask_qty), RIVAL_UNIT, 8);
	o = RIVAL_LIT(o, "\"}\n");
	r->out_n = (size_t)(o - r->out);
	if (r->out_n >= RIVAL_BLOCK)
		rival_flush(r);
}

#endif
