#include "sandbox.h"

#include <errno.h>
#include <string.h>

#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED
#endif
#endif
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED /* they open, map and fork as they like */
#endif

#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#if defined __x86_64__ && defined __LP64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__ && defined __AARCH64EL__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#endif
#endif

#ifdef ARCHITECTURE

#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------------ the calls
 * A row allows a call to those who have one of the bits of `may`, everyone where that is 0: always, or (arg >= 0) where
 * of that argument the bits of `mask` are `value`. Of several rows of a call one is enough. */

struct call {
	uint32_t number;
	unsigned may;
	int arg; /* -1: whatever it is called with */
	uint32_t mask, value;
};

#define ALL 0xffffffffu
#define OWN_PROCESS 0 /* in the row of tgkill: stands for the process id */

#define CALL(name, may)		  { __NR_##name, may, -1, 0, 0 }
#define WHERE(name, may, arg, mask, value) { __NR_##name, may, arg, (uint32_t)(mask), (uint32_t)(value) }
#define WITHOUT(name, may, arg, mask) WHERE(name, may, arg, mask, 0)

#define FILES	(SANDBOX_OPEN | SANDBOX_MAKE)
#define SOCKETS (SANDBOX_ACCEPT | SANDBOX_LOCAL | SANDBOX_NET | SANDBOX_LISTEN)
#define CALLERS (SANDBOX_LOCAL | SANDBOX_NET | SANDBOX_LISTEN)

static const struct call calls[] = {
	CALL(read, 0),
	CALL(write, 0),
	CALL(readv, 0),
	CALL(writev, 0),
	CALL(pread64, 0),
	CALL(pwrite64, 0),
	CALL(lseek, 0),
	CALL(close, 0),
	CALL(dup, 0),
	CALL(dup3, 0), /* how a connection is handed to libwebsockets */
	CALL(sendto, 0), /* standard output may be a socket */
	CALL(fstat, 0),
	WHERE(newfstatat, 0, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), /* which is fstat(2) */
	CALL(ppoll, 0),
	CALL(epoll_pwait, 0),
	CALL(epoll_ctl, 0),
#ifdef __NR_poll
	CALL(poll, 0),
	CALL(epoll_wait, 0),
	CALL(time, 0),
#endif
	WHERE(fcntl, 0, 1, ALL, F_DUPFD),
	WHERE(fcntl, 0, 1, ALL, F_DUPFD_CLOEXEC),
	WHERE(fcntl, 0, 1, ALL, F_GETFD),
	WHERE(fcntl, 0, 1, ALL, F_SETFD),
	WHERE(fcntl, 0, 1, ALL, F_GETFL),
	WHERE(fcntl, 0, 1, ALL, F_SETFL),
	WHERE(fcntl, 0, 1, ALL, F_GETPIPE_SZ),
	WHERE(fcntl, 0, 1, ALL, F_SETPIPE_SZ),
	/* TIOCSTI is not among these: it types into the terminal of whoever started the program */
	WHERE(ioctl, 0, 1, ALL, TCGETS),
	WHERE(ioctl, 0, 1, ALL, TIOCGPGRP),
	WHERE(ioctl, 0, 1, ALL, FIONREAD),
	WHERE(ioctl, 0, 1, ALL, FIONBIO),

	CALL(rt_sigaction, 0),
	CALL(rt_sigprocmask, 0),
	CALL(rt_sigreturn, 0),
	CALL(restart_syscall, 0),
	CALL(clock_gettime, 0),
	CALL(clock_getres, 0),
	CALL(clock_nanosleep, 0),
	CALL(gettimeofday, 0),
	CALL(nanosleep, 0),
	CALL(getrandom, 0),
	CALL(getpid, 0),
	CALL(gettid, 0),
	CALL(sched_yield, 0),
	CALL(futex, 0),
	CALL(exit, 0),
	CALL(exit_group, 0),
	WHERE(tgkill, 0, 0, ALL, OWN_PROCESS), /* abort(3) */

	/* memory that can be run is not to be had any more */
	CALL(brk, 0),
	WITHOUT(mmap, 0, 2, PROT_EXEC),
	WITHOUT(mprotect, 0, 2, PROT_EXEC),
	CALL(munmap, 0),
	CALL(mremap, 0),
	CALL(madvise, 0),

	WITHOUT(openat, SANDBOX_OPEN, 2, O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY)),
	CALL(openat, SANDBOX_MAKE),
	CALL(newfstatat, FILES | SANDBOX_REMOVE),
	CALL(statx, FILES),
	CALL(faccessat, FILES),
	CALL(faccessat2, FILES),
	CALL(readlinkat, FILES),
	CALL(getdents64, FILES),
	CALL(fstatfs, FILES),
	CALL(unlinkat, SANDBOX_MAKE | SANDBOX_REMOVE),
	CALL(renameat2, SANDBOX_MAKE),
	CALL(ftruncate, SANDBOX_MAKE),
	CALL(fsync, SANDBOX_MAKE),
	CALL(fdatasync, SANDBOX_MAKE),
