/* lib/hub as bnc-hub feeds it: lines of input, and readers of every kind. A line whose first byte is below ' ' is no
 * input but something that happens: 1 time goes by, 2 the slow reader takes bytes, 3 it goes, 4 it comes again, 5 one
 * more reader comes, 6 nobody takes anything for a while, 7 the input ends; the byte behind says how much.
 *
 * One reader takes all it is given: what it gets is every line that was accepted, to the byte and in order, among whole
 * records. All others get whole records alone. */
#include "fuzz.h"

#include "hub.h"

#define FUZZ_HUB_ROOM (1u << 22)

struct fuzz_hub;
struct fuzz_hub_reader {
	struct fuzz_hub *of;
	struct hub_reader *r; /* NULL: not there */
	size_t room;
	char *got; /* owned: what has come, less whole lines that were judged */
	size_t n;
};

struct fuzz_hub {
	struct hub *hub;
	struct fuzz_hub_reader all, slow, rated[3];
	int64_t now;
	struct span expected; /* the line that `all` is to get next; p NULL: none */
};

/* whole lines are judged and dropped */
static void fuzz_hub_judge(struct fuzz_hub_reader *r)
{
	struct span text = { r->got, r->n };
	size_t top_n;

	while (text.n && memchr(text.p, '\n', text.n)) {
		struct span line = fuzz_passed(&text, &top_n);
		if (r == &r->of->all && r->of->expected.p && span_eq(line, r->of->expected))
			r->of->expected.p = NULL;
	}
	memmove(r->got, text.p, text.n);
	r->n = text.n;
}

static ssize_t fuzz_hub_send(void *user, const struct iovec *iov, int n)
{
	struct fuzz_hub_reader *r = user;
	size_t taken = 0;

	FUZZ_CHECK(r->r && n > 0 && n <= HUB_IOV_MAX);
	for (int i = 0; i < n && r->room; i++) {
		size_t part = iov[i].iov_len < r->room ? iov[i].iov_len : r->room;
		if (r->n + part > FUZZ_HUB_ROOM)
			fuzz_hub_judge(r);
		FUZZ_CHECK(r->n + part <= FUZZ_HUB_ROOM);
		memcpy(r->got + r->n, iov[i].iov_base, part);
		r->n += part;
		taken += part;
		r->room -= r->room == SIZE_MAX ? 0 : part;
		if (part < iov[i].iov_len)
			break;
	}
	return (ssize_t)taken;
}

static void fuzz_hub_gone(struct fuzz_hub_reader *r)
{
	struct hub_reader *it = r->r;

	fuzz_hub_judge(r);
	r->r = NULL;
	r->n = 0;
	hub_reader_free(r->of->hub, it);
}

static void fuzz_hub_done(void *user)
{
	fuzz_hub_gone(user);
}

static void fuzz_hub_come(struct fuzz_hub *f, struct fuzz_hub_reader *r, unsigned rate, size_t room)
{
	if (r->r)
		return;
	r->room = room;
	r->n = 0;
	r->r = hub_reader_new(f->hub, rate, r, f->now, f->now);
	FUZZ_CHECK(r->r != NULL);
	hub_reader_pump(f->hub, r->r, f->now);
}

static void fuzz_hub_happens(struct fuzz_hub *f, struct span line)
{
	unsigned how = line.n > 1 ? (uint8_t)line.p[1] : 1;

	switch (line.p[0]) {
	case 1:
		f->now += how * 50000LL;
		break;
	case 2:
		f->slow.room += how * 16;
		break;
	case 3:
		if (f->slow.r)
			fuzz_hub_gone(&f->slow);
		break;
	case 4:
		fuzz_hub_come(f, &f->slow, 0, how * 16);
		break;
	case 5:
		fuzz_hub_come(f, &f->rated[how % 3], how % 8, SIZE_MAX);
		break;
	case 6:
		f->slow.room = 0;
		break;
	case 7:
		hub_end(f->hub, how % 2, "end", "the input has ended", f->now, f->now);
		break;
	default:
		break;
	}
	if (f->slow.r)
		hub_reader_pump(f->hub, f->slow.r, f->now);
}

static void fuzz_hub_line(struct fuzz_hub *f, struct span line, bool ended)
{
	struct span padded = subject_pad(line);
	const char *why = NULL;
	size_t at = (size_t)-1;

	if (hub_line(f->hub, padded, f->now, f->now, &why, &at)) {
		f->expected = f->all.r && !ended && line.n <= 1000 ? line : (struct span){ NULL, 0 };
	} else {
		FUZZ_CHECK(why && at <= line.n);
		hub_refused(f->hub);
	}
	/* at once is within 20 ms */
	hub_pump(f->hub, f->now, f->now);
	f->now += 25000;
	hub_pump(f->hub, f->now, f->now);
	if (f->all.r)
		fuzz_hub_judge(&f->all);
	FUZZ_CHECK(!f->expected.p || !f->all.r);
	f->expected.p = NULL;
	subject_unpad(padded);
}

static void fuzz_hub_look(const struct fuzz_hub *f)
{
	struct hub_stream s;

	for (size_t at = 0; hub_stream(f->hub, &at, f->now, &s);)
		for (size_t i = 0; i < HUB_STREAM_NAMES; i++)
			FUZZ_CHECK(s.name[i].n <= EVENT_NAME_MAX);
	FUZZ_CHECK(hub_health(f->hub, f->now) <= HUB_DOWN && hub_age(f->hub, f->now) >= -1);
	FUZZ_CHECK(hub_readers(f->hub) <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_hub f;
	struct fuzz_hub_reader *const readers[] = { &f.all, &f.slow, &f.rated[0], &f.rated[1], &f.rated[2] };
	struct hub_options o = { .history = 3,
		.queue = 8192,
		.max_line = 1000,
		.stale = 5000000,
		.send = fuzz_hub_send,
		.done = fuzz_hub_done };
	struct span rest = { (const char *)data, size }, line;
	bool ended = false;

	f.hub = hub_new(&o);
	FUZZ_CHECK(f.hub != NULL);
	f.now = 1790526538940000;
	for (size_t i = 0; i < 5; i++) {
		readers[i]->of = &f;
		readers[i]->r = NULL;
		readers[i]->got = readers[i]->got ? readers[i]->got : malloc(FUZZ_HUB_ROOM);
		FUZZ_CHECK(readers[i]->got != NULL);
	}
	fuzz_hub_come(&f, &f.all, 0, SIZE_MAX);
	fuzz_hub_come(&f, &f.slow, 0, 300);
	while (!ended && fuzz_line(&rest, &line)) {
		if (line.n && line.p[0] > 0 && line.p[0] < ' ' && line.p[0] != '\t' && line.p[0] != '\r') {
			ended = line.p[0] == 7;
			fuzz_hub_happens(&f, line);
		} else {
			fuzz_hub_line(&f, line, ended);
		}
		fuzz_hub_look(&f);
	}
	f.now += 60000000;
	hub_pump(f.hub, f.now, f.now);
	for (size_t i = 0; i < 5; i++)
		if (readers[i]->r)
			fuzz_hub_gone(readers[i]);
	hub_free(f.hub);
	return 0;
}
