#include "core/record/attach_word.h"

#include "core/pack.h"

#define WORD_VERSION 1u

/* The body of a statement: an array of `count` that begins with the version. */
static enum err
begin(struct reader *r, struct bytes statement, uint32_t count)
{
	struct bytes body;
	enum err e = principal_body(statement, &body);

	if (e != E_OK)
		return e;
	reader_begin(r, body, WORD_VERSION, count);
	return r->e;
}

enum err
attach_offer_encode(const struct attach_offer *o, const struct programme_id *programme,
		    const struct ec_key *key, struct writer *out)
{
	uint8_t memory[ID_BYTES + ATTACH_ID_BYTES + 16];
	struct writer w;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 3);
	pack_u64(&w, WORD_VERSION);
	pack_bin(&w, BYTES(o->author.b, ID_BYTES));
	pack_bin(&w, BYTES(o->id.b, ATTACH_ID_BYTES));
	return writer_end(&w) == E_OK
		   ? principal_sign(STATEMENT_ATTACH_OFFER, programme, writer_view(&w), key, out)
		   : E_LIMIT;
}

enum err
attach_offer_decode(struct bytes b, struct attach_offer *out)
{
	struct reader r;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = begin(&r, b, 3)) != E_OK)
		return e;
	reader_bin_fixed(&r, out->author.b, ID_BYTES);
	reader_bin_fixed(&r, out->id.b, ATTACH_ID_BYTES);
	return reader_end(&r);
}

enum err
attach_held_encode(const struct attach_held *h, const struct programme_id *programme,
		   const struct ec_key *key, struct writer *out)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	struct writer w;
	size_t i;

	if (h->count > ATTACH_HELD_MAX || h->time_s > UINT32_MAX)
		return E_LIMIT;
	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 6);
	pack_u64(&w, WORD_VERSION);
	pack_bin(&w, BYTES(h->by.b, ID_BYTES));
	pack_bin(&w, BYTES(h->to.b, ID_BYTES));
	pack_u64(&w, h->incarnation);
	pack_u64(&w, h->time_s);
	pack_array(&w, (uint32_t)h->count);
	for (i = 0; i < h->count; i++) {
		pack_array(&w, 3);
		pack_bin(&w, BYTES(h->rows[i].id.b, ATTACH_ID_BYTES));
		pack_u64(&w, h->rows[i].chunks);
		pack_u64(&w, h->rows[i].status);
	}
	return writer_end(&w) == E_OK
		   ? principal_sign(STATEMENT_ATTACH_HELD, programme, writer_view(&w), key, out)
		   : E_LIMIT;
}

enum err
attach_held_decode(struct bytes b, struct attach_held *out)
{
	struct reader r;
	uint32_t i, count;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = begin(&r, b, 6)) != E_OK)
		return e;
	reader_bin_fixed(&r, out->by.b, ID_BYTES);
	reader_bin_fixed(&r, out->to.b, ID_BYTES);
	out->incarnation = reader_u64(&r);
	out->time_s = reader_u64_max(&r, UINT32_MAX);
	if ((count = reader_array(&r)) > ATTACH_HELD_MAX)
		return E_LIMIT;
	for (i = 0; i < count && r.e == E_OK; i++) {
		struct attach_held_row *row = &out->rows[i];

		reader_array_of(&r, 3);
		reader_bin_fixed(&r, row->id.b, ATTACH_ID_BYTES);
		row->chunks = (uint32_t)reader_u64_max(&r, ATTACH_CHUNKS_MAX);
		row->status = (uint8_t)reader_u64_max(&r, UINT8_MAX);
	}
	out->count = count;
	return reader_end(&r);
}
