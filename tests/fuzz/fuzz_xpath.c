/* The bytes as an expression over a fixed instance: a value or a reason, in bounded time, and what
 * it reads can be told. */
#include "schemas/xpath.h"
#include "tests/fuzz/fuzz.h"

static struct xml_doc doc;
static struct arena tree;

static struct xml_node *
instance(void *user, const char *id)
{
	(void)user;
	return id[0] == 'd' ? doc.root : NULL;
}

static const char *
itext(void *user, struct arena *arena, const char *id)
{
	(void)user;
	return id[0] == 'n' ? NULL : arena_str(arena, id, strlen(id));
}

static const char *
choice_label(void *user, struct arena *arena, const char *value, struct xml_node *node)
{
	(void)user;
	MUST(node != NULL);
	return value[0] == 'n' ? NULL : arena_str(arena, value, strlen(value));
}

static bool
is_row(void *user, const struct xml_node *node)
{
	(void)user;
	return node->parent != NULL && node->next != NULL;
}

static void
told(void *user, const char *path)
{
	(void)user;
	MUST(strlen(path) < 1u << 20);
}

static void
read_of(void *user, const char *path, bool rows)
{
	(void)user;
	(void)rows;
	MUST(path == NULL || strlen(path) < 1u << 20);
}

/* What a form asks of an expression when it is added. */
static void
inspect(const struct xpath *x, struct arena *arena)
{
	const struct xpath *rest;
	struct xpath_value v;
	const char *id = NULL;
	struct why why;
	bool filtered = false;

	(void)xpath_check(x, &why);
	xpath_paths(x, told, NULL);
	xpath_reads(x, read_of, NULL);
	if (xpath_constant(x))
		MUST(xpath_eval(x, &(struct xpath_context){.arena = arena}, &v, &why) == E_OK);
	rest = xpath_unfiltered(arena, x, &id, &filtered);
	MUST(rest == NULL || id != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
	    "<d a='1'><b>3</b><b>x y</b><c><e>2026-11-22</e><e/></c><f>11.5 104.9;12 105;13 104"
	    "</f><g><b>7</b></g></d>";
	struct xpath_host host = {.instance = instance,
				  .itext = itext,
				  .choice_label = choice_label,
				  .is_row = is_row,
				  .now_ms = 1795311111000,
				  .zone_minutes = 420,
				  .random = 1};
	struct why why = {.e = E_OK};
	const struct xpath *x;
	struct xpath_value v;
	struct arena arena;
	char *copy;

	if (doc.root == NULL) {
		arena_init(&tree, 1u << 20);
		MUST(xml_parse(&doc, bytes_of_str(text), &tree, NULL) == E_OK);
		xml_renumber(doc.root);
	}
	arena_init(&arena,
		   1u << 20); /* sets within sets fill any arena before they run out of steps */
	copy = arena_str(&arena, (const char *)data, size);
	MUST(copy != NULL);
	if (xpath_compile(&x, &arena, copy, NULL, &why) == E_OK) {
		struct xpath_context c = {.arena = &arena,
					  .host = &host,
					  .root = doc.root,
					  .node = xml_child(doc.root, "d")};

		inspect(x, &arena);
		if (xpath_eval(x, &c, &v, &why) == E_OK) {
			(void)xpath_boolean(&v);
			(void)xpath_number(&v, &host, &arena);
			MUST(xpath_string(&v, &arena) != NULL);
		} else {
			MUST(why.e != E_OK);
		}
	} else {
		MUST(why.e != E_OK);
	}
	arena_free(&arena);
	return 0;
}
