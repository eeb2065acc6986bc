/* banyan conflicts: answers that contradict each other. */
#include <stdio.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/in_conflict.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/outbox/revise.h"
#include "tools/node/records/tally.h"
#include "tools/node/records/view.h"
#include "tools/value_text.h"

struct listing {
	struct call *c;
	struct peer *p;
	struct enrolment who;
	bool identifying, identified;
	struct writer w;
	uint64_t fields;
};

static void
put_json(struct listing *l, struct store_txn *txn, const struct form *form, const char *record,
	 const struct record_merged *r, size_t at, size_t count)
{
	struct writer *w = &l->w;

	writer_str(w, "{");
	json_key_str(w, "record", record);
	json_key_str(w, "form", form_id(form));
	in_conflict_json(l->p, txn, form, r, at, count, w);
	writer_str(w, "}\n");
}

static void
put_text(struct listing *l, struct store_txn *txn, const struct form *form, const char *record,
	 const struct record_merged *r, size_t at, size_t count)
{
	const struct merged_value *values = &r->m.values[at];
	size_t i, field = form_field_find_key(form, values[0].key);
	struct writer *w = &l->w;

	writer_printf(w, "%.12s  %s  %s\n", record, form_id(form),
		      field == SIZE_MAX ? "(a field of another version)"
					: form_field(form, field)->path);
	for (i = 0; i < count; i++) {
		const struct revision_row *row = &r->rows[values[i].revision];
		char name[NAME_BYTES_MAX + 1], when[32];

		revise_name(l->p, txn, revision_who(l->p, row), name);
		view_time(when, row->m.claimed_s);
		writer_printf(w, "    %.10s  %s says ", when, name);
		if (field == SIZE_MAX || value_text(form, field, values[i].value, 0, w) != E_OK)
			writer_str(w, "(cannot be read)");
		writer_str(w, values[i].shown ? "  (shown meanwhile)\n" : "\n");
	}
}

static enum err
list_record(void *arg, struct store_txn *txn, const struct record_row *row)
{
	struct listing *l = arg;
	const struct form_entry *form = peer_form_by_key(l->p, row->form);
	char hex[2 * ID_BYTES + 1];
	struct record_merged r;
	struct arena a;
	size_t i, n;
	enum err e;

	if (row->conflicts == 0 || (row->flags & RECORD_VOID) || form == NULL ||
	    !view_in_scope(l->p, &l->who, row->area))
		return E_OK;
	hex_encode(hex, row->id.b, ID_BYTES);
	arena_init(&a, 64u << 20);
	if ((e = record_merged(txn, &row->id, &a, &r)) == E_OK)
		for (i = 0; i < r.m.value_count; i += n) {
			const struct merged_value *v = &r.m.values[i];

			n = in_conflict_run(&r.m, i);
			if (n < 2 || (v->identifying && !l->identifying))
				continue;
			l->fields++;
			l->identified |= v->identifying;
			(call_json(l->c) ? put_json : put_text)(l, txn, form->form, hex, &r, i, n);
		}
	arena_free(&a);
	return e;
}

enum err
cmd_conflicts(struct call *c)
{
	struct listing l = {.c = c, .p = call_peer(c)};
	struct store_txn *txn;
	enum err e;

	if (!peer_is_node(l.p))
		return why_set(call_why(c), E_NODE_ONLY, "conflicts");
	if ((e = acting_enrolment(c, &l.who)) != E_OK ||
	    (e = acting_may(c, ACT_READ_ANALYTIC, l.who.area, false)) != E_OK)
		return e;
	l.identifying = acting_may(c, ACT_READ_IDENTIFYING, l.who.area, false) == E_OK;
	writer_heap_init(&l.w, 64u << 20);
	if ((e = store_read_begin(l.p->store, &txn)) == E_OK) {
		e = tally_conflicts(txn, list_record, &l);
		store_read_end(txn);
	}
	if (e == E_OK && (e = writer_end(&l.w)) == E_OK && l.identified)
		e = acting_audit(c, "read", "conflicts", "identifying answers");
	if (e == E_OK)
		call_out_bytes(c, writer_view(&l.w));
	if (e == E_OK && !call_json(c))
		call_note(c, l.fields == 0
				 ? "No answers contradict each other.\n"
				 : "Settle one with: banyan resolve STORE RECORD FIELD=VALUE\n");
	writer_free(&l.w);
	return e;
}
