#include "tools/successor_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"
#include "tools/node/enrol/succeed.h"

#define TEXT_BYTES_MAX 16384u
#define TITLE "banyan successor 1"
#define TITLE_WORD "banyan word 1"

void
successor_path(char path[SUCCESSOR_PATH_BYTES], const char *store, const char *ending)
{
	size_t n = strlen(store);

	while (n > 1 && store[n - 1] == '/')
		n--;
	(void)snprintf(path, SUCCESSOR_PATH_BYTES, "%.*s%s", (int)n, store, ending);
}

enum err
successor_create(const char *path, struct bytes text, struct why *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	enum err e;

	if (fd < 0)
		return why_set(why, errno == EEXIST ? E_FILE_EXISTS : E_IO, "%s", path);
	if ((e = file_write_all(fd, text)) == E_OK)
		e = fsync(fd) != 0 ? E_IO : file_sync_parent(path);
	if (close(fd) != 0 && e == E_OK)
		e = E_IO;
	if (e != E_OK)
		(void)unlink(path);
	return e == E_OK ? E_OK : why_set(why, e, "%s", path);
}

static void
line_hex(struct writer *w, const char *word, struct bytes b)
{
	char hex[2 * STATEMENT_BYTES_MAX + 1];

	hex_encode(hex, b.p, b.n);
	writer_printf(w, "%s %s\n", word, hex);
}

void
successor_write(struct writer *w, const struct succession *m)
{
	size_t i;

	writer_printf(
	    w,
	    TITLE
	    "\n"
	    "# The office for %s asks for the root's word that its new node follows the one that is gone. Whoever keeps the\n"
	    "# root's file makes sure that it comes from that office, and runs:  banyan vouch THIS-FILE --root FILE --area %s\n",
	    m->area, m->area);
	line_hex(w, "programme", BYTES(m->programme.b, ID_BYTES));
	writer_printf(w, "area %s\n", m->area);
	line_hex(w, "id", BYTES(m->id.b, ID_BYTES));
	line_hex(w, "sign", BYTES(m->sign_pub.b, EC_PUBLIC_BYTES));
	line_hex(w, "seal", BYTES(m->seal_pub.b, EC_PUBLIC_BYTES));
	writer_printf(w, "number %llu\n", (unsigned long long)m->number);
	for (i = 0; i < m->count; i++)
		line_hex(w, "node", BYTES(m->nodes[i].b, ID_BYTES));
}

enum err
successor_ask(char path[SUCCESSOR_PATH_BYTES], const char *store, struct peer *p,
	      const struct principal_id *nodes, size_t count, struct why *why)
{
	struct succession m;
	struct writer text;
	enum err e;

	succeed_wanted(p, &m);
	m.count = count;
	memcpy(m.nodes, nodes, count * sizeof(m.nodes[0]));
	writer_heap_init(&text, TEXT_BYTES_MAX);
	successor_write(&text, &m);
	successor_path(path, store, ".successor");
	e = writer_end(&text);
	e = e == E_OK ? successor_create(path, writer_view(&text), why)
		      : why_set(why, e, "%s", path);
	writer_free(&text);
	return e;
}

static bool
hex_of(uint8_t *out, size_t n, const char *text)
{
	return strlen(text) == 2 * n && hex_decode(out, n, text) == E_OK;
}

static bool
line_take(void *ctx, const char *word, const char *value)
{
	struct succession *m = ctx;

	if (strcmp(word, "programme") == 0)
		return hex_of(m->programme.b, ID_BYTES, value);
	if (strcmp(word, "area") == 0)
		return snprintf(m->area, sizeof(m->area), "%s", value) < (int)sizeof(m->area);
	if (strcmp(word, "id") == 0)
		return hex_of(m->id.b, ID_BYTES, value);
	if (strcmp(word, "sign") == 0)
		return hex_of(m->sign_pub.b, EC_PUBLIC_BYTES, value) &&
		       crypto_ec_check(&m->sign_pub) == E_OK;
	if (strcmp(word, "seal") == 0)
		return hex_of(m->seal_pub.b, EC_PUBLIC_BYTES, value) &&
		       crypto_ec_check(&m->seal_pub) == E_OK;
	if (strcmp(word, "node") == 0)
		return m->count < SUCCESSION_NODES_MAX &&
		       hex_of(m->nodes[m->count++].b, ID_BYTES, value);
	if (strcmp(word, "number") != 0)
		return true;
	return decimal_decode(&m->number, value) && m->number < UINT64_MAX >> 1;
}

typedef bool line_fn(void *ctx, const char *word, const char *value);

static enum err
lines(const char *path, const char *title, line_fn *take, void *ctx, struct why *why)
{
	char *line, *rest = NULL;
	struct writer text;
	enum err e;

	writer_heap_init(&text, TEXT_BYTES_MAX + 1);
	if ((e = file_read(path, TEXT_BYTES_MAX, &text, NULL)) == E_OK)
		writer_u8(&text, 0);
	if (e == E_OK && (e = writer_end(&text)) == E_OK) {
		line = strtok_r((char *)text.p, "\r\n", &rest);
		e = line != NULL && strcmp(line, title) == 0 ? E_OK : E_SUCCESSOR_FILE;
		while (e == E_OK && (line = strtok_r(NULL, "\r\n", &rest)) != NULL) {
			char *value = strchr(line, ' ');

			if (value == NULL || line[0] == '#')
				continue;
			*value++ = '\0';
			e = take(ctx, line, value) ? E_OK : E_SUCCESSOR_FILE;
		}
	} else if (e == E_LIMIT) {
		e = E_SUCCESSOR_FILE;
	}
	writer_free(&text);
	return e == E_OK ? E_OK : why_set(why, e, "%s", path);
}

enum err
successor_read(const char *path, struct succession *out, struct why *why)
{
	enum err e;

	memset(out, 0, sizeof(*out));
	if ((e = lines(path, TITLE, line_take, out, why)) != E_OK)
		return e;
	return out->count > 0 && out->area[0] != '\0' && out->sign_pub.b[0] != 0 &&
		       out->seal_pub.b[0] != 0
		   ? E_OK
		   : why_set(why, E_SUCCESSOR_FILE, "%s", path);
}

void
successor_word_write(struct writer *w, struct bytes statement, const char *area)
{
	writer_printf(
	    w,
	    TITLE_WORD
	    "\n# The root's word for the office for %s: back to it, for  banyan replace STORE NODE --word THIS-FILE\n",
	    area);
	line_hex(w, "succession", statement);
}

static bool
word_take(void *ctx, const char *word, const char *value)
{
	uint8_t memory[STATEMENT_BYTES_MAX];
	size_t n = strlen(value) / 2;

	if (strcmp(word, "succession") != 0)
		return true;
	if (n > sizeof(memory) || !hex_of(memory, n, value))
		return false;
	writer_bytes(ctx, BYTES(memory, n));
	return true;
}

enum err
successor_word_read(const char *path, struct writer *statement, struct why *why)
{
	enum err e = lines(path, TITLE_WORD, word_take, statement, why);

	return e != E_OK || statement->n > 0 ? e : why_set(why, E_SUCCESSOR_FILE, "%s", path);
}
