#include "binance_error.h"

#include <stdio.h>

#include "num.h"

#define SECOND	 1000000LL
#define WAIT_MAX (7 * 24 * 3600 * SECOND) /* the longest ban that is documented is 3 days */
#define MSG_MAX	 160			  /* bytes of the exchange's own words that are shown */

/* ------------------------------------------------------------------------------------------------------- tables */

/* binance 4.4. What a user can do comes first; where nobody can do anything, that is said. */
static const struct binance_error errors[] = {
	{ -1000, BINANCE_RETRY, "the exchange has trouble of its own: nothing is to be done, it is tried again" },
	{ -1001, BINANCE_RETRY, "the exchange has lost a connection inside: nothing is to be done, it is tried again" },
	{ -1003, BINANCE_WAIT,
	    "too many requests from this address: stop other programs that ask the exchange, or ask less "
	    "often (--check)" },
	{ -1006, BINANCE_RETRY, "the exchange was surprised by itself: nothing is to be done, it is tried again" },
	{ -1007, BINANCE_RETRY, "the exchange waited too long for itself: nothing is to be done, it is tried again" },
	{ -1008, BINANCE_RETRY, "the exchange has too much to do: nothing is to be done, it is tried again" },
	{ -1021, BINANCE_RESYNC,
	    "the time in the request is not the exchange's: have the clock of this machine set by NTP, "
	    "and see whether the network is slow" },
	{ -1022, BINANCE_GIVE_UP,
	    "the signature does not hold: check that the secret is the one of this API key, is whole, "
	    "and is of the kind (HMAC or Ed25519) that was registered with the key" },
	{ -1100, BINANCE_GIVE_UP,
	    "the request has characters that the exchange does not take: compare this program's version "
	    "with what the exchange has changed" },
	{ -1102, BINANCE_GIVE_UP,
	    "the exchange misses a parameter, or cannot read it: compare this program's version with what "
	    "the exchange has changed" },
	{ -1120, BINANCE_GIVE_UP,
	    "there is no such interval: use one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M" },
	{ -1121, BINANCE_GIVE_UP, "there is no such symbol: check its name, and the market (-m)" },
	{ -1125, BINANCE_NEW_KEY, "the listen key has expired: nothing is to be done, a new one is asked for" },
	{ -1130, BINANCE_GIVE_UP,
	    "the exchange does not accept the value of a parameter: compare this program's version with "
	    "what the exchange has changed" },
	{ -2014, BINANCE_GIVE_UP,
	    "the API key is not in the form that the exchange makes: copy it again, whole, without blanks "
	    "or line ends" },
	{ -2015, BINANCE_GIVE_UP,
	    "check, in this order: that the API key exists there (a testnet key is none on the live "
	    "exchange, see -u), that it may be used from this address, and that it may read this market" },
	{ -4021, BINANCE_GIVE_UP, "no such number of levels: use 5, 10, 20, 50, 100, 500 or 1000" },
	{ -4109, BINANCE_GIVE_UP,
	    "the futures account is not active: open it on the exchange's site, and move something into "
	    "it" },
	{ -4166, BINANCE_GIVE_UP, "the exchange looks back two days only: ask for a later time" },
};

static const struct {
	int status;
	enum binance_remedy remedy;
	int64_t wait; /* s, where the exchange does not say */
	const char *what_to_do;
} statuses[] = {
	{ 401, BINANCE_GIVE_UP, 0, "the exchange does not accept the API key: check the key and what it may do" },
	{ 403, BINANCE_GIVE_UP, 0,
	    "the exchange's firewall refuses this address: see whether a VPN, a proxy or a cloud is in "
	    "between" },
	{ 404, BINANCE_GIVE_UP, 0, "there is no such path on that server: check -u" },
	{ 407, BINANCE_GIVE_UP, 0, "the proxy asks for a login: name it in https_proxy" },
	{ 408, BINANCE_RETRY, 0, "the exchange waited too long for itself: nothing is to be done, it is tried again" },
	{ 418, BINANCE_WAIT, 120,
	    "this address is banned for a while for too many requests: stop other programs that ask the "
	    "exchange" },
	{ 425, BINANCE_RETRY, 0, "too early: nothing is to be done, it is tried again" },
	{ 429, BINANCE_WAIT, 60,
	    "too many requests from this address: stop other programs that ask the exchange, or ask less "
	    "often (--check)" },
	{ 451, BINANCE_GIVE_UP, 0,
	    "not offered where this address is: a legal restriction, not a fault of the network or of the "
	    "key" },
};

const struct binance_error *binance_errors(size_t *n)
{
	*n = sizeof errors / sizeof errors[0];
	return errors;
}

