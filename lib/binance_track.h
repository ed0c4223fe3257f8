/* binance_track - which stream a line belongs to, and what its exchange id is, whatever the line is: a frame with its
 * envelope, a bare event, "<time> <frame>", a record, anything else. Streams are numbered as they come.
 *
 * The name of a stream is that of the envelope. A bare event is given the name that its type and symbol say:
 * "btcusdt@aggTrade", "btcusdt@kline_1m"; what they do not say is not in the name: all depth of a symbol is
 * "btcusdt@depth", at whatever speed, and its partial books with it. */
#ifndef BNC_BINANCE_TRACK_H
#define BNC_BINANCE_TRACK_H

#include "binance.h"
#include "binance_ids.h"

#define BINANCE_TRACK_STREAMS 16384
#define BINANCE_TRACK_REST    0 /* the stream of all lines that are no frames; its name is empty */

struct binance_track_stream {
	enum event_market market;
	enum binance_kind kind;
	char *name; /* owned; n bytes and a NUL */
	size_t n;
};

struct binance_track {
	enum event_market market; /* of frames that do not say theirs */
	struct binance_track_stream *stream; /* owned */
	size_t streams, cap;
	uint32_t *bucket; /* owned; name -> index + 1 */
	struct fields fields;
	char name[BINANCE_NAME_MAX];
};

enum binance_track_what {
	BINANCE_TRACK_FRAME,
	BINANCE_TRACK_GAP,	  /* a status record: who wrote it has missed something, of `about` or of all streams */
	BINANCE_TRACK_CONNECTING, /* a status record: who wrote it has no connection, for `about` or for all streams */
	BINANCE_TRACK_LINE,	  /* all else */
};

struct binance_tracked {
	enum binance_track_what what;
	size_t stream;
	struct arbiter_event event; /* of a line that is no frame: by all its bytes */
	struct span about;	    /* a stream's name; empty: all. Good until the next line */
};

/* false: out of memory */
bool binance_track_open(struct binance_track *t, enum event_market market);
void binance_track_close(struct binance_track *t); /* safe twice */

/* The line is padded as lib/json asks. false: it is of one stream more than BINANCE_TRACK_STREAMS, or than fits into
 * memory; then there is no out->stream. */
bool binance_track_line(struct binance_track *t, struct span line, struct binance_tracked *out);

/* -1: no line of it has come */
long binance_track_find(const struct binance_track *t, enum event_market m, struct span name);

#endif
