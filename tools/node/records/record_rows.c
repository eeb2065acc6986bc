/* The rows of REVISION_ROW and RECORD_ROW. FORMATS.md "Opening and derived rows". */
#include "core/pack.h"
#include "tools/node/attached/attached.h"
#include "tools/node/records/record_number.h"
#include "tools/node/state.h"

#define ELSEWHERE 128u /* added to the role: the identifying part is kept at the home office */
#define ROW_BYTES_MAX (4u << 20)

static void
values_pack(struct writer *w, const struct merge_field *f, size_t count)
{
	size_t i;

	pack_array(w, (uint32_t)count);
	for (i = 0; i < count; i++) {
		pack_array(w, 3);
		pack_u64(w, f[i].key.v);
		pack_bool(w, f[i].identifying);
		pack_bin(w, f[i].value);
	}
}

/* [1, seq, author, role, kind, form, claimed, received, [parent ...], state, text, lang, area,
 * entered for | nil,
 *  [[key, identifying, value bin] ...]] */
enum err
revision_row_pack(const struct revision_row *row, struct writer *out)
{
	size_t i;

	pack_array(out, 15);
	pack_u64(out, 1);
	pack_u64(out, row->seq);
	pack_bin(out, BYTES(row->m.author.b, ID_BYTES));
	pack_u64(out, (uint64_t)row->m.role + (row->elsewhere ? ELSEWHERE : 0));
	pack_u64(out, row->m.kind);
	pack_u64(out, row->m.form.v);
	pack_u64(out, row->m.claimed_s);
	pack_u64(out, row->m.received_s);
	pack_array(out, (uint32_t)row->m.parent_count);
	for (i = 0; i < row->m.parent_count; i++)
		pack_bin(out, BYTES(row->m.parents[i].b, ID_BYTES));
	pack_u64(out, row->m.state);
	pack_str(out, row->text);
	pack_str(out, row->lang);
	pack_cstr(out, row->area);
	if (row->has_entered_for)
		pack_bin(out, BYTES(row->entered_for.b, ID_BYTES));
	else
		pack_nil(out);
	values_pack(out, row->m.fields, row->m.field_count);
	return writer_end(out);
}

/* E_ABSENT: nothing of the record is here. */
static enum err
row_key(struct store_txn *txn, const struct revision_row *row, uint8_t key[NUMBER_KEY_BYTES])
{
	uint64_t number;
	enum err e = record_number(txn, &row->record, &number);

	if (e == E_OK)
		record_number_key(number, row->m.id.b, key);
	return e;
}

/* The row that stands where this one would: its first elements, and its bytes, a view. E_ABSENT. */
static enum err
row_there(struct store_txn *txn, const struct revision_row *row, struct revision_row *out,
	  struct bytes *value)
{
	struct reader r;
	enum err e = revision_row_get(txn, &row->record, &row->m.id, value);

	if (e != E_OK)
		return e;
	reader_init(&r, *value);
	reader_array_of(&r, 15);
	(void)reader_u64(&r); /* version */
	out->seq = reader_u64(&r);
	reader_bin_fixed(&r, out->m.author.b, ID_BYTES);
	out->elsewhere = reader_u64_max(&r, 255) >= ELSEWHERE;
	return r.e;
}

enum err
revision_row_yields(struct store_txn *txn, const struct revision_row *row, bool *out)
{
	struct revision_row there;
	struct bytes value;
	enum err e = row_there(txn, row, &there, &value);

	*out = false;
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (there.elsewhere != row->elsewhere && ID_EQUAL(&there.m.author, &row->m.author))
		*out = row->elsewhere;
	else
		*out = there.seq < row->seq;
	return E_OK;
}

enum err
revision_row_put(struct store_txn *txn, const struct revision_row *row)
{
	bool yields;
	enum err e = revision_row_yields(txn, row, &yields);

	return e != E_OK || yields ? e : revision_row_write(txn, row);
}

enum err
revision_row_write(struct store_txn *txn, const struct revision_row *row)
{
	uint8_t key[NUMBER_KEY_BYTES];
	struct writer w;
	uint64_t number;
	enum err e;

	writer_heap_init(&w, ROW_BYTES_MAX);
	if ((e = revision_row_pack(row, &w)) == E_OK &&
	    (e = record_number_make(txn, &row->record, &number)) == E_OK) {
		record_number_key(number, row->m.id.b, key);
		e = store_put(txn, STORE_REVISION_ROW, BYTES(key, sizeof(key)), writer_view(&w));
	}
	writer_free(&w);
	return e;
}

