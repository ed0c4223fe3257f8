/* lib/binance on the frames of tests/wire: each as it stands, and written in every other way that means the same; and
 * each behind any other, whole or broken: what was read before may not change what a line gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>

#include "../fuzz/mutate.h"
#include "../fuzz/subject.h"

#define FIXTURES_MAX 512
#define ROUNDS	     250 /* mutations of a frame */
#define BROKEN	     8	 /* damaged copies of a mutation */

struct fixture {
	char name[600];
	char *line;
	struct span frame, records;
	bool refused, kept; /* kept: the line itself is what comes out */
	char why[256];
	size_t at;
	enum event_market market;
	bool keep_unknown;
};

static struct fixture fixtures[FIXTURES_MAX];
static size_t n_fixtures;
static uint64_t seed = 20261124;

static void report(const struct fixture *f, struct span line, struct outcome got)
{
	print_error("%s: result %d why '%s' at %zu\n  line    %.*s\n  records %.*s  wanted  %.*s\n", f->name,
	    (int)got.result, got.why, got.at, (int)line.n, line.p, (int)got.records.n, got.records.p, (int)f->records.n,
	    f->records.p);
}

/* --------------------------------------------------------------------------------------------- the fixtures */

/* a file's text, NUL-terminated; NULL: there is none */
static char *slurp(const char *dir, const char *name, const char *suffix)
{
	char path[512];
	char *text = calloc(1, 1 << 16);

	snprintf(path, sizeof path, "tests/wire/%s/%s%s", dir, name, suffix);
	FILE *f = fopen(path, "re");
	if (!f) {
		free(text);
		return NULL;
	}
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 16) - 1, f) > 0 || feof(f));
	fclose(f);
	return text;
}

static void read_args(struct fixture *f, char *args)
{
	f->market = EVENT_USDM;
	for (char *word = args ? strtok(args, " \n") : NULL; word; word = strtok(NULL, " \n")) {
		if (strcmp(word, "-m") == 0)
			f->market = event_market(span_of(strtok(NULL, " \n")));
		f->keep_unknown = f->keep_unknown || strcmp(word, "--keep-unknown") == 0;
	}
	assert_int_not_equal(f->market, EVENT_NO_MARKET);
}

static void read_fixture(const char *dir, const char *name)
{
	struct fixture *f = &fixtures[n_fixtures++];
	char *args = slurp(dir, name, ".args");
	char *err = slurp(dir, name, ".err");

	assert_true(n_fixtures < FIXTURES_MAX);
	snprintf(f->name, sizeof f->name, "%s/%s", dir, name);
	f->line = slurp(dir, name, ".json");
	f->records = span_of(slurp(dir, name, ".ndjson"));
	f->frame = (struct span){ f->line, strcspn(f->line, "\n") };
	f->kept = f->records.n == f->frame.n + 1 && memcmp(f->records.p, f->line, f->frame.n) == 0;
	read_args(f, args);
	if (err) {
		f->refused = true;
		assert_int_equal(sscanf(err, "bnc-normalize: line 1: byte %zu: %255[^\n]", &f->at, f->why), 2);
	}
	free(args);
	free(err);
}

static void read_dir(const char *dir)
{
	char path[300];
	struct dirent *e;

	snprintf(path, sizeof path, "tests/wire/%s", dir);
	DIR *d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d))) {
		char *dot = strrchr(e->d_name, '.');
		if (dot && strcmp(dot, ".json") == 0) {
			*dot = '\0';
			read_fixture(dir, e->d_name);
		}
	}
	closedir(d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fixture *)a)->name, ((const struct fixture *)b)->name);
}

static int read_fixtures(void **state)
{
	struct dirent *e;
	DIR *d = opendir("tests/wire");

	(void)state;
	assert_non_null(d); /* run from the root of the tree */
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			read_dir(e->d_name);
	closedir(d);
	qsort(fixtures, n_fixtures, sizeof fixtures[0], by_name);
	assert_true(n_fixtures > 250);
	return 0;
}

/* ------------------------------------------------------------------------------------------- what must come out */

/* `exactly`: the byte of a refusal, too, is known */
static bool as_written(const struct fixture *f, struct span line, struct outcome got, bool exactly)
{
	if (f->refused)
		return got.result == BINANCE_REFUSED && strcmp(got.why, f->why) == 0 && (!exactly || got.at == f->at) &&
		       span_eq(got.records, f->records);
	if (f->kept)
		return got.result == BINANCE_PASS && got.records.n == 0;
	return got.result == (f->records.n ? BINANCE_RECORDS : BINANCE_NOTHING) && span_eq(got.records, f->records) &&
	       line.n > 0;
}

