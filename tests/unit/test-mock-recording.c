/* Lines of recordings in every layout: when, which streams, which bytes; and files of them, plain and compressed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <cmocka.h>

#include "json.h"
#include "mock_buf.h"
#include "mock_recording.h"

static bool read_line(const char *text, struct mock_take *t)
{
	static char copy[2048];
	size_t n = strlen(text);

	assert_true(n + JSON_PAD + 1 < sizeof copy);
	memset(copy, 0, sizeof copy);
	memcpy(copy, text, n);
	copy[n] = '\n';
	return mock_recording_line((struct span){ copy, n }, t);
}

static void check(const char *line, int64_t us, enum mock_market market, const char *names, const char *payload)
{
	struct mock_take t;
	struct mock_buf b = mock_buf_of(1024);

	if (!read_line(line, &t))
		fail_msg("refused: %s", line);
	for (size_t i = 0; i < t.names; i++) {
		if (i > 0)
			mock_put_char(&b, ' ');
		mock_put(&b, t.name[i]);
	}
	if (!span_is(mock_buf_span(&b), names))
		fail_msg("%.*s, not %s, from %s", (int)mock_buf_len(&b), b.p, names, line);
	assert_int_equal(t.us, us);
	assert_int_equal(t.market, market);
	assert_true(span_is(t.payload, payload));
	mock_buf_free(&b);
}

static void layouts(void **state)
{
	(void)state;
	check("{\"recv\":1790526538965462,\"market\":\"spot\",\"stream\":\"a@trade\",\"data\":{ \"e\" :1}}",
	    1790526538965462, MOCK_SPOT, "a@trade", "{ \"e\" :1}");
	check("{\"stream\":\"a@trade\",\"data\":{\"E\":1790526538940}}", 1790526538940000, MOCK_MARKETS, "a@trade",
	    "{\"E\":1790526538940}");
	check("1723161255030314667 {\"stream\":\"a@trade\",\"data\":{\"E\":5}}", 1723161255030314, MOCK_MARKETS,
	    "a@trade", "{\"E\":5}");
	check("1723161255030 {\"stream\":\"!x@arr\",\"data\":[ {\"E\":5}]}\r", 1723161255030000, MOCK_MARKETS, "!x@arr",
	    "[ {\"E\":5}]");
	check("  {\"e\":\"trade\",\"s\":\"SOLUSDT\"} ", -1, MOCK_MARKETS, "solusdt@trade",
	    "{\"e\":\"trade\",\"s\":\"SOLUSDT\"}");
}

static void bare_events_name_their_streams(void **state)
{
	static const struct {
		const char *event, *names;
	} rows[] = {
		{ "{\"e\":\"bookTicker\",\"s\":\"BTCUSD_PERP\"}", "btcusd_perp@bookTicker" },
		{ "{\"u\":7,\"s\":\"BNBUSDT\",\"b\":\"1\"}", "bnbusdt@bookTicker" },
		{ "{\"e\":\"aggTrade\",\"s\":\"\xe7\x89\x9bUSDT\"}", "\xe7\x89\x9busdt@aggTrade" },
		{ "{\"e\":\"markPriceUpdate\",\"s\":\"A\"}", "a@markPrice a@markPrice@1s" },
		{ "{\"e\":\"kline\",\"s\":\"A\",\"k\":{\"i\":\"1M\"}}", "a@kline_1M" },
		{ "{\"e\":\"24hrTicker\",\"s\":\"A\"}", "a@ticker" },
		{ "{\"e\":\"24hrMiniTicker\",\"s\":\"A\"}", "a@miniTicker" },
		{ "{\"e\":\"forceOrder\",\"o\":{\"s\":\"A\"}}", "a@forceOrder !forceOrder@arr" },
		{ "{\"e\":\"depthUpdate\",\"s\":\"A\"}", "a@depth a@depth@100ms a@depth@500ms" },
		{ "[{\"e\":\"markPriceUpdate\",\"s\":\"A\"}]", "!markPrice@arr !markPrice@arr@1s" },
		{ "[{\"e\":\"24hrTicker\",\"s\":\"A\"}]", "!ticker@arr" },
		{ "[{\"e\":\"24hrMiniTicker\",\"s\":\"A\"}]", "!miniTicker@arr" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(rows[i].event, -1, MOCK_MARKETS, rows[i].names, rows[i].event);
}

static void what_is_no_frame_is_left_out(void **state)
{
	static const char *const lines[] = { "", "   ", "hello", "17", "17 ", "{\"a\":1", "{\"result\":null,\"id\":1}",
		"[]", "[1]", "\"text\"", "17 18", "{\"e\":\"kline\"} x",
		"{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}" };
	struct mock_take t;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		if (read_line(lines[i], &t))
			fail_msg("taken: %s", lines[i]);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* bytes of a file in the making */
