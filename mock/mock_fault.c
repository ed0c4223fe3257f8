#include "mock_fault.h"

#include "num.h"

enum arg {
	ARG_NONE,
	ARG_COUNT,    /* a number of at least 1 (default: the row's) */
	ARG_STREAM,   /* a number and perhaps a stream name */
	ARG_SIZE,     /* bytes */
	ARG_TIME,     /* a duration; none: for ever */
	ARG_TIME_DUE, /* a duration that must be there */
	ARG_SLOW,     /* a duration and perhaps a number of bytes */
	ARG_CHOICE,   /* one of the row's words, or nothing: the first */
	ARG_WORD_DUE, /* one of the row's words */
	ARG_CERT,
	ARG_HTTP,
	ARG_CLOSE,
	ARG_TEXT,
	ARG_HEX,
	ARG_ERROR,
	ARG_REST,
	ARG_REST_BAD,
	ARG_REST_TIME,
};

struct row {
	const char *word;
	enum mock_verb verb;
	enum mock_stage stage;
	enum arg arg;
	int64_t usual;	     /* what a number is when none is given; 0: it must be given */
	const char *choices; /* words with a blank between */
};

static const struct row rows[] = {
	{ "refuse", MOCK_V_REFUSE, MOCK_STAGE_SERVER, ARG_TIME, 0, NULL },
	{ "listen", MOCK_V_LISTEN, MOCK_STAGE_SERVER, ARG_NONE, 0, NULL },
	{ "no-accept", MOCK_V_NO_ACCEPT, MOCK_STAGE_SERVER, ARG_TIME, 0, NULL },
	{ "cert", MOCK_V_CERT, MOCK_STAGE_SERVER, ARG_CERT, 0, NULL },
	{ "wait", MOCK_V_WAIT, MOCK_STAGE_SERVER, ARG_TIME_DUE, 0, NULL },
	{ "log", MOCK_V_LOG, MOCK_STAGE_SERVER, ARG_NONE, 0, NULL },
	{ "clear", MOCK_V_CLEAR, MOCK_STAGE_SERVER, ARG_NONE, 0, NULL },
	{ "tls", MOCK_V_TLS, MOCK_STAGE_TCP, ARG_WORD_DUE, 0, "silent garbage close rst" },
	{ "http", MOCK_V_HTTP, MOCK_STAGE_HTTP, ARG_HTTP, 0, NULL },
	{ "no-answer", MOCK_V_NO_ANSWER, MOCK_STAGE_HTTP, ARG_NONE, 0, NULL },
	{ "bad-accept", MOCK_V_BAD_ACCEPT, MOCK_STAGE_HTTP, ARG_NONE, 0, NULL },
	{ "not-http", MOCK_V_NOT_HTTP, MOCK_STAGE_HTTP, ARG_NONE, 0, NULL },
	{ "hang-up", MOCK_V_HANG_UP, MOCK_STAGE_HTTP, ARG_NONE, 0, NULL },
	{ "headers", MOCK_V_HEADERS, MOCK_STAGE_HTTP, ARG_SIZE, 0, NULL },
	{ "extension", MOCK_V_EXTENSION, MOCK_STAGE_HTTP, ARG_NONE, 0, NULL },
	{ "rest", MOCK_V_REST, MOCK_STAGE_REST, ARG_REST, 0, NULL },
	{ "rest-bad", MOCK_V_REST_BAD, MOCK_STAGE_REST, ARG_REST_BAD, 0, "cut empty html text array" },
	{ "rest-delay", MOCK_V_REST_DELAY, MOCK_STAGE_REST, ARG_REST_TIME, 0, NULL },
	{ "rest-lag", MOCK_V_REST_LAG, MOCK_STAGE_LAG, ARG_REST_TIME, 0, NULL },
	{ "cut", MOCK_V_CUT, MOCK_STAGE_CONN, ARG_CHOICE, 0, "fin tls rst mid-frame mid-header" },
	{ "close", MOCK_V_CLOSE, MOCK_STAGE_CONN, ARG_CLOSE, 1000, NULL },
	{ "silence", MOCK_V_SILENCE, MOCK_STAGE_CONN, ARG_TIME, 0, NULL },
	{ "hold", MOCK_V_HOLD, MOCK_STAGE_CONN, ARG_TIME_DUE, 0, NULL },
	{ "half-open", MOCK_V_HALF_OPEN, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "no-pong", MOCK_V_NO_PONG, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "no-ping", MOCK_V_NO_PING, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "slow", MOCK_V_SLOW, MOCK_STAGE_CONN, ARG_SLOW, 1, NULL },
	{ "split", MOCK_V_SPLIT, MOCK_STAGE_CONN, ARG_COUNT, 0, NULL },
	{ "dup", MOCK_V_DUP, MOCK_STAGE_CONN, ARG_STREAM, 1, NULL },
	{ "reorder", MOCK_V_REORDER, MOCK_STAGE_CONN, ARG_STREAM, 2, NULL },
	{ "drop", MOCK_V_DROP, MOCK_STAGE_CONN, ARG_STREAM, 1, NULL },
	{ "newline", MOCK_V_NEWLINE, MOCK_STAGE_CONN, ARG_STREAM, 1, NULL },
	{ "garbage", MOCK_V_GARBAGE, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "rsv", MOCK_V_RSV, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "bad-opcode", MOCK_V_BAD_OPCODE, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "stray", MOCK_V_STRAY, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "interleave", MOCK_V_INTERLEAVE, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "long-control", MOCK_V_LONG_CONTROL, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "split-control", MOCK_V_SPLIT_CONTROL, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "endless", MOCK_V_ENDLESS, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "bad-length", MOCK_V_BAD_LENGTH, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "huge", MOCK_V_HUGE, MOCK_STAGE_CONN, ARG_SIZE, 2 << 20, NULL },
	{ "bad-utf8", MOCK_V_BAD_UTF8, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "binary", MOCK_V_BINARY, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "masked", MOCK_V_MASKED, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "empty", MOCK_V_EMPTY, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "empty-fragments", MOCK_V_EMPTY_FRAGMENTS, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "ping", MOCK_V_PING, MOCK_STAGE_CONN, ARG_SIZE, 13, NULL },
	{ "pings", MOCK_V_PINGS, MOCK_STAGE_CONN, ARG_COUNT, 5, NULL },
	{ "pong", MOCK_V_PONG, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "say", MOCK_V_SAY, MOCK_STAGE_CONN, ARG_TEXT, 0, NULL },
	{ "raw", MOCK_V_RAW, MOCK_STAGE_CONN, ARG_HEX, 0, NULL },
	{ "shutdown", MOCK_V_SHUTDOWN, MOCK_STAGE_CONN, ARG_CHOICE, 0, "stream api" },
	{ "error", MOCK_V_ERROR, MOCK_STAGE_CONN, ARG_ERROR, 0, "bare wrapped" },
	{ "subscribe-silence", MOCK_V_SUBSCRIBE_SILENCE, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "age", MOCK_V_AGE, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
	{ "heal", MOCK_V_HEAL, MOCK_STAGE_CONN, ARG_NONE, 0, NULL },
};

/* the next word, or an empty span */
static struct span word(struct span *rest)
{
	struct span more;
	struct span s = span_cut(span_trim(*rest), ' ', &more);

	*rest = more.p ? span_trim(more) : (struct span){ s.p + s.n, 0 };
	return s;
}

static const char *keep(struct mock_fault *f, struct span text)
{
	if (text.n >= sizeof f->text)
		return "the text is too long";
	memcpy(f->text, text.p, text.n);
	f->text[text.n] = '\0';
	f->text_n = text.n;
	return NULL;
}

static const char *choice(struct mock_fault *f, const struct row *row, struct span w)
{
	struct span list = span_of(row->choices);

	for (f->n = 0; list.p; f->n++)
		if (span_eq(w, span_cut(list, ' ', &list)))
			return NULL;
	return row->choices;
}

static const char *count(struct mock_fault *f, const struct row *row, struct span w)
{
	uint64_t n;

	f->n = row->usual;
	if (w.n == 0)
		return row->usual > 0 ? NULL : "a number is missing";
	if (!num_u64(w, 1, 1000000, &n))
		return "not a number between 1 and 1000000";
	f->n = (int64_t)n;
	return NULL;
}

static const char *size(struct mock_fault *f, const struct row *row, struct span w)
{
	uint64_t n;

	f->n = row->usual;
	if (w.n == 0)
		return row->usual > 0 ? NULL : "a size is missing";
	if (!num_size(w, 7u << 20, &n))
		return "not a size of at most 7M";
	f->n = (int64_t)n;
	return NULL;
}

static const char *duration(struct mock_fault *f, struct span w, bool due)
{
	f->us = MOCK_FAULT_FOREVER;
	if (w.n == 0)
		return due ? "a duration is missing" : NULL;
	return num_duration(w, &f->us) && f->us < INT64_MAX / 4 ? NULL : "not a duration";
}

static const char *http(struct mock_fault *f, struct span rest)
{
	uint64_t n;

	if (!num_u64(word(&rest), 200, 599, &n))
		return "not an HTTP status";
	f->n = (int64_t)n;
	f->more = -1;
	while (rest.n > 0) {
		struct span value;
		struct span key = span_cut(word(&rest), '=', &value);
		if (span_is(key, "retry-after") && value.p && num_u64(value, 0, 1000000, &n))
			f->more = (int64_t)n;
		else if (span_is(key, "location") && value.p && !keep(f, value))
			continue;
		else
			return "behind the status: retry-after=SECONDS or location=URL";
	}
	return NULL;
}

static const char *path_of(struct mock_fault *f, struct span path)
{
	if (path.n == 0 || path.n >= sizeof f->path || path.p[0] != '/')
		return "not a path";
	memcpy(f->path, path.p, path.n);
	return NULL;
}

/* behind the status: retry-after=SECONDS, path=/PATH, and at last code=N and the message */
static const char *rest_reply(struct mock_fault *f, struct span rest)
{
	uint64_t n;

	if (!num_u64(word(&rest), 200, 599, &n))
		return "not an HTTP status";
	f->n = (int64_t)n;
	f->more = -1;
	while (rest.n > 0) {
		struct span value;
		struct span key = span_cut(word(&rest), '=', &value);
		const char *why = "behind the status: retry-after=SECONDS, path=/PATH, code=N message";
		if (span_is(key, "retry-after") && value.p && num_u64(value, 0, 1000000, &n)) {
			f->more = (int64_t)n;
			why = NULL;
		} else if (span_is(key, "path") && value.p) {
			why = path_of(f, value);
		} else if (span_is(key, "code") && value.p && num_i64(value, -100000, 100000, &f->code) &&
			   f->code != 0) {
			return keep(f, rest);
		}
		if (why)
			return why;
	}
	return NULL;
}

/* of an argument perhaps path=/PATH */
static const char *maybe_path(struct mock_fault *f, struct span rest)
{
	struct span value;

	if (rest.n == 0)
		return NULL;
	return span_is(span_cut(rest, '=', &value), "path") && value.p ? path_of(f, value) : "behind it: path=/PATH";
}

static const char *rest_bad(struct mock_fault *f, const struct row *row, struct span rest)
{
	const char *why = choice(f, row, word(&rest));

	return why ? why : maybe_path(f, rest);
}

static const char *rest_time(struct mock_fault *f, struct span rest)
{
	const char *why = duration(f, word(&rest), true);

	if (!why && f->us > 60000000)
		why = "not a duration of at most a minute";
	return why ? why : maybe_path(f, rest);
}

static const char *closing(struct mock_fault *f, struct span rest)
{
	struct span w = word(&rest);
	uint64_t n = 1000;

	if (span_is(w, "none"))
		n = 0;
	else if (w.n > 0 && !num_u64(w, 0, 65535, &n))
		return "not a close code";
	f->n = (int64_t)n;
	return rest.n > 123 ? "a reason has at most 123 bytes" : keep(f, rest);
}

static const char *error(struct mock_fault *f, const struct row *row, struct span rest)
{
	const char *why = choice(f, row, word(&rest));

	if (!why && !num_i64(word(&rest), -100000, 100000, &f->more))
		why = "not an error code";
	return why ? why : keep(f, rest);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *hex(struct mock_fault *f, struct span rest)
{
	if (rest.n == 0 || rest.n % 2 || rest.n / 2 > sizeof f->text)
		return "not pairs of hexadecimal digits";
	for (size_t i = 0; i < rest.n; i += 2) {
		int high = nibble(rest.p[i]);
		int low = nibble(rest.p[i + 1]);
		if (high < 0 || low < 0)
			return "not pairs of hexadecimal digits";
		f->text[i / 2] = (char)(unsigned char)(high << 4 | low);
	}
	f->text_n = rest.n / 2;
	return NULL;
}

static const char *slow(struct mock_fault *f, const struct row *row, struct span rest)
{
	const char *why = duration(f, word(&rest), true);

	return why ? why : count(f, row, rest);
}

static const char *stream(struct mock_fault *f, const struct row *row, struct span rest)
{
	const char *why = count(f, row, word(&rest));

	return why ? why : keep(f, rest);
}

static const char *arguments(struct mock_fault *f, const struct row *row, struct span rest)
{
	switch (row->arg) {
	case ARG_NONE:
		return rest.n > 0 ? "it takes no argument" : NULL;
	case ARG_COUNT:
		return count(f, row, rest);
	case ARG_STREAM:
		return stream(f, row, rest);
	case ARG_SIZE:
		return size(f, row, rest);
	case ARG_TIME:
	case ARG_TIME_DUE:
		return duration(f, rest, row->arg == ARG_TIME_DUE);
	case ARG_SLOW:
		return slow(f, row, rest);
	case ARG_CHOICE:
		return rest.n == 0 ? NULL : choice(f, row, rest);
	case ARG_WORD_DUE:
		return choice(f, row, rest);
	case ARG_CERT:
		return mock_tls_word(rest, &f->cert)
			   ? NULL
			   : "good wrong-name expired not-yet-valid self-signed unknown-ca tls1.1";
	case ARG_HTTP:
		return http(f, rest);
	case ARG_CLOSE:
		return closing(f, rest);
	case ARG_TEXT:
		return keep(f, rest);
	case ARG_HEX:
		return hex(f, rest);
	case ARG_ERROR:
		return error(f, row, rest);
	case ARG_REST:
		return rest_reply(f, rest);
	case ARG_REST_BAD:
		return rest_bad(f, row, rest);
	case ARG_REST_TIME:
		return rest_time(f, rest);
	}
	return "a fault of no kind";
}

static int tier_word(struct span w)
{
	static const char *const words[] = { "/", "/public", "/market", "/private" };

	for (int i = 0; i < 4; i++)
		if (span_is(w, words[i]))
			return i;
	return -1;
}

/* "#2", "each", "next 3", "/market", "user", "at 10" in any order before the verb */
static const char *selectors(struct mock_fault *f, struct span *rest, struct span *verb)
{
	for (;;) {
		struct span w = word(rest);
		uint64_t n;
		if (w.n > 1 && w.p[0] == '#') {
			f->whom = MOCK_WHOM_NUMBER;
			if (!num_u64((struct span){ w.p + 1, w.n - 1 }, 1, UINT32_MAX, &f->count))
				return "not the number of a connection";
		} else if (span_is(w, "each")) {
			f->whom = MOCK_WHOM_EACH;
		} else if (span_is(w, "next")) {
			struct span after = *rest;
			f->whom = MOCK_WHOM_NEXT;
			f->count = 1;
			if (num_u64(word(&after), 1, 1000000, &f->count))
				*rest = after;
		} else if (span_is(w, "at")) {
			if (!num_u64(word(rest), 0, 1u << 30, &n))
				return "behind 'at' stands a number of messages";
			f->at = (int64_t)n;
		} else if (span_is(w, "user")) {
			f->user = true;
		} else if (tier_word(w) >= 0) {
			f->tier = tier_word(w);
		} else {
			*verb = w;
			return NULL;
		}
	}
}

const char *mock_fault_parse(struct span line, struct mock_fault *f)
{
	struct span rest = span_trim(line);
	struct span verb;

	*f = (struct mock_fault){ .tier = -1 };
	const char *why = selectors(f, &rest, &verb);
	for (size_t i = 0; !why && i < sizeof rows / sizeof rows[0]; i++) {
		if (!span_is(verb, rows[i].word))
			continue;
		f->verb = rows[i].verb;
		f->stage = rows[i].stage;
		f->word = rows[i].word;
		if (f->stage != MOCK_STAGE_CONN && f->at > 0)
			return "'at' is for connections that are open";
		if (f->stage < MOCK_STAGE_HTTP && (f->tier >= 0 || f->user))
			return "the tier is not known that early";
		if ((f->stage == MOCK_STAGE_REST || f->stage == MOCK_STAGE_LAG) && (f->tier >= 0 || f->user))
			return "it is about requests, which have no tier";
		if (f->stage == MOCK_STAGE_SERVER && f->whom != MOCK_WHOM_ANY)
			return "it is not about a connection";
		return arguments(f, &rows[i], rest);
	}
	return why ? why : "no such fault";
}
