#include "core/slice.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/squeeze.h"

enum codec { CODEC_PLAIN = 0, CODEC_ZSTD = 1 };

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
run_begin(struct run *run, const struct programme_id *programme,
	  const struct principal_id *author, uint64_t epoch,
	  const struct run_recipient *to, const struct ec_public *key)
{
	uint8_t room[RUN_INFO_BYTES];

	*run = (struct run){.to = *to, .epoch = epoch};
	return hpke_sender(&run->hpke, run->enc, key,
			   run_info(room, programme, author, epoch));
}

enum err
run_begin_with(struct run *run, const struct programme_id *programme,
	       const struct principal_id *author, uint64_t epoch,
	       const struct run_recipient *to, const struct ec_public *key,
	       const struct ec_key *ephemeral)
{
	uint8_t room[RUN_INFO_BYTES];

	*run = (struct run){.to = *to, .epoch = epoch};
	memcpy(run->enc, ephemeral->pub.b, EC_PUBLIC_BYTES);
	return hpke_sender_with(&run->hpke, AEAD_AES_256_GCM, ephemeral, key,
				run_info(room, programme, author, epoch));
}

enum err
run_open(struct run *run, const struct programme_id *programme,
	 const struct principal_id *author, uint64_t epoch,
	 const struct run_recipient *to, const uint8_t enc[EC_PUBLIC_BYTES],
	 const struct ec_key *key)
{
	uint8_t room[RUN_INFO_BYTES];

	*run = (struct run){.to = *to, .epoch = epoch};
	memcpy(run->enc, enc, EC_PUBLIC_BYTES);
	return hpke_recipient(&run->hpke, enc, key,
			      run_info(room, programme, author, epoch));
}

void
run_wipe(struct run *run)
{
	hpke_wipe(&run->hpke);
	crypto_wipe(run, sizeof(*run));
}

void
run_record_id(struct record_id *out, const uint8_t enc[EC_PUBLIC_BYTES], uint32_t index,
	      uint16_t j)
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
	   const struct record_id *record, struct bytes payload,
	   struct writer *ciphertext)
{
	uint8_t label[LABEL_BYTES], key[AEAD_KEY_BYTES], *room;
	struct writer plain;
	enum err e;

	if (payload.n > SLICE_PLAIN_BYTES_MAX)
		return E_NO_ROOM;
	writer_heap_init(&plain, SLICE_PLAIN_BYTES_MAX + 1u);
	if ((e = codec_pack(payload, &plain)) != E_OK)
		goto done;
	if ((room = writer_space(ciphertext, plain.n + AEAD_TAG_BYTES)) == NULL) {
		e = writer_end(ciphertext);
		goto done;
	}
	slice_label(label, cls, index, record);
	slice_key(run, cls, index, key);
	e = crypto_aead_seal(room, key, nonce, BYTES(label, LABEL_BYTES),
			     writer_view(&plain));
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
	   const struct record_id *record, struct bytes ciphertext,
	   struct writer *payload)
{
	uint8_t key[AEAD_KEY_BYTES];
	enum err e;

	slice_key(run, cls, index, key);
	e = slice_open_with(key, cls, index, record, ciphertext, payload);
	crypto_wipe(key, sizeof(key));
	return e;
}

enum err
slice_open_with(const uint8_t key[AEAD_KEY_BYTES], enum slice_class cls, uint32_t index,
	        const struct record_id *record, struct bytes ciphertext, struct writer *payload)
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
		e = codec_unpack(BYTES(plain, n), SLICE_PLAIN_BYTES_MAX, payload);
	crypto_wipe(plain, n);
	free(plain);
	return e;
}
