/* form_bundle: the form as it travels, [1, xform, [[name, content] ...]], and its secondary
 * instances. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/pack.h"
#include "schemas/csv.h"
#include "schemas/form_inside.h"

#define BUNDLE_VERSION 1u

static int
by_name(const void *a, const void *b)
{
	const struct form_file *x = *(const struct form_file *const *)a;
	const struct form_file *y = *(const struct form_file *const *)b;

	return strcmp(x->name, y->name);
}

enum err
form_bundle_write(struct writer *w, struct bytes xform, const struct form_file *files,
		  size_t file_count)
{
	const struct form_file **sorted = calloc(file_count + 1, sizeof(const struct form_file *));
	size_t i, total = xform.n;

	if (sorted == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < file_count; i++) {
		sorted[i] = &files[i];
		total += files[i].content.n + strlen(files[i].name) + 16;
	}
	if (total > CONTROL_PLAIN_BYTES_MAX) {
		free(sorted);
		return E_NO_ROOM;
	}
	qsort(sorted, file_count, sizeof(const struct form_file *), by_name);
	pack_array(w, 3);
	pack_u64(w, BUNDLE_VERSION);
	pack_str(w, xform);
	pack_array(w, (uint32_t)file_count);
	for (i = 0; i < file_count; i++) {
		pack_array(w, 2);
		pack_cstr(w, sorted[i]->name);
		pack_bin(w, sorted[i]->content);
	}
	free(sorted);
	return writer_end(w);
}

enum err
form_open_bundle(struct form_build *b, struct bytes bundle, struct bytes *xform)
{
	struct form *f = b->form;
	struct reader r;
	uint32_t i, n;
	enum err e;

	if (bundle.n > CONTROL_PLAIN_BYTES_MAX)
		return why_set(b->why, E_LIMIT, "the size of the form");
	reader_init(&r, bundle);
	reader_array_of(&r, 3);
	if (reader_u64(&r) != BUNDLE_VERSION && r.e == E_OK)
		return why_set(b->why, E_VERSION, "the form");
	*xform = reader_str(&r);
	n = reader_array(&r);
	f->files = arena_alloc(b->arena, (n + 1u) * sizeof(*f->files));
	if (f->files == NULL)
		return E_NO_MEMORY;
	for (i = 0; i < n && r.e == E_OK; i++) {
		struct bytes name;

		reader_array_of(&r, 2);
		name = reader_str(&r);
		f->files[i].content = reader_bin(&r); /* parsed before the bundle goes away */
		f->files[i].name = arena_str(b->arena, (const char *)name.p, name.n);
		if (f->files[i].name == NULL)
			return E_NO_MEMORY;
		if (i > 0 && strcmp(f->files[i - 1].name, f->files[i].name) >= 0)
			reader_fail(&r, E_PACK_TYPE);
	}
	f->file_count = n;
	if ((e = reader_end(&r)) != E_OK)
		return why_set(b->why, e, "the form's bundle");
	return E_OK;
}

static enum err
csv_item(struct arena *arena, const struct csv_table *t, size_t row, const char *const *names,
	 struct xml_node *list)
{
	struct xml_node *item = xml_new(arena, XML_ELEMENT, "item", ""), *cell;
	size_t j;

	if (item == NULL)
		return E_NO_MEMORY;
	xml_append(list, item);
	for (j = 0; j < t->rows[0].cell_count; j++) {
		const char *s = csv_cell(&t->rows[row], j);

		if ((s = arena_str(arena, s, strlen(s))) == NULL ||
		    (cell = xml_new(arena, XML_ELEMENT, names[j], s)) == NULL)
			return E_NO_MEMORY;
		xml_append(item, cell);
	}
	return E_OK;
}

