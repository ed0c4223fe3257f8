/* fields - one JSON object a line, taken apart in one pass into numbered slots.
 *
 * The owner of a vocabulary (a record, a frame) says which key goes to which slot; the value of every known key is
 * kept, the rest is validated and skipped. A key may be entered (FIELDS_INTO): then the members of its object
 * value are taken as well, at depth 1, so that an envelope and what it carries need one pass. Last duplicate wins.
 * Escapes in kept strings are undone, so that a value means the same however it was written.
 *
 * Slots below FIELDS_OUTER are the envelope's. Entering an object forgets every slot from FIELDS_OUTER on, and later
 * members of depth 0 fill none of those any more: nothing outside can pose as part of what was carried.
 *
 * Lines that look like some before them take a shorter way to the same result (lib/layout). */
#ifndef BNC_FIELDS_H
#define BNC_FIELDS_H

#include "layout.h"

#define FIELDS_SLOTS 128
#define FIELDS_SKIP 0u     /* slot 0: not wanted */
#define FIELDS_OUTER 32u
#define FIELDS_INTO 0x80u  /* or-ed to a slot at depth 0: an object value is entered; anything else is kept as a value */

/* the slot of a key (raw text between the quotes, ASCII escapes undone) at depth 0 or 1; must be a pure function */
typedef unsigned fields_slot(const char *key, size_t n, int depth);

#define FIELDS_STRING_MAX 256u /* bytes of a kept string that came with escapes; a longer one is kept as JSON_NONE */
#define FIELDS_PLAIN (16 * FIELDS_STRING_MAX)

struct fields {
	fields_slot *slot;
	uint64_t seen[2]; /* bit per slot */
	struct json_val v[FIELDS_SLOTS];
	bool entered;
	struct {
		uint16_t at, n;
	} undone[FIELDS_SLOTS];		     /* where in `plain` the text of a string is that came with escapes */
	char plain[FIELDS_PLAIN + JSON_PAD]; /* those texts */
	size_t plain_n;
	const char *why; /* after false: what is wrong, a constant sentence */
	size_t at;       /* and at which byte of the line */
	struct layout layout;
};

void fields_open(struct fields *f, fields_slot *slot);

/* line: an object, blanks around it; padded as lib/json asks. Values point into the line, what
 * fields_text() gives into the line or into f; they are good until the next line. */
bool fields_read(struct fields *f, struct span line);
/* the same, which says why not, and at which byte of the line */
bool fields_take(struct fields *f, struct span line, const char **why, size_t *at);

/* an object value that was handed out, checked already; its members are at depth 1: no envelope */
void fields_enter(struct fields *f, struct json_val object);

static inline bool fields_has(const struct fields *f, unsigned slot)
{
	return f->seen[slot >> 6] >> (slot & 63) & 1;
}

/* the value's kind, JSON_NONE where the key did not come */
static inline enum json_kind fields_kind(const struct fields *f, unsigned slot)
{
	return fields_has(f, slot) ? (enum json_kind)f->v[slot].kind : JSON_NONE;
}

/* of a string: without escapes */
static inline struct span fields_text(const struct fields *f, unsigned slot)
{
	if (__builtin_expect(f->v[slot].escaped, 0))
		return (struct span){ f->plain + f->undone[slot].at, f->undone[slot].n };
	return json_text(f->v[slot]);
}

#endif
