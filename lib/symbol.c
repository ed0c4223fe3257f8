#include "symbol.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"
#include "num.h"

#define FILE_MAX (64u << 20) /* an exchangeInfo answer is 1.2 MB (fapi) to 15 MB (spot) */
#define NAME_BYTES 128 /* of a pair or an asset; 32 characters of 4 bytes */

/* Quote assets, longest first; a rest must remain. Order inside a length does not matter, nor where those stand that no
 * longer one ends in: the first of all is that of nearly every pair. */
static const struct span quotes[] = {
	{ "USDT", 4 },  { "FDUSD", 5 }, { "RLUSD", 5 }, { "USDC", 4 }, { "USD1", 4 }, { "USDP", 4 }, { "BUSD", 4 },
	{ "TUSD", 4 },  { "USDS", 4 },  { "AEUR", 4 }, { "EURI", 4 }, { "BIDR", 4 }, { "IDRT", 4 }, { "BVND", 4 },
	{ "BKRW", 4 },  { "GYEN", 4 },  { "DOGE", 4 }, { "USD", 3 },  { "EUR", 3 },  { "GBP", 3 },  { "TRY", 3 },
	{ "BRL", 3 },   { "ARS", 3 },   { "COP", 3 },  { "CZK", 3 },  { "MXN", 3 },  { "PLN", 3 },  { "RON", 3 },
	{ "RUB", 3 },   { "UAH", 3 },   { "ZAR", 3 },  { "JPY", 3 },  { "AUD", 3 },  { "NGN", 3 },  { "KZT", 3 },
	{ "AED", 3 },   { "IDR", 3 },   { "DAI", 3 },  { "PAX", 3 },  { "VAI", 3 },  { "UST", 3 },  { "BTC", 3 },
	{ "ETH", 3 },   { "BNB", 3 },   { "SOL", 3 },  { "TRX", 3 },  { "XRP", 3 },  { "DOT", 3 },  { "U", 1 },
};

struct entry {
	struct span pair; /* into the file's text; p == NULL: free */
	struct span base;
	uint64_t contract_size;
};

/* open addressing, at most half full */
struct symbols {
	char *text; /* the file; owned */
	struct entry *table;
	size_t mask;
	size_t count;
};

static size_t hash(struct span s)
{
	uint64_t h = span_hash(s, SPAN_HASH);

	return (size_t)(h ^ h >> 32);
}

static struct entry *find(const struct symbols *s, struct span pair)
{
	size_t i = hash(pair) & s->mask;

	while (s->table[i].pair.p && !span_eq(s->table[i].pair, pair))
		i = (i + 1) & s->mask;
	return &s->table[i];
}

/* futures: "BTCUSDT_261225", "BTCUSD_PERP" */
static struct span without_delivery(struct span pair)
{
	const char *end = memchr(pair.p, '_', pair.n);

	return end ? (struct span){ pair.p, (size_t)(end - pair.p) } : pair;
}

struct span symbol_base(const struct symbols *known, struct span pair)
{
	if (known) {
		const struct entry *e = find(known, pair);
		if (e->pair.p)
			return e->base;
	}
	struct span s = without_delivery(pair);
	for (size_t i = 0; i < sizeof quotes / sizeof quotes[0]; i++)
		if (s.n > quotes[i].n && span_ends(s, quotes[i]))
			return (struct span){ s.p, s.n - quotes[i].n };
	return s.n ? s : pair;
}

struct span symbol_quote(struct span pair)
{
	struct span plain = without_delivery(pair);
	struct span base = symbol_base(NULL, plain);

	return (struct span){ plain.p + base.n, plain.n - base.n };
}

uint64_t symbol_usual_contract(struct span pair)
{
	return span_is(symbol_base(NULL, pair), "BTC") ? 100 : 10;
}

size_t symbols_count(const struct symbols *s)
{
	return s->count;
}

uint64_t symbols_contract_size(const struct symbols *s, struct span pair)
{
	return find(s, pair)->contract_size;
}

