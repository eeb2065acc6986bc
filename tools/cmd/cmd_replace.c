/* banyan replace: a dead node's successor, from what was kept elsewhere. */
#include <string.h>

#include "core/store/backup.h"
#include "schemas/areas_table.h"
#include "tools/call/call_asked.h"
#include "tools/commands.h"
#include "tools/halfway.h"
#include "tools/json.h"
#include "tools/node/enrol/succeed.h"
#include "tools/relock.h"
#include "tools/root_file.h"
#include "tools/successor_file.h"

struct replacing {
	struct call *c;
	struct root_file root;
	struct succeed how;
	struct secret fresh;
	struct principal_id now; /* who the node is from now on */
	struct unlock unlock;    /* of the backup */
	const char *file;        /* what was kept elsewhere; NULL: a passphrase opens the backup */
	bool below;              /* an office further down: the root is somewhere else */
	char asks[SUCCESSOR_PATH_BYTES]; /* the file in which it asks for the root's word; "": it
					    needs none */
};

static enum err
no_such_node(struct replacing *r)
{
	return why_set(call_why(r->c), E_ABSENT,
		       "node \"%s\" (the line \"node\" of the file names it)", call_arg(r->c, 0));
}

static void
add_node(struct replacing *r, const struct principal_id *id)
{
	size_t i;

	for (i = 0; i < r->how.count; i++)
		if (ID_EQUAL(&r->how.nodes[i], id))
			return;
	if (r->how.count < SUCCESSION_NODES_MAX)
		r->how.nodes[r->how.count++] = *id;
}

static bool
begins_so(const struct principal_id *id, const char *digits)
{
	char hex[2 * ID_BYTES + 1];
	size_t n = strlen(digits);

	hex_encode(hex, id->b, ID_BYTES);
	return n >= 8 && n < sizeof(hex) && strncmp(hex, digits, n) == 0;
}

/* NODE itself first; then all that this office had before, so that a device that missed one comes
 * along too. */
static enum err
find_nodes(struct replacing *r, const struct principal_id *in_backup)
{
	const char *named = call_arg(r->c, 0);
	struct principal_id whole;
	size_t i;

	if (in_backup != NULL && begins_so(in_backup, named))
		add_node(r, in_backup);
	for (i = 0; i < r->root.node_count; i++)
		if (begins_so(&r->root.nodes[i], named))
			add_node(r, &r->root.nodes[i]);
	if (r->how.count == 0 && in_backup == NULL && strlen(named) == 2 * ID_BYTES &&
	    hex_decode(whole.b, ID_BYTES, named) == E_OK)
		add_node(r, &whole); /* a file of an older version does not name it: a device's
					status does */
	if (r->how.count == 0)
		return no_such_node(r);
	for (i = r->root.node_count; i-- > 0;) /* of too many, the newest */
		add_node(r, &r->root.nodes[i]);
	return E_OK;
}

/* Who keeps no file has the last word of the root in the backup: the nodes that this one followed
 * itself. */
static void
nodes_in_store(struct replacing *r, struct peer *p)
{
	struct succession had;
	size_t i;

	succeed_wanted(p, &had);
	for (i = 0; i < had.count; i++)
		add_node(r, &had.nodes[i]);
}

static enum err
anew(struct replacing *r, struct peer *p, const struct identity *who)
{
	enum err e;

	if (r->below && !p->above.known)
		return why_set(call_why(r->c), E_USAGE,
			       "the office that began the programme needs --root FILE");
	if (!r->below && p->above.known)
		return why_set(
		    call_why(r->c), E_USAGE,
		    "an office below another one: without --root; the root's word comes afterwards");
	if (r->below)
		nodes_in_store(r, p);
	e = succeed_anew(p, &r->how, who, call_why(r->c));
	return e == E_OK && r->below ? successor_ask(r->asks, call_store_path(r->c), p,
						     r->how.nodes, r->how.count, call_why(r->c))
				     : e;
}

