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

char *jsonw_string(char *out, struct span s)
{
	*out++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (c < 0x20 || c == '"' || c == '\\')
			out = escape(out, c);
		else
			*out++ = (char)c;
	}
	*out++ = '"';
	return out;
}
