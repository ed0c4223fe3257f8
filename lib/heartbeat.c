#include "heartbeat.h"

#include "event.h"

void heartbeat_from(struct heartbeat *h, int64_t interval, int64_t start)
{
	*h = (struct heartbeat){ .interval = interval, .origin = start, .next = start, .running = true };
}

void heartbeat_of_events(struct heartbeat *h, int64_t interval)
{
	*h = (struct heartbeat){ .interval = interval };
}

bool heartbeat_reached(struct heartbeat *h, int64_t now, int64_t *point)
{
	bool due = h->running && now >= h->next;

	if (h->running && !due)
		return false;
	*point = now - (now - h->origin) % h->interval;
	if (__builtin_add_overflow(*point, h->interval, &h->next))
		h->next = INT64_MAX;
	h->running = true;
	return due;
}

unsigned heartbeat_slot(const char *key, size_t n, int depth)
{
	struct span name = { key, n };

	(void)depth;
	if (n == 2 && span_eq(name, SPAN("ts")))
		return EVENT_SLOT_TS;
	if (n == 4 && span_eq(name, SPAN("type")))
		return EVENT_SLOT_TYPE;
	if (n == 4 && span_eq(name, SPAN("recv")))
		return EVENT_SLOT_RECV;
	return FIELDS_SKIP;
}

bool heartbeat_time(const struct fields *f, int64_t *ts, const char **why)
{
	*ts = -1;
	if (event_time(f, EVENT_SLOT_TS, ts))
		return true;
	if (event_type(f) != EVENT_OTHER) {
		*why = "ts is missing or no time in ms";
		return false;
	}
	if (event_time(f, EVENT_SLOT_RECV, ts))
		*ts /= 1000;
	return true;
}