static enum err
from_backup(struct replacing *r, struct backup_info *info)
{
	struct call *c = r->c;
	struct identity *who;
	struct peer *p;
	enum err e;

	if ((e = backup_restore(call_option(c, "backup"), call_store_path(c), &r->unlock, NULL,
				info, call_why(c))) != E_OK)
		return e;
	if ((e = peer_open(&p, call_store_path(c), &r->unlock, call_why(c))) == E_OK) {
		if ((e = find_nodes(r, &peer_self(p)->id)) == E_OK &&
		    (e = peer_identity(p, call_option(c, "as"), &who, call_why(c))) == E_OK &&
		    (e = relock_alone(p, who, &r->fresh, call_why(c))) == E_OK &&
		    call_option(c, "new-key") != NULL)
			e = anew(r, p, who);
		r->now = peer_self(p)->id;
		peer_close(p);
	}
	if (e !=
	    E_OK) { /* half a successor helps nobody, and what it was made from is still there */
		(void)keyring_wipe(call_store_path(c), NULL);
		halfway_remove(call_store_path(c));
	}
	return e;
}

static enum err
from_nothing(struct replacing *r)
{
	struct foundation f = {.programme = r->root.programme,
			       .area = r->root.area,
			       .officer = call_option(r->c, "officer"),
			       .root = r->root.root,
			       .recovery = r->root.recovery,
			       .again = &r->how};
	struct areas_table table;
	struct unlock unlock;
	struct peer *p = NULL;
	struct writer areas;
	struct arena arena;
	struct bytes csv;
	enum err e;

	if (f.officer == NULL)
		f.officer = "officer";
	if (r->root.area[0] == '\0' || r->root.programme[0] == '\0')
		return why_set(
		    call_why(r->c), E_USAGE,
		    "the root's FILE is of an older version: add the lines \"programme NAME\" and \"area CODE\" to it");
	if ((e = find_nodes(r, NULL)) != E_OK || (e = call_input(r->c, "areas", &csv)) != E_OK)
		return e;
	arena_init(&arena, 256u << 20);
	writer_heap_init(&areas, CONTROL_PLAIN_BYTES_MAX);
	unlock = secret_unlock(&r->fresh, f.officer);
	if ((e = areas_table_parse(csv, &arena, &table, call_why(r->c))) == E_OK &&
	    (e = areas_table_pack(&table, &areas)) == E_OK) {
		f.areas = writer_view(&areas);
		e = enrol_found(&p, call_store_path(r->c), &unlock, &f, call_why(r->c));
	}
	peer_close(p);
	r->now = f.node;
	writer_free(&areas);
	arena_free(&arena);
	crypto_wipe(&f, sizeof(f));
	return e;
}

static void
tell(struct replacing *r, const struct backup_info *info)
{
	bool backup = call_option(r->c, "backup") != NULL;
	char hex[2 * ID_BYTES + 1];

	hex_encode(hex, r->now.b, ID_BYTES);
	if (call_json(r->c)) {
		call_out(r->c, "{\"node\":\"%s\",\"parcels\":%llu}\n", hex,
			 (unsigned long long)info->arrival_last);
		return;
	}
	call_out(r->c,
		 "The successor is in %s, with %llu parcels: node %s%s.\n"
		 "Serve it at the dead node's address; never let the old one run again.\n",
		 call_store_path(r->c), (unsigned long long)info->arrival_last, hex,
		 r->file == NULL ? ""
		 : r->below      ? ", noted in the recovery file"
				 : ", noted in the root's file");
	if (r->asks[0] != '\0')
		call_out(
		    r->c,
		    "Before that it needs two words:\n"
		    "- %s goes to whoever keeps the programme's root, who answers with a file (banyan vouch):\n"
		    "  banyan replace %s %s --word FILE\n"
		    "- the office above invites it (--role node, for this office's area, under another name), approves it, and\n"
		    "  revokes the dead node:  banyan join %s banyan1:...\n",
		    r->asks, call_store_path(r->c), call_arg(r->c, 0), call_store_path(r->c));
	if (backup)
		call_out(r->c, "Devices offer again what came after the backup, as they sync.\n");
	else
		call_out(
		    r->c,
		    "Add the forms again (form add). Who was enrolled comes back at the next sync and waits:\n"
		    "  banyan devices %s --approve NAME\n",
		    call_store_path(r->c));
}

