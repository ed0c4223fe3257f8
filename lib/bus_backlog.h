/* bus_backlog - lines between an input and a store that may be away: in memory (bus_pub), beyond that in files
 * (bus_spill), in their order. Where neither takes them input is held for as long as there is patience; then they are
 * left out, and that is told among the lines when there is room again. */
#ifndef BNC_BUS_BACKLOG_H
#define BNC_BUS_BACKLOG_H

#include "bus_pub.h"
#include "bus_spill.h"

struct bus_backlog_options {
	struct bus_pub_options pub;
	const char *dir; /* of the files, NULL: none; it must outlive the backlog */
	uint64_t cap;	 /* bytes of them, packed */
	int64_t patience; /* µs: what is full waits for as long as something is stored in that time */
	/* the subject, id and stream of a line that comes out of a file, or is the program's own. They are good until the
	 * next call. false: *why, at byte *at */
	bool (*key)(void *user, struct span text, struct bus_pub_line *l, const char **why, size_t *at);
	void *user;
	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

struct bus_backlog {
	struct bus_backlog_options o;
	struct bus_pub *pub;
	struct bus_spill spill;
	uint64_t mark;	  /* of lines in memory */
	uint64_t own;	  /* of the last one of them that stands in no file */
	bool holding;	  /* the line that was put last was not taken */
	int64_t held_at;  /* when it was put first */
	int64_t progress; /* when something was stored last */
	bool spilling;	  /* lines go to files as long as some are there */
	struct {	  /* a line from them for which there was no room */
		struct span line;
		char id[BUS_SPILL_ID_MAX];
	} back;
	bool back_more;	    /* and there is room for more */
	uint64_t unspilled; /* lines that did not fit there, not yet told */
	uint64_t left_out;  /* of these, and of those that a disk did not take: told */
	uint64_t spilled;
	uint64_t refused; /* of those from files */
};

/* false: why[] */
bool bus_backlog_open(struct bus_backlog *b, const struct bus_backlog_options *o, char why[512]);
void bus_backlog_close(struct bus_backlog *b);

enum bus_backlog_put {
	BUS_BACKLOG_TAKEN, /* or left out, which is counted and will be told */
	BUS_BACKLOG_HELD,  /* there is no room now, but there may be: the same line again */
	BUS_BACKLOG_CROWDED, /* a subject more than may wait: refuse it */
};
/* last: no time to wait */
enum bus_backlog_put bus_backlog_put(struct bus_backlog *b, const struct bus_pub_line *l, bool last, int64_t now);

/* a line that is held there is no more time for: it counts as not stored */
void bus_backlog_lose(struct bus_backlog *b);

/* what is due: files are written and read back, gaps are told */
void bus_backlog_tick(struct bus_backlog *b, int64_t now);
/* as bus_pub_stored */
bool bus_backlog_stored(struct bus_backlog *b, uint32_t token, bool duplicate, int64_t now);

bool bus_backlog_empty(const struct bus_backlog *b);
int bus_backlog_fd(const struct bus_backlog *b);      /* to wait for, -1: nothing */
int64_t bus_backlog_due(const struct bus_backlog *b); /* when bus_backlog_tick wants to be called; INT64_MAX: not */

/* behind the last line the same patience begins anew */
void bus_backlog_last(struct bus_backlog *b, int64_t now);
int64_t bus_backlog_patience(const struct bus_backlog *b); /* when it is over, if nothing is stored until then */

/* At the end: what is not stored goes to the files or is lost, and that is told. false: there was such, or something was
 * wrong with the files */
bool bus_backlog_give_back(struct bus_backlog *b, int64_t now);

#endif