#ifdef __NR_unlink
	CALL(stat, FILES),
	CALL(lstat, FILES | SANDBOX_REMOVE),
	CALL(access, FILES),
	CALL(readlink, FILES),
	CALL(unlink, SANDBOX_MAKE | SANDBOX_REMOVE),
	CALL(rename, SANDBOX_MAKE),
#endif
#ifdef __NR_renameat
	CALL(renameat, SANDBOX_MAKE),
#endif

	WHERE(clone, SANDBOX_THREADS, 0, CLONE_THREAD, CLONE_THREAD),
	CALL(set_robust_list, SANDBOX_THREADS),
	CALL(rseq, SANDBOX_THREADS),
	CALL(sched_getaffinity, SANDBOX_THREADS),

	WHERE(socket, SANDBOX_LOCAL | SANDBOX_NET, 0, ALL, AF_UNIX),
	WHERE(socket, SANDBOX_NET | SANDBOX_LISTEN, 0, ALL, AF_INET),
	WHERE(socket, SANDBOX_NET | SANDBOX_LISTEN, 0, ALL, AF_INET6),
	WHERE(socket, SANDBOX_NET, 0, ALL, AF_NETLINK), /* getaddrinfo(3) asks which addresses this machine has */
	WHERE(socketpair, SANDBOX_NET, 0, ALL, AF_UNIX), /* how libcurl wakes itself */
	CALL(connect, CALLERS),
	CALL(bind, SANDBOX_NET | SANDBOX_LISTEN), /* getaddrinfo(3), of its netlink socket */
	CALL(listen, SANDBOX_LISTEN),
	CALL(accept, SANDBOX_ACCEPT | SANDBOX_NET),
	CALL(accept4, SANDBOX_ACCEPT | SANDBOX_NET),
	CALL(recvfrom, SOCKETS),
	CALL(recvmsg, SOCKETS),
	CALL(sendmsg, SOCKETS),
	CALL(shutdown, SOCKETS),
	CALL(getsockopt, SOCKETS),
	CALL(setsockopt, SOCKETS),
	CALL(getsockname, SOCKETS),
	CALL(getpeername, SOCKETS),
	CALL(seccomp, SANDBOX_LESS),
	CALL(getpgid, SANDBOX_LOCAL),
#ifdef __NR_getpgrp
	CALL(getpgrp, SANDBOX_LOCAL),
#endif
	CALL(sendmmsg, SANDBOX_NET),
	CALL(recvmmsg, SANDBOX_NET),
	CALL(epoll_create1, SANDBOX_NET),
	CALL(eventfd2, SANDBOX_NET),
	CALL(pipe2, SANDBOX_NET),
	CALL(timerfd_create, SANDBOX_NET),
	CALL(timerfd_settime, SANDBOX_NET),
	CALL(timerfd_gettime, SANDBOX_NET),
	CALL(flock, SANDBOX_NET), /* the budget of connections */
	CALL(uname, SANDBOX_NET),
	CALL(sysinfo, SANDBOX_NET),
	CALL(getuid, SANDBOX_NET),
	CALL(geteuid, SANDBOX_NET),
	CALL(getgid, SANDBOX_NET),
	CALL(getegid, SANDBOX_NET),
};

#define ROWS (sizeof calls / sizeof calls[0])

/* From here on (pidfd_send_signal, Linux 5.1) numbers are the same for all processors, and all that they stand for can
 * be done by older calls, too. */
#define YOUNG 424

/* ----------------------------------------------------------------------------------------------------- the program
 * What becomes of a call is a step function of its number, searched by halves. */

enum verdict { DENY, ABSENT, ALLOW, CHECK };

struct step {
	uint32_t from; /* up to that of the next one */
	enum verdict verdict;
	const struct call *const *row; /* CHECK: the rows of this call */
};

struct program {
	struct sock_filter *code;
	size_t n, cap;
	bool full; /* there was no room, or too far to jump */
	const struct call *row[ROWS + 1]; /* those that hold, by number; NULL ends them */
	struct step step[2 * ROWS + 2];
	size_t steps;
};

