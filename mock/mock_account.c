#include "mock_account.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include "json.h"
#include "mock_member.h"
#include "num.h"

#define HOUR_US 3600000000LL

void mock_account_init(struct mock_account *a)
{
	memset(a, 0, sizeof *a);
	for (unsigned m = 0; m < MOCK_MARKETS; m++)
		mock_ledger_init(&a->ledger[m], (enum mock_market)m);
	a->listen_age = HOUR_US;
	a->weight_limit[0] = 2400; /* bnc-wire(7) 4.4 */
	a->weight_limit[1] = 6000;
	a->ban_ms = 120000;
	a->order_id = 8389765739703625591; /* beyond 2^53: such have been seen (bnc-wire(7) 3.3) */
	a->trade_id = 702423108;
	a->tran_id = 9689322391;
	a->execution_id = 20702625197;
	a->algo_id = 2000000547321627;
}

void mock_account_free(struct mock_account *a)
{
	mock_sign_free(&a->signer);
}

/* --- listen keys ----------------------------------------------------------------------------------------------- */

static void make_key(char out[MOCK_LISTEN_KEY_SIZE])
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZAB";
	unsigned char random[MOCK_LISTEN_KEY_SIZE - 1];

	if (RAND_bytes(random, sizeof random) != 1)
		abort();
	for (size_t i = 0; i < sizeof random; i++)
		out[i] = letters[random[i] % 64];
	out[sizeof random] = '\0';
}

const char *mock_account_listen(struct mock_account *a, enum mock_market market, int64_t now)
{
	struct mock_listen *l = &a->listen[market];

	if (!l->alive)
		make_key(l->key);
	l->alive = true;
	l->until = now + a->listen_age;
	return l->key;
}

bool mock_account_keep(struct mock_account *a, enum mock_market market, int64_t now)
{
	struct mock_listen *l = &a->listen[market];

	if (l->alive)
		l->until = now + a->listen_age;
	return l->alive;
}

void mock_account_drop(struct mock_account *a, enum mock_market market)
{
	a->listen[market].alive = false;
}

bool mock_account_skew(struct span text, int64_t *ms)
{
	bool behind = text.n > 0 && text.p[0] == '-';
	int64_t us;

	if (behind)
		text = (struct span){ text.p + 1, text.n - 1 };
	if (!num_duration(text, &us) || us > 24 * HOUR_US)
		return false;
	*ms = (behind ? -us : us) / 1000;
	return true;
}

void mock_account_income(struct mock_account *a, enum mock_market market, const struct mock_income *row)
{
	struct mock_income *to = &a->income[market][a->incomes[market]++ % MOCK_INCOME_MAX];

	*to = *row;
	to->tran_id = ++a->tran_id;
}

/* --- the file -------------------------------------------------------------------------------------------------- */

/* a string with its escapes undone, in place of itself; NULL: it does not fit or is none */
static bool text_of(struct json_val v, char *out, size_t cap)
{
	int n = v.kind == JSON_STRING ? json_unescape(json_text(v), out, cap) : -1;

	if (n <= 0 || memchr(out, '\0', (size_t)n))
		return false;
	if ((size_t)n == cap)
		return false;
	out[n] = '\0';
	return true;
}

static bool amount_of(struct json_val v, struct dec *out)
{
	bool number = v.kind == JSON_STRING || v.kind == JSON_INT || v.kind == JSON_NUMBER;

	return number && dec_parse(json_text(v), out) == DEC_OK;
}

static bool truth_of(struct json_val v, bool *out)
{
	*out = v.kind == JSON_TRUE;
	return v.kind == JSON_TRUE || v.kind == JSON_FALSE;
}

static const char *read_balances(struct mock_ledger *l, struct json_val list)
{
	char name[MOCK_SYMBOL_MAX + 1];
	struct json in;
	struct span key;
	struct json_val v;

	if (list.kind != JSON_OBJECT)
		return "balances: not an object of assets and amounts";
	json_enter_object(&in, json_text(list));
	while (json_next_member(&in, &key, &v)) {
		struct dec amount;
		int n = json_unescape(key, name, sizeof name);
		struct mock_asset *a = n > 0 ? mock_ledger_asset(l, (struct span){ name, (size_t)n }) : NULL;
		if (!a)
			return "balances: not an asset";
		if (!amount_of(v, &amount) || dec_cmp(mock_cut(amount, 8), amount))
			return "balances: not an amount of at most 8 decimals";
		a->balance = amount;
	}
	return NULL;
}

static int side_of(struct json_val v)
{
	char word[8];

	if (v.kind == JSON_NONE)
		return MOCK_BOTH;
	if (!text_of(v, word, sizeof word))
		return -1;
	for (int i = MOCK_BOTH; i <= MOCK_SHORT; i++)
		if (strcmp(word, mock_side_word((enum mock_side)i)) == 0)
			return i;
	return -1;
}

