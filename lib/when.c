#include "when.h"

#include <stdio.h>
#include <time.h>

#include "num.h"
#include "scan.h"

enum {
	SLOT_RECV = 1,
	SLOT_TS,
	SLOT_DATA,
	SLOT_EVENT,
	SLOT_E = FIELDS_OUTER,
};

static unsigned slot(const char *key, size_t n, int depth)
{
	struct span name = { key, n };

	if (n == 1 && key[0] == 'E')
		return SLOT_E;
	if (depth > 0)
		return FIELDS_SKIP;
	if (span_eq(name, SPAN("recv")))
		return SLOT_RECV;
	if (span_eq(name, SPAN("ts")))
		return SLOT_TS;
	if (span_eq(name, SPAN("data")))
		return SLOT_DATA | FIELDS_INTO;
	return span_eq(name, SPAN("event")) ? SLOT_EVENT | FIELDS_INTO : FIELDS_SKIP;
}

void when_open(struct when *w)
{
	fields_open(&w->fields, slot);
}

/* the exchange gives ms, and µs where it is asked to (bnc-wire(7)): they are a thousand apart, and this century's do not
 * overlap */
static int64_t event_time(struct json_val v)
{
	int64_t t;

	if (v.kind != JSON_INT || !num_i64(json_text(v), 0, INT64_MAX / 1000, &t))
		return WHEN_NEVER;
	return t < 100000000000000 ? t * 1000 : t;
}

static int64_t integer(const struct fields *f, unsigned s, int64_t unit)
{
	int64_t t;

	if (fields_kind(f, s) != JSON_INT || !num_i64(json_text(f->v[s]), 0, INT64_MAX / unit, &t))
		return WHEN_NEVER;
	return t * unit;
}

static int64_t first_row(struct span array)
{
	struct json r;
	struct json_val v;

	if (!json_enter_array(&r, array) || !json_next_element(&r, &v) || v.kind != JSON_OBJECT)
		return WHEN_NEVER;
	return event_time(json_find(json_text(v), "E"));
}

static int64_t object(struct when *w, struct span text)
{
	struct fields *f = &w->fields;
	int64_t us;

	if (!fields_read(f, text))
		return WHEN_NEVER;
	us = integer(f, SLOT_RECV, 1);
	w->received = us != WHEN_NEVER;
	if (w->received || (us = integer(f, SLOT_TS, 1000)) != WHEN_NEVER)
		return us;
	if (fields_has(f, SLOT_E))
		return event_time(f->v[SLOT_E]);
	return fields_kind(f, SLOT_DATA) == JSON_ARRAY ? first_row(json_text(f->v[SLOT_DATA])) : WHEN_NEVER;
}

/* What bnc-stream writes begins with its time. This is most of what is recorded, and so the rest of it is not read. */
static bool begins_with_recv(struct span line, int64_t *us)
{
	static const struct span head = { "{\"recv\":", 8 };

	if (!span_starts(line, head))
		return false;
	const char *from = line.p + head.n;
	const char *end = scan_digits(from);
	return *end == ',' && num_i64((struct span){ from, (size_t)(end - from) }, 0, INT64_MAX, us);
}

bool when_cut(struct span line, int64_t *us, struct span *frame)
{
	struct span digits = span_cut(line, ' ', frame);
	int64_t t;

	if (!frame->p || !num_i64(digits, 0, INT64_MAX, &t))
		return false;
	*us = digits.n == 13 ? t * 1000 : digits.n == 16 ? t : t / 1000;
	return digits.n == 13 || digits.n == 16 || digits.n == 19;
}

int64_t when_line(struct when *w, struct span line)
{
	struct span frame;
	struct json r;
	struct json_val v;
	int64_t us;

	w->received = begins_with_recv(line, &us);
	if (w->received)
		return us;
	if (line.n && scan_is_digit(line.p[0])) {
		w->received = when_cut(line, &us, &frame);
		return w->received ? us : WHEN_NEVER;
	}
	if (line.n && line.p[0] != '[')
		return object(w, line);
	return line.n && json_check(&r, line, &v) ? first_row(json_text(v)) : WHEN_NEVER;
}

