/*
 * dictionaries: what shortens the slices of a form version (FORMATS.md "Dictionaries"): trained at
 * the node, said to all, taken by devices, and all past ones kept, since a slice may come late.
 */
#ifndef BANYAN_TOOLS_NODE_DICTIONARIES_H
#define BANYAN_TOOLS_NODE_DICTIONARIES_H

#include "core/record/slice.h"
#include "tools/node/peer.h"

#define DICTIONARY_BYTES_LEAST 256u
#define DICTIONARY_BYTES_MAX 8192u /* more does not pay: FORMATS.md */
#define DICTIONARIES_MAX 256u      /* of a store; a hint has as many values */

/* dictionaries_load: at opening. dictionaries_free: at closing. */
enum err dictionaries_load(struct store_txn *, struct peer *);
void dictionaries_free(struct peer *);
/* dictionaries_known: all, the newest first; what was handed out stays valid until peer_close. */
const struct dictionary *dictionaries_known(struct peer *);
/* dictionaries_for: the newest of a form version, NULL if there is none. */
const struct dictionary *dictionaries_for(struct peer *, struct form_key);
/* dictionaries_blocks: may codecs 2 and 3 be used for what is sealed here? */
bool dictionaries_blocks(struct peer *);

/* In jobs: keep one (again: nothing happens; *kept says which); learn what was kept once it is
 * durable. */
enum err dictionaries_keep(struct store_txn *, struct form_key, struct bytes content, bool *kept);
enum err dictionaries_learn(struct peer *, struct form_key, struct bytes content);
/* On a device, in a job: the node reads codecs up to this one. */
enum err dictionaries_take_codecs(struct store_txn *, uint64_t highest);
void dictionaries_learn_codecs(struct peer *, uint64_t highest);

/*
 * At a node. dictionaries_say_codecs: once in each life, that codecs 2 and 3 are read here.
 * dictionaries_add: keep, publish, audit. *already: it was here. E_LIMIT past DICTIONARIES_MAX.
 * dictionaries_say_all: in a job, after a restore.
 */
enum err dictionaries_say_codecs(struct peer *, struct why *);
enum err
dictionaries_add(struct peer *, const struct principal_id *actor, const struct form_entry *,
		 struct bytes content, bool *already, struct why *);
enum err dictionaries_say_all(struct peer *, struct store_txn *);

#endif
