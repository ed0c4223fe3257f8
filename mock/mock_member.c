#include "mock_member.h"

void mock_put_text(struct mock_buf *b, const char *key, struct span value)
{
	mock_put(b, span_of(key));
	mock_put_json_string(b, value);
}

void mock_put_number(struct mock_buf *b, const char *key, int64_t value)
{
	mock_put(b, span_of(key));
	mock_put_i64(b, value);
}

void mock_put_truth(struct mock_buf *b, const char *key, bool value)
{
	mock_put(b, span_of(key));
	mock_put(b, value ? SPAN("true") : SPAN("false"));
}

void mock_put_amount(struct mock_buf *b, const char *key, struct dec value)
{
	char text[DEC_TEXT_MAX];

	mock_put_text(b, key, (struct span){ text, (size_t)(dec_print(text, value) - text) });
}

struct dec mock_cut(struct dec value, int places)
{
	struct dec cut;

	return dec_div_trunc(value, (struct dec){ 1, 0 }, places, &cut) == DEC_OK ? cut : value;
}

void mock_put_places(struct mock_buf *b, const char *key, struct dec value, int places)
{
	static const char zeros[] = ".00000000000000000000";
	char text[DEC_TEXT_MAX];
	struct dec cut = mock_cut(value, places);
	struct span s = { text, (size_t)(dec_print(text, cut) - text) };
	const char *point = memchr(s.p, '.', s.n);
	size_t have = point ? s.n - (size_t)(point - s.p) : 0; /* the point and what follows */
	size_t want = (size_t)places + 1;

	mock_put(b, span_of(key));
	mock_put_char(b, '"');
	mock_put(b, s);
	if (places > 0 && have < want)
		mock_put(b, (struct span){ zeros + (have ? 1 : 0), want - have });
	mock_put_char(b, '"');
}
