#include "rec_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT_ONCE (UNPACK_FRAME_MAX / 4096 * 4096 + 4096)

static long take(void *user, char *p, size_t n)
{
	struct rec_read *r = user;
	bool readable = r->regular || r->readable;

	r->readable = false;
	return unpack_read(&r->unpack, p, n, readable);
}

bool rec_read_open(struct rec_read *r)
{
	*r = (struct rec_read){ .from = INT64_MIN, .to = INT64_MAX };
	when_open(&r->when);
	return unpack_open(&r->unpack) && line_in_open_for(&r->in, AT_ONCE, take, r);
}

static void close_file(struct rec_read *r)
{
	rec_index_close(&r->index);
	if (r->in.fd > STDIN_FILENO)
		close(r->in.fd);
	r->in.fd = -1;
}

void rec_read_close(struct rec_read *r)
{
	close_file(r);
	line_in_close(&r->in);
	unpack_close(&r->unpack);
}

/* ---------------------------------------------------------------------------------------------- by the index */

static bool selects(const struct rec_read *r)
{
	return r->from != INT64_MIN || r->to != INT64_MAX;
}

static bool read_at(struct rec_read *r, char *p, size_t n, uint64_t offset)
{
	ssize_t k = pread(r->in.fd, p, n, (off_t)offset);

	r->unpack.taken += k > 0 ? (uint64_t)k : 0;
	return k == (ssize_t)n;
}

/* the index of a closed file; without one the whole file is read, which gives the same lines */
static void read_index(struct rec_read *r, uint64_t size)
{
	char footer[REC_FOOTER_BYTES];
	uint64_t n;

	if (size < sizeof footer || !read_at(r, footer, sizeof footer, size - sizeof footer) ||
	    !rec_footer_read(footer, &n) || n > size)
		return;
	char *frame = malloc(n);
	if (frame && read_at(r, frame, n, size - n))
		rec_index_read(&r->index, (struct span){ frame, n }, size);
	free(frame);
}

/* before `to`; that may be the highest of all times, which a line can have: then all are */
static bool is_early(const struct rec_read *r, int64_t us)
{
	return us < r->to || r->to == INT64_MAX;
}

/* may it hold lines that are wanted? */
static bool is_wanted(const struct rec_read *r, const struct rec_stretch *s)
{
	int64_t low = s->first == WHEN_NEVER ? INT64_MIN : s->low;

	return s->high >= r->from && is_early(r, low);
}

/* on to the next stretches that are wanted, as many as follow each other: REC_MORE; REC_END: there are none */
static enum rec_got next_range(struct rec_read *r)
{
	const struct rec_stretch *s = r->index.stretch;
	size_t n = r->index.n;

	while (r->next < n && !is_wanted(r, &s[r->next]))
		r->next++;
	if (r->next == n)
		return REC_END;
	const struct rec_stretch *first = &s[r->next];
	while (r->next < n && is_wanted(r, &s[r->next]))
		r->next++;
	uint64_t upto = s[r->next - 1].offset + s[r->next - 1].packed;
	r->us = first->first; /* what a line without a time there has */
	line_in_resume(&r->in);
	r->broken = !unpack_range(&r->unpack, first->offset, upto);
	return r->broken ? REC_FAILED : REC_MORE;
}

/* ----------------------------------------------------------------------------------------------------- lines */

bool rec_read_attach(struct rec_read *r, const char *path)
{
	struct stat st;
	/* O_NONBLOCK: the open of a FIFO must not wait for its writer where no signal is heard; poll waits for it */
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close_file(r);
	line_in_attach(&r->in, fd);
	unpack_attach(&r->unpack, fd);
	r->us = WHEN_NEVER;
	r->next = 0;
	r->broken = r->readable = false;
	if (fstat(fd, &st) < 0)
		return false;
	r->regular = S_ISREG(st.st_mode);
	if (r->regular && selects(r) && st.st_size > 0)
		read_index(r, (uint64_t)st.st_size);
	r->in.ended = r->index.n > 0; /* the ranges come one by one */
	return true;
}

