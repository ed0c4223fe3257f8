#include "span.h"

struct span span_cut(struct span s, char c, struct span *rest)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	if (!at) {
		*rest = (struct span){ NULL, 0 };
		return s;
	}
	size_t head = (size_t)(at - s.p);
	*rest = (struct span){ at + 1, s.n - head - 1 };
	return (struct span){ s.p, head };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct span span_trim(struct span s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool span_printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return true;
}

void span_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
