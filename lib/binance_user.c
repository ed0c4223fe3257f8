#include "binance_user.h"

#include "num.h"
#include "scan.h"

/* ------------------------------------------------------------------------------------------------- reading */

bool binance_user_refuse(struct binance_user *u, const char *why)
{
	if (u->result != BINANCE_REFUSED) {
		u->result = BINANCE_REFUSED;
		u->why = why;
		u->at = u->row;
	}
	return false;
}

bool binance_user_time(struct binance_user *u, const struct fields *f)
{
	const char *why;

	return binance_field_event_time(f, u->recv, &u->ts, &why) || binance_user_refuse(u, why);
}

bool binance_user_number(
    struct binance_user *u, const struct fields *f, unsigned slot, struct dec *out, const char *why)
{
	return event_number(f, slot, out) || binance_user_refuse(u, why);
}

bool binance_user_amount(
    struct binance_user *u, const struct fields *f, unsigned slot, struct dec *out, const char *why)
{
	return (event_number(f, slot, out) && dec_sign(*out) >= 0) || binance_user_refuse(u, why);
}

bool binance_user_name(struct binance_user *u, const struct fields *f, unsigned slot, struct span *out, const char *why)
{
	return (event_string(f, slot, out) && out->n > 0 && span_printable(*out)) || binance_user_refuse(u, why);
}

bool binance_user_side(struct binance_user *u, const struct fields *f, unsigned slot, struct span *out, const char *why)
{
	return (event_string(f, slot, out) &&
		   (span_is(*out, "BOTH") || span_is(*out, "LONG") || span_is(*out, "SHORT"))) ||
	       binance_user_refuse(u, why);
}

bool binance_user_id(
    struct binance_user *u, const struct fields *f, unsigned slot, struct span *digits, int64_t *out, const char *why)
{
	*digits = fields_text(f, slot);
	return (fields_kind(f, slot) == JSON_INT && scan_is_digit(digits->p[0]) &&
		   num_i64(*digits, 0, INT64_MAX, out)) ||
	       binance_user_refuse(u, why);
}

bool binance_user_inner(struct binance_user *u, unsigned slot, const char *why)
{
	if (fields_kind(u->event, slot) != JSON_OBJECT)
		return binance_user_refuse(u, why);
	fields_enter(&u->b->inner, u->event->v[slot]);
	return true;
}

void binance_user_rows(
    struct binance_user *u, const struct fields *f, unsigned slot, binance_user_parse *row, const char *why)
{
	struct fields *leaf = &u->b->leaf;
	const char *outer = u->row;
	struct json r;
	struct json_val v;

	if (fields_kind(f, slot) != JSON_ARRAY) {
		binance_user_refuse(u, why);
		return;
	}
	json_enter_array(&r, fields_text(f, slot)); /* checked when the line was read */
	while (json_next_element(&r, &v)) {
		u->row = v.p;
		if (v.kind == JSON_OBJECT) {
			fields_enter(leaf, v);
			row(u, leaf);
		} else {
			binance_user_refuse(u, why);
		}
	}
	u->row = outer;
}

bool binance_user_deal(struct binance_user *u, const struct fields *f, const struct binance_deal_why *why,
    struct event_trade *e, int64_t *id, int64_t *order)
{
	struct span side;

	if (!binance_user_name(u, f, 's', &e->pair, why->pair))
		return false;
	if (!event_string(f, 'S', &side) || !(span_is(side, "BUY") || span_is(side, "SELL")))
		return binance_user_refuse(u, why->side);
	e->sell = span_is(side, "SELL");
	return binance_user_amount(u, f, 'L', &e->price, why->price) &&
	       binance_user_amount(u, f, 'l', &e->qty, why->qty) && binance_user_id(u, f, 't', &e->id, id, why->id) &&
	       binance_user_id(u, f, 'i', &e->order_id, order, why->order);
}

bool binance_user_fee(
    struct binance_user *u, const struct fields *f, struct event_trade *e, const char *fee_why, const char *asset_why)
{
	e->has_fee = fields_has(f, 'n');
	if (!e->has_fee)
		return true;
	if (!binance_user_number(u, f, 'n', &e->fee, fee_why))
		return false;
	/* N is null, or not there, where nothing is paid */
	bool named = fields_kind(f, 'N') != JSON_NONE && fields_kind(f, 'N') != JSON_NULL;
	return (!named && dec_sign(e->fee) == 0) || binance_user_name(u, f, 'N', &e->fee_asset, asset_why);
}

/* ------------------------------------------------------------------------------------------------- writing */

