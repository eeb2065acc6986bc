/* banyan join: make a store on this device with an invitation. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/call/call_asked.h"
#include "tools/commands.h"
#include "tools/halfway.h"
#include "tools/json.h"
#include "tools/node/enrol/enrol_node.h"
#include "tools/node/link/link.h"
#include "tools/root_file.h"
#include "tools/successor_file.h"

/* `name`: what whoever invited calls this store, which an office that was there already need not
 * call itself. */
static void
tell(struct call *c, struct peer *p, const char *name, const char *recovery)
{
	struct identity *self = peer_self(p);
	struct writer w;

	if (call_json(c)) {
		writer_heap_init(&w, 4096);
		writer_str(&w, "{");
		json_key_str(&w, "programme", p->programme.name);
		json_key_str(&w, "name", name);
		json_key_str(&w, "role", role_name(self->role));
		json_key_str(&w, "area", self->area);
		json_key_bool(&w, "approved", p->approved);
		if (recovery[0] != '\0')
			json_key_str(&w, "recovery", recovery);
		writer_str(&w, "}\n");
		call_out_bytes(c, writer_view(&w));
		writer_free(&w);
		return;
	}
	call_out(c, "Joined the programme \"%s\" as \"%s\" (%s) for the area %s.\n",
		 p->programme.name, name, role_name(self->role), self->area);
	if (recovery[0] != '\0' && p->above.twin)
		call_out(
		    c,
		    "Its recovery key is in %s: keep that file elsewhere, and delete it here. It opens this node's backups when all\n"
		    "passphrases are forgotten.\n",
		    recovery);
	else if (recovery[0] != '\0')
		call_out(
		    c,
		    "Its recovery key is in %s.\n"
		    "Keep that file elsewhere, on paper or a stick in a safe, and delete it here: it opens the backups of this\n"
		    "office when all passphrases are forgotten, and makes its successor when the computer is gone.\n",
		    recovery);
	if (!p->approved)
		call_out(
		    c,
		    "An officer there must still let you in:  banyan devices STORE --approve \"%s\"\nThen, here:  banyan sync %s\n",
		    name, call_store_path(c));
}

/*
 * Only the node's own refusal is final. With any other failure, of the link, of memory or of this
 * disk, the node may have let us in already: the invitation is good once, and only for the keys
 * that asked.
 */
static bool
is_final(enum err e)
{
	return e == E_INVITE_UNKNOWN || e == E_INVITE_USED || e == E_INVITE_EXPIRED ||
	       e == E_NAME_TAKEN || e == E_NODE_KEY || e == E_VERSION;
}

/* An office's recovery key, written down before its store appears. */
struct keeping {
	struct call *c;
	char path[ROOT_PATH_BYTES]; /* "": nothing was written */
};

static enum err
keep_recovery(void *ctx, const struct ec_key *key, const struct identity *node)
{
	struct keeping *k = ctx;
	struct root_file f = {.recovery = *key, .nodes = {node->id}, .node_count = 1};
	enum err e;

	memcpy(f.area, node->area, sizeof(f.area));
	e = root_file_create(k->path, call_option(k->c, "recovery-out"), call_store_path(k->c),
			     ".recovery", &f, call_why(k->c));
	if (e != E_OK)
		k->path[0] = '\0';
	crypto_wipe(&f, sizeof(f));
	return e;
}

/* An office that was there before: its keys out of the kept file. */
static enum err
take_kept(struct call *c, const struct invite *invite, struct root_file *kept, struct recovery *r)
{
	const char *file = call_option(c, "recovery");
	enum err e;

	if (file == NULL)
		return E_OK;
	if ((e = root_file_read(kept, file, call_why(c))) != E_OK)
		return e;
	if (invite->role != ROLE_NODE || strcmp(kept->area, invite->area) != 0 ||
	    kept->node_count == 0)
		return why_set(call_why(c), E_USAGE,
			       "--recovery FILE is of the office for %s, and the invitation for %s",
			       kept->area, invite->area);
	*r = (struct recovery){.key = kept->recovery, .again = true};
	return E_OK;
}

