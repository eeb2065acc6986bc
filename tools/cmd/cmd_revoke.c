/* banyan revoke: shut out a device or a person. */
#include "core/crypto/crypto.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/node/acting.h"
#include "tools/node/enrol/enrol.h"

enum err
cmd_revoke(struct call *c)
{
	const char *name = call_arg(c, 0), *reason = call_option(c, "reason");
	struct principal_id shut_out;
	struct identity who;
	enum err e;

	if (!peer_is_node(call_peer(c)))
		return why_set(call_why(c), E_NODE_ONLY, "revoke");
	if (reason[0] == '\0' || !bytes_is_text(bytes_of_str(reason)))
		return why_set(call_why(c), E_USAGE, "--reason needs a few words on one line");
	if ((e = acting_may(c, ACT_DEVICES, NULL, false)) != E_OK ||
	    (e = acting_as(c, &who)) != E_OK)
		return e;
	e = enrol_revoke(call_peer(c), &who, name, reason, &shut_out, call_why(c));
	crypto_wipe(&who, sizeof(who));
	if (e == E_OK)
		call_kept(c, "\"%s\" is shut out", name);
	if (e == E_OK && call_json(c))
		call_out(c, "{\"revoked\":true}\n");
	else if (e == E_OK)
		call_out(
		    c,
		    "\"%s\" is shut out. What came from it before stays; what comes later is kept aside: see banyan "
		    "status.\n",
		    name);
	if (e == E_OK && peer_identity_by_id(call_peer(c), &shut_out) != NULL)
		call_note(
		    c, "%s\n",
		    "Who could copy this computer's disk may have the store's key and the office's: "
		    "banyan rotate STORE --store-key, and banyan rotate STORE.");
	return e;
}