static struct {
	char bytes[4u << 20];
	size_t n;
} file;

static void put(struct span s)
{
	assert_true(file.n + s.n <= sizeof file.bytes);
	memcpy(file.bytes + file.n, s.p, s.n);
	file.n += s.n;
}

/* trades with the ids from..upto, a line each */
static struct span trades(int from, int upto)
{
	static char text[2u << 20];
	size_t n = 0;

	for (int i = from; i <= upto; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, "{\"e\":\"trade\",\"s\":\"A\",\"t\":%d}\n", i);
	return (struct span){ text, n };
}

/* a line that hardly gets smaller, and takes several reads of the file */
static struct span noise(void)
{
	static char text[900000];
	uint32_t x = 1;

	for (size_t i = 0; i < sizeof text; i++) {
		x = x * 1664525 + 1013904223;
		text[i] = (char)('!' + (x >> 24) % 90);
	}
	text[sizeof text - 1] = '\n';
	return (struct span){ text, sizeof text };
}

static void put_zstd(struct span text)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	size_t n = ZSTD_compress2(c, file.bytes + file.n, sizeof file.bytes - file.n, text.p, text.n);
	assert_false(ZSTD_isError(n));
	file.n += n;
	ZSTD_freeCCtx(c);
}

static void put_gzip(struct span text)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text.p,
		.avail_in = (uInt)text.n,
		.next_out = (Bytef *)file.bytes + file.n,
		.avail_out = (uInt)(sizeof file.bytes - file.n) };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	file.n += z.total_out;
	deflateEnd(&z);
}

static void open_file(struct mock_recording *r)
{
	char path[] = "/tmp/bnc-test-recording.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, file.bytes, file.n), file.n);
	close(fd);
	assert_true(mock_recording_open(r, path));
	unlink(path);
}

/* the trades from..upto come next, and then `after` */
static void gives(struct mock_recording *r, int from, int upto, enum mock_recording_got after)
{
	struct mock_take t;
	char wanted[64];

	for (int i = from; i <= upto; i++) {
		assert_int_equal(mock_recording_next(r, &t), MOCK_RECORDING_ONE);
		snprintf(wanted, sizeof wanted, "{\"e\":\"trade\",\"s\":\"A\",\"t\":%d}", i);
		assert_true(span_is(t.payload, wanted));
	}
	assert_int_equal(mock_recording_next(r, &t), after);
	assert_int_equal(r->waits, after == MOCK_RECORDING_WAIT);
}

static void plain_gzip_and_zstd_give_the_same_again_and_again(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct mock_recording r;
		void (*piece)(struct span) = kind == 0 ? put : kind == 1 ? put_gzip : put_zstd;
		file.n = 0;
		piece(trades(1, 1000));
		piece(noise());
		piece(trades(1001, 1001));
		if (piece == put_zstd) /* the index */
			put((struct span){ "\x50\x2a\x4d\x18\x03\0\0\0abc", 11 });
		open_file(&r);
		gives(&r, 1, 1001, MOCK_RECORDING_END);
		assert_true(mock_recording_rewind(&r));
		gives(&r, 1, 1001, MOCK_RECORDING_END);
		assert_int_equal(r.bad, 2);
		mock_recording_close(&r);
		mock_recording_close(&r);
	}
}

