#include "tools/node/carry/carry_sets.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/node/carry/carry_inside.h"
#include "tools/node/opener/opener_item.h"

#define BEHIND_MAX \
	4096u /* arrivals: a set that is farther behind catches up at the next exchange */

struct kept {
	struct peer *peer;
	struct shared *shared; /* NULL: this place is free */
	struct principal_id other;
	struct siphash_key key;
	char scope[AREA_CODE_BYTES_MAX + 1];
	bool saving;
	/* the area that was asked about last, of this table */
	const struct area_table *areas;
	char area[AREA_CODE_BYTES_MAX + 1];
	bool within;
};

struct carry_sets {
	struct kept kept[CARRY_SETS_MAX];
};

static enum err
rule(void *arg, struct store_txn *txn, const struct arrival *a, bool *out)
{
	const struct kept *k = arg;

	return carry_shares_with(k->peer, k->scope, txn, a, out);
}

static struct kept *
find(struct peer *p, const struct principal_id *other)
{
	size_t i;

	for (i = 0; p->sets != NULL && i < CARRY_SETS_MAX; i++)
		if (p->sets->kept[i].shared != NULL && ID_EQUAL(&p->sets->kept[i].other, other))
			return &p->sets->kept[i];
	return NULL;
}

static void
drop(struct kept *k)
{
	shared_close(k->shared);
	crypto_wipe(k, sizeof(*k));
}

/* ---- what was opened ---- */

/* Parcels of one author stand in a row, and so do their areas. */
static bool
is_within(struct kept *k, const struct area_table *areas, const char *area)
{
	if (areas != k->areas || strcmp(area, k->area) != 0) {
		k->areas = areas;
		memcpy(k->area, area, sizeof(k->area));
		k->within = areas != NULL && area_is_within(areas, k->scope, area);
	}
	return k->within;
}

/* The arrivals up to the cursor, in order. What was opened in this turn is in hand; what was before
 * its turn is read again. */
static enum err
note_set(struct kept *k, struct store_txn *txn, const struct opening *o)
{
	const struct area_table *areas = peer_areas(k->peer);
	uint64_t seq;
	size_t i = 0;
	enum err e;

	for (seq = shared_upto(k->shared) + 1; seq <= o->opened; seq++) {
		const struct opening_arrival *at;
		struct arrival a;
		bool belongs;

		while (i < o->count &&
		       (o->arrivals[i].urgent || o->arrivals[i].early || o->arrivals[i].seq < seq))
			i++;
		at = i < o->count ? &o->arrivals[i] : NULL;
		if (at != NULL && at->seq == seq && at->read && at->why.e == E_OK) {
			belongs = at->records && is_within(k, areas, at->about);
			(void)shared_note(k->shared, &at->arrival, belongs);
			continue;
		}
		if ((e = arrival_get(txn, seq, &a)) != E_OK ||
		    (e = rule(k, txn, &a, &belongs)) != E_OK)
			return e;
		(void)shared_note(k->shared, &a, belongs);
	}
	return E_OK;
}

enum err
carry_sets_note(struct peer *p, struct store_txn *txn, const struct opening *o)
{
	size_t i;
	enum err e = E_OK;

	for (i = 0; p->sets != NULL && i < CARRY_SETS_MAX && e == E_OK; i++) {
		struct kept *k = &p->sets->kept[i];

		if (k->shared == NULL)
			continue;
		if (!shared_is_stored(k->shared, txn) ||
		    o->opened > shared_upto(k->shared) + BEHIND_MAX) {
			drop(k); /* forgotten meanwhile: a rule changed its mind */
			continue;
		}
		e = note_set(k, txn, o);
		if (e != E_OK || shared_unsaved(k->shared) < SHARED_SAVE_EACH)
			continue;
		k->saving = true;
		if ((e = shared_save(txn, k->shared)) == E_NO_MEMORY) {
			drop(k);
			e = E_OK;
		}
	}
	return e;
}

