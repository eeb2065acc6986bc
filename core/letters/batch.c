#include "core/letters/batch.h"
#include "core/crypto/signed.h"

#define LABEL "banyan batch 1"

enum err
batch_thing_put(struct writer *w, const struct batch_thing *x)
{
	pack_array(w, 4);
	pack_u64(w, x->type);
	pack_u64(w, x->kind);
	pack_bin(w, x->leaf);
	pack_bin(w, x->bytes);
	return writer_end(w);
}

static void
body_write(struct writer *w, const struct batch *b)
{
	pack_array(w, 9);
	pack_u64(w, 1);
	pack_bin(w, BYTES(b->by.b, ID_BYTES));
	pack_bin(w, BYTES(b->to.b, ID_BYTES));
	pack_u64(w, b->incarnation);
	pack_u64(w, b->from);
	pack_u64(w, b->seq);
	pack_u64(w, b->heard_incarnation);
	pack_u64(w, b->heard);
	pack_array(w, b->count);
	writer_bytes(w, b->things);
}

enum err
batch_encode(const struct batch *b, const struct programme_id *programme, const struct ec_key *key,
	     struct writer *out)
{
	struct writer body;
	enum err e;

	if (b->count > BATCH_THINGS_MAX || b->from > b->seq)
		return E_LIMIT;
	writer_heap_init(&body, b->things.n + 256);
	body_write(&body, b);
	if ((e = writer_end(&body)) == E_OK)
		e = signed_put(out, LABEL, programme, writer_view(&body), key);
	writer_free(&body);
	return e;
}

static void
thing_read(struct reader *rd, struct batch_thing *x)
{
	reader_array_of(rd, 4);
	x->type = (uint8_t)reader_u64_max(rd, UINT8_MAX);
	x->kind = reader_u64(rd);
	x->leaf = reader_bin(rd);
	x->bytes = reader_bin(rd);
	if (x->leaf.n != 0 && x->leaf.n != HASH_BYTES)
		reader_fail(rd, E_PACK_TYPE);
}

enum err
batch_decode(struct bytes bytes, struct batch *b, struct why *why)
{
	struct bytes body;
	struct reader rd;
	uint32_t i;
	enum err e;

	memset(b, 0, sizeof(*b));
	if ((e = signed_body(bytes, &body)) != E_OK)
		return why_set(why, e, "a batch");
	reader_begin(&rd, body, 1, 9);
	reader_bin_fixed(&rd, b->by.b, ID_BYTES);
	reader_bin_fixed(&rd, b->to.b, ID_BYTES);
	b->incarnation = reader_u64(&rd);
	b->from = reader_u64(&rd);
	b->seq = reader_u64(&rd);
	b->heard_incarnation = reader_u64(&rd);
	b->heard = reader_u64(&rd);
	if ((b->count = reader_array(&rd)) > BATCH_THINGS_MAX || b->from > b->seq)
		reader_fail(&rd, E_LIMIT);
	for (i = 0; i < b->count && rd.e == E_OK; i++) {
		struct batch_thing x;
		const uint8_t *at = rd.p;

		thing_read(&rd, &x);
		if (i == 0)
			b->things.p = at;
		b->things.n = (size_t)(rd.p - b->things.p);
	}
	return (e = reader_end(&rd)) == E_OK ? E_OK : why_set(why, e, "a batch");
}

enum err
batch_verify(struct bytes bytes, const struct programme_id *programme, const struct ec_public *by)
{
	return signed_verify(bytes, LABEL, programme, by);
}

bool
batch_next(const struct batch *b, size_t *at, struct batch_thing *out)
{
	struct reader rd;

	if (*at >= b->things.n)
		return false;
	reader_init(&rd, BYTES(b->things.p + *at, b->things.n - *at));
	thing_read(&rd, out);
	*at = (size_t)(rd.p - b->things.p);
	return rd.e == E_OK;
}
