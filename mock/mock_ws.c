#include "mock_ws.h"

#include <openssl/evp.h>

#define GUID	"258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 1.3 */
#define KEY_MAX 64

static size_t put_big_endian(char *out, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)(unsigned char)(v >> (8 * (bytes - 1 - i)));
	return bytes;
}

size_t mock_ws_head(char out[MOCK_WS_HEAD_MAX], unsigned first, uint64_t n, const unsigned char *mask)
{
	unsigned bit = mask ? 0x80 : 0;
	size_t at = 2;

	out[0] = (char)(unsigned char)first;
	if (n < 126) {
		out[1] = (char)(unsigned char)(bit | (unsigned)n);
	} else if (n < 65536) {
		out[1] = (char)(unsigned char)(bit | 126);
		at += put_big_endian(out + at, n, 2);
	} else {
		out[1] = (char)(unsigned char)(bit | 127);
		at += put_big_endian(out + at, n, 8);
	}
	if (mask) {
		memcpy(out + at, mask, 4);
		at += 4;
	}
	return at;
}

static uint64_t big_endian(const unsigned char *p, size_t bytes)
{
	uint64_t v = 0;

	for (size_t i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

/* what RFC 6455 forbids a client; NULL: fine */
static const char *wrong_with(unsigned first, unsigned second, const struct mock_ws_frame *f)
{
	bool control = f->opcode >= 8;

	if (first & 0x70)
		return "reserved bits are set";
	if (!(second & 0x80))
		return "a client's frame is not masked";
	if ((f->opcode > 2 && f->opcode < 8) || f->opcode > 10)
		return "unknown opcode";
	if (control && (!f->fin || f->payload > MOCK_WS_CONTROL_MAX))
		return "fragmented or long control frame";
	return NULL;
}

enum mock_ws_got mock_ws_parse(struct span bytes, struct mock_ws_frame *f, const char **why)
{
	const unsigned char *p = (const unsigned char *)bytes.p;

	if (bytes.n < 2)
		return MOCK_WS_MORE;
	unsigned length = p[1] & 0x7fu;
	size_t wide = length == 126 ? 2 : length == 127 ? 8 : 0;
	f->opcode = p[0] & 0xfu;
	f->fin = (p[0] & 0x80) != 0;
	f->head = 2 + wide + ((p[1] & 0x80) ? 4 : 0);
	if (bytes.n < f->head)
		return MOCK_WS_MORE;
	f->payload = wide ? big_endian(p + 2, wide) : length;
	if (p[1] & 0x80)
		memcpy(f->mask, p + 2 + wide, 4);
	*why = wrong_with(p[0], p[1], f);
	return *why ? MOCK_WS_BAD : MOCK_WS_HEAD;
}

void mock_ws_mask(char *p, size_t n, const unsigned char mask[4])
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)((unsigned char)p[i] ^ mask[i % 4]);
}

bool mock_ws_accept(struct span key, char out[MOCK_WS_ACCEPT_SIZE])
{
	char text[KEY_MAX + sizeof GUID];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (key.n == 0 || key.n > KEY_MAX)
		return false;
	memcpy(text, key.p, key.n);
	memcpy(text + key.n, GUID, sizeof GUID - 1);
	if (!EVP_Digest(text, key.n + sizeof GUID - 1, hash, &n, EVP_sha1(), NULL) || n != 20)
		return false;
	return EVP_EncodeBlock((unsigned char *)out, hash, (int)n) == MOCK_WS_ACCEPT_SIZE - 1;
}
