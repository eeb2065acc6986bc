/* The bytes as an expression over a fixed instance: a value or a reason, in bounded time. */
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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "<d a='1'><b>3</b><b>x y</b><c><e>2026-11-22</e><e/></c><f>11.5 104.9;12 105;13 104"
	                           "</f><g><b>7</b></g></d>";
	struct xpath_host host = {.instance = instance, .now_ms = 1795311111000, .zone_minutes = 420, .random = 1};
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
	arena_init(&arena, 64u << 20);
	copy = arena_str(&arena, (const char *)data, size);
	MUST(copy != NULL);
	if (xpath_compile(&x, &arena, copy, NULL, &why) == E_OK) {
		struct xpath_context c = {.arena = &arena, .host = &host, .root = doc.root,
		                          .node = xml_child(doc.root, "d")};

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
