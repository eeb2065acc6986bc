/* form: the compiled form's outside, and the order in which it is built. */
#include "schemas/form.h"

#include <stdlib.h>

#include "core/crypto/crypto.h"
#include "schemas/form_inside.h"

const enum value_kind question_kinds[] = {
#define X(name, xlsform, cls, kind) kind,
#include "schemas/question.def"
#undef X
};
const enum sensitivity question_classes[] = {
#define X(name, xlsform, cls, kind) cls,
#include "schemas/question.def"
#undef X
};
const char *const question_names[] = {
#define X(name, xlsform, cls, kind) xlsform,
#include "schemas/question.def"
#undef X
};

static const struct xml_node *
find_below(const struct xml_node *n, const char *name)
{
	const struct xml_node *c, *found = NULL;

	for (c = xml_child(n, ""); c != NULL && found == NULL; c = xml_sibling(c, ""))
		found = strcmp(c->name, name) == 0 ? c : find_below(c, name);
	return found;
}

static enum err
build(struct form_build *b, struct bytes bundle)
{
	struct form *f = b->form;
	const struct xml_node *html, *head, *model, *title, *body;
	struct bytes xform;
	enum err e;

	if ((e = form_open_bundle(b, bundle, &xform)) != E_OK ||
	    (e = xml_parse(&f->doc, xform, b->arena, b->why)) != E_OK)
		return e;
	html = xml_child(f->doc.root, "html");
	if (html == NULL || (head = xml_child(html, "head")) == NULL ||
	    (body = xml_child(html, "body")) == NULL)
		return why_set(b->why, E_XFORM, "it needs html with head and body");
	if ((model = find_below(head, "model")) == NULL)
		return why_set(b->why, E_XFORM, "it has no model");
	title = xml_child(head, "title");
	f->title = title == NULL ? NULL : xml_string(title, b->arena);
	if ((e = form_build_instances(b, model)) != E_OK ||
	    (e = form_build_languages(b, model)) != E_OK || (e = form_build_nodes(b)) != E_OK ||
	    (e = form_build_local(b)) != E_OK || (e = form_build_binds(b, model)) != E_OK ||
	    (e = form_build_repeats(b, body)) != E_OK || (e = form_build_body(b, body)) != E_OK)
		return e;
	if (f->title == NULL || f->title[0] == '\0')
		f->title = f->id;
	if ((e = form_build_fields(b)) != E_OK || (e = form_check_local(b)) != E_OK)
		return e;
	return form_check_circles(b);
}

enum err
form_read(struct form **out, struct bytes bundle, struct why *why)
{
	struct form *f = calloc(1, sizeof(*f));
	struct form_build b = {.form = f, .why = why};
	uint8_t hash[SHA256_BYTES];
	enum err e;

	*out = NULL;
	if (f == NULL)
		return E_NO_MEMORY;
	arena_init(&f->arena, FORM_ARENA_BYTES_MAX);
	b.arena = &f->arena;
	crypto_sha256(hash, bundle);
	f->key.v = be32_get(hash);
	if ((e = build(&b, bundle)) != E_OK) {
		form_free(f);
		return e;
	}
	*out = f;
	return E_OK;
}

void
form_free(struct form *f)
{
	if (f == NULL)
		return;
	arena_free(&f->arena);
	free(f);
}

const char *
form_id(const struct form *f)
{
	return f->id;
}

const char *
form_version(const struct form *f)
{
	return f->version;
}

const char *
form_title(const struct form *f, const char *lang)
{
	(void)lang; /* an XForm has one title */
	return f->title;
}

struct form_key
form_key(const struct form *f)
{
	return f->key;
}

size_t
form_language_count(const struct form *f)
{
	return f->language_count;
}

const char *
form_language(const struct form *f, size_t index)
{
	return f->languages[index];
}

const char *
form_language_code(const struct form *f, size_t index)
{
	return f->language_codes[index];
}

bool
form_language_draft(const struct form *f, size_t index)
{
	return f->language_draft[index];
}

bool
form_attachments(const struct form *f)
{
	return f->attachments && !f->about_child;
}

bool
form_media(const struct form *f, size_t field)
{
	enum question type = f->fields[field].type;

	return type == QUESTION_IMAGE || type == QUESTION_AUDIO || type == QUESTION_VIDEO ||
	       type == QUESTION_FILE;
}

bool
form_about_child(const struct form *f)
{
	return f->about_child;
}

size_t
form_field_count(const struct form *f)
{
	return f->field_count;
}

const struct form_field *
form_field(const struct form *f, size_t index)
{
	return &f->fields[index];
}

static size_t
find_key(const struct form *f, uint32_t key, const char *path)
{
	size_t low = 0, high = f->field_count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (f->fields[f->by_key[mid]].key.v < key)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < f->field_count && f->fields[f->by_key[low]].key.v == key; low++)
		if (path == NULL || strcmp(f->fields[f->by_key[low]].path, path) == 0)
			return f->by_key[low];
	return SIZE_MAX;
}

size_t
form_field_find(const struct form *f, const char *path)
{
	uint8_t hash[SHA256_BYTES];

	crypto_sha256(hash, bytes_of_str(path));
	return find_key(f, be32_get(hash), path);
}

size_t
form_field_find_key(const struct form *f, struct field_key key)
{
	return find_key(f, key.v, NULL);
}

const char *
form_field_label(const struct form *f, size_t field, size_t lang)
{
	const struct form_node *n = f->more[field].node;
	const struct form_text *t =
	    n->control == NULL ? NULL : form_text_of(f, &n->control->label, lang);
	const char *s = t == NULL ? "" : form_text_plain(t);

	return s[0] == '\0' ? f->fields[field].name : s;
}

size_t
form_choice_count(const struct form *f, size_t field)
{
	const struct form_choices *c = f->more[field].choices;

	return c == NULL ? 0 : c->count;
}

const char *
form_choice_name(const struct form *f, size_t field, size_t choice)
{
	return f->more[field].choices->list[choice].name;
}

const char *
form_choice_label(const struct form *f, size_t field, size_t choice, size_t lang)
{
	const struct form_choice *c = &f->more[field].choices->list[choice];
	const struct form_text *t = form_text_of(f, &c->label, lang);
	const char *s = t == NULL ? "" : form_text_plain(t);

	return s[0] == '\0' ? c->name : s;
}
