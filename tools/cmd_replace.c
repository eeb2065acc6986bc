/* banyan replace: a dead node's successor, from what was kept elsewhere. */
#include <string.h>

#include "core/backup.h"
#include "schemas/areas_table.h"
#include "tools/call_asked.h"
#include "tools/commands.h"
#include "tools/halfway.h"
#include "tools/json.h"
#include "tools/node/succeed.h"
#include "tools/relock.h"
#include "tools/root_file.h"

struct replacing {
	struct call *c;
	struct root_file root;
	struct succeed how;
	struct secret fresh;
	struct principal_id now; /* who the node is from now on */
};

static enum err
no_such_node(struct replacing *r)
{
	return why_set(call_why(r->c), E_PRINCIPAL_UNKNOWN, "the node %s", call_arg(r->c, 0));
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

/* NODE itself first; then all that this office had before, so that a device that missed one comes along too. */
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
		add_node(r, &whole); /* a file of an older version does not name it: a device's status does */
	if (r->how.count == 0)
		return no_such_node(r);
	for (i = 0; i < r->root.node_count; i++)
		add_node(r, &r->root.nodes[i]);
	return E_OK;
}

static enum err
from_backup(struct replacing *r, struct backup_info *info)
{
	struct unlock recovery = {.recovery = &r->root.recovery};
	struct call *c = r->c;
	struct identity *who;
	struct peer *p;
	enum err e;

	if ((e = backup_restore(call_option(c, "backup"), call_store_path(c), &recovery, NULL, info, call_why(c))) != E_OK)
		return e;
	if ((e = peer_open(&p, call_store_path(c), &recovery, call_why(c))) == E_OK) {
		if ((e = find_nodes(r, &peer_self(p)->id)) == E_OK &&
		    (e = peer_identity(p, call_option(c, "as"), &who, call_why(c))) == E_OK &&
		    (e = relock_alone(p, who, &r->fresh, call_why(c))) == E_OK && call_option(c, "new-key") != NULL)
			e = succeed_anew(p, &r->how, who, call_why(c));
		r->now = peer_self(p)->id;
		peer_close(p);
	}
	if (e != E_OK) { /* half a successor helps nobody, and what it was made from is still there */
		(void)keyring_wipe(call_store_path(c), NULL);
		halfway_remove(call_store_path(c));
	}
	return e;
}

static enum err
from_nothing(struct replacing *r)
{
	struct foundation f = {.programme = r->root.programme, .area = r->root.area, .officer = call_option(r->c, "officer"),
	                       .root = r->root.root, .recovery = r->root.recovery, .again = &r->how};
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
		return why_set(call_why(r->c), E_USAGE, "the root's FILE is of an older version: add the lines \"programme NAME\" and \"area CODE\" to it");
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
		call_out(r->c, "{\"node\":\"%s\",\"parcels\":%llu}\n", hex, (unsigned long long)info->arrival_last);
		return;
	}
	call_out(r->c, "The successor is in %s, with %llu parcels: node %s, noted in the root's file.\n"
	               "Serve it at the dead node's address; never let the old one run again.\n", call_store_path(r->c),
	         (unsigned long long)info->arrival_last, hex);
	if (backup)
		call_out(r->c, "Devices offer again what came after the backup, as they sync.\n");
	else
		call_out(r->c, "Add the forms again (form add). Who was enrolled comes back at the next sync and waits:\n"
		               "  banyan devices %s --approve NAME\n", call_store_path(r->c));
}

enum err
cmd_replace(struct call *c)
{
	const char *file = call_option(c, "root");
	bool backup = call_option(c, "backup") != NULL;
	struct backup_info info = {0};
	struct replacing r = {.c = c};
	enum err e;

	if (backup == (call_option(c, "areas") != NULL) || (!backup && call_option(c, "new-key") != NULL))
		return why_set(call_why(c), E_USAGE, "either --backup (and, if wanted, --new-key), or --areas");
	if ((e = root_file_read(&r.root, file, call_why(c))) != E_OK)
		return e;
	r.how.root = &r.root.root;
	r.how.recovery = &r.root.recovery;
	if ((e = call_new_secret(c, &r.fresh)) == E_OK)
		e = backup ? from_backup(&r, &info) : from_nothing(&r);
	if (e == E_OK && (r.root.node_count == 0 || !ID_EQUAL(&r.root.nodes[r.root.node_count - 1], &r.now)) &&
	    root_file_add(file, &r.now, NULL) != E_OK)
		call_note(c, "banyan replace: %s cannot be written: add a line to it by hand, the word node and the id below\n", file);
	if (e == E_OK) {
		call_kept(c, "the successor is in %s", call_store_path(c));
		tell(&r, &info);
	}
	crypto_wipe(&r, sizeof(r));
	return e;
}
