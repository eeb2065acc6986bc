/*
 * satchel: envelopes that this store carries for others, and a node's answer to who brings some.
 * FORMATS.md "Carried for others", PROTOCOL.md "Meeting a relay".
 */
#ifndef BANYAN_TOOLS_NODE_ROADS_SATCHEL_H
#define BANYAN_TOOLS_NODE_ROADS_SATCHEL_H

#include "tools/node/roads/mail.h"

#define SATCHEL_ASK_BYTES_MAX (8u << 20) /* of one bundle over a link */
#define SATCHEL_VERB "carry" /* a relay to its node: a bundle; the answer: satchel_take's */
#define MEET_VERB "meet" /* a device to a relay: its proof; the answer: the relay's, and hints */
#define MEET_SATCHEL 1u  /* in MEET's input: let it say whose satchel it is */
#define GIVE_VERB \
	"give" /* a device to a relay: hints wanted and a bundle; the answer: a bundle \
		*/

enum satchel_way { SATCHEL_UP, SATCHEL_DOWN };
enum satchel_status { SATCHEL_TAKEN = 1, SATCHEL_OTHERS = 2, SATCHEL_REFUSED = 3 };

struct satchel_limits {
	uint64_t bytes_max;
	uint32_t days_max;
};
#define SATCHEL_LIMITS_DEFAULT ((struct satchel_limits){SATCHEL_BYTES_MAX, SATCHEL_DAYS_MAX})

/*
 * Rows of SATCHEL: way (one byte) || SHA-256(envelope)[15] -> [1, time, envelope], and 2 + way ||
 * the same -> be64 order || was it handed over; META "satchel bytes", "satchel given", "satchel
 * order". In jobs. satchel_put: E_RELAY_FULL: past `room` bytes or SATCHEL_ROWS_MAX; one that is
 * there already is harmless.
 */
enum err satchel_put(struct store_txn *, enum satchel_way, struct bytes envelope, uint32_t now_s,
		     uint64_t room);
enum err satchel_del(struct store_txn *, enum satchel_way, struct bytes envelope);
/* satchel_given: an answer was handed over: it stays until it is old, or its room is needed:
 * satchel_shrink, the oldest first. */
enum err satchel_given(struct store_txn *, struct bytes envelope);
enum err satchel_shrink(struct store_txn *, const struct satchel_limits *);
/*
 * satchel_key: META "satchel key": by which devices know this satchel again. A new one where there
 * is none, it is older than a device remembers, or nothing of others is here: then nobody has a
 * reason to know it.
 */
enum err satchel_key(struct store_txn *, uint64_t now_s, struct ec_key *out);
/* satchel_expire: what is older than the limit goes: its author kept it, and gives it to another
 * road. */
enum err satchel_expire(struct store_txn *, const struct satchel_limits *, uint32_t now_s);
/* satchel_used: bytes of envelopes here. satchel_room: what one meeting may bring: half of what is
 * left, or may go. */
enum err satchel_used(struct store_txn *, uint64_t *out);
enum err satchel_room(struct store_txn *, const struct satchel_limits *, uint64_t *out);
/* satchel_walk: each envelope of a way, as they came; anything but E_OK from f ends it. Views live
 * during the call. */
typedef enum err satchel_fn(void *arg, struct bytes envelope);
enum err satchel_walk(struct store_txn *, enum satchel_way, satchel_fn *, void *arg);

/*
 * satchel_take: at a node: take a bundle that `via` brought, and append the answer: be32 count ||
 * count bytes, a status for each envelope || a bundle of answers, of some `room` bytes: for each
 * author whose signature held what it lacks, sealed to it under the return hint of its envelope.
 * What is taken is durable when it returns. E_BUNDLE...: nothing was taken.
 */
enum err satchel_take(struct peer *, struct bytes bundle, const struct principal_id *via,
		      uint64_t room, struct writer *answer, struct why *);

#endif
