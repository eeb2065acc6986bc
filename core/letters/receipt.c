#include "core/letters/receipt.h"

#include "core/pack.h"
#include "core/crypto/signed.h"

#define LABEL "banyan receipt 1"
#define NUMBER_MAX (UINT64_MAX >> 1)

static bool
rows_fit(const struct receipt *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->rows[i].number == 0 || r->rows[i].number > NUMBER_MAX ||
		    r->rows[i].safe > r->rows[i].number ||
		    (i > 0 && r->rows[i].epoch <= r->rows[i - 1].epoch))
			return false;
	return r->count <= EPOCHS_MAX && r->log_count <= RECEIPT_LOGS_MAX &&
	       r->time_s <= UINT32_MAX;
}

static void
body_write(const struct receipt *r, struct writer *w)
{
	size_t i;

	pack_array(w, 7);
	pack_u64(w, 1);
	pack_bin(w, BYTES(r->by.b, ID_BYTES));
	pack_bin(w, BYTES(r->to.b, ID_BYTES));
	pack_u64(w, r->incarnation);
	pack_u64(w, r->time_s);
	pack_array(w, (uint32_t)r->count);
	for (i = 0; i < r->count; i++) {
		pack_array(w, 4);
		pack_u64(w, r->rows[i].epoch);
		pack_u64(w, r->rows[i].number);
		pack_bin(w, BYTES(r->rows[i].hash.b, HASH_BYTES));
		pack_u64(w, r->rows[i].safe);
	}
	pack_array(w, (uint32_t)r->log_count);
	for (i = 0; i < r->log_count; i++)
		pack_u64(w, r->logs[i]);
}

enum err
receipt_encode(const struct receipt *r, const struct programme_id *programme,
	       const struct ec_key *key, struct writer *out)
{
	uint8_t memory[RECEIPT_BYTES_MAX];
	struct writer body;
	enum err e;

	if (!rows_fit(r))
		return E_LIMIT;
	writer_init(&body, memory, sizeof(memory));
	body_write(r, &body);
	return (e = writer_end(&body)) != E_OK
		   ? e
		   : signed_put(out, LABEL, programme, writer_view(&body), key);
}

static void
rows_read(struct reader *rd, struct receipt *r)
{
	uint32_t i, count = reader_array(rd);

	if (count > EPOCHS_MAX) {
		reader_fail(rd, E_LIMIT);
		return;
	}
	for (i = 0; i < count; i++) {
		struct receipt_row *row = &r->rows[i];

		reader_array_of(rd, 4);
		row->epoch = reader_u64(rd);
		row->number = reader_u64(rd);
		reader_bin_fixed(rd, row->hash.b, HASH_BYTES);
		row->safe = reader_u64(rd);
	}
	r->count = count;
	if ((count = reader_array(rd)) > RECEIPT_LOGS_MAX) {
		reader_fail(rd, E_LIMIT);
		return;
	}
	for (i = 0; i < count; i++)
		r->logs[i] = reader_u64(rd);
	r->log_count = count;
}

enum err
receipt_decode(struct bytes b, struct receipt *r, struct why *why)
{
	struct bytes body;
	struct reader rd;
	enum err e;

	memset(r, 0, sizeof(*r));
	if (b.n > RECEIPT_BYTES_MAX)
		return why_set(why, E_LIMIT, "a receipt");
	if ((e = signed_body(b, &body)) != E_OK)
		return why_set(why, e, "a receipt");
	reader_begin(&rd, body, 1, 7);
	reader_bin_fixed(&rd, r->by.b, ID_BYTES);
	reader_bin_fixed(&rd, r->to.b, ID_BYTES);
	r->incarnation = reader_u64(&rd);
	r->time_s = reader_u64_max(&rd, UINT32_MAX);
	rows_read(&rd, r);
	if ((e = reader_end(&rd)) == E_OK && !rows_fit(r))
		e = E_LIMIT;
	return e == E_OK ? E_OK : why_set(why, e, "a receipt");
}

enum err
receipt_verify(struct bytes b, const struct programme_id *programme, const struct ec_public *by)
{
	return signed_verify(b, LABEL, programme, by);
}
