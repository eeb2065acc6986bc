/* banyan vouch: the root's word that a node follows one that is gone, for an office further down.
 */
#include <string.h>
#include <time.h>

#include "tools/commands.h"
#include "tools/node/enrol/succeed.h"
#include "tools/root_file.h"
#include "tools/successor_file.h"

/* The root's holder says for which office: a request for another one is not signed by mistake. */
static enum err
check(struct call *c, const struct root_file *root, const struct succession *m)
{
	struct programme_id programme;

	programme_id_of(&programme, &root->root.pub);
	if (!ID_EQUAL(&programme, &m->programme))
		return why_set(call_why(c), E_USAGE, "%s is of another programme than the root",
			       call_arg(c, 0));
	if (strcmp(m->area, call_option(c, "area")) != 0)
		return why_set(call_why(c), E_USAGE, "%s asks for the office for %s",
			       call_arg(c, 0), m->area);
	return E_OK;
}

static enum err
sign(struct call *c, const struct root_file *root, struct succession *m)
{
	uint64_t now_s = (uint64_t)time(NULL);
	struct writer statement, text;
	enum err e;

	m->issuer = principal_root(&m->programme);
	m->number = succeed_number(now_s, m, m->number);
	writer_heap_init(&statement, STATEMENT_BYTES_MAX);
	writer_heap_init(&text, 4u * STATEMENT_BYTES_MAX);
	if ((e = succession_encode(m, &root->root, &statement)) == E_OK) {
		successor_word_write(&text, writer_view(&statement), m->area);
		e = writer_end(&text);
	}
	e = e == E_OK ? successor_create(call_option(c, "output"), writer_view(&text), call_why(c))
		      : why_set(call_why(c), e, "%s", call_arg(c, 0));
	writer_free(&statement);
	writer_free(&text);
	return e;
}

static void
tell(struct call *c, const struct succession *m)
{
	char id[2 * ID_BYTES + 1];
	size_t i;

	call_kept(c, "the root's word is in %s", call_option(c, "output"));
	hex_encode(id, m->id.b, ID_BYTES);
	if (call_json(c)) {
		call_out(c, "{\"node\":\"%s\",\"area\":\"%s\"}\n", id, m->area);
		return;
	}
	call_out(c, "The office for %s has the node %s in the place of:\n", m->area, id);
	for (i = 0; i < m->count; i++) {
		hex_encode(id, m->nodes[i].b, ID_BYTES);
		call_out(c, "  %s\n", id);
	}
}

enum err
cmd_vouch(struct call *c)
{
	struct root_file root;
	struct succession m;
	enum err e;

	if ((e = root_file_read(&root, call_option(c, "root"), call_why(c))) != E_OK)
		return e;
	if (!root_file_has_root(&root))
		e = why_set(call_why(c), E_ROOT_FILE, "%s", call_option(c, "root"));
	if (e == E_OK && (e = successor_read(call_arg(c, 0), &m, call_why(c))) == E_OK &&
	    (e = check(c, &root, &m)) == E_OK)
		e = sign(c, &root, &m);
	crypto_wipe(&root, sizeof(root));
	if (e == E_OK)
		tell(c, &m);
	return e;
}