enum err
revision_row_del(struct store_txn *txn, const struct revision_row *row)
{
	uint8_t key[NUMBER_KEY_BYTES];
	struct revision_row there;
	struct bytes value;
	enum err e = row_there(txn, row, &there, &value);

	if (e != E_OK || there.seq != row->seq)
		return e == E_OK ? E_ABSENT : e;
	if ((e = row_key(txn, row, key)) != E_OK ||
	    (e = store_del(txn, STORE_REVISION_ROW, BYTES(key, sizeof(key)))) != E_OK)
		return e;
	return record_number_drop(txn, &row->record, key);
}

enum err
revision_row_before(struct store_txn *txn, const struct revision_row *row, struct arena *a,
		    struct bytes *out)
{
	struct revision_row there;
	struct bytes value;
	enum err e = row_there(txn, row, &there, &value);

	*out = BYTES_NONE;
	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	*out = arena_bytes(a, value);
	return out->p == NULL ? E_NO_MEMORY : E_OK;
}

enum err
revision_row_undo(struct store_txn *txn, const struct revision_row *row, struct bytes before)
{
	uint8_t key[NUMBER_KEY_BYTES];
	enum err e;

	if (before.n > 0)
		return (e = row_key(txn, row, key)) != E_OK
			   ? e
			   : store_put(txn, STORE_REVISION_ROW, BYTES(key, sizeof(key)), before);
	e = revision_row_del(txn, row);
	return e == E_ABSENT ? E_OK : e;
}

enum err
revision_row_refuse(struct store_txn *txn, const struct revision_row *row)
{
	enum err e = E_OK;
	size_t i;

	for (i = 0; i < row->m.field_count && e == E_OK; i++)
		if (row->m.fields[i].identifying)
			e = attached_refuse(txn, row->m.fields[i].value, &row->m.author);
	return e;
}

static enum err
revision_row_read(const struct record_id *record, struct bytes key, struct bytes value,
		  struct arena *a, struct revision_row *row)
{
	struct revision_id *parents;
	struct merge_field *fields;
	struct reader r;
	uint64_t role;
	uint32_t i;

