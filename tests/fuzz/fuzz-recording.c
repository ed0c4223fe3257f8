/* lib/rec_read, and with it lib/unpack and the index of lib/rec, on one file. The first byte says what the rest is:
 *
 *   0  the file itself
 *   1  lines, which are packed as bnc-record packs them, with an index; then they come back, all and by time
 *   2  two bytes where and one with what a byte of such a file is damaged, and the lines
 *   3  what may stand in an index, 7 numbers of 8 bytes each time */
#include "fuzz.h"

#include <sys/mman.h>
#include <zstd.h>

#include "rec_read.h"

#define FUZZ_RECORDING_MAX   (24u << 20) /* bytes that are read of what may be a bomb */
#define FUZZ_RECORDING_PIECE 200	 /* bytes of lines in a frame, at least */

static int fuzz_recording_file(struct span bytes)
{
	static int fd = -1;

	fd = fd >= 0 ? fd : memfd_create("recording", MFD_CLOEXEC);
	FUZZ_CHECK(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes.p, bytes.n, 0) == (ssize_t)bytes.n);
	return fd;
}

/* the lines of the file between two times, one behind the other at out; false: it is damaged, or there is more */
static bool fuzz_recording_read(struct span bytes, int64_t from, int64_t to, char *out, size_t *n)
{
	static struct rec_read r;
	static bool open;
	char path[40];
	struct span line;
	int64_t us;
	enum rec_got got;

	if (!open)
		FUZZ_CHECK(rec_read_open(&r));
	open = true;
	r.from = from;
	r.to = to;
	r.timed = true;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fuzz_recording_file(bytes));
	FUZZ_CHECK(rec_read_attach(&r, path));
	for (*n = 0; (got = rec_read_next(&r, &line, &us)) != REC_END;) {
		FUZZ_CHECK(got != REC_WAIT && got != REC_FAILED);
		if (got == REC_BROKEN) {
			FUZZ_CHECK(r.unpack.why && r.unpack.at <= bytes.n);
			FUZZ_CHECK(rec_read_next(&r, &line, &us) == REC_END);
			return false;
		}
		if (got != REC_LINE)
			continue;
		FUZZ_CHECK(line.n <= LINE_MAX_BYTES && line.p[line.n] == '\n' && us >= from);
		if (*n + line.n + 1 > FUZZ_RECORDING_MAX)
			return false;
		memcpy(out + *n, line.p, line.n + 1);
		*n += line.n + 1;
	}
	return true;
}

/* the first piece of whole lines, cut off *lines */
static struct span fuzz_recording_piece(struct span *lines)
{
	size_t n = lines->n < FUZZ_RECORDING_PIECE ? lines->n : FUZZ_RECORDING_PIECE;
	const char *end = memchr(lines->p + n, '\n', lines->n - n);

	n = end ? (size_t)(end + 1 - lines->p) : lines->n;
	struct span piece = { lines->p, n };
	*lines = (struct span){ lines->p + n, lines->n - n };
	return piece;
}

/* a line without a time has that of the line before, of the same file */
static void fuzz_recording_times(struct rec_stretch *f, struct span lines, int64_t before)
{
	static struct when when;
	struct span line;

	if (!when.fields.slot)
		when_open(&when);
	*f = (struct rec_stretch){ .first = before, .low = WHEN_NEVER, .high = WHEN_NEVER, .last = before };
	while (lines.n && fuzz_line(&lines, &line)) {
		struct span padded = subject_pad(line);
		int64_t us = when_line(&when, padded);
		subject_unpad(padded);
		us = us == WHEN_NEVER ? f->last : us;
		f->first = f->lines ? f->first : us;
		f->last = us;
		if (us != WHEN_NEVER) {
			f->low = f->low == WHEN_NEVER || us < f->low ? us : f->low;
			f->high = us > f->high ? us : f->high;
		}
		f->lines++;
	}
}

/* as bnc-record writes them; owned by the caller. head: of which byte is it a frame's header descriptor? Without what
 * that says a frame is given as it is decoded, before its checksum is known (lib/unpack) */
static struct span fuzz_recording_pack(struct span lines, size_t where, bool *head)
{
	static ZSTD_CCtx *z;
	struct rec_index index = { 0 };
	int64_t last = WHEN_NEVER;
	size_t cap = ZSTD_compressBound(lines.n) + 4096 + lines.n, n = 0, index_n;
	char *out = malloc(cap);

	z = z ? z : ZSTD_createCCtx();
	FUZZ_CHECK(out && z && !ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1)));
	while (lines.n) {
		struct span piece = fuzz_recording_piece(&lines);
		struct rec_stretch f;
		fuzz_recording_times(&f, piece, last);
		last = f.last;
		f.packed = ZSTD_compress2(z, out + n, cap - n, piece.p, piece.n);
		FUZZ_CHECK(!ZSTD_isError(f.packed));
		*head |= where == n + 4;
		f.bytes = piece.n;
		n += f.packed;
		FUZZ_CHECK(rec_index_add(&index, f));
	}
	char *tail = rec_index_print(&index, &index_n);
	FUZZ_CHECK(tail && (out = realloc(out, n + index_n + 1)));
	memcpy(out + n, tail, index_n);
	free(tail);
	rec_index_close(&index);
	return (struct span){ out, n + index_n };
}

