#include "tools/root_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"

#define ROOT_FILE_BYTES_MAX 16384u
#define TITLE "banyan root 1"

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
	size_t i;

	writer_printf(w,
	              TITLE "\n"
	              "# The root key and the recovery key of the programme \"%s\".\n"
	              "# Keep this file away from the store: on paper or on a stick in a safe, in two places.\n"
	              "# Whoever has it can speak for the programme and open its stores. Then delete it here.\n",
	              f->programme);
	line_hex(w, "root", f->root.secret, EC_SECRET_BYTES);
	line_hex(w, "recovery", f->recovery.secret, EC_SECRET_BYTES);
	writer_printf(w, "programme %s\narea %s\n", f->programme, f->area);
	for (i = 0; i < f->node_count; i++)
		line_hex(w, "node", f->nodes[i].b, ID_BYTES);
}

static bool
key_of(struct ec_key *out, const char *hex)
{
	uint8_t secret[EC_SECRET_BYTES];
	bool good = strlen(hex) == 2 * sizeof(secret) && hex_decode(secret, sizeof(secret), hex) == E_OK &&
	            crypto_ec_from_secret(out, secret) == E_OK;

	crypto_wipe(secret, sizeof(secret));
	return good;
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
		return snprintf(f->programme, sizeof(f->programme), "%s", value) < (int)sizeof(f->programme);
	if (strcmp(line, "area") == 0)
		return snprintf(f->area, sizeof(f->area), "%s", value) < (int)sizeof(f->area);
	if (strcmp(line, "node") == 0)
		return f->node_count < ROOT_FILE_NODES_MAX && strlen(value) == 2 * ID_BYTES &&
		       hex_decode(f->nodes[f->node_count++].b, ID_BYTES, value) == E_OK;
	return true;
}

static bool
text_take(struct root_file *f, char *text)
{
	static const struct ec_key none;
	char *line, *rest = NULL;
	bool good = strncmp(text, TITLE "\n", strlen(TITLE) + 1) == 0 ||
	            strncmp(text, TITLE "\r", strlen(TITLE) + 1) == 0;

	for (line = strtok_r(text, "\r\n", &rest); line != NULL && good; line = strtok_r(NULL, "\r\n", &rest))
		good = line_take(f, line);
	return good && memcmp(&f->root, &none, sizeof(none)) != 0 && memcmp(&f->recovery, &none, sizeof(none)) != 0;
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
	if (e == E_LIMIT || (e == E_OK && writer_end(&text) == E_OK && !text_take(out, (char *)text.p)))
		e = E_ROOT_FILE;
	writer_free(&text);
	if (e != E_OK)
		crypto_wipe(out, sizeof(*out));
	return e == E_OK ? e : why_set(why, e, "%s", path);
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
