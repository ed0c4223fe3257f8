/* symbol - SOLUSDT -> SOL and USDT: from an exchangeInfo file where there is one, else by the longest known quote asset. */
#ifndef BNC_SYMBOL_H
#define BNC_SYMBOL_H

#include <stdint.h>

#include "span.h"

struct symbols; /* what an exchangeInfo file said */

/* base asset of a pair as the exchange writes it (upper case, UTF-8): "SOLUSDT" -> "SOL", "BTCUSDT_261225" -> "BTC",
 * "BTCUSD_PERP" -> "BTC". `known` may be NULL. Where nothing fits, the whole name. Points into `pair` or into `known`. */
struct span symbol_base(const struct symbols *known, struct span pair);

/* its quote asset: "BTCUSDT_261225" -> "USDT"; empty where the name does not tell. Points into `pair`. */
struct span symbol_quote(struct span pair);

/* what a contract of a COIN-M pair is worth in USD where nobody says: 100 for BTC, 10 for the others (bnc-wire(7)) */
uint64_t symbol_usual_contract(struct span pair);

/* reads a whole exchangeInfo answer (fapi, dapi or spot); NULL: *why is a constant sentence. Owned: symbols_free. */
struct symbols *symbols_read(int fd, const char **why);
void symbols_free(struct symbols *s);
size_t symbols_count(const struct symbols *s);
/* contractSize of a COIN-M pair, 0 where it is not known */
uint64_t symbols_contract_size(const struct symbols *s, struct span pair);

#endif