/* a subject for each market and for keep_unknown, which has seen all lines before */
static struct subject *warmed(const struct fixture *f)
{
	static struct subject *s[EVENT_SPOT + 1][2];
	struct subject **mine = &s[f->market][f->keep_unknown];

	if (!*mine)
		*mine = subject_new(f->market, f->keep_unknown);
	return *mine;
}

static struct subject *fresh(const struct fixture *f)
{
	static struct subject *s;

	if (!s)
		s = subject_new(EVENT_USDM, false);
	s->b.market = f->market;
	s->b.keep_unknown = f->keep_unknown;
	subject_refresh(s);
	return s;
}

/* fresh, behind all lines before, and behind itself; returns what came */
static struct outcome thrice(const struct fixture *f, struct span line)
{
	struct span padded = subject_pad(line);
	struct outcome alone = subject_take_padded(fresh(f), padded);

	for (int i = 0; i < 2; i++) {
		struct outcome behind = subject_take_padded(warmed(f), padded);
		if (!outcome_eq(alone, behind)) {
			report(f, line, alone);
			report(f, line, behind);
			fail_msg("what was read before has changed what a line gives");
		}
	}
	subject_unpad(padded);
	return alone;
}

static void expect(const struct fixture *f, struct span line, bool exactly)
{
	struct outcome got = thrice(f, line);

	if (!as_written(f, line, got, exactly)) {
		report(f, line, got);
		fail_msg("%s", f->name);
	}
}

static void as_it_stands(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_fixtures; i++)
		expect(&fixtures[i], fixtures[i].frame, true);
}

/* ------------------------------------------------------------------------------------- the same in another way */

/* A frame taken apart: when it was received, which market, and what it carries. */
struct parts {
	struct node *top;  /* owned */
	struct node *data; /* an event, or an array of events; NULL: neither, the frame is taken whole */
	char ms[24];	   /* of receipt, "" where nobody noted it */
	bool timed;	   /* the events have times of their own */
	struct span stream;
	enum event_market market; /* that the frame names; EVENT_NO_MARKET: none */
};

static bool has_time(const struct node *event)
{
	return node_member(event, "E") != NULL;
}

static bool all_timed(const struct node *data)
{
	bool all = data->kind == '{' ? has_time(data) : true;

	for (size_t i = 0; data->kind == '[' && i < data->n; i++)
		all = all && has_time(data->child[i]);
	return all;
}

static bool is_event(const struct node *n)
{
	return n->kind == '[' || node_member(n, "e") || node_member(n, "lastUpdateId") ||
	       (node_member(n, "u") && node_member(n, "B") && node_member(n, "A"));
}

static void take_apart(struct parts *p, const struct fixture *f)
{
	const char *text = f->line;
	size_t digits = strspn(text, "0123456789");

	*p = (struct parts){ 0 };
	if (digits)
		snprintf(p->ms, sizeof p->ms, "%.13s", text);
	text += digits;
	p->top = node_read(&text, (struct span){ NULL, 0 });
	const struct node *recv = node_member(p->top, "recv");
	if (recv)
		snprintf(p->ms, sizeof p->ms, "%.*s", (int)recv->text.n - 3, recv->text.p);
	const struct node *market = node_member(p->top, "market");
	if (market && !memchr(market->text.p, '\\', market->text.n))
		p->market = event_market(market->text);
	struct node *data = node_member(p->top, "data");
	p->data = data ? data : p->top;
	/* an answer of REST is told by its path, so it has no other envelope */
	const struct node *stream = node_member(p->top, "stream");
	bool answer = stream && stream->text.n && stream->text.p[0] == '/';
	if (answer || node_has_twins(p->top) || node_member(p->top, "type") || (market && !p->market) || !is_event(p->data) ||
	    (data && node_member(p->top, "e")))
		p->data = NULL;
	p->timed = p->data && all_timed(p->data);
	p->stream = SPAN("solusdt@bookTicker");
}

static void put_digits(struct text *t, const char *ms, size_t more)
{
	text_put(t, span_of(ms));
	while (more--)
		text_byte(t, (char)('0' + (more * 7 + 3) % 10));
}

static void put_payload(struct text *t, const struct node *data, const struct style *s)
{
	struct node bare = *data;

	bare.key = (struct span){ NULL, 0 };
	put_node(t, &bare, s, &seed);
}

static void put_member(struct text *t, const char *name, bool *first, const struct style *s)
{
	put_comma(t, first, s, &seed);
	put_text(t, span_of(name), s, &seed);
	put_blanks(t, s, &seed);
	text_byte(t, ':');
	put_blanks(t, s, &seed);
}

/* one of the envelope's members: 0 recv, 1 market, 2 stream, 3 data */
static void put_outer(
    struct text *t, const struct parts *p, const struct fixture *f, int which, bool *first, const struct style *s)
{
	static const char *const names[] = { "recv", "market", "stream", "data" };

