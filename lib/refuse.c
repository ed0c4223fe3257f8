#include "refuse.h"

#include "clock.h"

#define TELL_EACH_US 200000
#define TELL_BURST   20

void refuse_open(struct refuse *r, void (*tell)(const char *format, ...))
{
	*r = (struct refuse){ .tell = tell };
	rate_open(&r->rate, TELL_EACH_US, TELL_BURST, clock_mono_us());
}

void refuse_line(struct refuse *r, const char *where, uint64_t number, size_t at, const char *why)
{
	unsigned long long n = number;

	r->lines++;
	if (!rate_take(&r->rate, clock_mono_us()))
		return;
	if (where)
		r->tell("%s: line %llu: byte %zu: %s", where, n, at, why);
	else
		r->tell("line %llu: byte %zu: %s", n, at, why);
}

void refuse_total(const struct refuse *r)
{
	unsigned long long n = r->lines;
	const char *s = n == 1 ? "" : "s";

	if (n && r->rate.hidden)
		r->tell("%llu line%s refused, %llu of them not shown", n, s, (unsigned long long)r->rate.hidden);
	else if (n)
		r->tell("%llu line%s refused", n, s);
}
