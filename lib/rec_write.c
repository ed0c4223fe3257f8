#include "rec_write.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "clock.h"
#include "json.h"
#include "unpack.h"

#define BLOCK_BYTES  UNPACK_FRAME_MAX
#define BLOCKS_AHEAD 3u /* with packers or the disk, while blocks are not full */

enum state {
	FREE,
	FULL,	 /* waits for a packer, or is with one */
	PACKED,	 /* waits for the disk */
	WRITTEN, /* may still be needed for the tee */
};

struct block {
	enum state state;
	bool last;	   /* the file is closed behind it */
	char *text, *pack; /* owned */
	size_t n, packed;
	struct rec_stretch frame; /* what the index says of it */
	const char *why;	  /* it could not be packed */
};

/* what the disk thread has open */
struct file {
	int fd; /* -1: none */
	struct rec_name name;
	struct rec_index index;
	uint64_t size;
	int64_t time; /* of the line written last, over all files */
};

struct rec_write {
	struct rec_write_options o;
	int dir, event;
	struct file file;

	/* of the caller alone */
	uint64_t filling; /* block by sequence number, at % REC_WRITE_BLOCKS */
	uint64_t freed;	  /* those before are free */
	uint64_t written; /* as of the last look */
	uint64_t teed;	  /* the block where the tee is */
	size_t teed_at;
	int64_t since;	  /* first line of the block that is being filled */
	bool rotate;	  /* as soon as a block is free */

	pthread_mutex_t lock; /* for what follows, and the blocks' states */
	pthread_cond_t news;
	uint64_t full;	    /* blocks before this one are full */
	uint64_t to_pack;   /* next for a packer */
	bool ended;	    /* no more blocks */
	bool failed;
	char why[512];
	struct rec_write_counters counters;

	pthread_t thread[REC_WRITE_PACKERS + 1];
	unsigned packers, threads; /* wanted, running */
	struct block block[REC_WRITE_BLOCKS];
};

static struct block *block_of(struct rec_write *w, uint64_t n)
{
	return &w->block[n % REC_WRITE_BLOCKS];
}

/* the caller is to look */
static void wake(const struct rec_write *w)
{
	uint64_t one = 1;

	while (write(w->event, &one, sizeof one) < 0 && errno == EINTR) {
	}
}

/* ------------------------------------------------------------------------------------------------------ packing */

/* a line has the time of the line before where it has none; of the first lines that is known on the disk's side */
static void look_at_lines(struct block *b, struct when *w)
{
	struct rec_stretch *f = &b->frame;

	*f = (struct rec_stretch){ .bytes = b->n, .first = WHEN_NEVER, .low = WHEN_NEVER, .high = WHEN_NEVER,
		.last = WHEN_NEVER };
	for (const char *p = b->text, *end = b->text + b->n; p < end; f->lines++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		int64_t us = when_line(w, (struct span){ p, (size_t)(nl - p) });
		p = nl + 1;
		if (us == WHEN_NEVER)
			continue;
		f->first = f->lines == 0 ? us : f->first;
		f->low = f->low == WHEN_NEVER || us < f->low ? us : f->low;
		f->high = us > f->high ? us : f->high;
		f->last = us;
	}
}

static void pack(struct block *b, ZSTD_CCtx *z, struct when *w)
{
	if (b->n == 0)
		return;
	look_at_lines(b, w);
	b->packed = ZSTD_compress2(z, b->pack, ZSTD_compressBound(BLOCK_BYTES), b->text, b->n);
	b->why = ZSTD_isError(b->packed) ? ZSTD_getErrorName(b->packed) : NULL;
	b->frame.packed = b->packed;
}

/* the next full block; NULL: no more */
static struct block *take_full(struct rec_write *w)
{
	struct block *b = NULL;

	pthread_mutex_lock(&w->lock);
	while (w->to_pack == w->full && !w->ended)
		pthread_cond_wait(&w->news, &w->lock);
	if (w->to_pack < w->full)
		b = block_of(w, w->to_pack++);
	pthread_mutex_unlock(&w->lock);
	return b;
}

static void set_state(struct rec_write *w, struct block *b, enum state s)
{
	pthread_mutex_lock(&w->lock);
	b->state = s;
	pthread_cond_broadcast(&w->news);
	pthread_mutex_unlock(&w->lock);
}

