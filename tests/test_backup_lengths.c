/*
 * test_backup_lengths: a backup whose lengths are not so: those that stand in clear, as a bad disk
 * or somebody without any key leaves them; and those inside, as somebody who holds the store's key
 * could seal them.
 */
#include "core/store/backup_inside.h"

#include "core/file.h"
#include "core/pack.h"
#include "tests/store_fixture.h"

static struct fixture f;
static char bundle[PATH_MAX], bad[PATH_MAX];

#define BEHIND (3u << 20) /* of zeros behind the bundle, for who reads as far as he is told */

static enum err
rows_job(struct store_txn *txn, void *arg)
{
	static uint8_t big[300000];

	(void)arg;
	return store_put(txn, STORE_FORM, BYTES_LIT("form"), BYTES(big, sizeof(big)));
}

static bool
begin(struct writer *all)
{
	struct backup_info info;

	fixture_init(&f);
	scratch_path(bundle, f.dir, "bundle");
	scratch_path(bad, f.dir, "bad");
	writer_heap_init(all, 8u << 20);
	return store_write(f.s, rows_job, NULL) == E_OK &&
	       backup_write(f.s, bundle, &info, NULL) == E_OK &&
	       file_read(bundle, 4u << 20, all, NULL) == E_OK;
}

static enum err
checked(struct bytes b)
{
	struct backup_info info;
	FILE *out = fopen(bad, "wb");

	if (out == NULL || fwrite(b.p, 1, b.n, out) != b.n || fclose(out) != 0)
		abort();
	return backup_check(bad, &fixture_unlock, &info, NULL);
}

static void
lengths_in_clear(void)
{
	static const uint32_t chunk[] = {0,
					 1,
					 AEAD_TAG_BYTES - 1,
					 AEAD_TAG_BYTES,
					 AEAD_TAG_BYTES + 1,
					 BACKUP_CHUNK_BYTES_MAX + AEAD_TAG_BYTES,
					 BACKUP_CHUNK_BYTES_MAX + AEAD_TAG_BYTES + 1,
					 2u << 20,
					 UINT32_MAX},
			      header[] = {0, 1, BACKUP_HEADER_BYTES_MAX,
					  BACKUP_HEADER_BYTES_MAX + 1, UINT32_MAX};
	struct writer all;
	size_t i, at;

	REQUIRE(begin(&all));
	CHECK(checked(writer_view(&all)) == E_OK);
	memset(writer_space(&all, BEHIND), 0, BEHIND);
	CHECK(checked(writer_view(&all)) == E_BACKUP);
	at = BACKUP_MAGIC_BYTES + 4 + be32_get(all.p + BACKUP_MAGIC_BYTES);
	for (i = 0; i < sizeof(chunk) / sizeof(chunk[0]); i++) {
		be32_put(all.p + at, chunk[i]);
		CHECK_MSG(checked(writer_view(&all)) == E_BACKUP, "a chunk of %u",
			  (unsigned)chunk[i]);
	}
	for (i = 0; i < sizeof(header) / sizeof(header[0]); i++) {
		be32_put(all.p + BACKUP_MAGIC_BYTES, header[i]);
		CHECK_MSG(checked(writer_view(&all)) == E_BACKUP, "a header of %u",
			  (unsigned)header[i]);
	}
	writer_free(&all);
	fixture_fini(&f);
}

/* ---- with the key ---- */

/* The key of the bundle in `all`, and where its chunks begin. */
static bool
open_seal(struct bytes all, struct backup_seal *seal, size_t *at)
{
	struct reader r;
	struct bytes keys, salt, wrapped;
	struct store_key key;
	uint8_t kek[32];

	*at = BACKUP_MAGIC_BYTES + 4 + be32_get(all.p + BACKUP_MAGIC_BYTES);
	memset(seal, 0, sizeof(*seal));
	crypto_sha256(seal->header_hash, BYTES(all.p, *at));
	reader_init(&r, BYTES(all.p + BACKUP_MAGIC_BYTES + 4, *at - BACKUP_MAGIC_BYTES - 4));
	(void)reader_array(&r);
	(void)reader_u64(&r);
	(void)reader_u64(&r);
	keys = reader_bin(&r);
	salt = reader_bin(&r);
	wrapped = reader_bin(&r);
	if (r.e != E_OK || wrapped.n != BACKUP_WRAPPED_BYTES ||
	    keyring_unseal(keys, &fixture_unlock, &key, NULL, NULL) != E_OK)
		return false;
	backup_kek(&key, salt.p, kek);
	return crypto_aead_open(
		   seal->key, kek, wrapped.p, salt,
		   BYTES(wrapped.p + AEAD_NONCE_BYTES, wrapped.n - AEAD_NONCE_BYTES)) == E_OK;
}

