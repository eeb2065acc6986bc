/* banyan passphrase: lock the store's key anew; let one more officer work here. */
#include <string.h>

#include "core/crypto/crypto.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/enrol/enrol.h"
#include "tools/relock.h"

/* Which slot the person's secret opens: that one is locked anew, whatever its name. */
static enum err
own_slot(struct call *c, char name[KEYRING_NAME_BYTES_MAX + 1])
{
	struct unlock unlock = secret_unlock(call_secret(c), call_option(c, "as"));
	struct store_key key;
	enum err e = keyring_open(call_peer(c)->path, &unlock, &key, name, call_why(c));

	crypto_wipe(&key, sizeof(key));
	return e;
}

/* The slot is a file of its own: it is what it is, whatever becomes of the log. */
static void
changed(struct call *c, const char *name, const char *how)
{
	call_kept(c, "the passphrase is %s", how);
	call_after(c, acting_audit(c, "passphrase", name, how));
}

/* Opened by the recovery key: whoever acts gets a passphrase (again), in the place of the forgotten
 * one. */
static enum err
recover(struct call *c, const struct secret *fresh)
{
	struct peer *p = call_peer(c);
	struct identity *who = acting_identity(c);
	enum err e = relock(p, who, fresh, call_why(c));

	if (e != E_OK)
		return e;
	changed(c, who->name, "recovered");
	if (call_json(c))
		call_out(c, "{\"recovered\":true}\n");
	else
		call_out(
		    c,
		    "The store has a new passphrase%s%s%s; the forgotten one no longer opens it. The other officers' still do.\n",
		    peer_is_node(p) ? " for \"" : "", peer_is_node(p) ? who->name : "",
		    peer_is_node(p) ? "\"" : "");
	return E_OK;
}

static enum err
change(struct call *c, const struct secret *fresh)
{
	struct peer *p = call_peer(c);
	char name[KEYRING_NAME_BYTES_MAX + 1];
	struct unlock unlock;
	bool beside = false;
	enum err e;

	if ((e = own_slot(c, name)) != E_OK)
		return e;
	unlock = secret_unlock(fresh, name);
	e = keyring_replace(p->path, store_key_of(p->store), &unlock, NULL, call_why(c));
	if (e == E_ABSENT) { /* a key file opened it: it has had no passphrase yet */
		e = keyring_add(p->path, store_key_of(p->store), &unlock, NULL, call_why(c));
		beside = true;
	}
	if (e != E_OK)
		return e;
	changed(c, name, beside ? "added" : "changed");
	if (call_json(c))
		call_out(c, "{\"changed\":true}\n");
	else if (beside)
		call_out(c, "A passphrase opens the store now too; the key file still does.\n");
	else
		call_out(
		    c,
		    "The passphrase is changed; the old one no longer opens the store. Backups made before keep "
		    "the old one.\n");
	return E_OK;
}

/* The slot comes first: an officer without a key would be a name that nobody can use or take again.
 */
static enum err
add_officer(struct call *c, const char *name, const struct secret *fresh)
{
	struct peer *p = call_peer(c);
	struct unlock unlock = secret_unlock(fresh, name);
	struct identity *actor = acting_identity(c), *had;
	struct why why;
	enum err e;

	if (!peer_is_node(p) || actor == NULL)
		return why_set(call_why(c), E_NOT_HERE, "--add-officer");
	if (name[0] == '\0' || strlen(name) > KEYRING_NAME_BYTES_MAX ||
	    !bytes_is_text(bytes_of_str(name)))
		return why_set(call_why(c), E_USAGE,
			       "an officer's name is 1 to %u bytes of plain text",
			       KEYRING_NAME_BYTES_MAX);
	if ((e = keyring_add(p->path, store_key_of(p->store), &unlock, NULL, call_why(c))) != E_OK)
		return e;
	/* who is an officer here and has no passphrase any more (after banyan replace) gets one
	 * again */
	if (peer_identity(p, name, &had, NULL) != E_OK &&
	    (e = enrol_add_officer(p, actor, name, call_why(c))) != E_OK) {
		(void)keyring_remove(p->path, store_key_of(p->store), name, &why);
		return e;
	}
	call_kept(c, "\"%s\" works at this store", name);
	if (call_json(c))
		call_out(c, "{\"officer\":true}\n");
	else
		call_out(
		    c,
		    "\"%s\" works at this store now, with a passphrase of their own; --as \"%s\" says who acts.\n",
		    name, name);
	return E_OK;
}

enum err
cmd_passphrase(struct call *c)
{
	const char *officer = call_option(c, "add-officer");
	struct secret fresh;
	enum err e;

	memset(&fresh, 0, sizeof(fresh));
	if ((e = call_new_secret(c, &fresh)) == E_OK) {
		if (officer != NULL)
			e = add_officer(c, officer, &fresh);
		else
			e = call_secret(c)->kind == SECRET_RECOVERY ? recover(c, &fresh)
								    : change(c, &fresh);
	}
	secret_wipe(&fresh);
	return e;
}
