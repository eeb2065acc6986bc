/* banyan restore: a store from a backup. */
#include "core/backup.h"
#include "tools/call_asked.h"
#include "tools/commands.h"

enum err
cmd_restore(struct call *c)
{
	struct backup_info info;
	struct unlock unlock;
	enum err e;

	if ((e = call_find_secret(c)) != E_OK)
		return e;
	unlock = secret_unlock(call_secret(c), NULL);
	if ((e = backup_restore(call_arg(c, 0), call_store_path(c), &unlock, NULL, &info, call_why(c))) != E_OK)
		return e;
	if (call_json(c))
		call_out(c, "{\"rows\":%llu,\"parcels\":%llu}\n", (unsigned long long)info.rows,
		         (unsigned long long)info.arrival_last);
	else
		call_out(c, "The store is in %s again, with %llu parcels. Never let the old one run beside it.\n"
		            "Devices offer again what came after the backup, as they sync.\n", call_store_path(c),
		         (unsigned long long)info.arrival_last);
	return E_OK;
}
