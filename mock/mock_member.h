/* mock_member - members of a JSON object, as the exchange writes account data: decimals are strings.
 * A key comes with all that stands before its value: ",\"wb\":". */
#ifndef BNC_MOCK_MEMBER_H
#define BNC_MOCK_MEMBER_H

#include "dec.h"
#include "mock_buf.h"

void mock_put_text(struct mock_buf *b, const char *key, struct span value);
void mock_put_number(struct mock_buf *b, const char *key, int64_t value);
void mock_put_truth(struct mock_buf *b, const char *key, bool value);

/* "37.5": without trailing zeros, as in the events of 2026 */
void mock_put_amount(struct mock_buf *b, const char *key, struct dec value);

/* "37.50000000": with so many decimals, cut off toward zero behind them, as REST prints money (bnc-wire(7) 5.1) */
void mock_put_places(struct mock_buf *b, const char *key, struct dec value, int places);

/* cut off toward zero behind so many decimals */
struct dec mock_cut(struct dec value, int places);

#endif
