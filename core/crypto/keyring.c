#include "core/crypto/keyring_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/fault.h"
#include "core/file.h"

#define KEYS "keys"

/* Beside the store, a full or failing disk is the store's error. */
static enum err
store_error(enum err e)
{
	return e == E_IO ? E_STORE_IO : e;
}

enum err
keyring_seal_first(const struct store_key *key, const struct unlock *how,
		   const struct keyring_cost *cost, struct writer *out)
{
	struct slots *k = fault_malloc(sizeof(*k));
	enum err e;

	if (k == NULL)
		return E_NO_MEMORY;
	k->count = 1;
	if ((e = slot_seal(&k->slot[0], key, how, cost)) == E_OK)
		e = slots_encode(k, out);
	free(k);
	return e;
}

enum err
keyring_seal_more(struct writer *file, const struct store_key *key, const struct unlock *how,
		  const struct keyring_cost *cost)
{
	struct slots *k = fault_malloc(sizeof(*k));
	enum err e;

	if (k == NULL)
		return E_NO_MEMORY;
	if ((e = slots_decode(writer_view(file), k)) == E_OK && k->count == KEYRING_SLOTS_MAX)
		e = E_LIMIT;
	if (e == E_OK && (e = slot_seal(&k->slot[k->count], key, how, cost)) == E_OK) {
		k->count++;
		writer_reset(file);
		e = slots_encode(k, file);
	}
	free(k);
	return e;
}

enum err
keyring_unseal(struct bytes file, const struct unlock *how, struct store_key *out,
	       char name_out[KEYRING_NAME_BYTES_MAX + 1], struct why *why)
{
	struct slots *k = fault_malloc(sizeof(*k));
	char name[SLOT_NAME_BYTES];
	enum err e;
	size_t i;

	if (k == NULL)
		return why_set(why, E_NO_MEMORY, "keys");
	if ((e = slots_decode(file, k)) != E_OK)
		goto done;
	e = E_STORE_KEY;
	for (i = 0; i < k->count && e == E_STORE_KEY; i++) {
		if (how->name != NULL && !slot_is_named(&k->slot[i], how->name))
			continue;
		if ((e = slot_open(&k->slot[i], how, out)) != E_OK)
			continue;
		if ((e = slot_name(&k->slot[i], out, name)) == E_OK && name_out != NULL)
			memcpy(name_out, name, sizeof(name));
		else if (e == E_SEAL)
			e = E_STORE_DAMAGED;
	}
done:
	free(k);
	return e == E_OK ? E_OK : why_set(why, e, "keys");
}

/* Old wrapped keys should not outlive their passphrase in the free blocks of a disk. */
static enum err
overwrite(int fd)
{
	uint8_t noise[KEYRING_FILE_BYTES_MAX];
	struct stat st;
	size_t n;

	if (fault_point() || fstat(fd, &st) != 0)
		return E_STORE_IO;
	n = st.st_size > (off_t)sizeof(noise) ? sizeof(noise) : (size_t)st.st_size;
	crypto_random(noise, n);
	if (lseek(fd, 0, SEEK_SET) != 0 || file_write_all(fd, BYTES(noise, n)) != E_OK)
		return E_STORE_IO;
	return fault_point() || fsync(fd) != 0 ? E_STORE_IO : E_OK;
}

enum err
keyring_write(const char *dir, struct bytes file, struct why *why)
{
	char *path = file_join(dir, KEYS);
	enum err e;
	int old;

	if (path == NULL)
		return why_set(why, E_NO_MEMORY, "keys");
	old = open(path, O_WRONLY | O_CLOEXEC);
	free(path);
	if ((e = store_error(file_replace(dir, KEYS, file, why))) == E_OK && old >= 0)
		(void)overwrite(old); /* the new file stands; this is only tidiness */
	if (old >= 0)
		close(old);
	return e == E_OK ? E_OK : why_set(why, e, "%s/keys", dir);
}

enum err
keyring_read(const char *dir, struct writer *out, struct why *why)
{
	char *path = file_join(dir, KEYS);
	enum err e;

	if (path == NULL)
		return why_set(why, E_NO_MEMORY, "keys");
	e = file_read(path, KEYRING_FILE_BYTES_MAX, out, NULL);
	free(path);
	if (e == E_OK && out->n == 0)
		e = E_STORE_WIPED;
	if (e == E_FILE_ABSENT)
		e = file_probe(dir, "data.mdb") == E_OK ? E_STORE_WIPED : E_STORE_ABSENT;
	else if (e == E_LIMIT)
		e = E_STORE_DAMAGED;
	return e == E_OK ? E_OK : why_set(why, store_error(e), "%s", dir);
}

enum err
keyring_open(const char *dir, const struct unlock *how, struct store_key *out,
	     char name_out[KEYRING_NAME_BYTES_MAX + 1], struct why *why)
{
	struct writer file;
	enum err e;

	writer_heap_init(&file, KEYRING_FILE_BYTES_MAX);
	if ((e = keyring_read(dir, &file, why)) == E_OK &&
	    (e = keyring_unseal(writer_view(&file), how, out, name_out, NULL)) != E_OK)
		why_set(why, e, "%s", dir);
	writer_free(&file);
	return e;
}

static enum err
slots_load(const char *dir, struct slots **out, struct why *why)
{
	struct slots *k = fault_malloc(sizeof(*k));
	struct writer file;
	enum err e;

	*out = NULL;
	if (k == NULL)
		return why_set(why, E_NO_MEMORY, "keys");
	writer_heap_init(&file, KEYRING_FILE_BYTES_MAX);
	if ((e = keyring_read(dir, &file, why)) == E_OK &&
	    (e = slots_decode(writer_view(&file), k)) != E_OK)
		why_set(why, e, "%s", dir);
	writer_free(&file);
	if (e == E_OK)
		*out = k;
	else
		free(k);
	return e;
}

