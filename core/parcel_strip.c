/* What goes up to another office: a parcel without its identifying parts, and what it is about, without hashing it. */
#include "core/pack.h"
#include "core/parcel.h"

/* A ciphertext becomes [its hash]; what is left out already, or is not there, stays as it is. */
static void
strip_part(struct reader *r, struct writer *out)
{
	uint8_t hash[HASH_BYTES];

	if (reader_peek(r) != PACK_BIN) {
		writer_bytes(out, reader_skip(r));
		return;
	}
	crypto_sha256(hash, reader_bin(r));
	pack_array(out, 1);
	pack_bin(out, BYTES(hash, sizeof(hash)));
}

static void
strip_items(struct reader *r, struct writer *out)
{
	uint32_t i, k, items = reader_array(r);

	pack_array(out, items);
	for (i = 0; i < items && r->e == E_OK; i++) {
		reader_array_of(r, 4);
		pack_array(out, 4);
		for (k = 0; k < 3; k++)
			writer_bytes(out, reader_skip(r));
		strip_part(r, out);
	}
}

enum err
parcel_strip(struct bytes parcel, struct writer *out)
{
	uint32_t run, runs, k;
	struct reader r;

	reader_init(&r, parcel);
	reader_array_of(&r, 6);
	pack_array(out, 6);
	for (k = 0; k < 4; k++)
		writer_bytes(out, reader_skip(&r));
	runs = reader_array(&r);
	pack_array(out, runs);
	for (run = 0; run < runs && r.e == E_OK; run++) {
		reader_array_of(&r, 4);
		pack_array(out, 4);
		for (k = 0; k < 3; k++)
			writer_bytes(out, reader_skip(&r));
		strip_items(&r, out);
	}
	writer_bytes(out, reader_skip(&r));
	return reader_end(&r) != E_OK ? E_PARCEL : writer_end(out);
}

enum err
parcel_about(struct bytes parcel, char area[AREA_CODE_BYTES_MAX + 1], bool *records)
{
	struct bytes text = BYTES_NONE;
	uint32_t run, runs;
	struct reader r;

	*records = false;
	reader_init(&r, parcel);
	reader_array_of(&r, 6);
	reader_skip(&r);
	reader_skip(&r);
	reader_skip(&r);
	if (!reader_nil(&r))
		text = reader_str(&r);
	if (text.n > AREA_CODE_BYTES_MAX)
		return E_PARCEL;
	memset(area, 0, AREA_CODE_BYTES_MAX + 1);
	if (text.n > 0)
		memcpy(area, text.p, text.n);
	runs = reader_array(&r);
	for (run = 0; run < runs && r.e == E_OK; run++) {
		bool sealed;

		reader_array_of(&r, 4);
		sealed = !reader_nil(&r);
		if (sealed)
			reader_skip(&r);
		*records = *records || (sealed && reader_peek(&r) == PACK_UINT);
		reader_skip(&r);
		reader_skip(&r);
		reader_skip(&r);
	}
	return r.e == E_OK ? E_OK : E_PARCEL;
}
