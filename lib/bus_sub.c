#include "bus_sub.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* of which every reader is another: its messages are not acknowledged */
static bool durable(const struct bus_sub *s)
{
	return s->o.durable.n > 0;
}

static void say(struct bus_sub *s, enum bus_sub_say what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct bus_sub *s, enum bus_sub_say what, const char *format, ...)
{
	va_list list;

	/* a gap that nobody has taken yet is not replaced by less */
	if (s->say == BUS_SUB_SAY_GAP && what < BUS_SUB_SAY_FAIL)
		return;
	s->say = what;
	va_start(list, format);
	vsnprintf(s->text, sizeof s->text, format, list);
	va_end(list);
}

enum bus_sub_say bus_sub_say(struct bus_sub *s)
{
	enum bus_sub_say what = s->say;

	s->say = BUS_SUB_SAY_NOTHING;
	return what;
}

/* --------------------------------------------------------------------------------------------------- steps */

static void go(struct bus_sub *s, enum bus_sub_step step)
{
	s->step = step;
	s->asked = false;
	s->turn++;
}

/* the beginning of all: what is there? */
static void begin(struct bus_sub *s)
{
	go(s, s->stream[0] ? BUS_SUB_STREAM : BUS_SUB_FIND);
}

static void rest(struct bus_sub *s, int64_t now)
{
	go(s, BUS_SUB_REST);
	s->due = now + s->wait;
	s->wait = 2 * s->wait < BUS_SUB_WAIT_MAX ? 2 * s->wait : BUS_SUB_WAIT_MAX;
}

void bus_sub_open(struct bus_sub *s, const struct bus_sub_options *o)
{
	*s = (struct bus_sub){ .o = *o, .wait = BUS_SUB_WAIT_MIN, .due = INT64_MAX };
	if (o->stream.n)
		snprintf(s->stream, sizeof s->stream, "%.*s", (int)o->stream.n, o->stream.p);
	if (o->from == BUS_SUB_ALL || o->from == BUS_SUB_SEQUENCE) {
		s->placed = true;
		s->last = o->from == BUS_SUB_ALL ? 0 : o->sequence - 1;
	}
}

void bus_sub_up(struct bus_sub *s, int64_t now)
{
	(void)now;
	s->up = true;
	s->life++;
	begin(s);
}

void bus_sub_down(struct bus_sub *s)
{
	s->up = false;
	s->life++;
	go(s, BUS_SUB_REST);
	s->due = INT64_MAX;
}

/* a message was lost on the way, or the consumer was */
static void restart(struct bus_sub *s, int64_t now)
{
	s->life++;
	s->counters.restarts++;
	rest(s, now);
}

/* ------------------------------------------------------------------------------------------------ requests */

