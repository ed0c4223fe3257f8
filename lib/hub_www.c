#include "hub_www.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub_report.h"

bool hub_www_open(struct hub_www *w, const char *dir)
{
	w->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->dir >= 0)
		unlinkat(w->dir, "health", 0); /* of a hub that was killed */
	return w->dir >= 0;
}

static bool put(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, p, n);
		if (k < 0 && errno != EINTR)
			return false;
		p += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return true;
}

/* under another name first, which no web server is asked for */
static bool write_file(const struct hub_www *w, const char *name, const char *text, size_t n)
{
	char new[32];

	snprintf(new, sizeof new, "%s.new", name);
	int fd = openat(w->dir, new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	bool good = put(fd, text, n);
	good &= close(fd) == 0;
	if (good && renameat(w->dir, new, w->dir, name) == 0)
		return true;
	int error = errno;
	unlinkat(w->dir, new, 0);
	errno = error;
	return false;
}

static bool write_report(const struct hub_www *w, const char *name,
    void (*report)(FILE *out, const struct hub *h, int64_t uptime, int64_t now), const struct hub *h, int64_t uptime,
    int64_t now)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (!out)
		return false;
	report(out, h, uptime, now);
	bool good = fclose(out) == 0 && write_file(w, name, text, n);
	free(text);
	return good;
}

bool hub_www_write(const struct hub_www *w, const struct hub *h, int64_t uptime, int64_t now)
{
	bool good = write_report(w, "health.json", hub_report_health, h, uptime, now) &&
	    write_report(w, "metrics", hub_report_metrics, h, uptime, now);
	bool fresh = good && hub_health(h, now) == HUB_OK;

	/* written each time: what watches the hub sees by its age that it lives */
	if (fresh && write_file(w, "health", "ok\n", 3))
		return true;
	int error = errno;
	unlinkat(w->dir, "health", 0);
	errno = error;
	return good && !fresh;
}

void hub_www_close(struct hub_www *w)
{
	if (w->dir < 0)
		return;
	unlinkat(w->dir, "health", 0);
	close(w->dir);
	w->dir = -1;
}
