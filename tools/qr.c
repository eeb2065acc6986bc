#include "tools/qr.h"

#include <errno.h>
#include <qrencode.h>

#define QUIET \
	2 /* modules around the code: the standard asks 4, readers manage with 2, terminals are \
	     small */

/* light: whether a module is drawn; outside the code all is light. */
static bool
light(const QRcode *code, int x, int y)
{
	if (x < 0 || y < 0 || x >= code->width || y >= code->width)
		return true;
	return (code->data[y * code->width + x] & 1) == 0;
}

enum err
qr_write(struct writer *w, const char *text)
{
	/* Level M: a screen has no dirt, but a photograph of one has glare. */
	QRcode *code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	int x, y;

	if (code == NULL)
		return errno == ERANGE ? E_NO_ROOM : E_NO_MEMORY;
	for (y = -QUIET; y < code->width + QUIET; y += 2) {
		for (x = -QUIET; x < code->width + QUIET; x++) {
			bool upper = light(code, x, y);
			bool lower = y + 1 < code->width + QUIET && light(code, x, y + 1);

			writer_str(w, upper && lower ? "\u2588"
				      : upper        ? "\u2580"
				      : lower        ? "\u2584"
						     : " ");
		}
		writer_u8(w, '\n');
	}
	QRcode_free(code);
	return writer_end(w);
}
