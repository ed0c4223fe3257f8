#include "bus_spill.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYNC_US	     1000000
#define ROTATE_BYTES (4u << 20)
#define AGAIN_US     200000 /* after the directory could not be read */

/* ------------------------------------------------------------------------------------------------- files */

static bool is_taken(const struct bus_spill *s, const char *path)
{
	for (size_t i = 0; i < s->files; i++)
		if (strcmp(s->file[i].path, path) == 0)
			return true;
	return false;
}

static struct span name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return span_of(slash ? slash + 1 : path);
}

/* Prefixes tell when a file was begun, to the microsecond, and of one prefix the rest of the name does. */
static bool is_before(const char *a, const char *b)
{
	struct rec_name x, y;

	if (!rec_name_parse(name_of(a), &x) || !rec_name_parse(name_of(b), &y))
		return strcmp(a, b) < 0;
	if (!span_eq(x.prefix, y.prefix)) {
		size_t n = x.prefix.n < y.prefix.n ? x.prefix.n : y.prefix.n;
		int order = memcmp(x.prefix.p, y.prefix.p, n);
		return order ? order < 0 : x.prefix.n < y.prefix.n;
	}
	return rec_name_compare(name_of(a), name_of(b)) < 0;
}

/* the first recording of a directory that has not been taken yet; NULL: none. Owned by the caller. Bytes of all are
 * added to s->stood. false: errno, there may be some */
static bool first_of(struct bus_spill *s, const char *dir, char **path)
{
	char copy[sizeof s->dir + 16];
	char *operands[] = { copy, NULL };
	const char *first = NULL, *at;
	struct rec_files f;
	struct stat st;

	*path = NULL;
	snprintf(copy, sizeof copy, "%s", dir);
	if (access(dir, F_OK) < 0)
		return errno == ENOENT;
	if (!rec_files_open(&f, operands, &at)) {
		int error = errno;
		rec_files_close(&f);
		errno = error;
		return false;
	}
	for (size_t i = 0; i < f.n; i++) {
		s->stood += stat(f.path[i], &st) == 0 ? (uint64_t)st.st_size : 0;
		if (!is_taken(s, f.path[i]) && (!first || is_before(f.path[i], first)))
			first = f.path[i];
	}
	*path = first ? strdup(first) : NULL;
	bool good = *path || !first;
	rec_files_close(&f);
	if (!good)
		errno = ENOMEM;
	return good;
}

/* the file to be read next; no file may be open for writing. NULL: none. false: errno, there may be one */
static bool next_file(struct bus_spill *s, char **path)
{
	char *other;

	s->stood = 0;
	if (!first_of(s, s->first, path))
		return false;
	if (!first_of(s, s->dir, &other)) {
		free(*path);
		*path = NULL;
		return false;
	}
	if (*path)
		free(other);
	else
		*path = other;
	return true;
}

static bool make_dir(const char *dir, char why[512])
{
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return true;
	snprintf(why, 512, "%s: %s", dir, strerror(errno));
	return false;
}

bool bus_spill_open(struct bus_spill *s, const char *dir, uint64_t cap, uint64_t run, char why[512])
{
	char *left;

	*s = (struct bus_spill){ .cap = cap, .lock = -1 };
	if ((size_t)snprintf(s->dir, sizeof s->dir, "%s", dir) >= sizeof s->dir) {
		snprintf(why, 512, "the name of the directory is too long");
		return false;
	}
	s->run = (uint32_t)run;
	if (!make_dir(dir, why))
		return false;
	s->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->lock < 0 || flock(s->lock, LOCK_EX | LOCK_NB) < 0) {
		snprintf(why, 512, "%s: %s", dir, errno == EWOULDBLOCK ? "another program has it" : strerror(errno));
		return false;
	}
	/* now: a program that has given up what it does not need makes no directories */
	snprintf(s->first, sizeof s->first, "%s/first", dir);
	if (!make_dir(s->first, why))
		return false;
	if (!rec_read_open(&s->read)) {
		snprintf(why, 512, "out of memory");
		return false;
	}
	s->read.from = INT64_MIN;
	s->read.to = INT64_MAX;
	if (!next_file(s, &left)) {
		snprintf(why, 512, "%s: %s", dir, strerror(errno));
		return false;
	}
	s->scanned = left == NULL;
	free(left);
	return true;
}