	put_member(t, names[which], first, s);
	if (which == 0)
		put_digits(t, p->ms, 3);
	else if (which == 1)
		put_text(t, event_market_name(f->market), s, &seed);
	else if (which == 2)
		put_text(t, p->stream, s, &seed);
	else
		put_payload(t, p->data, s);
}

static void put_envelope(
    struct text *t, const struct parts *p, const struct fixture *f, bool ours, bool timed, const struct style *s)
{
	int order[] = { 0, 1, 2, 3 };
	bool first = true;

	for (size_t i = 4; s->shuffle && i > 1; i--) {
		size_t j = chance_below(&seed, i);
		int other = order[i - 1];
		order[i - 1] = order[j];
		order[j] = other;
	}
	text_byte(t, '{');
	for (size_t i = 0; i < 4; i++) {
		while (chance_percent(&seed, s->strangers)) {
			put_comma(t, &first, s, &seed);
			put_stranger(t, s, &seed);
		}
		if ((order[i] != 0 || (ours && timed)) && (order[i] != 1 || ours))
			put_outer(t, p, f, order[i], &first, s);
	}
	put_blanks(t, s, &seed);
	text_byte(t, '}');
}

/* The frame anew: bare, wrapped, with our keys, behind a time, as the only row of an array. What has no time of its own
 * keeps the one it was received at. */
static void put_frame(struct text *t, const struct parts *p, const struct fixture *f, const struct style *s)
{
	static const size_t more[] = { 0, 3, 6 };
	struct parts own = *p;
	bool need = !p->timed && p->ms[0];
	bool may = p->timed || need;
	size_t shape = chance_below(&seed, 4);
	bool ours = shape == 2;
	bool prefix = may && !ours && (need || chance_percent(&seed, 40));

	if (!own.ms[0])
		snprintf(own.ms, sizeof own.ms, "1723161600001");
	t->n = 0;
	if (prefix) {
		put_digits(t, own.ms, more[chance_below(&seed, 3)]);
		text_byte(t, ' ');
	}
	put_blanks(t, s, &seed);
	if (shape == 0)
		put_payload(t, p->data, s);
	else if (shape == 3 && p->data->kind == '{') {
		text_byte(t, '[');
		put_payload(t, p->data, s);
		text_byte(t, ']');
	} else {
		put_envelope(t, &own, f, ours, may, s);
	}
	put_blanks(t, s, &seed);
}

static void put_whole(struct text *t, const struct parts *p, const struct fixture *f, const struct style *s)
{
	size_t digits = strspn(f->line, "0123456789");

	t->n = 0;
	text_put(t, (struct span){ f->line, digits });
	if (digits)
		text_byte(t, ' ');
	put_blanks(t, s, &seed);
	put_node(t, p->top, s, &seed);
	put_blanks(t, s, &seed);
}

/* for lines that are broken, where nobody knows what must come: the same, whatever was read before */
static void break_copies(const struct fixture *f, const struct text *t)
{
	static char copy[sizeof t->p];

	for (int i = 0; i < BROKEN; i++) {
		memcpy(copy, t->p, t->n);
		size_t n = damage(copy, t->n, sizeof copy, &seed);
		thrice(f, (struct span){ copy, n });
	}
}

/* serverShutdown and replies are told by their top alone */
static bool is_wrappable(const struct fixture *f, const struct parts *p)
{
	return p->data && strncmp(f->name, "control/", 8) != 0 && strcmp(f->name, "shutdown/raw") != 0 && !f->kept;
}

static void in_other_ways(void **state)
{
	static struct text t;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < n_fixtures; i++) {
			struct fixture own = fixtures[i];
			const struct fixture *f = &own;
			struct style s = style_random(&seed);
			struct parts p;
			if (f->refused && f->line[0] >= '0' && f->line[0] <= '9')
				continue; /* no frame */
			if (f->refused || strstr(f->name, "-as-text")) /* a number that must be a string there */
				s.numbers = s.spellings = 0;
			take_apart(&p, f);
			own.market = p.market ? p.market : own.market;
			if (is_wrappable(f, &p) && chance_percent(&seed, 60) && !(f->refused && !p.timed && !p.ms[0]))
				put_frame(&t, &p, f, &s);
			else
				put_whole(&t, &p, f, &s);
			expect(f, text_span(&t), false);
			break_copies(f, &t);
			node_free(p.top);
		}
	}
}

/* ----------------------------------------------------------------------------------------------- posing */

