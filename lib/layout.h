/* layout - how the lines of a stream look: the text that stands between their values, learned from lines that were
 * read.
 *
 * lib/fields reads a line by the grammar and notes here where its values were. Later lines are walked along what has
 * been learned: the text is compared sixteen bytes at a time, values are read as by the grammar. A line that fits
 * differs in its values alone from one that was accepted, and thus is what the grammar would make of it; one that does
 * not fit is read by the grammar. No format is known beforehand, so this serves frames and records alike.
 *
 * What has been learned is a tree. A piece is some text and what stands behind it. The piece that follows it lies
 * behind it in memory; `other` is a piece that has been seen in its place. Lines of different kinds share their
 * beginnings. */
#ifndef BNC_LAYOUT_H
#define BNC_LAYOUT_H

#include "json.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LAYOUT_TEXT   16  /* bytes of a piece */
#define LAYOUT_PIECES 512 /* in all; when they are used up, everything is forgotten */
#define LAYOUT_ENDS   64  /* lines of different looks */
#define LAYOUT_OTHERS 16  /* in one place */
#define LAYOUT_NOTES  48  /* values of a line; one with more is not learned */
#define LAYOUT_TRUST  8

enum layout_kind {
	LAYOUT_STRING, /* the text ends in the quote of a string, for `slot` */
	LAYOUT_VALUE,  /* any other value follows, for `slot` */
	LAYOUT_MORE,   /* further text follows */
	LAYOUT_ENTER,  /* the text ends in the brace of an object that is entered */
	LAYOUT_LEAVE,  /* the text ends in the brace that closes it; the object is for `slot` */
	LAYOUT_END,    /* the text ends in '\n'; `slot` is a number of `ends` */
};

struct layout_piece {
	_Alignas(16) char text[LAYOUT_TEXT];
	uint16_t mask; /* a bit for each byte of the text */
	uint16_t other; /* index of a piece, 0: none */
	uint8_t n;
	uint8_t kind;
	uint8_t slot;
	uint8_t depth; /* of the value: 0, or 1 inside an object that was entered */
	uint8_t trust; /* how often the value may yet have another length than the one before; see layout_length */
	uint16_t usual; /* length of the value */
	uint16_t at;	/* the slot, in bytes of values */
};

/* what a line of this look comes to, whatever its values are */
struct layout_end {
	uint64_t seen[2];
	bool entered;
};

/* the text before `to` and behind the note before leads to something */
struct layout_note {
	const char *to;
	const char *next; /* where the text behind it begins */
	uint8_t kind, slot, depth;
};

struct layout {
	uint16_t n, n_ends; /* pieces, ends */
	uint16_t credit;    /* see layout_begin */
	uint16_t misses;    /* lines in a row that fitted nothing */
	bool noting;
	uint8_t n_notes;
	struct layout_note notes[LAYOUT_NOTES];
	struct layout_end ends[LAYOUT_ENDS];
	struct layout_piece pieces[LAYOUT_PIECES];
};

void layout_open(struct layout *l);

/* Lines may all look different, and then neither to compare nor to learn is worth it: where LAYOUT_MISSES lines in a
 * row fitted nothing, one in LAYOUT_SELDOM is tried. */
#define LAYOUT_MISSES 64
#define LAYOUT_SELDOM 16
static inline bool layout_is_tried(const struct layout *l)
{
	return __builtin_expect(l->misses < LAYOUT_MISSES, 1) || l->misses % LAYOUT_SELDOM == 0;
}

/* A line has come that does not fit, or was not tried: it is noted where it may be learned. Of those that were tried
 * these are the first LAYOUT_CREDIT / LAYOUT_PRICE, and then one in LAYOUT_PRICE. */
#define LAYOUT_PRICE  64
#define LAYOUT_CREDIT 4096
void layout_begin(struct layout *l);

/* values (or braces) in the order of the line; beyond LAYOUT_NOTES it is not learned */
void layout_note(struct layout *l, struct layout_note note);
void layout_give_up(struct layout *l);

/* the line has been read: it becomes part of the tree */
void layout_learn(struct layout *l, struct span line, struct layout_end end);

/* does the text of the piece stand at p? LAYOUT_TEXT bytes are readable */
static inline bool layout_fits(const struct layout_piece *piece, const char *p)
{
#if defined(__SSE2__)
	__m128i text = _mm_load_si128((const __m128i *)(const void *)piece->text);
	__m128i line = _mm_loadu_si128((const __m128i *)(const void *)p);
	return (~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(text, line)) & piece->mask) == 0;
#else
	return memcmp(p, piece->text, piece->n) == 0;
#endif
}

/* The length n of a value. Where it is as long as ever, this is told from the piece: the processor takes the comparison
 * for granted and goes on with the next piece, which otherwise had to wait for this one. Times and ids are always as
 * long as before, prices are not, so each piece finds out whether it is of any use. */
static inline size_t layout_length(struct layout_piece *piece, size_t n)
{
	if (piece->trust == 0)
		return n;
	/* volatile: to the compiler both ways lead to the same, and it would take the slow one */
	if (__builtin_expect(n == piece->usual, 1))
		return *(const volatile uint16_t *)&piece->usual;
	piece->usual = (uint16_t)n;
	piece->trust--;
	return n;
}

/* the piece at p among this one and what may stand in its place; NULL: none */
static inline struct layout_piece *layout_find(struct layout *l, struct layout_piece *piece, const char *p)
{
	while (__builtin_expect(!layout_fits(piece, p), 0)) {
		if (!piece->other)
			return NULL;
		piece = &l->pieces[piece->other];
	}
	return piece;
}

#endif
