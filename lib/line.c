#include "line.h"

#include "clock.h"
#include "json.h"

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

/* Before the base there is room for the unfinished line, behind the bytes of one read for the '\n' and the padding that
 * lib/json reads over. Both are whole pages, so that the base is page-aligned. */
#define PAGE  4096u
#define CARRY (LINE_MAX_BYTES + PAGE)

#define PASS_BYTES (32u << 10) /* fewer are cheaper to copy than a write(2) of their own */

_Static_assert(JSON_PAD < PAGE && LINE_PAD <= PAGE, "the page behind a read holds the line end and the padding");

static char *take_pages(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static size_t map_bytes(const struct line_in *in)
{
	return CARRY + in->at_once + PAGE;
}

static long take_from_fd(void *user, char *p, size_t n)
{
	const struct line_in *in = user;

	return (long)read(in->fd, p, n);
}

bool line_in_open_for(struct line_in *in, size_t at_once, long (*take)(void *user, char *p, size_t n), void *user)
{
	*in = (struct line_in){ .fd = -1, .take = take, .user = user, .at_once = at_once };
	in->map = take_pages(map_bytes(in));
	if (!in->map)
		return false;
	in->base = in->map + CARRY;
	line_in_attach(in, -1);
	return true;
}

bool line_in_open(struct line_in *in)
{
	return line_in_open_for(in, LINE_READ_BYTES, take_from_fd, in);
}

void line_in_resume(struct line_in *in)
{
	in->ended = false;
	in->skipping = false;
	in->lo = in->hi = in->nl = in->base;
}

void line_in_attach(struct line_in *in, int fd)
{
	in->fd = fd;
	line_in_resume(in);
	in->number = in->offset = in->next = 0;
}

void line_in_close(struct line_in *in)
{
	if (in->map)
		munmap(in->map, map_bytes(in));
	*in = (struct line_in){ .fd = -1 };
}

long line_fill(struct line_in *in)
{
	size_t rest = (size_t)(in->hi - in->lo);

	if (in->hi != in->base) {
		memmove(in->base - rest, in->lo, rest);
		in->lo = in->base - rest;
		in->hi = in->nl = in->base;
	}
	long k = in->take(in->user, in->base, in->at_once);
	if (k > 0)
		in->hi = in->base + k;
	if (k == 0)
		in->ended = true;
	return k;
}

/* the bytes up to `end` are done with */
static void pass(struct line_in *in, char *end)
{
	in->next += (uint64_t)(end - in->lo);
	in->lo = end;
	if (in->nl < end)
		in->nl = end;
}

/* the '\n' of the line at lo, NULL while it has not come */
static char *find_end(struct line_in *in)
{
	char *end = in->nl < in->hi ? memchr(in->nl, '\n', (size_t)(in->hi - in->nl)) : NULL;

	in->nl = end ? end : in->hi;
	return end;
}

/* the line from lo to end; what stands behind it starts at rest */
static enum line_got give(struct line_in *in, char *end, char *rest, struct span *line)
{
	size_t n = (size_t)(end - in->lo);
	bool over = n > LINE_MAX_BYTES;

	*line = (struct span){ in->lo, over ? LINE_MAX_BYTES : n };
	in->number++;
	in->offset = in->next;
	pass(in, rest);
	return over ? LINE_LONG : LINE_ONE;
}

enum line_got line_next_slow(struct line_in *in, struct span *line)
{
	char *end = find_end(in);

	if (in->skipping) {
		pass(in, end ? end + 1 : in->hi);
		if (!end)
			return LINE_EMPTY;
		in->skipping = false;
		end = find_end(in);
	}
	if (end)
		return give(in, end, end + 1, line);
	if ((size_t)(in->hi - in->lo) > LINE_MAX_BYTES) {
		in->skipping = true;
		return give(in, in->hi, in->hi, line);
	}
	if (!in->ended || in->lo == in->hi)
		return LINE_EMPTY;
	*in->hi = '\n';
	return give(in, in->hi, in->hi, line);
}

/* ---------------------------------------------------------------------------------------------------- lines out */

bool line_out_open(struct line_out *out, struct io_out to, int wake)
{
	*out = (struct line_out){ .to = to, .wake = wake, .deadline = INT64_MAX };
	out->buf = out->p = take_pages(LINE_OUT_BYTES);
	out->end = out->buf ? out->buf + LINE_OUT_BYTES : NULL;
	return out->buf != NULL;
}

void line_out_close(struct line_out *out)
{
	if (out->buf)
		munmap(out->buf, LINE_OUT_BYTES);
	out->buf = out->p = out->end = NULL;
}

/* until the reader takes bytes again; false: given up, out->error says why */
static bool await_reader(struct line_out *out)
{
	struct pollfd fds[2] = { { .fd = out->to.fd, .events = POLLOUT }, { .fd = out->wake, .events = POLLIN } };

	for (;;) {
		int n = poll(fds, 2, clock_wait_ms(out->deadline));
		if (n < 0 && errno != EINTR) {
			out->error = errno;
			return false;
		}
		if (n > 0 && fds[1].revents && (!out->woken || !out->woken(out->user))) {
			out->error = EINTR;
			return false;
		}
		if (n > 0 && fds[0].revents)
			return true; /* also when the reader has gone: the next write says so */
		if (out->deadline <= clock_mono_us()) {
			out->error = ETIMEDOUT;
			return false;
		}
	}
}

/* writes what stands from `from` to `to`; the first byte that was not, `to` but after an error */
static const char *write_out(struct line_out *out, const char *from, const char *to)
{
	while (!out->error && from < to) {
		ssize_t k = io_write(&out->to, from, (size_t)(to - from));
		if (k < 0)
			out->error = errno;
		else if (k > 0)
			from += k;
		else
			await_reader(out);
	}
	return from;
}

/* the bytes are what waits now, and all that does */
static void keep(struct line_out *out, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (n && from != out->buf)
		memmove(out->buf, from, n);
	out->p = out->buf + n;
}

bool line_flush(struct line_out *out)
{
	keep(out, write_out(out, out->buf, out->p), out->p);
	return out->error == 0;
}

/* Of what has gathered whole pages go out, as a pipe keeps them: twice as much fits it exactly. */
bool line_room_slow(struct line_out *out, size_t n)
{
	size_t waiting = line_pending(out);

	if (out->error)
		return false;
	if (waiting >= LINE_OUT_FLUSH)
		keep(out, write_out(out, out->buf, out->p - waiting % PAGE), out->p);
	if (!out->error && n > (size_t)(out->end - out->p))
		(void)line_flush(out);
	return !out->error && n <= (size_t)(out->end - out->p);
}

bool line_pass(struct line_out *out, struct span lines, uint64_t count)
{
	const char *end = lines.p + lines.n;

	if (!line_room(out, lines.n))
		return false;
	out->lines += count;
	if (lines.n >= PASS_BYTES && line_flush(out)) {
		keep(out, write_out(out, lines.p, end), end);
	} else {
		memcpy(out->p, lines.p, lines.n);
		out->p += lines.n;
	}
	return out->error == 0;
}

bool line_put(struct line_out *out, struct span line)
{
	if (!line_room(out, line.n + 1))
		return false;
	memcpy(out->p, line.p, line.n);
	out->p += line.n;
	*out->p++ = '\n';
	out->lines++;
	return true;
}