/* ------------------------------------------------------------------------------------------------ for people */

/* exactly n digits in front of *s, which moves on */
static bool digits(struct span *s, size_t n, int min, int max, int *out)
{
	uint64_t v;

	if (s->n < n || !num_u64((struct span){ s->p, n }, (uint64_t)min, (uint64_t)max, &v))
		return false;
	*out = (int)v;
	*s = (struct span){ s->p + n, s->n - n };
	return true;
}

static bool one_of(struct span *s, const char *set)
{
	if (s->n == 0 || !strchr(set, s->p[0]) || s->p[0] == '\0')
		return false;
	*s = (struct span){ s->p + 1, s->n - 1 };
	return true;
}

/* ".123" -> 123000; nothing is 0 */
static bool fraction(struct span *s, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (!one_of(s, "."))
		return true;
	size_t n = 0;
	for (; n < s->n && scan_is_digit(s->p[n]); n++, unit /= 10)
		*us += (s->p[n] - '0') * unit;
	*s = (struct span){ s->p + n, s->n - n };
	return n > 0 && n <= 6;
}

/* "Z" or "+01:30", in seconds */
static bool zone(struct span *s, int64_t *offset)
{
	int hours, minutes;
	bool west = s->n && s->p[0] == '-';

	*offset = 0;
	if (one_of(s, "Zz"))
		return true;
	if (!one_of(s, "+-") || !digits(s, 2, 0, 23, &hours) || !one_of(s, ":") || !digits(s, 2, 0, 59, &minutes))
		return false;
	*offset = (west ? -60 : 60) * (hours * 60 + minutes);
	return true;
}

static bool date(struct span *s, struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day;

	if (!digits(s, 4, 1970, 9999, &year) || !one_of(s, "-") || !digits(s, 2, 1, 12, &month) || !one_of(s, "-") ||
	    !digits(s, 2, 1, 31, &day))
		return false;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (day > days[month - 1] + (month == 2 && leap))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

static bool rfc3339(struct span s, int64_t *us)
{
	struct tm tm = { 0 };
	int64_t part = 0, offset = 0;

	if (!date(&s, &tm))
		return false;
	if (s.n > 0 && (!one_of(&s, "Tt ") || !digits(&s, 2, 0, 23, &tm.tm_hour) || !one_of(&s, ":") ||
			   !digits(&s, 2, 0, 59, &tm.tm_min) || !one_of(&s, ":") || !digits(&s, 2, 0, 60, &tm.tm_sec) ||
			   !fraction(&s, &part) || !zone(&s, &offset)))
		return false;
	*us = ((int64_t)timegm(&tm) - offset) * 1000000 + part;
	return s.n == 0 && *us >= 0;
}

bool when_parse(struct span text, int64_t *us)
{
	struct span part;
	struct span whole = span_cut(text, '.', &part);
	int64_t seconds, rest = 0;

	if (rfc3339(text, us))
		return true;
	if (!num_i64(whole, 0, INT64_MAX, &seconds))
		return false;
	if (!part.p && whole.n >= 13) {
		*us = whole.n == 13 ? seconds * 1000 : whole.n == 16 ? seconds : seconds / 1000;
		return whole.n == 13 || whole.n == 16 || whole.n == 19;
	}
	struct span dot = { whole.p + whole.n, text.n - whole.n };
	if (whole.n > 12 || !fraction(&dot, &rest) || dot.n > 0)
		return false;
	*us = seconds * 1000000 + rest;
	return true;
}

size_t when_print(char out[WHEN_TEXT_MAX], int64_t us, int decimals)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm = { 0 };
	int part = (int)(us % 1000000) / (decimals == 3 ? 1000 : 1);

	gmtime_r(&t, &tm);
	size_t n = strftime(out, WHEN_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	if (decimals > 0)
		n += (size_t)snprintf(out + n, WHEN_TEXT_MAX - n, ".%0*d", decimals, part);
	memcpy(out + n, "Z", 2);
	return n + 1;
}