/* It asks for the root's word that it follows the nodes that the file names, and is noted there. */
static enum err
ask(struct call *c, struct peer *p, const struct root_file *kept)
{
	char path[SUCCESSOR_PATH_BYTES];
	enum err e =
	    successor_ask(path, call_store_path(c), p, kept->nodes, kept->node_count, call_why(c));

	if (e == E_OK && !call_json(c))
		call_out(
		    c,
		    "%s goes to whoever keeps the programme's root, who answers with a file (banyan vouch); then\n"
		    "  banyan replace %s NODE --word FILE\n",
		    path, call_store_path(c));
	return e == E_OK ? root_file_add(call_option(c, "recovery"), &peer_self(p)->id, call_why(c))
			 : e;
}

static enum err
prepare(struct call *c, struct peer **p, const struct unlock *unlock, const struct invite *invite,
	struct recovery *r)
{
	if (invite->role != ROLE_NODE)
		return enrol_prepare(p, call_store_path(c), unlock, invite, call_why(c));
	return enrol_prepare_office(p, call_store_path(c), unlock, invite, r, call_why(c));
}

/* An office that is there already, and gets another one above it. *adopted: so it was, whatever
 * became of it. */
static enum err
adopt(struct call *c, const struct invite *invite, bool *adopted)
{
	struct link_result result;
	struct unlock unlock;
	char keys[1024];
	struct peer *p;
	enum err e;

	*adopted = false;
	(void)snprintf(keys, sizeof(keys), "%s/keys", call_store_path(c));
	if (invite->role != ROLE_NODE || access(keys, F_OK) != 0)
		return E_OK;
	if ((e = call_find_secret(c)) != E_OK)
		return e;
	unlock = secret_unlock(call_secret(c), NULL);
	if ((e = peer_open(&p, call_store_path(c), &unlock, call_why(c))) != E_OK)
		return e;
	*adopted = p->home.key_no != 0 && peer_is_node(p);
	if (*adopted && (e = enrol_adopt_may(p, invite, call_why(c))) == E_OK &&
	    (e = link_join(p, invite, &result, call_why(c))) == E_OK) {
		call_kept(c, "%s is below another office", call_store_path(c));
		if (!call_json(c))
			call_out(c, "The office for %s is below the office for %s now.\n",
				 p->home.area, p->above.area);
		tell(c, p, invite->name, "");
	}
	peer_close(p);
	return e;
}

enum err
cmd_join(struct call *c)
{
	struct link_result result;
	struct invite invite;
	struct secret secret;
	struct unlock unlock;
	struct peer *p = NULL;
	struct keeping keeping = {.c = c};
	struct recovery recovery = {.keep = keep_recovery, .ctx = &keeping};
	bool joined = false, prepared = false, adopted;
	struct root_file kept = {.node_count = 0};
	enum err e;

	if ((e = invite_decode(call_arg(c, 0), &invite, call_why(c))) != E_OK)
		return e;
	if ((e = adopt(c, &invite, &adopted)) != E_OK || adopted) {
		invite_wipe(&invite);
		return e;
	}
	memset(&secret, 0, sizeof(secret));
	if ((e = take_kept(c, &invite, &kept, &recovery)) == E_OK &&
	    (e = call_new_secret(c, &secret)) == E_OK) {
		unlock = secret_unlock(&secret, NULL);
		e = prepare(c, &p, &unlock, &invite, &recovery);
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
		tell(c, p, peer_self(p)->name, keeping.path);
		if (recovery.again && !p->above.twin)
			call_after(c, ask(c, p, &kept));
	}
	peer_close(p);
	if (prepared && !joined && is_final(e))
		halfway_remove(call_store_path(c));
	if (keeping.path[0] != '\0' && (!prepared || (!joined && is_final(e))))
		(void)unlink(keeping.path);
	crypto_wipe(&recovery, sizeof(recovery));
	crypto_wipe(&kept, sizeof(kept));
	invite_wipe(&invite);
	secret_wipe(&secret);
	return e;
}
