/*
 * outbox_sealed: a slice pair, sealed and ready to be stored; for outbox*.c only.
 */
#ifndef BANYAN_TOOLS_NODE_OUTBOX_OUTBOX_SEALED_H
#define BANYAN_TOOLS_NODE_OUTBOX_OUTBOX_SEALED_H

#include "tools/node/outbox/outbox.h"
#include "tools/node/outbox/outbox_row.h"

struct sealed {
	struct outbox_row row;
	struct writer analytic, identifying;
	struct own_record own[SLICE_REVISIONS_MAX];
	size_t own_count;
	bool other_office; /* sealed to another office: who may read it here and above needs stanzas
			    */
	uint8_t key[AEAD_KEY_BYTES];
};

/* sealer_ready: a run that serves the office of `area`: one does until the epoch changes or its
 * index is used up. */
enum err sealer_ready(struct sealer *, const char *area);
/* sealed_make: seal two payloads under the run's next index. sealed_free: as many of calloc's as
 * there are, wiped. */
enum err sealed_make(struct sealer *, struct sealed *, const struct record_id *, bool named,
		     struct form_key, struct bytes analytic, struct bytes identifying);
void sealed_free(struct sealed *, size_t count);
/* sealed_put_stanzas: in the job that stores it. */
enum err sealed_put_stanzas(struct peer *, struct store_txn *, const struct sealed *);

#endif
