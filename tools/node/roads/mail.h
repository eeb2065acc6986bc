/*
 * mail: what is in an envelope, written and taken: letters between a device and its office that go
 * by a stick or a relay. FORMATS.md "Letters". The body of an envelope is 1 (its version) and then
 * letters, as MessagePack values:
 *
 *   [1, carried bin]                       a parcel of the author's log (core/letters/carried.h)
 *   [2, receipt bin]                       what is held (core/letters/receipt.h)
 *   [3, log u8, epoch u64, parcel bin]     a parcel of the node's broadcast (0) or inbox (1) log,
 * as DOWN of PROTOCOL.md [4, offer bin, list bin, first u32, chunks bin]    pieces of an attachment
 * (core/record/attach_word.h) [5, held bin]                          how far the node has what came
 * so
 *
 * Other kinds are passed over. What a node says begins with its receipt: only what stands behind
 * one of its present life is taken.
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_MAIL_H
#define BANYAN_TOOLS_NODE_ROADS_MAIL_H

#include "core/parcel/arrival.h"
#include "core/letters/bundle.h"
#include "core/letters/envelope.h"
#include "core/letters/receipt.h"
#include "tools/node/peer.h"

#define MAIL_BYTES_WISHED \
	(48u << 10) /* letters go into one envelope up to this: a cut costs at most so much */

/* Envelopes made, in order; the bundle is written of them at the end. */
struct mail {
	struct peer *peer;
	struct envelope_to to;
	struct ec_public key;
	struct writer body, envelopes; /* the letters so far; be32 length || envelope ... */
	struct bytes head;             /* letters that each body begins with; the caller's */
	size_t wished; /* letters go into one envelope up to this; MAIL_BYTES_WISHED if nobody says
			  otherwise */
	struct envelope_hint *answers; /* heap: the return hint of each envelope */
	uint32_t count;
	uint64_t bytes; /* of envelopes */
};
/* mail_init: to the home office, or to one principal. mail_free frees it all. */
void mail_init(struct mail *, struct peer *);
void mail_to_office(struct mail *);
void mail_to(struct mail *, const struct enrolment *);
/* mail_letter: one more; a full envelope is sealed first. mail_seal: seal what is left, under
 * `hint` if not NULL. */
enum err mail_letter(struct mail *, struct bytes letter);
enum err mail_seal(struct mail *, const struct envelope_hint *hint);
/* mail_bundle: all envelopes as one bundle, appended. */
enum err mail_bundle(const struct mail *, struct writer *out);
void mail_free(struct mail *);
/* Letters, appended. */
enum err letter_carried(struct store_txn *, const struct programme_id *, const struct arrival *,
			struct writer *out);
enum err letter_receipt(struct peer *, struct store_txn *, const struct principal_id *to,
			struct writer *out);
enum err letter_down(unsigned log, uint64_t epoch, struct bytes parcel, struct writer *out);

/*
 * mail_attached.c. At a device: mail_attached_pack: pieces of what waits, behind all else, as long
 * as there is room for so many bytes; their ids to `ids` (mail_attached_offered, in a job: they
 * were on a road). At a node: mail_attached_tell: how far it has what came so of `to`; nothing if
 * nothing did.
 */
struct attach_packed {
	uint64_t attachments, pieces;
	bool more; /* some of it had no room */
	struct writer ids;
};
struct handed;
enum err mail_attached_pack(struct mail *, struct store_txn *, uint64_t bytes_max,
			    struct handed *already, struct attach_packed *);
enum err mail_attached_offered(struct store_txn *, struct bytes ids);
enum err mail_attached_tell(struct mail *, struct store_txn *, const struct principal_id *to);

/* What came of the envelopes taken. */
struct mail_taken {
	uint64_t envelopes, others; /* opened; sealed to somebody else */
	uint64_t parcels, duplicates, forks, receipts, downs;
	uint64_t pieces,
	    attachments;  /* of attachments; whole now: at a node here, at a device there */
	uint64_t refused; /* letters and envelopes */
	uint64_t erased;  /* parcels that hold something that was erased: it does not stay */
	bool forked;      /* at a device: its log has a twin */
	struct why why;   /* of the first refused */
};
/* To whom an answer goes, and the hint that it bears: the first author whose signature held. */
struct mail_answer {
	bool wanted;
	struct principal_id author;
	struct envelope_hint hint;
};
/*
 * mail_take: open one envelope and take its letters; what is taken is durable when it returns. What
 * is malformed, forged or for others is counted, and is no error. `answer` may be NULL. Errors are
 * the store's.
 */
enum err mail_take(struct peer *, struct bytes envelope, const struct principal_id *via,
		   struct mail_taken *, struct mail_answer *answer, struct why *);

/*
 * Letters 4 and 5, taken. mail_attached_check: at a node: whose it is, verified; views into the
 * letter. E_SIGNATURE...: refuse it. mail_attached_put: in a job: what it brought; *whole: by this.
 * mail_attached_heard: at a device: the node's word.
 */
struct attach_letter {
	struct bytes offer, list, chunks;
	uint32_t first;
};
struct attached_said;
enum err mail_attached_check(struct peer *, struct store_txn *, const struct attach_letter *,
			     struct attached_said *);
enum err mail_attached_put(struct store_txn *, struct attached_said *);
enum err mail_attached_heard(struct peer *, struct bytes held, const struct receipt *said,
			     struct mail_taken *);

/* Return hints that this store waits for: CURSOR "hint " || hint: be64 time. In jobs. */
enum err mail_await(struct store_txn *, const struct envelope_hint *, size_t count, uint32_t now_s);
bool mail_awaits(struct store_txn *, const struct envelope_hint *);
/* mail_came: in a job: it is waited for no longer. */
enum err mail_came(struct store_txn *, const struct envelope_hint *);

#endif
