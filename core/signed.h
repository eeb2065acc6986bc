/* signed: [body, signature bin64], the shape of statements, receipts and batches (FORMATS.md "Statements", "Receipts", "Batches"). */
#ifndef BANYAN_CORE_SIGNED_H
#define BANYAN_CORE_SIGNED_H

#include "core/crypto.h"

/* signed_write appends it to `out`; E_NO_MEMORY, E_NO_ROOM as the writer says. */
enum err signed_write(struct writer *out, struct bytes body, const uint8_t signature[SIGNATURE_BYTES]);

/* signed_split: `body` is a view, and nothing is verified yet. E_PACK_*: it has another shape. */
enum err signed_split(struct bytes, struct bytes *body, uint8_t signature[SIGNATURE_BYTES]);

#endif