	memset(row, 0, sizeof(*row));
	if (key.n != NUMBER_KEY_BYTES)
		return E_STORE_DAMAGED;
	row->record = *record;
	memcpy(row->m.id.b, key.p + 8, ID_BYTES);
	reader_begin(&r, value, 1, 15);
	row->seq = reader_u64(&r);
	reader_bin_fixed(&r, row->m.author.b, ID_BYTES);
	role = reader_u64_max(&r, 255);
	row->elsewhere = role >= ELSEWHERE;
	row->m.role = (enum role)(role % ELSEWHERE);
	row->m.kind = (uint8_t)reader_u64_max(&r, 255);
	row->m.form.v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->m.claimed_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->m.received_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->m.parent_count = reader_array(&r);
	if ((parents = arena_alloc(a, (row->m.parent_count + 1) * sizeof(*parents))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < row->m.parent_count; i++)
		reader_bin_fixed(&r, parents[i].b, ID_BYTES);
	row->m.parents = parents;
	row->m.state = (enum review_state)reader_u64_max(&r, REVIEW_APPROVED);
	row->text = reader_str(&r);
	row->lang = reader_str(&r);
	state_str(&r, row->area, sizeof(row->area));
	if ((row->has_entered_for = !reader_nil(&r)))
		reader_bin_fixed(&r, row->entered_for.b, ID_BYTES);
	row->m.field_count = reader_array(&r);
	if ((fields = arena_alloc(a, (row->m.field_count + 1) * sizeof(*fields))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < row->m.field_count && r.e == E_OK; i++) {
		reader_array_of(&r, 3);
		fields[i].key.v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
		fields[i].identifying = reader_bool(&r);
		fields[i].value = reader_bin(&r);
	}
	row->m.fields = fields;
	return reader_end(&r);
}

enum err
revision_rows(struct store_txn *txn, const struct record_id *id, struct arena *a,
	      struct revision_row **out, size_t *count)
{
	struct store_cursor *c;
	struct bytes key, value;
	size_t cap = 0, n = 0;
	struct revision_row *rows = NULL;
	struct store_seq prefix;
	uint64_t number;
	enum err e, e2;

	*out = NULL;
	*count = 0;
	if ((e = record_number(txn, id, &number)) != E_OK)
		return e == E_ABSENT ? E_OK : e;
	prefix = store_seq_of(number);
	if ((e = store_walk_prefix(txn, STORE_REVISION_ROW, BYTES(prefix.b, 8), STORE_FORWARD,
				   &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		struct bytes kept = arena_bytes(a, value);

		if (n == cap) {
			struct revision_row *more =
			    arena_alloc(a, (cap = cap == 0 ? 4 : 2 * cap) * sizeof(*more));

			if (more != NULL && n > 0)
				memcpy(more, rows, n * sizeof(*more));
			rows = more;
		}
		e = rows == NULL || kept.p == NULL ? E_NO_MEMORY
						   : revision_row_read(id, key, kept, a, &rows[n]);
		if (e == E_OK && ++n > REVISIONS_MAX)
			e = E_LIMIT;
	}
	e2 = store_walk_end(c);
	*out = rows;
	*count = n;
	return e != E_OK ? e : e2;
}

/* [1, form, area, author, created, received, order, flags, review, conflicts, revisions, faults,
 * [head ...],
 *  [[key, identifying, value bin] ...]] */
enum err
record_row_pack(const struct record_row *row, struct writer *out)
{
	size_t i;

	pack_array(out, 14);
	pack_u64(out, 1);
	pack_u64(out, row->form.v);
	pack_cstr(out, row->area);
	pack_bin(out, BYTES(row->author.b, ID_BYTES));
	pack_u64(out, row->created_s);
	pack_u64(out, row->received_s);
	pack_u64(out, row->order);
	pack_u64(out, row->flags);
	pack_u64(out, row->review);
	pack_u64(out, row->conflicts);
	pack_u64(out, row->revisions);
	pack_str(out, row->faults);
	pack_array(out, (uint32_t)row->head_count);
	for (i = 0; i < row->head_count; i++)
		pack_bin(out, BYTES(row->heads[i].b, ID_BYTES));
	pack_array(out, (uint32_t)row->value_count);
	for (i = 0; i < row->value_count; i++) {
		pack_array(out, 3);
		pack_u64(out, row->values[i].key.v);
		pack_bool(out, row->values[i].identifying);
		pack_bin(out, row->values[i].value);
	}
	return writer_end(out);
}

enum err
record_row_put(struct store_txn *txn, const struct record_row *row)
{
	uint8_t key[NUMBER_KEY_BYTES];
	struct writer w;
	uint64_t number;
	enum err e;

	writer_heap_init(&w, ROW_BYTES_MAX);
	if ((e = record_row_pack(row, &w)) == E_OK &&
	    (e = record_number_make(txn, &row->id, &number)) == E_OK) {
		record_number_key(number, row->id.b, key);
		e = store_put(txn, STORE_RECORD_ROW, BYTES(key, sizeof(key)), writer_view(&w));
	}
	writer_free(&w);
	return e;
}

enum err
record_row_read(struct bytes key, struct bytes value, struct arena *a, struct record_row *row)
{
	struct reader r;
	size_t i;

	memset(row, 0, sizeof(*row));
	if (key.n != NUMBER_KEY_BYTES)
		return E_STORE_DAMAGED;
	memcpy(row->id.b, key.p + 8, ID_BYTES);
	reader_begin(&r, value, 1, 14);
	row->form.v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	state_str(&r, row->area, sizeof(row->area));
	reader_bin_fixed(&r, row->author.b, ID_BYTES);
	row->created_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->received_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->order = reader_u64(&r);
	row->flags = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->review = (enum review_state)reader_u64_max(&r, REVIEW_APPROVED);
	row->conflicts = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->revisions = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	row->faults = reader_str(&r);
	row->head_count = reader_array(&r);
	if (row->head_count > PARENTS_MAX)
		reader_fail(&r, E_STORE_DAMAGED);
	for (i = 0; i < row->head_count && r.e == E_OK; i++)
		reader_bin_fixed(&r, row->heads[i].b, ID_BYTES);
	row->value_count = reader_array(&r);
	if ((row->values = arena_alloc(a, (row->value_count + 1) * sizeof(*row->values))) == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < row->value_count && r.e == E_OK; i++) {
		reader_array_of(&r, 3);
		row->values[i].key.v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
		row->values[i].identifying = reader_bool(&r);
		row->values[i].value = reader_bin(&r);
	}
	return reader_end(&r);
}

enum err
record_row_get(struct store_txn *txn, const struct record_id *id, struct arena *a,
	       struct record_row *out)
{
	uint8_t key[NUMBER_KEY_BYTES];
	struct bytes value;
	uint64_t number;
	enum err e = record_number(txn, id, &number);

	if (e != E_OK)
		return e;
	record_number_key(number, id->b, key);
	e = store_get(txn, STORE_RECORD_ROW, BYTES(key, sizeof(key)), &value);
	return e != E_OK ? e : record_row_read(BYTES(key, sizeof(key)), value, a, out);
}
