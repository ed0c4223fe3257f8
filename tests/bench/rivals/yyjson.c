/* What bnc-normalize makes of a bookTicker, by yyjson, which checks all of a line. Symbols are taken to be without
 * escapes, numbers to be below 9e10 with eight decimals. */
#include <yyjson.h>

#include "rival.h"

static struct rival_text text_of(yyjson_val *frame, const char *key)
{
	yyjson_val *v = yyjson_obj_get(frame, key);

	if (!yyjson_is_str(v))
		exit(1);
	return (struct rival_text){ yyjson_get_str(v), yyjson_get_len(v) };
}

static void take(struct rival *r, char *line, size_t n, const yyjson_alc *memory)
{
	yyjson_doc *doc = yyjson_read_opts(line, n, YYJSON_READ_NOFLAG, memory, NULL);
	yyjson_val *frame = yyjson_doc_get_root(doc);

	if (yyjson_is_obj(frame) && yyjson_equals_str(yyjson_obj_get(frame, "e"), "bookTicker")) {
		struct rival_book b = { text_of(frame, "s"), text_of(frame, "b"), text_of(frame, "B"),
			text_of(frame, "a"), text_of(frame, "A"), yyjson_get_uint(yyjson_obj_get(frame, "E")) };
		rival_record(r, &b);
	}
	yyjson_doc_free(doc);
}

int main(void)
{
	static char pool[1u << 20];
	yyjson_alc memory;
	struct rival r;
	size_t n;

	if (!rival_open(&r) || !yyjson_alc_pool_init(&memory, pool, sizeof pool))
		return 3;
	while ((n = rival_fill(&r)) > 0) {
		for (char *p = r.in, *end; p < r.in + n; p = end + 1) {
			end = (char *)memchr(p, '\n', (size_t)(r.in + n - p));
			take(&r, p, (size_t)(end - p), &memory);
		}
		rival_drop(&r, n);
	}
	rival_flush(&r);
	return 0;
}
