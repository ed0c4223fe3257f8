/* mutate - the same JSON written in another way, and bytes that are broken on purpose. For tests only.
 *
 * A reader of its own for texts that are known to be good, and a writer that a seeded generator drives: white space
 * anywhere, keys in any order, escapes in keys and strings, further keys that nobody knows, numbers for strings of
 * digits. What it writes means what it has read. */
#ifndef BNC_TEST_MUTATE_H
#define BNC_TEST_MUTATE_H

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "span.h"

/* ------------------------------------------------------------------------------------------------ chance */

/* xorshift64*: the same everywhere */
static inline uint64_t chance_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ULL;
}

static inline size_t chance_below(uint64_t *state, size_t n)
{
	return (size_t)((chance_next(state) >> 16) % n);
}

static inline bool chance_percent(uint64_t *state, unsigned percent)
{
	return chance_below(state, 100) < percent;
}

/* -------------------------------------------------------------------------------------------------- trees */

struct node {
	char kind;	  /* '{', '[', '"', or the first byte of a number or word */
	struct span key;  /* of a member, raw */
	struct span text; /* of a string, raw between its quotes; of a number or word */
	struct node *child[64];
	size_t n;
};

static inline const char *node_blanks(const char *p)
{
	return p + strspn(p, " \t\r");
}

static inline const char *node_string(const char *p, struct span *out)
{
	const char *from = ++p;

	while (*p != '"')
		p += *p == '\\' ? 2 : 1;
	*out = (struct span){ from, (size_t)(p - from) };
	return p + 1;
}

static inline struct node *node_new(struct span key)
{
	struct node *n = calloc(1, sizeof *n);

	if (!n)
		abort();
	n->key = key;
	return n;
}

static inline struct node *node_read(const char **text, struct span key)
{
	struct node *n = node_new(key);
	const char *p = node_blanks(*text);
	char close = *p == '{' ? '}' : ']';

	n->kind = *p;
	if (*p == '"') {
		p = node_string(p, &n->text);
	} else if (*p != '{' && *p != '[') {
		n->text = (struct span){ p, strcspn(p, " \t\r,]}") };
		p += n->text.n;
	} else {
		for (p = node_blanks(p + 1); *p != close; p = node_blanks(*p == ',' ? p + 1 : p)) {
			struct span name = { NULL, 0 };
			assert(n->n < sizeof n->child / sizeof n->child[0]);
			if (close == '}')
				p = node_blanks(node_blanks(node_string(p, &name)) + 1);
			n->child[n->n++] = node_read(&p, name);
			p = node_blanks(p);
		}
		p++;
	}
	*text = p;
	return n;
}

static inline void node_free(struct node *n)
{
	for (size_t i = 0; n && i < n->n; i++)
		node_free(n->child[i]);
	free(n);
}

static inline struct node *node_member(const struct node *n, const char *key)
{
	for (size_t i = 0; n && n->kind == '{' && i < n->n; i++)
		if (span_is(n->child[i]->key, key))
			return n->child[i];
	return NULL;
}

static inline bool node_has_twins(const struct node *n)
{
	for (size_t i = 0; n->kind == '{' && i < n->n; i++)
		for (size_t j = 0; j < i; j++)
			if (span_eq(n->child[i]->key, n->child[j]->key))
				return true;
	return false;
}

/* ------------------------------------------------------------------------------------------------ writing */

struct text {
	char p[1 << 16];
	size_t n;
};

static inline void text_put(struct text *t, struct span s)
{
	assert(t->n + s.n < sizeof t->p);
	if (s.n)
		memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

static inline void text_byte(struct text *t, char c)
{
	text_put(t, (struct span){ &c, 1 });
}

static inline struct span text_span(const struct text *t)
{
	return (struct span){ t->p, t->n };
}

/* how, in percent */
struct style {
	unsigned blanks, escapes, strangers, numbers, spellings;
	bool shuffle;
};

static inline void put_blanks(struct text *t, const struct style *s, uint64_t *seed)
{
	while (chance_percent(seed, s->blanks))
		text_byte(t, " \t\r "[chance_below(seed, 4)]);
}

static inline void put_unit(struct text *t, unsigned unit, uint64_t *seed)
{
	char hex[8];

	snprintf(hex, sizeof hex, chance_percent(seed, 50) ? "\\u%04x" : "\\u%04X", unit);
	text_put(t, (struct span){ hex, 6 });
}

static inline size_t utf8_length(const char *p)
{
	unsigned char lead = (unsigned char)*p;

	return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* the character at p as one or two \uXXXX */
static inline void put_escaped(struct text *t, const char *p, uint64_t *seed)
{
	unsigned char lead = (unsigned char)*p;
	size_t n = utf8_length(p);
	unsigned code = n == 1 ? lead : lead & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)p[i] & 0x3f);
	if (code >= 0x10000) {
		put_unit(t, 0xd800 + ((code - 0x10000) >> 10), seed);
		code = 0xdc00 + ((code - 0x10000) & 0x3ff);
	}
	put_unit(t, code, seed);
}

