#include "fields.h"

#include "scan.h"

#define KEY_MAX 32 /* bytes of a key with escapes that are undone before it is looked up; a longer one is unknown */

static void forget(struct fields *f)
{
	f->seen[0] = f->seen[1] = 0;
	f->entered = false;
	f->plain_n = 0;
}

/* The rest is filled before it is looked at; it may be whatever it is, and pages that nobody needs stay untouched. */
void fields_open(struct fields *f, fields_slot *slot)
{
	f->slot = slot;
	forget(f);
	layout_open(&f->layout);
}

/* the text of a string that came with escapes; one that does not fit is nothing that a reader could use */
static void undo_escapes(struct fields *f, unsigned slot)
{
	struct json_val *v = &f->v[slot];
	bool full = f->plain_n > FIELDS_PLAIN - FIELDS_STRING_MAX;
	int n = full ? -1 : json_unescape(json_text(*v), f->plain + f->plain_n, FIELDS_STRING_MAX);

	if (n < 0) {
		v->kind = JSON_NONE;
		n = 0;
	}
	f->undone[slot].at = (uint16_t)f->plain_n;
	f->undone[slot].n = (uint16_t)n;
	f->plain_n += (size_t)n;
}

static inline void keep(struct fields *f, unsigned slot, struct json_val v)
{
	f->v[slot] = v;
	f->seen[slot >> 6] |= 1ULL << (slot & 63);
	if (scan_unlikely(v.escaped))
		undo_escapes(f, slot);
}

/* the members of depth 1 start: see FIELDS_OUTER */
static void forget_inner(struct fields *f)
{
	f->seen[0] &= (1ULL << FIELDS_OUTER) - 1;
	f->seen[1] = 0;
	f->entered = true;
}

static unsigned slot_of(const struct fields *f, struct json_val key, int depth)
{
	char plain[KEY_MAX];

	if (scan_likely(!key.escaped))
		return f->slot(key.p, key.n, depth);
	int n = json_unescape(json_text(key), plain, sizeof plain);
	return n < 0 ? FIELDS_SKIP : f->slot(plain, (size_t)n, depth);
}

/* where a value, or the brace of an object that is entered, has been found: see lib/layout */
static inline void note(struct fields *f, enum layout_kind kind, const char *to, const char *next, unsigned slot,
    int depth)
{
	if (scan_unlikely(f->layout.noting))
		layout_note(&f->layout, (struct layout_note){ to, next, (uint8_t)kind, (uint8_t)slot, (uint8_t)depth });
}

static const char *object(struct fields *f, const char *p, int depth, struct scan_error *e);

/* an object that is entered, p at its brace */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than a JSON text may be */
static const char *enter(struct fields *f, const char *p, unsigned slot, int depth, struct scan_error *e)
{
	const char *from = p;

	forget_inner(f);
	note(f, LAYOUT_ENTER, p + 1, p + 1, slot, depth);
	p = object(f, p, depth + 1, e);
	if (p) {
		note(f, LAYOUT_LEAVE, p, p, slot, depth);
		keep(f, slot, (struct json_val){ from, (uint32_t)(p - from), JSON_OBJECT, false });
	}
	return p;
}

/* an integer above zero that ends at a comma or brace, as most values are that are no strings; NULL: something else */
static inline const char *integer(const char *p, struct json_val *v)
{
	const char *end;

	if (scan_unlikely((unsigned char)(*p - '1') >= 9))
		return NULL;
	end = scan_digits(p + 1);
	*v = (struct json_val){ p, (uint32_t)(end - p), JSON_INT, false };
	return scan_likely(*end == ',' || *end == '}') ? end : NULL;
}

/* any value at p; most are strings */
static inline const char *value(const char *p, int depth, struct json_val *v, struct scan_error *e)
{
	const char *from = p;
	bool escaped;

	if (scan_unlikely(*p != '"')) {
		p = integer(from, v);
		return scan_likely(p != NULL) ? p : scan_value(from, (unsigned)depth + 1, v, e);
	}
	p = scan_string(from + 1, &escaped, e);
	if (scan_unlikely(!p))
		return NULL;
	*v = (struct json_val){ from + 1, (uint32_t)(p - from - 1), JSON_STRING, escaped };
	return p + 1;
}

/* p at the quote of a key -> its value and its slot. Most keys are one letter and their colon stands close. */
static inline const char *key(struct fields *f, const char *p, int depth, unsigned *slot, struct scan_error *e)
{
	struct json_val name;

	if (scan_likely(p[0] == '"' && p[2] == '"' && p[3] == ':' && (unsigned char)((p[1] | 0x20) - 'a') < 26)) {
		*slot = f->slot(p + 1, 1, depth);
		return scan_blanks(p + 4);
	}
	p = scan_key(p, &name, e);
	if (scan_likely(p != NULL))
		*slot = slot_of(f, name, depth);
	return p;
}