static void *packer(void *rec_write)
{
	struct rec_write *w = rec_write;
	ZSTD_CCtx *z = ZSTD_createCCtx();
	struct when *when = malloc(sizeof *when);
	struct block *b;

	if (when)
		when_open(when);
	if (z) {
		ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, w->o.level);
		ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	}
	while ((b = take_full(w)) != NULL) {
		if (z && when)
			pack(b, z, when);
		else
			b->why = "out of memory";
		set_state(w, b, PACKED);
	}
	ZSTD_freeCCtx(z);
	free(when);
	return NULL;
}

/* -------------------------------------------------------------------------------------------------------- files
 * of the disk thread; rec_write_open alone calls open_file, before it runs */

/* notes the first failure; errno where `reason` is NULL. name: of the file, or NULL for the directory */
static void fail(struct rec_write *w, const char *what, const char *name, const char *reason)
{
	int error = errno;

	pthread_mutex_lock(&w->lock);
	if (!w->failed)
		snprintf(w->why, sizeof w->why, "%s%s%s: %s%s%s", w->o.dir, name ? "/" : "", name ? name : "", what,
		    *what ? ": " : "", reason ? reason : strerror(error));
	w->failed = true;
	pthread_mutex_unlock(&w->lock);
}

static void fail_file(struct rec_write *w, const char *what, const char *reason)
{
	char name[REC_NAME_MAX];

	rec_name_print(name, &w->file.name);
	fail(w, what, name, reason);
}

