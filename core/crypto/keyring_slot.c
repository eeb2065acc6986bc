/* One way to open a store: how a slot's key is made, and what it wraps. */
#include "core/crypto/keyring_inside.h"
#include "core/pack.h"

#define MEMORY_KIB_DEFAULT 65536u /* 64 MiB: what a phone of 2015 can spare */
#define PASSES_DEFAULT 3u
#define MEMORY_KIB_MAX (1u << 20) /* a file may not make us take more than 1 GiB */
#define PASSES_MAX 64u

enum keyring_kind
unlock_kind(const struct unlock *how)
{
	return how->recovery != NULL     ? KEYRING_RECOVERY
	       : how->key_file.p != NULL ? KEYRING_KEY_FILE
					 : KEYRING_PASSPHRASE;
}

static bool
unlock_sound(const struct unlock *how)
{
	int ways =
	    (how->recovery != NULL) + (how->key_file.p != NULL) + (how->passphrase.p != NULL);

	if (ways != 1)
		return false;
	if (how->key_file.p != NULL)
		return how->key_file.n >= KEYRING_KEY_FILE_BYTES_MIN &&
		       how->key_file.n <= KEYRING_KEY_FILE_BYTES_MAX;
	return how->recovery != NULL || how->passphrase.n > 0;
}

static void
slot_tag(const struct slot *s, const char *name, uint8_t out[SLOT_TAG_BYTES])
{
	struct bytes parts[] = {BYTES_LIT("banyan slot name 1"), BYTES(s->salt, sizeof(s->salt)),
				bytes_of_str(name)};
	uint8_t h[SHA256_BYTES];

	crypto_sha256_parts(h, parts, 3);
	memcpy(out, h, SLOT_TAG_BYTES);
}

bool
slot_is_named(const struct slot *s, const char *name)
{
	uint8_t tag[SLOT_TAG_BYTES];

	slot_tag(s, name, tag);
	return memcmp(tag, s->tag, sizeof(tag)) == 0;
}

/* All that stands before the wrapped key is its additional data. */
static void
slot_pack_head(struct writer *w, const struct slot *s)
{
	pack_u64(w, s->kind);
	pack_bin(w, BYTES(s->salt, sizeof(s->salt)));
	pack_u64(w, s->memory_kib);
	pack_u64(w, s->passes);
	pack_bin(w, BYTES(s->tag, sizeof(s->tag)));
	pack_bin(w,
		 s->kind == KEYRING_RECOVERY ? BYTES(s->ephemeral.b, EC_PUBLIC_BYTES) : BYTES_NONE);
}

/* The key that a slot's store key is wrapped under; `agreed` is the ECDH secret of a
 * recovery slot. */
static enum err
slot_kek(const struct slot *s, const struct unlock *how, struct bytes agreed, uint8_t out[32])
{
	uint8_t prk[SHA256_BYTES];

	if (s->kind == KEYRING_PASSPHRASE)
		return crypto_passphrase(out, how->passphrase, s->salt, s->memory_kib, s->passes);
	crypto_hkdf_extract(prk, BYTES(s->salt, sizeof(s->salt)),
			    s->kind == KEYRING_KEY_FILE ? how->key_file : agreed);
	if (s->kind == KEYRING_KEY_FILE) {
		crypto_hkdf_expand(out, 32, BYTES(prk, sizeof(prk)),
				   BYTES_LIT("banyan key file 1"));
	} else {
		uint8_t info[17 + 2 * EC_PUBLIC_BYTES];

		memcpy(info, "banyan recovery 1", 17);
		memcpy(info + 17, s->ephemeral.b, EC_PUBLIC_BYTES);
		memcpy(info + 17 + EC_PUBLIC_BYTES, how->recovery->pub.b, EC_PUBLIC_BYTES);
		crypto_hkdf_expand(out, 32, BYTES(prk, sizeof(prk)), BYTES(info, sizeof(info)));
	}
	crypto_wipe(prk, sizeof(prk));
	return E_OK;
}

static void
name_key(const struct store_key *key, uint8_t out[32])
{
	crypto_hkdf_expand(out, 32, BYTES(key->b, sizeof(key->b)),
			   BYTES_LIT("banyan slot names 1"));
}

static enum err
slot_seal_name(struct slot *s, const struct store_key *key, const char *name)
{
	uint8_t padded[SLOT_NAME_BYTES] = {0}, k[32];
	enum err e;

	memcpy(padded, name, strlen(name));
	name_key(key, k);
	crypto_random(s->name, AEAD_NONCE_BYTES);
	e = crypto_aead_seal(s->name + AEAD_NONCE_BYTES, k, s->name,
			     BYTES(s->salt, sizeof(s->salt)), BYTES(padded, sizeof(padded)));
	crypto_wipe(k, sizeof(k));
	return e;
}

enum err
slot_name(const struct slot *s, const struct store_key *key, char out[SLOT_NAME_BYTES])
{
	uint8_t k[32];
	enum err e;

	name_key(key, k);
	e = crypto_aead_open((uint8_t *)out, k, s->name, BYTES(s->salt, sizeof(s->salt)),
			     BYTES(s->name + AEAD_NONCE_BYTES, sizeof(s->name) - AEAD_NONCE_BYTES));
	crypto_wipe(k, sizeof(k));
	if (e == E_OK && out[SLOT_NAME_BYTES - 1] != '\0')
		e = E_STORE_DAMAGED;
	return e;
}