static const char *read_margin(struct mock_position *p, struct span object)
{
	struct json_val leverage = json_find(object, "leverage");
	struct json_val type = json_find(object, "marginType");
	struct json_val wallet = json_find(object, "isolatedWallet");
	struct dec times = { p->leverage, 0 };
	char word[16] = "cross";

	if (leverage.kind != JSON_NONE &&
	    (!amount_of(leverage, &times) || times.scale != 0 || times.m < 1 || times.m > 125))
		return "positions: leverage is a number from 1 to 125";
	p->leverage = (int64_t)times.m;
	if (type.kind != JSON_NONE &&
	    (!text_of(type, word, sizeof word) || (strcmp(word, "cross") != 0 && strcmp(word, "isolated") != 0)))
		return "positions: marginType is cross or isolated";
	p->isolated = strcmp(word, "isolated") == 0;
	if (wallet.kind != JSON_NONE && (!p->isolated || !amount_of(wallet, &p->isolated_wallet)))
		return "positions: isolatedWallet is an amount, of an isolated position";
	return NULL;
}

static const char *read_position(struct mock_ledger *l, struct json_val v)
{
	char symbol[MOCK_SYMBOL_MAX + 1];
	struct span object = json_text(v);
	struct dec qty, entry;

	if (v.kind != JSON_OBJECT || !text_of(json_find(object, "symbol"), symbol, sizeof symbol))
		return "positions: each has a symbol";
	int side = side_of(json_find(object, "positionSide"));
	if (side < 0 || l->dual != (side != MOCK_BOTH))
		return "positions: positionSide is BOTH, in hedge mode (dual) LONG or SHORT";
	if (!amount_of(json_find(object, "positionAmt"), &qty) || !amount_of(json_find(object, "entryPrice"), &entry) ||
	    dec_sign(entry) <= 0)
		return "positions: each has positionAmt and an entryPrice above zero";
	if ((side == MOCK_LONG && dec_sign(qty) < 0) || (side == MOCK_SHORT && dec_sign(qty) > 0))
		return "positions: LONG is not below zero, SHORT not above";
	if (mock_ledger_held(l, span_of(symbol), (enum mock_side)side))
		return "positions: one is there twice";
	struct mock_position *p = mock_ledger_position(l, span_of(symbol), (enum mock_side)side);
	if (!p)
		return "positions: not a symbol, or too many";
	p->qty = qty;
	p->entry = p->last = entry;
	return read_margin(p, object);
}

static const char *read_market(struct mock_ledger *l, struct json_val v)
{
	struct span object = json_text(v);
	struct json in;
	struct json_val one;
	const char *why = NULL;

	if (v.kind != JSON_OBJECT)
		return "usdm, coinm and spot are objects";
	struct json_val dual = json_find(object, "dual");
	struct json_val fee = json_find(object, "fee");
	struct json_val balances = json_find(object, "balances");
	struct json_val positions = json_find(object, "positions");
	if (dual.kind != JSON_NONE && (l->market == MOCK_SPOT || !truth_of(dual, &l->dual)))
		return "dual: true or false, on futures";
	if (fee.kind != JSON_NONE &&
	    (!amount_of(fee, &l->fee) || l->fee.scale > 8 || dec_cmp(l->fee, (struct dec){ 1, 0 }) >= 0))
		return "fee: a share below 1 with at most 8 decimals";
	if (balances.kind != JSON_NONE)
		why = read_balances(l, balances);
	if (why || positions.kind == JSON_NONE)
		return why;
	if (positions.kind != JSON_ARRAY || l->market == MOCK_SPOT)
		return "positions: a list, on futures";
	json_enter_array(&in, json_text(positions));
	while (!why && json_next_element(&in, &one))
		why = read_position(l, one);
	return why;
}

static const char *read_key(struct mock_account *a, const char *key, struct json_val v)
{
	char pem[2048];

	if (strcmp(key, "apiKey") == 0)
		return text_of(v, a->api_key, sizeof a->api_key) ? NULL : "apiKey: a text of at most 128 bytes";
	if (strcmp(key, "secret") == 0)
		return text_of(v, a->signer.secret, sizeof a->signer.secret) ? NULL
									     : "secret: a text of at most 256 bytes";
	if (!text_of(v, pem, sizeof pem) || !mock_sign_key(&a->signer, span_of(pem)))
		return "publicKey: not an Ed25519 key in PEM";
	return NULL;
}

static const char *read_member(struct mock_account *a, struct span key, struct json_val v)
{
	static const char *const keys[] = { "apiKey", "secret", "publicKey" };

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (span_is(key, keys[i]))
			return read_key(a, keys[i], v);
	for (unsigned m = 0; m < MOCK_MARKETS; m++)
		if (span_is(key, mock_market_word((enum mock_market)m)))
			return read_market(&a->ledger[m], v);
	return "it has apiKey, secret, publicKey, usdm, coinm and spot, nothing else";
}

const char *mock_account_read(struct mock_account *a, char *text, size_t n)
{
	struct json in;
	struct json_val v;
	struct span key;
	const char *why = NULL;

	json_flatten(text, n);
	text[n] = '\n';
	if (!json_check(&in, (struct span){ text, n }, &v))
		return in.why;
	if (v.kind != JSON_OBJECT)
		return "not an object";
	json_enter_object(&in, json_text(v));
	while (!why && json_next_member(&in, &key, &v))
		why = read_member(a, key, v);
	if (!why && !a->api_key[0] && (a->signer.secret[0] || a->signer.key))
		why = "secret and publicKey need an apiKey";
	return why;
}
