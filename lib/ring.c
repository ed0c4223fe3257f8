#include "ring.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* the same pages at p and at p + cap, in place of what is reserved there */
static bool map_twice(char *p, size_t cap, int fd)
{
	for (int i = 0; i < 2; i++, p += cap)
		if (mmap(p, cap, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
			return false;
	return true;
}

bool ring_open(struct ring *r, size_t cap)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*r = (struct ring){ .base = NULL };
	if (cap == 0 || cap > SIZE_MAX / 4) {
		errno = EINVAL;
		return false;
	}
	cap = (cap + page - 1) / page * page;
	int fd = memfd_create("bnc-ring", MFD_CLOEXEC);
	if (fd < 0)
		return false;
	/* room for both first, so that nothing else is ever in the way of the second */
	char *base = MAP_FAILED;
	if (ftruncate(fd, (off_t)cap) == 0)
		base = mmap(NULL, 2 * cap, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bool done = base != MAP_FAILED && map_twice(base, cap, fd);
	int error = errno;
	close(fd);
	if (!done && base != MAP_FAILED)
		munmap(base, 2 * cap);
	errno = error;
	if (done)
		*r = (struct ring){ .base = base, .cap = cap };
	return done;
}

void ring_close(struct ring *r)
{
	if (r->base)
		munmap(r->base, 2 * r->cap);
	*r = (struct ring){ .base = NULL };
}
