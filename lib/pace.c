#include "pace.h"

#include "when.h"

void pace_open(struct pace *p, uint64_t speed)
{
	*p = (struct pace){ .speed = speed };
}

void pace_restart(struct pace *p)
{
	p->anchored = false;
}

static void anchor(struct pace *p, int64_t us, int64_t now)
{
	p->anchored = true;
	p->from = p->highest = us;
	p->at = now > p->last ? now : p->last;
}

int64_t pace_due(struct pace *p, int64_t us, int64_t now, bool *back)
{
	*back = p->anchored && us != WHEN_NEVER && us <= p->highest - PACE_BACK_US;
	if (p->speed == PACE_MAX || us == WHEN_NEVER)
		return p->last;
	if (!p->anchored || *back)
		anchor(p, us, now);
	p->highest = us > p->highest ? us : p->highest;
	__int128 due = p->at + (__int128)(us - p->from) * 1000 / (int64_t)p->speed;
	if (due > p->last)
		p->last = due < INT64_MAX ? (int64_t)due : INT64_MAX - 1;
	return p->last;
}
