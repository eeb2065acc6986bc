/* What the officer does at the node: forms, areas, reviews, revocations, backups. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/store/backup.h"
#include "schemas/areas_table.h"
#include "schemas/xlsform.h"
#include "tests/sim/real.h"
#include "tools/node/down/down.h"
#include "tools/node/opener/opener.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"
#include "tools/node/outbox/revise.h"
#include "tools/node/signer.h"

/* V1 ... are the devices' villages; V999 is in another district. */
static const char areas_csv[] =
    "code,parent,level,name\nP,,province,P\nD1,P,district,One\nD2,P,district,Two\nV999,D2,village,Far\n"
    "V1,D1,village,1\nV2,D1,village,2\nV3,D1,village,3\nV4,D1,village,4\nV5,D1,village,5\nV6,D1,village,6\n"
    "V7,D1,village,7\nV8,D1,village,8\n";
static const char form_md[] =
    "| survey | | | | |\n| | type | name | label | bind::banyan:class |\n"
    "| | text | name | Name | D |\n| | text | mother | Mother | D |\n| | text | phone | Phone | D |\n"
    "| | text | note | Note | S |\n| | text | plan | Plan | S |\n| | text | need | Need | S |\n"
    "| settings | | | |\n| | form_id | version | form_title |\n| | N | %u | N |\n";

static struct identity *
officer(struct world *w)
{
	return &w->node.real->peer->identities[1];
}

/* The same form, as version `version`. */
static enum err
add_form(struct world *w, unsigned version, struct why *why)
{
	struct real_node *n = w->node.real;
	struct xlsform_report report = {0};
	struct writer xform, bundle;
	char md[sizeof(form_md) + 16];
	bool already;
	enum err e;

	(void)snprintf(md, sizeof(md), form_md, version);
	writer_heap_init(&xform, 1u << 20);
	writer_heap_init(&bundle, 1u << 20);
	if ((e = xlsform_convert(&xform, bytes_of_str(md), XLSFORM_MD, REAL_FORM, &report, NULL)) ==
		E_OK &&
	    (e = form_bundle_write(&bundle, writer_view(&xform), NULL, 0)) == E_OK)
		e = down_add_form(n->peer, &officer(w)->id, writer_view(&bundle), &already, why);
	writer_free(&bundle);
	writer_free(&xform);
	xlsform_report_free(&report);
	return e;
}

bool
real_office_begin(struct world *w)
{
	struct foundation f = {.programme = "Simulated", .area = "D1", .officer = "officer"};
	struct real_node *n = w->node.real;
	struct unlock unlock = real_unlock();
	struct why why = {.e = E_OK};
	struct areas_table table;
	struct writer areas;
	struct arena arena;
	enum err e;

	arena_init(&arena, 1u << 20);
	writer_heap_init(&areas, 1u << 20);
	if ((e = areas_table_parse(BYTES_LIT(areas_csv), &arena, &table, &why)) == E_OK &&
	    (e = areas_table_pack(&table, &areas)) == E_OK) {
		f.areas = n->areas = world_keep(w, writer_view(&areas));
		e = enrol_found(&n->peer, n->path, &unlock, &f, &why);
	}
	if (e == E_OK)
		e = add_form(w, n->forms = 1, &why);
	writer_free(&areas);
	arena_free(&arena);
	n->root = f.root;
	n->recovery = f.recovery;
	crypto_wipe(&f.root, sizeof(f.root));
	crypto_wipe(&f.recovery, sizeof(f.recovery));
	n->keys = e == E_OK ? n->peer->home.key_no : 0;
	if (e != E_OK)
		sim_fail(w, "no office: %s %s", err_name(e), why.thing);
	return e == E_OK;
}

/* Something for everyone: the area table once more, now and then a version of the form. */
void
real_office_say(struct world *w)
{
	struct real_node *n = w->node.real;
	struct why why = {.e = E_OK};
	enum err e;

	if (!w->node.up || n->peer == NULL)
		return;
	real_act(w, NULL);
	e = chance(200) ? add_form(w, ++n->forms, &why)
			: down_add_areas(n->peer, &officer(w)->id, n->areas, &why);
	if (e != E_OK && e != E_STORE_FULL && !n->crashing)
		sim_fail(w, "the node cannot speak: %s %s", err_name(e), why.thing);
	real_node_after(w);
}

