/* A bundle read: checked from end to end first, then made into a store. */
#include "core/store/backup_inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fault.h"
#include "core/file.h"
#include "core/pack.h"

#define ROWS_BYTES (1u << 20) /* gathered before they are written */

typedef enum err row_fn(void *arg, enum store_table, struct bytes key, struct bytes value);

struct bundle {
	FILE *f;
	long rows_at; /* where the chunks begin */
	struct backup_seal seal;
	struct store_key key;
	struct writer keys;               /* the key slots that go along */
	uint8_t names[STORE_NAMES_BYTES]; /* the names key, if the store's key was renewed */
	bool has_names;
	uint8_t *sealed, *plain; /* BACKUP_CHUNK_BYTES_MAX and a tag; the open chunk */
	size_t n, at;
	bool final;
	uint8_t *value; /* one row's, grown to its need */
	size_t value_cap;
};

static enum err
read_exactly(FILE *f, void *out, size_t n)
{
	if (fault_point())
		return E_IO;
	if (fread(out, 1, n, f) == n)
		return E_OK;
	return ferror(f) ? E_IO : E_BACKUP;
}

/* The names key, where the header has one: it must in version 2, and may in 3. */
static void
names_read(struct bundle *b, struct reader *r, uint64_t version)
{
	struct bytes names = reader_bin(r);

	b->has_names = names.n == sizeof(b->names);
	if (b->has_names)
		memcpy(b->names, names.p, sizeof(b->names));
	else if (version == BACKUP_VERSION_NAMES || names.n != 0)
		reader_fail(r, E_PACK_TYPE);
}

/* The header's fields; the slots are opened and the bundle's key unwrapped. */
static enum err
header_open(struct bundle *b, struct bytes header, const struct unlock *how,
	    struct backup_info *info)
{
	uint8_t salt[BACKUP_SALT_BYTES], wrapped[BACKUP_WRAPPED_BYTES], kek[32];
	struct bytes keys;
	struct reader r;
	uint64_t version;
	uint32_t count;
	enum err e;

	reader_init(&r, header);
	count = reader_array(&r);
	version = reader_u64(&r);
	if (r.e == E_OK && version > BACKUP_VERSION_3)
		return E_VERSION;
	if (count != (version >= BACKUP_VERSION_NAMES ? 6 : 5))
		reader_fail(&r, E_PACK_TYPE);
	info->incarnation = reader_u64(&r);
	keys = reader_bin(&r);
	reader_bin_fixed(&r, salt, sizeof(salt));
	reader_bin_fixed(&r, wrapped, sizeof(wrapped));
	if (version >= BACKUP_VERSION_NAMES)
		names_read(b, &r, version);
	if (reader_end(&r) != E_OK)
		return E_BACKUP;
	e = keyring_unseal(keys, how, &b->key, NULL, NULL);
	if (e != E_OK)
		return e == E_STORE_DAMAGED ? E_BACKUP : e == E_STORE_NEWER ? E_VERSION : e;
	backup_kek(&b->key, salt, kek);
	e = crypto_aead_open(b->seal.key, kek, wrapped, BYTES(salt, sizeof(salt)),
			     BYTES(wrapped + AEAD_NONCE_BYTES, sizeof(wrapped) - AEAD_NONCE_BYTES));
	crypto_wipe(kek, sizeof(kek));
	if (e != E_OK)
		return e == E_SEAL ? E_BACKUP : e;
	writer_bytes(&b->keys, keys);
	return writer_end(&b->keys);
}

static enum err
header_read(struct bundle *b, const struct unlock *how, struct backup_info *info)
{
	uint8_t start[BACKUP_MAGIC_BYTES + 4], *all;
	uint32_t n;
	enum err e = read_exactly(b->f, start, sizeof(start));

	if (e != E_OK)
		return e;
	if (memcmp(start, BACKUP_MAGIC, BACKUP_MAGIC_BYTES - 1) != 0)
		return E_BACKUP;
	if (start[BACKUP_MAGIC_BYTES - 1] != BACKUP_MAGIC[BACKUP_MAGIC_BYTES - 1])
		return E_VERSION;
	n = be32_get(start + BACKUP_MAGIC_BYTES);
	if (n > BACKUP_HEADER_BYTES_MAX)
		return E_BACKUP;
	if ((all = fault_malloc(sizeof(start) + n)) == NULL)
		return E_NO_MEMORY;
	memcpy(all, start, sizeof(start));
	if ((e = read_exactly(b->f, all + sizeof(start), n)) == E_OK)
		e = header_open(b, BYTES(all + sizeof(start), n), how, info);
	crypto_sha256(b->seal.header_hash, BYTES(all, e == E_OK ? sizeof(start) + n : 0));
	b->rows_at = (long)(sizeof(start) + n);
	free(all);
	return e;
}

