/* bus_spill - lines that wait on disk for a server that has gone: recordings in a directory (bnc-recording(5)), read
 * back in their order and removed when the caller says that it is done with them. What a program leaves there, or one
 * that was killed, is what the next one begins with.
 *
 * Lines are given back while new ones are written. Those that were in memory when a program ended stand before all
 * others: they are in a directory of their own, DIR/first. */
#ifndef BNC_BUS_SPILL_H
#define BNC_BUS_SPILL_H

#include "rec_read.h"
#include "rec_write.h"

#define BUS_SPILL_FILES	 64 /* that are read and not done with */
#define BUS_SPILL_ID_MAX (REC_NAME_MAX + 24)

struct bus_spill_file {
	char *path; /* owned */
	uint64_t mark;
	bool read; /* to its end */
	bool damaged;
};

struct bus_spill {
	char dir[1024], first[1024 + 16];
	uint64_t cap; /* bytes of files, packed */
	uint32_t run;
	int64_t began;		 /* of the newest file: µs since the epoch, and no two alike */
	int lock;		 /* the directory, held */
	struct rec_write *write; /* NULL: no file is open */
	char prefix[48];	 /* of its name; it is the writer's as long as that is open */
	uint64_t lines, taken;	 /* in it, and their bytes */
	uint64_t stood;		 /* bytes of the other files */
	struct rec_read read;
	struct bus_spill_file file[BUS_SPILL_FILES];
	size_t files;
	bool reading; /* the last of them */
	bool scanned; /* there is nothing in the directory beyond them */
	bool firsts;  /* what is written now stands before all others */
	bool full, failed;
	bool blind;    /* what is in the directory could not be seen, and is looked for again then */
	int64_t again; /* clock_mono_us */
	bool unread;   /* a file, or the rest of one, could not be given back */
	bool stuck;    /* one that is done with could not be removed, and is still to be */
	uint64_t lost; /* lines that were taken and could not be written */
	void (*tell)(const char *format, ...) __attribute__((format(printf, 1, 2)));
};

/* Makes the directory where it is missing. false: why[]; another program may hold it */
bool bus_spill_open(struct bus_spill *s, const char *dir, uint64_t cap, uint64_t run, char why[512]);
/* What is written by then is safe. */
void bus_spill_close(struct bus_spill *s);

enum bus_spill_put {
	BUS_SPILL_TAKEN,
	BUS_SPILL_BUSY, /* the disk is behind: again when bus_spill_fd can be read */
	BUS_SPILL_FULL, /* and stays so until half of it has gone; also: the disk has failed */
};
enum bus_spill_put bus_spill_put(struct bus_spill *s, struct span line, int64_t now);

/* Does anything wait there? */
bool bus_spill_any(const struct bus_spill *s);

/* The next line, padded as lib/json asks, and an id that it has whoever reads it. Good until the next call. false: none
 * now; bus_spill_any tells whether that was all */
bool bus_spill_next(struct bus_spill *s, struct span *line, char id[BUS_SPILL_ID_MAX]);
/* the line given last has the mark */
void bus_spill_mark(struct bus_spill *s, uint64_t mark);
/* lines up to that mark are done with: files go, but for one that could not be read, which is kept as NAME.damaged */
void bus_spill_done(struct bus_spill *s, uint64_t mark);

/* one of those that stand before all others, as the program ends. false: why[] */
bool bus_spill_first(struct bus_spill *s, struct span line, int64_t now, char why[512]);
/* What has been given to be written is safe then, and lines up to the mark are done with. Where a disk did not take
 * all, s->lost says so and no file goes. */
void bus_spill_end(struct bus_spill *s, uint64_t mark);

int bus_spill_fd(const struct bus_spill *s);	  /* -1: nothing to wait for */
int64_t bus_spill_due(const struct bus_spill *s); /* INT64_MAX: never */
void bus_spill_tick(struct bus_spill *s, int64_t now);

#endif