static enum err
slots_save(const char *dir, const struct slots *k, struct why *why)
{
	struct writer file;
	enum err e;

	writer_heap_init(&file, KEYRING_FILE_BYTES_MAX);
	if ((e = slots_encode(k, &file)) == E_OK)
		e = keyring_write(dir, writer_view(&file), why);
	else
		why_set(why, e, "%s/keys", dir);
	writer_free(&file);
	return e;
}

/* The place of (name, kind), any kind if 0; E_ABSENT, or E_STORE_DAMAGED. */
static enum err
slots_find(const struct slots *k, const struct store_key *key, const char *name, int kind,
	   size_t *at)
{
	char its[SLOT_NAME_BYTES];

	for (*at = 0; *at < k->count; (*at)++) {
		const struct slot *s = &k->slot[*at];

		if ((kind != 0 && (int)s->kind != kind) || !slot_is_named(s, name))
			continue;
		if (slot_name(s, key, its) != E_OK)
			return E_STORE_DAMAGED;
		if (strcmp(its, name) == 0)
			return E_OK;
	}
	return E_ABSENT;
}

static enum err
slot_set(const char *dir, const struct store_key *key, const struct unlock *how,
	 const struct keyring_cost *cost, bool replace, struct why *why)
{
	const char *name = how->name == NULL ? "" : how->name;
	struct slots *k;
	size_t at;
	enum err e;

	if ((e = slots_load(dir, &k, why)) != E_OK)
		return e;
	e = slots_find(k, key, name, (int)unlock_kind(how), &at);
	if (!replace && e == E_OK)
		e = why_set(why, E_NAME_TAKEN, "%s", name);
	else if (replace && e == E_ABSENT)
		why_set(why, e, "passphrase or key of \"%s\"", name);
	else if (!replace && e == E_ABSENT)
		e = k->count == KEYRING_SLOTS_MAX ? why_set(why, E_LIMIT, "the number of key slots")
						  : E_OK;
	if (e == E_OK) {
		if ((e = slot_seal(&k->slot[at], key, how, cost)) != E_OK)
			why_set(why, e,
				"the passphrase must not be empty, a key file has %u to "
				"%u bytes",
				KEYRING_KEY_FILE_BYTES_MIN, KEYRING_KEY_FILE_BYTES_MAX);
		else if (at == k->count)
			k->count++;
	}
	if (e == E_OK)
		e = slots_save(dir, k, why);
	free(k);
	return e;
}

enum err
keyring_add(const char *dir, const struct store_key *key, const struct unlock *how,
	    const struct keyring_cost *cost, struct why *why)
{
	return slot_set(dir, key, how, cost, false, why);
}

enum err
keyring_replace(const char *dir, const struct store_key *key, const struct unlock *how,
		const struct keyring_cost *cost, struct why *why)
{
	return slot_set(dir, key, how, cost, true, why);
}

enum err
keyring_remove(const char *dir, const struct store_key *key, const char *name, struct why *why)
{
	struct slots *k;
	bool found = false;
	size_t at;
	enum err e;

	if ((e = slots_load(dir, &k, why)) != E_OK)
		return e;
	while ((e = slots_find(k, key, name, 0, &at)) == E_OK) {
		found = true;
		memmove(&k->slot[at], &k->slot[at + 1], (k->count - at - 1) * sizeof(k->slot[0]));
		k->count--;
	}
	if (e == E_ABSENT && !found)
		why_set(why, e, "passphrase or key of \"%s\"", name);
	else if (e == E_ABSENT && k->count == 0)
		e = why_set(why, E_USAGE,
			    "\"%s\" is the last who can open the store: add another first", name);
	else if (e == E_ABSENT)
		e = slots_save(dir, k, why);
	else
		why_set(why, e, "%s/keys", dir);
	free(k);
	return e;
}

enum err
keyring_list(const char *dir, const struct store_key *key,
	     struct keyring_slot out[KEYRING_SLOTS_MAX], size_t *count, struct why *why)
{
	struct slots *k;
	size_t i;
	enum err e;

	*count = 0;
	if ((e = slots_load(dir, &k, why)) != E_OK)
		return e;
	for (i = 0; i < k->count && e == E_OK; i++) {
		out[i].kind = k->slot[i].kind;
		if (slot_name(&k->slot[i], key, out[i].name) != E_OK)
			e = why_set(why, E_STORE_DAMAGED, "%s/keys", dir);
	}
	*count = e == E_OK ? k->count : 0;
	free(k);
	return e;
}

enum err
keyring_wipe(const char *dir, struct why *why)
{
	char *path = file_join(dir, KEYS);
	enum err e = E_OK;
	int fd = -1;

	if (path == NULL)
		e = E_NO_MEMORY;
	else if (fault_point() || (fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		e = errno == ENOENT ? E_STORE_ABSENT : E_STORE_IO;
	if (e == E_OK) {
		e = overwrite(fd);
		/* An empty file is a wiped store, too, should its name stay. Unlinked even if
		 * overwriting failed: less is left. */
		if (e == E_OK && ftruncate(fd, 0) != 0)
			e = E_STORE_IO;
		if (fault_point() || unlink(path) != 0)
			e = E_STORE_IO;
		file_unlink(dir, KEYS ".new");
		if (file_sync_dir(dir) != E_OK)
			e = E_STORE_IO;
		close(fd);
	}
	free(path);
	return e == E_OK ? E_OK : why_set(why, e, "%s", dir);
}
