#include "mock_orders.h"

#include <stdlib.h>

bool mock_orders_add(struct mock_orders *o, const struct mock_fault *f)
{
	struct mock_order *order = malloc(sizeof *order);
	struct mock_order **end = &o->first;

	if (!order)
		return false;
	*order = (struct mock_order){ .fault = *f };
	while (*end)
		end = &(*end)->next;
	*end = order;
	return true;
}

void mock_orders_clear(struct mock_orders *o)
{
	while (o->first) {
		struct mock_order *order = o->first;
		o->first = order->next;
		free(order);
	}
}

static bool meant(const struct mock_fault *f, const struct mock_seen *seen)
{
	if (f->stage != seen->stage || (f->whom == MOCK_WHOM_NUMBER && f->count != seen->number))
		return false;
	if (seen->stage == MOCK_STAGE_REST || seen->stage == MOCK_STAGE_LAG)
		return span_starts(seen->path, span_of(f->path));
	return seen->stage < MOCK_STAGE_HTTP ||
	       ((f->tier < 0 || f->tier == (int)seen->tier) && (!f->user || seen->user));
}

/* an order for a number, or for so many, has its end */
static bool used_up(struct mock_fault *f)
{
	if (f->whom == MOCK_WHOM_NEXT)
		return --f->count == 0;
	return f->whom == MOCK_WHOM_NUMBER;
}

bool mock_orders_take(
    struct mock_orders *o, struct mock_order ***from, const struct mock_seen *seen, struct mock_fault *f)
{
	struct mock_order **at = *from ? *from : &o->first;

	while (*at && !meant(&(*at)->fault, seen))
		at = &(*at)->next;
	struct mock_order *order = *at;
	if (!order)
		return false;
	*f = order->fault;
	if (used_up(&order->fault)) {
		*at = order->next;
		free(order);
	} else {
		at = &order->next;
	}
	*from = at;
	return true;
}
