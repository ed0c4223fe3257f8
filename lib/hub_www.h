/* hub_www - health and metrics of a hub as files that a web server serves as they are: health.json and metrics always,
 * health (a line "ok") only while the newest price is fresh. Each appears whole or not at all. */
#ifndef BNC_HUB_WWW_H
#define BNC_HUB_WWW_H

#include "hub.h"

struct hub_www {
	int dir;
};

/* false: errno */
bool hub_www_open(struct hub_www *w, const char *dir);

/* false: something could not be written, errno; health is gone then where that could be done */
bool hub_www_write(const struct hub_www *w, const struct hub *h, int64_t uptime, int64_t now);

/* health goes, the others stay as they are */
void hub_www_close(struct hub_www *w);

#endif
