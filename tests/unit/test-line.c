/* lib/line: the reader at every read size and border, the writer at a slow reader */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "json.h"
#include "line.h"

/* ------------------------------------------------------------------------------------------------------ reading */

/* what a reader gave, one entry a line: "number@offset:text" or "number@offset!" for one over the cap */
static size_t describe(const struct line_in *in, enum line_got got, struct span line, char *out)
{
	unsigned long long number = in->number;
	unsigned long long offset = in->offset;

	if (got == LINE_LONG)
		return (size_t)snprintf(out, 64, "%llu@%llu!%zu\n", number, offset, line.n);
	char *p = out + snprintf(out, 64, "%llu@%llu:", number, offset);
	memcpy(p, line.p, line.n);
	p[line.n] = '\n';
	/* the promises to lib/json: a line end behind the line, and bytes to read over */
	assert_int_equal(line.p[line.n], '\n');
	volatile char sum = 0;
	for (int i = 0; i < JSON_PAD; i++)
		sum = (char)(sum + line.p[line.n + 1 + (size_t)i]);
	return (size_t)(p + line.n + 1 - out);
}

static size_t drain(struct line_in *in, char *out)
{
	struct span line;
	enum line_got got;
	size_t n = 0;

	while ((got = line_next(in, &line)) != LINE_EMPTY)
		n += describe(in, got, line, out + n);
	return n;
}

/* `text` in reads of `step` bytes, the first one of `first` bytes */
static void read_in_steps(const char *text, size_t n, size_t first, size_t step, char *out)
{
	struct line_in in;
	int ends[2];
	size_t at = 0;

	assert_int_equal(pipe(ends), 0);
	assert_true(line_in_open(&in));
	line_in_attach(&in, ends[0]);
	for (size_t k = first; at < n; k = step) {
		k = k > n - at ? n - at : k;
		assert_int_equal(write(ends[1], text + at, k), k);
		assert_int_equal(line_fill(&in), k);
		at += k;
		out += drain(&in, out);
	}
	close(ends[1]);
	assert_int_equal(line_fill(&in), 0);
	assert_true(in.ended);
	out += drain(&in, out);
	*out = '\0';
	assert_int_equal(line_next(&in, &(struct span){ NULL, 0 }), LINE_EMPTY);
	line_in_close(&in);
	line_in_close(&in);
	close(ends[0]);
}

#define TEXT "{\"a\":1}\n\n{\"b\":22}\r\n\n\nx\n{\"last\":true}"

static void every_read_size_gives_the_same(void **state)
{
	static const char expected[] =
	    "1@0:{\"a\":1}\n2@8:\n3@9:{\"b\":22}\r\n4@19:\n5@20:\n6@21:x\n7@23:{\"last\":true}\n";
	char got[512];
	size_t n = sizeof TEXT - 1;

	(void)state;
	for (size_t step = 1; step <= n; step++)
		for (size_t first = 1; first <= n; first++) {
			read_in_steps(TEXT, n, first, step, got);
			assert_string_equal(got, expected);
		}
}

static void a_last_line_end_adds_no_line(void **state)
{
	char got[512];

	(void)state;
	read_in_steps("a\nb\n", 4, 1, 1, got);
	assert_string_equal(got, "1@0:a\n2@2:b\n");
	read_in_steps("\n", 1, 1, 1, got);
	assert_string_equal(got, "1@0:\n");
	read_in_steps("", 0, 1, 1, got);
	assert_string_equal(got, "");
}

static void nul_is_a_byte_like_others(void **state)
{
	struct line_in in;
	struct span line;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(line_in_open(&in));
	line_in_attach(&in, ends[0]);
	assert_int_equal(write(ends[1], "a\0b\nc\n", 6), 6);
	assert_int_equal(line_fill(&in), 6);
	assert_int_equal(line_next(&in, &line), LINE_ONE);
	assert_true(span_eq(line, SPAN("a\0b")));
	assert_int_equal(line_next(&in, &line), LINE_ONE);
	assert_true(span_is(line, "c"));
	line_in_close(&in);
	close(ends[0]);
	close(ends[1]);
}

