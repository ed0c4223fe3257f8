#include "rec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "num.h"

/* ----------------------------------------------------------------------------------------------------- names */

bool rec_is_prefix(struct span s)
{
	return s.n > 0 && s.n <= REC_PREFIX_MAX && s.p[0] != '.' && s.p[0] != '-' && !memchr(s.p, '/', s.n) &&
	       span_printable(s);
}

void rec_name_print(char out[REC_NAME_MAX], const struct rec_name *n)
{
	char time[WHEN_TEXT_MAX], number[32] = "";

	when_print(time, n->second * 1000000, 0);
	for (char *p = time; *p; p++)
		*p = *p == ':' ? '-' : *p;
	if (n->number)
		snprintf(number, sizeof number, "_%" PRIu64, n->number);
	snprintf(out, REC_NAME_MAX, "%.*s-%s%s.ndjson.zst%s", (int)n->prefix.n, n->prefix.p, time, number,
	    n->part ? ".part" : "");
}

static bool drop_end(struct span *s, struct span end)
{
	if (!span_ends(*s, end))
		return false;
	s->n -= end.n;
	return true;
}

/* the name without what says the kind of file */
static bool stem(struct span *s, bool *part)
{
	*part = drop_end(s, SPAN(".part"));
	return (drop_end(s, SPAN(".zst")) || drop_end(s, SPAN(".gz")) || true) && drop_end(s, SPAN(".ndjson"));
}

bool rec_is_recording(struct span name)
{
	bool part;

	return stem(&name, &part) && name.n > 0 && name.p[0] != '.';
}

/* "-2026-11-22T10-00-00Z" at the end of s, which is cut off */
static bool drop_time(struct span *s, int64_t *second)
{
	char text[20];
	int64_t us;

	if (s->n < 22)
		return false;
	struct span time = { s->p + s->n - 20, 20 };
	if (time.p[-1] != '-' || time.p[13] != '-' || time.p[16] != '-')
		return false;
	memcpy(text, time.p, sizeof text);
	text[13] = text[16] = ':';
	if (text[10] != 'T' || text[19] != 'Z' || !when_parse((struct span){ text, sizeof text }, &us))
		return false;
	*second = us / 1000000;
	s->n -= 21;
	return true;
}

bool rec_name_parse(struct span name, struct rec_name *n)
{
	size_t digits = 0;

	n->number = 0;
	if (!stem(&name, &n->part))
		return false;
	while (digits < name.n && name.p[name.n - 1 - digits] >= '0' && name.p[name.n - 1 - digits] <= '9')
		digits++;
	if (digits > 0 && digits < name.n && name.p[name.n - 1 - digits] == '_') {
		if (!num_u64((struct span){ name.p + name.n - digits, digits }, 1, UINT64_MAX, &n->number))
			return false;
		name.n -= digits + 1;
	}
	if (!drop_time(&name, &n->second))
		return false;
	n->prefix = name;
	return rec_is_prefix(name);
}

static int compare_bytes(struct span a, struct span b)
{
	int r = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

int rec_name_compare(struct span a, struct span b)
{
	struct rec_name x = { .second = -1 }, y = { .second = -1 };

	if (!rec_name_parse(a, &x))
		x = (struct rec_name){ .second = -1 };
	if (!rec_name_parse(b, &y))
		y = (struct rec_name){ .second = -1 };
	if (x.second != y.second)
		return x.second < y.second ? -1 : 1;
	if (x.number != y.number)
		return x.number < y.number ? -1 : 1;
	return compare_bytes(a, b);
}

/* ----------------------------------------------------------------------------------------------------- index
 * All numbers are little-endian. The frame: magic and length as zstd has them, the stretches of STRETCH_BYTES each in
 * their order, the footer: how many stretches, the bytes of the whole frame, the CRC-32 of the stretches, a word. */

#define HEAD_BYTES    8u
#define STRETCH_BYTES 56u
#define STRETCHES_MAX ((1u << 26) / STRETCH_BYTES) /* more has no file */
#define MAGIC	      0x184d2a5bu		    /* one of the sixteen of RFC 8878 3.1.2 */
#define WORD	      "bncindex"

void rec_index_close(struct rec_index *x)
{
	free(x->stretch);
	*x = (struct rec_index){ NULL, 0, 0 };
}

uint64_t rec_index_end(const struct rec_index *x)
{
	return x->n ? x->stretch[x->n - 1].offset + x->stretch[x->n - 1].packed : 0;
}

static int64_t lower(int64_t a, int64_t b)
{
	return a == WHEN_NEVER || (b != WHEN_NEVER && b < a) ? b : a;
}

bool rec_index_add(struct rec_index *x, struct rec_stretch f)
{
	if (x->n && x->stretch[x->n - 1].packed < REC_STRETCH_BYTES) {
		struct rec_stretch *last = &x->stretch[x->n - 1];
		last->packed += f.packed;
		last->bytes += f.bytes;
		last->lines += f.lines;
		last->low = lower(last->low, f.low);
		last->high = f.high > last->high ? f.high : last->high;
		last->last = f.last;
		return true;
	}
	if (x->n == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 64;
		struct rec_stretch *more = realloc(x->stretch, cap * sizeof *more);
		if (!more)
			return false;
		x->stretch = more;
		x->cap = cap;
	}
	f.offset = rec_index_end(x);
	x->stretch[x->n++] = f;
	return true;
}

static char *put(char *p, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++, v >>= 8)
		*p++ = (char)(v & 0xff);
	return p;
}