static enum rec_got fill(struct rec_read *r)
{
	switch (line_fill(&r->in)) {
	case UNPACK_MORE:
		return r->regular ? REC_MORE : REC_WAIT;
	case UNPACK_BROKEN:
		r->broken = true;
		return REC_BROKEN;
	case UNPACK_FAILED:
		r->broken = true;
		return REC_FAILED;
	default:
		return REC_MORE;
	}
}

/* the time of a line, which also holds for those behind it that have none; is it wanted? */
static bool place(struct rec_read *r, struct span line)
{
	if (!r->timed && !selects(r))
		return true;
	int64_t us = when_line(&r->when, line);
	r->us = us == WHEN_NEVER ? r->us : us;
	return r->us >= r->from && is_early(r, r->us);
}

enum rec_got rec_read_next(struct rec_read *r, struct span *line, int64_t *us)
{
	for (;;) {
		enum line_got got = r->broken ? LINE_EMPTY : line_next(&r->in, line);
		if (got == LINE_LONG)
			return REC_LONG;
		if (got == LINE_ONE && place(r, *line)) {
			*us = r->us;
			return REC_LINE;
		}
		if (got == LINE_ONE)
			continue;
		enum rec_got range = r->broken ? REC_END : r->in.ended ? next_range(r) : REC_MORE;
		if (range != REC_MORE)
			return range;
		return fill(r);
	}
}

/* ----------------------------------------------------------------------------------------------------- files */

static bool add(struct rec_files *f, const char *dir, const char *name)
{
	char *path = NULL;

	if (f->n == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 64;
		char **more = realloc(f->path, cap * sizeof *more);
		if (!more)
			return false;
		f->path = more;
		f->cap = cap;
	}
	size_t n = dir ? strlen(dir) : 0;
	bool slash = n > 0 && dir[n - 1] == '/';
	if (asprintf(&path, "%s%s%s", dir ? dir : "", dir && !slash ? "/" : "", name) < 0)
		return false;
	f->path[f->n++] = path;
	return true;
}

static struct span base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return span_of(slash ? slash + 1 : path);
}

static int compare(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int r = rec_name_compare(base_name(x), base_name(y));

	return r ? r : strcmp(x, y);
}

static void sort(char **path, size_t n)
{
	if (n > 0)
		qsort(path, n, sizeof *path, compare);
}

static bool add_directory(struct rec_files *f, const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	size_t from = f->n;
	bool good = dir != NULL;

	while (good && (errno = 0, e = readdir(dir)) != NULL)
		if (rec_is_recording(span_of(e->d_name)))
			good = add(f, path, e->d_name);
	good &= errno == 0;
	int error = errno;
	if (dir)
		closedir(dir);
	errno = error;
	sort(f->path + from, f->n - from);
	return good;
}

static bool all_tell_a_time(const struct rec_files *f)
{
	struct rec_name name;

	for (size_t i = 0; i < f->n; i++)
		if (!rec_name_parse(base_name(f->path[i]), &name))
			return false;
	return true;
}

static bool add_operand(struct rec_files *f, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return add(f, NULL, path);
	if (stat(path, &st) < 0)
		return false;
	return S_ISDIR(st.st_mode) ? add_directory(f, path) : add(f, NULL, path);
}

bool rec_files_open(struct rec_files *f, char *const *operands, const char **path)
{
	*f = (struct rec_files){ NULL, 0, 0 };
	*path = "-";
	if (!*operands)
		return add(f, NULL, "-");
	for (; *operands; operands++) {
		*path = *operands;
		if (!add_operand(f, *operands))
			return false;
	}
	if (all_tell_a_time(f))
		sort(f->path, f->n);
	return true;
}

void rec_files_close(struct rec_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->path[i]);
	free(f->path);
	*f = (struct rec_files){ NULL, 0, 0 };
}