/* All chunks in clear. */
static bool
open_rows(struct bytes all, size_t at, struct backup_seal seal, struct writer *rows)
{
	uint8_t nonce[AEAD_NONCE_BYTES], *room;

	for (; at < all.n; seal.index++) {
		size_t n = be32_get(all.p + at);

		backup_nonce(&seal, at + 4 + n == all.n, nonce);
		if ((room = writer_space(rows, n - AEAD_TAG_BYTES)) == NULL ||
		    crypto_aead_open(room, seal.key, nonce, BYTES(seal.header_hash, SHA256_BYTES),
				     BYTES(all.p + at + 4, n)) != E_OK)
			return false;
		at += 4 + n;
	}
	return true;
}

/* The header as it was, the rows sealed as one chunk that is the last, or two. */
static enum err
sealed_anew(struct bytes header, struct backup_seal seal, struct bytes rows, size_t split)
{
	struct writer out;
	size_t parts = split > 0 ? 2 : 1, i;
	enum err e;

	writer_heap_init(&out, 8u << 20);
	writer_bytes(&out, header);
	for (i = 0; i < parts; i++) {
		struct bytes part = parts == 1 ? rows
				    : i == 0   ? BYTES(rows.p, split)
					       : BYTES(rows.p + split, rows.n - split);
		uint8_t nonce[AEAD_NONCE_BYTES], *room;

		seal.index = i;
		backup_nonce(&seal, i + 1 == parts, nonce);
		writer_be32(&out, (uint32_t)(part.n + AEAD_TAG_BYTES));
		room = writer_space(&out, part.n + AEAD_TAG_BYTES);
		CHECK(room != NULL &&
		      crypto_aead_seal(room, seal.key, nonce, BYTES(seal.header_hash, SHA256_BYTES),
				       part) == E_OK);
	}
	e = checked(writer_view(&out));
	writer_free(&out);
	return e;
}

static void
lengths_inside(void)
{
	struct backup_seal seal;
	struct writer all, rows, bent;
	size_t at, i, end;

	REQUIRE(begin(&all));
	writer_heap_init(&rows, 4u << 20);
	writer_heap_init(&bent, 4u << 20);
	REQUIRE(open_seal(writer_view(&all), &seal, &at) &&
		open_rows(writer_view(&all), at, seal, &rows));
	end = rows.n - 17; /* no table, be64 rows, be64 arrivals */
	CHECK(rows.p[end] == STORE_NO_TABLE);
	for (i = 0; i < 9; i++) {
		static const char *const what[] = {"nothing",
						   "a table that is none",
						   "no key",
						   "a key too long",
						   "a value too long",
						   "a row more than there are",
						   "something behind the end",
						   "no end",
						   "half an end"};
		static const enum err wants[] = {E_OK,     E_BACKUP, E_BACKUP, E_BACKUP, E_BACKUP,
						 E_BACKUP, E_BACKUP, E_BACKUP, E_BACKUP};
		size_t key_n = rows.p[1];
		enum err e;

		writer_reset(&bent);
		writer_bytes(&bent, writer_view(&rows));
		if (i == 1)
			bent.p[0] = STORE_TABLE_COUNT;
		else if (i == 2)
			bent.p[1] = 0;
		else if (i == 3)
			bent.p[1] = STORE_KEY_BYTES_MAX + 1;
		else if (i == 4)
			be32_put(bent.p + 2 + key_n, STORE_VALUE_BYTES_MAX + 1);
		else if (i == 5)
			be64_put(bent.p + end + 1, be64_get(bent.p + end + 1) + 1);
		else if (i == 6)
			writer_u8(&bent, 0);
		else if (i > 6)
			bent.n = i == 7 ? end : end + 9;
		e = sealed_anew(BYTES(all.p, at), seal, writer_view(&bent), 0);
		CHECK_MSG(e == wants[i], "%s: %s", what[i], err_name(e));
	}
	/* a second chunk is what is told to be one; a last one that only has the end's second half
	 */
	CHECK(sealed_anew(BYTES(all.p, at), seal, writer_view(&rows), end + 4) == E_OK);
	writer_free(&bent);
	writer_free(&rows);
	writer_free(&all);
	fixture_fini(&f);
}

CHECK_MAIN(T(lengths_in_clear), T(lengths_inside))
