#include "core/receipt.h"

#include "core/pack.h"
#include "core/signed.h"

#define LABEL "banyan receipt 1"
#define NUMBER_MAX (UINT64_MAX >> 1)

static bool
rows_fit(const struct receipt *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->rows[i].number == 0 || r->rows[i].number > NUMBER_MAX || r->rows[i].safe > r->rows[i].number ||
		    (i > 0 && r->rows[i].epoch <= r->rows[i - 1].epoch))
			return false;
	return r->count <= EPOCHS_MAX && r->log_count <= RECEIPT_LOGS_MAX && r->time_s <= UINT32_MAX;
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

/* What is signed, into memory of RECEIPT_BYTES_MAX + 64 bytes. */
static struct bytes
message_of(struct writer *w, const struct programme_id *programme, struct bytes body)
{
	writer_bytes(w, BYTES_LIT(LABEL));
	writer_mem(w, programme->b, ID_BYTES);
	writer_bytes(w, body);
	return writer_view(w);
}

enum err
receipt_encode(const struct receipt *r, const struct programme_id *programme, const struct ec_key *key,
               struct writer *out)
{
	uint8_t body_memory[RECEIPT_BYTES_MAX], memory[RECEIPT_BYTES_MAX + 64], signature[SIGNATURE_BYTES];
	struct writer body, message;
	enum err e;

	if (!rows_fit(r))
		return E_LIMIT;
	writer_init(&body, body_memory, sizeof(body_memory));
	writer_init(&message, memory, sizeof(memory));
	body_write(r, &body);
	if ((e = writer_end(&body)) != E_OK ||
	    (e = crypto_sign(signature, key, message_of(&message, programme, writer_view(&body)))) != E_OK)
		return e;
	return signed_write(out, writer_view(&body), signature);
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
	uint8_t signature[SIGNATURE_BYTES];
	struct bytes body;
	struct reader rd;
	uint32_t count;
	enum err e;

	memset(r, 0, sizeof(*r));
	if (b.n > RECEIPT_BYTES_MAX)
		return why_set(why, E_LIMIT, "a receipt");
	if ((e = signed_split(b, &body, signature)) != E_OK)
		return why_set(why, e, "a receipt");
	reader_init(&rd, body);
	count = reader_array(&rd);
	if (reader_u64(&rd) != 1)
		reader_fail(&rd, E_VERSION);
	if (count != 7)
		reader_fail(&rd, E_PACK_TYPE);
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
	uint8_t memory[RECEIPT_BYTES_MAX + 64], signature[SIGNATURE_BYTES];
	struct writer message;
	struct bytes body;
	enum err e;

	if ((e = signed_split(b, &body, signature)) != E_OK)
		return e;
	writer_init(&message, memory, sizeof(memory));
	(void)message_of(&message, programme, body);
	return (e = writer_end(&message)) != E_OK ? e : crypto_verify(signature, by, writer_view(&message));
}
