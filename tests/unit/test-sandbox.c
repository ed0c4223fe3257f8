/* The programs that seccomp gets: by a policy that is written down here a second time, by names, and that libseccomp
 * makes a program of. Both are run on every number there is and on arguments around those that matter. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define CODE_MAX 2048
#define YOUNG	 424
#define X32	 0x40000000

/* ---------------------------------------------------------------------------------------------------- the policy */

static const struct {
	unsigned may; /* 0: everyone */
	const char *names;
} freely[] = {
	{ 0, "read write readv writev pread64 pwrite64 lseek close dup dup3 sendto fstat ppoll epoll_pwait epoll_ctl poll "
	     "epoll_wait time rt_sigaction rt_sigprocmask rt_sigreturn restart_syscall clock_gettime clock_getres "
	     "clock_nanosleep gettimeofday nanosleep getrandom getpid gettid sched_yield futex exit exit_group brk munmap "
	     "mremap madvise" },
	{ SANDBOX_OPEN, "newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 fstatfs" },
	{ SANDBOX_MAKE, "openat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat getdents64 "
			"fstatfs unlink unlinkat rename renameat renameat2 ftruncate fsync fdatasync" },
	{ SANDBOX_REMOVE, "newfstatat lstat unlink unlinkat" },
	{ SANDBOX_THREADS, "set_robust_list rseq sched_getaffinity" },
	{ SANDBOX_ACCEPT, "accept accept4 recvfrom recvmsg sendmsg shutdown getsockopt setsockopt getsockname getpeername" },
	{ SANDBOX_LOCAL, "connect recvfrom recvmsg sendmsg shutdown getsockopt setsockopt getsockname getpeername getpgrp "
			 "getpgid" },
	{ SANDBOX_NET, "connect bind accept accept4 recvfrom recvmsg sendmsg sendmmsg recvmmsg shutdown getsockopt setsockopt "
		       "getsockname getpeername epoll_create1 eventfd2 pipe2 timerfd_create timerfd_settime timerfd_gettime "
		       "flock uname sysinfo getuid geteuid getgid getegid" },
	{ SANDBOX_LISTEN, "connect bind listen recvfrom recvmsg sendmsg shutdown getsockopt setsockopt getsockname "
			  "getpeername" },
	{ SANDBOX_LESS, "seccomp" },
};

#define WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static const struct {
	unsigned may;
	const char *name;
	unsigned arg;
	uint32_t mask, value;
} sometimes[] = {
	{ 0, "newfstatat", 3, AT_EMPTY_PATH, AT_EMPTY_PATH },
	{ 0, "fcntl", 1, ~0u, F_DUPFD },
	{ 0, "fcntl", 1, ~0u, F_DUPFD_CLOEXEC },
	{ 0, "fcntl", 1, ~0u, F_GETFD },
	{ 0, "fcntl", 1, ~0u, F_SETFD },
	{ 0, "fcntl", 1, ~0u, F_GETFL },
	{ 0, "fcntl", 1, ~0u, F_SETFL },
	{ 0, "fcntl", 1, ~0u, F_GETPIPE_SZ },
	{ 0, "fcntl", 1, ~0u, F_SETPIPE_SZ },
	{ 0, "ioctl", 1, ~0u, TCGETS },
	{ 0, "ioctl", 1, ~0u, TIOCGPGRP },
	{ 0, "ioctl", 1, ~0u, FIONREAD },
	{ 0, "ioctl", 1, ~0u, FIONBIO },
	{ 0, "mmap", 2, PROT_EXEC, 0 },
	{ 0, "mprotect", 2, PROT_EXEC, 0 },
	{ 0, "tgkill", 0, ~0u, 0 /* this process */ },
	{ SANDBOX_OPEN, "openat", 2, WRITES, 0 },
	{ SANDBOX_THREADS, "clone", 0, CLONE_THREAD, CLONE_THREAD },
	{ SANDBOX_LOCAL, "socket", 0, ~0u, AF_UNIX },
	{ SANDBOX_NET, "socket", 0, ~0u, AF_UNIX },
	{ SANDBOX_NET, "socket", 0, ~0u, AF_INET },
	{ SANDBOX_NET, "socket", 0, ~0u, AF_INET6 },
	{ SANDBOX_NET, "socket", 0, ~0u, AF_NETLINK },
	{ SANDBOX_NET, "socketpair", 0, ~0u, AF_UNIX },
	{ SANDBOX_LISTEN, "socket", 0, ~0u, AF_INET },
	{ SANDBOX_LISTEN, "socket", 0, ~0u, AF_INET6 },
};

