/* hub_report - what a hub says of itself: health as a line of JSON, metrics as Prometheus text. Pure. */
#ifndef BNC_HUB_REPORT_H
#define BNC_HUB_REPORT_H

#include <stdio.h>

#include "hub.h"

/* {"status":"ok","ageMs":12,"streams":[{"market":"usdm","pair":"SOLUSDT","source":"book","ageMs":12}],"readers":1,
 * "uptime":3600,"source":"live"} and '\n'; of a bar "interval" as well. uptime: µs. ageMs is null where no price has
 * come. */
void hub_report_health(FILE *out, const struct hub *h, int64_t uptime, int64_t now);

/* text format 0.0.4 of Prometheus */
void hub_report_metrics(FILE *out, const struct hub *h, int64_t uptime, int64_t now);

#endif
