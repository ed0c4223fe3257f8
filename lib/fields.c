#include "fields.h"

#include "scan.h"

#define KEY_MAX 32 /* bytes of a key with escapes that are undone before it is looked up; a longer one is unknown */

void fields_open(struct fields *f, fields_slot *slot)
{
	*f = (struct fields){ .slot = slot };
}

static void keep(struct fields *f, unsigned slot, struct json_val v)
{
	f->v[slot] = v;
	f->seen[slot >> 6] |= 1ULL << (slot & 63);
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

/* one member, p at the quote of its key; gives the byte behind its value */
static inline const char *member(struct fields *f, const char *p, int depth, struct scan_error *e)
{
	struct json_val key;
	struct json_val v;

	p = scan_key(p, &key, e);
	if (scan_unlikely(!p))
		return NULL;
	unsigned slot = slot_of(f, key, depth);
	if (scan_unlikely(slot & FIELDS_INTO)) {
		slot &= ~FIELDS_INTO;
		if (*p == '{') {
			const char *from = p;
			forget_inner(f);
			p = object(f, p, depth + 1, e);
			if (p)
				keep(f, slot, (struct json_val){ from, (uint32_t)(p - from), JSON_OBJECT, false });
			return p;
		}
	}
	if (scan_likely(*p == '"')) {
		bool escaped;
		v.p = p + 1;
		p = scan_string(v.p, &escaped, e);
		if (scan_unlikely(!p))
			return NULL;
		v = (struct json_val){ v.p, (uint32_t)(p - v.p), JSON_STRING, escaped };
		p++;
	} else {
		p = scan_value(p, &v, e);
		if (scan_unlikely(!p))
			return NULL;
	}
	if (slot && !(f->entered && depth == 0 && slot >= FIELDS_OUTER))
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
}

void fields_enter(struct fields *f, struct json_val value)
{
	struct scan_error e;

	forget(f);
	object(f, value.p, 0, &e);
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
