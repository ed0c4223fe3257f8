#include "num.h"

bool num_u64(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';
		if (digit > 9 || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit, &v))
			return false;
	}
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool num_i64(struct span s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t magnitude;
	uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);

	if (negative)
		s = (struct span){ s.p + 1, s.n - 1 };
	if (!num_u64(s, 0, limit, &magnitude))
		return false;
	int64_t v = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (v < min || v > max)
		return false;
	*out = v;
	return true;
}

/* microseconds in a unit, 0 for a unit nobody knows */
static int64_t unit_us(struct span unit)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {
		{ "", 1000000 },
		{ "us", 1 },
		{ "ms", 1000 },
		{ "s", 1000000 },
		{ "m", 60 * 1000000LL },
		{ "h", 3600 * 1000000LL },
		{ "d", 86400 * 1000000LL },
	};

	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (span_is(unit, units[i].name))
			return units[i].us;
	return 0;
}

static size_t digits(struct span s, size_t from)
{
	size_t i = from;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i - from;
}

bool num_duration(struct span s, int64_t *us)
{
	size_t whole = digits(s, 0);
	size_t frac = 0;
	size_t at = whole;
	uint64_t big = 0;
	uint64_t small = 0;

	if (whole == 0 || !num_u64((struct span){ s.p, whole }, 0, INT64_MAX, &big))
		return false;
	if (at < s.n && s.p[at] == '.') {
		frac = digits(s, at + 1);
		if (frac == 0 || frac > 6 || !num_u64((struct span){ s.p + at + 1, frac }, 0, 999999, &small))
			return false;
		at += 1 + frac;
	}
	int64_t unit = unit_us((struct span){ s.p + at, s.n - at });
	int64_t total;
	int64_t part = (int64_t)small * unit;
	for (size_t i = 0; i < frac; i++) {
		if (part % 10 != 0)
			return false; /* finer than a microsecond */
		part /= 10;
	}
	if (unit == 0 || __builtin_mul_overflow((int64_t)big, unit, &total) ||
	    __builtin_add_overflow(total, part, &total))
		return false;
	*us = total;
	return true;
}

bool num_size(struct span s, uint64_t max, uint64_t *bytes)
{
	uint64_t factor = 1;
	uint64_t v;

	if (s.n > 1) {
		char unit = s.p[s.n - 1];
		factor = unit == 'k' || unit == 'K' ? 1u << 10 : unit == 'M' ? 1u << 20 : unit == 'G' ? 1u << 30 : 1;
		if (factor > 1)
			s.n--;
	}
	if (!num_u64(s, 0, UINT64_MAX, &v) || __builtin_mul_overflow(v, factor, &v) || v > max)
		return false;
	*bytes = v;
	return true;
}

char *num_print_u64(char *out, uint64_t value)
{
	char text[20];
	size_t n = 0;

	do
		text[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		*out++ = text[--n];
	return out;
}