/* ---- reviews ---- */

/* A record that is here, and the heads that a review of it must know. */
static bool
pick(struct world *w, struct record_id *id, char area[AREA_CODE_BYTES_MAX + 1],
     struct revision_body *body)
{
	struct record_merged merged;
	struct record_row row;
	struct store_txn *txn;
	struct arena a;
	bool found;

	if (w->truth_n == 0)
		return false;
	*id = w->truth[draw_below(w->truth_n)].record;
	if (store_read_begin(w->node.real->peer->store, &txn) != E_OK)
		return false;
	arena_init(&a, 16u << 20);
	found = record_merged(txn, id, &a, &merged) == E_OK &&
		record_state(w->node.real->peer, id, &merged, &a, &row) == E_OK &&
		row.head_count > 0;
	if (found) {
		body->form = row.form;
		body->parent_count = row.head_count;
		memcpy(body->parents, row.heads, row.head_count * sizeof(row.heads[0]));
		memcpy(area, row.area, AREA_CODE_BYTES_MAX + 1);
	}
	arena_free(&a);
	store_read_end(txn);
	return found;
}

/* As `banyan review`: sealed to this office, gathered, opened; the author's device gets a notice.
 */
void
real_office_review(struct world *w)
{
	struct peer *p = w->node.real->peer;
	struct revision_body body = {.kind = REVISION_REVIEW,
				     .state = REVIEW_HAS_ISSUES,
				     .text = BYTES_LIT("which village?")};
	char area[AREA_CODE_BYTES_MAX + 1];
	struct why why = {.e = E_OK};
	struct revision_id done;
	struct record_id id;
	struct sealer sealer;
	size_t parcels;
	enum err e;

	if (!pick(w, &id, area, &body))
		return;
	body.time_s = peer_now_s(p);
	sealer_init(&sealer, p, officer(w));
	pthread_mutex_lock(&p->acting);
	if ((e = signer_gather(p, &why)) == E_OK &&
	    (e = outbox_revise(&sealer, &id, area, &body, &done, &why)) == E_OK &&
	    (e = outbox_gather(p, officer(w), &parcels, &why)) == E_OK)
		e = opener_all(p, &why);
	pthread_mutex_unlock(&p->acting);
	sealer_wipe(&sealer);
	if (e != E_OK && e != E_STORE_FULL && !w->node.real->crashing)
		sim_fail(w, "the officer cannot review: %s %s", err_name(e), why.thing);
}

/* ---- shutting out ---- */

static bool
is_revoked(struct world *w, const struct principal *who)
{
	struct store_txn *txn;
	struct member m;
	bool revoked = false;

	if (store_read_begin(w->node.real->peer->store, &txn) != E_OK)
		return false;
	real_bugs(NULL); /* one that is planted must not deceive this */
	revoked = member_get(txn, &who->id, &m) == E_OK && m.state == MEMBER_REVOKED;
	real_bugs(w);
	store_read_end(txn);
	return revoked;
}

static void
shut_out(struct world *w, struct principal *who)
{
	struct principal_id id;
	struct why why = {.e = E_OK};
	enum err e = enrol_revoke(w->node.real->peer, officer(w), who->name, "lost", &id, &why);

	if (e != E_OK && e != E_STORE_FULL && e != E_PRINCIPAL_UNKNOWN && !w->node.real->crashing)
		sim_fail(w, "a device cannot be revoked: %s %s", err_name(e), why.thing);
}

void
real_office_revoke(struct world *w, struct principal *who)
{
	size_t i;

	if (who->revoked || !w->node.up || w->node.real->peer == NULL)
		return;
	real_act(w, NULL);
	shut_out(w, who);
	who->revoked = is_revoked(w, who);
	if (who->revoked)
		sim_say(w, "principal %zu is revoked", (size_t)(who - w->principal));
	for (i = 0; who->revoked && i < w->device_n; i++) /* the daemon's forget() */
		if (w->device[i].who == who && w->device[i].conn != NULL)
			conn_kill(w->device[i].conn, "the device was revoked");
	real_act(w, NULL);
	real_node_after(w);
}

/* After a restore from before: the officer knows who was shut out since, and has the forms that
 * were added. */
