#include "jsonw.h"

#include "num.h"

char *jsonw_i64(char *out, int64_t value)
{
	uint64_t magnitude = (uint64_t)value;

	if (value < 0) {
		*out++ = '-';
		magnitude = 0 - magnitude;
	}
	return num_print_u64(out, magnitude);
}

/* the letter of a short escape, 0 where there is none */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static char *escape(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char letter = short_escape(c);

	*out++ = '\\';
	if (letter) {
		*out++ = letter;
		return out;
	}
	out = jsonw_lit(out, "u00");
	*out++ = hex[c >> 4];
	*out++ = hex[c & 15];
	return out;
}

/* RFC 8259, section 7 */
static inline bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

char *jsonw_string(char *out, struct span s)
{
	const char *end = s.p + s.n;

	*out++ = '"';
	for (const char *p = s.p; p < end; p++) {
		if (needs_escape((unsigned char)*p))
			out = escape(out, (unsigned char)*p);
		else
			*out++ = *p;
	}
	*out++ = '"';
	return out;
}