static bool is_taken(const struct rec_write *w, const struct rec_name *n)
{
	char name[REC_NAME_MAX];

	rec_name_print(name, n);
	return faccessat(w->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A name that was not there before, neither with .part nor without. Names do not go back when the clock does. */
static bool create(struct rec_write *w)
{
	struct file *f = &w->file;
	char name[REC_NAME_MAX];
	int64_t second = clock_real_us() / 1000000;
	uint64_t number = 0;

	if (f->name.second >= second) {
		second = f->name.second;
		number = f->name.number + 1;
	}
	f->name = (struct rec_name){ .prefix = w->o.prefix, .second = second, .number = number, .part = true };
	for (;; f->name.number++) {
		struct rec_name closed = f->name;
		closed.part = false;
		if (is_taken(w, &closed))
			continue;
		rec_name_print(name, &f->name);
		f->fd = openat(w->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (f->fd >= 0)
			return true;
		if (errno != EEXIST)
			return false;
	}
}

/* entries of the directory are on disk; some file systems know no such thing */
static bool sync_dir(const struct rec_write *w)
{
	return fsync(w->dir) == 0 || errno == EINVAL || errno == ENOTSUP;
}

static bool open_file(struct rec_write *w)
{
	if (!create(w) || !sync_dir(w)) {
		fail_file(w, "", NULL);
		return false;
	}
	w->file.size = 0;
	return true;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno != EINTR)
			return false;
		if (k > 0) {
			p += k;
			n -= (size_t)k;
		}
	}
	return true;
}

/* whole or not at all; what of it is there is cut off, so that the file ends with a whole frame */
static bool append(struct rec_write *w, const char *p, size_t n)
{
	struct file *f = &w->file;

	if (write_all(f->fd, p, n)) {
		f->size += n;
		return true;
	}
	fail_file(w, "write", NULL);
	if (ftruncate(f->fd, (off_t)f->size) < 0 || fdatasync(f->fd) < 0) {
		/* a torn tail, then, which readers recognise */
	}
	return false;
}

/* what is written is on disk, in a file that can be found there */
static bool sync_file(struct rec_write *w)
{
	struct stat st;

	if (fdatasync(w->file.fd) < 0 || fstat(w->file.fd, &st) < 0) {
		fail_file(w, "fdatasync", NULL);
		return false;
	}
	if (st.st_nlink == 0) {
		fail_file(w, "", "the file has been removed while it was being written");
		return false;
	}
	pthread_mutex_lock(&w->lock);
	w->counters.syncs++;
	pthread_mutex_unlock(&w->lock);
	return true;
}

static bool append_index(struct rec_write *w)
{
	size_t n;
	char *text = rec_index_print(&w->file.index, &n);

	if (!text) {
		fail_file(w, "", "no memory for the index");
		return false;
	}
	bool good = append(w, text, n);
	free(text);
	return good;
}

/* the name without .part, or with the next number that is free: nothing is ever overwritten */
static bool rename_closed(struct rec_write *w)
{
	struct rec_name closed = w->file.name;
	char from[REC_NAME_MAX], to[REC_NAME_MAX];

	rec_name_print(from, &w->file.name);
	for (closed.part = false;; closed.number++) {
		rec_name_print(to, &closed);
		if (renameat2(w->dir, from, w->dir, to, RENAME_NOREPLACE) == 0)
			return true;
		/* a file system that cannot say "if it is not there" */
		if ((errno == EINVAL || errno == ENOSYS) && !is_taken(w, &closed))
			return renameat(w->dir, from, w->dir, to) == 0;
		if (errno != EEXIST && errno != EINVAL && errno != ENOSYS)
			return false;
	}
}

/* a file without lines is none */
static bool remove_empty(struct rec_write *w)
{
	char name[REC_NAME_MAX];

	rec_name_print(name, &w->file.name);
	return unlinkat(w->dir, name, 0) == 0 || errno == ENOENT;
}

static void release_file(struct rec_write *w)
{
	if (w->file.fd >= 0)
		close(w->file.fd);
	w->file.fd = -1;
	rec_index_close(&w->file.index);
}

static void close_file(struct rec_write *w)
{
	struct file *f = &w->file;
	bool empty = f->index.n == 0;

	if (f->fd < 0)
		return;
	bool good = empty || (append_index(w) && sync_file(w));
	if (good && (close(f->fd) < 0 || !(empty ? remove_empty(w) : rename_closed(w)) || !sync_dir(w))) {
		fail_file(w, "close", NULL);
		good = false;
	}
	f->fd = good ? -1 : f->fd;
	release_file(w);
	pthread_mutex_lock(&w->lock);
	w->counters.files += good && !empty;
	pthread_mutex_unlock(&w->lock);
}

/* --------------------------------------------------------------------------------------------------------- disk */

/* the index entry of a frame is complete when it is known which time stood before it */
static void complete(struct rec_write *w, struct rec_stretch *f)
{
	if (w->file.index.n == 0)
		w->file.time = WHEN_NEVER; /* readers begin each file anew */
	if (f->first == WHEN_NEVER && (f->first = w->file.time) != WHEN_NEVER) {
		f->low = f->low == WHEN_NEVER || f->first < f->low ? f->first : f->low;
		f->high = f->first > f->high ? f->first : f->high;
	}
	if (f->last == WHEN_NEVER)
		f->last = w->file.time;
	w->file.time = f->last;
}

static bool write_frame(struct rec_write *w, struct block *b)
{
	if (b->why) {
		fail_file(w, "zstd", b->why);
		return false;
	}
	if (w->file.fd < 0 && !open_file(w))
		return false;
	complete(w, &b->frame);
	if (!append(w, b->pack, b->packed))
		return false;
	if (!rec_index_add(&w->file.index, b->frame)) {
		fail_file(w, "", "no memory for the index");
		return false;
	}
	return true;
}

static bool has_failed(struct rec_write *w)
{
	pthread_mutex_lock(&w->lock);
	bool failed = w->failed;
	pthread_mutex_unlock(&w->lock);
	return failed;
}

/* lines of a block that was perhaps never looked at */
static uint64_t lines_in(const struct block *b)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < b->n; i++)
		lines += b->text[i] == '\n';
	return lines;
}

static void count(struct rec_write *w, const struct block *b, bool good)
{
	struct rec_write_counters *c = &w->counters;

	pthread_mutex_lock(&w->lock);
	if (!good) {
		c->lost += lines_in(b);
	} else if (b->n > 0) {
		c->lines += b->frame.lines;
		c->bytes += b->n;
		c->packed += b->packed;
	}
	pthread_mutex_unlock(&w->lock);
}

