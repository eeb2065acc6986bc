#include "core/record/slice.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/pack.h"
#include "core/squeeze.h"

enum codec { CODEC_PLAIN = 0, CODEC_ZSTD = 1, CODEC_BLOCK = 2, CODEC_DICTIONARY = 3 };

#define SQUEEZE_LEAST_BYTES 16u /* a shorter payload never gets shorter */
#define RUN_INFO_BYTES (12u + 2 * ID_BYTES + 8u)

/* What `info` binds a run to: nobody can pass one off as another author's or another
 * programme's. */
static struct bytes
run_info(uint8_t room[RUN_INFO_BYTES], const struct programme_id *programme,
	 const struct principal_id *author, uint64_t epoch)
{
	struct writer w;

	writer_init(&w, room, RUN_INFO_BYTES);
	writer_str(&w, "banyan run 1");
	writer_mem(&w, programme->b, ID_BYTES);
	writer_mem(&w, author->b, ID_BYTES);
	writer_be64(&w, epoch);
	return writer_view(&w);
}

enum err
run_begin(struct run *run, const struct programme_id *programme, const struct principal_id *author,
	  uint64_t epoch, const struct run_recipient *to, const struct ec_public *key)
{
	uint8_t room[RUN_INFO_BYTES];

	*run = (struct run){.to = *to, .epoch = epoch};
	return hpke_sender(&run->hpke, run->enc, key, run_info(room, programme, author, epoch));
}

enum err
run_begin_with(struct run *run, const struct programme_id *programme,
	       const struct principal_id *author, uint64_t epoch, const struct run_recipient *to,
	       const struct ec_public *key, const struct ec_key *ephemeral)
{
	uint8_t room[RUN_INFO_BYTES];

	*run = (struct run){.to = *to, .epoch = epoch};
	memcpy(run->enc, ephemeral->pub.b, EC_PUBLIC_BYTES);
	return hpke_sender_with(&run->hpke, AEAD_AES_256_GCM, ephemeral, key,
				run_info(room, programme, author, epoch));
}

enum err
run_open(struct run *run, const struct programme_id *programme, const struct principal_id *author,
	 uint64_t epoch, const struct run_recipient *to, const uint8_t enc[EC_PUBLIC_BYTES],
	 const struct ec_key *key)
{
	uint8_t room[RUN_INFO_BYTES];

	*run = (struct run){.to = *to, .epoch = epoch};
	memcpy(run->enc, enc, EC_PUBLIC_BYTES);
	return hpke_recipient(&run->hpke, enc, key, run_info(room, programme, author, epoch));
}

void
run_wipe(struct run *run)
{
	hpke_wipe(&run->hpke);
	crypto_wipe(run, sizeof(*run));
}

void
run_record_id(struct record_id *out, const uint8_t enc[EC_PUBLIC_BYTES], uint32_t index, uint16_t j)
{
	uint8_t hash[SHA256_BYTES], tail[6];
	struct bytes parts[] = {BYTES_LIT("banyan record 1"), BYTES(enc, EC_PUBLIC_BYTES),
				BYTES(tail, 6)};

	be32_put(tail, index);
	tail[4] = (uint8_t)(j >> 8);
	tail[5] = (uint8_t)j;
	crypto_sha256_parts(hash, parts, 3);
	memcpy(out->b, hash, ID_BYTES);
}

/* codec || payload, as short as it gets. */
static enum err
codec_pack(struct bytes payload, struct writer *out)
{
	size_t start = out->n;
	enum err e = E_OK;

	if (writer_end(out) != E_OK)
		return writer_end(out);
	writer_u8(out, CODEC_ZSTD);
	if (payload.n >= SQUEEZE_LEAST_BYTES)
		e = squeeze_pack(out, payload, BYTES_NONE, SQUEEZE_LEVEL);
	if (e == E_NO_MEMORY || writer_end(out) == E_NO_MEMORY)
		return E_NO_MEMORY;
	if (e == E_OK && payload.n >= SQUEEZE_LEAST_BYTES && out->n - start <= payload.n)
		return E_OK;
	/* Longer, or past the writer's room because it is longer: as it is. */
	if (e != E_OK && e != E_NO_ROOM)
		return e;
	out->n = start;
	out->e = E_OK;
	writer_u8(out, CODEC_PLAIN);
	writer_bytes(out, payload);
	return writer_end(out);
}

struct dictionary
dictionary_of(uint32_t form, struct bytes content)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, content);
	return (struct dictionary){.content = content, .form = form, .hint = hash[0]};
}

