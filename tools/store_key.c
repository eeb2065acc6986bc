#include "tools/store_key.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/relock.h"

struct keeping {
	struct call *call;
	struct peer *peer;
	struct secret secrets[2]; /* of --also- */
	char names[RELOCK_MAX][KEYRING_NAME_BYTES_MAX + 1];
	enum keyring_kind kinds[RELOCK_MAX];
	struct unlock keep[RELOCK_MAX];
	size_t count;
	struct keyring_slot slots[KEYRING_SLOTS_MAX];
	size_t slot_count;
};

/* It must open the store now: a wrong passphrase would lock it for good. */
static enum err
keep_secret(struct keeping *g, const struct secret *s, const char *as)
{
	struct unlock how = secret_unlock(s, as);
	struct store_key key;
	size_t i;
	enum err e = keyring_open(g->peer->path, &how, &key, g->names[g->count], call_why(g->call));

	crypto_wipe(&key, sizeof(key));
	if (e != E_OK)
		return e;
	g->kinds[g->count] = s->kind == SECRET_KEY_FILE ? KEYRING_KEY_FILE : KEYRING_PASSPHRASE;
	for (i = 0; i < g->count; i++)
		if (g->kinds[i] == g->kinds[g->count] &&
		    strcmp(g->names[i], g->names[g->count]) == 0)
			return E_OK; /* the same, said twice */
	g->keep[g->count] = secret_unlock(s, g->names[g->count]);
	g->count++;
	return E_OK;
}

static enum err
keep_also(struct keeping *g, size_t which, const char *option)
{
	const char *path = call_option(g->call, option);
	struct unlock_from from = {.store = g->peer->path, .ignore_environment = true};
	enum err e;

	if (path == NULL)
		return E_OK;
	*(which == 0 ? &from.passphrase_file : &from.key_file) = path;
	if ((e = unlock_find(&g->secrets[which], &from, call_why(g->call))) != E_OK)
		return e;
	return keep_secret(g, &g->secrets[which], NULL);
}

static enum err
keep_recovery(struct keeping *g, const struct ec_key *recovery)
{
	size_t i;

	for (i = 0; i < g->slot_count && recovery == NULL; i++)
		if (g->slots[i].kind == KEYRING_RECOVERY)
			return why_set(
			    call_why(g->call), E_USAGE,
			    "give --root FILE, which init wrote: else its recovery key would not open the store any more");
	if (recovery == NULL)
		return E_OK;
	(void)snprintf(g->names[g->count], sizeof(g->names[0]), "recovery");
	g->kinds[g->count] = KEYRING_RECOVERY;
	g->keep[g->count] = (struct unlock){.name = g->names[g->count], .recovery = recovery};
	g->count++;
	return E_OK;
}

static bool
is_kept(const struct keeping *g, const struct keyring_slot *slot)
{
	size_t i;

	for (i = 0; i < g->count; i++)
		if (g->kinds[i] == slot->kind &&
		    (slot->kind == KEYRING_RECOVERY || strcmp(g->names[i], slot->name) == 0))
			return true;
	return false;
}

static void
tell(struct keeping *g)
{
	struct call *c = g->call;
	bool first = true;
	size_t i;

	call_out(
	    c,
	    call_json(c)
		? "{\"store_key\":true,\"locked_out\":["
		: "The store has a new key: who copied the old one, or an old keys file, opens nothing that is in it now.\n");
	for (i = 0; i < g->slot_count; i++) {
		if (is_kept(g, &g->slots[i]))
			continue;
		if (call_json(c)) {
			struct writer w;

			writer_heap_init(&w, 1024);
			json_str(&w, g->slots[i].name);
			call_out(c, "%s%s", first ? "" : ",",
				 writer_end(&w) == E_OK ? (const char *)w.p : "null");
			writer_free(&w);
		} else if (g->slots[i].kind == KEYRING_PASSPHRASE) {
			call_out(
			    c,
			    "The passphrase of \"%s\" no longer opens it: banyan passphrase STORE --add-officer \"%s\"\n",
			    g->slots[i].name, g->slots[i].name);
		} else {
			call_out(c, "A key file%s%s no longer opens it.\n",
				 g->slots[i].name[0] == '\0' ? "" : " of ", g->slots[i].name);
		}
		first = false;
	}
	call_out(
	    c,
	    call_json(c)
		? "]}\n"
		: "Make a backup now, and destroy older ones when you can: they are under the old key.\n");
}

static void
progress(void *arg, uint64_t done, uint64_t total)
{
	call_progress(arg, "sealing anew", done, total);
}

static enum err
renew(struct keeping *g, const struct ec_key *recovery)
{
	struct peer *p = g->peer;
	enum err e;

	if (call_secret(g->call)->kind == SECRET_NONE ||
	    call_secret(g->call)->kind == SECRET_RECOVERY)
		return why_set(call_why(g->call), E_USAGE,
			       "a passphrase or key file must open the store for this");
	if ((e = keyring_list(p->path, store_key_of(p->store), g->slots, &g->slot_count,
			      call_why(g->call))) != E_OK ||
	    (e = keep_secret(g, call_secret(g->call), call_option(g->call, "as"))) != E_OK ||
	    (e = keep_also(g, 0, "also-passphrase-file")) != E_OK ||
	    (e = keep_also(g, 1, "also-key-file")) != E_OK ||
	    (e = keep_recovery(g, recovery)) != E_OK)
		return e;
	pthread_mutex_lock(&p->acting);
	e = relock_store(p, g->keep, g->count, progress, g->call, call_why(g->call));
	pthread_mutex_unlock(&p->acting);
	return e == E_OK ? acting_audit(g->call, "rotate", "the store's key", "") : e;
}

enum err
store_key_renew(struct call *c, const struct ec_key *recovery)
{
	struct keeping *g = calloc(1, sizeof(*g));
	enum err e;

	if (g == NULL)
		return E_NO_MEMORY;
	g->call = c;
	g->peer = call_peer(c);
	if ((e = renew(g, recovery)) == E_OK)
		tell(g);
	crypto_wipe(g, sizeof(*g));
	free(g);
	return e;
}