static void ask(struct bus_sub_request *r, size_t text_n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void ask(struct bus_sub_request *r, size_t text_n, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(r->subject, sizeof r->subject, format, list);
	va_end(list);
	r->text_n = text_n;
}

static void keeper(const struct bus_sub *s, char out[BUS_NAME_MAX + 8])
{
	snprintf(out, BUS_NAME_MAX + 8, "%.*s-next", (int)s->o.durable.n, s->o.durable.p);
}

/* from where the consumer that is to be made gives out messages */
static void place(const struct bus_sub *s, struct bus_consumer *c)
{
	bool snapshot = s->o.from == BUS_SUB_LAST && (!s->placed || s->snapshot);

	c->start = snapshot ? BUS_AT_LAST : s->placed ? BUS_AT_SEQUENCE : BUS_AT_TIME;
	c->sequence = s->last + 1;
	c->time = s->o.time;
}

static void ask_create(struct bus_sub *s, struct bus_sub_request *r, bool keep)
{
	struct bus_consumer c = {
		.stream = span_of(s->stream), .subject = s->o.subject, .durable = durable(s), .idle = BUS_SUB_IDLE
	};
	char name[BUS_NAME_MAX + 8];

	keeper(s, name);
	place(s, &c);
	/* servers take their time for a filter that begins amid a file: half a millisecond a message (2.9.10) */
	if (s->covered && c.start != BUS_AT_LAST)
		c.subject = SPAN("");
	/* another name each time: the last one may have been given to a server that does not answer any more */
	if (!durable(s))
		snprintf(s->consumer, sizeof s->consumer, "bnc-%016" PRIx64 "-%" PRIu32, s->o.run, s->turn);
	else
		snprintf(s->consumer, sizeof s->consumer, "%.*s", (int)s->o.durable.n, s->o.durable.p);
	c.name = span_of(keep ? name : s->consumer);
	ask(r, bus_api_consumer_create(r->text, &c),
	    durable(s) ? "$JS.API.CONSUMER.DURABLE.CREATE.%s.%s" : "$JS.API.CONSUMER.CREATE.%s.%s", s->stream,
	    keep ? name : s->consumer);
}

static void ask_of(struct bus_sub *s, struct bus_sub_request *r, const char *what, bool keep)
{
	char name[BUS_NAME_MAX + 8];

	keeper(s, name);
	if (keep)
		ask(r, 0, "$JS.API.CONSUMER.%s.%s.%s", what, s->stream, name);
	else
		ask(r, 0, "$JS.API.CONSUMER.%s.%s.%.*s", what, s->stream, (int)s->o.durable.n, s->o.durable.p);
}

static void ask_step(struct bus_sub *s, struct bus_sub_request *r)
{
	switch (s->step) {
	case BUS_SUB_FIND:
		ask(r, bus_api_stream_of(r->text, s->o.subject), "$JS.API.STREAM.NAMES");
		break;
	case BUS_SUB_STREAM:
		ask(r, 0, "$JS.API.STREAM.INFO.%s", s->stream);
		break;
	case BUS_SUB_LOOK:
	case BUS_SUB_LOOK_NEXT:
		ask_of(s, r, "INFO", s->step == BUS_SUB_LOOK_NEXT);
		break;
	case BUS_SUB_KEEP:
	case BUS_SUB_CREATE:
		ask_create(s, r, s->step == BUS_SUB_KEEP);
		break;
	case BUS_SUB_DELETE:
	case BUS_SUB_FREE:
		ask_of(s, r, "DELETE", s->step == BUS_SUB_FREE);
		break;
	case BUS_SUB_REST:
	case BUS_SUB_RUN:
		break;
	}
	r->token = s->turn;
}

/* two requests at a time, so that the next messages are under way while these are written */
static bool ask_pull(struct bus_sub *s, struct bus_sub_request *r)
{
	if (s->pull[1].left || s->pull[0].left > BUS_SUB_BATCH / 2)
		return false;
	size_t i = s->pull[0].left ? 1 : 0;
	s->pull[i].left = BUS_SUB_BATCH;
	s->pull[i].turn = ++s->pulls;
	s->counters.pulls++;
	r->pull = true;
	r->life = s->life;
	r->token = s->pulls;
	ask(r, bus_api_pull(r->text, BUS_SUB_BATCH, BUS_SUB_BYTES, BUS_SUB_EXPIRES, BUS_SUB_HEARTBEAT),
	    "$JS.API.CONSUMER.MSG.NEXT.%s.%s", s->stream, s->consumer);
	return true;
}

/* Sequences passed over are those of other subjects, or of messages that the stream kept no longer when their turn
 * came: if it begins behind them by now, that cannot be told apart. */
#define LOOK_TOKEN (UINT64_C(1) << 63)

static bool ask_look(struct bus_sub *s, int64_t now, struct bus_sub_request *r)
{
	if (!s->jump || now < s->look)
		return false;
	s->look = now + BUS_SUB_LOOK_US;
	s->looking = true;
	r->token = LOOK_TOKEN | s->life;
	ask(r, 0, "$JS.API.STREAM.INFO.%s", s->stream);
	return true;
}

static void time_is_over(struct bus_sub *s, int64_t now)
{
	if (s->step == BUS_SUB_REST) {
		begin(s);
	} else if (s->step == BUS_SUB_RUN) {
		say(s, BUS_SUB_SAY_WAIT, "the server is silent: asking anew");
		restart(s, now);
	} else if (s->asked) {
		say(s, BUS_SUB_SAY_WAIT, "the server does not answer: asking again");
		rest(s, now);
	}
}

bool bus_sub_next(struct bus_sub *s, int64_t now, struct bus_sub_request *r)
{
	*r = (struct bus_sub_request){ .text_n = 0 };
	if (!s->up)
		return false;
	if (now >= s->due)
		time_is_over(s, now);
	if (s->step == BUS_SUB_RUN)
		return ask_pull(s, r) || ask_look(s, now, r);
	if (s->step == BUS_SUB_REST || s->asked)
		return false;
	ask_step(s, r);
	s->asked = true;
	s->due = now + BUS_SUB_ANSWER;
	return true;
}

int64_t bus_sub_due(const struct bus_sub *s)
{
	int64_t due = s->step == BUS_SUB_RUN && s->jump && s->look < s->due ? s->look : s->due;

	return s->up ? due : INT64_MAX;
}

/* ------------------------------------------------------------------------------------------------- answers */

static void on_streams(struct bus_sub *s, struct span text, struct bus_error *e, int64_t now)
{
	struct span name = { "", 0 };
	uint64_t n;

	if (!bus_api_streams(text, &name, &n, e) || e->code)
		return;
	if (n > 1) {
		say(s, BUS_SUB_SAY_FAIL, "several streams have '%.*s': --stream says which", (int)s->o.subject.n,
		    s->o.subject.p);
	} else if (n == 0) {
		say(s, BUS_SUB_SAY_WAIT, "no stream has '%.*s' yet: waiting", (int)s->o.subject.n, s->o.subject.p);
		rest(s, now);
	} else {
		snprintf(s->stream, sizeof s->stream, "%.*s", (int)name.n, name.p);
		go(s, BUS_SUB_STREAM);
	}
}

static void gap(struct bus_sub *s, const char *why, uint64_t from, uint64_t upto)
{
	s->counters.gaps++;
	say(s, BUS_SUB_SAY_GAP, "messages may be missing: %s %s, sequences %" PRIu64 " to %" PRIu64, s->stream, why,
	    from, upto);
}

/* is what comes next still there? */
static void hold_against(struct bus_sub *s, const struct bus_stream_state *state)
{
	if (s->last > state->last) {
		gap(s, "has begun anew", 1, state->last);
		s->last = 0;
		s->snapshot = 0;
	} else if (s->counters.in && state->first > s->last + 1) {
		gap(s, "keeps no longer", s->last + 1, state->first - 1);
		s->last = state->first - 1;
	}
}

static void on_stream(struct bus_sub *s, struct span text, struct bus_error *e)
{
	struct bus_stream_state state;

	if (!bus_api_stream_state(text, s->o.subject, &state, e) || e->code)
		return;
	s->covered = state.covered;
	s->first = state.first;
	if (s->placed && s->o.from != BUS_SUB_SEQUENCE)
		hold_against(s, &state);
	else if (s->placed && s->counters.in)
		hold_against(s, &state);
	if (!s->placed && s->o.from == BUS_SUB_NEW) {
		s->last = state.last;
		s->placed = true;
	}
	go(s, durable(s) ? BUS_SUB_LOOK : BUS_SUB_CREATE);
}

static void run(struct bus_sub *s, uint64_t number, uint64_t pending, int64_t now)
{
	go(s, BUS_SUB_RUN);
	s->life++;
	s->number = number;
	s->pending = pending;
	s->caught_up |= pending == 0;
	s->jump = 0;
	s->looking = false;
	s->pull[0].left = s->pull[1].left = 0;
	s->due = now + BUS_SUB_SILENCE;
	s->wait = BUS_SUB_WAIT_MIN;
	say(s, BUS_SUB_SAY_LIVE, "reading %s from sequence %" PRIu64, s->stream, s->last + 1);
}

/* A durable consumer that is there says where to go on. What was given out and is not known to have been written is
 * given out once more, from a consumer made anew, at once and in order. */
static void on_look(struct bus_sub *s, struct span text, struct bus_error *e, int64_t now)
{
	struct bus_consumer_state state;
	bool known = s->counters.in > 0; /* by this process */

	if (!bus_api_consumer_state(text, &state, e))
		return;
	if (e->code == 404) {
		*e = (struct bus_error){ .code = 0 };
		go(s, BUS_SUB_LOOK_NEXT);
		return;
	}
	if (e->code)
		return;
	if (!state.acks_all || !(span_eq(state.subject, s->o.subject) || (s->covered && state.subject.n == 0))) {
		say(s, BUS_SUB_SAY_FAIL, "the consumer '%.*s' is another's: of '%.*s', or acknowledged otherwise",
		    (int)s->o.durable.n, s->o.durable.p, (int)(state.subject.n < 100 ? state.subject.n : 100),
		    state.subject.p);
		return;
	}
	snprintf(s->consumer, sizeof s->consumer, "%.*s", (int)s->o.durable.n, s->o.durable.p);
	s->last = known && s->last > state.floor ? s->last : state.floor;
	s->placed = true;
	s->snapshot = 0;
	if (s->first > s->last + 1)
		gap(s, "keeps no longer", s->last + 1, s->first - 1);
	if (state.delivered_seq > s->last)
		go(s, BUS_SUB_KEEP);
	else
		run(s, state.delivered + 1, state.pending, now);
}

static void on_look_next(struct bus_sub *s, struct span text, struct bus_error *e)
{
	struct bus_consumer_state state;

	if (!bus_api_consumer_state(text, &state, e))
		return;
	if (e->code == 404) {
		*e = (struct bus_error){ .code = 0 };
		go(s, BUS_SUB_CREATE);
	} else if (!e->code) {
		s->last = state.start && !s->counters.in ? state.start - 1 : s->last;
		s->placed = true;
		s->kept = true;
		go(s, BUS_SUB_CREATE);
	}
}

static void on_created(struct bus_sub *s, struct span text, struct bus_error *e, int64_t now)
{
	struct bus_consumer_state state;

	if (!bus_api_consumer_state(text, &state, e) || e->code)
		return;
	if (s->step == BUS_SUB_KEEP) {
		s->kept = true;
		go(s, BUS_SUB_DELETE);
		return;
	}
	if (s->o.from == BUS_SUB_LAST && (!s->placed || s->snapshot))
		s->snapshot = state.pending;
	s->pending = state.pending;
	if (s->kept)
		go(s, BUS_SUB_FREE);
	else
		run(s, 1, state.pending, now);
}

static void on_deleted(struct bus_sub *s, struct span text, struct bus_error *e, int64_t now)
{
	struct bus_ack nothing;

	/* that it is not there is as good */
	(void)bus_api_ack(text, &nothing, e);
	if (e->code == 404)
		*e = (struct bus_error){ .code = 0 };
	if (e->code)
		return;
	if (s->step == BUS_SUB_DELETE) {
		go(s, BUS_SUB_CREATE);
	} else {
		s->kept = false;
		run(s, 1, s->pending, now);
	}
}

static void take(struct bus_sub *s, struct span text, struct bus_error *e, int64_t now)
{
	if (s->step == BUS_SUB_FIND)
		on_streams(s, text, e, now);
	else if (s->step == BUS_SUB_STREAM)
		on_stream(s, text, e);
	else if (s->step == BUS_SUB_LOOK)
		on_look(s, text, e, now);
	else if (s->step == BUS_SUB_LOOK_NEXT)
		on_look_next(s, text, e);
	else if (s->step == BUS_SUB_DELETE || s->step == BUS_SUB_FREE)
		on_deleted(s, text, e, now);
	else
		on_created(s, text, e, now);
}

static void on_looked(struct bus_sub *s, struct span text)
{
	struct bus_stream_state state;
	struct bus_error e;

	if (!s->looking || s->step != BUS_SUB_RUN || !bus_api_stream_state(text, s->o.subject, &state, &e) || e.code)
		return;
	s->looking = false;
	if (state.first > s->jump)
		gap(s, "keeps no longer, while they waited to be read,", s->jump, state.first - 1);
	s->jump = 0;
}

void bus_sub_answer(struct bus_sub *s, uint64_t token, int status, struct span text, int64_t now)
{
	struct bus_error e = { .code = 0 };
	uint32_t turn = s->turn;

	if (token == (LOOK_TOKEN | s->life) && !status)
		on_looked(s, text);
	if (token != turn || !s->asked)
		return;
	if (status) {
		say(s, BUS_SUB_SAY_WAIT, "no server has JetStream at the moment: asking again");
		rest(s, now);
		return;
	}
	take(s, text, &e, now);
	if (e.code == 404 && s->step == BUS_SUB_STREAM)
		say(s, BUS_SUB_SAY_WAIT, "there is no stream '%s' yet: waiting", s->stream);
	else if (e.code)
		say(s, BUS_SUB_SAY_WAIT, "the server says: %.*s: asking again", (int)(e.text.n < 200 ? e.text.n : 200),
		    e.text.p);
	if (s->turn == turn && s->say != BUS_SUB_SAY_FAIL) /* nothing came of it */
		rest(s, now);
}

/* ------------------------------------------------------------------------------------------------ messages */

/* it was for the older request, as far as that still waits */
static void count_down(struct bus_sub *s)
{
	if (s->pull[0].left)
		s->pull[0].left--;
	if (s->pull[0].left == 0) {
		s->pull[0] = s->pull[1];
		s->pull[1].left = 0;
	}
}

bool bus_sub_message(struct bus_sub *s, unsigned life, struct span reply, int64_t now)
{
	struct bus_delivery d;

	if (life != s->life || s->step != BUS_SUB_RUN || !bus_api_delivery(reply, &d))
		return false;
	s->counters.in++;
	s->due = now + BUS_SUB_SILENCE;
	count_down(s);
	bool repeated = s->placed && d.sequence <= s->last;
	if (d.number != s->number && !repeated) {
		s->counters.in--;
		restart(s, now);
		return false;
	}
	s->number = d.number + 1;
	s->pending = d.pending;
	s->caught_up |= d.pending == 0;
	s->snapshot -= s->snapshot > 0;
	s->counters.repeated += repeated;
	if (repeated)
		return false;
	if (s->placed && d.sequence > s->last + 1 && !s->jump && !s->snapshot)
		s->jump = s->last + 1;
	s->last = d.sequence;
	s->placed = true;
	return true;
}

void bus_sub_lost(struct bus_sub *s, int64_t now)
{
	if (s->step == BUS_SUB_RUN)
		restart(s, now);
}

static void pull_is_over(struct bus_sub *s, uint64_t token)
{
	if (s->pull[1].left && s->pull[1].turn == token) {
		s->pull[1].left = 0;
	} else if (s->pull[0].left && s->pull[0].turn == token) {
		s->pull[0].left = 0;
		count_down(s);
	}
}

static bool says(struct span text, const char *what)
{
	return span_starts(text, span_of(what));
}

void bus_sub_status(struct bus_sub *s, unsigned life, uint64_t token, int status, struct span description, int64_t now)
{
	if (life != s->life || s->step != BUS_SUB_RUN)
		return;
	s->due = now + BUS_SUB_SILENCE;
	if (status == 100)
		return;
	if (status == 408 || status == 404 || says(description, "Message Size Exceeds MaxBytes") ||
	    says(description, "Batch Completed")) { /* the request has been answered */
		pull_is_over(s, token);
		return;
	}
	say(s, BUS_SUB_SAY_WAIT, "the server says: %d %.*s: asking anew", status,
	    (int)(description.n < 200 ? description.n : 200), description.p);
	restart(s, now);
}