const struct binance_error *binance_error(int64_t code)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].code == code)
			return &errors[i];
	return NULL;
}

/* ------------------------------------------------------------------------------------------------------ replies */

struct error_body {
	bool there;
	int64_t code;
	struct span msg; /* escapes undone, into `text` */
	char text[MSG_MAX];
};

/* {"code":-2015,"msg":"..."}, and nothing that is no such object */
static void read_body(struct error_body *b, struct span body)
{
	struct json r;
	struct json_val top;

	b->there = false;
	b->msg = (struct span){ b->text, 0 };
	if (body.n == 0 || !json_check(&r, body, &top) || top.kind != JSON_OBJECT)
		return;
	struct json_val code = json_find(json_text(top), "code");
	struct json_val msg = json_find(json_text(top), "msg");
	if (code.kind != JSON_INT || !num_i64(json_text(code), INT32_MIN, INT32_MAX, &b->code))
		return;
	b->there = true;
	if (msg.kind != JSON_STRING)
		return;
	for (uint32_t n = msg.n < MSG_MAX ? msg.n : MSG_MAX; n > 0; n--) { /* the longest beginning that is whole */
		bool whole = n == msg.n || (((unsigned char)msg.p[n] & 0xc0) != 0x80 && !memchr(msg.p, '\\', n));
		int got = whole ? json_unescape((struct span){ msg.p, n }, b->text, sizeof b->text) : -1;
		if (got >= 0) {
			b->msg.n = (size_t)got;
			return;
		}
	}
}

/* "IP banned until 1790526538940": when that is, 0 for nowhere */
static int64_t banned_until(struct span msg)
{
	const char *at = memmem(msg.p, msg.n, "until ", 6);
	int64_t ms;
	size_t n = 0;

	if (!at)
		return 0;
	at += 6;
	while (at + n < msg.p + msg.n && at[n] >= '0' && at[n] <= '9')
		n++;
	return n == 13 && num_i64((struct span){ at, n }, 0, INT64_MAX, &ms) ? ms : 0;
}

static int64_t wait_for(const struct binance_reply *a, const struct error_body *b, int64_t server_ms, int64_t usual)
{
	int64_t until = banned_until(b->msg);
	int64_t us =
	    a->retry_after >= 0 ? (a->retry_after < WAIT_MAX / SECOND ? a->retry_after * SECOND : WAIT_MAX) : -1;

	if (until && server_ms && until > server_ms && (until - server_ms) * 1000 > us)
		us = (until - server_ms) * 1000;
	else if (us < 0)
		us = usual * SECOND;
	return us < WAIT_MAX ? us : WAIT_MAX;
}

static void judge_status(struct binance_refusal *r, int status, const char **what_to_do, int64_t *usual)
{
	*usual = 60;
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].status == status) {
			r->remedy = statuses[i].remedy;
			*usual = statuses[i].wait;
			*what_to_do = statuses[i].what_to_do;
			return;
		}
	bool again = status < 400 || status >= 500;
	r->remedy = again ? BINANCE_RETRY : BINANCE_GIVE_UP;
	*what_to_do = status >= 500 ? "the exchange has trouble of its own: nothing is to be done, it is tried again"
		      : status >= 300 && status < 400 ? "the server points elsewhere, which is not followed: check -u"
		      : again			      ? "no answer that this program understands: check -u"
						      : "the exchange refuses the request";
}

bool binance_error_read(struct binance_refusal *r, const struct binance_reply *a, int64_t server_ms)
{
	struct error_body b;
	const char *what_to_do;
	int64_t usual;

	read_body(&b, a->body);
	bool good = a->status >= 200 && a->status < 300;
	if (good && (!b.there || b.code >= 0))
		return false;
	judge_status(r, a->status, &what_to_do, &usual);
	const struct binance_error *known = b.there ? binance_error(b.code) : NULL;
	/* a ban stays a ban, and a restricted place one, whatever code comes with it */
	bool by_status = r->remedy == BINANCE_WAIT || a->status == 451;
	if (good)
		r->remedy = BINANCE_GIVE_UP;
	if (known && !by_status) {
		r->remedy = known->remedy;
		what_to_do = known->what_to_do;
	}
	r->wait = r->remedy == BINANCE_WAIT ? wait_for(a, &b, server_ms, usual) : 0;
	if (b.there)
		snprintf(r->text, sizeof r->text, "HTTP %d, code %lld: %.*s%s%s", a->status, (long long)b.code,
		    (int)b.msg.n, b.msg.p, known || by_status ? ": " : "", known || by_status ? what_to_do : "");
	else
		snprintf(r->text, sizeof r->text, "HTTP %d: %s", a->status, what_to_do);
	return true;
}