void
carry_sets_noted(struct peer *p, enum err e)
{
	size_t i;

	if (e != E_OK)
		carry_sets_drop(p, NULL);
	for (i = 0; p->sets != NULL && i < CARRY_SETS_MAX; i++) {
		if (p->sets->kept[i].saving && p->sets->kept[i].shared != NULL)
			shared_saved(p->sets->kept[i].shared);
		p->sets->kept[i].saving = false;
	}
}

/* ---- for exchanges ---- */

enum err
carry_sets_get(struct peer *p, struct store_txn *txn, const struct shared_config *config,
	       struct shared **out)
{
	struct kept *k = find(p, &config->other);

	if (k == NULL || k->key.k[0] != config->key.k[0] || k->key.k[1] != config->key.k[1] ||
	    !shared_is_stored(k->shared, txn))
		return E_ABSENT;
	return shared_copy(out, k->shared, config);
}

void
carry_sets_keep(struct peer *p, const struct carry_other *other, const struct shared_config *config,
		const struct shared *shared)
{
	struct shared_config own = *config;
	struct kept *k = find(p, &other->id);
	size_t i;

	if (k != NULL && shared_upto(k->shared) > shared_upto(shared))
		return;
	if (k != NULL)
		drop(k);
	if (p->sets == NULL && (p->sets = calloc(1, sizeof(*p->sets))) == NULL)
		return;
	for (i = 0; i < CARRY_SETS_MAX && p->sets->kept[i].shared != NULL; i++)
		;
	if (i == CARRY_SETS_MAX)
		return;
	k = &p->sets->kept[i];
	own.rule = rule;
	own.arg = k;
	if (shared_copy(&k->shared, shared, &own) != E_OK)
		return;
	k->peer = p;
	k->other = other->id;
	k->key = own.key;
	memcpy(k->scope, other->scope, sizeof(k->scope));
}

void
carry_sets_drop(struct peer *p, const struct principal_id *other)
{
	size_t i;

	for (i = 0; p->sets != NULL && i < CARRY_SETS_MAX; i++)
		if (other == NULL || ID_EQUAL(&p->sets->kept[i].other, other))
			drop(&p->sets->kept[i]);
}

void
carry_sets_free(struct peer *p)
{
	carry_sets_drop(p, NULL);
	free(p->sets);
	p->sets = NULL;
}

/* ---- are they right? ---- */

struct checking {
	struct peer *peer;
	struct store_txn *txn;
	void (*fault)(void *arg, const char *name);
	void *arg;
};

static enum err
check_one(struct checking *g, const struct principal_id *id, const struct ec_public *seal,
	  const char *scope, const char *name)
{
	struct kept k = {.peer = g->peer, .other = *id};
	struct shared_config config = {.other = *id, .rule = rule, .arg = &k};
	struct shared *s;
	enum err e;

	(void)snprintf(k.scope, sizeof(k.scope), "%s", scope);
	if ((e = carry_key_with(g->peer, seal, &config.key)) != E_OK ||
	    (e = shared_open(&s, g->txn, &config)) != E_OK)
		return e;
	e = shared_check(s, g->txn, NULL);
	shared_close(s);
	crypto_wipe(&config, sizeof(config));
	if (e == E_STORE_DAMAGED) {
		g->fault(g->arg, name);
		e = E_OK;
	}
	return e;
}

static enum err
check_member(void *arg, const struct member *m)
{
	const struct enrolment *n = &m->enrolment;
	struct checking *g = arg;

	if (n->role != ROLE_NODE || m->state != MEMBER_APPROVED ||
	    peer_identity_by_id(g->peer, &n->id) != NULL)
		return E_OK;
	return check_one(g, &n->id, &n->seal_pub, n->area, n->name);
}

enum err
carry_sets_check(struct peer *p, struct store_txn *txn, void (*fault)(void *arg, const char *name),
		 void *arg)
{
	struct checking g = {p, txn, fault, arg};
	enum err e = E_OK;

	if (store_count(txn, STORE_SHARED) == 0)
		return E_OK;
	if (p->above.known)
		e = check_one(&g, &p->above.node, &p->above.seal, p->home.area, "the node above");
	return e == E_OK ? member_walk(txn, check_member, &g) : e;
}
