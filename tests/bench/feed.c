/* feed RATE - records for the benchmark of fan-out, evenly spaced, on standard output.
 *
 * Each line of standard input is a number: so many records are written, RATE a second, and then "RECORDS SECONDS KEPT"
 * on standard error. 99 of 100 are a price_update of one of PAIRS pairs; one is a trade_executed, which nobody may
 * leave out. Beside the keys of bnc-event(5) each has
 *     seq   its number, from 1
 *     kept  trade_executed only: the number of those, from 1
 *     sent  the time of writing, µs since the epoch
 * A record is one write. Where the reader takes less than comes, the feed waits for it, and then makes up for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "num.h"

#define PAIRS	   50
#define KEPT_EVERY 100

struct feed {
	uint64_t rate, random;
	unsigned long long seq, kept;
	unsigned long long price[PAIRS]; /* cents */
};

static uint64_t next_random(struct feed *f)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return f->random;
}

static int print(struct feed *f, char *out, size_t cap)
{
	unsigned pair = (unsigned)(next_random(f) % PAIRS);
	unsigned long long bid = f->price[pair] += next_random(f) % 3 - 1, ask = bid + 1;
	unsigned long long seq = ++f->seq, sent = (unsigned long long)clock_real_us(), ts = sent / 1000;

	if (seq % KEPT_EVERY == 0)
		return snprintf(out, cap,
		    "{\"type\":\"trade_executed\",\"symbol\":\"P%02u\",\"side\":\"SELL\",\"price\":\"%llu.%02llu\","
		    "\"qty\":\"12.5\",\"ts\":%llu,\"pair\":\"P%02uUSDT\",\"market\":\"usdm\","
		    "\"positionSide\":\"BOTH\",\"seq\":%llu,\"kept\":%llu,\"sent\":%llu}\n",
		    pair, bid / 100, bid % 100, ts, pair, seq, ++f->kept, sent);
	return snprintf(out, cap,
	    "{\"type\":\"price_update\",\"symbol\":\"P%02u\",\"price\":\"%llu.%02llu5\",\"ts\":%llu,"
	    "\"pair\":\"P%02uUSDT\",\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"%llu.%02llu\","
	    "\"bidQty\":\"2.6\",\"ask\":\"%llu.%02llu\",\"askQty\":\"5.3\",\"seq\":%llu,\"sent\":%llu}\n",
	    pair, bid / 100, bid % 100, ts, pair, bid / 100, bid % 100, ask / 100, ask % 100, seq, sent);
}

static bool write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(STDOUT_FILENO, p, n);
		if (k < 0 && errno != EINTR)
			return false;
		p += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return true;
}

static void sleep_until(int64_t us)
{
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
	}
}

static bool run(struct feed *f, uint64_t records)
{
	int64_t start = clock_mono_us();
	char line[512];

	for (uint64_t i = 0; i < records; i++) {
		sleep_until(start + (int64_t)(i * 1000000 / f->rate));
		if (!write_all(line, (size_t)print(f, line, sizeof line)))
			return false;
	}
	fprintf(
	    stderr, "%llu %.6f %llu\n", (unsigned long long)records, (double)(clock_mono_us() - start) / 1e6, f->kept);
	return true;
}

int main(int argc, char **argv)
{
	struct feed f = { .random = 88172645463325252ULL };
	char text[32];
	uint64_t records;

	if (argc != 2 || !num_u64(span_of(argv[1]), 1, 1000000, &f.rate)) {
		fputs("usage: feed rate\n", stderr);
		return 2;
	}
	for (int i = 0; i < PAIRS; i++)
		f.price[i] = 10000 + 1000 * (uint64_t)i;
	while (fgets(text, sizeof text, stdin)) {
		if (!num_u64(span_trim(span_of(text)), 0, 1000000000, &records) || !run(&f, records))
			return 1;
	}
	return 0;
}