enum err
slot_seal(struct slot *s, const struct store_key *key, const struct unlock *how,
	  const struct keyring_cost *cost)
{
	const char *name = how->name == NULL ? "" : how->name;
	uint8_t kek[32], agreed[32] = {0}, head_bytes[256];
	struct ec_key ephemeral;
	struct writer head;
	enum err e;

	if (!unlock_sound(how) || strlen(name) > KEYRING_NAME_BYTES_MAX)
		return E_USAGE;
	*s = (struct slot){.kind = unlock_kind(how)};
	crypto_random(s->salt, sizeof(s->salt));
	slot_tag(s, name, s->tag);
	if (s->kind == KEYRING_PASSPHRASE) {
		s->memory_kib =
		    cost != NULL && cost->memory_kib ? cost->memory_kib : MEMORY_KIB_DEFAULT;
		s->passes = cost != NULL && cost->passes ? cost->passes : PASSES_DEFAULT;
	} else if (s->kind == KEYRING_RECOVERY) {
		if ((e = crypto_ec_new(&ephemeral)) == E_OK)
			e = crypto_ec_agree(agreed, &ephemeral, &how->recovery->pub);
		s->ephemeral = ephemeral.pub;
		crypto_wipe(&ephemeral, sizeof(ephemeral));
		if (e != E_OK)
			return e;
	}
	if ((e = slot_kek(s, how, BYTES(agreed, sizeof(agreed)), kek)) != E_OK)
		goto wipe;
	writer_init(&head, head_bytes, sizeof(head_bytes));
	slot_pack_head(&head, s);
	crypto_random(s->wrapped, AEAD_NONCE_BYTES);
	if ((e = writer_end(&head)) == E_OK)
		e = crypto_aead_seal(s->wrapped + AEAD_NONCE_BYTES, kek, s->wrapped,
				     writer_view(&head), BYTES(key->b, sizeof(key->b)));
	if (e == E_OK)
		e = slot_seal_name(s, key, name);
wipe:
	crypto_wipe(kek, sizeof(kek));
	crypto_wipe(agreed, sizeof(agreed));
	return e;
}

enum err
slot_open(const struct slot *s, const struct unlock *how, struct store_key *out)
{
	uint8_t kek[32], agreed[32] = {0}, head_bytes[256];
	struct writer head;
	enum err e;

	if (!unlock_sound(how) || s->kind != unlock_kind(how))
		return E_STORE_KEY;
	if (s->kind == KEYRING_RECOVERY &&
	    (e = crypto_ec_agree(agreed, how->recovery, &s->ephemeral)) != E_OK)
		return e == E_KEY ? E_STORE_DAMAGED : e;
	if ((e = slot_kek(s, how, BYTES(agreed, sizeof(agreed)), kek)) == E_OK) {
		writer_init(&head, head_bytes, sizeof(head_bytes));
		slot_pack_head(&head, s);
		e = crypto_aead_open(
		    out->b, kek, s->wrapped, writer_view(&head),
		    BYTES(s->wrapped + AEAD_NONCE_BYTES, sizeof(s->wrapped) - AEAD_NONCE_BYTES));
	}
	crypto_wipe(kek, sizeof(kek));
	crypto_wipe(agreed, sizeof(agreed));
	return e == E_SEAL ? E_STORE_KEY : e;
}

enum err
slots_encode(const struct slots *k, struct writer *w)
{
	size_t i;

	pack_array(w, 3);
	pack_cstr(w, "banyan keys");
	pack_u64(w, 1);
	pack_array(w, (uint32_t)k->count);
	for (i = 0; i < k->count; i++) {
		pack_array(w, 8);
		slot_pack_head(w, &k->slot[i]);
		pack_bin(w, BYTES(k->slot[i].wrapped, sizeof(k->slot[i].wrapped)));
		pack_bin(w, BYTES(k->slot[i].name, sizeof(k->slot[i].name)));
	}
	return writer_end(w);
}

static void
slot_decode(struct reader *r, struct slot *s)
{
	struct bytes ephemeral;

	reader_array_of(r, 8);
	s->kind = (enum keyring_kind)reader_u64_max(r, KEYRING_RECOVERY);
	reader_bin_fixed(r, s->salt, sizeof(s->salt));
	s->memory_kib = (uint32_t)reader_u64_max(r, MEMORY_KIB_MAX);
	s->passes = (uint32_t)reader_u64_max(r, PASSES_MAX);
	reader_bin_fixed(r, s->tag, sizeof(s->tag));
	ephemeral = reader_bin(r);
	if (ephemeral.n == (s->kind == KEYRING_RECOVERY ? EC_PUBLIC_BYTES : 0u))
		memcpy(s->ephemeral.b, ephemeral.n == 0 ? s->ephemeral.b : ephemeral.p,
		       ephemeral.n);
	else
		reader_fail(r, E_PACK_TYPE);
	reader_bin_fixed(r, s->wrapped, sizeof(s->wrapped));
	reader_bin_fixed(r, s->name, sizeof(s->name));
	if (s->kind == 0)
		reader_fail(r, E_PACK_TYPE);
}

enum err
slots_decode(struct bytes file, struct slots *out)
{
	struct reader r;
	uint64_t version;
	uint32_t i, n;

	*out = (struct slots){.count = 0};
	reader_init(&r, file);
	reader_array_of(&r, 3);
	if (!bytes_equal(reader_str(&r), BYTES_LIT("banyan keys")))
		return E_STORE_DAMAGED;
	version = reader_u64(&r);
	if (r.e == E_OK && version > 1)
		return E_STORE_NEWER;
	n = reader_array(&r);
	if (n == 0 || n > KEYRING_SLOTS_MAX)
		return E_STORE_DAMAGED;
	for (i = 0; i < n; i++)
		slot_decode(&r, &out->slot[i]);
	out->count = n;
	return reader_end(&r) == E_OK && version == 1 ? E_OK : E_STORE_DAMAGED;
}
