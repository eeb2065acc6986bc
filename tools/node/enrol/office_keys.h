/* office_keys: the sealing keys of an office, the one in force and those before it. FORMATS.md "An
 * office's keys". */
#ifndef BANYAN_TOOLS_NODE_ENROL_OFFICE_KEYS_H
#define BANYAN_TOOLS_NODE_ENROL_OFFICE_KEYS_H

#include "tools/node/peer.h"

/*
 * office_key_of: the sealing key `key_no` of an office, worked out from the programme's recovery
 * key (only its secret is used): who kept that one can open what is sealed to the office when its
 * node and its backups are gone. Wiped by the caller.
 */
enum err
office_key_of(const struct ec_key *recovery, const char *area, uint32_t key_no, struct ec_key *out);

/* office_key_at: the office's key of that number, if its secret is here; NULL. Ours, while the peer
 * is open. */
const struct ec_key *office_key_at(const struct peer *, uint32_t key_no);

/*
 * office_keys_rotate: the next key is in force from now on; the one before it is kept for what is
 * still sealed to it. Signed by `root`, or by the node itself (NULL); worked out from `recovery`,
 * or drawn (NULL). Devices and the nodes above are told; a twin is given the secret. The caller
 * holds p->acting, if others use the peer. E_LIMIT.
 */
enum err office_keys_rotate(struct peer *, const struct ec_key *root, const struct ec_key *recovery,
			    const struct identity *actor, struct why *);

/*
 * In a job, of what the office's other nodes open with. office_keys_give: to one that is let in,
 * all keys that are here. office_keys_give_all: to each, once more: this node was put back, and
 * what it said in its earlier life nobody can take any more.
 */
enum err office_keys_give(struct store_txn *, struct peer *, const struct enrolment *twin);
enum err office_keys_give_all(struct store_txn *, struct peer *);

/* office_keys_keep: in a job: the key that `home` has goes to the old ones. office_keys_all: keys 1
 * to `count` of the recovery key are old ones: of a node that begins without a backup.
 * office_keys_load: when a peer is opened. */
enum err office_keys_keep(struct store_txn *, struct peer *, const struct home *);
enum err
office_keys_all(struct store_txn *, struct peer *, const struct ec_key *recovery, uint32_t count);
enum err office_keys_load(struct store_txn *, struct peer *);
enum err office_keys_reload(struct peer *); /* after a job that kept one */

#endif
