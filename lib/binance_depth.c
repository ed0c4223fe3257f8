/* depthUpdate: a difference or a partial book; which of the two only the name of the stream tells. Checked and counted;
 * no record carries it. */
#include "binance_field.h"

enum binance_result binance_depth_parse(const struct fields *f, const struct binance_frame *frame, struct event_price *e,
    const char **why)
{
	struct span id;

	(void)frame;
	if (!binance_field_pair(f, 's', e))
		return binance_refuse(why, "no usable symbol (s)");
	if (!binance_field_id(f, 'u', &id))
		return binance_refuse(why, "last update id (u) is not an integer");
	if (fields_kind(f, 'b') != JSON_ARRAY || fields_kind(f, 'a') != JSON_ARRAY)
		return binance_refuse(why, "bids (b) and asks (a) are not arrays");
	return BINANCE_NOTHING;
}
