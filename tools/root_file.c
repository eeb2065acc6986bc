#include "tools/root_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"
#include "tools/successor_file.h"

#define ROOT_FILE_BYTES_MAX 16384u
#define TITLE "banyan root 1"
#define TITLE_RECOVERY "banyan recovery 1"

static const struct ec_key none;

bool
root_file_has_root(const struct root_file *f)
{
	return memcmp(&f->root, &none, sizeof(none)) != 0;
}

static void
line_hex(struct writer *w, const char *word, const uint8_t *p, size_t n)
{
	char hex[2 * EC_SECRET_BYTES + 1];

	hex_encode(hex, p, n);
	writer_printf(w, "%s %s\n", word, hex);
	crypto_wipe(hex, sizeof(hex));
}

void
root_file_write(struct writer *w, const struct root_file *f)
{
	bool root = root_file_has_root(f);
	size_t i;

	if (root)
		writer_printf(
		    w,
		    TITLE
		    "\n"
		    "# The root key and the recovery key of the programme \"%s\".\n"
		    "# Keep this file away from the store: on paper or on a stick in a safe, in two places.\n"
		    "# Whoever has it can speak for the programme and open its stores. Then delete it here.\n",
		    f->programme);
	else
		writer_printf(
		    w,
		    TITLE_RECOVERY
		    "\n"
		    "# The recovery key of the office for %s.\n"
		    "# Keep this file away from the store: on paper or on a stick in a safe, in two places.\n"
		    "# Whoever has it can open this office's store and what is sealed to it. Then delete it here.\n",
		    f->area);
	if (root)
		line_hex(w, "root", f->root.secret, EC_SECRET_BYTES);
	line_hex(w, "recovery", f->recovery.secret, EC_SECRET_BYTES);
	if (f->programme[0] != '\0')
		writer_printf(w, "programme %s\n", f->programme);
	writer_printf(w, "area %s\n", f->area);
	for (i = 0; i < f->node_count; i++)
		line_hex(w, "node", f->nodes[i].b, ID_BYTES);
}

static bool
key_of(struct ec_key *out, const char *hex)
{
	uint8_t secret[EC_SECRET_BYTES];
	bool good = strlen(hex) == 2 * sizeof(secret) &&
		    hex_decode(secret, sizeof(secret), hex) == E_OK &&
		    crypto_ec_from_secret(out, secret) == E_OK;

	crypto_wipe(secret, sizeof(secret));
	return good;
}

/* The newest count: a statement names no more. */
static bool
node_take(struct root_file *f, const char *value)
{
	if (f->node_count == ROOT_FILE_NODES_MAX)
		memmove(&f->nodes[0], &f->nodes[1], --f->node_count * sizeof(f->nodes[0]));
	return strlen(value) == 2 * ID_BYTES &&
	       hex_decode(f->nodes[f->node_count++].b, ID_BYTES, value) == E_OK;
}

/* One line without its end; false: it is not what its word promises. */
static bool
line_take(struct root_file *f, char *line)
{
	char *value = strchr(line, ' ');

	if (value == NULL || line[0] == '#')
		return true;
	*value++ = '\0';
	if (strcmp(line, "root") == 0)
		return key_of(&f->root, value);
	if (strcmp(line, "recovery") == 0)
		return key_of(&f->recovery, value);
	if (strcmp(line, "programme") == 0)
		return snprintf(f->programme, sizeof(f->programme), "%s", value) <
		       (int)sizeof(f->programme);
	if (strcmp(line, "area") == 0)
		return snprintf(f->area, sizeof(f->area), "%s", value) < (int)sizeof(f->area);
	if (strcmp(line, "node") == 0)
		return node_take(f, value);
	return true;
}

static bool
text_take(struct root_file *f, char *text)
{
	char *line, *rest = NULL;
	size_t title = strcspn(text, "\r\n");
	bool below = title == strlen(TITLE_RECOVERY) && memcmp(text, TITLE_RECOVERY, title) == 0;
	bool good = below || (title == strlen(TITLE) && memcmp(text, TITLE, title) == 0);

	for (line = strtok_r(text, "\r\n", &rest); line != NULL && good;
	     line = strtok_r(NULL, "\r\n", &rest))
		good = line_take(f, line);
	return good && !(below && root_file_has_root(f)) &&
	       memcmp(&f->recovery, &none, sizeof(none)) != 0;
}

enum err
root_file_read(struct root_file *out, const char *path, struct why *why)
{
	struct writer text;
	enum err e;

	memset(out, 0, sizeof(*out));
	writer_heap_init(&text, ROOT_FILE_BYTES_MAX + 1);
	e = file_read(path, ROOT_FILE_BYTES_MAX, &text, NULL);
	if (e == E_OK)
		writer_u8(&text, 0);
	if (e == E_LIMIT ||
	    (e == E_OK && writer_end(&text) == E_OK && !text_take(out, (char *)text.p)))
		e = E_ROOT_FILE;
	writer_free(&text);
	if (e != E_OK)
		crypto_wipe(out, sizeof(*out));
	return e == E_OK ? e : why_set(why, e, "%s", path);
}

enum err
root_file_create(char path[ROOT_PATH_BYTES], const char *given, const char *store,
		 const char *ending, const struct root_file *f, struct why *why)
{
	struct writer w;
	enum err e;

	if (given != NULL)
		(void)snprintf(path, ROOT_PATH_BYTES, "%s", given);
	else
		successor_path(path, store, ending);
	writer_heap_init(&w, 8192);
	root_file_write(&w, f);
	e = writer_end(&w) == E_OK ? successor_create(path, writer_view(&w), why)
				   : why_set(why, E_NO_MEMORY, "%s", path);
	writer_free(&w);
	return e;
}

enum err
root_file_add(const char *path, const struct principal_id *node, struct why *why)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	uint8_t memory[64];
	struct writer w;
	bool good;

	writer_init(&w, memory, sizeof(memory));
	line_hex(&w, "node", node->b, ID_BYTES);
	good = fd >= 0 && file_write_all(fd, writer_view(&w)) == E_OK && fsync(fd) == 0;
	if (fd >= 0 && close(fd) != 0)
		good = false;
	return good ? E_OK : why_set(why, E_IO, "%s", path);
}
