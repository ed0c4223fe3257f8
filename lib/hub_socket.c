#include "hub_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static bool fail(char why[256], const char *path, const char *what)
{
	snprintf(why, 256, "%s: %s", path, what ? what : strerror(errno));
	return false;
}

static bool address_of(struct sockaddr_un *a, const char *path)
{
	size_t n = strlen(path);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n == 0 || n >= sizeof a->sun_path) {
		errno = n ? ENAMETOOLONG : ENOENT;
		return false;
	}
	memcpy(a->sun_path, path, n);
	return true;
}

int hub_socket_connect(const char *path)
{
	struct sockaddr_un a;
	int fd = -1;

	if (!address_of(&a, path) || (fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* two that start at the same moment: one has the lock, the other goes */
static bool take_lock(struct hub_socket *s, char why[256])
{
	char name[sizeof((struct sockaddr_un *)0)->sun_path + 8];

	snprintf(name, sizeof name, "%s.lock", s->path);
	s->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return fail(why, name, NULL);
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return true;
	return fail(why, s->path, errno == EWOULDBLOCK ? "another hub serves it" : NULL);
}

/* what stands at the path and nobody listens at goes */
static bool remove_stale(const char *path, char why[256])
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT || fail(why, path, NULL);
	if (!S_ISSOCK(st.st_mode))
		return fail(why, path, "is there, and is no socket");
	int fd = hub_socket_connect(path);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == EAGAIN)
		return fail(why, path, "another program listens at it");
	if (errno != ECONNREFUSED)
		return fail(why, path, NULL);
	return unlink(path) == 0 || errno == ENOENT || fail(why, path, NULL);
}

static bool bind_here(struct hub_socket *s, const struct sockaddr_un *a, mode_t mode, char why[256])
{
	struct stat st;

	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return fail(why, s->path, NULL);
	/* nobody can connect before the mode is right: it is not listened to yet */
	mode_t mask = umask(0177);
	int r = bind(s->fd, (const struct sockaddr *)a, sizeof *a);
	umask(mask);
	if (r < 0 || lstat(s->path, &st) < 0)
		return fail(why, s->path, NULL);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return (chmod(s->path, mode) == 0 && listen(s->fd, BACKLOG) == 0) || fail(why, s->path, NULL);
}

bool hub_socket_listen(struct hub_socket *s, const char *path, mode_t mode, char why[256])
{
	struct sockaddr_un a;

	*s = (struct hub_socket){ .fd = -1, .lock = -1, .path = path };
	if (!address_of(&a, path))
		return fail(why, path, NULL);
	if (take_lock(s, why) && remove_stale(path, why) && bind_here(s, &a, mode, why))
		return true;
	hub_socket_close(s);
	return false;
}

void hub_socket_close(struct hub_socket *s)
{
	struct stat st;

	if (s->ino && lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
		unlink(s->path);
	if (s->fd >= 0)
		close(s->fd);
	if (s->lock >= 0)
		close(s->lock);
	s->fd = s->lock = -1;
	s->ino = 0;
}