/* a string that means the same */
static inline void put_text(struct text *t, struct span s, const struct style *style, uint64_t *seed)
{
	unsigned percent = chance_percent(seed, 50) ? style->escapes : 0;

	text_byte(t, '"');
	for (size_t i = 0, n; i < s.n; i += n) {
		bool escape = s.p[i] == '\\';
		n = !escape ? utf8_length(s.p + i) : s.p[i + 1] == 'u' ? 6 : 2;
		if (!escape && chance_percent(seed, percent))
			put_escaped(t, s.p + i, seed);
		else
			text_put(t, (struct span){ s.p + i, n });
	}
	text_byte(t, '"');
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)? */
static inline bool is_plain_number(struct span s)
{
	size_t i = s.n > 0 && s.p[0] == '-';
	size_t whole = strspn(s.p + i, "0123456789"); /* a quote follows */

	if (whole == 0 || (whole > 1 && s.p[i] == '0'))
		return false;
	i += whole;
	if (i < s.n && s.p[i] == '.') {
		size_t decimals = strspn(s.p + i + 1, "0123456789");
		i += 1 + decimals;
		return decimals > 0 && i == s.n;
	}
	return i == s.n;
}

/* another way to write a number; `strict`: one that JSON allows outside a string as well */
static inline void put_spelling(struct text *t, struct span s, bool strict, uint64_t *seed)
{
	static const char *const tails[] = { "e0", "E+00", "e-0", "E0" };
	bool point = memchr(s.p, '.', s.n) != NULL;
	size_t pick = chance_below(seed, strict ? 3 : 5);

	if (pick == 3 && s.p[0] != '-')
		text_put(t, SPAN("+"));
	if (pick == 4 && s.p[0] != '-')
		text_put(t, SPAN("000"));
	text_put(t, s);
	if (pick == 0)
		text_put(t, span_of(tails[chance_below(seed, 4)]));
	if (pick == 1)
		text_put(t, point ? SPAN("000") : SPAN(".00"));
	if (pick == 2)
		text_put(t, point ? SPAN("0E-0") : SPAN(".0e0"));
}

static inline void put_scalar(struct text *t, const struct node *n, const struct style *s, uint64_t *seed)
{
	bool number = n->kind == '"' && is_plain_number(n->text);
	char quote = number && chance_percent(seed, s->numbers) ? 0 : '"';

	if (n->kind != '"') {
		text_put(t, n->text);
	} else if (number && chance_percent(seed, s->spellings)) {
		if (quote)
			text_byte(t, quote);
		put_spelling(t, n->text, !quote, seed);
		if (quote)
			text_byte(t, quote);
	} else if (!quote) {
		text_put(t, n->text);
	} else {
		put_text(t, n->text, s, seed);
	}
}

/* a member that no reader knows, with what it might take for its own inside */
static inline void put_stranger(struct text *t, const struct style *s, uint64_t *seed)
{
	static const char *const names[] = { "zz", "new", "Data", "", "symbol2", "ee", "streams", "st2", "\\u0000",
		"\xe7\x89\x9b", "a key much longer than any that a reader would keep in a table of its own", "s ", " s",
		"E\\u0045" };
	static const char *const values[] = { "null", "true", "false", "-0.0e-10",
		"123456789012345678901234567890123456789012345", "\"\"", "\"a\\\"b\\\\\\u0000\"", "[]", "{}",
		"[[],[{}],[\"e\",\"trade\"]]",
		"{\"e\":\"trade\",\"s\":\"BADUSDT\",\"data\":{\"s\":\"BADUSDT\",\"E\":7}}",
		"{\"p\":\"7\",\"b\":\"7\",\"k\":{\"c\":\"7\"}}", "\"\xf0\x9f\x90\x82\"" };

	text_byte(t, '"');
	text_put(t, span_of(names[chance_below(seed, sizeof names / sizeof names[0])]));
	text_byte(t, '"');
	put_blanks(t, s, seed);
	text_byte(t, ':');
	put_blanks(t, s, seed);
	text_put(t, span_of(values[chance_below(seed, sizeof values / sizeof values[0])]));
}

