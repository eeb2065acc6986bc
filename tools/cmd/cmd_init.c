/* banyan init: begin a programme. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "schemas/areas_table.h"
#include "tools/commands.h"
#include "tools/halfway.h"
#include "tools/json.h"
#include "tools/node/enrol/enrol.h"
#include "tools/root_file.h"
#include "tools/unlock.h"

static enum err
compile_areas(struct call *c, struct writer *out)
{
	struct areas_table table;
	struct arena arena;
	struct bytes csv;
	enum err e;

	if ((e = call_input(c, "areas", &csv)) != E_OK)
		return e;
	arena_init(&arena, 256u << 20);
	if ((e = areas_table_parse(csv, &arena, &table, call_why(c))) == E_OK)
		e = areas_table_pack(&table, out);
	arena_free(&arena);
	return e;
}

/* The place of the keys is taken before the store is made, so that no programme is left without
 * them. */
static enum err
root_open(struct call *c, char path[1024], int *fd)
{
	const char *given = call_option(c, "root-out");
	const char *store = call_store_path(c);
	size_t n = strlen(store);

	while (n > 1 && store[n - 1] == '/')
		n--;
	if (given != NULL)
		(void)snprintf(path, 1024, "%s", given);
	else
		(void)snprintf(path, 1024, "%.*s.root", (int)n, store);
	*fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (*fd < 0)
		return errno == ENOENT ? file_no_folder(path, call_why(c))
				       : why_set(call_why(c), file_error(errno), "%s", path);
	return E_OK;
}

struct root_place {
	struct call *c;
	char path[1024];
	int fd;
};

static enum err
root_write(void *ctx, const struct foundation *f)
{
	struct root_place *root = ctx;
	struct root_file keys;
	struct writer w;
	enum err e;

	keys = (struct root_file){
	    .root = f->root, .recovery = f->recovery, .nodes = {f->node}, .node_count = 1};
	(void)snprintf(keys.programme, sizeof(keys.programme), "%s", f->programme);
	(void)snprintf(keys.area, sizeof(keys.area), "%s", f->area);
	writer_heap_init(&w, 8192);
	root_file_write(&w, &keys);
	crypto_wipe(&keys, sizeof(keys));
	if ((e = writer_end(&w)) == E_OK && (e = file_write_all(root->fd, writer_view(&w))) == E_OK)
		e = fsync(root->fd) != 0 ? E_IO : file_sync_parent(root->path);
	writer_free(&w);
	return e == E_OK ? E_OK : why_set(call_why(root->c), e, "%s", root->path);
}

static void
tell(struct call *c, const struct foundation *f, const char *path)
{
	struct writer w;

	if (call_json(c)) {
		writer_heap_init(&w, 4096);
		writer_str(&w, "{");
		json_key_str(&w, "programme", f->programme);
		json_key_str(&w, "area", f->area);
		json_key_str(&w, "officer", f->officer);
		json_key_str(&w, "root", path);
		writer_str(&w, "}\n");
		call_out_bytes(c, writer_view(&w));
		writer_free(&w);
		return;
	}
	if (f->rooted)
		call_out(
		    c,
		    "An office for %s, above those of the programme \"%s\" that are there, begins in %s, with you as its\n"
		    "officer (\"%s\"). The root key and this office's own recovery key are in %s.\n"
		    "Add the programme's forms (form add), serve, and invite the office that was the topmost:\n"
		    "  banyan invite %s --role node --area ITS-AREA --name NAME --address HOST:PORT\n"
		    "There its officer stops serving and runs  banyan join ITS-STORE banyan1:...\n"
		    "The root key belongs here from now on: in the older office's file strike out the line \"root\".\n",
		    f->area, f->programme, call_store_path(c), f->officer, path,
		    call_store_path(c));
	else
		call_out(
		    c,
		    "The programme \"%s\" begins in %s, with an office for %s and you as its officer (\"%s\").\n"
		    "Its root key and recovery key are in %s.\n"
		    "Keep that file elsewhere, on paper or a stick in a safe, and delete it here: whoever has it can\n"
		    "speak for the programme; without it a lost passphrase is lost for good.\n",
		    f->programme, call_store_path(c), f->area, f->officer, path);
}

/* --root: another office, above those of a programme that is there already. */
static enum err
take_root(struct call *c, struct foundation *f, struct root_file *root)
{
	const char *file = call_option(c, "root");
	enum err e;

	if (file == NULL)
		return f->programme != NULL
			   ? E_OK
			   : why_set(
				 call_why(c), E_USAGE,
				 "--programme NAME is missing (or --root FILE of a programme that is there already)");
	if ((e = root_file_read(root, file, call_why(c))) != E_OK)
		return e;
	if (!root_file_has_root(root))
		return why_set(call_why(c), E_ROOT_FILE, "%s", file);
	if (root->programme[0] == '\0' && f->programme == NULL)
		return why_set(
		    call_why(c), E_USAGE,
		    "the root's FILE is of an older version: say --programme NAME as well");
	if (f->programme == NULL)
		f->programme = root->programme;
	f->root = root->root;
	f->rooted = true;
	return E_OK;
}

static enum err
begin(struct call *c, struct foundation *f)
{
	struct root_place root = {.c = c, .fd = -1};
	struct secret secret;
	struct unlock unlock;
	struct writer areas;
	struct peer *p = NULL;
	enum err e;

	memset(&secret, 0, sizeof(secret));
	writer_heap_init(&areas, CONTROL_PLAIN_BYTES_MAX);
	if ((e = compile_areas(c, &areas)) == E_OK && (e = call_new_secret(c, &secret)) == E_OK &&
	    (e = root_open(c, root.path, &root.fd)) == E_OK) {
		f->areas = writer_view(&areas);
		f->keep = root_write;
		f->ctx = &root;
		unlock = secret_unlock(&secret, f->officer);
		e = enrol_found(&p, call_store_path(c), &unlock, f, call_why(c));
		if (e != E_OK)
			(void)unlink(root.path);
	}
	if (root.fd >= 0)
		(void)close(root.fd);
	peer_close(p);
	if (e == E_OK) {
		call_kept(c, "the programme begins in %s, and its root is in %s",
			  call_store_path(c), root.path);
		tell(c, f, root.path);
	}
	secret_wipe(&secret);
	writer_free(&areas);
	return e;
}

enum err
cmd_init(struct call *c)
{
	struct foundation f = {.programme = call_option(c, "programme"),
			       .area = call_option(c, "area"),
			       .officer = call_option(c, "officer")};
	struct root_file given;
	enum err e;

	memset(&given, 0, sizeof(given));
	if (f.officer == NULL)
		f.officer = "officer";
	if ((e = take_root(c, &f, &given)) == E_OK &&
	    (strlen(f.programme) > NAME_BYTES_MAX || strlen(f.officer) > KEYRING_NAME_BYTES_MAX))
		e = why_set(call_why(c), E_NO_ROOM, "the name");
	if (e == E_OK && (f.programme[0] == '\0' || f.officer[0] == '\0'))
		e = why_set(call_why(c), E_USAGE, "--%s \"\" is no name",
			    f.programme[0] == '\0' ? "programme" : "officer");
	if (e == E_OK)
		e = halfway_free(call_store_path(c),
				 call_why(c)); /* before a passphrase is typed for nothing */
	if (e == E_OK)
		e = begin(c, &f);
	crypto_wipe(&f.root, sizeof(f.root));
	crypto_wipe(&f.recovery, sizeof(f.recovery));
	crypto_wipe(&given, sizeof(given));
	return e;
}
