#include "mock_recording.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "num.h"

/* --- one line ------------------------------------------------------------------------------------------------ */

/* ns, µs or ms by its size: they are a thousand apart, and this century's do not overlap */
static int64_t time_us(int64_t v)
{
	if (v >= 100000000000000000)
		return v / 1000;
	return v >= 100000000000000 ? v : v * 1000;
}

/* an integer time and a blank in front (hftbacktest's and tardis' collectors) */
static struct span cut_time(struct span line, int64_t *us)
{
	struct span rest;
	struct span head = span_cut(line, ' ', &rest);
	int64_t v;

	if (!rest.p || !num_i64(head, 0, INT64_MAX, &v))
		return line;
	*us = time_us(v);
	return rest;
}

static enum mock_market market_of(struct span word)
{
	for (unsigned m = 0; m < MOCK_MARKETS; m++)
		if (span_is(word, mock_market_word((enum mock_market)m)))
			return (enum mock_market)m;
	return MOCK_MARKETS;
}

/* lower(symbol) + tail as one more name */
static void add_name(struct mock_take *t, struct span symbol, struct span tail, struct span more)
{
	size_t n = symbol.n + tail.n + more.n;

	if (t->names == MOCK_NAMES_MAX || n > MOCK_NAME_BYTES)
		return;
	char *out = t->text[t->names];
	mock_lower(symbol, out);
	memcpy(out + symbol.n, tail.p, tail.n);
	if (more.n > 0)
		memcpy(out + symbol.n + tail.n, more.p, more.n);
	t->name[t->names++] = (struct span){ out, n };
}

static struct span string_member(struct span object, const char *key)
{
	struct json_val v = { .kind = JSON_NONE };

	if (object.p)
		v = json_find(object, key);
	return v.kind == JSON_STRING ? json_text(v) : (struct span){ NULL, 0 };
}

static void names_of_event(struct mock_take *t, struct span event, struct span e)
{
	struct span s = string_member(event, "s");
	struct span none = { NULL, 0 };

	if (span_is(e, "markPriceUpdate")) {
		add_name(t, s, SPAN("@markPrice"), none);
		add_name(t, s, SPAN("@markPrice@1s"), none);
	} else if (span_is(e, "kline")) {
		add_name(t, s, SPAN("@kline_"), string_member(json_text(json_find(event, "k")), "i"));
	} else if (span_is(e, "24hrTicker")) {
		add_name(t, s, SPAN("@ticker"), none);
	} else if (span_is(e, "24hrMiniTicker")) {
		add_name(t, s, SPAN("@miniTicker"), none);
	} else if (span_is(e, "forceOrder")) {
		add_name(t, string_member(json_text(json_find(event, "o")), "s"), SPAN("@forceOrder"), none);
		add_name(t, none, SPAN("!forceOrder@arr"), none);
	} else if (span_is(e, "depthUpdate")) {
		add_name(t, s, SPAN("@depth"), none);
		add_name(t, s, SPAN("@depth@100ms"), none);
		add_name(t, s, SPAN("@depth@500ms"), none);
	} else if (s.n > 0) { /* bookTicker, aggTrade, trade: the stream has the event's name */
		add_name(t, s, SPAN("@"), e);
	}
}

static void names_of_array(struct mock_take *t, struct span e)
{
	struct span none = { NULL, 0 };

	if (span_is(e, "markPriceUpdate")) {
		add_name(t, none, SPAN("!markPrice@arr"), none);
		add_name(t, none, SPAN("!markPrice@arr@1s"), none);
	} else if (span_is(e, "24hrTicker")) {
		add_name(t, none, SPAN("!ticker@arr"), none);
	} else if (span_is(e, "24hrMiniTicker")) {
		add_name(t, none, SPAN("!miniTicker@arr"), none);
	}
}

static void time_of_event(struct mock_take *t, struct span event)
{
	struct json_val v = json_find(event, "E");
	int64_t ms;

	if (t->us < 0 && v.kind == JSON_INT && num_i64(json_text(v), 0, INT64_MAX, &ms))
		t->us = time_us(ms);
}

/* what the payload itself says: its time, and its streams where no envelope named one */
static bool look_inside(struct mock_take *t, bool array)
{
	struct json in;
	struct json_val v;
	struct span event = t->payload;

	if (array) {
		json_enter_array(&in, t->payload);
		if (!json_next_element(&in, &v) || v.kind != JSON_OBJECT)
			return t->names > 0;
		event = json_text(v);
	}
	time_of_event(t, event);
	if (t->names > 0)
		return true;
	struct span e = string_member(event, "e");
	if (array)
		names_of_array(t, e);
	else if (e.p)
		names_of_event(t, event, e);
	else if (json_find(event, "u").kind == JSON_INT) /* spot's bookTicker has no e (bnc-wire(7) 2.1) */
		add_name(t, string_member(event, "s"), SPAN("@bookTicker"), (struct span){ NULL, 0 });
	return t->names > 0;
}