static void sort_rows(struct program *p, unsigned may)
{
	size_t n = 0;

	for (size_t i = 0; i < ROWS; i++) {
		size_t k = n;
		if (calls[i].may != 0 && !(calls[i].may & may))
			continue;
		for (; k > 0 && p->row[k - 1]->number > calls[i].number; k--)
			p->row[k] = p->row[k - 1];
		p->row[k] = &calls[i];
		n++;
	}
	p->row[n] = NULL;
}

static void add_step(struct program *p, uint32_t from, enum verdict verdict, const struct call *const *row)
{
	if (p->steps > 0 && p->step[p->steps - 1].from == from)
		p->steps--;
	if (p->steps == 0 || verdict == CHECK || p->step[p->steps - 1].verdict != verdict)
		p->step[p->steps++] = (struct step){ from, verdict, row };
}

static void make_steps(struct program *p)
{
	const struct call **row = p->row, **next;
	bool young = false;

	add_step(p, 0, DENY, NULL);
	for (; *row; row = next) {
		uint32_t number = row[0]->number;
		enum verdict verdict = CHECK;
		for (next = row; *next && next[0]->number == number; next++)
			verdict = next[0]->arg < 0 ? ALLOW : verdict;
		if (!young && number >= YOUNG)
			add_step(p, YOUNG, ABSENT, NULL);
		young |= number >= YOUNG;
		add_step(p, number, verdict, row);
		add_step(p, number + 1, number + 1 >= YOUNG ? ABSENT : DENY, NULL);
	}
	if (!young)
		add_step(p, YOUNG, ABSENT, NULL);
}

static void emit(struct program *p, struct sock_filter instruction)
{
	if (p->n < p->cap)
		p->code[p->n++] = instruction;
	else
		p->full = true;
}

