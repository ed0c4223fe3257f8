/* mock_recording - frames of a recording, line by line: our frames, raw or combined frames of the exchange, bare
 * events, each of them perhaps behind an integer time and a blank. A payload's bytes are never touched. The file may be
 * compressed (unpack); of a damaged one all whole lines before the damage are given. */
#ifndef BNC_MOCK_RECORDING_H
#define BNC_MOCK_RECORDING_H

#include "line.h"
#include "mock_name.h"
#include "unpack.h"

#define MOCK_NAMES_MAX	4
#define MOCK_NAME_BYTES 256

struct mock_take {			  /* one frame; views die with the next one */
	int64_t us;			  /* when it was recorded; -1 unknown */
	enum mock_market market;	  /* MOCK_MARKETS: it does not say */
	struct span name[MOCK_NAMES_MAX]; /* the streams that carry it */
	size_t names;
	struct span payload;
	char text[MOCK_NAMES_MAX][MOCK_NAME_BYTES];
};

struct mock_recording {
	struct line_in in;
	struct unpack unpack;
	int fd;
	bool pipe;	 /* not a regular file: it may have to be waited for, and cannot be played again */
	bool waits;	 /* nothing comes before fd can be read */
	uint64_t bad;	 /* lines that are no frames, or name no stream */
	const char *why; /* after MOCK_RECORDING_FAILED */
	uint64_t at;	 /* and the offset in the file */
};

enum mock_recording_got {
	MOCK_RECORDING_ONE,
	MOCK_RECORDING_WAIT, /* nothing to read now */
	MOCK_RECORDING_END,
	MOCK_RECORDING_FAILED, /* why, at. The end */
};

/* path "-": standard input. false: errno */
bool mock_recording_open(struct mock_recording *r, const char *path);
void mock_recording_close(struct mock_recording *r); /* safe twice */
bool mock_recording_rewind(struct mock_recording *r);
enum mock_recording_got mock_recording_next(struct mock_recording *r, struct mock_take *t);

/* one line (followed by '\n' and JSON_PAD readable bytes); false: no frame, or no stream known for it */
bool mock_recording_line(struct span line, struct mock_take *t);

#endif
