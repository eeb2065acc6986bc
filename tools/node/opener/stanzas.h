/*
 * stanzas: the keys of slices that another office sealed, or that this one gives to those above it.
 * FORMATS.md "Stanzas". Rows of STANZA: leaf (32) || name of the office's area -> the stanza. A
 * slice whose stanza has not come yet waits, unopened: CURSOR "wait" || leaf -> be64 arrival seq.
 */
#ifndef BANYAN_TOOLS_NODE_OPENER_STANZAS_H
#define BANYAN_TOOLS_NODE_OPENER_STANZAS_H

#include "core/parcel/parcel.h"
#include "core/record/stanza.h"
#include "tools/node/enrol/offices.h"

/* stanzas_get: the one for the office of `area`. E_ABSENT. */
enum err stanzas_get(struct peer *, struct store_txn *, const uint8_t leaf[HASH_BYTES],
		     const char *area, struct stanza *out);
/* In a job. stanzas_put: keep it. stanzas_take: one that came; what waited for it is opened next.
 * E_PACK_*, E_LIMIT. */
enum err stanzas_put(struct peer *, struct store_txn *, const uint8_t leaf[HASH_BYTES],
		     const struct stanza *);
enum err stanzas_take(struct peer *, struct store_txn *, const uint8_t leaf[HASH_BYTES],
		      struct bytes stanza, struct why *);
/* In a job: the arrival holds a slice that cannot be opened before its stanza comes. */
enum err stanzas_wait(struct store_txn *, const uint8_t leaf[HASH_BYTES], uint64_t seq);
/* How many slices wait. */
uint64_t stanzas_waiting(struct store_txn *);

/* The key in the stanza that came for this office. E_ABSENT: none came. */
enum err stanzas_own_key(struct peer *, struct store_txn *, const uint8_t leaf[HASH_BYTES],
			 uint8_t key[AEAD_KEY_BYTES]);
/* The key of an item's analytic slice, as this office can have it: its own key, or a stanza.
 * E_ABSENT: neither. */
enum err stanzas_key(struct peer *, struct store_txn *, const struct principal_id *author,
		     const struct parcel_item *, uint8_t key[AEAD_KEY_BYTES]);
/* stanza for an office, made of the slice's key. */
enum err
stanzas_make(struct peer *, const uint8_t leaf[HASH_BYTES], const uint8_t key[AEAD_KEY_BYTES],
	     const struct office_at *to, struct stanza *out);

#endif
