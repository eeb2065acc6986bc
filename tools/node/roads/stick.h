/*
 * stick: what the other side lacks, in a bundle: a device's to its office, an office's to its
 * devices; and a bundle taken. FORMATS.md "Letters". A relay hands on the same.
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_STICK_H
#define BANYAN_TOOLS_NODE_ROADS_STICK_H

#include "tools/node/roads/handed.h"
#include "tools/node/roads/mail.h"

#define STICK_BYTES_MAX (32u << 20) /* of envelopes in one bundle; the rest waits for the next */

struct packed {
	uint64_t envelopes, parcels, receipts, bytes; /* bytes: of the bundle */
	uint64_t already;                             /* parcels that the carrier has */
	uint64_t waiting;                             /* parcels that did not fit */
	uint64_t attachments, pieces;                 /* pieces of so many, behind all else */
	bool attachments_wait;                        /* some of them did not fit */
};

/* What goes up. `already`, or NULL: parcels that this carrier has, to be left out; those that go
 * are added, while there is room. */
struct stick_up {
	bool all, attached;
	uint64_t bytes_max;
	struct handed *already;
};

/*
 * stick_pack_up: at a device (or an officer's own store): gather, and append a bundle for the home
 * office: where this store stands in the node's logs, and its parcels past what the office is known
 * to hold, urgent ones first; `all`: every parcel of its present log. At most bytes_max of
 * envelopes (STICK_BYTES_MAX). `attached`: pieces of attachments behind them. The return hints are
 * durable when it returns. E_LIMIT never: what is too much waits.
 */
enum err stick_pack_up(struct peer *, const struct stick_up *, struct writer *out, struct packed *,
		       struct why *);
/*
 * stick_pack_down: at a node: append a bundle for one device, or (name NULL) for each one that was
 * heard of by a stick or relay: its receipt, and the node's word past what it is known to have.
 * E_PRINCIPAL_UNKNOWN, E_REVOKED, E_NOT_APPROVED, E_ABSENT: none was heard of.
 */
enum err stick_pack_down(struct peer *, const char *name, bool all, struct writer *out,
			 struct packed *, struct why *);

/*
 * stick_pack_above: at a node: for the node above it, or the twin that invited it: what their
 * exchange over a link would say, and where it stands in that one's logs. stick_pack_down does so
 * for a node below, or the other twin. E_NOT_HERE: there is none.
 */
enum err
stick_pack_above(struct peer *, bool all, struct writer *out, struct packed *, struct why *);

/*
 * stick_answer: at a node: what `to` lacks, as one envelope under `hint`: its receipt, how far its
 * attachments are, then its inbox and the broadcast past what it is known to hold: parcels of
 * `bytes` together, or one alone of up to `alone`; with 0 the receipt only. A relay brings it
 * (satchel.h).
 */
struct stick_answer {
	const struct enrolment *to;
	const struct envelope_hint *hint;
	uint64_t bytes, alone;
};
enum err
stick_answer(struct mail *, struct store_txn *, const struct stick_answer *, struct packed *);

/* stick_take: take the whole envelopes of a bundle that was read. `progress` may be NULL. Errors
 * are the store's. */
typedef void stick_progress_fn(void *ctx, uint64_t done, uint64_t total);
enum err stick_take(struct peer *, const struct bundle *, struct mail_taken *, stick_progress_fn *,
		    void *ctx, struct why *);

#endif
