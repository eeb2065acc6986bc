#include "core/record/erasure.h"

#include "core/pack.h"

#define ERASURE_VERSION 1u

static enum err
body_read(struct bytes body, struct erasure *out)
{
	struct reader r;
	uint64_t parts;

	reader_begin(&r, body, ERASURE_VERSION, 7);
	parts = reader_u64(&r);
	if (parts != ERASURE_IDENTIFYING && parts != ERASURE_ALL)
		reader_fail(&r, E_VERSION);
	out->parts = parts == ERASURE_ALL ? ERASURE_ALL : ERASURE_IDENTIFYING;
	reader_bin_fixed(&r, out->record.b, ID_BYTES);
	out->has_leaf = r.e == E_OK && !reader_nil(&r);
	if (out->has_leaf)
		reader_bin_fixed(&r, out->leaf, HASH_BYTES);
	reader_text(&r, out->area, sizeof(out->area), false);
	out->time_s = reader_u64(&r);
	reader_bin_fixed(&r, out->issuer.b, ID_BYTES);
	return reader_end(&r);
}

enum err
erasure_encode(const struct erasure *m, const struct ec_key *issuer, struct writer *out)
{
	struct erasure check;
	uint8_t memory[256];
	struct writer w;
	enum err e;

	writer_init(&w, memory, sizeof(memory));
	pack_array(&w, 7);
	pack_u64(&w, ERASURE_VERSION);
	pack_u64(&w, m->parts);
	pack_bin(&w, BYTES(m->record.b, ID_BYTES));
	if (m->has_leaf)
		pack_bin(&w, BYTES(m->leaf, HASH_BYTES));
	else
		pack_nil(&w);
	pack_cstr(&w, m->area);
	pack_u64(&w, m->time_s);
	pack_bin(&w, BYTES(m->issuer.b, ID_BYTES));
	if ((e = writer_end(&w)) != E_OK || (e = body_read(writer_view(&w), &check)) != E_OK)
		return E_LIMIT;
	return principal_sign(STATEMENT_ERASURE, &m->programme, writer_view(&w), issuer, out);
}

enum err
erasure_decode(struct bytes b, const struct programme_id *programme, struct erasure *out,
	       struct why *why)
{
	struct bytes body;
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = principal_body(b, &body)) == E_OK)
		e = body_read(body, out);
	out->programme = *programme;
	if (e == E_OK)
		return E_OK;
	memset(out, 0, sizeof(*out));
	return why_set(why, e, "an order to erase");
}
