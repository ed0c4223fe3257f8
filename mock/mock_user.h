/* mock_user - the events of user data, as the exchange writes them in 2026 (bnc-wire(7) 3.3, 3.5): what the ledger
 * holds after a change goes out to those who listen. `ms` is the time of the change. */
#ifndef BNC_MOCK_USER_H
#define BNC_MOCK_USER_H

#include "mock_account.h"

/* futures: ORDER_TRADE_UPDATE NEW, TRADE_LITE (USDⓈ-M), ACCOUNT_UPDATE, ORDER_TRADE_UPDATE TRADE; spot: executionReport
 * NEW, executionReport TRADE, outboundAccountPosition. Books the income, too */
void mock_user_fill(struct mock_account *a, enum mock_market market, const struct mock_trade *t, int64_t ms);

/* `amount` has gone in or out */
void mock_user_transfer(
    struct mock_account *a, enum mock_market market, const struct mock_asset *asset, struct dec amount, int64_t ms);
void mock_user_funding(
    struct mock_account *a, enum mock_market market, const struct mock_position *p, struct dec amount, int64_t ms);
/* spot: what is locked has changed */
void mock_user_locked(struct mock_account *a, const struct mock_asset *asset, int64_t ms);

void mock_user_leverage(struct mock_account *a, enum mock_market market, const struct mock_position *p, int64_t ms);
void mock_user_multi(struct mock_account *a, enum mock_market market, int64_t ms);
void mock_user_margin_call(struct mock_account *a, enum mock_market market, const struct mock_position *p, int64_t ms);

struct mock_algo {
	struct span symbol, state;
	bool buy;
	enum mock_side side;
	struct dec qty, trigger;
};
void mock_user_algo(struct mock_account *a, enum mock_market market, const struct mock_algo *algo, int64_t ms);

/* the listen key has expired; E was a string before 2026-05 */
void mock_user_expired(struct mock_account *a, enum mock_market market, bool as_string, int64_t ms);

#endif