#define LENGTH(a) (sizeof(a) / sizeof(a)[0])

/* of the programs; lib/filter and cmd/ ask for these */
static const unsigned asked[] = {
	0,
	SANDBOX_OPEN,
	SANDBOX_OPEN | SANDBOX_LESS,
	SANDBOX_MAKE | SANDBOX_THREADS,
	SANDBOX_ACCEPT | SANDBOX_REMOVE,
	SANDBOX_ACCEPT | SANDBOX_OPEN | SANDBOX_MAKE,
	SANDBOX_LOCAL,
	SANDBOX_OPEN | SANDBOX_THREADS | SANDBOX_NET,
	SANDBOX_ACCEPT | SANDBOX_LISTEN | SANDBOX_OPEN,
	SANDBOX_REMOVE,
	SANDBOX_THREADS,
	SANDBOX_ACCEPT,
	SANDBOX_NET,
	SANDBOX_LISTEN,
	2 * SANDBOX_LESS - 1,
};

/* ---------------------------------------------------------------------------------------------------- programs */

struct code {
	struct sock_filter i[CODE_MAX];
	size_t n;
};

static void ours(struct code *c, unsigned may)
{
	uint64_t words[CODE_MAX];

	c->n = sandbox_program(words, CODE_MAX, may);
	memcpy(c->i, words, c->n * sizeof c->i[0]);
}

static void allow(scmp_filter_ctx f, const char *name, unsigned n, struct scmp_arg_cmp arg)
{
	int number = seccomp_syscall_resolve_name(name);

	assert_int_not_equal(number, __NR_SCMP_ERROR);
	if (number >= 0) /* this processor has it */
		assert_int_equal(seccomp_rule_add_array(f, SCMP_ACT_ALLOW, number, n, &arg), 0);
}

static void allow_freely(scmp_filter_ctx f, const char *names)
{
	char text[1024], *rest = text, *name;

	snprintf(text, sizeof text, "%s", names);
	while ((name = strsep(&rest, " ")))
		allow(f, name, 0, (struct scmp_arg_cmp){ 0 });
}

static void theirs(struct code *c, unsigned may)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int fd = memfd_create("program", MFD_CLOEXEC);

	for (size_t i = 0; i < LENGTH(freely); i++)
		if (freely[i].may == 0 || freely[i].may & may)
			allow_freely(f, freely[i].names);
	for (size_t i = 0; i < LENGTH(sometimes); i++) {
		bool own = strcmp(sometimes[i].name, "tgkill") == 0;
		if (sometimes[i].may == 0 || sometimes[i].may & may)
			allow(f, sometimes[i].name, 1,
			    SCMP_CMP64(sometimes[i].arg, SCMP_CMP_MASKED_EQ, sometimes[i].mask,
				own ? (uint32_t)getpid() : sometimes[i].value));
	}
	assert_int_equal(seccomp_export_bpf(f, fd), 0);
	ssize_t bytes = pread(fd, c->i, sizeof c->i, 0);
	assert_true(bytes > 0 && (size_t)bytes < sizeof c->i);
	c->n = (size_t)bytes / sizeof c->i[0];
	close(fd);
	seccomp_release(f);
}

/* what the kernel does with it, as far as either uses it */
static uint32_t run(const struct code *c, const struct seccomp_data *d)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < c->n; pc++) {
		const struct sock_filter *i = &c->i[pc];
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k <= sizeof *d - 4 && i->k % 4 == 0);
			memcpy(&a, (const char *)d + i->k, 4);
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			pc += a > i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail_msg("instruction %zu has code %#x", pc, i->code);
		}
	}
	fail_msg("it runs past its end");
	return 0;
}

/* ------------------------------------------------------------------------------------------------------- tests */

static uint32_t architecture(void)
{
	return seccomp_arch_native(); /* the kernel's own numbers */
}

static void compare(const struct code *a, const struct code *b, struct seccomp_data *d)
{
	uint32_t x = run(a, d), y = run(b, d);
	uint32_t wanted = y == SECCOMP_RET_ALLOW ? y : SECCOMP_RET_ERRNO | (d->nr >= YOUNG ? ENOSYS : EPERM);

	if (x != wanted)
		fail_msg("call %d (%llx %llx %llx %llx): %x instead of %x", d->nr, (unsigned long long)d->args[0],
		    (unsigned long long)d->args[1], (unsigned long long)d->args[2], (unsigned long long)d->args[3], x, wanted);
}

