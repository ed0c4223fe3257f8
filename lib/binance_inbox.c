#include "binance_inbox.h"

#include <stdlib.h>

#include "binance_call.h"
#include "binance_ids.h"
#include "jsonw.h"
#include "ring.h"

#define FRAME_MAX ((1u << 20) - 128) /* so that a line stays below 1 MiB */
#define KEYS_ROOM 128		     /* {"stream":"...","data": and its brace */

struct held { /* before each event that waits */
	size_t n;
	int64_t recv;
};

struct binance_inbox {
	void (*frame)(void *user, struct span text, int64_t recv);
	void *user;
	struct binance_rows *rows; /* owned */
	struct ring held;
	bool holds;
	uint64_t copy[BINANCE_INBOX_COPIES];
	size_t copies; /* so many there were; the next goes to copies % BINANCE_INBOX_COPIES */
	char key[BINANCE_LISTEN_KEY_MAX];
	size_t key_n;
	char *event; /* owned: FRAME_MAX and padding, of what waited */
	char *left;  /* owned: the same, of what has lost a member */
	char *cut;   /* owned: FRAME_MAX, of what has lost rows */
	char *out;   /* owned: FRAME_MAX and padding */
	struct binance_inbox_counters counters;

	/* the snapshot that is being given out */
	const char *path;
	int64_t recv;
};

/* ------------------------------------------------------------------------------------------------------ frames */

/* What is one level too deep for readers in its envelope, too long, or has the secret in it, is no frame. */
static void put(struct binance_inbox *b, const char *stream, struct span data, int64_t recv)
{
	struct json r;
	struct json_val top;
	char *o = b->out;

	if (data.n <= FRAME_MAX - KEYS_ROOM) {
		o = jsonw_string(jsonw_lit(o, "{\"stream\":"), span_of(stream));
		o = jsonw_raw(jsonw_lit(o, ",\"data\":"), data);
		*o++ = '}';
	}
	struct span text = { b->out, (size_t)(o - b->out) };
	memset(o, '\n', JSON_PAD);
	if (text.n == 0 || !json_check(&r, text, &top) || (b->key_n && memmem(text.p, text.n, b->key, b->key_n))) {
		b->counters.unfit++;
		return;
	}
	b->counters.frames++;
	b->frame(b->user, text, recv);
}

/* the object without one of its members, padded; the listen key of listenKeyExpired is no news, and a secret */
static struct span without(struct binance_inbox *b, struct span object, const char *member)
{
	struct json r;
	struct span key;
	struct json_val v;
	char *o = jsonw_lit(b->left, "{");

	if (json_find(object, member).kind == JSON_NONE || !json_enter_object(&r, object))
		return object;
	while (json_next_member(&r, &key, &v)) {
		bool quoted = v.kind == JSON_STRING;
		if (span_is(key, member))
			continue;
		if (o > b->left + 1)
			*o++ = ',';
		*o++ = '"';
		o = jsonw_lit(jsonw_raw(o, key), "\":");
		o = jsonw_raw(o, (struct span){ v.p - quoted, v.n + 2u * quoted });
	}
	*o++ = '}';
	memset(o, '\n', JSON_PAD);
	return (struct span){ b->left, (size_t)(o - b->left) };
}

/* an event whose turn has come */
static void give(struct binance_inbox *b, struct span event, int64_t recv)
{
	size_t n;

	event = without(b, event, "listenKey");
	switch (binance_rows_event(b->rows, event, b->cut, &n)) {
	case BINANCE_ROWS_WHOLE:
		break;
	case BINANCE_ROWS_CUT:
		event = (struct span){ b->cut, n };
		break;
	case BINANCE_ROWS_NONE:
		b->counters.old++;
		return;
	}
	put(b, "userData", event, recv);
}

/* ------------------------------------------------------------------------------------------------------ events */

static bool is_copy(struct binance_inbox *b, struct span event)
{
	uint64_t hash = binance_ids_hash(event);
	size_t known = b->copies < BINANCE_INBOX_COPIES ? b->copies : BINANCE_INBOX_COPIES;

	for (size_t i = 0; i < known; i++)
		if (b->copy[i] == hash)
			return true;
	b->copy[b->copies++ % BINANCE_INBOX_COPIES] = hash;
	return false;
}

