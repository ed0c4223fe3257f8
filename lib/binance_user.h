/* binance_user - what the events of an account share: fields read strictly, rows one by one, records written, fills
 * told once.
 *
 * A reader of a field that gives false has noted the refusal, with its sentence; who asked just gives up the row. */
#ifndef BNC_BINANCE_USER_H
#define BNC_BINANCE_USER_H

#include "binance_field.h"
#include "sentence.h"

struct binance_user {
	struct binance *b;
	const struct fields *event;
	enum event_market market;
	int64_t recv; /* ms, -1: not noted */
	int64_t now;  /* event time: what has waited long enough by then goes in front of the first record; -1: none */
	int64_t ts;   /* of the records */
	struct line_out *out;
	const char *row; /* the one at hand, NULL: the event as a whole */
	bool counting;	 /* records are counted in `left`, not written */
	size_t left;	 /* of the records of one change: to come */

	enum binance_result result; /* so far; a refusal stays one */
	const char *why;	    /* of the first refusal: a constant sentence */
	const char *at;		    /* and its row, or NULL */
};

/* always false */
bool binance_user_refuse(struct binance_user *u, const char *why);

/* u->ts: the event time E, else the time of receipt */
bool binance_user_time(struct binance_user *u, const struct fields *f);

/* a decimal, from zero up (amount) or of any sign (number) */
bool binance_user_number(
    struct binance_user *u, const struct fields *f, unsigned slot, struct dec *out, const char *why);
bool binance_user_amount(
    struct binance_user *u, const struct fields *f, unsigned slot, struct dec *out, const char *why);

/* a name: 1 to EVENT_NAME_MAX bytes, no control character, quote or backslash in it */
bool binance_user_name(
    struct binance_user *u, const struct fields *f, unsigned slot, struct span *out, const char *why);

/* BOTH, LONG or SHORT */
bool binance_user_side(
    struct binance_user *u, const struct fields *f, unsigned slot, struct span *out, const char *why);

/* an id from zero up: its digits, and the number that they are */
bool binance_user_id(
    struct binance_user *u, const struct fields *f, unsigned slot, struct span *digits, int64_t *out, const char *why);

/* an object inside the event, entered into b->inner */
bool binance_user_inner(struct binance_user *u, unsigned slot, const char *why);

/* `row` for each object of an array, entered into b->leaf: sound rows give their records although another is refused */
void binance_user_rows(
    struct binance_user *u, const struct fields *f, unsigned slot, binance_user_parse *row, const char *why);

/* What all reports of fills say with the same keys: pair (s), side (S), price (L), quantity (l), id (t), order (i),
 * from the fields that hold them. false: refused */
struct binance_deal_why {
	const char *pair, *side, *price, *qty, *id, *order; /* what a refusal says */
};
bool binance_user_deal(struct binance_user *u, const struct fields *f, const struct binance_deal_why *why,
    struct event_trade *e, int64_t *id, int64_t *order);

/* fee (n) and its asset (N), where there is one */
bool binance_user_fee(
    struct binance_user *u, const struct fields *f, struct event_trade *e, const char *fee_why, const char *asset_why);

/* Records. Market and ts, and by the pair symbol and contract size, are filled in; all else is the caller's. */
/* Several that are one change say so: all but the last have `more`. `rows` reads and writes them; it is run twice, since
 * only then it is known which are sound. */
void binance_user_change(struct binance_user *u, void (*rows)(struct binance_user *u));
void binance_user_position(struct binance_user *u, struct event_position *e);
void binance_user_balance(struct binance_user *u, struct event_balance *e);

/* A fill; `id` and `order` are what e->id and e->order_id say in digits. Without an id (empty) it is never taken for
 * one that has been told. */
void binance_user_fill(struct binance_user *u, struct event_trade *e, int64_t id, int64_t order);

/* the same for a report in part, which waits for the whole one */
void binance_user_preview(struct binance_user *u, struct event_trade *e, int64_t id, int64_t order);

/* event time is `now`: previews of fills that have waited long enough are told */
void binance_user_told_by_time(struct binance *b, int64_t now, struct line_out *out);

/* events of orders that are no fill, of order lists, of the exchange's trading bots: counted */
binance_user_parse binance_user_order;

/* a status record about the event */
void binance_user_status(struct binance_user *u, struct span state, const struct sentence *s);

#endif
