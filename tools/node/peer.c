#include "tools/node/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/crypto/crypto.h"
#include "tools/node/down/down_row.h"
#include "tools/node/carry/carry_sets.h"
#include "tools/node/opener/known.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/dictionaries.h"
#include "tools/node/state.h"

bool
peer_is_node(const struct peer *p)
{
	return p->identities[0].role == ROLE_NODE;
}

enum err
peer_above(const struct peer *p, struct above *out)
{
	memset(out, 0, sizeof(*out));
	if (peer_is_node(p) && p->home.key_no != 0) {
		*out = p->above;
		return out->known ? E_OK : E_NOT_HERE;
	}
	out->known = true;
	out->node = p->home.node;
	out->sign = p->home.node_sign;
	memcpy(out->area, p->home.area, sizeof(out->area));
	memcpy(out->address, p->home.address, sizeof(out->address));
	return E_OK;
}

static enum err
peer_new(struct peer **out, const char *path)
{
	struct peer *p = calloc(1, sizeof(*p));

	*out = NULL;
	if (p == NULL)
		return E_NO_MEMORY;
	snprintf(p->path, sizeof(p->path), "%s", path);
	if (pthread_rwlock_init(&p->lock, NULL) != 0 || pthread_mutex_init(&p->acting, NULL) != 0 ||
	    pthread_mutex_init(&p->syncing, NULL) != 0) {
		free(p);
		return E_NO_MEMORY;
	}
	*out = p;
	return E_OK;
}

void
peer_close(struct peer *p)
{
	if (p == NULL)
		return;
	store_close(p->store);
	dictionaries_free(p);
	while (p->forms != NULL) {
		struct form_entry *f = p->forms;

		p->forms = f->next;
		form_free(f->form);
		free(f);
	}
	while (p->areas != NULL) {
		struct areas_entry *a = p->areas;

		p->areas = a->next;
		area_table_free(a->table);
		free(a);
	}
	pthread_rwlock_destroy(&p->lock);
	pthread_mutex_destroy(&p->acting);
	known_free(p->known);
	carry_sets_free(p);
	pthread_mutex_destroy(&p->syncing);
	crypto_wipe(p, sizeof(*p));
	free(p);
}

static enum err
create_job(struct store_txn *txn, void *arg)
{
	struct peer *p = arg;
	enum err e;

	if ((e = peer_put_programme(txn, &p->programme)) != E_OK)
		return e;
	if ((e = peer_put_home(txn, &p->home)) != E_OK)
		return e;
	if ((e = store_meta_put_u64(txn, "approved", p->approved)) != E_OK)
		return e;
	return peer_put_identities(txn, p);
}

enum err
peer_create(struct peer **out, const char *path, const struct unlock *unlock,
	    const struct unlock *second, const struct programme *programme, const struct home *home,
	    const struct identity *identities, size_t count, bool approved, struct why *why)
{
	struct peer *p;
	enum err e;
	size_t i;

	if ((e = peer_new(&p, path)) != E_OK)
		return e;
	if ((e = store_prepare(path, unlock, second, NULL, &p->store, why)) != E_OK)
		goto fail;
	p->programme = *programme;
	p->home = *home;
	p->approved = approved;
	p->identity_count = count;
	for (i = 0; i < count; i++) {
		p->identities[i] = identities[i];
		crypto_random(&p->identities[i].epoch, sizeof(p->identities[i].epoch));
		p->identities[i].incarnation = store_incarnation(p->store);
	}
	if ((e = store_write(p->store, create_job, p)) != E_OK) {
		why_set(why, e, "%s", path);
		goto fail;
	}
	*out = p;
	return E_OK;
fail:
	peer_close(p);
	*out = NULL;
	return e;
}