/* a frame, and what follows from it */
static void put(struct rec_write *w, struct block *b, bool more, int64_t *synced)
{
	bool good = !has_failed(w) && (b->n == 0 || write_frame(w, b));

	count(w, b, good);
	if (!good)
		return;
	if (b->last || (w->o.rotate_bytes && w->file.size >= w->o.rotate_bytes)) {
		close_file(w);
	} else if (w->file.fd >= 0 && (!more || clock_mono_us() - *synced >= w->o.sync / 2)) {
		/* while frames queue up, once in that time is enough */
		sync_file(w);
		*synced = clock_mono_us();
	}
}

/* frame n when it is packed; NULL: no more. *more: others wait behind it */
static struct block *take_packed(struct rec_write *w, uint64_t n, bool *more)
{
	struct block *b = block_of(w, n);

	pthread_mutex_lock(&w->lock);
	while (!(n < w->full && b->state == PACKED) && !(w->ended && n == w->full))
		pthread_cond_wait(&w->news, &w->lock);
	bool there = n < w->full;
	*more = n + 1 < w->full;
	pthread_mutex_unlock(&w->lock);
	return there ? b : NULL;
}

static void *disk(void *rec_write)
{
	struct rec_write *w = rec_write;
	int64_t synced = 0;
	struct block *b;
	bool more;

	for (uint64_t n = 0; (b = take_packed(w, n, &more)) != NULL; n++) {
		put(w, b, more, &synced);
		set_state(w, b, WRITTEN);
		wake(w);
	}
	if (!has_failed(w))
		close_file(w);
	else if (w->file.fd >= 0 && w->file.size == 0)
		remove_empty(w);
	release_file(w);
	return NULL;
}

/* ------------------------------------------------------------------------------------------------- the caller's */

static bool take_memory(struct rec_write *w)
{
	for (unsigned i = 0; i < REC_WRITE_BLOCKS; i++) {
		struct block *b = &w->block[i];
		b->text = malloc(BLOCK_BYTES + JSON_PAD);
		b->pack = malloc(ZSTD_compressBound(BLOCK_BYTES));
		if (!b->text || !b->pack)
			return false;
	}
	return true;
}

static bool open_dir(struct rec_write *w)
{
	w->dir = open(w->o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir < 0 && errno == ENOENT && (mkdir(w->o.dir, 0777) == 0 || errno == EEXIST))
		w->dir = open(w->o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return w->dir >= 0;
}

static unsigned packers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > (long)REC_WRITE_PACKERS ? REC_WRITE_PACKERS : (unsigned)n;
}

static bool start_threads(struct rec_write *w)
{
	for (; w->threads < w->packers + 1; w->threads++) {
		errno = pthread_create(&w->thread[w->threads], NULL, w->threads ? packer : disk, w);
		if (errno)
			return false;
	}
	return true;
}

static void free_all(struct rec_write *w)
{
	release_file(w);
	for (unsigned i = 0; i < REC_WRITE_BLOCKS; i++) {
		free(w->block[i].text);
		free(w->block[i].pack);
	}
	if (w->dir >= 0)
		close(w->dir);
	if (w->event >= 0)
		close(w->event);
	pthread_cond_destroy(&w->news);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void end_threads(struct rec_write *w)
{
	pthread_mutex_lock(&w->lock);
	w->ended = true;
	pthread_cond_broadcast(&w->news);
	pthread_mutex_unlock(&w->lock);
	for (unsigned i = 0; i < w->threads; i++)
		pthread_join(w->thread[i], NULL);
}

static void give_up(struct rec_write *w, char why[512])
{
	end_threads(w);
	if (w->file.fd >= 0)
		remove_empty(w);
	snprintf(why, 512, "%s", w->why);
	free_all(w);
}

struct rec_write *rec_write_open(const struct rec_write_options *o, char why[512])
{
	struct rec_write *w = calloc(1, sizeof *w);

	if (!w) {
		snprintf(why, 512, "out of memory");
		return NULL;
	}
	w->o = *o;
	w->dir = w->file.fd = -1;
	w->since = INT64_MAX;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->news, NULL);
	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->packers = packers();
	if (w->event < 0 || !take_memory(w) || !open_dir(w))
		fail(w, "", NULL, NULL);
	else if (open_file(w))
		return w;
	give_up(w, why);
	return NULL;
}