static bool keep(struct binance_inbox *b, struct span event, int64_t recv)
{
	struct held h = { event.n, recv };

	if (ring_free(&b->held) < sizeof h + event.n)
		return false;
	memcpy(ring_tail(&b->held), &h, sizeof h);
	memcpy(ring_tail(&b->held) + sizeof h, event.p, event.n);
	ring_add(&b->held, sizeof h + event.n);
	return true;
}

/* the oldest that waits, into b->event */
static struct span take(struct binance_inbox *b, int64_t *recv)
{
	struct held h;
	const char *head = ring_head(&b->held).p;

	memcpy(&h, head, sizeof h);
	memcpy(b->event, head + sizeof h, h.n);
	memset(b->event + h.n, '\n', JSON_PAD);
	ring_drop(&b->held, sizeof h + h.n);
	*recv = h.recv;
	return (struct span){ b->event, h.n };
}

bool binance_inbox_event(struct binance_inbox *b, struct span event, int64_t recv)
{
	b->counters.events++;
	if (event.n > FRAME_MAX) {
		b->counters.unfit++;
		return true;
	}
	if (is_copy(b, event)) {
		b->counters.copies++;
		return true;
	}
	if (!b->holds) {
		give(b, event, recv);
		return true;
	}
	if (keep(b, event, recv))
		return true;
	b->counters.lost++;
	for (int64_t ignored; ring_used(&b->held) > 0; b->counters.lost++)
		(void)take(b, &ignored);
	return false;
}

void binance_inbox_hold(struct binance_inbox *b)
{
	b->holds = true;
}

void binance_inbox_release(struct binance_inbox *b)
{
	b->holds = false;
	while (ring_used(&b->held) > 0) {
		int64_t recv;
		struct span event = take(b, &recv);
		give(b, event, recv);
	}
}

/* ---------------------------------------------------------------------------------------------------- snapshots */

static void on_piece(void *user, struct span data)
{
	struct binance_inbox *b = user;

	put(b, b->path, data, b->recv);
}

bool binance_inbox_snapshot(struct binance_inbox *b, enum binance_rows_part part, const char *path, struct span answer,
    uint64_t sent, int64_t recv, const char **why)
{
	b->path = path;
	b->recv = recv;
	return binance_rows_snapshot(b->rows, part, answer, sent, on_piece, b, why);
}

/* -------------------------------------------------------------------------------------------------------- life */

void binance_inbox_secret(struct binance_inbox *b, struct span listen_key)
{
	explicit_bzero(b->key, sizeof b->key);
	b->key_n = listen_key.n < sizeof b->key ? listen_key.n : sizeof b->key;
	memcpy(b->key, listen_key.p, b->key_n);
}

struct binance_rows *binance_inbox_rows(struct binance_inbox *b)
{
	return b->rows;
}

const struct binance_inbox_counters *binance_inbox_counters(const struct binance_inbox *b)
{
	return &b->counters;
}

struct binance_inbox *binance_inbox_new(
    enum event_market m, void (*frame)(void *user, struct span text, int64_t recv), void *user)
{
	struct binance_inbox *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->frame = frame;
	b->user = user;
	b->rows = binance_rows_new(m);
	b->event = malloc(FRAME_MAX + JSON_PAD);
	b->left = malloc(FRAME_MAX + JSON_PAD);
	b->cut = malloc(FRAME_MAX);
	b->out = malloc(FRAME_MAX + JSON_PAD);
	if (b->rows && b->event && b->left && b->cut && b->out && ring_open(&b->held, BINANCE_INBOX_HELD))
		return b;
	binance_inbox_free(b);
	return NULL;
}

void binance_inbox_free(struct binance_inbox *b)
{
	if (!b)
		return;
	binance_rows_free(b->rows);
	free(b->event);
	free(b->left);
	free(b->cut);
	free(b->out);
	ring_close(&b->held);
	explicit_bzero(b, sizeof *b);
	free(b);
}
