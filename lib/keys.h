/* keys - an account's API key and its secret: from a file, or out of the environment. Nothing of them is ever part of a
 * message, and whoever has used them wipes them.
 *
 * The text of a file: lines `BNC_API_KEY=...` and `BNC_API_SECRET=...`, or a block of PEM in place of the latter; empty
 * lines and those that begin with '#' are nothing. A value is printable ASCII without blanks, as it stands. */
#ifndef BNC_KEYS_H
#define BNC_KEYS_H

#include "span.h"

#define KEYS_FILE_MAX	 16384
#define KEYS_API_KEY_MAX 256  /* the exchange's have 64 characters */
#define KEYS_SECRET_MAX	 8192 /* of PEM or HMAC */

struct keys {
	char api_key[KEYS_API_KEY_MAX + 1]; /* NUL-terminated */
	char secret[KEYS_SECRET_MAX + 1];   /* of HMAC, or a whole block of PEM; NUL-terminated */
};

/* false: why[] names the line, nothing that stands in it */
bool keys_parse(struct keys *k, struct span text, char why[256]);

/* The file must be a regular one of this user's or root's that nobody else may read or write, and no symbolic link on
 * the way to it may lie where everybody can make one. false: why[] */
bool keys_read_file(struct keys *k, const char *path, char why[256]);

/* BNC_API_KEY and BNC_API_SECRET (there a block of PEM is fine, too); both are wiped and taken out of the environment
 * in any case. Before any thread is made. false: why[]; "" where neither is set */
bool keys_take_environment(struct keys *k, char why[256]);

void keys_wipe(struct keys *k);

#endif
