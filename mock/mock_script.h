/* mock_script - the words of the script that move the account: fill, transfer, funding and their kin (bnc-mock(1)). */
#ifndef BNC_MOCK_SCRIPT_H
#define BNC_MOCK_SCRIPT_H

#include "mock_account.h"
#include "mock_log.h"

enum mock_scripted {
	MOCK_SCRIPT_DONE,
	MOCK_SCRIPT_WRONG, /* *why says what is wrong; nothing has changed */
	MOCK_SCRIPT_OTHER, /* a word that is none of these */
};

/* one line; now: monotonic, µs; wall_ms: of the exchange's clock. `ledger` writes to the log */
enum mock_scripted mock_script(
    struct mock_account *a, struct mock_log *log, struct span line, int64_t now, int64_t wall_ms, const char **why);

/* listen keys whose time is over */
void mock_script_clock(struct mock_account *a, int64_t now, int64_t wall_ms);
int64_t mock_script_due(const struct mock_account *a); /* INT64_MAX: none */

#endif