/* one member, p at the quote of its key; gives the byte behind its value */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than a JSON text may be */
static inline const char *member(struct fields *f, const char *p, int depth, struct scan_error *e)
{
	struct json_val v;
	unsigned slot;

	p = key(f, p, depth, &slot, e);
	if (scan_unlikely(!p))
		return NULL;
	if (scan_unlikely(slot & FIELDS_INTO)) {
		slot &= ~FIELDS_INTO;
		if (*p == '{')
			return enter(f, p, slot, depth, e);
		layout_give_up(&f->layout); /* one that could be entered is not read as a value */
	}
	const char *from = p;
	p = value(p, depth, &v, e);
	if (scan_unlikely(!p))
		return NULL;
	if (f->entered && depth == 0 && slot >= FIELDS_OUTER)
		slot = FIELDS_SKIP;
	if (v.kind == JSON_STRING)
		note(f, LAYOUT_STRING, from + 1, p - 1, slot, depth);
	else
		note(f, LAYOUT_VALUE, from, p, slot, depth);
	if (slot)
		keep(f, slot, v);
	return p;
}

/* p at '{' -> behind '}' */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than a JSON text may be */
static const char *object(struct fields *f, const char *p, int depth, struct scan_error *e)
{
	p = scan_blanks(p + 1);
	if (*p == '}')
		return p + 1;
	for (;;) {
		p = member(f, p, depth, e);
		if (scan_unlikely(!p))
			return NULL;
		p = scan_blanks(p);
		if (scan_unlikely(*p != ','))
			break;
		p = scan_blanks(p + 1);
	}
	return *p == '}' ? p + 1 : scan_fail(e, "',' or '}' was expected", p);
}

void fields_enter(struct fields *f, struct json_val object_value)
{
	struct scan_error e;

	forget(f);
	object(f, object_value.p, 1, &e);
}

/* the line by the grammar */
static bool read_line(struct fields *f, struct span line)
{
	struct scan_error e = { "not a JSON object", NULL };
	const char *p = scan_blanks(line.p);

	forget(f);
	e.at = p;
	p = *p == '{' ? object(f, p, 0, &e) : NULL;
	if (scan_likely(p != NULL)) {
		p = scan_blanks(p);
		if (scan_likely(p == line.p + line.n))
			return true;
		e = (struct scan_error){ "more behind the object", p };
	}
	f->why = e.why;
	f->at = (size_t)(e.at - line.p);
	return false;
}

/* any other value that a piece leads to */
static __attribute__((noinline)) const char *odd_value(struct fields *f, const struct layout_piece *piece,
    const char *p)
{
	struct json_val *v = &f->v[piece->slot];
	struct scan_error e;

	p = scan_value(p, piece->depth + 1u, v, &e);
	if (p && v->escaped && piece->slot) /* a string in place of what it was */
		undo_escapes(f, piece->slot);
	return p;
}

/* What a piece of a layout leads to, p behind its text: gives the byte behind it, NULL where it is not sound. A string
 * ends at its first byte that is not plain: where that is no quote, the text of the next piece does not fit. */
static inline const char *piece_value(struct fields *f, struct layout_piece *piece, const char *p, const char **entered)
{
	struct json_val *v = (struct json_val *)(void *)((char *)f->v + piece->at);

	if (scan_likely(piece->kind == LAYOUT_STRING)) {
		size_t n = scan_plain_16(p);
		if (scan_unlikely(n == 16))
			n = (size_t)(scan_plain(p + 16) - p);
		*v = (struct json_val){ p, (uint32_t)n, JSON_STRING, false };
		return p + layout_length(piece, n);
	}
	if (scan_likely(piece->kind == LAYOUT_VALUE)) {
		const char *end = integer(p, v);
		return scan_likely(end != NULL) ? p + layout_length(piece, (size_t)(end - p)) : odd_value(f, piece, p);
	}
	if (piece->kind == LAYOUT_ENTER)
		*entered = p - 1;
	else if (piece->kind == LAYOUT_LEAVE)
		*v = (struct json_val){ *entered, (uint32_t)(p - *entered), JSON_OBJECT, false };
	return p;
}

/* The line along a layout that is known. The text between its values is that of a line which the grammar has taken, and
 * its values are read by the grammar into the same slots: so this gives what read_line() would. false: it fits none, or
 * a value is wrong, and what is in f is of no use. */
static bool follow_layout(struct fields *f, struct span line)
{
	struct layout_piece *piece = f->layout.pieces;
	const char *p = line.p;
	const char *entered = p;

	f->plain_n = 0;
	while (p && (piece = layout_find(&f->layout, piece, p)) != NULL) {
		p += piece->n;
		if (scan_unlikely(piece->kind == LAYOUT_END))
			break;
		p = piece_value(f, piece, p, &entered);
		piece++;
	}
	if (!p || !piece || p - 1 != line.p + line.n)
		return false;
	const struct layout_end *end = &f->layout.ends[piece->slot];
	f->seen[0] = end->seen[0];
	f->seen[1] = end->seen[1];
	f->entered = end->entered;
	return true;
}

/* the line by the grammar; it may become a layout */
static __attribute__((noinline)) bool read_new(struct fields *f, struct span line)
{
	layout_begin(&f->layout);
	bool good = read_line(f, line);
	if (good && f->layout.noting)
		layout_learn(&f->layout, line, (struct layout_end){ { f->seen[0], f->seen[1] }, f->entered });
	layout_give_up(&f->layout);
	return good;
}

bool fields_read(struct fields *f, struct span line)
{
	if (scan_unlikely(!layout_is_tried(&f->layout) || f->layout.n == 0 || !follow_layout(f, line)))
		return read_new(f, line);
	f->layout.misses = 0;
	return true;
}

bool fields_take(struct fields *f, struct span line, const char **why, size_t *at)
{
	if (fields_read(f, line))
		return true;
	*why = f->why;
	*at = f->at;
	return false;
}