/* codec 2, or 3 with a dictionary; E_SQUEEZE: it makes none. */
static enum err
block_pack(struct bytes payload, const struct dictionary *d, struct writer *out)
{
	writer_u8(out, d == NULL ? CODEC_BLOCK : CODEC_DICTIONARY);
	if (d != NULL)
		writer_u8(out, d->hint);
	return squeeze_pack_block(out, payload, d == NULL ? BYTES_NONE : d->content, SQUEEZE_LEVEL);
}

/* The shortest that the receiver reads. */
static enum err
codec_pack_as(struct bytes payload, bool blocks, const struct dictionary *d, struct writer *out)
{
	const struct dictionary *tries[2] = {d, NULL};
	size_t start = out->n, i;
	struct writer w;
	enum err e = codec_pack(payload, out);

	for (i = d == NULL ? 1 : 0; i < 2 && blocks && e == E_OK; i++) {
		enum err made;

		writer_heap_init(&w, SLICE_PLAIN_BYTES_MAX + 2u);
		made = block_pack(payload, tries[i], &w);
		if (made == E_OK && w.n < out->n - start) {
			out->n = start;
			writer_bytes(out, writer_view(&w));
		} else if (made == E_NO_MEMORY) {
			e = made;
		}
		writer_free(&w);
	}
	return e != E_OK ? e : writer_end(out);
}

/* Do these bytes begin as revisions of this form do? FORMATS.md "Revisions". */
static bool
is_of_form(struct bytes payload, uint32_t form)
{
	struct reader r;

	reader_init(&r, payload);
	if (reader_array(&r) == 0 || reader_array(&r) < 2)
		return false;
	(void)reader_u64(&r);
	return reader_u64(&r) == form && r.e == E_OK;
}

/* The dictionary is the one of that hint whose form the payload turns out to be of. */
static enum err
dictionary_unpack(struct bytes body, const struct dictionary *known, size_t max_bytes,
		  struct writer *payload)
{
	size_t start = payload->n;
	enum err e;

	if (body.n < 2)
		return E_SQUEEZE;
	for (; known != NULL; known = known->next) {
		if (known->hint != body.p[0])
			continue;
		e = squeeze_unpack_block(payload, BYTES(body.p + 1, body.n - 1), known->content,
					 max_bytes);
		if (e == E_OK &&
		    is_of_form(BYTES(payload->p + start, payload->n - start), known->form))
			return E_OK;
		if (e != E_OK && e != E_SQUEEZE)
			return e;
		if (payload->n > start)
			crypto_wipe(payload->p + start, payload->n - start);
		payload->n = start;
	}
	return E_DICTIONARY;
}

static enum err
codec_unpack(struct bytes wrapped, size_t max_bytes, struct writer *payload)
{
	struct bytes body;

	if (wrapped.n == 0)
		return E_SQUEEZE;
	body = BYTES(wrapped.p + 1, wrapped.n - 1);
	switch (wrapped.p[0]) {
	case CODEC_PLAIN:
		if (body.n > max_bytes)
			return E_NO_ROOM;
		writer_bytes(payload, body);
		return writer_end(payload);
	case CODEC_ZSTD:
		return squeeze_unpack(payload, body, BYTES_NONE, max_bytes);
	default:
		return E_VERSION;
	}
}

enum err
control_pack(struct bytes payload, struct writer *out)
{
	size_t start = out->n;
	enum err e;

	if (payload.n > CONTROL_PLAIN_BYTES_MAX)
		return E_NO_ROOM;
	e = codec_pack(payload, out);
	return e == E_OK && out->n - start > CONTROL_BYTES_MAX ? E_NO_ROOM : e;
}

enum err
control_unpack(struct bytes wrapped, struct writer *payload)
{
	return codec_unpack(wrapped, CONTROL_PLAIN_BYTES_MAX, payload);
}

#define LABEL_BYTES (14u + 1u + 4u + ID_BYTES)

/* The additional data; without its last ID_BYTES, what the key is exported for. */
static void
slice_label(uint8_t out[LABEL_BYTES], enum slice_class cls, uint32_t index,
	    const struct record_id *record)
{
	memcpy(out, "banyan slice 1", 14);
	out[14] = (uint8_t)cls;
	be32_put(out + 15, index);
	memcpy(out + 19, record->b, ID_BYTES);
}

static const uint8_t nonce[AEAD_NONCE_BYTES]; /* zero: a key is used once */

