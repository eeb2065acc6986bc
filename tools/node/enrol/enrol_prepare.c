/* The newcomer's store, before the node has answered. */
#include <stdio.h>

#include "tools/node/enrol/enrol.h"
#include "tools/node/enrol/office_keys.h"

/* The keys of an office to be. Until it is welcomed the first one waits in the row of its home, for
 * a joining that is cut. */
static enum err
prepare_keys(struct home *home, const struct invite *v, struct recovery *recovery)
{
	enum err e = E_OK;

	if (!recovery->again)
		e = crypto_ec_new(&recovery->key);
	return e == E_OK ? office_key_of(&recovery->key, v->area,
					 recovery->again ? OFFICE_KEYS_AGAIN + 1 : 1, &home->seal)
			 : e;
}

/* A joining that was cut goes on with the same keys. E_STORE_ABSENT: there was none. */
static enum err
prepared(struct peer **out, const char *path, const struct unlock *unlock, const struct invite *v,
	 const struct recovery *recovery, struct why *why)
{
	enum err e = peer_open(out, path, unlock, why);

	if (e != E_OK)
		return e;
	if ((*out)->home.key_no == 0 && ID_EQUAL(&(*out)->home.node, &v->node)) {
		(*out)->again = recovery != NULL && recovery->again ? &recovery->key : NULL;
		return E_OK;
	}
	peer_close(*out);
	*out = NULL;
	return why_set(why, E_STORE_EXISTS, "%s", path);
}

enum err
enrol_prepare_office(struct peer **out, const char *path, const struct unlock *unlock,
		     const struct invite *v, struct recovery *recovery, struct why *why)
{
	struct unlock kept = {.name = "recovery"}, *second = NULL;
	struct programme programme = {.id = v->programme, .k = K_DEFAULT};
	struct home home = {.node = v->node};
	struct identity self;
	enum err e = prepared(out, path, unlock, v, recovery, why);

	if (e != E_STORE_ABSENT)
		return e;
	memset(&self, 0, sizeof(self));
	crypto_random(self.id.b, sizeof(self.id.b));
	self.role = v->role;
	memcpy(self.area, v->area, sizeof(self.area));
	memcpy(self.name, v->name, sizeof(self.name));
	snprintf(home.address, sizeof(home.address), "%s", v->address);
	e = E_OK;
	if (recovery != NULL && (e = prepare_keys(&home, v, recovery)) == E_OK) {
		kept.recovery = &recovery->key;
		second = &kept;
	}
	if (e == E_OK && (e = crypto_ec_new(&self.sign)) == E_OK &&
	    (e = crypto_ec_new(&self.seal)) == E_OK)
		e = peer_create(out, path, unlock, second, &programme, &home, &self, 1, false, why);
	if (e == E_OK && recovery != NULL && recovery->keep != NULL)
		e = recovery->keep(recovery->ctx, &recovery->key, &self);
	crypto_wipe(&self, sizeof(self));
	crypto_wipe(&home, sizeof(home));
	if (e == E_OK && (e = store_publish((*out)->store, why)) == E_OK) {
		(*out)->again = recovery != NULL && recovery->again ? &recovery->key : NULL;
		return E_OK;
	}
	peer_close(*out);
	*out = NULL;
	return why != NULL && why->e == e ? e : why_set(why, e, "%s", path);
}

enum err
enrol_prepare(struct peer **out, const char *path, const struct unlock *unlock,
	      const struct invite *v, struct why *why)
{
	return enrol_prepare_office(out, path, unlock, v, NULL, why);
}