/* ------------------------------------------------------------------------------------------------- writing */

static bool open_writer(struct bus_spill *s, const char *dir, char why[512])
{
	int64_t us = clock_real_us();

	/* never one that was there before, not even one that has been removed: ids are made of it */
	s->began = us > s->began ? us : s->began + 1;
	snprintf(s->prefix, sizeof s->prefix, "spill-%016" PRId64 "-%08" PRIx32, s->began, s->run);
	struct rec_write_options o = {
		.dir = dir, .prefix = span_of(s->prefix), .level = 1, .sync = SYNC_US, .rotate_bytes = ROTATE_BYTES
	};

	s->write = rec_write_open(&o, why);
	s->lines = s->taken = 0;
	if (s->write && !rec_write_start(s->write, why))
		s->write = NULL;
	return s->write != NULL;
}

/* the file ends; it can be read then */
static void close_writer(struct bus_spill *s)
{
	struct rec_write_counters c;
	char why[512];

	if (!s->write)
		return;
	if (!rec_write_close(s->write, &c, why)) {
		s->tell("%s", why);
		s->failed = true;
	}
	s->lost += c.lost;
	s->write = NULL;
	s->lines = 0;
	s->scanned = false;
}

static uint64_t bytes_there(const struct bus_spill *s)
{
	struct rec_write_counters c = { .packed = 0 };

	if (s->write)
		rec_write_counters(s->write, &c);
	return s->stood + c.packed;
}

static bool has_room(struct bus_spill *s)
{
	uint64_t n = bytes_there(s);

	s->full = s->full ? n > s->cap / 2 : n >= s->cap;
	return !s->full;
}

/* Lines that are still to be packed may come to as much as they are now: before they would reach the cap it is waited for
 * what they do come to. */
static bool must_wait(struct bus_spill *s)
{
	struct rec_write_counters c;

	rec_write_counters(s->write, &c);
	uint64_t unpacked = s->taken - c.bytes;
	return unpacked > 0 && s->stood + c.packed + unpacked >= s->cap;
}

enum bus_spill_put bus_spill_put(struct bus_spill *s, struct span line, int64_t now)
{
	char why[512];

	if (s->failed || !has_room(s))
		return BUS_SPILL_FULL;
	if (!s->write && !open_writer(s, s->dir, why)) {
		s->tell("%s", why);
		s->failed = true;
		return BUS_SPILL_FULL;
	}
	if (must_wait(s) || !rec_write_line(s->write, line, now))
		return BUS_SPILL_BUSY;
	s->lines++;
	s->taken += line.n + 1;
	return BUS_SPILL_TAKEN;
}

bool bus_spill_first(struct bus_spill *s, struct span line, int64_t now, char why[512])
{
	struct pollfd p;

	if (!s->firsts)
		close_writer(s);
	s->firsts = true;
	if (!s->write && !open_writer(s, s->first, why))
		return false;
	while (!rec_write_line(s->write, line, now)) {
		p = (struct pollfd){ .fd = rec_write_fd(s->write), .events = POLLIN };
		(void)poll(&p, 1, 1000);
		if (!rec_write_tick(s->write, now)) {
			snprintf(why, 512, "%.400s: cannot be written", s->first);
			return false;
		}
	}
	return true;
}

void bus_spill_end(struct bus_spill *s, uint64_t mark)
{
	close_writer(s);
	if (!s->failed)
		bus_spill_done(s, mark);
}

int bus_spill_fd(const struct bus_spill *s)
{
	return s->write ? rec_write_fd(s->write) : -1;
}

int64_t bus_spill_due(const struct bus_spill *s)
{
	int64_t due = s->write ? rec_write_due(s->write) : INT64_MAX;

	return s->blind && s->again < due ? s->again : due;
}

void bus_spill_tick(struct bus_spill *s, int64_t now)
{
	if (s->write && !rec_write_tick(s->write, now))
		close_writer(s);
}

/* ------------------------------------------------------------------------------------------------- reading */

bool bus_spill_any(const struct bus_spill *s)
{
	return s->reading || !s->scanned || s->lines > 0;
}