static enum err
chunk_next(struct bundle *b)
{
	uint8_t length[4], nonce[AEAD_NONCE_BYTES];
	uint32_t n;
	int c;
	enum err e;

	if (b->final)
		return E_BACKUP; /* rows go on, chunks do not */
	if ((e = read_exactly(b->f, length, sizeof(length))) != E_OK)
		return e;
	n = be32_get(length);
	if (n <= AEAD_TAG_BYTES || n > BACKUP_CHUNK_BYTES_MAX + AEAD_TAG_BYTES)
		return E_BACKUP;
	if ((e = read_exactly(b->f, b->sealed, n)) != E_OK)
		return e;
	/* What is last in the file must have been sealed as the last: a cut is seen. */
	c = getc(b->f);
	b->final = c == EOF;
	if (c != EOF)
		ungetc(c, b->f);
	backup_nonce(&b->seal, b->final, nonce);
	e = crypto_aead_open(b->plain, b->seal.key, nonce, BYTES(b->seal.header_hash, SHA256_BYTES),
			     BYTES(b->sealed, n));
	b->seal.index++;
	b->n = n - AEAD_TAG_BYTES;
	b->at = 0;
	return e == E_SEAL ? E_BACKUP : e;
}

static enum err
bundle_take(struct bundle *b, uint8_t *out, size_t n)
{
	while (n > 0) {
		size_t part = b->n - b->at;
		enum err e;

		if (part == 0) {
			if ((e = chunk_next(b)) != E_OK)
				return e;
			continue;
		}
		if (part > n)
			part = n;
		memcpy(out, b->plain + b->at, part);
		b->at += part;
		out += part;
		n -= part;
	}
	return E_OK;
}

static enum err
value_room(struct bundle *b, size_t n)
{
	uint8_t *p;

	if (n <= b->value_cap)
		return E_OK;
	if ((p = fault_malloc(n)) == NULL)
		return E_NO_MEMORY;
	if (b->value != NULL)
		crypto_wipe(b->value, b->value_cap);
	free(b->value);
	b->value = p;
	b->value_cap = n;
	return E_OK;
}

static enum err
row_read(struct bundle *b, uint8_t table, row_fn *f, void *arg)
{
	uint8_t key_n, key[STORE_KEY_BYTES_MAX], length[4];
	uint32_t n;
	enum err e;

	if (table >= STORE_TABLE_COUNT)
		return E_BACKUP;
	if ((e = bundle_take(b, &key_n, 1)) != E_OK)
		return e;
	if (key_n == 0 || key_n > STORE_KEY_BYTES_MAX)
		return E_BACKUP;
	if ((e = bundle_take(b, key, key_n)) != E_OK || (e = bundle_take(b, length, 4)) != E_OK)
		return e;
	n = be32_get(length);
	if (n > STORE_VALUE_BYTES_MAX)
		return E_BACKUP;
	if ((e = value_room(b, n)) != E_OK || (e = bundle_take(b, b->value, n)) != E_OK)
		return e;
	return f(arg, (enum store_table)table, BYTES(key, key_n), BYTES(b->value, n));
}

/* All rows, from the first; every byte of the file is authenticated on the way. */
static enum err
bundle_walk(struct bundle *b, row_fn *f, void *arg, struct backup_info *info)
{
	uint8_t table, end[16];
	enum err e;

	if (fault_point() || fseek(b->f, b->rows_at, SEEK_SET) != 0)
		return E_IO;
	b->seal.index = 0;
	b->n = b->at = 0;
	b->final = false;
	info->rows = 0;
	for (;;) {
		if ((e = bundle_take(b, &table, 1)) != E_OK)
			return e;
		if (table == STORE_NO_TABLE)
			break;
		if ((e = row_read(b, table, f, arg)) != E_OK)
			return e;
		info->rows++;
	}
	if ((e = bundle_take(b, end, sizeof(end))) != E_OK)
		return e;
	info->arrival_last = be64_get(end + 8);
	info->bytes = (uint64_t)ftell(b->f);
	return b->final && b->at == b->n && be64_get(end) == info->rows ? E_OK : E_BACKUP;
}

static enum err
row_ignore(void *arg, enum store_table table, struct bytes key, struct bytes value)
{
	(void)arg, (void)table, (void)key, (void)value;
	return E_OK;
}