/* ------------------------------------------------------------------------------------------- the file */

/* the whole of fd with '\n' and JSON_PAD bytes behind it; NULL: *why */
static char *slurp(int fd, size_t *n, const char **why)
{
	size_t cap = 1u << 20;
	char *text = malloc(cap + JSON_PAD);
	ssize_t got = 1;

	*n = 0;
	while (text && got != 0) {
		if (*n == cap) {
			char *more = cap < FILE_MAX ? realloc(text, 2 * cap + JSON_PAD) : NULL;
			if (!more) {
				free(text);
				return *why = "too large", NULL;
			}
			text = more;
			cap *= 2;
		}
		got = read(fd, text + *n, cap - *n);
		if (got < 0 && errno != EINTR) {
			free(text);
			return *why = strerror(errno), NULL;
		}
		*n += got > 0 ? (size_t)got : 0;
	}
	if (!text)
		return *why = "out of memory", NULL;
	json_flatten(text, *n);
	memset(text + *n, '\n', JSON_PAD);
	return text;
}

/* a name inside the text with its escapes undone where it stands (the result is never longer) */
static struct span plain(const struct symbols *s, struct json_val v)
{
	char name[NAME_BYTES];

	if (v.kind != JSON_STRING || !v.escaped)
		return v.kind == JSON_STRING ? json_text(v) : (struct span){ NULL, 0 };
	int n = json_unescape(json_text(v), name, sizeof name);
	if (n < 0)
		return (struct span){ NULL, 0 };
	memcpy(s->text + (v.p - s->text), name, (size_t)n);
	return (struct span){ v.p, (size_t)n };
}

static void add_symbol(struct symbols *s, struct json_val object)
{
	struct json_val size = json_find(json_text(object), "contractSize");
	struct span pair = plain(s, json_find(json_text(object), "symbol"));
	struct span base = plain(s, json_find(json_text(object), "baseAsset"));
	uint64_t contract_size = 0;

	if (!pair.n || !base.n || base.n > NAME_BYTES || !span_printable(base))
		return;
	if (size.kind == JSON_INT)
		(void)num_u64(json_text(size), 0, UINT32_MAX, &contract_size);
	struct entry *e = find(s, pair);
	s->count += e->pair.p == NULL;
	*e = (struct entry){ pair, base, contract_size };
}

static size_t count_elements(struct span array)
{
	struct json r;
	struct json_val v;
	size_t n = 0;

	if (json_enter_array(&r, array))
		while (json_next_element(&r, &v))
			n++;
	return n;
}

static bool fill(struct symbols *s, struct span list, const char **why)
{
	struct json r;
	struct json_val v;
	size_t slots = 16;

	while (slots < 2 * count_elements(list))
		slots *= 2;
	s->table = calloc(slots, sizeof *s->table);
	s->mask = slots - 1;
	if (!s->table)
		return *why = "out of memory", false;
	if (json_enter_array(&r, list))
		while (json_next_element(&r, &v))
			if (v.kind == JSON_OBJECT)
				add_symbol(s, v);
	*why = "no symbol in it";
	return s->count > 0;
}

struct symbols *symbols_read(int fd, const char **why)
{
	struct symbols *s = calloc(1, sizeof *s);
	struct json r;
	struct json_val top;
	struct json_val list;
	size_t n;

	if (!s)
		return *why = "out of memory", NULL;
	s->text = slurp(fd, &n, why);
	if (!s->text) {
		free(s);
		return NULL;
	}
	if (!json_check(&r, (struct span){ s->text, n }, &top)) {
		*why = r.why;
	} else {
		list = json_find(json_text(top), "symbols");
		if (list.kind != JSON_ARRAY)
			*why = "not an exchangeInfo answer: no list of symbols";
		else if (fill(s, json_text(list), why))
			return s;
	}
	symbols_free(s);
	return NULL;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->table);
	free(s->text);
	free(s);
}