bool rec_write_start(struct rec_write *w, char why[512])
{
	if (start_threads(w))
		return true;
	fail(w, "threads", NULL, NULL);
	give_up(w, why);
	return false;
}

int rec_write_fd(const struct rec_write *w)
{
	return w->event;
}

static struct block *filling(struct rec_write *w)
{
	return block_of(w, w->filling);
}

static bool has_free(const struct rec_write *w)
{
	return w->filling - w->freed < REC_WRITE_BLOCKS;
}

/* blocks that neither the disk nor the tee needs any more */
static void release_blocks(struct rec_write *w)
{
	pthread_mutex_lock(&w->lock);
	while (w->written < w->filling && block_of(w, w->written)->state == WRITTEN)
		w->written++;
	while (w->freed < w->filling && block_of(w, w->freed)->state == WRITTEN && (!w->o.tee || w->teed > w->freed)) {
		struct block *b = block_of(w, w->freed++);
		b->state = FREE;
		b->n = 0;
		b->last = false;
	}
	pthread_mutex_unlock(&w->lock);
}

/* the block that is being filled is full; there is one */
static void hand_over(struct rec_write *w)
{
	pthread_mutex_lock(&w->lock);
	filling(w)->state = FULL;
	w->full = ++w->filling;
	pthread_cond_broadcast(&w->news);
	pthread_mutex_unlock(&w->lock);
	w->since = INT64_MAX;
	release_blocks(w);
}

/* When the block that is being filled is due to be handed over: the other half of `sync` is for packing and for the disk.
 * Behind a slow disk it would not get there any sooner, and so goes on filling. */
int64_t rec_write_due(const struct rec_write *w)
{
	bool waits = w->filling - w->written >= BLOCKS_AHEAD;

	return w->since == INT64_MAX || waits ? INT64_MAX : w->since + w->o.sync / 2;
}

static void end_file(struct rec_write *w)
{
	if (!has_free(w))
		return;
	filling(w)->last = true;
	w->rotate = false;
	hand_over(w);
}

bool rec_write_tick(struct rec_write *w, int64_t now)
{
	uint64_t n;

	while (read(w->event, &n, sizeof n) < 0 && errno == EINTR) {
	}
	release_blocks(w);
	if (w->rotate)
		end_file(w);
	else if (now >= rec_write_due(w))
		hand_over(w);
	return !has_failed(w);
}

void rec_write_rotate(struct rec_write *w, int64_t now)
{
	w->rotate = true;
	rec_write_tick(w, now);
}

bool rec_write_line(struct rec_write *w, struct span line, int64_t now)
{
	if (w->rotate && has_free(w))
		end_file(w);
	if (has_free(w) && filling(w)->n + line.n + 1 > BLOCK_BYTES)
		hand_over(w);
	if (!has_free(w) || w->rotate)
		return false;
	struct block *b = filling(w);
	memcpy(b->text + b->n, line.p, line.n);
	b->n += line.n;
	b->text[b->n++] = '\n';
	w->since = w->since == INT64_MAX ? now : w->since;
	return true;
}

struct span rec_write_head(struct rec_write *w)
{
	while (w->teed < w->filling && w->teed_at == block_of(w, w->teed)->n) {
		w->teed++;
		w->teed_at = 0;
	}
	if (w->teed == w->filling && !has_free(w))
		return (struct span){ NULL, 0 };
	const struct block *b = block_of(w, w->teed);
	return (struct span){ b->text + w->teed_at, b->n - w->teed_at };
}

void rec_write_drop(struct rec_write *w, size_t n)
{
	w->teed_at += n;
	rec_write_head(w); /* on to the next block, so that the one before can be used again */
	release_blocks(w);
}

void rec_write_counters(struct rec_write *w, struct rec_write_counters *c)
{
	pthread_mutex_lock(&w->lock);
	*c = w->counters;
	pthread_mutex_unlock(&w->lock);
}

bool rec_write_close(struct rec_write *w, struct rec_write_counters *last, char why[512])
{
	if (has_free(w) && filling(w)->n > 0)
		hand_over(w);
	end_threads(w);
	bool good = !w->failed;
	snprintf(why, 512, "%s", w->why);
	if (last)
		*last = w->counters;
	free_all(w);
	return good;
}
