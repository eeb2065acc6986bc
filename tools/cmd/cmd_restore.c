/* banyan restore: a store from a backup. */
#include <string.h>

#include "core/store/backup.h"
#include "tools/call/call_asked.h"
#include "tools/commands.h"
#include "tools/halfway.h"
#include "tools/node/erase/erasures.h"
#include "tools/relock.h"

/* The passphrase of that time is forgotten: the recovery key opened the backup, and a new one locks
 * the store. */
static enum err
lock_anew(struct call *c, const struct unlock *unlock, const struct secret *fresh)
{
	struct identity *who;
	struct peer *p;
	enum err e = peer_open(&p, call_store_path(c), unlock, call_why(c));

	if (e != E_OK)
		return e;
	if ((e = peer_identity(p, call_option(c, "as"), &who, call_why(c))) == E_OK)
		e = relock(p, who, fresh, call_why(c));
	peer_close(p);
	return e;
}

/* Orders to erase that are newer than the backup: without them it would bring back what was erased.
 */
static enum err
obey(struct call *c, const struct unlock *unlock, size_t *count)
{
	struct peer *p;
	enum err e = peer_open(&p, call_store_path(c), unlock, call_why(c));

	*count = 0;
	if (e != E_OK)
		return e;
	if ((e = erasures_take_file(p, call_option(c, "orders"), count, call_why(c))) == E_OK)
		e = erasures_settle(p, call_why(c));
	peer_close(p);
	return e;
}

enum err
cmd_restore(struct call *c)
{
	struct backup_info info;
	struct secret fresh;
	struct unlock unlock;
	size_t erased = 0;
	enum err e;

	memset(&fresh, 0, sizeof(fresh));
	if ((e = halfway_free(call_store_path(c), call_why(c))) != E_OK ||
	    (e = call_find_secret(c)) != E_OK ||
	    (call_option(c, "recover") != NULL && (e = call_new_secret(c, &fresh)) != E_OK))
		return e;
	unlock = secret_unlock(call_secret(c), NULL);
	if ((e = backup_restore(call_arg(c, 0), call_store_path(c), &unlock, NULL, &info,
				call_why(c))) == E_OK) {
		if ((e = obey(c, &unlock, &erased)) == E_OK && fresh.kind != SECRET_NONE)
			e = lock_anew(c, &unlock, &fresh);
		/* one that has again what was ordered to be erased is none: run it again */
		if (e != E_OK)
			halfway_remove(call_store_path(c));
	}
	secret_wipe(&fresh);
	if (e != E_OK)
		return e;
	call_kept(c, "the store is in %s again", call_store_path(c));
	if (erased > 0 && !call_json(c))
		call_out(c, "%llu orders to erase that are newer than the backup were obeyed.\n",
			 (unsigned long long)erased);
	if (call_json(c))
		call_out(c, "{\"rows\":%llu,\"parcels\":%llu}\n", (unsigned long long)info.rows,
			 (unsigned long long)info.arrival_last);
	else
		call_out(
		    c,
		    "The store is in %s again, with %llu parcels. Never let the old one run beside it.\n"
		    "Devices offer again what came after the backup, as they sync.\n",
		    call_store_path(c), (unsigned long long)info.arrival_last);
	return E_OK;
}
