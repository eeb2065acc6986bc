#include "tools/in_conflict.h"

#include "tools/json.h"
#include "tools/node/outbox/revise.h"
#include "tools/node/records/view.h"
#include "tools/value_text.h"

size_t
in_conflict_run(const struct merged *m, size_t at)
{
	const struct merged_value *v = &m->values[at];
	size_t n = 1;

	while (at + n < m->value_count && v[n].key.v == v->key.v &&
	       v[n].identifying == v->identifying)
		n++;
	return n;
}

void
in_conflict_json(struct peer *p, struct store_txn *txn, const struct form *form,
		 const struct record_merged *r, size_t at, size_t count, struct writer *w)
{
	const struct merged_value *values = &r->m.values[at];
	size_t i, field = form_field_find_key(form, values[0].key);

	json_key_str(w, "field", field == SIZE_MAX ? NULL : form_field(form, field)->path);
	json_key(w, "values");
	writer_str(w, "[");
	for (i = 0; i < count; i++) {
		const struct revision_row *row = &r->rows[values[i].revision];
		char name[NAME_BYTES_MAX + 1], when[32];

		revise_name(p, txn, revision_who(p, row), name);
		view_time(when, row->m.claimed_s);
		writer_str(w, i > 0 ? ",{" : "{");
		json_key(w, "value");
		(void)value_json(
		    form,
		    &(struct field_value){values[i].key, values[i].identifying, values[i].value},
		    w);
		json_key_str(w, "author", name);
		json_key_str(w, "time", when);
		json_key_bool(w, "shown", values[i].shown);
		writer_str(w, "}");
	}
	writer_str(w, "]");
}
