#include "outbox.h"

#include <stdlib.h>

#include "jsonw.h"

struct outbox_newest {
	char *text; /* owned */
	size_t n, cap;
	int64_t recv;
	bool queued;
};

bool outbox_open(struct outbox *b, const struct outbox_options *o)
{
	*b = (struct outbox){ .o = *o };
	if (!ring_open(&b->ring, (size_t)o->cap + o->reserve))
		return false;
	if (!o->conflate)
		return true;
	b->newest = calloc(o->streams, sizeof *b->newest);
	b->queue = calloc(o->streams, sizeof *b->queue);
	return b->newest && b->queue;
}

void outbox_close(struct outbox *b)
{
	for (size_t i = 0; b->newest && i < b->o.streams; i++)
		free(b->newest[i].text);
	free(b->newest);
	free(b->queue);
	ring_close(&b->ring);
	*b = (struct outbox){ .o = b->o };
}

bool outbox_complete(const struct outbox *b)
{
	return b->o.count && b->counters.frames == b->o.count;
}

bool outbox_empty(const struct outbox *b)
{
	return ring_used(&b->ring) == 0 && b->queue_n == 0;
}

/* -------------------------------------------------------------------------------------------------- in order */

/* {"recv":1790526538965462,"market":"usdm", and the frame without its brace */
static char *put_keys(const struct outbox *b, char *out, struct span *text)
{
	const char *brace = memchr(text->p, '{', text->n);

	out = jsonw_i64(jsonw_lit(out, "{\"recv\":"), b->last_recv);
	out = jsonw_raw(jsonw_lit(out, ",\"market\":\""), event_market_name(b->o.market));
	out = jsonw_lit(out, "\",");
	text->n -= (size_t)(brace + 1 - text->p);
	text->p = brace + 1;
	return out;
}

static void put(struct outbox *b, struct span text, int64_t recv)
{
	if (outbox_complete(b))
		return;
	if (ring_free(&b->ring) < text.n + OUTBOX_KEYS_MAX) {
		b->counters.dropped++;
		return;
	}
	b->last_recv = recv > b->last_recv ? recv : b->last_recv;
	char *from = ring_tail(&b->ring);
	char *out = b->o.raw ? from : put_keys(b, from, &text);
	out = jsonw_raw(out, text);
	*out++ = '\n';
	ring_add(&b->ring, (size_t)(out - from));
	b->counters.frames++;
}

void outbox_line(struct outbox *b, struct span line)
{
	if (ring_free(&b->ring) < line.n) {
		b->counters.dropped++;
		return;
	}
	ring_add(&b->ring, (size_t)(jsonw_raw(ring_tail(&b->ring), line) - ring_tail(&b->ring)));
}

/* ----------------------------------------------------------------------------------------------------- newest */

/* false: no memory, it has to go the usual way, which it cannot where an older one waits apart */
static bool keep_newest(struct outbox *b, size_t stream, struct span text, int64_t recv)
{
	struct outbox_newest *w = &b->newest[stream];

	if (w->cap < text.n) {
		char *more = realloc(w->text, text.n);
		b->counters.dropped += !more && w->queued;
		if (!more)
			return w->queued;
		w->text = more;
		w->cap = text.n;
	}
	memcpy(w->text, text.p, text.n);
	w->n = text.n;
	w->recv = recv;
	b->counters.conflated += w->queued;
	if (!w->queued)
		b->queue[(b->queue_head + b->queue_n++) % b->o.streams] = stream;
	w->queued = true;
	return true;
}

/* what waits apart joins the others as soon as the reader is not behind */
static void take_newest(struct outbox *b)
{
	while (b->queue_n > 0 && ring_used(&b->ring) < OUTBOX_BEHIND) {
		struct outbox_newest *w = &b->newest[b->queue[b->queue_head]];
		w->queued = false;
		b->queue_head = (b->queue_head + 1) % b->o.streams;
		b->queue_n--;
		put(b, (struct span){ w->text, w->n }, w->recv);
	}
}

void outbox_frame(struct outbox *b, size_t stream, bool newest_only, struct span text, int64_t recv)
{
	bool apart = b->o.conflate && newest_only &&
	    (b->newest[stream].queued || ring_used(&b->ring) >= OUTBOX_BEHIND);

	if (!apart || !keep_newest(b, stream, text, recv))
		put(b, text, recv);
}

/* ------------------------------------------------------------------------------------------------------- out */

struct span outbox_head(struct outbox *b)
{
	take_newest(b);
	return ring_head(&b->ring);
}

void outbox_drop(struct outbox *b, size_t n)
{
	ring_drop(&b->ring, n);
}

size_t outbox_bytes(const struct outbox *b)
{
	size_t n = ring_used(&b->ring);

	for (size_t i = 0; i < b->queue_n; i++)
		n += b->newest[b->queue[(b->queue_head + i) % b->o.streams]].n;
	return n;
}

enum outbox_level outbox_level(struct outbox *b)
{
	size_t used = ring_used(&b->ring);
	bool before = b->full;

	b->full = used >= b->o.cap || (b->full && used > b->o.cap / 2);
	return b->full == before ? OUTBOX_SAME : b->full ? OUTBOX_FULL : OUTBOX_ROOM;
}
