/* mock_guard - who may ask: API key, timestamp, signature (bnc-wire(7) 4.1, 4.2, 4.4), and how much. */
#ifndef BNC_MOCK_GUARD_H
#define BNC_MOCK_GUARD_H

#include "mock_account.h"
#include "mock_http.h"

struct mock_refusal {
	int status; /* of HTTP, and of the WebSocket API */
	int code;   /* the exchange's */
	char message[160];
};

/* the parameters of a signed request; p NULL: not sent */
struct mock_signed {
	struct span text;			       /* what is signed */
	struct span key, timestamp, window, signature; /* the signature percent-decoded */
	bool spot;				       /* timestamps may be in µs */
};

/* false: *why says what the exchange answers */
bool mock_guard_key(const struct mock_account *a, struct span key, struct mock_refusal *why);
bool mock_guard_signed(
    const struct mock_account *a, const struct mock_signed *s, int64_t wall_ms, struct mock_refusal *why);
/* the same for a request over HTTP */
bool mock_guard_request(
    const struct mock_account *a, const struct mock_request *r, bool spot, int64_t wall_ms, struct mock_refusal *why);

void mock_refuse(struct mock_refusal *why, int status, int code, const char *message);
/* "Mandatory parameter ... was not sent, ..." */
void mock_refuse_parameter(struct mock_refusal *why, const char *name);
/* {"code":..,"msg":..} */
void mock_put_refusal(struct mock_buf *b, const struct mock_refusal *why);

/* Books the weight of a request in its minute. true: it may be answered. false: *why has 429 or, after warnings that
 * were not heeded, 418; *retry_after in seconds */
bool mock_guard_weight(
    struct mock_account *a, bool spot, int64_t weight, int64_t wall_ms, struct mock_refusal *why, int64_t *retry_after);

#endif
