/* fault - makes one call of a program fail. Preloaded (LD_PRELOAD), it counts the calls of a family: the n-th one
 * fails, does less than was asked for or is interrupted, all others go through.
 *
 *   BNC_FAULT=FAMILY:N:HOW[:own]   HOW: the name of an error, or "short": one byte is done of what was asked for.
 *                                  own: calls of the program itself count, those of its libraries do not
 *   BNC_FAULT=output:N:HOW         standard output takes N bytes, and then no more
 *   BNC_FAULT=disk:N:HOW           the same of all regular files together
 *   BNC_FAULT_SAID=FILE            which call it was is written there when it happens
 *
 * FAMILY is the first word of a row below, like "read" or "change". close(2) closes also where it fails, as the
 * kernel's does. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------- what is asked for
 */

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EACCES", EACCES },
	{ "EAGAIN", EAGAIN },
	{ "EBADF", EBADF },
	{ "ECONNREFUSED", ECONNREFUSED },
	{ "ECONNRESET", ECONNRESET },
	{ "EINTR", EINTR },
	{ "EIO", EIO },
	{ "EMFILE", EMFILE },
	{ "ENETUNREACH", ENETUNREACH },
	{ "ENOENT", ENOENT },
	{ "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC },
	{ "EPERM", EPERM },
	{ "EPIPE", EPIPE },
};

static struct {
	char family[16], how[16];
	int said; /* opened at once: once it is set up, a program may open nothing any more */
	unsigned long n;
	int error; /* 0: short */
	bool own;
} asked;

#define OUT_OF_THE_WAY 900 /* a descriptor: the program's have the numbers that they have without this */

/* code: the program's, and that of a library of which something is told below */
static struct code {
	uintptr_t from, to;
} program, libnats;
static unsigned long calls, taken; /* of the family; bytes so far */
static struct stat output, errors_go;

static int find_code(struct dl_phdr_info *info, size_t size, void *nothing)
{
	struct code *code = !program.to				   ? &program /* the first one */
			    : strstr(info->dlpi_name, "/libnats.") ? &libnats
								   : NULL;

	(void)size, (void)nothing;
	for (int i = 0; code && i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
			code->from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			code->to = code->from + info->dlpi_phdr[i].p_memsz;
		}
	return 0;
}

static void wrong(const char *what)
{
	dprintf(2, "fault: %s\n", what);
	_exit(99);
}

__attribute__((constructor)) static void read_what_is_asked_for(void)
{
	const char *text = getenv("BNC_FAULT"), *said = getenv("BNC_FAULT_SAID");
	char own[8] = "";

	if (!text)
		return;
	if (sscanf(text, "%15[^:]:%lu:%15[^:]:%7s", asked.family, &asked.n, asked.how, own) < 3)
		wrong("BNC_FAULT is not FAMILY:N:HOW");
	asked.own = strcmp(own, "own") == 0;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].name, asked.how) == 0)
			asked.error = errors[i].number;
	if (!asked.error && strcmp(asked.how, "short") != 0)
		wrong("BNC_FAULT: no such error");
	long file = syscall(
	    SYS_openat, AT_FDCWD, said ? said : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	asked.said = (int)syscall(SYS_fcntl, file, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	syscall(SYS_close, file);
	dl_iterate_phdr(find_code, NULL);
	syscall(SYS_newfstatat, 1, "", &output, AT_EMPTY_PATH);
	syscall(SYS_newfstatat, 2, "", &errors_go, AT_EMPTY_PATH);
}

/* ------------------------------------------------------------------------------------------------- is this the call?
 */

static bool is_same(int fd, const struct stat *file, struct stat *st)
{
	return fd >= 0 && syscall(SYS_newfstatat, fd, "", st, AT_EMPTY_PATH) == 0 && st->st_dev == file->st_dev &&
	       st->st_ino == file->st_ino;
}

static bool is_of(const struct code *code, const void *from)
{
	return (uintptr_t)from >= code->from && (uintptr_t)from < code->to;
}

static bool is_own(const void *from)
{
	return is_of(&program, from);
}

static void say(const char *name, int fd, const void *from)
{
	struct stat st;
	char text[200];
	int n = snprintf(text, sizeof text, "%s fd %d%s: %s, from %s+%#lx\n", name, fd,
	    is_same(fd, &output, &st)	   ? " (output)"
	    : is_same(fd, &errors_go, &st) ? " (messages)"
					   : "",
	    asked.how, is_own(from) ? "program" : "library",
	    is_own(from) ? (unsigned long)((uintptr_t)from - program.from) : 0);

	syscall(SYS_write, asked.said, text, n);
}

static bool is_due(const char *family, const char *name, int fd, const void *from)
{
	if (!asked.n || strcmp(asked.family, family) != 0)
		return false;
	if (asked.own && !is_own(from))
		return false;
	if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != asked.n)
		return false;
	say(name, fd, from);
	return true;
}