enum err
slice_seal(const struct run *run, enum slice_class cls, uint32_t index,
	   const struct record_id *record, struct bytes payload, struct writer *ciphertext)
{
	return slice_seal_as(run, cls, index, record, payload, false, NULL, ciphertext);
}

enum err
slice_seal_as(const struct run *run, enum slice_class cls, uint32_t index,
	      const struct record_id *record, struct bytes payload, bool blocks,
	      const struct dictionary *dictionary, struct writer *ciphertext)
{
	uint8_t label[LABEL_BYTES], key[AEAD_KEY_BYTES], *room;
	struct writer plain;
	enum err e;

	if (payload.n > SLICE_PLAIN_BYTES_MAX)
		return E_NO_ROOM;
	writer_heap_init(&plain, SLICE_PLAIN_BYTES_MAX + 1u);
	if ((e = codec_pack_as(payload, blocks, dictionary, &plain)) != E_OK)
		goto done;
	if ((room = writer_space(ciphertext, plain.n + AEAD_TAG_BYTES)) == NULL) {
		e = writer_end(ciphertext);
		goto done;
	}
	slice_label(label, cls, index, record);
	slice_key(run, cls, index, key);
	e = crypto_aead_seal(room, key, nonce, BYTES(label, LABEL_BYTES), writer_view(&plain));
	crypto_wipe(key, sizeof(key));
	if (e != E_OK)
		ciphertext->n -= plain.n + AEAD_TAG_BYTES;
done:
	writer_free(&plain);
	return e;
}

void
slice_key(const struct run *run, enum slice_class cls, uint32_t index, uint8_t key[AEAD_KEY_BYTES])
{
	static const struct record_id none;
	uint8_t label[LABEL_BYTES];

	slice_label(label, cls, index, &none);
	hpke_export(&run->hpke, BYTES(label, LABEL_BYTES - ID_BYTES), key, AEAD_KEY_BYTES);
}

enum err
slice_open(const struct run *run, enum slice_class cls, uint32_t index,
	   const struct record_id *record, struct bytes ciphertext, struct writer *payload)
{
	return slice_open_as(run, cls, index, record, ciphertext, NULL, payload);
}

enum err
slice_open_as(const struct run *run, enum slice_class cls, uint32_t index,
	      const struct record_id *record, struct bytes ciphertext,
	      const struct dictionary *known, struct writer *payload)
{
	uint8_t key[AEAD_KEY_BYTES];
	enum err e;

	slice_key(run, cls, index, key);
	e = slice_open_with_as(key, cls, index, record, ciphertext, known, payload);
	crypto_wipe(key, sizeof(key));
	return e;
}

enum err
slice_open_with(const uint8_t key[AEAD_KEY_BYTES], enum slice_class cls, uint32_t index,
		const struct record_id *record, struct bytes ciphertext, struct writer *payload)
{
	return slice_open_with_as(key, cls, index, record, ciphertext, NULL, payload);
}

/* What a slice holds; codecs 2 and 3 are a slice's only. */
enum err
slice_unpack(struct bytes wrapped, const struct dictionary *known, struct writer *payload)
{
	struct bytes body = BYTES(wrapped.p + 1, wrapped.n - 1);

	if (wrapped.p[0] == CODEC_BLOCK)
		return squeeze_unpack_block(payload, body, BYTES_NONE, SLICE_PLAIN_BYTES_MAX);
	if (wrapped.p[0] == CODEC_DICTIONARY)
		return dictionary_unpack(body, known, SLICE_PLAIN_BYTES_MAX, payload);
	return codec_unpack(wrapped, SLICE_PLAIN_BYTES_MAX, payload);
}

enum err
slice_open_with_as(const uint8_t key[AEAD_KEY_BYTES], enum slice_class cls, uint32_t index,
		   const struct record_id *record, struct bytes ciphertext,
		   const struct dictionary *known, struct writer *payload)
{
	uint8_t label[LABEL_BYTES], *plain;
	size_t n;
	enum err e;

	if (ciphertext.n <= AEAD_TAG_BYTES || ciphertext.n > SLICE_BYTES_MAX)
		return E_SEAL;
	n = ciphertext.n - AEAD_TAG_BYTES;
	if ((plain = malloc(n)) == NULL)
		return E_NO_MEMORY;
	slice_label(label, cls, index, record);
	e = crypto_aead_open(plain, key, nonce, BYTES(label, LABEL_BYTES), ciphertext);
	if (e == E_OK)
		e = slice_unpack(BYTES(plain, n), known, payload);
	crypto_wipe(plain, n);
	free(plain);
	return e;
}
