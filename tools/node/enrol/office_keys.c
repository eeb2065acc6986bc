#include "tools/node/enrol/office_keys.h"

#include <stdio.h>

#include "core/store/audit.h"
#include "core/crypto/crypto.h"
#include "core/pack.h"
#include "tools/node/down/down.h"
#include "tools/node/down/down_item.h"
#include "tools/node/down/down_row.h"

enum err
office_key_of(const struct ec_key *recovery, const char *area, uint32_t key_no, struct ec_key *out)
{
	uint8_t prk[SHA256_BYTES], secret[EC_SECRET_BYTES], info[AREA_CODE_BYTES_MAX + 9];
	size_t n = strlen(area);
	uint32_t attempt;
	enum err e = E_KEY;

	crypto_hkdf_extract(prk, BYTES_LIT("banyan office key 1"),
			    BYTES(recovery->secret, EC_SECRET_BYTES));
	memcpy(info, area, n);
	info[n] = 0;
	be32_put(info + n + 1, key_no);
	for (attempt = 0; e == E_KEY && attempt < 8;
	     attempt++) { /* 1 of 2^32 is past the curve's order */
		be32_put(info + n + 5, attempt);
		crypto_hkdf_expand(secret, sizeof(secret), BYTES(prk, sizeof(prk)),
				   BYTES(info, n + 9));
		e = crypto_ec_from_secret(out, secret);
	}
	crypto_wipe(prk, sizeof(prk));
	crypto_wipe(secret, sizeof(secret));
	return e;
}

const struct ec_key *
office_key_at(const struct peer *p, uint32_t key_no)
{
	size_t i;

	if (key_no == p->home.key_no)
		return p->home.has_secret ? &p->home.seal : NULL;
	for (i = 0; i < p->old_key_count; i++)
		if (p->old_keys[i].key_no == key_no)
			return &p->old_keys[i].key;
	return NULL;
}

/* META "office keys" = [1, [[key_no, secret bin32] ...]] */
static enum err
put(struct store_txn *txn, const struct old_key *keys, size_t count)
{
	uint8_t memory[OLD_KEYS_MAX * 48 + 16];
	struct writer w;
	size_t i;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 2);
	pack_u64(&w, 1);
	pack_array(&w, (uint32_t)count);
	for (i = 0; i < count; i++) {
		pack_array(&w, 2);
		pack_u64(&w, keys[i].key_no);
		pack_bin(&w, BYTES(keys[i].key.secret, EC_SECRET_BYTES));
	}
	if ((e = writer_end(&w)) == E_OK)
		e = store_meta_put(txn, "office keys", writer_view(&w));
	crypto_wipe(memory, sizeof(memory));
	return e;
}

enum err
office_keys_load(struct store_txn *txn, struct peer *p)
{
	uint8_t secret[EC_SECRET_BYTES];
	struct bytes value;
	struct reader r;
	uint32_t i, n;
	enum err e = store_meta_get(txn, "office keys", &value);

	p->old_key_count = 0;
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	reader_begin(&r, value, 1, 2);
	n = reader_array(&r);
	if (n > OLD_KEYS_MAX)
		reader_fail(&r, E_STORE_DAMAGED);
	for (i = 0; i < n && r.e == E_OK; i++) {
		reader_array_of(&r, 2);
		p->old_keys[i].key_no = (uint32_t)reader_u64_max(&r, UINT32_MAX);
		reader_bin_fixed(&r, secret, sizeof(secret));
		if (r.e == E_OK && crypto_ec_from_secret(&p->old_keys[i].key, secret) != E_OK)
			reader_fail(&r, E_STORE_DAMAGED);
	}
	crypto_wipe(secret, sizeof(secret));
	if ((e = reader_end(&r)) == E_OK)
		p->old_key_count = n;
	return e;
}

enum err
office_keys_reload(struct peer *p)
{
	struct store_txn *txn;
	enum err e = store_read_begin(p->store, &txn);

	if (e != E_OK)
		return e;
	e = office_keys_load(txn, p);
	store_read_end(txn);
	return e;
}

enum err
office_keys_keep(struct store_txn *txn, struct peer *p, const struct home *h)
{
	struct old_key keys[OLD_KEYS_MAX];
	enum err e;

	size_t i;

	for (i = 0; i < p->old_key_count; i++)
		if (p->old_keys[i].key_no == h->key_no)
			return E_OK;
	if (!h->has_secret)
		return E_OK;
	if (p->old_key_count == OLD_KEYS_MAX)
		return E_LIMIT;
	memcpy(keys, p->old_keys, sizeof(keys));
	keys[p->old_key_count] = (struct old_key){h->key_no, h->seal};
	e = put(txn, keys, p->old_key_count + 1);
	crypto_wipe(keys, sizeof(keys));
	return e;
}

enum err
office_keys_all(struct store_txn *txn, struct peer *p, const struct ec_key *recovery,
		uint32_t count)
{
	enum err e = E_OK;
	uint32_t i;

	for (i = 0; i < count && e == E_OK; i++) {
		p->old_keys[i].key_no = i + 1;
		e = office_key_of(recovery, p->home.area, i + 1, &p->old_keys[i].key);
	}
	p->old_key_count = e == E_OK ? count : 0;
	return e == E_OK ? put(txn, p->old_keys, count) : e;
}

