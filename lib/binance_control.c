/* What is no market event: replies, errors in both shapes, the notice that the server goes down. */
#include "binance_field.h"

enum binance_control binance_control(const struct fields *f)
{
	if (fields_kind(f, 'e') == JSON_STRING)
		return span_is(fields_text(f, 'e'), "serverShutdown") ? BINANCE_SHUTDOWN : BINANCE_NO_CONTROL;
	if (fields_has(f, BINANCE_ERROR) || (fields_has(f, BINANCE_CODE) && fields_has(f, BINANCE_MSG)))
		return BINANCE_ERROR_REPLY;
	if (fields_has(f, BINANCE_RESULT) && fields_has(f, BINANCE_ID))
		return BINANCE_REPLY;
	return BINANCE_NO_CONTROL;
}
