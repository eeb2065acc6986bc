/*
 * receipt: a peer's signed word that it holds logs of another up to a number: what travels where no
 * channel vouches for who speaks. FORMATS.md section "Receipts".
 *
 *   receipt   = [body, signature bin64]
 *   body      = [1, by bin16, to bin16, incarnation u64, time u32, [[epoch, number, hash bin32,
 * safe u64] ...], [epoch ...]] signature = ECDSA P-256, SHA-256, by `by`, over "banyan receipt 1"
 * || programme (16) || body
 *
 * Each row is about a log of `to`: all of 1 to number are durable at `by`, hash is that of number,
 * and 1 to safe are in a second store or a backup too. The last element names the logs that `by`
 * itself writes to `to` in this life (a node: broadcast, inbox; a device: none), so that what it
 * says on the same road can be told from what it said in another life.
 */
#ifndef BANYAN_CORE_LETTERS_RECEIPT_H
#define BANYAN_CORE_LETTERS_RECEIPT_H

#include "core/crypto/crypto.h"
#include "core/id.h"
#include "core/limits.h"

#define RECEIPT_LOGS_MAX 2u
#define RECEIPT_BYTES_MAX (160u + SIGNATURE_BYTES + EPOCHS_MAX * 64u)

struct receipt_row {
	uint64_t epoch, number; /* number from 1 */
	struct parcel_hash hash;
	uint64_t safe; /* at most number */
};

struct receipt {
	struct principal_id by, to;
	uint64_t
	    incarnation; /* of the store that signed: its word of another life is another word */
	uint64_t time_s;
	size_t count; /* 0 to EPOCHS_MAX, by rising epoch */
	struct receipt_row rows[EPOCHS_MAX];
	size_t log_count;
	uint64_t logs[RECEIPT_LOGS_MAX];
};

/* receipt_encode: append, signed. E_LIMIT: too many, out of order, a number that cannot be. E_KEY,
 * E_CRYPTO. */
enum err receipt_encode(const struct receipt *, const struct programme_id *, const struct ec_key *,
			struct writer *out);
/* receipt_decode: form and limits, not the signature. E_PACK_*, E_VERSION, E_LIMIT. `why` may be
 * NULL. */
enum err receipt_decode(struct bytes, struct receipt *out, struct why *);
/* receipt_verify: are these bytes signed with the key of `by`? E_SIGNATURE, E_KEY, E_PACK_*. */
enum err receipt_verify(struct bytes, const struct programme_id *, const struct ec_public *by);

#endif
