/* hub - one stream of lines for any number of readers, each as fast as it is. Pure: bytes and times come in as arguments,
 * bytes go out through a function of the caller.
 *
 * A line is kept in memory once, however many readers wait for it. A price_update and an equity_snapshot are worth
 * something until the next one of the same key comes; all other lines are kept for every reader, in order. A reader that
 * takes what it is given gets every line. One that is behind gets of each key the newest line, in the place of the first
 * one that it missed; and one for which more than `queue` bytes of kept lines wait is cut off. A reader may ask for a
 * rate: then it gets of each key the newest line so many times a second, all keys together, and kept lines at once.
 * Of a key no line comes twice or behind a newer one. Where more than four readers have one rate (none is one as well), all
 * that is for them is gathered: a batch begins no sooner behind the one before than 0.1 ms for each of them, 20 ms at most,
 * or 32 KiB. "At once" is within that.
 *
 * A late comer first gets the newest line of each key and the last equity snapshots, then a status record, then what
 * comes from now on. The key of a line is its type, market, pair (where there is none, symbol), source (but not of
 * status), positionSide, asset, stream and interval, as far as it has them. A line without a type, or where one of these
 * is no string of up to EVENT_NAME_MAX printable bytes, has no key: it is kept for every reader, and not remembered. */
#ifndef BNC_HUB_H
#define BNC_HUB_H

#include <sys/types.h>
#include <sys/uio.h>

#include "event.h"

#define HUB_KEYS_MAX 16384 /* lines of further keys are passed on, and not remembered */
#define HUB_RATES_MAX 16   /* different rates at once, besides none */
#define HUB_RATE_MAX 1000  /* Hz */
#define HUB_IOV_MAX 64
#define HUB_CUT_US 5000000LL /* for the last words to a reader that is cut off, and for all when the input has ended */

struct hub_options {
	size_t history;	      /* equity snapshots that a late comer gets */
	int64_t history_step; /* ms of their ts from one of a key to the next, at least */
	size_t queue;	      /* bytes */
	size_t max_line;      /* bytes without '\n'; of a longer one a status record tells */
	int64_t stale;	      /* µs: older prices are not fresh */

	/* takes bytes for a reader: how many, 0 where it takes none now, -1 where it has gone */
	ssize_t (*send)(void *reader, const struct iovec *iov, int n);
	void (*done)(void *reader); /* it is to be closed: gone, cut off, or all was given at the end */
};

struct hub;
struct hub_reader;

/* NULL: out of memory. Owned: hub_free, which forgets its readers. */
struct hub *hub_new(const struct hub_options *o);
void hub_free(struct hub *h);

/* One line of input; now: monotonic, wall: since the epoch, µs. false: it is no JSON object, or there is no memory for it;
 * *why is a constant sentence, *at the byte. Readers get it with the next hub_pump. */
bool hub_line(struct hub *h, struct span line, int64_t now, int64_t wall, const char **why, size_t *at);

/* a line of input that was refused before it came here: counted */
void hub_refused(struct hub *h);

/* gives readers what is due; may call `done` */
void hub_pump(struct hub *h, int64_t now, int64_t wall);

/* when hub_pump is due without a line; INT64_MAX: not */
int64_t hub_due(const struct hub *h);

/* The input has ended, and a status record says so. Without `linger` readers are done when they have taken all; `state`
 * and `detail` are what the record says. */
void hub_end(struct hub *h, bool linger, const char *state, const char *detail, int64_t now, int64_t wall);

/* rate: Hz, up to HUB_RATE_MAX; 0 for every line. NULL: out of memory, or one more than HUB_RATES_MAX. `user` is what send
 * and done get; what is known waits for hub_reader_pump. */
struct hub_reader *hub_reader_new(struct hub *h, unsigned rate, void *user, int64_t now, int64_t wall);
void hub_reader_free(struct hub *h, struct hub_reader *r);

/* it takes bytes again; may call `done` */
void hub_reader_pump(struct hub *h, struct hub_reader *r, int64_t now);

/* when it is closed whether or not it has taken everything; INT64_MAX: not so far */
int64_t hub_reader_deadline(const struct hub_reader *r);

/* ------------------------------------------------------------------------------------------------ what is known */

enum hub_health {
	HUB_OK,	   /* the newest price is fresh */
	HUB_STALE, /* it is not */
	HUB_DOWN,  /* none has come, or the input has ended */
};

#define HUB_TYPES (EVENT_STATUS + 1)
#define HUB_BUCKETS 12

struct hub_counters {
	uint64_t in[HUB_TYPES], out[HUB_TYPES]; /* lines, by enum event_type; out: over all readers */
	uint64_t in_bytes, out_bytes;
	uint64_t refused; /* told of by false, and by hub_refused */
	uint64_t too_long;
	uint64_t conflated; /* lines that a reader did not get because a newer one came */
	uint64_t cut;	    /* readers */
	uint64_t gaps, reconnects, stales; /* status records of the input */
	uint64_t readers_ever;
	uint64_t latency[HUB_BUCKETS + 1]; /* of prices, exchange -> here: by hub_latency_ms, the last one above all */
	uint64_t latency_ms; /* sum */
};
extern const unsigned hub_latency_ms[HUB_BUCKETS];

const struct hub_counters *hub_counters(const struct hub *h);
enum hub_health hub_health(const struct hub *h, int64_t now);
size_t hub_readers(const struct hub *h);
int64_t hub_age(const struct hub *h, int64_t now); /* µs since the newest price came, -1: none has */
struct span hub_source(const struct hub *h);       /* of the newest status record that has one; "live" before */

/* every stream of prices that has come, in the order in which they did; false: no more. No two have the same names. */
enum hub_stream_name {
	HUB_MARKET,
	HUB_PAIR,
	HUB_SOURCE,
	HUB_POSITION_SIDE,
	HUB_ASSET,
	HUB_STREAM,
	HUB_INTERVAL,
	HUB_STREAM_NAMES,
};
struct hub_stream {
	struct span name[HUB_STREAM_NAMES]; /* empty: it has none */
	int64_t age;			    /* µs */
};
bool hub_stream(const struct hub *h, size_t *at, int64_t now, struct hub_stream *s);

#endif