static void *real(const char *name)
{
	void *there = dlsym(RTLD_NEXT, name);

	if (!there)
		wrong(name);
	return there;
}

#define FROM	   __builtin_return_address(0)
#define REAL(name) /* the next one of that name, looked up once */                                                     \
	static __typeof__(&name) next;                                                                                 \
	if (!next)                                                                                                     \
	next = (__typeof__(&name))(uintptr_t)real(#name)

/* /dev/urandom, which the kernel never fails to read; libwebsockets 4.1.6 falls over where it does */
static bool is_random_device(const char *family, int fd, const void *from)
{
	struct stat st;

	return strcmp(family, "read") == 0 && !is_own(from) && strcmp(asked.family, "read") == 0 &&
	       syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0 && S_ISCHR(st.st_mode);
}

/* what becomes of a call that moves n bytes: how many it may move, or -1 */
static ssize_t allowed(const char *family, const char *name, int fd, size_t n, const void *from)
{
	if (is_random_device(family, fd, from) || !is_due(family, name, fd, from))
		return (ssize_t)n;
	if (!asked.error)
		return n > 0;
	errno = asked.error;
	return -1;
}

/* a write to an eventfd whose counter is 0 cannot fail either */
static bool is_counter(int fd)
{
	struct stat st;

	return strcmp(asked.family, "write") == 0 && syscall(SYS_newfstatat, fd, "", &st, AT_EMPTY_PATH) == 0 &&
	       (st.st_mode & S_IFMT) == 0;
}

/* Where the kernel fails to send over a connection, this is at its end. libnats (3.4.1) relies on that: it drops what
 * it could not send, goes on as if nothing had been, and leaves it to its reader to see that the connection is gone. */
static void end_connection(int fd, const void *from)
{
	if (is_of(&libnats, from))
		syscall(SYS_shutdown, fd, SHUT_RDWR);
}

/* the same of a write, whose bytes may be counted */
static ssize_t allowed_write(const char *name, int fd, size_t n, const void *from)
{
	bool disk = strcmp(asked.family, "disk") == 0;
	struct stat st = { 0 };

	if (!disk && strcmp(asked.family, "output") != 0)
		return is_counter(fd) ? (ssize_t)n : allowed("write", name, fd, n, from);
	bool counts = is_same(fd, &output, &st);
	if (disk)
		counts = S_ISREG(st.st_mode) && !is_same(fd, &errors_go, &st);
	if (!counts)
		return (ssize_t)n;
	if (n && taken >= asked.n) {
		say(name, fd, from);
		errno = asked.error;
		return -1;
	}
	n = n < asked.n - taken ? n : asked.n - taken;
	taken += n;
	return (ssize_t)n;
}

/* ------------------------------------------------------------------------------------------------------------- read */

ssize_t read(int fd, void *p, size_t n)
{
	REAL(read);
	ssize_t k = allowed("read", "read", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	REAL(pread);
	ssize_t k = allowed("read", "pread", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
	REAL(pread64);
	ssize_t k = allowed("read", "pread64", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, at);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	REAL(recv);
	ssize_t k = allowed("read", "recv", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, flags);
}

/* as the compiler writes them where it checks bounds */
ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	REAL(__read_chk);
	ssize_t k = allowed("read", "read", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, room);
}

ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
	REAL(__pread_chk);
	ssize_t k = allowed("read", "pread", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, at, room);
}

ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags);
ssize_t __recv_chk(int fd, void *p, size_t n, size_t room, int flags)
{
	REAL(__recv_chk);
	ssize_t k = allowed("read", "recv", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, room, flags);
}

/* ------------------------------------------------------------------------------------------------------------ write */

