/* json - a pull reader over a span, after RFC 8259: whole grammar, UTF-8 checked, escapes checked, no allocation.
 *
 * The text must be followed by a '\n' and be readable for JSON_PAD bytes behind its end (lib/line sees to that). The
 * '\n' is the sentinel that ends every loop, so it cannot stand inside a text: turn line ends of a file into '\r' first
 * (json_flatten), which has the same standing in the grammar.
 *
 * Choices where RFC 8259 leaves one: a byte order mark is refused; an escaped surrogate without its partner is
 * refused (it has no UTF-8 form); numbers keep their text, however long; duplicate keys are given one by one. */
#ifndef BNC_JSON_H
#define BNC_JSON_H

#include <stdint.h>

#include "span.h"

#define JSON_PAD 64        /* bytes that must be readable behind a text */
#define JSON_MAX_DEPTH 128 /* arrays and objects within each other; deeper is refused */

enum json_kind {
	JSON_NONE,
	JSON_STRING, /* text: between the quotes, escapes still in place */
	JSON_INT,    /* -?digits */
	JSON_NUMBER, /* with fraction or exponent */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
	JSON_OBJECT, /* text: from brace to brace, already checked */
	JSON_ARRAY,
};

struct json_val {
	const char *p;
	uint32_t n;
	uint8_t kind;
	uint8_t escaped; /* a string that holds at least one backslash */
};

struct json {
	const char *p;    /* next byte; NULL after an error */
	const char *from; /* start of the text, for offsets */
	const char *why;  /* what is wrong, a constant sentence */
	const char *at;   /* where */
	bool fresh;       /* nothing read yet: no comma is due */
	bool done;        /* the closing byte has been taken */
};

static inline struct span json_text(struct json_val v)
{
	return (struct span){ v.p, v.n };
}

/* one whole text, nothing but blanks around it. false: r->why and r->at - r->from say what and where */
bool json_check(struct json *r, struct span text, struct json_val *top);

/* pull: enter an object or array (a text, or a value that was handed out), then take its members until false.
 * After false, json_ok() tells the end from an error. A nested container comes as one checked value; enter it
 * with a reader of its own. json_close checks that only blanks follow. */
bool json_enter_object(struct json *r, struct span text);
bool json_enter_array(struct json *r, struct span text);
bool json_next_member(struct json *r, struct span *key, struct json_val *val); /* key: raw, between the quotes */
bool json_next_element(struct json *r, struct json_val *val);
bool json_close(struct json *r);

static inline bool json_ok(const struct json *r)
{
	return r->p != NULL;
}

/* the first member of that name in an object value; JSON_NONE where there is none */
struct json_val json_find(struct span object, const char *key);

/* string content -> UTF-8 at `out`; returns the length, or -1 where it does not fit */
int json_unescape(struct span raw, char *out, size_t cap);

/* '\n' -> '\r' in place */
void json_flatten(char *text, size_t n);

#endif
