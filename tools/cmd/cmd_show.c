/* banyan show: one record with its history. */
#include <stdio.h>
#include <string.h>

#include "core/principals/rules.h"
#include "tools/commands.h"
#include "tools/erased.h"
#include "tools/in_conflict.h"
#include "tools/json.h"
#include "tools/node/acting.h"
#include "tools/node/erase/erasures.h"
#include "tools/node/outbox/revise.h"
#include "tools/node/records/view.h"
#include "tools/value_text.h"

#define OUT_BYTES_MAX (32u << 20)

struct showing {
	struct call *c;
	struct peer *p;
	struct subject s;
	struct view_record v;
	struct arena arena;
	bool identifying; /* class D may be shown */
	bool identified;  /* and was */
	bool erased;      /* said so, and that is all */
	bool stripped;    /* what identifies in it was erased */
	size_t lang;
	const struct form *form;
};

static const char *
kind_word(uint8_t kind)
{
	static const char *const words[] = {"create", "amend", "void", "review"};

	return kind < 4 ? words[kind] : "other";
}

static const char *
kind_sentence(uint8_t kind)
{
	static const char *const words[] = {"entered", "corrected", "voided", "reviewed"};

	return kind < 4 ? words[kind] : "changed";
}

/* The fields of one revision that may be shown. */
static struct field_value *
fields_of(struct showing *g, const struct revision_row *row, size_t *count)
{
	struct field_value *out = arena_alloc(&g->arena, (row->m.field_count + 1) * sizeof(*out));
	size_t i;

	*count = 0;
	for (i = 0; out != NULL && i < row->m.field_count; i++) {
		const struct merge_field *f = &row->m.fields[i];

		if (f->identifying && !g->identifying)
			continue;
		g->identified |= f->identifying;
		out[(*count)++] = (struct field_value){f->key, f->identifying, f->value};
	}
	return out;
}

/* A reason or a note: what a person wrote freely names people. */
static struct bytes
text_of(struct showing *g, const struct revision_row *row)
{
	if (!g->identifying)
		return BYTES_NONE;
	g->identified |= row->text.n > 0;
	return row->text;
}

static const struct revision_row *
review_of(const struct showing *g)
{
	return g->s.opened && g->s.merged.m.review != REVIEW_NONE
		   ? &g->s.merged.rows[g->s.merged.m.review_revision]
		   : NULL;
}

/* ---- JSON ---- */

static void
json_fields(struct showing *g, const struct revision_row *row, struct writer *w)
{
	size_t count, i;
	struct field_value *values = fields_of(g, row, &count);
	bool first = true;

	writer_str(w, "{");
	for (i = 0; values != NULL && i < count; i++) {
		size_t field = form_field_find_key(g->form, values[i].key);

		if (field == SIZE_MAX)
			continue;
		if (!first)
			writer_str(w, ",");
		first = false;
		json_str(w, form_field(g->form, field)->path);
		writer_str(w, ":");
		(void)value_json(g->form, &values[i], w);
	}
	writer_str(w, "}");
}

static void
json_history(struct showing *g, struct store_txn *txn, struct writer *w)
{
	size_t i;

	json_key(w, "history");
	writer_str(w, "[");
	for (i = 0; i < g->s.merged.count; i++) {
		const struct revision_row *row = &g->s.merged.rows[i];
		char id[2 * ID_BYTES + 1], name[NAME_BYTES_MAX + 1], when[32];
		struct bytes text = text_of(g, row);

		hex_encode(id, row->m.id.b, ID_BYTES);
		revise_name(g->p, txn, revision_who(g->p, row), name);
		view_time(when, row->m.claimed_s);
		writer_str(w, i > 0 ? ",{" : "{");
		json_key_str(w, "revision", id);
		json_key_str(w, "kind", kind_word(row->m.kind));
		json_key_str(w, "author", name);
		json_key_str(w, "role", role_name(row->m.role));
		json_key_str(w, "time", when);
		if (row->m.kind == REVISION_REVIEW)
			json_key_str(w, "state", review_state_name(row->m.state));
		if (text.n > 0) {
			json_key(w, row->m.kind == REVISION_VOID ? "reason" : "note");
			json_text(w, text);
		}
		json_key(w, "fields");
		json_fields(g, row, w);
		writer_str(w, "}");
	}
	writer_str(w, "]");
}

static void
json_conflicts(struct showing *g, struct store_txn *txn, struct writer *w)
{
	const struct merged *m = &g->s.merged.m;
	bool first = true;
	size_t i, n;

	json_key(w, "conflicts");
	writer_str(w, "[");
	for (i = 0; i < m->value_count; i += n) {
		n = in_conflict_run(m, i);
		if (n < 2 || (m->values[i].identifying && !g->identifying))
			continue;
		if (!first)
			writer_str(w, ",");
		first = false;
		writer_str(w, "{");
		in_conflict_json(g->p, txn, g->form, &g->s.merged, i, n, w);
		writer_str(w, "}");
		g->identified |= m->values[i].identifying;
	}
	writer_str(w, "]");
}

