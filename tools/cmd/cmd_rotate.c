/* banyan rotate: the office's next sealing key, or the store's own. */
#include <string.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/enrol/office_keys.h"
#include "tools/root_file.h"
#include "tools/store_key.h"

/* The kept file must be this programme's: a key out of another one's would be lost when it is
 * needed. */
static enum err
read_root(struct call *c, struct root_file *out)
{
	const char *path = call_option(c, "root");
	enum err e = root_file_read(out, path, call_why(c));

	if (e == E_OK &&
	    memcmp(&out->root.pub, &call_peer(c)->programme.root, sizeof(out->root.pub)) != 0)
		e = why_set(call_why(c), E_ROOT_FILE, "%s", path);
	return e;
}

/* Of a device too: its person's. */
static enum err
rotate_store_key(struct call *c)
{
	bool kept = call_option(c, "root") != NULL;
	struct root_file root;
	enum err e = E_OK;

	memset(&root, 0, sizeof(root));
	if (call_is_remote(c) || acting_identity(c) == NULL)
		return why_set(call_why(c), E_NOT_HERE,
			       "rotate --store-key, but where the store is,");
	if ((!peer_is_node(call_peer(c)) ||
	     (e = acting_may(c, ACT_DEVICES, NULL, false)) == E_OK) &&
	    (!kept || (e = read_root(c, &root)) == E_OK))
		e = store_key_renew(c, kept ? &root.recovery : NULL);
	crypto_wipe(&root, sizeof(root));
	return e;
}

enum err
cmd_rotate(struct call *c)
{
	bool kept = call_option(c, "root") != NULL;
	struct peer *p = call_peer(c);
	struct identity *actor = acting_identity(c);
	struct root_file root;
	uint32_t had;
	enum err e;

	if (call_flag(c, "store-key"))
		return rotate_store_key(c);
	if (!peer_is_node(p) || actor == NULL)
		return why_set(call_why(c), E_NODE_ONLY, "rotate");
	if (p->above.known && p->above.twin)
		return why_set(call_why(c), E_NOT_HERE, "rotate, but at the office's first node,");
	memset(&root, 0, sizeof(root));
	had = p->home.key_no;
	if ((e = acting_may(c, ACT_DEVICES, NULL, false)) == E_OK &&
	    (!kept || (e = read_root(c, &root)) == E_OK)) {
		pthread_mutex_lock(&p->acting); /* nobody opens with a key that moves */
		e = office_keys_rotate(p, kept ? &root.root : NULL, kept ? &root.recovery : NULL,
				       actor, call_why(c));
		pthread_mutex_unlock(&p->acting);
	}
	crypto_wipe(&root, sizeof(root));
	if (p->home.key_no == had)
		return e;
	call_kept(c, "the office has key %u", p->home.key_no);
	call_after(c, e); /* it is the next one already, whatever became of the list in memory */
	if (call_json(c))
		call_out(c, "{\"key\":%u}\n", p->home.key_no);
	else
		call_out(
		    c,
		    "The office has key %u now. Devices seal to it from their next sync on; make a backup now.\n",
		    p->home.key_no);
	return E_OK;
}
