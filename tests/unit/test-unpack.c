/* lib/unpack: the three kinds, torn and damaged at every place, from files and from pipes that bring a byte at a time */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "unpack.h"

#define OFFER (UNPACK_FRAME_MAX + 4096)

static char text[300000]; /* what is packed */
static char *offer;	  /* exactly what is offered, so that sanitizers see a byte too many */
static struct unpack u;

struct packed {
	char *p;
	size_t n;
};

static int start(void **state)
{
	(void)state;
	for (size_t i = 0, line = 0; i < sizeof text; line++)
		i += (size_t)snprintf(text + i, sizeof text - i, "{\"a\":%zu,\"b\":\"%zx\"}\n", line, line * line * 7919);
	offer = malloc(OFFER);
	return offer && unpack_open(&u) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	unpack_close(&u);
	free(offer);
	return 0;
}

static void add(struct packed *p, const void *bytes, size_t n)
{
	p->p = realloc(p->p, p->n + n);
	assert_non_null(p->p);
	memcpy(p->p + p->n, bytes, n);
	p->n += n;
}

/* text[from, from + n) as one frame; sized: it says how long it is */
static void add_frame(struct packed *p, size_t from, size_t n, bool sized)
{
	size_t cap = ZSTD_compressBound(n);
	char *frame = malloc(cap);
	ZSTD_CCtx *z = ZSTD_createCCtx();

	assert_true(frame && z);
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	ZSTD_CCtx_setParameter(z, ZSTD_c_contentSizeFlag, sized);
	size_t k = ZSTD_compress2(z, frame, cap, text + from, n);
	assert_false(ZSTD_isError(k));
	add(p, frame, k);
	ZSTD_freeCCtx(z);
	free(frame);
}

static void add_skippable(struct packed *p, uint8_t n)
{
	char frame[8 + 255] = { 0x5b, 0x2a, 0x4d, 0x18, (char)n, 0, 0, 0 };

	add(p, frame, 8u + n);
}

static void add_gzip(struct packed *p, size_t from, size_t n)
{
	z_stream z = { 0 };
	size_t cap = n + 1000;
	char *out = malloc(cap);

	assert_non_null(out);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)text + from;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	add(p, out, cap - z.avail_out);
	deflateEnd(&z);
	free(out);
}

static int file_of(const char *p, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* reads a regular file to its end: what it gave must be the text up to there; *given says how far. The last answer. */
static long read_file(int fd, size_t at_once, size_t *given)
{
	long k;

	*given = 0;
	unpack_attach(&u, fd);
	while ((k = unpack_read(&u, offer, at_once, true)) > 0 || k == UNPACK_MORE) {
		if (k > 0) {
			assert_true(*given + (size_t)k <= sizeof text);
			assert_memory_equal(offer, text + *given, (size_t)k);
			*given += (size_t)k;
		}
	}
	close(fd);
	return k;
}

static void reads_whole(const struct packed *p, size_t n)
{
	static const size_t sizes[] = { OFFER, 4096, 100, 1 };
	size_t given;

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		assert_int_equal(read_file(file_of(p->p, p->n), sizes[i], &given), 0);
		assert_int_equal(given, n);
	}
}

static void plain(void **state)
{
	struct packed p = { NULL, 0 };

	(void)state;
	add(&p, text, sizeof text);
	reads_whole(&p, sizeof text);
	p.n = 1;
	reads_whole(&p, 1);
	p.n = 0;
	reads_whole(&p, 0);
	assert_int_equal(u.kind, UNPACK_PLAIN);
	free(p.p);
}

static void zstd_frames_and_skippable_ones(void **state)
{
	struct packed p = { NULL, 0 };

	(void)state;
	add_skippable(&p, 0);
	add_frame(&p, 0, 100000, true);
	add_frame(&p, 100000, 0, true);
	add_skippable(&p, 200);
	add_frame(&p, 100000, 1, true);
	add_frame(&p, 100001, 150000, false);
	add_frame(&p, 250001, sizeof text - 250001, true);
	add_skippable(&p, 255);
	reads_whole(&p, sizeof text);
	assert_int_equal(u.kind, UNPACK_ZSTD);
	free(p.p);
}

static void gzip_members_and_the_zeros_of_a_tape(void **state)
{
	static const char zeros[1000];
	struct packed p = { NULL, 0 };

	(void)state;
	add_gzip(&p, 0, 1);
	add_gzip(&p, 1, 0);
	add_gzip(&p, 1, 200000);
	add_gzip(&p, 200001, sizeof text - 200001);
	reads_whole(&p, sizeof text);
	add(&p, zeros, sizeof zeros);
	reads_whole(&p, sizeof text);
	assert_int_equal(u.kind, UNPACK_GZIP);
	free(p.p);
}

/* a frame that comes in one piece is given whole or not at all; the offset told is its own */
static void a_torn_frame_is_told_with_its_offset(void **state)
{
	struct packed p = { NULL, 0 };
	size_t given;

	(void)state;
	add_frame(&p, 0, 1000, true);
	size_t second = p.n;
	add_frame(&p, 1000, 1000, true);
	size_t third = p.n;
	add_frame(&p, 2000, 1000, true);
	for (size_t n = 1; n < p.n; n++) {
		size_t whole = n < second ? 0 : n < third ? 1 : 2;
		size_t at = n < second ? 0 : n < third ? second : third;
		long k = read_file(file_of(p.p, n), OFFER, &given);
		assert_int_equal(given, 1000 * whole);
		assert_int_equal(k, n == second || n == third ? 0 : UNPACK_BROKEN);
		if (k == UNPACK_BROKEN) {
			assert_int_equal(u.at, at);
			assert_string_equal(u.why, "the frame is cut off");
		}
	}
	free(p.p);
}