/* ---- for the office's other nodes ---- */

/* Sealed to that node alone. */
static enum err
give(struct store_txn *txn, struct peer *p, const struct enrolment *twin, uint32_t key_no,
     const struct ec_key *key)
{
	struct down_item item = {.kind = DOWN_OFFICE_KEY, .key_no = key_no};
	uint8_t memory[128];
	struct writer body;
	enum err e;

	writer_init(&body, memory, sizeof(memory));
	memcpy(item.secret, key->secret, sizeof(item.secret));
	down_item_write(&body, &item);
	if ((e = writer_end(&body)) == E_OK)
		e = down_notify(p, txn, twin, writer_view(&body));
	crypto_wipe(&item, sizeof(item));
	crypto_wipe(memory, sizeof(memory));
	return e;
}

enum err
office_keys_give(struct store_txn *txn, struct peer *p, const struct enrolment *twin)
{
	enum err e = give(txn, p, twin, p->home.key_no, &p->home.seal);
	size_t i;

	for (i = 0; i < p->old_key_count && e == E_OK; i++)
		e = give(txn, p, twin, p->old_keys[i].key_no, &p->old_keys[i].key);
	return e;
}

struct giving {
	struct store_txn *txn;
	struct peer *peer;
	const struct home *next; /* its key alone; NULL: all that the peer has */
};

static enum err
give_twin(void *arg, const struct member *m)
{
	struct giving *g = arg;

	if (m->state != MEMBER_APPROVED || m->enrolment.role != ROLE_NODE ||
	    strcmp(m->enrolment.area, g->peer->home.area) != 0 ||
	    ID_EQUAL(&m->enrolment.id, &peer_self(g->peer)->id))
		return E_OK;
	return g->next != NULL
		   ? give(g->txn, g->peer, &m->enrolment, g->next->key_no, &g->next->seal)
		   : office_keys_give(g->txn, g->peer, &m->enrolment);
}

enum err
office_keys_give_all(struct store_txn *txn, struct peer *p)
{
	struct giving g = {.txn = txn, .peer = p};

	return p->home.has_secret ? member_walk(txn, give_twin, &g) : E_OK;
}

/* ---- the next key ---- */

struct rotate_job {
	struct peer *peer;
	const struct ec_key *root;
	const struct identity *actor;
	struct home home; /* as it shall be */
	uint32_t now_s;
};

static enum err
rotate_job(struct store_txn *txn, void *arg)
{
	struct rotate_job *job = arg;
	struct peer *p = job->peer;
	struct office office = {.programme = p->programme.id,
				.key_no = job->home.key_no,
				.seal_pub = job->home.seal.pub,
				.issued_s = job->now_s,
				.issuer = job->root != NULL ? principal_root(&p->programme.id)
							    : peer_self(p)->id};
	struct giving twins = {txn, p, &job->home};
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer w;
	char number[24];
	enum err e;

	memcpy(office.area, job->home.area, sizeof(office.area));
	(void)snprintf(number, sizeof(number), "key %u", job->home.key_no);
	writer_init(&w, memory, sizeof(memory));
	if ((e = office_encode(&office, job->root != NULL ? job->root : &peer_self(p)->sign, &w)) !=
		E_OK ||
	    (e = office_keys_keep(txn, p, &p->home)) != E_OK ||
	    (e = store_put(txn, STORE_OFFICE, BYTES_LIT("own"), writer_view(&w))) != E_OK ||
	    (e = peer_put_home(txn, &job->home)) != E_OK ||
	    (e = down_publish_statement(p, txn, DOWN_OFFICE, writer_view(&w))) != E_OK ||
	    (e = down_say_above(p, txn, DOWN_OFFICE, writer_view(&w))) != E_OK ||
	    (e = member_walk(txn, give_twin, &twins)) != E_OK)
		return e;
	return audit_append(txn, job->now_s, &job->actor->id, "rotate", job->home.area, number);
}

enum err
office_keys_rotate(struct peer *p, const struct ec_key *root, const struct ec_key *recovery,
		   const struct identity *actor, struct why *why)
{
	struct rotate_job job = {
	    .peer = p, .root = root, .actor = actor, .home = p->home, .now_s = peer_now_s(p)};
	enum err e;

	if (!peer_is_node(p) || !p->home.has_secret)
		return why_set(why, E_NOT_HERE, "rotate");
	job.home.key_no++;
	e = recovery != NULL
		? office_key_of(recovery, p->home.area, job.home.key_no, &job.home.seal)
		: crypto_ec_new(&job.home.seal);
	if (e == E_OK && (e = store_write(p->store, rotate_job, &job)) == E_OK) {
		p->home = job.home;
		e = office_keys_reload(p);
	}
	crypto_wipe(&job, sizeof(job));
	return e == E_OK ? e : why_set(why, e, "%s", p->path);
}