ssize_t write(int fd, const void *p, size_t n)
{
	REAL(write);
	ssize_t k = allowed_write("write", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	REAL(pwrite);
	ssize_t k = allowed_write("pwrite", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
	REAL(pwrite64);
	ssize_t k = allowed_write("pwrite64", fd, n, FROM);
	return k < 0 ? k : next(fd, p, (size_t)k, at);
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	REAL(send);
	ssize_t k = allowed_write("send", fd, n, FROM);

	if (k < 0) {
		int error = errno;
		end_connection(fd, FROM);
		errno = error;
		return k;
	}
	return next(fd, p, (size_t)k, flags);
}

static size_t bytes_of(const struct iovec *iov, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

/* so many bytes from the start; returns the number of pieces */
static size_t cut(struct iovec out[64], const struct iovec *iov, size_t n, size_t bytes)
{
	size_t i = 0;

	for (; i < n && i < 64 && bytes; i++) {
		out[i] = iov[i];
		out[i].iov_len = out[i].iov_len < bytes ? out[i].iov_len : bytes;
		bytes -= out[i].iov_len;
	}
	return i;
}

ssize_t writev(int fd, const struct iovec *iov, int n)
{
	REAL(writev);
	struct iovec part[64];
	ssize_t k = allowed_write("writev", fd, bytes_of(iov, (size_t)n), FROM);
	return k < 0 ? k : next(fd, part, (int)cut(part, iov, (size_t)n, (size_t)k));
}

ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
	REAL(sendmsg);
	struct iovec part[64];
	struct msghdr less = *m;
	ssize_t k = allowed_write("sendmsg", fd, bytes_of(m->msg_iov, m->msg_iovlen), FROM);

	if (k < 0)
		return k;
	less.msg_iov = part;
	less.msg_iovlen = cut(part, m->msg_iov, m->msg_iovlen, (size_t)k);
	return next(fd, &less, flags);
}

/* ------------------------------------------------------------------------------------- calls that do it or fail */

#define FAILS(family, name, fd)                                                                                        \
	if (is_due(family, #name, fd, FROM)) {                                                                         \
		errno = asked.error ? asked.error : EIO;                                                               \
		return -1;                                                                                             \
	}

#define CALL(family, type, name, parameters, arguments, fd)                                                            \
	type name parameters                                                                                           \
	{                                                                                                              \
		REAL(name);                                                                                            \
		FAILS(family, name, fd)                                                                                \
		return next arguments;                                                                                 \
	}

#define WITH_MODE(name, parameters, arguments)                                                                         \
	int name parameters                                                                                            \
	{                                                                                                              \
		REAL(name);                                                                                            \
		va_list ap;                                                                                            \
		va_start(ap, flags);                                                                                   \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;                                  \
		va_end(ap);                                                                                            \
		FAILS("open", name, -1)                                                                                \
		return next arguments;                                                                                 \
	}

WITH_MODE(open, (const char *path, int flags, ...), (path, flags, mode))
WITH_MODE(open64, (const char *path, int flags, ...), (path, flags, mode))
WITH_MODE(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
WITH_MODE(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
int __open_2(const char *path, int flags);
CALL("open", int, __open_2, (const char *path, int flags), (path, flags), -1)
int __openat_2(int dir, const char *path, int flags);
CALL("open", int, __openat_2, (int dir, const char *path, int flags), (dir, path, flags), -1)

CALL("sync", int, fsync, (int fd), (fd), fd)
CALL("sync", int, fdatasync, (int fd), (fd), fd)

CALL("rename", int, rename, (const char *a, const char *b), (a, b), -1)
CALL("rename", int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), -1)
CALL(
    "rename", int, renameat2, (int a, const char *from, int b, const char *to, unsigned how), (a, from, b, to, how), -1)

CALL("connect", int, connect, (int fd, const struct sockaddr *to, socklen_t n), (fd, to, n), fd)
CALL("connect", int, socket, (int family, int type, int protocol), (family, type, protocol), -1)
CALL("connect", int, bind, (int fd, const struct sockaddr *at, socklen_t n), (fd, at, n), fd)
CALL("connect", int, listen, (int fd, int n), (fd, n), fd)
CALL("connect", int, accept4, (int fd, struct sockaddr *from, socklen_t *n, int flags), (fd, from, n, flags), fd)

CALL("wait", int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms), -1)
CALL("wait", int, ppoll, (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *s), (fds, n, t, s),
    -1)
CALL("wait", int, epoll_wait, (int fd, struct epoll_event *events, int n, int ms), (fd, events, n, ms), fd)
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t room);
CALL("wait", int, __poll_chk, (struct pollfd * fds, nfds_t n, int ms, size_t room), (fds, n, ms, room), -1)
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *t, const sigset_t *s, size_t room);
CALL("wait", int, __ppoll_chk,
    (struct pollfd * fds, nfds_t n, const struct timespec *t, const sigset_t *s, size_t room), (fds, n, t, s, room), -1)

int signalfd(int fd, const sigset_t *mask, int flags);
int eventfd(unsigned value, int flags);
CALL("make", int, epoll_create1, (int flags), (flags), -1)
CALL("make", int, eventfd, (unsigned value, int flags), (value, flags), -1)
CALL("make", int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags), fd)
CALL("make", int, timerfd_create, (int clock, int flags), (clock, flags), -1)
CALL("make", int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
CALL("make", int, dup, (int fd), (fd), fd)
CALL("make", int, dup2, (int fd, int to), (fd, to), fd)
CALL("make", int, dup3, (int fd, int to, int flags), (fd, to, flags), fd)
CALL("make", int, pipe2, (int fds[2], int flags), (fds, flags), -1)
CALL("make", ssize_t, getrandom, (void *p, size_t n, unsigned flags), (p, n, flags), -1)

CALL("change", int, epoll_ctl, (int fd, int what, int of, struct epoll_event *e), (fd, what, of, e), of)
CALL("change", int, timerfd_settime, (int fd, int flags, const struct itimerspec *t, struct itimerspec *old),
    (fd, flags, t, old), fd)
CALL("change", int, ftruncate, (int fd, off_t n), (fd, n), fd)
CALL("change", off_t, lseek, (int fd, off_t at, int from), (fd, at, from), fd)
int flock(int fd, int what);
CALL("change", int, flock, (int fd, int what), (fd, what), fd)
CALL("change", int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
CALL("change", int, chmod, (const char *path, mode_t mode), (path, mode), -1)
CALL("change", int, fchmod, (int fd, mode_t mode), (fd, mode), fd)
CALL("change", int, unlink, (const char *path), (path), -1)
CALL("change", int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), -1)
CALL("change", int, setsockopt, (int fd, int level, int name, const void *p, socklen_t n), (fd, level, name, p, n), fd)
CALL("change", int, getsockopt, (int fd, int level, int name, void *p, socklen_t *n), (fd, level, name, p, n), fd)
CALL("change", int, fstat, (int fd, struct stat *st), (fd, st), fd)
CALL("change", int, fstatat, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags), -1)
CALL("change", int, stat, (const char *path, struct stat *st), (path, st), -1)
CALL("change", int, lstat, (const char *path, struct stat *st), (path, st), -1)