/* an object with `stream` and `data` is an envelope, ours or the exchange's; true: *array tells the payload's kind */
static bool open_envelope(struct mock_take *t, struct span text, bool *array)
{
	struct json_val data = json_find(text, "data");
	struct json_val stream = json_find(text, "stream");
	struct json_val recv = json_find(text, "recv");
	int64_t us;

	if (stream.kind != JSON_STRING || (data.kind != JSON_OBJECT && data.kind != JSON_ARRAY))
		return false;
	int n = json_unescape(json_text(stream), t->text[0], MOCK_NAME_BYTES);
	if (n <= 0)
		return false;
	t->name[t->names++] = (struct span){ t->text[0], (size_t)n };
	if (recv.kind == JSON_INT && num_i64(json_text(recv), 0, INT64_MAX, &us))
		t->us = time_us(us);
	t->market = market_of(string_member(text, "market"));
	t->payload = json_text(data);
	*array = data.kind == JSON_ARRAY;
	return true;
}

bool mock_recording_line(struct span line, struct mock_take *t)
{
	struct json in;
	struct json_val v;

	t->us = -1;
	t->market = MOCK_MARKETS;
	t->names = 0;
	struct span text = cut_time(line, &t->us);
	t->payload = span_trim(text);
	if (t->payload.n == 0 || !json_check(&in, text, &v) || (v.kind != JSON_OBJECT && v.kind != JSON_ARRAY))
		return false;
	bool array = v.kind == JSON_ARRAY;
	if (!array)
		open_envelope(t, t->payload, &array);
	return look_inside(t, array);
}

/* --- the file ------------------------------------------------------------------------------------------------ */

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

static long take(void *user, char *p, size_t n)
{
	struct mock_recording *r = user;

	return unpack_read(&r->unpack, p, n, !r->pipe || readable(r->fd));
}

static void begin(struct mock_recording *r)
{
	line_in_attach(&r->in, r->fd);
	unpack_attach(&r->unpack, r->fd);
}

/* a FIFO is not waited for here: its writer may come later */
static bool open_file(struct mock_recording *r, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") != 0)
		r->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &st) < 0)
		return false;
	r->pipe = !S_ISREG(st.st_mode);
	if (S_ISDIR(st.st_mode))
		errno = EISDIR;
	return !S_ISDIR(st.st_mode);
}

bool mock_recording_open(struct mock_recording *r, const char *path)
{
	*r = (struct mock_recording){ .fd = STDIN_FILENO };
	if (open_file(r, path) && unpack_open(&r->unpack) && line_in_open_for(&r->in, UNPACK_FRAME_MAX, take, r)) {
		begin(r);
		return true;
	}
	int saved = errno;
	mock_recording_close(r);
	errno = saved;
	return false;
}

void mock_recording_close(struct mock_recording *r)
{
	line_in_close(&r->in);
	unpack_close(&r->unpack);
	if (r->fd > 0)
		close(r->fd);
	r->fd = -1;
}

bool mock_recording_rewind(struct mock_recording *r)
{
	if (r->pipe || lseek(r->fd, 0, SEEK_SET) < 0)
		return false;
	begin(r);
	return true;
}

static enum mock_recording_got failed(struct mock_recording *r, const char *why, uint64_t at)
{
	r->why = why;
	r->at = at;
	return MOCK_RECORDING_FAILED;
}

enum mock_recording_got mock_recording_next(struct mock_recording *r, struct mock_take *t)
{
	r->waits = false;
	for (;;) {
		struct span line;
		enum line_got got = line_next(&r->in, &line);
		if (got == LINE_ONE) {
			if (mock_recording_line(line, t))
				return MOCK_RECORDING_ONE;
			r->bad += span_trim(line).n > 0;
			continue;
		}
		if (got == LINE_LONG) {
			r->bad++;
			continue;
		}
		if (r->in.ended)
			return MOCK_RECORDING_END;
		long n = line_fill(&r->in); /* 0: the end, behind a last line that may lack its '\n' */
		if (n == UNPACK_MORE && r->pipe) {
			r->waits = true;
			return MOCK_RECORDING_WAIT;
		}
		if (n == UNPACK_FAILED)
			return failed(r, strerror(errno), r->unpack.offset);
		if (n == UNPACK_BROKEN)
			return failed(r, r->unpack.why, r->unpack.at);
	}
}
