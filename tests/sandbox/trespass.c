/* trespass - what an enemy inside a program would try. Preloaded (LD_PRELOAD), it waits for the n-th read or write of a
 * descriptor, or the n-th poll, which comes when the program has been set up, and then makes calls that the program
 * has no need of.
 *
 *   BNC_TRESPASS=read|write|poll:FD:N  when; FD -1: any
 *   BNC_TRESPASS_SAID=FILE             a line a call: its name and "ok" or the name of an error
 *   BNC_TRESPASS_DIR=DIR               has files secret and victim and a directory sub: none of the program's business
 *   BNC_TRESPASS_FILE=FILE             one that it may read perhaps; "named" tries to write it
 *
 * The last one is exec: where it is allowed the program is another one from there on, and no line says how it went. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/if_packet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OUT_OF_THE_WAY 901 /* a descriptor */
#define NAME_ROOM      2048

static struct {
	char call[8], dir[NAME_ROOM], file[NAME_ROOM];
	int fd, said;
	unsigned long n;
} when;

static const char *in_dir(const char *name)
{
	static char path[NAME_ROOM + 16];

	snprintf(path, sizeof path, "%s/%s", when.dir, name);
	return path;
}

__attribute__((constructor)) static void read_what_is_asked_for(void)
{
	const char *text = getenv("BNC_TRESPASS"), *said = getenv("BNC_TRESPASS_SAID");
	const char *dir = getenv("BNC_TRESPASS_DIR"), *file = getenv("BNC_TRESPASS_FILE");

	if (!text || !said || !dir)
		return;
	if (sscanf(text, "%7[a-z]:%d:%lu", when.call, &when.fd, &when.n) != 3)
		abort();
	snprintf(when.dir, sizeof when.dir, "%s", dir);
	snprintf(when.file, sizeof when.file, "%s", file ? file : "/dev/null");
	int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	when.said = fcntl(fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
	close(fd);
}

/* ----------------------------------------------------------------------------------------------------------- calls */

static long closed(int fd)
{
	if (fd >= 0)
		close(fd);
	return fd;
}

static long try_open(void) { return closed(open(in_dir("secret"), O_RDONLY)); }
static long try_list(void) { return closed(open(when.dir, O_RDONLY | O_DIRECTORY)); }
static long try_make(void) { return closed(open(in_dir("made"), O_WRONLY | O_CREAT, 0600)); }
static long try_named(void) { return closed(open(when.file, O_WRONLY)); }
static long try_remove(void) { return unlink(in_dir("victim")); }
static long try_move(void) { return rename(in_dir("sub"), in_dir("moved")); }
static long try_mkdir(void) { return mkdir(in_dir("new"), 0700); }
static long try_chmod(void) { return chmod(in_dir("secret"), 0666); }
static long try_chdir(void) { return chdir(when.dir); }
static long try_truncate(void) { return truncate(in_dir("secret"), 1); }
static long try_socket(void) { return closed(socket(AF_INET, SOCK_STREAM, 0)); }
static long try_udp(void) { return closed(socket(AF_INET6, SOCK_DGRAM, 0)); }
static long try_local(void) { return closed(socket(AF_UNIX, SOCK_STREAM, 0)); }
static long try_packet(void) { return closed(socket(AF_PACKET, SOCK_RAW, 0)); }

/* a port that is not the program's; nobody listens there */
static long with_socket(int (*f)(int fd, const struct sockaddr *a, socklen_t n), uint16_t port)
{
	const struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long r = fd < 0 ? -1 : f(fd, (const struct sockaddr *)&a, sizeof a);
	int error = errno;

	closed(fd);
	errno = error;
	return r;
}

static int listen_at_once(int fd, const struct sockaddr *a, socklen_t n)
{
	(void)a, (void)n;
	return listen(fd, 1);
}

static long try_connect(void) { return with_socket(connect, 1); }
static long try_bind(void) { return with_socket(bind, 0); }
static long try_listen(void) { return with_socket(listen_at_once, 0); }

static long try_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0);
}

static long try_kill(void) { return kill(getppid(), 0); }
static long try_ptrace(void) { return ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL); }
static long try_setuid(void) { return setuid(getuid()); }
static long try_type(void) { return ioctl(0, TIOCSTI, "x"); }
static long try_uring(void) { return syscall(SYS_io_uring_setup, 1, NULL); }

static long mapped(void *p)
{
	if (p == MAP_FAILED)
		return -1;
	munmap(p, 4096);
	return 0;
}

static long try_code(void)
{
	return mapped(mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static long try_recode(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long try_exec(void)
{
	char name[] = "/bin/true";
	char *const words[] = { name, NULL };

	return execve(name, words, words + 1);
}

static const struct {
	const char *name;
	long (*call)(void);
} tries[] = {
	{ "open", try_open },
	{ "list", try_list },
	{ "make", try_make },
	{ "named", try_named },
	{ "remove", try_remove },
	{ "move", try_move },
	{ "mkdir", try_mkdir },
	{ "chmod", try_chmod },
	{ "chdir", try_chdir },
	{ "truncate", try_truncate },
	{ "socket", try_socket },
	{ "udp", try_udp },
	{ "local", try_local },
	{ "packet", try_packet },
	{ "connect", try_connect },
	{ "bind", try_bind },
	{ "listen", try_listen },
	{ "fork", try_fork },
	{ "kill", try_kill },
	{ "ptrace", try_ptrace },
	{ "setuid", try_setuid },
	{ "type", try_type },
	{ "uring", try_uring },
	{ "code", try_code },
	{ "recode", try_recode },
	{ "exec", try_exec },
};

static void say(const char *text)
{
	syscall(SYS_write, when.said, text, strlen(text));
}

static void trespass(void)
{
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		say(tries[i].name);
		say(" ");
		say(tries[i].call() >= 0 ? "ok" : strerrorname_np(errno));
		say("\n");
	}
}

/* ----------------------------------------------------------------------------------------------------------- hooks */

static void look(const char *call, int fd)
{
	int error = errno;

	if (when.n > 0 && strcmp(call, when.call) == 0 && (when.fd < 0 || fd == when.fd) && --when.n == 0)
		trespass();
	errno = error;
}

ssize_t read(int fd, void *p, size_t n)
{
	look("read", fd);
	return syscall(SYS_read, fd, p, n);
}

ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	(void)room;
	return read(fd, p, n);
}

ssize_t write(int fd, const void *p, size_t n)
{
	look("write", fd);
	return syscall(SYS_write, fd, p, n);
}

int poll(struct pollfd *fds, nfds_t n, int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	look("poll", -1);
	return (int)syscall(SYS_ppoll, fds, n, ms < 0 ? NULL : &t, NULL, 0);
}
