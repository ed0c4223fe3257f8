#include "binance_news.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "binance_ids.h"

#define SECOND 1000000LL

void binance_news_open(struct binance_news *w, const struct binance_plan *p,
    void (*out)(void *user, const struct binance_news_item *item), void *user)
{
	*w = (struct binance_news){ .plan = p, .out = out, .user = user };
	rate_open(&w->gaps, SECOND / 5, 50, 0);
	rate_open(&w->refusals, SECOND, 20, 0);
}

/* A failure is told each time, a success only behind one: whoever starts a program expects it to work. */
static bool is_loud(struct binance_news *w, int64_t now, enum binance_topic topic)
{
	bool failed = w->failed;

	switch (topic) {
	case BINANCE_NEWS_FAILED:
		w->failed = true;
		return true;
	case BINANCE_NEWS_LIVE:
		w->failed = false;
		return failed;
	case BINANCE_NEWS_STALE:
		return true;
	case BINANCE_NEWS_GAP:
		return rate_take(&w->gaps, now);
	case BINANCE_NEWS_REFUSED:
		return rate_take(&w->refusals, now);
	case BINANCE_NEWS_CONNECTING:
	case BINANCE_NEWS_NOTE:
		break;
	}
	return false;
}

/* the name of the stream and a colon, or nothing */
static int put_name(const struct binance_news *w, long stream, char *text, size_t cap)
{
	return stream < 0 ? snprintf(text, cap, "%s", "") : snprintf(text, cap, "%s: ", w->plan->stream[stream].name);
}

void binance_news_tell(
    struct binance_news *w, int64_t now, enum binance_topic topic, long stream, const char *format, ...)
{
	static const char *const states[] = { [BINANCE_NEWS_CONNECTING] = "connecting",
		[BINANCE_NEWS_FAILED] = "connecting",
		[BINANCE_NEWS_LIVE] = "live",
		[BINANCE_NEWS_STALE] = "stale",
		[BINANCE_NEWS_GAP] = "gap",
		[BINANCE_NEWS_NOTE] = NULL };
	char text[BINANCE_DETAIL_MAX];
	va_list ap;

	int n = topic == BINANCE_NEWS_LIVE ? snprintf(text, sizeof text, "live: ")
	    : topic == BINANCE_NEWS_GAP  ? snprintf(text, sizeof text, "gap: ")
					 : 0;
	n += put_name(w, stream, text + n, sizeof text - (size_t)n);
	va_start(ap, format);
	vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
	va_end(ap);
	struct binance_news_item item = { .topic = topic,
		.loud = is_loud(w, now, topic),
		.state = states[topic],
		.stream = stream,
		.detail = text + n,
		.text = text };
	w->out(w->user, &item);
}

void binance_news_gap(struct binance_news *w, int64_t now, const struct arbiter_gap *gap)
{
	const struct binance_stream *s = &w->plan->stream[gap->stream];
	char detail[BINANCE_GAP_TEXT_MAX], text[BINANCE_DETAIL_MAX], ids[80] = "";

	binance_ids_gap_text(detail, s->kind, gap);
	if (gap->has_ids)
		snprintf(ids, sizeof ids, "last id %" PRIu64 ", next id %" PRIu64 ": ", gap->last_id, gap->next_id);
	snprintf(text, sizeof text, "gap: %s: %s%s", s->name, ids, detail);
	struct binance_news_item item = { .topic = BINANCE_NEWS_GAP,
		.loud = is_loud(w, now, BINANCE_NEWS_GAP),
		.state = "gap",
		.stream = (long)gap->stream,
		.gap = gap,
		.detail = detail,
		.text = text };
	w->out(w->user, &item);
}

static void sum_up(struct binance_news *w, uint64_t hidden, const char *what)
{
	char text[80];
	struct binance_news_item item = { .topic = BINANCE_NEWS_NOTE,
		.loud = true,
		.stream = -1,
		.detail = text,
		.text = text };

	snprintf(text, sizeof text, "%s: %" PRIu64 " more, not shown", what, hidden);
	if (hidden)
		w->out(w->user, &item);
}

void binance_news_tick(struct binance_news *w, int64_t now)
{
	sum_up(w, rate_hidden(&w->gaps, now), "gap");
	sum_up(w, rate_hidden(&w->refusals, now), "refused");
}

struct binance_seconds binance_seconds(int64_t us)
{
	struct binance_seconds t;

	snprintf(t.p, sizeof t.p, "%lld.%03lld s", (long long)(us / 1000000), (long long)(us % 1000000 / 1000));
	return t;
}
