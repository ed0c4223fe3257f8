/* mock_feed - where the data comes from (the walk, or a recording), when it is due, and who gets it. */
#ifndef BNC_MOCK_FEED_H
#define BNC_MOCK_FEED_H

#include "mock_conn.h"
#include "mock_recording.h"

struct mock_feed {
	struct mock_walk *walk;		  /* also when a recording plays: it knows the symbols */
	struct mock_recording *recording; /* NULL: the walk plays */
	struct mock_hub *hub;
	struct mock_log *log;
	void (*tell)(const char *format, ...)
	    __attribute__((format(printf, 1, 2))); /* for people: a recording that breaks off */
	const char *file;			   /* what they call the recording */
	enum mock_market market;
	uint64_t speed;	      /* thousandths; 0: as fast as the clients take it */
	uint64_t start_after; /* subscriptions that must exist before it begins */
	bool fixed_epoch;     /* event time is not moved after a stall */
	bool loop;

	bool started, ended;
	int64_t began; /* when it began, moved on after a stall */
	int64_t first; /* time of the recording's first frame, µs; -1 none yet */
	struct mock_buf payload;
	int64_t now, wall_ms; /* of the round */
	bool crowded;	      /* a client has much waiting: speed 0 pauses */
	bool have;	      /* `take` is the recording's next frame */
	struct mock_take take;
	uint64_t takes;
};

void mock_feed_open(struct mock_feed *f);
void mock_feed_close(struct mock_feed *f);

/* gives what is due */
void mock_feed_pump(struct mock_feed *f, int64_t now, int64_t wall_ms);

/* when it wants to be pumped, INT64_MAX: not before something else happens */
int64_t mock_feed_due(const struct mock_feed *f, int64_t now);

/* the descriptor it waits on to be readable, -1 none */
int mock_feed_fd(const struct mock_feed *f);

#endif