static void
bundle_close(struct bundle *b)
{
	if (b->f != NULL)
		fclose(b->f);
	if (b->plain != NULL)
		crypto_wipe(b->plain, BACKUP_CHUNK_BYTES_MAX);
	if (b->value != NULL)
		crypto_wipe(b->value, b->value_cap);
	free(b->plain);
	free(b->sealed);
	free(b->value);
	writer_free(&b->keys);
	crypto_wipe(b, sizeof(*b));
}

/* Open and check all of it. Closed on failure. */
static enum err
bundle_open(struct bundle *b, const char *path, const struct unlock *how, struct backup_info *info,
	    struct why *why)
{
	enum err e = E_NO_MEMORY;

	*b = (struct bundle){0};
	*info = (struct backup_info){0};
	writer_heap_init(&b->keys, KEYRING_FILE_BYTES_MAX);
	b->sealed = fault_malloc(BACKUP_CHUNK_BYTES_MAX + AEAD_TAG_BYTES);
	b->plain = fault_malloc(BACKUP_CHUNK_BYTES_MAX);
	if (b->sealed == NULL || b->plain == NULL)
		goto close;
	if (fault_point() || (b->f = fopen(path, "rbe")) == NULL)
		e = file_error(errno);
	else if ((e = header_read(b, how, info)) == E_OK)
		e = bundle_walk(b, row_ignore, NULL, info);
	if (e == E_OK)
		return E_OK;
close:
	bundle_close(b);
	return why_set(why, e, "%s", path);
}

enum err
backup_check(const char *path, const struct unlock *how, struct backup_info *info, struct why *why)
{
	struct bundle b;
	enum err e = bundle_open(&b, path, how, info, why);

	if (e == E_OK)
		bundle_close(&b);
	return e;
}

/* Rows gathered for the next job. */
struct gathered {
	struct store *s;
	struct writer rows;
	uint8_t incarnation[STORE_NAME_BYTES];
};

static enum err
rows_job(struct store_txn *txn, void *arg)
{
	const struct gathered *g = arg;
	const uint8_t *p = g->rows.p, *end = p + g->rows.n;
	enum err e = E_OK;

	while (p < end && e == E_OK) {
		size_t key_n = p[1], value_n = be32_get(p + 2 + key_n);

		e = store_put(txn, (enum store_table)p[0], BYTES(p + 2, key_n),
			      BYTES(p + 6 + key_n, value_n));
		p += 6 + key_n + value_n;
	}
	return e;
}

static enum err
rows_flush(struct gathered *g)
{
	enum err e = writer_end(&g->rows);

	if (e == E_OK && g->rows.n > 0)
		e = store_write(g->s, rows_job, g);
	writer_reset(&g->rows);
	return e;
}

static enum err
row_gather(void *arg, enum store_table table, struct bytes key, struct bytes value)
{
	struct gathered *g = arg;

	/* The new store has drawn its own. */
	if (table == STORE_META && bytes_equal(key, BYTES(g->incarnation, STORE_NAME_BYTES)))
		return E_OK;
	writer_u8(&g->rows, (uint8_t)table);
	writer_u8(&g->rows, (uint8_t)key.n);
	writer_bytes(&g->rows, key);
	writer_be32(&g->rows, (uint32_t)value.n);
	writer_bytes(&g->rows, value);
	return g->rows.n < ROWS_BYTES && g->rows.e == E_OK ? E_OK : rows_flush(g);
}

enum err
backup_restore(const char *path, const char *dir, const struct unlock *how,
	       const struct store_options *options, struct backup_info *info, struct why *why)
{
	struct store_options as = options == NULL ? (struct store_options){0} : *options;
	struct gathered g = {0};
	struct bundle b;
	enum err e;

	if ((e = bundle_open(&b, path, how, info, why)) != E_OK)
		return e;
	if (b.has_names)
		as.names = BYTES(b.names, sizeof(b.names));
	e = store_create_with(dir, writer_view(&b.keys), &b.key, &as, &g.s, why);
	if (e != E_OK)
		goto close;
	writer_heap_init(&g.rows, ROWS_BYTES + STORE_VALUE_BYTES_MAX + 1024);
	store_key_name(g.s, STORE_META, BYTES_LIT("incarnation"), g.incarnation);
	if ((e = bundle_walk(&b, row_gather, &g, info)) == E_OK)
		e = rows_flush(&g);
	writer_free(&g.rows);
	if (e != E_OK)
		why_set(why, e, "%s", e == E_BACKUP || e == E_IO ? path : dir);
	else
		e = store_publish(g.s, why);
	store_close(g.s); /* not published: nothing of it stays */
close:
	bundle_close(&b);
	return e;
}
