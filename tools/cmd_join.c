/* banyan join: make a store on this device with an invitation. */
#include <stdio.h>
#include <string.h>

#include "tools/call_asked.h"
#include "tools/commands.h"
#include "tools/halfway.h"
#include "tools/json.h"
#include "tools/node/link.h"

static void
tell(struct call *c, struct peer *p)
{
	struct identity *self = peer_self(p);
	struct writer w;

	if (call_json(c)) {
		writer_heap_init(&w, 4096);
		writer_str(&w, "{");
		json_key_str(&w, "programme", p->programme.name);
		json_key_str(&w, "name", self->name);
		json_key_str(&w, "role", role_name(self->role));
		json_key_str(&w, "area", self->area);
		json_key_bool(&w, "approved", p->approved);
		writer_str(&w, "}\n");
		call_out_bytes(c, writer_view(&w));
		writer_free(&w);
		return;
	}
	call_out(c, "Joined the programme \"%s\" as \"%s\" (%s) for the area %s.\n", p->programme.name, self->name,
	         role_name(self->role), self->area);
	if (!p->approved)
		call_out(c, "An officer must still let you in:  banyan devices STORE --approve \"%s\"\n", self->name);
}

/*
 * Only the node's own refusal is final. With any other failure, of the link, of memory or of this disk, the node may have let
 * us in already: the invitation is good once, and only for the keys that asked.
 */
static bool
is_final(enum err e)
{
	return e == E_INVITE_UNKNOWN || e == E_INVITE_USED || e == E_INVITE_EXPIRED || e == E_NAME_TAKEN ||
	       e == E_NODE_KEY || e == E_VERSION;
}

enum err
cmd_join(struct call *c)
{
	struct link_result result;
	struct invite invite;
	struct secret secret;
	struct unlock unlock;
	struct peer *p = NULL;
	bool joined = false, prepared = false;
	enum err e;

	if ((e = invite_decode(call_arg(c, 0), &invite, call_why(c))) != E_OK)
		return e;
	if ((e = call_new_secret(c, &secret)) == E_OK) {
		unlock = secret_unlock(&secret, NULL);
		e = enrol_prepare(&p, call_store_path(c), &unlock, &invite, call_why(c));
		prepared = e == E_OK;
		if (prepared && call_option(c, "officer") != NULL)
			(void)snprintf(p->officer, sizeof(p->officer), "%.*s", (int)NAME_BYTES_MAX,
			               call_option(c, "officer"));
	}
	if (e == E_OK) {
		e = link_join(p, &invite, &result, call_why(c));
		joined = p->home.key_no != 0;
	}
	if (joined) {
		call_kept(c, "%s is joined", call_store_path(c));
		tell(c, p);
	}
	peer_close(p);
	if (prepared && !joined && is_final(e))
		halfway_remove(call_store_path(c));
	invite_wipe(&invite);
	secret_wipe(&secret);
	return e;
}
