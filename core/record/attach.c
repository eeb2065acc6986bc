#include "core/record/attach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "banyan attachment 1"
#define PREFIX "attachment:1:"
#define PAD_BYTES 1024u /* the last chunk's length tells a file's size only so far */
#define AD_BYTES (sizeof(LABEL) - 1 + 8)

uint32_t
attach_chunks(uint32_t size)
{
	return size == 0 ? 1 : (size - 1) / ATTACH_CHUNK_BYTES + 1;
}

/* Padded, without its tag. */
static size_t
padded(uint32_t size, uint32_t index)
{
	size_t rest = size - (size_t)index * ATTACH_CHUNK_BYTES;

	if (index + 1 < attach_chunks(size))
		return ATTACH_CHUNK_BYTES;
	return rest == 0 ? PAD_BYTES : (rest + PAD_BYTES - 1) / PAD_BYTES * PAD_BYTES;
}

size_t
attach_chunk_bytes(uint32_t size, uint32_t index)
{
	return padded(size, index) + AEAD_TAG_BYTES;
}

/* A chunk is bound to its place and to the file's length: none can be moved or left out. */
static struct bytes
bind_to(uint8_t ad[AD_BYTES], uint8_t nonce[AEAD_NONCE_BYTES], uint32_t size, uint32_t index)
{
	memcpy(ad, LABEL, sizeof(LABEL) - 1);
	be32_put(ad + sizeof(LABEL) - 1, attach_chunks(size));
	be32_put(ad + sizeof(LABEL) + 3, size);
	memset(nonce, 0, AEAD_NONCE_BYTES);
	be32_put(nonce + AEAD_NONCE_BYTES - 4, index);
	return BYTES(ad, AD_BYTES);
}

static enum err
seal_chunk(const struct attach_ref *ref, uint32_t index, struct bytes plain, struct writer *list,
	   struct writer *sealed)
{
	uint8_t nonce[AEAD_NONCE_BYTES], ad_room[AD_BYTES], hash[SHA256_BYTES];
	struct bytes ad = bind_to(ad_room, nonce, ref->size, index);
	size_t at = (size_t)index * ATTACH_CHUNK_BYTES, n = padded(ref->size, index);
	uint8_t *room = calloc(2, ATTACH_SEALED_BYTES_MAX), *out;
	enum err e;

	if (room == NULL)
		return E_NO_MEMORY;
	out = room + ATTACH_SEALED_BYTES_MAX;
	if (plain.n > at)
		memcpy(room, plain.p + at, plain.n - at < n ? plain.n - at : n);
	if ((e = crypto_aead_seal(out, ref->key, nonce, ad, BYTES(room, n))) == E_OK) {
		crypto_sha256(hash, BYTES(out, n + AEAD_TAG_BYTES));
		writer_mem(list, hash, sizeof(hash));
		writer_mem(sealed, out, n + AEAD_TAG_BYTES);
	}
	crypto_wipe(room, ATTACH_SEALED_BYTES_MAX);
	free(room);
	return e;
}

enum err
attach_id_of(struct bytes list, struct attach_id *out)
{
	struct bytes parts[2] = {BYTES_LIT(LABEL), list};

	if (list.n == 0 || list.n % SHA256_BYTES != 0 || list.n > ATTACH_LIST_BYTES_MAX)
		return E_ATTACHMENT;
	crypto_sha256_parts(out->b, parts, 2);
	return E_OK;
}

enum err
attach_seal(struct attach_ref *ref, struct bytes plain, struct writer *list, struct writer *sealed)
{
	size_t before = list->n;
	uint32_t i;
	enum err e = E_OK;

	if (plain.n > ATTACH_BYTES_MAX)
		return E_LIMIT;
	ref->size = (uint32_t)plain.n;
	for (i = 0; i < attach_chunks(ref->size) && e == E_OK; i++)
		e = seal_chunk(ref, i, plain, list, sealed);
	if (e != E_OK || (e = writer_end(list)) != E_OK || (e = writer_end(sealed)) != E_OK)
		return e;
	return attach_id_of(BYTES(list->p + before, list->n - before), &ref->id);
}