/* The root's word came: devices that ask are shown it. */
static enum err
take_word(struct replacing *r, const char *file)
{
	struct call *c = r->c;
	struct succession m;
	struct writer statement;
	struct peer *p = NULL;
	enum err e;

	if ((e = call_find_secret(c)) != E_OK)
		return e;
	r->unlock = secret_unlock(call_secret(c), NULL);
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	if ((e = successor_word_read(file, &statement, call_why(c))) == E_OK &&
	    (e = peer_open(&p, call_store_path(c), &r->unlock, call_why(c))) == E_OK &&
	    (e = succeed_word(p, writer_view(&statement), &m, call_why(c))) == E_OK) {
		call_kept(c, "the root's word is in %s", call_store_path(c));
		if (call_json(c))
			call_out(c, "{\"nodes\":%u}\n", (unsigned)m.count);
		else
			call_out(
			    c,
			    "Devices of the dead node take this one for its successor now. Serve it at the same address.\n");
	}
	peer_close(p);
	writer_free(&statement);
	return e;
}

/* What opens the backup, and who the nodes before were. */
static enum err
take_file(struct replacing *r)
{
	struct call *c = r->c;
	enum err e;

	r->below = call_option(c, "root") == NULL;
	r->file = r->below ? call_option(c, "recovery") : call_option(c, "root");
	if (r->file ==
	    NULL) { /* one that joined with an older version: its passphrase opens the backup */
		if ((e = call_find_secret(c)) == E_OK)
			r->unlock = secret_unlock(call_secret(c), NULL);
		return e;
	}
	if ((e = root_file_read(&r->root, r->file, call_why(c))) != E_OK)
		return e;
	if (!r->below && !root_file_has_root(&r->root))
		return why_set(call_why(c), E_ROOT_FILE, "%s", r->file);
	r->unlock = (struct unlock){.recovery = &r->root.recovery};
	r->how.root = r->below ? NULL : &r->root.root;
	r->how.recovery = &r->root.recovery;
	return E_OK;
}

enum err
cmd_replace(struct call *c)
{
	bool backup = call_option(c, "backup") != NULL, areas = call_option(c, "areas") != NULL;
	struct backup_info info = {0};
	struct replacing r = {.c = c};
	enum err e;

	if (call_option(c, "word") != NULL)
		return take_word(&r, call_option(c, "word"));
	if (backup == areas || (!backup && call_option(c, "new-key") != NULL) ||
	    (areas && call_option(c, "root") == NULL))
		return why_set(
		    call_why(c), E_USAGE,
		    "either --backup (and, if wanted, --new-key), or --root and --areas, or --word");
	if ((e = take_file(&r)) == E_OK && (e = call_new_secret(c, &r.fresh)) == E_OK)
		e = backup ? from_backup(&r, &info) : from_nothing(&r);
	if (e == E_OK && r.file != NULL &&
	    (r.root.node_count == 0 || !ID_EQUAL(&r.root.nodes[r.root.node_count - 1], &r.now)) &&
	    root_file_add(r.file, &r.now, NULL) != E_OK)
		call_note(
		    c,
		    "banyan replace: %s cannot be written: add a line to it by hand, the word node and the id below\n",
		    r.file);
	if (e == E_OK) {
		call_kept(c, "the successor is in %s", call_store_path(c));
		tell(&r, &info);
	}
	crypto_wipe(&r, sizeof(r));
	return e;
}
