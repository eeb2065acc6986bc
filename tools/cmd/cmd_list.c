/* banyan list: the records that one may read. */
#include <stdio.h>
#include <string.h>

#include "core/store/audit.h"
#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/outbox/outbox.h"
#include "tools/node/records/records.h"
#include "tools/node/records/view.h"

struct listing {
	struct call *c;
	struct peer *peer;
	struct enrolment who;
	bool identifying;
	uint64_t shown, identified;
};

static enum err
list_row(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct listing *l = arg;
	struct view_record v;
	enum err e;

	if (!view_in_scope(l->peer, &l->who, row->area))
		return E_OK;
	l->shown++;
	if ((e = view_of_row(l->peer, txn, row, &v)) != E_OK)
		return e;
	v.identifying = l->identifying;
	l->identified += l->identifying && view_has_identifying(row);
	if (call_json(l->c))
		view_json_line(l->c, &v, row);
	else
		view_text_line(l->c, &v);
	return E_OK;
}

/* What a member's own device remembers: never an answer. */
static enum err
list_own(struct listing *l, struct store_txn *txn, const char *form)
{
	struct store_cursor *c;
	struct bytes key, value;
	uint64_t acked, safe;
	enum err e, e2;

	if ((e = outbox_marks(l->peer, txn, &acked, &safe)) != E_OK ||
	    (e = store_walk(txn, STORE_OWN_RECORD, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct own_record own;
		struct form_entry *f;
		struct view_record v;

		if ((e = own_record_read(key, value, &own)) != E_OK)
			break;
		f = peer_form_by_key(l->peer, own.form);
		if (f == NULL || strcmp(form_id(f->form), form) != 0)
			continue;
		view_of_own(l->peer, &own, acked, safe, &v);
		l->shown++;
		if (call_json(l->c))
			view_json_line(l->c, &v, NULL);
		else
			view_text_line(l->c, &v);
	}
	e2 = store_walk_end(c);
	return e != E_OK ? e : e2;
}

static enum err
audit_job(struct store_txn *txn, void *arg)
{
	struct listing *l = arg;
	char detail[64];

	(void)snprintf(detail, sizeof(detail), "%llu records with identifying answers",
		       (unsigned long long)l->identified);
	return audit_append(txn, peer_now_s(l->peer), &l->who.id, "list", call_arg(l->c, 0),
			    detail);
}

enum err
cmd_list(struct call *c)
{
	struct listing l = {.c = c, .peer = call_peer(c)};
	const char *form = call_arg(c, 0);
	struct store_txn *txn;
	enum err e;

	if (peer_form(l.peer, form) == NULL)
		return why_set(call_why(c), E_FORM_UNKNOWN, "%s", form);
	if ((e = acting_enrolment(c, &l.who)) != E_OK)
		return e;
	if (peer_is_node(l.peer)) {
		if ((e = acting_may(c, ACT_READ_ANALYTIC, l.who.area, false)) != E_OK)
			return e;
		l.identifying = acting_may(c, ACT_READ_IDENTIFYING, l.who.area, false) == E_OK;
	}
	if ((e = store_read_begin(l.peer->store, &txn)) != E_OK)
		return e;
	e = peer_is_node(l.peer) ? record_walk(l.peer, txn, form, list_row, &l)
				 : list_own(&l, txn, form);
	store_read_end(txn);
	if (e == E_OK && l.identified > 0 && call_json(c)) /* only then were they shown */
		e = store_write(l.peer->store, audit_job, &l);
	if (e == E_OK && l.shown == 0 && !call_json(c))
		call_note(c, "No records of %s here yet.\n", form);
	return e;
}
