/* mock_account - one user of the exchange: key, balances and positions on the three markets, listen keys, and the
 * weight that its requests have used. Times are milliseconds of the exchange's clock unless a name says otherwise. */
#ifndef BNC_MOCK_ACCOUNT_H
#define BNC_MOCK_ACCOUNT_H

#include "mock_buf.h"
#include "mock_ledger.h"
#include "mock_sign.h"

#define MOCK_API_KEY_MAX     128
#define MOCK_LISTEN_KEY_SIZE (MOCK_LISTEN_KEY + 1)
#define MOCK_ALIAS	     "SgsR"
#define MOCK_INCOME_MAX	     1000 /* rows that are kept, the latest */

struct mock_listen {
	char key[MOCK_LISTEN_KEY_SIZE]; /* empty: there has been none */
	bool alive;
	int64_t until; /* monotonic clock, µs */
};

struct mock_income {
	const char *type;
	char symbol[MOCK_SYMBOL_MAX + 1];
	char asset[MOCK_SYMBOL_MAX + 1];
	struct dec amount;
	int64_t ms, tran_id, trade_id; /* trade_id 0: none */
};

/* Weight of requests in the exchange's clock minute. The futures share one pool (bnc-wire(7) 1.3). */
struct mock_weight {
	int64_t minute, used;
	int64_t until; /* 429 or 418 until then; 0: neither */
	int warned;    /* requests that came although a 429 had been sent */
	bool banned;
};

/* how a user data event reaches its connections */
typedef void mock_deliver(void *ctx, enum mock_market market, struct span event, struct span payload);

struct mock_account {
	char api_key[MOCK_API_KEY_MAX + 1];
	struct mock_signer signer;
	struct mock_ledger ledger[MOCK_MARKETS];
	struct mock_listen listen[2]; /* MOCK_USDM, MOCK_COINM */
	int64_t listen_age;	      /* µs */
	struct mock_weight weight[2]; /* futures, spot */
	int64_t weight_limit[2];      /* 0: none */
	int64_t ban_ms;
	struct mock_income income[MOCK_MARKETS][MOCK_INCOME_MAX];   /* a ring */
	size_t incomes[MOCK_MARKETS];				    /* ever */
	int64_t order_id, trade_id, tran_id, execution_id, algo_id; /* the latest given */
	int64_t skew_ms;					    /* the exchange's clock less the one on the wall */
	const struct mock_walk *walk;				    /* borrowed; mark prices */
	mock_deliver *deliver;
	void *ctx;
};

void mock_account_init(struct mock_account *a);
void mock_account_free(struct mock_account *a);

/* bnc-mock(1), --account; NULL or what is wrong. The text is changed while it is read, and padded as lib/json asks */
const char *mock_account_read(struct mock_account *a, char *text, size_t n);

/* a new key, or the living one with its time begun again; now: monotonic, µs */
const char *mock_account_listen(struct mock_account *a, enum mock_market market, int64_t now);
/* false: there is no living key */
bool mock_account_keep(struct mock_account *a, enum mock_market market, int64_t now);
void mock_account_drop(struct mock_account *a, enum mock_market market);

/* "3s", "-250ms" in milliseconds; false: not a duration of at most a day */
bool mock_account_skew(struct span text, int64_t *ms);

void mock_account_income(struct mock_account *a, enum mock_market market, const struct mock_income *row);

#endif
