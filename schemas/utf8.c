#include "schemas/utf8.h"

int32_t
utf8_next(struct bytes b, size_t *at)
{
	static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
	size_t more, i;
	int32_t code;
	uint8_t c;

	if (*at >= b.n)
		return -1;
	c = b.p[*at];
	if (c < 0x80) {
		(*at)++;
		return c;
	}
	if (c >= 0xc2 && c <= 0xdf)
		more = 1;
	else if ((c & 0xf0) == 0xe0)
		more = 2;
	else if (c >= 0xf0 && c <= 0xf4)
		more = 3;
	else
		return -1;
	if (b.n - *at <= more)
		return -1;
	code = c & (0x3f >> more);
	for (i = 1; i <= more; i++) {
		if ((b.p[*at + i] & 0xc0) != 0x80)
			return -1;
		code = (code << 6) | (b.p[*at + i] & 0x3f);
	}
	if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return -1;
	*at += more + 1;
	return code;
}

bool
utf8_valid(struct bytes b)
{
	size_t at = 0;

	while (at < b.n)
		if (utf8_next(b, &at) < 0)
			return false;
	return true;
}

void
utf8_put(struct writer *w, int32_t code)
{
	uint32_t c = (uint32_t)code;

	if (c < 0x80) {
		writer_u8(w, (uint8_t)c);
	} else if (c < 0x800) {
		writer_u8(w, (uint8_t)(0xc0 | (c >> 6)));
		writer_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		writer_u8(w, (uint8_t)(0xe0 | (c >> 12)));
		writer_u8(w, (uint8_t)(0x80 | ((c >> 6) & 0x3f)));
		writer_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		writer_u8(w, (uint8_t)(0xf0 | (c >> 18)));
		writer_u8(w, (uint8_t)(0x80 | ((c >> 12) & 0x3f)));
		writer_u8(w, (uint8_t)(0x80 | ((c >> 6) & 0x3f)));
		writer_u8(w, (uint8_t)(0x80 | (c & 0x3f)));
	}
}