static enum err
load_forms(struct store_txn *txn, struct peer *p, struct why *why)
{
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, e2;

	if ((e = store_walk(txn, STORE_FORM, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct form_row row;

		if ((e = down_read_form(value, &row)) == E_OK)
			e = peer_learn_form(p, row.bundle, row.order, row.languages, why);
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

static enum err
load(struct peer *p, struct why *why)
{
	struct store_txn *txn;
	struct bytes table;
	uint64_t approved = 0;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	if ((e = state_read_identities(txn, p)) != E_OK ||
	    (e = state_read_home(txn, &p->home)) != E_OK ||
	    (e = state_read_above(txn, "above", &p->above)) != E_OK ||
	    (e = state_read_above(txn, "upper", &p->upper)) != E_OK ||
	    (e = office_keys_load(txn, p)) != E_OK ||
	    (e = state_read_programme(txn, &p->programme)) != E_OK ||
	    (e = store_meta_u64(txn, "approved", 0, &approved)) != E_OK) {
		why_set(why, e = e == E_ABSENT ? E_STORE_DAMAGED : e, "%s", p->path);
		goto done;
	}
	p->approved = approved != 0;
	if ((e = load_forms(txn, p, why)) != E_OK)
		goto done;
	if ((e = dictionaries_load(txn, p)) != E_OK) {
		why_set(why, e, "%s", p->path);
		goto done;
	}
	e = store_get(txn, STORE_AREA, BYTES_LIT("current"), &table);
	if (e == E_OK)
		e = peer_learn_areas(p, table, why);
	else if (e == E_ABSENT)
		e = E_OK;
done:
	store_read_end(txn);
	return e;
}

static enum err
identities_job(struct store_txn *txn, void *arg)
{
	return peer_put_identities(txn, arg);
}

/* A device's parcels that nobody acknowledged go back into the outbox: they leave in the new log.
 */
static enum err
unpack_unsent(struct peer *p, struct identity *d, struct why *why)
{
	struct store_txn *txn;
	uint64_t acked;
	enum err e;

	if ((e = store_read_begin(p->store, &txn)) != E_OK)
		return why_set(why, e, "%s", p->path);
	e = outbox_acked(txn, d->epoch, &acked);
	store_read_end(txn);
	return e != E_OK ? why_set(why, e, "%s", p->path) : outbox_new_epoch(p, d, acked, why);
}

/* A restored store is another life: its logs begin anew, so that no number is used twice. */
static enum err
renew_epochs(struct peer *p, struct why *why)
{
	bool changed = false;
	enum err e;
	size_t i;

	for (i = 0; i < p->identity_count; i++) {
		struct identity *d = &p->identities[i];

		if (d->incarnation == store_incarnation(p->store))
			continue;
		if (peer_is_node(p))
			crypto_random(&d->epoch, sizeof(d->epoch));
		else if ((e = unpack_unsent(p, d, why)) != E_OK)
			return e;
		d->incarnation = store_incarnation(p->store);
		changed = true;
	}
	if (changed && (e = store_write(p->store, identities_job, p)) != E_OK)
		return why_set(why, e, "%s", p->path);
	return E_OK;
}

enum err
peer_open(struct peer **out, const char *path, const struct unlock *unlock, struct why *why)
{
	struct peer *p;
	enum err e;

	if ((e = peer_new(&p, path)) != E_OK)
		return why_set(why, e, "%s", path);
	if ((e = store_open(path, unlock, NULL, &p->store, why)) != E_OK ||
	    (e = load(p, why)) != E_OK || (e = renew_epochs(p, why)) != E_OK) {
		peer_close(p);
		*out = NULL;
		return e;
	}
	*out = p;
	return E_OK;
}

struct identity *
peer_identity_by_id(struct peer *p, const struct principal_id *id)
{
	size_t i;

	for (i = 0; i < p->identity_count; i++)
		if (ID_EQUAL(&p->identities[i].id, id))
			return &p->identities[i];
	return NULL;
}

enum err
peer_identity(struct peer *p, const char *name, struct identity **out, struct why *why)
{
	size_t i;

	*out = NULL;
	if (name == NULL && !peer_is_node(p)) {
		*out = peer_self(p);
		return E_OK;
	}
	if (name == NULL) {
		if (p->identity_count == 2) {
			*out = &p->identities[1];
			return E_OK;
		}
		return why_set(
		    why, E_USAGE,
		    "several officers work on this store; say which one acts: --as NAME");
	}
	for (i = 0; i < p->identity_count; i++)
		if (strcmp(p->identities[i].name, name) == 0 && (i > 0 || !peer_is_node(p))) {
			*out = &p->identities[i];
			return E_OK;
		}
	return why_set(why, E_PRINCIPAL_UNKNOWN, "%s", name);
}

const struct area_table *
peer_areas(struct peer *p)
{
	const struct area_table *t;

	pthread_rwlock_rdlock(&p->lock);
	t = p->areas == NULL ? NULL : p->areas->table;
	pthread_rwlock_unlock(&p->lock);
	return t;
}

struct form_entry *
peer_form(struct peer *p, const char *form_id_wanted)
{
	struct form_entry *f, *best = NULL;

	pthread_rwlock_rdlock(&p->lock);
	for (f = p->forms; f != NULL; f = f->next)
		if (strcmp(form_id(f->form), form_id_wanted) == 0 &&
		    (best == NULL || f->order > best->order))
			best = f;
	pthread_rwlock_unlock(&p->lock);
	return best;
}

struct form_entry *
peer_form_by_key(struct peer *p, struct form_key key)
{
	struct form_entry *f;

	pthread_rwlock_rdlock(&p->lock);
	for (f = p->forms; f != NULL && f->key.v != key.v; f = f->next)
		;
	pthread_rwlock_unlock(&p->lock);
	return f;
}

enum err
peer_learn_form(struct peer *p, struct bytes bundle, uint64_t order, const char *languages,
		struct why *why)
{
	struct form_entry *f = calloc(1, sizeof(*f));
	enum err e;

	if (f == NULL)
		return E_NO_MEMORY;
	if ((e = form_read(&f->form, bundle, why)) != E_OK) {
		free(f);
		return e;
	}
	f->key = form_key(f->form);
	f->order = order;
	snprintf(f->languages, sizeof(f->languages), "%s", languages);
	if (peer_form_by_key(p, f->key) != NULL) { /* came twice */
		form_free(f->form);
		free(f);
		return E_OK;
	}
	pthread_rwlock_wrlock(&p->lock);
	f->next = p->forms;
	p->forms = f;
	pthread_rwlock_unlock(&p->lock);
	return E_OK;
}

enum err
peer_learn_areas(struct peer *p, struct bytes table, struct why *why)
{
	struct areas_entry *a = calloc(1, sizeof(*a));
	enum err e;

	if (a == NULL)
		return E_NO_MEMORY;
	if ((e = area_table_read(&a->table, table, why)) != E_OK) {
		free(a);
		return e;
	}
	pthread_rwlock_wrlock(&p->lock);
	a->next = p->areas;
	p->areas = a;
	pthread_rwlock_unlock(&p->lock);
	return E_OK;
}

enum err
peer_learn_languages(struct peer *p, const char *form_id_wanted, const char *languages)
{
	struct form_entry *f;

	pthread_rwlock_wrlock(&p->lock);
	for (f = p->forms; f != NULL; f = f->next)
		if (strcmp(form_id(f->form), form_id_wanted) == 0)
			snprintf(f->languages, sizeof(f->languages), "%s", languages);
	pthread_rwlock_unlock(&p->lock);
	return E_OK;
}

static uint64_t
seen_s(struct peer *p)
{
	struct store_txn *txn;
	uint64_t seen = 0;

	if (store_read_begin(p->store, &txn) == E_OK) {
		if (store_meta_u64(txn, "clock", 0, &seen) != E_OK)
			seen = 0;
		store_read_end(txn);
	}
	return seen;
}

uint32_t
peer_now_s(struct peer *p)
{
	time_t now = time(NULL);
	uint64_t seen = seen_s(p);

	if (now < 0 || (uint64_t)now < seen)
		return (uint32_t)seen;
	return (uint64_t)now > UINT32_MAX ? UINT32_MAX : (uint32_t)now;
}

uint32_t
peer_clock_behind_s(struct peer *p)
{
	time_t now = time(NULL);
	uint64_t seen = seen_s(p);

	return now >= 0 && (uint64_t)now >= seen ? 0
						 : (uint32_t)(seen - (uint64_t)(now < 0 ? 0 : now));
}

enum err
peer_saw_time(struct store_txn *txn, uint32_t now_s)
{
	uint64_t seen;
	enum err e = store_meta_u64(txn, "clock", 0, &seen);

	return e != E_OK || seen >= now_s ? e : store_meta_put_u64(txn, "clock", now_s);
}