/* the lines with an end to the last one, and one in front that no compressed file begins with; owned by the caller */
static struct span fuzz_recording_lines(struct span text)
{
	char *lines = malloc(text.n + 4);

	FUZZ_CHECK(lines != NULL);
	memcpy(lines, "{}\n", 3);
	if (text.n)
		memcpy(lines + 3, text.p, text.n);
	text.n += 3;
	if (lines[text.n - 1] != '\n')
		lines[text.n++] = '\n';
	return (struct span){ lines, text.n };
}

static void fuzz_recording_back(struct span text, char *out)
{
	bool head = false;
	struct span lines = fuzz_recording_lines(text), packed = fuzz_recording_pack(lines, 0, &head);
	static char *part;
	size_t n, part_n;

	part = part ? part : malloc(FUZZ_RECORDING_MAX);
	FUZZ_CHECK(part && fuzz_recording_read(packed, INT64_MIN, INT64_MAX, out, &n));
	FUZZ_CHECK(n == lines.n && memcmp(out, lines.p, n) == 0);
	/* by the index and without one: the same */
	int64_t middle = 1790526538965000 + (int64_t)(text.n % 7);
	FUZZ_CHECK(fuzz_recording_read(packed, middle, INT64_MAX, part, &part_n));
	FUZZ_CHECK(fuzz_recording_read(lines, middle, INT64_MAX, out, &n));
	FUZZ_CHECK(n == part_n && memcmp(out, part, n) == 0);
	FUZZ_CHECK(fuzz_recording_read(packed, INT64_MIN, middle, part, &part_n));
	FUZZ_CHECK(fuzz_recording_read(lines, INT64_MIN, middle, out, &n));
	FUZZ_CHECK(n == part_n && memcmp(out, part, n) == 0);
	free((void *)(size_t)packed.p);
	free((void *)(size_t)lines.p);
}

/* whatever is given was there, in its order, from the first line on; or it is told that there is damage */
static void fuzz_recording_damage(struct span text, char *out)
{
	if (text.n < 3)
		return;
	/* the first four bytes say what kind of file it is */
	size_t where = 4 + ((uint8_t)text.p[0] | (size_t)(uint8_t)text.p[1] << 8), n;
	struct span lines = fuzz_recording_lines((struct span){ text.p + 3, text.n - 3 });
	bool head = false;
	struct span packed = fuzz_recording_pack(lines, where, &head);

	if (where < packed.n)
		((char *)(size_t)packed.p)[where] ^= text.p[2];
	bool whole = fuzz_recording_read(packed, INT64_MIN, INT64_MAX, out, &n);
	bool beginning = n <= lines.n && memcmp(out, lines.p, n) == 0;
	FUZZ_CHECK(beginning || (head && !whole));
	free((void *)(size_t)packed.p);
	free((void *)(size_t)lines.p);
}

/* stretches as they may stand in an index: they come back, where they can be those of a file of that size */
static void fuzz_recording_index(struct span body)
{
	struct rec_stretch stretch[64];
	struct rec_index x = { .stretch = stretch }, back = { 0 };
	uint64_t end = 0, footer;
	bool sound = true;
	size_t n;

	for (; x.n < 64 && body.n >= 7 * sizeof(uint64_t); x.n++) {
		uint64_t word[7];
		memcpy(word, body.p, sizeof word);
		body = (struct span){ body.p + sizeof word, body.n - sizeof word };
		/* small more often than not, so that sums are sound */
		word[0] = word[0] % 3 ? word[0] % 100000 : word[0];
		stretch[x.n] = (struct rec_stretch){ end, word[0], word[1], word[2], (int64_t)word[3], (int64_t)word[4],
			(int64_t)word[5], (int64_t)word[6] };
		sound = sound && word[0] > 0 && !__builtin_add_overflow(end, word[0], &end);
	}
	char *frame = rec_index_print(&x, &n);
	FUZZ_CHECK(frame && n >= REC_FOOTER_BYTES && rec_footer_read(frame + n - REC_FOOTER_BYTES, &footer));
	FUZZ_CHECK(footer == n);
	bool read = rec_index_read(&back, (struct span){ frame, n }, end + n);
	FUZZ_CHECK(!read || (sound && back.n == x.n && rec_index_end(&back) == end));
	for (size_t i = 0; read && i < x.n; i++)
		FUZZ_CHECK(memcmp(&back.stretch[i], &stretch[i], sizeof stretch[i]) == 0);
	rec_index_close(&back);
	FUZZ_CHECK(!rec_index_read(&back, (struct span){ frame, n }, end + n + 1) || !sound);
	rec_index_close(&back);
	free(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *out;
	struct span text = { (const char *)data, size };
	size_t n;

	out = out ? out : malloc(FUZZ_RECORDING_MAX + LINE_MAX_BYTES);
	FUZZ_CHECK(out != NULL);
	if (size == 0 || data[0] > 3) {
		fuzz_recording_read(text, INT64_MIN, INT64_MAX, out, &n);
		fuzz_recording_read(text, 1, 1790526538965000, out, &n);
		return 0;
	}
	text = (struct span){ text.p + 1, text.n - 1 };
	if (data[0] == 0)
		fuzz_recording_read(text, INT64_MIN, INT64_MAX, out, &n);
	else if (data[0] == 1)
		fuzz_recording_back(text, out);
	else if (data[0] == 2)
		fuzz_recording_damage(text, out);
	else
		fuzz_recording_index(text);
	return 0;
}
