#include "tools/node/records/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tools/json.h"
#include "tools/node/link/link.h"

bool
view_in_scope(struct peer *p, const struct enrolment *who, const char *area)
{
	const struct area_table *areas = peer_areas(p);

	return areas != NULL && area_is_within(areas, who->area, area);
}

bool
view_has_identifying(const struct record_row *row)
{
	size_t i;

	for (i = 0; i < row->value_count; i++)
		if (row->values[i].identifying)
			return true;
	return false;
}

void
view_time(char out[32], uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, 32, "1970-01-01T00:00:00Z");
}

static const char *
state_of(const struct record_row *row)
{
	if (row->flags & RECORD_VOID)
		return "void";
	if (row->conflicts > 0 || (row->flags & RECORD_REVIEW_CONFLICT))
		return "conflict";
	if (row->flags & RECORD_INCOMPLETE)
		return "incomplete";
	if (row->flags & RECORD_FAULTY)
		return "faulty";
	if (row->flags & RECORD_EDITED)
		return "edited";
	return row->review == REVIEW_NONE ? "new" : review_state_name(row->review);
}

static void
name_of(struct peer *p, struct store_txn *txn, const struct principal_id *id,
	char out[NAME_BYTES_MAX + 1])
{
	struct member m;

	(void)p;
	if (member_get(txn, id, &m) == E_OK)
		(void)snprintf(out, NAME_BYTES_MAX + 1, "%s", m.enrolment.name);
	else
		hex_encode(out, id->b, 4);
}

enum err
view_of_row(struct peer *p, struct store_txn *txn, const struct record_row *row,
	    struct view_record *v)
{
	memset(v, 0, sizeof(*v));
	v->id = row->id;
	v->form = peer_form_by_key(p, row->form);
	memcpy(v->area, row->area, sizeof(v->area));
	name_of(p, txn, &row->author, v->author);
	v->created_s = row->created_s;
	v->review = row->review;
	v->note = "";
	(void)snprintf(v->state, sizeof(v->state), "%s", state_of(row));
	return E_OK;
}

void
view_of_own(struct peer *p, const struct own_record *own, uint64_t acked, uint64_t safe,
	    struct view_record *v)
{
	bool present =
	    own->epoch == peer_self(p)->epoch; /* earlier logs were settled when they ended */
	const char *state = "waiting";

	memset(v, 0, sizeof(*v));
	v->id = own->id;
	v->form = peer_form_by_key(p, own->form);
	memcpy(v->area, own->area, sizeof(v->area));
	memcpy(v->author, peer_self(p)->name, sizeof(v->author));
	v->created_s = own->created_s;
	v->review = own->review;
	v->note = own->note;
	if (own->is_void)
		state = "void";
	else if (own->review != REVIEW_NONE)
		state = review_state_name(own->review);
	else if (own->number != 0 && present && own->number <= safe)
		state = "safe";
	else if (own->number != 0 && (!present || own->number <= acked))
		state = "held";
	else if (own->number != 0)
		state = "sent";
	(void)snprintf(v->state, sizeof(v->state), "%s", state);
}

enum err
view_answers(const struct view_record *v, const struct record_row *row, struct writer *out)
{
	struct field_value *values = calloc(row->value_count + 1, sizeof(*values));
	size_t i, n = 0;
	enum err e;

	if (values == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < row->value_count; i++)
		if (v->identifying || !row->values[i].identifying)
			values[n++] = row->values[i];
	e = v->form == NULL ? E_FORM_UNKNOWN : form_values_json(v->form->form, values, n, out);
	free(values);
	return e;
}

void
view_json_line(struct call *c, const struct view_record *v, const struct record_row *row)
{
	char id[2 * ID_BYTES + 1], when[32];
	struct writer w, answers;

	hex_encode(id, v->id.b, ID_BYTES);
	view_time(when, v->created_s);
	writer_heap_init(&w, 8u << 20);
	writer_heap_init(&answers, 4u << 20);
	writer_str(&w, "{");
	json_key_str(&w, "id", id);
	json_key_str(&w, "form", v->form == NULL ? NULL : form_id(v->form->form));
	json_key_str(&w, "version", v->form == NULL ? NULL : form_version(v->form->form));
	json_key_str(&w, "area", v->area);
	json_key_str(&w, "author", v->author);
	json_key_str(&w, "state", v->state);
	json_key_str(&w, "review", v->review == REVIEW_NONE ? NULL : review_state_name(v->review));
	json_key_str(&w, "created", when);
	if (v->note[0] != '\0')
		json_key_str(&w, "note", v->note);
	json_key(&w, "answers");
	if (row != NULL && view_answers(v, row, &answers) == E_OK)
		writer_bytes(&w, writer_view(&answers));
	else
		writer_str(&w, "null");
	writer_str(&w, "}\n");
	call_out_bytes(c, writer_view(&w));
	writer_free(&answers);
	writer_free(&w);
}

void
view_text_line(struct call *c, const struct view_record *v)
{
	char id[2 * ID_BYTES + 1], when[32];

	hex_encode(id, v->id.b, ID_BYTES);
	view_time(when, v->created_s);
	call_out(c, "%.12s  %.10s  %-12s  %-10s  %s%s%s\n", id, when, v->area, v->state, v->author,
		 v->note[0] != '\0' ? ": " : "", v->note);
}