void
real_office_again(struct world *w)
{
	struct real_node *n = w->node.real;
	struct why why = {.e = E_OK};
	unsigned version;
	enum err e = E_OK;
	size_t i;

	real_calm(1);
	for (version = 1; n->put_back && e == E_OK && version <= n->forms; version++)
		e = add_form(w, version, &why);
	real_calm(-1);
	if (e != E_OK)
		sim_fail(w, "a form cannot be added again: %s %s", err_name(e), why.thing);
	n->put_back = false;
	if (w->on[FAULT_ROTATE] || n->keys > 1)
		real_keys_again(w);
	for (i = 0; i < w->principal_n; i++)
		if (w->principal[i].revoked && !is_revoked(w, &w->principal[i])) {
			real_calm(1);
			shut_out(w, &w->principal[i]);
			real_calm(-1);
		}
}

/* ---- backups ---- */

/* Before everyone has joined there is none: who joins after a backup must be invited again when it
 * is put back. */
static bool
all_joined(const struct world *w)
{
	size_t i;

	for (i = 0; i < w->device_n; i++)
		if (w->device[i].sessions == 0 || w->device[i].verified_sessions == 0)
			return false;
	for (i = DEVICES_MAX; i < DEVICES_MAX + w->other_n; i++)
		if (w->device[i].verified_sessions == 0)
			return false;
	return true;
}

void
real_office_backup(struct world *w)
{
	struct real_node *n = w->node.real;
	char path[REAL_PATH_MAX + 8];
	struct backup_info info;
	struct why why = {.e = E_OK};
	bool whole;
	enum err e;

	if (!w->node.up || n->peer == NULL || !(w->node.has_backup || all_joined(w)))
		return;
	real_act(w, NULL);
	(void)snprintf(path, sizeof(path), "%s.new", n->backup);
	real_remove(path);
	e = backup_write(n->peer->store, path, &info, &why);
	/* it may be whole, and known to be, though the machine stopped before that was said */
	whole = access(path, F_OK) == 0;
	if (whole && w->node.has_backup && w->on[FAULT_OLDER_BACKUP]) {
		if (n->has_older) {
			real_remove(n->oldest);
			n->has_oldest = rename(n->older, n->oldest) == 0;
		}
		n->has_older = rename(n->backup, n->older) == 0;
	}
	if (whole && rename(path, n->backup) == 0) {
		w->node.has_backup = true;
		if (w->on[FAULT_SNAPSHOT] || w->bug == BUG_EPOCH_KEPT)
			real_copy(w, n->path, n->snapshot);
	} else if (e != E_STORE_FULL && !n->crashing) {
		sim_fail(w, "no backup: %s %s", err_name(e), why.thing);
	}
	real_node_after(w);
}

void
real_office_restore(struct world *w, bool new_incarnation)
{
	struct real_node *n = w->node.real;
	struct unlock unlock = real_unlock();
	struct backup_info info;
	struct why why = {.e = E_OK};
	struct store *store;
	bool older = new_incarnation && n->has_older && w->on[FAULT_OLDER_BACKUP] && chance(500);
	bool oldest = older && n->has_oldest && chance(400);
	enum err e = E_OK;

	if (!w->node.has_backup)
		return;
	node_crash(w, "for good");
	sim_say(w, "the node is put back from %s%s",
		oldest  ? "a much older backup"
		: older ? "an older backup"
			: "a backup",
		new_incarnation ? "" : ", without a new incarnation");
	w->node.much_older |= oldest;
	real_act(w, NULL);
	real_remove(n->path);
	real_calm(1);
	if (new_incarnation && w->bug != BUG_EPOCH_KEPT) {
		e = backup_restore(oldest  ? n->oldest
				   : older ? n->older
					   : n->backup,
				   n->path, &unlock, NULL, &info, &why);
		e = e == E_OK && w->orders > 0 ? real_obey(n->path, &unlock, &why) : e;
	} else
		real_copy(w, n->snapshot, n->path);
	mirror_node_forget(w);
	if (e == E_OK && (e = store_open(n->path, &unlock, NULL, &store, &why)) == E_OK) {
		mirror_node(w, store);
		real_erase_said(w, store, NULL);
		store_close(store);
	}
	real_calm(-1);
	if (e != E_OK)
		sim_fail(w, "the node cannot be restored: %s %s", err_name(e), why.thing);
	n->put_back = true;
	w->node.restores++;
	w->node.rolled_back |= !new_incarnation;
	check_after_restore(w, NULL);
}
