/* A bundle written. */
#include "core/store/backup_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/parcel/arrival.h"
#include "core/fault.h"
#include "core/file.h"
#include "core/pack.h"

struct bundle {
	backup_sink_fn *sink;
	void *arg;
	struct backup_seal seal;
	uint8_t *plain, *sealed; /* BACKUP_CHUNK_BYTES, and a tag more */
	size_t n;
	uint64_t bytes, rows;
};

void
backup_kek(const struct store_key *key, const uint8_t salt[BACKUP_SALT_BYTES], uint8_t out[32])
{
	uint8_t info[15 + BACKUP_SALT_BYTES];

	memcpy(info, "banyan backup 1", 15);
	memcpy(info + 15, salt, BACKUP_SALT_BYTES);
	crypto_hkdf_expand(out, 32, BYTES(key->b, sizeof(key->b)), BYTES(info, sizeof(info)));
}

void
backup_nonce(const struct backup_seal *seal, bool final, uint8_t out[AEAD_NONCE_BYTES])
{
	memset(out, 0, AEAD_NONCE_BYTES);
	be64_put(out + 3, seal->index);
	out[AEAD_NONCE_BYTES - 1] = final;
}

static enum err
bundle_out(struct bundle *b, struct bytes part)
{
	b->bytes += part.n;
	return b->sink(b->arg, part);
}

static enum err
bundle_flush(struct bundle *b, bool final)
{
	uint8_t nonce[AEAD_NONCE_BYTES], length[4];
	enum err e;

	backup_nonce(&b->seal, final, nonce);
	e = crypto_aead_seal(b->sealed, b->seal.key, nonce,
			     BYTES(b->seal.header_hash, SHA256_BYTES), BYTES(b->plain, b->n));
	if (e != E_OK)
		return e;
	be32_put(length, (uint32_t)(b->n + AEAD_TAG_BYTES));
	if ((e = bundle_out(b, BYTES(length, sizeof(length)))) == E_OK)
		e = bundle_out(b, BYTES(b->sealed, b->n + AEAD_TAG_BYTES));
	b->n = 0;
	b->seal.index++;
	return e;
}

static enum err
bundle_add(struct bundle *b, struct bytes part)
{
	while (part.n > 0) {
		size_t room = BACKUP_CHUNK_BYTES - b->n;
		enum err e;

		if (room == 0) {
			if ((e = bundle_flush(b, false)) != E_OK)
				return e;
			continue;
		}
		if (room > part.n)
			room = part.n;
		memcpy(b->plain + b->n, part.p, room);
		b->n += room;
		part.p += room;
		part.n -= room;
	}
	return E_OK;
}

static enum err
bundle_header(struct bundle *b, struct store *s, struct why *why)
{
	uint8_t salt[BACKUP_SALT_BYTES], kek[32], wrapped[BACKUP_WRAPPED_BYTES],
	    names[STORE_NAMES_BYTES];
	bool has_names = store_names(s, names), third = store_format_of(s) >= STORE_FORMAT;
	struct writer keys, w;
	enum err e;

	crypto_random(b->seal.key, sizeof(b->seal.key));
	crypto_random(salt, sizeof(salt));
	crypto_random(wrapped, AEAD_NONCE_BYTES);
	backup_kek(store_key_of(s), salt, kek);
	writer_heap_init(&keys, KEYRING_FILE_BYTES_MAX);
	writer_heap_init(&w, BACKUP_HEADER_BYTES_MAX + 16);
	e = crypto_aead_seal(wrapped + AEAD_NONCE_BYTES, kek, wrapped, BYTES(salt, sizeof(salt)),
			     BYTES(b->seal.key, sizeof(b->seal.key)));
	if (e == E_OK)
		e = keyring_read(store_dir(s), &keys, why);
	writer_str(&w, BACKUP_MAGIC);
	writer_be32(&w, 0);
	pack_array(&w, has_names || third ? 6 : 5);
	pack_u64(&w, third ? BACKUP_VERSION_3 : has_names ? BACKUP_VERSION_NAMES : BACKUP_VERSION);
	pack_u64(&w, store_incarnation(s));
	pack_bin(&w, writer_view(&keys));
	pack_bin(&w, BYTES(salt, sizeof(salt)));
	pack_bin(&w, BYTES(wrapped, sizeof(wrapped)));
	if (has_names || third)
		pack_bin(&w, BYTES(names, has_names ? sizeof(names) : 0));
	if (e == E_OK && (e = writer_end(&w)) == E_OK) {
		be32_put(w.p + BACKUP_MAGIC_BYTES, (uint32_t)(w.n - BACKUP_MAGIC_BYTES - 4));
		crypto_sha256(b->seal.header_hash, writer_view(&w));
		e = bundle_out(b, writer_view(&w));
	}
	crypto_wipe(kek, sizeof(kek));
	writer_free(&keys);
	writer_free(&w);
	return e;
}

