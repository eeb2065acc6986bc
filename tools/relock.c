#include "tools/relock.h"

enum err
relock(struct peer *p, const struct identity *who, const struct secret *fresh, struct why *why)
{
	const struct store_key *key = store_key_of(p->store);
	struct unlock unlock = secret_unlock(fresh, peer_is_node(p) ? who->name : NULL);
	enum err e = keyring_replace(p->path, key, &unlock, NULL, why);

	return e == E_ABSENT ? keyring_add(p->path, key, &unlock, NULL, why)
			     : e; /* it had a key file only */
}

enum err
relock_alone(struct peer *p, const struct identity *who, const struct secret *fresh,
	     struct why *why)
{
	const struct store_key *key = store_key_of(p->store);
	struct keyring_slot slots[KEYRING_SLOTS_MAX];
	size_t i, count;
	enum err e = keyring_list(p->path, key, slots, &count, why);

	for (i = 0; i < count && e == E_OK; i++)
		if (slots[i].kind != KEYRING_RECOVERY) {
			e = keyring_remove(p->path, key, slots[i].name, why);
			e = e == E_ABSENT ? E_OK : e; /* gone with another of its name */
		}
	return e == E_OK ? relock(p, who, fresh, why) : e;
}

enum err
relock_store(struct peer *p, const struct unlock *keep, size_t count, store_tell_fn *tell,
	     void *arg, struct why *why)
{
	struct store_key fresh;
	struct writer file;
	size_t i;
	enum err e;

	writer_heap_init(&file, KEYRING_FILE_BYTES_MAX);
	crypto_random(fresh.b, sizeof(fresh.b));
	e = count == 0 || count > RELOCK_MAX ? E_LIMIT
					     : keyring_seal_first(&fresh, &keep[0], NULL, &file);
	for (i = 1; i < count && e == E_OK; i++)
		e = keyring_seal_more(&file, &fresh, &keep[i], NULL);
	if (e == E_OK)
		e = store_renew(p->store, &fresh, writer_view(&file), tell, arg);
	crypto_wipe(&fresh, sizeof(fresh));
	writer_free(&file);
	return e == E_OK ? E_OK : why_set(why, e, "%s", p->path);
}
