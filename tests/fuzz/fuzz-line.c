/* lib/num on the text, and lib/line on what it unfolds to: 0xff and a byte n stand for n x 8191 letters, so that a
 * short input can hold lines around and beyond the cap */
#include "fuzz.h"

#include <inttypes.h>
#include <sys/mman.h>

#include "num.h"

#define FUZZ_LINE_ROOM (6u << 20)

static void fuzz_line_numbers(struct span text)
{
	char digits[32];
	uint64_t u;
	int64_t i, us;
	uint64_t bytes;

	if (num_u64(text, 5, UINT64_MAX - 5, &u)) {
		FUZZ_CHECK(u >= 5 && u <= UINT64_MAX - 5);
		uint64_t again = 0;
		FUZZ_CHECK(num_u64(
		    (struct span){ digits, (size_t)(num_print_u64(digits, u) - digits) }, 0, UINT64_MAX, &again));
		FUZZ_CHECK(again == u);
		FUZZ_CHECK(u > INT64_MAX || (num_i64(text, 0, INT64_MAX, &i) && (uint64_t)i == u));
	}
	if (num_i64(text, INT64_MIN, INT64_MAX, &i)) {
		int n = snprintf(digits, sizeof digits, "%" PRId64, i);
		FUZZ_CHECK(num_i64((struct span){ digits, (size_t)n }, i, i, &i));
	}
	FUZZ_CHECK(!num_duration(text, &us) || us >= 0);
	FUZZ_CHECK(!num_size(text, 1u << 30, &bytes) || bytes <= 1u << 30);
}

static size_t fuzz_line_unfold(const uint8_t *data, size_t size, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		size_t times = data[i] == 0xff && i + 1 < size ? (size_t)data[++i] * 8191 : 0;
		if (n + times + 1 > FUZZ_LINE_ROOM)
			break;
		memset(out + n, 'x', times);
		n += times;
		if (!times)
			out[n++] = (char)data[i];
	}
	return n;
}

/* the next line by the plain rule; false: there is none */
static bool fuzz_line_expected(struct span *rest, struct span *line)
{
	if (!rest->n)
		return false;
	const char *end = memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = end ? (size_t)(end - rest->p) : rest->n;
	size_t taken = line->n + (end != NULL);
	*rest = (struct span){ rest->p + taken, rest->n - taken };
	return true;
}

static void fuzz_line_file(int fd, struct span whole)
{
	static struct line_in in;
	struct span rest = whole, line, want;
	enum line_got got;
	uint64_t number = 0;

	if (!in.map)
		FUZZ_CHECK(line_in_open(&in));
	line_in_attach(&in, fd);
	do {
		FUZZ_CHECK(line_fill(&in) >= 0);
		while ((got = line_next(&in, &line)) != LINE_EMPTY) {
			FUZZ_CHECK(fuzz_line_expected(&rest, &want));
			FUZZ_CHECK(in.number == ++number && in.offset == (uint64_t)(want.p - whole.p));
			FUZZ_CHECK((got == LINE_LONG) == (want.n > LINE_MAX_BYTES));
			FUZZ_CHECK(line.n == (got == LINE_LONG ? LINE_MAX_BYTES : want.n) &&
				   memcmp(line.p, want.p, line.n) == 0);
			FUZZ_CHECK(got == LINE_LONG || line.p[line.n] == '\n');
		}
	} while (!in.ended);
	FUZZ_CHECK(!fuzz_line_expected(&rest, &want));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *text;
	static int fd = -1;

	fuzz_line_numbers((struct span){ (const char *)data, size });
	text = text ? text : malloc(FUZZ_LINE_ROOM);
	fd = fd >= 0 ? fd : memfd_create("line", MFD_CLOEXEC);
	FUZZ_CHECK(text && fd >= 0 && ftruncate(fd, 0) == 0);
	size_t n = fuzz_line_unfold(data, size, text);
	for (size_t done = 0; done < n;) {
		ssize_t k = pwrite(fd, text + done, n - done, (off_t)done);
		FUZZ_CHECK(k > 0);
		done += (size_t)k;
	}
	FUZZ_CHECK(lseek(fd, 0, SEEK_SET) == 0);
	fuzz_line_file(fd, (struct span){ text, n });
	return 0;
}