/* arguments around one that matters, alone and all alike */
static void compare_around(const struct code *a, const struct code *b, struct seccomp_data *d, uint32_t value)
{
	const uint64_t near[] = { value, value ^ 1u, value + 1u, value | 0xffffffff00000000u, ~value, value | 4u };

	for (size_t i = 0; i < LENGTH(near); i++) {
		for (size_t arg = 0; arg < 4; arg++) {
			memset(d->args, 0, sizeof d->args);
			d->args[arg] = near[i];
			compare(a, b, d);
		}
		for (size_t arg = 0; arg < 6; arg++)
			d->args[arg] = near[i];
		compare(a, b, d);
	}
}

/* a call whose arguments nobody looks at needs few */
static void compare_number(const struct code *a, const struct code *b, int nr)
{
	struct seccomp_data d = { .nr = nr, .arch = architecture() };
	bool looks = false;

	compare_around(a, b, &d, 0);
	for (size_t k = 0; k < LENGTH(sometimes); k++)
		looks |= seccomp_syscall_resolve_name(sometimes[k].name) == nr;
	for (size_t k = 0; looks && k < LENGTH(sometimes); k++) {
		compare_around(a, b, &d, sometimes[k].value);
		compare_around(a, b, &d, sometimes[k].mask);
	}
	compare_around(a, b, &d, (uint32_t)getpid());
	compare_around(a, b, &d, TIOCSTI);
	compare_around(a, b, &d, AF_PACKET);
}

static void is_what_libseccomp_makes(void **state)
{
	static struct code a, b;
	(void)state;

	for (size_t i = 0; i < LENGTH(asked); i++) {
		ours(&a, asked[i]);
		theirs(&b, asked[i]);
		assert_true(a.n > 0 && b.n > 0);
		for (int nr = 0; nr < 700; nr++)
			compare_number(&a, &b, nr);
	}
}

/* whatever a program asks for */
static void some_calls_nobody_may(void **state)
{
	static const char *const never[] = { "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "kill",
		"tkill", "bpf", "mount", "umount2", "chroot", "setuid", "setgid", "setresuid", "capset", "personality", "prctl",
		"keyctl", "perf_event_open", "userfaultfd", "memfd_create", "init_module", "unshare", "setns", "symlinkat",
		"linkat", "mkdirat", "mknodat", "fchmodat", "fchownat", "truncate", "chdir", "open_by_handle_at",
		"io_uring_setup", "io_uring_enter", "clone3", "openat2", "pidfd_getfd", "landlock_restrict_self" };
	static struct code c;
	(void)state;

	ours(&c, 2 * SANDBOX_LESS - 1);
	for (size_t i = 0; i < LENGTH(never); i++) {
		struct seccomp_data d = { .nr = seccomp_syscall_resolve_name(never[i]), .arch = architecture() };
		assert_true(d.nr >= 0);
		if (run(&c, &d) == SECCOMP_RET_ALLOW)
			fail_msg("%s is allowed", never[i]);
	}
	struct seccomp_data d = { .nr = SYS_clone, .arch = architecture(), .args = { CLONE_VM | CLONE_VFORK } };
	assert_int_equal(run(&c, &d), SECCOMP_RET_ERRNO | EPERM);
}

static void the_numbers_of_another_processor_mean_nothing(void **state)
{
	static struct code c;
	(void)state;

	ours(&c, 2 * SANDBOX_LESS - 1);
	for (int nr = 0; nr < 700; nr++) {
		struct seccomp_data d = { .nr = nr, .arch = AUDIT_ARCH_I386 };
		assert_int_equal(run(&c, &d), SECCOMP_RET_ERRNO | EPERM);
		d = (struct seccomp_data){ .nr = nr | X32, .arch = architecture() };
		assert_int_equal(run(&c, &d), SECCOMP_RET_ERRNO | ENOSYS);
	}
}

static void fits_or_says_so(void **state)
{
	uint64_t words[CODE_MAX];
	(void)state;

	size_t n = sandbox_program(words, CODE_MAX, 0);
	assert_true(n > 0 && n < 200);
	assert_int_equal(sandbox_program(words, n - 1, 0), 0);
	assert_int_equal(sandbox_program(words, n, 0), n);
}

int main(void)
{
	uint64_t words[CODE_MAX];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_libseccomp_makes),
		cmocka_unit_test(some_calls_nobody_may),
		cmocka_unit_test(the_numbers_of_another_processor_mean_nothing),
		cmocka_unit_test(fits_or_says_so),
	};

	if (sandbox_program(words, CODE_MAX, 0) == 0) {
		puts("1..0 # skip nothing is given up on this processor");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
