/* binance_bus - what a line is on a message bus: the subject it goes by, and the id that tells it from all others.
 * Pure.
 *
 * The subject is made from a template whose words in braces stand for what the line says: {market}, {type} and {pair}.
 * Of a frame the type is the channel of its stream ("bookTicker", "kline_1m") and the pair its symbol in upper case; of
 * a record they are its own (for want of a pair its symbol, or its asset). What a line does not say is "-". Bytes that
 * have a meaning in subjects, or are no letters, digits, '_', '@' or '-', are written as %XX; so is a name that is "-".
 *
 * The id of a frame of a market stream is that of the exchange, as in binance_ids; a record has one where it carries an
 * `id`, and then its bytes count as well, because trades and their aggregates number themselves alike. */
#ifndef BNC_BINANCE_BUS_H
#define BNC_BINANCE_BUS_H

#include "binance_track.h"

#define BINANCE_BUS_SUBJECT_MAX 255
#define BINANCE_BUS_ID_MAX	400 /* a stream's name with every byte as %XX would have more, and has no id */
#define BINANCE_BUS_PARTS	16

struct binance_bus {
	struct binance_track track;
	struct fields record;
	struct span part[BINANCE_BUS_PARTS]; /* of the template, owned by who gave it: text, or a word in braces */
	size_t parts;
	bool ids;
};

struct binance_bus_key {
	char subject[BINANCE_BUS_SUBJECT_MAX + 1]; /* NUL-terminated */
	size_t subject_n;
	char id[BINANCE_BUS_ID_MAX + 1]; /* NUL-terminated */
	size_t id_n;			 /* 0: it has none */
	struct span stream; /* of a frame, as the exchange names it; empty: no frame. Good until the next line */
};

/* market: of frames that do not say theirs; ids: whether they are wanted. The template stays the caller's. false:
 * why[];
 * "" where it is memory */
bool binance_bus_open(struct binance_bus *b, struct span template, enum event_market market, bool ids, char why[256]);
void binance_bus_close(struct binance_bus *b);

/* The line is padded as lib/json asks. false: *why says what is wrong with it, and *at where */
bool binance_bus_line(struct binance_bus *b, struct span line, struct binance_bus_key *k, const char **why, size_t *at);

/* what all subjects of the template match: "bnc.*.*.*", as short as the template */
bool binance_bus_wild(const struct binance_bus *b, char out[BINANCE_BUS_SUBJECT_MAX + 1]);

#endif