/* a file: n bytes of 'x' per line */
static int file_of_lines(const size_t *lengths, size_t count, bool last_end)
{
	char name[] = "/tmp/bnc-test-line.XXXXXX";
	int fd = mkstemp(name);
	static char block[3 * LINE_MAX_BYTES];

	assert_true(fd >= 0);
	unlink(name);
	memset(block, 'x', sizeof block);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(write(fd, block, lengths[i]), lengths[i]);
		if (i + 1 < count || last_end)
			assert_int_equal(write(fd, "\n", 1), 1);
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void over_the_cap_is_skipped_whole(void **state)
{
	static const size_t lengths[] = { 3, LINE_MAX_BYTES, 5, LINE_MAX_BYTES + 1, 7, 3 * LINE_MAX_BYTES, 0,
		LINE_READ_BYTES - 1, LINE_MAX_BYTES + LINE_READ_BYTES, 9 };
	enum { N = sizeof lengths / sizeof lengths[0] };
	struct line_in in;
	struct span line;
	enum line_got got;
	uint64_t offset = 0;
	size_t i = 0;
	int fd = file_of_lines(lengths, N, true);

	(void)state;
	assert_true(line_in_open(&in));
	line_in_attach(&in, fd);
	while (!in.ended) {
		assert_true(line_fill(&in) >= 0);
		while ((got = line_next(&in, &line)) != LINE_EMPTY) {
			assert_true(i < N);
			assert_int_equal(got, lengths[i] > LINE_MAX_BYTES ? LINE_LONG : LINE_ONE);
			assert_int_equal(line.n, lengths[i] > LINE_MAX_BYTES ? LINE_MAX_BYTES : lengths[i]);
			assert_int_equal(in.offset, offset);
			offset += lengths[i++] + 1;
			assert_int_equal(in.number, i);
		}
	}
	assert_int_equal(i, N);
	line_in_close(&in);
	close(fd);
}

static void the_cap_holds_for_a_last_line_without_end(void **state)
{
	struct line_in in;
	struct span line;

	(void)state;
	for (size_t over = 0; over <= 1; over++) {
		size_t length = LINE_MAX_BYTES + over;
		size_t count = 0;
		enum line_got got, kind = LINE_EMPTY;
		int fd = file_of_lines(&length, 1, false);
		assert_true(line_in_open(&in));
		line_in_attach(&in, fd);
		while (!in.ended) {
			assert_true(line_fill(&in) >= 0);
			for (; (got = line_next(&in, &line)) != LINE_EMPTY; count++)
				kind = got;
		}
		assert_int_equal(count, 1);
		assert_int_equal(kind, over ? LINE_LONG : LINE_ONE);
		line_in_close(&in);
		close(fd);
	}
}

static void a_new_input_starts_anew(void **state)
{
	struct line_in in;
	struct span line;
	int a[2], b[2];

	(void)state;
	assert_int_equal(pipe(a), 0);
	assert_int_equal(pipe(b), 0);
	assert_int_equal(write(a[1], "one\nhalf", 8), 8);
	assert_int_equal(write(b[1], "two\n", 4), 4);
	assert_true(line_in_open(&in));
	line_in_attach(&in, a[0]);
	assert_int_equal(line_fill(&in), 8);
	assert_int_equal(line_next(&in, &line), LINE_ONE);
	line_in_attach(&in, b[0]);
	assert_int_equal(line_fill(&in), 4);
	assert_int_equal(line_next(&in, &line), LINE_ONE);
	assert_true(span_is(line, "two"));
	assert_int_equal(in.number, 1);
	assert_int_equal(in.offset, 0);
	line_in_close(&in);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static void read_errors_are_told(void **state)
{
	struct line_in in;
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	(void)state;
	assert_true(line_in_open(&in));
	line_in_attach(&in, fd);
	errno = 0;
	assert_int_equal(line_fill(&in), -1);
	assert_int_equal(errno, EISDIR);
	assert_false(in.ended);
	line_in_close(&in);
	close(fd);
}

/* ------------------------------------------------------------------------------------------------------ writing */

struct sink {
	int fd;
	size_t got;
	bool ordered; /* every line is the number that comes next */
	uint64_t next;
};

/* a reader in no hurry: 4 KiB at a time */
static void *read_slowly(void *arg)
{
	struct sink *s = arg;
	static char buf[4096 + 32];
	size_t have = 0;
	ssize_t k;

	s->ordered = true;
	while ((k = read(s->fd, buf + have, 4096)) > 0) {
		char *p = buf, *end, *nl;
		s->got += (size_t)k;
		end = buf + have + (size_t)k;
		for (; (nl = memchr(p, '\n', (size_t)(end - p))) != NULL; p = nl + 1)
			s->ordered = s->ordered && strtoull(p, NULL, 10) == s->next++;
		have = (size_t)(end - p);
		memmove(buf, p, have);
	}
	return NULL;
}

struct slow_reader {
	struct sink sink;
	pthread_t thread;
	int ends[2];
};

static void begin_reading(struct slow_reader *r, struct line_out *out)
{
	memset(r, 0, sizeof *r);
	assert_int_equal(pipe(r->ends), 0);
	r->sink.fd = r->ends[0];
	assert_true(line_out_open(out, io_own_output(r->ends[1]), -1));
	assert_int_equal(pthread_create(&r->thread, NULL, read_slowly, &r->sink), 0);
}

/* it has read so many bytes, in order */
static void end_reading(struct slow_reader *r, struct line_out *out, size_t bytes)
{
	line_out_close(out);
	close(r->ends[1]);
	pthread_join(r->thread, NULL);
	close(r->ends[0]);
	assert_int_equal(r->sink.got, bytes);
	assert_true(r->sink.ordered);
}

static void everything_reaches_a_slow_reader_in_order(void **state)
{
	struct line_out out;
	struct slow_reader reader;
	char text[32];
	size_t bytes = 0;

	(void)state;
	begin_reading(&reader, &out);
	for (unsigned i = 0; i < 200000; i++) {
		size_t n = (size_t)snprintf(text, sizeof text, "%u", i);
		assert_true(line_put(&out, (struct span){ text, n }));
		bytes += n + 1;
		assert_true(line_pending(&out) < LINE_OUT_FLUSH + 64);
	}
	assert_true(line_flush(&out));
	assert_int_equal(line_pending(&out), 0);
	assert_int_equal(out.lines, 200000);
	end_reading(&reader, &out, bytes);
}

/* runs of any length among single lines: all of it, in order */
static void lines_that_go_on_as_they_are(void **state)
{
	static char run[1u << 20];
	struct line_out out;
	struct slow_reader reader;
	size_t bytes = 0;
	unsigned number = 0;

	(void)state;
	begin_reading(&reader, &out);
	for (unsigned count = 1; count < 60000; count = count * 3 + 1) {
		char *p = run;
		for (unsigned i = 0; i < count; i++)
			p += sprintf(p, "%u\n", number++);
		assert_true(line_pass(&out, (struct span){ run, (size_t)(p - run) }, count));
		bytes += (size_t)(p - run);
		memset(run, 'x', (size_t)(p - run)); /* it was good no longer than that */
		p = run + sprintf(run, "%u", number++);
		assert_true(line_put(&out, (struct span){ run, (size_t)(p - run) }));
		bytes += (size_t)(p - run) + 1;
	}
	assert_true(line_flush(&out));
	assert_int_equal(out.lines, number);
	end_reading(&reader, &out, bytes);
	assert_int_equal(reader.sink.next, number);
}

static void fill_pipe(struct line_out *out)
{
	static char block[LINE_OUT_FLUSH];
	ssize_t k;

	memset(block, 'x', sizeof block);
	while ((k = io_write(&out->to, block, sizeof block)) > 0)
		continue;
	assert_int_equal(k, 0);
}

static void a_deadline_ends_the_wait(void **state)
{
	struct line_out out;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_true(line_out_open(&out, io_own_output(ends[1]), -1));
	fill_pipe(&out);
	assert_true(line_put(&out, SPAN("left over")));
	int64_t start = clock_mono_us();
	out.deadline = start + 50000;
	assert_false(line_flush(&out));
	assert_true(clock_mono_us() - start >= 50000);
	assert_int_equal(out.error, ETIMEDOUT);
	assert_int_equal(line_pending(&out), 10);
	assert_false(line_put(&out, SPAN("more")));
	line_out_close(&out);
	close(ends[0]);
	close(ends[1]);
}

/* what could not be written waits, as after any other write: it is told how much is lost */
static void a_run_that_is_given_up_waits(void **state)
{
	static char run[100000];
	struct line_out out;
	int ends[2];

	(void)state;
	memset(run, 'x', sizeof run);
	for (int before = 0; before < 2; before++) {
		assert_int_equal(pipe(ends), 0);
		assert_true(line_out_open(&out, io_own_output(ends[1]), -1));
		if (before) {
			fill_pipe(&out);
			assert_true(line_put(&out, SPAN("left over")));
		}
		out.deadline = clock_mono_us() + 20000;
		assert_false(line_pass(&out, (struct span){ run, sizeof run }, 1));
		assert_int_equal(out.error, ETIMEDOUT);
		assert_int_equal(line_pending(&out), before ? sizeof run + 10 : sizeof run - 65536);
		assert_int_equal(out.lines, before + 1);
		assert_false(line_pass(&out, SPAN("more\n"), 1));
		assert_int_equal(out.lines, before + 1);
		line_out_close(&out);
		close(ends[0]);
		close(ends[1]);
	}
}

static int wake_ends[2];
static int wakes;

static bool wake_and_go_on(void *user)
{
	char c;
	struct line_out *out = user;

	assert_int_equal(read(wake_ends[0], &c, 1), 1);
	wakes++;
	out->deadline = clock_mono_us() + 20000;
	return true;
}

static void a_wake_is_heard_while_waiting(void **state)
{
	struct line_out out;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(pipe(wake_ends), 0);
	assert_true(line_out_open(&out, io_own_output(ends[1]), wake_ends[0]));
	out.woken = wake_and_go_on;
	out.user = &out;
	fill_pipe(&out);
	assert_int_equal(write(wake_ends[1], "!", 1), 1);
	assert_true(line_put(&out, SPAN("x")));
	assert_false(line_flush(&out));
	assert_int_equal(wakes, 1);
	assert_int_equal(out.error, ETIMEDOUT);

	/* nobody to ask: the wait is given up */
	out.error = 0;
	out.woken = NULL;
	out.deadline = INT64_MAX;
	assert_int_equal(write(wake_ends[1], "!", 1), 1);
	assert_false(line_flush(&out));
	assert_int_equal(out.error, EINTR);
	line_out_close(&out);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(wake_ends[i]);
	}
}

static void write_errors_stay(void **state)
{
	struct line_out out;
	int fd = open("/dev/full", O_WRONLY);

	(void)state;
	assert_true(line_out_open(&out, io_own_output(fd), -1));
	assert_true(line_put(&out, SPAN("lost")));
	assert_false(line_flush(&out));
	assert_int_equal(out.error, ENOSPC);
	assert_false(line_flush(&out));
	assert_false(line_room(&out, 1));
	assert_int_equal(out.error, ENOSPC);
	line_out_close(&out);
	line_out_close(&out);
	close(fd);
}

static void room_is_what_was_asked_for(void **state)
{
	struct line_out out;
	char name[] = "/tmp/bnc-test-line.XXXXXX";
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_true(line_out_open(&out, io_own_output(fd), -1));
	assert_true(line_room(&out, LINE_OUT_BYTES));
	assert_true((size_t)(out.end - out.p) >= LINE_OUT_BYTES);
	memset(out.p, 'y', LINE_OUT_BYTES);
	out.p += LINE_OUT_BYTES;
	assert_true(line_room(&out, LINE_OUT_BYTES));
	assert_true((size_t)(out.end - out.p) >= LINE_OUT_BYTES);
	assert_int_equal(lseek(fd, 0, SEEK_END), LINE_OUT_BYTES);
	assert_false(line_room(&out, LINE_OUT_BYTES + 1));
	line_out_close(&out);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_read_size_gives_the_same),
		cmocka_unit_test(a_last_line_end_adds_no_line),
		cmocka_unit_test(nul_is_a_byte_like_others),
		cmocka_unit_test(over_the_cap_is_skipped_whole),
		cmocka_unit_test(the_cap_holds_for_a_last_line_without_end),
		cmocka_unit_test(a_new_input_starts_anew),
		cmocka_unit_test(read_errors_are_told),
		cmocka_unit_test(everything_reaches_a_slow_reader_in_order),
		cmocka_unit_test(lines_that_go_on_as_they_are),
		cmocka_unit_test(a_deadline_ends_the_wait),
		cmocka_unit_test(a_run_that_is_given_up_waits),
		cmocka_unit_test(a_wake_is_heard_while_waiting),
		cmocka_unit_test(write_errors_stay),
		cmocka_unit_test(room_is_what_was_asked_for),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
