#include "ws_upgrade.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

void ws_upgrade_key(char key[WS_KEY_BYTES])
{
	unsigned char nonce[16] = { 0 };

	(void)RAND_bytes(nonce, sizeof nonce); /* it is no secret, and only has to be another one each time */
	EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
}

bool ws_upgrade_accepts(const char *key, const char *accept)
{
	char text[WS_KEY_BYTES + sizeof GUID];
	unsigned char digest[EVP_MAX_MD_SIZE], wanted[2 * EVP_MAX_MD_SIZE];
	unsigned n = 0;

	snprintf(text, sizeof text, "%s%s", key, GUID);
	if (!EVP_Digest(text, strlen(text), digest, &n, EVP_sha1(), NULL))
		return false;
	EVP_EncodeBlock(wanted, digest, (int)n);
	return strcmp(accept, (const char *)wanted) == 0;
}
