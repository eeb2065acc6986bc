/*
 * signed: what a principal says so that anybody can show who said it: statements, receipts, batches
 * (FORMATS.md, their sections).
 *
 *   signed    = [body, signature bin64]
 *   signature = ECDSA P-256, SHA-256, RFC 6979, over label || programme (16) || body
 */
#ifndef BANYAN_CORE_CRYPTO_SIGNED_H
#define BANYAN_CORE_CRYPTO_SIGNED_H

#include "core/crypto/crypto.h"
#include "core/id.h"
#include "core/pack.h"

/* signed_put: sign a body and append it so to `out`. E_NO_MEMORY, E_NO_ROOM as the writer says;
 * E_CRYPTO. */
enum err signed_put(struct writer *out, const char *label, const struct programme_id *,
		    struct bytes body, const struct ec_key *);

/* signed_body: a view of the body; nothing is verified. E_PACK_*: it has another shape. */
enum err signed_body(struct bytes, struct bytes *body);

/* signed_verify: `by` signed it. E_SIGNATURE if not; E_PACK_*; E_NO_MEMORY. */
enum err signed_verify(struct bytes, const char *label, const struct programme_id *,
		       const struct ec_public *by);

#endif