static void what_stands_before_the_damage_is_given(void **state)
{
	struct mock_recording r;

	(void)state;
	file.n = 0;
	put_zstd(trades(1, 50000)); /* longer than what is asked for at once */
	put_zstd(trades(50001, 60000));
	size_t third = file.n;
	put_zstd(trades(60001, 70000));
	size_t all = file.n;

	file.n = all - 1; /* torn */
	open_file(&r);
	gives(&r, 1, 60000, MOCK_RECORDING_FAILED);
	assert_string_equal(r.why, "the frame is cut off");
	assert_int_equal(r.at, third);
	mock_recording_close(&r);

	file.n = all; /* a bit that only the checksum tells */
	file.bytes[all - 1] ^= 1;
	open_file(&r);
	gives(&r, 1, 60000, MOCK_RECORDING_FAILED);
	assert_int_equal(r.at, third);
	mock_recording_close(&r);

	file.n = third; /* what begins there is no frame; the line before it may lack its end, so it is not given */
	put_zstd((struct span){ "{\"e\":\"trade\",\"s\":\"A\",\"t\":60001}", 31 });
	size_t fourth = file.n;
	put(SPAN("no such thing"));
	open_file(&r);
	gives(&r, 1, 60000, MOCK_RECORDING_FAILED);
	assert_int_equal(r.at, fourth);
	assert_int_equal(r.bad, 0);
	mock_recording_close(&r);
}

static void what_cannot_be_read_says_why(void **state)
{
	struct mock_recording r;
	struct mock_take t;

	(void)state;
	assert_false(mock_recording_open(&r, "/nowhere"));
	assert_int_equal(errno, ENOENT);
	assert_false(mock_recording_open(&r, "/"));
	assert_int_equal(errno, EISDIR);
	assert_true(mock_recording_open(&r, "/proc/self/mem")); /* its first page is not there */
	assert_int_equal(mock_recording_next(&r, &t), MOCK_RECORDING_FAILED);
	assert_string_equal(r.why, strerror(EIO));
	assert_int_equal(r.at, 0);
	mock_recording_close(&r);
}

/* the recording at the other end of a pipe */
static int open_pipe(struct mock_recording *r)
{
	char path[32];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
	assert_true(mock_recording_open(r, path));
	close(ends[0]);
	return ends[1];
}

static void feed(int fd, size_t from, size_t upto)
{
	assert_int_equal(write(fd, file.bytes + from, upto - from), upto - from);
}

static void a_pipe_is_waited_for(void **state)
{
	struct mock_recording r;

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		void (*piece)(struct span) = kind == 0 ? put : kind == 1 ? put_gzip : put_zstd;
		file.n = 0;
		piece(trades(1, 100));
		size_t second = file.n;
		piece(trades(101, 110));
		int fd = open_pipe(&r);
		gives(&r, 1, 0, MOCK_RECORDING_WAIT);
		feed(fd, 0, second);
		gives(&r, 1, 100, MOCK_RECORDING_WAIT);
		feed(fd, second, second + 5);
		gives(&r, 1, 0, MOCK_RECORDING_WAIT);
		feed(fd, second + 5, file.n);
		gives(&r, 101, 110, MOCK_RECORDING_WAIT);
		assert_false(mock_recording_rewind(&r));
		close(fd);
		gives(&r, 1, 0, MOCK_RECORDING_END);
		mock_recording_close(&r);
	}
}

/* one read of the pipe brings many frames: all of them come without another one */
static void what_has_been_read_is_given_before_the_pipe_is_waited_for(void **state)
{
	struct mock_recording r;

	(void)state;
	file.n = 0;
	for (int i = 0; i < 30; i++)
		put_zstd(trades(1000 * i + 1, 1000 * i + 1000));
	int fd = open_pipe(&r);
	fcntl(fd, F_SETPIPE_SZ, 1 << 20);
	feed(fd, 0, file.n);
	gives(&r, 1, 30000, MOCK_RECORDING_WAIT);
	close(fd);
	gives(&r, 1, 0, MOCK_RECORDING_END);
	mock_recording_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(bare_events_name_their_streams),
		cmocka_unit_test(what_is_no_frame_is_left_out),
		cmocka_unit_test(plain_gzip_and_zstd_give_the_same_again_and_again),
		cmocka_unit_test(what_stands_before_the_damage_is_given),
		cmocka_unit_test(what_cannot_be_read_says_why),
		cmocka_unit_test(a_pipe_is_waited_for),
		cmocka_unit_test(what_has_been_read_is_given_before_the_pipe_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
