#include "tools/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/root_file.h"
#include "tools/terminal.h"

#define TYPINGS_MAX 3

void
secret_wipe(struct secret *s)
{
	crypto_wipe(s, sizeof(*s));
}

struct unlock
secret_unlock(const struct secret *s, const char *name)
{
	struct unlock how = {.name = name != NULL && name[0] != '\0' ? name : NULL};

	if (s->kind == SECRET_PASSPHRASE)
		how.passphrase = BYTES(s->b, s->count);
	else if (s->kind == SECRET_KEY_FILE)
		how.key_file = BYTES(s->b, s->count);
	else if (s->kind == SECRET_RECOVERY && s->count == sizeof(struct ec_key)) {
		how.recovery = (const struct ec_key *)s->b; /* bytes only: any place suits it */
		how.name = NULL;                            /* it opens for everybody */
	}
	return how;
}

/* slurp: a whole small file; at most `max` bytes. */
static enum err
slurp(struct secret *out, const char *path, size_t max, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t extra;

	if (fd < 0)
		return why_set(why, errno == ENOENT ? E_FILE_ABSENT : E_IO, "%s", path);
	for (out->count = 0;;) {
		bool full = out->count == max;
		ssize_t n =
		    read(fd, full ? &extra : out->b + out->count, full ? 1 : max - out->count);

		if (n == 0)
			break;
		if ((n < 0 && errno != EINTR) || (n > 0 && full)) {
			(void)close(fd);
			return why_set(why, n < 0 ? E_IO : E_NO_ROOM, "%s", path);
		}
		out->count += n > 0 ? (size_t)n : 0;
	}
	(void)close(fd);
	return E_OK;
}

static enum err
from_passphrase_file(struct secret *out, const char *path, struct why *why)
{
	enum err e = slurp(out, path, PASSPHRASE_BYTES_MAX, why);

	if (e != E_OK)
		return e;
	if (out->count > 0 && out->b[out->count - 1] == '\n')
		out->count--;
	if (out->count > 0 && out->b[out->count - 1] == '\r')
		out->count--;
	if (out->count == 0)
		return why_set(why, E_PASSPHRASE, "the file %s is empty", path);
	out->kind = SECRET_PASSPHRASE;
	return E_OK;
}

/* key_file_place: E_KEY_FILE_INSIDE when the file's folder is STORE or below it. */
static enum err
key_file_place(const char *path, const char *store, struct why *why)
{
	char folder[PATH_MAX], real_folder[PATH_MAX], real_store[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t n;

	if (store == NULL || store[0] == '\0')
		return E_OK;
	if (realpath(store, real_store) == NULL) /* no store yet: nothing can lie in it */
		return errno == ENOENT || errno == ENOTDIR ? E_OK : why_set(why, E_IO, "%s", store);
	n = slash == NULL ? 0 : (size_t)(slash - path) + 1;
	if (n >= sizeof(folder))
		return why_set(why, E_LIMIT, "the length of the key file's name");
	(void)snprintf(folder, sizeof(folder), "%.*s", n == 0 ? 1 : (int)n, n == 0 ? "." : path);
	/* A link's own place and what it points to count both. */
	if (realpath(folder, real_folder) == NULL)
		return why_set(why, errno == ENOENT || errno == ENOTDIR ? E_FILE_ABSENT : E_IO,
			       "%s", path);
	n = strlen(real_store);
	if (strncmp(real_folder, real_store, n) == 0 &&
	    (real_folder[n] == '/' || real_folder[n] == '\0'))
		return why_set(why, E_KEY_FILE_INSIDE, "%s", path);
	if (realpath(path, real_folder) == NULL)
		return errno == ENOENT ? E_OK : why_set(why, E_IO, "%s", path);
	if (strncmp(real_folder, real_store, n) == 0 &&
	    (real_folder[n] == '/' || real_folder[n] == '\0'))
		return why_set(why, E_KEY_FILE_INSIDE, "%s", path);
	return E_OK;
}

static enum err
key_file_make(const char *path, struct why *why)
{
	uint8_t key[KEYRING_KEY_FILE_BYTES_MIN];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool good;

	if (fd < 0)
		return errno == EEXIST ? E_OK : why_set(why, E_IO, "%s", path);
	crypto_random(key, sizeof(key));
	good = write(fd, key, sizeof(key)) == (ssize_t)sizeof(key) && fsync(fd) == 0;
	crypto_wipe(key, sizeof(key));
	if (close(fd) != 0 || !good) {
		(void)unlink(path);
		return why_set(why, E_IO, "%s", path);
	}
	return E_OK;
}

static enum err
from_key_file(struct secret *out, const struct unlock_from *from, bool make, struct why *why)
{
	enum err e = key_file_place(from->key_file, from->store, why);

	if (e == E_OK && make)
		e = key_file_make(from->key_file, why);
	if (e == E_OK)
		e = slurp(out, from->key_file, KEYRING_KEY_FILE_BYTES_MAX, why);
	if (e == E_NO_ROOM || (e == E_OK && out->count < KEYRING_KEY_FILE_BYTES_MIN))
		return why_set(why, E_KEY_FILE, "%s", from->key_file);
	if (e == E_OK)
		out->kind = SECRET_KEY_FILE;
	return e;
}

static enum err
from_recovery(struct secret *out, const char *path, struct why *why)
{
	struct root_file keys;
	enum err e = root_file_read(&keys, path, why);

	if (e == E_OK) {
		memcpy(out->b, &keys.recovery, sizeof(keys.recovery));
		out->count = sizeof(keys.recovery);
		out->kind = SECRET_RECOVERY;
	}
	crypto_wipe(&keys, sizeof(keys));
	return e;
}

/* from_files: E_ABSENT when no file was named. */
static enum err
from_files(struct secret *out, const struct unlock_from *from, bool make, struct why *why)
{
	const char *environment = getenv("BANYAN_PASSPHRASE_FILE");

	if (from->recover != NULL)
		return from_recovery(out, from->recover, why);
	if (from->passphrase_file != NULL && from->key_file != NULL)
		return why_set(why, E_USAGE, "--passphrase-file and --key-file are both given");
	if (from->passphrase_file != NULL)
		return from_passphrase_file(out, from->passphrase_file, why);
	if (from->key_file != NULL)
		return from_key_file(out, from, make, why);
	if (!from->ignore_environment && environment != NULL && environment[0] != '\0')
		return from_passphrase_file(out, environment, why);
	return E_ABSENT;
}

/* character_count: code points, so that eight Khmer letters are eight. */
static size_t
character_count(const struct secret *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->count; i++)
		n += (s->b[i] & 0xc0) != 0x80;
	return n;
}