enum err
attach_open(const struct attach_ref *ref, uint32_t index, struct bytes sealed, struct writer *plain)
{
	uint8_t nonce[AEAD_NONCE_BYTES], ad_room[AD_BYTES];
	struct bytes ad = bind_to(ad_room, nonce, ref->size, index);
	size_t at = (size_t)index * ATTACH_CHUNK_BYTES, n;
	uint8_t *room;
	enum err e;

	if (index >= attach_chunks(ref->size) || sealed.n != attach_chunk_bytes(ref->size, index))
		return E_ATTACHMENT;
	if ((room = malloc(ATTACH_SEALED_BYTES_MAX)) == NULL)
		return E_NO_MEMORY;
	n = ref->size - at < ATTACH_CHUNK_BYTES ? ref->size - at : ATTACH_CHUNK_BYTES;
	if ((e = crypto_aead_open(room, ref->key, nonce, ad, sealed)) == E_OK)
		writer_mem(plain, room, n);
	crypto_wipe(room, ATTACH_SEALED_BYTES_MAX);
	free(room);
	return e == E_SEAL ? E_ATTACHMENT : e == E_OK ? writer_end(plain) : e;
}

void
attach_ref_write(const struct attach_ref *ref, struct writer *w)
{
	char id[2 * ATTACH_ID_BYTES + 1], key[2 * AEAD_KEY_BYTES + 1];

	hex_encode(id, ref->id.b, ATTACH_ID_BYTES);
	hex_encode(key, ref->key, AEAD_KEY_BYTES);
	writer_printf(w, PREFIX "%s:%s:%u:%s", id, key, (unsigned)ref->size, ref->name);
	crypto_wipe(key, sizeof(key));
}

bool
attach_ref_read(struct bytes text, struct attach_ref *out)
{
	char copy[ATTACH_REF_BYTES_MAX + 1], *at = copy + sizeof(PREFIX) - 1, *end = copy;
	unsigned long size;

	memset(out, 0, sizeof(*out));
	if (text.n > ATTACH_REF_BYTES_MAX || text.n < sizeof(PREFIX) + 130 ||
	    memcmp(text.p, PREFIX, sizeof(PREFIX) - 1) != 0 || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (at[64] != ':' || at[129] != ':')
		return false;
	at[64] = at[129] = '\0';
	size =
	    at[130] >= '0' && at[130] <= '9' ? strtoul(at + 130, &end, 10) : ATTACH_BYTES_MAX + 1ul;
	if (size > ATTACH_BYTES_MAX || *end != ':' || strlen(end + 1) > ATTACH_NAME_BYTES_MAX ||
	    hex_decode(out->id.b, ATTACH_ID_BYTES, at) != E_OK ||
	    hex_decode(out->key, AEAD_KEY_BYTES, at + 65) != E_OK)
		return false;
	out->size = (uint32_t)size;
	memcpy(out->name, end + 1, strlen(end + 1));
	crypto_wipe(copy, sizeof(copy));
	return true;
}

bool
attach_ref_next(struct bytes plain, size_t *at, struct attach_id *out)
{
	const size_t head = sizeof(PREFIX) - 1, whole = head + 2 * ATTACH_ID_BYTES;
	char digits[2 * ATTACH_ID_BYTES + 1];

	for (; plain.n >= whole && *at <= plain.n - whole; ++*at) {
		const uint8_t *p = memchr(plain.p + *at, PREFIX[0], plain.n - whole + 1 - *at);

		if (p == NULL)
			break;
		*at = (size_t)(p - plain.p);
		if (memcmp(p, PREFIX, head) != 0)
			continue;
		memcpy(digits, p + head, 2 * ATTACH_ID_BYTES);
		digits[2 * ATTACH_ID_BYTES] = '\0';
		if (memchr(digits, '\0', 2 * ATTACH_ID_BYTES) == NULL &&
		    hex_decode(out->b, ATTACH_ID_BYTES, digits) == E_OK) {
			*at += whole;
			return true;
		}
	}
	return false;
}

void
attach_file_name(const struct attach_ref *ref, char *out, size_t cap)
{
	char id[17], *p;

	hex_encode(id, ref->id.b, 8);
	(void)snprintf(out, cap, "%s-%s", id, ref->name);
	for (p = out; *p != '\0'; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || *p == '.' || *p == '_' || *p == '-'))
			*p = '-';
}
