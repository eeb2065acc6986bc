/* What goes up to another office: a parcel without its identifying parts, and what it is about,
 * without hashing it. */
#include "core/pack.h"
#include "core/parcel/parcel.h"

/* A ciphertext of `least` bytes or more becomes [its hash]; what is left out already, or is not
 * there, stays as it is. */
static void
strip_part(struct reader *r, size_t least, struct writer *out)
{
	uint8_t hash[HASH_BYTES];
	struct bytes part, whole;

	if (reader_peek(r) != PACK_BIN) {
		writer_bytes(out, reader_skip(r));
		return;
	}
	whole = (struct bytes){r->p, 0};
	part = reader_bin(r);
	if (r->e != E_OK || part.n < least) {
		if (r->e == E_OK)
			writer_bytes(out, BYTES(whole.p, (size_t)(r->p - whole.p)));
		return;
	}
	crypto_sha256(hash, part);
	pack_array(out, 1);
	pack_bin(out, BYTES(hash, sizeof(hash)));
}

/* Which parts go: the identifying ones, or the bodies of control items from `least` bytes on. */
struct stripping {
	bool bodies;
	size_t least;
};

static void
strip_items(struct reader *r, const struct stripping *g, bool control, struct writer *out)
{
	uint32_t i, items = reader_array(r);

	pack_array(out, items);
	for (i = 0; i < items && r->e == E_OK; i++) {
		reader_array_of(r, 4);
		pack_array(out, 4);
		writer_bytes(out, reader_skip(r));
		writer_bytes(out, reader_skip(r));
		if (g->bodies && control)
			strip_part(r, g->least, out);
		else
			writer_bytes(out, reader_skip(r));
		if (g->bodies)
			writer_bytes(out, reader_skip(r));
		else
			strip_part(r, 0, out);
	}
}

static enum err
strip(struct bytes parcel, const struct stripping *g, struct writer *out)
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
		bool control;

		reader_array_of(&r, 4);
		pack_array(out, 4);
		control = reader_peek(&r) == PACK_NIL;
		for (k = 0; k < 3; k++)
			writer_bytes(out, reader_skip(&r));
		strip_items(&r, g, control, out);
	}
	writer_bytes(out, reader_skip(&r));
	return reader_end(&r) != E_OK ? E_PARCEL : writer_end(out);
}

enum err
parcel_strip(struct bytes parcel, struct writer *out)
{
	return strip(parcel, &(struct stripping){false, 0}, out);
}

enum err
parcel_spare(struct bytes parcel, size_t least, struct writer *out)
{
	return strip(parcel, &(struct stripping){true, least}, out);
}

enum err
parcel_body(struct bytes parcel, const uint8_t hash[HASH_BYTES], struct bytes *out)
{
	uint32_t run, runs, items, i, k;
	uint8_t is[HASH_BYTES];
	struct reader r;

	reader_init(&r, parcel);
	reader_array_of(&r, 6);
	for (k = 0; k < 4; k++)
		reader_skip(&r);
	runs = reader_array(&r);
	for (run = 0; run < runs && r.e == E_OK; run++) {
		reader_array_of(&r, 4);
		for (k = 0; k < 3; k++)
			reader_skip(&r);
		for (items = reader_array(&r), i = 0; i < items && r.e == E_OK; i++) {
			reader_array_of(&r, 4);
			reader_skip(&r);
			reader_skip(&r);
			if (reader_peek(&r) == PACK_BIN) {
				*out = reader_bin(&r);
				crypto_sha256(is, *out);
				if (r.e == E_OK && memcmp(is, hash, HASH_BYTES) == 0)
					return E_OK;
			} else {
				reader_skip(&r);
			}
			reader_skip(&r);
		}
	}
	*out = BYTES_NONE;
	return r.e == E_OK ? E_ABSENT : E_PARCEL;
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
