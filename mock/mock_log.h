/* mock_log - what happens, as lines of JSON on standard output, and the file of everything served.
 * Standard output never holds the exchange up: lines that nobody takes wait in a capped buffer, and when that is full
 * whole lines are left out and their number told in the next one ("left_out"). */
#ifndef BNC_MOCK_LOG_H
#define BNC_MOCK_LOG_H

#include <stdio.h>

#include "io.h"
#include "mock_buf.h"

#define MOCK_LOG_CAP (256u << 10)

struct mock_log {
	struct io_out to;
	struct mock_buf buf;
	struct mock_buf line; /* the one being made */
	uint64_t left_out;
	bool gone;    /* the reader has gone: nothing more is kept */
	FILE *served; /* or NULL; owned */
};

void mock_log_open(struct mock_log *l, struct io_out to);
bool mock_log_served_to(struct mock_log *l, const char *path); /* false: errno */
bool mock_log_close(struct mock_log *l);		       /* false: the served file could not be written */

/* {"event":"...","conn":n ... }; conn 0: none */
void mock_log_begin(struct mock_log *l, const char *event, unsigned conn);
void mock_log_text(struct mock_log *l, const char *key, struct span value);
void mock_log_json(struct mock_log *l, const char *key, struct span value); /* JSON already */
void mock_log_number(struct mock_log *l, const char *key, int64_t value);
void mock_log_end(struct mock_log *l);
void mock_log_plain(struct mock_log *l, struct span line); /* a line as it is */
void mock_log_flush(struct mock_log *l);		   /* what can be written now */

/* conn TAB stream TAB payload; line ends inside the payload become blanks */
void mock_log_serve(struct mock_log *l, unsigned conn, struct span stream, struct span payload);

#endif