/* A CSV as <root><item><column>value</column>...</item>...</root>, as jr://file-csv/ says. */
enum err
form_csv_items(struct arena *arena, struct bytes csv, struct xml_node *root, struct why *why)
{
	struct arena scratch;
	struct csv_table table;
	struct xml_node *list = root->first;
	const char **names;
	size_t i;
	enum err e;

	if (list == NULL) {
		if ((list = xml_new(arena, XML_ELEMENT, "root", "")) == NULL)
			return E_NO_MEMORY;
		xml_append(root, list);
	}
	arena_init(&scratch, FORM_ARENA_BYTES_MAX);
	if ((e = csv_parse(csv, &scratch, &table, why)) == E_OK && table.row_count > 0) {
		names = arena_alloc(arena, (table.rows[0].cell_count + 1) * sizeof(char *));
		e = names == NULL ? E_NO_MEMORY : E_OK;
		for (i = 0; e == E_OK && i < table.rows[0].cell_count; i++)
			if ((names[i] = arena_str(arena, table.rows[0].cells[i],
						  strlen(table.rows[0].cells[i]))) == NULL)
				e = E_NO_MEMORY;
		for (i = 1; e == E_OK && i < table.row_count; i++)
			e = csv_item(arena, &table, i, names, list);
	}
	arena_free(&scratch);
	return e;
}

static enum err
read_file(struct form_build *b, struct form_instance *in, const char *src)
{
	const char *slash = strrchr(src, '/'), *name = slash == NULL ? src : slash + 1;
	size_t i;

	in->from_file = true;
	if (strstr(src, "://instance/last-saved") != NULL)
		return E_OK; /* nothing is ever pre-filled from another record: FORMS.md */
	for (i = 0; i < b->form->file_count; i++)
		if (strcmp(b->form->files[i].name, name) == 0)
			break;
	if (i == b->form->file_count)
		return why_set(b->why, E_XFORM,
			       "it needs the file %.100s; put it beside the form and add both",
			       name);
	if (strlen(name) > 4 && strcmp(name + strlen(name) - 4, ".xml") == 0) {
		struct xml_doc doc;
		enum err e = xml_parse(&doc, b->form->files[i].content, b->arena, b->why);

		if (e == E_OK)
			in->root = doc.root;
		return e;
	}
	return form_csv_items(b->arena, b->form->files[i].content, in->root, b->why);
}

struct form_instance *
form_instance_find(const struct form *f, const char *id)
{
	size_t i;

	for (i = 0; i < f->instance_count; i++)
		if (strcmp(f->instances[i].id, id) == 0)
			return &f->instances[i];
	return NULL;
}

/* The first instance element is the primary one; the others are lists. */
enum err
form_build_instances(struct form_build *b, const struct xml_node *model)
{
	struct form *f = b->form;
	struct xml_node *n, *root;
	size_t count = 0;
	const char *src;
	enum err e = E_OK;

	for (n = xml_child(model, "instance"); n != NULL; n = xml_sibling(n, "instance"))
		count++;
	if ((n = xml_child(model, "instance")) == NULL || (f->primary = xml_child(n, "")) == NULL)
		return why_set(b->why, E_XFORM, "its model has no instance");
	if ((f->instances = arena_alloc(b->arena, count * sizeof(*f->instances))) == NULL ||
	    (f->primary_root = xml_new(b->arena, XML_ROOT, "", "")) == NULL)
		return E_NO_MEMORY;
	xml_remove(f->primary);
	xml_append(f->primary_root, f->primary);
	for (n = xml_sibling(n, "instance"); n != NULL && e == E_OK;
	     n = xml_sibling(n, "instance")) {
		struct form_instance *in = &f->instances[f->instance_count++];

		in->id = xml_attribute(n, "", "id");
		if (in->id == NULL)
			return why_set(b->why, E_XFORM, "a secondary instance has no id");
		if ((in->root = xml_new(b->arena, XML_ROOT, "", "")) == NULL)
			return E_NO_MEMORY;
		if ((src = xml_attribute(n, "", "src")) != NULL) {
			e = read_file(b, in, src);
		} else if ((root = xml_child(n, "")) != NULL) {
			/* Its next sibling is wanted no more: an instance has one child element. */
			xml_remove(root);
			xml_append(in->root, root);
		}
		xml_renumber(in->root);
	}
	return e;
}