/* A resumable session is of no use to a restored store, and a revocation may have come
 * since. */
static bool
goes_along(enum store_table table)
{
	return table != STORE_TLS_SESSION;
}

static enum err
bundle_table(struct bundle *b, struct store_txn *txn, enum store_table table)
{
	struct store_cursor *c;
	struct bytes key, value;
	enum err e, ended;

	if ((e = store_walk(txn, table, BYTES_NONE, STORE_FORWARD, &c)) != E_OK)
		return e;
	while (e == E_OK && store_next(c, &key, &value)) {
		uint8_t head[2] = {(uint8_t)table, (uint8_t)key.n}, length[4];

		be32_put(length, (uint32_t)value.n);
		if ((e = bundle_add(b, BYTES(head, 2))) == E_OK &&
		    (e = bundle_add(b, key)) == E_OK &&
		    (e = bundle_add(b, BYTES(length, 4))) == E_OK)
			e = bundle_add(b, value);
		b->rows++;
	}
	ended = store_walk_end(c);
	return e != E_OK ? e : ended;
}

static enum err
bundle_rows(struct bundle *b, struct store_txn *txn, struct backup_info *info)
{
	uint8_t end[1 + 8 + 8] = {STORE_NO_TABLE};
	enum err e = arrival_last(txn, &info->arrival_last);
	unsigned i;

	for (i = 1; i < STORE_TABLE_COUNT && e == E_OK; i++)
		if (goes_along((enum store_table)i))
			e = bundle_table(b, txn, (enum store_table)i);
	be64_put(end + 1, b->rows);
	be64_put(end + 9, info->arrival_last);
	if (e == E_OK && (e = bundle_add(b, BYTES(end, sizeof(end)))) == E_OK)
		e = bundle_flush(b, true);
	return e;
}

enum err
backup_stream(struct store *s, backup_sink_fn *sink, void *arg, struct backup_info *info,
	      struct why *why)
{
	struct bundle b = {.sink = sink, .arg = arg};
	struct store_txn *txn = NULL;
	enum err e = E_NO_MEMORY;

	*info = (struct backup_info){.incarnation = store_incarnation(s)};
	b.plain = fault_malloc(BACKUP_CHUNK_BYTES);
	b.sealed = fault_malloc(BACKUP_CHUNK_BYTES + AEAD_TAG_BYTES);
	if (b.plain != NULL && b.sealed != NULL && (e = store_read_begin(s, &txn)) == E_OK &&
	    (e = bundle_header(&b, s, why)) == E_OK)
		e = bundle_rows(&b, txn, info);
	store_read_end(txn);
	if (b.plain != NULL)
		crypto_wipe(b.plain, BACKUP_CHUNK_BYTES);
	free(b.plain);
	free(b.sealed);
	info->rows = b.rows;
	info->bytes = b.bytes;
	crypto_wipe(&b, sizeof(b));
	return e == E_OK ? E_OK : why_set(why, e, "the backup of %s", store_dir(s));
}

static enum err
sink_fd(void *arg, struct bytes part)
{
	return file_write_all(*(int *)arg, part);
}

static enum err
mark_safe(struct store_txn *txn, void *arg)
{
	return arrival_mark_safe(txn, *(uint64_t *)arg);
}

/* Into `part`, synced. */
static enum err
write_part(struct store *s, const char *part, struct backup_info *info, struct why *why)
{
	int fd = fault_point() ? -1 : open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	enum err e;

	if (fd < 0)
		return file_error(errno);
	e = backup_stream(s, sink_fd, &fd, info, why);
	if (e == E_OK && (fault_point() || fsync(fd) != 0))
		e = file_error(errno);
	if (close(fd) != 0 && e == E_OK)
		e = file_error(errno);
	return e;
}

enum err
backup_write(struct store *s, const char *path, struct backup_info *info, struct why *why)
{
	size_t n = strlen(path) + sizeof(".part");
	char *part = fault_malloc(n);
	enum err e;

	*info = (struct backup_info){0};
	if (part == NULL)
		return why_set(why, E_NO_MEMORY, "%s", path);
	snprintf(part, n, "%s.part", path);
	if (access(path, F_OK) == 0)
		e = E_FILE_EXISTS;
	else if ((e = write_part(s, part, info, why)) != E_OK)
		unlink(part);
	else if (fault_point() || rename(part, path) != 0) {
		e = file_error(errno);
		unlink(part);
	} else if ((e = file_sync_parent(path)) != E_OK)
		unlink(path);
	free(part);
	if (e != E_OK)
		return why_set(why, e, "%s", path);
	/* The bundle stands whatever comes of this; without the mark, devices keep their
	 * copies longer. */
	e = store_write(s, mark_safe, &info->arrival_last);
	return e == E_OK ? E_OK : why_set(why, e, "%s", store_dir(s));
}
