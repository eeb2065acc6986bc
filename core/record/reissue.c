#include "core/record/reissue.h"

#include "core/pack.h"

#define ELEMENTS 10u

enum err
reissue_write(const struct reissue *m, const struct revision_body *body, struct writer *out)
{
	pack_array(out, 1);
	pack_array(out, ELEMENTS);
	pack_u64(out, REVISION_REISSUE);
	pack_u64(out, body->form.v);
	pack_u64(out, body->time_s);
	pack_array(out, 0);
	pack_bin(out, BYTES(m->leaf, HASH_BYTES));
	pack_u64(out, m->j);
	pack_bin(out, BYTES(m->author.b, ID_BYTES));
	pack_u64(out, (uint64_t)m->role);
	pack_u64(out, m->received_s);
	pack_bin(out, m->payload);
	return writer_end(out);
}

bool
reissue_is(struct bytes analytic)
{
	struct reader r;

	reader_init(&r, analytic);
	reader_array_of(&r, 1);
	return reader_array(&r) == ELEMENTS && reader_u64(&r) == REVISION_REISSUE && r.e == E_OK;
}

enum err
reissue_read(struct bytes analytic, struct reissue *out)
{
	struct reader r;
	uint64_t role;

	memset(out, 0, sizeof(*out));
	reader_init(&r, analytic);
	reader_array_of(&r, 1);
	reader_array_of(&r, ELEMENTS);
	reader_u64(&r);
	reader_u64_max(&r, UINT32_MAX);
	reader_u64_max(&r, UINT32_MAX);
	reader_array_of(&r, 0);
	reader_bin_fixed(&r, out->leaf, HASH_BYTES);
	out->j = (uint16_t)reader_u64_max(&r, SLICE_REVISIONS_MAX - 1);
	reader_bin_fixed(&r, out->author.b, ID_BYTES);
	role = reader_u64(&r);
	if (r.e == E_OK && !role_known(role))
		reader_fail(&r, E_PARCEL);
	out->role = r.e == E_OK ? (enum role)role : ROLE_MEMBER;
	out->received_s = (uint32_t)reader_u64_max(&r, UINT32_MAX);
	out->payload = reader_bin(&r);
	return reader_end(&r);
}
