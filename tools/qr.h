/*
 * qr: a QR code for a terminal, two modules a character cell (half blocks). The only door to
 * libqrencode.
 */
#ifndef BANYAN_TOOLS_QR_H
#define BANYAN_TOOLS_QR_H

#include "core/bytes.h"

/*
 * qr_write: append the code of `text` (bytes), with its quiet zone, as lines of UTF-8. Dark on
 * light is drawn as light blocks on the terminal's dark ground; cameras read the inverse too where
 * the ground is light. E_NO_ROOM: past what a code holds (2331 bytes at this strength).
 */
enum err qr_write(struct writer *, const char *text);

#endif