/* What stands there comes before all that follows, so that it is looked for until it can be seen. */
static bool look(struct bus_spill *s, char **path)
{
	bool was = s->blind;

	*path = NULL;
	if (was && clock_mono_us() < s->again)
		return false;
	close_writer(s);
	s->blind = !next_file(s, path);
	if (s->blind && !was)
		s->tell("%s: %s", s->dir, strerror(errno));
	if (s->blind)
		s->again = clock_mono_us() + AGAIN_US;
	else
		s->scanned = *path == NULL;
	return *path != NULL;
}

static bool attach(struct bus_spill *s, const char *path)
{
	while (!rec_read_attach(&s->read, path))
		if (errno != EINTR)
			return false;
	errno = EINVAL; /* what is no file might be waited for */
	return s->read.regular;
}

/* what was not read of it is kept */
static void end_file(struct bus_spill *s, enum rec_got got)
{
	struct bus_spill_file *f = &s->file[s->files - 1];

	if (got == REC_BROKEN)
		s->tell("%s: damaged from byte %" PRIu64 " on: %s", f->path, s->read.unpack.at, s->read.unpack.why);
	else if (got == REC_FAILED)
		s->tell("%s: %s", f->path, strerror(errno));
	f->damaged = got != REC_END;
	s->unread |= f->damaged;
	f->read = true;
	s->reading = false;
}

static bool start_file(struct bus_spill *s)
{
	char *path;

	if (s->files == BUS_SPILL_FILES || (s->scanned && s->lines == 0) || !look(s, &path))
		return false;
	s->file[s->files++] = (struct bus_spill_file){ .path = path };
	s->reading = attach(s, path);
	if (!s->reading)
		end_file(s, REC_FAILED);
	return true;
}

static void id_of(const struct bus_spill *s, char id[BUS_SPILL_ID_MAX])
{
	struct span name = name_of(s->file[s->files - 1].path);

	if (span_ends(name, SPAN(".part")))
		name.n -= 5;
	snprintf(id, BUS_SPILL_ID_MAX, "%.*s:%" PRIu64, (int)(name.n < REC_NAME_MAX ? name.n : REC_NAME_MAX), name.p,
	    s->read.in.number);
}

bool bus_spill_next(struct bus_spill *s, struct span *line, char id[BUS_SPILL_ID_MAX])
{
	int64_t us;

	while (s->reading || start_file(s)) {
		enum rec_got got = s->reading ? rec_read_next(&s->read, line, &us) : REC_MORE;
		if (got == REC_LINE) {
			id_of(s, id);
			return true;
		}
		if (got == REC_END || got == REC_BROKEN || got == REC_FAILED)
			end_file(s, got);
	}
	return false;
}

void bus_spill_mark(struct bus_spill *s, uint64_t mark)
{
	s->file[s->files - 1].mark = mark;
}

/* a damaged one is kept for people, under a name that is no recording's */
static bool remove_file(const struct bus_spill_file *f)
{
	char name[2048];

	snprintf(name, sizeof name, "%s.damaged", f->path);
	return (f->damaged ? rename(f->path, name) : unlink(f->path)) == 0 || errno == ENOENT;
}

void bus_spill_done(struct bus_spill *s, uint64_t mark)
{
	struct stat st;

	while (s->files && s->file[0].read && s->file[0].mark <= mark) {
		uint64_t size = stat(s->file[0].path, &st) == 0 ? (uint64_t)st.st_size : 0;
		bool was = s->stuck;
		s->stuck = !remove_file(&s->file[0]);
		if (s->stuck && !was)
			s->tell("%s: cannot be removed: %s", s->file[0].path, strerror(errno));
		if (s->stuck)
			return; /* it would be found again, and read again */
		s->stood -= size < s->stood ? size : s->stood;
		free(s->file[0].path);
		memmove(s->file, s->file + 1, --s->files * sizeof s->file[0]);
	}
}

void bus_spill_close(struct bus_spill *s)
{
	close_writer(s);
	for (size_t i = 0; i < s->files; i++)
		free(s->file[i].path);
	s->files = 0;
	rec_read_close(&s->read);
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}