static enum err
ask(struct secret *out, const char *prompt, struct why *why)
{
	enum err e = terminal_ask_secret(prompt, out->b, PASSPHRASE_BYTES_MAX, &out->count);

	if (e == E_OK && out->count == 0)
		return why_set(why, E_PASSPHRASE, "nothing was typed");
	if (e == E_OK)
		out->kind = SECRET_PASSPHRASE;
	return e == E_OK ? E_OK : why_set(why, e, "the passphrase");
}

/* ask_new: typed twice alike, and long enough, within three tries. */
static enum err
ask_new(struct secret *out, struct why *why)
{
	const char *prompt = "New passphrase (8 characters or more; four or five words are best): ";
	struct secret again = {0};
	enum err e = E_OK;
	int i;

	for (i = 0; i < TYPINGS_MAX; i++) {
		if ((e = ask(out, prompt, why)) != E_OK)
			break;
		if (character_count(out) < PASSPHRASE_CHARACTERS_MIN) {
			e = why_set(why, E_PASSPHRASE, "it has less than 8 characters");
			prompt = "That has less than 8 characters. Another one: ";
			continue;
		}
		if ((e = ask(&again, "The same once more: ", why)) != E_OK && e != E_PASSPHRASE)
			break;
		if (again.count == out->count && crypto_equal(again.b, out->b, out->count)) {
			e = E_OK;
			break;
		}
		e = why_set(why, E_PASSPHRASE, "the two typings differ");
		prompt = "The two differ. New passphrase: ";
	}
	secret_wipe(&again);
	return e;
}

enum err
unlock_find(struct secret *out, const struct unlock_from *from, struct why *why)
{
	enum err e;

	memset(out, 0, sizeof(*out));
	e = from_files(out, from, false, why);
	if (e == E_ABSENT)
		e = ask(out, "Passphrase: ", why);
	if (e != E_OK)
		secret_wipe(out);
	return e;
}

enum err
unlock_new(struct secret *out, const struct unlock_from *from, const char **warn, struct why *why)
{
	enum err e;

	memset(out, 0, sizeof(*out));
	if (warn != NULL)
		*warn = NULL;
	e = from_files(out, from, true, why);
	if (e == E_ABSENT)
		e = ask_new(out, why);
	else if (e == E_OK && out->kind == SECRET_PASSPHRASE && warn != NULL &&
		 character_count(out) < PASSPHRASE_CHARACTERS_MIN)
		*warn =
		    "the passphrase has less than 8 characters: whoever takes the store can guess it";
	if (e != E_OK)
		secret_wipe(out);
	return e;
}
