/* bnc-normalize's function on lines; the first byte says which market and whether frames without a record are kept */
#include "records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum event_market markets[] = { EVENT_USDM, EVENT_COINM, EVENT_SPOT };
	struct span rest = { (const char *)data, size };
	struct span line;

	if (size == 0)
		return 0;
	struct subject *s = subject_new(markets[data[0] % 3], data[0] / 3 % 2);
	if (data[0] < ' ')
		rest = (struct span){ rest.p + 1, rest.n - 1 };
	while (fuzz_line(&rest, &line))
		records_line(s, line);
	subject_free(s);
	return 0;
}
