/* sentence - a sentence for people, put together piece by piece and cut where the room of a status record ends, between
 * two characters. */
#ifndef BNC_SENTENCE_H
#define BNC_SENTENCE_H

#include "dec.h"

#define SENTENCE_MAX 512 /* bytes: what event_write_status takes of a detail */

struct sentence {
	char p[SENTENCE_MAX];
	size_t n;
	bool full; /* something has been cut off: nothing stands behind a gap */
};

/* text: UTF-8 */
void sentence_say(struct sentence *s, struct span text);
void sentence_say_number(struct sentence *s, struct dec d);
#define sentence_say_lit(s, literal) sentence_say((s), SPAN(literal))

static inline struct span sentence_span(const struct sentence *s)
{
	return (struct span){ s->p, s->n };
}

#endif