static void emit_verdict(struct program *p, enum verdict verdict)
{
	uint32_t what = verdict == ALLOW ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (verdict == ABSENT ? ENOSYS : EPERM);

	emit(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

static void emit_load(struct program *p, size_t offset)
{
	emit(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* the lower half of an argument, which is all that these have */
static void emit_check(struct program *p, const struct call *c)
{
	uint32_t value = c->number == __NR_tgkill ? (uint32_t)getpid() : c->value;

	emit_load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)c->arg);
	if (c->mask != ALL)
		emit(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	emit_verdict(p, ALLOW);
}

static void emit_leaf(struct program *p, const struct step *s)
{
	const struct call *const *row = s->row;

	if (s->verdict != CHECK) {
		emit_verdict(p, s->verdict);
		return;
	}
	for (; *row && row[0]->number == s->from; row++)
		emit_check(p, *row);
	emit_verdict(p, DENY);
}

#define DEPTH 16 /* of a tree of so many leaves and more */

/* a half that is still to be written; `jump` leads to it, where that is not the instruction in front of it */
struct half {
	size_t from, to;
	size_t jump;
	bool jumps;
};

static void land(struct program *p, const struct half *h)
{
	size_t over = p->n - h->jump - 1;

	p->full |= over > UINT8_MAX;
	if (!p->full)
		p->code[h->jump].jt = (uint8_t)over;
}

/* the lower half stands behind its comparison, the upper one behind all of the lower */
static void emit_steps(struct program *p)
{
	struct half waiting[DEPTH] = { { 0, p->steps, p->n, false } };

	for (size_t n = 1; n > 0 && !p->full;) {
		struct half h = waiting[--n];
		size_t middle = (h.from + h.to) / 2;
		if (h.jumps)
			land(p, &h);
		if (h.to - h.from == 1) {
			emit_leaf(p, &p->step[h.from]);
			continue;
		}
		waiting[n++] = (struct half){ middle, h.to, p->n, true };
		waiting[n++] = (struct half){ h.from, middle, p->n, false };
		emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, p->step[middle].from, 0, 0));
	}
}

static bool make_program(struct program *p, unsigned may)
{
	sort_rows(p, may);
	make_steps(p);
	emit_load(p, offsetof(struct seccomp_data, arch));
	emit(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
	emit_verdict(p, DENY); /* the calls of another processor, by other numbers */
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit_steps(p);
	return !p->full;
}

#define PROGRAM_MAX 768

size_t sandbox_program(uint64_t *out, size_t cap, unsigned may)
{
	struct sock_filter code[PROGRAM_MAX];
	struct program p = { .code = code, .cap = PROGRAM_MAX };

	if (!make_program(&p, may) || p.n > cap)
		return 0;
	memcpy(out, code, p.n * sizeof code[0]);
	return p.n;
}

/* false: errno. What the kernel does not have, or somebody else's filter keeps from us, is no failure */
static bool take_calls(unsigned may)
{
	struct sock_filter code[PROGRAM_MAX];
	struct program p = { .code = code, .cap = PROGRAM_MAX };
	struct sock_fprog f = { .filter = code };

	if (!make_program(&p, may)) {
		errno = E2BIG;
		return false;
	}
	f.len = (unsigned short)p.n;
	/* Not for the price of a slower processor: some kernels switch its guesses off behind a filter (Spectre v4), for
	 * programs that run strangers' code. These run none. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &f) == 0 ||
	    (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f) == 0))
		return true;
	return errno == ENOSYS || errno == EINVAL || errno == EPERM || errno == EACCES;
}

/* -------------------------------------------------------------------------------------------------------- Landlock
 * Numbers of linux/landlock.h of Linux 6.10, whose header may be older here than the kernel. */

#define LANDLOCK_CREATE	 444
#define LANDLOCK_ADD	 445
#define LANDLOCK_ENTER	 446
#define LANDLOCK_VERSION 1 /* flag of the first */
#define PATH_BENEATH	 1
#define NET_PORT	 2

#define FS_WRITE_FILE  (1u << 1)
#define FS_READ_FILE   (1u << 2)
#define FS_READ_DIR    (1u << 3)
#define FS_REMOVE_FILE (1u << 5)
#define FS_MAKE_REG    (1u << 8)
#define FS_TRUNCATE    (1u << 14)
#define OF_FILES       (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

#define NET_BIND_TCP	(1u << 0)
#define NET_CONNECT_TCP (1u << 1)

struct ruleset {
	uint64_t files, ports;
};

struct path_rule {
	uint64_t may;
	int32_t beneath;
} __attribute__((packed));

struct port_rule {
	uint64_t may, port;
};

/* what the versions of Landlock know: version 1 has all up to symbolic links, then come moves between directories,
 * truncate, (TCP,) ioctl on devices */
static uint64_t files_known(long version)
{
	return version >= 5 ? 0xffff : version >= 3 ? 0x7fff : version == 2 ? 0x3fff : 0x1fff;
}

bool sandbox_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	return prctl(PR_SET_DUMPABLE, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

void sandbox_open(struct sandbox *s, unsigned may, bool off)
{
	struct ruleset r = { 0, 0 };

	*s = (struct sandbox){ .may = may, .off = off, .rules = -1 };
#ifdef SANITIZED
	s->off = true;
#endif
	long version = s->off ? 0 : syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);
	if (version < 1)
		return;
	r.files = s->files = files_known(version);
	if (version >= 4)
		r.ports = s->ports = may & SANDBOX_ANY_PORT ? NET_BIND_TCP : NET_BIND_TCP | NET_CONNECT_TCP;
	s->rules = (int)syscall(LANDLOCK_CREATE, &r, s->ports ? sizeof r : sizeof r.files, 0);
	if (s->rules < 0)
		s->error = errno;
}

static void note(struct sandbox *s, int error)
{
	s->error = s->error ? s->error : error;
}

static uint64_t file_rights(unsigned may)
{
	uint64_t rights = 0;

	if (may & SANDBOX_OPEN)
		rights |= FS_READ_FILE | FS_READ_DIR;
	if (may & SANDBOX_MAKE)
		rights |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG | FS_REMOVE_FILE;
	if (may & SANDBOX_REMOVE)
		rights |= FS_REMOVE_FILE;
	return rights;
}

void sandbox_path(struct sandbox *s, const char *path, unsigned may)
{
	struct path_rule r = { file_rights(may) & s->files, -1 };
	struct stat st;

	if (s->rules < 0)
		return;
	r.beneath = open(path, O_PATH | O_CLOEXEC);
	if (r.beneath < 0 || fstat(r.beneath, &st) < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EINTR)
			note(s, errno);
	} else {
		r.may &= S_ISDIR(st.st_mode) ? UINT64_MAX : OF_FILES;
		/* EBADFD: a pipe by the name of a descriptor, which Landlock lets pass */
		if (r.may && syscall(LANDLOCK_ADD, s->rules, PATH_BENEATH, &r, 0) < 0 && errno != EBADFD)
			note(s, errno);
	}
	if (r.beneath >= 0)
		close(r.beneath);
}

void sandbox_port(struct sandbox *s, uint16_t port)
{
	struct port_rule r = { NET_CONNECT_TCP | (s->may & SANDBOX_LISTEN ? NET_BIND_TCP : 0), port };

	r.may &= s->ports;
	if (s->rules >= 0 && r.may && syscall(LANDLOCK_ADD, s->rules, NET_PORT, &r, 0) < 0)
		note(s, errno);
}

/* ---------------------------------------------------------------------------------------- hosts and their proof */

#define DNS_PORT 53 /* for answers that are too long for UDP */

/* names with colons between, as OpenSSL reads the variable */
static void allow_directories(struct sandbox *s, const char *names)
{
	char *list = names ? strdup(names) : NULL, *rest = list, *name;

	while (rest && (name = strsep(&rest, ":")))
		sandbox_path(s, name, SANDBOX_OPEN);
	free(list);
}

/* All of /etc, since files there are replaced by others when a network comes or goes, and a rule is about one that is
 * there now. Where the file with the name servers is a link, it leads to one that is replaced as well. */
void sandbox_names(struct sandbox *s)
{
	char *servers = realpath("/etc/resolv.conf", NULL);

	sandbox_path(s, "/etc", SANDBOX_OPEN);
	sandbox_path(s, "/usr/share/zoneinfo", SANDBOX_OPEN); /* where /etc/localtime leads, for libraries that tell times */
	if (servers)
		sandbox_path(s, dirname(servers), SANDBOX_OPEN);
	free(servers);
	sandbox_port(s, DNS_PORT);
}

void sandbox_certificates(struct sandbox *s, const char *cacert)
{
	const char *file = getenv("SSL_CERT_FILE");

	/* where the links of /etc/ssl/certs lead */
	sandbox_path(s, "/usr/share/ca-certificates", SANDBOX_OPEN);
	sandbox_path(s, "/usr/local/share/ca-certificates", SANDBOX_OPEN);
	allow_directories(s, getenv("SSL_CERT_DIR"));
	if (file)
		sandbox_path(s, file, SANDBOX_OPEN);
	if (cacert)
		sandbox_path(s, cacert, SANDBOX_OPEN);
}

/* ------------------------------------------------------------------------------------------------------- the whole */

static void close_rules(struct sandbox *s)
{
	if (s->rules >= 0)
		close(s->rules);
	s->rules = -1;
}

bool sandbox_enter(struct sandbox *s)
{
	if (s->off)
		return true;
	/* no program that is run from here on gets more rights by its set-user-ID bit; what follows asks for that */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 && errno != EINVAL && errno != ENOSYS)
		note(s, errno);
	if (!s->error && s->rules >= 0 && syscall(LANDLOCK_ENTER, s->rules, 0) < 0)
		note(s, errno);
	close_rules(s);
	if (!s->error && !take_calls(s->may))
		note(s, errno);
	errno = s->error;
	return s->error == 0;
}

bool sandbox_enter_operands(char *const *operands, bool off)
{
	struct sandbox s;

	sandbox_open(&s, sandbox_are_files(operands) ? SANDBOX_OPEN : 0, off);
	sandbox_operands(&s, operands);
	return sandbox_enter(&s);
}

bool sandbox_less(struct sandbox *s, unsigned may)
{
	s->may &= may;
	return s->off || take_calls(s->may);
}

#else

void sandbox_open(struct sandbox *s, unsigned may, bool off)
{
	*s = (struct sandbox){ .may = may, .off = off, .rules = -1 };
}

void sandbox_path(struct sandbox *s, const char *path, unsigned may)
{
	(void)s, (void)path, (void)may;
}

void sandbox_port(struct sandbox *s, uint16_t port)
{
	(void)s, (void)port;
}

void sandbox_names(struct sandbox *s)
{
	(void)s;
}

void sandbox_certificates(struct sandbox *s, const char *cacert)
{
	(void)s, (void)cacert;
}

bool sandbox_enter(struct sandbox *s)
{
	(void)s;
	return true;
}

bool sandbox_less(struct sandbox *s, unsigned may)
{
	s->may &= may;
	return true;
}

size_t sandbox_program(uint64_t *out, size_t cap, unsigned may)
{
	(void)out, (void)cap, (void)may;
	return 0;
}

#endif

bool sandbox_are_files(char *const *operands)
{
	while (*operands && strcmp(*operands, "-") == 0)
		operands++;
	return *operands != NULL;
}

void sandbox_operands(struct sandbox *s, char *const *operands)
{
	for (; *operands; operands++)
		if (strcmp(*operands, "-") != 0)
			sandbox_path(s, *operands, SANDBOX_OPEN);
}
