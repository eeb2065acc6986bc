/*
 * accept: parcels that their author did not bring itself: from another node, a relay, a stick.
 * FORMATS.md "Carried parcels". Over TLS the channel vouches for who speaks, and verification may
 * follow the acknowledgement; here nobody vouches, so a parcel is verified BEFORE it is taken, let
 * alone acknowledged.
 *
 * What is checked: the author is enrolled here and approved, its area is this store's own or below
 * it, the signature (which covers the previous hash that came along, so a parcel past a hole is
 * verified too), and the chain where the parcel before it is held. What came after its author's
 * revocation is taken and set aside by the opener, never dropped.
 */
#ifndef BANYAN_TOOLS_NODE_CARRY_ACCEPT_H
#define BANYAN_TOOLS_NODE_CARRY_ACCEPT_H

#include "core/parcel/arrival.h"
#include "core/letters/carried.h"
#include "tools/node/peer.h"

/* A parcel that was verified and may be taken. Views live in the carried bytes. */
struct accepted {
	struct arrival arrival; /* all but seq */
	bool urgent;
	uint32_t now_s;
};

/*
 * accept_check: decode and verify `carried`, brought by `via`; writes nothing, may run on any
 * thread with a snapshot. Temporary memory is the arena's. E_PACK_*, E_VERSION, E_PARCEL, E_LIMIT:
 * malformed; E_STRANGER, E_NOT_APPROVED: its author; E_SCOPE: another office's affair; E_SIGNATURE:
 * not what its author signed. `why` may be NULL.
 */
enum err
accept_check(struct peer *, struct store_txn *, struct bytes carried,
	     const struct principal_id *via, struct arena *, struct accepted *out, struct why *);
/*
 * accept_append: in a job: what was checked arrives, past a hole too. NEW, DUPLICATE (harmless;
 * nothing is written), or (counted as its author's: quota.h; the bound is the caller's to ask
 * about), or FORKED: kept beside the parcel that is there under its number, or because it follows
 * another one than the one before it here; the log's head stays as it was. E_LIMIT (256 holes, 64
 * twins), E_STRANGER, E_NOT_APPROVED.
 */
enum err accept_append(struct store_txn *, struct accepted *, enum arrival_result *);
/* accept_one: both; durable when it returns. */
enum err accept_one(struct peer *, struct bytes carried, const struct principal_id *via,
		    enum arrival_result *, struct why *);
/*
 * accept_carried: make the carried form of an arrival that is here (its previous hash is looked up;
 * where that number has twins, it is the one that the parcel was signed behind). E_ABSENT: the one
 * before it is not here. `out` is appended to.
 */
enum err accept_carried(struct store_txn *, const struct programme_id *, const struct arrival *,
			struct writer *out);
/* accept_upto: the highest number of the log that came carried; 0: none. Up to it seqs need not
 * rise with numbers. */
enum err accept_upto(struct store_txn *, const struct log_id *, uint64_t *out);
/*
 * accept_safe: the number of the log, at most `head`, up to which all is in a backup or a second
 * store: past what came carried, seqs rise with numbers.
 */
enum err accept_safe(struct store_txn *, const struct log_id *, uint64_t head, uint64_t *out);

#endif
