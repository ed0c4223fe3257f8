#include "ws_frame.h"

#include <string.h>

#define FINAL	 0x80
#define RESERVED 0x70
#define MASKED	 0x80

static bool is_known(unsigned opcode)
{
	return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

/* how many bytes of length follow the first two */
static size_t longer(unsigned length)
{
	return length == 126 ? 2 : length == 127 ? 8 : 0;
}

static uint64_t big_endian(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

enum ws_frame_got ws_frame_read(const void *at, size_t n, struct ws_frame *f)
{
	const unsigned char *p = at;

	if (n < 2)
		return WS_FRAME_MORE;
	unsigned opcode = p[0] & 15, length = p[1] & 127;
	bool final = p[0] & FINAL;
	if ((p[0] & RESERVED) || (p[1] & MASKED) || !is_known(opcode))
		return WS_FRAME_BAD;
	if (opcode >= WS_CLOSE && (!final || length > WS_CONTROL_MAX))
		return WS_FRAME_BAD;
	size_t more = longer(length);
	if (n < 2 + more)
		return WS_FRAME_MORE;
	*f = (struct ws_frame){ (enum ws_opcode)opcode, final, 2 + more, more ? big_endian(p + 2, more) : length };
	return f->n <= INT64_MAX ? WS_FRAME_HEAD : WS_FRAME_BAD;
}

char *ws_frame_write(char *payload, size_t n, enum ws_opcode opcode, const unsigned char mask[4])
{
	unsigned char head[WS_FRAME_HEAD_MAX];
	unsigned length = n > UINT16_MAX ? 127 : n > 125 ? 126 : (unsigned)n;
	size_t more = longer(length);

	head[0] = (unsigned char)(FINAL | opcode);
	head[1] = (unsigned char)(MASKED | length);
	for (size_t i = 0; i < more; i++)
		head[2 + i] = (unsigned char)((uint64_t)n >> 8 * (more - 1 - i));
	memcpy(head + 2 + more, mask, 4);
	for (size_t i = 0; i < n; i++)
		payload[i] = (char)((unsigned char)payload[i] ^ mask[i % 4]);
	return memcpy(payload - 6 - more, head, 6 + more);
}