static uint64_t get(const char **p, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v |= (uint64_t)(unsigned char)(*p)[i] << 8 * i;
	*p += bytes;
	return v;
}

static uint32_t crc(const char *p, size_t n)
{
	return (uint32_t)crc32(0, (const Bytef *)p, (uInt)n);
}

char *rec_index_print(const struct rec_index *x, size_t *n)
{
	size_t k = x->n < STRETCHES_MAX ? x->n : STRETCHES_MAX;
	size_t body = k * STRETCH_BYTES;
	char *text = malloc(HEAD_BYTES + body + REC_FOOTER_BYTES);

	if (!text)
		return NULL;
	*n = HEAD_BYTES + body + REC_FOOTER_BYTES;
	char *p = put(text, MAGIC, 4);
	p = put(p, body + REC_FOOTER_BYTES, 4);
	for (size_t i = 0; i < k; i++) {
		const struct rec_stretch *s = &x->stretch[i];
		p = put(put(put(p, s->packed, 8), s->bytes, 8), s->lines, 8);
		p = put(put(put(put(p, (uint64_t)s->first, 8), (uint64_t)s->low, 8), (uint64_t)s->high, 8),
		    (uint64_t)s->last, 8);
	}
	p = put(put(put(p, k, 4), *n, 8), crc(text + HEAD_BYTES, body), 4);
	memcpy(p, WORD, 8);
	return text;
}

bool rec_footer_read(const char footer[REC_FOOTER_BYTES], uint64_t *n)
{
	const char *p = footer;
	uint64_t k = get(&p, 4);

	*n = get(&p, 8);
	return memcmp(footer + 16, WORD, 8) == 0 && k <= STRETCHES_MAX &&
	       *n == HEAD_BYTES + k * STRETCH_BYTES + REC_FOOTER_BYTES;
}

static bool read_stretch(struct rec_index *x, const char **p, uint64_t *end)
{
	struct rec_stretch s = { .offset = *end };

	s.packed = get(p, 8);
	s.bytes = get(p, 8);
	s.lines = get(p, 8);
	s.first = (int64_t)get(p, 8);
	s.low = (int64_t)get(p, 8);
	s.high = (int64_t)get(p, 8);
	s.last = (int64_t)get(p, 8);
	x->stretch[x->n++] = s;
	return s.packed > 0 && !__builtin_add_overflow(*end, s.packed, end);
}

bool rec_index_read(struct rec_index *x, struct span frame, uint64_t size)
{
	uint64_t n, end = 0;
	const char *p = frame.p;

	if (frame.n < HEAD_BYTES + REC_FOOTER_BYTES || frame.n > size ||
	    !rec_footer_read(frame.p + frame.n - REC_FOOTER_BYTES, &n) || n != frame.n)
		return false;
	size_t body = frame.n - HEAD_BYTES - REC_FOOTER_BYTES;
	const char *sum = frame.p + frame.n - REC_FOOTER_BYTES + 12;
	if (get(&p, 4) != MAGIC || get(&p, 4) != body + REC_FOOTER_BYTES || get(&sum, 4) != crc(frame.p + HEAD_BYTES, body))
		return false;
	x->cap = body / STRETCH_BYTES;
	x->stretch = malloc((x->cap ? x->cap : 1) * sizeof *x->stretch);
	bool good = x->stretch != NULL;
	while (good && x->n < x->cap)
		good = read_stretch(x, &p, &end);
	good &= end == size - frame.n;
	if (!good)
		rec_index_close(x);
	return good;
}
