#include "fields.h"

#include "scan.h"

#define KEY_MAX 32 /* bytes of a key with escapes that are undone before it is looked up; a longer one is unknown */

void fields_open(struct fields *f, fields_slot *slot)
{
	*f = (struct fields){ .slot = slot };
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

static const char *object(struct fields *f, const char *p, int depth, struct scan_error *e);

/* an object that is entered, p at its brace */
static const char *enter(struct fields *f, const char *p, unsigned slot, int depth, struct scan_error *e)
{
	const char *from = p;

	forget_inner(f);
	p = object(f, p, depth + 1, e);
	if (p)
		keep(f, slot, (struct json_val){ from, (uint32_t)(p - from), JSON_OBJECT, false });
	return p;
}

/* any value at p; what most values are comes first: strings, and integers that end at a comma or brace */
static inline const char *value(const char *p, int depth, struct json_val *v, struct scan_error *e)
{
	const char *from = p;
	bool escaped;

	if (scan_likely(*p == '"')) {
		p = scan_string(from + 1, &escaped, e);
		if (scan_unlikely(!p))
			return NULL;
		*v = (struct json_val){ from + 1, (uint32_t)(p - from - 1), JSON_STRING, escaped };
		return p + 1;
	}
	if (scan_is_digit(*p) && *p != '0') {
		p = scan_digits(p);
		if (scan_likely(*p == ',' || *p == '}')) {
			*v = (struct json_val){ from, (uint32_t)(p - from), JSON_INT, false };
			return p;
		}
	}
	return scan_value(from, (unsigned)depth + 1, v, e);
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
	}
	p = value(p, depth, &v, e);
	if (scan_likely(p && slot) && !(f->entered && depth == 0 && slot >= FIELDS_OUTER))
		keep(f, slot, v);
	return p;
}

/* p at '{' -> behind '}' */
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

static void forget(struct fields *f)
{
	f->seen[0] = f->seen[1] = 0;
	f->entered = false;
	f->plain_n = 0;
}

void fields_enter(struct fields *f, struct json_val object_value)
{
	struct scan_error e;

	forget(f);
	object(f, object_value.p, 1, &e);
}

bool fields_read(struct fields *f, struct span line)
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
