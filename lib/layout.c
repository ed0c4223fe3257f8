#include "layout.h"

void layout_open(struct layout *l)
{
	l->n = l->n_ends = 0;
	l->credit = LAYOUT_CREDIT;
	l->misses = 0;
	l->noting = false;
}

void layout_begin(struct layout *l)
{
	bool tried = layout_is_tried(l);

	l->misses++;
	l->n_notes = 0;
	l->noting = tried && l->credit >= LAYOUT_PRICE;
	if (l->noting)
		l->credit -= LAYOUT_PRICE;
	else if (tried)
		l->credit++;
}

void layout_give_up(struct layout *l)
{
	l->noting = false;
}

void layout_note(struct layout *l, struct layout_note note)
{
	if (l->n_notes == LAYOUT_NOTES)
		layout_give_up(l);
	else
		l->notes[l->n_notes++] = note;
}

/* ------------------------------------------------------------------------------------------------------ the tree */

/* where a line has got to in the tree */
struct walk {
	struct layout *l;
	size_t at;  /* the piece that may come next */
	bool fresh; /* the line has left the tree: what comes is new */
};

/* no room: what comes will show which looks are worth it */
static bool forget(struct layout *l)
{
	l->n = l->n_ends = 0;
	return false;
}

static bool same(const struct layout_piece *a, const struct layout_piece *b)
{
	return a->n == b->n && a->kind == b->kind && a->depth == b->depth && memcmp(a->text, b->text, a->n) == 0 &&
	    (a->slot == b->slot || a->kind == LAYOUT_END);
}

/* along the piece where it is known already; false: it must be added */
static bool follow(struct walk *w, const struct layout_piece *piece, size_t *others)
{
	struct layout_piece *p = w->l->pieces;
	size_t at = w->at;

	for (*others = 0; !same(&p[at], piece); (*others)++) {
		if (p[at].other == 0) {
			p[at].other = w->l->n;
			w->fresh = true;
			return false;
		}
		at = p[at].other;
	}
	w->at = at + 1;
	return true;
}

/* false: there was no room, and nothing is known any more */
static bool step(struct walk *w, const struct layout_piece *piece)
{
	struct layout *l = w->l;
	size_t others = 0;

	if (!w->fresh && follow(w, piece, &others))
		return true;
	if (l->n == LAYOUT_PIECES || others == LAYOUT_OTHERS)
		return forget(l);
	l->pieces[l->n++] = *piece;
	return true;
}

/* text of any length, and what it leads to */
static bool steps(struct walk *w, const char *from, const struct layout_note *to)
{
	size_t n = (size_t)(to->to - from);
	bool good = true;

	for (bool last = false; good && !last; from += LAYOUT_TEXT, n -= LAYOUT_TEXT) {
		struct layout_piece piece = { .kind = LAYOUT_MORE, .n = LAYOUT_TEXT };
		last = n <= LAYOUT_TEXT;
		if (last) {
			piece.kind = to->kind;
			piece.slot = to->slot;
			piece.at = (uint16_t)(to->slot * sizeof(struct json_val));
			piece.depth = to->depth;
			piece.n = (uint8_t)n;
			piece.trust = LAYOUT_TRUST;
		}
		piece.mask = (uint16_t)((1u << piece.n) - 1);
		memcpy(piece.text, from, piece.n);
		good = step(w, &piece);
	}
	return good;
}

void layout_learn(struct layout *l, struct span line, struct layout_end end)
{
	struct walk w = { .l = l, .fresh = l->n == 0 };
	struct layout_note last = { line.p + line.n + 1, NULL, LAYOUT_END, (uint8_t)l->n_ends, 0 };
	const char *from = line.p;
	bool good = l->n_ends < LAYOUT_ENDS || forget(l);

	l->noting = false;
	for (size_t i = 0; good && i < l->n_notes; i++) {
		good = steps(&w, from, &l->notes[i]);
		from = l->notes[i].next;
	}
	if (good && steps(&w, from, &last) && w.fresh)
		l->ends[l->n_ends++] = end;
}