/* keys of the envelope inside an event are nobody's; inside a row of an array as well */
static void inner_keys_do_not_pose(void **state)
{
	static const char *const inner[] = { "\"data\":{\"s\":\"BADUSDT\",\"E\":5}",
		"\"event\":{\"s\":\"BADUSDT\",\"E\":5}", "\"market\":\"spot\"", "\"market\":7", "\"recv\":5",
		"\"type\":\"price_update\"", "\"stream\":\"x\"", "\"error\":{}", "\"result\":1,\"id\":2",
		"\"code\":1,\"msg\":\"x\"" };
	static const char *const layouts[] = {
		"{\"data\":{%s,\"e\":\"bookTicker\",\"s\":\"SOLUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\","
		"\"E\":9}}",
		"{\"data\":{\"e\":\"bookTicker\",\"s\":\"SOLUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\","
		"\"E\":9,%s}}",
		"[{%s,\"e\":\"bookTicker\",\"s\":\"SOLUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\",\"E\":9}]",
		"[{\"e\":\"bookTicker\",\"s\":\"SOLUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\",\"E\":9,%s}]",
		"{\"data\":[{\"e\":\"bookTicker\",\"s\":\"SOLUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"2\",\"A\":\"1\","
		"\"E\":9,%s}]}",
	};
	static const char kline[] =
	    "{\"e\":\"kline\",\"E\":9,\"s\":\"SOLUSDT\",\"k\":{\"i\":\"1m\",\"o\":\"1\",\"h\":\"2\",\"l\":\"1\","
	    "\"c\":\"1.5\",\"v\":\"3\",\"x\":false,%s}}";
	struct fixture f = { .name = "posing", .market = EVENT_USDM };
	char line[1024];

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
		f.records = SPAN(
		    "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"1.5\",\"ts\":9,\"pair\":\"SOLUSDT\","
		    "\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"1\",\"bidQty\":\"1\",\"ask\":\"2\",\"askQty\":"
		    "\"1\"}\n");
		for (size_t j = 0; j < sizeof layouts / sizeof layouts[0]; j++) {
			snprintf(line, sizeof line, layouts[j], inner[i]);
			expect(&f, span_of(line), false);
		}
		f.records = SPAN(
		    "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"1.5\",\"ts\":9,\"pair\":\"SOLUSDT\","
		    "\"market\":\"usdm\",\"source\":\"kline\",\"interval\":\"1m\",\"open\":\"1\",\"high\":\"2\","
		    "\"low\":\"1\","
		    "\"volume\":\"3\",\"closed\":false}\n");
		snprintf(line, sizeof line, kline, inner[i]);
		expect(&f, span_of(line), false);
	}
#pragma GCC diagnostic pop
}

/* --------------------------------------------------------------------------------------------- many layouts */

/* More layouts of frames than any table of learned ones could hold, each again and again and in turns; in between the
 * same keys with another order, one key more, one less, another type of value. */
static void more_layouts_than_can_be_learned(void **state)
{
	static struct text t;
	struct fixture f = { .name = "layouts", .market = EVENT_USDM };

	(void)state;
	f.records = SPAN(
	    "{\"type\":\"price_update\",\"symbol\":\"SOL\",\"price\":\"1.5\",\"ts\":1790526538940,\"pair\":\"SOLUSDT\","
	    "\"market\":\"usdm\",\"source\":\"book\",\"bid\":\"1\",\"bidQty\":\"10\",\"ask\":\"2\",\"askQty\":\"20\"}"
	    "\n");
	for (size_t round = 0; round < 40; round++) {
		for (size_t layout = 0; layout < 200; layout++) {
			uint64_t own = layout + 1; /* the same layout each round, other lengths of its values */
			const char *text = "{\"e\":\"bookTicker\",\"u\":1,\"s\":\"SOLUSDT\",\"b\":\"1\",\"B\":\"10\","
					   "\"a\":\"2\",\"A\":\"20\","
					   "\"T\":1790526538939,\"E\":1790526538940,\"st\":1}";
			struct style s = {
				.blanks = layout % 3 ? 0 : 10, .strangers = layout % 5 ? 0 : 10, .shuffle = true
			};
			if (round % 2)
				text = "{\"e\":\"bookTicker\",\"u\":11671659685961,\"s\":\"SOLUSDT\",\"b\":\"1.00\","
				       "\"B\":\"10.0\",\"a\":\"2.00\","
				       "\"A\":\"20\",\"T\":1790526538939,\"E\":1790526538940,\"st\":1}";
			struct node *n = node_read(&text, (struct span){ NULL, 0 });
			t.n = 0;
			chance_next(&own);
			put_node(&t, n, &s, &own);
			node_free(n);
			expect(&f, text_span(&t), false);
			break_copies(&f, &t);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_it_stands),
		cmocka_unit_test(in_other_ways),
		cmocka_unit_test(inner_keys_do_not_pose),
		cmocka_unit_test(more_layouts_than_can_be_learned),
	};

	return cmocka_run_group_tests_name("wire", tests, read_fixtures, NULL);
}