void binance_user_told_by_time(struct binance *b, int64_t now, struct line_out *out)
{
	struct span record;

	while (b->fills && fills_next(b->fills, now, &record))
		b->records += line_put(out, record);
}

/* room for a record, behind those that are due before it; false: the writer has failed and says so itself */
static bool room(struct binance_user *u)
{
	if (u->now >= 0)
		binance_user_told_by_time(u->b, u->now, u->out);
	if (u->result == BINANCE_NOTHING)
		u->result = BINANCE_RECORDS;
	return line_room(u->out, LINE_RECORD_MAX);
}

static void written(struct binance_user *u, char *end)
{
	u->out->p = end;
	u->out->lines++;
	u->b->records++;
}

/* what a contract of coinm is worth, where exchangeInfo says it; 0: nobody has said */
static uint64_t contract_size(const struct binance_user *u, struct span pair)
{
	return u->market == EVENT_COINM && u->b->symbols ? symbols_contract_size(u->b->symbols, pair) : 0;
}

void binance_user_change(struct binance_user *u, void (*rows)(struct binance_user *u))
{
	u->counting = true;
	rows(u);
	u->counting = false;
	rows(u);
}

/* a record is only counted for now */
static bool counted(struct binance_user *u)
{
	u->left += u->counting;
	return u->counting;
}

/* one that is written: do others of its change follow? */
static bool more_of(struct binance_user *u)
{
	u->left -= u->left > 0;
	return u->left > 0;
}

void binance_user_position(struct binance_user *u, struct event_position *e)
{
	uint64_t size = contract_size(u, e->pair);

	if (counted(u) || !room(u))
		return;
	e->more = more_of(u);
	e->symbol = symbol_base(u->b->symbols, e->pair);
	e->market = u->market;
	e->ts = u->ts;
	e->has_contract_size = size > 0;
	e->contract_size = (struct dec){ (dec_int)size, 0 };
	written(u, event_write_position(u->out->p, e));
}

void binance_user_balance(struct binance_user *u, struct event_balance *e)
{
	if (counted(u) || !room(u))
		return;
	e->more = more_of(u);
	e->market = u->market;
	e->ts = u->ts;
	written(u, event_write_balance(u->out->p, e));
}

static char *write_fill(struct binance_user *u, struct event_trade *e)
{
	uint64_t size = contract_size(u, e->pair);

	e->symbol = symbol_base(u->b->symbols, e->pair);
	e->market = u->market;
	e->ts = u->ts;
	e->has_contract_size = size > 0;
	e->contract_size = (struct dec){ (dec_int)size, 0 };
	return event_write_trade(u->out->p, e);
}

static struct fills_key key_of(const struct binance_user *u, const struct event_trade *e, int64_t id, int64_t order)
{
	return (struct fills_key){ .market = u->market, .pair = e->pair, .id = id, .order = order };
}

void binance_user_fill(struct binance_user *u, struct event_trade *e, int64_t id, int64_t order)
{
	struct fills_key key = key_of(u, e, id, order);

	if (u->b->fills && e->id.n > 0 && !fills_take(u->b->fills, &key))
		u->b->copies++;
	else if (room(u))
		written(u, write_fill(u, e));
}

void binance_user_preview(struct binance_user *u, struct event_trade *e, int64_t id, int64_t order)
{
	struct fills_key key = key_of(u, e, id, order);
	struct span left;

	if (!u->b->fills) {
		binance_user_fill(u, e, id, order);
		return;
	}
	if (!line_room(u->out, LINE_RECORD_MAX))
		return;
	/* written where the next record will stand, and kept from there without its line end */
	struct span record = { u->out->p, (size_t)(write_fill(u, e) - u->out->p) - 1 };
	if (!fills_hold(u->b->fills, &key, u->ts, record, &left)) {
		u->b->copies++;
		return;
	}
	u->result = u->result == BINANCE_NOTHING ? BINANCE_RECORDS : u->result; /* its own comes in time */
	if (left.n)
		u->b->records += line_put(u->out, left);
}

void binance_user_order(struct binance_user *u, const struct fields *f)
{
	(void)f;
	u->b->orders++;
}

/* --------------------------------------------------------------------------------------------------- telling */

void binance_user_status(struct binance_user *u, struct span state, const struct sentence *s)
{
	struct event_status e = {
		.state = state,
		.ts = u->ts,
		.event = fields_text(u->event, 'e'),
		.detail = sentence_span(s),
	};

	if (room(u))
		written(u, event_write_status(u->out->p, &e));
}
