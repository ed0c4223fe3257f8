/* budget - so many of something in any stretch of time, shared by all processes of a user on a host: here connections
 * to the exchange, which bans addresses that open too many.
 *
 * One small file, locked for the moment of a look: a ring of the times of the latest takings, in µs of the clock that
 * counts from boot. It has one size for ever, so a crash in mid write costs one slot at most; times that lie ahead (the
 * machine has been started anew) count as free. Nothing here waits: a lock that somebody holds is "try again". */
#ifndef BNC_BUDGET_H
#define BNC_BUDGET_H

#include <stdint.h>

#include "span.h"

#define BUDGET_SLOTS 512
#define BUDGET_DIR_MAX 400

struct budget {
	int fd; /* -1: no file, this process counts for itself alone */
	uint64_t limit;
	int64_t window; /* µs */
	int64_t own[BUDGET_SLOTS];
};

/* "240/5m": so many in so long. false: not that */
bool budget_parse(struct span text, uint64_t *limit, int64_t *window);

/* Where the file lies: `bnc` in $XDG_RUNTIME_DIR, else in /run/user/UID, whichever is there and this user's; else
 * /tmp/bnc-UID. So programs of a service, of a shell and of cron find the same one. */
void budget_dir(char dir[BUDGET_DIR_MAX]);

/* `limit` takings (1 to BUDGET_SLOTS) in `window` µs. dir: made with mode 0700 where it is missing; one that belongs to
 * somebody else or that others may write is refused. false: no file (why[] says what failed), and the budget
 * still works for this process alone. */
bool budget_open(struct budget *b, const char *dir, const char *name, uint64_t limit, int64_t window, char why[256]);
void budget_close(struct budget *b);

/* 0: one is taken; else the µs after which to ask again */
int64_t budget_take(struct budget *b, int64_t now);

#define BUDGET_BUSY_US 20000 /* the answer while somebody else holds the lock */

#endif
