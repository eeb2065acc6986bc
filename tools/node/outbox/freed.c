/*
 * What a device need not keep: parcels that are in two backups of its node. Number, hash and place
 * stay, so that the chain can be proven; the sealed bytes go. META "freed": epoch be64, number
 * be64. META "backups": epoch be64, once be64, twice be64.
 */
#include "tools/node/outbox/freed.h"

#include "core/parcel/arrival.h"
#include "tools/node/attached/attached.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/link/twins.h"

#define FREED_EACH_MAX 1024u /* parcels in one transaction */

struct freed_job {
	struct log_id log;
	uint64_t safe, from;
	bool more;
};

static enum err
freed_get(struct store_txn *txn, uint64_t epoch, uint64_t *number)
{
	struct bytes value;
	enum err e = store_meta_get(txn, "freed", &value);

	*number =
	    e == E_OK && value.n == 16 && be64_get(value.p) == epoch ? be64_get(value.p + 8) : 0;
	return e == E_ABSENT ? E_OK : e;
}

static enum err
freed_job(struct store_txn *txn, void *arg)
{
	struct freed_job *job = arg;
	uint8_t value[16];
	uint64_t number, upto, seq;
	struct parcel_hash hash;
	enum err e = freed_get(txn, job->log.epoch, &number);

	upto = job->safe - number > FREED_EACH_MAX ? number + FREED_EACH_MAX : job->safe;
	job->more = upto < job->safe;
	while (e == E_OK && number < upto) {
		if ((e = arrival_find(txn, &job->log, ++number, &seq, &hash)) == E_OK)
			e = arrival_erase(txn, seq, BYTES_NONE);
		store_forget(txn);
	}
	be64_put(value, job->log.epoch);
	be64_put(value + 8, number);
	return e == E_OK ? store_meta_put(txn, "freed", BYTES(value, sizeof(value))) : e;
}

/* ---- the node's word ---- */

enum err
freed_marks(struct store_txn *txn, uint64_t epoch, uint64_t *once, uint64_t *twice)
{
	struct bytes value;
	enum err e = store_meta_get(txn, "backups", &value);

	*once = *twice = 0;
	if (e == E_OK && value.n != 24)
		return E_STORE_DAMAGED;
	if (e == E_OK && be64_get(value.p) == epoch) {
		*once = be64_get(value.p + 8);
		*twice = be64_get(value.p + 16);
	}
	return e == E_ABSENT ? E_OK : e;
}

enum err
freed_heard(struct store_txn *txn, uint64_t epoch, uint64_t safe)
{
	uint64_t once, twice;
	uint8_t value[24];
	enum err e = freed_marks(txn, epoch, &once, &twice);

	if (e != E_OK || safe <= once)
		return e;
	be64_put(value, epoch);
	be64_put(value + 8, safe);
	be64_put(value + 16, once);
	return store_meta_put(txn, "backups", BYTES(value, sizeof(value)));
}

enum err
freed_forget(struct store_txn *txn)
{
	static const uint8_t none[24];

	return store_meta_put(txn, "backups", BYTES(none, sizeof(none)));
}

/* ---- giving up ---- */

enum err
freed_upto(struct peer *p, struct store_txn *txn, uint64_t *upto)
{
	uint64_t epoch = peer_self(p)->epoch, once, acked;
	enum err e = freed_marks(txn, epoch, &once, upto);

	if (e != E_OK || (e = outbox_acked(txn, epoch, &acked)) != E_OK)
		return e;
	if (*upto > acked) /* never past what this log is known to share with the node's */
		*upto = acked;
	return E_OK;
}

enum err
freed_give_up(struct peer *p, uint64_t upto)
{
	struct freed_job job = {.log = {peer_self(p)->id, peer_self(p)->epoch}, .safe = upto};
	struct store_txn *txn;
	uint64_t freed;
	enum err e;

	if (twins_count(p) > 0) /* safe is one node's word: another node of the office, in its
				   place, may lack them */
		return E_OK;
	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = freed_get(txn, job.log.epoch, &freed);
	store_read_end(txn);
	if (e != E_OK || freed >= job.safe)
		return e;
	do
		e = store_write(p->store, freed_job, &job);
	while (e == E_OK && job.more);
	return e;
}

enum err
freed_settle(struct peer *p, uint64_t incarnation)
{
	struct store_txn *txn;
	uint64_t twice;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return e;
	e = freed_upto(p, txn, &twice);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	return (e = freed_give_up(p, twice)) == E_OK ? attached_settle(p, incarnation, twice) : e;
}
