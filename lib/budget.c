#include "budget.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "num.h"

#define SLOTS_BYTES ((ssize_t)(BUDGET_SLOTS * sizeof(int64_t)))

bool budget_parse(struct span text, uint64_t *limit, int64_t *window)
{
	struct span rest;

	return num_u64(span_cut(text, '/', &rest), 1, BUDGET_SLOTS, limit) && rest.p && num_duration(rest, window) &&
	    *window > 0;
}

/* "bnc" in `parent`, where that is a directory of ours */
static bool try_parent(char dir[BUDGET_DIR_MAX], const char *parent)
{
	struct stat st;

	return parent && parent[0] == '/' && stat(parent, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
	    snprintf(dir, BUDGET_DIR_MAX, "%s/bnc", parent) < BUDGET_DIR_MAX;
}

void budget_dir(char dir[BUDGET_DIR_MAX])
{
	unsigned uid = (unsigned)geteuid();
	char run[40];

	snprintf(run, sizeof run, "/run/user/%u", uid);
	if (!try_parent(dir, getenv("XDG_RUNTIME_DIR")) && !try_parent(dir, run))
		snprintf(dir, BUDGET_DIR_MAX, "/tmp/bnc-%u", uid);
}

static bool refuse(char why[256], const char *what, const char *reason)
{
	snprintf(why, 256, "%.160s: %.80s", what, reason);
	return false;
}

/* in a directory that others may write, somebody could lay a file of ours, or a link to one */
static bool check_dir(const char *dir, char why[256])
{
	struct stat st;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return refuse(why, dir, strerror(errno));
	if (lstat(dir, &st) < 0)
		return refuse(why, dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(why, dir, "not a directory");
	if (st.st_uid != geteuid())
		return refuse(why, dir, "belongs to somebody else");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse(why, dir, "others may write there");
	return true;
}

bool budget_open(struct budget *b, const char *dir, const char *name, uint64_t limit, int64_t window, char why[256])
{
	char path[512];

	*b = (struct budget){ .fd = -1, .limit = limit < BUDGET_SLOTS ? limit : BUDGET_SLOTS, .window = window };
	if (!check_dir(dir, why))
		return false;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
		return refuse(why, dir, "the name is too long");
	b->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;
	if (b->fd < 0 || fstat(b->fd, &st) < 0)
		return refuse(why, path, strerror(errno));
	if (!S_ISREG(st.st_mode)) {
		budget_close(b);
		return refuse(why, path, "not a file");
	}
	return true;
}

void budget_close(struct budget *b)
{
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

/* takes one out of `slot`, or says how long until that is allowed. A slot of 0 has never been used. */
static int64_t take(int64_t slot[BUDGET_SLOTS], uint64_t limit, int64_t window, int64_t now)
{
	uint64_t taken = 0;
	int64_t first = INT64_MAX; /* the taking that leaves the window next */
	int free_slot = 0;

	for (int i = 0; i < BUDGET_SLOTS; i++) {
		if (slot[i] > 0 && slot[i] <= now && now - slot[i] < window) {
			taken++;
			first = slot[i] < first ? slot[i] : first;
		} else {
			free_slot = i;
		}
	}
	if (taken >= limit)
		return first + window - now;
	slot[free_slot] = now > 0 ? now : 1;
	return 0;
}

/* the ring of the file; a new or a cut file has zeros */
static bool read_slots(int fd, int64_t slot[BUDGET_SLOTS])
{
	memset(slot, 0, (size_t)SLOTS_BYTES);
	return pread(fd, slot, (size_t)SLOTS_BYTES, 0) >= 0;
}

int64_t budget_take(struct budget *b, int64_t now)
{
	int64_t slot[BUDGET_SLOTS];

	if (b->fd < 0)
		return take(b->own, b->limit, b->window, now);
	if (flock(b->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK || errno == EINTR ? BUDGET_BUSY_US
							       : take(b->own, b->limit, b->window, now);
	int64_t wait = -1;
	if (read_slots(b->fd, slot)) {
		wait = take(slot, b->limit, b->window, now);
		if (wait == 0 && pwrite(b->fd, slot, (size_t)SLOTS_BYTES, 0) != SLOTS_BYTES)
			wait = -1;
	}
	flock(b->fd, LOCK_UN);
	/* a disk that is full or fails: better to count alone than not at all */
	return wait < 0 ? take(b->own, b->limit, b->window, now) : wait;
}
