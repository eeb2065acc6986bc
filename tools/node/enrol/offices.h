/*
 * offices: the other offices that a node knows, and whose word about them counts. FORMATS.md "A
 * tree of nodes".
 *
 * A statement counts if the root signed it, or a node that this store knows (enrolled here, or
 * vouched for by such a word itself) and whose own area is the statement's or above it. So one
 * chain leads from the root to every device.
 */
#ifndef BANYAN_TOOLS_NODE_ENROL_OFFICES_H
#define BANYAN_TOOLS_NODE_ENROL_OFFICES_H

#include "tools/node/peer.h"

/* An office as a slice is sealed to it. */
struct office_at {
	char area[AREA_CODE_BYTES_MAX + 1];
	uint32_t key_no;
	struct ec_public seal;
	bool own;
};

/*
 * office_for: the office that records of `area` are sealed to: the nearest one at or above it, of
 * those known here; this store's own if there is none nearer. E_STORE_*.
 */
enum err office_for(struct peer *, struct store_txn *, const char *area, struct office_at *out);
/* office_above: the known offices above this store's own, nearest first, at most AREA_DEPTH_MAX. */
enum err office_above(struct peer *, struct store_txn *, struct office_at out[AREA_DEPTH_MAX],
		      size_t *count);

/* office_statement: the signed statement of another office that is known here. E_ABSENT. */
enum err office_statement(struct peer *, struct store_txn *, const char *area, struct bytes *out);

/*
 * In jobs. vouch_enrolment: keep somebody of another office (MEMBER_KNOWN); harmless if it is here
 * already. vouch_office: keep its sealing key, unless a later one is known. *fresh: it is new here.
 * vouch_revocation: of one who is known so. E_SIGNATURE: nobody whose word counts said it; why
 * names the thing.
 */
enum err vouch_enrolment(struct peer *, struct store_txn *, struct bytes statement, bool *fresh,
			 struct why *);
enum err
vouch_office(struct peer *, struct store_txn *, struct bytes statement, bool *fresh, struct why *);
enum err vouch_revocation(struct peer *, struct store_txn *, struct bytes statement, bool *fresh,
			  struct why *);
/* vouch_erasure: whoever gave this order may give it; nothing is kept. */
enum err vouch_erasure(struct peer *, struct store_txn *, struct bytes statement, struct why *);
/* vouch_chain: the signed enrolments of `who`, its issuer, and so on up to the root, appended one
 * after the other. */
enum err
vouch_chain(struct peer *, struct store_txn *, const struct principal_id *who, struct writer *out);

#endif
