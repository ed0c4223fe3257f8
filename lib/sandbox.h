/* sandbox - what a program may still do once it is set up. For all else it asks the kernel in vain, whoever it is
 * that asks: what hostile bytes made of it finds no file to open, no program to run and nobody to send to.
 *
 * Two doors, one behind the other. seccomp(2) takes calls away: open, socket, exec, fork, ptrace, kill and whatever
 * else is not needed. Landlock takes files and ports away, of the calls that are left. The kernel may have none, one
 * or both; what it does not have is left out, and so is all of it on other systems, on processors whose calls are not
 * known here (known: 64-bit x86, ARM and RISC-V), under sanitizers, and where the user says so (--no-sandbox).
 *
 * A call that has been given up fails with EPERM, or EACCES where Landlock says no; the program is not killed. It
 * tells the error as it tells each, writes what it holds and ends with 3, where death would take the lines that wait
 * with it: that is the worse end when it was not an enemy that called, but a new libc. To the calls that Linux has
 * had only since 5.1 the answer is ENOSYS, behind which a libc takes the old ones. Neither gives an enemy anything:
 * the call is not made.
 *
 * The list of calls is turned into a program for seccomp here and not by libseccomp 2.5.4, which takes 0.4 ms and 470
 * KiB more of each start, where all of this takes 0.1 ms of the 0.6 that a filter has (Linux 6.18, November 2026).
 * The test of this file holds one against the other, call by call. */
#ifndef BNC_SANDBOX_H
#define BNC_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* For a program that holds a secret, before it does: from here on there is no core file, and nobody but root looks into
 * the process. false: errno */
bool sandbox_no_core(void);

/* Beyond what every program may: read, write and wait for what is open, take memory, look at clocks, exit. */
enum sandbox_may {
	SANDBOX_OPEN = 1 << 0,	  /* open files and directories for reading */
	SANDBOX_MAKE = 1 << 1,	  /* make, write, rename and remove files */
	SANDBOX_REMOVE = 1 << 2,  /* remove files */
	SANDBOX_THREADS = 1 << 3, /* begin threads, but no processes */
	SANDBOX_ACCEPT = 1 << 4,  /* take connections where the program listens already */
	SANDBOX_LOCAL = 1 << 5,	  /* connect to Unix-domain sockets */
	SANDBOX_NET = 1 << 6,	  /* look up hosts, connect to them, take connections at a socket that listens already */
	SANDBOX_LISTEN = 1 << 7,  /* listen anew, and connect to where it listens */
	SANDBOX_LESS = 1 << 8,	  /* give up more by sandbox_less */
	SANDBOX_ANY_PORT = 1 << 9, /* connect to any, where peers are named only later: servers of a cluster */
};

struct sandbox {
	bool off;
	unsigned may;
	int rules;	/* of Landlock; -1: none */
	uint64_t files, ports; /* what they are about */
	int error; /* the first failure; 0: none */
};

/* What shall be allowed, of enum sandbox_may. `off`: everything, and nothing below does anything. */
void sandbox_open(struct sandbox *s, unsigned may, bool off);

/* ... of files: SANDBOX_OPEN, SANDBOX_MAKE or SANDBOX_REMOVE, of this file or beneath this directory. What is not there
 * is passed over: it cannot be opened later either. Without one of these, Landlock allows none. */
void sandbox_path(struct sandbox *s, const char *path, unsigned may);

/* Operands of a program, NULL-terminated: does one name a file, where "-" is standard input? */
bool sandbox_are_files(char *const *operands);

/* ... of these: SANDBOX_OPEN */
void sandbox_operands(struct sandbox *s, char *const *operands);

/* ... of ports: TCP connections to this one, and with SANDBOX_LISTEN listening at it. Without one of these, Landlock
 * allows none. */
void sandbox_port(struct sandbox *s, uint16_t port);

/* ... of what the C library reads and asks to look up a host, with SANDBOX_NET: /etc, time zones, port 53 */
void sandbox_names(struct sandbox *s);

/* ... of the authorities that OpenSSL and libcurl go by, also where the environment says that they are; and `cacert`,
 * where that is still to be read, or NULL */
void sandbox_certificates(struct sandbox *s, const char *cacert);

/* From here on, for this process and all that it begins; before it has any thread. It cannot be undone. false: errno,
 * the kernel could confine the program and did not. */
bool sandbox_enter(struct sandbox *s);

/* of a program that does no more than read its operands. false: as above */
bool sandbox_enter_operands(char *const *operands, bool off);

/* After that, where SANDBOX_LESS allows it: only so much of it from here on */
bool sandbox_less(struct sandbox *s, unsigned may);

/* For tests: the program that seccomp gets, pairs of words as in struct sock_filter. Returns their number, at most
 * cap; 0: none for this processor, or no room */
size_t sandbox_program(uint64_t *out, size_t cap, unsigned may);

#endif