static void
json_note(struct showing *g, struct writer *w)
{
	const struct revision_row *review = review_of(g);
	struct bytes note =
	    review != NULL ? text_of(g, review) : bytes_of_str(g->s.opened ? NULL : g->v.note);

	json_key(w, "note");
	if (note.n == 0)
		writer_str(w, "null");
	else
		json_text(w, note);
}

static enum err
show_json(struct showing *g, struct store_txn *txn, struct writer *w)
{
	enum err e = E_OK;

	writer_str(w, "{");
	json_key_str(w, "id", g->s.hex);
	json_key_str(w, "form", g->form == NULL ? NULL : form_id(g->form));
	json_key_str(w, "version", g->form == NULL ? NULL : form_version(g->form));
	json_key_str(w, "area", g->v.area);
	json_key_str(w, "author", g->v.author);
	json_key_str(w, "state", g->v.state);
	json_key_str(w, "review",
		     g->v.review == REVIEW_NONE ? NULL : review_state_name(g->v.review));
	json_note(g, w);
	json_key(w, "answers");
	if (g->s.opened && g->form != NULL)
		e = view_answers(&g->v, &g->s.row, w);
	else
		writer_str(w, "null");
	if (g->s.opened && g->form != NULL) {
		json_history(g, txn, w);
		json_conflicts(g, txn, w);
		json_key(w, "faults");
		json_text(w, g->identifying ? g->s.row.faults : BYTES_NONE);
		if (g->stripped || (g->s.row.flags & RECORD_ELSEWHERE))
			json_key_bool(w, g->stripped ? "erased_identifying" : "elsewhere", true);
	} else {
		writer_str(w, ",\"history\":[],\"conflicts\":[],\"faults\":\"\"");
	}
	writer_str(w, "}\n");
	return e;
}

/* ---- text ---- */

static void
text_value(struct showing *g, struct field_key key, struct bytes value, struct writer *w)
{
	size_t field = form_field_find_key(g->form, key);

	if (field == SIZE_MAX)
		writer_str(w, "(a field of another version of the form)");
	else if (value_text(g->form, field, value, g->lang, w) != E_OK)
		writer_str(w, "(cannot be read)");
}

static const char *
label_of(const struct showing *g, struct field_key key)
{
	size_t field = form_field_find_key(g->form, key);

	return field == SIZE_MAX ? "?" : form_field_label(g->form, field, g->lang);
}

static void
text_answers(struct showing *g, struct writer *w)
{
	size_t i, k, hidden = 0;

	writer_str(w, "\nAnswers\n");
	for (i = 0; i < form_field_count(g->form); i++)
		for (k = 0; k < g->s.row.value_count; k++) {
			const struct field_value *v = &g->s.row.values[k];

			if (v->key.v != form_field(g->form, i)->key.v)
				continue;
			if (v->identifying && !g->identifying) {
				hidden++;
				continue;
			}
			g->identified |= v->identifying;
			writer_printf(w, "  %s [%s]: ", label_of(g, v->key),
				      form_field(g->form, i)->path);
			text_value(g, v->key, v->value, w);
			writer_str(w, "\n");
		}
	if (g->stripped)
		writer_str(w, "  (identifying answers were erased: banyan retention)\n");
	else if (g->s.row.flags & RECORD_ELSEWHERE)
		writer_str(w, "  (identifying answers are kept at the home office)\n");
	if (hidden > 0)
		writer_printf(w, "  (%zu identifying answers are not shown to you)\n", hidden);
	if (g->s.row.faults.n > 0 && g->identifying)
		writer_printf(w, "\nThe form says that this is not right\n  %.*s\n",
			      (int)g->s.row.faults.n, (const char *)g->s.row.faults.p);
}

static void
text_conflicts(struct showing *g, struct store_txn *txn, struct writer *w)
{
	const struct merged *m = &g->s.merged.m;
	size_t i, k, n;

	for (i = 0; i < m->value_count; i += n) {
		n = in_conflict_run(m, i);
		if (n < 2 || (m->values[i].identifying && !g->identifying))
			continue;
		g->identified |= m->values[i].identifying;
		writer_printf(w, "\nIn conflict: %s\n", label_of(g, m->values[i].key));
		for (k = i; k < i + n; k++) {
			const struct revision_row *row = &g->s.merged.rows[m->values[k].revision];
			char name[NAME_BYTES_MAX + 1];

			revise_name(g->p, txn, revision_who(g->p, row), name);
			writer_printf(w, "  %s said ", name);
			text_value(g, m->values[k].key, m->values[k].value, w);
			writer_printf(w, "%s\n",
				      m->values[k].shown ? " (this one is shown meanwhile)" : "");
		}
	}
}