int fcntl(int fd, int what, ...)
{
	REAL(fcntl);
	va_list ap;
	va_start(ap, what);
	void *arg = va_arg(ap, void *); /* as the kernel takes it: a word, whatever it is */
	va_end(ap);
	FAILS("change", fcntl, fd)
	return next(fd, what, arg);
}

int close(int fd)
{
	REAL(close);
	bool due = is_due("close", "close", fd, FROM);
	int r = next(fd);

	if (!due)
		return r;
	errno = asked.error;
	return -1;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	REAL(pthread_create);
	return is_due("make", "pthread_create", -1, FROM) ? EAGAIN : next(thread, attr, run, arg);
}

/* ----------------------------------------------------------------------------------------------------------- memory */

/* Where libnats (3.4.1) and libwebsockets (4.1.6) fall over, or wait for themselves for ever, for want of memory; they call
 * these by name, as any program might. What is asked for in there is given, and does not count. */
static _Thread_local unsigned spared __attribute__((tls_model("initial-exec")));
static _Thread_local unsigned creating __attribute__((tls_model("initial-exec")));
static _Thread_local unsigned parsing __attribute__((tls_model("initial-exec")));

#define SPARES(type, name, parameters, arguments, what, how)                                                           \
	type name parameters;                                                                                          \
	type name parameters                                                                                           \
	{                                                                                                              \
		REAL(name);                                                                                            \
		unsigned more = how;                                                                                   \
		(what) += more;                                                                                        \
		type result = next arguments;                                                                          \
		(what) -= more;                                                                                        \
		return result;                                                                                         \
	}

/* it tells of an error in there, for which it must have been started, which it waits for */
SPARES(bool, nats_InitOnce, (void *once, void (*start)(void)), (once, start), spared, 1)
/* OpenSSL (3.0) is used without a look at whether it could be started */
SPARES(int, RAND_bytes, (unsigned char *p, int n), (p, n), spared, is_of(&libnats, FROM))
/* at the start: a host without its list of connections is taken for one with it */
SPARES(void *, lws_create_vhost, (void *context, const void *info), (context, info), spared, 1)
/* a connection is let go of by its lock, also where that is what could not be made */
SPARES(int, natsConn_create, (void **connection, void *options), (connection, options), creating, 1)
SPARES(int, natsMutex_Create, (void **lock), (lock), spared, creating > 0)
/* what has been parsed is let go of by its table of fields, also where that could not be made */
SPARES(int, nats_JSONParse, (void **json, const char *text, int n), (json, text, n), parsing, 1)
SPARES(int, natsStrHash_Create, (void **table, int n), (table, n), spared, parsing > 0)

#define GIVES(type, name, parameters, arguments, nothing)                                                              \
	type name parameters                                                                                           \
	{                                                                                                              \
		REAL(name);                                                                                            \
		if (spared || !is_due("memory", #name, -1, FROM))                                                      \
			return next arguments;                                                                         \
		errno = ENOMEM;                                                                                        \
		return nothing;                                                                                        \
	}

GIVES(void *, malloc, (size_t n), (n), NULL)
GIVES(void *, calloc, (size_t n, size_t size), (n, size), NULL)
GIVES(void *, realloc, (void *p, size_t n), (p, n), NULL)
GIVES(void *, mmap, (void *at, size_t n, int protection, int flags, int fd, off_t from),
    (at, n, protection, flags, fd, from), MAP_FAILED)
