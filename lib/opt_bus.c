#include "opt_bus.h"

#include "bus_api.h"

/* arguments are for all to see */
static const char *servers(void)
{
	if (!bus_api_is_servers(span_of(optarg), false))
		opt_usage(
		    "-s: no list of servers, each nats://host[:port] or tls://host[:port], without a password: that is "
		    "for NATS_URL");
	return optarg;
}

bool opt_bus(struct opt_bus *o, int c)
{
	if (c == 's')
		o->servers = servers();
	else if (c == OPT_BUS_CREDS)
		o->creds = optarg;
	else if (c == OPT_BUS_CACERT)
		o->cacert = optarg;
	else if (c == OPT_BUS_CERT)
		o->cert = optarg;
	else if (c == OPT_BUS_KEY)
		o->key = optarg;
	else
		return false;
	return true;
}

void opt_bus_done(const struct opt_bus *o)
{
	if (!o->cert != !o->key)
		opt_usage("--cert and --key go together");
}

struct span opt_bus_name(const char *option)
{
	if (!bus_api_is_name(span_of(optarg)))
		opt_wrong(option, "1 to 32 letters, digits, '-' and '_'");
	return span_of(optarg);
}
