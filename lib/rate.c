#include "rate.h"

void rate_open(struct rate *r, int64_t each, int64_t burst, int64_t now)
{
	*r = (struct rate){ .each = each, .burst = burst, .credit = each * burst, .at = now };
}

static bool has_credit(struct rate *r, int64_t now)
{
	int64_t most = r->each * r->burst;
	int64_t since = now - r->at;

	/* whole stretches of silence fill it up: no sum can overflow */
	r->credit = since >= most - r->credit ? most : r->credit + since;
	r->at = now;
	if (r->credit < r->each)
		return false;
	r->credit -= r->each;
	return true;
}

bool rate_take(struct rate *r, int64_t now)
{
	bool may = has_credit(r, now);

	r->hidden += !may;
	return may;
}

uint64_t rate_hidden(struct rate *r, int64_t now)
{
	uint64_t n = r->hidden;

	if (n == 0 || !has_credit(r, now))
		return 0;
	r->hidden = 0;
	return n;
}
