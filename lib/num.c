#include "num.h"

/* eight digits and nothing else */
static inline bool are_digits(uint64_t w)
{
	return (((w & 0xf0f0f0f0f0f0f0f0) ^ NUM_ZEROS) | (((w + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) ^ NUM_ZEROS)) == 0;
}

/* 8 to 16 digits, as times and ids have: the first eight, and the last eight without those that were among them */
static inline bool long_digits(struct span s, uint64_t *v)
{
	uint64_t head = num_load(s.p);
	uint64_t tail = num_load(s.p + s.n - 8);

	*v = num_of_eight(head & NUM_DIGITS) * num_power_of_ten[s.n - 8];
	if (s.n > 8)
		*v += num_of_eight(tail & NUM_DIGITS & ~0ULL << 8 * (16 - s.n));
	return are_digits(head) && are_digits(tail);
}

static bool any_digits(struct span s, uint64_t *out)
{
	size_t safe = s.n < 19 ? s.n : 19; /* digits that cannot overflow */
	uint64_t v = 0;
	size_t i;

	if (s.n == 0)
		return false;
	for (i = 0; i < safe; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';
		if (digit > 9)
			return false;
		v = v * 10 + digit;
	}
	for (; i < s.n; i++) {
		unsigned digit = (unsigned char)s.p[i] - (unsigned)'0';
		if (digit > 9 || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit, &v))
			return false;
	}
	*out = v;
	return true;
}

bool num_u64(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (!(s.n >= 8 && s.n <= 16 ? long_digits(s, &v) : any_digits(s, &v)) || v < min || v > max)
		return false;
	*out = v;
	return true;
}

bool num_i64(struct span s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = s.n > 0 && s.p[0] == '-';
	uint64_t magnitude;

	if (negative)
		s = (struct span){ s.p + 1, s.n - 1 };
	if (!num_u64(s, 0, (uint64_t)INT64_MAX + negative, &magnitude))
		return false;
	int64_t v = (int64_t)(negative ? 0 - magnitude : magnitude);
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

bool num_thousandths(struct span s, uint64_t min, uint64_t max, uint64_t *out)
{
	size_t whole = digits(s, 0);
	size_t frac = whole < s.n && s.p[whole] == '.' ? digits(s, whole + 1) : 0;
	bool point = whole < s.n;
	uint64_t big, small = 0;

	if (frac > 3 || whole + point + frac != s.n || (point && frac == 0) ||
	    !num_u64((struct span){ s.p, whole }, 0, UINT64_MAX / 1000 - 1, &big) ||
	    (point && !num_u64((struct span){ s.p + whole + 1, frac }, 0, 999, &small)))
		return false;
	for (; frac < 3; frac++)
		small *= 10;
	uint64_t v = big * 1000 + small;
	if (v < min || v > max)
		return false;
	*out = v;
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

const uint64_t num_power_of_ten[20] = {
	1ULL,
	10ULL,
	100ULL,
	1000ULL,
	10000ULL,
	100000ULL,
	1000000ULL,
	10000000ULL,
	100000000ULL,
	1000000000ULL,
	10000000000ULL,
	100000000000ULL,
	1000000000000ULL,
	10000000000000ULL,
	100000000000000ULL,
	1000000000000000ULL,
	10000000000000000ULL,
	100000000000000000ULL,
	1000000000000000000ULL,
	10000000000000000000ULL,
};

/* NOLINTNEXTLINE(misc-no-recursion): it calls itself once, for at most twelve digits */
char *num_print_u64(char *out, uint64_t value)
{
	const uint64_t limit = 100000000; /* 10^8 */

	if (value < limit)
		return num_print_short(out, (uint32_t)value);
	uint64_t high = value / limit;
	out = high < limit ? num_print_short(out, (uint32_t)high) : num_print_u64(out, high);
	num_store(out, num_as_eight((uint32_t)(value % limit)));
	return out + 8;
}
