#include "cost.h"

static enum dec_result flow(const struct cost_contract *k, struct dec qty, struct dec price, struct dec *out)
{
	enum dec_result r = dec_mul(qty, k->inverse ? k->size : price, out);

	return r == DEC_OK && k->inverse ? dec_div_trunc(*out, price, COST_COIN_DECIMALS, out) : r;
}

/* *sum += a; without zeros at its end, so that it keeps no scale that it does not need */
static enum dec_result add(struct dec *sum, struct dec a)
{
	enum dec_result r = dec_add(*sum, a, sum);

	*sum = dec_strip(*sum);
	return r;
}

static enum dec_result increase(struct cost *c, const struct cost_contract *k, struct dec qty, struct dec price)
{
	struct dec f;
	enum dec_result r = flow(k, qty, price, &f);

	if (r == DEC_OK)
		r = add(&c->cost, f);
	return r == DEC_OK ? add(&c->qty, qty) : r;
}

/* what `gain` in coin realizes; what is cut off goes to the rest */
static enum dec_result whole_units(struct cost *c, struct dec gain, struct dec *realized)
{
	struct dec left;
	enum dec_result r = dec_div_trunc(gain, (struct dec){ 1, 0 }, COST_PNL_DECIMALS, realized);

	if (r == DEC_OK)
		r = dec_sub(gain, *realized, &left);
	return r == DEC_OK ? add(&c->rest, left) : r;
}

/* qty: of the other sign, no more than what is open */
static enum dec_result reduce(struct cost *c, const struct cost_contract *k, struct dec qty, struct dec price,
    struct dec *realized)
{
	bool all = dec_is(qty, (struct dec){ -c->qty.m, c->qty.scale });
	struct dec share = c->cost, f;
	enum dec_result r = flow(k, qty, price, &f);

	if (r == DEC_OK && !all) {
		/* qty is of the other sign than what is open, and so is this share of the cost */
		r = dec_share_trunc(c->cost, qty, c->qty, k->inverse ? COST_COIN_DECIMALS : COST_DECIMALS, &share);
		share.m = -share.m;
	}
	if (r == DEC_OK)
		r = dec_sub(c->cost, share, &c->cost);
	if (r == DEC_OK)
		r = add(&c->qty, qty);
	if (r != DEC_OK)
		return r;
	c->cost = dec_strip(c->cost);
	/* linear: -(share + f), what came in beyond what it cost; inverse: share + f, for a long position is short of coin */
	r = dec_add(share, f, &f);
	if (r != DEC_OK || k->inverse)
		return r == DEC_OK ? whole_units(c, f, realized) : r;
	*realized = dec_strip((struct dec){ -f.m, f.scale });
	return DEC_OK;
}

/* how much of a fill closes: none where it adds */
static struct dec closing(const struct cost *c, struct dec qty)
{
	struct dec open = { -c->qty.m, c->qty.scale }; /* what would close all */

	if (dec_sign(open) != dec_sign(qty))
		return DEC_NIL;
	return dec_cmp(qty, open) * dec_sign(qty) > 0 ? open : qty;
}

enum dec_result cost_fill(const struct cost *c, const struct cost_contract *k, struct dec qty, struct dec price,
    struct cost *out, struct dec *realized)
{
	struct cost after = *c;
	struct dec gain = DEC_NIL, closed = closing(c, qty), opened;
	enum dec_result r = dec_sub(qty, closed, &opened);

	if (r == DEC_OK && dec_sign(closed) != 0)
		r = reduce(&after, k, closed, price, &gain);
	if (r == DEC_OK && dec_sign(opened) != 0)
		r = increase(&after, k, opened, price);
	if (r == DEC_OK) {
		*out = after;
		*realized = gain;
	}
	return r;
}

enum dec_result cost_of(const struct cost_contract *k, struct dec qty, struct dec entry, struct cost *out)
{
	struct cost fresh = { DEC_NIL, DEC_NIL, DEC_NIL };
	enum dec_result r = dec_sign(qty) == 0 ? DEC_OK : increase(&fresh, k, qty, entry);

	if (r == DEC_OK)
		*out = fresh;
	return r;
}

enum dec_result cost_entry(const struct cost *c, const struct cost_contract *k, struct dec *entry)
{
	struct dec above;

	if (dec_sign(c->qty) == 0) {
		*entry = DEC_NIL;
		return DEC_OK;
	}
	if (!k->inverse)
		return dec_div_trunc(c->cost, c->qty, COST_DECIMALS, entry);
	enum dec_result r = dec_mul(c->qty, k->size, &above);
	return r == DEC_OK ? dec_div_trunc(above, c->cost, COST_DECIMALS, entry) : r;
}
