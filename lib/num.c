#include "num.h"

bool num_u64(struct span s, uint64_t min, uint64_t max, uint64_t *out)
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

/* how many digits v has, 1 for 0: its bits give the number or one more (1233 / 4096 is log10 of 2), a table tells which */
static unsigned digits_of(uint64_t v)
{
	unsigned n = (unsigned)(64 - __builtin_clzll(v | 1)) * 1233 >> 12;

	return n + (v >= num_power_of_ten[n] || v == 0);
}

/* v < 10^8 as eight characters, the first one lowest: halves, then quarters, then single digits side by side, each
 * division a multiplication that is right for numbers so small (10486 / 2^20 is 1 / 100, 103 / 2^10 is 1 / 10) */
static uint64_t eight_characters(uint64_t v)
{
	uint64_t halves = v / 10000 | v % 10000 << 32;
	uint64_t tops = halves * 10486 >> 20 & 0x0000007f0000007f;
	uint64_t quarters = tops | (halves - 100 * tops) << 16;
	uint64_t tens = quarters * 103 >> 10 & 0x000f000f000f000f;

	return tens | (quarters - 10 * tens) << 8 | 0x3030303030303030;
}

/* v < 10^16 */
static void sixteen_characters(char out[16], uint64_t v)
{
	uint64_t high = eight_characters(v / 100000000);
	uint64_t low = eight_characters(v % 100000000);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	high = __builtin_bswap64(high);
	low = __builtin_bswap64(low);
#endif
	memcpy(out, &high, 8);
	memcpy(out + 8, &low, 8);
}

char *num_print_u64(char *out, uint64_t value)
{
	const uint64_t limit = 10000000000000000; /* 10^16 */
	char text[32];

	if (value >= limit) {
		out = num_print_u64(out, value / limit);
		sixteen_characters(out, value % limit);
		return out + 16;
	}
	unsigned n = digits_of(value);
	sixteen_characters(text, value);
	memcpy(out, text + 16 - n, 16); /* what is behind the digits is rubbish */
	return out + n;
}
