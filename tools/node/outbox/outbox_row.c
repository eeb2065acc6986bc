#include "tools/node/outbox/outbox_row.h"

#include "core/pack.h"
#include "tools/node/state.h"

/* [1, author, urgent, area, nil | principal, key_no, enc, epoch, index, nil | record, analytic, nil
 * | identifying | [hash], [record ...]] */
enum err
outbox_row_put(struct store_txn *txn, uint64_t seq, const struct outbox_row *row)
{
	struct store_seq key = store_seq_of(seq);
	struct writer w;
	enum err e;
	size_t i;

	writer_heap_init(&w, 4u * SLICE_BYTES_MAX);
	pack_array(&w, 13);
	pack_u64(&w, 1);
	pack_bin(&w, BYTES(row->author.b, ID_BYTES));
	pack_bool(&w, row->urgent);
	pack_cstr(&w, row->area);
	if (row->to.to_principal)
		pack_bin(&w, BYTES(row->to.principal.b, ID_BYTES));
	else
		pack_nil(&w);
	pack_u64(&w, row->to.key_no);
	pack_bin(&w, BYTES(row->enc, EC_PUBLIC_BYTES));
	pack_u64(&w, row->epoch);
	pack_u64(&w, row->index);
	if (row->has_record)
		pack_bin(&w, BYTES(row->record.b, ID_BYTES));
	else
		pack_nil(&w);
	pack_bin(&w, row->analytic);
	if (row->identifying.n > 0) {
		pack_bin(&w, row->identifying);
	} else if (row->left_out) {
		pack_array(&w, 1);
		pack_bin(&w, BYTES(row->hash, HASH_BYTES));
	} else {
		pack_nil(&w);
	}
	pack_array(&w, (uint32_t)row->record_count);
	for (i = 0; i < row->record_count; i++)
		pack_bin(&w, BYTES(row->records[i].b, ID_BYTES));
	if ((e = writer_end(&w)) == E_OK)
		e = store_put(txn, STORE_OUTBOX_SLICE, BYTES(key.b, 8), writer_view(&w));
	writer_free(&w);
	return e;
}

static void
read_identifying(struct reader *r, struct outbox_row *row)
{
	if (reader_nil(r))
		return;
	row->left_out = reader_peek(r) == PACK_ARRAY;
	if (row->left_out) {
		reader_array_of(r, 1);
		reader_bin_fixed(r, row->hash, HASH_BYTES);
	} else {
		row->identifying = reader_bin(r);
	}
}

enum err
outbox_row_read(struct bytes value, struct outbox_row *row)
{
	struct reader r;
	uint32_t i, count;

	memset(row, 0, sizeof(*row));
	reader_begin(&r, value, 1, 13);
	reader_bin_fixed(&r, row->author.b, ID_BYTES);
	row->urgent = reader_bool(&r);
	state_str(&r, row->area, sizeof(row->area));
	if (!reader_nil(&r)) {
		row->to.to_principal = true;
		reader_bin_fixed(&r, row->to.principal.b, ID_BYTES);
	}
	row->to.key_no = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	reader_bin_fixed(&r, row->enc, EC_PUBLIC_BYTES);
	row->epoch = reader_u64(&r);
	row->index = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	if (!reader_nil(&r)) {
		row->has_record = true;
		reader_bin_fixed(&r, row->record.b, ID_BYTES);
	}
	row->analytic = reader_bin(&r);
	read_identifying(&r, row);
	count = reader_array(&r);
	if (count > SLICE_REVISIONS_MAX)
		reader_fail(&r, E_STORE_DAMAGED);
	for (i = 0; i < count && r.e == E_OK; i++)
		reader_bin_fixed(&r, row->records[i].b, ID_BYTES);
	row->record_count = r.e == E_OK ? count : 0;
	return reader_end(&r);
}

/* [1, form, area, created, epoch, number, order, [head ...], review, review time, note, void] */
enum err
own_record_put(struct store_txn *txn, const struct own_record *o)
{
	uint8_t memory[2048];
	struct writer w;
	enum err e;
	size_t i;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 12);
	pack_u64(&w, 1);
	pack_u64(&w, o->form.v);
	pack_cstr(&w, o->area);
	pack_u64(&w, o->created_s);
	pack_u64(&w, o->epoch);
	pack_u64(&w, o->number);
	pack_u64(&w, o->order);
	pack_array(&w, (uint32_t)o->head_count);
	for (i = 0; i < o->head_count; i++)
		pack_bin(&w, BYTES(o->heads[i].b, ID_BYTES));
	pack_u64(&w, o->review);
	pack_u64(&w, o->review_s);
	pack_cstr(&w, o->note);
	pack_bool(&w, o->is_void);
	if ((e = writer_end(&w)) != E_OK)
		return e;
	return store_put(txn, STORE_OWN_RECORD, BYTES(o->id.b, ID_BYTES), writer_view(&w));
}

enum err
own_record_review(struct store_txn *txn, const struct record_id *id, enum review_state state,
		  uint32_t time_s, const char *note)
{
	struct own_record own;
	enum err e = own_record_get(txn, id, &own);

	if (e != E_OK)
		return e == E_ABSENT ? E_OK : e;
	if (own.review == state && own.review_s == time_s && note[0] == '\0')
		return E_OK;
	own.review = state;
	own.review_s = time_s;
	memcpy(own.note, note, strnlen(note, sizeof(own.note) - 1) + 1);
	return own_record_put(txn, &own);
}

enum err
own_record_read(struct bytes key, struct bytes value, struct own_record *o)
{
	struct reader r;
	uint32_t i, count;

	memset(o, 0, sizeof(*o));
	if (key.n != ID_BYTES)
		return E_STORE_DAMAGED;
	memcpy(o->id.b, key.p, ID_BYTES);
	reader_begin(&r, value, 1, 12);
	o->form.v = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	state_str(&r, o->area, sizeof(o->area));
	o->created_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	o->epoch = reader_u64(&r);
	o->number = reader_u64(&r);
	o->order = reader_u64(&r);
	count = reader_array(&r);
	if (count > PARENTS_MAX)
		reader_fail(&r, E_STORE_DAMAGED);
	for (i = 0; i < count && r.e == E_OK; i++)
		reader_bin_fixed(&r, o->heads[i].b, ID_BYTES);
	o->head_count = r.e == E_OK ? count : 0;
	o->review = (enum review_state)reader_u64_max(&r, REVIEW_APPROVED);
	o->review_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	state_str(&r, o->note, sizeof(o->note));
	o->is_void = reader_bool(&r);
	return reader_end(&r);
}

enum err
own_record_get(struct store_txn *txn, const struct record_id *id, struct own_record *o)
{
	struct bytes value;
	enum err e = store_get(txn, STORE_OWN_RECORD, BYTES(id->b, ID_BYTES), &value);

	return e != E_OK ? e : own_record_read(BYTES(id->b, ID_BYTES), value, o);
}