static inline void put_node(struct text *t, const struct node *n, const struct style *s, uint64_t *seed);

static inline void put_comma(struct text *t, bool *first, const struct style *s, uint64_t *seed)
{
	put_blanks(t, s, seed);
	if (!*first) {
		text_byte(t, ',');
		put_blanks(t, s, seed);
	}
	*first = false;
}

static inline void put_children(struct text *t, const struct node *n, const struct style *s, uint64_t *seed)
{
	bool first = true;
	size_t order[64];

	for (size_t i = 0; i < n->n; i++)
		order[i] = i;
	for (size_t i = n->n; n->kind == '{' && s->shuffle && !node_has_twins(n) && i > 1; i--) {
		size_t j = chance_below(seed, i);
		size_t other = order[i - 1];
		order[i - 1] = order[j];
		order[j] = other;
	}
	for (size_t i = 0; i <= n->n; i++) {
		while (n->kind == '{' && chance_percent(seed, s->strangers)) {
			put_comma(t, &first, s, seed);
			put_stranger(t, s, seed);
		}
		if (i == n->n)
			break;
		put_comma(t, &first, s, seed);
		put_node(t, n->child[order[i]], s, seed);
	}
	put_blanks(t, s, seed);
}

static inline void put_node(struct text *t, const struct node *n, const struct style *s, uint64_t *seed)
{
	if (n->key.p) {
		put_text(t, n->key, s, seed);
		put_blanks(t, s, seed);
		text_byte(t, ':');
		put_blanks(t, s, seed);
	}
	if (n->kind != '{' && n->kind != '[') {
		put_scalar(t, n, s, seed);
		return;
	}
	text_byte(t, n->kind);
	put_children(t, n, s, seed);
	text_byte(t, n->kind == '{' ? '}' : ']');
}

static inline struct style style_random(uint64_t *seed)
{
	static const unsigned most[] = { 0, 0, 5, 30, 60 };

	return (struct style){
		.blanks = most[chance_below(seed, 5)],
		.escapes = most[chance_below(seed, 5)],
		.strangers = most[chance_below(seed, 4)],
		.numbers = most[chance_below(seed, 5)],
		.spellings = most[chance_below(seed, 5)],
		.shuffle = chance_percent(seed, 40),
	};
}

/* ------------------------------------------------------------------------------------------- broken bytes */

/* some damage: bytes changed, cut out, doubled, put in; no line end comes in */
static inline size_t damage(char *p, size_t n, size_t cap, uint64_t *seed)
{
	static const char spice[] = "{}[]\",:\\-+.eE0129 \t\rtfnu\x7f\x80\xc3\xff";

	for (size_t rounds = 1 + chance_below(seed, 3); rounds && n; rounds--) {
		size_t at = chance_below(seed, n);
		size_t len = 1 + chance_below(seed, chance_percent(seed, 80) ? 3 : 40);
		char c =
		    chance_percent(seed, 85) ? spice[chance_below(seed, sizeof spice - 1)] : (char)chance_next(seed);
		len = len < n - at ? len : n - at;
		c = c == '\n' ? '\v' : c;
		switch (chance_below(seed, 6)) {
		case 0:
		case 1:
			p[at] = c;
			break;
		case 2: /* cut out */
			memmove(p + at, p + at + len, n - at - len);
			n -= len;
			break;
		case 3: /* put in */
			if (n < cap) {
				memmove(p + at + 1, p + at, n - at);
				p[at] = c;
				n++;
			}
			break;
		case 4: /* double */
			if (n + len <= cap) {
				memmove(p + at + len, p + at, n - at);
				n += len;
			}
			break;
		default: /* cut off */
			n = chance_percent(seed, 20) ? at : n;
		}
	}
	return n;
}

#endif
