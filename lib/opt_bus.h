/* opt_bus - the options of programs that speak with a NATS server. For cmd/ alone, as opt. */
#ifndef BNC_OPT_BUS_H
#define BNC_OPT_BUS_H

#include "opt.h"

struct opt_bus {
	const char *servers; /* NULL: by environment */
	const char *creds, *cacert, *cert, *key;
};

/* of the long ones in the program's table; --server is its 's' */
enum {
	OPT_BUS_CREDS = OPT_NO_SANDBOX + 1,
	OPT_BUS_CACERT,
	OPT_BUS_CERT,
	OPT_BUS_KEY,
};

/* false: it is none of these */
bool opt_bus(struct opt_bus *o, int c);
/* do they go together? */
void opt_bus_done(const struct opt_bus *o);

/* the name of a stream or a consumer, from optarg */
struct span opt_bus_name(const char *option);

#endif
