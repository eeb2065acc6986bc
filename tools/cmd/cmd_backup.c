/* banyan backup: the store in one file, while it runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/principals/rules.h"
#include "core/store/backup.h"
#include "tools/commands.h"
#include "tools/node/acting.h"

/* What can be seen to fail is not written down as a backup. */
static enum err
place(const char *path, struct why *why)
{
	char folder[1024];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (lstat(path, &st) == 0)
		return why_set(why, E_FILE_EXISTS, "%s", path);
	(void)snprintf(folder, sizeof(folder), "%.*s",
		       slash == NULL   ? 1
		       : slash == path ? 1
				       : (int)(slash - path),
		       slash == NULL ? "." : path);
	return stat(folder, &st) != 0 && errno == ENOENT ? file_no_folder(path, why) : E_OK;
}

/*
 * The owner of the store writes the file itself (the front makes its path absolute): only who saw
 * the bytes reach the disk may tell devices that what is in it is safe.
 */
enum err
cmd_backup(struct call *c)
{
	const char *path = call_option(c, "output");
	struct peer *p = call_peer(c);
	struct backup_info info;
	enum err e;

	if (peer_is_node(p) && (e = acting_may(c, ACT_AUDIT, NULL, false)) != E_OK)
		return e;
	if ((e = place(path, call_why(c))) != E_OK)
		return e;
	/* The entry comes first, so that the backup has it. */
	if (peer_is_node(p) && (e = acting_audit(c, "backup", "", "")) != E_OK)
		return e;
	if ((e = backup_write(p->store, path, &info, call_why(c))) != E_OK)
		return e;
	call_kept(c, "the backup is in %s", path);
	if (call_json(c))
		call_out(c, "{\"rows\":%llu,\"bytes\":%llu,\"parcels\":%llu}\n",
			 (unsigned long long)info.rows, (unsigned long long)info.bytes,
			 (unsigned long long)info.arrival_last);
	else
		call_out(
		    c,
		    "%llu parcels and all that belongs to them are in %s (%llu bytes).\n"
		    "It opens with what opens this store today: keep the passphrase apart from it.\n",
		    (unsigned long long)info.arrival_last, path, (unsigned long long)info.bytes);
	return E_OK;
}