static void
text_history(struct showing *g, struct store_txn *txn, struct writer *w)
{
	size_t i, k;

	writer_str(w, "\nHistory\n");
	for (i = 0; i < g->s.merged.count; i++) {
		const struct revision_row *row = &g->s.merged.rows[i];
		char name[NAME_BYTES_MAX + 1], when[32];
		struct bytes text = text_of(g, row);
		size_t count;
		struct field_value *values = fields_of(g, row, &count);

		revise_name(g->p, txn, revision_who(g->p, row), name);
		view_time(when, row->m.claimed_s);
		writer_printf(w, "  %s  %s by %s (%s)", when, kind_sentence(row->m.kind), name,
			      role_name(row->m.role));
		if (row->m.kind == REVISION_REVIEW)
			writer_printf(w, ": %s", review_state_name(row->m.state));
		if (text.n > 0)
			writer_printf(w, ": %.*s", (int)text.n, (const char *)text.p);
		writer_str(w, "\n");
		for (k = 0; values != NULL && row->m.kind == REVISION_AMEND && k < count; k++) {
			writer_printf(w, "    %s: ", label_of(g, values[k].key));
			text_value(g, values[k].key, values[k].value, w);
			writer_str(w, "\n");
		}
	}
}

static enum err
show_text(struct showing *g, struct store_txn *txn, struct writer *w)
{
	const struct revision_row *review = review_of(g);
	char when[32];

	view_time(when, g->v.created_s);
	writer_printf(
	    w, "Record %s\n  form:   %s %s\n  area:   %s\n  author: %s, %s\n  state:  %s\n",
	    g->s.hex, g->form == NULL ? "(not here)" : form_id(g->form),
	    g->form == NULL ? "" : form_version(g->form), g->v.area, g->v.author, when, g->v.state);
	if (g->v.review != REVIEW_NONE) {
		struct bytes note = review != NULL ? text_of(g, review) : bytes_of_str(g->v.note);

		writer_printf(w, "  review: %s%s%.*s\n", review_state_name(g->v.review),
			      note.n > 0 ? ": " : "", (int)note.n, (const char *)note.p);
	}
	if (!g->s.opened || g->form == NULL) {
		writer_str(
		    w,
		    "Its answers were sealed when it was finished; this device can no longer read them.\n");
		return E_OK;
	}
	text_answers(g, w);
	text_conflicts(g, txn, w);
	text_history(g, txn, w);
	return E_OK;
}

static enum err
write_out(struct showing *g, struct writer *w)
{
	struct store_txn *txn;
	uint64_t acked, safe;
	enum err e = E_OK;

	if ((e = store_read_begin(g->p->store, &txn)) != E_OK)
		return e;
	if (g->s.opened && (e = erased_partly(txn, &g->s.id, &g->stripped)) == E_OK) {
		e = view_of_row(g->p, txn, &g->s.row, &g->v);
		g->v.identifying = g->identifying;
		g->identified = g->identifying && view_has_identifying(&g->s.row);
	} else if (!g->s.opened && (e = outbox_marks(g->p, txn, &acked, &safe)) == E_OK) {
		view_of_own(g->p, &g->s.own, acked, safe, &g->v);
	}
	if (e == E_OK)
		e = call_json(g->c) ? show_json(g, txn, w) : show_text(g, txn, w);
	store_read_end(txn);
	return e == E_OK ? writer_end(w) : e;
}

enum err
cmd_show(struct call *c)
{
	struct showing g = {.c = c, .p = call_peer(c)};
	struct writer w;
	enum err e;

	arena_init(&g.arena, 128u << 20);
	writer_heap_init(&w, OUT_BYTES_MAX);
	if ((e = subject_find(c, call_arg(c, 0), ACT_READ_ANALYTIC, &g.arena, &g.s)) ==
	    E_RECORD_UNKNOWN)
		e = erased_tell(c, call_arg(c, 0), &g.erased);
	if (e != E_OK)
		goto done;
	if (g.erased)
		goto done;
	g.form = g.s.form == NULL ? NULL : g.s.form->form;
	if (g.form != NULL &&
	    (e = value_lang(g.form, call_option(c, "lang"), &g.lang, call_why(c))) != E_OK)
		goto done;
	g.identifying =
	    g.s.opened && acting_may(c, ACT_READ_IDENTIFYING, g.s.area, g.s.is_author) == E_OK;
	if ((e = write_out(&g, &w)) != E_OK)
		goto done;
	/* Written down before it is shown: a reader that goes away has read it all the same. */
	if (g.identified && (e = acting_audit(c, "read", g.s.hex, "identifying answers")) != E_OK)
		goto done;
	call_out_bytes(c, writer_view(&w));
done:
	writer_free(&w);
	arena_free(&g.arena);
	return e;
}
