#include "sentence.h"

void sentence_say(struct sentence *s, struct span text)
{
	size_t left = s->full ? 0 : sizeof s->p - s->n;
	size_t n = text.n < left ? text.n : left;

	s->full = n < text.n;
	while (s->full && n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80) /* not inside a character */
		n--;
	if (n)
		memcpy(s->p + s->n, text.p, n);
	s->n += n;
}

void sentence_say_number(struct sentence *s, struct dec d)
{
	char text[DEC_TEXT_MAX];

	sentence_say(s, (struct span){ text, (size_t)(dec_print(text, d) - text) });
}
