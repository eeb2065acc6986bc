/* What two nodes share, and its sum: PROTOCOL.md "Between nodes". */
#include "core/parcel/parcel.h"
#include "core/set/sketch.h"
#include "tools/node/carry/carry_inside.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/opener/opener.h"

#define SAVE_LEAST 256u /* a save is 57 KB; fewer arrivals are sooner read again */

/* Only these two nodes can work it out: nobody else can choose parcels whose sums cancel. */
enum err
carry_key_with(struct peer *p, const struct ec_public *other, struct siphash_key *out)
{
	uint8_t secret[32], prk[SHA256_BYTES], key[SKETCH_KEY_BYTES];
	enum err e = crypto_ec_agree(secret, &peer_self(p)->seal, other);

	if (e != E_OK)
		return e;
	crypto_hkdf_extract(prk, BYTES(p->programme.id.b, ID_BYTES), BYTES(secret, sizeof(secret)));
	crypto_hkdf_expand(key, sizeof(key), BYTES(prk, sizeof(prk)), BYTES_LIT("banyan shared 1"));
	*out = siphash_key_of(key);
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(prk, sizeof(prk));
	crypto_wipe(key, sizeof(key));
	return E_OK;
}

/* A parcel that its author brought and that did not prove to be its author's is nobody else's
 * affair. */
static bool
is_refused(struct store_txn *txn, const struct arrival *a)
{
	struct store_seq key = store_seq_of(a->seq);
	struct quarantine_row row;
	struct bytes value;

	if (a->flags & (ARRIVAL_CARRIED | ARRIVAL_OWN))
		return false;
	if (store_get(txn, STORE_QUARANTINE, BYTES(key.b, 8), &value) != E_OK ||
	    quarantine_read(BYTES(key.b, 8), value, &row) != E_OK)
		return false;
	return row.e == E_SIGNATURE || row.e == E_PARCEL || row.e == E_PARCEL_CHAIN ||
	       row.e == E_STRANGER || row.e == E_EPOCHS;
}

enum err
carry_shares_with(struct peer *p, const char *scope, struct store_txn *txn, const struct arrival *a,
		  bool *out)
{
	const struct area_table *areas = peer_areas(p);
	char area[AREA_CODE_BYTES_MAX + 1];
	struct identity *here;
	struct member m;
	bool records;
	enum err e;

	*out = false;
	if (areas == NULL || parcel_about(a->parcel, area, &records) != E_OK || !records ||
	    is_refused(txn, a))
		return E_OK;
	if (area[0] == '\0') {
		if ((here = peer_identity_by_id(p, &a->log.author)) != NULL)
			memcpy(area, here->area, sizeof(area));
		else if ((e = member_get(txn, &a->log.author, &m)) == E_OK)
			memcpy(area, m.enrolment.area, sizeof(area));
		else
			return e == E_ABSENT ? E_OK : e;
	}
	*out = area_is_within(areas, scope, area);
	return E_OK;
}

enum err
carry_shares(struct carry *c, struct store_txn *txn, const struct arrival *a, bool *out)
{
	return carry_shares_with(c->peer, c->other.scope, txn, a, out);
}

uint64_t
carry_whole(const struct carry *c, const struct arrival *a)
{
	uint32_t tag = sketch_log_tag(&c->key, &a->log);

	return sketch_item(&c->key, tag, &a->log, a->number, &a->hash).whole;
}

static enum err
rule(void *arg, struct store_txn *txn, const struct arrival *a, bool *out)
{
	return carry_shares(arg, txn, a, out);
}

static enum err
save_job(struct store_txn *txn, void *arg)
{
	return shared_save(txn, arg);
}

enum err
carry_sum_save(struct carry *c)
{
	enum err e = shared_unsaved(c->shared) == 0
			 ? E_OK
			 : store_write(c->peer->store, save_job, c->shared);

	if (e == E_OK)
		shared_saved(c->shared);
	return e;
}

/* The set that the opener keeps up to date, if it has it, in the place of an older one. */
static enum err
take_kept(struct carry *c, const struct shared_config *config)
{
	struct shared *kept = NULL;
	struct store_txn *txn;
	enum err e;

	pthread_mutex_lock(&c->peer->acting);
	if ((e = store_read_begin(c->peer->store, &txn)) == E_OK) {
		e = carry_sets_get(c->peer, txn, config, &kept);
		store_read_end(txn);
	}
	pthread_mutex_unlock(&c->peer->acting);
	if (e == E_OK && (c->shared == NULL || shared_upto(kept) > shared_upto(c->shared))) {
		shared_close(c->shared);
		c->shared = kept;
		kept = NULL;
	}
	shared_close(kept);
	return e == E_ABSENT ? E_OK : e;
}

enum err
carry_sum_upto(struct carry *c, bool anew)
{
	struct shared_config config = {c->other.id, c->key, rule, c};
	struct store_txn *txn;
	bool stored = false;
	enum err e;

	if ((e = take_kept(c, &config)) != E_OK ||
	    (e = store_read_begin(c->peer->store, &txn)) != E_OK)
		return e;
	if (c->shared == NULL)
		e = shared_open(&c->shared, txn, &config);
	if (e == E_OK && anew)
		shared_reset(c->shared);
	if (e == E_OK)
		e = shared_catch_up(c->shared, txn, c->bound);
	if (e == E_OK)
		stored = shared_is_stored(c->shared, txn);
	store_read_end(txn);
	if (e != E_OK)
		return e;
	c->bound = shared_upto(c->shared);
	c->sum_count = shared_sketch(c->shared)->count;
	c->sum = shared_sketch(c->shared)->sum;
	if (anew || !stored || shared_unsaved(c->shared) >= SAVE_LEAST)
		e = carry_sum_save(c);
	pthread_mutex_lock(&c->peer->acting);
	if (anew)
		carry_sets_drop(c->peer, &c->other.id);
	if (e == E_OK)
		carry_sets_keep(c->peer, &c->other, &config, c->shared);
	pthread_mutex_unlock(&c->peer->acting);
	return e;
}