static void torn_streams_give_what_they_have(void **state)
{
	struct packed z = { NULL, 0 }, g = { NULL, 0 };
	size_t given;

	(void)state;
	add_frame(&z, 0, sizeof text, false);
	add_gzip(&g, 0, sizeof text);
	assert_int_equal(read_file(file_of(z.p, z.n / 2), OFFER, &given), UNPACK_BROKEN);
	assert_true(u.at <= z.n / 2 && u.at + 200 > z.n / 2);
	assert_int_equal(read_file(file_of(g.p, g.n / 2), OFFER, &given), UNPACK_BROKEN);
	assert_int_equal(u.at, g.n / 2);
	assert_true(given > sizeof text / 4);
	free(z.p);
	free(g.p);
}

/* one byte changed anywhere: nothing is given that was not packed */
static void damage_never_gives_other_bytes(void **state)
{
	struct packed p = { NULL, 0 };
	size_t given;

	(void)state;
	add_frame(&p, 0, 700, true);
	size_t second = p.n;
	add_frame(&p, 700, 700, true);
	size_t third = p.n;
	add_frame(&p, 1400, 700, true);
	for (size_t i = second; i < third; i++) {
		for (int bit = 0; bit < 8; bit++) {
			p.p[i] ^= (char)(1 << bit);
			long k = read_file(file_of(p.p, p.n), OFFER, &given);
			/* some bits of a header mean nothing; a longer skip or an unknown size may swallow the rest */
			if (k == 0)
				assert_true(given == 2100 || given == 700);
			else
				assert_true(k == UNPACK_BROKEN && u.at >= second && given >= 700 && given <= 2100);
			p.p[i] ^= (char)(1 << bit);
		}
	}
	free(p.p);
}

static void what_is_behind_the_frames_is_told(void **state)
{
	static const char zeros[100];
	struct packed p = { NULL, 0 };
	size_t given;

	(void)state;
	add_frame(&p, 0, 1000, true);
	size_t n = p.n;
	add(&p, zeros, sizeof zeros);
	assert_int_equal(read_file(file_of(p.p, p.n), OFFER, &given), UNPACK_BROKEN);
	assert_int_equal(given, 1000);
	assert_int_equal(u.at, n);
	assert_string_equal(u.why, "no zstd frame begins here");
	free(p.p);
}

/* a pipe: nothing is read before it may be, and each byte is enough to go on */
static void from_a_pipe_byte_by_byte(const struct packed *p, size_t n)
{
	int fds[2];
	size_t given = 0;
	long k;

	assert_int_equal(pipe(fds), 0);
	unpack_attach(&u, fds[0]);
	for (size_t i = 0; i <= p->n; i++) {
		if (i < p->n)
			assert_int_equal(write(fds[1], p->p + i, 1), 1);
		else
			close(fds[1]);
		bool readable = true;
		while ((k = unpack_read(&u, offer, OFFER, readable)) > 0) {
			assert_memory_equal(offer, text + given, (size_t)k);
			given += (size_t)k;
			readable = false;
		}
		assert_int_equal(k, i < p->n ? UNPACK_MORE : 0);
	}
	assert_int_equal(given, n);
	close(fds[0]);
}

static void pipes(void **state)
{
	struct packed z = { NULL, 0 }, g = { NULL, 0 }, t = { NULL, 0 };

	(void)state;
	add_frame(&z, 0, 500, true);
	add_skippable(&z, 9);
	add_frame(&z, 500, 500, false);
	add_gzip(&g, 0, 500);
	add_gzip(&g, 500, 500);
	add(&t, text, 1000);
	from_a_pipe_byte_by_byte(&z, 1000);
	from_a_pipe_byte_by_byte(&g, 1000);
	from_a_pipe_byte_by_byte(&t, 1000);
	free(z.p);
	free(g.p);
	free(t.p);
}

static void ranges(void **state)
{
	struct packed p = { NULL, 0 };

	(void)state;
	add_frame(&p, 0, 1000, true);
	size_t second = p.n;
	add_frame(&p, 1000, 1000, true);
	size_t third = p.n;
	add_frame(&p, 2000, 1000, true);
	int fd = file_of(p.p, p.n);
	unpack_attach(&u, fd);
	uint64_t before = u.taken;
	assert_true(unpack_range(&u, second, third));
	assert_int_equal(unpack_read(&u, offer, OFFER, true), 1000);
	assert_memory_equal(offer, text + 1000, 1000);
	assert_int_equal(unpack_read(&u, offer, OFFER, true), 0);
	assert_int_equal(u.taken - before, third - second);
	assert_true(unpack_range(&u, 0, second));
	assert_int_equal(unpack_read(&u, offer, OFFER, true), 1000);
	assert_memory_equal(offer, text, 1000);
	close(fd);
	free(p.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(zstd_frames_and_skippable_ones),
		cmocka_unit_test(gzip_members_and_the_zeros_of_a_tape),
		cmocka_unit_test(a_torn_frame_is_told_with_its_offset),
		cmocka_unit_test(torn_streams_give_what_they_have),
		cmocka_unit_test(damage_never_gives_other_bytes),
		cmocka_unit_test(what_is_behind_the_frames_is_told),
		cmocka_unit_test(pipes),
		cmocka_unit_test(ranges),
	};

	return cmocka_run_group_tests(tests, start, end);
}
